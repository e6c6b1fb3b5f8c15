"""Short names for spans and for other traces, and the places in a text where the model cites them.

The model reads and writes aliases: `[s3]` for a span, `[t2]` for another trace. Stored texts hold
ids in tokens (see `app.citation_tokens`), so that a text keeps its meaning whatever happens to the
aliases.
"""

import re
import threading
from collections.abc import Callable, Iterable, Mapping

from app.citation_tokens import TOKEN, TOKEN_BEGUN, Citation, split_citations
from app.events import TraceAlias

_CITATION = re.compile(r"\[ ?[st]\d{1,6}(?:(?:, ?|; ?| and | )[st]\d{1,6}){0,9} ?\]")
_CITATION_BEGUN = re.compile(r"\[[st\d,; and]*")
_HELD_CHARACTERS = 120
"""What is held back at most: the longest citation, of ten aliases, has 119 characters."""

_ALIAS = re.compile(r"([st])(\d{1,6})")

FindLabel = Callable[[str], str | None]
"""Finds the name of an id as a person reads it; None where it has none."""


class _AliasTable:
    """Ids in the order of their numbers; a number never changes its meaning.

    Tools that work in threads may add ids at the same time.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._ids = list(known)
        self._numbers = {each: number for number, each in enumerate(self._ids, 1)}
        self._stored = len(self._ids)
        self._lock = threading.Lock()

    def assign_number(self, id: str) -> int:
        with self._lock:
            number = self._numbers.get(id)
            if number is None:
                self._ids.append(id)
                number = self._numbers[id] = len(self._ids)
        return number

    def find_number(self, id: str) -> int | None:
        return self._numbers.get(id)

    def find_id(self, number: int) -> str | None:
        return self._ids[number - 1] if 0 < number <= len(self._ids) else None

    def take_new(self) -> tuple[str, ...]:
        with self._lock:
            new = tuple(self._ids[self._stored :])
            self._stored = len(self._ids)
        return new


class Aliases:
    """The aliases of a conversation: `s1` for the first span that was shown, and so on; `t1` for
    the first other trace.

    An alias never changes its meaning. `take_new_spans` and `take_new_traces` return what has to be
    stored.
    """

    def __init__(self, known: Iterable[str] = (), *, traces: Iterable[TraceAlias] = ()) -> None:
        """`known` are the ids of spans, `traces` the traces, each in the order of their aliases."""
        self._spans = _AliasTable(known)
        self._labels = {each.id: each.label for each in traces}
        self._traces = _AliasTable(self._labels)

    def name_span(self, span_id: str) -> str:
        """The alias of a span, assigned now if it had none."""
        return f"s{self._spans.assign_number(span_id)}"

    def name_trace(self, trace_id: str, label: str) -> str:
        """The alias of a trace, assigned now if it had none; `label` is what a person reads."""
        self._labels.setdefault(trace_id, label)
        return f"t{self._traces.assign_number(trace_id)}"

    def span_id(self, alias: str) -> str | None:
        """The span of an alias; None for one that was never assigned."""
        return self._find_id(alias, "s")

    def trace_id(self, alias: str) -> str | None:
        """The trace of an alias; None for one that was never assigned."""
        return self._find_id(alias, "t")

    def trace_label(self, trace_id: str) -> str | None:
        """What a person reads for a trace that has an alias."""
        return self._labels.get(trace_id)

    def take_new_spans(self) -> tuple[str, ...]:
        """The ids of spans that got an alias since the last call, in the order of the aliases."""
        return self._spans.take_new()

    def take_new_traces(self) -> tuple[TraceAlias, ...]:
        """The traces that got an alias since the last call, in the order of the aliases."""
        new = self._traces.take_new()
        return tuple(TraceAlias(id=each, label=self._labels[each]) for each in new)

    def to_tokens(self, text: str) -> str:
        """A whole text of the model with its citations as tokens; unknown aliases are dropped."""
        return _CITATION.sub(self._write_tokens, text)

    def to_aliases(self, text: str) -> str:
        """A stored text as the model wrote it, without tokens of ids that have no alias: a model
        may have copied them from a trace, and nothing in a trace may name another one."""
        return TOKEN.sub(lambda token: self._write_alias(token[1], token[2]), text)

    def _find_id(self, alias: str, letter: str) -> str | None:
        found = _ALIAS.fullmatch(alias)
        if found is None or found[1] != letter:
            return None
        return (self._spans if letter == "s" else self._traces).find_id(int(found[2]))

    def _write_alias(self, kind: str, id: str) -> str:
        number = (self._spans if kind == "span" else self._traces).find_number(id)
        return "" if number is None else f"[{kind[0]}{number}]"

    def _write_tokens(self, found: re.Match[str]) -> str:
        tokens = []
        for alias in _ALIAS.finditer(found[0]):
            if span_id := self.span_id(alias[0]):
                tokens.append(Citation("span", span_id).token)
            elif trace_id := self.trace_id(alias[0]):
                tokens.append(Citation("trace", trace_id).token)
        return ", ".join(tokens)


class CitationStream:
    """Finds the citations in a reply's text that comes in pieces: aliases, and tokens that the
    model has copied.

    Only what may still become a citation is held back, so any split gives the same parts.
    """

    def __init__(self, aliases: Aliases, label: FindLabel) -> None:
        """`label` finds the names of spans."""
        self._aliases = aliases
        self._label = label
        self._held = ""

    def feed(self, text: str) -> tuple[str | Citation, ...]:
        """The parts that can be shown of the text so far."""
        if not self._held and "[" not in text and "⟦" not in text:
            return (text,) if text else ()
        text = self._held + text
        end = self._find_end(text)
        self._held = text[end:]
        return self._split_parts(text[:end])

    def end(self) -> tuple[str | Citation, ...]:
        """The rest; the stream can be used for the next text."""
        rest, self._held = self._held, ""
        return self._split_parts(rest)

    def _find_end(self, text: str) -> int:
        """Where the certain part of the text ends: what follows may become a citation."""
        end, earliest = len(text), max(0, len(text) - _HELD_CHARACTERS)
        alias = text.rfind("[", earliest)
        if alias >= 0 and _CITATION_BEGUN.fullmatch(text, alias):
            end = alias
        token = text.rfind("⟦", earliest, end)
        # Unknown aliases are dropped, also within a token.
        if token >= 0 and TOKEN_BEGUN.fullmatch(self._aliases.to_tokens(text[token:end])):
            end = token
        return end

    def _split_parts(self, text: str) -> tuple[str | Citation, ...]:
        return tuple(split_citations(self._aliases.to_tokens(text), self._find_name))

    def _find_name(self, kind: str, id: str) -> str | None:
        return self._label(id) if kind == "span" else self._aliases.trace_label(id)


def find_citation_labels(text: str, *, span: FindLabel, trace: FindLabel) -> Mapping[str, str]:
    """The names, by id, of what a text with tokens cites; what has no name is left out."""
    labels = {id: (span if kind == "span" else trace)(id) for kind, id in TOKEN.findall(text)}
    return {id: name for id, name in labels.items() if name is not None}
