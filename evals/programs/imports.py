"""Imports files at night; no language model in it."""

from typing import Any

import opik

from evals.programs.plan import Plan, blame, once, work


class ImportFailed(Exception):
    pass


def run(plan: Plan) -> None:
    blame_once = once(blame)

    @opik.track
    def read_rows(file: str, unit: int) -> list[dict[str, Any]]:
        work(3)
        if plan.has("no_rows_then_division", unit):
            blame()
            return []
        return [{"file": file, "line": line, "amount": 3 + line} for line in range(3)]

    @opik.track
    def mean_amount(rows: list[dict[str, Any]]) -> float:
        work(0.3)
        return sum(row["amount"] for row in rows) / len(rows)

    @opik.track
    def list_violations(rows: list[dict[str, Any]]) -> list[str]:
        work(0.3)
        return []

    @opik.track
    def post_rows(file: str, attempt: int, unit: int) -> str:
        work(2)
        if plan.has("flaky_upload", unit) and attempt < 2:
            if attempt == 0:
                blame()
            raise ConnectionResetError("connection reset by peer")
        return "ok"

    @opik.track
    def upload(file: str, unit: int) -> str:
        for attempt in range(5):
            try:
                return post_rows(file, attempt, unit)
            except ConnectionResetError:
                work(5 * 3**attempt)
        raise AssertionError

    @opik.track
    def poll_job(job: str) -> dict[str, str]:
        blame_once()
        work(3)
        return {"job": job, "state": "pending", "hint": "waiting for a worker"}

    @opik.track
    def decode(file: str, unit: int) -> str:
        work(0.5)
        if plan.has("bad_bytes", unit):
            blame()
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
        return "utf-8"

    @opik.track
    def import_file(file: str, unit: int) -> None:
        try:
            decode(file, unit)
        except UnicodeDecodeError as error:
            raise ImportFailed(f"{file} cannot be imported") from error
        rows = read_rows(file, unit)
        mean_amount(rows)
        list_violations(rows)
        upload(file, unit)
        if plan.has("endless_polling", unit):
            for _ in range(8):
                poll_job(f"job of {file}")

    @opik.track(project_name="imports")
    def nightly_import(files: list[str]) -> dict[str, int]:
        for unit, file in enumerate(files):
            import_file(file, unit)
        return {"imported": len(files)}

    nightly_import([f"topic-{unit}.csv" for unit in range(plan.units)])


FAULTS = (
    "no_rows_then_division",
    "flaky_upload",
    "endless_polling",
    "bad_bytes",
)
