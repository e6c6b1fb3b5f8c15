"""Results that report success and show by themselves that they cannot be right."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from app.analysis.recorded.garbled_text import count_garbled
from app.analysis.recorded.leaves import Leaf, LeavesByType, Path
from app.analysis.recorded.moments import read_moment
from app.analysis.recorded.names import match_names
from app.analysis.recorded.spellings import key_set
from app.analysis.text.one_line import format_count, format_duration, one_line
from app.analysis.tree import Node

_TEXT_READ = 20_000  # characters of one text
_SHOWN = 40  # characters of a quoted value

_REPLACEMENT = "\ufffd"  # what Unicode's decoders write for bytes that are no characters
_LEAST_LOST = 3  # one or two may have stood in the source
_LEAST_GARBLED = 2  # one may be a letter before a sign by chance
_NOT_AWAITED = re.compile(
    r"\s*(?:<(?:coroutine|async_generator|generator) object|<(?:Future|Task) |\[object Promise\]"
    r"|Promise \{)"
)
"""What Python and JavaScript write for the result of a call that nobody waited for."""
_FALLBACK = re.compile(
    r"fall(?:ing |en )?back(?: to [\w-]{1,30})?\s?[:(–-]|\w{1,30}[_-]fallback\Z", re.IGNORECASE
)
"""A reason for which something stands in for what was asked for, or a state that is named so."""
_DEGRADED = "degraded"
_LIFETIME = re.compile(r"ttl|max_?age", re.IGNORECASE)
_UNITS: tuple[tuple[re.Pattern[str], float], ...] = (
    (re.compile(r"ms\Z|milli"), 0.001),
    (re.compile(r"min"), 60.0),
    (re.compile(r"hour|stund|heure|hora|\Dh\Z"), 3_600.0),
    (re.compile(r"day|dag|tag|jour|d[ií]a|\Dd\Z"), 86_400.0),
)
"""Units in names of lifetimes; without one they are seconds, as in HTTP and DNS."""
_CACHE_FLAGS = key_set("cached from_cache is_cached cache_hit hit stale is_stale served_from_cache")
_CACHES = frozenset(["cache", "cached", "stale-cache", "stale"])
_OLD = 25 * 3_600e6  # microseconds: what is read once a day is less old
_OLD_FOR_ANOTHER_DAY = 12 * 3_600e6  # of a copy of the day before the one that was asked for
_names_reading = match_names(
    "cach|stor(?:ed|ing)|saved|fetch|retriev|observ|measur|read|updat|sync|refresh|as of|snapshot"
    "|taken|captur|collect|abgeruf|gespeich|gemess|stand|geholt|opgehaald|opgeslagen|gemeten"
    "|salvat|lett[ao]|rilev|aggiorn|guardad|obtenid|le[ií]d|consultad|actualiz|medid|salv[oa]"
    "|lid[oa]|atualiz|enregistr|récup|lu[es]?\\b|relev|mesur|hämta|spara|mätt|hentet|lagret|målt|gemt"
    "|pobran|zapisan|odczyt|zmierz|получен|сохран|обновл",
    anywhere="取得|保存|更新|観測|缓存|获取|采集|저장|갱신",
)
"""Whether a time is that at which something was read, rather than one that the record is about."""
_NUMBER = re.compile(r"\D{0,4}(\d{1,3}(?:[.,'\s]\d{3})*[.,]\d{1,2})\D{0,4}")
"""A number as people write it, with a sign for decimals and a currency or unit around it."""
_OFFSET = re.compile(r"T\d\d.*[+-]\d\d:?\d\d\Z")
_ZONE = re.compile(r"T\d\d.*(?:Z|[+-]\d\d:?\d\d)\Z")
_UTC = "utc"  # in a key: the day is meant so
_ANNOUNCED = key_set("content_length")
_BYTES = re.compile(r"byte|octet|received|recibid|empfangen")
_ONE_EACH = 2  # texts and numbers of a key: of more, each may be of another record
_LONGEST_OPTION = 40  # characters of a label
_SHORTEST_OPTION = 4
_ENDING = 3  # letters of the ending of a word, such as that of its plural


def find_doubt(node: Node) -> str:
    """What shows that a result cannot be right, as the end of a sentence; empty where nothing
    does."""
    given, result = node.view.input.first_by_type, node.view.output.first_by_type
    found = (check(node, given, result) for check in _CHECKS)
    return next((reason for reason in found if reason), "")


def _find_lost_characters(node: Node, given: LeavesByType, result: LeavesByType) -> str:
    lost = sum(text.count(_REPLACEMENT) for text in _list_foreign(result))
    if lost < _LEAST_LOST or any(_REPLACEMENT in text for text in _list_foreign(given)):
        return ""
    return f"{format_count(lost, 'character')} of its text could not be decoded"


def _find_garbled(node: Node, given: LeavesByType, result: LeavesByType) -> str:
    """Text that was decoded with the wrong encoding, in nothing that the span was given."""
    garbled = [(text, count) for text in _list_foreign(result) if (count := count_garbled(text))]
    lost = sum(count for _, count in garbled)
    if lost < _LEAST_GARBLED or any(map(count_garbled, _list_foreign(given))):
        return ""
    shown = one_line(garbled[0][0], limit=_SHOWN)
    return f"{format_count(lost, 'character')} of its text were decoded wrongly, as in “{shown}”"


def _find_not_awaited(node: Node, given: LeavesByType, result: LeavesByType) -> str:
    found = next((leaf.value for leaf in result.texts if _NOT_AWAITED.match(leaf.value)), "")
    return f"it is “{one_line(found, limit=_SHOWN)}”, which nobody awaited" if found else ""


def _find_fallback(node: Node, given: LeavesByType, result: LeavesByType) -> str:
    """What says that a result stands in for another, or is worse than it should be."""
    if any(leaf.key == _DEGRADED and leaf.value for leaf in result.flags):
        return f"it says {_DEGRADED}: true"
    texts = [leaf.value for leaf in result.texts if leaf.key != "model"]
    found = next((text for text in texts if _FALLBACK.match(text)), "")
    return f"it says “{one_line(found, limit=_SHOWN)}”" if found else ""


def _find_expired(node: Node, given: LeavesByType, result: LeavesByType) -> str:
    """A time beside a lifetime that had passed since then when the call began."""
    lifetimes: dict[Path, Leaf] = {
        leaf.path[:-1]: leaf
        for leaf in result.numbers
        if leaf.value > 0 and _LIFETIME.search(leaf.key)
    }
    for leaf in result.texts if lifetimes else ():
        lifetime = lifetimes.get(leaf.path[:-1])
        moment = _read_moment(leaf.value)
        if lifetime is None or moment is None:
            continue
        age = node.start - moment.timestamp() * 1e6
        if age > lifetime.value * _read_unit(lifetime.key) * 1e6:
            return (
                f"it is {format_duration(age)} old ({_name_key(leaf)}:"
                f" {one_line(leaf.value, limit=_SHOWN)}), beyond its {_name_key(lifetime)} of"
                f" {lifetime.value:,g}"
            )
    return ""


def _find_old_copy(node: Node, given: LeavesByType, result: LeavesByType) -> str:
    """What comes from a cache, by its own word, and was read days before the call: its newest time
    of reading, unless the call was given it."""
    is_copy = any(leaf.value and leaf.key in _CACHE_FLAGS for leaf in result.flags) or any(
        leaf.value.casefold() in _CACHES for leaf in result.texts
    )
    known = {leaf.value for leaf in given.texts} if is_copy else set()
    moments = [
        (moment, leaf)
        for leaf in (result.texts if is_copy else ())
        if leaf.value not in known and (moment := _read_moment(leaf.value)) is not None
    ]
    if not moments:
        return ""
    newest, leaf = max(moments, key=lambda found: found[0].timestamp())
    age = node.start - newest.timestamp() * 1e6
    asked = [moment for text in known if (moment := _read_moment(text)) is not None]
    is_before = any(moment.date() > newest.date() for moment in asked)
    least = _OLD_FOR_ANOTHER_DAY if is_before else _OLD
    if age < least or not _names_reading(_name_key(leaf)):
        return ""
    shown = one_line(leaf.value, limit=_SHOWN)
    return (
        f"it is a copy from a cache that is {format_duration(age)} old ({_name_key(leaf)}: {shown})"
    )


def _find_misread_number(node: Node, given: LeavesByType, result: LeavesByType) -> str:
    """A number of a result has the first digits of the text that it was read from, the only one or
    the one of the same key, and ends at a sign that separates thousands there."""
    texts = [leaf for leaf in given.texts if _NUMBER.fullmatch(leaf.value[:_SHOWN])]
    if not texts:
        return ""
    numbers = result.numbers
    if len(numbers) == len(texts) == 1:
        pairs = [(texts[0], numbers[0])]
    else:
        keys = Counter(leaf.key for leaf in numbers)
        keys.update(leaf.key for leaf in texts)
        by_key = {leaf.key: leaf for leaf in numbers if keys[leaf.key] == _ONE_EACH}
        pairs = [(text, by_key[text.key]) for text in texts if text.key in by_key]
    for text, number in pairs:
        if _is_misread(text.value, number.value):
            return f"it read “{one_line(text.value, limit=_SHOWN)}” as {number.value:g}"
    return ""


def _find_lost_zone(node: Node, given: LeavesByType, result: LeavesByType) -> str:
    """A day without a zone that is the day in UTC of a moment that was given with its own zone, in
    which it is another day."""
    for leaf in given.texts:
        moment = _read_moment(leaf.value) if _OFFSET.search(leaf.value[:_SHOWN]) else None
        if moment is None or moment.date() == moment.astimezone(UTC).date():
            continue
        day = moment.astimezone(UTC).date().isoformat()
        days = [each for each in result.texts if each.value[:_SHOWN].startswith(day)]
        known = any(_UTC in each.key or _ZONE.search(each.value[:_SHOWN]) for each in days)
        if days and not known:
            return f"it made {day} of {one_line(leaf.value, limit=_SHOWN)}, the day in UTC"
    return ""


def _is_misread(text: str, number: float) -> bool:
    written = re.sub(r"[^\d.,]", "", text)
    whole, mark, decimals = written.rpartition("," if "," in written[-3:] else ".")
    value = float(f"{re.sub(r'[.,]', '', whole)}.{decimals}") if mark and whole else 0.0
    is_smaller = 0 < abs(number) * 100 <= value  # by the thousands that it lost
    digits = repr(abs(float(number))).rstrip("0").replace(".", "")
    return is_smaller and re.sub(r"[.,]", "", written).startswith(digits)


def _find_cut_download(node: Node, given: LeavesByType, result: LeavesByType) -> str:
    """Fewer bytes than the length that HTTP had announced."""
    if not node.view.output.may_have_key(_ANNOUNCED):
        return ""
    sizes = [leaf for leaf in result.numbers if type(leaf.value) is int and leaf.value > 0]
    announced = next((leaf for leaf in sizes if leaf.key in _ANNOUNCED), None)
    got = next((leaf for leaf in sizes if _BYTES.search(leaf.key)), None)
    if announced is None or got is None or got.value >= announced.value:
        return ""
    return f"it got {got.value:,} of {announced.value:,} bytes"


def _find_near_option(node: Node, given: LeavesByType, result: LeavesByType) -> str:
    """A label that was given differs from one of the known ones, which the span lists, by letter
    case or by its ending only: one that differs in both may be a name, as `Torp` beside `torps`."""
    labels = [leaf.value for leaf in given.texts if _is_option(leaf.value)]
    for leaves in (result.texts, given.texts) if labels else ():
        known: dict[Path, list[str]] = {}
        for leaf in leaves:
            if leaf.path and isinstance(leaf.path[-1], int):
                known.setdefault(leaf.path[:-1], []).append(leaf.value)
        for options in known.values():
            for label in labels if len(options) > 1 else ():
                near = [option for option in options if _is_near(label, option)]
                if near and label not in options:
                    return (
                        f"it was given “{one_line(label, limit=_SHOWN)}” and knows"
                        f" “{one_line(near[0], limit=_SHOWN)}”"
                    )
    return ""


_CHECKS: tuple[Callable[[Node, LeavesByType, LeavesByType], str], ...] = (
    _find_not_awaited,
    _find_lost_characters,
    _find_garbled,
    _find_expired,
    _find_old_copy,
    _find_misread_number,
    _find_lost_zone,
    _find_cut_download,
    _find_near_option,
    _find_fallback,
)


def _list_foreign(leaves: LeavesByType) -> list[str]:
    """The texts with other characters than those of ASCII."""
    return [leaf.value[:_TEXT_READ] for leaf in leaves.texts if not leaf.value.isascii()]


def _name_key(leaf: Leaf) -> str:
    return one_line(str(leaf.path[-1]) if leaf.path else leaf.key, limit=_SHOWN)


def _read_moment(value: object) -> datetime | None:
    """A date with a time; one without a zone is taken as UTC."""
    if not isinstance(value, str) or not value[:4].isdigit() or len(value) > _SHOWN:
        return None
    return read_moment(value)


def _read_unit(key: str) -> float:
    return next((seconds for unit, seconds in _UNITS if unit.search(key)), 1.0)


def _is_option(text: str) -> bool:
    return _SHORTEST_OPTION <= len(text) <= _LONGEST_OPTION and " " not in text


def _is_near(label: str, option: str) -> bool:
    if not _is_option(option) or label == option:
        return False
    one, other = sorted((label, option), key=len)
    is_form = other.startswith(one) and len(other) - len(one) <= _ENDING
    return is_form or label.casefold() == option.casefold()
