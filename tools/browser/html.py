"""HTML to canonical text: parsed by selectolax (lexbor), marked in the tree, read in one pass (see `flow`)."""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from crowquill.memory.snapshot import Form
from crowquill.tools.browser.canonical import Canon, folded
from crowquill.tools.browser.flow import Flow
from crowquill.tools.browser.formula import formula
from crowquill.tools.browser.links import Joiner
from crowquill.tools.browser.markup import Tokens, closing, tokens
from crowquill.tools.browser.shape import forms, furniture, is_shell, layout_tables, main_part

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_MAIN_SHARE = 0.4
"""Share of a page's text that its main part must have; else what matters is elsewhere."""


@dataclass(frozen=True)
class HtmlText:
    """What a page says; see `Snapshot` for the fields."""

    canon: Canon
    title: str = ""
    hidden: int = 0
    main: int | None = None
    anchors: tuple[tuple[str, int], ...] = ()
    forms: tuple[Form, ...] = ()
    needs_script: bool = False


def render_html(data: str, url: str) -> HtmlText:
    """Render a page: first its main part, if it marks one and has most of its text there, then all the rest."""
    from selectolax.lexbor import LexborHTMLParser  # a C library that only pages need

    tree = LexborHTMLParser(data)
    base = tree.css_first("base[href]")
    if base is not None:
        with suppress(ValueError):  # an address that is none
            url = urljoin(url, base.attributes.get("href") or "")
    title = _title(tree.css_first("title"), tree.css_first("h1"))
    body = tree.body
    if body is None:
        return HtmlText(Canon(), title)
    mark = "cq"
    while mark in data:
        mark += "q"
    join = Joiner(url)
    found = _prepared(tree, join, mark)
    flow, main = _divided(tree, body, Flow(join, mark))
    placed = [replace(form, line=flow.forms[form.number]) for form in found if form.number in flow.forms]
    last = len(flow.canon.lines)
    return HtmlText(
        flow.canon,
        title,
        flow.hidden,
        main if 0 < main < last else None,
        tuple((name, min(line, last)) for name, line in flow.anchors.items() if last),
        tuple(placed),
        is_shell(tree, flow.canon.text),
    )


def _title(*nodes: "LexborNode | None") -> str:
    texts = (folded(node.text(deep=True) or "") for node in nodes if node is not None)
    return next(filter(None, texts), "")


def _prepared(tree: "LexborHTMLParser", join: Joiner, mark: str) -> list[Form]:
    """Mark in the tree what is only seen there: tables for layout, formulas, forms."""
    for table in layout_tables(tree):
        table.attrs["role"] = "presentation"
    for node in tree.css("math"):
        node.attrs["alttext"] = formula(node)
    for script in tree.css('script[type^="math/tex"]'):
        script.insert_before(f" {script.text(deep=True)} ")
    found = []
    for node, form in forms(tree, join):
        node.attrs[mark] = str(form.number)
        found.append(form)
    return found


def _divided(tree: "LexborHTMLParser", body: "LexborNode", flow: Flow) -> tuple[Flow, int]:
    """Read a page, and return what was read and how many lines the main part has."""
    mark, join = flow.mark, flow.join
    main = main_part(tree)
    if main is not None:
        main.attrs[f"{mark}-main"] = ""
        for node in furniture(main, is_main=True):
            node.attrs[f"{mark}-aside"] = ""
        count = _read(flow, tokens(body.html or ""))
        if count and len(flow.canon.text) * _MAIN_SHARE <= flow.canon.lines[count - 1].end:
            return flow, count
        del main.attrs[f"{mark}-main"]
    if main is not None or tree.css_first("article") is not None:
        for node in furniture(body, is_main=False):
            node.attrs[f"{mark}-aside"] = ""
    flow = Flow(join, mark)
    return flow, _read(flow, tokens(body.html or ""))


def _read(flow: Flow, pieces: Tokens) -> int:
    """Read the main part, or all where none is marked, then what was left aside; return the first's lines."""
    begin, end = 1, len(pieces)
    asides: dict[int, int] = {}
    last = 0
    for at in range(1, len(pieces), 3):
        written = pieces[at + 1]
        if written and flow.mark in written:
            if f" {flow.mark}-main=" in written:
                begin, end = at, closing(pieces, at)
            elif at >= last and f" {flow.mark}-aside=" in written:
                asides[at] = last = closing(pieces, at)
    flow.read(pieces, begin, end, asides)
    count = len(flow.canon.lines)
    if begin > 1:
        flow.read(pieces, 1, len(pieces), {begin: end})
    for first, behind in asides.items():
        flow.read(pieces, first, behind)
    return count
