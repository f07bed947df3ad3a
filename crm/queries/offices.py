"""Offices and the people in them, as far as the actor sees names."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import selectinload

from crm import clock
from crm.db import db
from crm.models.offices import Office
from crm.models.users import User
from crm.policy import Actor, all_offices


@dataclass(frozen=True)
class OfficeNode:
    """An office with its depth in the tree and its people in scope."""

    office: Office
    depth: int
    people: Sequence[User]


@dataclass(frozen=True)
class Days:
    """What day it is: for the reader, and in the offices where it is another one at this moment. What is due on a day is late
    once that day has ended in the office whose record it is, wherever the reader sits."""

    here: date
    elsewhere: Mapping[uuid.UUID, date] = field(default_factory=dict)

    def of(self, office_id: uuid.UUID) -> date:
        """The day it is in an office."""
        return self.elsewhere.get(office_id, self.here)

    def past(self, due: Any, office: Any) -> ColumnElement[bool]:
        """Whether the day in a column has ended in the office in another column."""
        by_day: dict[date, list[uuid.UUID]] = {}
        for office_id, day in self.elsewhere.items():
            by_day.setdefault(day, []).append(office_id)
        is_past: ColumnElement[bool] = due < self.here
        if not by_day:
            return is_past
        others = [and_(office.in_(ids), due < day) for day, ids in by_day.items()]
        return or_(and_(office.not_in(list(self.elsewhere)), is_past), *others)


def days(timezone: str) -> Days:
    """What day it is, for a reader in a time zone. One statement."""
    here = clock.today(timezone)
    zones = db.session.execute(select(Office.id, Office.timezone)).all()
    return Days(here, {row.id: day for row in zones if (day := clock.today(row.timezone)) != here})


def as_days(today: date | Days) -> Days:
    """One day for all offices, where a plain day is given (as of a day)."""
    return today if isinstance(today, Days) else Days(today)


def office_tree(actor: Actor) -> list[OfficeNode]:
    """The offices in the actor's scope, as a tree, each with its people. Two statements."""
    offices = [office for office in all_offices() if office.id in actor.grants or (actor.is_system and actor.covers_all)]
    ids = {office.id for office in offices}
    people: dict[uuid.UUID, list[User]] = {}
    for user in db.session.scalars(select(User).options(selectinload(User.memberships)).order_by(User.name)):
        people.setdefault(user.office_id, []).append(user)
    children: dict[uuid.UUID | None, list[Office]] = {}
    for office in offices:
        children.setdefault(office.parent_id if office.parent_id in ids else None, []).append(office)
    found: list[OfficeNode] = []

    def walk(parent: uuid.UUID | None, depth: int) -> None:
        for office in children.get(parent, []):
            found.append(OfficeNode(office, depth, people.get(office.id, [])))
            walk(office.id, depth + 1)

    walk(None, 0)
    return found


def user_or_none(user_id: uuid.UUID) -> User | None:
    """A person in scope."""
    return db.session.scalar(select(User).where(User.id == user_id).options(selectinload(User.memberships)))


def colleagues(office_id: uuid.UUID) -> list[User]:
    """The active people whose home is this office, by name."""
    return list(db.session.scalars(select(User).where(User.office_id == office_id, User.is_active).order_by(User.name)))
