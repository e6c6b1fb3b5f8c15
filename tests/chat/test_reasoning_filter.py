"""What of a reply's text is for the user, at every split of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat.reasoning_filter import ReasoningFilter
from testkit.case_tables import each_case

TAGS = ("<think>", "</think>", "<|start|>", "<|channel|>", "<|message|>", "<|end|>")
WORDS = ("final", "analysis", "assistant", " to=f.x ", "word ", "```\n", "`", "\n", ".", "<")
PARTS = (*TAGS, *WORDS, "<|im_end|>", "</s>", "<s>", "<answer>", "</answer>", " ")


class Shown:
    """The text that a filter lets through, and how often it took text back."""

    def __init__(self, *, starts_inside: bool = False) -> None:
        self.text = ""
        self.withdrawals = 0
        self.filter = ReasoningFilter(self._withdraw, starts_inside=starts_inside)

    def read(self, *pieces: str) -> str:
        for piece in pieces:
            shown = self.filter.feed(piece)
            self.text += shown
        rest = self.filter.end()
        self.text += rest
        return self.text

    def _withdraw(self) -> None:
        self.text = ""
        self.withdrawals += 1


def in_pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@each_case(
    "text, shown",
    [
        ("<think>Which span?</think>Span two.", "Span two."),
        ("<think>\nWhich span?\n</think>\n\nSpan two.", "Span two."),
        ("<THINK>Which?</THINK>Span two.", "Span two."),
        ("<thinking>Which?</thinking> Span two.", "Span two."),
        ("<think></think>\n\nSpan two.", "Span two."),
        ("[THINK]Which?[/THINK]Span two [s2].", "Span two [s2]."),
        ("◁think▷Which?◁/think▷Span two.", "Span two."),
        ("<|START_THINKING|>Which?<|END_THINKING|>Span two.", "Span two."),
        ("I look. <think>Which?</think>Span two.", "I look. Span two."),
        ("I look.\n<think>\nWhich?\n</think>\nSpan two.", "I look.\n\nSpan two."),
        ("Which span?\n</think>\nSpan two.", "Span two."),
        ("It must be the second one.</think>Span two.", "Span two."),
        ("<think>a</think>b</think>Span two.", "Span two."),
        ("<think>It says `</think>` there.</think>Span two.", "Span two."),
        ("<think>It never ends", ""),
    ],
)
def test_reasoning_between_tags_is_not_shown(text: str, shown: str) -> None:
    for size in range(1, len(text) + 1):
        reader = Shown()
        assert reader.read(*in_pieces(text, size)) == shown, size
        assert reader.filter.found


@each_case(
    "text, shown",
    [
        (
            "<|channel|>analysis<|message|>Which?<|end|><|start|>assistant<|channel|>final"
            "<|message|>Span two.<|return|>",
            "Span two.",
        ),
        ("analysis<|message|>Which?<|end|><|channel|>final<|message|>Span two.", "Span two."),
        ("Which?<|end|><|start|>assistant<|channel|>final<|message|>Span two.", "Span two."),
        ("analysisWe look.assistantfinalSpan two.", "Span two."),
        ("<|channel|>commentary<|message|>I look.<|end|>", ""),
    ],
)
def test_of_harmonys_channels_only_the_final_one_is_shown(text: str, shown: str) -> None:
    for size in range(1, len(text) + 1):
        assert Shown().read(*in_pieces(text, size)) == shown, size


@each_case(
    "text",
    [
        "The prompt opens `<think>` and the reply lacks `</think>`.",
        "```xml\n<think>\nx\n</think>\n```\nThat is what came.",
        "> <think>quoted</think>\n\nSo it says.",
        "    <think>code</think>\n",
        'It writes "<think>" and then "</think>" again.',
        "The reply lacks </think>, which breaks the parser.",
        "The reply ends with </think>.",
        "The tag is: </think>, which breaks the parser.",
        "Tags such as <think>…</think> or <think></think> are left in it.",
        "It opens <think> and goes on",
        "Send <|channel|> first.",
        "analysis of the trace: two spans",
        "analysisResult is null.",
        "final words",
        "a < b, [s1] and <this>",
        "<",
        "",
    ],
)
def test_a_text_that_only_mentions_tags_stays_as_it_is(text: str) -> None:
    for size in range(1, len(text) + 2):
        reader = Shown()
        assert reader.read(*in_pieces(text, size)) == text, size
        assert reader.withdrawals == 0


@each_case(
    "text, shown",
    [
        ("Span two.<|im_end|>", "Span two."),
        ("Span two.\n<|IM_END|>\n", "Span two.\n"),
        ("Span two</s>", "Span two"),
        ("Span two. <|eot_id|>", "Span two. "),
        ("Span two.<end_of_turn>\n<eos>\n\n", "Span two."),
        ("Span two.<｜end▁of▁sentence｜>", "Span two."),
        ("Span two.<|endoftext|><|endoftext|>", "Span two."),
        ("Span two.<|END_OF_TURN_TOKEN|>", "Span two."),
        ("Span two.[|endofturn|]", "Span two."),
        ("```\ncode\n```<|im_end|>", "```\ncode\n```"),
        ("It is `id`.<|im_end|><|return|>", "It is `id`."),
        ("<think>Which?</think>Span two.<|im_end|>", "Span two."),
        ("First<|im_end|>, then <b>two</b>.</s>", "First<|im_end|>, then <b>two</b>."),
        ("<|im_end|>", ""),
    ],
)
def test_tokens_that_end_a_reply_are_taken_off_its_end(text: str, shown: str) -> None:
    for size in range(1, len(text) + 1):
        assert Shown().read(*in_pieces(text, size)) == shown, size


@each_case(
    "text, shown",
    [
        ("<think>Which?</think><answer>Span two.</answer>", "Span two."),
        ("<think>\nWhich?\n</think>\n<answer>\nSpan two.\n</answer>", "Span two.\n"),
        ("<think> Which? </think> <answer> Span two. </answer>", "Span two. "),
        ("<think>Which?</think><Answer>span two</Answer>\n<|im_end|>", "span two"),
        ("<think>Which?</think><answer>\nthe second\n</answer><|eos|>\n", "the second\n"),
        ("Which?\n</think>\n\n<answer>**Span** two", "**Span** two"),
        ("<think>Is it <answer>?</think><answer>It lacks `</answer>`.</answer>",
         "It lacks `</answer>`."),
        ("<think>Which?</think><answer>See:\n```\nx\n```</answer>", "See:\n```\nx\n```"),
        ("<think>Which?</think><answer>See:\n\n</answer>", "See:\n\n"),
        ("<think>Which?</think><response>Span two.</response>", "Span two."),
        ("<|begin_of_thought|>Which?<|end_of_thought|>\n\n<|begin_of_solution|>Span two."
         "<|end_of_solution|>", "Span two."),
        ("<|START_THINKING|>Which?<|END_THINKING|><|START_RESPONSE|>Span two.<|END_RESPONSE|>",
         "Span two."),
        ("<|START_RESPONSE|>Span two.<|END_RESPONSE|>", "Span two."),
        ("\n<|START_RESPONSE|>\n**Span** two.<|END_RESPONSE|><|END_OF_TURN_TOKEN|>",
         "\n**Span** two."),
        ("<|begin_of_solution|>Span two.<|end_of_solution|>", "Span two."),
        ("<think>Which?</think><answer>", ""),
    ],
)  # fmt: skip
def test_tags_around_an_answer_behind_its_reasoning_are_dropped(text: str, shown: str) -> None:
    for size in range(1, len(text) + 1):
        assert Shown().read(*in_pieces(text, size)) == shown, size


@each_case(
    "text",
    [
        "<answer> is the tag that the prompt asks for.",
        "<answer>, then </answer>",
        "<answer></answer> are left.",
        "It replies with <answer>42</answer>",
        "The reply was:\n<answer>\n42\n</answer>",
        "`<answer>` is missing.",
        "```xml\n<answer>42</answer>\n```",
        "> <answer>42</answer>",
        "<|START_RESPONSE|> opens an answer of this model.",
        "An answer begins with <|START_RESPONSE|>",
        "`<|START_RESPONSE|>` is missing.",
        "The tag is </answer>",
        "The end:\n</answer>",
        "<answers>42</answers>",
    ],
)
def test_a_tag_of_answers_that_an_answer_mentions_stays(text: str) -> None:
    for size in range(1, len(text) + 1):
        assert Shown().read(*in_pieces(text, size)) == text, size
        reasoning = "<think>Which?</think>"
        assert Shown().read(*in_pieces(reasoning + text, size)) == text, size


def test_an_answer_between_tags_without_reasoning_stays() -> None:
    assert Shown().read("<answer>\n4", "2\n</answer>") == "<answer>\n42\n</answer>"


def test_text_behind_the_end_of_an_answer_stays() -> None:
    text = "<think>Which?</think><answer>It lacks </answer> at its end.</answer>"
    assert Shown().read(text) == "It lacks </answer> at its end."


@each_case(
    "text",
    [
        "Each turn ends with <|im_end|>, which is missing.",
        "The token is `<|im_end|>`",
        'The token is "<|eot_id|>"',
        "What is missing is <|im_end|>",
        "The price is <s>12</s>",
        "```\nSpan two.<|im_end|>\n```",
        "```\n<|im_end|>",
        "> Span two.<|im_end|>",
        "Span two.<|im_end|>\n\nNothing follows <|im_end|>.",
        "Span two.</s><b>",
        "The reply ends with this token:\n\n<|im_end|>",
        "Span two.<|im_en",
        "a[e~b",
    ],
)
def test_an_end_token_that_is_mentioned_stays(text: str) -> None:
    for size in range(1, len(text) + 1):
        assert Shown().read(*in_pieces(text, size)) == text, size


def test_text_before_a_tag_is_shown_at_once() -> None:
    reader = Shown()
    assert reader.filter.feed("First: ") == "First: "
    assert reader.filter.feed("two <th") == "two "
    assert reader.filter.feed("is>") == "<this>"


def test_reasoning_without_an_opening_tag_is_withdrawn_once_it_ends() -> None:
    reader = Shown()
    reader.text += reader.filter.feed("Let me see. ")
    assert reader.text == "Let me see. "
    assert reader.read("\n</think>", "\n\nSpan two.") == "Span two."
    assert reader.withdrawals == 1
    assert reader.filter.lacks_opening


def test_a_model_that_begins_inside_of_reasoning_shows_none_of_it() -> None:
    reader = Shown(starts_inside=True)
    assert reader.filter.feed("Let me see.") == ""
    assert reader.filter.feed("\n</think>\n\nSpan ") == "Span "
    assert reader.read("two.") == "two."
    assert reader.withdrawals == 0
    assert reader.filter.lacks_opening


def test_a_model_that_does_not_reason_this_time_is_shown_at_the_end() -> None:
    reader = Shown(starts_inside=True)
    assert reader.read("Span ", "two: `</think>` is missing.") == "Span two: `</think>` is missing."
    assert not reader.filter.lacks_opening


@each_case(
    "text, call",
    [
        (
            '<|channel|>commentary to=functions.look <|constrain|>json<|message|>{"id": 1}<|call|>',
            ("functions.look", '{"id": 1}'),
        ),
        (
            "<|channel|>analysis<|message|>Which?<|end|><|start|>assistant to=functions.look"
            '<|channel|>commentary json<|message|>{"id": 1}',
            ("functions.look", '{"id": 1}'),
        ),
    ],
)
def test_calls_in_harmonys_channels_are_found(text: str, call: tuple[str, str]) -> None:
    for size in range(1, len(text) + 1):
        reader = Shown()
        assert reader.read(*in_pieces(text, size)) == "", size
        assert reader.filter.calls == [call]


def test_controls_of_the_reading_direction_are_removed() -> None:
    assert Shown().read("Span\u202e two\u2066", "\u2069.\u200f") == "Span two."


def test_letters_that_are_written_from_the_right_stay() -> None:
    assert Shown().read("שלום ", "مرحبا") == "שלום مرحبا"


@pytest.mark.parametrize("piece", ["<think>", "</think>", "<|channel|>", "<", "`<think>` "])
def test_many_tags_take_no_more_than_linear_time(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    Shown().read(*in_pieces(text, 5_000))


@given(
    st.lists(st.sampled_from(PARTS)),
    st.lists(st.integers(1, 7)),
)
def test_any_split_of_any_text_gives_the_same(parts: list[str], sizes: list[int]) -> None:
    text = "".join(parts)
    pieces, at = [], 0
    for size in sizes:
        pieces.append(text[at : at + size])
        at += size
    whole, split = Shown(), Shown()
    assert split.read(*pieces, text[at:]) == whole.read(text)
    assert split.filter.calls == whole.filter.calls
