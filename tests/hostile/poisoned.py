"""Traces that hold a hostile text everywhere, and what has to hold whatever a model makes of it."""

import contextlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from standin.switches import WorkspaceKey
from testkit.panel_reader import PanelReader
from testkit.service import TRACE_ID, Service, running, span_id
from tests.hostile.injections import CANARY, EVIL, FOREIGN_SPAN, FOREIGN_TRACE
from tests.hostile.obedient import QUESTION, ObedientChat
from tests.hostile.raw_transport import STAND_IN, RawTransport
from tests.web.markdown_judge import dangers

SECRET = "what-only-the-foreign-trace-holds"
WITHOUT_TOOLS = "anthropic/claude-sonnet-4-5"
UI = "https://opik.example"
_FENCED = re.compile(r"<<<data ([0-9a-f]{16})\n.*?\ndata \1>>>", re.DOTALL)
_RESULT = re.compile(r"</?result-[0-9a-f]{16}( name=\"[a-z_]+\")?>|\n")
_READS = re.compile(
    r"GET /v1/private/(workspace-permissions|traces/TRACE|spans/[0-9a-f-]{36}"
    r"|traces|traces/stats|llm/models|llm-provider-key)"
    r"|POST /v1/private/(spans/search|traces/search|chat/completions)"
)
_ODD = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


@contextlib.asynccontextmanager
async def obeyed(folder: Path) -> AsyncIterator[Service]:
    """A service with a model that obeys, and a foreign trace that no question is about."""
    uri = f"sqlite:///{folder}/opik-assist.db"
    settings = {"opik_ui_url": UI, "agent_context_tokens": 400_000, "turn_tokens": 2_000_000}
    settings["agent_models_allowed"] = (WITHOUT_TOOLS,)
    async with running(uri, chat=ObedientChat(), network=RawTransport(), **settings) as service:
        service.switches.keys = [WorkspaceKey("openai"), WorkspaceKey("anthropic")]
        records = service.standin.records
        records.put_traces([_build_trace(FOREIGN_TRACE, SECRET)])
        records.put_spans([_build_span(255, SECRET, id=FOREIGN_SPAN, trace_id=FOREIGN_TRACE)])
        yield service


@dataclass
class Poisoned:
    """A trace of its own that holds a hostile text or value everywhere."""

    service: Service
    number: int
    shown: set[str] = field(default_factory=set)

    @property
    def trace_id(self) -> str:
        return str(UUID(int=UUID(TRACE_ID).int + 0x1000 * (self.number + 1)))

    def record(self, hostile: Any, **more: Any) -> None:
        """Records the trace, or records it anew; `more` are fields of the trace."""
        records = self.service.standin.records
        records.put_traces([{**_build_trace(self.trace_id, hostile), **more}])
        numbers = range(100 * self.number + 1000, 100 * self.number + 1004)
        records.put_spans([_build_span(each, hostile, trace_id=self.trace_id) for each in numbers])

    async def ask_twice(self, **more: str) -> None:
        """Two turns and the history, so that its messages are also read again."""
        for _ in range(2):
            await self.ask(**more)
        await self.assert_harmless()

    async def ask(self, **more: str) -> PanelReader:
        reader = await self.service.ask(QUESTION, trace_id=self.trace_id, **more)
        assert reader.error is None, reader.error
        self.shown.update(reader.texts)
        for frame in reader.frames:
            self.shown.update(frame.get("suggestions", ()))
        for row in reader.rows:
            assert not _ODD.search(row.display_name)
            assert EVIL not in row.display_name
        return reader

    async def assert_harmless(self) -> None:
        """Nothing that was shown, is shown by the history or offered as a question leads out."""
        url = f"{self.service.session(self.trace_id)}/suggestions"
        offered = (await self.service.http.get(url)).json()["suggestions"]
        content = await self.service.history(trace_id=self.trace_id)
        for text in self.shown.union(offered, (each["content"] for each in content)):
            assert dangers(text, ui_base=UI) == []
            assert SECRET not in text

    def assert_contained(self, caplog: pytest.LogCaptureFixture) -> None:
        """Nothing was asked of the backend but to read this trace, and no reader was misled."""
        for received in self.service.switches.received:
            line = f"{received.method} {received.path}"
            assert _READS.fullmatch(line.replace(self.trace_id, "TRACE")), line
            query = {**received.query, "filters": _without_values(received.query.get("filters"))}
            assert CANARY not in line + str(query) + str(received.headers)
            if received.path.endswith("/spans/search"):
                assert received.body["trace_id"] == self.trace_id
            if received.path.endswith("/traces/search"):
                assert CANARY not in str(_without_values(json.dumps(received.body["filters"])))
        assert len(self.service.chat.requests) >= 4
        for request in self.service.chat.requests:
            _assert_fenced(request)
            assert SECRET not in str(request["messages"])
            for message in request["messages"]:
                assert not STAND_IN.search(str(message["content"]).encode())
        assert [each for each in caplog.records if each.levelname in {"ERROR", "CRITICAL"}] == []


def _without_values(filters: str | None) -> list[dict[str, str]]:
    """Filters without what they compare with: there a name of a trace may stand, as a value."""
    found: list[dict[str, str]] = json.loads(filters or "[]")
    return [{**each, "value": ""} for each in found]


def poisoned(service: Service, number: int, hostile: Any) -> Poisoned:
    trace = Poisoned(service, number)
    trace.record(hostile)
    service.chat.requests.clear()
    service.switches.received.clear()
    return trace


def _build_trace(trace_id: str, hostile: Any) -> dict[str, Any]:
    """Those of one name may be compared, so that each has one of its own."""
    name = hostile if isinstance(hostile, str) else f"answer to {trace_id}"
    return {
        "id": trace_id,
        "project_name": "shop",
        "name": name,
        "start_time": "2026-11-20T10:00:00Z",
        "end_time": "2026-11-20T10:00:04Z",
        "input": {"question": hostile},
        "output": hostile,
        "metadata": {"note": hostile},
        "tags": [name],
        "error_info": {"exception_type": name, "message": name, "traceback": name},
    }


def _build_span(number: int, hostile: Any, **more: Any) -> dict[str, Any]:
    name = hostile if isinstance(hostile, str) else "step"
    return {
        "id": span_id(number),
        "parent_span_id": None,
        "project_name": "shop",
        "name": name,
        "type": "tool",
        "model": name,
        "provider": name,
        "start_time": "2026-11-20T10:00:01Z",
        "end_time": "2026-11-20T10:00:02Z",
        "input": {name: hostile},
        "output": hostile,
        "metadata": {"note": hostile},
        "tags": [name],
        "error_info": {"exception_type": name, "message": name, "traceback": name},
        **more,
    }


def _assert_fenced(request: dict[str, Any]) -> None:
    """Whatever comes from the trace stands between two markers with the conversation's token."""
    for message in request["messages"]:
        if message["role"] == "assistant":
            continue
        content = str(message["content"])
        outside = _RESULT.sub("", _FENCED.sub("", content))
        assert CANARY not in outside, outside[:500]
