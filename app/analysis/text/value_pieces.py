"""The fields of a recorded value in the order in which they tell most.

Plain fields (counts, flags, states, what follows) come first, then texts, inner objects and lists,
so that a cut hides items and not what says that there are more of them.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from app.analysis.recorded.leaves import SERIES_FROM
from app.analysis.recorded.request_messages import RecordedMessage, read_message_list
from app.analysis.recorded.spellings import (
    CALL_TYPES,
    MEDIA_TYPES,
    RESULT_TYPES,
    key_set,
    plain_key,
)
from app.analysis.text.one_line import format_count

Piece = tuple[str, Any]
"""A label, which may be empty, and a plain value: a text, a number, a flag, null, `{}` or `[]`."""

_LEVELS = 12  # of a value: a line shows nothing of what lies deeper
_MOST_MEMBERS = 200  # of one object that are put in order; more are a table of data
_LONG_TEXT = 60  # characters: most of what states a fact is shorter, most of what tells is longer
_COUNTED_FROM = 4  # items of a list: fewer names or numbers are counted at a glance
_SHORT_ITEM = 40  # characters: such items stand side by side on one line
_JOINED = 40  # items on one line: with commas between them they fill any preview
_RECORDS_COUNTED = 200  # of a list, for flags: a table of data says it of the first ones
_FLAGS_SHOWN = 2
_LEAST_EQUAL = 2  # items: lists of one are equal by chance
_LEAST_ENTRIES = 3  # of a table by key: two objects with equal fields may be two parts of one
_ENTRIES_COMPARED = 20  # of a table: what is written by one loop has equal fields throughout
_ARGUMENTS_SHOWN = 8  # of one call: more do not fit in a line
_LONGEST_PLAIN = 280  # characters of a number or text: no line shows more
# Keys that say what an object is to a machine, where their values do: messages, their blocks,
# replies and their parts (OpenAI, Anthropic, LangChain); elsewhere they are data.
_MACHINE_KEYS = frozenset(["role", "type", "object", "lc"])
_MACHINE_WORDS = (
    CALL_TYPES
    | RESULT_TYPES
    | MEDIA_TYPES
    | key_set(
        "user human system developer assistant ai model tool aimessage humanmessage systemmessage"
        " toolmessage aimessagechunk text input_text output_text message messages reasoning"
        " thinking redacted_thinking constructor completion text_completion chunk response list"
        " embedding json_object json_schema ephemeral"
    )
)
_LAST = re.compile(r"[\d,]+ messages, the last(?:: |$)", re.ASCII)
_LONGEST_WORD = 40  # characters: the words above are shorter
_NOTHING: tuple[Any, ...] = (None, "", [], {})  # what frameworks write into each message
_MESSAGE_FACTS = key_set(
    "role type name id additional_kwargs response_metadata usage_metadata tool_calls status"
    " lc kwargs artifact invalid_tool_calls example tool_call_id refusal annotations audio"
    " function_call"
)


class MessageText(str):
    """All that a message says: what else was recorded of it are facts about the call."""


class LastMessage(MessageText):
    """The text of the last of several `messages`, which are as recorded."""

    messages: list[Any]


def describe_value(value: Any) -> Iterator[Piece]:
    """The pieces of a value, those that tell most first."""
    return _describe("", value, 0)


def format_plain(value: Any) -> str:
    """A plain value as text, cut where it is longer than any line."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, dict | list):
        return "[]" if isinstance(value, list) else "{}"
    return str(value)[:_LONGEST_PLAIN]


def _describe(name: str, value: Any, level: int) -> Iterator[Piece]:
    if level < _LEVELS and value:
        if type(value) is dict:
            return _describe_object(name, value, level)
        if type(value) is list:
            return _describe_list(name, value, level)
    return iter(((name, "…" if value and isinstance(value, (dict, list)) else value),))


def _describe_object(name: str, value: dict[Any, Any], level: int) -> Iterator[Piece]:
    if _is_message(value):
        if text := _message_text(value):
            yield name, MessageText(text)
            return
        value = {key: inner for key, inner in value.items() if inner not in _NOTHING}
    if _is_table(value):
        yield name, format_count(len(value), "item")
        yield from _count_flags(list(value.values()))
        for part, inner in islice(value.items(), _MOST_MEMBERS):
            pieces = _describe("", inner, level + 1)
            for place, (label, shown) in enumerate(pieces):
                yield (label if place else f"{part} {label}".rstrip()), shown
        return
    texts: list[Piece] = []
    objects: list[Piece] = []
    lists: list[tuple[str, list[Any]]] = []
    for part, inner in islice(value.items(), _MOST_MEMBERS):
        key, kind = str(part), type(inner)
        if is_for_machines(key, inner):
            continue
        if kind is list and inner:
            lists.append((key, inner))
        elif kind is dict and inner:
            objects.append((key, inner))
        elif kind is str and len(inner) > _LONG_TEXT:
            texts.append((key, inner))
        else:
            yield key, inner
    yield from texts
    for key, inner in objects:
        yield from _describe(key, inner, level + 1)
    for place, (key, inner) in enumerate(lists):
        twin = _find_twin(inner, lists[:place])
        if twin:
            yield key, f"same as {twin}"
        else:
            yield from _describe(key, inner, level + 1)


def _is_table(value: dict[Any, Any]) -> bool:
    """Whether an object is a list of records by their names or ids."""
    if len(value) < _LEAST_ENTRIES:
        return False
    first, *others = islice(value.values(), _ENTRIES_COMPARED)
    return (
        isinstance(first, dict)
        and bool(first)
        and all(isinstance(each, dict) and each.keys() == first.keys() for each in others)
    )


def is_for_machines(key: str, value: Any) -> bool:
    """Whether a member of an object says only what message, block or reply the object is."""
    if plain_key(key) not in _MACHINE_KEYS:
        return False
    if isinstance(value, str):
        return len(value) <= _LONGEST_WORD and plain_key(value) in _MACHINE_WORDS
    return value is None or value == 1  # the version of LangChain's serialization


def _find_twin(items: list[Any], before: Sequence[tuple[str, list[Any]]]) -> str:
    """The key of an equal list that stands before it, empty where there is none."""
    if len(items) < _LEAST_EQUAL:
        return ""
    return next((key for key, other in before if other == items), "")


def _describe_list(name: str, items: list[Any], level: int) -> Iterator[Piece]:
    count = format_count(len(items), "item")
    if len(items) > 1 and _is_message(items[0]) and (text := _message_text(items[-1])):
        last = LastMessage(text)
        last.messages = items
        yield label_last(len(items)), last
    elif len(items) > 1 and _is_message(items[-1]) and items[-1]["content"]:
        label = label_last(len(items))
        for place, (inner, value) in enumerate(_describe("", items[-1]["content"], level + 1)):
            yield (inner if place else ": ".join(filter(None, [label, inner]))), value
    elif all(map(_is_short, items[:_JOINED])):
        if len(items) >= SERIES_FROM and not any(isinstance(each, str) for each in items[:_JOINED]):
            yield name, f"[{len(items):,} numbers]"
            return
        shown = ", ".join(map(format_plain, items[:_JOINED]))
        yield name, f"{count}: {shown}" if len(items) >= _COUNTED_FROM else shown
    else:
        if len(items) > 1:
            yield name, count
        yield from _count_flags(items)
        for item in items:
            yield from _describe(name, item, level + 1)


def _count_flags(records: Sequence[Any]) -> Iterator[Piece]:
    """How many of the records of a list have a flag, for flags that differ between them."""
    if len(records) < _COUNTED_FROM:
        return
    flags: dict[str, Counter[bool]] = {}
    for record in records[:_RECORDS_COUNTED]:
        for key, value in record.items() if isinstance(record, dict) else ():
            if value is True or value is False:
                flags.setdefault(str(key), Counter())[value] += 1
    of = f" of the first {_RECORDS_COUNTED}" if len(records) > _RECORDS_COUNTED else ""
    differing = [(key, found) for key, found in flags.items() if len(found) > 1]
    for key, found in differing[:_FLAGS_SHOWN]:
        yield key, f"{found[True]} true, {found[False]} false{of}"


def label_last(messages: int) -> str:
    return f"{messages:,} messages, the last"


def split_last(label: str) -> tuple[str, str]:
    """What `label_last` put before a key, which may be empty, and the key."""
    found = _LAST.match(label)
    end = found.end() if found else 0
    return label[:end], label[end:]


def _is_short(item: Any) -> bool:
    if isinstance(item, str):
        return len(item) <= _SHORT_ITEM
    return not isinstance(item, (dict, list))


def _is_message(value: Any) -> bool:
    """Whether it is a message of a chat and nothing more."""
    if not (
        isinstance(value, dict) and "content" in value and ("role" in value or "type" in value)
    ):
        return False
    return all(key == "content" or plain_key(key) in _MESSAGE_FACTS for key in value)


def _message_text(value: Any) -> str:
    """The text and calls of a message; empty where it is none or holds something else."""
    if not _is_message(value):
        return ""
    return " ".join(filter(None, map(_text_of, read_message_list([value]))))


def _text_of(message: RecordedMessage) -> str:
    calls = [f"calls {call.name or 'a tool'}({_join(call.arguments)})" for call in message.calls]
    return "; ".join(filter(None, [message.text.strip(), *calls]))


def _join(arguments: Any) -> str:
    pieces = list(islice(describe_value(arguments), _ARGUMENTS_SHOWN + 1))
    shown = [f"{name}: {format_plain(value)}" for name, value in pieces[:_ARGUMENTS_SHOWN]]
    return "; ".join([*shown, "…"] if len(pieces) > _ARGUMENTS_SHOWN else shown)
