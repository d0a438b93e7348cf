"""Comparisons: what is compared with what, and what code concludes from quotes about each."""

import pytest

from crowquill.agent.compare import agree, best_quote, choose, comparison, holds, lacks, larger
from crowquill.memory.evidence import Evidence, Quote, Source


def quote(title: str, text: str, line: int = 1) -> Quote:
    source = Source(f"corpus:x/{title}", title, "2026-01-01", "0" * 64, "corpus")
    return Quote(text, source, 0, len(text), (line, line))


EVIDENCE: tuple[Evidence, ...] = (
    quote("Lake Tarn", "Lake Tarn is a Norwegian lake that was dammed in 1931.", 2),
    quote("Lake Orrin", "It was dammed in 1952.", 7),
    quote("Lake Orrin", "Lake Orrin is a reservoir in Scotland, known for its trout.", 2),
    quote("Ada Fell (painter)", "Ada Fell (born 3 May 1871; died 8 June 1950) was a Welsh painter.", 2),
    quote("Ida Moss", "Ida Moss (12 March 1868 – 1 July 1955) was a Welsh painter of landscapes.", 2),
    quote("Ida Moss", "In 1866 her parents had moved to Cardiff.", 3),
)


@pytest.mark.parametrize(
    ("question", "kind", "sides"),
    [
        ("Are Lake Tarn and Lake Orrin both in Norway?", "both", ("Lake Tarn", "Lake Orrin")),
        ("Are both Lake Tarn and the Lake Orrin Norwegian?", "both", ("Lake Tarn", "Lake Orrin")),
        ("Were Ada Fell and Ida Moss of the same nationality?", "same", ("Ada Fell", "Ida Moss")),
        ("Who was born earlier, Ada Fell or Ida Moss?", "choice", ("Ada Fell", "Ida Moss")),
        ("who is younger ada fell or ida moss", "choice", ("ada fell", "ida moss")),
    ],
)
def test_what_is_compared(question: str, kind: str, sides: tuple[str, str]) -> None:
    found = comparison(question, EVIDENCE)
    assert found is not None
    assert (found.kind, tuple(side.name for side in found.sides)) == (kind, sides)


@pytest.mark.parametrize(
    "question",
    [
        "How deep is Lake Tarn?",
        "Where are Lake Tarn and Lake Orrin?",  # no yes and no which
        "Is Lake Tarn deeper than Lake Orrin?",  # not side by side
        "Are Lake Tarn and Loch Ness both in Norway?",  # nothing is known of one of them
        "",
    ],
)
def test_other_questions_are_no_comparisons(question: str) -> None:
    assert comparison(question, EVIDENCE) is None


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Are Lake Tarn and Lake Orrin both Norwegian lakes?", (True, False)),
        ("Are Lake Tarn and Lake Orrin both known for trout?", (False, True)),
        ("Are Ada Fell and Ida Moss both Welsh painters?", (True, True)),
    ],
)
def test_what_is_asked_must_stand_in_the_quotes_about_each(question: str, expected: tuple[bool, bool]) -> None:
    compared = comparison(question, EVIDENCE)
    assert compared is not None
    first, second = compared.sides
    assert (holds(compared, first, EVIDENCE), holds(compared, second, EVIDENCE)) == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who was born earlier, Ada Fell or Ida Moss?", "Ida Moss"),
        ("Who is younger, Ada Fell or Ida Moss?", "Ada Fell"),
        ("Who died first, Ada Fell or Ida Moss?", "Ada Fell"),
        ("Which was dammed first, Lake Tarn or Lake Orrin?", "Lake Tarn"),
        ("Which is known for its trout, Lake Tarn or Lake Orrin?", "Lake Orrin"),
        ("Which was founded first, Lake Tarn or Lake Orrin?", "Lake Tarn"),
        ("Which is deeper, Lake Tarn or Lake Orrin?", None),
    ],
)
def test_choices_by_dates_and_by_words(question: str, expected: str | None) -> None:
    compared = comparison(question, EVIDENCE)
    assert compared is not None
    found = choose(compared, EVIDENCE)
    assert (None if found is None else found[0].name) == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("Ada Fell was a Welsh painter", "a Welsh painter of landscapes", True),
        ("an English painter", "a Welsh painter", False),
        ("a prefecture-level city", "a county-level city of the north", False),
        ("", "a Welsh painter", False),
    ],
)
def test_two_values_agree_or_do_not(first: str, second: str, expected: bool) -> None:
    compared = comparison("Were Ada Fell and Ida Moss of the same nationality?", EVIDENCE)
    assert compared is not None
    assert agree(compared, (first, second)) is expected


@pytest.mark.parametrize(
    ("question", "sentence", "expected"),
    [
        (
            "Which has more islands, {a} or {b}?",
            "{a} was dammed in 1931, while {b} was dammed in 1952.",
            "Lake Orrin",
        ),
        ("Which is smaller, {a} or {b}?", "{a} was dammed in 1931, while {b} was dammed in 1952.", "Lake Tarn"),
        ("Which is smaller, {a} or {b}?", "{a} was dammed in 1930, while {b} was dammed in 1952.", None),
        ("Which is smaller, {a} or {b}?", "{a} was dammed in 1931, while {b} is a reservoir.", None),
        ("Which is smaller, {a} or {b}?", "{a} has 1931 boats, while {b} has 1952 fish.", None),
        ("Which is smaller, {a} or {b}?", "It is 1931.", None),
    ],
)
def test_two_quoted_numbers_are_compared_by_code(question: str, sentence: str, expected: str | None) -> None:
    compared = comparison(question.format(a="Lake Tarn", b="Lake Orrin"), EVIDENCE)
    assert compared is not None
    found = larger(compared, sentence.format(a="Lake Tarn", b="Lake Orrin"), EVIDENCE)
    assert (None if found is None else found.name) == expected


def test_one_side_alone_is_asked_about_and_has_its_best_quote() -> None:
    compared = comparison("Are both Lake Tarn and Lake Orrin known for trout?", EVIDENCE)
    assert compared is not None
    second = compared.sides[1]
    assert compared.alone(second) == "Are Lake Orrin known for trout?"
    assert best_quote(compared, second, EVIDENCE) == 3
    assert best_quote(compared, second, EVIDENCE, "dammed in 1952") == 2


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Are Ada Fell and Ida Moss both English painters?", (True, True)),
        ("Are Ada Fell and Ida Moss both Welsh painters?", (False, False)),
        ("Are Lake Tarn and Lake Orrin both Norwegian lakes?", (False, False)),  # Scotland: not said in this form
        ("Are Lake Tarn and Lake Orrin both in Norway?", (False, False)),
    ],
)
def test_another_adjective_is_a_no_without_a_model(question: str, expected: tuple[bool, bool]) -> None:
    compared = comparison(question, EVIDENCE)
    assert compared is not None
    assert tuple(lacks(compared, side, EVIDENCE) for side in compared.sides) == expected
