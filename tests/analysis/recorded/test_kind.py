"""What kind of work a span is, whatever its type says."""

from typing import Any

from app.analysis.recorded.kind import SpanKind, find_kind
from app.opik.records import Span
from testkit.case_tables import each_case

CHAT = {"messages": [{"role": "user", "content": "Where?"}]}
REPLY = {"choices": [{"message": {"content": "In Graz."}}]}


@each_case(
    "fields, kind",
    [
        ({"type": "llm", "model": "m"}, SpanKind.MODEL_CALL),
        ({"type": "llm"}, SpanKind.MODEL_CALL),
        ({"type": "llm", "input": CHAT, "output": REPLY}, SpanKind.MODEL_CALL),
        (
            {"type": "llm", "name": "cache", "input": {"key": 1}, "output": {"hit": True}},
            SpanKind.OTHER,
        ),
        ({"type": "general", "model": "m", "usage": {"prompt_tokens": 1}}, SpanKind.MODEL_CALL),
        ({"type": "general"}, SpanKind.OTHER),
        (
            {"input": {"model": "m", "prompt": "Why?"}, "output": {"done_reason": "stop"}},
            SpanKind.MODEL_CALL,
        ),
        ({"input": CHAT, "output": CHAT}, SpanKind.OTHER),
        ({"name": "GET /stock", "metadata": {"http.request.method": "GET"}}, SpanKind.TOOL_CALL),
        ({"type": "tool", "name": "buscar_horarios"}, SpanKind.RETRIEVAL),
        ({"type": "tool", "name": "検索"}, SpanKind.RETRIEVAL),
        ({"type": "tool", "name": "send_mail"}, SpanKind.TOOL_CALL),
        ({"type": "tool", "name": "search_docs"}, SpanKind.RETRIEVAL),
        ({"type": "guardrail"}, SpanKind.GUARDRAIL),
        ({"type": "llm", "name": "ai.generateText"}, SpanKind.AGENT_STEP),
        ({"type": "llm", "name": "ai.generateText.doGenerate"}, SpanKind.MODEL_CALL),
        ({"type": "llm", "name": "ai.toolCall"}, SpanKind.TOOL_CALL),
        ({"type": "llm", "name": "ai.embed.doEmbed"}, SpanKind.EMBEDDING),
        ({"type": "llm", "input": {"toolName": "track", "args": "{}"}}, SpanKind.TOOL_CALL),
        ({"type": "llm", "model": "text-embedding-3-small"}, SpanKind.EMBEDDING),
        ({"type": "llm", "output": {"data": [{"embedding": [0.1]}]}}, SpanKind.EMBEDDING),
        ({"type": "llm", "name": "invoke_agent support", "model": "m"}, SpanKind.AGENT_STEP),
        ({"type": "general", "name": "execute_tool track"}, SpanKind.TOOL_CALL),
        ({"type": "llm", "name": "chat gpt-4o"}, SpanKind.MODEL_CALL),
        ({"type": "general", "name": "chat with user"}, SpanKind.OTHER),
        ({"metadata": {"gen_ai.operation.name": "execute_tool"}}, SpanKind.TOOL_CALL),
        ({"metadata": {"openinference.span.kind": "RETRIEVER"}}, SpanKind.RETRIEVAL),
        ({"metadata": {"openinference.span.kind": "CHAIN"}, "type": "llm"}, SpanKind.AGENT_STEP),
        ({"input": {"traceloop.span.kind": "tool"}}, SpanKind.TOOL_CALL),
        ({"metadata": {"ai.operationId": "ai.streamText.doStream"}}, SpanKind.MODEL_CALL),
        ({"input": {"langfuse.observation.type": "generation"}}, SpanKind.MODEL_CALL),
        ({"input": {"langfuse.observation.type": "span"}}, SpanKind.OTHER),
        ({"input": {"genkit:metadata:subtype": "model"}}, SpanKind.MODEL_CALL),
        ({"input": {"genkit:metadata:subtype": "retriever"}}, SpanKind.RETRIEVAL),
        ({"input": {"mlflow.spanType": "CHAT_MODEL"}}, SpanKind.MODEL_CALL),
        ({"input": {"lmnr.span.type": "TOOL"}}, SpanKind.TOOL_CALL),
        ({"input": {"braintrust.span_attributes": {"type": "llm"}}}, SpanKind.MODEL_CALL),
        ({"metadata": {"span.type": "llm_request"}}, SpanKind.MODEL_CALL),
        ({"metadata": {"span.type": "tool.blocked_on_user"}}, SpanKind.OTHER),
        ({"metadata": {"gen_ai.tool.name": "track"}}, SpanKind.TOOL_CALL),
        ({"metadata": {"ls_retriever_name": "vectorstore"}}, SpanKind.RETRIEVAL),
        ({"metadata": {"haystack.component.type": "QdrantRetriever"}}, SpanKind.RETRIEVAL),
        ({"metadata": {"haystack.component.type": "PromptBuilder"}}, SpanKind.OTHER),
        ({"type": "tool", "metadata": {"triggered": True}}, SpanKind.GUARDRAIL),
        ({"type": "llm", "input": {"input": CHAT["messages"]}}, SpanKind.MODEL_CALL),
    ],
)
def test_kind_follows_type_convention_and_contents(fields: Any, kind: SpanKind) -> None:
    assert find_kind(Span(**{"id": "s", "trace_id": "t", "name": "step", **fields})) == kind
