"""`opik-assist check-trace`: fails where a trace has findings, for builds and scripts."""

import json
import math
import os
import sys

import anyio
import click

from app.errors import OpikAssistError
from app.operator_credentials import read_credentials
from app.terminal.assistants import open_assistant
from app.terminal.report import format_report
from app.trace_reference import find_trace_id

HAS_FINDINGS = 1
NOT_ANALYSED = 3
"""2 is click's for wrong arguments."""


def _read_confidence(_: click.Context, __: click.Parameter, value: float) -> float:
    if math.isnan(value):  # which is in every range
        raise click.BadParameter("nan is no number")
    return value


@click.command()
@click.argument("trace")
@click.option("--service", help="Address of a running service with its prefix.", metavar="URL")
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    callback=_read_confidence,
    default=0.0,
    help="Ignore findings that are less sure, between 0 and 1.",
)
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
def command(trace: str, service: str | None, min_confidence: float, as_json: bool) -> None:
    """Check TRACE, a trace's id or its URL in Opik, and fail where something is wrong in it.

    Calls no model. Reads the trace as `ask` does.

    Exit status: 0 without findings, 1 with findings, 3 where the trace could not be analysed.
    """

    async def analyse() -> dict[str, object]:
        credentials = read_credentials(os.environ)
        async with open_assistant(credentials, find_trace_id(trace), service=service) as assistant:
            return dict(await assistant.analyse())

    try:
        report = anyio.run(analyse)
    except OpikAssistError as error:
        click.echo(error.message, err=True)
        sys.exit(NOT_ANALYSED)
    findings = report["findings"]
    assert isinstance(findings, list)
    sure = [each for each in findings if each["confidence"] >= min_confidence]
    report["findings"] = sure
    ignored = len(findings) - len(sure)
    click.echo(json.dumps(report) if as_json else format_report(report, ignored=ignored))
    sys.exit(HAS_FINDINGS if sure else 0)
