"""Ready-made money for tests: a donor, a programme, the real ECB history, and the worked case of domain section 3."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from crm.db import db, transactional
from crm.exchange.rates import ecb_history
from crm.models.offices import Office
from crm.models.parties import Party
from crm.money import Money
from crm.policy import Actor
from crm.services import agreements, pledges, programmes, rates, receipts
from crm.services.references import next_reference


def office(code: str = "JOR") -> uuid.UUID:
    return db.session.scalars(select(Office.id).where(Office.code == code)).one()


def eur(amount: str | int) -> Money:
    return Money(Decimal(amount), "EUR")


def usd(amount: str | int) -> Money:
    return Money(Decimal(amount), "USD")


@transactional
def donor(actor: Actor, name: str = "Ministry of Northland", code: str = "JOR", visibility: str = "shared") -> uuid.UUID:
    party = Party(
        office_id=office(code),
        visibility=visibility,
        reference=next_reference(office(code), "party"),
        form="organisation",
        name=name,
        folded_name=name.casefold(),
    )
    db.session.add(party)
    db.session.flush()
    return party.id


def programme(actor: Actor, title: str = "Clinics in the dry season", code: str = "JOR", **values: object) -> uuid.UUID:
    values.setdefault("starts_on", date(2022, 1, 1))
    return programmes.create_programme(actor, programmes.ProgrammeInput(title=title, office_id=office(code), **values))


def ecb(actor: Actor, since: date = date(2022, 1, 1)) -> rates.Counts:
    return rates.apply_sheets(actor, ecb_history(since=since))


def line(amount: Money, due: date | None, when: str = "") -> pledges.PlanLine:
    return pledges.PlanLine(amount, due, when)


def pledge(actor: Actor, donor_id: uuid.UUID, amount: Money | None = None, **values: object) -> uuid.UUID:
    values.setdefault("pledged_on", date(2022, 9, 21))
    return pledges.record_pledge(actor, pledges.NewPledge(office("JOR"), donor_id, eur(10_000_000) if amount is None else amount, **values))


def agreement(actor: Actor, amount: Money | None = None, **values: object) -> uuid.UUID:
    values.setdefault("signed_on", date(2022, 12, 15))
    values.setdefault("title", "Support to clinics")
    return agreements.sign_agreement(actor, agreements.NewAgreement(eur(9_000_000) if amount is None else amount, **values))


def receipt(actor: Actor, amount: Money, on: date, **values: object) -> uuid.UUID:
    return receipts.record_receipt(actor, receipts.NewReceipt(amount, on, **values))


WORKED_PLAN = (
    line(eur(4_500_000), date(2023, 3, 31)),
    line(eur(3_000_000), date(2023, 9, 30)),
    line(eur(1_500_000), date(2024, 1, 31)),
    line(eur(1_000_000), date(2024, 6, 30)),
)
