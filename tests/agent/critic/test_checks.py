"""The status of a claim is set by code, from what its receipts hold."""

import pytest

from crowquill.agent.answer import Accept, Draft, DraftClaim, Revise
from crowquill.agent.critic.checks import check, check_claim
from crowquill.agent.critic.reward import reward, verdict
from crowquill.memory.evidence import CellAt, Computation, Evidence, Quote, Source, Table

SOURCE = Source("corpus:pocket/danube.html", "Danube", "2026-01-01", "0" * 64, "corpus")
RHINE = Source("corpus:pocket/rhine.html", "Rhine", "2026-01-01", "1" * 64, "corpus")


def quote(text: str, source: Source = SOURCE, start: int = 0) -> Quote:
    return Quote(text, source, start, start + len(text), (1, 1))


EVIDENCE: tuple[Evidence, ...] = (
    quote("The Danube is 2,850 kilometres long."),
    quote("The Rhine is 1,230 kilometres long.", RHINE),
    Computation("2850 - 1230", "1620", "1620"),
    Table("SELECT name, n FROM t", "shop", ("name", "n"), (("Clara Steinbach", 7), ("Jürgen Weiß", 3)), 2),
    quote("Carol Reed was born in Putney in London on 30 December 1906.", SOURCE, 100),
)


@pytest.mark.parametrize(
    ("text", "cites", "status"),
    [
        ("The Danube is 2,850 kilometres long.", (1,), "quoted"),
        ("The Danube has a length of 2850 kilometres.", (1,), "quoted"),
        ("The Danube is 1620 kilometres longer than the Rhine.", (1, 2, 3), "computed"),
        ("Clara Steinbach placed 7 orders.", (4,), "queried"),
        ("The Danube (2,850 kilometres) and the Rhine (1,230 kilometres) are long.", (1, 2), "derived"),
        ("The Danube is 2,851 kilometres long.", (1,), "unsupported"),
        ("The Danube is 28.5 kilometres long.", (1,), "unsupported"),
        ("The Danube is 1620 kilometres longer than the Rhine.", (1, 2), "unsupported"),
        ("The Volga is 2,850 kilometres long.", (1,), "unsupported"),
        ("The Danube is 2,850 kilometres long.", (), "unsupported"),
        ("The Danube is 2,850 kilometres long.", (99,), "unsupported"),
        ("Carol Reed was born on 30 December 1906.", (5,), "quoted"),
        ("Carol Reed was born on 12 December 1906.", (5,), "unsupported"),
        ("Clara Steinbach placed 8 orders.", (4,), "unsupported"),
    ],
)
def test_statuses(text: str, cites: tuple[int, ...], status: str) -> None:
    claim = check_claim(DraftClaim(text, cites), EVIDENCE, "a question")
    assert claim.status == status, claim.problem
    assert (claim.status == "unsupported") == bool(claim.problem)


def test_names_of_the_question_need_no_receipt_but_numbers_do() -> None:
    claim = DraftClaim("The director of The Third Man was born in London.", (5,))
    assert check_claim(claim, EVIDENCE, "Where was the director of The Third Man born?").status == "derived"
    claim = DraftClaim("It was 4711 metres.", (1,))
    assert check_claim(claim, EVIDENCE, "Was it 4711 metres?").status == "unsupported"


def test_an_invented_citation_is_named() -> None:
    claim = check_claim(DraftClaim("The Danube is 2,850 kilometres long.", (1, 42)), EVIDENCE, "q")
    assert claim.status == "quoted"
    assert claim.problem == "cites [42], which does not exist"


def test_a_table_receipt_names_its_cell() -> None:
    claim = check_claim(DraftClaim("Jürgen Weiß is a customer.", (4,)), EVIDENCE, "q")
    assert claim.support[0].locator == CellAt(1, "name")


def test_the_short_form_needs_a_receipt_too() -> None:
    claims = (DraftClaim("The Danube is 2,850 kilometres long.", (1,)),)
    good = check(Draft("2,850 kilometres", claims), EVIDENCE, "q")
    bad = check(Draft("2,950 kilometres", claims), EVIDENCE, "q")
    assert good.problems == ()
    assert bad.problems == ("no receipt for 2,950 in the short answer",)
    assert reward(good).total > reward(bad).total
    assert verdict(good) == Accept()
    assert isinstance(verdict(bad), Revise)


def test_the_reward_is_the_sum_of_its_parts_and_unsupported_claims_lower_it() -> None:
    good = check(Draft("yes", (DraftClaim("The Danube is 2,850 kilometres long.", (1,)),)), EVIDENCE, "q")
    padded = check(
        Draft(
            "yes",
            (
                DraftClaim("The Danube is 2,850 kilometres long.", (1,)),
                DraftClaim("It is the best river.", ()),
                DraftClaim("It has 99 bridges.", (1,)),
            ),
        ),
        EVIDENCE,
        "q",
    )
    score = reward(good)
    assert score.total == pytest.approx(sum(value for _, value in score.parts))
    assert reward(padded).total < score.total
