"""Inputs and matrices: plain named substitution that computes nothing."""

from pathlib import Path
from typing import Any

import pytest

from crowquill.errors import UserError
from crowquill.tasks.filling import Case, cases
from crowquill.tasks.load import parse_task

RIVERS = """\
objective: How long is the {{river}} in {{ unit }}?
inputs:
  river: {description: a river of Europe, choices: [Danube, Rhine]}
  unit: kilometres
  length: {type: number, default: 2850}
expect: {contains: ["{{river}}"], number: {value: "{{length}}"}}
"""
HERE = Path("/tasks")


def run(text: str, **given: str) -> list[Case]:
    return cases(parse_task(text, "x.yaml"), given, HERE, "x.yaml")


def test_inputs_are_filled_in_everywhere_but_in_models_and_limits() -> None:
    [case] = run(RIVERS, river="Rhine", length="1,230")
    assert case.spec.objective == "How long is the Rhine in kilometres?"
    assert case.spec.expect is not None
    assert case.spec.expect.contains == ["Rhine"]
    assert case.spec.expect.number is not None
    assert case.spec.expect.number.value == 1230
    [case] = run("objective: '{{x}}'\nmodel: 'scripted:{{x}}'\ninputs: {x: a}\n")
    assert case.spec.model == "scripted:{{x}}"


def test_what_is_given_is_filled_in_as_it_is() -> None:
    for text in ("{{river}}", "{{unit}}", "{0.__class__}", "$unit", "${env:HOME}", "%s", "<b>", "{{7*7}}", "\\1"):
        [case] = run("objective: 'Say {{x}}, {{7*7}} and {{unit}}'\ninputs: {x: null, unit: kilometres}\n", x=text)
        assert case.spec.objective == f"Say {text}, {{{{7*7}}}} and kilometres"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "x.yaml: the input 'river' (a river of Europe) is missing: --input river=…"),
        ({"river": "Danub"}, "'Danub' is none of Danube, Rhine; did you mean 'Danube'?"),
        ({"river": "Rhine", "lenght": "3"}, "there is no input 'lenght'; did you mean 'length'?"),
        ({"river": "Rhine", "length": "long"}, "input length: 'long' is no number"),
    ],
)
def test_wrong_inputs_are_said(given: dict[str, str], message: str) -> None:
    with pytest.raises(UserError) as caught:
        run(RIVERS, **given)
    assert message in str(caught.value)


def test_a_path_is_beside_the_file_by_default_and_in_the_current_folder_when_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "objective: Which?\ndata: ['{{file}}']\ninputs: {file: {type: path, default: sales.csv}}\n"
    assert run(text)[0].spec.data == ["/tasks/sales.csv"]
    assert run(text, file="mine.csv")[0].spec.data == [str(tmp_path / "mine.csv")]


def test_a_matrix_makes_all_combinations_or_the_listed_ones() -> None:
    product = run(RIVERS + "matrix: {river: [Danube, Rhine], model: [local, 'scripted:x']}\n")
    assert [case.name for case in product] == [
        f"x.yaml [river={river}, model={model}]"
        for river in ("Danube", "Rhine")
        for model in ("local", "scripted:x")
    ]
    assert [case.spec.model for case in product[:2]] == ["local", "scripted:x"]
    listed = run(RIVERS + "matrix:\n- {river: Danube, length: 2850}\n- {river: Rhine, length: 1230}\n")
    assert [case.inputs["length"] for case in listed] == [2850, 1230]


def test_a_matrix_of_what_is_no_input_or_too_large_is_refused() -> None:
    with pytest.raises(UserError, match="'rivr' is no input"):
        run(RIVERS + "matrix: {rivr: [a]}\n")
    many = ", ".join(map(str, range(40)))
    with pytest.raises(UserError, match="more than 1000 combinations"):
        run(f"objective: x\ninputs: {{a: 1, b: 1}}\nmatrix: {{a: [{many}], b: [{many}]}}\n")


FIELDS = (
    "objective",
    "description",
    "inputs.text.default",
    "inputs.text.description",
    "expect.short",
    "expect.contains",
    "expect.lacks",
    "corpus",
    "expect.cited_hosts",
)


@pytest.mark.parametrize(
    "payload", ["lc", "__class__", "!!python/object", "{0.__class__}", "{{7*7}}", "${env:HOME}"]
)
def test_nine_fields_of_free_text_are_taken_literally(payload: str) -> None:
    text = f"""\
objective: "{payload}"
description: "{payload}"
inputs: {{text: {{default: "{payload}", description: "{payload}"}}}}
corpus: ["{payload}"]
expect: {{short: "{payload}", contains: ["{payload}"], lacks: ["{payload}"], cited_hosts: ["{payload}"]}}
"""
    [case] = run(text)
    content = case.spec.model_dump()
    for field in FIELDS:
        value: Any = content
        for part in field.split("."):
            value = value[part]
        assert value in (payload, [payload])
