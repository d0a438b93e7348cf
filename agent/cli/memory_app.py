"""The commands of `crowquill memory`. Each imports what it needs when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from crowquill.agent.cli.options import AsJson, Workspace

memory_app = typer.Typer(
    help="What earlier runs have verified, and what you want remembered.", no_args_is_help=True
)

Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", help="Only quote, computation, table, answer, insight, lesson, skill or note."),
]
Namespace = Annotated[
    list[str] | None,
    typer.Option("--namespace", "-n", help="Only records of this namespace ('' is that of runs). Repeatable."),
]
Source = Annotated[str, typer.Option(help="Only records whose page has this in its URL or title.")]
Since = Annotated[str, typer.Option(help="Only records stored since: 2026-11-03, or 7d (days; h, w).")]
Until = Annotated[str, typer.Option(help="Only records stored before: 2026-11-03, or 7d.")]
OfRun = Annotated[str, typer.Option("--run", help="Only what this run met; 'last' is the newest.")]
Ids = Annotated[list[str], typer.Argument(help="Ids of records, or their beginnings.", metavar="ID…")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


@memory_app.command("search")
def memory_search(
    query: Annotated[str, typer.Argument(help="What to look for; without it, the newest records.")] = "",
    limit: Annotated[int, typer.Option(help="How many.", min=1)] = 8,
    kind: Kinds = None,
    namespace: Namespace = None,
    source: Source = "",
    since: Since = "",
    until: Until = "",
    run: OfRun = "",
    shelved: Annotated[bool, typer.Option("--shelved", help="Shelved, merged and expired ones, too.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say why each stands where it stands.")] = False,
    diverse: Annotated[bool, typer.Option("--diverse", help="Prefer what says something new (MMR).")] = False,
    per_source: Annotated[int | None, typer.Option(help="At most so many of one page.", min=1)] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="What counts more or less than usual, as recency=0.3,trust=0."),
    ] = None,
    pack: Annotated[
        int | None,
        typer.Option(help="Only what fits into so many tokens, the strongest at both ends, for a prompt.", min=1),
    ] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Search what is remembered, by words and by meaning."""
    from crowquill.agent.cli.memory import Search, search
    from crowquill.agent.cli.selecting import Selection
    from crowquill.memory.retrieve import Way

    selection = Selection(tuple(kind or ()), tuple(namespace or ()), source, since, until, run, shelved)
    asked = Search(query, limit, selection, Way(diverse=diverse, per_source=per_source), weights, pack)
    raise typer.Exit(search(workspace, asked, explain=explain, as_json=as_json))


@memory_app.command("show")
def memory_show(
    record: Annotated[str, typer.Argument(help="Id of a record, or its beginning.", metavar="ID")],
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Show a record: where it comes from, how far it is trusted and why, what it is related to."""
    from crowquill.agent.cli.memory import show

    raise typer.Exit(show(workspace, record, as_json=as_json))


@memory_app.command("add")
def memory_add(
    text: Annotated[str, typer.Argument(help="What to remember; '-' reads standard input.")],
    title: Annotated[str, typer.Option(help="What it is about.")] = "",
    cites: Annotated[
        list[str] | None, typer.Option(help="Id of a record it rests on. Repeatable.", show_default=False)
    ] = None,
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Where to keep it.")] = "",
    importance: Annotated[float, typer.Option(help="From 0 to 1.", min=0.0, max=1.0)] = 0.5,
    expires: Annotated[str, typer.Option(help="Not recalled after: 30d (h, w).")] = "",
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Write a note down. It is found by people; as it has no receipt, no answer can cite it."""
    from crowquill.agent.cli.memory import Noted, add

    noted = Noted(text, title, tuple(cites or ()), namespace, importance, expires)
    raise typer.Exit(add(workspace, noted, as_json=as_json))


@memory_app.command("forget")
def memory_forget(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids, or their beginnings.", metavar="ID…")] = None,
    query: Annotated[str, typer.Option(help="Records that hold all these words.", show_default=False)] = "",
    kind: Kinds = None,
    namespace: Namespace = None,
    source: Source = "",
    since: Since = "",
    until: Until = "",
    run: OfRun = "",
    runs: Annotated[
        bool, typer.Option("--with-runs", help="Delete the runs that met them, too: their journals hold the text.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: DryRun = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Delete records for good: rows, pages, words and vectors, with every note that rests on them."""
    from crowquill.agent.cli.forgetting import Forgetting, forget_records
    from crowquill.agent.cli.selecting import Selection

    selection = Selection(tuple(kind or ()), tuple(namespace or ()), source, since, until, run, True)
    asked = Forgetting(tuple(ids or ()), query, selection, runs, dry_run)
    raise typer.Exit(forget_records(workspace, asked, yes=yes, as_json=as_json))


@memory_app.command("shelve")
def memory_shelve(
    ids: Ids,
    why: Annotated[str, typer.Option(help="The reason, shown with them.")] = "a person has shelved it",
    workspace: Workspace = None,
) -> None:
    """Keep records, but recall them no more."""
    from crowquill.agent.cli.memory import shelve_records

    raise typer.Exit(shelve_records(workspace, ids, why))


@memory_app.command("restore")
def memory_restore(ids: Ids, workspace: Workspace = None) -> None:
    """Recall shelved records again."""
    from crowquill.agent.cli.memory import restore_records

    raise typer.Exit(restore_records(workspace, ids))


@memory_app.command("tidy")
def memory_tidy(
    capacity: Annotated[
        int | None, typer.Option(help="Keep so many records; the least valuable are deleted.", min=0)
    ] = None,
    dry_run: DryRun = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Shelve what has expired, and keep the memory within a size."""
    from crowquill.agent.cli.upkeep import tidy_memory

    raise typer.Exit(tidy_memory(workspace, capacity, dry=dry_run, as_json=as_json))


@memory_app.command("stats")
def memory_stats(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Say what is remembered, by kind, namespace and state."""
    from crowquill.agent.cli.upkeep import stats

    raise typer.Exit(stats(workspace, as_json=as_json))


@memory_app.command("audit")
def memory_audit(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Check every record against its page, and that both indexes find every record; what is broken is rebuilt."""
    from crowquill.agent.cli.upkeep import audit_memory

    raise typer.Exit(audit_memory(workspace, as_json=as_json))


@memory_app.command("export")
def memory_export(
    out: Annotated[Path | None, typer.Argument(help="File to write.", show_default="standard output")] = None,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Only this namespace.", show_default="all")
    ] = None,
    workspace: Workspace = None,
) -> None:
    """Write the memory as lines of JSON, with pages and history; import takes it over without loss."""
    from crowquill.agent.cli.transfer import export_memory

    raise typer.Exit(export_memory(workspace, out, namespace))


@memory_app.command("import")
def memory_import(
    source: Annotated[
        Path, typer.Argument(help="A file of memory export; or a document, or a folder of them.", exists=True)
    ],
    name: Annotated[
        str | None,
        typer.Option(help="Namespace of the documents, for ask --knowledge NAME; else the folder's name."),
    ] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Take over an export, or learn documents (HTML, Markdown, PDF, text) as trusted knowledge."""
    from crowquill.agent.cli.transfer import import_memory

    raise typer.Exit(import_memory(workspace, source, name, as_json=as_json))


@memory_app.command("reflect")
def memory_reflect(
    model: Annotated[
        str | None, typer.Option(help="Model that thinks.", envvar="CROWQUILL_MODEL", show_default="local")
    ] = None,
    questions: Annotated[int, typer.Option(help="Key questions to ask of the newest records.", min=1, max=10)] = 3,
    topics: Annotated[bool, typer.Option("--topics", help="Sum up groups of alike records instead.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Think about what is remembered: insights that cite records, kept only if code finds them supported."""
    from crowquill.agent.cli.reflecting import reflect

    raise typer.Exit(
        reflect(workspace, "local" if model is None else model, None if topics else questions, as_json=as_json)
    )


@memory_app.command("teach")
def memory_teach(
    run: Annotated[str, typer.Argument(help="The run whose answer was wrong; 'last' is the newest.")],
    correction: Annotated[str, typer.Argument(help='What was wrong, as a rule: "give lengths in miles".')],
    workspace: Workspace = None,
) -> None:
    """Correct an answer: what you say is shown with similar questions from then on."""
    from crowquill.agent.cli.reflecting import teach

    raise typer.Exit(teach(workspace, run, correction))
