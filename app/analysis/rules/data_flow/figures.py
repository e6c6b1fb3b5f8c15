"""The figures of a text, and whether they can come from the numbers of a result."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations
from typing import NamedTuple

_FIGURE = re.compile(r"(?<![\w.,:/-])\d{1,3}(?:[.,'  ]\d{3})+(?:[.,]\d+)?(?![\w:/-])")
_PLAIN_FIGURE = re.compile(r"(?<![\w.,:/-])\d+(?:[.,]\d+)?(?![\w:/-]|[.,]\d)")
_LIST_NUMBER = re.compile(r"(?m)^\s*\d{1,3}[.)]\s")
_LONGEST = 30  # characters of a figure; longer ones are codes
_YEARS = range(1_900, 2_100)
_SCALES = (1, 60, 100, 1_000, 1_024, 3_600, 86_400, 1_000_000)
"""Between units of time, length, weight, data and money, and percent."""
_TOLERANCE = 0.006  # of a number: figures in texts are rounded
_HALF = 0.51  # of the last digit that is written
MOST_NUMBERS = 12  # of a result that are combined with one another: 132 pairs


class Figure(NamedTuple):
    """A figure as written, the numbers that it may mean, and the value of its last digit."""

    text: str
    values: tuple[float, ...]
    unit: float


def find_figures(text: str) -> list[Figure]:
    """The figures of a text without years, times, numbers of a list, and single digits."""
    text = _LIST_NUMBER.sub(" ", text)
    grouped = [_read_grouped(found) for found in _find_short(_FIGURE, text)]
    plain = [_read_plain(found) for found in _find_short(_PLAIN_FIGURE, _FIGURE.sub(" ", text))]
    return [
        figure
        for figure in grouped + plain
        if sum(map(str.isdigit, figure.text)) > 1 and figure.values[0] not in _YEARS
    ]


def _find_short(pattern: re.Pattern[str], text: str) -> list[str]:
    return [found for found in pattern.findall(text) if len(found) <= _LONGEST]


def _read_grouped(text: str) -> Figure:
    """`1.204,50`, `1,204.50`, `1 204`; one mark with three digits may be a decimal one as well."""
    marks = [sign for sign in text if not sign.isdigit()]
    digits = "".join(filter(str.isdigit, text))
    if len(marks) > 1 and marks[-1] != marks[-2]:
        places = len(text) - 1 - text.rindex(marks[-1])
        return Figure(text, (int(digits) / 10**places,), 10**-places)
    whole = float(digits)
    if len(marks) == 1 and marks[0] in ".,":
        return Figure(text, (whole, whole / 1_000), 1.0)
    return Figure(text, (whole,), 1.0)


def _read_plain(text: str) -> Figure:
    number = text.replace(",", ".")
    places = len(number.partition(".")[2])
    return Figure(text, (float(number),), 10**-places)


def derive_numbers(numbers: Sequence[float]) -> list[float]:
    """The first numbers, also in other units, and their sums, differences, products, ratios and
    mean."""
    return list(_derive(numbers[:MOST_NUMBERS]))


def is_among(figure: Figure, numbers: Sequence[float]) -> bool:
    """Whether a figure is one of the numbers, as it was rounded."""
    return any(_equals(value, number, figure) for value in figure.values for number in numbers)


def _derive(numbers: Sequence[float]) -> Iterator[float]:
    yield from _scaled(numbers)
    if numbers:
        yield sum(numbers)
        yield sum(numbers) / len(numbers)
    for a, b in permutations(numbers, 2):
        yield from (a + b, a - b, a * b)
        if b:
            yield from _scaled([a / b, (a - b) / b])
    for number in numbers:
        yield from (number * 9 / 5 + 32, (number - 32) * 5 / 9)  # degrees


def _scaled(numbers: Iterable[float]) -> Iterator[float]:
    for number in numbers:
        for scale in _SCALES:
            yield number * scale
            yield number / scale
        yield from (number % 60, number % 3_600 / 60)  # the rest in minutes or seconds


def _equals(value: float, number: float, figure: Figure) -> bool:
    difference = abs(value - abs(number))
    return difference <= max(_HALF * figure.unit, _TOLERANCE * value)
