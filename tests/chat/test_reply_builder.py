"""Frames to one reply: limits, ends and odd values."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat import reply_builder as reply_module
from app.chat.reply_builder import ReplyBuilder
from app.messages import Reply, TokenUsage
from testkit.case_tables import each_case
from tests.chat.proxy import finish_frame, text_frame
from tests.chat.recordings import numbered


def builder(*frames: dict[str, Any], limit: int = 10_000) -> ReplyBuilder:
    built = ReplyBuilder(numbered(), limit=limit)
    for frame in frames:
        built.add_frame(frame)
    return built


def reply(*frames: dict[str, Any], limit: int = 10_000) -> Reply:
    return builder(*frames, limit=limit).build(complete=True, model="asked")


def calls_frame(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"tool_calls": list(calls)}}]}


def call(**function: Any) -> dict[str, Any]:
    return {"index": 0, "id": "a", "function": function}


def test_a_text_over_the_limit_is_cut_at_a_character_and_marked_incomplete() -> None:
    built = builder(text_frame("abé😀def"), limit=7)
    assert built.full
    assert built.add_frame(text_frame("more")) == ""
    built_reply = built.build(complete=True, model="asked")
    assert built_reply.text == "abé"
    assert not built_reply.complete


def test_a_text_of_exactly_the_limit_is_whole() -> None:
    assert reply(text_frame("abc"), text_frame("de"), limit=5) == Reply("abcde", model="asked")


def test_arguments_count_towards_the_limit() -> None:
    built = builder(calls_frame(call(name="get_span", arguments="x" * 10_000)), limit=1_000)
    built_reply = built.build(complete=True, model="")
    assert built.full
    assert not built_reply.complete
    assert len(built_reply.calls[0].arguments) < 1_000


def test_endless_empty_calls_reach_the_limit() -> None:
    built = builder(*(calls_frame({"index": n, "id": f"{n}"}) for n in range(100)), limit=5_000)
    assert built.full


def test_a_half_character_is_held_back_until_its_other_half_comes() -> None:
    built = ReplyBuilder(numbered(), limit=100)
    assert built.add_frame(text_frame("a\ud83d")) == "a"
    assert built.add_frame(text_frame("")) == ""
    assert built.add_frame(text_frame("\ude00b")) == "😀b"
    assert built.end_text() == ""


def test_a_half_character_that_stays_alone_is_given_at_the_end() -> None:
    built = builder(text_frame("\ud83d"))
    assert not built.empty
    assert built.end_text() == "\ufffd"
    assert built.build(complete=True, model="").text == "\ufffd"


def test_halves_inside_arguments_are_joined_too() -> None:
    pieces = (call(name="say", arguments='{"t":"\ud83d'), call(arguments='\ude00\ud83d"}'))
    built_reply = reply(*(calls_frame(piece) for piece in pieces))
    assert built_reply.calls[0].arguments == '{"t":"😀\ufffd"}'


@given(st.text(st.sampled_from("aé😀\ud83d\ude00\udbff\udc00")), st.lists(st.integers(0, 100)))
def test_the_pieces_join_to_the_text_whatever_its_characters(text: str, cuts: list[int]) -> None:
    built = ReplyBuilder(numbered(), limit=10_000)
    edges = [0, *sorted(cut for cut in cuts if cut <= len(text)), len(text)]
    shown = [built.add_frame(text_frame(text[start:end])) for start, end in pairwise(edges)]
    shown.append(built.end_text())
    whole = built.build(complete=True, model="").text
    assert "".join(shown) == whole
    assert (
        whole.encode()
        == text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
    )


def test_a_call_that_never_gets_a_name_is_no_call() -> None:
    assert reply(calls_frame({"index": 0, "function": {"arguments": "{}"}})).calls == ()


def test_a_name_that_comes_after_the_id_names_the_call() -> None:
    built_reply = reply(
        calls_frame({"index": 0, "id": "a"}), calls_frame(call(name="one", arguments="{}"))
    )
    assert [(c.name, c.arguments, c.provider_id) for c in built_reply.calls] == [("one", "{}", "a")]


def test_pieces_with_an_unannounced_index_continue_the_last_call() -> None:
    built_reply = reply(
        calls_frame({"id": "a", "function": {"name": "one", "arguments": '{"x"'}}),
        calls_frame({"index": 0, "function": {"arguments": ":1}"}}),
    )
    assert [c.arguments for c in built_reply.calls] == ['{"x":1}']


@each_case(
    "word, finish",
    [
        ("stop", "stop"),
        ("end_turn", "stop"),
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("length", "length"),
        ("tool_use", "tool_calls"),
        ("content_filter", "content_filter"),
        ("something new", "unknown"),
    ],
)
def test_finish_reasons_of_many_providers_are_known(word: str, finish: str) -> None:
    built = builder(finish_frame(word))
    assert built.ended
    assert built.build(complete=True, model="").finish == finish


@each_case("reason", [None, "", "error", 7])
def test_no_reason_and_an_error_do_not_end_a_reply(reason: Any) -> None:
    assert not builder(finish_frame(reason)).ended


def test_usage_ends_a_reply_only_where_no_text_follows() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 3}}
    assert builder(usage).ended
    assert not builder(usage, text_frame("more")).ended


@each_case("usage", [None, {}, [], "many"])
def test_empty_usage_does_not_end_the_reply(usage: Any) -> None:
    built = builder({"choices": [], "usage": usage})
    assert not built.ended
    assert built.build(complete=True, model="").usage is None


def test_counts_that_are_no_numbers_are_zero() -> None:
    counts = {"prompt_tokens": "9", "completion_tokens": True, "prompt_tokens_details": None}
    nested = {"completion_tokens_details": {"reasoning_tokens": float("inf")}, "total_tokens": 3.0}
    assert reply({"usage": counts | nested}).usage == TokenUsage()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "choices",
                        "delta",
                        "message",
                        "content",
                        "tool_calls",
                        "function",
                        "index",
                        "id",
                        "name",
                        "arguments",
                        "usage",
                        "model",
                        "finish_reason",
                        "refusal",
                        "text",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=25,
    )
)
def test_frames_of_any_shape_are_read_without_an_error(value: Any) -> None:
    frames = ({"choices": value, "usage": value, "model": value}, {"choices": [{"delta": value}]})
    whole = reply(*frames, {"choices": [{"delta": {"tool_calls": [value]}, "message": value}]})
    assert isinstance(whole.text, str)


def test_the_model_is_that_of_a_frame_or_else_of_the_request() -> None:
    assert reply({"model": "gpt-4.1-2025", "choices": []}).model == "gpt-4.1-2025"
    assert reply(text_frame("a")).model == "asked"


def test_calls_without_ids_in_one_frame_are_kept_apart_even_without_arguments() -> None:
    one = {"index": 0, "function": {"name": "one", "arguments": ""}}
    assert [c.name for c in reply(calls_frame(one, one)).calls] == ["one", "one"]


def test_a_name_after_closed_arguments_begins_another_call() -> None:
    one = {"index": 0, "function": {"name": "one", "arguments": "{}"}}
    assert [c.arguments for c in reply(calls_frame(one), calls_frame(one)).calls] == ["{}", "{}"]


def test_a_name_after_open_arguments_continues_the_call() -> None:
    pieces = ({"index": 0, "function": {"name": "one", "arguments": text}} for text in ("{", "}"))
    built_reply = reply(*(calls_frame(piece) for piece in pieces))
    assert [c.arguments for c in built_reply.calls] == ["{}"]


@each_case("blank", ["", " \n"])
def test_a_name_after_closed_arguments_and_blanks_begins_another_call(blank: str) -> None:
    pieces = [{"name": "x", "arguments": "{}"}, {"arguments": blank}, {"name": "x"}]
    built_reply = reply(*(calls_frame({"index": 0, "function": each}) for each in pieces))
    assert [each.arguments for each in built_reply.calls] == ["{}" + blank, ""]


def test_arguments_in_many_named_pieces_are_read_where_they_may_be_closed_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []
    monkeypatch.setattr(reply_module, "parse_json_object", read.append)
    pieces = ['{"a": "', *["word"] * 500, '}"', "}"]
    built_reply = reply(*(calls_frame(call(name="x", arguments=each)) for each in pieces))
    assert built_reply.calls[0].arguments == "".join(pieces)
    assert read == []


def test_no_half_character_is_left_over_beyond_the_limit() -> None:
    assert reply(text_frame("abcdef\ud83d"), limit=3).text == "abc"


def both_frame(new: str, so_far: str, finish: str | None = None) -> dict[str, Any]:
    message = {"role": "assistant", "content": so_far}
    choice = {"index": 0, "delta": {"content": new}, "message": message, "finish_reason": finish}
    return {"choices": [choice]}


@each_case(
    "last",
    [
        both_frame("", "The key is old.", "stop"),
        both_frame("", "The key is old", "stop"),
        {"choices": [{"index": 0, "message": {"content": "The key is old."}}]},
        {"choices": [{"index": 0, "message": {"content": "The key  is old.\n"}, "delta": None}]},
    ],
)
def test_a_message_that_repeats_the_deltas_so_far_is_shown_once(last: dict[str, Any]) -> None:
    frames = [both_frame("The ", "The "), both_frame("key is old.", "The key is old.")]
    assert reply(*frames, last).text == "The key is old."


def test_a_message_that_goes_on_after_the_deltas_adds_its_new_part() -> None:
    message = {"choices": [{"index": 0, "message": {"content": "The key is old [s1]."}}]}
    assert reply(text_frame("The key is old"), message).text == "The key is old [s1]."


def test_messages_that_grow_without_deltas_are_shown_once() -> None:
    texts = ("The ", "The key ", "The key is old.", "The key is old.")
    frames = [{"choices": [{"index": 0, "message": {"content": each}}]} for each in texts]
    assert reply(*frames).text == "The key is old."


@each_case("texts", [("It is ", "old."), ("1", "10"), ("I am: ", "I"), ("Done. ", "Not.")])
def test_messages_that_do_not_grow_are_pieces(texts: tuple[str, ...]) -> None:
    frames = [{"choices": [{"index": 0, "message": {"content": each}}]} for each in texts]
    assert reply(*frames).text == "".join(texts)


def test_blocks_of_one_frame_may_hold_the_same_text() -> None:
    blocks = [{"message": {"content": each}} for each in ("Again. ", "Again. ")]
    assert reply({"choices": blocks}).text == "Again. Again. "


def test_a_message_beside_its_delta_does_not_end_the_reply() -> None:
    assert not builder(both_frame("The ", "The ")).ended
    assert builder(both_frame("The ", "The ", "stop")).ended


def test_calls_that_a_message_repeats_after_the_deltas_are_made_once() -> None:
    one = {"id": "a", "type": "function", "function": {"name": "one", "arguments": "{}"}}
    message = {"choices": [{"index": 0, "message": {"content": None, "tool_calls": [one]}}]}
    unnamed = {"choices": [{"message": {"tool_calls": [one | {"id": ""}]}}]}
    built_reply = reply(calls_frame({"index": 0, **one}), message, unnamed)
    assert [(c.name, c.arguments) for c in built_reply.calls] == [("one", "{}")]


def old_call_frame(**call: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": None, "function_call": call}}]}


@each_case(
    "pieces",
    [
        [{"name": "one", "arguments": ""}, {"arguments": '{"id"'}, {"arguments": ": 1}"}],
        [{"name": "one", "arguments": '{"id": 1}'}],
        [{"name": "one"}, {"name": "one", "arguments": '{"id"'}, {"arguments": ": 1}"}],
        [{"name": "one", "arguments": {"id": 1}}],
    ],
)
def test_a_call_in_the_form_for_a_single_call_is_read(pieces: list[dict[str, Any]]) -> None:
    built_reply = reply(*(old_call_frame(**each) for each in pieces))
    assert [(c.name, c.arguments) for c in built_reply.calls] == [("one", '{"id": 1}')]


@each_case("value", [None, "", [], {}, 7])
def test_an_empty_single_call_is_no_call(value: Any) -> None:
    frame = {"choices": [{"index": 0, "delta": {"content": "Old.", "function_call": value}}]}
    assert reply(frame).calls == ()
    assert reply(frame).text == "Old."


def test_a_call_without_an_inner_function_is_read() -> None:
    built_reply = reply(calls_frame({"id": "a", "name": "one", "arguments": "{}"}))
    assert [(c.name, c.arguments) for c in built_reply.calls] == [("one", "{}")]


def test_a_call_that_stands_alone_in_place_of_a_list_is_read() -> None:
    def frame(name: str | None, arguments: str) -> dict[str, Any]:
        function = {"name": name, "arguments": arguments}
        call = {"index": 0, "id": "", "type": "function", "function": function}
        return {"choices": [{"index": 0, "delta": {"role": "assistant", "tool_calls": call}}]}

    end = {"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "eos_token"}]}
    built_reply = reply(frame("one", ""), frame(None, '{"id"'), frame(None, ": 1}"), end)
    assert [(c.name, c.arguments) for c in built_reply.calls] == [("one", '{"id": 1}')]
    assert built_reply.finish == "stop"


def test_a_text_that_stands_alone_in_place_of_a_list_is_read() -> None:
    part = {"type": "text", "text": "Old."}
    assert reply({"choices": [{"index": 0, "delta": {"content": part}}]}).text == "Old."
    thought = {"type": "thinking", "thinking": "Which?"}
    assert reply({"choices": [{"index": 0, "delta": {"content": thought}}]}).text == ""


def audio_frame(**audio: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": None, "audio": audio}}]}


def test_the_transcript_of_a_spoken_answer_is_its_text() -> None:
    frames = [audio_frame(id="a"), audio_frame(transcript="The key"), audio_frame(data="UklG")]
    assert reply(*frames, audio_frame(transcript=" is old.")).text == "The key is old."
    message = {"content": None, "audio": {"transcript": "Old.", "data": "UklG"}}
    assert reply({"choices": [{"index": 0, "message": message}]}).text == "Old."


def test_a_transcript_beside_text_is_not_shown_as_well() -> None:
    assert reply(text_frame("Old."), audio_frame(transcript="Old.")).text == "Old."
