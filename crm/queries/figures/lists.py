"""Totals under lists, per currency: the whole list as filtered, not only the page shown. Stages are never added up (M2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from crm.db import db
from crm.models.pledges import Pledge
from crm.money import Money, from_minor
from crm.queries.offices import Days
from crm.queries.pledges import PledgeFilter, matching


@dataclass(frozen=True)
class PledgeTotal:
    """What a list of pledges comes to in one currency: announced first, and outstanding now."""

    currency: str
    count: int
    announced: Money
    outstanding: Money


def pledge_totals(filters: PledgeFilter, today: date | Days) -> list[PledgeTotal]:
    """The totals of a filtered list by currency, in the order of the codes. One statement."""
    rows = db.session.execute(
        select(
            Pledge.currency,
            func.count().label("records"),
            func.sum(Pledge.announced_minor).label("announced"),
            func.sum(Pledge.outstanding_minor).label("outstanding"),
        )
        .where(*matching(filters, today))
        .group_by(Pledge.currency)
        .order_by(Pledge.currency)
    )
    return [
        PledgeTotal(row.currency, row.records, from_minor(int(row.announced), row.currency), from_minor(int(row.outstanding), row.currency))
        for row in rows
    ]
