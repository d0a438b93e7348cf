"""Text from outside reaches a terminal as text: no control, no colour, no link of its own, no reversed reading."""

import random
from io import StringIO

import pytest
from rich.console import Console

from crowquill.agent.answer import Accept, Answer, Claim, Reward
from crowquill.agent.cli.live import LiveView
from crowquill.agent.cli.view import answer_view, describe
from crowquill.agent.config import RunConfig
from crowquill.agent.events import (
    Acted,
    Decided,
    Event,
    EvidenceFound,
    Noticed,
    Observed,
    Planned,
    Progress,
    RunFinished,
)
from crowquill.agent.models.base import Usage
from crowquill.memory.clock import SystemClock
from crowquill.memory.evidence import Quote, Receipt, Source, Table
from crowquill.tasks.task import Task

PIECES = [
    *(
        "\x1b[31m",
        "\x1b[2J",
        "\x1b]8;;http://evil.example\x07",
        "\x1b]0;title\x07",
        "\x1b]52;c;ZXZpbA==\x07",
        "\x9b1m",
    ),
    *("\x07", "\x08\x08\x08", "\r", "\x00", "\x7f", "\u202e", "\u2066", "\u200b", "\ufeff", "\U000e0041", "\u2028"),
    *("[bold red]", "[link=http://evil.example]x[/link]", "crow", "Ω", " ", "\n", "\t"),
]


def hostile(seed: int) -> str:
    draw = random.Random(seed)
    return "".join(draw.choices(PIECES, k=draw.randint(3, 12)))


def events(text: str) -> list[Event]:
    source = Source(f"https://x.example/{text}", text, "2026-01-01", "0" * 64)
    quote = Quote(text, source, 0, len(text), (1, 1))
    table = Table(f"select '{text}'", text, (text,), ((text,),), 1)
    receipts = (Receipt(quote),)
    answer = Answer(
        text=text,
        short=text,
        claims=(Claim(text, receipts, "quoted", text),),
        sources=(source,),
        reward=Reward(1.0, ()),
        verdict=Accept(),
        evidence=(quote, table),
        usage=Usage(),
        seconds=1.0,
        stopped="answered",
        run_id="r",
        objective=text,
    )
    return [
        Planned((Task("t1", text),)),
        Acted(1, text, {"query": text}, text),
        Decided(1, text, "send", {"to": text}, allowed=False, by="person", why=text, effect=text),
        Observed(1, text, text, text),
        EvidenceFound(quote),
        EvidenceFound(table),
        Noticed(text),
        Progress("reading", text),
        RunFinished(answer, "answered"),
    ]


def controls(shown: str) -> list[str]:
    return [
        letter
        for letter in shown
        if (ord(letter) < 32 and letter not in "\n\t") or letter in "\x7f\x9b\u202e\u2066\u200b"
    ]


@pytest.mark.parametrize("seeds", [range(8), pytest.param(range(8, 200), marks=pytest.mark.slow)])
def test_hostile_strings_bring_no_control_character_to_a_terminal(seeds: range) -> None:
    for seed in seeds:
        out = StringIO()
        console = Console(file=out, width=100, color_system=None, force_terminal=False)
        view = LiveView(RunConfig({}, "json"), SystemClock())
        for event in events(hostile(seed)):
            view.on(event)
            console.print(view)
            if (line := describe(event)) is not None:
                console.print(line, markup=False)
            if isinstance(event, RunFinished):
                console.print(*answer_view(event.answer, wrapped=True))
        assert controls(out.getvalue()) == [], seed


def test_of_a_reply_that_is_being_written_the_end_is_shown() -> None:
    out = StringIO()
    console = Console(file=out, width=40, color_system=None, force_terminal=False)
    view = LiveView(RunConfig({}, "json"), SystemClock())
    view.on(Progress("reading", "One thing after another was said, and at last 河川"))
    console.print(view)
    assert "and at last 河川" in out.getvalue()
    assert "One thing" not in out.getvalue()
    view.on(Progress("reading"))
    out.truncate(0)
    console.print(view)
    assert "at last" not in out.getvalue()
