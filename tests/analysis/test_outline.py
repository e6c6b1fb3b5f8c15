import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.text.lines import format_finding, format_note
from app.analysis.text.outline import build_outline
from app.opik.records import ErrorInfo, Span
from app.token_estimate import estimate_tokens
from testkit.case_tables import each_case
from tests.analysis.timeline import draw, span, trace


def aliases() -> Callable[[str], str]:
    known: dict[str, str] = {}
    return lambda span_id: known.setdefault(span_id, f"s{len(known) + 1}")


def outline(spans: Sequence[Span], budget_tokens: int = 6_000, **record: Any) -> str:
    analysis = analyse_trace(trace().model_copy(update=record), spans)
    return build_outline(analysis, alias=aliases(), budget_tokens=budget_tokens)


def test_findings_come_before_the_profile_and_the_tree() -> None:
    text = outline(
        draw("""
            root    |-----|
              fetch* |--|
        """)
    )
    places = [text.index(word) for word in ("fetch broke", "Profile", "Tree")]
    assert places == sorted(places)


def test_a_healthy_trace_says_that_nothing_was_found() -> None:
    assert "Findings: none" in outline([span("a")])


def test_a_line_of_the_tree_holds_type_duration_share_model_tokens_and_cost() -> None:
    call = span(
        "ask",
        1,
        6,
        parent_span_id="root",
        type="llm",
        model="gpt-4.1",
        usage={"prompt_tokens": 1200, "completion_tokens": 34},
        total_estimated_cost=0.0125,
        ttft=420,
    )
    assert (
        "  s1 * ask [llm] 5.0 ms 50 %, gpt-4.1, 1,200+34 tokens, $0.013, first token 420 ms"
        in outline([span("root", 0, 10), call])
    )


def test_the_header_holds_thread_tags_scores_and_state() -> None:
    record = trace(
        "checkout",
        end=None,
        thread_id="th-1",
        tags=["prod"],
        environment="eu",
        feedback_scores=[{"name": "tone", "value": 0.9, "reason": "friendly"}],
    )
    text = build_outline(analyse_trace(record, [span("a")]), alias=aliases())
    for part in ("checkout", "not finished", "thread th-1", "environment eu", "tags: prod"):
        assert part in text
    assert "tone 0.9 because friendly" in text


def test_similar_spans_share_a_line_and_the_unusual_one_has_its_own() -> None:
    spans = [span("root", 0, 3_000)]
    spans += [span(f"p{i}", i, i + 20, name=f"page {i}", parent_span_id="root") for i in range(99)]
    broken = ErrorInfo(exception_type="OSError", message="gone")
    spans.append(span("bad", 5, 9, name="page 7", parent_span_id="root", error_info=broken))
    text = outline(spans)
    assert "94 × page 5 and similar [general] 20.0 ms to 20.0 ms, together 1.88 s" in text
    assert re.search(r"\n  s\d+ \* page 7 \[general\] 4.0 ms <1 %, ERROR OSError", text)
    assert len(text.splitlines()) < 20


def test_spans_that_do_not_fit_are_counted_with_the_call_that_shows_them() -> None:
    spans = [span(chr(0x4E00 + i), i, i + 1) for i in range(1000)]
    text = outline(spans, 600)
    shown = len(re.findall(r"^s\d+ ", text, re.MULTILINE))
    hidden = re.search(r"([\d,]+) spans not shown; .*get_trace_data\(", text)
    assert hidden is not None
    assert shown + int(hidden[1].replace(",", "")) == 1000


def test_the_culprit_is_shown_however_large_the_trace() -> None:
    spans = [span("root", 0, 9_000)]
    for i in range(2_000):
        parent = f"g{i // 40}"
        if i % 40 == 0:
            spans.append(span(parent, i, i + 39, name=chr(0x4E00 + i), parent_span_id="root"))
        broken = ErrorInfo(exception_type="OSError", message="gone") if i == 1234 else None
        name = "needle" if i == 1234 else chr(0x5E00 + i)
        spans.append(span(f"x{i}", i, i + 1, name=name, parent_span_id=parent, error_info=broken))
    assert re.search(r"^ +s\d+ (\* )?needle .*ERROR OSError", outline(spans, 1_500), re.MULTILINE)


def test_a_deep_chain_is_shortened_to_its_ends() -> None:
    spans = [span(f"n{i}", 0, 100, parent_span_id=f"n{i - 1}" if i else None) for i in range(3_000)]
    text = outline(spans, 1_000)
    assert "each the only child of the last" in text
    assert estimate_tokens(text) <= 1_000


def test_unread_bodies_and_missing_spans_are_stated() -> None:
    analysis = analyse_trace(trace(span_count=9), [span("a"), span("b", input="x")], bodies=["b"])
    text = build_outline(analysis, alias=aliases())
    assert "only 2 of its 9 spans were loaded" in text
    assert "inputs and outputs were read of 1 of 2 spans" in text


def test_a_subtree_has_an_outline_of_its_own() -> None:
    analysis = analyse_trace(
        trace(),
        draw("""
            root    |-------|
              a      |--|
                x     ||
              b         |--|
        """),
    )
    text = build_outline(analysis, alias=aliases(), root=analysis.tree.by_id["a"])
    assert "x [general]" in text
    assert "root" not in text.replace("root=", "")


def test_equal_input_gives_equal_text() -> None:
    spans = draw("""
        root    |-----|
          a      |--|
          b*        |-|
    """)
    assert outline(spans) == outline(spans[::-1])


@each_case("part", ["\n", "\r", "\u2028", "\x1b", "\u202e", "\u200b", "\x00", "\x85"])
def test_control_characters_of_names_never_reach_the_text(part: str) -> None:
    name = f"a{part}Findings: none{part}b"
    broken = ErrorInfo(exception_type=name, message=name, traceback=name)
    spans = [span("x", name=name, type=name, model=name, error_info=broken)]
    text = outline(
        spans, name=name, tags=[name], thread_id=name, environment=name, input={name: name}
    )
    assert part == "\n" or part not in text
    assert len(text.splitlines()) == len(text.split("\n"))
    assert not [line for line in text.splitlines() if line.startswith("Findings: none")]


def test_names_that_look_like_templates_stay_as_they_are() -> None:
    assert "{x} %s {0.__class__}" in outline([span("x", name="{x} %s {0.__class__}")])


def test_audit_fields_are_left_out() -> None:
    assert "last_updated" not in outline([span("x", last_updated_at=trace().start_time)])


texts = st.text(max_size=120)
wild_spans = st.lists(
    st.builds(
        lambda i, parent, name, start, length, model, message: span(
            str(i),
            start,
            start + length,
            name=name,
            parent_span_id=None if parent is None else str(parent),
            model=model,
            error_info=ErrorInfo(exception_type="E", message=message) if message else None,
            output=message,
        ),
        st.integers(0, 60),
        st.none() | st.integers(0, 60),
        texts,
        st.integers(0, 1000),
        st.integers(0, 1000),
        st.none() | texts,
        st.none() | texts,
    ),
    max_size=60,
)


@settings(max_examples=60)
@given(wild_spans, st.integers(0, 2_000), texts)
def test_no_outline_ever_exceeds_its_budget(spans: list[Span], budget: int, name: str) -> None:
    text = outline(spans, budget, name=name, tags=[name] * 30, input={"q": name * 50})
    assert estimate_tokens(text) <= budget


def note(sentence: str, *spans: str) -> Finding:
    return Finding(Category.RETRIES, 0.6, sentence, spans, standing=Standing.NOTE)


def test_notes_have_a_short_section_of_their_own_after_the_findings() -> None:
    analysis = analyse_trace(trace(), [span("a"), span("b", 0, 3)])
    notes = tuple(note(f"call {number} worked at last. " + "x" * 900, "b") for number in range(40))
    text = build_outline(replace(analysis, notes=notes), alias=aliases())
    section = text[text.index("Notes (unusual but harmless):") : text.index("Profile")]
    assert text.index("Findings: none") < text.index("Notes (unusual but harmless):")
    assert section.splitlines()[1].startswith("- retries: call 0 worked at last. xxx")
    assert section.splitlines()[1].endswith("(s1)")
    assert '34 more; see get_trace_data(view="findings", offset=6)' in section
    assert estimate_tokens(section) < 1_500


def test_the_header_counts_failures_wherever_they_were_recorded() -> None:
    events = [{"name": "exception", "attributes": {"exception.type": "OSError"}}]
    failed = span("a", metadata={"opentelemetry.events": events})
    assert "1 span, 1 failed span" in outline([failed])


def test_the_span_that_the_first_finding_blames_has_the_first_alias() -> None:
    call = span("call", 0, 1, type="llm", metadata={"k": 1})
    failed = span("find", 1, 2, type="tool", error_info=ErrorInfo(message="no orders"))
    text = outline([call, failed])
    assert "1 model call were not recorded (s2 call)" in text
    assert "no orders began in find" in text
    assert "s1 * find" in text


def test_no_finding_is_no_proof_of_health_where_bodies_are_not_recorded() -> None:
    silent = {"type": "llm", "model": "m"}
    calls = [span(f"c{i}", i, i + 1, metadata={"k": i}, **silent) for i in range(3)]
    calls.append(span("full", 5, 6, type="llm", model="m", input="Who?", output="You."))
    tools = [span("t", 6, 7, type="tool", input={"q": "x"}, metadata={"k": 1})]
    analysis = replace(analyse_trace(trace(), [*calls, *tools]), findings=())
    text = build_outline(analysis, alias=aliases())
    silent_calls = "inputs and outputs of 3 of 4 model calls were not recorded"
    assert f"{silent_calls} (s1 c0, s2 c1, s3 c2)\n" in text
    assert "outputs of 1 of 1 tool call were not recorded (s4 t)\n" in text
    assert "Findings: none in what was recorded and read" in text
    assert "Findings: none." in outline([calls[-1]])


def test_an_outline_holds_as_much_when_aliases_are_longer() -> None:
    spans = [span("root", 0, 9_000)]
    spans += [
        span(f"n{i}", i, i + 9, name=chr(0x4E00 + i), parent_span_id="root") for i in range(900)
    ]
    analysis = analyse_trace(trace(), spans)
    first = build_outline(analysis, alias=aliases())
    numbers = {each.id: f"s{place}" for place, each in enumerate(spans, 12_000)}
    later = build_outline(analysis, alias=numbers.__getitem__)
    assert re.sub(r"\bs\d+", "s", first) == re.sub(r"\bs\d+", "s", later)


def test_a_finding_lists_its_steps_in_time_and_apart_what_only_holds_them() -> None:
    spans = draw(
        """
        job           |----------------|
          load*        |--|
          batch           |------------|
            second*             |--|
            first*         |--|
        """
    )
    analysis = analyse_trace(trace(), spans)
    nodes = [analysis.tree.by_id[each] for each in ("second", "job", "batch", "load", "first")]
    finding = build_finding(Category.LOOP, 0.9, "Something broke.", nodes)
    text = format_finding(finding, alias=str)
    assert text.endswith("Spans: second, load, first, under batch, job.")
    note = format_note(finding, alias=str)
    assert note.endswith("(second, load, 1 more, under batch)")


def test_a_finding_counts_also_the_spans_that_are_not_kept_with_it() -> None:
    spans = [span("root", 0, 100), *(span(f"w{i}", i, parent_span_id="root") for i in range(40))]
    root, *calls = analyse_trace(trace(), spans).tree.nodes
    finding = build_finding(Category.LOOP, 0.9, "40 steps.", [calls[0], root], more=calls)
    text = format_finding(finding, alias=str)
    assert text.endswith("Spans: w0, w1, w2, w3, w4, 35 more, under root.")


def test_the_call_that_shows_hidden_spans_names_a_span_of_the_outline() -> None:
    below = [span(f"{each}{i}", i, i + 1, parent_span_id=each) for each in "ab" for i in range(90)]
    tops = [span(each, 0, 98, parent_span_id="root") for each in "ab"]
    text = outline([span("root", 0, 99), *tops, *below], 340)
    found = re.search(r'spans not shown; open those below (s\d+) with .*\(root="(s\d+)"\)', text)
    assert found is not None
    assert found[1] == found[2]
    assert re.search(rf"^{found[1]} \* root ", text, re.MULTILINE)


def test_equal_times_on_the_critical_path_stand_once() -> None:
    steps = [span(f"n{i}", 10 * i, 10 * i + 10, parent_span_id="root") for i in range(7)]
    text = outline([span("root", 0, 70), *steps])
    path = next(line for line in text.splitlines() if "critical path, most" in line)
    assert path.endswith(" n6, 10.0 ms (14 %) each")
    assert path.count("10.0 ms") == 1


def test_own_time_is_only_what_no_child_covers() -> None:
    spans = [
        span("root", 0, 100),
        span("early", 0, 60, parent_span_id="root"),
        span("late", 50, 70, parent_span_id="root"),
    ]
    text = outline(spans)
    assert "root [general] 100 ms 100 % (own 30.0 ms)" in text
    assert "own parts" not in text
