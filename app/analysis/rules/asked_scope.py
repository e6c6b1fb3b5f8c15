"""Calls for something else than what the question names: another number, period, or currency.

Only what no call was given counts: a program that asks for the month before as well, or converts
an amount, has asked for what it should.
"""

import re
from collections.abc import Iterator, Sequence

from app.analysis.finding import Finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.leaves import Leaf, innermost_key
from app.analysis.recorded.scope_words import ScopeWord, find_scope_words, read_scope_value
from app.analysis.recorded.spellings import plain_key
from app.analysis.rules.asked_calls import (
    TEXT_READ,
    AskedCall,
    build_scope_finding,
    holds_value,
    list_asked_calls,
    noun_of_key,
    was_seen,
)
from app.analysis.rules.local_times import find_local_time
from app.analysis.rules.named_values import form_of_name, names_subject
from app.analysis.rules.other_periods import find_other_period
from app.analysis.rules.swapped_digits import find_swapped_digits
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.user_question import find_question

# Confidences: a number that the question has in another order is an error of writing, a period or
# currency may be a default of the program.
_OTHER_NUMBER = 0.8
_OTHER_VALUE = 0.7
_NOTHING = 0.65  # a tool may know what it is about from its session
_QUESTION_READ = 1_000  # characters
_FEWEST_WORDS = 3  # of a question, unlike a record that a program was given
_LEAVES_READ = 60  # of the arguments of a call
_LEAST_DIGITS = 3  # of a number that names something
_LEAST_DIGITS_OF_CODE = 2  # of one like `M-07`
_LEAST_PLAIN_DIGITS = 4  # where nothing but digits stands in it
_LONGEST_NAME = 40  # characters
_NAME = re.compile(r"(?<![\w./:-])(?=[\w-]*\d)\w+(?:-\w+)*(?![\w/:-]|\.\d)")
_NUMBER_WORD = r"(?:(?:no|nr|number|id|code|called|named|nummer|numéro|número)\b[.:]?\s?)?"
_SUBJECT = r"[\"'“„«]?((?=[\w-]*[\d-])\w+(?:-\w+)*|[A-Z])(?![\w-])"
_DATE_LIKE = re.compile(r"(?:19|20)\d\d(?:-?\d\d){0,2}|\d{1,2}(?:st|nd|rd|th)", re.IGNORECASE)


def find_wrong_scope(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one for each kind: a name with digits, a period, a currency or the like that differs
    from the one that the question names."""
    calls = list_asked_calls(analysis)
    if not calls:
        return
    question = find_question(Body(analysis.trace.input).opened, limit=_QUESTION_READ)
    few_words = len(question.split()) < _FEWEST_WORDS and question.isascii()
    if few_words or question[:1] in "{[":
        question = ""
    given = f"{question} {Body(analysis.trace.input).canonical[:TEXT_READ]}"
    other = question and _find_other_name(question, given, calls, analysis)
    found = [other or find_swapped_digits(calls, analysis)]
    if question:
        found += [
            _find_other_subject(question, given, calls, analysis),
            _find_other_word(question, given, calls, analysis),
            find_other_period(question, calls, analysis),
            find_local_time(question, calls, analysis),
        ]
    yield from filter(None, found)


def _find_other_name(
    question: str, given: str, calls: Sequence[AskedCall], analysis: TraceAnalysis
) -> Finding | None:
    """A name or number of the same form as one of the question that stands in no text before."""
    names = _NAME.findall(question)
    names += [
        str(leaf.value)
        for leaf in Body(analysis.trace.input).first_leaves(_LEAVES_READ)
        if names_subject(leaf.key) and _NAME.fullmatch(str(leaf.value)[:TEXT_READ])
    ]
    asked = {form_of_name(name): name for name in dict.fromkeys(names) if _names_something(name)}
    lengths = set(map(len, asked))
    for call in calls if asked else ():
        for leaf in call.leaves:
            for name in _names_in(leaf):
                if len(name.casefold()) not in lengths:
                    continue
                old = asked.get(form_of_name(name))
                if (
                    old is None
                    or not _is_mistaken(name, old)
                    or holds_value(given, name)
                    or any(holds_value(each.text, old) for each in calls)
                    or was_seen(name, call.node, analysis)
                ):
                    continue
                what = _describe_difference(leaf, name, old)
                return build_scope_finding(call.node, what, _OTHER_NUMBER, analysis)
    return None


def _names_in(leaf: Leaf) -> list[str]:
    if type(leaf.value) is int:
        return [str(leaf.value)]
    return _NAME.findall(leaf.value[:TEXT_READ]) if isinstance(leaf.value, str) else []


def _names_something(name: str) -> bool:
    """Whether it is no date, count or quantity."""
    digits = sum(map(str.isdigit, name))
    least = _LEAST_PLAIN_DIGITS if digits == len(name) else _LEAST_DIGITS
    if name[:1].isalpha() and "-" in name:
        least = _LEAST_DIGITS_OF_CODE
    return digits >= least and len(name) <= _LONGEST_NAME and not _DATE_LIKE.fullmatch(name)


def _is_mistaken(name: str, old: str) -> bool:
    """Whether one may stand for the other: with letters the form is enough, plain numbers have the
    same digits in another order, or all but one in the same place."""
    if name.casefold() == old.casefold():
        return False
    if not name.isdigit():
        return True
    same = sum(a == b for a, b in zip(name, old, strict=True))
    return sorted(name) == sorted(old) or same == len(old) - 1


def _find_other_subject(
    question: str, given: str, calls: Sequence[AskedCall], analysis: TraceAnalysis
) -> Finding | None:
    """An argument other than what stands beside its name in the question: `tenant acme-nordic`."""
    low = question.casefold()
    for call in calls:
        for leaf in call.leaves:
            label = noun_of_key(leaf)
            if not label or label not in low or isinstance(leaf.value, bool):
                continue
            old = _named_beside(label, question)
            new = "" if leaf.value is None else str(leaf.value)
            if (
                not old
                or not _is_other(new, old)
                or any(_uses(each, label, old) for each in calls)
                or (new and (holds_value(given, new) or was_seen(new, call.node, analysis)))
            ):
                continue
            what = _describe_difference(leaf, new, old)
            confidence = _OTHER_NUMBER if new else _NOTHING
            return build_scope_finding(call.node, what, confidence, analysis)
    return None


def _named_beside(label: str, question: str) -> str:
    """What follows a noun in the question, if it looks like a name: it has digits or a hyphen, or
    is one capital letter."""
    found = re.search(
        rf"(?i:\b{re.escape(label)}\b[\s:#]{{0,3}}{_NUMBER_WORD}){_SUBJECT}", question
    )
    return found.group(1) if found and not _DATE_LIKE.fullmatch(found.group(1)) else ""


def _uses(call: AskedCall, label: str, name: str) -> bool:
    """Whether a call was given a name: in a text, or as a value; a short number under its own noun
    only, since limits and counts are the same numbers."""
    for leaf in call.leaves:
        if isinstance(leaf.value, str) and not leaf.value.isdigit():
            if holds_value(leaf.value, name):
                return True
        elif str(leaf.value) == name and (len(name) >= _LEAST_DIGITS or noun_of_key(leaf) == label):
            return True
    return False


def _is_other(new: str, old: str) -> bool:
    """Whether a value cannot stand for the named one: nothing, or another one of the same kind."""
    a, b = new.casefold().strip(), old.casefold()
    if not a:
        return True
    if a in b or b in a or len(a) > _LONGEST_NAME:
        return False
    return a.isdigit() == b.isdigit() and (a.isalpha() == b.isalpha()) and " " not in a


def _find_other_word(
    question: str, given: str, calls: Sequence[AskedCall], analysis: TraceAnalysis
) -> Finding | None:
    """A currency, country, environment or the like other than the only one of the question."""
    asked: dict[str, set[str]] = {}
    for table, value in find_scope_words(question):
        asked.setdefault(table, set()).add(value)
    only = {table: next(iter(values)) for table, values in asked.items() if len(values) == 1}
    if not only:
        return None
    for call in calls:
        for leaf in call.leaves:
            for table, value in read_scope_value(leaf.key, leaf.value):
                if only.get(table, value) == value:
                    continue
                word = ScopeWord(table, only[table])
                if any(_asks_for(each, word) for each in calls) or was_seen(
                    str(leaf.value), call.node, analysis
                ):
                    continue
                what = _describe_difference(leaf, str(leaf.value), word.value)
                return build_scope_finding(call.node, what, _OTHER_VALUE, analysis)
    return None


def _asks_for(call: AskedCall, word: ScopeWord) -> bool:
    return any(
        word in read_scope_value(leaf.key, leaf.value)
        or (isinstance(leaf.value, str) and word in find_scope_words(leaf.value[:_QUESTION_READ]))
        for leaf in call.leaves
    )


def _describe_difference(leaf: Leaf, new: str, old: str) -> str:
    key = innermost_key(leaf.path)
    label = f" for {one_line(key, limit=40)}" if plain_key(key) else ""
    value = f"“{one_line(new, limit=60)}”" if new else "nothing"
    return (
        f"was given {value}{label}, but the trace was asked about"
        f" “{one_line(old, limit=40)}”, which no call of a tool was given"
    )
