"""Where a value, or what stands under a key, appears, changes and disappears over the spans."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, Literal

from app.analysis.grouping import group_by
from app.analysis.recorded.body import Body
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.leaves import MOST_LEAVES, Path
from app.analysis.recorded.recorded_span import RecordedSpan
from app.analysis.recorded.spellings import plain_key
from app.analysis.text.json_path import Step, format_path, select_value
from app.analysis.text.one_line import format_count, format_duration, list_first, one_line
from app.analysis.text.span_values import equals_text, find_keyed, show_value, value_key
from app.analysis.text.token_budget import Alias, Line
from app.analysis.tree import Node
from app.errors import ToolFailed
from app.opik.records import Trace

Side = Literal["input", "output"]

_LONGEST_READ = 200_000  # characters of one text that are looked through
_PLACES_TRIED = 50  # of a text in a longer one, to find it as a word of its own
_VALUES_OF_BODY = 3  # different values under a key that are shown of one input or output
_PLACES_SHOWN = 4  # places named of one value that stays the same
_CALLS_FOLDED = 3  # spans that have a value at the same places; two are as quickly read
_APART = 0.01  # share of the trace between two places, from which on each has its time
_NAMED = 12  # spans named of one name that have a value one after the other
_PEERS_SHOWN = 6  # spans named on either side of a comparison
_MOST_RUNS = 40  # changes listed one by one; parallel work with values of its own has more
_KEYS_NAMED = 8  # keys that resemble one that was not found
_AROUND = 40  # characters shown on either side of a text within a longer one


@dataclass(frozen=True, slots=True)
class BodyPlace:
    """One input or output: `at` is when it was there, microseconds since the trace began; those
    of the same `kind` are compared. `span_id` is empty for the trace itself."""

    at: int
    span_id: str
    alias: Alias
    name: str
    kind: tuple[str, str]
    side: Side
    body: Body

    @property
    def who(self) -> str:
        return self.alias(self.span_id) if self.span_id else "trace"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Where a value stands, what is shown of it, and what is equal for equal values."""

    place: BodyPlace
    path: Path
    text: str
    key: Hashable = None

    @property
    def where(self) -> str:
        return one_line(format_path((self.place.side, *self.path)), limit=120)

    def format(self) -> str:
        return " ".join(part for part in (self.place.who, self.place.name, self.where) if part)


def list_places(
    trace: Trace, rows: Sequence[tuple[Node, RecordedSpan]], *, zero: int, alias: Alias
) -> list[BodyPlace]:
    """The inputs and outputs of spans and of the trace itself, in the order of time: an input when
    its span began, an output when it ended."""
    found: list[tuple[tuple[int, bool, int], BodyPlace]] = []
    for node, view in rows:
        name, kind = one_line(node.name, limit=40), (node.name, node.span.type or "")
        for at, side in ((node.start, "input"), (node.end, "output")):
            order = (at, side == "output", -node.index if side == "output" else node.index)
            body = view.input if side == "input" else view.output
            place = BodyPlace(at - zero, node.id, alias, name, kind, side, body)  # type: ignore[arg-type]
            found.append((order, place))
    found.sort(key=lambda pair: pair[0])
    end = max((place.at for _, place in found), default=0)
    first = BodyPlace(0, "", alias, "", ("", "trace"), "input", Body(trace.input))
    last = BodyPlace(end, "", alias, "", ("", "trace"), "output", Body(trace.output))
    return [first, *(place for _, place in found), last]


def find_value(places: Iterable[BodyPlace], text: str) -> list[Occurrence]:
    """The places that hold a value: as a whole, else as a word within a longer text."""
    return [found for place in places if (found := _find_in_body(place, text)) is not None]


def _find_in_body(place: BodyPlace, text: str) -> Occurrence | None:
    wanted = text.strip().casefold()
    within = None
    for leaf in place.body.leaves:
        if isinstance(leaf.value, list):
            if any(equals_text(each, wanted) for each in leaf.value[:MOST_LEAVES]):
                return Occurrence(place, leaf.path, "")
        elif equals_text(leaf.value, wanted):
            return Occurrence(place, leaf.path, "")
        elif within is None and isinstance(leaf.value, str):
            at = _find_word(leaf.value[:_LONGEST_READ].casefold(), wanted)
            if at >= 0:
                around = leaf.value[max(0, at - _AROUND) : at + len(wanted) + _AROUND]
                within = Occurrence(place, leaf.path, f"“…{one_line(around, limit=120)}…”")
    return within


def _find_word(text: str, word: str) -> int:
    """Where a word stands that is no part of a longer one; -1 where it does not."""
    at = -1
    for _ in range(_PLACES_TRIED):
        at = text.find(word, at + 1)
        if at < 0:
            return -1
        before, after = text[at - 1 : at], text[at + len(word) : at + len(word) + 1]
        if not (before.isalnum() and word[0].isalnum()) and not (
            after.isalnum() and word[-1].isalnum()
        ):
            return at
    return -1


def find_path(places: Iterable[BodyPlace], steps: Sequence[Step]) -> list[Occurrence]:
    """What stands at a path that begins with input or output, else under such keys anywhere."""
    found = []
    for place in places:
        values = list(_values_at(place, steps))
        if values:
            shown = list(dict.fromkeys(show_value(value) for _, value in values))
            text = list_first(shown[:_VALUES_OF_BODY], len(shown))
            key = tuple(dict.fromkeys(value_key(value) for _, value in values))
            found.append(Occurrence(place, values[0][0], text, key))
    return found


def _values_at(place: BodyPlace, steps: Sequence[Step]) -> Iterator[tuple[Path, Any]]:
    if steps[0] not in ("input", "output"):
        yield from find_keyed(place.body.opened, steps)
    elif steps[0] == place.side:
        try:
            yield tuple(steps[1:]), select_value(place.body.opened, steps, start=1)
        except ToolFailed:
            return


def describe_value_trail(
    places: Sequence[BodyPlace], found: Sequence[Occurrence], text: str
) -> tuple[str, list[Line]]:
    """A title, then where a value first and last stands, where it is missing although others of
    the kind have it, and all places in the order of time."""
    title = f"“{one_line(text, limit=80)}” {_count_places(found)}"
    if not found:
        return title, _resembling_keys(places, text)
    lines = [*_describe_ends(places, found), *_describe_missing(places, found, with_values=True)]
    return title, [*lines, *(partial(_describe_run, run) for run in _split_runs(found))]


def _split_runs(found: Sequence[Occurrence]) -> Iterator[Sequence[Occurrence]]:
    """Places one after the other of spans of one name: those of calls that have it at the same
    paths, as in input and output, together, else those at one path."""
    for _, named in groupby(found, key=lambda each: each.place.kind):
        run = list(named)
        of_span = group_by(run, lambda each: each.place.span_id).values()
        places = [[(each.where, each.text) for each in one] for one in of_span]
        if len(places) >= _CALLS_FOLDED and all(each == places[0] for each in places):
            yield run
            continue
        for _, part in groupby(run, key=lambda each: (each.where, each.text)):
            yield list(part)


def _describe_run(run: Sequence[Occurrence]) -> str:
    """Where a value stands at the same paths of spans of one name, one after the other."""
    first, text = run[0], run[0].text and f": {run[0].text}"
    if len(run) == 1:
        return f"+{format_duration(first.place.at)} {first.format()}{text}"
    spans = list({each.place.span_id: each for each in run}.values())
    named = list_first([each.place.who for each in spans[:_NAMED]], len(spans))
    where = " and ".join(dict.fromkeys(each.where for each in run))
    times = f"+{format_duration(first.place.at)} to +{format_duration(run[-1].place.at)}"
    return f"{times} {named} {first.place.name} {where}{text}"


def describe_path_trail(
    places: Sequence[BodyPlace], found: Sequence[Occurrence], steps: Sequence[Step]
) -> tuple[str, list[Line]]:
    """A title, then each value with where it stands until it changes, in the order of time; one
    line for each value where there are many changes."""
    path = one_line(format_path(steps), limit=120)
    title = f"{path} {_count_places(found)}"
    if not found:
        return title, _resembling_keys(places, str(steps[-1]))
    apart = max(place.at for place in places) * _APART
    runs = [list(run) for _, run in groupby(found, key=lambda each: each.key)]
    values = list(dict.fromkeys(each.key for each in found))
    title += f", {format_count(len(values), 'value')}, {format_count(len(runs) - 1, 'change')}"
    if len(runs) > max(_MOST_RUNS, 2 * len(values)):
        by_value = group_by(found, lambda each: each.key)
        runs = list(by_value.values())
        title += "; by value"
    lines = [*_describe_ends(places, found), *_describe_missing(places, found, with_values=False)]
    return title, [*lines, *(partial(_describe_value_of, run, apart) for run in runs)]


def _describe_value_of(run: Sequence[Occurrence], apart: float) -> str:
    """A value and where it stands until it changes, with the times of places that lie apart."""
    shown, last = list[str](), run[0].place.at
    for each in run[:_PLACES_SHOWN]:
        is_apart = each.place.at - last > apart
        last = each.place.at if is_apart else last
        shown.append(f"+{format_duration(last)} {each.format()}" if is_apart else each.format())
    named = list_first(shown, len(run))
    until = f" to +{format_duration(run[-1].place.at)}" if len(run) > 1 else ""
    return f"+{format_duration(run[0].place.at)}{until} {run[0].text}: {named}"


def _count_places(found: Sequence[Occurrence]) -> str:
    if not found:
        return "is in none of the inputs and outputs"
    spans = len({each.place.span_id for each in found} - {""})
    return f"is in {format_count(len(found), 'place')} of {format_count(spans, 'span')}"


def _describe_ends(places: Sequence[BodyPlace], found: Sequence[Occurrence]) -> Iterator[Line]:
    first, last = found[0], found[-1]
    yield lambda: f"first: +{format_duration(first.place.at)} {first.format()}"
    if last is first:
        return
    after = [
        place
        for place in places[places.index(last.place) + 1 :]
        if place.side == "input" and place.body.state is BodyState.PRESENT
    ]

    def write() -> str:
        named = list_first([place.who for place in after[:_PEERS_SHOWN]], len(after))
        gone = f"; in no later input ({named})" if after else ""
        return f"last: +{format_duration(last.place.at)} {last.format()}{gone}"

    yield write


def _describe_missing(
    places: Sequence[BodyPlace], found: Sequence[Occurrence], *, with_values: bool
) -> Iterator[Line]:
    """Inputs and outputs that lack it, since it first appeared, although most of their kind have
    it."""
    have = group_by(found, lambda each: (each.place.kind, each.place.side))
    holders = {id(each.place) for each in found}
    lack: dict[tuple[tuple[str, str], Side], list[BodyPlace]] = {}
    for place in places[places.index(found[0].place) :]:
        if id(place) in holders or not _is_known(place.body):
            continue
        if (place.kind, place.side) in have:
            lack.setdefault((place.kind, place.side), []).append(place)
    for key, without in lack.items():
        having = have[key]
        if len(having) < 2 or len(having) < len(without):
            continue
        yield partial(_format_missing, without, having, with_values=with_values)


def _format_missing(
    without: Sequence[BodyPlace], having: Sequence[Occurrence], *, with_values: bool
) -> str:
    shown = [
        place.who + (_show_instead(place, having[0].path) if with_values else "")
        for place in without[:_PEERS_SHOWN]
    ]
    others = list_first([each.place.who for each in having[:_PEERS_SHOWN]], len(having))
    named = list_first(shown, len(without))
    which = f"{without[0].name} {without[0].side}"
    return f"missing: {which} of {named}, although {others} have it"


def _is_known(body: Body) -> bool:
    """Whether what a body lacks is missing: it was recorded, be it with nulls, and whole."""
    holds_null = isinstance(body.opened, dict) and None in body.opened.values()
    return not body.is_cut and (body.state is BodyState.PRESENT or holds_null)


def _show_instead(place: BodyPlace, path: Path) -> str:
    """What stands at the path where others of the kind have the value."""
    try:
        value = select_value(place.body.opened, (place.side, *path), start=1)
    except ToolFailed:
        return ""
    return f" ({one_line(format_path((place.side, *path)), limit=80)} is {show_value(value)})"


def _resembling_keys(places: Sequence[BodyPlace], text: str) -> list[Line]:
    """Keys that contain the text, or that the text contains."""
    wanted = plain_key(text.strip())
    keys = {
        str(step): None
        for place in places
        for leaf in place.body.leaves
        for step in leaf.path
        if isinstance(step, str) and len(step) > 2 and _resembles(plain_key(step), wanted)
    }
    if not keys:
        return []
    named = list_first([one_line(key, limit=60) for key in list(keys)[:_KEYS_NAMED]], len(keys))
    return [lambda: f"keys like it (follow_value with path): {named}"]


def _resembles(key: str, wanted: str) -> bool:
    return bool(wanted) and (wanted in key or (len(key) > 3 and key in wanted))
