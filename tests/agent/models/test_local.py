"""The embedded model's process: started once, reused, restarted once, and never left behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from crowquill.agent.models.base import Message, Request
from crowquill.agent.models.catalog import DEFAULT_LOCAL, installed
from crowquill.agent.models.local import SERVER_SCRIPT, LocalModel
from crowquill.errors import MissingModel, ModelError, UserError

STANDIN = Path(__file__).resolve().parents[2] / "support" / "standin_llama.py"
PARENT = """
import asyncio, sys
from pathlib import Path
from crowquill.agent.models.local import LocalModel
model = LocalModel(Path(sys.argv[1]), script=Path(sys.argv[2]))
async def main():
    await model.warm()
    print(model._child._process.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


def ask(text: str, **parts: Any) -> Request:
    messages = (Message("system", "You are careful."), Message("user", text))
    return Request(role="act", messages=messages, max_tokens=parts.pop("max_tokens", 30), **parts)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(b"GGUF and more")
    return path


@pytest.fixture
async def model(weights: Path) -> AsyncIterator[LocalModel]:
    local = LocalModel(weights, context_tokens=512, threads=3, script=STANDIN)
    yield local
    await local.close()


async def settings(model: LocalModel) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((await model.complete(ask("hello"))).text)
    return said


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    return state != "Z" or threads > 1


def wait_until_dead(pid: int) -> None:
    end = time.monotonic() + 5
    while alive(pid):
        assert time.monotonic() < end, f"process {pid} is still there"
        time.sleep(0.02)


async def test_the_child_is_started_lazily_with_safe_settings(model: LocalModel) -> None:
    said = await settings(model)
    pid = said.pop("pid")
    assert said == {
        "threads": 3,
        "n_ctx": 512,
        "n_parallel": 1,
        "hostnames": ["127.0.0.1"],
        "port": 0,
        "verbosity": -1,
        "ui": False,
        "cors_origins": "",
        "cache_ram_mib": 512,
        "offline": True,
        "use_jinja": True,
        "fit_params": False,
        "no_extra_bufts": True,
    }
    assert (model.name, model.slots, model.context_tokens) == ("local", 1, 512)
    command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    assert command[1:3] == [b"-I", str(STANDIN).encode()]
    assert os.getsid(pid) == pid


async def test_models_of_one_file_share_a_child_until_the_last_is_closed(weights: Path) -> None:
    first, second = (LocalModel(weights, script=STANDIN) for _ in range(2))
    await asyncio.gather(first.warm(), second.warm())
    pid = (await settings(first))["pid"]
    assert (await settings(second))["pid"] == pid
    await first.close()
    assert alive(pid)
    await second.close()
    assert not alive(pid)
    again = (await settings(first))["pid"]
    assert again != pid
    await first.close()


def test_the_child_outlives_event_loops(weights: Path) -> None:
    model = LocalModel(weights, script=STANDIN)
    pids = {asyncio.run(settings(model))["pid"] for _ in range(3)}
    assert len(pids) == 1
    asyncio.run(model.close())


async def test_a_child_that_dies_is_a_transient_fault_and_is_started_again_once(model: LocalModel) -> None:
    pid = (await settings(model))["pid"]
    with pytest.raises(ModelError, match=r"died \(exit 9\)") as caught:
        await model.complete(ask("die"))
    assert caught.value.kind == "transient"
    assert (await settings(model))["pid"] != pid

    kinds = []
    for _ in range(3):
        with pytest.raises(ModelError, match="died") as caught:
            await model.complete(ask("die"))
        kinds.append(caught.value.kind)
    assert kinds == ["transient", "fatal", "fatal"]


async def test_a_child_killed_between_calls_is_started_again(model: LocalModel) -> None:
    pid = (await settings(model))["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_until_dead(pid)
    assert (await settings(model))["pid"] != pid


def test_the_child_dies_with_a_parent_that_is_killed(weights: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(weights), str(STANDIN)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    wait_until_dead(pid)


def test_the_child_dies_with_a_parent_that_forgets_it(weights: Path) -> None:
    program = PARENT.replace("await asyncio.sleep(60)", "")
    command = [sys.executable, "-W", "error", "-c", program, str(weights), str(STANDIN)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    wait_until_dead(int(done.stdout))


async def test_a_library_that_is_not_installed(weights: Path, tmp_path: Path) -> None:
    script = tmp_path / "missing.py"
    run = f"runpy.run_path({str(SERVER_SCRIPT)!r}, run_name='__main__')"
    script.write_text(f"import runpy, sys\nsys.modules['xllamacpp'] = None\n{run}\n")
    with pytest.raises(MissingModel, match=r"pip install 'crowquill\[local\]'"):
        await LocalModel(weights, script=script).warm()


async def test_a_child_that_cannot_load_says_so(tmp_path: Path) -> None:
    weights = tmp_path / "refused.gguf"
    weights.write_bytes(b"GGUF")
    with pytest.raises(ModelError, match=r"refused\.gguf does not start: RuntimeError: failed to start"):
        await LocalModel(weights, script=STANDIN).warm()


async def test_a_child_that_crashes_at_start(weights: Path, tmp_path: Path) -> None:
    script = tmp_path / "crash.py"
    script.write_text("import sys\nprint('llama: no such instruction', file=sys.stderr)\nsys.exit(3)\n")
    with pytest.raises(ModelError, match="does not start: llama: no such instruction"):
        await LocalModel(weights, script=script).complete(ask("hello"))


@pytest.mark.parametrize(("data", "why"), [(b"PK\3\4", "not a GGUF"), (b"", "not a GGUF"), (None, "cannot read")])
def test_a_file_that_is_no_model(tmp_path: Path, data: bytes | None, why: str) -> None:
    path = tmp_path / "x.gguf"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(UserError, match=why):
        LocalModel(path)


@pytest.mark.real_model
async def test_the_real_model() -> None:
    weights = installed(DEFAULT_LOCAL)
    if weights is None:
        pytest.skip("the weights are not on this machine; run: crowquill models pull")
    model = LocalModel(weights)
    try:
        town = "The town of Brel has 4,512 inhabitants, two bridges and a market on Tuesday. " * 4
        schema = {
            "type": "object",
            "properties": {"inhabitants": {"type": "integer"}},
            "required": ["inhabitants"],
            "additionalProperties": False,
        }
        question = ask(f"{town}\nHow many inhabitants has Brel?", schema=schema, logprobs=True)
        first = await model.complete(question)
        assert first.parsed == {"inhabitants": 4512}
        assert first.logprobs
        assert all(value <= 0 for value in first.logprobs)
        again = await model.complete(ask(f"{town}\nWhen is the market?"))
        assert again.usage.cached > again.usage.prompt // 2
        assert "Tuesday" in again.text

        story = asyncio.create_task(
            model.complete(ask("Tell in ten chapters how a crow became king.", max_tokens=2000))
        )
        await asyncio.sleep(1)
        story.cancel()
        with pytest.raises(asyncio.CancelledError):
            await story
        start = time.monotonic()
        await model.complete(ask("Say yes.", max_tokens=2))
        assert time.monotonic() - start < 20  # the cancelled story would take minutes

        with pytest.raises(ModelError) as caught:
            await model.complete(ask("word " * 6_000))
        assert caught.value.kind == "context"
    finally:
        await model.close()
