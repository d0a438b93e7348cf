"""Choices of people: stored in the fields of WebGPT comparisons, and fitted into weights."""

import json
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crowquill.agent.cli.main import app
from crowquill.agent.critic.choices import Comparison, Side, keep, read_comparisons
from crowquill.agent.critic.fit import fit, write_weights
from crowquill.agent.critic.report import validate
from crowquill.agent.critic.reward import read_weights, shipped_weights
from crowquill.errors import UserError

QUOTES = (("Danube", "The Danube is 2,850 kilometres long."), ("Rhine", "The Rhine is 1,230 kilometres long."))
GOOD = Side("The Danube is 2,850 kilometres long. [1]", QUOTES)
WRONG = Side("The Danube is 2,580 kilometres long. [1]", QUOTES)
BARE = Side("It is quite long.", QUOTES)
LONG = Side(f"{GOOD.text} The Rhine is 1,230 kilometres long. [2] {GOOD.text}", QUOTES)
QUESTION = "How long is the Danube?"


def choices(count: int = 40, *, noise: float = 0.0) -> list[Comparison]:
    """People who want receipts, whatever is shown first."""
    draw = random.Random(1)
    worth = [(GOOD, 3), (LONG, 2), (BARE, 1), (WRONG, 0)]
    made = []
    for _ in range(count):
        (one, first), (other, second) = draw.sample(worth, 2)
        better = second > first if draw.random() >= noise else second < first
        made.append(Comparison(QUESTION, (one, other), 1.0 if better else -1.0, "choice", draw.randrange(2)))
    return made


def test_a_comparison_survives_its_file_and_has_the_fields_of_webgpt(tmp_path: Path) -> None:
    made = Comparison(QUESTION, (GOOD, WRONG), -0.5, "choice", 1, ("a", "b"))
    assert keep(tmp_path / "c.jsonl", [made, made]) == 2
    assert read_comparisons(tmp_path / "c.jsonl") == [made, made]
    line = json.loads((tmp_path / "c.jsonl").read_text().splitlines()[0])
    assert {"question", "quotes_0", "answer_0", "score_0", "quotes_1", "answer_1", "score_1"} <= set(line)
    assert (line["question"]["full_text"], line["score_0"], line["score_1"]) == (QUESTION, 0.5, -0.5)
    assert line["quotes_0"] == {"title": ["Danube", "Rhine"], "extract": [text for _, text in QUOTES]}


def test_lines_of_the_public_data_set_are_read(tmp_path: Path) -> None:
    public = {
        "question": {"dataset": "eli5", "id": "x", "full_text": QUESTION},
        "quotes_0": {"title": ["T"], "extract": ["The Danube is 2,850 kilometres long."]},
        "answer_0": "2,850 km. [1]",
        "tokens_0": {"prefix": [], "completion": []},
        "score_0": 0.5,
        "quotes_1": {"title": [], "extract": []},
        "answer_1": "I don't know.",
        "tokens_1": {"prefix": [], "completion": []},
        "score_1": -0.5,
    }
    (tmp_path / "p.jsonl").write_text(json.dumps(public) + "\n")
    read = read_comparisons(tmp_path / "p.jsonl")[0]
    assert (read.by, read.score, read.sides[0].quotes[0][0]) == ("import", -0.5, "T")
    assert read.differences["receipts"] < 0
    for bad in ("{}", "x", json.dumps({**public, "score_0": 2.0}), json.dumps({**public, "quotes_0": 3})):
        (tmp_path / "p.jsonl").write_text(f"{json.dumps(public)}\n{bad}\n")
        with pytest.raises(UserError, match="line 2: no comparison"):
            read_comparisons(tmp_path / "p.jsonl")
    assert read_comparisons(tmp_path / "none.jsonl") == []


def test_fitted_weights_agree_with_people_and_are_kept_with_their_versions(tmp_path: Path) -> None:
    found = fit(choices(), shipped_weights())
    assert found.agreement >= 0.9
    assert found.weights["receipts"] > 0 > found.weights["problems"]
    file = tmp_path / "weights.yaml"
    assert [write_weights(file, found), write_weights(file, found)] == [2, 3]
    assert read_weights(file) == dict(found.weights)
    assert (tmp_path / "weights-2.yaml").exists()
    with pytest.raises(UserError, match="9 preferences are too few"):
        fit(choices(9), shipped_weights())
    equal = [Comparison(QUESTION, (GOOD, GOOD), 0.5)] * 12
    with pytest.raises(UserError, match="do not differ"):
        fit(equal, shipped_weights())


def test_where_people_choose_at_random_the_fit_says_so() -> None:
    assert fit(choices(60, noise=0.5), shipped_weights()).agreement < 0.75


def test_the_report_finds_agreement_and_biases() -> None:
    report = validate(choices(), [], {})
    assert report.count == 40
    assert report.agreement >= 0.9
    assert report.parts["receipts"][0] == 1.0
    assert 0.2 < report.position < 0.8
    assert sum(bin_.count for bin_ in report.calibration) == 40
    first = [
        Comparison(QUESTION, (GOOD, WRONG), -0.5, "choice", 0),
        Comparison(QUESTION, (WRONG, GOOD), 0.5, "choice", 1),
    ]
    assert validate(first, [], {}).position == 1.0


@pytest.mark.parametrize("score", [-1.0, 1.0])
def test_a_tie_prefers_neither_and_equal_lengths_neither(score: float) -> None:
    report = validate([Comparison(QUESTION, (GOOD, GOOD), score)] * 20, [], {})
    assert report.agreement == 0.5
    assert (report.length, report.length_of_people) == (0.0, 0.0)
    assert [bin_.observed for bin_ in report.calibration] == [0.5]
    assert fit(choices(), {"judge": 1.0}).before == 0.5  # of which no text has any


@pytest.mark.parametrize(
    ("question", "section"),
    [
        (QUESTION, "Not known: Who built it? When did it begin?"),
        (
            QUESTION,
            "Sources disagree: 1 source says 2,850 km, 1 says 2,580 km (a, b)\n\nNot known: Who?",
        ),
        ("Какова длина Дуная?", "Что неизвестно: Кто построил мост?"),
        ("Какова длина Дуная?", "Источники расходятся: 1 source says 2,850 km\n\nЧто неизвестно: Кто?"),
    ],
)
def test_admitting_what_is_not_known_is_no_statement_without_support(question: str, section: str) -> None:
    honest = Side(f"{GOOD.text}\n\n{section}", QUOTES)
    assert honest.candidate(question).claims == GOOD.candidate(question).claims
    assert not any(Comparison(question, (GOOD, honest), 0.5).differences.values())


def test_the_mark_of_a_statement_without_support_is_none_of_its_words() -> None:
    told = Side("The Rhine is cold. (no receipt) The Danube is 2,850 kilometres long. [1]", QUOTES)
    claims = told.candidate(QUESTION).claims
    assert [(claim.text, claim.status) for claim in claims] == [
        ("The Rhine is cold.", "unsupported"),
        ("The Danube is 2,850 kilometres long.", "quoted"),
    ]
    row = Side("| river | length | |\n|---|---|---|\n| Danube | 2,850 kilometres | (no receipt) |", QUOTES)
    assert [claim.text for claim in row.candidate(QUESTION).claims] == ["river: Danube; length: 2,850 kilometres"]


def run(*arguments: str, pressed: str = "") -> str:
    result = CliRunner().invoke(app, list(arguments), input=pressed)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_commands_import_fit_report_and_export(tmp_path: Path) -> None:
    keep(tmp_path / "in.jsonl", choices())
    place = ["--workspace", str(tmp_path / "w")]
    assert "No choices are stored yet" in run("critic", "report", *place)
    assert "40 comparisons imported" in run("compare", "--import", str(tmp_path / "in.jsonl"), *place)
    assert "version 2 of the weights from 40 preferences" in run("compare", "--fit", *place)
    assert json.loads(run("compare", "--fit", "--json", *place))["version"] == 3
    assert "the reward agrees with" in run("critic", "report", *place)
    assert json.loads(run("critic", "report", "--json", *place))["count"] == 40
    run("compare", "--export", str(tmp_path / "out.jsonl"), *place)
    assert read_comparisons(tmp_path / "out.jsonl") == read_comparisons(tmp_path / "in.jsonl")
    result = CliRunner().invoke(app, ["compare", "--import", str(tmp_path / "nothing"), *place])
    assert isinstance(result.exception, UserError)
