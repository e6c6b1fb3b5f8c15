"""Codes, years and times of an answer that stand in nothing before, though others of their kind do.

An answer gives booking FB-48231 where all that was read has FB-48213, a train at 14:53 that leaves
at 14:35, a picture of 1516 that the catalogue dates at 1480.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import product

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.spellings import key_set
from app.analysis.rules.answer_sources import AnswerSources, read_answer_sources
from app.analysis.rules.answer_writer import find_answer_writer
from app.analysis.rules.named_values import form_of_name
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis

_CONFIDENCE = 0.65  # a model may know it from elsewhere
_ANSWER_READ = 4_000  # characters
_MOST_FACTS = 20  # that an answer has from elsewhere than its prompt: more of them are a list
_CODE_BLOCK = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)

_CODE = re.compile(r"(?<![\w./@-])(?=[\w-]{0,30}\d{3})[^\W\d_]{1,12}(?:-?\w){2,30}(?![\w-]|[./]\w)")
_MARKS = re.compile(r"[\W_]+")
_LEAST_DIGITS = 4  # of a code: names of models and roads have fewer
_MOST_CODES = 400  # of the sources: among more of them any form occurs

_YEAR = re.compile(r"(?<![\w.,:/-])(?:1\d{3}|20\d\d)(?![\w:/-]|[.,]\d|\s?[€$£%°])")
_DATE_KEYS = key_set(
    "year date dated published release_year release_date released founded built born died"
    " established since jahr baujahr datierung erscheinungsjahr gegründet année annee date_creation"
    " anno año ano fecha data rok publication_year year_built creation_date"
)
_YEARS_AROUND = 2  # years before and after the trace, of which an answer may speak
_LEAVES_READ = 40  # of one result

_TIME = re.compile(
    r"(?<![\d:.,])([01]?\d|2[0-3])(?::|\s?h\s?|\.(?=\d\d\s?(?:uhr|h\b)))([0-5]\d)(?![\d.:,]?\d)"
    r"(\s?[ap]\.?m\b)?",
    re.IGNORECASE,
)
_STAMP = re.compile(r"(?<=[\dt ])([01]\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\d.,:])\d{1,3}(?![\d:])")
_ROUND = (0, 30)  # minutes of times that are named without a source, as opening hours
_MOST_TIMES = 24  # of the sources: among more of them any other time follows from two
_DAY = 24 * 60  # minutes
_HALF_DAY = 12 * 60


def find_answer_facts(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: the call that wrote the answer, with the results that have another fact."""
    writer = analysis.once(find_answer_writer)
    if writer is None:
        return
    answer = _CODE_BLOCK.sub(" ", writer.view.reply.text[:_ANSWER_READ])
    prompt = " ".join([message.text for message in writer.view.request.messages]).casefold()
    unread = [fact for fact in _list_facts(answer) if fact.casefold() not in prompt]
    if not 0 < len(unread) <= _MOST_FACTS:
        return
    sources = analysis.once(read_answer_sources)
    if sources is None:
        return
    found = (
        _find_other_code(answer, sources)
        or _find_other_time(answer, sources)
        or _find_other_year(answer, sources, analysis)
    )
    if found:
        fact, others = found
        sentence = (
            f"{one_line(writer.name, limit=60)} answered with {one_line(fact, limit=40)}, which"
            f" stands in nothing before; what it had read has {one_line(others, limit=40)}."
        )
        nodes = [writer, *sources.results[-2:]]
        yield build_finding(Category.IGNORED_RESULT, _CONFIDENCE, sentence, nodes)


def _list_facts(answer: str) -> Iterator[str]:
    """What an answer states that may stand in nothing before."""
    yield from (code for code in _CODE.findall(answer) if _has_digits(code))
    yield from _YEAR.findall(answer)
    yield from (match[0] for match in _TIME.finditer(answer))


def _find_other_code(answer: str, sources: AnswerSources) -> tuple[str, str] | None:
    """A code from nowhere with one of the sources that has the same form; the next one of a series
    may be made on purpose."""
    codes = [code for code in dict.fromkeys(_CODE.findall(answer)) if _has_digits(code)]
    unknown = [
        code for code in codes[:_MOST_FACTS] if not _stands_in(code.casefold(), sources.texts)
    ]
    if unknown:  # a phone number may be written with other marks
        plain = [_MARKS.sub("", text) for text in sources.texts]
        unknown = [
            code for code in unknown if not _stands_in(_MARKS.sub("", code.casefold()), plain)
        ]
    if not unknown:
        return None
    known: dict[str, list[str]] = {}
    count = 0
    for text in sources.texts:
        for match in _CODE.finditer(text):
            known.setdefault(form_of_name(match[0]), []).append(match[0])
            count += 1
            if count > _MOST_CODES:
                return None
    low = answer.casefold()
    for code in unknown:
        others = [each for each in known.get(form_of_name(code), ()) if each not in low]
        if others and not any(_is_next(code, each) for each in others):
            return code, others[0]
    return None


def _has_digits(code: str) -> bool:
    return sum(map(str.isdigit, code)) >= _LEAST_DIGITS


def _stands_in(piece: str, texts: Sequence[str]) -> bool:
    return any(piece in text for text in texts)


def _is_next(code: str, other: str) -> bool:
    one, two = ("".join(filter(str.isdigit, each)) for each in (code, other))
    return abs(int(one) - int(two)) == 1


def _find_other_time(answer: str, sources: AnswerSources) -> tuple[str, str] | None:
    """A time of day from nowhere, where results have times; what follows from one of them by a
    number of minutes or hours, or in another time zone, does not come from nowhere."""
    stated = list(_TIME.finditer(answer))[:_MOST_FACTS]
    if not stated:
        return None
    known = {time for text in sources.texts for time in _read_times(text)}
    in_results = {
        time for node in sources.results for time in _read_times(node.view.output.canonical)
    }
    if not in_results or len(known) > _MOST_TIMES:
        return None
    minutes = {time % 60 for time in known}
    spans = {int(found) for text in (*sources.texts, answer) for found in _NUMBER.findall(text)}
    spans |= {60 * each for each in spans}
    spans |= {abs(one - two) for one, two in product(known, known)}
    for match in stated:
        times = _read_match(match)
        if any(time % 60 in minutes or time % 60 in _ROUND for time in times):
            continue
        if not any(
            (time - each) % _DAY in spans or (each - time) % _DAY in spans
            for time, each in product(times, known)
        ):
            other = min(in_results)
            return match[0], f"{other // 60:02}:{other % 60:02}"
    return None


def _read_times(text: str) -> Iterator[int]:
    for pattern in (_TIME, _STAMP):
        for match in pattern.finditer(text):
            yield from _read_match(match)


def _read_match(match: re.Match[str]) -> list[int]:
    """A time in minutes since midnight; both that it may mean where it has `am` or `pm`."""
    time = 60 * int(match[1]) + int(match[2])
    is_half = match.re is _TIME and match[3]
    return [time, (time + _HALF_DAY) % _DAY] if is_half else [time]


def _find_other_year(
    answer: str, sources: AnswerSources, analysis: TraceAnalysis
) -> tuple[str, str] | None:
    """A year from nowhere in an answer without any known one, where a result dates something."""
    stated = list(dict.fromkeys(_YEAR.findall(answer)))[:_MOST_FACTS]
    began = analysis.trace.start_time
    now = began.year if began else 0
    if not stated or any(abs(int(year) - now) <= _YEARS_AROUND for year in stated):
        return None
    if any(year in text for year in stated for text in sources.texts):
        return None
    dated = [
        match[0]
        for node in sources.results
        for leaf in node.view.output.first_leaves(_LEAVES_READ)
        if leaf.key in _DATE_KEYS and (match := _YEAR.search(str(leaf.value)))
    ]
    return (stated[0], dated[0]) if dated else None
