"""Coverage-guided fuzzing of what decodes the bytes of strangers.

    python -m tests.fuzzing.decoders -runs=100000

Every input is fed whole and in two pieces; both have to say the same, and neither may raise.
"""

import itertools
import sys

import atheris

with atheris.instrument_imports(include=["app.chat", "app.opik", "app.agent", "app.web"]):
    import httpx

    from app.agent.citations import Aliases, CitationStream
    from app.backend_http import BackendResponse
    from app.chat.frames import FrameDecoder, UnreadableLine
    from app.chat.provider_errors import parse_error_response
    from app.chat.reply_builder import ReplyBuilder
    from app.chat.text_tool_parser import TextToolParser
    from app.opik.records import Span
    from app.opik.responses import parse_page
    from app.web.markdown.allowed_links import AllowedLinks
    from app.web.markdown.filter import MarkdownFilter, make_inert

TAG = "call-0123456789abcdef"
_SPAN = "01990000-0000-7000-8000-000000000001"


def frames(data: bytes, cut: int) -> object:
    """The chat proxy's stream, down to the reply that it builds."""
    decoder = FrameDecoder(limit=4_096)
    number = itertools.count()
    builder = ReplyBuilder(lambda: str(next(number)), limit=10_000)
    shown, unreadable = "", 0
    for item in (*decoder.feed(data[:cut]), *decoder.feed(data[cut:]), *decoder.finish()):
        if isinstance(item, UnreadableLine):
            unreadable += 1
        else:
            shown += builder.add_frame(item)
    shown += builder.end_text()
    reply = builder.build(complete=decoder.done, model="m")
    return shown, reply, unreadable, decoder.done, decoder.bare


def requests(data: bytes, cut: int) -> object:
    """Tool calls written as text."""
    text = data.decode("utf-8", "replace").replace("@", f"<{TAG}>").replace("%", f"</{TAG}>")
    reader = TextToolParser(TAG)
    shown = reader.feed(text[:cut]) + reader.feed(text[cut:]) + reader.end()
    return shown, reader.calls, reader.fault


def page(data: bytes, cut: int) -> object:
    """A page of spans as the backend streams it; it comes whole, so that `cut` changes nothing."""
    answer = BackendResponse(
        200, httpx.Headers(), data, "whole" if data[:1] < b"\x80" else "broken"
    )
    found = parse_page(Span, answer, frozenset({"input"}))
    return found.records, found.cursor, found.broken, len(found.found), cut < 0


def refused(data: bytes, cut: int) -> object:
    """The body of an error."""
    return parse_error_response(400 + len(data) % 200, data), cut < 0


def shown(data: bytes, cut: int) -> object:
    """A model's text on its way to the panel: citations, then Markdown."""
    text = data.decode("utf-8", "replace")
    aliases = Aliases([_SPAN])
    citations = CitationStream(aliases, lambda _: "plan")
    parts = [citations.feed(text[:cut]), citations.feed(text[cut:]), citations.end()]
    links = AllowedLinks("https://opik.example")
    markdown = MarkdownFilter(links)
    inside = "".join(map(markdown.feed, parts)) + markdown.end()
    assert inside == make_inert(aliases.to_tokens(text), links, {_SPAN: "plan"})
    return inside


TARGETS = (frames, requests, page, refused, shown)


def one_input(data: bytes) -> None:
    """The first byte chooses the target, the second the place of the cut."""
    if len(data) < 2:
        return
    target, rest = TARGETS[data[0] % len(TARGETS)], data[2:]
    assert target(rest, data[1] % (len(rest) + 1)) == target(rest, len(rest))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
