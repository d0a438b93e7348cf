"""A name of the question is no receipt where the evidence names something else in its place."""

import pytest

from crowquill.agent.answer import DraftClaim
from crowquill.agent.critic.checks import check_claim
from crowquill.memory.evidence import Quote, Source

PLAY = "Hamlet is a tragedy written by William Shakespeare around 1600."
ПЬЕСА = "Трагедию «Гамлет» написал Уильям Шекспир около 1600 года."


def status(text: str, quoted: str, question: str) -> tuple[str, str]:
    source = Source("corpus:x/p", "A page", "2026-01-01", "0" * 64, "corpus")
    claim = check_claim(DraftClaim(text, (1,)), [Quote(quoted, source, 0, len(quoted), (1, 1))], question)
    return claim.status, claim.problem


@pytest.mark.parametrize(
    "question",
    [
        "Who wrote Hamlet?",
        "I am sure that Mark Twain wrote Hamlet. Who wrote Hamlet?",
        "Did Mark Twain write Hamlet?",
        "Who wrote Hamlet, Mark Twain or William Shakespeare?",
    ],
)
@pytest.mark.parametrize("text", ["Hamlet was written by Mark Twain.", "Mark Twain wrote Hamlet."])
def test_an_opinion_of_the_question_is_no_receipt_for_a_name(text: str, question: str) -> None:
    problem = "no receipt for Mark Twain; the evidence says William Shakespeare"
    assert status(text, PLAY, question) == ("unsupported", problem)
    assert status("Hamlet was written by William Shakespeare.", PLAY, question) == ("quoted", "")


@pytest.mark.parametrize(
    ("text", "quoted", "question"),
    [
        ("«Гамлета» написал Марк Твен.", ПЬЕСА, "Кто написал «Гамлета»? По-моему, Марк Твен."),
        ("«Гамлета» написал Марк Твен.", ПЬЕСА, "Кто написал «Гамлета», Марк Твен или Уильям Шекспир?"),
        ("Берген — столица Норвегии.", "Осло — столица Норвегии.", "Берген — столица Норвегии?"),
        ("Bergen is the capital of Norway.", "Oslo is the capital of Norway.", "Is Bergen the capital of Norway?"),
        ("The capital of Norway is Bergen.", "Oslo is the capital of Norway.", "Is Bergen the capital of Norway?"),
        ("Carol Reed was born in Paris.", "Carol Reed was born in Putney.", "Was Carol Reed born in Paris?"),
    ],
)
def test_a_name_that_stands_where_the_evidence_has_another(text: str, quoted: str, question: str) -> None:
    assert status(text, quoted, question)[0] == "unsupported"


@pytest.mark.parametrize(
    ("text", "quoted", "question"),
    [
        (
            "The Third Man was directed by Carol Reed.",
            "It was directed by Carol Reed, with a score by Anton Karas.",
            "Who directed The Third Man?",
        ),
        (
            "The director of The Third Man was born in London.",
            "Carol Reed was born in Putney in London on 30 December 1906.",
            "Where was the director of The Third Man born?",
        ),
        (
            "Hamlet was written in 1600.",
            "It was written by William Shakespeare in 1600.",
            "When was Hamlet written?",
        ),
        ("Shakespeare wrote Hamlet.", "He wrote Hamlet in Stratford.", "Did Shakespeare write Hamlet?"),
        ("The USA has 50 states.", "The United States has 50 states.", "How many states has the USA?"),
        (
            "Режиссёр «Третьего человека» родился в Лондоне.",
            "Кэрол Рид родился в Лондоне.",
            "Где родился режиссёр «Третьего человека»?",
        ),
    ],
)
def test_a_statement_may_name_its_subject_with_words_of_the_question(text: str, quoted: str, question: str) -> None:
    assert status(text, quoted, question) == ("derived", "")
