"""What kind of work a span is: by its type, its convention's own word, and what it holds.

Types alone mislead: Vercel's integration types every span `llm`, bookkeeping spans are typed `llm`
by some programs, and model calls `general` by OpenTelemetry mappings that do not know the model.
"""

import re
from enum import StrEnum
from itertools import islice
from typing import Any

from app.analysis.recorded.names import NAME_READ, match_names
from app.analysis.recorded.spellings import (
    SEARCH_ANYWHERE,
    SEARCH_STARTS,
    key_set,
    plain_key,
    word_set,
)
from app.opik.records import Span


class SpanKind(StrEnum):
    MODEL_CALL = "model call"
    TOOL_CALL = "tool call"
    RETRIEVAL = "retrieval"
    EMBEDDING = "embedding"
    GUARDRAIL = "guardrail"
    AGENT_STEP = "agent step"
    OTHER = "other"


# Of OpenTelemetry's GenAI conventions, OpenInference, OpenLLMetry, LangSmith, Claude Code,
# Langfuse, Genkit, MLflow, Laminar and Braintrust; see `_WORD_KEYS`.
_WORDS = {
    "chat": SpanKind.MODEL_CALL,
    "text_completion": SpanKind.MODEL_CALL,
    "generate_content": SpanKind.MODEL_CALL,
    "llm": SpanKind.MODEL_CALL,
    "generation": SpanKind.MODEL_CALL,
    "chat_model": SpanKind.MODEL_CALL,
    "model": SpanKind.MODEL_CALL,
    "llm_request": SpanKind.MODEL_CALL,
    "embedder": SpanKind.EMBEDDING,
    "embeddings": SpanKind.EMBEDDING,
    "embedding": SpanKind.EMBEDDING,
    "execute_tool": SpanKind.TOOL_CALL,
    "tool": SpanKind.TOOL_CALL,
    "retriever": SpanKind.RETRIEVAL,
    "retrieval": SpanKind.RETRIEVAL,
    "reranker": SpanKind.OTHER,
    "guardrail": SpanKind.GUARDRAIL,
    "evaluator": SpanKind.OTHER,
    "agent": SpanKind.AGENT_STEP,
    "invoke_agent": SpanKind.AGENT_STEP,
    "create_agent": SpanKind.AGENT_STEP,
    "chain": SpanKind.AGENT_STEP,
    "workflow": SpanKind.AGENT_STEP,
    "task": SpanKind.AGENT_STEP,
    "flow": SpanKind.AGENT_STEP,
    "interaction": SpanKind.AGENT_STEP,
    "tool.blocked_on_user": SpanKind.OTHER,
    "tool.execution": SpanKind.OTHER,
    "hook": SpanKind.OTHER,
}
_WORD_KEYS = (
    "gen_ai.operation.name",
    "openinference.span.kind",
    "traceloop.span.kind",
    "span.kind",
    "span.type",
    "langfuse.observation.type",
    "genkit:metadata:subtype",
    "mlflow.spanType",
    "lmnr.span.type",
    "braintrust.span_attributes",
)
_MODEL_KEYS = ("gen_ai.request.model", "gen_ai.response.model", "llm.model_name")
# OpenTelemetry names a span by its operation and its subject: `execute_tool get_weather`.
_OPERATIONS = frozenset(
    ["invoke_agent", "create_agent", "execute_tool", "generate_content", "text_completion"]
)
_OPERATIONS_OF_MODELS = frozenset(["chat", "embeddings"])  # also names in other programs
_VERCEL_KEYS = ("ai.operationId", "operation.name", "ai.operation_id")
_STATING_KEYS = frozenset([*_WORD_KEYS, *_VERCEL_KEYS])
_TOOL_INPUT_KEYS = frozenset(["toolName", "toolCallId", "gen_ai.tool.name", "tool_name"])
_TOOL_NAME_KEYS = frozenset(["gen_ai.tool.name", "lk.function_tool.name", "tool.name"])
_VERCEL_TOOL = re.compile(r"^ai\.toolCall\b")
_VERCEL_MODEL = re.compile(r"^ai\.\w+\.do[A-Z]\w+")
_VERCEL_STEP = re.compile(r"^ai\.(?:generate|stream|embed)\w*\b")
_names_embedding = match_names("embed")
_names_search = match_names(rf"{SEARCH_STARTS}|find(?:er)?\b", anywhere=SEARCH_ANYWHERE)
# Opik types LangChain's prompts as tools; Haystack's builders do the same work.
_PROMPT_CLASSES = ("PromptTemplate", "PromptBuilder")
_KEYS_READ = 200  # keys of a body or of metadata
_EMBEDDING_KEYS = frozenset(["embedding", "embeddings", "num_embeddings"])
_REPLY_ONLY = key_set("choices candidates generations stop_reason finish_reason done_reason")
_REQUEST_ONLY = key_set("model model_id messages contents prompt prompts")
# Attributes of client spans in OpenTelemetry's conventions for HTTP, RPC and databases.
_SERVICE_ATTRIBUTES = ("http.request.", "http.method", "http.url", "rpc.system", "db.system")


def find_kind(span: Span) -> SpanKind:
    """The kind of a span; without its bodies by name, type, model and usage."""
    stated = _stated_kind(span)
    if stated is not None:
        return stated
    name = (span.name or "")[:NAME_READ]
    kind = _kind_by_type(span, name)
    return SpanKind.RETRIEVAL if kind is SpanKind.TOOL_CALL and _names_search(name) else kind


def _stated_kind(span: Span) -> SpanKind | None:
    for record in (span.metadata, span.input):
        if not isinstance(record, dict) or _STATING_KEYS.isdisjoint(record):
            continue
        for key in _WORD_KEYS:
            word = record.get(key)
            word = word.get("type") if isinstance(word, dict) else word
            if isinstance(word, str) and word.lower() in _WORDS:
                return _WORDS[word.lower()]
        for key in _VERCEL_KEYS:
            word = record.get(key)
            if isinstance(word, str) and (kind := _vercel_kind(word)) is not None:
                return kind
    names_model = span.type == "llm" or bool(span.model)
    return _kind_by_name((span.name or "")[:NAME_READ], names_model)


def _kind_by_name(name: str, names_model: bool) -> SpanKind | None:
    word, blank, _ = name.partition(" ")
    is_operation = word in _OPERATIONS or (names_model and word in _OPERATIONS_OF_MODELS)
    return _vercel_kind(name) or (_WORDS[word] if blank and is_operation else None)


def _vercel_kind(name: str) -> SpanKind | None:
    """The kind of an operation of the Vercel AI SDK (`ai.generateText.doGenerate`), else None."""
    if not name.startswith("ai."):
        return None
    name = name[:NAME_READ]
    if _VERCEL_TOOL.match(name):
        return SpanKind.TOOL_CALL
    if _VERCEL_MODEL.match(name):
        return SpanKind.EMBEDDING if ".doEmbed" in name else SpanKind.MODEL_CALL
    return SpanKind.AGENT_STEP if _VERCEL_STEP.match(name) else None


def _kind_by_type(span: Span, name: str) -> SpanKind:
    metadata = span.metadata if isinstance(span.metadata, dict) else {}
    if span.type == "guardrail" or (span.type == "tool" and "triggered" in metadata):
        return SpanKind.GUARDRAIL  # Opik's integration of OpenAI's agents types them as tools
    if span.type == "tool":
        return SpanKind.OTHER if name.endswith(_PROMPT_CLASSES) else SpanKind.TOOL_CALL
    if span.type == "llm":
        if _names_embedding(name) or _names_embedding(span.model or ""):
            return SpanKind.EMBEDDING
        if isinstance(span.input, dict) and not _TOOL_INPUT_KEYS.isdisjoint(span.input):
            return SpanKind.TOOL_CALL
        if _holds_embeddings(span.output):
            return SpanKind.EMBEDDING
        return SpanKind.MODEL_CALL if _has_model_signs(span) else SpanKind.OTHER
    if span.usage and _names_model(span) and not _names_embedding(span.model or ""):
        return SpanKind.MODEL_CALL
    if _holds_reply(span):
        return SpanKind.MODEL_CALL
    if not _TOOL_NAME_KEYS.isdisjoint(metadata):
        return SpanKind.TOOL_CALL
    if _is_retriever(span, metadata):
        return SpanKind.RETRIEVAL
    return SpanKind.TOOL_CALL if _calls_service(span) else SpanKind.OTHER


def _is_retriever(span: Span, metadata: dict[str, Any]) -> bool:
    """Whether LangChain, Haystack or LlamaIndex says that it is the retriever of a pipeline."""
    if "ls_retriever_name" in metadata:
        return True
    component = metadata.get("haystack.component.type")
    if isinstance(component, str) and component.endswith("Retriever"):
        return True
    return span.name == "retrieve" and isinstance(span.input, dict) and "query_str" in span.input


def _holds_reply(span: Span) -> bool:
    """Whether input and output are a request and a reply as providers' APIs have them."""
    if not (isinstance(span.input, dict) and isinstance(span.output, dict)):
        return False
    return not (
        _REPLY_ONLY.isdisjoint(map(plain_key, islice(span.output, _KEYS_READ)))
        or _REQUEST_ONLY.isdisjoint(map(plain_key, islice(span.input, _KEYS_READ)))
    )


def _calls_service(span: Span) -> bool:
    """Whether OpenTelemetry recorded a call of another service or of a database."""
    if isinstance(span.metadata, dict):
        for key in islice(span.metadata, _KEYS_READ):
            if str(key).startswith(_SERVICE_ATTRIBUTES):
                return True
    return False


def _names_model(span: Span) -> bool:
    metadata = span.metadata if isinstance(span.metadata, dict) else {}
    return bool(span.model) or any(metadata.get(key) for key in _MODEL_KEYS)


def _holds_embeddings(output: Any) -> bool:
    """Whether an output is the reply of an embedding endpoint (OpenAI, Gemini, LlamaIndex)."""
    if not isinstance(output, dict):
        return False
    data = output.get("data")
    first = data[0] if isinstance(data, list) and data else None
    return not _EMBEDDING_KEYS.isdisjoint(output) or (
        isinstance(first, dict) and "embedding" in first
    )


def _has_model_signs(span: Span) -> bool:
    """Whether a span typed `llm` is a call: without model, usage, cost and bodies of a call it is
    bookkeeping."""
    if span.model or span.usage or span.provider or span.ttft is not None:
        return True
    if not (isinstance(span.input, dict) or isinstance(span.output, dict)):
        return span.input is None and span.output is None
    keys = {
        str(key).lower()
        for body in (span.input, span.output)
        if isinstance(body, dict)
        for key in body
    }
    return not keys.isdisjoint(_REPLY_SIGNS) or _holds_messages(span.input)


def _holds_messages(body: Any) -> bool:
    """Whether an input has a list of messages (OpenAI's agents, without a model)."""
    values = islice(body.values(), _KEYS_READ) if isinstance(body, dict) else ()
    return any(
        isinstance(each, list) and bool(each) and isinstance(each[0], dict) and "role" in each[0]
        for each in values
    )


_REPLY_SIGNS = word_set(
    "messages choices prompt candidates content completion generations text toolcalls contents"
    " gen_ai.input.messages gen_ai.output.messages llm.input_messages"
)
