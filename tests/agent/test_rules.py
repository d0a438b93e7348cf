"""The egress rules."""

import base64

import pytest

from crowquill.agent.rules import Rules
from crowquill.errors import ToolFailed, ToolRetry
from crowquill.memory.evidence import Table

CELL = "Clara Steinbach, Vienna"


def rules() -> Rules:
    made = Rules("What does https://example.org/a say?")
    made.offer(["https://example.com/page?x=1#part"])
    made.protect(Table("select 1", "shop", ("who",), ((CELL,), (None,), (7,)), 3))
    return made


@pytest.mark.parametrize(
    "url", ["https://example.org/a", "https://example.com/page?x=1", "https://example.com/page?x=1#other"]
)
def test_urls_of_the_user_and_of_pages_are_open(url: str) -> None:
    rules().check_url(url)


@pytest.mark.parametrize(
    "url", ["https://example.org/b", "https://example.com/page?x=2", "http://example.org/a", ""]
)
def test_invented_or_changed_urls_are_not(url: str) -> None:
    with pytest.raises(ToolRetry):
        rules().check_url(url)


@pytest.mark.parametrize(
    "text",
    [
        CELL,
        CELL.upper(),
        CELL.replace(" ", "+"),
        CELL.replace(" ", "%20"),
        CELL[::-1],
        CELL.replace(" ", "  "),
        CELL[3:18],
        "%2520".join(CELL.split(" ")),
        "-".join(CELL),
        CELL.encode().hex(),
        CELL.casefold().encode().hex(),
        "q=" + base64.urlsafe_b64encode(f"xy{CELL}".encode()).decode(),
        base64.b64encode(CELL.casefold().encode()).decode(),
    ],
)
def test_cells_of_a_database_do_not_leave(text: str) -> None:
    with pytest.raises(ToolFailed, match="database"):
        rules().check_outgoing(f"who is {text}?")


def test_other_text_may_leave() -> None:
    rules().check_outgoing("who founded Vienna?")
    rules().check_outgoing("Clara of Vienna")  # parts too short to say whose


def test_what_the_user_has_written_may_leave() -> None:
    made = Rules(f"What is known of {CELL}?")
    made.protect(Table("select 1", "shop", ("who",), ((f"{CELL} and her sister",),), 1))
    made.check_outgoing(f"{CELL} biography")
    made.fork().check_outgoing(CELL)
    with pytest.raises(ToolFailed):
        made.check_outgoing(f"{CELL} and her sister")


def test_a_fork_learns_for_itself_until_it_is_absorbed() -> None:
    parent = Rules("nothing")
    lane = parent.fork()
    lane.offer(["https://example.net/"])
    with pytest.raises(ToolRetry):
        parent.check_url("https://example.net/")
    parent.absorb(lane)
    parent.check_url("https://example.net/")
