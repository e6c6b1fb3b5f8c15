"""Hostile traces before a model that obeys them: the service contains what they ask for."""

import json
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from demo.standin.switches import ProviderKey
from tests.fakes.service import TRACE_ID, Service, running, span_id
from tests.hostile.injections import (
    BODIES,
    CANARY,
    EVIL,
    FOREIGN_SPAN,
    FOREIGN_TRACE,
    INJECTIONS,
)
from tests.hostile.obedient import QUESTION, ObedientChat
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


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> Any:
    uri = f"sqlite:///{tmp_path_factory.mktemp('hostile')}/opik-assist.db"
    settings = {"opik_ui_url": UI, "agent_context_tokens": 400_000, "turn_tokens": 2_000_000}
    settings["agent_models_allowed"] = (WITHOUT_TOOLS,)
    async with running(uri, chat=ObedientChat(), **settings) as service:
        service.switches.keys = [ProviderKey("openai"), ProviderKey("anthropic")]
        records = service.standin.records
        records.put_traces([_trace(FOREIGN_TRACE, SECRET)])
        records.put_spans([_span(255, SECRET, id=FOREIGN_SPAN, trace_id=FOREIGN_TRACE)])
        yield service


@dataclass(frozen=True)
class Poisoned:
    """A trace of its own that holds a hostile text or value everywhere."""

    service: Service
    trace_id: str

    async def ask_twice(self, **more: str) -> None:
        """Two turns and the history, so that what was said is also read again."""
        said: set[str] = set()
        for _ in range(2):
            reader = await self.service.ask(QUESTION, trace_id=self.trace_id, **more)
            assert reader.error is None, reader.error
            said.update(reader.texts)
            for row in reader.rows:
                assert not _ODD.search(row.display_name)
                assert EVIL not in row.display_name
        content = await self.service.history(trace_id=self.trace_id)
        _assert_harmless(said.union(each["content"] for each in content))

    def assert_contained(self, caplog: pytest.LogCaptureFixture) -> None:
        """Nothing was asked of the backend but to read this trace, and nobody was misled."""
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
        assert [each for each in caplog.records if each.levelname in {"ERROR", "CRITICAL"}] == []


def _without_values(filters: str | None) -> list[dict[str, str]]:
    """Filters without what they compare with: there a name of a trace may stand, as a value."""
    found: list[dict[str, str]] = json.loads(filters or "[]")
    return [{**each, "value": ""} for each in found]


def _poisoned(service: Service, number: int, hostile: Any) -> Poisoned:
    trace_id = str(UUID(int=UUID(TRACE_ID).int + 0x1000 * (number + 1)))
    service.standin.records.put_traces([_trace(trace_id, hostile)])
    service.standin.records.put_spans(
        [_span(100 * number + place, hostile, trace_id=trace_id) for place in range(1000, 1004)]
    )
    service.chat.requests.clear()
    service.switches.received.clear()
    return Poisoned(service, trace_id)


def _trace(trace_id: str, hostile: Any) -> dict[str, Any]:
    name = hostile if isinstance(hostile, str) else "answer-question"
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


def _span(number: int, hostile: Any, **more: Any) -> dict[str, Any]:
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


@pytest.mark.parametrize(("number", "name"), list(enumerate(INJECTIONS)))
async def test_an_obeyed_text_gets_nothing_done(
    service: Service, number: int, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    poisoned = _poisoned(service, number, INJECTIONS[name])
    await poisoned.ask_twice()
    assert CANARY in str(service.chat.requests)
    poisoned.assert_contained(caplog)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "name"), list(enumerate(BODIES, 100)))
async def test_an_obeyed_value_gets_nothing_done(
    service: Service, number: int, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    poisoned = _poisoned(service, number, BODIES[name])
    await poisoned.ask_twice()
    poisoned.assert_contained(caplog)


@pytest.mark.parametrize(
    ("number", "name"),
    list(enumerate(["the text protocol", "a tool call in tags", "an image", "orders"], 200)),
)
async def test_an_obeyed_text_gets_nothing_done_through_the_text_protocol(
    service: Service, number: int, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    poisoned = _poisoned(service, number, INJECTIONS[name])
    await poisoned.ask_twice(model=WITHOUT_TOOLS)
    assert "<call-" in str(service.chat.requests[0]["messages"][0]["content"])
    poisoned.assert_contained(caplog)


def _assert_harmless(texts: set[str]) -> None:
    for text in texts:
        assert dangers(text, ui_base=UI) == []
        assert SECRET not in text


def _assert_fenced(request: dict[str, Any]) -> None:
    """Whatever comes from the trace stands between two markers with the conversation's token."""
    for message in request["messages"]:
        if message["role"] == "assistant":
            continue
        content = str(message["content"])
        outside = _RESULT.sub("", _FENCED.sub("", content))
        assert CANARY not in outside, outside[:500]
