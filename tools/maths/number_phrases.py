"""Phrases about numbers: statistics, divisibility, bases, rounding, percentages, comparisons."""

# ruff: noqa: E501 - a phrase is one line

import re

from crowquill.tools.maths.nodes import Call, Name, Node, Text
from crowquill.tools.maths.slots import Builder, Phrase, Slots, call, number, phrase

_STATISTICS = {
    "mean": "mean|average|arithmetic mean|среднее(?: арифметическое)?(?: чисел)?",
    "median": "median|медиана",
    "mode": "mode|мода",
    "stdev": "sample standard deviation|standard deviation|стандартное отклонение|среднеквадратичное отклонение",
    "pstdev": "population standard deviation",
    "variance": "sample variance|variance|дисперсия",
    "pvariance": "population variance",
    "range": "range|размах",
    "sum": "sum|total|сумма|сумму",
    "product": "product|произведение",
    "min": "minimum|smallest|least|min|lowest|минимум|наименьшее(?: из)?",
    "max": "maximum|largest|greatest|max|highest|максимум|наибольшее(?: из)?",
    "quartiles": "quartiles|квартили",
    "gcd": "gcd|greatest common (?:divisor|factor)|hcf|highest common factor|нод|наибольший общий делитель",
    "lcm": "lcm|least common multiple|lowest common multiple|нок|наименьшее общее кратное",
}
_UNITS = {"whole number": 0, "integer": 0, "unit": 0, "one": 0, "tenth": 1, "hundredth": 2, "thousandth": 3, "ten": -1,
          "hundred": -2, "thousand": -3, "cent": 2, "целого": 0, "целых": 0, "десятых": 1, "сотых": 2, "тысячных": 3,
          "десятка": -1, "сотни": -2, "ten thousand": -4, "million": -6}  # fmt: skip
_BASES = {"binary": 2, "bin": 2, "octal": 8, "oct": 8, "decimal": 10, "hex": 16, "hexadecimal": 16, "двоичн": 2,
          "восьмеричн": 8, "десятичн": 10, "шестнадцатеричн": 16}  # fmt: skip
_BASE = (
    r"(?:(?P<{0}>binary|bin|octal|oct|decimal|hex(?:adecimal)?|roman(?: numerals?)?|base[ -]?\d+|"
    r"(?:двоичн|восьмеричн|десятичн|шестнадцатеричн)\w+(?: систем\w+(?: счисления)?)?|римск\w+(?: цифр\w+)?)(?: (?:form|notation|number))?)"
)
_TO = r"(?:to|in|into|as|в)"


def _statistic(name: str) -> Builder:
    def build(slots: Slots) -> Node:
        return Call(name, slots.values("items"))

    return build


def _rounded(slots: Slots) -> Node:
    unit = slots.raw("unit").lower()
    places = number(str(abs(_UNITS[unit]))) if unit else slots["n"]
    if slots.raw("what").startswith("sig"):
        return call("significant", slots["f"], places)
    if unit and _UNITS[unit] < 0:
        places = call("neg", places)
    return call("round", slots["f"], places)


def _digits(slots: Slots) -> Node:
    return call("numeric", slots["f"], slots["n"])


def _base(words: str) -> str:
    """Return the base that words name, "roman" for Roman numerals."""
    words = words.lower()
    if words.startswith(("roman", "римск")):
        return "roman"
    if found := re.search(r"\d+", words):
        return found[0]
    return next(str(base) for name, base in _BASES.items() if words.startswith(name))


def _converted(slots: Slots) -> Node | None:
    target = _base(slots.raw("to"))
    text = slots.raw("f").replace(" ", "")
    source = _base(slots.raw("source")) if "source" in slots else ""
    if found := re.fullmatch(r"0([xbo])([0-9a-fA-F]+)", text):
        source, text = {"x": "16", "b": "2", "o": "8"}[found[1]], found[2]
    if not source and re.fullmatch("[IVXLCDM]+", text):
        source = "roman"
    if source == "roman":
        value: Node = call("from_roman", Text(text))
    elif source not in ("", "10"):
        value = call("from_base", Text(text), number(source))
    else:
        value = slots["f"]
    if target == "10":
        return value
    return call("roman", value) if target == "roman" else call("base", value, number(target))


def _literal(slots: Slots) -> Node:
    text = slots.raw("f")
    return call("from_base", Text(text[2:]), number({"x": "16", "b": "2", "o": "8"}[text[1].lower()]))


def _compared(slots: Slots) -> Node:
    return call("compare", slots["a"], slots["b"])


_K = Name("k")
_PERCENT = r"(?P<p>[\d.,]+) ?(?:%|percent|per cent|процент(?:а|ов)?)"
_N = r"(?P<f>.+?)"


def _percent(slots: Slots) -> Node:
    return call("pct", slots["p"])


def _more(sign: str) -> Builder:
    return lambda slots: call("*", slots["f"], call(sign, number("1"), _percent(slots)))


NUMBER_PHRASES: tuple[Phrase, ...] = (
    *(
        phrase(rf"(?:{words}) (?:of |between |из )?(?:the )?(?:numbers |values |data |set |чисел )?:?\s*[\[({{]?(?P<items>[^\]}}]*?,[^\]}}]*?|-?[\d.]+(?: -?[\d.]+)+)[\])}}]?", _statistic(name))
        for name, words in _STATISTICS.items()
    ),
    *(
        phrase(rf"(?:{words}) (?:of |between |из )?(?:the )?(?:numbers )?(?P<items>.+? (?:and|и) .+)", _statistic(name))
        for name, words in _STATISTICS.items()
    ),
    phrase(
        r"sum of (?:the |all )?(?:integers|numbers|whole numbers|natural numbers)?\s*(?:from )?(?P<a>\d+) (?:to|through) (?P<b>\d+)",
        lambda slots: call("sum", _K, call("tuple", _K, slots["a"], slots["b"])),
    ),
    phrase(r"difference (?:between|of) (?P<a>.+) and (?P<b>.+)", lambda slots: call("-", slots["a"], slots["b"])),
    phrase(r"ratio of (?P<a>.+) to (?P<b>.+)", lambda slots: call("/", slots["a"], slots["b"])),
    # divisibility
    phrase(r"is (?P<f>.+?) (?:a )?prime(?: number)?", lambda slots: call("is_prime", slots["f"])),
    phrase(r"(?:является ли |простое ли )(?:число )?(?P<f>.+?)(?: простым(?: числом)?)?", lambda slots: call("is_prime", slots["f"])),
    phrase(r"(?:prime factors|prime factori[sz]ation|factor(?:i[sz]e|s into primes)?|factori[sz]ation|простые множители(?: числа)?|разложи(?:те|ть)? на простые множители)(?: of)? (?P<f>[\d ,^!*]+)", lambda slots: call("factorint", slots["f"])),
    phrase(r"разложи(?:те|ть)?(?: число)? (?P<f>\d+) на (?:простые )?множители", lambda slots: call("factorint", slots["f"])),
    phrase(r"(?:all )?(?:divisors|factors|делители)(?: of| числа)? (?P<f>[\d ,]+)", lambda slots: call("divisors", slots["f"])),
    phrase(r"(?:number of divisors|how many divisors)(?: of| does)? (?P<f>\d+)(?: have)?", lambda slots: call("divisor_count", slots["f"])),
    phrase(r"is (?P<a>.+?) (?:divisible by|a multiple of) (?P<b>.+)", lambda slots: call("=", call("mod", slots["a"], slots["b"]), number("0"))),
    phrase(r"is (?P<f>[^\s]+) (?:an )?(?P<w>even|odd)(?: number)?", lambda slots: call("=", call("mod", slots["f"], number("2")), number("0" if slots.raw("w").lower() == "even" else "1"))),
    phrase(r"is (?P<f>[^\s]+) a perfect square", lambda slots: call("=", call("frac", call("sqrt", slots["f"])), number("0"))),
    phrase(r"(?P<f>\d+)(?:st|nd|rd|th) prime(?: number)?", lambda slots: call("prime", slots["f"])),
    phrase(r"(?P<f>\d+)(?:st|nd|rd|th) fibonacci(?: number)?", lambda slots: call("fibonacci", slots["f"])),
    phrase(r"next prime (?:after|above|following) (?P<f>.+)", lambda slots: call("nextprime", slots["f"])),
    phrase(r"(?:previous prime before|largest prime below|prime before) (?P<f>.+)", lambda slots: call("prevprime", slots["f"])),
    phrase(r"(?:number of|how many) primes (?:below|less than|under|up to) (?P<f>\S+)", lambda slots: call("primepi", slots["f"])),
    phrase(r"remainder (?:when|of) (?P<a>.+?) (?:is )?(?:divided by|/) (?P<b>.+)", lambda slots: call("mod", slots["a"], slots["b"])),
    phrase(r"остаток от деления (?P<a>.+?) на (?P<b>.+)", lambda slots: call("mod", slots["a"], slots["b"])),
    phrase(r"(?:modular )?inverse of (?P<a>\d+) (?:mod|modulo) (?P<b>\d+)", lambda slots: call("modular_inverse", slots["a"], slots["b"])),
    phrase(r"(?P<a>[^\s]+) choose (?P<b>[^\s]+)", lambda slots: call("binomial", slots["a"], slots["b"])),
    phrase(r"(?:number of )?(?P<w>combinations|permutations) of (?P<a>\d+) (?:items |things |objects )?(?:taken |choose )?(?P<b>\d+)(?: at a time)?", lambda slots: call("binomial" if slots.raw("w").lower()[0] == "c" else "permutations", slots["a"], slots["b"])),
    phrase(r"(?:digital sum|sum of (?:the )?digits|digit sum|сумма цифр)(?: of| in| числа)? (?P<f>.+)", lambda slots: call("digit_sum", slots["f"])),
    phrase(r"(?:how many|number of) digits (?:are )?(?:in|of|does) (?P<f>.+?)(?: have)?", lambda slots: call("digits", slots["f"])),
    # bases
    phrase(rf"(?:convert |write |переведи(?:те)? )?(?:{_BASE.format('source')} )?(?P<f>[0-9A-Za-z]+|\d[\d ,]*) {_TO} {_BASE.format('to')}", _converted),
    phrase(rf"(?:convert |переведи(?:те)? )?(?P<f>[0-9A-Za-z]+) (?:(?:from|из|in) )?{_BASE.format('source')} {_TO} {_BASE.format('to')}", _converted),
    phrase(r"(?P<f>0[xbo][0-9a-fA-F]+)", _literal),
    # rounding
    phrase(r"(?:round|округли(?:те|ть)?) (?P<f>.+?) (?:to|до) (?P<n>\d+) (?P<what>significant|sig\w*)? ?(?:(?:decimal )?(?:places?|digits?|decimals?|figures?|figs?)|знак\w*(?: после запятой)?)", _rounded),
    phrase(rf"(?:round|округли(?:те|ть)?) (?P<f>.+?) (?:to(?: the)?(?: nearest)?|до) (?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})s?", _rounded),
    phrase(r"(?P<f>.+?) (?:rounded )?to (?P<n>\d+) (?P<what>sig\w*) (?:digits?|figures?|figs?)", _rounded),
    phrase(r"(?P<f>.+?) rounded to (?P<n>\d+) (?:decimal )?(?:places?|digits?|decimals?)", _rounded),
    phrase(r"(?P<f>.+?) (?:to|до) (?P<n>\d+) (?:digits?|decimals?|decimal places?|знак\w*)", _digits),
    phrase(r"(?:first )?(?P<n>\d+) digits of (?P<f>.+)", _digits),
    # percentages
    phrase(rf"{_PERCENT} (?:off|discount on|скидк[аи] (?:на|от|с)) {_N}", _more("-")),
    phrase(rf"{_N} (?:with a|minus a|со скидкой) {_PERCENT}(?: discount| off)?", _more("-")),
    phrase(rf"(?:increase )?{_N} (?:increased by|by|plus|увеличить на|увеличенное на) {_PERCENT}", lambda slots: _more("+")(slots) if re.search("incr|plus|увелич", slots.whole, re.IGNORECASE) else None),
    phrase(rf"(?:decrease |reduce )?{_N} (?:decreased by|reduced by|by|less|уменьшить на|уменьшенное на) {_PERCENT}", lambda slots: _more("-")(slots) if re.search("decr|reduc|less|уменьш", slots.whole, re.IGNORECASE) else None),
    phrase(rf"{_PERCENT} (?P<w>more|less|больше|меньше) (?:than|чем)? ?{_N}", lambda slots: _more("+" if slots.raw("w").lower() in ("more", "больше") else "-")(slots)),
    phrase(r"what (?:percent(?:age)?|%) of (?P<b>.+?) is (?P<a>.+)", lambda slots: call("percent", slots["a"], slots["b"])),
    phrase(r"(?P<a>[^\s]+) is what (?:percent(?:age)?|%) of (?P<b>.+)", lambda slots: call("percent", slots["a"], slots["b"])),
    phrase(r"(?P<a>.+?) as a (?:percent(?:age)?|%) of (?P<b>.+)", lambda slots: call("percent", slots["a"], slots["b"])),
    phrase(r"сколько процентов (?:составляет )?(?P<a>[\d.,]+) от (?P<b>.+)", lambda slots: call("percent", slots["a"], slots["b"])),
    phrase(r"(?:percent(?:age)? (?:change|increase|decrease|difference)) (?:from|between) (?P<a>.+?) (?:to|and) (?P<b>.+)", lambda slots: call("percent", call("-", slots["b"], slots["a"]), slots["a"])),
    phrase(rf"compound interest (?:on|for) (?P<f>.+?) at {_PERCENT}(?: (?:per year|a year|annually))? (?:for|over) (?P<n>\d+) years?", lambda slots: call("*", slots["f"], call("-", call("^", call("+", number("1"), _percent(slots)), slots["n"]), number("1")))),
    # comparisons
    phrase(r"(?:compare|сравни(?:те|ть)?) (?P<a>.+?) (?:and|with|to|vs\.?|versus|,|и|с) (?P<b>.+)", _compared),
    phrase(r"(?P<a>[\d.,/^*()+-]+) (?:vs\.?|versus) (?P<b>[\d.,/^*()+-]+)", _compared),
    phrase(r"(?:which|what)(?: number| one)? is (?:larger|bigger|greater|smaller|less|higher|lower|more)\s*[,:?-]?\s*(?P<a>.+?),? or (?P<b>.+)", _compared),
    phrase(r"что (?:больше|меньше)\s*[,:-]?\s*(?P<a>.+?) или (?P<b>.+)", _compared),
    phrase(r"is (?P<f>.+(?:[<>=]| (?:greater|larger|bigger|less|smaller) than ).+)", lambda slots: slots["f"]),
    phrase(r"(?:half|половина)(?: of| от)? (?!an? )(?P<f>.+)", lambda slots: call("/", slots["f"], number("2"))),
    phrase(r"(?:twice|double) (?P<f>.+)", lambda slots: call("*", number("2"), slots["f"])),
    phrase(r"(?:one |a )?(?P<w>third|quarter|fifth|tenth|hundredth) of (?P<f>.+)", lambda slots: call("/", slots["f"], number({"third": "3", "quarter": "4", "fifth": "5", "tenth": "10", "hundredth": "100"}[slots.raw("w").lower()]))),
)  # fmt: skip
