"""The command line. Each command imports what it needs when it runs, so that `--version` stays quick."""

import gc
import resource
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from crowquill import __version__
from crowquill.agent.cli.chat_app import chat, start
from crowquill.agent.cli.critic_app import compare, critic_app
from crowquill.agent.cli.memory_app import memory_app
from crowquill.agent.cli.options import (
    Address,
    AllowHost,
    AllowWrite,
    AsJson,
    AtOnce,
    BudgetText,
    CallsPerMinute,
    Corpora,
    Cpus,
    Data,
    Databases,
    Engine,
    Events,
    GoldModel,
    Js,
    JudgeModel,
    MemoryGib,
    Mode,
    ModelName,
    PolicyText,
    ProfileFile,
    Quiet,
    Refresh,
    SafetyFile,
    Search,
    SelectText,
    UseMemory,
    Web,
    Workspace,
)
from crowquill.agent.cli.runs_app import runs_app
from crowquill.agent.cli.terminal import prepare_output
from crowquill.errors import CrowquillError

app = typer.Typer(
    name="crowquill",
    help="A research agent whose answers can be checked: every statement has a receipt.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
models_app = typer.Typer(help="The embedded model: list and download.", no_args_is_help=True)
app.command()(compare)
app.add_typer(critic_app, name="critic")
app.add_typer(runs_app, name="runs")
app.add_typer(memory_app, name="memory")
app.add_typer(models_app, name="models")


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"crowquill {__version__}")
        raise typer.Exit


app.command()(chat)


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """A research agent whose answers can be checked: every statement has a receipt.

    Without a command it is a session: crowquill chat.
    """
    if context.invoked_subcommand is None:
        raise typer.Exit(start())


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question or objective.")],
    model: ModelName = None,
    policy: PolicyText = None,
    corpus: Corpora = None,
    db: Databases = None,
    data: Data = None,
    web: Web = None,
    search: Search = None,
    refresh: Refresh = False,
    proxy: Annotated[
        str, typer.Option(help="HTTP proxy for the web.", envvar="CROWQUILL_PROXY", show_default="none")
    ] = "",
    contact: Annotated[
        str, typer.Option(help="Your address, shown to sites.", envvar="CROWQUILL_CONTACT", show_default="none")
    ] = "",
    js: Js = False,
    allow_host: AllowHost = None,
    allow_write: AllowWrite = False,
    budget: BudgetText = None,
    memory: UseMemory = True,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Use replies of earlier runs to the very same requests.")
    ] = True,
    similar: Annotated[
        float | None,
        typer.Option(
            help="Also use a model's replies to questions at least this alike, up to 1. No value is safe: opposite"
            " questions come to 0.99. Each use is said.",
            show_default="off",
        ),
    ] = None,
    select: SelectText = None,
    judge: JudgeModel = None,
    gold: GoldModel = None,
    examples: Annotated[
        Path | None, typer.Option(help="Demonstrations (runs export) to show to a model of the json policy.")
    ] = None,
    profile: ProfileFile = None,
    knowledge: Annotated[
        list[str] | None, typer.Option(help="Documents learned by memory import, by name. Repeatable.")
    ] = None,
    recall: Annotated[
        Literal["plain", "multi", "hyde", "corrective"],
        typer.Option(help="How memory is asked: with rewordings, with a made-up answer, or graded by the model."),
    ] = "plain",
    mode: Mode = None,
    safety: SafetyFile = None,
    plan: Annotated[
        Literal["auto", "stepwise", "plan_once"],
        typer.Option(help="stepwise: more tasks after each batch; plan_once: the whole way at first."),
    ] = "auto",
    layout: Annotated[
        Literal["blocks", "transcript"] | None,
        typer.Option(help="Prompts of json and tools: each anew and short, or a conversation.", show_default=False),
    ] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    events: Events = False,
    quiet: Quiet = False,
    report: Annotated[
        Path | None, typer.Option(help="Write an HTML page with the answer, its receipts and all steps.")
    ] = None,
) -> None:
    """Answer a question, with receipts.

    Exit codes: 0 answered, 1 error, 2 usage, 3 not found or refused, 4 partial (budget, stalled), 5 paused,
    130 cancelled.
    """
    from crowquill.agent.cli.ask import AskOptions, run_ask
    from crowquill.tools.fetching import Fetching

    options = AskOptions(
        model=model,
        policy=policy,
        corpora=tuple(corpus or ()),
        databases=tuple(db or ()),
        data=tuple(data or ()),
        web=web,
        search=search,
        fetching=Fetching(refresh, proxy, contact, js),
        allow_hosts=tuple(allow_host or ()),
        budget=budget,
        memory=memory,
        select=select,
        judge=judge,
        gold=gold,
        examples=examples,
        cache=cache,
        similar=similar,
        allow_write=allow_write,
        profile=profile,
        knowledge=tuple(knowledge or ()),
        recall=recall,
        planning=plan,
        layout=layout,
        workspace=workspace,
        mode=mode,
        safety=safety,
    )
    raise typer.Exit(run_ask(question, options, as_json=as_json, events=events, quiet=quiet, report=report))


@app.command()
def run(
    files: Annotated[
        list[str] | None,
        typer.Argument(help="Task files, folders of them, or names of shipped tasks.", metavar="FILE…"),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Use this model instead of the file's.", envvar="CROWQUILL_MODEL")
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", help="Input of the task, as name=value or name=@FILE. Repeatable."),
    ] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No live view.")] = False,
    search: Search = None,
    allow_host: AllowHost = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the answer to this file; with several runs, to this folder."),
    ] = None,
    list_tasks: Annotated[bool, typer.Option("--list", help="List the shipped tasks.")] = False,
    engine: Engine = "local",
    address: Address = None,
    at_once: AtOnce = None,
    calls_per_minute: CallsPerMinute = None,
    cpus: Cpus = None,
    memory_gib: MemoryGib = None,
) -> None:
    """Run YAML task files; with `expect:` they are tests (exit code 6 when one fails)."""
    from crowquill.agent.cli.tasks import TaskOptions, list_presets, read_cluster, read_inputs, run_files

    if list_tasks:
        list_presets(as_json=as_json)
        return
    if not files:
        raise typer.BadParameter("name a task file, or --list the shipped ones", param_hint="FILE…")
    options = TaskOptions(
        model,
        read_inputs(given or ()),
        workspace,
        as_json=as_json,
        quiet=quiet,
        output=output,
        search=search,
        allow_hosts=tuple(allow_host or ()),
    )
    cluster = read_cluster(engine, at_once, calls_per_minute, address=address, cpus=cpus, memory=memory_gib)
    if engine == "ray" or at_once is not None or calls_per_minute is not None:
        from crowquill.agent.cli.many import run_many

        raise typer.Exit(run_many(files, options, cluster, ray=engine == "ray"))
    raise typer.Exit(run_files(files, options))


@app.command()
def validate(
    files: Annotated[list[str], typer.Argument(help="Task files, folders of them, or names of shipped tasks.")],
    as_json: AsJson = False,
) -> None:
    """Check task files without running them; nothing is sent or opened. Exit code 2 when one has a fault."""
    from crowquill.agent.cli.tasks import validate as check

    raise typer.Exit(check(files, as_json=as_json))


@app.command("eval")
def evaluate(
    files: Annotated[
        list[str], typer.Argument(help="Folders of task files, task files, or names of shipped tasks.")
    ],
    epochs: Annotated[int, typer.Option("--epochs", "-k", help="How often each task is run.", min=1)] = 1,
    model: Annotated[
        str | None, typer.Option(help="Use this model instead of the files'.", envvar="CROWQUILL_MODEL")
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", help="Input of the tasks, as name=value or name=@FILE. Repeatable."),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Figures of before: exit code 6 when something is worse.")
    ] = None,
    save_baseline: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    tolerance: Annotated[
        float, typer.Option(help="By how much the share of passed runs may fall.", min=0.0, max=1.0)
    ] = 0.05,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew, also after an interruption.")] = False,
    engine: Engine = "local",
    address: Address = None,
    at_once: AtOnce = None,
    calls_per_minute: CallsPerMinute = None,
    cpus: Cpus = None,
    memory_gib: MemoryGib = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Run task files as a test: pass@k with interval, scores by criterion, cost and time, and a baseline.

    Nothing of earlier runs is used. What is interrupted goes on when the command is given again.
    Exit codes: 0 all passed (with --baseline: nothing is worse), 6 not so, 5 paused, 130 cancelled.
    """
    from crowquill.agent.cli.eval import EvalOptions, run_eval
    from crowquill.agent.cli.tasks import read_cluster, read_inputs

    options = EvalOptions(
        epochs=epochs,
        model=model,
        baseline=baseline,
        save_baseline=save_baseline,
        tolerance=tolerance,
        fresh=fresh,
        ray=engine == "ray",
        cluster=read_cluster(engine, at_once, calls_per_minute, address=address, cpus=cpus, memory=memory_gib),
        inputs=read_inputs(given or ()),
        workspace=workspace,
        as_json=as_json,
    )
    raise typer.Exit(run_eval(files, options))


@app.command()
def schema() -> None:
    """Print the JSON Schema of task files, for editors: crowquill schema > crowquill-task.schema.json."""
    from crowquill.agent.cli.tasks import print_schema

    print_schema()


@app.command()
def sql(
    command: Annotated[
        str | None, typer.Argument(help="One statement or question; a session when not given.", show_default=False)
    ] = None,
    db: Databases = None,
    data: Data = None,
    model: Annotated[
        str | None,
        typer.Option(help="Model for questions in words.", envvar="CROWQUILL_MODEL", show_default="local"),
    ] = None,
    policy: Annotated[str | None, typer.Option(help="guided, json or tools; by the model when not given.")] = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the rows to a new .csv, .tsv, .json or .jsonl file.")
    ] = None,
    chart: Annotated[
        Path | None, typer.Option(help="Draw the result into a new .svg or .png file: bars, or a line over time.")
    ] = None,
    allow_write: AllowWrite = False,
    undo: Annotated[bool, typer.Option("--undo", help="Undo the last change of a SQLite file.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Look at databases and data files: schema, guarded SELECTs, questions in words, changes on request."""
    from crowquill.agent.cli.ask import AskOptions
    from crowquill.agent.cli.sql import run_sql

    options = AskOptions(
        model=model,
        policy=policy,
        databases=tuple(db or ()),
        data=tuple(data or ()),
        allow_write=allow_write or undo,
        workspace=workspace,
    )
    raise typer.Exit(run_sql(options, ".undo" if undo else command, save=save, chart=chart, as_json=as_json))


@app.command()
def index(
    folder: Annotated[
        Path, typer.Argument(help="Folder of HTML, Markdown, PDF, text and ZIM files, or a ZIM file.", exists=True)
    ],
    name: Annotated[str | None, typer.Option(help="Name of the corpus; the folder's name when not given.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Index a folder or a ZIM file so that --corpus NAME searches it; run again to bring it up to date."""
    from crowquill.agent.cli.index import run_index

    raise typer.Exit(run_index(folder, name, workspace, as_json=as_json))


@models_app.command("list")
def models_list(as_json: AsJson = False) -> None:
    """List the embedded models, their sources, and whether they are on this machine."""
    from crowquill.agent.cli.models import list_models

    raise typer.Exit(list_models(as_json=as_json))


@models_app.command("pull")
def models_pull(
    name: Annotated[str | None, typer.Argument(help="Model; the default one when not given.")] = None,
) -> None:
    """Download an embedded model, check its hash, and keep it."""
    from crowquill.agent.cli.models import pull_model

    raise typer.Exit(pull_model(name))


@app.command()
def browse(
    target: Annotated[str, typer.Argument(help="URL, file, or words to search for.", metavar="URL|QUERY")],
    corpus: Annotated[
        list[str] | None, typer.Option(help="Indexed folder to search; 'pocket' is shipped. Repeatable.")
    ] = None,
    allow_host: AllowHost = None,
    search: Search = None,
    refresh: Refresh = False,
    window: Annotated[int, typer.Option(help="Tokens shown at a time, as a model would see them.", min=50)] = 700,
    js: Js = False,
    whole: Annotated[bool, typer.Option("--whole", help="Print the page to its end, and stop.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Read a page or search, in the text browser that models use.

    Keys act at once: space, u, b, n, o, a; numbers open links; /text finds; q 3-4 quotes; ? lists them all.
    Commands may also come from a pipe, one a line.
    """
    from crowquill.agent.cli.browse import BrowseOptions, run_browse

    options = BrowseOptions(
        tuple(corpus or ()),
        tuple(allow_host or ()),
        window=window,
        search=search,
        refresh=refresh,
        js=js,
        workspace=workspace,
    )
    raise typer.Exit(run_browse(target, options, as_json=as_json, whole=whole))


@app.command()
def call(
    tool: Annotated[str, typer.Argument(help="The tool: math, search, open, sql, …; a wrong name lists them.")],
    arguments: Annotated[
        str, typer.Argument(help="A JSON object, or plain words for a tool with one argument.")
    ] = "",
    corpus: Annotated[list[str] | None, typer.Option(help="Indexed folder to search. Repeatable.")] = None,
    db: Databases = None,
    web: Annotated[bool, typer.Option("--web", help="Live search and fetching.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Write a graph to this .svg or .png file.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Call one tool by hand, as in: crowquill call math '17% of 2340'. Nothing is recorded."""
    from crowquill.agent.cli.call import CallOptions, run_call

    sources = CallOptions(tuple(corpus or ()), tuple(db or ()), web, workspace)
    raise typer.Exit(run_call(tool, arguments, sources, plot=plot, as_json=as_json))


@app.command("math")
def math_command(workspace: Workspace = None) -> None:
    """Calculate line by line: formulas, LaTeX, words, units, dates. Reads a pipe, too."""
    from crowquill.agent.cli.call import run_math

    raise typer.Exit(run_math(workspace))


@app.command()
def doctor(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Say what works here: models, sources, workspace."""
    from crowquill.agent.cli.doctor import run_doctor

    raise typer.Exit(run_doctor(workspace, as_json=as_json))


_PAGES = {
    "browse": "browser",
    "call": "maths",
    "chat": "session",
    "eval": "eval",
    "index": "task-files",
    "math": "maths",
    "models": "models",
    "run": "task-files",
    "runs": "runs",
    "sql": "sql",
    "validate": "task-files",
}
"""The page of `crowquill help` that tells more about a command's errors."""


def _more(page: str) -> str:
    command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    page = page if page else _PAGES.get(command, "tutorial")
    return "" if command == "help" else f" (more: crowquill help {page})"


@app.command("help")
def help_command(
    page: Annotated[str | None, typer.Argument(help="Name of a page; a list of all when not given.")] = None,
) -> None:
    """Show a page of the documentation."""
    from crowquill.agent.cli.guide import show_help

    show_help(page)


def main() -> None:
    """Run the command line; an error of ours is one line and exit code 2 (the user's) or 1."""
    from crowquill.agent.render import clean
    from crowquill.errors import UserError

    # For a quick start: what is imported lives on and need not be looked through again and again, and openai's
    # optional second transport, which we never use, would import aiohttp where that happens to be installed.
    gc.set_threshold(100_000, 20, 20)
    # A crash leaves no image of the memory, in which keys stand.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    prepare_output()
    sys.modules["openai._vendor.httpx_aiohttp"] = None  # type: ignore[assignment]
    try:
        app()
    except UserError as error:
        typer.echo(f"crowquill: {clean(str(error))}{_more(error.page)}", err=True)
        sys.exit(2)
    except CrowquillError as error:
        typer.echo(f"crowquill: {clean(str(error))}", err=True)
        sys.exit(1)
    except BrokenPipeError:  # the reader of a pipe has gone, as with `| head`
        sys.stderr.close()
        sys.exit(1)
