"""Model calls without any message of the user, after a step that handed the case on without it."""

from collections.abc import Iterator

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.spellings import key_set
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls, list_read_steps
from app.analysis.tree import CLOCK_TOLERANCE, Node

_STORED_KEYS = key_set(
    "previous_response_id conversation conversation_id previous_interaction_id cached_content"
)
"""Where a provider keeps the messages before, a request holds the newest ones only."""
_LEAVES_READ = 200  # of a request and its metadata
_CONFIDENCE = 0.8
_USER = "user"
_RESULT = "tool"


def find_lost_question(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: the first such call, with those after it and the step before it."""
    calls = sorted(analysis.once(list_model_calls), key=lambda call: call.start)
    asked = next((call for call in calls if _USER in _roles_of(call)), None)
    without = [call for call in calls if asked is not None and _lacks_question(call, asked)]
    if asked is None or not without:
        return
    first = without[0]
    step = _find_step_between(asked, first, analysis)
    name, before = (one_line(_place_of(call), limit=60) for call in (first, asked))
    handed = f" after {one_line(step.name, limit=60)}" if step is not None else ""
    sentence = (
        f"{name} was given no message of the user{handed}, only the result of a tool, and named no"
        f" stored response to go on from; {before} had been given one."
    )
    nodes = [*([step] if step is not None else []), *without]
    yield build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, nodes)


def _roles_of(call: Node) -> list[str]:
    return [message.role for message in call.view.request.messages if message.role != "system"]


def _lacks_question(call: Node, asked: Node) -> bool:
    """Whether a later request begins with the result of a tool, and is no longer than the earlier
    one, as it would be if the provider added what came before."""
    roles = _roles_of(call)
    if call.start < asked.end or roles[:1] != [_RESULT] or _USER in roles:
        return False
    before, now = asked.view.usage.prompt, call.view.usage.prompt
    if before is None or now is None or now > before:
        return False
    bodies = (call.view.input, Body(call.span.metadata), call.view.output)
    return not any(
        leaf.value and leaf.key in _STORED_KEYS
        for body in bodies
        if body.may_have_key(_STORED_KEYS)
        for leaf in body.first_leaves(_LEAVES_READ)
    )


def _find_step_between(asked: Node, call: Node, analysis: TraceAnalysis) -> Node | None:
    """The last step of the program or call of a tool between both calls."""
    steps = [
        node
        for node in analysis.once(list_read_steps)
        if asked.end <= node.start and node.end <= call.start + CLOCK_TOLERANCE
    ]
    return max(steps, key=lambda node: (node.end, node.index), default=None)


def _place_of(call: Node) -> str:
    return f"{call.name} of {call.parent.name}" if call.parent else call.name
