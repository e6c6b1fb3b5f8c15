"""Sends results to an Opik as experiments on a dataset, by its SDK.

The SDK is imported only here: it takes a second, and by default it replaces our Sentry client
with that of its vendor.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from evals.grading import PASSED
from evals.results import ResultRow
from standin.timestamps import id_at

_ITEMS_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
_BATCH = 100
_WHERE = "the results are in the folder."


@dataclass(frozen=True)
class SendReport:
    """A message for the user, and whether everything arrived."""

    message: str
    complete: bool


def send_results(rows: Sequence[ResultRow], *, dataset: str, run: str) -> SendReport:
    """Sends one experiment for each variant, named after the run; an item for each question, whose
    id is the same in every run; and a trace for each answer, with the score `right`. Stops at the
    first failure.
    """
    os.environ["OPIK_SENTRY_ENABLE"] = "false"
    os.environ["OPIK_ANALYTICS_ENABLE"] = "false"
    import opik
    from opik.rest_api.core.api_error import ApiError

    variants = list(dict.fromkeys(row.variant for row in rows))
    on_trace, done = False, 0
    try:
        client = opik.Opik(project_name=dataset, _show_misconfiguration_message=False)
        try:
            items = {_item_id(row): _build_item(row) for row in rows}
            found = client.get_or_create_dataset(dataset, description="Questions of the evals")
            on_trace = True
            found.insert([{"id": item_id, **item} for item_id, item in items.items()])
            for variant in variants:
                of_variant = [row for row in rows if row.variant == variant]
                _send_experiment(client, dataset, f"{variant} {run}", of_variant)
                done += 1
        finally:
            client.end()
    except (ApiError, httpx.HTTPError) as error:
        status = getattr(error, "status_code", None)
        why = f"status {status}" if status else type(error).__name__
        return SendReport(
            f"{_format_failure(on_trace, why, done, len(variants))}; {_WHERE}", complete=False
        )
    return SendReport(
        f"Sent to Opik: dataset {dataset}, {len(variants)} experiments.", complete=True
    )


def _format_failure(on_trace: bool, why: str, done: int, all: int) -> str:
    if not on_trace:
        return f"Not sent to Opik ({why})"
    return f"Only a part was sent to Opik ({why}): {done} of {all} experiments are complete"


def _send_experiment(client: Any, dataset: str, name: str, rows: Sequence[ResultRow]) -> None:
    """Uses the SDK's REST layer, which raises when the server refuses; its queue would drop it."""
    from opik.rest_api.types.experiment_item import ExperimentItem

    experiment = client.create_experiment(
        dataset_name=dataset, name=name, experiment_config={"variant": rows[0].variant}
    )
    api = client.rest_client
    for first in range(0, len(rows), _BATCH):
        sent = [(row, _build_trace(dataset, name, row)) for row in rows[first : first + _BATCH]]
        api.traces.create_traces(traces=[trace for _, trace in sent])
        scores = [_build_score(dataset, trace.id, row) for row, trace in sent]
        api.traces.score_batch_of_traces(scores=scores)
        items = [
            ExperimentItem(
                experiment_id=experiment.id, dataset_item_id=_item_id(row), trace_id=trace.id
            )
            for row, trace in sent
        ]
        api.experiments.create_experiment_items(experiment_items=items)


def _build_score(project: str, trace_id: str, row: ResultRow) -> Any:
    from opik.rest_api.types.feedback_score_batch_item import FeedbackScoreBatchItem

    return FeedbackScoreBatchItem(
        project_name=project,
        id=trace_id,
        name="right",
        value=float(row.verdict in PASSED),
        source="sdk",
    )


def _build_trace(project: str, experiment: str, row: ResultRow) -> Any:
    """A trace of one answer."""
    from opik.rest_api.types.trace_write import TraceWrite

    end = datetime.now(UTC)
    start = end - timedelta(seconds=row.seconds)
    return TraceWrite(
        id=id_at(start, f"{experiment}/{row.case}/{row.turn}/{row.repeat}"),
        project_name=project,
        name=row.case,
        start_time=start,
        end_time=end,
        input={"question": row.question},
        output={"answer": row.answer, "named": list(row.named)},
        tags=[row.verdict],
        metadata={
            "variant": row.variant,
            "repeat": row.repeat,
            "code": row.code,
            "failure": row.failure,
            "prompt_tokens": row.prompt_tokens,
            "completion_tokens": row.completion_tokens,
            "steps": row.steps,
            "tool_calls": row.tool_calls,
        },
        source="sdk",
    )


def _item_id(row: ResultRow) -> str:
    return id_at(_ITEMS_SINCE, f"{row.case}/{row.turn}")


def _build_item(row: ResultRow) -> dict[str, Any]:
    return {
        "case": row.case,
        "turn": row.turn,
        "question": row.question,
        "right": list(row.right),
        "healthy": row.healthy,
    }
