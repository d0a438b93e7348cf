"""Completion: commands by their beginning, and what may follow them."""

from collections.abc import Iterable, Mapping
from typing import get_args

from crowquill.agent.cli.chat.command import Command
from crowquill.agent.cli.chat.handwork import names_here
from crowquill.agent.cli.chat.session import Chat
from crowquill.agent.cli.exports import Format
from crowquill.agent.records import list_records

_FILES = ("save", "profile")
_RUNS = 20


def complete(chat: Chat, commands: Mapping[str, Command], line: str) -> Iterable[str]:
    """Return what may stand in the place of the last word of a line."""
    head, _, word = line.rpartition(" ")
    if not line.startswith("/"):
        return []
    if not head:
        return [f"/{name} " for name in commands if name.startswith(word[1:])]
    name, *words = head[1:].split()
    if name in _FILES or (name, words[:1]) in (("use", ["data"]), ("use", ["db"])) or (name == "export" and words):
        return _files(word)
    return [choice for choice in _choices(chat, commands, name, words) if choice.startswith(word)]


def _choices(chat: Chat, commands: Mapping[str, Command], name: str, words: list[str]) -> Iterable[str]:
    match name, words:
        case "help", []:
            return commands
        case "task", []:
            return ("add", "drop", "first")
        case "task", ["drop" | "first"]:
            return list(chat.screen.view.tasks) if chat.screen is not None else []
        case "use", []:
            return ("corpus", "data", "db", "search", "web")
        case "use", ["corpus"]:
            return [*chat.workspace.corpora(), "pocket", "none"]
        case "use", ["web"]:
            return ("on", "off")
        case "model", []:
            return ("local", "openai:", "http://127.0.0.1:11434/v1#", "langchain:")
        case "best-of", []:
            return ("4", "8", "majority:8", "weighted:4", "auto:8", "off")
        case "budget", []:
            return ("steps=", "tokens=", "seconds=", "usd=")
        case "export", []:
            return get_args(Format)
        case "open" | "source", []:
            return [str(number) for number in range(1, len(chat.answers[-1].evidence) + 1)] if chat.answers else []
        case "resume", []:
            records = chat.workspace.database.read_now(lambda connection: list_records(connection, _RUNS))
            return ["last", *(record.id for record in records if not record.ended)]
        case _:
            return []


def _files(word: str) -> list[str]:
    folder, _, start = word.rpartition("/")
    base = f"{folder}/" if "/" in word else ""
    return [f"{base}{name}" for name in names_here(base, start)]
