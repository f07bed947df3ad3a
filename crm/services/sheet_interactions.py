"""Spreadsheets of contacts that were held: the day, with whom, who was there, what was said, the answer, the next step.

A row is about the contact of its reference, else about the one of the same day, party, kind and subject (decision 0018). What was
said has the level chosen for the file. Nothing is taken away; the same file twice changes nothing.
"""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm import clock
from crm.db import db
from crm.errors import Invalid
from crm.i18n import _, ngettext
from crm.models.asks import AskAnswer
from crm.models.base import NAME_LENGTH, SENTENCE_LENGTH
from crm.models.codes import INTERACTION_KINDS
from crm.models.imports import ImportChange
from crm.models.interactions import FollowUp, Interaction, Participant
from crm.models.notes import Note
from crm.models.offices import Office
from crm.models.parties import Party, Position, Tenure
from crm.policy import Actor
from crm.queries import codes
from crm.queries import sheet_contacts as held
from crm.queries import sheet_imports as parties_held
from crm.queries.names import fold
from crm.queries.sheet_contacts import KnownContact
from crm.queries.sheet_imports import Named
from crm.services import asks, fields, interactions
from crm.services.import_kinds import ByChunk, Outcome, Reject, Sample
from crm.services.interactions import MOST_PARTICIPANTS, NewInteraction, NewParticipant, NextStep
from crm.services.sheet_imports import RowRefused, SheetOptions, SheetRow, acting, note_level
from crm.services.sheet_names import PartyNames, colleague, record_of, several

#: Fields of a refused contact, as the services call them, and as the columns of a sheet do.
_COLUMN_OF = {
    "starts_at": "day",
    "party_id": "party",
    "place_text": "place",
    "minutes": "length",
    "purpose": "subject",
    "office_note": "note",
    "follow_ups-0-text": "next_step",
    "follow_ups-0-due_on": "due",
    "words": "answer_words",
    "name": "people",
}
#: What of a contact on record a row changes: column of the record -> field of the sheet.
_CHANGED = {
    "kind": "kind",
    "purpose": "subject",
    "summary": "summary",
    "place_text": "place",
    "language": "language",
    "minutes": "length",
    "programme_id": "programme",
}
_ANSWERS = {
    fold(word): code
    for code, words in {
        "yes": "agreed/accepted/positive/oui/d'accord/accepté/sí/de acuerdo/aceptado/نعم/موافق/وافق",
        "part": "in part/partly/partial/partially/en partie/partiellement/partiel/en parte/parcialmente/parcial/جزئيا/جزئي",
        "no": "declined/refused/rejected/negative/non/refusé/rechazado/لا/رفض/مرفوض",
        "none": "no answer/no answer yet/pending/none yet/pas de réponse/sans réponse/en attente/sin respuesta/pendiente/لا جواب/لا رد/معلق",
    }.items()
    for word in (code, *words.split("/"))
}
_TIME = re.compile(r"(\d{1,2})(?:[:.hH](\d{2})?)?(?::\d{2})?\s*([ap]\.?m\.?)?", re.IGNORECASE)
_LENGTH = re.compile(
    r"(?:(\d{1,3}) ?(?:h|hours?|heures?|horas?|ساعة)(?: ?(\d{1,2}))?|(\d{1,5})) ?(?:min\w*\.?|minutes?|m|دقيقة)?", re.IGNORECASE
)
_WITH_POST = re.compile(r"(.+?)\s*\(([^()]*)\)")
_NOON, _HALF_DAY = time(12), 12
_MOST_DOUBLES = 100
_SHOWN = 200

Key = tuple[date, uuid.UUID, str, str]


@dataclass(slots=True)
class _Log:
    """A row that passed every check that needs no other record: the contact as it stands there, and the texts that name others."""

    row: SheetRow
    new: NewInteraction
    day: date
    at: time | None
    reference: str
    answer: tuple[str, str] = ("", "")
    ask_id: uuid.UUID | None = None
    match: KnownContact | None = None
    is_new: bool = False
    fresh: dict[str, object] = field(default_factory=dict)
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    like: str = ""


@dataclass(frozen=True)
class _Names:
    """Everybody and everything that some rows name."""

    parties: PartyNames
    organisations: PartyNames
    people: Mapping[str, Sequence[Named]]
    posts: Mapping[uuid.UUID, Collection[tuple[str, str]]]
    colleagues: Mapping[str, Sequence[held.Colleague]]
    asks: Mapping[str, Sequence[tuple[uuid.UUID, str]]]
    programmes: Mapping[str, Sequence[tuple[uuid.UUID, str]]]


class Interactions(ByChunk[SheetRow]):
    """Contacts that were held."""

    lets_go = (Interaction, Participant, FollowUp, AskAnswer, Note, Party, Position, Tenure, ImportChange)

    def __init__(self, options: SheetOptions) -> None:
        self.options = options
        self._known: dict[Key, KnownContact] = {}
        self._of_day: dict[tuple[date, uuid.UUID], list[KnownContact]] = defaultdict(list)
        self._ids: dict[uuid.UUID, KnownContact] = {}
        self._references: dict[str, KnownContact] = {}
        self._loaded: dict[uuid.UUID, tuple[date, date]] = {}  # party -> the days whose contacts are held in mind
        self._unknown_references = 0

    def take(self, office_id: uuid.UUID, records: Sequence[SheetRow], outcome: Outcome, *, is_writing: bool) -> None:
        """Judge some rows, write them where told so, and count them."""
        try:
            self._take(office_id, records, outcome, is_writing=is_writing)
        except Exception:
            self._known.clear()  # what these rows were to make is rolled back
            self._of_day.clear()
            self._ids.clear()
            self._references.clear()
            self._loaded.clear()
            raise

    def _take(self, office_id: uuid.UUID, records: Sequence[SheetRow], outcome: Outcome, *, is_writing: bool) -> None:
        actor = acting()
        office = db.session.get_one(Office, office_id)
        zone = clock.zone(office.timezone)
        logs: list[_Log] = []
        names = _named(office_id, records)
        for row in records:
            try:
                logs.append(self._read(actor, office, row, names))
            except RowRefused as error:
                outcome.rejects.append(self._reject(row, error))
        self._load(office_id, zone, logs)
        taken: list[_Log] = []
        for log in logs:
            try:
                self._place(log, zone)
            except RowRefused as error:
                outcome.rejects.append(self._reject(log.row, error))
            else:
                taken.append(log)
        if is_writing:
            self._write(actor, office_id, taken)
        for log in taken:
            _count(log, outcome)
        if self._unknown_references:
            outcome.notes[:] = [
                ngettext(
                    "%(num)d reference is not on record here; its row was matched by day, party, kind and subject.",
                    "%(num)d references are not on record here; their rows were matched by day, party, kind and subject.",
                    self._unknown_references,
                )
            ]

    def recall(self, office_id: uuid.UUID, records: Sequence[SheetRow]) -> None:
        """As every kind; a row that is not on record after all was refused by the database, and makes nothing."""
        super().recall(office_id, records)
        self._known = {key: one for key, one in self._known.items() if one.id is not None}
        for key, some in self._of_day.items():
            self._of_day[key] = [one for one in some if one.id is not None]

    def _reject(self, row: SheetRow, error: RowRefused) -> Reject:
        return Reject(row.row_number, self.options.headings.get(error.name, ""), error.sentence, row.raw)

    # --- a row -------------------------------------------------------------------------------------------------------

    def _read(self, actor: Actor, office: Office, row: SheetRow, names: _Names) -> _Log:
        day = row.day("day")
        if day is None:
            raise RowRefused("day", _("Enter the day."))
        if row.text("state") not in ("", "held"):
            raise RowRefused("state", _("Only contacts that were held are brought in. Plan this one on its own page."))
        at = _time(row.text("time"))
        party = _party(row, names)
        said, subject = row.text("summary"), row.text("subject")
        ask_id, answer = _answer(row, names)
        if not said:
            said, subject = subject, ""
        if row.text("answer") and ask_id is None:
            said = "\n".join(text for text in (said, _("Answer: %(words)s", words=row.text("answer"))) if text)
        programme = row.text("programme")
        new = NewInteraction(
            office_id=office.id,
            state="held",
            kind=row.text("kind") or self._usual_kind(),
            starts_at=_moment(day, at, clock.zone(office.timezone)),
            party_id=party.id,
            minutes=_minutes(row.text("length")),
            place_text=row.text("place"),
            language=row.text("language"),
            purpose=" ".join(subject.split()),
            ask_id=ask_id,
            programme_id=record_of(names.programmes, programme, "programme", _("This office has no such programme. Write its reference."))
            if programme
            else None,
            summary=said,
            office_note="\n".join(row.several("note")),
            level=note_level(actor, office.id, self.options.note_level),
            participants=_participants(row, party, names),
            follow_ups=_steps(row, names),
        )
        try:
            interactions.check_interaction(actor, new)
            fields.line(answer[1], "words", SENTENCE_LENGTH)
        except Invalid as error:
            name, sentences = next(iter(error.errors.items()))
            raise RowRefused(_COLUMN_OF.get(name, name), sentences[0]) from error
        return _Log(row, new, day, at, row.text("reference").upper(), answer, ask_id)

    def _usual_kind(self) -> str:
        return self.options.form if self.options.form in codes.entries(INTERACTION_KINDS) else "meeting"

    # --- what is on record -------------------------------------------------------------------------------------------

    def _load(self, office_id: uuid.UUID, zone: ZoneInfo, logs: Sequence[_Log]) -> None:
        """Read the contacts of these days and parties, and of these references, that are not held in mind yet."""
        if not logs:
            return
        first, last = min(log.day for log in logs), max(log.day for log in logs)
        parties = {log.new.party_id for log in logs if log.new.party_id is not None}
        fresh = {key for key in parties if not (key in self._loaded and self._loaded[key][0] <= first and last <= self._loaded[key][1])}
        for key in fresh & self._loaded.keys():
            first, last = min(first, self._loaded[key][0]), max(last, self._loaded[key][1])
        references = {log.reference for log in logs if log.reference} - self._references.keys()
        since, until = (datetime.combine(day, time(), zone) for day in (first, last + timedelta(days=1)))
        for one in held.contacts_with(office_id, fresh, since, until, references):
            if one.id is not None and one.id not in self._ids:
                self._keep(one, zone)
        self._loaded |= dict.fromkeys(fresh, (first, last))

    def _keep(self, one: KnownContact, zone: ZoneInfo) -> None:
        day = one.starts_at.astimezone(zone).date()
        if one.id is not None:
            self._ids[one.id] = self._references[one.reference] = one
        self._of_day[day, one.party_id].append(one)
        if one.state == "held":
            self._known.setdefault((day, one.party_id, one.kind, _about(one.purpose, one.summary)), one)

    def _place(self, log: _Log, zone: ZoneInfo) -> None:
        """Find the contact that a row is about, and what it changes there; else it is a new one."""
        new = log.new
        assert new.party_id is not None  # noqa: S101 - read with the row
        found = self._references.get(log.reference) if log.reference else None
        if found is None:
            self._unknown_references += bool(log.reference)
            found = self._known.get((log.day, new.party_id, new.kind, _about(new.purpose, new.summary)))
        elif found.state != "held":
            raise RowRefused("reference", _("%(reference)s was not held yet. Write it up on its own page.", reference=found.reference))
        elif found.party_id != new.party_id:
            raise RowRefused("party", _("%(reference)s was with somebody else.", reference=found.reference))
        if found is not None:
            log.match = found
            self._compare(log, found, zone)
            return
        others = self._of_day.get((log.day, new.party_id), ())
        log.like = ", ".join(one.reference or _("row %(row)s of this file", row=one.said[""][1]) for one in others[:3])
        assert new.starts_at is not None  # noqa: S101 - read with the row
        log.is_new = True
        log.match = KnownContact(
            None,
            "",
            "held",
            new.kind,
            new.starts_at,
            new.party_id,
            new.purpose,
            new.summary,
            new.place_text,
            new.language,
            new.minutes,
            new.programme_id,
            people={_seat(one) for one in new.participants},
            steps={fold(step.text) for step in new.follow_ups},
            notes={new.office_note} if new.office_note else set(),
            answers={log.ask_id: log.answer} if log.ask_id else {},
            said={"": (None, log.row.row_number), **{name: (value, log.row.row_number) for name, value in _given(log).items()}},
        )
        self._keep(log.match, zone)

    def _compare(self, log: _Log, known: KnownContact, zone: ZoneInfo) -> None:
        """What a row changes of its contact, and what it adds. Two rows that say different things are never both taken."""
        given = _given(log)
        for name, value in given.items():
            before, row = known.said.get(name, (value, 0))
            if before != value:
                sentence = _("Row %(row)s says otherwise about the same contact. Mend one of the two, or give each a subject.", row=row)
                raise RowRefused(_CHANGED.get(name, "time"), sentence)
        for name, value in given.items():
            known.said[name] = (value, log.row.row_number)
            old = known.starts_at.astimezone(zone) if name == "starts_at" else getattr(known, name)
            if value != old:
                log.fresh[name] = value
                column = "day" if name == "starts_at" else _CHANGED[name]
                shown = ("", log.row.text("programme")) if name == "programme_id" else (_text(old), _text(value))
                log.changes.append((column, *shown))
        people = [one for one in log.new.participants if not _seats(one) & known.people]
        steps = [step for step in log.new.follow_ups if fold(step.text) not in known.steps]
        note = log.new.office_note if log.new.office_note not in known.notes else ""
        log.changes += [("colleagues" if one.side == "ours" else "people", "", one.name) for one in people]
        log.changes += [("next_step", "", step.text[:_SHOWN]) for step in steps] + ([("note", "", note[:_SHOWN])] if note else [])
        if log.ask_id is not None and known.answers.get(log.ask_id) != log.answer:
            log.changes.append(("answer", known.answers.get(log.ask_id, ("",))[0], log.answer[0]))
        else:
            log.ask_id = None
        log.new = replace(log.new, participants=people, follow_ups=steps, office_note=note)
        for name, value in log.fresh.items():
            setattr(known, name, value)
        known.people |= {_seat(one) for one in people}
        known.steps |= {fold(step.text) for step in steps}
        known.notes |= {note} if note else set()
        if log.ask_id is not None:
            known.answers[log.ask_id] = log.answer

    # --- writing -----------------------------------------------------------------------------------------------------

    def _write(self, actor: Actor, office_id: uuid.UUID, taken: Sequence[_Log]) -> None:
        fresh = [log for log in taken if log.is_new]
        for log, key in zip(fresh, interactions.log_interactions(actor, office_id, [log.new for log in fresh]), strict=True):
            if log.match is not None:
                log.match.id = key
                self._ids[key] = log.match
        for log in taken:
            known = log.match
            if known is None or known.id is None:
                continue
            if not log.is_new and (log.fresh or log.new.participants or log.new.follow_ups or log.new.office_note):
                interactions.add_to_interaction(actor, known.id, replace(log.new, **_whole(known)), log.fresh)
            if log.ask_id is not None:
                asks_given = [asks.NewAnswer(log.ask_id, *log.answer)]
                interactions.answer_asks(actor, known.id, asks_given)


# --- the cells of a row ----------------------------------------------------------------------------------------------


def _named(office_id: uuid.UUID, records: Sequence[SheetRow]) -> _Names:
    """Look up everybody and everything that some rows name, together."""
    people = {piece for row in records for text in row.several("people") for piece in _pieces(text)}
    colleagues = {text for row in records for text in (*row.several("colleagues"), row.text("owner"))}
    with_whom = PartyNames(office_id, (row.text("party") for row in records))
    present = parties_held.parties_named(office_id, people, forms=("person",))
    return _Names(
        with_whom,
        PartyNames(office_id, (row.text("organisation") for row in records if not row.text("party")), forms=("organisation", "group")),
        present,
        parties_held.posts_of(with_whom.all_ids()),
        held.colleagues_named(office_id, colleagues | people),
        held.asks_named(office_id, (row.text("ask") for row in records)),
        held.programmes_named(office_id, (row.text("programme") for row in records)),
    )


def _party(row: SheetRow, names: _Names) -> Named:
    """Whom a contact was with: the person or body of the one column, else the organisation. An organisation beside a person's name
    tells namesakes apart, and must not contradict the posts on record."""
    name, organisation = row.text("party"), row.text("organisation")
    if not name:
        if not organisation:
            raise RowRefused("party", _("Enter whom you met."))
        return names.organisations.one(organisation, "organisation")
    there = fold(organisation)
    held_there = [key for key, posts in names.posts.items() if any(body == there for _title, body in posts)]
    found = names.parties.one(name, "party", held_there if organisation else ())
    posts = names.posts.get(found.id, set())
    if organisation and found.form == "person" and posts and found.id not in held_there and fold(name) != fold(found.reference):
        raise RowRefused(
            "organisation",
            _(
                "%(name)s (%(reference)s) has a post on record, but none there. Write the reference if that person is meant.",
                name=found.name,
                reference=found.reference,
            ),
        )
    return found


def _pieces(text: str) -> list[str]:
    """A cell's entry of who was there: the whole, without a post in brackets, and each part between commas."""
    bare = match[1] if (match := _WITH_POST.fullmatch(text)) else text
    return list(dict.fromkeys([bare, *(piece.strip() for piece in re.split("[,،]", text) if piece.strip())]))


def _participants(row: SheetRow, party: Named, names: _Names) -> list[NewParticipant]:
    """Our colleagues, by e-mail address or name; theirs by name: the one person of that name, else the name alone, as it stands."""
    keys = list(dict.fromkeys(colleague(names.colleagues, text, "colleagues") for text in row.several("colleagues")))
    shown = {one.id: one.name for named in names.colleagues.values() for one in named}
    people = [NewParticipant("ours", shown[key], user_id=key) for key in keys]
    for entry in row.several("people"):
        pieces = [piece.strip() for piece in re.split("[,،]", entry) if piece.strip()]
        if len(pieces) > 1 and all(len(names.people.get(piece, ())) == 1 for piece in pieces):
            people += [_present(piece, "", names) for piece in pieces]
        else:
            match = _WITH_POST.fullmatch(entry)
            people.append(_present(match[1], match[2].strip(), names) if match else _present(entry, "", names))
    if len(people) > MOST_PARTICIPANTS:
        raise RowRefused("people", _("Enter at most %(n)s people.", n=MOST_PARTICIPANTS))
    if party.form == "person":
        people = [one for one in people if one.party_id != party.id]
        people.insert(0, NewParticipant("theirs", party.name, party_id=party.id))
    kept = {_seat(one): one for one in reversed(people)}
    return list(reversed(kept.values()))


def _present(text: str, post: str, names: _Names) -> NewParticipant:
    alike = names.people.get(text, ())
    if len(alike) > 1:
        raise RowRefused("people", several(text, (f"{one.name} ({one.reference})" for one in alike)))
    try:
        name = fields.line(alike[0].name if alike else text, "people", NAME_LENGTH)
        post = fields.line(post, "people", NAME_LENGTH)
    except Invalid as error:
        raise RowRefused("people", str(error)) from error
    return NewParticipant("theirs", name, post, alike[0].id if alike else None)


def _seat(one: NewParticipant) -> tuple[str, uuid.UUID | str]:
    """What tells a participant from others: side and who, else the name."""
    return one.side, one.party_id or one.user_id or fold(one.name)


def _seats(one: NewParticipant) -> set[tuple[str, uuid.UUID | str]]:
    return {_seat(one), (one.side, fold(one.name))}


def _steps(row: SheetRow, names: _Names) -> list[NextStep]:
    text, owner = row.text("next_step"), row.text("owner")
    if not text:
        if row.day("due") is not None:
            raise RowRefused("next_step", _("Write what is to be done by that day, or leave the day empty."))
        return []
    return [NextStep(" ".join(text.split()), row.day("due"), colleague(names.colleagues, owner, "owner") if owner else None)]


def _answer(row: SheetRow, names: _Names) -> tuple[uuid.UUID | None, tuple[str, str]]:
    """The ask that a row names, with its answer; (None, …) where it has none to give."""
    ask = row.text("ask")
    if not ask:
        if row.text("answer_words"):
            raise RowRefused("ask", _("Write which ask these words answer, by its reference."))
        return None, ("", "")
    ask_id = record_of(names.asks, ask, "ask", _("This office has no such ask. Write its reference, or leave this empty."))
    code = _ANSWERS.get(fold(row.text("answer")), "")
    if not code:
        raise RowRefused("answer", _("Write the answer to the ask as yes, in part, no, or no answer."))
    return ask_id, (code, " ".join(row.text("answer_words").split()))


def _time(text: str) -> time | None:
    """A time of day: 14:30, 14h30, 9.15, 2:30 pm. Raises `RowRefused`."""
    if not text:
        return None
    match = _TIME.fullmatch(text.strip())
    if match is not None and not (match[2] is None and match[3] is None and "h" not in text.casefold()):
        hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "").casefold()[:1]
        if not half or 1 <= hour <= _HALF_DAY:
            hour = hour % _HALF_DAY + (_HALF_DAY if half == "p" else 0) if half else hour
            if hour < 24 and minute < 60:  # noqa: PLR2004 - a day and an hour
                return time(hour, minute)
    raise RowRefused("time", _("“%(text)s” is not a time of day. Write it as 14:30.", text=text[:40]))


def _minutes(text: str) -> int | None:
    """A length: 90, 90 min, 1 h 30. Raises `RowRefused`."""
    if not text:
        return None
    match = _LENGTH.fullmatch(text.strip())
    if match is None:
        raise RowRefused("length", _("“%(text)s” is not a length. Write it in minutes, such as 90.", text=text[:40]))
    return int(match[3]) if match[3] else int(match[1]) * 60 + int(match[2] or 0)


def _moment(day: date, at: time | None, zone: ZoneInfo) -> datetime:
    """A moment in the office's zone; without a time noon, or now where that is still to come today."""
    found = datetime.combine(day, at or _NOON, zone)
    now = clock.now()
    return min(found, now) if at is None and now.astimezone(zone).date() == day else found


def _about(subject: str, said: str) -> str:
    """What a contact was about, to know it by: its subject, else what was said."""
    return fold(subject or said)[:_SHOWN]


def _given(log: _Log) -> dict[str, Any]:
    """The fields that a row says something of, as columns of the record."""
    found = {name: value for name in _CHANGED if (value := getattr(log.new, name))}
    if not log.row.text("kind"):
        found.pop("kind", None)
    if not log.row.text("summary") and not log.row.text("answer"):
        found.pop("summary", None)  # it holds the subject, which is what the contact is known by
    if log.at is not None:
        found["starts_at"] = log.new.starts_at
    return found


def _whole(known: KnownContact) -> dict[str, Any]:
    """A contact's own fields as all rows of the file together say they are."""
    return {name: getattr(known, name) for name in (*_CHANGED, "starts_at", "party_id")}


def _text(value: object) -> str:
    return value.strftime("%Y-%m-%d %H:%M") if isinstance(value, datetime) else "" if value is None else str(value)[:_SHOWN]


def _count(log: _Log, outcome: Outcome) -> None:
    row = log.row.row_number
    about = log.new.purpose or log.new.summary
    name = ", ".join(text for text in (log.day.isoformat(), log.row.text("party") or log.row.text("organisation"), about[:80]) if text)
    action = "created" if log.is_new else "updated" if log.changes else "unchanged"
    outcome.note(action, lambda: Sample(row, action, name, tuple(log.changes)))
    if log.like:
        outcome.double_rows += 1
        if len(outcome.doubles) < _MOST_DOUBLES:
            outcome.doubles.append((row, name, log.like))
