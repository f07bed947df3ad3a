"""Interactions: planning them, logging them with everything that was said and promised, in one go or not at all."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import inspect, select

from crm import clock
from crm.db import db, together, transactional
from crm.errors import Conflict, Invalid, NotFound
from crm.i18n import _
from crm.models.base import NAME_LENGTH, OFFICE, OPEN, SENTENCE_LENGTH, TEXT_LENGTH
from crm.models.codes import INTERACTION_KINDS
from crm.models.interactions import FollowUp, Interaction, Participant
from crm.models.notes import Note
from crm.models.parties import Party
from crm.money import Money
from crm.policy import Actor, Permission, offices_by_id, require
from crm.queries import history, lookups
from crm.queries.asks import ANSWER_LABELS
from crm.services import asks as ask_services
from crm.services import commitments as commitment_services
from crm.services import follow_ups as follow_up_services
from crm.services import parties
from crm.services.asks import NewAnswer
from crm.services.checking import Checks, Opened, merge, narrower, new_party, office_today
from crm.services.levels import carry_level
from crm.services.references import next_reference, next_references
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
        with together():
            _set_participants(record, people)  # flushed together with a new record: its history takes them as its first state
            _save_rows(actor, record, new, checks)
            checks.done()
        return record.id
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
    zone = clock.zone(offices_by_id()[new.office_id].timezone)
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


@dataclass(frozen=True)
class _Around:
    """Who is named in some interactions: parties that the office may name, the posts they held that day, colleagues."""

    parties: Mapping[uuid.UUID, lookups.Match]
    posts: Mapping[tuple[uuid.UUID, date], str]
    colleagues: Mapping[uuid.UUID, str]


def _around(office_id: uuid.UUID, named: Sequence[tuple[NewInteraction, uuid.UUID | None]], found: Sequence[Party] = ()) -> _Around:
    """Looked up at once for all of them, without the parties that were found: three statements."""
    taking_part = [(party_id, _office_day(new)) for new, met in named for party_id in (met, *(one.party_id for one in new.participants))]
    wanted = {(party_id, day) for party_id, day in taking_part if party_id is not None}
    known = {party.id: lookups.match_of(party) for party in found}
    parties_here = {**known, **lookups.party_matches({party_id for party_id, _day in wanted} - known.keys(), office_id)}
    return _Around(
        parties_here,
        lookups.posts_on_days({pair for pair in wanted if pair[0] in parties_here}),
        lookups.people(one.user_id for new, _met in named for one in new.participants),
    )


def _people(new: NewInteraction, party_id: uuid.UUID | None, checks: Checks, around: _Around | None = None) -> list[NewParticipant]:
    """The participants with names and posts filled in; the person met is the first of theirs."""
    if len(new.participants) > MOST_PARTICIPANTS:
        checks.refuse("theirs", _("Enter at most %(n)s people.", n=MOST_PARTICIPANTS))
        return []
    around = around or _around(new.office_id, [(new, party_id)], checks.parties)
    checks.know_colleagues(around.colleagues)
    given = list(new.participants)
    met = _met(party_id, around)
    if met is not None and all(one.party_id != party_id for one in given):
        given.insert(0, met)
    day = _office_day(new)
    found_people: list[NewParticipant] = []
    row = 0
    for one in given:
        part = checks.part(f"theirs-{row}-") if one.side == "theirs" and one is not met else checks
        row += one.side == "theirs" and one is not met
        if one.party_id is not None and one.party_id not in around.parties:
            part.refuse("name", _("Choose somebody from the list."))
        if one.user_id is not None and one.user_id not in around.colleagues:
            checks.refuse("ours", _("Choose one of your colleagues."))
        party = around.parties.get(one.party_id) if one.party_id else None
        known = party.name if party else around.colleagues.get(one.user_id) if one.user_id else None
        text = known or part.text("name", one.name, NAME_LENGTH)
        post = part.text("post", one.post, NAME_LENGTH) or (around.posts.get((one.party_id, day), "")[:NAME_LENGTH] if one.party_id else "")
        if text:
            found_people.append(NewParticipant(one.side, text, post, one.party_id, one.user_id))
        elif post:
            part.refuse("name", _("Enter the name of the person who holds this post."))
    return found_people


def _met(party_id: uuid.UUID | None, around: _Around) -> NewParticipant | None:
    """The person met, as the first of their side; an organisation or group takes no seat."""
    met = around.parties.get(party_id) if party_id is not None else None
    return NewParticipant("theirs", party_id=party_id) if met is not None and met.form == "person" else None


def _office_day(new: NewInteraction) -> date:
    zone = clock.zone(offices_by_id()[new.office_id].timezone)
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
    _seat(record, people)
    db.session.flush()
    db.session.expire(record, ["participants"])


def _seat(record: Interaction, people: Sequence[NewParticipant], after: int = 0) -> None:
    """Put people behind those who sit at the first `after` places."""
    for position, one in enumerate(people, start=after + 1):
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


# --- what goes with it ---------------------------------------------------------------------------------------------


def _save_rows(actor: Actor, record: Interaction, new: NewInteraction, checks: Checks) -> None:
    checks.know(record)
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
    day = record.starts_at.astimezone(clock.zone(offices_by_id()[record.office_id].timezone)).date()
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
        values = commitment_services.check_commitment(actor, wanted, part)
        if len(checks.errors) == before:
            commitment_services.add_commitment(record.office_id, values)


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
        values = follow_up_services.check_follow_up(actor, wanted, part)
        if len(checks.errors) == before:
            follow_up_services.add_follow_up(record.office_id, values)


# --- from a list ---------------------------------------------------------------------------------------------------


def check_interaction(actor: Actor, new: NewInteraction) -> None:
    """Raise the `Invalid` that `log_interactions` would raise for what a contact says of itself: for a dry run. Whom and what it
    refers to is not looked at. Files bring contacts of the past: their kind may be one that is withdrawn since."""
    checks = Checks()
    _values(actor, dataclasses.replace(new, programme_id=None), new.party_id, checks, new.kind)
    _check_rows(actor, new, checks)
    checks.done()


def _check_rows(actor: Actor, new: NewInteraction, checks: Checks) -> list[NextStep]:
    """The follow-ups of a contact tidied, and its note looked at; refusals in `checks`."""
    steps = []
    for index, step in enumerate(new.follow_ups):
        part = checks.part(f"follow_ups-{index}-")
        due = part.day("due_on", step.due_on, needed=_("Enter the day by which it is to be done."))
        steps.append(NextStep(part.text("text", step.text, SENTENCE_LENGTH, needed=_("Write what is to be done.")), due, step.owner_id))
    if checks.text("office_note", new.office_note, TEXT_LENGTH):
        checks.level("office_note", OFFICE, actor, new.office_id)
    return steps


@transactional
def log_interactions(actor: Actor, office_id: uuid.UUID, new: Sequence[NewInteraction]) -> list[uuid.UUID]:
    """Record several held contacts of an office, in their order, with participants, follow-ups and notes, by the rules of
    `log_interaction`: for imports. Their parties, programmes and the owners of follow-ups are ones that the office may name;
    asks, answers and promises are not looked at."""
    require(actor, Permission.CONTACT_LOG, office_id)
    if not new:
        return []
    around = _around(office_id, [(one, one.party_id) for one in new])
    made: list[tuple[Interaction, NewInteraction, list[NextStep]]] = []
    for one, reference in zip(new, next_references(office_id, "interaction", len(new)), strict=True):
        checks = Checks()
        values = _values(actor, dataclasses.replace(one, programme_id=None), one.party_id, checks, one.kind)
        if one.party_id not in around.parties:
            checks.refuse("party_id", _("Enter whom you met."))
        people = _people(one, one.party_id, checks, around)
        steps = _check_rows(actor, one, checks)
        checks.done()
        known = {**values, "programme_id": one.programme_id, "state": "held", "written_up_at": clock.now()}
        record = Interaction(office_id=office_id, reference=reference, **known)
        db.session.add(record)
        _seat(record, people)
        made.append((record, one, steps))
    db.session.flush()
    for record, one, steps in made:
        _add_rows(actor, record, steps, one.office_note)
    db.session.flush()
    return [record.id for record, _one, _steps in made]


def _add_rows(actor: Actor, record: Interaction, steps: Sequence[NextStep], note: str) -> None:
    db.session.add_all(
        FollowUp(
            office_id=record.office_id,
            level=record.level,
            text=step.text,
            due_on=step.due_on,
            owner_id=step.owner_id or actor.user_id,
            party_id=record.party_id,
            interaction_id=record.id,
        )
        for step in steps
    )
    if note.strip():
        db.session.add(Note(office_id=record.office_id, level=OFFICE, interaction_id=record.id, body=note.strip()))


@transactional
def add_to_interaction(actor: Actor, interaction_id: uuid.UUID, new: NewInteraction, names: Collection[str]) -> uuid.UUID:
    """Change some fields of a held contact (`names`, columns) to those of `new`, and add its participants, follow-ups and note to
    those on record: for imports. Nothing else is looked at, nobody is taken away, its level stays."""
    record = _load(interaction_id)
    require(actor, Permission.CONTACT_LOG, record.office_id)
    checks = Checks()
    new = dataclasses.replace(new, office_id=record.office_id, state="held", level=record.level)
    values = _values(actor, new, record.party_id, checks, new.kind)
    people = _people(new, None, checks)
    steps = _check_rows(actor, new, checks)
    checks.done()
    for name in names:
        setattr(record, name, values[name])
    if people:
        seats = db.session.scalars(select(Participant.position).where(Participant.interaction_id == record.id)).all()
        _seat(record, people, max(seats, default=0))
        touch(record)
    _add_rows(actor, record, steps, new.office_note)
    db.session.flush()
    return record.id


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
