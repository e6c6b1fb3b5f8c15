"""Bytes to frames: what the recordings cannot show."""

from app.chat.frames import FRAME_BYTES, FrameDecoder, UnreadableLine
from testkit.case_tables import each_case


def test_a_frame_over_the_limit_is_reported_once_and_the_next_is_read() -> None:
    decoder = FrameDecoder(limit=10)
    found = decoder.feed(b'{"a":1}\n{"long":1')
    found += decoder.feed(b"23456")
    found += decoder.feed(b'78}\n{"b":2}\n')
    assert found == [
        {"a": 1},
        UnreadableLine('{"long":1' + "23456", too_long=True),
        {"b": 2},
    ]


def test_of_a_huge_frame_only_the_beginning_is_reported() -> None:
    decoder = FrameDecoder()
    found = [item for _ in range(10) for item in decoder.feed(b"x" * FRAME_BYTES)]
    assert len(found) == 1
    assert isinstance(found[0], UnreadableLine)
    assert len(found[0].text) < 1_000


def test_a_frame_of_exactly_the_limit_is_read() -> None:
    assert FrameDecoder(limit=7).feed(b'{"a":1}\n') == [{"a": 1}]


def test_nothing_is_read_after_the_end_mark() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(b'data: [DONE]\n\ndata: {"a":1}\n{"b"') == []
    assert decoder.finish() == []
    assert decoder.done


def test_a_last_line_without_a_break_is_a_frame() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(b'data: {"a":1}') == []
    assert decoder.finish() == [{"a": 1}]


@each_case(
    "data, bare",
    [
        (b'{"a":1}\r\n', True),
        (b'data: {"a":1}\n', False),
        (b'{"a":1}\ndata: {"a":1}\n', False),
        (b"garbage\n", False),
        (b"", False),
    ],
)
def test_bare_frames_are_distinguished_from_frames_of_an_event_stream(
    data: bytes, bare: bool
) -> None:
    decoder = FrameDecoder()
    decoder.feed(data)
    assert decoder.bare is bare


@each_case(
    "line",
    [
        b"<!DOCTYPE html>",
        b"data: hello",
        b"[1]",
        b"null",
        b"data: 7",
        b"{",
        b"[" * 200_000,
        b"1" * 5_000,
    ],
)
def test_a_line_that_is_no_json_object_is_reported_with_its_beginning(line: bytes) -> None:
    found = FrameDecoder().feed(line + b"\n")
    assert found == [UnreadableLine(line.removeprefix(b"data: ")[:400].decode())]


def test_a_byte_order_mark_is_skipped() -> None:
    assert FrameDecoder().feed(b'\xef\xbb\xbfdata: {"a":1}\n') == [{"a": 1}]


def test_bytes_that_are_not_utf8_become_replacement_characters() -> None:
    assert FrameDecoder().feed(b'{"a":"\xff"}\n') == [{"a": "\ufffd"}]


def test_line_separators_inside_a_text_do_not_end_a_line() -> None:
    data = '{"a":"\u2028\u0085"}\n'.encode()
    assert FrameDecoder().feed(data) == [{"a": "\u2028\u0085"}]


def test_a_long_line_after_the_end_mark_is_nothing() -> None:
    assert FrameDecoder(limit=8).feed(b"[DONE]\n0123456789") == []


@each_case("end", [b"\n", b"\r\n"])
def test_a_frame_over_several_data_lines_of_one_event_is_read(end: bytes) -> None:
    lines = [
        *(b"id: 1", b'data: {"id": "c", "choices": [', b'data: {"index": 0}', b"data:  ]}", b""),
        *(b'data: {"choices": []}', b"", b'data: {"a":', b"event: x", b"data: 1}", b"", b"data:"),
        *(b'data: {"a":', b"data: 2}", b"data: [DONE]", b""),
    ]
    data = end.join(lines)
    frames = [{"id": "c", "choices": [{"index": 0}]}, {"choices": []}, {"a": 1}, {"a": 2}]
    for size in range(1, len(data) + 1):
        decoder = FrameDecoder()
        found = [
            each for at in range(0, len(data), size) for each in decoder.feed(data[at : at + size])
        ]
        assert found == frames, size
        assert decoder.done


def test_a_broken_frame_takes_none_of_those_behind_it_away() -> None:
    decoder = FrameDecoder()
    whole = {"choices": [1]}
    assert decoder.feed(b'data: {"choices": [\ndata: {"choices": [1]}\n') == [
        UnreadableLine('{"choices": ['),
        whole,
    ]
    assert decoder.feed(b'data: {"a\n\ndata: {"b":1}\n') == [UnreadableLine('{"a'), {"b": 1}]
    assert decoder.feed(b'data: {"a\ndata: {"b":1}\ndata: x\n{"c":1}\n') == [
        UnreadableLine('{"a'),
        {"b": 1},
        UnreadableLine("x"),
        {"c": 1},
    ]


def test_an_event_that_the_end_of_the_stream_cuts_is_read_as_far_as_it_goes() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(b'data: {"a":\ndata: 1}') == []
    assert decoder.finish() == [{"a": 1}]
    assert decoder.feed(b'data: {"a":\n') == []
    assert decoder.finish() == [UnreadableLine('{"a":')]


def test_an_endless_event_is_not_kept() -> None:
    decoder = FrameDecoder(limit=20)
    found = [item for _ in range(10) for item in decoder.feed(b'data: {"a": "x\n')]
    assert len(found) >= 8
    decoder = FrameDecoder()
    assert len(decoder.feed(b"data: {\n" * 5_000)) >= 3_000
