"""Small traces, each of one kind of fault or of its healthy twin, in many spellings.

They are made up, about a ferry and a station; their shapes are those that SDKs, frameworks and
OpenTelemetry ingestion record. `python -m evals.small_cases FOLDER` writes them as case files.
"""

from evals.small_cases import (
    alike_cases,
    answer_cases,
    batch_cases,
    cause_cases,
    check_cases,
    confidence_cases,
    date_cases,
    effect_cases,
    error_cases,
    everyday_cases,
    failure_cases,
    gap_cases,
    hand_on_cases,
    left_results,
    lookup_cases,
    masked_cases,
    meant_cases,
    name_cases,
    offline_cases,
    pace_cases,
    page_cases,
    passing_cases,
    program_cases,
    quiet_cases,
    ranking_cases,
    record_cases,
    recovery_cases,
    refusal_cases,
    reply_cases,
    run_cases,
    shown_cases,
    stored_cases,
    swallowed_cases,
    team_cases,
    unfilled_cases,
    unmarked_cases,
    vain_cases,
    vendor_cases,
    void_cases,
    waiting_cases,
    waste_cases,
    wording_cases,
)
from evals.small_cases.builder import CaseList, SmallCase

_MODULES = (
    reply_cases,
    run_cases,
    vendor_cases,
    hand_on_cases,
    left_results,
    failure_cases,
    error_cases,
    everyday_cases,
    program_cases,
    quiet_cases,
    ranking_cases,
    record_cases,
    recovery_cases,
    refusal_cases,
    waste_cases,
    cause_cases,
    unmarked_cases,
    stored_cases,
    swallowed_cases,
    team_cases,
    answer_cases,
    date_cases,
    confidence_cases,
    shown_cases,
    effect_cases,
    check_cases,
    batch_cases,
    pace_cases,
    page_cases,
    passing_cases,
    gap_cases,
    lookup_cases,
    wording_cases,
    waiting_cases,
    unfilled_cases,
    masked_cases,
    meant_cases,
    name_cases,
    alike_cases,
    offline_cases,
    vain_cases,
    void_cases,
)


def list_small_cases() -> list[SmallCase]:
    """All cases, by kind."""
    lists = [
        each for module in _MODULES for each in vars(module).values() if isinstance(each, CaseList)
    ]
    return [case for listed in lists for case in listed.cases]
