"""Exports of recorded runs: demonstrations, comparisons, a transcript, and what was spent on what."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from crowquill.agent.answer import Answer
from crowquill.agent.budget import Price
from crowquill.agent.config import RunConfig
from crowquill.agent.models.base import Usage
from crowquill.agent.render import clean, one_line
from crowquill.agent.reuse import was_reused
from crowquill.agent.story import Story, short_action
from crowquill.agent.tape import Effect
from crowquill.memory.evidence import Evidence, Quote, plain_text


def demonstrations(story: Story) -> Iterator[dict[str, Any]]:
    """Yield a line per step, for behaviour cloning: the state as a text, and the action that was taken in it.

    Steps whose action failed are left out.
    """
    for step in story.steps:
        if not step.error:
            yield {
                "schema": 1,
                "run": story.record.id,
                "step": f"{step.lane}/s{step.number}",
                "objective": story.record.objective,
                "task": step.goal,
                "state": step.state,
                "thought": step.thought,
                "action": step.action,
                "status": step.status,
            }


def comparisons(stories: Sequence[Story]) -> Iterator[dict[str, Any]]:
    """Yield a line for each two answers to one objective, in the fields of OpenAI's WebGPT comparisons.

    The scores are half the difference of our rewards, cut off at 1 and of opposite sign; no person has judged.
    Source of the fields: Nakano et al., "WebGPT", arXiv:2112.09332, and its data set `webgpt_comparisons`.
    """
    answered = [(story, story.answer) for story in stories if story.answer is not None and story.answer.claims]
    for (one, first), (other, second) in combinations(answered, 2):
        if one.record.objective == other.record.objective:
            lead = max(-1.0, min(1.0, (first.reward.total - second.reward.total) / 2))
            question = {"dataset": "crowquill", "id": one.record.id, "full_text": one.record.objective}
            sides = {**_side(first, lead, "0"), **_side(second, -lead, "1")}
            yield {"question": question, "runs": [one.record.id, other.record.id], **sides}


def _side(answer: Answer, score: float, number: str) -> dict[str, Any]:
    title = [item.source.title if isinstance(item, Quote) else item.kind for item in answer.evidence]
    quotes = {"title": title, "extract": [plain_text(item) for item in answer.evidence]}
    return {f"quotes_{number}": quotes, f"answer_{number}": answer.text, f"score_{number}": round(score, 4)}


def markdown(story: Story) -> str:
    """Return a plain transcript. What came from outside is escaped: it is text, and no markup."""
    record, answer = story.record, story.answer
    lines = [
        f"# {escape(record.objective)}",
        "",
        f"Run {record.id}, {record.state}, begun {record.created_at}.",
        "",
    ]
    if answer is not None:
        lines += ["## Answer", "", *answer_lines(answer, "## Receipts")]
    lines += ["## Steps", ""]
    for step in story.steps:
        thought = f" — {escape(one_line(step.thought, 300))}" if step.thought else ""
        lines.append(f"- `{step.lane}/s{step.number}` {escape(one_line(short_action(step.action), 300))}{thought}")
        lines.append(f"  - {escape(one_line(step.error or step.status, 300))}")
        lines += [f"  - {_receipt(item)}" for item in step.evidence]
    return "\n".join(lines) + "\n"


def conversation_markdown(answers: Sequence[Answer]) -> str:
    """Return questions and answers with their receipts; what came from outside is escaped."""
    lines: list[str] = []
    for answer in answers:
        lines += [f"# {escape(answer.objective)}", "", *answer_lines(answer, "## Receipts")]
    return "\n".join(lines)


def answer_lines(answer: Answer, heading: str) -> list[str]:
    """Return an answer and its receipts as lines of Markdown."""
    receipts = [f"{number}. {_receipt(item)}" for number, item in enumerate(answer.evidence, 1)]
    return [escape(answer.text), "", heading, "", *receipts, ""]


def _receipt(item: Evidence) -> str:
    if isinstance(item, Quote):
        return f"“{escape(one_line(item.text, 600))}” ({escape(item.source.title)}, {escape(item.source.url)})"
    return escape(one_line(plain_text(item), 600))


def escape(text: str) -> str:
    """Return text from outside as text in Markdown."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#|!" else letter for letter in clean(text))


def spending(story: Story) -> list[dict[str, Any]]:
    """Return what was spent, by role, tool and task.

    Calls, those of them that were answered from a cache, tokens, dollars (None: no price is known), seconds.
    """
    config = RunConfig.from_json(json.loads(story.record.config))
    rows: dict[tuple[str, str], dict[str, Any]] = defaultdict(
        lambda: {"calls": 0, "reused": 0, "prompt": 0, "cached": 0, "completion": 0, "usd": 0.0, "seconds": 0.0}
    )
    for key, effect in story.effects.items():
        if key.kind in ("clock", "random") or effect.response is None:
            continue
        request = json.loads(effect.request)
        usage, price = Usage(), None
        if key.kind == "model":
            usage = Usage(**json.loads(effect.response).get("usage", {})) if effect.status == "done" else Usage()
            price = config.prices.get(request["model"])
        name = request["role"] if key.kind == "model" else request["tool"] if key.kind == "tool" else key.kind
        kind = "role" if key.kind == "model" else "tool"
        for row in (rows[kind, name], rows["task", key.lane.partition("/")[0]], rows["run", "all"]):
            _add(row, usage, price, effect, model=key.kind == "model")
            row["reused"] += was_reused(key, effect)
    return [{"by": by, "name": name, **row} for (by, name), row in sorted(rows.items(), key=lambda item: item[0])]


def _add(row: dict[str, Any], usage: Usage, price: Price | None, effect: Effect, *, model: bool) -> None:
    row["calls"] += 1
    for name in ("prompt", "cached", "completion"):
        row[name] += getattr(usage, name)
    if model:
        row["usd"] = None if price is None or row["usd"] is None else row["usd"] + price.cost(usage)
    row["seconds"] = round(row["seconds"] + (effect.seconds or 0.0), 3)
