"""`python -m tests.service.slow_backend PORT`: a backend of its own, whose model takes its time."""

import sys
from collections.abc import AsyncIterator
from typing import Any

import anyio
import uvicorn

from standin.app import create_app
from standin.chat import Chunk, text
from standin.record_store import Records
from standin.switches import Switches
from testkit.service import record_trace


class SlowModel:
    """Writes a word every 20 ms, for as long as it is read."""

    async def reply(self, request: dict[str, Any], /) -> AsyncIterator[Chunk]:
        while True:
            yield text("word ")
            await anyio.sleep(0.02)


if __name__ == "__main__":
    standin = create_app(Records(), chat=SlowModel(), switches=Switches())
    record_trace(standin)
    uvicorn.run(standin, port=int(sys.argv[1]), log_level="error")
