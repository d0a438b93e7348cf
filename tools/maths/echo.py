"""Writes a parsed expression in standard notation, so that a wrong reading is visible."""

import ast

_BINARY: dict[type[ast.operator], tuple[str, int]] = {
    ast.Add: (" + ", 1),
    ast.Sub: (" - ", 1),
    ast.Mult: (" * ", 2),
    ast.Div: (" / ", 2),
    ast.FloorDiv: (" // ", 2),
    ast.Mod: (" mod ", 2),
    ast.Pow: ("^", 4),
}
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_UNARY, _ATOM = 3, 5


def normal_form(node: ast.expr, source: str) -> str:
    """Write a parsed expression in standard notation; read again, it means the same."""
    return _written(node, source)[0]


def _written(node: ast.expr, source: str) -> tuple[str, int]:
    """Return the text and how tightly it binds."""
    match node:
        case ast.BinOp():
            return _written_binary(node, source)
        case ast.UnaryOp():
            sign = "-" if isinstance(node.op, ast.USub) else "+"
            return sign + _inside(node.operand, source, _UNARY), _UNARY
        case ast.Call(func=ast.Name(id="pct"), args=[part]):
            return _inside(part, source, _ATOM) + "%", _ATOM
        case ast.Call(func=ast.Name(id=name)):
            return f"{name}({', '.join(_written(part, source)[0] for part in node.args)})", _ATOM
        case ast.Compare():
            parts = [_written(part, source)[0] for part in (node.left, *node.comparators)]
            signs = [COMPARISONS[type(operator)] for operator in node.ops]
            return parts[0] + "".join(f" {sign} {part}" for sign, part in zip(signs, parts[1:], strict=True)), 0
        case _:
            return source[node.col_offset : node.end_col_offset], _ATOM


def _written_binary(node: ast.BinOp, source: str) -> tuple[str, int]:
    sign, level = _BINARY[type(node.op)]
    if isinstance(node.op, ast.Mult) and _is_percentage(node.left):
        sign = " of "
    to_left, to_right = (level + 1, level - 1) if isinstance(node.op, ast.Pow) else (level, level + 1)
    return _inside(node.left, source, to_left) + sign + _inside(node.right, source, to_right), level


def _is_percentage(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "pct"


def _inside(node: ast.expr, source: str, level: int) -> str:
    text, binds = _written(node, source)
    return text if binds >= level else f"({text})"
