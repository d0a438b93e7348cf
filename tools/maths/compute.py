"""The worker's job: from what was typed to what is said about it."""

from collections.abc import Iterator
from datetime import date
from typing import Any, cast

import sympy

from crowquill.errors import ToolRetry
from crowquill.tools.context import Json
from crowquill.tools.maths import units
from crowquill.tools.maths.echo import normal_form
from crowquill.tools.maths.evaluate import Evaluation
from crowquill.tools.maths.nodes import Node
from crowquill.tools.maths.printing import MAX_DIGITS, decimal, latex, written
from crowquill.tools.maths.reading import read
from crowquill.tools.maths.steps import arithmetic_steps, equation_steps
from crowquill.tools.maths.values import Quantity, Solutions, bits

_MAX_BITS = 10_000  # of a number inside an expression


def compute(request: Any) -> Json:
    """Worker job: `{"expression": text, "today": "2026-11-25" or ""}` to what was understood and what it is.

    The keys are expression, exact, decimal, unit, latex, and lists of assumptions, alternatives, notes, steps and
    solutions; plot is `{"svg": …}` or None. Raises ToolRetry.
    """
    try:
        return cast("Json", _computed(str(request["expression"]), str(request.get("today", ""))))
    except NotImplementedError as error:
        raise ToolRetry(f"there is no method for this: {str(error)[:200]}") from None
    except ValueError as error:
        if "integer string conversion" not in str(error):
            raise
        raise ToolRetry("the numbers in the result have too many digits to be written out") from None


def _computed(expression: str, today: str) -> dict[str, Any]:
    node = read(expression)
    evaluation = Evaluation(date.fromisoformat(today) if today else None)
    value = evaluation.result(node)
    remarks = evaluation.remarks
    if value in (sympy.zoo, sympy.nan):
        raise ToolRetry("it has no value: it is not defined there")
    if (
        isinstance(value, sympy.Expr)
        and not value.is_Rational
        and any(bits(n) > _MAX_BITS for n in value.atoms(sympy.Rational))
    ):
        remarks.note("the numbers are too long to be written out")
        value = value.evalf(30)
    exact = written(value)
    if len(exact) > MAX_DIGITS + 100:
        raise ToolRetry(f"the result has more than {MAX_DIGITS} characters")
    solutions = [written(Solutions((entry,))) for entry in value.found] if isinstance(value, Solutions) else []
    return {
        "expression": normal_form(node),
        "exact": exact,
        "decimal": decimal(value, remarks.digits),
        "unit": units.written(value.unit) if isinstance(value, Quantity) else "",
        "latex": latex(value)[:MAX_DIGITS],
        "assumptions": remarks.assumptions,
        "alternatives": remarks.alternatives,
        "notes": remarks.notes,
        "steps": [*remarks.steps, *_steps(node, evaluation)],
        "solutions": solutions,
        "plot": remarks.plot,
    }


def _steps(node: Node, evaluation: Evaluation) -> list[str]:
    return arithmetic_steps(node, evaluation.value) or equation_steps(node, evaluation.value)


_WARM_UP = (
    "1/3 + sqrt(2)",
    "integrate(x^2 * sin(x), (x, 0, 3))",
    "solve(x^2 - 3x + 1 = 0, x)",
    "diff(x^3 * e^x, x)",
    "limit(sin(x)/x, x, 0)",
    "factor(x^2 - 4)",
    "sum(1/n^2, (n, 1, infinity))",
    "series(cos(x), x, 0, 4)",
    "5 miles in km",
    "integrate(1/(1 + x^2), x)",
    "solve([x + y = 3, x - y = 1], [x, y])",
    "simplify(sin(x)^2 + cos(x)^2)",
    "solve x^2 > 4",
    "integrate(e^(-x^2), (x, 0, infinity))",
    "det([[1, 2], [3, 4]])",
)


def warm() -> Iterator[None]:
    """Have SymPy load what it loads at first use, a step at a time, while the zygote has nothing else to do."""
    for text in _WARM_UP:
        compute({"expression": text})
        yield
    sympy.integrate(sympy.exp(-sympy.Symbol("x")), (sympy.Symbol("x"), 0, sympy.oo))
