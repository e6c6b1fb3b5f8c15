"""A backend whose process is stopped by SIGSTOP: its sockets stay open and nothing comes."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx
import pytest

from testkit.processes import ServerProcess, running_process
