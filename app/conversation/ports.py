"""What conversations need of others."""

from typing import Protocol

from app.agent.ports import Model
from app.agent.toolbox import Toolbox
from app.caller import Caller, Identity


class Access(Protocol):
    """Who is this, and may they read this trace? Raises RequestRefused or BackendUnavailable."""

    async def identify(self, caller: Caller, *, fresh: bool) -> Identity:
        """Who the caller is; `fresh` asks the backend even when the answer is remembered."""
        ...

    async def check(self, caller: Caller, trace_id: str, *, fresh: bool) -> None:
        """Returns when the caller may read the trace."""
        ...


class Bench(Protocol):
    """A loaded trace: its outline, and the tools that look closer."""

    @property
    def outline(self) -> str: ...

    @property
    def toolbox(self) -> Toolbox: ...


class OpenBench(Protocol):
    async def __call__(self, caller: Caller, trace_id: str) -> Bench:
        """Loads the trace with the caller's rights; raises as Access does."""
        ...


class OpenModel(Protocol):
    """Makes the model of one turn, with the caller's rights."""

    @property
    def name(self) -> str:
        """The name that is stored with the turn before a reply says who has answered."""
        ...

    def __call__(self, caller: Caller) -> Model: ...
