"""The grammar: tokens become a small tree, or are refused. Nothing is evaluated here.

    statement  := sum (comparison sum)*
    sum        := product (("+" | "-") product)*
    product    := unary (("*" | "/" | "//" | "mod" | "of" | nothing) unary)*
    unary      := ("+" | "-") unary | power
    power      := postfix ("^" unary)?
    postfix    := operand ("!" | "%" | "'")*
    operand    := number | quantity | name | function arguments | "(" … ")" | "[" … "]" | "|" … "|"

A product without a sign binds like one with a sign; numbers and their units bind tighter (100 km / 2 h).
"""

from collections.abc import Sequence

from crowquill.errors import ToolRetry
from crowquill.tools.maths.nodes import COMPARISONS, Call, Name, Node, Number, Unit
from crowquill.tools.maths.tokens import Token
from crowquill.tools.maths.unit_names import LETTERS, unit_named
from crowquill.tools.maths.vocabulary import CONSTANTS, FUNCTIONS, GREEK, unknown

MAX_LENGTH, MAX_NODES, MAX_DEPTH = 2000, 400, 60
"""Characters, nodes and nesting that an expression may have."""

_END = Token("sign", "")
_SHORT_ARGUMENT = frozenset(["sqrt", "cbrt", "abs"])  # √2x is √2·x, while ln 2x is ln(2x)
_NOT_MATHS = "that is not a calculation; write numbers and + - * / ^ ( ), as in (2850 - 1230) / 2"


def parse(
    tokens: Sequence[Token], *, known: frozenset[str] = frozenset(), units: bool = False, listed: bool = False
) -> Node:
    """Parse one statement. `known`: names that were assigned; `units`: letters such as m and s are units.

    `listed`: values separated by commas become a list. Raises ToolRetry.
    """
    parser = _Parser(tokens, known, units)
    node = parser.listing() if listed else parser.statement()
    parser.finish()
    return node


class _Parser:
    def __init__(self, tokens: Sequence[Token], known: frozenset[str], units: bool) -> None:
        self._tokens = tokens
        self._known = known
        self._units = units or any(token.kind == "name" and self._is_unit(token.text) for token in tokens)
        self._units = self._units or any(self._is_minutes(at) for at in range(1, len(tokens)))
        self._at = 0
        self._depth = 0
        self._nodes = 0
        self._bars = 0

    # --- walking ---

    @property
    def _next(self) -> Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def _peek(self, ahead: int) -> Token:
        return self._tokens[self._at + ahead] if self._at + ahead < len(self._tokens) else _END

    def _take(self) -> Token:
        token = self._next
        self._at += 1
        return token

    def _sign(self, *texts: str) -> bool:
        return self._next.kind == "sign" and self._next.text in texts

    def _made(self, name: str, *args: Node, implied: bool = False) -> Node:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise ToolRetry("the expression is too long; compute it in parts")
        return Call(name, args, implied)

    def finish(self) -> None:
        if self._at < len(self._tokens):
            token = self._next
            if token.kind == "number" or token.kind == "name":
                raise ToolRetry(f"there is no sign before {token.text[:30]!r}")
            raise ToolRetry(_NOT_MATHS)

    # --- statements ---

    def statement(self) -> Node:
        first = self._sum()
        if self._next.kind == "comma":
            items = [first]
            while self._next.kind == "comma":
                self._take()
                items.append(self._sum())
            first = self._made("list", *items)
        return self._compared(first)

    def listing(self) -> Node:
        """Values separated by commas or semicolons; each may be a comparison. One list stands for its items."""
        items = [self._compared(self._sum())]
        while self._next.kind == "comma" or self._sign(";"):
            self._take()
            items.append(self._compared(self._sum()))
        alone = items[0]
        if len(items) == 1 and isinstance(alone, Call) and alone.name in ("list", "tuple"):
            return Call("list", alone.args)
        return self._made("list", *items)

    def _compared(self, left: Node) -> Node:
        links: list[Node] = []
        while self._sign(*COMPARISONS):
            sign = self._take().text
            right = self._sum()
            links.append(self._made(sign, left, right))
            left = right
        if not links:
            return left
        if self._next.kind == "comma" and len(links) == 1 and not self._depth:
            self._take()
            rest = self._compared(self._sum())
            tail = rest.args if isinstance(rest, Call) and rest.name == "list" else (rest,)
            return self._made("list", links[0], *tail)
        return links[0] if len(links) == 1 else self._made("and", *links)

    # --- operators ---

    def _sum(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ToolRetry("the expression is nested too deeply; compute it in parts")
        left = self._product()
        while self._sign("+", "-"):
            sign = self._take().text
            left = self._made(sign, left, self._product())
        self._depth -= 1
        return left

    def _product(self) -> Node:
        left = self._unary()
        while True:
            if self._sign("*", "/", "//", "mod"):
                sign = self._take().text
                left = self._made(sign, left, self._unary())
            elif self._sign("of"):
                self._take()
                left = self._share(left)
            elif self._next.kind == "percent":  # before an operand it is the remainder
                self._take()
                left = self._made("mod", left, self._unary())
            elif self._starts_operand():
                left = self._made("*", left, self._power(), implied=True)
            else:
                return left

    def _share(self, left: Node) -> Node:
        """Read "of": 17% of 2340, 3/4 of 20."""
        if isinstance(left, Call) and left.name in ("/", "//", "mod") and _has_percent(left.args[-1]):
            raise ToolRetry("put brackets around the percentage, as in 100 / (17% of 50)")
        if not (_has_percent(left) or (isinstance(left, Call) and left.name == "/")):
            raise ToolRetry('"of" is read only after a share, as in 17% of 2340 or 3/4 of 20')
        return self._made("*", left, self._unary())

    def _starts_operand(self) -> bool:
        token = self._next
        if token.kind == "bar":
            return self._bars == 0
        return token.kind in ("name", "open")

    def _unary(self) -> Node:
        if not self._sign("+", "-"):
            return self._power()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ToolRetry("the expression is nested too deeply; compute it in parts")
        sign = self._take().text
        operand = self._unary()
        self._depth -= 1
        return self._made("neg", operand) if sign == "-" else operand

    def _power(self) -> Node:
        base = self._postfix(self._operand())
        if self._sign("^"):
            self._take()
            return self._made("^", base, self._unary())
        return base

    def _postfix(self, node: Node) -> Node:
        while True:
            token = self._next
            if token.kind == "bang":
                self._take()
                double = self._next.kind == "bang" and not self._next.spaced
                if double:
                    self._take()
                node = self._made("factorial2" if double else "factorial", node)
            elif token.kind == "percent" and self._is_postfix():
                self._take()
                node = self._made("pct", node)
            elif token.kind == "prime" and isinstance(node, Name):
                order = 0
                while self._next.kind == "prime":
                    self._take()
                    order += 1
                node = self._made("primed", node, Number(str(order)))
                if self._next.kind == "open" and self._peek(1).kind == "name" and self._peek(2).kind == "close":
                    self._at += 3  # y'(x)
            else:
                return node

    def _is_postfix(self) -> bool:
        """Say whether the % here means hundredths; before an operand it is the remainder."""
        return self._peek(1).kind not in ("number", "name", "open")

    # --- operands ---

    def _operand(self) -> Node:
        token = self._take()
        match token.kind:
            case "number":
                return self._quantity(Number(token.text))
            case "name":
                return self._named(token.text)
            case "open":
                return self._bracket(token.text)
            case "bar":
                self._bars += 1
                inside = self._sum()
                self._bars -= 1
                if self._take().kind != "bar":
                    raise ToolRetry("a bar | is not closed")
                return self._made("abs", inside)
            case _:
                raise ToolRetry(_NOT_MATHS)

    def _quantity(self, number: Node) -> Node:
        """Read the units after a number, and what is added to it as in 5 ft 11 in."""
        whole = self._with_units(number)
        while whole is not number and self._next.kind == "number" and self._is_unit_at(self._at + 1):
            whole = self._made("+", whole, self._with_units(Number(self._take().text)))
        return whole

    def _with_units(self, number: Node) -> Node:
        node = number
        while self._units and self._is_unit_at(self._at):
            unit = self._unit(self._take().text)
            if self._sign("^") and self._peek(1).kind == "number":
                self._take()
                unit = self._made("^", unit, Number(self._take().text))
            node = self._made("*", node, unit, implied=True)
        return node

    def _is_unit(self, text: str, *, letters: bool = False) -> bool:
        if text in self._known or text in FUNCTIONS or text in CONSTANTS or text in GREEK:
            return False
        return unit_named(text) is not None or (letters and self._units and text in LETTERS)

    def _is_unit_at(self, at: int) -> bool:
        token = self._tokens[at] if at < len(self._tokens) else _END
        return token.kind == "name" and (self._is_unit(token.text, letters=True) or self._is_minutes(at))

    def _is_minutes(self, at: int) -> bool:
        """Tell 5 min and 5 sec from the functions min(…) and sec(…)."""
        following = self._tokens[at + 1] if at + 1 < len(self._tokens) else _END
        return (
            self._tokens[at].text in ("min", "sec", "degrees", "radians")
            and self._tokens[at - 1].kind != "sign"
            and at > 0
            and following.kind not in ("open", "name")
        )

    @staticmethod
    def _unit(text: str) -> Node:
        named = unit_named(text)
        return Unit(LETTERS[text] if named is None else named)

    def _named(self, text: str) -> Node:
        self._nodes += 1
        if text in self._known:
            return self._function(text) if self._known_call(text) else Name(text)
        if text in FUNCTIONS or text.startswith("log_"):
            return self._function(text)
        if self._is_unit(text, letters=True):
            return self._unit(text)
        if text in CONSTANTS or text in GREEK or len(text) == 1 or (text[1:2] == "_" and text[:1].isalpha()):
            return Name(text)
        raise unknown(text)

    def _known_call(self, text: str) -> bool:
        return f"{text}()" in self._known and self._next.kind == "open"

    def _function(self, name: str) -> Node:
        exponent = None
        if self._sign("^") and name in FUNCTIONS:
            self._take()
            exponent = self._unary_number()
        args = self._arguments(name)
        if name.startswith("log_"):
            if len(args) != 1:
                raise ToolRetry("a logarithm with its base below takes one number, as in log_2(8)")
            name, args = "log", [args[0], _subscript(name[4:])]
        if exponent is None:
            return self._made(name, *args)
        if exponent == Call("neg", (Number("1"),)) and f"a{name}" in FUNCTIONS:
            return self._made(f"a{name}", *args)
        return self._made("^", self._made(name, *args), exponent)

    def _unary_number(self) -> Node:
        """Read the exponent in sin^2 x and sin^-1 x: a number with a sign, or one letter."""
        bracket = self._next.kind == "open"
        if bracket:
            self._take()
        negative = self._sign("-")
        if negative:
            self._take()
        token = self._take()
        if token.kind not in ("number", "name") or (bracket and self._take().kind != "close"):
            raise ToolRetry("after a function's name ^ needs a number, as in sin^2(x)")
        node: Node = Number(token.text) if token.kind == "number" else Name(token.text)
        return Call("neg", (node,)) if negative else node

    def _arguments(self, name: str) -> list[Node]:
        if self._next.kind == "open" and self._next.text == "(":
            self._take()
            return self._items("close")
        if not (self._starts_operand() or self._next.kind == "number" or self._sign("-")):
            raise ToolRetry(f"{name} needs what it is applied to, as in {name}(2)")
        if self._sign("-"):
            return [self._unary()]
        node = self._power()
        while name not in _SHORT_ARGUMENT and self._next.kind == "name" and self._next.text not in FUNCTIONS:
            node = self._made("*", node, self._power(), implied=True)
        if node == Name("pi") and self._sign("/") and self._peek(1).kind == "number":
            self._take()
            node = self._made("/", node, self._power())
        return [node]

    def _items(self, end: str) -> list[Node]:
        items: list[Node] = []
        bars, self._bars = self._bars, 0
        while self._next.kind != end:
            items.append(self._compared(self._sum()))
            if self._next.kind == "comma" or self._sign(";"):
                self._take()
            elif self._next.kind != end:
                self.finish()
                raise ToolRetry("a bracket is not closed")
        self._take()
        self._bars = bars
        return items

    def _bracket(self, opened: str) -> Node:
        items = self._items("close")
        if opened == "[":
            return self._made("list", *items)
        if not items:
            raise ToolRetry("there is nothing in the brackets")
        return items[0] if len(items) == 1 else self._made("tuple", *items)


def _has_percent(node: Node) -> bool:
    match node:
        case Call(name="pct"):
            return True
        case Call(name="+" | "-", args=(left, right)):
            return _has_percent(left) and _has_percent(right)
        case Call(name="*", args=args):
            return any(map(_has_percent, args))
        case _:
            return False


def _subscript(text: str) -> Node:
    return Number(text) if text.isdecimal() else Name(text)
