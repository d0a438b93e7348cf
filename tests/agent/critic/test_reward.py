"""The reward, and the tricks that must not raise it."""

from dataclasses import replace
from pathlib import Path

import pytest

from crowquill.agent.answer import Candidate, Draft, DraftClaim
from crowquill.agent.critic.checks import check
from crowquill.agent.critic.citations import citation_precision, citation_recall
from crowquill.agent.critic.completeness import parts_of, unanswered
from crowquill.agent.critic.reward import features, read_weights, reward, shipped_weights
from crowquill.errors import UserError
from crowquill.memory.evidence import Evidence, Quote, Source

QUESTION = "How long is the Danube?"


def quote(title: str, text: str, site: str = "", trust: float = 0.5) -> Quote:
    url = f"https://{site}/{title}" if site else f"corpus:x/{title}"
    source = Source(url, title, "2026-01-01", f"{abs(hash((title, text))):064x}"[:64], "web", trust)
    return Quote(text, source, 0, len(text), (1, 1))


EVIDENCE: tuple[Evidence, ...] = (
    quote("Danube", "The Danube is 2,850 kilometres long and flows through ten countries."),
    quote("Rhine", "The Rhine is 1,230 kilometres long and flows through Cologne."),
    quote("Vienna", "Vienna was founded by the Romans and has two million inhabitants."),
)
RIGHT = DraftClaim("The Danube is 2,850 kilometres long.", (1,))
DERIVED = DraftClaim("In length, the Danube comes to 2850 km in all.", (1,))
INVENTED = DraftClaim("The Danube has 99 bridges.", (1,))


def checked(*claims: DraftClaim, short: str = "2,850 kilometres", question: str = QUESTION) -> Candidate:
    return check(Draft(short, claims), EVIDENCE, question)


def total(*claims: DraftClaim, short: str = "2,850 kilometres", question: str = QUESTION) -> float:
    return reward(checked(*claims, short=short, question=question), question).total


BASES = {"right": (RIGHT,), "derived": (DERIVED,), "half wrong": (RIGHT, INVENTED), "wrong": (INVENTED,)}
RHINE = DraftClaim("The Rhine is 1,230 kilometres long and flows through Cologne.", (2,))
COUNTRIES = DraftClaim("The Danube flows through ten countries.", (1,))
VIENNA = DraftClaim("Vienna was founded by the Romans and has two million inhabitants.", (3,))


def reworded(claims: tuple[DraftClaim, ...], template: str) -> tuple[DraftClaim, ...]:
    return tuple(replace(claim, text=template.format(claim.text)) for claim in claims)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(
    "trick",
    [
        lambda base: (*base, *base, *base),
        lambda base: (*base, VIENNA),
        lambda base: (*base, VIENNA, VIENNA, VIENNA, VIENNA),
        lambda base: (*base, COUNTRIES),
        lambda base: (*base, COUNTRIES, VIENNA, RHINE),
        lambda base: (*base, *reworded((COUNTRIES,), "Indeed, {}"), *reworded((COUNTRIES,), "It is true: {}")),
        lambda base: (DraftClaim("What an excellent and thoughtful question you have asked!", ()), *base),
        lambda base: reworded(base, "What an excellent, clever question! {}"),
        lambda base: (*base, DraftClaim("Danube length long kilometres river how long Danube.", ())),
        lambda base: tuple(replace(claim, cites=(1, 2, 3)) for claim in base),
        lambda base: tuple(replace(claim, cites=(*claim.cites, 7)) for claim in base),
        lambda base: tuple(replace(claim, cites=claim.cites * 5) for claim in base),
        lambda base: reworded(base, "It may perhaps possibly be the case, as far as one can tell, that {}"),
        lambda base: reworded(base, "**{}**"),
        lambda base: reworded(base, "# Answer\n\n- {}"),
        lambda base: (*base, DraftClaim("In conclusion, as an expert, I am absolutely certain of this.", ())),
    ],
    ids=[
        "said three times", "padded", "padded a lot", "one fact more", "three facts more", "a fact twice",
        "flattery", "flattery inside", "keywords", "cites all",
        "invented citation", "cites five times", "hedged", "bold", "markdown", "certain",
    ],
)  # fmt: skip
def test_tricks_do_not_raise_the_reward(base: str, trick) -> None:  # type: ignore[no-untyped-def]
    claims = BASES[base]
    assert total(*trick(claims)) <= total(*claims) + 1e-9


FOUNDED = DraftClaim("Vienna was founded by the Romans.", (3,))


@pytest.mark.parametrize(
    ("opinion", "question", "short", "right"),
    [
        ("the Danube is 3,000 kilometres long", "How long is the Danube?", "3,000 kilometres", RIGHT),
        ("Vienna was founded by Mark Twain", "Who founded Vienna?", "Romans", FOUNDED),
        ("Mark Twain founded Vienna", "Was Vienna founded by Mark Twain?", "yes", FOUNDED),
        ("Vienna was founded by angry monks out of pine wood", "Who founded Vienna?", "Romans", FOUNDED),
        ("Vienna was founded by the Romans, giant poisonous catfish", "Who founded Vienna?", "Romans", FOUNDED),
    ],
)
def test_an_opinion_in_the_question_changes_nothing(
    opinion: str, question: str, short: str, right: DraftClaim
) -> None:
    agreeing, asked = (
        DraftClaim(f"{opinion[0].upper()}{opinion[1:]}.", right.cites),
        f"I know: {opinion}. {question}",
    )
    assert total(agreeing, short=short, question=asked) <= total(agreeing, short=short, question=question)
    assert total(agreeing, short=short, question=asked) < total(right, short=short, question=asked)
    assert checked(agreeing, short=short, question=asked).claims[0].status == "unsupported"


def test_the_reward_orders_answers_as_a_person_would() -> None:
    order = [(RIGHT,), (DERIVED,), (RIGHT, INVENTED), (INVENTED,)]
    totals = [total(*claims) for claims in order]
    assert totals == sorted(totals, reverse=True)
    assert total(RIGHT, RHINE, question="How long are the Danube and the Rhine?") > total(
        RIGHT, question="How long is the Danube and where does the Rhine flow?"
    )


def test_the_reward_is_the_sum_of_its_parts_and_has_no_bounds() -> None:
    bad = checked(*[DraftClaim(f"The Danube has {n} locks.", (1,)) for n in range(200, 240)], short="2,850 km")
    found = reward(bad, QUESTION)
    assert found.total == pytest.approx(sum(value for _, value in found.parts))
    assert found.total < -15
    assert {name for name, _ in found.parts} == set(shipped_weights()) == set(features(bad, QUESTION))


def test_all_parts_of_a_question_want_an_answer() -> None:
    question = "How long is the Danube and who founded Vienna?"
    assert parts_of(question) == ["How long is the Danube", "who founded Vienna"]
    assert unanswered(question, checked(RIGHT).claims) == ["who founded Vienna"]
    assert unanswered(question, checked(RIGHT, VIENNA).claims) == []
    assert checked(RIGHT, question=question).problems == ("nothing is said about: who founded Vienna",)
    assert parts_of("Where do Danube and Rhine rise?") == ["Where do Danube and Rhine rise"]


def test_citations_that_nothing_needs_lower_precision_alone() -> None:
    lean, stuffed = checked(RIGHT), checked(replace(RIGHT, cites=(1, 2, 3)))
    assert citation_recall(lean.claims) == citation_recall(stuffed.claims) == 1.0
    assert citation_precision(lean.claims) == 1.0
    assert citation_precision(stuffed.claims) == pytest.approx(1 / 3)


def sites(*values: str) -> tuple[Evidence, ...]:
    return tuple(
        quote("Danube", f"The Danube is {value} kilometres long.", site=f"site{at}.org")
        for at, value in enumerate(values)
    )


def test_four_sources_against_one_drop_the_odd_claim_with_a_warning() -> None:
    evidence = (*sites("2,850", "2,850", "2,850", "2,850", "2,580"), EVIDENCE[2])
    odd = DraftClaim("The Danube is 2,580 kilometres long.", (5,))
    other = DraftClaim("Vienna was founded by the Romans.", (6,))
    found = check(Draft("2,580 kilometres", (odd, other)), evidence, QUESTION)
    assert [claim.text for claim in found.claims] == [other.text]
    assert any(problem.startswith("left out, as most sources differ") for problem in found.problems)
    assert "no receipt for 2,580 in the short answer" in found.problems
    alone = check(Draft("2,580 kilometres", (odd,)), evidence, QUESTION)
    assert [claim.text for claim in alone.claims] == [odd.text]
    assert alone.disagreements[0].startswith("4 sources say 2,850 kilometres, 1 source says 2,580 kilometres")
    majority = check(Draft("2,850 kilometres", (RIGHT,)), evidence, QUESTION)
    assert [claim.text for claim in majority.claims] == [RIGHT.text]
    assert majority.disagreements[0].startswith("1 source says 2,580 kilometres, 4 sources say 2,850 kilometres")
    assert reward(majority, QUESTION).total > reward(alone, QUESTION).total


def test_pages_of_one_site_are_one_voice_and_trust_counts() -> None:
    same = tuple(quote(f"p{at}", "The Danube is 2,850 kilometres long.", site="a.org") for at in range(4))
    evidence = (*same, quote("Danube", "The Danube is 2,580 kilometres long.", site="b.org", trust=0.9))
    found = check(
        Draft("x", (DraftClaim("The Danube is 2,580 kilometres long.", (5,)), VIENNA)), evidence, QUESTION
    )
    assert len(found.claims) == 2
    assert found.disagreements[0].startswith("1 source says 2,850 kilometres, 1 source says")
    agreeing = check(Draft("x", (RIGHT,)), sites("2,850", "2850"), QUESTION)
    assert agreeing.disagreements == ()


def test_weights_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "weights.yaml"
    file.write_text("version: 2\nweights: {receipts: 3.5, problems: -1}\n")
    weights = read_weights(file)
    assert reward(checked(RIGHT), QUESTION, weights=weights).total == 3.5
    for text, message in [
        ("weights: {recepts: 1}", "no part 'recepts'"),
        ("weights: [1]", "each a number"),
        ("x", "each"),
    ]:
        file.write_text(text)
        with pytest.raises(UserError, match=message):
            read_weights(file)
