"""Looking closely at spans: facts, bodies, single values, and the way through long ones."""

import json
import re
from typing import Any

import pytest

from standin.faults import Answer, Fault
from testkit.service import TRACE_ID, span_id
from tests.tools.trace_harness import a_span, a_trace, opened_trace_of

LONG = "".join(f"<{n}>" for n in range(6_000))
_PIECE = re.compile(
    r":\n(?:\[from character [\d,]+ to the end\]\n)?(.*?)(?:\n\[cut: .*\])?\Z", re.DOTALL
)
MESSAGES = [{"role": "user", "content": f"turn {n} " + "x" * 900} for n in range(12)]


def piece(text: str) -> str:
    """The part of a value that an answer about that value shows."""
    found = _PIECE.search(text)
    assert found
    return found[1]


async def test_facts_name_parent_and_children_by_their_short_names_and_no_audit_fields() -> None:
    spans = [
        a_span(1, name="agent", end_time="2026-11-20T10:00:04Z"),
        a_span(2, 1, name="plan", type="llm", model="gpt-4.1", provider="openai"),
        a_span(
            3,
            2,
            name="lookup",
            usage={"prompt_tokens": 1200},
            total_estimated_cost=0.012,
            tags=["a", "b"],
            created_by="somebody@example.com",
            start_time="2026-11-20T10:00:02Z",
            end_time="2026-11-20T10:00:03.500Z",
            ttft=12.5,
        ),
    ]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("get_span_details", span_id="s2, s3")
    assert "parent: s1 agent\nchildren: s3; 1 span below in all" in text
    assert "model: gpt-4.1 by openai" in text
    assert "parent: s2 plan" in text
    assert "start: 2026-11-20T10:00:02.000+00:00 (+2,000.0 ms from the trace's start)" in text
    assert "end: +3,500.0 ms from the trace's start\nduration: 1,500.0 ms" in text
    assert "time to first token: 12.5 ms" in text
    assert "usage: prompt_tokens 1,200\ncost: $0.012\ntags: a, b" in text
    assert "somebody" not in text
    assert "created_at" not in text


async def test_counts_that_are_zero_or_repeat_another_are_left_out_of_the_usage() -> None:
    given = {"prompt_tokens": 90, "completion_tokens": 0}
    original = {"input_tokens": 90, "output_tokens": 0, "details.cached_tokens": 64}
    original |= {"details.audio_tokens": 0, "total_tokens": 90, "details.accepted_tokens": 7}
    usage = given | {f"original_usage.{key}": count for key, count in original.items()}
    async with opened_trace_of(a_span(1, usage=usage)) as harness:
        text = await harness.call("get_span_details", span_id="s1")
    assert (
        "usage: prompt_tokens 90, completion_tokens 0, details.cached_tokens 64,"
        " total_tokens 90, details.accepted_tokens 7"
    ) in text


async def test_facts_that_do_not_fit_are_named() -> None:
    facts = {
        "model": "m" * 80,
        "provider": "p",
        "tags": ["t" * 90, "u" * 90],
        "environment": "test",
    }
    spans = [a_span(n, output="x" * 900, **facts) for n in range(1, 11)]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call(
            "get_span_details",
            span_id=[f"s{n}" for n in range(1, 11)],
            include_output=True,
        )
    first = text.split("\n\n")[0]
    assert first.splitlines()[-2:] == [
        "environment: test",
        "[cut: tags; ask for fewer spans at once]",
    ]


async def test_a_span_is_found_by_alias_id_citation_and_list() -> None:
    async with opened_trace_of(a_span(1), a_span(2, 1), a_span(3, 1)) as harness:
        for reference in ("s2", " [s2] ", span_id(2), span_id(2).upper(), "⟦span:" + span_id(2)):
            assert "step 2" in await harness.call("get_span_details", span_id=reference)
        several = await harness.call("get_span_details", span_id=["s1", "s2", "s2", span_id(3)])
        assert [f"step {n} [" in several for n in (1, 2, 3)] == [True] * 3
        assert several.count("id: ") == 3


@pytest.mark.parametrize("reference", ["s9", "../traces/x", "", "s1 or s2", ",", "{s1}", "s²"])
async def test_what_names_no_span_is_refused_with_a_hint(reference: str) -> None:
    async with opened_trace_of(a_span(1)) as harness:
        answer = await harness.answer("get_span_details", span_id=reference)
    assert answer.outcome == "failed"
    assert "s1, s2" in answer.text


async def test_spans_of_other_traces_stay_closed() -> None:
    other = "0199dead-0000-7000-8000-00000000dead"
    async with opened_trace_of(a_span(1)) as harness:
        harness.standin.records.put_spans([a_span(7, trace_id=other, name="foreign")])
        before = len(harness.switches.received)
        answer = await harness.answer("get_span_details", span_id=span_id(7), include_input=True)
        assert answer.outcome == "failed"
        assert len(harness.switches.received) == before


async def test_bodies_that_were_loaded_whole_cost_no_further_request() -> None:
    async with opened_trace_of(a_span(1, input={"q": "x"}, output="y")) as harness:
        before = len(harness.switches.received)
        text = await harness.call("get_span_details", span_id="s1", include_input=True)
        assert 'input:\n{"q": "x"}' in text
        assert "not shown: output (include_output=true)" in text
        assert len(harness.switches.received) == before


async def test_a_cut_body_is_asked_for_whole_once_and_only_where_it_is_shown() -> None:
    async with opened_trace_of(a_span(1, input={"text": LONG}, output={"a": 1})) as harness:
        await harness.call("get_span_details", span_id="s1", include_output=True)
        assert harness.requests(f"/spans/{span_id(1)}") == []
        for _ in range(2):
            text = await harness.call("get_span_details", span_id="s1", path="input.text")
            assert f"of {len(LONG):,} characters" in text
        assert len(harness.requests(f"/spans/{span_id(1)}")) == 1


async def test_a_long_value_is_read_to_its_end_by_following_the_calls_named() -> None:
    async with opened_trace_of(a_span(1, output={"odd key": [0, {'a"b': LONG}]})) as harness:
        text = await harness.call(
            "get_span_details", span_id="s1", path="output['odd key'][1]['a\"b']"
        )
        whole = piece(text)
        while "[cut:" in text and len(whole) < len(LONG):
            text = await harness.follow(text)
            whole += piece(text)
        assert whole == LONG


async def test_a_cut_container_says_what_it_holds_and_a_path_leads_into_it() -> None:
    value = {"messages": MESSAGES, "model": "m"}
    async with opened_trace_of(a_span(1, input=value)) as harness:
        text = await harness.call("get_span_details", span_id="s1", include_input=True)
        assert "the value is an object with messages[12], model]" in text
        inner = await harness.call("get_span_details", span_id="s1", path="input.messages[-1].role")
        assert inner.endswith("input.messages[-1].role:\nuser")
        missing = await harness.call(
            "get_span_details", span_id="s1", path="$.input.messages[12].x"
        )
        assert missing.endswith("There is no input.messages[12]: input.messages is a list of 12.")
        short = await harness.call(
            "get_span_details", span_id="s1", path="messages[3].role", include_input=True
        )
        assert short.endswith("user")


async def test_a_path_leads_on_through_a_text_that_is_json() -> None:
    arguments = json.dumps({"city": "Bonn"})
    async with opened_trace_of(a_span(1, input={"call": {"arguments": arguments}})) as harness:
        path = "input.call.arguments.city"
        assert (await harness.call("get_span_details", span_id="s1", path=path)).endswith("\nBonn")


@pytest.mark.parametrize("path", ["", "[", "input..x", "name", "inputs.x", "input[x", "." * 2_000])
async def test_what_is_no_path_is_refused_with_a_hint_or_ignored(path: str) -> None:
    async with opened_trace_of(a_span(1, input={"x": 1})) as harness:
        answer = await harness.answer("get_span_details", span_id="s1", path=path)
        assert (answer.outcome == "failed") == bool(path)
        assert "path" in answer.text or not path


async def test_several_spans_share_the_room_and_each_cut_leads_to_its_own_rest() -> None:
    spans = [a_span(n, output=str(n) * n * n * 500) for n in range(1, 5)]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("get_span_details", span_id="s1,s2,s3,s4", include_output=True)
        assert [f'span_id="s{n}"' in text for n in range(1, 5)] == [False, False, True, True]
        assert "output:\n" + "1" * 500 in text
        rest = await harness.follow(text)
        assert rest.startswith("s4 step 4\n")


async def test_as_many_spans_as_fit_are_shown_and_the_call_for_the_others_is_named() -> None:
    spans = [a_span(n, output={"n": n, "text": "x" * 500}) for n in range(1, 101)]
    async with opened_trace_of(*spans) as harness:
        names = ", ".join(f"s{n}" for n in range(1, 101))
        text = await harness.call("get_span_details", span_id=names, include_output=True)
        shown = [text]
        while "more span" in text.splitlines()[-1]:
            text = await harness.follow(text.splitlines()[-1])
            shown.append(text)
        found = re.findall(r"^s(\d+) \* step", "\n".join(shown), re.MULTILINE)
        assert found == [str(n) for n in range(1, 101)]
        assert all(f'"n": {n},' in "\n".join(shown) for n in range(1, 101))
        assert len(shown) <= 6
        facts = await harness.call(
            "get_span_details", span_id=", ".join(f"s{n}" for n in range(1, 12))
        )
        assert facts.count("duration: ") == 11


async def test_the_trace_and_spans_can_be_named_together() -> None:
    trace = a_trace(output={"answer": 42})
    async with opened_trace_of(a_span(1), a_span(2, output="two"), trace=trace) as harness:
        for names in ("trace,s2", "s2, [trace]", ["trace", "s2"]):
            text = await harness.call("get_span_details", span_id=names, include_output=True)
            assert text.startswith("trace answer-question\n")
            assert 'output:\n{"answer": 42}' in text
            assert "s2 step 2 [general]" in text
            assert text.endswith("output:\ntwo")


_CALL = {"name": "search", "args": {"query": "flights to Oslo", "days": 3}, "id": "call_1"}
_LANGCHAIN = {
    "generations": [
        [
            {
                "text": "thinking aloud " * 900,
                "message": {
                    "content": "thinking aloud " * 900,
                    "additional_kwargs": {"refusal": None},
                    "tool_calls": [_CALL],
                },
            }
        ]
    ]
}


async def test_texts_are_cut_before_the_calls_of_tools_that_stand_behind_them() -> None:
    history = [{"role": "user", "content": f"message {n} " + "y" * 400} for n in range(200)]
    spans = [a_span(1, type="llm", input={"messages": history}, output=_LANGCHAIN), a_span(2)]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call(
            "get_span_details", span_id="s1,s2", include_input=True, include_output=True
        )
        assert json.dumps(_CALL) in text
        assert '"role": "user", "content": "message 199 yyy' in text
        whole = json.dumps(_LANGCHAIN, ensure_ascii=False)
        assert f"[cut: long texts and lists of {len(whole):,} characters; more: " in text
        rest = await harness.follow(text)
        first = int(re.findall(r"offset=(\d+)", text)[-1])
        assert rest.rpartition(":\n")[2].startswith(whole[first : first + 100])


async def test_a_model_call_is_shown_as_messages_calls_and_finish() -> None:
    messages = [{"role": "system", "content": "You book flights."}]
    messages += [{"role": "user", "content": f"question {n} " + "z" * 900} for n in range(40)]
    call = {"id": "c1", "function": {"name": "search", "arguments": '{"to": "Oslo"}'}}
    output = {"choices": [{"message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]}
    refused = {"choices": [{"message": {"refusal": "I cannot."}, "finish_reason": "stop"}]}
    spans = [
        a_span(1, type="llm", model="m", input={"messages": messages}, output=output),
        a_span(2, type="llm", model="m", input={"messages": messages[:2]}, output=refused),
        a_span(3, output={"rows": []}),
    ]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("get_span_details", span_id="s1, s2, s3", view="model_call")
        first, second, third = text.split("\n\n")
    assert "41 messages:\n[0] system: You book flights.\n[" in first
    assert " earlier messages not shown]\n" in first
    assert "\n[40] user (" in first
    assert "question 39 zzz" in first
    assert "question 3 z" not in first
    assert first.endswith('reply: finish: tool calls (tool_calls)\ncalls search({"to": "Oslo"})')
    assert second.endswith("reply: finish: stop (stop)\nrefusal: I cannot.")
    assert "[no model call; " in third


async def test_what_wrappers_of_a_model_call_repeat_is_shown_once_and_whole_by_path() -> None:
    answer = (
        "The harbour master confirms berth seven for the night, with pilot and two tugs at six."
    )
    counts = {"prompt_tokens": 5, "completion_tokens": 9}
    message = {"content": answer, "name": None, "additional_kwargs": {}, "tool_calls": [_CALL]}
    message["response_metadata"] = {"token_usage": counts, "finish_reason": "stop"}
    output = {
        "generations": [[{"text": answer, "message": {"lc": 1, "id": ["m"], "kwargs": message}}]],
        "run": None,
        "name": None,
    }
    output["llm_output"] = {"token_usage": counts}
    spans = [
        a_span(1, type="llm", output=output, usage=counts),
        a_span(2, output={"usage": counts, "rows": []}),
    ]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("get_span_details", span_id="s1, s2", include_output=True)
        whole = await harness.call("get_span_details", span_id="s1", path="output")
    first, second = text.split("\n\noutput")[1:]
    title, shown = first.split("\n\n")[0].split("\n")
    assert title == ' (empty and repeated parts left out; path="output" has all):'
    assert json.loads(shown) == {
        "generations": [
            [
                {
                    "text": answer,
                    "message": {
                        "kwargs": {
                            "content": "[same as output.generations[0][0].text]",
                            "tool_calls": [_CALL],
                            "response_metadata": {"finish_reason": "stop"},
                        }
                    },
                }
            ]
        ],
        "name": None,
        "llm_output": {},
    }
    assert second == ":\n" + json.dumps({"usage": counts, "rows": []})
    assert whole.endswith(":\n" + json.dumps(output))


async def test_broken_arguments_are_quoted_whole_with_the_place_where_they_break_off() -> None:
    broken = '{"ship": "Tern", "berth": "B "7", "hou'
    long = '{"note": "' + "w" * 3_000 + '", "end'
    calls = [
        {"id": n, "function": {"name": f"dock_{n}", "arguments": given}}
        for n, given in enumerate((broken, long))
    ]
    reply = {"choices": [{"message": {"tool_calls": calls}, "finish_reason": "length"}]}
    async with opened_trace_of(
        a_span(1, type="llm", input={"prompt": "x"}, output=reply)
    ) as harness:
        text = await harness.call("get_span_details", span_id="s1", view="model_call")
    short, cut = text.splitlines()[-2:]
    assert short == (
        f"calls dock_0(“{broken}”) [these 38 characters are not valid JSON:"
        ' expecting \',\' delimiter at character 30, in “berth": "B "7", "hou”]'
    )
    assert cut.startswith('calls dock_1(“{"note": "www')
    assert " characters not shown here …] www" in cut
    assert cut.endswith(
        'ww", "end”) [these 3,017 characters are not valid JSON: unterminated string starting'
        ' at character 3,013, in “wwwwwwwww", "end”]'
    )


async def test_a_message_that_repeats_an_earlier_one_is_named_by_its_place() -> None:
    call = {"id": "c1", "function": {"name": "look_up", "arguments": '{"river": "Saale", "at": 7}'}}
    asked = {"role": "assistant", "content": "", "tool_calls": [call]}
    found = {"role": "tool", "content": "no gauge of this name; known are Saale-1 and Saale-2"}
    other = {"role": "tool", "content": found["content"] + " only"}
    messages = [{"role": "user", "content": "How high?"}, asked, found, asked, found, other]
    async with opened_trace_of(a_span(1, type="llm", input={"messages": messages})) as harness:
        text = await harness.call("get_span_details", span_id="s1", view="model_call")
    lines = text.splitlines()[2:8]
    assert lines[1] == '[1] assistant: calls look_up({"river": "Saale", "at": 7})'
    assert lines[3:5] == ["[3] assistant: same as [1]", "[4] tool: same as [2]"]
    assert lines[5].endswith(" only")


async def test_a_model_call_names_the_settings_that_decide_how_it_ended() -> None:
    reply = {
        "choices": [
            {"message": {"content": "a " * 5_000 + "last words"}, "finish_reason": "length"}
        ]
    }
    spans = [
        a_span(
            1, type="llm", input={"prompt": "x", "max_tokens": 40, "stop": ["###"]}, output=reply
        ),
        a_span(
            2, type="llm", input={"prompt": "x"}, metadata={"ls_max_tokens": 9, "ls_stop": None}
        ),
    ]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("get_span_details", span_id="s1, s2", view="model_call")
    assert '\nasked with: max_tokens 40, stop ["###"]\n' in text
    assert "\nasked with: max_tokens 9\n" in text
    assert "(10,010 characters): a a a" in text
    assert "a a last words\n" in text


async def test_an_error_shows_its_traceback_and_a_long_message_in_full_by_path() -> None:
    error = {"exception_type": "E", "message": LONG, "traceback": "File x\n" + "t" * 9_000}
    async with opened_trace_of(a_span(1, error_info=error)) as harness:
        text = await harness.call("get_span_details", span_id="s1")
        assert "error: E: <0><1>" in text
        assert 'path="error.message", offset=' in text
        assert 'path="error.traceback", offset=' in text
        assert "ttt" in await harness.follow(text)


async def test_an_error_is_shown_where_it_began_and_named_at_the_spans_it_passed() -> None:
    raised = '  File "/srv/mill.py", line 7, in grind\n    raise Stuck(name)\nStuck: stone 3'
    passed = f'  File "/srv/lib/python3.12/site-packages/{"x" * 20}.py", line 2, in run\n{raised}'
    kind = {"exception_type": "Stuck", "message": "stone 3"}
    again = {**kind, "message": "stone 4", "traceback": raised.replace("stone 3", "stone 4", 1)}
    elsewhere = {**kind, "traceback": raised.replace("grind", "sieve")}
    late = {"end_time": "2026-11-20T10:00:05Z"}
    spans = [
        a_span(1, error_info={**kind, "traceback": passed}, **late),
        a_span(2, 1, error_info={**kind, "traceback": raised}),
        a_span(3, 1, error_info=again),
        a_span(4, 1, error_info=elsewhere),
    ]
    trace = a_trace(error_info={**kind, "traceback": passed})
    async with opened_trace_of(*spans, trace=trace) as harness:
        text = await harness.call("get_span_details", span_id="trace, s1, s2, s3, s4")
        alone = await harness.call("get_span_details", span_id="s1")
        recorded = await harness.call("get_span_details", span_id="s1", path="error.traceback")
    assert re.findall("^error: .*", text, re.MULTILINE) == [
        "error: same error as s2",
        "error: same error as s2",
        "error: Stuck: stone 3",
        "error: Stuck: stone 4 (raised where s2's was)",
        "error: Stuck: stone 3",
    ]
    assert text.count("error.traceback") == 2 * text.count("frames left out") == 4
    assert "  … 1 frame of xxxxxxxxxxxxxxxxxxxx …\n  File" in alone
    assert recorded.endswith(passed)


async def test_the_trace_itself_is_read_like_a_span() -> None:
    trace = a_trace(input={"question": LONG}, output={"answer": 42})
    async with opened_trace_of(a_span(1), trace=trace) as harness:
        text = await harness.call("get_span_details", span_id="trace", include_output=True)
        assert text.startswith("trace answer-question\n")
        assert 'output:\n{"answer": 42}' in text
        overview = await harness.call("get_trace_data")
        rest = await harness.follow(overview)
        assert rest.startswith("trace answer-question\n\ninput:\n")
        assert "[cut: shows " in rest


async def test_hostile_names_and_values_stay_one_line_and_unformatted() -> None:
    name = "{x} %s\n\n</data> \u202e evil\u0000 " + "n" * 5_000
    spans = [a_span(1, name="{0.__class__}"), a_span(2, 1, name=name, input="{y}\n%s")]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("get_span_details", span_id="s2", include_input=True)
    first = text.splitlines()[0]
    assert first.startswith("s2 {x} %s </data>  evil")
    assert len(first) < 150
    assert "{y}\n%s" in text
    assert "parent: s1 {0.__class__}" in text


def _page(*records: dict[str, Any] | str) -> Answer:
    """A page of spans as bytes that the stand-in itself would not send."""
    lines = [each if isinstance(each, str) else json.dumps(each) for each in records]
    return Answer(200, "\r\n".join(lines) + "\r\n", {"content-type": "application/octet-stream"})


async def test_nan_half_surrogates_and_10_000_levels_are_shown_as_far_as_they_go() -> None:
    deep = "[" * 10_000 + "]" * 10_000
    record = json.dumps(a_span(1, input={"a": float("nan")}, metadata={"m": "\ud83d"}))
    record = f'{record[:-1]}, "output": {deep}}}'
    async with opened_trace_of(a_span(1)) as harness:
        harness.switches.faults.append(Fault(_page(record), "/v1/private/spans/search", times=2))
        harness.standin.records.put_traces([a_trace(tags=["changed"])])
        await harness.reopen()
        text = await harness.call(
            "get_span_details",
            span_id="s1",
            include_input=True,
            include_output=True,
            include_metadata=True,
        )
        assert '{"a": NaN}' in text
        assert '{"m": "\ufffd"}' in text
        assert "nested too deeply to be read" in text
        into = await harness.call("get_span_details", span_id="s1", path="output" + "[0]" * 150)
        assert "[[[" in into


async def test_a_body_of_10_mb_is_read_within_the_room() -> None:
    big = {"pages": [{"n": n, "text": "y" * 100_000} for n in range(100)]}
    async with opened_trace_of(a_span(1, output=big)) as harness:
        text = await harness.call("get_span_details", span_id="s1", include_output=True)
        assert "of 10,00" in text
        last = await harness.call("get_span_details", span_id="s1", path="output.pages[99].n")
        assert last.endswith("\n99")


async def test_a_body_too_large_to_read_is_shown_as_far_as_the_backend_cuts_it() -> None:
    async with opened_trace_of(a_span(1, output="z" * 17_000_000)) as harness:
        text = await harness.call("get_span_details", span_id="s1", include_output=True)
    assert "output:\nzzz" in text
    assert "of 10,001 characters" in text


async def test_a_trace_too_large_to_read_is_opened_as_far_as_the_backend_cuts_it() -> None:
    other = {"project_id": span_id(9), "text": "z" * 17_000_000}
    async with opened_trace_of(a_span(1), trace=a_trace(input=other)) as harness:
        text = await harness.call("get_span_details", span_id="trace", include_input=True)
    assert "zzz" in text
    assert "of 10,001 characters" in text


async def test_a_backend_that_gives_no_single_spans_leaves_the_beginning_and_says_so() -> None:
    async with opened_trace_of(a_span(1, output={"text": LONG})) as harness:
        path = f"/v1/private/spans/{span_id(1)}"
        harness.switches.faults.append(Fault(Answer(429, {"errors": ["too many"]}), path))
        text = await harness.call("get_span_details", span_id="s1", include_output=True)
    assert "[Only the first 10,000 characters could be read: " in text
    assert 'output:\n{"text": "<0><1>' in text


async def test_unread_spans_are_read_together_and_kept_for_the_turn() -> None:
    spans = [a_span(n, output={"n": n}) for n in range(1, 321)]
    async with opened_trace_of(*spans) as harness:
        analysis = harness.context.analysis
        unread = sorted(analysis.tree.by_id.keys() - analysis.bodies, reverse=True)[:6]
        before = len(harness.bodies_asked())
        names = ", ".join(unread)
        for _ in range(2):
            text = await harness.call("get_span_details", span_id=names, include_output=True)
            assert all(f'{{"n": {int(each[-4:], 16)}}}' in text for each in unread)
        asked = harness.bodies_asked()[before:]
        assert 1 <= len(asked) <= 3
        assert harness.requests(f"/spans/{TRACE_ID[:4]}") == []


async def test_a_row_names_up_to_three_spans_for_a_person() -> None:
    async with opened_trace_of(*(a_span(n) for n in range(1, 6))) as harness:
        row = await harness.display("get_span_details", span_id="s1, s2, s3, s4, s5")
        assert row.startswith("Fetching span details for ")
        assert row.endswith(" and 2 more")
        assert not any(span_id(n) in row for n in range(1, 6))
        assert await harness.display("get_span_details", span_id="s99") == "Fetching span details"
        row = await harness.display("get_span_details", span_id="trace")
        assert row == "Reading the trace's input and output"


async def test_of_offered_tools_the_names_are_shown_and_their_schemas_at_a_path() -> None:
    schema = {
        "type": "object",
        "properties": {"shelf": {"type": "string", "description": "x" * 90}},
    }
    tools = [
        {"type": "function", "function": {"name": name, "parameters": schema}}
        for name in ("look", "store")
    ]
    spans = [
        a_span(1, type="llm", model="m", metadata={"tools": tools, "k": 1}),
        a_span(2, metadata={"tools": tools}),
    ]
    async with opened_trace_of(*spans) as harness:
        call = await harness.call("get_span_details", span_id="s1", include_metadata=True)
        named = await harness.call("get_span_details", span_id="s1", path="metadata.tools")
        other = await harness.call("get_span_details", span_id="s2", include_metadata=True)
    assert "[2 tools: look, store; schemas: path=metadata.tools]" in call
    assert "properties" not in call
    assert "properties" in named
    assert "properties" in other


async def test_a_model_call_without_a_limit_names_the_one_of_the_nearest_span_around_it() -> None:
    spans = [
        a_span(1, name="desk", input={"max_tokens": 900}),
        a_span(2, 1, name="write", input={"max_tokens": 160, "of": "letter"}),
        a_span(3, 2, type="llm", model="m", input={"messages": [{"role": "user", "content": "x"}]}),
        a_span(4, 2, type="llm", model="m", input={"messages": [], "max_tokens": 50}),
    ]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("get_span_details", span_id="s3", view="model_call")
        own = await harness.call("get_span_details", span_id="s4", view="model_call")
    assert "around it: s2 write was given a limit of 160 tokens" in text
    assert "around it" not in own


async def test_a_reply_whose_words_refuse_is_marked_in_a_model_call() -> None:
    texts = ["I'm sorry, but I can't help with that request.", "The lid is in the left drawer."]
    spans = [
        a_span(n, type="llm", model="m", output={"role": "assistant", "content": text})
        for n, text in enumerate(texts, 1)
    ]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("get_span_details", span_id="s1, s2", view="model_call")
    assert f"text (reads as a refusal): {texts[0]}" in text
    assert f"text: {texts[1]}" in text
