"""Which parts of a question has an answer left out? Where words do not tell, nothing is said."""

import pytest

from crowquill.agent.answer import Claim
from crowquill.agent.critic.completeness import unanswered


def left_out(question: str, *claims: str) -> list[str]:
    return unanswered(question, [Claim(claim) for claim in claims])


@pytest.mark.parametrize(
    ("question", "claims"),
    [
        ("Where was Carol Reed born and when did he die?", ("Carol Reed was born in London.", "He died in 1976.")),
        (
            "Where was Carol Reed born and when did he die?",
            ("Carol Reed was born in London and passed away in 1976.",),
        ),
        (
            "When was the bridge built and who designed it?",
            ("The bridge was built in 1931.", "Its designer was John Smith."),
        ),
        (
            "When was the bridge built and who paid for it?",
            ("It opened in 1931.", "John Smith gave the money."),
        ),
        (
            "How many people live in Oslo and how large is it?",
            ("Oslo has 700,000 inhabitants.", "It covers 454 square kilometres."),
        ),
        (
            "Сколько людей живёт в Осло и какова его площадь?",
            ("В Осло 700 000 жителей.", "Город занимает 454 квадратных километра."),
        ),
        ("Где родился Карол Рид и когда он умер?", ("Карол Рид родился в Лондоне.", "Он скончался в 1976 году.")),
        ("Who wrote Emma and when was it published?", ("Jane Austen wrote Emma.", "It came out in 1815.")),
        ("Who owns Lake Tarn and why was it dammed?", ("The state owns Lake Tarn.", "Mills wanted power.")),
    ],
)
def test_parts_that_are_answered_in_other_words(question: str, claims: tuple[str, ...]) -> None:
    assert left_out(question, *claims) == []


@pytest.mark.parametrize(
    ("question", "claims", "part"),
    [
        ("Where was Carol Reed born and when did he die?", ("Carol Reed was born in London.",), "when did he die"),
        ("How deep is Lake Tarn and who owns it?", ("Lake Tarn is 310 metres deep.",), "who owns it"),
        (
            "How deep is Lake Tarn and when was it dammed?",
            ("Lake Tarn is 310 metres deep.", "It has 1,031 beavers."),
            "when was it dammed",
        ),
        (
            "When was the bridge built and when was it closed?",
            ("The bridge was built in 1931.",),
            "when was it closed",
        ),
        ("Где родился Карол Рид и когда он умер?", ("Карол Рид родился в Лондоне.",), "когда он умер"),
    ],
)
def test_parts_that_nothing_answers(question: str, claims: tuple[str, ...], part: str) -> None:
    assert left_out(question, *claims) == [part]
