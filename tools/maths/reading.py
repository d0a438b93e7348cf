"""From what was typed to a tree: signs, LaTeX, phrases, conversions, lists of assignments, then the grammar."""

import re

from crowquill.errors import ToolRetry
from crowquill.tools.maths.grammar import MAX_LENGTH, MAX_NODES, parse
from crowquill.tools.maths.latex import from_latex, is_latex
from crowquill.tools.maths.nodes import COMPARISONS, Call, Name, Node, Unit, parts
from crowquill.tools.maths.phrases import PHRASES
from crowquill.tools.maths.slots import Ambiguous, Slots
from crowquill.tools.maths.tokens import plain, tokenize
from crowquill.tools.maths.unit_names import LETTERS, unit_named
from crowquill.tools.maths.vocabulary import FUNCTIONS

_END = "?.= "
_ORDERS = re.compile(
    r"(?:(?:please|can you|could you|пожалуйста)[, ]+)?"
    r"(?:(?:what(?:'s| is| are| does| was)|how much (?:is|are|does)|"
    r"calculate|compute|evaluate|work out|find|determine|tell me|give me|show(?: me)?|"
    r"сколько будет|вычисли(?:те|ть)?|посчитай(?:те)?|найди(?:те)?|найти|чему рав(?:ен|на|но|ны)|каков[аоы]?)"
    r"(?: the (?:value|result) of| значение)?:? +)(?:the )?",
    re.IGNORECASE,
)
_INTO = re.compile(r"->| (?:in|to|into|as|expressed in|в|во|перевести в)(?= )", re.IGNORECASE)
_CONVERT = re.compile(r"^(?:convert|express|переведи(?:те)?|перевести) +", re.IGNORECASE)
_HOW_MANY = re.compile(
    r"(?:how many|how much|сколько) +(?P<unit>[^\W\d]+) +(?:are +|is +)?(?:there +)?(?:in|into|make|в) +"
    r"(?P<what>.+)",
    re.IGNORECASE,
)
_STATEMENT_END = re.compile(r"[;\n]+")
_DATA = re.compile(r"[^;=]*-?\d(?:\s*;\s*-?[\d.,]+)+\s*[)\]]?")
_ASSIGNED = re.compile(r"\s*(?:let\s+|пусть\s+)?([^\W\d]\w*?)\s*:?=(?!=)")
_DEFINED = re.compile(r"\s*([a-zA-Z])\(([a-z](?:, ?[a-z])*)\)\s*:?=(?!=)")
_MAX_DEPTH = 12
_LONGEST_PHRASE = 300  # patterns with several open parts cost the square of the length


def read(text: str) -> Node:
    """Read what was typed as one computation. Raises ToolRetry when it has no meaning here."""
    if len(text) > MAX_LENGTH:
        raise ToolRetry(f"an expression may have at most {MAX_LENGTH} characters")
    if is_latex(text):
        text = from_latex(text)
    if _DATA.fullmatch(text):
        text = text.replace(",", ".").replace(";", ", ")
    statements = [part for part in map(plain, _STATEMENT_END.split(text)) if part.strip(_END)]
    if not statements:
        raise ToolRetry("there is nothing to calculate; write an expression, as in (2850 - 1230) / 2")
    reader = _Reader()
    node = reader.program(statements) if len(statements) > 1 else reader.statement(statements[0], alone=True)
    if len(parts(node)) > MAX_NODES:
        raise ToolRetry("the expression is too long; compute it in parts")
    return node


class _Reader:
    """Reads statements one after another; knows the names that were assigned before."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._depth = 0

    def program(self, statements: list[str]) -> Node:
        """Read assignments and a last statement, or equations that hold together."""
        heads = [_ASSIGNED.match(statement) for statement in statements]
        names = [head[1] for head in heads if head is not None]
        equations = all(re.search(r"[^<>!=:]=[^=]", statement) for statement in statements)
        letters = [name for name in names if len(name) == 1]
        if equations and (len(names) < len(statements) or len(set(letters)) < len(letters)):
            listed = [self.expression(statement) for statement in statements]
            return Call("solve", (Call("list", tuple(listed)),))
        return Call("program", tuple(self.statement(statement) for statement in statements))

    def statement(self, text: str, *, alone: bool = False) -> Node:
        """Read an assignment, a definition such as f(x) = x^2, or an expression."""
        text = text.strip()
        defined = _DEFINED.match(text)
        if defined is not None and not alone:
            parameters = frozenset(re.findall("[a-z]", defined[2]))
            body = self._inner(text[defined.end() :], parameters)
            self._known |= {defined[1], f"{defined[1]}()"}
            names = tuple(map(Name, re.findall("[a-z]", defined[2])))
            return Call("define", (Name(defined[1]), Call("tuple", names), body))
        head = _ASSIGNED.match(text)
        if head is not None and (not alone or (len(head[1]) > 1 and head[1] not in FUNCTIONS)):
            if head[1] in ("pi", "infinity", "true", "false"):
                raise ToolRetry(f"{head[1]} is a constant; use another name")
            value = self.expression(text[head.end() :])
            self._known.add(head[1])
            return Call("let", (Name(head[1]), value))
        return self.expression(text)

    def _inner(self, text: str, parameters: frozenset[str]) -> Node:
        kept, self._known = self._known, self._known | parameters
        try:
            return self.expression(text)
        finally:
            self._known = kept

    def expression(self, text: str, *, listed: bool = False) -> Node:
        """Read a phrase, a conversion or an expression of the grammar."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ToolRetry("it is nested too deeply")
        try:
            return self._expression(text.strip().rstrip(_END), listed)
        finally:
            self._depth -= 1

    def _expression(self, text: str, listed: bool) -> Node:
        asked = _ORDERS.match(text)
        if asked is not None:
            text = text[asked.end() :]
        failure: ToolRetry | None = None
        for pattern, build in PHRASES if len(text) <= _LONGEST_PHRASE else ():
            found = pattern.fullmatch(text)
            try:
                node = None if found is None else build(Slots(found, self))
            except Ambiguous:
                raise
            except ToolRetry as error:  # another phrase, or the grammar, may fit better
                failure = error if failure is None else failure
                continue
            if node is not None:
                return node
        try:
            converted = self._conversion(text)
            return self.parsed(text, listed=listed) if converted is None else converted
        except ToolRetry as error:
            raise (error if failure is None else failure) from None

    def parsed(self, text: str, *, listed: bool = False, units: bool = False) -> Node:
        """Read an expression of the grammar."""
        known = frozenset(self._known)
        return parse(tokenize(text, listed=listed, known=known), known=known, units=units, listed=listed)

    def _conversion(self, text: str) -> Node | None:
        found = _HOW_MANY.fullmatch(text)
        if found is None:
            for at in reversed(list(_INTO.finditer(text))):
                unit = self._unit(text[at.end() :])
                if unit is not None:
                    return Call("in", (self._measured(_CONVERT.sub("", text[: at.start()])), unit))
            return None
        unit = self._unit(found["unit"])
        return None if unit is None else Call("in", (self._measured(found["what"]), unit))

    def _measured(self, text: str) -> Node:
        text = re.sub(r"^half +(?:an?|the) +", "0.5 ", text.strip(), flags=re.IGNORECASE)
        text = re.sub(r"^(?:an?|one|the) +", "1 ", text, flags=re.IGNORECASE)
        return self.parsed(text, units=True)

    def _unit(self, text: str) -> Node | None:
        words = text.strip().split()
        if len(words) == 1 and (name := unit_named(words[0]) or LETTERS.get(words[0])):
            return Unit(name)
        if not words or any(word in FUNCTIONS for word in words):
            return None
        try:
            node = self.parsed(text, units=True)
        except ToolRetry:
            return None
        only = all(not isinstance(part, Name) for part in parts(node))
        return node if only and any(isinstance(part, Unit) for part in parts(node)) else None


def is_equation(node: Node) -> bool:
    """Say whether a node is a comparison."""
    return isinstance(node, Call) and node.name in COMPARISONS
