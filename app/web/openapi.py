"""Describes the HTTP interface in OpenAPI 3.1, for tools and for authors of clients."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.caller import API_KEY_HEADER, SESSION_COOKIE, WORKSPACE_HEADER
from app.web.requests import FeedbackBody, QuestionBody, TitleBody
from app.web.ui_openapi import (
    TRACE_ID,
    Json,
    build_ui_schemas,
    describe_ui_paths,
    reference_schema,
)

_ID = {"type": "string"}
_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}
_TIME = {"type": "string", "format": "date-time"}
_COUNT = {"type": "integer", "minimum": 0}
_FRAME_AS_TEXT = {
    "type": "string",
    "contentMediaType": "application/json",
    "contentSchema": reference_schema("Frame"),
}
_NAMED_SPANS = {"span_id": _ID, "span_ids": {"type": "array", "items": _ID}}


def describe_interface(prefix: str, version: str, *, with_page: bool) -> Json:
    """The description of all endpoints under `prefix`, as a JSON value.

    `with_page` includes what the page reads.
    """
    paths, schemas = _describe_paths(), _build_schemas()
    if with_page:
        paths |= describe_ui_paths(_WORKSPACE)
        schemas |= build_ui_schemas()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "OpikAssist",
            "version": version,
            "summary": "Answers questions about Opik traces.",
        },
        "servers": [{"url": prefix or "/"}],
        "security": [{"session": []}, {"api_key": []}, {}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
                "api_key": {"type": "apiKey", "in": "header", "name": API_KEY_HEADER},
            },
            "schemas": schemas,
        },
    }


def _describe_paths() -> Json:
    session = "/trace-analyzer/session/{trace_id}"
    trace: list[Json] = [TRACE_ID, _WORKSPACE]
    return {
        "/healthz": {"get": _describe_operation("Reports that the process runs.", "Health")},
        "/readyz": {
            "get": _describe_operation(
                "Reports whether questions can be answered now.", "Ready", unavailable="NotReady"
            )
        },
        "/openapi.json": {"get": _describe_operation("Describes this interface.", "Any")},
        "/models": {
            "parameters": [_WORKSPACE],
            "get": _describe_operation("Lists the models that a question may name.", "Models"),
        },
        session: {
            "parameters": [*trace, _CONVERSATION],
            "get": _describe_operation(
                "Returns a branch of a conversation about a trace.",
                "History",
                query=[_LEAF, _BEFORE],
            ),
            "post": _describe_operation(
                "Asks a question; the answer comes as server-sent events, one frame each.",
                "FrameEvent",
                media_type="text/event-stream",
                body="Question",
                query=[_LEAF],
            ),
            "delete": _describe_operation(
                "Deletes all conversations about a trace, or one, and stops their turns.", "Nothing"
            ),
        },
        **_describe_conversation_paths(session, trace),
        f"{session}/suggestions": {
            "parameters": trace,
            "get": _describe_operation("Suggests questions to begin with.", "Suggestions"),
        },
        f"{session}/analysis": {
            "parameters": trace,
            "get": _describe_operation(
                "Returns findings, notes and profile of a trace, without asking a model.",
                "Analysis",
            ),
        },
        f"{session}/feedback": {
            "parameters": [*trace, _CONVERSATION],
            "put": _describe_operation("Rates the conversation.", "Rated", body="Feedback"),
            "delete": _describe_operation("Removes the rating.", None),
        },
    }


def _describe_conversation_paths(session: str, trace: list[Json]) -> Json:
    return {
        f"{session}/conversations": {
            "parameters": trace,
            "get": _describe_operation(
                "Lists the conversations about a trace, the newest first.", "Conversations"
            ),
            "post": _describe_operation(
                "Creates an empty conversation; without `conversation` it is meant from now on.",
                "Conversation",
                status="201",
            ),
        },
        f"{session}/conversations/{{conversation_id}}": {
            "parameters": [*trace, _CONVERSATION_ID],
            "patch": _describe_operation("Sets the title.", "Conversation", body="Title"),
            "delete": _describe_operation("Deletes a conversation and stops its turn.", None),
        },
        f"{session}/export": {
            "parameters": [*trace, _CONVERSATION],
            "get": _describe_operation(
                "Returns a branch of a conversation as a file.",
                "Export",
                query=[_LEAF, _FORMAT],
                other_media_type="text/markdown",
            ),
        },
    }


_BEFORE = {
    "name": "before",
    "in": "query",
    "description": "The `earlier` of another page: returns the turns that precede it.",
    "schema": {"type": "integer", "minimum": 1, "maximum": 999_999_999},
}
_CONVERSATION_ID = {
    "name": "conversation_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}
_CONVERSATION = {
    "name": "conversation",
    "in": "query",
    "description": "The id of the conversation; without it the newest one is meant.",
    "schema": {"type": "string", "format": "uuid"},
}
_LEAF = {
    "name": "leaf",
    "in": "query",
    "description": "The id of the turn that ends the branch; without it the latest one.",
    "schema": {"type": "string", "format": "uuid"},
}
_FORMAT = {
    "name": "format",
    "in": "query",
    "schema": {"enum": ["markdown", "json"], "default": "markdown"},
}
_WORKSPACE = {"name": WORKSPACE_HEADER, "in": "header", "schema": {"type": "string"}}


def _describe_operation(
    summary: str,
    answer: str | None,
    *,
    media_type: str = "application/json",
    other_media_type: str = "",
    status: str = "200",
    body: str = "",
    query: Sequence[Json] = (),
    unavailable: str = "",
) -> Json:
    """One method of a path; `answer`, `body` and `unavailable` (503) are names of schemas.

    Without an `answer` the response is an empty 204. `other_media_type` is of an answer in text.
    """
    refused = _describe_content("Problem", "An error, with a message for the user")
    responses: Json = {"204": {"description": "Removed"}}
    if answer is not None:
        responses = {status: _describe_content(answer, "Success", media_type)}
    if other_media_type:
        responses[status]["content"][other_media_type] = {"schema": _TEXT}
    if unavailable:
        responses["503"] = _describe_content(unavailable, "Temporarily unavailable")
    operation: Json = {
        "summary": summary,
        "responses": {**responses, "4XX": refused, "5XX": refused},
    }
    if query:
        operation["parameters"] = list(query)
    if body:
        content = {"application/json": {"schema": reference_schema(body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _describe_content(schema: str, description: str, media_type: str = "application/json") -> Json:
    content = {media_type: {"schema": reference_schema(schema)}}
    return {"description": description, "content": content}


def _object_schema(required: Mapping[str, Any], **optional: Any) -> Json:
    return {"type": "object", "required": list(required), "properties": {**required, **optional}}


def _list_schema(item: Json) -> Json:
    return {"type": "array", "items": item}


def _build_schemas() -> Json:
    parts = {"database": _TEXT, "schema": _TEXT, "backend": _TEXT}
    problem = {"code": _TEXT, "message": _TEXT}
    model = _object_schema({"name": _TEXT, "usable": {"type": ["boolean", "null"]}})
    return {
        "Any": {},
        "Nothing": {"type": "null"},
        "Question": QuestionBody.model_json_schema(),
        "Feedback": FeedbackBody.model_json_schema(),
        "Title": TitleBody.model_json_schema(),
        **_conversation_schemas(),
        "Problem": _object_schema(problem),
        "Health": _object_schema(
            {
                "status": {"const": "healthy"},
                "session_service": {"const": "database"},
                "storage": _TEXT,
                "version": _TEXT,
            }
        ),
        "Ready": _object_schema({"status": {"const": "ready"}, **parts}),
        "NotReady": _object_schema({**problem, **parts}),
        "Models": _object_schema({"models": _list_schema(model)}),
        "Suggestions": _object_schema({"suggestions": _list_schema(_TEXT)}),
        "Analysis": _analysis_schema(),
        "Rated": _object_schema({"status": {"const": "ok"}}),
        "Frame": {"oneOf": _frame_schemas()},
        "FrameEvent": _object_schema({"data": _FRAME_AS_TEXT})
        | {"description": "One server-sent event of the stream."},
    }


def _conversation_schemas() -> Json:
    conversation = _object_schema(
        {
            "id": _ID,
            "number": {"type": "integer"},
            "title": _TEXT,
            "created_at": _TIME,
            "last_updated_at": _TIME,
            "questions": _COUNT | {"description": "On the active branch."},
            "model": {"type": ["string", "null"]},
            "running": {"type": "boolean"},
        }
    )
    messages = _list_schema(_message_schema())
    exported = _object_schema(
        {"trace_id": _ID, "workspace": _TEXT, "complete": {"type": "boolean"}, "messages": messages}
    )
    return {
        "Conversation": conversation,
        "Conversations": _object_schema({"content": _list_schema(conversation)}),
        "History": _object_schema(
            {
                "content": messages,
                "suggestions": _list_schema(_TEXT),
                "rating": {"enum": [0, 1, None]},
            },
            earlier=_COUNT,
        ),
        "Export": {"allOf": [conversation, exported]},
    }


def _message_schema() -> Json:
    row = _object_schema(
        {"id": _ID, "name": _TEXT, "display_name": _TEXT},
        completed={"type": "boolean"},
        **_NAMED_SPANS,
    )
    return _object_schema(
        {
            "id": _ID,
            "role": {"enum": ["user", "assistant"]},
            "content": _TEXT,
            "turnId": _ID,
            "created_at": _TIME,
        },
        messageType=_TEXT,
        toolCalls=_list_schema(row),
        siblings=_list_schema(_ID)
        | {"description": "Of a question: it and the turns with the same parent, in order."},
        leaves=_list_schema(_ID)
        | {"description": "The latest turn of the branch of each sibling, for `leaf`."},
        failed={"const": True, "description": "Of the message of the error that ended a turn."},
        model=_TEXT,
        usage=_usage_schema() | {"description": "Of the whole turn, in its last message."},
    )


def _usage_schema() -> Json:
    kinds = ("prompt", "completion", "cached", "reasoning", "total")
    return _object_schema(
        {f"{kind}_tokens": _COUNT for kind in kinds},
        estimated={"type": "boolean"},
        cost=_NUMBER | {"description": "US dollars; absent where a price is unknown."},
        price_date=_TEXT | {"description": "The date of the listed prices that were used."},
    )


def _analysis_schema() -> Json:
    """The schema of an analysis; its texts are plain, not Markdown, and hold foreign text."""
    share = {"type": "number", "minimum": 0, "maximum": 1}
    span = {"id": _ID, "name": _TEXT, "alias": _TEXT}
    found = _object_schema(
        {
            "category": _TEXT,
            "confidence": share,
            "sentence": _TEXT,
            "spans": _list_schema(_object_schema(span)),
        }
    )
    on_path = _object_schema({**span, "ms": _NUMBER, "share": share}) | {
        "description": "A span on whose own work the trace waited; the longest come first."
    }
    profile = _object_schema(
        {
            "duration_ms": _NUMBER,
            "critical_path": _list_schema(on_path),
            "cost": _NUMBER | {"description": "US dollars"},
            "tokens": {"type": "integer"},
        }
    )
    return _object_schema(
        {
            "findings": _list_schema(found),
            "notes": _list_schema(found),
            "profile": profile,
            "complete": {
                "type": "boolean",
                "description": "False where spans, or inputs and outputs, were left unread.",
            },
        }
    )


def _frame_schemas() -> list[Json]:
    """The schemas of the frames of an answer; clients ignore kinds that they do not know."""
    of_turn = {"invocationId": _ID}
    of_tool = {"id": _ID, "author": _TEXT, "timestamp": {"type": "number"}}
    part = _list_schema(_object_schema({"text": _TEXT}))
    call = _object_schema({"id": _ID, "name": _TEXT, "display_name": _TEXT}, **_NAMED_SPANS)
    answered = _object_schema({"id": _ID, "name": _TEXT})
    spent = _usage_schema()
    return [
        _frame_schema(
            "response",
            id=_ID,
            partial={"type": "boolean"},
            content=_object_schema({"parts": part}),
            **of_turn,
        )
        | {"description": "A piece of a text, or with partial=false the whole of it."},
        _frame_schema("tool_call", tool_call=call, **of_tool),
        _frame_schema("tool_complete", tool_response=answered, **of_tool),
        _frame_schema("model", model=_TEXT, provider={"type": ["string", "null"]}, **of_turn),
        _frame_schema("usage", turn=spent, conversation=spent, **of_turn),
        _frame_schema("suggestions", suggestions=_list_schema(_TEXT), **of_turn),
        _object_schema({"error": _TEXT, "code": _TEXT})
        | {"description": "The last frame of a turn that failed."},
    ]


def _frame_schema(kind: str, **fields: Any) -> Json:
    return _object_schema({"message_type": {"const": kind}, **fields})
