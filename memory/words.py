"""Word lists of `memory.textual`, English and Russian (abbreviations and months also German)."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A full stop after one of these never ends a sentence: a name, number or explanation follows.
LEADING_ABBREVIATIONS = _words(
    """
    dr mr mrs ms messrs prof rev hon gen col lt sgt capt cmdr adm maj gov sen rep pres st mt ft fr msgr
    eds ca cf viz vs approx est lit
    e.g i.e bzw z.b d.h т.е т.к т.н т.о напр г-н г-жа им ул пр-т пл пер кв корп см ср
    проф акад доц ген полк кап св о. оз обл р-н изд ред
    """
)

# After these only if a figure follows ("No. 5", but "He said no. Then").
NUMERIC_ABBREVIATIONS = _words(
    "no nos art fig figs vol vols p pp pg ch chap sec eq eqs д стр рис табл гл п пп ст № нр nr"
)

# These may end one: a sentence goes on unless the next word is a usual first word.
TRAILING_ABBREVIATIONS = _words(
    """
    inc ltd co corp plc llc bros jr sr ph.d m.d b.a m.a b.sc m.sc esq dept univ al
    jan feb apr jun jul aug sep sept oct nov dec tue thu fri
    в вв млн млрд тыс трлн руб коп чел кг км см мм мин сек ч
    """
)

# Words that open a sentence far more often than they follow an abbreviation inside one.
OPENERS = _words(
    """
    the a an this that these those it its he she they we you i his her their our my in on at by for from
    with after before during since until when while where who what which why how if although though because
    as and but or so yet however moreover furthermore meanwhile then there here also both each every some
    many most several few all yes no not another other one two three first second third finally later
    in to according despite unlike like under over between among within without through about
    в во на он она оно они это эта этот эти тот та те его её их мы вы я ты но и а или если когда где кто
    что как так также после до при по из с со у к от для за под над о об не ни однако затем потом кроме
    позже сегодня сейчас первый второй один два три все всё каждый многие некоторые там здесь тогда поэтому
    хотя согласно какой какая какое какие какова каков каково каковы каким какими какого какую каком сколько
    насколько почему зачем откуда куда чей чья чьё чье чьи кого кому кем чем чему назови назовите скажи скажите
    найди найдите да нет
    """
)

MONTHS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "january jan январь января январе янв",
            "february feb февраль февраля феврале фев",
            "march mar март марта марте",
            "april apr апрель апреля апреле апр",
            "may май мая мае",
            "june jun июнь июня июне",
            "july jul июль июля июле",
            "august aug август августа августе авг",
            "september sep sept сентябрь сентября сентябре сен сент",
            "october oct октябрь октября октябре окт",
            "november nov ноябрь ноября ноябре ноя нояб",
            "december dec декабрь декабря декабре дек",
        ),
        1,
    )
    for name in names.split()
}

GERMAN_MONTHS = _words(
    "januar februar märz april mai juni juli august september oktober november dezember jahrhundert"
)

STOP_WORDS = _words(
    """
    a an the this that these those there here it its itself he him his himself she her hers herself they them
    their theirs we us our ours you your yours i me my mine who whom whose which what when where why how
    is are was were be been being am do does did done doing have has had having will would shall should can
    could may might must not no nor and or but if then else so than too very just also as at by for from in
    into of off on onto out over to up down with without within about above after again against all any
    because before below between both during each few further more most other own same some such only through
    under until while upon s t d ll re ve m
    и в во не что он на я с со как а то все всё она так его но да ты к у же вы за бы по только её ее мне было
    вот от меня ещё еще нет о об из ему теперь когда даже ну ли если уже или ни быть был него до вас нибудь
    уж вам ведь там потом себя ей может они тут где есть надо ней для мы тебя их чем была сам чтоб без будто
    чего себе под будет ж тогда кто этот того потому этого какой ним здесь этом один мой тем чтобы нее были
    куда зачем всех при об это эта эти том тот та те также является являются который которая которое которые
    которого которой которых
    """
)

NUMBER_WORDS: dict[str, int] = {
    word: value
    for value, words in (
        (0, "zero ноль нуль"),
        (1, "one один одна одно одного одной одну"),
        (2, "two два две двух двум двумя"),
        (3, "three три трёх трех трём трем тремя"),
        (4, "four четыре четырёх четырех четырём четырьмя"),
        (5, "five пять пяти пятью"),
        (6, "six шесть шести шестью"),
        (7, "seven семь семи семью"),
        (8, "eight восемь восьми"),
        (9, "nine девять девяти"),
        (10, "ten десять десяти"),
        (11, "eleven одиннадцать одиннадцати"),
        (12, "twelve двенадцать двенадцати"),
        (13, "thirteen тринадцать тринадцати"),
        (14, "fourteen четырнадцать четырнадцати"),
        (15, "fifteen пятнадцать пятнадцати"),
        (16, "sixteen шестнадцать шестнадцати"),
        (17, "seventeen семнадцать семнадцати"),
        (18, "eighteen восемнадцать восемнадцати"),
        (19, "nineteen девятнадцать девятнадцати"),
        (20, "twenty двадцать двадцати"),
        (30, "thirty тридцать тридцати"),
        (40, "forty сорок сорока"),
        (50, "fifty пятьдесят пятидесяти"),
        (60, "sixty шестьдесят шестидесяти"),
        (70, "seventy семьдесят семидесяти"),
        (80, "eighty восемьдесят восьмидесяти"),
        (90, "ninety девяносто девяноста"),
        (200, "двести двухсот"),
        (300, "триста трёхсот трехсот"),
        (400, "четыреста четырёхсот"),
        (500, "пятьсот пятисот"),
        (600, "шестьсот шестисот"),
        (700, "семьсот семисот"),
        (800, "восемьсот восьмисот"),
        (900, "девятьсот девятисот"),
    )
    for word in words.split()
}
NUMBER_WORDS |= {"сто": 100, "ста": 100}

ORDINAL_WORDS: dict[str, int] = {
    "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
    "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "sixteenth": 16,
    "seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30, "fortieth": 40,
    "fiftieth": 50, "hundredth": 100,
}  # fmt: skip

SCALES: dict[str, int] = {
    word: value
    for value, words in (
        (100, "hundred"),
        (10**3, "thousand thousands тыс тысяча тысячи тысяч тысячу"),
        (10**6, "million millions mln mn миллион миллиона миллионов млн"),
        (10**9, "billion billions bn миллиард миллиарда миллиардов млрд"),
        (10**12, "trillion trillions tn триллион триллиона триллионов трлн"),
    )
    for word in words.split()
}

MAGNITUDES: dict[str, int] = {
    word: value
    for value, words in (
        (10, "tens десятки десятков десяткам десятками десятках"),
        (12, "dozens дюжины дюжин"),
        (100, "hundreds сотни сотен сотням сотнями сотнях"),
        (10**3, "thousands тысячи тысяч тысячам тысячами тысячах"),
        (10**6, "millions миллионы миллионов миллионам миллионами миллионах"),
        (10**9, "billions миллиарды миллиардов миллиардам миллиардами миллиардах"),
        (10**12, "trillions триллионы триллионов триллионам триллионами триллионах"),
    )
    for word in words.split()
}
"""How many, when no number is told: "hundreds", "сотни"."""

# Words before or instead of a number; a capital at the start of a sentence makes none of them a name.
QUANTIFIERS = _words(
    """
    almost nearly around roughly approximately exactly precisely half dozen double twice
    почти около примерно приблизительно ровно свыше более менее половина половину половины треть трети четверть
    четверти полтора полторы полутора полмиллиона дюжина дважды трижды вдвое втрое
    """
) | {f"{root}{ending}" for root in ("перв", "втор") for ending in "ый ой ая ое ую ого ому ом ые ых ым ыми".split()}  # noqa: SIM905

# Lower-case words that join two parts of one name.
NAME_JOINTS = _words("of the de del della di da do dos du la le van von der den zu al el bin ibn für y")
