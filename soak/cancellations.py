"""Clients that leave at every stage of a turn, tens of thousands of times."""

import math
import random
from collections import Counter
from dataclasses import dataclass, field

import anyio

from app.events import ReplyCompleted, ToolCompleted, TurnCancelled, TurnStarted
from soak.direct import DirectService, LeavePoint, direct_service
from soak.load import Report, find_mixed_up_replies
from soak.unreliable_backend import (
    SometimesFault,
    UnreliableModel,
    create_backend,
    make_trace_id,
)
from standin.faults import Delay
from testkit import databases
from testkit.audits.clients import AskedQuestion, DeletedConversation, find_client_faults
from testkit.audits.log import LoggedConversation, LoggedTurn, find_log_faults, read_log
from testkit.processes import UNLIMITED
from testkit.service import serving

STAGES = (
    "before the lease",
    "while loading",
    "before the first byte",
    "mid-text",
    "mid-tool",
    "between replies",
    "after the end",
)
_CLIENTS = 6
_TRACES = 24
_EACH = 600
_LOAD_SECONDS = 2.0
"""Of every other reading of spans: clients leave while a trace is loaded, on a busy machine too."""


@dataclass
class CancellationRun:
    """So many questions, each left by its client at a moment of chance; at most for `seconds`."""

    cancels: int
    seed: int
    seconds: float = math.inf
    rng: random.Random = field(init=False)
    asked: list[AskedQuestion] = field(default_factory=list)
    deleted: list[DeletedConversation] = field(default_factory=list)
    storing: int = 0
    typical: float = 0.3

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    async def run(self, database_uri: str) -> Report:
        """Runs the run on a migrated database, waits for calm, and audits."""
        report = Report()
        rounds = self.cancels // _EACH + 1
        model = UnreliableModel(self.rng, hung=0.02)
        slow = SometimesFault(Delay(_LOAD_SECONDS), "/v1/private/spans", rng=self.rng, share=0.5)
        standin = create_backend(model, _TRACES * rounds, [slow])
        async with serving(standin, grace=1) as backend:
            async with direct_service(
                agent_opik_url=backend,
                session_service_uri=database_uri,
                **UNLIMITED,
                busy_wait_seconds=5,
                model_silence_seconds=0.5,
                shutdown_seconds=1,
            ) as service:
                began = anyio.current_time()
                async with anyio.create_task_group() as group:
                    for _ in range(_CLIENTS):
                        group.start_soon(self._run_client, service, began + self.seconds)
                seconds = anyio.current_time() - began
                report.findings += await service.leaks()
            report.findings += service.errors
        async with databases.open_engine(database_uri) as engine:
            self._audit_log(await read_log(engine), report)
        report.figures["cancels"] = f"{len(self.asked)} in {seconds:.0f} s"
        if self.seconds == math.inf and len(self.asked) < self.cancels:
            report.findings.append(f"only {len(self.asked)} of {self.cancels} cancels ran")
        report.figures["while a transaction was open"] = str(self.storing)
        return report

    async def _run_client(self, service: DirectService, until: float) -> None:
        while (number := len(self.asked)) < self.cancels and anyio.current_time() < until:
            trace = make_trace_id(self.rng.randrange(_TRACES) + number // _EACH * _TRACES)
            asked = AskedQuestion(trace, f"question {number} of all", anyio.current_time())
            self.asked.append(asked)
            moment = self._choose_leave_point()
            await service.ask(asked, moment, cancelled=self.rng.random() < 0.4)
            self.storing += moment.storing
            if asked.answered:
                self.typical += (asked.ended - asked.began - self.typical) / 20
            if self.rng.random() < 0.01:
                await self._delete_conversation(service, trace)

    def _choose_leave_point(self) -> LeavePoint:
        """All stages get their share: early steps, any of the frames, any time."""
        rng = self.rng
        match rng.randrange(4):
            case 0:
                return LeavePoint(steps=round(2 ** rng.uniform(0, 11)))
            case 1:
                return LeavePoint(seconds=rng.uniform(0, 1.5 * self.typical))
            case _:
                return LeavePoint(sends=rng.randint(1, 9))

    async def _delete_conversation(self, service: DirectService, trace: str) -> None:
        began = anyio.current_time()
        await service.delete(trace)
        self.deleted.append(DeletedConversation(trace, began, anyio.current_time(), certain=True))

    def _audit_log(self, log: list[LoggedConversation], report: Report) -> None:
        report.findings += find_log_faults(log)
        report.findings += find_client_faults(log, self.asked, self.deleted)
        report.findings += find_mixed_up_replies(log)
        stages = self._count_stages(log)
        report.figures["cancelled"] = ", ".join(f"{stage} {stages[stage]}" for stage in STAGES)
        report.figures["deleted"] = str(len(self.deleted))
        report.findings += [f"no cancel hit: {stage}" for stage in STAGES if not stages[stage]]

    def _count_stages(self, log: list[LoggedConversation]) -> Counter[str]:
        """Where the questions were when they ended, by what the log has of them."""
        turns = [turn for conversation in log for turn in conversation.turns]
        deleted = {each.trace_id for each in self.deleted}
        stages = Counter(_name_stage(turn) for turn in turns)
        known = {turn.question for turn in turns}
        for each in self.asked:
            gone = each.question not in known and not each.frames
            stages[STAGES[0]] += gone and each.trace_id not in deleted
        return stages


def _name_stage(turn: LoggedTurn) -> str:
    if not isinstance(turn.ending, TurnCancelled):
        return "after the end"
    before = turn.events[-2].event
    if isinstance(before, TurnStarted):
        return "while loading"
    if isinstance(before, ReplyCompleted):
        return "mid-tool" if before.calls else "mid-text"
    if not isinstance(before, ToolCompleted):
        return "before the first byte"
    calls = {call.id for reply in turn.replies for call in reply.calls}
    answers = sum(isinstance(each.event, ToolCompleted) for each in turn.events)
    return "mid-tool" if answers < len(calls) else "between replies"
