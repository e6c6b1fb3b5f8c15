"""What is read of a trace for nobody ends at once: no request to the backend goes on."""

import sqlite3
from contextlib import closing
from pathlib import Path

from app.db.schema import sessions
from standin.faults import Delay, Fault
from standin.switches import UserAccount
from testkit import credentials
from testkit.service import record_trace, wait_until
from tests.service.outages import FOREVER, LONGEST, SEARCH, hurried

JSON = {"Accept": "application/json"}
ANNA = {"Cookie": f"sessionToken={credentials.ANNA}", "Comet-Workspace": "acme"}


async def test_a_question_that_the_database_ends_reads_no_further(tmp_path: Path) -> None:
    async with hurried(tmp_path, opik_backend_timeout=LONGEST) as (service, network):
        service.switches.accounts = {credentials.ANNA: UserAccount("anna", frozenset({"acme"}))}
        record_trace(service.standin, workspace="acme")
        service.switches.faults.append(Fault(Delay(FOREVER), path=SEARCH))
        with closing(sqlite3.connect(tmp_path / "a.db")) as database:
            database.execute(f"ALTER TABLE {sessions.name} RENAME TO away")
        response = await service.http.send(service.question(headers={**ANNA, **JSON}))
        assert response.status_code == 503
        await wait_until(lambda: network.connections_in_use == 0)
