"""How results say how a call went: keys of states, flags and codes, and words for failures."""

import re

from app.analysis.recorded.spellings import key_set, word_set

_WORD_READ = 60  # characters of a value that may be a word for a state
STATUS_KEYS = key_set(
    "status state outcome result result_status result_code return_code execution_status ack"
    " observation part_kind 結果 结果 状態 状态 상태 estado statut stato статус"
)
SUCCESS_FLAGS = key_set(
    "success ok succeeded is_success is_ok successful erfolg erfolgreich exito éxito exitoso succès"
    " réussi sucesso successo riuscito gelukt lykkes lyckades sukces успех успешно 成功 성공"
)
HTTP_CODE_KEYS = key_set(
    "status_code http_status http_code response_code status http_status_code response_status_code"
)
CODE_KEYS = HTTP_CODE_KEYS | {"code"}
"""Keys of codes of any protocol, where only some values are looked for."""
EXIT_KEYS = key_set("exit_code exit_status return_code")
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
