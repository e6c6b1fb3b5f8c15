"""Refusals and lost connections: which are tried again, after which pause."""

from typing import Any

import httpx
import pytest
import respx

from app.chat.capabilities import Capabilities
from app.messages import TokenUsage
from testkit.limits import chat_options
from tests.chat.proxy import (
    TOKEN,
    ModelProbe,
    failed,
    finish_frame,
    replayed,
    streamed,
    text_frame,
    whole,
)

UNREACHABLE = httpx.ConnectError("no route to 10.1.2.3")


@pytest.mark.parametrize(
    "first",
    [
        UNREACHABLE,
        httpx.ConnectTimeout("slow"),
        httpx.RemoteProtocolError("closed"),
        httpx.ReadError("reset"),
        httpx.PoolTimeout("full"),
        httpx.Response(429),
        httpx.Response(502, html="<html>Bad Gateway</html>"),
        httpx.Response(503),
        httpx.Response(504),
        streamed({"code": 429, "message": "Rate limit reached"}),
        streamed({"error": {"message": "Overloaded", "code": "503"}}),
    ],
)
async def test_a_temporary_failure_is_tried_again_after_a_pause(
    first: httpx.Response | Exception, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(side_effect=[first, replayed("text.sse")])
    probe = ModelProbe(http)
    assert (await probe.reply()).complete
    assert probe.pauses == [0.5]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (UNREACHABLE, "unreachable"),
        (httpx.Response(429), "rate_limited"),
        (httpx.Response(503), "unreachable"),
    ],
)
async def test_attempts_are_counted_and_pauses_double(
    answer: httpx.Response | Exception, reason: str, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(side_effect=[answer] * 9)
    probe = ModelProbe(http, attempts=4, backoff=0.25)
    error = await failed(probe)
    assert error.reason == reason
    assert probe.pauses == [0.25, 0.5, 1.0]
    assert "10.1.2.3" not in f"{error.message}{error.detail}{error.__cause__}{error.__context__}"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(400, json={"code": 400, "message": "No."}),
        httpx.Response(401),
        httpx.Response(403),
        httpx.Response(404),
        httpx.Response(500),
        streamed({"code": 500, "message": "Unexpected error calling LLM provider"}),
        httpx.Response(200, html="<!DOCTYPE html><title>Sign in</title>"),
    ],
)
async def test_a_permanent_failure_is_not_tried_again(
    answer: httpx.Response, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=answer)
    probe = ModelProbe(http)
    await failed(probe)
    assert proxy.call_count == 1
    assert probe.pauses == []


async def test_only_the_configured_statuses_are_tried_again(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=httpx.Response(503))
    await failed(ModelProbe(http, statuses=frozenset({429})))
    assert proxy.call_count == 1


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"RateLimit-Reset": "3"}, 3.0),
        ({"Retry-After": "soon", "RateLimit-Reset": "3"}, 3.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "-5"}, 0.5),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:09 GMT"}, 0.5),
        (
            {
                "Retry-After": "Wed, 21 Oct 2026 07:28:09 GMT",
                "Date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            9.0,
        ),
        (
            {
                "Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT",
                "Date": "Wed, 21 Oct 2026 07:28:09 GMT",
            },
            0.0,
        ),
        (
            {
                "Retry-After": "Wed, 21 Oct 2026 07:28:00 -0000",
                "Date": "Wed, 21 Oct 2026 07:28:09 GMT",
            },
            0.5,
        ),
    ],
)
async def test_the_pause_is_the_one_that_the_proxy_asks_for(
    headers: dict[str, str], pause: float, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(side_effect=[httpx.Response(429, headers=headers), replayed("text.sse")])
    probe = ModelProbe(http)
    await probe.reply()
    assert probe.pauses == [pause]


async def test_a_backend_that_asks_for_a_long_pause_is_not_tried_again(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=httpx.Response(429, headers={"Retry-After": "3600"}))
    probe = ModelProbe(http)
    assert (await failed(probe)).reason == "rate_limited"
    assert probe.pauses == []


async def test_a_whole_answer_is_tried_only_once_more_after_a_server_error(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(side_effect=[streamed(), *[httpx.Response(503)] * 9])
    await failed(ModelProbe(http, attempts=5))
    assert proxy.call_count == 3


async def test_after_text_was_shown_nothing_is_tried_again(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(
        return_value=streamed(text_frame("Hel"), {"error": {"message": "Busy", "code": "503"}})
    )
    probe = ModelProbe(http)
    await failed(probe)
    assert probe.shown == ["Hel"]
    assert proxy.call_count == 1


async def test_a_whole_answer_is_tried_again_after_a_rate_limit(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(side_effect=[streamed(), httpx.Response(429), whole("Hello")])
    probe = ModelProbe(http)
    assert (await probe.reply()).text == "Hello"
    assert probe.pauses == [0.5]


async def test_an_expired_session_has_its_own_message(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    words = {"code": 401, "message": "User not allowed to access workspace"}
    proxy.mock(return_value=httpx.Response(401, json=words))
    error = await failed(ModelProbe(http))
    assert error.reason == "not_signed_in"
    assert "session has expired" in error.message


async def test_a_redirect_is_not_followed(proxy: respx.Route) -> None:
    elsewhere = {"Location": "http://elsewhere.example/"}
    proxy.mock(return_value=httpx.Response(307, headers=elsewhere))
    async with httpx.AsyncClient(follow_redirects=True) as http:
        error = await failed(ModelProbe(http))
    assert error.reason == "unreachable"
    assert error.setting == "AGENT_OPIK_URL"


async def test_after_text_was_shown_a_refused_parameter_is_a_failure(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    refusal = {"code": 400, "message": "Unsupported parameter: 'temperature'"}
    proxy.mock(return_value=streamed(text_frame("Hel"), refusal))
    await failed(ModelProbe(http, options=chat_options(temperature=0.2)))
    assert proxy.call_count == 1


REASONING = {"choices": [{"index": 0, "delta": {"reasoning_content": "Well."}}]}


@pytest.mark.parametrize(
    ("native_tools", "frame", "finish", "second", "used"),
    [
        (True, REASONING, "length", whole(None, finish="length"), TokenUsage(310, 54)),
        (True, REASONING, "stop", httpx.Response(400), TokenUsage(300, 50)),
        (True, text_frame(""), "content_filter", None, TokenUsage(300, 50)),
        (False, text_frame(f"<call-{TOKEN}>?</call-{TOKEN}>"), "stop", None, TokenUsage(600, 100)),
    ],
)
async def test_a_failure_holds_the_reported_tokens_of_all_replies_before_it(
    native_tools: bool,
    frame: dict[str, Any],
    finish: str,
    second: httpx.Response | None,
    used: TokenUsage,
    http: httpx.AsyncClient,
    proxy: respx.Route,
) -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 300, "completion_tokens": 50}}
    first = streamed(frame, finish_frame(finish), usage)
    proxy.mock(side_effect=[first, second or first])
    probe = ModelProbe(http, capabilities=Capabilities(native_tools=native_tools))
    assert (await failed(probe)).usage == used
