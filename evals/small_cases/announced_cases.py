"""Last replies that announce a step which nothing followed, and healthy twins."""

from evals.small_cases.builder import CaseList, Json, calls, model, says, tool

ANNOUNCED = CaseList("announced_step")
_QUESTION = "Move booking FB-31 to the evening ferry."


def _offer(*names: str) -> Json:
    functions = [{"type": "function", "function": {"name": name}} for name in names]
    return {"messages": [{"role": "user", "content": _QUESTION}], "tools": functions}


def _end(name: str, answer: str, *, offered: tuple[str, ...], right: bool = True) -> None:
    """A model that looks a booking up and ends with this answer."""
    asked = _offer("find_booking", *offered)
    ANNOUNCED.add(
        name,
        model(calls("find_booking", {"id": "FB-31"}), asked=asked),
        tool("find_booking", {"id": "FB-31"}, {"id": "FB-31", "ferry": "noon", "seats": 2}),
        model(says(answer), asked=asked, right=right),
        question=_QUESTION,
        answer=answer,
        says="no step followed" if right else "",
    )


_CHANGE = ("change_booking", "send_email")
for _name, _told in (
    ("english", "I found FB-31 with two seats. I will now change the booking."),
    ("let_me", "FB-31 is on the noon ferry. Let me send the email to the purser."),
    ("german", "FB-31 hat zwei Plätze. Im nächsten Schritt sende ich die E-Mail an den Hafen."),
    ("french", "J'ai trouvé FB-31. Je vais maintenant envoyer l'email au port."),
    ("spanish", "Encontré FB-31. A continuación voy a enviar el email al puerto."),
):
    _end(_name, _told, offered=_CHANGE)
for _name, _told in (
    ("offer", "FB-31 is on the noon ferry. Shall I now change the booking?"),
    ("condition", "I will change the booking now if you confirm the evening ferry."),
    ("waits", "Please confirm. I will then change the booking."),
    ("watches", "FB-31 is moved. I will now keep an eye on it and send an email later."),
    ("done", "I have changed the booking FB-31; next is the evening ferry."),
    ("german_offer", "Wenn Sie möchten, sende ich jetzt die E-Mail."),
):
    _end(f"{_name}_healthy", _told, offered=_CHANGE, right=False)
_end(
    "tool_was_called_healthy",
    "I will now look at the booking of FB-31 with you.",
    offered=(),
    right=False,
)
_PLAN = ["read the tide table", "reserve the pilot", "inform the harbour master"]
_ANSWER = "The tide is high at noon. Next, I'll reserve the pilot for you."
ANNOUNCED.add(
    "of_a_plan",
    tool("write_plan", {"steps": _PLAN}, {"saved": True}),
    tool("read_tides", {"port": "Nord"}, {"high": "12:10"}),
    model(says(_ANSWER), asked="Bring the ship in.", right=True),
    question="Bring the ship in.",
    answer=_ANSWER,
    says="no step followed",
)
ANNOUNCED.add(
    "went_on_healthy",
    tool("write_plan", {"steps": _PLAN}, {"saved": True}),
    model(says(_ANSWER), asked="Bring the ship in."),
    tool("reserve_pilot", {"at": "12:10"}, {"reserved": True}),
    question="Bring the ship in.",
    answer=_ANSWER,
)
