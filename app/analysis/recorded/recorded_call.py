"""The calls in a reply of a model: whole ones, and those that were streamed in pieces."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from app.analysis.recorded.opened_json import open_text
from app.analysis.recorded.spellings import CALL_ARGUMENTS, CALL_ID, CALL_NAME, plain_key

_WRAPPERS = frozenset(["function", "toolcall", "functioncall", "tooluse", "custom"])
_HOSTED_ARGUMENTS = frozenset(["action", "code", "queries", "operation"])
_WRAPPERS_DEEP = 3  # OpenInference: `tool_call.function` around name and arguments
_MOST_MEMBERS = 64  # of one call: providers use fewer than ten
_MOST_CALLS = 128  # calls of one reply: providers allow as many
_STREAMED = -1  # in place of the number of a list
_COMPARED = 32  # known calls that a call is compared with, to leave out a second record of it


class RecordedCall(NamedTuple):
    """A call that a model asked for. `arguments` are opened where they are JSON; `broken` says
    that they are a text that cannot be parsed, or that the framework reported the call as such."""

    name: str
    arguments: Any = None
    call_id: str = ""
    broken: bool = False


@dataclass(slots=True)
class _Pieces:
    """A call that arrives in pieces: the name first, then its arguments as text."""

    name: str = ""
    call_id: str = ""
    arguments: list[str] = field(default_factory=list)


class CallCollector:
    """Collects the calls of one reply, each once, at most 128."""

    def __init__(self) -> None:
        self._calls: list[tuple[int, RecordedCall]] = []
        self._pieces: dict[int, _Pieces] = {}

    def add_record(
        self, record: Mapping[str, Any], list_number: int, *, broken: bool = False
    ) -> bool:
        """Reads a call of the list with this number; False where the object names no tool."""
        call = _read_call(record, broken=broken)
        if call is None:
            return False
        # Integrations record a call twice, as a block and in a list of their own. In one list,
        # equal ones without ids (Gemini) are several.
        is_known = any(
            _is_same_call(call, each) and (number != list_number or bool(call.call_id))
            for number, each in self._calls[-_COMPARED:]
        )
        if len(self._calls) < _MOST_CALLS and not is_known:
            self._calls.append((list_number, call))
        return True

    def add_piece(self, index: Any, record: Mapping[str, Any]) -> None:
        """A piece of the call with this index, as OpenAI and Anthropic stream them."""
        place = index if isinstance(index, int) else len(self._pieces) - 1
        if place not in self._pieces and len(self._pieces) >= _MOST_CALLS:
            return
        pieces = self._pieces.setdefault(place, _Pieces())
        name, given, call_id = _find_parts(record)
        pieces.name = pieces.name or (name if isinstance(name, str) else "")
        pieces.call_id = pieces.call_id or call_id
        if isinstance(given, str):
            pieces.arguments.append(given)

    def finish(self) -> tuple[RecordedCall, ...]:
        """All calls, the whole ones first."""
        for pieces in self._pieces.values():
            self.add_record(
                {
                    "name": pieces.name,
                    "arguments": "".join(pieces.arguments),
                    "id": pieces.call_id,
                },
                _STREAMED,
            )
        return tuple(call for _, call in self._calls)


def _is_same_call(call: RecordedCall, other: RecordedCall) -> bool:
    return (
        call.name == other.name
        and (call.call_id == other.call_id or not (call.call_id and other.call_id))
        and (call.arguments == other.arguments or call.broken or other.broken)
    )


def _read_call(record: Mapping[str, Any], *, broken: bool) -> RecordedCall | None:
    name, given, call_id = _find_parts(record)
    kind = record.get("type")
    is_free_form = plain_key(kind or "") in ("customtoolcall", "custom")
    if not isinstance(name, str) or not name:
        # Tools that the provider runs have a type of their own in place of a name.
        hosted = isinstance(kind, str) and kind.endswith("_call") and kind != "function_call"
        name = kind.removesuffix("_call") if isinstance(kind, str) and hosted else ""
        if hosted and given is None:
            given, is_free_form = _find_member(record, _HOSTED_ARGUMENTS), True
    if not name and given in (None, "", {}):
        return None
    opened = open_text(given) if isinstance(given, str) else given
    is_text = isinstance(opened, str) and bool(opened.strip())
    return RecordedCall(name, opened, call_id, broken or (is_text and not is_free_form))


def _find_parts(record: Mapping[str, Any]) -> tuple[Any, Any, str]:
    """Name, arguments and id of a call, which may lie in a wrapper (`function`)."""
    call_id = ""
    inner: Mapping[str, Any] = record
    for _ in range(_WRAPPERS_DEEP):
        outer = inner
        for key, value in islice(outer.items(), _MOST_MEMBERS):
            plain = plain_key(key)
            if plain in CALL_ID and isinstance(value, str):
                call_id = call_id or value
            elif plain in _WRAPPERS and isinstance(value, dict):
                inner = value
        if inner is outer:
            break
    name = _find_member(inner, CALL_NAME) or _find_member(record, CALL_NAME)
    return name, _find_member(inner, CALL_ARGUMENTS), call_id


def _find_member(record: Mapping[str, Any], keys: frozenset[str]) -> Any:
    members = islice(record.items(), _MOST_MEMBERS)
    return next((value for key, value in members if plain_key(key) in keys), None)
