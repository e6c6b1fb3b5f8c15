"""Lists of which only the first page was read, although the result states that there is more.

One page is often enough. It is a fault where the answer takes the items of the page for all, where
the program reports how many there are beside how many it took, and where a program asks a server
what it offers.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.leaves import Leaf
from app.analysis.recorded.spellings import kept_by_keys, key_set
from app.analysis.text.one_line import format_count, one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node, by_end

_FLAGS = key_set("has_more has_more_items has_next has_next_page is_truncated more_available")
_CURSORS = key_set(
    "next_cursor next_page_token next_token continuation_token next_page next_link next_url"
    " next_offset"
)
_TOTALS = key_set("total total_count total_results total_items total_records")
_KEYS = _FLAGS | _CURSORS
_TOTAL_START = "tot"
"""How the word begins in most European languages: `totalt`, `totale`, `totaal`."""
_OTHER_TOTALS = key_set(
    "gesamt insgesamt gesamtzahl anzahl_gesamt razem łącznie lacznie всего celkem ukupno összesen"
    " yhteensä toplam 合計 総数 总数 總數 共计 전체 총개수"
)
_METHOD = re.compile(
    r"(?:tools|resources|prompts|resources/templates)/list\Z|(?:\A|\W)list_?tools\Z", re.IGNORECASE
)
"""Of the Model Context Protocol: what a server offers, read once for all that follows."""
_LEAVES_READ = 2_000  # of a page: its cursor stands behind its items
_LEVELS_READ = 5  # above the items of a page
_FEWEST_ITEMS = 5  # of a page: a smaller number stands in an answer by chance
_INPUTS_READ = 20  # of calls of one name that may have read another page
_NUMBER = re.compile(r"(?<![\w.,:-])\d{1,6}(?![\w:]|[.,-]\d)")
_TEXT_READ = 20_000  # characters of an answer

# Confidences.
_OFFERS = 0.9
_COUNTED = 0.8
_MORE_STATED = 0.5  # nothing shows that all were wanted


class _Page(NamedTuple):
    """The items of a page by number, how many there are in all (0 where that is not stated), and
    the leaf that states that there are more."""

    node: Node
    items: int
    total: int
    more: Leaf


def find_unread_pages(analysis: TraceAnalysis) -> Iterator[Finding]:
    """One finding for each name of a call that read a first page and none after it."""
    seen: set[str] = set()
    for node in sorted(analysis.once(list_read_steps), key=by_end):
        name = node.function_name
        if name in seen or not (node.view.output.may_have_key(_KEYS) or _counts_pages(node)):
            continue
        page = _read_page(node)
        if page is None or _went_on(page, analysis):
            continue
        seen.update(each.function_name for each in node.path())  # a step around returns it as well
        yield _build(page, analysis)


def _counts_pages(node: Node) -> bool:
    """Whether an input has a number that may be that of the first page, and the result says how
    many items there are in all."""
    numbers = node.view.input.first_by_type.numbers if _choose_totals(node.view.output.keys) else ()
    return any(type(leaf.value) is int and leaf.value == 1 for leaf in numbers)


def _read_page(node: Node) -> _Page | None:
    items = _count_items(node.view.output.opened)
    if not items:
        return None
    leaves = list(node.view.output.list_leaves(_LEAVES_READ))
    above = [leaf for leaf in leaves if not any(isinstance(part, int) for part in leaf.path)]
    known = [leaf for leaf in leaves if leaf.key in _TOTALS]
    named = [leaf for leaf in (*known, *above) if _is_total(leaf.key) and type(leaf.value) is int]
    total = named[0] if named and named[0].value > items else None
    more = next((leaf for leaf in leaves if _states_more(leaf)), None)
    more = more or _find_next_page(node, above, total)
    return more and _Page(node, items, total.value if total is not None else 0, more)


@kept_by_keys
def _choose_totals(keys: frozenset[str]) -> frozenset[str]:
    return frozenset(filter(_is_total, keys))


def _is_total(key: str) -> bool:
    return key in _TOTALS or key in _OTHER_TOTALS or key.startswith(_TOTAL_START)


def _find_next_page(node: Node, leaves: Sequence[Leaf], total: Leaf | None) -> Leaf | None:
    """A total above the items of the first page, where the result repeats the number of the page,
    in any language, or has that of the second under another key."""
    if total is None:
        return None
    repeated = {(leaf.key, leaf.value) for leaf in leaves if type(leaf.value) is int}
    for page in node.view.input.first_by_type.numbers:
        if type(page.value) is int and page.value == 1:
            if (page.key, 1) in repeated:
                return total
            if any(key != page.key and value == 2 for key, value in repeated):
                return total
    return None


def _states_more(leaf: Leaf) -> bool:
    if leaf.key in _FLAGS:
        return leaf.value is True
    is_cursor = isinstance(leaf.value, str) or type(leaf.value) is int
    return leaf.key in _CURSORS and is_cursor and bool(leaf.value)


def _count_items(value: Any, level: int = 0) -> int:
    """The length of the longest list near the top of a result."""
    if isinstance(value, list):
        return len(value)
    if not isinstance(value, dict) or level >= _LEVELS_READ:
        return 0
    return max((_count_items(inner, level + 1) for inner in value.values()), default=0)


def _went_on(page: _Page, analysis: TraceAnalysis) -> bool:
    """Whether another call of the name was given something else, or anything the cursor."""
    node = page.node
    others = [each for each in analysis.peers_of(node) if each is not node]
    if any(not each.view.input.equals(node.view.input) for each in others[:_INPUTS_READ]):
        return True
    is_cursor = page.more.key in _CURSORS or isinstance(page.more.value, str)
    cursor = str(page.more.value).casefold() if is_cursor else ""
    steps = (each for each in analysis.once(list_read_steps) if each.start >= node.end)
    return bool(cursor) and any(cursor in each.view.input.canonical for each in steps)


def _build(page: _Page, analysis: TraceAnalysis) -> Finding:
    missed = _find_missed_call(page, analysis) if _METHOD.search(page.node.name) else None
    why, confidence = _explain(page, missed, analysis)
    standing = Standing.FINDING if why else Standing.WEAK
    of = f" of {page.total:,}" if page.total else ""
    states = f"{page.more.path[-1]} {page.more.value}"
    sentence = (
        f"{page.node.title} returned {format_count(page.items, 'item')}{of} and"
        f" {one_line(states, limit=60)}, but no call read the next page{why}."
    )
    numbers = {"items": page.items, "total": page.total}
    category = Category.CAUSE_OF_ERROR if missed is not None else Category.PARTIAL_RESULT
    nodes = [page.node, *([missed] if missed is not None else [])]
    return build_finding(category, confidence, sentence, nodes, numbers, standing=standing)


def _find_missed_call(page: _Page, analysis: TraceAnalysis) -> Node | None:
    """A later call of a tool that failed and that the page does not name."""
    leaves = page.node.view.output.list_leaves(_LEAVES_READ)
    listed = {leaf.value for leaf in leaves if isinstance(leaf.value, str)}
    for node in analysis.once(list_read_steps):
        name = node.view.tool_name
        if node.start >= page.node.end and node.view.has_failed and name and name not in listed:
            return node
    return None


def _explain(page: _Page, missed: Node | None, analysis: TraceAnalysis) -> tuple[str, float]:
    """Why all were wanted, as the end of a sentence, and how sure that is."""
    if missed is not None:
        name = one_line(missed.view.tool_name, limit=60)
        return f"; {name}, which it does not list, was called later and failed", _OFFERS
    if page.items < _FEWEST_ITEMS:
        return "", _MORE_STATED
    leaves = analysis.returned.leaves
    figures = {leaf.value for leaf in leaves if type(leaf.value) is int}
    if page.total and {page.items, page.total} <= figures:
        return f"; the trace returned {page.items:,} beside a total of {page.total:,}", _COUNTED
    texts = [leaf.value[:_TEXT_READ] for leaf in leaves if isinstance(leaf.value, str)]
    numbers = {number for text in texts for number in _NUMBER.findall(text)}
    if str(page.items) in numbers and str(page.total) not in numbers:
        return f"; the answer gives {page.items:,} as the number", _COUNTED
    return "", _MORE_STATED
