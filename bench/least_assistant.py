"""The least that answers a question about a trace: one GET, one search, one chat call.

All spans that one search gives (up to 2,000, with bodies) are parsed, and go without bodies into
the prompt as JSON. There is no database and no analysis.
"""

import json
from collections.abc import AsyncIterator

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from bench.relay import API, State, open_client, report_health, serve, stream_reply

_SPANS = 2_000
_BODIES = frozenset({"input", "output", "metadata"})


async def _answer(request: Request[State]) -> StreamingResponse:
    question = (await request.json())["message"]
    frames = _stream_answer(request.state["http"], request.path_params["trace_id"], question)
    return StreamingResponse(frames, media_type="text/event-stream")


async def _stream_answer(
    http: httpx.AsyncClient, trace_id: str, question: str
) -> AsyncIterator[bytes]:
    trace = (await http.get(f"{API}/traces/{trace_id}")).json()
    asked = {"trace_id": trace_id, "project_id": trace["project_id"], "limit": _SPANS}
    found = await http.post(f"{API}/spans/search", json={**asked, "truncate": True})
    spans = [json.loads(line) for line in found.content.splitlines()]
    shown = [{key: each[key] for key in each if key not in _BODIES} for each in spans]
    messages = [
        {"role": "system", "content": json.dumps({"trace": trace, "spans": shown})},
        {"role": "user", "content": question},
    ]
    async for frame in stream_reply(http, {"stream": True, "messages": messages}):
        yield frame


if __name__ == "__main__":
    routes = [
        Route("/healthz", report_health),
        Route("/trace-analyzer/session/{trace_id}", _answer, methods=["POST"]),
    ]
    serve(Starlette(routes=routes, lifespan=open_client))
