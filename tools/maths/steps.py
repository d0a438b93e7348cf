"""How a result comes about, step by step, for arithmetic, equations and derivatives."""

from typing import Any

from crowquill.tools.maths.nodes import Node


def steps_of(node: Node, value: Any) -> list[str]:
    """Return the steps, empty where there are none to show."""
    return []
