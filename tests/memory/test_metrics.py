"""Measures of rankings: textbook examples, and what must hold of any ranking."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowquill.memory.metrics import (
    average_precision_at,
    mean_average_precision_at,
    ndcg_at,
    precision_at,
    recall_at,
)


def test_the_textbook_example_relevant_at_ranks_3_and_4() -> None:
    ranked, relevant = ["a", "b", "c", "d"], {"c", "d"}
    assert average_precision_at(ranked, relevant, 4) == pytest.approx(0.4167, abs=5e-5)
    assert precision_at(ranked, relevant, 4) == 0.5
    assert recall_at(ranked, relevant, 3) == 0.5
    assert ndcg_at(ranked, relevant, 4) == pytest.approx((1 / 2 + 0.430677) / (1 + 0.63093), abs=1e-5)


def test_edges() -> None:
    assert precision_at(["a"], {"a"}, 4) == 0.25  # empty places are not relevant
    assert recall_at([], {"a"}, 4) == 0.0
    assert recall_at(["a"], set(), 4) == 1.0
    assert average_precision_at(["a", "b"], {"c"}, 2) == 0.0
    assert ndcg_at(["a"], set(), 1) == 1.0
    assert mean_average_precision_at([(["a"], {"a"}), (["b", "a"], {"a"})], 2) == 0.75
    assert mean_average_precision_at([], 2) == 0.0


@given(st.permutations(range(8)), st.sets(st.integers(0, 7), min_size=1), st.integers(1, 10))
def test_all_are_shares_and_the_best_ranking_is_1(ranked: list[int], relevant: set[int], k: int) -> None:
    for measure in (precision_at, recall_at, average_precision_at, ndcg_at):
        assert 0.0 <= measure(ranked, relevant, k) <= 1.0
    ideal = sorted(ranked, key=lambda item: item not in relevant)
    assert ndcg_at(ideal, relevant, k) == pytest.approx(1.0)
    assert average_precision_at(ideal, relevant, k) == 1.0
    assert recall_at(ranked, relevant, 8) == 1.0
