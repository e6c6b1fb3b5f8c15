"""The same work in several branches: workers that got the same tasks, steps that fetch again what
another step had fetched."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.grouping import group_by
from app.analysis.recorded.body import Body, spell_canonical
from app.analysis.recorded.names import has_word, name_stem
from app.analysis.recorded.spellings import word_set
from app.analysis.rules.repeated_work.comparable_calls import (
    Call,
    belong_to_one_task,
    calls_given_alike,
    calls_outside_within,
    common_parent,
    group_equal,
    same_results,
)
from app.analysis.rules.repeated_work.equal_by_chance import (
    are_equal_by_chance,
    work_on_unknown_items,
)
from app.analysis.rules.repeated_work.missed_lookups import list_missed_lookups
from app.analysis.rules.repeated_work.ping_pong import list_rounds
from app.analysis.text.one_line import format_count, format_duration, format_percent, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node, by_start

_LEAST_AGAIN = 2  # calls made again: one may be a check
_LONG_SHARE = 0.25  # share of the trace's time for which one call made again is no small check
_LONG_SPENT = 2_000_000  # microseconds of it (2 s): in a trace of less nobody waits for it
_LEAST_REWORDED = 5  # requests: two branches may each write of a few things in words of their own
_LEAST_SHARE = 0.1  # share of the branches' time that is spent again, to be worth a note
_WHOLE_SHARE = 0.7  # share of the branches' time that is common work: they got the same tasks
_COMMON_SHARE = 0.25  # the same where whole pieces of work, with a model call, are common
_ALL_CALLED_SHARE = 0.5  # the same where all calls of tools in the branches are common
_SHARE_OF_CACHED = 0.25  # of the longest call's time: one that takes less is served from a cache
_LEAST_SPENT = 500_000  # microseconds spent again (0.5 s)
_LOOP_GROUPS = 2  # equal calls a step, up to which steps in turn are a loop, not workers
_SEARCHED = 200  # earlier spans in which the tasks are looked for
_TEXTS = 5  # texts of the common inputs that are looked for there
_TEXT_LENGTH = 60  # characters of each
_SHORTEST_TEXT = 4
_NAMES_SHOWN = 3
_BRANCHES_NAMED = 3  # before the calls in them
_SURE = 0.85  # confidence: the calls are equal, and nearly all of the branches is common
_DOUBTFUL = 0.6  # the same where names or a share of the work speak for an intention
_ON_PURPOSE = word_set(
    "vote votes voter voting judge judges sample samples sampler sampling ensemble consistency"
    " shadow hedge hedged redundant replica compare variant variants"
    " jury juror panel panelist critic eval evaluate evaluation evaluator bench benchmark baseline"
    " rerun trial warmup warm attempt retry fallback verify verification verifier"
)
"""Words of names of work that is done several times by design."""
_ITEMS = word_set("sample samples variant variants trial")
"""Those of them that are also what work is done on (`annotate_sample`): they count in the names of
the branches only."""
_DEPENDS_ON_STATE = word_set(
    "compile compiles build test tests lint typecheck check run exec execute validate verify status"
    " diff snapshot screenshot observe inspect list ls plan"
)
"""Words of names of calls that look at something that other calls change."""
_CHANGES = word_set(
    "write save insert update delete remove patch edit apply commit replace append upload create"
    " put move rename install set click type press scroll navigate goto"
)
_BETWEEN_READ = 200  # spans between two equal calls in which a change is looked for


@dataclass(slots=True)
class _Shared:
    """Branches below one span, and the groups of equal calls in them."""

    parent: Node | None
    groups: list[list[Call]] = field(default_factory=list)
    branches: dict[str, Node] = field(default_factory=dict)

    @property
    def again(self) -> int:
        """How many calls were not the first of their group."""
        return sum(len(group) - 1 for group in self.groups)

    @property
    def spent(self) -> int:
        """Microseconds of the calls that were made again."""
        return sum(call.node.duration for group in self.groups for call in group[1:])

    @property
    def ran_beside(self) -> bool:
        """Whether calls that were made again ran at the same time below one branch: then they took
        more work than time."""
        again = [call.node for group in self.groups for call in group[1:]]
        level = self.parent.depth + 1 if self.parent else 0
        below = group_by(sorted(again, key=by_start), lambda node: node.path()[level].id)
        return any(b.start < a.end for nodes in below.values() for a, b in pairwise(nodes))

    @property
    def common(self) -> int:
        return sum(call.node.duration for group in self.groups for call in group)

    @property
    def whole(self) -> int:
        return sum(branch.duration for branch in self.branches.values())


def find_duplicated_work(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Calls of tools and models, or spans around them, with equal inputs and results under several
    parents, together for all branches below one span."""
    explained = {node.id for _, nodes in analysis.once(list_missed_lookups) for node in nodes}
    for _, nodes in analysis.once(list_rounds):
        explained.update(below.id for node in nodes for below in analysis.tree.below(node))
    shared: dict[str, _Shared] = {}
    for group in _outermost(_equal_calls(analysis), analysis):
        parent = common_parent(call.node for call in group)
        branches = _branches_below(parent, group)
        if len(branches) < 2 or any(call.node.id in explained for call in group):
            continue
        nodes = [call.node for call in group]
        if looks_at_changes(nodes, analysis) or work_on_unknown_items(nodes, analysis):
            continue
        key = parent.id if parent else ""
        entry = shared.setdefault(key, _Shared(parent))
        entry.groups.append(group)
        entry.branches.update((branch.id, branch) for branch in branches)
    for entry in shared.values():
        if _matters(entry, analysis) and not _is_loop(entry, analysis):
            yield _build_finding(entry, analysis)


def _equal_calls(analysis: TraceAnalysis) -> list[list[Call]]:
    """Calls with the same input and, where it was recorded, the same result, by start; models that
    are asked many times the same in two places at a time may reply in other words."""
    calls = analysis.once(calls_given_alike)
    named = ((call.stem, call.node.view.input, call) for call in calls)
    found: list[list[Call]] = []
    reworded: list[list[Call]] = []
    for given in group_equal(named):
        if len(kept := _leave_out_cached(given)) > 1:
            inside = (
                (_join_inputs_inside(call.node), call.node.view.output, call) for call in kept
            )
            equal = list(group_equal(inside, timeless=True))
            if not equal and kept[0].node.view.is_model_call and _run_beside(kept):
                reworded.append(kept)
            found += equal
    return found + (reworded if len(reworded) >= _LEAST_REWORDED else [])


def _run_beside(calls: Sequence[Call]) -> bool:
    """Whether the branches of calls run at the same time: none of them tries again what another
    one failed to do."""
    branches = sorted(
        _branches_below(common_parent(call.node for call in calls), calls), key=by_start
    )
    return all(after.start < before.end for before, after in pairwise(branches))


def _join_inputs_inside(node: Node) -> str:
    """What the spans inside a step were given: `{"n": 1}` is the first step of any agent."""
    return " ".join(f"{child.name} {child.view.input.fingerprint}" for child in node.children)


def _leave_out_cached(calls: Sequence[Call]) -> list[Call]:
    """The calls but for those so quick beside the longest that a cache must have answered them."""
    least = _SHARE_OF_CACHED * max(call.node.duration for call in calls)
    return [call for call in calls if call.node.duration >= least]


def _outermost(groups: Iterable[list[Call]], analysis: TraceAnalysis) -> Iterator[list[Call]]:
    """Groups that call outside and lie under different parents, without those inside the spans of
    another group; each by start."""
    covered: set[str] = set()
    for group in sorted(groups, key=lambda group: (group[0].node.depth, group[0].node.index)):
        calls = [call for call in group if call.node.id not in covered]
        parents = {call.node.parent.id if call.node.parent else "" for call in calls}
        if len(parents) < 2 or not calls_outside_within(calls[0].node, analysis):
            continue
        for call in calls:
            covered.update(below.id for below in analysis.tree.below(call.node))
        yield sorted(calls, key=lambda call: by_start(call.node))


def looks_at_changes(group: Sequence[Node], analysis: TraceAnalysis) -> bool:
    """Whether equal calls look at what was changed between most of them: tests that run after each
    edit are no work done again. The same change once more changes nothing."""
    if not has_word(group[0].function_name, _DEPENDS_ON_STATE):
        return False
    pairs = list(pairwise(group))
    made: set[tuple[str, str]] = set()
    changed = 0
    for before, after in pairs:
        changes = {
            (node.function_name, node.view.input.canonical)
            for _, node in islice(analysis.tree.earlier(after), _BETWEEN_READ)
            if node.start >= before.end and has_word(node.function_name, _CHANGES)
        }
        changed += any(not given or (name, given) not in made for name, given in changes)
        made |= changes
    return 2 * changed > len(pairs)


def _branches_below(parent: Node | None, group: Sequence[Call]) -> list[Node]:
    """The children of the common parent under which the calls lie."""
    level = parent.depth + 1 if parent else 0
    return list({step.id: step for call in group for step in [call.node.path()[level]]}.values())


def _matters(shared: _Shared, analysis: TraceAnalysis) -> bool:
    spent = shared.spent
    return (
        (shared.again >= _LEAST_AGAIN or _are_long_lookups(shared, analysis))
        and spent >= _LEAST_SPENT
        and spent >= _LEAST_SHARE * min(shared.whole, analysis.profile.duration or shared.whole)
    )


def _are_long_lookups(shared: _Shared, analysis: TraceAnalysis) -> bool:
    """Whether calls of tools that were made again, with the same result each, took a good part of
    the trace."""
    return shared.spent >= max(_LONG_SPENT, _LONG_SHARE * analysis.profile.duration) and all(
        group[0].node.view.calls_tool and group[0].result for group in shared.groups
    )


def _is_loop(shared: _Shared, analysis: TraceAnalysis) -> bool:
    """Whether the branches are steps of one loop that repeat a call or two: a rule of its own.
    Workers of different names are no steps of one loop."""
    branches = sorted(shared.branches.values(), key=by_start)
    stems = {name_stem(branch.name) for branch in branches}
    if len(shared.groups) > _LOOP_GROUPS or len(stems) == len(branches):
        return False
    calls = shared.groups[0]
    in_turn = all(b.start >= a.end for a, b in pairwise(branches))
    return in_turn and all(belong_to_one_task(a.node, b.node, analysis) for a, b in pairwise(calls))


def _build_finding(shared: _Shared, analysis: TraceAnalysis) -> Finding:
    branches = sorted(shared.branches.values(), key=by_start)
    groups = sorted(shared.groups, key=lambda group: (group[0].node.start, group[0].node.index))
    stems = list(dict.fromkeys(name_stem(group[0].node.name) for group in groups))
    names = ", ".join(one_line(stem, limit=40) for stem in stems[:_NAMES_SHOWN])
    where = list(dict.fromkeys(name_stem(branch.name) for branch in branches))
    handed = _find_source(groups, branches, analysis)
    source = f" Their inputs come from {one_line(handed[0].name)}" if handed else ""
    source += f"{_count_named(groups, handed[0])}." if handed else ""
    known = all(group[0].result and group[0].result == group[1].result for group in groups)
    same = f" and {same_results(group[0] for group in groups)} each" if known else ""
    standing = _standing(shared, stems, where, analysis)
    if standing is Standing.FINDING and are_equal_by_chance(groups, branches):
        standing = Standing.NOTE
    were = "was" if shared.again == 1 else "were"
    did = "did the same work" if standing is Standing.FINDING else "made the same calls"
    share = f"{format_percent(shared.spent, shared.whole)} of their time"
    share = "some of it side by side" if shared.ran_beside else share
    sentence = (
        f"{len(branches)} spans ({one_line(', '.join(where[:_NAMES_SHOWN]), limit=60)}) {did}:"
        f" {format_count(shared.again, 'call')} of {names} {were} made again with the same"
        f" inputs{same}; {format_duration(shared.spent)} spent again, {share}.{source}"
    )
    numbers = {"again": shared.again, "branches": len(branches), "spent_ms": shared.spent / 1_000}
    named = [*handed[:2], *branches[:_BRANCHES_NAMED]]
    more = [call.node for group in groups for call in group]
    confidence = _SURE if standing is Standing.FINDING else _DOUBTFUL
    found = build_finding(
        Category.DUPLICATED_WORK, confidence, sentence, named, numbers, more=more, standing=standing
    )
    return replace(found, more=found.more + len(branches[_BRANCHES_NAMED:]))


def _standing(
    shared: _Shared, stems: Sequence[str], where: Sequence[str], analysis: TraceAnalysis
) -> Standing:
    """Sure where nearly all of the branches is common work, or whole pieces of it with a model
    call, or all that their tools did, or where all was looked up again whose result had been
    handed on, or for a good part of the trace; a note where a lookup was made again, or where the
    names say that it is meant."""
    if any(has_word(name, _ON_PURPOSE) for name in where) or any(
        has_word(name, _ON_PURPOSE - _ITEMS) for name in stems
    ):
        return Standing.NOTE
    if shared.common >= _WHOLE_SHARE * shared.whole or _ignored_handover(shared, analysis):
        return Standing.FINDING
    if _are_long_lookups(shared, analysis):
        return Standing.FINDING
    asked_again = any(
        below.view.is_model_call
        for group in shared.groups
        for below in _inside(group[0].node, analysis)
    )
    whole_pieces = asked_again and shared.common >= _COMMON_SHARE * shared.whole
    all_called = shared.common >= _ALL_CALLED_SHARE * shared.whole and _called_the_same(
        shared, analysis
    )
    return Standing.FINDING if whole_pieces or all_called else Standing.NOTE


def _called_the_same(shared: _Shared, analysis: TraceAnalysis) -> bool:
    """Whether each branch calls several tools, none of them for itself, and asks models what
    another branch asks as well; their replies may differ."""
    common = {call.node.id for group in shared.groups for call in group}
    asked: Counter[str] = Counter()
    for branch in shared.branches.values():
        inside = _inside(branch, analysis)
        called = [node.id for node in inside if node.view.calls_tool]
        if len(called) < _LEAST_AGAIN or not common.issuperset(called):
            return False
        requests = {node.view.input.canonical for node in inside if node.view.is_model_call}
        asked.update(requests - {""})
    return 2 * sum(count > 1 for count in asked.values()) > len(asked)


def _ignored_handover(shared: _Shared, analysis: TraceAnalysis) -> bool:
    """Whether each branch but the first was given what the one before returned, and all that it
    called besides models had been called there."""
    branches = sorted(shared.branches.values(), key=by_start)
    again = {
        below.id
        for group in shared.groups
        for call in group
        for below in _inside(call.node, analysis)
    }
    return all(
        before.end <= after.start
        and _holds_most(after, [_longest_text(before.view.output)], analysis, in_output=False)
        and all(each.id in again for each in _inside(after, analysis) if each.view.calls_tool)
        for before, after in pairwise(branches)
    )


def _inside(node: Node, analysis: TraceAnalysis) -> Sequence[Node]:
    return analysis.tree.below(node)[:_SEARCHED]


def _find_source(
    groups: Sequence[Sequence[Call]], branches: Sequence[Node], analysis: TraceAnalysis
) -> list[Node]:
    """The spans whose outputs hold what the branches got, or what the common calls got, or that
    were given what the branches got; of each branch the latest one before it."""
    given = [branch.view.input.uncounted for branch in branches]
    first = [group[0].node for group in groups]
    tasks = branches[:1] if analysis.was_read(branches[0]) and len(set(given)) == 1 else []
    got = [text for node in tasks if (text := _longest_text(node.view.input))] or _common_texts(
        branches
    )
    asked = [text for node in first[:_TEXTS] if (text := _longest_text(node.view.input))]
    for texts, in_output in ((got, True), (asked, True), (got, False)):
        found: dict[str, Node] = {}
        starts = [call.node for call in groups[0][:2]] if in_output else branches[:1]
        for start in {id(node): node for node in starts}.values():
            for _, node in islice(analysis.tree.earlier(start), _SEARCHED):
                if _holds_most(node, texts, analysis, in_output=in_output):
                    found[node.id] = node
                    break
        if found:
            return list(found.values())
    return []


def _longest_text(body: Body) -> str:
    """The beginning of the longest text of a body."""
    texts = [leaf.value for leaf in body.leaves if isinstance(leaf.value, str)]
    longest = max(texts, key=len, default="").strip()
    return spell_canonical(longest)[:_TEXT_LENGTH]


def _common_texts(branches: Sequence[Node]) -> list[str]:
    """The longest texts that stand in the inputs of all branches, beside what is their own."""
    given = [
        {
            leaf.value
            for leaf in branch.view.input.list_leaves(_SEARCHED)
            if isinstance(leaf.value, str)
        }
        for branch in branches
    ]
    common = sorted(set.intersection(*given), key=lambda text: (-len(text), text))
    return [spell_canonical(text)[:_TEXT_LENGTH] for text in common[:_TEXTS]]


def _count_named(groups: Sequence[Sequence[Call]], source: Node) -> str:
    """What a sentence says of a result that has what the common calls were given more than once."""
    named = Counter(leaf.value for leaf in source.view.output.leaves if type(leaf.value) is str)
    texts = {max(group[0].node.view.input.first_texts, key=len, default="") for group in groups}
    counts = [named[text] for text in texts if named[text] > 1]
    return f", which returned {len(counts)} of them {min(counts)} times each" if counts else ""


def _holds_most(
    node: Node, texts: Sequence[str], analysis: TraceAnalysis, *, in_output: bool
) -> bool:
    texts = [text for text in texts if len(text) >= _SHORTEST_TEXT]
    if not texts or not analysis.was_read(node):
        return False
    body = node.view.output if in_output else node.view.input
    return 2 * sum(text in body.canonical for text in texts) > len(texts)
