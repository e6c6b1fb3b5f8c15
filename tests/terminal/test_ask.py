"""`opik-assist ask` and `check-trace`, as a person or a build runs them."""

import errno
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from click.testing import CliRunner

from app.cli import cli
from standin.chat import ChatError
from standin.faults import Answer, Fault
from testkit import credentials
from testkit.processes import Backend, build_environment, serving_backend
from testkit.scripted_chat import DirectedChat, answer, calling
from testkit.service import PREFIX, TRACE_ID, record_trace, running, span_id

LOOK = calling(("get_span_details", f'{{"span_id": "{span_id(3)}"}}'))
ANSWER = answer("It was **the", " tool** [s1].")


def environment(backend: Backend, **more: str) -> dict[str, str]:
    return {"OPIK_API_KEY": credentials.API_KEY, "OPIK_URL_OVERRIDE": backend.url, **more}


@dataclass
class Terminal:
    """Runs the command in a thread of this process, with the environment of a person."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch

    async def run(
        self, backend: Backend, *arguments: str, piped: bytes = b""
    ) -> tuple[int, str, str]:
        """Exit status, standard output, and standard error with the last line of a failure."""
        for name, value in environment(backend, HOME=str(self.folder)).items():
            self.monkeypatch.setenv(name, value)
        invoke = partial(CliRunner().invoke, cli, arguments, input=piped)
        ended = await anyio.to_thread.run_sync(invoke)
        failure = "" if isinstance(ended.exception, SystemExit | None) else "Traceback"
        if isinstance(ended.exception, SystemExit) and isinstance(ended.exception.code, str):
            failure = ended.exception.code
        return ended.exit_code, ended.stdout, ended.stderr + failure


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(tmp_path, monkeypatch)


async def test_a_pipe_gets_plain_text_and_the_steps_go_beside_it(terminal: Terminal) -> None:
    async with serving_backend(LOOK, ANSWER) as backend:
        code, printed, log = await terminal.run(backend, "ask", TRACE_ID, "What failed?")
        sent = {each.headers["authorization"] for each in backend.standin.switches.received}
    assert code == 0, log
    assert printed.startswith("It was **the tool**")
    assert "\x1b" not in printed
    assert "span" in log
    assert sent == {credentials.API_KEY}


async def test_json_gives_the_frames_of_the_service(terminal: Terminal) -> None:
    url = f"https://opik.example/x?trace={TRACE_ID}"
    async with serving_backend(LOOK, ANSWER) as backend:
        code, printed, _ = await terminal.run(backend, "ask", url, "What failed?", "--json")
    frames = [json.loads(line) for line in printed.splitlines()]
    kinds = [each["message_type"] for each in frames]
    assert code == 0
    assert {"response", "tool_call", "tool_complete", "usage"} <= set(kinds)


async def test_an_operator_may_ask_any_model(terminal: Terminal) -> None:
    async with serving_backend(ANSWER) as backend:
        asked = await terminal.run(backend, "ask", TRACE_ID, "Why?", "--model", "openai/gpt-4o")
        models = [each["model"] for each in backend.chat.requests]
    assert asked[0] == 0, asked
    assert models == ["gpt-4o"]


async def test_the_address_of_a_backend_is_named_as_it_was_given(terminal: Terminal) -> None:
    async with serving_backend() as backend:
        wrong = replace(backend, url="opik.example/api")
        code, _, log = await terminal.run(wrong, "ask", TRACE_ID, "Why?")
    assert code == 1
    assert "OPIK_URL_OVERRIDE: must be an http:// or https:// address" in log


async def test_findings_need_no_model(terminal: Terminal) -> None:
    async with serving_backend() as backend:
        code, printed, _ = await terminal.run(backend, "ask", TRACE_ID, "--findings")
        assert backend.chat.requests == []
    assert code == 0
    assert "KeyError: 'orders' began in lookup_order" in printed
    assert span_id(1) in printed


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("ask", "the last one", "Why?"), 1, "must be a trace's UUID or the URL"),
        (("ask", span_id(99), "Why?"), 1, "no such trace"),
        (("ask", TRACE_ID, "Why?", "--conversation", "x"), 1, "only a service"),
        (("check-trace", span_id(99)), 3, "no such trace"),
        (("check-trace", TRACE_ID, "--service", "http://127.0.0.1:1"), 3, "cannot be reached"),
        (("check-trace", TRACE_ID, "--service", "127.0.0.1:1"), 3, "must begin with http"),
    ],
)
async def test_a_failure_is_a_sentence_and_a_status(
    terminal: Terminal, arguments: tuple[str, ...], status: int, message: str
) -> None:
    async with serving_backend() as backend:
        code, _, log = await terminal.run(backend, *arguments)
    assert (code, "Traceback" in log) == (status, False)
    assert message in log


@pytest.mark.parametrize("question", ["caf\udce9?", None])
async def test_a_question_in_another_encoding_is_answered(
    terminal: Terminal, question: str | None
) -> None:
    arguments = ("ask", TRACE_ID, *([] if question is None else [question]))
    async with serving_backend(ANSWER) as backend:
        code, printed, log = await terminal.run(backend, *arguments, piped=b"caf\xe9?")
        asked = backend.chat.requests[0]["messages"]
    assert (code, "Traceback" in log) == (0, False)
    assert "tool" in printed
    assert "caf\ufffd?" in str(asked)


@pytest.mark.parametrize(
    ("piped", "message"), [(b" \n", "The message is empty"), (b"x" * 32_001, "longer than 32,000")]
)
async def test_an_empty_or_too_long_question_reaches_no_model(
    terminal: Terminal, piped: bytes, message: str
) -> None:
    async with serving_backend(ANSWER) as backend:
        code, _, log = await terminal.run(backend, "ask", TRACE_ID, piped=piped)
        assert backend.chat.requests == []
    assert code == 1
    assert message in log


async def test_a_model_that_fails_fails_the_command(terminal: Terminal) -> None:
    async with serving_backend([ChatError(401, "no key")]) as backend:
        code, printed, log = await terminal.run(backend, "ask", TRACE_ID, "Why?")
    assert code == 1
    assert log.strip()
    assert "KeyError" in printed
    assert "…" not in printed


async def test_a_build_fails_where_a_trace_has_findings(terminal: Terminal) -> None:
    healthy = str(span_id(0x7000))
    async with serving_backend() as backend:
        record_trace(backend.standin, trace_id=healthy)
        code, printed, _ = await terminal.run(backend, "check-trace", TRACE_ID, "--json")
        sure, less, _ = await terminal.run(
            backend, "check-trace", TRACE_ID, "--min-confidence", "1"
        )
        unknown, _, _ = await terminal.run(
            backend, "check-trace", TRACE_ID, "--min-confidence", "nan"
        )
        fine, shown, _ = await terminal.run(backend, "check-trace", healthy)
    assert (code, sure, unknown, fine) == (1, 0, 2, 0)
    assert less.startswith("No findings that are sure enough; less sure ones: ")
    assert json.loads(printed)["findings"]
    assert shown.startswith("No findings")


async def test_a_running_service_is_asked_with_the_same_words(
    migrated_sqlite_uri: str, terminal: Terminal
) -> None:
    async with running(migrated_sqlite_uri, chat=DirectedChat(answer("From afar."))) as service:
        backend = Backend(service.backend, service.standin, service.chat)
        at = ("--service", f"{service.url}{PREFIX}")
        code, printed, log = await terminal.run(backend, "ask", TRACE_ID, "Why?", *at)
        listed = await terminal.run(backend, "ask", TRACE_ID, "--findings", *at)
        service.headers = {"Authorization": credentials.API_KEY}
        kept = await service.read_messages()
    assert (code, printed.strip()) == (0, "From afar."), log
    assert "KeyError" in listed[1]
    assert kept[0] == ("user", "Why?")


CTRL_C = "\x03"


def use_terminal(
    command: list[str], environment: dict[str, str], typed: list[str], *, status: int = 0
) -> str:
    """What a terminal shows when the words are typed, each once a prompt stands there."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment, close_fds=True
    )
    os.close(terminal)
    shown = b""
    try:
        while True:
            try:
                data = os.read(controller, 65_536)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                break
            if not data:
                break
            shown += data
            if typed and shown.endswith(b"> "):
                word = typed.pop(0)
                if word == CTRL_C:
                    process.send_signal(signal.SIGINT)
                    break
                os.write(controller, word.encode())
        assert process.wait(30) == status, shown
    finally:
        os.close(controller)
        process.kill()
        process.wait()
    return shown.decode()


@pytest.mark.slow
async def test_a_terminal_shows_markdown_links_steps_and_asks_on(tmp_path: Path) -> None:
    second = answer("Nothing \x1b]52;c;ZXZpbA==\x07 else.")
    async with serving_backend(LOOK, ANSWER, second) as backend:
        values: dict[str, Any] = environment(backend, HOME=str(tmp_path), TERM="xterm-256color")
        values |= {"OPIK_URL_OVERRIDE": f"{backend.url}/api", "COLUMNS": "100"}
        command = [sys.executable, "-m", "app", "ask", TRACE_ID]
        typed = ["What failed?\n", "Anything else?\n", "\x04"]
        shown = await anyio.to_thread.run_sync(
            use_terminal, command, build_environment(**values), typed
        )
    plain = re.sub(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert "It was the tool" in plain
    assert "**" not in plain
    assert "✓" in plain
    assert "tokens" in plain
    assert "\x1b]8;" in shown
    assert "\x1b]52" not in shown
    assert "Nothing" in plain


@pytest.mark.slow
async def test_a_terminal_asks_on_after_a_question_that_was_refused(tmp_path: Path) -> None:
    async with serving_backend(ANSWER) as backend:
        backend.standin.switches.faults.append(
            Fault(Answer(404), f"/v1/private/traces/{TRACE_ID}", times=1)
        )
        values: dict[str, Any] = environment(backend, HOME=str(tmp_path), TERM="xterm-256color")
        command = [sys.executable, "-m", "app", "ask", TRACE_ID]
        typed = ["What failed?\n", "What failed?\n", "\x04"]
        shown = await anyio.to_thread.run_sync(
            use_terminal, command, build_environment(**values), typed
        )
    assert shown.count("no such trace") == 1
    assert "the tool" in shown


@pytest.fixture
def default_sigint() -> Iterator[None]:
    """What a terminal's shell gives its children; children of a background job ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@pytest.mark.usefixtures("default_sigint")
async def test_ctrl_c_at_the_prompt_ends_the_command(tmp_path: Path) -> None:
    async with serving_backend() as backend:
        values = environment(backend, HOME=str(tmp_path), TERM="xterm-256color")
        command = [sys.executable, "-m", "app", "ask", TRACE_ID]
        use = partial(use_terminal, status=-signal.SIGINT)
        await anyio.to_thread.run_sync(use, command, build_environment(**values), [CTRL_C])
