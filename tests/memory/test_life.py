"""The life of a record: merged, contradicted, trusted more or less, shelved, expired, evicted, forgotten."""

import json
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from tests.support.clock import FakeClock

from crowquill.errors import StorageError, UserError
from crowquill.memory import life
from crowquill.memory.db import Database
from crowquill.memory.embed import HashingEmbedder
from crowquill.memory.evidence import Computation, Quote
from crowquill.memory.forget import forget
from crowquill.memory.index import ChromaIndex
from crowquill.memory.portable import export, take_in
from crowquill.memory.record import Author, Filter, Note, Origin
from crowquill.memory.retrieve import Retriever, Way
from crowquill.memory.snapshot import Line, Snapshot
from crowquill.memory.store import MemoryStore, number_of
from crowquill.memory.wordindex import WordIndex

RUN = Origin("r1", "t1", "How long?")


def page(text: str, url: str = "https://a.example/danube", *, trust: float = 0.5) -> Snapshot:
    lines = (Line(0, len(text)), Line(len(text) + 1, len(text) + 1 + len(url)))
    return Snapshot(url, "Danube", f"{text}\n{url}", lines, fetched_at="2026", trust=trust)


class Memory:
    """A store whose quotes stand in pages on the disk."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.database = Database(folder / "crowquill.db")
        self.store = MemoryStore(self.database, HashingEmbedder(64), clock=self.clock)
        self.retriever = Retriever(self.store)

    async def met(self, text: str, host: str = "a", origin: Origin = RUN, *, trust: float = 0.5) -> int:
        snapshot = page(text, f"https://{host}.example/danube", trust=trust)
        self.database.blobs.put(snapshot.text.encode())
        await self.store.add([snapshot.quote(1, 1)], origin)
        number = self.database.read_now(lambda connection: number_of(connection, snapshot.quote(1, 1).id))
        assert number is not None
        return number

    async def found(self, query: str, chosen: Filter | None = None) -> list[str]:
        return [hit.record.text for hit in await self.retriever.search(query, chosen=chosen)]

    def related(self, number: int) -> set[tuple[str, int]]:
        query = "SELECT relation, object FROM relations WHERE subject=?"
        return set(self.database.read_now(lambda c: c.execute(query, (number,)).fetchall()))


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path)


async def test_the_same_words_of_another_page_are_one_hit_that_is_trusted_more(memory: Memory) -> None:
    first = await memory.met("The Danube is 2,850 kilometres long.")
    again = await memory.met("the Danube is 2850 kilometres long", "b")
    same_host = await memory.met("The Danube  is 2,850 kilometres long.", "b")
    (hit,) = await memory.retriever.search("Danube long")
    assert hit.record.seq == first
    assert hit.record.copies == 2
    assert hit.record.upheld == 1  # two pages of one host say it once
    assert hit.record.trust > 0.5
    assert memory.related(first) == {("agrees with", again)}
    assert memory.related(again) == {("agrees with", first)}
    copies = await memory.store.records([again, same_host])
    assert {record.merged_into for record in copies.values()} == {first}


async def test_nearly_the_same_span_of_a_page_is_one_hit(memory: Memory) -> None:
    text = "The Danube flows through ten countries and ends in the Black Sea. It has many tributaries."
    snapshot = Snapshot("https://a.example", "Danube", text, (Line(0, 65), Line(66, 90)), fetched_at="2026")
    spans = [
        Quote(text[start:end], snapshot.source, start, end, (1, 1)) for start, end in ((0, 65), (4, 65), (66, 90))
    ]
    await memory.store.add(spans, RUN)
    assert len(await memory.found("Danube tributaries")) == 2


async def test_another_value_of_the_same_thing_is_held_against_both(memory: Memory) -> None:
    first = await memory.met("The Danube is 2,850 kilometres long.")
    await memory.met("The Rhine is 1,230 kilometres long.", "b")
    other = await memory.met("The Danube is 2,860 kilometres long.", "c")
    assert memory.related(first) == {("contradicts", other)}
    assert memory.related(other) == {("contradicts", first)}
    records = await memory.store.records([first, other])
    assert all(record.doubted == 1 and record.trust < 0.5 for record in records.values())
    await memory.met("The Danube is 2,850 kilometres long.", "c2", Origin("r2", "t1", ""))
    assert len(await memory.found("Danube long")) == 3


async def test_what_nobody_can_trust_is_shelved_and_can_be_restored(memory: Memory) -> None:
    number = await memory.met("The Danube is 2,850 kilometres long.", trust=0.4)
    for _ in range(6):
        memory.database.write_now(lambda c: life.weigh(c, [number], doubted=1))
    record = (await memory.store.records([number]))[number]
    assert 0.0 < record.trust < life.SHELVED_BELOW
    assert (record.status, record.why) == ("shelved", "more speaks against it than for it")
    assert await memory.found("Danube") == []
    assert await memory.found("Danube", Filter(shelved=True)) == [record.text]
    memory.database.write_now(lambda c: life.restore(c, [number]))
    assert await memory.found("Danube") == [record.text]


async def test_what_became_of_answers_counts_once_for_a_question(memory: Memory) -> None:
    first = await memory.met("The Danube is 2,850 kilometres long.")
    copy = await memory.met("The Danube is 2,850 kilometres long.", "a2")

    async def judged(question: str, *, accepted: bool, author: Author = "run") -> tuple[int, int]:
        change = partial(life.judge, numbers=[copy], question=question, accepted=accepted, author=author)
        memory.database.write_now(change)
        record = (await memory.store.records([first]))[first]
        assert 0.0 < record.trust < 1.0
        assert (record.trust > record.prior) == (record.upheld > record.doubted)
        return record.upheld, record.doubted

    assert await judged("How long?", accepted=True) == (2, 0)  # another page has said the same
    assert await judged("how  long?", accepted=True) == (2, 0)
    assert await judged("How long?", accepted=False) == (1, 1)
    assert await judged("Which river is longest?", accepted=False) == (1, 2)
    assert await judged("How long?", accepted=True, author="person") == (2, 1)
    assert await judged("How long?", accepted=False) == (2, 1)  # a person's word stands
    for number in range(100):
        await judged(f"Question {number}?", accepted=False)
    assert await memory.found("Danube") == []


async def test_a_newer_record_takes_the_place_of_an_older_one(memory: Memory) -> None:
    old = await memory.met("The Danube is 2,850 kilometres long.")
    new = await memory.met("By the survey of 2026, its length is 2,857 kilometres.", "b")
    memory.database.write_now(lambda c: life.replace(c, old, new, memory.store.now(), "there is a newer survey"))
    assert memory.related(new) == {("replaces", old)}
    assert memory.related(old) == {("replaced by", new)}
    assert await memory.found("Danube length survey") == ["By the survey of 2026, its length is 2,857 kilometres."]


async def test_what_has_expired_is_not_recalled(memory: Memory) -> None:
    end = (memory.clock.now() + timedelta(days=2)).isoformat()
    await memory.met("The Danube is closed to ships.", origin=Origin("r1", "t1", "", expires_at=end))
    assert len(await memory.found("Danube ships")) == 1
    memory.clock.seconds += 3 * 86_400
    assert await memory.found("Danube ships") == []
    now = memory.store.now()
    tidied = memory.database.read_now(lambda c: life.tidy(c, [1], None, now))
    assert tidied == life.Tidied((1,), ())
    assert memory.database.read_now(lambda c: life.tidy(c, [3, 1, 2], 1, now)).evicted == (2, 1)


async def test_use_keeps_a_record_fresh(memory: Memory) -> None:
    await memory.met("Crows bring gifts to people.")
    used = await memory.met("Crows remember gifts.", "b")
    memory.clock.seconds += 60 * 86_400
    memory.database.write_now(lambda c: life.used(c, [used], memory.store.now()))
    hits = {hit.record.seq: hit.parts["recency"] for hit in await memory.retriever.search("crows gifts")}
    assert hits[used] == 1.0
    assert hits[1] == pytest.approx(0.25)


async def test_notes_rest_on_what_is_there(memory: Memory) -> None:
    number = await memory.met("The Danube is 2,850 kilometres long.")
    quote = (await memory.store.records([number]))[number].content
    insight = Note("insight", "The Danube is the longer one.", "Rivers", (quote.id,), 1)
    higher = Note("insight", "Europe has long rivers.", "Rivers", (insight.id,), 2)
    await memory.store.add([insight, higher], Origin(author="person"))
    assert memory.related(number) == {("cited by", 2)}
    with pytest.raises(StorageError, match="which is not in the memory"):
        await memory.store.add([Note("insight", "No.", "", ("q000000000000000",))], RUN)
    assert memory.database.read_now(lambda c: life.derived(c, [number])) == {2, 3}


async def test_forgetting_takes_copies_pages_words_vectors_and_what_rests_on_it(
    memory: Memory, tmp_path: Path
) -> None:
    secret = "The Zanzibar ledger lists 4,711 camels."
    first = await memory.met(secret)
    await memory.met(secret, "b")
    await memory.met("Crows bring gifts.", "c")
    quote = (await memory.store.records([first]))[first].content
    await memory.store.add([Note("answer", "There are camels in Zanzibar.", "", (quote.id,))], RUN)
    chroma = ChromaIndex(memory.store, tmp_path / "chroma", smallest=1)
    words = WordIndex(memory.store, tmp_path / "words", smallest=1)
    await chroma.sync()
    await words.sync()
    assert await chroma.opened()
    assert words.is_kept
    await chroma.close()
    words.close()
    found = forget(memory.database, [first], dry=True)
    assert (len(found.records), len(found.notes), len(found.pages)) == (2, 1, 2)
    assert await memory.store.count() == 4
    assert forget(memory.database, [first]).rebuilt
    assert await memory.store.count() == 1
    assert await memory.found("Zanzibar camels") == []
    memory.database.close()
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert b"Zanzibar" not in file.read_bytes(), file
            assert b"zanzibar" not in file.read_bytes(), file
    assert not (tmp_path / "chroma").exists()
    again = WordIndex(memory.store, tmp_path / "words", smallest=1)
    await again.sync()
    assert again.held == frozenset({3})
    again.close()


async def test_an_index_in_use_elsewhere_is_erased_when_its_user_has_ended(memory: Memory, tmp_path: Path) -> None:
    await memory.met("The Danube is long.")
    await memory.met("Crows bring gifts.", "c")
    words = WordIndex(memory.store, tmp_path / "words", smallest=1)
    await words.sync()
    assert not forget(memory.database, [1]).rebuilt
    words.close()
    again = WordIndex(memory.store, tmp_path / "words", smallest=1)
    await again.sync()
    assert again.held == frozenset({2})
    again.close()


async def test_filters(memory: Memory) -> None:
    await memory.met("The Danube is long.")
    memory.clock.seconds += 86_400
    later = memory.store.now()
    await memory.met("The Danube is wide.", "b", Origin("r2", "t1", "", namespace="rivers"))
    await memory.store.add([Computation("danube * 2", "4", "4")], RUN)
    for chosen, count in (
        (Filter(), 3),
        (Filter(kinds=frozenset({"quote"})), 2),
        (Filter(namespaces=frozenset({"rivers"})), 1),
        (Filter(namespaces=frozenset({"", "rivers"})), 3),
        (Filter(source="B.EXAMPLE"), 1),
        (Filter(since=later), 2),
        (Filter(until=later), 1),
        (Filter(run="r1"), 2),
        (Filter(unmet_by="r1"), 1),
    ):
        assert len(await memory.found("danube", chosen)) == count, chosen


async def test_a_filter_that_leaves_little_is_searched_deeper(memory: Memory) -> None:
    rows = [Computation(f"danube + {n}", str(n), str(n)) for n in range(200)]
    await memory.store.add(rows, RUN)
    await memory.met("Something about the danube, far down.", origin=Origin("r9", "t1", ""))
    assert len(await memory.found("danube + 7", Filter(run="r9"))) == 1


async def test_one_page_contributes_only_so_much_and_diversity_prefers_what_is_new(memory: Memory) -> None:
    lines = [f"The Danube passes town number {n}00 on its way." for n in range(1, 6)]
    text = "\n".join(lines)
    spans, start = [], 0
    for line in lines:
        spans.append(Line(start, start + len(line)))
        start += len(line) + 1
    snapshot = Snapshot("https://a.example", "Danube", text, tuple(spans), fetched_at="2026")
    await memory.store.add([snapshot.quote(n, n) for n in range(1, 6)], RUN)
    await memory.met("Ships on the Danube carry grain.", "b")
    hits = await memory.retriever.search("Danube town", way=Way(per_source=2))
    assert [hit.record.url for hit in hits].count("https://a.example") == 2
    plain = await memory.retriever.search("Danube town", limit=3)
    diverse = await memory.retriever.search("Danube town", limit=3, way=Way(diverse=True, balance=0.3))
    assert "Ships on the Danube carry grain." not in [hit.record.text for hit in plain]
    assert "Ships on the Danube carry grain." in [hit.record.text for hit in diverse]
    assert "relevance 1.00" in plain[0].explain()
    assert "words #1" in plain[0].explain()


async def test_other_wordings_and_an_imagined_answer_find_what_the_query_does_not(memory: Memory) -> None:
    await memory.met("The watercourse is navigable.")
    assert await memory.found("ships") == []
    hits = await memory.retriever.search("ships", way=Way(also=("navigable river",)))
    assert len(hits) == 1
    hits = await memory.retriever.search("ships", way=Way(imagined="This watercourse is navigable for ships."))
    assert len(hits) == 1


async def test_an_export_is_taken_over_without_loss(memory: Memory, tmp_path: Path) -> None:
    first = await memory.met("The Danube is 2,850 kilometres long.")
    await memory.met("The Danube is 2,850 kilometres long.", "b")
    await memory.met("The Danube is 2,860 kilometres long.", "c", Origin("r2", "t1", "?", namespace=""))
    quote = (await memory.store.records([first]))[first].content
    await memory.store.add([Note("insight", "Surveys differ.", "", (quote.id,), 1)], Origin(author="person"))
    memory.database.write_now(lambda c: life.shelve(c, [3], "of little worth"))
    memory.database.write_now(lambda c: life.used(c, [1], memory.store.now()))
    memory.database.write_now(partial(life.judge, numbers=[1], question="?", accepted=False, author="person"))
    memory.database.write_now(
        lambda c: c.execute("INSERT INTO lessons VALUES (1, 'shop', 'q', 'SELECT 1', 'no', '2026')")
    )
    lines = list(export(memory.database))
    other = Memory(tmp_path / "other")
    taken = take_in(other.database, lines)
    assert (taken.added, taken.known, taken.refused) == (4, 0, ())
    assert list(export(other.database)) == lines
    assert (taken := take_in(other.database, lines)).known == 4
    assert list(export(other.database)) == lines
    assert await other.found("Danube long") == await memory.found("Danube long")
    other.database.close()


async def test_an_import_meets_what_is_there_already(memory: Memory, tmp_path: Path) -> None:
    await memory.met("The Danube is 2,850 kilometres long.")
    other = Memory(tmp_path / "other")
    await other.met("The Danube is 2,860 kilometres long.", "b")
    take_in(other.database, export(memory.database))
    assert other.related(1) == {("contradicts", 2)}
    other.database.close()


def tampered(line: str) -> list[str]:
    data = json.loads(line)
    changes: list[dict[str, object]] = [
        {"content": {**data["content"], "text": "The Danube is 9,999 kilometres long."}},
        {"content": {**data["content"], "start": 1}},
        {"id": "q000000000000000"},
        {"prior": 1.0},
        {"kind": "answer"},
        {"sightings": [["r"]]},
        {"sightings": [[1, 2, 3, 4]]},
        {"extra": 1},
        {"status": "holy"},
    ]
    return [json.dumps({**data, **change}) for change in changes]


async def test_what_was_tampered_with_is_refused(memory: Memory, tmp_path: Path) -> None:
    await memory.met("The Danube is 2,850 kilometres long.")
    head, body, line = list(export(memory.database))
    other = Memory(tmp_path / "other")
    for wrong in tampered(line):
        taken = take_in(other.database, [head, body, wrong])
        assert taken.added == 0, wrong
        assert len(taken.refused) == 1, wrong
    assert take_in(other.database, [head, line]).refused == ("line 2: the quote does not stand in its page",)
    page_changed = json.dumps({**json.loads(body), "text": "The Danube is 9,999 kilometres long."})
    assert take_in(other.database, [head, page_changed, line]).added == 0
    for lines in (["{}"], ["nonsense"], [head, "[1]"], [json.dumps({**json.loads(head), "version": 99})]):
        with pytest.raises(UserError):
            take_in(other.database, lines)
    assert await other.store.count() == 0
    other.database.close()
