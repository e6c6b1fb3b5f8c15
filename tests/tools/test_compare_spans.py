"""Comparing two spans of a trace, with their bodies whole."""

from typing import Any

import pytest

from standin.faults import Answer, Fault
from testkit.case_tables import each_case
from testkit.service import span_id
from tests.tools.trace_harness import a_span, opened_trace_of

LONG = "word " * 5_000


async def test_times_structure_and_changed_paths_of_two_subtrees_are_listed() -> None:
    spans = [
        a_span(1, name="agent"),
        a_span(2, 1, name="try", input={"k": 3}, output={"docs": ["a"]}),
        a_span(3, 2, name="search"),
        a_span(4, 1, name="try", input={"k": 5}, output={"docs": ["a"]}),
        a_span(5, 4, name="search"),
        a_span(6, 4, name="rerank"),
    ]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("compare", a="s2", b=span_id(4))
        assert text.startswith("A: s2 try, ")
        assert "B: s4 try, " in text
        assert "structure: 0 → 1 × (top) > rerank" in text
        assert "input.k: 3 → 5" in text
        found = await harness.call("get_span_details", span_id="s4", path="input.k")
        assert found.endswith("input.k:\n5")
        assert "output" not in text
        assert await harness.display("compare", a="s2", b="s4") == (
            "Comparing try (s2) with try (s4)"
        )
        assert await harness.display("compare", a="s2", b="s99") == "Comparing two spans"


async def test_errors_that_differ_in_numbers_only_are_one_difference() -> None:
    def failed(place: int, parent: int, message: str) -> dict[str, Any]:
        error = {"exception_type": "Busy", "message": message}
        return a_span(place, parent, name="pump", error_info=error)

    spans = [a_span(1), a_span(2, 1, name="old"), a_span(3, 1, name="new")]
    spans += [
        failed(4, 2, "valve 8 is busy"),
        *(failed(5 + n, 3, f"valve {n} is busy") for n in range(3)),
    ]
    spans += [failed(9 + n, 3, f"dry for {n} s") for n in range(4)]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("compare", a="s2", b="s3")
    errors = [line for line in text.splitlines() if line.startswith("error")]
    assert errors == ["error only in B: pump: Busy: dry for 0 s (4 times, other numbers)"]


async def test_another_model_and_text_are_shown_whatever_else_differs() -> None:
    prompt = "You are asked to answer shortly and to name where you know it from. " * 30
    models = {"s2": "gpt-5", "s3": "gpt-5-mini"}
    spans = [
        a_span(
            int(name[1:]),
            type="llm",
            model=model,
            input={"prompt": prompt.replace("shortly", name), "model": model, "text": f"t{name}"},
            output={f"k{n}": f"{name} {n}" for n in range(50)},
        )
        for name, model in models.items()
    ]
    async with opened_trace_of(a_span(1), *spans) as harness:
        text = await harness.call("compare", a="s2", b="s3")
    for line in ("model: ", "input.model: "):
        assert f"\n{line}“gpt-5” → “gpt-5-mini”\n" in text
    assert "\ninput.text: “ts2” → “ts3”\n" in text
    assert text.index("input.text") < text.index("output.k49") < text.index("input.prompt")


async def test_changed_inputs_are_shown_however_many_errors_and_long_texts_there_are() -> None:
    error = {"exception_type": "E", "message": "m" * 200}
    spans = [a_span(1)]
    for top, word in ((2, "old"), (100, "new")):
        given = {f"k{n}": f"{word} {n}" for n in range(12)} | {"long": word * 900}
        spans.append(a_span(top, 1, name="try", input=given))
        spans += [
            a_span(top + n, top, name=f"{word} {n}", error_info=error, input={"w": word * 90})
            for n in range(1, 40)
        ]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("compare", a="s2", b="s42")
    for n in range(12):
        assert f"\ninput.k{n}: “old {n}” → “new {n}”\n" in text


async def test_a_difference_beyond_what_the_backend_shows_of_a_value_is_found() -> None:
    spans = [
        a_span(1),
        a_span(2, 1, output=LONG + "old end"),
        a_span(3, 1, output=LONG + "new end"),
    ]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("compare", a="s2", b="s3")
        assert "[-old-] {+new+}" in text
        assert len(harness.requests("/spans/01")) == 2


async def test_spans_below_are_compared_whole_too() -> None:
    spans = [
        a_span(1),
        a_span(2, 1, name="try"),
        a_span(3, 2, name="ask", output=LONG + "old end"),
        a_span(4, 1, name="try"),
        a_span(5, 4, name="ask", output=LONG + "new end"),
    ]
    async with opened_trace_of(*spans) as harness:
        assert "s3 and s5 ask: output: " in await harness.call("compare", a="s2", b="s4")


async def test_unread_bodies_are_read_for_the_comparison() -> None:
    spans = [a_span(1), *(a_span(n, 1, name="x", output={"n": n}) for n in range(2, 402))]
    async with opened_trace_of(*spans) as harness:
        analysis = harness.context.analysis
        a, b = sorted(analysis.tree.by_id.keys() - analysis.bodies, reverse=True)[:2]
        numbers = [int(each[-4:], 16) for each in (a, b)]
        text = await harness.call("compare", a=a, b=b)
        assert f"output.n: {numbers[0]} → {numbers[1]}" in text


async def test_what_cannot_be_read_whole_is_noted() -> None:
    spans = [a_span(1), a_span(2, 1, output=LONG), a_span(3, 1, output="short")]
    async with opened_trace_of(*spans) as harness:
        path = f"/v1/private/spans/{span_id(2)}"
        harness.switches.faults.append(Fault(Answer(404, {"errors": ["gone"]}), path))
        text = await harness.call("compare", a="s2", b="s3")
        assert "[s2: Only the first 10,000 characters could be read: " in text
        assert "output: " in text


@pytest.mark.parametrize(("b", "expected"), [("s1", "same span"), ("s7", "no such span")])
async def test_one_span_twice_or_an_unknown_one_is_refused(b: str, expected: str) -> None:
    async with opened_trace_of(a_span(1), a_span(2, 1)) as harness:
        answer = await harness.answer("compare", a=span_id(1), b=b)
    assert answer.outcome == "failed"
    assert expected in answer.text


async def test_two_large_subtrees_stay_within_the_room() -> None:
    below = [a_span(n, 1 + n % 2, name=f"n{n} 漢字", input={"n": "é" * n}) for n in range(3, 280)]
    async with opened_trace_of(a_span(1), a_span(2), *below) as harness:
        text = await harness.call("compare", a="s1", b="s2")
        assert "of differences did not fit" in text


@each_case(
    "last, said",
    [
        ("ok", "all 2 pairs"),
        ("no", "1 of 2 pairs"),
    ],
)
async def test_branches_that_did_the_same_say_so(last: str, said: str) -> None:
    spans = [
        a_span(1, name="station", input={"id": "A"}),
        a_span(2, 1, name="take", input={"n": 1}, output="ok"),
        a_span(3, 1, name="give", input={"n": 2}, output="ok"),
        a_span(4, name="station", input={"id": "B"}),
        a_span(5, 4, name="take", input={"n": 1}, output="ok"),
        a_span(6, 4, name="give", input={"n": 2}, output=last),
    ]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("compare", a="s1", b="s4")
        more = await harness.call("compare", a="s1", b="s2")
    assert text.splitlines()[-1] == (f"spans below with equal inputs and outputs: {said}")
    assert "pairs" not in more
