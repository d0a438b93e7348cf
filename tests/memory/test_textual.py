"""Sentences, numbers, dates, names and words, in English and Russian."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowquill.memory.textual import (
    content_words,
    dates,
    fold,
    fold_with_offsets,
    names,
    numbers,
    split_sentences,
    stem,
)


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Smith went to Washington.|He stayed.",
        "He lived in the U.S. for 3.5 years.|The U.S. Army paid $2.5 million.",
        "She moved to the U.S.|The war was over.",
        "Fruit, e.g. Apples, is sold.|See No. 5 and pp. 3-4.",
        "He said no.|Then he left.[1]|Next came rain.",
        '"Stop!" he said.|(It was late.)|Nobody moved.',
        "J. R. R. Tolkien wrote it.|C. S. Lewis read it.",
        "In Rostker v. Goldberg he (c. 1710) lost.|It was plan b.|Nobody won.",
        "They drank vitamin C.|The end came soon.",
        "Am 5. Mai 1990 kam er.|Es regnete.",
        "Apple Inc. Magazine printed it.|Apple Inc.|It grew.",
        "1. Introduction to crows",
        "It cost 5.|Then it cost 7.",
        "Visit www.example.com today.|Node.js is used.",
        "Yes...|Maybe.|Really?!|No.",
        "Why?|“Because.”|So it was.",
        "Он жил в г. Москва, т.е. в столице.|Она уехала.",
        "Он умер в 1837 г.|Москва выросла.",
        "А. С. Пушкин и др. поэты жили там.|В. И. Ленин не жил.",
        "Это было в XIX в.|Он построил дом на ул. Ленина, д. 5, кв. 3.",
        "Население 2,5 млн чел.|Потом оно упало.",
        "他来了。他走了！",
        "A title\n\nA paragraph. It has|",
    ],
)
def test_sentences(text: str) -> None:
    if text.startswith("他"):
        assert sentences(text) == ["他来了。", "他走了！"]
    elif text.startswith("A title"):
        assert sentences("A title\n\nA paragraph.\nIt has") == ["A title", "A paragraph.", "It has"]
    else:
        assert sentences(text.replace("|", " ")) == text.split("|")


@given(st.text(alphabet="aB. !?\n\"'()5…г。", max_size=60))
@settings(max_examples=200, deadline=None)
def test_sentences_cover_everything_but_white_space(text: str) -> None:
    spans = split_sentences(text)
    assert "".join("".join(text[start:end].split()) for start, end in spans) == "".join(text.split())
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)


def values(text: str) -> list[str]:
    return [f"{float(n.value):g}{'%' * n.is_percent}{'y' * n.is_year}" for n in numbers(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2,850 and 2 850 and 2\u00a0850", "2850 2850 2850"),
        ("1,234,567.5 or 1.234.567", "1.23457e+06 1.23457e+06"),
        ("2.5 and 1.2 million", "2.5 1.2e+06"),
        ("about $5m and $3.1bn, 5m wide", "5e+06 3.1e+09 5"),
        ("five hundred and twenty-one people", "521"),
        ("two thousand three hundred", "2300"),
        ("a million crows, millions of crows", "1e+06"),
        ("five six", "5 6"),
        ("the 19th century, twenty-third, the fifth", "19 23 5"),
        ("12 % or 5–10%, two percent", "12% 5% 10% 2%"),
        ("from 2 to 3 million", "2e+06 3e+06"),
        ("1 to 5000", "1 5000"),
        ("1990–95, 1990-1995", "1990y 1995y 1990y 1995y"),
        ("on 2020-05-05", "2020y 5 5"),
        ("Python 3.11.7", "3 11 7"),
        ("-5 degrees, COVID-19, −3.5", "-5 19 -3.5"),
        ("1½ cups, ½ cup, 10²", "1.5 10"),
        ("in the 1990s", "1990y"),
        ("население 2,5 млн, вес 2,850 кг", "2.5e+06 2.85"),
        ("двадцать пять тысяч и сто двадцать пять процентов", "25000 125%"),
        ("19-го века, 5 000 руб", "19 5000"),
    ],
)
def test_numbers(text: str, expected: str) -> None:
    assert " ".join(values(text)) == expected


def test_numbers_are_exact_and_keep_their_place() -> None:
    text = "It rose by 0.1 to 12.5 percent."
    first, second = numbers(text)
    assert first.value == Fraction(1, 10)
    assert text[second.start : second.end] == "12.5 percent"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on 5 May 2020", (2020, 5, 5)),
        ("May 5, 2020", (2020, 5, 5)),
        ("the 3rd of March, 1999", (1999, 3, 3)),
        ("June 2019", (2019, 6, None)),
        ("Sept. 7", (None, 9, 7)),
        ("2020-02-29", (2020, 2, 29)),
        ("05.06.2020", (2020, 6, 5)),
        ("12 мая 2001 года", (2001, 5, 12)),
        ("в марте 2003 года", (2003, 3, None)),
    ],
)
def test_dates(text: str, expected: tuple[int | None, int | None, int | None]) -> None:
    (date,) = dates(text)
    assert (date.year, date.month, date.day) == expected


@pytest.mark.parametrize("text", ["they may 5 times", "05/06/2020", "2020-13-05", "in 1990", "march 5 abreast"])
def test_what_is_no_date(text: str) -> None:
    assert dates(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Bank of England was founded by William Paterson.", ["Bank of England", "William Paterson"]),
        ("Scientists say that Marie Curie's work at NASA paid.", ["Marie Curie", "NASA"]),
        ("Einstein was born in Ulm. In 1905 Einstein moved.", ["Einstein", "Ulm", "Einstein"]),
        ("He met Ludwig van Beethoven and J. R. R. Tolkien.", ["Ludwig van Beethoven", "J. R. R. Tolkien"]),
        ("Paris is big. I think so.", []),
        ("On May 5 we left. It was the Year.", ["Year"]),
        ("Александр Пушкин жил в Москве. Он любил Наталью.", ["Александр Пушкин", "Москве", "Наталью"]),
    ],
)
def test_names(text: str, expected: list[str]) -> None:
    found = names(text)
    assert [name.text for name in found] == expected
    assert all(text[name.start : name.end] == name.text for name in found)


def test_opening_words_come_on_request_and_are_marked() -> None:
    found = names("Newton was born in Lincolnshire. Workers struck. The end.", openings=True)
    assert [(name.text, name.is_opening) for name in found] == [("Newton", True), ("Lincolnshire", False)]


def test_content_words_meet_over_plural_possessive_and_ending() -> None:
    assert content_words("The company's box was created") == content_words("companies create boxes")
    assert content_words("в городе Москве") == content_words("город Москва")
    assert content_words("of the and") == frozenset()
    assert "2850" in content_words("2,850 crows")


@pytest.mark.parametrize(
    ("word", "expected"), [("running", "run"), ("speed", "speed"), ("class", "class"), ("king", "king")]
)
def test_stem(word: str, expected: str) -> None:
    assert stem(word) == expected


def test_fold() -> None:
    assert fold("“Hello”  wor\u00adld — ‘x’\u00a0ﬁne…") == "\"Hello\" world - 'x' fine..."
    assert fold("10² m and 1½") == "10² m and 1½"


@given(st.text(alphabet="ab é́ﬁ“—\u200b\u00a0²\n\t…½Å", max_size=40))
@settings(max_examples=300, deadline=None)
def test_folding_maps_every_character_back(text: str) -> None:
    folded, offsets = fold_with_offsets(text)
    assert len(offsets) == len(folded) + 1
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(text)
    assert folded.strip() == fold(text)
    assert fold(folded) == fold(text)
    for at, character in enumerate(folded):
        end = next(offset for offset in offsets[at:] if offset > offsets[at])
        assert character == " " or character in fold_with_offsets(text[offsets[at] : end])[0]
