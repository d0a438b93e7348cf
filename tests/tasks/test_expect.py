"""`expect:` against published answers."""

from typing import Any

import pytest

from crowquill.tasks.expect import failures
from crowquill.tasks.spec import ExpectSpec, NumberSpec

ANSWER: dict[str, Any] = {
    "text": "The Danube is 2,850 kilometres long. [1]",
    "short": "2,850 km.",
    "claims": [{"text": "The Danube is 2,850 kilometres long.", "status": "quoted"}],
    "evidence": [{"kind": "quote"}],
    "stopped": "answered",
}


def test_everything_that_holds_passes() -> None:
    expect = ExpectSpec(
        short=["2850", "2,850 KM"],
        contains=["danube"],
        regex=r"\[1\]",
        number=NumberSpec(value=2850),
        min_quotes=1,
        supported=True,
        stopped="answered",
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
    ],
)
def test_each_expectation_can_fail(expect: ExpectSpec) -> None:
    assert len(failures(expect, ANSWER)) == 1


def test_an_unsupported_claim_fails_supported() -> None:
    answer = {**ANSWER, "claims": [{"text": "It is blue.", "status": "unsupported"}]}
    assert failures(ExpectSpec(supported=True), answer) == ["no receipt: It is blue."]
