"""MathML on one line."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_DEEPEST = 40


def formula(node: "LexborNode", depth: int = 0) -> str:
    """Return MathML on one line: superscripts with ^, subscripts with _, fractions with a stroke."""
    alternative = node.attributes.get("alttext")
    if alternative:
        return f" {alternative} "
    if node.tag == "-text":
        return " ".join((node.text_content or "").split())
    if depth > _DEEPEST:
        return " ".join((node.text(deep=True) or "").split())
    parts = [
        formula(child, depth + 1)
        for child in node.iter(include_text=True)
        if child.tag not in ("annotation", "annotation-xml")
    ]
    parts = [part for part in parts if part.strip()]
    match node.tag, len(parts):
        case "msup", 2:
            return f"{parts[0]}^{parts[1]}"
        case "msub", 2:
            return f"{parts[0]}_{parts[1]}"
        case "msubsup", 3:
            return f"{parts[0]}_{parts[1]}^{parts[2]}"
        case "mfrac", 2:
            return f"({parts[0]})/({parts[1]})"
        case "msqrt", _:
            return f"√({''.join(parts)})"
        case "mo", _:
            sign = "".join(parts)
            return f" {sign} " if sign in "=<>≤≥≈≠+−-→" and sign else sign
        case _:
            return "".join(parts)
