"""From the tags and texts of a page to canonical text, in one pass without recursion.

What is read here was written by the HTML parser from its tree: every element is closed, attribute values are quoted
and hold no angle brackets, text holds four entities only. So a regular expression divides it without error, and a
page of a megabyte costs a tenth of a second.
"""

import re
from collections.abc import Callable, Mapping

from crowquill.memory.snapshot import LineKind
from crowquill.tools.browser.canonical import Canon, LinkSpan, laid_out, strip_unseen
from crowquill.tools.browser.links import Joiner
from crowquill.tools.browser.table import Cell, Table, span
from crowquill.tools.browser.visible import is_hidden

_RAW = "script|style|iframe|noembed|noframes|noscript|xmp|plaintext"
_TOKEN = re.compile(rf"<(?:!--.*?-->|(?:{_RAW})\b[^>]*>.*?</(?:{_RAW})>|(/?[a-zA-Z][^\s/>]*)([^>]*)>)", re.DOTALL)
_SPECIAL = re.compile(r"""hidden| style="| id="| name=\"""")
"""Attributes that may hide an element, or give links a place to lead to."""
_ATTRIBUTE = re.compile(r'\s([^\s=">]+)="([^"]*)"')


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_SKIPPED = _tags("template svg object embed head title canvas audio video select textarea datalist map rt rp")
"""Elements whose content is no text to read."""
_VOID = _tags("area base br col embed hr img input link meta param source track wbr")
_BLOCKS = _tags(
    "p div section article main body caption figure figcaption details summary form fieldset legend address hr"
    " center nav footer header aside dialog search hgroup"
)
_LINK, _LINK_END = (
    "\x02",
    "\x03",
)  # stand in the text until it is settled; characters like these are stripped before
_MARKS = re.compile(f"([{_LINK}{_LINK_END}])")
_EXPONENT = re.compile(r"\s*[-+−–]?\d+\s*")
_FOOTNOTE = re.compile(r"\s*[\[(]?[\w†‡*§¶ ]{1,12}[\])]?\s*")
_SIGNPOST = 14  # tokens that the mark of a footnote may have
_ANCHORS = 3000
_LONGEST_ANCHOR = 200

Tokens = list[str | None]
"""Text, then name and attributes of a tag with the text after it, again and again; a comment has no name."""


def tokens(html: str) -> Tokens:
    """Divide what the parser has written."""
    return _TOKEN.split(strip_unseen(html))


def attributes(written: str) -> dict[str, str]:
    """Return the attributes of a tag."""
    return {name: unescape(value) for name, value in _ATTRIBUTE.findall(written)}


def unescape(text: str) -> str:
    """Undo the escapes that the parser writes."""
    if "&" not in text:
        return text
    return (
        text.replace("&nbsp;", "\xa0")
        .replace("&quot;", '"')
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
    )


class _Link:
    """A link that is open; `used` when its words stand in a block that has ended."""

    __slots__ = ("url", "used")

    def __init__(self, url: str) -> None:
        self.url = url
        self.used = False


class Flow:
    """Collects what a page says; `mark` names the attribute by which parts to be left for later are known."""

    def __init__(self, join: Joiner, mark: str) -> None:
        self.canon = Canon()
        self.hidden = 0
        self.anchors: dict[str, int] = {}
        self.forms: dict[int, int] = {}
        """Number → line of each form that was read."""
        self.join = join
        self.mark = mark
        self._tokens: Tokens = []
        self._at = 0
        self._parts: list[str] = []
        self._opened: list[_Link] = []
        self._links: list[_Link] = []
        self._kind: LineKind = "text"
        self._level = 0
        self._item = ""
        self._lists: list[int | None] = []
        self._quotes = 0
        self._preserve = 0
        self._joined = -1
        self._tables: list[Table] = []
        self._row: list[Cell] | None = None
        self._handlers = self._all_handlers()

    def read(self, pieces: Tokens, first: int, last: int, asides: dict[int, int] | None = None) -> None:
        """Read from the tag `first` up to the tag `last`; from the keys of `asides`, go on at their values."""
        self._tokens = pieces
        self._at = first
        handlers = self._handlers
        while self._at < last:
            at = self._at
            tag, written = pieces[at], pieces[at + 1]
            self._at = at + 3
            if asides and at in asides:
                self._at = asides[at]
            elif tag is not None:
                if written and _SPECIAL.search(written) and self._is_unseen(tag, written):
                    self.hidden += len(" ".join(unescape(self._skip(tag)).split()))
                else:
                    handler = handlers.get(tag)
                    if handler is not None:
                        handler(written or "")
            if (text := pieces[self._at - 1]) and (self._at < last or last == len(pieces)):
                self._parts.append(text)
        self._flush()

    def _is_unseen(self, tag: str, written: str) -> bool:
        """Note where an element with an id begins, and say whether a browser would not show it."""
        if ' id="' in written or (tag == "a" and ' name="' in written):
            self._anchor(attributes(written))
        if not ("hidden" in written or " style=" in written) or tag in _VOID or tag == "body":
            return False
        return is_hidden(attributes(written))

    def _anchor(self, given: Mapping[str, str]) -> None:
        name = given.get("id", given.get("name", ""))
        if name and len(name) <= _LONGEST_ANCHOR and len(self.anchors) < _ANCHORS:
            self.anchors.setdefault(name, len(self.canon.lines) + 1)

    def _skip(self, tag: str) -> str:
        """Go on behind the end of an element that has just begun, and return the text in it."""
        end = closing(self._tokens, self._at - 3)
        inside = self._tokens[self._at - 1 : end - 1 : 3]
        self._at = end
        return " ".join(text for text in inside if text)

    # --- blocks ---

    def _all_handlers(self) -> dict[str, Callable[[str], None]]:
        found: dict[str, Callable[[str], None]] = {
            "a": self._a,
            "/a": self._end_a,
            "br": self._br,
            "img": self._img,
            "math": self._math,
            "sup": self._sup,
            "dialog": self._dialog,
            "button": self._button,
            "table": self._table,
            "/table": self._end_table,
            "thead": self._thead,
            "/thead": self._end_thead,
            "tr": self._tr,
            "/tr": self._end_tr,
            "pre": self._pre,
            "/pre": self._end_pre,
            "listing": self._pre,
            "/listing": self._end_pre,
            "form": self._form,
            "/form": self._end_block,
            "blockquote": self._blockquote,
            "/blockquote": self._end_blockquote,
            "li": self._li,
            "/li": self._end_item,
            "dt": self._dt,
            "dd": self._dd,
            "/dd": self._end_item,
        }
        found |= {f"h{level}": self._heading(level) for level in range(1, 7)}
        found |= {f"/h{level}": self._end_item for level in range(1, 7)}
        for tag in ("ul", "ol", "menu", "dl"):
            found |= {tag: self._ol if tag == "ol" else self._ul, f"/{tag}": self._end_list}
        for tag in ("td", "th"):
            found |= {tag: self._td if tag == "td" else self._th, f"/{tag}": self._end_cell}
        found |= {tag: self._skipping(tag) for tag in _SKIPPED}
        for tag in _BLOCKS:
            found |= {tag: self._block, f"/{tag}": self._end_block} | found
        return found

    def _skipping(self, tag: str) -> Callable[[str], None]:
        def skip(_: str) -> None:
            self._skip(tag)

        return skip

    def _block(self, _: str) -> None:
        if self._row is not None:
            self._parts.append(" ")
        elif self._joined < 0 or "".join(self._parts[self._joined :]).strip():
            self._flush()

    def _end_block(self, _: str) -> None:
        if self._row is not None:
            self._parts.append(" ")
        else:
            self._flush()

    def _heading(self, level: int) -> Callable[[str], None]:
        def begin(_: str) -> None:
            self._block("")
            if self._row is None:
                self._kind, self._level = "heading", level

        return begin

    def _end_item(self, _: str) -> None:
        self._end_block("")
        if self._row is None:
            self._kind, self._level, self._item = "text", 0, ""

    def _ul(self, _: str) -> None:
        self._block("")
        if self._row is None:
            self._lists.append(None)

    def _ol(self, written: str) -> None:
        self._block("")
        if self._row is None:
            self._lists.append(_number(attributes(written).get("start"), 1) - 1)

    def _end_list(self, _: str) -> None:
        self._end_block("")
        if self._lists and self._row is None:
            self._lists.pop()

    def _li(self, written: str) -> None:
        self._block("")
        if self._row is not None:
            return
        self._kind, self._level, self._item = "item", max(len(self._lists), 1), "-"
        if self._lists and self._lists[-1] is not None:
            number = self._lists[-1] + 1
            if " value=" in written:
                number = _number(attributes(written).get("value"), number)
            self._lists[-1] = number
            self._item = f"{number}."

    def _dt(self, _: str) -> None:
        self._block("")
        if self._row is None:
            self._kind, self._level, self._item = "item", max(len(self._lists), 1), "-"

    def _dd(self, _: str) -> None:
        """A definition stands on the line of its term."""
        term = "".join(self._parts).rstrip()
        if self._kind == "item" and term and self._row is None:
            self._parts = [term.removesuffix(":"), ": "]
            self._joined = len(self._parts)
        else:
            self._dt("")

    def _blockquote(self, _: str) -> None:
        self._block("")
        self._quotes += 1

    def _end_blockquote(self, _: str) -> None:
        self._end_block("")
        self._quotes = max(0, self._quotes - 1)

    def _pre(self, _: str) -> None:
        self._block("")
        if self._row is None:
            self._flush()
            self._preserve += 1

    def _end_pre(self, _: str) -> None:
        self._end_item("")
        if self._row is None:
            self._preserve = max(0, self._preserve - 1)

    def _form(self, written: str) -> None:
        self._block("")
        number = _number(attributes(written).get(self.mark), 0)
        self.forms.setdefault(number, len(self.canon.lines) + 1)

    # --- inside a line ---

    def _a(self, written: str) -> None:
        link = _Link(self._address(written))
        self._opened.append(link)
        if link.url:
            self._parts.append(_LINK)
            self._links.append(link)

    def _end_a(self, _: str) -> None:
        if self._opened:
            link = self._opened.pop()
            if link.url and not link.used:
                self._parts.append(_LINK_END)

    def _address(self, written: str) -> str:
        href = attributes(written).get("href") if "href=" in written else None
        return self.join(href) if href is not None else ""

    def _br(self, _: str) -> None:
        if self._preserve:
            self._parts.append("\n")
        elif self._kind == "heading" or self._row is not None:
            self._parts.append(" ")
        else:
            self._flush()

    def _img(self, written: str) -> None:
        if " alt=" in written:
            given = attributes(written)
            if not is_hidden(given) or "math" in given.get(
                "class", ""
            ):  # pictures of formulas are kept from readers
                self._parts.append(f" {_escape(given.get('alt', ''))} ")

    def _math(self, written: str) -> None:
        self._parts.append(_escape(attributes(written).get("alttext", "")))
        self._skip("math")

    def _sup(self, _: str) -> None:
        end = _closing(self._tokens, self._at - 3, min(self._at + 3 * _SIGNPOST, len(self._tokens)))
        if end is None:
            return
        inside = self._tokens[self._at - 1 : end - 3]
        text = "".join(piece for piece in inside[::3] if piece)
        tags = [piece for piece in inside[1::3] if piece is not None]
        if not tags and _EXPONENT.fullmatch(text) and self._parts and self._parts[-1][-1].isalnum():
            self._parts.append("^")
        elif "a" in tags[:3] and _FOOTNOTE.fullmatch(unescape(text)):
            where = inside[1::3].index("a")
            written = inside[2::3][where] or ""
            if "href=" in written and not self._address(written):  # a mark such as [3] is no text, but a signpost
                self._skip("sup")

    def _dialog(self, written: str) -> None:
        if " open=" in written:
            self._block("")
        else:
            self._skip("dialog")

    def _button(self, _: str) -> None:
        """Pass over buttons; but headings that fold their section away are often buttons."""
        if self._kind != "heading" and self._tokens[self._at - 6] != "summary":
            self._skip("button")

    # --- tables ---

    def _table(self, written: str) -> None:
        self._flush()
        role = attributes(written).get("role", "") if " role=" in written else ""
        self._tables.append(Table(layout=role.strip().lower() in ("presentation", "none")))
        self._row = None

    def _end_table(self, _: str) -> None:
        if self._tables:
            self._end_tr("")
            self._tables.pop()
            self._row = self._tables[-1].row if self._tables else None

    def _thead(self, _: str) -> None:
        if self._tables:
            self._tables[-1].in_head = True

    def _end_thead(self, _: str) -> None:
        if self._tables:
            self._tables[-1].in_head = False

    def _tr(self, _: str) -> None:
        self._flush()
        if self._tables and not self._tables[-1].layout:
            self._row = self._tables[-1].row = []

    def _td(self, written: str) -> None:
        self._open_cell(written, is_head=False)

    def _th(self, written: str) -> None:
        self._open_cell(written, is_head=True)

    def _open_cell(self, written: str, *, is_head: bool) -> None:
        if self._row is None:
            self._flush()
            return
        given = attributes(written) if "span=" in written else {}
        self._start_anew()
        self._row.append(Cell(span(given.get("colspan")), span(given.get("rowspan")), is_head))

    def _end_cell(self, _: str) -> None:
        if self._row is None:
            self._flush()
        elif self._row:
            self._row[-1].settled = self._settle(preserve=False)

    def _end_tr(self, _: str) -> None:
        if self._row is None:
            self._flush()
            return
        text, links, is_row, is_head = self._tables[-1].close_row()
        self._row = None
        if any(map(str.isalnum, text)):
            if is_row:
                self.canon.block(text, "row", int(is_head), links=links)
            else:
                self.canon.block(text, links=links)
        self._start_anew()

    # --- ends of blocks ---

    def _flush(self) -> None:
        """End the block, if there is anything in it; what kind of block it is holds until then."""
        if self._parts and (len(self._parts) > 1 or not self._parts[0].isspace()):
            text, links = self._settle(preserve=self._preserve > 0)
            if text and not text.isspace():
                self._write(text, links)
                self._kind, self._level, self._item = "text", 0, ""
        elif self._parts:
            self._parts.clear()
        self._joined = -1

    def _write(self, text: str, links: list[LinkSpan]) -> None:
        if self._preserve:
            self.canon.verbatim(text, links=links)
        elif self._kind == "text" and self._quotes:
            self.canon.block(text, "quote", links=links)
        else:
            self.canon.block(text, self._kind, self._level, mark=self._item, links=links)

    def _settle(self, *, preserve: bool) -> tuple[str, list[LinkSpan]]:
        """Return the collected text and its links; a link that goes on begins again if it had no words yet."""
        text = unescape("".join(self._parts))
        text = laid_out(text) if preserve else " ".join(text.split())
        links: list[LinkSpan] = []
        if self._links:
            text, links = self._located(text, preserve=preserve)
        self._start_anew()
        return text, links

    def _start_anew(self) -> None:
        if not self._opened:
            self._links, self._parts = [], []
            return
        self._links = [link for link in self._opened if link.url and not link.used]
        self._parts = [_LINK] * len(self._links)

    def _located(self, text: str, *, preserve: bool) -> tuple[str, list[LinkSpan]]:
        """Take the marks of links out of a text, and return it with the places of the links."""
        parts: list[str] = []
        links: list[LinkSpan] = []
        begun: list[tuple[int, _Link]] = []
        waiting = iter(self._links)
        length, last = 0, " "
        for piece in _MARKS.split(text):
            if piece == _LINK:
                link = next(waiting, None)
                if link is not None:
                    begun.append((length, link))
            elif piece == _LINK_END:
                if begun:
                    start, link = begun.pop()
                    links.append((start, length, link.url))
            elif piece:
                if last == " " and piece[0] == " " and not preserve:
                    piece = piece[1:]
                if piece:
                    parts.append(piece)
                    length += len(piece)
                    last = piece[-1]
        text = "".join(parts)
        for start, link in begun:
            if text[start:].strip():
                link.used = True
                links.append((start, length, link.url))
        return text, links


def closing(pieces: Tokens, at: int) -> int:
    """Return the index behind the end of the element whose tag is at `at`."""
    end = _closing(pieces, at, len(pieces))
    return len(pieces) if end is None else end


def _closing(pieces: Tokens, at: int, limit: int) -> int | None:
    tag = pieces[at]
    end, depth = f"/{tag}", 0
    for other in range(at, limit, 3):
        if pieces[other] == tag:
            depth += 1
        elif pieces[other] == end:
            depth -= 1
            if depth == 0:
                return other + 3
    return None


def _escape(text: str) -> str:
    return text.replace("&", "&amp;")


def _number(written: str | None, otherwise: int) -> int:
    match = re.match(r"\s*(-?\d{1,6})", written) if written is not None else None
    return int(match[1]) if match is not None else otherwise
