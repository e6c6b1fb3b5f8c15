"""Placeholders, words and objects that stand where they are meant to: no fault at all."""

import json

from evals.small_cases.builder import CaseList, calls, model, says, span, tool

MEANT = CaseList("meant_placeholders")

_STRINGS = "Traduis en français : You have {count} seats, {name}."
MEANT.add(
    "translation_keeps_them_healthy",
    span("build_prompt", input={"count": 2, "locale": "fr", "name": "ui"}, output=_STRINGS),
    model(says("Vous avez {count} places, {name}."), asked=_STRINGS),
    question="Translate the strings of the booking page.",
    answer="Vous avez {count} places, {name}.",
)
MEANT.add(
    "reply_begins_with_one_healthy",
    model(says("{count} pladser"), asked="Oversæt til dansk: {count} seats"),
    question="Translate the strings of the booking page.",
    answer="{count} pladser",
)
_ASK_FOR_TEMPLATE = "Write a reminder for the shop Quay 4 and use {{first_name}} as merge tag."
MEANT.add(
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
MEANT.add(
    "workflow_was_wanted_healthy",
    model(calls("add_step", {"tool": "mail", "to": "{{steps.find.email}}"})),
    tool("add_step", {"tool": "mail", "to": "{{steps.find.email}}"}, {"step": 2}),
    question="Build a workflow that finds a passenger and writes to them.",
    answer="The workflow has two steps.",
)
_CHART = "image: {{ .Values.image }}\nruns-on: ${{ matrix.os }}\nname: {{ release_name }}"
MEANT.add(
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
MEANT.add(
    "placeholder_is_looked_for_healthy",
    tool("grep", {"pattern": "{{ships}}"}, []),
    model(says("No template uses it.")),
    question="Does any template still use {{ships}}?",
    answer="No template uses it.",
)
_FORMAT = "Write a notice about fog.\nUse this form:\nTitle: {title}\nBody: {body}"
MEANT.add(
    "form_of_an_answer_healthy",
    span("notice_prompt", input={"topic": "fog", "lang": "en"}, output=_FORMAT),
    model(says("Title: Fog\nBody: Ferries are late."), asked=_FORMAT),
    question="Write a notice about fog.",
    answer="Title: Fog\nBody: Ferries are late.",
)
_NOTES = "Passenger: Vik\nEarlier notes: None\nMiddle name: undefined"
MEANT.add(
    "nothing_to_fill_in_healthy",
    span("profile_prompt", input={"passenger": "Vik", "notes": None}, output=_NOTES),
    model(says("Welcome, Vik."), asked=_NOTES),
    question="Greet the passenger.",
    answer="Welcome, Vik.",
)
_MASKED = "[NAME] wants to change booking <BOOKING_ID>, write to <EMAIL_1>."
MEANT.add(
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
MEANT.add(
    "mask_of_nothing_healthy",
    model(calls("find_booking", {"booking_id": "<BOOKING_ID>"}), asked=_MASKED),
    tool("find_booking", {"booking_id": "<BOOKING_ID>"}, {"found": False}),
    model(says("There is no such booking."), asked=_MASKED),
    question="Does booking 881 still exist?",
    answer="There is no such booking.",
)
MEANT.add(
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
_EXAMPLES = (
    "Never print undefined or [object Object]. Write `{{ship}}` as **{{ship}}**.\n"
    "```\nHello {{passenger}}\n```"
)
MEANT.add(
    "examples_in_instructions_healthy",
    model(
        says("The ferry leaves at six."),
        asked=[
            {"role": "system", "content": _EXAMPLES},
            {"role": "user", "content": "When does it leave?"},
        ],
    ),
    question="When does it leave?",
    answer="The ferry leaves at six.",
)
