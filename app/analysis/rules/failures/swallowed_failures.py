"""Failures that a step kept to itself: it returned nothing, or a default, as if it had worked."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain

from app.analysis.recorded.failure_text import find_reported_failure
from app.analysis.recorded.leaves import Leaf, LeavesByType
from app.analysis.recorded.names import has_word
from app.analysis.recorded.spellings import RESULT_WRAPPERS, key_set, word_set
from app.analysis.rules.recovery import asking_call
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_TEXT_READ = 20_000  # characters of a text that was to be read
_LONGEST_NOTE = 400  # characters: a longer text is what was asked for
_QUOTED = 120  # characters of a note
_STATUS = re.compile(
    r"\b50[0-4]\W{1,3}(?:internal server error|not implemented|bad gateway"
    r"|service (?:temporarily )?unavailable|gateway time-?out)",
    re.IGNORECASE,
)
"""Of a server's error with its name (RFC 9110), which programs write into notes of any language."""
_JSON_OBJECT = re.compile(r"\{\s*\"[^\"]{1,80}\"\s*:")
_DEFAULTED = key_set("default defaulted default_used used_default using_default is_default")
_WORD = re.compile(r"[\w-]{4,40}")
_QUOTED_WORD = re.compile(r"['\"`‘“«]([\w-]{4,40})['\"`’”»]")
_DEFAULT = re.compile(
    r"\bdefault|fall(?:s|ing|en)? ?back|par défaut|por defecto|predetermin|\bpadrão|predefinit"
    r"|standard(?:wert|waarde|verdi|värde|væ)|\bvorgabe|domyśln|умолчан|默认|預設|既定|デフォルト|기본값",
    re.IGNORECASE,
)
"""Words for a default, beside which a note names a field without quotation marks."""
_LONGEST_RECORD = 8  # values at all levels: a longer record may have a message among its facts
_DEEPEST_FIELD = 3  # of the result itself, or of the one record of a list, under a wrapper
_SHORTEST_REPORT = 16  # characters: `Error` alone may be a label
_NAMES_REPORTS = word_set(
    "error errors exception warning warnings reason cause detail details log logs line event events"
    " incident alert ticket issue title subject question query status state last previous trace"
    " stack stderr history fehler grund ursache meldung erreur motif cause errore motivo erro fout"
    " melding błąd"
)
"""Words of keys whose value may be the report of another failure."""
_KEEPS_REPORTS = _NAMES_REPORTS | word_set("monitor diagnose health ping probe tickets alerts")
_SHORTEST_KEY = 4  # characters of a key that a note does not name by chance


def explain_swallowed_failure(node: Node) -> str:
    """How a result shows that something failed inside, as the end of a sentence; empty where
    nothing does."""
    result = node.view.output.result
    if not (result.may_have_empty or isinstance(result.opened, str)):
        return _find_report_in_place(node)
    leaves = result.first_leaves
    return (
        _find_lone_note(leaves) or _find_unread_object(node, leaves) or _find_report_in_place(node)
    )


def kept_quiet(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether a tool that a model asked for returned an empty result, as for what failed below."""
    if not analysis.was_read(node) or asking_call(node, analysis) is None:
        return False
    leaves = node.view.output.first_leaves
    has_empty = any(leaf.value in ([], {}) for leaf in leaves)
    has_item = any(isinstance(part, int) for leaf in leaves for part in leaf.path)
    return node.view.returned_nothing or (has_empty and not has_item)


def explain_default(node: Node) -> str:
    """How a result shows that a default stands in it for what could not be read."""
    leaves = node.view.output.result.first_by_type
    return _find_default_flag(leaves.flags) or _find_named_default(node, leaves)


def _find_lone_note(leaves: Sequence[Leaf]) -> str:
    """A note of a failure as all that a result says beside an empty list or object."""
    full = [leaf.value for leaf in leaves if leaf.value]
    if len(full) != 1 or not any(leaf.value in ([], {}, None) for leaf in leaves):
        return ""
    note = full[0]
    if not isinstance(note, str) or len(note) > _LONGEST_NOTE:
        return ""
    if not (find_reported_failure(note) or _STATUS.search(note)):
        return ""
    return f"it returned nothing but “{one_line(note, limit=_QUOTED)}”"


def _find_report_in_place(node: Node) -> str:
    """The report of a failure as a field of a short record, where a translation, a label or a text
    should stand: a service answered with its error page, and the caller took it for the result.

    What was given or is named after failures and records of them is content.
    """
    result = node.view.output.result
    texts = result.first_by_type.texts if isinstance(result.opened, (dict, list)) else ()
    if not texts or has_word(node.function_name, _KEEPS_REPORTS):
        return ""
    if result.opened_survey.items > _LONGEST_RECORD:
        return ""
    for path, _, text in texts:
        if not path or not isinstance(path[-1], str) or len(path) > _DEEPEST_FIELD:
            continue
        if len(text) < _SHORTEST_REPORT or has_word(path[-1], _NAMES_REPORTS):
            continue
        if find_reported_failure(text) and text not in _list_given(node):
            shown = one_line(text, limit=_QUOTED)
            return f"it has “{shown}” as its {one_line(path[-1], limit=40)}"
    return ""


def _find_unread_object(node: Node, leaves: Sequence[Leaf]) -> str:
    """An empty object with a note for a text that holds a JSON object, in a step of the program: a
    service may confirm what it was sent in this way."""
    if node.view.calls_outside or len(leaves) != 2:
        return ""
    emptied = any(leaf.value == {} and leaf.key in RESULT_WRAPPERS for leaf in leaves)
    note = next((leaf.value for leaf in leaves if isinstance(leaf.value, str)), "")
    if not emptied or not note or len(note) > _LONGEST_NOTE:
        return ""
    if not any(_JSON_OBJECT.search(text) for text in _list_given(node)):
        return ""
    return f"it made an empty object of a text that holds one: “{one_line(note, limit=_QUOTED)}”"


def _find_default_flag(flags: Sequence[Leaf]) -> str:
    """A flag that the value is a default, beside one that nothing was matched or found."""
    flags = [leaf for leaf in flags if len(leaf.path) == 1]
    default = next((leaf for leaf in flags if leaf.value and leaf.key in _DEFAULTED), None)
    missed = next((leaf for leaf in flags if not leaf.value), None)
    if default is None or missed is None:
        return ""
    names = [one_line(str(leaf.path[-1]), limit=40) for leaf in (missed, default)]
    return f"it says {names[0]}: false and {names[1]}: true"


def _find_named_default(node: Node, leaves: LeavesByType) -> str:
    """A field that a note of the result names, whose value does not stand in the text that was
    given while those of other fields do."""
    if node.view.calls_outside:
        return ""
    notes = [
        leaf.value
        for leaf in leaves.texts
        if " " in leaf.value and len(leaf.value) <= _LONGEST_NOTE
    ]
    fields = {
        leaf.path[-1]: leaf.value
        for leaf in (chain(*leaves) if notes else ())
        if leaf.path and isinstance(leaf.path[-1], str) and len(leaf.path[-1]) >= _SHORTEST_KEY
    }
    notes = [note for note in notes if any(name in note for name in fields)]
    given = "\n".join(_list_given(node)) if notes else ""
    if not given:
        return ""
    fields = {name: str(value) for name, value in fields.items()}
    for note in notes:
        words = set((_WORD if _DEFAULT.search(note) else _QUOTED_WORD).findall(note))
        for name in (each for each in fields if each in words):
            others = [fields[each] for each in fields if fields[each] not in (note, fields[name])]
            if fields[name] not in given and any(each and each in given for each in others):
                value = one_line(fields[name], limit=40)
                return (
                    f"it has “{value}”, which it was not given, and says"
                    f" “{one_line(note, limit=_QUOTED)}”"
                )
    return ""


def _list_given(node: Node) -> Iterator[str]:
    return (leaf.value[:_TEXT_READ] for leaf in node.view.input.first_by_type.texts)
