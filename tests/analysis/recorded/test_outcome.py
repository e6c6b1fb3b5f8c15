"""What outputs report as failures of their calls, and what only looks like one."""

import json
from typing import Any

from app.analysis.recorded.opened_json import open_value
from app.analysis.recorded.outcome import find_failure
from testkit.case_tables import each_case

LONG = "The council met on Monday and spoke about the new bridge. " * 60
TRACEBACK = (
    "Traceback (most recent call last):\n"
    '  File "run.py", line 3, in <module>\n'
    "    main()\n"
    "ZeroDivisionError: division by zero\n"
)


@each_case(
    "output, reason",
    [
        ({"success": False, "message": "card expired"}, "card expired"),
        ({"success": False}, "success: false"),
        ({"ok": False, "description": "chat not found"}, "chat not found"),
        ({"error": True, "message": "order is locked"}, "order is locked"),
        ({"isError": True, "content": [{"type": "text", "text": "no access"}]}, "no access"),
        ({"content": [{"type": "text", "text": "no access"}], "is_error": True}, "no access"),
        (
            {"content": [{"type": "text", "text": '{"error": "no access"}'}], "isError": False},
            "no access",
        ),
        ({"structuredContent": {"ok": False, "reason": "no access"}}, "no access"),
        ({"status": "error", "reason": "no stock"}, "no stock"),
        ({"status": "ERROR", "code": "DB_DOWN", "order": "A-1", "at": "noon"}, "status: error"),
        ({"status": "failed", "reason": "declined"}, "declined"),
        ({"state": "失败", "message": "余额不足"}, "余额不足"),
        ({"statusCode": "502", "body": "upstream"}, "upstream"),
        ({"status": 503, "error": "connection refused", "hits": None}, "connection refused"),
        ({"response": {"status": 503, "ok": False, "statusText": "Down"}}, "Down"),
        ({"code": 404, "message": "no such order"}, "no such order"),
        ({"error": {"code": 7, "message": "quota"}}, "quota"),
        ({"error": {"code": 7, "message": ""}}, "code: 7"),
        ({"error": "not found"}, "not found"),
        ({"errors": [{"message": "unknown field"}], "data": None}, "unknown field"),
        ({"result": '{"success": false, "error": "locked"}'}, "locked"),
        (json.dumps(json.dumps({"status": "error", "message": "locked"})), "locked"),
        ("{'success': False, 'error': 'locked'}", "locked"),
        (
            "meta=None content=[TextContent(type='text', text='no access')] isError=True",
            "no access",
        ),
        ("CallToolResult(content=[], isError=True)", "iserror: true"),
        ({"output": "Error: no such table: orders"}, "Error: no such table: orders"),
    ],
)
def test_failure_is_found_with_its_reason(output: Any, reason: str) -> None:
    assert find_failure(open_value(output)) == reason


FAILED_TEXTS = [
    "Error: no such table: orders",
    "ERROR: insufficient_quota - the budget of this project is used",
    "KeyError: 'city'",
    "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='x')",
    "java.net.ConnectException: Connection refused",
    "TypeError: Cannot read properties of undefined (reading 'id')",
    "Uncaught TypeError: x is not a function",
    "HTTP 503 Service Unavailable",
    "502 Bad Gateway",
    "Request failed with status code 500",
    "Failed to fetch the page",
    "Unable to connect to the database",
    "Rate limit exceeded, try again in 20 s",
    "Connection timed out",
    "cat: notes.txt: No such file or directory",
    "connect ECONNREFUSED 127.0.0.1:5432",
    "Permission denied: /etc/shadow",
    "Sorry, something went wrong.",
    "Sorry, there was an error while loading your orders.",
    "I'm sorry, but I encountered an error while looking up your order.",
    "It seems we encountered an unexpected error while trying to use the tool.",
    "charge is not a valid tool, try one of [pay].",
    "You tried to use the tool charge, but it doesn't exist.",
    "Es ist ein Fehler aufgetreten.",
    "Fehler: Datei nicht gefunden",
    "Error al conectar con la base de datos",
    "Erreur : connexion refusée",
    "Une erreur est survenue",
    "Ocorreu um erro ao processar o pedido",
    "Si è verificato un errore",
    "Ошибка при подключении к базе",
    "请求失败，请稍后再试",
    "错误：余额不足",
    "エラーが発生しました",
    "오류가 발생했습니다",
    "حدث خطأ أثناء المعالجة",
    TRACEBACK,
    "Running step 1\n" + LONG + "\n" + TRACEBACK,
    "exitcode: 1 (execution failed)\nCode output: no module named pandas",
    LONG + "\nProcess finished with exit code 2",
    "<!DOCTYPE html><html><head><title>403 Forbidden</title></head></html>",
    "# 404\n\nThis page does not exist.",
    "Just a moment... Verify you are human by completing the action below.",
]


@each_case("text", FAILED_TEXTS)
def test_text_that_reports_a_failure_is_one(text: str) -> None:
    assert find_failure(text)
    assert find_failure({"output": text})


def test_the_last_result_of_a_node_of_tools_is_its_outcome() -> None:
    result = {"type": "tool", "content": "get_wether is not a valid tool", "status": "error"}
    assert find_failure({"messages": [{"type": "ai", "content": ""}, result]})
    assert not find_failure({"messages": [result, {"type": "ai", "content": "It is sunny."}]})


def test_a_page_for_robots_is_a_failure_of_the_call_that_read_it() -> None:
    page = "<title>Just a moment...</title><p>Enable JavaScript and cookies to continue</p>"
    assert find_failure({"status": 200, "html": page})
    assert not find_failure({"status": 200, "html": "<p>Our captcha protects the form.</p>" * 40})


SOUND_TEXTS = [
    "Default: 30 seconds",
    "Timeout: 30",
    "Rate limit: 100 requests a minute for each key.",
    "Error handling in Go uses values rather than exceptions.",
    "Errors are values.",
    "error: 402 means declined",
    "Error 404 means that the page was not found.",
    "ValueError: Raised when an operation receives an argument of the right type.",
    "It seems the error is in line 3 of your function: the index starts at 1.",
    "It seems there was an error in our earlier count, so I add the columns again.",
    "Unfortunately the error message alone does not tell which file is meant.",
    "The request was approved on Monday after the first one had failed.",
    "The job market has failed to recover since spring.",
    "Exception from this policy is granted for night work.",
    "No errors were found.",
    "0 errors, 2 warnings",
    "All checks passed: 12 tests, 0 failed.",
    "Exit code: 0",
    "exit code 0\nno failures",
    "Connection established in 20 ms.",
    "Access control lists say who may read a file.",
    "2026-05-04 10:00:01 INFO started\n2026-05-04 10:00:02 ERROR disk full\n",
    "How to fix 'connection refused' in Docker: publish the port.",
    "A captcha is a test that tells people from programs.",
    "Das ist kein Fehler, sondern so gewollt.",
    "Ein Fehler im Formular ist leicht zu beheben.",
    "L'erreur est humaine.",
    "El error humano es frecuente.",
    "Errare humanum est.",
    "这个错误很常见。",
    "エラー処理の基本を説明します。",
    "```\n" + TRACEBACK + "```\nThis traceback shows a division by zero.",
    "To reproduce:\n" + TRACEBACK + "\nThe team fixed it in version 2, see the notes below.",
    LONG,
    LONG + TRACEBACK + LONG,
    "Invalid input handling is described in chapter 4.",
    "Set isError=True in the result when a tool fails.",
    "meta=None content=[TextContent(type='text', text='3 lines')] isError=False",
    "404 visitors came to the museum.",
    "500 errors were reported by readers in 2024.",
]


@each_case("text", SOUND_TEXTS)
def test_text_about_errors_reports_no_failure(text: str) -> None:
    assert find_failure(text) == ""
    assert find_failure({"output": text}) == ""


SOUND_OUTPUTS = [
    {"success": True, "error": None, "errors": [], "failed": 0, "ok": True},
    {"error": "none"},
    {"error": "No error", "value": 4},
    {"error": {"code": 0, "message": ""}, "value": 4},
    {"error": False},
    {"error": 0.12, "accuracy": 0.9},
    {"errors": 0, "warnings": 3},
    {"enabled": False, "available": False, "is_admin": False},
    ["Error: connection refused"],
    {"hits": [{"level": "error", "message": "disk full", "status": "failed"}]},
    {"payments": [{"id": 1, "success": False, "error": "declined"}], "count": 1},
    [{"status": "failed", "error": "x"} for _ in range(20)],
    {"order": {"id": 5, "status": "failed", "error": "card declined"}},
    {"id": 5, "status": "failed", "amount": 9, "currency": "EUR"},
    {"job": "nightly", "state": "running", "last_error": "timeout in May"},
    {"valid": False, "errors": ["email is missing"], "checked": 3},
    {"status": "ok", "code": 404, "city": "Graz"},
    {"code": 451, "title": "Unavailable for legal reasons"},
    {"title": "Error codes", "text": "Error: 402 is sent for declined cards"},
    {"url": "https://x", "title": "Failed to load: a guide", "content": "Failed to load images?"},
    {"status": 200, "body": "fine"},
    {"status_code": 200},
    {"statusCode": "200"},
    {"metrics": {"exception": "TimeoutError", "count": 3}},
    {"exit_code": 0, "stdout": "done", "stderr": ""},
    {"score": 0.4, "reason": "Error: the answer names the wrong city"},
    {"isError": False, "content": [{"type": "text", "text": "The file holds 3 lines."}]},
    None,
    "",
    [],
    5,
]


@each_case("output", SOUND_OUTPUTS)
def test_output_that_holds_failures_as_content_reports_none(output: Any) -> None:
    assert find_failure(open_value(output)) == ""
    assert find_failure(open_value(json.dumps(output))) == ""


def test_reason_is_bounded() -> None:
    assert len(find_failure({"error": "x" * 1_000_000})) <= 2_000
    assert len(find_failure({"success": False, "message": "x" * 1_000_000})) <= 2_000
    assert len(find_failure("no module\n" * 400_000 + TRACEBACK)) <= 2_000


@each_case(
    "output, reason",
    [
        ({"saved": False, "codigo": "PERMISSION_DENIED", "detalle": "sin permiso"}, "sin permiso"),
        ({"booked": False, "code": "LimitExceededException"}, "code: LimitExceededException"),
        ({"erfolg": False, "meldung": "Konto gesperrt"}, "Konto gesperrt"),
        ({"成功": False, "原因": "库存锁定"}, "库存锁定"),
        ("登録できませんでした: 在庫ロック", "登録できませんでした: 在庫ロック"),
        ("Booking could not be saved: lock timeout", "Booking could not be saved: lock timeout"),
        ("Die Buchung konnte nicht gespeichert werden", None),
        ("La réservation n'a pas pu être enregistrée (E-42)", None),
        ("La reserva no se pudo guardar: plazo vencido", None),
        ("未能保存订单：库存不足", None),
        ("예약을 등록하지 못했습니다 (잠금)", None),
        ("Rezervasyon kaydedilemedi: kilit", None),
    ],
)
def test_what_a_tool_says_it_could_not_do_is_a_failure(output: Any, reason: str | None) -> None:
    assert find_failure(open_value(output)) == (output if reason is None else reason)


@each_case(
    "output",
    [
        "Tickets cannot be refunded after 24 hours.",
        "The two discounts cannot be combined.",
        "見つけることができませんでした",
        "Der Gast konnte nicht gefunden werden",
        "該当する特典はありません",
        {"code": "FB-2291", "status": "INTERNAL_TRANSFER"},
        {"budget": "The budget has been exceeded by 12 %."},
    ],
)
def test_a_rule_or_an_empty_lookup_in_words_is_no_failure(output: Any) -> None:
    assert find_failure(open_value(output)) == ""
