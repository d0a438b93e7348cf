"""The command `crowquill chat`, and what `crowquill` alone does. It imports what it needs when it runs."""

import typer

from crowquill.agent.cli.options import (
    AllowHost,
    AllowWrite,
    BudgetText,
    Corpora,
    Data,
    Databases,
    Mode,
    ModelName,
    PolicyText,
    ProfileFile,
    Quiet,
    SafetyFile,
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
    allow_host: AllowHost = None,
    budget: BudgetText = None,
    memory: UseMemory = True,
    select: SelectText = None,
    profile: ProfileFile = None,
    workspace: Workspace = None,
    mode: Mode = None,
    safety: SafetyFile = None,
    allow_write: AllowWrite = False,
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
        mode=mode,
        safety=safety,
        allow_write=allow_write,
    )
    raise typer.Exit(run_chat(options, quiet=quiet))


def start() -> int:
    """Begin a session with the environment's and the user's own settings."""
    import os

    from crowquill.agent.cli.ask import AskOptions
    from crowquill.agent.cli.chat.loop import run_chat

    return run_chat(AskOptions(model=os.environ.get("CROWQUILL_MODEL") or None), quiet=False)
