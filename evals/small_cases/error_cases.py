"""Errors outside `error_info`, exceptions that are no errors, and what an error says."""

from typing import Any

from evals.small_cases.builder import (
    CaseList,
    Json,
    calls,
    failed,
    model,
    says,
    span,
    tool,
)

ELSEWHERE = CaseList("error_elsewhere")
CONTROL = CaseList("control_flow")
TEXTS = CaseList("error_text")
ARGUMENTS = CaseList("refused_arguments")

_EMPTY = "Sorry, I cannot tell at the moment."


def _event(type: str, message: str) -> Json:
    attributes = {"exception.type": type, "exception.message": message}
    return {"opentelemetry.events": [{"name": "exception", "attributes": attributes}]}


def _elsewhere(name: str, *, expected: str = "", right: bool = True, **fields: Any) -> None:
    """A tool of an OpenTelemetry program, whose span has these fields and no output."""
    told = _EMPTY if right else "There are 14 seats left."
    used = span("execute_tool count_seats", right=right, **fields)
    asking = model(calls("count_seats", {"sailing": "FB-2291"}))
    ELSEWHERE.add(name, asking, used, model(says(told)), answer=told, says=expected)


_elsewhere(
    "exception_event",
    expected="lease expired",
    metadata={"gen_ai.operation.name": "execute_tool", **_event("LeaseError", "lease expired")},
)
_elsewhere(
    "error_type_attribute",
    input={"gen_ai.tool.call.arguments": {"sailing": "FB-2291"}, "error.type": "TimeoutError"},
)
_elsewhere(
    "error_type_and_message",
    expected="lease expired",
    input={"error.type": "LeaseError", "error.message": "lease expired"},
)
_elsewhere(
    "http_status_attribute",
    input={"http.request.method": "GET", "http.response.status_code": 503},
)
_elsewhere(
    "older_http_status_attribute",
    metadata={"http.method": "GET", "http.status_code": "500", "http.url": "https://e.org/seats"},
)
_elsewhere(
    "status_in_metadata",
    expected="lease expired",
    metadata={"otel.status_code": "ERROR", "otel.status_description": "lease expired"},
)
_elsewhere(
    "status_object",
    expected="lease expired",
    metadata={"status": {"code": "STATUS_CODE_ERROR", "message": "lease expired"}},
)
_elsewhere(
    "langfuse_level",
    expected="lease expired",
    metadata={
        "langfuse.observation.level": "ERROR",
        "langfuse.observation.status_message": "lease expired",
    },
)
_elsewhere(
    "exception_attributes",
    expected="lease expired",
    metadata={"exception.type": "LeaseError", "exception.message": "lease expired"},
)
_elsewhere("grpc_status", metadata={"rpc.system": "grpc", "rpc.grpc.status_code": 14})
_WORKED: Json = {"output": {"gen_ai.tool.call.result": {"seats": 14}}}
_elsewhere(
    "http_status_200_healthy",
    right=False,
    input={"http.request.method": "GET", "http.response.status_code": 200},
    **_WORKED,
)
_elsewhere(
    "status_ok_healthy",
    right=False,
    metadata={"otel.status_code": "OK", "status": {"code": "STATUS_CODE_UNSET"}},
    **_WORKED,
)
_elsewhere(
    "other_events_healthy",
    right=False,
    metadata={"opentelemetry.events": [{"name": "cache.hit", "attributes": {"age_s": 3}}]},
    **_WORKED,
)
_elsewhere(
    "empty_error_type_healthy",
    right=False,
    input={"error.type": "", "gen_ai.tool.call.arguments": {"sailing": "FB-2291"}},
    **_WORKED,
)
_elsewhere(
    "level_default_healthy",
    right=False,
    metadata={"langfuse.observation.level": "DEFAULT", "logfire.level_num": 9},
    **_WORKED,
)
ELSEWHERE.add(
    "exception_event_on_model_call",
    span(
        "chat gpt-4.1-mini",
        type="llm",
        right=True,
        input={"gen_ai.input.messages": [{"role": "user", "parts": [{"content": "Seats?"}]}]},
        metadata=_event("RateLimitError", "Error code: 429 - tokens per minute exceeded"),
    ),
    answer=None,
    says="429",
)


# Exceptions that only steer a program.
def _steers(name: str, type: str, message: str = "", *, answer: str = "14 seats left.") -> None:
    steering = failed(type, message, f"Traceback (most recent call last):\n{type}: {message}\n")
    CONTROL.add(
        f"{name}_healthy",
        span(
            "supervisor",
            tool("hand_to_seat_desk", {}, None, **steering),
            **steering,
        ),
        span("seat_desk", model(says(answer)), output={"answer": answer}),
        answer=answer,
    )


_steers("parent_command", "ParentCommand", "Command(graph='__parent__', goto='seat_desk')")
_steers("bubble_up", "GraphBubbleUp")
_steers("graph_interrupt", "GraphInterrupt", "(Interrupt(value='Which date?', resumable=True),)")
_steers("node_interrupt", "NodeInterrupt", "Waiting for approval")
_steers("qualified_name", "langgraph.errors.GraphInterrupt", "()")
_steers("generator_exit", "GeneratorExit")
for _name, _type in (
    ("approval", "pydantic_ai.exceptions.ApprovalRequired"),
    ("deferred_call", "CallDeferred"),
    ("feedback_pending", "HumanFeedbackPending"),
    ("tool_interrupt", "ToolInterruptError"),
    ("waiting_for_event", "workflows.runtime.types.step_function.WaitingForEvent"),
    ("suspended_system", "dev.langchain4j.agentic.scope.AgenticSystemSuspendedException"),
    ("url_elicitation", "UrlElicitationRequiredError"),
    ("continue_as_new", "temporalio.workflow.ContinueAsNewError"),
    ("suspended_workflow", "WorkflowSuspension"),
    ("stopped_by_tool", "agno.exceptions.StopAgentRun"),
):
    _steers(_name, _type, "asks the harbour master")
_steers("interrupt_object", "InterruptException", "Interrupt(id='v1', name='ask', reason='date?')")
CONTROL.add(
    "loser_of_a_race_cancelled_healthy",
    span(
        "ask_both",
        tool("ask_harbour", {"q": "seats"}, {"seats": 14}, at=0.0, seconds=0.4),
        tool("ask_mirror", {"q": "seats"}, None, at=0.0, seconds=0.41, **failed("CancelledError")),
    ),
    model(says("There are 14 seats left.")),
)
CONTROL.add(
    "asyncio_cancelled_healthy",
    span(
        "hedge",
        model(says("There are 14 seats left."), at=0.0, seconds=0.5),
        span("chat", type="llm", at=0.0, seconds=0.5, **failed("asyncio.CancelledError")),
    ),
)
for _name in ("RunPaused", "ToolConfirmationRequired", "app.HandoffException"):
    CONTROL.add(
        f"{_name}_healthy", tool("seats", {}, None, **failed(_name, "desk 2")), model(says("14"))
    )
_ASKS = failed("GraphInterrupt", "(Interrupt(value={'action': 'close_ferry'}, resumable=True),)")
CONTROL.add(
    "trace_waits_for_a_person_healthy",
    model(says("I would close the ferry; please approve.")),
    span("approve", **_ASKS),
    answer=None,
)
CONTROL.add(
    "interrupted_query",
    tool("count_seats", {}, None, right=True, **failed("InterruptException", "query was stopped")),
    answer=None,
    says="query was stopped",
)
CONTROL.add(
    "error_named_like_control_flow",
    tool("hand_to_seat_desk", {}, None, right=True, **failed("InterruptedSystemCall", "disk gone")),
    answer=None,
    says="disk gone",
)


# What an error says, wherever its message stands.
def _raises(name: str, expected: str, **error: str) -> None:
    TEXTS.add(
        name,
        span(
            "count_seats", tool("read_chart", {"sailing": 7}, None, right=True, **failed(**error))
        ),
        answer=None,
        says=expected,
    )


_raises(
    "javascript_stack",
    "Cannot read properties of undefined (reading 'seats')",
    traceback="TypeError: Cannot read properties of undefined (reading 'seats')\n"
    "    at readChart (/srv/chart.js:41:17)\n    at async run (/srv/run.js:9:5)",
)
_raises(
    "java_stack",
    "chart is locked",
    traceback="java.lang.IllegalStateException: chart is locked\n\tat no.ferry.Chart.read"
    "(Chart.java:88)\n\tat no.ferry.Main.main(Main.java:12)\n\t... 14 more",
)
_raises(
    "java_caused_by",
    "Connection reset",
    traceback="no.ferry.ChartException: chart not read\n\tat no.ferry.Chart.read(Chart.java:88)\n"
    "Caused by: java.net.SocketException: Connection reset\n\tat java.net.Socket.read(Socket.java)",
)
_raises(
    "python_traceback_only",
    "chart is locked",
    traceback='Traceback (most recent call last):\n  File "/srv/chart.py", line 9, in read\n'
    "    raise ChartError('chart is locked')\nferry.ChartError: chart is locked\n",
)
_raises("only_a_type", "ChartLockedError", type="ChartLockedError")
_raises("empty_object_as_message", "ChartLockedError", type="ChartLockedError", message="{}")
_raises(
    "rust_panic",
    "index out of bounds",
    message="thread 'main' panicked at src/chart.rs:12:5:\nindex out of bounds: the len is 3",
)
_raises(
    "dotnet_stack",
    "chart is locked",
    traceback="System.InvalidOperationException: chart is locked\n   at Ferry.Chart.Read() in "
    "/src/Chart.cs:line 41",
)
_raises(
    "json_message",
    "model_not_found",
    type="NotFoundError",
    message='{"error": {"code": "model_not_found", "message": "The model does not exist"}}',
)

# Arguments that a model wrote and that the schema of the tool refuses, in words of validators.
_WRITTEN = {"from": "Tern", "seats": "two or three"}
for _name, _message in (
    ("refused_by_zod", "seats: Expected number, received string"),
    ("refused_by_zod_four", "Invalid input: expected number, received string at seats"),
    ("refused_by_ajv", "data/seats must be number"),
    ("refused_by_valibot", "Invalid type: Expected number but received string"),
):
    ARGUMENTS.add(
        _name,
        model(calls("book", _WRITTEN), right=True),
        tool("book", _WRITTEN, None, **failed("InvalidToolArguments", _message)),
        answer=None,
        says="wrote the arguments",
    )
