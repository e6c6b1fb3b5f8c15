"""Months and days as texts write them in words: `17. Mai`, `May 17, 2026`, `11月21日`.

The names are those of the CLDR in the languages below, as they stand in a date and alone.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from app.analysis.recorded.spellings import word_set

_LANGUAGES = """
january february march april may june july august september october november december
januar februar märz april mai juni juli august september oktober november dezember
janvier février mars avril mai juin juillet août septembre octobre novembre décembre
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro
gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
januari februari maart april mei juni juli augustus september oktober november december
januar februar marts april maj juni juli august september oktober november december
januar februar mars april mai juni juli august september oktober november desember
januari februari mars april maj juni juli augusti september oktober november december
styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad grudzień
stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia
styczniu lutym marcu kwietniu maju czerwcu lipcu sierpniu wrześniu październiku listopadzie grudniu
leden únor březen duben květen červen červenec srpen září říjen listopad prosinec
ledna února března dubna května června července srpna září října listopadu prosince
lednu únoru březnu dubnu květnu červnu červenci srpnu září říjnu listopadu prosinci
tammikuu helmikuu maaliskuu huhtikuu toukokuu kesäkuu heinäkuu elokuu syyskuu lokakuu marraskuu joulukuu
ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık
январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь
января февраля марта апреля мая июня июля августа сентября октября ноября декабря
январе феврале марте апреле мае июне июле августе сентябре октябре ноябре декабре
січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня
ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie
január február március április május június július augusztus szeptember október november december
ιανουαρίου φεβρουαρίου μαρτίου απριλίου μαΐου ιουνίου ιουλίου αυγούστου σεπτεμβρίου οκτωβρίου νοεμβρίου δεκεμβρίου
jan feb mar apr may jun jul aug sep oct nov dec
jan feb mrt apr mei jun jul aug sept okt nov dez
"""  # noqa: E501 -- one line for each language
MONTH_OF = {
    name: month
    for line in _LANGUAGES.strip().splitlines()
    for month, name in enumerate(line.split(), 1)
}
_FINNISH_ENDS = ("n", "ta", "ssa", "sta", "lle", "hun")
MONTH_OF.update(
    {
        name + end: MONTH_OF[name]
        for name in list(MONTH_OF)
        if name[-3:] == "kuu"
        for end in _FINNISH_ENDS
    }
)
_ALSO_WORDS = {"may", "march", "mar", "mart"}
"""Names that are other words, too, when they begin with a small letter."""
_BEFORE_THE_DAY = word_set(
    "january february march april may june july august september october november december"
    " jan feb mar apr jun jul aug sep sept oct nov dec"
    " január február március április május június július augusztus szeptember október"
)
"""Names that stand before the day, in English and Hungarian."""

_LONGEST_DAY = 14  # characters before a month in which its day stands
_LONGEST_YEAR = 16  # characters after it in which day and year stand
_WORD = re.compile(r"[^\W\d_]{3,12}")
_DAY_BEFORE = re.compile(
    r"(?<![\d.,:])(\d{1,2})(?:st|nd|rd|th|er|[º°ª.e]|:[ae]|-го|-е)?\s{0,2}"
    r"(?:(?:of|de|del|di|den)\s|d[’'])?$",
    re.IGNORECASE,
)
_YEAR_AFTER = re.compile(r"[.,]?\s{0,2}(?:(?:of|de|del|do)\s)?((?:19|20)\d\d)(?!\d|[-.]\d)")
_DAY_AFTER = re.compile(
    r"\.?\s{1,2}(\d{1,2})(?:st|nd|rd|th|\.|-[áéiaj]{1,3}n?)?(?![\d:%]|[.,]\d)"
    r"(?:,?\s((?:19|20)\d\d)(?!\d))?"
)
_IN_SIGNS = re.compile(
    r"(?:(\d{4})\s?[年년]\s?)?(?<!\d)(\d{1,2})\s?[月월](?:\s?(\d{1,2})\s?[日号號일])?(?![間间])"
    r"|ngày\s(?P<d>\d{1,2})\stháng\s(?P<m>\d{1,2})(?:\snăm\s(?P<y>\d{4}))?",
    re.IGNORECASE,
)
_SIGNS = ("月", "월", "tháng")


class NamedMonth(NamedTuple):
    """A month in a text, with the day and the year that stand beside it, else 0."""

    year: int
    month: int
    day: int
    start: int
    end: int
    is_sure: bool
    """Whether it can be nothing but a month: its word has no other meaning as it is written."""


def find_named_months(text: str) -> Iterator[NamedMonth]:
    """The months that a text has by name, in order."""
    for word in _WORD.finditer(text):
        month = MONTH_OF.get(word[0].casefold())
        if month is not None:
            yield _read_around(word, month, text)
    if any(sign in text for sign in _SIGNS):
        for found in _IN_SIGNS.finditer(text):
            year, month_text, day = found.group("y", "m", "d") if found["m"] else found.groups()[:3]
            start, end = found.span()
            yield NamedMonth(int(year or 0), int(month_text), int(day or 0), start, end, True)


def _read_around(word: re.Match[str], month: int, text: str) -> NamedMonth:
    start, end = word.span()
    is_sure = word[0][0].isupper() or word[0].casefold() not in _ALSO_WORDS
    before = _DAY_BEFORE.search(text[max(0, start - _LONGEST_DAY) : start])
    after = text[end : end + _LONGEST_YEAR]
    day, year = 0, _YEAR_AFTER.match(after)
    if before is not None:
        day = int(before[1])
        start -= len(before[0])
    elif year is None and word[0].casefold() in _BEFORE_THE_DAY:
        with_day = _DAY_AFTER.match(after)
        if with_day is not None:
            return NamedMonth(
                int(with_day[2] or 0), month, int(with_day[1]), start, end + with_day.end(), is_sure
            )
    if year is None:
        return NamedMonth(0, month, day, start, end, is_sure)
    return NamedMonth(int(year[1]), month, day, start, end + year.end(), True)
