"""`crowquill help`: the pages of the documentation, which are shipped with the program."""

import sys
from importlib.resources import files

import typer
from rich.console import Console
from rich.markdown import Markdown

from crowquill.errors import UserError
from crowquill.tasks.yaml_text import nearest


def pages() -> dict[str, str]:
    """Return the text of every page by its name."""
    found = (entry for entry in files("crowquill.guide").iterdir() if entry.name.endswith(".md"))
    return {entry.name.removesuffix(".md"): entry.read_text(encoding="utf-8") for entry in found}


def show_help(name: str | None) -> None:
    """Print a page, or the names of all. Raises UserError when there is no such page."""
    known = pages()
    if name is None:
        for page, text in sorted(known.items()):
            typer.echo(f"{page:<14} {text.partition(chr(10))[0].lstrip('# ')}")
        typer.echo("\ncrowquill help PAGE shows one; crowquill COMMAND --help lists the options of a command.")
        return
    if name not in known:
        raise UserError(f"there is no page {name!r}{nearest(name, known)}; crowquill help lists them")
    if sys.stdout.isatty():
        Console().print(Markdown(known[name]))
    else:
        typer.echo(known[name])
