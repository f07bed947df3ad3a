"""Whether the records hold together: references, office scope along relations, levels of children. For `flask verify`.

The constraints of the database say the same; this finds what was changed beside them (another tool, a damaged file).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ForeignKeyConstraint, and_, or_, select
from sqlalchemy.orm import Mapper, aliased

from crm.db import Base, db
from crm.models.base import OFFICE, SHARED, Levelled, OfficeScoped, Shareable
from crm.models.codes import GOAL_AREAS, INTERACTION_KINDS, PARTY_KINDS, SECTORS, Code
from crm.models.imports import CARRIED_STATES, ImportBatch
from crm.models.interactions import Interaction
from crm.models.jobs import OPEN_STATES, Job
from crm.models.parties import PartyKind
from crm.models.programmes import GOAL_AREA, Programme, ProgrammeTag


@dataclass(frozen=True)
class Broken:
    """A record that does not fit what it refers to."""

    table: str
    record_id: uuid.UUID | str
    what: str


def _mappers() -> list[Mapper[Any]]:
    return sorted(Base.registry.mappers, key=lambda mapper: str(mapper.local_table))


def _by_table() -> dict[str, type[Any]]:
    return {mapper.local_table.description: mapper.class_ for mapper in _mappers()}


def _key(entity: Any) -> Any:
    return entity.id if hasattr(entity, "id") else entity.seq


def _name(entity: Any) -> str:
    return str(entity.__tablename__)


def _relations() -> Iterator[tuple[type[Any], type[Any], list[tuple[str, str]]]]:
    """Every reference: (child, parent, [(child's column, parent's column) …])."""
    classes = _by_table()
    for name, child in classes.items():
        for constraint in sorted(Base.metadata.tables[name].constraints, key=lambda found: str(found.name)):
            if isinstance(constraint, ForeignKeyConstraint):
                pairs = [(element.parent.key, element.column.key) for element in constraint.elements]
                yield child, classes[constraint.elements[0].column.table.name], pairs


def broken_references() -> Iterator[Broken]:
    """References that lead nowhere; for children of an office the parent must be of the same office."""
    for child, parent, pairs in _relations():
        other = aliased(parent)
        joined = and_(*(getattr(child, mine) == getattr(other, theirs) for mine, theirs in pairs))
        said = and_(*(getattr(child, mine).is_not(None) for mine, _theirs in pairs))
        statement = select(_key(child)).select_from(child).outerjoin(other, joined).where(said, _key(other).is_(None)).limit(1)
        for found in db.session.scalars(statement):
            names = ", ".join(mine for mine, _theirs in pairs)
            yield Broken(_name(child), found, f"{names} refers to no record of {parent.__tablename__} of its office")


def broken_scope() -> Iterator[Broken]:
    """A record that refers to another office's party or post may do so only where that is shared."""
    for child, parent, pairs in _relations():
        is_single = len(pairs) == 1 and pairs[0][1] == "id"
        if not is_single or not issubclass(parent, Shareable) or not issubclass(child, OfficeScoped):
            continue
        other: Any = aliased(parent)
        statement = (
            select(_key(child))
            .select_from(child)
            .join(other, getattr(child, pairs[0][0]) == other.id)
            .where(other.visibility != SHARED, other.office_id != child.office_id)
            .limit(1)
        )
        for found in db.session.scalars(statement):
            yield Broken(_name(child), found, f"{pairs[0][0]} is another office's and not shared")


def broken_levels() -> Iterator[Broken]:
    """What hangs on an `office` record is never wider; a part of a record has its level; a shared party's parts are shared."""
    for child, parent, pairs in _relations():
        column = next((mine for mine, theirs in pairs if theirs == "id"), "")
        other: Any = aliased(parent)
        is_part = getattr(child, "__audit_parent__", None) == column or column in getattr(child, "__part_of__", ())
        if issubclass(child, Levelled) and issubclass(parent, Levelled):
            wider = and_(other.level == OFFICE, child.level != OFFICE)
            wrong = or_(wider, child.level != other.level) if is_part else wider
            what = "level is not its parent's" if is_part else "level is wider than its parent's"
        elif issubclass(child, Shareable) and issubclass(parent, Shareable) and is_part and len(pairs) > 1:
            wrong, what = child.visibility != other.visibility, "visibility is not its parent's"
        else:
            continue
        statement = select(_key(child)).select_from(child).join(other, getattr(child, column) == other.id).where(wrong).limit(1)
        for found in db.session.scalars(statement):
            yield Broken(_name(child), found, f"{what} ({column})")


def unknown_codes() -> Iterator[Broken]:
    """Records that hold a code which is in no list: sectors and goal areas of programmes, kinds of interactions and of parties."""
    for table, column, name, *condition in (
        (Programme, Programme.sector, SECTORS, Programme.sector.is_not(None)),
        (ProgrammeTag, ProgrammeTag.code, GOAL_AREAS, ProgrammeTag.scheme == GOAL_AREA),
        (Interaction, Interaction.kind, INTERACTION_KINDS),
        (PartyKind, PartyKind.kind, PARTY_KINDS),
    ):
        known = select(Code.code).where(Code.list_name == name)
        for found in db.session.scalars(select(_key(table)).where(column.not_in(known), *condition).limit(1)):
            yield Broken(_name(table), found, f"its {column.key} is in no list")


def lost_work() -> Iterator[Broken]:
    """Records that wait for background work which nobody will do: their job is gone, or ended without a word to them."""
    is_open = select(Job.id).where(Job.subject_id == ImportBatch.id, Job.state.in_(OPEN_STATES)).exists()
    statement = select(ImportBatch.id).where(ImportBatch.state.in_(CARRIED_STATES), ~is_open)
    for found in db.session.scalars(statement):
        yield Broken("import_batches", found, "waits for background work that is gone; stop it on its page, and bring in the rest")
