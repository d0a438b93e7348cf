"""Each term of the score by itself, diversity, and packing."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowquill.errors import UserError
from crowquill.memory.packing import pack, tokens
from crowquill.memory.record import trust
from crowquill.memory.scoring import HALF_LIFE_DAYS, Weights, diversify, limit_each, recency

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def test_recency_halves_with_every_half_life() -> None:
    for halves in range(4):
        then = (NOW - timedelta(days=HALF_LIFE_DAYS * halves)).isoformat()
        assert recency(then, NOW) == pytest.approx(0.5**halves)
    assert recency((NOW + timedelta(days=1)).isoformat(), NOW) == 1.0  # a clock that was set back


@given(st.floats(0.001, 0.999), st.integers(0, 10**6), st.integers(0, 10**6))
def test_trust_stays_strictly_inside(prior: float, upheld: int, doubted: int) -> None:
    now = trust(prior, upheld, doubted)
    assert 0.0 < now < 1.0
    assert trust(prior, upheld + 1, doubted) > now > trust(prior, upheld, doubted + 1)


def test_trust_begins_at_the_source_and_moves_with_what_is_found() -> None:
    assert trust(0.5, 0, 0) == 0.5
    assert trust(0.5, 4, 0) == 0.75
    assert trust(0.6, 0, 4) == pytest.approx(0.3)


def test_the_score_is_the_weighted_mean_of_the_terms() -> None:
    parts = {"relevance": 1.0, "recency": 0.5, "importance": 0.0, "trust": 0.2}
    assert Weights(1, 0, 0, 0).score(parts) == 1.0
    assert Weights(0, 1, 0, 0).score(parts) == 0.5
    assert Weights(0, 0, 1, 0).score(parts) == 0.0
    assert Weights(0, 0, 0, 2).score(parts) == pytest.approx(0.2)
    assert Weights(1, 1, 1, 1).score(parts) == pytest.approx(0.425)


def test_weights_are_read_from_text() -> None:
    assert Weights().with_text("recency=0.3, trust=0") == Weights(0.8, 0.3, 0.05, 0.0)
    nothing = "relevance=0,recency=0,importance=0,trust=0"
    for wrong in ("relevance", "luck=1", "trust=-1", "trust=nan", "trust=inf", nothing):
        with pytest.raises(UserError, match="weight"):
            Weights().with_text(wrong)


def test_weights_are_shares_of_all() -> None:
    assert Weights(6, 2, 0, 2).shares == {"relevance": 0.6, "recency": 0.2, "importance": 0.0, "trust": 0.2}


def test_diversity_takes_another_subject_before_a_repetition() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    assert diversify([0.9, 0.8, 0.5], vectors, 3) == [0, 2, 1]
    assert diversify([0.9, 0.8, 0.5], vectors, 2, balance=1.0) == [0, 1]
    assert diversify([], vectors[:0], 2) == []


def test_a_source_contributes_only_so_much() -> None:
    assert limit_each(["a", "a", "b", "", "a", "", ""], 2) == [0, 1, 2, 3, 5, 6]


def test_packing_keeps_to_the_budget_with_the_strongest_at_both_ends() -> None:
    texts = ["x" * 35] * 6
    assert tokens(texts[0]) == 10
    assert pack(texts, 60) == [0, 2, 4, 5, 3, 1]
    assert pack(texts, 35) == [0, 2, 1]
    assert pack(["x" * 70, "x" * 700, "x" * 7], 30) == [0, 2]  # what does not fit makes room for what does
    assert pack(texts, 0) == []
