"""A tool can be made to say anything; such a result is no receipt."""

import pytest

from crowquill.agent.answer import Draft, DraftClaim
from crowquill.agent.critic.checks import check, check_claim, unfounded_numbers
from crowquill.memory.evidence import Cell, Computation, Evidence, Quote, Source, Table


def quote(text: str) -> Quote:
    return Quote(text, Source("corpus:x/p", "", "2026-01-01", "0" * 64, "corpus"), 0, len(text), (1, 1))


def computed(expression: str, value: str) -> Computation:
    return Computation(expression, value, value)


def table(sql: str, *rows: tuple[Cell, ...]) -> Table:
    return Table(sql, "shop", tuple(f"c{at}" for at in range(len(rows[0]))), rows, len(rows))


def status(text: str, *evidence: Evidence, objective: str = "Tell me.") -> tuple[str, str]:
    claim = check_claim(DraftClaim(text, tuple(range(1, len(evidence) + 1))), evidence, objective)
    return claim.status, claim.problem


def test_a_number_of_nowhere_is_no_calculation() -> None:
    assert status(
        "Mount Everest is 8849 m high.", computed("8849", "8849"), objective="How high is Mount Everest?"
    ) == (
        "unsupported",
        "no receipt for 8849 in the calculation",
    )
    twice = (computed("8849", "8849"), computed("8849 * 1", "8849"))
    assert status("It is 8849 m high.", *twice)[0] == "unsupported"


def test_numbers_of_the_question_of_quotes_and_of_founded_results_are() -> None:
    assert status("17% of 2340 is 397.8.", computed("0.17 * 2340", "397.8"), objective="What is 0.17 * 2340?")[
        0
    ] == ("computed")
    quotes = (quote("The Danube is 2850 km long."), quote("The Rhine is 1230 km long."))
    longer = (*quotes, computed("2850 - 1230", "1620"), computed("1620 / 2", "810"))
    assert status("The Danube is 1620 km longer than the Rhine, half of which is 810.", *longer)[0] == "computed"


def test_a_truth_value_certifies_nothing() -> None:
    assert status("Mont Blanc is higher than Elbrus.", computed("3 > 2", "true"))[0] == "unsupported"


@pytest.mark.parametrize(
    ("sql", "row"),
    [
        ("SELECT 'Canberra' AS capital", ("Canberra",)),
        ("SELECT 'Canberra' AS capital FROM customers LIMIT 1", ("Canberra",)),
        ("SELECT c FROM (SELECT 'Canberra' AS c)", ("Canberra",)),
    ],
)
def test_what_a_query_says_itself_is_no_cell(sql: str, row: tuple[Cell, ...]) -> None:
    assert status("The capital of Australia is Canberra.", table(sql, row))[0] == "unsupported"


def test_numbers_that_a_query_selects_are_its_own_but_those_of_its_conditions_are_not() -> None:
    assert status("There are 8849 orders.", table("SELECT 8849 AS orders FROM orders", (8849,)))[0] == "unsupported"
    three = table("SELECT count(*) AS orders FROM orders WHERE month = 3", (3,))
    assert status("There are 3 orders.", three)[0] == "queried"


def test_a_cell_must_stand_in_the_claim_as_a_word_and_the_claim_be_about_the_query() -> None:
    assert status("He lives in Hannover.", table("SELECT name FROM people", ("Ann",)))[0] == "unsupported"
    letter = table("SELECT grade FROM marks", ("a",))
    assert status("The warehouse was closed because of a flooding.", letter)[0] == "unsupported"
    endless = table("SELECT total FROM orders", (float("inf"),))
    assert status("The warehouse was closed.", endless)[0] == "unsupported"


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("The bridge was not closed in 1890.", "The bridge was closed in 1890."),
        ("Mont Blanc is higher than Elbrus.", "Elbrus is higher than Mont Blanc."),
    ],
)
def test_the_opposite_of_a_quote_is_not_quoted(text: str, span: str) -> None:
    assert status(span, quote(span))[0] == "quoted"
    assert status(text, quote(span))[0] != "quoted"


@pytest.mark.parametrize(("short", "fine"), [("iron", True), ("wooden", False), ("Iron.", True)])
def test_the_short_answer_must_stand_in_a_receipt(short: str, fine: bool) -> None:
    evidence = (quote("The bridge is made of iron."),)
    draft = Draft(short, (DraftClaim("The bridge is made of iron.", (1,)),))
    assert (not check(draft, evidence, "What is the bridge made of?").problems) is fine


@pytest.mark.parametrize(
    ("expression", "founded"),
    [
        ("200 * 0.4", True),
        ("200 * 40/100", True),
        ("200 * 0.6", True),
        ("200 * 1.4", True),
        ("200 / 2", True),
        ("200 * 0.5", True),
        ("200 * 0.41", False),
        ("200 * 2.4", False),
        ("200 * 0.25", False),
        ("8849 * 0.4", False),
    ],
)
def test_a_share_of_the_question_may_be_written_in_other_ways(expression: str, founded: bool) -> None:
    asked = "Of 200 pens 40% are sold and half of the rest is given away. How many are left?"
    assert (unfounded_numbers(expression, [asked]) == []) is founded
