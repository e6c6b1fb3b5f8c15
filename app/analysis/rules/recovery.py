"""What made good for a failed call: the same call again, a correction by a model, or a fallback."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.leaves import Path
from app.analysis.recorded.names import NAME_READ, has_word, join_letters, split_words
from app.analysis.recorded.request import RecordedRequest
from app.analysis.recorded.spellings import word_set
from app.analysis.rules.further_tries import find_counted_try, find_try_elsewhere, given_pairs
from app.analysis.rules.input_values import describe_changes, share_file
from app.analysis.rules.invalid_json import find_broken_json
from app.analysis.text.one_line import one_line, without_numbers
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_TREE_READ = 200  # spans of the tree after a failed model call
_LEAST_TASK = 12  # characters of an instruction that is not equal by chance, as "go on" may be
_SIBLINGS_READ = 8  # steps after a failed one: a fallback follows it
_LEAST_VALUE = 4  # characters of a value that two calls share with reason: an id, a name
_READS_PAGE = word_set(
    "page pages url urls web website site browse browser visit crawl scrape webpage link article"
)
"""Words of names of calls that read something of the web, where each source is one of several."""
VERDICT = re.compile(r"[\w .-]{1,40}: (?:true|false)")  # a flag without a reason, as `ok: false`
_FENCE = re.compile(r"\A\s*```\w*")
_REPLY_COMPARED = 40  # first characters of a reply that a later request may quote
_SHORTEST_SHARED = 3  # characters of a word that two names share
_NAMES_READ = 60  # steps beside a call whose names tell what all of them have in common
_LEAST_OTHERS = 2  # other names that have a word in common; one may have it by chance
_MOST_TRIES = 3  # calls of one name in a step; with more it calls for one item after another
_LATER_READ = 50  # calls after a failed one that are looked at: what makes good for it comes soon
_ROLE_READ = 400  # characters of a system instruction, which begins with whose it is
_NEXT_READ = 60  # spans after a failed call in which a model turns to another tool
_EARLIER_READ = 60  # spans before a call in which the request for it is looked for: it is near


class Recovery(NamedTuple):
    """A later span that made good for a failed one."""

    failed: Node
    later: Node

    def describe(self) -> str:
        """How it made good: another call that worked, or the same one again, with which changes.
        Empty where the later span may have been called for something else."""
        failed, later = self
        name = failed.function_title
        if later.function_name != failed.function_name:
            return f"{later.function_title} worked after it"
        if failed.view.is_model_call:
            model = later.span.model or ""
            other = f" ({one_line(model)})" if model and model != failed.span.model else ""
            return f"a later call of {name} worked{other}"
        if VERDICT.fullmatch(failed.view.failure):
            return f"a later call of {name} passed"
        given, taken = failed.view.input, later.view.input
        if given.state is BodyState.PRESENT is taken.state:
            changes = describe_changes(failed, later)
            return changes and f"{name} worked when called again with {changes}"
        return f"a later call of {name} worked"


def find_recovery(node: Node, analysis: TraceAnalysis) -> Recovery | None:
    """What made good for a failed span, or None."""
    later = _find_later(node, analysis)
    return None if later is None else Recovery(node, later)


def _find_later(node: Node, analysis: TraceAnalysis) -> Node | None:
    """A later span that made good for a failed one, or None.

    It is a call of the same name and place that worked and either had the same input, was asked for
    anew by a model that had seen the failure; another page where one could not be read; a check
    that passed in the end; a model call with the same task; or one of the next steps with another
    name that does the same.
    """
    asked = asking_call(node, analysis)
    few = _is_one_of_few(node, analysis)
    reads_page = has_word(node.function_name, _READS_PAGE)
    for later in islice(_after(analysis.tree.siblings(node), node), _SIBLINGS_READ):
        if later.name == node.name or not _worked(later, node):
            continue
        if _is_alternative(node, later, analysis):
            return later
    for later in islice(_after(analysis.peers_of(node), node), _LATER_READ):
        if _worked(later, node) and (
            _same_request(node, later, analysis, among_few=few)
            or _asked_anew(asked, node, later, analysis)
            or (few and (_tried_otherwise(node, later) or reads_page))
            or _passed_in_the_end(node, later, analysis)
        ):
            return later
    siblings = analysis.tree.siblings(node)
    for find in (find_counted_try, find_try_elsewhere):
        further = find(node, siblings)
        if further is not None and _worked(further, node):
            return further
    if node.view.is_model_call:
        for later in islice(_later_model_calls(node, analysis), _LATER_READ):
            if _worked(later, node) and (
                _same_request(node, later, analysis, among_few=few) or _corrects(node, later)
            ):
                return later
    return None


def _is_alternative(node: Node, later: Node, analysis: TraceAnalysis) -> bool:
    """Whether a call of another name does the same: of the same kind with the same input, or with
    a word of its name and values of its input (`sms.send` and `mail.send`). A word that all steps
    beside them have too (`step`, the name of a workflow) says nothing."""
    if later.view.kind is not node.view.kind or node.view.is_model_call:
        return False
    if BodyState.PRESENT not in (node.view.input.state, later.view.input.state):
        return False
    given, taken = node.view.input, later.view.input
    if given.keys == taken.keys and given.resembles(taken):
        return True
    shared = set(split_words(node.name)).intersection(split_words(later.name))
    if not any(len(w) >= _SHORTEST_SHARED for w in shared) or not _shares_values(node, later):
        return False
    names = {each.name for each in islice(analysis.tree.siblings(node), _NAMES_READ)}
    others = [set(split_words(name)) for name in names - {node.name, later.name}]
    if len(others) >= _LEAST_OTHERS:
        shared.difference_update(others[0].intersection(*others[1:]))
    return any(len(w) >= _SHORTEST_SHARED for w in shared)


def _shares_values(node: Node, later: Node) -> bool:
    """Whether the inputs share a value that says something."""
    return any(len(value) >= _LEAST_VALUE for value in _values_of(node) & _values_of(later))


def _values_of(node: Node) -> set[str]:
    return {value for _, value in given_pairs(node)}


def find_other_tool(node: Node, analysis: TraceAnalysis) -> Node | None:
    """A tool of another name that a model asked for after this one had failed, and that worked."""
    for other in analysis.tree.nodes[node.index + 1 : node.index + _NEXT_READ]:
        if other.start < node.end or not other.view.calls_tool:
            continue
        again = asking_call(other, analysis)
        if again is not None and again.start >= node.end and _worked(other, node):
            return other
    return None


def _later_model_calls(node: Node, analysis: TraceAnalysis) -> Iterator[Node]:
    """Model calls that started after this one ended, wherever they are, in the order of the tree:
    a fallback may have a step of its own."""
    return (
        later
        for later in analysis.tree.nodes[node.index + 1 : node.index + 1 + _TREE_READ]
        if later.start >= node.end and later.view.is_model_call
    )


def asking_call(node: Node, analysis: TraceAnalysis) -> Node | None:
    """The nearest earlier model call whose reply asked for the tool of this span, if any."""
    for _, earlier in islice(analysis.tree.earlier(node), _EARLIER_READ):
        calls = earlier.view.reply.calls if earlier.view.is_model_call else ()
        if any(is_named_after(node, each.name) for each in calls if each.name):
            return earlier
    return None


def say_asked(call: Node | None) -> str:
    """The end of a sentence on a call of a tool: which model call asked for it, if any."""
    return f"; {call.title} asked for this call" if call else ""


def name_as_asked(node: Node, call: Node | None) -> str:
    """The subject of a sentence on a call of a tool, with the model call that asked for it, if
    any."""
    return f"{call.title} asked for {node.title}, which" if call else node.title


def is_named_after(node: Node, tool: str) -> bool:
    """Whether a span is that of a tool: `execute_tool get_order`, `tools.get_order` and
    `Get order` are spans of `get_order`."""
    name, wanted = join_letters(node.name), join_letters(tool)
    return bool(wanted) and (
        wanted in (name, join_letters(node.view.tool_name))
        or join_letters(re.split(r"[\s.:/]", node.name[-NAME_READ:])[-1]) == wanted
    )


def was_called_after(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether a tool that a reply had called with broken arguments, or without naming one, was
    called or ran later: an answer that gives up makes nothing good."""
    names = {call.name for call in node.view.reply.calls if call.broken and call.name}
    if not names:
        return True
    for later in analysis.tree.nodes:
        if later.start < node.end or not analysis.was_read(later):
            continue
        view = later.view
        asked = view.is_model_call and any(
            call.name in names and not call.broken for call in view.reply.calls
        )
        worked = not (view.is_model_call or view.has_failed)
        if asked or (worked and any(is_named_after(later, name) for name in names)):
            return True
    return False


def _after(nodes: Sequence[Node], node: Node) -> Iterator[Node]:
    """Those of the nodes, sorted by start, that started when this one had ended."""
    first = bisect_left(nodes, node.end, key=lambda each: each.start)
    return (nodes[place] for place in range(first, len(nodes)) if nodes[place] is not node)


def _worked(later: Node, node: Node) -> bool:
    """Whether the later call did not fail, and gave something where the first gave nothing."""
    if not later.finished or later.view.has_failed:
        return False
    gave_nothing = node.error is None and node.view.returned_nothing
    return not (gave_nothing and later.view.returned_nothing)


def _same_request(node: Node, later: Node, analysis: TraceAnalysis, *, among_few: bool) -> bool:
    """Whether both calls were given the same. Where that is unknown, calls of one step are
    taken for attempts if there are few of them, and for calls for one item after another if not."""
    a, b = node.view, later.view
    if a.is_model_call and a.request.messages:
        if a.request.messages == b.request.messages:
            return True
        same = _same_task(a.request, b.request) or _is_next_try(node, later, analysis)
        return same and not _is_other_agent(node, later, analysis)
    unknown = BodyState.PRESENT not in (a.input.state, b.input.state)
    if unknown or a.input.is_cut or b.input.is_cut:
        return among_few and node.parent is later.parent
    return a.input.resembles(b.input) and not _is_next_item(node, later, analysis)


def _is_next_item(node: Node, later: Node, analysis: TraceAnalysis) -> bool:
    """Whether two calls differ in a value in which a call that had worked before differs from both:
    one text in one language after another, none of them tried again."""
    changed = _list_changed(node, later)
    return bool(changed) and any(
        before.end <= node.start
        and not before.view.has_failed
        and changed == _list_changed(node, before) == _list_changed(later, before)
        for before in islice(analysis.peers_of(node), _LATER_READ)
    )


def _list_changed(node: Node, other: Node) -> set[Path]:
    """The places at which two inputs differ."""
    one, two = (
        {leaf.path: leaf.value for leaf in each.view.input.first_leaves} for each in (node, other)
    )
    return {path for path in one.keys() | two.keys() if one.get(path) != two.get(path)}


def _is_next_try(node: Node, later: Node, analysis: TraceAnalysis) -> bool:
    """Whether a call is the very next step after a failed one and was given its task with more
    around it: not all SDKs record the whole request of a call that raised an error."""
    task = node.view.request.last_instruction
    if node.error is None or node.parent is not later.parent or len(task) < _LEAST_TASK:
        return False
    following = next(_after(analysis.tree.siblings(node), node), None)
    return following is later and task in later.view.request.last_instruction


def _is_one_of_few(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether the step that made this call made few of its name."""
    same = (each for each in analysis.tree.siblings(node) if each.name == node.name)
    return sum(1 for _ in islice(same, _MOST_TRIES + 1)) <= _MOST_TRIES


def _tried_otherwise(node: Node, later: Node) -> bool:
    """Whether the program made the same call with another provider or setting: one of few such
    calls of a step, with a value of the first. Calls for many items share values as well."""
    if node.view.is_model_call or later.parent is not node.parent:
        return False
    return _shares_values(node, later) or share_file(node, later)


def _passed_in_the_end(node: Node, later: Node, analysis: TraceAnalysis) -> bool:
    """Whether a step of the program checked one draft after another until the last one passed, and
    another step ran between: of items in a row some pass before the last."""
    if node.view.calls_outside or not VERDICT.fullmatch(node.view.failure):
        return False
    siblings = analysis.tree.siblings(node)
    checks = [each for each in siblings[:_TREE_READ] if each.name == node.name]
    between = any(
        each.name != node.name and node.end <= each.start and each.end <= later.start
        for each in siblings[:_TREE_READ]
    )
    return (
        between
        and checks[-1] is later
        and all(VERDICT.fullmatch(each.view.failure) for each in checks[:-1])
    )


def _corrects(node: Node, later: Node) -> bool:
    """Whether a model was given the broken JSON of an earlier reply, and returned sound JSON."""
    if find_broken_json(later)[0] or not find_broken_json(node)[0]:
        return False
    reply, _, _ = _FENCE.sub("", node.view.reply.text).partition("```")
    start = reply.strip()[:_REPLY_COMPARED]
    return len(start) >= _LEAST_TASK and start in later.view.request.last_instruction


def _same_task(request: RecordedRequest, later: RecordedRequest) -> bool:
    """Whether the last instruction is the same: another provider's SDK records other messages."""
    task = request.last_instruction
    return len(task) >= _LEAST_TASK and task == later.last_instruction


def _is_other_agent(node: Node, later: Node, analysis: TraceAnalysis) -> bool:
    """Whether two calls with one task are turns of different agents of a conversation: their system
    instructions differ, and the later one read more, or its agent spoke before the first call. A
    fallback with an instruction of its own reads the same and is new."""
    own, other = _role_of(node.view.request), _role_of(later.view.request)
    if not own or not other or own.startswith(other) or other.startswith(own):
        return False
    if _conversation_of(node.view.request) != _conversation_of(later.view.request):
        return True
    return any(
        earlier.view.is_model_call and _role_of(earlier.view.request) == other
        for _, earlier in islice(analysis.tree.earlier(node), _EARLIER_READ)
    )


def _role_of(request: RecordedRequest) -> str:
    """The beginning of the system instruction, without numbers: some state the time."""
    texts = (message.text for message in request.messages if message.role == "system")
    return without_numbers(next(texts, "")[:_ROLE_READ]).strip()


def _conversation_of(request: RecordedRequest) -> list[str]:
    return [message.text.strip() for message in request.messages if message.role != "system"]


def _asked_anew(asked: Node | None, node: Node, later: Node, analysis: TraceAnalysis) -> bool:
    """Whether a model asked for the first call, and for the later one when the first had ended."""
    if asked is None:
        return False
    again = asking_call(later, analysis)
    return again is not None and again.start >= node.end
