"""Answers that are no reply: which are tried again, and what the others say."""

from collections.abc import AsyncIterator

import anyio
import httpx
import pytest
import respx

from app.chat.model import ChatOptions
from app.errors import ModelFailed
from tests.chat.proxy import Asked, finish_frame, in_chunks, replayed, streamed, text_frame, whole

STREAM = {"Content-Type": "text/event-stream"}
UNREACHABLE = httpx.ConnectError("no route to 10.1.2.3")


async def failed(asked: Asked) -> ModelFailed:
    with pytest.raises(ModelFailed) as failure:
        await asked.reply()
    return failure.value


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
async def test_what_passes_is_tried_again_after_a_pause(
    first: httpx.Response | Exception, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(side_effect=[first, replayed("text.sse")])
    asked = Asked(http)
    assert (await asked.reply()).complete
    assert asked.pauses == [0.5]


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
    asked = Asked(http, options=ChatOptions(attempts=4, backoff=0.25))
    error = await failed(asked)
    assert error.reason == reason
    assert asked.pauses == [0.25, 0.5, 1.0]
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
async def test_what_stays_is_not_tried_again(
    answer: httpx.Response, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=answer)
    asked = Asked(http)
    await failed(asked)
    assert proxy.call_count == 1
    assert asked.pauses == []


async def test_only_the_configured_statuses_are_tried_again(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=httpx.Response(503))
    await failed(Asked(http, options=ChatOptions(statuses=frozenset({429}))))
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
async def test_the_pause_is_the_one_that_was_asked_for(
    headers: dict[str, str], pause: float, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(side_effect=[httpx.Response(429, headers=headers), replayed("text.sse")])
    asked = Asked(http)
    await asked.reply()
    assert asked.pauses == [pause]


async def test_whoever_asks_for_a_long_pause_is_not_asked_again(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=httpx.Response(429, headers={"Retry-After": "3600"}))
    asked = Asked(http)
    assert (await failed(asked)).reason == "rate_limited"
    assert asked.pauses == []


async def test_a_whole_answer_is_tried_only_once_more_after_a_server_error(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(side_effect=[streamed(), *[httpx.Response(503)] * 9])
    await failed(Asked(http, options=ChatOptions(attempts=5)))
    assert proxy.call_count == 3


async def test_after_text_was_said_nothing_is_tried_again(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(
        return_value=streamed(text_frame("Hel"), {"error": {"message": "Busy", "code": "503"}})
    )
    asked = Asked(http)
    await failed(asked)
    assert asked.said == ["Hel"]
    assert proxy.call_count == 1


async def breaking(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    raise httpx.RemoteProtocolError("peer closed connection")


async def test_a_connection_lost_in_the_middle_keeps_the_text(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    content = breaking(b'data: {"choices":[{"delta":{"content":"Hel"}}]}\n\n', b'data: {"cho')
    proxy.mock(return_value=httpx.Response(200, headers=STREAM, content=content))
    reply = await Asked(http).reply()
    assert (reply.text, reply.complete) == ("Hel", False)


async def test_a_connection_lost_after_the_end_mark_loses_nothing(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    content = breaking(
        b'data: {"choices":[{"delta":{"content":"Hel"},"finish_reason":"stop"}]}\n\n'
    )
    proxy.mock(return_value=httpx.Response(200, headers=STREAM, content=content))
    assert (await Asked(http).reply()).complete


async def test_a_connection_lost_before_the_first_byte_is_tried_again(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    lost = httpx.Response(200, headers=STREAM, content=breaking())
    proxy.mock(side_effect=[lost, replayed("text.sse")])
    asked = Asked(http)
    assert (await asked.reply()).complete
    assert asked.pauses == [0.5]


async def silent(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    await anyio.sleep_forever()


@pytest.mark.parametrize("chunks", [(), (b": hello\n",), (b'data: {"choices":[]}\n\n',)])
async def test_silence_ends_in_words_that_name_the_backends_limits(
    chunks: tuple[bytes, ...], http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=httpx.Response(200, headers=STREAM, content=silent(*chunks)))
    error = await failed(Asked(http, options=ChatOptions(silence_seconds=0.01)))
    assert error.reason == "timeout"
    assert "LLM_PROVIDER_CLIENT_*_TIMEOUT" in error.message
    assert "SERVER_IDLE_TIMEOUT" in error.message
    assert proxy.call_count == 1


async def test_silence_before_the_headers_is_a_timeout_too(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()

    proxy.mock(side_effect=never)
    assert (
        await failed(Asked(http, options=ChatOptions(silence_seconds=0.01)))
    ).reason == "timeout"


async def test_silence_after_the_end_mark_is_the_end(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    content = silent(b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n')
    proxy.mock(return_value=httpx.Response(200, headers=STREAM, content=content))
    reply = await Asked(http, options=ChatOptions(silence_seconds=0.01)).reply()
    assert (reply.text, reply.complete) == ("Hi", True)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(200, html="<!DOCTYPE html>\n<title>Sign in</title>"), "not_understood"),
        (httpx.Response(200, headers=STREAM, text="<html>\nno"), "not_understood"),
        (httpx.Response(200, headers=STREAM, text="hello world"), "not_understood"),
        (httpx.Response(200, headers=STREAM, content=b"\xff\x00\xfe" * 99), "not_understood"),
        (httpx.Response(200, headers=STREAM, text="data: nonsense\n\n"), "not_understood"),
        (httpx.Response(200, json=["a", "list"]), "not_understood"),
        (httpx.Response(200, json={"code": 500, "message": "No."}), "provider_error"),
    ],
)
async def test_an_answer_that_is_no_reply_ends_in_words(
    answer: httpx.Response, reason: str, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=answer)
    assert (await failed(Asked(http))).reason == reason


async def test_a_broken_compression_ends_in_words(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    headers = STREAM | {"Content-Encoding": "gzip"}
    content = in_chunks([b"no gzip"])
    proxy.mock(return_value=httpx.Response(200, headers=headers, content=content))
    assert (await failed(Asked(http))).reason == "not_understood"
    assert proxy.call_count == 1


async def endless(piece: bytes) -> AsyncIterator[bytes]:
    while True:
        yield piece


@pytest.mark.parametrize("media_type", ["text/event-stream", "application/json", "text/html"])
@pytest.mark.parametrize("piece", [b"x" * 65_536, b": ping\n" * 9_000, b'{"a":' * 9_000])
async def test_an_endless_answer_ends_in_words(
    media_type: str, piece: bytes, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    headers = {"Content-Type": media_type}
    proxy.mock(return_value=httpx.Response(200, headers=headers, content=endless(piece)))
    error = await failed(Asked(http, options=ChatOptions(reply_bytes=20_000)))
    assert error.reason == "not_understood"


async def test_an_endless_error_is_told_by_its_status(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=httpx.Response(500, content=endless(b"x" * 65_536)))
    assert (await failed(Asked(http))).reason == "provider_error"


async def test_a_huge_frame_after_text_leaves_the_text_incomplete(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    huge = text_frame("x" * 10_000_000)
    proxy.mock(return_value=streamed(text_frame("Hello"), huge, finish_frame("stop")))
    reply = await Asked(http).reply()
    assert (reply.text, reply.complete) == ("Hello", False)


async def test_a_huge_first_frame_ends_in_words(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=streamed(text_frame("x" * 10_000_000)))
    assert (await failed(Asked(http))).reason == "not_understood"


async def test_an_expired_session_is_told_as_such(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    words = {"code": 401, "message": "User not allowed to access workspace"}
    proxy.mock(return_value=httpx.Response(401, json=words))
    error = await failed(Asked(http))
    assert error.reason == "not_signed_in"
    assert "session has expired" in error.message


async def test_a_cancelled_reply_closes_the_answer(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    closed = anyio.Event()

    class Body(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b'data: {"choices":[{"delta":{"content":"Hel"}}]}\n\n'
            scope.cancel()
            await anyio.sleep_forever()

        async def aclose(self) -> None:
            await anyio.lowlevel.checkpoint()
            closed.set()

    proxy.mock(return_value=httpx.Response(200, headers=STREAM, stream=Body()))
    asked = Asked(http)
    with anyio.CancelScope() as scope:
        await asked.reply()
    assert scope.cancelled_caught
    assert asked.said == ["Hel"]
    assert closed.is_set()


async def test_a_repeated_whole_answer_that_fails_is_told(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(side_effect=[streamed(), httpx.Response(429), whole("Hello")])
    asked = Asked(http)
    assert (await asked.reply()).text == "Hello"
    assert asked.pauses == [0.5]


async def test_pieces_of_an_answer_may_come_slowly_one_by_one(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    data = b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: [DONE]\n\n'
    pieces = in_chunks([data[at : at + 1] for at in range(len(data))])
    proxy.mock(return_value=httpx.Response(200, headers=STREAM, content=pieces))
    assert (await Asked(http).reply()).text == "Hi"
