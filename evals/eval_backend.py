"""The backend of a run: the stand-in, which holds each case in a workspace of its own and whose
chat proxy forwards requests to an OpenAI-compatible server."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from app.caller import Caller
from app.opik.records import FeedbackScore
from evals.labelled_case import LabelledCase
from standin.app import create_app
from standin.forwarding import ForwardingChat
from standin.record_store import Records
from standin.serving import serve_in_thread
from standin.switches import Switches, UserAccount, WorkspaceKey

PROJECT = "evals"
_BATCH = 1_000
# A small machine may read a prompt for minutes: MODEL_SILENCE_SECONDS says how long is too long.
_SILENCE_SECONDS = 1_800.0
# Computed by the backend, or sent to it in a request of its own.
_NOT_SENT = {
    "project_id",
    "span_count",
    "llm_span_count",
    "duration",
    "feedback_scores",
    "guardrails_validations",
}


def proxy_name(model: str) -> str:
    """The name under which the chat proxy knows a model of the user's own server."""
    return f"custom-llm/{model}"


@contextmanager
def serve_backend(
    base_url: str, *, key: str, models: Sequence[str], users: Sequence[str], cases: int
) -> Iterator[str]:
    """Serves the backend; gives its URL.

    `users` are tokens and names of those who may enter the workspaces of all `cases`.
    """
    workspaces = frozenset(workspace_name(number) for number in range(cases))
    switches = Switches(
        accounts={token: UserAccount(token, workspaces) for token in users},
        keys=[WorkspaceKey("custom-llm", models=tuple(proxy_name(each) for each in models))],
        received=deque(maxlen=1),
    )
    chat = ForwardingChat(base_url, key=key, silence=_SILENCE_SECONDS)
    with serve_in_thread(create_app(Records(), chat=chat, switches=switches)) as url:
        yield url


def workspace_name(number: int) -> str:
    return f"case-{number}"


class CaseWriter:
    """Writes cases to the backend as a program's SDK would, and deletes them again."""

    def __init__(self, http: httpx.AsyncClient, url: str, *, token: str) -> None:
        self._http = http
        self._url = f"{url}/v1/private"
        self._token = token

    async def put(self, case: LabelledCase, workspace: str) -> None:
        trace = _to_json(case.trace)
        await self._send(workspace, "POST", "/traces/batch", {"traces": [trace]})
        for start in range(0, len(case.spans), _BATCH):
            spans = [_to_json(span) for span in case.spans[start : start + _BATCH]]
            await self._send(workspace, "POST", "/spans/batch", {"spans": spans})
        await self._put_judgements(case, workspace)

    async def remove(self, case: LabelledCase, workspace: str) -> None:
        await self._send(workspace, "POST", "/traces/delete", {"ids": [case.trace.id]})

    async def _put_judgements(self, case: LabelledCase, workspace: str) -> None:
        scores = {
            "traces": _scores_to_json(case.trace.id, case.trace.feedback_scores),
            "spans": [
                s for each in case.spans for s in _scores_to_json(each.id, each.feedback_scores)
            ],
        }
        for kind, found in scores.items():
            if found:
                await self._send(workspace, "PUT", f"/{kind}/feedback-scores", {"scores": found})
        checks = [
            {
                "entity_id": case.trace.id,
                "secondary_id": validation.span_id,
                "name": check.name,
                "result": check.result or "",
            }
            for validation in case.trace.guardrails_validations
            for check in validation.checks
        ]
        if checks:
            await self._send(workspace, "POST", "/guardrails", {"guardrails": checks})

    async def _send(self, workspace: str, method: str, path: str, body: Any) -> None:
        headers = Caller(self._token, workspace).headers()
        answer = await self._http.request(method, self._url + path, json=body, headers=headers)
        answer.raise_for_status()


def _to_json(record: Any) -> dict[str, Any]:
    shown: dict[str, Any] = record.model_dump(mode="json", exclude_none=True, exclude=_NOT_SENT)
    return {**shown, "project_name": PROJECT}


def _scores_to_json(record_id: str, scores: Sequence[FeedbackScore]) -> list[dict[str, Any]]:
    return [
        {"source": "sdk", **score.model_dump(exclude_none=True), "id": record_id}
        for score in scores
        if score.value is not None
    ]
