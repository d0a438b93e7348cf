"""Do sources agree that say the same more or less exactly, and is it seen where they do not?"""

import pytest

from crowquill.agent.answer import Candidate, Draft, DraftClaim
from crowquill.agent.critic.agreement import Disagreement
from crowquill.agent.critic.checks import check
from crowquill.memory.evidence import Quote, Source


def checked(claim: str, *others: str) -> Candidate:
    """Check an answer of two claims: the first from its own source, against what others say."""
    other = "Vienna was founded by the Romans."
    texts = (claim, other, *others)
    quotes = [
        Quote(
            text,
            Source(f"https://s{at}.org/", "Page", "2026-01-01", f"{at:064x}", "web", 0.5),
            0,
            len(text),
            (1, 1),
        )
        for at, text in enumerate(texts)
    ]
    return check(Draft("", (DraftClaim(claim, (1,)), DraftClaim(other, (2,)))), quotes, "Tell me of it.")


@pytest.mark.parametrize(
    ("value", "others"),
    [
        ("2,857 km", ["2,860 km"] * 2),
        ("2,857 km", ["some 2,900 km"] * 2),
        ("2,857 km", ["more than 2,800 km"] * 2),
        ("2,857 km", ["more than 1,000 km"] * 2),
        ("2,857 km", ["about 2,850 km"] * 4),
        ("2,857 km", ["1,776 miles"] * 4),
        ("324 m", ["about 300 metres"] * 4),
        ("2.4 m", ["2 m"] * 4),
        ("more than 2,800 km", ["under 2,900 km"] * 4),
    ],
)
def test_a_value_agrees_with_less_exact_ones_and_they_with_it(value: str, others: list[str]) -> None:
    said = [f"The Danube is {other} long." for other in others]
    for claim, against in ((f"The Danube is {value} long.", said), (said[0], [f"The Danube is {value} long."] * 4)):
        found = checked(claim, *against)
        assert (found.disagreements, len(found.claims)) == ((), 2)


@pytest.mark.parametrize(
    ("value", "other"),
    [
        ("2,580 km", "about 2,850 km"),
        ("324 m", "300 m"),
        ("20 m", "19 m"),
        ("31 km", "30 km"),
        ("2,857 km", "more than 3,000 km"),
    ],
)
def test_values_that_cannot_both_be_right_differ(value: str, other: str) -> None:
    found = checked(f"The Danube is {value} long.", *[f"The Danube is {other} long."] * 4)
    assert len(found.claims) == 1
    assert found.disagreements


@pytest.mark.parametrize(
    ("claim", "other", "said"),
    [
        ("The population of Tarn is 5,400.", "The population of Tarn is 6,200.", "4 sources say 6,200"),
        ("Население Тарна составляет 5 400.", "Население Тарна составляет 6 200.", "4 sources say 6 200"),
        ("Tarn has 5,400 inhabitants.", "Tarn has 6,200 inhabitants.", "4 sources say 6,200"),
        ("Tarn had 5,400 inhabitants in 2010.", "Tarn had 6,200 inhabitants in 2010.", "4 sources say 6,200"),
        ("Tarn was founded in 1931.", "Tarn was founded in 1913.", "4 sources say 1913, 1 source says 1931"),
        ("Tarn was founded on 6 May 1890.", "Tarn was founded on 5 May 1890.", "4 sources say 5 May 1890"),
        ("Tarn was founded on 6 May 1890.", "Tarn was founded on 6 June 1890.", "4 sources say 6 June 1890"),
        ("Tarn was founded on 6 May 1890.", "Tarn was founded in 1880.", "4 sources say 1880"),
        ("Тарн основан 6 мая 1890 года.", "Тарн основан 6 июня 1890 года.", "4 sources say 6 июня 1890"),
        ("The Danube is 2,580 km long.", "The length of the Danube is 2,850 km.", "4 sources say 2,850 km"),
        ("The Danube is 2,580 km long.", "The Danube measures 2,850 km in length.", "4 sources say 2,850 km"),
    ],
)  # fmt: skip
def test_other_numbers_of_the_same_are_found_with_and_without_a_unit(claim: str, other: str, said: str) -> None:
    assert checked(claim, *[other] * 4).disagreements[0].startswith(said)


@pytest.mark.parametrize(
    ("claim", "other"),
    [
        ("The population of Tarn is 5,400.", "The population of Tarn County is 62,000."),
        ("The population of Tarn is 5,400.", "The population of Tarn was 6,200 in 1950 before the mill closed."),
        ("The population of Tarn was 5,400 in 2010.", "The population of Tarn was 6,200 in 2020."),
        ("Tarn had 5,400 inhabitants in 2010.", "Tarn had 6,200 inhabitants in 2020."),
        ("Tarn was founded on 6 May 1890.", "Tarn was founded in May 1890."),
        ("Tarn was founded on 6 May 1890.", "Tarn was founded in 1890."),
        ("Tarn was founded in 1890.", "Tarn was founded on 6 May 1890."),
        ("Carol Reed was born in 1906.", "Carol Reed died in 1976."),
        ("Lake Tarn was dammed in 1931.", "Lake Tarn was discovered in 1850."),
        ("The Tarn Tower is 324 metres high.", "The Tarn Tower is 125 metres wide."),
    ],
)
def test_numbers_of_another_time_or_thing_are_no_disagreement(claim: str, other: str) -> None:
    assert checked(claim, *[other] * 4).disagreements == ()


def test_a_disagreement_is_told_in_the_language_of_the_question() -> None:
    counts = {
        1: "1 источник говорит",
        2: "2 источника говорят",
        5: "5 источников говорят",
        21: "21 источник говорит",
    }
    for count, said in counts.items():
        sources = tuple(map(str, range(count)))
        told = Disagreement("", "3 км", "4 км", ("a",), sources, is_odd=False).told(russian=True)
        assert told.startswith(f"{said} 4 км, 1 источник говорит 3 км (0")
        assert told.endswith(" против a)")
