"""Arguments in which two digits changed places: a model that read `A-2107` asks for `A-2170`.

Nothing that the model read has the value that it wrote, and it read the other one. Dates are left
to `mistaken_dates`: the last day of a month is one that a model works out.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.leaves import walk_keyed_values
from app.analysis.recorded.recorded_call import RecordedCall
from app.analysis.rules.data_flow.named_values import names_subject
from app.analysis.rules.failures.suspects import came_to_nothing
from app.analysis.rules.lookups import list_tool_calls
from app.analysis.rules.recovery import is_named_after
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import CLOCK_TOLERANCE, Node, by_start

_CODE = 0.85  # confidence: an id of which nothing but the order of two digits is another
_NUMBER = 0.75  # a number alone, and the call found nothing
_LONGEST = 30  # characters of a value
_FEWEST_DIGITS = 3  # of an id; a number with two may be turned by chance
_DATE_OR_TIME = re.compile(r"\d{4}-\d\d|\d{1,2}[.:/]\d\d")
_CALLS_READ = 12  # of one reply
_VALUES_READ = 40  # of one call
_STEPS_READ = 40  # after a model call, among which is the one that it asked for


def find_mistaken_numbers(analysis: TraceAnalysis) -> Iterator[Finding]:
    """One finding for each model call that wrote such an argument, with the call that has it."""
    for writer in analysis.once(list_model_calls):
        for call in writer.view.reply.calls[:_CALLS_READ]:
            finding = _judge(writer, call, analysis)
            if finding is not None:
                yield finding
                break


def _judge(writer: Node, call: RecordedCall, analysis: TraceAnalysis) -> Finding | None:
    values = [*_list_values(call)]
    if not values:
        return None
    texts = [each.text for each in writer.view.request.messages if each.role != "assistant"]
    texts.append(analysis.given.canonical)
    for value, is_id in values:
        given = _find_turned(value, texts)
        node = _find_call(writer, call, value, analysis) if given else None
        if node is None or not (is_id or _found_nothing(node)):
            continue
        sentence = (
            f"{writer.title} asked {node.title} for {value}, which nothing that it read has, though"
            f" it read {one_line(given, limit=40)}: two digits changed places."
        )
        confidence = _CODE if is_id else _NUMBER
        return build_finding(Category.LOST_VALUE, confidence, sentence, [writer, node])
    return None


def _list_values(call: RecordedCall) -> Iterator[tuple[str, bool]]:
    """The arguments with digits, and whether they are ids for sure."""
    for number, (key, value) in enumerate(walk_keyed_values(call.arguments)):
        text = str(value).strip() if type(value) in (int, str) else ""
        if number >= _VALUES_READ or len(text) > _LONGEST or " " in text:
            continue
        digits = sum(map(str.isdigit, text))
        if digits < 2 or _DATE_OR_TIME.search(text):
            continue
        is_code = digits < len(text) and any(map(str.isalpha, text))
        yield text, digits >= _FEWEST_DIGITS and (is_code or names_subject(key))


def _find_turned(value: str, texts: Sequence[str]) -> str:
    """The same value with two neighbouring digits turned, where a text has it and none this one."""
    low = value.casefold()
    texts = [text.casefold() for text in texts]
    if any(low in text for text in texts):
        return ""
    for at in range(len(low) - 1):
        first, second = low[at], low[at + 1]
        if first != second and first.isdigit() and second.isdigit():
            turned = low[:at] + second + first + low[at + 2 :]
            whole = re.compile(rf"(?<![\w.,-]){re.escape(turned)}(?![\w-]|[.,]\d)")
            if any(turned in text and whole.search(text) for text in texts):
                return value[:at] + second + first + value[at + 2 :]
    return ""


def _found_nothing(node: Node) -> bool:
    return came_to_nothing(node) or [] in node.view.output.first_values


def _find_call(
    writer: Node, call: RecordedCall, value: str, analysis: TraceAnalysis
) -> Node | None:
    """The span of a call that a reply asked for, with the value in its input."""
    earliest = writer.end - CLOCK_TOLERANCE
    later = (node for node in analysis.once(list_tool_calls) if node.start >= earliest)
    for node in islice(sorted(later, key=by_start), _STEPS_READ):
        if is_named_after(node, call.name) and value.casefold() in node.view.input.canonical:
            return node
    return None
