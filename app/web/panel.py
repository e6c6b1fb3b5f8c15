"""A conversation's events -> the frames of the panel's stream.

The panel replaces a bubble's text by the first non-partial `response`, ticks the tool row of a
`tool_complete` by its id, and stops reading at an `error`, whose text replaces that of the turn's
last bubble, even of a closed one. Unknown kinds of frames are ignored.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from app.citation_tokens import Citation, split_citations
from app.events import (
    Event,
    QuestionsSuggested,
    ReplyCompleted,
    TerminalEvent,
    TextDelta,
    TextWithdrawn,
    ToolCallRecord,
    ToolCompleted,
    TurnFailed,
    UsageReported,
    UsageTotals,
)
from app.web.markdown.allowed_links import AllowedLinks
from app.web.markdown.filter import MarkdownFilter, make_inert
from app.web.markdown.inline_code import split_unbreakable
from app.web.markdown.ui_urls import TurnLinks

AUTHOR = "opik-assist"
PIECE_BYTES = 768
"""Of a partial frame's text as JSON; with the rest of the frame it stays under 1 KB, which the
panel reads in one piece."""

PLACEHOLDER = "…"
"""The text of a bubble that has none: it closes one whose text turned out to be reasoning, and
opens one for an error to replace."""

_CHARACTER_BYTES = len("\\ud83d\\ude00")
"""The longest character as JSON: an emoji has two escapes."""

_ESCAPE_BYTES = len("\\u003a") - len(":")
_JSON = json.JSONEncoder(separators=(",", ":"))

PanelFrame = dict[str, Any]


class _BubbleText:
    """One bubble's text on its way to the panel."""

    def __init__(self, links: AllowedLinks) -> None:
        self._filter = MarkdownFilter(links)
        self._received = 0
        self._shown: list[str] = []

    def feed(self, parts: Sequence[str | Citation]) -> str:
        """What can be shown, now that these parts of the text have come."""
        for part in parts:
            self._received += len(part if isinstance(part, str) else part.token)
        self._shown.append(shown := self._filter.feed(parts))
        return shown

    def end(self, reply: ReplyCompleted) -> str:
        """The rest of the text, also of what has not come in parts."""
        rest = split_citations(reply.text[self._received :], lambda _, id: reply.cited.get(id))
        return self._filter.feed(rest) + self._filter.end()

    def cut(self) -> str:
        """The whole text so far, of a reply that never completes."""
        return "".join(self._shown) + self._filter.end()


class Panel:
    """Turns the events of one turn into frames, their Markdown made harmless."""

    def __init__(self, turn_id: str, turn_links: TurnLinks, *, streaming: bool) -> None:
        """Without `streaming` there are no partial frames."""
        self._turn_id = turn_id
        self._turn_links = turn_links
        self._streaming = streaming
        self._texts: dict[str, _BubbleText] = {}
        self._withdrawn: set[str] = set()
        self._open_rows: dict[str, str] = {}
        self._last_text = ""
        self._has_named_model = False

    def build_frames(self, event: Event) -> Sequence[PanelFrame]:
        """The frames of one event, none for an event that the panel does not show."""
        if isinstance(event, TextDelta):
            if not self._streaming or event.bubble in self._withdrawn:
                return ()
            return self._partial_frames(
                event.bubble, self._bubble_text(event.bubble).feed(event.parts)
            )
        if isinstance(event, TextWithdrawn):
            self._withdrawn.add(event.bubble)
            return ()
        self._turn_links.follow(event)
        if isinstance(event, ReplyCompleted):
            return self._end_reply(event)
        if isinstance(event, ToolCompleted):
            self._open_rows.pop(event.call_id, None)
            return [self._completion_frame(event.call_id, event.name)]
        if isinstance(event, UsageReported):
            return [self._usage_frame(event)]
        if isinstance(event, QuestionsSuggested):
            questions = [make_inert(each, self._turn_links.links, {}) for each in event.questions]
            return [{**self._turn_frame("suggestions"), "suggestions": questions}]
        if isinstance(event, TerminalEvent):
            return self._end_turn(event)
        return ()

    def _end_turn(self, ending: TerminalEvent) -> list[PanelFrame]:
        """Completes the open tool rows, which would spin for ever, and shows an error below the
        text so far."""
        frames = [self._completion_frame(*row) for row in self._open_rows.items()]
        self._open_rows.clear()
        for bubble, begun in self._texts.items():
            text = PLACEHOLDER if bubble in self._withdrawn else begun.cut()
            if text:
                frames.append(self._response_frame(bubble, text, partial=False))
        self._texts.clear()
        if isinstance(ending, TurnFailed):
            if self._last_text not in {"", PLACEHOLDER}:
                partial = self._streaming
                frames.append(self._response_frame(self._turn_id, PLACEHOLDER, partial=partial))
            message = make_inert(ending.message, self._turn_links.links, {})
            frames.append(build_error_frame(ending.code, message))
        return frames

    def _end_reply(self, reply: ReplyCompleted) -> list[PanelFrame]:
        frames: list[PanelFrame] = []
        if reply.model and not self._has_named_model:
            self._has_named_model = True
            frames.append(self._model_frame(reply))
        if reply.bubble in self._withdrawn and reply.bubble in self._texts:
            del self._texts[reply.bubble]
            # The closing frame replaces what the panel shows; an empty text would not.
            text = make_inert(reply.text, self._turn_links.links, reply.cited)
            frames.append(self._response_frame(reply.bubble, text or PLACEHOLDER, partial=False))
        elif reply.text:
            if self._streaming:
                rest = self._bubble_text(reply.bubble).end(reply)
                frames += self._partial_frames(reply.bubble, rest)
                del self._texts[reply.bubble]
            text = make_inert(reply.text, self._turn_links.links, reply.cited)
            frames.append(self._response_frame(reply.bubble, text, partial=False))
        for call in reply.calls:
            shown = describe_call(call)
            frames.append(self._tool_frame("tool_call", "tool_call", call.id, shown))
            self._open_rows[call.id] = call.name
        return frames

    def _bubble_text(self, bubble: str) -> _BubbleText:
        """The text of a bubble, which begins now if the bubble is new."""
        text = self._texts.get(bubble)
        if text is None:
            text = self._texts[bubble] = _BubbleText(self._turn_links.links)
        return text

    def _partial_frames(self, bubble: str, text: str) -> list[PanelFrame]:
        frames: list[PanelFrame] = []
        if text:
            for piece in split_for_frames(text, PIECE_BYTES):
                frames.append(self._response_frame(bubble, piece, partial=True))
        return frames

    def _response_frame(self, bubble: str, text: str, *, partial: bool) -> PanelFrame:
        self._last_text = text
        return {
            "message_type": "response",
            "content": {"parts": [{"text": text}]},
            "partial": partial,
            "invocationId": self._turn_id,
            "id": bubble,
        }

    def _model_frame(self, reply: ReplyCompleted) -> PanelFrame:
        """The frame that names the model; a panel that does not know its kind ignores it."""
        named = {"model": reply.model, "provider": reply.provider or None}
        return {**self._turn_frame("model"), **named}

    def _usage_frame(self, counted: UsageReported) -> PanelFrame:
        spent = {
            "turn": format_usage(counted.turn),
            "conversation": format_usage(counted.conversation),
        }
        return {**self._turn_frame("usage"), **spent}

    def _turn_frame(self, kind: str) -> PanelFrame:
        return {"message_type": kind, "invocationId": self._turn_id}

    def _completion_frame(self, call_id: str, name: str) -> PanelFrame:
        response = {"id": call_id, "name": name}
        return self._tool_frame("tool_complete", "tool_response", call_id, response)

    def _tool_frame(self, kind: str, key: str, call_id: str, shown: dict[str, str]) -> PanelFrame:
        return {
            "message_type": kind,
            key: shown,
            "timestamp": time.time(),
            "id": call_id,
            "author": AUTHOR,
        }


def describe_call(call: ToolCallRecord) -> PanelFrame:
    """A tool row: its line in plain text, and the spans that the line names."""
    row: PanelFrame = {"id": call.id, "name": call.name, "display_name": call.display_name}
    return {**row, "span_id": call.spans[0], "span_ids": list(call.spans)} if call.spans else row


def format_usage(spending: UsageTotals) -> PanelFrame:
    """Tokens, marked where a part is estimated, with the cost in USD where it is known.

    Where prices are listed ones, their date is added.
    """
    tokens: PanelFrame = asdict(spending.usage)
    if not spending.usage.estimated:
        del tokens["estimated"]
    total = spending.usage.total_tokens
    cost = {} if spending.cost is None else {"cost": round(spending.cost, 8)}
    priced = {"price_date": spending.price_date.isoformat()} if spending.price_date else {}
    return {**tokens, "total_tokens": total, **cost, **priced}


def build_error_frame(code: str, message: str) -> PanelFrame:
    """The last frame of a turn that failed; the panel shows `message`."""
    return {"error": message, "code": code}


def encode_json_line(value: Any) -> str:
    """JSON for a reader that splits at `data:` and may cut a multi-byte character."""
    return _JSON.encode(value).replace("data:", "data\\u003a")


def split_for_frames(text: str, limit: int) -> Sequence[str]:
    """The text in pieces whose JSON form is at most `limit` bytes each.

    They end where what came so far is as harmless as the whole, except within a part that is
    longer than a piece by itself.
    """
    if len(text) * _CHARACTER_BYTES + len('""') <= limit or len(encode_json_line(text)) <= limit:
        return [text]
    pieces: list[str] = []
    piece, available_bytes = "", 0
    for part in split_unbreakable(text):
        available_bytes -= _added_bytes(piece, part)
        if available_bytes < 0:
            if piece:
                pieces += _cut_in_halves(piece, limit)
            piece, available_bytes = "", limit - len('""') - _added_bytes("", part)
        piece += part
    pieces += _cut_in_halves(piece, limit)
    return pieces


def _added_bytes(text: str, part: str) -> int:
    """The bytes by which the JSON line of `text` grows when `part` follows it."""
    if ":" not in part:
        return _count_json_bytes(part)
    split = (text[-4:] + part).count("data:") - part.count("data:")
    return _count_json_bytes(part) + split * _ESCAPE_BYTES


@lru_cache(maxsize=1_024)
def _count_json_bytes(part: str) -> int:
    """Kept, since most parts are single characters, and a long answer has thousands of them."""
    return len(encode_json_line(part)) - len('""')


def _cut_in_halves(text: str, limit: int) -> Iterator[str]:
    waiting = [text]
    while waiting:
        piece = waiting.pop()
        if len(piece) == 1 or (len(piece) <= limit and len(encode_json_line(piece)) <= limit):
            yield piece
        else:
            middle = len(piece) // 2
            waiting += [piece[middle:], piece[:middle]]
