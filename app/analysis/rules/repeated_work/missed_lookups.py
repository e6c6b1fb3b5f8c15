"""Lookups in a cache that never find anything, while the same work is done again and again."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.grouping import group_by
from app.analysis.recorded.moments import read_moment
from app.analysis.recorded.names import has_word, name_stem, split_words
from app.analysis.recorded.spellings import key_set, plain_key, word_set
from app.analysis.text.one_line import format_count, format_duration, format_percent, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node, to_microseconds

_LEAST_LOOKUPS = 4  # fewer misses are those of a cache that fills
_LEAST_REPEATED = 2  # pieces of work done again that a lookup should have spared
_LEAST_SHARE = 0.05  # share of the trace that the repeated work takes, to matter
_SLOWER = 3  # times the lookup: what takes longer is the work that it should have spared
_SIBLINGS_AFTER = 4  # spans after a lookup among which that work is looked for
_CONFIDENCE = 0.85  # the misses and the work were recorded; that it was meant is hardly possible
_MEMBERS_READ = 60  # members of a record in which a flag is looked for
_MEMBERS_OF_MISS = 6  # of a record that only says no: one with more of them holds a result
_CACHE = word_set("cache caches cached memo memoize memoise redis memcache memcached")
_CHANGES_CACHE = word_set(
    "set put write store save delete evict invalidate clear warm update refresh add insert flush"
)
_LOOKS_UP = word_set("get lookup look up find fetch read recall search query check load match")
_FLAGS = key_set("cache_hit hit from_cache is_cached was_cached cached hit_cache found")
_STATES = key_set("cache_status cache cache_result cache_state status result x-cache")
_STATING_KEYS = _FLAGS | _STATES
_EPOCH = re.compile(r"(?<!\d)1\d{9,18}(?!\d)")
_EPOCH_SECONDS = 10  # digits of a time in seconds since 1970; further ones are fractions
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?", re.IGNORECASE
)
_KEYS_DIFFER = "; the keys for the same input differ"
_EPOCH_OR_ID = re.compile(r"\d{4}|[\da-fA-F]{8}")  # digits of a time, of a random id
_BEFORE_LOOKUP = 8  # spans before a lookup among which the step that made its key is looked for
_OWN_TIME = 2_000_000  # microseconds (2 s) between making a key and looking it up
_LONGEST_KEY = 400  # characters: a longer text is what was asked, not a key


class _Lookup(NamedTuple):
    """A lookup that found nothing, with the work that followed it."""

    node: Node
    work: Node


def find_missed_lookups(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Lookups of one name that all missed, where the work after them has equal inputs or each key
    holds the time of its own lookup."""
    return (finding for finding, _ in analysis.once(list_missed_lookups))


def list_missed_lookups(analysis: TraceAnalysis) -> list[tuple[Finding, list[Node]]]:
    """Those findings, with all lookups and the work after them; for `once`."""
    found: list[tuple[Finding, list[Node]]] = []
    named: dict[str, list[Node]] = {}
    paired = _names_of_pairs(analysis)
    for node in analysis.tree.nodes:
        if analysis.was_read(node) and (node.function_name in paired or _is_lookup(node)):
            named.setdefault(name_stem(node.name), []).append(node)
    for nodes in named.values():
        if len(nodes) < _LEAST_LOOKUPS or not all(_missed(node) for node in nodes):
            continue
        lookups = [_Lookup(node, work) for node in nodes if (work := _spared_work(node, analysis))]
        finding = _judge_repeated(nodes, lookups, analysis) or _judge_keys(nodes, lookups, analysis)
        if finding is not None:
            found.append((finding, [*nodes, *(each.work for each in lookups)]))
    return found


def _names_of_pairs(analysis: TraceAnalysis) -> set[str]:
    """Names of functions that look up what another one of the trace stores: `memory_lookup` beside
    `memory_store`."""
    names = {node.function_name for node in analysis.tree.nodes if node.view.calls_tool}
    stored = {_subject_of(name, _CHANGES_CACHE) for name in names}
    return {name for name in names if (_subject_of(name, _LOOKS_UP) or None) in stored}


def _subject_of(name: str, verbs: frozenset[str]) -> frozenset[str]:
    """The words of a name but for its verb; empty where it has none of these, or nothing else."""
    words = frozenset(split_words(name))
    return words - verbs if words & verbs else frozenset()


def _is_lookup(node: Node) -> bool:
    """A span named after reading a cache, or one that says whether it was served from one."""
    if has_word(node.function_name, _CACHE):
        return not has_word(node.function_name, _CHANGES_CACHE)
    return _stated_hit(node) is not None


def _missed(node: Node) -> bool:
    hit = _stated_hit(node)
    if node.error is not None or hit is not None:
        return node.error is None and not hit
    return node.view.returned_nothing or _only_says_no(node)


def _only_says_no(lookup: Node) -> bool:
    """Whether a result has one flag, which is false, and nothing else that was not in the input:
    the flag of a miss in any language."""
    output = lookup.view.output.opened
    if not isinstance(output, dict) or len(output) > _MEMBERS_OF_MISS:
        return False
    flags = [value for value in output.values() if isinstance(value, bool)]
    others = [value for value in output.values() if value and not isinstance(value, bool)]
    given = {leaf.value for leaf in lookup.view.input.first_leaves}
    return flags == [False] and all(
        isinstance(value, (str, int, float)) and value in given for value in others
    )


def _stated_hit(node: Node) -> bool | None:
    """What a flag in the output or the metadata says; None where there is none."""
    output = node.view.output
    stated = output.opened if output.may_have_key(_STATING_KEYS) else None
    for record in (stated, node.span.metadata):
        if isinstance(record, dict):
            for key, value in islice(record.items(), _MEMBERS_READ):
                if isinstance(value, (bool, str)):
                    hit = _read_flag(plain_key(key), value)
                    if hit is not None:
                        return hit
    return None


def _read_flag(key: str, value: Any) -> bool | None:
    if key in _FLAGS and isinstance(value, bool):
        return value
    if key in _STATES and isinstance(value, str) and value.lower() in ("miss", "hit", "expired"):
        return value.lower() == "hit"
    return None


def _spared_work(lookup: Node, analysis: TraceAnalysis) -> Node | None:
    """The work that a hit would have spared: the slower span that follows the lookup, else the
    lookup itself where it does the work inside."""
    siblings = analysis.tree.siblings(lookup)
    place = bisect_left(siblings, lookup.end, key=lambda node: node.start)
    for node in siblings[place : place + _SIBLINGS_AFTER]:
        if node is lookup or _is_lookup(node):
            continue
        if node.duration >= _SLOWER * lookup.duration and _is_comparable(node, analysis):
            return node
    slower = [child for child in lookup.children if _is_comparable(child, analysis)]
    work = max(slower, key=lambda child: child.duration, default=lookup)
    return work if _is_comparable(work, analysis) else None


def _is_comparable(node: Node, analysis: TraceAnalysis) -> bool:
    return analysis.was_read(node) and node.view.input.is_comparable


def _repeated_work(lookups: Sequence[_Lookup]) -> list[list[_Lookup]]:
    """Lookups whose work has the same input, the most time first."""

    def key(lookup: _Lookup) -> tuple[str, str]:
        return name_stem(lookup.work.name), lookup.work.view.input.canonical

    repeated = [group for group in group_by(lookups, key).values() if len(group) > 1]
    return sorted(repeated, key=lambda group: -sum(each.work.duration for each in group[1:]))


def _judge_repeated(
    nodes: Sequence[Node], lookups: Sequence[_Lookup], analysis: TraceAnalysis
) -> Finding | None:
    """The finding that the work after the lookups was done again, if it was."""
    repeated = _repeated_work(lookups)
    spent = sum(each.work.duration for group in repeated for each in group[1:])
    if sum(len(group) - 1 for group in repeated) < _LEAST_REPEATED:
        return None
    if spent < _LEAST_SHARE * analysis.profile.duration:
        return None
    first = repeated[0]
    work = one_line(name_stem(first[0].work.name), limit=60)
    times = sum(len(group) for group in repeated)
    around = [each.node.parent for each in first[:2] if each.node.parent is not None]
    steps = {name_stem(each.name) for each in around if each.parent is not None}
    within = f" in {one_line(steps.pop(), limit=40)}" if len(steps) == 1 else ""
    why = _explain_keys(repeated)
    built = _find_builder(first[0].node, analysis) if why.startswith(_KEYS_DIFFER) else []
    why += f"; {built[0].title} returned them" if built else ""
    inputs = f"{len(repeated):,} different inputs" if repeated[1:] else "one and the same input"
    sentence = (
        f"{one_line(name_stem(nodes[0].name), limit=60)} found nothing in all of its"
        f" {format_count(len(nodes), 'call')}{within}, and {work} ran {times} times for"
        f" {inputs}; what it did again took"
        f" {format_duration(spent)}, {format_percent(spent, analysis.profile.duration)} of the"
        f" trace{why}."
    )
    named = [*built, *(each.node for each in first[:3])]
    named += [*around, *(each.work for each in first[:3])]
    more = [each.node for group in repeated for each in group]
    numbers = {"calls": len(nodes), "again": times - len(repeated), "spent_ms": spent / 1_000}
    return build_finding(Category.MISSED_LOOKUPS, _CONFIDENCE, sentence, named, numbers, more=more)


def _judge_keys(
    nodes: Sequence[Node], lookups: Sequence[_Lookup], analysis: TraceAnalysis
) -> Finding | None:
    """The finding that each key holds the moment of its lookup, so that nothing stored before or
    later has the same, if that is so."""
    spent = sum(each.work.duration for each in lookups)
    if not lookups or spent < _LEAST_SHARE * analysis.profile.duration:
        return None
    keys = [_key_with_own_time(node) for node in nodes]
    if not all(keys):
        return None
    sentence = (
        f"{one_line(name_stem(nodes[0].name), limit=60)} found nothing in all of its"
        f" {format_count(len(nodes), 'call')}, and could not: each key holds the time of its own"
        f" lookup (“{one_line(keys[0], limit=80)}”), so that no other has the same;"
        f" {one_line(name_stem(lookups[0].work.name), limit=60)} after them took"
        f" {format_duration(spent)}."
    )
    named = [*nodes[:3], *(each.work for each in lookups[:3])]
    numbers = {"calls": len(nodes), "spent_ms": spent / 1_000}
    return build_finding(Category.MISSED_LOOKUPS, _CONFIDENCE, sentence, named, numbers, more=nodes)


def _key_with_own_time(lookup: Node) -> str:
    """The text of an input that holds, beside other things, the time at which the lookup began;
    empty where there is none."""
    for leaf in lookup.view.input.first_leaves:
        if isinstance(leaf.value, str) and len(leaf.value) <= _LONGEST_KEY:
            for found in (*_MOMENT.finditer(leaf.value), *_EPOCH.finditer(leaf.value)):
                moment = _read_moment(found[0])
                is_part = len(found[0]) < len(leaf.value.strip())
                if is_part and moment and abs(moment - lookup.start) <= _OWN_TIME:
                    return leaf.value
    return ""


def _read_moment(text: str) -> int | None:
    """Microseconds since 1970 of an ISO time, UTC where it names no zone, or of seconds since then
    or a fraction of them; None for a date that there is not."""
    if text.isdecimal():
        return int(int(text) * 10.0 ** (_EPOCH_SECONDS - len(text)) * 1_000_000)
    moment = read_moment(text.upper())
    return to_microseconds(moment) if moment else None


def _explain_keys(repeated: Sequence[Sequence[_Lookup]]) -> str:
    """Why lookups for the same work had to miss, where their inputs show it."""
    keys = [[each.node.view.input.canonical for each in group] for group in repeated]
    if not all(all(group) for group in keys):
        return ""
    if all(len(set(group)) == 1 for group in keys):
        return "; the same key was looked up again and missed again"
    timeless = [[_timeless_key(each.node) for each in group] for group in repeated]
    if all(len(set(group)) == 1 for group in timeless):
        return f"{_KEYS_DIFFER} in a time or a random id"
    return _KEYS_DIFFER


def _find_builder(lookup: Node, analysis: TraceAnalysis) -> list[Node]:
    """The span before a lookup that returned its key, which a time or an id in it makes unique."""
    keys = [text for text in lookup.view.input.first_texts if _EPOCH_OR_ID.search(text)]
    for _, node in islice(analysis.tree.earlier(lookup), _BEFORE_LOOKUP):
        if analysis.was_read(node) and any(key in node.view.output.first_values for key in keys):
            return [node]
    return []


def _timeless_key(lookup: Node) -> str:
    return _EPOCH.sub("#", lookup.view.input.timeless)
