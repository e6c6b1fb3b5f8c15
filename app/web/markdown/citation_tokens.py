"""Citations in flowing text, `⟦span:<uuid>⟧` and `⟦trace:<uuid>⟧`, found whatever pieces the text
comes in."""

import re
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

CITED = "\udfff"
"""Stands for a citation once it is found: half a character, which no text can be sent with."""

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TOKEN = re.compile(rf"⟦(span|trace):({_UUID})⟧|{CITED}")
_TOKEN_BEGUN = re.compile(
    r"⟦(?:s|sp|spa|span|t|tr|tra|trac|trace|(?:span|trace):[0-9a-f-]{0,36})?\Z"
)
_TOKEN_LENGTH = 44


class Cited(NamedTuple):
    """What a citation is about; `kind` is span or trace."""

    kind: str
    id: str
    name: str


class Citations:
    """Takes the citations out of a text and hands them out in order."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """`names` are names by id; a citation of anything else vanishes."""
        self._names = names
        self._held = ""
        self._found: deque[Cited] = deque()

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

    def take(self) -> Cited:
        """What the next CITED stands for."""
        return self._found.popleft()

    def _cite(self, found: re.Match[str]) -> str:
        if found[2] is None:
            return "\ufffd"
        name = self._names.get(found[2])
        if name is None:
            return ""
        self._found.append(Cited(found[1], found[2], name))
        return CITED
