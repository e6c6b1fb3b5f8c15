"""Model calls that were asked with an empty message: what should stand in it was lost before."""

import re
from collections.abc import Iterator
from itertools import islice

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.grouping import group_by
from app.analysis.recorded.answer_text import says_blank
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.leaves import Leaf
from app.analysis.recorded.spellings import key_set
from app.analysis.text.one_line import format_count
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node

_TEXTS = key_set("text content output result body page_content transcript markdown html value data")
"""Keys under which results hold their text."""
_MESSAGE_TEXTS = key_set("content text parts prompt input")
_MEDIA = key_set(
    "url uri image image_url source data bytes file file_id file_data file_uri inline_data audio"
    " input_audio video document media_type mime_type attachment attachments"
)
"""Keys of what a message may hold instead of a text."""
_ENDS_WITH_LABEL = re.compile(
    r"(?:^|\n)[ \t]*[\[<(*]*(?:user|human|usuario|utilisateur|benutzer|utente|question|query|frage"
    r"|pregunta|domanda|input|text|transcript|document|message)[\])>*]*[ \t]*:?[*\s]*\Z",
    re.IGNORECASE,
)
"""A prompt of one text whose last part has a label and nothing else."""
_LABEL_READ = 60  # last characters of a prompt
_EARLIER_READ = 20  # spans before the call: what it was to read was fetched shortly before
_HIGHEST_LEVEL = 1  # in the same step, or before it
_SHOWN = 3
_WITH_SOURCE = 0.85
_ALONE = 0.7  # why the message is empty is not recorded


def find_empty_prompts(analysis: TraceAnalysis) -> Iterator[Finding]:
    """The calls by name, each group with the results before them whose text is empty."""
    asked = [
        node
        for node in analysis.once(list_model_calls)
        if _asks_nothing(node, analysis) or _ends_with_label(node, analysis)
    ]
    for calls in group_by(asked, lambda node: node.name).values():
        yield _build_finding(calls, analysis)


def _asks_nothing(call: Node, analysis: TraceAnalysis) -> bool:
    """Whether the messages of the user hold nothing but an empty text, also no image, and the model
    wrote a text. One that calls a tool goes on with what it knows of a conversation of which only
    the last message is recorded."""
    given = call.view.input
    if not given.may_have_empty or given.state is not BodyState.PRESENT:
        return False
    if call.view.reply.calls or not call.view.reply.text or says_blank(call.view.reply.text):
        return False
    if not any(_is_empty_text(leaf, _MESSAGE_TEXTS) for leaf in given.leaves):
        return False
    if not given.keys.isdisjoint(_MEDIA):
        return False
    messages = call.view.request.messages
    asked = [message for message in messages if message.role != "system"]
    if not asked or any(message.role != "user" or message.calls for message in asked):
        return False
    return all(not message.text.strip() for message in asked) and not _holds_result(call, analysis)


def _ends_with_label(call: Node, analysis: TraceAnalysis) -> bool:
    """Whether a prompt of one text ends where the user's text should stand, and an earlier result
    is empty: by itself the label may be how the program asks for the next words."""
    messages = call.view.request.messages
    if len(messages) != 1 or not _ENDS_WITH_LABEL.search(messages[0].text[-_LABEL_READ:]):
        return False
    return bool(call.view.reply.text) and _find_source(call, analysis) is not None


def _holds_result(call: Node, analysis: TraceAnalysis) -> bool:
    """Whether a message bears the name of an earlier span: the result of a tool, which may rightly
    return nothing."""
    names = {leaf.value for leaf in call.view.input.leaves if leaf.key == "name"}
    earlier = analysis.tree.finished_before(call, _EARLIER_READ)
    return any(node.name in names for node in earlier)


def _is_empty_text(leaf: Leaf, keys: frozenset[str]) -> bool:
    value = leaf.value
    return leaf.key in keys and (
        value in (None, []) or (isinstance(value, str) and not value.strip())
    )


def _build_finding(calls: list[Node], analysis: TraceAnalysis) -> Finding:
    sources = [source for call in calls if (source := _find_source(call, analysis)) is not None]
    asked = f"{calls[0].title} was asked with an empty message"
    if len(calls) > 1:
        asked += f" in {format_count(len(calls), 'call')}"
    if not sources:
        return build_finding(Category.LOST_VALUE, _ALONE, f"{asked}.", calls)
    sentence = f"{sources[0].title} returned an empty text, and {asked}."
    nodes = [*sources[:_SHOWN], *calls]
    return build_finding(Category.EMPTY_RESULT, _WITH_SOURCE, sentence, nodes)


def _find_source(call: Node, analysis: TraceAnalysis) -> Node | None:
    """The nearest result before the call whose text is empty."""
    for level, node in islice(analysis.tree.earlier(call), _EARLIER_READ):
        if level > _HIGHEST_LEVEL:
            return None
        output = node.view.output
        if node.error is not None or not analysis.was_read(node) or not output.may_have_empty:
            continue
        if any(_is_empty_text(leaf, _TEXTS) for leaf in output.leaves):
            return node
    return None
