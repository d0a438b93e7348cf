"""E1, E2 and E4 of the reliability aims: killed runs lose nothing, repeat nothing and end as if never killed.

The full counts run with `make chaos`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("kills", "points", "races", "steps"), [(50, 4, 1, 5), pytest.param(500, 100, 20, 60, marks=pytest.mark.slow)]
)
def test_killed_runs(tmp_path: Path, kills: int, points: int, races: int, steps: int) -> None:
    counts = ("--kills", str(kills), "--points", str(points), "--races", str(races), "--steps", str(steps))
    # in memory, if there is such a folder: a kill takes nothing from the page cache, whatever is below that
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else tmp_path))
    command = [sys.executable, str(ROOT / "tests/chaos/kills.py"), str(folder / "ground"), *counts]
    # a process of its own, because this one has threads, and must not fork
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    shutil.rmtree(folder)
    assert done.returncode == 0, done.stderr
    sys.stdout.write(done.stdout)  # shown by `make chaos`
    found = json.loads(done.stdout)
    assert found["random"]["kills"] >= kills
    assert found["races"]["one won"] == races
    for trial in ("random", "points", "races"):
        assert [found[trial][fault] for fault in ("lost", "different", "not replayed")] == [0, 0, 0], found
    assert found["points"]["kills"] >= min(points // 2, 40)
    assert len(found["points"]["never reached"]) <= 4  # which only a run that is gone on with comes by
