"""A small judge is asked yes or no, and its certainty counts."""

import math
from pathlib import Path

import pytest
from tests.support.pages import indexed

from crowquill import Agent, ScriptedModel
from crowquill.agent.critic.judge import chance_of_yes, criteria
from crowquill.agent.models.base import Reply, Usage
from crowquill.agent.models.scripted import ScriptedReply


@pytest.mark.parametrize(
    ("text", "logprob", "chance"),
    [("Yes", math.log(0.8), 0.8), ("No, it", math.log(0.8), 0.2), ("Perhaps", -0.1, 0.5), ("yes", None, 1.0)],
)
def test_the_first_token_answers(text: str, logprob: float | None, chance: float) -> None:
    logprobs = () if logprob is None else (logprob, -5.0)
    assert chance_of_yes(Reply(text, Usage(), logprobs=logprobs)) == pytest.approx(chance)


def test_the_embedded_model_is_asked_in_each_way_and_the_mean_counts(tmp_path: Path) -> None:
    workspace = indexed(tmp_path, {"Lake Tarn": "Lake Tarn is 310 metres deep."}, "lakes")
    reading = {"quotes": [1], "sentence": "Lake Tarn is 310 metres deep.", "answer": "310 metres"}
    asked = criteria("answer")
    says = [ScriptedReply("judge", text=text) for _ in asked for text in ("Yes", "No")]
    judge = ScriptedModel(says, name="local")
    agent = Agent(
        model=ScriptedModel([ScriptedReply("act", json=reading)]),
        models={"judge": judge},
        policy="guided",
        corpora=["lakes"],
        memory=False,
        workspace=workspace,
        select="single,judge=grade",
    )
    answer = agent.ask("How deep is Lake Tarn?")
    assert [grade.value for grade in answer.grades] == [0.0] * len(asked)  # as sure of yes as of no
    assert all(call.schema is None and call.logprobs for call in judge.calls)
    judge.assert_spent()
    workspace.close()
