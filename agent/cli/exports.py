"""`crowquill runs export`: recorded runs in the formats of other programs."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from crowquill.agent.cassette import write_cassette
from crowquill.agent.exports import comparisons, demonstrations, markdown, spending
from crowquill.agent.reuse import hit_rates
from crowquill.agent.spans import export_spans, make_provider
from crowquill.agent.story import Story, read_story
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.errors import UserError
from crowquill.memory.owned import write_own

Format = Literal["demonstrations", "comparisons", "markdown", "otel", "usage", "cassette"]


def export_runs(workspace: Path | None, names: list[str], form: Format, out: Path | None, *, as_json: bool) -> int:
    """Export runs to a file, or to standard output."""
    place = Workspace(find_workspace(workspace))
    stories = [read_story(place, name) for name in names]
    if form == "otel":
        provider = make_provider(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))
        count = sum(export_spans(story, provider) for story in stories)
        typer.echo(f"{count} spans", err=True)
    elif form == "cassette":
        if out is None:
            raise UserError("a cassette needs a file: --out FILE.jsonl")
        typer.echo(
            f"{sum(write_cassette(place.database, story.record, out) for story in stories)} effects", err=True
        )
    elif form == "usage" and not as_json and out is None:
        for story in stories:
            console = Console(highlight=False)
            console.print(_table(story))
            for rate in hit_rates(story.effects):
                others = f", {rate.similar} of them told to another question" if rate.similar else ""
                console.print(f"{rate.cache}: {rate.hits} of {rate.asked} from a cache{others}")
    else:
        _write("".join(_texts(stories, form)), out)
    return 0


def _texts(stories: list[Story], form: Format) -> Iterator[str]:
    if form == "comparisons":
        yield from map(_line, comparisons(stories))
    for story in stories:
        if form == "markdown":
            yield markdown(story)
        elif form == "demonstrations":
            yield from map(_line, demonstrations(story))
        elif form == "usage":
            caches = [asdict(rate) for rate in hit_rates(story.effects)]
            yield _line({"schema": 1, "run": story.record.id, "usage": spending(story), "caches": caches})


def _line(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False) + "\n"


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
        return
    try:
        write_own(out, text, errors="surrogatepass")
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror}") from error


def _table(story: Story) -> Table:
    columns = ("by", "name", "calls", "reused", "prompt", "cached", "completion", "usd", "seconds")
    table = Table(*columns, title=f"run {story.record.id}", box=None, header_style="dim", title_justify="left")
    for row in spending(story):
        table.add_row(*("?" if row[name] is None else f"{row[name]}" for name in columns))
    return table
