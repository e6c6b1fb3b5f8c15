"""What one line shows of an input or output, and in which order."""

import json
import re
from typing import Any

from app.analysis.recorded.body import CUT_LENGTH, Body
from app.analysis.recorded.recorded_span import RecordedSpan
from app.analysis.text.previews import preview_body, preview_input, preview_output
from tests.analysis.timeline import span


def shown(value: Any, limit: int = 100) -> str:
    return preview_body(Body(value)).text(limit)


def test_what_says_that_there_is_more_stands_before_long_lists_and_texts() -> None:
    parcels = [{"id": f"P-{number}", "street": "Long Lane"} for number in range(50)]
    text = shown({"parcels": parcels, "page": 1, "pages": 6, "total": 287, "next": "/p?page=2"})
    assert text.startswith("page: 1; pages: 6; total: 287; next: /p?page=2; parcels: 50 items; id:")
    letter = {"letter": "Dear neighbour, " * 40, "status": "draft"}
    assert shown(letter).startswith("status: draft; letter: Dear neighbour")


def test_facts_of_an_inner_object_stand_before_lists() -> None:
    text = shown({"rows": [{"n": n, "of": "x"} for n in range(30)], "meta": {"total": 300}})
    assert text.startswith("total: 300; rows: 30 items; n: 0")


def test_a_list_shows_how_many_items_it_has() -> None:
    assert shown({"keys": [f"key-{n}" for n in range(9)]}, 40).startswith(
        "keys: 9 items: key-0, ke"
    )
    assert shown({"langs": ["fr", "it"], "done": True}) == "done: true; langs: fr, it"
    assert shown([{"n": 1}, {"n": 2}]) == "2 items; n: 1; 2"


def test_equal_lists_of_one_object_are_named_as_equal() -> None:
    keys = [f"key-{n}" for n in range(14)]
    assert shown({"left": keys, "right": list(keys), "rest": []}, 60).endswith(
        "; right: same as left"
    )
    assert "same as" not in shown({"left": keys, "right": keys[::-1]}, 200)


def test_the_last_of_messages_is_shown_whatever_holds_them() -> None:
    facts = {"additional_kwargs": {}, "response_metadata": {}, "name": None, "id": None}
    messages = [
        {"type": "system", "content": "You sort parcels.", **facts},
        {"type": "human", "content": "Where is parcel P-7?", **facts},
    ]
    expected = "2 messages, the last: Where is parcel P-7?"
    assert shown({"messages": messages}) == expected
    assert shown(messages) == expected
    assert shown({"content": "In the cellar.", "type": "ai", **facts}) == "In the cellar."
    call = {"name": "find_parcel", "args": {"id": "P-7", "floor": -1}, "id": "c1"}
    answer = {"content": "", "type": "ai", "tool_calls": [call], **facts}
    assert shown(answer) == "calls find_parcel(id: P-7; floor: -1)"
    refused = {"role": "assistant", "content": None, "refusal": "I cannot look into parcels."}
    assert shown({"index": 0, "message": refused}).endswith("refusal: I cannot look into parcels.")
    assert shown([messages[0], refused]).endswith("refusal: I cannot look into parcels.")


def test_a_message_whose_content_was_opened_shows_no_empty_facts() -> None:
    facts = {"additional_kwargs": {}, "response_metadata": {}, "name": None, "id": None}
    messages = [
        {"type": "system", "content": "You sort parcels.", **facts},
        {"type": "human", "content": '{"parcel": "P-7", "floor": 3}', **facts},
    ]
    assert shown({"messages": messages}) == "2 messages, the last: parcel: P-7; floor: 3"
    assert shown({**messages[1], "content": {"parcel": "P-7"}}) == "parcel: P-7"
    assert "additional" not in shown({**messages[1], "content": None})


def test_of_a_name_the_end_is_shown_and_of_a_time_the_minute() -> None:
    value = {
        "file": "scan-of-the-yard-00417.tiff",
        "seen": "2031-04-05T06:07:08.901Z",
        "of": "m" * 9,
    }
    assert shown(value, 60) == "of: mmmmmmmmm; file: scan…00417.tiff; seen: 2031-04-05T06:07"
    assert shown({"file": "scan-of-the-yard-00417.tiff"}, 18) == "file: sca…417.tiff"


def test_an_instruction_that_is_json_shows_its_fields() -> None:
    given = {"messages": [{"role": "user", "content": '{"before": "Where is parcel P-7?"}'}]}
    call = RecordedSpan(span("ask", type="llm", model="m", input=given))
    assert preview_input(call).text() == "before: Where is parcel P-7?"


def test_an_empty_result_is_shown_as_it_was_recorded() -> None:
    outputs: list[Any] = [[], "", {"hits": []}, {"output": ""}]
    shown_outputs = [
        preview_output(RecordedSpan(span("t", output=each))).text() for each in outputs
    ]
    assert shown_outputs == ["[]", "(empty)", "hits: []", "(empty)"]


def test_a_request_that_the_backend_cut_shows_its_last_message_of_a_user_that_was_read() -> None:
    messages = [
        {"role": "user", "content": "Where is “P-7”?"},
        {"role": "tool", "content": "x" * 9_000},
    ]
    whole = json.dumps({"messages": [{"role": "system", "content": "Be brief. " * 200}, *messages]})
    call = RecordedSpan(span("ask", type="llm", model="m", input=whole[:CUT_LENGTH]))
    assert preview_input(call).text() == (
        "request cut by Opik; last user text before the cut: Where is “P-7”?"
    )
    other = RecordedSpan(span("ask", type="llm", model="m", input=(whole[:99] * 200)[:CUT_LENGTH]))
    assert preview_input(other).text(40).startswith('request cut by Opik: {"messages": [')


def test_types_and_roles_are_shown_where_they_are_data() -> None:
    assert shown({"type": "freight", "object": 7, "role": "pilot"}) == (
        "type: freight; object: 7; role: pilot"
    )
    assert shown({"type": 31, "weight": 2}) == "type: 31; weight: 2"
    block = {"type": "text", "text": "Loaded."}
    assert shown({"object": "chat.completion", "choices": [{"lc": 1, **block}]}) == "Loaded."


def test_an_empty_text_beside_other_values_is_shown() -> None:
    assert shown({"notes": "", "ref": "P-7", "rows": []}) == 'notes: ""; ref: P-7; rows: []'


def test_fields_beyond_those_that_are_shown_are_marked() -> None:
    fields = {f"f{number}": number for number in range(8)}
    assert shown(fields).endswith("f7: 7")
    assert shown(fields | {"f8": 8}).endswith("f7: 7; …")
    call = {"name": "store", "args": fields | {"f8": 8}, "id": "c1"}
    asked = {"content": "", "type": "ai", "tool_calls": [call]}
    assert shown(asked, 200).endswith("f7: 7; …)")


def test_records_of_a_list_are_shown_one_after_the_other() -> None:
    records = [
        {"grade": f"G{n}", "text": f"crate {n} stands in the way of the lift"} for n in "123"
    ]
    text = shown({"log": records}, 90)
    assert re.fullmatch("log: 3 items; grade: G1; text: crate .*; grade: G2; text: crate .*", text)


def test_records_by_key_are_counted_and_shown_with_their_keys() -> None:
    berths = {f"B{n}": {"length": 9 + n, "free": n < 2} for n in range(5)}
    assert shown({"pier": "north", "berths": berths}, 280).startswith(
        "pier: north; berths: 5 items; free: 2 true, 3 false; B0 length: 9; free: true;"
        " B1 length: 10; "
    )
    assert shown({"north": {"free": 1}, "south": {"free": 2}}) == "free: 1; 2"


def test_flags_of_records_are_counted_where_they_differ() -> None:
    records = [{"id": n, "paid": n != 3, "kept": True} for n in range(300)]
    assert shown(records, 280).startswith(
        "300 items; paid: 199 true, 1 false of the first 200; id: 0"
    )
