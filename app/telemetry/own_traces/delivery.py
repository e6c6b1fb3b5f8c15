"""The requests to the Opik backend of our own traces, as jobs for the queue.

By the SDK's REST layer, not by its high-level client: that one takes its settings from
`~/.opik.config` and `OPIK_*` variables, which may be meant for something else, queues up to a
million messages while its server is away, and sends the start and the end of each span separately.
A turn that is sent whole, once it has ended, needs none of that.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import httpx
from opik.rest_api.client import AsyncOpikApi
from opik.rest_api.core.api_error import ApiError
from opik.rest_api.types.feedback_score_batch_item_thread import FeedbackScoreBatchItemThread
from opik.rest_api.types.span_write import SpanWrite
from opik.rest_api.types.trace_write import TraceWrite

from app.telemetry.own_traces.queue import Job, NotDelivered

SCORE = "opikassist_user_feedback"
_MAX_BATCH = 25
"""The SDK encodes a span in about 0.5 ms on the event loop, which other requests share. The backend
would take 1,000 in one batch."""
_TEMPORARY = frozenset({404, 408, 409, 429})
"""404: a thread that was just written may not be there yet."""


class JobBuilder:
    """Builds jobs for one project of one workspace."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        url: str,
        *,
        api_key: str | None,
        workspace: str | None,
        project: str,
    ) -> None:
        api = AsyncOpikApi(
            base_url=url, api_key=api_key, workspace_name=workspace, httpx_client=http
        )
        self._traces, self._spans = api.traces, api.spans
        self.project = project

    def build_turn(self, trace: TraceWrite, spans: Sequence[SpanWrite]) -> Job:
        requests = [partial(_call, self._traces.create_traces, traces=[trace])]
        for first in range(0, len(spans), _MAX_BATCH):
            batch = spans[first : first + _MAX_BATCH]
            requests.append(partial(_call, self._spans.create_spans, spans=batch))
        return Job(requests)

    def build_score(self, thread_id: str, value: int) -> Job:
        """Only a closed thread can be scored; the next turn opens it again."""
        thread = {"project_name": self.project, "thread_id": thread_id}
        score = FeedbackScoreBatchItemThread(**thread, name=SCORE, value=value, source="sdk")
        close = partial(_call, self._traces.close_trace_thread, **thread)
        return Job([close, partial(_call, self._traces.score_batch_of_threads, scores=[score])])

    def build_score_removal(self, thread_id: str) -> Job:
        thread = {"project_name": self.project, "thread_id": thread_id}
        return Job(
            [partial(_delete, self._traces.delete_thread_feedback_scores, **thread, names=[SCORE])]
        )

    def build_deletion(self, thread_id: str) -> Job:
        threads = {"project_name": self.project, "thread_ids": [thread_id]}
        delete = partial(_delete, self._traces.delete_trace_threads, **threads)
        return Job([*self.build_score_removal(thread_id).requests, delete], deletes=thread_id)


async def _call(request: Callable[..., Awaitable[None]], **arguments: Any) -> None:
    """Calls the SDK; raises NotDelivered with the status or the kind of failure."""
    try:
        await request(**arguments)
    except ApiError as error:
        status = error.status_code or 0
        temporary = status >= 500 or status in _TEMPORARY
        raise NotDelivered(f"status {status}", temporary=temporary, status=status) from None
    except httpx.TransportError as error:
        raise NotDelivered(type(error).__name__, temporary=True) from None


async def _delete(request: Callable[..., Awaitable[None]], **arguments: Any) -> None:
    """The same; what is not there needs no deletion."""
    try:
        await _call(request, **arguments)
    except NotDelivered as failure:
        if failure.status != 404:
            raise
