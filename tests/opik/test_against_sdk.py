"""Our requests beside those of the real SDK's REST client for the same calls."""

import os
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.caller import Caller
from app.opik.client import OpikClient
from app.opik.records import Span, Trace
from standin.app import Standin, create_app
from standin.record_store import Records
from standin.switches import Switches
from testkit.backend import rest_client_at
from testkit.scripted_chat import DirectedChat, answer
from testkit.service import TRACE_ID, record_trace, serving, span_id

os.environ["OPIK_SENTRY_ENABLE"] = "false"
os.environ["OPIK_ANALYTICS_ENABLE"] = "false"

CALLER = Caller(workspace="default")


class Both:
    """The stand-in, our client, and the SDK's."""

    def __init__(self, standin: Standin, ours: OpikClient, sdk: Any) -> None:
        self.standin = standin
        self.ours = ours
        self.sdk = sdk

    def sent(self) -> list[tuple[Any, ...]]:
        """The requests since the last look: method, path, query, body."""
        received = [
            (each.method, each.path, each.query, each.body)
            for each in self.standin.switches.received
        ]
        self.standin.switches.received.clear()
        return received


@pytest.fixture
async def both() -> AsyncIterator[Both]:
    from opik.rest_api import AsyncOpikApi

    standin = create_app(Records(), chat=DirectedChat(answer("x")), switches=Switches())
    record_trace(standin)
    async with serving(standin, grace=1) as url, httpx.AsyncClient() as http:
        rest = rest_client_at(url, http, timeout=5)
        sdk = AsyncOpikApi(base_url=url, workspace_name="default", httpx_client=http)
        yield Both(standin, OpikClient(rest), sdk)


async def test_a_trace_is_requested_as_by_the_sdk_and_read_alike(both: Both) -> None:
    theirs = await both.sdk.traces.get_trace_by_id(TRACE_ID, strip_attachments=True)
    expected = both.sent()
    ours = await both.ours.get_trace(CALLER, TRACE_ID)
    assert both.sent() == expected
    assert same(ours, theirs, Trace)


async def test_a_span_is_requested_as_by_the_sdk_and_read_alike(both: Both) -> None:
    theirs = await both.sdk.spans.get_span_by_id(span_id(3), strip_attachments=True)
    expected = both.sent()
    trace = Trace(id=TRACE_ID)
    ours = await both.ours.get_span(CALLER, span_id(3), trace=trace)
    assert both.sent() == expected
    assert same(ours, theirs, Span)


async def test_spans_are_searched_as_by_the_sdk(both: Both) -> None:
    trace = await both.ours.get_trace(CALLER, TRACE_ID)
    both.sent()
    pieces = both.sdk.spans.search_spans(
        trace_id=TRACE_ID,
        project_id=trace.project_id,
        limit=2_000,
        truncate=True,
        exclude=["input", "output", "metadata"],
    )
    theirs = b"".join([piece async for piece in pieces])
    expected = both.sent()
    ours = await both.ours.list_spans(CALLER, trace, most=50_000)
    assert both.sent() == expected
    assert len(ours.spans) == theirs.count(b"\n") == 4


async def test_the_caller_is_requested_as_by_the_sdk(both: Both) -> None:
    theirs = await both.sdk.workspace_permissions.get_workspace_user_permissions()
    expected = both.sent()
    ours = await both.ours.get_permissions(CALLER)
    assert both.sent() == expected
    assert ours is not None
    assert (ours.user_name, ours.workspace_name) == (theirs.user_name, theirs.workspace_name)


def same(ours: Any, theirs: Any, kind: type[Any]) -> bool:
    """Whether what we read of a record is what the SDK reads."""
    dumped = theirs.model_dump() if hasattr(theirs, "model_dump") else theirs.dict()
    read = kind.model_validate(dumped)
    assert read == ours
    return True


async def test_a_search_asks_for_a_byte_stream(both: Both) -> None:
    trace = await both.ours.get_trace(CALLER, TRACE_ID)
    await both.ours.list_spans(CALLER, trace, most=10)
    last = both.standin.switches.received[-1]
    assert last.headers["accept"] == "application/octet-stream"
