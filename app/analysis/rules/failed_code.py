"""Which model call wrote the code that a span ran."""

import re
from collections.abc import Iterator
from itertools import islice

from app.analysis.recorded.leaves import walk_leaves
from app.analysis.recorded.reply import RecordedReply
from app.analysis.recorded.spellings import key_set
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_PROGRAM_KEYS = key_set(
    "code script source source_code program snippet python python_code cmd command cell code_block"
)
_CODE_KEYS = _PROGRAM_KEYS | key_set("sql statement expression query_string sql_query")
_RUNNER_NAME = re.compile(
    r"python|code|exec|interpret|repl|jupyter|sandbox|shell|bash|terminal|notebook",
    re.IGNORECASE,
)
_NAME_READ = 200  # characters
_SHORTEST_CODE = 12  # characters: a shorter text may occur in a reply by chance
_LONGEST_CODE = 20_000  # characters of a reply in which the code is looked for
_EARLIER_READ = 60  # spans before a run: the call that wrote the code is near
_LEAVES_READ = 40  # of the arguments of one call


def find_writer(node: Node, analysis: TraceAnalysis) -> Node | None:
    """The model call before a run of code that wrote it, or None.

    It is the nearest one whose reply holds the code that the span was given. Where the span runs
    code by its name but was given none, it is the nearest one whose reply has a block of code.
    """
    if node.view.is_model_call or not analysis.was_read(node):
        return None
    code = _given_code(node)
    if not code and not _RUNNER_NAME.search(node.name[:_NAME_READ]):
        return None
    for _, earlier in islice(analysis.tree.earlier(node), _EARLIER_READ):
        if not (earlier.view.is_model_call and analysis.was_read(earlier)):
            continue
        reply = earlier.view.reply
        if any(code in text for text in _texts(reply)) if code else "```" in reply.text:
            return earlier
    return None


def runs_program(node: Node) -> bool:
    """Whether a span runs a program, rather than a query that is corrected at little cost."""
    return not _PROGRAM_KEYS.isdisjoint(node.view.input.keys) or (
        _RUNNER_NAME.search(node.name[:_NAME_READ]) is not None
    )


def _given_code(node: Node) -> str:
    """The longest text under a key for code in the input, without what surrounds it."""
    texts = [
        leaf.value.strip()
        for leaf in node.view.input.leaves
        if leaf.key in _CODE_KEYS and isinstance(leaf.value, str)
    ]
    longest = max(texts, key=len, default="")
    return longest[:_LONGEST_CODE] if len(longest) >= _SHORTEST_CODE else ""


def _texts(reply: RecordedReply) -> Iterator[str]:
    yield reply.text[:_LONGEST_CODE]
    for call in reply.calls:
        for leaf in walk_leaves(call.arguments, most=_LEAVES_READ):
            if isinstance(leaf.value, str):
                yield leaf.value[:_LONGEST_CODE]
