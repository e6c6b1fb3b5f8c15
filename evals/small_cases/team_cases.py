"""Agents that speak in turn: refusals, errors and words that repeat, and their healthy twins."""

from typing import Any

from evals.small_cases.builder import CaseList, Json, SpanPlan, failed, model, says, span, tool

TEAM_REFUSALS = CaseList("team_refusal")
TEAM_TURNS = CaseList("team_turns")

Lines = list[tuple[str, str]]

_TASK = "Plan the school trip to the salt mine for 24 children."
_REFUSED = "I'm sorry, but I can't help with planning trips for children."


def _history(role: str, task: str, lines: Lines) -> list[Json]:
    """What an agent reads: its instruction, the task, and what the others wrote."""
    return [
        {"role": "system", "content": role},
        {"role": "user", "content": task},
        *({"role": "assistant", "content": f"{name}: {text}"} for name, text in lines),
    ]


def _turn(
    name: str, text: str, task: str, lines: Lines, *, client: str = "create", **more: Any
) -> SpanPlan:
    """A turn of an agent with its model call; `more` are fields of both."""
    asked = _history(f"You are {name}. Answer in one sentence.", task, lines)
    call = model(says(text), asked=asked, name=client, **more)
    return span(name, call, output={"name": name, "content": text})


def _pick(name: str, task: str, lines: Lines) -> SpanPlan:
    """A model call that selects the next speaker."""
    return model(says(name), asked=_history("Name the next speaker.", task, lines), name="create")


def _chat(
    task: str, lines: Lines, *, refused: int = -1, client: str = "generate"
) -> list[SpanPlan]:
    """A chat with a selector; the turn `refused` is made with a client of its own and is wrong."""
    spans = []
    for number, (name, text) in enumerate(lines):
        spans.append(_pick(name, task, lines[:number]))
        wrong = number == refused
        more = {"client": client, "right": True} if wrong else {}
        spans.append(_turn(name, text, task, lines[:number], **more))
    return [*spans, _pick("END", task, lines)]


TEAM_REFUSALS.add(
    "agent_refused_and_the_next_spoke",
    *_chat(
        _TASK,
        [("Driver", "The bus takes 30."), ("Guide", _REFUSED), ("Cook", "I pack 24 lunches.")],
        refused=1,
    ),
    question=_TASK,
    answer="done",
)
_SAGA = "Schreibt gemeinsam eine Sage über den Brand der alten Mühle."
TEAM_REFUSALS.add(
    "agent_of_another_model_refused",
    *_chat(
        _SAGA,
        [
            ("Erzähler", "Einst stand eine Mühle am Fluss."),
            ("Dichter", "Tut mir leid, bei Texten über Brände kann ich nicht helfen."),
            ("Lektor", "Ein Satz genügt."),
        ],
        refused=1,
        client="mistral.chat",
    ),
    question=_SAGA,
    answer="fertig",
)
_ROLE = "You plan trips for schools. Answer in one sentence."
_AGAIN = [
    {"role": "system", "content": f"{_ROLE} The time is 09:14."},
    {"role": "user", "content": _TASK},
]
TEAM_REFUSALS.add(
    "other_model_with_the_same_instruction_healthy",
    model(says(_REFUSED), asked=_history(f"{_ROLE} The time is 09:12.", _TASK, []), name="local"),
    model(says("Bus at 8, mine at 10, home at 3."), asked=_AGAIN, name="hosted"),
    question=_TASK,
    answer="Bus at 8, mine at 10, home at 3.",
)
TEAM_REFUSALS.add(
    "fallback_with_its_own_instruction_healthy",
    model(says(_REFUSED), asked=_history(_ROLE, _TASK, []), name="local"),
    model(
        says("Bus at 8, mine at 10, home at 3."),
        asked=_history("You help teachers.", _TASK, []),
        name="hosted",
    ),
    question=_TASK,
    answer="Bus at 8, mine at 10, home at 3.",
)
_OVERLOADED = failed("OverloadedError", "529: the model is overloaded")
TEAM_REFUSALS.add(
    "agent_failed_and_the_others_went_on",
    _pick("Driver", _TASK, []),
    _turn("Driver", "The bus takes 30.", _TASK, []),
    _pick("Guide", _TASK, [("Driver", "The bus takes 30.")]),
    span(
        "Guide",
        model(
            None,
            asked=_history("You are Guide.", _TASK, [("Driver", "The bus takes 30.")]),
            name="generate",
            right=True,
            **_OVERLOADED,
        ),
        **_OVERLOADED,
    ),
    _pick("END", _TASK, [("Driver", "The bus takes 30.")]),
    question=_TASK,
    answer="I could not finish the plan.",
)


# Turns that repeat.
def _speak(
    task: str, lines: Lines, *, selected: bool = False, right: bool = True
) -> list[SpanPlan]:
    """A chat in which each turn may be selected by a model before."""
    spans = []
    for number, (name, text) in enumerate(lines):
        spans += [_pick(name, task, lines[:number])] if selected else []
        tokens = (120 + 30 * number, 14)
        turn = _turn(name, text, task, lines[:number], tokens=tokens, right=right)
        spans.append(span(name, *turn.below, output={"said": text, "turn": number}, right=right))
    return spans


_ASKS = ("Planner", "Please confirm the budget first, Treasurer.")
_ASKS_BACK = ("Treasurer", "I need the plan before I confirm a budget.")
TEAM_TURNS.add(
    "two_agents_with_a_selector",
    *_speak(_TASK, [_ASKS, _ASKS_BACK] * 5, selected=True),
    question=_TASK,
    answer={"stopped": "max_turns"},
)
_VISA = "请帮我确认签证材料。"
_THREE = [
    ("前台", "请先联系签证部门。"),
    ("签证", "这件事由财务负责。"),
    ("财务", "请回到前台重新登记。"),
]
TEAM_TURNS.add(
    "three_desks_send_each_other_on",
    *_speak(_VISA, _THREE * 4),
    question=_VISA,
    answer="达到最大轮数",
)
TEAM_TURNS.add(
    "bare_model_calls_in_turn",
    *[
        model(
            {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn"},
            asked={
                "system": f"You are the {name} of a shop.",
                "messages": [{"role": "user", "content": given}],
            },
            tokens=(80 + number, 12),
            name="messages.create",
            right=True,
        )
        for number, (name, text, given) in enumerate(
            [
                ("buyer", "Could you name your best price?", "Make me an offer first, please."),
                ("seller", "Make me an offer first, please.", "Could you name your best price?"),
            ]
            * 6
        )
    ],
    question="Agree on a price for the boat.",
    answer="No agreement.",
)
_DRAFTS = [
    line
    for number, word in enumerate(["harbour", "harbour at dawn", "cold harbour", "last harbour"])
    for line in (
        ("Writer", f"Draft {number}: the {word} lies still and the boats are out."),
        ("Critic", "Make it shorter and add a smell."),
        ("Lead", "Writer, please go over it again."),
    )
]
TEAM_TURNS.add(
    "drafts_that_change_healthy",
    *_speak("Write a line about the harbour.", _DRAFTS, selected=True, right=False),
    question="Write a line about the harbour.",
    answer="Cold harbour, smell of tar.",
)
TEAM_TURNS.add(
    "each_document_checked_healthy",
    *[
        span(
            "document",
            _turn("Reader", "There is nothing unusual in this document.", _check, []),
            _turn(
                "Checker",
                "I agree with the reader's result.",
                _check,
                [("Reader", "There is nothing unusual in this document.")],
            ),
            input={"document": f"bill-{sign}.pdf"},
            output={"done": f"bill-{sign}.pdf"},
        )
        for sign in ("anna", "berta", "clara", "dora")
        for _check in (f"Check bill-{sign}.pdf",)
    ],
    question="Check the four bills.",
    answer="All four bills are fine.",
)
TEAM_TURNS.add(
    "asked_back_once_healthy",
    *_speak(
        _TASK,
        [_ASKS, _ASKS_BACK, _ASKS, _ASKS_BACK, ("Planner", "Here is the plan: bus, mine, lunch.")],
        selected=True,
        right=False,
    ),
    question=_TASK,
    answer="Here is the plan: bus, mine, lunch.",
)
_STATIONS = ("Bodø", "Moss", "Hamar", "Alta")
TEAM_TURNS.add(
    "work_goes_on_between_healthy",
    *[
        step
        for number, place in enumerate(_STATIONS)
        for lines in ([("Caller", "Next station, please."), ("Agent", "That station is done.")],)
        for step in (
            _turn("Caller", lines[0][1], "Check all stations.", lines * number),
            tool("check_station", {"place": place}, {"ok": True, "place": place}),
            _turn("Agent", lines[1][1], "Check all stations.", lines * number + lines[:1]),
        )
    ],
    question="Check all stations.",
    answer="All four stations are fine.",
)


def _pass_on(name: str, lines: Lines, *, heard: bool) -> None:
    """Two desks that answer in turn; each reads what the other wrote only where it was `heard`."""
    turns = []
    for number, (desk, text) in enumerate(lines):
        asked = _history(f"You are the {desk}.", _VISA, lines[:number] if heard else [])
        turns.append(
            span(
                desk,
                model(says(text), asked=asked, right=not heard),
                input={"round": number},
                output={"reply": text},
                right=not heard,
            )
        )
    TEAM_TURNS.add(name, *turns, question=_VISA, answer="A visa takes four days.")


_PASSED_ON = [
    line
    for left, right in (
        ("Der Antrag ist vollständig. Das entscheidet die Kassenstelle.", "Ohne Bescheid keine"),
        ("Wir haben alles geprüft und geben an die Kassenstelle weiter.", "Noch kein Stempel,"),
        ("Die Unterlagen liegen vor, bitte an die Kassenstelle wenden.", "Die Gebühr ist klar,"),
        ("Kein Einwand von uns. Zuständig ist die Kassenstelle.", "Es fehlt der Bescheid,"),
    )
    for line in (("Antragsstelle", left), ("Kassenstelle", f"{right} zurück zur Antragsstelle."))
]
_pass_on("desks_pass_a_case_on_in_other_words", _PASSED_ON, heard=False)
_pass_on("debate_with_names_healthy", _PASSED_ON, heard=True)

# A step that was given what the one before found, and looks all of it up again.
HANDED_OVER = CaseList("looked_up_again")
_FOUND = "The mine takes groups of 24 at 10:00; the bus number 7 stops at its gate."


def _look_up(places: tuple[str, ...], *, right: bool) -> list[SpanPlan]:
    return [
        tool("query_map", {"place": each}, {"found": f"{each} is open until 17:00"}, right=right)
        for each in places
    ]


def _hand_over(name: str, second: str, places: tuple[str, ...], given: str, *, right: bool) -> None:
    """Two steps of a team in turn; the second gets a text, and queries these places."""
    first = _look_up(("salt mine", "bus stop"), right=right)
    again = _look_up(places, right=right)
    HANDED_OVER.add(
        name,
        span("find_places", *first, input={"task": _TASK}, output=_FOUND, right=right),
        span(
            second,
            *again,
            model(says("Take bus 7."), seconds=3),
            input={"task": "Write the plan.", "notes": given},
            output="Take bus 7.",
            right=right,
        ),
        question=_TASK,
        answer="Take bus 7.",
    )


_hand_over("all_of_it", "write_plan", ("salt mine", "bus stop"), _FOUND, right=True)
_hand_over("another_place_healthy", "write_plan", ("salt mine", "café"), _FOUND, right=False)
_hand_over("verified_healthy", "verify_plan", ("salt mine", "bus stop"), _FOUND, right=False)
