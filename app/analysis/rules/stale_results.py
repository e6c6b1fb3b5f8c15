"""Results of tools that were old, with a figure that the answer rests on.

A price of June stands in a cache, and in September the bid is made by it; a sensor gives the
reading of three weeks ago, where the others gave that of this morning; an index of 2019 does not
know a place. That old texts are read is usual; a figure such as a price or a stock changes.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.leaves import Leaf
from app.analysis.recorded.spellings import key_set, word_set
from app.analysis.rules.lookups import list_tool_calls
from app.analysis.text.amounts import spells
from app.analysis.text.one_line import format_count, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node, to_microseconds

_USED = 0.7  # confidence: how fast the figure changes is unknown
_DAY = 86_400_000_000  # microseconds
_LEAST_AGE = 7 * _DAY  # caches of figures are kept for hours, over a weekend for days
_LEAVES_READ = 40  # a figure with its date is a short result
_LEAST_DIGITS = 2  # of a figure: a single digit stands in any text
_FRESHNESS = key_set(
    "as_of asof data_as_of effective_at fetched_at retrieved_at cached_at cache_time synced_at"
    " last_sync last_synced snapshot snapshot_at snapshot_date snapshot_time refreshed_at"
    " last_refresh updated_at last_updated last_update updated generated_at observed_at timestamp"
    " date stand stand_vom datenstand aktualisiert etat_au maj mise_a_jour mis_a_jour_le"
    " actualizado actualizado_en fecha_datos aggiornato aggiornato_al atualizado_em peildatum"
    " bijgewerkt uppdaterad oppdatert opdateret stan_na zaktualizowano aktualizováno обновлено"
    " 更新日時 更新时间 갱신일"
)
_READINGS = key_set(
    "measured_at read_at reading_time reading_at sampled_at recorded_at last_seen last_reading"
    " last_contact last_report reported_at captured_at polled_at taken_at gemessen_am gelesen_am"
    " abgelesen_am messzeit messzeitpunkt zuletzt_gesehen leido leído leido_en medido medido_en"
    " fecha_lectura ultima_lectura última_lectura lu_le mesuré_le mesure_le relevé_le"
    " letto_il misurato_il rilevato_il lido_em medido_em gemeten_op gelezen_op uppmätt avläst"
    " målt_kl avlest målt odczyt odczytano zmierzono naměřeno измерено 測定時刻 計測日時 取得時刻"
    " 测量时间 采集时间 측정시각"
)
"""When a device was read: unlike an update, it is old only where nothing came since."""
_DATES = _READINGS | _FRESHNESS
_POWERS = key_set(
    "battery battery_pct battery_level battery_percent bateria bateria_pct batería batterie"
    " batterie_pct akku akkustand batteria batterij bateria_proc batteri 电量 電池"
    " バッテリー 배터리"
)
_CONNECTED = key_set("online connected is_online reachable alive verbunden conectado connecté")
_PEERS_READ = 50  # other calls of a name with which the age of a result is compared
_FEWEST_PEERS = 2
_FRESH = 2 * _DAY  # the age of the others, so that a week is an exception
_ORIGIN = key_set(
    "source origin cache cache_status cached from_cache is_cached cache_hit served_from stale"
    " is_stale freshness quelle fuente fonte bron backend store"
)
_STORED = word_set(
    "cache cached hit stale snapshot replica fallback local_cache disk_cache redis mirror"
    " zwischenspeicher antememoria"
)
_OLD_INDEX = 30 * _DAY  # age of a store in which what is asked for may be missing
_WITHOUT_STORE = 0.75  # confidence: that the others are fresh, or the device dead, says why


def find_stale_results(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one of each kind: the oldest result that was stored, one that is older than those of
    its peers or that a dead device gave, and an empty one of an old store."""
    yield from _find_odd_results(analysis)
    found = [
        stale for node in analysis.once(list_tool_calls) if (stale := _read_stale(node, analysis))
    ]
    if found:
        age, node, date = max(found, key=lambda each: (each[0], -each[1].index))
        yield _build_finding(node, date, age, analysis)


def _read_stale(node: Node, analysis: TraceAnalysis) -> tuple[int, Node, Leaf] | None:
    """How old a stored result was (microseconds) when it was asked for, by which leaf."""
    if not analysis.was_read(node) or node.error is not None:
        return None
    output = node.view.output
    if output.keys.isdisjoint(_FRESHNESS) or output.keys.isdisjoint(_ORIGIN):
        return None
    if not any(map(_says_stored, output.first_leaves(_LEAVES_READ))):
        return None
    dated = _read_age(node, _FRESHNESS)
    return (dated[0], node, dated[1]) if dated and dated[0] >= _LEAST_AGE else None


def _find_odd_results(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Results that no cache gave and that are old: the first reading and the first empty one."""
    found: set[str] = set()
    for node in analysis.once(list_tool_calls):
        if not analysis.was_read(node) or node.error is not None:
            continue
        if node.view.output.keys.isdisjoint(_DATES):
            continue
        dated = _read_age(node, _DATES)
        if dated is None or dated[0] < _LEAST_AGE:
            continue
        age, leaf = dated
        what, why = "", ""
        if node.view.returned_nothing and age >= _OLD_INDEX:
            what, why = "found nothing in a store that was", ""
        elif leaf.key in _READINGS and _is_dead(node):
            what, why = "returned a reading that was", ", from a device without power or connection"
        elif _are_fresh(node, analysis):
            what, why = "returned a result that was", ", where its other calls gave fresh ones"
        if what and what not in found:
            found.add(what)
            yield build_finding(
                Category.STALE_RESULT,
                _WITHOUT_STORE,
                f"{one_line(node.name, limit=60)} {what} {format_count(age // _DAY, 'day')} old"
                f" ({one_line(str(leaf.path[-1]), limit=40)}:"
                f" {one_line(str(leaf.value), limit=40)}){why}.",
                [node],
            )


def _read_age(node: Node, keys: frozenset[str]) -> tuple[int, Leaf] | None:
    """The age of the newest date that a short result has under some keys, in microseconds, with its
    leaf."""
    leaves = tuple(node.view.output.first_leaves(_LEAVES_READ + 1))
    if len(leaves) > _LEAVES_READ:
        return None
    dates = [(leaf, _read_date(leaf)) for leaf in leaves if leaf.key in keys]
    dated = [(node.start - date, leaf) for leaf, date in dates if date is not None]
    return min(dated, default=None, key=lambda each: each[0])


def _is_dead(node: Node) -> bool:
    """Whether a result says that its device has no power or no connection."""
    return any(
        (leaf.key in _POWERS and type(leaf.value) in (int, float) and leaf.value == 0)
        or (leaf.key in _CONNECTED and leaf.value is False)
        for leaf in node.view.output.first_leaves(_LEAVES_READ)
    )


def _are_fresh(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether all other calls of the name that dated their results gave fresh ones."""
    peers = [
        peer
        for peer in analysis.peers_of(node)[:_PEERS_READ]
        if peer is not node and analysis.was_read(peer) and peer.error is None
    ]
    ages = [dated[0] for peer in peers if (dated := _read_age(peer, _DATES)) is not None]
    return len(ages) >= _FEWEST_PEERS and max(ages) <= _FRESH


def _says_stored(leaf: Leaf) -> bool:
    if leaf.key not in _ORIGIN:
        return False
    if isinstance(leaf.value, str):
        return leaf.value.strip().casefold() in _STORED
    return leaf.value is True


def _read_date(leaf: Leaf) -> int | None:
    """A point in time as text, in microseconds since 1970."""
    try:
        date = datetime.fromisoformat(str(leaf.value))
    except ValueError:
        return None
    return to_microseconds(date if date.tzinfo else date.replace(tzinfo=UTC))


def _build_finding(node: Node, date: Leaf, age: int, analysis: TraceAnalysis) -> Finding:
    used = _find_used_figure(node, analysis)
    name, key = one_line(node.name, limit=60), one_line(str(date.path[-1]), limit=40)
    sentence = (
        f"{name} returned a stored result that was {format_count(age // _DAY, 'day')} old"
        f" ({key}: {one_line(str(date.value), limit=40)})"
    )
    if used:
        sentence += f", and its figure {used} was used"
    standing = Standing.FINDING if used else Standing.NOTE
    return build_finding(Category.STALE_RESULT, _USED, f"{sentence}.", [node], standing=standing)


def _find_used_figure(node: Node, analysis: TraceAnalysis) -> str:
    """A number of a result that stands in the answer of the trace or in what a later step was
    given; empty where there is none."""
    numbers = [
        leaf.value
        for leaf in node.view.output.first_leaves(_LEAVES_READ)
        if type(leaf.value) in (int, float) and len(str(leaf.value)) >= _LEAST_DIGITS
    ]
    later = [Body(analysis.trace.output).canonical, *_read_later_inputs(node, analysis)]
    for number in numbers:
        pattern = spells(number)
        if any(pattern.search(text) for text in later):
            return str(number)
    return ""


def _read_later_inputs(node: Node, analysis: TraceAnalysis) -> Sequence[str]:
    return [
        each.view.input.canonical
        for each in analysis.tree.nodes
        if each.start >= node.end and analysis.was_read(each) and not each.view.is_model_call
    ]
