"""Spreadsheets of parties: rows compared with what is on record, and written through the same services as typed input.

A row is taken whole or not at all. Nothing that a file leaves out is taken away; the same file twice changes nothing.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

from crm.data import countries_by_iso2
from crm.db import db
from crm.i18n import _
from crm.models.base import NAME_LENGTH, TEXT_LENGTH
from crm.models.imports import ImportChange
from crm.models.notes import Note
from crm.models.offices import Office
from crm.models.parties import Channel, Party, PartyDistinction, PartyKind, PartyName, Position, Tenure
from crm.policy import Actor
from crm.queries import sheet_imports as found
from crm.queries.likeness import words
from crm.queries.names import fold, is_none_word, says_none
from crm.queries.sheet_imports import KnownParty, NewContact
from crm.services import fields, notes, parties, positions
from crm.services.import_kinds import ByChunk, Outcome, Reject, Sample
from crm.services.parties import NewChannel, NewParty, OtherName
from crm.services.sheet_alike import RowsAlike, is_better
from crm.services.sheet_channels import CALLED, CHANNELS, channels_of, could_be_of, is_called_from_anywhere
from crm.services.sheet_contact_rows import (
    NOBODY,
    also_called,
    employed_by_nobody,
    employer,
    full_name,
    is_reference,
    kept_of_post,
    kinds_of,
    nobody,
    other_names,
    refuse_doubtful_form,
)
from crm.services.sheet_employers import Employers, Met
from crm.services.sheet_imports import Problems, RowRefused, SheetOptions, SheetRow, acting, calling_country, note_level
from crm.services.sheet_told import Told
from crm.services.sheet_twins import TwinsSaid

#: Fields of a refused party, as the services call them, and as the columns of a sheet do.
_COLUMN_OF = {
    "native_names": "native",
    "former_names": "former",
    "value": "email",
    "title": "post_title",
    "starts_on": "post_since",
    "form_of_address": "form_of_address",
    "body": "note",
}
_SHOWN = 200
#: One for all: a dry run keeps every party that the file would make.
_NOTHING: frozenset[Any] = frozenset()
#: Fields that say together of which form a party is.
_OF_FORM = frozenset({"form", "kinds"})
#: Fields of which a party has one.
_FIELDS = ("country", "website", "about")


@dataclass(slots=True)
class _Contact:
    """A row that passed every check that needs no other record."""

    row: SheetRow
    party: NewParty
    channels: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    reference: str = ""
    title: str = ""
    organisation: str = ""
    part_of: str = ""
    since: date | None = None
    address: str = ""
    is_sure_of_form: bool = True
    is_nameless: bool = False
    torn: int = 0  # e-mail addresses that were written with a blank or (at)
    worded: int = 0  # telephone numbers with words beside them
    wordy: int = 0  # telephone cells that hold words and no number
    unsure: int = 0  # telephone numbers that their country does not give out
    match: KnownParty | None = None
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    emails: tuple[str, ...] = ()
    spelt: tuple[tuple[str, str], ...] = ()  # organisations as the row has them, and as a person said they are called
    at: str = ""  # the organisation of the post as posts on record name it, folded
    twin: str = ""  # the earlier row, or the reference of the record, that a person said it is one with
    aside: list[str] = field(default_factory=list)  # what it says otherwise than that one
    begun: tuple[str, str] | None = None  # the post on record, folded, whose first day it says
    could_be_ours: bool = False  # a number without a country code is read as of the row's country, and would be one of the file's too

    @property
    def folded(self) -> str:
        return fold(self.party.name)


class _Like(NamedTuple):
    """What a new row is like: in words, the references and earlier rows, and whether both name and address say that it is the one earlier row."""

    words: str
    others: list[str]
    is_sure: bool = False


class Parties(ByChunk[SheetRow]):
    """People, organisations and groups."""

    lets_go = (Party, PartyDistinction, PartyKind, PartyName, Channel, Position, Tenure, Note, ImportChange)

    def __init__(self, options: SheetOptions) -> None:
        self.options = options
        self._made: dict[str, list[KnownParty]] = defaultdict(list)
        # Kept for every row of a file, so as little as will do. Key of a party -> field, value and row, one after the other.
        self._said: dict[int, tuple[Any, ...]] = {}
        self._regions: dict[uuid.UUID, str | None] = {}
        self._alike = RowsAlike()
        self._said_of = TwinsSaid(options.twins, options.parted)
        self._told = Told()
        self._employers = Employers(options.employers, options.employers_apart)

    def take(self, office_id: uuid.UUID, records: Sequence[SheetRow], outcome: Outcome, *, is_writing: bool) -> None:
        """Judge some rows, write them where told so, and count them."""
        actor = acting()
        region = self._region(office_id)
        self._employers.country = office_country.name if region and (office_country := countries_by_iso2().get(region)) else ""
        rejects: list[Reject] = []
        contacts: list[_Contact] = []
        for row in records:
            try:
                contacts.append(self._read(row, region))
            except RowRefused as error:
                rejects.append(self._reject(row, error))
        known = self._known(office_id, contacts)
        organisations = self._organisations(office_id, contacts)
        pending: list[KnownParty] = []
        taken: list[_Contact] = []
        for contact in contacts:
            try:
                self._place(contact, known, organisations)
                self._compare(office_id, contact, organisations, known, pending)
            except RowRefused as error:
                rejects.append(self._reject(contact.row, error))
            else:
                taken.append(contact)
                self._said_of.note(contact.row.row_number, contact.twin, contact.match, contact.aside, makes=_makes(contact))
                self._tell(contact)
        self._note_organisations(office_id, taken, organisations, is_writing=is_writing)
        new = {id(one) for one in pending}
        doubles = self._doubles(office_id, [one for one in taken if one.twin or (id(one.match) in new and _makes(one))])
        if is_writing:
            self._write(actor, office_id, taken, pending, organisations)
            self._tell_apart(actor, office_id, [one for one in taken if id(one.match) in new and _makes(one)])
            self._alike.forget_names()
        else:  # what is written is found on record by later rows
            for one in pending:
                self._made[fold(one.name)].append(one)
        self._remember(contact.match for contact in taken)
        self._count(taken, pending, doubles, rejects, outcome)

    def _tell(self, contact: _Contact) -> None:
        """Count what is worth knowing of a row that is taken."""
        told, row = self._told, contact.row.row_number
        told.nameless += contact.is_nameless
        told.worded += contact.worded
        told.torn += contact.torn
        told.wordy += contact.wordy
        told.elsewhere += [row] * contact.could_be_ours
        told.unsure += [row] * bool(contact.unsure)
        told.shared += contact.party.form == "organisation" and _makes(contact)

    def recall(self, office_id: uuid.UUID, records: Sequence[SheetRow]) -> None:
        """As every kind; a row that is not on record after all was refused by the database, and makes nobody."""
        super().recall(office_id, records)
        self._said_of.forget_unfound()
        self._made.clear()
        self._alike.forget_names()

    def further(self, office_id: uuid.UUID, record: SheetRow, unread: Collection[str]) -> Sequence[tuple[str, str]]:
        """As every kind. What follows from a field that could not be read is left out."""
        of_country = (kind for kind in CALLED if not is_called_from_anywhere(record, kind)) if "country" in unread else ()
        follows = {*unread, *(_OF_FORM if _OF_FORM & set(unread) else ()), *of_country}
        try:
            self._read(record, self._region(office_id))
        except RowRefused as error:
            return [(name, sentence) for name, sentence in ((error.name, error.sentence), *error.also) if name not in follows]
        return ()

    # --- reading a row -----------------------------------------------------------------------------------------------

    def _region(self, office_id: uuid.UUID) -> str | None:
        """The country of numbers without a country code, found once for a file."""
        if office_id not in self._regions:
            self._regions[office_id] = self.options.country or calling_country(db.session.get_one(Office, office_id))
        return self._regions[office_id]

    def _reject(self, row: SheetRow, error: RowRefused) -> Reject:
        headings = self.options.headings
        also = tuple((headings.get(name, ""), sentence) for name, sentence in error.also)
        return Reject(row.row_number, headings.get(error.name, ""), error.sentence, row.raw, also)

    def _read(self, row: SheetRow, region: str | None) -> _Contact:
        name, spelt = full_name(row), (employer(row, "post_organisation"), employer(row, "part_of"))
        meant = (self._employers.meant(spelt[0]), self._employers.meant(spelt[1]))
        organisation, part_of = meant
        said_reference = ""
        kinds, told = kinds_of(row)
        form = told or self.options.form
        problems = Problems(_COLUMN_OF)
        if "??" in name:
            problems.add(
                "name", _("Letters of this name were lost when the file was saved. Write the name, or save the list as a workbook again.")
            )
        if is_none_word(name) or fold(name) in NOBODY:
            problems.add("name", nobody(name, row))
        with problems:
            refuse_doubtful_form(row)
        title = "" if says_none(row.text("post_title")) else row.text("post_title")
        is_nameless = bool(not name and organisation)
        if is_nameless and title:
            problems.add("name", _("The row has no name. Write who holds the post “%(title)s”, or leave the post out.", title=title))
        if is_nameless:
            name, organisation, form = organisation, "", "organisation"
            if is_reference(name):  # that of a record, as a person said of the name
                name, said_reference = spelt[0], name
        country = row.text("country") or None
        party = NewParty(
            form=form,
            name=name,
            kinds=kinds,
            names=other_names(row),
            country=country,
            website=row.text("website"),
            about=row.text("about"),
        )
        with problems:
            parties.check_party(party)
        reached = channels_of(row, country or region, problems)
        said = [*row.several("note"), *reached.beside, *reached.wordy, *employed_by_nobody(row)]
        if form != "person" or not (title and organisation):
            said += kept_of_post(row, title)
            part_of, organisation, title = part_of or organisation, "", ""
        if fold(part_of) == fold(name):  # nothing is a part of itself
            part_of = ""
        address, bodies = "", tuple[str, ...]()
        with problems:
            fields.line(title, "post_title", NAME_LENGTH)
        with problems:
            fields.line(organisation or part_of, "post_organisation", NAME_LENGTH)
        with problems:
            address = fields.line(row.text("form_of_address"), "form_of_address", 200)
        with problems:
            bodies = tuple(fields.text(text, "note", TEXT_LENGTH) for text in said)
        with problems:
            positions.check_days(row.day("post_since"), None)
        problems.refuse()
        return _Contact(
            row=row,
            party=party,
            channels=reached.channels,
            notes=tuple(dict.fromkeys(body for body in bodies if body)),
            reference=self._said_of.reference(row.row_number) or row.text("reference").upper() or said_reference,
            twin=self._said_of.twin(row.row_number),
            title=title,
            spelt=tuple((text, other) for text, other in zip(spelt, meant, strict=True) if text != other),
            emails=tuple(value for kind, value in reached.channels if kind == "email"),
            organisation=organisation,
            part_of=part_of,
            since=row.day("post_since"),
            address=address,
            is_sure_of_form=bool(told),
            is_nameless=is_nameless,
            torn=reached.joined,
            worded=len(reached.beside),
            wordy=len(reached.wordy),
            unsure=reached.unsure,
            could_be_ours=bool(country and region and country != region and could_be_of(row, region)),
        )

    # --- what is on record -------------------------------------------------------------------------------------------

    def _known(self, office_id: uuid.UUID, contacts: Sequence[_Contact]) -> dict[str, list[KnownParty]]:
        """Folded name (or reference) -> who has it: on record, and made by earlier rows of this file."""
        targets = [one for one in (self._said_of.target(contact.twin) for contact in contacts) if one]
        names = {contact.folded for contact in contacts} | {fold(one.name) for one in targets}
        references = {contact.reference for contact in contacts if contact.reference}
        found_now = found.known_parties(office_id, names, references, {one.id for one in targets if one.id is not None})
        known: dict[str, list[KnownParty]] = defaultdict(list)
        for one in found_now:
            if one.id is not None:
                said = iter(self._said.get(one.id.int, ()))
                one.said = {name: (value, row) for name, value, row in zip(said, said, said, strict=True)}
            known[fold(one.name)].append(one)
            known[one.reference].append(one)
            known[str(one.id)].append(one)
        held = {one.id for one in found_now}
        for name in names:
            known[name].extend(one for one in self._made.get(name, ()) if one.id is None or one.id not in held)
        return known

    def _remember(self, parties_of_rows: Iterable[KnownParty | None]) -> None:
        """Keep what this file said so far of parties on record."""
        for one in parties_of_rows:
            if one is not None and one.id is not None and (said := [(name, *told) for name, told in one.said.items() if name]):
                self._said[one.id.int] = tuple(chain.from_iterable(said))

    def _organisations(self, office_id: uuid.UUID, contacts: Sequence[_Contact]) -> dict[str, list[found.Named]]:
        texts = {text for contact in contacts for text in (contact.organisation, contact.part_of) if text}
        return found.parties_named(office_id, texts, forms=("organisation", "group"))

    def _place(self, contact: _Contact, known: Mapping[str, list[KnownParty]], organisations: Mapping[str, list[found.Named]]) -> None:
        """Find the party on record that a row is about, if there is one."""
        for name, text in (("post_organisation", contact.organisation), ("part_of", contact.part_of)):
            if text and len(organisations.get(text, ())) > 1:
                listed = ", ".join(one.reference for one in organisations[text][:6])
                raise RowRefused(
                    name, _("Several have this name. Write the reference of the one you mean: %(references)s.", references=listed)
                )
            if is_reference(text) and not organisations.get(text):
                raise RowRefused(name, _("No organisation that you can name here has the reference %(reference)s.", reference=text))
        contact.at = _name_on_record(contact.organisation, organisations)
        if contact.twin.isdecimal() and (twin := self._said_of.among(contact.twin, known)) is not None:
            _refuse_two_forms(twin, contact)
            contact.match = twin
            return
        if contact.reference:
            referred = [one for one in known.get(contact.reference, ()) if one.reference == contact.reference]
            if referred:
                if contact.twin:
                    _refuse_two_forms(referred[0], contact)
                contact.match = referred[0]
                return
            self._told.unknown_references += 1
        alike = [one for one in known.get(contact.folded, ()) if one.form == contact.party.form]
        alike = [one for one in alike if not _differs(one, contact)]
        best = max((_likeness(one, contact) for one in alike), default=0)
        alike = [one for one in alike if _likeness(one, contact) == best]
        if len(alike) > 1:
            listed = ", ".join(one.reference or _("row %(row)s", row=_first_row(one)) for one in alike[:6])
            raise RowRefused(
                "name",
                _(
                    "Several have this name, and the row does not say which is meant: %(references)s. Give the reference.",
                    references=listed,
                ),
            )
        contact.match = alike[0] if alike else None

    def _compare(
        self,
        office_id: uuid.UUID,
        contact: _Contact,
        organisations: Mapping[str, list[found.Named]],
        known: dict[str, list[KnownParty]],
        pending: list[KnownParty],
    ) -> None:
        """Note what a row would change on its party, and take it as changed for the rows after it; without a party it is a new one."""
        one = contact.match
        post = (fold(contact.title), contact.at)
        if one is None:
            made = _planned(office_id, contact)
            contact.match = made
            known[contact.folded].append(made)
            pending.append(made)
            return
        is_own = one.office_id == office_id
        contact.part_of = _part_of_another(contact.part_of, one, organisations)
        if not contact.twin and (first := _first_row(one)):
            self._told.met_again[contact.row.row_number] = first
        if one.id is None and is_better(contact.party.name, one.name):
            if _words(one.name) != _words(contact.party.name):
                one.names = (*one.names, ("alias", one.name))[: parties.MOST_NAMES]
            one.name = contact.party.name
            known[contact.folded].append(one)
        if contact.twin and _words(contact.party.name) not in {_words(name) for name in (one.name, *(name for _kind, name in one.names))}:
            contact.party = replace(contact.party, names=[*contact.party.names, OtherName(contact.party.name)])
        fresh = _compare_fields(contact, one, is_own=is_own)
        if is_own:
            self._compare_parts(contact, one, fresh, organisations)
        else:
            self._keep_part_of(contact, one, organisations)
        channels = tuple(channel for channel in contact.channels if channel not in one.channels)
        bodies = tuple(body for body in contact.notes if body not in one.notes)
        contact.changes += [(kind, "", value) for kind, value in channels] + [("note", "", body[:_SHOWN]) for body in bodies]
        if contact.title and post not in one.posts:
            contact.changes.append(("post_title", "", f"{contact.title}, {_shown(contact.organisation, organisations)}"))
        else:
            if contact.title and contact.since is not None:
                self._compare_start(contact, one, post, is_own=is_own)
            contact.title = contact.organisation = ""
        contact.channels, contact.notes = channels, bodies
        for name, value in fresh.items():
            setattr(one, name, value)
        one.channels |= frozenset(channels)
        one.notes |= frozenset(bodies)
        if contact.title:
            one.posts = {**one.posts, post: contact.since}

    def _compare_start(self, contact: _Contact, one: KnownParty, post: tuple[str, str], *, is_own: bool) -> None:
        """Since when a post is held that is known already: taken where no day is, else the day on record stays, and that is said."""
        held = one.posts[post]
        if held is None and is_own:
            contact.begun = post
            contact.changes.append(("post_since", "", str(contact.since)))
            one.posts = {**one.posts, post: contact.since}
        elif held != contact.since:
            contact.aside.append("post_since")
            self._told.other_starts += not contact.twin

    def _compare_parts(
        self, contact: _Contact, one: KnownParty, fresh: dict[str, Any], organisations: Mapping[str, list[found.Named]]
    ) -> None:
        new = contact.party
        kinds = sorted(set(new.kinds) - one.kinds)
        held = {name for _kind, name in one.names} | {one.name}
        names = [other for other in new.names if other.name not in held]
        if names and len(one.names) + len(names) > parties.MOST_NAMES:
            raise RowRefused("aliases", _("Keep at most %(n)s other names.", n=parties.MOST_NAMES))
        if kinds:
            fresh["kinds"] = one.kinds | set(kinds)
            contact.changes.append(("kinds", ", ".join(sorted(one.kinds)), ", ".join(sorted(fresh["kinds"]))))
        if names:
            fresh["names"] = (*one.names, *((other.kind, other.name) for other in names))
            contact.changes += [("aliases", "", other.name) for other in names]
        if contact.part_of and one.id is not None and one.part_of_id is None and "part_of" not in one.said:
            one.said["part_of"] = fold(contact.part_of), contact.row.row_number
            contact.changes.append(("part_of", "", _shown(contact.part_of, organisations)))
        else:
            self._keep_part_of(contact, one, organisations)

    def _keep_part_of(self, contact: _Contact, one: KnownParty, organisations: Mapping[str, list[found.Named]]) -> None:
        """An organisation that a row names and its party cannot have is kept as a note, unless it has it in some way."""
        named, contact.part_of = contact.part_of, ""
        above = organisations.get(named, ()) if named else ()
        held = {organisation for _title, organisation in one.posts} | {one.said.get("part_of", ("", 0))[0]}
        if named and _name_on_record(named, organisations) not in held and not (above and above[0].id == one.part_of_id):
            contact.notes = (*contact.notes, _("Organisation: %(name)s", name=_shown(named, organisations)))

    def _note_organisations(
        self, office_id: uuid.UUID, taken: Sequence[_Contact], organisations: Mapping[str, list[found.Named]], *, is_writing: bool
    ) -> None:
        """Organisations of posts that are neither on record nor rows of the file: recorded with the people, and said so. Before anything is
        written, those that may be another one are found."""
        listed = {contact.folded for contact in taken if contact.party.form != "person"}
        met: list[Met] = []
        for contact in taken:
            row, emails = contact.row.row_number, contact.emails
            if contact.party.form == "organisation" and _makes(contact):
                met.append(Met(row, contact.party.name, emails=emails))
            for text in filter(None, (contact.organisation, contact.part_of)):
                named, folded = organisations.get(text), fold(text)
                if named:
                    met.append(Met(row, named[0].name, named[0].reference, emails=emails))
                    continue
                is_listed = folded in listed
                is_made = is_listed or any(one.form != "person" for one in self._made.get(folded, ()))
                if not is_made:
                    self._told.new_organisations.add(folded)
                    if not is_writing:  # nothing is recorded: later rows meet it all the same
                        self._made[folded].append(KnownParty(None, office_id, "", 1, "organisation", text))
                met.append(Met(row, text, is_new=not is_listed and folded in self._told.new_organisations, emails=emails))
        if not is_writing:
            self._employers.take(office_id, met)

    def _doubles(self, office_id: uuid.UUID, new: Sequence[_Contact]) -> dict[int, _Like]:
        """New rows that may be somebody on record, or of an earlier row: row -> who in words, and their references or row. Rows that were
        said to be one with another are no question any more, and later ones can be like them."""
        asked = [
            NewContact(
                one.row.row_number,
                one.party.form,
                (one.party.name, *also_called(one.party.name), *(other.name for other in one.party.names)),
                tuple(channel for channel in one.channels if channel[0] != "address"),
            )
            for one in new
        ]
        alike = found.possible_duplicates(office_id, asked)
        said = {row: _Like(", ".join(text for _, text in found), [reference for reference, _ in found]) for row, found in alike.items()}
        for contact in asked:
            earlier = self._alike.earlier(contact)
            if earlier is not None:
                row, words, is_sure = earlier
                before = said.get(contact.row, _Like(words, []))
                said[contact.row] = _Like(before.words, [*before.others, str(row)], is_sure and not before.others)
        return {row: found for row, found in said.items() if not self._said_of.is_settled(row)}

    # --- writing -----------------------------------------------------------------------------------------------------

    def _write(
        self,
        actor: Actor,
        office_id: uuid.UUID,
        taken: Sequence[_Contact],
        pending: Sequence[KnownParty],
        organisations: Mapping[str, list[found.Named]],
    ) -> None:
        above = {id(contact.match): contact.part_of for contact in reversed(taken) if contact.part_of}
        plain = [one for one in pending if id(one) not in above]
        for one, party_id in zip(plain, parties.create_parties(actor, office_id, [_merged(one, None) for one in plain]), strict=True):
            one.id = party_id
        ids, made = self._organisation_ids(actor, office_id, taken, organisations)
        rest = [one for one in pending if id(one) in above]
        news = [_merged(one, ids[fold(above[id(one)])]) for one in rest]
        for one, party_id in zip(rest, parties.create_parties(actor, office_id, news), strict=True):
            one.id = party_id
        made |= {one.name: one.id for one in pending if one.form == "organisation" and one.id is not None}
        self._keep_apart(actor, office_id, made)
        new = {id(one) for one in pending}
        for contact in taken:
            if id(contact.match) not in new and contact.changes:
                self._edit(actor, office_id, contact, ids)
        reached = [
            (contact.match.id, contact.match.country, NewChannel(kind, value))
            for contact in taken
            if contact.match is not None and contact.match.id is not None
            for kind, value in contact.channels
        ]
        parties.add_channels(actor, office_id, reached)
        held = [
            positions.HeldBy(contact.match.id, ids[fold(contact.organisation)], contact.title, contact.since, contact.address)
            for contact in taken
            if contact.title and contact.match is not None and contact.match.id is not None
        ]
        positions.add_holders(actor, office_id, held)
        begun = {
            (contact.match.id, *contact.begun): contact.since
            for contact in taken
            if contact.begun and contact.since is not None and contact.match is not None and contact.match.id is not None
        }
        positions.begin_tenures(actor, office_id, begun)
        level = note_level(actor, office_id, self.options.note_level)
        said = [
            (contact.match.id, body)
            for contact in taken
            if contact.match is not None and contact.match.id is not None
            for body in contact.notes
        ]
        notes.write_notes(actor, office_id, said, level)
        self._keep_spellings(actor, office_id, taken, ids)

    def _keep_spellings(self, actor: Actor, office_id: uuid.UUID, taken: Sequence[_Contact], ids: Mapping[str, uuid.UUID]) -> None:
        """Other names of an organisation, as rows had them and a person said they are its own: found by them from then on. One of another
        office stays as that office has it."""
        said: dict[uuid.UUID, dict[str, None]] = defaultdict(dict)
        for spelling, name in dict.fromkeys(pair for contact in taken for pair in contact.spelt):
            if (key := ids.get(fold(name))) is not None:
                said[key][spelling] = None
        for one in found.known_parties(office_id, (), (), said):
            known = {fold(name) for _kind, name in one.names} | {fold(one.name)}
            names = [("alias", text) for text in said[one.id] if fold(text) not in known] if one.id is not None else []
            names = names[: parties.MOST_NAMES - len(one.names)]
            if one.id is not None and names and one.office_id == office_id:
                one.names = (*one.names, *names)
                parties.edit_party(actor, one.id, one.version, _merged(one, one.part_of_id))

    def _tell_apart(self, actor: Actor, office_id: uuid.UUID, made: Sequence[_Contact]) -> None:
        """Remember of new parties that they are none of those that their rows were said to be other ones than."""
        parted = [(one.match.id, self._said_of.parted(one.row.row_number)) for one in made if one.match is not None]
        references = found.ids_of(office_id, {text for _id, others in parted for text in others if not text.isdecimal()})
        pairs = []
        for party_id, others in parted:
            for text in others:
                other = self._said_of.party_of(int(text)) if text.isdecimal() else references.get(text)
                if party_id is not None and other is not None:
                    pairs.append((party_id, other))
        if pairs:
            parties.tell_apart(actor, office_id, pairs)

    def _organisation_ids(
        self, actor: Actor, office_id: uuid.UUID, taken: Sequence[_Contact], organisations: Mapping[str, list[found.Named]]
    ) -> tuple[dict[str, uuid.UUID], dict[str, uuid.UUID]]:
        """Folded name -> organisation, recorded where it is not on record yet; and those that were recorded, by name."""
        ids = {fold(text): named[0].id for text, named in organisations.items() if named}
        texts = dict.fromkeys(text for contact in taken for text in (contact.organisation, contact.part_of) if text)
        unknown = {fold(text): text for text in texts if fold(text) not in ids}
        now_held = found.parties_named(office_id, unknown.values(), forms=("organisation", "group"))
        ids |= {fold(text): named[0].id for text, named in now_held.items() if named}
        missing = [text for name, text in unknown.items() if name not in ids]
        keys = parties.create_parties(actor, office_id, [NewParty("organisation", text) for text in missing])
        made = dict(zip(missing, keys, strict=True))
        return ids | {fold(text): party_id for text, party_id in made.items()}, made

    def _keep_apart(self, actor: Actor, office_id: uuid.UUID, made: Mapping[str, uuid.UUID]) -> None:
        """Remember of new organisations (name -> id) which others they were said to be none of."""
        others = {text: apart for text in made if (apart := self._employers.apart(text))}
        named = found.parties_named(office_id, {other for some in others.values() for other in some}) if others else {}
        pairs = [(made[text], one.id) for text, some in others.items() for other in some for one in named.get(other, ())[:1]]
        if pairs:
            parties.tell_apart(actor, office_id, pairs)

    def _edit(self, actor: Actor, office_id: uuid.UUID, contact: _Contact, ids: Mapping[str, uuid.UUID]) -> None:
        one = contact.match
        own = {"country", "website", "about", "kinds", "aliases", "part_of"}
        if one is None or one.id is None or one.office_id != office_id or not own & {name for name, _old, _new in contact.changes}:
            return
        part_of_id = ids[fold(contact.part_of)] if contact.part_of else one.part_of_id
        party = db.session.get_one(Party, one.id)
        parties.edit_party(actor, one.id, party.version, _merged(one, part_of_id))

    # --- counting ----------------------------------------------------------------------------------------------------

    def _count(
        self,
        taken: Sequence[_Contact],
        pending: Sequence[KnownParty],
        doubles: Mapping[int, _Like],
        rejects: Sequence[Reject],
        outcome: Outcome,
    ) -> None:
        new = {id(one) for one in pending}
        for contact in taken:
            row, name = contact.row.row_number, contact.party.name
            if id(contact.match) in new:
                new.discard(id(contact.match))
                outcome.note("created", partial(Sample, row, "created", name))
            elif contact.changes:
                changes = tuple(contact.changes)
                what = "joined" if contact.twin.isdecimal() else "updated"
                outcome.note("updated", partial(Sample, row, what, name, changes))
                outcome.joined_more += contact.twin.isdecimal()
            else:
                outcome.note("unchanged", partial(Sample, row, "unchanged", ""))
                outcome.joined += contact.twin.isdecimal()
            if row in doubles:
                outcome.double_rows += 1
                if len(outcome.doubles) < 100:  # noqa: PLR2004 - as many as a person reads
                    outcome.doubles.append((row, name, doubles[row].words))
                    outcome.twins[str(row)] = doubles[row].others
                    outcome.sure += [row] * doubles[row].is_sure
        outcome.rejects.extend(rejects)
        outcome.notes[:] = self._notes()
        outcome.as_read[:] = [*self._told.as_read(), *self._said_of.as_said()]
        outcome.employers[:] = [(one.row, one.name, list(one.others)) for one in self._employers.asked.values()]
        outcome.organisations[:] = self._employers.listed()
        outcome.organisation_rows[:] = self._employers.rows_listed()

    def _notes(self) -> list[str]:
        """What a person should know of the rows so far."""
        return [*self._said_of.notes(self.options.headings), *self._told.sentences()]


# --- single rows -----------------------------------------------------------------------------------------------------


def _values(channels: Iterable[tuple[str, str]], kinds: Sequence[str]) -> set[str]:
    return {value for kind, value in channels if kind in kinds}


def _differs(one: KnownParty, contact: _Contact) -> bool:
    """Whether a row of the same name is surely about somebody else: another country; for a person also other addresses, or another
    organisation, with nothing in common. Sister organisations and namesakes are never put together."""
    if one.country and contact.party.country and one.country != contact.party.country:
        return True
    if one.form != "person":
        return False
    shared = _values(one.channels, CHANNELS[:3]) & _values(contact.channels, CHANNELS[:3])
    if shared:
        return False
    mine, theirs = _values(contact.channels, ("email",)), _values(one.channels, ("email",))
    if mine and theirs:
        return True
    held = {organisation for _title, organisation in one.posts}
    return bool(contact.organisation and held and contact.at not in held)


def _refuse_two_forms(one: KnownParty, contact: _Contact) -> None:
    """A person and an organisation are never put together, whatever was said; a row that does not say its form is of the other's."""
    if one.form != contact.party.form and (contact.is_sure_of_form or contact.title or contact.organisation):
        raise RowRefused(
            "name",
            _(
                "The row is said to be one with “%(name)s”, but one is a person and the other is not, or one is a group. Say under “Possible "
                "duplicates” that they are two, or mend one of them.",
                name=one.name[:_SHOWN],
            ),
        )


def _words(name: str) -> str:
    """The words of a name in one order, without titles and accents, in Latin letters: what two rows of the same name share."""
    return " ".join(sorted(words(name))) or fold(name)


def _likeness(one: KnownParty, contact: _Contact) -> int:
    shared = _values(one.channels, CHANNELS[:3]) & _values(contact.channels, CHANNELS[:3])
    held = {organisation for _title, organisation in one.posts}
    return 4 * len(shared) + 2 * (contact.at in held) + bool(one.country and one.country == contact.party.country)


def _planned(office_id: uuid.UUID, contact: _Contact) -> KnownParty:
    """The party that a row makes, as far as later rows are compared with it."""
    new = contact.party
    said: dict[str, tuple[object, int]] = {name: (value, contact.row.row_number) for name in _FIELDS if (value := getattr(new, name))}
    if contact.part_of:
        said["part_of"] = fold(contact.part_of), contact.row.row_number
    return KnownParty(
        id=None,
        office_id=office_id,
        reference="",
        version=1,
        form=new.form,
        name=new.name,
        country=new.country,
        website=new.website,
        about=new.about,
        kinds=frozenset(new.kinds) if new.kinds else _NOTHING,
        names=tuple((other.kind, other.name) for other in new.names),
        channels=frozenset(contact.channels) if contact.channels else _NOTHING,
        posts={(fold(contact.title), contact.at): contact.since} if contact.title else {},
        notes=frozenset(contact.notes) if contact.notes else _NOTHING,
        said={**said, "": (None, contact.row.row_number)},
    )


def _compare_fields(contact: _Contact, one: KnownParty, *, is_own: bool) -> dict[str, Any]:
    """The single fields that a row changes. Two rows that say different things of one party are never both taken."""
    given = {name: value for name in _FIELDS if (value := getattr(contact.party, name))}
    for name, value in given.items():
        before, row = one.said.get(name, (value, 0))
        if before != value and contact.twin:
            contact.aside.append(name)
        elif before != value:
            raise RowRefused(name, _("Row %(row)s says otherwise about the same party. Mend one of the two.", row=row))
    fresh: dict[str, Any] = {}
    for name, value in given.items():
        if name in contact.aside:
            continue
        one.said[name] = (value, contact.row.row_number)
        if is_own and value != (getattr(one, name) or ""):
            fresh[name] = value
            contact.changes.append((name, str(getattr(one, name) or ""), str(value)))
    return fresh


def _merged(one: KnownParty, part_of_id: uuid.UUID | None) -> NewParty:
    """A party as all rows of the file together say it is."""
    return NewParty(
        form=one.form,
        name=one.name,
        kinds=sorted(one.kinds),
        names=[OtherName(name, kind) for kind, name in one.names],
        country=one.country,
        website=one.website,
        about=one.about,
        part_of_id=part_of_id,
    )


def _name_on_record(text: str, organisations: Mapping[str, Sequence[found.Named]]) -> str:
    """The folded name on record of the organisation that a cell means by a reference, an acronym or another name; else that of the cell."""
    named = organisations.get(text, ())
    return fold(named[0].name if len(named) == 1 else text)


def _part_of_another(text: str, one: KnownParty, organisations: Mapping[str, Sequence[found.Named]]) -> str:
    """What a party is said to be a part of; "" where that is itself, by a reference or another name."""
    return "" if one.id is not None and [named.id for named in organisations.get(text, ())] == [one.id] else text


def _shown(text: str, organisations: Mapping[str, Sequence[found.Named]]) -> str:
    """An organisation as a person reads it: by its name on record where its reference is given."""
    known = organisations.get(text, ())
    return known[0].name if len(known) == 1 and is_reference(text) else text


def _makes(contact: _Contact) -> bool:
    """Whether a row makes its party: later rows of the same party add to it, and are no second one."""
    return contact.match is not None and _first_row(contact.match) == contact.row.row_number


def _first_row(one: KnownParty) -> int:
    return one.said.get("", (None, 0))[1]
