"""Generates a trace of any size and noise from a recorded one.

Recorded by the SDK: the names, types, nesting, inputs, outputs, errors, usage, cost and the order
of events in every unit of work. Generated here: how many healthy units there are (copies of
recorded ones with other subjects and ids), the speed of each, the stretched clock, and the noise.
"""

import copy
import gzip
import json
import math
import random
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from app.analysis.tree import to_microseconds
from app.opik.records import Span, Trace
from evals.noise import add_noise
from evals.recorded_span import CULPRIT_TAG, RecordedSpan

RECORDINGS = Path(__file__).parent / "recordings"
STRETCH = 40
_ZERO = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
_FIRST = [
    "amber",
    "brisk",
    "calm",
    "dusty",
    "early",
    "faint",
    "grand",
    "humid",
    "icy",
    "jolly",
    "keen",
    "lunar",
    "mellow",
    "noble",
]
_SECOND = [
    "anchor",
    "bridge",
    "canal",
    "dynamo",
    "engine",
    "ferry",
    "garden",
    "harbour",
    "island",
    "junction",
    "kiln",
]
_THIRD = [
    "audit",
    "billing",
    "catalogue",
    "delivery",
    "export",
    "forecast",
    "grant",
    "hiring",
    "invoice",
    "journal",
]


@dataclass(frozen=True)
class GeneratedTrace:
    """A trace to examine; `culprit` is the id of the span to be found, None in a healthy one."""

    trace: Trace
    spans: list[Span]
    culprit: str | None


def load_recording(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        gzip.decompress((RECORDINGS / f"{name}.json.gz").read_bytes())
    )
    return loaded


def generate_trace(
    name: str, *, size: int, noise: int, seed: int, least_units: int = 1
) -> GeneratedTrace:
    """A trace of about `size` spans from the recording `name`; equal arguments, equal trace."""
    rng = random.Random(f"{name}/{size}/{noise}/{seed}")
    recording = load_recording(name)
    root = _build_tree(recording)
    units = _find_units(root)
    chosen = _choose_units(root, units, size, rng, least_units)
    subjects = _place_units(root, units, chosen, rng)
    _shorten_leaves(root, noise, rng)
    culprit = _find_culprit(root)
    if noise:
        add_noise(root, noise, rng, spare=culprit)
    return _build_generated_trace(recording["trace"], root, culprit, subjects, noise, rng)


def _build_tree(recording: dict[str, Any]) -> RecordedSpan:
    zero = min(_parse_microseconds(record["start_time"]) for record in recording["spans"])
    items = {}
    for record in recording["spans"]:
        end = record.get("end_time")
        start = _parse_microseconds(record["start_time"]) - zero
        items[record["id"]] = RecordedSpan(
            record, start, _parse_microseconds(end) - zero if end else None
        )
    ended = recording["trace"].get("end_time")
    last = max(item.end or item.start for item in items.values())
    virtual_root = RecordedSpan(
        {"id": None, "trace_id": recording["trace"]["id"]}, 0.0, last if ended else None
    )
    for item in sorted(items.values(), key=lambda item: item.start):
        parent = item.record.get("parent_span_id")
        (items[parent] if parent else virtual_root).below.append(item)
    if recording["trace"].get("error_info"):
        virtual_root.record["error_info"] = recording["trace"]["error_info"]
    return virtual_root.below[0] if len(virtual_root.below) == 1 else virtual_root


def _parse_microseconds(text: str) -> float:
    return float(to_microseconds(datetime.fromisoformat(text)))


def _find_units(root: RecordedSpan) -> list[RecordedSpan]:
    names = Counter(item.record["name"] for item in root.below)
    (name, _), *_ = names.most_common()
    return [item for item in root.below if item.record["name"] == name]


def _is_spare(unit: RecordedSpan) -> bool:
    return not any(
        CULPRIT_TAG in item.record.get("tags", []) or item.record.get("error_info") or not item.end
        for item in unit.all()
    )


def _choose_units(
    root: RecordedSpan, units: list[RecordedSpan], size: int, rng: random.Random, least: int
) -> list[RecordedSpan]:
    """Which units the trace has, in order: the special ones, and as many spare ones as fit."""
    spare = [unit for unit in units if _is_spare(unit)]
    special = [unit for unit in units if unit not in spare]
    fixed = len(root.all()) - sum(len(unit.all()) for unit in spare)
    each = max(1, sum(len(unit.all()) for unit in spare) // max(1, len(spare)))
    wanted = max(least - len(special), round((size - fixed) / each), 0 if special else 1)
    chosen = [copy.deepcopy(rng.choice(spare)) for _ in range(wanted)] if spare else []
    ended = root.record.get("error_info") or root.end is None
    place = len(chosen) if ended else rng.randint(0, len(chosen))
    return [*chosen[:place], *special, *chosen[place:]]


def _place_units(
    root: RecordedSpan, units: list[RecordedSpan], chosen: list[RecordedSpan], rng: random.Random
) -> list[tuple[str, str]]:
    """Puts the chosen units in place of the recorded ones; returns how subjects were renamed."""
    first, last = units[0].start, max(unit.last() for unit in units)
    apart = all(b.start >= a.last() for a, b in pairwise(units))
    pause = max(0.0, units[1].start - units[0].last()) if len(units) > 1 and apart else 0.0
    cursor, end, renamed = first, first, []
    for number, unit in enumerate(chosen):
        start = cursor if apart else unit.start
        _move_unit(unit, start, math.exp(rng.gauss(0, 0.12)))
        renamed.append(_rename_subject(unit, number, rng))
        end = max(end, unit.last())
        cursor = unit.last() + pause
    shift = end - last
    for other in root.below:
        if other not in units and other.start >= last:
            _move_unit(other, other.start + shift, 1.0)
    if root.end is not None:
        root.end += shift
    kept = [other for other in root.below if other not in units]
    root.below = sorted([*kept, *chosen], key=lambda item: item.start)
    return [pair for pair in renamed if pair[0]]


def _move_unit(unit: RecordedSpan, start: float, factor: float) -> None:
    origin = unit.start
    for item in unit.all():
        if item.end is not None:
            item.end = start + (item.end - origin) * factor
        item.start = start + (item.start - origin) * factor


def _rename_subject(unit: RecordedSpan, number: int, rng: random.Random) -> tuple[str, str]:
    """Replaces the subject of a unit in its inputs, outputs and errors."""
    texts = json.dumps([item.record for item in unit.all()])
    place = texts.find("topic-")
    old = texts[place : place + 7] if place >= 0 else ""
    new = f"{rng.choice(_FIRST)} {rng.choice(_SECOND)} {rng.choice(_THIRD)} {number}"
    for item in unit.all():
        record = {key: item.record.get(key) for key in ("input", "output", "error_info")}
        changed = json.dumps(record).replace(old, new) if old else json.dumps(record)
        item.record = {**item.record, **json.loads(changed), "id": _new_id(rng)}
    return old, new


def _new_id(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128)))


def _shorten_leaves(root: RecordedSpan, noise: int, rng: random.Random) -> None:
    """Makes leaves quicker by up to a third at full noise; so nothing new overlaps."""
    for item in root.all():
        if not item.below and item.end is not None:
            item.end -= (item.end - item.start) * rng.random() * noise / 6


def _find_culprit(root: RecordedSpan) -> RecordedSpan | None:
    for item in root.all():
        if item.record["id"] and CULPRIT_TAG in item.record.get("tags", []):
            return item
    hanging = [item for item in root.all() if item.end is None and item.record["id"]]
    return max(hanging, key=lambda item: item.start, default=None)


def _build_generated_trace(
    trace: dict[str, Any],
    root: RecordedSpan,
    culprit: RecordedSpan | None,
    subjects: list[tuple[str, str]],
    noise: int,
    rng: random.Random,
) -> GeneratedTrace:
    spans = []
    for item in root.all():
        for child in item.below:
            child.record = {**child.record, "parent_span_id": item.record["id"]}
        if item.record["id"] is not None:
            spans.append(_build_span(item))
    duplicates = [s.model_copy(update={"end_time": None, "output": None}) for s in spans[5::97]]
    spans.extend(duplicates if noise > 1 else [])
    rng.shuffle(spans)
    text = json.dumps({key: trace.get(key) for key in ("input", "output", "error_info")})
    for old, new in subjects:
        text = text.replace(old, new, 1)
    scores = [{"name": "helpfulness", "value": 0.9}] if noise and culprit is None else []
    whole = Trace(
        **json.loads(text),
        id=trace["id"],
        name=trace["name"],
        start_time=_to_datetime(root.start),
        end_time=None if root.end is None else _to_datetime(root.end),
        duration=None if root.end is None else (root.end - root.start) * STRETCH / 1_000,
        span_count=len(spans) - len(duplicates) if noise > 1 else len(spans),
        feedback_scores=scores,
    )
    return GeneratedTrace(whole, spans, culprit.record["id"] if culprit else None)


def _to_datetime(moment: float) -> datetime:
    return _ZERO + timedelta(microseconds=round(moment * STRETCH))


def _build_span(item: RecordedSpan) -> Span:
    record = {
        **item.record,
        "start_time": _to_datetime(item.start),
        "end_time": None if item.end is None else _to_datetime(item.end),
        "duration": None if item.end is None else (item.end - item.start) * STRETCH / 1_000,
        "tags": [tag for tag in item.record.get("tags", []) if tag != CULPRIT_TAG],
    }
    if item.record.get("lost_parent"):
        record["parent_span_id"] = item.record["lost_parent"]
    return Span(**record)
