"""Answers that belong to the question, and the citations that a statement needs."""

import pytest

from crowquill.agent.critic.grounding import connected, needed, repeats, says
from crowquill.memory.evidence import Evidence, Quote, Source, Table


def quote(title: str, text: str) -> Quote:
    source = Source(
        f"corpus:x/{title}", title, "2026-01-01", f"{hash((title, text)) & (2**256 - 1):064x}", "corpus"
    )
    return Quote(text, source, 0, len(text), (1, 1))


FILM: tuple[Evidence, ...] = (
    quote("The Third Man", "The Third Man was directed by Carol Reed."),
    quote("Carol Reed", "Carol Reed was born in Putney on 30 December 1906."),
    quote("The Third Man", "The music of The Third Man was written by Anton Karas."),
    quote("The Third Man", "Anton Karas of Vienna became famous."),
    quote("Ludwig Boltzmann", "Ludwig Boltzmann was born in Vienna on 20 February 1844."),
    quote("The Third Man", "Carol Reed chose the music of Anton Karas."),
)


@pytest.mark.parametrize(
    ("question", "short", "expected"),
    [
        ("Where was Carol Reed born?", "Putney", True),
        ("Where was the director of The Third Man born?", "Putney", True),
        ("On what date was Anton Karas born?", "20 February 1844", False),
        ("On what date was Anton Karas born?", "30 December 1906", False),
        ("On what date was the director of The Third Man born?", "30 December 1906", True),
        ("Who wrote the music of The Third Man?", "Anton Karas", True),
        ("who was born there?", "20 February 1844", True),
    ],
)
def test_a_name_must_lead_from_the_question_to_the_answer(question: str, short: str, expected: bool) -> None:
    assert connected(question, short, FILM) is expected


VIADUCT: tuple[Evidence, ...] = (
    quote("Harrow Viaduct", "The Harrow Viaduct was opened in 1887 and is 412 metres long."),
    quote("Rivers", "The Danube is 2,850 kilometres long."),
    quote("Мост Победы", "Мост Победы открыт в 1965 году."),
    quote("Озеро Сорь", "Наибольшая глубина 37 метров."),
)


@pytest.mark.parametrize(
    ("question", "short", "expected"),
    [
        ("Какова длина виадука Харроу?", "412 метров", True),
        ("Какова длина виадука Хартли?", "412 метров", False),
        ("Какова длина Дуная?", "2 850 км", True),
        ("Какова длина Эльбы?", "2 850 км", False),
        ("When was the Victory Bridge opened?", "1965", True),
        ("When was the Winter Bridge opened?", "1965", False),
        ("How deep is Lake Sor?", "37 metres", True),
        ("How deep is Lake Onega?", "37 metres", False),
        ("Сколько метров до дна?", "37 метров", True),
    ],
)
def test_a_name_leads_to_an_answer_in_another_alphabet(question: str, short: str, expected: bool) -> None:
    assert connected(question, short, VIADUCT) is expected


def test_a_query_result_is_about_the_question_it_was_written_for() -> None:
    table = Table("SELECT count(*) FROM customers WHERE country = 'Austria'", "shop", ("count(*)",), ((3,),), 1)
    assert connected("How many customers of the shop live in Austria?", "3", [table])
    assert not connected("How many customers of the shop live in Austria?", "4", [table])


@pytest.mark.parametrize(
    ("short", "text", "expected"),
    [
        ("Anton Karas", "It was written by Anton Karas.", True),
        ("2,850 kilometres", "The Danube is 2850 km long.", True),
        ("2,851 kilometres", "The Danube is 2850 km long.", False),
        ("Ludwig Boltzmann", "It was written by Anton Karas.", False),
        ("conscription", "It holds that conscription is constitutional.", True),
        ("conscription", "It holds that the draft is constitutional.", False),
        ("Кардифф", "She was born in Cardiff.", True),
        ("Лондон", "She was born in Cardiff.", False),
        ("Ян Тарнов", "Jan Tarnow founded the brewery.", True),
        ("Tver", "Анна Вересова родилась в Твери.", True),
        ("Moscow", "Анна Вересова родилась в Твери.", False),
        ("от радиации", "Her illness was caused by exposure to radiation.", True),
        ("от туберкулёза", "Her illness was caused by exposure to radiation.", False),
        ("37 метров", "It is 37 metres deep.", True),
        ("64 000", "It is spoken by about 64,000 people.", True),
        ("73 метра", "It is 37 metres deep.", False),
    ],
)
def test_a_text_says_a_short_answer_or_does_not(short: str, text: str, expected: bool) -> None:
    assert says(short, text) is expected


@pytest.mark.parametrize(
    ("short", "question", "expected"),
    [
        ("oversteering", "What oversteering technique is the series based on?", True),
        ("the head coaches", "What was the player who was head coach of the team known for?", False),
        ("Head coach", "What was the player who was head coach of the team known for?", True),
        ("drifting", "What oversteering technique is the series based on?", False),
        ("Kansas Song", "What is the song of the university in Lawrence, Kansas?", False),
        ("the Rhine", "Which is longer, the Rhine or the Thames?", False),
        ("The Who", "Who played there?", False),
        ("Pens & Quills", 'Who made the game "Pens and Quills"?', True),
    ],
)
def test_an_answer_that_only_repeats_the_question_is_none(short: str, question: str, expected: bool) -> None:
    assert repeats(short, question) is expected


def test_citations_are_completed_and_trimmed() -> None:
    statement = "Carol Reed, who directed The Third Man, was born on 30 December 1906."
    assert set(needed(statement, [2], FILM)) == {1, 2}
    assert needed("Carol Reed was born in Putney.", [2, 3, 5], FILM) == (2,)
    assert needed("Carol Reed was born in Putney.", [2, 99], FILM) == (2,)
