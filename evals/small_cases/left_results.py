"""What tools were given and returned, in the attributes of SDKs as Opik's ingestion stores them:
failures, nothing, and ordinary results."""

from collections.abc import Callable
from typing import Any

from evals.small_cases.builder import CaseList, Json, SpanPlan, calls, model, says, span

RESULTS = CaseList("stored_result")

_QUESTION = "Is the evening ferry FB-2291 still on time?"
_GIVEN = {"sailing": "FB-2291"}
_NAME = "sailing_status"


def _named(operation: str = "") -> Json:
    more = {"gen_ai.operation.name": operation} if operation else {}
    return {"gen_ai.tool.name": _NAME, "gen_ai.tool.call.id": "c7", **more}


_STORED: dict[str, Callable[[Any], Json]] = {
    "otel": lambda result: {
        "name": f"execute_tool {_NAME}",
        "type": "tool",
        "input": {"gen_ai.tool.call.arguments": _GIVEN},
        "output": {"gen_ai.tool.call.result": result},
        "metadata": _named("execute_tool"),
    },
    "otel_in_metadata": lambda result: {
        "name": f"execute_tool {_NAME}",
        "metadata": _named("execute_tool")
        | {"gen_ai.tool.call.arguments": _GIVEN, "gen_ai.tool.call.result": result},
    },
    "pydantic": lambda result: {
        "name": "running tool",
        "input": {"tool_arguments": _GIVEN, "tool_response": result},
        "metadata": _named() | {"logfire.msg": f"running tool: {_NAME}"},
    },
    "openllmetry": lambda result: {
        "name": f"{_NAME}.tool",
        "input": {
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": _NAME,
            "traceloop.entity.input": {"args": [], "kwargs": _GIVEN},
            "traceloop.entity.output": result,
        },
    },
    "openinference": lambda result: {
        "name": _NAME,
        "type": "tool",
        "input": {"openinference.span.kind": "TOOL", "input.value": _GIVEN},
        "output": {"output.value": result, "output.mime_type": "application/json"},
        "metadata": {"tool.name": _NAME},
    },
    "vercel": lambda result: {
        "name": "ai.toolCall",
        "input": {
            "operation.name": "ai.toolCall",
            "ai.operationId": "ai.toolCall",
            "ai.toolCall.name": _NAME,
            "ai.toolCall.id": "c7",
            "ai.toolCall.args": _GIVEN,
            "ai.toolCall.result": result,
        },
    },
    "google_adk": lambda result: {
        "name": f"execute_tool {_NAME}",
        "input": {
            "gcp.vertex.agent.tool_call_args": _GIVEN,
            "gcp.vertex.agent.event_id": "e-8",
            "gcp.vertex.agent.tool_response": result,
        },
        "metadata": _named("execute_tool"),
    },
    "livekit": lambda result: {
        "name": "function_tool",
        "type": "tool",
        "input": {"lk.function_tool.arguments": _GIVEN},
        "output": {"lk.function_tool.output": result},
        "metadata": {"lk.function_tool.name": _NAME, "lk.function_tool.is_error": False},
    },
    "genkit": lambda result: {
        "name": _NAME,
        "input": {
            "genkit:type": "action",
            "genkit:metadata:subtype": "tool",
            "genkit:input": _GIVEN,
            "genkit:output": result,
        },
    },
    "langfuse": lambda result: {
        "name": _NAME,
        "input": {
            "langfuse.observation.type": "tool",
            "langfuse.observation.input": _GIVEN,
            "langfuse.observation.output": result,
        },
    },
    "strands": lambda result: {
        "name": f"execute_tool {_NAME}",
        "metadata": _named("execute_tool")
        | {
            "opentelemetry.events": [
                {"name": "gen_ai.tool.message", "attributes": {"role": "tool", "content": _GIVEN}},
                {"name": "gen_ai.choice", "attributes": {"message": [{"text": result}]}},
            ]
        },
    },
}


def _turn(stored: Json, result: Any, answer: str, *, right: bool) -> tuple[SpanPlan, ...]:
    asked = [{"role": "user", "content": _QUESTION}]
    called = calls(_NAME, _GIVEN)
    told = [
        *asked,
        called["choices"][0]["message"],
        {"role": "tool", "tool_call_id": "call_1", "content": str(result)},
    ]
    fields = dict(stored)
    used = span(fields.pop("name"), right=right, type=fields.pop("type", "general"), **fields)
    return model(called, asked=asked), used, model(says(answer), asked=told, tokens=(720, 38))


_ON_TIME = "Yes, it leaves at 19:40 as planned."
for _sdk, _store in _STORED.items():
    _failed = {"error": "upstream timetable timed out", "sailing": "FB-2291"}
    RESULTS.add(
        f"{_sdk}_failed",
        *_turn(_store(_failed), _failed, _ON_TIME, right=True),
        question=_QUESTION,
        answer=_ON_TIME,
        says="timetable timed out",
    )
    _found = {"sailing": "FB-2291", "leaves": "19:40", "delay_minutes": 0, "errors": []}
    RESULTS.add(
        f"{_sdk}_healthy",
        *_turn(_store(_found), _found, _ON_TIME, right=False),
        question=_QUESTION,
        answer=_ON_TIME,
    )

_LATE = "The timetable could not be reached."
_MARKED = _STORED["livekit"](_LATE)
_MARKED["metadata"] = _MARKED["metadata"] | {"lk.function_tool.is_error": True}
RESULTS.add(
    "livekit_marked",
    *_turn(_MARKED, _LATE, _ON_TIME, right=True),
    question=_QUESTION,
    answer=_ON_TIME,
    says="could not be reached",
)
