"""Errors that were caused by an earlier result: an empty, partial, failed or broken one."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice

from app.analysis.error_origins import ErrorOrigin, error_message, find_error_origins
from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.kind import SpanKind
from app.analysis.recorded.names import split_words
from app.analysis.recorded.spellings import plain_key
from app.analysis.rules.asked_words import AskedWords
from app.analysis.rules.error_wording import (
    ABOUT_EMPTINESS,
    ABOUT_NULL,
    ARGUMENT_ERROR,
    DATA_ERROR,
    FORMAT_ERROR,
    NOTHING_TO_PARSE,
    OUTSIDE_ERROR,
)
from app.analysis.rules.failures.empty_origin import find_empty_origin
from app.analysis.rules.failures.error_outcome import judge_outcome
from app.analysis.rules.failures.failed_code import find_writer
from app.analysis.rules.failures.input_givers import find_giver, find_namer, list_calls_inside
from app.analysis.rules.failures.suspects import (
    FAULT_PHRASES,
    FAULTS_OF_MISSING_DATA,
    Fault,
    Suspect,
    is_empty_table,
    is_null,
)
from app.analysis.rules.lookups import is_lookup
from app.analysis.rules.recovery import asking_call
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_MESSAGE_READ = 2_000  # characters of an error message
_QUOTED = re.compile(r"""['"`‘“]([^'"`’”]{1,80})['"`’”]""")
_SHORTEST_WORD = 4  # letters of a word of a name: shorter ones are words such as `get`
_SHORTEST_NAME = 3  # characters: shorter values occur in several places by chance

_MOST_ERRORS = 25  # distinct causes are few; a loop may raise thousands of equal errors
_MOST_SPANS_SEARCHED = 2_000  # bounds the search before one error; the nearest results come first
_HIGHEST_LEVEL = 40  # ancestors whose earlier siblings are searched: programs nest less deeply

# What speaks for a result, added to the strength of its fault (0 to 1). An empty value that the
# failed span was given under the same key, or a name in the error that the result was asked for,
# connects the two; a kind of empty value that raises such an error only fits.
_SAME_KEY = 0.35
_ASKED_FOR_NAME = 0.5
_HANDED_ON = 0.3  # more than what the nearest call or one for what was asked has before others
_SHORTEST_HANDED_ON = 12  # characters of a result: `{"hits":[]}` stands in an input by chance
_JUST_BEFORE = 0.1
_ASKED_FOR = 0.1  # a call for what the trace was asked, unlike what a program loads each time
_FITTING_KIND = 0.15
_UNFITTING_KIND = -0.1
_LOST_BY_LEVEL = 0.1  # a result of the same parent is likelier than one of an ancestor
_MISSING_KEY_STRENGTH = 0.35  # a key that is empty in a result and in the input that failed
_NULL_LOOKUP_STRENGTH = 0.35  # a null may not have been recorded
_LACKED_NAME_STRENGTH = 0.5
_EMPTY_HANDED_ON_STRENGTH = 0.55  # the keys differ, but both are empty
_LACKED_SUBJECT_STRENGTH = 0.75  # a result without what the name of its call promises
_EMPTY_TABLE = 0.25  # an empty object and a missing key: it lacks every key
_LITTLE = 2  # values of its own, such as a source and a time, in a result that found nothing
_SIBLINGS_READ = 50  # spans in which any output shows that outputs were recorded
_LEAST_SCORE = 0.45  # below an empty search at the same level (0.6), above a null alone (0.35)

# Confidences. Without a connection the fault itself has to be sure; an error that did not end the
# trace ranks below those that did.
_CONNECTED = 0.75
_BY_SCORE = 0.2
_LOST_UNLESS_FATAL = 0.25
_NAMED_BY_MODEL = 0.8
# What explains an error that the program survived weighs no more than the error.
_CATEGORIES = {True: Category.CAUSE_OF_ERROR, False: Category.ERROR_SURVIVED}


@dataclass(frozen=True, slots=True)
class _Error:
    """An error to be explained: its message, the names it quotes, and the empty keys of the input
    of the span that raised it."""

    item: ErrorOrigin
    message: str
    names: frozenset[str]
    empty_keys: frozenset[str]

    @property
    def node(self) -> Node:
        return self.item.origin


def find_error_causes(
    analysis: TraceAnalysis, suspects: Mapping[str, Suspect]
) -> Iterator[Finding]:
    """For each error the earlier result or model call that explains it, if there is one."""
    reported: set[tuple[str, str]] = set()
    for item in islice(analysis.once(find_error_origins), _MOST_ERRORS):
        error = _read_error(item, analysis)
        if OUTSIDE_ERROR.search(error.message):
            continue
        found = _explain_error(error, suspects, analysis)
        if found is not None and (found.spans[0], item.origin.name) not in reported:
            reported.add((found.spans[0], item.origin.name))
            yield found


def _read_error(item: ErrorOrigin, analysis: TraceAnalysis) -> _Error:
    message = error_message(item.error)[:_MESSAGE_READ]
    names = frozenset(name for name in _QUOTED.findall(message) if name.strip())
    read = analysis.was_read(item.origin)
    empty = item.origin.view.input.empty_keys if read else frozenset()
    return _Error(item, message, names, empty)


def _explain_error(
    error: _Error, suspects: Mapping[str, Suspect], analysis: TraceAnalysis
) -> Finding | None:
    suspect = _find_cause(error, suspects, analysis)
    if suspect is not None:
        return _build_cause_finding(*suspect, error, analysis)
    namer = find_namer(error.item, error.message, error.names, analysis)
    if namer is not None:
        return _build_model_finding(
            namer[0], f"named {one_line(namer[1], limit=60)}", error, analysis
        )
    writer = find_writer(error.node, analysis)
    if writer is not None:
        return _build_model_finding(writer, "wrote what was run", error, analysis)
    if ARGUMENT_ERROR.search(error.message):
        asking = asking_call(error.node, analysis)
        if asking is not None:
            return _build_model_finding(asking, "wrote the arguments", error, analysis)
    if ARGUMENT_ERROR.search(error.message) or FORMAT_ERROR.search(error.message):
        giver = find_giver(error.node, analysis)
        if giver is not None:
            return _build_model_finding(giver, "returned what was handed on", error, analysis)
    return None


def _find_cause(
    error: _Error, suspects: Mapping[str, Suspect], analysis: TraceAnalysis
) -> tuple[float, Suspect] | None:
    """The earlier result whose fault explains the error best, the nearest and earliest of equals.

    Where the input of the failed span has empty values, results with an empty value under the same
    key count too.
    """
    fits = _fitting_faults(error, analysis)
    if not fits:
        return None
    best: tuple[float, int, Suspect] | None = None
    latest = next(iter(analysis.tree.finished_before(error.node, 1)), None)
    asked = analysis.once(AskedWords)
    looked_up = _misses_key(error) and _quotes_own_input(error)
    inside = ((0, call) for call in list_calls_inside(error.node, analysis))
    for count, (level, node) in enumerate(chain(inside, analysis.tree.earlier(error.node))):
        if count > _MOST_SPANS_SEARCHED or level > _HIGHEST_LEVEL:
            break
        suspect = suspects.get(node.id) or _judge_missing_data(node, error, analysis)
        if suspect is None or suspect.fault not in fits:
            continue
        if looked_up and suspect.fault in FAULTS_OF_MISSING_DATA and not is_empty_table(node):
            continue  # of what was looked up only an empty table lacks everything
        score = suspect.strength + _connection(suspect, error, analysis) - _LOST_BY_LEVEL * level
        score += _JUST_BEFORE if node is latest else 0.0
        score += _ASKED_FOR if asked.is_asked_for(node) else 0.0
        if best is None or (score, -node.end) > best[:2]:
            best = (score, -node.end, suspect)
    return (best[0], best[2]) if best and best[0] >= _LEAST_SCORE else None


def _fitting_faults(error: _Error, analysis: TraceAnalysis) -> frozenset[Fault]:
    fits: frozenset[Fault] = frozenset()
    if DATA_ERROR.search(error.message) or NOTHING_TO_PARSE.search(error.message):
        fits |= frozenset(Fault)
    if FORMAT_ERROR.search(error.message):
        fits |= frozenset(Fault) - FAULTS_OF_MISSING_DATA
    if analysis.was_read(error.node) and _quotes_own_input(error) and not _misses_key(error):
        fits -= FAULTS_OF_MISSING_DATA
    return fits


def _misses_key(error: _Error) -> bool:
    return "KeyError" in error.message


def _quotes_own_input(error: _Error) -> bool:
    """Whether the error quotes a value of the span's own input, so that nothing was missing. The
    values of lists do not count: they may name what was needed; nor does a key that was looked up
    in something empty.
    """
    leaves = error.node.view.input.leaves
    if _misses_key(error) and any(leaf.value in ({}, []) for leaf in leaves):
        return False
    return bool(error.names) and any(
        str(leaf.value) in error.names and not isinstance(leaf.path[-1:] and leaf.path[-1], int)
        for leaf in leaves
    )


def _connection(suspect: Suspect, error: _Error, analysis: TraceAnalysis) -> float:
    """How much connects a result with an error."""
    node, low = suspect.node, error.message.lower()
    if suspect.fault not in FAULTS_OF_MISSING_DATA or not analysis.was_read(node):
        return 0.0
    text = node.view.output.result.canonical
    is_inside = len(text) >= _SHORTEST_HANDED_ON and text in error.node.view.input.canonical
    score = _HANDED_ON if is_inside else 0.0
    own = _keys_of_empties(node) - node.view.input.empty_keys
    if node.view.returned_nothing:
        own |= _long_words(node.function_name)
    if own & error.empty_keys or any(len(k) > _SHORTEST_NAME and k in low for k in own):
        score += _SAME_KEY
    if error.names and any(
        isinstance(leaf.value, str) and leaf.value in error.names for leaf in node.view.input.leaves
    ):
        score += _ASKED_FOR_NAME
    if _misses_key(error) and is_empty_table(node):
        score += _EMPTY_TABLE
    return score + _fit_of_kind(node, error.message)


def _long_words(name: str) -> frozenset[str]:
    return frozenset(word for word in split_words(name) if len(word) >= _SHORTEST_WORD)


def _keys_of_empties(node: Node) -> frozenset[str]:
    """The keys under which a result has an empty value, and those around them."""
    output = node.view.output
    if not output.may_have_empty:
        return frozenset()
    return frozenset(
        plain_key(part)
        for leaf in output.leaves
        if leaf.value in (None, "", [], {})
        for part in leaf.path
        if isinstance(part, str)
    )


def _fit_of_kind(node: Node, message: str) -> float:
    """Whether the empty values in an output are of a kind that raises such an error: a missing key
    comes from an empty object, a place out of range from an empty list."""
    kinds = {
        type(leaf.value) for leaf in node.view.output.leaves if leaf.value in (None, "", [], {})
    }
    expected: tuple[type, ...] = ()
    if "KeyError" in message:
        expected = (dict,)
    elif "IndexError" in message or "out of range" in message:
        expected = (list,)
    elif ABOUT_EMPTINESS.search(message):
        expected = (dict, list)
    elif ABOUT_NULL.search(message):
        # JavaScript reads a name of an empty object or of no item of a list as "undefined".
        expected = (type(None), dict, list) if "undefined" in message else (type(None),)
    if not expected or not kinds:
        return 0.0
    return _FITTING_KIND if kinds & set(expected) else _UNFITTING_KIND


def _judge_missing_data(node: Node, error: _Error, analysis: TraceAnalysis) -> Suspect | None:
    """A result that looks sound alone, but lacks what the error misses."""
    if node.error is not None or not node.finished or not analysis.was_read(node):
        return None
    if node.view.is_model_call or node.view.kind is SpanKind.GUARDRAIL:
        return None
    own = node.view.output.empty_keys - node.view.input.empty_keys
    names = ", ".join(one_line(key, limit=40) for key in sorted(own & error.empty_keys)[:3])
    if names:
        return Suspect(node, Fault.PARTIAL, _MISSING_KEY_STRENGTH, f"its {names} is empty")
    lacked = _find_lacked_subject(node, error)
    if lacked:
        reason = f"it has no {one_line(lacked, limit=60)}"
        return Suspect(node, Fault.PARTIAL, _LACKED_SUBJECT_STRENGTH, reason)
    if _hands_on_nothing(node, error):
        reason = "it holds an empty list or object"
        return Suspect(node, Fault.PARTIAL, _EMPTY_HANDED_ON_STRENGTH, reason)
    named = _long_words(node.function_name) & error.empty_keys
    if named and is_null(node) and node.view.calls_outside:
        empty = one_line(min(named), limit=40)
        reason = f"{error.node.title} was then called with an empty {empty}"
        return Suspect(node, Fault.EMPTY, _NULL_LOOKUP_STRENGTH, reason)
    if not is_lookup(node.function_name):
        return None
    if is_null(node) and ABOUT_NULL.search(error.message):
        siblings = analysis.tree.siblings(node)
        if any(each.view.output.state is BodyState.PRESENT for each in siblings[:_SIBLINGS_READ]):
            return Suspect(node, Fault.EMPTY, _NULL_LOOKUP_STRENGTH, "a lookup without a result")
    missing = _find_missing_name(node, error)
    if missing:
        reason = f"it has no {one_line(missing, limit=60)}"
        return Suspect(node, Fault.PARTIAL, _LACKED_NAME_STRENGTH, reason)
    return None


def _hands_on_nothing(node: Node, error: _Error) -> bool:
    """Whether a call of something outside returned an empty list or object, and the span that
    failed was given one."""
    bodies = (error.node.view.input, node.view.output)
    if not node.view.calls_outside or not all(body.may_have_empty for body in bodies):
        return False
    return all(any(leaf.value in ([], {}) for leaf in body.leaves) for body in bodies)


def _find_lacked_subject(node: Node, error: _Error) -> str:
    """The key that the error names, if a call is named after it (`fx_rates`) and returned an object
    without it."""
    if len(error.names) != 1 or not node.view.calls_outside:
        return ""
    if not _misses_key(error) and "undefined" not in error.message:
        return ""
    (name,) = error.names
    value = node.view.output.result.opened
    if (
        name.lower() not in _long_words(node.function_name)
        or not isinstance(value, dict)
        or not value
    ):
        return ""
    held = {str(part) for leaf in node.view.output.result.leaves for part in leaf.path}
    return "" if name in held else name


def _find_missing_name(node: Node, error: _Error) -> str:
    """The key that the error names, if a lookup returned an object of which it could be a key.

    A name in the failed input was not looked for in a result, but given. Only results that hold
    little more than what they were asked with count: others answered something else.
    """
    if not _misses_key(error) and "undefined" not in error.message:
        return ""
    value = node.view.output.opened
    if not isinstance(value, dict) or len(error.names) != 1:
        return ""
    (name,) = error.names
    given = {str(leaf.value) for leaf in error.node.view.input.leaves}
    held = {str(part) for leaf in node.view.output.leaves for part in leaf.path}
    if name in held or name in given:
        return ""
    asked = {str(leaf.value) for leaf in node.view.input.leaves}
    own = [leaf for leaf in node.view.output.leaves if str(leaf.value) not in asked]
    return name if len(own) <= _LITTLE and len(own) < len(node.view.output.leaves) else ""


def _build_cause_finding(
    score: float, cause: Suspect, error: _Error, analysis: TraceAnalysis
) -> Finding:
    item = error.item
    sentence = (
        f"{cause.node.title} {FAULT_PHRASES[cause.fault]} ({cause.reason}), and later"
        f" {item.origin.title} failed with {one_line(error.message, limit=160)}."
    )
    # A faulty result and a fitting error support each other, the more the better they fit.
    confidence = _CONNECTED + _BY_SCORE * min(1.0, score)
    standing = judge_outcome(item, analysis).standing
    if not item.fatal:
        confidence -= _LOST_UNLESS_FATAL
    waited = (item.origin.start - cause.node.end) / 1_000
    limit = [cause.limited_by] if cause.limited_by else []
    nodes = [cause.node, *limit, *item.path]
    if cause.fault in FAULTS_OF_MISSING_DATA:
        origin = find_empty_origin(cause.node, analysis)
        if origin is not cause.node:
            nodes = [origin, *nodes]
            what = "failed" if origin.error else "found nothing"
            sentence = f"{origin.title} {what}; {sentence}"
    numbers = {"ms_between": waited}
    return build_finding(
        _CATEGORIES[item.fatal], confidence, sentence, nodes, numbers, standing=standing
    )


def _build_model_finding(call: Node, what: str, error: _Error, analysis: TraceAnalysis) -> Finding:
    sentence = (
        f"{call.title} {what}, and {error.node.title} failed with"
        f" {one_line(error.message, limit=160)}."
    )
    confidence = _NAMED_BY_MODEL - (0.0 if error.item.fatal else _LOST_UNLESS_FATAL)
    nodes = [call, *error.item.path]
    standing = judge_outcome(error.item, analysis).standing
    return build_finding(
        _CATEGORIES[error.item.fatal], confidence, sentence, nodes, standing=standing
    )
