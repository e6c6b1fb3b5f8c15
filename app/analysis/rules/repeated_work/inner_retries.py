"""Retries that happened inside one span, seen only in its metadata, its events or its output."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.spellings import key_set, plain_key
from app.analysis.rules.repeated_work.attempts import is_rate_limit_text
from app.analysis.text.one_line import format_duration, format_percent
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_COUNT_KEYS = key_set(
    "retries retry_count num_retries retry_attempts n_retries retries_used total_retries"
    " http.request.resend_count resend_count retried"
)
"""Numbers of further attempts; `http.request.resend_count` is OpenTelemetry's."""
_ATTEMPT_KEYS = key_set("attempts attempt_count total_attempts num_attempts tries n_attempts")
"""Numbers or lists of attempts, the first included."""
_LIST_KEYS = _ATTEMPT_KEYS | key_set("retries retry_history attempt_log retry_log events")
_SETTINGS = key_set("config settings params parameters options policy limits retry_policy kwargs")
_MOST_RETRIES = 1_000  # more is another number under a similar name
_LEAST_RETRIES = 3  # one or two are what retries are for
_LARGE_SHARE = 0.1  # share of the trace that the span takes, to matter
_MOST_OF_IT = 0.5  # share with which retries alone explain why the trace was slow
_LONG = 5_000_000  # microseconds (5 s) of it: longer than a short trace makes nobody wonder
_MEMBERS_READ = 100
_ITEMS_READ = 200  # attempts or events of one span
_LEVELS = 2  # wrappers around a count; deeper lies content
_EVENT_WORDS = ("retry", "retries", "backoff", "throttl")
_TEXT_READ = 300  # characters of an event or attempt in which it says what happened
_RECORDED = 0.75  # confidence: the span's own record has the number
_BY_LIMIT = 0.1  # added where it also says why: a rate limit


class _Retries(NamedTuple):
    times: int = 0
    limited: bool = False


def find_inner_retries(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Spans that retried several times inside and took much of the trace, if no span below shows
    the attempts."""
    for node in analysis.tree.nodes:
        if not analysis.was_read(node):
            continue
        retries = _read_retries(node)
        if retries.times >= _LEAST_RETRIES and len(node.children) < retries.times:
            yield _build_inner_finding(node, retries, analysis)


def _read_retries(node: Node) -> _Retries:
    """The largest number of retries that the metadata or the output speaks of."""
    output = node.view.output
    found = list(_counted_in(node.span.metadata, 0, stated=True)) if node.span.metadata else []
    if output.may_have_key(_LIST_KEYS):
        found += _counted_in(output.opened, 0, stated=False)
    return max(found, key=lambda each: (each.limited, each.times), default=_Retries())


def _counted_in(value: Any, level: int, *, stated: bool) -> Iterator[_Retries]:
    """Counts of retries in a record, and lists of them; numbers only where `stated`, since those of
    an output may be content."""
    if not isinstance(value, dict):
        return
    for name, inner in islice(value.items(), _MEMBERS_READ):
        if isinstance(inner, (str, float)):
            continue
        key = plain_key(name)
        if key in _SETTINGS:
            continue
        if stated and _is_small_count(inner):
            if key in _COUNT_KEYS:
                yield _Retries(inner, _is_limited(value))
            elif key in _ATTEMPT_KEYS:
                yield _Retries(inner - 1, _is_limited(value))
        elif isinstance(inner, list) and key in _LIST_KEYS:
            yield _count_failures(inner)
        elif level < _LEVELS:
            yield from _counted_in(inner, level + 1, stated=stated)


def _is_small_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST_RETRIES


def _count_failures(items: list[Any]) -> _Retries:
    """Events and attempts that speak of a retry or a rate limit."""
    texts = [_read_text(item) for item in items[:_ITEMS_READ]]
    limited = [is_rate_limit_text(text) for text in texts]
    failed = sum(
        a or any(word in text for word in _EVENT_WORDS)
        for a, text in zip(limited, texts, strict=True)
    )
    return _Retries(failed, any(limited))


def _is_limited(value: Mapping[str, Any]) -> bool:
    return is_rate_limit_text(_read_text(value))


def _read_text(value: Any) -> str:
    """The beginnings of the plain values of an object and of those inside it, in lower case."""
    if not isinstance(value, dict):
        return str(value)[:_TEXT_READ].lower() if isinstance(value, str) else ""
    parts: list[str] = []
    for inner in list(value.values())[:_MEMBERS_READ]:
        members = list(inner.values())[:_MEMBERS_READ] if isinstance(inner, dict) else [inner]
        parts.extend(
            str(each)[:_TEXT_READ] for each in members if isinstance(each, (str, int, float))
        )
    return " ".join(parts)[: _TEXT_READ * _MEMBERS_READ].lower()


def _build_inner_finding(node: Node, retries: _Retries, analysis: TraceAnalysis) -> Finding:
    share = node.duration / max(1, analysis.profile.duration)
    is_sure = retries.limited or (share >= _MOST_OF_IT and node.duration >= _LONG)
    standing = Standing.FINDING if is_sure else Standing.WEAK
    if share < _LARGE_SHARE:
        standing = Standing.NOTE
    limited = " after a rate limit" if retries.limited else ""
    sentence = (
        f"{node.title} retried {retries.times} times inside{limited}, as its own"
        f" record says; it took {format_duration(node.duration)},"
        f" {format_percent(node.duration, analysis.profile.duration)} of the trace."
    )
    return build_finding(
        Category.RETRIES,
        _RECORDED + _BY_LIMIT * retries.limited,
        sentence,
        [node],
        {"attempts": retries.times + 1, "failures": retries.times},
        standing=standing,
    )
