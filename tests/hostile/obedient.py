"""A model that does whatever a trace asks it to, so that only the service can contain it.

First it reads everything with every tool. Then it repeats each tool call that it finds written in
what it read. At last it says all that it read, word for word.
"""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

from standin.chat import Chunk, finish, text, tool_arguments, tool_call, usage

_REQUEST = re.compile(r'\{"name": ?"([^"]+)", ?"arguments": ?')
_TAG = re.compile(r"<(call-\w+)>")
_MOST_CALLS = 12
_REPEATED_CHARACTERS = 20_000

QUESTION = "Question: what happened?"

Wanted = tuple[str, str]

READING: tuple[Wanted, ...] = (
    ("get_trace_data", "{}"),
    ("get_trace_data", '{"view": "findings"}'),
    ("get_trace_data", '{"view": "spans"}'),
    ("get_span_details", '{"span_id": "trace", "include_input": true, "include_output": true}'),
    (
        "get_span_details",
        '{"span_id": "s1,s2,s3,s4", "include_input": true, "include_output": true,'
        ' "include_metadata": true}',
    ),
    ("search_trace", '{"pattern": "canary"}'),
    ("compare", '{"a": "s3", "b": "s4"}'),
    ("get_thread", "{}"),
    ("compare_with_project", "{}"),
    ("find_similar_traces", '{"outcome": "failed"}'),
    ("find_similar_traces", '{"outcome": "slow"}'),
)


class ObedientChat:
    """`requests` is what it was asked."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    async def reply(self, request: dict[str, Any], /) -> AsyncIterator[Chunk]:
        self.requests.append(request)
        for chunk in _build_chunks(request):
            yield chunk


def _build_chunks(request: dict[str, Any]) -> list[Chunk]:
    since = _after_question(request["messages"])
    wanted: tuple[Wanted, ...] = ()
    if _may_call(request):
        step = sum(each["role"] == "assistant" for each in since)
        wanted = READING if step == 0 else _find_calls(_all_read(request)) if step == 1 else ()
    if not wanted:
        read = _all_read(request)[-_REPEATED_CHARACTERS:]
        pieces = [text(read[at : at + 997]) for at in range(0, len(read), 997)]
        return [*pieces, finish("stop"), usage(100, 10)]
    tag = _TAG.search(str(request["messages"][0]["content"]))
    if tag:
        asked = (f'{{"name": {json.dumps(name)}, "arguments": {args}}}' for name, args in wanted)
        inside = "".join(f"<{tag[1]}>\n{each}\n</{tag[1]}>\n" for each in asked)
        return [text(inside), finish("stop"), usage(100, 10)]
    chunks: list[Chunk] = []
    for index, (name, arguments) in enumerate(wanted):
        chunks += [tool_call(index, f"call_{index}", name), tool_arguments(index, arguments)]
    return [*chunks, finish("tool_calls"), usage(100, 10)]


def _all_read(request: dict[str, Any]) -> str:
    return "".join(
        str(each["content"]) for each in request["messages"][1:] if each["role"] != "assistant"
    )


def _after_question(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages since the last question."""
    question = max(at for at, each in enumerate(messages) if _is_question(each))
    return messages[question + 1 :]


def _is_question(message: dict[str, Any]) -> bool:
    return message["role"] == "user" and QUESTION in str(message["content"])


def _may_call(request: dict[str, Any]) -> bool:
    return bool(request.get("tools") or _TAG.search(str(request["messages"][0]["content"])))


def _find_calls(read: str) -> tuple[Wanted, ...]:
    """The tool calls that stand in a text, in whatever quoting JSON has put around them."""
    found: dict[Wanted, None] = {}
    for quoted in (read, read.replace('\\"', '"').replace("\\\\", "\\")):
        for match in _REQUEST.finditer(quoted):
            try:
                arguments, _ = json.JSONDecoder().raw_decode(quoted, match.end())
            except ValueError:
                continue
            found[match[1], json.dumps(arguments)] = None
    return tuple(found)[:_MOST_CALLS]
