"""E5 to E7 of the reliability aims: damaged, truncated and missing files, and disks that take nothing more."""

import asyncio
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from tests.chaos import workload

from crowquill.agent.events import EvidenceFound
from crowquill.agent.records import RunRecord, list_records
from crowquill.agent.replay import replay
from crowquill.agent.tape import load_events
from crowquill.agent.workspace import Workspace
from crowquill.errors import CrowquillError, StorageError, UserError
from crowquill.memory.clock import SystemClock
from crowquill.memory.embed import HashingEmbedder
from crowquill.memory.evidence import Evidence, Quote
from crowquill.memory.record import Note
from crowquill.memory.salvage import salvage
from crowquill.memory.wal import committed_frames

STEPS = 10


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a finished run, as it lies on the disk while another process still has it open."""
    folder = tmp_path_factory.mktemp("damage")
    workload.write_pages(folder / "rivers", STEPS // 5 + 1)
    place = folder / "w"
    workspace = Workspace(place, embedder=HashingEmbedder(64))
    workspace.index(folder / "rivers", "rivers")
    workspace.close()
    made = workload.agent(place, STEPS)
    assert made.ask(workload.QUESTION).stopped == "answered"
    shutil.copytree(place, folder / "open", ignore=shutil.ignore_patterns("*-shm"))  # with its write-ahead log
    made.workspace.close()
    return folder / "open"


def sound(evidence: Evidence, workspace: Workspace) -> bool:
    if not isinstance(evidence, Quote):
        return True
    page = workspace.blobs.get(evidence.source.sha256).decode()
    return page[evidence.start : evidence.end] == evidence.text


async def look(workspace: Workspace) -> list[object]:
    """Do what a user does with a workspace, and return what was seen. Raises CrowquillError."""
    seen: list[object] = []
    database = workspace.database
    for record in await database.read(lambda connection: list_records(connection, 5)):
        recorded = await database.read(lambda c, r=record: load_events(c, r.id, workspace.blobs))  # type: ignore[misc]
        for entry in recorded:
            assert not isinstance(entry.event, EvidenceFound) or sound(entry.event.evidence, workspace)
        seen += [entry.event for entry in recorded]
        seen.append(await replay(workspace, record.id))
    for hit in await workspace.memory().retriever.search("River length Fells", limit=5):
        # which are found, and in which order, may differ; a note is what an answer has left
        assert isinstance(hit.content, Note) or sound(hit.content, workspace)
    return seen


def seen_in(place: Path) -> list[object]:
    workspace = Workspace(place, embedder=HashingEmbedder(64))
    try:
        return asyncio.run(look(workspace))
    finally:
        workspace.close()


def files(place: Path) -> list[Path]:
    return sorted(path for path in place.rglob("*") if path.is_file() and path.stat().st_size > 0)


def flip(path: Path, offset: int, bits: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        old = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([old ^ bits]))


@pytest.mark.parametrize("flips", [12, pytest.param(200, marks=pytest.mark.slow)])
def test_a_flipped_bit_is_noticed_or_harmless(finished: Path, tmp_path: Path, flips: int) -> None:
    draw, found = random.Random(flips), Counter[str]()
    expected = seen_in(shutil.copytree(finished, tmp_path / "whole"))
    database = [path for path in files(finished) if path.name.startswith("crowquill.db")]
    for number in range(flips):
        place = shutil.copytree(finished, tmp_path / str(number))
        path = draw.choice(database if draw.random() < 0.7 else files(finished))
        flip(place / path.relative_to(finished), draw.randrange(path.stat().st_size), 1 << draw.randrange(8))
        try:
            found["harmless" if seen_in(place) == expected else "seen to differ"] += 1
        except CrowquillError:
            found["noticed"] += 1
        shutil.rmtree(place)
    sys.stdout.write(f"{flips} flipped bits: {dict(found)}\n")
    assert found["noticed"] > 0
    assert found["noticed"] + found["harmless"] == flips  # a wrong quote fails in `look`


def overwrite(path: Path, share: float, seed: int) -> None:
    """Overwrite pages of a database with rubbish, but for the first."""
    draw = random.Random(seed)
    with path.open("r+b") as file:
        pages = range(1, path.stat().st_size // 4096)
        for page in draw.sample(pages, max(1, int(len(pages) * share))):
            file.seek(page * 4096)
            file.write(draw.randbytes(4096))


def closed(finished: Path, place: Path) -> Path:
    """Return a copy of the workspace whose log was taken into the database."""
    shutil.copytree(finished, place)
    connection = sqlite3.connect(place / "crowquill.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return place


def test_what_is_whole_of_a_damaged_database_is_saved(finished: Path, tmp_path: Path) -> None:
    kept = 0
    for seed in range(4):
        place = closed(finished, tmp_path / str(seed))
        overwrite(place / "crowquill.db", 0.2, seed)
        with pytest.raises(StorageError, match=r"damaged"):
            seen_in(place)
        workspace = Workspace(place, embedder=HashingEmbedder(64))
        records: list[RunRecord] = []
        for _ in range(2):
            with suppress(StorageError):  # damage that the first look did not meet is met, and mended, now
                records = workspace.database.read_now(lambda connection: list_records(connection, 5))
        workspace.close()
        assert [folder for folder in place.glob("damaged-*") if (folder / "report.txt").exists()]
        kept += bool(records)
    assert kept


def test_a_run_that_lost_events_is_done_again_from_its_calls(finished: Path, tmp_path: Path) -> None:
    expected = workload.outcome(shutil.copytree(finished, tmp_path / "whole"))
    place = closed(finished, tmp_path / "w")
    connection = sqlite3.connect(place / "crowquill.db")
    connection.execute("UPDATE events SET payload = payload || ' ' WHERE position = 20")
    connection.commit()
    connection.close()
    with pytest.raises(StorageError, match="was changed after it was written"):
        seen_in(place)
    assert "found damaged" in salvage(place / "crowquill.db", Workspace(place).blobs, "now")
    workload.go(place, STEPS, None, "last")
    assert workload.outcome(place) == expected


def test_a_damaged_log_is_said_once(finished: Path, tmp_path: Path) -> None:
    place = shutil.copytree(finished, tmp_path / "w")
    log = place / "crowquill.db-wal"
    for offset in (log.stat().st_size // 2, 20):  # in the middle, and in its header
        copy = shutil.copytree(place, tmp_path / str(offset))
        flip(copy / "crowquill.db-wal", offset, 1)
        with pytest.raises(StorageError, match=r"the end of the log .* was damaged: what was written last is lost"):
            seen_in(copy)
        with suppress(UserError):  # the run has not finished, or is not there at all
            seen_in(copy)


def truncate_log(place: Path) -> None:
    log = place / "crowquill.db-wal"
    os.truncate(log, log.stat().st_size // 2)
    assert committed_frames(log) > 0


def delete_shared_memory(place: Path) -> None:
    (place / "crowquill.db-shm").write_bytes(b"rubbish" * 5000)
    (place / "crowquill.db-shm").unlink()


def delete_index(place: Path) -> None:
    shutil.rmtree(place / "chroma", ignore_errors=True)
    (place / "chroma").mkdir()


@pytest.mark.parametrize("harm", [truncate_log, delete_shared_memory, delete_index])
def test_recovery_is_automatic(finished: Path, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    expected = workload.outcome(shutil.copytree(finished, tmp_path / "whole"))
    place = shutil.copytree(finished, tmp_path / "w")
    harm(place)
    workspace = Workspace(place, embedder=HashingEmbedder(64))
    (record,) = workspace.database.read_now(lambda connection: list_records(connection, 5))
    workspace.close()
    if not record.ended:  # its last commits were in the part that was cut off
        connection = sqlite3.connect(place / "crowquill.db")
        connection.execute("UPDATE runs SET process = process || '0'")
        connection.commit()
        connection.close()
        workload.settle(place)
        workload.go(place, STEPS, None, "last")
    assert workload.outcome(place)["events"] == expected["events"]


def test_a_workspace_that_cannot_be_written_says_so(finished: Path, tmp_path: Path) -> None:
    place = shutil.copytree(finished, tmp_path / "w")
    for path in [place, *place.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(0o755)
    program = (
        "import os, sys; from pathlib import Path; from crowquill.memory.db import Database\n"
        "from crowquill.errors import StorageError\nos.setuid(65534)\n"
        "try:\n    Database(Path(sys.argv[1])).read_now(lambda c: 1)\n"
        "except StorageError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(place / "crowquill.db")], capture_output=True, text=True
    )
    assert "cannot write to the workspace" in done.stdout, done.stderr


class Jumping(SystemClock):
    """A clock that is set back by an hour in the middle of a run."""

    asked = 0

    def now(self) -> datetime:
        self.asked += 1
        return super().now() - timedelta(hours=self.asked > 40)


def test_a_clock_that_is_set_back_harms_nothing(finished: Path, tmp_path: Path) -> None:
    place = shutil.copytree(finished, tmp_path / "w", ignore=shutil.ignore_patterns("crowquill.db*"))
    made = workload.agent(place, STEPS)
    clock = Jumping()
    made.clock = clock
    answer = made.ask(workload.QUESTION)
    assert answer.stopped == "answered"
    assert clock.asked > 50
    assert asyncio.run(replay(made.workspace, answer.run_id, strict=True)) > 20
    made.workspace.close()


def _slow(call: str, numbers: Sequence[int]) -> list[ParameterSet]:
    return [pytest.param(call, number, marks=pytest.mark.slow) for number in numbers]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (apt-get install strace)")
@pytest.mark.parametrize(
    ("call", "first"),
    [
        *_slow("fdatasync,fsync", (1, 2, 3, 5, 8, 13, 21, 34)),
        *_slow("pwrite64", (1, 2, 5, 10, 20, 40, 60, 80, 160)),
        *_slow("pread64", (1, 3, 10, 30, 60)),
        ("fdatasync,fsync", 12),
    ],
)
def test_a_disk_that_fails_is_one_line_and_the_run_goes_on_later(
    finished: Path, tmp_path: Path, call: str, first: int
) -> None:
    """From one system call on, the kernel says EIO to each (strace(1), tampering): as a disk that is dying."""
    place = shutil.copytree(finished, tmp_path / "w", ignore=shutil.ignore_patterns("crowquill.db*"))
    program = (
        "import sys; from pathlib import Path; from tests.chaos import workload\n"
        "from crowquill.errors import CrowquillError\n"
        "try:\n    workload.go(Path(sys.argv[1]), int(sys.argv[2]), None, None)\n"
        "except CrowquillError as error:\n    sys.exit(f'said: {error}')\n"
    )
    tampered = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}"]
    tampered += ["-e", f"inject={call}:error=EIO:when={first}+", "-P", str(place / "crowquill.db")]
    tampered += ["-P", str(place / "crowquill.db-wal")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [*tampered, sys.executable, "-c", program, str(place), str(STEPS)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode in (0, 1), done.stderr
    assert done.returncode == 0 or done.stderr.startswith("said: "), done.stderr
    workspace = Workspace(place, embedder=HashingEmbedder(64))
    records = workspace.database.read_now(lambda connection: list_records(connection, 5))
    sound = workspace.database.read_now(lambda connection: connection.execute("PRAGMA quick_check").fetchone())
    workspace.close()
    assert sound == ("ok",)
    if records and not records[0].ended:
        workload.settle(place)
        workload.go(place, STEPS, None, "last")
    assert not records or workload.outcome(place)["events"][-1]["answer"]["stopped"] == "answered"
