"""Units of measurement and money as people write them, English and Russian. Data only.

A unit is known by its dimension and by its size in the base of that dimension. Months have a dimension of their
own, as no number of days is one, and so has each currency.
"""

from fractions import Fraction

_TABLE = """
length 1: m meter meters metre metres м метр метра метров метры
length 1000: km kms kilometer kilometers kilometre kilometres км километр километра километров километры
length 1/100: cm centimeter centimeters centimetre centimetres см сантиметр сантиметра сантиметров
length 1/1000: mm millimeter millimeters millimetre millimetres мм миллиметр миллиметра миллиметров
length 1/1000000: µm μm micrometer micrometers micrometre micrometres micron microns мкм микрон микрона микронов
length 1/1000000000: nm nanometer nanometers nanometre nanometres нм нанометр нанометра нанометров
length 1609344/1000: mile miles mi миля мили миль
length 1852: nautical_mile nautical_miles
length 9144/10000: yard yards yd ярд ярда ярдов
length 3048/10000: foot feet ft фут фута футов
length 254/10000: inch inches дюйм дюйма дюймов
length 9460730472580800: light-year light-years light_year light_years световой_год световых_года световых_лет
mass 1: kg kilo kilos kilogram kilograms kilogramme kilogrammes кг килограмм килограмма килограммов
mass 1/1000: g gram grams gramme grammes г грамм грамма граммов
mass 1/1000000: mg milligram milligrams мг миллиграмм миллиграмма миллиграммов
mass 1/1000000000: µg μg mcg microgram micrograms мкг микрограмм микрограмма микрограммов
mass 1000: t ton tons tonne tonnes metric_ton metric_tons т тонна тонны тонн
mass 45359237/100000000: lb lbs pound_weight pounds_weight
mass 28349523125/1000000000000: oz ounce ounces унция унции унций
time 1: s sec secs second seconds с сек секунда секунды секунд
time 60: min mins minute minutes мин минута минуты минут
time 3600: h hr hrs hour hours ч час часа часов
time 86400: day days день дня дней сутки суток
time 604800: week weeks неделя недели недель
time 1/1000: ms millisecond milliseconds мс миллисекунда миллисекунды миллисекунд
months 1: month months месяц месяца месяцев
months 12: year years yr yrs год года лет годы
months 120: decade decades десятилетие десятилетия десятилетий
months 1200: century centuries век века веков столетие столетия столетий
area 1: m² m2 sqm square_meter square_meters square_metre square_metres кв.м м²
area 1000000: km² km2 sq_km square_kilometer square_kilometers square_kilometre square_kilometres км² кв._км
area 10000: ha hectare hectares га гектар гектара гектаров
area 2589988110336/1000000: sq_mi square_mile square_miles
area 40468564224/10000000: acre acres акр акра акров
volume 1: l liter liters litre litres л литр литра литров
volume 1/1000: ml milliliter milliliters millilitre millilitres мл миллилитр миллилитра миллилитров
volume 1000: m³ m3 cubic_meter cubic_meters cubic_metre cubic_metres м³
volume 1000000000000: km³ km3 cubic_kilometer cubic_kilometers cubic_kilometre cubic_kilometres км³
volume 3785411784/1000000000: gallon gallons галлон галлона галлонов
volume 158987294928/1000000000: barrel barrels баррель барреля баррелей
celsius 1: °c degrees_celsius degree_celsius degrees_centigrade
fahrenheit 1: °f degrees_fahrenheit degree_fahrenheit
kelvin 1: kelvin kelvins
degrees 1: ° degree degrees градус градуса градусов
power 1: w watt watts вт ватт
power 1000: kw kilowatt kilowatts квт киловатт
power 1000000: mw megawatt megawatts мвт мегаватт
power 1000000000: gw gigawatt gigawatts гвт гигаватт
energy 1: joule joules дж джоуль джоуля джоулей
energy 3600000: kwh kilowatt-hour kilowatt-hours квтч
energy 3600000000: mwh megawatt-hour megawatt-hours
energy 4184: kcal kilocalorie kilocalories ккал
voltage 1: v volt volts вольт вольта
voltage 1000: kv kilovolt kilovolts кв киловольт
frequency 1: hz hertz гц герц
frequency 1000: khz kilohertz кгц килогерц
frequency 1000000: mhz megahertz мгц мегагерц
frequency 1000000000: ghz gigahertz ггц гигагерц
data 1: byte bytes байт байта байтов
data 1000: kb kilobyte kilobytes кб килобайт килобайта
data 1000000: mb megabyte megabytes мб мегабайт мегабайта
data 1000000000: gb gigabyte gigabytes гб гигабайт гигабайта
data 1000000000000: tb terabyte terabytes тб терабайт терабайта
speed 1: m/s metres_per_second meters_per_second м/с
speed 1000/3600: km/h kph kilometres_per_hour kilometers_per_hour км/ч
speed 1609344/3600000: mph miles_per_hour
usd 1: $ us$ usd dollar dollars доллар доллара долларов
usd 1/100: cent cents цент цента центов
eur 1: € eur euro euros евро
gbp 1: £ gbp pound pounds фунт фунта фунтов
rub 1: ₽ rub ruble rubles rouble roubles руб рубль рубля рублей
rub 1/100: kopeck kopecks копейка копейки копеек
jpy 1: ¥ jpy yen иена иены иен йена йены йен
chf 1: chf franc francs франк франка франков
cny 1: cny yuan юань юаня юаней
inr 1: inr rupee rupees рупия рупии рупий
aud 1: a$ au$ australian_dollar australian_dollars австралийских_долларов
cad 1: c$ ca$ canadian_dollar canadian_dollars канадских_долларов
nzd 1: nz$
hkd 1: hk$
points 1: percentage_point percentage_points процентный_пункт процентных_пункта процентных_пунктов п.п
"""


def _read() -> dict[str, tuple[str, Fraction]]:
    found: dict[str, tuple[str, Fraction]] = {}
    for line in _TABLE.strip().splitlines():
        head, _, words = line.partition(":")
        dimension, size = head.split()
        found |= {word.replace("_", " "): (dimension, Fraction(size)) for word in words.split()}
    return found


UNITS = _read()
"""Unit as written, in lower case → dimension, and size in the base of the dimension."""
