"""HTML to canonical text, over selectolax (lexbor). The walk keeps its own stack: nesting depth cannot break it."""

import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from crowquill.memory.snapshot import LineKind
from crowquill.tools.browser.canonical import Canon, Inline, strip_unseen

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_SKIPPED = frozenset(
    [
        "script",
        "style",
        "template",
        "noscript",
        "svg",
        "iframe",
        "object",
        "embed",
        "head",
        "canvas",
        "audio",
        "video",
        "button",
        "select",
        "option",
        "input",
        "textarea",
        "datalist",
        "dialog",
        "map",
    ]
)
_FURNITURE = frozenset({"nav", "footer", "header", "aside"})
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    [
        "p",
        "div",
        "section",
        "article",
        "main",
        "body",
        "li",
        "ul",
        "ol",
        "dl",
        "dt",
        "dd",
        "table",
        "caption",
        "tr",
        "blockquote",
        "figure",
        "figcaption",
        "details",
        "summary",
        "form",
        "fieldset",
        "address",
        "hr",
        "pre",
        "center",
        "nav",
        "footer",
        "header",
        "aside",
        "br",
    ]
) | frozenset(_HEADINGS)
_INVISIBLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])|opacity\s*:\s*0(?![.\d])"
)
_EXPONENT = re.compile(r"\s*[-+−–]?\d+\s*")


class Rendered:
    """What the walk over a page collects."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.canon = Canon()
        self.hidden = 0
        self._inline = Inline()
        self._kind: LineKind = "text"
        self._level = 0
        self._lists = 0
        self._links: list[tuple[int, str]] = []
        self._tables = 0
        self._cells = 0

    def walk(self, root: "LexborNode", *, furniture: bool) -> None:
        """Render everything below `root`; without `furniture`, navigation, headers and footers are left out."""
        stack: list[tuple[LexborNode, bool]] = [(root, False)]
        while stack:
            node, leaving = stack.pop()
            if leaving:
                self._leave(node)
                continue
            tag = node.tag
            if tag == "-text":
                self._inline.add(node.text_content or "")
            elif (
                tag is None
                or tag.startswith(("-", "_", "!"))
                or tag in _SKIPPED
                or (not furniture and tag in _FURNITURE)
            ):
                continue
            elif is_hidden(node):
                self.hidden += len(" ".join((node.text(deep=True) or "").split()))
            elif tag == "pre":
                self._flush()
                self.canon.verbatim(node.text(deep=True) or "")
            elif tag == "math":
                self._inline.add(formula(node))
            elif tag == "img":
                self._inline.add(node.attributes.get("alt") or "")
            else:
                self._enter(node, tag)
                stack.append((node, True))
                children = list(node.iter(include_text=True))
                stack.extend((child, False) for child in reversed(children))
        self._flush()

    def _enter(self, node: "LexborNode", tag: str) -> None:
        if tag == "a":
            self._links.append((len(self._inline.text), self._target(node)))
        elif tag == "sup" and _EXPONENT.fullmatch(node.text(deep=True) or "") and self._inline.text[-1:].isalnum():
            self._inline.add("^")
        elif tag == "table":
            self._flush()
            self._tables += 1
        elif self._tables and tag in _BLOCKS | {"td", "th"}:
            self._enter_in_table(tag)
        elif tag in _BLOCKS:
            self._enter_block(tag)

    def _enter_in_table(self, tag: str) -> None:
        if tag == "tr" and self._tables == 1:
            self._flush()
            self._kind, self._cells = "row", 0
        elif tag in ("td", "th") and self._tables == 1:
            if self._cells:
                self._inline.text = self._inline.text.rstrip()
                self._inline.add(" | ")
            self._cells += 1
        else:
            self._inline.add(" ")

    def _enter_block(self, tag: str) -> None:
        if tag == "dd" and self._kind == "item" and self._inline.text.strip():
            self._inline.text = self._inline.text.rstrip().rstrip(":")
            self._inline.add(": ")  # a definition stands on the line of its term
            return
        self._flush()
        if tag in _HEADINGS:
            self._kind, self._level = "heading", _HEADINGS[tag]
        elif tag in ("li", "dt", "dd"):
            self._kind, self._level = "item", max(self._lists, 1)
        elif tag in ("ul", "ol", "dl"):
            self._lists += 1

    def _leave(self, node: "LexborNode") -> None:
        tag = node.tag
        if tag == "a":
            start, url = self._links.pop()
            if url:
                self._inline.close_link(min(start, len(self._inline.text)), url)
        elif tag == "table":
            self._flush()
            self._tables -= 1
        elif self._tables:
            if tag in ("tr", "caption") and self._tables == 1:
                self._flush()
        elif tag in ("ul", "ol", "dl"):
            self._flush()
            self._lists -= 1
        elif tag in _BLOCKS and tag != "dt":
            self._flush()

    def _flush(self) -> None:
        self.canon.block(self._inline, self._kind, self._level)
        self._inline = Inline()
        self._links = [(0, url) for _, url in self._links]
        self._kind, self._level = "text", 0

    def _target(self, node: "LexborNode") -> str:
        try:
            url = urljoin(self.url, strip_unseen(node.attributes.get("href") or "").strip())
            return url if urlsplit(url).scheme in ("http", "https", "corpus") else ""
        except ValueError:
            return ""


def is_hidden(node: "LexborNode") -> bool:
    """Say whether a browser would not show this element, as far as its own attributes tell."""
    attributes = node.attributes
    if "hidden" in attributes or (attributes.get("aria-hidden") or "").strip().lower() == "true":
        return True
    style = attributes.get("style")
    return style is not None and _INVISIBLE.search(style.lower()) is not None


def formula(node: "LexborNode", depth: int = 0) -> str:
    """Return MathML on one line: superscripts with ^, subscripts with _, fractions with a stroke."""
    alternative = node.attributes.get("alttext")
    if alternative:
        return f" {alternative} "
    if node.tag == "-text":
        return " ".join((node.text_content or "").split())
    if depth > 40:
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


def render_html_text(data: str, url: str) -> tuple[Rendered, str]:
    """Render a page and return what was collected, and its title."""
    from selectolax.lexbor import LexborHTMLParser  # a C library that only pages need

    tree = LexborHTMLParser(data)
    main = tree.css_first("main, article, [role=main]")
    root = main if main is not None else tree.body
    base = tree.css_first("base[href]")
    rendered = Rendered(urljoin(url, base.attributes.get("href") or "") if base is not None else url)
    if root is not None:
        rendered.walk(root, furniture=main is None)
    return rendered, _title(tree.css_first("title"), tree.css_first("h1"))


def _title(*nodes: "LexborNode | None") -> str:
    texts = (strip_unseen(node.text(deep=True) or "") for node in nodes if node is not None)
    return next((" ".join(text.split()) for text in texts if text.strip()), "")
