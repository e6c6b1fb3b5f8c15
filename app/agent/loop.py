"""One turn: ask the model, run the tools it calls, ask again, until it answers.

The loop does not know who listens: it tells the sink what happens. Whatever ends a reply, its text
so far is emitted as a closed bubble first, so that nothing said is ever lost.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import anyio

from app.agent.context import ModelContext, TurnBudget, measure_usage
from app.agent.ports import Model, Sink
from app.agent.prompt import LAST_ANSWER_PROMPT, DataFence
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
    fence: DataFence,
    budget: TurnBudget,
    sink: Sink,
) -> None:
    """Answers the last user message; raises Unavailable, with words, where there is no answer."""
    runner = ToolCallRunner(toolbox, budget, sink)
    context = ModelContext(messages, budget.limits, sink)
    for _ in range(budget.limits.steps):
        if budget.is_spent(sink.usage):
            break
        reply = await _request_reply(
            context, model=model, tools=toolbox.specs, runner=runner, seconds=budget.seconds_left
        )
        if reply is None:
            break
        _check_reply(reply)
        if not reply.calls:
            return
        answers = await runner.run_calls(reply.calls)
        context.add(
            Assistant(reply.text, reply.calls), *(fence.wrap_tool_result(each) for each in answers)
        )
    reply = await _request_reply(
        context,
        last=(User(LAST_ANSWER_PROMPT),),
        model=model,
        tools=(),
        runner=runner,
        seconds=budget.limits.last_answer_seconds,
    )
    if reply is None or not reply.text.strip():
        raise LimitReached(
            "The assistant used up what one question may cost before it had an answer. "
            "Ask about a smaller part, such as one span."
        )
    _check_reply(reply)


async def _request_reply(
    context: ModelContext,
    *,
    model: Model,
    tools: Sequence[ToolSpec],
    runner: ToolCallRunner,
    seconds: float,
    last: Sequence[Message] = (),
) -> Reply | None:
    """One reply to the context and `last`; a refusal for length shrinks the context, once."""
    await context.shrink_to_fit()
    speak = partial(_stream_reply, model=model, tools=tools, runner=runner, seconds=seconds)
    try:
        return await speak([*context.messages, *last])
    except ModelFailed as failure:
        if failure.reason != "context_too_long" or not await context.shrink_after_refusal():
            raise
    return await speak([*context.messages, *last])


async def _stream_reply(
    messages: Sequence[Message],
    *,
    model: Model,
    tools: Sequence[ToolSpec],
    runner: ToolCallRunner,
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
        runner.sink.add_text(bubble, text)

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
        runner.sink.record_model_call(
            ModelCalled(started_at, ended_at, messages, tools, reply, error, usage)
        )
        spoken = runner.limit_calls(whole)
        calls = runner.build_records(spoken.calls) if tools and spoken.complete else ()
        if reply or pieces:
            with anyio.CancelScope(shield=True):
                await runner.sink.emit(_build_reply_event(bubble, spoken, calls))
    return reply and spoken


def _build_reply_event(
    bubble: str, reply: Reply, calls: tuple[ToolCallRecord, ...]
) -> ReplyCompleted:
    return ReplyCompleted(
        bubble=bubble,
        text=reply.text,
        calls=calls,
        complete=reply.complete,
        model=reply.model,
        provider=reply.provider,
        usage=reply.usage,
    )


def _check_reply(reply: Reply) -> None:
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
