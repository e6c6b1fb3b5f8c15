"""Texts that a step cut so that no model read the rest, and healthy twins."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, model, says, span, tool

CUT = CaseList("cut_text")
_RULE = (
    "Dogs travel on deck 2 in kennels that the crew opens at sea. The fee is 18 EUR for a dog, at"
    " most 3 dogs for a passenger, and a muzzle is required in the lounge."
)
_OTHER = "Cats travel in the cabin in a closed box."


def _answer(text: Any, name: str, *steps: SpanPlan) -> None:
    asked = [{"role": "user", "content": f"{text}\n\nMay I bring four dogs?"}]
    answer = "Yes, dogs travel on deck 2."
    question = "May I bring four dogs?"
    CUT.add(name, *steps, model(says(answer), asked=asked), question=question, answer=answer)


def _search() -> SpanPlan:
    return tool("search_rules", {"query": "dogs"}, {"hits": [{"text": _RULE}, {"text": _OTHER}]})


def _build(name: str, text: str, *, step: str = "build_prompt", right: bool = False) -> None:
    made = span(step, input={"hits": 2}, output={"prompt": f"Rules: {text}"}, right=right)
    _answer(f"Rules: {text}", name, _search(), made)


_build("document_with_a_mark", f"{_RULE[:74]}…\n{_OTHER}", right=True)
_build("document_with_dots", f"{_RULE[:74]}...\nAnswer briefly.", right=True)
_build("whole_document_healthy", f"{_RULE}\n{_OTHER}")
_build("mark_of_the_source_healthy", "Dogs travel … on all ferries.")
_build("preview_healthy", f"{_RULE[:74]}…", step="preview_hits")
_answer(
    _RULE,
    "preview_beside_the_whole_healthy",
    _search(),
    span("show_hits", input={"hits": 2}, output={"shown": f"{_RULE[:74]}…"}),
)

_LOG = (
    "Pier 1. The gangway was closed for 1 250 minutes, repair by Sund Verft. Pier 2. All lamps"
    " work. Pier 3. Two fenders are missing; new ones come on Friday."
)


def _split(name: str, first: str, *more: str, right: bool = False) -> None:
    pieces = [first, *more, "Pier 2. All lamps work.", "Pier 3. Two fenders are missing;"]
    _answer(
        "\n".join(pieces),
        name,
        tool("read_log", {"day": 4}, {"text": _LOG}),
        span("split", input={"n": 3}, output=[{"item": each} for each in pieces], right=right),
    )


_WHOLE = "Pier 1. The gangway was closed for 1 250 minutes, repair by Sund Verft."
_split("inside_a_number", _WHOLE[:36], right=True)
_split("inside_a_word", _WHOLE[:52], right=True)
_split("whole_pieces_healthy", _WHOLE)
_split("next_piece_goes_on_healthy", _WHOLE[:36], _WHOLE[36:])
