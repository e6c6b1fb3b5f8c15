"""Effects outside that happened twice: a tool that orders, sends or pays was called again with the
same input although the call before had worked."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.kind import SpanKind
from app.analysis.recorded.leaves import innermost_key
from app.analysis.recorded.names import match_names
from app.analysis.recorded.spellings import key_set
from app.analysis.rules.recovery import asking_call, say_asked
from app.analysis.rules.repeated_work.comparable_calls import (
    Call,
    belong_to_one_task,
    calls_given_alike,
    group_equal,
)
from app.analysis.rules.repeated_work.effect_names import (
    IDEMPOTENCY_KEYS,
    does_something_outside,
    only_creates,
    undoes_something,
)
from app.analysis.rules.repeated_work.repeated_branch import find_repeated_branch
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node, by_start

_LEAST_ID = 3  # characters
_LONGEST_ID = 80
_ACK_LEAVES = 8  # leaves of a result that only says that the call was done
_ACK_LENGTH = 400  # characters of it
_REFUSAL_READ = 2_000  # characters of a result in which it says that nothing was done
_BETWEEN_READ = 200  # spans before a repeat in which something that takes the first back is sought
_INSIDE_READ = 40  # spans below a step in which a model call shows that it is a piece of work
_IDS_SHOWN = 4
_NEW_IDS = 0.92  # confidence where each call returned an id of its own
_SAME_ACKNOWLEDGEMENT = 0.85  # the same where each only reported that it was done

_ID_TOKEN = re.compile(r"#?\w[\w-]*")
_AMOUNT_OR_TIME = re.compile(
    r"\d{4}-\d\d-\d\d\w*|\d+(?:ms|s|min|h|kb|mb|eur|usd|st|nd|rd|th|pm|am)?|v\d+", re.IGNORECASE
)
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?|\d+[.:,]\d[\d.:,]*")
_is_id_key = match_names(
    r"(?:(?:order|ticket|booking|message|payment|transaction|invoice|user)?(?:id|no|nr|number)|ids"
    r"|uuid|num|ref|reference|confirmation|receipt|ticket|order|invoice|booking|transaction|txn"
    r"|tracking|sid|ts|pnr|case|incident|key)$"
)
"""Whether the last word of a key says that it holds an id, as also `orderid` does."""
_NO_ID_KEYS = key_set(
    "request_id trace_id call_id tool_call_id run_id span_id correlation_id took elapsed latency"
    " duration timestamp time date created created_at updated_at sent_at expires expires_at"
    " expires_in status status_code code http_status balance remaining amount total attempt"
)
_DONE = re.compile(
    r"\b(?:ok|true|accepted|sent|queued|success\w*|succeeded|done|created|submitted|booked|reserved"
    r"|delivered|paid|charged|refunded|confirmed|completed?|transferred|notified|posted|scheduled"
    r"|placed|processed|issued|ordered|20[0-4]|gesendet|versendet|versandt|erstellt|angelegt|gebucht"
    r"|bestellt|überwiesen|bezahlt|enviad[oa]|cread[oa]|pagad[oa]|reservad[oa]|envoyée?|créée?|payée?"
    r"|inviat[oa]|creat[oa]|pagat[oa])\b|成功|已发送|已创建|完了|送信済み|완료"
)
_NOT_DONE = re.compile(
    r"declin|reject|denied|insufficient|\bnot\b|\bnon?\b|fail|duplicate|already|exist|confirmation"
    r"[ _](?:required|needed)|needs?[ _]|requir|approval|awaiting|draft|preview|dry.?run|simulat"
    r"|invalid|unavailable|sold.?out|time.?out|idempoten|replay|cached|skipped|ignored|no-op"
    r"|\bfalse\b|bereits|vorhanden|\bnicht\b|\bya\b|déjà|已存在|既に|이미"
)


class _Repeated(NamedTuple):
    """Calls that each worked, and the ids that they returned, if they returned any."""

    nodes: list[Node]
    ids: list[str]


def find_repeated_effects(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Calls of one name and input that each did something outside, with the model calls that asked
    for them again; of spans inside one another the outermost."""
    calls = [
        call
        for call in analysis.once(calls_given_alike)
        if does_something_outside(call.node.function_name, is_tool=_is_tool(call.node))
    ]
    if not calls:
        return
    covered: set[str] = set()
    named = ((call.node.function_name, call.node.view.input, call) for call in calls)
    groups = sorted(group_equal(named), key=lambda group: (group[0].node.depth, _order(group[0])))
    for group in groups:
        nodes = [call.node for call in group if call.node.id not in covered]
        nodes = [node for node in nodes if _worked(node, analysis)]
        for repeated in _split_repeats(sorted(nodes, key=by_start), analysis):
            branch = find_repeated_branch(repeated.nodes[0], repeated.nodes[1], analysis)
            for node in (*repeated.nodes, *branch):
                covered.update(below.id for below in analysis.tree.below(node))
            yield _build_finding(repeated, branch, analysis)


def _order(call: Call) -> int:
    return call.node.index


def _is_tool(node: Node) -> bool:
    return node.view.kind is SpanKind.TOOL_CALL


def _worked(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether a call returned something that is no failure, and is no model's work."""
    view = node.view
    if view.is_model_call or not node.finished or view.failure or view.returned_nothing:
        return False
    if not view.output.has_timeless or _NOT_DONE.search(view.output.timeless[:_REFUSAL_READ]):
        return False
    below = analysis.tree.below(node)[:_INSIDE_READ]
    return not any(each.view.is_model_call for each in below)


def _split_repeats(nodes: Sequence[Node], analysis: TraceAnalysis) -> Iterator[_Repeated]:
    """Calls in a row of which each did again what the one before had done."""
    run = _Repeated(list(nodes[:1]), [])
    for before, after in pairwise(nodes):
        own = _read_new_ids(before, after) if _is_repeat(before, after, analysis) else None
        if own is None:
            if len(run.nodes) > 1:
                yield run
            run = _Repeated([after], [])
        else:
            run.nodes.append(after)
            run.ids.extend(each for each in own if each not in run.ids)
    if len(run.nodes) > 1:
        yield run


def _is_repeat(before: Node, after: Node, analysis: TraceAnalysis) -> bool:
    """Whether the second call was made for the same task, when the first had ended, and nobody
    meant it: a reply that asks twice, a user who asks again, and what was taken back are meant."""
    if after.start < before.end:
        return False
    if not belong_to_one_task(before, after, analysis) and not _names_one_thing(after):
        return False
    asked, again = asking_call(before, analysis), asking_call(after, analysis)
    if again is not None and (again is asked or again.start < before.end):
        return False
    if asked is not None and again is not None and _count_asked(asked) != _count_asked(again):
        return False
    return not any(
        node.start >= before.end and undoes_something(node.function_name)
        for _, node in islice(analysis.tree.earlier(after), _BETWEEN_READ)
    )


def _count_asked(call: Node) -> int:
    """How often a user had spoken before a model call."""
    messages = call.view.request.messages
    return sum(message.role == "user" and bool(message.text.strip()) for message in messages)


def _names_one_thing(node: Node) -> bool:
    """Whether an input holds an id or an address, so that equal ones are of one thing."""
    return any(
        "@" in text or any(map(_is_id, _list_tokens(text)))
        for text in node.view.input.first_texts
        if len(text) <= _LONGEST_ID
    )


def _read_new_ids(before: Node, after: Node) -> list[str] | None:
    """The ids of their own that two calls returned; none of them where both only reported
    success, and None where the second call honoured the first or it is not plain that it did
    again."""
    first, second = _read_ids(before), _read_ids(after)
    if first and second:
        apart = set(first).isdisjoint(second)
        return [*first[:1], *second[:1]] if apart else None
    if first or second or only_creates(after.function_name):
        return None
    if not IDEMPOTENCY_KEYS.isdisjoint(after.view.input.keys):
        return None
    return [] if _is_acknowledgement(before) and _is_acknowledgement(after) else None


def _read_ids(node: Node) -> list[str]:
    """The ids in a result that its input does not hold, in order."""
    given = node.view.input.canonical
    found: dict[str, None] = {}
    for leaf in node.view.output.first_leaves:
        if leaf.key in _NO_ID_KEYS:
            continue
        if type(leaf.value) is int and leaf.value > 0 and _is_id_key(innermost_key(leaf.path)):
            found[str(leaf.value)] = None
        elif isinstance(leaf.value, str):
            is_key = _is_id_key(innermost_key(leaf.path))
            found.update(
                (token, None)
                for token in _list_tokens(leaf.value[:_ACK_LENGTH])
                if (is_key and token.isdecimal()) or _is_id(token)
            )
    return [each for each in found if each.casefold() not in given]


def _list_tokens(text: str) -> list[str]:
    """The words of a text, without dates, times and decimal numbers."""
    return _ID_TOKEN.findall(_DATE_TIME.sub(" ", text))


def _is_id(token: str) -> bool:
    """Whether a word is an id: with a digit, and no amount, time or version."""
    return (
        _LEAST_ID <= len(token) <= _LONGEST_ID
        and any(map(str.isdecimal, token))
        and _AMOUNT_OR_TIME.fullmatch(token) is None
    )


def _is_acknowledgement(node: Node) -> bool:
    """Whether a result says that the call was done, and hardly anything else."""
    leaves = list(node.view.output.list_leaves(_ACK_LEAVES + 1))
    text = node.view.output.timeless
    return (
        len(leaves) <= _ACK_LEAVES and len(text) <= _ACK_LENGTH and _DONE.search(text) is not None
    )


def _build_finding(repeated: _Repeated, branch: Sequence[Node], analysis: TraceAnalysis) -> Finding:
    nodes, ids = repeated
    name = nodes[0].function_title
    given = one_line(nodes[0].view.input.canonical, limit=80)
    shown = ", ".join(one_line(each, limit=40) for each in ids[:_IDS_SHOWN])
    effect = f"each made something new ({shown})" if ids else "each reported success"
    asked = [asking_call(node, analysis) for node in nodes[1:]]
    sentence = (
        f"{name} did the same thing {len(nodes)} times: called again with the same input"
        f" (“{given}”) although the call before had worked; {effect}{say_asked(asked[0])}."
    )
    if branch:
        where = branch[0].title
        sentence = f"{where} ran again with most of its calls as before; {sentence}"
    named = [nodes[1]]
    for node, call in zip(nodes[1:], asked, strict=True):
        named += [node, *([call] if call is not None else [])]
    confidence = _NEW_IDS if ids else _SAME_ACKNOWLEDGEMENT
    numbers = {"calls": len(nodes), "again": len(nodes) - 1}
    return build_finding(
        Category.REPEATED_EFFECT,
        confidence,
        sentence,
        [*branch, nodes[1], nodes[0], *named],
        numbers,
    )
