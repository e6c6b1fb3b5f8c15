"""Answers that say something else than the results that they rest on.

Whether an answer follows from a result is for a reader to say; found here is only what shows
without one: a flag or state that denies, and an answer that affirms and denies nothing; and an
answer whose figures are in no text that the model read, nor can be worked out from the result.
"""

import re
from collections.abc import Iterator

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.answer_text import affirms, denies
from app.analysis.recorded.body import Body
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.leaves import Leaf
from app.analysis.recorded.spellings import key_set, word_set
from app.analysis.rules.answer_writer import find_answer_writer
from app.analysis.rules.data_flow.figures import (
    MOST_NUMBERS,
    derive_numbers,
    find_figures,
    is_among,
)
from app.analysis.rules.lookups import list_tool_calls
from app.analysis.rules.recovery import asking_call, say_asked
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node, by_end

_DENIED = 0.7  # confidence: a flag is plain, what the answer says of it is read by few words
_OTHER_FIGURES = 0.6  # confidence: they may be known from elsewhere
_FLAGS = key_set(
    "available is_available availability in_stock allowed is_allowed permitted eligible is_eligible"
    " approved valid is_valid open is_open verified confirmed covered refundable cancellable safe"
    " is_safe accepted authorized authorised supported compatible passed reachable exists erlaubt"
    " verfügbar gültig genehmigt gedeckt zulässig disponible permitido autorizado elegible válido"
    " autorisé valide éligible couvert disponível autorizado coberto disponibile consentito"
)
_FLAG_ENDING = "free"  # nut_free, toll_free
_STATES = word_set(
    "expired denied rejected unavailable sold_out soldout closed blocked cancelled canceled overdue"
    " inactive invalid revoked suspended declined ineligible unpaid missing failed refused"
    " abgelaufen abgelehnt gesperrt storniert ausverkauft geschlossen ungültig agotado caducado"
    " rechazado cerrado cancelado vencido épuisé expiré refusé fermé annulé esgotado expirado"
    " recusado fechado abgesagt ausgefallen entfällt abgebrochen annullato annullata scaduto"
    " scaduta esaurito esaurita geannuleerd verlopen uitverkocht inställd inställt avlyst aflyst"
    " udsolgt slutsåld odwołany odwołane wygasły wyprzedany отменен отменён просрочен"
    " 取消 已取消 中止 売り切れ 매진 취소"
)
_STATE_KEYS = key_set("status state result decision verdict availability outcome standing estado")
_NOT_FIGURES = key_set(
    "id code zip phone version port page limit offset duration_ms took_ms status_code http_status"
)
_CALLS_READ = 12  # the last ones before an answer
_LEAVES_READ = 40  # of a result: one that says yes or no has few
_LARGEST = 1e15  # numbers below it are figures of something
_ANSWER_READ = 2_000  # characters
_TEXT_READ = 20_000  # characters of one text that the model read
_LEAST_SHARED = 2  # characters of a value of the input by which an answer is about it
_IN_STATEMENT = re.compile(r"['\"]([^'\"]{2,60})['\"]")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}:\d\d")


def find_ignored_results(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: the call that wrote the answer, with the result that it went against."""
    writer = analysis.once(find_answer_writer)
    if writer is None or not writer.view.reply.text:
        return
    answer = writer.view.reply.text[:_ANSWER_READ]
    calls = _list_calls(writer, analysis)
    for call in calls if affirms(answer) and not denies(answer) else ():
        facts = _list_facts(call) if _worked(call, analysis) else ()
        denial = next((leaf for leaf in facts if _says_no(leaf)), None)
        if denial is None or _was_tried_again(call, analysis) or not _is_about(answer, call):
            continue
        key = one_line(str(denial.path[-1]), limit=40)
        value = one_line(str(denial.value).lower(), limit=40)
        what = f"without any denial, though {call.title} had returned {key}: {value}"
        yield _build_finding(writer, call, what, _DENIED, analysis)
        return
    if not calls or not (_worked(calls[0], analysis) and _list_facts(calls[0])):
        return
    call = calls[0]
    if not _is_about(answer, call):
        return
    figure = _find_foreign_figure(answer, writer, call, analysis)
    if figure:
        what = (
            f"with the figure {figure}, which stands in nothing that it read and cannot be worked"
            f" out from what {call.title} had returned"
        )
        yield _build_finding(writer, call, what, _OTHER_FIGURES, analysis)


def _list_calls(writer: Node, analysis: TraceAnalysis) -> list[Node]:
    """The last calls of tools before the answer was written, the last one first."""
    calls = [node for node in analysis.once(list_tool_calls) if node.end <= writer.start]
    calls.sort(key=by_end, reverse=True)
    return calls[:_CALLS_READ]


def _worked(node: Node, analysis: TraceAnalysis) -> bool:
    view = node.view
    if not analysis.was_read(node) or view.has_failed:
        return False
    return view.output.state is BodyState.PRESENT and not view.returned_nothing


def _list_facts(call: Node) -> tuple[Leaf, ...]:
    """The leaves of a short result, which may say yes or no."""
    leaves = tuple(call.view.output.list_leaves(_LEAVES_READ + 1))
    return leaves if len(leaves) <= _LEAVES_READ else ()


def _is_about(answer: str, call: Node) -> bool:
    """Whether a value of the call's input stands in the answer."""
    low = answer.casefold()
    values = [str(leaf.value).casefold() for leaf in call.view.input.first_leaves]
    values += [name for value in values for name in _IN_STATEMENT.findall(value[:_ANSWER_READ])]
    return any(
        len(value) >= _LEAST_SHARED and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", low)
        for value in values
    )


def _says_no(leaf: Leaf) -> bool:
    """Whether a field of a result says no."""
    word = leaf.value.strip().casefold() if isinstance(leaf.value, str) else leaf.value
    if leaf.key in _FLAGS or leaf.key.endswith(_FLAG_ENDING):
        return word is False or word in ("false", "no", "nein")
    return leaf.key in _STATE_KEYS and isinstance(word, str) and word.replace(" ", "_") in _STATES


def _was_tried_again(call: Node, analysis: TraceAnalysis) -> bool:
    """Whether a call of the same name had another input, of which the answer may tell."""
    return any(
        peer is not call and not peer.view.input.equals(call.view.input)
        for peer in analysis.peers_of(call)
    )


def _find_foreign_figure(answer: str, writer: Node, call: Node, analysis: TraceAnalysis) -> str:
    """The first figure of an answer that was in no question, where none of them comes from what
    the model read; empty where the result has dates, many numbers or none."""
    numbers = _list_numbers(call.view.output)
    read = writer.view.input.canonical[:_TEXT_READ]
    returned = call.view.output.canonical[:_TEXT_READ]
    if not (read and returned and 0 < len(numbers) <= MOST_NUMBERS) or _DATE.search(returned):
        return ""
    asked = f"{analysis.given.canonical[:_TEXT_READ]} {call.view.input.canonical}"
    figures = [each for each in find_figures(answer) if each.text not in asked]
    known = {value for figure in find_figures(f"{read} {returned}") for value in figure.values}
    if any(not known.isdisjoint(each.values) for each in figures):
        return ""
    # An input is also the plan that a tool carried out, of which an answer may give the total; and
    # a list may have come in pages, or its items each by a call of its own.
    sources = (numbers, _list_numbers(call.view.input), _add_up_calls(call, analysis))
    for source in sources:
        derived = derive_numbers(source)
        if any(is_among(each, derived) for each in figures):
            return ""
    return figures[0].text if figures else ""


def _list_numbers(body: Body) -> list[float]:
    return [float(leaf.value) for leaf in _numbers_in(body)]


def _numbers_in(body: Body) -> list[Leaf]:
    """The numbers of a body that may be figures of an answer."""
    return [
        leaf
        for leaf in body.first_leaves
        if type(leaf.value) in (int, float)
        and abs(leaf.value) < _LARGEST
        and leaf.key not in _NOT_FIGURES
    ]


def _add_up_calls(call: Node, analysis: TraceAnalysis) -> list[float]:
    """The sum and the mean of the numbers under each key in the results of all calls of a tool."""
    columns: dict[str, list[float]] = {}
    for each in analysis.once(list_tool_calls):
        if each.function_name == call.function_name and analysis.was_read(each):
            for leaf in _numbers_in(each.view.output):
                columns.setdefault(leaf.key, []).append(float(leaf.value))
    totals = [sum(column) for column in columns.values()]
    return totals + [sum(column) / len(column) for column in columns.values()]


def _build_finding(
    writer: Node, call: Node, what: str, confidence: float, analysis: TraceAnalysis
) -> Finding:
    asked = asking_call(call, analysis)
    answer = one_line(writer.view.reply.text, limit=80)
    sentence = f"{writer.title} answered “{answer}” {what}{say_asked(asked)}."
    nodes = [writer, call, *([asked] if asked else [])]
    return build_finding(Category.IGNORED_RESULT, confidence, sentence, nodes)
