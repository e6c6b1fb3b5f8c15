"""Errors that name the slot of a template which an earlier step had dropped from a text.

A translation or a rewriting is to keep `{count}`; what fills in the text afterwards misses it.
"""

import re
from collections.abc import Iterator
from itertools import islice

from app.analysis.error_origins import error_message, find_error_origins
from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body import Body
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_CONFIDENCE = 0.95  # the error has the name of the slot, and the text had it before that step
_MOST_ERRORS = 5
_STEPS_READ = 200  # before an error
_LEAVES_READ = 40
_TEXT_READ = 20_000  # characters
_MESSAGE_READ = 2_000
_NAMED = re.compile(r"['\"`‘“{]([^\W\d]\w{0,40})['\"`’”}]")
_BESIDE = 12  # characters beside a slot, which a translation changes
_LEAST_BESIDE = 4  # of them, without blanks: fewer occur in any text
_LEAST_LEFT = 0.3  # of the length of a text: a step that returns less returned another thing


def find_dropped_slots(analysis: TraceAnalysis) -> Iterator[Finding]:
    """For each error that ended the trace the first step that dropped the slot it names."""
    fatal = (item.origin for item in analysis.once(find_error_origins) if item.fatal)
    for node in islice(fatal, _MOST_ERRORS):
        assert node.error is not None
        for name in _NAMED.findall(error_message(node.error)[:_MESSAGE_READ]):
            slot = f"{{{name}}}"
            earlier = islice(analysis.tree.earlier(node), _STEPS_READ)
            steps = [each for _, each in earlier if analysis.was_read(each)]
            dropped = [each for each in steps if _drops(each, slot)]
            if dropped and not any(slot in text for text in _list_texts(node.view.input)):
                yield _build_finding(dropped, node, slot)
                break


def _drops(node: Node, slot: str) -> bool:
    """Whether a step was given a text with a slot and returned a text like it without any."""
    given = [text for text in _list_texts(node.view.input) if slot in text]
    if not given or node.error is not None:
        return False
    texts = [node.view.reply.text] if node.view.is_model_call else _list_texts(node.view.output)
    longest = max(texts, key=len, default="")
    if any(slot in text for text in texts) or _was_filled_in(given[0], slot, longest):
        return False
    return len(longest) >= _LEAST_LEFT * len(given[0])


def _was_filled_in(given: str, slot: str, returned: str) -> bool:
    """Whether what stands beside a slot is still there: then a value took its place."""
    before, _, after = given.partition(slot)
    beside = (before[-_BESIDE:].strip(), after[:_BESIDE].strip())
    return any(len(each) >= _LEAST_BESIDE and each in returned for each in beside)


def _list_texts(body: Body) -> list[str]:
    leaves = body.first_leaves(_LEAVES_READ)
    return [leaf.value[:_TEXT_READ] for leaf in leaves if isinstance(leaf.value, str)]


def _build_finding(dropped: list[Node], failed: Node, slot: str) -> Finding:
    first = min(dropped, key=lambda node: (node.end, -node.depth))
    sentence = (
        f"{one_line(first.name, limit=60)} was given a text with {one_line(slot, limit=40)} and"
        f" returned one without it, and later {one_line(failed.name, limit=60)} failed with"
        f" {one_line(error_message(failed.error), limit=120) if failed.error else 'an error'}."
    )
    return build_finding(Category.CAUSE_OF_ERROR, _CONFIDENCE, sentence, [first, *dropped, failed])
