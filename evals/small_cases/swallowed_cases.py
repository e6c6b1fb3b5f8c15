"""Steps that kept a failure or a loss to themselves: nothing, a default or a part as a result."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, calls, failed, model, says, span, tool

SWALLOWED = CaseList("swallowed")

_ANSWER = model(says("There is no ferry today."))


def _add(name: str, *spans: SpanPlan, states: str = "") -> None:
    SWALLOWED.add(name, *spans, _ANSWER, answer="There is no ferry today.", says=states)


def _add_lookup(name: str, result: Any, states: str = "") -> None:
    given = {"from": "Tern", "day": "2026-05-04"}
    _add(name, tool("timetable", given, result, right=bool(states)), states=states)


_LATE = "le serveur des horaires a répondu 504 Gateway Timeout, liste vide"
_add_lookup("status_in_a_note_in_french", {"departs": [], "remarque": _LATE}, "nothing but")
_add_lookup("status_in_a_python_result", str({"abfahrten": [], "hinweis": _LATE}), "nothing but")
_add_lookup(
    "error_of_a_database_in_a_note",
    {"righe": [], "totale": 0, "nota": "ERROR: permission denied for relation berths"},
    "permission denied",
)
_add_lookup("note_without_a_failure_healthy", {"departs": [], "remarque": "jour férié"})
_add_lookup(
    "note_of_a_mirror_healthy", {"departs": ["09:00"], "remarque": f"d'abord {_LATE}, puis miroir"}
)

# The page of an error in the place of a translation, a name or a record.
_PAGE = "502 Bad Gateway: no healthy upstream"
for _place, _result in enumerate(
    [
        {"øversættelse": _PAGE, "sprog": "da"},
        {"caption": "ReadTimeout: HTTPSConnectionPool read timed out", "width": 640},
        [{"quay": "n/a", "beschreibung": "IndexUnavailableException: no replica answered"}],
    ]
):
    _add_lookup(f"error_page_as_a_field_{_place}", _result, "as its")
for _place, _result in enumerate(
    [
        {"state": "up", "last_error": _PAGE},
        {"quay": "B4", "log": [_PAGE], "notice": "open again since 09:00"},
        {"caption": "How the ferry failed to connect in 1953", "width": 640},
    ]
):
    _add_lookup(f"report_of_another_failure_{_place}_healthy", _result)
_add(
    "translated_error_page_healthy",
    tool("to_danish", {"text": _PAGE}, {"text": _PAGE, "sprog": "da"}),
)

_SHARDS = {"total": 3, "successful": 1, "skipped": 0, "failed": 2}
_HITS = {"total": {"value": 1}, "hits": [{"_id": "f7", "_source": {"departs": "09:00"}}]}
_add_lookup(
    "failed_shards", {"timed_out": False, "_shards": _SHARDS, "hits": _HITS}, "2 of 3 shards failed"
)
_add_lookup(
    "all_shards_healthy",
    {"timed_out": False, "_shards": {"total": 3, "failed": 0}, "hits": _HITS},
)


def _add_reader(name: str, text: str, result: Any, states: str = "") -> None:
    step = span("read_form", input={"text": text}, output=result, right=bool(states))
    _add(name, step, states=states)


_FORM = 'Here it is:\n```json\n{"ship": "Tern", "berth": "B4"}\n```'
_CUT_FORM = '{"ship": "Tern", "ber'
_add_reader(
    "object_in_prose", _FORM, {"output": {}, "log": "kein JSON am Anfang, leer"}, "empty object"
)
_add_reader("cut_object", _CUT_FORM, {"result": {}, "info": "unexpected end"}, "empty object")
_add_reader("object_read_healthy", _FORM, {"output": {"ship": "Tern", "berth": "B4"}})
_add_reader("no_object_healthy", "We have none.", {"output": {}, "log": "kein JSON am Anfang"})
_add_reader("no_errors_in_an_object_healthy", _FORM, {"errors": {}, "log": "alles gültig"})

_TALK = "ship: Tern\nberth: B4"
_DEFAULTED = {"ship": "Tern", "berth": "B4", "klass": "second"}
_add_reader(
    "named_default",
    _TALK,
    {"fields": _DEFAULTED, "notes": ["fältet 'klass' saknas, standardvärde används"]},
    "standardvärde",
)
_add_reader(
    "named_default_without_quotes",
    _TALK,
    {**_DEFAULTED, "avertissement": "klass illisible, valeur par défaut"},
    "par défaut",
)
_add_reader(
    "note_on_a_new_field_healthy",
    _TALK,
    {**_DEFAULTED, "log": "set klass from the list of the day"},
)
_add_reader("default_flag", "Marks: **7**", {"marks": 0, "found": False, "default": True}, "found")
_add_reader(
    "note_on_what_was_given_healthy",
    f"{_TALK}\nklass: second",
    {"fields": _DEFAULTED, "notes": ["field 'klass' is written in lower case"]},
)
_add_reader("default_harbour_healthy", _TALK, {"harbour": "Tern", "open": True, "default": True})

_DOWN = failed("HTTPStatusError", "Server error '503 Service Unavailable'")
_FREE = {"berths": [{"id": "B4"}], "total": 1}
_NONE = {"berths": [], "total": 0, "source": "harbour"}


def _get(ship: str = "Tern", **fields: Any) -> SpanPlan:
    return span("GET /berths", input={"url": f"http://berths/{ship}"}, **fields)


def _find(*inner: SpanPlan, result: Any, right: bool = False) -> list[SpanPlan]:
    asking = model(calls("find_berths", {"ship": "Tern"}))
    given = {"ship": "Tern"}
    found = span("find_berths", *inner, type="tool", input=given, output=result, right=right)
    return [asking, found]


_QUIET = "find_berths returned nothing, as if it had worked"
for _name, _result in (("no_list", []), ("empty_list", _NONE), ("null", None)):
    _add(f"{_name}_for_an_error", *_find(_get(**_DOWN), result=_result, right=True), states=_QUIET)
_add(
    "nothing_for_a_status_of_opentelemetry",
    *_find(_get(metadata={"http.response.status_code": 502}), result=_NONE, right=True),
    states=_QUIET,
)
_add(
    "nothing_for_a_status_in_a_result",
    *_find(_get(output={"status": 503, "body": ""}, right=True), result=_NONE),
    states="status: 503",
)
_add(
    "nothing_for_refused_access",
    *_find(_get(metadata={"http.response.status_code": 403}), result=_NONE, right=True),
    states=_QUIET,
)
_add(
    "nothing_for_a_missing_ship_healthy",
    *_find(_get(metadata={"http.response.status_code": 404}), result=_NONE),
)
_add(
    "refused_before_the_log_in_healthy",
    *_find(_get(metadata={"http.response.status_code": 401}), _get(output=_FREE), result=_FREE),
)
_add("tried_again_inside_healthy", *_find(_get(**_DOWN), _get(output=_NONE), result=_NONE))
_add("other_source_healthy", *_find(_get(**_DOWN), result=_FREE))
_add(
    "asked_again_healthy",
    *_find(_get(**_DOWN), result=_NONE),
    *_find(_get(output=_FREE), result=_FREE),
)
_add(
    "cache_down_healthy",
    *_find(span("cache.get", input={"key": "Tern"}, **_DOWN), result=_NONE),
)

DROPPED = CaseList("dropped")

_LOG = "At nine the Tern left with forty cars. At ten the fog came in from the west, and the Gull"
_WHOLE = _LOG + " turned back with eleven people on board. At noon both were in the harbour again."


def _drop(name: str, given: Any, result: Any, states: str = "", **more: Any) -> None:
    step = span("prepare", input=given, output=result, right=bool(states), **more)
    DROPPED.add(name, step, _ANSWER, answer="There is no ferry today.", says=states)


_drop("flagged_cut_in_dutch", {"tekst": _WHOLE}, {"tekst": _LOG, "ingekort": True}, "to 89")
_drop("cut_at_its_limit", {"log": _WHOLE, "limit": len(_LOG)}, {"log": _LOG}, "characters to 89")
_drop("end_of_a_text", {"log": _WHOLE}, {"log": _WHOLE[-90:], "clipped": True}, "to 90")
_drop(
    "cut_with_a_mark",
    {"log": _WHOLE, "max_chars": len(_LOG)},
    {"log": f"{_LOG} [afgebroken]"},
    "characters to 89",
)
_drop("preview_healthy", {"log": _WHOLE, "chars": len(_LOG)}, {"preview": _LOG, "shown": True})
_drop("stored_healthy", {"log": _WHOLE}, {"log": _LOG, "stored": True})
_drop("whole_text_healthy", {"tekst": _WHOLE, "limit": 9_000}, {"tekst": _WHOLE, "ingekort": False})
_drop("first_sentence_healthy", {"tekst": _WHOLE}, {"title": _LOG.split(".")[0]})
_drop(
    "closing_words_healthy",
    {"tekst": _WHOLE},
    {"tekst": _WHOLE.removesuffix(" in the harbour again."), "clean": True},
)

_drop(
    "number_in_no_batch",
    {"cars": 9, "size": 3},
    {"batches": [[1, 2, 3], [4, 5], [7, 8, 9]]},
    "8 of 9 items, without 6",
)
_drop("place_in_no_batch", {"cars": 8}, [[0, 1, 2], [3, 5], [6, 7]], "without 4")
_drop("all_in_batches_healthy", {"cars": 7, "size": 3}, {"batches": [[1, 2, 3], [4, 5, 6], [7]]})
_drop("chosen_numbers_healthy", {"cars": 9}, {"rows": [[1, 3], [7, 9]]})

_CARS = ["AB 1", "AB 2", "CD 7", "EF 4", "GH 9"]
_drop(
    "last_number_in_no_batch",
    {"cars": 10, "size": 3},
    {"batches": [[1, 2, 3], [4, 5, 6], [7, 8, 9]]},
    "9 of 10 items, without 10",
)
_drop(
    "name_in_no_batch",
    {"cars": _CARS},
    {"decks": [{"deck": 1, "cars": _CARS[:2]}, {"deck": 2, "cars": _CARS[3:]}]},
    "4 of 5 items, without CD 7",
)
_drop(
    "names_on_decks_healthy",
    {"cars": _CARS},
    {"decks": [{"deck": 1, "cars": _CARS[:2]}, {"deck": 2, "cars": _CARS[2:]}]},
)
_drop(
    "labels_of_a_list_healthy",
    {"labels": _CARS},
    {"rows": [{"labels": _CARS[:3]}, {"labels": _CARS[1:4]}]},
)
_drop(
    "two_counts_healthy", {"cars": 10, "most": 11}, {"batches": [[1, 2, 3], [4, 5, 6], [7, 8, 9]]}
)

_SHIPS = ["Tern", "Gull", "Auk", "Skua", "Puffin"]
_BERTHS = ["B1", "B3", "B4", "B7", "B8"]
_drop(
    "pairs_of_uneven_lists",
    {"ships": _SHIPS, "berths": _BERTHS[:-1]},
    [{"ship": a, "berth": b} for a, b in zip(_SHIPS, _BERTHS[:-1], strict=False)],
    "lists of 5 and 4 items",
)
_drop(
    "pairs_of_even_lists_healthy",
    {"ships": _SHIPS, "berths": _BERTHS},
    [{"ship": a, "berth": b} for a, b in zip(_SHIPS, _BERTHS, strict=True)],
)
_drop(
    "pairs_by_name_healthy",
    {"ships": _SHIPS, "berths": _BERTHS[1:]},
    [{"ship": a, "berth": b} for a, b in zip(_SHIPS[1:], _BERTHS[1:], strict=True)],
)

_HISTORY = [
    {"role": "user", "content": "Is there a ferry at nine, and one at five?"},
    {"role": "assistant", "content": "Both go. Which one shall I book?"},
    {"role": "user", "content": "The second one."},
]
_drop(
    "history_of_one",
    {"messages": _HISTORY},
    {"messages": _HISTORY[-1:]},
    "the last of 3 messages",
    metadata={"strategy": "last", "removed": 2},
)
_drop("short_history_healthy", {"messages": _HISTORY}, {"messages": _HISTORY, "removed": 0})
_drop("new_message_healthy", {"messages": _HISTORY}, {"messages": [_HISTORY[1]], "step": 2})
