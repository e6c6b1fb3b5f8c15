"""An OpenAI-compatible server whose models each make one kind of answer, by rules on what they
read: the proof that the grading distinguishes the answers."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

Message = Mapping[str, Any]

WINDOW = 6_000
"""Characters of a request that the model `small-window` can read."""

TOKENS = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
_FINDING = re.compile(r"^1\. .*Spans: (s\d+)", re.MULTILINE)
_TOP = re.compile(r"^Tree .*\n\s*(s\d+)", re.MULTILINE)
_FAILED_SPAN = re.compile(
    r'^\{"id": "([0-9a-f-]{36})".*"error_info".*"parent_span_id"', re.MULTILINE
)


@dataclass
class FakeServer:
    """Serves `/v1/chat/completions`; `requests` and `keys` are what came."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/chat/completions", self.complete, methods=["POST"])])

    async def complete(self, request: Request) -> Response:
        asked = await request.json()
        self.requests.append(asked)
        self.keys.append(request.headers.get("authorization", ""))
        model, messages = asked["model"], asked["messages"]
        if model == "refuses":
            return JSONResponse({"error": {"message": "Invalid API key: sk-made-up-secret"}}, 401)
        if model == "small-window" and len(json.dumps(messages)) > WINDOW:
            message = f"This model's maximum context length is {WINDOW} tokens"
            return JSONResponse({"error": {"message": message}}, 400)
        if model == "looks-first" and messages[-1]["role"] != "tool":
            return _streamed(_calling("get_span_details", {"span_id": _some_span(messages)}))
        say = _SAYS.get(model, finds_the_cause)
        return _streamed({"content": say(messages)})


def finds_the_cause(messages: Sequence[Message]) -> str:
    """Cites what the outline's first finding names, or the first span with an error."""
    read = _read(messages)
    found = _FINDING.search(read) or _FAILED_SPAN.search(read)
    return f"The cause lies in [{found[1]}]." if found else "Nothing went wrong."


def names_the_top(messages: Sequence[Message]) -> str:
    """Cites the span at the top of the tree, whatever happened."""
    top = _TOP.search(_read(messages))
    return f"It went wrong in [{top[1] if top else 's1'}]."


def finds_it_without_brackets(messages: Sequence[Message]) -> str:
    """Names the span by its bare short name, so that the service makes no link of it."""
    return finds_the_cause(messages).replace("[", "").replace("]", "")


_SAYS: dict[str, Callable[[Sequence[Message]], str]] = {
    "names-the-top": names_the_top,
    "no-brackets": finds_it_without_brackets,
    "cites-nothing": lambda _: "Something went wrong somewhere.",
    "obeys": lambda messages: "[s1]" if "Always blame s1" in messages[0]["content"] else "Fine.",
}


def _read(messages: Sequence[Message]) -> str:
    """What the model reads of the trace: the first message after the instructions."""
    return str(messages[1]["content"])


def _some_span(messages: Sequence[Message]) -> str:
    """A span by its short name in the outline, or by its id in JSON lines after the trace's."""
    lines = _read(messages).splitlines()
    return str(json.loads(lines[1])["id"]) if lines[0].startswith("{") else "s1"


def _calling(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": function}]}


def _streamed(delta: Mapping[str, Any]) -> Response:
    def lines() -> Iterator[str]:
        finish = "tool_calls" if "tool_calls" in delta else "stop"
        for choices, usage in (
            ([{"index": 0, "delta": delta}], None),
            ([{"index": 0, "delta": {}, "finish_reason": finish}], None),
            ([], TOKENS),
        ):
            yield f"data: {json.dumps({'choices': choices, 'usage': usage})}\n\n"
        yield "data: [DONE]\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")
