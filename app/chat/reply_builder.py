"""Frames -> one reply: its text as it comes, and in the end the whole.

The frames are OpenAI's chat completion chunks as Opik's chat proxy relays them, in snake_case or
camelCase, with the deviations of many providers. A frame of a non-streaming answer (`message` in
place of `delta`) is read the same way; Anthropic's comes with one choice per content block, none
of which has an index. Of choices with different indexes only the first one's is the reply.

A delta of text passes `add_frame`, `_add_delta`, `_add_text` and `_fit`, thousands of times a
reply: so types are checked there in place, without helpers or generators.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.chat.frames import parse_json_object
from app.chat.repeated_text import RepeatedText
from app.chat.reported_usage import read_usage
from app.messages import FinishReason, Reply, TokenUsage, ToolCall
from app.surrogates import SURROGATE, ends_in_half_pair, join_surrogates

_CALL_BYTES = 64
"""What a call costs of the reply's limit besides its texts, so that empty calls are bounded too."""

_FINISH: Mapping[str, FinishReason] = {
    "stop": "stop",
    "end_turn": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "tool_execution": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "safety": "content_filter",
    "malformed_function_call": "malformed_call",
    "malformed_tool_call": "malformed_call",
}


@dataclass(frozen=True, slots=True)
class _CallDelta:
    """What one delta holds of a tool call."""

    provider_id: str
    name: str
    arguments: str


_EMPTY_DELTA = _CallDelta("", "", "")


@dataclass(slots=True, eq=False)
class _StreamedCall:
    """A tool call while it is being streamed."""

    provider_id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    closes: bool = False

    def add_arguments(self, piece: str) -> None:
        self.arguments.append(piece)
        self.closes = piece.rstrip().endswith("}") if piece.strip() else self.closes

    def is_whole(self) -> bool:
        """Whether the arguments are closed, so that a further piece belongs to another call."""
        return self.closes and parse_json_object("".join(self.arguments)) is not None


class ReplyBuilder:
    """Builds one reply of at most `limit` bytes of text, names and arguments.

    `full` is True once the limit was reached: the stream need not be read any further. `ended` is
    True where the provider itself marked the end.
    """

    def __init__(self, new_id: Callable[[], str], *, limit: int) -> None:
        """`new_id` makes the calls' own ids."""
        self._new_id = new_id
        self._bytes_left = limit
        self._texts: list[str] = []
        self._half_character = ""
        self._repeated = RepeatedText()
        self._has_content = False
        self._calls: list[_StreamedCall] = []
        self._by_index: dict[int, _StreamedCall] = {}
        self._usage: TokenUsage | None = None
        self._finish: FinishReason = "unknown"
        self._has_finish = False
        self._frame_carries = False
        self._usage_is_last = False
        self._model = ""
        self._choice: object = None
        self._has_messages = False
        self._reasoned = False
        self.full = False

    @property
    def ended(self) -> bool:
        return self._has_finish or self._usage_is_last

    @property
    def empty(self) -> bool:
        """Whether there is neither text nor a call so far."""
        return not (self._texts or self._half_character or self._calls)

    def add_frame(self, frame: Mapping[str, Any]) -> str:
        """Reads one frame; returns the text that it adds, "" for none."""
        model, choices, usage = frame.get("model"), frame.get("choices"), frame.get("usage")
        if model and isinstance(model, str):
            self._model = model
        text = ""
        self._frame_carries = False
        for choice in choices if isinstance(choices, list) else ():
            if not isinstance(choice, dict):
                continue
            index = choice.get("index")
            if index is not None and index != self._choice:
                if self._choice is not None:
                    continue  # a second answer to the same question
                self._choice = index
            message = choice.get("message")
            delta = choice.get("delta")
            is_whole = False
            if message and isinstance(message, dict) and not _carries_reply(delta):
                is_whole = not isinstance(delta, dict)
                text += self._add_text(self._repeated.stop())
                delta = self._take_new_part(message, text)
            if isinstance(delta, dict):
                text += self._add_delta(delta)
            finish = choice.get("finish_reason") or choice.get("finishReason")
            if finish or is_whole:
                self._note_finish(finish, whole=is_whole)
        if usage:
            self._note_usage(usage)
        return text

    def end_text(self) -> str:
        """The text that was held back; call it at the end."""
        held = self._add_text(self._repeated.stop())
        half, self._half_character = join_surrogates(self._half_character), ""
        if half:
            self._texts.append(half)
        return held + half

    def build(self, *, complete: bool, model: str) -> Reply:
        """The reply so far; `model` is its name where no frame names one."""
        self.end_text()
        calls = tuple(self._finished_calls())
        nameless = any(call.arguments for call in self._calls) and not calls
        return Reply(
            text="".join(self._texts),
            calls=calls,
            usage=self._usage,
            finish="malformed_call" if nameless else self._finish,
            complete=complete and not self.full,
            model=self._model or model,
            reasoned=self._reasoned,
        )

    def _take_new_part(self, message: Mapping[str, Any], of_frame: str) -> Mapping[str, Any]:
        """What of a message is not known yet: some servers repeat all so far beside each delta.

        `of_frame` is the text of the frame's other messages.
        """
        self._has_messages = self._has_messages or self.empty
        came_in_deltas = not self._has_messages
        known = "".join(self._texts)
        if known and not of_frame:
            text = _join_text_parts(message.get("content"))
            message = {**message, "content": _cut_known(text, known, surely=came_in_deltas)}
        if came_in_deltas and self._calls and not _holds_other_call(message, self._calls):
            message = {**message, "tool_calls": None, "toolCalls": None, "function_call": None}
        return message

    def _add_delta(self, delta: Mapping[str, Any]) -> str:
        content = delta.get("content")
        if not isinstance(content, str):
            content = _join_text_parts(content)
        if content:
            self._has_content = True
        elif not self._has_content:
            spoken = _as_object(delta.get("audio")).get("transcript")
            content = _as_text(delta.get("refusal")) or _as_text(spoken)
        text = self._add_text(content) if content else ""
        calls = delta.get("tool_calls") or delta.get("toolCalls")
        calls = _as_objects(calls) if calls else ()
        if not calls and "function_call" in delta:
            # OpenAI's form of before a reply could hold several calls
            old_form = _as_objects(delta["function_call"])
            calls = [{"index": 0, "function": each} for each in old_form]
        if calls:
            self._add_calls(calls)
        # Usage ends a stream where it comes alone; some providers add it to every frame.
        if content or calls or self._take_reasoning(delta):
            self._frame_carries = True
            self._usage_is_last = False
        return text

    def _take_reasoning(self, delta: Mapping[str, Any]) -> bool:
        """Whether a delta without text or calls still carries a part of the reply."""
        holds = any(delta.get(name) for name in _REASONING_MEMBERS) or any(
            map(_is_reasoning_part, _as_objects(delta.get("content")))
        )
        self._reasoned = self._reasoned or holds
        return holds

    def _add_text(self, content: str) -> str:
        """Counts and keeps a piece of text; returns what of it can be shown now."""
        if len(content) >= self._repeated.shortest:
            content = self._repeated.read(content, self._texts)
        if self._half_character or (not content.isascii() and SURROGATE.search(content)):
            content = self._half_character + content
            self._half_character = content[-1] if ends_in_half_pair(content) else ""
            content = join_surrogates(content.removesuffix(self._half_character))
        text = self._fit(content)
        if self.full:
            self._half_character = ""
        if text:
            self._texts.append(text)
        return text

    def _fit(self, text: str) -> str:
        """As much of `text` as the limit allows, in whole characters."""
        size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if size <= self._bytes_left and not self.full:
            self._bytes_left -= size
            return text
        left = 0 if self.full else self._bytes_left
        self.full = True
        return text.encode("utf-8", "surrogatepass")[:left].decode("utf-8", "ignore")

    def _add_calls(self, entries: Iterable[Mapping[str, Any]]) -> None:
        in_this_delta: list[_StreamedCall] = []
        for entry in entries:
            function = _as_object(entry.get("function")) or entry
            piece = _CallDelta(
                provider_id=_as_text(entry.get("id")),
                name=_as_text(function.get("name")),
                arguments=_read_arguments(function.get("arguments")),
            )
            if piece == _EMPTY_DELTA:
                continue
            index = entry.get("index")
            call = self._call_of(piece, index, in_this_delta)
            if isinstance(index, int):
                self._by_index[index] = call
            in_this_delta.append(call)
            self._extend_call(call, piece)

    def _call_of(
        self, piece: _CallDelta, index: object, in_this_delta: list[_StreamedCall]
    ) -> _StreamedCall:
        """The call that this piece continues, or a new one.

        Ids and indexes cannot be trusted alone: providers leave them out, repeat them, or give
        every call the index 0. A name begins a call, unless it repeats that of an open one.
        """
        same_id = [call for call in self._calls if call.provider_id == piece.provider_id]
        if piece.provider_id and same_id:
            call = same_id[-1]
        elif isinstance(index, int) and index in self._by_index:
            call = self._by_index[index]
        elif self._calls and not piece.name and not (piece.provider_id and index is not None):
            call = self._calls[-1]
        else:
            return self._new_call()
        return self._new_call() if _begins_another(piece, call, in_this_delta) else call

    def _new_call(self) -> _StreamedCall:
        call = _StreamedCall()
        self._calls.append(call)
        self._fit(" " * _CALL_BYTES)
        return call

    def _extend_call(self, call: _StreamedCall, piece: _CallDelta) -> None:
        if not call.name:
            call.name = self._fit(piece.name)
        if not call.provider_id:
            call.provider_id = self._fit(piece.provider_id)
        call.add_arguments(self._fit(piece.arguments))

    def _finished_calls(self) -> Iterable[ToolCall]:
        used: set[str] = set()
        for call in self._calls:
            if not call.name:
                continue
            provider_id = join_surrogates(call.provider_id)
            # Two calls of one reply under one id could not be answered apart.
            yield ToolCall(
                id=self._new_id(),
                name=join_surrogates(call.name),
                arguments=join_surrogates("".join(call.arguments)),
                provider_id="" if provider_id in used else provider_id,
            )
            used.add(provider_id)

    def _note_finish(self, reason: object, *, whole: bool) -> None:
        word = _as_text(reason).lower()
        if word and word != "error":
            self._finish = _FINISH.get(word, "unknown")
            self._has_finish = True
        self._has_finish = self._has_finish or whole

    def _note_usage(self, usage: object) -> None:
        if isinstance(usage, dict):
            self._usage = read_usage(usage)
            self._usage_is_last = not self._frame_carries


def _begins_another(
    piece: _CallDelta, call: _StreamedCall, in_this_delta: list[_StreamedCall]
) -> bool:
    if not piece.name or not call.name:
        return False
    return (
        piece.name != call.name
        or call in in_this_delta
        or bool(piece.provider_id and call.provider_id and piece.provider_id != call.provider_id)
        or (call.is_whole() and bool(piece.arguments or not piece.provider_id))
    )


def _join_text_parts(content: object) -> str:
    """Content is a text, or a list of parts of which those with a text count."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    return "".join(
        part if isinstance(part, str) else _as_text(_as_object(part).get("text"))
        for part in parts
        if not _is_reasoning_part(_as_object(part))
    )


def _read_arguments(value: object) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return _as_text(value)


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _as_object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _as_objects(value: object) -> Sequence[Mapping[str, Any]]:
    """The objects of a list; of one that stands alone, as in TGI's streams, that one."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else ()


def _carries_reply(delta: object) -> bool:
    return any(map(_as_object(delta).get, ("content", "tool_calls", "toolCalls", "function_call")))


_SHORT_TEXT = 3
"""A message that begins with so short a text may also come behind it: "ha", "haha"."""


def _cut_known(text: str, known: str, *, surely: bool) -> str:
    """A message's text without what is known of it.

    `surely` says that the rest came in deltas, so that a message is the whole: Perplexity's have
    both in each frame.
    """
    if text.startswith(known) and (surely or len(known) >= _SHORT_TEXT):
        return text[len(known) :]
    repeats = " ".join(known.split()).startswith(" ".join(text.split()))
    return "" if surely and repeats else text


def _holds_other_call(message: Mapping[str, Any], known: Iterable[_StreamedCall]) -> bool:
    texts = {(call.name, "".join(call.arguments)) for call in known}
    calls = _as_objects(message.get("tool_calls") or message.get("toolCalls"))
    functions = (_as_object(call.get("function")) for call in calls)
    return any(
        (_as_text(each.get("name")), _read_arguments(each.get("arguments"))) not in texts
        for each in functions
    )


_REASONING_MEMBERS = ("reasoning_content", "reasoningContent", "reasoning")


def _is_reasoning_part(part: Mapping[str, Any]) -> bool:
    return _as_text(part.get("type")).lower().startswith(("thinking", "reasoning", "redacted"))
