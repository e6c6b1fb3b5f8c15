"""Citations in flowing text, `⟦span:<uuid>⟧`, found whatever pieces the text comes in."""

import re
from collections import deque
from collections.abc import Mapping

CITED = "\udfff"
"""Stands for a citation once it is found: half a character, which no text can be sent with."""

_TOKEN = re.compile(rf"⟦span:([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})⟧|{CITED}")
_TOKEN_BEGUN = re.compile(r"⟦(?:s|sp|spa|span|span:[0-9a-f-]{0,36})?\Z")
_TOKEN_LENGTH = 43


class CitedSpans:
    """Takes the citations out of a text and hands them out in order."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """`names` are the names of spans by id; a citation of any other span vanishes."""
        self._names = names
        self._held = ""
        self._found: deque[tuple[str, str]] = deque()

    def feed(self, text: str) -> str:
        """What has come of the text, with CITED for each citation; begun ones are held back."""
        text = self._held + text
        begun = _TOKEN_BEGUN.search(text, max(0, len(text) - _TOKEN_LENGTH))
        self._held = text[begun.start() :] if begun else ""
        return _TOKEN.sub(self._cite, text[: begun.start()] if begun else text)

    def end(self) -> str:
        """What was held back, which is no citation."""
        rest, self._held = self._held, ""
        return rest

    def take(self) -> tuple[str, str]:
        """Id and name of the span that the next CITED stands for."""
        return self._found.popleft()

    def _cite(self, found: re.Match[str]) -> str:
        if found[1] is None:
            return "\ufffd"
        name = self._names.get(found[1])
        if name is None:
            return ""
        self._found.append((found[1], name))
        return CITED
