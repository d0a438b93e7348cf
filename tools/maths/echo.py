"""Writes a reading in standard notation, so that a wrong one is visible; read again, it means the same."""

from crowquill.tools.maths.nodes import COMPARISONS, Call, Day, Name, Node, Number, Text, Unit
from crowquill.tools.maths.unit_names import SHORT

_BINARY = {
    "+": (" + ", 2),
    "-": (" - ", 2),
    "*": (" * ", 3),
    "/": (" / ", 3),
    "//": (" // ", 3),
    "mod": (" mod ", 3),
    "^": ("^", 5),
}
_UNARY, _POSTFIX, _ATOM = 4, 6, 7
_POSTFIXES = {"pct": "%", "factorial": "!", "factorial2": "!!"}
_SENTENCES = {
    "days_between": "{2}s between {0} and {1}",
    "weekday": "weekday of {0}",
    "age": "age of a person born {0} on {1}",
    "iso_week": "ISO week of {0}",
    "day_of_year": "day of year of {0}",
    "is_leap": "is {0} a leap year",
    "count_letter": 'how many "{0}" in "{1}"',
    "count_kind": 'number of {0} in "{1}"',
    "reverse": 'reverse "{0}"',
    "length": 'length of "{0}"',
    "is_palindrome": 'is "{0}" a palindrome',
    "are_anagrams": "are {0} and {1} anagrams",
    "letter_at": '{0} letter of "{1}"',
    "sorted_letters": 'sort letters of "{0}"',
    "compare": "compare {0} and {1}",
    "numeric": "{0} to {1} digits",
}


def normal_form(node: Node) -> str:
    """Write a reading in standard notation."""
    return _written(node)[0]


def _written(node: Node) -> tuple[str, int]:
    """Return the text and how tightly it binds."""
    match node:
        case Number() | Name() | Text():
            return node.text, _ATOM
        case Unit():
            return SHORT.get(node.name, node.name), _ATOM
        case Day():
            return f"{node.year:04}-{node.month:02}-{node.day:02}", _ATOM
        case Call(name=name) if name in _BINARY:
            return _written_binary(node)
        case Call(name="neg", args=(operand,)):
            return "-" + _inside(operand, _UNARY), _UNARY
        case Call(name=name, args=(operand,)) if name in _POSTFIXES:
            return _inside(operand, _POSTFIX) + _POSTFIXES[name], _POSTFIX
        case Call(name=name, args=(left, right)) if name in COMPARISONS:
            return f"{_inside(left, 1)} {name} {_inside(right, 1)}", 0
        case Call():
            return _written_call(node)


def _written_binary(node: Call) -> tuple[str, int]:
    left, right = node.args
    sign, level = _BINARY[node.name]
    if node.name == "*" and node.implied and isinstance(left, Number) and _is_unit(right):
        return f"{left.text} {_inside(right, 5)}", _UNARY
    if node.name == "*" and isinstance(left, Call) and left.name == "pct":
        sign = " of "
    to_left, to_right = (level + 1, level - 1) if node.name == "^" else (level, level + 1)
    return _inside(left, to_left) + sign + _inside(right, to_right), level


def _is_unit(node: Node) -> bool:
    return isinstance(node, Unit) or (
        isinstance(node, Call) and node.name == "^" and isinstance(node.args[0], Unit)
    )


def _written_call(node: Call) -> tuple[str, int]:
    texts = [_written(part)[0] for part in node.args]
    match node.name:
        case "list":
            return f"[{', '.join(texts)}]", _ATOM
        case "tuple":
            return f"({', '.join(texts)})", _ATOM
        case "program":
            return "; ".join(texts), 0
        case "let":
            return f"{texts[0]} = {texts[1]}", 0
        case "define":
            return f"{texts[0]}{texts[1]} = {texts[2]}", 0
        case "and":
            relations = [part for part in node.args if isinstance(part, Call)]
            first = _inside(relations[0].args[0], 1)
            return first + "".join(f" {part.name} {_inside(part.args[1], 1)}" for part in relations), 0
        case "in":
            return f"{texts[0]} in {texts[1]}", 0
        case "at":
            return f"{texts[0]} at {', '.join(texts[1:])}", 0
        case "primed":
            return texts[0] + "'" * int(texts[1]), _ATOM
        case "today":
            return "today", _ATOM
        case "add_days":
            many, where = "" if texts[1] == "1" else "s", "before" if texts[3] == "-1" else "after"
            return f"{texts[1]} {texts[2]}{many} {where} {texts[0]}", 0
        case "days_in":
            return f"days in {texts[0]}" + (f"-{int(texts[1]):02}" if len(texts) > 1 else ""), 0
        case "roman":
            return f"{texts[0]} in roman numerals", 0
        case "base" if isinstance(node.args[0], Call) and node.args[0].name == "from_base":
            return f"{texts[0].removesuffix(' to decimal')} to base {texts[1]}", 0
        case "base":
            return f"{texts[0]} in base {texts[1]}", 0
        case "from_base":
            return f"{texts[0]} from base {texts[1]} to decimal", 0
        case "from_roman":
            return f"{texts[0]} from roman to decimal", 0
        case name if name in _SENTENCES:
            return _SENTENCES[name].format(*texts), 0
        case _:
            return f"{node.name}({', '.join(texts)})", _ATOM


def _inside(node: Node, level: int) -> str:
    text, binds = _written(node)
    return text if binds >= level else f"({text})"
