r"""LaTeX as people and models write it, rewritten in the notation of the grammar: \frac{1}{2} becomes ((1)/(2))."""

import re

from crowquill.errors import ToolRetry

_DROPPED = re.compile(
    r"\\(?:left|right|displaystyle|limits|nolimits|big|Big|bigg|Bigg|[,;:!> ]|quad|qquad|text\s*\{\s*\})"
    r"(?![a-zA-Z])|\\[()\[\]]|\$|~"
)
_SIGNS = {
    "cdot": "*", "times": "*", "ast": "*", "div": "/", "pm": "±", "le": "<=", "leq": "<=", "leqslant": "<=",
    "ge": ">=", "geq": ">=", "geqslant": ">=", "ne": "!=", "neq": "!=", "lt": "<", "gt": ">", "to": "->",
    "rightarrow": "->", "infty": " infinity ", "lvert": "|", "rvert": "|", "vert": "|", "mid": "|", "lbrace": "(",
    "rbrace": ")", "bmod": " mod ", "mod": " mod ", "circ": "°", "degree": "°", "ldots": "…", "dots": "…",
    "cdots": "…",
    "mathrm": "", "operatorname": "", "text": "", "mathbf": "", "mathit": "", "prime": "'", "%": "%", "{": "(",
    "}": ")",
    "lfloor": "floor(", "rfloor": ")", "lceil": "ceil(", "rceil": ")", "partial": "d", "colon": ":",
}  # fmt: skip
_COMMAND = re.compile(r"\\([a-zA-Z]+|.)")
_TWO = {"frac": "(({0})/({1}))", "dfrac": "(({0})/({1}))", "tfrac": "(({0})/({1}))", "cfrac": "(({0})/({1}))"}
_BINOMIAL = {"binom": "binomial({0}, {1})", "dbinom": "binomial({0}, {1})", "tbinom": "binomial({0}, {1})"}
_MATRIX = re.compile(r"\\begin\{([pbvBV]?matrix|array)\}(?:\{[clr|]*\})?(.*?)\\end\{\1\}", re.DOTALL)
_CASES = re.compile(r"\\begin\{(?:cases|aligned|align\*?)\}(.*?)\\end\{(?:cases|aligned|align\*?)\}", re.DOTALL)
_DERIVATIVE = re.compile(
    r"\\d?frac\s*\{\s*(?:d|\\partial|\\mathrm\{d\})\s*(?:\^\s*\{?(\d)\}?)?\s*\}"
    r"\s*\{\s*(?:d|\\partial|\\mathrm\{d\})\s*([a-zA-Z])\s*(?:\^\s*\{?\d\}?)?\s*\}"
)
_DIFFERENTIAL = re.compile(r"\s*\*?\s*\bd\s*([a-zA-Z])\s*(?=$|[)=,+\-])")
_NUMERATOR = re.compile(r"\bd\s*([a-zA-Z])\s*(?=\)*\s*/)")
_DEEPEST = 40


def is_latex(text: str) -> bool:
    """Say whether a text is written in LaTeX."""
    return re.search(r"\\[a-zA-Z,;!({\[]|\^\{|_\{", text) is not None


def from_latex(text: str, depth: int = 0) -> str:
    """Rewrite LaTeX in plain notation. Raises ToolRetry for a command without meaning or an open brace."""
    if depth > _DEEPEST:
        raise ToolRetry("the LaTeX is nested too deeply")
    text = _CASES.sub(lambda found: re.sub(r"\\\\", "; ", found[1]).replace("&", ""), text)
    text = _MATRIX.sub(lambda found: _matrix(found[1], found[2]), text)
    text = _DERIVATIVE.sub(
        lambda found: f" d^{found[1]}/d{found[2]}^{found[1]} " if found[1] else f" d/d{found[2]} ", text
    )
    return _Rewriter(_DROPPED.sub(" ", text), depth).rewritten()


def _matrix(kind: str, body: str) -> str:
    rows = [", ".join(cell.strip() for cell in row.split("&")) for row in re.split(r"\\\\", body) if row.strip()]
    listed = "[" + ", ".join(f"[{row}]" for row in rows) + "]"
    return f" det({listed}) " if kind == "vmatrix" else listed


class _Rewriter:
    def __init__(self, text: str, depth: int) -> None:
        self._text = text
        self._depth = depth
        self._at = 0

    def rewritten(self) -> str:
        out = []
        while self._at < len(self._text):
            letter = self._text[self._at]
            if letter == "\\":
                out.append(self._command())
            elif letter == "{":
                out.append(f"({self._argument()})")
            elif letter == "_":
                self._at += 1
                out.append("_" + self._argument())
            elif letter == "}":
                raise ToolRetry("a brace } was not opened")
            else:
                self._at += 1
                out.append(letter)
        return "".join(out)

    def _command(self) -> str:
        found = _COMMAND.match(self._text, self._at)
        if found is None:
            raise ToolRetry("a backslash stands alone")
        self._at = found.end()
        name = found[1]
        if name in _TWO or name in _BINOMIAL:
            return {**_TWO, **_BINOMIAL}[name].format(self._argument(), self._argument())
        match name:
            case "sqrt":
                degree = self._optional()
                inside = self._argument()
                return f" sqrt({inside})" if degree is None else f" root({inside}, {degree})"
            case "int" | "sum" | "prod":
                return self._large(name)
            case "lim":
                return self._limit()
            case "log" if self._script("_", peek=True):
                base = self._script("_")
                return f" log_{base} " if base.isalnum() else self._with_base(base)
            case "mathrm" | "operatorname" | "text":
                return f" {self._argument()} "
            case "begin" | "end":
                raise ToolRetry("of LaTeX's environments only matrices and cases are read")
        return _SIGNS.get(name, f" {name} ")

    def _with_base(self, base: str) -> str:
        return f" log({self._argument()}, {base})"

    def _argument(self) -> str:
        """Read {…}, a command or one character, and rewrite it."""
        while self._text[self._at : self._at + 1] == " ":
            self._at += 1
        if self._text[self._at : self._at + 1] == "\\":
            return self._command()
        if self._text[self._at : self._at + 1] != "{":
            self._at += 1
            return self._text[self._at - 1 : self._at]
        return from_latex(self._inside("{", "}"), self._depth + 1)

    def _optional(self) -> str | None:
        if self._text[self._at : self._at + 1] != "[":
            return None
        return from_latex(self._inside("[", "]"), self._depth + 1)

    def _inside(self, opened: str, closed: str) -> str:
        depth, start = 0, self._at + 1
        for at in range(self._at, len(self._text)):
            depth += (self._text[at] == opened) - (self._text[at] == closed)
            if depth == 0:
                self._at = at + 1
                return self._text[start:at]
        raise ToolRetry(f"a {opened} is not closed")

    def _script(self, sign: str, *, peek: bool = False) -> str:
        """Read what stands below (_) or above (^) a sign; empty when nothing does."""
        at = self._at
        while self._text[at : at + 1] == " ":
            at += 1
        if self._text[at : at + 1] != sign:
            return ""
        if peek:
            return sign
        self._at = at + 1
        return self._argument().strip()

    def _large(self, name: str) -> str:
        r"""Rewrite \int_0^3 x^2 dx, \sum_{n=1}^{5} n."""
        above = self._script("^")
        below = self._script("_")
        above = above or self._script("^")
        body = from_latex(self._text[self._at :], self._depth + 1)
        self._at = len(self._text)
        if name == "int":
            found = _DIFFERENTIAL.search(body)
            if over := _NUMERATOR.search(body):
                inside, rest, variable = body[: over.start()] + "1" + body[over.end() :], "", over[1]
            elif found is None:
                inside, rest, variable = body, "", "x"
            else:
                inside, rest, variable = body[: found.start()], body[found.end() :], found[1]
            bounds = f"({variable}, {below}, {above})" if below and above else variable
            return f" integrate({inside.strip() or '1'}, {bounds}){rest}"
        if "=" not in below:
            raise ToolRetry(rf"\{name} needs its bounds, as in \{name}_{{n=1}}^{{10}} n^2")
        variable, _, start = below.partition("=")
        inside, rest = _summand(body)
        return f" {'sum' if name == 'sum' else 'product'}({inside}, ({variable}, {start}, {above})){rest}"

    def _limit(self) -> str:
        below = self._script("_")
        variable, arrow, point = below.partition("->")
        if not arrow:
            raise ToolRetry(r"\lim needs to say where, as in \lim_{x \to 0} \frac{\sin x}{x}")
        side = ""
        if found := re.search(r"\^\s*\(?([+-])\)?\s*$", point):
            point, side = point[: found.start()], ", right" if found[1] == "+" else ", left"
        body = from_latex(self._text[self._at :], self._depth + 1)
        self._at = len(self._text)
        return f" limit({body}, {variable}, {point}{side})"


def _summand(body: str) -> tuple[str, str]:
    """Split what is summed from what follows: a sum ends at a comparison."""
    found = re.search(r"(?<![<>!])=|<|>", body)
    return (body, "") if found is None else (body[: found.start()], body[found.start() :])
