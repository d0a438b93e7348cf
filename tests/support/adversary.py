"""A model that does its worst: it invents tools, repeats itself, spawns tasks, never answers, answers at once, and
says what cannot be read. What it says follows from its seed alone.
"""

import json
import random
from collections.abc import Mapping
from typing import Any

from crowquill.agent.models.base import Reply, Request
from crowquill.agent.models.reply import estimate_usage, finish_reply
from crowquill.errors import ModelError, ModelFault

HABITS = ("valid", "invents", "repeats", "spawns", "never answers", "answers at once", "garbage", "fails")
GARBAGE = (
    *(
        "",
        " ",
        "null",
        "[]",
        "{}",
        '{"thought": "x", "action": ',
        "```json\n{}\n```",
        "NaN",
        "<think>hm",
        "\0\ud800",
    ),
    '{"thought": "a", "thought": "b", "action": {"tool": "answer"}}',
    '{"action": {"tool": "answer", "short": NaN}}',
    "[" * 2000,
    "I'd rather not. " * 300,
)
FAULTS: tuple[ModelFault, ...] = ("context", "refusal", "length", "fatal", "malformed", "transient", "rate")
GOALS = ("Find the length of the Aske", "find: the length, of the Aske!", "Find where it rises", "x", "", "Ponder")


class Adversary:
    """Has one to three of `HABITS`, drawn from the seed; implements `Model`."""

    slots = 8
    context_tokens = 32_768
    name = "adversary"

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        self.habits = self._draw.sample(HABITS, self._draw.randint(1, 3))
        self.calls = 0
        self._said: dict[str, str] = {}

    async def complete(self, request: Request) -> Reply:
        """Answer as one of the habits has it. Raises ModelError."""
        self.calls += 1
        habit = self._draw.choice(self.habits)
        if habit == "fails":
            raise ModelError("scripted fault", kind=self._draw.choice(FAULTS))
        text = self._text(habit, request)
        usage = estimate_usage(request.messages, text)
        return finish_reply(request, text=text[: 4 * request.max_tokens], usage=usage, finish="stop")

    def _text(self, habit: str, request: Request) -> str:
        if habit == "garbage":
            return self._draw.choice(GARBAGE)
        if habit == "repeats" and request.role in self._said:
            return self._said[request.role]
        value = self._value(request.schema if request.schema is not None else {"type": "object"})
        if habit == "spawns" and isinstance(value, dict):
            value |= {name: self._spawn() for name in ("tasks", "add") if name in value}
        if habit == "invents" and isinstance(value.get("action"), dict):
            value["action"] = {"tool": self._draw.choice(["format_disk", "Search", "quote "]), "path": "/"}
        if habit in ("never answers", "answers at once") and isinstance(value.get("action"), dict):
            value["action"] = self._endings(habit, request, value["action"])
        self._said[request.role] = json.dumps(value)
        return self._said[request.role]

    def _spawn(self) -> list[dict[str, Any]]:
        names = [f"n{number}" for number in range(self._draw.choice([1, 3, 37]))]
        return [
            {
                "id": self._draw.choice(names),
                "goal": self._draw.choice(GOALS) + self._draw.choice(["", f" #E{self._draw.randint(0, 40)}"]),
                "done_when": self._draw.choice(["", "known"]),
                "needs": self._draw.sample(names, min(2, len(names))),
                "split": self._draw.random() < 0.3,
            }
            for _ in names
        ]

    def _endings(self, habit: str, request: Request, action: dict[str, Any]) -> dict[str, Any]:
        choices = request.schema["properties"]["action"]["anyOf"] if request.schema is not None else []
        wanted = [
            choice
            for choice in choices
            if (choice["properties"]["tool"]["const"] in ("answer", "give_up")) == (habit == "answers at once")
        ]
        return self._value(self._draw.choice(wanted)) if wanted else action

    def _value(self, schema: Mapping[str, Any]) -> Any:
        """Return something at random that fits the schema."""
        draw = self._draw
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return draw.choice(schema["enum"])
        if "anyOf" in schema:
            return self._value(draw.choice(schema["anyOf"]))
        match schema.get("type"):
            case "object":
                required = schema.get("required", ())
                parts = schema.get("properties", {}).items()
                return {key: self._value(part) for key, part in parts if key in required or draw.random() < 0.5}
            case "array":
                count = draw.randint(schema.get("minItems", 0), min(schema.get("maxItems", 3), 3))
                return [self._value(schema.get("items", {"type": "string"})) for _ in range(count)]
            case "integer" | "number":
                return draw.randint(-3, 40)
            case "boolean":
                return draw.random() < 0.5
            case _:
                return draw.choice(["Aske", "1", "2-3", "6*7", "How long?", "t1", "SELECT 1", "\u202e", "a" * 60])

    async def warm(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""
