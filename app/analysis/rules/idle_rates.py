"""Rates of exactly 1 between two different currencies: a default that stands in for a rate."""

import re
from collections.abc import Iterator, Sequence

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.leaves import Leaf
from app.analysis.recorded.spellings import kept_by_keys, key_set, plain_key, word_set
from app.analysis.text.one_line import format_count, one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node

_RATE = 0.75  # confidence
_MARKED_RATE = 0.85  # where the result names it a default
_LEAVES_READ = 40  # of one body: a rate is a short result
_RATE_KEYS = key_set(
    "rate exchange_rate fx fx_rate conversion_rate currency_rate conversion_factor kurs wechselkurs"
    " umrechnungskurs taux taux_de_change tasa tasa_de_cambio tipo_de_cambio tipo_cambio taxa"
    " taxa_de_cambio cambio tasso tasso_di_cambio tasso_cambio koers wisselkoers valutakurs"
    " vekselkurs växelkurs kurz směnný_kurz kurs_waluty kurs_wymiany kur döviz_kuru курс 汇率"
    " 匯率 為替レート レート 환율"
)
_TABLE_KEYS = key_set(
    "rates rates_used exchange_rates fx_rates conversion_rates currency_rates kurse wechselkurse"
    " taux tasas tipos_de_cambio taxas cambios tassi koersen valutakurser kursy kurzy курсы"
)
_CURRENCIES = word_set(
    "EUR USD GBP CHF PLN JPY CNY INR SEK NOK DKK CZK HUF RON TRY UAH RUB BRL MXN ARS CLP COP CAD"
    " AUD NZD ZAR KRW THB IDR VND PHP MYR SGD HKD TWD ILS EGP NGN KES"
)
_NEAR_PARITY = word_set("EUR USD CHF CAD AUD SGD")
"""Between these a rate of 1 occurs when it is rounded."""
_CODES = re.compile(r"(?<![A-Za-z])([A-Z]{3})(?:[-/_]?([A-Z]{3}))?(?![A-Za-z])")
_LONGEST_TEXT = 200  # characters of a value in which codes are looked for
_DEFAULTS = word_set("default fallback none missing unknown placeholder static standard vorgabe")


def find_idle_rates(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: the first step that returned such a rate, with the others."""
    found = []
    for node in analysis.once(list_read_steps):
        keys = _keep_rates(node.view.output.keys)
        if keys:
            leaves = tuple(node.view.output.first_leaves(_LEAVES_READ))
            pair = _find_in_table(leaves) or _find_pair(node, leaves)
            if pair:
                found.append((node, pair, leaves))
    if found:
        yield _build_finding(found)


@kept_by_keys
def _keep_rates(keys: frozenset[str]) -> frozenset[str]:
    return keys & (_RATE_KEYS | _TABLE_KEYS)


def _find_pair(node: Node, leaves: Sequence[Leaf]) -> tuple[str, str] | None:
    """The two currencies of a call whose only rate is 1."""
    rates = [leaf.value for leaf in leaves if leaf.key in _RATE_KEYS]
    if not rates or not all(map(_is_one, rates)):
        return None
    both = [*node.view.input.first_leaves(_LEAVES_READ), *leaves]
    codes = dict.fromkeys(
        code
        for leaf in both
        if isinstance(leaf.value, str)
        for found in _CODES.findall(leaf.value[:_LONGEST_TEXT])
        for code in found
        if code in _CURRENCIES
    )
    if len(codes) != 2:
        return None
    first, second = codes
    is_near = {first, second} <= _NEAR_PARITY
    return None if is_near and not _is_marked(leaves) else (first, second)


def _find_in_table(leaves: Sequence[Leaf]) -> tuple[str, str] | None:
    """Two currencies of a table of rates that both have 1."""
    ones = [
        str(leaf.path[-1])
        for leaf in leaves
        if len(leaf.path) > 1
        and plain_key(str(leaf.path[-2])) in _TABLE_KEYS
        and str(leaf.path[-1]).upper() in _CURRENCIES
        and _is_one(leaf.value)
    ]
    if len(ones) < 2 or {each.upper() for each in ones} <= _NEAR_PARITY:
        return None
    return ones[0], ones[1]


def _is_one(value: object) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"1(?:[.,]0+)?", value.strip()) is not None
    return type(value) in (int, float) and value == 1


def _is_marked(leaves: Sequence[Leaf]) -> bool:
    """Whether a result names its source a default."""
    return any(
        isinstance(leaf.value, str) and leaf.value.strip().casefold() in _DEFAULTS
        for leaf in leaves
    )


def _build_finding(
    found: Sequence[tuple[Node, tuple[str, str], Sequence[Leaf]]],
) -> Finding:
    node, (first, second), leaves = found[0]
    marked = _is_marked(leaves)
    name = one_line(node.name, limit=60)
    more = f" ({format_count(len(found) - 1, 'more call')} like it)" if len(found) > 1 else ""
    sentence = (
        f"{name} returned a rate of exactly 1 between {first} and {second}"
        f"{', which it names a default' if marked else ''}{more}: amounts stay as they were."
    )
    nodes = [each for each, _, _ in found]
    confidence = _MARKED_RATE if marked else _RATE
    return build_finding(Category.FAILURE_TEXT, confidence, sentence, nodes)
