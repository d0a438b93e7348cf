"""What a page is made of: its main part and what stands around it, tables that only place things, its forms."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from crowquill.memory.snapshot import Field, Form
from crowquill.tools.browser.canonical import folded
from crowquill.tools.browser.links import Joiner

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_DEEPEST = 200
_FORMS = 50
_FIELDS = 40
_TYPED = frozenset({"", "text", "search", "email", "url", "tel", "number", "date"})
_SHELLS = "#root, #app, #__next, #__nuxt, #___gatsby, app-root, [data-reactroot], [ng-app], [ng-version]"
_SHELL_TEXT = 250
"""Characters of text up to which a page can be a shell that scripts fill."""


def main_part(tree: "LexborHTMLParser") -> "LexborNode | None":
    """Return the element that the page marks as what it is about."""
    main = tree.css_first("main, [role=main]")
    if main is not None:
        return main
    articles = tree.css("article")[:2]
    return articles[0] if len(articles) == 1 else None


def furniture(root: "LexborNode", *, is_main: bool) -> Iterator["LexborNode"]:
    """Yield navigation, and outside the main part also headers, footers and asides that are not in an article."""
    if is_main:
        yield from (node for node in root.css("nav, [role=navigation]") if node.mem_id != root.mem_id)
        return
    for node in root.css("nav, header, footer, aside, [role=navigation]"):
        is_navigation = node.tag == "nav" or node.attributes.get("role") == "navigation"
        if is_navigation or _above(node, "article") is None:
            yield node


def _above(node: "LexborNode", tag: str) -> "LexborNode | None":
    """Return the nearest element of a kind that a node stands in."""
    parent, steps = node.parent, 0
    while parent is not None and parent.tag != tag and steps < _DEEPEST:
        parent, steps = parent.parent, steps + 1
    return parent if parent is not None and parent.tag == tag else None


def layout_tables(tree: "LexborHTMLParser") -> Iterator["LexborNode"]:
    """Yield the tables that hold tables or headings: they only place things."""
    for inner in tree.css(", ".join(f"table {tag}" for tag in ("table", *_HEADINGS))):
        table = _above(inner, "table")
        if table is not None:
            yield table


def forms(tree: "LexborHTMLParser", join: Joiner) -> Iterator[tuple["LexborNode", Form]]:
    """Yield the forms of a page, numbered from 1; `line` is 0."""
    for number, node in enumerate(tree.css("form")[:_FORMS], 1):
        given = node.attributes
        action = (given.get("action") or "").strip()
        target = join(action, stay=True)
        method = "get" if (given.get("method") or "get").strip().lower() == "get" else "post"
        if target:
            yield node, Form(number, 0, target, method, tuple(_fields(node)))


def _fields(form: "LexborNode") -> Iterator[Field]:
    for node in form.css("input, textarea, select")[:_FIELDS]:
        given = node.attributes
        name, kind = given.get("name") or "", (given.get("type") or "").strip().lower()
        if not name or "disabled" in given:
            continue
        if node.tag == "textarea" or (node.tag == "input" and kind in _TYPED):
            label = given.get("aria-label") or given.get("placeholder") or given.get("title") or name
            yield Field(name, given.get("value") or "", folded(label)[:60])
        elif node.tag == "select":
            options = node.css("option[selected]") or node.css("option")[:1]
            if options:
                value = options[0].attributes.get("value")
                yield Field(name, folded(options[0].text(deep=True)) if value is None else value)
        elif kind == "hidden" or (kind in ("checkbox", "radio") and "checked" in given):
            value = given.get("value")
            yield Field(name, "on" if value is None else value)


def is_shell(tree: "LexborHTMLParser", text: str) -> bool:
    """Say whether a page with this text is empty until scripts fill it."""
    if len(text) > _SHELL_TEXT or tree.css_first("script") is None:
        return False
    said = [text, *(node.html or "" for node in tree.css("noscript"))]
    return not text or any("javascript" in part.lower() for part in said) or tree.css_first(_SHELLS) is not None
