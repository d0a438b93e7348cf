"""Weights of the memory from settings: the workspace's before the person's, before those that are shipped."""

import os
from pathlib import Path

import pytest

from crowquill.agent.agent import run_in_thread
from crowquill.agent.settings import retrieval_weights
from crowquill.agent.workspace import Workspace
from crowquill.errors import UserError
from crowquill.memory.embed import HashingEmbedder
from crowquill.memory.record import Note, Origin
from crowquill.memory.scoring import Weights


def write(folder: Path, weights: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(f"memory:\n  weights: {weights}\n")


@pytest.fixture
def own() -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"]) / "crowquill"


def test_the_workspace_goes_before_the_person(tmp_path: Path, own: Path) -> None:
    assert retrieval_weights(tmp_path) == Weights()
    write(own, "{recency: 0.3, trust: 0}")
    assert retrieval_weights(tmp_path) == Weights(recency=0.3, trust=0.0)
    write(tmp_path, "{recency: 0, importance: 1}")
    assert retrieval_weights(tmp_path) == Weights(recency=0.0, importance=1.0, trust=0.0)


def test_what_is_recalled_is_weighed_so(tmp_path: Path) -> None:
    write(tmp_path, "{relevance: 0, recency: 0, importance: 0, trust: 1}")
    memory = Workspace(tmp_path, embedder=HashingEmbedder()).memory()
    run_in_thread(memory.store.add([Note("note", "Crows count.")], Origin(trust=0.7)))
    (hit,) = run_in_thread(memory.retriever.search("crows"))
    assert hit.score == hit.parts["trust"] == 0.7
    memory.store.database.close()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("{luck: 1}", r"config\.yaml:2:13: .*luck"),
        ("{trust: -1}", r"config\.yaml:2:\d+: .*greater than or equal to 0"),
        ("{trust: high}", r"config\.yaml:2:\d+: .*number"),
        ("{relevance: 0, recency: 0, importance: 0, trust: 0}", "at least one weight"),
    ],
)
def test_weights_that_cannot_be_used_are_said_in_one_line(tmp_path: Path, weights: str, message: str) -> None:
    write(tmp_path, weights)
    with pytest.raises(UserError, match=message) as raised:
        Workspace(tmp_path).memory()
    assert "\n" not in str(raised.value)
