"""Prompts that grow from turn to turn: by the same text each time, or by what is new."""

from collections.abc import Sequence

from evals.small_cases.builder import CaseList, Json, SpanPlan, model, says, span, tool

GROWTH = CaseList("prompt_growth")

_TURNS = 8
_TOKENS = 700  # of one timetable


def _write_timetable(number: int) -> str:
    """A text of some 2,600 characters, of one line, that is different for each number."""
    stops = [
        f"pier {stop * 7 + number * 113} at {6 + stop % 12}:{stop % 6}5" for stop in range(120)
    ]
    return f"Timetable {number}: " + ", ".join(stops)


def _turns(
    texts: Sequence[str], *, by_tool: bool = False, cached: float = 0.9, right: bool = False
) -> list[SpanPlan]:
    """Turns of one chat, each of which adds its text to all that was sent before."""
    history: list[Json] = [{"role": "system", "content": "You tell when ferries leave."}]
    turns = []
    for number, text in enumerate(texts):
        question = f"When does the ferry to island {number} leave?"
        history.append({"role": "user", "content": f"{text}\n{question}"})
        reply = says(f"At {7 + number}:15 from the north quay.")
        prompt = 60 + (number + 1) * _TOKENS
        usage: Json = {"prompt_tokens": prompt, "completion_tokens": 14}
        usage["original_usage.prompt_tokens_details.cached_tokens"] = int(cached * number * _TOKENS)
        steps = [model(reply, asked=list(history), usage=usage, seconds=0.6, right=right)]
        if by_tool:
            steps.insert(
                0, tool("timetable_of", {"line": 4}, {"text": text}, seconds=0.1, right=right)
            )
        turns.append(span("answer_passenger", *steps, input={"question": question}, right=right))
        history.append(reply["choices"][0]["message"])
    return turns


_SAME = [_write_timetable(0)] * _TURNS
_NEW = [_write_timetable(number) for number in range(_TURNS)]

GROWTH.add("same_result_in_each_turn", *_turns(_SAME, by_tool=True, right=True), says="the same")
GROWTH.add("new_text_in_each_turn_cached_healthy", *_turns(_NEW))
GROWTH.add("new_result_in_each_turn_cached_healthy", *_turns(_NEW, by_tool=True))
