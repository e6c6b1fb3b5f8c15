"""Prompts of which the server read a part only, without a word.

Ollama and llama.cpp drop the beginning of what does not fit into the context that they were started
with, down to half of it, and answer the rest as if nothing was missing.
"""

from collections.abc import Iterator

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node

_CONFIDENCE = 0.85  # lengths of tokens vary, though not so much
_MOST_BY_TOKEN = 6.0  # characters: English has four to five, other text fewer
_MOST_OF_LONGER = 4.5  # the same where the prompt is longer than what was recorded of it
_LEAST_READ = 0.45  # of the context: half of it is kept; less was served from a cache
_DEFAULT_CONTEXTS = frozenset(2**power + more for power in range(11, 18) for more in range(5))
"""Sizes that servers start with, and halves of them, with a few tokens that are kept: a prompt of
exactly so many tokens was cut to it."""
_CUT_FLAG = "truncated"  # of llama.cpp's replies


def find_cut_prompts(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Model calls whose server says that it cut the prompt, or counted far fewer tokens than the
    prompt has, beside the size of a context that it filled."""
    for node in analysis.once(list_model_calls):
        read = node.view.usage.prompt
        given = sum(len(message.text) for message in node.view.request.messages)
        limit = node.view.request.context_limit
        if read is None or not given:
            continue
        is_longer = node.view.input.is_cut
        most = _MOST_OF_LONGER if is_longer else _MOST_BY_TOKEN
        if given > most * read and _fills(read, limit):
            size = f" of a context of {limit:,.0f}" if limit else ""
            what = f"its server counted {read:,.0f} tokens{size} for {given:,} characters"
            what += " and more" * is_longer
        elif _says_cut(node):
            what = f"its server says that it was cut ({_CUT_FLAG}: true)"
        else:
            continue
        sentence = f"A part of the prompt of {node.title} was dropped: {what}."
        yield build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, [node])


def _fills(read: float, limit: float | None) -> bool:
    """Whether so many tokens are what remains of a prompt that was cut to a context."""
    if limit is None:
        return read in _DEFAULT_CONTEXTS
    return _LEAST_READ * limit <= read <= limit


def _says_cut(node: Node) -> bool:
    output = node.view.output
    if not output.may_have_key({_CUT_FLAG}) or not isinstance(output.opened, dict):
        return False
    return output.opened.get(_CUT_FLAG) is True
