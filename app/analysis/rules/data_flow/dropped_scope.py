"""Answers about something that the trace was asked for and no call was made for.

A query without the store that the question names returns the figure of the whole chain, and the
answer gives it as that of the store.
"""

import re
from collections.abc import Iterator

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.body import Body
from app.analysis.rules.answer_writer import find_answer_writer
from app.analysis.rules.asked_words import AskedWords
from app.analysis.rules.data_flow.named_values import names_subject
from app.analysis.rules.recovery import asking_call, say_asked
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_CONFIDENCE = 0.55  # a tool may know the subject from its session: a weak sign alone
_NAME = re.compile(
    r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[a-z])[\w]+(?:-[\w]+)*(?![\w-])|\d+-\d+(?![\w-])"
)
_DATE = re.compile(r"\d{4}-\d\d|\d{1,2}(?:st|nd|rd|th|h|am|pm|kg|km|x|d)$|q[1-4]$")
_SHORTEST = 3  # characters of a name or number: shorter ones stand anywhere
_LONGEST = 60
_TEXT_READ = 20_000  # characters of a body in which a name is looked for
_MOST_NAMES = 8


def find_dropped_scope(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: a name or number of the question that stands in the answer, but neither in what
    any tool was given nor in what one returned."""
    names = _asked_names(analysis)
    answer = _read_text(analysis.returned)
    names = [name for name in names if _holds(answer, name)]
    if not names:
        return
    writer = analysis.once(find_answer_writer)
    asked = analysis.once(AskedWords)
    calls = [node for node in analysis.tree.nodes if node.view.calls_tool]
    if writer is None or not calls or not all(analysis.was_read(node) for node in calls):
        return
    about = [node for node in calls if asked.is_asked_for(node) and node.end <= writer.start]
    if not about or about[-1].view.returned_nothing or about[-1].error is not None:
        return
    texts = [_read_text(body) for node in calls for body in (node.view.input, node.view.output)]
    texts += [each.text.casefold() for each in writer.view.request.messages if each.role != "user"]
    name = next((each for each in names if not any(_holds(text, each) for text in texts)), "")
    if name:
        yield _build_scope_finding(name, about[-1], writer, analysis)


def _build_scope_finding(name: str, call: Node, writer: Node, analysis: TraceAnalysis) -> Finding:
    asked = asking_call(call, analysis)
    sentence = (
        f"The answer is about “{one_line(name, limit=40)}”, as the trace was asked, but no call of"
        f" a tool was given it or returned it; {call.title} was the last before {writer.title}"
        f" answered{say_asked(asked)}."
    )
    nodes = [call, *([asked] if asked else []), writer]
    return build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, nodes, standing=Standing.WEAK)


def _asked_names(analysis: TraceAnalysis) -> list[str]:
    """Names with digits in the texts of the trace's input, and the values of its identifying keys
    where a text names them, too."""
    leaves = analysis.given.leaves
    texts = [leaf.value.casefold() for leaf in leaves if isinstance(leaf.value, str)]
    question = " ".join(text[:_TEXT_READ] for text in texts if " " in text.strip())
    names = dict.fromkeys(_NAME.findall(question))
    for leaf in leaves:
        value = str(leaf.value).casefold()
        if names_subject(leaf.key) and value in question:
            names.setdefault(value)
    kept = [name for name in names if _SHORTEST <= len(name) <= _LONGEST and not _DATE.search(name)]
    return kept[:_MOST_NAMES]


def _holds(text: str, name: str) -> bool:
    """Whether a name stands in a text, and not only inside a longer one."""
    return name in text and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def _read_text(body: Body) -> str:
    return body.canonical[:_TEXT_READ]
