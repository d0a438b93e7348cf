"""Amounts: what a number measures, and when two of them say the same."""

import pytest

from crowquill.memory.amounts import Held, amounts, held, shares


def way(statement: str, evidence: str) -> list[Held]:
    return [held(amount, amounts(evidence), shares(evidence)) for amount in amounts(statement)]


@pytest.mark.parametrize(
    ("statement", "evidence", "expected"),
    [
        ("2,850 km", "2850 kilometres", "same"),
        ("0.31 km", "310 metres", "same"),
        ("24 months", "2 years", "same"),
        ("31 m", "31 метр", "same"),
        ("1,5 млн рублей", "1 500 000 рублей", "same"),
        ("двенадцать мостов", "12 мостов", "same"),
        ("a hundred", "100", "same"),
        ("25 %", "a quarter of all", "same"),
        ("20 %", "one in five", "same"),
        ("20 %", "каждый пятый", "same"),
        ("12.5 %", "0.125", "same"),
        ("12.5 %", "12.46 %", "rounded"),
        ("1.2 million people", "1,234,567 inhabitants", "rounded"),
        ("about 2,900 km", "2,850 km", "rounded"),
        ("около 2 900 км", "2850 km", "rounded"),
        ("nearly 9,000 m", "8,848 m", "rounded"),
        ("more than 2,800 km", "2,850 km", "rounded"),
        ("1,771 miles", "2,850 km", "converted"),
        ("29,029 feet", "8,848 metres", "converted"),
        ("2,900 km", "2,850 km", ""),
        ("about 2,000 km", "2,850 km", ""),
        ("nearly 10,000 m", "8,848 m", ""),
        ("less than 2,800 km", "2,850 km", ""),
        ("fewer than 90,000", "more than 90,000", ""),
        ("more than 1,000 km", "2,850 km", ""),
        ("1.3 million", "1,234,567", ""),
        ("12.6 %", "12.5 %", ""),
        ("12 %", "12 kg", ""),
        ("12 %", "12", ""),
        ("−5 °C", "5 °C", ""),
        ("2,850 miles", "2,850 km", "unit"),
        ("$5 million", "€5 million", "unit"),
        ("33 °F", "33 °C", "unit"),
        ("17,000 cars an hour", "17,000 cars a day", "unit"),
        ("6 месяцев", "6 лет", "unit"),
    ],
)
def test_how_an_amount_stands_in_the_evidence(statement: str, evidence: str, expected: Held) -> None:
    assert way(statement, evidence) == [expected]


def test_ranges_share_their_unit_and_scale() -> None:
    assert way("2–3 million", "between 2 and 3 million") == ["same", "same"]
    assert way("between 5 and 10 km", "5 to 10 kilometres") == ["same", "same"]
    assert way("5 to 10 miles", "5 to 10 kilometres") == ["unit", "unit"]


def test_a_year_is_no_length_of_time_and_a_name_no_number() -> None:
    assert [amount.dimension for amount in amounts("в 1990 году")] == [""]
    assert amounts("The Third Man was shown.") == ()
    assert [amount.noun for amount in amounts("The bridge has 12 arches.")] == ["arch"]
