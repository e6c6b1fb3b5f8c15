"""Which spans an outline lists, in which order, and what it shows of their inputs and outputs."""

import base64
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category, Finding
from app.analysis.text.outline import build_outline
from app.opik.records import ErrorInfo, Span
from app.token_estimate import estimate_tokens
from testkit.case_tables import each_case
from tests.analysis.timeline import span, trace

_SPEAKERS = ("moderator", "bookkeeper", "moderator", "translator")
_IMAGE = base64.b64encode(b"\x89PNG" + random.Random(3).randbytes(30_000)).decode()


def aliases() -> Callable[[str], str]:
    known: dict[str, str] = {}
    return lambda span_id: known.setdefault(span_id, f"s{len(known) + 1}")


def outline(spans: Sequence[Span], budget_tokens: int = 6_000, **record: Any) -> str:
    analysis = analyse_trace(trace(**record), spans)
    return build_outline(analysis, alias=aliases(), budget_tokens=budget_tokens)


def tree_lines(text: str) -> list[str]:
    return text[text.index("\nTree") :].splitlines()[2:]


def conversation(turns: int) -> list[Span]:
    """A team that talks in turns, each message one span, as logs of agent teams record it."""
    messages = [
        f"message {number}: invoice {number * 7} of ward {number % 5}" for number in range(turns)
    ]
    spans = [span("run", 0, turns * 1_000, input={"task": "Close the books."})]
    for number, message in enumerate(messages):
        given = messages[number - 1] if number else "Close the books."
        spans.append(
            span(
                f"m{number}",
                number * 1_000,
                number * 1_000 + 990,
                name=_SPEAKERS[number % len(_SPEAKERS)],
                type="llm",
                model="m",
                parent_span_id="run",
                input={"messages": [{"role": "user", "content": given}]},
                output={"role": "assistant", "content": message},
            )
        )
    return spans


@each_case("turns", [3, 12, 40, 100])
def test_a_flat_conversation_is_listed_in_the_order_of_time(turns: int) -> None:
    shown = tree_lines(outline(conversation(turns)))
    names = [re.match(r"  s\d+ (?:\* )?(\w+) \[llm\]", line) for line in shown[1:]]
    assert [each[1] for each in names if each] == [
        _SPEAKERS[number % len(_SPEAKERS)] for number in range(turns)
    ]
    for number, line in enumerate(shown[1:]):
        assert f"message {number}:" in line


def test_a_conversation_of_one_name_is_listed_as_well() -> None:
    spans = [each.model_copy(update={"name": "step"}) for each in conversation(110)]
    shown = tree_lines(outline(spans))
    assert [
        number for number in range(110) if any(f"message {number}:" in line for line in shown)
    ] == list(range(110))


def test_of_a_long_conversation_the_beginning_the_end_and_failures_are_listed() -> None:
    spans = conversation(700)
    broken = ErrorInfo(exception_type="OSError", message="ledger is locked")
    spans[401] = spans[401].model_copy(update={"error_info": broken})
    text = outline(spans)
    shown = tree_lines(text)
    assert estimate_tokens(text) <= 6_000
    assert len(shown) > 80
    assert any(re.search(r"ERROR OSError.* \| failed: ledger is locked", line) for line in shown)
    assert "message 0:" in shown[1]
    assert re.match(r"  s\d+ \* translator", shown[-2])
    stretch = re.search(r"(\d+) more spans here: (.*); in .*; see (get_trace_data\(.*\))", text)
    assert stretch is not None
    assert re.match(r"\d+ × \(\w+, \w+, \w+, \w+\)", stretch[2])
    listed = sum(1 for line in shown if re.match(r"  s\d+ ", line))
    left = sum(int(each) for each in re.findall(r"(\d+) more spans here", text))
    assert listed + left == 700


def test_a_group_does_not_hide_the_order_of_calls() -> None:
    names = ["load"] * 200 + ["merge"] + ["load"] * 200
    spans = [span("root", 0, 900)]
    spans += [
        span(f"n{i}", i, i + 1, name=name, parent_span_id="root") for i, name in enumerate(names)
    ]
    shown = tree_lines(outline(spans))
    assert [re.sub(r"^  (\* )?(s\d+ \* )?", "", line).split(" [")[0] for line in shown[1:]] == [
        "200 × load",
        "merge",
        "200 × load",
    ]


def test_one_of_many_similar_branches_is_opened() -> None:
    spans = [span("root", 0, 9_000)]
    for i in range(60):
        spans.append(span(f"b{i}", i, i + 5 + (i == 31), name="batch", parent_span_id="root"))
        spans += [
            span(f"c{i}{j}", i, i + 1, name=f"part {j}", parent_span_id=f"b{i}") for j in "ab"
        ]
    shown = tree_lines(outline(spans))
    assert [line.split(" [")[0].strip(" *") for line in shown[1:4]] == [
        "31 × batch",
        next(line for line in shown if re.match(r"  s\d+ (\* )?batch", line))
        .split(" [")[0]
        .strip(),
        next(line for line in shown if "part a" in line).split(" [")[0].strip(),
    ]
    assert any("28 × batch" in line for line in shown)


def test_calls_arguments_and_failures_stand_in_the_previews() -> None:
    call = {"id": "c", "function": {"name": "find_ward", "arguments": '{"city": "Graz"}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    spans = [
        span("root", 0, 9),
        span(
            "ask",
            1,
            2,
            type="llm",
            model="m",
            parent_span_id="root",
            input={"messages": [{"role": "user", "content": "Which ward?"}]},
            output={"choices": [{"message": message, "finish_reason": "tool_calls"}]},
        ),
        span("find_ward", 3, 4, type="tool", parent_span_id="root", input={"city": "Graz"}),
        span(
            "bad",
            5,
            6,
            type="tool",
            parent_span_id="root",
            output={"isError": True, "content": [{"type": "text", "text": "no such ward"}]},
        ),
    ]
    text = outline(spans)
    assert "| in: Which ward? | out: calls find_ward(city: Graz)" in text
    assert re.search(r"find_ward \[tool\].* \| in: city: Graz$", text, re.MULTILINE)
    assert re.search(r"bad \[tool\].* \| failed: .*no such ward", text)


def test_equal_outputs_are_shown_once_and_named_after_that() -> None:
    text = outline(
        [
            span("root", 0, 9),
            *(
                span(
                    f"t{i}",
                    i,
                    i + 1,
                    name=f"worker {i}",
                    type="tool",
                    parent_span_id="root",
                    input={"n": i},
                    output="The queue is at four thousand and two.",
                )
                for i in range(3)
            ),
        ]
    )
    assert text.count("four thousand") == 1
    assert len(re.findall(r"\| out: same as s\d+", text)) == 2


def test_an_attachment_takes_no_room() -> None:
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_IMAGE}"}},
    ]
    given = {"messages": [{"role": "user", "content": content}]}
    spans = [
        span("root", 0, 9, input=given, output={"thumbnail": _IMAGE}),
        span(
            "look", 1, 2, type="llm", model="m", parent_span_id="root", input=given, output="A cat."
        ),
        span("scan", 3, 4, type="tool", parent_span_id="root", input={"file": _IMAGE}, output="ok"),
    ]
    text = outline(spans, input=given, output=f"data:image/png;base64,{_IMAGE}")
    assert _IMAGE[:60] not in text
    assert "file: [image/png, 29 KB]" in text
    assert "output: [image/png, 29 KB]" in text
    assert estimate_tokens(text) < 1_000


def test_an_image_in_a_reply_is_shown_by_its_kind_and_size() -> None:
    parts = [{"text": "Here."}, {"inlineData": {"mimeType": "image/png", "data": _IMAGE}}]
    reply = {"candidates": [{"content": {"role": "model", "parts": parts}}]}
    text = outline([span("draw", 0, 1, type="llm", model="m", output=reply)])
    assert "| out: Here.; [image/png, 29 KB]" in text


def test_what_the_header_shows_is_not_repeated_by_the_root() -> None:
    question, answer = {"question": "Which ward is closed?"}, {"answer": "The third one."}
    root = span("root", 0, 9, input=question, output=answer)
    inner = span("inner", 1, 2, parent_span_id="root", output={"result": "The third one."})
    text = outline([root, inner], input=question, output=answer)
    assert text.count("Which ward is closed?") == 1
    assert text.count("The third one.") == 1


def test_keys_that_are_not_ascii_are_readable() -> None:
    value = {"\u533a\u9593": 9, "größe": "12 \u043c"}
    text = outline([span("t", 0, 1, type="tool", input=value, output='{"\\u533a": "x"}')])
    assert "in: \u533a\u9593: 9; größe: 12 \u043c" in text
    assert "out: \u533a: x" in text


def test_a_small_trace_stays_small() -> None:
    spans = [span("root", 0, 90, input={"q": "word " * 900}, output={"a": "other " * 900})]
    for i in range(9):
        spans.append(
            span(
                f"n{i}",
                i,
                i + 1,
                name=f"step {i}",
                type="tool",
                parent_span_id="root",
                input={"text": f"{i} given " * 900},
                output={"text": f"{i} found " * 900},
            )
        )
    text = outline(spans, input={"q": "word " * 900}, output={"a": "other " * 900})
    assert "0 given" in text
    assert "8 found" in text
    assert estimate_tokens(text) < 2_500


@each_case("budget", [300, 800, 2_000, 6_000, 20_000])
def test_previews_never_exceed_the_budget(budget: int) -> None:
    assert estimate_tokens(outline(conversation(250), budget)) <= budget


def test_a_conversation_that_is_outlined_again_shows_as_much() -> None:
    analysis = analyse_trace(trace(), conversation(150))
    first = build_outline(analysis, alias=aliases())
    numbers: dict[str, str] = {}
    again = build_outline(
        analysis, alias=lambda each: numbers.setdefault(each, f"s{len(numbers) + 20_000}")
    )
    assert re.sub(r"\bs\d+", "s", first) == re.sub(r"\bs\d+", "s", again)


def test_parallel_spans_and_spans_after_a_pause_show_their_start() -> None:
    spans = [
        span("root", 0, 100),
        span("a", 0, 20, parent_span_id="root"),
        span("beside", 5, 20, parent_span_id="root"),
        span("next", 20, 30, parent_span_id="root"),
        span("late", 60, 90, parent_span_id="root"),
    ]
    text = outline(spans)
    assert re.search(r"beside .*, at 5\.0 ms", text)
    assert re.search(r"late .*, at 60\.0 ms", text)
    assert not re.search(r" (a|next) .*, at ", text)


def test_calls_for_one_thing_that_stand_in_another_order_than_they_began_show_their_start() -> None:
    def branch(name: str, end: int, steps: Sequence[tuple[int, str, dict[str, Any]]]) -> list[Span]:
        top = span(name, steps[0][0], end, parent_span_id="root", input={"order": name})
        ends = [*(start for start, _, _ in steps[1:]), end]
        inner = zip(steps, ends, strict=True)
        return [top] + [
            span(f"{name} {step}", start, last, name=step, parent_span_id=name, input=given)
            for (start, step, given), last in inner
        ]

    def store(at: int, shelf: str) -> tuple[int, str, dict[str, Any]]:
        return at, "store", {"shelf": shelf, "crates": at}

    slow = branch("slow", 80, [(2, "look", {"order": "A"}), store(70, "North 4")])
    quick = branch("quick", 40, [(3, "look", {"order": "B"}), store(30, "North 4")])
    text = outline([span("root", 0, 100), *slow, *quick])
    assert re.search(r"store .*, at 70\.0 ms .*store .*, at 30\.0 ms", text, re.DOTALL)
    assert not re.search(r" look .*, at ", text)
    other = branch("quick", 40, [store(30, "South 1")])
    assert not re.search(r"store .*, at ", outline([span("root", 0, 100), *slow, *other]))
    later = branch("quick", 90, [store(75, "North 4")])
    assert not re.search(r"store .*, at ", outline([span("root", 0, 100), *slow, *later]))


def test_a_parent_that_did_not_wait_for_a_span_says_when_it_ended() -> None:
    spans = [span("root", 0, 50), span("gather", 1, 30, parent_span_id="root")]
    spans.append(span("ask", 2, None, parent_span_id="gather"))
    assert re.search(r"ask \[general\] never ended, its parent did at 30\.0 ms", outline(spans))
    spans[1] = span("gather", 1, None, parent_span_id="root")
    assert re.search(r"ask \[general\] never ended$", outline(spans), re.MULTILINE)


@each_case("name", ["n" * 10_000, "\u202e" * 50 + "evil", "\u05d0" * 10_000])
def test_long_and_turned_names_stay_short(name: str) -> None:
    spans = [span("root", 0, 9), span("x", 1, 2, name=name, parent_span_id="root", output=name)]
    text = outline(spans)
    assert "\u202e" not in text
    assert max(map(len, text.splitlines())) < 700


def test_more_findings_and_notes_take_no_rows_from_the_tree() -> None:
    analysis = analyse_trace(trace(), conversation(150))
    more = [Finding(Category.SLOWER_THAN_USUAL, 0.9, f"Slow for reason {i}.", ()) for i in range(9)]
    grown = replace(analysis, findings=(*analysis.findings, *more), notes=tuple(more))
    first = build_outline(analysis, alias=aliases())
    again = build_outline(grown, alias=aliases())
    assert "Slow for reason 8." in again
    assert _row_heads(again) == _row_heads(first)


def _row_heads(text: str) -> list[str]:
    """The rows of the tree without aliases and previews."""
    return [re.sub(r"\bs\d+", "s", line.split(" | ")[0]) for line in tree_lines(text)]


_BRIEF = "Please sort the forty parcels of the morning by street."


def test_inputs_that_stood_before_are_named_and_not_left_out() -> None:
    request = {"messages": [{"role": "user", "content": _BRIEF}]}
    spans = [
        span("root", 0, 99, input={"task": _BRIEF}, output="All parcels are sorted by street now."),
        span("load", 1, 9, parent_span_id="root", type="tool", input={"n": 16}, output=_BRIEF),
        span("first", 10, 19, parent_span_id="root", type="llm", model="m", input=request),
        span("copy", 20, 29, parent_span_id="root", input={"t": _BRIEF + "!"}, output=_BRIEF + "!"),
        span("again", 30, 39, parent_span_id="root", input={"t": _BRIEF + "!"}, output="16"),
        span("wait", 40, 49, parent_span_id="root", input={"seconds": 16}),
    ]
    text = outline(spans, input={"task": _BRIEF}, output="All parcels are sorted by street now.")
    rows = tree_lines(text)
    assert " | " not in rows[0]
    assert rows[1].endswith("| in: n: 16 | out: the trace's input")
    assert rows[2].endswith("| in: the trace's input")
    assert rows[3].endswith(f"| in: t: {_BRIEF}! | out: same as its input")
    assert re.search(r"\| in: same as s\d+ \| out: 16$", rows[4])
    assert rows[5].endswith("| in: seconds: 16")


def test_an_input_that_is_an_earlier_output_names_it() -> None:
    found = "Street of the hills, 14 parcels, two of them heavy."
    spans = [
        span("root", 0, 99),
        span("find", 1, 9, parent_span_id="root", type="tool", input={"n": 1}, output=found),
        span("tell", 10, 19, parent_span_id="root", type="tool", input=found, output="done"),
    ]
    assert re.search(r"tell .*\| in: output of s\d+ \| out: done$", outline(spans), re.MULTILINE)


def test_an_input_names_the_last_output_before_it_and_none_that_came_later() -> None:
    menu = "Monday soup of lentils, Tuesday dumplings with plums"
    spans = [
        span("root", 0, 99, output={"kept": 1}),
        span("week", 1, 50, parent_span_id="root", output=menu),
        span("read", 2, 9, parent_span_id="week", output=menu),
        span("sort", 10, 19, parent_span_id="week", input={"by": "day"}, output=menu),
        span("price", 20, 29, parent_span_id="week", input=menu, output={"sum": 81}),
        span("day", 30, 49, parent_span_id="week", output="Wednesday fish of the lake, fried"),
        span("cook", 31, 40, parent_span_id="day", input="Wednesday fish of the lake, fried"),
    ]
    text = outline(spans)
    named = {name: alias for alias, name in re.findall(r"^ *(s\d+) \* (\w+) ", text, re.MULTILINE)}
    assert re.search(rf" price .*\| in: output of {named['sort']} ", text)
    assert re.search(rf" cook .*\| in: later the output of {named['day']}", text)


def test_the_text_of_an_error_stands_at_its_origin() -> None:
    gone = ErrorInfo(exception_type="PoolError", message="all 15 connections of ward-db are taken")
    other = ErrorInfo(exception_type="StepError", message="step 3 broke")
    spans = [
        span("root", 0, 99, error_info=other),
        span("step", 1, 98, parent_span_id="root", error_info=gone),
        span("store", 2, 97, parent_span_id="step", type="tool", error_info=gone),
    ]
    root, step, store = tree_lines(outline(spans))
    assert root.endswith("| failed: step 3 broke")
    assert re.search(r"\| failed: same error as s\d+$", step)
    assert store.endswith("| failed: all 15 connections of ward-db are taken")


@each_case("length", [7, 20])
def test_a_reply_that_was_cut_shows_its_end_and_its_limit(length: int) -> None:
    letter = (
        "Dear neighbour, " + "thank you for your kind words. " * length + "We grant you a credit of"
    )
    reply = {"choices": [{"message": {"content": letter}, "finish_reason": "length"}]}
    call = span("write", 1, 9, type="llm", model="m", parent_span_id="root", output=reply)
    spans = [
        span("root", 0, 9, output={"letter": letter}),
        call.model_copy(update={"metadata": {"max_tokens": 80}}),
    ]
    text = outline(spans, output={"letter": letter})
    assert "output: letter: Dear neighbour" in text
    assert text.count("ends with: ") == 2
    assert text.count("We grant you a credit of") == 2
    assert "| out: ended by: length (limit 80 tokens); Dear neighbour, thank you" in text
    assert text.count(f"{len(letter)} characters, ends with: …") == 2


def test_texts_that_only_begin_alike_are_not_named_as_equal() -> None:
    start = "Sort the parcels by street, then by weight. " * 20
    lists = [[{"n": 1, "of": "parcel"}] * 30 + [{"n": last, "of": "parcel"}] for last in (7, 8)]
    spans = [
        span("root", 0, 99),
        span("a", 1, 9, parent_span_id="root", type="tool", input=start + "1", output=lists[0]),
        span("b", 10, 19, parent_span_id="root", type="tool", input=start + "2", output=lists[1]),
    ]
    assert "same as" not in outline(spans)
