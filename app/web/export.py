"""A branch of a conversation as a file: Markdown to read, JSON for programs.

The Markdown is filtered once more as a whole: a text that is harmless by itself could become part
of code that another text left open, or end it.
"""

import re
from collections.abc import Iterator
from urllib.parse import quote

from app.conversation.summary import ConversationSummary
from app.conversation.titles import clean_title
from app.events import Transcript, TurnStarted
from app.web.conversation_json import describe_conversation
from app.web.history_response import render_history
from app.web.markdown.allowed_links import AllowedLinks, find_urls
from app.web.markdown.filter import make_inert
from app.web.markdown.open_code import close_code
from app.web.markdown.ui_urls import TurnLinks, UiLinks
from app.web.panel import PanelFrame

FILE_NAME_CHARACTERS = 60
_LINE_CHARACTERS = 300
"""The most of a title, and of the line of a tool call; both are shorter but for hostile names."""
_SPECIAL = re.compile(r"[\\*_\[\]{}<>#|~!&]")


def build_disposition(summary: ConversationSummary, extension: str) -> str:
    """The header that makes a browser save the file under the words of the title (RFC 6266)."""
    words = re.sub(r"[\W_]+", "-", summary.title.lower())[:FILE_NAME_CHARACTERS].strip("-")
    if words.isascii() and words:
        return f'attachment; filename="{words}.{extension}"'
    plain = f'attachment; filename="conversation-{summary.id}.{extension}"'
    return f"{plain}; filename*=UTF-8''{quote(words)}.{extension}" if words else plain


def export_json(summary: ConversationSummary, transcript: Transcript, ui: UiLinks) -> PanelFrame:
    """The conversation as in the list, its trace, and its messages as in the history.

    `complete` is False where earlier questions are left out.
    """
    links = TurnLinks(ui, workspace=transcript.workspace, trace_id=transcript.trace_id)
    return {
        **describe_conversation(summary),
        "trace_id": transcript.trace_id,
        "workspace": transcript.workspace,
        "complete": transcript.earlier is None,
        "messages": _render_messages(transcript, links),
    }


def export_markdown(summary: ConversationSummary, transcript: Transcript, ui: UiLinks) -> str:
    """Headings for questions and answers, below them their texts and lists of tool calls."""
    turn_links = TurnLinks(ui, workspace=transcript.workspace, trace_id=transcript.trace_id)
    messages = _render_messages(transcript, turn_links)
    links = turn_links.links
    trace = links.format_link("trace", transcript.trace_id, "trace") or "trace"
    begun = f"{summary.created_at:%Y-%m-%d %H:%M} UTC"
    head = [
        f"# {_escape_line(summary.title)}",
        f"About the {trace} `{transcript.trace_id}`, begun {begun}.",
    ]
    if transcript.earlier is not None:
        head.append("Earlier questions are left out: the conversation is too long for one file.")
    allowed = AllowedLinks(links.ui_base, links.span_url, links.trace_url, _find_urls(transcript))
    return make_inert("\n\n".join([*head, *_format_messages(messages)]) + "\n", allowed, {})


def _render_messages(transcript: Transcript, links: TurnLinks) -> list[PanelFrame]:
    """The messages of the history, made safe for readers that render all of them as Markdown."""
    messages = render_history(transcript, links)
    for row in (row for message in messages for row in message.get("toolCalls", [])):
        row["display_name"] = make_inert(row["display_name"], AllowedLinks(), {})
    return messages


def _format_messages(messages: list[PanelFrame]) -> Iterator[str]:
    role = ""
    for message in messages:
        if message["role"] == "user":
            yield "## Question"
        elif role != "assistant":
            yield "## Answer"
        role = message["role"]
        if message["content"] and "toolCalls" not in message:
            yield close_code(message["content"])
        if rows := message.get("toolCalls"):
            names = (_escape_line(row["display_name"]) for row in rows)
            yield "\n".join(["Tool calls:", "", *(f"- {name}" for name in names)])


def _escape_line(text: str) -> str:
    """The text as one line that Markdown shows as it is; a backtick becomes an apostrophe."""
    line = clean_title(text)[:_LINE_CHARACTERS].replace("`", "'")
    return _SPECIAL.sub(r"\\\g<0>", line)


def _find_urls(transcript: Transcript) -> frozenset[str]:
    """The URLs in all questions."""
    asked = (each.event for each in transcript.events if isinstance(each.event, TurnStarted))
    return frozenset(url for event in asked for url in find_urls(event.question))
