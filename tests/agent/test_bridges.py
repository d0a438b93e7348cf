"""Questions of two steps: what they describe, and what is left of them."""

import pytest

from crowquill.agent.bridges import asked_of, described, stopovers
from crowquill.memory.evidence import Quote, Source


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("What post was held by the woman who played Ada Fell in Low Tide?", "What post was held by X?"),
        ("What post did the woman hold who played Ada Fell?", "What post did X hold?"),
        ("What was the population of the city in which Kirby End is located?", "What was the population of X?"),
        ("What is the middle name of the actress who plays Ada Fell?", "What is the middle name of X?"),
        ("In which year was the king who built Fort Aske born?", "In which year was X born?"),
        ("What was the father of Ben Fell voted to be by the club?", "What was X voted to be by the club?"),
    ],
)
def test_what_is_left_once_the_thing_described_is_known(question: str, left: str) -> None:
    assert asked_of(question, "X") == left


@pytest.mark.parametrize(
    "question",
    [
        "What is the population of Kirby End?",
        "How long is the River Aske?",
        "The manager who hired Ben Fell led the club during what years?",
        "Who wrote the novel that won the prize?",  # it names nothing by which that could be found
    ],
)
def test_what_is_named_is_not_described(question: str) -> None:
    assert described(question) is None
    assert asked_of(question, "X") == question


def quote(title: str, text: str) -> Quote:
    source = Source(f"https://x.example/{title}", title, "2026-01-01T00:00:00Z", "0" * 64)
    return Quote(text, source, 0, len(text), (1, 1), None)


def test_pages_that_may_be_the_thing_are_tied_to_what_the_question_names() -> None:
    question = "What was the population of the city in which Kirby End is located?"
    evidence = [
        quote("Kirby End", "Kirby End is a hamlet in the Aston district of Fellshire."),
        quote("Fellwick", "The village had a population of 341."),
        quote("Aston, Fellshire", "Aston had a population of 35,124."),
    ]
    said = "The city in which Kirby End is located is Fellwick."
    assert stopovers(question, said, evidence) == ["Aston, Fellshire"]
    assert stopovers("What is the population of Aston?", said, evidence) == []


def test_those_that_were_brought_up_come_first() -> None:
    question = "What distinction is held by the player who coached the Aske Rovers?"
    evidence = [
        quote("History of the club", "The Aske Rovers were founded in 1901."),
        quote("Ada Roe", "She coached the Aske Rovers and is the shortest player of all."),
    ]
    assert stopovers(question, "Ada Roe coached the Aske Rovers.", evidence)[0] == "Ada Roe"
