"""Which results hold nothing, and which only say that all is well."""

from typing import Any

from app.analysis.recorded.body import Body
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.emptiness import is_empty_result
from testkit.case_tables import each_case

QUERY = {"query": "parcel 4471", "limit": 5, "user": {"id": 7}}


@each_case(
    "output",
    [
        [],
        "",
        " \n",
        {"output": []},
        {"results": []},
        {"results": None, "total": 0},
        {"query": "parcel 4471", "results": [], "total": 0, "took_ms": 3},
        {"columns": ["id", "city"], "rows": []},
        {"tables": {}},
        {"rows": 0},
        {"count": 0},
        {"data": {"hits": [], "max_score": None}},
        {"status": "success", "documents": []},
        {"success": True, "results": []},
        {"results": [], "message": "Try other words."},
        {"hits": [], "index": "orders-2024", "shard": 3},
        {"answer": None, "user": {"id": 7}},
        {"items": [], "next_page": None},
        "No results found.",
        "No matching documents were found for this query",
        {"result": "Keine Treffer"},
        "Aucun résultat",
        "No se encontraron resultados",
        "未找到相关结果",
        "該当なし",
    ],
)
def test_result_without_content_is_empty(output: Any) -> None:
    assert is_empty_result(Body(output), Body(QUERY))


@each_case(
    "output",
    [
        [0],
        {"results": [{"id": 1}]},
        {"rows": 3},
        {"answer": "Graz", "sources": []},
        {"answer": "In Graz.", "documents": ["a"], "images": []},
        {
            "summary": "The parcel left Vienna on Monday and reached Graz a day later. " * 2,
            "items": [],
        },
        {"name": "Ada", "orders": [], "email": "ada@example.com"},
        {"success": True, "error": None, "errors": [], "failed": 0, "ok": True},
        {"success": True, "data": None},
        {"errors": [], "warnings": []},
        {"issues": [], "checked": 12},
        {"valid": True, "violations": []},
        {"error": None, "value": 4},
        {"exists": False},
        {"flagged": False, "categories": {}},
        {"balance": 0},
        {"temperature": 0.0, "unit": "C"},
        {"next_cursor": None, "id": 9, "city": "Graz"},
        "No errors were found.",
        "None of the parcels is late.",
        "No. 4471 is in Graz.",
        {"output": "In Graz"},
    ],
)
def test_result_with_content_or_good_news_is_not_empty(output: Any) -> None:
    assert not is_empty_result(Body(output), Body(QUERY))


@each_case(
    "value, state",
    [
        (None, BodyState.ABSENT),
        ({}, BodyState.ABSENT),
        ({"output": None}, BodyState.ABSENT),
        ({"output": {}}, BodyState.ABSENT),
        ("[REDACTED]", BodyState.ABSENT),
        ("<redacted>", BodyState.ABSENT),
        ("***", BodyState.ABSENT),
        ("__REDACTED__", BodyState.ABSENT),
        ("[REDACTED BY POLICY]", BodyState.ABSENT),
        ("Content redacted", BodyState.ABSENT),
        ("<content not captured>", BodyState.ABSENT),
        ("[[HIDDEN]]", BodyState.ABSENT),
        ("■■■■■", BodyState.ABSENT),
        ("{{masked}}", BodyState.ABSENT),
        ("[PII REMOVED]", BodyState.ABSENT),
        ("***REDACTED***", BodyState.ABSENT),
        ("REDACTED_BY_OPIK", BodyState.ABSENT),
        ({"messages": "[REDACTED]", "tools": "[REDACTED]"}, BodyState.ABSENT),
        ({"messages": [{"role": "user", "content": "[REDACTED]"}]}, BodyState.ABSENT),
        ([{"role": "assistant", "content": "***"}], BodyState.ABSENT),
        ("", BodyState.EMPTY),
        ([], BodyState.EMPTY),
        ({"output": []}, BodyState.EMPTY),
        ({"output": ""}, BodyState.EMPTY),
        ({"answer": "", "note": None}, BodyState.EMPTY),
        ("Removed the file.", BodyState.PRESENT),
        ("The filtered list has 3 entries", BodyState.PRESENT),
        ("xxxx-large", BodyState.PRESENT),
        ("hidden fees apply", BodyState.PRESENT),
        ("disabled", BodyState.PRESENT),
        ({"results": []}, BodyState.EMPTY),
        ({"text": "[REDACTED]", "score": 3}, BodyState.PRESENT),
        (0, BodyState.PRESENT),
        (False, BodyState.PRESENT),
    ],
)
def test_body_is_absent_empty_or_present(value: Any, state: BodyState) -> None:
    assert Body(value).state == state
