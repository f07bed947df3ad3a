"""Asks: what we ask of whom; changing, closing and opening them again; the answers they were given."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select

from crm.db import db, transactional
from crm.errors import Invalid, NotFound
from crm.i18n import _
from crm.models.asks import ANSWERS, Ask, AskAnswer
from crm.models.base import OPEN, SENTENCE_LENGTH
from crm.models.interactions import Interaction
from crm.money import MAX_MINOR, AmountInvalid, Money, to_minor
from crm.policy import Actor, Permission, require
from crm.services import fields
from crm.services.checking import Checks, Opened, merge, narrower, new_party, office_today
from crm.services.levels import carry_level
from crm.services.parties import NewParty
from crm.services.references import next_reference


@dataclass(frozen=True)
class NewAsk:
    """One thing we ask of one addressee, in one sentence."""

    office_id: uuid.UUID
    addressee_id: uuid.UUID | None
    sentence: str
    by_when: date | None = None
    programme_id: uuid.UUID | None = None
    position_id: uuid.UUID | None = None
    fallback: str = ""
    amount: Money | None = None
    level: str = OPEN
    new_addressee: NewParty | None = None


@dataclass(frozen=True)
class NewAnswer:
    """What was said to an ask at a contact; an empty answer means that it was not raised."""

    ask_id: uuid.UUID
    answer: str = ""
    words: str = ""


def check_ask(actor: Actor, new: NewAsk, checks: Checks, held: str | None = None) -> dict[str, object]:
    """The column values of an ask, refusals collected in `checks`; `held`: the currency it is in already."""
    addressee = checks.party("addressee_id", new.addressee_id, new.office_id, needed=_("Choose whom we ask."))
    minor, currency = None, None
    if new.amount is not None:
        try:
            minor, currency = to_minor(new.amount), new.amount.currency
            if not 0 < minor <= MAX_MINOR:
                checks.refuse("amount", _("Enter an amount above zero."))
            fields.currency(new.amount.currency, held)
        except AmountInvalid as error:
            checks.refuse("amount", str(error))
        except Invalid as error:
            checks.refuse("currency", str(error))
    return {
        "addressee_id": addressee.id if addressee else None,
        "sentence": checks.text("sentence", new.sentence, SENTENCE_LENGTH, needed=_("Write the ask in one sentence.")),
        "by_when": checks.day("by_when", new.by_when),
        "programme_id": checks.programme("programme_id", new.programme_id, new.office_id),
        "position_id": checks.position("position_id", new.position_id),
        "fallback": checks.text("fallback", new.fallback, SENTENCE_LENGTH),
        "amount_minor": minor,
        "currency": currency,
        "level": checks.level("level", new.level, actor, new.office_id),
    }


@transactional
def create_ask(actor: Actor, new: NewAsk) -> uuid.UUID:
    """Record an ask. Raises `Invalid` by field (addressee_id, sentence, by_when, amount, programme_id, …)."""
    require(actor, Permission.CONTACT_LOG, new.office_id)
    checks = Checks()
    if new.addressee_id is None and new.new_addressee is not None:
        new = replace(new, addressee_id=new_party(actor, new.office_id, new.new_addressee, "addressee_id"))
    values = check_ask(actor, new, checks)
    checks.done()
    ask = Ask(office_id=new.office_id, reference=next_reference(new.office_id, "ask"), **values)
    db.session.add(ask)
    db.session.flush()
    return ask.id


def _load(ask_id: uuid.UUID) -> Ask:
    found = db.session.scalar(select(Ask).where(Ask.id == ask_id).with_for_update())
    if found is None:
        raise NotFound(_("There is no such ask here."))
    return found


@transactional
def edit_ask(actor: Actor, ask_id: uuid.UUID, new: NewAsk, version: int | Opened) -> uuid.UUID:
    """Change an ask; its office stays. An ask that is narrowed takes along what hangs on it. Raises `EditConflict`."""
    ask = _load(ask_id)
    require(actor, Permission.CONTACT_LOG, ask.office_id)
    checks = Checks()
    if new.addressee_id is None and new.new_addressee is not None:
        new = replace(new, addressee_id=new_party(actor, ask.office_id, new.new_addressee, "addressee_id"))
    values = check_ask(actor, replace(new, office_id=ask.office_id), checks, ask.currency)
    checks.done()
    for name, value in merge(ask, version, values).items():
        setattr(ask, name, value)
    carry_level(ask)
    return ask.id


@transactional
def move_ask(actor: Actor, ask_id: uuid.UUID, by_when: date) -> uuid.UUID:
    """Say by when an ask is wanted; the rest of it stays."""
    ask = _load(ask_id)
    require(actor, Permission.CONTACT_LOG, ask.office_id)
    checks = Checks()
    ask.by_when = checks.day("by_when", by_when)
    checks.done()
    db.session.flush()
    return ask.id


@transactional
def close_ask(actor: Actor, ask_id: uuid.UUID, *, reason: str, version: int | Opened) -> uuid.UUID:
    """Close an ask for a reason: answered for good, overtaken, withdrawn."""
    ask = _load(ask_id)
    require(actor, Permission.CONTACT_LOG, ask.office_id)
    checks = Checks()
    words = checks.text("reason", reason, SENTENCE_LENGTH, needed=_("Write why the ask is closed."))
    checks.done()
    for name, value in merge(ask, version, {"closed_on": office_today(ask.office_id), "closed_reason": words}).items():
        setattr(ask, name, value)
    db.session.flush()
    return ask.id


@transactional
def reopen_ask(actor: Actor, ask_id: uuid.UUID, *, version: int | Opened) -> uuid.UUID:
    """Open a closed ask again; its history keeps why it was closed."""
    ask = _load(ask_id)
    require(actor, Permission.CONTACT_LOG, ask.office_id)
    for name, value in merge(ask, version, {"closed_on": None, "closed_reason": ""}).items():
        setattr(ask, name, value)
    db.session.flush()
    return ask.id


def save_answers(interaction: Interaction, answers: Sequence[NewAnswer], checks: Checks) -> None:
    """Put the answers given at a contact in place: one row an ask. An answer left empty takes an earlier one away.

    Part of the services that log contacts: call it inside their transaction, then `checks.done()`."""
    present = db.session.scalars(select(AskAnswer).where(AskAnswer.interaction_id == interaction.id)) if answers else ()
    known = {row.ask_id: row for row in present}
    for index, given in enumerate(answers):
        part = checks.part(f"answers-{index}-")
        words = part.text("words", given.words, SENTENCE_LENGTH)
        if not given.answer:
            if words:
                part.refuse("answer", _("Choose the answer that these words gave."))
            elif given.ask_id in known:
                db.session.delete(known.pop(given.ask_id))
            continue
        part.choice("answer", given.answer, ANSWERS)
        ask = part.ask("answer", given.ask_id, interaction.office_id)
        if ask is None or checks.errors:
            continue
        level = narrower(interaction.level, ask.level)
        if given.ask_id in known:
            row = known[given.ask_id]
            row.answer, row.words, row.level = given.answer, words, level
        else:
            row = AskAnswer(
                office_id=interaction.office_id, level=level, ask_id=ask.id, interaction_id=interaction.id, answer=given.answer, words=words
            )
            db.session.add(row)
            known[ask.id] = row
