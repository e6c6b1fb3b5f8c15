"""Sends records to an Opik backend by the SDK's REST layer, from one thread.

Not by the SDK's high-level client: that one takes its settings from `~/.opik.config` and `OPIK_*`
variables, which may be meant for something else; it queues up to a million messages while its
server is away; its `flush` blocks as long as it is told to; and it sends a beginning and an end of
each span, of which either may arrive first. A turn that is sent whole, once it has ended, needs
none of that: one batch with its trace, one with its spans.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import httpx
from opik.id_helpers import generate_id
from opik.rest_api.client import OpikApi
from opik.rest_api.core.api_error import ApiError
from opik.rest_api.types.error_info_write import ErrorInfoWrite
from opik.rest_api.types.feedback_score_batch_item_thread import FeedbackScoreBatchItemThread
from opik.rest_api.types.span_write import SpanWrite
from opik.rest_api.types.trace_write import TraceWrite

from app.messages import TokenUsage
from app.telemetry.own_traces.queue import NotDelivered, Step
from app.telemetry.own_traces.records import (
    Failure,
    Observation,
    SpanRecord,
    ThreadDeletion,
    TurnRecord,
)

SCORE = "opikassist_user_feedback"
TRACE_NAME = "answer_question"
REQUEST_SECONDS = 5.0

# The most that the backend takes in one batch.
_BATCH = 1_000
# 404: a thread that was just written may not be there yet.
_PASSING = frozenset({404, 408, 409, 429})


class OpikDelivery:
    """`outbox.Delivery` to one project of one workspace."""

    def __init__(
        self, url: str, *, api_key: str | None, workspace: str | None, project: str
    ) -> None:
        self._http = httpx.Client(timeout=REQUEST_SECONDS, follow_redirects=False)
        self._api = OpikApi(
            base_url=url, api_key=api_key, workspace_name=workspace, httpx_client=self._http
        )
        self._project = project

    def steps(self, item: Observation) -> Sequence[Step]:
        """See the protocol."""
        if isinstance(item, TurnRecord):
            return self._send(item)
        if isinstance(item, ThreadDeletion):
            return [self._unscore(item.conversation_id), self._erase(item.conversation_id)]
        if item.value is None:
            return [self._unscore(item.conversation_id)]
        return self._score(item.conversation_id, item.value)

    def close(self) -> None:
        self._http.close()

    def _send(self, turn: TurnRecord) -> Sequence[Step]:
        trace = TraceWrite(
            id=generate_id(turn.start),
            project_name=self._project,
            name=TRACE_NAME,
            start_time=turn.start,
            end_time=turn.end,
            input=turn.input,
            output=turn.output,
            metadata=dict(turn.facts),
            tags=list(turn.tags),
            error_info=_error_info(turn.failure),
            thread_id=turn.conversation_id,
            source="sdk",
        )
        spans = [self._span(trace, each) for each in turn.spans]
        batches = [spans[first : first + _BATCH] for first in range(0, len(spans), _BATCH)]
        send_spans = [partial(_done, self._api.spans.create_spans, spans=each) for each in batches]
        return [partial(_done, self._api.traces.create_traces, traces=[trace]), *send_spans]

    def _span(self, trace: TraceWrite, span: SpanRecord) -> SpanWrite:
        return SpanWrite(
            id=generate_id(span.start),
            project_name=self._project,
            trace_id=trace.id,
            name=span.name,
            type=span.type,
            start_time=span.start,
            end_time=span.end,
            input=span.input,
            output=span.output,
            metadata=dict(span.facts),
            model=span.model or None,
            provider=span.provider or None,
            usage=_usage(span.usage) if span.usage else None,
            error_info=_error_info(span.failure),
            source="sdk",
        )

    def _score(self, thread: str, value: int) -> Sequence[Step]:
        """Only a closed thread can be scored; the next turn opens it again."""
        score = FeedbackScoreBatchItemThread(
            project_name=self._project, thread_id=thread, name=SCORE, value=value, source="sdk"
        )
        traces = self._api.traces
        return [
            partial(_done, traces.close_trace_thread, project_name=self._project, thread_id=thread),
            partial(_done, traces.score_batch_of_threads, scores=[score]),
        ]

    def _unscore(self, thread: str) -> Step:
        return partial(
            _done,
            _removal(self._api.traces.delete_thread_feedback_scores),
            project_name=self._project,
            thread_id=thread,
            names=[SCORE],
        )

    def _erase(self, thread: str) -> Step:
        return partial(
            _done,
            _removal(self._api.traces.delete_trace_threads),
            project_name=self._project,
            thread_ids=[thread],
        )


def _done(call: Callable[..., None], **arguments: Any) -> None:
    """Calls the SDK; raises NotDelivered, with the status or the kind of failure."""
    try:
        call(**arguments)
    except ApiError as error:
        status = error.status_code or 0
        passing = status >= 500 or status in _PASSING
        raise NotDelivered(f"status {status}", may_pass=passing) from None
    except httpx.TransportError as error:
        raise NotDelivered(type(error).__name__, may_pass=True) from None


def _removal(call: Callable[..., None]) -> Callable[..., None]:
    """The SDK's call to remove something, content where it is not there."""

    def remove(**arguments: Any) -> None:
        try:
            call(**arguments)
        except ApiError as error:
            if error.status_code != 404:
                raise

    return remove


def _error_info(failure: Failure | None) -> ErrorInfoWrite | None:
    """The backend wants a traceback that is not blank; there is none to tell."""
    if failure is None:
        return None
    return ErrorInfoWrite(
        exception_type=failure.code, message=failure.message, traceback=failure.message
    )


def _usage(usage: TokenUsage) -> dict[str, int]:
    """The names under which Opik counts and prices tokens."""
    counts = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "original_usage.prompt_tokens_details.cached_tokens": usage.cached_tokens,
        "original_usage.completion_tokens_details.reasoning_tokens": usage.reasoning_tokens,
    }
    return {name: count for name, count in counts.items() if count}
