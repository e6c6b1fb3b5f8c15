"""What a span was given and what it returned, on one line each."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from app.analysis.error_origins import error_message
from app.analysis.recorded.body import Body, is_cut
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.computed_once import computed_once
from app.analysis.recorded.finish_reason import FinishReason
from app.analysis.recorded.leaves import walk_leaves
from app.analysis.recorded.recorded_span import RecordedSpan
from app.analysis.recorded.request_messages import RecordedMessage, read_message_list
from app.analysis.recorded.spellings import key_set, plain_key
from app.analysis.text.encoded_content import (
    LEAST_ENCODED,
    find_encoded,
    has_short_words,
    shorten_encoded,
)
from app.analysis.text.one_line import cut_line, format_count, one_line
from app.analysis.text.value_pieces import (
    LastMessage,
    MessageText,
    describe_value,
    format_plain,
    label_last,
    split_last,
)

LONGEST = 280  # characters of a preview: the most that an outline or a header shows
# Characters of a long text that are enough where they do not shrink much as one line, and how many
# have to be words for it: an encoded piece, which is longer, takes its prefix away with it.
_PLAIN_SHOWN = LONGEST + 80
_PLAIN_READ = _PLAIN_SHOWN + LONGEST
_LONGEST_ESCAPE = 4  # characters for one that is written as `\\x..`
_COMPARED = 200  # characters of what is shown; the texts themselves are compared as well
EMPTY_TEXT = '""'
_PIECES_SHOWN = 8  # fields of an object, beyond which each gets a few words only
_PIECES_OF_LABEL = 2  # on average: then they are mostly those of records in a list
_COUNTED_MESSAGES = 3  # of a request: instructions and a question are the usual two
_CUT = "request cut by Opik"
_CUT_BEFORE = f"{_CUT}; last user text before the cut"
_CALLS_SHOWN = 4  # calls of one reply; more are mostly alike
_LEAST_OF_PIECE = 12  # characters: less of a field says nothing
_SHORT_PIECE = 20  # characters: a number, a date, a name
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.,Z+-]{0,20}$", re.ASCII)
_NUMBER = re.compile("[0-9]")
_MINUTES_END = len("2026-01-31T12:59")
_LONGEST_NAME = 60  # characters without a blank: longer ones are data
_LEAST_END = 5  # characters of a cut name: with fewer the end says nothing either
_KEY_SHOWN = 30
_LABELS_KEPT = 2_048  # bodies of one function have the same keys
# Keys that say nothing where they are the only one (SDKs wrap plain results in them).
_WRAPPERS = key_set("input output result content text message value return_value")
_MEDIA_SHOWN = 3
_LEAVES_SEARCHED = 200  # of a reply, for attachments
_END_SHOWN = 60  # characters: some ten words show whether a sentence is whole
TASK_END = 240  # characters: a task's last sentences say what is allowed and wanted
_LEAST_CUT = 100  # characters of a cut reply: shorter ones are mostly shown to their end
_USER_MESSAGE = re.compile(
    r'"role": ?"user", ?"content": ?"((?:[^"\\]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*+)"'
)
_ODD_ENDS = frozenset(
    [FinishReason.LENGTH, FinishReason.FILTERED, FinishReason.MALFORMED_CALL, FinishReason.ERROR]
)


class Preview:
    """Pieces of foreign text, cleaned and each on one line; the labels before them are short.

    `failed` says that they report a failure. `texts` is a number that previews of other texts do
    not share, even where what is shown is equal; `value` is what has more than the pieces.
    `messages` are all of those of which the last is shown, as recorded or as read. `is_cut` says
    that only the beginning was read.
    """

    def __init__(
        self,
        pieces: Sequence[tuple[str, str]] = (),
        *,
        failed: bool = False,
        texts: int = 0,
        value: Any = None,
        messages: Sequence[Any] = (),
        is_cut: bool = False,
    ) -> None:
        self.pieces = pieces
        self.failed = failed
        self.texts = texts
        self.value = value
        self.messages = messages
        self.is_cut = is_cut
        self._labelled = [(f"{label}: " if label else "", text) for label, text in pieces]
        self.whole = "; ".join([label + text for label, text in self._labelled])
        labels = {label for label, _ in pieces}
        self._are_records = _PIECES_OF_LABEL * len(labels) <= len(pieces)

    def text(self, limit: int = LONGEST) -> str:
        """The pieces on one line; where they do not fit the longest are cut first, and where
        little fits the short ones, which differ most often, come first."""
        if len(self.whole) <= limit:
            return self.whole
        taken = len(self.whole) - sum(self._lengths)
        share = _fair_share(self._lengths, limit - taken)
        longest = max(share, _LEAST_OF_PIECE)
        line = ""
        by_length = share < _SHORT_PIECE and not (
            self._are_records or self.failed
        )  # of records the order says which
        pieces = self._short_first if by_length else self._labelled
        for place, (label, text) in enumerate(pieces, 1):
            line = f"{line}; {label}" if line else label
            room = limit - len(line) - (place < len(pieces))  # one for the sign that there is more
            line += _cut_piece(text, min(longest, room) if room >= _LEAST_END else longest)
            if len(line) >= limit - 1 and place < len(pieces):
                return cut_line(f"{line.removesuffix('…')}…", limit=limit)
        return cut_line(line, limit=limit)

    @computed_once
    def key(self) -> tuple[str, int, str]:
        """What equal previews have in common, letter case aside: the texts, and the labels where
        there are several, since one text is often handed on under another name."""
        text = " ".join([text for _, text in self.pieces])[:_COMPARED].casefold()
        labels = "; ".join([label for label, _ in self.pieces]) if len(self.pieces) > 1 else ""
        return text, self.texts, split_last(labels)[1]

    def equals(self, other: "Preview") -> bool:
        """Whether the same was recorded of both, as far as it was read."""
        try:
            return self.shows_same(other) and self._read_messages == other._read_messages
        except RecursionError:
            return False

    def shows_same(self, other: "Preview") -> bool:
        """Whether the values are equal of which the pieces are, as far as they were read: of
        messages the last ones."""
        if self.key != other.key or self.is_cut != other.is_cut:
            return False
        try:
            return bool(self.value == other.value)
        except RecursionError:
            return False

    @computed_once
    def _read_messages(self) -> tuple[RecordedMessage, ...]:
        held = self.messages
        return held if isinstance(held, tuple) else tuple(read_message_list(list(held)))

    @computed_once
    def _lengths(self) -> list[int]:
        return sorted([len(text) for _, text in self.pieces])

    @computed_once
    def _short_first(self) -> list[tuple[str, str]]:
        return sorted(self._labelled, key=lambda piece: len(piece[1]) > _SHORT_PIECE)


def _cut_piece(text: str, most: int) -> str:
    """A text in about so many characters: a time to the minute, of a name with a number
    its end, in which names that begin alike differ."""
    if len(text) <= most:
        return text
    if _TIME.match(text):
        return text[:_MINUTES_END]
    if len(text) <= _LONGEST_NAME and " " not in text and _NUMBER.search(text):
        tail = most * 2 // 3
        return f"{text[: most - 1 - tail]}…{text[-tail:]}"
    return f"{text[: most - 1].rstrip()}…"


def preview_input(view: RecordedSpan) -> Preview:
    """What a span was given: the last message of a model call's request, else the fields."""
    if not (view.is_model_call and view.request.messages):
        return preview_body(view.input)
    messages = view.request.messages
    text = messages[-1].text or view.request.last_instruction
    if is_cut(text) and text.startswith("{"):
        found = _find_user_message(text)
        label = _CUT_BEFORE if found else _CUT
        return _preview_pieces([(label, found or text)], value=text, is_cut=True)
    pieces = _body_pieces(Body(text))
    if len(messages) >= _COUNTED_MESSAGES and messages[-1].text:
        first = next(pieces, ("", ""))
        label = ": ".join(filter(None, [label_last(len(messages)), first[0]]))
        pieces = chain([(label, first[1])], pieces)
    shown_messages = messages if len(messages) > 1 else ()
    return _preview_pieces(pieces, body=Body(text), messages=shown_messages)


def find_instructions(view: RecordedSpan) -> str:
    """The system prompt of a model call that stands before the message that its input shows."""
    messages = view.request.messages[:-1] if view.is_model_call else ()
    return next((each.text for each in messages if each.role == "system"), "")


def preview_text(text: str) -> Preview:
    """The beginning of a text."""
    return _preview_pieces([("", text)])


def _find_user_message(request: str) -> str:
    """The last whole message of a user in the beginning of a request as JSON; may be empty."""
    found = _USER_MESSAGE.findall(request)
    return str(json.loads(f'"{found[-1]}"', strict=False)) if found else ""


def preview_output(view: RecordedSpan) -> Preview:
    """What a span returned, or how it failed: calls, text and end of a reply, else the fields."""
    if view.error is not None:
        message = view.error.message or error_message(view.error)
        return _preview_pieces([("", message)], failed=True)
    if view.failure:
        beside = () if view.is_model_call else _pieces_beside(view.failure, view.output)
        return _preview_pieces(chain([("", view.failure)], beside), failed=True)
    if view.is_model_call and not view.reply.is_blank:
        return _preview_pieces([*_describe_reply(view), *_describe_media(view)])
    shown = preview_body(view.output)
    if not shown.pieces and view.output.state is BodyState.EMPTY:
        return Preview((("", "(empty)"),))
    return shown


def _pieces_beside(failure: str, output: Body) -> Iterator[tuple[str, Any]]:
    """The fields of an output that are no part of the failure that it reports."""
    begin = failure[:_COMPARED]
    for label, value in _body_pieces(output):
        text = format_plain(value)
        named = f"{label}: {text}" in failure or not text
        if not (named or (isinstance(value, str) and (text in failure or begin in value))):
            yield label, value


def preview_body(body: Body) -> Preview:
    """Some fields of a body with their innermost keys; nothing of null and `{}`."""
    return _preview_pieces(_body_pieces(body), body=body, is_cut=body.is_cut)


def _body_pieces(body: Body) -> Iterator[tuple[str, Any]]:
    value = body.opened
    if value is None or value == {}:
        return iter(())
    if isinstance(value, str):
        return iter([("", value)])
    pieces = describe_value(value)
    first = list(islice(pieces, 2))
    if len(first) == 1 and plain_key(first[0][0]) in _WRAPPERS:
        first = [("", first[0][1])]
    return chain(first, pieces)


def format_preview(value: Any, *, limit: int = 240) -> str:
    """The beginning of a recorded input or output on one line."""
    return preview_body(Body(value)).text(limit)


def format_preview_with_end(value: Any, *, end: int = _END_SHOWN) -> str:
    """The beginning of a value and, where that is cut, how long its longest text is and its last
    `end` characters: a reader sees whether it was recorded whole."""
    shown = format_preview(value)
    if not shown.endswith("…"):
        return shown
    pieces = islice(describe_value(Body(value).opened), _PIECES_SHOWN)
    texts = ((label, text) for label, text in pieces if isinstance(text, str))
    label, longest = max(texts, key=lambda piece: len(piece[1]), default=("", ""))
    last = _format_end(longest, end)
    if last in shown:
        return shown
    name = f"{_shorten_label(label)}: " if label else ""
    return f"{shown} ({name}{_label_end(longest)}: …{last})"


def _format_end(text: str, characters: int = _END_SHOWN) -> str:
    return one_line(text[-characters:], limit=2 * characters)


def _label_end(text: str) -> str:
    return f"{len(text):,} characters, {'read until' if is_cut(text) else 'ends with'}"


def _describe_reply(view: RecordedSpan) -> Iterator[tuple[str, str]]:
    reply = view.reply
    if reply.finish in _ODD_ENDS:
        cut = reply.finish is FinishReason.LENGTH
        limit = view.request.token_limit if cut else None
        yield (
            "ended by",
            f"{reply.finish_word} (limit {limit:,.0f} tokens)" if limit else reply.finish_word,
        )
    for call in reply.calls[:_CALLS_SHOWN]:
        arguments = preview_body(Body(call.arguments)).text() if call.arguments else ""
        yield "", f"calls {one_line(call.name or 'a tool without a name')}({arguments})"
    if len(reply.calls) > _CALLS_SHOWN:
        yield "", f"{len(reply.calls) - _CALLS_SHOWN} more calls"
    if reply.refusal:
        yield "refuses", reply.refusal
    elif reply.text.strip():
        yield "", reply.text
        if reply.finish is FinishReason.LENGTH and len(reply.text) > _LEAST_CUT:
            yield _label_end(reply.text), f"…{_format_end(reply.text)}"
    if reply.failure:
        yield "failed", reply.failure


def _describe_media(view: RecordedSpan) -> Iterator[tuple[str, str]]:
    """Kind and size of what a reply holds beside text; its number where that is not recorded."""
    if not view.reply.media:
        return
    leaves = (leaf.value for leaf in walk_leaves(view.output.opened, most=_LEAVES_SEARCHED))
    labels = (find_encoded(value) for value in leaves if isinstance(value, str))
    found = list(islice(filter(None, labels), _MEDIA_SHOWN))
    yield "", " ".join(found) or f"[{format_count(view.reply.media, 'attachment')}]"


def _preview_pieces(
    pieces: Iterable[tuple[str, Any]],
    *,
    failed: bool = False,
    body: Body | None = None,
    value: Any = None,
    messages: Sequence[Any] = (),
    is_cut: bool = False,
) -> Preview:
    """The first pieces, cleaned; a label that repeats the one before it is left out, and a last
    piece says that there are more. `body` is what they are all or a part of."""
    shown: list[tuple[str, str]] = []
    length, last, texts, plain = 0, "", int(is_cut), None
    for label, plain in pieces:
        if len(shown) >= _PIECES_SHOWN:
            shown.append(("", "…"))
            break
        is_text = isinstance(plain, str)
        clean = _clean_text(plain) if is_text else format_plain(plain)
        if not clean and not label:
            continue
        clean = clean or EMPTY_TEXT  # beside other values it is one itself
        if is_text:
            texts = hash((texts, plain))
            if isinstance(plain, LastMessage):
                messages = messages or plain.messages
        name = _shorten_label(label) if label else ""
        shown.append(("" if name == last else name, clean))
        length, last = length + len(clean), name
        if length > 2 * LONGEST:
            break
    is_message = len(shown) == 1 and isinstance(plain, MessageText)
    if body is not None and not is_message and body.opened_survey.items > _PIECES_SHOWN:
        value = body.opened
    return Preview(shown, failed=failed, texts=texts, value=value, messages=messages, is_cut=is_cut)


@lru_cache(_LABELS_KEPT)
def _shorten_label(label: str) -> str:
    if label == _CUT_BEFORE:
        return label
    before, key = split_last(label)
    return before + one_line(key, limit=_KEY_SHOWN)


def _clean_text(text: str) -> str:
    """The beginning of a text on one line, with encoded content replaced by its kind and size."""
    length = len(text)
    if length < LEAST_ENCODED or (length <= 2 * LONGEST and has_short_words(text, length)):
        return one_line(text, limit=LONGEST)
    if length > _PLAIN_READ and has_short_words(text, _PLAIN_READ):
        # Nothing encoded can begin so early that it is shown.
        line = one_line(text[:_PLAIN_SHOWN], limit=_LONGEST_ESCAPE * _PLAIN_SHOWN)
        if len(line) > LONGEST:
            return cut_line(line, limit=LONGEST)
    return one_line(shorten_encoded(text, limit=2 * LONGEST), limit=LONGEST)


def _fair_share(lengths: Sequence[int], room: int) -> int:
    """The most that one of these lengths, shortest first, may keep so that all fit: short ones
    stay whole."""
    left, count = room, len(lengths)
    for length in lengths:
        share = left // count
        if length > share:
            return share
        left -= length
        count -= 1
    return lengths[-1] if lengths else 0
