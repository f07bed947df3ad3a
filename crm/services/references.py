"""References a person can say (JOR-PL-2026-0042): a counter per office, kind and year, taken in the saving transaction."""

from __future__ import annotations

import contextlib
import uuid

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from crm import clock
from crm.db import db, savepoint, transactional
from crm.models.offices import ReferenceCounter
from crm.policy import offices_by_id

KINDS = {
    "party": "PA",
    "interaction": "IN",
    "ask": "AS",
    "commitment": "CO",
    "pledge": "PL",
    "agreement": "AG",
    "receipt": "RC",
    "allocation": "AL",
    "programme": "PR",
    "document": "DO",
    "import": "IM",
    "bulk": "BU",
}


@transactional
def next_reference(office_id: uuid.UUID, kind: str) -> str:
    """The next reference of a kind (a key of KINDS) in an office this year. Never reused: a rolled back one was never seen."""
    return next_references(office_id, kind, 1)[0]


@transactional
def next_references(office_id: uuid.UUID, kind: str, count: int) -> list[str]:
    """The next `count` references of a kind, taken at once: for imports."""
    office = offices_by_id()[office_id]
    letters, year = KINDS[kind], clock.today(office.timezone).year
    counted = (
        update(ReferenceCounter)
        .where(ReferenceCounter.office_id == office_id, ReferenceCounter.kind == letters, ReferenceCounter.year == year)
        .values(last=ReferenceCounter.last + count)
        .returning(ReferenceCounter.last)
        .execution_options(synchronize_session=False)
    )
    with db.session.no_autoflush:  # what is being recorded can wait until all of it is there
        last = db.session.scalar(counted)
    if last is None:
        with contextlib.suppress(IntegrityError), savepoint():  # somebody else may begin it at this moment
            db.session.add(ReferenceCounter(office_id=office_id, kind=letters, year=year, last=0))
        last = db.session.scalars(counted).one()
    return [f"{office.code}-{letters}-{year}-{number:04d}" for number in range(last - count + 1, last + 1)]
