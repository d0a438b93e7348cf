"""What the guided policy makes of a reading."""

import pytest

from crowquill.agent.guided_answers import read_answer
from crowquill.agent.state import State
from crowquill.memory.evidence import Evidence, Quote, Source, plain_text
from crowquill.tasks.task import Task


def quote(title: str, text: str) -> Quote:
    return Quote(text, Source(f"corpus:x/{title}", title, "2026-01-01", "0" * 64, "corpus"), 0, len(text), (2, 2))


EVIDENCE: tuple[Evidence, ...] = (
    quote(
        "Ada Fell", "Adeline Mary Fell Jr. (born 3 May 1971) is a Welsh singer, who has sung in the Harbour Opera."
    ),
    quote("Orrin (lake)", "Lake Orrin is a reservoir in Scotland."),
    quote("Harbour Opera", "The Harbour Opera is a theatre in Cardiff, where Ada Fell sang."),
)


RADIUM: tuple[Evidence, ...] = (
    quote(
        "Marie Curie", "Marie Curie died in Passy of aplastic anaemia, which was caused by exposure to radiation."
    ),
)


@pytest.mark.parametrize(
    ("short", "sentence", "told"),
    [
        ("апластическая анемия", "Мария Кюри умерла от апластической анемии из-за радиации.", "same"),
        ("aplastic anaemia", "Мария Кюри умерла от апластической анемии из-за радиации.", "same"),
        ("апластическая анемия", "Апластическая анемия бывает у кошек.", "quote"),
        ("апластическая анемия", "Мария Кюри была физиком.", "quote"),
        ("туберкулёз", "Мария Кюри умерла от туберкулёза.", "nothing"),
        ("не указано", "В цитатах этого нет.", "nothing"),
    ],
)
def test_an_answer_is_in_the_language_of_the_question_where_the_quotes_are_not(
    short: str, sentence: str, told: str
) -> None:
    task = Task(id="a", goal="От чего умерла Мария Кюри?")
    parsed = {"answer": short, "sentence": sentence, "quotes": [1]}
    action = read_answer(State(task.goal, task, evidence=RADIUM), parsed, None)
    texts = [claim["text"] for claim in action.args.get("claims", ())]
    assert texts == {"same": [sentence], "quote": [plain_text(RADIUM[0])], "nothing": []}[told]


def read(question: str, answer: str) -> object:
    task = Task(id="a", goal=question)
    sentence = f"It is {answer}."
    action = read_answer(State(question, task, evidence=EVIDENCE), {"answer": answer, "sentence": sentence}, None)
    return action.args.get("short")


@pytest.mark.parametrize(
    ("question", "answer", "short"),
    [
        ("Who sang in the Harbour Opera?", "Adeline Mary Fell Jr. (born 3 May 1971)", "Ada Fell"),
        ("Who sang in the Harbour Opera?", "Adeline Mary Fell Jr.", "Ada Fell"),
        ("Who sang in the Harbour Opera?", "Ada Fell", "Ada Fell"),
        (
            "What is the full name of the singer in the Harbour Opera?",
            "Adeline Mary Fell Jr",
            "Adeline Mary Fell Jr",
        ),
        ("Which reservoir is in Scotland?", "Lake Orrin", "Lake Orrin"),
        ("Where did Ada Fell sing?", "Harbour Opera", "Harbour Opera"),
        ("In which city did Ada Fell sing?", "Cardiff", "Cardiff"),
    ],
)
def test_somebody_is_called_as_the_page_about_them(question: str, answer: str, short: str) -> None:
    assert read(question, answer) == short
