"""An attribute that is computed on first use and then kept."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

_Owner = TypeVar("_Owner")
_Value = TypeVar("_Value")


class computed_once(Generic[_Owner, _Value]):  # noqa: N801 - used as a decorator
    """`functools.cached_property` without the lock that Python 3.11 takes at each first use; a
    view belongs to one analysis, and computing it twice would do no harm."""

    def __init__(self, compute: Callable[[_Owner], _Value]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, owner: None, kind: Any = None) -> "computed_once[_Owner, _Value]": ...
    @overload
    def __get__(self, owner: _Owner, kind: Any = None) -> _Value: ...

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        if owner is None:
            return self
        value = self._compute(owner)
        owner.__dict__[self._name] = value  # found before this descriptor from now on
        return value
