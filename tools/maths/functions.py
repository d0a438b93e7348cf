"""Functions of numbers and lists: what each name does, and how many arguments it takes."""

from collections.abc import Callable, Sequence
from typing import Any

import sympy
from sympy import Expr, Integer, Rational

from crowquill.errors import ToolRetry
from crowquill.tools.maths.nodes import words
from crowquill.tools.maths.values import (
    MAX_BINOMIAL,
    MAX_FACTORIAL,
    Solutions,
    checked,
    only_numbers,
    power,
    whole,
)

Value = Any
"""A SymPy object, a tuple of values, a day, a text, a Quantity or Solutions."""
_MAX_ROUND = 100
_MAX_FACTORED = 10**60
_MAX_PRIME_INDEX = 200_000


def flat(values: Sequence[Value]) -> list[Expr]:
    """Return the numbers of arguments, of which one may be a list."""
    if len(values) == 1 and isinstance(values[0], tuple):
        values = values[0]
    return only_numbers(values, "this function")


def _numeric(value: Expr, what: str) -> Expr:
    if value.free_symbols:
        raise ToolRetry(f"{what} needs numbers")
    return value


def _factorial(value: Expr) -> Expr:
    if isinstance(value, Expr) and value.free_symbols:
        return sympy.factorial(value)
    if isinstance(value, Rational) and value.q == 2:
        return sympy.gamma(value + 1)
    number = whole(value, "a factorial")
    if not 0 <= number <= MAX_FACTORIAL:
        raise ToolRetry(f"factorial takes whole numbers from 0 to {MAX_FACTORIAL}")
    return sympy.factorial(number)


def _binomial(n: Expr, k: Expr) -> Expr:
    if isinstance(n, Integer) and abs(int(n)) > MAX_BINOMIAL:
        raise ToolRetry(f"binomial takes numbers up to {MAX_BINOMIAL}")
    return sympy.binomial(n, k)


def _permutations(n: Expr, k: Expr) -> Expr:
    return _binomial(n, k) * _factorial(k)


def _round(value: Expr, places: Expr = sympy.S.Zero) -> Expr:
    """Round halves away from zero, as people do by hand."""
    count = whole(places, "round")
    if abs(count) > _MAX_ROUND:
        raise ToolRetry(f"round takes at most {_MAX_ROUND} places")
    _numeric(value, "round")
    scale = Integer(10) ** count
    rounded = sympy.floor(sympy.Abs(value) * scale + Rational(1, 2)) / scale
    return -rounded if value.is_negative else rounded


def _significant(value: Expr, digits: Expr) -> Expr:
    _numeric(value, "rounding")
    if value == 0:
        return value
    size = int(sympy.floor(sympy.log(sympy.Abs(value), 10)))
    return _round(value, Integer(whole(digits) - 1 - size))


def _root(value: Expr, degree: Expr) -> Expr:
    if value.is_negative and isinstance(degree, Integer) and degree % 2 == 1:
        return -power(-value, 1 / degree)
    return power(value, 1 / degree)


def _log(value: Expr, base: Expr = sympy.E) -> Expr:
    if value == 0:
        raise ToolRetry("the logarithm of zero is not defined")
    return sympy.log(value, base) if base != sympy.E else sympy.log(value)


def _mean(*values: Value) -> Expr:
    numbers = flat(values)
    return sympy.Add(*numbers) / len(numbers)


def _ordered(values: Sequence[Value]) -> list[Expr]:
    numbers = flat(values)
    if any(number.free_symbols or not number.is_real for number in numbers):
        raise ToolRetry("only real numbers can be put in order")
    return sorted(numbers, key=lambda number: (number.evalf(30), sympy.default_sort_key(number)))


def _median(*values: Value) -> Expr:
    ordered = _ordered(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _mode(*values: Value) -> Value:
    numbers = flat(values)
    most = max(map(numbers.count, numbers))
    found = tuple(dict.fromkeys(number for number in numbers if numbers.count(number) == most))
    return found[0] if len(found) == 1 else found


def _variance(*values: Value) -> Expr:
    """Divide by n - 1."""
    numbers = flat(values)
    if len(numbers) < 2:
        raise ToolRetry("a sample variance needs two values or more")
    return _pvariance(*numbers) * len(numbers) / (len(numbers) - 1)


def _pvariance(*values: Value) -> Expr:
    numbers = flat(values)
    mean = _mean(*numbers)
    return sympy.Add(*[(number - mean) ** 2 for number in numbers]) / len(numbers)


def _quartiles(*values: Value) -> tuple[Expr, ...]:
    """Return the medians of the lower half, of all, and of the upper half (Moore and McCabe)."""
    ordered = _ordered(values)
    if len(ordered) < 2:
        raise ToolRetry("quartiles need two values or more")
    half = len(ordered) // 2
    return _median(*ordered[:half]), _median(*ordered), _median(*ordered[-half:])


def _percent(part: Expr, base: Expr) -> Expr:
    return divided(part, base) * 100


def divided(left: Expr, right: Expr) -> Expr:
    """Divide. Raises ZeroDivisionError."""
    if right == 0 or (not right.free_symbols and right.is_zero):
        raise ZeroDivisionError
    return left / right


def modulo(left: Expr, right: Expr) -> Expr:
    """Return the remainder, which has the sign of the divisor. Raises ZeroDivisionError."""
    if right == 0:
        raise ZeroDivisionError
    if left.free_symbols or right.free_symbols:
        return sympy.Mod(left, right)
    return left - right * sympy.floor(left / right)


def _modular_inverse(value: Expr, modulus: Expr) -> Expr:
    try:
        return Integer(pow(whole(value), -1, whole(modulus)))
    except ValueError:
        raise ToolRetry(f"{value} has no inverse modulo {modulus}: they share a factor") from None


def _power_mod(base: Expr, exponent: Expr, modulus: Expr) -> Expr:
    return Integer(pow(whole(base), whole(exponent), whole(modulus)))


def _factored_number(value: Expr) -> int:
    number = whole(value, "a prime factorisation")
    if abs(number) > _MAX_FACTORED:
        raise ToolRetry("numbers of more than 60 digits are not factored")
    return number


def _factorint(value: Expr) -> Expr:
    number = _factored_number(value)
    if abs(number) < 2:
        return Integer(number)
    factors = [
        sympy.Pow(prime, count, evaluate=False) if count > 1 else Integer(prime)
        for prime, count in sympy.factorint(number).items()
    ]
    return factors[0] if len(factors) == 1 else sympy.Mul(*factors, evaluate=False)


def _divisors(value: Expr) -> tuple[Expr, ...]:
    return tuple(map(Integer, sympy.divisors(_factored_number(value))[:400]))


def _is_prime(value: Expr) -> Any:
    return sympy.true if sympy.isprime(whole(value, "the question for primes")) else sympy.false


def _prime(value: Expr) -> Expr:
    if not 1 <= whole(value) <= _MAX_PRIME_INDEX:
        raise ToolRetry(f"primes are counted up to {_MAX_PRIME_INDEX}")
    return Integer(sympy.prime(int(value)))


def _bounded(function: Callable[[int], object], limit: int) -> Callable[[Expr], Expr]:
    def bounded(value: Expr) -> Expr:
        if abs(whole(value)) > limit:
            raise ToolRetry(f"this function takes numbers up to {limit}")
        return Integer(function(int(value)))

    return bounded


def _digits(value: Expr) -> Expr:
    return Integer(len(str(abs(whole(value, "counting digits")))))


def _digit_sum(value: Expr) -> Expr:
    return Integer(sum(map(int, str(abs(whole(value, "a sum of digits"))))))


def _gcd(*values: Value) -> Expr:
    numbers = flat(values)
    if all(isinstance(number, Integer) for number in numbers):
        return Integer(sympy.igcd(*numbers)) if len(numbers) > 1 else abs(numbers[0])
    if any(not number.free_symbols for number in numbers):
        raise ToolRetry("gcd needs whole numbers")
    return sympy.gcd_list(numbers)


def _lcm(*values: Value) -> Expr:
    numbers = flat(values)
    if not all(number.free_symbols or isinstance(number, Integer) for number in numbers):
        raise ToolRetry("lcm needs whole numbers")
    if all(isinstance(number, Integer) for number in numbers):
        result = Integer(1)
        for number in numbers:
            result = Integer(sympy.ilcm(result, number)) if number != 0 else Integer(0)
            checked(result)
        return result
    return sympy.lcm_list(numbers)


def _frac(value: Expr) -> Expr:
    return value - sympy.floor(value)


def _arrange(pick: Callable[..., Expr]) -> Callable[..., Expr]:
    def arranged(*values: Value) -> Expr:
        numbers = flat(values)
        return pick(*numbers)

    return arranged


Table = dict[str, tuple[Callable[..., Value], int, int | None]]
_REAL_FUNCTIONS = words(
    "sin cos tan cot sec csc asin acos atan acot asec acsc sinh cosh tanh coth asinh acosh atanh acoth sech csch"
    " exp gamma digamma zeta erf erfc sign conjugate re im"
)

TABLE: Table = {
    **{name: (getattr(sympy, name), 1, 1) for name in _REAL_FUNCTIONS},
    "abs": (sympy.Abs, 1, 1),
    "atan2": (sympy.atan2, 2, 2),
    "binomial": (_binomial, 2, 2),
    "cbrt": (lambda value: _root(value, Integer(3)), 1, 1),
    "ceil": (sympy.ceiling, 1, 1),
    "degrees": (lambda value: value * 180 / sympy.pi, 1, 1),
    "digit_sum": (_digit_sum, 1, 1),
    "digits": (_digits, 1, 1),
    "divide": (lambda left, right=sympy.S.One: divided(left, right), 1, 2),
    "divisor_count": (lambda value: Integer(sympy.divisor_count(_factored_number(value))), 1, 1),
    "divisors": (_divisors, 1, 1),
    "factorial": (_factorial, 1, 1),
    "factorial2": (_bounded(sympy.factorial2, MAX_FACTORIAL), 1, 1),
    "factorint": (_factorint, 1, 1),
    "fibonacci": (_bounded(sympy.fibonacci, 20_000), 1, 1),
    "floor": (sympy.floor, 1, 1),
    "frac": (_frac, 1, 1),
    "gcd": (_gcd, 1, None),
    "is_prime": (_is_prime, 1, 1),
    "lambertw": (sympy.LambertW, 1, 1),
    "lcm": (_lcm, 1, None),
    "ln": (_log, 1, 1),
    "log": (_log, 1, 2),
    "log10": (lambda value: _log(value, Integer(10)), 1, 1),
    "log2": (lambda value: _log(value, Integer(2)), 1, 1),
    "lucas": (_bounded(sympy.lucas, 20_000), 1, 1),
    "max": (_arrange(sympy.Max), 1, None),
    "mean": (_mean, 1, None),
    "median": (_median, 1, None),
    "min": (_arrange(sympy.Min), 1, None),
    "mode": (_mode, 1, None),
    "modular_inverse": (_modular_inverse, 2, 2),
    "nextprime": (lambda value: Integer(sympy.nextprime(whole(value))), 1, 1),
    "number": (lambda value: value, 1, 1),
    "percent": (_percent, 2, 2),
    "permutations": (_permutations, 2, 2),
    "power": (power, 2, 2),
    "power_mod": (_power_mod, 3, 3),
    "prevprime": (lambda value: Integer(sympy.prevprime(whole(value))), 1, 1),
    "prime": (_prime, 1, 1),
    "primepi": (_bounded(sympy.primepi, 10**8), 1, 1),
    "pstdev": (lambda *values: sympy.sqrt(_pvariance(*values)), 1, None),
    "pvariance": (_pvariance, 1, None),
    "quartiles": (_quartiles, 1, None),
    "radians": (lambda value: value * sympy.pi / 180, 1, 1),
    "range": (lambda *values: _ordered(values)[-1] - _ordered(values)[0], 1, None),
    "root": (_root, 2, 2),
    "round": (_round, 1, 2),
    "significant": (_significant, 2, 2),
    "sqrt": (lambda value: power(value, Rational(1, 2)), 1, 1),
    "stdev": (lambda *values: sympy.sqrt(_variance(*values)), 1, None),
    "totient": (lambda value: Integer(sympy.totient(_factored_number(value))), 1, 1),
    "trunc": (lambda value: sympy.sign(value) * sympy.floor(sympy.Abs(value)), 1, 1),
    "variance": (_variance, 1, None),
}
"""Each function with the least and the largest number of arguments."""


def call(name: str, values: Sequence[Value]) -> Value:
    """Apply a function of the table. Raises ToolRetry when the arguments do not fit."""
    function, least, most = TABLE[name]
    if len(values) < least or (most is not None and len(values) > most):
        wanted = f"{least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
        raise ToolRetry(f"{name} takes {wanted} numbers, not {len(values)}")
    if most is not None and not all(isinstance(value, Expr) for value in values):
        raise ToolRetry(
            f"{name} needs numbers"
            if not any(isinstance(v, Solutions) for v in values)
            else f"{name} needs one number"
        )
    return function(*values)
