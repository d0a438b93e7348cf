"""The life of a record: merging, contradiction, trust, shelving, expiry, eviction.

Everything here runs inside the caller's transaction. Nothing doubtful is deleted: it is shelved, with the reason.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from crowquill.memory.evidence import digest
from crowquill.memory.likeness import contradicting, gist, same_place, subject
from crowquill.memory.record import Author, Content, decode, text_of, trust

SHELVED_BELOW = 0.25
"""Trust below which a record is shelved."""
_COMPARED = 50
"""Records of one subject, or of one page, that a new one is compared with; the newest."""

Relation = Literal["cites", "cited by", "contradicts", "agrees with", "replaces", "replaced by"]
_INVERSE: dict[Relation, Relation] = {
    "cites": "cited by",
    "cited by": "cites",
    "contradicts": "contradicts",
    "agrees with": "agrees with",
    "replaces": "replaced by",
    "replaced by": "replaces",
}


def relate(connection: sqlite3.Connection, seq: int, relation: Relation, other: int, now: str) -> bool:
    """Store a relation in both directions; return whether it is new."""
    rows = [(seq, relation, other, now), (other, _INVERSE[relation], seq, now)]
    added = connection.executemany("INSERT OR IGNORE INTO relations VALUES (?, ?, ?, ?)", rows)
    return added.rowcount > 0


def mark(connection: sqlite3.Connection, seq: int, content: Content) -> None:
    """Store by what a record is compared with others."""
    text = text_of(content)
    own = gist(text), subject(text) if content.kind == "quote" else None
    connection.execute("UPDATE records SET gist=?, subject=? WHERE seq=?", (*own, seq))


def settle(connection: sqlite3.Connection, seq: int, content: Content, now: str, *, below: int) -> None:
    """Find a marked record's place among those numbered `below`: merge it into an equal one, or relate it to those
    it contradicts.

    Equal words from another host speak for a record, another value of the same thing against both.
    """
    first = _equal(connection, seq, content, below)
    if first is not None:
        _merge(connection, seq, first, now)
    else:
        _compare(connection, seq, text_of(content), below, now)


def _alike(index: str, condition: str) -> str:
    """Return the query for the records that one may be equal to, or contradict, found by an index."""
    return (  # the planner, which knows no figures of a new database, would look through whole namespaces
        f"SELECT other.seq, other.json, other.text FROM records AS own JOIN records AS other INDEXED BY {index}"  # noqa: S608
        f" ON {condition} AND other.seq < :below AND other.namespace = own.namespace AND other.kind = own.kind"
        " AND other.merged_into IS NULL AND other.status = 'active' WHERE own.seq = :seq ORDER BY other.seq"
    )


_BY_GIST = _alike("records_by_gist", "other.gist = own.gist") + " LIMIT 1"
_BY_PAGE = _alike("evidence_by_source", "other.source_sha256 = own.source_sha256") + " DESC LIMIT :most"
_BY_SUBJECT = (
    _alike("records_by_subject", "other.subject = own.subject AND other.url <> own.url") + " DESC LIMIT :most"
)


def _equal(connection: sqlite3.Connection, seq: int, content: Content, below: int) -> int | None:
    """Return the record that says the same, in the same kind and namespace."""
    values = {"seq": seq, "below": below, "most": _COMPARED}
    row = connection.execute(_BY_GIST, values).fetchone()
    if row is not None or content.kind != "quote":
        return None if row is None else int(row[0])
    page = ((other, data) for other, data, _ in connection.execute(_BY_PAGE, values))
    return next((int(other) for other, data in page if same_place(content, decode(json.loads(data)))), None)


def _merge(connection: sqlite3.Connection, seq: int, first: int, now: str) -> None:
    connection.execute("UPDATE records SET merged_into=? WHERE seq=?", (first, seq))
    query = "SELECT url FROM records WHERE seq=?1 OR merged_into=?1 AND seq<>?2"
    hosts = {_host(url) for (url,) in connection.execute(query, (first, seq))}
    (url,) = connection.execute("SELECT url FROM records WHERE seq=?", (seq,)).fetchone()
    if url and _host(url) not in hosts and relate(connection, seq, "agrees with", first, now):
        weigh(connection, [first], upheld=1)


def _host(url: str) -> str:
    """Return who answers for a page: the host, or the corpus; pages without one stand for themselves."""
    parts = urlsplit(url)
    return parts.netloc if parts.netloc else url


def _compare(connection: sqlite3.Connection, seq: int, text: str, below: int, now: str) -> None:
    """Relate a record to those from other pages that give another value of the same thing."""
    rows = connection.execute(_BY_SUBJECT, {"seq": seq, "below": below, "most": _COMPARED}).fetchall()
    for other in contradicting(text, [(number, words) for number, _, words in rows]):
        if relate(connection, seq, "contradicts", other, now):
            weigh(connection, [seq, other], doubted=1)


def weigh(connection: sqlite3.Connection, numbers: Iterable[int], *, upheld: int = 0, doubted: int = 0) -> None:
    """Count what speaks for or against records; those that nobody can trust any more are shelved."""
    for number in numbers:
        row = connection.execute(
            "UPDATE records SET upheld = upheld + ?, doubted = doubted + ? WHERE seq = ?"
            " RETURNING prior, upheld, doubted",
            (upheld, doubted, number),
        ).fetchone()
        if row is not None and trust(*row) < SHELVED_BELOW:
            shelve(connection, [number], "more speaks against it than for it")


def judge(
    connection: sqlite3.Connection, numbers: Iterable[int], question: str, *, accepted: bool, author: Author
) -> None:
    """Count what became of an answer for or against the records that it cites (or what they were merged into).

    A question counts once for a record: a later outcome takes the place of an earlier one, but that of a run never
    the place of a person's word.
    """
    asked = digest(" ".join(question.casefold().split()))
    for (number,) in connection.execute(
        "SELECT DISTINCT coalesce(merged_into, seq) FROM records WHERE seq IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(numbers)),),
    ).fetchall():
        query = "SELECT accepted, author FROM outcomes WHERE record=? AND question=?"
        before = connection.execute(query, (number, asked)).fetchone()
        if before is not None and (author, "person") == ("run", before[1]):
            continue
        upheld, doubted = int(accepted), int(not accepted)
        if before is not None:
            upheld, doubted = upheld - before[0], doubted - (1 - before[0])
        connection.execute("REPLACE INTO outcomes VALUES (?, ?, ?, ?)", (number, asked, accepted, author))
        weigh(connection, [number], upheld=upheld, doubted=doubted)


def shelve(connection: sqlite3.Connection, numbers: Iterable[int], why: str) -> None:
    """Keep records out of what is recalled."""
    connection.executemany(
        "UPDATE records SET status='shelved', why=? WHERE seq=? AND status='active'",
        [(why, number) for number in numbers],
    )


def restore(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Let shelved records be recalled again."""
    connection.executemany(
        "UPDATE records SET status='active', why='' WHERE seq=?", [(number,) for number in numbers]
    )


def replace(connection: sqlite3.Connection, old: int, new: int, now: str, why: str) -> None:
    """Put a newer record in the place of an older one, which is shelved."""
    relate(connection, new, "replaces", old, now)
    shelve(connection, [old], why)


def used(connection: sqlite3.Connection, numbers: Iterable[int], now: str) -> None:
    """Note that records were recalled: what is used stays fresh."""
    connection.executemany(
        "UPDATE records SET used_at=?, uses=uses+1 WHERE seq=?", [(now, number) for number in numbers]
    )


@dataclass(frozen=True, slots=True)
class Tidied:
    """What a tidying did, or would do: records shelved as expired, and those beyond the capacity, worst first."""

    expired: tuple[int, ...]
    evicted: tuple[int, ...]


def tidy(connection: sqlite3.Connection, ranked: Sequence[int], capacity: int | None, now: str) -> Tidied:
    """Say what has expired, and which records to evict; `ranked` are all of them, the most valuable first."""
    rows = connection.execute(
        "SELECT seq FROM records WHERE expires_at <= ? AND status='active' ORDER BY seq", (now,)
    )
    beyond = ranked[capacity:] if capacity is not None else ()
    return Tidied(tuple(row[0] for row in rows), tuple(reversed(beyond)))


def derived(connection: sqlite3.Connection, numbers: Collection[int]) -> set[int]:
    """Return the notes that rest on records, directly or through other notes, without the records themselves."""
    found, edge = set(numbers), list(numbers)
    while edge:
        rows = connection.execute(
            "SELECT object FROM relations WHERE relation='cited by'"
            " AND subject IN (SELECT value FROM json_each(?))",
            (json.dumps(edge),),
        )
        edge = [row[0] for row in rows if row[0] not in found]
        found.update(edge)
    return found - set(numbers)
