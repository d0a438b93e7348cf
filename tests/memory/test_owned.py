"""Files and folders of their owner alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from crowquill.memory.owned import open_own, own_folder, write_own


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_what_is_made_is_the_owners_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    own_folder(tmp_path / "a" / "b")
    own_folder(tmp_path / "a" / "b")
    write_own(tmp_path / "a" / "text", "crow \udce9", errors="surrogatepass")
    with open_own(tmp_path / "a" / "lines", "a") as file:
        file.write("one\n")
    assert [mode(tmp_path / name) for name in ("", "a", "a/b", "a/text", "a/lines")] == [
        *(0o755, 0o700, 0o700, 0o600, 0o600)
    ]


def test_what_its_owner_has_shared_stays_so(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.write_text("a longer text")
    write_own(shared, b"new")
    with open_own(shared, "a") as file:
        file.write("er")
    assert (mode(shared), shared.read_text()) == (0o644, "newer")
    with pytest.raises(FileExistsError):
        open_own(shared, "x")
