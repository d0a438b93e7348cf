"""Find in page: what is folded, what counts, and where it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowquill.memory.snapshot import Snapshot
from crowquill.tools.browser.find import find_matches, nearest_lines
from crowquill.tools.browser.page import render


def page(*paragraphs: str) -> Snapshot:
    html = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return render(html.encode(), "text/html", "https://site.example/", charset="utf-8")


PAGE = page(
    "C++ and C are languages. Version 3.14 costs $5.",
    "The STRASSE is a straße. Ｆｕｌｌ width, ﬁnally.",
    "İstanbul is old. A sentence that ends here. And another one.",
    "12.5 % is not 125 %. He said “no” — twice.",
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("c++", ["C++"]),
        ("C", ["C", "C", "c", "c", "c"]),
        ("3.14", ["3.14"]),
        ("$5", ["$5"]),
        ("strasse", ["STRASSE", "straße"]),
        ("STRAßE", ["STRASSE", "straße"]),
        ("full  width", ["Ｆｕｌｌ width"]),
        ("FINALLY", ["ﬁnally"]),
        ("istanbul", []),
        ("old. a", ["old. A"]),
        ("here. And", ["here. And"]),
        ("one. 12.5", ["one.\n12.5"]),
        ("125 %", ["125 %"]),
        ('"no" - twice', ["“no” — twice"]),
        ("", []),
        ("  \n", []),
        ("absent", []),
    ],
)
def test_what_is_found(wanted: str, found: list[str]) -> None:
    assert [PAGE.text[match.start : match.end] for match in find_matches(PAGE, wanted)] == found


def test_matches_name_the_line_in_which_they_begin() -> None:
    assert [match.line for match in find_matches(PAGE, "is")] == [3, 5, 8]
    assert find_matches(PAGE, "one. 12.5")[0].line == 7
    for match in find_matches(PAGE, "a"):
        line = PAGE.lines[match.line - 1]
        assert line.start <= match.start < line.end


@given(st.text(alphabet="aAßİﬁ .\u0301é", max_size=40), st.text(alphabet="aßif .", min_size=1, max_size=3))
def test_any_match_lies_in_its_page(text: str, wanted: str) -> None:
    snapshot = page(text, "end")
    for match in find_matches(snapshot, wanted):
        assert 0 <= match.start < match.end <= len(snapshot.text)
        assert 1 <= match.line <= len(snapshot.lines)


def test_the_nearest_lines_share_at_least_half_of_the_words() -> None:
    assert nearest_lines(PAGE, "the sentence ended and another") == (6, 7)
    assert nearest_lines(PAGE, "quite different matters") is None
    assert nearest_lines(PAGE, "") is None
