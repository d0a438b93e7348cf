"""Pages that are not HTML: plain text, CSV, JSON, XML and Markdown."""

import csv
import json
import re
from itertools import islice

from crowquill.tools.browser.canonical import Canon, folded, preserved

_PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")
# Lines that mean something as lines: indented, in columns, list items, quoted, ruled, or ending early.
_SHAPED = re.compile(
    r"^(?:[ \t]{3,}|\s*(?:[-*+•>|]|\d{1,3}[.)])\s)|\S(?: {3,}|\t)\S|^[-=_*#~+|]{4,}$", re.MULTILINE
)
_SHORT = 45
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+|"')
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_DEEPEST = 30
_ROWS = 200_000


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")


def plain_text(text: str) -> Canon:
    """Render text: paragraphs become sentences; what is laid out in lines or columns stays in its lines."""
    canon = Canon()
    for paragraph in _PARAGRAPHS.split(_lines(text)):
        rows = [row for row in paragraph.split("\n") if row.strip()]
        is_shaped = _SHAPED.search(paragraph) is not None or (
            len(rows) > 2 and max(len(row) for row in rows[:-1]) < _SHORT
        )
        if is_shaped:
            canon.verbatim(preserved(paragraph), "text")
        else:
            canon.block(folded(paragraph))
    return canon


def comma_separated(text: str) -> Canon:
    """Render CSV: each record is a row with its fields between bars; what is no CSV is shown as text."""
    canon = Canon()
    head = text[:4000]
    separator = max(",;\t|", key=lambda mark: head.count(mark))
    try:
        for record in islice(csv.reader(_lines(text).split("\n"), delimiter=separator), _ROWS):
            canon.block(folded(" | ".join(field.strip() for field in record)), "row")
    except csv.Error:
        return plain_text(text)
    return canon


def json_text(text: str) -> Canon:
    """Render JSON with one member on each line. Figures stay as they are written: 1.10 is not 1.1."""
    canon = Canon()
    depth = 0
    pieces: list[str] = []
    for match in _TOKEN.finditer(text):
        match match[0]:
            case "[" | "{" as bracket:
                depth += 1
                pieces.append(bracket + _indent(depth))
            case "]" | "}" as bracket:
                depth -= 1
                pieces.append(_indent(depth) + bracket)
            case ",":
                pieces.append("," + _indent(depth))
            case ":":
                pieces.append(": ")
            case word:
                pieces.append(_readable(word))
    canon.verbatim(preserved("".join(pieces)))
    return canon


def _indent(depth: int) -> str:
    return "\n" + " " * max(0, min(depth, _DEEPEST))


def _readable(word: str) -> str:
    if not word.startswith('"') or "\\" not in word:
        return word
    try:
        return json.dumps(json.loads(word), ensure_ascii=False)
    except ValueError:
        return word


def verbatim(text: str) -> Canon:
    """Render text as it is, line by line."""
    canon = Canon()
    canon.verbatim(preserved(_lines(text)))
    return canon


def markdown_to_html(text: str) -> str:
    """Turn Markdown into HTML. HTML in it is kept: it is rendered like any page. Front matter is shown as code."""
    from markdown_it import MarkdownIt  # only Markdown needs it

    text = _FRONT_MATTER.sub(lambda match: f"~~~\n{match[1]}~~~\n\n", _lines(text.removeprefix("\ufeff")))
    html: str = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)
    return html
