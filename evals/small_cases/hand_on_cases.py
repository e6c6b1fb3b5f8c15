"""Results of steps that a later one is to be given: handed on, left out, or stored and merged."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, failed, model, says, span, tool

HANDED = CaseList("handed_on")

_FACTS = "The Tern sails at 8:00 and 16:00, in winter at 9:00 only."
_DRAFT = "Take the ship at nine: in winter it is the only one of the day."
_THIN = "The ferry is a fine way to travel, and many people like it."


def _task(
    name: str, context: Any, result: str, key: str = "context", *, right: bool = False
) -> SpanPlan:
    """A task of a crew, with the agent and the model below it."""
    asked = [
        {"role": "system", "content": f"You do the task {name}. What you know: {context}"},
        {"role": "user", "content": name},
    ]
    return span(
        f"Task {name}",
        span("Agent", model(says(result), asked=asked), input={"role": name}, output=result),
        input={"description": f"Please {name}.", key: context, "agent": name},
        output={"raw": result, "format": "text"},
        right=right,
    )


def _crew(name: str, *tasks: SpanPlan, answer: str = _DRAFT) -> None:
    HANDED.add(name, *tasks, question="Write a note on the ferry in winter.", answer=answer)


for _key in ("context", "kontext", "previous_output"):
    _crew(
        f"second_task_without_{_key}",
        _task("research", "", _FACTS, _key),
        _task("draft", "", _THIN, _key, right=True),
        _task("correct", _THIN, _THIN, _key),
        answer=_THIN,
    )
    _crew(
        f"first_task_without_{_key}_healthy",
        _task("research", "", _FACTS, _key),
        _task("draft", _FACTS, _DRAFT, _key),
        _task("correct", _DRAFT, _DRAFT, _key),
    )
_PRICES = "A seat costs 12 euros, a cabin 60 euros."
_crew(
    "two_researchers_healthy",
    _task("research times", "", _FACTS),
    _task("research prices", "", _PRICES),
    _task("draft", f"{_FACTS}\n\n{_PRICES}", _DRAFT),
)
_crew(
    "check_before_the_tasks_healthy",
    span(
        "moderate",
        input={"text": "Write a note.", "context": ""},
        output={"verdict": "No rule speaks against this question."},
    ),
    _task("research", "", _FACTS),
    _task("draft", _FACTS, _DRAFT),
    _task("correct", _DRAFT, _DRAFT),
)

_PORTS = {
    "Kiel": "Kiel: the quay is closed until Friday, ships turn at Laboe.",
    "Oslo": "Oslo: two cranes are out of order, unloading takes a day.",
    "Riga": "Riga: the ice is thick, a breaker leads the ships in.",
    "Turku": "Turku: all is well, and the new terminal has opened.",
}


def _stored(name: str, keys: dict[str, str], *, right: bool = False) -> None:
    """Researchers that store what they found, and writers that are given what is found there."""
    kept = dict(zip(keys.values(), _PORTS.values(), strict=True))
    research = []
    for number, (port, note) in enumerate(_PORTS.items()):
        write = {"key": keys[port], "size": len(note)}
        task = _task(f"research {port}", "", note)
        stored = tool("memory.put", write, {"ok": True}, right=right)
        research.append(SpanPlan(task.name, task.fields, (*task.below, stored), at=number * 0.3))
    reader = tool("memory.list", {"prefix": "note"}, {"notes": kept})
    write_ups = [
        _task(f"write {port}", note if note in kept.values() else "", f"## {port}\n\nText on it.")
        for port, note in _PORTS.items()
    ]
    HANDED.add(
        name,
        *research,
        reader,
        *write_ups,
        question="Report on the ports.",
        answer="Turku: all is well.",
        says="memory.put" if right else "",
    )


_stored("notes_under_one_key", dict.fromkeys(_PORTS, "note"), right=True)
_stored("notes_under_their_own_keys_healthy", {port: f"note-{port}" for port in _PORTS})


# Two calls returned something empty; the step that failed was given what one of them returned.
def _plan_watch(name: str, *, crew_last: bool) -> None:
    crew = tool("crew.on_duty", {"quay": 4}, {"sailors": [], "of_day": "2026-05-04"}, right=True)
    sea = tool("sea.warnings", {"quay": 4}, {"quay": 4, "gales": [], "issued": "09:00"})
    HANDED.add(
        name,
        *((sea, crew) if crew_last else (crew, sea)),
        span(
            "plan_watch",
            input={
                "wanted": {"Kari Dahl": 2},
                "crew": {"sailors": [], "of_day": "2026-05-04"},
                "watches": 3,
            },
            **failed("KeyError", "'Kari Dahl'"),
        ),
        question="Who keeps watch at quay 4?",
        answer=None,
        says="crew.on_duty",
    )


_plan_watch("list_that_was_handed_on", crew_last=False)
_plan_watch("list_that_was_handed_on_last", crew_last=True)
