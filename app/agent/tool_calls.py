"""Runs the tool calls of a reply: every call gets a result, in the order of the calls."""

from collections.abc import Sequence
from dataclasses import replace

from app.agent.context import TurnBudget
from app.agent.ports import Sink
from app.agent.toolbox import CallLine, CompletedCall, Toolbox
from app.events import ToolCallRecord, ToolCompleted
from app.messages import Reply, ToolCall, ToolResult
from app.task_groups import open_task_group

_RESULTS_PER_RUN = 2
"""Twice as many calls get a result as are run, so that the model reads that it made too many."""


class ToolCallRunner:
    """Runs one turn's calls concurrently and remembers their results."""

    def __init__(self, toolbox: Toolbox, budget: TurnBudget, sink: Sink) -> None:
        self._toolbox = toolbox
        self._budget = budget
        self._sink = sink
        self._results: dict[tuple[str, str], CompletedCall] = {}

    def limit_calls(self, reply: Reply) -> Reply:
        """The reply with at most as many calls as get a result each; the rest is dropped."""
        return replace(
            reply, calls=reply.calls[: _RESULTS_PER_RUN * self._budget.limits.calls_per_step]
        )

    def build_records(self, calls: Sequence[ToolCall]) -> tuple[ToolCallRecord, ...]:
        """The calls as the event log stores them."""
        return tuple(self._build_record(call, self._toolbox.describe_call(call)) for call in calls)

    def _build_record(self, call: ToolCall, line: CallLine) -> ToolCallRecord:
        return ToolCallRecord(
            id=call.id,
            name=call.name,
            arguments=call.arguments,
            provider_id=call.provider_id,
            display_name=line.text,
            spans=line.spans,
        )

    async def run_calls(self, calls: Sequence[ToolCall]) -> list[ToolResult]:
        """Runs new calls, repeats the results of known ones, refuses those over the limit."""
        most = self._budget.limits.calls_per_step
        keys = {call.id: self._toolbox.normalize(call) for call in calls}
        first = {keys[call.id]: call for call in reversed(calls[:most])}
        new = [call for key, call in first.items() if key not in self._results]
        results = await self._run_new_calls(new)
        self._results |= {
            keys[call_id]: each for call_id, each in results.items() if not each.repeatable
        }
        for call in calls:
            if call.id not in results:
                same = first.get(keys[call.id])
                known = self._results.get(keys[call.id]) or (same and results.get(same.id))
                results[call.id] = (
                    _build_repeated_result(known) if known else _build_refused_result(most)
                )
                await self._emit_result(call, results[call.id])
        return [ToolResult(call, results[call.id].text) for call in calls]

    async def _run_new_calls(self, calls: Sequence[ToolCall]) -> dict[str, CompletedCall]:
        """Runs calls concurrently, emitting each result when it is there; results by call id."""
        results: dict[str, CompletedCall] = {}

        async def run(call: ToolCall) -> None:
            results[call.id] = await self._toolbox.run(call, seconds=self._budget.seconds_left)
            await self._emit_result(call, results[call.id])

        async with open_task_group() as group:
            for call in calls:
                group.start_soon(run, call)
        return results

    async def _emit_result(self, call: ToolCall, result: CompletedCall) -> None:
        await self._sink.emit(
            ToolCompleted(
                call_id=call.id,
                name=call.name,
                outcome=result.outcome,
                text=result.text,
                milliseconds=result.milliseconds,
            )
        )


def _build_repeated_result(known: CompletedCall) -> CompletedCall:
    hint = "[this call was made before in this turn, with this result; use it]\n"
    return CompletedCall("duplicate", hint + known.text)


def _build_refused_result(most: int) -> CompletedCall:
    return CompletedCall(
        "not_run",
        f"[not run: at most {most} different calls in one reply; call again if still needed]",
    )
