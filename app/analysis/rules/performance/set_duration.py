"""Calls that take as long as they were set to: an exposure of 300 s, a pause of two minutes."""

from app.analysis.recorded.names import match_names
from app.analysis.tree import Node

_TOLERANCE = 0.15  # of the set time, for what starts and ends such a call
_UNITS = (
    (match_names(r"(?:ms|millis(?:econds)?)$"), 1_000),
    (match_names(r"(?:minutes?|mins?|minutos?|minuti)$", anywhere="minuten?$"), 60_000_000),
    (
        match_names(
            r"(?:seconds?|secs?|secondes|segundos|secondi|duration|durée|duraci[oó]n|durata|duração"
            r"|exposure|delay|pause|sleep|hold|dwell|(?<= )s)$",
            anywhere="(?:sekund(?:en)?|dauer|belichtung)$",
        ),
        1_000_000,
    ),
)
"""Last words of keys with the unit of their values in microseconds. A call that lasts as long as
its timeout was not set to it: such keys do not count."""
_is_limit = match_names("time ?out|deadline|limit|max|ttl|budget")


def lasts_as_set(node: Node) -> bool:
    """Whether a call was given a time to take, and took about so long."""
    for leaf in node.view.input.first_leaves:
        if not leaf.path or type(leaf.value) not in (int, float):
            continue
        key = str(leaf.path[-1])
        if _is_limit(key):
            continue
        unit = next((size for is_unit, size in _UNITS if is_unit(key)), 0)
        if unit and abs(node.duration - leaf.value * unit) <= _TOLERANCE * leaf.value * unit:
            return True
    return False
