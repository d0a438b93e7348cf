"""The journal: record, replay, and what differs is said."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crowquill.agent.events import Acted, Noticed
from crowquill.agent.journal import Journal
from crowquill.agent.records import LEASE_SECONDS
from crowquill.agent.redact import Redactor
from crowquill.agent.tape import load_events
from crowquill.errors import ModelError, ReplayMismatch, ReplayMiss, StorageError, ToolFailed, ToolRetry, UserError
from crowquill.memory.clock import SystemClock
from crowquill.memory.db import Database
from crowquill.memory.rows import MAX_BYTES, put_aside
from crowquill.tools.context import Json

CLOCK = SystemClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "crowquill.db")
    yield made
    made.close()


async def begin(database: Database, run_id: str = "r1") -> Journal:
    journal = Journal(database, run_id, clock=CLOCK, redactor=Redactor(["canary-secret-1"]))
    await journal.begin("objective", {})
    return journal


async def reopen(database: Database) -> Journal:
    journal = Journal(database, "r1", clock=CLOCK, redactor=Redactor(["canary-secret-1"]), mode="replay")
    await journal.begin("objective", {})
    return journal


def saying(value: Json) -> Callable[[], Awaitable[Json]]:
    async def call() -> Json:
        return value

    return call


async def never() -> Json:
    raise AssertionError("a replay called the world")


async def test_effects_come_back_without_a_call(database: Database) -> None:
    live = await begin(database)
    assert await live.effect("t1/s1", "search", {"q": "a"}, saying(["one"])) == ["one"]
    assert await live.effect("t1/s1", "search", {"q": "a"}, saying(["two"])) == ["two"]
    again = await reopen(database)
    assert await again.effect("t1/s1", "search", {"q": "a"}, never) == ["one"]
    assert await again.effect("t1/s1", "search", {"q": "a"}, never) == ["two"]


async def test_lanes_replay_in_any_order(database: Database) -> None:
    live = await begin(database)
    await live.effect("t1/s1", "search", {"q": "a"}, saying("from t1"))
    await live.effect("t2/s1", "search", {"q": "a"}, saying("from t2"))
    again = await reopen(database)
    assert await again.effect("t2/s1", "search", {"q": "a"}, never) == "from t2"
    assert await again.effect("t1/s1", "search", {"q": "a"}, never) == "from t1"


@pytest.mark.parametrize("error", [ToolRetry("again"), ToolFailed("no"), ModelError("empty", kind="quota")])
async def test_failures_are_recorded_and_raised_again(database: Database, error: Exception) -> None:
    async def fail() -> Json:
        raise error

    live = await begin(database)
    with pytest.raises(type(error)):
        await live.effect("t1", "fetch", None, fail)
    again = await reopen(database)
    with pytest.raises(type(error)) as caught:
        await again.effect("t1", "fetch", None, never)
    assert str(caught.value) == str(error)
    assert getattr(caught.value, "kind", None) == getattr(error, "kind", None)


async def test_a_miss_is_loud_and_shows_the_nearest_request(database: Database) -> None:
    live = await begin(database)
    await live.effect("t1", "search", {"query": "length of the Danube"}, saying(1))
    again = await reopen(database)
    with pytest.raises(ReplayMiss) as miss:
        await again.effect("t1", "search", {"query": "length of the Rhine"}, never)
    assert str(miss.value).splitlines() == [
        "run r1, t1: there is no recorded search effect number 1 for this request; the nearest recorded one differs"
        " so:",
        "--- recorded at t1",
        "+++ asked for at t1",
        "@@ -1 +1 @@",
        '-query: "length of the Danube"',
        '+query: "length of the Rhine"',
    ]


async def test_a_strict_replay_asks_for_every_effect_again(database: Database) -> None:
    live = await begin(database)
    await live.effect("t1", "search", {"q": "a"}, saying(1))
    again = await reopen(database)
    again.check_complete()
    with pytest.raises(
        ReplayMismatch, match=r'1 recorded effects were not asked for again; .*search at t1: {"q":"a"}'
    ):
        again.check_complete(strict=True)


async def test_long_entries_lie_beside_the_database(database: Database) -> None:
    live, long = await begin(database), "x" * 200_000
    await live.effect("t1", "search", long, saying([long]))
    await live.emit("t1", Noticed(long))
    assert database.path.stat().st_size < 150_000
    again = await reopen(database)
    assert await again.effect("t1", "search", long, never) == [long]
    assert (await again.emit("t1", Noticed(long))).event == Noticed(long)
    with pytest.raises(StorageError, match="are too much for one entry of the journal"):
        put_aside("x" * (MAX_BYTES + 1), database.blobs)


async def test_a_response_that_was_changed_is_noticed(database: Database) -> None:
    await (await begin(database)).effect("t1", "search", 1, saying("one"))
    await database.write(lambda connection: connection.execute("""UPDATE effects SET response = '"two"'"""))
    with pytest.raises(StorageError, match="was changed after it was written"):
        await reopen(database)


async def test_a_run_of_another_machine_is_held_while_that_says_so(database: Database) -> None:
    live = await begin(database)
    await database.write(lambda connection: connection.execute("UPDATE runs SET process = 'another boot 1'"))
    with pytest.raises(UserError, match="is being worked on"):
        await Journal(database, "r1", clock=CLOCK, redactor=Redactor(), mode="resume").begin("", {})
    old = (datetime.now(UTC) - timedelta(seconds=LEASE_SECONDS + 1)).isoformat()
    await database.write(lambda connection: connection.execute("UPDATE runs SET beat_at = ?", (old,)))
    assert await live.beat() is False  # it notices that it has lost the run
    await Journal(database, "r1", clock=CLOCK, redactor=Redactor(), mode="resume").begin("", {})
    assert await live.beat() is True  # this process holds it again


async def test_an_unfinished_effect_is_a_miss(database: Database) -> None:
    async def crash() -> Json:
        raise KeyboardInterrupt

    live = await begin(database)
    with pytest.raises(KeyboardInterrupt):
        await live.effect("t1", "search", 1, crash)
    again = await reopen(database)
    with pytest.raises(ReplayMiss):
        await again.effect("t1", "search", 1, never)


async def test_events_are_compared_and_none_may_be_missing(database: Database) -> None:
    live = await begin(database)
    await live.emit("run", Noticed("one"))
    await live.emit("t1", Acted(1, "search", {"query": "x"}))
    live.finish("answered", None)
    again = await reopen(database)
    await again.emit("t1", Acted(1, "search", {"query": "x"}))
    with pytest.raises(ReplayMismatch, match="one"):
        await again.emit("run", Noticed("two"))
    short = await reopen(database)
    await short.emit("run", Noticed("one"))
    with pytest.raises(ReplayMismatch, match="did not come again"):
        short.check_complete()


async def test_secrets_are_redacted_before_they_are_stored_and_before_they_are_returned(
    database: Database,
) -> None:
    live = await begin(database)
    reply = await live.effect("t1", "search", {"q": "canary-secret-1"}, saying({"text": "canary-secret-1!"}))
    assert reply == {"text": "[redacted]!"}
    await live.emit("run", Noticed("the key is canary-secret-1"))
    database.close()
    for file in database.path.parent.iterdir():
        assert b"canary" not in file.read_bytes()


async def test_the_chain_of_events_detects_a_change(database: Database) -> None:
    live = await begin(database)
    for number in range(3):
        await live.emit("run", Noticed(f"event {number}"))
    assert len(await database.read(lambda connection: load_events(connection, "r1", database.blobs))) == 3
    await database.write(
        lambda connection: connection.execute("UPDATE events SET payload=replace(payload, 'event 1', 'event 7')")
    )
    with pytest.raises(StorageError, match=r"was changed after it was written .*event 1"):
        await database.read(lambda connection: load_events(connection, "r1", database.blobs))


async def test_rows_alongside_an_event_are_written_with_it_or_not_at_all(database: Database) -> None:
    live = await begin(database)

    def fail(connection: object) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await live.emit("run", Noticed("lost"), fail)
    assert await database.read(lambda c: c.execute("SELECT count(*) FROM events").fetchone()[0]) == 0


async def left(database: Database) -> Journal:
    """Leave a run in the middle of its second search, as a kill does, and return the journal that takes it up."""
    live = await begin(database)
    await live.effect("t1/s1", "search", {"q": "a"}, saying("one"))
    await live.emit("t1", Noticed("first", "info"))
    killed = asyncio.create_task(live.effect("t1/s1", "search", {"q": "b"}, asyncio.Event().wait))
    await asyncio.wait([killed], timeout=0.2)
    killed.cancel()
    await database.write(lambda connection: connection.execute("UPDATE runs SET process = process || '0'"))
    return Journal(database, "r1", clock=CLOCK, redactor=Redactor(["canary-secret-1"]), mode="resume")


async def test_a_run_that_was_left_is_taken_up(database: Database) -> None:
    journal = await left(database)
    await journal.begin("objective", {})
    assert await journal.effect("t1/s1", "search", {"q": "a"}, never) == "one"
    assert (await journal.emit("t1", Noticed("first", "info"))).seq == 0
    assert await journal.effect("t1/s1", "search", {"q": "b"}, saying("two")) == "two"  # it was under way
    await journal.emit("t1", Noticed("second", "info"))
    journal.check_complete()
    recorded = await database.read(
        lambda connection: load_events(connection, "r1", database.blobs)
    )  # the chain of hashes holds
    assert [entry.event for entry in recorded] == [Noticed("first", "info"), Noticed("second", "info")]


async def test_a_resumed_run_that_takes_another_path_is_told(database: Database) -> None:
    journal = await left(database)
    await journal.begin("objective", {})
    with pytest.raises(ReplayMismatch, match="recorded"):
        await journal.emit("t1", Noticed("something else", "info"))


async def test_a_run_that_a_process_works_on_is_not_taken_up_nor_closed(database: Database) -> None:
    await begin(database)
    other = Journal(database, "r1", clock=CLOCK, redactor=Redactor(), mode="resume")
    with pytest.raises(UserError, match="is being worked on by process"):
        await other.begin("objective", {})
    other.finish("error", None)
    ((status,),) = await database.read(lambda c: c.execute("SELECT status FROM runs").fetchall())
    assert status == "running"
