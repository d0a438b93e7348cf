"""The command `crowquill chat`, and what `crowquill` alone does. It imports what it needs when it runs."""

from typing import Annotated

import typer

from crowquill.agent.cli.options import (
    AllowHosts,
    BudgetText,
    Corpora,
    Data,
    Databases,
    ModelName,
    PolicyText,
    ProfileFile,
    Quiet,
    Search,
    SelectText,
    UseMemory,
    Web,
    Workspace,
)


def chat(
    model: ModelName = None,
    policy: PolicyText = None,
    corpus: Corpora = None,
    db: Databases = None,
    data: Data = None,
    web: Web = None,
    search: Search = None,
    allow_host: AllowHosts = None,
    budget: BudgetText = None,
    memory: UseMemory = True,
    select: SelectText = None,
    profile: ProfileFile = None,
    workspace: Workspace = None,
    ask_first: Annotated[
        bool,
        typer.Option("--ask/--read-only", help="Ask before anything is written, sent or executed; or only read."),
    ] = True,
    quiet: Quiet = False,
) -> None:
    """A session: questions that follow one another, with /commands; also from a pipe, one a line.

    Ctrl-C holds a run: go on, give a hint, more budget, or have the answer now. /help lists the commands.
    """
    from crowquill.agent.cli.ask import AskOptions
    from crowquill.agent.cli.chat.loop import run_chat

    options = AskOptions(
        model=model,
        policy=policy,
        corpora=tuple(corpus or ()),
        databases=tuple(db or ()),
        data=tuple(data or ()),
        web=web,
        search=search,
        allow_hosts=tuple(allow_host or ()),
        budget=budget,
        memory=memory,
        select=select,
        profile=profile,
        workspace=workspace,
    )
    raise typer.Exit(run_chat(options, asks=ask_first, quiet=quiet))


def start() -> int:
    """Begin a session with the environment's and the user's own settings."""
    import os

    from crowquill.agent.cli.ask import AskOptions
    from crowquill.agent.cli.chat.loop import run_chat

    return run_chat(AskOptions(model=os.environ.get("CROWQUILL_MODEL") or None), asks=True, quiet=False)
