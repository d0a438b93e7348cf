"""HTML to canonical text, over selectolax (lexbor). The walk keeps its own stack: nesting depth cannot break it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal
from urllib.parse import urljoin

from crowquill.memory.snapshot import LineKind
from crowquill.tools.browser.canonical import Canon, Inline, strip_unseen
from crowquill.tools.browser.formula import formula
from crowquill.tools.browser.links import join
from crowquill.tools.browser.shape import SKIPPED, is_most, layout_tables, main_part
from crowquill.tools.browser.visible import is_hidden

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_FURNITURE = _tags("nav footer header aside")
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = _tags(
    "p div section article main body li ul ol dl dt dd table caption tr blockquote figure figcaption details"
    " summary form fieldset legend address hr pre center nav footer header aside menu dialog"
    " h1 h2 h3 h4 h5 h6"
)
_LISTS = _tags("ul ol dl menu")
_CELLS = _tags("td th")
_EXPONENT = re.compile(r"\s*[-+−–]?\d+\s*")
_FOOTNOTE = re.compile(r"\s*[\[(]?[\w†‡*§¶ ]{1,12}[\])]?\s*")

Attributes = Mapping[str, str | None]
Furniture = Literal["keep", "articles", "drop"]
"""Navigation, headers, footers and asides: keep all, keep those inside an article, or keep no navigation."""


@dataclass
class _OpenLink:
    start: int
    url: str
    numbered: bool = False


class Rendered:
    """What the walk over a page collects."""

    def __init__(self, url: str, layout: frozenset[int] = frozenset()) -> None:
        """`layout` are the ids of tables that only place things on the page."""
        self.url = url
        self.canon = Canon()
        self.hidden = 0
        self._layout = layout
        self._inline = Inline()
        self._kind: LineKind = "text"
        self._level = 0
        self._lists = 0
        self._articles = 0
        self._links: list[_OpenLink] = []
        self._tables: list[bool] = []
        self._cells = 0
        self._joined = -1

    def walk(self, root: "LexborNode", furniture: Furniture) -> None:
        """Render everything below `root`, which is taken to be visible itself."""
        stack: list[tuple[LexborNode, bool]] = [(root, False)]
        while stack:
            node, leaving = stack.pop()
            tag = node.tag
            if leaving:
                self._leave(tag)
            elif tag == "-text":
                self._inline.add(node.text_content or "")
            elif tag is None or tag.startswith(("-", "_", "!")):
                continue
            elif self._opens(node, tag, furniture, is_root=node.mem_id == root.mem_id):
                stack.append((node, True))
                stack.extend((child, False) for child in reversed(list(node.iter(include_text=True))))
        self._flush()

    def _opens(self, node: "LexborNode", tag: str, furniture: Furniture, *, is_root: bool) -> bool:
        """Take an element in, and say whether what is below it is wanted."""
        attributes = node.attributes
        if self._passes_over(node, tag, attributes, furniture):
            return False
        if not is_root and is_hidden(attributes):
            self.hidden += len(" ".join((node.text(deep=True) or "").split()))
        elif tag == "math":
            self._inline.add(formula(node))
        elif tag == "img":
            self._inline.add(f" {attributes.get('alt') or ''} ")
        else:
            self._enter(node, tag, attributes)
            return True
        return False

    def _passes_over(self, node: "LexborNode", tag: str, attributes: Attributes, furniture: Furniture) -> bool:
        if tag in SKIPPED:
            return True
        if tag == "button":  # but headings that fold their section away are often buttons
            parent = node.parent
            return parent is None or (parent.tag not in _HEADINGS and parent.tag != "summary")
        if tag == "dialog":
            return "open" not in attributes
        if tag == "sup":
            return self._is_footnote(node)
        if furniture == "keep":
            return False
        is_navigation = tag == "nav" or attributes.get("role") == "navigation"
        return is_navigation or (furniture == "articles" and tag in _FURNITURE and not self._articles)

    def _is_footnote(self, node: "LexborNode") -> bool:
        """Say whether this is a mark such as [3] that leads to a note on the same page: no text, but a signpost."""
        link = next((child for child in islice(node.iter(), 3) if child.tag == "a"), None)
        if link is None or _FOOTNOTE.fullmatch(link.text(deep=True) or "") is None:
            return False
        return "href" in link.attributes and not join(self.url, link.attributes["href"] or "")

    def _enter(self, node: "LexborNode", tag: str, attributes: Attributes) -> None:
        if tag == "a":
            url = join(self.url, attributes.get("href") or "")
            self._links.append(_OpenLink(self._inline.length, url))
        elif tag == "sup" and self._inline.last.isalnum() and _is_exponent(node):
            self._inline.add("^")
        elif tag == "br":
            self._break_line()
        elif tag == "table":
            self._flush()
            self._tables.append(node.mem_id in self._layout)
        elif self._in_data_table():
            self._enter_in_table(tag)
        elif tag in _BLOCKS or tag in _CELLS:
            self._enter_block(tag)

    def _in_data_table(self) -> bool:
        return bool(self._tables) and not self._tables[-1]

    def _break_line(self) -> None:
        if self._inline.preserve:
            self._inline.add("\n")
        elif self._kind == "heading" or self._in_data_table():
            self._inline.add(" ")
        else:
            self._flush()

    def _enter_in_table(self, tag: str) -> None:
        if tag == "tr":
            self._flush()
            self._kind, self._cells = "row", 0
        elif tag in _CELLS:
            if self._cells:
                self._inline.trim()
                self._inline.add(" | ")
            self._cells += 1
        elif tag in _BLOCKS:
            self._inline.add(" ")

    def _enter_block(self, tag: str) -> None:
        if tag == "dd" and self._kind == "item" and not self._inline.blank:
            self._inline.trim()
            self._inline.trim(":")
            self._inline.add(": ")  # a definition stands on the line of its term
            self._joined = self._inline.length
            return
        if self._inline.length != self._joined:
            self._flush()
        if tag in _HEADINGS:
            self._kind, self._level = "heading", _HEADINGS[tag]
        elif tag in ("li", "dt", "dd"):
            self._kind, self._level = "item", max(self._lists, 1)
        elif tag in _LISTS:
            self._lists += 1
        elif tag == "article":
            self._articles += 1
        elif tag == "pre":
            self._flush()
            self._inline = Inline(preserve=True)

    def _leave(self, tag: str | None) -> None:
        if tag == "a":
            link = self._links.pop()
            self._number(link)
        elif tag == "table":
            self._flush()
            self._tables.pop()
        elif self._in_data_table():
            self._leave_in_table(tag)
        elif tag in _CELLS or (tag in _BLOCKS and tag != "dt"):
            self._flush()
            self._lists -= tag in _LISTS
            self._articles -= tag == "article"
            if tag in ("li", "dd", "pre") or tag in _HEADINGS:
                self._kind, self._level = "text", 0
            if tag == "pre":
                self._inline = Inline()

    def _leave_in_table(self, tag: str | None) -> None:
        if tag not in ("tr", "caption"):
            return
        if tag == "caption" or self._cells <= 1:
            self._kind = "text"
        if any(map(str.isalnum, self._inline.text)):
            self._flush()
        else:
            self._start_anew()
        self._kind = "text"

    def _number(self, link: _OpenLink) -> None:
        """Note a link over what was added since it began; of one that spans blocks, the first counts."""
        if link.url and not link.numbered and self._inline.length > link.start:
            self._inline.links.append((link.start, self._inline.length, link.url))
            link.numbered = True

    def _flush(self) -> None:
        """End the block, if there is anything in it; what kind of block it is holds until then."""
        if not self._inline.blank:
            for link in self._links:
                self._number(link)
            if self._inline.preserve:
                self.canon.verbatim(self._inline)
            else:
                self.canon.block(self._inline, self._kind, self._level)
            self._kind, self._level = "text", 0
        self._start_anew()

    def _start_anew(self) -> None:
        self._inline = Inline(preserve=self._inline.preserve)
        self._joined = -1
        for link in self._links:
            link.start = 0


def _is_exponent(sup: "LexborNode") -> bool:
    child = sup.first_child
    return (
        child is not None
        and child.next is None
        and child.tag == "-text"
        and _EXPONENT.fullmatch(child.text_content or "") is not None
    )


def render_html_text(data: str, url: str) -> tuple[Rendered, str]:
    """Render a page and return what was collected, and its title.

    Of a page that marks its main part, and has most of its text there, only that is rendered.
    """
    from selectolax.lexbor import LexborHTMLParser  # a C library that only pages need

    tree = LexborHTMLParser(data)
    base = tree.css_first("base[href]")
    if base is not None:
        url = urljoin(url, base.attributes.get("href") or "")
    title = _title(tree.css_first("title"), tree.css_first("h1"))
    rendered = Rendered(url)
    if tree.body is None:
        return rendered, title
    layout = frozenset(layout_tables(tree))
    main, has_article = main_part(tree), tree.css_first("article") is not None
    choices: list[tuple[LexborNode, Furniture]] = [(tree.body, "keep")]
    if has_article or main is not None:
        choices.insert(0, (tree.body, "articles"))
    if main is not None:
        choices.insert(0, (main, "drop"))
    for root, furniture in choices:
        rendered = Rendered(url, layout)
        rendered.walk(root, furniture)
        if rendered.canon.lines and (root is not main or is_most(len(rendered.canon.text), tree.body)):
            break
    return rendered, title


def _title(*nodes: "LexborNode | None") -> str:
    texts = (strip_unseen(node.text(deep=True) or "") for node in nodes if node is not None)
    return next((" ".join(text.split()) for text in texts if text.strip()), "")
