"""The reply of a model call, whatever provider or framework recorded it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.analysis.recorded.finish_reason import FinishReason, read_finish_reason
from app.analysis.recorded.opened_json import nest_dotted_names, open_text
from app.analysis.recorded.spellings import (
    CALL_ARGUMENTS,
    CALL_ID,
    CALL_NAME,
    CALL_TYPES,
    CALLS,
    ENVELOPE,
    ENVELOPE_FACTS,
    FINISH,
    INVALID_CALLS,
    MEDIA,
    MEDIA_TYPES,
    REASONING,
    TEXT,
    plain_key,
)

_MOST_READ = 2_000  # objects and values of one reply; streamed chunks have several each
_OTHER_ROLES = frozenset(["user", "human", "system", "developer", "tool", "function"])
_CALL_WRAPPERS = frozenset(["function", "toolcall", "functioncall", "tooluse"])
_REASONING_TEXTS = frozenset(["text", "thinking", "content", "reasoning", "summary"])
_REASONING_KEPT = 8  # texts of reasoning, of which a view shows the beginning
_CALLS_READ = 128  # calls of one reply: providers allow as many
_CALLS_COMPARED = 32  # known calls that a call is compared with, to leave out a second record of it
_LONGEST_FAILURE = 2_000  # characters


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call that a model asked for. `arguments` are opened where they are JSON; `broken` says
    that they are a text that cannot be parsed, or that the framework reported the call as such."""

    name: str
    arguments: Any = None
    call_id: str = ""
    broken: bool = False


@dataclass(frozen=True, slots=True)
class RecordedReply:
    """What a model answered.

    `finish` is None where no reason was recorded; `finish_word` is the provider's own word.
    `media` counts images, audio and files; `has_other` says that there is content of no known
    kind. `failure` is the provider's error inside a reply (Responses API, streams).
    """

    text: str = ""
    calls: tuple[RecordedCall, ...] = ()
    finish: FinishReason | None = None
    finish_word: str = ""
    refusal: str = ""
    reasoning: str = ""
    media: int = 0
    has_other: bool = False
    failure: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing but an envelope was recorded."""
        return not (
            self.text.strip()
            or self.calls
            or self.media
            or self.has_other
            or self.refusal
            or self.failure
        )


@dataclass(slots=True)
class _Collected:
    texts: dict[str, None] = field(default_factory=dict)
    deltas: list[str] = field(default_factory=list)
    calls: list[RecordedCall] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    refusal: str = ""
    reasoning: list[str] = field(default_factory=list)
    media: int = 0
    has_other: bool = False
    failure: str = ""

    def add_text(self, text: str, *, is_delta: bool) -> None:
        if is_delta:
            self.deltas.append(text)
        elif text.strip():
            self.texts.setdefault(text)

    def add_call(self, call: RecordedCall) -> None:
        """Integrations record a call twice, as a block and in a list of their own."""
        if not any(
            call.name == known.name
            and (call.call_id == known.call_id or not (call.call_id and known.call_id))
            and (call.arguments == known.arguments or call.broken or known.broken)
            for known in self.calls[-_CALLS_COMPARED:]
        ):
            self.calls.append(call)


def read_reply(output: Any, *other_records: Any) -> RecordedReply:
    """The reply in an output. Where it has no finish reason, that of the other records (metadata)
    counts. Reads at most 2,000 values."""
    found = _Collected()
    _collect(nest_dotted_names(output), found)
    if not found.reasons:
        for record in other_records:
            _collect_reasons(nest_dotted_names(record), found)
    word, finish = _choose_reason(found.reasons)
    text = "".join(found.deltas) or "\n".join(found.texts)
    return RecordedReply(
        text=text,
        calls=tuple(found.calls),
        finish=finish,
        finish_word=word,
        refusal=found.refusal or (text or word if word == "refusal" else ""),
        reasoning="\n".join(found.reasoning),
        media=found.media,
        has_other=found.has_other,
        failure=found.failure,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands: its key, and whether it is a piece of a stream or foreign content."""

    key: str = ""
    is_delta: bool = False


def _collect(output: Any, found: _Collected) -> None:
    """Walks the envelope in reading order and puts what it holds into `found`."""
    waiting: list[tuple[_Place, Any]] = [(_Place(), output)]
    left = _MOST_READ
    while waiting and left > 0:
        left -= 1
        place, value = waiting.pop()
        if isinstance(value, str):
            found.add_text(value, is_delta=place.is_delta)
        elif isinstance(value, list):
            waiting.extend((place, each) for each in reversed(value[:left]))
        elif isinstance(value, Mapping):
            waiting.extend(reversed(_read_object(value, place, found)))
        elif value is not None and not isinstance(value, bool):
            found.has_other = True


def _read_object(
    value: Mapping[str, Any], place: _Place, found: _Collected
) -> list[tuple[_Place, Any]]:
    """Takes from an object what is its own; what has to be looked into is returned."""
    kind = plain_key(value.get("type", "")) if isinstance(value.get("type"), str) else ""
    role = value.get("role", value.get("type"))
    if isinstance(role, str) and role.lower() in _OTHER_ROLES and _holds_message(value):
        return []
    if kind in CALL_TYPES and _add_call(value, found):
        return []
    if kind in REASONING:
        _add_reasoning(value, found)
        return []
    if kind in MEDIA_TYPES:
        found.media += 1
        return []
    if kind == "refusal" and isinstance(value.get("refusal"), str):
        found.refusal = value["refusal"]
        return []
    below: list[tuple[_Place, Any]] = []
    for name, inner in list(value.items())[:_MOST_READ]:
        _read_member(plain_key(name), inner, place, found, below)
    return below


def _holds_message(value: Mapping[str, Any]) -> bool:
    return "content" in value or "parts" in value


def _read_member(
    key: str,
    inner: Any,
    place: _Place,
    found: _Collected,
    below: list[tuple[_Place, Any]],
) -> None:
    if inner is None or inner == "" or inner == [] or inner == {}:
        return
    if key in FINISH:
        _add_reason(inner, found)
    elif key in CALLS:
        _add_calls(inner, found, broken=False)
    elif key in INVALID_CALLS:
        _add_calls(inner, found, broken=True)
    elif key in REASONING:
        _add_reasoning(inner, found)
    elif key == "refusal":
        found.refusal = inner if isinstance(inner, str) else found.refusal
    elif key == "transcript" and isinstance(inner, str):
        found.add_text(inner, is_delta=place.is_delta)
    elif key == "audio" and isinstance(inner, Mapping) and inner.get("transcript"):
        found.media += 1
        found.add_text(str(inner["transcript"]), is_delta=place.is_delta)
    elif key in MEDIA and not isinstance(inner, bool | int | float):
        found.media += 1
    elif key == "parsed":
        found.has_other = True
    elif key in ENVELOPE or key in TEXT:
        is_delta = place.is_delta or key in ("delta", "chunks")
        below.append((_Place(key, is_delta), inner))
    elif key in ENVELOPE_FACTS:
        _read_fact(key, inner, found)
    else:
        found.has_other = True


def _read_fact(key: str, inner: Any, found: _Collected) -> None:
    """Finish reasons and failures in the facts of an envelope."""
    if key == "incompletedetails" and isinstance(inner, Mapping):
        _add_reason(inner.get("reason"), found)
    elif key == "status" and isinstance(inner, str) and inner.lower() in ("failed", "incomplete"):
        if inner.lower() == "failed":
            found.reasons.append("failed")
    elif key == "error":
        message = inner.get("message") if isinstance(inner, Mapping) else inner
        found.failure = str(message or inner)[:_LONGEST_FAILURE]
    elif key in ("responsemetadata", "generationinfo", "promptfeedback", "messages"):
        _collect_reasons(inner, found)


def _add_reason(value: Any, found: _Collected) -> None:
    words = value if isinstance(value, list) else [value]
    found.reasons.extend(str(word) for word in words[:8] if isinstance(word, str) and word)


def _collect_reasons(record: Any, found: _Collected) -> None:
    """Finish reasons in a record that holds no reply, such as metadata."""
    waiting = [record]
    left = _MOST_READ
    while waiting and left > 0:
        left -= 1
        value = waiting.pop()
        if isinstance(value, Mapping):
            for name, inner in list(value.items())[:_MOST_READ]:
                if plain_key(name) in FINISH:
                    _add_reason(inner, found)
                elif isinstance(inner, Mapping | list):
                    waiting.append(inner)
        elif isinstance(value, list):
            waiting.extend(value[:left])


def _choose_reason(words: list[str]) -> tuple[str, FinishReason | None]:
    """The word that says most, and what it stands for; the last one of equals."""
    best: tuple[str, FinishReason | None] = ("", None)
    for word in words:
        reason = read_finish_reason(word)
        if best[1] is None or _RANK[reason] >= _RANK[best[1]]:
            best = (word, reason)
    return best


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


def _add_reasoning(value: Any, found: _Collected) -> None:
    """The first texts of a block of reasoning."""
    waiting = [value]
    while waiting and len(found.reasoning) < _REASONING_KEPT:
        item = waiting.pop()
        if isinstance(item, str) and item.strip():
            found.reasoning.append(item)
        elif isinstance(item, list):
            waiting.extend(reversed(item[:_REASONING_KEPT]))
        elif isinstance(item, Mapping):
            waiting.extend(
                inner for name, inner in item.items() if plain_key(name) in _REASONING_TEXTS
            )


def _add_calls(value: Any, found: _Collected, *, broken: bool) -> None:
    for item in (value if isinstance(value, list) else [value])[:_CALLS_READ]:
        if isinstance(item, Mapping):
            _add_call(item, found, broken=broken)


def _add_call(value: Mapping[str, Any], found: _Collected, *, broken: bool = False) -> bool:
    """Reads a call; False where the object names no tool."""
    call_id = ""
    inner: Mapping[str, Any] = value
    for name, item in value.items():
        if plain_key(name) in CALL_ID and isinstance(item, str):
            call_id = item
        if plain_key(name) in _CALL_WRAPPERS and isinstance(item, Mapping):
            inner = item
    tool = _first(inner, CALL_NAME) or _first(value, CALL_NAME)
    if not isinstance(tool, str):
        tool = ""
    given = _first(inner, CALL_ARGUMENTS)
    opened = open_text(given) if isinstance(given, str) else given
    unparsed = isinstance(opened, str) and bool(opened.strip())
    if not tool and given is None:
        return False
    found.add_call(RecordedCall(tool, opened, call_id, broken or unparsed))
    return True


def _first(value: Mapping[str, Any], keys: frozenset[str]) -> Any:
    return next((inner for name, inner in value.items() if plain_key(name) in keys), None)
