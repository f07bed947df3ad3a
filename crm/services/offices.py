"""Offices: making and changing the tree."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from zoneinfo import available_timezones

from sqlalchemy import select

from crm.db import db, hold, transactional
from crm.errors import Conflict, Denied, Invalid, NotFound
from crm.i18n import LOCALES, _
from crm.models.offices import OFFICE_KINDS, Office
from crm.models.pledges import Agreement, Allocation, Pledge, Receipt
from crm.money import currency_in_use, known_currency
from crm.policy import Actor, Permission, all_offices, can, require, system_actor, unscoped
from crm.queries import offices as found
from crm.services.versions import check_version

_CODE = re.compile(r"[A-Z][A-Z0-9]{1,11}")


@dataclass(frozen=True)
class NewOffice:
    """What an office is made of."""

    code: str
    name: str
    kind: str
    parent_id: uuid.UUID | None
    currency: str
    timezone: str
    reporting_currency: str = "USD"
    language: str = "en"


def _check(office: NewOffice, *held: str) -> None:
    """Refuse what cannot be; `held`: the currencies the office has already."""
    errors: dict[str, list[str]] = {}
    if not _CODE.fullmatch(office.code):
        errors["code"] = [_("A code has 2 to 12 capital letters and digits, such as JOR.")]
    if not office.name.strip() or len(office.name) > 200:  # noqa: PLR2004
        errors["name"] = [_("Enter the office's name, at most 200 characters.")]
    if office.kind not in OFFICE_KINDS:
        errors["kind"] = [_("Choose headquarters, regional or country office.")]
    for field in ("currency", "reporting_currency"):
        code = getattr(office, field)
        if not known_currency(code):
            errors[field] = [_("Enter a currency's three-letter code, such as JOD.")]
        elif code not in held and not currency_in_use(code):
            errors[field] = [_("%(code)s is no longer in use. Choose the currency that took its place.", code=code)]
    if office.timezone not in available_timezones():
        errors["timezone"] = [_("Choose a known time zone, such as Asia/Amman.")]
    if office.language not in LOCALES:
        errors["language"] = [_("Choose one of the languages.")]
    if errors:
        raise Invalid(errors=errors)


@transactional
def create_office(actor: Actor, new: NewOffice) -> uuid.UUID:
    """Make an office below another, or the first one of all."""
    is_first = db.session.scalar(select(Office.id).limit(1)) is None
    if new.parent_id is None and not is_first and not actor.is_system:
        raise Invalid(_("Choose the office it belongs to."), field="parent_id")
    if not is_first or not actor.is_system:
        require(actor, Permission.OFFICE_MANAGE, new.parent_id)
    _check(new)
    if db.session.scalar(select(Office.id).where(Office.code == new.code)) is not None:
        raise Invalid(_("There is an office %(code)s already.", code=new.code), field="code")
    office = Office(
        code=new.code,
        name=new.name.strip(),
        kind=new.kind,
        parent_id=new.parent_id,
        currency=new.currency,
        reporting_currency=new.reporting_currency,
        timezone=new.timezone,
        language=new.language,
    )
    db.session.add(office)
    db.session.flush()
    if actor.is_system:
        bind_actor_again(actor)
    return office.id


def bind_actor_again(actor: Actor) -> None:
    """A system actor over all offices sees a new one at once."""
    if actor.covers_all:
        db.session.info["tl_actor"] = system_actor(all_offices())


@dataclass(frozen=True)
class OfficeInput:
    """What can be changed of an office; its code stands in every reference and stays, and so does its kind."""

    name: str
    currency: str
    reporting_currency: str
    timezone: str


@transactional
def change_office(actor: Actor, office_id: uuid.UUID, values: OfficeInput, *, version: int) -> uuid.UUID:
    """Change an office's name and settings. Its reporting currency stays once money is on record: rates that were agreed, amounts
    that the bank credited and allocations are in it.

    Raises `Invalid` by field, and `EditConflict` where somebody changed it since the form was opened."""
    office = _managed(actor, office_id)
    as_new = NewOffice(office.code, values.name, office.kind, office.parent_id, **_settings(values), language=office.language)
    _check(as_new, office.currency, office.reporting_currency)
    if values.reporting_currency != office.reporting_currency:
        db.session.refresh(office, with_for_update=True)  # money that is being recorded is waited for, and counts
        if has_money(office_id):
            raise Invalid(reporting_sentence(office), field="reporting_currency")
    with unscoped("whoever keeps an office knows its history"):
        kept = check_version(office, version, {"name": values.name.strip(), **_settings(values)})
    for name, value in kept.items():
        setattr(office, name, value)
    db.session.flush()
    return office.id


@transactional
def move_office(actor: Actor, office_id: uuid.UUID, parent_id: uuid.UUID, *, seen_parent_id: uuid.UUID | None) -> uuid.UUID:
    """Put an office, with those below it, below another. `seen_parent_id`: where it belonged when the person looked at what
    this would do; `Conflict` where that is no longer so.

    Who loses or gains sight of it has a role above it: so it needs the right over every office that it leaves or comes under."""
    office = _managed(actor, office_id)
    hold("office tree")
    db.session.expire_all()
    move = found.move_of(office_id, parent_id)
    if move.old_parent_id != seen_parent_id:
        raise Conflict(_("Somebody else moved this office meanwhile. Look at what the move would do now."))
    check_move(actor, move)
    office.parent_id = parent_id
    db.session.flush()
    if actor.is_system:
        bind_actor_again(actor)
    return office.id


def check_move(actor: Actor, move: found.Move) -> None:
    """Raise `Invalid` where an office cannot belong there, `Denied` where the actor may not move it there."""
    if move.parent is None:
        raise Invalid(_("Choose the office it belongs to."), field="parent_id")
    if move.parent.id in {office.id for office in move.offices}:
        raise Invalid(_("An office cannot belong to itself or to an office below it."), field="parent_id")
    if move.parent.id == move.old_parent_id:
        raise Invalid(_("It belongs there already."), field="parent_id")
    above = [office for office in (*move.leaves, *move.enters) if not can(actor, Permission.OFFICE_MANAGE, office.id)]
    if above or not can(actor, Permission.OFFICE_MANAGE, move.parent.id):
        names = ", ".join(office.code for office in above) or move.parent.code
        raise Denied(_("Moving this office changes who reads it in %(offices)s. Ask an administrator of all of these.", offices=names))


def has_money(office_id: uuid.UUID) -> bool:
    """Whether any money of an office is on record, whoever asks: promised, signed, received or allocated."""
    with unscoped("whether an office has money on record"):
        return any(
            db.session.scalar(select(table.id).where(table.office_id == office_id).limit(1)) is not None
            for table in (Pledge, Agreement, Receipt, Allocation)
        )


def reporting_sentence(office: Office) -> str:
    """Why the reporting currency stays."""
    return _(
        "Money of this office is on record, and agreed rates, bank amounts and allocations are in %(currency)s: it stays.",
        currency=office.reporting_currency,
    )


def _managed(actor: Actor, office_id: uuid.UUID) -> Office:
    office = db.session.get(Office, office_id)
    if office is None or (office_id not in actor.grants and not actor.is_system):
        raise NotFound(_("There is no such office."))
    require(actor, Permission.OFFICE_MANAGE, office_id)
    db.session.refresh(office)
    return office


def _settings(values: OfficeInput) -> dict[str, str]:
    return {name: getattr(values, name) for name in ("currency", "reporting_currency", "timezone")}
