"""Writes to a backend with the real SDK and reads all back with its REST client.

Run as a process of its own, since importing the SDK changes the process: writes one JSON object.
"""

import json
import sys
import warnings
from datetime import UTC, datetime, timedelta
from typing import Any

warnings.simplefilter("ignore")

import opik  # noqa: E402
from opik import opik_context  # noqa: E402
from opik.rest_api import OpikApi  # noqa: E402
from opik.rest_api.types.trace_filter_public import TraceFilterPublic  # noqa: E402

PROJECT = "sdk-check"


@opik.track(type="tool")
def look_up(key: str) -> str:
    raise KeyError(key)


@opik.track(name="tracked", project_name=PROJECT)
def tracked(question: str) -> str:
    opik_context.update_current_trace(thread_id="thread-1", tags=["a", "b"], metadata={"x": 1})
    try:
        look_up("orders")
    except KeyError:
        return "none"
    return "some"


def write(client: opik.Opik) -> str:
    tracked("Where?")
    opik.flush_tracker()
    trace = client.trace(name="by-hand", project_name=PROJECT, input={"n": 1}, thread_id="thread-1")
    started = datetime.now(UTC)
    span = trace.span(
        name="call",
        type="llm",
        model="gpt-4.1",
        provider="openai",
        input={"messages": ["x" * 12_000]},
        usage={"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        total_cost=0.002,
        start_time=started,
    )
    span.end(output={"text": "y"}, end_time=started + timedelta(seconds=2))
    trace.end(output={"text": "y"})
    client.log_traces_feedback_scores(
        [{"id": trace.id, "name": "good", "value": 0.4, "reason": "so so", "project_name": PROJECT}]
    )
    client.flush()
    return str(trace.id)


def read(api: OpikApi, trace_id: str) -> dict[str, Any]:
    trace = api.traces.get_trace_by_id(trace_id)
    stream = api.spans.search_spans(trace_id=trace_id, project_name=PROJECT, truncate=True)
    (span,) = [json.loads(line) for line in b"".join(stream).splitlines() if line]
    page = api.traces.get_traces_by_project(
        project_name=PROJECT,
        filters=json.dumps([{"field": "name", "operator": "=", "value": "tracked"}]),
    )
    failed = api.spans.get_spans_by_project(
        project_name=PROJECT,
        filters=json.dumps([{"field": "error_info", "operator": "is_not_empty", "value": ""}]),
    )
    stats = api.traces.get_trace_stats(project_name=PROJECT)
    thread = api.traces.get_trace_thread(thread_id="thread-1", project_name=PROJECT)
    searched = api.traces.search_traces(
        project_name=PROJECT,
        filters=[TraceFilterPublic(field="thread_id", operator="=", value="thread-1")],
    )
    return {
        "trace": [trace.name, trace.span_count, trace.llm_span_count, trace.total_estimated_cost],
        "score": [trace.feedback_scores[0].name, trace.feedback_scores[0].reason],
        "usage": trace.usage,
        "span": [span["model"], span["duration"], len(span["input"])],
        "page": [page.total, page.content[0].tags, page.content[0].thread_id],
        "failed": [each.name for each in failed.content],
        "stats": sorted(stat.name for stat in stats.stats or []),
        "thread": [thread.number_of_messages, thread.status],
        "searched": len([line for line in b"".join(searched).splitlines() if line]),
        "workspace": about_workspace(api),
        "rest": the_rest(api, trace_id),
    }


def about_workspace(api: OpikApi) -> dict[str, Any]:
    permissions = api.workspace_permissions.get_workspace_user_permissions()
    keys = api.llm_provider_key.find_llm_provider_keys()
    return {
        "who": [permissions.user_name, permissions.workspace_name],
        "granted": len(permissions.permissions or []),
        "keys": [key.provider for key in keys.content or []],
        "name": api.check.get_workspace_name().workspace_name,
    }


def the_rest(api: OpikApi, trace_id: str) -> dict[str, Any]:
    """Comments, closing of a thread, projects, deletion: each written and read back."""
    api.traces.add_trace_comment(trace_id, text="Look at this")
    api.traces.close_trace_thread(project_name=PROJECT, thread_id="thread-1")
    trace = api.traces.get_trace_by_id(trace_id)
    (thread,) = api.traces.get_trace_threads(project_name=PROJECT).content or []
    project = api.projects.get_project_by_id(str(trace.project_id))
    spans = api.spans.get_spans_by_project(project_name=PROJECT, trace_id=trace_id).content or []
    span_stats = api.spans.get_span_stats(project_name=PROJECT, trace_id=trace_id)
    api.spans.delete_span_by_id(str(spans[0].id))
    return {
        "comments": [comment.text for comment in trace.comments or []],
        "thread": [thread.id, thread.status],
        "project": [project.name, api.projects.retrieve_project(name=PROJECT).id == project.id],
        "projects": [each.name for each in api.projects.find_projects().content or []],
        "span_stats": "duration" in {stat.name for stat in span_stats.stats or []},
        "left": api.spans.get_spans_by_project(project_name=PROJECT, trace_id=trace_id).total,
    }


if __name__ == "__main__":
    url = sys.argv[1]
    written = write(opik.Opik(host=f"{url}/api"))
    found = read(OpikApi(base_url=f"{url}/api", workspace_name="default"), written)
    sys.stdout.write(f"{json.dumps(found)}\n")
