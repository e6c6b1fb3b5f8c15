"""Notes what each reply of a turn costs, for the limit of a workspace's tokens in a day."""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from app.agent.budget import guess_usage
from app.agent.ports import Model, Say
from app.errors import DatabaseUnavailable, ModelFailed
from app.messages import Message, Reply, ToolSpec

log = structlog.get_logger(__name__)


class MeteredModel:
    """An `agent.ports.Model` whose replies are charged.

    Charged is what the provider reports, else a guess from the characters: also for a reply that
    was stopped or broke off, else stopping each answer shortly before its end would cost nothing.
    Only a request that was refused before a word was said is free.
    """

    def __init__(self, model: Model, charge: Callable[[int], Awaitable[None]]) -> None:
        """`charge` takes the tokens of all replies so far, and completes when cancelled."""
        self._model = model
        self._charge = charge
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
                await self._count(messages, reply or Reply("".join(pieces)))
        return reply

    async def _count(self, messages: Sequence[Message], reply: Reply) -> None:
        usage = reply.usage or guess_usage(messages, reply)
        self._tokens += usage.total_tokens
        try:
            await self._charge(self._tokens)
        except DatabaseUnavailable as error:
            # The next reply's charge is the sum of all; an answer is worth more than its count.
            log.warning("tokens_not_charged", code=error.code)
