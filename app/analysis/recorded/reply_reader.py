"""Walks what was recorded as a reply and collects texts, calls, reasons and everything else.

Knows the envelopes of OpenAI (Chat Completions, Responses), Anthropic, Gemini, Bedrock, Cohere and
Ollama, whole and as lists of streamed events; of LangChain, LlamaIndex, the Vercel AI SDK and
CrewAI; and OpenTelemetry's and OpenInference's messages. Sources are named in `spellings`.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any, NamedTuple

from app.analysis.recorded.encoded_reply import open_reply_text
from app.analysis.recorded.finish_reason import (
    FinishReason,
    read_finish_number,
    read_finish_reason,
)
from app.analysis.recorded.message_author import is_by_other, take_own_messages
from app.analysis.recorded.opened_json import nest_dotted_names, open_text
from app.analysis.recorded.recorded_call import CallCollector
from app.analysis.recorded.spellings import (
    CALL_TYPES,
    CALLS,
    ENVELOPE,
    ENVELOPE_FACTS,
    FINISH,
    INVALID_CALLS,
    MEDIA,
    MEDIA_TYPES,
    REASONING,
    RESULT_KEYS,
    RESULT_TYPES,
    STRUCTURED,
    TEXT,
    key_set,
    plain_key,
)

_MOST_READ = 2_000  # objects and values of one reply; streamed chunks have several each
_CALLS_READ = 128  # calls of one list: providers allow as many
_REASONS_READ = 8  # finish reasons of one list: one for each choice
_REASONING_KEPT = 2_000  # pieces of reasoning; a stream has one for each token
_LONGEST_REASONING = 20_000  # characters of reasoning that are kept
_LONGEST_FAILURE = 2_000  # characters
_REASONING_TEXTS = frozenset(
    ["text", "thinking", "content", "reasoning", "summary", "reasoningtext"]
)
_HOLD_FACTS = key_set(
    "response_metadata generation_info prompt_feedback llm_output metadata details stats"
)
_HOLD_TEXT = ENVELOPE | TEXT | {"audio", "type", "blocktype"}


def may_hold_text(output: Any) -> bool:
    """Whether an output may hold a text that a reply has; False is certain."""
    if not isinstance(output, dict):
        return True
    return any("." in str(key) or plain_key(key) in _HOLD_TEXT for key in output)


_BLANKS: tuple[Any, ...] = (None, "", [], {})


class _Place(NamedTuple):
    """Where a value stands: its key, whether it is a piece of a stream, and in which list."""

    key: str = ""
    is_delta: bool = False
    list_number: int = 0


class ReplyReader:
    """What was found so far in one reply."""

    def __init__(self) -> None:
        self.calls = CallCollector()
        self.reasons: list[tuple[FinishReason, str]] = []
        self.refusal = ""
        self.media = 0
        self.has_other = False
        self.failure = ""
        self._lists = 0
        self._texts: dict[str, None] = {}
        self._deltas: list[str] = []
        self._reasoning: list[str] = []
        self._reasoning_deltas: list[str] = []

    def join_text(self) -> str:
        """The text: the pieces of a stream, else the texts, each once."""
        return "".join(self._deltas) or "\n".join(self._texts)

    def join_reasoning(self) -> str:
        """The beginning of the reasoning."""
        text = "".join(self._reasoning_deltas) or "\n".join(self._reasoning)
        return text[:_LONGEST_REASONING]

    def choose_reason(self) -> tuple[FinishReason | None, str]:
        """The reason that says most, with the provider's word; the last one of equals."""
        best: tuple[FinishReason | None, str] = (None, "")
        for reason, word in self.reasons:
            if best[0] is None or _RANK[reason] >= _RANK[best[0]]:
                best = (reason, word)
        return best

    def read_output(self, output: Any) -> None:
        """Walks the envelope in reading order."""
        waiting: list[tuple[_Place, Any]] = [(_Place(), nest_dotted_names(output))]
        left = _MOST_READ
        while waiting and left > 0:
            left -= 1
            place, value = waiting.pop()
            if isinstance(value, str):
                opened = open_reply_text(value)
                if opened is None:
                    self._add_text(value, place)
                else:
                    waiting.append((place, nest_dotted_names(opened)))
            elif isinstance(value, list):
                waiting.extend(reversed(self._read_list(value, place, left)))
            elif isinstance(value, dict):
                waiting.extend(reversed(self._read_object(value, place)))
            elif value is not None:
                self.has_other = True

    def read_facts(self, record: Any) -> None:
        """Finish reasons in a record that holds no reply, such as metadata."""
        waiting = [nest_dotted_names(record)]
        left = _MOST_READ
        while waiting and left > 0:
            left -= 1
            value = waiting.pop()
            if isinstance(value, dict):
                for name, inner in islice(value.items(), left):
                    key = plain_key(name)
                    if key in FINISH:
                        self._add_reason(inner, key)
                    elif key == "incompletedetails" and isinstance(inner, dict):
                        self._add_reason(inner.get("reason"), key)
                    elif isinstance(inner, (dict, list)) and key != "opentelemetryevents":
                        waiting.append(inner)
            elif isinstance(value, list):
                waiting.extend(value[:left])

    def _add_text(self, text: str, place: _Place) -> None:
        if place.is_delta:
            self._deltas.append(text)
        elif text and not text.isspace():
            self._texts.setdefault(text)

    def _read_list(self, items: list[Any], place: _Place, left: int) -> list[tuple[_Place, Any]]:
        kept = items[:left]
        self._lists += 1
        place = place._replace(list_number=self._lists)
        if _is_stream(kept):
            place = place._replace(is_delta=True)
        elif place.key in ("", "messages", "outputmessages", "output"):
            own = take_own_messages(kept)
            self.has_other = self.has_other or (bool(kept) and not own)
            kept = own
        return [(place, item) for item in kept]

    def _read_object(self, value: Mapping[str, Any], place: _Place) -> list[tuple[_Place, Any]]:
        """Takes from an object what is its own; what has to be looked into is returned."""
        given = value.get("type", value.get("block_type", ""))
        # The parts of a dotted one (`response.refusal.delta`) belong together.
        kind = plain_key(given.replace(".", "")) if isinstance(given, str) else ""
        if is_by_other(value):
            return []
        if not kind and value.get("thought") is not True:
            return self._read_members(value, place)
        if kind in RESULT_TYPES:
            self.has_other = True
            return []
        if kind in CALL_TYPES and self.calls.add_record(value, place.list_number):
            self.media += kind == "imagegenerationcall"
            return []
        if kind in REASONING or value.get("thought") is True:
            self._add_reasoning(value, is_delta=place.is_delta)
            return []
        if kind == "refusal" and isinstance(value.get("content"), str):
            self.refusal = value["content"]
            return []
        if kind in MEDIA_TYPES:
            return self._read_media(value, place)
        if "delta" in kind or kind.endswith("chunk"):
            place = place._replace(is_delta=True)
            if kind not in ("messagedelta",) and self._read_delta(kind, value):
                return []
        if kind.startswith("response") and kind.endswith(_REPEATED):
            return []
        if kind.startswith("responsereasoning"):
            self._add_reasoning(value, is_delta=False)
            return []
        if kind == "contentblockstart" and self._read_block_start(value):
            return []
        return self._read_members(value, place)

    def _read_members(self, value: Mapping[str, Any], place: _Place) -> list[tuple[_Place, Any]]:
        below: list[tuple[_Place, Any]] = []
        for name, inner in islice(value.items(), _MOST_READ):
            if inner or inner not in _BLANKS:
                self._read_member(plain_key(name), inner, place, below)
        return below

    def _read_media(self, value: Mapping[str, Any], place: _Place) -> list[tuple[_Place, Any]]:
        self.media += 1
        inner = value.get("audio", value)
        transcript = inner.get("transcript") if isinstance(inner, dict) else None
        return [(place, transcript)] if isinstance(transcript, str) else []

    def _read_delta(self, kind: str, value: Mapping[str, Any]) -> bool:
        """An event of a stream that carries a piece; False where it has to be looked into."""
        piece = next((value[key] for key in _PIECES if key in value), None)
        if isinstance(piece, dict):
            if isinstance(piece.get("partial_json"), str):
                self.calls.add_piece(value.get("index"), {"arguments": piece["partial_json"]})
                return True
            return False
        if not isinstance(piece, str):
            return "delta" in kind and "signature" in kind
        if "reasoning" in kind or "thinking" in kind:
            self._reasoning_deltas.append(piece)
        elif "refusal" in kind:
            self.refusal += piece
        elif "transcript" in kind or not any(word in kind for word in _NO_TEXTS):
            self._deltas.append(piece)
        return True

    def _read_block_start(self, value: Mapping[str, Any]) -> bool:
        """The beginning of a block of Anthropic's stream; True where it is a call."""
        block = value.get("content_block")
        if not isinstance(block, dict) or plain_key(block.get("type", "")) not in CALL_TYPES:
            return False
        self.calls.add_piece(value.get("index"), {"name": block.get("name"), "id": block.get("id")})
        return True

    def _read_block_event(self, event: Mapping[str, Any]) -> list[tuple[_Place, Any]]:
        """A block of Bedrock's stream: the beginning of a call, or a piece of one or of a text."""
        piece = event.get("delta", event.get("start"))
        called = piece.get("toolUse") if isinstance(piece, dict) else None
        if not isinstance(called, dict):
            return [(_Place(is_delta=True), piece)]
        self.calls.add_piece(event.get("contentBlockIndex"), called)
        return []

    def _read_member(
        self, key: str, inner: Any, place: _Place, below: list[tuple[_Place, Any]]
    ) -> None:
        if key in FINISH:
            self._add_reason(inner, key)
        elif key in CALLS or key in INVALID_CALLS:
            self._add_calls(inner, place, broken=key in INVALID_CALLS)
        elif key in REASONING:
            self._add_reasoning(inner, is_delta=place.is_delta)
        elif key == "refusal" and isinstance(inner, str):
            self.refusal = self.refusal + inner if place.is_delta else inner
        elif key == "errormessage" and isinstance(inner, str):
            self.failure = inner[:_LONGEST_FAILURE]  # Google's ADK, beside `error_code`
        elif key in _BLOCK_EVENTS and isinstance(inner, dict):
            below.extend(self._read_block_event(inner))
        elif key == "audio" and isinstance(inner, dict):
            below.extend(self._read_media(inner, place))
        elif key in MEDIA and _holds_media(inner):
            self.media += 1
        elif key in STRUCTURED and isinstance(inner, (dict, list)):
            self.has_other = True
        elif key in ENVELOPE or key in TEXT:
            is_delta = place.is_delta or key in ("delta", "chunks")
            below.append((_Place(key, is_delta, place.list_number), inner))
        elif key in ENVELOPE_FACTS:
            self._read_fact(key, inner)
        else:
            self.has_other = self.has_other or key not in RESULT_KEYS or bool(inner)

    def _read_fact(self, key: str, inner: Any) -> None:
        """Finish reasons and failures in the facts of an envelope."""
        if key in ("incompletedetails", "statusdetails") and isinstance(inner, dict):
            self._add_reason(inner.get("reason"), key)
        elif key == "stoppedlimit" and inner is True:
            self.reasons.append((FinishReason.LENGTH, "stopped_limit"))  # llama.cpp
        elif key in _STATES and isinstance(inner, str) and inner.lower().startswith(_FAILED):
            self.reasons.append((FinishReason.ERROR, inner))
        elif key == "error" and isinstance(inner, (str, dict)):
            message = inner.get("message") if isinstance(inner, dict) else inner
            self.failure = str(message or inner)[:_LONGEST_FAILURE]
        elif key in _HOLD_FACTS:
            self.read_facts(inner)

    def _add_reason(self, value: Any, key: str) -> None:
        value = open_text(value) if isinstance(value, str) else value
        for item in (value if isinstance(value, list) else [value])[:_REASONS_READ]:
            is_number = isinstance(item, int) and not isinstance(item, bool)
            word = read_finish_number(item) if is_number else item
            if isinstance(word, dict):  # `unified`: the Vercel AI SDK 6
                word = word.get("unified", word.get("reason", word.get("type")))
            if not isinstance(word, str) or not word or "unspecified" in word.lower():
                continue
            reason = read_finish_reason(word)
            if key == "blockreason" and reason is FinishReason.UNKNOWN:
                reason = FinishReason.FILTERED
            self.reasons.append((reason, word))

    def _add_reasoning(self, value: Any, *, is_delta: bool) -> None:
        """The first texts of a block of reasoning."""
        kept = self._reasoning_deltas if is_delta else self._reasoning
        waiting = [value]
        while waiting and len(kept) < _REASONING_KEPT:
            item = waiting.pop()
            if isinstance(item, str):
                if item and (is_delta or not item.isspace()):
                    kept.append(item)
            elif isinstance(item, list):
                waiting.extend(reversed(item[:_CALLS_READ]))
            elif isinstance(item, dict):
                waiting.extend(
                    inner for name, inner in item.items() if plain_key(name) in _REASONING_TEXTS
                )

    def _add_calls(self, value: Any, place: _Place, *, broken: bool) -> None:
        value = open_text(value) if isinstance(value, str) else value
        number = place.list_number
        if isinstance(value, list):
            self._lists += 1
            number = self._lists
        for each in (value if isinstance(value, list) else [value])[:_CALLS_READ]:
            item = open_text(each) if isinstance(each, str) else each
            if not isinstance(item, dict):
                continue
            if place.is_delta and "index" in item:
                self.calls.add_piece(item["index"], item)
            else:
                self.calls.add_record(item, number, broken=broken)


_BLOCK_EVENTS = key_set("content_block_start content_block_delta")
_PIECES = ("delta", "text", "textDelta", "thinking")  # keys in an event of a stream
_NO_TEXTS = ("argument", "json", "input", "signature", "audio", "code")  # in kinds of deltas
_REPEATED = ("added", "argumentsdone", "inputdone", "codedone")
"""Ends of kinds of events whose content another event of the Responses API has whole."""
_STATES = frozenset(["status", "subtype"])  # of the Responses API, of a run of Claude's agents
_FAILED = ("failed", "error_")
_RANK = {
    FinishReason.UNKNOWN: 0,
    FinishReason.STOP: 1,
    FinishReason.PAUSED: 2,
    FinishReason.TOOL_CALLS: 3,
    FinishReason.ERROR: 4,
    FinishReason.LENGTH: 5,
    FinishReason.FILTERED: 6,
    FinishReason.MALFORMED_CALL: 7,
}


def _is_stream(items: list[Any]) -> bool:
    """Whether the items of a list are pieces of one reply, in the order they arrived."""
    if len(items) < 2 or not all(isinstance(item, dict) for item in items[:2]):
        return False
    first, second = items[0], items[1]
    if "candidates" in first and "candidates" in second:
        return True
    if first.get("done") is False or str(first.get("type", "")).endswith("Chunk"):
        return True
    return str(first.get("object", "")).endswith(".chunk")


def _holds_media(value: Any) -> bool:
    """Whether it is an attachment, rather than a word such as the name of a source."""
    if isinstance(value, str):
        return value.startswith(("data:", "http", "gs:", "s3:", "file")) or len(value) > 200
    return isinstance(value, (dict, list))
