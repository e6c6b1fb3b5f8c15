"""The result of a tool inside what a framework records."""

from typing import Any

from app.analysis.recorded.result_envelope import find_result
from testkit.case_tables import each_case


@each_case(
    "value, expected",
    [
        ({"output": {"content": "[]", "type": "tool", "tool_call_id": "1"}}, "[]"),
        ({"content": "x", "tool_name": "t", "raw_output": {"a": 1}}, "x"),
        ({"tool_call_id": "1", "content": [{"type": "text", "text": "x"}]}, "x"),
        ({"output": {"rows": []}}, {"output": {"rows": []}}),
        ("text", "text"),
    ],
)
def test_the_result_is_taken_out_of_the_message_of_a_framework(value: Any, expected: Any) -> None:
    assert find_result(value) == expected
