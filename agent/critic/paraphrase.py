"""Words that say little, and words that say the same, English and Russian. Data for finding what was added."""

from collections.abc import Set

from crowquill.memory.textual import stem

_ALIKE = """
long length stretch extend длинный длина протяжённость протянуться
high height tall altitude elevation высокий высота
deep depth глубокий глубина
wide width broad ширина широкий
heavy weigh weighs weight mass вес весить весит масса тяжёлый
old age aged возраст
large size area cover covers covering surface площадь
cost costs price priced cheap expensive стоить стоит стоимость цена
born birth birthplace родиться родился родилась рождение
died die death dead умереть умер умерла смерть скончался
founded establish established create created founder build built construct constructed основать основан основана создан построен
people person inhabitant inhabitants resident residents population live lives lived человек люди житель жители население жить живут жили
begin began begun start started open opened begins starts начаться начался начало открыт
win won winner victory beat defeated победить победил победа
write wrote written author writer novel book автор написать написал
direct directed director film movie режиссёр снять снял фильм
situated located lies stands stand lie place site находиться находится расположен стоит
show shown reveal find found report reported according
fast speed quick quickly скорость быстрый
hot temperature cold warm температура
earn income revenue turnover sales выручка доход
work works working employ employs employed employee employees работать работают работник сотрудник
"""
_LIGHT = """
come comes came measure measures have has make makes made amount amounts reach reaches total equal equals include
includes become became take took get got use uses used call called name named know known give gave gives say says said
state states mean means part thing kind type way number value figure roughly approximately about around exactly only
also river lake city town country person man woman film book year answer question result consist consists contain
составлять составляет составила достигать достигает равняться равен насчитывать насчитывает иметь имеет стать стал
называться называется являться ответ вопрос число примерно около более менее город река страна год
"""
_TELLING = """
table query result row column cell database data list listed lists show shows shown give given return returned entry entries
record records field first second third next top bottom lead leads leading follow follows followed ahead behind margin rank
ranks ranked place places placed highest lowest largest smallest least fewest greatest count counts sum sums total totals
average mean median maximum minimum difference ratio share percent percentage altogether combined together overall twice
double half respectively corresponding answer there following time times
таблица запрос результат строка столбец база данные список показывать показывает показано первый первая второй третий место
занимать занимает занял заняла следовать следует лидировать лидирует опережать опережает наибольший наименьший больше всего
меньше число количество сумма итог итого всего среднее средний максимум минимум разница разность отношение доля процент вместе
вдвое половина соответственно раз сделать сделал сделала сделали ответ
""".split()  # noqa: SIM905

TELLING = frozenset(map(stem, _TELLING))
"""Stems of words with which a statement tells a result of a query or a calculation."""
LIGHT = frozenset(stem(word) for word in _LIGHT.split())
"""Stems of words that add nothing to a statement by themselves."""
ALIKE = {
    stem(word): frozenset(map(stem, line.split())) for line in _ALIKE.strip().splitlines() for word in line.split()
}
"""Stem → stems that say the same of something."""


def stands(word: str, known: Set[str]) -> bool:
    """Say whether a stem stands among others, or one that says the same, or its first two thirds (four letters)."""
    if word in known or ALIKE.get(word, frozenset()) & known:
        return True
    root = word[: max(4, len(word) * 2 // 3)]
    return len(word) > 4 and any(other.startswith(root) for other in known)
