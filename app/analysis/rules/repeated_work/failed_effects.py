"""Calls that failed and had taken effect all the same: made again, they did it twice."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from app.analysis.error_origins import error_message
from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.leaves import Leaf, Path
from app.analysis.recorded.moments import read_moment
from app.analysis.rules.lookups import is_lookup
from app.analysis.rules.recovery import asking_call, say_asked
from app.analysis.rules.repeated_work.effect_names import IDEMPOTENCY_KEYS
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node, by_start

_LONGEST_ID = 40  # characters
_LATER_READ = 20  # steps after a call, in which one may list what there is
_RECORD_LEAVES = 200  # of such a list
_RECORDS_READ = 40
_CLOCKS_DIFFER = 5.0  # seconds between the clock of a service and that of the program
_SHORTEST_TELLING = 2  # characters of an id or an amount
_TIME_LENGTHS = (16, 35)  # characters, from minutes without a zone to microseconds with one
_MOST_APART = 20  # between the numbers of two things made within seconds: others make some too
_CONFIDENCE = 0.85  # the result names both things; that the first call made the other is concluded
_RANDOM = re.compile(
    r"(?:[^\W\d_]{1,12}[-_:.])?(?:(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{6,64}"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|[0-9A-HJKMNP-TV-Z]{26}",
    re.IGNORECASE,
)
"""A key that a program draws for each request: hexadecimal digits, a UUID, a ULID."""
_NUMBERED = re.compile(r"([^\W\d_]{1,12}[-_#/]?|#)(\d{3,12})\b")


class _Seen(NamedTuple):
    """What shows that something was done twice: `made` is what the second call made, and `where`
    the other one stands."""

    made: str
    where: str


def find_effects_of_failures(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Calls that failed, with the same call made again, whose result has a new id and speaks of
    another one of its kind with a number just beside it, or whose record a later list holds twice.
    """
    for before, after in _list_sent_again(analysis):
        if after.finished and not after.view.has_failed:
            seen = _find_numbered(after) or _find_listed(before, after, analysis)
            if seen is not None:
                yield _build_finding(before, after, seen, analysis)


def _list_sent_again(analysis: TraceAnalysis) -> Iterator[tuple[Node, Node]]:
    """Calls that failed, each with the next one by which the same was asked for."""
    steps = [node for node in analysis.once(list_read_steps) if not is_lookup(node.function_name)]
    failed = [node for node in steps if node.view.has_failed]
    names = {node.function_name for node in failed}
    by_name: dict[str, list[Node]] = {}
    for node in sorted((node for node in steps if node.function_name in names), key=by_start):
        by_name.setdefault(node.function_name, []).append(node)
    for before in failed:
        later = (node for node in by_name[before.function_name] if node.start >= before.end)
        alike = (node for node in islice(later, _LATER_READ) if _asks_the_same(before, node))
        after = next((node for node in alike if node is not before), None)
        if after is not None:
            yield before, after


def _asks_the_same(before: Node, after: Node) -> bool:
    """Whether two inputs are equal but for a key that was made for each request."""
    first, second = before.view.input, after.view.input
    if not first.is_comparable or first.equals(second):
        return first.is_comparable
    leaves = list(zip(first.first_leaves, second.first_leaves, strict=False))
    changed = [(a, b) for a, b in leaves if a != b]
    return (
        len(first.first_leaves) == len(second.first_leaves)
        and len(changed) < len(leaves)
        and all(a.path == b.path and _is_request_key(a) and _is_request_key(b) for a, b in changed)
    )


def _is_request_key(leaf: Leaf) -> bool:
    value = leaf.value
    if not isinstance(value, str):
        return False
    return leaf.key in IDEMPOTENCY_KEYS or _RANDOM.fullmatch(value) is not None


def _find_numbered(node: Node) -> _Seen | None:
    """An id that is a whole value, and one of its kind inside a longer text."""
    given = node.view.input.canonical
    texts = [text.strip() for text in node.view.output.first_texts]
    short = [text for text in texts if len(text) <= _LONGEST_ID]
    made = [found for text in short if (found := _NUMBERED.fullmatch(text))]
    made = [found for found in made if found[0].casefold() not in given]
    for text in texts if made else ():
        for other in _NUMBERED.finditer(text):
            for own in made:
                apart = abs(int(own[2]) - int(other[2]))
                if len(other[0]) < len(text) and own[1] == other[1] and 0 < apart <= _MOST_APART:
                    return _Seen(own[0], f"its result speaks of {one_line(other[0])} too")
    return None


def _find_listed(before: Node, after: Node, analysis: TraceAnalysis) -> _Seen | None:
    """Two records of a later list that hold a value that a call was given, and are equal, or equal
    but for their ids, one of them that of the call; of times that are as near as the calls."""
    given = set(map(str, after.view.input.first_values))
    made = set(map(str, after.view.output.first_values)) - given
    made = {each for each in made if _is_id(each)}
    apart = (after.end - before.start) / 1_000_000 + _CLOCKS_DIFFER
    later = (each for each in analysis.once(list_read_steps) if each.start >= after.end)
    for step in islice(later, _LATER_READ):
        records = _list_records(step)
        name = step.function_title
        for own in records:
            key = next((key for key, value in own.items() if value in made), "")
            shared = given.intersection(value for inner, value in own.items() if inner != key)
            if not any(key or _is_telling(each) for each in shared):
                continue
            others = (each for each in records if each is not own and each.keys() == own.keys())
            alike = [each for each in others if _are_alike(own, each, key, apart)]
            if key and alike:
                other = one_line(alike[0][key])
                return _Seen(own[key], f"{name} lists {other} too, equal but for its id")
            if not key and len(alike) == 1:
                return _Seen(min(made, default=""), f"{name} lists it twice")
    return None


def _are_alike(own: dict[str, str], other: dict[str, str], key: str, apart: float) -> bool:
    """Whether two records are equal but for the id under `key` and times so many seconds apart."""
    if key and own[key] == other[key]:
        return False
    changed = [name for name in own if name != key and own[name] != other[name]]
    times = [(_read_time(own[name]), _read_time(other[name])) for name in changed]
    return all(a is not None and b is not None and abs(a - b) <= apart for a, b in times)


def _is_telling(value: str) -> bool:
    """Whether a value is an id or an amount, unlike `3` and `true`."""
    return len(value) >= _SHORTEST_TELLING and any(map(str.isdigit, value))


def _read_time(value: str) -> float | None:
    """Seconds since 1970 of a date with a time, None for any other text."""
    if not _TIME_LENGTHS[0] <= len(value) <= _TIME_LENGTHS[1]:
        return None
    moment = read_moment(value)
    return moment.timestamp() if moment else None


def _is_id(value: str) -> bool:
    has_digit = any(map(str.isdigit, value)) and len(value) <= _LONGEST_ID
    return has_digit and _read_time(value) is None


def _list_records(step: Node) -> list[dict[str, str]]:
    """The plain values of each object in a list, by key."""
    found: dict[Path, dict[str, str]] = {}
    for path, key, value in step.view.output.list_leaves(_RECORD_LEAVES):
        if len(path) > 1 and isinstance(path[-2], int) and isinstance(path[-1], str):
            found.setdefault(path[:-1], {})[key] = str(value)
    return list(found.values())[:_RECORDS_READ]


def _build_finding(before: Node, after: Node, seen: _Seen, analysis: TraceAnalysis) -> Finding:
    error = error_message(before.error) if before.error is not None else before.view.failure
    is_same = before.view.input.equals(after.view.input)
    but = "" if is_same else " but for a new key"
    asked = asking_call(after, analysis)
    made = f", and made {one_line(seen.made)}" if seen.made else ""
    sentence = (
        f"{after.function_title} was called again with the same input{but} after"
        f" it had failed (“{one_line(error, limit=80)}”){made}; {seen.where}, so the failed call"
        f" seems to have taken effect{say_asked(asked)}."
    )
    named: Sequence[Node] = [after, before, *([asked] if asked is not None else [])]
    return build_finding(Category.REPEATED_EFFECT, _CONFIDENCE, sentence, named)
