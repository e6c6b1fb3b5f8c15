"""A backend that costs almost no CPU, to measure what stands before it.

It knows every trace (with four spans), and its model says as many numbers as the last message asks
for: `deltas=300 every=50` are 300 deltas, 50 ms apart; `every=0` sends them in one piece. Each
number is the time at which it was sent, in nanoseconds of the system's monotonic clock, and has
17 digits.
"""

import asyncio
import json
import os
import re
import time
from uuid import UUID

_WANTED = re.compile(rb"deltas=(\d+) every=(\d+)")
_TRACE = re.compile(r"/traces/([0-9a-f-]{36})")
_PROJECT = str(UUID(int=1))
_STREAM = b"text/event-stream"
_JSON = b"application/json"


def frames(count: int) -> list[bytes]:
    """The lines of a stream with so many deltas, all sent now."""
    return [*(_delta_frame() for _ in range(count)), *_END]


def _delta_frame() -> bytes:
    content = f"at {time.monotonic_ns():017d} "
    return _encode_frame(
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": content}}]}
    )


def _encode_frame(value: object) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"


_END = (
    _encode_frame({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
    _encode_frame({"choices": [], "usage": {"prompt_tokens": 900, "completion_tokens": 300}}),
    b"data: [DONE]\n\n",
)


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
        trace_id = json.loads(body)["trace_id"]
        spans = b"".join(json.dumps(_build_span(trace_id, n)).encode() + b"\r\n" for n in range(4))
        _write_response(writer, 200, b"application/octet-stream", spans)
    elif found := _TRACE.search(path):
        _write_response(writer, 200, _JSON, json.dumps(_build_trace(found[1])).encode())
    else:
        _write_response(writer, 404, _JSON, b"{}")
    await writer.drain()


def _write_response(writer: asyncio.StreamWriter, status: int, kind: bytes, body: bytes) -> None:
    head = b"HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    writer.write(head % (status, kind, len(body)) + body)


async def _stream_chat(body: bytes, writer: asyncio.StreamWriter) -> None:
    count, every = map(int, _WANTED.findall(body)[-1])
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head % _STREAM)
    if not every:
        writer.write(_encode_chunk(b"".join(frames(count))))
    else:
        due = time.monotonic()
        for _ in range(count):
            writer.write(_encode_chunk(_delta_frame()))
            due += every / 1000
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        writer.write(_encode_chunk(b"".join(_END)))
    writer.write(b"0\r\n\r\n")


def _encode_chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _record_times(start: int, end: int) -> dict[str, str]:
    day = "2026-11-20T10:00:0"
    return {"start_time": f"{day}{start}Z", "end_time": f"{day}{end}Z"}


def _build_trace(trace_id: str) -> dict[str, object]:
    return {
        "id": trace_id,
        "project_id": _PROJECT,
        "span_count": 4,
        "name": "a",
        **_record_times(0, 9),
    }


def _build_span(trace_id: str, number: int) -> dict[str, object]:
    span_id = str(UUID(int=UUID(trace_id).int + number + 1))
    common = {"id": span_id, "trace_id": trace_id, "project_id": _PROJECT, "type": "tool"}
    return {**common, "name": f"step {number}", **_record_times(number, number + 1)}


async def main() -> None:
    server = await asyncio.start_server(_serve_connection, "127.0.0.1", int(os.environ["PORT"]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
