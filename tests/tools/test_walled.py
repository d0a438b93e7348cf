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


def lab(case: str, count: int = 1) -> Any:
    found = run_walled("tests.support.fetch_lab", case, str(count))
    assert found["private"] == 0
    assert set(found["outcomes"]) <= {"came", "refused", "unreachable", "broken"}
    return found


def test_public_addresses_come() -> None:
    found = lab("public")
    assert found["outcomes"] == {"came": len(PUBLIC)}
    assert found["public"] == len(PUBLIC)


def test_208_ways_to_a_special_address_are_refused() -> None:
    assert len(set(SPECIAL)) == 52
    found = lab("special")
    assert found["outcomes"] == {"refused": 208}
    assert found["public"] == 52  # the public site that redirects


def test_28_spellings_do_not_lead_to_loopback() -> None:
    assert len(set(SPELLINGS)) == 28
    assert lab("spellings")["outcomes"] == {"refused": 27, "came": 1}  # 1.1.1.1, with a fragment


def test_rebinding() -> None:
    _rebinding(100)


@pytest.mark.slow
def test_1000_rebindings() -> None:
    _rebinding(1000)


def _rebinding(count: int) -> None:
    found = lab("rebinding", count)
    assert found["outcomes"] == {"came": count // 2, "refused": count // 2}
    assert (found["lookups"], found["public"]) == (count, count // 2)


def test_50_mixed_answers_are_refused() -> None:
    found = lab("mixed", 50)
    assert found["outcomes"] == {"refused": 50}
    assert found["public"] == 0


def test_mutated_urls() -> None:
    assert sum(lab("fuzz", 1000)["outcomes"].values()) == 1000


@pytest.mark.slow
def test_20000_mutated_urls() -> None:
    assert sum(lab("fuzz", 20_000)["outcomes"].values()) == 20_000


def test_no_address_is_public_to_us_that_another_guard_refuses() -> None:
    draw = random.Random(1)
    for _ in range(2000):
        for address in (IPv4Address(draw.getrandbits(32)), IPv6Address(draw.getrandbits(125) | 1 << 125)):
            if is_public(str(address)):
                assert not DEFAULT_DENIED.classify(address).blocked, address
