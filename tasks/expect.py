"""Checks of an answer against the `expect:` of a task file. Answers come as published JSON."""

import re
from collections.abc import Mapping
from typing import Any

from crowquill.tasks.spec import ExpectSpec

_NUMBER = re.compile(r"[-−]?\d[\d,  ]*(?:\.\d+)?")


def failures(expect: ExpectSpec, answer: Mapping[str, Any]) -> list[str]:
    """Return what does not hold, a line each; empty when everything does."""
    found: list[str] = []
    text, short = str(answer["text"]), str(answer["short"])
    if expect.short is not None:
        accepted = [expect.short] if isinstance(expect.short, str) else expect.short
        if _plain(short) not in map(_plain, accepted):
            found.append(f"short answer is {short!r}, expected {' or '.join(map(repr, accepted))}")
    found += [
        f"the answer does not contain {part!r}"
        for part in expect.contains
        if part.casefold() not in text.casefold()
    ]
    if expect.regex is not None and re.search(expect.regex, text) is None:
        found.append(f"the answer does not match /{expect.regex}/")
    if expect.number is not None:
        wanted = expect.number
        if not any(abs(number - wanted.value) <= wanted.tolerance for number in _numbers(short)):
            found.append(f"short answer is {short!r}, expected {wanted.value:g} ± {wanted.tolerance:g}")
    quotes = sum(item["kind"] == "quote" for item in answer["evidence"])
    if quotes < expect.min_quotes:
        found.append(f"{quotes} verified quotes, expected at least {expect.min_quotes}")
    if expect.supported:
        found += [f"no receipt: {claim['text']}" for claim in answer["claims"] if claim["status"] == "unsupported"]
    if expect.stopped is not None and answer["stopped"] != expect.stopped:
        found.append(f"the run ended with {answer['stopped']}, expected {expect.stopped}")
    return found


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")


def _numbers(text: str) -> list[float]:
    return [float(re.sub(r"[,  ]", "", number).replace("−", "-")) for number in _NUMBER.findall(text)]
