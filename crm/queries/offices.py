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
from crm.errors import NotFound
from crm.i18n import _
from crm.models.offices import Office
from crm.models.users import Membership, User
from crm.policy import Actor, all_offices, offices_by_id, unscoped
from crm.queries import history


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
    """What day it is, for a reader in a time zone."""
    here = clock.today(timezone)
    return Days(here, {office.id: day for office in offices_by_id().values() if (day := clock.today(office.timezone)) != here})


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


@dataclass(frozen=True)
class Member:
    """Somebody who signs in, with the role that leads to an office: held in it, or in one above it."""

    user: User
    role: str
    office: Office


@dataclass(frozen=True)
class OfficeDetail:
    """An office with the one it belongs to, those directly below it, and the people with a role in it or above it, in scope."""

    office: Office
    parent: Office | None
    below: Sequence[Office]
    members: Sequence[Member]
    from_above: Sequence[Member]


@dataclass(frozen=True)
class Move:
    """What moving an office does to the tree. `offices`: those that move; `leaves` and `enters`: offices that stand above them
    before and not after, and after and not before."""

    office: Office
    old_parent_id: uuid.UUID | None
    parent: Office | None
    offices: Sequence[Office]
    leaves: Sequence[Office]
    enters: Sequence[Office]


def office_detail(actor: Actor, office_id: uuid.UUID) -> OfficeDetail:
    """One office; raises `NotFound` when absent or out of scope. Four statements."""
    offices = {office.id: office for office in all_offices()}
    office = offices.get(office_id)
    if office is None or (office_id not in actor.grants and not actor.is_system):
        raise NotFound(_("There is no such office."))
    above = _above(office_id, offices)
    members = _members([office, *above])
    return OfficeDetail(
        office,
        offices.get(office.parent_id) if office.parent_id else None,
        [other for other in offices.values() if other.parent_id == office_id],
        [member for member in members if member.office is office],
        [member for member in members if member.office is not office],
    )


def move_of(office_id: uuid.UUID, parent_id: uuid.UUID | None) -> Move:
    """What it would do to the tree to put an office below another; nothing is checked. One statement."""
    offices = {office.id: office for office in all_offices()}
    office = offices[office_id]
    moving = {office_id}
    while more := {other.id for other in offices.values() if other.parent_id in moving} - moving:
        moving |= more
    parent = offices.get(parent_id) if parent_id else None
    before = _above(office_id, offices)
    after = [parent, *_above(parent.id, offices)] if parent else []
    return Move(
        office,
        office.parent_id,
        parent,
        [offices[key] for key in sorted(moving, key=lambda key: (key != office_id, offices[key].code))],
        [other for other in before if other not in after],
        [other for other in after if other not in before],
    )


def people_of(offices: Sequence[Office]) -> list[Member]:
    """Who has a role in these offices and may sign in, as far as their names are in scope."""
    return [member for member in _members(offices) if member.user.is_active]


def _above(office_id: uuid.UUID, offices: Mapping[uuid.UUID, Office]) -> list[Office]:
    """The offices above one, the nearest first."""
    found: list[Office] = []
    parent_id = offices[office_id].parent_id
    while parent_id is not None and offices[parent_id] not in found:
        found.append(offices[parent_id])
        parent_id = offices[parent_id].parent_id
    return found


def _members(offices: Sequence[Office]) -> list[Member]:
    by_id = {office.id: office for office in offices}
    rows = db.session.execute(
        select(User, Membership)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.office_id.in_(list(by_id)))
        .order_by(User.name, User.id)
    )
    return [Member(user, membership.role, by_id[membership.office_id]) for user, membership in rows]


def history_of(office_id: uuid.UUID, *, before: int | None = None) -> history.HistoryPage:
    """Who changed what on an office. The caller has checked that the reader reads its log."""
    with unscoped("whoever keeps an office knows its history"):
        return history.history_of(office_id, before=before)


def user_or_none(user_id: uuid.UUID) -> User | None:
    """A person in scope."""
    return db.session.scalar(select(User).where(User.id == user_id).options(selectinload(User.memberships)))


def colleagues(office_id: uuid.UUID) -> list[User]:
    """The active people whose home is this office, by name."""
    return list(db.session.scalars(select(User).where(User.office_id == office_id, User.is_active).order_by(User.name)))
