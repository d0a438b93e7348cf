"""Blobs: what is put comes back, or a clear error."""

import hashlib
import stat
from pathlib import Path

import pytest

from crowquill.errors import StorageError
from crowquill.memory.blobs import BlobStore


def test_round_trip(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs")
    data = b"caw\x00" * 1000
    sha256 = store.put(data)
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert store.put(data) == sha256
    assert BlobStore(tmp_path / "blobs").get(sha256) == data
    (path,) = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.relative_to(tmp_path / "blobs").parts[:2] == (sha256[:2], sha256[2:4])


def test_damage_is_found_and_mended_by_storing_again(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    sha256 = store.put(b"a page")
    (path,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    path.write_bytes(b"a pagf")
    with pytest.raises(StorageError, match="damaged"):
        store.get(sha256)
    store.put(b"a page")
    assert store.get(sha256) == b"a page"


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "0" * 63, "0" * 64 + "/x", "A" * 64, "0" * 64 + "\n"])
def test_a_name_that_is_no_hash_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StorageError, match="not a blob name"):
        BlobStore(tmp_path).get(name)


def test_a_missing_blob_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="missing"):
        BlobStore(tmp_path).get("0" * 64)


def test_a_directory_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("a file is in the way")
    with pytest.raises(StorageError, match="cannot store"):
        BlobStore(tmp_path / "blobs").put(b"x")
