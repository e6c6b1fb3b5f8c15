"""How long loading and examining a trace holds the event loop: `python -m bench.loading`.

The backend is answered from memory within the process, so the times are those of our own work. The
longest hold is the longest time for which a task that wants to run every millisecond could not.
"""

import argparse
import json
import resource
from uuid import UUID

import anyio
import httpx

from app.agent.citations import Aliases
from app.caller import Caller, Owner
from app.opik.client import BODIES, OpikClient
from app.tools import TOOLS
from app.tools.trace.loader import TraceLoader
from app.tools.trace.trace_context import TraceOpener
from bench.outline import make_spans
from testkit.backend import rest_client_at
from testkit.limits import load_limits, tool_limits

SIZES = (100, 1_000, 10_000)
_TRACE = str(UUID(int=1))


class MemoryBackend:
    """Answers for one trace from lines written beforehand, newest id first."""

    def __init__(self, count: int) -> None:
        spans = [span.model_dump(mode="json", exclude_none=True) for span in make_spans(count)]
        ids = {span["id"]: str(UUID(int=(1 << 64) + n)) for n, span in enumerate(spans)}
        self._ids: list[str] = []
        self._lines: dict[bool, list[bytes]] = {True: [], False: []}
        for span in reversed(spans):
            parent = ids.get(span.get("parent_span_id", ""))
            record = {**span, "id": ids[span["id"]], "trace_id": _TRACE, "parent_span_id": parent}
            bare = {key: value for key, value in record.items() if key not in BODIES}
            self._ids.append(record["id"])
            self._lines[True].append(json.dumps(record).encode() + b"\r\n")
            self._lines[False].append(json.dumps(bare).encode() + b"\r\n")
        self._places = {span_id: place for place, span_id in enumerate(self._ids)}
        self._trace = {
            "id": _TRACE,
            "project_id": str(UUID(int=2)),
            "span_count": count,
            "start_time": spans[0]["start_time"],
            "end_time": spans[-1]["start_time"],
        }
        self.requests = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if request.method == "GET":
            return httpx.Response(200, json=self._trace)
        asked = json.loads(request.content)
        start = self._places.get(asked.get("last_retrieved_id"), -1) + 1
        lines = self._lines[not asked["exclude"]][start : start + asked["limit"]]
        return httpx.Response(200, content=b"".join(lines))


class Pulse:
    """A task that wants to run every millisecond, and the longest it had to wait."""

    longest = 0.0

    async def beat(self) -> None:
        last = anyio.current_time()
        while True:
            await anyio.sleep(0.001)
            now = anyio.current_time()
            self.longest = max(self.longest, now - last - 0.001)
            last = now


async def measure(count: int) -> tuple[float, float, int]:
    """Seconds to open a trace of `count` spans, the longest hold in seconds, the requests."""
    backend = MemoryBackend(count)
    async with httpx.AsyncClient(transport=httpx.MockTransport(backend)) as http:
        rest = rest_client_at("http://opik", http, timeout=30)
        client = OpikClient(rest)
        opener = TraceOpener(client, TraceLoader(client, load_limits()), TOOLS, tool_limits())
        pulse = Pulse()
        async with anyio.create_task_group() as group:
            group.start_soon(pulse.beat)
            began = anyio.current_time()
            await opener.open_trace(Caller(), Owner("default", "user:ada"), _TRACE, Aliases())
            seconds = anyio.current_time() - began
            group.cancel_scope.cancel()
    return seconds, pulse.longest, backend.requests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES)
    print(f"{'spans':>8} {'seconds':>8} {'longest hold':>13} {'requests':>9}")
    for count in parser.parse_args().sizes:
        seconds, longest, requests = anyio.run(measure, count)
        print(f"{count:>8,} {seconds:>8.2f} {longest * 1000:>10.1f} ms {requests:>9}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main()
