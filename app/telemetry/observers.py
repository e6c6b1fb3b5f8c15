"""The observer that does nothing, and several observers as one."""

from collections.abc import Sequence

from app.caller import Owner
from app.conversation.ports import Observer, TurnFacts, TurnObserver
from app.events import ModelCalled, StoredEvent, TerminalEvent


class NoObserver:
    """`conversation.ports.Observer` and `TurnObserver` that do nothing.

    Also the base of those that record a part of it only.
    """

    def start_turn(self, turn: TurnFacts) -> TurnObserver:
        return NoObserver()

    def record_event(self, event: StoredEvent | ModelCalled) -> None:
        pass

    def record_first_text(self) -> None:
        pass

    def record_end(self, ending: TerminalEvent) -> None:
        pass

    def record_rating(self, owner: Owner, conversation_id: str, value: int) -> None:
        pass

    def record_rating_removed(self, owner: Owner, conversation_id: str) -> None:
        pass

    def record_deletion(self, conversation_id: str) -> None:
        pass


class CombinedObserver:
    """`conversation.ports.Observer` that hands everything to each of several."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def start_turn(self, turn: TurnFacts) -> TurnObserver:
        return _CombinedTurnObserver([each.start_turn(turn) for each in self._observers])

    def record_rating(self, owner: Owner, conversation_id: str, value: int) -> None:
        for each in self._observers:
            each.record_rating(owner, conversation_id, value)

    def record_rating_removed(self, owner: Owner, conversation_id: str) -> None:
        for each in self._observers:
            each.record_rating_removed(owner, conversation_id)

    def record_deletion(self, conversation_id: str) -> None:
        for each in self._observers:
            each.record_deletion(conversation_id)


class _CombinedTurnObserver:
    def __init__(self, observers: Sequence[TurnObserver]) -> None:
        self._observers = observers

    def record_event(self, event: StoredEvent | ModelCalled) -> None:
        for each in self._observers:
            each.record_event(event)

    def record_first_text(self) -> None:
        for each in self._observers:
            each.record_first_text()

    def record_end(self, ending: TerminalEvent) -> None:
        for each in self._observers:
            each.record_end(ending)
