"""Guardrails, kinds of spans, names of token counts, clocks and names."""

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

GUARDRAILS = CaseList("guardrail")
KINDS = CaseList("span_kind")
USAGE = CaseList("usage_names")
CLOCKS = CaseList("clock")
NAMES = CaseList("names")

_EMPTY = "Sorry, I cannot tell at the moment."


# Guardrails: the SDK records a span of its own with its verdict.
def _checks(passed: bool, kind: str = "PII") -> Json:
    return {
        "validation_passed": passed,
        "validations": [{"validation_passed": passed, "type": kind, "validation_details": {}}],
        "guardrail_result": "passed" if passed else "failed",
    }


for _name, _verdict in (
    ("llama_guard", "unsafe\nS2"),
    ("label", {"label": "INJECTION", "score": 0.99}),
    ("llama_guard_healthy", "safe"),
    ("label_healthy", {"label": "BENIGN", "score": 0.97}),
):
    GUARDRAILS.add(
        f"verdict_of_{_name}",
        span(
            "check_question",
            type="guardrail",
            input={"text": "seats?"},
            output=_verdict,
            right=not _name.endswith("_healthy"),
        ),
        answer="There are 14 seats left." if _name.endswith("_healthy") else "Sorry, no.",
    )
GUARDRAILS.add(
    "sdk_span_failed",
    model(says("Her card number is 4111 1111 1111 1111.")),
    span(
        "Guardrail",
        type="guardrail",
        input={"generation": "Her card ..."},
        output=_checks(False),
        right=True,
    ),
    answer="I may not answer that.",
)
GUARDRAILS.add(
    "sdk_span_failed_and_its_caller_raised",
    tool("find_passenger", {"name": "Ida"}, []),
    model(says("She is not on board.")),
    span(
        "check_answer",
        span(
            "Guardrail",
            type="guardrail",
            right=True,
            input={"generation": "She is not on board."},
            output=_checks(False, "TOPIC"),
        ),
        input={"text": "She is not on board."},
        **failed("GuardrailValidationFailed", "Guardrail validation failed"),
    ),
    answer=None,
)
GUARDRAILS.add(
    "agents_sdk_triggered",
    span(
        "off_topic",
        type="tool",
        right=True,
        metadata={"type": "guardrail", "name": "off_topic", "triggered": True},
    ),
    answer="I may only talk about ferries.",
)
GUARDRAILS.add(
    "agents_sdk_not_triggered_healthy",
    span(
        "off_topic",
        type="tool",
        metadata={"type": "guardrail", "name": "off_topic", "triggered": False},
    ),
    model(says("There are 14 seats left.")),
)
GUARDRAILS.add(
    "sdk_span_passed_healthy",
    span(
        "Guardrail", type="guardrail", input={"generation": "How many seats?"}, output=_checks(True)
    ),
    model(says("There are 14 seats left.")),
    span(
        "Guardrail",
        type="guardrail",
        input={"generation": "There are 14."},
        output=_checks(True, "TOPIC"),
    ),
)
GUARDRAILS.add(
    "typed_general_failed",
    span("input_guardrail", input="How ...", output=_checks(False, "TOPIC"), right=True),
    answer="I may only talk about ferries.",
)
for _passed in (False, True):
    GUARDRAILS.add(
        "unnamed_check_passed_healthy" if _passed else "unnamed_check_failed",
        model(says("The fare is 12 euros.")),
        tool(
            "slutkontroll", {"text": "The fare is 12 euros."}, _checks(_passed), right=not _passed
        ),
        answer="The fare is 12 euros." if _passed else "I may not answer that.",
    )


def _rail(name: str, output: Json, *, right: bool = True, named: str = "input rails") -> None:
    """A rail with the check inside it, before the answer."""
    told = "I may only talk about ferries." if right else "There are 14 seats left."
    check = span("check", model(says("yes" if right else "no"), right=right), right=right)
    rail = span(named, check, input={"text": "How many seats?"}, output=output, right=right)
    after = [] if right else [model(says(told))]
    GUARDRAILS.add(name if right else f"{name}_healthy", rail, *after, answer=told)


_rail("rail_stops", {"type": "input", "name": "check topic", "stop": True})
_rail("rail_goes_on", {"type": "input", "name": "check topic", "stop": False}, right=False)
_rail("apply_guardrail_intervened", {"action": "GUARDRAIL_INTERVENED"}, named="ApplyGuardrail")
_rail("bedrock_none", {"action": "NONE", "outputs": []}, named="ApplyGuardrail", right=False)
_rail(
    "bedrock_masked",
    {"action": "GUARDRAIL_INTERVENED", "assessments": [{"type": "NAME", "action": "ANONYMIZED"}]},
    named="ApplyGuardrail",
    right=False,
)
_rail("prompt_shield", {"userPromptAnalysis": {"attackDetected": True}}, named="prompt-shields")
_rail("model_armor", {"filterMatchState": "MATCH_FOUND"}, named="model_armor.sanitize")
_rail("train_by_rail", {"stop": True, "at": "Tern"}, named="rail connection", right=False)

GUARDRAILS.add(
    "tripwire_triggered",
    span(
        "off_topic_guardrail",
        right=True,
        input={"input": "Write my essay"},
        output={"output_info": {"off_topic": True}, "tripwire_triggered": True},
    ),
    answer="I may only talk about ferries.",
)
GUARDRAILS.add(
    "bedrock_intervened",
    model(
        {"stopReason": "guardrail_intervened", "output": {"message": {"content": []}}},
        right=True,
    ),
    answer="I may only talk about ferries.",
)
GUARDRAILS.add(
    "nothing_flagged_healthy",
    span("moderation", output={"results": [{"flagged": False, "categories": {"hate": False}}]}),
    model(says("There are 14 seats left.")),
)


# What a span is does not follow from its type alone.
KINDS.add(
    "tool_typed_llm_fails",
    model({"toolCalls": [{"toolName": "countSeats", "args": "{}"}], "finishReason": "tool-calls"}),
    span(
        "ai.toolCall",
        type="llm",
        right=True,
        input={"toolName": "countSeats", "args": '{"sailing": 7}'},
        output={"result": '{"error": {"message": "chart is locked"}}'},
        metadata={"ai.operationId": "ai.toolCall"},
    ),
    model({"text": "About 20 seats are left.", "finishReason": "stop"}),
    answer="About 20 seats are left.",
    says="chart is locked",
)
KINDS.add(
    "tool_typed_general_fails",
    model(calls("count_seats", {"sailing": 7})),
    span(
        "count_seats",
        right=True,
        input={"sailing": 7},
        output={"success": False, "message": "chart is locked"},
        metadata={"gen_ai.operation.name": "execute_tool"},
    ),
    model(says("About 20 seats are left.")),
    answer="About 20 seats are left.",
    says="chart is locked",
)
KINDS.add(
    "model_call_typed_general_cut",
    span(
        "generate",
        right=True,
        input={"prompt": "List all ferries."},
        output={"choices": [{"message": {"content": "1. Anna 2. Berta 3."}}]},
        metadata={"finish_reason": "length", "gen_ai.request.model": "gpt-4.1-mini"},
        usage={"prompt_tokens": 300, "completion_tokens": 16},
    ),
    answer="1. Anna 2. Berta 3.",
)
KINDS.add(
    "bookkeeping_typed_llm_healthy",
    span("ChatPromptTemplate", type="llm", input={"q": "seats"}, output=None),
    model(says("There are 14 seats left.")),
    span("StrOutputParser", type="llm", input="There are 14 seats left.", output=""),
    span("RunnableSequence", type="llm", output=None),
)
KINDS.add(
    "telemetry_wrappers_typed_llm_healthy",
    span(
        "ai.generateText",
        model({"text": "There are 14 seats left.", "finishReason": "stop"}, name="doGenerate"),
        type="llm",
        input={"prompt": "How many seats?"},
        output={"text": "There are 14 seats left."},
        metadata={"ai.operationId": "ai.generateText"},
    ),
)
KINDS.add(
    "retriever_by_openinference_kind",
    span(
        "lookup",
        right=True,
        input={"input.value": "luggage rules"},
        output={"retrieval.documents": []},
        metadata={"openinference.span.kind": "RETRIEVER"},
    ),
    model(says("I don't have any information about luggage rules.")),
    question="What are the luggage rules?",
    answer="I don't have any information about luggage rules.",
)


# Token counts under other names.
def _counts(name: str, usage: Json, shown: str = "1,240", **more: Any) -> None:
    """A single model call with this usage; the outline has to show its tokens."""
    call = model(says("There are 14 seats left."), usage=usage, **more)
    USAGE.add(f"{name}_healthy", call, outline_says=shown)


_counts("gemini", {"promptTokenCount": 1_240, "candidatesTokenCount": 52, "totalTokenCount": 1_292})
_counts("bedrock", {"inputTokens": 1_240, "outputTokens": 52, "totalTokens": 1_292})
_counts("vertex_snake_case", {"prompt_token_count": 1_240, "candidates_token_count": 52})
_counts("ollama", {"prompt_eval_count": 1_240, "eval_count": 52})
_counts("anthropic", {"input_tokens": 1_240, "output_tokens": 52})
_counts("vercel", {"promptTokens": 1_240, "completionTokens": 52})
_counts("openinference", {"prompt": 1_240, "completion": 52, "total": 1_292})
_counts("original_usage_only", {"original_usage.input_tokens": 1_240})
USAGE.add(
    "agent_repeats_its_calls_healthy",
    span(
        "invoke_agent",
        model(says("Let me look."), tokens=(1_000, 20)),
        model(says("There are 14 seats left."), tokens=(1_240, 52)),
        type="llm",
        model="gpt-4.1-mini",
        usage={"prompt_tokens": 2_240, "completion_tokens": 72, "total_tokens": 2_312},
        input={"messages": [{"role": "user", "content": "How many seats?"}]},
        output={"text": "There are 14 seats left."},
    ),
    outline_says="2,240",
)
USAGE.add(
    "absurd_counts_healthy",
    model(
        says("There are 14 seats left."), usage={"prompt_tokens": 10**12, "completion_tokens": -5}
    ),
)


# Clocks of other machines.
def _skewed(name: str, seconds: float) -> None:
    CLOCKS.add(
        f"{name}_healthy",
        model(says("Let me look."), seconds=1.5),
        tool("count_seats", {"sailing": 7}, {"seats": 14}, seconds=1.0),
        span("chart.read", input={"sailing": 7}, output={"seats": 14}, at=seconds, seconds=0.8),
        model(says("There are 14 seats left."), at=2.6, seconds=1.5),
        end_time="2026-05-04T09:00:04.200000Z",
        duration=4_200.0,
    )


_skewed("one_span_three_hours_ahead", 10_800.0)
_skewed("one_span_two_days_behind", -172_800.0)
CLOCKS.add(
    "every_span_at_the_same_moment_healthy",
    *[
        span(f"step_{part}", input={"part": part}, output={"done": part}, at=0.0, seconds=0.0)
        for part in range(8)
    ],
)


# Names, and tools that have none.
_FUNCTION = {"type": "function", "function": {"name": "count_seats", "parameters": {}}}
NAMES.add(
    "hosted_tool_beside_functions_healthy",
    model(
        calls("web_search", {"query": "evening ferry"}),
        metadata={"tools": [{"type": "web_search_preview"}, _FUNCTION]},
    ),
    tool("web_search", {"query": "evening ferry"}, {"hits": [{"title": "Evening ferry"}]}),
    model(says("There are 14 seats left.")),
)
NAMES.add(
    "gemini_hosted_search_healthy",
    model(
        calls("google_search", {"query": "evening ferry"}),
        metadata={"tools": [{"googleSearch": {}}, {"functionDeclarations": [{"name": "count"}]}]},
    ),
    model(says("There are 14 seats left.")),
)
NAMES.add(
    "tool_that_was_not_offered",
    model(calls("cancel_ferry", {"sailing": 7}), metadata={"tools": [_FUNCTION]}, right=True),
    model(says(_EMPTY)),
    answer=_EMPTY,
    says="cancel_ferry",
)
NAMES.add(
    "names_with_bidi_controls_healthy",
    tool("\u202eseats\u202c " * 20, {"sailing": 7}, {"seats": 14}),
    model(says("There are 14 seats left."), name="شات" * 300),
)
NAMES.add(
    "very_long_name_fails",
    tool("count_" * 2_000, {"sailing": 7}, None, right=True, **failed("OSError", "disk gone")),
    answer=None,
    says="disk gone",
)
