"""Sends results to an Opik as experiments on a dataset, by its SDK.

The SDK is imported only here: it takes a second, and unless told otherwise it puts its vendor's
Sentry client in the place of one's own.
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from demo.standin.moments import id_at
from evals.grading import PASSED
from evals.outcome import Row

_ITEMS_SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def send(rows: Sequence[Row], *, dataset: str, run: str) -> str:
    """One experiment for each variant, named after the run; an item for each question, with one id
    for ever, and a trace for each answer, with the score `right`. Returns what to tell the user.
    """
    os.environ["OPIK_SENTRY_ENABLE"] = "false"
    os.environ["OPIK_ANALYTICS_ENABLE"] = "false"
    import opik
    from opik.rest_api.core.api_error import ApiError

    try:
        client = opik.Opik(project_name=dataset, _show_misconfiguration_message=False)
        try:
            items = {_item_id(row): _item(row) for row in rows}
            found = client.get_or_create_dataset(dataset, description="Questions of the evals")
            found.insert([{"id": item_id, **item} for item_id, item in items.items()])
            variants = list(dict.fromkeys(row.variant for row in rows))
            for variant in variants:
                of_variant = [row for row in rows if row.variant == variant]
                _experiment(client, dataset, f"{variant} {run}", of_variant)
        finally:
            client.end()
    except (ApiError, httpx.HTTPError) as error:
        status = getattr(error, "status_code", None)
        why = f"status {status}" if status else type(error).__name__
        return f"Not sent to Opik ({why}); the results are in the folder."
    return f"Sent to Opik: dataset {dataset}, {len(variants)} experiments."


def _experiment(client: Any, dataset: str, name: str, rows: Sequence[Row]) -> None:
    from opik.api_objects.experiment.experiment_item import ExperimentItemReferences

    experiment = client.create_experiment(
        dataset_name=dataset, name=name, experiment_config={"variant": rows[0].variant}
    )
    references = [ExperimentItemReferences(_item_id(row), _trace(client, row)) for row in rows]
    client.flush()
    experiment.insert(references)


def _trace(client: Any, row: Row) -> str:
    """The id of a trace of one answer."""
    end = datetime.now(UTC)
    trace = client.trace(
        name=row.case,
        start_time=end - timedelta(seconds=row.seconds),
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
        feedback_scores=[{"name": "right", "value": float(row.verdict in PASSED)}],
    )
    return str(trace.id)


def _item_id(row: Row) -> str:
    return id_at(_ITEMS_SINCE, f"{row.case}/{row.turn}")


def _item(row: Row) -> dict[str, Any]:
    return {
        "case": row.case,
        "turn": row.turn,
        "question": row.question,
        "right": list(row.right),
        "healthy": row.healthy,
    }
