"""PDF to text: pages, reading order, hyphens, tables, headings, and files that are none."""

import random
import time

import pytest
from tests.support.pdf import At, column, write_pdf

from crowquill.errors import ToolFailed
from crowquill.memory.snapshot import MAX_LINE, Snapshot
from crowquill.tools.browser.page import pack, render, render_job, unpack
from crowquill.tools.browser.pdf import pdf_pages

URL = "https://site.example/paper.pdf"
LEFT = [
    "The first column tells how the crows of the town came",
    "to know the people who fed them, and what they brought",
    "back to the garden: a shiny button, a paper clip and a",
    "broken key. It was written down by a girl who lived in",
    "the house at the corner, and nobody believed her story.",
    "Years went by. The crows returned in every cold winter.",
]
RIGHT = [
    "The second column goes on about what was found out when",
    "scientists counted every gift: 137 pieces in two years,",
    "most of them metal. They concluded that crows distingui-",
    "sh between faces, and that they remember for a long time.",
    "A well-",
    "known study is under way, and well-known results are due.",
]


def lines(snapshot: Snapshot) -> list[tuple[str, str]]:
    return [(line.kind, snapshot.line_text(number)) for number, line in enumerate(snapshot.lines, 1)]


def shown(data: bytes) -> Snapshot:
    return render(data, "application/pdf", URL)


def two_columns(*, interleaved: bool) -> list[At]:
    left, right = column(60, 700, LEFT, size=9), column(320, 700, RIGHT, size=9)
    title = [At(120, 760, "Gifts of Crows: what they bring, and to whom, and why", 18)]
    body = [piece for pair in zip(left, right, strict=True) for piece in pair] if interleaved else [*left, *right]
    return [*title, *body, At(290, 40, "12")]


@pytest.mark.parametrize("interleaved", [False, True])
def test_columns_are_read_one_after_the_other(interleaved: bool) -> None:
    snapshot = shown(write_pdf([two_columns(interleaved=interleaved)]))
    assert lines(snapshot) == [
        ("heading", "Gifts of Crows: what they bring, and to whom, and why"),
        (
            "text",
            "The first column tells how the crows of the town came to know the people who fed them, and what they"
            " brought back to the garden: a shiny button, a paper clip and a broken key.",
        ),
        (
            "text",
            "It was written down by a girl who lived in the house at the corner, and nobody believed her story.",
        ),
        ("text", "Years went by."),
        ("text", "The crows returned in every cold winter."),
        (
            "text",
            "The second column goes on about what was found out when scientists counted every gift: 137 pieces in"
            " two years, most of them metal.",
        ),
        (
            "text",
            "They concluded that crows distinguish between faces, and that they remember for a long time.",
        ),
        ("text", "A well-known study is under way, and well-known results are due."),
        ("text", "12"),
    ]
    assert snapshot.title == "Gifts of Crows: what they bring, and to whom, and why"


def test_pages_are_numbered_and_quotes_name_theirs() -> None:
    data = write_pdf(
        [[At(60, 700, f"This is what page {number} says.")] if number != 2 else [] for number in range(1, 5)],
        title="Four pages",
    )
    snapshot = shown(data)
    assert snapshot.title == "Four pages"
    assert snapshot.pages == (1, 2, 2, 3)
    assert [snapshot.page_of(line) for line in (1, 2, 3)] == [1, 3, 4]
    assert snapshot.quote(2, 2).page == 3
    assert pdf_pages(data) == (
        "This is what page 1 says.",
        "",
        "This is what page 3 says.",
        "This is what page 4 says.",
    )
    assert Snapshot.from_json(snapshot.to_json()) == snapshot


def test_tables_headings_items_and_code() -> None:
    rows = [("River", "Length", "Country"), ("Danube", "2,850", "Austria"), ("Rhine", "1,230", "Germany")]
    table = [
        At(x, 600 - 14 * number, cell)
        for number, row in enumerate(rows)
        for x, cell in zip((60, 160, 240), row, strict=True)
    ]
    page = [
        At(60, 760, "Results of the Year", 10),
        At(60, 730, "2.1 Rivers and their length"),
        *column(60, 700, ["Rivers were measured from spring to mouth by", "three groups. Their figures agree."]),
        *table,
        *column(60, 500, ["• one thing", "• another thing that", "goes on"]),
        At(60, 400, "for river in rivers:", font="F2"),
        At(84, 388, "measure(river)", font="F2"),
    ]
    snapshot = shown(write_pdf([page], outline=[("Results of the Year", 0)]))
    assert lines(snapshot) == [
        ("heading", "Results of the Year"),
        ("heading", "2.1 Rivers and their length"),
        ("text", "Rivers were measured from spring to mouth by three groups."),
        ("text", "Their figures agree."),
        ("row", "River | Length | Country"),
        ("row", "Danube | 2,850 | Austria"),
        ("row", "Rhine | 1,230 | Germany"),
        ("item", "one thing"),
        ("item", "another thing that goes on"),
        ("code", "for river in rivers:"),
        ("code", "measure(river)"),
    ]
    assert "\n    measure(river)" in snapshot.text


def test_turned_pages_and_notes_in_the_margin() -> None:
    body = [At(100 + 12 * number, 60, line, 10, turn=90) for number, line in enumerate(LEFT[:2])]
    assert shown(write_pdf([body], rotate=90)).text == " ".join(LEFT[:2])
    stamp = [*column(60, 700, LEFT[:2]), At(20, 300, "arXiv:2611.01234 [cs.CL]", turn=90)]
    assert shown(write_pdf([stamp])).text == " ".join(LEFT[:2]) + "\narXiv:2611.01234 [cs.CL]"


def test_the_same_text_comes_out_of_the_workers_child() -> None:
    data = write_pdf([two_columns(interleaved=True)])
    request = {"data": pack(data), "media_type": "text/plain", "url": URL, "charset": None, "fetched_at": "2026"}
    there = Snapshot.from_json(unpack(render_job(request)).decode())
    assert there == render(data, "text/plain", URL, fetched_at="2026")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"%PDF-1.7 and nothing else", "damaged"),
        (write_pdf([[]]), "only images"),
        (
            write_pdf([[At(1, 1, "x")]]).replace(b"/Info", b"/Encrypt<</Filter/Standard/V 1/R 2>>/Info"),
            "locked|damaged",
        ),
    ],
    ids=["cut", "scan", "locked"],
)
def test_pdfs_that_cannot_be_read_say_why(data: bytes, says: str) -> None:
    with pytest.raises(ToolFailed, match=says):
        pdf_pages(data)


def damaged(count: int) -> None:
    draw = random.Random(7)
    whole = write_pdf([two_columns(interleaved=True)] * 2, outline=[("Gifts", 0)])
    for _ in range(count):
        data = bytearray(whole)
        for _ in range(draw.randint(1, 30)):
            at = draw.randrange(len(data))
            data[at : at + draw.randint(0, 3)] = draw.randbytes(draw.randint(0, 3))
        started = time.process_time()
        try:
            snapshot = shown(b"%PDF-" + bytes(data)[5:])
        except ToolFailed:
            continue
        finally:
            assert time.process_time() - started < 5
        assert all(0 < line.end - line.start <= MAX_LINE for line in snapshot.lines)
        assert list(snapshot.pages) == sorted(snapshot.pages)


def test_damaged_pdfs_are_read_or_refused() -> None:
    damaged(30)


@pytest.mark.slow
def test_many_damaged_pdfs_are_read_or_refused() -> None:
    damaged(1000)
