"""Measures in quotes: the number that a comparison is about."""

import pytest

from crowquill.agent.measures import measure_words, measures


@pytest.mark.parametrize(
    ("asked", "texts", "expected"),
    [
        ("Which bird is heavier", ["It is 48–52 centimetres long.", "It weighs about 500 grams."], [(0.5, 1)]),
        ("Which bird is heavier", ["Its brain has 15 grams.", "It weighs 1.2 kg."], [(1.2, 1)]),
        ("Which tower is higher", ["It is 144 metres long.", "The spire is 157 metres high."], [(157.0, 1)]),
        ("Which river is longer", ["It runs for 1,233 km.", "It is 766 miles long."], [(1_233_000.0, 0)]),
        ("Which film is longer", ["The film runs 2 hours, a foot of it is 16 frames."], [(7200.0, 0)]),
        ("Which lake is larger", ["It covers 48 square kilometres.", "It is 74 km long."], [(48e6, 0)]),
        ("Which lake is larger", ["It covers 4800 hectares."], [(48e6, 0)]),
        ("Which bird is heavier", ["It has 500 followers and 12 members in 1990."], []),
        ("Which bird is heavier", ["One had 400 g.", "Another had 300 g."], []),  # which of them is its weight?
        ("Which is older", ["It weighs 500 grams."], []),
        ("Which bird is heavier", [], []),
    ],
)
def test_measures(asked: str, texts: list[str], expected: list[tuple[float, int]]) -> None:
    found = measures(asked, texts)
    assert [measure.text for measure in found] == [text for _, text in expected]
    assert [measure.value for measure in found] == pytest.approx([value for value, _ in expected])


def test_words_that_stand_with_a_measure() -> None:
    assert "weight" in measure_words("Which bird is heavier, ?")
    assert measure_words("Which bird is older, ?") == ""


def test_a_line_that_names_the_thing_comes_first() -> None:
    texts = ["The boat race is 6.8 kilometres long.", "The Thames is 346 kilometres long."]
    assert [found.text for found in measures("Which is longer, ?", texts, "Thames")] == [1]
    assert [found.text for found in measures("Which is longer, ?", texts, "River Aske")] == [0]
