"""`python -m soak`: users, faults and cancellations for some minutes, then an audit of it all.

Prints its figures, then every finding; ends with 1 if there is any.
"""

import argparse
import math
import random
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio

from soak.cancellations import CancellationRun
from soak.load import LoadPlan, Report, Restart, run_load
from testkit import databases

_ACTIONS_A_SECOND = 15
_OUTAGE_SECONDS = 1.0
_CANCELS = 20_000
"""At most so many where none are asked for."""


def main() -> None:
    arguments = _parse_arguments()
    # Ends like Ctrl-C does: with the processes and the database that were started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"seed {arguments.seed}")
    findings = 0
    with _open_databases(arguments.database) as offered:
        if not offered:
            sys.exit("There is no database to run on.")
        share = arguments.seconds / len(offered)
        for name, (uri, restart) in offered.items():
            plan = LoadPlan(
                seed=arguments.seed,
                seconds=share * 0.7,
                users=arguments.users,
                traces=2,
                think=arguments.users / _ACTIONS_A_SECOND,
                busy_wait=0.5,
                killed_every=share / 12,
                database_restarts_every=share / 8 if restart else None,
            )
            report = anyio.run(run_load, plan, uri, restart)
            findings += _print_report(
                f"{arguments.users} users before 4 processes on {name}", report
            )
        for name, (uri, _) in offered.items():
            databases.run_on_database(uri, databases.delete_conversations)
            cancels = CancellationRun(
                math.ceil((arguments.cancels or _CANCELS) / len(offered)),
                arguments.seed,
                seconds=math.inf if arguments.cancels else share * 0.3,
            )
            report = anyio.run(cancels.run, uri)
            findings += _print_report(f"Cancellations on {name}", report)
    sys.exit(1 if findings else 0)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=240, help="in all, without the audits")
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--cancels", type=int, help="exactly so many, however long they take")
    parser.add_argument(
        "--database", choices=["sqlite", "server"], help="only this one; both where none is named"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    return parser.parse_args()


@contextmanager
def _open_databases(only: str | None) -> Iterator[dict[str, tuple[str, Restart | None]]]:
    """Migrated databases by their names, with what restarts them: SQLite, and a server if any."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        offered: dict[str, tuple[str, Restart | None]] = {}
        server = None if only == "sqlite" else _start_server(Path(folder))
        if server is not None:
            uri = databases.create_database(server.uri("information_schema"))
            offered[Path(server.binary).name] = (uri, _build_restart(server))
        if only != "server":
            offered["SQLite"] = (f"sqlite:///{folder}/soak.db", None)
        for uri, _ in offered.values():
            databases.migrate(uri)
        try:
            yield offered
        finally:
            if server is not None:
                server.stop()


def _start_server(folder: Path) -> databases.PrivateServer | None:
    try:
        return databases.start_private_server(folder / "server")
    except databases.NoDatabaseServer as reason:
        print(f"NOT RUN on a database server: {reason}")
        return None


def _build_restart(server: databases.PrivateServer) -> Restart:
    async def restart() -> None:
        await anyio.to_thread.run_sync(server.kill)
        await anyio.sleep(_OUTAGE_SECONDS)
        await anyio.to_thread.run_sync(server.start)

    return restart


def _print_report(title: str, report: Report) -> int:
    print(f"\n{title}")
    for name, figure in report.figures.items():
        print(f"  {name:28} {figure}")
    print(f"  {'findings':28} {len(report.findings)}")
    for finding in report.findings:
        print(f"  - {finding}")
    sys.stdout.flush()
    return len(report.findings)


if __name__ == "__main__":
    main()
