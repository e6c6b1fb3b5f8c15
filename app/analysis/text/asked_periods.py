"""The time that a question is about: days and months with or without a year, ranges of them, and
what lies a number of days around them."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

from app.analysis.recorded.spellings import word_set
from app.analysis.text.month_names import NamedMonth, find_named_months
from app.analysis.text.named_periods import Period, build_days, build_months, find_periods

_MOST_NAMED = 12  # days and months of one question
_LONGEST_STAY = 62  # days between two named days that a question means as a whole
_AROUND_READ = 24  # characters before a month or a day in which a sign of a range stands
_LEAST_YEAR = 365  # days
_LONGEST_AROUND = 400  # days
_LEAST_QUARTER, _LONGEST_HALF = 85, 190  # days

_PREPOSITIONS = word_set(
    "in for of from during since until through im für vom von seit bis aus de del en di da per do"
    " em pour voor van sinds i fra fram till til för under na w we od v ve za dla в за с на до по у"
)
_BEFORE_VERBS = word_set("in of from during since until")
"""Those before which `may` and `march` are months even with a small letter."""
_WORD_BEFORE = re.compile(r"(\w+)(?:\sthe)?[\s’']{1,2}$", re.IGNORECASE)
_LOCATIVE_ENDS = ("kuussa", "kuun", "kuulta")
_TO = (
    r"(?:to|until|till|through|thru|bis|au|à|jusqu[’']à|al|a|ad|até|hasta|fino\sa|tot(?:\sen\smet)?"
    r"|t/m|til|til\sog\smed|till|do|až|по|до|ile|[-–—~〜～]|から|到|至|부터)"
)
_AND = r"(?:and|or|und|oder|et|ou|y|o|e|en|of|og|eller|och|i|lub|nebo|a|и|или|ve|[,&+/]|、|和|と)"
_NUMBER_BEFORE = re.compile(
    rf"(?<![\d.,:])(\d{{1,2}})(?:st|nd|rd|th|er|[.ºe]|日)?\s?(?:{_TO}|{_AND})\s?"
    r"(?:the\s|den\s|le\s|el\s|il\s)?$",
    re.IGNORECASE,
)
_NUMBER_AFTER = re.compile(r"\s?[-–—~〜～から]{1,2}\s?(\d{1,2})\s?[日일]")
_BETWEEN = re.compile(rf"\s?{_TO}\s?(?:the\s)?", re.IGNORECASE)
_COUNTS = {
    word: count
    for line in """
2 two zwei deux dos due duas dois twee två dva dwa kaksi iki два
3 three drei trois tres tre três drie tri trzy kolme üç три
4 four vier quatre cuatro quattro quatro fire fyra čtyři cztery neljä dört четыре
5 five fünf cinq cinco cinque vijf fem pět pięć viisi beş пять
6 six sechs seis sei zes seks sex šest sześć kuusi altı шесть
7 seven sieben sept siete sette sete zeven syv sju sedm siedem seitsemän yedi семь
8 eight acht huit ocho otto oito otte åtte åtta osm osiem kahdeksan sekiz восемь
9 nine neun neuf nueve nove negen ni nio devět dziewięć yhdeksän dokuz девять
10 ten zehn dix diez dieci dez tien ti tio deset dziesięć kymmenen десять
11 eleven elf onze once undici elleve elva jedenáct jedenaście yksitoista onbir одиннадцать
""".strip().splitlines()
    for count in [int(line.split()[0])]
    for word in line.split()
}
_FIRST_MONTHS = re.compile(
    r"\b(?:first|erste[nr]?|premiers|primeros|primeiros|primi|eerste|første|første|første|första"
    r"|pierwszych|pierwsze|prvních|první|ensimmäis\w+|ilk|перв\w+)\s(\w+)\s"
    r"(?:months|monate[n]?|meses|mesi|maanden|måneder|månader(?:na)?|miesięcy|miesiące|měsíců|měsíce"
    r"|kuukau\w+|ay\w*|месяц\w*)|\b(\w+)\s(?:premiers\smois|primeros\smeses|primeiros\smeses)"
    r"|(?:最初の|前|첫\s?)(\d{1,2})\s?(?:か月|ヶ月|カ月|个月|個月|개월)",
    re.IGNORECASE,
)
_HALF = re.compile(
    r"\b(?:(?P<one>first|erste[ns]?|1\.|1er|premier|primer|primo|primeiro|eerste|første|första|pierwsze\w*"
    r"|prvn\w+)|(?P<two>second|zweite[ns]?|2\.|2e|second|deuxième|segundo|secondo|tweede|andet|andre"
    r"|andra|drugie\w*|druh\w+))\s(?:half|halbjahr\w*|semestre|halfjaar|halvår\w*|półrocz\w+|pololet\w+)"
    r"|\bH(?P<h>[12])\b|(?P<ja>[上下])半[期年]",
    re.IGNORECASE,
)
_QUARTERS = re.compile(rf"\bQ([1-4])\s?(?:20\d\d\s)?{_TO}\s?Q([1-4])\b", re.IGNORECASE)
_SIGN_MONTHS = re.compile(
    r"(\d{1,2})\s?[月월]?\s?(?:から|부터|[-–—~〜～到至])\s?(\d{1,2})\s?[月월]"
)
_RANGE_WORDS = word_set(
    "month monat mois mes maand måned månad miesi měsíc kuukau ay месяц half halb halvår półr polol"
    " semestre halfjaar h1 h2 q1 q2 q3 月 월"
)
_ANY_YEAR = re.compile(r"(?<![\w.,/:-])(20[0-4]\d)(?![\w/:]|[.,]\d)|(20[0-4]\d)[年년]")

_UNITS = {
    unit: days
    for days, units in (
        (
            1,
            "day days tag tage tagen jour jours día días dia dias giorno giorni dag dagen dage"
            " dager dagar dni dny dnů päivä päivää gün дней дня 日間 天 日间 일간 night nights"
            " nacht nächte nächten nuit nuits noche noches noite noites notte notti nachten nat"
            " nætter netter nätter noce nocy nocí yötä gece ночи ночей 泊 晚 박",
        ),
        (
            7,
            "week weeks woche wochen semaine semaines semana semanas settimana settimane weken uge"
            " uger uke uker vecka veckor tygodnie tygodni týdny týdnů viikkoa hafta недели недель"
            " 週間 周 주",
        ),
        (
            31,
            "month months monat monate monaten mois mes meses mês mese mesi maand maanden måneder"
            " månader miesiące miesięcy měsíce měsíců kuukautta ay месяца месяцев か月 ヶ月 个月"
            " 개월",
        ),
        (
            366,
            "year years jahr jahre jahren ans años anos anni jaar år lat yıl лет года 年間 년간",
        ),
    )
    for unit in units.split()
}
_LONGEST_SIGN = 2  # characters of a unit that no blank ends
_COUNTED = re.compile(r"(?<![\w.,])(?=(\d{1,3}|[^\W\d_]{2,14})[\s-]?([^\W\d_]{1,14}))")


def find_asked_periods(text: str, *, near: date) -> list[Period]:
    """All days, months and longer times that a question may mean, in no order. What it names
    without a year may be in the year of `near`, the one before and the one after it; the days
    between two that are near to each other, and so many days or weeks around them as it names,
    belong to it. Empty where it names none."""
    named = [each for each in find_named_months(text) if _is_meant(each, text)][:_MOST_NAMED]
    years = (near.year, near.year - 1, near.year + 1)
    bare = [
        period
        for each in named
        if not each.year
        for year in years
        for period in build_days(year, each.month, each.day)
    ]
    dated = find_periods(text)
    if bare:  # a year beside them is theirs, or that of something else
        dated = [each for each in dated if each.end - each.start < _LEAST_YEAR]
    periods = [*dated, *bare, *_find_day_ranges(named, text, years)]
    days = sorted(each for each in periods if each.end - each.start == 1)
    periods += [
        Period(first.start, last.end)
        for first, last in pairwise(days)
        if last.end - first.start <= _LONGEST_STAY
    ]
    periods += find_asked_ranges(text, near=near)
    around = _find_days_around(text) if periods else 0
    return [Period(each.start - around, each.end + around) for each in periods]


def find_asked_ranges(text: str, *, near: date) -> list[Period]:
    """The ranges of months that a question names from beginning to end: `January to June 2026`,
    the first nine months, a quarter. Without a year in it, those of the three years as above."""
    years = [int(each[0] or each[1]) for each in _ANY_YEAR.findall(text)]
    years = years or [near.year, near.year - 1, near.year + 1]
    months = [*_find_numbered_ranges(text), *_find_named_ranges(text)]
    ranges = [
        period
        for first, last in months
        for year in dict.fromkeys(years)
        for period in build_months(year, first, last - first + 1)
    ]
    quarters = (
        each
        for each in find_periods(text)
        if _LEAST_QUARTER <= each.end - each.start <= _LONGEST_HALF
    )
    return [*ranges, *quarters]


def _find_numbered_ranges(text: str) -> Iterator[tuple[int, int]]:
    """The first and the last month of each range that is counted, in halves, quarters, or numbers
    of months."""
    low = text.casefold()
    if not any(word in low for word in _RANGE_WORDS):
        return
    for found in _FIRST_MONTHS.finditer(text):
        count = _read_count(next(each for each in found.groups() if each))
        if count:
            yield 1, count
    for found in _HALF.finditer(text):
        is_second = found["two"] or found["h"] == "2" or found["ja"] == "下"
        yield (7, 12) if is_second else (1, 6)
    for found in _QUARTERS.finditer(text):
        yield 3 * int(found[1]) - 2, 3 * int(found[2])
    for found in _SIGN_MONTHS.finditer(text) if "月" in text or "월" in text else ():
        yield int(found[1]), int(found[2])


def _find_named_ranges(text: str) -> Iterator[tuple[int, int]]:
    for first, last in pairwise(find_named_months(text)):
        if first.day or last.day or first.year not in (0, last.year):
            continue
        if first.month < last.month and _BETWEEN.fullmatch(text[first.end : last.start]):
            yield first.month, last.month


def _is_meant(named: NamedMonth, text: str) -> bool:
    """Whether a month stands there as one: with a day or a year, or behind a preposition."""
    if named.year or named.day:
        return named.is_sure
    word = text[named.start : named.end]
    if not word.isalpha() or word.casefold().endswith(_LOCATIVE_ENDS):
        return True
    before = _WORD_BEFORE.search(text[max(0, named.start - _AROUND_READ) : named.start])
    known = _PREPOSITIONS if named.is_sure else _BEFORE_VERBS
    return before is not None and before[1].casefold() in known


def _find_day_ranges(
    named: Sequence[NamedMonth], text: str, years: Sequence[int]
) -> Iterator[Period]:
    """The days from or up to a number beside a day: `12 to 14 November`."""
    for each in named:
        if not each.day:
            continue
        before = _NUMBER_BEFORE.search(text[max(0, each.start - _AROUND_READ) : each.start])
        after = _NUMBER_AFTER.match(text, each.end)
        for year in (each.year,) if each.year else years:
            for period in build_days(year, each.month, each.day):
                first = int(before[1]) - each.day if before else 0
                last = int(after[1]) - each.day if after else 0
                # A greater number before is a day of the month before.
                yield Period(period.start + (first if first <= 0 else first - 31), period.end)
                yield Period(period.start, max(period.end, period.end + last))


def _find_days_around(text: str) -> int:
    """The longest time of so many days, nights, weeks, months or years that a text names; in
    days."""
    days = (_read_count(count) * _read_unit(unit) for count, unit in _COUNTED.findall(text))
    return min(_LONGEST_AROUND, max(days, default=0))


def _read_count(text: str) -> int:
    return int(text) if text.isdecimal() else _COUNTS.get(text.casefold(), 0)


def _read_unit(text: str) -> int:
    """The days of a unit; signs have no blank behind them."""
    low = text.casefold()
    starts = [low] if low.isascii() else [low, low[:_LONGEST_SIGN], low[:1]]
    return next((_UNITS[each] for each in starts if each in _UNITS), 0)
