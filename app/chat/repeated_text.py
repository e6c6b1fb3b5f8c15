"""Deltas that each repeat the whole text so far, as DashScope sends them where nobody asks for
`incremental_output`.

Ordinary pieces can look so for a while: "5" and "50" make 550. So text is held from the second
delta that begins with all before it, and is taken as repeated once a third one does the same and
what they share is too varied for chance. Nothing that was shown is taken back.
"""

_SURE_CHARACTERS = 6
"""Different ones, of the text that two deltas in turn begin with."""
_MOST_HELD = 10


class RepeatedText:
    """While it `watches`, `read` takes each delta's text and returns what of it is new."""

    def __init__(self) -> None:
        self.watches = True
        self._text = ""
        self._first = ""
        self._held: list[str] = []
        self._is_certain = False

    def read(self, text: str) -> str:
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
        """The text that is held, as pieces; the next one need not be read."""
        self.watches = False
        held, self._held = self._held, []
        return "".join(held)

    def _read_repeated(self, text: str, known: str) -> str:
        if text.startswith(known):
            return text[len(known) :]
        if known.startswith(text):
            self._text = known
            return ""
        self._text = known + text
        return text
