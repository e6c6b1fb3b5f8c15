"""A backend whose process is stopped by SIGSTOP: its sockets stay open and nothing comes."""

import signal
from pathlib import Path

import httpx
import pytest

from testkit.panel_reader import PanelReader
from testkit.processes import ServerProcess, running_process
from testkit.service import PREFIX, TRACE_ID, WAIT_SECONDS, service_at

IMPATIENT = {"model_silence_seconds": 1, "opik_backend_timeout": 1, "retry_max_attempts": 1}


@pytest.mark.slow
async def test_a_backend_that_is_stopped_ends_answers_in_time_and_serves_again(
    tmp_path: Path, migrated_sqlite_uri: str
) -> None:
    process = ServerProcess(
        "-m", "tests.service.slow_backend", "PORT", folder=tmp_path, settings={}
    )
    async with (
        running_process(process) as backend,
        service_at(backend.url, migrated_sqlite_uri, **IMPATIENT) as url,
        httpx.AsyncClient(timeout=WAIT_SECONDS) as http,
    ):
        session = f"{url}{PREFIX}/trace-analyzer/session/{TRACE_ID}"

        async def ask(*, stop: bool) -> PanelReader:
            """Reads to the end, or to the first words if nothing is to stop the backend."""
            reader = PanelReader()
            async with http.stream("POST", session, json={"message": "Why?"}) as response:
                async for data in response.aiter_raw():
                    reader.read(data)
                    if reader.texts and not stop:
                        break
                    if reader.texts:
                        backend.send(signal.SIGSTOP)
            return reader

        in_mid_stream = await ask(stop=True)
        assert in_mid_stream.texts[0].startswith("word ")
        assert in_mid_stream.error
        in_mid_read = await ask(stop=True)
        assert "cannot be reached" in str(in_mid_read.error)
        backend.send(signal.SIGCONT)
        assert (await ask(stop=False)).texts[0].startswith("word ")
