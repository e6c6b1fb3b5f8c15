"""Every request that changes data, as one table of method, path and what it does.

A write is plain data, so the same table serves the HTTP routes, the data file and the recorded
traces: what the SDK once sent can be replayed as it came.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from standin import timestamps
from standin.non_finite import is_non_finite, quote_non_finite
from standin.workspace import Guardrail, Json, Subject, Workspace, thread_key


class RequestRefused(Exception):
    """The write is not acceptable; carries the HTTP status and the sentence that explains it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Write:
    """One request that changes data: `path` starts with /v1/private, `at` is when it came."""

    method: str
    path: str
    body: Any
    at: datetime
    user: str = "admin"


class WriteOutcome(NamedTuple):
    """How a write ended: the HTTP status and, for something new, the id it was given."""

    status: int = 204
    new_id: str | None = None


Apply = Callable[[Workspace, Write, dict[str, str]], WriteOutcome]


def _put_traces(workspace: Workspace, write: Write, _: dict[str, str]) -> WriteOutcome:
    for number, trace in enumerate(_read_items(write.body, "traces")):
        _check_numbers(trace)
        workspace.put_trace(_id_of(trace, write, number), trace, write.at, write.user)
    return WriteOutcome()


def _put_spans(workspace: Workspace, write: Write, _: dict[str, str]) -> WriteOutcome:
    for number, span in enumerate(_read_items(write.body, "spans")):
        if not span.get("trace_id"):
            raise RequestRefused(422, f"spans[{number}].traceId must not be null")
        _check_numbers(span)
        workspace.put_span(_id_of(span, write, number), span, write.at, write.user)
    return WriteOutcome()


def _put_one(workspace: Workspace, write: Write, params: dict[str, str]) -> WriteOutcome:
    kind = params["kind"]
    record_id = _id_of(write.body, write, 0)
    batch = replace(write, body={kind: [{**write.body, "id": record_id}]})
    (_put_traces if kind == "traces" else _put_spans)(workspace, batch, params)
    return WriteOutcome(201, record_id)


def _update_one(workspace: Workspace, write: Write, params: dict[str, str]) -> WriteOutcome:
    put = workspace.put_trace if params["kind"] == "traces" else workspace.put_span
    _check_numbers(write.body)
    put(params["id"], write.body, write.at, write.user)
    return WriteOutcome()


def _update_many(workspace: Workspace, write: Write, params: dict[str, str]) -> WriteOutcome:
    update = dict(write.body.get("update") or {})
    if write.body.get("merge_tags") and update.get("tags"):
        update["tags_to_add"] = update.pop("tags")
    for record_id in write.body.get("ids") or []:
        _update_one(workspace, replace(write, body=update), {**params, "id": record_id})
    return WriteOutcome()


def _delete_one(workspace: Workspace, write: Write, params: dict[str, str]) -> WriteOutcome:
    if params["kind"] == "traces":
        workspace.remove_trace(params["id"])
    else:
        workspace.remove_span(params["id"])
    return WriteOutcome()


def _delete_traces(workspace: Workspace, write: Write, _: dict[str, str]) -> WriteOutcome:
    for trace_id in write.body.get("ids") or []:
        workspace.remove_trace(trace_id)
    return WriteOutcome()


def _score_one(workspace: Workspace, write: Write, params: dict[str, str]) -> WriteOutcome:
    _keep_score(workspace, Subject(params["kind"].removesuffix("s"), params["id"]), write)
    return WriteOutcome()


def _score_many(workspace: Workspace, write: Write, params: dict[str, str]) -> WriteOutcome:
    for score in _read_items(write.body, "scores"):
        subject = Subject(params["kind"].removesuffix("s"), str(score.get("id")))
        _keep_score(workspace, subject, replace(write, body=score))
    return WriteOutcome()


def _score_threads(workspace: Workspace, write: Write, _: dict[str, str]) -> WriteOutcome:
    for score in _read_items(write.body, "scores"):
        project = project_of(workspace, score)
        subject = Subject("thread", thread_key(project["id"], str(score.get("thread_id"))))
        _keep_score(workspace, subject, replace(write, body=score))
    return WriteOutcome()


def _keep_score(workspace: Workspace, subject: Subject, write: Write) -> None:
    score: Json = write.body
    for name in ("name", "value", "source"):
        if score.get(name) is None:
            raise RequestRefused(422, f"{name} must not be null")
    _check_numbers(score)
    wanted = ("name", "value", "source", "category_name", "reason")
    kept = {name: score[name] for name in wanted if score.get(name) is not None}
    moment = timestamps.text(write.at)
    kept |= {"created_at": moment, "last_updated_at": moment}
    kept |= {"created_by": write.user, "last_updated_by": write.user}
    workspace.scores.setdefault(subject, {})[score["name"]] = kept


def _unscore_one(workspace: Workspace, write: Write, params: dict[str, str]) -> WriteOutcome:
    subject = Subject(params["kind"].removesuffix("s"), params["id"])
    workspace.scores.get(subject, {}).pop(write.body.get("name"), None)
    return WriteOutcome()


def _unscore_thread(workspace: Workspace, write: Write, _: dict[str, str]) -> WriteOutcome:
    subject = Subject("thread", _thread_of(workspace, write.body))
    for name in write.body.get("names") or []:
        workspace.scores.get(subject, {}).pop(name, None)
    return WriteOutcome()


def _write_comment(workspace: Workspace, write: Write, params: dict[str, str]) -> WriteOutcome:
    text = write.body.get("text")
    if not text:
        raise RequestRefused(422, "text must not be blank")
    comment_id = timestamps.id_at(write.at, f"{write.path}/{text}")
    moment = timestamps.text(write.at)
    subject = Subject(params["kind"].rpartition("/")[2].removesuffix("s"), params["id"])
    workspace.comments.setdefault(subject, {})[comment_id] = {
        "id": comment_id,
        "text": text,
        "created_at": moment,
        "last_updated_at": moment,
        "created_by": write.user,
        "last_updated_by": write.user,
    }
    return WriteOutcome(201, comment_id)


def _change_comment(workspace: Workspace, write: Write, params: dict[str, str]) -> WriteOutcome:
    for comments in workspace.comments.values():
        if params["id"] in comments:
            change = {"text": write.body.get("text"), "last_updated_at": timestamps.text(write.at)}
            comments[params["id"]] |= change
            return WriteOutcome()
    raise RequestRefused(404, "Comment not found")


def _delete_comments(workspace: Workspace, write: Write, _: dict[str, str]) -> WriteOutcome:
    for comments in workspace.comments.values():
        for comment_id in write.body.get("ids") or []:
            comments.pop(comment_id, None)
    return WriteOutcome()


def _close_threads(workspace: Workspace, write: Write, _: dict[str, str]) -> WriteOutcome:
    project = project_of(workspace, write.body)
    for thread_id in write.body.get("thread_ids") or [write.body.get("thread_id")]:
        if not workspace.traces_of_thread(project["id"], thread_id):
            raise RequestRefused(404, f"Thread '{thread_id}' not found")
        workspace.closed_threads.add(thread_key(project["id"], thread_id))
    return WriteOutcome()


def _open_thread(workspace: Workspace, write: Write, _: dict[str, str]) -> WriteOutcome:
    workspace.closed_threads.discard(_thread_of(workspace, write.body))
    return WriteOutcome()


def _delete_threads(workspace: Workspace, write: Write, _: dict[str, str]) -> WriteOutcome:
    project = project_of(workspace, write.body)
    for thread_id in write.body.get("thread_ids") or []:
        for trace in workspace.traces_of_thread(project["id"], thread_id):
            workspace.remove_trace(trace.id)
    return WriteOutcome()


def _write_guardrails(workspace: Workspace, write: Write, _: dict[str, str]) -> WriteOutcome:
    for check in _read_items(write.body, "guardrails"):
        kept = Guardrail(str(check.get("secondary_id")), check.get("name", ""), check["result"])
        known = workspace.guardrails.setdefault(str(check.get("entity_id")), [])
        if kept not in known:
            known.append(kept)
    return WriteOutcome()


def _make_project(workspace: Workspace, write: Write, _: dict[str, str]) -> WriteOutcome:
    name = write.body.get("name")
    if not name:
        raise RequestRefused(422, "name must not be blank")
    if name in workspace.projects:
        raise RequestRefused(409, "Project already exists")
    project = workspace.project(name, write.at, write.user)
    if write.body.get("description"):
        project["description"] = write.body["description"]
    return WriteOutcome(201, project["id"])


def project_of(workspace: Workspace, body: Json) -> Json:
    """The project that a body or query names by project_id or project_name.

    Raises RequestRefused where it names none.
    """
    if body.get("project_id"):
        project = workspace.project_by_id(str(body["project_id"]))
    elif body.get("project_name"):
        project = workspace.projects.get(str(body["project_name"]))
    else:
        raise RequestRefused(
            400, "Either 'project_name' or 'project_id' query params must be provided"
        )
    if project is None:
        raise RequestRefused(404, "Project not found")
    return project


def _thread_of(workspace: Workspace, body: Json) -> str:
    return thread_key(project_of(workspace, body)["id"], str(body.get("thread_id")))


def _read_items(body: Any, name: str) -> list[Json]:
    items = body.get(name) if isinstance(body, dict) else None
    if not isinstance(items, list) or not items:
        raise RequestRefused(422, f"{name} size must be between 1 and 1000")
    return items


def _check_numbers(record: Json) -> None:
    """Exact and whole numbers do not bind to NaN or an infinity."""
    usage = record.get("usage")
    numbers = [record.get("value"), record.get("total_estimated_cost")]
    numbers += usage.values() if isinstance(usage, dict) else ()
    if any(is_non_finite(number) for number in numbers):
        raise RequestRefused(400, "Unable to process JSON")


def _id_of(record: Json, write: Write, number: int) -> str:
    return str(record.get("id") or timestamps.id_at(write.at, f"{write.path}/{number}/{record}"))


_PRIVATE = "/v1/private"
_KIND = "{kind:traces|spans}"
WRITES: list[tuple[str, str, Apply]] = [
    ("POST", "/traces/batch", _put_traces),
    ("POST", "/spans/batch", _put_spans),
    ("PATCH", f"/{_KIND}/batch", _update_many),
    ("POST", f"/{_KIND}", _put_one),
    ("POST", "/traces/delete", _delete_traces),
    ("PUT", "/traces/threads/feedback-scores", _score_threads),
    ("POST", "/traces/threads/feedback-scores/delete", _unscore_thread),
    ("POST", "/traces/threads/delete", _delete_threads),
    ("PUT", "/traces/threads/close", _close_threads),
    ("PUT", "/traces/threads/open", _open_thread),
    ("POST", "/{kind:traces/threads|traces|spans}/comments/delete", _delete_comments),
    ("PATCH", "/{kind:traces/threads|traces|spans}/comments/{id}", _change_comment),
    ("POST", "/{kind:traces/threads|traces|spans}/{id}/comments", _write_comment),
    ("PUT", f"/{_KIND}/feedback-scores", _score_many),
    ("PUT", f"/{_KIND}/{{id}}/feedback-scores", _score_one),
    ("POST", f"/{_KIND}/{{id}}/feedback-scores/delete", _unscore_one),
    ("PATCH", f"/{_KIND}/{{id}}", _update_one),
    ("DELETE", f"/{_KIND}/{{id}}", _delete_one),
    ("POST", "/guardrails", _write_guardrails),
    ("POST", "/projects", _make_project),
]


def _compile_path(template: str) -> re.Pattern[str]:
    named = re.sub(r"\{(\w+):([^}]+)\}", r"(?P<\1>\2)", template)
    return re.compile(_PRIVATE + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", named))


_TABLE = [(method, _compile_path(template), apply) for method, template, apply in WRITES]


def find(method: str, path: str) -> tuple[Apply, dict[str, str]] | None:
    """The function for a request and the parts of its path, or None when it changes nothing."""
    for known, pattern, apply in _TABLE:
        match = pattern.fullmatch(path)
        if known == method and match:
            return apply, match.groupdict()
    return None


def apply(workspace: Workspace, write: Write) -> WriteOutcome:
    """Carry out a write. Raises RequestRefused when it is unknown or not acceptable."""
    found = find(write.method, write.path)
    if found is None:
        raise RequestRefused(404, "HTTP 404 Not Found")
    if write.method != "DELETE" and not isinstance(write.body, dict):
        raise RequestRefused(400, "Unable to process JSON")
    function, params = found
    return function(workspace, replace(write, body=quote_non_finite(write.body)), params)
