"""nginx itself, in its own folder and on its own port, with a location that a test brings."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from testkit.processes import ROOT, find_free_port

SNIPPET = ROOT / "deploy" / "nginx" / "opik-ai.conf"
# As an eager operator may have it: whatever can be compressed is.
_EAGER = "gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any;"

_CONFIGURATION = """
daemon off;
{user}
pid {folder}/pid;
error_log stderr warn;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {eager}
    server {{
        listen 127.0.0.1:{port};
        {location}
    }}
}}
"""


def binary() -> str:
    """Where nginx is; a test that needs it is skipped, with these words, where it is not."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("nginx is not installed: its part of the way was NOT TESTED")
    return found


@contextlib.asynccontextmanager
async def serving_through(
    location: str, *, folder: Path, eager: bool = False
) -> AsyncIterator[str]:
    """A running nginx with this location; gives its URL."""
    port = find_free_port()
    written = _CONFIGURATION.format(
        # A master of root hands its work to another user, who cannot enter this folder.
        user="user root;" if os.geteuid() == 0 else "",
        folder=folder,
        eager=_EAGER if eager else "",
        port=port,
        location=location,
    )
    file = folder / "nginx.conf"
    file.write_text(written)
    process = await asyncio.create_subprocess_exec(
        *(binary(), "-p", str(folder), "-c", str(file)), stderr=asyncio.subprocess.PIPE
    )
    try:
        await _listening(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def _listening(process: asyncio.subprocess.Process, port: int) -> None:
    while process.returncode is None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()
            return
        await asyncio.sleep(0.01)
    _, output = await process.communicate()
    raise RuntimeError(output.decode())
