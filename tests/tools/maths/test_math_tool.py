"""The tool as the model sees it, over the real worker; and hostile text, which must do nothing."""

import asyncio
import random
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.context import FakeContext
from tests.tools.maths import problems
from tests.tools.maths.test_problems import lines, styled

from crowquill.errors import ToolError, ToolFailed, ToolRetry
from crowquill.memory.evidence import Computation
from crowquill.tools.maths import tool as tool_module
from crowquill.tools.maths.tool import SECONDS, math_tool
from crowquill.tools.worker import Worker


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    made.close()


@pytest.fixture
def context(tmp_path: Path) -> FakeContext:
    return FakeContext(tmp_path)


async def test_the_tool_gives_a_computation_with_its_reading(worker: Worker, context: FakeContext) -> None:
    observation = await math_tool(worker).call({"expression": "(2,850 − 1,230) ÷ 7"}, context)
    computation = Computation("(2850 - 1230) / 7", "1620/7", "231.428571428571")
    assert observation.evidence == (computation,)
    assert observation.text.text.splitlines() == [
        "(2850 - 1230) / 7 = 1620/7 ≈ 231.428571428571",
        "  2850 - 1230 = 1620",
        "  1620 / 7 = 1620/7",
    ]
    assert observation.status == "exact, and rounded to 15 digits"
    [(kind, request, response)] = context.effects
    assert (kind, request) == ("compute", {"expression": "(2,850 − 1,230) ÷ 7"})
    assert isinstance(response, dict)
    assert response["latex"] == r"\frac{1620}{7}"


async def test_what_was_assumed_and_what_else_it_may_be_is_said(worker: Worker, context: FakeContext) -> None:
    observation = await math_tool(worker).call({"expression": "sin 30"}, context)
    assert observation.text.text.splitlines()[1:] == ["assumed: the angle is in radians", "or: sin(30°) = 0.5"]
    observation = await math_tool(worker).call({"expression": "100 + 10%"}, context)
    assert "or: 100 + 0.1 = 100.1" in observation.text.text
    observation = await math_tool(worker).call({"expression": "x^3 = 8"}, context)
    assert "1 of 3 solutions are real" in observation.text.text


async def test_a_unit_is_part_of_the_computation(worker: Worker, context: FakeContext) -> None:
    observation = await math_tool(worker).call({"expression": "5 miles to km"}, context)
    assert observation.evidence == (Computation("5 miles in km", "8.04672", "8.04672", "km"),)


async def test_today_is_an_effect_of_its_own(worker: Worker, context: FakeContext) -> None:
    observation = await math_tool(worker).call({"expression": "3 days after today"}, context)
    assert [(kind, request) for kind, request, _ in context.effects] == [
        ("clock", "today"),
        ("compute", {"expression": "3 days after today", "today": context.clock.now().date().isoformat()}),
    ]
    assert isinstance(observation.evidence[0], Computation)
    assert observation.evidence[0].expression == "3 days after today"


async def test_a_graph_comes_as_pictures(worker: Worker, context: FakeContext) -> None:
    observation = await math_tool(worker).call({"expression": "plot sin(x)/x from -10 to 10"}, context)
    assert observation.pictures["png"].startswith(b"\x89PNG")
    assert b"</svg>" in observation.pictures["svg"]
    assert "graph of sin(x)/x for x from -10 to 10" in observation.text.text


@pytest.mark.parametrize(
    ("expression", "status"),
    [
        ("1/8", "exact"),
        ("1/3", "exact, and rounded to 15 digits"),
        ("sqrt(2)", "exact, and rounded to 15 digits"),
        ("cos x = x", "no exact form; rounded"),
        ("1<2", "exact"),
    ],
)
async def test_rounding_is_never_silent(worker: Worker, context: FakeContext, expression: str, status: str) -> None:
    assert (await math_tool(worker).call({"expression": expression}, context)).status == status


async def test_a_wrong_expression_is_for_the_model_to_mend(worker: Worker, context: FakeContext) -> None:
    with pytest.raises(ToolRetry, match="leave words out"):
        await math_tool(worker).call({"expression": "five apples"}, context)


def hostile(canary: Path, port: int) -> list[str]:
    touch = f"open({str(canary)!r}, 'w')"
    call = f"__import__('os').system('touch {canary}')"
    return [
        call,
        touch,
        f"eval({call!r})",
        f"exec({touch!r})",
        f"sqrt({touch!r})",
        f"factorial({call!r})",
        f"max(1, {touch})",
        f"(lambda: {touch})()",
        f"[{touch} for x in (1,)]",
        f"{{{touch}}}",
        f"({touch}, 1)[1]",
        f"1 if {touch} else 2",
        f"1 and {touch}",
        f"not {touch}",
        f"(y := {touch})",
        f"1; {touch}",
        f"1\n{touch}",
        f"f'{{{touch}}}'",
        f"print({touch})",
        f"getattr(1, '__class__')({touch})",
        "().__class__.__bases__[0].__subclasses__()",
        "(1).__class__.__mro__[-1].__subclasses__()",
        "abs.__globals__",
        "__builtins__",
        "globals()",
        "vars()",
        "compute.__globals__['os']",
        "sqrt.__init__.__globals__",
        "open('/etc/passwd').read()",
        "__import__('os').environ",
        f"__import__('socket').create_connection(('127.0.0.1', {port}))",
        "breakpoint()",
        "input()",
        "exit()",
        "help()",
        "await(1)",
        "(yield(1))",
        "max(*(1, 2))",
        "max(1, key = abs)",
        "max(1, default = 2)",
        "sum(1 for x in (2))",
        "1 in (2)",
        "1 is (2)",
        "1 @ 2",
        "1 << 2",
        "~ 1",
        "1 | 2",
        "True + 1",
        "True (1)",
        "None",
        "...",
        "'a' * 10**9",
        "b'a' * 9",
        "1j ** 2",
        "0b11 + 1",
        "1_000 + 1",
        "𝟏𝟐 + 𝟑",
        "ｅｖａｌ(1)",
        "9**9**9",
        "9**9**9**9",
        "(((9**99)**99)**99)**99",
        "9**99999999999",
        "(9/7)**60000 * (9/7)**60000",
        "-" * 1999 + "1",
        "+" * 1999 + "1",
        "(" * 1000 + ")" * 999,
        "(" * 900 + "1" + ")" * 900,
        "abs(" * 300 + "1" + ")" * 300,
        "1" + "+1" * 999,
        "9" * 1999,
        "9" * 5000,
        "1" + " " * 1998,
        "2**" * 600 + "2",
        "factorial(factorial(2000))",
        "factorial(2000) ** factorial(2000)",
        "factorial(10**9)",
        "lcm(" + ", ".join(f"{n}**3000" for n in range(90, 200)) + ")",
        "gcd(9**60000, 7**60000)",
        "+".join(f"1/{n}**9000" for n in range(101, 116)),
        "*".join(["9**60000"] * 150),
        "round(1/3, 10**9)",
        "round(1/3, -10**9)",
        "1e999 ** 999",
        "1e-999 ** 99",
        "sqrt(2) ** 1000 ** 1000",
        "1.0000001 ** 12345678.9",
        "1 / (sqrt(2) - sqrt(2))",
        "1/0",
        "0**0**-1",
        "integrate(x^x^x, x)",
        "integrate(sin(x^5)*cos(x^7)*e^(x^3), (x, 0, infinity))",
        "solve(x^37 + sin(x)*e^x - x^11*ln(x) + 3, x)",
        "solve([x^7*y + y^5 - 3, x^5 - y^7 + x*y - 1], [x, y])",
        "factorint(10^59 + 19)",
        "factor(x^64 - y^64 + x^37*y^12)",
        "expand((x + y + z + a + b + c)^64)",
        "sum(sin(n^2)/n^3, (n, 1, infinity))",
        "product(1 + 1/n^2, (n, 1, infinity))",
        "sum(1/n, (n, 1, 10^12))",
        "series(sin(tan(sinh(x))), x, 0, 32)",
        "limit((sin(x)^x)^(1/x^5), x, 0)",
        "simplify(((x+1)^60 - (x-1)^60)/((x+2)^50 + (x-3)^40))",
        "det(["
        + ", ".join("[" + ", ".join("abcxyz"[(i + j) % 6] for j in range(12)) + "]" for i in range(12))
        + "])",
        "eigenvalues([[1,x,2,3],[4,5,y,7],[8,z,1,2],[a,b,c,3]])",
        "[[9,8],[7,6]]^64 * [[9,8],[7,6]]^64",
        "binomial(5000, 2500)^64",
        "prime(200000) * primepi(10^8)",
        "fibonacci(20000)^20",
        "pi to 1000 digits",
        "e^e^e^e^e^e",
        "plot sin(x^64) from -10^9 to 10^9",
        "diff(sin(cos(tan(x^2))), x, 20)",
        "f(x) = x*x; f(f(f(f(f(f(f(f(f(f(9))))))))))",
        "a = 9; a = a*a; a = a*a; a = a*a; a = a^a",
        "1000000 working days after 2024-01-01",
        "days between 0001-01-01 and 9999-12-31",
        "9**9**9 km in miles",
        "(5 km)^64 in m^64",
        "how many a in " + "a" * 1900,
        "reverse " + "x" * 1900,
        "integrate " * 150 + "x",
        "x" + "^x" * 300,
        "|" * 1000,
        "\\frac{" * 300,
        "\\sqrt{" * 300 + "2" + "}" * 300,
        "\\begin{pmatrix}" + "1&" * 500 + "\\end{pmatrix}",
        "mean of " + "1, " * 600 + "2",
        "solve " + "x = 1, " * 100,
        "sum of x for x from 1 to " * 30 + "3",
        "\x00",
        "1\x00+1",
        "\ud800",
        "\u202e1+1",
        "#" * 100,
        "\\",
        "",
        " ",
        "?",
        "=",
    ]


HOSTILE = len(hostile(Path("/canary"), 1))


@pytest.mark.parametrize("every", [8, pytest.param(1, marks=pytest.mark.slow)])
async def test_hostile_text_runs_no_code_and_hangs_nothing(
    worker: Worker, context: FakeContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    monkeypatch.setenv("CANARY", "secret-canary")
    folder = tmp_path / "untouched"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        math = math_tool(worker)
        assert HOSTILE >= 42

        async def attack(text: str) -> str:
            started = time.monotonic()
            try:
                observation = await math.call({"expression": text}, context)
                said = observation.text.text
            except ToolError as error:
                said = str(error)
            assert time.monotonic() - started < SECONDS + 1.5, text[:60]
            assert len(said) < 17000, text[:60]
            assert "internal error" not in said, text[:60]
            return said

        texts = hostile(folder / "canary", listener.getsockname()[1])[::every]
        answers = []
        for start in range(0, len(texts), 4):
            answers += await asyncio.gather(*map(attack, texts[start : start + 4]))
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert list(folder.iterdir()) == []
    assert not any("secret-canary" in answer or "root:" in answer for answer in answers)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024
    assert (await math.call({"expression": "6 * 7"}, context)).evidence == (Computation("6 * 7", "42", "42"),)


async def test_a_hard_computation_is_stopped(worker: Worker) -> None:
    hard = " + ".join(f"1/{number}^9000" for number in range(101, 116))
    started = time.monotonic()
    with pytest.raises(ToolFailed, match="longer than"):
        await worker.run("compute", {"expression": hard}, seconds=0.5)
    assert time.monotonic() - started < 1.5


def test_nothing_on_the_path_evaluates_text() -> None:
    folder = Path(tool_module.__file__).parent
    for path in folder.glob("*.py"):
        source = path.read_text(encoding="utf-8")
        for forbidden in ("sympify", "parse_expr", "parse_latex", "lambdify", "eval(", "exec(", "compile("):
            assert forbidden not in source.replace("re.compile(", ""), f"{path.name}: {forbidden}"


@pytest.mark.slow
async def test_mutated_text_never_breaks_the_worker(worker: Worker, tmp_path: Path) -> None:
    """2,500 expressions, made of hostile and ordinary ones by cutting, doubling and inserting."""
    choose = random.Random(5)
    ordinary = [typed for typed, _ in [*lines(problems.CALCULUS), *lines(problems.UNITS), *styled()]]
    ordinary += ["17% of 2340", "(2,850 - 1,230) / 7", "mean(3, 4, 8) ^ 2", "sqrt(2) > 1.4", "round(10/3, 2)"]
    seeds = [text for text in hostile(tmp_path / "canary", 1) if len(text) < 300] + ordinary * 10

    def mutated() -> str:
        text = choose.choice(seeds)
        for _ in range(choose.randint(1, 3)):
            start, end = sorted(choose.randint(0, len(text)) for _ in range(2))
            insert = choose.choice(
                ["", text[start:end] * 2, "(", ")", "**", "9", ",", "%", "√", "²", "x", "\u0660", "\n"]
            )
            text = text[:start] + insert + text[end:]
        return text

    async def attack(text: str) -> None:
        try:
            await worker.run("compute", {"expression": text}, seconds=SECONDS)
        except ToolRetry:
            return
        except ToolFailed as error:
            assert "longer than" in str(error), text  # noqa: PT017 - a typed stop is right, anything else is not

    for _ in range(625):
        await asyncio.gather(*(attack(mutated()) for _ in range(4)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
async def test_normal_computations_stay_quick_beside_bombs(worker: Worker) -> None:
    """Eight callers throw fifty real bombs each; a ninth asks what people ask. Its 95th percentile is below 2 s."""
    bomb = " + ".join(f"1/{number}^9000" for number in range(101, 116))

    async def throw() -> None:
        for _ in range(50):
            with pytest.raises(ToolFailed):
                await worker.run("compute", {"expression": bomb}, seconds=0.3)

    await worker.run("compute", {"expression": "5 miles in km"}, seconds=30)
    bombs = [asyncio.create_task(throw()) for _ in range(8)]
    seconds = []
    while not all(bomb.done() for bomb in bombs):
        started = time.monotonic()
        await worker.run("compute", {"expression": "integrate x^2 from 0 to 3"}, seconds=SECONDS)
        seconds.append(time.monotonic() - started)
        await asyncio.sleep(0.05)
    await asyncio.gather(*bombs)
    assert sorted(seconds)[int(0.95 * len(seconds))] < 2
