"""Units of measurement by the names people write, as names that `pint` knows. Data only.

The model's text is never given to pint's own parser, which hangs on powers of powers and reads 5'11" as 55.
"""

_BASES = {
    "m": "meter", "g": "gram", "s": "second", "L": "liter", "l": "liter", "W": "watt", "J": "joule", "V": "volt",
    "A": "ampere", "N": "newton", "Pa": "pascal", "Hz": "hertz", "Wh": "watt_hour", "eV": "electron_volt",
    "cal": "calorie", "mol": "mole", "B": "byte", "b": "bit", "F": "farad", "Ω": "ohm", "bar": "bar", "T": "tesla",
    "C": "coulomb", "K": "kelvin", "t": "metric_ton",
}  # fmt: skip
_PREFIXES = {
    "p": "pico", "n": "nano", "μ": "micro", "u": "micro", "m": "milli", "c": "centi", "d": "deci", "h": "hecto",
    "k": "kilo", "M": "mega", "G": "giga", "T": "tera", "P": "peta",
}  # fmt: skip
_PREFIXED = [
    "km",
    "cm",
    "mm",
    "dm",
    "μm",
    "um",
    "nm",
    "pm",
    "kg",
    "mg",
    "μg",
    "ug",
    "ng",
    "ms",
    "μs",
    "us",
    "ns",
    "mL",
    "ml",
    "cl",
    "cL",
    "dl",
    "hl",
    "kW",
    "MW",
    "GW",
    "TW",
    "mW",
    "kJ",
    "MJ",
    "GJ",
    "mJ",
    "kV",
    "mV",
    "MV",
    "mA",
    "μA",
    "kN",
    "MN",
    "kPa",
    "MPa",
    "GPa",
    "hPa",
    "kHz",
    "MHz",
    "GHz",
    "THz",
    "Wh",
    "kWh",
    "MWh",
    "GWh",
    "TWh",
    "eV",
    "keV",
    "MeV",
    "GeV",
    "kcal",
    "mol",
    "mmol",
    "kB",
    "MB",
    "GB",
    "TB",
    "PB",
    "kb",
    "Mb",
    "Gb",
    "Tb",
    "μF",
    "uF",
    "nF",
    "pF",
    "kΩ",
    "MΩ",
    "mbar",
    "mT",
    "kt",
    "Mt",
    "mK",
    "Mm",
    "Gm",
]
LETTERS = {
    "m": "meter", "g": "gram", "s": "second", "h": "hour", "L": "liter", "l": "liter", "W": "watt", "J": "joule",
    "V": "volt", "A": "ampere", "N": "newton", "K": "kelvin", "C": "coulomb", "F": "farad", "t": "metric_ton",
    "d": "day", "b": "bit", "B": "byte", "T": "tesla", "м": "meter", "г": "gram", "с": "second", "ч": "hour",
    "л": "liter", "т": "metric_ton", "В": "volt", "А": "ampere", "Н": "newton", "Ω": "ohm",
}  # fmt: skip
"""Single letters, which are units only beside other units; alone they are symbols."""
_WORDS = """
meter: metre meters metres метр метра метров метры метрах
kilometer: kilometre kilometers kilometres км километр километра километров километры километрах
centimeter: centimetre centimeters centimetres см сантиметр сантиметра сантиметров сантиметры сантиметрах
millimeter: millimetre millimeters millimetres мм миллиметр миллиметра миллиметров миллиметры миллиметрах
decimeter: decimetre decimeters decimetres дм
micrometer: micrometre micrometers micrometres micron microns мкм
nanometer: nanometre nanometers nanometres нм
mile: mi miles миля мили миль милях
yard: yd yards ярд ярда ярдов
foot: ft feet фут фута футов
inch: inches дюйм дюйма дюймов дюймах in
nautical_mile: nmi nautical_miles
light_year: ly lightyear lightyears light_years
astronomical_unit: au AU
parsec: pc parsecs
hectare: ha hectares га гектар гектара гектаров
international_acre: acre acres акр акров
gram: grams gramme grammes грамм грамма граммов граммах
kilogram: kilograms kilo kilos кг килограмм килограмма килограммов килограммах
milligram: milligrams мг миллиграмм
metric_ton: tonne tonnes тонна тонны тонн тоннах
pound: lb lbs pounds фунт фунта фунтов фунтах
ounce: oz ounces унция унции унций
stone: stones st
ton: tons short_ton
carat: carats
second: seconds sec secs сек секунда секунды секунд секунду секундах
minute: min mins minutes мин минута минуты минут минуту минутах
hour: hr hrs hours час часа часов часах
day: days день дня дней сутки суток днях
week: weeks wk неделя недели недель неделю неделях
month: months месяц месяца месяцев
year: years yr yrs год года лет
decade: decades
century: centuries век века веков
millisecond: milliseconds мс
liter: litre liters litres литр литра литров литрах
milliliter: millilitre milliliters millilitres мл
gallon: gal gallons галлон галлона галлонов
quart: qt quarts
pint: pints
cup: cups
fluid_ounce: fl_oz floz
tablespoon: tbsp tablespoons
teaspoon: tsp teaspoons
barrel: bbl barrels
mile_per_hour: mph
kilometer_per_hour: kph kmh km_h
knot: kn knots kt
degree_Celsius: °C degC celsius Celsius centigrade °С °c
degree_Fahrenheit: °F degF fahrenheit Fahrenheit °f
kelvin: kelvins Kelvin
newton: newtons Newton Newtons
joule: joules Joule Joules Дж
kilojoule: кДж kilojoules
calorie: cal calories
mole: mol moles
kilocalorie: kilocalories ккал
watt: watts Watt Watts Вт
kilowatt: kilowatts кВт
watt_hour: watt_hours
kilowatt_hour: кВт_ч kilowatt_hours
horsepower: hp
british_thermal_unit: BTU btu
electron_volt: electronvolt electronvolts
volt: volts Volt Volts
ampere: amp amps amperes
ohm: ohms Ohm Ohms Ом
hertz: Hz Hertz Гц
pascal: Pa pascals Pascal Pascals Па
kilopascal: кПа
atmosphere: atm atmospheres
bar: bars
pound_force_per_square_inch: psi
millimeter_Hg: mmHg
byte: bytes байт байта
bit: bits бит
kibibyte: KiB
mebibyte: MiB
gibibyte: GiB
tebibyte: TiB
kilobyte: KB kilobytes
megabyte: megabytes МБ
gigabyte: gigabytes ГБ
terabyte: terabytes ТБ
degree: ° deg degs degrees градус градуса градусов
radian: rad rads radians
revolution: rev revolutions turn turns
revolutions_per_minute: rpm
dozen: dozens
speed_of_light: speed_of_light
"""


def _read() -> dict[str, str]:
    names: dict[str, str] = {}
    for short in _PREFIXED:
        base = short if short in _BASES else short[1:]
        names[short] = ("" if short in _BASES else _PREFIXES[short[0]]) + _BASES[base]
    for line in _WORDS.strip().splitlines():
        name, _, written = line.partition(":")
        names.update(dict.fromkeys([name, *written.split()], name))
    return names


_NAMED = _read()


def unit_named(text: str) -> str | None:
    """Return pint's name of a unit, None where the text is none; single letters are in LETTERS."""
    return _NAMED.get(text)


NAMES = frozenset([*_NAMED.values(), *LETTERS.values()])
"""All names of units that a reading may hold."""
SHORT = {
    name: min((text for text in _NAMED if _NAMED[text] == name and (text.isascii() or "°" in text)), key=len)
    for name in dict.fromkeys(_NAMED.values())
    if any(text.isascii() for text in _NAMED if _NAMED[text] == name)
} | {
    "meter": "m", "gram": "g", "second": "s", "hour": "h", "liter": "L", "watt": "W", "joule": "J", "volt": "V",
    "ampere": "A", "newton": "N", "kelvin": "K", "coulomb": "C", "farad": "F", "metric_ton": "t", "minute": "min",
    "tesla": "T", "pound": "lb", "degree_Celsius": "°C", "degree_Fahrenheit": "°F", "mile_per_hour": "mph",
    "kilometer_per_hour": "km/h", "degree": "°", "day": "days", "week": "weeks", "year": "years", "month": "months",
    "inch": "inches", "foot": "ft", "mile": "miles", "dozen": "dozen", "ton": "tons", "byte": "bytes",
    "bit": "bits",
    "light_year": "ly", "microsecond": "μs", "micrometer": "μm", "ohm": "Ω", "hertz": "Hz", "pascal": "Pa",
    "cup": "cups", "international_acre": "acres", "gallon": "gal", "parsec": "pc", "nautical_mile": "nmi",
    "century": "centuries",
    "decade": "decades",
}  # fmt: skip
"""How a unit is written; read again, it is the same unit."""
