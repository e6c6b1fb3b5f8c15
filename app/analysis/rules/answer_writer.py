"""Which model call wrote the answer of a trace, and what it had read just before."""

import re
from itertools import islice

from app.analysis.recorded.body import spell_canonical, spell_start
from app.analysis.rules.recovery import asking_call
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node, by_end

_QUOTED = 60  # characters of a reply by which it is found in the answer
_SHORTEST = 8  # characters of a reply that is not found in an answer by chance
_TEXT_READ = 4_000  # characters of a reply
_JSON_TEXT = re.compile(r'"([^"\\]{20,60})')  # what may be the answer in an object, not its key
_EARLIER_READ = 60  # spans before the answer among which its last result is looked for


def find_answer_writer(analysis: TraceAnalysis) -> Node | None:
    """The last model call whose reply stands in the output of the trace or of its first root; where
    none does, as after a translation, the last one that wrote a text."""
    answers = [analysis.returned.canonical]
    answers += [root.view.output.canonical for root in analysis.tree.roots[:1]]
    last: Node | None = None
    calls = analysis.once(list_model_calls)
    for node in sorted(calls, key=by_end, reverse=True):
        text = node.view.reply.text[:_TEXT_READ]
        quoted = [spell_start(text, _QUOTED)]
        if not quoted[0] or node.error is not None:
            continue
        if quoted[0].startswith("{"):  # a program opens it and returns its members
            quoted += [max(_JSON_TEXT.findall(spell_canonical(text)), key=len, default="")]
        if any(len(part) >= _SHORTEST and any(part in each for each in answers) for part in quoted):
            return node
        last = last or node
    return last


def find_last_result(writer: Node, analysis: TraceAnalysis) -> list[Node]:
    """The last call of a tool that ended before a model call, and the call that asked for it."""
    for _, node in islice(analysis.tree.earlier(writer), _EARLIER_READ):
        if node.view.calls_tool and analysis.was_read(node):
            asked = asking_call(node, analysis)
            if asked is not None:
                return [node, asked]
    return []
