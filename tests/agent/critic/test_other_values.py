"""A value in words is wrong where the evidence gives another in its place, and only there."""

import pytest

from crowquill.agent.answer import Claim, Draft, DraftClaim
from crowquill.agent.critic.checks import check, check_claim
from crowquill.memory.evidence import Computation, Evidence, Quote, Source, Table


def quote(text: str, url: str = "corpus:x/page") -> Quote:
    return Quote(text, Source(url, "Page", "2026-01-01", "0" * 64, "corpus"), 0, len(text), (1, 1))


def checked(statement: str, evidence: str | Evidence) -> Claim:
    given = quote(evidence) if isinstance(evidence, str) else evidence
    return check_claim(DraftClaim(statement, (1,)), [given], "What share is 3 of 9?")


@pytest.mark.parametrize(
    ("statement", "evidence"),
    [
        ("One boat sank.", "Three boats sank."),
        ("Команда получила одну медаль.", "Команда получила семь медалей."),
        ("The fire destroyed half of the town.", "The fire destroyed a third of the town."),
        ("The fire destroyed half of the town.", "The fire destroyed 25 % of the town."),
        ("The fire destroyed more than half of the town.", "The fire destroyed 30 % of the town."),
        ("Пожар уничтожил половину города.", "Пожар уничтожил треть города."),
        ("The tank is ¾ full.", "The tank is ½ full."),
        ("The quake killed hundreds of people.", "The quake killed thousands of people."),
        ("Погибли тысячи человек.", "Погибли сотни человек."),
        ("The war lasted a decade.", "The war lasted 20 years."),
        ("The price doubled.", "The price tripled."),
        ("Цена удвоилась.", "Цена утроилась."),
        ("He won twice.", "He won three times."),
        ("The first bridge was built of stone.", "The second bridge was built of stone."),
        ("Он занял второе место.", "Он занял третье место."),
        ("The festival takes place in May.", "The festival takes place in June."),
        ("The festival runs in April.", "The festival runs from May to September."),
        ("Фестиваль проходит в мае.", "Фестиваль проходит в июне."),
        ("Церемония прошла в понедельник.", "Церемония прошла во вторник."),
        ("The meeting starts at 10:30 am.", "The meeting starts at 10:30 pm."),
        ("It was held on 05/06/2020.", "It was held on 06/05/2020."),
        ("The tower is 300 metres high.", "The tower is less than 300 metres high."),
    ],
)
def test_another_value_in_its_place(statement: str, evidence: str) -> None:
    claim = checked(statement, evidence)
    assert (claim.status, claim.wrong) == ("unsupported", "contradicts")
    assert "the evidence says" in claim.problem or "05/06/2020" in claim.problem


@pytest.mark.parametrize(
    ("statement", "evidence"),
    [
        ("One boat sank.", "A boat sank."),
        ("One of the boats sank.", "Three boats were hit and the Anna sank."),
        ("At least one boat sank.", "Three boats sank."),
        ("Two thirds of voters agreed.", "67 % of voters agreed."),
        ("About a third of the town burned.", "31 % of the town burned."),
        ("The fire destroyed more than half of the town.", "The fire destroyed 62 % of the town."),
        ("In the second half of the season 25 % of the team left.", "In the second half of the season 25 % left."),
        ("The team left in the first quarter.", "In the first quarter the team left, and a third of the staff."),
        ("Thousands of people died.", "3,400 people died."),
        ("The price doubled.", "The price rose by 100 %."),
        (
            "The first bridge was opened in 1900.",
            "The bridge was opened in 1900. The second bridge followed in 1910.",
        ),
        ("The second edition appeared in 1859.", "The 2nd edition appeared in 1859, the first edition in 1850."),
        ("The pass is closed in December.", "The pass is closed from November to April."),
        ("Музей открыт в июле.", "Музей открыт с мая по сентябрь."),
        ("The festival takes place in May.", "The festival takes place every year, mostly on 12 May."),
        ("Theresa May resigned in June.", "Theresa May resigned in June."),
        ("Заседания идут по средам.", "Заседания идут с понедельника по пятницу."),
        ("The meeting starts at 10:30 pm.", "The meeting starts at 22:30."),
        ("The meeting starts at 10:30.", "The meeting starts at 10:30 am."),
        ("The hall can hold 300 people.", "The hall seats up to 300 people."),
        ("Water boils at 212 °F.", "Water boils at 100 °C."),
        ("В городе два с половиной миллиона жителей.", "В городе 2,5 млн жителей."),
    ],
)
def test_the_same_value_in_other_words_or_none_to_hold_it_against(statement: str, evidence: str) -> None:
    claim = checked(statement, evidence)
    assert claim.problem == ""
    assert claim.status in ("quoted", "derived")


def test_a_percentage_is_what_a_cell_or_a_result_comes_to() -> None:
    table = Table("SELECT city, s FROM t", "db", ("city", "share"), (("Oslo", 0.3333333333),), 1)
    assert checked("In Oslo the share is 33.3 %.", table).problem == ""
    assert checked("In Oslo the share is 34.3 %.", table).status == "unsupported"
    assert checked("The share of 3 of 9 is 33.3 %.", Computation("3/9", "1/3", "0.333333333333333")).problem == ""


def test_numbers_of_any_length_are_checked_and_compared() -> None:
    for digits in ("7" * 400, "7" * 5000, "one in ² people, 7"):
        statement = f"The lake holds {digits} litres."
        assert checked(statement, statement).status == "quoted"
    statement = f"The lake holds {'7' * 400} litres of water."
    evidence = [quote(statement, "https://a.org/1"), quote(statement.replace("7", "8"), "https://b.org/1")]
    found = check(Draft("", (DraftClaim(statement, (1,)),)), evidence, "How much?")
    assert len(found.disagreements) == 1
