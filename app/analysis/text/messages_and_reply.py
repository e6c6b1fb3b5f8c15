"""A model call in few characters: what the model read last, and what it answered."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from app.analysis.recorded.opened_json import explain_broken_json
from app.analysis.recorded.recorded_call import RecordedCall
from app.analysis.recorded.recorded_span import RecordedSpan
from app.analysis.recorded.refusal_text import says_refusal
from app.analysis.recorded.reply import RecordedReply
from app.analysis.recorded.request_messages import RecordedMessage
from app.analysis.text.one_line import format_count, list_first, one_line

_REPLY_SHARE = 2  # the reply takes at most this part (a half) of the room if there are messages
_NEWEST_SHARE = 3  # each message takes at most this part (a third) of what is left
_LEAST_MESSAGE = 100  # characters: less of a message says nothing
_LEAST_REPEATED = 50  # characters of a line: twice as many as the words that stand for it
_TOOLS_SHOWN = 24
_CALLS_SHOWN = 16
_LONGEST_CALL = 1_000  # characters of one call's arguments
_LEAST_ENDS = 40  # characters of a text that is cut; less of it says nothing
_END_SHARE = 3  # a third of a cut text is its end: how it stopped, while the rest says what it is


def format_messages_and_reply(view: RecordedSpan, limit: int) -> list[str]:
    """Messages of the request (the newest kept), then finish, calls, refusal and text of the reply,
    in at most `limit` characters."""
    request = view.request
    if not (view.is_model_call or request.messages or view.reply.calls or view.reply.finish):
        return ["[no model call; include_input=true and include_output=true show what it is]"]
    room = limit // _REPLY_SHARE if request.messages else limit
    reply = list(_format_reply(view.reply, room))
    lines = []
    if request.settings:
        settings = [f"{name} {_to_text(value)}" for name, value in request.settings.items()]
        lines.append(one_line(f"asked with: {', '.join(settings)}", limit=limit // 4))
    if request.tools:
        names = [one_line(name, limit=60) for name in sorted(request.tools)[:_TOOLS_SHOWN]]
        lines.append(f"tools offered: {list_first(names, len(request.tools))}"[: limit // 4])
    left = limit - sum(len(line) + 1 for line in [*lines, *reply])
    lines += _format_messages(request.messages, left)
    return [*lines, *reply]


def _format_messages(messages: Sequence[RecordedMessage], room: int) -> list[str]:
    """The messages in order: the first one's beginning, which tells the task, then as many of the
    newest as fit."""
    if not messages:
        return []
    lines = [f"{format_count(len(messages), 'message')}:"]
    room -= len(lines[0]) + 60
    first = []
    if len(messages) > 1:
        first = [_format_message(0, messages[0], min(300, room // 4))]
        room -= len(first[0]) + 1
    newest: list[str] = []
    for place in range(len(messages) - 1, len(first) - 1, -1):
        if newest and room < _LEAST_MESSAGE:
            left = f"[{place + 1 - len(first):,} earlier messages not shown]"
            break
        share = max(_LEAST_MESSAGE, room // _NEWEST_SHARE)
        newest.append(_format_message(place, messages[place], share))
        room -= len(newest[-1]) + 1
    else:
        left = ""
    shown = _name_repeated(messages, len(messages) - len(newest), list(reversed(newest)))
    return [*lines, *first, *([left] if left else []), *shown]


def _name_repeated(
    messages: Sequence[RecordedMessage], start: int, shown: Sequence[str]
) -> Iterator[str]:
    """The lines of the messages from `start` on; one that says what an earlier one shows as fully
    names its place."""
    seen: dict[tuple[Any, ...], int] = {}
    for place, line in enumerate(shown, start):
        message, (head, _, rest) = messages[place], line.partition(":")
        calls = tuple((call.name, _to_text(call.arguments)) for call in message.calls)
        first = seen.setdefault((message.role, message.text, calls, rest), place)
        repeats = first != place and len(line) >= _LEAST_REPEATED
        yield f"{head}: same as [{first}]" if repeats else line


def _format_message(place: int, message: RecordedMessage, room: int) -> str:
    head = f"[{place}] {one_line(message.role or 'unknown', limit=20)}"
    if len(message.text) > room:
        head += f" ({len(message.text):,} characters)"
    shown = message.calls[:_CALLS_SHOWN]
    share = room // (len(shown) + bool(message.text or not shown))
    calls = "".join(f" {_format_call(call, share)}" for call in shown)
    left = max(20, room - len(head) - len(calls) - 2)
    return f"{head}:{calls} {one_line(message.text, limit=left)}".rstrip()[: room + 40]


def _format_reply(reply: RecordedReply, room: int) -> Iterator[str]:
    word = f" ({one_line(reply.finish_word, limit=40)})" if reply.finish_word else ""
    parts = [f"finish: {reply.finish}{word}" if reply.finish else "no finish reason recorded"]
    if reply.media:
        parts.append(f"{format_count(reply.media, 'part')} of media")
    yield f"reply: {', '.join(parts)}"
    room -= 80
    shown = reply.calls[:_CALLS_SHOWN]
    for call in shown:
        yield _format_call(call, min(_LONGEST_CALL, room // (len(shown) + 1)))
        room -= min(_LONGEST_CALL, room // (len(shown) + 1))
    if len(reply.calls) > len(shown):
        yield f"and {format_count(len(reply.calls) - len(shown), 'more call')}"
    texts = [("refusal", reply.refusal), ("failure", reply.failure), ("text", reply.text)]
    if not reply.text and not reply.calls:
        texts.append(("reasoning", reply.reasoning))
        if not reply.refusal and not reply.failure:
            yield "[no text and no call; include_output=true shows what was recorded]"
    for name, text in texts:
        if text.strip() and (name != "text" or text != reply.refusal):
            size = f" ({len(text):,} characters)" if len(text) > room // 2 else ""
            note = " (reads as a refusal)" if name == "text" and says_refusal(text) else ""
            line = f"{name}{size}{note}: {_show_ends(text, max(40, room // 2))}"
            yield line
            room -= len(line) + 1


def _format_call(call: RecordedCall, room: int) -> str:
    """`calls search({"q": "x"})`; arguments that could not be parsed in quotes, with the reason,
    so that a cut made here is not taken for one made by the model."""
    arguments = "" if call.arguments is None else _to_text(call.arguments)
    name = one_line(call.name or "no name", limit=80)
    note = " [broken arguments]" if call.broken else ""
    if call.broken and isinstance(call.arguments, str):
        why = one_line(explain_broken_json(arguments), limit=120)
        note = f" [these {len(arguments):,} characters are not valid JSON: {why}]"
    shown = _show_ends(arguments, max(20, room - len(name) - len(note) - 8))
    return f"calls {name}(“{shown}”){note}" if call.broken else f"calls {name}({shown}){note}"


def _show_ends(text: str, limit: int) -> str:
    """The text on one line; of a longer one the beginning and the end, with what is left out."""
    if len(text) <= limit:
        return one_line(text, limit=limit)
    note = f" [… {len(text) - limit:,} characters not shown here …] "
    kept = max(limit - len(note), _LEAST_ENDS)
    end = kept // _END_SHARE
    return one_line(text[: kept - end], limit=kept) + note + one_line(text[-end:], limit=end)


def _to_text(arguments: Any) -> str:
    if isinstance(arguments, str):
        return arguments
    try:
        return json.dumps(arguments, ensure_ascii=False)
    except RecursionError:
        return "too deeply nested"
