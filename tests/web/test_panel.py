"""Frames as the panel reads them."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.citation_tokens import Citation
from app.events import (
    Event,
    LoggedEvent,
    ReplyCompleted,
    TextDelta,
    TextWithdrawn,
    ToolCallRecord,
    ToolCompleted,
    TraceRead,
    Transcript,
    TurnCancelled,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
    TurnStarted,
    UsageReported,
    UsageTotals,
)
from app.messages import TokenUsage
from app.settings import Settings
from app.web.history_response import render_history
from app.web.markdown.allowed_links import AllowedLinks
from app.web.markdown.filter import make_inert
from app.web.markdown.ui_urls import TurnLinks, UiLinks
from app.web.panel import Panel, split_for_frames
from app.web.sse import encode_frame
from testkit.panel_reader import PanelReader
from tests.web.markdown_judge import dangers

TEMPLATE = Settings.model_fields["opik_ui_span_url"].default
NASTY = "a data: b\r\nc\u2028d\u2029 \U0001f600 naïve\x00 data:data: \\u003a"


def delta(*parts: str | Citation) -> TextDelta:
    return TextDelta(bubble="b", parts=parts)


def panel_of(turn_id: str, *, streaming: bool) -> Panel:
    turn_links = TurnLinks(UiLinks(), workspace="default", trace_id="t")
    return Panel(turn_id, turn_links, streaming=streaming)


def show(panel: Panel, *events: object) -> list[bytes]:
    return [encode_frame(frame) for event in events for frame in panel.build_frames(event)]  # type: ignore[arg-type]


def read(reads: list[bytes]) -> PanelReader:
    reader = PanelReader()
    for data in reads:
        reader.read(data)
    return reader


def test_any_text_reaches_the_panel_unchanged() -> None:
    panel = panel_of("t", streaming=True)
    reads = show(panel, delta(NASTY), ReplyCompleted(bubble="b", text=NASTY))
    assert read(reads).texts == [NASTY]
    assert read([b"".join(reads)]).texts == [NASTY]


@given(st.text(max_size=3000))
def test_partial_frames_alone_join_to_the_text_they_were_made_of(text: str) -> None:
    panel = panel_of("t", streaming=True)
    reads = show(panel, delta(text), ReplyCompleted(bubble="b", text=text))
    assert "".join(read(reads[:-1]).texts) == make_inert(text, AllowedLinks(), {})


@pytest.mark.parametrize(("text", "shown"), [("The tool failed.", "The tool failed."), ("", "…")])
def test_text_that_is_withdrawn_is_replaced_by_the_reply_at_its_end(text: str, shown: str) -> None:
    panel = panel_of("t", streaming=True)
    withdrawn = show(panel, delta("Which one? "), TextWithdrawn(bubble="b"), delta("```"))
    reads = show(panel, ReplyCompleted(bubble="b", text=text), ReplyCompleted(bubble="c", text="A"))
    assert read(withdrawn).texts == ["Which one? "]
    assert read(withdrawn + reads).texts == [shown, "A"]


def test_a_withdrawn_text_that_was_never_shown_leaves_nothing() -> None:
    panel = panel_of("t", streaming=False)
    events = (delta("Which one?"), TextWithdrawn(bubble="b"), ReplyCompleted(bubble="b", text=""))
    assert show(panel, *events) == []


@pytest.mark.parametrize("text", ["x" * 50_000, "\U0001f600" * 5_000, "data:" * 3_000])
def test_text_in_one_piece_is_sent_as_partial_frames_of_at_most_one_kilobyte(text: str) -> None:
    reads = show(panel_of("t" * 36, streaming=True), ReplyCompleted(bubble="b" * 36, text=text))
    *partial, closing = reads
    assert len(partial) > 10
    assert max(len(data) for data in partial) <= 1024
    assert read(partial).texts == [text]
    assert read(reads).texts == [text]
    assert json.loads(closing.removeprefix(b"data: "))["partial"] is False


def test_text_that_was_already_shown_is_not_sent_a_second_time_as_partial() -> None:
    panel = panel_of("t", streaming=True)
    reads = show(panel, delta("Hel"), ReplyCompleted(bubble="b", text="Hello"))
    assert read(reads[:-1]).texts == ["Hello"]
    assert len(reads) == 3


def test_a_lost_partial_frame_is_mended_by_the_closing_one() -> None:
    reads = show(
        panel_of("t", streaming=True),
        delta("Look: "),
        delta("there."),
        ReplyCompleted(bubble="b", text="Look: there."),
    )
    assert read([reads[0], reads[2]]).texts == ["Look: there."]


def test_a_bubble_is_closed_before_its_tool_rows_and_rows_are_ticked_by_id() -> None:
    call = ToolCallRecord(id="c1", name="get_trace_data", arguments="{}", display_name="Reading")
    panel = panel_of("t", streaming=True)
    reader = read(show(panel, ReplyCompleted(bubble="b", text="Let me look.", calls=(call,))))
    assert reader.texts == ["Let me look."]
    assert [(row.display_name, row.completed) for row in reader.rows] == [("Reading", False)]
    done = ToolCompleted(call_id="c1", name="get_trace_data", outcome="ok", text="secret result")
    reads = show(panel, done)
    reader.read(reads[0])
    assert reader.rows[0].completed
    assert b"secret result" not in reads[0]


def test_without_streaming_only_closing_frames_are_sent() -> None:
    reads = show(
        panel_of("t", streaming=False),
        delta("Hel"),
        delta("lo"),
        ReplyCompleted(bubble="b", text="Hello"),
    )
    assert len(reads) == 1
    assert read(reads).texts == ["Hello"]


CALLS = tuple(
    ToolCallRecord(id=f"c{n}", name="get_trace_data", arguments="{}", display_name="Reading")
    for n in (1, 2)
)
FIRST_ROW_DONE = ToolCompleted(call_id="c1", name="get_trace_data", outcome="ok", text="")
FAILED = TurnFailed(code="cut", message="It broke off.")


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize(
    ("events", "texts"),
    [
        ([], ["It broke off."]),
        ([ReplyCompleted(bubble="b", text="", calls=CALLS)], ["It broke off."]),
        ([ReplyCompleted(bubble="b", text="Half", complete=False)], ["Half", "It broke off."]),
        (
            [ReplyCompleted(bubble="b", text="I look.", calls=CALLS), FIRST_ROW_DONE],
            ["I look.", "It broke off."],
        ),
        (
            [
                ReplyCompleted(bubble="b", text="I look.", calls=CALLS),
                FIRST_ROW_DONE,
                TextDelta(bubble="c", parts=("It is ",)),
                ReplyCompleted(bubble="c", text="It is ", complete=False),
            ],
            ["I look.", "It is ", "It broke off."],
        ),
        (
            [
                TextDelta(bubble="b", parts=("Hm, which one? ",)),
                TextWithdrawn(bubble="b"),
                ReplyCompleted(bubble="b", text="It is", complete=False),
            ],
            ["It is", "It broke off."],
        ),
        (
            [
                TextDelta(bubble="b", parts=("Hm, which one? ",)),
                TextWithdrawn(bubble="b"),
                ReplyCompleted(bubble="b", text="", complete=False),
            ],
            ["It broke off."],
        ),
    ],
)
def test_an_error_stands_below_the_text_of_its_turn_and_leaves_no_row_open(
    events: list[Event], texts: list[str], streaming: bool
) -> None:
    reader = read(show(panel_of("t", streaming=streaming), *events, FAILED))
    assert reader.texts == texts
    assert reader.error == reader.texts[-1]
    assert all(row.completed for row in reader.rows)
    assert reader.frames[-1]["error"] == "It broke off."
    assert streaming or not any(frame.get("partial") for frame in reader.frames)


def test_a_text_whose_reply_never_completed_is_closed_before_the_error() -> None:
    reader = read(show(panel_of("t", streaming=True), delta("Half an ", "ans ["), FAILED))
    assert reader.texts == ["Half an ans [", "It broke off."]
    withdrawn = (delta("Hm."), TextWithdrawn(bubble="b"), FAILED)
    assert read(show(panel_of("t", streaming=True), *withdrawn)).texts == ["It broke off."]


@pytest.mark.parametrize("ending", [TurnCancelled(), TurnInterrupted(), TurnFinished()])
def test_however_a_turn_ends_no_row_is_left_open(ending: Event) -> None:
    events = (ReplyCompleted(bubble="b", text="", calls=CALLS), FIRST_ROW_DONE, ending)
    reader = read(show(panel_of("t", streaming=True), *events))
    assert [row.completed for row in reader.rows] == [True, True]
    assert reader.error is None


def test_frames_are_ascii_lines_without_the_marker_of_a_new_line() -> None:
    for data in show(panel_of("t", streaming=True), ReplyCompleted(bubble="b", text=NASTY)):
        assert data.isascii()
        assert data.count(b"data:") == 1
        assert data.count(b"\n") == 2
        assert data.endswith(b"\n\n")


@given(st.text(), st.integers(min_value=12, max_value=100))
def test_pieces_join_to_the_text_and_keep_the_limit(text: str, limit: int) -> None:
    parts = list(split_for_frames(text, limit))
    assert "".join(parts) == text
    assert all(len(part) == 1 or len(json.dumps(part)) <= limit for part in parts)


SPAN = "0199dead-0000-7000-8000-000000000001"
LONG = f"https://evil.test/{'d' * 900}"


@pytest.mark.parametrize(
    "text",
    [
        *(
            f"⟦span:{SPAN}⟧ [x](https://a.test/{'x' * n}) https://a.test/b{'y' * n}/c. " * 20
            for n in (0, 13, 29)
        ),
        f"{LONG} [x]({LONG}) `{LONG}` <{LONG}> ![x]({LONG})\n",
        f"See https://a.test/{'x' * 1500} and {LONG.replace('d', 'é')}",
    ],
)
def test_no_link_leads_elsewhere_whatever_frames_have_come_or_were_lost(text: str) -> None:
    turn_links = TurnLinks(UiLinks("https://a.test", TEMPLATE), workspace="w", trace_id="t")
    panel = Panel("t", turn_links, streaming=True)
    cited = {SPAN: "a name"}
    events = (TraceRead(project_id="p"), ReplyCompleted(bubble="b", text=text, cited=cited))
    *partial, _ = show(panel, *events)
    found = set()
    for at in range(len(partial)):
        for reads in (partial[:at], partial[max(0, at - 4) : at] + partial[at + 1 : at + 5]):
            found.update(dangers("".join(read(reads).texts), ui_base="https://a.test"))
    assert found == set()


def test_a_cited_span_becomes_a_link_with_its_name_also_when_split() -> None:
    turn_links = TurnLinks(UiLinks("https://opik.test", TEMPLATE), workspace="w", trace_id="t")
    panel = Panel("t", turn_links, streaming=True)
    text = f"It is ⟦span:{SPAN}⟧."
    cited = {SPAN: "look](https://evil.test)"}
    reads = show(
        panel,
        TraceRead(project_id="p"),
        *map(delta, "It is "),
        delta(Citation("span", SPAN, cited[SPAN])),
        delta("."),
        ReplyCompleted(bubble="b", text=text, cited=cited),
    )
    (shown,) = read(reads).texts
    assert shown.endswith(
        f"](https://opik.test/w/projects/p/logs?trace=t&span={SPAN}&lastSection=ai_assistants)."
    )
    assert "](https" not in shown.removesuffix(").").rpartition("](https://opik.test")[0]
    assert read(reads[:-1]).texts == [shown]


def test_history_shows_what_the_stream_has_shown() -> None:
    ui = UiLinks("https://opik.test", TEMPLATE)
    text = f"See ⟦span:{SPAN}⟧, ![x](https://evil.test/?q=1) and https://docs.test/a."
    events = [
        TurnStarted(question="Is https://docs.test/a right?"),
        TraceRead(project_id="p"),
        ReplyCompleted(bubble="b", text=text, cited={SPAN: "look"}),
        TurnFailed(code="x", message="Broke: <img src=x> ![y](https://evil.test)"),
    ]
    logged = tuple(
        LoggedEvent(str(at), at, "t", datetime.now(UTC), event) for at, event in enumerate(events)
    )
    turn_links = TurnLinks(ui, workspace="w", trace_id="t")
    history = render_history(Transcript("c", "t", "w", logged, running=False), turn_links)
    live = TurnLinks(ui, workspace="w", trace_id="t", question="Is https://docs.test/a right?")
    shown = read(show(Panel("t", live, streaming=True), *events[1:])).texts
    assert [each["content"] for each in history[1:]] == shown
    assert [each.get("failed", False) for each in history] == [False] * len(shown) + [True]
    assert "![" not in "".join(shown)
    assert "<img" not in "".join(shown)
    assert "`https://docs.test/a`" not in shown[0]


def test_the_model_is_named_once_a_turn_before_its_first_bubble_closes() -> None:
    panel = panel_of("t", streaming=True)
    replies = [
        ReplyCompleted(bubble=name, text="x", model="gpt-4.1", provider="openai") for name in "ab"
    ]
    frames = [frame for reply in replies for frame in panel.build_frames(reply)]
    assert frames[0] == {
        "message_type": "model",
        "model": "gpt-4.1",
        "provider": "openai",
        "invocationId": "t",
    }
    assert [frame["message_type"] for frame in frames].count("model") == 1


@pytest.mark.parametrize("cost", [None, 0.00028])
def test_usage_holds_tokens_and_a_cost_only_where_it_is_known(cost: float | None) -> None:
    count = TokenUsage(prompt_tokens=100, completion_tokens=10, cached_tokens=40)
    spending = UsageTotals(usage=count, cost=cost)
    (frame,) = panel_of("t", streaming=True).build_frames(
        UsageReported(turn=spending, conversation=spending)
    )
    assert frame["message_type"] == "usage"
    assert frame["turn"] == {
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "cached_tokens": 40,
        "reasoning_tokens": 0,
        "total_tokens": 110,
        **({} if cost is None else {"cost": 0.00028}),
    }
