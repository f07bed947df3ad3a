"""Interactions: planning them, logging them with everything that was said and promised, in one go or not at all."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import inspect, select

from crm import clock
from crm.db import db, transactional
from crm.errors import Conflict, Invalid, NotFound
from crm.i18n import _
from crm.models.base import NAME_LENGTH, OFFICE, OPEN, SENTENCE_LENGTH, TEXT_LENGTH
from crm.models.codes import INTERACTION_KINDS
from crm.models.interactions import Interaction, Participant
from crm.models.notes import Note
from crm.models.offices import Office
from crm.money import Money
from crm.policy import Actor, Permission, require
from crm.queries import history, lookups
from crm.queries.asks import ANSWER_LABELS
from crm.services import asks as ask_services
from crm.services import commitments as commitment_services
from crm.services import follow_ups as follow_up_services
from crm.services import parties
from crm.services.asks import NewAnswer
from crm.services.checking import Checks, Opened, merge, narrower, new_party, office_today
from crm.services.levels import carry_level
from crm.services.references import next_reference
from crm.services.versions import touch

MOST_PARTICIPANTS = 60
MOST_ROWS = 40
PLACE_LENGTH, LANGUAGE_LENGTH = 200, 60
LONGEST_MINUTES = 60 * 24 * 14
_EARLY = timedelta(minutes=15)
_PART_FIELDS = ("side", "name", "post")


@dataclass(frozen=True)
class NewParticipant:
    """Somebody who takes part: a party, a colleague, or a name only. Without a post, the one held that day is noted."""

    side: str
    name: str = ""
    post: str = ""
    party_id: uuid.UUID | None = None
    user_id: uuid.UUID | None = None


@dataclass(frozen=True)
class NewPromise:
    """A promise heard at a contact; a row without words is none."""

    direction: str = "theirs"
    kind: str = "service"
    words: str = ""
    due_on: date | None = None
    quantity: str = ""


@dataclass(frozen=True)
class NextStep:
    """A follow-up agreed at a contact; a row without text is none."""

    text: str = ""
    due_on: date | None = None
    owner_id: uuid.UUID | None = None


@dataclass(frozen=True)
class AskMade:
    """A new ask written while a contact is planned or logged."""

    sentence: str = ""
    by_when: date | None = None
    programme_id: uuid.UUID | None = None
    amount: Money | None = None


@dataclass(frozen=True)
class NewInteraction:
    """A contact, planned or held. Who, when and (held) what was said; everything else may be empty.

    Rows keep the place they have in the form, so that a refusal names `promises-1-due_on` and finds its row."""

    office_id: uuid.UUID
    state: str
    kind: str
    starts_at: datetime | None
    party_id: uuid.UUID | None = None
    new_party: parties.NewParty | None = None
    minutes: int | None = None
    place_text: str = ""
    language: str = ""
    purpose: str = ""
    ask_id: uuid.UUID | None = None
    new_ask: AskMade | None = None
    programme_id: uuid.UUID | None = None
    fallback: str = ""
    offer: str = ""
    point_1: str = ""
    point_2: str = ""
    point_3: str = ""
    red_line: str = ""
    summary: str = ""
    office_note: str = ""
    level: str = OPEN
    participants: Sequence[NewParticipant] = ()
    answers: Sequence[NewAnswer] = ()
    promises: Sequence[NewPromise] = ()
    follow_ups: Sequence[NextStep] = ()
    planned_id: uuid.UUID | None = None
    version: int | Opened = 0
    kept: frozenset[str] = field(default_factory=frozenset)


# --- logging and planning ------------------------------------------------------------------------------------------


@transactional
def log_interaction(actor: Actor, new: NewInteraction) -> uuid.UUID:
    """Record a contact, planned or held, with its participants, asks, answers, promises, follow-ups and note: all or nothing.

    With `planned_id` a planned one is written up: its record becomes the held one. Where a colleague did so meanwhile, the
    two are put together: what both wrote differently is an `EditConflict`, rows are added, no answer is taken away. Raises
    `Invalid` by field (rows as `promises-0-words`), `Denied`, `NotFound`, `EditConflict`."""
    require(actor, Permission.CONTACT_LOG, new.office_id)
    planned = _load(new.planned_id) if new.planned_id is not None else None
    if planned is not None and planned.state == "cancelled":
        raise Conflict(_("This interaction was cancelled meanwhile. What you typed is kept: save again to record it as one of its own."))
    if planned is not None and planned.office_id != new.office_id:
        raise Conflict(_("This interaction belongs to another office."))
    checks = Checks()
    if new.state not in ("planned", "held"):
        checks.refuse("state", _("Choose planned or held."))
    party_id = _party(actor, new, checks)
    values = _values(actor, new, party_id, checks, planned.kind if planned is not None else None)
    values["ask_id"] = _ask(actor, new, party_id, checks)
    people = _people(new, party_id, checks)
    checks.done()
    record = planned if planned is not None else _blank(new)
    was_held = planned is not None and planned.state == "held"
    if planned is not None:
        values = _merged(planned, new, values, people)
    values["state"] = new.state
    for name, value in values.items():
        setattr(record, name, value)
    if new.state == "held" and not was_held:
        record.written_up_at = clock.now()
    db.session.add(record)
    if planned is None:
        _set_participants(record, people)  # flushed together with a new record: its history takes them as its first state
    else:
        carry_level(record)
    if was_held:
        new = dataclasses.replace(new, answers=_not_answered(record, new.answers, checks))
    _save_rows(actor, record, new, checks)
    checks.done()
    db.session.flush()
    return record.id


def _merged(record: Interaction, new: NewInteraction, values: dict[str, object], people: Sequence[NewParticipant]) -> dict[str, object]:
    """What to write into a record that others may have changed since the form was opened; the participants are put in place.
    Raises `EditConflict` (participants as tuples of side, name, post)."""
    present = _shape(record.participants)
    parts = None
    opened = new.version if isinstance(new.version, int) else new.version.version
    if record.version != opened:
        before = history.parts_at(record, "participants", opened, present, _PART_FIELDS)
        parts = {"participants": (tuple(sorted(before)), present)}
    merged = merge(record, new.version, {**values, "participants": _shape(people)}, parts=parts)
    wanted = merged.pop("participants")
    if wanted != present:
        _set_participants(record, people)
        touch(record)
    return merged


def _not_answered(record: Interaction, answers: Sequence[NewAnswer], checks: Checks) -> list[NewAnswer]:
    """The answers of a second writer, the first's where there is one; one that says otherwise is refused beside it."""
    given = {row.ask_id: row for row in record.answers}
    for index, one in enumerate(answers):
        known = given.get(one.ask_id)
        if known is None or not one.answer:
            continue
        if (known.answer, known.words) != (one.answer, one.words.strip()):
            label = ANSWER_LABELS[known.answer]
            sentence = _(
                "A colleague recorded “%(answer)s” meanwhile. Take your answer away to keep it; change it afterwards.", answer=label
            )
            checks.refuse(f"answers-{index}-answer", sentence)
    return [
        dataclasses.replace(one, answer=given[one.ask_id].answer, words=given[one.ask_id].words) if one.ask_id in given else one
        for one in answers
    ]


def _blank(new: NewInteraction) -> Interaction:
    return Interaction(office_id=new.office_id, reference=next_reference(new.office_id, "interaction"))


def _load(interaction_id: uuid.UUID) -> Interaction:
    found = db.session.scalar(select(Interaction).where(Interaction.id == interaction_id).with_for_update())
    if found is None:
        raise NotFound(_("There is no such interaction here."))
    return found


def _party(actor: Actor, new: NewInteraction, checks: Checks) -> uuid.UUID | None:
    if new.party_id is None and new.new_party is not None:
        return new_party(actor, new.office_id, new.new_party, "party_id")
    found = checks.party("party_id", new.party_id, new.office_id, needed=_("Enter whom you met."))
    return found.id if found else None


def _values(actor: Actor, new: NewInteraction, party_id: uuid.UUID | None, checks: Checks, held_kind: str | None) -> dict[str, object]:
    zone = clock.zone(db.session.get_one(Office, new.office_id).timezone)
    starts_at = new.starts_at
    if starts_at is None:
        checks.refuse("day", _("Enter the day."))
    elif checks.day("day", starts_at.astimezone(zone).date()) is not None:
        if new.state == "held" and starts_at > clock.now() + _EARLY:
            checks.refuse("day", _("This lies in the future. Plan it first, and write it up when it has been held."))
        if (
            new.state == "planned"
            and new.planned_id is None
            and "starts_at" not in new.kept
            and starts_at.astimezone(zone).date() < clock.today(zone)
        ):
            checks.refuse("day", _("This day has passed. Log what was held instead of planning it."))
    if new.minutes is not None and not 0 < new.minutes <= LONGEST_MINUTES:
        checks.refuse("minutes", _("Enter its length in minutes, above zero."))
    lines = {name: checks.text(name, getattr(new, name), SENTENCE_LENGTH) for name in ("purpose", "fallback", "offer", "red_line")}
    points = {name: checks.text(name, getattr(new, name), SENTENCE_LENGTH) for name in ("point_1", "point_2", "point_3")}
    needed = _("Write one sentence about what was said.") if new.state == "held" else ""
    return {
        "kind": checks.code("kind", INTERACTION_KINDS, new.kind, office_today(new.office_id), held_kind),
        "starts_at": starts_at,
        "minutes": new.minutes,
        "party_id": party_id,
        "place_text": checks.text("place_text", new.place_text, PLACE_LENGTH),
        "language": checks.text("language", new.language, LANGUAGE_LENGTH),
        "programme_id": checks.programme("programme_id", new.programme_id, new.office_id),
        "summary": checks.text("summary", new.summary, TEXT_LENGTH, needed=needed),
        "level": checks.level("level", new.level, actor, new.office_id),
        **lines,
        **points,
    }


def _ask(actor: Actor, new: NewInteraction, party_id: uuid.UUID | None, checks: Checks) -> uuid.UUID | None:
    """The ask of a contact: a known one, or the new one that is written with it (of the same addressee and level)."""
    made = new.new_ask
    if made is not None and (made.sentence.strip() or made.by_when or made.amount is not None):
        if new.ask_id is not None:
            checks.refuse("new_ask-sentence", _("Choose an ask or write a new one, not both."))
            return None
        wanted = ask_services.NewAsk(
            office_id=new.office_id,
            addressee_id=party_id,
            sentence=made.sentence,
            by_when=made.by_when,
            programme_id=made.programme_id or new.programme_id,
            amount=made.amount,
            level=new.level,
        )
        part = Checks("new_ask-")
        ask_services.check_ask(actor, wanted, part)
        part.errors.pop("new_ask-addressee_id", None)  # said beside "who" already
        part.errors.pop("new_ask-level", None)
        for name, sentences in part.errors.items():
            checks.errors.setdefault(name, []).extend(sentences)
        return None if checks.errors else ask_services.create_ask(actor, wanted)
    found = checks.ask("ask_id", new.ask_id, new.office_id)
    return found.id if found else None


# --- who took part -------------------------------------------------------------------------------------------------


def _people(new: NewInteraction, party_id: uuid.UUID | None, checks: Checks) -> list[NewParticipant]:
    """The participants with names and posts filled in; the person met is the first of theirs."""
    if len(new.participants) > MOST_PARTICIPANTS:
        checks.refuse("theirs", _("Enter at most %(n)s people.", n=MOST_PARTICIPANTS))
        return []
    given = list(new.participants)
    met = _met(party_id)
    if met is not None and all(one.party_id != party_id for one in given):
        given.insert(0, met)
    ids = {one.party_id for one in given if one.party_id is not None}
    names = {found.id: found.name for found in lookups.party_matches(ids, new.office_id).values()}
    posts = lookups.posts_on(ids, _office_day(new)) if ids else {}
    colleagues = lookups.people(one.user_id for one in given)
    found_people: list[NewParticipant] = []
    row = 0
    for one in given:
        part = checks.part(f"theirs-{row}-") if one.side == "theirs" and one is not met else checks
        row += one.side == "theirs" and one is not met
        if one.party_id is not None and one.party_id not in names:
            part.refuse("name", _("Choose somebody from the list."))
        if one.user_id is not None and one.user_id not in colleagues:
            checks.refuse("ours", _("Choose one of your colleagues."))
        known = names.get(one.party_id) if one.party_id else colleagues.get(one.user_id) if one.user_id else None
        text = known or part.text("name", one.name, NAME_LENGTH)
        post = part.text("post", one.post, NAME_LENGTH) or (posts.get(one.party_id, "")[:NAME_LENGTH] if one.party_id else "")
        if text:
            found_people.append(NewParticipant(one.side, text, post, one.party_id, one.user_id))
        elif post:
            part.refuse("name", _("Enter the name of the person who holds this post."))
    return found_people


def _met(party_id: uuid.UUID | None) -> NewParticipant | None:
    """The person met, as the first of their side; an organisation or group takes no seat."""
    if party_id is None:
        return None
    found = lookups.party_match(party_id)
    return NewParticipant("theirs", party_id=party_id) if found is not None and found.form == "person" else None


def _office_day(new: NewInteraction) -> date:
    zone = clock.zone(db.session.get_one(Office, new.office_id).timezone)
    return (new.starts_at or clock.now()).astimezone(zone).date()


def _shape(people: Sequence[Participant | NewParticipant]) -> tuple[tuple[str, str, str], ...]:
    return tuple(sorted({(one.side, one.name, one.post) for one in people}))


def _set_participants(record: Interaction, people: Sequence[NewParticipant]) -> None:
    """Put the participants in place; nothing is touched where they are as they were."""
    is_new = inspect(record).pending
    present = [] if is_new else list(db.session.scalars(select(Participant).where(Participant.interaction_id == record.id)))
    if present and _shape(present) == _shape(people):
        for row in present:
            row.level = record.level
        return
    for row in present:
        db.session.delete(row)
    if not is_new:
        db.session.flush()
    for position, one in enumerate(people, start=1):
        db.session.add(
            Participant(
                office_id=record.office_id,
                level=record.level,
                interaction_id=record.id,
                position=position,
                side=one.side,
                party_id=one.party_id,
                user_id=one.user_id,
                name=one.name,
                post=one.post,
            )
        )
    db.session.flush()
    db.session.expire(record, ["participants"])


# --- what goes with it ---------------------------------------------------------------------------------------------


def _save_rows(actor: Actor, record: Interaction, new: NewInteraction, checks: Checks) -> None:
    ask_services.save_answers(record, new.answers, checks)
    _promises(actor, record, new.promises, checks)
    _next_steps(actor, record, new.follow_ups, checks)
    note = checks.text("office_note", new.office_note, TEXT_LENGTH)
    if note:
        checks.part("office_note_").level("level", OFFICE, actor, record.office_id)
        if "office_note_level" in checks.errors:
            checks.errors["office_note"] = checks.errors.pop("office_note_level")
        db.session.add(Note(office_id=record.office_id, level=OFFICE, interaction_id=record.id, body=note))


def _promises(actor: Actor, record: Interaction, promises: Sequence[NewPromise], checks: Checks) -> None:
    if len(promises) > MOST_ROWS:
        checks.refuse("promises", _("Enter at most %(n)s promises at once.", n=MOST_ROWS))
        return
    day = record.starts_at.astimezone(clock.zone(db.session.get_one(Office, record.office_id).timezone)).date()
    for index, promise in enumerate(promises):
        if not promise.words.strip() and not promise.quantity.strip() and promise.due_on is None:
            continue
        wanted = commitment_services.NewCommitment(
            office_id=record.office_id,
            party_id=record.party_id,
            kind=promise.kind,
            words=promise.words,
            made_on=day,
            direction=promise.direction,
            due_on=promise.due_on,
            quantity=promise.quantity,
            interaction_id=record.id,
            ask_id=record.ask_id if promise.direction == "theirs" else None,
            programme_id=record.programme_id,
            level=record.level,
            owner_id=actor.user_id if promise.direction == "ours" else None,
        )
        part = checks.part(f"promises-{index}-")
        before = len(checks.errors)
        commitment_services.check_commitment(actor, wanted, part)
        if len(checks.errors) == before:
            commitment_services.record_commitment(actor, wanted)


def _next_steps(actor: Actor, record: Interaction, steps: Sequence[NextStep], checks: Checks) -> None:
    if len(steps) > MOST_ROWS:
        checks.refuse("follow_ups", _("Enter at most %(n)s follow-ups at once.", n=MOST_ROWS))
        return
    for index, step in enumerate(steps):
        if not step.text.strip():
            continue
        wanted = follow_up_services.NewFollowUp(
            office_id=record.office_id,
            text=step.text,
            due_on=step.due_on,
            owner_id=step.owner_id,
            interaction_id=record.id,
            level=record.level,
        )
        part = checks.part(f"follow_ups-{index}-")
        before = len(checks.errors)
        follow_up_services.check_follow_up(actor, wanted, part)
        if len(checks.errors) == before:
            follow_up_services.create_follow_up(actor, wanted)


# --- changing ------------------------------------------------------------------------------------------------------


@transactional
def edit_interaction(actor: Actor, interaction_id: uuid.UUID, new: NewInteraction) -> uuid.UUID:
    """Change a contact's own fields and its participants; `new.version` is the one the form was opened with, the rows of
    promises, answers and follow-ups are not looked at. A narrower level takes everything that belongs to it along.

    Raises `Invalid` by field, `EditConflict` (participants as tuples of side, name, post)."""
    record = _load(interaction_id)
    require(actor, Permission.CONTACT_LOG, record.office_id)
    if record.state == "cancelled":
        raise Invalid(_("A cancelled interaction stays as it was. Plan a new one."))
    checks = Checks()
    new = NewInteraction(
        **{**new.__dict__, "office_id": record.office_id, "state": record.state, "planned_id": None, "kept": frozenset({"starts_at"})}
    )
    party_id = _party(actor, new, checks)
    values = _values(actor, new, party_id, checks, record.kind)
    values["ask_id"] = _ask(actor, new, party_id, checks)
    people = _people(new, party_id, checks)
    checks.done()
    for name, value in _merged(record, new, values, people).items():
        setattr(record, name, value)
    carry_level(record)
    return record.id


@transactional
def answer_asks(actor: Actor, interaction_id: uuid.UUID, answers: Sequence[NewAnswer]) -> uuid.UUID:
    """Record or change what was answered at a held contact."""
    record = _load(interaction_id)
    require(actor, Permission.CONTACT_LOG, record.office_id)
    if record.state != "held":
        raise Invalid(_("Answers belong to an interaction that was held."))
    checks = Checks()
    ask_services.save_answers(record, answers, checks)
    checks.done()
    db.session.flush()
    return record.id


@transactional
def cancel_interaction(actor: Actor, interaction_id: uuid.UUID, *, reason: str, version: int | Opened) -> uuid.UUID:
    """A planned contact will not take place. Raises `Invalid` for one that was held."""
    record = _load(interaction_id)
    require(actor, Permission.CONTACT_LOG, record.office_id)
    if record.state != "planned":
        raise Invalid(_("Only a planned interaction can be cancelled."), field="reason")
    checks = Checks()
    words = checks.text("reason", reason, SENTENCE_LENGTH, needed=_("Write why it will not take place."))
    checks.done()
    for name, value in merge(record, version, {"cancelled_reason": words}).items():
        setattr(record, name, value)
    record.state = "cancelled"
    db.session.flush()
    return record.id


@transactional
def add_note(actor: Actor, interaction_id: uuid.UUID, *, body: str, level: str) -> uuid.UUID:
    """Write a note about a contact, for everybody who sees it or for the office's own members."""
    record = _load(interaction_id)
    require(actor, Permission.CONTACT_LOG, record.office_id)
    checks = Checks()
    text = checks.text("body", body, TEXT_LENGTH, needed=_("Write the note."))
    wanted = narrower(checks.level("level", level, actor, record.office_id), record.level)
    checks.done()
    note = Note(office_id=record.office_id, level=wanted, interaction_id=record.id, body=text)
    db.session.add(note)
    db.session.flush()
    return note.id
