"""Deltas that repeat the text so far.

DashScope's each repeat all of it where nobody asks for `incremental_output`. Ordinary pieces can
look so for a while: "5" and "50" make 550. So text is held from the second delta that begins with
all before it, and is taken as repeated once a third one does the same and what they share is too
varied for chance. RAGFlow's last delta is the whole answer again: such a piece is held, and is
dropped where nothing follows it. Nothing that was shown is taken back.
"""

from collections.abc import Sequence

_LONG_PIECE = 20
"""Characters: a shorter piece is not looked at once deltas are known to be pieces."""
_FIRST_PIECES = 8
"""Compared before all of them are: these show of nearly every piece that it repeats nothing."""

_SURE_CHARACTERS = 6
"""Different ones, of the text that is repeated."""
_MOST_HELD = 10


class RepeatedText:
    """Reads the deltas' texts: those of at least `shortest` characters, others need not be read."""

    def __init__(self) -> None:
        self.shortest = 0
        self._text = ""
        self._first = ""
        self._held: list[str] = []
        self._is_certain = False
        self._is_known_to_add = False
        self._whole_again = ""

    def read(self, text: str, pieces: Sequence[str]) -> str:
        """What is new in a delta's text; `pieces` are those before it."""
        if self._is_known_to_add:
            return self._hold_whole(text, pieces)
        known, self._text = self._text, text
        if self._is_certain:
            return self._read_repeated(text, known)
        if not known:
            self._first = text
            return text
        self._held.append(text)
        if len(text) == len(known) or not text.startswith(known) or len(self._held) > _MOST_HELD:
            return self.stop()
        is_loop = known.startswith(self._first, len(self._first))  # "Again. Again. "
        if len(self._held) > 1 and len(set(known)) >= _SURE_CHARACTERS and not is_loop:
            self._is_certain = True
            self._held = []
            return text[len(self._first) :]
        return ""

    def stop(self) -> str:
        """The text that is held as pieces; nothing of the whole answer again."""
        self._is_known_to_add = True
        self._whole_again, self.shortest = "", _LONG_PIECE
        held, self._held = self._held, []
        return "".join(held)

    def _hold_whole(self, text: str, pieces: Sequence[str]) -> str:
        """Holds a text that is all of the pieces, until another one comes."""
        if self._whole_again:
            text, self._whole_again, self.shortest = self._whole_again + text, "", _LONG_PIECE
        elif pieces and text.lstrip().startswith(pieces[0].strip()) and _repeats(text, pieces):
            self._whole_again, self.shortest = text, 0
            return ""
        return text

    def _read_repeated(self, text: str, known: str) -> str:
        if text.startswith(known):
            return text[len(known) :]
        if known.startswith(text):
            self._text = known
            return ""
        self._text = known + text
        return text


def _repeats(text: str, pieces: Sequence[str]) -> bool:
    """Whether a text is that of several pieces together, but for blanks around it."""
    text = text.strip()
    is_varied = len(pieces) > 1 and len(set(text)) >= _SURE_CHARACTERS
    begins_alike = text.startswith("".join(pieces[:_FIRST_PIECES]).strip())
    return is_varied and begins_alike and text == "".join(pieces).strip()
