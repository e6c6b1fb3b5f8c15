"""Results of another time than the one that was asked for: of last year, or no longer in force."""

import re
from collections.abc import Iterator
from itertools import product

from app.analysis.recorded.body import Body
from app.analysis.recorded.leaves import Leaf
from app.analysis.recorded.names import has_word
from app.analysis.recorded.spellings import key_set, word_set
from app.analysis.text.one_line import one_line
from app.analysis.tree import Node

ENDS_OF_VALIDITY = key_set(
    "valid_until valid_to valid_till valid_through validity_end effective_to effective_until"
    " applies_until in_force_until gültig_bis gueltig_bis valable_jusqu_au válido_hasta"
    " valido_hasta vigente_hasta valido_fino_a válido_até valido_ate geldig_tot giltig_till"
    " gyldig_til ważne_do"
)
_LEAVES_READ = 20  # of an input or a result: what states its time is short
_DATE = re.compile(r"((?:19|20)\d\d)-\d\d-\d\d(?:\Z|[T ])")
_YEAR = re.compile(r"(?:19|20)\d\d\Z")
_YEARS = word_set(
    "year jahr año ano année annee anno jaar år rok год 年 年度 연도 edition season term vintage"
)
"""Words of keys whose number is a year: another may be a limit or an amount."""
_DAY = 10  # characters of a date


def explain_other_time(node: Node) -> str:
    """How a short result shows that it is of another year than was asked for, or of a source that
    was no longer in force then; empty where nothing shows it."""
    if not node.view.calls_outside:
        return ""
    given = [leaf for leaf in node.view.input.first_leaves if leaf.path and _read_year(leaf.value)]
    result = list(node.view.output.result.list_leaves(_LEAVES_READ + 1)) if given else []
    if not result or len(result) > _LEAVES_READ:
        return ""
    return next(_find_other_year(given, result, node.view.output.result), "") or next(
        _find_past_end(given, result), ""
    )


def _find_other_year(given: list[Leaf], result: list[Leaf], body: Body) -> Iterator[str]:
    """The one year or date under a key that the call was given with another year."""
    if not isinstance(body.opened, dict):
        return
    for asked, leaf in product(given, result):
        year, found = _read_year(asked.value), _read_year(leaf.value)
        if _YEAR.match(str(leaf.value)) and not has_word(str(asked.path[-1]), _YEARS):
            continue
        is_own = asked.key == leaf.key and sum(leaf.key == each.key for each in result) == 1
        if is_own and year and found and year != found:
            yield f"it is of {_show(leaf)} where {_show(asked)} was asked for"


def _find_past_end(given: list[Leaf], result: list[Leaf]) -> Iterator[str]:
    """A validity that had ended at the date that a figure was asked for; a result without a figure,
    or that says no, tells of the validity itself."""
    figures = [leaf for leaf in result if type(leaf.value) in (int, float)]
    if not figures or any(leaf.value is False for leaf in result):
        return
    for asked, leaf in product(given, result):
        if leaf.key in ENDS_OF_VALIDITY and isinstance(asked.value, str):
            end = leaf.value[:_DAY] if isinstance(leaf.value, str) else ""
            day = asked.value[:_DAY]
            if _DATE.match(end) and _DATE.match(day) and end < day:
                yield f"it states {_show(leaf)} where {_show(asked)} was asked for"


def _read_year(value: object) -> str:
    """The year that a value is or begins with as a date; empty for others."""
    if type(value) is int:
        return str(value) if _YEAR.match(str(value)) else ""
    if not isinstance(value, str):
        return ""
    found = _DATE.match(value)
    return found[1] if found else value if _YEAR.match(value) else ""


def _show(leaf: Leaf) -> str:
    return one_line(
        f"{one_line(str(leaf.path[-1] if leaf.path else leaf.key), limit=40)} {leaf.value}",
        limit=60,
    )
