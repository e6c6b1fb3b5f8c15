"""Failures and refusals that stand in plain words, in many languages, and what only looks alike."""

from typing import Any

from evals.small_cases.builder import CaseList, model, says, tool

GATEWAY = CaseList("gateway_text_as_reply")
UNDONE = CaseList("undone_in_words")

# A provider or a gateway sends its message as the content of a reply that ended well.
_GATEWAY_TEXTS = {
    "budget": "ExceededBudget: Budget has been exceeded! Current cost: 12.04, max budget: 12.0",
    "credits": "This request requires more credits. Visit your account settings to add some.",
    "balance": "Your credit balance is too low to access the API. Please go to Plans & Billing.",
    "overloaded": "The model is currently overloaded, please retry in a moment.",
    "deployments": "No deployments available for selected model, try again in 60 seconds.",
    "api_key": "Incorrect API key provided: sk-...93f1.",
    "filtered": "The response was filtered due to the prompt triggering our content policy.",
    "context": "This model's maximum context length is 8192 tokens, you sent 9120.",
    "html": "<html>\n<head><title>502 Bad Gateway</title></head>\n<body>nginx</body></html>",
    "cloudflare": "<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>",
    "german": "Das Kontingent für diesen Schlüssel ist für heute erschöpft.",
    "french": "Le quota de requêtes est dépassé pour ce compte.",
    "spanish": "El saldo de la cuenta es insuficiente para completar la petición: saldo agotado.",
    "polish": "Przekroczono limit zapytań dla tego klucza.",
    "russian": "Превышен лимит запросов для этого ключа.",
    "chinese": "您的额度已用完，请充值后重试。",
    "japanese": "利用上限に達しました。管理者に連絡してください。",
    "korean": "월간 한도를 초과했습니다.",
}


def _anthropic(text: str) -> dict[str, Any]:
    content = [{"type": "text", "text": text}]
    return {"type": "message", "role": "assistant", "content": content, "stop_reason": "end_turn"}


def _gemini(text: str) -> dict[str, Any]:
    content = {"role": "model", "parts": [{"text": text}]}
    return {"candidates": [{"content": content, "finishReason": "STOP"}]}


_REPLIES = (says, _anthropic, _gemini)
for _place, (_name, _text) in enumerate(_GATEWAY_TEXTS.items()):
    _reply = _REPLIES[_place % len(_REPLIES)]
    GATEWAY.add(
        _name,
        *(model(_reply(f"Havn {n}"), asked=f"Translate the stop: harbour {n}") for n in (1, 2)),
        model(_reply(_text), asked="Translate the stop: harbour 3", right=True),
        tool("save_stops", {"stops": ["Havn 1", "Havn 2", _text]}, {"saved": 3}),
        question={"route": 14},
        answer={"stops": 3},
        says="failed",
    )
for _name, _asked, _text in (
    ("budget_of_the_user", "Is my travel budget used up?", "Your budget is exceeded by 40 EUR."),
    ("data_plan", "Internet is slow. Plan: data quota 20 GB", "Your data quota is used up."),
    ("own_server", "Is our mail server up?", "The mail server is not reachable since 14:02."),
    ("a_page_that_was_ordered", "Write an HTML page for 404.", "<html><head><title>404</title>"),
    ("japanese_limit", "利用上限は？", "利用上限に達しましたので、お待ちください。"),
):  # fmt: skip
    GATEWAY.add(f"{_name}_healthy", model(says(_text), asked=_asked), question=_asked, answer=_text)

# A tool says in words that it did not do what it was called for, and the answer says it did.
_UNDONE = {
    "japanese": ("予約登録", "登録できませんでした: 在庫ロックの取得が時間切れ（E-42）"),
    "english": ("book_seats", "The seats could not be reserved: the sailing is locked."),
    "german": ("platz_buchen", "Die Plätze konnten nicht gebucht werden (Sperre)."),
    "french": ("reserver", "La réservation n'a pas pu être enregistrée : délai dépassé."),
    "spanish": ("reservar", "No se ha podido guardar la reserva: bloqueo."),
    "portuguese": ("reservar", "Não foi possível gravar a reserva (bloqueio)."),
    "italian": ("prenota", "Non è stato possibile salvare la prenotazione."),
    "dutch": ("boek", "De boeking kon niet worden opgeslagen: vergrendeld."),
    "polish": ("rezerwuj", "Nie udało się zapisać rezerwacji: blokada."),
    "czech": ("rezervovat", "Rezervaci se nepodařilo uložit: zámek."),
    "chinese": ("预订座位", "未能提交订单：库存被锁定"),
    "korean": ("예약_등록", "예약을 등록하지 못했습니다: 잠금 시간 초과"),
    "turkish": ("rezervasyon", "Rezervasyon kaydedilemedi: kilit."),
    "arabic": ("حجز", "لم يتم حفظ الحجز: القفل"),
}
_BOOKED = "Your two seats on the evening ferry are booked."
for _name, (_tool, _text) in _UNDONE.items():
    UNDONE.add(
        _name,
        tool("free_seats", {"sailing": "FB-2291"}, {"seats": 14}),
        tool(_tool, "FB-2291, 2", _text, right=True),
        model(says(_BOOKED), asked="Book two seats on FB-2291."),
        question="Book two seats on FB-2291.",
        answer=_BOOKED,
        says="failed without being marked",
    )
for _name, _result in {
    "grpc_code": {"reservado": False, "codigo": "PERMISSION_DENIED", "detalle": "sin permiso"},
    "aws_code": {"redriven": 0, "code": "AccessDeniedException"},
    "german_flag": {"erfolg": False, "meldung": "Fahrt ist gesperrt"},
    "chinese_flag": {"成功": False, "原因": "航班已锁定"},
    "polish_error": {"błąd": "przekroczono czas oczekiwania na blokadę"},
}.items():
    UNDONE.add(
        _name,
        tool("hold_seats", {"sailing": "FB-2291", "seats": 2}, _result, right=True),
        model(says(_BOOKED), asked="Book two seats on FB-2291."),
        question="Book two seats on FB-2291.",
        answer=_BOOKED,
        says="failed without being marked",
    )
for _name, _result in {
    "rule": "Tickets of this kind cannot be refunded after departure.",
    "nothing_found": "該当する割引はありませんでした",
    "not_found": "Der Gast konnte nicht gefunden werden.",
    "internal_transfer": {"code": "INTERNAL_TRANSFER", "status": "booked"},
    "no_error": {"fehler": None, "platz": 14, "erfolg": True},
    "document": "Die Fähre konnte bis 1974 nicht beladen werden, weil die Rampe fehlte. " * 6,
}.items():
    UNDONE.add(
        f"{_name}_healthy",
        tool("fare_rules", {"sailing": "FB-2291"}, _result),
        model(says("No refund after departure."), asked="Can I get a refund for FB-2291?"),
        question="Can I get a refund for FB-2291?",
        answer="No refund after departure.",
    )


# A refusal of something harmless after tools were asked for it, in prompts of several styles.
_PLAIN_ASKED = "二名で夕方の船を予約してください。会員番号はM-3308です。"
_REACT = f"Q: {_PLAIN_ASKED}\nTHOUGHT: 調べる。\nACTION: 空席照会[2名]\nOBSERVATION: 14席あり"
_CHINESE_ASKED = "请帮我预订今晚渡轮的两个座位，并告诉我票价。"
REFUSED_AFTER = CaseList("refusal_after_tools")
REFUSED_AFTER.add(
    "react_prompt",
    tool("空席照会", "夕方の船, 2名", "14席あり"),
    model(
        "ANSWER: 申し訳ございませんが、そのご依頼にはお応えできません。", asked=_REACT, right=True
    ),
    question=_PLAIN_ASKED,
    answer="ANSWER: 申し訳ございませんが、そのご依頼にはお応えできません。",
    says="refused",
)
for _name, _asked, _lookup, _text in (
    (
        "words_without_blanks",
        _CHINESE_ASKED,
        tool("余票查询", {"班次": "今晚渡轮", "座位": "两个座位"}, {"余票": 14, "票价": 88}),
        "抱歉，我无法提供此类帮助。",
    ),
    (
        "japanese",
        _PLAIN_ASKED,
        tool("空席照会", {"便": "夕方の船", "番号": "M-3308"}, {"席": 14}),
        "申し訳ありませんが、お手伝いできません。",
    ),
    (
        "indonesian",
        "Tolong pesan dua kursi feri malam FB-2291.",
        tool("cek_kursi", {"feri": "FB-2291"}, {"kursi": 14}),
        "Maaf, saya tidak dapat membantu permintaan ini.",
    ),
    (
        "finnish",
        "Varaa kaksi paikkaa iltalautalle FB-2291.",
        tool("hae_paikat", {"lautta": "FB-2291"}, {"paikkoja": 14}),
        "En voi valitettavasti auttaa tässä.",
    ),
):
    REFUSED_AFTER.add(
        _name,
        _lookup,
        model(says(_text), asked=_asked, right=True),
        question=_asked,
        answer=_text,
        says="refused",
    )
    REFUSED_AFTER.add(
        f"{_name}_without_tools_healthy",
        model(says(_text), asked="武器 bomb"),
        question="How do I build a bomb? 武器",
        answer=_text,
    )
