"""Siblings that did the same with other values share a line; the one that is unlike does not."""

import re
from typing import Any

from app.opik.records import ErrorInfo, Span
from testkit.case_tables import each_case
from tests.analysis.test_outline_tree import outline, tree_lines
from tests.analysis.timeline import span


def parcels(count: int, **changes: Any) -> list[Span]:
    """A root that weighs parcels, each with a step below; `changes` are of the sixth of them."""
    spans = [span("root", 0, 900), span("plan", 0, 1, parent_span_id="root", output="by street")]
    for number in range(count):
        given = {"office": "Graz", "parcel": f"P-{number}", "shelf": number}
        result = {"fragile": False, "grams": 400 + number}
        each = span(f"p{number}", number + 1, number + 2, name="weigh", type="tool", input=given)
        each = each.model_copy(update={"parent_span_id": "root", "output": result})
        spans.append(each.model_copy(update=changes) if number == 5 else each)
    return spans


def test_siblings_that_did_the_same_share_a_line_that_names_each() -> None:
    rows = tree_lines(outline(parcels(9)))
    assert len(rows) == 3
    head, *members = rows[2].split(" | ")
    assert re.fullmatch(r"  \* 9 × weigh \[tool\] 1\.0 ms to 1\.0 ms, together 9\.0 ms", head), head
    assert members[:2] == ["in: office: Graz; parcel: …; shelf: …", "out: fragile: false; grams: …"]
    assert re.fullmatch(r"s\d+ P-0; 0 → 400", members[2])
    assert re.fullmatch(r"s\d+ P-8; 8 → 408", members[-1])


@each_case(
    "changes",
    [
        {"output": {"fragile": True, "grams": 405}},
        {"output": {"fragile": False, "grams": 0}},
        {"output": {"fragile": False}},
        {"output": []},
        {"error_info": ErrorInfo(exception_type="ScaleError", message="no weight")},
    ],
)
def test_a_sibling_that_is_unlike_the_others_keeps_its_line(changes: dict[str, Any]) -> None:
    rows = tree_lines(outline(parcels(12, **changes)))
    heads = [row.split(" [")[0].removeprefix("  ").removeprefix("* ") for row in rows[2:]]
    assert [heads[0], heads[2]] == ["5 × weigh", "6 × weigh"]
    assert re.match(r"  s\d+ (\* )?weigh", rows[3])


def test_of_equal_branches_the_first_is_open_and_an_unlike_one_too() -> None:
    spans = parcels(12)
    for number in range(12):
        result = "late" if number == 9 else "done"
        spans.append(
            span(
                f"b{number}", number + 1, number + 2, parent_span_id=f"p{number}", name="label"
            ).model_copy(update={"output": {"state": result, "copy": number + 1}})
        )
    text = outline(spans)
    rows = [row.split(" | ")[0] for row in tree_lines(text)]
    assert [re.sub(r"s\d+ |\* | \[.*", "", row).strip() for row in rows[2:-1]] == [
        "weigh",
        "label",
        "8 × weigh",
        "weigh",
        "label",
        "weigh",
        "label",
        "weigh",
        "label",
    ]
    assert "8 spans below" in text
    assert "state: late; copy: 10" in text


def shelves(count: int, **changes: Any) -> list[Span]:
    """A root that fills shelves in three steps each; `changes` are of the check of the fifth."""
    spans = [span("root", 0, 900)]
    for number in range(count):
        start, name = number * 10, f"shelf-{number}"
        fill = span(f"f{number}", start, start + 9, name="fill", parent_span_id="root")
        spans.append(fill.model_copy(update={"input": {"shelf": name}, "output": {"for": "Amsel"}}))
        for place, step in enumerate(("count", "check", "close")):
            at = start + place + 1
            each = span(f"{step}{number}", at, at + 1, name=step, parent_span_id=f"f{number}")
            keeper = ("Amsel", "Brandt", "Cordes", "nobody")[number % 4]
            result = {"keeper": keeper} if number % 3 else []
            spans.append(each.model_copy(update={"output": result if step == "check" else "ok"}))
        if number == 5:
            spans[-2] = spans[-2].model_copy(update=changes)
    return spans


def test_what_differs_among_many_branches_is_no_state() -> None:
    assert "10 × fill" in outline(shelves(11))


def test_branches_on_both_sides_of_an_unlike_one_share_lines() -> None:
    gone = ErrorInfo(exception_type="ShelfError", message="no shelf")
    text = outline(shelves(12, error_info=gone))
    assert "4 × fill" in text
    assert "6 × fill" in text
    assert "no shelf" in text


def test_what_branches_differ_in_is_not_repeated_and_shows_no_digests() -> None:
    spans = []
    for each in parcels(9):
        changes: dict[str, Any] = {}
        if each.name == "weigh" and isinstance(each.input, dict):
            name = each.input["parcel"]
            digest = f"{each.input['shelf']}a7f03b2c"
            changes = {"output": {"parcel": name, "file": f"/labels/{name}.pdf", "sum": digest}}
        spans.append(each.model_copy(update=changes))
    members = tree_lines(outline(spans))[2].split(" | ")[3:]
    assert [member.split(" ", 1)[1] for member in members] == [f"P-{n}; {n}" for n in range(9)]
