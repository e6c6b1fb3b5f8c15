"""How many records to ask for at once: pages of some 2 MB, smaller where one broke."""

from typing import Any

from app.opik.responses import Page

_FIRST, _LARGEST = 100, 1_000
_BYTES = 2 * 1024 * 1024


class PageSize:
    """The number of records of the next page, learnt from the last one."""

    def __init__(self) -> None:
        self.limit = _FIRST

    def learn(self, page: Page[Any]) -> None:
        """Takes in what came when `limit` records were asked for."""
        if page.broken:
            self.limit = max(1, self.limit // 4)
        else:
            fitting = _BYTES * page.records // max(1, page.bytes)
            self.limit = max(1, min(fitting, 2 * self.limit, _LARGEST))
