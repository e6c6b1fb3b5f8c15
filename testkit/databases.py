"""Databases for tests: a private MariaDB or MySQL server that a test may kill, or a given one."""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

import anyio
from sqlalchemy import delete, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.db import migrations
from app.db.schema import admissions, chores, sessions, workspaces
from testkit.engines import create_test_engine

POLICY = Path("/usr/sbin/policy-rc.d")
USER, PASSWORD = "app", "pass-of-app"

ROW_LOCK_WAITS = "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state LIKE 'LOCK%'"
NAMED_LOCK_WAITS = "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User lock'"
INNODB_TRX_REFRESH_SECONDS = 0.2
"""InnoDB refreshes innodb_trx only if no query has read it for 0.1 s."""

T = TypeVar("T")


class NoDatabaseServer(Exception):
    """No database server for tests; the message says why."""


class PrivateServer:
    """A database server with its own folder and port."""

    def __init__(self, folder: Path) -> None:
        self.binary = _server_binary()
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def uri(self, database: str) -> str:
        return f"mysql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def create(self) -> None:
        """Makes the data folder and the user, once."""
        self.folder.mkdir(parents=True)
        options = self._folder_options()
        if _is_mariadb(self.binary):
            command = ["mariadb-install-db", "--no-defaults", *options, "--skip-test-db"]
        else:
            command = [self.binary, "--no-defaults", *options, "--initialize-insecure"]
        subprocess.run(command, check=True, capture_output=True)
        (self.folder / "init.sql").write_text(
            f"CREATE USER IF NOT EXISTS {USER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            f"GRANT ALL ON *.* TO {USER}@'127.0.0.1' WITH GRANT OPTION;\n"
        )

    def _folder_options(self) -> list[str]:
        """A server that starts deletes the temporary tables of all in its folder for them."""
        user = ["--user=root"] if os.geteuid() == 0 else []
        return [f"--datadir={self.folder / 'data'}", f"--tmpdir={self.folder}", *user]

    def start(self) -> None:
        """Returns once the server accepts connections."""
        options = [
            *self._folder_options(),
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            f"--socket={self.folder / 'socket'}",
            f"--pid-file={self.folder / 'pid'}",
            f"--log-error={self.folder / 'error.log'}",
            f"--init-file={self.folder / 'init.sql'}",
            "--skip-name-resolve",
            "--innodb-buffer-pool-size=64M",
            "--innodb-flush-log-at-trx-commit=2",
            "--skip-innodb-doublewrite",
        ]
        self._process = subprocess.Popen(
            [self.binary, "--no-defaults", *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while not _accepts_connections(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise NoDatabaseServer(f"{self.binary} did not start: see {self.folder}/error.log")
            time.sleep(0.05)

    def stop(self) -> None:
        self._send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kills it, as a power failure would."""
        self._send_signal(signal.SIGKILL)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Its connections stay open and answer nothing within the block."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def _send_signal(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None


def find_given_uri() -> str | None:
    """The address of an existing server, `TEST_MYSQL_URL`; its user may create databases."""
    return os.environ.get("TEST_MYSQL_URL") or None


def start_private_server(folder: Path) -> PrivateServer:
    """A running server; raises NoDatabaseServer where no binary is found or may be installed."""
    server = PrivateServer(folder)
    try:
        server.create()
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        raise NoDatabaseServer(
            f"the data folder of {server.binary} was not made: {error}"
        ) from error
    server.start()
    return server


@asynccontextmanager
async def open_engine(uri: str) -> AsyncIterator[AsyncEngine]:
    engine = create_test_engine(uri)
    try:
        yield engine
    finally:
        await engine.dispose()


@contextmanager
def silent_server() -> Iterator[tuple[socket.socket, str]]:
    """A listener that accepts connections and never sends; yields it and its database address."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield listener, f"mysql://{USER}:{PASSWORD}@127.0.0.1:{listener.getsockname()[1]}/chats"


async def wait_for_lock_wait(engine: AsyncEngine, waits: str) -> None:
    """Returns once a connection waits as ROW_LOCK_WAITS or NAMED_LOCK_WAITS describe."""
    with anyio.fail_after(60):
        while True:
            async with engine.begin() as db:
                if await db.scalar(text(waits)):
                    return
            await anyio.sleep(INNODB_TRX_REFRESH_SECONDS)


def run_on_database(uri: str, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Runs `work` in a transaction, from synchronous code."""

    async def run() -> T:
        async with open_engine(uri) as engine, engine.begin() as db:
            return await work(db)

    return asyncio.run(run())


def create_database(server_uri: str) -> str:
    """A new and empty database on a MySQL server; its address."""
    name = f"opik_assist_test_{secrets.token_hex(6)}"

    async def create(db: AsyncConnection) -> None:
        # Like Opik's own: the default character set is not the one that we need.
        await db.exec_driver_sql(f"CREATE DATABASE {name} CHARACTER SET latin1")

    run_on_database(server_uri, create)
    return make_url(server_uri).set(database=name).render_as_string(hide_password=False)


def drop_database(uri: str) -> None:
    url = make_url(uri)
    server = url.set(database="information_schema").render_as_string(hide_password=False)

    async def drop(db: AsyncConnection) -> None:
        await db.exec_driver_sql(f"DROP DATABASE IF EXISTS {url.database}")

    run_on_database(server, drop)


async def delete_conversations(db: AsyncConnection) -> None:
    """Deletes all rows but those of a migration."""
    for table in (sessions, admissions, workspaces, chores):
        await db.execute(delete(table))


def migrate(uri: str) -> None:
    async def run() -> None:
        async with open_engine(uri) as engine:
            await migrations.prepare_schema(engine, migrate=True, attempts=1, delay=0)

    asyncio.run(run())


def _accepts_connections(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _server_binary() -> str:
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = shutil.which("mariadbd", path=path) or shutil.which("mysqld", path=path)
    if found is None and (os.environ.get("INSTALL_DB") == "1" or os.environ.get("CI") == "true"):
        _install_server()
        found = shutil.which("mariadbd", path=path)
    if found is None:
        raise NoDatabaseServer(
            "no mariadbd or mysqld here; set TEST_MYSQL_URL, or INSTALL_DB=1 to install one"
        )
    return found


def _is_mariadb(binary: str) -> bool:
    version = subprocess.run([binary, "--version"], check=True, capture_output=True, text=True)
    return "MariaDB" in version.stdout


def _install_server() -> None:
    """Debian's server, without letting its own daemon start."""
    ours = not POLICY.exists()
    try:
        if ours:
            POLICY.write_text("#!/bin/sh\nexit 101\n")
            POLICY.chmod(0o755)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (
            ["update", "-qq"],
            ["install", "-y", "-qq", "--no-install-recommends", "mariadb-server"],
        ):
            subprocess.run(["apt-get", *arguments], check=True, env=environment)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoDatabaseServer(f"mariadb-server could not be installed: {error}") from error
    finally:
        if ours:
            POLICY.unlink(missing_ok=True)
