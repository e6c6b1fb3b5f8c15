"""Answers that go on as if a state did not stand in a result: a departure that is cancelled is
offered as running, the payment of a card that was reported stolen is released."""

import re
from collections.abc import Iterator, Sequence

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.answer_text import denies
from app.analysis.recorded.leaves import Leaf
from app.analysis.recorded.spellings import kept_by_keys, key_set
from app.analysis.rules.answer_writer import find_answer_writer
from app.analysis.rules.lookups import list_tool_calls
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_OFFERED = 0.75  # confidence: the item is named and nothing in the answer restricts it
_WENT_AHEAD = 0.65  # confidence: that the state matters for what was asked is not sure
_ANSWER_READ = 2_000  # characters
_LEAVES_READ = 200  # of one result
_LONGEST_STATE = 60  # characters: a longer text is no state
_SHORTEST_NAME = 3  # characters of a value by which an item is named
_STATE_KEYS = key_set(
    "status state availability condition statut état estado estatus situación situação stato"
    " tilstand"
    " tillstånd stav stan zustand verfügbarkeit disponibilité disponibilidad disponibilità durum"
    " tila"
    " статус состояние 状态 状態 ステータス 運行状況 空席 상태"
)
_STATE_ENDINGS = ("status", "state", "flag", "alert", "verdict", "zustand", "estado", "statut")
_UNAVAILABLE = re.compile(
    r"cancel|sold[ _-]?out|unavailab|not[ _]available|\bclosed|suspended|out[ _]of[ _](?:service"
    r"|order"
    r"|stock)|discontinued|withdrawn|fully[ _]booked|no[ _]longer|expired|revoked|recalled|defect"
    r"|storniert|ausgefallen|fällt aus|entfällt|abgesagt|ausverkauft|ausgebucht|geschlossen"
    r"|gesperrt"
    r"|außer betrieb|abgelaufen|annulé|supprimé|complet\b|épuisé|fermé|hors service|expiré|suspendu"
    r"|anulad|agotad|cerrad|completo|fuera de servicio|caducad|suspendid|annullat|soppress|esaurit"
    r"|chius|fuori servizio|scadut|sospes|esgotad|fechad|lotado|fora de serviço|vencid|geannuleerd"
    r"|uitverkocht|gesloten|buiten dienst|verlopen|vervallen|innstilt|inställ|aflyst|avlyst"
    r"|kansellert"
    r"|utsolgt|utsåld|slutsåld|udsolgt|stengt|stängd|lukket|peruttu|loppuunmyyty|suljettu|odwołan"
    r"|anulowan|wyprzedan|zamknięt|nieczynn|wygas|zrušen|vyprodán|zavřen|törölve|elkelt|zárva|отмен"
    r"|распродан|закрыт|недоступ|скасован|ακυρ|κλειστ|iptal|tükendi|kapalı|取消|停运|停航|售罄|已满|关闭"
    r"|欠航|運休|満席|満室|売り切れ|完売|休業|中止|결항|취소|매진|만석|휴업",
    re.IGNORECASE,
)
"""What cannot be had: departures, rooms, goods."""
_NOT_OFFERS = re.compile(
    r"histor|order|transac|payment|invoice|\blogs?\b|audit|ticket|case|job|run|task|event|past"
    r"|claim|bestell|rechnung|zahlung|verlauf|commande|facture|pedido|factura|pago|ordin|fattur"
    r"|zamów|faktur|заказ|订单|記録|履歴|注文|주문|이력",
    re.IGNORECASE,
)
"""Names of lists of what happened: an entry is named without its state."""
_GRAVE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"stolen|lost_card|reported_lost|gestohlen|verloren|volée?\b|\brobad|\brubat|\broubad|gestolen"
        r"|stulen|stjål|skradzion|ukraden|украден|被盗|挂失|盗難|도난",
        r"fraud|compromis|counterfeit|forged|betrug|oszust|мошенн|欺诈|不正|사기",
        r"deceas|verstorben|décédé|fallecid|decedut|falecid|overleden|avliden|zmarł|умер|死亡|사망",
        r"blacklist|denylist|sanction|banned|sanktion|sancion|sanzion",
        r"recalled|zurückgerufen|rappelé|richiamat",
        r"contraindicat|kontraindi|contre-indi|contraindica|controindica",
        r"bankrupt|insolven|faillite|quiebra|fallit|konkurs|upadł|банкрот|破产|破産|파산",
    )
)
"""What nobody goes past in silence."""
_GOES_AHEAD = re.compile(
    r"""\b(?:releas(?:e|ed|ing)|approv(?:e|ed)|accept(?:ed)?|proceed(?:ed|ing)?|go\sahead|grant(?:ed)?
      |confirm(?:ed)?|book(?:ed)?|paid|pay\sout|ship(?:ped)?|clear(?:ed)?|safe|unblock(?:ed)?|reactivat\w+
      |freigegeben|freigeben|genehmigt|bestätigt|ausgezahlt|gebucht|libér\w+|approuv\w+|accept\w+
      |confirm\w+|valid\w+|liberad\w|liberar|aprobad\w|aprobar|autorizad\w|aceptad\w|sblocc\w+
      |approvat\w|confermat\w|aprovad\w|goedgekeurd|vrijgegeven|bevestigd|zatwierdz\w+|potwierdz\w+
      |godkän\w+|godkend\w*|godkjen\w+|bekräft\w+|schvál\w+|одобрен\w*|подтвержд\w+)\b
    | 批准|放行|通过|确认|承認|許可|解除|승인|확인""",
    re.IGNORECASE | re.VERBOSE,
)
_CAUTION = re.compile(
    r"\b(?:block|hold|held|refus|declin|reject|escalat|review|deny|denied|stop|freez|frozen|warn"
    r"|report|gesperrt|sperr|ablehn|abgelehnt|prüf|bloqu|refus|rechaz|deneg|rifiut|blocc|recus"
    r"|geweiger"
    r"|geblokkeerd|odrzuc|zablok|avvis|avslå|spärr|заблок|отказ)|冻结|拒绝|止め|保留|停止|차단|거절|보류",
    re.IGNORECASE,
)


def find_ignored_states(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: the call that wrote the answer, with the result whose state it passed over."""
    marked = [
        node
        for node in analysis.once(list_tool_calls)
        if analysis.was_read(node) and node.error is None and _keep_states(node.view.output.keys)
    ]
    writer = analysis.once(find_answer_writer) if marked else None
    if writer is None or not writer.view.reply.text:
        return
    answer = writer.view.reply.text[:_ANSWER_READ]
    for node in reversed(marked):
        if node.end > writer.start:
            continue
        leaves = tuple(node.view.output.first_leaves(_LEAVES_READ))
        found = _find_offered(answer, node, leaves) or _find_grave(answer, leaves)
        if found:
            what, leaf, confidence = found
            sentence = (
                f"{one_line(writer.name, limit=60)} {what}, though"
                f" {one_line(node.name, limit=60)} had returned"
                f" {one_line(str(leaf.path[-1]), limit=40)}: {one_line(str(leaf.value), limit=60)}."
            )
            yield build_finding(Category.IGNORED_RESULT, confidence, sentence, [writer, node])
            return


@kept_by_keys
def _keep_states(keys: frozenset[str]) -> frozenset[str]:
    return frozenset(key for key in keys if _is_state_key(key))


def _is_state_key(key: str) -> bool:
    return key in _STATE_KEYS or key.endswith(_STATE_ENDINGS)


def _find_offered(
    answer: str, node: Node, leaves: Sequence[Leaf]
) -> tuple[str, Leaf, float] | None:
    """An item of a list that cannot be had and that an answer names, with nothing restricted."""
    if _NOT_OFFERS.search(node.function_name) or _UNAVAILABLE.search(answer) or denies(answer):
        return None
    items: dict[tuple[str | int, ...], list[Leaf]] = {}
    for leaf in leaves:
        depth = next((at for at, part in enumerate(leaf.path) if isinstance(part, int)), None)
        if depth is not None:
            items.setdefault(tuple(leaf.path[: depth + 1]), []).append(leaf)
    closed = {path: state for path, each in items.items() if (state := _find_closed(each))}
    if not closed or len(closed) == len(items):
        return None
    if any(_NOT_OFFERS.search(str(part)) for path in closed for part in path):
        return None
    for path, state in closed.items():
        others = {str(leaf.value) for other in items if other != path for leaf in items[other]}
        for leaf in items[path]:
            name = str(leaf.value)
            if leaf is not state and name not in others and _stands_in(name, answer):
                return f"named {one_line(name, limit=40)} without any restriction", state, _OFFERED
    return None


def _find_closed(leaves: Sequence[Leaf]) -> Leaf | None:
    return next(
        (
            leaf
            for leaf in leaves
            if _is_state_key(leaf.key)
            and isinstance(leaf.value, str)
            and len(leaf.value) <= _LONGEST_STATE
            and _UNAVAILABLE.search(leaf.value)
        ),
        None,
    )


def _stands_in(name: str, answer: str) -> bool:
    """Whether a value that is a name, a number or a time stands in an answer as a word."""
    is_name = len(name) >= _SHORTEST_NAME and (
        any(map(str.isdigit, name)) or name != name.lower() or not name.isascii()
    )
    return is_name and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", answer) is not None


def _find_grave(answer: str, leaves: Sequence[Leaf]) -> tuple[str, Leaf, float] | None:
    """A grave state, where an answer goes ahead and has no word of it, nor of caution."""
    for leaf in leaves:
        value = leaf.value
        if not _is_state_key(leaf.key) or not isinstance(value, str):
            continue
        kind = next((each for each in _GRAVE if each.search(value[:_LONGEST_STATE])), None)
        if kind is None or len(value) > _LONGEST_STATE:
            continue
        ahead = _GOES_AHEAD.search(answer)
        if ahead and not kind.search(answer) and not _CAUTION.search(answer):
            return f"answered “{one_line(answer, limit=60)}”", leaf, _WENT_AHEAD
    return None
