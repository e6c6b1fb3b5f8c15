"""Streams that break, fall silent, never end, or are no streams at all."""

from collections.abc import AsyncIterator, Callable

import anyio
import httpx
import pytest
import respx

from testkit.limits import chat_options
from tests.chat.proxy import (
    ModelProbe,
    failed,
    finish_frame,
    in_chunks,
    replayed,
    streamed,
    text_frame,
)

STREAM = {"Content-Type": "text/event-stream"}


async def break_after(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    raise httpx.RemoteProtocolError("peer closed connection")


async def test_a_connection_lost_in_the_middle_keeps_the_text(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    content = break_after(b'data: {"choices":[{"delta":{"content":"Hel"}}]}\n\n', b'data: {"cho')
    proxy.mock(return_value=httpx.Response(200, headers=STREAM, content=content))
    reply = await ModelProbe(http).reply()
    assert (reply.text, reply.complete) == ("Hel", False)


async def test_a_connection_lost_after_the_end_mark_loses_nothing(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    content = break_after(
        b'data: {"choices":[{"delta":{"content":"Hel"},"finish_reason":"stop"}]}\n\n'
    )
    proxy.mock(return_value=httpx.Response(200, headers=STREAM, content=content))
    assert (await ModelProbe(http).reply()).complete


async def test_a_connection_lost_before_the_first_byte_is_tried_again(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    lost = httpx.Response(200, headers=STREAM, content=break_after())
    proxy.mock(side_effect=[lost, replayed("text.sse")])
    probe = ModelProbe(http)
    assert (await probe.reply()).complete
    assert probe.pauses == [0.5]


def silent_after(*chunks: bytes) -> Callable[[httpx.Request], httpx.Response]:
    """Answers with the chunks, then with silence that ends as the HTTP client ends one."""

    async def content(request: httpx.Request) -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk
        await anyio.sleep(request.extensions["timeout"]["read"])
        raise httpx.ReadTimeout("", request=request)

    return lambda request: httpx.Response(200, headers=STREAM, content=content(request))


@pytest.mark.parametrize("chunks", [(), (b": hello\n",), (b'data: {"choices":[]}\n\n',)])
async def test_silence_fails_and_names_the_backends_limits_to_operators(
    chunks: tuple[bytes, ...], http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(side_effect=silent_after(*chunks))
    error = await failed(ModelProbe(http, options=chat_options(silence_seconds=0.01)))
    assert error.reason == "timeout"
    assert "sent nothing for 0.01 seconds" in error.message
    assert "LLM_PROVIDER_CLIENT_*_TIMEOUT" in error.setting
    assert "SERVER_IDLE_TIMEOUT" in error.setting
    assert proxy.call_count == 1


async def test_silence_before_the_headers_is_a_timeout_too(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()

    proxy.mock(side_effect=never)
    assert (
        await failed(ModelProbe(http, options=chat_options(silence_seconds=0.01)))
    ).reason == "timeout"


async def test_silence_after_the_end_mark_is_the_end(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    last = b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n'
    proxy.mock(side_effect=silent_after(last))
    reply = await ModelProbe(http, options=chat_options(silence_seconds=0.01)).reply()
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
async def test_an_answer_that_is_no_reply_fails(
    answer: httpx.Response, reason: str, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=answer)
    assert (await failed(ModelProbe(http))).reason == reason


async def test_a_broken_compression_fails(http: httpx.AsyncClient, proxy: respx.Route) -> None:
    headers = STREAM | {"Content-Encoding": "gzip"}
    content = in_chunks([b"no gzip"])
    proxy.mock(return_value=httpx.Response(200, headers=headers, content=content))
    assert (await failed(ModelProbe(http))).reason == "not_understood"
    assert proxy.call_count == 1


async def endless(piece: bytes) -> AsyncIterator[bytes]:
    while True:
        yield piece


@pytest.mark.parametrize("media_type", ["text/event-stream", "application/json", "text/html"])
@pytest.mark.parametrize("piece", [b"x" * 65_536, b": ping\n" * 9_000, b'{"a":' * 9_000])
async def test_an_endless_answer_fails(
    media_type: str, piece: bytes, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    headers = {"Content-Type": media_type}
    proxy.mock(return_value=httpx.Response(200, headers=headers, content=endless(piece)))
    error = await failed(ModelProbe(http, options=chat_options(reply_bytes=20_000)))
    assert error.reason == "not_understood"


async def test_an_endless_error_has_the_reason_of_its_status(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=httpx.Response(500, content=endless(b"x" * 65_536)))
    assert (await failed(ModelProbe(http))).reason == "provider_error"


async def after_the_end() -> AsyncIterator[bytes]:
    yield b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: [DONE]\n\n'
    while True:
        yield b": still here\n"


async def test_bytes_after_the_end_mark_are_ignored(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    proxy.mock(return_value=httpx.Response(200, headers=STREAM, content=after_the_end()))
    reply = await ModelProbe(http).reply()
    assert (reply.text, reply.complete) == ("Hi", True)


async def test_a_huge_frame_after_text_leaves_the_text_incomplete(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    huge = text_frame("x" * 10_000_000)
    proxy.mock(return_value=streamed(text_frame("Hello"), huge, finish_frame("stop")))
    reply = await ModelProbe(http).reply()
    assert (reply.text, reply.complete) == ("Hello", False)


async def test_a_huge_first_frame_fails(http: httpx.AsyncClient, proxy: respx.Route) -> None:
    proxy.mock(return_value=streamed(text_frame("x" * 10_000_000)))
    assert (await failed(ModelProbe(http))).reason == "not_understood"


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
    probe = ModelProbe(http)
    with anyio.CancelScope() as scope:
        await probe.reply()
    assert scope.cancelled_caught
    assert probe.shown == ["Hel"]
    assert closed.is_set()


async def test_pieces_of_an_answer_may_come_slowly_one_by_one(
    http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    data = b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: [DONE]\n\n'
    pieces = in_chunks([data[at : at + 1] for at in range(len(data))])
    proxy.mock(return_value=httpx.Response(200, headers=STREAM, content=pieces))
    assert (await ModelProbe(http).reply()).text == "Hi"
