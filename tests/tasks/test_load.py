"""Task files: what is refused, and how it is said."""

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
        ("objective: hi\nbudget:\n  calls: {search: -3}\n", "x.yaml:3:11: budget.calls.search: "),
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
        ("objective: hi\n---\nobjective: ho\n", "x.yaml:2:1: a file holds one document"),
        ("objective: [\n", "x.yaml:2:1: "),
        ("- a\n", "has to be a mapping"),
        ("", "has to be a mapping"),
        ("objctive: x\ncorpus: [a]\n", "x.yaml:1:1: unknown key 'objctive'; did you mean 'objective'?"),
        ("objective: x\ncorpus: pocket\n", "x.yaml:2:1: corpus: has to be a list, as in corpus: [pocket]"),
        ("objective: x\nselection: best\n", "x.yaml:2:1: selection: has to be a mapping of keys to values"),
        ("objective: x\nmodel: nowhere:x\n", "x.yaml:2:1: model: 'nowhere:x' is no model; write local"),
        ("objective: 3\n", "x.yaml:1:1: objective: has to be a valid string"),
        ("objective: hi\nbudget:\n  steps: yes\n", "x.yaml:3:3: budget.steps"),
        ("objective: " + "[" * 50 + "]" * 50, "nested or long beyond"),
    ],
)
def test_bad_files_are_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_task(text, "x.yaml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


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


def test_a_task_extends_a_shipped_one_and_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "base.yaml").write_text("budget: {steps: 7, tokens: 900}\ndata: [sales.csv]\n")
    mine = tmp_path / "mine.yaml"
    mine.write_text("extends: below/base.yaml\nobjective: How much?\nbudget: {steps: 5}\n")
    spec = load_task_file(mine)
    assert (spec.budget.steps, spec.budget.tokens) == (5, 900)
    assert spec.data == [str(tmp_path / "below" / "sales.csv")]
    mine.write_text("extends: danube\nexpect: {min_quotes: 5}\n")
    spec = load_task_file(mine)
    assert spec.expect is not None
    assert (spec.expect.min_quotes, spec.expect.supported) == (5, True)
    assert spec.model is not None
    assert Path(spec.model.removeprefix("scripted:")).is_file()


@pytest.mark.parametrize(
    ("extends", "message"),
    [
        (
            "danub",
            "mine.yaml:1:1: extends: 'danub' is neither a shipped task nor a .yaml file; did you mean 'danube'?",
        ),
        ("none.yaml", "mine.yaml:1:1: extends: 'none.yaml' cannot be read"),
        ("../mine.yaml", "is no file beside this one"),
        ("mine.yaml", "extends itself"),
        ("wrong.yaml", "wrong.yaml:2:1: unknown key 'corpuss'; did you mean 'corpus'?"),
    ],
)
def test_what_cannot_be_extended_is_said(tmp_path: Path, extends: str, message: str) -> None:
    (tmp_path / "wrong.yaml").write_text("web: true\ncorpuss: [a]\n")
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"extends: {extends}\nobjective: x\n")
    with pytest.raises(UserError) as caught:
        load_task_file(mine)
    assert message in str(caught.value)


def test_a_chain_of_files_is_not_endless(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.yaml").write_text(f"extends: {number + 1}.yaml\nobjective: x\n")
    with pytest.raises(UserError, match="deeper than 3 files"):
        load_task_file(tmp_path / "0.yaml")
