"""From the tags and texts of a page to canonical text, in one pass without recursion."""

import re
from collections.abc import Callable, Mapping

from crowquill.memory.snapshot import LineKind
from crowquill.tools.browser.canonical import Canon, LinkSpan
from crowquill.tools.browser.links import Joiner
from crowquill.tools.browser.markup import Tokens, attributes, closing, closing_within, escape, number, unescape
from crowquill.tools.browser.running import Running
from crowquill.tools.browser.table import Cell, Table, span
from crowquill.tools.browser.visible import is_hidden

_SPECIAL = re.compile(r"""hidden| style="| id="| name=\"""")
"""Attributes that may hide an element, or give links a place to lead to."""


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_SKIPPED = _tags("template svg object embed head title canvas audio video select textarea datalist map rt rp")
"""Elements whose content is no text to read."""
_VOID = _tags("area base br col embed hr img input link meta param source track wbr")
_BLOCKS = _tags(
    "p div section article main body caption figure figcaption details summary form fieldset legend address hr"
    " center nav footer header aside dialog search hgroup"
)
_EXPONENT = re.compile(r"\s*[-+−–]?\d+\s*")
_FOOTNOTE = re.compile(r"\s*[\[(]?[\w†‡*§¶ ]{1,12}[\])]?\s*")
_SIGNPOST = 14  # tokens that the mark of a footnote may have
_ANCHORS = 3000
_LONGEST_ANCHOR = 200


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
        self._text = Running()
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
                self._text.parts.append(text)
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
            self._text.parts.append(" ")
        elif self._joined < 0 or "".join(self._text.parts[self._joined :]).strip():
            self._flush()

    def _end_block(self, _: str) -> None:
        if self._row is not None:
            self._text.parts.append(" ")
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
            self._lists.append(number(attributes(written).get("start"), 1) - 1)

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
            place = self._lists[-1] + 1
            if " value=" in written:
                place = number(attributes(written).get("value"), place)
            self._lists[-1] = place
            self._item = f"{place}."

    def _dt(self, _: str) -> None:
        self._block("")
        if self._row is None:
            self._kind, self._level, self._item = "item", max(len(self._lists), 1), "-"

    def _dd(self, _: str) -> None:
        """A definition stands on the line of its term."""
        term = "".join(self._text.parts).rstrip()
        if self._kind == "item" and term and self._row is None:
            self._text.parts = [term.removesuffix(":"), ": "]
            self._joined = len(self._text.parts)
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
        form = number(attributes(written).get(self.mark), 0)
        self.forms.setdefault(form, len(self.canon.lines) + 1)

    # --- inside a line ---

    def _a(self, written: str) -> None:
        self._text.begin_link(self._address(written))

    def _end_a(self, _: str) -> None:
        self._text.end_link()

    def _address(self, written: str) -> str:
        href = attributes(written).get("href") if "href=" in written else None
        return self.join(href) if href is not None else ""

    def _br(self, _: str) -> None:
        if self._preserve:
            self._text.parts.append("\n")
        elif self._kind == "heading" or self._row is not None:
            self._text.parts.append(" ")
        else:
            self._flush()

    def _img(self, written: str) -> None:
        if " alt=" in written:
            given = attributes(written)
            if not is_hidden(given) or "math" in given.get("class", ""):  # formulas as pictures are hidden
                self._text.parts.append(f" {escape(given.get('alt', ''))} ")

    def _math(self, written: str) -> None:
        self._text.parts.append(escape(attributes(written).get("alttext", "")))
        self._skip("math")

    def _sup(self, _: str) -> None:
        end = closing_within(self._tokens, self._at - 3, self._at + 3 * _SIGNPOST)
        if end is None:
            return
        inside = self._tokens[self._at - 1 : end - 3]
        text = "".join(piece for piece in inside[::3] if piece)
        tags = [piece for piece in inside[1::3] if piece is not None]
        if not tags and _EXPONENT.fullmatch(text) and self._text.last.isalnum():
            self._text.parts.append("^")
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
        self._text.clear()
        self._row.append(Cell(span(given.get("colspan")), span(given.get("rowspan")), is_head))

    def _end_cell(self, _: str) -> None:
        if self._row is None:
            self._flush()
        elif self._row:
            self._row[-1].settled = self._text.settle(preserve=False)

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
        self._text.clear()

    # --- ends of blocks ---

    def _flush(self) -> None:
        """End the block, if there is anything in it; what kind of block it is holds until then."""
        if not self._text.is_blank:
            text, links = self._text.settle(preserve=self._preserve > 0)
            if text and not text.isspace():
                self._write(text, links)
                self._kind, self._level, self._item = "text", 0, ""
        else:
            self._text.parts.clear()
        self._joined = -1

    def _write(self, text: str, links: list[LinkSpan]) -> None:
        if self._preserve:
            self.canon.verbatim(text, links=links)
        elif self._kind == "text" and self._quotes:
            self.canon.block(text, "quote", links=links)
        else:
            self.canon.block(text, self._kind, self._level, mark=self._item, links=links)
