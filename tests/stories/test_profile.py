"""Runs with a profile, which says how to work and by which means."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.pages import indexed

from crowquill import Agent, ScriptedModel
from crowquill.agent.agent import run_in_thread
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError
from crowquill.tasks.profile import Profile

PAGES = {"River Aske": "The River Aske is 212 kilometres long. It rises in the Fells."}
PLAN = ScriptedReply("plan", json={"tasks": [{"id": "a", "goal": "Find it", "done_when": "known", "needs": []}]})
CLAIM = {"text": "212 - 12 = 200", "cites": [1]}


def act(tool: str, match: str | None = None, **arguments: object) -> ScriptedReply:
    return ScriptedReply("act", json={"thought": "", "action": {"tool": tool, **arguments}}, match=match)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = indexed(tmp_path, PAGES, "rivers")
    yield place
    place.close()


def test_a_profile_is_in_the_prompts_and_narrows_the_tools(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "know"
    folder.mkdir()
    (folder / "mill.md").write_text("# The mill\n\nThe mill of Aske has four wheels.\n")
    profile = Profile(
        name="Miller", rules=("Count wheels.",), knowledge=str(folder), tools=("search", "open", "quote")
    )
    model = ScriptedModel(
        [
            PLAN,
            act("search", query="mill of Aske wheels"),
            act("open", target="1"),
            act("quote", text="The mill of Aske has four wheels."),
            act("answer", short="four", claims=[{"text": "The mill of Aske has four wheels.", "cites": [1]}]),
        ]
    )
    agent = Agent(model=model, policy="json", memory=False, workspace=workspace, profile=profile)
    answer = agent.ask("How many wheels has the mill of Aske?")
    assert (answer.short, answer.stopped) == ("four", "answered")
    assert all("- Count wheels." in call.messages[0].content for call in model.calls)
    assert "- math(" not in model.calls[1].messages[0].content
    assert run_in_thread(replay(workspace, answer.run_id)) > 5


def test_a_profile_that_names_no_tool_or_folder_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    for profile, problem in (
        (Profile(name="A", tools=("serch",)), "allows 'serch', and no tool"),
        (Profile(name="A", knowledge=str(tmp_path / "none")), "is not there"),
    ):
        with pytest.raises(UserError, match=problem):
            Agent(model=ScriptedModel([]), workspace=workspace, profile=profile).ask("What?")
