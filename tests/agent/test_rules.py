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


PAPER = (
    "The survey of 2019 found that carrion crows in the northern valleys return to the same feeder for years. "
    "Contact the authors at field-station.47@crow-lab.example or under DE89370400440532013000."
)


@pytest.fixture
def with_a_file() -> Rules:
    made = Rules("What did the survey find about crows?")
    made.protect_text(PAPER)
    return made


@pytest.mark.parametrize(
    "text",
    [
        "crows in the northern valleys return to the same feeder",
        "IN THE NORTHERN VALLEYS, return to the same -- feeder!",
        base64.b64encode(b"carrion crows in the northern valleys return to").decode(),
        "who owns DE89370400440532013000",
        "DE89 3704 0044 0532",
        "field-station.47@crow-lab.example",
        base64.b64encode(base64.b64encode(b"DE89370400440532013000")).decode(),
        base64.b32encode(b"DE89370400440532013000").decode(),
        "44 45 38 39 33 37 30 34 30 30 34 34 30 35 33 32",
        "".join(f"&#{ord(letter)};" for letter in "DE89370400440532"),
    ],
)
def test_running_text_of_a_file_and_the_identifiers_in_it_do_not_leave(with_a_file: Rules, text: str) -> None:
    assert with_a_file.is_private(text)
    assert Rules("").is_private(text) is False


@pytest.mark.parametrize(
    "text",
    [
        "crow survey 2019 northern valleys",
        "how long do carrion crows return to a feeder",
        "the same feeder for years",
    ],
)
def test_a_search_about_a_file_may_leave(with_a_file: Rules, text: str) -> None:
    assert not with_a_file.is_private(text)


def test_private_data_does_not_leave_in_pieces() -> None:
    made = rules()
    for piece in ("Clara St", "einb"):
        assert not made.is_private(piece)
        made.note_sent(piece)
    assert made.is_private("ach, Vie")


def test_after_private_data_was_read_the_links_of_pages_lead_only_to_known_hosts() -> None:
    made = Rules("What does https://example.org/a say?")
    made.offer(["https://found.example/1"])
    made.offer(["https://before.example/"], page="https://example.org/a")
    made.protect(Table("select 1", "shop", ("who",), ((CELL,),), 1))
    links = [f"https://{host}/x" for host in ("example.org", "found.example", "before.example", "page.example")]
    made.offer([*links, "https://evil.example/?q=1"], page="https://page.example/")
    assert all(map(made.knows, links))
    assert not made.knows("https://evil.example/?q=1")
    made.offer(["https://evil.example/result"])  # a search has found it
    assert made.knows("https://evil.example/result")


def test_an_address_that_a_person_writes_without_scheme_may_be_opened() -> None:
    made = Rules("See www.example.org/docs, and mail a@www.example.net.")
    assert made.knows("https://www.example.org/docs")
    assert made.knows("http://www.example.org/docs")
    assert not made.knows("http://www.example.net")
