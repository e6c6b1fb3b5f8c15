"""Calls that did nothing and reported success all the same."""

import re
from collections.abc import Sequence

from app.analysis.recorded.leaves import Leaf
from app.analysis.recorded.names import has_word
from app.analysis.recorded.spellings import kept_by_keys, key_set, word_set
from app.analysis.recorded.status_words import SUCCESS_FLAGS
from app.analysis.text.one_line import one_line
from app.analysis.tree import Node

_PASSED = key_set("passed all_passed tests_passed")
_LEAST_COUNTS = 2  # of items: given and taken
_OLD_TEXT = key_set("old old_string old_str old_text old_content search find search_text find_text")
_NEW_TEXT = key_set(
    "new new_string new_str new_text new_content replace replacement replace_with replacement_text"
)
_PATCH = key_set("patch diff")
_WRITES = word_set("write update set edit insert append put patch replace apply fill")
_WRITTEN = key_set("value values content contents text data rows cells records fields body")
"""Arguments with what is to be written."""
_CHANGES = key_set(
    "replacements replacement_count num_replacements replaced replaced_count edits edits_applied"
    " changes changes_made changed modified applied occurrences hunks_applied lines_changed patched"
)
"""Keys of how much a call changed in a text, as a count or a flag."""
_CHANGED = ("updated", "applied", "written", "inserted", "affected", "modified", "changed")
"""Beginnings of such keys: `updatedCells` of spreadsheets, `applied_hunks` of patches."""
_HANDLED = key_set(
    "indexed stored saved written sent delivered processed imported ingested embedded exported"
    " uploaded"
)
"""Keys of how many of the items that it was given a call took; what may exist already, as in
`inserted`, is none of them."""
_TAKEN = _HANDLED | key_set(
    "inserted upserted updated loaded synced geschrieben gespeichert écrits écrites enregistrés"
    " enregistrées escritos escritas guardados guardadas gravados gravadas scritti scritte salvati"
    " salvate geschreven opgeslagen skrivna sparade skrevet lagret zapisane zapisano записано"
    " 写入 已写入 書込 保存済"
)
_GIVEN = key_set(
    "received given requested submitted attempted expected rows_in items_in empfangen erhalten"
    " übergeben reçus reçues demandés recibidos recibidas solicitados recebidos recebidas ricevuti"
    " ricevute ontvangen mottagna mottatt otrzymane otrzymano получено 接收 已接收 受信"
)
"""Keys of how many items such a call says that it was given."""
_ROWS = (
    "rows?|records?|items?|docs|documents|entries|cells|righe|lignes|filas|linhas|registros"
    "|enregistrements|zeilen|datensätze|datensaetze|rader|rijen|regels|rækker|wiersz[ey]|строк|行"
)
_AS_WRITTEN = (
    "written|affected|updated|inserted|modified|changed|saved|stored|upserted"
    "|geschrieben|gespeichert|betroffen|aktualisiert|geändert|eingefügt|geschreven|opgeslagen"
    "|bijgewerkt|gewijzigd|écrit|enregistré|modifié|affecté|inséré|scritt|salvat|aggiornat|modificat"
    "|inserit|escrit|guardad|gravad|actualizad|atualizad|afectad|afetad|insertad|inserid|modificad"
    "|skrevn?[ea]?t?|skrivn|sparad|lagr|oppdater|uppdater|ändrad|opdater|ændre|zapisan|zmienion"
    "|записан|изменен|обновлен|写入|更新|影响|書込"
)
_names_written_rows = re.compile(
    rf"(?:{_ROWS})(?:{_AS_WRITTEN})\w{{0,4}}|(?:{_AS_WRITTEN})\w{{0,4}}(?:{_ROWS})"
).fullmatch
"""Keys of how many rows or records a call wrote or changed, in any order of the words."""
_SAYS_DONE = word_set(
    "ok success succeeded successful done completed complete erfolgreich erfolg fertig éxito exito"
    " correcto hecho succès réussi terminé fait sucesso concluído feito successo riuscito fatto"
    " gelukt voltooid lyckades klar ferdig udført sukces gotowe успех успешно готово 成功 完了 完成"
)
_MAY_CHANGE_NONE = word_set(
    "sync upsert ensure merge delete remove purge clean cleanup expire prune deduplicate dedupe"
    " migrate refresh ignore touch mark init setup query sql execute exec if"
)
"""Words of names of calls that rightly find nothing to change, or run what their input says."""
_is_trial = re.compile(r"dry|trial|simul|preview|prova|prueba|essai|probe|test").search
_is_statement = re.compile(
    r"\s*(?:with|update|insert|delete|merge|create|alter|drop|replace)\s", re.IGNORECASE
).match
_LEAST_GIVEN = 2  # values: one may be what is looked for
_MOST_REPORTED = 6  # values of a result that only reports a write
_COMMITTED = key_set(
    "confirmed committed persisted saved stored written applied confirmado confirmada guardado"
    " guardada grabado gravado gravada salvo aplicado aplicada escrito persistido bestätigt"
    " gespeichert geschrieben übernommen angewendet confirmé enregistré sauvegardé appliqué écrit"
    " validé confermato salvato scritto applicato bevestigd opgeslagen toegepast geschreven"
    " bekräftad sparad skriven bekreftet lagret skrevet bekræftet gemt potwierdzone zatwierdzone"
    " zapisano zapisane подтверждено сохранено записано 已确认 已提交 已保存 確認済"
    " 保存済 확정 저장됨"
)
"""Flags of writes: whether what was written stays."""
_KEYS_READ = SUCCESS_FLAGS | _PASSED | _CHANGES | _TAKEN


def explain_void_result(node: Node) -> str:
    """Why a result that reports success is none; empty where nothing speaks against it."""
    output = node.view.output
    if not (output.may_have_key(_KEYS_READ) or _choose_counts(output.keys)):
        return ""
    leaves = output.first_leaves
    return (
        _find_no_change(node, leaves)
        or _find_none_handled(node, leaves)
        or _find_none_written(node, leaves)
        or _find_fewer_taken(leaves)
        or _find_not_committed(node, leaves)
    )


def reports_success(node: Node) -> bool:
    """Whether a result says that the call worked, whatever else it says."""
    leaves = node.view.output.first_leaves
    return _find_flag(leaves, _PASSED | SUCCESS_FLAGS) is not None


def _find_no_change(node: Node, leaves: Sequence[Leaf]) -> str:
    """The count or the flag by which a call that was to write something, to replace a text or to
    apply a patch says that it changed nothing."""
    given = node.view.input.keys
    is_edit = not (_OLD_TEXT.isdisjoint(given) or _NEW_TEXT.isdisjoint(given))
    is_write = has_word(node.function_name, _WRITES) and not _WRITTEN.isdisjoint(given)
    if not (is_edit or is_write) and _PATCH.isdisjoint(given):
        return ""
    counts = [leaf for leaf in leaves if isinstance(leaf.value, int) and _counts_changes(leaf.key)]
    if not counts or any(leaf.value for leaf in counts):
        return ""
    return f"its output says “{_show_leaf(counts[0])}”, so it did not change what it was given to"


@kept_by_keys
def _choose_counts(keys: frozenset[str]) -> frozenset[str]:
    return frozenset(filter(_counts_changes, keys))


def _counts_changes(key: str) -> bool:
    return key in _CHANGES or key.startswith(_CHANGED) or bool(_names_written_rows(key))


def _find_none_handled(node: Node, leaves: Sequence[Leaf]) -> str:
    """The count by which a call says that it took none of the items that it was given, with neither
    another count nor a sentence about them."""
    counts = [leaf for leaf in leaves if leaf.key in _HANDLED and type(leaf.value) is int]
    if not counts or any(type(leaf.value) is int and leaf.value for leaf in leaves):
        return ""
    if any(isinstance(leaf.value, str) and " " in leaf.value.strip() for leaf in leaves):
        return ""
    given = node.view.input.first_leaves
    places = [part for leaf in given for part in leaf.path if isinstance(part, int)]
    if not places:
        return ""
    return f"its output says “{_show_leaf(counts[0])}” for a list of at least {max(places) + 1}"


def _find_none_written(node: Node, leaves: Sequence[Leaf]) -> str:
    """The count by which a call that was given what to write and says that it worked states that
    it wrote none, with neither another number nor a sentence about it."""
    if len(leaves) > _MOST_REPORTED:
        return ""
    count = next((leaf for leaf in leaves if _names_written_rows(leaf.key)), None)
    if count is None or type(count.value) is not int:
        return ""
    numbers = (leaf.value for leaf in leaves if type(leaf.value) in (int, float))
    texts = [leaf.value.strip().casefold() for leaf in leaves if isinstance(leaf.value, str)]
    if any(numbers) or any(" " in text for text in texts):
        return ""
    if _SAYS_DONE.isdisjoint(texts) and _find_flag(leaves, SUCCESS_FLAGS) is None:
        return ""
    given = node.view.input.first_leaves
    if len(given) < _LEAST_GIVEN or has_word(node.function_name, _MAY_CHANGE_NONE):
        return ""
    if any(_is_trial(leaf.key) or _is_statement(str(leaf.value)) for leaf in given):
        return ""
    return f"its output says “{_show_leaf(count)}”, so nothing was written"


def _find_fewer_taken(leaves: Sequence[Leaf]) -> str:
    """The count by which a call says that it took fewer items than it was given, with no word about
    the others: neither a further count nor a list nor a sentence."""
    counts = [leaf for leaf in leaves if type(leaf.value) is int]
    given = next((leaf for leaf in counts if leaf.key in _GIVEN), None)
    taken = next((leaf for leaf in counts if leaf.key in _TAKEN), None)
    if given is None or taken is None or not 0 <= taken.value < given.value:
        return ""
    if len(counts) > _LEAST_COUNTS or any(
        leaf.path[:-1] != given.path[:-1] or " " in str(leaf.value).strip() for leaf in leaves
    ):
        return ""
    return f"its output says “{_show_leaf(taken)}” beside “{_show_leaf(given)}”"


def _find_not_committed(node: Node, leaves: Sequence[Leaf]) -> str:
    """The flag by which a call that was given things to write says that they were not, beside a
    count of none."""
    flag = next((leaf for leaf in leaves if leaf.key in _COMMITTED and leaf.value is False), None)
    count = next(
        (leaf for leaf in leaves if type(leaf.value) is int and _counts_changes(leaf.key)), None
    )
    if flag is None or count is None or count.value:
        return ""
    given = node.view.input.first_leaves
    has_items = any(isinstance(part, int) for leaf in given for part in leaf.path)
    counted = any(type(leaf.value) is int and leaf.value > 0 for leaf in given)
    if not (has_items or counted) or any(_is_trial(leaf.key) for leaf in given):
        return ""
    return f"its output says “{_show_leaf(flag)}” beside “{_show_leaf(count)}”"


def _find_flag(leaves: Sequence[Leaf], keys: frozenset[str]) -> Leaf | None:
    return next((leaf for leaf in leaves if leaf.key in keys and leaf.value is True), None)


def _show_leaf(leaf: Leaf) -> str:
    value = str(leaf.value).lower() if isinstance(leaf.value, bool) else leaf.value
    return f"{one_line(str(leaf.path[-1]), limit=40)}: {value}"
