"""Batches of which some items failed while the call as a whole worked, and nobody looked."""

import re
from itertools import islice

from app.analysis.recorded.failed_items import FailedItems, find_failed_items
from app.analysis.recorded.names import has_word
from app.analysis.recorded.spellings import word_set
from app.analysis.text.one_line import format_count, list_first, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_WRITES = word_set(
    "batch bulk modify send put post insert upload import publish create update delete remove sync"
    " move label tag notify transfer pay archive write save store ingest migrate copy assign apply"
    " patch upsert add mail email dispatch submit export deploy push set register enroll provision"
    " replicate reindex refund charge invite mass multi"
    " senden versenden importieren anlegen enviar importar actualizar crear envoyer importer"
    " atualizar criar invia importa"
)
_LOOKS = word_set(
    "check test tests lint validate verify scan audit eval evaluate monitor status health probe"
    " report list get search fetch query count compare history describe show dry preview simulate"
    " read find lookup crawl scrape inspect review judge score grade"
)
"""Words of names of calls for which failures are what was looked for."""
_MENTIONS = re.compile(
    r"fail|error|could ?n[o']t|cannot|unable|except|not all|skipp|missing|reject|problem|remain"
    r"|fehl|konnte[n]? nicht|fall(?:ó|id|o)|no (?:se )?pud|échou|erreur|falh|失败|失敗|실패|ошиб",
    re.IGNORECASE,
)
_AGAIN = word_set("retry again resend redo repair dead dlq requeue fallback rest remaining failed")
_LATER_READ = 200  # spans after a batch in which something is done for what failed
_REPLY_READ = 20_000  # characters of an answer
_IDS_SHOWN = 4
_SHORTEST_ID = 2  # characters: shorter ones stand in inputs by chance


def failed_items_of(node: Node) -> FailedItems | None:
    """What the result of a call that changes something states of items that failed."""
    if node.view.is_model_call or has_word(node.function_name, _LOOKS):
        return None
    found = find_failed_items(node.view.output)
    if found is None or not (found.is_sure or has_word(node.function_name, _WRITES)):
        return None
    return found


def describe_failed_items(found: FailedItems) -> str:
    """`3 of 24 items failed (m4, m9, m17)`."""
    of = f"{found.failed} of {found.total} items" if found.total else ""
    ids = [one_line(each, limit=40) for each in found.ids[:_IDS_SHOWN]]
    shown = f" ({list_first(ids, found.failed)})" if ids else ""
    return f"{of or format_count(found.failed, 'item')} failed{shown}"


def was_noticed(node: Node, found: FailedItems, analysis: TraceAnalysis) -> bool:
    """Whether a later call took what failed, or the answer or a later reply speaks of it."""
    if any(_MENTIONS.search(text) for text in _answer_texts(analysis)):
        return True
    ids = {each for each in found.ids if len(each) >= _SHORTEST_ID}
    later = (each for each in analysis.tree.nodes[node.index + 1 :] if each.start >= node.end)
    for each in islice(later, _LATER_READ):
        if has_word(each.function_name, _AGAIN) or (not ids and each.name == node.name):
            return True
        if not analysis.was_read(each):
            continue
        if each.view.is_model_call:
            if _MENTIONS.search(each.view.reply.text[:_REPLY_READ]):
                return True
        elif any(str(leaf.value) in ids for leaf in each.view.input.leaves):
            return True
    return False


def _answer_texts(analysis: TraceAnalysis) -> list[str]:
    leaves = analysis.returned.leaves
    return [leaf.value[:_REPLY_READ] for leaf in leaves if isinstance(leaf.value, str)]
