"""Names that mean something: constants, functions and Greek letters, with the spellings people use for them."""

from crowquill.errors import ToolRetry
from crowquill.tools.maths.nodes import words

_GREEK_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lamda mu nu xi rho sigma tau phi chi psi omega "
    "Gamma Delta Theta Lambda Sigma Phi Psi Omega"
)
GREEK = words(_GREEK_NAMES)
_LETTERS = dict(zip("αβγδεζηθικλμνξρστφχψωΓΔΘΛΣΦΨΩ", _GREEK_NAMES.split(" "), strict=True))
CONSTANTS = words("pi e i infinity phi_golden euler_gamma catalan true false left right")
_SPELLINGS = {
    "Pi": "pi", "PI": "pi", "пи": "pi", "oo": "infinity", "inf": "infinity", "Infinity": "infinity",
    "бесконечность": "infinity", "бесконечности": "infinity", "I": "i", "EulerGamma": "euler_gamma",
    "GoldenRatio": "phi_golden", "golden_ratio": "phi_golden", "Catalan": "catalan", "lambda": "lamda",
    "True": "true", "False": "false",
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctg": "atan", "tg": "tan", "ctg": "cot",
    "cotan": "cot",
    "cosec": "csc", "sh": "sinh", "ch": "cosh", "th": "tanh", "arsinh": "asinh", "arcosh": "acosh",
    "artanh": "atanh",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "lg": "log10",
    "Abs": "abs", "sgn": "sign", "ceiling": "ceil", "fact": "factorial", "nCr": "binomial", "choose": "binomial",
    "comb": "binomial", "nPr": "permutations", "perm": "permutations", "hcf": "gcd", "НОД": "gcd", "НОК": "lcm",
    "Min": "min", "Max": "max", "avg": "mean", "average": "mean", "std": "stdev", "total": "sum",
    "Rational": "divide", "Fraction": "divide", "Integer": "number", "Float": "number", "int": "trunc",
    "float": "number",
    "Eq": "equation", "Ne": "unequal", "Pow": "power", "pow": "power", "real_root": "root", "nthroot": "root",
    "differentiate": "diff", "derivative": "diff", "Derivative": "diff", "D": "diff",
    "integral": "integrate", "Integral": "integrate", "summation": "sum", "Sum": "sum", "Product": "product",
    "prod": "product", "lim": "limit", "Limit": "limit", "solveset": "solve", "roots": "solve", "linsolve": "solve",
    "nonlinsolve": "solve", "taylor": "series", "N": "numeric",
    "evalf": "numeric", "Matrix": "matrix", "ImmutableMatrix": "matrix", "determinant": "det",
    "Determinant": "det", "inverse": "inv", "Inverse": "inv", "eigenvals": "eigenvalues",
    "eigenvects": "eigenvectors",
    "tr": "trace", "Trace": "trace", "Transpose": "transpose", "isprime": "is_prime", "prime_factors": "factorint",
    "primefactors": "factorint", "radsimp": "simplify", "trigsimp": "simplify",
    "nsimplify": "simplify", "ratsimp": "simplify", "fib": "fibonacci",
    "stddev": "stdev", "var": "variance", "square_root": "sqrt",
}  # fmt: skip
_ALIKE = str.maketrans("хуіе", "xyie")
"""Cyrillic letters that look like the Latin ones of which formulas are made."""
FUNCTIONS = words(
    """
    abs acos acosh acot acoth acsc apart asec asin asinh atan atan2 atanh base binomial cancel cbrt ceil
    conjugate cos cosh cot cross csc csch degrees det diff digamma digit_sum digits divide divisor_count
    divisors dot eigenvalues eigenvectors equation erf erfc exp expand factor factorial factorial2 factorint
    fibonacci floor frac gamma gcd im integrate inv is_prime lambertw lcm limit ln log log10 log2 lucas matrix
    max mean median min mode modular_inverse nextprime norm nullspace number numeric percent permutations plot
    power power_mod prevprime prime primepi product pstdev pvariance quartiles quotient radians range rank re
    remainder roman root round rref sec sech series sign significant simplify sin sinh solve sqrt stdev sum tan
    tanh together totient trace transpose trunc unequal variance zeta
    """
)
_SPLIT = frozenset("abcknpqrtuvxyz")


def meaning(name: str) -> str:
    """Return the one spelling under which a name is known here."""
    name = _LETTERS.get(name, name)
    return _SPELLINGS.get(name, name)


def split_name(name: str, known: frozenset[str] = frozenset()) -> list[str]:
    """Return the names that a run of letters stands for: one, or the factors of a product such as xy.

    What has no meaning at all is returned as it is, since it may be a unit; the grammar decides.
    """
    if name in known:
        return [name]
    name = name.translate(_ALIKE) if len(name) <= 2 else name
    plain = meaning(name)
    if plain in FUNCTIONS or plain in CONSTANTS or plain in GREEK or len(plain) == 1:
        return [plain]
    if 2 <= len(name) <= 3 and set(name) <= _SPLIT and any(letter in "xyz" for letter in name):
        return list(name)
    return [name]


def unknown(name: str) -> ToolRetry:
    """Return the refusal of a word that means nothing here."""
    return ToolRetry(
        f"{name[:30]!r} has no meaning here: leave words out, use letters such as x for unknowns, and give"
        " functions brackets, as in sqrt(2)"
    )
