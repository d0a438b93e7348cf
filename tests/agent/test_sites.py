"""`sites`: nothing outside is fetched, neither by name, by link, by redirect nor ahead of need."""

from pathlib import Path

from tests.support.site import Site

from crowquill import Agent, ScriptedModel
from crowquill.agent.agent import run_in_thread
from crowquill.agent.events import Event, Observed
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.workspace import Workspace
from crowquill.memory.embed import HashingEmbedder


def act(tool: str, **arguments: str) -> ScriptedReply:
    return ScriptedReply("act", json={"thought": "", "action": {"tool": tool, **arguments}})


def test_only_the_listed_sites_are_fetched(tmp_path: Path) -> None:
    with Site() as inside, Site() as outside:
        other = outside.host.replace("127.0.0.1", "localhost")
        inside.page("/start", f"<p>See <a href='http://{other}/secret'>there</a>.</p>")
        inside.redirect("/moved", f"http://{other}/secret")
        outside.page("/secret", "<p>A page of another site.</p>")
        targets = [f"http://{other}/secret", f"http://{inside.host}/start", f"http://{inside.host}/moved"]
        replies = [
            ScriptedReply("plan", json={"tasks": [{"id": "a", "goal": "read", "done_when": "", "needs": []}]}),
            *(act("open", target=url) for url in targets),
            act("give_up", reason="not_found", note=""),
        ]
        agent = Agent(
            model=ScriptedModel(replies),
            policy="json",
            sites=["127.0.0.1"],
            allow_hosts=[inside.host, other],
            workspace=Workspace(tmp_path / "w", embedder=HashingEmbedder()),
        )

        async def observe() -> list[Event]:
            return [event async for event in agent.stream(f"What stands at {' '.join(targets)} ?")]

        seen = [event.error for event in run_in_thread(observe()) if isinstance(event, Observed)]
        assert outside.paths == []
        assert inside.paths == ["/start", "/moved"]
        refused = "refused: only pages of 127.0.0.1 are read in this run"
        assert seen == [refused, "", refused]
