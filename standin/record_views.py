"""Traces, spans and threads as the backend shows them: what was sent plus what it derives."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from standin import timestamps
from standin.workspace import Json, StoredRecord, Subject, Workspace, thread_key

IDLE_UNTIL_INACTIVE = timedelta(minutes=15)


def trace(workspace: Workspace, entry: StoredRecord, *, extra_spans: int = 0) -> Json:
    """A trace with all derived fields; `extra_spans` is added to the number of its spans."""
    spans = workspace.spans_of(entry.id)
    subject = Subject("trace", entry.id)
    shown = _build_record_view(entry) | {
        "usage": _summed_usage(span.fields for span in spans) or None,
        "feedback_scores": list(workspace.scores.get(subject, {}).values()) or None,
        "span_feedback_scores": _averaged_scores(workspace, spans) or None,
        "comments": list(workspace.comments.get(subject, {}).values()) or None,
        "guardrails_validations": _list_guardrails(workspace, entry.id) or None,
        "total_estimated_cost": _summed_cost(span.fields for span in spans),
        "span_count": len(spans) + extra_spans,
        "llm_span_count": sum(span.fields.get("type") == "llm" for span in spans),
        "has_tool_spans": any(span.fields.get("type") == "tool" for span in spans),
        "providers": sorted({s.fields["provider"] for s in spans if s.fields.get("provider")}),
        "visibility_mode": "default",
    }
    return _without_nulls(shown)


def span(workspace: Workspace, entry: StoredRecord) -> Json:
    """A span with all derived fields."""
    subject = Subject("span", entry.id)
    shown = _build_record_view(entry) | {
        "type": entry.fields.get("type", "general"),
        "feedback_scores": list(workspace.scores.get(subject, {}).values()) or None,
        "comments": list(workspace.comments.get(subject, {}).values()) or None,
    }
    return _without_nulls(shown)


def thread(workspace: Workspace, project_id: str, thread_id: str) -> Json | None:
    """A thread as the aggregate of its traces, or None when it has none."""
    entries = workspace.traces_of_thread(project_id, thread_id)
    if not entries:
        return None
    traces = [trace(workspace, entry) for entry in entries]
    first, last = traces[0], traces[-1]
    end = max((t["end_time"] for t in traces if t.get("end_time")), default=None)
    updated = max(t["last_updated_at"] for t in traces)
    key = thread_key(project_id, thread_id)
    idle = timestamps.now() - timestamps.parse(updated) > IDLE_UNTIL_INACTIVE
    model_id = timestamps.id_at(timestamps.parse(first["start_time"]), f"thread/{key}")
    comments = workspace.comments.get(Subject("thread", model_id), {})
    shown = {
        "id": thread_id,
        "project_id": project_id,
        "thread_model_id": model_id,
        "start_time": first["start_time"],
        "end_time": end,
        "duration": timestamps.milliseconds_between(first["start_time"], end),
        "first_message": first.get("input"),
        "last_message": last.get("output"),
        "feedback_scores": list(workspace.scores.get(Subject("thread", key), {}).values()) or None,
        "status": "inactive" if idle or key in workspace.closed_threads else "active",
        "number_of_messages": 2 * len(traces),
        "total_estimated_cost": _summed_cost(traces),
        "usage": _summed_usage(traces) or None,
        "comments": list(comments.values()) or None,
        "created_at": first["created_at"],
        "created_by": first["created_by"],
        "last_updated_at": updated,
        "last_updated_by": last["last_updated_by"],
    }
    return _without_nulls(shown)


def traces(workspace: Workspace, project_id: str, *, extra_spans: int = 0) -> list[Json]:
    """All traces of a project, newest id first; kept until the next write to the workspace."""
    key = (project_id, extra_spans)
    if key not in workspace.shown_traces:
        workspace.shown_traces[key] = _build_traces(workspace, project_id, extra_spans)
    return workspace.shown_traces[key]


def _build_traces(workspace: Workspace, project_id: str, extra_spans: int) -> list[Json]:
    found = [
        entry
        for entry in workspace.traces.values()
        if entry.complete and entry.fields.get("project_id") == project_id
    ]
    return [trace(workspace, entry, extra_spans=extra_spans) for entry in _newest_first(found)]


def spans(
    workspace: Workspace,
    project_id: str,
    trace_id: str | None,
    *,
    before: str | None = None,
    most: int | None = None,
) -> list[Json]:
    """The spans of a project, or of one of its traces, newest id first.

    Only those with ids below `before` and at most so many, since showing one takes longer than
    finding it.
    """
    pool = workspace.spans_of(trace_id) if trace_id else workspace.spans.values()
    found = [
        e
        for e in pool
        if e.complete
        and e.fields.get("project_id") == project_id
        and (before is None or e.id < before)
    ]
    return [span(workspace, entry) for entry in _newest_first(found)[:most]]


def threads(workspace: Workspace, project_id: str) -> list[Json]:
    """All threads of a project, newest first."""
    ids = {
        entry.fields["thread_id"]
        for entry in workspace.traces.values()
        if entry.fields.get("thread_id") and entry.fields.get("project_id") == project_id
    }
    shown = [thread(workspace, project_id, thread_id) for thread_id in ids]
    found = [one for one in shown if one]
    return sorted(found, key=lambda one: str(one["thread_model_id"]), reverse=True)


def project(workspace: Workspace, record: Json) -> Json:
    """A project with the time of its latest trace."""
    times = [
        entry.last_updated_at
        for entry in workspace.traces.values()
        if entry.fields.get("project_id") == record["id"] and entry.last_updated_at
    ]
    return record | ({"last_updated_trace_at": timestamps.text(max(times))} if times else {})


def _newest_first(entries: Iterable[StoredRecord]) -> list[StoredRecord]:
    return sorted(entries, key=lambda entry: entry.id, reverse=True)


def _build_record_view(entry: StoredRecord) -> Json:
    fields = entry.fields
    updated = entry.last_updated_at or entry.created_at
    return {
        # First, as the backend writes them: a client may read only the beginning of a record.
        "id": entry.id,
        "project_id": fields["project_id"],
        **fields,
        "created_at": timestamps.text(entry.created_at),
        "created_by": entry.created_by,
        "last_updated_at": timestamps.text(updated),
        "last_updated_by": entry.last_updated_by,
        "duration": timestamps.milliseconds_between(fields["start_time"], fields.get("end_time")),
        "source": fields.get("source", "sdk"),
    }


def _without_nulls(shown: Json) -> Json:
    return {name: value for name, value in shown.items() if value is not None}


def _summed_usage(records: Iterable[Json]) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for record in records:
        for name, tokens in (record.get("usage") or {}).items():
            sums[name] += tokens
    return dict(sums)


def _summed_cost(records: Iterable[Json]) -> float | None:
    costs = [
        record["total_estimated_cost"] for record in records if "total_estimated_cost" in record
    ]
    return round(sum(costs), 12) if costs else None


def _averaged_scores(workspace: Workspace, spans: Iterable[StoredRecord]) -> list[Json]:
    by_name: dict[str, list[Json]] = defaultdict(list)
    for entry in spans:
        for score in workspace.scores.get(Subject("span", entry.id), {}).values():
            by_name[score["name"]].append(score)
    return [
        {
            "name": name,
            "value": _compute_mean([s["value"] for s in found]),
            "source": found[0]["source"],
        }
        for name, found in sorted(by_name.items())
    ]


def _compute_mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _list_guardrails(workspace: Workspace, trace_id: str) -> list[Json]:
    by_span: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for check in workspace.guardrails.get(trace_id, []):
        by_span[check.span_id].append({"name": check.name, "result": check.result})
    return [{"span_id": span_id, "checks": checks} for span_id, checks in by_span.items()]
