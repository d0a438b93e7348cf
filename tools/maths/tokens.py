"""What people type, as a list of known words, signs and numbers; anything else is refused."""

import re
from dataclasses import dataclass
from typing import Literal

from crowquill.errors import ToolRetry
from crowquill.tools.maths.vocabulary import split_name

Kind = Literal["number", "name", "sign", "open", "close", "comma", "bar", "bang", "percent", "prime"]

_CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("\u00a0\u202f\u2009\t\n\r", " "),
        **dict.fromkeys("×·⋅∙", "*"),
        **dict.fromkeys("÷∕⁄", "/"),
        **dict.fromkeys("−–‒", "-"),
        "≤": "<=",
        "≥": ">=",
        "≠": "!=",
        "∞": " infinity ",
        "π": " pi ",
        "√": " sqrt ",
        "∛": " cbrt ",
        "∫": " integral of ",
        "∑": " sum of ",
        "∂": "d",
        "→": "->",
        "’": "'",
        "′": "'",
        "″": "''",
        "µ": "μ",
        "½": "(1/2)",
        "⅓": "(1/3)",
        "⅔": "(2/3)",
        "¼": "(1/4)",
        "¾": "(3/4)",
        "⅕": "(1/5)",
        "⅛": "(1/8)",
        "⅜": "(3/8)",
        "⅝": "(5/8)",
        "⅞": "(7/8)",
        "‰": "/1000",
        "Ω": "Ω",
    }
)
_SUPERSCRIPT = re.compile("[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+|ⁿ|ˣ")
_PLAIN_DIGITS = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹ⁿˣ", "+-0123456789nx")
_FEET = re.compile(r"(?<![\d'’])(\d+) ?['’′] ?(?:(\d+(?:\.\d+)?) ?(?:[\"”″]|''))?(?=\s|$)")
_SIDE = re.compile(r"""(?<=,)\s*['"]([+-])['"]""")
_LOG_BASE = re.compile(r"(?:the )?log(?:arithm)?(?: to the)? base (\w{1,8})(?: of)?(?=\W)", re.IGNORECASE)
_MIXED = re.compile(r"(?<![\d.,])(\d{1,6}) ?([½⅓⅔¼¾⅕⅛⅜⅝⅞])")

_WORDS = {
    r"multiplied\s+by|times|умножить\s+на|помножить\s+на|умноженное\s+на": "*",
    r"divided\s+by|over|разделить\s+на|поделить\s+на|делённое\s+на|деленное\s+на": "/",
    r"plus|плюс|прибавить": "+",
    r"minus|минус|отнять|вычесть": "-",
    r"squared|в\s+квадрате": "^2",
    r"cubed|в\s+кубе": "^3",
    r"(?:raised\s+)?to\s+the\s+power(?:\s+of)?|в\s+степени": "^",
    r"mod(?:ulo)?|по\s+модулю": "mod",
    r"per\s?cent(?!\s*\()|процент(?:а|ов)?": "%",
    r"(?:is\s+)?(?:greater|more|larger|bigger)\s+than|больше": ">",
    r"(?:is\s+)?(?:less|smaller)\s+than|меньше": "<",
    r"(?:is\s+)?equals?(?:\s+to)?|равно": "=",
    r"(?:the\s+)?square\s+root\s+(?:of|from)|квадратн\w+\s+корень\s+из|корень\s+(?:квадратный\s+)?из": "sqrt",
    r"(?:the\s+)?cube\s+root\s+of|кубическ\w+\s+корень\s+из|корень\s+кубический\s+из": "cbrt",
    r"(?:the\s+)?(?:absolute\s+value|modulus)\s+of|модуль(?:\s+числа)?": "abs",
    r"(?:the\s+)?natural\s+log(?:arithm)?\s+of|натуральный\s+логарифм": "ln",
    r"(?:the\s+)?log(?:arithm)?\s+of": "log",
    r"(?:the\s+)?factorial\s+of|факториал(?:\s+числа)?": "factorial",
    r"(?:the\s+)?sine\s+of|синус": "sin",
    r"(?:the\s+)?cosine\s+of|косинус": "cos",
    r"(?:the\s+)?tangent\s+of|тангенс": "tan",
    r"per": "/",
    r"of|от|из": "of",
}
_WORD = re.compile("|".join(rf"(?P<w{at}>\b(?:{words})(?!\w))" for at, words in enumerate(_WORDS)), re.IGNORECASE)
_MEANINGS = tuple(_WORDS.values())
_CURRENCY = re.compile("[$€£¥₹₽]")
_MONEY_AS_POINT = re.compile("[0-9] ?[$€£¥₹₽] ?[0-9]")
_EXPONENT = r"(?:[eE][+-]?[0-9]{1,3}(?![0-9.]))?"
_NUMBER = re.compile(rf"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+){_EXPONENT}")
_BY_SPACE = re.compile(r"[1-9][0-9]{0,2}(?:(?P<gap>[ '])[0-9]{3})(?:(?P=gap)[0-9]{3})*(?:[.,][0-9]+)?(?![0-9.])")
_BY_COMMA = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?(?![0-9.,])")
_BY_POINT = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+,[0-9]+(?![0-9.,])")
_DECIMAL_COMMA = re.compile(r"(?:[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})|0,[0-9]+)(?![0-9.,])")
_NAME = re.compile(r"°[CFCcfС]?|(?:log2|log10|atan2)(?![\w.])|[^\W\d_]+(?:_[A-Za-z0-9]+)*")
_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_SIGN = re.compile(r"\*\*|//|<=|>=|==|!=|->|:=|[+\-*/<>^=;:]")
_TIMES = re.compile(r" *\d")


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the grammar. `spaced`: white space stood before it. `at`: where it starts in the typed text."""

    kind: Kind
    text: str
    spaced: bool = False


def plain(text: str) -> str:
    """Bring signs that mean the same to one form: × to *, ² to ^2, √ to sqrt, ½ to (1/2)."""
    text = _FEET.sub(lambda found: f"({found[1]} ft{f' + {found[2]} inches' if found[2] else ''})", text)
    text = _SIDE.sub(lambda found: " right" if found[1] == "+" else " left", text)
    text = _MIXED.sub(r"(\1+\2)", text)
    text = _SUPERSCRIPT.sub(lambda found: f"^({found[0].translate(_PLAIN_DIGITS)})", text)
    text = _LOG_BASE.sub(r" log_\1 ", text)
    return re.sub(" {2,}", " ", text.translate(_CHARACTERS)).strip()


def tokenize(text: str, *, listed: bool = False, known: frozenset[str] = frozenset()) -> list[Token]:
    """Read text that `plain` has prepared as tokens; one kind of currency sign is dropped.

    `listed`: commas at its top separate values, as in a list of data. `known`: names that were assigned.

    Raises:
        ToolRetry: something in it has no meaning, or more than one.
    """
    if len(set(_CURRENCY.findall(text))) > 1:
        raise ToolRetry("there are different currencies in it; convert them first")
    if _MONEY_AS_POINT.search(text):
        raise ToolRetry("write amounts with a decimal point, as in 2.50")
    return _Reader(_CURRENCY.sub(" ", text), listed, known).tokens()


class _Reader:
    """Reads tokens from left to right; knows whether a comma stands between values or between digits."""

    def __init__(self, text: str, listed: bool, known: frozenset[str]) -> None:
        self._text = text
        self._at = 0
        self._known = known
        self._tokens: list[Token] = []
        self._listing = [listed or _separates(text, 0)]

    def tokens(self) -> list[Token]:
        while True:
            start = self._at
            while self._text[self._at : self._at + 1] == " ":
                self._at += 1
            if self._at == len(self._text):
                return self._tokens
            self._read(spaced=self._at > start)

    def _read(self, *, spaced: bool) -> None:
        character = self._text[self._at]
        if character in "0123456789" or (character == "." and self._text[self._at + 1 : self._at + 2].isdecimal()):
            self._add("number", self._number(), spaced)
        elif (known := _IDENTIFIER.match(self._text, self._at)) and known[0] in self._known:
            self._at = known.end()
            self._add("name", known[0], spaced)
        elif word := _WORD.match(self._text, self._at):
            self._at = word.end()
            self._word(_MEANINGS[int(str(word.lastgroup)[1:])], spaced)
        elif name := _NAME.match(self._text, self._at):
            self._name(name[0], spaced)
        elif sign := _SIGN.match(self._text, self._at):
            self._at = sign.end()
            self._add("sign", {"**": "^", "==": "=", ":=": "="}.get(sign[0], sign[0]), spaced)
        else:
            self._punctuation(character, spaced)

    def _add(self, kind: Kind, text: str, spaced: bool = False) -> None:
        self._tokens.append(Token(kind, text, spaced))

    def _word(self, meaning: str, spaced: bool) -> None:
        if meaning in ("^2", "^3"):
            self._add("sign", "^")
            self._add("number", meaning[1])
        elif meaning.isalpha() and meaning not in ("of", "mod"):
            self._add("name", meaning, spaced)
        else:
            self._add("percent" if meaning == "%" else "sign", meaning, spaced)

    def _number(self) -> str:
        listing = self._listing[-1]
        for pattern in (_BY_SPACE, *(() if listing else (_BY_COMMA, _BY_POINT, _DECIMAL_COMMA)), _NUMBER):
            if found := pattern.match(self._text, self._at):
                break
        else:
            raise ToolRetry("a point must stand between digits")
        self._at = found.end()
        if not listing and re.match(r",[0-9]", self._text[self._at : self._at + 2]):
            raise ToolRetry("write numbers with a decimal point, as in 3.5, and thousands as in 2850 or 2,850")
        if self._text[self._at : self._at + 1] == "." and self._text[self._at + 1 : self._at + 2].isdecimal():
            raise ToolRetry(f"{found[0]}.… is no number: it has two points")
        text = found[0]
        if pattern is _BY_POINT:
            text = text.replace(".", "")
        if pattern in (_BY_POINT, _DECIMAL_COMMA) or (pattern is _BY_SPACE and "," in text):
            text = text.replace(",", ".")
        return re.sub("[ ,']|^0+(?=[0-9])", "", text)

    def _name(self, name: str, spaced: bool) -> None:
        before = self._tokens[-1] if self._tokens else None
        self._at += len(name)
        if name in ("x", "X", "х", "Х") and before is not None and before.kind == "number":
            if before.text == "0" and not spaced:
                raise ToolRetry("write numbers in base ten, or: convert … from hex to decimal")
            if _TIMES.match(self._text, self._at):
                self._add("sign", "*", spaced)
                return
        for at, part in enumerate(split_name(name, self._known)):
            self._add("name", part, spaced and at == 0)

    def _punctuation(self, character: str, spaced: bool) -> None:
        self._at += 1
        match character:
            case "(" | "[" | "{":
                called = bool(self._tokens) and self._tokens[-1].kind == "name" and character == "("
                square = character == "["
                self._listing.append(square or (called and self._is_call()) or _separates(self._text, self._at))
                self._add("open", "(" if character == "{" else character, spaced)
            case ")" | "]" | "}":
                if len(self._listing) > 1:
                    self._listing.pop()
                self._add("close", ")" if character == "}" else character, spaced)
            case ",":
                self._add("comma", character, spaced)
            case "%":
                self._add("percent", character, spaced)
            case "|":
                self._add("bar", character, spaced)
            case "!":
                self._add("bang", character, spaced)
            case "'":
                self._add("prime", character, spaced)
            case '"' | "`" | "\\" | "." | "_" | "@" | "#":
                raise ToolRetry(f"{character} has no meaning here: write numbers, + - * / ^ ( ) and functions")
            case _:
                raise ToolRetry(f"the character U+{ord(character):04X} is not mathematics")

    def _is_call(self) -> bool:
        """Say whether commas in the bracket that follows separate arguments: they do in max(100,200)."""
        inside = re.match(r"[0-9,. ]*", self._text[self._at :])
        assert inside is not None
        like_thousands = re.findall(r"(?<![\d.])[1-9]\d{0,2},\d{3}(?!\d)", inside[0])
        if like_thousands and inside[0].count(",") > len(like_thousands):
            raise ToolRetry("put a space after each comma between numbers, and write thousands as in 2850")
        return True


def _separates(text: str, start: int) -> bool:
    """Say whether commas from here to the end of this bracket separate values: one has no digit on a side."""
    depth = 0
    for at in range(start, len(text)):
        letter = text[at]
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
            if depth < 0:
                return False
        elif letter == "," and depth == 0:
            before, after = text[:at].rstrip(), text[at + 1 : at + 2]
            if not (before[-1:].isdecimal() and after.isdecimal()):
                return True
    return False
