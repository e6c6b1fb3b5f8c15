"""The panel's frames and the panel's history: two projections of a conversation's events.

The panel replaces a bubble's text by the first non-partial `response`, ticks the tool row of a
`tool_complete` by its id, and stops reading at an `error`. Unknown kinds of frames are ignored.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from app.citation_tokens import Citation, split_citations
from app.events import (
    Event,
    LoggedEvent,
    QuestionsSuggested,
    ReplyCompleted,
    TerminalEvent,
    TextDelta,
    ToolCallRecord,
    ToolCompleted,
    Transcript,
    TurnFailed,
    TurnInterrupted,
    TurnStarted,
    UsageReported,
    UsageTotals,
)
from app.web.markdown.allowed_links import AllowedLinks
from app.web.markdown.filter import MarkdownFilter, make_inert, unbroken
from app.web.markdown.ui_urls import TurnLinks

AUTHOR = "opik-assist"
PIECE_BYTES = 768
"""Of a partial frame's text as JSON; with the rest of the frame it stays under 1 KB."""

INTERRUPTED = "(interrupted)"

_MOST_BYTES = len("\\ud83d\\ude00")
"""Of one character as JSON: an emoji has two escapes."""

_ESCAPE_BYTES = len("\\u003a") - len(":")
_JSON = json.JSONEncoder(separators=(",", ":"))

Frame = dict[str, Any]


class _BubbleText:
    """One bubble's text on its way to the panel."""

    def __init__(self, links: AllowedLinks) -> None:
        self._filter = MarkdownFilter(links)
        self._received = 0

    def feed(self, parts: Sequence[str | Citation]) -> str:
        """What can be shown, now that these parts of the text have come."""
        for part in parts:
            self._received += len(part if isinstance(part, str) else part.token)
        return self._filter.feed(parts)

    def end(self, reply: ReplyCompleted) -> str:
        """The rest of the text, also of what has not come in parts."""
        rest = split_citations(reply.text[self._received :], lambda _, id: reply.cited.get(id))
        return self._filter.feed(rest) + self._filter.end()


class Panel:
    """Turns the events of one turn into frames, their Markdown made harmless."""

    def __init__(
        self,
        turn_id: str,
        linking: TurnLinks,
        *,
        streaming: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`streaming` False leaves the partial frames out; `clock` gives seconds since 1970."""
        self._turn_id = turn_id
        self._linking = linking
        self._streaming = streaming
        self._clock = clock
        self._texts: dict[str, _BubbleText] = {}
        self._model_told = False

    def frames(self, event: Event) -> Sequence[Frame]:
        """The frames of one event, none for an event that the panel does not show."""
        if isinstance(event, TextDelta):
            if not self._streaming:
                return ()
            return self._partial(event.bubble, self._text(event.bubble).feed(event.parts))
        self._linking.follow(event)
        if isinstance(event, ReplyCompleted):
            return self._end_reply(event)
        if isinstance(event, ToolCompleted):
            response = {"id": event.call_id, "name": event.name}
            return [self._tool("tool_complete", "tool_response", event.call_id, response)]
        if isinstance(event, UsageReported):
            return [self._usage(event)]
        if isinstance(event, QuestionsSuggested):
            questions = [make_inert(each, self._linking.links, {}) for each in event.questions]
            return [{**self._of_turn("suggestions"), "suggestions": questions}]
        if isinstance(event, TurnFailed):
            message = make_inert(event.message, self._linking.links, {})
            return [error_frame(event.code, message)]
        return ()

    def _end_reply(self, reply: ReplyCompleted) -> list[Frame]:
        frames: list[Frame] = []
        if reply.model and not self._model_told:
            self._model_told = True
            frames.append(self._model(reply))
        if reply.text:
            if self._streaming:
                frames += self._partial(reply.bubble, self._text(reply.bubble).end(reply))
            text = make_inert(reply.text, self._linking.links, reply.cited)
            frames.append(self._response(reply.bubble, text, partial=False))
        for call in reply.calls:
            shown = {"id": call.id, "name": call.name, "display_name": call.display_name}
            frames.append(self._tool("tool_call", "tool_call", call.id, shown))
        return frames

    def _text(self, bubble: str) -> _BubbleText:
        text = self._texts.get(bubble)
        if text is None:
            text = self._texts[bubble] = _BubbleText(self._linking.links)
        return text

    def _partial(self, bubble: str, text: str) -> list[Frame]:
        frames: list[Frame] = []
        if text:
            for piece in split_for_frames(text, PIECE_BYTES):
                frames.append(self._response(bubble, piece, partial=True))
        return frames

    def _response(self, bubble: str, text: str, *, partial: bool) -> Frame:
        return {
            "message_type": "response",
            "content": {"parts": [{"text": text}]},
            "partial": partial,
            "invocationId": self._turn_id,
            "id": bubble,
        }

    def _model(self, reply: ReplyCompleted) -> Frame:
        """Which model answers; once a turn, and ignored by a panel that does not know it."""
        named = {"model": reply.model, "provider": reply.provider or None}
        return {**self._of_turn("model"), **named}

    def _usage(self, counted: UsageReported) -> Frame:
        spent = {"turn": _spent(counted.turn), "conversation": _spent(counted.conversation)}
        return {**self._of_turn("usage"), **spent}

    def _of_turn(self, kind: str) -> Frame:
        return {"message_type": kind, "invocationId": self._turn_id}

    def _tool(self, kind: str, key: str, call_id: str, shown: dict[str, str]) -> Frame:
        return {
            "message_type": kind,
            key: shown,
            "timestamp": self._clock(),
            "id": call_id,
            "author": AUTHOR,
        }


def _spent(spending: UsageTotals) -> Frame:
    """Tokens, marked where a part is estimated, with the cost in USD where it is known."""
    tokens: Frame = asdict(spending.usage)
    if not spending.usage.estimated:
        del tokens["estimated"]
    total = spending.usage.total_tokens
    cost = {} if spending.cost is None else {"cost": round(spending.cost, 8)}
    return {**tokens, "total_tokens": total, **cost}


def error_frame(code: str, message: str) -> Frame:
    """The last frame of a turn that has no answer; the panel shows its text."""
    return {"error": message, "code": code}


def json_line(value: Any) -> str:
    """JSON for a reader that splits at `data:` and may cut a multi-byte character."""
    return _JSON.encode(value).replace("data:", "data\\u003a")


def split_for_frames(text: str, limit: int) -> Sequence[str]:
    """The text in pieces whose JSON form is at most `limit` bytes each.

    They end where what came so far is as harmless as the whole, except within a part that is
    longer than a piece by itself.
    """
    if len(text) * _MOST_BYTES < limit or len(json_line(text)) <= limit:
        return [text]
    pieces: list[str] = []
    piece, room = "", 0
    for part in unbroken(text):
        room -= _growth(piece, part)
        if room < 0:
            if piece:
                pieces += _halves(piece, limit)
            piece, room = "", limit - len('""') - _growth("", part)
        piece += part
    pieces += _halves(piece, limit)
    return pieces


def _growth(text: str, part: str) -> int:
    """By how many bytes the JSON line of `text` grows when `part` follows it."""
    split = (text[-4:] + part).count("data:") - part.count("data:")
    return len(json_line(part)) - len('""') + split * _ESCAPE_BYTES


def _halves(text: str, limit: int) -> Iterator[str]:
    waiting = [text]
    while waiting:
        piece = waiting.pop()
        if len(piece) == 1 or (len(piece) <= limit and len(json_line(piece)) <= limit):
            yield piece
        else:
            middle = len(piece) // 2
            waiting += [piece[middle:], piece[:middle]]


def render_history(transcript: Transcript, linking: TurnLinks) -> list[Frame]:
    """The messages that fill the panel's chat, tool rows between the texts, oldest first.

    A turn that neither ended nor runs any more was interrupted, whether or not anyone has noted it.
    """
    messages: list[Frame] = []
    for logged in transcript.events:
        linking.follow(logged.event)
        if isinstance(logged.event, TurnInterrupted):
            _interrupt(messages, logged.id)
        else:
            messages += _messages(logged, linking.links)
    last = transcript.events[-1] if transcript.events else None
    if last and not transcript.running and not isinstance(last.event, TerminalEvent):
        _interrupt(messages, f"{last.id}-interrupted")
    return messages


def _messages(logged: LoggedEvent, links: AllowedLinks) -> Iterator[Frame]:
    event = logged.event
    if isinstance(event, TurnStarted):
        yield {"id": logged.id, "role": "user", "content": event.question}
    elif isinstance(event, ReplyCompleted):
        if event.text:
            yield _said(logged.id, make_inert(event.text, links, event.cited))
        if event.calls:
            yield _rows(logged.id, event.calls)
    elif isinstance(event, TurnFailed):
        yield _said(logged.id, make_inert(event.message, links, {}))


def _interrupt(messages: list[Frame], message_id: str) -> None:
    last = messages[-1] if messages else {}
    if last.get("role") == "assistant" and "toolCalls" not in last:
        last["content"] += f"\n\n{INTERRUPTED}"
    else:
        messages.append(_said(message_id, INTERRUPTED))


def _said(message_id: str, text: str) -> Frame:
    return {"id": message_id, "role": "assistant", "content": text}


def _rows(message_id: str, calls: Sequence[ToolCallRecord]) -> Frame:
    rows = [
        {"id": call.id, "name": call.name, "display_name": call.display_name, "completed": True}
        for call in calls
    ]
    tools = {"messageType": "tool_call", "toolCalls": rows}
    return {"id": f"{message_id}-tools", "role": "assistant", "content": "", **tools}
