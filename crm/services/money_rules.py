"""What the money services share: checked input, plans of instalments, and the rows that carry them.

Not a service: nothing here commits or asks for a permission; its callers do, and hold the lock of the record.
"""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import aliased

from crm import clock
from crm.db import db
from crm.errors import EditConflict, Invalid, NotFound
from crm.formatting import day, is_blank, money
from crm.i18n import _, get_locale
from crm.models.base import SENTENCE_LENGTH, SHARED, Keyed
from crm.models.parties import Party
from crm.models.pledges import Agreement, AgreementTerms, Instalment, Pledge, PledgeTerms, Receipt, ReceiptMatch
from crm.models.programmes import Output, Programme
from crm.money import MAX_MINOR, AmountInvalid, Money, from_minor, to_minor
from crm.policy import OfficeFacts, offices_by_id
from crm.queries.due import DAY_NOT_AGREED, said_when
from crm.queries.figures import programmable
from crm.queries.figures.programmable import Programmable
from crm.queries.history import changes_since, typed
from crm.services.checking import Opened
from crm.services.versions import touch

RecordT = TypeVar("RecordT", bound=Keyed)
FIRST_DAY = date(1990, 1, 1)
LAST_DAY = date(2100, 12, 31)
MOST_INSTALMENTS = 120


@dataclass(frozen=True)
class PlanLine:
    """One instalment as a person gives it: an amount due on a day, or when something happens (M7)."""

    amount: Money
    due_on: date | None = None
    due_when: str = ""


@dataclass(frozen=True)
class PlanItem:
    """One checked instalment in minor units, with the instalment it carries on from."""

    minor: int
    due_on: date | None
    due_when: str
    carried_from_id: uuid.UUID | None = None

    @property
    def order(self) -> tuple[date, str]:
        """Oldest due first; what waits for an event comes last."""
        return (self.due_on or date.max, "")


# --- records ---------------------------------------------------------------------------------------------------


def locked(entity: type[RecordT], record_id: uuid.UUID) -> RecordT:
    """The record as it is now, held until the transaction ends; raises `NotFound` when absent or out of scope."""
    statement = select(entity).where(entity.id == record_id).with_for_update().execution_options(populate_existing=True)
    found = db.session.scalar(statement)
    if found is None:
        raise NotFound(_("There is no such record here."))
    return found


def visible_party(party_id: uuid.UUID | None, office_id: uuid.UUID, field: str = "donor_id") -> Party:
    """A party in scope that is shared or the office's own; raises `Invalid` by its field."""
    ours = or_(Party.visibility == SHARED, Party.office_id == office_id)
    found = db.session.scalar(select(Party).where(Party.id == party_id, ours)) if party_id else None
    if found is None:
        raise Invalid(_("Choose who this is from."), field=field)
    return found


def programme_of(office_id: uuid.UUID, programme_id: uuid.UUID, field: str = "programme_id") -> Programme:
    """A programme of the office; raises `Invalid` by its field."""
    found = db.session.scalar(select(Programme).where(Programme.id == programme_id, Programme.office_id == office_id))
    if found is None:
        raise Invalid(_("Choose a programme of this office."), field=field)
    return found


def output_of(programme_id: uuid.UUID, output_id: uuid.UUID | None, field: str = "output_id") -> None:
    """Refuse an output that is not the programme's; none is fine."""
    if output_id is None:
        return
    if db.session.scalar(select(Output.id).where(Output.id == output_id, Output.programme_id == programme_id)) is None:
        raise Invalid(_("Choose an output of this programme."), field=field)


def office_of(office_id: uuid.UUID) -> OfficeFacts:
    """The office; raises `Invalid` when there is none."""
    found = offices_by_id().get(office_id)
    if found is None:
        raise Invalid(_("Choose an office."), field="office_id")
    return found


def refuse_stale(record: Pledge | Agreement, opened: int | Opened | None, message: str) -> None:
    """Raise `EditConflict` where the record was changed since a form was opened and the person has not seen that yet, with
    what it came to before and now. A change of money is added to what is there, so that there is nothing to merge."""
    known = Opened(opened) if isinstance(opened, int) else opened
    if known is None or record.version in {known.version, known.settled}:
        return
    since = changes_since(record, known.version)
    changes: dict[str, tuple[object, object, object]] = {}
    for name in ("outstanding_minor", "value_minor", "received_minor", "next_due_on"):
        now = getattr(record, name, None)
        before = typed(record, name, since.before[name]) if name in since.before else now
        if before != now:
            is_minor = name.endswith("_minor")
            was, is_now = (from_minor(int(str(part or 0)), record.currency) if is_minor else part for part in (before, now))
            changes[name.removesuffix("_minor")] = (was, is_now, None)
    raise EditConflict(message, changes=changes, version=record.version, who=since.who)


# --- values ----------------------------------------------------------------------------------------------------


def shown(minor: int, currency: str) -> str:
    """An amount as the reader writes it."""
    return money(from_minor(minor, currency), get_locale())


def minor_of(amount: Money, field: str = "amount", *, currency: str = "", is_zero_fine: bool = False) -> int:
    """The amount in minor units; raises `Invalid` by its field for another currency, more decimals, zero or less."""
    if currency and amount.currency != currency:
        raise Invalid(_("This amount is in %(other)s; it must be in %(currency)s.", other=amount.currency, currency=currency), field=field)
    try:
        minor = to_minor(amount)
    except AmountInvalid as error:
        raise Invalid(_(error.template, **error.params), field=field) from error
    if minor < 0 or (minor == 0 and not is_zero_fine):
        raise Invalid(_("The amount must be greater than 0."), field=field)
    return minor


def within_reach(minor: int, currency: str, field: str = "amount") -> int:
    """Refuse a sum that is larger than any amount may be."""
    if minor > MAX_MINOR:
        raise Invalid(_("Together this is more than %(most)s.", most=shown(MAX_MINOR, currency)), field=field)
    return minor


def text_of(value: str, field: str, *, longest: int = SENTENCE_LENGTH, is_needed: bool = False, is_long: bool = False) -> str:
    """The text without blanks around; refuses what is too long, missing, or cannot be stored (zero bytes, control characters)."""
    text = "" if is_blank(value) else value.strip()
    if is_needed and not text:
        raise Invalid(_("This is needed."), field=field)
    if len(text) > longest:
        raise Invalid(_("This has %(n)s characters; at most %(most)s fit.", n=len(text), most=longest), field=field)
    allowed = "\n\r\t" if is_long else ""
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in allowed for char in text):
        raise Invalid(_("This holds characters that cannot be kept. Type it again."), field=field)
    return text


def planned_too_much(left: Programmable, most_minor: int) -> str:
    """Why money cannot go that planned allocations count on (M12): the sentence names them."""
    return _(
        "%(planned)s is allocated or planned, and only %(left)s could be after this. Take planned allocations back first: %(names)s.",
        planned=shown(left.allocated_minor + left.planned_minor, left.currency),
        left=shown(max(0, most_minor), left.currency),
        names=", ".join(left.planned_references),
    )


def refuse_overdrawn_source(agreement_id: uuid.UUID, since: date, field: str = "") -> None:
    """Refuse a change after which, on a day from `since`, more would be allocated of an agreement than had come, or more
    allocated and planned than was signed (M12); the sentence names the day."""
    for on, left in programmable.by_day(agreement_id=agreement_id, since=since):
        if not left.is_overdrawn:
            continue
        is_given = left.allocated_minor > left.available_minor
        sentence = _(
            "On %(day)s %(given)s was allocated or planned of this money, and only %(left)s would have been there. Take allocations back first: %(names)s.",
            day=day(on, get_locale()),
            given=shown(left.allocated_minor if is_given else left.allocated_minor + left.planned_minor, left.currency),
            left=shown(left.available_minor if is_given else left.plannable_minor, left.currency),
            names=", ".join(left.references),
        )
        raise Invalid(sentence, field=field)


def past_day(on: date, field: str, office_id: uuid.UUID, *, since: date = FIRST_DAY, since_sentence: str = "") -> date:
    """A day that has come in the office's time zone and is not before `since`; raises `Invalid` by its field."""
    if on > clock.today(office_of(office_id).timezone):
        raise Invalid(_("This day lies in the future."), field=field)
    if on < since:
        raise Invalid(since_sentence or _("This day is too long ago."), field=field)
    return on


# --- plans -----------------------------------------------------------------------------------------------------


def checked_plan(lines: Sequence[PlanLine], total_minor: int, currency: str, field: str = "plan") -> list[PlanItem]:
    """A plan whose instalments add up exactly to the total, each with a due day or a trigger (M7); refusals by line."""
    if len(lines) > MOST_INSTALMENTS:
        raise Invalid(_("A plan has at most %(n)s instalments.", n=MOST_INSTALMENTS), field=field)
    items = []
    for place, line in enumerate(lines):
        minor = minor_of(line.amount, f"{field}-{place}-amount", currency=currency)
        due_when = text_of(line.due_when, f"{field}-{place}-due_when")
        due_when = DAY_NOT_AGREED if due_when == said_when(DAY_NOT_AGREED) else due_when
        if line.due_on is None and not due_when:
            raise Invalid(_("Say on which day, or after what, this instalment is due."), field=f"{field}-{place}-due_on")
        if line.due_on is not None and not FIRST_DAY <= line.due_on <= LAST_DAY:
            raise Invalid(_("This day is out of range."), field=f"{field}-{place}-due_on")
        items.append(PlanItem(minor, line.due_on, due_when))
    planned = sum(item.minor for item in items)
    if planned != total_minor:
        raise Invalid(
            _(
                "The instalments add up to %(planned)s, but the amount is %(total)s: they differ by %(rest)s.",
                planned=shown(planned, currency),
                total=shown(total_minor, currency),
                rest=shown(abs(total_minor - planned), currency),
            ),
            field=field,
        )
    return items


def plan_or_one(lines: Sequence[PlanLine], total_minor: int, currency: str, field: str = "plan") -> list[PlanItem]:
    """The plan as given; without one, a single instalment whose day is not agreed yet."""
    if not lines:
        return [PlanItem(total_minor, None, DAY_NOT_AGREED)]
    return checked_plan(lines, total_minor, currency, field)


def take_first(plan: Iterable[PlanItem], amount: int) -> tuple[list[PlanItem], list[PlanItem]]:
    """Part a plan in order: what fills `amount` first, and what remains."""
    taken, left = [], []
    for item in plan:
        part = min(item.minor, amount)
        amount -= part
        if part:
            taken.append(replace(item, minor=part))
        if item.minor > part:
            left.append(replace(item, minor=item.minor - part))
    return taken, left


def changed_plan(plan: list[PlanItem], change: int, *, is_oldest_first: bool = False) -> list[PlanItem]:
    """The plan after a change without a new plan: more becomes an instalment without a day; less is cut from the end
    (a lapse from the beginning)."""
    if change > 0:
        return [*plan, PlanItem(change, None, DAY_NOT_AGREED)]
    if is_oldest_first:
        return take_first(plan, -change)[1]
    total = sum(item.minor for item in plan)
    return take_first(plan, total + change)[0]


def _items(instalments: Iterable[Instalment]) -> list[PlanItem]:
    return [PlanItem(row.amount_minor, row.due_on, row.due_when, row.id) for row in instalments]


def by_due_day(rows: Iterable[Instalment]) -> list[Instalment]:
    """Instalments oldest due first; those that wait for an event come last, in the order of the plan."""
    return sorted(rows, key=lambda row: (row.due_on or date.max, row.position))


def next_due(rows: Iterable[Instalment]) -> date | None:
    """The first due day of what is still to come."""
    return min((row.due_on for row in rows if row.due_on and row.matched_minor < row.amount_minor), default=None)


def _new_instalments(
    office_id: uuid.UUID,
    currency: str,
    plan: Iterable[PlanItem],
    *,
    pledge_terms_id: uuid.UUID | None = None,
    agreement_terms_id: uuid.UUID | None = None,
) -> list[Instalment]:
    rows = [
        Instalment(
            office_id=office_id,
            pledge_terms_id=pledge_terms_id,
            agreement_terms_id=agreement_terms_id,
            carried_from_id=item.carried_from_id,
            position=place,
            due_on=item.due_on,
            due_when=item.due_when,
            amount_minor=item.minor,
            currency=currency,
            matched_minor=0,
            is_current=True,
        )
        for place, item in enumerate(plan, 1)
    ]
    db.session.add_all(rows)
    db.session.flush()
    return rows


# --- a pledge's terms ------------------------------------------------------------------------------------------


def pledge_plan(pledge: Pledge) -> list[Instalment]:
    """The instalments of the pledge's newest terms, in the order of the plan."""
    statement = (
        select(Instalment)
        .join(PledgeTerms, Instalment.pledge_terms_id == PledgeTerms.id)
        .where(PledgeTerms.pledge_id == pledge.id, Instalment.is_current)
        .order_by(Instalment.position)
    )
    return list(db.session.scalars(statement))


def pledge_items(pledge: Pledge) -> list[PlanItem]:
    """The same as a plan to carry on from."""
    return _items(pledge_plan(pledge))


def terms_plan(terms: PledgeTerms) -> list[PlanItem]:
    """The plan that a version of a pledge's terms had."""
    statement = select(Instalment).where(Instalment.pledge_terms_id == terms.id).order_by(Instalment.position)
    return _items(db.session.scalars(statement))


def refuse_overdrawn_pledge(pledge: Pledge, change: int, on: date, field: str = "amount") -> None:
    """Refuse a change that would leave less than nothing outstanding on any day from `on` (M3), naming what is left."""
    if change >= 0:
        return
    rows = db.session.execute(select(PledgeTerms.effective_on, PledgeTerms.change_minor).where(PledgeTerms.pledge_id == pledge.id)).all()
    days = {on, *(effective for effective, _change in rows if effective >= on)}
    least = min(sum(minor for effective, minor in rows if effective <= day_) for day_ in days)
    if least + change >= 0:
        return
    if pledge.outstanding_minor + change < 0:
        raise Invalid(
            _(
                "Of pledge %(reference)s only %(left)s is outstanding. Record an uplift of the pledge first.",
                reference=pledge.reference,
                left=shown(pledge.outstanding_minor, pledge.currency),
            ),
            field=field,
        )
    raise Invalid(
        _(
            "On %(day)s only %(left)s of pledge %(reference)s was outstanding. Choose a later day.",
            day=day(on, get_locale()),
            left=shown(max(0, least), pledge.currency),
            reference=pledge.reference,
        ),
        field=field,
    )


def conversion_steps(pledge: Pledge, since: date, minor: int) -> list[tuple[date, int]]:
    """By how much, on which days from `since`, a pledge can be converted so that on no day less than nothing is outstanding
    (M3): at once what is outstanding from then on, the rest on the days it was promised. At most what is outstanding now."""
    rows = db.session.execute(select(PledgeTerms.effective_on, PledgeTerms.change_minor).where(PledgeTerms.pledge_id == pledge.id)).all()
    days = sorted({since, *(on for on, _change in rows if on > since)})
    outstanding = [sum(change for on, change in rows if on <= then) for then in days]
    steps, taken = [], 0
    for place, then in enumerate(days):
        part = min(minor - taken, min(outstanding[place:]) - taken)
        if part > 0:
            steps.append((then, part))
            taken += part
    return steps


def add_pledge_terms(
    pledge: Pledge,
    kind: str,
    on: date,
    change: int,
    plan: Sequence[PlanItem],
    *,
    reason: str = "",
    converts: int = 0,
    agreement_id: uuid.UUID | None = None,
    receipt_id: uuid.UUID | None = None,
    reversal_of_id: uuid.UUID | None = None,
    is_first: bool = False,
) -> PledgeTerms:
    """Append a version of the terms with its plan, and keep the pledge's sums. The plan adds up to what is then outstanding.
    `is_first`: the pledge is new and has none yet."""
    refuse_overdrawn_pledge(pledge, change, on)
    latest = select(func.max(PledgeTerms.version)).where(PledgeTerms.pledge_id == pledge.id)
    version = 0 if is_first else db.session.scalar(latest) or 0
    for row in () if is_first else pledge_plan(pledge):
        row.is_current = False
    terms = PledgeTerms(
        office_id=pledge.office_id,
        pledge_id=pledge.id,
        version=version + 1,
        kind=kind,
        effective_on=on,
        change_minor=change,
        reason=reason,
        agreement_id=agreement_id,
        receipt_id=receipt_id,
        reversal_of_id=reversal_of_id,
    )
    db.session.add(terms)
    db.session.flush()
    rows = _new_instalments(pledge.office_id, pledge.currency, plan, pledge_terms_id=terms.id)
    if version:
        pledge.outstanding_minor = within_reach(pledge.outstanding_minor + change, pledge.currency)
        pledge.converted_minor += converts
        touch(pledge)  # another plan of the same sum is a change too
    pledge.next_due_on = next_due(rows)
    db.session.flush()
    return terms


# --- an agreement's terms --------------------------------------------------------------------------------------


def agreement_plan(agreement: Agreement) -> list[Instalment]:
    """The instalments of the agreement's newest terms, in the order of the plan."""
    statement = (
        select(Instalment)
        .join(AgreementTerms, Instalment.agreement_terms_id == AgreementTerms.id)
        .where(AgreementTerms.agreement_id == agreement.id, Instalment.is_current)
        .order_by(Instalment.position)
    )
    return list(db.session.scalars(statement))


def agreement_items(agreement: Agreement) -> list[PlanItem]:
    """The same as a plan to carry on from."""
    return _items(agreement_plan(agreement))


def add_agreement_terms(
    agreement: Agreement, kind: str, on: date, change: int, plan: Sequence[PlanItem], *, reason: str = ""
) -> AgreementTerms:
    """Append a version of the terms; matches move to the new plan by reversal and new rows, oldest due first (M7)."""
    version = db.session.scalar(select(func.max(AgreementTerms.version)).where(AgreementTerms.agreement_id == agreement.id)) or 0
    for row in agreement_plan(agreement):
        row.is_current = False
    reverse_matches(standing_matches(agreement_id=agreement.id))
    terms = AgreementTerms(
        office_id=agreement.office_id,
        agreement_id=agreement.id,
        version=version + 1,
        kind=kind,
        effective_on=on,
        change_minor=change,
        reason=reason,
    )
    db.session.add(terms)
    db.session.flush()
    _new_instalments(agreement.office_id, agreement.currency, plan, agreement_terms_id=terms.id)
    if version:
        agreement.value_minor = within_reach(agreement.value_minor + change, agreement.currency)
        touch(agreement)
    apply_credit(agreement)
    return terms


# --- receipts and instalments ----------------------------------------------------------------------------------


def standing_matches(*, agreement_id: uuid.UUID | None = None, receipt_id: uuid.UUID | None = None) -> list[ReceiptMatch]:
    """The matches of an agreement's receipts, or of one receipt, that were not reversed."""
    back = aliased(ReceiptMatch)
    statement = select(ReceiptMatch).where(ReceiptMatch.reversal_of_id.is_(None), ~exists().where(back.reversal_of_id == ReceiptMatch.id))
    if receipt_id is not None:
        statement = statement.where(ReceiptMatch.receipt_id == receipt_id)
    else:
        statement = statement.join(Receipt, ReceiptMatch.receipt_id == Receipt.id).where(Receipt.agreement_id == agreement_id)
    return list(db.session.scalars(statement.order_by(ReceiptMatch.created_at, ReceiptMatch.id)))


def reverse_matches(matches: Iterable[ReceiptMatch]) -> None:
    """Take matches back by rows with the opposite sign (M19)."""
    standing = list(matches)
    ids = [match.instalment_id for match in standing]
    instalments = {row.id: row for row in db.session.scalars(select(Instalment).where(Instalment.id.in_(ids)))} if ids else {}
    for match in standing:
        db.session.add(
            ReceiptMatch(
                office_id=match.office_id,
                receipt_id=match.receipt_id,
                instalment_id=match.instalment_id,
                amount_minor=-match.amount_minor,
                reversal_of_id=match.id,
            )
        )
        instalments[match.instalment_id].matched_minor -= match.amount_minor
    db.session.flush()


def match(receipt: Receipt, instalment: Instalment, minor: int) -> None:
    """Let a part of a receipt pay a part of an instalment."""
    db.session.add(ReceiptMatch(office_id=receipt.office_id, receipt_id=receipt.id, instalment_id=instalment.id, amount_minor=minor))
    instalment.matched_minor += minor


def match_in_order(receipt: Receipt, credit: int, instalments: Iterable[Instalment]) -> int:
    """Let a receipt's credit pay instalments in the order given; returns what is left of it."""
    for instalment in instalments:
        part = min(credit, instalment.amount_minor - instalment.matched_minor)
        if part > 0:
            match(receipt, instalment, part)
            credit -= part
    db.session.flush()
    return credit


def apply_credit(agreement: Agreement) -> None:
    """Let every receipt's unmatched money pay what is open, oldest money and oldest due day first; keeps the next due day.

    Afterwards what is matched equals the smaller of what was received and what was signed; a surplus stays unmatched.
    """
    plan = by_due_day(agreement_plan(agreement))
    back = aliased(Receipt)
    sums = select(func.coalesce(func.sum(ReceiptMatch.amount_minor), 0)).where(ReceiptMatch.receipt_id == Receipt.id)
    matched = sums.correlate(Receipt).scalar_subquery()  # a match and its reversal come to nothing
    with_credit = (
        select(Receipt, Receipt.amount_minor - matched)
        .where(Receipt.agreement_id == agreement.id, Receipt.reversal_of_id.is_(None), Receipt.amount_minor > matched)
        .where(~exists().where(back.reversal_of_id == Receipt.id))
        .order_by(Receipt.value_on, Receipt.id)
    )
    for receipt, credit in db.session.execute(with_credit).all():
        match_in_order(receipt, int(credit), plan)
    agreement.next_due_on = next_due(plan)
    db.session.flush()
