"""`crowquill browse` as a person uses it: with keys in a terminal, and with commands from a pipe."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.pdf import At, write_pdf
from tests.support.screen import Screened
from tests.support.site import Site
from typer.testing import CliRunner, Result

from crowquill.agent.cli.main import app
from crowquill.errors import UserError

PAGE = (
    "<title>Crows\x1b]0;owned\x07</title><h1>Crows</h1><p>Crows are clever birds. See <a href=/rook>rooks</a>.</p>"
    + "".join(f"<h2>Part {n}</h2><p>Fact {n}: {'a crow knows a lot. ' * 4}</p>" for n in range(20))
)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        site.page("/robots.txt", "", "text/plain")
        site.page("/crow", PAGE)
        site.page("/rook", "<title>Rook</title><p>Rooks live in colonies. It is 46 cm long.</p>")
        yield site


def run(site: Site, folder: Path, *arguments: str, typed: str = "") -> Result:
    command = ["browse", "--allow-host", site.host, "--workspace", str(folder), *arguments]
    return CliRunner().invoke(app, command, input=typed)


def test_commands_come_from_a_pipe(site: Site, tmp_path: Path) -> None:
    typed = '\n1\nq 1\nq "46 cm long"\nq "Rooks live in trees and colonies."\nb\n/fact 7\nn\ng 3\no\n'
    done = run(site, tmp_path, site.url("/crow"), "--window", "120", typed=typed)
    assert done.exit_code == 0, done.stderr
    for said in (
        "window 1 of ",
        "See [1] rooks.",
        "Rook (127.0.0.1:",
        "“Rooks live in colonies.”",
        "quoted lines 1-1, exact",
        "“46 cm long”",
        'rejected: not on this page word for word; the nearest is lines="1", shown here',
        "See [1✓] rooks.",
        "match 1 of 1 in line ",
        "outline: 21 places",
    ):
        assert said in done.stdout, said
    assert "\x1b" not in done.stdout
    assert "owned" in done.stdout, "the title is shown without its control characters"
    assert site.paths == ["/crow", "/rook"]


def test_what_fails_is_one_line_and_the_exit_code(site: Site, tmp_path: Path) -> None:
    done = run(site, tmp_path, site.url("/crow"), typed="99\nzzz\n?\n")
    assert done.exit_code == 1
    assert "there is no number 99 here; open one of the links of this page by its number, 1 to 1" in done.stderr
    assert "there is no command 'zzz'; ? lists them" in done.stderr
    assert "Traceback" not in done.stderr
    assert "go to a line, page or place" in done.stdout
    missing = run(site, tmp_path, site.url("/none"))
    assert missing.exit_code == 1
    assert "there is no such page" in str(missing.exception)
    assert isinstance(run(site, tmp_path, "words", "--corpus", "nowhere").exception, UserError)


def test_whole_pages_json_and_files(site: Site, tmp_path: Path) -> None:
    whole = run(site, tmp_path, site.url("/crow"), "--whole")
    assert [f"# Part {n}" in whole.stdout for n in (0, 19)] == [True, True]
    page = json.loads(run(site, tmp_path, site.url("/rook"), "--json").stdout)
    assert page["title"] == "Rook"
    assert [line["text"] for line in page["lines"]] == ["Rooks live in colonies.", "It is 46 cm long."]
    file = tmp_path / "paper.pdf"
    file.write_bytes(write_pdf([[At(60, 700, "A paper about crows.")], [At(60, 700, "Its second page.")]]))
    read = run(site, tmp_path, str(file), typed='q "second page"\n')
    assert "lines 1–2 of 2 · PDF p. 1–2" in read.stdout
    assert f"paper.pdf, p. 2, {file.as_uri()}" in read.stdout
    found = json.loads(
        run(site, tmp_path, "Which river flows through Vienna?", "--corpus", "pocket", "--json").stdout
    )
    assert "corpus:pocket/vienna.html" in [hit["url"] for hit in found["results"]]


def test_keys_in_a_terminal(site: Site, tmp_path: Path) -> None:
    options = ["--window", "120", "--allow-host", site.host, "--workspace", str(tmp_path)]
    terminal = Screened(["browse", site.url("/crow"), *options], columns=100, lines=40)
    terminal.wait_for_next("window 1 of")
    terminal.wait_for_next(">")
    terminal.type(" ")
    terminal.wait_for_next("window 2 of")
    terminal.type("u")
    terminal.wait_for_next("window 1 of")
    terminal.type("1\r")
    terminal.wait_for_next("Rooks live in colonies.")
    terminal.wait_for_next("lines 1–2 of 2")
    terminal.type("q 2\r")
    terminal.wait_for_next("quoted lines 2-2, exact")
    terminal.type("b")
    terminal.wait_for_next("window 1 of")
    terminal.type("/fact 9\r")
    terminal.wait_for_next("match 1 of 1")
    terminal.type("/penguin\r")
    terminal.wait_for_next("does not occur on this page")
    terminal.type("x")
    assert terminal.end() == 0
    terminal.close()
