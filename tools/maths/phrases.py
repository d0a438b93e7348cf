"""Phrases that people use for computations, in English and Russian: pattern and what it means.

A part is captured as text and read again, so that phrases nest. The first pattern that fits the whole text wins.
"""

# ruff: noqa: E501 - a phrase is one line

import re

from crowquill.tools.maths.day_phrases import DAY_PHRASES
from crowquill.tools.maths.nodes import Call, Name, Node
from crowquill.tools.maths.number_phrases import NUMBER_PHRASES
from crowquill.tools.maths.slots import Builder, Phrase, Slots, call, number, phrase
from crowquill.tools.maths.word_phrases import WORD_PHRASES

_VARIABLE = r"(?P<v>[^\W\d_]|theta|alpha|beta|phi)"
_BY = rf"(?:,? (?:with respect to|wrt|in|for|over|по) {_VARIABLE})?"
_FROM_TO = r"(?P<a>.+?) (?:to|до) (?P<b>.+?)"
_DIFFERENTIAL = re.compile(r"\s*\*?\s*\bd\s?([a-zA-Zθφ])$")
_ARROW = r"(?: ?-> ?| approaches | goes to | tends to | стремится к |, стремящемся к | стремящемся к )"
_SIDE = r"(?:,? (?:from|on)? ?(?:the )?(?P<side>left|right|above|below|слева|справа))?"
_SOLVE = r"(?:solve|find|решить|реши(?:те)?)(?: the| these)?"
_EQUATION = r"(?: (?:equations?|inequalit(?:y|ies)|system(?: of equations)?|уравнени[еяй]|систему(?: уравнений)?|неравенство))?:?"
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5,
             "первая": 1, "вторая": 2, "третья": 3, "первую": 1, "вторую": 2, "третью": 3}  # fmt: skip
_ORDINAL = rf"(?P<n>{'|'.join(_ORDINALS)})"


def _integral(slots: Slots) -> Node:
    text, variable = slots.raw("f"), slots.raw("v")
    if found := _DIFFERENTIAL.search(text):
        text, variable = text[: found.start()], variable or found[1]
    function = slots.read(text or "1")
    if "a" not in slots:
        return call("integrate", function, *([Name(variable)] if variable else []))
    bounds = [slots["a"], slots["b"]]
    return call("integrate", function, Call("tuple", (*([Name(variable)] if variable else []), *bounds)))


def _derivative(slots: Slots) -> Node:
    order = str(_ORDINALS[slots.raw("n").lower()]) if slots.raw("n") else slots.raw("order") or "1"
    variable = [slots.variable("v")] if "v" in slots else []
    node = call("diff", slots["f"], *variable, *([number(order)] if order != "1" else []))
    return call("at", node, slots["p"]) if "p" in slots else node


def _equations(slots: Slots) -> Node:
    node = slots.listed("e")
    if isinstance(node, Call) and node.name == "list" and len(node.args) == 1:
        node = node.args[0]
    names = [name for name in re.split(r"[,\s]+|\band\b|\bи\b", slots.raw("v")) if name]
    return call("solve", node, *([call("list", *map(Name, names))] if names else []))


def _limit(slots: Slots) -> Node:
    side = slots.raw("side").lower()
    tail = [Name("left" if side in ("left", "below", "слева") else "right")] if side else []
    return call("limit", slots["f"], slots.variable("v"), slots["p"], *tail)


def _summed(name: str) -> Builder:
    def build(slots: Slots) -> Node:
        return call(name, slots["f"], call("tuple", slots.variable("v"), slots["a"], slots["b"]))

    return build


def _series(slots: Slots) -> Node:
    order = [slots["order"]] if "order" in slots else []
    variable = slots.variable("v") if "v" in slots else Name("x")
    return call("series", slots["f"], variable, slots["p"] if "p" in slots else number("0"), *order)


def _plot(slots: Slots) -> Node:
    bounds = [slots["a"], slots["b"]] if "a" in slots else []
    return call("plot", slots.listed("f"), *bounds)


def _of(name: str) -> Builder:
    return lambda slots: call(name, slots["f"])


def _at(slots: Slots) -> Node:
    return call("at", slots["f"], *slots.values("p"))


_EVERY_DIGIT = r"(?P<v>\w) ?(?:=|from|от) ?"

PHRASES: tuple[Phrase, ...] = (
    *WORD_PHRASES,
    *DAY_PHRASES,
    # calculus
    phrase(
        r"(?:definite |indefinite |определённый |определенный )?"
        r"(?:integrate|integral(?: of)?|antiderivative of|интеграл(?: от)?|проинтегрируй(?:те)?|area under) "
        r"(?:of )?_ ?(?P<a>\([^()]*\)|\S+?) ?\^ ?(?P<b>\([^()]*\)|\S+) (?P<f>.+)",
        _integral,
    ),
    phrase(rf"(?:definite )?integral from {_FROM_TO} of (?P<f>.+?){_BY}", _integral),
    phrase(
        r"(?:definite |indefinite |определённый |определенный )?"
        r"(?:integrate|integral(?: of)?|antiderivative of|интеграл(?: от)?|проинтегрируй(?:те)?|area under(?: the curve)?) "
        rf"(?P<f>.+?){_BY}(?:,? (?:from|for|between|от|в пределах от)(?: {_VARIABLE.replace('<v>', '<v2>')} ?=?)? "
        rf"(?P<a>.+?) (?:to|and|до) (?P<b>.+?))?{_BY.replace('<v>', '<v3>')}",
        _integral,
    ),
    phrase(
        rf"(?:(?:the )?{_ORDINAL} )?(?:partial )?(?:derivative(?: of)?|differentiate|производн(?:ая|ую)(?: от| функции)?|"
        rf"продифференцируй(?:те)?|slope of) (?P<f>.+?){_BY}(?:,? (?:at|when|for|при|в точке) (?P<p>[^\W\d_] ?= ?.+))?",
        _derivative,
    ),
    phrase(r"d(?:\^\(?(?P<order>\d)\)?)? ?/ ?d ?(?P<v>[a-zA-Z])(?:\^\(?\d\)?)? ?(?P<f>.+)", _derivative),
    phrase(rf"(?:limit|предел)(?: of)? (?P<f>.+?),? (?:as|при|when) {_VARIABLE}{_ARROW}(?P<p>.+?){_SIDE}", _limit),
    phrase(rf"lim(?:it)?\s*_?\(?{_VARIABLE}\s*->\s*(?P<p>[^\s()]+)\)?{_SIDE} (?:of )?(?P<f>.+)", _limit),
    phrase(
        rf"(?:sum|сумма|сумму)(?: of)? (?P<f>.+?),? (?:for |from |as |where |при |для |по )?{_EVERY_DIGIT}{_FROM_TO}",
        _summed("sum"),
    ),
    phrase(rf"(?:sum|сумма) (?:from|for|over) {_EVERY_DIGIT}{_FROM_TO} (?:of )?(?P<f>.+)", _summed("sum")),
    phrase(
        rf"(?:product|произведение)(?: of)? (?P<f>.+?),? (?:for |from |при |для |по )?{_EVERY_DIGIT}{_FROM_TO}",
        _summed("product"),
    ),
    phrase(
        r"(?:(?:taylor|maclaurin|power) )?(?:series|expansion)(?: expansion)?(?: of| for)? (?P<f>.+?)"
        rf"(?: (?:at|around|about|near|in) (?:{_VARIABLE} ?= ?)?(?P<p>.+?))?(?:,? (?:to|up to|of)(?: the)? "
        r"(?:order|degree) (?P<order>\d+))?",
        _series,
    ),
    phrase(
        r"ряд (?:тейлора|маклорена)(?: для| функции)? (?P<f>.+?)(?: (?:в точке|в окрестности|около) (?:\w ?= ?)?(?P<p>.+?))?"
        r"(?: до порядка (?P<order>\d+))?",
        _series,
    ),
    # algebra
    phrase(rf"{_SOLVE} for (?P<v>\w(?:(?:, ?| and )\w)*)[:,]? (?:in |if |when |given )?(?P<e>.+)", _equations),
    phrase(
        rf"{_SOLVE}{_EQUATION} (?P<e>.+?[=<>].+?)"
        r"(?:,? (?:for|относительно|по|in terms of) (?P<v>\w(?:(?:, ?| and | и )\w)*))?",
        _equations,
    ),
    phrase(r"(?P<e>.+=.+?),? (?:solve )?for (?P<v>\w)", _equations),
    phrase(r"(?:find )?(?P<v>\w) (?:if|such that|given(?: that)?|where|when|если) (?P<e>.+=.+)", _equations),
    phrase(r"(?:roots?|zeros?|zeroes|solutions?|корни|корень(?= уравнения)|нули)(?: of| уравнения| многочлена| функции)?(?: the)? (?P<f>.*[^\W\d].*)", _of("solve")),
    phrase(
        r"(?:factor(?:i[sz]e)?|factori[sz]ation of|разложи(?:те|ть)? на множители|разложение на множители)(?: of)? (?P<f>.*[^\W\d].*)",
        _of("factor"),
    ),
    phrase(r"(?:expand|multiply out|раскрой(?:те)? скобки(?: в)?|раскрыть скобки(?: в)?) (?P<f>.+)", _of("expand")),
    phrase(r"(?:simplify|упрости(?:те|ть)?(?: выражение)?) (?P<f>.+)", _of("simplify")),
    phrase(r"partial fractions?(?: decomposition)?(?: of)? (?P<f>.+)", _of("apart")),
    phrase(
        r"(?P<f>.+),? (?:where|when|for|at|if|при|если|где) (?P<p>[^\W\d_]\w* ?= ?.+)", _at
    ),
    # matrices
    phrase(r"(?:determinant|det|определитель)(?: of)?(?: the)?(?: matrix| матрицы)? (?P<f>[\[({].+)", _of("det")),
    phrase(r"(?:inverse|invert|обратн(?:ая|ую) матриц(?:а|у))(?: of| к| для)?(?: the)?(?: matrix| матрице| матрицы)? (?P<f>[\[({].+)", _of("inv")),
    phrase(r"(?:eigenvalues|собственные (?:значения|числа))(?: of)?(?: the)?(?: matrix| матрицы)? (?P<f>[\[({].+)", _of("eigenvalues")),
    phrase(r"eigenvectors(?: of)?(?: the)?(?: matrix)? (?P<f>[\[({].+)", _of("eigenvectors")),
    phrase(r"(?:rank|ранг)(?: of)?(?: the)?(?: matrix| матрицы)? (?P<f>[\[({].+)", _of("rank")),
    phrase(r"(?:trace|след)(?: of)?(?: the)?(?: matrix| матрицы)? (?P<f>[\[({].+)", _of("trace")),
    phrase(r"transpose(?: of)?(?: the)?(?: matrix)? (?P<f>[\[({].+)", _of("transpose")),
    phrase(r"(?P<a>\[.+\]) (?:dot|cross) (?P<b>\[.+\])", lambda slots: call("cross" if re.search(r"\]\s+cross", slots.whole) else "dot", slots["a"], slots["b"])),
    # graphs
    phrase(r"(?:plot|graph|draw|построй(?:те)? график|график)(?: of| функции)? (?P<f>.+?)(?:,? (?:from|for|between|от) (?:\w ?=? ?(?:from )?)??" + _FROM_TO.replace("to|до", "to|and|до|\\.\\.") + ")?", _plot),
    *NUMBER_PHRASES,
)  # fmt: skip
