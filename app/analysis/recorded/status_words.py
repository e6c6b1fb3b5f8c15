"""Words for the state of a call that failed, and the keys under which they stand."""

import re

from app.analysis.recorded.spellings import key_set, word_set

_WORD_READ = 60  # characters of a value that may be a word for a state
STATUS_KEYS = key_set(
    "status state outcome result result_status result_code return_code execution_status ack"
    " observation part_kind 結果 结果 状態 状态 상태 estado statut stato статус"
)
_STARTS = re.compile(r"\w{1,30}?_(?:state|status)_|\w{1,30}\.")  # of names of enumerations
SURE_STATUS = word_set(
    "error errored exception fatal timeout timed_out timedout unsuccessful internal_error"
    " server_error unavailable service_unavailable fehler erreur erro errore"
    " 错误 錯誤 エラー 오류 ошибка retry-prompt"
)
STATUS_OF_THINGS = word_set(
    "failed failure aborted fail fehlgeschlagen échec fallido falló falha 失败 失敗 실패"
)
"""Words that the things looked up have too: an order, a payment or a job may have failed."""
STATES_OF_TASKS = SURE_STATUS | STATUS_OF_THINGS | word_set("rejected")
"""Words in an object about the state of a task (A2A)."""


def read_state(value: str) -> str:
    """The word of a state without the name of its enumeration: `TASK_STATE_FAILED` is `failed`."""
    return _STARTS.sub("", value[:_WORD_READ].strip().lower(), count=1)
