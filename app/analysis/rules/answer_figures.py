"""Figures of an answer that come from nowhere, and totals that are not the sum of their parts.

Only amounts with a unit are read: a bare number may count anything. An amount that follows from
others, by a sum, a difference, a count, a percentage or by rounding, does not come from nowhere.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.rules.answer_sources import AnswerSources, read_answer_sources
from app.analysis.rules.answer_writer import find_answer_writer
from app.analysis.text.amounts import Amount, find_amounts, is_currency, may_have_amounts, spells
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis

_FROM_NOWHERE = 0.7  # confidence: it may be known from elsewhere, but the source has another one
_WRONG_TOTAL = 0.85
_ANSWER_READ = 4_000  # characters
_MOST_AMOUNTS = 40  # of an answer: each is looked for in all sources
_SUBJECT_WITHIN = 100  # characters before an amount
_BEFORE, _AFTER = 150, 300  # characters around a subject in which its amounts stand
_MOST_PASSAGES = 8
_MOST_NUMBERS = 40  # that are combined: among more of them any figure follows from some
_LARGEST_COUNT = 366  # days of a year; counts of items are smaller
_FEW_NUMBERS = 16  # of which small multiples are added up
_SMALL_COUNTS = range(1, 5)  # of persons, nights and pieces
_USUAL_COUNTS = frozenset([*range(2, 13), 24, 30, 52, 100, 365])
"""Counts that texts spell as words, and those between units of time and money."""
_CLOSE = 0.006  # of a value: by so much a rounded one differs
_LEAST = 10  # smaller amounts follow from others by chance, and stand anywhere
_CODE = re.compile(
    r"(?<![\w-])(?=[\w-]*\d)\w+(?:-\w+)+(?![\w-])|(?<![\w-])[A-Z]+\d{2,}\w*(?![\w-])"
)
_NAME = re.compile(r"(?<![\w-])(?!EUR|USD|GBP)[A-ZÄÖÜÉÅØ][^\W\d_]{3,}")
_BREAK = re.compile(r"\n|\\n|[.!?;]\s")
_LINE_BREAK = re.compile(r"\n|\\n")
_PRICE_KEY = re.compile(
    r'"[^"]*(?:price|amount|cost|rent|fee|balance|total|fare|value|premium|salary|preis|betrag'
    r'|miete|kosten|saldo|prix|montant|precio|importe|coste|prezzo|importo|preço|valor)[^"]*":'
    r' "?(\d+(?:\.\d+)?)'
)
_NUMBER = re.compile(r"(?<![\d.,\w-])\d{1,9}(?:\.\d{1,2})?(?![\d\w-])")
_PERCENT = re.compile(r"(\d{1,3}(?:[.,]\d{1,2})?)\s?(?:%|percent|prozent|por ciento|pour cent)")
_NOT_STATED = re.compile(
    r"\b(?:about|around|approx\w*|roughly|nearly|almost|estimat\w*|would|could|should|may|might"
    r"|suggest\w*|recommend\w*|propos\w*|offer\w*|negotiat\w*|expect\w*|typical\w*|usual\w*"
    r"|under|below|over|above|up to|at least|at most|less|more|between|from|average|if|instead"
    r"|convert\w*|equivalent|rate|tax|vat|discount\w*|save\w*|saving|assum\w*|budget"
    r"|etwa|circa|ca|rund|knapp|ungefähr|könnt\w*|würd\w*|sollt\w*|schätz\w*|vorschlag\w*"
    r"|empfehl\w*|bis zu|unter|über|mindestens|höchstens|zwischen|üblich\w*|wenn|mwst|steuer"
    r"|rabatt|durchschnitt\w*|environ|serait|pourrait|devrait|moins|plus|jusqu\w*|entre|tva"
    r"|remise|aproximadamente|unos|podría|debería|menos|más|hasta|iva|descuento|około|ponad"
    r"|poniżej|jeśli|meno|più|fino|cerca|até|mais)\b|~|≈|[<>]",
    re.IGNORECASE,
)
"""Words of an estimate, a limit, advice or a conversion."""

_FEWEST_PARTS = 2
_HALF_UNIT = 0.51  # of the last digit before the decimal mark, to which parts may be rounded
_TOTAL_WORDS = (
    "together|in total|in all|altogether|total(?:ling|ing|s)?|totals? of|sum(?:s)? (?:to|of)"
    "|adding up to|add up to|adds up to|which makes|making|zusammen|insgesamt|in summe|gesamt"
    "|macht zusammen|summe|en total|au total|soit|ensemble|en tout|en conjunto|suman|sumando"
    "|in totale|totale|no total|somam|ao todo|razem|łącznie|w sumie|samen|in totaal|totaal"
    "|sammanlagt|totalt|tillsammans|i alt|celkem|yhteensä|итого|всего|вместе|合计|共计|总计|合計"
)
_TOTAL = re.compile(
    r"[\s,;:.()=–—-]*"
    r"(?:(?:and|und|et|y|e|och|for|for a|a|the|also|das|thus|d\.h\.|der|die|eine)\s)*"
    rf"(?:{_TOTAL_WORDS})"
    r"(?:\s(?:of|is|are|amount|sum|loss|cost|costs|amounts? to|comes? to|von|sind|das|also"
    r"|de|di|es|son|av|to|it is|they are|they make|this is))*[\s:=–—-]*",
    re.IGNORECASE,
)
_SAYS_TOTAL = re.compile(rf"\b(?:{_TOTAL_WORDS}|both|all|beide|alle|each)\b", re.IGNORECASE)
"""What stands between the last part and the total, and nothing else."""
_BETWEEN = re.compile(r"(?:(?!\bto\b|[–-])[^\d.!?\n=]){0,40}")
_SENTENCE = re.compile(r"\n|[.!?]\s")
_NOT_ADDED = re.compile(
    r"[×*−]|\s-\s|\b(?:minus|less|minus|off|discount\w*|refund\w*|credit\w*|deduct\w*|tax\w*|vat|fees?"
    r"|shipping|delivery|tip|deposit|each|per|apiece|others?|more|further|rest|remaining|among"
    r"|include\w*|including|plus|nights?|months?|days?|hours?|pieces?|between|or|versus|vs"
    r"|abzüglich|rabatt|gutschrift|erstattung|steuer|mwst|gebühr\w*|versand|je|pro|weitere\w*"
    r"|andere\w*|zuzüglich|oder|bis|nächte|monate|tage|stunden|stück|moins|remise|tva|taxes?|frais"
    r"|livraison|chacune?|par|autres|ou|menos|descuento|iva|gastos|envío|cada|por|otros|sconto"
    r"|ciascun\w*|altri|spedizione|desconto|frete|outros|rabat|podatek|każd\w*|x\s?\d)\b",
    re.IGNORECASE,
)


def find_answer_figures(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: the call that wrote the answer, with the results that have other figures."""
    writer = analysis.once(find_answer_writer)
    if writer is None or not may_have_amounts(writer.view.reply.text[:_ANSWER_READ]):
        return
    sources = analysis.once(read_answer_sources)
    if sources is None:
        return
    answer = writer.view.reply.text[:_ANSWER_READ]
    amounts = find_amounts(answer)[:_MOST_AMOUNTS]
    for sentence in _check_totals(answer, amounts, sources):
        yield _build_finding(sentence, _WRONG_TOTAL, sources)
        return
    for amount in amounts:
        other = _find_other_amount(amount, answer, sources)
        if other:
            what = (
                f"{amount.text}, which stands in nothing before and follows from nothing: {other}"
            )
            yield _build_finding(f"answered with {what}", _FROM_NOWHERE, sources)
            return


def _build_finding(what: str, confidence: float, sources: AnswerSources) -> Finding:
    name = one_line(sources.writer.name, limit=60)
    nodes = [sources.writer, *sources.results[-2:]]
    return build_finding(Category.IGNORED_RESULT, confidence, f"{name} {what}.", nodes)


def _is_known(value: float, sources: AnswerSources) -> bool:
    pattern = spells(value)
    return any(pattern.search(text) for text in sources.texts)


def _find_other_amount(amount: Amount, answer: str, sources: AnswerSources) -> str:
    """What the sources have beside the subject of an amount from nowhere; empty where it has none,
    or the amount is known, may follow from others or is no statement."""
    if amount.value < _LEAST or _is_known(amount.value, sources):
        return ""
    start = max((each.end() for each in _BREAK.finditer(answer, 0, amount.start)), default=0)
    end = _BREAK.search(answer, amount.end)
    sentence = answer[start : end.start() if end else len(answer)]
    if _NOT_STATED.search(sentence) or _SAYS_TOTAL.search(sentence):
        return ""
    asked = {each.value for each in find_amounts(sources.texts[0])}
    beside = answer[max(start, amount.start - _SUBJECT_WITHIN) : amount.start]
    for subject in [*reversed(_CODE.findall(beside)), *reversed(_NAME.findall(beside))]:
        passages = list(_find_passages(subject.casefold(), sources))
        read = (_read_values(amount.unit, [passage], sources) for passage in passages)
        found = [[each for each in values if each not in asked] for values in read]
        others = min(filter(None, found), key=len, default=[])
        if others:
            if _may_follow(amount, passages, sources, answer):
                return ""
            figures = ", ".join(f"{each:,.10g}" for each in others[:3])
            return f"beside {one_line(subject, limit=40)} stands {figures}"
    return ""


def _find_passages(subject: str, sources: AnswerSources) -> Iterator[str]:
    """What stands around a subject in the sources, within a line."""
    pattern = re.compile(rf"(?<![\w-]){re.escape(subject)}(?![\w-])")
    found = 0
    for text in sources.texts:
        for match in pattern.finditer(text):
            before = _LINE_BREAK.split(text[max(0, match.start() - _BEFORE) : match.start()])[-1]
            after = _LINE_BREAK.split(text[match.start() : match.end() + _AFTER])[0]
            yield before + after
            found += 1
            if found >= _MOST_PASSAGES:
                return


def _read_values(unit: str, texts: Sequence[str], sources: AnswerSources) -> list[float]:
    """The amounts of a unit, and for a currency that is named the numbers under keys of prices."""
    values = [each.value for text in texts for each in find_amounts(text) if each.unit == unit]
    if is_currency(unit) and any(unit in text for text in sources.texts):
        values += [float(found) for text in texts for found in _PRICE_KEY.findall(text)]
    return [value for value in dict.fromkeys(values) if value]


def _may_follow(
    amount: Amount, passages: Sequence[str], sources: AnswerSources, answer: str
) -> bool:
    """Whether an amount may come from others; True as well where there are too many of them."""
    numbers = _read_values(amount.unit, sources.texts, sources)
    if len(numbers) > _MOST_NUMBERS:
        return True
    texts = [*passages, sources.texts[0], answer.casefold()]
    plain = {float(found) for text in texts for found in _NUMBER.findall(text)}
    counts = {each for each in plain if 1 < each <= _LARGEST_COUNT} | _USUAL_COUNTS
    shares = {
        float(found.replace(",", ".")) / 100
        for text in (*sources.texts, answer.casefold())
        for found in _PERCENT.findall(text)
    }
    derived = [sum(numbers), sum(numbers) / max(1, len(numbers)), *numbers]
    derived += [one - other for one, other in permutations(numbers, 2)]
    few = numbers[:_FEW_NUMBERS]
    for one, other in permutations(few, 2):
        derived += [n * one + m * other for n in _SMALL_COUNTS for m in _SMALL_COUNTS]
    derived += map(sum, combinations(few, 3))
    for number in numbers:
        for count in counts:
            derived += (number * count, number / count)
        for share in shares:
            derived += (number * share, number * (1 + share), number * (1 - share))
    close = _HALF_UNIT if amount.value.is_integer() else _HALF_UNIT / 100
    if any(abs(amount.value - each) <= max(close, _CLOSE * each) for each in numbers):
        return True
    return any(abs(amount.value - each) <= close for each in derived)


def _check_totals(answer: str, amounts: Sequence[Amount], sources: AnswerSources) -> Iterator[str]:
    """What is wrong with each total of an enumeration whose parts are all known."""
    for place, total in enumerate(amounts[2:], start=2):
        parts = _list_parts(answer, amounts[: place + 1])
        if len(parts) < _FEWEST_PARTS or _is_known(total.value, sources):
            continue
        added = sum(part.value for part in parts)
        tolerance = max(_CLOSE * added, _HALF_UNIT * len(parts))
        if abs(added - total.value) <= tolerance or _fits_others(total, parts):
            continue
        if all(_is_known(part.value, sources) for part in parts):
            listed = " + ".join(f"{part.value:,.10g}" for part in parts)
            yield f"gave the total {total.text} of amounts that add up to {added:,.10g}: {listed}"


def _list_parts(answer: str, amounts: Sequence[Amount]) -> list[Amount]:
    """The amounts of an enumeration that the last amount gives the total of."""
    *parts, total = amounts
    if not _TOTAL.fullmatch(answer[parts[-1].end : total.start]):
        return []
    first = len(parts) - 1
    while first and _BETWEEN.fullmatch(answer[parts[first - 1].end : parts[first].start]):
        first -= 1
    parts = parts[first:]
    breaks = list(_SENTENCE.finditer(answer, 0, parts[0].start))
    end = _SENTENCE.search(answer, total.end)
    begin = breaks[-1].end() if breaks else 0
    sentence = answer[begin : end.start() if end else len(answer)]
    if _NOT_ADDED.search(sentence) or len({each.unit for each in (*parts, total)}) > 1:
        return []
    return parts


def _fits_others(total: Amount, parts: Sequence[Amount]) -> bool:
    """Whether a total is the sum without one part or the product of two: it may mean that."""
    added = sum(part.value for part in parts)
    rest = [added - part.value for part in parts] + [parts[0].value * parts[1].value]
    return any(abs(total.value - each) <= _CLOSE * total.value for each in rest)
