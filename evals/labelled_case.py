"""A trace with labelled questions: made from a grown case, or read from a file of the user's own.

A file is JSON (`.json`, or `.json.gz`): `{"trace": …, "spans": […], "turns": [{"question": …,
"right": [ids], "wrong": [ids], "healthy": false}]}`, trace and spans as the backend's API shows
them.
"""

import gzip
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.ids import is_uuid
from app.opik.records import Span, Trace
from evals.cases import CaseParameters
from evals.grading import LabelledTurn, find_symptoms
from standin import timestamps

QUESTION = (
    "What went wrong in this trace? Cite the span where the cause lies, not those where it only "
    "shows. If nothing went wrong, say so and cite no span."
)


class InvalidCase(Exception):
    """A case that cannot be asked; the message names the file and the place in it."""


@dataclass(frozen=True)
class LabelledCase:
    """What is asked about one trace; the name is unique in a run."""

    name: str
    trace: Trace
    spans: Sequence[Span]
    turns: Sequence[LabelledTurn]


class _CaseFile(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    trace: Trace
    spans: list[Span]
    turns: Annotated[list[LabelledTurn], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        known = {span.id for span in self.spans}
        for record in (self.trace, *self.spans):
            if not is_uuid(record.id) or record.id != record.id.lower():
                raise ValueError("an id of the trace or of a span is not a lower-case UUID")
            if record.start_time is None:
                raise ValueError(f"{record.id} has no start_time")
        for span in self.spans:
            if span.trace_id != self.trace.id:
                raise ValueError(f"span {span.id} belongs to another trace")
        for number, turn in enumerate(self.turns):
            unknown = [each for each in (*turn.right, *turn.wrong) if each not in known]
            if unknown:
                raise ValueError(f"turns.{number} names a span that is not there: {unknown[0]}")
        if not any(turn.graded for turn in self.turns):
            raise ValueError("no question has a label (right, wrong or healthy)")
        return self


def generate_labelled_case(parameters: CaseParameters) -> LabelledCase:
    """A generated case with the standard question.

    Ids become UUIDs with a time, as the SDK makes them: the backend pages by them, and no two
    cases share one.
    """
    case = parameters.make()
    name = format_case_name(parameters)
    ids = {each.id: _sdk_id(name, each) for each in case.spans}
    ids[case.trace.id] = _sdk_id(name, case.trace)
    spans = [
        span.model_copy(
            update={
                "id": ids[span.id],
                "trace_id": ids[case.trace.id],
                "parent_span_id": ids.get(span.parent_span_id or "", span.parent_span_id),
            }
        )
        for span in case.spans
    ]
    turn = LabelledTurn(question=QUESTION, healthy=True)
    if case.culprit:
        culprit = ids[case.culprit]
        failed = [span.id for span in spans if span.error_info]
        wrong = find_symptoms(culprit, {span.id: span.parent_span_id for span in spans}, failed)
        turn = LabelledTurn(question=QUESTION, right=(culprit,), wrong=wrong)
    trace = case.trace.model_copy(update={"id": ids[case.trace.id]})
    return LabelledCase(name, trace, spans, [turn])


def format_case_name(parameters: CaseParameters) -> str:
    """The name of a generated case."""
    return (
        f"{parameters.program}-{parameters.fault or 'healthy'}-{parameters.size}-{parameters.seed}"
    )


def _sdk_id(name: str, record: Span | Trace) -> str:
    assert record.start_time is not None
    return timestamps.id_at(record.start_time, f"{name}/{record.id}")


def read_case_folder(folder: Path) -> list[LabelledCase]:
    """The cases of a folder, by name; raises InvalidCase for the first that cannot be read."""
    if not folder.is_dir():
        raise InvalidCase(f"{folder}: there is no such folder.")
    paths = sorted(path for path in folder.iterdir() if path.name.endswith((".json", ".json.gz")))
    if not paths:
        raise InvalidCase(f"{folder}: there is no .json or .json.gz file in this folder.")
    return [read_case_file(path) for path in paths]


def read_case_file(path: Path) -> LabelledCase:
    """One case of the user's own; raises InvalidCase with the file and the fault in its message."""
    try:
        data = path.read_bytes()
        text = gzip.decompress(data) if path.suffix == ".gz" else data
        read = _CaseFile.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise InvalidCase(f"{path}: {where + ': ' if where else ''}{message}") from None
    except (OSError, ValueError, EOFError, zlib.error, RecursionError) as error:
        raise InvalidCase(f"{path}: not readable as JSON: {error}") from None
    name = path.name.removesuffix(".gz").removesuffix(".json")
    return LabelledCase(name, read.trace, read.spans, read.turns)
