"""Acceptance of RELIABILITY (a) in a network where every address would answer: A1-A4 and A11, by what is dialed.

The laboratory is `tests.support.fetch_lab`; It dials a private address itself at the end, which must be seen.
"""

import random
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from ssrfguard import DEFAULT_DENIED  # an oracle: another table, of the same registries
from tests.support.fetch_lab import PUBLIC, SPECIAL, SPELLINGS
from tests.support.walled import run_walled

from crowquill.tools.guard import is_public


def lab(*orders: str) -> dict[str, Any]:
    found: dict[str, Any] = run_walled("tests.support.fetch_lab", *orders)
    for case in found.values():
        assert case["private"] == 0
        assert set(case["outcomes"]) <= {"came", "refused", "unreachable", "broken"}
    return found


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return lab("public:1", "special:1", "spellings:1", "rebinding:100", "mixed:50", "fuzz:1000")


def test_public_addresses_come(found: dict[str, Any]) -> None:
    assert found["public"]["outcomes"] == {"came": len(PUBLIC)}
    assert found["public"]["public"] == len(PUBLIC)


def test_208_ways_to_a_special_address_are_refused(found: dict[str, Any]) -> None:
    assert len(set(SPECIAL)) == 52
    assert found["special"]["outcomes"] == {"refused": 208}
    assert found["special"]["public"] == 52  # the public site that redirects


def test_28_spellings_do_not_lead_to_loopback(found: dict[str, Any]) -> None:
    assert len(set(SPELLINGS)) == 28
    assert found["spellings"]["outcomes"] == {"refused": 27, "came": 1}  # 1.1.1.1, with a fragment


def test_rebinding(found: dict[str, Any]) -> None:
    _check_rebinding(found["rebinding"], 100)


@pytest.mark.slow
def test_1000_rebindings() -> None:
    _check_rebinding(lab("rebinding:1000")["rebinding"], 1000)


def _check_rebinding(case: dict[str, Any], count: int) -> None:
    assert case["outcomes"] == {"came": count // 2, "refused": count // 2}
    assert (case["lookups"], case["public"]) == (count, count // 2)


def test_50_mixed_answers_are_refused(found: dict[str, Any]) -> None:
    assert found["mixed"]["outcomes"] == {"refused": 50}
    assert found["mixed"]["public"] == 0


def test_mutated_urls(found: dict[str, Any]) -> None:
    assert sum(found["fuzz"]["outcomes"].values()) == 1000


@pytest.mark.slow
def test_20000_mutated_urls() -> None:
    assert sum(lab("fuzz:20000")["fuzz"]["outcomes"].values()) == 20_000


def test_no_address_is_public_to_us_that_another_guard_refuses() -> None:
    draw = random.Random(1)
    for _ in range(2000):
        for address in (IPv4Address(draw.getrandbits(32)), IPv6Address(draw.getrandbits(125) | 1 << 125)):
            if is_public(str(address)):
                assert not DEFAULT_DENIED.classify(address).blocked, address
