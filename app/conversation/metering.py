"""Notes what each reply of a turn costs, for the limit of a workspace's tokens in a day."""

from collections.abc import Callable, Sequence

from app.agent.context import estimate_usage
from app.agent.ports import Model, Say
from app.errors import ModelFailed
from app.messages import Message, Reply, ToolSpec


class MeteredModel:
    """An `agent.ports.Model` whose replies are charged.

    Charged is what the provider reports, else a guess from the characters: also for a reply that
    was stopped or broke off, else stopping each answer shortly before its end would cost nothing.
    Only a request that was refused before a word was said is free.
    """

    def __init__(self, model: Model, spend: Callable[[int], None]) -> None:
        """`spend` takes the tokens of all replies so far, and stores them when it can."""
        self._model = model
        self._spend = spend
        self._tokens = 0

    async def reply(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSpec], say: Say
    ) -> Reply:
        """See `agent.ports.Model`."""
        pieces: list[str] = []

        def heard(text: str) -> None:
            pieces.append(text)
            say(text)

        reply: Reply | None = None
        refused = False
        try:
            reply = await self._model.reply(messages, tools=tools, say=heard)
        except ModelFailed:
            refused = not pieces
            raise
        finally:
            if not refused:
                self._count(messages, reply or Reply("".join(pieces)))
        return reply

    def _count(self, messages: Sequence[Message], reply: Reply) -> None:
        self._tokens += estimate_usage(messages, reply).total_tokens
        self._spend(self._tokens)
