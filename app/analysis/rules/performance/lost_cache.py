"""Prompts that providers no longer read from their cache."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.rules.performance.prompt_texts import count_equal, find_same_text, read_prompt
from app.analysis.text.one_line import format_count, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node, by_start
from app.token_estimate import estimate_tokens

_LEAST_PROMPT = 1_024  # tokens: providers cache nothing shorter
_CACHED_SHARE = 0.3  # of a prompt: a long beginning was cached, not only a few blocks of it
_LOST_SHARE = 0.05  # of a prompt: what remains of a cache that no longer serves
_LEAST_AFTER = 2  # calls without in a row: the first may follow an eviction
_AFTER_ONE = 3  # the same after a single call with cached tokens, which was hardly a habit
_MISSES_BEFORE = 0.2  # share of the calls between those with cached tokens: else prompts take turns
_LEAST_UNREAD = 4  # calls none of which read from the cache: the first ones may fill it
_WRITTEN_SHARE = 0.5  # of a prompt: it was meant to be read again
_SAME_TOKENS = 0.05  # of those read: what was written anew, and a few that made it differ
_LEAST_LENGTH = 0.7  # of the prompts before: a shorter prompt is another kind of call
_EXPIRY = 240_000_000  # microseconds without a call (4 min): caches of 5 min may have expired
_SHARED_WORDS = 0.8  # of the words and numbers of both prompts: the same in another order
_SHARED_TEXT = 0.5  # of the shorter prompt: a cache would have served that much
_BEFORE_CALL = 60  # spans before a call among which the one that built its prompt is looked for
_LINKING_TEXT = 60  # characters of the changed beginning, as they stand in that span's output
_LEAST_LINKING = 8  # of them at least: a word or two stand in many outputs
_BEGINNING_READ = 600  # characters of a prompt in which a time or an id stands
_BEGINNING_COMPARED = 200  # of them, without those: two sentences that do not agree by chance
_WITH_DIGIT = re.compile(r"[\w.:+-]*\d[\w.:+-]*")
_SHOWN = 50  # characters of the beginnings in the sentence
_CHANGED_BEGINNING = 0.9  # confidence: the loss and its reason were both recorded
_SAME_TEXT = 0.7  # confidence: the loss was recorded, its reason lies with provider or settings
_UNREAD = 0.65  # confidence: prompts of equal length may still be of different kinds


@dataclass(frozen=True, slots=True)
class _Loss:
    """Calls in order: `before` were served from the cache, `after` were not."""

    before: Sequence[Node]
    after: Sequence[Node]


def find_lost_caches(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Series of calls of one name and model whose cached tokens fall to nothing and stay there,
    though the prompts are as long as before, or that never read it.

    A prompt that only has other data than the one before missed nothing: a cache is lost where most
    of the text is the same, and another beginning or another order keeps it from being served.
    """
    series: dict[tuple[str, str], list[Node]] = {}
    for node in analysis.tree.nodes:
        if node.view.is_model_call and (node.view.usage.prompt or 0.0) >= _LEAST_PROMPT:
            series.setdefault((node.name, node.span.model or ""), []).append(node)
    for calls in series.values():
        calls.sort(key=by_start)
        loss = _find_loss(calls) or _find_single_loss(calls)
        if loss is not None:
            yield from _explain_loss(loss, analysis)
        else:
            yield from _explain_unread_calls(calls, analysis)


def _find_loss(calls: Sequence[Node]) -> _Loss | None:
    """The last place at which cached tokens fell to nothing for the rest of the series."""
    place = len(calls)
    while place > 0 and _cached_share(calls[place - 1]) <= _LOST_SHARE:
        place -= 1
    after = calls[place:]
    before = [node for node in calls[:place] if _cached_share(node) >= _CACHED_SHARE]
    if not before or len(after) < (_LEAST_AFTER if len(before) > 1 else _AFTER_ONE):
        return None
    between = calls[calls.index(before[0]) : place]
    if len(between) - len(before) > _MISSES_BEFORE * len(between):
        return None
    usual = median(node.view.usage.prompt or 0.0 for node in before)
    if any((node.view.usage.prompt or 0.0) < _LEAST_LENGTH * usual for node in after):
        return None
    return None if after[1].start - after[0].end > _EXPIRY else _Loss(before, after)


def _find_single_loss(calls: Sequence[Node]) -> _Loss | None:
    """The only call between served ones that was not, and wrote to the cache what they had read."""
    served = [_cached_share(node) >= _CACHED_SHARE for node in calls]
    missed = [place for place in range(1, len(calls) - 1) if not served[place]]
    if len(missed) != 1 or not (served[place := missed[0] - 1] and served[place + 2]):
        return None
    before, call, after = calls[place : place + 3]
    read, written = before.view.usage.cached or 0.0, call.view.usage.created or 0.0
    if abs(written - read) > _SAME_TOKENS * read or after.start - before.end > _EXPIRY:
        return None
    return _Loss([before], [call])


def _cached_share(node: Node) -> float:
    usage = node.view.usage
    return (usage.cached or 0.0) / (usage.prompt or 1.0)


def _explain_loss(loss: _Loss, analysis: TraceAnalysis) -> Iterator[Finding]:
    """The finding, unless the prompts before and after have different texts."""
    last, first = loss.before[-1], loss.after[0]
    change = _compare_prompts(last, first, analysis)
    if change is None:
        yield _build_loss_finding(loss, [first], "", _UNREAD)
    elif change.is_alike:
        yield _build_loss_finding(loss, [first], ", though the prompts begin alike", _SAME_TEXT)
    elif change.is_same_text:
        where = f"; the prompt now has {change.new} where it had {change.old}"
        builder = _find_builder(first, change.beginning, analysis)
        where += f", as {builder[0].title} returned it" if builder else ""
        yield _build_loss_finding(loss, [*builder, first], where, _CHANGED_BEGINNING)


def _explain_unread_calls(calls: Sequence[Node], analysis: TraceAnalysis) -> Iterator[Finding]:
    """Calls none of which read its prompt from the cache, since the prompts begin differently: each
    wrote most of it there, or they part in numbers only, as of a time or a request."""
    if len(calls) < _LEAST_UNREAD or any(map(_cached_share, calls)):
        return
    if calls[1].start - calls[0].end > _EXPIRY:
        return
    change = _compare_prompts(calls[0], calls[1], analysis)
    if change is None or change.is_alike or not change.is_same_text:
        return
    created = [node.view.usage.created or 0.0 for node in calls]
    prompts = [node.view.usage.prompt or 0.0 for node in calls]
    builder = _find_builder(calls[1], change.beginning, analysis)
    came = f", as {builder[0].title} returned it" if builder else ""
    parts = f"the second prompt has {change.new} where the first has {change.old}{came}"
    name = calls[0].title
    if all(map(_is_most, created, prompts)):
        sentence = (
            f"{name} wrote {sum(created):,.0f} tokens to the prompt cache in {len(calls)} calls and"
            f" read none of them: {parts}."
        )
    elif change.is_long_but_for_numbers and all(node.view.usage.cached == 0 for node in calls):
        sentence = (
            f"{name} read none of the {sum(prompts):,.0f} tokens of its {len(calls)} prompts from"
            f" the cache: {parts}, and they begin alike but for numbers and ids."
        )
    else:
        return
    nodes = [*builder, calls[1]]
    numbers = {"written": sum(created), "prompt": sum(prompts)}
    yield build_finding(
        Category.LOST_CACHE, _CHANGED_BEGINNING, sentence, nodes, numbers, more=calls
    )


def _is_most(written: float, prompt: float) -> bool:
    return written >= _WRITTEN_SHARE * (prompt or 1.0)


@dataclass(frozen=True, slots=True)
class _Change:
    """How one prompt differs from the one before: whether it begins alike, or else has most of the
    text behind the difference; whether that text alone is long enough for a cache and they begin
    alike but for numbers and ids; how both go on where they part, quoted and, of the new one, as
    it stands there."""

    is_alike: bool
    is_same_text: bool
    is_long_but_for_numbers: bool
    old: str
    new: str
    beginning: str


def _compare_prompts(before: Node, after: Node, analysis: TraceAnalysis) -> _Change | None:
    """None where the prompts were not read, or not as much of both."""
    if not (analysis.was_read(before) and analysis.was_read(after)):
        return None
    old, new = read_prompt(before.view), read_prompt(after.view)
    if not (old and new) or before.view.input.is_cut is not after.view.input.is_cut:
        return None
    shared = _count_shared(old, new)
    least = _SHARED_TEXT * min(len(old), len(new))
    same = find_same_text(old[shared:], new[shared:])
    begins_alike = shared >= least
    is_moved = len(same) >= least or _measure_shared_words(old, new) >= _SHARED_WORDS
    return _Change(
        begins_alike and (_is_long(old[:shared]) or not _holds_media(after)),
        is_moved and not begins_alike,
        _is_long(same) and _without_numbers(old) == _without_numbers(new),
        f"“{one_line(old[shared:], limit=_SHOWN)}”",
        f"“{one_line(new[shared:], limit=_SHOWN)}”",
        new[shared : shared + _LINKING_TEXT],
    )


def _is_long(text: str) -> bool:
    """Whether a provider would cache this text."""
    return estimate_tokens(text) >= _LEAST_PROMPT


def _holds_media(call: Node) -> bool:
    """Whether a prompt has images or files, whose tokens and differences its text does not show."""
    return any(message.media for message in call.view.request.messages)


def _measure_shared_words(one: str, other: str) -> float:
    """The share of all words, numbers and ids of both texts that stand in both, 0 to 1."""
    a, b = set(one.split()), set(other.split())
    return len(a & b) / max(1, len(a | b))


def _without_numbers(prompt: str) -> str:
    return _WITH_DIGIT.sub("#", prompt[:_BEGINNING_READ])[:_BEGINNING_COMPARED]


def _count_shared(old: str, new: str) -> int:
    """How many characters both begin with, up to the last blank in them."""
    return old.rfind(" ", 0, count_equal(old, new)) + 1


def _find_builder(call: Node, beginning: str, analysis: TraceAnalysis) -> list[Node]:
    """The nearest span before the call whose output holds the changed beginning of its prompt."""
    if len(beginning) < _LEAST_LINKING:
        return []
    for _, node in islice(analysis.tree.earlier(call), _BEFORE_CALL):
        if analysis.was_read(node) and not node.view.is_model_call:
            for leaf in node.view.output.leaves:
                if isinstance(leaf.value, str) and beginning in leaf.value:
                    return [node]
    return []


def _build_loss_finding(
    loss: _Loss, culprits: Sequence[Node], where: str, confidence: float
) -> Finding:
    cached = median(node.view.usage.cached or 0.0 for node in loss.before)
    uncached = sum(node.view.usage.prompt or 0.0 for node in loss.after)
    first = loss.after[0]
    left = max(node.view.usage.cached or 0.0 for node in loss.after)
    sentence = (
        f"{first.title} read {cached:,.0f} tokens of its prompt from the cache (median of"
        f" {format_count(len(loss.before), 'call')}), then at most {left:,.0f} in the last"
        f" {format_count(len(loss.after), 'call')}{where}; {uncached:,.0f} prompt tokens since."
    )
    numbers = {"cached_before": cached, "calls_before": len(loss.before)}
    numbers |= {"calls_after": len(loss.after)}
    nodes = [*culprits, *loss.after]
    return build_finding(Category.LOST_CACHE, confidence, sentence, nodes, numbers)
