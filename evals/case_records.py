"""Cases as raw records in a folder, analysed as the service would load them.

Two kinds of folders are read. Either each file has its labels: `{"trace", "spans", "turns"}`. Or
the files are `{"trace", "spans"}`, and a `labels.json` beside them gives for each file name
`culprits` (ids of right spans), `healthy`, and a `category`.
"""

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.analysis.analyse_trace import add_bodies, measure_trace
from app.analysis.body_selection import select_bodies
from app.analysis.trace_analysis import TraceAnalysis
from app.opik import deep_json
from app.opik.client import BODIES
from app.opik.records import Span, Trace
from evals.labelled_case import InvalidCase
from standin import selection

LABELS_FILE = "labels.json"
_ENDINGS = (".json", ".json.gz")
_NOT_READABLE = (OSError, ValueError, EOFError, zlib.error, RecursionError)

Json = dict[str, Any]


class FileLabel(BaseModel):
    """The label of a file in `labels.json`; other fields of it are ignored."""

    model_config = ConfigDict(frozen=True)

    category: str = ""
    culprits: frozenset[str] = frozenset()
    healthy: bool = False


class _TurnLabel(BaseModel):
    right: frozenset[str] | None = None
    healthy: bool = False


class _CaseFile(BaseModel):
    """A file; what is asked in the turns, and how else they are labelled, does not matter here."""

    trace: Json
    spans: list[Any]
    turns: list[_TurnLabel] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CaseRecords:
    """A trace and its spans as the REST API shows them, with what is known of its fault.

    `right` are the spans of which a finding has to name one, empty where none is known; `healthy`
    says that there is no fault. Neither may be known.
    """

    trace: Json
    spans: Sequence[Any]
    category: str
    right: frozenset[str]
    healthy: bool


def list_case_files(folder: Path) -> list[Path]:
    """The files with cases in a folder, by name; raises InvalidCase where there is none."""
    if not folder.is_dir():
        raise InvalidCase(f"{folder}: there is no such folder.")
    paths = sorted(path for path in folder.iterdir() if path.name.endswith(_ENDINGS))
    found = [path for path in paths if path.name != LABELS_FILE]
    if not found:
        raise InvalidCase(f"{folder}: there is no .json or .json.gz file in this folder.")
    return found


def read_labels(folder: Path) -> Mapping[str, FileLabel]:
    """The labels of a folder by file name, empty without a `labels.json`; raises InvalidCase."""
    path = folder / LABELS_FILE
    if not path.exists():
        return {}
    try:
        return {
            name: FileLabel.model_validate(label)
            for name, label in json.loads(path.read_bytes()).items()
        }
    except (*_NOT_READABLE, AttributeError) as error:
        raise InvalidCase(f"{path}: not readable as labels: {error}") from None


def read_case_records(path: Path, label: FileLabel | None) -> CaseRecords:
    """The records of a file; `label` is that of `labels.json`. Raises InvalidCase.

    Where the label says nothing about a fault, the turns decide: there is one if a turn names
    right spans, and none if all are healthy.
    """
    try:
        data = path.read_bytes()
        text = gzip.decompress(data) if path.suffix == ".gz" else data
        read = _CaseFile.model_validate(deep_json.loads(text))
    except _NOT_READABLE as error:
        raise InvalidCase(f"not readable as a case: {error}") from None
    known = label or FileLabel()
    right, healthy = known.culprits, known.healthy
    if not right and not healthy:
        right = frozenset(span_id for turn in read.turns for span_id in turn.right or ())
        healthy = bool(read.turns) and all(turn.healthy for turn in read.turns)
    return CaseRecords(read.trace, read.spans, known.category, right, healthy)


@dataclass(frozen=True, slots=True)
class ParsedCase:
    """The records as the service reads them: the structure of all spans, and their bodies.

    `structure` are spans without bodies; `raw` are the records by id, from which those with bodies
    are made. `unreadable` counts records that the service leaves out, since it cannot parse them.
    """

    trace: Trace
    structure: Sequence[Span]
    raw: Mapping[str, Json]
    unreadable: int


def parse_case(records: CaseRecords) -> ParsedCase:
    """The trace and the structure of its spans; raises InvalidCase if the trace is unreadable."""
    try:
        trace = Trace.model_validate(records.trace)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidCase(f"the trace is unreadable: {where}: {first['msg']}") from None
    spans: list[Span] = []
    raw: dict[str, Json] = {}
    unreadable = 0
    for record in records.spans:
        span = _parse_span(record, drop=BODIES)
        if span is None:
            unreadable += 1
        elif span.trace_id.lower() == trace.id.lower():
            spans.append(span)
            raw[span.id] = record
    return ParsedCase(trace, spans, raw, unreadable)


def analyse_records(case: ParsedCase) -> TraceAnalysis:
    """The analysis with the bodies that the service would have read, cut as the backend cuts.

    The trace's own record is not cut: the service reads it whole.
    """
    measured = measure_trace(case.trace, case.structure)
    chosen = [case.raw[span_id] for span_id in select_bodies(measured)]
    cut = (selection.trimmed(record, exclude=[], truncate=True) for record in chosen)
    parsed = (_parse_span(record, drop=()) for record in cut)
    return add_bodies(measured, [span for span in parsed if span is not None])


def _parse_span(record: Any, *, drop: Sequence[str]) -> Span | None:
    if not isinstance(record, dict):
        return None
    try:
        return Span.model_validate({key: each for key, each in record.items() if key not in drop})
    except ValidationError:
        return None
