"""Keys of a state that a later step overwrote with null, and healthy twins."""

from typing import Any

from evals.small_cases.builder import CaseList, model, says, span

STATE = CaseList("nulled_state")
_RULES = "You plan the loading of a ferry. Never go above max_axle_t of the state."


def _load(
    name: str,
    key: str,
    first: Any,
    then: Any,
    *,
    rules: str = _RULES,
    step: str = "weather_hook",
    last: Any = None,
    right: bool = False,
) -> None:
    """A program whose steps write to a state under one key of their output."""
    asked = [{"role": "system", "content": rules}, {"role": "user", "content": "Load deck 2."}]
    more = [span("reset_limits", output={key: last})] if last else []
    STATE.add(
        name,
        span("init", input={"deck": 2}, output={key: first}),
        span(step, input={"port": "Sund"}, output={key: then, "log": []}, right=right),
        *more,
        model(says("Truck 1 and truck 2 go to the bow."), asked=asked),
        answer="Truck 1 and truck 2 go to the bow.",
    )


_LIMITS = {"max_axle_t": 11.5, "deck": 2}
_load("limit", "state_delta", _LIMITS, {"max_axle_t": None, "wind": "calm"}, right=True)
_load("limit_of_context", "context_variables", _LIMITS, {"max_axle_t": None}, right=True)
_load(
    "plain_word_with_a_number",
    "state",
    {"limit": 40, "port": "Sund"},
    {"limit": None, "port": "Sund"},
    rules="Load no more vehicles than the limit.",
    right=True,
)
_load("limit_kept_healthy", "state_delta", _LIMITS, {"wind": "calm"})
_load("set_again_healthy", "state", _LIMITS, {"max_axle_t": None}, last={"max_axle_t": 9})
_load("cleared_on_purpose_healthy", "state", _LIMITS, {"max_axle_t": None}, step="clear_limits")
_load(
    "nobody_relies_on_it_healthy",
    "state_delta",
    {"seat_map": "A-7"},
    {"seat_map": None},
    rules="You plan the loading of a ferry.",
)
_load(
    "value_in_the_prompt_healthy",
    "state_delta",
    _LIMITS,
    {"max_axle_t": None},
    rules="You plan the loading of a ferry; max_axle_t is 11.5.",
)
_load(
    "passing_key_healthy",
    "state",
    {"next_step": "weigh 2", "deck": 2},
    {"next_step": None, "deck": 2},
    rules="Work off next_step until it is empty.",
)
