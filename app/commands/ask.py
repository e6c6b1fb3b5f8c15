"""`opik-assist ask`: questions about a trace, from a terminal."""

import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from io import TextIOWrapper

import anyio
import anyio.to_thread
import click
from rich.console import Console

from app.errors import OpikAssistError
from app.operator_credentials import read_credentials
from app.surrogates import join_surrogates
from app.terminal.assistants import TraceAssistant, open_assistant
from app.terminal.display import AnswerView, JsonView, PlainView, RichView
from app.terminal.report import format_report
from app.trace_reference import find_trace_id
from app.web.requests import check_message


@click.command()
@click.argument("trace")
@click.argument("question", required=False)
@click.option("--service", help="Address of a running service with its prefix.", metavar="URL")
@click.option("--model", help="Another model than the configured one, as provider/name.")
@click.option("--conversation", help="Id of a conversation that --service keeps.", metavar="ID")
@click.option("--findings", is_flag=True, help="Only what the analysis finds; calls no model.")
@click.option("--json", "as_json", is_flag=True, help="The service's frames, one a line.")
def command(
    trace: str,
    question: str | None,
    service: str | None,
    model: str | None,
    conversation: str | None,
    findings: bool,
    as_json: bool,
) -> None:
    """Ask about TRACE, a trace's id or its URL in Opik.

    Without a QUESTION it reads one from a pipe, or asks for one after the other. Reads the trace
    with the key in OPIK_API_KEY for OPIK_WORKSPACE from OPIK_URL_OVERRIDE, or those of
    ~/.opik.config, and needs no running service; then the conversation is forgotten at the end.

    Exit status: 0 where the last question was answered, else 1.
    """
    trace_id, model = find_trace_id(trace), model or None
    view = JsonView() if as_json else _choose_view()

    async def run() -> bool:
        credentials = read_credentials(os.environ)
        async with open_assistant(credentials, trace_id, service=service, model=model) as assistant:
            if findings:
                report = await assistant.analyse()
                click.echo(json.dumps(report) if as_json else format_report(report))
                return True
            async for each in _read_questions(question):
                try:
                    await _answer(assistant, view, each, model=model, conversation=conversation)
                except OpikAssistError as error:
                    if not _asks_on(question):
                        raise
                    with view:
                        view.show({"error": error.message})
            return not view.failed

    try:
        sys.exit(0 if anyio.run(run) else 1)
    except KeyboardInterrupt:
        # An exit would wait for the thread that reads the terminal.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)


def _asks_on(question: str | None) -> bool:
    """Whether a person at a terminal can ask again, in the conversation as it is by now."""
    return question is None and sys.stdin.isatty()


def _choose_view() -> AnswerView:
    console = Console()
    return RichView(console) if console.is_terminal else PlainView()


async def _answer(
    assistant: TraceAssistant,
    view: AnswerView,
    question: str,
    *,
    model: str | None,
    conversation: str | None,
) -> None:
    # A byte that is not of the terminal's encoding is half a pair in Python's text.
    question = check_message(join_surrogates(question))
    frames = assistant.ask(question, model=model, conversation=conversation)
    with view:
        async with aclosing(frames):
            async for frame in frames:
                view.show(frame)


async def _read_questions(question: str | None) -> AsyncIterator[str]:
    """The one of the command line or of a pipe, else those that a person types until Ctrl-D."""
    if question is not None:
        yield question
        return
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    if not _asks_on(question):
        yield await anyio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)
        return
    while True:
        try:
            typed = await anyio.to_thread.run_sync(input, "\n> ", abandon_on_cancel=True)
        except EOFError:
            return
        if typed.strip():
            yield typed
