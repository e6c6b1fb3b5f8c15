"""Answers that a model gave although every search of the trace had found nothing."""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.answer_text import begins_with_negation, gives_up
from app.analysis.recorded.body import spell_canonical
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.emptiness import count_found
from app.analysis.recorded.refusal_text import says_refusal
from app.analysis.recorded.spellings import word_set
from app.analysis.rules.answer_writer import find_answer_writer
from app.analysis.rules.asked_words import AskedWords, telling_words
from app.analysis.rules.data_flow.other_versions import describe_other_version, find_other_version
from app.analysis.rules.failures.empty_origin import find_empty_origin
from app.analysis.rules.input_values import quote_input
from app.analysis.rules.lookups import (
    is_lookup,
    is_search,
    leaves_program,
    list_tool_calls,
    searches_memory,
)
from app.analysis.rules.recovery import asking_call
from app.analysis.rules.symptoms import find_symptom, was_rated_well
from app.analysis.text.one_line import format_count, list_first
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node
from app.analysis.user_question import asked_question

_ANSWERED = 0.7  # confidence: the answer may rest on what the model knows from elsewhere
_WITH_SYMPTOM = 0.85  # confidence: a bad score or a failed end says that it does not
_TEXT_READ = 600  # characters of one text
_WORD = re.compile(r"[\w-]+")
_SHORTEST_ANSWER = 40  # characters: a shorter reply is a label or a query, not an answer
_SHORTEST_QUOTED = 12  # characters of a reply that is no label where the trace ends with it
_FIGURE = re.compile(r"(?<![\w.,:/-])\d{1,9}(?:[.,]\d{1,3})?(?=\s?(?:[€$£%°]|[^\W\d_]))")
_ANSWER_READ = 4_000  # characters
_RESULT_READ = 20_000  # characters of one result
_LONG_NUMBER = re.compile(r"(?<![\w.,:/-])\d{3,9}(?!\w|[.,:/-]\d)")
"""Numbers of an answer that are not found by chance: years, amounts, numbers of records."""
_DIGITS = re.compile(r"\d{1,9}")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[.,' \u00a0\u202f](?=\d{3}(?!\d))")
_NUMBERS_READ = 400  # different numbers of a prompt, of which two may make one
_NAMES_SHOWN = 3  # of searches in a sentence
_PEERS_READ = 20  # other searches of the name
_LEAST_SHARED = 3  # words of an answer that stand in a result: fewer are names of the subject
_GREETINGS = word_set(
    "thanks thank hi hello hey bye goodbye ok okay great danke hallo tschüss merci bonjour salut"
    " gracias hola obrigado obrigada olá grazie ciao bedankt tack hej 谢谢 你好 ありがとう"
)
_MOST_WORDS = 5  # of a greeting: a longer text asks for something besides


def find_unsupported_answers(analysis: TraceAnalysis) -> Iterator[Finding]:
    """One finding where all searches of the trace returned nothing and a model answered later.

    An answer that admits it, or refuses, is none: `find_silent_failures` weighs those searches. So
    it does with a memory of earlier conversations, which is empty at first.
    """
    inner, what = _list_fruitless(analysis)
    if not inner:
        yield from _find_invented(analysis)
        return
    answer = _find_answer(max(node.end for node in inner), analysis)
    if answer is None or was_rated_well(analysis) or _is_small_talk(analysis):
        return
    if _rests_on_others(answer, inner, analysis) or _went_on(answer, inner, analysis):
        yield from _find_invented(analysis)
        return
    symptom = analysis.once(find_symptom)
    other = find_other_version(inner[0], analysis)
    what += describe_other_version(other)
    sentence = f"{_name_all(inner)} {what}, and {answer.title} answered all the same"
    sentence += f"; {symptom}." if symptom else "."
    confidence = _WITH_SYMPTOM if symptom else _ANSWERED
    origin = find_empty_origin(inner[-1], analysis)
    if origin not in inner:
        sentence = f"{origin.title} {'failed' if origin.error else 'found nothing'}; {sentence}"
    nodes = [*inner, answer] if origin in inner else [origin, *inner, answer]
    nodes += [other.node] if other else []
    # An answer that begins with "no" may say just that; then a bad end has to speak against it.
    admits = begins_with_negation(answer.view.reply.text) and not symptom
    admits = admits and not _states_figures(answer, analysis)
    yield build_finding(
        Category.EMPTY_RESULT,
        confidence,
        sentence,
        nodes,
        {"searches": len(inner)},
        standing=Standing.NOTE if admits else Standing.FINDING,
    )


def _find_invented(analysis: TraceAnalysis) -> Iterator[Finding]:
    """A search that found nothing, though other calls found something, with an answer that has a
    number which stands in nothing that was read before, and is no result of two numbers of its
    prompt."""
    empty = [node for node in analysis.tree.nodes if node.view.returned_nothing]
    known = [node for node in empty if _can_be_judged(node, analysis)]
    searches = [node for node in known if is_search(node) and not searches_memory(node)]
    searches = [
        node
        for node in _keep_innermost(searches)
        if all(peer.view.returned_nothing for peer in analysis.peers_of(node)[:_PEERS_READ])
    ]
    answer = _find_answer(max(node.end for node in searches), analysis) if searches else None
    if answer is None or was_rated_well(analysis):
        return
    number = _find_unread_number(answer, analysis)
    if number:
        sentence = (
            f"{_name_all(searches)} {_found_nothing(searches)}, and {answer.title} answered all the"
            f" same with {number}, which stands in nothing that was read before."
        )
        nodes = [*searches, answer]
        yield build_finding(Category.EMPTY_RESULT, _ANSWERED, sentence, nodes)


def _find_unread_number(answer: Node, analysis: TraceAnalysis) -> str:
    """The first long number of an answer that nothing before it holds, "" where there is none."""
    found = _LONG_NUMBER.findall(answer.view.reply.text[:_ANSWER_READ])
    if not found:
        return ""
    read = [analysis.given.canonical, answer.view.input.canonical]
    for node in analysis.tree.nodes:
        if node.start < answer.start and analysis.was_read(node):
            read.append(node.view.input.canonical)
            read.append(node.view.output.canonical if node.end <= answer.start else "")
    text = _BETWEEN_DIGITS.sub("", " ".join(each[:_RESULT_READ] for each in read))
    prompt = _BETWEEN_DIGITS.sub("", answer.view.input.canonical[:_RESULT_READ])
    numbers = set(sorted({int(each) for each in _DIGITS.findall(prompt)})[:_NUMBERS_READ])
    return next(
        (
            each
            for each in found
            if each not in text
            and not any(int(each) - a in numbers or a - int(each) in numbers for a in numbers)
            and not any(a and int(each) % a == 0 and int(each) // a in numbers for a in numbers)
        ),
        "",
    )


def _rests_on_others(answer: Node, fruitless: Sequence[Node], analysis: TraceAnalysis) -> bool:
    """Whether the answer has several words and numbers that are in no question but in what other
    calls had returned."""
    words = telling_words(answer.view.reply.text[:_ANSWER_READ].casefold())
    words -= telling_words(analysis.given.canonical[:_ANSWER_READ])
    empty = {node.id for node in fruitless}
    shared: set[str] = set()
    for node in analysis.tree.nodes:
        if node.id in empty or node.end > answer.start or not _can_be_judged(node, analysis):
            continue
        if leaves_program(node) and not node.view.returned_nothing:
            shared |= words & telling_words(node.view.output.canonical[:_RESULT_READ])
            if len(shared) >= _LEAST_SHARED:
                return True
    return False


def _went_on(answer: Node, fruitless: Sequence[Node], analysis: TraceAnalysis) -> bool:
    """Whether a model that had asked for the searches called another tool after them, which
    returned something: then the answer rests on that."""
    last = fruitless[-1]
    if asking_call(last, analysis) is None:
        return False
    return any(
        last.end <= node.start <= node.end <= answer.start
        and not node.view.returned_nothing
        and node.error is None
        and asking_call(node, analysis) is not None
        for node in analysis.once(list_tool_calls)
    )


def _states_figures(answer: Node, analysis: TraceAnalysis) -> bool:
    """Whether an answer has a number with a unit, or of something, that was in no question and no
    prompt."""
    read = f"{answer.view.input.canonical} {analysis.given.canonical}"
    found = _FIGURE.findall(answer.view.reply.text[:_TEXT_READ])
    return bool(read.strip()) and any(figure not in read for figure in found)


def _list_fruitless(analysis: TraceAnalysis) -> tuple[list[Node], str]:
    """All searches of the trace if none found anything; else all lookups for what the trace was
    asked, if none of them did; or the last step that dropped what they had found. With what to say
    of them; nothing where some results were left."""
    known = [node for node in analysis.tree.nodes if _can_be_judged(node, analysis)]
    emptied = [node for node in known if _drops_all(node)]
    if not emptied and not any(node.view.returned_nothing for node in known):
        return [], ""
    known = [node for node in known if not searches_memory(node)]
    emptied = [node for node in emptied if node in known]
    searches = _keep_innermost([node for node in known if is_search(node)])
    if any(_found_some(node) for node in known):
        searches = []
    if searches and all(node.view.returned_nothing for node in searches):
        given = quote_input(searches[0], analysis)
        what = f"{_found_nothing(searches)}{given and f' for {given}'}"
        return searches, f"{what}, no other search found anything" if len(searches) > 1 else what
    if emptied and emptied[-1].end == max(node.end for node in [*searches, *emptied]):
        return emptied[-1:], "returned none of the results that it was given"
    asked = analysis.once(AskedWords)
    about = [node for node in known if asked.is_asked_for(node)]
    lookups = _keep_innermost([node for node in about if is_lookup(node.function_name)] or about)
    if lookups and all(node.view.returned_nothing for node in lookups):
        what = f"{_found_nothing(lookups)}, no other lookup for what was asked found anything"
        return lookups, what
    return [], ""


def _found_some(node: Node) -> bool:
    """Whether a call of a tool says that it found something, whatever its name."""
    return leaves_program(node) and bool(count_found(node.view.output))


def _name_all(nodes: Sequence[Node]) -> str:
    names = list(dict.fromkeys(node.title for node in nodes))
    return list_first(names[:_NAMES_SHOWN], len(names))


def _found_nothing(nodes: Sequence[Node]) -> str:
    calls = f" in {format_count(len(nodes), 'call')}" if len(nodes) > 1 else ""
    return f"found nothing{calls}"


def _drops_all(node: Node) -> bool:
    """Whether a step was given results of a search and returned none of them."""
    return count_found(node.view.output) == 0 and bool(count_found(node.view.input))


def _can_be_judged(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether a span did not fail and its output was recorded."""
    return (
        analysis.was_read(node)
        and node.error is None
        and not node.view.is_model_call
        and node.view.output.state is not BodyState.ABSENT
    )


def _keep_innermost(nodes: Sequence[Node]) -> list[Node]:
    return [
        node
        for node, following in zip_longest(nodes, nodes[1:])
        if following is None or following.index >= node.index + node.size
    ]


def _is_small_talk(analysis: TraceAnalysis) -> bool:
    """Whether the trace was only given a greeting or thanks, to which no search finds anything."""
    question = analysis.once(asked_question)[:_TEXT_READ]
    words = _WORD.findall(question.casefold())
    return 0 < len(words) <= _MOST_WORDS and words[0] in _GREETINGS


def _is_answer(text: str, analysis: TraceAnalysis) -> bool:
    """Whether a reply is no label or query: it is long, or stands in the output of the trace."""
    if len(text) >= _SHORTEST_ANSWER:
        return True
    is_long = len(text) >= _SHORTEST_QUOTED
    return is_long and spell_canonical(text) in analysis.returned.canonical


def _find_answer(after: int, analysis: TraceAnalysis) -> Node | None:
    """The model call that wrote the answer of the trace, if it began when the searches had ended,
    or else the last one that did; None where its reply is no answer."""
    calls = [
        node
        for node in analysis.once(list_model_calls)
        if node.start >= after and node.error is None
    ]
    if not calls:
        return None
    writer = analysis.once(find_answer_writer)
    last = max(calls, key=lambda node: (node is writer, node.end, node.index))
    text = last.view.reply.text.strip()
    if not _is_answer(text, analysis) or gives_up(text) or says_refusal(text):
        return None
    return last
