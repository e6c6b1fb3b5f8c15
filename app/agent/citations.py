"""Short names for spans, and the places in a text where the model cites them.

The model reads and writes aliases (`[s3]`); what is stored and shown holds span ids, in the token
`⟦span:<uuid>⟧`, so that a text keeps its meaning whatever happens to the aliases.
"""

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

_CITATION = re.compile(r"\[ ?s\d{1,6}(?:(?:, ?|; ?| and | )s\d{1,6}){0,9} ?\]")
_BEGUN = re.compile(r"\[[s\d,; and]*")
_HELD = 120
_ALIAS = re.compile(r"s(\d{1,6})")
_TOKEN = re.compile(r"⟦span:([0-9a-f-]{36})⟧")


class Aliases:
    """The short names that a conversation has given: `s1` for the first span named, and so on.

    An alias once given never changes its meaning. `take_new` hands over what has to be stored.
    Tools that work in threads may name spans at the same time.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        """`known` are the span ids named so far, in the order of their aliases."""
        self._ids = list(known)
        self._numbers = {span_id: number for number, span_id in enumerate(self._ids, 1)}
        self._stored = len(self._ids)
        self._lock = threading.Lock()

    def name(self, span_id: str) -> str:
        """The alias of a span, given now if it had none."""
        with self._lock:
            number = self._numbers.get(span_id)
            if number is None:
                self._ids.append(span_id)
                number = self._numbers[span_id] = len(self._ids)
        return f"s{number}"

    def span_id(self, alias: str) -> str | None:
        """The span of an alias; None for one that was never given."""
        found = _ALIAS.fullmatch(alias)
        number = int(found[1]) if found else 0
        return self._ids[number - 1] if 0 < number <= len(self._ids) else None

    def take_new(self) -> tuple[str, ...]:
        """The span ids named since the last call, in the order of their aliases."""
        with self._lock:
            new = tuple(self._ids[self._stored :])
            self._stored = len(self._ids)
        return new

    def to_ids(self, text: str) -> str:
        """A whole text of the model with its citations as tokens; unknown aliases are dropped."""
        return _CITATION.sub(self._tokens, text)

    def to_aliases(self, text: str) -> str:
        """A stored text as the model wrote it."""
        return _TOKEN.sub(lambda found: f"[{self.name(found[1])}]", text)

    def _tokens(self, found: re.Match[str]) -> str:
        ids = [self.span_id(alias[0]) for alias in _ALIAS.finditer(found[0])]
        return ", ".join(f"⟦span:{span_id}⟧" for span_id in ids if span_id)


@dataclass(slots=True)
class CitationStream:
    """Turns citations into tokens in a text that comes in pieces.

    Only what may still become a citation is held back, so any split gives the same text.
    """

    aliases: Aliases
    _held: str = field(default="", init=False)

    def feed(self, text: str) -> str:
        """What can be shown of the text so far."""
        text = self._held + text
        start = text.rfind("[", max(0, len(text) - _HELD))
        if start >= 0 and _BEGUN.fullmatch(text, start):
            self._held = text[start:]
            text = text[:start]
        else:
            self._held = ""
        return self.aliases.to_ids(text)

    def end(self) -> str:
        """The rest; the stream can be used for the next text."""
        rest, self._held = self._held, ""
        return rest


def cited(text: str, label: Callable[[str], str | None]) -> Mapping[str, str]:
    """The names of the spans that a text with tokens cites; spans without a label are left out."""
    labels = {span_id: label(span_id) for span_id in _TOKEN.findall(text)}
    return {span_id: name for span_id, name in labels.items() if name is not None}
