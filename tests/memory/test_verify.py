"""Quotes are found when they stand on the page, and only then."""

import random
import unicodedata
from collections.abc import Callable

import pytest

from crowquill.memory.verify import (
    locate,
    missing_dates,
    missing_names,
    missing_numbers,
    word_coverage,
)

NOUNS = ["rainfall", "output", "revenue", "crow population", "budget", "turbine", "harvest", "vaccine"]
PLACES = ["Oslo", "Kraków", "Zürich", "Lima", "Cairo", "Perth", "Tver", "Lyon", "Bergen", "Quito"]
UNITS = ["%", "km", "kg", "million", "GWh"]


def make_page(random_: random.Random) -> list[str]:
    """Return sentences with figures, names, units, negations and typography in them."""
    made = []
    for _ in range(30):
        number = f"{random_.randint(1, 999)}.{random_.randint(1, 9)}"
        made.append(
            f"The “{random_.choice(NOUNS)}” of {random_.choice(PLACES)} – it’s official – did not exceed "
            f"{number} {random_.choice(UNITS)} in {random_.randint(1900, 2024)}, said O’Brien of "
            f"{random_.choice(PLACES)} in {random_.randint(2, 400)} pages about the {random_.choice(NOUNS)}."
        )
    return made


def digit(text: str, random_: random.Random, page: str) -> str:
    places = [at for at, character in enumerate(text) if character.isdigit()]
    at = random_.choice(places)
    return text[:at] + str((int(text[at]) + random_.randint(1, 9)) % 10) + text[at + 1 :]


def dropped_digit(text: str, random_: random.Random, page: str) -> str:
    return text[: text.index(".") + 1].rstrip(".")


def negation(text: str, random_: random.Random, page: str) -> str:
    return text.replace("did not exceed", "did exceed")


def unit(text: str, random_: random.Random, page: str) -> str:
    present = next(unit for unit in UNITS if f" {unit} in" in text)
    return text.replace(f" {present} in", f" {random_.choice([u for u in UNITS if u != present])} in", 1)


def name(text: str, random_: random.Random, page: str) -> str:
    return text.replace("O’Brien", "O’Neill")


def case(text: str, random_: random.Random, page: str) -> str:
    return text.replace("O’Brien", "o’brien")


def splice(text: str, random_: random.Random, page: str) -> str:
    words = text.split()
    cut = random_.randint(2, len(words) - 3)
    return " ".join(words[: cut - 1] + words[cut:])


def ellipsis(text: str, random_: random.Random, page: str) -> str:
    return text[:20] + random_.choice([" … ", " ... ", "…"]) + text[-20:]


def homoglyph(text: str, random_: random.Random, page: str) -> str:
    return text.replace("a", "а", 1)  # a Cyrillic letter


def added(text: str, random_: random.Random, page: str) -> str:
    return text.rstrip(".") + " and everywhere else."


TAMPERS: list[Callable[[str, random.Random, str], str]] = [
    digit, dropped_digit, negation, unit, name, case, splice, ellipsis, homoglyph, added,
]  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERS)
def test_no_tampered_quote_is_accepted(tamper: Callable[[str, random.Random, str], str]) -> None:
    random_ = random.Random(7)
    for _ in range(4):
        lines = make_page(random_)
        page = "\n".join(lines)
        for line in lines[:20]:
            quote = tamper(line, random_, page)
            assert quote != line
            assert locate(quote, page) is None, quote


NOISES: list[Callable[[str], str]] = [
    lambda text: text.replace("“", '"').replace("”", '"').replace("’", "'"),
    lambda text: text.replace("–", "-"),
    lambda text: text.replace("–", "—").replace("’", "ʼ"),
    lambda text: text.replace(" ", "\u00a0"),
    lambda text: text.replace(" ", "  \n"),
    lambda text: text.replace("it", "i\u200bt").replace("said", "sa\u00adid"),
    lambda text: unicodedata.normalize("NFD", text),
    lambda text: text.replace("official", "oﬃcial"),
    lambda text: "  " + text + "\n",
]


def test_typographic_noise_is_folded_on_either_side() -> None:
    random_ = random.Random(11)
    for _ in range(4):
        lines = make_page(random_)
        page = "\n".join(lines)
        for number, line in enumerate(lines):
            noise = NOISES[number % len(NOISES)]
            found = locate(noise(line), page)
            assert found is not None
            assert page[found.start : found.end] == line
            noisy = "\n".join(noise(each) for each in lines)
            back = locate(line, noisy)
            assert back is not None
            assert noisy[back.start : back.end] == noise(line).strip()


def test_status_tells_exact_from_normalised() -> None:
    page = "He said: “The crow — a corvid — is clever.”"
    exact, folded = locate("a corvid — is", page), locate("a corvid - is", page)
    assert exact is not None
    assert exact.status == "exact"
    assert folded is not None
    assert folded.status == "normalised"
    assert (folded.start, folded.end) == (exact.start, exact.end)


@pytest.mark.parametrize(
    ("quote", "page"),
    [
        ("grew by 12", "It grew by 125 % last year."),
        ("grew by 12", "It grew by 12% last year."),
        ("grew by 12", "It grew by 12.5 last year."),
        ("5 degrees below", "It was -5 degrees below."),
        ("500 people came", "Some 2,500 people came."),
        ("happy with it", "They were unhappy with it."),
        ("a height of 10", "It has a height of 10² m."),
        ("102 metres", "It has 10² metres."),
        ("at the cafe", "We met at the cafe\u0301 once."),
        ("the nish line", "the ﬁnish line"),
        ("crow", "A crow sat."),
        ("", "A crow sat."),
        ("…", "A crow sat…"),
    ],
)
def test_what_cuts_a_word_or_number_or_is_too_short_is_refused(quote: str, page: str) -> None:
    assert locate(quote, page) is None


def test_a_later_whole_place_is_found_after_a_cut_one() -> None:
    page = "It grew by 125 and then it grew by 12 again."
    found = locate("grew by 12", page)
    assert found is not None
    assert found.start == page.rindex("grew")


@pytest.mark.parametrize(
    ("statement", "texts", "missing"),
    [
        ("It has 2,850 rooms.", ["There are 2850 rooms."], []),
        ("It has 2,850 rooms.", ["There are 2,580 rooms."], ["2,850"]),
        ("It rose 12.5 %.", ["It rose 12.5 percent."], []),
        ("It rose 12.5 %.", ["share | 0.125"], []),
        ("It rose 12.5 %.", ["It rose by 12.5 kg."], ["12.5 %"]),
        ("It rose to 12.5 kg.", ["It rose 12.5 %."], ["12.5"]),
        ("He won five times in 1990.", ["In 1990 he won 5 times."], []),
        ("One of them won.", ["They won."], []),
        ("He made The Third Man.", ["The Third Man is a film of his."], []),
        ("Five crows died.", ["There were 5 crows."], []),
        ("Five crows died.", ["There were 6 crows."], ["Five"]),
        ("It was 1.2 million.", ["1,200,000 people"], []),
        ("It was 5 May 2020.", ["2020-05-05"], []),
        ("It was -5.", ["It was 5."], ["-5"]),
        ("Он весит 2,5 кг.", ["It weighs 2.5 kg."], []),
    ],
)
def test_missing_numbers(statement: str, texts: list[str], missing: list[str]) -> None:
    assert missing_numbers(statement, texts) == missing


def test_missing_dates() -> None:
    assert missing_dates("It was on 5 May 2020.", ["born March 5, 2020", "in May 2020"]) == ["5 May 2020"]
    assert missing_dates("It was in May 2020.", ["2020-05-17"]) == []
    assert missing_dates("Это было 5 мая 2020 года.", ["May 5, 2020"]) == []


@pytest.mark.parametrize(
    ("statement", "text", "missing"),
    [
        ("5 May 2020", "on 5–7 May 2020", []),
        ("5 May 2020", "from 5 to 7 May 2020", []),
        ("May 5, 2020", "on May 5–7, 2020", []),
        ("May 7, 2020", "on May 5–7, 2020", []),
        ("28 May 2020", "from 28 May to 3 June 2020", []),
        ("28 December 2019", "28 December to 3 January 2020", []),
        ("5 мая 2020 года", "с 5 по 7 мая 2020 года", []),
        ("8 May 2020", "on 5–7 May 2020", ["8 May 2020"]),
        ("05/06/2020", "06/05/2020", ["05/06/2020"]),
        ("05/06/2020", "5 June 2020", []),
        ("5 June 2020", "05/06/2020", []),
        ("7 June 2020", "05/06/2020", ["7 June 2020"]),
    ],
)
def test_ranges_of_dates_and_dates_with_slashes(statement: str, text: str, missing: list[str]) -> None:
    assert missing_dates(statement, [text]) == missing


@pytest.mark.parametrize(
    ("statement", "texts", "missing"),
    [
        ("John Smith won.", ["Smith, John, won."], []),
        (
            "John Smith won.",
            ["John Brown beat Adam Jones and later on another day old Smith."],
            ["John Smith"],
        ),
        ("The prize went to Marie Curie.", ["Pierre Curie got it.", "Marie was there."], ["Marie Curie"]),
        ("Einstein was born there.", ["Newton was born there."], ["Einstein"]),
        ("Five crows died.", ["There were 5 crows."], []),
        ("Workers struck.", ["There was a strike."], []),
        ("The U.S. won.", ["the US team"], []),
        ("Пушкин жил в Москве.", ["Дом Пушкина, Москва."], []),
        ("Tolkien's book", ["It is by J. R. R. Tolkien."], []),
    ],
)
def test_missing_names(statement: str, texts: list[str], missing: list[str]) -> None:
    assert missing_names(statement, texts) == missing


def test_word_coverage() -> None:
    assert word_coverage("The crows gathered", "a crow gathers") == 1.0
    assert word_coverage("crows ate bread", "a crow sat") == pytest.approx(1 / 3)
    assert word_coverage("it is", "nothing") == 1.0
