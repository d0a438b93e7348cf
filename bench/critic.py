"""The checks against 426 labelled statements: what they catch, what they flag wrongly, beside a judging model.

    python bench/critic.py [--wrong [--all]] [--judge local] [--minutes 12]
    python bench/critic.py --pages ../shared/data/hotpot_dev.json

The set (bench/critic_claims.yaml, English and Russian) was written for this; one statement per page is given a
citation that does not exist. Thresholds are set on every second page (tune); the others are held out. Recall of a
class: how many of its statements are flagged at all. Precision: how many of those flagged as of this class are
wrong statements. `--wrong` lists what went wrong, `--judge` also asks a model whether the evidence supports each
statement; what it has said is kept under bench/results/, so that a stopped run goes on. `--pages` counts what is
flagged of true sentences that were not written for this.
"""

import argparse
import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import Results, interval, mean
from ruamel.yaml import YAML

from crowquill.agent.answer import Claim, DraftClaim
from crowquill.agent.critic.checks import check_claim, claim_faults
from crowquill.agent.critic.closeness import closest
from crowquill.agent.critic.judge import chance_of_yes, criteria, yes_or_no
from crowquill.agent.models.base import Message, Model, Request
from crowquill.agent.models.resolve import resolve
from crowquill.agent.render import evidence_block, fence
from crowquill.errors import ModelError
from crowquill.memory.evidence import Quote, Source, digest
from crowquill.memory.textual import split_sentences
from crowquill.memory.untrusted import Untrusted

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
SEED = "0123456789abcdef"
_CONJUNCTION = re.compile(r",? (?:and|but|while|which|who|where)\b|; ")


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


def reworded(pairs: Sequence[Pair], *, wrong: bool) -> None:
    """Print what is flagged of statements in other words and in another language, and list them if `wrong`."""
    yaml = YAML(typ="safe", pure=True).load(Path(__file__).with_name("critic_reworded.yaml").read_text("utf-8"))
    evidence = {pair.evidence[0].source.title: (pair.page, pair.evidence) for pair in pairs}
    near: dict[str, list[float]] = {}
    print("\nin other words, and across languages (right_across, …): flagged, on the tuning half and held out")
    for name in ("right", "opposite", "invented", "right_across", "invented_across"):
        flags: tuple[list[bool], list[bool]] = ([], [])
        for entry in yaml:
            page, quotes = evidence[entry["title"]]
            for text in entry.get(name, ()):
                claim = check_claim(DraftClaim(text, tuple(range(1, len(quotes) + 1))), quotes, OBJECTIVE)
                flags[page % 2].append(flagged(claim))
                near.setdefault(name, []).append(closest(text, [quote.text for quote in quotes])[0])
                if wrong and flagged(claim) == name.startswith("right"):
                    print(f"  {near[name][-1]:.2f} {name}: {text} — {claim.problem or claim.status}")
        print(f"  {name:<16} {', '.join(f'{sum(half)} of {len(half)}' for half in flags)}")
    for kind in ("", "_across"):
        good, bad = near[f"right{kind}"], near[f"invented{kind}"]
        area = _area([False] * len(good) + [True] * len(bad), [*good, *bad])
        print(f"  area under the curve of nearness{kind} {area:.3f}")


def mistakes(pairs: Sequence[Pair]) -> None:
    """List what went wrong."""
    for pair in pairs:
        claim = check_claim(pair.draft, pair.evidence, OBJECTIVE)
        if flagged(claim) != (pair.label != "supported"):
            said = claim.problem if claim.problem else claim.status
            half = "held out" if pair.held_out else "tune"
            print(f"  [{half}] {pair.label}: {pair.statement} — {said}")


async def judged(pairs: Sequence[Pair], name: str, minutes: float) -> None:
    """Ask a model about the statements, held-out pages first, and print how it does beside the code on the same.

    *single* is one call that says yes or no; *averaged* the probability of yes as the program asks for it, averaged
    over the ways of asking of the criterion "unsupported information". Each statement is kept once it is answered.
    """
    results, model = Results("critic-judge-" + re.sub(r"\W+", "-", name)), resolve(name)
    end = time.monotonic() + minutes * 60
    asked: list[tuple[Pair, dict[str, Any]]] = []
    try:
        for pair in sorted(pairs, key=lambda pair: not pair.held_out):
            key = f"{pair.page} {pair.statement}"
            row = results.get(key)
            if row is None and time.monotonic() < end:
                began = time.monotonic()
                try:
                    row = results.keep(key, {**await _asked(pair, model), "seconds": time.monotonic() - began})
                except ModelError as error:
                    print(f"  {error}")
            if row is not None:
                asked.append((pair, row))
    finally:
        await model.close()
    seconds = mean([row["seconds"] for _, row in asked])
    print(f"\n{name} beside the code, {seconds:.1f} s a statement")
    for half, rows in (("held out", [r for r in asked if r[0].held_out]), ("all asked", asked)):
        print(f" {half}: {len(rows)} statements")
        wrong = [pair.label != "supported" for pair, _ in rows]
        code = [flagged(check_claim(pair.draft, pair.evidence, OBJECTIVE)) for pair, _ in rows]
        averaged = [row["averaged"] for _, row in rows]
        _beside("code", wrong, code)
        _beside("single", wrong, [row["single"] == "no" for _, row in rows])
        _beside("averaged", wrong, [chance < 0.5 for chance in averaged])
        print(f"  averaged, area under the curve {_area(wrong, averaged):.3f}")


async def _asked(pair: Pair, model: Model) -> dict[str, Any]:
    evidence = evidence_block(pair.evidence, SEED)
    user = f"{evidence}\n\nStatement: {pair.statement}\nDo the quotes support the statement?"
    schema = {
        "type": "object",
        "properties": {"supported": {"enum": ["yes", "no"]}},
        "required": ["supported"],
        "additionalProperties": False,
    }
    messages = (Message("system", "You check answers."), Message("user", user))
    single = await model.complete(Request("judge", messages, 20, schema))
    shown = {
        "evidence": evidence,
        "objective": OBJECTIVE,
        "answer": fence(Untrusted(pair.statement, "answer"), SEED),
    }
    criterion = criteria("answer")[0]
    chances = [chance_of_yes(await model.complete(yes_or_no(shown, ask))) for ask in criterion.yes]
    said = single.parsed["supported"] if single.parsed is not None else ""
    return {"single": said, "chances": chances, "averaged": mean(chances)}


def _beside(way: str, wrong: Sequence[bool], flags: Sequence[bool]) -> None:
    caught = [flag for flag, is_wrong in zip(flags, wrong, strict=True) if is_wrong]
    false = [flag for flag, is_wrong in zip(flags, wrong, strict=True) if not is_wrong]
    hits = sum(caught) / max(sum(caught) + sum(false), 1)
    right = [float(flag == is_wrong) for flag, is_wrong in zip(flags, wrong, strict=True)]
    low, high = interval(right)
    print(
        f"  {way:<9} recall {mean(caught):.3f}  precision {hits:.3f}  wrongly flagged {sum(false)} of {len(false)}"
        f"  right {mean(right):.3f} [{low:.3f}, {high:.3f}]"
    )


def _area(wrong: Sequence[bool], chances: Sequence[float]) -> float:
    """Return how often a right statement has the higher probability than a wrong one."""
    good = [chance for chance, is_wrong in zip(chances, wrong, strict=True) if not is_wrong]
    bad = [chance for chance, is_wrong in zip(chances, wrong, strict=True) if is_wrong]
    return mean([(one > other) + (one == other) / 2 for one in good for other in bad])


def wild(path: Path) -> None:
    """Print how many true sentences are flagged: each, whole and up to a conjunction, against its own page."""
    pages = {title: text for case in json.loads(path.read_text("utf-8")) for title, text in case["pages"].items()}
    for name, cut in (("whole sentences", False), ("first parts of sentences", True)):
        kinds: Counter[str] = Counter()
        count = 0
        for title, text in pages.items():
            source = Source(f"corpus:bench/{title}", title, "2026-01-01", digest(title), "corpus")
            sentences = [text[start:end] for start, end in split_sentences(text)]
            evidence = [Quote(sentence, source, 0, len(sentence), (1, 1)) for sentence in sentences]
            cites = tuple(range(1, len(evidence) + 1))
            for statement in [part for sentence in sentences for part in _parts(sentence, cut=cut)]:
                found = claim_faults(DraftClaim(statement, cites), evidence, OBJECTIVE)
                kinds.update({fault.kind for fault in found})
                count += 1
        told = ", ".join(f"{kind} {number}" for kind, number in kinds.most_common())
        print(f"{name} of {len(pages)} pages: {count}; flagged as {told if told else 'nothing'}")


def _parts(sentence: str, *, cut: bool) -> list[str]:
    if not cut:
        return [sentence]
    ends = [match.start() for match in _CONJUNCTION.finditer(sentence) if match.start() > 30]
    return [f"{sentence[:end]}." for end in ends[:1]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrong", action="store_true", help="list the mistakes on the tuning half")
    parser.add_argument("--all", action="store_true", help="with --wrong: on both halves")
    parser.add_argument("--judge", help="a model that is asked beside the code")
    parser.add_argument("--minutes", type=float, default=600, help="ask the judge no more after so many minutes")
    parser.add_argument("--pages", type=Path, help="a HotpotQA file: check true sentences of its pages instead")
    options: Any = parser.parse_args()
    if options.pages is not None:
        wild(options.pages)
        return
    pairs = read_pairs()
    if options.wrong:
        mistakes([pair for pair in pairs if options.all or not pair.held_out])
    table("tune", [pair for pair in pairs if not pair.held_out])
    table("held out", [pair for pair in pairs if pair.held_out])
    for language in ("en", "ru"):
        table(language, [pair for pair in pairs if pair.language == language])
    reworded(pairs, wrong=options.wrong)
    if options.judge is not None:
        pairs = [pair for pair in pairs if pair.label != "citation"]  # a model is not shown the numbers
        asyncio.run(judged(pairs, options.judge, options.minutes))


if __name__ == "__main__":
    main()
