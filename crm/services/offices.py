"""Offices: making and changing the tree."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from zoneinfo import available_timezones

from sqlalchemy import select

from crm.db import db, transactional
from crm.errors import Denied, Invalid, NotFound
from crm.i18n import LOCALES, _
from crm.models.offices import OFFICE_KINDS, Office
from crm.money import currency_in_use, known_currency
from crm.policy import Actor, Permission, all_offices, can, require, system_actor

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
        errors["timezone"] = [_("Enter a time zone such as Asia/Amman.")]
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


@transactional
def change_office(
    actor: Actor, office_id: uuid.UUID, *, name: str, currency: str, reporting_currency: str, timezone: str, language: str
) -> None:
    """Change an office's name and settings; its code, kind and place in the tree stay."""
    office = db.session.get(Office, office_id)
    if office is None:
        raise NotFound(_("There is no such office."))
    if not can(actor, Permission.OFFICE_MANAGE, office_id):
        raise Denied(_("Offices are managed by an administrator."))
    _check(
        NewOffice(office.code, name, office.kind, office.parent_id, currency, timezone, reporting_currency, language),
        office.currency,
        office.reporting_currency,
    )
    office.name, office.currency, office.reporting_currency = name.strip(), currency, reporting_currency
    office.timezone, office.language = timezone, language
