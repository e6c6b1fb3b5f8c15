"""How sentences name calls and what made good for them."""

from collections.abc import Sequence
from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.opik.records import ErrorInfo, Span
from tests.analysis.timeline import span, trace

DOWN = ErrorInfo(exception_type="ConnectionError", message="tide gauge is offline")
LEVEL = {"level_cm": 312}


def sentences(spans: Sequence[Span]) -> dict[str, tuple[str, ...]]:
    """The sentences of all findings and notes, with their spans."""
    analysis = analyse_trace(trace(), spans)
    return {each.sentence: each.spans for each in (*analysis.findings, *analysis.notes)}


def tool(span_id: str, start: float, name: str, given: Any, returned: Any, **more: Any) -> Span:
    fields: dict[str, Any] = {"type": "tool", "input": given, "output": returned} | more
    return span(span_id, start, start + 1, name=name, **fields)


def only(found: dict[str, tuple[str, ...]], words: str) -> tuple[str, tuple[str, ...]]:
    (one,) = [(sentence, spans) for sentence, spans in found.items() if words in sentence]
    return one


def test_an_empty_lookup_is_named_by_what_differs_between_its_calls() -> None:
    given = {"date": "2031-04-02", "lat": 57.7, "reach_km": 2}
    wider = given | {"reach_km": 9}
    spans = [
        tool("near", 0, "find_gauge", given, []),
        tool("far", 2, "find_gauge", wider, [{"gauge": "Vinga"}]),
    ]
    sentence, named = only(sentences(spans), "find_gauge returned nothing")
    assert "it looked up reach_km 2;" in sentence
    assert "find_gauge worked when called again with reach_km 2 → 9" in sentence
    assert named[:2] == ("near", "far")


def test_a_search_is_named_by_its_question_and_its_index() -> None:
    given = {"collection": "notices_old", "k": 4, "question": "When does the lock open?"}
    found = sentences([tool("search", 0, "search_notices", given, {"hits": []})])
    sentence, _ = only(found, "search_notices returned nothing")
    assert "it searched for “When does the lock open?”, collection “notices_old”" in sentence


def test_a_fallback_of_another_name_is_named_and_listed() -> None:
    given = {"gauge": "Vinga", "unit": "cm"}
    spans = [
        tool("first", 0, "gauge_reading", given, None, error_info=DOWN),
        tool("copy", 2, "gauge_reading_copy", given, LEVEL),
        tool("other", 4, "gauge_reading", {"gauge": "Måseskär", "unit": "cm"}, LEVEL),
    ]
    sentence, named = only(sentences(spans), "gauge is offline")
    assert "gauge_reading_copy worked after it" in sentence
    assert named[:2] == ("first", "copy")


def test_a_call_for_another_item_is_not_said_to_have_made_good() -> None:
    spans = [
        tool("first", 0, "read_gauge", {"url": "tide:/a7"}, None, error_info=DOWN),
        tool("next", 2, "read_gauge", {"url": "wind:/b3"}, LEVEL),
    ]
    assert not any("worked" in sentence for sentence in sentences(spans))


def test_the_repeated_input_of_a_loop_is_shown_with_its_keys() -> None:
    given = {"family": "Lind", "village": "Hamra"}
    tries = [tool(f"t{i}", 2 * i, "search_book", given, {"note": "none"}) for i in range(6)]
    other = tool("other", 20, "search_book", given | {"village": "Hammar"}, {"page": 12})
    sentence, _ = only(sentences([*tries, other]), "search_book ran 6 times")
    assert "the same input (village “Hamra”)" in sentence
