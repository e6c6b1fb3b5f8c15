"""What the stand-in makes fail on request, over real sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from standin.app import create_app
from standin.chat import ScriptedChat
from standin.faults import (
    Answer,
    CutAfter,
    Delay,
    Endless,
    Fault,
    PauseAfter,
    Refuse,
    garbage,
    html_page,
)
from standin.record_store import Records
from standin.switches import Switches, UserAccount
from testkit.service import serving

SEARCH = "/v1/private/traces/search"
PERMISSIONS = "/v1/private/workspace-permissions"
ASKED = {"project_name": "shop"}


def trace(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"019a0000-0000-7000-8000-{number:012d}",
        "project_name": "shop",
        "name": f"trace {number}",
        "start_time": f"2026-11-20T10:00:{number:02d}Z",
        **more,
    }


@asynccontextmanager
async def backend(**switched: Any) -> AsyncIterator[tuple[httpx.AsyncClient, Switches]]:
    records, switches = Records(), Switches(**switched)
    records.put_traces([trace(number) for number in range(1, 6)])
    app = create_app(records, chat=ScriptedChat([]), switches=switches)
    async with serving(app, grace=1) as url, httpx.AsyncClient(base_url=url) as http:
        yield http, switches


async def lines_before_the_cut(response: httpx.Response) -> int:
    read = b""
    try:
        async for part in response.aiter_bytes():
            read += part
    except httpx.RemoteProtocolError:
        return read.count(b"\r\n")
    raise AssertionError("the body ended as if it were whole")


async def test_a_connection_refused_or_cut_is_no_answer() -> None:
    async with backend() as (http, switches):
        switches.faults = [Fault(Refuse(), SEARCH, times=1)]
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post(SEARCH, json=ASKED)
        switches.faults = [Fault(CutAfter(lines=2), SEARCH, method="POST", times=1)]
        async with http.stream("POST", SEARCH, json=ASKED) as response:
            assert await lines_before_the_cut(response) == 2
        assert (await http.post(SEARCH, json=ASKED)).text.count("\r\n") == 5


async def test_answers_are_replaced_for_so_many_requests_after_so_many() -> None:
    limited = Answer(429, {"message": "later"}, {"Retry-After": "1"})
    async with backend(faults=[Fault(limited, SEARCH, skip=1, times=2)]) as (http, _):
        statuses = [(await http.post(SEARCH, json=ASKED)).status_code for _ in range(4)]
    assert statuses == [200, 429, 429, 200]


async def test_gateways_and_garbage_answer_in_place_of_the_backend() -> None:
    async with backend() as (http, switches):
        switches.faults = [Fault(html_page())]
        page = await http.get(PERMISSIONS)
        assert (page.status_code, page.headers["content-type"][:9]) == (502, "text/html")
        switches.faults = [Fault(garbage())]
        with pytest.raises(ValueError, match=r"codec|JSON|Expecting"):
            (await http.get(PERMISSIONS)).json()
        switches.faults = [Fault(Answer(200, b"x" * 3_000_000))]
        assert len((await http.get(PERMISSIONS)).content) == 3_000_000


async def test_delays_and_silences_exceed_the_clients_timeout() -> None:
    async with backend() as (http, switches):
        for effect in (Delay(1), PauseAfter(bytes=10, seconds=1)):
            switches.faults = [Fault(effect, SEARCH)]
            with pytest.raises(httpx.ReadTimeout):
                await http.post(SEARCH, json=ASKED, timeout=0.1)


async def test_an_endless_body_goes_on_until_the_client_leaves() -> None:
    async with (
        backend(faults=[Fault(Endless())]) as (http, _),
        http.stream("GET", PERMISSIONS) as response,
    ):
        read = 0
        async for part in response.aiter_bytes():
            read += len(part)
            if read > 1_000_000:
                break
    assert read > 1_000_000


async def test_answers_are_packed_only_for_clients_that_allow_it() -> None:
    async with backend(gzip_answers=True, set_cookie="a=b") as (http, _):
        packed = await http.post(SEARCH, json=ASKED)
        plain = await http.post(SEARCH, json=ASKED, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text
    assert plain.headers["set-cookie"] == "a=b"


async def test_a_gateway_may_compress_answers_unasked() -> None:
    async with backend(gzip_answers=True, gzip_unasked=True) as (http, _):
        asked = {"Accept-Encoding": "identity"}
        packed = await http.post(SEARCH, json=ASKED, headers=asked)
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.text.splitlines()) == 5


async def test_a_fault_may_hit_the_requests_of_one_workspace_only() -> None:
    async with backend(faults=[Fault(html_page(), workspace="red")]) as (http, _):
        red = await http.get(PERMISSIONS, headers={"Comet-Workspace": "red"})
        blue = await http.get(PERMISSIONS, headers={"Comet-Workspace": "blue"})
    assert (red.status_code, blue.status_code) == (502, 200)


async def test_a_used_up_limit_is_429_with_the_time_of_its_reset() -> None:
    async with backend(requests_left=1, rate_limit_reset=7) as (http, _):
        assert (await http.get(PERMISSIONS)).status_code == 200
        refused = await http.get(PERMISSIONS)
    assert (refused.status_code, refused.headers["ratelimit-reset"]) == (429, "7")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Cookie": "sessionToken=ann", "Comet-Workspace": "team"}, 200),
        ({"Authorization": "ann", "Comet-Workspace": "team"}, 200),
        ({"Cookie": "sessionToken=bob", "Authorization": "ann", "Comet-Workspace": "team"}, 401),
        ({"Cookie": "sessionToken=ann", "Comet-Workspace": "other"}, 403),
        ({"Cookie": "sessionToken=ann", "Comet-Workspace": "default"}, 403),
        ({"Cookie": "sessionToken=ann"}, 403),
        ({"Comet-Workspace": "team"}, 401),
    ],
)
async def test_with_accounts_a_token_opens_its_workspaces_only(
    headers: dict[str, str], status: int
) -> None:
    accounts = {"ann": UserAccount("Ann", frozenset({"team"}))}
    async with backend(accounts=accounts) as (http, _):
        answer = await http.get(PERMISSIONS, headers=headers)
    assert answer.status_code == status
    if status == 200:
        assert (answer.json()["userName"], answer.json()["workspaceName"]) == ("Ann", "team")


async def test_requests_are_kept_as_they_came() -> None:
    async with backend() as (http, switches):
        await http.post(f"/api{SEARCH}?x=1", json=ASKED, headers={"X-Own": "y"})
    (received,) = switches.requests("POST", SEARCH)
    assert received.query == {"x": "1"}
    assert received.body == ASKED
    assert received.headers["x-own"] == "y"


async def test_old_backends_lack_endpoints_and_name_errors_otherwise() -> None:
    missing = "/v1/private/traces/019a0000-0000-7000-8000-999999999999"
    async with backend(permissions_status=405, models_endpoint=False) as (http, switches):
        assert (await http.get(PERMISSIONS)).status_code == 405
        assert (await http.get("/v1/private/llm/models")).status_code == 404
        assert (await http.get("/v1/private/unknown")).json()["code"] == 404
        assert (await http.get(missing)).json() == {"errors": ["Trace not found"]}
        switches.generation = "A"
        assert (await http.get(missing)).json() == {"code": 404, "message": "HTTP 404 Not Found"}
