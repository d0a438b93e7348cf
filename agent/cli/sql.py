"""`crowquill sql`: look at databases and data files, run guarded statements, ask questions in words."""

import asyncio
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from crowquill.agent.agent import Agent
from crowquill.agent.answer import Answer
from crowquill.agent.cli.approving import can_ask, rows_shown
from crowquill.agent.cli.ask import AskOptions
from crowquill.agent.cli.session import drive, print_answer, print_json
from crowquill.agent.render import clean, one_line
from crowquill.agent.workspace import Workspace, find_workspace
from crowquill.errors import ToolError, UserError
from crowquill.memory.evidence import Table
from crowquill.memory.lessons import LessonStore
from crowquill.tools.sql.cells import MAX_FILE_ROWS
from crowquill.tools.sql.change_tool import COPY_SECONDS, in_one_line, make_change, show_change
from crowquill.tools.sql.chart import ChartKind, save_chart
from crowquill.tools.sql.guard import MAX_ROWS
from crowquill.tools.sql.save import save_table
from crowquill.tools.sql.schema import Schema
from crowquill.tools.sql.source import Database, data_source, jobs_of, made_writable, open_database
from crowquill.tools.sql.tool import SECONDS, as_table, bare_statement, run_statement
from crowquill.tools.sql.undo import Copies
from crowquill.tools.sql.words import in_words
from crowquill.tools.worker import JOBS, Worker

HELP = """\
SELECT …          run one statement, read-only (WITH, VALUES and FROM as well)
any other text    ask a question in words; "but …" refines the last one
.tables           tables with their row counts
.schema [TABLE]   columns, keys, sample values
.use NAME         the database that statements go to
.wrong WHAT       say what was wrong with the last answer; it is asked again, and never forgotten
.right            keep the last answer's query as a good one
.lessons          what was taught; .forget N deletes one
INSERT UPDATE DELETE   with --allow-write: show what would change, ask, make it
.changes          changes of SQLite files that can be undone; .undo takes the last one back
.save FILE        write the last result, up to 100,000 rows (.csv .tsv .json .jsonl)
.chart FILE [bar|line]   draw the last result into a new .svg or .png file
.help  .quit"""
_STATEMENT = re.compile(
    r"""
    \s*(?:\(\s*|--[^\n]*\n\s*|/\*.*?\*/\s*)*
    (?: select\b(?=.*\bfrom\b|[^?]*$) | with\s+(?:recursive\s+)?[\w"]+\s*(?:\(|as\b) | values\s*\(
      | from\s+\S+\s*;?\s*$
      | insert\s+into | update\s+\S+\s+set | delete\s+from | pragma\b | attach\b | copy\b | vacuum\b
      | (?:create|drop|alter)\s+(?:table|view|index|trigger|database|temp)\b )
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
"""What is a statement rather than a question; the guard refuses what is more than reading."""
_CHANGE = re.compile(r"\s*(?:insert\s+into|update|delete\s+from)\b", re.IGNORECASE)
_FOLLOWS = re.compile(r"\s*(?:but|and|now|only|also|of those|of these|without|instead)\b", re.IGNORECASE)
_SHOWN_ROWS = 40


@dataclass
class SqlSession:
    """What the commands share: the databases, the last result, and the last answer."""

    options: AskOptions
    databases: tuple[Database, ...]
    worker: Worker
    console: Console
    current: Database
    last: Table | None = None
    agent: Agent | None = None
    answer: Answer | None = None
    schemas: dict[str, Schema] = field(default_factory=dict)

    @property
    def copies(self) -> Copies:
        """The copies from before each change."""
        return Workspace(find_workspace(self.options.workspace)).copies(self.worker)

    def schema(self, database: Database) -> Schema:
        """Return the schema of a database, read once. Raises ToolError."""
        if database.name not in self.schemas:
            request = database.request(seconds=SECONDS / 2)
            found = asyncio.run(self.worker.run(database.job("schema"), request, seconds=SECONDS))
            self.schemas[database.name] = Schema.from_json(database.name, found, database.dialect)
        return self.schemas[database.name]

    def query(self, sql: str, max_rows: int = MAX_ROWS) -> Table:
        """Run a statement on the current database. Raises ToolError."""
        statement = bare_statement(sql)
        found = asyncio.run(run_statement(self.current, statement, self.worker, max_rows=max_rows))
        return as_table(statement, self.current, found)


def run_sql(
    options: AskOptions, command: str | None, *, save: Path | None, chart: Path | None = None, as_json: bool
) -> int:
    """Run one statement or question, or a session; return the exit code."""
    if command is None and (save is not None or chart is not None):
        raise UserError("--save and --chart need a statement or a question; a session has .save and .chart")
    files = [data_source(options.data)] if options.data else []
    workspace = Workspace(find_workspace(options.workspace))
    named = [open_database(workspace.database_url(spec)) for spec in options.databases]
    databases = (*map(made_writable, named), *files) if options.allow_write else (*named, *files)
    if not databases:
        raise UserError("name a database (--db URL) or data files (--data PATH)")
    worker = Worker({**JOBS, **jobs_of(databases)})
    console = Console(highlight=False)
    session = SqlSession(options, databases, worker, console, databases[0])
    try:
        if command is not None:
            code = _once(session, command, save, as_json=as_json)
            if chart is not None and code == 0:
                _chart(session, [str(chart)])
            return code
        return _loop(session)
    finally:
        worker.release()


def _once(session: SqlSession, command: str, save: Path | None, *, as_json: bool) -> int:
    if command == ".undo" or (session.current.writable and _CHANGE.match(command)):
        return int(not _do(session, command))
    if not _STATEMENT.match(command):
        return _ask(session, command)
    try:
        table = session.query(command, MAX_ROWS if save is None else MAX_FILE_ROWS)
    except ToolError as error:
        sys.stderr.write(f"crowquill: {clean(str(error))}\n")
        return 1
    session.last = table
    if save is not None:
        save_table(table, save)
        sys.stderr.write(f"{_counted(table)} written to {save}\n")
    elif as_json:
        names = {"database": table.database, "sql": table.sql, "truncated": table.truncated}
        print_json({"schema": 1, **names, "columns": table.columns, "rows": table.rows})
    else:
        _show(session, table)
    return 0


def _loop(session: SqlSession) -> int:
    """Read commands until the end of the input; the exit code is 1 when one of a script has failed."""
    person = sys.stdin.isatty()
    if person:
        import readline  # noqa: F401 - line editing for `input`, which only a person needs

        _welcome(session)
    failed = False
    for line in _lines(f"{session.current.name}> " if person else ""):
        try:
            if not _do(session, line):
                break
        except (ToolError, UserError) as error:
            failed = True
            session.console.print(Text(f"! {one_line(str(error), 400)}", style="red"))
        except KeyboardInterrupt:
            session.console.print("stopped")
    return int(failed and not person)


def _lines(prompt: str) -> Iterator[str]:
    while True:
        try:
            line = input(prompt)
        except EOFError:
            return
        except KeyboardInterrupt:
            sys.stdout.write("\n")
            continue
        if line.strip():
            yield line.strip()


def _welcome(session: SqlSession) -> None:
    for database in session.databases:
        schema = session.schema(database)
        tables = f"{len(schema.tables)} table{'s' * (len(schema.tables) != 1)}"
        session.console.print(Text(f"{database.name} · {database.dialect} · {tables}", style="bold"))
        for note in schema.notes():
            session.console.print(Text(f"  {one_line(note, 400)}", style="dim"))
    session.console.print(Text("a SELECT, a question in words, or .help", style="dim"))


def _do(session: SqlSession, line: str) -> bool:
    """Work one line off; False when the session is to end."""
    word, _, rest = line.partition(" ")
    match word:
        case ".quit" | ".exit" | ".q":
            return False
        case ".help":
            session.console.print(Text(HELP))
        case ".tables":
            for database in session.databases:
                for table in session.schema(database).tables:
                    rows = "?" if table.rows is None else f"{table.rows:,}{'+' if table.more else ''}"
                    session.console.print(Text(f"{one_line(table.name, 80):<40} {rows:>12} rows  {database.name}"))
        case ".schema":
            for database in session.databases:
                schema = session.schema(database)
                shown = schema.only([rest.strip()]) if rest.strip() else schema
                session.console.print(Text(clean(shown.render(20_000))))
                for note in shown.notes():
                    session.console.print(Text(f"-- {one_line(note, 400)}"))
        case ".use":
            session.current = _named(session, rest.strip())
        case ".wrong" | ".right":
            _teach(session, rest.strip(), wrong=word == ".wrong")
        case ".lessons" | ".forget":
            _lessons(session, rest.strip())
        case ".changes":
            for kept in session.copies.all(_file(session)):
                line = f"{kept.made_at}  {kept.table}, {kept.rows} row{'s' * (kept.rows != 1)}  {kept.statement}"
                session.console.print(Text(one_line(line, 300)))
        case ".undo":
            _undo(session, force=rest.strip() == "force")
        case ".chart":
            _chart(session, rest.split())
        case ".save":
            _save(session, rest.strip())
        case _ if word.startswith("."):
            raise UserError(f"there is no command {word}; .help lists them")
        case _ if session.current.writable and _CHANGE.match(line):
            _change(session, line)
        case _ if _STATEMENT.match(line):
            session.last = session.query(line)
            _show(session, session.last)
        case _:
            _ask(session, line)
    return True


def _named(session: SqlSession, name: str) -> Database:
    for database in session.databases:
        if database.name == name:
            return database
    raise UserError(
        f"there is no database {name!r}; there are {', '.join(entry.name for entry in session.databases)}"
    )


def _teach(session: SqlSession, correction: str, *, wrong: bool) -> None:
    """Keep a lesson about the last answer, and ask again when it was wrong."""
    if session.agent is None or session.answer is None:
        raise UserError("there is no answer yet: ask a question first")
    if wrong and not correction:
        raise UserError("say what was wrong, as in: .wrong use the latest row per person")
    session.agent.teach(session.answer, correction if wrong else "")
    session.agent.rate(session.answer, accepted=not wrong)
    session.console.print(Text("kept"))
    if wrong:
        _ask(session, session.answer.objective)


def _lessons(session: SqlSession, number: str) -> None:
    """List the lessons of the workspace, or delete one."""
    workspace = Workspace(find_workspace(session.options.workspace))
    store = LessonStore(workspace.database)
    try:
        if number and not (number.isdigit() and store.forget(int(number))):
            raise UserError(f"there is no lesson {number}")
        for lesson in store.all():
            said = lesson.correction if lesson.correction else "this query was right"
            line = f"{lesson.number}. {lesson.database}: {lesson.question} → {said}"
            session.console.print(Text(one_line(line, 300)))
    finally:
        workspace.close()


def _change(session: SqlSession, line: str) -> None:
    """Show what a statement would change, ask, and make the change."""
    statement = bare_statement(line)
    found = asyncio.run(show_change(session.current, statement, session.worker))
    told = in_one_line(session.current, found)
    if not found["rows"]:
        session.console.print("no row would change")
        return
    for name in ("before", "after"):
        if isinstance(table := found[name], dict):
            for text in rows_shown(name, table):
                session.console.print(text)
    if not can_ask():
        raise UserError(f"{told}: that must be confirmed at a terminal, so nothing was changed")
    session.console.print(Text(told, style="bold yellow"))
    if input("Do it? [y]es, [N]o: ").strip().lower() not in ("y", "yes"):
        session.console.print("nothing was changed")
        return
    asyncio.run(make_change(session.current, statement, found, session.worker, session.copies))
    session.schemas.pop(session.current.name, None)
    session.console.print("done" + ("; .undo takes it back" if session.current.kind == "sqlite" else ""))


def _undo(session: SqlSession, *, force: bool) -> None:
    if not session.current.writable:
        raise UserError("nothing can be changed here: begin with --allow-write")
    kept = asyncio.run(session.copies.undo(_file(session), seconds=COPY_SECONDS, force=force))
    session.schemas.pop(session.current.name, None)
    session.console.print(Text(f"undone: {one_line(kept.statement, 200)}"))


def _file(session: SqlSession) -> Path:
    if session.current.kind != "sqlite" or session.current.path is None:
        raise UserError(f"{session.current.name} is no SQLite file: its changes cannot be undone here")
    return session.current.path


def _chart(session: SqlSession, words: Sequence[str]) -> None:
    """Draw the last result: a file name, and what kind of chart."""
    if session.last is None or not words or any(word not in ("bar", "line") for word in words[1:]):
        raise UserError("run a SELECT or ask, then .chart FILE, .chart FILE bar or .chart FILE line")
    kind = cast("ChartKind | None", words[1] if len(words) > 1 else None)
    asyncio.run(save_chart(session.last, Path(words[0]).expanduser(), kind))
    session.console.print(Text(f"drawn in {words[0]}"))


def _save(session: SqlSession, name: str) -> None:
    if session.last is None or not name:
        raise UserError("there is no result yet: run a SELECT or ask, then .save FILE")
    table = session.last
    if table.truncated:
        session.current = _named(session, table.database)
        table = session.query(table.sql, MAX_FILE_ROWS)
    save_table(table, Path(name).expanduser())
    session.console.print(Text(f"{_counted(table)} written to {name}"))


def _ask(session: SqlSession, question: str) -> int:
    """Answer a question in words; one that begins with "but" refines the last."""
    agent = session.options.agent()
    if session.agent is not None and session.answer is not None and _FOLLOWS.match(question):
        agent = session.agent.following(session.answer)
    answer = drive(agent, partial(agent.stream, question))
    if answer is None:
        return 130
    print_answer(answer)
    session.agent, session.answer = agent, answer
    tables = [item for item in answer.evidence if isinstance(item, Table)]
    session.last = tables[-1] if tables else session.last
    return 0 if answer.ok else 3


def _show(session: SqlSession, table: Table) -> None:
    """Print a result; cells are text from outside, never markup."""
    grid = Grid(box=None, pad_edge=False, header_style="bold")
    for column in table.columns:
        grid.add_column(Text(one_line(column, 60)), overflow="fold")
    for row in table.rows[:_SHOWN_ROWS]:
        grid.add_row(*(Text("NULL" if cell is None else one_line(str(cell), 200)) for cell in row))
    session.console.print(grid)
    more = f", {_SHOWN_ROWS} shown" if table.row_count > _SHOWN_ROWS else ""
    database = next(entry for entry in session.databases if entry.name == table.database)
    words = in_words(table.sql, database.dialect)
    session.console.print(Text(f"{_counted(table)}{more}. {one_line(words, 300)}", style="dim"))


def _counted(table: Table) -> str:
    cut = " (truncated: there are more)" if table.truncated else ""
    return f"{table.row_count} row{'s' * (table.row_count != 1)}{cut}"
