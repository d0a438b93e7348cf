"""Where rules come from: a person's settings, made tighter by workspaces and task files, never looser."""

import os
from pathlib import Path

import pytest

from crowquill import Agent, ApprovalRequest, ApprovalRule, Safety, ScriptedModel
from crowquill.agent.approvals import Mode, rule_on
from crowquill.agent.cli.ask import AskOptions
from crowquill.agent.safety import personal_safety, tightened
from crowquill.agent.tasking import Wishes, task_agent
from crowquill.errors import UserError
from crowquill.tasks.load import parse_task
from crowquill.tasks.safety import ApprovalSpec, RestrictingSpec

OWN = """
safety:
  mode: ask
  approvals:
    - {decide: allow, tool: "note_*", args: {folder: "drafts/*"}}
  only_hosts: ["*.example.org", example.org]
  private_egress: true
  seconds: 20
"""


def settings(tmp_path: Path, text: str) -> Path:
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "crowquill"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(text)
    return tmp_path


def test_a_persons_settings_are_read_and_a_flag_wins(tmp_path: Path) -> None:
    settings(tmp_path, OWN)
    safety = personal_safety()
    rule = ApprovalRule("allow", tool="note_*", args={"folder": "drafts/*"})
    assert safety == Safety("ask", (rule,), ("*.example.org", "example.org"), (), True, 20.0)
    assert personal_safety("strict").mode == "strict"


@pytest.mark.parametrize(
    ("own", "added", "mode"),
    [
        (None, None, None),
        (None, "ask", "ask"),
        ("ask", "strict", "strict"),
        ("ask", "auto", "auto"),
        ("auto", "ask", "auto"),
        ("strict", "ask", "strict"),
    ],
)
def test_the_tighter_mode_holds(own: Mode | None, added: Mode | None, mode: Mode | None) -> None:
    assert tightened(Safety(own), RestrictingSpec(mode=added)).mode == mode


def test_what_is_added_comes_first_and_only_restricts() -> None:
    safety = tightened(
        Safety("ask", (ApprovalRule("allow"),), ("*.example.org",), ("bad.example.org",)),
        RestrictingSpec(
            approvals=[ApprovalSpec(decide="deny", tool="post")],
            only_hosts=["news.example.org", "evil.example"],
            deny_hosts=["old.example.org"],
        ),
    )
    assert rule_on(ApprovalRequest("post", "send"), safety, tainted=False).verb == "deny"
    assert rule_on(ApprovalRequest("note", "write"), safety, tainted=False).verb == "allow"
    for host, verb in (
        ("news.example.org", "allow"),
        ("www.example.org", "deny"),
        ("evil.example", "deny"),
        ("bad.example.org", "deny"),
        ("old.example.org", "deny"),
    ):
        assert rule_on(ApprovalRequest("fetch", "read", hosts=(host,)), safety, tainted=False).verb == verb


def test_hosts_that_have_nothing_in_common_leave_none() -> None:
    safety = tightened(Safety(only_hosts=("a.example",)), RestrictingSpec(only_hosts=["b.example"]))
    assert safety.forbids(["a.example"])
    assert safety.forbids(["b.example"])


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("mode: brave", r"t\.yaml:2:1: mode"),
        ("approvals: [{decide: allow}]", r"t\.yaml:2:\d+: approvals\.0\.decide"),
        ("private_egress: true", "unknown key 'private_egress'"),
        ("approvals: [{decide: deny, tool: x, acess: write}]", "did you mean 'access'"),
    ],
)
def test_a_task_file_cannot_loosen(line: str, place: str) -> None:
    with pytest.raises(UserError, match=place):
        parse_task(f"objective: x\n{line}\n", "t.yaml")


def test_a_task_file_and_a_workspace_tighten_the_agent(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "config.yaml").write_text("safety: {deny_hosts: [w.example]}\n")
    text = (
        f"objective: x\nmodel: scripted:{tmp_path}/r.json\nmode: strict\napprovals: [{{decide: deny, tool: t}}]\n"
    )
    spec = parse_task(text, "t")
    (tmp_path / "r.json").write_text("replies: []")
    agent = task_agent(spec, Wishes(), tmp_path / "w")
    assert agent.config.safety == Safety("strict", (ApprovalRule("deny", tool="t"),), (), ("w.example",))
    loose = tmp_path / "w" / "config.yaml"
    loose.write_text("safety: {approvals: [{decide: allow}]}\n")
    with pytest.raises(UserError, match=r"config\.yaml:1:"):
        Agent(model=ScriptedModel([]), workspace=tmp_path / "w")


def test_the_command_line_takes_a_mode_and_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(OWN)
    (tmp_path / "r.json").write_text("replies: []")
    options = AskOptions(model=f"scripted:{tmp_path}/r.json", mode="strict", safety=path, workspace=tmp_path / "w")
    safety = options.agent().config.safety
    assert (safety.mode, safety.seconds, safety.private_egress) == ("strict", 20.0, True)


def test_without_anybody_to_ask_the_mode_is_auto(tmp_path: Path) -> None:
    assert Agent(model=ScriptedModel([]), workspace=tmp_path).config.safety.mode == "auto"
