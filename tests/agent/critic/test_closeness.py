"""Statements in other words than their evidence, and in another language: nearness of meaning decides."""

import pytest

from crowquill.agent.answer import DraftClaim
from crowquill.agent.critic.checks import check_claim
from crowquill.agent.critic.closeness import closest
from crowquill.memory.evidence import Quote, Source, Table, digest

SOURCE = Source("corpus:t/1", "Cordon Act", "2026-01-01", digest("Cordon Act"), "corpus")


def quote(text: str) -> Quote:
    return Quote(text, SOURCE, 0, len(text), (1, 1))


ACT = (
    "Parliament passed the Cordon Act in 1921. The act was repealed in 1938. Workers over 60 may not be dismissed."
)


@pytest.mark.parametrize(
    ("statement", "status"),
    [
        ("Lawmakers adopted the Cordon Act in 1921.", "derived"),
        ("The statute was abolished in 1938.", "derived"),
        ("The statute was abolished in 1983.", "unsupported"),
        ("Lawmakers adopted the Garden Act in 1921.", "unsupported"),
        ("Lawmakers did not adopt the Cordon Act in 1921.", "unsupported"),
        ("The statute was not abolished in 1938.", "unsupported"),
        ("No statute was abolished.", "unsupported"),
        ("Lawmakers rejected the Cordon Act in 1921.", "unsupported"),
        ("Farmers protested against higher taxes.", "unsupported"),
        ("The Cordon Act was passed in 1921 after riots in several harbour towns.", "unsupported"),
        ("Закон отменили в 1938 году.", "derived"),
        ("Закон отменили в 1983 году.", "unsupported"),
        ("Рабочие разобрали рельсы.", "unsupported"),
    ],
)
def test_other_words_are_no_fault_but_other_facts_are(statement: str, status: str) -> None:
    assert check_claim(DraftClaim(statement, (1,)), [quote(ACT)], "Tell me about it.").status == status


def test_what_a_query_found_may_be_told_in_any_language() -> None:
    table = Table("SELECT count(*) FROM clients", "shop", ("count(*)",), ((5,),), 1)
    claim = check_claim(DraftClaim("У магазина 5 клиентов.", (1,)), [table], "Сколько у магазина клиентов?")
    assert claim.status == "queried"


def test_more_evidence_takes_nothing_away_from_what_a_query_found() -> None:
    table = Table("SELECT name, depth FROM lakes", "lakes", ("name", "depth"), (("Tarn", 310),), 1)
    claim = DraftClaim("Глубина Tarn 310.", (1, 2))
    assert check_claim(claim, [table, quote("It rained all day.")], "Какова глубина Tarn?").status == "queried"


def test_the_closest_passage_is_found() -> None:
    near, text = closest("The law was repealed.", ["It rained.", "The act was repealed."])
    assert text == "The act was repealed."
    assert near > closest("The law was repealed.", ["It rained."])[0]
    assert closest("The law was repealed.", []) == (0.0, "")
