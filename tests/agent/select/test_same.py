"""Which short answers are the same: values by what they are, words as they stand."""

import pytest

from crowquill.agent.select.same import same_answer

SAME = [
    ("1,620 km", "1620"),
    ("310", "310 metres"),
    ("310 metres", "310 metres deep"),
    ("5", "5 apples"),
    ("5 apples", "5 red apples"),
    ("12 km", "12 kilometres"),
    ("12 km", "12,000 m"),
    ("300 miles", "480 km"),
    ("≈ 3.14", "3.14159"),
    ("3.14", "3.14159"),
    ("1.2 million", "1,234,567"),
    ("about 310 metres", "310 m"),
    ("около 12 км", "12 km"),
    ("≈ 12.5 %", "12.5 percent"),
    ("25 %", "a quarter"),
    ("25 %", "четверть"),
    ("33 %", "одна треть"),
    ("one in five", "20 %"),
    ("0.5", "half"),
    ("$5", "5 dollars"),
    ("USD 5", "$5"),
    ("3", "three"),
    ("30 December 1906", "December 30, 1906"),
    ("1945-05-08", "8 May 1945"),
    ("8 May 1945", "8 мая 1945 года"),
    ("The Danube", "danube"),
    ("Королёв", "Королев"),
    ("yes", "Да"),
    ("Apollo 11", "apollo-11"),
]
DIFFERENT = [
    ("30 December", "30 November"),
    ("30 December 1906", "30 December 1907"),
    ("12 km", "12 miles"),
    ("12 km north", "12 km south"),
    ("$5", "€5"),
    ("£5 million", "$5 million"),
    ("5 apples", "5 oranges"),
    ("50 Cent", "50 Shades of Grey"),
    ("12345678901234", "12345678901235"),
    ("5000", "5001"),
    ("5,000", "4,990"),
    ("12.5 %", "12.5"),
    ("17,000 a day", "17,000 an hour"),
    ("25 %", "a third"),
    ("44 BC", "44 AD"),
    ("-5", "5"),
    ("1.5", "15"),
    ("3/4", "3"),
    ("Half-Life 2", "Half-Moon 2"),
    ("Apollo 11", "Apollo 12"),
    ("Carol Reed", "Carol Read"),
    ("C++", "C"),
    ("€", "$"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_in_other_words(one: str, other: str) -> None:
    assert same_answer(one, other)
    assert same_answer(other, one)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_answers_that_look_alike(one: str, other: str) -> None:
    assert not same_answer(one, other)
    assert not same_answer(other, one)
