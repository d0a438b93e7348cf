"""What is said when a replay asks for something that was never recorded: the nearest request, and a diff."""

import difflib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from crowquill.agent.render import clean
from crowquill.agent.tape import Key

_LINES = 40
"""Lines of a diff that are shown."""
_COMPARED = 4000
"""Characters by which the similarity of two requests is judged, from each end."""


def describe_miss(run_id: str, key: Key, request: str, recorded: Iterable[tuple[Key, str]]) -> str:
    """Say which effect was asked for, which recorded request of the run is nearest, and how they differ."""
    same_kind = [(other, text) for other, text in recorded if other.kind == key.kind]
    head = f"run {run_id}, {key.lane}: there is no recorded {key.kind} effect number {key.ordinal + 1} for"
    if not same_kind:
        return f"{head} {clean(request[:200])}; the run has none of this kind"
    near = max(same_kind, key=lambda pair: (_likeness(request, pair[1]), pair[0].lane == key.lane))
    if near[1] == request:
        return (
            f"{head} {clean(request[:200])}; the same was recorded at {near[0].lane}, number {near[0].ordinal + 1}"
        )
    lines = list(readable_diff(near[1], request, f"recorded at {near[0].lane}", f"asked for at {key.lane}"))
    more = [f"… {len(lines) - _LINES} more lines"] if len(lines) > _LINES else []
    return "\n".join([f"{head} this request; the nearest recorded one differs so:", *lines[:_LINES], *more])


def readable_diff(before: str, after: str, name_before: str, name_after: str) -> Iterator[str]:
    """Yield a unified diff of two JSON texts, in which each line of a long string is a line of its own."""
    left, right = ([clean(line) for line in _lines(json.loads(text))] for text in (before, after))
    yield from difflib.unified_diff(left, right, name_before, name_after, n=1, lineterm="")


def _lines(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict) and value:
        for name in sorted(value):
            yield from _lines(value[name], f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from _lines(item, f"{path}[{number}]")
    elif isinstance(value, str) and "\n" in value:
        yield f"{path}:"
        yield from (f"    {line}" for line in value.splitlines())
    else:
        yield f"{path}: {json.dumps(value, ensure_ascii=False)}"


def _likeness(left: str, right: str) -> float:
    if left == right:
        return 2.0
    short = [text if len(text) <= 2 * _COMPARED else text[:_COMPARED] + text[-_COMPARED:] for text in (left, right)]
    words = [text.split() for text in short]
    return difflib.SequenceMatcher(None, words[0], words[1], autojunk=False).ratio()
