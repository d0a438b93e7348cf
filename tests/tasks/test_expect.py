"""`expect:` against published answers."""

from typing import Any

import pytest

from crowquill.tasks.expect import _CHECKS, check, failures
from crowquill.tasks.expect_spec import ExpectSpec, NumberSpec

ANSWER: dict[str, Any] = {
    "text": "The Danube is 2,850 kilometres long. [1]",
    "short": "2,850 km.",
    "claims": [{"text": "The Danube is 2,850 kilometres long.", "status": "quoted"}],
    "evidence": [{"kind": "quote"}],
    "sources": [{"url": "corpus:pocket/danube.html"}, {"url": "https://Example.org/rivers"}],
    "stopped": "answered",
    "reward": {"total": 4.5},
    "grades": [{"criterion": "answered", "value": 0.5}, {"criterion": "coherent", "value": 0.1}],
    "output": {"data": {"rivers": [{"name": "Danube", "km": 2850}], "more": 1}},
    "spent": {"steps": 4, "tools": {"search": 1, "math": 2}, "tokens": 900, "usd": None, "seconds": 2.5},
}
TABLE = {"kind": "table", "rows": [["Vienna", 3], ["Graz", 1.0], [None, 2]]}


def test_everything_that_holds_passes() -> None:
    expect = ExpectSpec(
        short=["2850", "2,850 KM"],
        contains=["danube"],
        regex=r"\[1\]",
        number=NumberSpec(value=2850),
        min_quotes=1,
        supported=True,
        stopped="answered",
        lacks=["Rhine"],
        data={"rivers": [{"name": "danube", "km": "2,850"}]},
        min_sources=2,
        cited_hosts=["pocket", "example.org"],
        tools=["math"],
        not_tools=["sql"],
        max_steps=4,
        max_tokens=900,
        max_seconds=2.5,
        min_reward=4.5,
        judge=0.3,
    )
    assert failures(expect, ANSWER) == []


@pytest.mark.parametrize(
    "expect",
    [
        ExpectSpec(short="2,851 km"),
        ExpectSpec(contains=["Rhine"]),
        ExpectSpec(regex="^Rhine"),
        ExpectSpec(number=NumberSpec(value=2851, tolerance=0.5)),
        ExpectSpec(min_quotes=2),
        ExpectSpec(stopped="not_found"),
        ExpectSpec(not_found=True),
        ExpectSpec(lacks=["danube"]),
        ExpectSpec(rows=[["Vienna", 3]]),
        ExpectSpec(data={"rivers": []}),
        ExpectSpec(data={"rivers": [{"name": "Rhine"}]}),
        ExpectSpec(data={"other": 1}),
        ExpectSpec(min_sources=3),
        ExpectSpec(cited_hosts=["example.com"]),
        ExpectSpec(tools=["sql"]),
        ExpectSpec(not_tools=["math"]),
        ExpectSpec(max_steps=3),
        ExpectSpec(max_tokens=899),
        ExpectSpec(max_usd=1.0),
        ExpectSpec(max_seconds=2.4),
        ExpectSpec(min_reward=4.6),
        ExpectSpec(judge=0.31),
    ],
)
def test_each_expectation_can_fail(expect: ExpectSpec) -> None:
    assert len(failures(expect, ANSWER)) == 1


def test_an_unsupported_claim_fails_supported() -> None:
    answer = {**ANSWER, "claims": [{"text": "It is blue.", "status": "unsupported"}]}
    assert failures(ExpectSpec(supported=True), answer) == ["no receipt: It is blue."]


def test_rows_are_compared_in_any_order() -> None:
    answer = {**ANSWER, "evidence": [TABLE]}
    assert failures(ExpectSpec(rows=[["graz", 1], [None, 2], ["Vienna", "3"]]), answer) == []
    [why] = failures(ExpectSpec(rows=[["Graz", 1], [None, 2], ["Wien", 3]]), answer)
    assert why == "the rows differ: 1 (wien | 3) missing, 1 (vienna | 3) not expected"
    assert failures(
        ExpectSpec(rows=[["Graz", 1], ["Graz", 1], [None, 2]]), answer
    )  # each row as often as it stands


def test_every_criterion_has_a_check_and_is_told_by_its_name() -> None:
    assert set(_CHECKS) == set(ExpectSpec.model_fields)
    found = check(ExpectSpec(min_quotes=1, short="x"), ANSWER)
    assert [(result.criterion, result.held) for result in found] == [("short", False), ("min_quotes", True)]


def test_an_answer_that_nobody_has_judged_fails_what_the_judge_has_to_think() -> None:
    assert "no model has judged" in failures(ExpectSpec(judge=-1), {**ANSWER, "grades": []})[0]


def test_a_regular_expression_that_would_search_for_ever_is_told() -> None:
    answer = {**ANSWER, "text": "a" * 60 + "b"}
    [why] = failures(ExpectSpec(regex=r"^(a|a)+$"), answer)
    assert "searched for more than 1 s" in why
