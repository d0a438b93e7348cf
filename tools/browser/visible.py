"""What a browser would not show, as far as an element's own attributes tell.

Style sheets and scripts are not run: text that only they hide is taken for visible.
"""

import re
from collections.abc import Mapping

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")
_OFF_SCREEN = 500
"""Pixels to the left of or above the page, or units like it, from which nothing can be seen."""


def is_hidden(attributes: Mapping[str, str | None]) -> bool:
    """Say whether a browser would not show an element with these attributes."""
    if "hidden" in attributes or (attributes.get("aria-hidden") or "").strip().lower() == "true":
        return True
    style = attributes.get("style")
    return style is not None and any(
        _hides(name.strip(), value.replace("!important", "").strip())
        for name, _, value in (rule.partition(":") for rule in _COMMENT.sub("", style.lower()[:4000]).split(";"))
    )


def _hides(name: str, value: str) -> bool:
    match name:
        case "display":
            return value == "none"
        case "visibility" | "content-visibility":
            return value in ("hidden", "collapse")
        case "color" | "-webkit-text-fill-color":
            return value == "transparent"
        case "opacity":
            return _size(value, 1.0) < (5 if value.endswith("%") else 0.05)
        case "font-size":
            return _size(value, 12.0) < (2 if value.endswith(("px", "pt", "%")) else 0.1)
        case "left" | "top" | "right" | "text-indent" | "margin-left" | "margin-top":
            return _size(value, 0.0) <= -_OFF_SCREEN
        case "clip" | "clip-path":
            return re.match(r"rect\(\s*(?:0|1)(?:px)?[\s,]+(?:0|1)(?:px)?|inset\(\s*(?:50|100)%", value) is not None
        case _:
            return False


def _size(value: str, otherwise: float) -> float:
    match = _NUMBER.match(value)
    return otherwise if match is None else float(match[0])
