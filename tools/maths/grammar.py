"""What arithmetic may look like: what people type, brought into one small grammar, and how it is echoed.

Text becomes a list of known words, signs and numbers; anything else is refused before a parser sees it. What is
left is parsed by `ast.parse`, which runs nothing, and only inside the worker's child.
"""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from crowquill.errors import ToolRetry

MAX_LENGTH, MAX_NODES, MAX_DEPTH = 2000, 400, 60
"""Characters, syntax nodes and nesting that an expression may have."""

Kind = Literal["number", "name", "sign", "open", "close", "comma", "percent", "of"]

_SIGNS = {
    **dict.fromkeys("×·⋅∙*", "*"),
    **dict.fromkeys("÷/∕⁄", "/"),
    **dict.fromkeys("−–‒-", "-"),
    "^": "**",
    "²": "**2",
    "³": "**3",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "=": "==",
}
_PHRASES = {
    r"multiplied\s+by|times|умножить\s+на": "*",
    r"divided\s+by|разделить\s+на": "/",
    r"plus|плюс": "+",
    r"minus|минус": "-",
    r"squared": "**2",
    r"cubed": "**3",
    r"mod(?:ulo)?": "mod",
    r"per\s?cent(?!\s*\()|процент(?:а|ов)?": "%",
    r"of|от": "of",
    r"the\s+square\s+root\s+of|square\s+root\s+of": "sqrt",
}
_PHRASE = re.compile(
    "|".join(rf"(?P<p{index}>\b(?:{words})\b)" for index, words in enumerate(_PHRASES)), re.IGNORECASE
)
_MEANINGS = tuple(_PHRASES.values())
_SPACES = dict.fromkeys(map(ord, "\u00a0\u202f\u2009\t\n\r"), " ")
_CURRENCY = re.compile("[$€£¥₹₽]")
_MONEY_AS_POINT = re.compile("[0-9] ?[$€£¥₹₽] ?[0-9]")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3}(?![0-9.]))?")
_BY_SPACE = re.compile(r"[1-9][0-9]{0,2}(?:(?P<gap>[ '’])[0-9]{3})(?:(?P=gap)[0-9]{3})*(?:\.[0-9]+)?(?![0-9.])")
_BY_COMMA = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?(?![0-9.,])")
_NAME = re.compile(r"[A-Za-z]+")
_SIGN = re.compile(r"\*\*|//|<=|>=|==|!=|[+\-*/<>^=×·⋅∙÷∕⁄−–‒²³≤≥≠]")
_LATEX_LIKE = re.compile(r"[\\{}\[\]]")


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the grammar. `spaced` says that white space stood before it."""

    kind: Kind
    text: str
    spaced: bool = False


def tokenize(text: str) -> list[Token]:
    """Read typed text as tokens of the grammar; a final "=" or "?" and one kind of currency sign are dropped.

    Raises:
        ToolRetry: something in it has no meaning, or more than one.
    """
    if len(text) > MAX_LENGTH:
        raise ToolRetry(f"an expression may have at most {MAX_LENGTH} characters")
    text = text.translate(_SPACES).strip().rstrip("?=. ")
    if len(set(_CURRENCY.findall(text))) > 1:
        raise ToolRetry("there are different currencies in it; convert them first")
    if _MONEY_AS_POINT.search(text):
        raise ToolRetry("write amounts with a decimal point, as in 2.50")
    text = _CURRENCY.sub(" ", text)
    return _Reader(text).tokens()


@dataclass(slots=True)
class _Bracket:
    """An open bracket: whether it holds arguments, and how many of its commas look like 2,850."""

    is_call: bool
    like_thousands: int = 0
    others: int = 0


class _Reader:
    """Reads tokens from left to right; knows whether a comma stands between arguments or between digits."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._tokens: list[Token] = []
        self._brackets: list[_Bracket] = []

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
        if character in "0123456789.":
            self._add("number", self._number(), spaced)
        elif phrase := _PHRASE.match(self._text, self._at):
            self._at = phrase.end()
            self._add_phrase(_MEANINGS[int(str(phrase.lastgroup)[1:])], spaced)
        elif name := _NAME.match(self._text, self._at):
            self._name(name[0], spaced)
        elif sign := _SIGN.match(self._text, self._at):
            self._at = sign.end()
            self._add("sign", _SIGNS.get(sign[0], sign[0]), spaced)
        else:
            self._punctuation(character, spaced)

    def _add(self, kind: Kind, text: str, spaced: bool) -> None:
        self._tokens.append(Token(kind, text, spaced))

    def _add_phrase(self, meaning: str, spaced: bool) -> None:
        kinds: dict[str, Kind] = {"%": "percent", "of": "of", "sqrt": "name"}
        self._add(kinds.get(meaning, "sign"), meaning, spaced)

    def _number(self) -> str:
        in_call = bool(self._brackets) and self._brackets[-1].is_call
        found = _BY_SPACE.match(self._text, self._at)
        if found is None and not in_call:
            found = _BY_COMMA.match(self._text, self._at)
        if found is None:
            found = _NUMBER.match(self._text, self._at)
        if found is None:
            raise ToolRetry("a point must stand between digits")
        self._at = found.end()
        if not in_call and re.match(r",[0-9]", self._text[self._at : self._at + 2]):
            raise ToolRetry("write numbers with a decimal point, as in 3.5, and thousands as in 2850 or 2,850")
        return re.sub("[ ,'’]|^0+(?=[0-9])", "", found[0])

    def _name(self, name: str, spaced: bool) -> None:
        self._at += len(name)
        before = self._tokens[-1] if self._tokens else None
        if name in ("x", "X") and before is not None and before.kind in ("number", "close", "percent"):
            if before.text == "0" and not spaced:
                raise ToolRetry("write numbers in base ten")
            self._add("sign", "*", spaced)
        else:
            self._add("name", name, spaced)

    def _punctuation(self, character: str, spaced: bool) -> None:
        self._at += 1
        if character == "(":
            self._brackets.append(_Bracket(bool(self._tokens) and self._tokens[-1].kind == "name"))
            self._add("open", character, spaced)
        elif character == ")":
            if self._brackets:
                self._close(self._brackets.pop())
            self._add("close", character, spaced)
        elif character == ",":
            self._comma()
            self._add("comma", character, spaced)
        elif character == "%":
            self._add("percent", character, spaced)
        elif character == "√":
            self._add("name", "sqrt", spaced)
        elif character == "!":
            raise ToolRetry("write factorial(5) for 5!")
        elif _LATEX_LIKE.match(character):
            raise ToolRetry("only numbers, + - * / // % **, round brackets and functions are arithmetic")
        else:
            raise ToolRetry(f"the character U+{ord(character):04X} is not arithmetic")

    def _comma(self) -> None:
        """Note whether a comma stands as in 2,850 or as in 3, 4."""
        if not self._brackets:
            return
        before = self._tokens[-1].text if self._tokens else ""
        after = re.match(r"[0-9]{3}(?![0-9.])", self._text[self._at : self._at + 4])
        if after is not None and before.isdigit() and len(before) <= 3:
            self._brackets[-1].like_thousands += 1
        else:
            self._brackets[-1].others += 1

    @staticmethod
    def _close(bracket: _Bracket) -> None:
        if bracket.is_call and bracket.like_thousands and bracket.others:
            raise ToolRetry("put a space after each comma between numbers, and write thousands as in 2850")


def is_well_formed(tokens: Sequence[Token]) -> bool:
    """Say whether operands and operators alternate, brackets match, and commas stand between arguments."""
    calls: list[bool] = []
    wants_operand = True
    for at, token in enumerate(tokens):
        before = tokens[at - 1].kind if at else None
        if wants_operand:
            if token.kind == "open":
                calls.append(before == "name")
            elif before == "name" and token.kind != "number":
                return False
            elif token.kind == "number":
                wants_operand = False
            elif token.kind != "name" and token.text not in ("+", "-"):
                return False
            continue
        match token.kind:
            case "close" if calls:
                calls.pop()
            case "sign":
                wants_operand = token.text not in ("**2", "**3")
            case "comma" if calls and calls[-1]:
                wants_operand = True
            case "of" if before == "percent":
                wants_operand = True
            case "percent":
                wants_operand = not _is_postfix(tokens, at)
            case _:
                return False
    return not calls and not wants_operand


def _is_postfix(tokens: Sequence[Token], at: int) -> bool:
    """Say whether the % at this place means hundredths; before an operand it is the remainder."""
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    return following is None or following.kind not in ("number", "name", "open")


def translate(text: str) -> str:
    """Return typed text as an expression that `parse` reads. Raises ToolRetry like `tokenize`."""
    tokens = tokenize(text)
    out: list[str] = []
    opened: list[int] = []  # places in `out` where a bracket, or the function before it, starts
    operand = 0  # where the last operand starts
    for at, token in enumerate(tokens):
        previous = tokens[at - 1] if at else None
        match token.kind:
            case "open":
                after_name = previous is not None and previous.kind == "name"
                opened.append(len(out) - 1 if after_name else len(out))
                out.append("(")
            case "close":
                operand = opened.pop() if opened else 0
                out.append(")")
            case "number":
                operand = len(out)
                root = previous is not None and previous.kind == "name"  # √16, square root of 16
                out.append(f"({token.text})" if root else token.text)
                operand -= root
            case "percent" if _is_postfix(tokens, at):
                out.insert(operand, "pct(")
                out.append(")")
            case "percent":
                out.append("%")
            case "of":
                if previous is None or previous.kind != "percent":
                    raise ToolRetry('"of" is read only after a percentage, as in 17% of 2340')
                if operand and out[operand - 1] in ("/", "//", "%", "**"):
                    raise ToolRetry("put brackets around the percentage, as in 100 / (17% of 50)")
                out.append("*")
            case "name" if at + 1 == len(tokens) or tokens[at + 1].kind not in ("open", "number"):
                raise ToolRetry(
                    f"{token.text[:30]!r} has no meaning here: leave units and words out, and give functions"
                    " brackets, as in sqrt(2)"
                )
            case "sign" if token.text == "mod":
                out.append("%")
            case _:
                out.append(token.text)
    return " ".join(out)


def parse(source: str) -> ast.expr:
    """Parse a translated expression. To be called in the worker's child only. Raises ToolRetry."""
    try:
        tree = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ToolRetry("that is not arithmetic; write numbers and + - * / ( ), as in (2850 - 1230) / 2") from None
    nodes, stack = 0, [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        nodes += 1
        if nodes > MAX_NODES or depth > MAX_DEPTH:
            raise ToolRetry("the expression is too long or nested too deeply; compute it in parts")
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                chained = isinstance(node, ast.BinOp) and child is node.left  # 1 + 2 + 3 is not nested
                stack.append((child, depth if chained else depth + 1))
    return tree
