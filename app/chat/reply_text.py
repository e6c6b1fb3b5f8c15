"""Reads the text of one reply as it comes: without reasoning, and with the calls written in it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from app.chat.call_marks import may_hold_mark
from app.chat.call_repair import repair_calls
from app.chat.reasoning_filter import ReasoningFilter
from app.chat.written_calls import WrittenCalls
from app.messages import Reply, ToolCall


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """What a reply is read for.

    `offered` are the names of the tools, `written` those that may be called by a mere text;
    `starts_inside` is True for a model whose replies begin inside of reasoning; `on_withdrawn` is
    called where the text that was shown so far turns out to be reasoning; `new_id` makes ids of
    calls.
    """

    offered: Collection[str]
    written: Collection[str]
    starts_inside: bool
    on_withdrawn: Callable[[], None]
    new_id: Callable[[], str]


class ReplyTextReader:
    """`feed` returns what can be shown, `reply` the reply with its calls, known after `end`."""

    def __init__(self, options: ReadingOptions) -> None:
        self._options = options
        self._reasoning = ReasoningFilter(self._restart, starts_inside=options.starts_inside)
        self._written = WrittenCalls(options.written)
        self._shown: list[str] = []
        self._passed = 0

    @property
    def lacks_opening(self) -> bool:
        """Whether the reply held reasoning of which only the end was marked."""
        return self._reasoning.lacks_opening

    def feed(self, piece: str) -> str:
        """The text that can be shown now: no reasoning, and nothing that may be a call."""
        shown = self._reasoning.feed(piece)
        if shown and (self._written.holds or "<" in shown or "[" in shown):
            shown = self._read_calls(shown)
        if shown:
            self._shown.append(shown)
        return shown

    def end(self) -> str:
        """The text that was held back."""
        shown = self._read_calls(self._reasoning.end()) + self._written.end()
        self._shown.append(shown)
        return shown

    def _read_calls(self, text: str) -> str:
        """What can be shown of a text that may hold calls; it goes into `_shown` next, if any."""
        if not (self._written.holds or may_hold_mark(text)):
            return text
        self._written.pass_over("".join(self._shown[self._passed :]))
        shown = self._written.read(text)
        self._passed = len(self._shown) + bool(shown)
        return shown

    def reply(self, raw: Reply) -> Reply:
        """The reply that `raw` is, after `end`."""
        calls = raw.calls or tuple(
            ToolCall(self._options.new_id(), name, arguments)
            for name, arguments in self._find_calls()
        )
        is_malformed = self._written.is_malformed and raw.finish != "length"
        return replace(
            raw,
            text="".join(self._shown),
            calls=repair_calls(calls, self._options.offered, self._options.new_id),
            finish="malformed_call" if is_malformed and not calls else raw.finish,
            reasoned=raw.reasoned or self._reasoning.found,
        )

    def _find_calls(self) -> list[tuple[str, str]]:
        """The names and arguments of the calls in the text."""
        return [*self._reasoning.calls, *self._written.calls]

    def _restart(self) -> None:
        self._written.restart()
        self._passed = 0
        if self._shown:
            self._shown = []
            self._options.on_withdrawn()
