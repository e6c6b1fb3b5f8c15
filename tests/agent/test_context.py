"""What is left out of a long conversation, in which order, and what never is."""

import pytest

from app.agent.context import TurnBudget, count_characters, shrink_messages
from app.agent.loop import run_turn
from app.agent.prompt import DataFence
from app.agent.toolbox import Toolbox
from app.errors import ModelFailed
from app.events import ContextShrunk
from app.messages import Assistant, Message, Reply, System, ToolCall, ToolResult, User
from testkit.limits import turn_limits
from testkit.scripted_model import ListSink, ScriptedModel

TOO_LONG = ModelFailed("Too long.", reason="context_too_long")
HEAD: list[Message] = [System("rules"), User("outline " * 10)]


def call(number: int) -> ToolCall:
    return ToolCall(f"c{number}", "look", "{}")


def turn(number: int) -> list[Message]:
    return [User(f"question {number} " * 100), Assistant(f"answer {number} " * 100)]


def step(number: int, *, size: int = 2_000) -> list[Message]:
    return [Assistant("", (call(number),)), ToolResult(call(number), str(number) * size)]


def test_what_fits_stays_as_it_is() -> None:
    messages = [*HEAD, *turn(1), User("Why?")]
    shrunk = shrink_messages(messages, 10_000)
    assert (shrunk.messages, shrunk.results, shrunk.turns) == (messages, 0, 0)


def test_old_tool_results_go_first_and_only_as_many_as_needed() -> None:
    messages = [*HEAD, *turn(1), User("Why?"), *step(1), *step(2), *step(3)]
    shrunk = shrink_messages(messages, count_characters(messages) - 1_500)
    texts = [each.text for each in shrunk.messages if isinstance(each, ToolResult)]
    assert "left out here" in texts[0]
    assert texts[1:] == ["2" * 2_000, "3" * 2_000]
    assert (shrunk.results, shrunk.turns) == (1, 0)
    assert shrunk.messages[2:4] == turn(1)


def test_then_old_turns_shrink_to_a_line_each_from_the_oldest() -> None:
    messages = [*HEAD, *turn(1), *turn(2), User("Why?"), *step(1)]
    shrunk = shrink_messages(messages, count_characters(messages) - 1_500)
    question, answer = shrunk.messages[2:4]
    assert question.text.startswith("question 1 question 1")
    assert isinstance(answer, Assistant)
    assert all(len(each.text) < 200 for each in (question, answer))
    assert shrunk.messages[4:6] == turn(2)
    assert (shrunk.results, shrunk.turns) == (0, 1)


def test_very_many_turns_are_dropped_with_a_note() -> None:
    earlier = [message for number in range(200) for message in turn(number)]
    shrunk = shrink_messages([*HEAD, *earlier, User("Why?")], 5_000)
    assert count_characters(shrunk.messages) <= 5_000
    assert "earlier questions and their answers are left out" in shrunk.messages[2].text
    assert "question 199" in shrunk.messages[-3].text
    assert shrunk.turns == 200


def test_question_outline_and_newest_result_stay_whatever_the_limit() -> None:
    both = [Assistant("", (call(1), call(2))), ToolResult(call(1), "1" * 999)]
    messages = [*HEAD, *turn(1), User("Why?"), *both, ToolResult(call(2), "2" * 999)]
    shrunk = shrink_messages(messages, 0).messages
    assert shrunk[:2] == HEAD
    assert User("Why?") in shrunk
    assert shrunk[-1] == messages[-1]
    assert "left out" in shrunk[-2].text


def test_every_call_keeps_its_result() -> None:
    messages = [*HEAD, *turn(1), *step(9), Assistant("So."), User("Why?"), *step(1), *step(2)]
    for characters in range(0, count_characters(messages), 250):
        shrunk = shrink_messages(messages, characters).messages
        asked = [c.id for each in shrunk if isinstance(each, Assistant) for c in each.calls]
        assert asked == [each.call.id for each in shrunk if isinstance(each, ToolResult)]


async def run(model: ScriptedModel, sink: ListSink, *messages: Message, **limits: int) -> None:
    await run_turn(
        messages,
        model=model,
        toolbox=Toolbox([], None, seconds=1, characters=1_000),
        fence=DataFence("a1b2c3d4e5f60718"),
        budget=TurnBudget(turn_limits(**limits)),
        sink=sink,
    )


def shrunk_in(sink: ListSink) -> list[tuple[str, int]]:
    return [(e.reason, e.turns) for e in sink.events if isinstance(e, ContextShrunk)]


async def test_a_refusal_for_length_is_answered_once_with_half() -> None:
    model, sink = ScriptedModel([TOO_LONG, Reply("Done.")]), ListSink()
    messages = [*HEAD, *turn(1), *turn(2), User("Why?")]
    await run(model, sink, *messages)
    first, second = (request[0] for request in model.requests)
    assert count_characters(second) <= count_characters(first) // 2
    assert shrunk_in(sink) == [("refused", 2)]


async def test_a_second_refusal_for_length_ends_the_turn_with_a_message() -> None:
    model, sink = ScriptedModel([TOO_LONG]), ListSink()
    with pytest.raises(ModelFailed, match="Too long"):
        await run(model, sink, *HEAD, *turn(1), User("Why?"))
    assert len(model.requests) == 2


async def test_nothing_is_asked_again_where_nothing_can_be_left_out() -> None:
    model, sink = ScriptedModel([TOO_LONG]), ListSink()
    with pytest.raises(ModelFailed):
        await run(model, sink, *HEAD, User("Why?"))
    assert len(model.requests) == 1
    assert sink.events == []


async def test_a_long_conversation_is_shrunk_before_it_is_refused() -> None:
    model, sink = ScriptedModel([Reply("Done.")]), ListSink()
    await run(model, sink, *HEAD, *turn(1), *turn(2), User("Why?"), context_characters=3_000)
    assert count_characters(model.requests[0][0]) <= 3_000
    assert shrunk_in(sink) == [("budget", 1)]
