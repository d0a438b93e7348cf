"""Checks of an answer against the `expect:` of a task file. Answers come as published JSON."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import regex

from crowquill.tasks.expect_spec import ExpectSpec, NumberSpec

_NUMBER = re.compile(r"[-−]?\d[\d,  ]*(?:\.\d+)?")
_PATIENCE = 1.0
"""Seconds that a regular expression may search."""
Published = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """One criterion of `expect:` against one answer; `why` says what does not hold, empty when it does."""

    criterion: str
    why: str

    @property
    def held(self) -> bool:
        """Whether the criterion holds."""
        return not self.why


def check(expect: ExpectSpec, answer: Published) -> list[Check]:
    """Return what became of every criterion that is given.

    `answer` is published JSON; what was spent stands in it under `spent` (see `agent.tally`).
    """
    return [Check(name, _CHECKS[name](getattr(expect, name), answer)) for name in expect.criteria]


def failures(expect: ExpectSpec, answer: Published) -> list[str]:
    """Return what does not hold, a line each; empty when everything does."""
    return [result.why for result in check(expect, answer) if not result.held]


def _short(accepted: str | list[str], answer: Published) -> str:
    wanted = [accepted] if isinstance(accepted, str) else accepted
    if _plain(answer["short"]) in map(_plain, wanted):
        return ""
    return f"short answer is {answer['short']!r}, expected {' or '.join(map(repr, wanted))}"


def _contains(parts: list[str], answer: Published) -> str:
    missing = [part for part in parts if part.casefold() not in _said(answer)]
    return f"the answer does not contain {', '.join(map(repr, missing))}" if missing else ""


def _lacks(parts: list[str], answer: Published) -> str:
    there = [part for part in parts if part.casefold() in _said(answer)]
    return f"the answer contains {', '.join(map(repr, there))}" if there else ""


def _regex(pattern: str, answer: Published) -> str:
    try:
        found = regex.search(pattern, str(answer["text"]), timeout=_PATIENCE)
    except TimeoutError:
        return f"/{pattern}/ searched for more than {_PATIENCE:g} s: write it without nested repetitions"
    return "" if found is not None else f"the answer does not match /{pattern}/"


def _number(wanted: NumberSpec, answer: Published) -> str:
    value = float(wanted.value)
    if any(abs(number - value) <= wanted.tolerance for number in _numbers(str(answer["short"]))):
        return ""
    return f"short answer is {answer['short']!r}, expected {value:g} ± {wanted.tolerance:g}"


def _rows(rows: Sequence[Sequence[Any]], answer: Published) -> str:
    wanted = Counter(tuple(map(_cell, row)) for row in rows)
    tables = [item["rows"] for item in answer["evidence"] if item["kind"] == "table"]
    output = answer.get("output") or {}
    if output.get("format") == "csv":
        tables.append([[*row.values()] for row in output["data"]["rows"]])
    found = [Counter(tuple(map(_cell, row)) for row in table) for table in tables]
    if wanted in found:
        return ""
    if not found:
        return "the answer rests on no query result"
    lacking, extra = wanted - found[-1], found[-1] - wanted
    return f"the rows differ: {_few(lacking)} missing, {_few(extra)} not expected"


def _few(rows: "Counter[tuple[str, ...]]") -> str:
    shown = [" | ".join(row) for row in list(rows.elements())[:3]]
    return f"{rows.total()} ({'; '.join(shown)})" if shown else "none"


def _cell(value: Any) -> str:
    """Return a cell as it is compared: 3 and 3.0 are equal, and so are texts but for case and spaces."""
    if isinstance(value, bool) or value is None:
        return str(value)
    try:
        return f"{float(str(value).replace(',', '')):.6g}"
    except ValueError:
        return _plain(str(value))


def _data(wanted: Any, answer: Published) -> str:
    output = answer.get("output") or {}
    where = _difference(wanted, output.get("data"), "")
    return f"the output differs at {where}" if where else ""


def _difference(wanted: Any, found: Any, at: str) -> str:
    """Return where found lacks something wanted: every key of an object, lists and values as they are."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        places = (_difference(part, found.get(key), f"{at}/{key}") for key, part in wanted.items())
        return next((place for place in places if place), "")
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        places = (_difference(*pair, f"{at}/{index}") for index, pair in enumerate(zip(wanted, found, strict=True)))
        return next((place for place in places if place), "")
    same = wanted == found if isinstance(wanted, dict | list) else _cell(wanted) == _cell(found)
    return "" if same else f"{at or '/'}: expected {wanted!r}, found {found!r}"


def _min_quotes(least: int, answer: Published) -> str:
    quotes = sum(item["kind"] == "quote" for item in answer["evidence"])
    return "" if quotes >= least else f"{quotes} verified quotes, expected at least {least}"


def _min_sources(least: int, answer: Published) -> str:
    pages = len({source["url"] for source in answer["sources"]})
    return "" if pages >= least else f"{pages} pages are cited, expected at least {least}"


def _cited_hosts(hosts: list[str], answer: Published) -> str:
    cited = {_host(source["url"]) for source in answer["sources"]}
    missing = [host for host in hosts if host.casefold() not in cited]
    return f"no citation of {', '.join(missing)}; cited: {', '.join(sorted(cited)) or 'none'}" if missing else ""


def _host(url: str) -> str:
    """Return the host of a URL; of a page of a corpus (`corpus:NAME/page.html`), the corpus."""
    scheme, _, rest = url.partition(":")
    return rest.partition("/")[0].casefold() if scheme == "corpus" else (urlsplit(url).hostname or "")


def _supported(_: bool, answer: Published) -> str:
    unsupported = [claim["text"] for claim in answer["claims"] if claim["status"] == "unsupported"]
    return "; ".join(f"no receipt: {text}" for text in unsupported)


def _stopped(wanted: str, answer: Published) -> str:
    return "" if answer["stopped"] == wanted else f"the run ended with {answer['stopped']}, expected {wanted}"


def _not_found(_: bool, answer: Published) -> str:
    return _stopped("not_found", answer)


def _tools(wanted: list[str], answer: Published) -> str:
    missing = [name for name in wanted if not answer["spent"]["tools"].get(name)]
    return f"not used: {', '.join(missing)}" if missing else ""


def _not_tools(unwanted: list[str], answer: Published) -> str:
    used = [name for name in unwanted if answer["spent"]["tools"].get(name)]
    return f"used: {', '.join(used)}" if used else ""


def _most(what: str, unit: str) -> Callable[[float, Published], str]:
    def checked(most: float, answer: Published) -> str:
        spent = answer["spent"][what]
        if spent is None:
            return f"what was spent in {unit} is not known"
        return "" if spent <= most else f"{spent:g} {unit} were spent, expected at most {most:g}"

    return checked


def _min_reward(least: float, answer: Published) -> str:
    total = answer["reward"]["total"]
    return "" if total >= least else f"the score is {total:g}, expected at least {least:g}"


def _judge(least: float, answer: Published) -> str:
    grades = [grade["value"] for grade in answer["grades"]]
    if not grades:
        return "no model has judged the answer: critic: {judge: gold} asks for it"
    mean = sum(grades) / len(grades)
    return "" if mean >= least else f"the judge gives {mean:.2f}, expected at least {least:g}"


_CHECKS: Mapping[str, Callable[[Any, Published], str]] = {
    "short": _short,
    "contains": _contains,
    "lacks": _lacks,
    "regex": _regex,
    "number": _number,
    "rows": _rows,
    "data": _data,
    "min_quotes": _min_quotes,
    "min_sources": _min_sources,
    "cited_hosts": _cited_hosts,
    "supported": _supported,
    "stopped": _stopped,
    "not_found": _not_found,
    "tools": _tools,
    "not_tools": _not_tools,
    "max_steps": _most("steps", "steps"),
    "max_tokens": _most("tokens", "tokens"),
    "max_usd": _most("usd", "dollars"),
    "max_seconds": _most("seconds", "seconds"),
    "judge": _judge,
    "min_reward": _min_reward,
}


def _said(answer: Published) -> str:
    return str(answer["text"]).casefold()


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")


def _numbers(text: str) -> list[float]:
    return [float(re.sub(r"[,  ]", "", number).replace("−", "-")) for number in _NUMBER.findall(text)]
