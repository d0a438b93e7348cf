"""What kind of answer a question wants."""

import re

import pytest

from crowquill.agent.annotate import (
    answer_pattern,
    asked_kind,
    counted,
    is_yes_no,
    may_be_stopover,
    uncounted,
    wants_person,
)
from crowquill.memory.textual import content_words


@pytest.mark.parametrize(
    ("question", "fits", "fails"),
    [
        ("In which year was the bridge opened?", "1849", "May 1849"),
        ("In what year was it?", "not found", "the Danube"),
        ("How many islands are there?", "about 1,462 islands", "Carrefour"),
        ("It has how any shops?", "1,462 shops", "Carrefour 1,462"),
        ("How many members has the band?", "four members", "the band"),
        ("How much does it weigh?", "1.2 kg", "heavy"),
        ("He managed the team during what timeframe?", "from 1986 to 2013", "Alex Ferguson"),
        ("How deep is the river there?", "about 12 metres", "The Iron Gates is a deep gorge of 1 river"),
        ("When was she born?", "30 December 1906", "in Putney"),
        ("Сколько лет мосту?", "170 лет", "Дунай"),
    ],
)
def test_the_answer_must_be_of_the_kind_asked_for(question: str, fits: str, fails: str) -> None:
    pattern = answer_pattern(question)
    assert pattern is not None
    assert re.fullmatch(pattern, fits)
    assert not re.fullmatch(pattern, fails)


@pytest.mark.parametrize("question", ["Who wrote it?", "Which river is longer?", "What did he do when he was ill?"])
def test_other_questions_have_free_answers(question: str) -> None:
    assert answer_pattern(question) is None


@pytest.mark.parametrize(
    ("question", "sentence", "number"),
    [
        (
            "It has how any hypermarkets?",
            "It cost 5,2 billion (with 1,462 hypermarkets in 2016).",
            "1,462",
        ),
        ("How many gold medals did she win?", "In 1992 she won three gold medals.", "three"),
        ("How many books are there?", "In 1992 books were dear.", ""),
        ("How many books are there?", "There are two books here and four books there.", ""),
        ("How long is it?", "It is 12 metres long.", ""),
        ("Сколько магазинов у сети?", "У сети 362 магазина.", "362"),
    ],
)
def test_the_number_that_counts_what_is_asked_for(question: str, sentence: str, number: str) -> None:
    assert counted(question, sentence) == number


def test_yes_no_and_who() -> None:
    assert is_yes_no("Are both of them rivers?")
    assert not is_yes_no("Is it the Rhine or the Danube?")
    assert wants_person("By whom was it built?")
    assert not wants_person("Which river is longest?")
    assert not wants_person("Which river did the man cross who built it?")


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What government position was held by her?", "government position"),
        ("He served under which United States Vice President?", "united states vice president"),
        ("Which British medium-sized bomber, built in 1949, flew there?", "british medium sized bomber"),
        ("What was the father of Kasper voted to be?", "father"),
        ("How long is it?", ""),
    ],
)
def test_what_is_asked_for(question: str, kind: str) -> None:
    assert asked_kind(question) == content_words(kind)


def test_a_name_may_be_on_the_way_to_the_answer() -> None:
    assert may_be_stopover("What position did the woman hold who played her?")
    assert not may_be_stopover("Who played her?")
    assert not may_be_stopover("What is the name of the film?")
    assert not may_be_stopover("Which is longer, the Rhine or the Thames?")
    assert not may_be_stopover("Is the Rhine longer?")


@pytest.mark.parametrize(
    ("question", "short", "bare"),
    [
        ("How many copies of the song were sold?", "about 3 million copies worldwide", "about 3 million"),
        ("How many copies were sold?", "3,000", "3,000"),
        ("How many people live there?", "12 towns", "12 towns"),
        (
            "How many copies were sold?",
            "3 copies in 1990 and 4 copies in 1991",
            "3 copies in 1990 and 4 copies in 1991",
        ),
        ("How long is it?", "3 kilometres", "3 kilometres"),
    ],
)
def test_the_answer_to_how_many_is_a_number(question: str, short: str, bare: str) -> None:
    assert uncounted(question, short) == bare
