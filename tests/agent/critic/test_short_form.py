"""The short answer: of the kind that is asked for, and said by a statement with receipts."""

import pytest

from crowquill.agent.answer import Draft, DraftClaim
from crowquill.agent.critic.checks import check, is_unknown
from crowquill.memory.evidence import Quote, Source

DANUBE = "The Danube is 2,850 kilometres long."
RIVERS = f"{DANUBE} The Rhine is 1,230 kilometres long."
TARN = "Lake Tarn is 310 metres deep and was dammed on 5 May 1931."
FLOWS = "Дунай впадает в Чёрное море."


def problems(question: str, short: str, *claims: str, page: str, title: str = "Page") -> tuple[str, ...]:
    source = Source("https://a.org/1", title, "2026-01-01", "0" * 64, "web", 0.5)
    quote = Quote(page, source, 0, len(page), (1, 1))
    return check(Draft(short, tuple(DraftClaim(claim, (1,)) for claim in claims)), [quote], question).problems


@pytest.mark.parametrize(
    "question",
    ["How long is the Danube?", "In which country does the Danube rise?", "Какова длина Дуная?", "Где Дунай?"],
)
def test_yes_answers_no_question_that_asks_for_something_else(question: str) -> None:
    assert any("a bare yes or no" in problem for problem in problems(question, "yes", DANUBE, page=DANUBE))


@pytest.mark.parametrize(
    "question",
    [
        "Is the Danube 2,850 kilometres long?",
        "Would a boat reach the Black Sea?",
        "In the year when it was measured, was the Danube 2,850 kilometres long?",
        "Check whether the Danube is 2,850 kilometres long.",
        "The Danube is 2,850 kilometres long.",
        "Дунай длиннее Рейна?",
        "Правда ли, что Дунай длиннее Рейна?",
    ],
)
def test_yes_answers_what_may_want_it(question: str) -> None:
    assert not any("a bare yes or no" in problem for problem in problems(question, "yes", DANUBE, page=DANUBE))


@pytest.mark.parametrize(
    ("question", "short", "claim"),
    [
        ("Is the Danube 2,850 kilometres long?", "no", DANUBE),
        ("Is it true that the Danube is 2,850 km long?", "No.", DANUBE),
        ("Впадает ли Дунай в Чёрное море?", "нет", FLOWS),
        ("Правда ли, что Дунай впадает в Чёрное море?", "нет", FLOWS),
    ],
)
def test_no_is_wrong_where_a_statement_says_all_that_is_asked(question: str, short: str, claim: str) -> None:
    assert problems(question, short, claim, page=claim) == (
        f"the short answer denies what the answer says: {claim}",
    )


@pytest.mark.parametrize(
    ("question", "claim"),
    [
        ("Is the Danube 2,580 kilometres long?", DANUBE),
        ("Is the Danube the longest river?", "The Danube is the second longest river."),
        ("Is the Rhine longer than the Danube?", "The Danube is longer than the Rhine."),
        ("Is the Danube not 2,850 kilometres long?", "The Danube is not 2,850 kilometres long."),
        ("Does the Danube only flow through Austria?", "The Danube does flow through Austria."),
        ("Длиннее ли Рейн Дуная?", "Дунай длиннее Рейна."),
    ],
)
def test_no_may_be_right(question: str, claim: str) -> None:
    assert problems(question, "нет" if "ли" in question else "no", claim, page=claim) == ()


def test_the_numbers_dates_and_names_of_a_short_answer_stand_in_a_statement() -> None:
    question = "How long is the Danube?"
    for short in ("1,230 kilometres", "2,850 kilometres or 1,230 kilometres"):
        assert problems(question, short, DANUBE, page=RIVERS) == ("no receipt for 1,230 in the short answer",)
    for short in ("2,850 kilometres", "2,850 km", "about 2,900 km"):
        assert problems(question, short, DANUBE, page=RIVERS) == ()
    tarn = "Lake Tarn was dammed on 5 May 1931."
    assert problems("When was it dammed?", "6 May 1931", tarn, page=TARN) == (
        "no receipt for 6 May 1931 in the short answer",
    )
    page = "The bridge was built by John Smith. It was paid for by Ann Miller."
    built = "The bridge was built by John Smith."
    assert problems("Who built it?", "Ann Miller", built, page=page) == (
        "no receipt for Ann Miller in the short answer",
    )
    about = "He built the bridge in 1931."
    assert problems("Who built the bridge?", "John Smith", about, page=about, title="John Smith") == ()


def test_the_measure_of_one_thing_is_not_that_of_another() -> None:
    rhine = "The Rhine is 1,230 kilometres long."
    for question in ("How long is the Danube?", "What is the length of the Danube?"):
        for short in ("1,230 kilometres", "2,850 kilometres or 1,230 kilometres"):
            assert problems(question, short, DANUBE, rhine, page=RIVERS) == (
                "1,230 kilometres in the short answer is said of something else",
            )
        assert problems(question, "2,850 km", DANUBE, rhine, page=RIVERS) == ()
        assert (
            problems(question, "2,850 km", "It is 2,850 kilometres long.", rhine, page=RIVERS, title="Danube") == ()
        )
    for question in ("How long is the river that flows through Cologne?", "How long are the Danube and the Rhine?"):
        assert problems(question, "1,230 kilometres", DANUBE, rhine, page=RIVERS) == ()


def test_a_measure_is_answered_by_one_where_the_statements_have_it() -> None:
    claims = ("Lake Tarn is 310 metres deep.", "It was dammed on 5 May 1931.")
    assert problems("How deep is Lake Tarn?", "1931", *claims, page=TARN) == (
        "a measure is asked for, and the short answer is none: the answer says 310 metres",
    )
    for question, short in (
        ("How deep is Lake Tarn?", "310 metres"),
        ("How deep is Lake Tarn?", "310"),
        ("When was Lake Tarn dammed?", "1931"),
        ("How deep is Lake Tarn and when was it dammed?", "1931"),
    ):
        assert problems(question, short, *claims, page=TARN) == ()


@pytest.mark.parametrize(
    "short",
    [
        "not found",
        "Unknown.",
        "It is unknown",
        "I don't know",
        "I don’t know.",
        "The sources do not say.",
        "There is no information on this",
        "неизвестно",
        "Неизвестно, кто",
        "не указано",
        "не упоминается",
        "Источники не сообщают.",
        "Не знаю",
        "Нет сведений",
    ],
)
def test_a_short_answer_that_says_that_there_is_none(short: str) -> None:
    assert is_unknown(short)


@pytest.mark.parametrize(
    "short", ["the Unknown Soldier", "No Country for Old Men", "no", "нет", "Неизвестный солдат"]
)
def test_a_short_answer_that_only_looks_like_none(short: str) -> None:
    assert not is_unknown(short)


@pytest.mark.parametrize(
    ("question", "short"),
    [
        ("Как вы думаете, Земля круглая?", "да"),
        ("When ice melts does it shrink?", "yes"),
        ("What about penguins?", "no"),
        ("Кто-нибудь ещё летал на Луну?", "нет"),
        ("How long will the shop be closed?", "until Monday"),
        ("How long was the reign?", "1914–1918"),
        ("How high is unemployment?", "5.2 %"),
    ],
)
def test_answers_that_are_no_measure_or_a_bare_word_may_fit_their_question(question: str, short: str) -> None:
    text = "The shop is closed for 3 days and 20 km away. Until Monday, 5.2 %, 1914–1918."
    source = Source("corpus:x/p", "Page", "2026-01-01", "0" * 64, "corpus")
    found = check(Draft(short, (DraftClaim(text, (1,)),)), [Quote(text, source, 0, len(text), (1, 1))], question)
    assert not [problem for problem in found.problems if "short answer is" in problem]
