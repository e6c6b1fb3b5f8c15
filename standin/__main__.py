"""`python -m standin`: the stand-in backend alone, for a program that sends traces to it."""

import argparse
import sys
from pathlib import Path

import uvicorn

from standin.app import create_app
from standin.faults import Answer, Delay, Effect, Fault, Refuse, garbage, html_page
from standin.forwarding import chat_from_environment
from standin.record_store import Records
from standin.switches import Switches

_FAULTS: dict[str, Effect] = {
    "500": Answer(500),
    "503": Answer(503),
    "429": Answer(429, headers={"Retry-After": "1"}),
    "slow": Delay(3),
    "refuse": Refuse(),
    "garbage": garbage(),
    "html": html_page(),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m standin",
        description="A stand-in Opik backend. Point the SDK at it with"
        " OPIK_URL_OVERRIDE=http://HOST:PORT/api.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8580)
    parser.add_argument("--generation", choices=["A", "B", "C"], default="C")
    parser.add_argument("--data", type=Path, help="keep the records in this file")
    parser.add_argument("--load", type=Path, nargs="*", default=[], help="recordings to begin with")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME:PATH",
        help=f"{', '.join(_FAULTS)}, on paths that start so, as in 503:/v1/private/spans",
    )
    arguments = parser.parse_args()
    switches = Switches(generation=arguments.generation)
    switches.faults = [_parse_fault(parser, each) for each in arguments.fault]
    records = Records(arguments.data)
    for path in arguments.load:
        records.load(path)
    app = create_app(records, chat=chat_from_environment(), switches=switches)
    sys.stderr.write(f"Stand-in Opik backend: http://{arguments.host}:{arguments.port}/api\n")
    uvicorn.run(app, host=arguments.host, port=arguments.port, log_level="warning")


def _parse_fault(parser: argparse.ArgumentParser, text: str) -> Fault:
    name, _, path = text.partition(":")
    if name not in _FAULTS:
        parser.error(f"unknown fault {name!r}; there are {', '.join(_FAULTS)}")
    return Fault(_FAULTS[name], path=path or "/")


if __name__ == "__main__":
    main()
