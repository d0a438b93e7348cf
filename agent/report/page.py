"""Renders a recorded run as one HTML page that needs nothing else: no script, no font, no picture, no network.

Everything that is printed passes through `clean` and is escaped; a content security policy forbids whatever might
still be taken for markup. Only addresses that begin with http or https become links.
"""

import base64
import hashlib
import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crowquill import __version__
from crowquill.agent.exports import spending
from crowquill.agent.render import clean
from crowquill.agent.report.chart import HEIGHT, WIDTH
from crowquill.agent.report.facts import Report, gather
from crowquill.agent.reuse import hit_rates
from crowquill.agent.story import Story
from crowquill.errors import UserError
from crowquill.memory.blobs import BlobStore
from crowquill.memory.evidence import Quote, plain_text
from crowquill.memory.owned import write_own

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent
_MEANINGS = {
    "quoted": "its numbers, names and most words stand in one cited quote",
    "computed": "an exact computation gives it",
    "queried": "it stands in cells of a query result",
    "derived": "every number and name has a receipt; the wording is the model's",
    "unsupported": "it has no receipt",
}


def render_report(story: Story, blobs: BlobStore) -> str:
    """Return the report of a run, finished or not, as HTML."""
    report = gather(story, blobs)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            sections=_sections(report),
            spending=[row for row in spending(story) if row["by"] != "task"],
            caches=hit_rates(story.effects),
            settings=json.dumps(asdict(report.config), ensure_ascii=False, indent=2),
            meanings=_MEANINGS,
            width=WIDTH,
            height=HEIGHT,
            version=__version__,
        )
    )


def write_report(story: Story, blobs: BlobStore, out: Path) -> None:
    """Write the report of a run to a file. Raises UserError when it cannot be written."""
    page = render_report(story, blobs)
    try:
        write_own(out, page)
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror}") from error


def _sections(report: Report) -> list[tuple[str, str]]:
    """Return names and ids of the sections that the report has."""
    there = (
        ("Answer", "answer", True),
        ("Warnings", "warnings", report.warnings),
        ("Receipts", "receipts", report.receipts.views),
        ("Why this answer", "score", report.candidates),
        ("Sources", "sources", report.sources),
        ("Plan", "plan", report.tasks),
        ("Steps", "steps", report.steps),
        ("Decisions", "decisions", report.decisions),
        ("Budget", "spending", report.charts),
        ("Pages", "pages", report.receipts.pages),
        ("Settings", "settings", True),
    )
    return [(name, section) for name, section, has in there if has]


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # 60 ms, and only a report needs it
    from markupsafe import Markup, escape

    def shown(value: Any) -> Any:
        return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    def link(url: str) -> Markup:
        text = escape(clean(url))
        if not url.startswith(("https://", "http://")):
            return text
        return Markup('<a href="{0}" rel="noreferrer nofollow">{0}</a>').format(clean(url))

    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, finalize=shown, trim_blocks=True
    )
    style = (_HERE / "report.css").read_text(encoding="utf-8")
    style_hash = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment.globals.update(link=link, style=Markup(style), style_hash=style_hash)  # noqa: S704 - a file of ours
    environment.filters.update(plain=plain_text, place=_place)
    return environment


def _place(quote: Quote) -> str:
    """Say where on its page a quote stands."""
    first, last = quote.lines
    lines = f"line {first}" if first == last else f"lines {first}–{last}"
    return lines if quote.page is None else f"page {quote.page}, {lines}"
