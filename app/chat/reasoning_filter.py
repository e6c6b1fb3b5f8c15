"""Takes a model's reasoning out of the text of a reply, in whatever pieces it comes.

A push parser: any split of a reply gives the same text. Reasoning stands between tags such as
`<think>` and `</think>`, or in the channels of the Harmony format, of which only `final` is for
the user. Tags in code, in a quotation or between quotation marks are text. Tokens that end a reply
in a model's format are taken off its end, and tags around the answer that follows reasoning.

Some models write only the closing tag. Then the text before it, which was shown, is withdrawn.
"""

import re
from collections.abc import Callable, Set
from enum import Enum, auto

from app.chat.markdown_place import MarkdownPlace
from app.chat.reasoning_tags import (
    ANSWER_TAGS,
    BEGUN_TAGS,
    BIDI_CONTROLS,
    CLOSING_TAGS,
    END_TOKENS,
    HARMONY_TOKENS,
    LONGEST_TAG,
    STRIKES,
    TAG,
    TAG_STARTS,
    ends_reasoning,
    ends_reply,
    is_first_word,
    is_quoted,
)

_CLOSING: Set[str] = frozenset(CLOSING_TAGS.values())
_HARMONY_ENDS = frozenset(["<|end|>", "<|return|>", "<|call|>"])
_HEADER_CHARACTERS = 200
"""A Harmony header holds a role, a channel, a recipient and a format; a longer one is text."""

_NO_REASONING = frozenset(["", "…", "...", "..", "etc."])
"""What stands between two tags in a sentence about them."""

_RECIPIENT = re.compile(r"\bto=([\w.:/-]{1,100})")
_CHANNEL = re.compile(r"(?:<\|channel\|>|\A)\s*(?:assistant)?(analysis|commentary|final)\b")
_BARE_STARTS = ("analysis", "commentary", "final", "assistant")
"""A reply begins so where the server drops Harmony's tokens, or only the first ones."""

_BARE_NAME = (
    r"(?:assistant)?(?:analysis|commentary|final)(?: to=[^<{\n]{0,100})?"
    r"(?:<\|constrain\|>\w{0,20})?"
)
_BARE_HEADER = re.compile(_BARE_NAME + r"<\|message\|>")
_BARE_HEADER_BEGUN = re.compile(_BARE_NAME)
_AFTER_BARE_NAME = ("<|message|>", "<|constrain|>", " to=")
_BARE_ANALYSIS = re.compile(r"(?:assistant)?analysis(?=[A-Z])")
_BARE_END = re.compile(r"assistant(?=commentary to=|final)(?:final)?")
_BARE_END_CHARACTERS = len("assistantcommentary to=")


class _State(Enum):
    BEGINNING = auto()
    TEXT = auto()
    REASONING = auto()
    HEADER = auto()
    HIDDEN = auto()
    CALL = auto()
    BARE_ANALYSIS = auto()
    ANSWER_OPENED = auto()
    ENDED = auto()


class ReasoningFilter:
    """Takes a reply's text, gives what of it is for the user.

    `found` says that there was reasoning, `lacks_opening` that a closing tag came alone. `calls`
    are the calls in Harmony's channels, as recipients and arguments.
    """

    def __init__(self, on_withdrawn: Callable[[], None], *, starts_inside: bool = False) -> None:
        """`on_withdrawn` is called where the text returned so far turns out to be reasoning;
        `starts_inside` is for models that never write the opening tag."""
        self._on_withdrawn = on_withdrawn
        self._state = _State.REASONING if starts_inside else _State.BEGINNING
        self._starts_inside = starts_inside
        self._closings = _CLOSING
        self._answer_closing = ""
        self._held = ""
        self._shown: list[str] = []
        self._hidden: list[str] = []
        self._place = MarkdownPlace()
        self._unread: list[str] = []
        self._last = ""
        self._has_returned = False
        self._has_text = False
        self._is_inline = False
        self._trims = False
        self._in_channels = False
        self._has_struck_text = False
        self._recipient = ""
        self.found = False
        self.lacks_opening = False
        self.calls: list[tuple[str, str]] = []

    def feed(self, text: str) -> str:
        """What of the text so far can be shown now."""
        if not text.isascii():
            text = BIDI_CONTROLS.sub("", text)
        if self._state is _State.TEXT and not (
            self._held or self._trims or "<" in text or "[" in text or "◁" in text
        ):
            # The way of nearly every piece
            if text:
                self._unread.append(text)
                self._last = text[-1]
                if not self._has_text:
                    self._has_text = not text.isspace()
                    self._has_returned = True
            return text
        self._read(self._held + text, is_end=False)
        return self._take_shown()

    def end(self) -> str:
        """What was held back, at the end of the reply; reasoning that is open ends as well."""
        self._read(self._held, is_end=True)
        if self._state is _State.REASONING and (self._is_inline or self._starts_inside):
            # A tag that is only mentioned, or a model that does not reason this time
            self._trims = self._starts_inside
            self._show_hidden()
        elif self._state in {_State.HEADER, _State.BARE_ANALYSIS}:
            self._show_hidden()
        elif self._state is _State.CALL:
            self._end_call()
        elif self._state in {_State.REASONING, _State.HIDDEN}:
            self.found = True
        self._hidden = []
        return self._take_shown()

    def _take_shown(self) -> str:
        shown, self._shown = "".join(self._shown), []
        self._has_returned = self._has_returned or bool(shown)
        return shown

    def _read(self, text: str, *, is_end: bool) -> None:
        """Reads as far as it is certain what the text is, and holds the rest."""
        self._held = ""
        at = 0
        if self._state is _State.BEGINNING:
            at = self._read_beginning(text, is_end=is_end)
            if self._held:
                return
        if self._state is _State.BARE_ANALYSIS:
            text, at = self._read_bare_analysis(text[at:]), 0
        while (tag := TAG.search(text, at)) is not None:
            if tag.end() == len(text) and not is_end:
                break  # the next character says whether the tag is quoted
            self._add(text[at : tag.start()])
            before = text[tag.start() - 1 : tag.start()] or self._last
            self._take_tag(tag[0], before, text[tag.end() : tag.end() + 1])
            at = tag.end()
        end = len(text) if is_end else _find_certain_end(text, at)
        self._add(text[at:end])
        self._held = text[end:]
        self._last = text[end - 1 : end] or self._last

    def _read_beginning(self, text: str, *, is_end: bool) -> int:
        """Looks for Harmony without its first token, which only the first words show."""
        start = text.lstrip()
        begins = start.startswith(_BARE_STARTS)
        may_begin = not start or any(each.startswith(start) for each in _BARE_STARTS)
        if begins and (header := _BARE_HEADER.match(start)):
            self._state, self._in_channels = _State.TEXT, True
            self._hidden = [header[0].removesuffix("<|message|>")]
            self._end_header()
            return len(text) - len(start) + header.end()
        if begins and (analysis := _BARE_ANALYSIS.match(start)):
            self._state = _State.BARE_ANALYSIS
            self._hidden = [analysis[0]]
            return len(text) - len(start) + analysis.end()
        undecided = may_begin or (begins and _is_begun_header(start))
        if undecided and not is_end:
            self._held = text
            return 0
        self._state = _State.TEXT
        return 0

    def _read_bare_analysis(self, text: str) -> str:
        """Reads up to the words that end it, which may come in many pieces; returns the rest."""
        begun = "".join(self._hidden[-_BARE_END_CHARACTERS:])[-_BARE_END_CHARACTERS:]
        found = _BARE_END.search(begun + text)
        if found is None:
            self._hidden.append(text)
            return ""
        self._hidden = []
        self.found = True
        self._state, self._trims = _State.TEXT, True
        return (begun + text)[found.end() :]

    def _take_tag(self, tag: str, before: str, after: str) -> None:
        name = tag.lower()
        if self._state is _State.TEXT:
            self._take_tag_in_text(tag, before, after)
        elif self._state is _State.REASONING:
            if name in self._closings and not is_quoted(before, after):
                self._end_reasoning(tag)
            else:
                self._add(tag)
        elif self._state is _State.ENDED and (self._ends_reply(name) or name in _HARMONY_ENDS):
            self._hidden.append(tag)
        elif self._state in {_State.ENDED, _State.ANSWER_OPENED}:
            self._show_hidden()
            self._take_tag_in_text(tag, before, after)
        elif name in HARMONY_TOKENS:
            self._take_token(name)
        else:
            self._add(tag)

    def _take_tag_in_text(self, tag: str, before: str, after: str) -> None:
        name = tag.lower()
        self._sync_place()
        if is_quoted(before, after) or not (self._place.is_free or self._place.closes_fence):
            self._add(tag)
        elif self._ends_reply(name):
            self._take_end(tag, before)
        elif not self._place.is_free or name == STRIKES:
            self._has_struck_text = self._has_struck_text or name == STRIKES
            self._add(tag)
        elif name in HARMONY_TOKENS:
            self._take_token(name)
        elif name in CLOSING_TAGS:
            self._is_inline = bool(self._place.line_end)
            self._state, self._closings = _State.REASONING, {CLOSING_TAGS[name]}
            self._hidden = [tag]
        elif name in ANSWER_TAGS and not self._has_text and (self.found or name[1] == "|"):
            self._state, self._hidden = _State.ANSWER_OPENED, [tag]
        elif name in _CLOSING and ends_reasoning(self._place.line_end, before, after):
            self._withdraw()
            self.found = self.lacks_opening = True
        else:
            self._add(tag)

    def _ends_reply(self, name: str) -> bool:
        return name in END_TOKENS or name == self._answer_closing

    def _take_end(self, tag: str, before: str) -> None:
        """Holds a token back that ends the reply, unless more text follows."""
        is_struck = self._has_struck_text and tag.lower() == "</s>"
        is_mentioned = self._place.is_introduced or not ends_reply(self._place.line_end, before)
        if (is_struck or is_mentioned) and tag.lower() != self._answer_closing:
            self._add(tag)
            return
        self._state, self._hidden = _State.ENDED, [tag]

    def _begin_answer(self, text: str) -> None:
        """Drops the tag that opens the answer, unless it is a part of the answer."""
        opening, *blanks = self._hidden
        answer = text.lstrip()
        blanks.append(text.removesuffix(answer))
        if is_first_word("".join(blanks), answer):
            self._show_hidden()
            return
        self._hidden = []
        self._state, self._trims = _State.TEXT, True
        self._answer_closing = ANSWER_TAGS[opening.lower()]

    def _show_hidden(self) -> None:
        """Shows what was held back, since it is text."""
        hidden, self._hidden = self._hidden, []
        self._state = _State.TEXT
        self._show("".join(hidden))

    def _take_token(self, name: str) -> None:
        """Moves between the parts of Harmony's messages."""
        if self._state is _State.HEADER:
            if name == "<|message|>":
                self._end_header()
            else:
                self._hidden.append(name)
            return
        if self._state is _State.CALL:
            self._end_call()
        elif self._state is _State.HIDDEN:
            self.found = True
        self._hidden = []
        if name in {"<|start|>", "<|channel|>"}:
            self._state, self._hidden = _State.HEADER, [name]
        elif name == "<|constrain|>":
            self._add(name)
        else:
            self._state = _State.TEXT
            self._trims = True

    def _end_header(self) -> None:
        header = "".join(self._hidden)
        self._hidden = []
        recipient = _RECIPIENT.search(header)
        channel = _CHANNEL.search(header)
        if recipient is not None:
            self._state, self._recipient = _State.CALL, recipient[1]
        elif channel is not None and channel[1] != "final":
            self._state = _State.HIDDEN
        else:
            if channel is not None and not self._in_channels and self._has_text:
                self._withdraw()
                self.found = True
            self._state, self._trims = _State.TEXT, not self._has_text
        self._in_channels = True

    def _end_call(self) -> None:
        self.calls.append((self._recipient, "".join(self._hidden).strip()))
        self._hidden = []

    def _end_reasoning(self, tag: str) -> None:
        if self._is_inline and "".join(self._hidden[1:]).strip() in _NO_REASONING:
            self._hidden.append(tag)
            self._show_hidden()
            return
        self.found = True
        self.lacks_opening = self.lacks_opening or (self._starts_inside and not self._has_text)
        self._hidden = []
        self._state = _State.TEXT
        self._trims = not self._has_text

    def _withdraw(self) -> None:
        """All text so far was reasoning."""
        self._shown, self._unread = [], []
        self._place = MarkdownPlace()
        self._has_text = False
        self._trims = True
        if self._has_returned:
            self._on_withdrawn()
            self._has_returned = False

    def _add(self, text: str) -> None:
        if not text:
            return
        if not text.isspace():
            if self._state is _State.ENDED:
                self._show_hidden()
            elif self._state is _State.ANSWER_OPENED:
                self._begin_answer(text)
        if self._state is not _State.TEXT:
            self._hidden.append(text)
            if self._state is _State.HEADER and sum(map(len, self._hidden)) > _HEADER_CHARACTERS:
                self._show_hidden()
            return
        self._show(text)

    def _show(self, text: str) -> None:
        if self._trims:
            text = text.lstrip()
            self._trims = not text
        if text:
            self._shown.append(text)
            self._unread.append(text)
            self._has_text = self._has_text or not text.isspace()

    def _sync_place(self) -> None:
        if self._unread:
            self._place.move_over("".join(self._unread))
            self._unread = []


def _find_certain_end(text: str, at: int) -> int:
    """Where the certain part of the text ends: what follows is a tag, or may become one."""
    for begun in TAG_STARTS.finditer(text, max(at, len(text) - LONGEST_TAG)):
        rest = text[begun.start() :].lower()
        if rest in BEGUN_TAGS or TAG.fullmatch(rest):
            return begun.start()
    return len(text)


def _is_begun_header(start: str) -> bool:
    """Whether the first words may still become a Harmony header that lacks its first token."""
    begun = _BARE_HEADER_BEGUN.match(start)
    if begun is None:
        rest = start.removeprefix("assistant")
        return any(each.startswith(rest) for each in _BARE_STARTS)
    rest = start[begun.end() :]
    return any(each.startswith(rest) for each in _AFTER_BARE_NAME)
