"""Pages of a list: numbered for the first 200, by cursor beyond; totals exact to 10,000."""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Label, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from crm.db import db

T = TypeVar("T")
EXACT_TO = 10_000
LAST_NUMBERED_PAGE = 200
SIZES = (25, 50, 100)
#: So many rows are sorted sooner than an index is searched for them.
_FEW = 500
_DIGITS = 5
_LONGEST_CURSOR = 2000


@dataclass(frozen=True)
class Page(Generic[T]):
    """Rows of one page. `total` is exact when `is_exact`, else it stands for "more than 10,000"."""

    rows: Sequence[T]
    total: int
    is_exact: bool
    number: int
    size: int
    has_next: bool
    after: str | None

    @property
    def has_previous(self) -> bool:
        """Whether an earlier numbered page exists."""
        return self.number > 1


@dataclass(frozen=True)
class Order:
    """A sort of a list: its column, or a named expression among its columns (never null), direction, and the key that breaks ties."""

    column: InstrumentedAttribute[Any] | Label[Any]
    key: InstrumentedAttribute[uuid.UUID]
    is_descending: bool = False


@dataclass(frozen=True)
class Paging:
    """What the query string asked for; anything odd falls back to the first page of 25."""

    number: int = 1
    size: int = 25
    after: str | None = None

    @classmethod
    def of(cls, page: str | None, per_page: str | None, after: str | None) -> Paging:
        """Read the three arguments of a list's address; a stranger's values are harmless."""
        number = int(page) if page and page.isascii() and page.isdigit() and len(page) <= _DIGITS else 1
        size = int(per_page) if per_page and per_page.isascii() and per_page.isdigit() and len(per_page) <= _DIGITS else 25
        return cls(min(max(number, 1), LAST_NUMBERED_PAGE), size if size in SIZES else 25, after or None)


def _encode(value: object, key: uuid.UUID) -> str:
    kind = "s"
    if isinstance(value, datetime):
        kind, value = "t", value.astimezone(UTC).isoformat()
    elif isinstance(value, date):
        kind, value = "d", value.isoformat()
    elif isinstance(value, int):
        kind = "i"
    packed = json.dumps([kind, value, str(key)], ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _decode(text: str) -> tuple[object, uuid.UUID] | None:
    if len(text) > _LONGEST_CURSOR:
        return None
    try:
        kind, value, key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if kind == "t":
            value = datetime.fromisoformat(value)
            value = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
        elif kind == "d":
            value = date.fromisoformat(value)
        elif kind == "i":
            value = int(value)
            if abs(value) > 2**62:
                return None
        elif not isinstance(value, str) or "\x00" in value:
            return None
        else:
            value.encode()  # half a character is no text
        return value, uuid.UUID(key)
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        return None


@dataclass(frozen=True)
class Part:
    """The part of a list that a page lies in, where it is known beforehand: which rows, how many stand before them, how many in all."""

    condition: ColumnElement[bool]
    before: int
    total: int


def starts_after(paging: Paging) -> object:
    """What the row had that a page's cursor names, in the column of the order; None without a cursor."""
    cursor = _decode(paging.after) if paging.after else None
    return cursor[0] if cursor else None


def fetch_page(statement: Select[Any], order: Order, paging: Paging, part: Part | None = None) -> Page[Any]:
    """One page of `statement`: a select of one entity, or of columns, among them those of the order. Three statements at the most,
    whatever the data. `part`: where the page lies, so that only those rows are sorted."""
    counted = select(func.count()).select_from(statement.order_by(None).with_only_columns(order.key).limit(EXACT_TO + 1).subquery())
    total = min(part.total, EXACT_TO + 1) if part else db.session.scalar(counted) or 0
    statement = statement.where(part.condition) if part else statement
    ordered = _ordered(statement, order, is_few=total <= _FEW)
    cursor = _decode(paging.after) if paging.after else None
    if cursor is not None and _fits(order.column, cursor[0]):
        ordered = ordered.where(_beyond(order, *cursor))
    else:
        ordered = ordered.offset((paging.number - 1) * paging.size - (part.before if part else 0))
    limited = ordered.limit(paging.size + 1)
    rows: list[Any] = list(db.session.scalars(limited).unique()) if _is_of_entity(statement) else list(db.session.execute(limited))
    has_next = len(rows) > paging.size
    rows = rows[: paging.size]
    after = None
    if has_next:
        last = rows[-1]
        after = _encode(getattr(last, order.column.key), getattr(last, order.key.key))
    return Page(rows, min(total, EXACT_TO), total <= EXACT_TO, paging.number, paging.size, has_next, after)


def fetch_first(
    statement: Select[Any], order: Sequence[Any], key: InstrumentedAttribute[uuid.UUID], most: int | None
) -> tuple[list[Any], int]:
    """The first of some records (a select of one entity), and how many there are in all: one statement."""
    in_all = statement.with_only_columns(func.count(key)).scalar_subquery()
    rows = db.session.execute(statement.add_columns(in_all).order_by(*order).limit(most)).all()
    return [row[0] for row in rows], rows[0][1] if rows else 0


def fetch_all(statement: Select[Any], order: Order, *, first: int = 100, size: int = 1000) -> Iterator[Sequence[Any]]:
    """All rows of `statement` (a select of columns, among them those of the order), a chunk at a time: in flat memory, one statement
    a chunk, each beginning where the last one ended. The first chunk is small, so that something can be sent at once."""
    ordered, limit = _ordered(statement, order), first
    beyond: ColumnElement[bool] | None = None
    while True:
        rows = db.session.execute((ordered if beyond is None else ordered.where(beyond)).limit(limit)).all()
        if rows:
            yield rows
        if len(rows) < limit:
            return
        last, limit = rows[-1], size
        beyond = _beyond(order, getattr(last, order.column.key), getattr(last, order.key.key))


def _is_of_entity(statement: Select[Any]) -> bool:
    described = statement.column_descriptions
    return len(described) == 1 and described[0]["expr"] is described[0]["entity"]


def _ordered(statement: Select[Any], order: Order, *, is_few: bool = False) -> Select[Any]:
    if is_few:
        # By an expression no index is sorted by: PostgreSQL walked through all parties by name for the six that had the words.
        column = func.coalesce(order.column, order.column)
        return statement.order_by(column.desc(), order.key.desc()) if order.is_descending else statement.order_by(column, order.key)
    if order.is_descending:
        return statement.order_by(order.column.desc(), order.key.desc())
    return statement.order_by(order.column, order.key)


def _beyond(order: Order, value: object, key: uuid.UUID) -> ColumnElement[bool]:
    """What comes after a row. The bound on the column alone lets an index begin there; the rest breaks its ties."""
    if order.is_descending:
        return and_(order.column <= value, or_(order.column < value, order.key < key))
    return and_(order.column >= value, or_(order.column > value, order.key > key))


def _fits(column: InstrumentedAttribute[Any] | Label[Any], value: object) -> bool:
    expected: type = column.type.python_type
    if expected is datetime:
        return isinstance(value, datetime)
    if expected is date:
        return isinstance(value, date) and not isinstance(value, datetime)
    return isinstance(value, expected)
