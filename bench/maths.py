"""How long a warm computation takes, and what others make of the same questions.

    python bench/maths.py [-n 20] [--peers]

Arithmetic and calculus go through the real worker: read, forked, computed, written. `cold` is the first computation
of a fresh worker, with the start of its process. With --peers each expression is also given to what a user would
take instead, inside this process and without any limit: `sympy.parse_expr` (which executes what it is given), and
numexpr, asteval and simpleeval where they are installed (pip install numexpr asteval simpleeval).
"""

import argparse
import asyncio
import importlib.util
import statistics
import time
from collections.abc import Callable
from typing import Any

from crowquill.errors import CrowquillError
from crowquill.tools.worker import Worker

ARITHMETIC = (
    "(2850 - 1230) / 7",
    "17% of 2340",
    "123456789012345678901234567890 * 987654321098765432109876543210",
    "9.11 > 9.9",
    "5 miles in km",
    "days between 3 March 2021 and 17 August 2023",
    "how many r's in strawberry",
)
CALCULUS = (
    "integrate x^2 sin(x) from 0 to pi",
    "derivative of x^2 ln(x)",
    "limit of (1 - cos x)/x^2 as x -> 0",
    "solve x^3 - 6x^2 + 11x - 6 = 0",
    "sum of 1/n^2 for n from 1 to infinity",
    r"\int_0^\infty e^{-x^2} dx",
    "taylor series of e^x at x = 0 to order 6",
    "inverse of [[1, 2], [3, 4]]",
)
AS_PYTHON = ("(2850 - 1230) / 7", "2**100", "9.11 > 9.9", "x**2 + 2*x")
_WARM_SECONDS = 30.0


async def timed(worker: Worker, expression: str) -> float:
    """Return the seconds of one computation."""
    started = time.perf_counter()
    try:
        await worker.run("compute", {"expression": expression}, seconds=10)
    except CrowquillError as error:
        print(f"   {expression}: {error}")
    return time.perf_counter() - started


async def settle(worker: Worker) -> None:
    """Wait until the worker has loaded what it loads while it has nothing to do."""
    end = time.perf_counter() + _WARM_SECONDS
    last = 10.0
    while time.perf_counter() < end:
        await asyncio.sleep(0.5)
        now = min([await timed(worker, "integrate x^2 e^x from 0 to 1") for _ in range(3)])
        if now > 0.8 * last:
            return
        last = now


def report(name: str, seconds: list[float]) -> None:
    """Print median, 95th percentile and worst."""
    ordered = sorted(seconds)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    print(
        f"{name:<12} p50 {statistics.median(ordered) * 1000:6.1f} ms  p95 {p95 * 1000:6.1f} ms  "
        f"worst {ordered[-1] * 1000:6.1f} ms  of {len(ordered)}"
    )


async def ours(count: int) -> None:
    """Time a cold worker, then the warm one."""
    worker = Worker()
    try:
        report("cold", [await timed(worker, ARITHMETIC[0])])
        await settle(worker)
        for name, expressions in (("arithmetic", ARITHMETIC), ("calculus", CALCULUS)):
            report(name, [await timed(worker, expression) for _ in range(count) for expression in expressions])
            for expression in expressions:
                seconds = [await timed(worker, expression) for _ in range(3)]
                print(f"   {statistics.median(seconds) * 1000:6.1f} ms  {expression}")
    finally:
        worker.close()


def peers() -> dict[str, Callable[[str], Any]]:
    """Return the other ways that are installed."""
    from sympy import parse_expr

    found: dict[str, Callable[[str], Any]] = {"parse_expr": parse_expr}
    if importlib.util.find_spec("numexpr"):
        found["numexpr"] = importlib.import_module("numexpr").evaluate
    if importlib.util.find_spec("asteval"):
        found["asteval"] = importlib.import_module("asteval").Interpreter()
    if importlib.util.find_spec("simpleeval"):
        found["simpleeval"] = importlib.import_module("simpleeval").simple_eval
    return found


def compare() -> None:
    """Print what each peer makes of each expression."""
    for name, evaluate in peers().items():
        for expression in (*AS_PYTHON, *ARITHMETIC[1:], *CALCULUS):
            started = time.perf_counter()
            try:
                said = str(evaluate(expression))[:60]
            except Exception as error:
                said = f"{type(error).__name__}"
            print(f"{name:<11} {(time.perf_counter() - started) * 1000:7.1f} ms  {expression[:48]:<48} {said}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=20, help="rounds")
    parser.add_argument("--peers", action="store_true", help="also show what others make of the same text")
    options = parser.parse_args()
    asyncio.run(ours(options.n))
    if options.peers:
        compare()


if __name__ == "__main__":
    main()
