"""Finds a pattern in the values of spans: where, how often, and with what around it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile
from typing import Any

from app.analysis.recorded.error import effective_error
from app.analysis.recorded.leaves import Path, walk_values
from app.analysis.text.json_path import format_path
from app.analysis.text.one_line import one_line
from app.analysis.tree import Tree
from app.opik.records import Span, Trace
from app.tools.excerpts import as_text
from app.tools.repeated_members import repeats_others
from app.tools.search_pattern import SearchPattern, may_span_key

HITS_KEPT = 1_000  # for paging: some 20 results of 8,000 characters, more than a model reads
_MOST_LEAVES = 1_000_000  # bounds time and memory for one value
_BEFORE, _AFTER = 60, 160  # bytes around a match: a sentence on either side
_BATCH = 500  # values searched at once before each is looked at, which takes ten times as long
_LEVELS_ABOVE = 50  # of a span: in deeper nests copies far away have lines of their own
_SNIPPET = 200  # characters of them that are shown
# Of other texts that a pattern with alternatives matches in the same value, and bytes around them.
_OTHERS_SHOWN = 4
_BEFORE_OTHER, _AFTER_OTHER = 30, 60
_OTHER = 100  # characters of each


@dataclass(frozen=True, slots=True)
class Hit:
    """A value with matches. `records` are the ids of the spans that have it; "" is the trace.

    `at` is the character of the first match and `length` the value's; `snippet` is one line.
    `rank` puts whole words (0) before parts of words (1) and places that repeat others (2).
    `copies` are the places, by record and path, where spans around these have the same text.
    """

    records: list[str]
    path: str
    matches: int
    snippet: str
    at: int
    length: int
    rank: int = 0
    copies: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class HitCounter:
    """The hits so far; all are counted, the first 1,000 kept, in the order found but for those of
    each run of the search, of which the best come first."""

    hits: list[Hit] = field(default_factory=list)
    values: int = 0
    matches: int = 0
    records: set[str] = field(default_factory=set)

    def add(self, hit: Hit) -> None:
        if len(self.hits) < HITS_KEPT:
            self.hits.append(hit)
        self.count(hit, hit.records[0])

    def sort_from(self, first: int, tree: Tree) -> None:
        """Sorts the hits after the first so many, which were shown already, and joins copies."""
        joined = _join_copies(self.hits[first:], tree)
        self.hits[first:] = sorted(joined, key=lambda hit: hit.rank)

    def count(self, hit: Hit, record: str) -> None:
        self.values += 1
        self.matches += hit.matches
        self.records.add(record)


def _join_copies(hits: Sequence[Hit], tree: Tree) -> list[Hit]:
    """The hits without those that repeat, in a span around it, what a span returned, or below it
    what it was given; an error stands with the span in which it began."""
    kept: list[Hit] = []
    groups: dict[tuple[str, str, int, int], list[Hit]] = {}
    for hit in hits:
        if hit.path.startswith("error"):
            hit.records.sort(key=lambda each: -_depth_of(each, tree))
        side = next((each for each in ("input", "output") if hit.path.startswith(each)), "")
        if side:
            groups.setdefault((side, hit.snippet, hit.at, hit.length), []).append(hit)
        else:
            kept.append(hit)
    for (side, *_), group in groups.items():
        kept += _join_nested(group, tree, deepest_first=side == "output")
    order = {id(hit): place for place, hit in enumerate(hits)}
    return sorted(kept, key=lambda hit: order[id(hit)])


def _depth_of(record: str, tree: Tree) -> int:
    return tree.by_id[record].depth if record else -1


def _join_nested(hits: list[Hit], tree: Tree, *, deepest_first: bool) -> list[Hit]:
    """Of hits with one text in spans above one another the first, with the others as copies."""
    sign = -1 if deepest_first else 1
    kept: list[Hit] = []
    known: dict[str, Hit] = {}
    for hit in sorted(hits, key=lambda hit: sign * _depth_of(hit.records[0], tree)):
        record = hit.records[0]
        above = _list_above(record, tree)
        wanted = [record] if deepest_first else above
        first = next((known[each] for each in wanted if each in known), None)
        if first is not None:
            first.copies.append((record, hit.path))
            continue
        kept.append(hit)
        for each in above if deepest_first else [record]:
            known.setdefault(each, hit)
    return kept


def _list_above(record: str, tree: Tree) -> list[str]:
    """The spans above a span, as far as texts are handed on, and the trace."""
    above: list[str] = []
    node = tree.by_id[record].parent if record else None
    while node is not None and len(above) < _LEVELS_ABOVE:
        above.append(node.id)
        node = node.parent
    return [*above, ""] if record else []


FACTS = ("name", "type", "model", "provider", "tags", "error")
"""The fields of a span that are no bodies: short, and often the same for many spans."""
_MESSAGE, _TRACEBACK = ("error", "message"), ("error", "traceback")


def scan_facts(
    pattern: SearchPattern,
    records: Iterable[Span | Trace],
    fields: Sequence[str],
    counter: HitCounter,
) -> None:
    """Adds the hits in those of the facts that are in `fields`; spans with equal ones share a hit,
    so that the model of a hundred calls is one line."""
    known: dict[tuple[tuple[str, ...], str], Hit | None] = {}
    for record in records:
        message: tuple[str, Hit] | None = None
        for path, text in _iterate_facts(record, fields):
            if path == _TRACEBACK and message and _repeats_message(pattern, text, *message):
                _add_copy(message[1], record, path, counter)
                continue
            if (path, text) not in known:
                hit = known[path, text] = _find_hit(pattern, _record_id(record), path, text)
                if hit is not None:
                    counter.add(hit)
            elif (hit := known[path, text]) is not None:
                hit.records.append(_record_id(record))
                counter.count(hit, hit.records[-1])
            if path == _MESSAGE and hit is not None:
                message = text, hit


def _repeats_message(pattern: SearchPattern, text: str, message: str, hit: Hit) -> bool:
    """Whether a traceback has no match but those in the message of its error."""
    found = sum(1 for _ in pattern.places(as_text(text).encode()))
    return 0 < found <= hit.matches * text.count(message)


def _add_copy(hit: Hit, record: Span | Trace, path: Path, counter: HitCounter) -> None:
    where = format_path(path)
    if all(known != where for _, known in hit.copies):
        hit.copies.append((hit.records[0], where))
    counter.count(hit, _record_id(record))


def _iterate_facts(
    record: Span | Trace, fields: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], str]]:
    for each in fields:
        if each == "error":
            error = effective_error(record)
            parts = error.model_dump() if error else {}
            yield from (((each, part), text) for part, text in parts.items() if text)
        elif each == "tags":
            yield from (((each,), tag) for tag in record.tags)
        elif value := getattr(record, each, None):
            yield (each,), value


def _record_id(record: Span | Trace) -> str:
    return record.id if isinstance(record, Span) else ""


def scan_bodies(
    pattern: SearchPattern, record: Span | Trace, fields: Sequence[str], counter: HitCounter
) -> None:
    """Adds the hits in those of input, output and metadata that are in `fields`."""
    keys = _KeyMatcher(pattern)
    values = {each: value for each in fields if (value := getattr(record, each)) is not None}
    leaves = walk_values(values, most=_MOST_LEAVES) if values else iter(())
    before: Path = ()
    while batch := list(islice(leaves, _BATCH)):
        for path, leaf in batch if keys.may_match(batch) else ():
            hit = _find_hit(pattern, _record_id(record), path, leaf)
            if hit is None and keys.matches(path, leaf, before=before):
                hit = _make_hit(_record_id(record), path, as_text(leaf), keys.has_word(path))
            if hit is not None:
                counter.add(hit)
            before = path
        before = batch[-1][0]


def _find_hit(pattern: SearchPattern, record: str, path: Path, leaf: Any) -> Hit | None:
    text = as_text(leaf)
    data = text.encode()
    places = list(pattern.places(data))
    if not places:
        return None
    start, end = places[0]
    around = data[max(0, start - _BEFORE) : min(end, start + _AFTER) + _AFTER]
    is_word = any(_is_word(data, *place) for place in places)
    hit = _make_hit(record, path, text, is_word, around=around.decode("utf-8", "ignore"))
    snippet = " | ".join([hit.snippet, *_show_others(data, places, shown=around)])
    return replace(hit, matches=len(places), at=len(data[:start].decode()), snippet=snippet)


def _show_others(data: bytes, places: Sequence[tuple[int, int]], *, shown: bytes) -> list[str]:
    """What else a pattern matches in a value beside its first match, each text once."""
    seen = shown.lower()
    others = []
    for start, end in places[1:]:
        match = data[start : min(end, start + _AFTER)].lower()
        if match in seen:
            continue
        around = data[max(0, start - _BEFORE_OTHER) : min(end, start + _AFTER) + _AFTER_OTHER]
        seen += b"\n" + around.lower()
        others.append(one_line(around.decode("utf-8", "ignore"), limit=_OTHER))
        if len(others) == _OTHERS_SHOWN:
            break
    return others


def _make_hit(record: str, path: Path, text: str, is_word: bool, *, around: str = "") -> Hit:
    """One match at the beginning of a value, of which `around` is shown."""
    where = format_path(path[-200:])
    rank = 2 if repeats_others(path) else 1 - is_word
    return Hit([record], where, 1, one_line(around or text, limit=_SNIPPET), 0, len(text), rank)


def _is_word(data: bytes, start: int, end: int) -> bool:
    """Whether a match in UTF-8 ends on both sides where a word does."""
    return not (_joins(data, start) or _joins(data, end))


def _joins(data: bytes, at: int) -> bool:
    """Whether the characters on both sides are of one word; a name with `_` is one."""
    sides = data[max(0, at - 4) : at], data[at : at + 4]  # the longest character has four bytes
    before, after = (side.decode("utf-8", "ignore") for side in sides)
    return all(sign == "_" or sign.isalnum() for sign in (before[-1:], after[:1]))


class _KeyMatcher:
    """Finds matches in keys, and across a key and its value as they are shown: `key: value`."""

    def __init__(self, pattern: SearchPattern) -> None:
        self._pattern = pattern
        self._across = pattern.plain is None or may_span_key(pattern.plain)
        self._known: dict[str, bool] = {}
        self._shown: dict[str, str] = {}

    def may_match(self, batch: Sequence[tuple[Path, Any]]) -> bool:
        """Whether something in a batch of values may match: one search of all their texts and keys
        on lines of their own, since most batches have no match."""
        if self._pattern.is_anchored:
            return True
        lines: list[str] = []
        above: set[Path] = set()
        keys: set[str | int] = set()
        for path, leaf in batch:
            text = leaf if isinstance(leaf, str) else as_text(leaf)
            lines.append(text)
            above.add(path[:-1])
            keys.add(path[-1])
            if self._across:
                lines.append(f"{self._shown_key(path)}: {text[:_SNIPPET]}")
        keys.update(*above)
        lines += (key for key in keys if isinstance(key, str))
        return any(self._pattern.places(as_text("\n".join(lines)).encode()))

    def matches(self, path: Path, leaf: Any, *, before: Path) -> bool:
        """Whether a key matches that `before`, the path of the last value, did not have, or the
        innermost key with the beginning of the value."""
        if path[:-1] != before[:-1] and self._matches_new_key(path, before):
            return True
        step = path[-1]
        if isinstance(step, str) and len(path) > 1 and self._matches_key(step):
            return True
        if not self._across or len(path) < 2:
            return False
        shown = as_text(self._shown_key(path)).encode()
        whole = shown + b": " + as_text(leaf)[:_SNIPPET].encode()
        return any(end > len(shown) for _, end in self._pattern.places(whole))

    def has_word(self, path: Path) -> bool:
        """Whether a match in a key, or across the last one and its value, is a whole word."""
        found = False
        for step in {step for step in path if isinstance(step, str)}:
            data = as_text(step).encode()
            for place in self._pattern.places(data):
                found = True
                if _is_word(data, *place):
                    return True
        return not found

    def _shown_key(self, path: Path) -> str:
        """The innermost key, and the place in the list that stands under it."""
        places = ""
        for step in reversed(path):
            if isinstance(step, str):
                if step not in self._shown:
                    self._shown[step] = format_path([step])
                return self._shown[step] + places
            places = f"[{step}]{places}"
        return places

    def _matches_new_key(self, path: Path, before: Path) -> bool:
        """Whether a key above the value matches that the last value did not have above it."""
        pairs = zip(path[:-1], before, strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        above = path[max(1, same) : -1]
        return any(self._matches_key(key) for key in above if isinstance(key, str))

    def _matches_key(self, key: str) -> bool:
        if key not in self._known:
            self._known[key] = any(self._pattern.places(as_text(key).encode()))
        return self._known[key]
