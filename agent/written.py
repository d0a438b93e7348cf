"""Finished answers as files: Markdown with sources, data as JSON, tables as CSV with a receipt for each cell."""

import csv
import io
import json
import re
from collections.abc import Sequence

from crowquill.agent.answer import Answer, Output
from crowquill.agent.exports import escape
from crowquill.agent.render import one_line
from crowquill.memory.evidence import Evidence, Quote, Table, plain_text

_FORMULA = re.compile(r"^[=+@\t\r-]")
_PLAIN_NUMBER = re.compile(r"[-+]?[\d.,]+%?")
_NO_RECEIPT = "no receipt"


def as_markdown(answer: Answer) -> str:
    """Return the answer with its sources, the warnings about it, and what it leaves open."""
    doubts = [f"{_line(claim.text)} — {_line(claim.problem)}" for claim in answer.claims if claim.problem]
    doubts += map(_line, answer.problems)
    doubts += [f"All of it rests on one source: {_line(answer.carrier)}"] if answer.carrier else []
    said = {number: f" (translated by the model: “{_line(text)}”)" for number, text in answer.translations}
    sources = [f"{number}. {_source(item)}{said.get(number, '')}" for number, item in enumerate(answer.evidence, 1)]
    against = answer.objection
    objection = (
        [] if against is None else [_line(against.text), "", *(f"- {_source(item)}" for item in against.evidence)]
    )
    parts = [
        [f"# {_line(answer.objective)}", "", _cited(answer)],
        _section("Sources", sources),
        _section("Against it, says the judge", objection),
        _section("To be checked", [f"- {doubt}" for doubt in doubts]),
        _section("Left open", [f"- {_line(goal)}" for goal in answer.open]),
    ]
    return "\n".join(line for part in parts for line in part) + "\n"


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"## {title}", "", *lines] if lines else []


def _line(text: str, limit: int = 600) -> str:
    return escape(one_line(text, limit))


def _cited(answer: Answer) -> str:
    """Return the text with its marks of citation readable."""
    return re.sub(r"\\\[(\d+)\\\]", r"[\1]", escape(answer.text))


def _source(item: Evidence) -> str:
    if isinstance(item, Quote):
        where = f"{_line(item.source.title, 120)}, line {item.lines[0]}, <{_url(item.source.url)}>"
        return f"“{_line(item.text)}” — {where}"
    if isinstance(item, Table):
        return f"{_line(plain_text(item))} — `{one_line(item.sql, 300).replace('`', ' ')}`"
    return f"{_line(plain_text(item))} — computed exactly"


def _url(url: str) -> str:
    """Return a URL as it may stand between angle brackets."""
    return url.replace("<", "%3C").replace(">", "%3E").replace(" ", "%20")


def as_json(output: Output) -> str:
    """Return the data as JSON."""
    return json.dumps(output.data, ensure_ascii=False, indent=2) + "\n"


def as_csv(output: Output, columns: Sequence[str], evidence: Sequence[Evidence]) -> str:
    """Return the table: after each column one that says where its value stands.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([_cell(part) for name in columns for part in (name, f"{name} (source)")])
    receipts = dict(output.receipts)
    for number, row in enumerate(output.data["rows"]):
        cells: list[str] = []
        for name in columns:
            value = row.get(name)
            pointer = f"/rows/{number}/{name.replace('~', '~0').replace('/', '~1')}"
            found = [_place(evidence[at - 1]) for at in receipts.get(pointer, ())]
            missing = "" if value in (None, "") else _NO_RECEIPT
            cells += ["" if value is None else _cell(str(value)), _cell("; ".join(found) or missing)]
        writer.writerow(cells)
    return stream.getvalue()


def _place(item: Evidence) -> str:
    if isinstance(item, Quote):
        return f"{item.source.url} line {item.lines[0]}: “{one_line(item.text, 300)}”"
    if isinstance(item, Table):
        return f"{item.database}: {one_line(item.sql, 300)}"
    return one_line(plain_text(item), 300)


def _cell(text: str) -> str:
    line = one_line(text, 1000)
    return f"'{line}" if _FORMULA.match(line) and not _PLAIN_NUMBER.fullmatch(line) else line
