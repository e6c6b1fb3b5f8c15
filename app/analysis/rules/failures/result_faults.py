"""What can be wrong with the result of a tool, a lookup or a step of the program."""

from app.analysis.finding import Standing
from app.analysis.recorded.body import Body
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.denial_text import was_denied_by_person
from app.analysis.recorded.kind import SpanKind
from app.analysis.recorded.leaves import Leaf
from app.analysis.recorded.names import has_word, match_names
from app.analysis.recorded.spellings import key_set, plain_key, word_set
from app.analysis.recorded.status_words import CODE_KEYS
from app.analysis.recorded.tool_records import find_failed_tool
from app.analysis.rules.error_wording import LIMIT_ERROR
from app.analysis.rules.failures.doubtful_results import find_doubt
from app.analysis.rules.failures.failed_code import runs_program
from app.analysis.rules.failures.low_confidence import HARDLY_SURE, read_confidence
from app.analysis.rules.failures.other_times import explain_other_time
from app.analysis.rules.failures.partial_batches import describe_failed_items, failed_items_of
from app.analysis.rules.failures.stated_losses import explain_failed_shards, explain_stated_loss
from app.analysis.rules.failures.suspects import (
    Fault,
    PeerStatistics,
    Suspect,
    is_null,
    suspect_tool_inside,
)
from app.analysis.rules.failures.swallowed_failures import (
    explain_default,
    explain_swallowed_failure,
)
from app.analysis.rules.failures.tolerated import says_tolerated
from app.analysis.rules.failures.void_results import explain_void_result
from app.analysis.rules.input_values import quote_input
from app.analysis.rules.lookups import (
    is_lookup,
    is_named_search,
    is_search,
    leaves_program,
    searches_memory,
)
from app.analysis.rules.recovery import VERDICT
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_is_often_empty = match_names(
    r"cach|check(?!out)|valid|moderat|guard|filter|detect|violation|warn|dedup|history|save[ds]?\b|^store"
    r"|logs?\b|notify|send|delet|updat|write|ping\b|closed?\b|init\b|initiali|set ?up|memor"
    r"|match(?:es|er|ing)?\b|recogni[sz]|identif|entit|faces?\b|anomal|conflict|overlap|erkenn"
    "|abgleich|reconoc|reconna|reconhec|riconosc|coincid|herken"
)
"""Names of calls that rightly find nothing: stores at first, checks, and what compares things."""
_announces = match_names(r"notif|announc|telemetr|analytic|heart ?beat|progress")
"""Whether a call only informs somebody by its name: nothing of the task depends on it."""
_KEEPS_ITEMS = word_set(
    "rerank reranker rank sort reorder merge join normalise normalize convert translate chunk"
    " embed embedder embeddings vectorize transcribe ocr flatten concat reformat resize render"
    " summarise summarize deduplicate"
)
_PARSES = word_set("parse parser read load extract split decode")
_FILES = word_set("csv json xml html pdf xlsx docx sheet table invoice receipt transcript")
_SETTINGS = key_set("model model_name engine provider strategy method lang language format")
_LEAST_GIVEN = 4  # characters of a text or a name that a step was given
_PARTIAL_FLAGS = key_set(
    "partial is_partial incomplete truncated is_truncated was_truncated abgeschnitten gekürzt"
    " unvollständig tronqué tronquée incomplet incomplète truncado truncada incompleto incompleta"
    " troncato troncata parziale parcial afgekapt ingekort onvolledig trunkerad ofullständig"
    " skrócony obcięty niepełny усечено неполный 截断 不完整 切り捨て 一部のみ 잘림"
)
_WARNINGS = key_set("warning warnings reason message detail note")
_FLAGS_READ = 200  # leaves in which a flag of the whole result stands
_ABSENT_CODES = frozenset(["404", "410"])  # RFC 9110: Not Found, Gone
_GIVEN_READ = 200  # leaves of what a step was given: texts to quote, items to keep
_METHOD_NOT_FOUND = -32601
_LISTS = word_set("list lists listing")
_QUOTED = 80  # characters of what a search was given

_COUNTS = key_set("n count total num size length number items documents hits results candidates")
_LAST_READ = 50  # siblings at the end among which the calls of a name are looked for
_FEW_PEERS = 4  # with fewer comparable calls "the others returned something" is chance
_PEERS_BY_MISSING_KEY = 10  # for each other without the key: where more lack it, it is optional
# Share of the peers that returned something, for an empty result to be an exception. Steps inside
# the program return nothing more often than tools, so more peers have to differ.
_MOST_PEERS = 0.75
_NEARLY_ALL_PEERS = 0.9

# Strengths, from what a result states to what it only suggests. A search may find nothing rightly,
# and a null may be a function that returns nothing; tools often return nothing, steps mostly do.
_STATED_FAILURE = 0.85
_STOPPED_BY_LIMIT = 0.65  # what went round inside is the cause
_VERDICT = 0.6  # a check that fails once shows what an earlier step did
_STATED_PARTIAL = 0.6
_CANNOT_BE_RIGHT = 0.8
_STATED_LOSS = 0.85  # what was lost shows beside it
_FAILED_ITEMS = 0.85
_MISSING_KEYS = 0.5
_EMPTY_UNLIKE_PEERS = 0.8
_EMPTY_STEP_UNLIKE_PEERS = 0.7
_EMPTY_TRANSFORM = 0.75
_EMPTY_SEARCH = 0.6
_EMPTY_LOOKUP = 0.5
_OFTEN_EMPTY = 0.3
_EMPTY_TOOL_RESULT = 0.3
_NULL_RESULT = 0.2
_EMPTY_STEP = 0.1


def judge_result(node: Node, peers: PeerStatistics) -> Suspect | None:
    """The fault of a result; None for a sound one."""
    view = node.view
    if view.kind is SpanKind.GUARDRAIL:
        return None
    if view.failure:
        reason = f"its output says “{one_line(view.failure, limit=120)}”"
        harmless = says_tolerated(view.failure) or _is_not_offered(node)
        standing = Standing.NOTE if harmless else Standing.FINDING
        if standing is Standing.FINDING and (
            _found_none(node)
            or _announces(node.function_name)
            or was_denied_by_person(view.failure)
        ):
            standing = Standing.WEAK
        stopped = bool(node.children) and LIMIT_ERROR.search(view.failure) is not None
        strength = _STOPPED_BY_LIMIT if stopped else _STATED_FAILURE
        if _is_bare_verdict(node) and peers.of(node).read < _FEW_PEERS:
            strength = _VERDICT
        return Suspect(node, Fault.FAILURE, strength, reason, standing)
    void = explain_void_result(node) or explain_swallowed_failure(node)
    if void:
        return Suspect(node, Fault.FAILURE, _STATED_FAILURE, void)
    inside = _judge_tools_inside(node)
    if inside is not None:
        return inside
    unsure = _judge_confidence(node)
    if unsure is not None:
        return unsure
    unasked = explain_default(node) or explain_other_time(node)
    if unasked:
        return Suspect(node, Fault.DOUBT, _CANNOT_BE_RIGHT, unasked)
    if view.returned_nothing:
        return _judge_empty(node, peers)
    doubt = find_doubt(node)
    if doubt:
        return Suspect(node, Fault.DOUBT, _CANNOT_BE_RIGHT, doubt)
    loss = explain_stated_loss(node)
    if loss:
        return Suspect(node, Fault.LOSS, _STATED_LOSS, loss)
    return _judge_partial(node, peers)


def _judge_tools_inside(node: Node) -> Suspect | None:
    """A tool that failed in a step without spans for its tools."""
    if any(not child.view.is_model_call for child in node.children):
        return None
    return suspect_tool_inside(node, find_failed_tool(node.view.output))


def _judge_confidence(node: Node) -> Suspect | None:
    """A result that is hardly sure."""
    confidence = read_confidence(node)
    if confidence is None or confidence >= HARDLY_SURE:
        return None
    reason = f"it states a confidence of {confidence:g}"
    if node.view.returned_nothing:
        return Suspect(node, Fault.EMPTY, _EMPTY_UNLIKE_PEERS, reason)
    return Suspect(node, Fault.DOUBT, _STATED_PARTIAL, reason)


def _is_bare_verdict(node: Node) -> bool:
    """Whether a step of the program returned a flag without a reason: it checks something."""
    return not node.view.calls_outside and VERDICT.fullmatch(node.view.failure) is not None


def _is_not_offered(node: Node) -> bool:
    """Whether a server answered that it has no list of some kind: clients of MCP ask each server
    for its tools, prompts and resources, and do without those that it lacks (JSON-RPC's code)."""
    output = node.view.output
    if not (has_word(node.name, _LISTS) and output.may_have_key(CODE_KEYS)):
        return False
    return any(
        leaf.key in CODE_KEYS and leaf.value == _METHOD_NOT_FOUND
        for leaf in output.list_leaves(_FLAGS_READ)
    )


def _found_none(node: Node) -> bool:
    """Whether a lookup answered with the code for what is not there: that may be the answer."""
    output = node.view.output
    if not (is_lookup(node.function_name) and output.may_have_key(CODE_KEYS)):
        return False
    return any(
        leaf.key in CODE_KEYS and str(leaf.value) in _ABSENT_CODES
        for leaf in output.list_leaves(_FLAGS_READ)
    )


def _judge_partial(node: Node, statistics: PeerStatistics) -> Suspect | None:
    """A batch with items that failed, a result that is flagged as partial, or that lacks keys that
    its peers have.

    Many results have optional parts, so empty keys alone need a symptom; what was empty in the
    input already was lost before.
    """
    output = node.view.output
    if not isinstance(output.opened, (dict, list)):
        return None
    items = failed_items_of(node)
    if items is not None:
        return Suspect(node, Fault.PARTIAL, _FAILED_ITEMS, describe_failed_items(items))
    shards = explain_failed_shards(node)
    if shards:
        return Suspect(node, Fault.PARTIAL, _FAILED_ITEMS, shards)
    flag = _find_partial_flag(node)
    if flag:
        return Suspect(node, Fault.PARTIAL, _STATED_PARTIAL, f"its output says {flag}")
    if not output.empty_keys:
        return None
    peers = statistics.of(node)
    others = peers.read - 1
    if others < _FEW_PEERS:
        return None
    unusual = [
        key
        for key in sorted(output.empty_keys - node.view.input.empty_keys)
        if peers.empties[key] - 1 <= others // _PEERS_BY_MISSING_KEY
    ]
    if not unusual:
        return None
    names = ", ".join(one_line(key, limit=40) for key in unusual[:3])
    reason = f"its {names} is empty, unlike that of other calls"
    return Suspect(node, Fault.PARTIAL, _MISSING_KEYS, reason, Standing.WEAK)


def _find_partial_flag(node: Node) -> str:
    """`key: true` where a flag says that a result is only a part, beside a long list or above it;
    empty where none does."""
    output = node.view.output
    if _PARTIAL_FLAGS.isdisjoint(output.keys):
        return ""
    result = output.result.opened
    members = list(result.items())[-_FLAGS_READ:] if isinstance(result, dict) else []
    leaves = [(leaf.path[-1], leaf.value) for leaf in output.leaves[:_FLAGS_READ] if leaf.path]
    found = (str(key) for key, value in (*members, *leaves) if value is True)
    flag = next((key for key in found if plain_key(key) in _PARTIAL_FLAGS), "")
    return f"{one_line(flag, limit=40)}: true" if flag else ""


def _judge_empty_lookup(node: Node, analysis: TraceAnalysis, *, often: bool) -> Suspect:
    """A lookup by an id or without any argument: often rightly empty, a list of notes above all."""
    reason = f"it looked up {quote_input(node, analysis) or 'what its input names'}"
    standing = (
        None if often else Standing.WEAK if is_named_search(node.function_name) else Standing.NOTE
    )
    strength = _OFTEN_EMPTY if often else _EMPTY_LOOKUP
    return Suspect(node, Fault.EMPTY, strength, reason, standing)


def _find_warning(node: Node) -> str:
    """The text of a warning in an output; empty where there is none."""
    for leaf in node.view.output.list_leaves(_FLAGS_READ):
        if leaf.key in _WARNINGS and isinstance(leaf.value, str) and leaf.value.strip():
            return one_line(leaf.value, limit=_QUOTED)
    return ""


def _keeps_items(node: Node) -> bool:
    """Whether the name says that a span returns something for whatever it is given, and it was
    given a list or a text."""
    parses_file = has_word(node.function_name, _PARSES) and has_word(node.function_name, _FILES)
    if not (has_word(node.function_name, _KEEPS_ITEMS) or parses_file):
        return False
    leaves = tuple(node.view.input.list_leaves(_GIVEN_READ))
    has_list = any(isinstance(part, int) for leaf in leaves for part in leaf.path)
    if not has_list and any(_counts_nothing(leaf) for leaf in leaves):
        return False
    given = _list_long_texts(node.view.input)
    # What was right as it was given is returned as it is.
    return bool(given) and given.isdisjoint(_list_long_texts(node.view.output))


def _counts_nothing(leaf: Leaf) -> bool:
    """Whether an empty list, or a count, says that a step was given nothing."""
    return leaf.value == [] or (leaf.key in _COUNTS and leaf.value == 0)


def _list_long_texts(body: Body) -> set[str]:
    return {
        leaf.value
        for leaf in body.list_leaves(_FLAGS_READ)
        if isinstance(leaf.value, str)
        and len(leaf.value.strip()) >= _LEAST_GIVEN
        and leaf.key not in _SETTINGS
    }


def _ends_iteration(node: Node) -> bool:
    """Whether this is the last of several calls with one input, as those that empty a queue."""
    siblings = node.parent.children if node.parent else []
    same = [each for each in siblings[-_LAST_READ:] if each.name == node.name]
    return len(same) > 1 and same[-1] is node and same[-2].view.input.equals(node.view.input)


def _judge_empty(node: Node, statistics: PeerStatistics) -> Suspect | None:
    flag = _find_partial_flag(node)
    if flag:
        warning = _find_warning(node)
        reason = f"it returned nothing and says {flag}{warning and f' (“{warning}”)'}"
        return Suspect(node, Fault.FAILURE, _STATED_FAILURE, reason)
    outside = leaves_program(node)
    few, share = (_FEW_PEERS, _MOST_PEERS) if outside else (2 * _FEW_PEERS, _NEARLY_ALL_PEERS)
    often = _is_often_empty(node.function_name)
    peers = statistics.of(node)
    if not often and peers.read >= few and peers.full >= share * peers.read:
        reason = (
            f"{peers.full} of {peers.read} calls of this name that were read returned something"
        )
        strength = _EMPTY_UNLIKE_PEERS if outside else _EMPTY_STEP_UNLIKE_PEERS
        sure = outside and peers.full == peers.read - 1 and not is_search(node)
        sure = sure and not _ends_iteration(node) and node.view.input.says_something
        standing = Standing.FINDING if sure else Standing.WEAK
        return Suspect(node, Fault.EMPTY, strength, reason, standing)
    if is_null(node):
        if node.children or node.span.output is None:
            return None
        return Suspect(node, Fault.EMPTY, _NULL_RESULT, "a call that returned null", None)
    if _keeps_items(node):
        reason = "it was given something, and what it does keeps or makes something of each"
        return Suspect(node, Fault.EMPTY, _EMPTY_TRANSFORM, reason)
    if is_search(node) and not searches_memory(node):
        given = quote_input(node, statistics.analysis) or "what its input names"
        reason = f"it searched for {given}"
        return Suspect(node, Fault.EMPTY, _EMPTY_SEARCH, reason, Standing.WEAK)
    if runs_program(node):
        reason = "a program that printed nothing"
        return Suspect(node, Fault.EMPTY, _EMPTY_LOOKUP, reason, Standing.WEAK)
    if is_lookup(node.function_name) and node.view.input.state is BodyState.PRESENT:
        return _judge_empty_lookup(node, statistics.analysis, often=often)
    if node.view.calls_outside:
        reason = "a call that returned nothing"
        return Suspect(node, Fault.EMPTY, _EMPTY_TOOL_RESULT, reason, None)
    if not node.children:
        return Suspect(node, Fault.EMPTY, _EMPTY_STEP, "a step that returned nothing", None)
    return None
