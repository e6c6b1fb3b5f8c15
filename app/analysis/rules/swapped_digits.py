"""Numbers and codes of calls in which two digits that stand side by side changed places.

The value stands in nothing that was known before, while the one with the digits in order does. A
short number counts only where both have the same name, as rooms, seats and lines have.
"""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import islice, pairwise
from typing import NamedTuple

from app.analysis.finding import Finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.leaves import Leaf, innermost_key
from app.analysis.recorded.spellings import word_set
from app.analysis.rules.asked_calls import (
    AskedCall,
    build_scope_finding,
    noun_of_key,
    was_seen,
)
from app.analysis.rules.named_values import form_of_name
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls

_CONFIDENCE = 0.8
_LEAVES_READ = 60  # of one body
_TEXT_READ = 4_000  # characters of one text
_LONGEST_ARGUMENT = 200  # characters: a longer one is a text, which may hold any numbers
_MESSAGES_READ = 20  # of the first request of a model: what was talked about before
_LEAST_DIGITS = 3
_LEAST_DIGITS_ALONE = 5  # of a plain number that is not equal by chance to another one
_LONGEST = 40  # characters
_MOST_VALUES = 8  # of one form: with more a program works through a list
_NAMES_KEPT = 2_000
_NAME = re.compile(
    r"(?<![\w./:,-])(?P<word>[^\W\d_]+[\s:#]{1,2})?(?=[\w/-]*\d)(\w+(?:[/-]\w+)*)(?![\w/:-]|[.,]\d)"
)
_DIGITS = re.compile(r"\d{2,}")
_WHOLE = re.compile(r"\w+(?:[/-]\w+)*")
_DATE_OR_FRACTION = re.compile(
    r"(?:19|20)\d\d(?:[-/]?\d\d){0,2}|\d\d?/\d\d?(?:/\d\d(?:\d\d)?)?|\d{1,2}(?:st|nd|rd|th|h\d*)"
    r"|\d{4}-\d\d-\d\dT\w+|\d+(?:px|ms|kb|mb|gb|kg|km|mm|cm|s|m|k)",
    re.IGNORECASE,
)
_MEASURES = word_set(
    "amount total sum price cost fee count quantity qty limit offset page size score year month"
    " day time duration timeout ms seconds minutes hours budget balance value max min top tokens"
    " width height weight length distance rate percent betrag preis summe anzahl menge prix"
    " montant somme importe precio cantidad preço valor quantidade prezzo importo totale bedrag"
    " prijs aantal kwota cena liczba pris beløb belopp antal"
)
"""Names of what is computed, counted or measured: such numbers resemble each other by chance."""


class _Name(NamedTuple):
    text: str
    noun: str


class _Use(NamedTuple):
    """Where a call has a name."""

    call: AskedCall
    leaf: Leaf
    name: _Name


def find_swapped_digits(calls: Sequence[AskedCall], analysis: TraceAnalysis) -> Finding | None:
    """The first call with such a value."""
    by_form: dict[str, dict[str, _Use]] = {}
    for call in calls:
        for leaf in call.leaves:
            if isinstance(leaf.value, str) and len(leaf.value) > _LONGEST_ARGUMENT:
                continue
            for name in _read(leaf):
                use = _Use(call, leaf, name)
                by_form.setdefault(form_of_name(name.text), {}).setdefault(name.text, use)
    few = [uses for uses in by_form.values() if len(uses) <= _MOST_VALUES]
    wanted = {run for uses in few for text in uses for run in _swap_digits(text)}
    if not wanted:
        return None
    known: dict[tuple[str, str], list[_Name]] = {}
    for name in islice(_list_known(calls, wanted, analysis), _NAMES_KEPT):
        known.setdefault(_key_of(name.text), []).append(name)
    found = (_find_swapped(uses, known, analysis) for uses in few) if known else ()
    return next(filter(None, found), None)


def _find_swapped(
    uses: Mapping[str, _Use], known: Mapping[tuple[str, str], list[_Name]], analysis: TraceAnalysis
) -> Finding | None:
    """The only value of a form that stands nowhere before, where it is another one but for the
    order; several such are counted through, or made up."""
    pairs = []
    for use in uses.values():
        others = known.get(_key_of(use.name.text), ())
        old = {each.text for each in others if _is_swapped(each, use.name)}
        if len(old) == 1:
            pairs.append((use, old.pop()))
    for use, text in pairs:
        if not was_seen(text, use.call.node, analysis):
            continue
        unseen = [
            each for each in uses.values() if not was_seen(each.name.text, each.call.node, analysis)
        ]
        return _build_finding(use, text, analysis) if unseen == [use] else None
    return None


def _swap_digits(text: str) -> Iterator[str]:
    """The runs of digits that a text would have if two neighbours changed places."""
    for run in _DIGITS.findall(text):
        for at, (one, other) in enumerate(pairwise(run)):
            if one != other:
                yield run[:at] + other + one + run[at + 2 :]


def _list_known(
    calls: Sequence[AskedCall], wanted: Set[str], analysis: TraceAnalysis
) -> Iterator[_Name]:
    """What the trace, its first model and the results of its calls were about, as far as it has one
    of the wanted numbers."""
    bodies = [Body(analysis.trace.input), *(call.node.view.output for call in calls)]
    for body in bodies:
        for leaf in body.first_leaves(_LEAVES_READ):
            if type(leaf.value) in (int, str) and _has_any(str(leaf.value), wanted):
                yield from _read(leaf)
    first = next(iter(analysis.once(list_model_calls)), None)
    if first is not None and analysis.was_read(first):
        for message in first.view.request.messages[:_MESSAGES_READ]:
            if _has_any(message.text, wanted):
                yield from _read_text(message.text)


def _has_any(text: str, wanted: Set[str]) -> bool:
    return not wanted.isdisjoint(_DIGITS.findall(text[:_TEXT_READ]))


def _read(leaf: Leaf) -> Iterator[_Name]:
    """The names with digits in a value, each with its noun: that of the key, or in a text the word
    before it."""
    noun = noun_of_key(leaf)
    if noun in _MEASURES:
        return
    text = str(leaf.value).strip() if type(leaf.value) in (int, str) else ""
    if len(text) < _LEAST_DIGITS:
        return
    if text.isdecimal() or (len(text) <= _LONGEST and _WHOLE.fullmatch(text)):
        if _may_be_name(text, noun):
            yield _Name(text, noun)
    else:
        yield from _read_text(text)


def _read_text(text: str) -> Iterator[_Name]:
    for found in _NAME.finditer(text[:_TEXT_READ]):
        noun = (found["word"] or "").strip(" :#").casefold()
        if noun not in _MEASURES and _may_be_name(found[2], noun):
            yield _Name(found[2], noun)


def _may_be_name(text: str, noun: str) -> bool:
    digits = sum(map(str.isdigit, text))
    return (
        digits >= _LEAST_DIGITS
        and len(text) <= _LONGEST
        and len(set(filter(str.isdigit, text))) > 1
        and (digits >= _LEAST_DIGITS_ALONE or not text.isdigit() or bool(noun))
        and not _DATE_OR_FRACTION.fullmatch(text)
    )


def _key_of(text: str) -> tuple[str, str]:
    """What two names have in common whose digits are in another order."""
    return form_of_name(text), "".join(sorted(filter(str.isdigit, text)))


def _is_swapped(known: _Name, name: _Name) -> bool:
    """Whether two neighbouring digits changed places; short plain numbers need the same noun."""
    if len(name.text) < _LEAST_DIGITS_ALONE and name.text.isdigit() and known.noun != name.noun:
        return False
    a, b = known.text.casefold(), name.text.casefold()
    places = [at for at, (one, other) in enumerate(zip(a, b, strict=True)) if one != other]
    return len(places) == 2 and places[1] - places[0] == 1


def _build_finding(use: _Use, old: str, analysis: TraceAnalysis) -> Finding:
    key = innermost_key(use.leaf.path)
    label = f" for {one_line(key, limit=40)}" if key else ""
    what = (
        f"was given “{one_line(use.name.text, limit=40)}”{label}, which stands nowhere before, but"
        f" “{one_line(old, limit=40)}” does: two digits changed places"
    )
    return build_scope_finding(use.call.node, what, _CONFIDENCE, analysis)
