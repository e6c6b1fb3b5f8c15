"""Tool requests in the text of a reply: found in their own place, never shown, however split."""

import json

from hypothesis import given
from hypothesis import strategies as st

from app.chat.text_tool_parser import TextToolParser
from testkit.case_tables import each_case

TAG = "call-5f1c09aa27e4b3d8"
LOOK = f'<{TAG}>\n{{"name": "look", "arguments": {{"id": "s1"}}}}\n</{TAG}>'
WAIT = f'<{TAG}>{{"name": "wait"}}</{TAG}>'
FOUND = [("look", {"id": "s1"})]


def read(*pieces: str) -> tuple[str, list[tuple[str, object]], str]:
    reader = TextToolParser(TAG)
    shown = "".join([*map(reader.feed, pieces), reader.end()])
    return shown, [(name, json.loads(text)) for name, text in reader.calls], reader.fault


@each_case(
    "text, shown, names",
    [
        ("Just text.\n", "Just text.\n", []),
        (LOOK, "", ["look"]),
        (f"Let me look.\n\n{LOOK}\n", "Let me look.", ["look"]),
        (f"Let me look. {LOOK}", "Let me look.", ["look"]),
        (f"{LOOK}\n{WAIT}", "", ["look", "wait"]),
        (f"Both:\n{LOOK}{WAIT}  \n", "Both:", ["look", "wait"]),
        (f'<{TAG}>[{{"name": "a"}}, {{"name": "b"}}]</{TAG}>', "", ["a", "b"]),
        (f'<{TAG}>{{"name": "a"}}\n{{"name": "b"}}</{TAG}>', "", ["a", "b"]),
        (f'<{TAG}>{{"name": "a"}}<{TAG}>{{"name": "b"}}</{TAG}>', "", ["a", "b"]),
        (f'<{TAG}>```json\n{{"name": "a"}}\n```</{TAG}>', "", ["a"]),
        (f'<{TAG}>{{"name": "a"}}</call>', "", ["a"]),
        (f'<{TAG}>{{"name": "a"}}', "", ["a"]),
        (f'<{TAG}>{{"name": "a"}}</{TAG[:-3]}', "", ["a"]),
        (f"```\ncode\n```\n{LOOK}", "```\ncode\n```", ["look"]),
        (f"Use `x` and `y`: {LOOK}", "Use `x` and `y`:", ["look"]),
        ("a < b <call <<call-5f1c", "a < b <call <<call-5f1c", []),
    ],
)
def test_requests_are_calls_and_the_rest_is_shown(text: str, shown: str, names: list[str]) -> None:
    found = read(text)
    assert (found[0], [name for name, _ in found[1]], found[2]) == (shown, names, "")


@each_case(
    "text",
    [
        f"Ask like this:\n```\n{LOOK}\n```\nDone.",
        f"Ask like this:\n~~~~ xml\n~~~\n{LOOK}\n~~~~\n",
        f"1. ```json\n{LOOK}\n```",
        f"It is `{WAIT}` in code.",
        f"> {WAIT}\n",
        f"    {WAIT}\n",
        f"\t{WAIT}\n",
        LOOK.replace(TAG, "call"),
        LOOK.replace(TAG, "call-0000000000000000"),
        LOOK.replace("5f1c09aa27e4b3d8", "5f1c09aa-27e4b3d8"),
        f"&lt;{TAG}&gt;",
    ],
)
def test_a_quoted_request_is_text_and_not_a_call(text: str) -> None:
    assert read(text) == (text, [], "")


@each_case(
    "inside, fault",
    [
        ("look at it", "not JSON"),
        ("", "not JSON"),
        ('{"name": "a", "arguments": {"x": NaN}}', "not JSON"),
        ("[" * 5_000, "not JSON"),
        ('"a"', "not JSON"),
        ("{}", "name"),
        ('{"name": "a b"}', "name"),
        ('{"name": 1}', "name"),
        ('{"name": "a", "arguments": [1]}', "arguments"),
        ('{"name": "a", "arguments": "{"}', "not JSON"),
    ],
)
def test_a_request_that_cannot_be_read_is_a_fault_and_still_not_shown(
    inside: str, fault: str
) -> None:
    shown, calls, found_fault = read(f"Let me look. {WAIT}<{TAG}>{inside}</{TAG}>")
    assert (shown, calls) == ("Let me look.", [])
    assert fault in found_fault


def test_a_request_that_breaks_off_is_a_fault() -> None:
    assert read(f'Look.\n<{TAG}>{{"name": "a", "argu')[1:] == ([], "it breaks off before its end.")


def test_what_follows_a_request_is_made_up_and_dropped() -> None:
    assert read(f"Look.\n{LOOK}\nThe result is 7.\n{WAIT}")[:2] == ("Look.", FOUND)


@each_case(
    "arguments, meant",
    [
        ('"{\\"id\\": \\"s1\\"}"', {"id": "s1"}),
        ("null", {}),
        ('{"text": "two\nlines"}', {"text": "two\nlines"}),
        ('{"text": "</div> <b> ```"}', {"text": "</div> <b> ```"}),
        ('{"text": "half \\ud83d"}', {"text": "half \ufffd"}),
    ],
)
def test_arguments_are_read_as_they_are_meant(arguments: str, meant: object) -> None:
    assert read(f'<{TAG}>{{"name": "a", "arguments": {arguments}}}</{TAG}>')[1] == [("a", meant)]


_parts = st.one_of(
    st.sampled_from(
        [LOOK, WAIT, f"<{TAG}>", f"</{TAG}>", "<call-", "<", "`", "```\n", "~~~\n", "\n", "> ", " "]
    ),
    st.text(max_size=8),
)


@given(st.lists(_parts, max_size=8).map("".join), st.lists(st.integers(0, 200)))
def test_any_split_gives_the_same_result(text: str, cuts: list[int]) -> None:
    points = sorted({min(cut, len(text)) for cut in cuts})
    pieces = [text[a:b] for a, b in zip([0, *points], [*points, len(text)], strict=True)]
    assert read(*pieces) == read(text) == read(*text)


@given(st.lists(_parts, max_size=6).map("".join))
def test_what_is_shown_is_the_beginning_of_the_reply_and_grows_only(text: str) -> None:
    reader = TextToolParser(TAG)
    shown = ""
    for character in text:
        shown += reader.feed(character)
        assert text.startswith(shown)
    assert text.startswith(shown + reader.end())
