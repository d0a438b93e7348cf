"""What code takes for an objection: it speaks of what the answer says, and says otherwise."""

import pytest

from crowquill.agent.critic.objections import opposes

DEEP = ("How deep is Lake Tarn?", "Lake Tarn is 310 metres deep.", "310 metres")
NORWAY = ("How deep is Lake Tarn?", "Lake Tarn in Norway is 310 metres deep.", "310 metres")
DAM = ("Who built the dam on Lake Tarn?", "The dam on Lake Tarn was built by Holm in 1931.", "Holm")
CAPITAL = ("What is the capital of Australia?", "Canberra is the capital of Australia.", "Canberra")
GOLD = ("At what temperature does gold melt?", "Gold melts at 1,064 °C.", "1,064 °C")
BORN = ("When was Marie Curie born?", "Marie Curie was born in 1867.", "1867")
TREATY = ("Was the treaty of Tarn accepted?", "The treaty of Tarn was accepted in 1931.", "yes")
DEPTH_RU = ("Какова глубина озера Тарн?", "Глубина озера Тарн 310 метров.", "310 метров")
DAM_RU = ("Кто построил плотину на озере Тарн?", "Плотину на озере Тарн построил Холм в 1931 году.", "Холм")
CAPITAL_RU = ("Какова столица Австралии?", "Столица Австралии — Канберра.", "Канберра")

AGAINST = [
    (DEEP, "Lake Tarn is 290 metres deep."),
    (DEEP, "Lake Tarn has a depth of 290 m."),
    (DEEP, "The lake's depth is 290 metres in its northern basin."),
    (DEEP, "Lake Tarn is not deep."),
    (DAM, "The dam on Lake Tarn was built by Berg."),
    (DAM, "Berg built the dam on Lake Tarn in 1931."),
    (DAM, "The dam on Lake Tarn was built in 1950."),
    (CAPITAL, "The capital of Australia is Sydney."),
    (GOLD, "The melting point of gold is 1,100 °C."),
    (BORN, "Marie Curie was born on 7 November 1868."),
    (TREATY, "The treaty of Tarn was rejected by parliament."),
    (("When was Lake Tarn dammed?", "Lake Tarn was dammed in 1931."), "It was never dammed."),
    (("Is Tarn deeper than Bygd?", "Tarn is deeper than Bygd.", "yes"), "Bygd is deeper than Tarn."),
    (DEPTH_RU, "Озеро Тарн имеет глубину 290 метров."),
    (DAM_RU, "Плотину на озере Тарн построил Берг."),
    (CAPITAL_RU, "Столица Австралии — Сидней."),
]
NONE = [
    (DEEP, "Lake Tarn was dammed in 1931."),
    (DEEP, "Lake Tarn has a depth of 310 m."),
    (DEEP, "Lake Tarn is 12 km long."),
    (DEEP, "Lake Tarn was not dammed."),
    (DEEP, "Lake Bygd is 290 metres deep."),
    (DEEP, "The Danube is 2,850 kilometres long."),
    (NORWAY, "According to Kartverket, Lake Tarn is 310 metres deep."),
    (DAM, "Holm built the dam on Lake Tarn."),
    (DAM, "Lake Tarn is 310 metres deep."),
    (CAPITAL, "Sydney is the largest city of Australia."),
    (CAPITAL, "Australia became a federation in 1901."),
    (GOLD, "Silver melts at 961 °C."),
    (BORN, "Marie Curie died in 1934."),
    (BORN, "Marie Curie was born on 7 November 1867."),
    (DEPTH_RU, "Озеро Тарн перекрыто плотиной в 1931 году."),
    (DEPTH_RU, "Глубина озера Тарн составляет 310 м."),
    (DAM_RU, "Плотину на озере Тарн построил Холм."),
    (DAM_RU, "Глубина озера Тарн 310 метров."),
]


@pytest.mark.parametrize(("answer", "said"), AGAINST)
def test_what_says_otherwise_opposes(answer: tuple[str, ...], said: str) -> None:
    assert opposes(said, answer[1:], answer[0])


@pytest.mark.parametrize(("answer", "said"), NONE)
def test_what_is_beside_the_point_or_the_same_does_not(answer: tuple[str, ...], said: str) -> None:
    assert not opposes(said, answer[1:], answer[0])
