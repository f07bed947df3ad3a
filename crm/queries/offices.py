"""Offices and the people in them, as far as the actor sees names."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import selectinload

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
