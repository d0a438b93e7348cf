"""What stands in the evidence, but is said of something else."""

import pytest

from crowquill.agent.answer import DraftClaim
from crowquill.agent.critic.checks import claim_faults
from crowquill.memory.evidence import Evidence, Quote, Source


def quote(title: str, text: str) -> Quote:
    return Quote(text, Source(f"corpus:x/{title}", title, "2026-01-01", "0" * 64, "corpus"), 0, len(text), (1, 1))


EVIDENCE: tuple[Evidence, ...] = (
    quote("Solna Foods", "Solna Foods had sales of €2.5 billion in 2019, and its loss rose to €40 million."),
    quote("Tor Lind", "Tor Lind was born in Bergen, studied in Leipzig from 1888 and settled in Oslo."),
    quote("Tor Lind", "His sister was a painter; the composer himself died in 1931."),
    quote("Elms Park", "The park has 14 ponds and 3 gates; 620 of the 900 trees survived the storm."),
    quote("Vale Motion", "The council passed the Vale motion by 31 votes to 12 in the spring."),
)
RUSSIAN: tuple[Evidence, ...] = (quote("Буран", "Он проработал девять лет, хотя был рассчитан на четыре года."),)


def kinds(text: str, evidence: tuple[Evidence, ...] = EVIDENCE) -> set[str]:
    claim = DraftClaim(text, tuple(range(1, len(evidence) + 1)))
    return {fault.kind for fault in claim_faults(claim, evidence, "Tell me.")}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Solna Foods had a loss of €2.5 billion.", "pairing"),
        ("The loss of Solna Foods was €2.5 billion.", "pairing"),
        ("Tor Lind was born in Leipzig.", "pairing"),
        ("Tor Lind studied in Oslo.", "pairing"),
        ("Tor Lind was a painter.", "pairing"),
        ("His sister studied in Leipzig.", "pairing"),
        ("The park has 3 ponds.", "pairing"),
        ("900 trees survived the storm.", "pairing"),
        ("The council passed the Vale motion by 12 votes to 31.", "order"),
    ],
)
def test_what_is_said_of_something_else(text: str, kind: str) -> None:
    assert kind in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "In 2019, Solna Foods had sales of €2.5 billion.",
        "The loss of Solna Foods rose to 40 million euros.",
        "In 1888 Tor Lind, born in Bergen, studied in Leipzig.",
        "Tor Lind died in 1931.",
        "His sister was a painter.",
        "With its 3 gates, the park has 14 ponds.",
        "Of the 900 trees, 620 survived the storm.",
        "620 of the 900 trees survived.",
        "By 31 votes to 12, the council passed the Vale motion.",
    ],
)
def test_what_is_only_in_other_words(text: str) -> None:
    assert kinds(text) == set()


def test_russian_clauses_do_not_lend_each_other_their_numbers() -> None:
    assert kinds("Буран проработал четыре года.", RUSSIAN) == {"pairing"}
    assert kinds("Буран был рассчитан на девять лет.", RUSSIAN) == {"pairing"}
    assert kinds("Рассчитанный на четыре года, он проработал девять лет.", RUSSIAN) == set()


def test_an_amount_belongs_to_the_year_beside_it() -> None:
    evidence = (quote("Dune", "The fair drew 90,000 visitors in 2018, nearly twice as many as in 2016."),)
    assert kinds("In 2016, 90,000 visitors came to the fair.", evidence) == {"pairing"}
    assert kinds("In 2018, nearly twice as many visitors came as in 2016.", evidence) == set()


def test_a_title_with_a_colon_is_one_name() -> None:
    evidence = (quote("Legend", "Legend: The Music of Jerry Gold is a score by Jerry Gold, released in 1986."),)
    assert kinds("Legend: The Music of Jerry Gold is a score by Jerry Gold.", evidence) == set()
