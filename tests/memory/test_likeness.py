"""What counts as the same, and what as a contradiction."""

import pytest

from crowquill.memory.likeness import differs, gist, subject


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Crows bring gifts.", "crows bring  gifts"),
        ("The “Danube” is long — very long.", 'The "Danube" is long - very long'),
        ("It fell by 1,200 m.", "It fell by 1200 m"),
        ("Вороны приносят подарки.", "вороны приносят подарки"),
    ],
)
def test_typography_and_case_make_no_difference(text: str, other: str) -> None:
    assert gist(text) == gist(other)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("It rose by 12.5 %.", "It rose by 125 %."),
        ("It rose by 5 %.", "It rose by 5."),
        ("Crows bring gifts.", "Crows do not bring gifts."),
        ("He went from Paris to Lyon.", "He went to Paris from Lyon."),
        ("Paris is larger than Lyon.", "Lyon is larger than Paris."),
        ("It was -5 degrees.", "It was 5 degrees."),
    ],
)
def test_what_means_something_else_is_not_the_same(text: str, other: str) -> None:
    assert gist(text) != gist(other)


@pytest.mark.parametrize(
    ("text", "other", "contradicts"),
    [
        ("The Danube is 2,850 kilometres long.", "The Danube has a length of 2,860 kilometres.", True),
        ("The Danube is 2,850 kilometres long.", "The Danube is 2850 kilometres long.", False),
        ("The Danube is 2,850 kilometres long.", "The Rhine is 1,230 kilometres long.", False),
        ("The Danube is 2,850 kilometres long.", "The Danube carries 6,500 tons.", False),
        ("Marie Curie was born in 1867.", "Marie Curie was born in 1868.", True),
        ("Marie Curie was born in 1867.", "Marie Curie died in 1934.", False),
        ("It rose by 5 %.", "It rose by 6 %.", False),  # nobody knows what "it" is
    ],
)
def test_another_value_of_the_same_thing_is_a_contradiction(text: str, other: str, contradicts: bool) -> None:
    alike = subject(text) is not None and subject(text) == subject(other)
    assert (alike and differs(text, other)) is contradicts
