"""Writes a query result to a file: CSV, TSV, JSON or JSON Lines, by its suffix."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from crowquill.errors import UserError
from crowquill.memory.evidence import Table

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def save_table(table: Table, path: Path) -> None:
    """Write a table to a new file; an existing one is never overwritten.

    A text that a spreadsheet would run as a formula gets an apostrophe in front in CSV and TSV.

    Raises:
        UserError: the suffix is unknown, the file exists, or it cannot be written.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise UserError(f"{path.name}: a result is saved as {', '.join(_WRITERS)}")
    with new_file(path) as file, io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        write(table, text)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that only its owner can read; an existing one is never overwritten. Raises UserError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file
    except FileExistsError:
        raise UserError(f"{path} exists already; give another name") from None
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None


def _write_csv(table: Table, file: TextIO, delimiter: str = ",") -> None:
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow([_defused(column) for column in table.columns])
    writer.writerows([[_defused(cell) for cell in row] for row in table.rows])


def _defused(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _write_tsv(table: Table, file: TextIO) -> None:
    _write_csv(table, file, "\t")


def _write_json(table: Table, file: TextIO) -> None:
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    json.dump(rows, file, ensure_ascii=False, indent=1)


def _write_lines(table: Table, file: TextIO) -> None:
    for row in table.rows:
        file.write(json.dumps(dict(zip(table.columns, row, strict=True)), ensure_ascii=False) + "\n")


_WRITERS: dict[str, Callable[[Table, TextIO], None]] = {
    ".csv": _write_csv,
    ".tsv": _write_tsv,
    ".json": _write_json,
    ".jsonl": _write_lines,
}
