"""`python -m demo`: the stand-in backend, the service and one question, all on this machine."""

import argparse
import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import webbrowser
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from demo.terminal import ask
from standin.app import create_app
from standin.forwarding import chat_from_environment
from standin.offline_model import OfflineModel
from standin.record_store import Records
from standin.serving import serve_in_thread
from standin.switches import Switches

TRACES = Path(__file__).parent / "traces"
PREFIX = "/opik-ai"
QUESTION = "What caused this error?"
START_SECONDS = 60.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the first answer")
    parser.add_argument("--no-browser", action="store_true", help="do not open the page")
    arguments = parser.parse_args()
    browser = sys.stdout.isatty() and not arguments.no_browser
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            return _run_demo(stack, once=arguments.once, browser=browser)
    except KeyboardInterrupt:
        print("\nEnded.")
        return 0


def _run_demo(stack: ExitStack, *, once: bool, browser: bool) -> int:
    records = Records()
    for path in sorted(TRACES.iterdir()):
        records.load(path)
    chat = chat_from_environment()
    standin = create_app(records, chat=chat, switches=Switches())
    backend = stack.enter_context(serve_in_thread(standin, _find_free_port(8580)))
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="opik-assist-demo-"))
    service = stack.enter_context(_run_service(backend, _find_free_port(8081), Path(folder)))
    trace = _failed_trace(records)
    session = f"{service}/trace-analyzer/session/{trace['id']}"
    model = "offline stand-in model" if isinstance(chat, OfflineModel) else "DEMO_LLM_BASE_URL"
    print(f"\nTrace “{trace['name']}”, answered by: {model}\n> {QUESTION}\n")
    spans = records.workspace().spans_of(trace["id"])
    names = {span.id: str(span.fields["name"]) for span in spans}
    answered = ask(session, QUESTION, names=names, out=sys.stdout)
    if once:
        return 0 if answered else 1
    _print_addresses(records, service=service, backend=backend)
    if browser:
        webbrowser.open(f"{service}/ui/")
    while True:
        time.sleep(3600)


@contextmanager
def _run_service(backend: str, port: int, folder: Path) -> Iterator[str]:
    """The service as a process of its own, on a SQLite file in `folder`; gives its URL."""
    service = f"http://127.0.0.1:{port}{PREFIX}"
    environment = {
        **os.environ,
        "AGENT_OPIK_URL": backend,
        "SESSION_SERVICE_URI": f"sqlite:///{folder / 'conversations.db'}",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "URL_PREFIX": PREFIX,
        # There is no UI of Opik here: links lead to the service's own page.
        "OPIK_UI_URL": f"{service}/ui",
        "OPIK_UI_SPAN_URL": "{ui}/?trace={trace_id}&span={span_id}",
        "OPIK_UI_TRACE_URL": "{ui}/?trace={trace_id}",
        "LOG_LEVEL": "WARNING",
        # There is no load balancer here.
        "DRAIN_SECONDS": "0",
    }
    # A session of its own: Ctrl-C reaches this process only, which then ends the service gently.
    process = subprocess.Popen(
        [sys.executable, "-m", "app"], env=environment, start_new_session=True
    )
    try:
        asyncio.run(_wait_until_healthy(f"{service}/healthz", process))
        yield service
    finally:
        process.terminate()
        process.wait(30)


async def _wait_until_healthy(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    async with httpx.AsyncClient() as http:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                await http.get(url)
                return
            except httpx.TransportError:
                await asyncio.sleep(0.1)
    raise SystemExit("The service did not start; see above.")


def _list_traces(records: Records) -> list[dict[str, Any]]:
    """The recorded traces, oldest first."""
    entries = records.workspace().traces.values()
    return sorted(
        ({"id": entry.id, **entry.fields} for entry in entries),
        key=lambda each: str(each["start_time"]),
    )


def _failed_trace(records: Records) -> dict[str, Any]:
    """The oldest recorded trace that failed."""
    return next(trace for trace in _list_traces(records) if trace.get("error_info"))


def _by_name(records: Records) -> list[tuple[dict[str, Any], int]]:
    """The oldest trace of each name with how many there are; those that failed come first."""
    traces = _list_traces(records)
    counts = Counter(str(each["name"]) for each in traces)
    chosen: dict[str, dict[str, Any]] = {}
    for trace in sorted(traces, key=lambda each: not each.get("error_info")):
        chosen.setdefault(str(trace["name"]), trace)
    return [(trace, counts[name]) for name, trace in chosen.items()]


def _print_addresses(records: Records, *, service: str, backend: str) -> None:
    print(f"The page:      {service}/ui/")
    print(f"The service:   {service}/healthz")
    print(f"The backend:   {backend}/api (OPIK_URL_OVERRIDE for a program of your own)")
    print("\nRecorded traces on the page, the first of each name:")
    for trace, count in _by_name(records):
        failed = ", failed" if trace.get("error_info") else ""
        others = f", {count} in all" if count > 1 else ""
        print(f"  {service}/ui/?trace={trace['id']}  {trace['name']}{failed}{others}")
    print("\nAsk yourself:")
    session = f"{service}/trace-analyzer/session/{_failed_trace(records)['id']}"
    print(
        f"  curl -N -H 'Content-Type: application/json' {session} \\\n"
        """    -d '{"message": "Why is it slow?", "streaming": true}'"""
    )
    print("\nCtrl-C ends it.")
    sys.stdout.flush()


def _find_free_port(port: int) -> int:
    """The port, or a free one when it is taken."""
    for wanted in (port, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            taken: int = probe.getsockname()[1]
            return taken
    raise SystemExit("No free port.")


if __name__ == "__main__":
    sys.exit(main())
