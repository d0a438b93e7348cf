"""The ten example tasks, whole, with their own expectations: over the pocket web, the pocket shop, a loopback site.

The model is a script, so this shows that the tasks can be worked off and that their outputs and checks are right;
what the embedded model makes of them stands in docs/examples.md.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.site import Site

from crowquill import ScriptedModel
from crowquill.agent.agent import run_in_thread
from crowquill.agent.answer import Answer
from crowquill.agent.models.scripted import ScriptedReply
from crowquill.agent.replay import replay
from crowquill.agent.tasking import Wishes, load_cases, published, task_agent
from crowquill.agent.workspace import Workspace
from crowquill.agent.written import as_csv, as_markdown
from crowquill.memory.embed import HashingEmbedder
from crowquill.tasks.expect import failures

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pocket web, indexed once."""
    place = Workspace(tmp_path_factory.mktemp("workspace"), embedder=HashingEmbedder())
    place.corpus("pocket")
    place.close()
    return place.path


@pytest.fixture
def workspace(indexed: Path, tmp_path: Path) -> Iterator[Workspace]:
    place = Workspace(tmp_path / "w", embedder=HashingEmbedder())
    place.path.mkdir()
    (place.path / "corpora").symlink_to(indexed / "corpora")
    yield place
    place.close()


def act(tool: str, **arguments: Any) -> ScriptedReply:
    return ScriptedReply("act", json={"thought": "", "action": {"tool": tool, **arguments}})


def read(page: str, *quotes: str) -> list[ScriptedReply]:
    """Open a page of the pocket web and quote from it."""
    return [act("open", target=f"corpus:pocket/{page}.html"), *(act("quote", text=text) for text in quotes)]


def answer(short: str, *claims: tuple[str, int]) -> ScriptedReply:
    return act("answer", short=short, claims=[{"text": text, "cites": [number]} for text, number in claims])


def fill(data: Any) -> ScriptedReply:
    return ScriptedReply("write", json=data)


PLAN = ScriptedReply("plan", json={"tasks": [{"id": "t1", "goal": "Do it", "done_when": "", "needs": []}]})
TWIGS = "In 2016 researchers reported that wild New Caledonian crows also bend twigs when they make tools."
BETTY = "In 2002 a New Caledonian crow named Betty bent a wire into a hook at the University of Oxford."
SAVED = "In 2017 Can Kabadayi and Mathias Osvath of Lund University showed that common ravens save a tool"
NORTH_SEA = "Three of the seven rivers flow into the North Sea: the Rhine, the Elbe and the Thames."
DANUBE = "The Danube is 2,850 kilometres long."
RIVERS = (
    "Volga | 3,530 | Valdai Hills, Russia | Caspian Sea",
    "Danube | 2,850 | Black Forest, Germany | Black Sea",
    "Rhine | 1,230 | Alps, Switzerland | North Sea",
)

SCRIPTS: dict[str, list[ScriptedReply]] = {
    "literature-check": [
        act("search", query="New Caledonian crows bend twigs"),
        *read("crow-intelligence", TWIGS),
        answer("yes", (TWIGS, 1)),
        fill({"verdict": "supported", "for": [TWIGS], "against": []}),
    ],
    "fact-check": [
        act("search", query="length of the Danube"),
        *read("danube", DANUBE),
        *read("tower-bridge", "Tower Bridge was opened on 30 June 1894."),
        *read(
            "rivers-compared",
            "Three of the seven rivers flow into the North Sea: the Rhine, the Elbe and the Thames.",
        ),
        answer(
            "2 confirmed, 1 contradicted",
            (DANUBE, 1),
            ("Tower Bridge was opened on 30 June 1894.", 2),
            ("The Rhine flows into the North Sea.", 3),
        ),
        fill(
            {
                "claims": [
                    {"claim": DANUBE, "verdict": "confirmed", "source_says": DANUBE},
                    {
                        "claim": "Tower Bridge was opened in 1892.",
                        "verdict": "contradicted",
                        "source_says": "Tower Bridge was opened on 30 June 1894.",
                    },
                    {
                        "claim": "The Rhine flows into the North Sea.",
                        "verdict": "confirmed",
                        "source_says": "Three of the seven rivers flow into the North Sea",
                    },
                ]
            }
        ),
    ],
    "watch": [
        act("search", query="length of the Danube"),
        *read("danube", DANUBE),
        answer("2,850", (DANUBE, 1)),
    ],
    "csv-question": [
        act("sql", query="SELECT category, sum(amount) AS total FROM expenses GROUP BY category ORDER BY category"),
        answer("books 68, paper 40.5, travel 303.9", ("The total for books is 68.0.", 1)),
    ],
    "homework": [
        act("math", expression="17% of 2340"),
        act("math", expression="solve x^2 - 5x + 6 = 0"),
        act("math", expression="3/4 + 1/6"),
        answer("2 of 3 are right", ("17% of 2340 is 397.8.", 1)),
        fill(
            {
                "exercises": [
                    {"exercise": "17% of 2340", "given": "397.8", "verdict": "right", "result": "397.8"},
                    {"exercise": "x^2 - 5x + 6", "given": "2 and 4", "verdict": "wrong", "result": "x = 2, x = 3"},
                    {"exercise": "3/4 + 1/6", "given": "11/12", "verdict": "right", "result": "11/12"},
                ]
            }
        ),
    ],
    "glossary": [
        act("search", query="quill pen"),
        *read("quill-pen", "A quill pen is a pen made from the feather of a large bird."),
        *read("quill-pen", "Iron gall ink is made from oak galls, iron salt, water and gum."),
        *read("crow-intelligence", "The pallium, the upper part of the brain, does similar work."),
        answer(
            "quill pen, iron gall ink, pallium",
            ("A quill pen is a pen made from the feather of a large bird.", 1),
            ("Iron gall ink is made from oak galls, iron salt, water and gum.", 2),
        ),
        fill(
            {
                "rows": [
                    {"term": "quill pen", "meaning": "a pen made from the feather of a large bird"},
                    {"term": "iron gall ink", "meaning": "made from oak galls, iron salt, water and gum"},
                    {"term": "pallium", "meaning": "the upper part of the brain"},
                ]
            }
        ),
    ],
    "comparison": [
        act("search", query="rivers compared"),
        act("open", target="corpus:pocket/rivers-compared.html"),
        *(act("find", text=river.partition(" ")[0]) for river in RIVERS[:1]),
        *(act("quote", text=river) for river in RIVERS),
        answer("Volga", ("The Volga is 3,530 km long.", 1)),
        fill(
            {
                "rows": [
                    {"name": "Danube", "length in km": "2,850", "flows into": "Black Sea"},
                    {"name": "Rhine", "length in km": "1,230", "flows into": "North Sea"},
                    {"name": "Volga", "length in km": "3,530", "flows into": "Caspian Sea"},
                ]
            }
        ),
    ],
    "digest": [
        act("search", query="tool use of crows"),
        *read("crow-intelligence", BETTY, SAVED),
        answer("Crows make and save tools", (BETTY, 1), (SAVED, 2)),
    ],
    "travel": [
        act("search", query="Vienna"),
        *read("vienna", "Vienna stands on the Danube.", "About two million people live in Vienna."),
        *read("vienna", "Schönbrunn, once the summer palace of the emperors."),
        answer("the Danube", ("Vienna stands on the Danube.", 1), ("About two million people live in Vienna.", 2)),
        fill({"river": "Danube", "people": "about two million", "sights": ["Schönbrunn"]}),
    ],
}


def run(
    name: str, script: list[ScriptedReply], workspace: Workspace, **wishes: Any
) -> tuple[Answer, dict[str, Any]]:
    """Run an example, check what it expects, play it again without model, and return what came out."""
    [case] = load_cases(EXAMPLES / f"{name}.yaml", {})
    model = ScriptedModel([PLAN, *script])
    agent = task_agent(case.spec, Wishes(find=lambda spec: model, **wishes), workspace)
    found = agent.ask(case.spec.objective)
    result = published(workspace, found)
    assert case.spec.expect is not None
    assert failures(case.spec.expect, result) == [], found.text
    model.assert_spent()
    assert run_in_thread(replay(workspace, found.run_id)) > 4
    return found, result


_WORKERS = ("csv-question", "homework")
"""Examples that start processes, which takes a while."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in _WORKERS)) for name in SCRIPTS]
)
def test_an_example_gives_what_it_expects(name: str, workspace: Workspace) -> None:
    found, result = run(name, SCRIPTS[name], workspace)
    output = result["output"]
    if output is not None:
        assert output["missing"] == []
    if name == "comparison":
        assert found.output is not None
        table = as_csv(found.output, ("name", "length in km", "flows into"), found.evidence).splitlines()
        assert table[0] == "name,name (source),length in km,length in km (source),flows into,flows into (source)"
        assert all(line.count("corpus:pocket/rivers-compared.html line ") == 3 for line in table[1:])
    if name == "digest":
        assert "[1] In 2017" in as_markdown(found)


@pytest.mark.slow
def test_a_company_brief_reads_the_database_and_the_web_and_keeps_them_apart(workspace: Workspace) -> None:
    with Site() as site:
        url = site.page("/news", "<title>News</title><p>Papierhaus Grün in Dresden has opened a second shop.</p>")
        hits = {"results": [{"url": url, "title": "News", "content": "Papierhaus Grün"}]}
        site.page("*", json.dumps(hits), "application/json")
        orders = (
            "SELECT count(*) AS orders, max(ordered_on) AS last FROM orders JOIN customers "
            "ON customers.id = orders.customer_id WHERE customers.name = 'Papierhaus Grün'"
        )
        script = [
            act("sql", query=orders),
            act("search", query="Papierhaus Grün"),
            act("open", target=url),
            act("quote", text="Papierhaus Grün in Dresden has opened a second shop."),
            answer(
                "a customer with a second shop",
                ("Papierhaus Grün in Dresden has opened a second shop.", 2),
                ("The last order of Papierhaus Grün was on LAST.", 1),
            ),
        ]
        place = workspace.database_url("pocket")
        assert place.startswith("sqlite:///")
        found, result = run(
            "company-brief", script, workspace, search=(f"searxng:http://{site.host}",), allow_hosts=(site.host,)
        )
        assert {item["kind"] for item in result["evidence"]} == {"quote", "table"}
        assert "second shop. [" in as_markdown(found)


def test_every_example_is_tried() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.yaml")} == {*SCRIPTS, "company-brief"}
