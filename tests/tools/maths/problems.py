"""Problems as people and models write them, each with an oracle: what SymPy, `datetime` or Python say directly.

A line is `what is typed => Python for the answer`. The Python sees SymPy's names, the symbols a to z, `date` and
`timedelta`. Calculus, algebra and number theory come in five styles: plain, words, LaTeX, SymPy's calls, Russian.
"""

# ruff: noqa: E501 - a problem is a line

ARITHMETIC = r"""
2 + 3 * 4 => 14
(2 + 3) * 4 => 20
2^3^2 => 512
-2^2 => -4
(-2)^2 => 4
2**10 => 1024
7 // 2 => 3
-7 // 2 => -4
17 % 5 => 2
-17 mod 5 => 3
0.1 + 0.2 => Rational(3, 10)
1/3 + 1/6 => Rational(1, 2)
3/8 + 1/4 => Rational(5, 8)
22/7 - 355/113 => Rational(22, 7) - Rational(355, 113)
2,850 - 1,230 => 1620
1 234 567 + 1 => 1234568
1'000'000 / 8 => 125000
3,5 + 1,25 => Rational(19, 4)
1.234.567,5 - 0,5 => 1234567
2½ + ¾ => Rational(13, 4)
3 × 4 ÷ 6 − 1 => 1
5² + 12² => 169
√144 + ∛27 => 15
2⁻³ => Rational(1, 8)
6 times 7 => 42
84 divided by 2 => 42
12 plus 30 minus 2 => 40
9 squared plus 2 cubed => 89
2 to the power of 8 => 256
what is 15 minus 4? => 11
calculate 12 * (3 + 4) => 84
how much is 3/8 + 1/4? => Rational(5, 8)
What is the square root of 1764? => 42
cube root of 343 => 7
the square root of 2 times 3 => 3*sqrt(2)
17% of 2340 => Rational(17*2340, 100)
12.5% of 1,000 => 125
17 percent of 200 => 34
10% of 10% of 1000 => 10
5% off 80 => 76
80 with a 25% discount => 60
200 increased by 15% => 230
200 decreased by 15% => 170
100 + 10% => 110
100 - 10% => 90
20% + 30% => Rational(1, 2)
what percent of 80 is 20? => 25
45 is what percent of 60 => 75
30 as a percentage of 120 => 25
percent change from 50 to 65 => 30
percentage decrease from 80 to 60 => -25
compound interest on 1000 at 5% for 3 years => 1000*(Rational(105, 100)**3 - 1)
3/4 of 20 => 15
half of 30 => 15
a third of 60 => 20
3 1/2 + 2 1/4 => Rational(23, 4)
200 + 15% - 10% => 207
3x = 6; x + 1 => 3
квадратный корень из 16 => 4
twice 21 => 42
5! => 120
3 + 5! => 123
7!! => 105
10! / 8! => 90
2(3 + 4) => 14
(1 + 2)(3 + 4) => 21
|3 - 10| => 7
||2 - 5| - 10| => 7
abs(-3.5) => Rational(7, 2)
floor(-3.5) + ceil(2.1) => -1
round(2.5) => 3
round 3.14159 to 2 decimal places => Rational(314, 100)
round 1234.5 to the nearest hundred => 1200
round 2.675 to 2 digits => Rational(268, 100)
123456 rounded to 2 decimals => 123456
0.00123456 to 3 significant figures => Rational(123, 100000)
max(3, 7, 5) - min(3, 7, 5) => 4
mean(1, 2, 3, 4) => Rational(5, 2)
12 x 12 => 144
$19.99 * 3 => Rational(5997, 100)
€1,200 / 4 => 300
1e3 + 1e-3 => Rational(1000001, 1000)
9.9 - 9.11 => Rational(79, 100)
2^100 => 2**100
123456789012345678901234567890 * 987654321098765432109876543210 => 123456789012345678901234567890 * 987654321098765432109876543210
9999999999999999999999999999999999999999 + 1 => 10**40
8675309867530986753098675309867530986753 + 1234567890123456789012345678901234567890 => 8675309867530986753098675309867530986753 + 1234567890123456789012345678901234567890
99999999999999999999 - 1 => 99999999999999999998
sqrt(2) * sqrt(8) => 4
sqrt 16 + 9 => 13
8^(1/3) => 2
sin(pi/6) => Rational(1, 2)
sin pi/6 => Rational(1, 2)
cos(60°) => Rational(1, 2)
tan 45° => 1
sin^2(1) + cos^2(1) => sin(1)**2 + cos(1)**2
arctan(1) => pi/4
sin^-1(1) => pi/2
ln(e^3) => 3
log(100, 10) => 2
log_2 1024 => 10
log2(8) + log10(1000) => 6
log base 3 of 81 => 4
lg 1000 => 3
e^(i*pi) + 1 => 0
(1 + i)^2 => 2*I
(3 + 4i)/(1 - 2i) => (3 + 4*I)/(1 - 2*I)
|3 + 4i| => 5
a = 3; b = a^2; a + b => 12
price = 80; discount = 25% of price; price - discount => 60
f(x) = x^2 + 1; f(3) + f(1) => 12
x^2 + 1 at x = 3 => 10
3x + 2y where x = 2, y = 5 => 16
evaluate x^3 - x for x = 4 => 60
let r = 5; pi * r^2 => 25*pi
сколько будет 2 + 2 * 2 => 6
17% от 200 => 34
вычисли корень из 625 => 25
3 умножить на 4 плюс 1 => 13
100 разделить на 8 => Rational(25, 2)
2 в степени 10 => 1024
"""

COMPARISONS = r"""
9.11 > 9.9 => False
3/4 > 2/3 => True
1 < 2 < 3 => True
1 < 3 < 2 => False
0.1 + 0.2 = 0.3 => True
2 + 2 = 5 => False
sqrt(2) < 1.4143 => True
sqrt(2) * sqrt(2) = 2 => True
pi > 22/7 => False
e^pi > pi^e => True
is 9.11 greater than 9.9? => False
is 1/3 less than 0.34 => True
2 ≤ 2 => True
3 ≠ 3 => False
sin(pi/4)^2 = 1/2 => True
is 91 prime => False
is 97 a prime number? => True
is 2^31 - 1 prime => True
is 123 divisible by 3 => True
is 7 even => False
is 7 odd? => True
is 144 a perfect square => True
is 150 a perfect square => False
is 2000 a leap year => True
is 1900 a leap year? => False
is racecar a palindrome => True
are listen and silent anagrams => True
простое ли число 101 => True
2024 високосный год => True
"""

CALCULUS_STYLES = [
    # words, LaTeX, SymPy's call, Russian, oracle
    ("integrate x^2 from 0 to 3", r"\int_0^3 x^2 dx", "integrate(x**2, (x, 0, 3))", "интеграл x^2 от 0 до 3", "integrate(x**2, (x, 0, 3))"),
    ("integral of sin(x) from 0 to pi", r"\int_{0}^{\pi} \sin x \, dx", "integrate(sin(x), (x, 0, pi))", "интеграл от sin(x) от 0 до пи", "integrate(sin(x), (x, 0, pi))"),
    ("integrate x*e^x", r"\int x e^{x} dx", "integrate(x*exp(x), x)", "интеграл x*e^x", "integrate(x*exp(x), x)"),
    ("integrate 1/(1 + x^2) from -infinity to infinity", r"\int_{-\infty}^{\infty} \frac{1}{1+x^2} dx", "integrate(1/(1 + x**2), (x, -oo, oo))", "интеграл 1/(1+x^2) от -бесконечность до бесконечность", "pi"),
    ("antiderivative of 3x^2 + 2x", r"\int (3x^2 + 2x) \, dx", "integrate(3*x**2 + 2*x, x)", "проинтегрируй 3x^2 + 2x", "x**3 + x**2"),
    ("integrate e^(-x^2) from 0 to infinity", r"\int_0^\infty e^{-x^2} dx", "integrate(exp(-x**2), (x, 0, oo))", "интеграл e^(-x^2) от 0 до бесконечности", "sqrt(pi)/2"),
    ("integrate ln(x) from 1 to e", r"\int_1^e \ln x \, dx", "integrate(log(x), (x, 1, E))", "интеграл ln(x) от 1 до e", "1"),
    ("integral of cos(x)^2 dx", r"\int \cos^2 x \, dx", "integrate(cos(x)**2, x)", "интеграл cos(x)^2", "integrate(cos(x)**2, x)"),
    ("integrate 1/x from 1 to 10", r"\int_1^{10} \frac{dx}{x}", "integrate(1/x, (x, 1, 10))", "интеграл 1/x от 1 до 10", "log(10)"),
    ("integral of sqrt(1 - x^2) from -1 to 1", r"\int_{-1}^{1} \sqrt{1 - x^2} \, dx", "integrate(sqrt(1 - x**2), (x, -1, 1))", "интеграл sqrt(1-x^2) от -1 до 1", "pi/2"),
    ("derivative of x^3", r"\frac{d}{dx} x^3", "diff(x**3, x)", "производная x^3", "3*x**2"),
    ("differentiate x^2 sin(x)", r"\frac{d}{dx} (x^2 \sin x)", "diff(x**2*sin(x), x)", "производная x^2*sin(x)", "diff(x**2*sin(x), x)"),
    ("derivative of ln(x)/x", r"\frac{d}{dx} \frac{\ln x}{x}", "diff(log(x)/x, x)", "производная функции ln(x)/x", "diff(log(x)/x, x)"),
    ("second derivative of x^4 - 3x^2", r"\frac{d^2}{dx^2} (x^4 - 3x^2)", "diff(x**4 - 3*x**2, x, 2)", "вторая производная x^4 - 3x^2", "12*x**2 - 6"),
    ("derivative of tan(x)", r"\frac{d}{dx} \tan x", "diff(tan(x), x)", "производная tg(x)", "diff(tan(x), x)"),
    ("derivative of e^(2x) at x = 0", r"\frac{d}{dt} e^{2t}", "diff(exp(2*x), x)", "производная e^(2x)", None),
    ("d/dx arctan(x)", r"\frac{d}{dx} \arctan x", "diff(atan(x), x)", "производная arctg(x)", "1/(x**2 + 1)"),
    ("limit of sin(x)/x as x approaches 0", r"\lim_{x \to 0} \frac{\sin x}{x}", "limit(sin(x)/x, x, 0)", "предел sin(x)/x при x стремящемся к 0", "1"),
    ("limit of (1 + 1/n)^n as n -> infinity", r"\lim_{n \to \infty} (1 + \frac{1}{n})^n", "limit((1 + 1/n)**n, n, oo)", "предел (1 + 1/n)^n при n -> бесконечность", "E"),
    ("limit of (x^2 - 1)/(x - 1) as x goes to 1", r"\lim_{x \to 1} \frac{x^2 - 1}{x - 1}", "limit((x**2 - 1)/(x - 1), x, 1)", "предел (x^2-1)/(x-1) при x -> 1", "2"),
    ("limit of (1 - cos x)/x^2 as x -> 0", r"\lim_{x \to 0} \frac{1 - \cos x}{x^2}", "limit((1 - cos(x))/x**2, x, 0)", "предел (1 - cos(x))/x^2 при x -> 0", "Rational(1, 2)"),
    ("limit of 1/x as x approaches 0 from the right", r"\lim_{x \to 0^+} \frac{1}{x}", "limit(1/x, x, 0, '+')", "предел 1/x при x -> 0 справа", "oo"),
    ("sum of 1/n^2 for n from 1 to infinity", r"\sum_{n=1}^{\infty} \frac{1}{n^2}", "summation(1/n**2, (n, 1, oo))", "сумма 1/n^2 для n от 1 до бесконечности", "pi**2/6"),
    ("sum of k^2 for k = 1 to 20", r"\sum_{k=1}^{20} k^2", "summation(k**2, (k, 1, 20))", "сумма k^2 при k от 1 до 20", "2870"),
    ("sum of i for i from 1 to n", r"\sum_{i=1}^{n} i", "summation(i, (i, 1, n))", "сумма i для i от 1 до n", "n*(n + 1)/2"),
    ("sum of (1/2)^n from n=0 to infinity", r"\sum_{n=0}^{\infty} \left(\frac{1}{2}\right)^n", "summation((1/2)**n, (n, 0, oo))", "сумма (1/2)^n для n от 0 до бесконечности", "2"),
    ("product of k from k=1 to 6", r"\prod_{k=1}^{6} k", "product(k, (k, 1, 6))", "произведение k для k от 1 до 6", "720"),
    ("factor x^2 - 5x + 6", "factor x^{2} - 5x + 6", "factor(x**2 - 5*x + 6)", "разложи на множители x^2 - 5x + 6", "(x - 2)*(x - 3)"),
    ("expand (x + 2)^3", r"expand \left(x + 2\right)^{3}", "expand((x + 2)**3)", "раскрой скобки (x + 2)^3", "x**3 + 6*x**2 + 12*x + 8"),
    ("simplify (x^2 - 1)/(x - 1)", r"simplify \frac{x^2 - 1}{x - 1}", "simplify((x**2 - 1)/(x - 1))", "упрости (x^2 - 1)/(x - 1)", "x + 1"),
    ("simplify sin(x)^2 + cos(x)^2", r"simplify \sin^2 x + \cos^2 x", "simplify(sin(x)**2 + cos(x)**2)", "упростить sin(x)^2 + cos(x)^2", "1"),
]  # fmt: skip

CALCULUS = r"""
integrate x^2 dx from 0 to 3 => 9
\int_0^1 \int_0^x xy \, dy \, dx => Rational(1, 8)
\sin 30^\circ => Rational(1, 2)
∫_0^1 x dx => Rational(1, 2)
∫ x² dx => x**3/3
integral from 0 to 1 of x^3 => Rational(1, 4)
integrate 1/(x^2 - 1) => integrate(1/(x**2 - 1), x)
integrate x sin x => integrate(x*sin(x), x)
integrate t^2 + 1 wrt t from 0 to 2 => Rational(14, 3)
integrate(x*y, (x, 0, 1), (y, 0, 2)) => 1
integrate x^2*y with respect to y => x**2*y**2/2
area under x^2 from 0 to 1 => Rational(1, 3)
integrate sec(x)^2 => tan(x)
integrate 1/sqrt(1 - x^2) => asin(x)
integrate |x| from -1 to 2 => Rational(5, 2)
integrate floor(2) from 0 to 1 => 2
derivative of x^x => diff(x**x, x)
derivative of sin(x^2) => 2*x*cos(x**2)
derivative of x^2*y with respect to y => x**2
third derivative of sin(x) => -cos(x)
d^2/dx^2 e^(3x) => 9*exp(3*x)
diff(sin(x)*cos(x), x) => cos(2*x)
diff(x^2*y^3, x, y) => 6*x*y**2
slope of x^2 - 4x at x = 3 => 2
derivative of e^(2x) at x = 0 => 2
derivative of sqrt(x) at x = 4 => Rational(1, 4)
limit of (x^3 - 8)/(x - 2) as x -> 2 => 12
limit of x*ln(x) as x -> 0 from the right => 0
limit of sqrt(x^2 + x) - x as x -> infinity => Rational(1, 2)
lim x->0 tan(x)/x => 1
lim_{x->3} (x^2 - 9)/(x - 3) => 6
limit((exp(x) - 1)/x, x, 0) => 1
taylor series of e^x at x = 0 to order 4 => series(exp(x), x, 0, 4)
series of cos(x) around 0 => series(cos(x), x, 0, 6)
series(log(1 + x), x, 0, 5) => series(log(1 + x), x, 0, 5)
maclaurin series of 1/(1 - x) to order 5 => series(1/(1 - x), x, 0, 5)
ряд Тейлора sin(x) в точке 0 до порядка 6 => series(sin(x), x, 0, 6)
sum of 1/2^n from n=1 to 10 => Rational(1023, 1024)
sum of the integers from 1 to 100 => 5050
sum(1/n^4, (n, 1, infinity)) => pi**4/90
sum of 1/n! for n from 0 to infinity => E
product of (1 - 1/k^2) for k from 2 to 10 => Rational(11, 20)
partial fractions of 1/(x^2 - 1) => apart(1/(x**2 - 1))
factor x^3 - 1 => factor(x**3 - 1)
factor x^4 - y^4 => factor(x**4 - y**4)
expand (a + b)(a - b) => a**2 - b**2
expand (x+1)(x+2)(x+3) => expand((x+1)*(x+2)*(x+3))
2x + 3x - x => 4*x
x*x*x => x**3
(x^2 + 2x + 1)/(x + 1) at x = 4 => 5
together 1/x + 1/y => (x + y)/(x*y)
"""

EQUATIONS = r"""
x^2 = 4 => {-2, 2}
solve x^2 = 4 => {-2, 2}
solve x^2 - 5x + 6 = 0 for x => {2, 3}
solve(x**2 - 4, x) => {-2, 2}
solve(Eq(x**2, 9), x) => {-3, 3}
2x + 3 = 7 => {2}
solve 3x - 7 = 2x + 5 => {12}
solve for x: 5(x - 2) = 3x => {5}
find x if 2x + 1 = 9 => {4}
roots of x^3 - 6x^2 + 11x - 6 => {1, 2, 3}
zeros of x^2 + 1 => {I, -I}
solutions of x^2 + x + 1 => set(solve(x**2 + x + 1, x))
x^2 = 2 => {sqrt(2), -sqrt(2)}
x^3 = 8 => set(solve(x**3 - 8, x))
x^4 - 5x^2 + 4 = 0 => {-2, -1, 1, 2}
solve x^2 + 3x + 1 = 0 => set(solve(x**2 + 3*x + 1, x))
sqrt(x) = 3 => {9}
sqrt(x + 1) = x - 1 => {3}
1/x = 4 => {Rational(1, 4)}
2^x = 32 => {5}
e^x = 5 => {log(5)}
ln(x) = 2 => {E**2}
log_10(x) = 3 => {1000}
|x - 3| = 5 => {-2, 8}
|2x + 1| = 7 => {-4, 3}
sin(x) = 1/2 => {pi/6, 5*pi/6}
cos(x) = 0 => {pi/2, 3*pi/2}
a*x + b = 0 solve for x => {-b/a}
solve a*x^2 + b*x + c = 0 for x => set(solve(a*x**2 + b*x + c, x))
solve F = m*a for a => {Symbol('F')/m}
solve V = pi*r^2*h for h => {Symbol('V')/(pi*r**2)}
x/2 + x/3 = 10 => {12}
0.5x + 1.5 = 4 => {5}
x(x - 1) = 6 => {-2, 3}
(x - 1)(x + 2) = 0 => {-2, 1}
x^2 = x => {0, 1}
20% of x = 15 => {75}
x + 20% of x = 60 => {50}
решить x^2 - 5x + 6 = 0 => {2, 3}
реши уравнение 2x + 3 = 7 => {2}
решите уравнение x^2 = 16 => {-4, 4}
корни уравнения x^2 - 7x + 12 => {3, 4}
solve \frac{x}{2} = 7 => {14}
x^{2} - 4 = 0 => {-2, 2}
\sqrt{x} = 5 => {25}
"""

SYSTEMS = r"""
x + y = 3; x - y = 1 => {x: 2, y: 1}
x + y = 10, x - y = 4 => {x: 7, y: 3}
solve x + y = 5 and 2x - y = 1 for x and y => {x: 2, y: 3}
solve([x + y - 3, x - y - 1], [x, y]) => {x: 2, y: 1}
solve([Eq(2*x + y, 7), Eq(x, y + 2)], (x, y)) => {x: 3, y: 1}
x + y + z = 6; x - y = 0; z = 2x => {x: Rational(3, 2), y: Rational(3, 2), z: 3}
solve the system x + 2y = 8, 3x - y = 3 => {x: 2, y: 3}
реши систему x + y = 3, x - y = 1 => {x: 2, y: 1}
\begin{cases} x + y = 3 \\ x - y = 1 \end{cases} => {x: 2, y: 1}
"""

INEQUALITIES = r"""
x^2 > 4 => solve_univariate_inequality(x**2 > 4, x, relational=False)
2x + 1 < 7 => solve_univariate_inequality(2*x + 1 < 7, x, relational=False)
solve x^2 - 4 <= 0 => solve_univariate_inequality(x**2 - 4 <= 0, x, relational=False)
3 - x >= 1 => solve_univariate_inequality(3 - x >= 1, x, relational=False)
|x| < 2 => Interval.open(-2, 2)
1 < x + 2 < 5 => Interval.open(-1, 3)
реши неравенство x^2 < 9 => Interval.open(-3, 3)
"""

NUMBER_THEORY = r"""
gcd of 12 and 18 => gcd(12, 18)
gcd(462, 1071) => gcd(462, 1071)
greatest common divisor of 48, 36 and 24 => 12
lcm of 4 and 6 => lcm(4, 6)
lcm(4, 6, 10) => 60
least common multiple of 15 and 20 => 60
НОД(48, 36) => 12
НОК 4 и 6 => 12
наибольший общий делитель 48 и 36 => 12
prime factors of 360 => 360
factorize 1001 => 1001
factorint(60) => 60
разложи 84 на простые множители => 84
divisors of 28 => [1, 2, 4, 7, 14, 28]
factors of 12 => [1, 2, 3, 4, 6, 12]
10th prime => prime(10)
prime(100) => 541
next prime after 100 => nextprime(100)
number of primes below 1000 => primepi(1000)
20th fibonacci number => fibonacci(20)
fibonacci(30) => fibonacci(30)
totient(36) => totient(36)
12 choose 5 => binomial(12, 5)
binomial(10, 3) => 120
\binom{7}{2} => 21
permutations of 10 taken 3 at a time => 720
combinations of 52 items taken 5 => binomial(52, 5)
100 choose 50 => binomial(100, 50)
inverse of 3 mod 11 => 4
remainder when 12345 is divided by 7 => 12345 % 7
остаток от деления 100 на 7 => 2
2^100 mod 7 => 2**100 % 7
digit sum of 98765 => 35
sum of the digits of 12345 => 15
how many digits in 2^100 => len(str(2**100))
factorial of 20 => factorial(20)
факториал 6 => 720
"""

STATISTICS = r"""
mean of 1, 2, 3, 4 => Rational(5, 2)
mean of 1, 2, 3 and 6 => 3
average of 85, 90, 78, and 92 => Rational(345, 4)
median of 3, 1, 2 => 2
median of 4, 1, 3, 2 => Rational(5, 2)
median of [12, 15, 11, 19] => Rational(27, 2)
mode of 1, 2, 2, 3 => 2
range of 5, 9, 2 => 7
sum of 1, 2, 3 and 4 => 10
product of 3, 4, 5 => 60
standard deviation of 2, 4, 4, 4, 5, 5, 7, 9 => sqrt(Rational(32, 7))
population standard deviation of 2, 4, 4, 4, 5, 5, 7, 9 => 2
variance of 1, 2, 3, 4, 5 => Rational(5, 2)
population variance of 1, 2, 3, 4, 5 => 2
maximum of 3, 9, 4 => 9
smallest of 0.5, 1/3, 0.4 => Rational(1, 3)
mean 2 4 6 8 => 5
mean of 2.5; 3.5; 6 => 4
среднее чисел 2, 4, 9 => 5
медиана 5, 1, 3 => 3
сумма 1, 2 и 3 => 6
стандартное отклонение 1, 2, 3, 4 => sqrt(Rational(5, 3))
stdev(1, 2, 3, 4) => sqrt(Rational(5, 3))
"""

MATRICES = r"""
determinant of [[1, 2], [3, 4]] => -2
det([[2, 0, 1], [1, 3, 2], [1, 1, 1]]) => Matrix([[2, 0, 1], [1, 3, 2], [1, 1, 1]]).det()
determinant of {{1, 2}, {3, 4}} => -2
Matrix([[1, 2], [3, 4]]) => [[1, 2], [3, 4]]
inverse of [[1, 2], [3, 4]] => [[-2, 1], [Rational(3, 2), Rational(-1, 2)]]
inv([[2, 0], [0, 4]]) => [[Rational(1, 2), 0], [0, Rational(1, 4)]]
[[1, 2], [3, 4]]^-1 => [[-2, 1], [Rational(3, 2), Rational(-1, 2)]]
eigenvalues of [[2, 0], [0, 3]] => [2, 3]
eigenvalues of [[1, 2], [2, 1]] => [-1, 3]
[[1, 2], [3, 4]] * [[5, 6], [7, 8]] => [[19, 22], [43, 50]]
[[1, 2], [3, 4]] + [[1, 1], [1, 1]] => [[2, 3], [4, 5]]
2 * [[1, 2], [3, 4]] => [[2, 4], [6, 8]]
[[1, 1], [1, 0]]^10 => [[89, 55], [55, 34]]
transpose of [[1, 2, 3], [4, 5, 6]] => [[1, 4], [2, 5], [3, 6]]
rank of [[1, 2], [2, 4]] => 1
trace of [[1, 2], [3, 4]] => 5
[1, 2, 3] dot [4, 5, 6] => 32
cross([1, 0, 0], [0, 1, 0]) => [0, 0, 1]
norm([3, 4]) => 5
[1, 2] + [3, 4] => [4, 6]
определитель матрицы [[5, 3], [2, 4]] => 14
\begin{vmatrix} 1 & 2 \\ 3 & 4 \end{vmatrix} => -2
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} => [[1, 2], [3, 4]]
rref([[1, 2], [3, 4]]) => [[1, 0], [0, 1]]
"""

UNITS = r"""
5 miles in km => Rational(5 * 1609344, 10**6)
10 km to miles => Rational(10 * 10**6, 1609344)
convert 3 feet to cm => Rational(9144, 100)
6 ft 2 in in cm => Rational(74 * 254, 100)
5'11" in cm => Rational(71 * 254, 100)
72 °F to °C => Rational(200, 9)
100 °C in °F => 212
-40 celsius in fahrenheit => -40
25 °C in K => Rational(29815, 100)
3 kg * 9.81 m/s^2 in N => Rational(2943, 100)
60 mph * 2.5 h => 150
100 km / 2 h => 50
2 h 30 min in minutes => 150
how many minutes in 3 hours => 180
how many seconds are in a day => 86400
90 minutes in hours => Rational(3, 2)
2 weeks in days => 14
1 kg in pounds => Rational(10**8, 45359237)
150 lb in kg => Rational(150 * 45359237, 10**8)
5 gallons in liters => Rational(5 * 3785411784, 10**9)
2 L + 500 mL => Rational(5, 2)
5 km + 300 m => Rational(53, 10)
1 GB in MB => 1000
1 GiB in MiB => 1024
8 bits in bytes => 1
50 mph in km/h => Rational(50 * 1609344, 10**6)
10 m/s in km/h => 36
1 acre in m^2 => Rational(40468564224, 10**7)
2 hectares in m^2 => 20000
1 kWh in J => 3600000
100 W * 10 h in kWh => 1
1 atm in Pa => 101325
180 degrees in radians => pi
pi/3 radians in degrees => 60
1000 m in km => 1
3 m * 4 m in m^2 => 12
5 kg > 10 lb => True
1 mile = 1.609344 km => True
half a mile in m => Rational(1609344, 2000)
30 miles per gallon * 5 gallons => 150
5 миль в км => Rational(5 * 1609344, 10**6)
сколько минут в 2 часах => 120
10 кг в граммах => 10000
100 square feet in m^2 => Rational(9290304, 10**6)
5 cubic meters in liters => 5000
1 light year in km => Rational(94607304725808, 10)
100 квадратных метров в гектарах => Rational(1, 100)
3 dozen => 36
"""

DAYS = r"""
days between 3 March 2021 and 17 August 2023 => (date(2023, 8, 17) - date(2021, 3, 3)).days
how many days from 2024-01-01 to 2024-12-31 => 365
how many days between January 1, 2000 and March 1, 2000? => 60
days from 25 December 2023 until 1 January 2024 => 7
weeks between 2024-01-01 and 2024-01-29 => 4
months between 15 January 2020 and 14 March 2021 => 13
years between 1999-12-31 and 2024-12-30 => 24
90 days after 2024-02-10 => date(2024, 2, 10) + timedelta(days=90)
what date is 100 days before 1 March 2024? => date(2024, 3, 1) - timedelta(days=100)
2024-01-31 + 1 month => date(2024, 2, 29)
2024-05-10 - 2024-02-10 => (date(2024, 5, 10) - date(2024, 2, 10)).days
3 weeks from 5 May 2025 => date(2025, 5, 26)
2 years after 29 February 2024 => date(2026, 2, 28)
10 working days after 2024-03-01 => date(2024, 3, 15)
working days between 2024-03-01 and 2024-03-15 => 10
what day of the week was 20 July 1969? => "Sunday"
weekday of 2000-01-01 => "Saturday"
what day is 25 December 2030 => date(2030, 12, 25).strftime("%A")
age on 1 May 2020 of someone born 3 March 1990 => 30
how old is a person born on 29 February 2000 on 28 February 2021 => 20
iso week of 2024-12-30 => "2025-W01"
week number of 4 July 2021 => "2021-W26"
day of year of 2024-12-31 => 366
days in February 2024 => 29
how many days are in 2023 => 365
сколько дней между 3 марта 2021 и 17 августа 2023 => (date(2023, 8, 17) - date(2021, 3, 3)).days
90 дней после 10 февраля 2024 => date(2024, 5, 10)
какой день недели был 9 мая 1945 года => "Wednesday"
"""

BASES_AND_WORDS = r"""
convert 255 to hex => "ff"
convert 10 to binary => "1010"
255 in hexadecimal => "ff"
1010 binary to decimal => 10
convert 1010 from binary to decimal => 10
0xff to decimal => 255
0xff => 255
0b1011 => 11
convert ff from hex to binary => "11111111"
64 in octal => "100"
100 in base 7 => "202"
1994 in roman numerals => "MCMXCIV"
convert MMXXIV to decimal => 2024
переведи 255 в двоичную систему => bin(255)[2:]
how many r's in strawberry => 3
how many times does the letter s appear in mississippi => 4
count the letter a in "banana" => 3
how many letters in "extraordinary"? => 13
how many vowels in "education" => 5
number of words in "the quick brown fox" => 4
reverse "stressed" => "desserts"
reverse the word strawberry => "strawberry"[::-1]
spell hello backwards => "olleh"
переверни слово шалаш => "шалаш"[::-1]
сколько букв о в слове молоко => 3
3rd letter of "crowquill" => "o"
last letter of "crowquill" => "l"
length of "antidisestablishmentarianism" => 28
compare 9.11 and 9.9 => "9.11 < 9.9"
which is larger, 9.11 or 9.9? => "9.11 < 9.9"
compare 2/3 with 3/4 => "2/3 < 0.75"
что больше: 9.11 или 9.9 => "9.11 < 9.9"
сравни 1/2 и 0.5 => "0.5 = 0.5"
"""

DECIMALS = r"""
pi to 50 digits => N(pi, 50)
N(pi, 30) => N(pi, 30)
sqrt(2) to 40 digits => N(sqrt(2), 40)
first 20 digits of e => N(E, 20)
1/7 to 30 digits => N(Rational(1, 7), 30)
cos x = x => nsolve(cos(x) - x, x, 0.7)
x^5 - x + 1 = 0 => nsolve(x**5 - x + 1, x, -1.2)
integrate sin(sin(x)) from 0 to 1 => Integral(sin(sin(x)), (x, 0, 1)).evalf()
integrate e^(-x^2) from 0 to 1 => (sqrt(pi)*erf(1)/2).evalf()
sum of 1/(n^3 + 1) for n from 1 to infinity => Sum(1/(n**3 + 1), (n, 1, oo)).evalf()
"""
