"""Embedders: unit rows of a known length, zero for nothing."""

import numpy as np
import pytest

from crowquill.memory.embed import Embedder, HashingEmbedder, SentenceEmbedder

SENTENCES = SentenceEmbedder()  # loads its weights once, when first used
TEXTS = [
    "Crows bring gifts.",
    "",
    "A crow brings a gift",
    "The stock market fell.",
    "  ",
    "Ворона приносит подарки.",
]


@pytest.mark.parametrize("embedder", [HashingEmbedder(), HashingEmbedder(64), SENTENCES])
def test_rows_are_unit_or_zero_and_near_means_alike(embedder: Embedder) -> None:
    rows = embedder.embed(TEXTS)
    assert rows.shape == (6, embedder.dimensions)
    assert rows.dtype == np.float32
    lengths = np.linalg.norm(rows, axis=1)
    assert lengths == pytest.approx([1, 0, 1, 1, 0, 1], abs=1e-5)
    assert rows[0] @ rows[2] > rows[0] @ rows[3] + 0.2
    assert embedder.embed([]).shape == (0, embedder.dimensions)
    np.testing.assert_allclose(embedder.embed(TEXTS[3:4])[0], rows[3], atol=1e-4)


def test_sentences_of_two_languages_share_a_space() -> None:
    rows = SENTENCES.embed(TEXTS)
    assert rows[0] @ rows[5] > rows[3] @ rows[5] + 0.2


def test_spaces_are_told_apart_by_name() -> None:
    assert len({HashingEmbedder().name, HashingEmbedder(64).name, SENTENCES.name}) == 3
