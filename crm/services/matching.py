"""Matching money by hand: what a receipt holds beyond its instalments pays other instalments of the same donor (M2, M7, M19).

Money rows are append-only, so a receipt is never moved: it is taken back by its reversal and recorded again in parts, each on the
same value date, under the agreement or against the pledge that it pays. Together the parts are the receipt, to the cent, in the
bank's currency too. Undoing is the same step back: a receipt is taken back and recorded again without an agreement.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from crm.db import db, transactional
from crm.errors import Invalid, NotFound
from crm.i18n import _
from crm.models.pledges import Agreement, AgreementTerms, Instalment, Pledge, PledgeTerms, Receipt
from crm.money import Money, from_minor, split
from crm.policy import Actor, Permission, require
from crm.services import money_rules as rules
from crm.services.receipts import MatchLine, NewReceipt, record_receipt, reverse_receipt

MOST_LINES = 120


@dataclass
class _Target:
    """An agreement or pledge, and which of its instalments the receipt shall pay."""

    record: Agreement | Pledge
    lines: list[MatchLine] = field(default_factory=list)
    minor: int = 0


@transactional
def match_receipt(actor: Actor, receipt_id: uuid.UUID, lines: Sequence[MatchLine]) -> uuid.UUID:
    """Let what a receipt holds beyond its instalments pay open instalments of its donor; returns the first new receipt's id.

    Refused by line (matches-N-amount, matches-N-instalment_id): more than the receipt's rest, more than is open of an
    instalment, another donor's or office's, another currency; and where allocations hang on the receipt (M12).
    """
    require(actor, Permission.MONEY_WRITE)
    receipt = _standing(actor, receipt_id)
    if not lines or len(lines) > MOST_LINES:
        raise Invalid(_("Say how much of the receipt pays which instalment."), field="matches")
    targets = _targets(receipt, lines)
    moved = sum(target.minor for target in targets)
    rest = unmatched_minor(receipt)
    if moved > rest:
        raise Invalid(
            _("Together this is more than the receipt's rest of %(rest)s.", rest=rules.shown(rest, receipt.currency)), field="matches"
        )
    names = ", ".join(target.record.reference for target in targets)
    kept = receipt.amount_minor - moved
    banks = _bank_parts(receipt, [kept, *(target.minor for target in targets)])
    reverse_receipt(actor, receipt.id, _("Matched by hand to %(names)s", names=names))
    reason = _("From receipt %(reference)s, matched by hand", reference=receipt.reference)
    if kept:
        record_receipt(actor, _again(receipt, kept, banks[0], reason, agreement_id=receipt.agreement_id, pledge_id=receipt.pledge_id))
    made = [
        record_receipt(
            actor,
            _again(
                receipt,
                target.minor,
                bank,
                reason,
                agreement_id=target.record.id if isinstance(target.record, Agreement) else None,
                pledge_id=target.record.id if isinstance(target.record, Pledge) else None,
                matches=target.lines,
            ),
        )
        for target, bank in zip(targets, banks[1:], strict=True)
    ]
    return made[0]


@transactional
def release_receipt(actor: Actor, receipt_id: uuid.UUID, reason: str) -> uuid.UUID:
    """Undo a matching: take a receipt out of its agreement or pledge and keep it as money without one; the new receipt's id."""
    require(actor, Permission.MONEY_WRITE)
    receipt = _standing(actor, receipt_id)
    said = rules.text_of(reason, "reason", is_needed=True)
    if receipt.agreement_id is None and receipt.pledge_id is None:
        raise Invalid(_("This receipt stands under no agreement and against no pledge."))
    bank = None if receipt.bank_reporting_minor is None else receipt.bank_reporting_minor
    reverse_receipt(actor, receipt.id, said)
    return record_receipt(actor, _again(receipt, receipt.amount_minor, bank, said))


def unmatched_minor(receipt: Receipt) -> int:
    """What a receipt holds beyond the instalments it pays. Money that converted a pledge in another currency is used up."""
    if receipt.pledge_id is not None:
        pledge = rules.locked(Pledge, receipt.pledge_id)
        if pledge.currency != receipt.currency:
            return 0
    return receipt.amount_minor - sum(row.amount_minor for row in rules.standing_matches(receipt_id=receipt.id))


def _standing(actor: Actor, receipt_id: uuid.UUID) -> Receipt:
    """The receipt, its agreement or pledge held first, if the actor may write its money and nobody took it back."""
    seen = db.session.scalar(select(Receipt).where(Receipt.id == receipt_id))
    if seen is None:
        raise NotFound(_("There is no such record here."))
    require(actor, Permission.MONEY_WRITE, seen.office_id)
    if seen.agreement_id is not None:
        rules.locked(Agreement, seen.agreement_id)
    receipt = rules.locked(Receipt, receipt_id)
    if receipt.reversal_of_id is not None:
        raise Invalid(_("A reversal pays nothing."))
    if db.session.scalar(select(Receipt.id).where(Receipt.reversal_of_id == receipt.id)) is not None:
        raise Invalid(_("This receipt has been taken back."))
    return receipt


def _targets(receipt: Receipt, lines: Sequence[MatchLine]) -> list[_Target]:
    """The lines by agreement and pledge, each checked on its own; agreements before pledges, in the order of their keys."""
    found: dict[uuid.UUID, _Target] = {}
    taken: dict[uuid.UUID, int] = {}
    for place, line in enumerate(lines):
        name = f"matches-{place}-instalment_id"
        instalment = db.session.scalar(
            select(Instalment).where(Instalment.id == line.instalment_id, Instalment.is_current, Instalment.office_id == receipt.office_id)
        )
        record = _record_of(instalment) if instalment is not None else None
        if instalment is None or record is None:
            raise Invalid(_("Choose an instalment of a present plan of this office."), field=name)
        if record.donor_id != receipt.donor_id:
            raise Invalid(_("This instalment is another donor's."), field=name)
        if instalment.currency != receipt.currency:
            raise Invalid(
                _("This instalment is in %(other)s, the receipt in %(own)s.", other=instalment.currency, own=receipt.currency), field=name
            )
        if record.id in (receipt.agreement_id, receipt.pledge_id):
            raise Invalid(_("The receipt pays this plan already, oldest due first."), field=name)
        minor = rules.minor_of(line.amount, f"matches-{place}-amount", currency=receipt.currency)
        left = instalment.amount_minor - instalment.matched_minor - taken.get(instalment.id, 0)
        if minor > left:
            raise Invalid(
                _("Of this instalment only %(left)s is open.", left=rules.shown(left, receipt.currency)), field=f"matches-{place}-amount"
            )
        taken[instalment.id] = taken.get(instalment.id, 0) + minor
        target = found.setdefault(record.id, _Target(record))
        target.lines.append(line)
        target.minor += minor
    return sorted(found.values(), key=lambda target: (isinstance(target.record, Pledge), target.record.id))


def _record_of(instalment: Instalment) -> Agreement | Pledge | None:
    if instalment.agreement_terms_id is not None:
        signed = select(AgreementTerms.agreement_id).where(AgreementTerms.id == instalment.agreement_terms_id).scalar_subquery()
        return db.session.scalar(select(Agreement).where(Agreement.id == signed))
    promised = select(PledgeTerms.pledge_id).where(PledgeTerms.id == instalment.pledge_terms_id).scalar_subquery()
    return db.session.scalar(select(Pledge).where(Pledge.id == promised))


def _bank_parts(receipt: Receipt, parts: Sequence[int]) -> list[int | None]:
    """What the bank credited, split as the receipt is, together exactly the same (M6)."""
    if receipt.bank_reporting_minor is None:
        return [None] * len(parts)
    return list(split(receipt.bank_reporting_minor, list(parts)))


def _again(
    receipt: Receipt,
    minor: int,
    bank: int | None,
    reason: str,
    *,
    agreement_id: uuid.UUID | None = None,
    pledge_id: uuid.UUID | None = None,
    matches: Sequence[MatchLine] = (),
) -> NewReceipt:
    is_loose = agreement_id is None and pledge_id is None
    return NewReceipt(
        amount=from_minor(minor, receipt.currency),
        value_on=receipt.value_on,
        agreement_id=agreement_id,
        pledge_id=pledge_id,
        office_id=receipt.office_id if is_loose else None,
        donor_id=receipt.donor_id if is_loose else None,
        bank_reporting=_bank(receipt, bank),
        bank_reference=receipt.bank_reference,
        matches=matches,
        reason=reason,
        is_again=True,
    )


def _bank(receipt: Receipt, minor: int | None) -> Money | None:
    return None if minor is None else from_minor(minor, rules.office_of(receipt.office_id).reporting_currency)
