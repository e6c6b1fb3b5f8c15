"""A conversation's log -> the messages of the panel's chat."""

import json
from collections.abc import Iterator, Sequence

import anyio
import anyio.to_thread
from starlette.responses import Response

from app.events import (
    LoggedEvent,
    QuestionsSuggested,
    ReplyCompleted,
    Siblings,
    TerminalEvent,
    ToolCallRecord,
    Transcript,
    TurnCancelled,
    TurnFailed,
    TurnInterrupted,
    TurnStarted,
)
from app.web.conversation_json import format_time
from app.web.markdown.allowed_links import AllowedLinks
from app.web.markdown.filter import make_inert
from app.web.markdown.open_code import close_code
from app.web.markdown.ui_urls import TurnLinks, UiLinks
from app.web.panel import PanelFrame, describe_call, format_usage

INTERRUPTED = "(interrupted)"
STOPPED = "(stopped)"


class HistoryRenderer:
    """Renders histories in a thread, one at a time, since a long one takes seconds of CPU."""

    def __init__(self) -> None:
        self._threads = anyio.CapacityLimiter(1)

    async def build_response(self, transcript: Transcript, ui: UiLinks) -> Response:
        """The response to a request for this history, with links into `ui`."""
        body = await anyio.to_thread.run_sync(
            _encode_history, transcript, ui, limiter=self._threads
        )
        return Response(body, media_type="application/json")


def _encode_history(transcript: Transcript, ui: UiLinks) -> bytes:
    turn_links = TurnLinks(ui, workspace=transcript.workspace, trace_id=transcript.trace_id)
    messages = render_history(transcript, turn_links)
    suggestions = render_suggestions(transcript, turn_links.links)
    more = {"suggestions": suggestions, "rating": transcript.rating}
    if transcript.earlier is not None:
        more["earlier"] = transcript.earlier
    # One call of the encoder for all of them would hold the interpreter's lock until its end.
    content = ",".join(map(_encode_message, messages))
    return f'{{"content":[{content}],{_encode_message(more)[1:]}'.encode()


def _encode_message(message: PanelFrame) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def render_history(transcript: Transcript, turn_links: TurnLinks) -> list[PanelFrame]:
    """The messages of the panel's chat, tool rows between the texts, oldest first.

    Each names its turn; a question also names the turns that it replaces or that replace it, and
    the ends of their branches; the last message of an answer has what the turn used, and `failed`
    where it is an error's. A turn that has no end and does not run was interrupted, also where no
    event says so yet.
    """
    messages: list[PanelFrame] = []
    for logged in transcript.events:
        turn_links.follow(logged.event)
        if isinstance(logged.event, TurnInterrupted | TurnCancelled):
            stopped = isinstance(logged.event, TurnCancelled)
            _mark_answer(messages, logged, STOPPED if stopped else INTERRUPTED)
            continue
        for message in _history_messages(logged, turn_links.links):
            messages.append({**message, **_describe_origin(logged)})
        if isinstance(logged.event, TurnStarted) and logged.turn_id in transcript.siblings:
            messages[-1] |= _describe_siblings(transcript.siblings[logged.turn_id])
    last = transcript.events[-1] if transcript.events else None
    if last and not transcript.running and not isinstance(last.event, TerminalEvent):
        _mark_answer(messages, last, INTERRUPTED)
    ends = {each["turnId"]: each for each in messages if each["role"] == "assistant"}
    for turn_id in ends.keys() & transcript.usage.keys():
        ends[turn_id]["usage"] = format_usage(transcript.usage[turn_id])
    return messages


def render_suggestions(transcript: Transcript, links: AllowedLinks) -> list[str]:
    """The follow-up questions of the branch's last turn, none while it runs or where it failed."""
    return [
        make_inert(question, links, {})
        for logged in transcript.events
        if isinstance(logged.event, QuestionsSuggested) and logged.turn_id == transcript.leaf
        for question in logged.event.questions
    ]


def _describe_siblings(siblings: Siblings) -> PanelFrame:
    return {"siblings": list(siblings.turn_ids), "leaves": list(siblings.leaves)}


def _history_messages(logged: LoggedEvent, links: AllowedLinks) -> Iterator[PanelFrame]:
    event = logged.event
    if isinstance(event, TurnStarted):
        question = make_inert(event.question, links, {})
        yield {"id": logged.id, "role": "user", "content": question}
    elif isinstance(event, ReplyCompleted):
        model = {"model": event.model} if event.model else {}
        if event.text:
            text = make_inert(event.text, links, event.cited)
            yield {**_assistant_message(logged.id, text), **model}
        if event.calls:
            yield {**_tool_rows_message(logged.id, event.calls), **model}
    elif isinstance(event, TurnFailed):
        message = _assistant_message(logged.id, make_inert(event.message, links, {}))
        yield {**message, "failed": True}


def _mark_answer(messages: list[PanelFrame], end: LoggedEvent, mark: str) -> None:
    """Marks the last answer, `end` being the last event of its turn."""
    last = messages[-1] if messages else {}
    if last.get("role") == "assistant" and "toolCalls" not in last:
        last["content"] = f"{close_code(last['content'])}\n\n{mark}"
    else:
        marked = _assistant_message(f"{end.id}-end", mark)
        messages.append({**marked, **_describe_origin(end)})


def _describe_origin(logged: LoggedEvent) -> PanelFrame:
    return {"turnId": logged.turn_id, "created_at": format_time(logged.created_at)}


def _assistant_message(message_id: str, text: str) -> PanelFrame:
    return {"id": message_id, "role": "assistant", "content": text}


def _tool_rows_message(message_id: str, calls: Sequence[ToolCallRecord]) -> PanelFrame:
    rows = [{**describe_call(call), "completed": True} for call in calls]
    tools = {"messageType": "tool_call", "toolCalls": rows}
    # A panel that knows no rows shows the text, and of a message without one a skeleton for ever.
    lines = (make_inert(call.display_name, AllowedLinks(), {}) for call in calls)
    return {**_assistant_message(f"{message_id}-tools", "\n\n".join(lines)), **tools}
