"""Makes tables of CSV, TSV, Parquet, JSON, JSON Lines and Excel files in DuckDB; runs in the worker's child.

Files of the world are messy. What is repaired in reading them (decimal commas, several styles of date, columns of
the same name, empty lines, an old encoding) is said in a note for each, never in silence.
"""

import csv
import io
import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from crowquill.errors import ToolFailed
from crowquill.tools.sql.columns import rewritten
from crowquill.tools.sql.spreadsheet import sheets

_HEAD = 1 << 20
"""Bytes that are read to tell an encoding."""
_WHOLE = 8 << 20
"""Bytes of a CSV file up to which every line decides on the types; of a larger one, the first 100,000."""
_SAMPLE_LINES = 100_000


def add_files(
    connection: duckdb.DuckDBPyConnection, paths: Sequence[Path], *, thorough: bool
) -> dict[str, list[str]]:
    """Make a view of each file (of an Excel file, a table of each sheet); return what is to be said of each.

    `thorough`: look through the whole file for values that cannot be read.

    Raises:
        ToolFailed: a file cannot be read.
    """
    notes: Notes = {}
    for path in paths:
        add = _READERS.get(path.suffix.lower())
        if add is None:
            raise ToolFailed(f"{path.name}: only {', '.join(sorted(_READERS))} files can be read")
        try:
            notes |= add(_Job(connection, path, notes, thorough))
        except (duckdb.Error, OSError, ValueError) as error:
            reason = " ".join(str(error).split("\n\n")[0].split())[:300]
            raise ToolFailed(f"{path.name} cannot be read: {reason}") from None
    return notes


@dataclass(frozen=True, slots=True)
class _Job:
    """One file to add; `taken` are the tables that there are, with their notes."""

    connection: duckdb.DuckDBPyConnection
    path: Path
    taken: Mapping[str, list[str]]
    thorough: bool

    @property
    def name(self) -> str:
        """Name of the table."""
        return table_name(self.path.stem, self.taken)


Notes = dict[str, list[str]]


def _add_csv(job: _Job) -> Notes:
    path, connection, name = job.path, job.connection, job.name
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.strip():
        raise ValueError("it is empty")
    encoding = _encoding(head, whole=size <= _HEAD)
    lines = -1 if size <= _WHOLE else _SAMPLE_LINES
    options = f"{_text(str(path))}, sample_size={lines}, encoding={_text(encoding)}"
    sniffed = connection.execute(f"SELECT Delimiter, HasHeader FROM sniff_csv({options})").fetchone()  # noqa: S608 - quoted
    assert sniffed is not None  # it gives one row or an error
    notes = [] if encoding == "utf-8" else [f"read as {encoding}"]
    if sniffed[0] not in (",", "\t"):
        notes.append(f"separated by {sniffed[0]!r}")
    if not sniffed[1]:
        notes.append("no header line: columns are called column0, column1 …")
    source = f"read_csv({options}, delim={_text(sniffed[0])}, header={bool(sniffed[1])})"
    notes += _about_lines(head, encoding, sniffed[0], header=bool(sniffed[1]))
    columns, about = rewritten(connection, source, european=sniffed[0] != ",", thorough=job.thorough)
    connection.execute(f"CREATE VIEW {_name(name)} AS SELECT {columns} FROM {source}")  # noqa: S608 - quoted
    return {name: notes + about}


def _encoding(head: bytes, *, whole: bool) -> str:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    try:
        (head if whole else head[: head.rfind(b"\n") + 1]).decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _about_lines(head: bytes, encoding: str, delimiter: str, *, header: bool) -> list[str]:
    text = head.decode("utf-16" if encoding == "utf-16" else encoding, "replace").removeprefix("\ufeff")
    notes = []
    if empty := len(re.findall(r"\n[ \t]*\r?(?=\n.)", text)):
        notes.append(f"{empty} empty line{'s' * (empty != 1)} skipped")
    first = next(csv.reader(io.StringIO(text), delimiter=delimiter), []) if header else []
    doubles = sorted({column[:40] for column in first if first.count(column) > 1})
    notes += [f"several columns are called {column!r}: the second is {column + '_1'!r}" for column in doubles]
    return notes


def _add_parquet(job: _Job) -> Notes:
    return _add_view(job, f"read_parquet({_text(str(job.path))})")


def _add_json(job: _Job) -> Notes:
    return _add_view(job, f"read_json_auto({_text(str(job.path))})")


def _add_view(job: _Job, source: str) -> Notes:
    job.connection.execute(f"CREATE VIEW {_name(job.name)} AS SELECT * FROM {source}")  # noqa: S608 - quoted
    return {job.name: []}


def _add_sheets(job: _Job) -> Notes:
    notes: Notes = {}
    path, connection = job.path, job.connection
    found = sheets(path)
    for sheet in found:
        label = path.stem if len(found) == 1 else f"{path.stem}_{sheet.name}"
        name = table_name(label, {**job.taken, **notes})
        source = ", ".join(f"unnest(?::{kind}[]) AS {_name(column)}" for column, kind in sheet.types)
        raw_name = _name(f"{name} as read")
        connection.execute(f"CREATE TABLE {raw_name} AS SELECT {source}", [*sheet.columns])
        columns, about = rewritten(connection, raw_name, european=True, thorough=job.thorough)
        connection.execute(f"CREATE TABLE {_name(name)} AS SELECT {columns} FROM {raw_name}")  # noqa: S608 - quoted
        connection.execute(f"DROP TABLE {raw_name}")
        notes[name] = [*sheet.notes, *about]
    return notes


_READERS: dict[str, Callable[[_Job], Notes]] = {
    ".csv": _add_csv,
    ".tsv": _add_csv,
    ".txt": _add_csv,
    ".parquet": _add_parquet,
    ".json": _add_json,
    ".jsonl": _add_json,
    ".ndjson": _add_json,
    ".xlsx": _add_sheets,
    ".xls": _add_sheets,
    ".xlsb": _add_sheets,
    ".ods": _add_sheets,
}


def table_name(label: str, taken: Container[str]) -> str:
    """Return a name that needs no quotes, and is not taken."""
    plain = re.sub(r"\W+", "_", label).strip("_").lower()
    plain = f"t_{plain}" if not plain or plain[0].isdigit() else plain[:60]
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain}_{number}", number + 1
    return name


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
