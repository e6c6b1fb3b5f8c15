"""Who gave a step what it failed with: an earlier step, or a model that made a name up."""

import re
from collections.abc import Collection
from itertools import chain, islice
from typing import Any

from app.analysis.error_origins import ErrorOrigin, error_message
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.leaves import Leaf, walk_leaves
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_EARLIER_READ = 200  # spans before the failed one: what is handed on was made shortly before
_LEAST_VALUES = 2  # values of an input: a single one may be equal by chance
_NAMES_A_THING = re.compile(
    r"KeyError|unknown|invalid|not (?:a )?valid|no such|not exist|not found|unsupported"
    r"|no attribute|not defined|unrecogni[sz]ed|undefined|unexpected (?:keyword|argument|value)"
    r"|not registered|not (?:one|among|in)\b|no (?:route|agent|worker|tool|node|handler)",
    re.IGNORECASE,
)
_NO_TOOL = re.compile(
    r"\b(?:tool|function)\s['\"`]?([^\s'\"`]{3,120})['\"`]?\s(?:\w{2,5}\s)?not\s"
    r"(?:found|exist|available|registered|defined|known|recogni[sz]ed)"
    r"|\b(?:unknown|no\ssuch|unrecogni[sz]ed|invalid|undefined|no)\s(?:tool|function)"
    r"(?:\s(?:named?|called|call))?:?\s['\"`]?([^\s'\"`,:]{3,120})"
    r"|['\"`]?([^\s'\"`]{3,120})['\"`]?\sis\snot\sa\s(?:valid|known|registered)\s(?:tool|function)",
    re.IGNORECASE,
)
_TEXT_READ = 20_000  # characters of a text in which a name is looked for
_LEAVES_READ = 200  # of the arguments of a call
_MOST_SPANS_SEARCHED = 2_000  # bounds the search before one error; the nearest calls come first
_PATH_READ = 10  # spans that a failed one passed its error on to
_MESSAGE_READ = 2_000  # characters of an error message
_INSIDE_READ = 40  # spans below a failed one: a parser holds a call or two
_SHORTEST_NAME = 3  # characters: shorter values occur in several places by chance


def list_calls_inside(node: Node, analysis: TraceAnalysis) -> list[Node]:
    """The last model call in a span, if it worked: the span may have parsed its reply."""
    below = analysis.tree.below(node)[1 : _INSIDE_READ + 1]
    calls = [each for each in below if each.view.is_model_call and each.error is None]
    return calls[-1:]


def find_giver(node: Node, analysis: TraceAnalysis) -> Node | None:
    """The nearest earlier step whose result is the whole input of this one, also where that holds
    it under a single key; None where there is none."""
    given = node.view.input
    if given.state is not BodyState.PRESENT or given.is_cut:
        return None
    inputs = [given.opened]
    if isinstance(given.opened, dict) and len(given.opened) == 1:
        inputs += given.opened.values()
    inputs = [each for each in inputs if _says_enough(each)]
    if not inputs:
        return None
    for _, earlier in islice(analysis.tree.earlier(node), _EARLIER_READ):
        if earlier.finished and earlier.error is None and analysis.was_read(earlier):
            output = earlier.view.output
            if output.opened in inputs or output.result.opened in inputs:
                return earlier
    return None


def _says_enough(value: Any) -> bool:
    return isinstance(value, (dict, list)) and len(value) >= _LEAST_VALUES


def _find_tool_names(item: ErrorOrigin) -> frozenset[str]:
    """The names of tools that an error, or one to which it led, says do not exist; they may stand
    there without quotation marks."""
    errors = [node.error for node in item.path[:_PATH_READ] if node.error is not None]
    found = [_NO_TOOL.findall(error_message(each)[:_MESSAGE_READ]) for each in errors]
    return frozenset(name for names in found for each in names for name in each if name)


def find_namer(
    item: ErrorOrigin, message: str, names: Collection[str], analysis: TraceAnalysis
) -> tuple[Node, str] | None:
    """The model call that named what an error says does not exist, and the name; `names` are those
    that its message quotes.

    A name that the trace was given counts for nothing: the model only passed it on.
    """
    failed = item.origin
    long = {name for name in names if len(name) >= _SHORTEST_NAME} | _find_tool_names(item)
    if not long or not _NAMES_A_THING.search(message):
        return None
    long -= {name for leaf in analysis.given.leaves for name in long if _holds(leaf, name)}
    earlier = (node for _, node in islice(analysis.tree.earlier(failed), _MOST_SPANS_SEARCHED))
    for node in chain(list_calls_inside(failed, analysis), earlier):
        if not long:
            return None
        if node.view.is_model_call and analysis.was_read(node):
            named = next((name for name in sorted(long) if _says_name(node, name)), None)
            if named is not None:
                return node, named
    return None


def _says_name(call: Node, name: str) -> bool:
    """Whether a reply names exactly this: as its whole text, a called tool, or inside arguments."""
    reply = call.view.reply
    if reply.text.strip().strip("\"'`.") == name:
        return True
    if any(each.name == name for each in reply.calls):
        return True
    leaves = (
        leaf for each in reply.calls for leaf in walk_leaves(each.arguments, most=_LEAVES_READ)
    )
    return any(_holds(leaf, name) for leaf in leaves) or f'"{name}"' in reply.text[:_TEXT_READ]


def _holds(leaf: Leaf, name: str) -> bool:
    return isinstance(leaf.value, str) and name in leaf.value[:_TEXT_READ]
