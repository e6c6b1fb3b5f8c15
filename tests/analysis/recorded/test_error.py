"""The error of a record, wherever it was recorded."""

from typing import Any

from app.analysis.recorded.error import effective_error
from app.opik.records import ErrorInfo, Span
from testkit.case_tables import each_case

RAISED = {
    "name": "exception",
    "attributes": {
        "exception.type": "ConnectionRefusedError",
        "exception.message": "refused",
        "exception.stacktrace": "Traceback ...",
    },
}


def error_of(**fields: Any) -> ErrorInfo | None:
    return effective_error(Span(id="s", trace_id="t", **fields))


@each_case(
    "fields, kind",
    [
        ({"error_info": {"exception_type": "KeyError", "message": "x"}}, "KeyError"),
        ({"metadata": {"opentelemetry.events": [RAISED]}}, "ConnectionRefusedError"),
        ({"metadata": {"error.type": "timeout"}}, "timeout"),
        ({"input": {"error.type": "java.net.ConnectException"}}, "java.net.ConnectException"),
        ({"metadata": {"http.response.status_code": 503}}, "HTTP 503"),
        ({"input": {"http.response.status_code": "500"}}, "HTTP 500"),
        ({"metadata": {"http.response.status_code": 403}}, "HTTP 403"),
        ({"metadata": {"attributes": {"status_code": 2}}}, "Error"),
        ({"metadata": {"statusCode": 2, "statusMessage": "no"}}, "Error"),
        ({"metadata": {"status": {"code": 2, "message": "no"}}}, "Error"),
        ({"metadata": {"otel.status_code": "ERROR", "otel.status_description": "no"}}, "Error"),
    ],
)
def test_error_is_found_in_field_event_and_attribute(fields: Any, kind: str) -> None:
    error = error_of(**fields)
    assert error is not None
    assert error.exception_type == kind


@each_case(
    "fields",
    [
        {},
        {"error_info": {}},
        {"metadata": {"opentelemetry.events": [{"name": "gen_ai.choice", "attributes": {}}]}},
        {"metadata": {"opentelemetry.events": [RAISED], "otel.status_code": "OK"}},
        {"metadata": {"http.response.status_code": 404}},
        {"metadata": {"http.response.status_code": "many"}},
        {"metadata": {"error.type": ""}},
        {"metadata": {"status": 2}},
        {"metadata": {"status": 2, "message": "Two parcels are on their way."}},
        {"metadata": {"status_code": "2"}},
        {"metadata": {"execution_status": 2}},
        {"metadata": {"attributes": {"status": 2}}},
        {"metadata": {"order.status": "2"}},
        {"error_info": {"exception_type": "ParentCommand", "message": "Command(goto='x')"}},
        {"error_info": {"exception_type": "langgraph.errors.GraphInterrupt"}},
        {"error_info": {"exception_type": "GraphBubbleUp"}},
        {"error_info": {"message": "ParentCommand(Command(goto='x'))"}},
    ],
)
def test_control_flow_and_plain_attributes_are_no_errors(fields: Any) -> None:
    assert error_of(**fields) is None


def test_an_iterator_that_ended_too_early_is_an_error() -> None:
    assert error_of(error_info={"exception_type": "StopAsyncIteration"}) is not None
