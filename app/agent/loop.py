"""One turn: ask the model, run the tools it calls, ask again, until it answers.

The loop reports what happens to a sink and does not know who reads it.
"""

from collections.abc import Sequence

from app.agent.context import ModelContext, TurnBudget
from app.agent.model_call import ModelCaller
from app.agent.ports import Model, Sink
from app.agent.prompt import LAST_ANSWER_PROMPT, DataFence
from app.agent.tool_calls import ToolCallRunner
from app.agent.toolbox import Toolbox
from app.errors import LimitReached, ModelFailed
from app.messages import Assistant, Message, Reply, ToolSpec, User


async def run_turn(
    messages: Sequence[Message],
    *,
    model: Model,
    toolbox: Toolbox,
    fence: DataFence,
    budget: TurnBudget,
    sink: Sink,
) -> None:
    """Answers the last user message.

    Raises Unavailable, with a message for the user, where there is no answer.
    """
    limits = budget.limits
    context = ModelContext(messages, limits, sink)
    runner = ToolCallRunner(toolbox, budget, sink)
    caller = ModelCaller(model, runner, sink)
    for _ in range(limits.steps):
        if budget.is_spent(sink.usage):
            break
        reply = await _request_reply(
            caller, context, tools=toolbox.specs, seconds=budget.seconds_left
        )
        if reply is None:
            break
        _check_complete(reply)
        if not reply.calls:
            return
        results = await runner.run_calls(reply.calls)
        context.add(Assistant(reply.text, reply.calls))
        context.add(*(fence.wrap_tool_result(each) for each in results))

    # A limit is reached: one more request, without tools, for the best answer from what is known.
    reply = await _request_reply(
        caller,
        context,
        tools=(),
        seconds=budget.last_seconds_left,
        last=(User(LAST_ANSWER_PROMPT),),
    )
    if reply is not None:
        _check_complete(reply)
    if reply is None or not reply.text.strip():
        raise LimitReached(
            "The question reached the limit for one answer before there was one. "
            "Ask about a smaller part, such as one span."
        )


async def _request_reply(
    caller: ModelCaller,
    context: ModelContext,
    *,
    tools: Sequence[ToolSpec],
    seconds: float,
    last: Sequence[Message] = (),
) -> Reply | None:
    """Requests a reply to the context and `last`; None when it took longer than `seconds`.

    If the provider refuses the request as too long, the context is shrunk and sent once more.
    """
    await context.shrink_to_fit()
    try:
        return await caller.call([*context.messages, *last], tools=tools, seconds=seconds)
    except ModelFailed as failure:
        if failure.reason != "context_too_long" or not await context.shrink_after_refusal():
            raise
    return await caller.call([*context.messages, *last], tools=tools, seconds=seconds)


def _check_complete(reply: Reply) -> None:
    """Raises ModelFailed for a reply that ended too early."""
    if not reply.complete:
        raise ModelFailed(
            "The model's answer broke off before its end. Ask again, or ask it to continue.",
            reason="cut",
        )
    if reply.finish == "content_filter":
        raise ModelFailed(
            "The provider's content filter ended the answer. Rephrase the question.",
            reason="content_filter",
        )
    if reply.finish == "length" and not reply.calls:
        raise ModelFailed(
            "The answer reached the maximum length of one reply. Ask the assistant to continue, or "
            "ask for a shorter answer.",
            reason="length",
            setting="AGENT_MAX_COMPLETION_TOKENS",
        )
