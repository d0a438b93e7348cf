"""YAML as an attack: 28 inputs and their mutations end at once, in an error with its place, and run nothing."""

import random
import resource
import time
from pathlib import Path

import pytest

from crowquill.errors import UserError
from crowquill.tasks.load import parse_task

_ALIASES = "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
_MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12)
)
CANARY = "/tmp/crowquill-yaml-canary"
HOSTILE = {
    "billion laughs": f"a: &a [x]\n{_ALIASES}",
    "merge bomb": _MERGES,
    "merge key": "objective: x\nbudget: {<<: {steps: 3}}",
    "self reference": "objective: &a [*a]",
    "many aliases": "objective: &a x\ncorpus: [" + "*a," * 60_000 + "]",
    "python object": f"objective: !!python/object/apply:os.system ['touch {CANARY}']",
    "python name": "objective: !!python/name:os.system ''",
    "python module": "objective: !!python/module:os ''",
    "python new": f"objective: !!python/object/new:subprocess.Popen [['touch', '{CANARY}']]",
    "own tag": "objective: !secret x",
    "binary": "objective: !!binary aGVsbG8=",
    "omap": "objective: !!omap [a: 1]",
    "set": "objective: !!set {a, b}",
    "duplicate key": "objective: a\nobjective: b",
    "nested duplicate": "objective: a\nbudget: {steps: 1, steps: 2}",
    "two documents": "objective: a\n---\nobjective: b",
    "deep flow": "objective: " + "[" * 3000 + "]" * 3000,
    "deep block": "\n".join(" " * depth + "a:" for depth in range(480)),
    "many nodes": "objective: x\ncorpus: [" + "a," * 20_000 + "]",
    "huge": "objective: " + "x" * 300_000,
    "long key": "x" * 100_000 + ": 1",
    "complex key": "? [a, b]\n: c",
    "directive": "%YAML 9.9\n---\nobjective: x",
    "tag directive": "%TAG ! tag:evil.example,2000:\n---\nobjective: !x y",
    "control": "objective: a\x07b",
    "tab": "objective:\n\t- x",
    "not closed": 'objective: "x',
    "number": "objective: 12:30:45\nbudget: {steps: 12:30:45}",
}
WHOLE = """\
extends: null
description: All keys
objective: How long is the {{river}}?
inputs:
  river: {description: A river, default: Danube, choices: [Danube, Rhine]}
  year: 2024
models: {judge: local}
corpus: [pocket]
db: [pocket, "shop=${env:SHOP_DATABASE_URL}"]
search: [tavily, brave+wikipedia]
budget: {steps: 12, seconds: 30.5}
matrix: {river: [Danube, Rhine], year: [2023, 2024]}
expect:
  short: ["2,850", "2,850 km"]
  number: {value: 2850, tolerance: 1}
  rows: [[1, a], [2, b]]
  min_quotes: 1
"""


def refused(text: str) -> str:
    """Parse the text and return the error; it must be ours, quick and small."""
    started, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UserError) as caught:
        parse_task(text, "x.yaml")
    assert time.process_time() - started < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_yaml_is_refused_with_its_place_and_nothing_runs(name: str) -> None:
    message = refused(HOSTILE[name])
    assert message.startswith("x.yaml:")
    assert message.split(":")[1].isdigit()
    assert not Path(CANARY).exists()


def mutate(draw: random.Random, text: str) -> str:
    characters = list(text)
    for _ in range(draw.randint(1, 8)):
        place = draw.randrange(len(characters))
        characters[place] = draw.choice("{}[]&*!:-\n\t\"'#|>%@`ab0\x00\ufeff\u2028<?,")
    return "".join(characters)


def fault_of(text: str) -> str | None:
    try:
        parse_task(text, "x.yaml")
    except UserError as error:
        return str(error)
    return None


def check_mutations(count: int) -> int:
    draw, faults = random.Random(7), 0
    started = time.process_time()
    for _ in range(count):
        text = mutate(draw, draw.choice([WHOLE, *HOSTILE.values()][:18]))
        fault = fault_of(text)
        assert fault is None or fault.split(":")[1].isdigit(), fault
        faults += fault is not None
    assert (time.process_time() - started) / count < 1
    return faults


def test_mutated_files_raise_our_error_with_its_place() -> None:
    parse_task(WHOLE, "x.yaml")
    assert check_mutations(40) > 20


@pytest.mark.slow
def test_3000_mutations() -> None:
    assert check_mutations(3000) > 1000


def test_words_that_yaml_1_1_took_for_something_else_are_words() -> None:
    spec = parse_task("objective: no\ncorpus: [yes, 'on']\n", "x.yaml")
    assert (spec.objective, spec.corpus) == ("no", ["yes", "on"])


def test_the_column_is_that_of_the_fault() -> None:
    assert refused("objective: hi\nbudget: {steps: 3, token: 4}").startswith(
        "x.yaml:2:20: unknown key 'budget.token'"
    )
    assert "did you mean 'tokens'?" in refused("objective: hi\nbudget: {steps: 3, token: 4}")
    assert refused("objective: hi\npolicy: guide\n").startswith("x.yaml:2:1: policy: ")
    assert "did you mean 'guided'?" in refused("objective: hi\npolicy: guide\n")
    assert refused("objective: hi\nexpect:\n  regex: '('\n").startswith("x.yaml:3:3: expect.regex: no regular exp")
    assert refused("objective: a {{river}} b\n").startswith("x.yaml:1:14: {{river}} is no input")
