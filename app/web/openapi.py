"""The HTTP interface as an OpenAPI 3.1 description, for tools and for whoever writes a client."""

from collections.abc import Mapping
from typing import Any

from app.caller import SESSION_COOKIE, WORKSPACE_HEADER
from app.web.requests import FeedbackBody, QuestionBody

Json = dict[str, Any]

_ID = {"type": "string"}
_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}


def describe_interface(prefix: str, version: str) -> Json:
    """The description of all endpoints under `prefix`, as a JSON value."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "OpikAssist",
            "version": version,
            "summary": "Answers questions about Opik traces.",
        },
        "servers": [{"url": prefix or "/"}],
        "security": [{"session": []}, {}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE}
            },
            "schemas": _schemas(),
        },
    }


def _paths() -> Json:
    session, trace = "/trace-analyzer/session/{trace_id}", [_TRACE_ID, _WORKSPACE]
    return {
        "/healthz": {"get": _operation("That the process runs.", _answer("Health"))},
        "/readyz": {
            "get": _operation(
                "Whether questions can be answered now.", _answer("Ready"), {"503": "NotReady"}
            )
        },
        "/openapi.json": {"get": _operation("This description.", _answer("Any"))},
        "/models": {
            "parameters": [_WORKSPACE],
            "get": _operation("The models that a question may name.", _answer("Models")),
        },
        session: {
            "parameters": trace,
            "get": _operation("The conversation about a trace.", _answer("History")),
            "post": _operation(
                "Asks a question; the answer comes as server-sent events, one frame each.",
                _answer("Frame", "text/event-stream"),
                body="Question",
            ),
            "delete": _operation("Deletes the conversation, ending its turn.", _answer("Nothing")),
        },
        f"{session}/suggestions": {
            "parameters": trace,
            "get": _operation("Questions to begin with.", _answer("Suggestions")),
        },
        f"{session}/feedback": {
            "parameters": trace,
            "put": _operation("Rates the conversation.", _answer("Rated"), body="Thumb"),
            "delete": _operation("Takes the rating back.", {"204": {"description": "Taken back"}}),
        },
    }


_TRACE_ID = {
    "name": "trace_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}
_WORKSPACE = {"name": WORKSPACE_HEADER, "in": "header", "schema": {"type": "string"}}


def _answer(schema: str, media_type: str = "application/json") -> Json:
    content = {media_type: {"schema": _ref(schema)}}
    return {"200": {"description": "What was asked for", "content": content}}


def _operation(
    summary: str, answers: Json, more: Mapping[str, str] | None = None, *, body: str = ""
) -> Json:
    others = {
        status: {
            "description": "Not now",
            "content": {"application/json": {"schema": _ref(schema)}},
        }
        for status, schema in (more or {}).items()
    }
    refused = {
        "description": "Refused or failed, in words for a person",
        "content": {"application/json": {"schema": _ref("Problem")}},
    }
    operation: Json = {
        "summary": summary,
        "responses": {**answers, **others, "4XX": refused, "5XX": refused},
    }
    if body:
        content = {"application/json": {"schema": _ref(body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _ref(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}


def _object(required: Mapping[str, Any], **optional: Any) -> Json:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
    }


def _list_of(item: Json) -> Json:
    return {"type": "array", "items": item}


def _schemas() -> Json:
    parts = {"database": _TEXT, "schema": _TEXT, "backend": _TEXT}
    problem = {"code": _TEXT, "message": _TEXT}
    row = _object({"id": _ID, "name": _TEXT, "display_name": _TEXT}, completed={"type": "boolean"})
    model = _object({"name": _TEXT, "usable": {"type": ["boolean", "null"]}})
    message = _object(
        {"id": _ID, "role": {"enum": ["user", "assistant"]}, "content": _TEXT},
        messageType=_TEXT,
        toolCalls=_list_of(row),
    )
    return {
        "Any": {},
        "Nothing": {"type": "null"},
        "Question": QuestionBody.model_json_schema(),
        "Thumb": FeedbackBody.model_json_schema(),
        "Problem": _object(problem),
        "Health": _object({"status": {"const": "healthy"}, "storage": _TEXT, "version": _TEXT}),
        "Ready": _object({"status": {"const": "ready"}, **parts}),
        "NotReady": _object({**problem, **parts}),
        "Models": _object({"models": _list_of(model)}),
        "History": _object({"content": _list_of(message)}),
        "Suggestions": _object({"suggestions": _list_of(_TEXT)}),
        "Rated": _object({"status": {"const": "ok"}}),
        "Frame": {"oneOf": _frames()},
    }


def _frames() -> list[Json]:
    """One frame of an answer; whoever meets another kind ignores it."""
    of_turn = {"invocationId": _ID}
    of_tool = {"id": _ID, "author": _TEXT, "timestamp": {"type": "number"}}
    part = _list_of(_object({"text": _TEXT}))
    call = _object({"id": _ID, "name": _TEXT, "display_name": _TEXT})
    answered = _object({"id": _ID, "name": _TEXT})
    spent = _object(
        {"total_tokens": _COUNT}, estimated={"type": "boolean"}, cost={"type": "number"}
    )
    return [
        _frame("response", id=_ID, partial={"type": "boolean"}, content=_object({"parts": part}))
        | {"description": "A piece of a text, or with partial=false the whole of it."},
        _frame("tool_call", tool_call=call, **of_tool),
        _frame("tool_complete", tool_response=answered, **of_tool),
        _frame("model", model=_TEXT, provider={"type": ["string", "null"]}, **of_turn),
        _frame("usage", turn=spent, conversation=spent, **of_turn),
        _frame("suggestions", suggestions=_list_of(_TEXT), **of_turn),
        _object({"error": _TEXT, "code": _TEXT})
        | {"description": "The last frame of a turn that failed."},
    ]


def _frame(kind: str, **fields: Any) -> Json:
    return _object({"message_type": {"const": kind}, **fields})
