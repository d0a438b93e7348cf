"""Statements about results of queries and calculations: what their numbers do not carry."""

import pytest

from crowquill.agent.answer import DraftClaim
from crowquill.agent.critic.checks import check_claim
from crowquill.memory.evidence import Computation, Evidence, Quote, Source, Table


def quote(text: str) -> Quote:
    return Quote(text, Source("corpus:x/p", "A page", "2026-01-01", "0" * 64, "corpus"), 0, len(text), (1, 1))


def status(text: str, evidence: tuple[Evidence, ...], question: str = "Tell me.") -> str:
    return check_claim(DraftClaim(text, tuple(range(1, len(evidence) + 1))), evidence, question).status


LONGER = Computation("2850 - 1230", "1620", "1620")
DANUBE, RHINE = "The Danube is 2,850 kilometres long", "the Rhine is 1,230 kilometres long"
TWO_QUOTES: tuple[Evidence, ...] = (quote(f"{DANUBE}."), quote(f"T{RHINE[1:]}."), LONGER)
ONE_QUOTE: tuple[Evidence, ...] = (quote(f"{DANUBE}, while {RHINE}."), LONGER)
РЕКИ: tuple[Evidence, ...] = (quote("Дунай имеет длину 2850 км."), quote("Рейн имеет длину 1230 км."), LONGER)
AGES: tuple[Evidence, ...] = (
    quote("Alice is 30 years old."),
    quote("Bob is 12 years old."),
    Computation("30 - 12", "18", "18"),
)
SHOP: tuple[Evidence, ...] = (
    Table("SELECT name, n FROM t", "shop", ("name", "orders"), (("Clara Steinbach", 7), ("Jürgen Weiß", 3)), 2),
)


@pytest.mark.parametrize("evidence", [TWO_QUOTES, ONE_QUOTE])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Danube is 1620 kilometres longer than the Rhine.", "computed"),
        ("The Rhine is 1620 kilometres shorter than the Danube.", "computed"),
        ("The difference in length is 1620 km.", "computed"),
        ("The Danube (2,850 km) is 1620 km longer than the Rhine (1,230 km).", "computed"),
        ("The Rhine is 1620 kilometres longer than the Danube.", "unsupported"),
        ("The Danube is 1620 kilometres shorter than the Rhine.", "unsupported"),
        ("The Danube is 1620 miles longer than the Rhine.", "unsupported"),
        ("The Rhine is 1620 kilometres long.", "unsupported"),
        ("The Danube is 1620 kilometres longer than the Rhine and home to giant catfish.", "unsupported"),
    ],
)
def test_a_difference_of_two_quoted_numbers(evidence: tuple[Evidence, ...], text: str, expected: str) -> None:
    assert status(text, evidence) == expected


@pytest.mark.parametrize(
    ("text", "evidence", "expected"),
    [
        ("Дунай на 1620 километров длиннее Рейна.", РЕКИ, "computed"),
        ("Дунай на 1620 миль длиннее Рейна.", РЕКИ, "unsupported"),
        ("Дунай на 1620 км короче, чем Рейн.", РЕКИ, "unsupported"),
        ("Рейн имеет длину 1620 км.", РЕКИ, "unsupported"),
        ("Дунай на 1620 км длиннее Рейна и полон гигантских ядовитых сомов.", РЕКИ, "unsupported"),
        ("Bob is 18 years younger than Alice.", AGES, "computed"),
        ("Bob is 18 years older than Alice.", AGES, "unsupported"),
        ("Bob is 18 years old.", AGES, "unsupported"),
        ("Alice has 18 children.", AGES, "unsupported"),
        ("Alice earns 18 dollars more than Bob.", AGES, "unsupported"),
    ],
)
def test_other_differences(text: str, evidence: tuple[Evidence, ...], expected: str) -> None:
    assert status(text, evidence) == expected


@pytest.mark.parametrize(
    ("text", "quotes", "expression", "value"),
    [
        ("Anna has 60 books.", ("Anna has 100 books.", "Ben took 40 books."), "100 - 40", "60"),
        ("Anna has 300 books.", ("Anna had 100 books. She got 200 books from Ben.",), "100 + 200", "300"),
        ("Mozart lived 35 years.", ("Mozart was born in 1756 and died in 1791.",), "1791 - 1756", "35"),
        (
            "Orrin sold 300 more cars than Tarn.",
            ("Orrin sold 950 cars.", "Tarn sold 650 cars."),
            "950 - 650",
            "300",
        ),
        ("The town grew by 300 inhabitants.", ("Its population rose from 1,200 to 1,500.",), "1500 - 1200", "300"),
    ],
)
def test_results_in_words_of_their_own(text: str, quotes: tuple[str, ...], expression: str, value: str) -> None:
    assert status(text, (*map(quote, quotes), Computation(expression, value, value))) == "computed"


def test_the_question_is_the_source_of_a_word_problem() -> None:
    question = "Weng earns $12 an hour. Yesterday she babysat for 50 minutes. How much did she earn?"
    assert (
        status("Her wage comes to 10 dollars.", (Computation("12 / 60 * 50", "10", "10"),), question) == "computed"
    )


@pytest.mark.parametrize(
    "text",
    [
        "Clara Steinbach placed 7 orders.",
        "Clara Steinbach is the customer with the most orders: 7.",
        "Clara Steinbach leads with 7 orders, followed by Jürgen Weiß with 3.",
        "The first row of the result is name: Clara Steinbach.",
        "Больше всего заказов сделала Clara Steinbach: 7.",
    ],
)
@pytest.mark.parametrize("question", ["Who placed the most orders?", "Which customer is best?"])
def test_words_of_a_statement_about_a_table(text: str, question: str) -> None:
    assert status(text, SHOP, question) == "queried"


@pytest.mark.parametrize(
    "text",
    [
        "Clara Steinbach placed 7 orders and was convicted of fraud.",
        "Clara Steinbach is a convicted murderer.",
        "Clara Steinbach stole money from the shop and fled abroad.",
        "Clara Steinbach сделала 7 заказов и была осуждена за мошенничество.",
    ],
)
def test_what_was_added_to_a_table(text: str) -> None:
    opinion = "I am sure that Clara Steinbach is a convicted murderer. Who placed the most orders?"
    for evidence in (SHOP, (*SHOP, quote("The Danube is 2,850 kilometres long."))):
        assert status(text, evidence, opinion) == "unsupported"


def test_a_query_knows_the_words_of_its_tables() -> None:
    table = Table("SELECT max(InvoiceTotal) FROM BillingCountry", "shop", ("m",), ((7,),), 1)
    assert status("The invoice totals of each billing country reach 7.", (table,)) == "queried"
    table = Table("SELECT 'poisonous catfish', max(n) FROM t", "shop", ("x", "m"), (("poisonous catfish", 7),), 1)
    assert status("Poisonous catfish weigh 7.", (table,)) == "unsupported"
