"""Citations as values, and the tokens that stand for them in a stored text.

A stored text cites a span as `⟦span:<uuid>⟧` and another trace as `⟦trace:<uuid>⟧`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.ids import UUID_PATTERN

TOKEN = re.compile(rf"⟦(span|trace):({UUID_PATTERN})⟧")
TOKEN_BEGUN = re.compile(
    r"⟦(?:s|sp|spa|span|t|tr|tra|trac|trace|(?:span|trace):[0-9a-f-]{0,36})?\Z"
)
"""The end of a text that may still become a token."""


FindName = Callable[[str, str], str | None]
"""Finds the name of what is cited, by the citation's kind and id."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A place in a text that cites a span or another trace.

    `kind` is `span` or `trace`; `name` is what a person reads, None where nothing of this id is
    known: such a citation is shown as nothing.
    """

    kind: str
    id: str
    name: str | None = None

    @property
    def token(self) -> str:
        return f"⟦{self.kind}:{self.id}⟧"


def split_citations(text: str, find_name: FindName) -> Iterator[str | Citation]:
    """The parts of a text with tokens, without empty texts."""
    end = 0
    for token in TOKEN.finditer(text):
        if token.start() > end:
            yield text[end : token.start()]
        yield Citation(token[1], token[2], find_name(token[1], token[2]))
        end = token.end()
    if end < len(text):
        yield text[end:]
