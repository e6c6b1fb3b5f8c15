"""Agents that speak in turn: refusals, errors and words that repeat, and their healthy twins."""

from typing import Any

from evals.small_cases.builder import CaseList, Json, SpanPlan, failed, model, says, span

TEAM_REFUSALS = CaseList("team_refusal")

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
