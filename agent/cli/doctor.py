"""`crowquill doctor`: what works on this machine, as one table."""

import importlib.util
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crowquill import __version__
from crowquill.agent.agent import run_in_thread
from crowquill.agent.cli.session import print_json
from crowquill.agent.config import ROLES
from crowquill.agent.models.catalog import DEFAULT_LOCAL, installed, models_dir
from crowquill.agent.models.resolve import default_policy, resolve
from crowquill.agent.records import count_records
from crowquill.agent.redact import plain_words_of
from crowquill.agent.render import one_line
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.errors import CrowquillError, MissingModel, StorageError, UserError
from crowquill.tools.fetching import Fetching
from crowquill.tools.search.registry import DEFAULT, NAMES, NEEDS, Setup, make_providers
from crowquill.tools.worker import Worker


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table."""

    part: str
    state: Literal["ok", "missing", "broken"]
    what: str


_STYLES = {"ok": "green", "missing": "yellow", "broken": "red"}


def run_doctor(workspace: Path | None, *, as_json: bool) -> int:
    """Print the findings; exit code 1 when something is broken."""
    findings = list(_examine(find_workspace(workspace)))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        table = Table("part", "state", "what", box=None, header_style="dim", pad_edge=False)
        for finding in findings:
            table.add_row(finding.part, Text(finding.state, style=_STYLES[finding.state]), Text(finding.what))
        Console(highlight=False).print(table)
    return 1 if any(finding.state == "broken" for finding in findings) else 0


def _examine(path: Path) -> Iterator[Finding]:
    yield Finding("crowquill", "ok", f"{__version__} on Python {platform.python_version()}, {platform.system()}")
    model = os.environ.get("CROWQUILL_MODEL") or "local"  # an empty variable is an unset one
    yield from _models(model)
    yield _weights()
    yield _package("xllamacpp", "runs the embedded model", "pip install 'crowquill[local]'")
    yield _key("OPENAI_API_KEY", "openai:NAME")
    yield _key("CROWQUILL_API_KEY", "http(s)://HOST/v1#NAME, where the server wants a key")
    yield from _search()
    yield from _plain_secrets()
    yield from _workspace(path)
    yield _worker()
    free = shutil.disk_usage(_existing(path)).free
    yield Finding("disk", "ok" if free > 1e9 else "broken", f"{free / 1e9:.0f} GB free at {path}")


def _models(model: str) -> Iterator[Finding]:
    state: Literal["ok", "missing", "broken"] = "ok"
    problem = ""
    try:
        resolve(model)
    except MissingModel as error:
        state, problem = "missing", str(error)
    except CrowquillError as error:
        state, problem = "broken", str(error)
    for role in ROLES:
        purpose = (
            "off for this model: code checks alone score" if role in ("judge", "gold") else default_policy(model)
        )
        yield Finding(f"model, {role}", state, problem if problem else f"{model} ({purpose})")


def _weights() -> Finding:
    here = installed(DEFAULT_LOCAL)
    if here is None:
        return Finding("weights", "missing", f"not in {models_dir()}; fetch them with: crowquill models pull")
    return Finding("weights", "ok", str(here))


def _package(name: str, purpose: str, command: str) -> Finding:
    if importlib.util.find_spec(name) is None:
        return Finding(name, "missing", f"{purpose}; install it with: {command}")
    return Finding(name, "ok", purpose)


def _key(name: str, purpose: str) -> Finding:
    state: Literal["ok", "missing"] = "ok" if os.environ.get(name) else "missing"
    return Finding(name, state, ("set, for " if state == "ok" else "not set; only needed for ") + purpose)


def _plain_secrets() -> Iterator[Finding]:
    if plain := plain_words_of(os.environ):
        names = ", ".join(one_line(name) for name in plain)
        yield Finding("secrets", "missing", f"no mask for {names}: one plain word, which stands in ordinary text")


def _search() -> Iterator[Finding]:
    yield Finding("web search", "ok", f"without --search: {', then '.join(DEFAULT)}")
    for name in NAMES:
        try:
            make_providers([name], Setup(os.environ, Fetching.of_environment(os.environ)))
        except UserError as error:
            yield Finding(f"search, {name}", "missing", str(error))
        else:
            need = f"{NEEDS[name]} is set" if name in NEEDS else "needs no key"
            yield Finding(f"search, {name}", "ok", f"{need}; use it with --search {name}")
    proxy = os.environ.get("CROWQUILL_PROXY")
    if proxy:
        yield Finding("proxy", "ok", f"everything on the web goes through {proxy} (CROWQUILL_PROXY)")
    yield _package("libzim", "reads ZIM files (offline Wikipedia)", "pip install 'crowquill[zim]'")


def _workspace(path: Path) -> Iterator[Finding]:
    place = Workspace(path)
    try:
        count = place.database.read_now(lambda connection: count_records(connection))
        place.database.write_now(lambda connection: None)
        yield Finding("workspace", "ok", f"{path} ({count} runs)")
    except StorageError as error:
        yield Finding("workspace", "broken", str(error))
        return
    finally:
        place.close()
    names = place.corpora()
    yield Finding(
        "corpora",
        "ok" if names else "missing",
        ", ".join(names) or "none; make one with: crowquill index DIR",
    )


def _worker() -> Finding:
    worker = Worker()
    try:
        run_in_thread(worker.run("compute", {"expression": "6*7"}, seconds=10))
        return Finding("worker", "ok", "calculations and queries run in a killable process")
    except CrowquillError as error:
        return Finding("worker", "broken", str(error))
    finally:
        worker.close()


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())
