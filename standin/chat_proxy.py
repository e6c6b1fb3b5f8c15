"""The chat proxy: checks a request, finds its provider, and streams or collects the reply."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from standin import chat_frames, providers
from standin.chat import Chat, ChatError, Chunk
from standin.faults import ChatCutAfter, ChatErrorAfter
from standin.switches import Switches
from standin.whole_reply import WholeReply
from standin.writes import RequestRefused

_ROLES = ("system", "user", "assistant", "tool", "function")
_PARTS = ("text", "input_text", "image_url")


class _Cut(Exception):
    """The stream has to end here without its closing frame."""


class ChatProxy:
    """The handler of `POST /v1/private/chat/completions`."""

    def __init__(self, chat: Chat, switches: Switches) -> None:
        self._chat = chat
        self._switches = switches

    def routes(self) -> list[Route]:
        """The one route."""
        return [Route("/v1/private/chat/completions", self.complete, methods=["POST"])]

    async def complete(self, request: Request) -> Response:
        """Answer with a stream of frames or with one JSON body."""
        body = await _read_checked_body(request)
        target = providers.find_route(body["model"], self._switches)
        providers.check_request(body, target, self._switches.generation)
        headers = {"X-Opik-Provider": target.provider, "X-Opik-Actual-Model": target.upstream_model}
        chunks = self._read_chunks(body, target, request.scope["chat_faults"])
        if body.get("stream"):
            stream = self._stream_chunks(body, target, chunks)
            return StreamingResponse(stream, media_type="text/event-stream", headers=headers)
        return await self._answer_whole(target, chunks, headers)

    async def _read_chunks(
        self, body: dict[str, Any], target: providers.Route, faults: list[Any]
    ) -> AsyncGenerator[Chunk]:
        """The provider's chunks with arranged faults among them; counts how the call ended."""
        chats = self._switches.chats
        chats.running += 1
        how = "cancelled"
        try:
            reply = self._chat.reply(providers.build_provider_request(body, target))
            async for chunk in _add_faults(cast(AsyncGenerator[Chunk], reply), faults):
                yield chunk
            how = "finished"
        except Exception:
            how = "failed"
            raise
        finally:
            chats.running -= 1
            setattr(chats, how, getattr(chats, how) + 1)

    async def _stream_chunks(
        self, body: dict[str, Any], target: providers.Route, chunks: AsyncGenerator[Chunk]
    ) -> AsyncIterator[bytes]:
        generation = self._switches.generation
        include_usage = bool((body.get("stream_options") or {}).get("include_usage"))
        try:
            async for chunk in chunks:
                shown = providers.shape_chunk(chunk, target, include_usage=include_usage)
                if shown:
                    yield chat_frames.encode_frame(shown, generation)
        except ChatError as error:
            yield chat_frames.error(error, generation)
        except _Cut:
            return
        finally:
            await chunks.aclose()
        closing = chat_frames.end(generation)
        if closing:
            yield closing

    async def _answer_whole(
        self, target: providers.Route, chunks: AsyncGenerator[Chunk], headers: dict[str, str]
    ) -> Response:
        reply = WholeReply(target)
        try:
            async for chunk in chunks:
                reply.add(chunk)
        except (ChatError, _Cut) as error:
            return _build_error_response(error, target, headers)
        return JSONResponse(reply.answer(), headers=headers)


async def _add_faults(
    reply: AsyncGenerator[Chunk], faults: list[ChatErrorAfter | ChatCutAfter]
) -> AsyncGenerator[Chunk]:
    passed = 0
    try:
        while True:
            for fault in faults:
                if passed >= fault.chunks:
                    raise _build_error(fault)
            try:
                chunk = await anext(reply)
            except StopAsyncIteration:
                return
            yield chunk
            passed += 1
    finally:
        await reply.aclose()


def _build_error(fault: ChatErrorAfter | ChatCutAfter) -> Exception:
    if isinstance(fault, ChatCutAfter):
        return _Cut()
    return ChatError(fault.status, fault.message)


def _build_error_response(
    error: Exception, target: providers.Route, headers: dict[str, str]
) -> Response:
    """A failure outside a stream: details are lost, and Gemini's mapping errors become generic."""
    mapping = target.pipeline == "gemini" and isinstance(error, ChatError) and error.status == 400
    if isinstance(error, ChatError) and not mapping:
        body = {"code": error.status, "message": error.message}
        return JSONResponse(body, error.status, headers)
    return JSONResponse({"code": 500, "message": chat_frames.GENERIC_MESSAGE}, 500, headers)


async def _read_checked_body(request: Request) -> dict[str, Any]:
    """The request's body if it binds to what the proxy knows."""
    try:
        body = await request.json()
    except ValueError as error:
        raise RequestRefused(400, "Unable to process JSON") from error
    if not isinstance(body, dict) or not isinstance(body.get("messages", []), list):
        raise RequestRefused(400, "Unable to process JSON")
    if not body.get("model"):
        raise RequestRefused(400, "model not supported ")
    if isinstance(body.get("stop"), str):
        raise RequestRefused(400, "Unable to process JSON")
    return body | {"messages": [_message(one) for one in body.get("messages", [])]}


def _message(message: Any) -> dict[str, Any]:
    if not isinstance(message, dict) or message.get("role") not in _ROLES:
        raise RequestRefused(400, "Unable to process JSON")
    content = message.get("content")
    if isinstance(content, list) and message["role"] == "user":
        return message | {"content": [part for part in content if part.get("type") in _PARTS]}
    if content is not None and not isinstance(content, str):
        raise RequestRefused(400, "Unable to process JSON")
    return message
