"""The form of an answer is part of the verdict."""

import pytest

from crowquill.agent.answer import Claim, Output
from crowquill.agent.critic.form_checks import form_problems
from crowquill.agent.form import Form

SCHEMA = {
    "type": "object",
    "properties": {"river": {"type": "string"}, "km": {"type": "integer"}},
    "required": ["river", "km"],
}
JSON = Form("json", SCHEMA)
TWICE = "rows of the table that stand twice: 1"
UNFIT = "the output does not fit its schema at /"
CSV = Form("csv", columns=("river", "km"))
ROW = {"river": "Danube", "km": "2,850"}


@pytest.mark.parametrize(
    ("form", "output", "problems"),
    [
        (Form(), None, []),
        (JSON, Output("json", {"river": "Danube", "km": 2850}), []),
        (JSON, None, ["there is no json output"]),
        (JSON, Output("json", {"river": "Danube"}), [f"{UNFIT}: 'km' is a required property"]),
        (JSON, Output("json", {"river": 1, "km": 1}), [f"{UNFIT}river: 1 is not of type 'string'"]),
        (CSV, Output("csv", {"rows": [ROW]}), []),
        (CSV, Output("csv", {"rows": []}), ["the table has no rows"]),
        (CSV, Output("csv", {"rows": [ROW, ROW, {"river": "Rhine", "km": ""}]}), [TWICE]),
        (CSV, Output("csv", {"rows": [{"river": "Rhine", "km": None}]}), ["the column 'km' is empty"]),
        (CSV, Output("csv", {"rows": [ROW]}, missing=tuple(f"/rows/{n}/km" for n in range(5))),
         [*(f"no receipt for /rows/{n}/km in the output" for n in range(3)), "and 2 more of this kind"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_form(form: Form, output: Output | None, problems: list[str]) -> None:
    assert form_problems(form, output, [Claim("The Danube is long.")]) == problems


def test_an_answer_can_be_too_long() -> None:
    claims = [Claim("one two three"), Claim("four five")]
    assert form_problems(Form(max_words=5), None, claims) == []
    assert form_problems(Form(max_words=4), None, claims) == ["the answer has 5 words, at most 4 were asked for"]
