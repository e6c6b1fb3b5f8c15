"""One call of the model: its text is shown as it arrives, and what the call used is recorded."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import anyio

from app.agent.context import measure_usage
from app.agent.ports import Model, Sink
from app.agent.tool_calls import ToolCallRunner
from app.errors import ModelFailed
from app.events import ModelCalled, ReplyCompleted
from app.messages import Message, Reply, TokenUsage, ToolSpec


class ModelCaller:
    """Calls the model and reports each reply to the sink as one bubble."""

    def __init__(self, model: Model, runner: ToolCallRunner, sink: Sink) -> None:
        self._model = model
        self._runner = runner
        self._sink = sink

    async def call(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSpec], seconds: float
    ) -> Reply | None:
        """Requests one reply; None when it took longer than `seconds`.

        However the call ends, it is recorded and the text so far is emitted as a closed bubble.
        """
        bubble = str(uuid4())
        started_at = datetime.now(UTC)
        pieces: list[str] = []
        has_withdrawn = False
        reply: Reply | None = None
        error: Exception | None = None

        def on_text(text: str) -> None:
            pieces.append(text)
            self._sink.add_text(bubble, text)

        def on_withdrawn() -> None:
            nonlocal has_withdrawn
            has_withdrawn = True
            pieces.clear()
            self._sink.withdraw_text(bubble)

        try:
            with anyio.move_on_after(seconds):
                reply = await self._model.reply(
                    messages, tools=tools, on_text=on_text, on_withdrawn=on_withdrawn
                )
        except Exception as failure:
            error = failure
            raise
        finally:
            reported = error.usage if isinstance(error, ModelFailed) else None
            received = reply or Reply("".join(pieces), usage=reported, complete=False)
            # A provider does not charge for a request that it refused.
            refused = isinstance(error, ModelFailed) and not (reported or pieces or has_withdrawn)
            usage = TokenUsage() if refused else measure_usage(messages, received)
            ended_at = datetime.now(UTC)
            self._sink.record_model_call(
                ModelCalled(started_at, ended_at, messages, tools, reply, error, usage)
            )
            limited = self._runner.limit_calls(received)
            if reply or pieces or has_withdrawn:
                with anyio.CancelScope(shield=True):
                    await self._sink.emit(self._build_event(bubble, limited, tools))
        return reply and limited

    def _build_event(self, bubble: str, reply: Reply, tools: Sequence[ToolSpec]) -> ReplyCompleted:
        """The bubble of a reply; its calls only where they will be run."""
        will_run = bool(tools) and reply.complete and reply.finish != "content_filter"
        return ReplyCompleted(
            bubble=bubble,
            text=reply.text,
            calls=self._runner.build_records(reply.calls) if will_run else (),
            complete=reply.complete,
            model=reply.model,
            provider=reply.provider,
            usage=reply.usage,
        )
