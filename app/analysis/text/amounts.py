"""Amounts of money, weight, length, energy and data in texts: a number with its unit."""

import re
from typing import NamedTuple

_SIGNS = {
    "€": "eur",
    "euro": "eur",
    "euros": "eur",
    "$": "usd",
    "us$": "usd",
    "dollars": "usd",
    "£": "gbp",
    "pounds": "gbp",
    "zł": "pln",
    "¥": "jpy",
    "₹": "inr",
    "r$": "brl",
    "m²": "m2",
}
"""Other spellings of a unit; those that are missing here are their own."""
_CURRENCIES = (
    r"eur|usd|gbp|chf|pln|jpy|cny|inr|sek|nok|dkk|czk|huf|brl|cad|aud"
    r"|us\$|r\$|€|\$|£|¥|₹|zł|euros?|dollars|kr"
)
_CURRENCY = re.compile(_CURRENCIES)
_MEASURES = "kwh|mwh|kw|mw|kg|km|m2|m²|mm|cm|gb|mb"
_NUMBER = r"\d{1,3}(?:[.,'\u00a0\u202f ]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d{1,2})?(?![\d])"
_AMOUNT = re.compile(
    rf"(?<![\w.,-])(?:(?P<before>{_CURRENCIES})\s?(?P<first>{_NUMBER})"
    rf"|(?P<second>{_NUMBER})\s?(?P<after>{_CURRENCIES}|{_MEASURES})(?!\w))",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"[.,'\u00a0\u202f ](?=\d{3}(?!\d))")
_LONGEST_TEXT = 400_000  # characters that are searched


class Amount(NamedTuple):
    """An amount as written, its place in the text, its unit in lower case, and its value."""

    start: int
    end: int
    text: str
    unit: str
    value: float


def find_amounts(text: str) -> list[Amount]:
    """The amounts of a text in order."""
    found = []
    for match in _AMOUNT.finditer(text[:_LONGEST_TEXT]):
        unit = (match["before"] or match["after"]).casefold()
        number = match["first"] or match["second"]
        found.append(Amount(*match.span(), match[0], _SIGNS.get(unit, unit), _read_number(number)))
    return found


def _read_number(text: str) -> float:
    """`1,204.50`, `1.204,50`, `1 204`: marks before three digits group them."""
    return float(_THOUSANDS.sub("", text).replace(",", "."))


def is_currency(unit: str) -> bool:
    """Whether a unit, as `Amount` has it, is one of money."""
    return _CURRENCY.fullmatch(unit) is not None


def may_have_amounts(text: str) -> bool:
    """Whether there is an amount in a text."""
    return _AMOUNT.search(text) is not None


def spells(value: float) -> re.Pattern[str]:
    """Finds a value in texts, however its digits are grouped: 1150 in `1,150.00` and `1.150`."""
    whole, _, rest = f"{value:.2f}".partition(".")
    digits = "[.,'\u00a0\u202f ]?".join(whole)
    rest = rest.rstrip("0")
    ending = f"[.,]{rest}0*" if rest else "(?:[.,]0+)?"
    return re.compile(rf"(?<![\d.,]){digits}{ending}(?![\d])|(?<!\d){whole}{rest:0<2}(?!\d)")
