"""What a page is made of: its main part, the tables that only place things, the elements without text to read."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_NAMES = (
    "script style template noscript svg iframe object embed head canvas audio video select option input textarea"
)
SKIPPED = frozenset((_NAMES + " datalist map rt rp").split())
"""Elements whose content is no text to read."""
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_DEEPEST_TABLE = 200
_MAIN_SHARE = 0.4


def main_part(tree: "LexborHTMLParser") -> "LexborNode | None":
    main = tree.css_first("main, [role=main]")
    if main is not None:
        return main
    articles = tree.css("article")[:2]
    return articles[0] if len(articles) == 1 else None


def is_most(characters: int, body: "LexborNode") -> bool:
    """Say whether a part of so many characters has its share of the page's text; else the text is elsewhere."""
    whole = 0
    for node in body.traverse(include_text=True):
        parent = node.parent
        if node.tag == "-text" and parent is not None and parent.tag not in SKIPPED:
            whole += len(" ".join((node.text_content or "").split()))
    return characters >= _MAIN_SHARE * whole


def layout_tables(tree: "LexborHTMLParser") -> list[int]:
    """Return the ids of the tables that hold tables or headings, or say that they only place things."""
    found = [table.mem_id for table in tree.css("table[role=presentation], table[role=none]")]
    for inner in tree.css(", ".join(f"table {tag}" for tag in ("table", *_HEADINGS))):
        parent, steps = inner.parent, 0
        while parent is not None and parent.tag != "table" and steps < _DEEPEST_TABLE:
            parent, steps = parent.parent, steps + 1
        if parent is not None and parent.tag == "table":
            found.append(parent.mem_id)
    return found
