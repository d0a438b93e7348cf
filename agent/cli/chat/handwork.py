"""Commands that use a tool by hand: nothing of it becomes part of an answer."""

import inspect
import os
from collections.abc import Mapping
from typing import Any

from rich.text import Text

from crowquill.agent.cli.browse import BrowseOptions, browse
from crowquill.agent.cli.call import ByHand
from crowquill.agent.cli.chat.command import Command
from crowquill.agent.cli.chat.session import Chat
from crowquill.agent.cli.view import numbered
from crowquill.agent.render import clean, one_line
from crowquill.agent.workshop import Workshop
from crowquill.errors import UserError
from crowquill.tools.search.registry import split_specs
from crowquill.tools.tool import Tool


async def sql(chat: Chat, rest: str) -> None:
    """Run a guarded statement on the session's database."""
    if not chat.agent.config.databases and not chat.agent.config.data:
        raise UserError("this session has no database: /use db FILE-OR-URL, or /use db pocket")
    if not rest.strip():
        await _call(chat, "schema", {})
        return
    await _call(chat, "sql", {"query": rest})


async def maths(chat: Chat, rest: str) -> None:
    """Calculate."""
    if not rest.strip():
        raise UserError("write a calculation, as in: /math integrate x^2 from 0 to 3")
    await _call(chat, "math", {"expression": rest})


async def _call(chat: Chat, name: str, arguments: Mapping[str, Any]) -> None:
    workshop = chat.agent.workshop(live=True)
    try:
        tools = await workshop.tools(ByHand(chat.workspace, ""))
        observation = await tools[name].call(arguments, ByHand(chat.workspace, ""))
    finally:
        workshop.close()
    chat.say(clean(observation.text.text))
    chat.say(observation.status, "dim")


async def browse_pages(chat: Chat, rest: str) -> None:
    """Read pages in the text browser; x comes back."""
    if not rest.strip():
        raise UserError("write an address or words to search for: /browse Danube")
    options = chat.options
    search = None if options.search is None else ",".join(split_specs(options.search))
    sources = BrowseOptions(options.corpora, options.allow_hosts, search=search, workspace=chat.workspace.path)
    await browse(rest.strip(), None, sources, as_json=False, whole=not chat.interactive)


async def tools(chat: Chat, rest: str) -> None:
    """List the tools of the session."""
    workshop: Workshop = chat.agent.workshop(live=True)
    try:
        found: dict[str, Tool] = await workshop.tools(ByHand(chat.workspace, ""))
    finally:
        workshop.close()
    found |= {entry.name: entry for entry in chat.agent.tools}
    for name, entry in found.items():
        access = "depends" if callable(entry.access) else entry.access
        summary = inspect.cleandoc(entry.description).splitlines()[0]
        what = Text.assemble((f"{access}  ", "dim"), one_line(summary, 200))
        chat.show(numbered(f"{name:<9}", what, wrapped=chat.interactive))


async def memory(chat: Chat, rest: str) -> None:
    """Search what was verified in this workspace, or say how much there is."""
    place = chat.workspace.memory()
    try:
        if not rest.strip():
            state = "used" if chat.options.memory else "not used"
            chat.say(
                f"{await place.store.count()} verified items in {chat.workspace.path}; {state} in this session"
            )
            chat.say("/memory WORDS searches them; /memory on, /memory off", "dim")
        elif rest.strip() in ("on", "off"):
            await chat.change(memory=rest.strip() == "on")
            chat.say(f"memory {rest.strip()}")
        else:
            hits = await place.retriever.search(rest.strip(), limit=8)
            for hit in hits:
                chat.say(f"  {hit.score:.2f}  {one_line(hit.record.text, 200)}")
            if not hits:
                chat.say("nothing", "dim")
    finally:
        await place.close()


def names_here(folder: str, start: str) -> list[str]:
    """Return the names in a folder that begin with some letters, folders with a slash."""
    try:
        with os.scandir(folder or ".") as entries:
            return sorted(entry.name + "/" * entry.is_dir() for entry in entries if entry.name.startswith(start))[
                :50
            ]
    except OSError:
        return []


COMMANDS = (
    Command("sql", "[SELECT …]", "run a statement, read-only; without one, the tables", sql),
    Command("math", "EXPRESSION", "calculate: formulas, words, units, dates", maths),
    Command("browse", "URL | WORDS", "read pages as a model sees them; x comes back", browse_pages),
    Command("tools", "", "the tools of this session, and what each may do", tools),
    Command("memory", "[WORDS | on | off]", "search what was verified in earlier runs", memory),
)
