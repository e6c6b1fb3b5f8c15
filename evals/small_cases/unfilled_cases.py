"""Placeholders that models and tools were given in place of values, and healthy twins."""

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


def _stay(name: str, stay: str, *, right: bool = False) -> None:
    """A model that did not know the number of a stay."""
    found = {"error": "no such stay"} if right else {"berth": "B-17"}
    UNFILLED.add(
        name,
        model(calls("get_stay", {"stay_id": stay}), asked="Which berth do I have?", right=right),
        tool("get_stay", {"stay_id": stay}, found, right=right),
        model(says("Please ask the harbour office." if right else "You have B-17.")),
        question="Which berth do I have?",
        answer="Please ask the harbour office." if right else "You have B-17.",
    )


_stay("slot_of_a_mask_healthy", "<STAY_ID>")


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


def _filter(name: str, known: dict[str, str], *, right: bool = False) -> None:
    """A filter made of a template that is an object, and the search that is given it."""
    made = {"ship": "{{ship}}", "deck": "{{deck}}"} | known
    found = [] if right else [{"page": 4, "text": "Deck 5 has 20 cabins."}]
    answer = "Nothing is known of it." if right else "Twenty cabins."
    given = {"query": "cabins", "top_k": 4, "filter": made}
    UNFILLED.add(
        name,
        span(
            "make_filter",
            input={"template": {"ship": "{{ship}}", "deck": "{{deck}}"}, "values": known},
            output={"filter": made},
            right=right,
        ),
        tool("search_plans", given, {"hits": found}),
        model(says(answer), asked="How many cabins are on deck 5?"),
        question="How many cabins are on deck 5?",
        answer=answer,
        says="make_filter" if right else "",
    )


_filter("filter_with_one_variable_left", {"ship": "Tern"}, right=True)
_filter("filter_filled_healthy", {"ship": "Tern", "deck": "5"})


def _misspelt(name: str, key: str, prompt: str, *, right: bool = False) -> None:
    UNFILLED.add(
        name,
        span(
            "PromptBuilder",
            input={"frage": "Wann fährt die Fähre?", key: "Abfahrten: 8:00, 12:00 und 16:00."},
            output={"prompt": prompt},
            right=right,
        ),
        model(says("Um acht."), asked=prompt),
        question="Wann fährt die Fähre?",
        answer="Um acht.",
        says="PromptBuilder" if right else "",
    )


_misspelt("variable_misspelt", "kontext", "Nutze nur:\n{{ context }}\nWann?", right=True)
_misspelt("variable_in_the_plural", "abschnitte", "Nutze nur:\n{{abschnitt}}\nWann?", right=True)
_misspelt("numbered_variable_healthy", "passage1", "Frage zu 8:00, 12:00. {passage2} folgt.")


def _booking(name: str, key: str, reference: str, result: Any, *, right: bool = False) -> None:
    """A model that takes the id from a field that the result does not have."""
    found = {"reservas": [{"localizador": "FX-9", "salida": "08:00"}]}
    last = "No encuentro la reserva." if right else "La reserva está confirmada."
    UNFILLED.add(
        name,
        tool("buscar", {"email": "ana@ferry.example"}, found),
        model(calls("estado", {key: reference}), asked="Estado de mi reserva", right=right),
        tool("estado", {key: reference}, result, right=right),
        model(says(last), asked="Estado de mi reserva"),
        question="¿Cuál es el estado de mi reserva?",
        answer=last,
    )


_NO_BOOKING = {"existe": False, "reservaId": "undefined"}
_booking("id_is_undefined", "reservaId", "undefined", _NO_BOOKING, right=True)
_booking("id_known_healthy", "reservaId", "FX-9", {"existe": True, "estado": "confirmada"})
_booking("state_is_undefined_healthy", "filtro", "undefined", {"existe": True, "estado": "libre"})

_PROMPT = "Look up {{member_id}} and {{order_number}}, please."
UNFILLED.add(
    "several_arguments_at_once",
    span(
        "render_prompt",
        input={"member_id": "M-1001", "order_number": "O-2002"},
        output={"prompt": _PROMPT},
        right=True,
    ),
    tool(
        "look_up",
        {"a_id": "{{member_id}}", "b_id": "{{order_number}}", "c_id": "{{member_id}}-x"},
        None,
        **failed("ValueError", "bad id"),
    ),
    answer=None,
)
