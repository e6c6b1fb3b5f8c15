"""Finds the calls that a model writes into the text of a reply, while the text is shown.

A text that begins with a call and is nothing else, or the same behind a sentence that announces it:
there only in a model's own tags or control tokens, at the beginning of a line or directly behind
the sentence, outside of code and quotations, and with nothing behind it to the end of the reply.
"""

from collections.abc import Collection

from app.chat.call_marks import begins_call, find_mark, may_follow
from app.chat.call_text import CallTextReader
from app.chat.markdown_place import MarkdownPlace

_MOST_TRIES = 20
"""Marks of one reply that are tried: a text with more of them is about calls."""


class WrittenCalls:
    """`read` takes the text of which a part may be a call and returns what can be shown of it.

    Where `holds` is False, a piece that can hold no mark need not be read: `pass_over` tells of it
    before the next one that is.
    """

    def __init__(self, offered: Collection[str]) -> None:
        self._offered = offered
        self._text = CallTextReader(offered)
        self._place = MarkdownPlace()
        self._tries = 0
        self.holds = self._text.holds

    @property
    def calls(self) -> list[tuple[str, str]]:
        return self._text.calls

    @property
    def is_malformed(self) -> bool:
        """Whether the reply was meant to be a call that cannot be read."""
        return self._text.is_malformed

    def pass_over(self, text: str) -> None:
        """Moves over text that was shown without being read."""
        self._place.move_over(text)

    def read(self, text: str) -> str:
        """What can be shown of this text and of what was held."""
        shown = self._read(self._text.feed(text))
        self.holds = self._text.holds
        return shown

    def _read(self, text: str) -> str:
        at = 0
        while not self._text.holds and self._tries < _MOST_TRIES:
            start = find_mark(text, at) if self._offered else -1
            if start < 0:
                break
            self._place.move_over(text[at:start])
            at = start
            place = self._place
            if place.is_free and may_follow(text[at : at + 2], place.line_end, place.before):
                self._text.begin_announced()
                self._text.feed(text[at:])
                if self._text.holds:
                    return text[:at]
                self._tries += begins_call(text[at:])
            self._place.move_over(text[at])
            at += 1
        self._place.move_over(text[at:])
        return text

    def end(self) -> str:
        """The text that was held and is no call."""
        return self._text.end()

    def restart(self) -> None:
        """Forgets the text so far, which was not the reply's."""
        self._text.restart()
        self._place = MarkdownPlace()
        self._tries = 0
        self.holds = self._text.holds
