"""Describes what the page reads, in OpenAPI 3.1: made from the types that check and answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.explorer.explorer import AttachmentList, SpanDetails, TraceDetails
from app.explorer.span_rows import Waterfall
from app.explorer.trace_list import ProjectList, TracePage, TraceQuery
from app.web.ui_api import (
    RESPONSES,
    AttachmentParameters,
    FileParameters,
    Parameters,
    SpanParameters,
)

Json = dict[str, Any]

_REFERENCES = "#/components/schemas/{model}"
_ID = {"type": "string", "format": "uuid"}
TRACE_ID = {"name": "trace_id", "in": "path", "required": True, "schema": _ID}
_SPAN = {"name": "span_id", "in": "path", "required": True, "schema": _ID}


def reference_schema(name: str) -> Json:
    """A reference to the schema of that name."""
    return {"$ref": _REFERENCES.format(model=name)}


def describe_ui_paths(workspace: Json) -> Json:
    """The paths; `workspace` describes the header that all of them take."""
    trace = "/ui/api/traces/{trace_id}"
    described: list[tuple[str, str, type[Any] | None, Sequence[Json]]] = [
        ("/ui/api/projects", "Lists the projects of the workspace.", ProjectList, []),
        ("/ui/api/traces", "Lists traces.", TracePage, _describe_query(TraceQuery)),
        (trace, "Returns a trace with its bodies.", TraceDetails, [TRACE_ID]),
        (f"{trace}/spans", "Returns the spans of a trace over time.", Waterfall, [TRACE_ID]),
        (
            f"{trace}/spans/{{span_id}}",
            "Returns a span with its bodies.",
            SpanDetails,
            [TRACE_ID, _SPAN, *_describe_query(SpanParameters)],
        ),
        (
            f"{trace}/attachments",
            "Lists the files of a trace or span.",
            AttachmentList,
            [TRACE_ID, *_describe_query(AttachmentParameters)],
        ),
        (
            f"{trace}/attachments/file",
            "Returns a file as a download.",
            None,
            [TRACE_ID, *_describe_query(FileParameters)],
        ),
    ]
    return {
        path: {"get": _describe_read(summary, answer, [workspace, *parameters])}
        for path, summary, answer, parameters in described
    }


def build_ui_schemas() -> Mapping[str, Json]:
    """The schemas of the answers and their parts, by name."""
    schemas: dict[str, Json] = {}
    for kind, adapter in RESPONSES.items():
        schema = adapter.json_schema(mode="serialization", ref_template=_REFERENCES)
        schemas |= schema.pop("$defs", {})
        schemas[kind.__name__] = schema
    return schemas


def _describe_query(kind: type[Parameters]) -> list[Json]:
    schema = kind.model_json_schema()
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": each}
        for name, each in schema["properties"].items()
    ]


def _describe_read(summary: str, answer: type[Any] | None, parameters: Sequence[Json]) -> Json:
    content: Json = {"application/octet-stream": {}}
    if answer is not None:
        content = {"application/json": {"schema": reference_schema(answer.__name__)}}
    problem = {"schema": reference_schema("Problem")}
    refused = {"description": "An error", "content": {"application/json": problem}}
    success = {"description": "Success", "content": content}
    return {
        "summary": summary,
        "parameters": list(parameters),
        "responses": {"200": success, "4XX": refused, "5XX": refused},
    }
