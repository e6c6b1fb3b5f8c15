"""Replies whose numbers differ from those of the text that the model was given for them.

Two numbers have changed places ("5 for, 6 against" is summed up as "6 for, 5 against"), a number
was copied with other digits (of 9 closed libraries 19 are left), or the reply has nothing of the
result that was its last message, and figures and a name from nowhere instead.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.answer_text import denies, gives_up
from app.analysis.recorded.body import Body
from app.analysis.text.figures import can_come_from, find_figures
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node

_SWAPPED = 0.8  # confidence: the same words with each other's numbers
_MISCOPIED = 0.65  # confidence: the other number may come from elsewhere
_NOTHING_USED = 0.65  # confidence: the model may know it from elsewhere
_CALLS_READ = 200  # model calls of a trace
_REPLY_READ = 1_500  # characters: a longer reply tells of many things
_SOURCE_READ = 4_000  # characters of the last message
_SHORT_SOURCE = 600  # characters of a message that holds no more than what is handed over
_SHORT_REPLY = 300  # characters
_MOST_NUMBERS = 12  # of a result
_LEAST_VALUE = 4  # characters of a name in a result

_NUMBER = r"(?<![\w.,:/-])(\d{1,7}(?:[.,]\d{1,3})?)"
_NUMBER_WORD = re.compile(rf"{_NUMBER}\s?([^\W\d_]{{2,20}})")
_WORD_NUMBER = re.compile(rf"([^\W\d_]{{2,20}})\s?[:=]?\s?{_NUMBER}(?![\w:/-]|[.,]\d)")
_TEXT_VALUE = re.compile(r'"\s?:\s?"([^"]{3,60})"|"([^"]{4,60})"(?=\s?[,\]])')
_NUMBER_VALUE = re.compile(r'"\s?:\s?(\d{1,9}(?:\.\d+)?)')
_NAME = re.compile(r"(?<=[^\W\d_] )[^\W\d_a-zß-ÿ][^\W\d_]{3,}(?: [^\W\d_a-zß-ÿ][^\W\d_]{2,})*")


def find_reply_numbers(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one of each kind: the first model call that wrote such a reply."""
    kinds: set[str] = set()
    for node in analysis.once(list_model_calls)[:_CALLS_READ]:
        reply = node.view.reply
        text = reply.text
        if reply.calls or not text or len(text) > _REPLY_READ or node.error is not None:
            continue
        if not any(map(str.isdigit, text)) or not node.view.request.messages:
            continue
        for kind, confidence, what in _judge_numbers(text, node, analysis):
            if kind not in kinds:
                kinds.add(kind)
                sentence = f"{one_line(node.name, limit=60)} {what}."
                yield build_finding(Category.IGNORED_RESULT, confidence, sentence, [node])


def _judge_numbers(
    text: str, node: Node, analysis: TraceAnalysis
) -> Iterator[tuple[str, float, str]]:
    """Kind, confidence and description of what is wrong with the numbers of a reply."""
    messages = node.view.request.messages
    source = messages[-1].text
    if len(source) <= _SOURCE_READ:
        swapped = _find_swapped(text, source)
        if swapped:
            yield "swapped", _SWAPPED, swapped
        elif len(source) <= _SHORT_SOURCE and len(text) <= _SHORT_REPLY:
            copied = _find_miscopied(text, source, analysis)
            if copied:
                yield "copied", _MISCOPIED, copied
        if messages[-1].role == "tool" and len(messages) > 1:
            foreign = _find_foreign(text, [message.text for message in messages])
            if foreign:
                yield "foreign", _NOTHING_USED, foreign


def _pair_words(pattern: re.Pattern[str], text: str, word_at: int) -> dict[str, str]:
    """The only number beside each word of a text; words that have several are left out."""
    found: dict[str, set[str]] = {}
    for match in pattern.finditer(text):
        word, number = match[word_at].casefold(), match[3 - word_at]
        found.setdefault(word, set()).add(number)
    return {word: next(iter(numbers)) for word, numbers in found.items() if len(numbers) == 1}


def _find_swapped(text: str, source: str) -> str:
    """Two words with each other's number."""
    for pattern, word_at in ((_NUMBER_WORD, 2), (_WORD_NUMBER, 1)):
        replied = _pair_words(pattern, text, word_at)
        if len(replied) < 2:
            continue
        given = _pair_words(pattern, source, word_at)
        shared = [word for word in replied if word in given]
        for one, other in combinations(shared, 2):
            a, b = given[one], given[other]
            if a != b and (replied[one], replied[other]) == (b, a):
                return (
                    f"has {one} {b} and {other} {a} in its reply, where the text that it was given"
                    f" has {one} {a} and {other} {b}"
                )
    return ""


def _find_miscopied(text: str, source: str, analysis: TraceAnalysis) -> str:
    """A number beside a word that has another one in a short source, of which it repeats digits."""
    replied = _pair_words(_NUMBER_WORD, text, 2)
    given = _pair_words(_NUMBER_WORD, source, 2) if replied else {}
    for word, number in replied.items():
        known = given.get(word)
        if known is None or len(word) < _LEAST_VALUE or number == known:
            continue
        if re.search(rf"(?<!\d){re.escape(known)}(?!\d)", text) or number in source:
            continue
        if not _repeats_digits(number, known) or number in Body(analysis.trace.input).canonical:
            continue
        numbers = [each.replace(",", ".") for each in re.findall(_NUMBER, source)]
        if _follows(number.replace(",", "."), numbers):
            continue
        return (
            f"replied “{number} {word}”, where all that it was given has “{known} {word}” and no"
            f" {number}"
        )
    return ""


def _repeats_digits(one: str, other: str) -> bool:
    """Whether a number is another with one digit more or less, or with its digits mixed."""
    short, long = sorted((one, other), key=len)
    if len(short) == len(long):
        return len(long) > 1 and sorted(short) == sorted(long)
    return len(long) == len(short) + 1 and (long.startswith(short) or long.endswith(short))


def _follows(number: str, numbers: Sequence[str]) -> bool:
    """Whether a number is a sum, a difference or a product of others, or rests on a ratio."""
    value = float(number)
    values = [float(each) for each in numbers]
    derived = [sum(values), float(len(values))]
    for a, b in permutations(values, 2):
        derived += (a + b, a - b, a * b, a / b if b else a)
    for a, b, c in permutations(values[:_MOST_NUMBERS], 3):
        derived.append(a * b / c if c else a)
    return any(abs(value - each) <= 0.01 * value for each in derived)


def _find_foreign(text: str, messages: Sequence[str]) -> str:
    """A name with a figure from nowhere in a reply that has nothing of the last result."""
    result = messages[-1]
    values = {a or b for a, b in _TEXT_VALUE.findall(result)}
    values = {value for value in values if len(value) >= _LEAST_VALUE}
    numbers = [float(each) for each in _NUMBER_VALUE.findall(result)]
    if not values or not 0 < len(numbers) <= _MOST_NUMBERS:
        return ""
    low = text.casefold()
    if any(value.casefold() in low for value in values) or gives_up(text) or denies(text):
        return ""
    figures = find_figures(text)
    read = " ".join(messages)[-20 * _SOURCE_READ :]
    names = [name for name in _NAME.findall(text) if name.casefold() not in read.casefold()]
    if not figures or not names:
        return ""
    known = {value for figure in find_figures(read) for value in figure.values}
    if any(not known.isdisjoint(each.values) or can_come_from(each, numbers) for each in figures):
        return ""
    return (
        f"replied with {one_line(names[0], limit=40)} and {figures[0].text}, which stand in nothing"
        f" that it read, and with nothing of the result before it, as"
        f" {one_line(min(values), limit=40)}"
    )
