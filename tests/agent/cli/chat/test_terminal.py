"""The session in a real terminal: what a person types, and what stands on the screen."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.pages import indexed
from tests.support.screen import Screened

PAGES = {
    "Lake Tarn": "Lake Tarn is a Norwegian lake. It is 310 metres deep. Lake Tarn was dammed in 1931.",
    "Озеро Тарн": "Озеро Тарн лежит в Норвегии. Глубина озера Тарн составляет 310 метров.",
}
REPLIES = """\
replies:
  - {role: plan, json: {question: "When was Lake Tarn dammed?"}, match: "When was it dammed?"}
  - {role: act, delay: 0.5, match: "When was Lake Tarn dammed?",
     json: {quotes: [1], sentence: "Lake Tarn was dammed in 1931.", answer: "1931"}}
  - {role: act, match: "Какова глубина", json: {quotes: [1], sentence: "Глубина озера Тарн составляет 310 метров.",
     answer: "310 метров"}}
  - {role: act, delay: 0.5, repeat: true,
     json: {quotes: [1], sentence: "Lake Tarn is 310 metres deep.", answer: "310 metres"}}
"""
STEPS = """\
replies:
  - {role: plan, json: {tasks: [{id: a, goal: "How deep is it?", done_when: "", needs: []}]}}
  - {role: act, delay: 2, json: {thought: "first", action: {tool: search, query: "Lake Tarn"}}}
  - {role: act, delay: 1, match: "Hint from the user: page one",
     json: {thought: "told", action: {tool: open, target: "1"}}}
  - {role: act, json: {thought: "", action: {tool: quote, lines: "2-3"}}}
  - {role: act, delay: 60, json: {thought: "never", action: {tool: top}}}
"""
CHANGES = """\
replies:
  - {role: plan, json: {tasks: [{id: a, goal: "Correct the clients", done_when: "", needs: []}]}}
  - {role: act, json: {thought: "", action: {tool: sql_change, statement: "DELETE FROM clients"}}}
  - {role: act, json: {thought: "",
     action: {tool: sql_change, statement: "UPDATE clients SET city = 'Rome' WHERE id = 1"}}}
  - {role: act, json: {thought: "",
     action: {tool: sql_change, statement: "UPDATE clients SET city = 'Bergen' WHERE id = 2"}}}
  - {role: act, json: {thought: "",
     action: {tool: sql_change, statement: "UPDATE clients SET city = 'Paris' WHERE id = 3"}}}
  - {role: act, json: {thought: "",
     action: {tool: answer, short: "1", claims: [{text: "1 row was changed.", cites: [1]}]}}}
"""

Start = Callable[..., Screened]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a session over a small corpus, with replies from a script."""
    place = indexed(tmp_path, PAGES, "lakes")
    place.close()
    monkeypatch.setenv("CROWQUILL_WORKSPACE", str(place.path))
    monkeypatch.setenv("CROWQUILL_EMBEDDER", "hashing")
    begun: list[Screened] = []

    def begin(*arguments: str, replies: str = REPLIES, **options: object) -> Screened:
        script = tmp_path / "model.replies"
        script.write_text(replies, encoding="utf-8")
        chosen = arguments or ("chat", "--model", f"scripted:{script}", "--policy", "guided", "--corpus", "lakes")
        begun.append(Screened(chosen, **options))  # type: ignore[arg-type]
        return begun[-1]

    yield begin
    for terminal in begun:
        terminal.close()


def test_questions_follow_one_another_and_receipts_can_be_looked_at(start: Start) -> None:
    terminal = start()
    terminal.wait_for(r"searches corpus lakes[\s\S]*›")
    terminal.type("How deep is Lake Tarn?\r")
    terminal.wait_for("▸ How deep is Lake Tarn")
    screen = terminal.wait_for(r"310 metres[\s\S]*answered[\s\S]*›")
    assert "asking" not in screen  # the live view has gone
    assert max(map(len, screen.splitlines())) <= 80
    terminal.type("When was it dammed?\r")
    terminal.wait_for(r"Short answer  1931[\s\S]*›")
    terminal.type("/op\t")
    terminal.wait_for("› /open")
    terminal.type("1\r")
    terminal.wait_for(r"Lake Tarn · corpus:lakes[\s\S]*dammed in\s+1931")
    terminal.type("/quotes 310\r")
    terminal.wait_for(r"1\.1 +It is 310 metres deep")
    terminal.type("\x1b[A\x1b[A\x1b[A\x1b[A")  # up, up, up, up
    terminal.wait_for("› How deep is Lake Tarn")
    terminal.type("\x03")  # Ctrl-C throws the line away
    terminal.type("/nonsense\r")
    terminal.wait_for(r"there is no command /nonsense[\s\S]*›")
    terminal.type("\x03")  # it may have been meant for a run that has just ended
    terminal.wait_for(r"Ctrl-C once more[\s\S]*›")
    terminal.type("\x03")
    assert terminal.end() == 0


@pytest.mark.slow
def test_pasted_lines_stay_together_and_wide_letters_are_asked_as_typed(start: Start) -> None:
    terminal = start(columns=100)
    terminal.wait_for("›")
    terminal.type("\x1b[200~Какова глубина\nозера Тарн в Норвегии?\x1b[201~\r")
    terminal.wait_for(r"Глубина озера Тарн[\s\S]*Short answer +310 метров")
    terminal.type("/math 漢 + 漢\r")
    terminal.wait_for("2.?漢")
    terminal.type("/quit\r")
    assert terminal.end() == 0


@pytest.mark.slow
def test_a_run_is_held_hinted_and_stopped(start: Start, tmp_path: Path) -> None:
    script = tmp_path / "model.replies"
    terminal = start("chat", "--model", f"scripted:{script}", "--corpus", "lakes", replies=STEPS)
    terminal.wait_for("›")
    terminal.type("How deep is Lake Tarn in Norway?\r")
    terminal.wait_for("reading")
    terminal.type("\x03")
    terminal.wait_for("held>")
    terminal.type("m steps=ten\r")
    terminal.wait_for("steps must be a number")
    terminal.type("/task add How old is the lake?\r")
    terminal.wait_for("noted")
    terminal.type("h page one\r")
    terminal.wait_for(r"310 metres dee")
    terminal.type("\x03")
    terminal.wait_for(r"h WORDS[\s\S]*held>")
    terminal.type("s\r")
    terminal.wait_for(r"go on with: /resume[\s\S]*›")
    terminal.type("\x04")
    assert terminal.end() == 0


def test_a_change_is_shown_before_it_is_made_and_a_yes_may_stand_for_the_run(start: Start, tmp_path: Path) -> None:
    shop, script = tmp_path / "shop.db", tmp_path / "model.replies"
    with closing(sqlite3.connect(shop)) as connection:
        connection.executescript(
            "CREATE TABLE clients (id INTEGER PRIMARY KEY, city TEXT);"
            "INSERT INTO clients (city) VALUES ('Rom'), ('Oslo'), ('Lyon');"
        )

    def cities() -> list[str]:
        with closing(sqlite3.connect(shop)) as connection:
            return [row[0] for row in connection.execute("SELECT city FROM clients ORDER BY id")]

    options = ("--model", f"scripted:{script}", "--policy", "json", "--db", str(shop), "--allow-write")
    terminal = start("chat", *options, replies=CHANGES, lines=50)
    terminal.wait_for("›")
    terminal.type("Correct the cities of our clients\r")
    asked = terminal.wait_for(r"DELETE FROM clients[\s\S]*allow\?")
    assert re.search(r"3 rows of clients in shop are deleted; there is no WHERE:\s+every row; can be undone", asked)
    assert re.search(r"before: id \| city\s+1 \| Rom\s+2 \| Oslo\s+3 \| Lyon\s+asked because", asked)
    terminal.type("perhaps\r")  # no clear answer: asked again
    terminal.wait_for(r"perhaps[\s\S]*allow\?")
    assert cities() == ["Rom", "Oslo", "Lyon"]
    terminal.type("correct them, delete none\r")
    terminal.wait_for(r"SET city = 'Rome'[\s\S]*allow\?")
    assert cities() == ["Rom", "Oslo", "Lyon"]
    terminal.type("y\r")
    terminal.wait_for(r"SET city = 'Bergen'[\s\S]*allow\?")
    assert cities() == ["Rome", "Oslo", "Lyon"]
    terminal.type("a\r")
    terminal.wait_for(r"1 row was changed[\s\S]*answered[\s\S]*›")
    assert cities() == ["Rome", "Bergen", "Paris"]
    assert terminal.raw.decode().count("may write: ") == 3
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    terminal.type(f"/sql {endless}\r")
    terminal.wait_for("querying shop")
    terminal.type("\x03")  # ends the command, not the session
    terminal.wait_for(r"stopped\s+›")
    terminal.type("\x04")
    assert terminal.end() == 0


@pytest.mark.slow
def test_the_first_start_says_what_will_be_used_and_keeps_the_choice(start: Start, tmp_path: Path) -> None:
    start("--version").end()  # writes the script
    terminal = start("chat")
    terminal.wait_for(r"Nothing is configured yet[\s\S]*model \[Enter")
    terminal.type("openai:gpt-5-mini\r")
    terminal.wait_for("needs a key")
    terminal.type(f"scripted:{tmp_path / 'model.replies'}\r")
    terminal.wait_for("search ")
    terminal.type("lakes\r")
    terminal.wait_for(r"kept in[\s\S]*›")
    terminal.type("/use\r")
    terminal.wait_for("searches corpus lakes")
    terminal.type("\x04")
    assert terminal.end() == 0
    again = start("chat")
    again.wait_for(r"searches corpus lakes[\s\S]*›")
    again.type("\x04")
    again.end()


@pytest.mark.slow
def test_without_colour_and_unicode_in_a_narrow_terminal(start: Start) -> None:
    terminal = start(columns=40, env={"NO_COLOR": "1", "CROWQUILL_ASCII": "1"})
    terminal.wait_for("Ctrl-D ends")
    terminal.type("How deep is Lake Tarn?\r")
    terminal.wait_for(r"310 metres[\s\S]*answered")
    terminal.type("\x04")
    assert terminal.end() == 0
    assert terminal.raw.isascii()
    assert not re.search(rb"\x1b\[(?:\d+;)*3[0-8](?:;\d+)*m", terminal.raw)
