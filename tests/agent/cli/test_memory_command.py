"""`crowquill memory`, as a person uses it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from crowquill.agent.cli.main import app
from crowquill.errors import UserError

GUIDE = """\
# Style guide

Write short sentences.

## Numbers

Write numbers below ten as words. Put a thin space before units.
"""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROWQUILL_EMBEDDER", "hashing")


def crowquill(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, ["memory", *arguments], input=typed)


def data(*arguments: str) -> dict[str, object]:
    result = crowquill(*arguments, "--json")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    loaded: dict[str, object] = json.loads(result.stdout)
    return loaded


def only_id(*arguments: str) -> str:
    hits = data("search", *arguments)["hits"]
    assert isinstance(hits, list)
    assert len(hits) == 1
    return str(hits[0]["id"])


@pytest.fixture
def guide(tmp_path: Path) -> Path:
    folder = tmp_path / "House Style"
    folder.mkdir()
    (folder / "style.md").write_text(GUIDE)
    return folder


def test_documents_are_learned_found_brought_up_to_date_and_forgotten(guide: Path) -> None:
    assert "1 documents in 'house-style': 2 new pieces, 0 gone" in crowquill("import", str(guide)).stdout
    result = crowquill("search", "thin space before units", "--explain", "--limit", "1")
    assert "Style guide › Numbers" in result.stdout
    assert "[house-style], trust 0.90" in result.stdout
    assert "relevance 1.00" in result.stdout
    (guide / "style.md").write_text(GUIDE.replace("ten", "twelve"))
    assert "2 new pieces, 2 gone" in crowquill("import", str(guide)).stdout  # pieces are spans of a page
    assert "0 new pieces, 0 gone" in crowquill("import", str(guide)).stdout
    assert "twelve" in crowquill("search", "numbers below twelve as words", "--limit", "1").stdout
    assert isinstance(crowquill("forget", "--namespace", "house-style").exception, UserError)  # nobody to ask
    assert "would forget 2 records" in crowquill("forget", "-n", "house-style", "--dry-run").stdout
    assert (
        "forgot 2 records, 0 notes that rest on them, 1 pages"
        in crowquill("forget", "--query", "write", "--yes").stdout
    )
    assert data("stats")["records"] == 0


def test_a_note_is_written_shown_shelved_restored_and_forgotten() -> None:
    id_ = str(data("add", "The \x1b[31mred\x1b[0m project starts in May.", "--title", "Plans")["id"])
    assert "known already" in crowquill("add", "The red project starts in May.", "--title", "Plans").stdout
    shown = crowquill("show", id_[:6])
    assert "The red project starts in May." in shown.stdout
    assert "\x1b" not in shown.stdout
    result = crowquill("add", "-", "--cites", id_, "--expires", "30d", typed="It has begun.")
    assert "remembered" in result.stdout
    assert "cited by" in crowquill("show", id_).stdout
    assert "shelved: 1" in crowquill("shelve", id_, "--why", "it was moved").stdout
    assert "it was moved" in crowquill("show", id_).stdout
    assert id_ not in crowquill("search").stdout
    assert id_ in crowquill("search", "--shelved").stdout
    assert "restored: 1" in crowquill("restore", id_).stdout
    assert "forgot 1 records, 1 notes that rest on them" in crowquill("forget", id_, "--yes").stdout


def test_an_export_goes_to_another_workspace(guide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crowquill("import", str(guide), "--name", "style")
    out = tmp_path / "memory.jsonl"
    assert crowquill("export", str(out)).exit_code == 0
    assert isinstance(crowquill("export", str(out)).exception, UserError)  # never over a file
    assert crowquill("export").stdout == out.read_text()
    monkeypatch.setenv("CROWQUILL_WORKSPACE", str(tmp_path / "other"))
    assert "2 records taken over, 0 known already, 0 refused" in crowquill("import", str(out)).stdout
    assert crowquill("export").stdout == out.read_text()
    assert only_id(
        "units", "--limit", "1", "--kind", "quote", "-n", "style", "--source", "style.md", "--since", "1d"
    )


def test_tidying_stats_and_audit(guide: Path) -> None:
    crowquill("import", str(guide))
    crowquill("add", "Of no importance.", "--importance", "0")
    assert "3 records" in crowquill("stats").stdout
    assert "3 records: 0 damaged; all can be found" in crowquill("audit").stdout
    assert "would be deleted: 1" in crowquill("tidy", "--capacity", "2", "--dry-run").stdout
    assert data("tidy", "--capacity", "2")["deleted"] == 1
    assert data("stats")["kinds"] == {"quote": 2}


def test_a_quote_whose_page_was_changed_is_found_by_the_audit(guide: Path, tmp_path: Path) -> None:
    crowquill("import", str(guide))
    (blob,) = (path for path in (tmp_path / "workspace" / "blobs").rglob("*") if path.is_file())
    blob.chmod(0o600)
    blob.write_bytes(b"something else")
    result = crowquill("audit")
    assert result.exit_code == 1
    assert "2 damaged" in result.stdout


def test_what_fits_into_a_prompt(guide: Path) -> None:
    crowquill("import", str(guide))
    hits = data("search", "write", "--pack", "10")["hits"]
    assert isinstance(hits, list)
    assert [hit["text"] for hit in hits] == ["Write short sentences."]


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "q123"),
        ("forget",),
        ("forget", "nothing-like-it", "--yes"),
        ("search", "x", "--kind", "thing"),
        ("search", "x", "--since", "yesterday"),
        ("search", "x", "--run", "last"),
        ("search", "x", "--weights", "luck=1"),
        (
            "add",
            "-",
        ),
        ("add", "x", "--cites", "q123"),
        ("add", "x", "--expires", "soon"),
        ("shelve", "q123"),
    ],
)
def test_errors_say_what_to_do_in_one_line(arguments: tuple[str, ...]) -> None:
    result = crowquill(*arguments)
    assert isinstance(result.exception, UserError)
    assert "\n" not in str(result.exception)


def test_imports_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.jsonl").write_text("{}")
    for arguments in (("empty",), ("x.jsonl",), ("x.jsonl", "--name", "x"), ("empty", "--name", "a b")):
        assert isinstance(crowquill("import", str(tmp_path / arguments[0]), *arguments[1:]).exception, UserError)


def test_a_correction_and_a_reflection(guide: Path, tmp_path: Path) -> None:
    replies = tmp_path / "model.replies"
    replies.write_text(
        "replies:\n"
        "  - {role: act, json: {quotes: [1], sentence: 'Write short sentences.', answer: 'short sentences'}}\n"
        "  - {role: write, json: {questions: ['How are sentences written?']}}\n"
        "  - {role: write, json: {insight: 'Sentences are short.', cites: [1], useful: 3}}\n"
    )
    crowquill("import", str(guide))
    reflected = crowquill("reflect", "--model", f"scripted:{replies}")
    assert "level 1, from 1 records: Sentences are short." in reflected.stdout, reflected.exception
    assert data("reflect", "--topics", "--model", f"scripted:{replies}")["kept"] == []
    CliRunner().invoke(app, ["index", str(guide), "--name", "style"])
    how = ["--corpus", "style", "--model", f"scripted:{replies}", "--policy", "guided"]
    how += ["--recall", "plain", "--knowledge"]
    assert CliRunner().invoke(app, ["ask", *how, "house-style", "How are sentences?"]).exit_code == 0
    unknown = CliRunner().invoke(app, ["ask", *how, "nothing", "How are sentences?"]).exception
    assert "nothing was learned as 'nothing'" in str(unknown)
    assert "How are sentences?" in crowquill("teach", "last", "say it in ten words").stdout
    assert isinstance(crowquill("teach", "last", " ").exception, UserError)


def test_help() -> None:
    commands = "search show add forget shelve restore tidy stats audit export import reflect teach"
    for command in commands.split():
        assert crowquill(command, "--help").exit_code == 0
