"""Which spans a page of a search holds."""

import json
from typing import Any

import pytest

from tests.standin.test_record_store import TRACE, call, span, stored

SPANS = [span(number, type="tool" if number < 4 else "llm") for number in range(1, 10)]


async def numbers(**asked: Any) -> list[int]:
    body = {"project_name": "shop", "trace_id": TRACE, "limit": 2, **asked}
    path = "/v1/private/spans/search"
    answer = await call(stored(*SPANS), path, method="POST", json=body)
    assert answer.status_code == 200, answer.text
    return [int(json.loads(line)["id"][-12:]) for line in answer.text.splitlines()]


async def test_a_page_holds_the_newest_after_the_cursor() -> None:
    assert await numbers() == [9, 8]
    assert await numbers(last_retrieved_id=SPANS[4]["id"]) == [4, 3]
    assert await numbers(last_retrieved_id=SPANS[0]["id"]) == []


@pytest.mark.parametrize(
    "narrowing",
    [
        {"type": "tool"},
        {"filters": [{"field": "type", "operator": "=", "value": "tool"}]},
        {"search": "span 3"},
    ],
)
async def test_what_narrows_a_search_is_asked_of_all_spans_and_not_of_a_page(
    narrowing: dict[str, Any],
) -> None:
    assert (await numbers(**narrowing))[0] == 3
