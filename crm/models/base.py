"""The few mixins every record is made of: key, scope, level, version, stamps; and the helper for scoped parents."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, String, UniqueConstraint
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from sqlalchemy.types import TypeDecorator

from crm import clock
from crm.db import new_id

OPEN, OFFICE = "open", "office"
LEVELS = (OPEN, OFFICE)
SHARED = "shared"
VISIBILITIES = (SHARED, OFFICE)

NAME_LENGTH = 300
SENTENCE_LENGTH = 600
TEXT_LENGTH = 20_000
NO_DAY = date(9999, 12, 31)  # stands for "no date" where a list is sorted by a day


class DecimalText(TypeDecorator[Decimal]):
    """An exact decimal kept as text, since NUMERIC on SQLite is floating point."""

    impl = String(60)
    cache_ok = True

    @property
    def python_type(self) -> type[Decimal]:
        """What a value is: the history asks."""
        return Decimal

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        _ = dialect
        return None if value is None else format(Decimal(value), "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        _ = dialect
        if value is None:
            return None
        try:
            return Decimal(value)
        except InvalidOperation as error:  # pragma: no cover - bad bytes on disk
            message = f"not a decimal in the database: {value!r}"
            raise ValueError(message) from error


class Keyed:
    """A version 7 UUID key, made by the server."""

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-20)

    def __init__(self, **values: Any) -> None:
        values.setdefault("id", new_id())  # known before the flush: the history and children need it
        super().__init__(**values)


class Stamped:
    """When and by whom a record was made; who changed it since is in its history."""

    created_at: Mapped[datetime] = mapped_column(default=clock.now, sort_order=90)
    created_by_id: Mapped[uuid.UUID | None] = mapped_column(sort_order=91)


class Versioned:
    """A version that edit forms carry, so that two editors never overwrite each other silently."""

    version: Mapped[int] = mapped_column(default=1, sort_order=92)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - declarative hands over the class
        return {"version_id_col": cls.__table__.c.version}  # type: ignore[attr-defined]  # set by declarative


class OfficeScoped:
    """A row of one office: seen where the office is in the actor's scope."""

    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"), index=True, sort_order=-15)


class Levelled(OfficeScoped):
    """A row with a level: `open` to everybody whose scope covers the office, `office` to its own members only."""

    level: Mapped[str] = mapped_column(String(10), default=OPEN, sort_order=-14)


class Shareable:
    """A row that its office may share with all offices (institutions and public posts)."""

    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"), index=True, sort_order=-15)
    visibility: Mapped[str] = mapped_column(String(10), default=OFFICE, sort_order=-14)


def one_of(column: str, values: tuple[str, ...], *, null: bool = False) -> CheckConstraint:
    """A CHECK that a text column holds one of `values`."""
    listed = ", ".join(f"'{value}'" for value in values)
    condition = f"{column} IN ({listed})"
    return CheckConstraint(f"{column} IS NULL OR {condition}" if null else condition, name=f"{column}_known")


def scoped_key() -> UniqueConstraint:
    """The (office_id, id) key that scoped children refer to."""
    return UniqueConstraint("office_id", "id")


def scoped_parent(column: str, table: str) -> ForeignKeyConstraint:
    """A reference to a parent of the SAME office."""
    return ForeignKeyConstraint(["office_id", column], [f"{table}.office_id", f"{table}.id"])


def level_check() -> CheckConstraint:
    """A CHECK on the level."""
    return one_of("level", LEVELS)


def currency_check(column: str = "currency") -> CheckConstraint:
    """A CHECK that a currency is three capital letters long."""
    return CheckConstraint(f"length({column}) = 3 AND {column} = upper({column})", name=f"{column}_code")
