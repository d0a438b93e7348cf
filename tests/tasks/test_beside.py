"""20 paths that a task file might name, of which one is what it says; and a link that is swapped in the race."""

import os
import threading
from pathlib import Path

import pytest

from crowquill.errors import UserError
from crowquill.tasks.beside import read_beside


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside, outside = tmp_path / "tasks", tmp_path / "tasks-confidential"
    inside.mkdir()
    outside.mkdir()
    (inside / "sub").mkdir()
    (outside / "secret.yaml").write_text("secret")
    (inside / "sub" / "base.yaml").write_text("legal")
    (inside / "link.yaml").symlink_to(outside / "secret.yaml")
    (inside / "within.yaml").symlink_to(inside / "sub" / "base.yaml")
    (inside / "linked").symlink_to(outside)
    (inside / "up").symlink_to("..")
    os.link(outside / "secret.yaml", inside / "hard.yaml")
    os.mkfifo(inside / "fifo.yaml")
    (inside / "big.yaml").write_text("x" * 300_000)
    (inside / "latin.yaml").write_bytes(b"\xff")
    return inside


def test_the_legal_file_is_read(folder: Path) -> None:
    assert read_beside(folder, "sub/base.yaml") == "legal"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../tasks-confidential/secret.yaml",
            "sub/../../tasks-confidential/secret.yaml",
            "/etc/passwd",
            "~/x.yaml",
        ),
        *("link.yaml", "within.yaml", "linked/secret.yaml", "up/tasks-confidential/secret.yaml", "hard.yaml"),
        *("fifo.yaml", "sub", "", ".", "sub/base.yaml\0.txt", "sub\\..\\base.yaml", "none.yaml", "big.yaml"),
        *("latin.yaml", "/dev/stdin", "sub/none/base.yaml", "..", "file:///etc/passwd"),
    ],
)
def test_nothing_else_is(folder: Path, name: str) -> None:
    with pytest.raises(UserError):
        read_beside(folder, name)


def race(folder: Path, times: int) -> tuple[int, int]:
    """Read while a folder is swapped for a link to the outside and back; return legal reads and refusals."""
    outside, swapped = folder.parent / "tasks-confidential", folder / "swapped"
    (outside / "base.yaml").write_text("secret")
    (folder / "kept").mkdir()
    (folder / "kept" / "base.yaml").write_text("legal")
    over, counts = threading.Event(), [0, 0]

    def swap() -> None:
        while not over.is_set():
            (folder / "kept").rename(swapped)
            swapped.rename(folder / "kept")
            swapped.symlink_to(outside)
            swapped.unlink()

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        while sum(counts) < times:
            try:
                assert read_beside(folder, "swapped/base.yaml") == "legal"
                counts[0] += 1
            except UserError:
                counts[1] += 1
    finally:
        over.set()
        thread.join()
    return counts[0], counts[1]


def test_a_link_that_is_swapped_in_never_leads_outside(folder: Path) -> None:
    assert race(folder, 1000)[1] > 0
