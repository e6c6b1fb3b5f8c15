"""The days that a text or the arguments of a call name: dates, months, quarters, years."""

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from app.analysis.recorded.leaves import Leaf
from app.analysis.recorded.spellings import key_set
from app.analysis.text.month_names import MONTH_OF, find_named_months

_EARLIEST, _LATEST = date.min.toordinal(), date.max.toordinal()
_TEXT_READ = 4_000  # characters of one text
_SHORT_TEXT = 60  # characters of an argument in which a number of four digits is a year
_LONGEST_ARGUMENT = 200  # characters
_SQL = ("select", "with ")
_BEFORE_DATE = 12  # characters before a date in which a sign of comparison stands
_QUARTER_MONTHS, _YEAR_MONTHS = 3, 12

_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}

_FOUR_DIGITS = re.compile(r"\d{4}")
_DAY_OR_MONTH = re.compile(r"(?<![\w-])(\d{4})-(\d\d)(?:-(\d\d))?(?:T[\d:.+Z-]{2,30})?(?![\w-])")
_DAY_WITH_DOTS = re.compile(r"(?<![\w.])(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\w)")
_YEAR_IN_SIGNS = re.compile(r"(\d{4})\s?[年년](?!\s?\d{1,2}\s?[月월])")
_DAY_WITH_SLASHES = re.compile(r"(?<![\w/])(\d{1,2})/(\d{1,2})/(\d{4})(?![\w/])")
_QUARTER = re.compile(
    r"\bQ([1-4])\s?[/-]?\s?(\d{4})\b|\b(\d{4})\s?[/-]?\s?Q([1-4])\b"
    r"|\b(first|second|third|fourth|[1-4](?:st|nd|rd|th|\.))\s(?:quarter|quartal|trimestre)\s"
    r"(?:of\s|de\s)?(\d{4})\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<![\w.,/:-])(19[5-9]\d|20[0-4]\d)(?![\w/:-]|[.,]\d)")
_YEAR_KEYS = key_set("year jahr año ano annee année anno jaar fiscal_year")
_MONTH_KEYS = key_set(
    "month monat mes mois mese maand mês måned månad miesiąc měsíc kuukausi ay месяц"
)
_QUARTER_KEYS = key_set("quarter quartal trimestre kwartaal")
_FROM_KEYS = key_set(
    "from start start_date since after von ab desde de du date_from from_date begin"
)
_UNTIL_KEYS = key_set("to until end end_date before bis hasta ate au date_to to_date")
_MOMENT_KEYS = key_set(
    "timestamp now today created_at updated_at requested_at as_of current_date time"
)
"""Keys of when a call was made, not of what it is about."""


class Period(NamedTuple):
    """Days from `start` up to, but without, `end`, as ordinals."""

    start: int
    end: int

    def overlaps(self, other: "Period") -> bool:
        return self.start < other.end and other.start < self.end


def find_periods(text: str) -> list[Period]:
    """The days, months, quarters and years that a text names, in no order."""
    text = text[:_TEXT_READ]
    years = (period for year in _YEAR.findall(text) for period in build_months(int(year), 1, 12))
    named = list(_find_exact(text))
    return named + [year for year in years if not any(map(year.overlaps, named))]


def find_argument_period(leaves: Sequence[Leaf]) -> Period | None:
    """The days that the arguments of a call are about, from the first to the last that they name;
    None where they name none."""
    texts = [
        (leaf.key, leaf.value[:_TEXT_READ])
        for leaf in leaves
        if leaf.key not in _MOMENT_KEYS and isinstance(leaf.value, str) and _is_argument(leaf.value)
    ]
    dated = [(key, text, period) for key, text in texts for period in _find_exact(text)]
    ends = [period for _, _, period in dated] or [*_read_years(texts), *_read_numbers(leaves)]
    if len(dated) == 1:
        return _open_end(*dated[0])
    if not ends:
        return None
    start, last = min(each.start for each in ends), max(each.end for each in ends)
    if last - start > 1 and last - 1 in {each.start for each in ends}:
        last -= 1  # the last day of a range is often the first one after it
    return Period(start, last)


def _is_argument(text: str) -> bool:
    """Whether a text is short or a statement of SQL, unlike a letter or a plan."""
    return len(text) <= _LONGEST_ARGUMENT or text[:_SHORT_TEXT].lstrip().lower().startswith(_SQL)


def _read_years(texts: Iterable[tuple[str, str]]) -> Iterator[Period]:
    """The years that stand in short texts and in statements of SQL."""
    for key, text in texts:
        if key not in _YEAR_KEYS and (len(text) <= _SHORT_TEXT or " from " in text.lower()):
            for year in _YEAR.findall(text):
                yield from build_months(int(year), 1, _YEAR_MONTHS)


def _open_end(key: str, text: str, period: Period) -> Period:
    """The only date of a call, and the time before or after it where it bounds a range."""
    place = next((each.start() for each in _DAY_OR_MONTH.finditer(text)), 0)
    before = text[max(0, place - _BEFORE_DATE) : place]
    if key in _FROM_KEYS or ">" in before:
        return Period(period.start, _LATEST)
    return Period(_EARLIEST, period.end) if key in _UNTIL_KEYS or "<" in before else period


def _read_numbers(leaves: Iterable[Leaf]) -> Iterator[Period]:
    """The period of fields for a year, a quarter and a month."""
    found: dict[str, int] = {}
    for leaf in leaves:
        text = str(leaf.value)[:_SHORT_TEXT].strip().lower()
        for name, keys in (("y", _YEAR_KEYS), ("m", _MONTH_KEYS), ("q", _QUARTER_KEYS)):
            digits = text.removeprefix("q")
            number = int(digits) if digits.isdecimal() else MONTH_OF.get(text, 0)
            if leaf.key in keys and number:
                found.setdefault(name, number)
    year = found.get("y", 0)
    if "m" in found:
        yield from build_months(year, found["m"], 1)
    elif "q" in found:
        yield from build_months(year, 3 * found["q"] - 2, _QUARTER_MONTHS)
    else:
        yield from build_months(year, 1, _YEAR_MONTHS)


def _find_exact(text: str) -> Iterator[Period]:
    if _FOUR_DIGITS.search(text) is None:  # each of them has a year; most texts have none
        return
    for found in _DAY_OR_MONTH.finditer(text):
        yield from _build_period(*found.groups())
    for found in _YEAR_IN_SIGNS.finditer(text):
        yield from build_months(int(found[1]), 1, _YEAR_MONTHS)
    for found in _DAY_WITH_DOTS.finditer(text):
        yield from _build_period(found[3], found[2], found[1])
    for found in _DAY_WITH_SLASHES.finditer(text):
        yield from _build_period(found[3], found[2], found[1])
        yield from _build_period(found[3], found[1], found[2]) if found[1] != found[2] else ()
    for found in _QUARTER.finditer(text):
        word = (found[1] or found[4] or found[5]).lower()
        number = _ORDINALS.get(word) or int(word[0])
        year = int(found[2] or found[3] or found[6])
        yield from build_months(year, 3 * number - 2, _QUARTER_MONTHS)
    for named in find_named_months(text):
        if named.year:
            yield from build_days(named.year, named.month, named.day)


def build_days(year: int, month: int, day: int = 0) -> Iterator[Period]:
    """A day, or a month where the day is 0; nothing where there is no such."""
    yield from _build_period(str(year), str(month), str(day) if day else None)


def _build_period(year: str, month: str | None, day: str | None) -> Iterator[Period]:
    """A day, a month or a year; nothing where there is no such."""
    if month is None:
        yield from build_months(int(year), 1, _YEAR_MONTHS)
    elif day is None:
        yield from build_months(int(year), int(month), 1)
    else:
        try:
            start = date(int(year), int(month), int(day)).toordinal()
        except ValueError:
            return
        yield Period(start, start + 1)


def build_months(year: int, month: int, count: int) -> Iterator[Period]:
    """So many months from this one on, which end in the same year; nothing where there is no such
    month."""
    last = month + count - 1
    if date.min.year < year < date.max.year and 1 <= month <= last <= _YEAR_MONTHS:
        end = date(year, last, monthrange(year, last)[1]).toordinal() + 1
        yield Period(date(year, month, 1).toordinal(), end)
