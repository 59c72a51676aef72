"""What French counts, as it is written: units and currencies."""

from services.tts.reading.numbers import Noun
from services.tts.reading.quantities import Currency, Measures


def _regular(singular: str, *, is_feminine: bool = False) -> Noun:
    return Noun(singular, f"{singular}s", is_feminine)


def _invariable(name: str) -> Noun:
    return Noun(name, name)


_SECOND = _regular("seconde", is_feminine=True)
_MINUTE = _regular("minute", is_feminine=True)
_HOUR = _regular("heure", is_feminine=True)
_DAY = _regular("jour")
_LITRE = _regular("litre")
_EURO = Currency(_regular("euro"), _regular("centime"))
_DOLLAR = Currency(_regular("dollar"), _invariable("cents"))
_CANADIAN_DOLLAR = Currency(Noun("dollar canadien", "dollars canadiens"), _invariable("cents"))
_SPOON = Noun("cuillère à soupe", "cuillères à soupe", is_feminine=True)
_TEASPOON = Noun("cuillère à café", "cuillères à café", is_feminine=True)
_POUND = Currency(_regular("livre", is_feminine=True), Noun("penny", "pence"))
_FRANC = Currency(Noun("franc suisse", "francs suisses"), _regular("centime"))
_YEN = Currency(_regular("yen"), _invariable("sen"))
_PER_HUNDRED_KM = Noun("litre aux cent kilomètres", "litres aux cent kilomètres")

MEASURES = Measures(
    units={
        "%": _invariable("pour cent"), "‰": _invariable("pour mille"),
        "km": _regular("kilomètre"), "m": _regular("mètre"), "dm": _regular("décimètre"),
        "cm": _regular("centimètre"), "mm": _regular("millimètre"), "µm": _regular("micromètre"),
        "μm": _regular("micromètre"), "nm": _regular("nanomètre"),
        "km²": Noun("kilomètre carré", "kilomètres carrés"), "m²": Noun("mètre carré", "mètres carrés"),
        "m2": Noun("mètre carré", "mètres carrés"), "km2": Noun("kilomètre carré", "kilomètres carrés"),
        "cm²": Noun("centimètre carré", "centimètres carrés"), "mm²": Noun("millimètre carré", "millimètres carrés"),
        "m³": Noun("mètre cube", "mètres cubes"), "m3": Noun("mètre cube", "mètres cubes"),
        "cm³": Noun("centimètre cube", "centimètres cubes"), "ha": _regular("hectare"),
        "t": _regular("tonne", is_feminine=True), "kg": _regular("kilogramme"), "g": _regular("gramme"),
        "mg": _regular("milligramme"), "µg": _regular("microgramme"), "μg": _regular("microgramme"),
        "l": _LITRE, "L": _LITRE, "dl": _regular("décilitre"), "dL": _regular("décilitre"),
        "cl": _regular("centilitre"), "cL": _regular("centilitre"), "ml": _regular("millilitre"),
        "mL": _regular("millilitre"), "hl": _regular("hectolitre"),
        "c. à s.": _SPOON, "c. à soupe": _SPOON, "c.à.s.": _SPOON, "c.à.s": _SPOON, "c. à. s.": _SPOON, "càs": _SPOON,
        "CàS": _SPOON, "c à s": _SPOON, "c à soupe": _SPOON, "cuil. à soupe": _SPOON, "cuil. à s.": _SPOON,
        "cs": _SPOON, "c. à c.": _TEASPOON, "c. à café": _TEASPOON, "c.à.c.": _TEASPOON, "c.à.c": _TEASPOON,
        "c. à. c.": _TEASPOON, "càc": _TEASPOON, "CàC": _TEASPOON, "c à c": _TEASPOON, "c à café": _TEASPOON,
        "cuil. à café": _TEASPOON, "cuil. à c.": _TEASPOON, "cc": _TEASPOON, "c. à thé": _TEASPOON,
        "L/100 km": _PER_HUNDRED_KM, "l/100 km": _PER_HUNDRED_KM, "L/100km": _PER_HUNDRED_KM,
        "m/s²": Noun("mètre par seconde au carré", "mètres par seconde au carré"),
        "s": _SECOND, "sec": _SECOND, "min": _MINUTE, "mn": _MINUTE, "h": _HOUR, "j": _DAY,
        "ms": _regular("milliseconde", is_feminine=True), "µs": _regular("microseconde", is_feminine=True),
        "μs": _regular("microseconde", is_feminine=True), "ns": _regular("nanoseconde", is_feminine=True),
        "ko": _regular("kilooctet"), "Ko": _regular("kilooctet"),
        "Mo": _regular("mégaoctet"), "Go": _regular("gigaoctet"), "To": _regular("téraoctet"),
        "Po": _regular("pétaoctet"), "kB": _regular("kilooctet"), "KB": _regular("kilooctet"),
        "MB": _regular("mégaoctet"), "GB": _regular("gigaoctet"), "TB": _regular("téraoctet"),
        "GiB": _regular("gibioctet"), "Gio": _regular("gibioctet"), "Mio": _regular("mébioctet"),
        "kbit": _regular("kilobit"), "Mbit": _regular("mégabit"), "Gbit": _regular("gigabit"),
        "kb": _regular("kilobit"), "Mb": _regular("mégabit"), "Gb": _regular("gigabit"),
        "kbps": Noun("kilobit par seconde", "kilobits par seconde"),
        "Mbps": Noun("mégabit par seconde", "mégabits par seconde"),
        "Gbps": Noun("gigabit par seconde", "gigabits par seconde"),
        "Hz": _invariable("hertz"), "kHz": _invariable("kilohertz"), "MHz": _invariable("mégahertz"),
        "GHz": _invariable("gigahertz"), "W": _regular("watt"), "mW": _regular("milliwatt"),
        "kW": _regular("kilowatt"), "MW": _regular("mégawatt"), "GW": _regular("gigawatt"),
        "Wh": _regular("wattheure"), "kWh": _regular("kilowattheure"), "MWh": _regular("mégawattheure"),
        "GWh": _regular("gigawattheure"), "TWh": _regular("térawattheure"), "Wc": _regular("watt-crête"),
        "V": _regular("volt"), "mV": _regular("millivolt"), "kV": _regular("kilovolt"), "A": _regular("ampère"),
        "mA": _regular("milliampère"), "mAh": _regular("milliampèreheure"), "Ah": _regular("ampèreheure"),
        "Ω": _regular("ohm"), "kΩ": _regular("kilo-ohm"), "dB": _regular("décibel"), "J": _regular("joule"),
        "po": _regular("pouce"), "mmol": _regular("millimole", is_feminine=True),
        "UI": Noun("unité internationale", "unités internationales", is_feminine=True),
        "pers.": _regular("personne", is_feminine=True),
        "kJ": _regular("kilojoule"), "cal": _regular("calorie", is_feminine=True),
        "kcal": _regular("kilocalorie", is_feminine=True), "N": _regular("newton"), "Nm": _regular("newton-mètre"),
        "Pa": _regular("pascal"), "hPa": _regular("hectopascal"), "kPa": _regular("kilopascal"),
        "bar": _regular("bar"), "lm": _regular("lumen"), "lx": _invariable("lux"),
        "°C": Noun("degré Celsius", "degrés Celsius"), "° C": Noun("degré Celsius", "degrés Celsius"),
        "°F": Noun("degré Fahrenheit", "degrés Fahrenheit"), "℃": Noun("degré Celsius", "degrés Celsius"),
        "°": _regular("degré"), "px": _regular("pixel"), "Mpx": _regular("mégapixel"), "Mpix": _regular("mégapixel"),
        "ch": Noun("cheval", "chevaux"), "tr/min": Noun("tour par minute", "tours par minute"),
        "fps": Noun("image par seconde", "images par seconde", is_feminine=True),
        "ppm": Noun("partie par million", "parties par million", is_feminine=True),
        "pts": _regular("point"), "hab.": _invariable("habitants"), "hab": _invariable("habitants"),
    },
    currencies={
        "€": _EURO, "EUR": _EURO, "$": _DOLLAR, "USD": _DOLLAR, "US$": _DOLLAR, "$US": _DOLLAR, "$ US": _DOLLAR,
        "CA$": _CANADIAN_DOLLAR, "$CA": _CANADIAN_DOLLAR,
        "CAD": _CANADIAN_DOLLAR, "£": _POUND,
        "GBP": _POUND, "¥": _YEN, "JPY": _YEN, "CHF": _FRANC,
        "₿": Currency(_regular("bitcoin"), _invariable("satoshis")),
        "₽": Currency(_regular("rouble"), _regular("kopeck")), "₹": Currency(_regular("roupie"), _regular("paisa")),
    },
    scales={
        "k": 10**3, "K": 10**3, "M": 10**6, "Md": 10**9, "Mds": 10**9, "Mrd": 10**9, "million": 10**6,
        "millions": 10**6, "milliard": 10**9, "milliards": 10**9,
    },
    cents="{whole} {number}",
    per="par",
    apart=frozenset({"A"}),
    singular_after=frozenset({"au", "le", "la", "par", "chaque", "un", "une"}),
    periods={
        "mois": "mois", "an": "an", "jour": "jour", "semaine": "semaine", "nuit": "nuit", "personne": "personne",
        "pers.": "personne", "heure": "heure", "minute": "minute", "seconde": "seconde", "kilo": "kilo",
        "litre": "litre",
        "unité": "unité", "pièce": "pièce", "token": "token", "tokens": "tokens",
    },
)  # fmt: skip
