"""Options that many commands have."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Workspace = Annotated[
    Path | None,
    typer.Option(
        "--workspace", help="Folder for journal and memory.", envvar="CROWQUILL_WORKSPACE", show_default=False
    ),
]
Databases = Annotated[
    list[str] | None,
    typer.Option(
        help="SQLite or DuckDB file, or URL (postgresql://USER@HOST/NAME, mysql://…), also as NAME=URL; 'pocket' is"
        " shipped. Repeatable."
    ),
]
Data = Annotated[
    list[str] | None,
    typer.Option(help="CSV, TSV, Parquet, JSON(L) or Excel file, or a folder of them. Repeatable."),
]
Mode = Annotated[
    Literal["auto", "ask", "strict"] | None,
    typer.Option(
        help="auto only reads; ask asks before anything is written, sent or executed; strict also plans it first.",
        show_default="ask where somebody can be asked, else auto",
    ),
]
SafetyFile = Annotated[
    Path | None,
    typer.Option("--safety", help="YAML file with the key safety: approvals, hosts.", show_default="config.yaml"),
]
AllowWrite = Annotated[
    bool,
    typer.Option("--allow-write", help="Let the databases be changed; each change is shown, and you are asked."),
]
AllowHost = Annotated[list[str] | None, typer.Option(help="Private host:port that may be fetched. Repeatable.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
RunId = Annotated[str, typer.Argument(help="Run id, or its beginning; 'last' is the newest.")]
Events = Annotated[bool, typer.Option("--events", help="Print every event as a line of JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No live view.")]
Js = Annotated[bool, typer.Option("--js", help="Run the scripts of pages, in the system's Chromium.")]
Refresh = Annotated[bool, typer.Option("--refresh", help="Fetch pages again, also kept ones.")]
Search = Annotated[
    str | None,
    typer.Option(
        help="Web search providers in order, as tavily,brave,searxng,wikipedia,ddg; a+b asks both and merges.",
        show_default="ddg,wikipedia",
    ),
]
ModelName = Annotated[
    str | None,
    typer.Option(
        help="local, openai:NAME, http://HOST:PORT/v1#NAME, langchain:PROVIDER:NAME or scripted:FILE.",
        envvar="CROWQUILL_MODEL",
        show_default="local",
    ),
]
PolicyText = Annotated[str | None, typer.Option(help="guided, json or tools; by the model when not given.")]
Corpora = Annotated[
    list[str] | None, typer.Option(help="Indexed folder to search; 'pocket' is shipped. Repeatable.")
]
Web = Annotated[
    bool | None,
    typer.Option(
        "--web/--no-web",
        help="Live search and fetching; on when no corpus, db or data is given.",
        show_default=False,
    ),
]
BudgetText = Annotated[
    str | None, typer.Option(help="Limits, as steps=20,tokens=8000,usd=0.5,seconds=120.", show_default="steps=40")
]
UseMemory = Annotated[bool, typer.Option("--memory/--no-memory", help="Use evidence of earlier runs.")]
SelectText = Annotated[
    str | None,
    typer.Option(
        help="Choose among candidates: best_of_n:4, weighted:4, majority:4, auto:8; further settings behind"
        " commas: share=evidence|plan|nothing, threshold=, at_once=, judge=grade|pairs|gold|grade+gold|pairs+gold.",
        show_default="single",
    ),
]
JudgeModel = Annotated[
    str | None,
    typer.Option(
        "--judge", help="Model that grades the answer, better not the one that writes it.", show_default="none"
    ),
]
GoldModel = Annotated[
    str | None,
    typer.Option(
        "--gold", help="Model that grades the winner for the report alone.", show_default="that of --judge"
    ),
]
ProfileFile = Annotated[
    Path | None, typer.Option(help="YAML file: name, style, rules, knowledge folder and tools of the agent.")
]
Engine = Annotated[Literal["local", "ray"], typer.Option(help="local: here; ray: a cluster (extra cluster).")]
Address = Annotated[str | None, typer.Option(help="Address of a Ray cluster.", show_default="one on this machine")]
AtOnce = Annotated[
    int | None, typer.Option(help="Runs at once.", min=1, show_default="1; with --engine ray as many as fit")
]
CallsPerMinute = Annotated[
    float | None, typer.Option(help="Model calls a minute, of all runs at once together.", min=0.1)
]
Cpus = Annotated[
    float | None,
    typer.Option(
        "--cpus-per-run", help="Processors that a run takes, with --engine ray.", min=0.0, show_default="1"
    ),
]
MemoryGib = Annotated[
    float | None, typer.Option("--memory-per-run", help="GiB that a run takes, with --engine ray.", min=0.001)
]
