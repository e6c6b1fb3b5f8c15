"""Frames -> one reply: the text to say as it comes, and in the end the whole.

The frames are OpenAI's chat completion chunks as Opik's chat proxy relays them, in snake_case or
camelCase, with the deviations of many providers. A frame of a non-streaming answer (`message` in
place of `delta`) is read the same way; Anthropic's comes with one choice per content block.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.chat.frames import json_object
from app.messages import FinishReason, Reply, TokenUsage, ToolCall
from app.surrogates import ends_in_half_pair, join_surrogates

# What a call costs of the reply's limit besides its texts, so that empty calls are bounded too.
_CALL_BYTES = 64

_FINISH: Mapping[str, FinishReason] = {
    "stop": "stop",
    "end_turn": "stop",
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
}


@dataclass(frozen=True, slots=True)
class _Piece:
    """What one delta tells of a call."""

    provider_id: str
    name: str
    arguments: str


_NOTHING = _Piece("", "", "")


@dataclass(slots=True, eq=False)
class _Call:
    """A call while it is being streamed."""

    provider_id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    closes: bool = False

    def add(self, piece: str) -> None:
        self.arguments.append(piece)
        self.closes = piece.rstrip().endswith("}") if piece.strip() else self.closes

    def is_whole(self) -> bool:
        """Whether the arguments are closed, so that a further piece belongs to another call."""
        return self.closes and json_object("".join(self.arguments)) is not None


class ReplyBuilder:
    """Builds one reply of at most `limit` bytes of text, names and arguments.

    `new_id` makes the calls' own ids. `full` tells that the limit was reached: the stream need
    not be read any further. `ended` tells that the provider itself marked the end.
    """

    def __init__(self, new_id: Callable[[], str], *, limit: int) -> None:
        self._new_id = new_id
        self._room = limit
        self._pieces: list[str] = []
        self._held = ""
        self._has_content = False
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._usage: TokenUsage | None = None
        self._finish: FinishReason = "unknown"
        self._finish_seen = False
        self._usage_is_last = False
        self._model = ""
        self.full = False

    @property
    def ended(self) -> bool:
        return self._finish_seen or self._usage_is_last

    @property
    def empty(self) -> bool:
        """Whether there is neither text nor a call so far."""
        return not (self._pieces or self._held or self._calls)

    def take(self, frame: Mapping[str, Any]) -> str:
        """Reads one frame; gives the text that it adds, "" for none."""
        self._model = _text(frame.get("model")) or self._model
        said = ""
        carries = False
        for choice in _objects(frame.get("choices")):
            whole = _object(choice.get("message"))
            delta = whole or _object(choice.get("delta"))
            content = self._content(delta)
            calls = list(_objects(_either(delta, "tool_calls", "toolCalls")))
            thinking = _either(delta, "reasoning_content", "reasoningContent")
            carries = carries or bool(content or calls or thinking or delta.get("reasoning"))
            said += self._add_text(content)
            self._add_calls(calls)
            self._note_finish(_either(choice, "finish_reason", "finishReason"), whole=bool(whole))
        self._note_usage(frame.get("usage"), carries=carries)
        return said

    def rest(self) -> str:
        """The half character that was held back for its other half; call it at the end."""
        held, self._held = join_surrogates(self._held), ""
        if held:
            self._pieces.append(held)
        return held

    def reply(self, *, complete: bool, model: str) -> Reply:
        """The reply so far; `model` is the name to tell where no frame told one."""
        self.rest()
        return Reply(
            text="".join(self._pieces),
            calls=tuple(self._finished_calls()),
            usage=self._usage,
            finish=self._finish,
            complete=complete and not self.full,
            model=self._model or model,
        )

    def _content(self, delta: Mapping[str, Any]) -> str:
        content = _joined(delta.get("content"))
        if content:
            self._has_content = True
            return content
        return "" if self._has_content else _text(delta.get("refusal"))

    def _add_text(self, content: str) -> str:
        """Counts and keeps a piece of text; gives what of it can be said now."""
        if not content:
            return ""
        text = self._held + content
        self._held = text[-1] if ends_in_half_pair(text) else ""
        text = self._fitting(join_surrogates(text[: len(text) - len(self._held)]))
        if self.full:
            self._held = ""
        if text:
            self._pieces.append(text)
        return text

    def _fitting(self, text: str) -> str:
        """As much of `text` as the limit allows, in whole characters."""
        data = text.encode("utf-8", "surrogatepass")
        if len(data) <= self._room and not self.full:
            self._room -= len(data)
            return text
        data = b"" if self.full else data[: self._room]
        self.full = True
        return data.decode("utf-8", "ignore")

    def _add_calls(self, entries: Iterable[Mapping[str, Any]]) -> None:
        in_this_delta: list[_Call] = []
        for entry in entries:
            function = _object(entry.get("function"))
            piece = _Piece(
                provider_id=_text(entry.get("id")),
                name=_text(function.get("name")),
                arguments=_arguments(function.get("arguments")),
            )
            if piece == _NOTHING:
                continue
            index = entry.get("index")
            call = self._call_of(piece, index, in_this_delta)
            if isinstance(index, int):
                self._by_index[index] = call
            in_this_delta.append(call)
            self._extend(call, piece)

    def _call_of(self, piece: _Piece, index: object, in_this_delta: list[_Call]) -> _Call:
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

    def _new_call(self) -> _Call:
        call = _Call()
        self._calls.append(call)
        self._fitting(" " * _CALL_BYTES)
        return call

    def _extend(self, call: _Call, piece: _Piece) -> None:
        if not call.name:
            call.name = self._fitting(piece.name)
        if not call.provider_id:
            call.provider_id = self._fitting(piece.provider_id)
        call.add(self._fitting(piece.arguments))

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
        word = _text(reason).lower()
        if word and word != "error":
            self._finish = _FINISH.get(word, "unknown")
        self._finish_seen = self._finish_seen or whole or (bool(word) and word != "error")

    def _note_usage(self, usage: object, *, carries: bool) -> None:
        """Usage ends a stream where it comes alone; some providers add it to every frame."""
        counts = _object(usage)
        if counts:
            self._usage = _usage(counts)
        if carries or counts:
            self._usage_is_last = not carries


def _begins_another(piece: _Piece, call: _Call, in_this_delta: list[_Call]) -> bool:
    if not piece.name or not call.name:
        return False
    return (
        piece.name != call.name
        or call in in_this_delta
        or bool(piece.provider_id and call.provider_id and piece.provider_id != call.provider_id)
        or (call.is_whole() and bool(piece.arguments or not piece.provider_id))
    )


def _joined(content: object) -> str:
    """Content is a text, or a list of parts of which those with a text count."""
    if isinstance(content, list):
        return "".join(
            part if isinstance(part, str) else _text(_object(part).get("text")) for part in content
        )
    return _text(content)


def _arguments(value: object) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return _text(value)


def _usage(counts: Mapping[str, Any]) -> TokenUsage:
    prompt = _object(_either(counts, "prompt_tokens_details", "promptTokensDetails"))
    completion = _object(_either(counts, "completion_tokens_details", "completionTokensDetails"))
    return TokenUsage(
        prompt_tokens=_count(_either(counts, "prompt_tokens", "promptTokens")),
        completion_tokens=_count(_either(counts, "completion_tokens", "completionTokens")),
        cached_tokens=_count(_either(prompt, "cached_tokens", "cachedTokens")),
        reasoning_tokens=_count(_either(completion, "reasoning_tokens", "reasoningTokens")),
    )


def _either(data: Mapping[str, Any], snake: str, camel: str) -> Any:
    value = data.get(snake)
    return data.get(camel) if value is None else value


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> Iterable[Mapping[str, Any]]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return max(0, value)
    return max(0, int(value)) if isinstance(value, float) and math.isfinite(value) else 0
