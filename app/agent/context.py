"""The messages of a request to the model, kept within its context window, and a turn's limits.

The event log keeps everything. Only the messages of a request shrink, the least useful first: old
tool results, then old turns, to one line each. A ContextShrunk event says what was left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import anyio

from app.agent.ports import Sink
from app.events import ContextShrunk
from app.messages import Assistant, Message, Reply, TokenUsage, ToolCall, ToolResult, User
from app.token_estimate import CHARACTERS_PER_TOKEN

_LONGEST_SHORT_RESULT = 160
"""Characters up to which a tool result is no longer than the line that would replace it."""


CALLS_PER_STEP = 16
"""Different tool calls that are run of one reply; a model that asks for more repeats itself."""
TURN_TOOL_CHARACTERS = 120_000
"""Of all tool results of a turn before the oldest shrink: fifteen of the default size."""
LAST_ANSWER_SECONDS = 60
"""What is kept of a turn for its last answer: most replies without tools are whole by then."""
_LAST_ANSWER_SHARE = 0.25
"""The same as a part of a short turn."""


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """The limits of one turn.

    `steps` are requests with tools, `calls_per_step` the tool calls run of one reply. `seconds`
    bound the whole turn. The last request, without tools, may come after `tokens` are used up.
    `tool_characters` bounds all tool results together, `context_characters` one request.
    """

    steps: int
    calls_per_step: int
    seconds: float
    tokens: int
    tool_characters: int
    context_characters: int


@dataclass(slots=True)
class TurnBudget:
    """The limits of one turn and its remaining time."""

    limits: TurnLimits
    started_at: float = field(default_factory=anyio.current_time)

    @property
    def deadline(self) -> float:
        """When the turn has to be over, by the clock of the event loop."""
        return self.started_at + self.limits.seconds

    @property
    def seconds_left(self) -> float:
        """Seconds for replies and tool calls; a part of the turn is kept for the last answer."""
        kept = min(LAST_ANSWER_SECONDS, self.limits.seconds * _LAST_ANSWER_SHARE)
        return max(0.0, self.deadline - kept - anyio.current_time())

    @property
    def last_seconds_left(self) -> float:
        """Seconds for the last answer, which is asked for when a limit is reached."""
        return max(0.0, min(LAST_ANSWER_SECONDS, self.deadline - anyio.current_time()))

    def is_spent(self, used: TokenUsage) -> bool:
        """Whether a turn that used these tokens has reached its limit of tokens or of time."""
        return used.total_tokens >= self.limits.tokens or self.seconds_left <= 0


def measure_usage(messages: Sequence[Message], reply: Reply) -> TokenUsage:
    """Tokens of a request and its reply: as reported, or estimated from their characters where
    the provider reported none or zeros."""
    if reply.usage is not None and reply.usage.total_tokens:
        return reply.usage
    return TokenUsage(
        count_characters(messages) // CHARACTERS_PER_TOKEN,
        count_characters([Assistant(reply.text, reply.calls)]) // CHARACTERS_PER_TOKEN,
        estimated=True,
    )


def shrink_tool_results(messages: Sequence[Message], characters: int) -> list[Message]:
    """Shortens the oldest tool results to a line, so that all of them fit into `characters`."""
    fitted = list(messages)
    left = characters
    for index, message in reversed(list(enumerate(messages))):
        if not isinstance(message, ToolResult) or len(message.text) <= _LONGEST_SHORT_RESULT:
            continue
        left -= len(message.text)
        if left < 0:
            fitted[index] = ToolResult(
                message.call, summarize_tool_result(message.call, message.text)
            )
    return fitted


def summarize_tool_result(call: ToolCall, text: str, outcome: str = "ok") -> str:
    """The line that replaces a tool result the model has already read."""
    size = f"{len(text):,} characters"
    return f"[{call.name[:64]}: {outcome}, {size}, left out here; call again to read it]"


def count_characters(messages: Sequence[Message]) -> int:
    """The characters of the messages, tool calls included."""
    return sum(_count_message(message) for message in messages)


def _count_message(message: Message) -> int:
    if isinstance(message, Assistant):
        return len(message.text) + sum(len(call.arguments) + 20 for call in message.calls)
    return len(message.text)


_LINE_CHARACTERS = 160
"""Enough for most questions and for the first sentence of an answer."""
_TURNS_LEFT_OUT = "[{} earlier questions and their answers are left out here.]"


class ModelContext:
    """The messages of one turn, shortened where a request would be too long."""

    def __init__(self, messages: Sequence[Message], limits: TurnLimits, sink: Sink) -> None:
        """`messages` end with the question; the trace's outline is their first user message."""
        self.messages = list(messages)
        self._max_characters = limits.context_characters
        self._tool_characters = limits.tool_characters
        self._sink = sink

    def add(self, *messages: Message) -> None:
        self.messages += messages

    async def shrink_to_fit(self) -> None:
        """Shortens the messages to the limit of one request."""
        fitted = shrink_tool_results(self.messages, self._tool_characters)
        shrunk = shrink_messages(fitted, self._max_characters)
        left_out = sum(a is not b for a, b in zip(self.messages, fitted, strict=True))
        await self._replace(shrunk, "budget", results=left_out + shrunk.results)

    async def shrink_after_refusal(self) -> bool:
        """Halves the messages as far as possible; False where nothing could be left out."""
        before = count_characters(self.messages)
        self._max_characters = min(self._max_characters, before // 2)
        shrunk = shrink_messages(self.messages, self._max_characters)
        await self._replace(shrunk, "refused", results=shrunk.results)
        return count_characters(self.messages) < before

    async def _replace(
        self, shrunk: "Shrunk", reason: Literal["budget", "refused"], *, results: int
    ) -> None:
        self.messages = shrunk.messages
        if results or shrunk.turns:
            size = count_characters(self.messages)
            await self._sink.emit(
                ContextShrunk(reason=reason, answers=results, turns=shrunk.turns, characters=size)
            )


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Messages, and how many tool results and earlier turns in them were shortened."""

    messages: list[Message]
    results: int = 0
    turns: int = 0


def shrink_messages(messages: Sequence[Message], characters: int) -> Shrunk:
    """Shortens the messages to at most `characters`, or as far as possible.

    Instructions, outline, question and the newest tool result stay whole.
    """
    if count_characters(messages) <= characters:
        return Shrunk(list(messages))
    users = [index for index, each in enumerate(messages) if isinstance(each, User)]
    first, question = users[0] + 1, users[-1]
    head, earlier, now = messages[:first], messages[first:question], messages[question:]
    results = [index for index, each in enumerate(now) if isinstance(each, ToolResult)]
    last_call = max((i for i, each in enumerate(now) if isinstance(each, Assistant)), default=0)
    old = [index for index in results if index < last_call]

    available_characters = characters - count_characters(head) - count_characters(earlier)
    now, shortened = _summarize_results(now, old, available_characters)
    earlier, turns = _summarize_turns(
        earlier, characters - count_characters(head) - count_characters(now)
    )
    available_characters = characters - count_characters(head) - count_characters(earlier)
    now, more = _summarize_results(
        now, [i for i in results[:-1] if i > last_call], available_characters
    )
    return Shrunk([*head, *earlier, *now], shortened + more, turns)


def _summarize_results(
    messages: Sequence[Message], results: Sequence[int], characters: int
) -> tuple[list[Message], int]:
    """Shortens as many of these results to a line as `characters` requires; and their number."""
    kept, count = list(messages), 0
    excess = count_characters(messages) - characters
    for index in results:
        result = kept[index]
        if excess <= 0 or not isinstance(result, ToolResult):
            break
        line = summarize_tool_result(result.call, result.text)
        if len(line) < len(result.text):
            kept[index] = ToolResult(result.call, line)
            excess -= len(result.text) - len(line)
            count += 1
    return kept, count


def _summarize_turns(messages: Sequence[Message], characters: int) -> tuple[list[Message], int]:
    """Shortens as many of the oldest turns as `characters` requires; and their number.

    If one line a turn is still too much, the oldest are replaced by a note.
    """
    excess = count_characters(messages) - characters
    if excess <= 0 or not messages:
        return list(messages), 0
    starts = [index for index, each in enumerate(messages) if isinstance(each, User)]
    ends = [*starts[1:], len(messages)]
    turns = [messages[a:b] for a, b in zip(starts, ends, strict=True)]
    lines: list[list[Message]] = []
    for turn in turns:
        if excess <= 0:
            break
        lines.append(_summarize_turn(turn))
        excess -= count_characters(turn) - count_characters(lines[-1])
    rest = [message for turn in turns[len(lines) :] for message in turn]
    dropped = 0
    if excess > 0:
        excess += len(_TURNS_LEFT_OUT) + len(str(len(turns)))
    while excess > 0 and dropped < len(lines):
        excess -= count_characters(lines[dropped])
        dropped += 1
    note = [User(_TURNS_LEFT_OUT.format(dropped))] if dropped else []
    return [*note, *(each for line in lines[dropped:] for each in line), *rest], len(lines)


def _summarize_turn(turn: Sequence[Message]) -> list[Message]:
    """A question and its last reply, each cut to a line."""
    replies = [each.text for each in turn if isinstance(each, Assistant) and each.text.strip()]
    question = next(each.text for each in turn if isinstance(each, User))
    answer = [Assistant(_cut_to_line(replies[-1]))] if replies else []
    return [User(_cut_to_line(question)), *answer]


def _cut_to_line(text: str) -> str:
    beginning = text[: 10 * _LINE_CHARACTERS]
    line = " ".join(beginning.split())
    if len(beginning) == len(text) and len(line) <= _LINE_CHARACTERS:
        return line
    return f"{line[:_LINE_CHARACTERS]} [the rest is left out here]"
