"""Calls for something else than what the question names: another number, period, or currency.

Only what no call was given counts: a program that asks for the month before as well, or converts
an amount, has asked for what it should.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.leaves import Leaf, innermost_key
from app.analysis.recorded.scope_words import ScopeWord, find_scope_words, read_scope_value
from app.analysis.recorded.spellings import plain_key, word_set
from app.analysis.rules.lookups import is_tool_call
from app.analysis.rules.named_values import form_of_name, names_subject
from app.analysis.rules.recovery import asking_call
from app.analysis.text.named_periods import (
    Period,
    find_argument_period,
    find_bare_months,
    find_periods,
)
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node
from app.analysis.user_question import find_question

# Confidences: a number that the question has in another order is an error of writing, a period or
# currency may be a default of the program.
_OTHER_NUMBER = 0.8
_OTHER_VALUE = 0.7
_NOTHING = 0.65  # a tool may know what it is about from its session
_QUESTION_READ = 1_000  # characters
_FEWEST_WORDS = 3  # of a question, unlike a record that a program was given
_MOST_CALLS = 60  # with more a program works through a list
_LEAVES_READ = 60  # of the arguments of a call
_TEXT_READ = 20_000  # characters of an earlier text in which a value is looked for
_EARLIER_READ = 400  # spans before a call whose texts are searched
_LEAST_DIGITS = 3  # of a number that names something
_LEAST_DIGITS_OF_CODE = 2  # of one like `M-07`
_LEAST_PLAIN_DIGITS = 4  # where nothing but digits stands in it
_LONGEST_NAME = 40  # characters
_NAME = re.compile(r"(?<![\w./:-])(?=[\w-]*\d)\w+(?:-\w+)*(?![\w/:-]|\.\d)")
_KEY_WORDS = re.compile(r"[A-Z]?[a-zà-ÿ]+|[A-Z]+(?![a-z])")
_NO_NOUNS = word_set("id ids name number code key value type kind query limit text num nummer nome")
_NUMBER_WORD = r"(?:(?:no|nr|number|id|code|called|named|nummer|numéro|número)\b[.:]?\s?)?"
_SUBJECT = r"[\"'“„«]?((?=[\w-]*[\d-])\w+(?:-\w+)*|[A-Z])(?![\w-])"
_DATE_LIKE = re.compile(r"(?:19|20)\d\d(?:-?\d\d){0,2}|\d{1,2}(?:st|nd|rd|th)", re.IGNORECASE)
_ABOUT_NOW = re.compile(
    r"\b(?:today|now|current|currently|tomorrow|yesterday|tonight|latest|last|next|this|recent"
    r"|heute|jetzt|aktuell\w*|morgen|gestern|letzte\w*|nächste\w*|aujourd|demain|hier|actuel\w*"
    r"|hoy|ahora|mañana|ayer|hoje|agora|amanhã|ontem|oggi|domani|ieri|vandaag)\b|今天|现在|今日|오늘",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Call:
    """A call of a tool with its arguments."""

    node: Node
    leaves: Sequence[Leaf]
    text: str


def find_wrong_scope(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one for each kind: a name with digits, a period, a currency or the like that differs
    from the one that the question names."""
    question = find_question(Body(analysis.trace.input).opened, limit=_QUESTION_READ)
    if (len(question.split()) < _FEWEST_WORDS and question.isascii()) or question[:1] in "{[":
        return
    calls = _list_calls(analysis)
    if not calls:
        return
    given = f"{question} {Body(analysis.trace.input).canonical[:_TEXT_READ]}"
    for search in (_find_other_name, _find_other_subject, _find_other_period, _find_other_word):
        found = search(question, given, calls, analysis)
        if found is not None:
            yield found


def _list_calls(analysis: TraceAnalysis) -> list[_Call]:
    """The calls of tools and lookups; none where there are many or some were not read."""
    asked = _list_asked_tools(analysis)
    nodes = [
        node
        for node in analysis.tree.nodes
        if is_tool_call(node) or (node.function_name in asked and not node.view.is_model_call)
    ]
    if len(nodes) > _MOST_CALLS or not all(analysis.was_read(node) for node in nodes):
        return []
    return [
        _Call(
            node,
            tuple(node.view.input.first_leaves(_LEAVES_READ)),
            node.view.input.canonical[:_TEXT_READ],
        )
        for node in nodes
    ]


def _list_asked_tools(analysis: TraceAnalysis) -> set[str]:
    """The names of tools that models asked for: a span of such a name is a call, whatever its type
    says."""
    return {
        call.name
        for node in analysis.once(list_model_calls)
        for call in node.view.reply.calls
        if call.name
    }


def _find_other_name(
    question: str, given: str, calls: Sequence[_Call], analysis: TraceAnalysis
) -> Finding | None:
    """A name or number of the same form as one of the question that stands in no text before."""
    names = _NAME.findall(question)
    names += [
        str(leaf.value)
        for leaf in Body(analysis.trace.input).first_leaves(_LEAVES_READ)
        if names_subject(leaf.key) and _NAME.fullmatch(str(leaf.value)[:_TEXT_READ])
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
                    or _holds(given, name)
                    or any(_holds(each.text, old) for each in calls)
                    or _was_seen(name, call.node, analysis)
                ):
                    continue
                what = _describe_difference(leaf, name, old)
                return _build_finding(call.node, what, _OTHER_NUMBER, analysis)
    return None


def _names_in(leaf: Leaf) -> list[str]:
    if type(leaf.value) is int:
        return [str(leaf.value)]
    return _NAME.findall(leaf.value[:_TEXT_READ]) if isinstance(leaf.value, str) else []


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
    question: str, given: str, calls: Sequence[_Call], analysis: TraceAnalysis
) -> Finding | None:
    """An argument other than what stands beside its name in the question: `tenant acme-nordic`."""
    low = question.casefold()
    for call in calls:
        for leaf in call.leaves:
            label = _label_of(leaf)
            if not label or label not in low or isinstance(leaf.value, bool):
                continue
            old = _named_beside(label, question)
            new = "" if leaf.value is None else str(leaf.value)
            if (
                not old
                or not _is_other(new, old)
                or any(_uses(each, label, old) for each in calls)
                or (new and (_holds(given, new) or _was_seen(new, call.node, analysis)))
            ):
                continue
            what = _describe_difference(leaf, new, old)
            confidence = _OTHER_NUMBER if new else _NOTHING
            return _build_finding(call.node, what, confidence, analysis)
    return None


def _label_of(leaf: Leaf) -> str:
    """The noun in a key: `tenant` of `tenant_id` and `tenantName`; empty where there is none."""
    key = innermost_key(leaf.path)
    words = [word.lower() for word in _KEY_WORDS.findall(key[:_LONGEST_NAME])]
    nouns = [word for word in words if len(word) >= _LEAST_DIGITS and word not in _NO_NOUNS]
    return nouns[-1] if nouns else ""


def _named_beside(label: str, question: str) -> str:
    """What follows a noun in the question, if it looks like a name: it has digits or a hyphen, or
    is one capital letter."""
    found = re.search(
        rf"(?i:\b{re.escape(label)}\b[\s:#]{{0,3}}{_NUMBER_WORD}){_SUBJECT}", question
    )
    return found.group(1) if found and not _DATE_LIKE.fullmatch(found.group(1)) else ""


def _uses(call: _Call, label: str, name: str) -> bool:
    """Whether a call was given a name: in a text, or as a value; a short number under its own noun
    only, since limits and counts are the same numbers."""
    for leaf in call.leaves:
        if isinstance(leaf.value, str) and not leaf.value.isdigit():
            if _holds(leaf.value, name):
                return True
        elif str(leaf.value) == name and (len(name) >= _LEAST_DIGITS or _label_of(leaf) == label):
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


def _find_other_period(
    question: str, given: str, calls: Sequence[_Call], analysis: TraceAnalysis
) -> Finding | None:
    """The first call for a period, where no call is for one that the question names."""
    began = date.fromordinal(1)
    if analysis.trace.start_time is not None:
        began = analysis.trace.start_time.date()
    asked = find_periods(question) or find_bare_months(question, near=began)
    if not asked or _ABOUT_NOW.search(question):
        return None
    first: tuple[_Call, Period] | None = None
    for call in calls:
        period = find_argument_period(call.leaves)
        if period is None or period.start <= began.toordinal() < period.end:
            continue
        if any(period.overlaps(each) for each in asked):
            return None
        first = first or (call, period)
    if first is None:
        return None
    call, period = first
    dated = [
        leaf for leaf in call.leaves if isinstance(leaf.value, str) and find_periods(leaf.value)
    ]
    if any(_was_seen(str(leaf.value), call.node, analysis) for leaf in dated):
        return None
    what = (
        f"was called for a time that {_format_period(period)}, but the trace was asked about"
        f" {_format_asked(asked[0])}, which no call of a tool covers"
    )
    return _build_finding(call.node, what, _OTHER_VALUE, analysis)


def _format_period(period: Period) -> str:
    if period.start == date.min.toordinal():
        return f"ends on {date.fromordinal(period.end - 1)}"
    return f"begins on {date.fromordinal(period.start)}"


def _format_asked(period: Period) -> str:
    first, last = date.fromordinal(period.start), date.fromordinal(period.end - 1)
    return first.isoformat() if first == last else f"{first} to {last}"


def _find_other_word(
    question: str, given: str, calls: Sequence[_Call], analysis: TraceAnalysis
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
                if any(_asks_for(each, word) for each in calls) or _was_seen(
                    str(leaf.value), call.node, analysis
                ):
                    continue
                what = _describe_difference(leaf, str(leaf.value), word.value)
                return _build_finding(call.node, what, _OTHER_VALUE, analysis)
    return None


def _asks_for(call: _Call, word: ScopeWord) -> bool:
    return any(
        word in read_scope_value(leaf.key, leaf.value)
        or (isinstance(leaf.value, str) and word in find_scope_words(leaf.value[:_QUESTION_READ]))
        for leaf in call.leaves
    )


def _was_seen(value: str, node: Node, analysis: TraceAnalysis) -> bool:
    """Whether a value stands in a text that was known when a call was made: the trace's input, an
    earlier result, or the request of a model."""
    return any(_holds(text[:_TEXT_READ], value) for text in _read_before(node, analysis))


def _read_before(node: Node, analysis: TraceAnalysis) -> Iterator[str]:
    yield Body(analysis.trace.input).canonical
    for each in islice(analysis.tree.nodes, _EARLIER_READ):
        if not analysis.was_read(each) or each is node:
            continue
        if each.view.is_model_call and each.start <= node.start:
            yield from (message.text for message in each.view.request.messages)
        elif each.end <= node.start:
            yield each.view.output.canonical


def _holds(text: str, value: str) -> bool:
    plain = value.casefold()
    low = text.casefold()
    return plain in low and re.search(rf"(?<!\w){re.escape(plain)}(?!\w)", low) is not None


def _describe_difference(leaf: Leaf, new: str, old: str) -> str:
    key = innermost_key(leaf.path)
    label = f" for {one_line(key, limit=40)}" if plain_key(key) else ""
    value = f"“{one_line(new, limit=60)}”" if new else "nothing"
    return (
        f"was given {value}{label}, but the trace was asked about"
        f" “{one_line(old, limit=40)}”, which no call of a tool was given"
    )


def _build_finding(node: Node, what: str, confidence: float, analysis: TraceAnalysis) -> Finding:
    asked = asking_call(node, analysis)
    sentence = f"{one_line(node.function_name, limit=60)} {what}"
    if asked is not None:
        sentence += f"; {one_line(asked.name, limit=60)} asked for this call"
    nodes = [asked, node] if asked is not None else [node]
    return build_finding(Category.WRONG_SCOPE, confidence, f"{sentence}.", nodes)
