"""Recorded answers: each quirk keeps its meaning, however the network cuts the bytes."""

import re
from itertools import pairwise

import httpx
import respx
from hypothesis import given
from hypothesis import strategies as st

from app.chat.frames import Frame, FrameDecoder, UnreadableLine
from testkit.case_tables import each_case
from tests.chat.proxy import OUR_ID, ModelProbe, replayed
from tests.chat.recordings import FOLDER, OTHERS, REPLIES, Meaning, body

ALL = sorted({*REPLIES, *OTHERS})


def decoded(*chunks: bytes) -> tuple[list[Frame | UnreadableLine], bool, bool]:
    decoder = FrameDecoder()
    frames = [frame for chunk in chunks for frame in decoder.feed(chunk)]
    return frames + decoder.finish(), decoder.done, decoder.bare


async def meaning(http: httpx.AsyncClient, model: str = "gpt-4.1") -> Meaning:
    probe = ModelProbe(http, model=model)
    reply = await probe.reply()
    assert "".join(probe.shown) == reply.text
    calls = tuple((call.name, call.arguments, call.provider_id) for call in reply.calls)
    ids = {call.id for call in reply.calls if re.fullmatch(OUR_ID, call.id)}
    assert len(ids) == len(calls)
    return Meaning(reply.text, calls, reply.usage, reply.finish, reply.complete)


def test_every_recording_is_replayed_and_names_its_quirk() -> None:
    names = sorted(path.name for path in FOLDER.iterdir() if not path.name.startswith("."))
    assert names == ALL
    for name in names:
        first_line = (FOLDER / name).read_bytes().partition(b"\n")[0].decode()
        assert first_line.startswith(": keeps: ")
        assert "; made from: " in first_line


@each_case("name", REPLIES)
async def test_a_recorded_answer_is_read_as_what_it_means(
    name: str, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    calls_before = proxy.call_count
    proxy.mock(return_value=replayed(name))
    assert await meaning(http) == REPLIES[name]
    assert proxy.call_count == calls_before + 1


@each_case("name", ALL)
def test_a_recording_cut_at_any_byte_gives_the_same_frames(name: str) -> None:
    data = body(name)
    expected = decoded(data)
    for at in range(1, len(data)):
        assert decoded(data[:at], data[at:]) == expected, at


@each_case("name", ALL)
def test_a_recording_that_comes_byte_by_byte_gives_the_same_frames(name: str) -> None:
    data = body(name)
    assert decoded(*(data[at : at + 1] for at in range(len(data)))) == decoded(data)


@each_case("name", REPLIES)
async def test_a_recorded_answer_in_two_chunks_means_the_same(
    name: str, http: httpx.AsyncClient, proxy: respx.Route
) -> None:
    data = body(name)
    for at in range(1, len(data), max(1, len(data) // 12)):
        proxy.mock(return_value=replayed(name, chunks=[data[:at], data[at:]]))
        assert await meaning(http) == REPLIES[name], at


@given(st.lists(st.integers(min_value=0, max_value=5_000)), st.sampled_from(ALL))
def test_a_recording_in_arbitrary_chunks_gives_the_same_frames(cuts: list[int], name: str) -> None:
    data = body(name)
    edges = [0, *sorted(cuts), len(data)]
    chunks = [data[start:end] for start, end in pairwise(edges)]
    assert decoded(*chunks) == decoded(data)


@given(st.binary(), st.binary())
def test_bytes_of_any_kind_become_frames_or_unreadable_lines(first: bytes, second: bytes) -> None:
    assert decoded(first, second) == decoded(first + second)
