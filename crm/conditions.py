"""The conditions of a row scope as one option of a statement, whose part of SQLAlchemy's cache key is worked out once.

SQLAlchemy looks a compiled statement up by a key that it gathers from every part of the statement, options included. With the
fifteen conditions of a scope as fifteen options that was three quarters of what a small statement cost (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from sqlalchemy import BindParameter, ColumnElement
from sqlalchemy.orm import LoaderCriteriaOption
from sqlalchemy.orm.interfaces import CriteriaOption
from sqlalchemy.sql import visitors
from sqlalchemy.sql._util_cy import anon_map
from sqlalchemy.sql.annotation import Annotated
from sqlalchemy.sql.cache_key import NO_CACHE

from crm.errors import ProgrammingError


class _Shape:
    """What the conditions of a scope look like without their values. Its hash is taken once; the same shape is the same object."""

    __slots__ = ("_hash", "key")
    _known: ClassVar[dict[Any, _Shape]] = {}  # as few as there are kinds of scope, never one per person

    def __init__(self, key: tuple[Any, ...]) -> None:
        self.key, self._hash = key, hash(key)

    @classmethod
    def of(cls, key: tuple[Any, ...]) -> _Shape:
        """The one object for a key."""
        return cls._known.setdefault(key, cls(key))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, _Shape) and self.key == other.key)


class _Condition(LoaderCriteriaOption):
    """One condition. SQLAlchemy marks each part of it as a scope's by a copy; the copy of a value is compared with the value each
    time the statement is sent, by making an expression of SQL, so values stay what they are."""

    __slots__ = ()
    _traverse_internals = LoaderCriteriaOption._traverse_internals  # noqa: SLF001 - a class says of itself what its key holds

    def _resolve_where_criteria(self, ext_info: Any) -> ColumnElement[bool]:
        marked = super()._resolve_where_criteria(ext_info)
        plain: ColumnElement[bool] = visitors.replacement_traverse(marked, {}, _plain)
        return plain


_Copy: Any = Annotated


def _plain(element: Any, **_options: Any) -> Any:
    """What stands in place of a part: of the copy of a value, the value; None leaves the part as it is."""
    return element._deannotate() if isinstance(element, BindParameter) and isinstance(element, _Copy) else None  # noqa: SLF001


def condition(entity: Any, criterion: Any) -> LoaderCriteriaOption:
    """`with_loader_criteria` for one entity, or for all of a mixin where `criterion` is a function of the class; aliases too.

    `propagate_to_loaders`: a `joinedload` takes the condition of what it joins along, so what may not be seen is None there too. The
    option that holds the conditions (`Conditions`) says no to it: what is loaded later gets those of its own time."""
    return _Condition(entity, criterion, include_aliases=True, propagate_to_loaders=True)


class Conditions(CriteriaOption):
    """Several `with_loader_criteria` as one option. Loads that follow from a statement get theirs from the session again.

    The key is made with numbers of its own for what has no name: nothing in the conditions is shared with the statement but
    tables and mappers, which are named by themselves, so equal keys still mean equal SQL. The values are handed over in the order
    in which the conditions have them, as SQLAlchemy does for each execution."""

    __slots__ = ("_shape", "_values", "parts")
    propagate_to_loaders = False
    inherit_cache = False

    def __init__(self, parts: Sequence[LoaderCriteriaOption]) -> None:
        """Raises `ProgrammingError` for a condition that cannot be cached: every statement would be compiled anew."""
        self.parts = tuple(parts)
        self._values: list[Any] = []
        names: Any = anon_map()
        key = tuple(part._gen_cache_key(names, self._values) for part in self.parts)  # noqa: SLF001 - what a statement asks of it
        if NO_CACHE in names:
            message = "a condition of a scope cannot be cached"
            raise ProgrammingError(message)
        self._shape = _Shape.of(key)

    def _gen_cache_key(self, _names: Any, bindparams: list[Any]) -> tuple[Any, ...]:
        bindparams.extend(self._values)
        return (Conditions, self._shape)

    def process_compile_state(self, compile_state: Any) -> None:
        """Add each condition to the statement that is compiled."""
        self.get_global_criteria(compile_state.global_attributes)

    def process_compile_state_replaced_entities(self, compile_state: Any, _entities: Iterable[Any]) -> None:
        """The same where other entities took the place of the first ones."""
        self.process_compile_state(compile_state)

    def get_global_criteria(self, attributes: dict[Any, Any]) -> None:
        """Add each condition to what holds for its mappers; bulk UPDATE and DELETE ask this way."""
        for part in self.parts:
            part.get_global_criteria(attributes)
