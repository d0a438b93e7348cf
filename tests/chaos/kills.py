"""Kills runs with SIGKILL, again and again, and resumes them: `python tests/chaos/kills.py FOLDER --kills 500`.

This process has imported everything and has one thread; each run is a fork of it, so a kill costs no start-up.
Prints one JSON object.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from tests.chaos import workload

from crowquill.agent.replay import replay
from crowquill.agent.workspace import Workspace
from crowquill.memory.embed import HashingEmbedder

POINTS = [
    (file, function, moment)
    for file, functions in {
        "agent/journal.py": ("begin", "_load", "effect", "emit", "finish"),
        "agent/records.py": ("claim_run",),
        "agent/lane.py": ("complete", "take", "tick"),
        "agent/episode.py": ("_act", "_end"),
        "agent/run.py": ("_plan", "_batch", "_conclude", "_finish"),
        "memory/db.py": ("_transact", "_open", "_close"),
        "memory/blobs.py": ("put", "_write"),
        "memory/store.py": ("insert", "_keep"),
        "memory/rows.py": ("note_blobs",),
    }.items()
    for function in functions
    for moment in ("call", "return")
]
"""Where a process dies: on entering or leaving these functions."""


def forked(work: Callable[[], None]) -> int:
    """Run `work` in a fork of this process and return its number."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return pid


def ended(pid: int) -> int:
    """Wait for a process and return its exit code, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def ended_after(pid: int, told: Path, size: int, seconds: float) -> int:
    """Kill a process so many seconds after it has told so many bytes of events; return its exit code."""
    wanted = size + (told.stat().st_size if told.exists() else 0)
    end: float | None = None
    while end is None or time.monotonic() < end:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if end is None and (size == 0 or (told.exists() and told.stat().st_size >= wanted)):
            end = time.monotonic() + seconds
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    return ended(pid)


def dying_at(point: tuple[str, str, str], count: int, work: Callable[[], None]) -> Callable[[], None]:
    """Return `work` in a process that kills itself when it comes to a point for the n-th time."""
    file, function, moment = point
    left = count

    def watch(frame: FrameType, event: str, arg: object) -> None:
        nonlocal left
        if event == moment and frame.f_code.co_name == function and frame.f_code.co_filename.endswith(file):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def watched() -> None:
        threading.setprofile(watch)
        sys.setprofile(watch)
        work()

    return watched


class Trial:
    """One workspace in which a run is killed and resumed until it has ended."""

    def __init__(self, template: Path, place: Path, steps: int) -> None:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(template, place)
        self.place = place
        self.steps = steps
        self.told = place / "told"
        self.settled = 0

    def work(self) -> Callable[[], None]:
        """Return what begins the run, or goes on with it."""
        begun = (self.place / "crowquill.db").exists() and self._runs()
        self.settled += workload.settle(self.place) if begun else 0
        if begun and workload.has_ended(self.place):
            return lambda: None  # it was killed after its end
        return lambda: workload.go(self.place, self.steps, self.told, "last" if begun else None)

    def _runs(self) -> int:
        connection = sqlite3.connect(self.place / "crowquill.db")
        try:
            return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])
        except sqlite3.OperationalError:  # killed before the first migration
            return 0
        finally:
            connection.close()

    def lost(self) -> int:
        """Return how many events were acknowledged and are not in the journal."""
        told = self.told.read_text().splitlines() if self.told.exists() else []
        if not told:  # perhaps killed before the first migration, when there is no table of events yet
            return 0
        connection = sqlite3.connect(self.place / "crowquill.db")
        stored = {
            json.dumps(json.loads(row[0]), sort_keys=True)
            for row in connection.execute("SELECT payload FROM events")
        }
        sound = connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
        connection.close()
        assert sound
        return sum(line not in stored for line in told if line.endswith("}"))


def whole(template: Path, folder: Path, steps: int) -> tuple[dict[str, Any], float]:
    """Run without a kill; return the outcome and the seconds."""
    trial = Trial(template, folder / "whole", steps)
    started = time.monotonic()
    assert ended(forked(trial.work())) == 0
    return workload.outcome(trial.place), time.monotonic() - started


def replays(place: Path) -> bool:
    """Say whether the run of a workspace is replayed, event by event."""

    def work() -> None:
        asyncio.run(replay(Workspace(place, embedder=HashingEmbedder(64)), "last"))

    return ended(forked(work)) == 0


def make_template(folder: Path, steps: int) -> Path:
    """Make a workspace with an indexed corpus and no run."""
    workload.write_pages(folder / "rivers", steps // 5 + 1)

    def build() -> None:
        Workspace(folder / "template", embedder=HashingEmbedder(64)).index(folder / "rivers", "rivers")

    assert ended(forked(build)) == 0
    return folder / "template"


@dataclass
class Ground:
    """Where trials take place: a workspace without a run to begin from, and what an uninterrupted run comes to."""

    folder: Path
    steps: int
    draw: random.Random
    template: Path
    expected: dict[str, Any]
    seconds: float

    def kill_at_random(self, kills: int) -> dict[str, Any]:
        """E1: kill at random moments."""
        found = Counter[str]()
        while found["kills"] < kills:
            found["runs"] += 1
            trial = Trial(self.template, self.folder / f"trial{found['runs']}", self.steps)
            code = -signal.SIGKILL
            while code != 0:
                pid = forked(trial.work())
                enough = found["kills"] >= kills
                code = ended(pid) if enough else ended_after(pid, trial.told, *self._moment())
                assert code in (0, -signal.SIGKILL), code
                found["kills"] += code != 0
                found["lost"] += trial.lost()
            found["settled"] += trial.settled
            self._close(trial, found)
        return {name: found[name] for name in ("kills", "runs", "settled", *FAULTS)}

    def _moment(self) -> tuple[int, float]:
        """Draw when to kill: in the middle of what is new mostly, and sometimes at any time from the start."""
        if self.draw.random() < 0.2:
            return 0, self.draw.uniform(0, self.seconds / 4)
        return self.draw.randint(1, 3000), self.draw.uniform(0, 0.03)

    def kill_at_points(self, count: int) -> dict[str, Any]:
        """E2: kill at named points, each at a random one of its occurrences."""
        found, missed = Counter[str](), []
        for point in POINTS if count >= len(POINTS) else self.draw.sample(POINTS, count):
            trial, code = self._kill_at(point)
            missed += [] if code else [":".join(point)]
            found["kills"] += code != 0
            found["lost"] += trial.lost()
            assert ended(forked(trial.work())) == 0, point
            self._close(trial, found)
        return {**{name: found[name] for name in ("kills", *FAULTS)}, "never reached": missed}

    def _kill_at(self, point: tuple[str, str, str]) -> tuple[Trial, int]:
        """Kill a run at a point; when it does not come so often, at its first time, in a new or a resumed run."""
        for occurrence, resumed in ((self.draw.randint(1, 3), False), (1, False), (1, True)):
            trial = Trial(self.template, self.folder / f"{'-'.join(point[1:])}{occurrence}{resumed}", self.steps)
            if resumed:
                ended_after(forked(trial.work()), trial.told, 4000, 0.0)
            code = ended(forked(dying_at(point, occurrence, trial.work())))
            if code != 0:
                break
        return trial, code

    def resume_twice(self, times: int) -> dict[str, Any]:
        """E4: two processes resume one run; one wins, and the other is told."""
        found = Counter[str]()
        for number in range(times):
            while True:  # it may have come to its end before it was killed
                trial = Trial(self.template, self.folder / f"race{number}", self.steps)
                code = ended_after(forked(trial.work()), trial.told, self.draw.randint(1, 4000), 0.0)
                if code != 0 and not workload.has_ended(trial.place):
                    break
            work = silent(trial.work())
            codes = [ended(pid) for pid in [forked(work), forked(work)]]
            found["one won"] += sorted(codes) == [0, 1]
            self._close(trial, found)
        return {name: found[name] for name in ("one won", *FAULTS)}

    def _close(self, trial: Trial, found: Counter[str]) -> None:
        """Compare what a run has come to, letters included, with the uninterrupted one, and replay it."""
        found["different"] += workload.outcome(trial.place) != self.expected
        found["not replayed"] += not replays(trial.place)
        shutil.rmtree(trial.place)


FAULTS = ("lost", "different", "not replayed")


def silent(work: Callable[[], None]) -> Callable[[], None]:
    """Return `work` without its traceback: of two that resume a run, one fails."""

    def quiet() -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        work()

    return quiet


def main() -> None:
    """Make a ground and run the trials on it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--points", type=int, default=0)
    parser.add_argument("--races", type=int, default=0)
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    gc.freeze()  # what was imported is shared by all forks, and need not be looked through in each
    options.folder.mkdir(parents=True)
    template = make_template(options.folder, options.steps)
    expected, seconds = whole(template, options.folder, options.steps)
    ground = Ground(options.folder, options.steps, random.Random(options.kills), template, expected, seconds)
    found = {
        "seconds of a whole run": round(seconds, 2),
        "random": ground.kill_at_random(options.kills),
        "points": ground.kill_at_points(options.points),
        "races": ground.resume_twice(options.races),
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
