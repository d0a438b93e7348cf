"""What is wrong with a statement: each kind of fault, and what is none."""

import pytest

from crowquill.agent.answer import DraftClaim
from crowquill.agent.critic.checks import check_claim, claim_faults
from crowquill.memory.evidence import Computation, Evidence, Quote, Source


def quote(title: str, text: str) -> Quote:
    return Quote(text, Source(f"corpus:x/{title}", title, "2026-01-01", "0" * 64, "corpus"), 0, len(text), (1, 1))


RIVERS: tuple[Evidence, ...] = (
    quote("Rivers", "The Danube is 2,850 kilometres long, while the Rhine is 1,230 kilometres long."),
    quote("Rivers", "The Danube flows through Vienna and the Rhine flows through Cologne."),
    quote("Pell Cup", "Everton beat Arsenal 3–1 in the final of 1974, which was not shown on television."),
    quote("Copper Pass", "The pass is closed from November to April."),
)
RUSSIAN: tuple[Evidence, ...] = (
    quote("Мост", "Мост открыт в 1965 году, его длина 1 240 метров. Грузовикам въезд не разрешён."),
)


def kinds(text: str, evidence: tuple[Evidence, ...] = RIVERS) -> set[str]:
    claim = DraftClaim(text, tuple(range(1, len(evidence) + 1)))
    return {fault.kind for fault in claim_faults(claim, evidence, "Tell me.")}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The Danube is 2,580 kilometres long.", "number"),
        ("The Danube is 2,850 miles long.", "unit"),
        ("The Volga is 2,850 kilometres long.", "name"),
        ("The Rhine is 2,850 kilometres long.", "pairing"),
        ("Arsenal beat Everton in the final of 1974.", "order"),
        ("The final of 1974 was shown on television.", "negation"),
        ("The Danube does not flow through Vienna.", "negation"),
        ("The Danube is 2,850 kilometres long and home to giant catfish.", "added"),
        ("The pass is open from November to April.", "opposite"),
        ("The final was played on 5 May 1974.", "date"),
    ],
)
def test_each_kind_of_fault(text: str, kind: str) -> None:
    assert kind in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "Yes, the Danube flows through Vienna.",
        "One river is the Danube.",
        "The Danube has a length of about 2,900 km.",
        "The Rhine flows through Cologne.",
        "Arsenal were beaten by Everton in the final of 1974.",
        "The final of 1974 was not shown on television.",
        "Not only the Danube is long: the Rhine is 1,230 kilometres long.",
        "Everton beat Arsenal 3-1 in 1974.",
    ],
)
def test_what_is_no_fault(text: str) -> None:
    assert kinds(text) == set()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Длина моста 1240 м.", ""),
        ("Да, мост открыт в 1965 году.", ""),
        ("Длина моста 1 420 метров.", "number"),
        ("Длина моста 1 240 километров.", "unit"),
        ("Грузовикам въезд разрешён.", "negation"),
        ("Мост закрыт в 1965 году.", "opposite"),
        ("The bridge is 1,240 metres long.", ""),
        ("The bridge is 1,420 metres long.", "number"),
    ],
)
def test_russian_and_an_answer_in_another_language_than_its_quotes(text: str, kind: str) -> None:
    assert kinds(text, RUSSIAN) == ({kind} if kind else set())


def test_what_is_shown_of_a_fault_and_how_it_is_wrong() -> None:
    claim = check_claim(DraftClaim("The Danube is 2,580 kilometres long.", (1,)), RIVERS, "Tell me.")
    assert (claim.status, claim.wrong) == ("unsupported", "contradicts")
    assert claim.problem == "no receipt for 2,580; the evidence says 2,850 kilometres"
    claim = check_claim(DraftClaim("The Rhine is 2,850 kilometres long.", (1,)), RIVERS, "Tell me.")
    assert (claim.status, claim.wrong) == ("unsupported", "misreads")
    claim = check_claim(DraftClaim("The Danube has 99 bridges.", (1,)), RIVERS, "Tell me.")
    assert (claim.status, claim.wrong) == ("unsupported", "adds")


def test_a_computed_number_belongs_to_whatever_it_was_computed_from() -> None:
    evidence = (*RIVERS, Computation("2850 - 1230", "1620", "1620"))
    claim = check_claim(DraftClaim("The Danube is 1620 km longer than the Rhine.", (1, 5)), evidence, "Tell me.")
    assert (claim.status, claim.problem) == ("computed", "")


@pytest.mark.parametrize("text", ["It is so.", "", "👍", "No, it was not."])
def test_what_states_nothing_has_no_receipt(text: str) -> None:
    claim = check_claim(DraftClaim(text, (1,)), RIVERS, "Tell me.")
    assert (claim.status, claim.problem) == ("unsupported", "states nothing")


@pytest.mark.parametrize(
    ("text", "quoted", "kind"),
    [
        ("All passengers survived.", "Some passengers survived.", "opposite"),
        ("All of the passengers survived.", "Most of the passengers survived.", "opposite"),
        ("Few residents returned.", "Many residents returned.", "opposite"),
        ("Most passengers survived.", "Few passengers survived.", "opposite"),
        ("The lake rarely freezes.", "The lake often freezes.", "opposite"),
        ("Все пассажиры выжили.", "Некоторые пассажиры выжили.", "opposite"),
        ("Многие жители вернулись.", "Немногие жители вернулись.", "opposite"),
        ("Озеро редко замерзает.", "Озеро часто замерзает.", "opposite"),
        ("Some passengers survived.", "All passengers survived.", ""),
        ("Some passengers survived.", "A few passengers survived.", ""),
        ("All residents returned.", "Many residents fled, but all residents returned.", ""),
        ("The lake seldom freezes.", "The lake, often visited, rarely freezes.", ""),
        ("Lake Tarn is 310 metres deep and poisonous.", "Lake Tarn is 310 metres deep.", "added"),
        ("Carol Reed was born in London and murdered.", "Carol Reed was born in London.", "added"),
        ("Озеро глубокое и ядовитое.", "Глубина озера 310 метров, температура воды 4 градуса.", "added"),
        ("Озеро глубокое и холодное.", "Глубина озера 310 метров, температура воды 4 градуса.", ""),
        ("Ann Hale was a painter and teacher.", "Ann Hale taught in Leeds; her paintings hang in Bath.", ""),
        ("The Rhine is 10 km shorter than the Danube.", "The Danube is 20 km long, and the Rhine 10 km.", ""),
    ],
)
def test_how_many_how_often_and_one_word_more(text: str, quoted: str, kind: str) -> None:
    assert kinds(text, (quote("A page", quoted),)) == ({kind} if kind else set())
