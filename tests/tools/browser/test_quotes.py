"""Quotes of the pocket web: none that was tampered with is accepted; true ones are, whatever their typography."""

import random
import re
import unicodedata
from collections.abc import Callable
from functools import cache

import pytest

from crowquill.errors import ToolRetry
from crowquill.memory.snapshot import Snapshot
from crowquill.memory.textual import fold
from crowquill.tools.browser.page import render_file
from crowquill.tools.browser.quoting import Rejected, quote_text
from crowquill.tools.browser.view import window
from crowquill.tools.search.pocket import POCKET

UNITS = {"km": "miles", "kilometres": "miles", "metres": "feet", "grams": "ounces", "years": "months", "%": "‰"}
VERBS = re.compile(r"\b(is|was|are|were|has|have|can|could|will|были|был|является)\b")
ALIKE = dict(zip("aceopxyACEOPXyасеорху", "асеорхуАСЕОРХуaceopxy", strict=False))
NAMES = ["Kowalski", "Petrov", "Lyon", "Ottawa", "Mitchell", "Vistula"]


@cache
def pages() -> tuple[Snapshot, ...]:
    """The shipped pages, rendered."""
    return tuple(render_file(file, f"corpus:pocket/{file.name}") for file in sorted(POCKET.glob("web/*.html")))


def digit(line: str, draw: random.Random, page: Snapshot) -> str:
    at = draw.choice([match.start() for match in re.finditer(r"\d", line)])
    return line[:at] + str((int(line[at]) + draw.randint(1, 9)) % 10) + line[at + 1 :]


def negation(line: str, draw: random.Random, page: Snapshot) -> str:
    if re.search(r" (?:not|never|не) ", line):
        return re.sub(r" (?:not|never|не) ", " ", line, count=1)
    verb = draw.choice(list(VERBS.finditer(line)))
    return f"{line[: verb.end()]} not{line[verb.end() :]}"


def unit(line: str, draw: random.Random, page: Snapshot) -> str:
    found = draw.choice([word for word in UNITS if re.search(rf"{word}(?!\w)", line)])
    return re.sub(rf"{found}(?!\w)", UNITS[found], line, count=1)


def name(line: str, draw: random.Random, page: Snapshot) -> str:
    found = draw.choice(re.findall(r"(?<=\s)[A-ZА-Я][a-zа-я]{2,}", line))
    return line.replace(found, draw.choice([other for other in NAMES if other != found]), 1)


def ellipsis(line: str, draw: random.Random, page: Snapshot) -> str:
    words = line.split()
    first = draw.randint(2, len(words) - 3)
    mark = draw.choice(["…", "...", "[…]", "[...]", ". . ."])
    return " ".join([*words[:first], mark, *words[first + 1 :]])


def homoglyph(line: str, draw: random.Random, page: Snapshot) -> str:
    at = draw.choice([at for at, character in enumerate(line) if character in ALIKE])
    return line[:at] + ALIKE[line[at]] + line[at + 1 :]


def splice(line: str, draw: random.Random, page: Snapshot) -> str:
    other = page.line_text(draw.randint(1, len(page.lines))).split()
    words = line.split()
    return " ".join([*words[: len(words) // 2], *other[len(other) // 2 :]])


Tamper = Callable[[str, random.Random, Snapshot], str]
TAMPERS: list[Tamper] = [digit, negation, unit, name, ellipsis, homoglyph, splice]


def tampered(draw: random.Random, tamper: Tamper) -> tuple[Snapshot, str]:
    """Return a page and a line of it that was changed so that it does not stand there any more."""
    while True:
        page = draw.choice(pages())
        line = page.line_text(draw.randint(1, len(page.lines)))
        if len(line.split()) < 6:
            continue
        try:
            changed = tamper(line, draw, page)
        except (IndexError, ValueError):
            continue  # nothing in this line can be changed so
        if fold(changed) not in fold(page.text):
            return page, changed


def accepted(page: Snapshot, text: str) -> str | None:
    """Return what would be kept as the quote, None when it is rejected."""
    try:
        found = quote_text(page, text)
    except ToolRetry:
        return None
    if isinstance(found, Rejected):
        assert 1 <= found.lines[0] <= found.lines[1] <= len(page.lines)
        return None
    quote = found[0]
    assert quote.text == page.text[quote.start : quote.end]
    first, last = quote.lines
    assert page.lines[first - 1].start <= quote.start < quote.end <= page.lines[last - 1].end
    return quote.text


def count_accepted_tampered(count: int) -> int:
    draw = random.Random(4)
    made = [tampered(draw, TAMPERS[number % len(TAMPERS)]) for number in range(count)]
    return sum(accepted(page, text) is not None for page, text in made)


def soft_hyphens(text: str) -> str:
    return re.sub(r"(\w{3})(?=\w{3})", "\\1\u00ad", text)


NOISES: list[Callable[[str], str]] = [
    lambda text: re.sub("[“”„«»]", '"', re.sub("[’‘]", "'", text)),
    lambda text: text.replace('"', "”").replace("'", "’"),
    lambda text: re.sub("[-–—]", "—", text),
    lambda text: re.sub("[-–—]", "-", text),
    lambda text: text.replace(" ", "\u00a0"),
    lambda text: text.replace(" ", " \n  "),
    lambda text: text.replace("e", "e\u200b"),
    lambda text: unicodedata.normalize("NFD", text),
    lambda text: text.replace("fi", "ﬁ").replace("fl", "ﬂ").replace("ff", "ﬀ"),
    lambda text: re.sub("[a-z]", lambda match: chr(ord(match[0]) + 0xFEE0), text),
    soft_hyphens,
    lambda text: f"  \t{text}\u2009\r\n",
]


def count_accepted_true(count: int) -> int:
    """Count true spans, of words of one or more lines, that are accepted in their typography at the exact place."""
    draw = random.Random(5)
    good = 0
    for number in range(count):
        page = draw.choice(pages())
        first = draw.randint(1, len(page.lines))
        last = min(first + draw.randint(0, 2), len(page.lines))
        words = list(re.finditer(r"\S+", page.text[page.lines[first - 1].start : page.lines[last - 1].end]))
        begin = draw.randint(0, max(0, len(words) - 3))
        end = draw.randint(min(begin + 2, len(words) - 1), len(words) - 1)
        start = page.lines[first - 1].start
        true = page.text[start + words[begin].start() : start + words[end].end()]
        if len(true) < 8 and len(true.split()) < 2:
            good += 1  # too little to be evidence, by design
            continue
        found = accepted(page, NOISES[number % len(NOISES)](true))
        good += found is not None and found.strip() == true.strip()
    return good


def test_tampered_quotes_are_rejected() -> None:
    assert count_accepted_tampered(140) == 0


def test_true_quotes_are_accepted_in_any_typography() -> None:
    assert count_accepted_true(120) >= 119


@pytest.mark.slow
def test_of_a_thousand_tampered_quotes_none_is_accepted() -> None:
    assert count_accepted_tampered(1000) == 0


@pytest.mark.slow
def test_of_a_thousand_true_quotes_at_least_995_are_accepted() -> None:
    assert count_accepted_true(1000) >= 995


def test_lines_copied_from_the_view_are_found() -> None:
    for page in pages():
        end = min(len(page.lines), 12)
        rows = window(page, 1, end, {link.url for link in page.links[::2]}).split("\n")[1:]
        for number, row in enumerate(rows, 1):
            line = page.line_text(number)
            if len(line.split()) > 1:
                found = accepted(page, row)
                assert found is not None, row
                assert fold(found) == fold(line)
