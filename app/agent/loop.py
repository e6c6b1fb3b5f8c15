"""One turn: ask the model, run the tools it calls, ask again, until it answers.

The loop does not know who listens: it tells the sink what happens. Whatever ends a reply, its text
so far is emitted as a closed bubble first, so that nothing said is ever lost.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import anyio

from app.agent.context import Context, TurnBudget, measure_usage
from app.agent.ports import Model, Sink
from app.agent.prompt import LAST_ANSWER, Fence
from app.agent.tool_calls import ToolCallRunner
from app.agent.toolbox import Toolbox
from app.errors import LimitReached, ModelFailed
from app.events import ModelCalled, ReplyCompleted, ToolCallRecord
from app.messages import Assistant, Message, Reply, TokenUsage, ToolSpec, User


async def run_turn(
    messages: Sequence[Message],
    *,
    model: Model,
    toolbox: Toolbox,
    fence: Fence,
    budget: TurnBudget,
    sink: Sink,
) -> None:
    """Answers the last user message; raises Unavailable, with words, where there is no answer."""
    desk = ToolCallRunner(toolbox, budget, sink)
    context = Context(messages, budget.limits, sink)
    for _ in range(budget.limits.steps):
        if budget.is_spent(sink.usage):
            break
        reply = await _ask(
            context, model=model, tools=toolbox.specs, desk=desk, seconds=budget.seconds_left
        )
        if reply is None:
            break
        _check(reply)
        if not reply.calls:
            return
        answers = await desk.answer(reply.calls)
        context.add(Assistant(reply.text, reply.calls), *(fence.answer(each) for each in answers))
    reply = await _ask(
        context,
        last=(User(LAST_ANSWER),),
        model=model,
        tools=(),
        desk=desk,
        seconds=budget.limits.last_answer_seconds,
    )
    if reply is None or not reply.text.strip():
        raise LimitReached(
            "The assistant used up what one question may cost before it had an answer. "
            "Ask about a smaller part, such as one span."
        )
    _check(reply)


async def _ask(
    context: Context,
    *,
    model: Model,
    tools: Sequence[ToolSpec],
    desk: ToolCallRunner,
    seconds: float,
    last: Sequence[Message] = (),
) -> Reply | None:
    """One reply to the context and `last`; a refusal for length shrinks the context, once."""
    await context.fit()
    speak = partial(_speak, model=model, tools=tools, desk=desk, seconds=seconds)
    try:
        return await speak([*context.said, *last])
    except ModelFailed as failure:
        if failure.reason != "context_too_long" or not await context.fit_after_refusal():
            raise
    return await speak([*context.said, *last])


async def _speak(
    messages: Sequence[Message],
    *,
    model: Model,
    tools: Sequence[ToolSpec],
    desk: ToolCallRunner,
    seconds: float,
) -> Reply | None:
    """One reply in one bubble, closed in any case. None when it took longer than `seconds`.

    Calls in the reply to a request that offered no tools are left out.
    """
    bubble = str(uuid4())
    started_at = datetime.now(UTC)
    pieces: list[str] = []
    reply: Reply | None = None
    error: Exception | None = None

    def say(text: str) -> None:
        pieces.append(text)
        desk.sink.add_text(bubble, text)

    try:
        with anyio.move_on_after(seconds):
            reply = await model.reply(messages, tools=tools, say=say)
    except Exception as failure:
        error = failure
        raise
    finally:
        whole = reply or Reply("".join(pieces), complete=False)
        refused = isinstance(error, ModelFailed) and not pieces
        usage = TokenUsage() if refused else measure_usage(messages, whole)
        ended_at = datetime.now(UTC)
        desk.sink.record_model_call(
            ModelCalled(started_at, ended_at, messages, tools, reply, error, usage)
        )
        spoken = desk.bounded(whole)
        calls = desk.records(spoken.calls) if tools and spoken.complete else ()
        if reply or pieces:
            with anyio.CancelScope(shield=True):
                await desk.sink.emit(_closed(bubble, spoken, calls))
    return reply and spoken


def _closed(bubble: str, reply: Reply, calls: tuple[ToolCallRecord, ...]) -> ReplyCompleted:
    return ReplyCompleted(
        bubble=bubble,
        text=reply.text,
        calls=calls,
        complete=reply.complete,
        model=reply.model,
        provider=reply.provider,
        usage=reply.usage,
    )


def _check(reply: Reply) -> None:
    """Raises ModelFailed for a reply that is not a whole one."""
    if not reply.complete:
        raise ModelFailed(
            "The model's answer broke off before its end. Ask again, or ask it to go on.",
            reason="cut",
        )
    if reply.finish == "content_filter":
        raise ModelFailed(
            "The provider's content filter ended the answer. Ask in other words.",
            reason="content_filter",
        )
    if reply.finish == "length" and not reply.calls:
        raise ModelFailed(
            "The answer reached the limit of tokens for one reply. Ask it to go on, or raise "
            "AGENT_MAX_COMPLETION_TOKENS.",
            reason="length",
        )
