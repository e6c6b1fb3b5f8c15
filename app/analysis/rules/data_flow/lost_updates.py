"""Two writes of one record that were both made from the same version of it: the second undoes what
the first had changed, since it knew nothing of it.
"""

import re
from collections.abc import Iterator
from itertools import combinations, islice

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.grouping import group_by
from app.analysis.recorded.body import Body
from app.analysis.recorded.names import spell_name
from app.analysis.recorded.spellings import kept_by_keys
from app.analysis.rules.lookups import is_lookup
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node, by_start

_CONFIDENCE = 0.85  # the version was read before both, and was another one after them
_WRITES_READ = 12  # of one name and version: 66 pairs
_VERSION_KEY = re.compile(
    r"(?:(?:base|row|doc|document|record|head|parent|expected|known|lock|current|last|if match) )?"
    r"(?:(?:versi|revisi|wersj|versj|верси)\w*|rev|e ?tag|版本|バージョン|버전)|if match"
)
"""Keys of a record's version, which a writer hands back; none of an interface or a protocol."""


def find_lost_updates(analysis: TraceAnalysis) -> Iterator[Finding]:
    """One finding for each pair of such writes, at the later one."""
    steps = [node for node in analysis.once(list_read_steps) if _has_version(node.view.input)]
    writes = [each for each in steps if not (each.view.has_failed or is_lookup(each.function_name))]
    groups = group_by(sorted(writes, key=by_start), _name_and_version)
    for (_, version), group in groups.items():
        for first, second in combinations(islice(group, _WRITES_READ), 2):
            target = _find_target(first, second)
            if target and _was_versioned(target, version, first, analysis):
                sentence = (
                    f"{second.title} wrote {one_line(target, limit=60)} from version"
                    f" {one_line(version, limit=40)}, from which {first.title} had written it"
                    " before: the change of the first one was lost."
                )
                yield build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, [second, first])
                return


def _has_version(body: Body) -> bool:
    return bool(_version_keys(body.opened_survey.keys))


@kept_by_keys
def _version_keys(keys: frozenset[str]) -> frozenset[str]:
    return frozenset(key for key in keys if _VERSION_KEY.fullmatch(spell_name(key)))


def _list_versions(body: Body) -> list[str]:
    keys = _version_keys(body.opened_survey.keys)
    found = [leaf for leaf in body.first_leaves if leaf.path and leaf.path[-1] in keys]
    return [str(leaf.value) for leaf in found if type(leaf.value) in (int, str) and leaf.value]


def _name_and_version(node: Node) -> tuple[str, str]:
    return node.function_name, next(iter(_list_versions(node.view.input)), "")


def _find_target(first: Node, second: Node) -> str:
    """The text that says what both wrote; empty where they wrote the same, or different records."""
    given = {leaf.path: leaf.value for leaf in first.view.input.first_leaves}
    taken = {leaf.path: leaf.value for leaf in second.view.input.first_leaves}
    if given.keys() != taken.keys() or given == taken:
        return ""
    versions = {*_list_versions(first.view.input)}
    same = [value for path, value in given.items() if taken[path] == value]
    return next((each for each in same if type(each) is str and each not in versions), "")


def _was_versioned(target: str, version: str, first: Node, analysis: TraceAnalysis) -> bool:
    """Whether the version had been read of the record, and it has another one from then on: the
    version of an interface is the same in each call."""
    was_read = has_moved = False
    for node in analysis.once(list_read_steps):
        output = node.view.output
        if not _has_version(output) or target not in node.view.input.first_values:
            continue
        versions = _list_versions(output)
        was_read |= node.end <= first.start and version in versions
        has_moved |= node.end >= first.end and any(each != version for each in versions)
    return was_read and has_moved
