"""The first start: what will be used, where data are kept, and what else there is."""

import importlib.util
import os
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from crowquill.agent.cli.ask import AskOptions
from crowquill.agent.cli.chat.prompt import Ask
from crowquill.agent.cli.models import pull_shown
from crowquill.agent.models.catalog import find, installed
from crowquill.agent.models.resolve import resolve
from crowquill.agent.records import count_records
from crowquill.agent.settings import load_defaults, save_defaults
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.errors import CrowquillError, MissingModel
from crowquill.tasks.safety import Defaults


def is_first(options: AskOptions) -> bool:
    """Say whether nothing was ever chosen or asked here."""
    if options.model is not None or load_defaults() != Defaults():
        return False
    place = Workspace(find_workspace(options.workspace))
    try:
        return place.database.read_now(count_records) == 0
    finally:
        place.close()


def has_model(options: AskOptions) -> bool:
    """Say whether the model that is chosen, or the embedded one, can be had."""
    try:
        resolve("local" if options.model is None else options.model)
    except MissingModel:
        return False
    return True


async def introduce(options: AskOptions, console: Console, ask: Ask) -> AskOptions | None:
    """Explain what will be used and let the person choose otherwise; None when they leave."""
    chosen = options
    _explain(options, console)
    while True:
        line = await ask("model [Enter, or a name]> ")
        if line is None:
            return None
        name = line.strip() if line.strip() not in ("", "1") else "local"
        try:
            if name == "local" and not await _fetch(console, ask):
                continue
            resolve(name)
        except CrowquillError as error:
            console.print(Text(f"! {error}", "yellow"))
            continue
        chosen = replace(chosen, model=name)
        break
    if not (options.corpora or options.databases or options.data or options.web or options.search):
        line = await ask("search [Enter: the web, p: the pocket web, or a corpus]> ")
        if line is None:
            return None
        if line.strip():
            chosen = replace(chosen, corpora=("pocket",) if line.strip() == "p" else (line.strip(),))
            if line.strip() == "p":
                chosen = replace(chosen, databases=("pocket",))
    path = save_defaults(Defaults(model=chosen.model, corpus=list(chosen.corpora), db=list(chosen.databases)))
    console.print(Text(f"kept in {path}; /model, /use and /keep change it", "dim"))
    return chosen


def _explain(options: AskOptions, console: Console) -> None:
    entry = find("local")
    here = installed(entry)
    weights = "it is here" if here is not None else f"{entry.size / 1e9:.1f} GB to fetch once"
    key = "is set" if os.environ.get("OPENAI_API_KEY") else "is not set"
    place = find_workspace(options.workspace)
    console.print(Text("Welcome to Crowquill: answers whose every statement has a receipt.", "bold"))
    console.print("Nothing is configured yet. Press Enter, and this is what will be used:\n")
    grid = Grid.grid(padding=(0, 1))
    grid.add_row("  model", Text(f"local: {entry.name}, on this machine, no key, no network ({weights})"))
    grid.add_row("  search", Text("the web (DuckDuckGo and Wikipedia, free); this machine fetches the pages"))
    grid.add_row("  kept in", Text(f"{place}: journal and verified evidence; nothing calls home"))
    console.print(grid)
    console.print("\nOther models, to be typed instead:\n")
    others = Grid.grid(padding=(0, 2))
    others.add_row("  openai:gpt-5-mini", Text(f"OPENAI_API_KEY {key}; questions and quotes go there"))
    others.add_row("  http://127.0.0.1:11434/v1#qwen3", Text("Ollama, vLLM, llama.cpp, LM Studio …"))
    others.add_row("  langchain:PROVIDER:NAME", Text("any chat model of LangChain"))
    console.print(others)
    console.print()


async def _fetch(console: Console, ask: Ask) -> bool:
    """See to it that the embedded model can run; False when the person wants another."""
    if importlib.util.find_spec("xllamacpp") is None:
        console.print(Text("! the embedded model needs: pip install 'crowquill[local]'", "yellow"))
        return False
    entry = find("local")
    if installed(entry) is not None:
        return True
    line = await ask(f"fetch {entry.size / 1e9:.1f} GB now? [Enter: yes, n: no]> ")
    if line is None or line.strip().casefold().startswith("n"):
        return False
    path: Path | None = await pull_shown(entry)
    return path is not None
