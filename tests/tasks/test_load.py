"""Task files: what is refused, and how it is said."""

import contextlib
import random
import time
from pathlib import Path

import pytest

from crowquill.errors import UserError
from crowquill.tasks.load import find_task_file, load_task_file, parse_task, presets

GOOD = """\
objective: How long is the Danube?
corpus: [pocket]
budget:
  steps: 12
expect:
  short: ["2,850", "2,850 km"]
  min_quotes: 1
"""


def test_a_good_file_is_read() -> None:
    spec = parse_task(GOOD, "x.yaml")
    assert spec.objective == "How long is the Danube?"
    assert spec.budget.steps == 12
    assert spec.expect is not None
    assert spec.expect.short == ["2,850", "2,850 km"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("objective: hi\nbugdet: 3\n", "x.yaml:2:1: unknown key 'bugdet'; did you mean 'budget'?"),
        ("objective: hi\nbudget:\n  steps: -3\n", "x.yaml:3:3: budget.steps: "),
        (
            "objective: hi\nbudget:\n  stesp: 3\n",
            "x.yaml:3:3: unknown key 'budget.stesp'; did you mean 'steps'?",
        ),
        ("model: local\n", "'objective' is missing"),
        ("objective: hi\nobjective: ho\n", "x.yaml:2:1: found duplicate key"),
        ("objective: &a hi\n", "x.yaml:1:12: anchors and aliases are not allowed"),
        ("objective: *a\n", "anchors and aliases are not allowed"),
        ("objective: !!python/object/apply:os.system [ls]\n", "x.yaml:1:12: tags such as"),
        ("objective: hi\nbudget: {<<: {steps: 3}}\n", "merge keys are not allowed"),
        ("objective: hi\n---\nobjective: ho\n", "x.yaml:2:1: a task file holds one document"),
        ("objective: [\n", "x.yaml:2:1: "),
        ("- a\n", "is a mapping"),
        ("", "is a mapping"),
        ("objective: 3\n", "x.yaml:1:1: objective: Input should be a valid string"),
        ("objective: hi\nbudget:\n  steps: yes\n", "x.yaml:3:3: budget.steps"),
        ("objective: " + "[" * 50 + "]" * 50, "nested or long beyond"),
    ],
)
def test_bad_files_are_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_task(text, "x.yaml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bomb_is_refused_at_once() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [*{before},*{before},*{before},*{before},*{before},*{before},*{before},*{before}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    started = time.monotonic()
    with pytest.raises(UserError):
        parse_task(bomb, "x.yaml")
    assert time.monotonic() - started < 5


def test_mutated_files_never_raise_anything_else() -> None:
    draw = random.Random(7)
    for _ in range(300):
        characters = list(GOOD)
        for _ in range(draw.randint(1, 6)):
            place = draw.randrange(len(characters))
            characters[place] = draw.choice("{}[]&*!:-\n\t\"'#|>%@`ab0\x00\ufeff")
        with contextlib.suppress(UserError):
            parse_task("".join(characters), "x.yaml")


def test_files_are_found_by_path_or_shipped_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    assert load_task_file(find_task_file(str(path))).corpus == ["pocket"]
    for name in presets():
        assert load_task_file(find_task_file(name)).objective
    with pytest.raises(UserError, match="shipped tasks: "):
        find_task_file("no-such-task")


def test_a_huge_or_binary_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    path.write_text("objective: " + "x" * 300_000)
    with pytest.raises(UserError, match="larger than 256 kB"):
        load_task_file(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not UTF-8"):
        load_task_file(path)
