"""Which texts go into a prompt of limited size, and in which order."""

from collections.abc import Sequence

CHARACTERS_PER_TOKEN = 3.5
"""Rough size of a token; no tokenizer is the right one for all models."""


def tokens(text: str) -> int:
    """Return roughly how many tokens a text has."""
    return -(-len(text) * 10 // int(CHARACTERS_PER_TOKEN * 10))


def pack(texts: Sequence[str], budget: int) -> list[int]:
    """Return the positions of the texts (best first) that fit into `budget` tokens, in the order to show them.

    One that does not fit is passed over for a shorter one. The strongest stand at both ends, where models read best
    (Liu et al., "Lost in the Middle", TACL 2024): first, third, fifth … then … sixth, fourth, second.
    """
    chosen, left = list[int](), budget
    for at, text in enumerate(texts):
        if (size := tokens(text)) <= left:
            chosen.append(at)
            left -= size
    return chosen[0::2] + chosen[1::2][::-1]
