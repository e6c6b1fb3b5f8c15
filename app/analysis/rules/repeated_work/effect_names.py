"""Names of calls that do something outside each time they are made: an order, a mail, a payment."""

import re
from functools import lru_cache

from app.analysis.recorded.names import NAME_READ, has_word, match_names, split_words
from app.analysis.recorded.spellings import key_set, word_set

IDEMPOTENCY_KEYS = key_set(
    "idempotency_key idempotencykey x_idempotency_key client_token client_request_id request_token"
    " dedupe_id dedup_key deduplication_id message_deduplication_id idempotency_token"
)
"""Arguments by which a service tells that a request is sent again, and does nothing twice."""
_ALWAYS = word_set(
    "charge refund pay purchase buy notify reimburse payout debit withdraw deposit"
    " überweise überweisen bezahle bezahlen erstatten pagar cobrar reembolsar pague"
    " payer rembourser rimborsa paga"
)
"""Verbs that say by themselves what is done."""
_CREATES = word_set("create crear criar créer creer crea erstelle erstellen anlegen")
_VERBS = (
    word_set(
        "send submit book reserve transfer wire invite schedule enroll publish checkout sende"
        " senden versende versenden buche buchen bestelle bestellen reserviere beauftrage melde"
        " benachrichtige enviar reservar transferir pedir notificar envoyer réserver reserver"
        " commander virer notifier invia inviare prenota prenotare ordina"
    )
    | _ALWAYS
    | _CREATES
)
_VERBS_OF_THINGS = word_set(
    "open add file place raise make issue post process initiate execute trigger register request"
    " start perform new order mail email"
)
"""Verbs that do something outside only to the things below: `open_file` does nothing."""
_FIRST_WORDS = word_set("order mail email post sms tweet book charge transfer")
"""Words that are verbs where a name begins with them, and nouns behind another one."""
_NOUNS = word_set("order mail email post sms tweet issue charge transfer book request")
_THINGS = word_set(
    "order orders ticket tickets incident incidents case dispute issue claim complaint payment"
    " payments refund refunds transfer transfers booking bookings reservation reservations"
    " appointment meeting invoice invoices charge charges trade bid message mail email emails sms"
    " comment reply notification shipment return purchase withdrawal deposit payout credit voucher"
    " coupon subscription tweet workorder letter fax alert call reminder confirmation receipt"
    " rechnung bestellung auftrag buchung zahlung überweisung nachricht benachrichtigung störung"
    " pedido pago correo mensaje reserva factura commande paiement courriel facture réservation"
    " ordine pagamento fattura prenotazione encomenda pagamento mensagem"
)
_HARMLESS = word_set(
    "get list read fetch search find query lookup look check status validate verify preview draft"
    " estimate quote calculate compute parse classify format render load describe show count set"
    " update save put upsert ensure write log logs sync delete remove cancel cache simulate"
    " simulation dry template prompt prompts prepare build plan plans generate embedding embeddings"
    " completion completions chat response responses llm model agent agents client session context"
    " tool tools index table file files folder directory dir collection schema database branch view"
    " chart plot image graph summary outline metric metrics telemetry heartbeat ping typing"
    " presence progress keys key keystrokes command cmd input signal packet bytes http graphql rpc"
    " socket handoff handover delegate test mock fake sandbox history memory state checkpoint"
    " snapshot backup token tmp temp answer final result results hook webhook processing processor"
    " screenshot uuid hash signature resend resubmit retry again intent options slots details"
    " info confirm poll wait edit replace patch merge select extract analyze analyse"
)
"""Words of names that read, write again without harm, or stay inside the program."""
_hands_over = match_names("^transfer ?(?:back ?)?to|^post ?process")
_WITHOUT_BLANKS = re.compile(
    "发送|發送|创建|建立|下单|支付|付款|退款|预订|预定|转账|提交|送信|注文|予約|決済|支払|返金|전송|주문|결제|환불|예약"
)
_READS_WITHOUT_BLANKS = re.compile(
    "查询|查詢|获取|状态|列表|取得|確認|検索|조회|확인|상태|草稿|预览"
)
_UNDOES = word_set(
    "cancel delete void undo revert reverse remove rollback reset close discard release abort"
    " storno stornieren cancelar annuler"
)
_NAMES_KEPT = 2_048  # names of which the answer is kept: a trace has few


@lru_cache(_NAMES_KEPT)
def does_something_outside(name: str, *, is_tool: bool) -> bool:
    """Whether a call of this name does something outside that a second call does once more.

    Tools that create something count whatever it is; steps of the program have to name a thing that
    leaves it.
    """
    name = name[:NAME_READ]
    if _WITHOUT_BLANKS.search(name):
        return not _READS_WITHOUT_BLANKS.search(name)
    if has_word(name, _HARMLESS) or _hands_over(name):
        return False
    words = split_words(name)
    verbs = {word for place, word in enumerate(words) if place == 0 or word not in _NOUNS}
    if is_tool and words and words[0] in _FIRST_WORDS:
        return True
    if not _ALWAYS.isdisjoint(verbs):
        return True
    names_thing = any(
        word in _THINGS and (word not in _VERBS_OF_THINGS or place > 0)
        for place, word in enumerate(words)
    )
    if not _VERBS.isdisjoint(verbs):
        return is_tool or names_thing
    return names_thing and not _VERBS_OF_THINGS.isdisjoint(verbs)


def only_creates(name: str) -> bool:
    """Whether the name says no more than that something is created, as a tag or a list is that may
    be created again without harm."""
    return (
        has_word(name, _CREATES)
        and not has_word(name, _THINGS)
        and not has_word(name, _VERBS - _CREATES)
    )


def undoes_something(name: str) -> bool:
    """Whether a call of this name takes something back."""
    return has_word(name, _UNDOES)
