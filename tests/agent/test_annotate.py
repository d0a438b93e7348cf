"""What kind of answer a question wants."""

import re

import pytest

from crowquill.agent.annotate import answer_pattern, is_yes_no, wants_person


@pytest.mark.parametrize(
    ("question", "fits", "fails"),
    [
        ("In which year was the bridge opened?", "1849", "May 1849"),
        ("In what year was it?", "not found", "the Danube"),
        ("How many islands are there?", "about 1,462 islands", "Carrefour"),
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


def test_yes_no_and_who() -> None:
    assert is_yes_no("Are both of them rivers?")
    assert not is_yes_no("Is it the Rhine or the Danube?")
    assert wants_person("By whom was it built?")
    assert not wants_person("Which river is longest?")
