"""The schema of the workspace's database, as numbered steps from an empty file.

A step is a script of statements, or a function where SQL alone cannot do it. Steps are never changed once they
were released, only added to.
"""

import json
import sqlite3
from collections.abc import Callable
from contextlib import suppress

from crowquill.errors import StorageError
from crowquill.memory.life import mark
from crowquill.memory.record import decode
from crowquill.memory.rows import note_blobs


def note_all_blobs(connection: sqlite3.Connection) -> None:
    """Fill the table of blobs in use from the rows that name them."""
    queries = (
        "SELECT run, request FROM effects",
        "SELECT run, response FROM effects",
        "SELECT run, payload FROM events",
    )
    for query in queries:
        for run, text in connection.execute(query):
            if text is not None:
                note_blobs(connection, run, text)


def mark_all_records(connection: sqlite3.Connection) -> None:
    """Fill in what earlier versions did not store of records; one that cannot be read is left as it is."""
    for seq, data in connection.execute("SELECT seq, json FROM records WHERE gist IS NULL").fetchall():
        with suppress(StorageError, ValueError):
            mark(connection, seq, decode(json.loads(data)))


MIGRATIONS: tuple[str | Callable[[sqlite3.Connection], None], ...] = (
    # 1: the journal
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY, objective TEXT NOT NULL, config TEXT NOT NULL, status TEXT NOT NULL,
        created_at TEXT NOT NULL, finished_at TEXT, pid INTEGER, boot_id TEXT, answer TEXT
    ) STRICT;
    CREATE TABLE effects (
        run TEXT NOT NULL REFERENCES runs(id), lane TEXT NOT NULL, kind TEXT NOT NULL,
        request_sha256 TEXT NOT NULL, ordinal INTEGER NOT NULL, request TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('started', 'done', 'failed')), response TEXT,
        started_at TEXT NOT NULL, seconds REAL,
        PRIMARY KEY (run, lane, kind, request_sha256, ordinal)
    ) STRICT;
    CREATE TABLE events (
        run TEXT NOT NULL REFERENCES runs(id), lane TEXT NOT NULL, seq INTEGER NOT NULL,
        position INTEGER NOT NULL, at TEXT NOT NULL, payload TEXT NOT NULL, digest TEXT NOT NULL,
        chain TEXT NOT NULL, PRIMARY KEY (run, lane, seq)
    ) STRICT;
    CREATE INDEX events_in_order ON events (run, position);
    """,
    # 2: evidence that was verified, and where it was met
    """
    CREATE TABLE evidence (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
        json TEXT NOT NULL, text TEXT NOT NULL, title TEXT NOT NULL, url TEXT NOT NULL,
        source_sha256 TEXT NOT NULL, trust REAL NOT NULL, created_at TEXT NOT NULL,
        embedder TEXT, vector BLOB
    ) STRICT;
    CREATE INDEX evidence_by_embedder ON evidence (embedder);
    CREATE INDEX evidence_by_source ON evidence (source_sha256);
    CREATE TABLE sightings (
        evidence INTEGER NOT NULL REFERENCES evidence(seq), run TEXT NOT NULL, task TEXT NOT NULL,
        question TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (evidence, run, task)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sightings_by_run ON sightings (run);
    """,
    # 3: a process is told from a later one of its number by more than the boot of the machine
    """
    ALTER TABLE runs RENAME COLUMN boot_id TO process;
    """,
    # 4: signs of life, what a paused run waits for, forks, hashes of responses, and which blobs are in use
    """
    ALTER TABLE runs ADD COLUMN beat_at TEXT;
    ALTER TABLE runs ADD COLUMN why TEXT NOT NULL DEFAULT '';
    ALTER TABLE runs ADD COLUMN parent TEXT REFERENCES runs(id);
    ALTER TABLE runs ADD COLUMN fork TEXT;
    ALTER TABLE effects ADD COLUMN digest TEXT;
    ALTER TABLE effects ADD COLUMN access TEXT NOT NULL DEFAULT 'read';
    CREATE INDEX runs_by_time ON runs (created_at, id);
    CREATE INDEX runs_by_parent ON runs (parent);
    CREATE TABLE blob_uses (
        sha256 TEXT NOT NULL, run TEXT NOT NULL REFERENCES runs(id), PRIMARY KEY (sha256, run)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX blob_uses_by_run ON blob_uses (run);
    """,
    # 5: what earlier versions did not note
    note_all_blobs,
    # 6: pages that were fetched, as long as they are fresh or can be asked for again
    """
    CREATE TABLE pages (
        url TEXT PRIMARY KEY, status INTEGER NOT NULL, media_type TEXT NOT NULL, charset TEXT,
        location TEXT NOT NULL, body TEXT NOT NULL, etag TEXT NOT NULL, last_modified TEXT NOT NULL,
        fetched_at TEXT NOT NULL, fresh_until REAL NOT NULL, listed INTEGER NOT NULL
    ) STRICT;
    """,
    # 7: replies that came from an earlier run
    """
    ALTER TABLE effects ADD COLUMN reused INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX effects_by_request ON effects (request_sha256, kind);
    """,
    # 8: what people have said about answers from databases
    """
    CREATE TABLE lessons (
        id INTEGER PRIMARY KEY AUTOINCREMENT, database TEXT NOT NULL, question TEXT NOT NULL, sql TEXT NOT NULL,
        correction TEXT NOT NULL, at TEXT NOT NULL, UNIQUE (database, question, sql, correction)
    ) STRICT;
    """,
    # 9: the life of a record: notes beside evidence, namespaces, trust that moves, merging, shelving, relations
    """
    ALTER TABLE evidence RENAME TO records;
    ALTER TABLE records RENAME COLUMN trust TO prior;
    ALTER TABLE records ADD COLUMN namespace TEXT NOT NULL DEFAULT '';
    ALTER TABLE records ADD COLUMN author TEXT NOT NULL DEFAULT 'run';
    ALTER TABLE records ADD COLUMN status TEXT NOT NULL DEFAULT 'active';
    ALTER TABLE records ADD COLUMN why TEXT NOT NULL DEFAULT '';
    ALTER TABLE records ADD COLUMN importance REAL NOT NULL DEFAULT 0.5;
    ALTER TABLE records ADD COLUMN upheld INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE records ADD COLUMN doubted INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE records ADD COLUMN merged_into INTEGER REFERENCES records(seq) ON DELETE SET NULL;
    ALTER TABLE records ADD COLUMN used_at TEXT;
    ALTER TABLE records ADD COLUMN uses INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE records ADD COLUMN expires_at TEXT;
    ALTER TABLE records ADD COLUMN gist TEXT;
    ALTER TABLE records ADD COLUMN subject TEXT;
    CREATE INDEX records_by_gist ON records (gist);
    CREATE INDEX records_by_subject ON records (subject);
    CREATE INDEX records_by_namespace ON records (namespace);
    CREATE INDEX records_by_merge ON records (merged_into) WHERE merged_into IS NOT NULL;
    CREATE TABLE relations (
        subject INTEGER NOT NULL REFERENCES records(seq) ON DELETE CASCADE, relation TEXT NOT NULL,
        object INTEGER NOT NULL REFERENCES records(seq) ON DELETE CASCADE, at TEXT NOT NULL,
        PRIMARY KEY (subject, relation, object)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX relations_by_object ON relations (object);
    """,
    # 10: by what earlier records are compared with new ones
    mark_all_records,
    # 11: what became of the answers that cite a record, once for each question
    """
    CREATE TABLE outcomes (
        record INTEGER NOT NULL REFERENCES records(seq) ON DELETE CASCADE, question TEXT NOT NULL,
        accepted INTEGER NOT NULL, author TEXT NOT NULL, PRIMARY KEY (record, question)
    ) STRICT, WITHOUT ROWID;
    """,
)


def version_of(connection: sqlite3.Connection) -> int:
    """Return how many steps a database has taken."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Take the steps that a database lacks, each in one transaction; several processes may do it at once."""
    for number in range(version_of(connection) + 1, len(MIGRATIONS) + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if version_of(connection) < number:  # another process may have won
                _take(connection, number)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _take(connection: sqlite3.Connection, number: int) -> None:
    step = MIGRATIONS[number - 1]
    if callable(step):
        step(connection)
    else:
        for statement in step.split(";\n"):
            if statement.strip():
                connection.execute(statement)
    connection.execute(f"PRAGMA user_version={number}")
