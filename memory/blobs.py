"""Content-addressed bytes beside the database: durable before the row that names them."""

import contextlib
import hashlib
import os
import re
import tempfile
from pathlib import Path

from crowquill.errors import StorageError

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


class BlobStore:
    """Files `ab/cd/abcd….blob` under one directory, each named by the SHA-256 of what it holds."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def put(self, data: bytes) -> str:
        """Store durably (file and folder are fsynced) and return the SHA-256 in hexadecimal.

        Raises:
            StorageError: the directory cannot be written.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path_of(sha256)
        try:
            if path.is_file() and path.stat().st_size == len(data) and self._read(path, sha256) is not None:
                os.utime(path)  # it is about to be named again: not to be taken for one that nothing needs
                return sha256
            self._write(path, data)
        except OSError as error:
            raise StorageError(f"cannot store a blob in {self.directory}: {error.strerror}") from error
        return sha256

    def get(self, sha256: str) -> bytes:
        """Return the bytes.

        Raises:
            StorageError: they are missing, or are not what was stored.
        """
        path = self.path_of(sha256)
        try:
            data = self._read(path, sha256)
        except FileNotFoundError as error:
            raise StorageError(f"blob {sha256[:12]} is missing from {self.directory}") from error
        except OSError as error:
            raise StorageError(f"cannot read blob {sha256[:12]}: {error.strerror}") from error
        if data is None:
            raise StorageError(f"blob {sha256[:12]} in {self.directory} is damaged; fetch the page again")
        return data

    def path_of(self, sha256: str) -> Path:
        """Return where a blob lies, or would. Raises StorageError when that is no name of a blob."""
        if not _SHA256.match(sha256):
            raise StorageError(f"not a blob name: {sha256[:80]!r}")
        return self.directory / sha256[:2] / sha256[2:4] / f"{sha256}.blob"

    @staticmethod
    def _read(path: Path, sha256: str) -> bytes | None:
        data = path.read_bytes()
        return data if hashlib.sha256(data).hexdigest() == sha256 else None

    def _write(self, path: Path, data: bytes) -> None:
        self._make_folders(path.parent)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise
        _sync_folder(path.parent)

    def _make_folders(self, folder: Path) -> None:
        """Make the folder, and put each new name on the disk too."""
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for each in reversed(missing):
            each.mkdir(mode=0o700, exist_ok=True)
            _sync_folder(each.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
