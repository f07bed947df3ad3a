"""Parties: making and editing people, organisations and groups; taking over those that a file reports; ways to reach them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from urllib.parse import urlsplit

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select

from crm import clock
from crm.data import countries, countries_by_iso2
from crm.db import among, db, transactional
from crm.errors import Invalid, NotFound
from crm.i18n import _
from crm.models.base import NAME_LENGTH, OFFICE, SENTENCE_LENGTH, SHARED, TEXT_LENGTH, VISIBILITIES
from crm.models.codes import PARTY_KINDS
from crm.models.parties import (
    CHANNEL_KINDS,
    FORMS,
    NAME_KINDS,
    Channel,
    Party,
    PartyDistinction,
    PartyIdentifier,
    PartyKind,
    PartyName,
)
from crm.policy import Actor, Permission, offices_where, require
from crm.queries import history
from crm.queries import parties as found
from crm.queries.names import fold
from crm.services import fields, positions, references
from crm.services.versions import check_version, touch

MOST_NAMES = 40


@dataclass(frozen=True)
class OtherName:
    """Another name: an alias, the name in its own script, a former name, an acronym."""

    name: str
    kind: str = "alias"


@dataclass(frozen=True)
class HeldPost:
    """The post in which a person is met: its title and organisation, or the name of one that is to be recorded with it."""

    title: str
    organisation_id: uuid.UUID | None = None
    new_organisation: str = ""
    starts_on: date | None = None
    form_of_address: str = ""


@dataclass(frozen=True)
class NewParty:
    """What is known of a party. `visibility` "" means as usual: organisations shared, people and groups of the office.
    `distinct_from`: those that it might have been taken for, and is not."""

    form: str
    name: str
    kinds: Sequence[str] = ()
    names: Sequence[OtherName] = ()
    country: str | None = None
    website: str = ""
    about: str = ""
    visibility: str = ""
    part_of_id: uuid.UUID | None = None
    post: HeldPost | None = None
    distinct_from: Sequence[uuid.UUID] = ()


@dataclass(frozen=True)
class NewChannel:
    """A way to reach a party. `distinct_from`: others who are reached there too, and are not the same."""

    kind: str
    value: str
    label: str = ""
    is_preferred: bool = False
    distinct_from: Sequence[uuid.UUID] = ()


def working_office(actor: Actor) -> uuid.UUID:
    """The office for which the actor records contacts: the home office where possible. Denied where there is none."""
    offices = offices_where(actor, Permission.CONTACT_LOG)
    if not offices:
        require(actor, Permission.CONTACT_LOG, actor.home_office_id)
    return offices[0]


@transactional
def create_party(actor: Actor, office_id: uuid.UUID, new: NewParty) -> uuid.UUID:
    """Record a party of an office; a person together with the post they hold (and its organisation), if given.

    Invalid names the field: form, name, kinds, aliases, country, website, about, visibility, part_of, post_title, post_organisation."""
    require(actor, Permission.CONTACT_LOG, office_id)
    party = _made(office_id, new, _checked(new), references.next_reference(office_id, "party"))
    db.session.flush()
    if new.post is not None:
        _take_post(actor, party, new.post)
    _tell_apart(office_id, ((party.id, other) for other in new.distinct_from))
    return party.id


def check_party(new: NewParty) -> None:
    """Raise the `Invalid` that `create_party` would raise for what a party says of itself: for a dry run. `part_of` and `post` are not looked at."""
    _checked(new)


@transactional
def create_parties(actor: Actor, office_id: uuid.UUID, new: Sequence[NewParty]) -> list[uuid.UUID]:
    """Record several parties of an office at once, in their order, by the rules of `create_party` but for their posts: for imports."""
    require(actor, Permission.CONTACT_LOG, office_id)
    if not new:
        return []
    numbers = references.next_references(office_id, "party", len(new))
    made = [_made(office_id, one, _checked(one), number) for one, number in zip(new, numbers, strict=True)]
    db.session.flush()
    return [party.id for party in made]


@dataclass(frozen=True)
class _CheckedParty:
    """A new party's fields in the form in which they are kept."""

    columns: dict[str, object]
    kinds: tuple[str, ...]
    names: list[OtherName]


def _checked(new: NewParty) -> _CheckedParty:
    form = fields.choice(new.form, "form", FORMS)
    visibility = fields.choice(new.visibility or _usual(form), "visibility", VISIBILITIES)
    name = _name(new.name)
    columns: dict[str, object] = {
        "visibility": visibility,
        "form": form,
        "name": name,
        "folded_name": fold(name),
        "country": _country(new.country),
        "website": _website(new.website),
        "about": fields.text(new.about, "about", TEXT_LENGTH),
    }
    return _CheckedParty(columns, _kinds(new.kinds), _names(new.names, name))


def _made(office_id: uuid.UUID, new: NewParty, checked: _CheckedParty, reference: str) -> Party:
    party = Party(office_id=office_id, reference=reference, part_of_id=_part_of(new.part_of_id, None), **checked.columns)
    _set_kinds(party, checked.kinds)
    _set_names(party, checked.names)
    db.session.add(party)
    return party


@transactional
def edit_party(actor: Actor, party_id: uuid.UUID, version: int, edit: NewParty) -> uuid.UUID:
    """Change a party's own fields; its owner office only. `edit.form` and `edit.post` are not looked at.

    A shared party stays shared: other offices may build on it. EditConflict as services.versions says; the fields are the
    columns and kinds, aliases, native_names, former_names, acronyms."""
    party = found.get(party_id)
    require(actor, Permission.CONTACT_LOG, party.office_id)
    visibility = fields.choice(edit.visibility or party.visibility, "visibility", VISIBILITIES)
    if party.visibility == SHARED and visibility != SHARED:
        raise Invalid(_("A shared party stays shared: other offices may already build on it."), field="visibility")
    name = _name(edit.name)
    yours: dict[str, object] = {
        "name": name,
        "country": _country(edit.country),
        "website": _website(edit.website),
        "about": fields.text(edit.about, "about", TEXT_LENGTH),
        "visibility": visibility,
        "part_of_id": _part_of(edit.part_of_id, party),
        "kinds": _kinds(edit.kinds, *(row.kind for row in party.kinds)),
    }
    names = _names(edit.names, name)
    for kind, label in NAME_FIELDS.items():
        yours[label] = tuple(sorted(other.name for other in names if other.kind == kind))
    values = check_version(party, version, yours, parts=_parts_then_and_now(party, version) if party.version != version else None)
    kinds = values.pop("kinds")
    other = [OtherName(text, kind) for kind, label in NAME_FIELDS.items() for text in values.pop(label)]  # type: ignore[attr-defined]
    was_shared = party.visibility == SHARED
    before = party.name
    for field, value in values.items():
        setattr(party, field, value)
    if party.name != before:
        party.folded_name = fold(party.name)
    is_changed = _set_kinds(party, kinds)  # type: ignore[arg-type]
    is_changed = _set_names(party, other) or is_changed
    if is_changed:
        touch(party)
    if party.visibility == SHARED and not was_shared:
        _share_parts(party)
    db.session.flush()
    _tell_apart(party.office_id, ((party.id, other) for other in edit.distinct_from))
    return party.id


@transactional
def change_kinds(actor: Actor, party_id: uuid.UUID, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> uuid.UUID:
    """Say that a party is something to us too, or is no more; its owner office only. The rest of it stays."""
    party = found.get(party_id)
    require(actor, Permission.CONTACT_LOG, party.office_id)
    held = [row.kind for row in party.kinds]
    kinds = _kinds([*(kind for kind in held if kind not in remove), *add], *held)
    if _set_kinds(party, kinds):
        touch(party)
    db.session.flush()
    return party.id


@transactional
def set_country(actor: Actor, party_id: uuid.UUID, country: str | None) -> uuid.UUID:
    """Say in which country a party is (two letters); its owner office only."""
    party = found.get(party_id)
    require(actor, Permission.CONTACT_LOG, party.office_id)
    party.country = _country(country)
    db.session.flush()
    return party.id


@transactional
def tell_apart(actor: Actor, office_id: uuid.UUID, pairs: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> None:
    """Remember for an office that two parties are not one, of each pair that is in scope: for imports. Nobody is asked about them again."""
    require(actor, Permission.CONTACT_LOG, office_id)
    _tell_apart(office_id, pairs)


def _tell_apart(office_id: uuid.UUID, pairs: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> None:
    asked = {(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}
    in_scope = found.visibilities(sorted({key for pair in asked for key in pair})) if asked else {}
    wanted = {pair for pair in asked if in_scope.keys() >= set(pair)}
    if not wanted:
        return
    held = db.session.execute(
        select(PartyDistinction.one_id, PartyDistinction.other_id).where(
            PartyDistinction.office_id == office_id, among(PartyDistinction.one_id, [one for one, _other in wanted])
        )
    )
    for one, other in sorted(wanted - {(row.one_id, row.other_id) for row in held}):
        db.session.add(PartyDistinction(office_id=office_id, one_id=one, other_id=other))
    db.session.flush()


NAME_FIELDS = {"alias": "aliases", "native": "native_names", "former": "former_names", "acronym": "acronyms"}


@transactional
def find_or_create_reported_organisation(
    actor: Actor,
    office_id: uuid.UUID,
    name: str,
    kinds: Iterable[str] = (),
    country: str | None = None,
    scheme: str = "fts",
    value: str = "",
) -> tuple[uuid.UUID, bool]:
    """The shared organisation that a source calls `value` (default: its name), made for the importing office where none is
    known: (id, whether it was made). Matched by identifier, else by exact name among shared organisations (domain.md 0.2).
    Look up all names of a file at once with queries.parties.reported_organisations, and call this for the rest only."""
    require(actor, Permission.IMPORT_CONTACTS, office_id)
    name = fields.line(name, "name", NAME_LENGTH, needed=_("A reported organisation has no name."))
    value = fields.line(value or name, "value", NAME_LENGTH)
    scheme = fields.line(scheme, "scheme", 20, needed=_("Say which register names this organisation."))
    known = found.reported_organisations(scheme, {value: name}).get(value)
    if known is not None:
        return known, False
    return _make_reported(office_id, scheme, [_Reported(value, name, tuple(kinds), _country(country))])[value], True


@transactional
def find_or_create_reported_organisations(
    actor: Actor, office_id: uuid.UUID, named: Mapping[str, Iterable[str]], *, scheme: str = "fts"
) -> dict[str, uuid.UUID]:
    """All organisations that a file names, at once: {name there: kinds} -> {name: party id}. Those on record are found with
    two statements a 400 names; the others are made together. See find_or_create_reported_organisation."""
    require(actor, Permission.IMPORT_CONTACTS, office_id)
    known = found.reported_organisations(scheme, {name: name for name in named})
    needed = _("A reported organisation has no name.")
    rest = [
        _Reported(name, fields.line(name, "name", NAME_LENGTH, needed=needed), tuple(kinds))
        for name, kinds in named.items()
        if name not in known
    ]
    return known | _make_reported(office_id, scheme, rest)


@dataclass(frozen=True)
class _Reported:
    """An organisation as a source reports it."""

    value: str
    name: str
    kinds: tuple[str, ...] = ()
    country: str | None = None


def _make_reported(office_id: uuid.UUID, scheme: str, rest: Sequence[_Reported]) -> dict[str, uuid.UUID]:
    if not rest:
        return {}
    made: dict[str, uuid.UUID] = {}
    numbers = references.next_references(office_id, "party", len(rest))
    for reported, reference in zip(rest, numbers, strict=True):
        party = Party(
            office_id=office_id,
            visibility=SHARED,
            reference=reference,
            form="organisation",
            name=reported.name,
            folded_name=fold(reported.name),
            country=reported.country,
        )
        _set_kinds(party, _kinds(reported.kinds))
        db.session.add(party)
        made[reported.value] = party.id
    db.session.flush()  # before the identifiers, which refer to the parties
    for value, party_id in made.items():
        db.session.add(PartyIdentifier(office_id=office_id, visibility=SHARED, party_id=party_id, scheme=scheme, value=value))
    db.session.flush()
    return made


# --- channels ------------------------------------------------------------------------------------------------------


@transactional
def add_channel(actor: Actor, party_id: uuid.UUID, new: NewChannel) -> uuid.UUID:
    """Note a way to reach a party, for one's own office only: never part of a shared party's public row."""
    party = found.get(party_id)
    office_id = working_office(actor)
    require(actor, Permission.CONTACT_LOG, office_id)
    kind = fields.choice(new.kind, "kind", CHANNEL_KINDS)
    channel = Channel(
        office_id=office_id,
        party_id=party.id,
        kind=kind,
        value=channel_value(kind, new.value, party.country),
        label=fields.line(new.label, "label", 100),
        is_preferred=new.is_preferred,
    )
    db.session.add(channel)
    db.session.flush()
    _tell_apart(office_id, ((party.id, other) for other in new.distinct_from))
    return channel.id


@transactional
def add_channels(actor: Actor, office_id: uuid.UUID, new: Sequence[tuple[uuid.UUID, str | None, NewChannel]]) -> None:
    """Note several ways to reach parties in scope, (party, its country, the channel), by the rules of `add_channel`: for imports."""
    require(actor, Permission.CONTACT_LOG, office_id)
    for party_id, country, one in new:
        kind = fields.choice(one.kind, "kind", CHANNEL_KINDS)
        value = channel_value(kind, one.value, country)
        label = fields.line(one.label, "label", 100)
        db.session.add(Channel(office_id=office_id, party_id=party_id, kind=kind, value=value, label=label, is_preferred=one.is_preferred))
    db.session.flush()


@transactional
def remove_channel(actor: Actor, channel_id: uuid.UUID) -> uuid.UUID:
    """Take a way to reach a party away; its history keeps that it was there. Returns the party's id."""
    channel = found.channel(channel_id)
    require(actor, Permission.CONTACT_LOG, channel.office_id)
    party_id = channel.party_id
    db.session.delete(channel)
    return party_id


def channel_value(kind: str, value: str, country: str | None) -> str:
    """A channel's value in its usual form: an address checked (nothing is sent), a number as +962 6 555 0101, a web address."""
    text = fields.text(value, "value", SENTENCE_LENGTH, needed=_("Enter the address or number."), lines=kind == "address")
    if kind == "email":
        return _email(text)
    if kind in ("phone", "mobile"):
        return _phone(text, country)
    if kind == "web":
        return _web_address(text, "value")
    return text


@lru_cache(maxsize=2_000)  # an import checks an address, and then keeps it
def _email(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise Invalid(_("Enter an e-mail address like name@example.org."), field="value") from error


@lru_cache(maxsize=2_000)
def _phone(text: str, country: str | None) -> str:
    try:
        number = phonenumbers.parse(text[:60], country)
    except phonenumbers.NumberParseException as error:
        raise Invalid(_("Enter the number with its country code, like +962 6 555 0101."), field="value") from error
    if not _is_in_digits(text, number):
        raise Invalid(_("Enter the number in digits, without words beside it."), field="value")
    if not phonenumbers.is_possible_number(number):
        raise Invalid(_("This number is too short or too long. Enter it with its country code, like +962 6 555 0101."), field="value")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _is_in_digits(text: str, number: phonenumbers.PhoneNumber) -> bool:
    """Whether a number stands in its digits, or in the capitals of a valid one that is dialled by letters (1-800-FLOWERS). The library takes
    the letters of “079 77 (old)” for digits too."""
    digits = phonenumbers.normalize_digits_only(text[:60])
    if digits.endswith(f"{number.national_number}{number.extension or ''}"):
        return True
    return not any(map(str.islower, text)) and phonenumbers.is_valid_number(number)


# --- single fields --------------------------------------------------------------------------------------------------


def _usual(form: str) -> str:
    return SHARED if form == "organisation" else OFFICE


def _name(text: str) -> str:
    name = fields.line(text, "name", NAME_LENGTH, needed=_("Enter a name."))
    if not fold(name):
        raise Invalid(_("Enter a name that can be read."), field="name")
    return name


def _country(code: str | None) -> str | None:
    if not code:
        return None
    if code in countries():  # a file's three letters
        return countries()[code].iso2
    return fields.choice(code, "country", countries_by_iso2())


def _website(text: str) -> str:
    text = fields.line(text, "website", 300)
    return _web_address(text, "website") if text else ""


def _web_address(text: str, field: str) -> str:
    address = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(address)
        is_good = parts.scheme in ("http", "https") and "." in (parts.hostname or "") and not any(c.isspace() for c in address)
    except ValueError:
        is_good = False
    if not is_good or len(address) > 300:  # noqa: PLR2004 - the column's length
        raise Invalid(_("Enter a web address like https://example.org."), field=field)
    return address


def _kinds(kinds: Sequence[str], *held: str) -> tuple[str, ...]:
    for kind in kinds:
        fields.code(PARTY_KINDS, kind, clock.today(), *held, field="kinds")
    return tuple(sorted(set(kinds)))


def _names(names: Sequence[OtherName], name: str) -> list[OtherName]:
    kept: dict[str, OtherName] = {}
    for other in names:
        field = NAME_FIELDS[fields.choice(other.kind, "aliases", NAME_KINDS)]
        text = fields.line(other.name, field, NAME_LENGTH)
        if text and text != name and text not in kept:
            kept[text] = OtherName(text, other.kind)
    if len(kept) > MOST_NAMES:
        raise Invalid(_("Keep at most %(n)s other names.", n=MOST_NAMES), field="aliases")
    return list(kept.values())


def _part_of(part_of_id: uuid.UUID | None, party: Party | None) -> uuid.UUID | None:
    if part_of_id is None:
        return None
    try:
        above: Party | None = found.get(part_of_id)
    except NotFound as error:
        raise Invalid(_("Choose an organisation or group of the list."), field="part_of") from error
    seen: set[uuid.UUID] = set()
    while above is not None and above.id not in seen:
        if party is not None and above.id == party.id:
            raise Invalid(_("A party cannot be part of itself."), field="part_of")
        seen.add(above.id)
        above = above.part_of
    return part_of_id


# --- parts -----------------------------------------------------------------------------------------------------------


def _set_kinds(party: Party, kinds: Sequence[str]) -> bool:
    now = {row.kind: row for row in party.kinds}
    for kind, row in now.items():
        if kind not in kinds:
            party.kinds.remove(row)
            db.session.delete(row)  # at once, so that the history sees it
    for kind in kinds:
        if kind not in now:
            party.kinds.append(PartyKind(office_id=party.office_id, visibility=party.visibility, party_id=party.id, kind=kind))
    return set(now) != set(kinds)


def _set_names(party: Party, names: Sequence[OtherName]) -> bool:
    now = {row.name: row for row in party.names}
    wanted = {other.name: other for other in names}
    is_changed = False
    for name, row in now.items():
        if name not in wanted:
            party.names.remove(row)
            db.session.delete(row)
            is_changed = True
    for name, other in wanted.items():
        if name in now:
            is_changed = is_changed or now[name].kind != other.kind
            now[name].kind = other.kind
        else:
            is_changed = True
            party.names.append(
                PartyName(
                    office_id=party.office_id,
                    visibility=party.visibility,
                    party_id=party.id,
                    kind=other.kind,
                    name=name,
                    folded_name=fold(name),
                )
            )
    return is_changed


def _parts_then_and_now(party: Party, version: int) -> dict[str, tuple[object, object]]:
    kinds = {(row.kind,) for row in party.kinds}
    names = {(row.kind, row.name) for row in party.names}
    kinds_then = history.parts_at(party, "party_kinds", version, kinds, ("kind",))
    names_then = history.parts_at(party, "party_names", version, names, ("kind", "name"))
    parts: dict[str, tuple[object, object]] = {
        "kinds": (tuple(sorted(kind for (kind,) in kinds_then)), tuple(sorted(kind for (kind,) in kinds)))
    }
    for kind, label in NAME_FIELDS.items():
        parts[label] = (
            tuple(sorted(name for its, name in names_then if its == kind)),
            tuple(sorted(name for its, name in names if its == kind)),
        )
    return parts


def _share_parts(party: Party) -> None:
    parts: list[PartyKind | PartyName | PartyIdentifier] = [*party.kinds, *party.names, *found.identifiers(party.id)]
    for part in parts:
        part.visibility = SHARED
    positions.share_with(party)


def _take_post(actor: Actor, person: Party, post: HeldPost) -> None:
    if person.form != "person":
        raise Invalid(_("Only a person holds a post."), field="post_title")
    organisation_id = post.organisation_id
    title = fields.line(post.title, "post_title", NAME_LENGTH, needed=_("Enter the title of the post."))
    if organisation_id is None:
        name = fields.line(post.new_organisation, "post_organisation", NAME_LENGTH, needed=_("Enter the organisation of the post."))
        organisation_id = create_party(actor, person.office_id, NewParty("organisation", name))
    try:
        position_id = positions.find_or_add_position(actor, person.office_id, positions.NewPosition(organisation_id, title))
        tenure = positions.NewTenure(position_id, person.id, starts_on=post.starts_on, form_of_address=post.form_of_address)
        positions.add_tenure(actor, person.office_id, tenure)
    except Invalid as error:
        names = {
            "organisation_id": "post_organisation",
            "title": "post_title",
            "starts_on": "post_from",
            "form_of_address": "post_address",
        }
        raise Invalid(errors={names.get(field, field): texts for field, texts in error.errors.items()}) from error
