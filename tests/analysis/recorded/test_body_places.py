"""Inputs and outputs of spans whose attributes an ingestion stored as they came."""

from typing import Any

from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.kind import SpanKind
from app.analysis.recorded.recorded_span import RecordedSpan
from app.opik.records import Span
from testkit.case_tables import each_case

GIVEN = {"n": 7}
RESULT = {"city": "Graz"}
EXECUTED = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "track"}
ADK = "gcp.vertex.agent"
FUSE = "langfuse.observation"
ATTRIBUTES = {"gen_ai.tool.call.arguments": GIVEN, "gen_ai.tool.call.result": RESULT}


def view(**fields: Any) -> RecordedSpan:
    return RecordedSpan(Span.model_validate({"id": "s", "trace_id": "t", **fields}))


def event(name: str, **attributes: Any) -> dict[str, Any]:
    return {"name": name, "time_unix_nano": 1, "attributes": attributes}


@each_case(
    "given, returned, metadata",
    [
        ({"gen_ai.tool.call.arguments": GIVEN}, {"gen_ai.tool.call.result": RESULT}, EXECUTED),
        (None, None, EXECUTED | ATTRIBUTES),
        ({"tool_arguments": GIVEN, "tool_response": RESULT}, None, {"gen_ai.tool.name": "track"}),
        ({"tool_arguments": GIVEN}, {"tool_response": RESULT}, {"gen_ai.tool.name": "track"}),
        (
            {
                "traceloop.span.kind": "tool",
                "traceloop.entity.input": GIVEN,
                "traceloop.entity.output": RESULT,
            },
            None,
            None,
        ),
        (
            {"openinference.span.kind": "TOOL", "input.value": GIVEN},
            {"output.value": RESULT, "output.mime_type": "application/json"},
            {"tool.name": "track"},
        ),
        (
            {
                "ai.operationId": "ai.toolCall",
                "ai.toolCall.id": "c1",
                "ai.toolCall.args": GIVEN,
                "ai.toolCall.result": RESULT,
            },
            None,
            None,
        ),
        ({"toolName": "track", "args": GIVEN}, RESULT, {"ai.operationId": "ai.toolCall"}),
        ({f"{ADK}.tool_call_args": GIVEN, f"{ADK}.tool_response": RESULT}, None, EXECUTED),
        ({f"{ADK}.tool_call_args": GIVEN}, {f"{ADK}.tool_response": RESULT}, EXECUTED),
        (
            {"lk.function_tool.arguments": GIVEN},
            {"lk.function_tool.output": RESULT},
            {"lk.function_tool.name": "track"},
        ),
        (
            {"genkit:metadata:subtype": "tool", "genkit:input": GIVEN, "genkit:output": RESULT},
            None,
            None,
        ),
        (
            {f"{FUSE}.type": "tool", f"{FUSE}.input": GIVEN, f"{FUSE}.output": RESULT},
            None,
            None,
        ),
        (
            {"mlflow.spanType": "TOOL", "mlflow.spanInputs": GIVEN, "mlflow.spanOutputs": RESULT},
            None,
            None,
        ),
        (
            None,
            None,
            EXECUTED
            | {
                "opentelemetry.events": [
                    event("gen_ai.tool.message", role="tool", content=GIVEN),
                    event("gen_ai.choice", message=[{"text": RESULT}]),
                ]
            },
        ),
        (GIVEN, None, EXECUTED | {"opentelemetry.events": [event("tool.output", content=RESULT)]}),
    ],
)
def test_tool_without_the_attributes_around_it(given: Any, returned: Any, metadata: Any) -> None:
    found = view(name="step", input=given, output=returned, metadata=metadata)
    assert found.kind is SpanKind.TOOL_CALL
    assert found.input.opened == GIVEN
    assert found.output.result.opened == RESULT
    assert not found.returned_nothing


@each_case(
    "given",
    [
        {"response_data": {"message": {"role": "assistant", "content": "Hi."}}, "gen_ai.n": 1},
        {f"{ADK}.llm_response": {"content": {"role": "model", "parts": [{"text": "Hi."}]}}},
        {"ai.response.text": "Hi.", "ai.response.finishReason": "stop"},
        {"gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "Hi."},
        {"llm.output_messages": [{"message.role": "assistant", "message.content": "Hi."}]},
        {"gen_ai.system": "m", "events": [{"event.name": "gen_ai.choice", "message": "Hi."}]},
        {f"{FUSE}.output": {"role": "assistant", "content": "Hi."}},
    ],
)
def test_reply_that_was_left_in_the_input(given: Any) -> None:
    found = view(type="llm", model="m", input={"gen_ai.prompt.0.content": "Hello?"} | given)
    assert found.reply.text == "Hi."
    assert found.output.state is BodyState.PRESENT
    assert "Hi." not in str(found.input.value)


@each_case(
    "given",
    [
        {"tool_response": {"rows": 3}},  # arguments of a function, not attributes
        {"ai.response.finishReason": "stop", "ai.prompt.messages": "[]"},
        {"gen_ai.input.messages": [], "final_answer": "no attribute"},
    ],
)
def test_output_that_was_not_recorded_stays_absent(given: Any) -> None:
    assert view(type="llm", model="m", input=given).output.state is BodyState.ABSENT


def test_tool_that_an_sdk_marked_as_failed() -> None:
    marked = {"lk.function_tool.name": "track", "lk.function_tool.is_error": True}
    output = {"lk.function_tool.output": "parcel 7 is not ours"}
    assert view(type="tool", output=output, metadata=marked).failure == "parcel 7 is not ours"
    unmarked = marked | {"lk.function_tool.is_error": False}
    assert view(type="tool", output=output, metadata=unmarked).failure == ""


@each_case(
    "fields, prompt, completion",
    [
        ({"output": {f"{ADK}.llm_response": {"usage_metadata": {"promptTokenCount": 9}}}}, 9, None),
        ({"input": {f"{FUSE}.usage_details": {"input": 9, "output": 4}}}, 9, 4),
        ({"input": {"ai.usage.promptTokens": 9, "ai.usage.completionTokens": 4}}, 9, 4),
        ({"input": {"genkit:output": {"usage": {"inputTokens": 9, "outputTokens": 4}}}}, 9, 4),
        ({"input": {"usage": {"prompt_tokens": 9}}}, None, None),
    ],
)
def test_usage_of_attributes(fields: Any, prompt: Any, completion: Any) -> None:
    usage = view(type="llm", model="m", **fields).usage
    assert (usage.prompt, usage.completion) == (prompt, completion)
