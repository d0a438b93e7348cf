"""What a person sees of a reply that is being written."""

import pytest

from crowquill.agent.models.streaming import being_written


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Plain words", "Plain words"),
        ('{"quotes": [1, 2], "sentence": "The Danube is', "The Danube is"),
        ('{"sentence": "It is \\"long\\"\\nand', 'It is "long" and'),
        ('{"sentence": "It is long.", "answer": "2,850', "2,850"),
        ('{"sentence": "It is long.", "ans', "It is long."),
        ('```json\n{"thought": "so', "so"),
        ('{"quotes": [', ""),
    ],
)
def test_of_an_object_the_last_string_is_shown(text: str, shown: str) -> None:
    assert being_written(text) == shown
