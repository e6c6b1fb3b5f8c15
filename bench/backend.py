"""A backend that costs little CPU, to measure what stands before it.

It knows every trace whose id `make_trace_id` made; the id holds the number of its spans. Its model
does what the question in the last user message asks for, as `deltas=200 every=50 calls=1 text=0`:
so many deltas, so many milliseconds apart (0 sends them at once), each in a chunk of its own, after
a tool call or without one, and so many characters of text in one piece before them. Each delta is
the time at which it was sent, in nanoseconds of the system's monotonic clock, and has 17 digits.
"""

import asyncio
import functools
import json
import os
import random
import re
import time
from typing import Any
from uuid import UUID

_QUESTION = re.compile(rb"deltas=(\d+) every=(\d+) calls=(\d) text=(\d+)")
_TOOL_RESULT = b'"role":"tool"'
_TRACE_PATH = re.compile(r"/traces/([0-9a-f-]{36})")
_PROJECT = str(UUID(int=1))
_PLACEHOLDER = b"@@@ of the ids @@@ @@@@@"  # as long as what ids of one trace have in common
_BODIES = ("input", "output", "metadata")
_STREAM = b"text/event-stream"
_JSON = b"application/json"


def make_trace_id(spans: int, number: int) -> str:
    """The id of a trace with so many spans; another number is another trace."""
    return f"{spans:08x}-{number >> 12:04x}-7{number & 0xFFF:03x}-8000-000000000000"


def make_question(deltas: int, *, every: int, calls: int = 0, text: int = 0) -> str:
    """Asks for deltas `every` so many milliseconds, after a tool call where `calls` is 1, and for
    `text` characters before them."""
    return f"deltas={deltas} every={every} calls={calls} text={text}"


def build_frames(count: int) -> list[bytes]:
    """The lines of a stream with so many deltas, all sent now."""
    return [*(_build_delta_frame() for _ in range(count)), *_END]


def _build_delta_frame() -> bytes:
    return _encode_delta(f"at {time.monotonic_ns():017d} ")


def _encode_delta(content: str) -> bytes:
    return _encode_frame(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1_780_000_000,
            "model": "gpt-4.1",
            "choices": [
                {"index": 0, "delta": {"role": "assistant", "content": content}, "logprobs": None}
            ],
        }
    )


def _encode_frame(value: object) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"


def _encode_choice(delta: dict[str, Any], finish: str | None = None) -> bytes:
    return _encode_frame({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


_USAGE = _encode_frame({"choices": [], "usage": {"prompt_tokens": 900, "completion_tokens": 300}})
_END = (_encode_choice({}, "stop"), _USAGE, b"data: [DONE]\n\n")


def _build_call_frames() -> list[bytes]:
    """A status sentence of five deltas and a call of a tool in 17 pieces."""
    words = [_build_delta_frame() for _ in range(5)]
    head = {"id": "c1", "type": "function", "function": {"name": _TOOL, "arguments": ""}}
    calls = [head, *({"function": {"arguments": piece}} for piece in '{"span_id":"s3"}')]
    frames = [_encode_choice({"tool_calls": [{"index": 0, **call}]}) for call in calls]
    return [*words, *frames, _encode_choice({}, "tool_calls"), _USAGE, b"data: [DONE]\n\n"]


_TOOL = "get_span_details"


async def _serve_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = re.search(rb"(?i)content-length: (\d+)", head)
            body = await reader.readexactly(int(length[1])) if length else b""
            await _answer_request(head.decode("latin-1").split(" ")[1], body, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _answer_request(path: str, body: bytes, writer: asyncio.StreamWriter) -> None:
    if path.endswith("/chat/completions"):
        await _stream_chat(body, writer)
    elif path.endswith("/spans/search"):
        _write_response(writer, 200, b"application/octet-stream", _search_spans(json.loads(body)))
    elif found := _TRACE_PATH.search(path):
        _write_response(writer, 200, _JSON, _build_trace(found[1]))
    elif path.endswith("/workspace-permissions"):
        _write_response(writer, 200, _JSON, b'{"userName":"ada","workspaceName":"default"}')
    else:
        _write_response(writer, 404, _JSON, b"{}")
    await writer.drain()


def _write_response(writer: asyncio.StreamWriter, status: int, kind: bytes, body: bytes) -> None:
    head = b"HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    writer.write(head % (status, kind, len(body)) + body)


async def _stream_chat(body: bytes, writer: asyncio.StreamWriter) -> None:
    question = list(_QUESTION.finditer(body))[-1]
    count, every, calls, text = (int(each) for each in question.groups())
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head % _STREAM)
    if calls and _TOOL_RESULT not in body[question.end() :]:
        writer.write(b"".join(map(_encode_chunk, _build_call_frames())))
    elif not every:
        long = [_encode_delta(_make_answer(text))] if text else []
        writer.write(b"".join(map(_encode_chunk, [*long, *build_frames(count)])))
    else:
        due = time.monotonic()
        for _ in range(count):
            writer.write(_encode_chunk(_build_delta_frame()))
            due += every / 1000
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        writer.write(_encode_chunk(b"".join(_END)))
    writer.write(b"0\r\n\r\n")


@functools.cache
def _make_answer(characters: int) -> str:
    """An answer with headings, lists, code and emphasis, as models write them."""
    part = "## Step\n\n* **search** took `1.2 s` of _3 s_\n* it found 12 records\n\n" + "word " * 60
    return (part * (characters // len(part) + 1))[:characters]


def _encode_chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _search_spans(asked: dict[str, Any]) -> bytes:
    """The page that is asked for: newest id first, older than the cursor."""
    trace_id = asked["trace_id"]
    count = int(trace_id[:8], 16)
    lines = _build_span_lines(count, with_bodies=not asked.get("exclude"))
    cursor = asked.get("last_retrieved_id")
    start = count - int(cursor[24:], 16) + 1 if cursor else 0
    page = b"".join(lines[start : start + asked["limit"]])
    return page.replace(_PLACEHOLDER, trace_id[:24].encode())


def _build_trace(trace_id: str) -> bytes:
    count = int(trace_id[:8], 16)
    trace = {
        "id": trace_id,
        "project_id": _PROJECT,
        "span_count": count,
        "name": "answer question",
        "start_time": _time_at(0),
        "end_time": _time_at(count * 7 + 60),
        "input": {"question": "Where is order 8812?"},
        "output": {"answer": "It is on its way."},
    }
    return json.dumps(trace).encode()


@functools.cache
def _build_span_lines(count: int, *, with_bodies: bool) -> list[bytes]:
    """The records of a tree of spans with bodies of about 1 KB, newest first."""
    rng = random.Random(1)
    lines = []
    for number in range(1, count + 1):
        span = _build_span(rng, number)
        if not with_bodies:
            span = {key: value for key, value in span.items() if key not in _BODIES}
        lines.append(json.dumps(span).encode() + b"\r\n")
    return lines[::-1]


def _build_span(rng: random.Random, number: int) -> dict[str, Any]:
    name = rng.choice(("plan", "search", "rerank", "chat", "parse")) if number > 1 else "agent"
    at = number * 7
    span: dict[str, Any] = {
        "id": _span_id(number),
        "trace_id": _span_id(0),
        "project_id": _PROJECT,
        "parent_span_id": _span_id(max(1, number // 5)) if number > 1 else None,
        "name": name,
        "type": {"chat": "llm", "search": "tool"}.get(name, "general"),
        "start_time": _time_at(at),
        "end_time": _time_at(at + rng.randint(1, 60)),
        "created_at": _time_at(at),
        "last_updated_at": _time_at(at),
        "created_by": "ada",
        "input": {"query": make_text(rng, 60), "k": 12},
        "output": {"hits": [{"id": n, "title": make_text(rng, 20)} for n in range(4)]},
        "metadata": {"attempt": 1, "host": "worker-7"},
        "duration": float(rng.randint(1, 60)),
    }
    if name == "chat":
        span |= {
            "model": "gpt-4.1",
            "provider": "openai",
            "usage": {"prompt_tokens": 900, "completion_tokens": 80, "total_tokens": 980},
            "input": {"messages": [{"role": "user", "content": make_text(rng, 90)}]},
            "output": {
                "choices": [
                    {
                        "message": {"role": "assistant", "content": make_text(rng, 60)},
                        "finish_reason": "stop",
                    }
                ]
            },
        }
    if number % 100 == 99:
        span["error_info"] = {"exception_type": "OSError", "message": "connection reset"}
    return span


def make_text(rng: random.Random, words: int) -> str:
    """So many words of five letters and digits."""
    return " ".join(f"w{rng.randint(0, 3_000):04}" for _ in range(words))


def _span_id(number: int) -> str:
    return f"{_PLACEHOLDER.decode()}{number:012x}"


def _time_at(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1_000)
    minutes, seconds = divmod(seconds, 60)
    return f"2026-11-20T10:{minutes:02}:{seconds:02}.{rest:03}Z"


async def main() -> None:
    server = await asyncio.start_server(
        _serve_connection, "127.0.0.1", int(os.environ["PORT"]), limit=2**26
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
