"""Amounts: what a number measures, and when two of them say the same."""

import pytest

from crowquill.memory.amounts import Held, amounts, held
from crowquill.memory.values import shares


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
        ("33.3 %", "0.3333333333", "rounded"),
        ("about 33 %", "0.3333333333", "rounded"),
        ("34 %", "0.3333333333", ""),
        ("20 %", "1 in 5 adults", "same"),
        ("40 %", "four in ten adults", "same"),
        ("60 %", "three fifths of adults", "same"),
        ("67 %", "2/3 of voters", "same"),
        ("20 %", "1 in 6 adults", ""),
        ("two and a half million people", "2.5 million people", "same"),
        ("два с половиной миллиона", "2,5 млн", "same"),
        ("полтора миллиона", "1,5 млн", "same"),
        ("полмиллиона", "900 тыс.", ""),
        ("half a million dollars", "$500,000", "same"),
        ("two dozen", "24", "same"),
        ("a dozen", "24", ""),
        ("5k units", "5,000 units", "same"),
        ("3 x 10⁸ m", "3 x 10⁶ m", ""),
        ("10⁸ litres", "100 million litres", "same"),
        ("212 °F", "100 °C", "same"),
        ("180 °F", "100 °C", ""),
        ("20 degrees", "20 °C", "same"),
        ("20 °C", "minus 20 °C", ""),
        ("−20 °C", "minus 20 °C", "same"),
        ("20 градусов мороза", "−20 °C", "same"),
        ("20 градусов мороза", "20 градусов тепла", ""),
        ("5 mg", "5 µg", "unit"),
        ("5 mg per kg", "5 mg per day", "unit"),
        ("5 mg/kg", "5 mg per kilogram", "same"),
        ("17 000 машин в день", "17,000 cars a day", "same"),
        ("$5", "A$5", "unit"),
        ("5 light years", "5 years", "unit"),
        ("in 1990", "in the 1990s", ""),
        ("in the 1990s", "in 1994", "rounded"),
        ("44 году н. э.", "44 году до н. э.", ""),
        ("44 году н. э.", "44 году", "same"),
        ("300 metres", "less than 300 metres", ""),
        ("300 км", "менее 300 км", ""),
        ("by 50 %", "by up to 50 %", "same"),
        ("runs 112 km/h", "up to 112 km/h", "same"),
        ("from 100 kg", "100–115 kg", "same"),
        ("10 km long", "between 5 and 10 km", ""),
        ("5.97 × 10²⁴ kg", "5.9722×10^24 kg", "rounded"),
        ("5.98 × 10²⁴ kg", "5.9722×10^24 kg", ""),
        ("reaches 50 %", "up to 50 %", "same"),
        ("моложе 25 лет", "under 25 years", "same"),
        ("exactly $300", "more than $300", ""),
        ("300 dollars", "more than 300 dollars", "same"),
        ("nearly 300 km", "over 300 km", ""),
    ],
)
def test_how_an_amount_stands_in_the_evidence(statement: str, evidence: str, expected: Held) -> None:
    assert way(statement, evidence) == [expected]


def test_ranges_share_their_unit_and_scale() -> None:
    assert way("2–3 million", "between 2 and 3 million") == ["same", "same"]
    assert way("between 5 and 10 km", "5 to 10 kilometres") == ["same", "same"]
    assert way("5 to 10 miles", "5 to 10 kilometres") == ["unit", "unit"]


def test_one_end_of_a_range_is_not_the_whole_of_it() -> None:
    assert way("10 km", "between 5 and 10 km") == [""]
    assert way("10 км", "от 5 до 10 км") == [""]
    assert way("up to 10 km", "5–10 km") == ["same"]
    assert way("10 million", "from 5 to 10 million") == ["same"]
    assert way("10 млн", "с 5 до 10 млн") == ["same"]


def test_no_number_is_too_long_or_too_odd_to_be_read() -> None:
    for text in ("7" * 5000, "0." + "7" * 5000, "one in ² people", "10^99999", "0/0", "1 in 0", "٣", "↉", "⅟"):
        assert way(text, text) in ([], ["same"], ["same", "same"])


def test_a_year_is_no_length_of_time_and_a_name_no_number() -> None:
    assert [amount.dimension for amount in amounts("в 1990 году")] == [""]
    assert amounts("The Third Man was shown.") == ()
    assert [amount.noun for amount in amounts("The bridge has 12 arches.")] == ["arch"]
