"""What can be wrong with the reply of a model call."""

import re

from app.analysis.finding import Standing
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.failure_text import find_failure_text, find_reported_failure
from app.analysis.recorded.finish_reason import FinishReason
from app.analysis.recorded.opened_json import explain_broken_json
from app.analysis.recorded.outcome import find_failure
from app.analysis.recorded.refusal_text import says_refusal
from app.analysis.recorded.request import RecordedRequest
from app.analysis.recorded.service_texts import says_unserved, shared_topic
from app.analysis.recorded.spellings import TEXT
from app.analysis.recorded.tool_records import find_failed_hosted_tool
from app.analysis.rules.error_wording import FAILURE_WORDS
from app.analysis.rules.failures.suspects import (
    Fault,
    PeerStatistics,
    Suspect,
    suspect_tool_inside,
)
from app.analysis.rules.invalid_json import find_broken_json
from app.analysis.text.one_line import one_line
from app.analysis.tree import Node

# Strengths, from what the provider states to what is read from texts.
_STATED = 0.9
_READ_FROM_REPLY = 0.85
_STATED_REFUSAL = 0.75
_REFUSAL_IN_WORDS = 0.6
_ASKED_IN_WORDS = 0.6

_GOOD_ENDS = (None, FinishReason.STOP, FinishReason.TOOL_CALLS)
_QUOTES_AND_LINES = re.compile(r"""[\n"“”„«»「」『』\[\](){}]""")
_REPLY_SHOWN = 240  # characters: a refusal with its reason is rarely longer
_EXPLAINED = 120  # characters of a reason and the text around the place
_INSTRUCTION_READ = 4_000  # characters of an instruction that are searched for a report of failure
_QUOTED = 80  # characters of a report by which it is found in a request
# A lower limit of completion tokens asks for a word, and is reached on purpose; words that are more
# than a label are a sentence that was cut.
_LEAST_LIMIT = 20
_FEW_WORDS = 4
_LEVELS_UP = 3  # spans around a call that may set its limit: a chain, a step, an agent
_ELLIPSES = ("…", "...")
_SIBLINGS_READ = 20  # steps beside a reply among which one that shows it is looked for
# Share of the peers with a reply for a reply that was not recorded to be an exception, and how many
# there have to be: with fewer it is chance.
_MOST_PEERS = 0.75
_FEW_PEERS = 4


def judge_reply(node: Node, peers: PeerStatistics) -> Suspect | None:
    """The fault of a reply, the surest first; None for a sound one."""
    return (
        _judge_finish(node)
        or suspect_tool_inside(node, find_failed_hosted_tool(node.view.output))
        or _judge_calls(node)
        or _judge_refusal(node)
        or _judge_text(node)
        or _judge_blank(node, peers)
    )


def _judge_finish(node: Node) -> Suspect | None:
    reply = node.view.reply
    limit, wrote = node.view.request.token_limit, node.view.usage.completion
    if reply.finish is None and limit and wrote == limit >= _LEAST_LIMIT:
        return Suspect(node, Fault.CUT, _STATED, f"it wrote {wrote:,.0f} tokens, as many as it may")
    if reply.finish in _GOOD_ENDS:
        return None
    reason = f"finish reason {one_line(reply.finish_word, limit=40)}"
    match reply.finish:
        case FinishReason.LENGTH:
            words = len(reply.text.split(maxsplit=_FEW_WORDS))
            if limit is not None and limit < _LEAST_LIMIT and 0 < words <= _FEW_WORDS:
                return None
            if _is_shown_as_cut(node):
                return None
            around = None if limit else _find_limit_around(node)
            limit = limit or (wrote if around else None)
            reason += f", at most {limit:,.0f} tokens were allowed" if limit else ""
            reason += f" by {around.title}" if around else ""
            return Suspect(node, Fault.CUT, _STATED, reason, limited_by=around)
        case FinishReason.FILTERED:
            return Suspect(node, Fault.BLOCKED, _READ_FROM_REPLY, reason)
        case FinishReason.MALFORMED_CALL:
            return Suspect(node, Fault.BAD_CALL, _STATED, reason)
        case FinishReason.ERROR if not reply.failure:
            return Suspect(node, Fault.FAILURE, _READ_FROM_REPLY, reason)
    return None


def _find_limit_around(node: Node) -> Node | None:
    """The nearest span around a call that was given a limit of as many tokens as the call wrote,
    where no limit was recorded with the call itself."""
    wrote, above = node.view.usage.completion, node.parent
    for _ in range(_LEVELS_UP):
        if above is None or not wrote:
            return None
        if above.view.request.token_limit == wrote:
            return above
        above = above.parent
    return None


def _is_shown_as_cut(node: Node) -> bool:
    """Whether one of the next steps was given the reply and put an ellipsis behind it: a preview,
    which is cut on purpose."""
    text = node.view.reply.text.strip()
    after = node.parent.children[:_SIBLINGS_READ] if node.parent and text else []
    return any(
        isinstance(shown, str)
        and shown.endswith(_ELLIPSES)
        and shown.rstrip(".… ") == text.rstrip(".… ")
        for step in after
        if step.start >= node.end
        for shown in step.view.output.first_values
    )


def _judge_calls(node: Node) -> Suspect | None:
    if node.view.output.is_cut:
        return None
    broken = [call for call in node.view.reply.calls if call.broken]
    if not broken:
        return None
    names = ", ".join(one_line(call.name or "unnamed", limit=60) for call in broken[:3])
    reason = f"the arguments of its call of {names} are not valid"
    text = broken[0].arguments
    if isinstance(text, str):
        reason += f" JSON: {one_line(explain_broken_json(text), limit=_EXPLAINED)}"
    return Suspect(node, Fault.BAD_CALL, _READ_FROM_REPLY, reason)


def _judge_refusal(node: Node) -> Suspect | None:
    """A refusal may be right: alone it is a weak sign."""
    reply = node.view.reply
    if reply.refusal:
        reason = f"refusal “{one_line(reply.refusal, limit=_REPLY_SHOWN)}”"
        return Suspect(node, Fault.REFUSAL, _STATED_REFUSAL, reason, Standing.WEAK)
    if reply.calls or not says_refusal(reply.text):
        return None
    reason = f"“{one_line(reply.text, limit=_REPLY_SHOWN)}”"
    return Suspect(node, Fault.REFUSAL, _REFUSAL_IN_WORDS, reason, Standing.WEAK)


def _judge_text(node: Node) -> Suspect | None:
    view = node.view
    if view.failure and not (_talks_of_a_failure(node) or _quotes_request(node)):
        reason = f"its reply says “{one_line(view.failure, limit=_REPLY_SHOWN)}”"
        about_errors = not view.reply.failure and _asks_about_errors(view.request)
        standing = Standing.WEAK if about_errors else Standing.FINDING
        if _may_speak_of_it(view.failure, view.request):
            standing = Standing.NOTE
        return Suspect(node, Fault.FAILURE, _READ_FROM_REPLY, reason, standing)
    if view.reply.calls:
        return None
    reason, sure = find_broken_json(node)
    if not reason:
        return None
    strength = _READ_FROM_REPLY if sure else _ASKED_IN_WORDS
    standing = Standing.FINDING if sure else Standing.WEAK
    return Suspect(node, Fault.BROKEN_JSON, strength, reason, standing)


def _talks_of_a_failure(node: Node) -> bool:
    """Whether the last message reports a failure, so that the reply is about that one."""
    view = node.view
    messages = view.request.messages
    return not view.reply.failure and bool(messages) and bool(find_failure(messages[-1].text))


def _quotes_request(node: Node) -> bool:
    """Whether the failure that the reply reports stands in what the model was asked."""
    start = node.view.failure[:_QUOTED].strip()
    return any(start in message.text for message in node.view.request.messages)


def _asks_about_errors(request: RecordedRequest) -> bool:
    """Whether the instruction asks about a failure, or holds a text that reports one: to be
    translated, say."""
    if FAILURE_WORDS.search(request.last_instruction[:_INSTRUCTION_READ]):
        return True
    parts = _QUOTES_AND_LINES.split(request.last_instruction[:_INSTRUCTION_READ])
    return any(find_failure_text(part.strip()) for part in parts)


def _may_speak_of_it(failure: str, request: RecordedRequest) -> bool:
    """Whether a sentence as gateways send it may be an answer, since the request is about that."""
    if find_reported_failure(failure) or not says_unserved(failure):
        return False
    text = " ".join(message.text[:_INSTRUCTION_READ] for message in request.messages)
    return shared_topic(failure, text)


def _judge_blank(node: Node, statistics: PeerStatistics) -> Suspect | None:
    view, reply = node.view, node.view.reply
    if view.output.is_cut or reply.text.strip() or reply.calls or reply.media or reply.refusal:
        return None
    unrecorded = view.output.state is BodyState.ABSENT
    if view.usage.completion == 0 and (unrecorded or _has_blank_texts(node)):
        reason = "a reply without text or tool calls, and no completion tokens"
        return Suspect(node, Fault.EMPTY, _READ_FROM_REPLY, reason)
    if not reply.is_blank:
        return None
    peers = statistics.of(node)
    if peers.read >= _FEW_PEERS and peers.full >= _MOST_PEERS * peers.read:
        reason = f"{peers.full} of {peers.read} calls of this name that were read have a reply"
        return Suspect(node, Fault.EMPTY, _STATED, reason)
    if reply.finish in (FinishReason.TOOL_CALLS, FinishReason.PAUSED):
        return None
    if unrecorded or view.input.state is BodyState.EMPTY:  # a blank input: texts were left out
        return None
    return Suspect(node, Fault.EMPTY, _READ_FROM_REPLY, "a reply without text or tool calls")


def _has_blank_texts(node: Node) -> bool:
    """Whether the output has places for the text of a reply, all of them blank."""
    texts = [leaf.value for leaf in node.view.output.leaves if leaf.key in TEXT]
    return bool(texts) and all(
        text in (None, [], {}) or (isinstance(text, str) and not text.strip()) for text in texts
    )
