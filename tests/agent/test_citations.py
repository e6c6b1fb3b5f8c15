"""Aliases and citations."""

from hypothesis import given
from hypothesis import strategies as st

from app.agent.citations import Aliases, CitationStream, find_citation_labels
from app.citation_tokens import Citation, split_citations
from app.events import TraceAlias

ID = "0199dead-0000-7000-8000-00000000000{}"
IDS = [ID.format(number) for number in range(3)]
OTHERS = [
    TraceAlias(id=f"0199beef-0000-7000-8000-00000000000{number}", label=f"run {number}")
    for number in range(2)
]
PIECES = [
    "[t1]",
    "[t2, s1]",
    "[t7]",
    "[t",
    "[s1]",
    "[s2, s3]",
    "[s9]",
    "[s1",
    "s1",
    "]",
    "[",
    "[s1](x)",
    "[[s2]]",
    " and ",
    "[sales]",
    f"⟦span:{IDS[0]}⟧",
    f"⟦span:{IDS[2]}",
    f"⟦trace:{OTHERS[1].id}⟧",
    f"⟦trace:{IDS[0]}⟧",
    "⟦",
    "⟦sp",
    "an:",
    f"{IDS[0]}⟧",
    "⟧",
]


NAMES = {IDS[0]: "plan", IDS[1]: ""}


def find_name(kind: str, id: str) -> str | None:
    labels = {each.id: each.label for each in OTHERS}
    return NAMES.get(id) if kind == "span" else labels.get(id)


def streamed(pieces: list[str]) -> list[str | Citation]:
    """The parts that a stream gives, neighbouring texts joined."""
    stream = CitationStream(Aliases(IDS, traces=OTHERS), NAMES.get)
    parts = [part for piece in pieces for part in stream.feed(piece)]
    joined: list[str | Citation] = []
    for part in [*parts, *stream.end()]:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return joined


def test_a_citation_becomes_the_id_of_its_span_and_back() -> None:
    aliases = Aliases(IDS)
    text = aliases.to_tokens("It is [s1], see [s2, s3] and [s3; s1].")
    assert text == (
        f"It is ⟦span:{IDS[0]}⟧, see ⟦span:{IDS[1]}⟧, ⟦span:{IDS[2]}⟧"
        f" and ⟦span:{IDS[2]}⟧, ⟦span:{IDS[0]}⟧."
    )
    assert aliases.to_aliases(text) == "It is [s1], see [s2], [s3] and [s3], [s1]."


def test_an_alias_that_was_never_given_is_dropped() -> None:
    assert Aliases(IDS).to_tokens("See [s4] and [s0] and [s1, s7].") == (
        f"See  and  and ⟦span:{IDS[0]}⟧."
    )


def test_other_brackets_pass_unchanged() -> None:
    text = "a[s] [sales] [S1] [ s 1] s1 [s1234567] [x](y) [s1-2]"
    assert streamed([text]) == [text]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=12), st.data())
def test_any_split_gives_the_same_parts(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    stored = Aliases(IDS, traces=OTHERS).to_tokens(text)
    parts_of_stored = list(split_citations(stored, find_name))
    assert streamed(pieces) == streamed([text]) == parts_of_stored


def test_other_traces_are_cited_beside_spans_and_neither_takes_the_others_name() -> None:
    aliases = Aliases(IDS, traces=OTHERS[:1])
    assert aliases.name_trace(OTHERS[1].id, "run 1") == "t2"
    assert aliases.name_trace(OTHERS[0].id, "of no account: it has its label") == "t1"
    text = aliases.to_tokens("Since [t2], unlike [t1 and s2], [t3] and [s4].")
    assert text == (
        f"Since ⟦trace:{OTHERS[1].id}⟧, unlike ⟦trace:{OTHERS[0].id}⟧, ⟦span:{IDS[1]}⟧,  and ."
    )
    assert aliases.to_aliases(text) == "Since [t2], unlike [t1], [s2],  and ."
    assert aliases.take_new_traces() == (OTHERS[1],)
    assert (aliases.take_new_traces(), aliases.take_new_spans()) == ((), ())
    assert (aliases.trace_id("s1"), aliases.span_id("t1")) == (None, None)
    assert find_citation_labels(text, span=lambda _: None, trace=aliases.trace_label) == {
        each.id: each.label for each in OTHERS
    }


def test_what_cannot_become_a_citation_is_shown_at_once() -> None:
    stream = CitationStream(Aliases(IDS), NAMES.get)
    assert stream.feed("Hello [sal") == ("Hello [sal",)
    assert stream.feed("x [s1") == ("x ",)
    assert stream.feed("]!") == (Citation("span", IDS[0], "plan"), "!")
    assert stream.feed("x ⟦spam") == ("x ⟦spam",)
    assert stream.feed(f"x ⟦span:{IDS[2]}") == ("x ",)
    assert stream.feed("⟧!") == (Citation("span", IDS[2], None), "!")


def test_an_endless_bracket_is_not_held_for_ever() -> None:
    for beginning, rest in (("[", "s1, "), ("⟦span:", "0")):
        stream = CitationStream(Aliases(IDS), NAMES.get)
        shown = [*stream.feed(beginning)]
        for _ in range(1_000):
            shown += stream.feed(rest)
        assert len(beginning + 1_000 * rest) - sum(map(len, shown)) <= 120


def test_aliases_are_given_in_order_and_only_new_ones_are_taken() -> None:
    aliases = Aliases(IDS[:1])
    assert [aliases.name_span(span_id) for span_id in (IDS[2], IDS[0], IDS[1])] == [
        "s2",
        "s1",
        "s3",
    ]
    assert aliases.take_new_spans() == (IDS[2], IDS[1])
    assert aliases.take_new_spans() == ()
    assert aliases.span_id("s2") == IDS[2]
    assert aliases.span_id("s4") is None
    assert aliases.span_id("t1") is None


def test_the_cited_spans_are_named_where_they_are_known() -> None:
    text = f"⟦span:{IDS[0]}⟧ and ⟦span:{IDS[1]}⟧"
    names = {IDS[0]: "plan"}
    assert find_citation_labels(text, span=names.get, trace=names.get) == {IDS[0]: "plan"}
