"""Words that turn a statement into its opposite, English and Russian. Data, and how to read it."""

import re
from collections.abc import Mapping

from crowquill.memory.textual import fold, stem
from crowquill.memory.words import STOP_WORDS

_PAIRS = """
increase increased rise rose risen grow grew grown gain gained / decrease decreased fall fell fallen decline declined drop dropped shrink shrank
accelerate accelerated / slow slowed
first / last
before / after
north northern / south southern
east eastern / west western
win won / lose lost
victory / defeat
open opened opening / close closed closing
born / died
buy bought / sell sold
accept accepted approve approved adopt adopted pass passed / reject rejected veto vetoed refuse refused
abolish abolished repeal repealed / uphold upheld introduce introduced retain retained keep kept
allow allowed permit permitted legal / forbid forbidden ban banned prohibit prohibited illegal
begin began begun start started / end ended finish finished stop stopped
succeed succeeded success / fail failed failure
majority / minority
above / below
import imported imports / export exported exports
profit profits / loss losses
maximum / minimum
always / never
often frequently usually commonly regularly / rarely seldom
support supported / oppose opposed
arrive arrived / depart departed leave left
male man men / female woman women
public / private
married / unmarried divorced single
left / right
hot / cold
early / late
wet / dry
rich / poor
true / false
safe / dangerous unsafe
winter / summer
ancestor / descendant
father / son
mother / daughter
join joined / leave left
win winning / losing
вырос выросла выросло выросли увеличился увеличилась увеличилось увеличились рост повысился повысилась поднялся поднялась / снизился снизилась снизилось снизились упал упала упало упали сократился сократилась сократилось сократились уменьшился уменьшилась спад
первый первая первое первым / последний последняя последнее последним
до / после
север северный северная северной северном севере / юг южный южная южной южном юге
восток восточный восточная восточной востоке / запад западный западная западной западе
выиграл выиграла выиграли победил победила победа / проиграл проиграла проиграли поражение
открыт открыта открыто открыли открылся открылась / закрыт закрыта закрыто закрыли закрылся закрылась
родился родилась / умер умерла скончался скончалась
купил купила купили / продал продала продали
разрешил разрешили разрешено / запретил запретили запрещено
начал начала начался началась начали начало / закончил закончился закончилась завершил завершился завершилась конец
прибыль / убыток убытки
импорт / экспорт
старше / младше моложе
выше / ниже
больше более / меньше менее
длиннее / короче
тяжелее / легче
большинство / меньшинство
поддержал поддержала поддержали / отверг отвергла отвергли
левый левом левого / правый правом правого
зимой зима / летом лето
быстрее / медленнее
бесплатный бесплатно / платный платно
часто обычно регулярно / редко изредка
"""
_COMPARED = """
more / less fewer
longer longest / shorter shortest
higher highest taller tallest / lower lowest
larger largest bigger biggest greater / smaller smallest
heavier heaviest / lighter lightest
older oldest / younger youngest newer newest
faster fastest / slower slowest
deeper deepest / shallower shallowest
wider widest / narrower narrowest
earlier earliest / later latest
best better / worst worse
north south / south north
старше / младше моложе
выше / ниже
длиннее / короче
"""
_QUANTIFIERS = {
    word: quantity
    for quantity, words in {
        "all": "all every each все всех всем всеми каждый каждая каждое каждого каждой",
        "most": "most большинство большинства",
        "many": "many многие многих многим",
        "some": "some several некоторые некоторых некоторым",
        "few": "few немногие немногих немногим",
    }.items()
    for word in words.split()
}
LESS = {
    "all": frozenset(("most", "many", "some", "few")),
    "most": frozenset(("some", "few")),
    "many": frozenset(("few",)),
    "few": frozenset(("many", "most", "all")),
}
"""What is said of so many, and of how many the evidence then must not say it."""
_QUANTIFIED = re.compile(
    rf"(?:\b(the|an?|not|не)\s+)?\b({'|'.join(_QUANTIFIERS)})\s+(?:of\s+|из\s+)?(?:the\s+|its\s+|their\s+|his\s+|her\s+|\d+\s+)*"
    r"([^\W\d_]+)",
    re.IGNORECASE,
)
_CUES = frozenset(
    """
    not no never none neither nor without cannot hardly barely fail failed fails refuse refused refuses deny denied
    denies lack lacks lacked unable не ни нет без никогда нельзя отказался отказалась отказались
    """.split()  # noqa: SIM905
)
_BOUNDS = frozenset(
    """
    only just merely simply least more less fewer later earlier until than
    только просто менее более меньше больше позднее позже ранее раньше лишь
    """.split()  # noqa: SIM905
)
_CLOSED = frozenset(", ; : . ! ? ( ) — – but and or while а но и или".split())  # noqa: SIM905
_SHORT_SCOPE = frozenset(("не", "ни", "нет", "без"))
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[,;:.!?()—–]")


def is_denied(text: str) -> bool:
    """Say whether a text holds a word that denies."""
    return any(map(_denies, _TOKEN.findall(fold(text).lower())))


def _denies(token: str) -> bool:
    return token in _CUES or token.endswith(("n't", "n’t"))


def _read(text: str) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for line in text.strip().splitlines():
        sides = [[stem(word) for word in side.split()] for side in line.split("/")]
        for one, other in ((0, 1), (1, 0)):
            for word in sides[one]:
                found.setdefault(word, set()).update(sides[other])
    return {word: frozenset(others - {word}) for word, others in found.items()}


OPPOSITES = _read(_PAIRS)
"""Stem → stems of its opposites, whatever they are said of."""
COMPARED = _read(_COMPARED)
"""The same for comparatives, where the order of the two names counts, too."""


def polarity(text: str) -> dict[str, set[bool]]:
    """Return, for the stem of each word, whether it is denied: True after "not" in its reach, False elsewhere.

    A denial reaches three words on in English, one or two in Russian, and ends at punctuation and conjunctions.
    "not only", "no more than" and "not until" deny nothing.
    """
    found: dict[str, set[bool]] = {}
    reach = 0
    tokens = _TOKEN.findall(fold(text).lower())
    for place, token in enumerate(tokens):
        if token in _CLOSED:
            reach = 0
        elif _denies(token):
            ahead = tokens[place + 1 : place + 6]
            if not (ahead and ahead[0] in _BOUNDS) and "until" not in ahead and not (ahead and ahead[0] == "."):
                reach = 2 if token in _SHORT_SCOPE else 3
        elif token not in STOP_WORDS or stem(token) in OPPOSITES:
            found.setdefault(stem(token), set()).add(reach > 0)
            reach = max(reach - (not token.isdigit()), 0)
    return found


def quantities(text: str) -> dict[str, set[str]]:
    """Return, for the stem of each word behind "all", "most", "many", "some" or "few", which of these it is."""
    found: dict[str, set[str]] = {}
    for before, word, noun in _QUANTIFIED.findall(fold(text).lower()):
        quantity = "some" if before in ("a", "not", "не") else _QUANTIFIERS[word]
        if noun not in STOP_WORDS and (before, quantity) != ("the", "most"):
            found.setdefault(stem(noun), set()).add(quantity)
    return found
