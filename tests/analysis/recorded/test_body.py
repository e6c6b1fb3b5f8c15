"""What bodies have in common, and what is read of them."""

import json
from typing import Any

from app.analysis.recorded.body import Body
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.leaves import MOST_LEAVES, walk_leaves
from app.analysis.recorded.opened_json import nest_dotted_names, open_value
from testkit.case_tables import each_case


@each_case(
    "a, b",
    [
        ({"q": "Where", "n": 1}, {"n": 1, "q": "where"}),
        ({"q": "a  b"}, {"q": "a b"}),
        ({"q": "x", "attempt": 1}, {"q": "x", "attempt": 2}),
        ({"q": "x", "request_id": "a1"}, {"q": "x", "requestId": "b2"}),
        ("try again (attempt 1)", "try again (attempt 2)"),
        ('{"q": "x"}', {"q": "x"}),
    ],
)
def test_bodies_that_mean_the_same_are_equal(a: Any, b: Any) -> None:
    assert Body(a).equals(Body(b))


@each_case(
    "a, b",
    [
        ({"q": "x", "n": 1}, {"q": "x", "n": 2}),
        ({"q": "x"}, {"r": "x"}),
        ({"q": None}, {"q": ""}),
        ({"q": 1}, {"q": "1"}),
        ("x" * 10_001, "x" * 10_001),
    ],
)
def test_bodies_that_differ_or_were_cut_are_not_equal(a: Any, b: Any) -> None:
    assert not Body(a).equals(Body(b))


def test_bodies_resemble_each_other_but_for_a_few_words() -> None:
    body = Body({"q": "find the parcel that left Vienna on Monday in the morning"})
    assert body.resembles(Body({"q": "find the parcel that left Vienna on Monday in the evening"}))
    assert not body.resembles(Body({"q": "find the invoice for Linz"}))
    first, second = (
        Body({"q": "list the open orders of page 3"}),
        Body({"q": "list the open orders of page 4"}),
    )
    assert not first.resembles(second)


@each_case(
    "value, opened",
    [
        ('{"a": 1}', {"a": 1}),
        ('"{\\"a\\": 1}"', {"a": 1}),
        ({"r": '[1, {"b": "[2]"}]'}, {"r": [1, {"b": [2]}]}),
        ("{'a': None, 'b': True}", {"a": None, "b": True}),
        ({"r": "{not json}"}, {"r": "{not json}"}),
        ('"only quoted"', '"only quoted"'),
        ("[1, 2", "[1, 2"),
        ("__import__('os')", "__import__('os')"),
    ],
)
def test_json_inside_texts_is_opened(value: Any, opened: Any) -> None:
    assert open_value(value) == opened
    assert Body(value).opened == opened


def test_dotted_names_become_objects_and_deep_values_stay_as_they_are() -> None:
    deep: Any = {}
    for _ in range(5_000):
        deep = {"x": deep}
    nested = nest_dotted_names({"gen_ai.prompt.0.role": "user", "gen_ai.request.extra": deep})
    assert nested["gen_ai"]["prompt"] == [{"role": "user"}]
    assert nested["gen_ai"]["request"]["extra"] is deep


def test_leaves_come_in_order_with_paths_and_series_as_one() -> None:
    value = {"a": [{"b": 1}, 2], "C-d": {}, "e": list(range(100))}
    assert [(leaf.path, leaf.key, leaf.value) for leaf in walk_leaves(value)] == [
        (("a", 0, "b"), "b", 1),
        (("a", 1), "a", 2),
        (("C-d",), "cd", {}),
        (("e",), "e", list(range(100))),
    ]


def test_empty_keys_and_keys_are_those_of_all_levels() -> None:
    body = Body({"a": {"b_c": None, "d": "x"}, "e": [{"f": " "}], "g": 0})
    assert body.empty_keys == {"bc", "f"}
    assert body.keys == {"a", "bc", "d", "e", "f", "g"}


LARGE: dict[str, Any] = {
    "one text": {"output": "lorem ipsum " * 400_000},
    "numbers": {"output": [0.5] * 3_000_000},
    "small objects": [{"id": n, "name": "x", "ok": True} for n in range(200_000)],
    "depth": json.loads('{"a":' * 900 + "1" + "}" * 900),
    "wide": {f"key {n}": n for n in range(200_000)},
    "quotes": {"output": '{"' * 400_000},
    "brackets": "[" * 1_000_000,
}


@each_case("value", LARGE.values())
def test_large_bodies_are_read_in_part(value: Any) -> None:
    body, other = Body(value), Body({"q": 1})
    assert not body.equals(other)
    assert not body.resembles(other)
    assert body.state is BodyState.PRESENT
    assert len(body.leaves) <= MOST_LEAVES
