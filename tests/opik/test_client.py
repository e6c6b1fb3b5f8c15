"""The client of Opik's REST API against answers as backends old and new give them."""

import json
from typing import Any
from uuid import UUID

import httpx
import pytest
import respx
from structlog.testing import capture_logs

from app.caller import Caller
from app.errors import BackendUnavailable, NotAllowed, NotFound, NotSignedIn
from app.opik.client import OpikClient
from app.opik.records import Trace
from app.opik.rest_client import BODY_BYTES
from testkit.backend import rest_client_at

BASE = "http://opik.test/api"
TRACE_ID = str(UUID(int=1))
PROJECT_ID = str(UUID(int=2))
TRACE = Trace(id=TRACE_ID, project_id=PROJECT_ID, span_count=3)
CALLER = Caller(token="tök=n", workspace="téam")


def span(number: int, **more: Any) -> dict[str, Any]:
    return {"id": str(UUID(int=number)), "trace_id": TRACE_ID, "name": f"span {number}", **more}


def lines(*records: Any) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\r\n" for each in records)


class Waits(list[float]):
    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
async def client(waits: Waits) -> Any:
    async with httpx.AsyncClient() as http:
        rest = rest_client_at(BASE, http, timeout=1, attempts=3, sleep=waits)
        yield OpikClient(rest)


@pytest.fixture
def opik() -> Any:
    with respx.mock(base_url=f"{BASE}/v1/private", assert_all_called=False) as router:
        yield router


async def test_only_token_and_workspace_are_forwarded_unchanged(
    client: OpikClient, opik: respx.Router
) -> None:
    route = opik.get(f"/traces/{TRACE_ID}").respond(json={"id": TRACE_ID})
    await client.get_trace(CALLER, TRACE_ID)
    headers = dict(route.calls.last.request.headers.raw)
    assert headers[b"Cookie"] == "sessionToken=tök=n".encode("latin-1")
    assert headers[b"Comet-Workspace"] == "téam".encode("latin-1")
    assert "authorization" not in route.calls.last.request.headers


async def test_a_caller_without_cookie_and_workspace_sends_neither(
    client: OpikClient, opik: respx.Router
) -> None:
    route = opik.get(f"/traces/{TRACE_ID}").respond(json={"id": TRACE_ID})
    await client.get_trace(Caller(), TRACE_ID)
    assert not {"cookie", "comet-workspace"} & set(route.calls.last.request.headers)


async def test_spans_are_read_page_by_page_from_the_last_record_sent(
    client: OpikClient, opik: respx.Router
) -> None:
    numbers = list(range(2_500, 0, -1))
    pages = [lines(*(span(n) for n in numbers[:2_000])), lines(*(span(n) for n in numbers[2_000:]))]
    route = opik.post("/spans/search").mock(
        side_effect=[httpx.Response(200, content=page) for page in pages]
    )
    found = await client.list_spans(CALLER, TRACE, most=50_000)
    assert [each.name for each in found.spans] == [f"span {n}" for n in numbers]
    assert (found.unreadable, found.cut) == (0, False)
    first, second = (json.loads(call.request.content) for call in route.calls)
    assert first == {
        "trace_id": TRACE_ID,
        "project_id": PROJECT_ID,
        "limit": 2_000,
        "truncate": True,
        "exclude": ["input", "output", "metadata"],
    }
    assert second == {**first, "last_retrieved_id": str(UUID(int=501))}
    assert route.calls.last.request.headers["accept"] == "application/octet-stream"


async def test_a_full_page_that_breaks_off_inside_is_continued_smaller(
    client: OpikClient, opik: respx.Router
) -> None:
    timeout = {"code": 500, "message": "Streaming operation timed out"}
    full = lines(
        *(span(n) for n in range(2_500, 1_000, -1)), timeout, *map(span, range(999, 500, -1))
    )
    rest = lines(*(span(n) for n in range(500, 0, -1)))
    route = opik.post("/spans/search").mock(
        side_effect=[httpx.Response(200, content=page) for page in (full, rest, rest)]
    )
    found = await client.list_spans(CALLER, TRACE, most=50_000)
    assert (len(found.spans), found.cut) == (2_499, False)
    last = json.loads(route.calls.last.request.content)
    assert (last["limit"], last["last_retrieved_id"]) == (1_000, span(501)["id"])


async def test_a_refusal_of_a_later_page_is_raised(client: OpikClient, opik: respx.Router) -> None:
    full = lines(*(span(n) for n in range(2_000, 0, -1)))
    answers = [httpx.Response(200, content=full), httpx.Response(403)]
    opik.post("/spans/search").mock(side_effect=answers)
    with pytest.raises(NotAllowed):
        await client.list_spans(CALLER, TRACE, most=50_000)


async def test_a_record_that_cannot_be_read_is_counted_and_still_moves_the_cursor(
    client: OpikClient, opik: respx.Router
) -> None:
    page = lines(span(3), {**span(2), "start_time": "yesterday"})
    opik.post("/spans/search").respond(content=page)
    found = await client.list_spans(CALLER, TRACE, most=50_000)
    assert [each.name for each in found.spans] == ["span 3"]
    assert found.unreadable == 1


async def test_bodies_that_an_old_backend_sends_all_the_same_are_dropped(
    client: OpikClient, opik: respx.Router
) -> None:
    opik.post("/spans/search").respond(content=lines(span(1, input={"q": 1}, output="x")))
    found = await client.list_spans(CALLER, TRACE, most=50_000)
    assert (found.spans[0].input, found.spans[0].output) == (None, None)


async def test_a_page_that_breaks_off_is_requested_smaller_from_where_it_stopped(
    client: OpikClient, opik: respx.Router
) -> None:
    timeout = {"code": 500, "message": "Streaming operation timed out"}
    route = opik.post("/spans/search").mock(
        side_effect=[
            httpx.Response(200, content=lines(span(3), timeout)),
            httpx.Response(200, content=lines(span(2), span(1))),
        ]
    )
    found = await client.list_spans(CALLER, TRACE, most=50_000)
    assert len(found.spans) == 3
    second = json.loads(route.calls.last.request.content)
    assert (second["limit"], second["last_retrieved_id"]) == (1_000, span(3)["id"])


async def test_a_backend_that_always_breaks_off_ends_in_a_list_marked_as_cut(
    client: OpikClient, opik: respx.Router
) -> None:
    opik.post("/spans/search").respond(content=lines({"code": 500, "message": "timed out"}))
    assert (await client.list_spans(CALLER, TRACE, most=50_000)).cut


async def test_no_more_spans_are_read_than_allowed(client: OpikClient, opik: respx.Router) -> None:
    route = opik.post("/spans/search").respond(content=lines(*(span(n) for n in range(10, 0, -1))))
    found = await client.list_spans(CALLER, TRACE, most=10)
    assert (len(found.spans), found.cut, route.call_count) == (10, True, 1)


async def test_spans_of_another_trace_are_left_out(client: OpikClient, opik: respx.Router) -> None:
    foreign = {**span(1), "trace_id": str(UUID(int=99))}
    opik.post("/spans/search").respond(content=lines(span(2), foreign))
    assert [each.name for each in (await client.list_spans(CALLER, TRACE, most=9)).spans] == [
        "span 2"
    ]


async def test_a_span_of_another_trace_is_not_found(client: OpikClient, opik: respx.Router) -> None:
    foreign = {**span(7), "trace_id": str(UUID(int=99))}
    opik.get(f"/spans/{UUID(int=7)}").respond(json=foreign)
    with pytest.raises(NotFound):
        await client.get_span(CALLER, str(UUID(int=7)), trace=TRACE)


async def test_a_record_too_large_is_read_in_its_truncated_form(
    client: OpikClient, opik: respx.Router
) -> None:
    opik.get(f"/spans/{UUID(int=7)}").respond(json=span(7, input="x" * BODY_BYTES))
    search = opik.post("/spans/search").respond(content=lines(span(7, input="x" * 10_001)))
    found = await client.get_span(CALLER, str(UUID(int=7)), trace=TRACE)
    assert len(found.input) == 10_001
    body = json.loads(search.calls.last.request.content)
    assert body["filters"] == [{"field": "id", "operator": "=", "value": str(UUID(int=7))}]
    assert body["truncate"] is True


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_passing_failures_are_tried_again(
    client: OpikClient, opik: respx.Router, waits: Waits, status: int
) -> None:
    opik.get(f"/traces/{TRACE_ID}").mock(
        side_effect=[
            httpx.Response(status),
            httpx.ConnectError("refused"),
            httpx.Response(200, json={"id": TRACE_ID}),
        ]
    )
    assert (await client.get_trace(CALLER, TRACE_ID)).id == TRACE_ID
    assert waits == [0.5, 1.0]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "3"}, 3.0),
        ({"RateLimit-Reset": "2"}, 2.0),
        ({"Retry-After": "10"}, 10.0),
        (
            {
                "Retry-After": "Sun, 22 Nov 2026 10:00:04 GMT",
                "Date": "Sun, 22 Nov 2026 10:00:00 GMT",
            },
            4.0,
        ),
        ({"Retry-After": "soon"}, 0.5),
    ],
)
async def test_a_pause_that_the_backend_asks_for_is_kept(
    client: OpikClient, opik: respx.Router, waits: Waits, headers: dict[str, str], seconds: float
) -> None:
    opik.get(f"/traces/{TRACE_ID}").mock(
        side_effect=[
            httpx.Response(429, headers=headers),
            httpx.Response(200, json={"id": TRACE_ID}),
        ]
    )
    await client.get_trace(CALLER, TRACE_ID)
    assert waits == [seconds]


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({}, "a minute"),
        ({"Retry-After": "60"}, "a minute"),
        ({"Retry-After": "3600"}, "60 minutes"),
    ],
)
async def test_a_rate_limit_message_names_the_pause_that_the_backend_asks_for(
    client: OpikClient, opik: respx.Router, headers: dict[str, str], pause: str
) -> None:
    opik.get(f"/traces/{TRACE_ID}").mock(return_value=httpx.Response(429, headers=headers))
    with pytest.raises(BackendUnavailable, match=f"Wait {pause} and ask again"):
        await client.get_trace(CALLER, TRACE_ID)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_long_pause_that_the_backend_asks_for_fails_at_once(
    client: OpikClient, opik: respx.Router, waits: Waits, status: int
) -> None:
    route = opik.get(f"/traces/{TRACE_ID}")
    route.mock(return_value=httpx.Response(status, headers={"Retry-After": "3600"}))
    with pytest.raises(BackendUnavailable, match="Opik"):
        await client.get_trace(CALLER, TRACE_ID)
    assert (route.call_count, waits) == (1, [])


@pytest.mark.parametrize(
    ("status", "body", "kind", "detail"),
    [
        (401, {"code": 401, "message": "User not allowed"}, NotSignedIn, "User not allowed"),
        (403, {"errors": ["no", "access"]}, NotAllowed, "no; access"),
        (404, {"errors": ["not found"]}, NotFound, "not found"),
        (404, {"code": 404, "message": "HTTP 404 Not Found"}, NotFound, "HTTP 404 Not Found"),
        (400, {"error": "bad"}, BackendUnavailable, "bad"),
        (429, {"code": 429, "message": "slow"}, BackendUnavailable, "slow"),
        (500, "<html>oops</html>", BackendUnavailable, ""),
        (503, "", BackendUnavailable, ""),
    ],
)
async def test_every_shape_of_error_gives_its_detail(
    client: OpikClient, opik: respx.Router, status: int, body: Any, kind: Any, detail: str
) -> None:
    content = body if isinstance(body, str) else json.dumps(body)
    opik.get(f"/traces/{TRACE_ID}").respond(status, content=content)
    for ask in (client.get_trace, client.check_trace):
        with pytest.raises(kind) as failure:
            await ask(CALLER, TRACE_ID)
        assert failure.value.detail == detail


async def test_a_message_about_a_backend_out_of_reach_names_no_address(
    client: OpikClient, opik: respx.Router
) -> None:
    opik.get(f"/traces/{TRACE_ID}").mock(side_effect=httpx.ConnectError("10.0.0.7 refused"))
    with pytest.raises(BackendUnavailable) as failure:
        await client.get_trace(CALLER, TRACE_ID)
    assert "10.0.0.7" not in failure.value.message


@pytest.mark.parametrize("body", ["<html>", "[]", "null", '{"name": 1}', "[" * 100_000])
async def test_an_answer_that_is_no_trace_fails_and_its_setting_is_logged(
    client: OpikClient, opik: respx.Router, body: str
) -> None:
    opik.get(f"/traces/{TRACE_ID}").respond(200, content=body)
    with (
        capture_logs() as logs,
        pytest.raises(BackendUnavailable, match=r"cannot be read\. Ask your administrator"),
    ):
        await client.get_trace(CALLER, TRACE_ID)
    assert [each["check_setting"] for each in logs] == ["AGENT_OPIK_URL"]


async def test_a_redirect_is_not_followed(client: OpikClient, opik: respx.Router) -> None:
    elsewhere = opik.get("/elsewhere").respond(json={"id": TRACE_ID})
    opik.get(f"/traces/{TRACE_ID}").respond(
        302, headers={"Location": f"{BASE}/v1/private/elsewhere"}
    )
    with pytest.raises(BackendUnavailable):
        await client.get_trace(CALLER, TRACE_ID)
    assert not elsewhere.called


async def test_a_permission_is_read_from_the_status_whatever_the_size_of_the_body(
    client: OpikClient, opik: respx.Router
) -> None:
    opik.get(f"/traces/{TRACE_ID}").respond(200, content=b"x" * 200_000)
    await client.check_trace(CALLER, TRACE_ID)


@pytest.mark.parametrize("status", [404, 405])
async def test_an_old_backend_does_not_name_the_caller(
    client: OpikClient, opik: respx.Router, status: int
) -> None:
    opik.get("/workspace-permissions").respond(status)
    assert await client.get_permissions(CALLER) is None


@pytest.mark.parametrize("status", [400, 401, 403, 500, 302])
async def test_any_other_failure_to_name_the_caller_is_raised(
    client: OpikClient, opik: respx.Router, status: int
) -> None:
    opik.get("/workspace-permissions").respond(status)
    with pytest.raises((NotSignedIn, NotAllowed, BackendUnavailable)):
        await client.get_permissions(CALLER)
