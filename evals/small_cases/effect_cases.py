"""Effects outside that happened twice, and calls that are rightly made again."""

import json
from typing import Any

from evals.small_cases.builder import (
    CaseList,
    Json,
    SpanPlan,
    calls,
    failed,
    model,
    says,
    span,
    tool,
)

EFFECTS = CaseList("repeated_effect")

_CREW = {"role": "user", "content": "Put the cabin booking of Ida Berg right, please."}


def _asked(name: str, given: Json, *, right: bool = False, more: Any = ()) -> SpanPlan:
    return model(calls(name, given), asked=[_CREW, *more], right=right)


def _twice(name: str, tool_name: str, given: Json, *results: Any, **more: Any) -> None:
    """A tool that a model asks for as often as there are results; each of them is right."""
    steps: list[SpanPlan] = []
    for place, result in enumerate(results):
        steps.append(_asked(tool_name, given, right=place > 0))
        steps.append(tool(tool_name, given, result, right=True))
    EFFECTS.add(name, *steps, model(says("That is settled.")), answer="That is settled.", **more)


def _healthy(name: str, *steps: SpanPlan) -> None:
    EFFECTS.add(f"{name}_healthy", *steps, model(says("Settled.")), answer="Settled.")


def _pair(name: str, tool_name: str, given: Json, first: Any, second: Any) -> None:
    """Two equal calls of a tool that a model asked for, with nothing wrong about them."""
    _healthy(
        name,
        _asked(tool_name, given),
        tool(tool_name, given, first),
        _asked(tool_name, given),
        tool(tool_name, given, second),
    )


_FARE = {"customer": "C-204", "amount": 84.5, "currency": "NOK"}
_twice(
    "card_charged_twice",
    "charge_card",
    _FARE,
    {"charge": "ch_9Kd21", "state": "paid"},
    {"charge": "ch_9Kd77", "state": "paid"},
    says="charge_card did the same thing 2 times",
)
_twice(
    "sms_only_acknowledged",
    "sms.send",
    {"to": "+47 555 0142", "text": "Your cabin is ready."},
    "Message sent.",
    "Message sent.",
)
_twice(
    "ticket_number_in_a_sentence",
    "openTicket",
    {"subject": "Cabin door jams", "deck": 4},
    "Ticket INC-4411 was created.",
    "Ticket INC-4412 was created.",
    "Ticket INC-4413 was created.",
)
_twice(
    "mcp_issue",
    "tracker__create_issue",
    {"project": "DECK", "title": "Rail is loose"},
    {"content": [{"type": "text", "text": json.dumps({"key": "DECK-17", "done": True})}]},
    {"content": [{"type": "text", "text": json.dumps({"key": "DECK-18", "done": True})}]},
)
_twice(
    "german_order",
    "bestellung_anlegen",
    {"artikel": "Schwimmweste", "menge": 12},
    {"bestellnummer": "B-7001"},
    {"bestellnummer": "B-7002"},
)
_twice(
    "spanish_mail",
    "enviar_correo",
    {"para": "ida@ferry.example", "asunto": "Su camarote"},
    {"ok": True, "estado": "enviado"},
    {"ok": True, "estado": "enviado"},
)
_twice(
    "key_that_the_server_ignored",
    "create_booking",
    {"cabin": "B12", "idempotency_key": "b12-ida"},
    {"booking_id": 90117},
    {"booking_id": 90118},
)
_twice(
    "chinese_order",
    "创建订单",
    {"商品": "救生衣", "数量": 3},
    {"订单号": "D20991"},
    {"订单号": "D20992"},
)


def _vercel(name: str, given: Json, result: Json, *, right: bool = False) -> SpanPlan:
    shown = {"name": name, "args": given}
    return span("ai.toolCall", type="llm", input=shown, output={"result": result}, right=right)


_SEAT = {"sailing": "S-31", "seat": "14C"}
EFFECTS.add(
    "vercel_reservation",
    _asked("reserveSeat", _SEAT),
    _vercel("reserveSeat", _SEAT, {"reservation": "R-8811"}, right=True),
    _asked("reserveSeat", _SEAT, right=True),
    _vercel("reserveSeat", _SEAT, {"reservation": "R-8812"}, right=True),
    model(says("Seat 14C is yours.")),
)
_INVOICE = {"invoice": "F-2210", "to": "billing@quay.example"}
EFFECTS.add(
    "program_begins_anew_after_a_later_failure",
    span(
        "attempt 1",
        span("sendInvoice", input=_INVOICE, output={"accepted": True}, right=True),
        span("archive", input={"invoice": "F-2210"}, **failed("IOError", "volume is busy")),
        input={"job": "F-2210"},
        **failed("IOError", "volume is busy"),
    ),
    span(
        "attempt 2",
        span("sendInvoice", input=_INVOICE, output={"accepted": True}, right=True),
        span("archive", input={"invoice": "F-2210"}, output={"stored": "F-2210.pdf"}),
        input={"job": "F-2210"},
        output={"archived": True},
        right=True,
    ),
    answer={"archived": True},
)
EFFECTS.add_flat(
    "http_transfer",
    *(
        span(
            "POST /v1/transfers",
            input={"body": {"from": "NO-11", "to": "NO-77", "cents": 120_000}},
            output={"status": 201, "body": {"transfer_id": f"tr_{place}44x"}},
            right=True,
        )
        for place in (1, 2)
    ),
    output={"transferred": True},
)

_pair(
    "same_booking_returned",
    "create_booking",
    {"cabin": "B12"},
    {"booking": "K-1"},
    {"booking": "K-1"},
)
_pair(
    "key_honoured",
    "submit_payment",
    {"amount": 120, "idempotency_key": "p-77"},
    {"ok": True},
    {"ok": True},
)
_pair(
    "declined_first", "pay_fare", _FARE, {"state": "declined"}, {"state": "paid", "receipt": "Q-55"}
)
_pair("needs_confirmation", "book_cabin", _FARE, {"state": "needs_confirmation"}, {"ref": "Q-56"})
_pair(
    "second_ignored", "send_mail", {"to": "a@b.example"}, {"sent": True}, {"note": "already sent"}
)
_pair("setting", "set_thermostat", {"deck": 4, "celsius": 19}, {"ok": True}, {"ok": True})
_pair("upsert", "upsert_ticket", {"id": "T-9", "text": "x"}, {"rev": "r-101"}, {"rev": "r-102"})
_pair("order_is_read", "get_order", {"id": "T-9"}, {"etag": "e-101"}, {"etag": "e-102"})
_pair("bookings_are_listed", "list_bookings", {"deck": 4}, {"page": "p-101"}, {"page": "p-102"})
_pair("file_is_written", "create_file", {"path": "a.md", "text": "Hi"}, {"ok": True}, {"ok": True})
_pair("tag_is_created", "create_tag", {"tag": "urgent"}, {"ok": True}, {"ok": True})
_pair("sign_of_life", "send_heartbeat", {"host": "quay-2"}, {"seq": "h-101"}, {"seq": "h-102"})
_pair("hand_over", "transfer_to_billing", {"case": "T-9"}, {"agent": "b-101"}, {"agent": "b-102"})
_pair(
    "price", "quote_transfer", {"from": "NOK", "amount": 5}, {"quote": "q-101"}, {"quote": "q-102"}
)
_healthy(
    "first_failed",
    _asked("create_booking", {"cabin": "B12"}),
    tool("create_booking", {"cabin": "B12"}, None, **failed("TimeoutError", "timed out")),
    _asked("create_booking", {"cabin": "B12"}),
    tool("create_booking", {"cabin": "B12"}, {"booking": "K-1"}),
)
_healthy(
    "others",
    _asked("create_booking", {"cabin": "B12"}),
    tool("create_booking", {"cabin": "B12"}, {"booking": "K-1"}),
    _asked("create_booking", {"cabin": "B14"}),
    tool("create_booking", {"cabin": "B14"}, {"booking": "K-2"}),
)
_healthy(
    "cancelled_between",
    _asked("create_booking", {"cabin": "B12"}),
    tool("create_booking", {"cabin": "B12"}, {"booking": "K-1"}),
    tool("cancel_booking", {"booking": "K-1"}, {"ok": True}),
    _asked("create_booking", {"cabin": "B12"}),
    tool("create_booking", {"cabin": "B12"}, {"booking": "K-2"}),
)
_healthy(
    "user_wants_another",
    _asked("order_coffee", {"size": "large"}),
    tool("order_coffee", {"size": "large"}, {"order": "O-101"}),
    _asked("order_coffee", {"size": "large"}, more=[{"role": "user", "content": "One more!"}]),
    tool("order_coffee", {"size": "large"}, {"order": "O-102"}),
)


def _two_calls() -> Json:
    """A reply that asks for the same tool twice."""
    reply = calls("order_coffee", {"size": "large"})
    message = reply["choices"][0]["message"]
    message["tool_calls"] = [message["tool_calls"][0] | {"id": f"call_{n}"} for n in (1, 2)]
    return reply


_healthy(
    "two_asked_for_at_once",
    model(_two_calls(), asked="Two large coffees, please."),
    tool("order_coffee", {"size": "large"}, {"order": "O-101"}),
    tool("order_coffee", {"size": "large"}, {"order": "O-102"}),
)
_healthy(
    "template_for_each_guest",
    *(
        span(
            "welcome_guest",
            tool("send_mail", {"template": "welcome"}, {"accepted": True}, seconds=0.1),
            input={"guest": guest},
            output={"greeted": guest},
        )
        for guest in ("Ida Berg", "Jon Lie", "Mia Dahl")
    ),
)


# Calls that failed and had taken effect, so that the next one did it again.
def _after_failure(
    name: str, result: Any, *, healthy: bool = False, listed: Any = None, **failure: Any
) -> None:
    given = {"berth": "B-4", "kind": "pump"}
    EFFECTS.add(
        f"after_failure_{name}{'_healthy' if healthy else ''}",
        _asked("meld_skade", given),
        tool("meld_skade", given, failure.pop("first", None), right=not healthy, **failure),
        _asked("meld_skade", given, right=not healthy),
        tool("meld_skade", given, result, right=not healthy),
        *([tool("list_cases", {"newest": 3}, listed)] if listed is not None else []),
        model(says("Reported.")),
        answer="Reported.",
    )


_TIMED_OUT = failed("ReadTimeout", "no reply within 8 s")
_after_failure("note", {"case": "C-4712", "note": "like C-4711, 8 s before"}, **_TIMED_OUT)
_after_failure(
    "sentence", {"case": "C-4712", "of": "C-4711 is open too"}, first={"error": "read timeout"}
)
_after_failure(
    "list", {"id": "#9022", "open": ["Pump leaks (#9021)", "Lamp is out (#8411)"]}, **_TIMED_OUT
)
_after_failure("swedish", {"ärende": "SK90031", "info": "dubblett av SK90030"}, **_TIMED_OUT)
_after_failure("far", {"case": "C-4712", "note": "see C-1207 of May"}, **_TIMED_OUT, healthy=True)
_after_failure("alone", {"case": "C-4712", "note": "pump at B-4"}, **_TIMED_OUT, healthy=True)

for _name, _others in {
    "listed_twice": [{"case": "b7e1", "berth": "B-4"}, {"case": "c04a", "berth": "B-4"}],
    "listed_once_healthy": [{"case": "b7e1", "berth": "B-4"}, {"case": "c04a", "berth": "B-9"}],
    "listed_earlier_healthy": [
        {"case": "b7e1", "berth": "B-4", "at": "09:10"},
        {"case": "c04a", "berth": "B-4", "at": "Monday"},
    ],
}.items():
    _after_failure(
        _name.removesuffix("_healthy"),
        {"case": "b7e1", "new": True},
        healthy=_name.endswith("_healthy"),
        listed=_others,
        **_TIMED_OUT,
    )


# Requests that were sent again with a key of their own each.
def _with_keys(name: str, keys: tuple[Json, Json], listed: Any, *, reply: Json) -> None:
    healthy = name.endswith("_healthy")
    calls_made = [
        span(
            "POST /berths",
            type="tool",
            input={"headers": key, "json": {"ship": "Alma", "quay": "Q-17", "fee": 96.5}},
            right=not healthy,
            **ended,
        )
        for key, ended in zip(
            keys, (failed("ReadTimeout", "no reply within 8 s"), {"output": reply}), strict=True
        )
    ]
    EFFECTS.add(
        f"sent_again_{name}",
        span("berth_ship", *calls_made, input={"ship": "Alma"}, output=reply, right=not healthy),
        tool("berths_of_the_day", {"ship": "Alma"}, listed),
        answer="The Alma has her berth.",
    )


def _berths(*made: tuple[str, str]) -> Json:
    return {"berths": [{"no": no, "quay": "Q-17", "fee": 96.5, "at": at} for no, at in made]}


_DRAWN = ({"Idempotency-Key": "bk-4be09a"}, {"Idempotency-Key": "bk-c17f02"})
_UUIDS = (
    {"x-req": "5b0e4f62-9c1d-4a0b-8f3e-2d7c6a1b9e04"},
    {"x-req": "0c9d1e77-31af-4be2-b6d5-8e4f2a7c5d13"},
)
_AT_ONCE = _berths(("L-88", "2026-05-04T09:00:01Z"), ("L-89", "2026-05-04T09:00:02Z"))
_LAST_WEEK = _berths(("L-31", "2026-04-27T09:00:01Z"), ("L-89", "2026-05-04T09:00:02Z"))
_SAME = [{"quay": "Q-17", "state": "held"}, {"quay": "Q-17", "state": "held"}]
_with_keys("listed_with_times", _DRAWN, _AT_ONCE, reply={"no": "L-89", "state": "held"})
_with_keys("listed_without_ids", _UUIDS, _SAME, reply={"state": "held"})
_with_keys("last_week_healthy", _DRAWN, _LAST_WEEK, reply={"no": "L-89", "state": "held"})
_with_keys("listed_once_healthy", _UUIDS, _SAME[:1], reply={"state": "held"})
_with_keys("weekly_healthy", _UUIDS, _SAME * 2, reply={"state": "held"})
_with_keys("other_ships_healthy", ({"ship": "IMO-1"}, {"ship": "IMO-2"}), _SAME, reply={"ok": True})


# One event that is handled twice, in branches of their own.
def _handled(job: str, bill: str, event: str, *, right: bool = False) -> SpanPlan:
    turns = [
        model(calls("find_guest", {"name": "Berg"}), asked=f"Bill {event}."),
        tool("find_guest", {"name": "Berg"}, {"guest": "G-31"}),
        model(calls("rate_of", {"guest": "G-31"}), asked=f"Bill {event} for G-31."),
        tool("rate_of", {"guest": "G-31"}, {"rate": 1_200}),
        tool("create_bill", {"event": event, "sum": 1_200}, {"bill": bill}),
    ]
    given = {"job": job, "event": event}
    return span("handle", *turns, input=given, output={"bill": bill}, right=right)


EFFECTS.add(
    "event_handled_twice",
    _handled("job-a81", "B-7001", "ev-90cc1"),
    span("receive_again", _handled("job-f07", "B-7002", "ev-90cc1", right=True), right=True),
    says="handle ran again",
)
EFFECTS.add(
    "two_events_healthy",
    _handled("job-a81", "B-7001", "ev-90cc1"),
    span("receive_again", _handled("job-f07", "B-7002", "ev-90cc2")),
)
