"""The checks against 386 labelled statements: what they catch, what they flag wrongly, beside one judge's call.

    python bench/critic.py [--wrong [--all]] [--judge local] [--minutes 12]

The set (bench/critic_claims.yaml, English and Russian) was written for this; one statement per page is given a
citation that does not exist. Thresholds are set on every second page (tune); the others are held out. Recall of a
class: how many of its statements are flagged at all. Precision: how many of those flagged as of this class are
wrong statements. `--wrong` lists what went wrong, `--judge` also asks a model, once a statement, whether the
evidence supports it.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import Results, mean
from ruamel.yaml import YAML

from crowquill.agent.answer import Claim, DraftClaim
from crowquill.agent.critic.checks import check_claim, claim_faults
from crowquill.agent.models.base import Message, Request
from crowquill.agent.models.resolve import resolve
from crowquill.errors import ModelError
from crowquill.memory.evidence import Quote, Source, digest

CLASSES = ("number", "unit", "citation", "negation", "entity", "misread", "contradicted", "added")
KINDS = {
    "number": {"number", "date"},
    "unit": {"unit"},
    "citation": {"citation"},
    "negation": {"negation"},
    "entity": {"name"},
    "misread": {"pairing", "order"},
    "contradicted": {"opposite"},
    "added": {"added"},
}
OBJECTIVE = "Tell me about it."


@dataclass(frozen=True)
class Pair:
    """A statement with its evidence and its label."""

    page: int
    language: str
    evidence: tuple[Quote, ...]
    statement: str
    label: str

    @property
    def draft(self) -> DraftClaim:
        cites = tuple(range(1, len(self.evidence) + 1))
        return DraftClaim(self.statement, (*cites, len(cites) + 7) if self.label == "citation" else cites)

    @property
    def held_out(self) -> bool:
        return self.page % 2 == 1


def read_pairs() -> list[Pair]:
    """Return the labelled set."""
    pages = YAML(typ="safe", pure=True).load(Path(__file__).with_name("critic_claims.yaml").read_text("utf-8"))
    pairs = []
    for number, page in enumerate(pages):
        source = Source(f"corpus:bench/{number}", page["title"], "2026-01-01", digest(page["title"]), "corpus")
        evidence = tuple(Quote(text, source, 0, len(text), (at, at)) for at, text in enumerate(page["evidence"], 1))
        claims = [*page["claims"], ["citation", page["claims"][0][1]]]
        pairs += [Pair(number, page["lang"], evidence, text, label) for label, text in claims]
    return pairs


def flagged(claim: Claim) -> bool:
    """Say whether anything is shown as wrong with a claim."""
    return claim.status == "unsupported" or bool(claim.problem)


def table(name: str, pairs: Sequence[Pair]) -> None:
    """Print recall and precision per class, of code alone."""
    found = [(pair, check_claim(pair.draft, pair.evidence, OBJECTIVE)) for pair in pairs]
    kinds = {id(pair): claim_faults(pair.draft, pair.evidence, OBJECTIVE) for pair in pairs}
    print(f"\n{name}: {len(pairs)} statements")
    for label in CLASSES:
        own = [flagged(claim) for pair, claim in found if pair.label == label]
        called = [pair for pair in pairs if {fault.kind for fault in kinds[id(pair)]} & KINDS[label]]
        wrong = [pair.label != "supported" for pair in called]
        exact = [pair.label == label for pair in called]
        print(
            f"  {label:<13} recall {mean(own):.3f} of {len(own):<3}  precision {mean(wrong):.3f} of {len(wrong):<3}"
            f"  of just this class {mean(exact):.3f}"
        )
    good = [flagged(claim) for pair, claim in found if pair.label == "supported"]
    every = [pair.label != "supported" for pair, claim in found if flagged(claim)]
    print(f"  supported     flagged wrongly {sum(good)} of {len(good)}; precision of all flags {mean(every):.3f}")


def mistakes(pairs: Sequence[Pair]) -> None:
    """List what went wrong."""
    for pair in pairs:
        claim = check_claim(pair.draft, pair.evidence, OBJECTIVE)
        if flagged(claim) != (pair.label != "supported"):
            said = claim.problem if claim.problem else claim.status
            half = "held out" if pair.held_out else "tune"
            print(f"  [{half}] {pair.label}: {pair.statement} — {said}")


async def judged(pairs: Sequence[Pair], name: str, minutes: float) -> None:
    """Ask a model once a statement, and print how it does beside the code on the same statements."""
    results, model, end = Results(f"critic-judge-{name}"), resolve(name), time.monotonic() + minutes * 60
    asked: list[tuple[Pair, bool, bool]] = []
    schema = {
        "type": "object",
        "properties": {"supported": {"enum": ["yes", "no"]}},
        "required": ["supported"],
        "additionalProperties": False,
    }
    order = sorted(pairs, key=lambda pair: digest(f"{pair.page} {pair.label} {pair.statement}"))
    try:
        for pair in (pair for pair in order if pair.label != "citation"):
            row = results.get(f"{pair.page} {pair.statement}")
            if row is None and time.monotonic() > end:
                continue
            if row is None:
                text = "\n".join(quote.text for quote in pair.evidence)
                user = f"{text}\n\nStatement: {pair.statement}\nDo the quotes support the statement?"
                messages = (Message("system", "You check statements against quotes."), Message("user", user))
                try:
                    reply = await model.complete(Request("judge", messages, 20, schema))
                except ModelError as error:
                    print(f"  {error}")
                    continue
                said = reply.parsed is not None and reply.parsed["supported"] == "no"
                row = results.keep(f"{pair.page} {pair.statement}", {"flagged": said})
            claim = check_claim(pair.draft, pair.evidence, OBJECTIVE)
            asked.append((pair, flagged(claim), bool(row["flagged"])))
    finally:
        await model.close()
    print(f"\none call of {name} beside the code, on the same {len(asked)} statements")
    for way, at in (("code", 1), ("judge", 2)):
        caught = [row[at] for row in asked if row[0].label != "supported"]
        false = [row[at] for row in asked if row[0].label == "supported"]
        hits = sum(caught) / max(sum(caught) + sum(false), 1)
        wrongly = f"wrongly flagged {sum(false)} of {len(false)}"
        print(f"  {way:<6} recall {mean(caught):.3f}  precision {hits:.3f}  {wrongly}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrong", action="store_true", help="list the mistakes on the tuning half")
    parser.add_argument("--all", action="store_true", help="with --wrong: on both halves")
    parser.add_argument("--judge", help="a model that is asked beside the code")
    parser.add_argument("--minutes", type=float, default=600, help="ask the judge no more after so many minutes")
    options: Any = parser.parse_args()
    pairs = read_pairs()
    if options.wrong:
        mistakes([pair for pair in pairs if options.all or not pair.held_out])
    table("tune", [pair for pair in pairs if not pair.held_out])
    table("held out", [pair for pair in pairs if pair.held_out])
    for language in ("en", "ru"):
        table(language, [pair for pair in pairs if pair.language == language])
    if options.judge is not None:
        asyncio.run(judged(pairs, options.judge, options.minutes))


if __name__ == "__main__":
    main()
