"""Failures that came back as an ordinary result, and results that only look like one."""

import json
from typing import Any

from evals.small_cases.builder import CaseList, failed, model, says, span, tool, turn_with

FAILURES = CaseList("failure_as_output")
EMPTY = CaseList("empty_lookup")
ENCODED = CaseList("json_in_text")

_GIVEN = {"booking": "FB-2291", "seats": 2}
_DONE = "Done, your two seats on the evening ferry are booked."


def _fails(name: str, result: Any, says: str = "") -> None:
    used = tool("book_seats", _GIVEN, result, right=True)
    FAILURES.add(name, *turn_with(used, _DONE), answer=_DONE, says=says)


def _works(name: str, result: Any, *, used: str = "look_up") -> None:
    plan = tool(used, {"about": "evening ferry"}, result)
    told = "Here is what I found about the evening ferry."
    FAILURES.add(f"{name}_healthy", *turn_with(plan, told), answer=told)


# Fields that say it.
_fails("is_success_false", {"isSuccess": False, "messages": ["The harbour's till is closed"]})
_fails(
    "succeeded_false", {"succeeded": False, "reason": "seat map is locked"}, "seat map is locked"
)
_fails("success_as_text", {"success": "False", "detail": "seat map is locked"})
_fails("ok_as_text", {"ok": "false", "description": "chat not found"}, "chat not found")
_fails("status_upper_case", {"Status": "FAILURE", "Detail": "booking window has closed"})
_fails("state_errored", {"state": "errored", "info": {"text": "payment gateway unreachable"}})
_fails("result_error", {"result": "error", "why": "no such sailing"})
_fails("is_error_snake_case", {"is_error": True, "content": "No such sailing: 2026-13-01"})
_fails(
    "mcp_is_error_many_blocks",
    {
        "isError": True,
        "content": [
            {"type": "text", "text": "Booking refused: passport number is missing"},
            {"type": "text", "text": "hint: call get_form first"},
        ],
    },
    "passport number is missing",
)
_fails(
    "json_rpc_error",
    {"jsonrpc": "2.0", "id": 4, "error": {"code": -32601, "message": "Method not found"}},
    "Method not found",
)
_fails(
    "graphql_errors",
    {"data": None, "errors": [{"message": "Cannot query field 'seat'", "path": ["seat"]}]},
    "Cannot query field",
)
_fails(
    "problem_details",
    {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "agent may not book"},
    "agent may not book",
)
_fails(
    "lambda_error",
    {"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 6.00 seconds"},
    "Task timed out",
)
_fails(
    "anthropic_overloaded",
    {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    "Overloaded",
)
_fails("http_status_and_body", {"http_status": 429, "body": "Too Many Requests"})
_fails("status_code_camel_case", {"statusCode": 503, "body": "upstream connect error"})
_fails("code_and_msg", {"code": 500, "msg": "internal error in seat service", "data": None})
_fails("nested_response", {"response": {"status": 504, "data": "gateway time-out"}, "took": 30})
_fails("exit_code", {"exit_code": 2, "stdout": "", "stderr": "ferryctl: unknown sailing"})
_fails("return_code", {"returncode": 127, "output": "sh: ferryctl: command not found"})
_fails("vercel_error_text", {"type": "error-text", "value": "seat service is not reachable"})
_fails("vercel_tool_error", {"type": "tool-error", "toolName": "book_seats", "error": "no answer"})
_fails("openai_tool_message", {"role": "tool", "status": "error", "content": "timed out"})
_fails("soap_fault", {"faultcode": "Server", "faultstring": "Seat map is locked"})
_fails("error_list", {"seats": None, "errors": ["seat 14A is taken", "seat 14B is taken"]})
_fails("exception_field", {"exception": "SeatLockedError", "message": "held by another booking"})

# Sentences of frameworks.
_fails("langchain_exception", "Error: ToolException('seat service refused the request')")
_fails(
    "langgraph_tool_node",
    "Error invoking tool 'book_seats' with kwargs {'seats': 2} with error:\n 1 validation error "
    "for BookSeats\nbooking\n  Field required\n Please fix the error and try again.",
)
_fails("pydantic_ai_unknown_tool", "Unknown tool name: 'book_seats'. Available tools: find_seats")
_fails("autogen_not_found", "Error: Function book_seats not found.")
_fails(
    "agents_sdk_error",
    "An error occurred while running the tool. Please try again. Error: seat map is locked",
    "seat map is locked",
)
_fails("mcp_protocol_error", "MCP error -32602: Invalid arguments for tool book_seats")
_fails(
    "smolagents_error", "Error when executing tool book_seats with arguments {}: no such sailing"
)
_fails(
    "llama_index_parse", "Error: Could not parse output. Please follow the thought-action format"
)
_fails("agent_iteration_limit", "Agent stopped due to iteration limit or time limit.")
_fails(
    "quota_sentence",
    "You exceeded your current quota, please check your plan and billing details.",
)
_fails("rate_limit_sentence", "Rate limit reached for requests. Please try again in 20s.")
_fails("permission_sentence", "Permission denied: the token lacks the scope bookings:write")

# The same in other languages.
_fails("italian", "Errore: il server delle prenotazioni non risponde (timeout dopo 30 s).")
_fails("dutch", "Fout: de reservering is mislukt, de server is niet bereikbaar.")
_fails("polish", "Błąd: nie udało się połączyć z bazą rezerwacji.")
_fails("russian", "Ошибка: не удалось подключиться к серверу бронирования.")
_fails("turkish", "Hata: rezervasyon sunucusuna bağlanılamadı.")
_fails("swedish", "Fel: kunde inte ansluta till bokningsservern.")
_fails("japanese", "エラー: 予約サーバーに接続できませんでした。")
_fails("korean", "오류: 예약 서버에 연결할 수 없습니다.")
_fails("german", "Fehler beim Buchen: Zugriff verweigert.")
_fails("spanish", "Error al reservar: credenciales no válidas.")
_fails("french", "Échec de la réservation : le service est indisponible.")
_fails("portuguese", "Falha ao reservar: conexão recusada pelo servidor.")
_fails("chinese", "请求失败：座位服务连接超时。")
_fails("german_field", {"status": "Fehler", "meldung": "Die Sitzkarte ist gesperrt"})

# Somewhere in a long text.
_LOG = "\n".join(f"step {number}: sailing {number} checked, seats free" for number in range(40))
_fails(
    "traceback_below_a_log",
    f'{_LOG}\nTraceback (most recent call last):\n  File "/srv/book.py", line 9, in book\n'
    "    seats = chart[sailing]\nKeyError: 'FB-2291'",
    "FB-2291",
)
_fails(
    "autogen_exit_code",
    f"exitcode: 1 (execution failed)\nCode output: {_LOG}\nSyntaxError: invalid syntax",
)
_fails(
    "node_stack",
    f"{_LOG}\n/srv/book.js:4\n    throw new Error('seat map is locked')\n    ^\n\n"
    "Error: seat map is locked\n    at book (/srv/book.js:4:11)\n    at main (/srv/main.js:9:3)",
    "seat map is locked",
)
_fails(
    "java_stack",
    'Exception in thread "main" java.lang.IllegalStateException: seat map is locked\n'
    "\tat no.ferry.Book.seats(Book.java:41)\n\tat no.ferry.Main.main(Main.java:12)",
    "seat map is locked",
)
_fails("go_panic", f"{_LOG}\npanic: runtime error: index out of range [3] with length 3")
_fails("shell_command_missing", f"{_LOG}\nbash: line 12: ferryctl: command not found")
_fails(
    "postgres_error",
    'ERROR:  relation "bookings" does not exist\nLINE 1: INSERT INTO bookings VALUES (2)',
)
_fails("sqlite_error", "sqlite3.OperationalError: no such table: bookings")

# Pages that are no content.
_fails(
    "bad_gateway_page",
    "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1>"
    "</center><hr><center>nginx/1.25.3</center></body></html>",
)
_fails(
    "robot_check_page",
    "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Enable JavaScript "
    "and cookies to continue</body></html>",
)
_fails("robot_check_text", "Please verify you are a human. Press and hold the button to continue.")
_fails("page_not_found_text", "404 Not Found\nThe page you requested could not be found.")

# Results that mention failures and are none.
_works("success_and_null_error", {"success": True, "error": None, "errors": [], "message": "ok"})
_works("error_is_empty_text", {"seats": 14, "error": "", "exception": None})
_works("error_is_the_word_none", {"seats": 14, "error": "none", "status": "completed"})
_works("zero_failures", {"checked": 40, "failed": 0, "errors": 0, "skipped": 0})
_works("error_rate", {"error_rate": 0.02, "failure_ratio": 0.0, "requests": 1_200})
_works("code_zero", {"code": 0, "message": "success", "data": {"seats": 14}})
_works("code_200", {"code": 200, "msg": "OK", "data": {"seats": 14}})
_works(
    "list_of_boats_one_of_which_failed",
    [{"boat": "Ulla", "status": "error"}, {"boat": "Tor", "status": "ready"}],
)
_works(
    "list_of_links_one_of_which_is_dead",
    [{"url": "e.org/a", "status": 200}, {"url": "e.org/b", "status": 404, "error": "gone"}],
)
_works("product_code_500", {"product": {"code": 500, "name": "Evening ferry"}, "price": 18})
_works("exit_code_zero_with_warning", {"exit_code": 0, "stdout": "14", "stderr": "warning: slow"})
_works("grep_without_a_match", {"exit_code": 1, "stdout": "", "stderr": ""}, used="run_grep")
_works("failing_tests_are_the_task", {"returncode": 1, "stdout": "1 failed, 3 passed"}, used="test")
_works("panic_is_a_word", "The passengers did not panic: the crew was calm.")
_works("limit_is_a_word", {"stop": "Bodø", "type": "limit", "limit_kmh": 60})
_works("result_of_a_match", {"match": "Brann - Viking", "result": "2-1", "state": "finished"})
_works("at_lines_in_a_letter", "Error Prone Ltd.\n    at the harbour 4\n    at your service")
_works("type_error_of_a_form", {"type": "error-report form", "fields": ["date", "ship"]})
_works("mcp_is_error_false", {"isError": False, "content": [{"type": "text", "text": "14 seats"}]})
_works("flags_false", {"refundable": False, "pets_allowed": False, "night_sailing": False})
_works("answer_no", {"is_full": False, "has_delay": False, "cancelled": False})
_works("valid_false", {"iban": "NO93 8601 1117 947", "valid": False, "checked_digits": 2})
_works(
    "list_of_failed_builds",
    {"builds": [{"id": 7, "status": "failed"}, {"id": 8, "status": "passed"}], "total": 2},
)
_works(
    "log_records",
    [{"level": "ERROR", "message": "seat map is locked"}, {"level": "INFO", "message": "ok"}],
)
_works(
    "article_about_errors",
    "# Error codes of the booking service\n\nThe service answers `error: 402` when a card is "
    "declined and 503 when it is closed for maintenance. A failed booking is never charged.",
)
_works(
    "traceback_in_a_code_fence",
    'How to read a traceback:\n\n```\nTraceback (most recent call last):\n  File "a.py", line 1\n'
    "ValueError: bad seat\n```\n\nThe last line names the error.",
)
_works(
    "code_that_raises",
    "def book(seats):\n    if seats < 1:\n        raise ValueError('Error: no seats given')\n"
    "    return reserve(seats)\n",
    used="read_file",
)
_works(
    "letter_of_a_customer",
    {"from": "Ida", "text": "Hello, I tried to pay twice and saw ‘payment failed’. What now?"},
    used="read_mail",
)
_works("no_errors_found", "Checked 40 sailings: 0 errors, 2 warnings. No errors found.")
_works("tests_passed", "collected 12 items\n\ntest_errors.py ............\n\n12 passed in 0.31s")
_works("title_with_error", {"hits": [{"title": "Error bars in charts", "url": "https://e.org/1"}]})
_works("song_timeout", {"tracks": [{"title": "Timeout", "artist": "The Failures", "plays": 500}]})
_works("german_manual", "Fehlercodes der Anlage: E1 bedeutet Übertemperatur, E2 Wassermangel.")
_works("french_glossary", "« Échec » se dit « failure » en anglais ; « erreur » se dit « error ».")
_works(
    "json_schema",
    {"type": "object", "properties": {"error": {"type": "string"}, "success": {"const": False}}},
)
_works("status_counts", {"by_status": {"200": 918, "404": 12, "500": 1}, "total": 931})
_works("rejected_application", {"application": "A-7", "status": "rejected", "by": "M. Dahl"})
_works("translated_error", {"source": "Access denied", "target": "Zugriff verweigert"})
_works(
    "page_with_a_long_text",
    "<html><head><title>Timetable</title></head><body><p>The evening ferry leaves at 19:40. If a "
    "sailing is cancelled you may see the page 503.</p></body></html>",
)

# A healthy program goes on after a look-up that found nothing.
FAILURES.add(
    "nothing_in_the_way_healthy",
    tool("find_conflicts", {"sailing": "FB-2291"}, []),
    tool("book_seats", _GIVEN, {"ticket": "T-90"}),
    model(says("Your ticket is T-90.")),
    answer="Your ticket is T-90.",
)
FAILURES.add(
    "no_duplicates_found_healthy",
    tool("find_duplicates", {"passenger": "Ida Moe"}, "No results found."),
    tool("add_passenger", {"name": "Ida Moe"}, {"id": 31}),
    model(says("Ida Moe is added as passenger 31.")),
    answer="Ida Moe is added as passenger 31.",
)
FAILURES.add(
    "nothing_found_and_no_answer",
    tool("search_timetable", {"date": "2026-05-04"}, "No results found.", right=True),
    model(says("I'm sorry, I could not find any information about that."), tokens=(90, 12)),
    answer="I'm sorry, I could not find any information about that.",
)
FAILURES.add(
    "nothing_found_and_a_crash",
    tool("load_sailings", {"date": "2026-05-04"}, {"sailings": {}}, right=True),
    span("pick_sailing", **failed("IndexError", "no sailings")),
    answer=None,
)


# JSON as a text, once or twice encoded, must be opened before it is judged.
def _encoded(name: str, result: Any, *, right: bool = True, says: str = "") -> None:
    used = tool("book_seats", _GIVEN, result, right=right)
    told = _DONE if right else "Your ticket is T-90."
    ENCODED.add(
        name if right else f"{name}_healthy", *turn_with(used, told), answer=told, says=says
    )


_FAILED = json.dumps({"success": False, "message": "seat map is locked"})
_BOOKED = json.dumps({"success": True, "ticket": "T-90", "error": None})
_LOGGED = json.dumps({"lines": [{"level": "error", "text": "disk full"}], "count": 1})


def _in_each_envelope(kind: str, text: str, *, right: bool, expected: str) -> None:
    message = {"type": "tool", "name": "book_seats", "content": text, "status": "success"}
    envelopes = {
        "in_output": {"output": text},
        "in_content": {"content": text, "role": "tool"},
        "plain": text,
        "twice": {"result": json.dumps(text)},
        "indented": f"\n  {text}\n",
        "in_mcp_text": {"content": [{"type": "text", "text": text}], "isError": False},
        "in_langchain_message": {"output": message},
        "in_fence": f"```json\n{text}\n```",
    }
    for envelope, result in envelopes.items():
        _encoded(f"{kind}_{envelope}", result, right=right, says=expected)


_in_each_envelope("failed", _FAILED, right=True, expected="seat map is locked")
_in_each_envelope("booked", _BOOKED, right=False, expected="")
_encoded("log_lines", {"output": _LOGGED}, right=False)
_encoded("text_that_begins_like_json", "[FB-2291] two seats booked, ticket T-90", right=False)
_encoded("number_as_text", "14", right=False)
ENCODED.add(
    "input_as_text_loop",
    *[
        tool("search_seats", json.dumps({"sailing": "FB-2291"}), {"free": []}, right=True)
        for _ in range(6)
    ],
    answer="I could not finish.",
)


# Look-ups that found nothing, so that the answer could only be an excuse; and that found something.
def _looks_up(name: str, nothing: Any, found: Any, *, used: str, **more: Any) -> None:
    question = "Which rules apply to dogs on board?"
    excuse = "I don't have any information about rules for dogs."
    missed = tool(used, {"query": "dogs on board"}, nothing, right=True, **more)
    EMPTY.add(name, missed, model(says(excuse)), question=question, answer=excuse)
    hit = tool(used, {"query": "dogs on board"}, found, **more)
    told = "Dogs travel on deck 2."
    EMPTY.add(f"{name}_healthy", hit, model(says(told)), question=question, answer=told)


_RULE = "Dogs travel on deck 2."
_looks_up(
    "chroma",
    {"ids": [[]], "documents": [[]], "distances": [[]], "metadatas": [[]]},
    {"ids": [["r9"]], "documents": [[_RULE]], "distances": [[0.12]], "metadatas": [[None]]},
    used="chroma.query",
    metadata={"opik.kind": "retrieval", "opik.provider": "chroma"},
)
_looks_up(
    "pinecone",
    {"matches": [], "namespace": "rules", "usage": {"read_units": 1}},
    {"matches": [{"id": "r9", "score": 0.8}], "namespace": "rules", "usage": {"read_units": 1}},
    used="pinecone.query",
)
_looks_up("qdrant", {"points": []}, {"points": [{"payload": _RULE}]}, used="qdrant.query_points")
_looks_up("langchain", {"output": []}, {"output": [_RULE]}, used="VectorStoreRetriever")
_looks_up("llama_index", {"output": {"nodes": []}}, {"output": {"nodes": [_RULE]}}, used="retrieve")
_looks_up(
    "sql_rows",
    {"columns": ["rule"], "rows": [], "row_count": 0},
    {"columns": ["rule"], "rows": [[_RULE]], "row_count": 1},
    used="run_sql",
)
_looks_up(
    "data_frame",
    "Empty DataFrame\nColumns: [rule, deck]\nIndex: []",
    "   rule  deck\n0  dogs     2",
    used="query_table",
)
_looks_up("count_only", {"total": 0}, {"total": 1, "first": _RULE}, used="search_rules")
_looks_up(
    "mcp_text",
    {"content": [{"type": "text", "text": "[]"}], "isError": False},
    {"content": [{"type": "text", "text": _RULE}], "isError": False},
    used="search_rules",
)
_looks_up(
    "spanish", "No se encontraron resultados.", "Los perros viajan en cubierta 2.", used="search"
)
_looks_up("japanese", "該当する結果が見つかりませんでした。", "犬は2番デッキです。", used="search")
_looks_up("german", "Keine Treffer gefunden.", "Hunde reisen auf Deck 2.", used="search")
