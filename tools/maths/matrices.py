"""Vectors and matrices, which come as lists of lists."""

from collections.abc import Callable

import sympy
from sympy import Expr, Matrix

from crowquill.errors import ToolRetry
from crowquill.tools.maths.values import MAX_CELLS

_MAX_EXACT = 12  # rows up to which inverses and eigenvalues are exact


def matrix(value: object) -> Matrix:
    """Make a matrix of a list of rows; a list of numbers is a column. Raises ToolRetry when it is ragged."""
    if isinstance(value, sympy.MatrixBase):
        return Matrix(value)
    if not isinstance(value, tuple) or not value:
        raise ToolRetry("write a matrix as a list of rows, as in [[1, 2], [3, 4]]")
    rows = [row if isinstance(row, tuple) else (row,) for row in value]
    if len({len(row) for row in rows}) != 1 or not all(isinstance(cell, Expr) for row in rows for cell in row):
        raise ToolRetry("the rows of a matrix need the same number of values")
    if len(rows) * len(rows[0]) > MAX_CELLS:
        raise ToolRetry(f"a matrix may have at most {MAX_CELLS} cells")
    return Matrix([list(row) for row in rows])


def as_list(value: Matrix) -> tuple[object, ...]:
    """Return the rows of a matrix; a column becomes a list of numbers."""
    if value.cols == 1:
        return tuple(value)
    return tuple(tuple(value.row(row)) for row in range(value.rows))


def _square(value: object) -> Matrix:
    made = matrix(value)
    if made.rows != made.cols:
        raise ToolRetry("that needs a square matrix")
    if made.rows > _MAX_EXACT:
        raise ToolRetry(f"matrices up to {_MAX_EXACT} rows are computed exactly")
    return made


def _inverse(value: object) -> object:
    made = _square(value)
    if made.det() == 0:
        raise ToolRetry("the matrix has no inverse: its determinant is zero")
    return as_list(made.inv())


def _eigenvalues(value: object) -> tuple[Expr, ...]:
    found = _square(value).eigenvals()
    return tuple(
        root
        for root, count in sorted(found.items(), key=lambda item: sympy.default_sort_key(item[0]))
        for _ in range(count)
    )


def _eigenvectors(value: object) -> tuple[object, ...]:
    return tuple((root, as_list(vector)) for root, _, vectors in _square(value).eigenvects() for vector in vectors)


def _pair(one: object, two: object) -> tuple[Matrix, Matrix]:
    left, right = matrix(one), matrix(two)
    if left.shape != right.shape:
        raise ToolRetry("the two vectors need the same length")
    return left, right


def _dot(one: object, two: object) -> Expr:
    left, right = _pair(one, two)
    return left.dot(right)


def _cross(one: object, two: object) -> object:
    left, right = _pair(one, two)
    if left.shape != (3, 1):
        raise ToolRetry("a cross product needs two vectors of three numbers")
    return as_list(left.cross(right))


MATRICES: dict[str, Callable[..., object]] = {
    "cross": _cross,
    "det": lambda value: _square(value).det(),
    "dot": _dot,
    "eigenvalues": _eigenvalues,
    "eigenvectors": _eigenvectors,
    "inv": _inverse,
    "matrix": lambda value: as_list(matrix(value)),
    "norm": lambda value: matrix(value).norm(),
    "rank": lambda value: sympy.Integer(matrix(value).rank()),
    "rref": lambda value: as_list(matrix(value).rref()[0]),
    "nullspace": lambda value: tuple(as_list(vector) for vector in matrix(value).nullspace()),
    "trace": lambda value: _square(value).trace(),
    "transpose": lambda value: as_list(matrix(value).T),
}


def combined(sign: str, left: object, right: object) -> object:
    """Add, subtract, multiply or raise where one side is a list. Raises ToolRetry when the shapes do not fit."""
    if sign == "*" and (isinstance(left, Expr) or isinstance(right, Expr)):
        scalar, listed = (left, right) if isinstance(left, Expr) else (right, left)
        return as_list(scalar * matrix(listed))
    if sign == "/" and isinstance(right, Expr):
        return as_list(matrix(left) / right)
    if sign == "^" and isinstance(right, sympy.Integer) and abs(int(right)) <= 64:
        return _inverse_power(left, int(right))
    one, two = matrix(left), matrix(right)
    if sign in ("+", "-") and one.shape == two.shape:
        return as_list(one + two if sign == "+" else one - two)
    if sign == "*" and one.cols == two.rows:
        return as_list(one * two)
    raise ToolRetry(f"a {one.rows}×{one.cols} and a {two.rows}×{two.cols} matrix do not fit together for {sign}")


def _inverse_power(value: object, exponent: int) -> object:
    made = _square(value)
    if exponent < 0 and made.det() == 0:
        raise ToolRetry("the matrix has no inverse: its determinant is zero")
    return as_list(made**exponent)
