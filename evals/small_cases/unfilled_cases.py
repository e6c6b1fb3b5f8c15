"""Placeholders that models and tools were given in place of values, and healthy twins."""

import json
from typing import Any

from evals.small_cases.builder import (
    CaseList,
    SpanPlan,
    calls,
    failed,
    model,
    says,
    span,
    tool,
)

UNFILLED = CaseList("unfilled_values")


def _system(text: str, question: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": text}, {"role": "user", "content": question}]


def _berth(name: str, key: str, berth: str, *, right: bool = False) -> None:
    """A renderer that knows another spelling of its variable; the model then looks it up."""
    text = f"You help the skipper of Alma. The berth is {berth}. Answer in one sentence."
    question = "When is shore power switched on?"
    asked = berth if right else "B-17"
    found: Any = {"found": False, "power": None} if right else {"power": "08:00"}
    answer = "I cannot find your berth." if right else "At eight."
    UNFILLED.add(
        name,
        span(
            "render_instructions",
            input={"template": "skipper.j2", "vars": {"boat": "Alma", key: "B-17"}},
            output={"instructions": text},
            right=right,
        ),
        model(calls("get_power", {"berth": asked}), asked=_system(text, question), right=right),
        tool("get_power", {"berth": asked}, found, right=right),
        model(says(answer), asked=_system(text, question)),
        question=question,
        answer=answer,
        says="render_instructions" if right else "",
    )


_berth("jinja_variable_of_another_spelling", "berthNo", "{{ berth_no }}", right=True)
_berth("javascript_variable", "berth_code", "${berthCode}", right=True)
_berth("java_variable", "berth-id", "{berthId}", right=True)
_berth("word_of_javascript", "berth", "berth undefined", right=True)
_berth("all_filled_healthy", "berth_no", "B-17")


def _letter(name: str, text: str, *steps: SpanPlan, right: bool = False) -> None:
    UNFILLED.add(
        name,
        span(
            "brief",
            input={
                "template": "Schreibe an {{kapitaen}}, {{schiff}}, wegen Liegegeld {{rechnung}}.",
                "werte": {"kapitaen": "Frau Ohm", "schiff": "Elbe 3"},
            },
            output={"text": text},
            right=right,
        ),
        *steps,
        question="Bitte den Brief zum Liegegeld schreiben.",
        answer="Sehr geehrte Frau Ohm, das Liegegeld der Elbe 3 ist offen.",
    )


_REPLY = "Sehr geehrte Frau Ohm, das Liegegeld der Elbe 3 ist offen."
_HALF = "Schreibe an Frau Ohm, Elbe 3, wegen Liegegeld {{rechnung}}."
_letter("one_variable_missing", _HALF, model(says(_REPLY), asked=_HALF, right=True), right=True)
_letter(
    "filled_in_two_steps_healthy",
    _HALF,
    span(
        "rechnung_einsetzen",
        input={"text": _HALF, "rechnung": "R-881"},
        output={"text": _HALF.replace("{{rechnung}}", "R-881")},
    ),
    model(says(_REPLY), asked=_HALF.replace("{{rechnung}}", "R-881")),
)


def _rag(name: str, context: str, *, right: bool = False) -> None:
    """A chain whose prompt template is not recorded."""
    given = {"question": "Darf mein Hund mit?", "context": "Hunde an der Leine sind erlaubt."}
    prompt = f"Antworte nur aus dem Text.\n\nText: {context}\n\nFrage: {given['question']}"
    answer = "Dazu steht nichts im Text." if right else "Ja, an der Leine."
    UNFILLED.add(
        name,
        span(
            "RunnableSequence",
            model(says(answer), asked=prompt, name="ChatOpenAI", right=right),
            input=given,
            output=answer,
        ),
        question=given["question"],
        answer=answer,
    )


_rag("context_of_a_chain", "{context}", right=True)
_rag("context_of_a_chain_healthy", "Hunde an der Leine sind erlaubt.")

_MAIL = "<p>Bonjour <%= passager %>, votre quai est le 4.</p>"
UNFILLED.add(
    "mail_of_ruby",
    span("MailRenderer", input={"passager": "Mme Roux", "quai": 4}, output=_MAIL, right=True),
    tool("send_mail", {"to": "roux@ferry.example", "body": _MAIL}, {"queued": True}, right=True),
    question="Prévenez la passagère.",
    answer="C'est fait.",
)
UNFILLED.add(
    "query_of_python",
    span(
        "build_query",
        input={"vessel": "Alma", "day": 4},
        output={"sql": "SELECT berth FROM stays WHERE vessel = '%(vessel)s'"},
        right=True,
    ),
    tool("run_sql", {"sql": "SELECT berth FROM stays WHERE vessel = '%(vessel)s'"}, [], right=True),
    model(says("The Alma is not in port.")),
    question="Where is the Alma?",
    answer="The Alma is not in port.",
)
UNFILLED.add(
    "query_with_parameters_healthy",
    tool(
        "run_sql",
        {"sql": "SELECT berth FROM stays WHERE vessel = %(vessel)s", "params": {"vessel": "Alma"}},
        [],
    ),
    model(says("The Alma is not in port.")),
    question="Is the Alma in port? It should not be.",
    answer="The Alma is not in port.",
)
_CARGO = "Summarise the manifest.\n[object Object]"
UNFILLED.add(
    "object_in_a_prompt",
    span(
        "formatManifest",
        input={"manifest": {"trucks": 4, "vans": 9}},
        output={"prompt": _CARGO},
        right=True,
    ),
    model(says("The manifest holds one item."), asked=_CARGO, right=True),
    question="What is on board?",
    answer="The manifest holds one item.",
)
UNFILLED.add(
    "object_that_a_user_asks_about_healthy",
    tool("read_page", {"url": "https://ferry.example/cart"}, "Your cart: [object Object]"),
    model(says("The page prints an object."), asked="Why does my cart show [object Object]?"),
    question="Why does my cart show [object Object]?",
    answer="The page prints an object.",
)
UNFILLED.add(
    "method_of_python",
    span("plan", input={"ship": "Alma"}, output={"next": "weigh"}),
    tool(
        "weigh",
        {"lane": "<bound method Lane.name of <Lane 4>>"},
        {"error": "unknown lane"},
        right=True,
    ),
    model(says("I could not weigh the truck.")),
    question="How heavy is the next truck?",
    answer="I could not weigh the truck.",
)


def _path(name: str, path: str, *, right: bool = False, more: Any = None, **result: Any) -> None:
    given = {"method": "GET", "path": path} | (more or {})
    fields = result or {"output": {"departures": ["18:40"]}}
    UNFILLED.add(
        name,
        model(calls("http_get", given), right=right),
        span("http_get", type="tool", input=given, right=right, **fields),
        model(says("There are no departures." if right else "At 18:40.")),
        question="When does the next ferry leave pier 4?",
        answer="There are no departures." if right else "At 18:40.",
    )


_GONE = failed("HTTPStatusError", "404 Not Found")
_path("path_of_a_specification", "/piers/{pier_id}/departures", right=True, **_GONE)
_path("path_with_none", "/piers/None/departures", right=True, output={"departures": []})
_path("path_with_undefined", "/piers/undefined/departures", right=True, **_GONE)
_path("path_with_its_parameters_healthy", "/piers/{pier_id}/departures", more={"pier_id": 4})
_path("path_with_a_number_healthy", "/piers/4/departures")
_path("path_null_device_healthy", "/dev/null", output={"departures": ["18:40"]})

_TEMPLATED = _system("Du hilfst dem Fahrgast {{ticket_nr}}.", "Wann fährt mein Schiff?")
UNFILLED.add(
    "rendering_was_not_recorded",
    model(calls("fahrschein", {"nr": "{{ticket_nr}}"}), asked=_TEMPLATED, right=True),
    tool("fahrschein", {"nr": "{{ticket_nr}}"}, None, right=True),
    model(says("Ich finde keinen Fahrschein."), asked=_TEMPLATED),
    question="Wann fährt mein Schiff?",
    answer="Ich finde keinen Fahrschein.",
)

_STRINGS = "Traduis en français : You have {count} seats, {name}."
UNFILLED.add(
    "translation_keeps_them_healthy",
    span("build_prompt", input={"count": 2, "locale": "fr", "name": "ui"}, output=_STRINGS),
    model(says("Vous avez {count} places, {name}."), asked=_STRINGS),
    question="Translate the strings of the booking page.",
    answer="Vous avez {count} places, {name}.",
)
UNFILLED.add(
    "reply_begins_with_one_healthy",
    model(says("{count} pladser"), asked="Oversæt til dansk: {count} seats"),
    question="Translate the strings of the booking page.",
    answer="{count} pladser",
)
_ASK_FOR_TEMPLATE = "Write a reminder for the shop Quay 4 and use {{first_name}} as merge tag."
UNFILLED.add(
    "mail_template_was_wanted_healthy",
    span("build_prompt", input={"shop": "Quay 4", "sender": 7}, output=_ASK_FOR_TEMPLATE),
    model(
        calls("save_template", {"body": "Hello {{first_name}}, your ferry leaves soon."}),
        asked=_ASK_FOR_TEMPLATE,
    ),
    tool("save_template", {"body": "Hello {{first_name}}, your ferry leaves soon."}, {"id": 9}),
    question="Make a reminder template.",
    answer="The template is saved.",
)
UNFILLED.add(
    "workflow_was_wanted_healthy",
    model(calls("add_step", {"tool": "mail", "to": "{{steps.find.email}}"})),
    tool("add_step", {"tool": "mail", "to": "{{steps.find.email}}"}, {"step": 2}),
    question="Build a workflow that finds a passenger and writes to them.",
    answer="The workflow has two steps.",
)
_CHART = "image: {{ .Values.image }}\nruns-on: ${{ matrix.os }}\nname: {{ release_name }}"
UNFILLED.add(
    "file_is_discussed_healthy",
    tool("read_file", {"path": "chart/deploy.yaml"}, _CHART),
    span(
        "compose",
        input={"file": _CHART, "release": "ferry", "name": "deploy"},
        output=f"Review this file:\n{_CHART}",
    ),
    model(says("The image should be pinned."), asked=f"Review this file:\n{_CHART}"),
    question="Review the chart.",
    answer="The image should be pinned.",
)
UNFILLED.add(
    "placeholder_is_looked_for_healthy",
    tool("grep", {"pattern": "{{ships}}"}, []),
    model(says("No template uses it.")),
    question="Does any template still use {{ships}}?",
    answer="No template uses it.",
)
_FORMAT = "Write a notice about fog.\nUse this form:\nTitle: {title}\nBody: {body}"
UNFILLED.add(
    "form_of_an_answer_healthy",
    span("notice_prompt", input={"topic": "fog", "lang": "en"}, output=_FORMAT),
    model(says("Title: Fog\nBody: Ferries are late."), asked=_FORMAT),
    question="Write a notice about fog.",
    answer="Title: Fog\nBody: Ferries are late.",
)
_NOTES = "Passenger: Vik\nEarlier notes: None\nMiddle name: undefined"
UNFILLED.add(
    "nothing_to_fill_in_healthy",
    span("profile_prompt", input={"passenger": "Vik", "notes": None}, output=_NOTES),
    model(says("Welcome, Vik."), asked=_NOTES),
    question="Greet the passenger.",
    answer="Welcome, Vik.",
)
_MASKED = "[NAME] wants to change booking <BOOKING_ID>, write to <EMAIL_1>."
UNFILLED.add(
    "masked_healthy",
    span(
        "anonymise", input="Vik wants to change booking 881, write to v@x.example", output=_MASKED
    ),
    model(calls("find_booking", {"booking_id": "<BOOKING_ID>"}), asked=_MASKED),
    tool("find_booking", {"booking_id": "<BOOKING_ID>"}, {"name": "[NAME]"}),
    model(says("[NAME], it is changed."), asked=_MASKED),
    question="Change my booking.",
    answer="Vik, it is changed.",
)
UNFILLED.add(
    "code_is_run_healthy",
    model(calls("run_python", {"code": "print(f'{ship}', '%(x)s' % d, load)"})),
    tool(
        "run_python",
        {"code": "print(f'{ship}', '%(x)s' % d, load)"},
        {"stdout": "Alma 4 <function load at 0x7f21>"},
    ),
    model(says("It prints Alma.")),
    tool("evaluate", {"function": "() => { window.scrollTo(0, 0) }"}, None),
    question="Run it.",
    answer=json.dumps({"printed": "Alma"}),
)
UNFILLED.add(
    "examples_in_instructions_healthy",
    model(
        says("The ferry leaves at six."),
        asked=_system(
            "Never print undefined or [object Object]. Write `{{ship}}` as **{{ship}}**.\n"
            "```\nHello {{passenger}}\n```",
            "When does it leave?",
        ),
    ),
    question="When does it leave?",
    answer="The ferry leaves at six.",
    passenger="Vik",
)


def _answer(name: str, letter: str, *steps: SpanPlan, right: bool = False) -> None:
    """A program without a model for its answer: the last step fills a stored template."""
    UNFILLED.add(
        name,
        span("load", input={"form": "delay"}, output="Kære {{gaest}}, færgen er forsinket."),
        span(
            "flet_brev",
            input={
                "skabelon": "Kære {{gaest}}, færgen er forsinket.",
                "felter": {"Gaest": "Bo Lind"},
            },
            output=letter,
            right=right,
        ),
        *steps,
        question="Skriv til gæsten om forsinkelsen.",
        answer=letter,
    )


_answer("answer_of_a_program", "Kære {{gaest}}, færgen er forsinket.", right=True)
_answer("answer_of_a_program_healthy", "Kære Bo Lind, færgen er forsinket.")


def _chat_span(name: str, system: str, given: Any, *, right: bool = False) -> None:
    """Messages of Anthropic, with a context that another step wrote."""
    UNFILLED.add(
        name,
        span("context", input=given, output={"context": system}, right=right),
        model(
            {"content": [{"type": "text", "text": "Bonjour."}], "stop_reason": "end_turn"},
            asked={
                "system": f"Tu aides au port.\n{system}",
                "messages": [{"role": "user", "content": "Où dois-je aller ?"}],
            },
            provider="anthropic",
            model="claude-sonnet-4-5",
            right=right,
        ),
        question="Où dois-je aller ?",
        answer="Bonjour.",
    )


_guest = {"guest_name": "Ana Vidal", "cabin": 352}
_chat_span("undefined_after_two_words", "Guest name: undefined\nCabin: 352", _guest, right=True)
_chat_span("none_that_is_said_healthy", "Guest name: None\nCabin: 352", _guest)
_chat_span(
    "objects_of_a_list", "Quais : [object Object],[object Object]", {"q": [{"n": 4}]}, right=True
)
_chat_span("nothing_known_healthy", "Guest name: None", {"guest_name": None, "cabin": 352})
_chat_span("count_of_nothing_healthy", "Previous errors: None", {"error_count": 0, "errors": []})
_chat_span(
    "paths_of_an_interface_healthy",
    "Endpoints: GET /guests/{cabin}/bill, POST /guests/{guest_name}",
    _guest,
)
_chat_span("code_healthy", 'print(f"{cabin}")\nconst t = `${guest_name}`;', _guest)
_chat_span(
    "page_of_the_web_healthy",
    "<p>{{ cabin }}</p>",
    {"html": "<p>{{ cabin }}</p>", "cabin_page": "cabins.html", "depth": 2},
)
UNFILLED.add(
    "platform_fills_them_healthy",
    span(
        "build_instructions",
        input={"user_token": "t-881", "port": "Ulm"},
        output="Port Ulm. Pass {{user_token}} to every call; the platform fills it in.",
    ),
    model(
        calls("list_stays", {"token": "{{user_token}}"}),
        asked="Port Ulm. Pass {{user_token}} to every call; the platform fills it in.",
    ),
    tool("list_stays", {"token": "{{user_token}}"}, {"stays": ["B-17"]}),
    question="Which stays do I have?",
    answer="You have B-17.",
)
UNFILLED.add(
    "route_of_a_server_healthy",
    tool("GET /piers/{pier}", {"route": "/piers/{pier}", "params": [4]}, {"found": False}),
    model(says("There is no such pier.")),
    question="Where is pier 4?",
    answer="There is no such pier.",
)
UNFILLED.add(
    "ids_are_kept_from_the_model_healthy",
    span(
        "agent",
        model(says("Hello!"), asked="You are a guide. Ids look like {booking} or {{guest}}."),
        input={"booking": "881", "guest": "g-4"},
    ),
    question="Hello",
    answer="Hello!",
)
