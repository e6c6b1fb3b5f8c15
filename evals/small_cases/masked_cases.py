"""Texts freed of names and dates, and what later steps were given in their place."""

from typing import Any

from evals.small_cases.builder import CaseList, model, says, span, tool

MASKED = CaseList("masked_value")

_TEXT = "Please book the Tern on 14 May for Ida Moe, in the afternoon."


def _mask(name: str, masked: str, given: Any, *more: Any, needed: str = "") -> None:
    """A step that masks, a model that reads the fields of the text, and a tool that is given them;
    `needed` is the mask that the tool cannot do without."""
    MASKED.add(
        name,
        span("anonymise", input={"text": _TEXT}, output={"text": masked}, right=bool(needed)),
        model(says("A booking in the afternoon."), asked=masked),
        *more,
        tool("list_sailings", given, {"sailings": [{"at": "15:10"}, {"at": "17:40"}]}),
        model(says("You are booked at 15:10.")),
        question=_TEXT,
        answer="You are booked at 15:10.",
        says=f"{needed} in the place of" if needed else "",
    )


_DAY = _TEXT.replace("14 May", "[DATE]")
_BOTH = _DAY.replace("Ida Moe", "<NAME>")
_STARS = _TEXT.replace("14 May", "******")

_mask("date", _DAY, {"ship": "Tern", "day": "[DATE]"}, needed="[DATE]")
_mask("date_of_two_masks", _BOTH, {"day": "[DATE], afternoon"}, needed="[DATE]")
_mask("stars", _STARS, {"ship": "Tern", "day": "******"}, needed="******")
_mask("mask_that_nobody_needed_healthy", _BOTH, {"ship": "Tern"})
_mask(
    "note_with_a_mask_healthy", _BOTH, {"note": "<NAME> wants to sail on [DATE] in the afternoon"}
)
_mask(
    "value_put_back_healthy",
    _DAY,
    {"ship": "Tern", "day": "14 May"},
    span("check_fields", input={"day": "[DATE]"}, output={"valid": True}),
    span("restore", input={"day": "[DATE]"}, output={"day": "14 May"}),
)
_mask("text_as_it_was_healthy", _TEXT, {"ship": "Tern", "day": "[DATE]"})
