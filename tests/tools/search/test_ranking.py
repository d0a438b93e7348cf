"""Pages that a query names, and pages that complement each other."""

from crowquill.tools.search.ranking import Titles, cover

TITLES = Titles(["Collie", "Scotch Collie", "Ed Wood (film)", "Ed Wood", "The", "Vienna"])


def test_a_title_that_stands_in_a_longer_one_is_not_meant() -> None:
    assert TITLES.named("Which ancestors has the Scotch Collie?") == [1]
    assert TITLES.named("Is a collie larger than a Scotch Collie?") == [1, 0]


def test_the_title_that_is_meant_as_it_stands_comes_first() -> None:
    assert TITLES.named("Was Ed Wood born in Vienna?") == [3, 2, 5]
    assert TITLES.named("the") == []


WORDS = {1: {"danube", "length"}, 2: {"danube", "length"}, 3: {"rhine"}, 4: set[str]()}


def covered(wanted: dict[str, float]) -> list[int]:
    return cover({1: 1.0, 2: 0.9, 3: 0.5, 4: 0.4}, wanted, lambda page: frozenset(WORDS[page]))


def test_after_the_best_comes_what_it_lacks() -> None:
    assert covered({"danube": 1.0, "length": 1.0, "rhine": 2.0}) == [1, 3, 2, 4]
    assert covered({"danube": 1.0, "length": 1.0, "rhine": 0.1}) == [1, 2, 3, 4]  # nobody asks about the Rhine
    assert covered({"volga": 1.0}) == [1, 2, 3, 4]
    assert covered({}) == [1, 2, 3, 4]
    assert cover({}, {"volga": 1.0}, lambda page: frozenset()) == []
