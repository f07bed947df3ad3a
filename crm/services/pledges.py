"""Pledges: announced money, its changes and its plan. M3, M7, M19; every change is a new version of the terms."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from crm import clock
from crm.db import db, together, transactional
from crm.errors import Invalid, NotFound
from crm.formatting import day
from crm.i18n import _, get_locale, is_turned, named
from crm.i18n import sentence as directed
from crm.models.asks import Ask
from crm.models.base import NAME_LENGTH, OPEN, SENTENCE_LENGTH, TEXT_LENGTH
from crm.models.commitments import Commitment
from crm.models.interactions import Interaction
from crm.models.parties import Party, Position
from crm.models.pledges import RATE_POLICIES, REFERENCE_LENGTH, Agreement, Pledge, PledgeTerms, Receipt
from crm.money import Money
from crm.policy import Actor, Permission, require
from crm.queries import commitments
from crm.services import fields
from crm.services import money_rules as rules
from crm.services.checking import Opened, donor_named, merge, narrower
from crm.services.commitments import set_values
from crm.services.money_rules import PlanItem, PlanLine
from crm.services.parties import NewParty
from crm.services.references import next_reference

__all__ = [
    "NewPledge",
    "PlanLine",
    "PledgeChange",
    "change_pledge",
    "check_pledge",
    "record_pledge",
    "reschedule_pledge",
    "reverse_terms",
    "take_back_pledge",
    "taken_back",
    "why_not_taken_back",
]

MAX_FIXED_RATE = Decimal(10) ** 9
_MOST_NAMED = 3
CHANGES = ("uplift", "reduction", "lapse", "withdrawal")


@dataclass(frozen=True)
class NewPledge:
    """What a donor announced. An empty plan becomes one instalment whose day is not agreed yet.

    `fixed_rate` (with `rate_policy="fixed"`) is the event's rate: reporting currency per one unit of the pledge's currency.
    `commitment_id`: a promise of money already on record (heard at a meeting) that this pledge is; it is taken over, not
    recorded again. `opened`: what the form was opened with of that promise. `new_donor`: the donor, where it is to be recorded too.
    """

    office_id: uuid.UUID
    donor_id: uuid.UUID | None
    amount: Money
    pledged_on: date
    words: str = ""
    plan: Sequence[PlanLine] = ()
    programme_id: uuid.UUID | None = None
    event_name: str = ""
    donor_reference: str = ""
    rate_policy: str = "day"
    fixed_rate: Decimal | None = None
    due_on: date | None = None
    commitment_id: uuid.UUID | None = None
    position_id: uuid.UUID | None = None
    interaction_id: uuid.UUID | None = None
    ask_id: uuid.UUID | None = None
    on_behalf_of: str = ""
    witness: str = ""
    evidence: str = ""
    owner_id: uuid.UUID | None = None
    opened: int | Opened | None = None
    new_donor: NewParty | None = None


@dataclass(frozen=True)
class PledgeChange:
    """A change of what is promised: uplift, reduction, lapse or withdrawal. `amount` is positive; none = all that is
    outstanding (not for an uplift). Without a plan an uplift adds an instalment without a day, a reduction or withdrawal
    cuts the last instalments, a lapse the first."""

    kind: str
    on: date
    reason: str
    amount: Money | None = None
    plan: Sequence[PlanLine] | None = None
    version: int | Opened | None = None


@transactional
def record_pledge(actor: Actor, new: NewPledge) -> uuid.UUID:
    """Record a pledge and the commitment whose key it shares; the first terms are what was announced (M3, M7).

    With `commitment_id` the promise that is on record becomes the pledge: same key, same reference of its own, so that
    nothing counts twice. Where the contact or ask it comes from is for the office alone, so are the words (decision 0008).
    Raises `Invalid` by field (donor_id, commitment_id, amount, pledged_on, plan, plan-N-amount, plan-N-due_on,
    programme_id, fixed_rate, …), `EditConflict` where the promise was changed since the form was opened.
    """
    require(actor, Permission.MONEY_WRITE, new.office_id)
    new = replace(new, donor_id=donor_named(actor, new.office_id, new.donor_id, new.new_donor))
    promise = _promise_of(new)
    checked = check_pledge(new)
    donor, minor, currency, plan, level, said = checked.donor, checked.minor, checked.currency, checked.plan, checked.level, checked.said
    due_on = new.due_on or max((item.due_on for item in plan if item.due_on), default=None)
    reference = next_reference(new.office_id, "pledge")
    with together():
        if promise is not None:
            _take_over(promise, new, said, level)
            set_values(promise, {"due_on": due_on or promise.due_on, "quantity": promise.quantity or rules.shown(minor, currency)})
            commitment = promise
        else:
            commitment = Commitment(
                office_id=new.office_id,
                reference=reference,
                direction="theirs",
                kind="financial",
                party_id=donor.id,
                position_id=new.position_id,
                on_behalf_of=rules.text_of(new.on_behalf_of, "on_behalf_of", longest=NAME_LENGTH),
                due_on=due_on,
                quantity=rules.shown(minor, currency),
                evidence=rules.text_of(new.evidence, "evidence", longest=SENTENCE_LENGTH),
                owner_id=new.owner_id or actor.user_id,
                level=level,
                **said,
            )
            db.session.add(commitment)
        db.session.flush()
        pledge = Pledge(
            id=commitment.id,
            office_id=new.office_id,
            reference=reference,
            donor_id=donor.id,
            programme_id=commitment.programme_id,
            pledged_on=commitment.made_on,
            event_name=checked.event_name,
            donor_reference=checked.donor_reference,
            currency=currency,
            rate_policy=new.rate_policy,
            fixed_rate=new.fixed_rate,
            announced_minor=minor,
            outstanding_minor=minor,
            next_due_on=None,
        )
        db.session.add(pledge)
        db.session.flush()
        rules.add_pledge_terms(pledge, "announced", commitment.made_on, minor, plan, is_first=True)
    return pledge.id


@dataclass(frozen=True)
class CheckedPledge:
    """What a pledge would be recorded as. `said`: columns of its promise."""

    donor: Party
    minor: int
    currency: str
    plan: list[PlanItem]
    level: str
    event_name: str
    donor_reference: str
    said: dict[str, Any]


def check_pledge(new: NewPledge) -> CheckedPledge:
    """Refuse (`Invalid` by field) what cannot be recorded as a pledge, apart from a promise that it is. Writes nothing."""
    donor = rules.visible_party(new.donor_id, new.office_id)
    minor = rules.minor_of(new.amount)
    currency = fields.currency(new.amount.currency)
    on = rules.past_day(new.pledged_on, "pledged_on", new.office_id)
    plan = rules.plan_or_one(new.plan, minor, currency)
    if new.programme_id is not None:
        rules.programme_of(new.office_id, new.programme_id)
    _check_rate(new)
    level = _level_of(new)
    event = rules.text_of(new.event_name, "event_name", longest=NAME_LENGTH)
    theirs = rules.text_of(new.donor_reference, "donor_reference", longest=REFERENCE_LENGTH)
    words = rules.text_of(new.words, "words", longest=TEXT_LENGTH, is_long=True)
    said = {
        "words": words or _announcement(donor.name, rules.shown(minor, currency)),
        "made_on": on,
        "interaction_id": new.interaction_id,
        "ask_id": new.ask_id,
        "programme_id": new.programme_id,
        "witness": rules.text_of(new.witness, "witness", longest=NAME_LENGTH),
    }
    return CheckedPledge(donor, minor, currency, plan, level, event, theirs, said)


def _promise_of(new: NewPledge) -> Commitment | None:
    """The promise that the pledge is, held until the transaction ends; `Invalid` says why it cannot be one."""
    if new.commitment_id is None:
        return None
    found = db.session.scalar(
        select(Commitment).where(Commitment.id == new.commitment_id, Commitment.office_id == new.office_id).with_for_update()
    )
    if found is None:
        raise Invalid(_("Choose a promise of money that is on record in this office."), field="commitment_id")
    if reason := commitments.why_no_pledge(found):
        raise Invalid(reason, field="commitment_id")
    if found.party_id != new.donor_id:
        raise Invalid(_("This promise was made by another party. Correct who made it on the promise first."), field="donor_id")
    return found


def _take_over(promise: Commitment, new: NewPledge, said: Mapping[str, object], level: str) -> None:
    """Write what the form says of the promise, merged with what others changed since; a check of its words is asked again."""
    yours = dict(said) if new.words.strip() else {name: value for name, value in said.items() if name != "words"}
    merged = yours if new.opened is None else merge(promise, new.opened, yours)
    set_values(promise, merged)
    promise.level = narrower(promise.level, level)


def _check_rate(new: NewPledge) -> None:
    if new.rate_policy not in RATE_POLICIES:
        raise Invalid(_("Choose which rate counts for this pledge."), field="rate_policy")
    if (new.rate_policy == "fixed") != (new.fixed_rate is not None):
        raise Invalid(_("A pledge at a fixed rate needs the rate; any other has none."), field="fixed_rate")
    if new.fixed_rate is not None and (not new.fixed_rate.is_finite() or not 0 < new.fixed_rate < MAX_FIXED_RATE):
        raise Invalid(_("A rate must be greater than 0."), field="fixed_rate")


def _announcement(donor: str, amount: str) -> str:
    """What a donor says who was not quoted. It is kept as text: where the name is written the other way, with the marks of direction."""
    if is_turned(donor):
        return directed(_("%(donor)s pledged %(amount)s.", donor=named(donor), amount=amount))
    return _("%(donor)s pledged %(amount)s.", donor=donor, amount=amount)


def _level_of(new: NewPledge) -> str:
    """The level of the words: as narrow as the contact and the ask they come from. Both must be in scope and of this office,
    the post in scope."""
    levels = []
    for asked, entity, field, sentence in (
        (new.interaction_id, Interaction, "interaction_id", _("Choose an interaction of this office.")),
        (new.ask_id, Ask, "ask_id", _("Choose an ask of this office.")),
    ):
        found = db.session.scalar(select(entity.level).where(entity.id == asked, entity.office_id == new.office_id)) if asked else OPEN
        if found is None:
            raise Invalid(sentence, field=field)
        levels.append(found)
    if new.position_id and db.session.scalar(select(Position.id).where(Position.id == new.position_id)) is None:
        raise Invalid(_("Choose a post that is on record."), field="position_id")
    return narrower(*levels)


def _pledge(actor: Actor, pledge_id: uuid.UUID, version: int | Opened | None) -> Pledge:
    """The pledge, locked, if the actor may write its money and nobody changed it since the form was opened."""
    require(actor, Permission.MONEY_WRITE)
    pledge = rules.locked(Pledge, pledge_id)
    require(actor, Permission.MONEY_WRITE, pledge.office_id)
    rules.refuse_stale(pledge, version, _("This pledge has changed since you opened it. Look at it again before you go on."))
    return pledge


@transactional
def change_pledge(actor: Actor, pledge_id: uuid.UUID, change: PledgeChange) -> uuid.UUID:
    """Raise, cut, lapse or withdraw a pledge by new terms (M3); returns the terms' id. Never below what is outstanding.

    Raises `Invalid` by field (kind, amount, on, reason, plan), `NotFound`, `Denied`, `EditConflict`.
    """
    pledge = _pledge(actor, pledge_id, change.version)
    if pledge.is_taken_back:
        raise Invalid(_("This pledge was taken back, since it was recorded by mistake. Record it again."))
    if change.kind not in CHANGES:
        raise Invalid(_("Choose what has changed."), field="kind")
    reason = rules.text_of(change.reason, "reason", is_needed=True)
    on = _change_day(pledge, change.on)
    if change.amount is not None:
        minor = rules.minor_of(change.amount, currency=pledge.currency)
    elif change.kind == "uplift" or not pledge.outstanding_minor:
        raise Invalid(_("Enter an amount."), field="amount")
    else:
        minor = pledge.outstanding_minor
    signed = minor if change.kind == "uplift" else -minor
    rules.refuse_overdrawn_pledge(pledge, signed, on)
    after = rules.within_reach(pledge.outstanding_minor + signed, pledge.currency)
    if change.plan is None:
        plan = rules.changed_plan(rules.pledge_items(pledge), signed, is_oldest_first=change.kind == "lapse")
    else:
        plan = rules.checked_plan(change.plan, after, pledge.currency)
    return rules.add_pledge_terms(pledge, change.kind, on, signed, plan, reason=reason).id


@transactional
def reschedule_pledge(
    actor: Actor,
    pledge_id: uuid.UUID,
    plan: Sequence[PlanLine],
    reason: str,
    *,
    on: date | None = None,
    version: int | Opened | None = None,
) -> uuid.UUID:
    """Give what is outstanding another plan; the earlier one stays readable (M7). Returns the terms' id."""
    pledge = _pledge(actor, pledge_id, version)
    if not pledge.outstanding_minor:
        raise Invalid(_("Nothing of this pledge is outstanding."), field="plan")
    said = rules.text_of(reason, "reason", is_needed=True)
    effective = _change_day(pledge, on or clock.today(rules.office_of(pledge.office_id).timezone))
    items = rules.checked_plan(plan, pledge.outstanding_minor, pledge.currency)
    return rules.add_pledge_terms(pledge, "reschedule", effective, 0, items, reason=said).id


@transactional
def reverse_terms(actor: Actor, terms_id: uuid.UUID, reason: str) -> uuid.UUID:
    """Take a mistaken change of a pledge back by terms with the opposite sign, on the same day (M19); returns their id.

    What was announced cannot be reversed (withdraw the pledge), nor what an agreement or receipt converted.
    """
    require(actor, Permission.MONEY_WRITE)
    wrong = db.session.scalar(select(PledgeTerms).where(PledgeTerms.id == terms_id))
    if wrong is None:
        raise NotFound(_("There is no such record here."))
    pledge = _pledge(actor, wrong.pledge_id, None)
    said = rules.text_of(reason, "reason", is_needed=True)
    if wrong.kind == "announced":
        raise Invalid(_("What was announced stays on record. Withdraw the pledge instead."))
    if wrong.kind == "conversion":
        raise Invalid(_("An agreement or a receipt converted this part. Correct that record instead."))
    if wrong.kind == "reversal":
        raise Invalid(_("A reversal cannot be reversed. Record the change again."))
    if wrong.kind == "reschedule" and wrong.version != _newest_version(pledge):
        raise Invalid(_("This plan has been replaced since. Reschedule the pledge instead."))
    return _reverse(pledge, wrong, said).id


def why_not_taken_back(pledge_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Why some pledges that were recorded by mistake cannot be taken back as a whole: what hangs on each, as a sentence. Those on
    which nothing hangs are left out. Three statements."""
    signed = select(Agreement.pledge_id, Agreement.reference).where(Agreement.pledge_id.in_(pledge_ids))
    gone = select(Receipt.reversal_of_id).where(Receipt.reversal_of_id.is_not(None))
    came = select(Receipt.pledge_id, Receipt.reference).where(
        Receipt.pledge_id.in_(pledge_ids), Receipt.reversal_of_id.is_(None), Receipt.id.not_in(gone)
    )
    changed = select(PledgeTerms.pledge_id, PledgeTerms.kind).where(
        PledgeTerms.pledge_id.in_(pledge_ids), PledgeTerms.kind.in_((*CHANGES, "reschedule"))
    )
    found = {key: _("Its terms were changed since.") for key, _kind in db.session.execute(changed)}
    for statement, sentence in ((came, _("Money came for it: %(names)s.")), (signed, _("An agreement was signed on it: %(names)s."))):
        names: dict[uuid.UUID, list[str]] = {}
        for key, reference in db.session.execute(statement):
            if key is not None:
                names.setdefault(key, []).append(reference)
        found |= {key: sentence % {"names": ", ".join(sorted(listed)[:_MOST_NAMED])} for key, listed in names.items()}
    return found


def taken_back(pledge_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of some pledges that were taken back as a whole. One statement."""
    return set(db.session.scalars(select(Pledge.id).where(Pledge.id.in_(pledge_ids), Pledge.is_taken_back)))


@transactional
def take_back_pledge(actor: Actor, pledge_id: uuid.UUID, reason: str) -> uuid.UUID:
    """Take a pledge that was recorded by mistake back by terms with the opposite sign, on the day it was made: on no day it counts,
    neither as announced nor as outstanding, and it stays to be seen (M19). Its promise is overtaken. Returns the terms' id.

    Raises `Invalid` where an agreement, money or a change of its terms hangs on it, or it was taken back before."""
    pledge = _pledge(actor, pledge_id, None)
    said = rules.text_of(reason, "reason", is_needed=True)
    first = db.session.scalars(select(PledgeTerms).where(PledgeTerms.pledge_id == pledge.id, PledgeTerms.kind == "announced")).one()
    if sentence := why_not_taken_back([pledge.id]).get(pledge.id):
        raise Invalid(sentence)
    terms = _reverse(pledge, first, said, is_plan_back=False)
    pledge.announced_minor = 0
    promise = db.session.scalars(select(Commitment).where(Commitment.id == pledge.id).with_for_update()).one()
    today = clock.today(rules.office_of(pledge.office_id).timezone)
    if promise.outcome is None:
        promise.outcome, promise.outcome_on, promise.outcome_note = "overtaken", today, said
    db.session.flush()
    return terms.id


def _reverse(pledge: Pledge, wrong: PledgeTerms, reason: str, *, converts: int = 0, is_plan_back: bool | None = None) -> PledgeTerms:
    """Append the reversal; the plan goes back to the one before where nothing came after, else it is adjusted."""
    if db.session.scalar(select(PledgeTerms.id).where(PledgeTerms.reversal_of_id == wrong.id)) is not None:
        raise Invalid(_("This change has been reversed already."))
    if is_plan_back is None:
        is_plan_back = _newest_version(pledge) == wrong.version
    before = db.session.scalar(select(PledgeTerms).where(PledgeTerms.pledge_id == pledge.id, PledgeTerms.version == wrong.version - 1))
    if is_plan_back and before is not None:
        plan = rules.terms_plan(before)
    else:
        plan = rules.changed_plan(rules.pledge_items(pledge), -wrong.change_minor)
    return rules.add_pledge_terms(
        pledge,
        "reversal",
        wrong.effective_on,
        -wrong.change_minor,
        plan,
        reason=reason,
        converts=converts,
        receipt_id=wrong.receipt_id,
        reversal_of_id=wrong.id,
    )


def reverse_conversions(pledge: Pledge, wrong: Sequence[PledgeTerms], reason: str) -> None:
    """For receipts: give back to the pledge what a reversed receipt had converted, the last step first, and its plan where
    nothing came after. Inside the caller's transaction."""
    last_first = sorted(wrong, key=lambda terms: terms.version, reverse=True)
    newest = _newest_version(pledge)
    is_plan_back = [terms.version for terms in last_first] == list(range(newest, newest - len(last_first), -1))
    for terms in last_first:
        _reverse(pledge, terms, reason, converts=terms.change_minor, is_plan_back=is_plan_back)


def _newest_version(pledge: Pledge) -> int:
    return db.session.scalar(select(func.max(PledgeTerms.version)).where(PledgeTerms.pledge_id == pledge.id)) or 0


def _change_day(pledge: Pledge, on: date) -> date:
    sentence = _("The pledge was made on %(day)s; a change cannot lie before that.", day=day(pledge.pledged_on, get_locale()))
    return rules.past_day(on, "on", pledge.office_id, since=pledge.pledged_on, since_sentence=sentence)
