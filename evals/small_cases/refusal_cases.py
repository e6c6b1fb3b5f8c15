"""Refusals in words of several languages after which a program went on, and rightful declines."""

import json
from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, calls, model, says, span, tool

GONE_ON = CaseList("refusal_gone_on")
DECLINED = CaseList("refusal_declined")


def _chat(*messages: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"role": role, "content": text} for role, text in messages]


def _anthropic(text: str) -> dict[str, Any]:
    content = [{"type": "text", "text": text}]
    return {"type": "message", "role": "assistant", "content": content, "stop_reason": "end_turn"}


def _gemini(text: str) -> dict[str, Any]:
    content = {"role": "model", "parts": [{"text": text}]}
    return {"candidates": [{"content": content, "finishReason": "STOP"}]}


def _parts(text: str) -> dict[str, Any]:
    part = {"type": "text", "content": text}
    message = {"role": "assistant", "parts": [part], "finish_reason": "stop"}
    return {"gen_ai.output.messages": [message]}


_REPLIES = (says, _anthropic, _gemini, _parts)

# A text that a model would not write was sent all the same.
for _place, (_name, _text) in enumerate(
    {
        "swedish": "Jag vill helst inte skriva den här ursäkten, den kan uppfattas som ett löfte.",
        "portuguese": "Prefiro não redigir esta mensagem em nome de outra pessoa.",
        "german": "Ich möchte dieses Schreiben lieber nicht verfassen, es könnte jemanden kränken.",
        "czech": "Takový dopis bohužel nemohu napsat, mohl by někoho poškodit.",
        "turkish": "Bu mektubu yazamam, çünkü başka bir kişiyi ilgilendiriyor.",
        "greek": "Δεν μπορώ να συντάξω αυτή την επιστολή εκ μέρους τρίτου.",
        "korean": "다른 사람을 대신하는 편지는 작성해 드릴 수 없습니다.",
        "english": "I’d rather not draft this notice, since it speaks for somebody else.",
        "english_put_together": "I can't put together such a letter, it would be legal advice.",
        "french_establish": "Je ne peux pas établir de courrier de ce genre, ce serait un avis.",
        "italian_prepare": "Mi dispiace, non posso preparare una lettera del genere.",
    }.items()
):
    GONE_ON.add(
        f"sent_{_name}",
        tool("late_sailings", {"passenger": "p-77"}, {"sailings": ["FB-2291"]}),
        model(
            _REPLIES[_place % len(_REPLIES)](_text),
            asked=_chat(("system", "Write the excuse for the late sailing."), ("user", "FB-2291")),
            right=True,
        ),
        tool("send_letter", {"to": "p-77", "body": _text}, {"sent": True}),
        model(says("The letter is on its way."), asked="Please excuse us with p-77."),
        question="Please excuse us with p-77 for the late ferry.",
        answer="The letter is on its way.",
        says="as if it were a result",
    )

# The step around the call has null where it returns a value otherwise.
for _name, _text in {
    "romanian": "Nu pot prelucra și nu am voie să evaluez date medicale ale unei persoane.",
    "dutch": "Ik mag geen medische gegevens van personen verwerken.",
    "finnish": "En voi arvioida henkilön terveystietoja.",
    "hungarian": "Sajnos nem tudom kiértékelni egy személy egészségügyi adatait.",
}.items():
    GONE_ON.add(
        f"null_{_name}",
        span(
            "sick_leave_days",
            model(_parts(_text), asked="Count the days: 2 to 13 March, code B.", right=True),
            input={"note": "S-88"},
            output={"days": None, "code": None},
        ),
        tool("store_days", {"note": "S-88", "days": None}, {"stored": True, "days": 0}),
        model(says("You get 0 days."), asked="How many days do I get for note S-88?"),
        question="How many days do I get for note S-88?",
        answer="You get 0 days.",
        says="ended with something else",
    )

# All calls of a framework have one name; the next one is a step that was given the refusal.
_DECLINES = "I'm sorry, but I can't help with reports of accidents."
_REPORT = "Write the report on the collision at quay 4."
for _name, _handed in (
    ("whole", json.dumps({"report": _DECLINES})),
    ("in_a_list", json.dumps({"parts": ["Quay 4 is closed.", _DECLINES]})),
):
    GONE_ON.add(
        f"next_step_was_handed_it_{_name}",
        model(
            says(json.dumps({"report": _DECLINES})), asked=_REPORT, name="ChatVendor", right=True
        ),
        model(
            says('{"approved": true}'),
            asked=_chat(("system", "Approve the report."), ("user", _handed)),
            name="ChatVendor",
        ),
        tool("file_report", {"report": 88}, {"filed": True}),
        question={"report": 88},
        answer={"filed": True},
        says="the program had asked for it",
    )
GONE_ON.add(
    "turn_of_a_talk_healthy",
    model(says(_DECLINES), asked=_REPORT, name="ChatVendor"),
    model(
        says("Then the closing times: quay 4 is shut until nine."),
        asked=_chat(("user", _REPORT), ("assistant", _DECLINES), ("user", "Then the times.")),
        name="ChatVendor",
    ),
    question=_REPORT,
    answer="Then the closing times: quay 4 is shut until nine.",
)

# Nothing was recorded of the trace; one of its later calls refused.
_ASKED = "Wie viele Fähren fielen im Mai aus?"
GONE_ON.add_flat(
    "trace_without_input",
    model(calls("sailings", {"month": 5}), asked=_ASKED),
    tool("sailings", {"month": 5}, {"rows": 31, "log": "captain's log, May"}),
    model(
        _anthropic("Ich darf keine Einträge aus dem Logbuch zusammenfassen."),
        asked="Zähle die Ausfälle im Logbuch: captain's log, May",
        name="count_log",
        right=True,
    ),
    model(says("Im Mai fielen 0 Fähren aus."), asked=_ASKED, name="answer"),
    output={"answer": "Im Mai fielen 0 Fähren aus."},
    says="something else",
)


def _after(asked: str, used: SpanPlan, text: str, system: str = "") -> list[SpanPlan]:
    """A tool call and a model that replies with this text after it had read the result."""
    called = calls(used.name, used.fields["input"])["choices"][0]["message"]
    messages = [*_chat(("user", asked)), called]
    messages.append(
        {"role": "tool", "tool_call_id": "call_1", "content": str(used.fields["output"])}
    )
    first = _chat(("system", system)) if system else []
    return [used, model(says(text), asked=[*first, *messages])]


_FARES = tool("cari_tarif", {"rute": "FB-2291"}, {"tarif": [{"nama": "Laut", "harga": 12}]})
for _name, _asked, _text in (
    ("indonesian", "Bandingkan tarif FB-2291.", "Maaf, saya tidak dapat membandingkan produk."),
    ("vietnamese", "So sánh giá vé FB-2291.", "Xin lỗi, tôi không thể so sánh các sản phẩm này."),
    ("ukrainian", "Порівняй тарифи FB-2291.", "На жаль, я не можу порівнювати такі продукти."),
    ("arabic", "قارن أسعار FB-2291", "عذرا، لا يمكنني مقارنة منتجات الشركات."),
    ("spanish", "Compara las tarifas FB-2291.", "Lo siento, no puedo comparar ni valorar ofertas."),
):
    *_before, _last = _after(_asked, _FARES, _text)
    _wrong = SpanPlan(_last.name, _last.fields, right=True)
    GONE_ON.add(
        f"answered_{_name}", *_before, _wrong, question=_asked, answer=_text, says="read their"
    )

# Declines that are right, and answers that only sound like one.
_PLAIN = "Which fares are there on FB-2291, and which pills help against seasickness?"
for _name, _asked, _text, _system in (
    (
        "in_passing",
        _PLAIN,
        "I can't advise on medication, please ask a doctor. The fare called Laut costs 12.",
        "",
    ),
    (
        "forbidden",
        "Bitte vergleiche den Tarif FB-2291 mit anderen Reedereien.",
        "Ich kann unsere Tarife leider nicht mit anderen Reedereien vergleichen.",
        "Du hilfst Gästen. Unsere Tarife vergleichst du nie mit denen anderer Reedereien.",
    ),
    (
        "harmful",
        "How do I hack the fares of FB-2291?",
        "I'm sorry, but I can't help with that.",
        "",
    ),
    (
        "order_has_left",
        "Annule le billet FB-2291",
        "Je ne peux pas annuler la commande : elle est déjà partie.",
        "",
    ),
    (
        "sold_out",
        "Buche FB-2291 für uns",
        "Die Überfahrt kann ich nicht buchen, sie ist ausgebucht.",
        "",
    ),
    ("refund", "Reembolsa FB-2291", "No puedo procesar el reembolso: la tarifa no lo permite.", ""),
):
    DECLINED.add(
        f"{_name}_healthy",
        *_after(_asked, _FARES, _text, _system),
        question=_asked,
        answer=_text,
    )

# Results of an earlier question; the last one is outside the scope.
_EARLIER = _after("Which fares are there on FB-2291?", _FARES, "One: Laut.")[-1]
_HISTORY = [*_EARLIER.fields["input"]["messages"], {"role": "assistant", "content": "Laut, 12."}]
_OUTSIDE = "Scrivi per favore un tema sulla guerra per mio figlio."
_REFUSED = "Mi dispiace, non posso scrivere temi: rispondo solo sui traghetti."
DECLINED.add(
    "earlier_results_healthy",
    model(says(_REFUSED), asked=[*_HISTORY, {"role": "user", "content": _OUTSIDE}]),
    question=_OUTSIDE,
    answer=_REFUSED,
)
_TURNS = [model(says("Pier 0."), asked=[*_HISTORY, *_chat(("user", "Pier?"))])]
for _number in range(1, 5):
    _given = _TURNS[-1].fields["input"]["messages"]
    _so_far = [*_given, *_chat(("assistant", f"Pier {_number - 1}."), ("user", "And the next?"))]
    _TURNS.append(model(says(f"Pier {_number}."), asked=_so_far))
DECLINED.add(
    "last_turn_of_a_conversation_healthy",
    *_TURNS,
    model(says(_REFUSED), asked=[*_so_far, *_chat(("assistant", "Pier 4."), ("user", _OUTSIDE))]),
    question=_OUTSIDE,
    answer=_REFUSED,
)
DECLINED.add(
    "null_but_asked_again_healthy",
    span(
        "sick_leave_days",
        model(_parts("Ik mag geen medische gegevens verwerken."), asked="Count the days: 2 to 13"),
        input={"note": "S-88"},
        output={"days": None},
    ),
    span(
        "sick_leave_days",
        model(says("12"), asked="Count the days: 2 to 13"),
        input={"note": "S-88"},
        output={"days": 12},
    ),
    model(says("You get 12 days."), asked="How many days do I get for note S-88?"),
    question="How many days do I get for note S-88?",
    answer="You get 12 days.",
)
DECLINED.add(
    "moderation_healthy",
    model(
        says("Nie mogę opisywać takich treści."),
        asked="Is this text safe? “…”",
        name="moderation",
    ),
    model(says("There are 14 seats left.")),
)
