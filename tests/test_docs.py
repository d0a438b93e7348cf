"""The documentation: what it names is there, and what is there is named."""

import importlib.util
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crowquill.agent.cli.guide import pages
from crowquill.agent.cli.main import _PAGES, app
from crowquill.errors import MissingModel, UserError
from crowquill.tasks.expect_spec import ExpectSpec
from crowquill.tasks.load import presets
from crowquill.tasks.spec import RunSpec

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(page: Path) -> list[str]:
    """Return the commands of our own that stand in a page's shell blocks, without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [re.split(r"\s+#\s|\s[|>]", line)[0].strip() for line in lines if line.startswith("crowquill ")]


@cache
def help_of(*words: str) -> str | None:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*words, "--help"])
    return result.stdout if result.exit_code == 0 else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_exist(page: Path) -> None:
    for command in commands(page):
        words = [word for word in command.split()[1:4] if re.fullmatch(r"[a-z-]+", word) and word[0] != "-"]
        path = words[:2] if words[:1] in (["runs"], ["models"], ["memory"], ["critic"]) else words[:1]
        shown = help_of(*path)
        assert shown is not None, f"{page.name}: {command}"
        unquoted = re.sub(r"(\"[^\"]*\"|'[^']*')", "", command)
        for option in re.findall(r"(?<=\s)--?[a-z][a-z-]*", unquoted):
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", shown), f"{page.name}: {option} in {command}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    made = {"contributing.md", "changelog.md", "reference/cli.md", "reference/task-file.md", "reference/python.md"}
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if not target.startswith("http") and not (page.parent.name == "docs" and target in made):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_key_of_a_task_file_is_described() -> None:
    text = (ROOT / "docs" / "task-files.md").read_text(encoding="utf-8")
    for name in [*RunSpec.model_fields, *ExpectSpec.model_fields]:
        assert f"`{name}`" in text, name


def test_every_shipped_task_is_described() -> None:
    text = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
    for name in {*presets()} - {"customers", "danube", "director"}:
        assert f"| `{name}` |" in text, name


def test_the_readme_is_short() -> None:
    assert (ROOT / "README.md").read_text(encoding="utf-8").count("\n") <= 200


def test_pages_are_shown_in_the_terminal() -> None:
    assert "task-files " in CliRunner().invoke(app, ["help"]).stdout
    assert CliRunner().invoke(app, ["help", "models"]).stdout.startswith("# Choose a model")
    wrong = CliRunner().invoke(app, ["help", "modles"])
    assert isinstance(wrong.exception, UserError)
    assert "did you mean 'models'?" in str(wrong.exception)


def test_errors_name_a_page_that_is_there() -> None:
    assert {*_PAGES.values(), MissingModel.page, "tutorial"} <= {*pages()}


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("material") is None, reason="needs the extra docs: mkdocs-material")
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    for page in (tmp_path / "site").rglob("*.html"):
        loaded = re.findall(r"(?:src=|<link[^>]+href=)\"(https?://[^\"]+)", page.read_text(encoding="utf-8"))
        assert loaded == [], f"{page}: loads {loaded}"
