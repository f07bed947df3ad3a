"""Posts apart from their holders: a minister leaves, the ministry's post, its commitments and its history stay."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from crm.db import db, transactional
from crm.errors import Invalid, NotFound
from crm.i18n import _
from crm.models.base import NAME_LENGTH, OFFICE, SENTENCE_LENGTH, SHARED, TEXT_LENGTH
from crm.models.parties import Party, Position, Tenure
from crm.policy import Actor, Permission, require
from crm.queries import parties, sheet_imports
from crm.queries import positions as found
from crm.queries.names import fold
from crm.services import fields
from crm.services.versions import check_version

_FIRST_YEAR, _LAST_YEAR = 1900, 2100


@dataclass(frozen=True)
class NewPosition:
    """A post in an organisation."""

    organisation_id: uuid.UUID
    title: str
    portfolio: str = ""


@dataclass(frozen=True)
class NewTenure:
    """Who holds a post, from when (and until when)."""

    position_id: uuid.UUID
    person_id: uuid.UUID
    starts_on: date | None = None
    ends_on: date | None = None
    form_of_address: str = ""
    biography: str = ""


@transactional
def add_position(actor: Actor, office_id: uuid.UUID, new: NewPosition) -> uuid.UUID:
    """Add a post to an organisation. It is as widely visible as the organisation. Invalid: organisation_id, title, portfolio."""
    require(actor, Permission.CONTACT_LOG, office_id)
    organisation = _party(new.organisation_id, "organisation_id")
    if organisation.form == "person":
        raise Invalid(_("Choose an organisation or group."), field="organisation_id")
    position = Position(
        office_id=office_id,
        visibility=organisation.visibility,
        organisation_id=organisation.id,
        title=fields.line(new.title, "title", NAME_LENGTH, needed=_("Enter the title of the post.")),
        portfolio=fields.text(new.portfolio, "portfolio", SENTENCE_LENGTH),
    )
    db.session.add(position)
    db.session.flush()
    return position.id


@transactional
def find_or_add_position(actor: Actor, office_id: uuid.UUID, new: NewPosition) -> uuid.UUID:
    """The organisation's post of this title (spelt alike), added where there is none."""
    require(actor, Permission.CONTACT_LOG, office_id)
    organisation = _party(new.organisation_id, "organisation_id")
    for position in found.positions_of(organisation.id):
        if fold(position.title) == fold(new.title):
            return position.id
    return add_position(actor, office_id, new)


@transactional
def edit_position(actor: Actor, position_id: uuid.UUID, version: int, *, title: str, portfolio: str) -> uuid.UUID:
    """Change a post's title or portfolio; its owner office only."""
    position = found.get(position_id)
    require(actor, Permission.CONTACT_LOG, position.office_id)
    yours: dict[str, object] = {
        "title": fields.line(title, "title", NAME_LENGTH, needed=_("Enter the title of the post.")),
        "portfolio": fields.text(portfolio, "portfolio", SENTENCE_LENGTH),
    }
    for field, value in check_version(position, version, yours).items():
        setattr(position, field, value)
    return position.id


@transactional
def add_tenure(actor: Actor, office_id: uuid.UUID, new: NewTenure) -> uuid.UUID:
    """Say who holds a post. Shared only where both the post and the person are. A second holder at once is allowed (deputies,
    joint heads). Invalid: position_id, person_id, starts_on, ends_on, form_of_address, biography."""
    require(actor, Permission.CONTACT_LOG, office_id)
    position = _position(new.position_id)
    person = _party(new.person_id, "person_id")
    if person.form != "person":
        raise Invalid(_("Only a person holds a post."), field="person_id")
    _check_days(new.starts_on, new.ends_on)
    is_shared = position.visibility == SHARED and person.visibility == SHARED
    tenure = Tenure(
        office_id=office_id,
        visibility=SHARED if is_shared else OFFICE,
        position_id=position.id,
        person_id=person.id,
        starts_on=new.starts_on,
        ends_on=new.ends_on,
        form_of_address=fields.line(new.form_of_address, "form_of_address", 200),
        biography=fields.text(new.biography, "biography", TEXT_LENGTH),
    )
    db.session.add(tenure)
    db.session.flush()
    return tenure.id


@transactional
def add_positions(actor: Actor, office_id: uuid.UUID, new: Sequence[NewPosition]) -> list[uuid.UUID]:
    """Add several posts, in their order, by the rules of `add_position`, to organisations and groups in scope: for imports."""
    require(actor, Permission.CONTACT_LOG, office_id)
    shared = parties.visibilities(sorted({one.organisation_id for one in new}))
    made = []
    for one in new:
        check_position(one.title, one.portfolio)
        position = Position(
            office_id=office_id,
            visibility=shared[one.organisation_id],
            organisation_id=one.organisation_id,
            title=fields.line(one.title, "title", NAME_LENGTH),
            portfolio=fields.text(one.portfolio, "portfolio", SENTENCE_LENGTH),
        )
        db.session.add(position)
        made.append(position.id)
    db.session.flush()
    return made


@transactional
def add_tenures(actor: Actor, office_id: uuid.UUID, new: Sequence[NewTenure]) -> list[uuid.UUID]:
    """Say who holds several posts, in their order, by the rules of `add_tenure`; the posts and people are in scope: for imports."""
    require(actor, Permission.CONTACT_LOG, office_id)
    shared = parties.visibilities(sorted({one.person_id for one in new})) | found.visibilities({one.position_id for one in new})
    made = []
    for one in new:
        check_tenure(one.starts_on, one.ends_on, one.form_of_address, one.biography)
        is_shared = shared[one.position_id] == SHARED and shared[one.person_id] == SHARED
        tenure = Tenure(
            office_id=office_id,
            visibility=SHARED if is_shared else OFFICE,
            position_id=one.position_id,
            person_id=one.person_id,
            starts_on=one.starts_on,
            ends_on=one.ends_on,
            form_of_address=fields.line(one.form_of_address, "form_of_address", 200),
            biography=fields.text(one.biography, "biography", TEXT_LENGTH),
        )
        db.session.add(tenure)
        made.append(tenure.id)
    db.session.flush()
    return made


@dataclass(frozen=True)
class HeldBy:
    """A person in a post of an organisation, by the post's title."""

    person_id: uuid.UUID
    organisation_id: uuid.UUID
    title: str
    starts_on: date | None = None
    form_of_address: str = ""


@transactional
def add_holders(actor: Actor, office_id: uuid.UUID, held: Sequence[HeldBy]) -> None:
    """Put several people into posts, each made where its organisation has none of that title: `find_or_add_position` and
    `add_tenure` for many at once, by the same rules. For imports."""
    require(actor, Permission.CONTACT_LOG, office_id)
    known = dict(sheet_imports.positions_in(one.organisation_id for one in held))
    ids = sorted({one.person_id for one in held} | {one.organisation_id for one in held})
    shared = dict(parties.visibilities(ids))
    for one in held:
        _check_days(one.starts_on, None)
        key = one.organisation_id, fold(one.title)
        if key in known:
            continue
        position = Position(
            office_id=office_id,
            visibility=shared[one.organisation_id],
            organisation_id=one.organisation_id,
            title=fields.line(one.title, "title", NAME_LENGTH, needed=_("Enter the title of the post.")),
        )
        db.session.add(position)
        known[key] = position.id
    db.session.flush()
    for one in held:
        is_shared = shared[one.person_id] == SHARED and shared[one.organisation_id] == SHARED
        db.session.add(
            Tenure(
                office_id=office_id,
                visibility=SHARED if is_shared else OFFICE,
                position_id=known[one.organisation_id, fold(one.title)],
                person_id=one.person_id,
                starts_on=one.starts_on,
                form_of_address=fields.line(one.form_of_address, "form_of_address", 200),
            )
        )
    db.session.flush()


@transactional
def begin_tenures(actor: Actor, office_id: uuid.UUID, begun: Mapping[tuple[uuid.UUID, str, str], date]) -> None:
    """Say since when posts of the office are held of which that is not known: (person, folded title, folded organisation) -> the day. For
    imports."""
    require(actor, Permission.CONTACT_LOG, office_id)
    for tenure, post in sheet_imports.undated_tenures(office_id, {person_id for person_id, _title, _body in begun}):
        if (starts_on := begun.get((tenure.person_id, *post))) is not None:
            _check_days(starts_on, tenure.ends_on)
            tenure.starts_on = starts_on
    db.session.flush()


@transactional
def edit_tenure(
    actor: Actor,
    tenure_id: uuid.UUID,
    version: int,
    *,
    starts_on: date | None,
    ends_on: date | None,
    form_of_address: str,
    biography: str,
) -> uuid.UUID:
    """Correct a tenure's days, form of address or biography; its owner office only."""
    tenure = found.tenure(tenure_id)
    require(actor, Permission.CONTACT_LOG, tenure.office_id)
    yours: dict[str, object] = {
        "starts_on": starts_on,
        "ends_on": ends_on,
        "form_of_address": fields.line(form_of_address, "form_of_address", 200),
        "biography": fields.text(biography, "biography", TEXT_LENGTH),
    }
    for field, value in check_version(tenure, version, yours).items():
        setattr(tenure, field, value)
    _check_days(tenure.starts_on, tenure.ends_on)
    return tenure.id


@transactional
def end_tenure(actor: Actor, tenure_id: uuid.UUID, version: int, ends_on: date) -> uuid.UUID:
    """Somebody leaves a post. Nothing else changes: commitments, asks and interactions stay with the post and its organisation."""
    tenure = found.tenure(tenure_id)
    require(actor, Permission.CONTACT_LOG, tenure.office_id)
    _check_days(tenure.starts_on, ends_on)
    for field, value in check_version(tenure, version, {"ends_on": ends_on}).items():
        setattr(tenure, field, value)
    return tenure.id


@transactional
def share_with(party: Party) -> None:
    """Let the posts and tenures of a party that becomes shared follow it. Part of services.parties.edit_party."""
    own = Position.office_id == party.office_id
    for position in db.session.scalars(select(Position).where(own, Position.organisation_id == party.id)):
        position.visibility = SHARED
    db.session.flush()
    touched = select(Tenure).join(Position, Position.id == Tenure.position_id)
    touched = touched.where(Tenure.office_id == party.office_id, (Tenure.person_id == party.id) | (Position.organisation_id == party.id))
    for tenure in db.session.scalars(touched):
        if tenure.position.visibility == SHARED and tenure.person.visibility == SHARED:
            tenure.visibility = SHARED


def check_position(title: str, portfolio: str) -> None:
    """Raise the `Invalid` that a post's own texts would be refused with: for a dry run."""
    fields.line(title, "title", NAME_LENGTH, needed=_("Enter the title of the post."))
    fields.text(portfolio, "portfolio", SENTENCE_LENGTH)


def check_tenure(starts_on: date | None, ends_on: date | None, form_of_address: str, biography: str) -> None:
    """Raise the `Invalid` that what a tenure says of itself would be refused with: for a dry run."""
    _check_days(starts_on, ends_on)
    fields.line(form_of_address, "form_of_address", 200)
    fields.text(biography, "biography", TEXT_LENGTH)


def check_days(starts_on: date | None, ends_on: date | None) -> None:
    """Raise the `Invalid` that the days of a tenure would be refused with."""
    _check_days(starts_on, ends_on)


def _check_days(starts_on: date | None, ends_on: date | None) -> None:
    for field, day in (("starts_on", starts_on), ("ends_on", ends_on)):
        if day is not None and not _FIRST_YEAR <= day.year <= _LAST_YEAR:
            raise Invalid(_("Enter a day between the years %(first)s and %(last)s.", first=_FIRST_YEAR, last=_LAST_YEAR), field=field)
    if starts_on is not None and ends_on is not None and ends_on < starts_on:
        raise Invalid(_("The end cannot be before the start."), field="ends_on")


def _party(party_id: uuid.UUID, field: str) -> Party:
    try:
        return parties.get(party_id)
    except NotFound as error:
        raise Invalid(_("Choose a party of the list."), field=field) from error


def _position(position_id: uuid.UUID) -> Position:
    try:
        return found.get(position_id)
    except NotFound as error:
        raise Invalid(_("Choose a post of the list."), field="position_id") from error
