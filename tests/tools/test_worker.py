"""The worker: what a request costs, what it cannot reach, and what is left when something is killed.

The jobs are `builtins:eval`, so that a test can say what the child shall do.
"""

import asyncio
import contextlib
import gc
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crowquill.errors import ToolFailed, ToolRetry
from crowquill.tools.worker import LARGEST, Worker

PYTHON = {"python": "builtins:eval"}
FOR_EVER = "[0 for _ in iter(int, 1)]"
OWN_PID = "__import__('os').getpid()"
ZYGOTE_PID = "__import__('os').getppid()"


@pytest.fixture(scope="module")
def shared() -> Iterator[Worker]:
    """A worker for the tests that leave its zygote alone."""
    made = Worker(PYTHON)
    yield made
    made.close()


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker(PYTHON)
    yield made
    made.close()


async def ask(worker: Worker, code: str, seconds: float = 5) -> object:
    return await worker.run("python", code, seconds=seconds)


async def pid_of(worker: Worker, code: str = ZYGOTE_PID) -> int:
    pid = await ask(worker, code)
    assert isinstance(pid, int)
    return pid


async def told_pid(path: Path) -> int:
    """Wait until a child has made a directory named by its process id."""
    while not (children := list(path.iterdir())):
        await asyncio.sleep(0.01)
    return int(children[0].name)


def telling_pid(path: Path, then: str) -> str:
    return f"(__import__('os').mkdir({str(path)!r} + '/' + str({OWN_PID})), {then})"


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(*pids: int) -> None:
    end = time.monotonic() + 3
    while any(map(runs, pids)):
        assert time.monotonic() < end, "a process is left behind"
        time.sleep(0.01)


def children_of(pid: int) -> list[int]:
    """Return the children of a process, zombies included."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_until_childless(pid: int) -> None:
    end = time.monotonic() + 3
    while children_of(pid):
        assert time.monotonic() < end, "a zombie is left behind"
        time.sleep(0.01)


async def test_a_job_returns_json(shared: Worker) -> None:
    assert await ask(shared, "{'a': [1, 2.5, None, 'ü']}") == {"a": [1, 2.5, None, "ü"]}


async def test_each_request_has_its_own_process_from_one_zygote(shared: Worker) -> None:
    children = [await pid_of(shared, OWN_PID) for _ in range(3)]
    zygotes = {await pid_of(shared) for _ in range(3)}
    assert len(set(children)) == 3
    assert len(zygotes) == 1
    assert os.getpid() not in {*children, *zygotes}


async def test_the_child_has_nothing_of_ours(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    assert await ask(worker, "dict(__import__('os').environ)") == {"LC_ALL": "C.UTF-8"}
    assert await ask(worker, "__import__('os').getcwd()") == "/"
    assert await ask(worker, "__import__('sys').flags.isolated") == 1
    assert await ask(worker, "__import__('os').getsid(0)") != os.getsid(0)
    links = "[__import__('os').readlink(f'/proc/self/fd/{n}') for n in range(3)]"
    assert await ask(worker, links) == ["/dev/null"] * 3
    more = "sorted(map(int, __import__('os').listdir('/proc/self/fd')))"
    found = await ask(worker, more)
    assert isinstance(found, list)
    assert len(found) == 5  # null three times, the channel, and the listing itself


async def test_an_open_file_of_the_parent_does_not_reach_the_child(shared: Worker, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    with secret.open() as file:
        os.set_inheritable(file.fileno(), True)
        reading = f"__import__('os').pread({file.fileno()}, 9, 0).decode()"
        with pytest.raises(ToolFailed, match="Bad file descriptor"):
            await ask(shared, reading)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (FOR_EVER, "longer than 0.3 seconds"),
        ("__import__('time').sleep(60)", "longer than 0.3 seconds"),
        ("sum(range(10**12))", "longer than 0.3 seconds"),
        ("'x' * 10**10", "too much memory"),
        ("__import__('os').abort()", "ended early"),
        ("__import__('os')._exit(0)", "ended early"),
        (f"'x' * {LARGEST}", f"the result has more than {LARGEST >> 20} MB"),
        ("[].nonsense", "internal error in the worker: AttributeError"),
        ("{1, 2}", "internal error in the worker: TypeError"),
    ],
)
async def test_a_bomb_is_a_typed_error_within_the_limit(shared: Worker, code: str, message: str) -> None:
    await ask(shared, "1")
    started = time.monotonic()
    with pytest.raises(ToolFailed, match=message):
        await ask(shared, code, seconds=0.3)
    assert time.monotonic() - started < 1.3
    assert await ask(shared, "1 + 1") == 2


async def test_a_job_that_does_not_exist_is_not_taken_for_a_limit(worker: Worker) -> None:
    with pytest.raises(ToolFailed, match="internal error in the worker: KeyError"):
        await worker.run("nonsense", None, seconds=5)


async def test_the_child_cannot_write_files(shared: Worker, tmp_path: Path) -> None:
    path = tmp_path / "canary"
    with pytest.raises(ToolFailed, match="File too large"):
        await ask(shared, f"open({str(path)!r}, 'w', buffering=1).write('x\\n' * 9)")
    assert path.stat().st_size == 0


async def test_a_request_that_is_too_large_is_refused_at_once(shared: Worker) -> None:
    with pytest.raises(ToolRetry, match=f"the request has more than {LARGEST >> 20} MB"):
        await ask(shared, "#" * LARGEST)


async def test_errors_keep_their_type() -> None:
    worker = Worker()
    try:
        with pytest.raises(ToolRetry, match="division by zero"):
            await worker.run("compute", {"expression": "1/0"}, seconds=5)
    finally:
        worker.close()


async def test_nobody_waits_for_somebody_elses_bomb(shared: Worker) -> None:
    await ask(shared, "1")
    bombs = [asyncio.create_task(ask(shared, "__import__('time').sleep(60)", seconds=2)) for _ in range(12)]
    await asyncio.sleep(0.05)
    started = time.monotonic()
    for _ in range(5):
        assert await ask(shared, "2 + 2") == 4
    assert time.monotonic() - started < 1.5
    assert not any(bomb.done() for bomb in bombs)
    for bomb in bombs:
        bomb.cancel()
    await asyncio.gather(*bombs, return_exceptions=True)


async def test_a_cancelled_request_ends_its_child(shared: Worker, tmp_path: Path) -> None:
    request = asyncio.create_task(ask(shared, telling_pid(tmp_path, FOR_EVER), seconds=60))
    pid = await told_pid(tmp_path)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    wait_until_gone(pid)


async def test_a_killed_child_is_an_error_and_nothing_more(shared: Worker, tmp_path: Path) -> None:
    request = asyncio.create_task(ask(shared, telling_pid(tmp_path, FOR_EVER), seconds=60))
    os.kill(await told_pid(tmp_path), signal.SIGKILL)
    with pytest.raises(ToolFailed, match="ended early"):
        await request
    assert await ask(shared, "1") == 1


async def test_a_killed_zygote_is_replaced(worker: Worker) -> None:
    first = await pid_of(worker)
    os.kill(first, signal.SIGKILL)
    assert await pid_of(worker) != first


async def test_a_request_survives_the_death_of_its_zygote(worker: Worker, tmp_path: Path) -> None:
    zygote = await pid_of(worker)
    busy = f"__import__('time').sleep(0.3 if {ZYGOTE_PID} != {zygote} else 60)"
    request = asyncio.create_task(ask(worker, telling_pid(tmp_path, busy), seconds=30))
    child = await told_pid(tmp_path)
    os.kill(zygote, signal.SIGKILL)
    await asyncio.wait_for(request, 5)
    wait_until_gone(child, zygote)


async def test_a_stopped_zygote_does_not_stop_the_bombs_clock(worker: Worker, tmp_path: Path) -> None:
    zygote = await pid_of(worker)
    request = asyncio.create_task(ask(worker, telling_pid(tmp_path, FOR_EVER), seconds=0.3))
    child = await told_pid(tmp_path)
    os.kill(zygote, signal.SIGSTOP)
    with pytest.raises(ToolFailed, match="longer than"):
        await request
    os.kill(zygote, signal.SIGCONT)
    wait_until_gone(child)


async def kill_at_random(worker: Worker, times: int) -> None:
    """Kill the zygote or a child in the middle of requests; every next request must answer."""
    choose = random.Random(7)
    for _ in range(times):
        zygote = await pid_of(worker)
        requests = [asyncio.create_task(ask(worker, "sum(range(200_000))")) for _ in range(3)]
        await asyncio.sleep(choose.random() * 0.03)
        victims = [zygote, *children_of(zygote)]
        with contextlib.suppress(ProcessLookupError):
            os.kill(choose.choice(victims), signal.SIGKILL)
        for outcome in await asyncio.gather(*requests, return_exceptions=True):
            assert outcome == sum(range(200_000)) or isinstance(outcome, ToolFailed), outcome
        assert await ask(worker, "1") == 1
    wait_until_childless(await pid_of(worker))


async def test_random_kills_leave_no_zombies(worker: Worker) -> None:
    await kill_at_random(worker, 10)


@pytest.mark.slow
async def test_a_hundred_random_kills(worker: Worker) -> None:
    await kill_at_random(worker, 100)


async def test_children_are_reaped(shared: Worker) -> None:
    zygote = await pid_of(shared)
    for _ in range(20):
        await ask(shared, "1")
    with pytest.raises(ToolFailed):
        await ask(shared, FOR_EVER, seconds=0.1)
    wait_until_childless(zygote)


def test_one_worker_serves_several_loops_and_threads() -> None:
    worker = Worker(PYTHON)
    try:
        zygotes = {asyncio.run(pid_of(worker)) for _ in range(3)}
        zygotes |= set(asyncio.run(_in_threads(worker)))
        assert len(zygotes) == 1
    finally:
        worker.close()


async def _in_threads(worker: Worker) -> list[int]:
    return await asyncio.gather(*(asyncio.to_thread(asyncio.run, pid_of(worker)) for _ in range(4)))


@pytest.mark.parametrize("end", [Worker.close, Worker.release])  # what is busy is not left to others
async def test_close_ends_everything_and_the_worker_can_be_used_again(
    worker: Worker, tmp_path: Path, end: Callable[[Worker], None]
) -> None:
    zygote = await pid_of(worker)
    request = asyncio.create_task(ask(worker, telling_pid(tmp_path, FOR_EVER), seconds=60))
    child = await told_pid(tmp_path)
    end(worker)
    with pytest.raises(ToolFailed, match="the worker was closed"):
        await request
    wait_until_gone(zygote, child)
    assert await pid_of(worker) != zygote


async def test_a_released_zygote_serves_the_next_worker_with_the_same_jobs() -> None:
    jobs = {**PYTHON, "compute": "crowquill.tools.maths.compute:compute"}
    first, other, second, third = (
        Worker(jobs),
        Worker({**jobs, "more": "builtins:eval"}),
        Worker(jobs),
        Worker(jobs),
    )
    zygote = await pid_of(first)
    first.release()
    assert await pid_of(other) != zygote
    assert await pid_of(second) == zygote
    alone = await pid_of(third)
    assert alone != zygote  # nobody else gets it while it is used
    second.release()
    third.release()
    wait_until_gone(zygote)  # one spare is enough
    os.kill(alone, signal.SIGKILL)
    wait_until_gone(alone)
    assert await pid_of(first) not in (zygote, alone)
    first.close()
    other.close()


async def test_a_spare_that_was_taken_stays() -> None:
    jobs = {**PYTHON, "stays": "builtins:eval"}
    first, second = Worker(jobs, kept=0.6), Worker(jobs, kept=0.6)
    zygote = await pid_of(first)
    first.release()
    second.warm()
    await asyncio.sleep(0.8)
    assert await pid_of(second) == zygote
    second.close()


async def test_a_spare_zygote_ends_by_itself_and_is_not_taken_shortly_before() -> None:
    worker = Worker({**PYTHON, "patience": "builtins:eval"}, kept=1)
    zygote = await pid_of(worker)
    worker.release()
    wait_until_gone(zygote)
    zygote = await pid_of(worker)
    worker.release()
    await asyncio.sleep(0.6)
    assert await pid_of(worker) != zygote
    wait_until_gone(zygote)
    worker.close()


async def test_a_forgotten_worker_ends_its_zygote() -> None:
    worker = Worker(PYTHON)
    zygote = await pid_of(worker)
    del worker
    gc.collect()
    wait_until_gone(zygote)


@pytest.mark.parametrize("last", ["os.kill(os.getpid(), 9)", "sys.exit(0)"])
def test_nothing_outlives_the_process_that_made_it(last: str, tmp_path: Path) -> None:
    code = f"""
import asyncio, os, sys
from crowquill.tools.worker import Worker
worker = Worker({PYTHON!r})
async def main():
    zygote = await worker.run("python", {ZYGOTE_PID!r}, seconds=9)
    bomb = asyncio.create_task(worker.run("python", {telling_pid(tmp_path, FOR_EVER)!r}, seconds=60))
    while not os.listdir({str(tmp_path)!r}):
        await asyncio.sleep(0.01)
    print(zygote, os.listdir({str(tmp_path)!r})[0], flush=True)
    {last}
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20)
    zygote, child = map(int, done.stdout.split())
    wait_until_gone(zygote, child)


async def test_a_broken_install_is_said_in_one_line() -> None:
    worker = Worker({"none": "crowquill.no_such_module:nothing"})
    try:
        with pytest.raises(ToolFailed, match=r"No module named 'crowquill\.no_such_module'.*doctor"):
            await worker.run("none", None, seconds=5)
    finally:
        worker.close()


@pytest.mark.slow
async def test_normal_requests_stay_fast_beside_bombs(worker: Worker) -> None:
    """Eight callers throw fifty bombs each; a ninth asks normal questions."""
    await ask(worker, "1")

    async def throw() -> None:
        for _ in range(50):
            with pytest.raises(ToolFailed):
                await ask(worker, FOR_EVER, seconds=0.2)

    bombs = [asyncio.create_task(throw()) for _ in range(8)]
    seconds = []
    while not all(bomb.done() for bomb in bombs):
        started = time.monotonic()
        assert await ask(worker, "6 * 7") == 42
        seconds.append(time.monotonic() - started)
        await asyncio.sleep(0.1)
    await asyncio.gather(*bombs)
    assert sorted(seconds)[int(len(seconds) * 0.95)] < 2
