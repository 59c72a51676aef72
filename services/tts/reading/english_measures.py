"""What English counts, as it is written: units and currencies."""

from services.tts.reading.numbers import Noun
from services.tts.reading.quantities import Currency, Measures


def _regular(singular: str) -> Noun:
    return Noun(singular, f"{singular}s")


def _invariable(name: str) -> Noun:
    return Noun(name, name)


def _per(first: str, second: str) -> Noun:
    return Noun(f"{first} per {second}", f"{first}s per {second}")


_CENT = _regular("cent")
_DOLLAR = Currency(_regular("dollar"), _CENT)
_EURO = Currency(_regular("euro"), _CENT)
_POUND = Currency(_regular("pound"), Noun("penny", "pence"))
_YEN = Currency(_invariable("yen"), _invariable("sen"))
_FRANC = Currency(_regular("Swiss franc"), _regular("centime"))
_KILOMETER_PER_HOUR = _per("kilometer", "hour")
_MILE_PER_HOUR = _per("mile", "hour")
_FOOT = Noun("foot", "feet")
_LITER = _regular("liter")

MEASURES = Measures(
    units={
        "%": _invariable("percent"), "‰": _invariable("per mille"),
        "km": _regular("kilometer"), "m": _regular("meter"), "cm": _regular("centimeter"),
        "mm": _regular("millimeter"), "µm": _regular("micrometer"), "μm": _regular("micrometer"),
        "nm": _regular("nanometer"), "mi": _regular("mile"), "mi.": _regular("mile"), "ft": _FOOT, "ft.": _FOOT,
        "in.": Noun("inch", "inches"), "yd": _regular("yard"), "yds": _regular("yard"),
        "km²": _regular("square kilometer"), "m²": _regular("square meter"), "cm²": _regular("square centimeter"),
        "mm²": _regular("square millimeter"), "km2": _regular("square kilometer"), "m2": _regular("square meter"),
        "m³": _regular("cubic meter"), "m3": _regular("cubic meter"), "cm³": _regular("cubic centimeter"),
        "ft²": Noun("square foot", "square feet"), "sq ft": Noun("square foot", "square feet"),
        "sq. ft.": Noun("square foot", "square feet"), "sq mi": _regular("square mile"), "ha": _regular("hectare"),
        "kg": _regular("kilogram"), "g": _regular("gram"), "mg": _regular("milligram"), "µg": _regular("microgram"),
        "μg": _regular("microgram"), "lb": _regular("pound"), "lbs": _regular("pound"), "lb.": _regular("pound"),
        "lbs.": _regular("pound"), "oz": _regular("ounce"), "oz.": _regular("ounce"),
        "fl oz": _regular("fluid ounce"), "tsp": _regular("teaspoon"), "tbsp": _regular("tablespoon"),
        "tsp.": _regular("teaspoon"), "tbsp.": _regular("tablespoon"), "gal": _regular("gallon"),
        "qt": _regular("quart"), "pt": _regular("pint"), "l": _LITER, "L": _LITER, "cl": _regular("centiliter"),
        "ml": _regular("milliliter"), "mL": _regular("milliliter"), "dl": _regular("deciliter"),
        "dL": _regular("deciliter"),
        "m/s²": _per("meter", "second squared"),
        "s": _regular("second"), "sec": _regular("second"), "secs": _regular("second"), "sec.": _regular("second"),
        "min": _regular("minute"), "mins": _regular("minute"), "min.": _regular("minute"), "h": _regular("hour"),
        "hr": _regular("hour"), "hrs": _regular("hour"), "hr.": _regular("hour"), "ms": _regular("millisecond"),
        "µs": _regular("microsecond"), "μs": _regular("microsecond"), "ns": _regular("nanosecond"),
        "yr": _regular("year"), "yrs": _regular("year"), "mo": _regular("month"),
        "kB": _regular("kilobyte"), "KB": _regular("kilobyte"), "MB": _regular("megabyte"),
        "GB": _regular("gigabyte"), "TB": _regular("terabyte"), "PB": _regular("petabyte"),
        "KiB": _regular("kibibyte"), "MiB": _regular("mebibyte"), "GiB": _regular("gibibyte"),
        "kb": _regular("kilobit"), "Mb": _regular("megabit"), "Gb": _regular("gigabit"), "Mbit": _regular("megabit"),
        "Gbit": _regular("gigabit"), "kbps": _per("kilobit", "second"), "Kbps": _per("kilobit", "second"),
        "Mbps": _per("megabit", "second"), "Gbps": _per("gigabit", "second"),
        "Hz": _invariable("hertz"), "kHz": _invariable("kilohertz"), "MHz": _invariable("megahertz"),
        "GHz": _invariable("gigahertz"), "W": _regular("watt"), "mW": _regular("milliwatt"),
        "kW": _regular("kilowatt"), "MW": _regular("megawatt"), "GW": _regular("gigawatt"),
        "Wh": _regular("watt hour"), "kWh": _regular("kilowatt hour"), "MWh": _regular("megawatt hour"),
        "TWh": _regular("terawatt hour"), "V": _regular("volt"), "mV": _regular("millivolt"),
        "kV": _regular("kilovolt"), "mA": _regular("milliamp"), "mAh": _regular("milliamp hour"),
        "Ω": _regular("ohm"), "kΩ": _regular("kilohm"), "dB": _regular("decibel"), "kJ": _regular("kilojoule"),
        "cal": _regular("calorie"), "mmol": _regular("millimole"),
        "IU": _regular("international unit"), "kcal": _regular("kilocalorie"), "hp": _invariable("horsepower"),
        "Pa": _regular("pascal"), "hPa": _regular("hectopascal"), "kPa": _regular("kilopascal"),
        "psi": _per("pound", "square inch"), "lm": _regular("lumen"),
        "°C": Noun("degree Celsius", "degrees Celsius"), "° C": Noun("degree Celsius", "degrees Celsius"),
        "°F": Noun("degree Fahrenheit", "degrees Fahrenheit"), "° F": Noun("degree Fahrenheit", "degrees Fahrenheit"),
        "℃": Noun("degree Celsius", "degrees Celsius"), "℉": Noun("degree Fahrenheit", "degrees Fahrenheit"),
        "°": _regular("degree"), "px": _regular("pixel"), "MP": _regular("megapixel"),
        "mph": _MILE_PER_HOUR, "MPH": _MILE_PER_HOUR, "kph": _KILOMETER_PER_HOUR, "kmh": _KILOMETER_PER_HOUR,
        "mpg": _per("mile", "gallon"), "rpm": Noun("revolution per minute", "revolutions per minute"),
        "fps": _per("frame", "second"), "ppm": Noun("part per million", "parts per million"),
        "bpm": _per("beat", "minute"), "pts": _regular("point"), "¢": _CENT,
    },
    currencies={
        "$": _DOLLAR, "USD": _DOLLAR, "US$": _DOLLAR, "€": _EURO, "EUR": _EURO, "£": _POUND, "GBP": _POUND,
        "¥": _YEN, "JPY": _YEN, "CHF": _FRANC, "CA$": Currency(_regular("Canadian dollar"), _CENT),
        "A$": Currency(_regular("Australian dollar"), _CENT), "₹": Currency(_regular("rupee"), _invariable("paise")),
        "₽": Currency(_regular("ruble"), _regular("kopeck")), "₿": Currency(_regular("bitcoin"), _regular("satoshi")),
    },
    scales={
        "k": 10**3, "K": 10**3, "m": 10**6, "M": 10**6, "MM": 10**6, "mn": 10**6, "b": 10**9, "B": 10**9, "bn": 10**9,
        "T": 10**12, "tn": 10**12, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    },
    cents="{whole} and {cents}",
    per="per",
    apart=frozenset(),
    singular_after=frozenset({"a", "an", "per", "each", "the"}),
    periods={
        "month": "month", "year": "year", "day": "day", "week": "week", "night": "night", "person": "person",
        "hour": "hour", "minute": "minute", "second": "second", "kilo": "kilo", "liter": "liter", "litre": "litre",
        "gallon": "gallon", "pound": "pound", "token": "token", "user": "user", "seat": "seat", "piece": "piece",
    },
)  # fmt: skip
