"""The work list: what waits today, what is owed, and the figures of contacts with their trend. Every list is short."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, select, true

from crm import clock
from crm.db import db
from crm.models.asks import AskAnswer
from crm.models.commitments import Commitment
from crm.models.imports import BULK, ImportBatch
from crm.models.interactions import FollowUp, Interaction
from crm.models.offices import Office
from crm.models.parties import Party
from crm.models.pledges import Agreement, Pledge
from crm.models.programmes import Programme, Requirement
from crm.models.users import User
from crm.queries import commitments, follow_ups, interactions
from crm.queries.rates import RateBook

LONGEST = 8
AHEAD = timedelta(days=14)
MONTHS = 12
QUARTERS = 4


@dataclass(frozen=True)
class Work:
    """What waits: meetings of today and the next two weeks, what is not written up, promises owed, follow-ups due."""

    meetings: Sequence[Interaction] = ()
    to_write_up: Sequence[Interaction] = ()
    ours: Sequence[Commitment] = ()
    theirs: Sequence[Commitment] = ()
    follow_ups: Sequence[FollowUp] = ()


@dataclass(frozen=True)
class Series:
    """Values of equal spans, oldest first, each with the day it begins; None where there was nothing to measure."""

    starts: tuple[date, ...] = ()
    values: tuple[int | None, ...] = ()


@dataclass(frozen=True)
class Answered:
    """Answers of the last year: how many were given (yes, part, no), how many of them yes, and the share by quarter."""

    given: int = 0
    yes: int = 0
    share: Series = field(default_factory=Series)


@dataclass(frozen=True)
class SetUp:
    """What an office has already: the list of first steps crosses these off. `without_rate`: currencies of its amounts that miss one."""

    colleagues: bool
    parties: bool
    imports: bool
    programmes: bool
    contacts: bool
    without_rate: tuple[str, ...] = ()

    @property
    def is_needed(self) -> bool:
        """Whether the office has yet to log its first contact."""
        return not self.contacts


def work(user_id: uuid.UUID | None, zone: tzinfo, offices: Sequence[uuid.UUID] | None) -> Work:
    """The work list of a person in the offices they work for, on the day it is there. A constant number of statements."""
    now = clock.now()
    today = now.astimezone(zone).date()
    start = datetime.combine(today, time(), zone).astimezone(UTC)
    until = today + AHEAD
    promises = commitments.open_promises(until, LONGEST, offices)
    return Work(
        meetings=interactions.planned_between(
            max(start, now - timedelta(hours=1)),
            datetime.combine(until + timedelta(days=1), time(), zone).astimezone(UTC),
            2 * LONGEST,
            offices,
        ),
        to_write_up=interactions.to_write_up(now - timedelta(hours=1), LONGEST, offices),
        ours=promises["ours"],
        theirs=promises["theirs"],
        follow_ups=follow_ups.due(until, LONGEST, owner_id=user_id),
    )


def _month_starts(today: date, count: int, step: int = 1) -> list[date]:
    first = today.replace(day=1)
    return [clock.add_months(first, -step * (count - 1 - index)) for index in range(count)]


def _edges(starts: Sequence[date], end: date, zone: tzinfo) -> list[datetime]:
    """When each span begins, and when the last one ends."""
    return [datetime.combine(day, time(), zone).astimezone(UTC) for day in (*starts, end)]


def contacts_by_month(zone: tzinfo, offices: Sequence[uuid.UUID] | None) -> Series:
    """Contacts held in each of the last twelve months, this one included so far. One statement."""
    today = clock.today(zone)
    starts = _month_starts(today, MONTHS)
    edges = {f"edge_{place}": moment for place, moment in enumerate(_edges(starts, today + timedelta(days=1), zone))}
    row = db.session.execute(
        _held_by_month(is_everywhere=offices is None), edges if offices is None else {"offices": offices, **edges}
    ).one()
    return Series(tuple(starts), tuple(int(value) for value in row))


@cache
def _held_by_month(*, is_everywhere: bool) -> Select[Any]:
    """A count for each month, which reads its stretch of an index; one pass that asks every contact for its month took ten times as long.
    Put together once: the moments and the offices are given when it is sent."""
    where = [Interaction.state == "held", *([] if is_everywhere else [_of_offices(Interaction)])]
    counts = [
        select(func.count())
        .select_from(Interaction)
        .where(*where, Interaction.starts_at >= bindparam(f"edge_{place}"), Interaction.starts_at < bindparam(f"edge_{place + 1}"))
        for place in range(MONTHS)
    ]
    return select(*(count.scalar_subquery() for count in counts))


def _of_offices(model: type[Interaction | AskAnswer]) -> ColumnElement[bool]:
    """Of the offices that are given as `offices`."""
    return model.office_id.in_(bindparam("offices", expanding=True))


def answered(zone: tzinfo, offices: Sequence[uuid.UUID] | None) -> Answered:
    """How asks were answered in the last four spans of three months; the share of yes in percent. One statement."""
    today = clock.today(zone)
    starts = _month_starts(today, QUARTERS, 3)
    starts = [clock.add_months(day, -2) for day in starts]
    edges = {f"edge_{place}": moment for place, moment in enumerate(_edges(starts, today + timedelta(days=1), zone))}
    row = db.session.execute(
        _answers_by_quarter(is_everywhere=offices is None), edges if offices is None else {"offices": offices, **edges}
    ).one()
    given = [int(value) for value in row[::2]]
    yes = [int(value) for value in row[1::2]]
    shares = tuple(round(100 * said / all_) if all_ else None for said, all_ in zip(yes, given, strict=True))
    return Answered(sum(given), sum(yes), Series(tuple(starts), shares))


@cache
def _answers_by_quarter(*, is_everywhere: bool) -> Select[Any]:
    """For each quarter how many answers were given, and how many of them were yes. Put together once, as above."""
    columns: list[Any] = []
    for place in range(QUARTERS):
        within = and_(Interaction.starts_at >= bindparam(f"edge_{place}"), Interaction.starts_at < bindparam(f"edge_{place + 1}"))
        columns += [func.count(case((within, 1))), func.count(case((and_(within, AskAnswer.answer == "yes"), 1)))]
    statement = (
        select(*columns)
        .select_from(AskAnswer)
        .join(Interaction, Interaction.id == AskAnswer.interaction_id)
        .where(AskAnswer.answer != "none", Interaction.starts_at >= bindparam("edge_0"))
    )
    return statement if is_everywhere else statement.where(_of_offices(AskAnswer))


def set_up(office_id: uuid.UUID) -> SetUp:
    """What an office has already. One statement, and those for what it lacks a rate of where it has no contacts."""

    def has(entity: Any, name: str, *also: ColumnElement[bool], least: int = 1) -> ColumnElement[bool]:
        return select(entity.id).where(entity.office_id == office_id, *also).limit(1).offset(least - 1).exists().label(name)

    found = db.session.execute(
        select(
            has(User, "colleagues", least=2),
            has(Party, "parties"),
            has(ImportBatch, "imports", ImportBatch.format != BULK),
            has(Programme, "programmes"),
            has(Interaction, "contacts"),
        )
    ).one()
    return SetUp(
        colleagues=bool(found.colleagues),
        parties=bool(found.parties),
        imports=bool(found.imports),
        programmes=bool(found.programmes),
        contacts=bool(found.contacts),
        without_rate=() if found.contacts else _without_rate(office_id),
    )


def _without_rate(office_id: uuid.UUID) -> tuple[str, ...]:
    """The currencies of an office's amounts that have no rate to its reporting currency on their day."""
    office = db.session.get_one(Office, office_id)
    today = clock.today(office.timezone)
    wanted = {
        (row.currency, min(row.on, today))
        for model, on, counts in ((Pledge, Pledge.pledged_on, ~Pledge.is_taken_back), (Agreement, Agreement.signed_on, true()))
        for row in db.session.execute(select(model.currency, on.label("on")).where(model.office_id == office_id, counts).distinct())
    }
    wanted |= {
        (code, today) for code in db.session.scalars(select(Requirement.currency).where(Requirement.office_id == office_id).distinct())
    }
    book = RateBook(office.reporting_currency, wanted)
    return tuple(sorted({code for code, on in wanted if book.find(code, on) is None}))
