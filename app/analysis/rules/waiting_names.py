"""Names of calls that wait or ask whether something has ended: long, or made again, by design."""

from app.analysis.recorded.names import has_word
from app.analysis.recorded.spellings import word_set

_PAUSES = word_set(
    "sleep wait waiting await awaiting delay delayed pause backoff warte warten abwarten attendi"
    " attendere attesa aspetta aspettare attendre attends attente espera esperar espere aguarda"
    " aguardar aguarde wacht wachten vent vente vänta odota czekaj czekanie ждать ожидание"
    " 待機 待つ 等待 대기"
)
_POLLS = _PAUSES | word_set(
    "poll polls polled polling status health heartbeat tick ping watch ready done progress"
)
_SHARED = word_set(
    "limiter ratelimiter throttle throttler acquire lock queue semaphore pace pacer gpu slot pool"
    " quota capacity worker"
)


def is_pause(name: str) -> bool:
    """Whether a name says that only time passes: each time with the same result."""
    return has_word(name, _PAUSES)


def is_polling_name(name: str) -> bool:
    """Whether a name says that a state is asked for, or a time waited."""
    return has_word(name, _POLLS)


def waits_for_others(name: str) -> bool:
    """Whether a name says that something is waited for that others use too, and that there could be
    more of."""
    return has_word(name, _SHARED)
