"""Money promised, signed and received. Every row here is append-only: corrected by a row with `reversal_of`.

The sums kept on Pledge, Agreement and Instalment are written by the services that append the rows;
`flask verify` recomputes them. Words such as "late" are computed from these records and a date.
"""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, UniqueConstraint, and_, exists, literal
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, aliased, mapped_column, relationship

from crm.db import Base
from crm.models.base import (
    NAME_LENGTH,
    SENTENCE_LENGTH,
    DecimalText,
    Keyed,
    OfficeScoped,
    Stamped,
    Versioned,
    currency_check,
    one_of,
    scoped_key,
    scoped_parent,
)
from crm.models.commitments import Commitment
from crm.models.parties import Party
from crm.models.programmes import Output, Programme
from crm.money import Money, from_minor

RATE_POLICIES = ("day", "fixed")
# sign of each kind of pledge terms in M3: outstanding = sum of change_minor
PLEDGE_TERMS = ("announced", "uplift", "reduction", "conversion", "lapse", "withdrawal", "reschedule", "reversal")
AGREEMENT_TERMS = ("signed", "amendment", "reschedule", "reversal")
#: Of what a donor or a bank calls something.
REFERENCE_LENGTH = 100
RECOVERY_BASES = ("programmable", "gross", "none")


class Pledge(Keyed, OfficeScoped, Versioned, Stamped, Base):
    """A commitment in money: its key IS its commitment's key. Donor, words and dates are the commitment's."""

    __tablename__ = "pledges"
    __table_args__ = (
        scoped_key(),
        scoped_parent("id", "commitments"),
        scoped_parent("programme_id", "programmes"),
        currency_check(),
        one_of("rate_policy", RATE_POLICIES),
        CheckConstraint("outstanding_minor >= 0", name="outstanding_not_negative"),
        CheckConstraint("(rate_policy = 'fixed') = (fixed_rate IS NOT NULL)", name="fixed_rate_present"),
        Index("ix_pledges_office_open", "office_id", "next_due_on", "outstanding_minor"),
        Index("ix_pledges_donor_made", "donor_id", "pledged_on"),
        Index("ix_pledges_made", "pledged_on", "id"),
        Index("ix_pledges_office_made", "office_id", "pledged_on", "id"),
        Index("ix_pledges_programme_made", "programme_id", "pledged_on", "id", "office_id"),
        # the totals over a list are read from this index alone
        Index("ix_pledges_totals", "currency", "next_due_on", "pledged_on", "outstanding_minor", "announced_minor"),
    )

    reference: Mapped[str] = mapped_column(String(30), unique=True)
    donor_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("parties.id"))
    programme_id: Mapped[uuid.UUID | None]
    pledged_on: Mapped[date]
    event_name: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")
    donor_reference: Mapped[str] = mapped_column(String(REFERENCE_LENGTH), default="")
    currency: Mapped[str] = mapped_column(String(3))
    rate_policy: Mapped[str] = mapped_column(String(6), default="day")
    fixed_rate: Mapped[Decimal | None] = mapped_column(DecimalText)
    announced_minor: Mapped[int]
    outstanding_minor: Mapped[int]
    converted_minor: Mapped[int] = mapped_column(default=0)
    next_due_on: Mapped[date | None]

    commitment: Mapped[Commitment] = relationship(primaryjoin="foreign(Pledge.id) == Commitment.id", viewonly=True, uselist=False)
    donor: Mapped[Party] = relationship()
    programme: Mapped[Programme | None] = relationship(primaryjoin="foreign(Pledge.programme_id) == Programme.id", viewonly=True)
    terms: Mapped[list[PledgeTerms]] = relationship(
        primaryjoin="foreign(PledgeTerms.pledge_id) == Pledge.id", viewonly=True, order_by="PledgeTerms.version"
    )

    @hybrid_property
    def is_taken_back(self) -> bool:
        """Whether it was recorded by mistake and taken back as a whole (M19): the one condition for it, of a record and in statements.
        No pledge is made of nothing, and a cut or a lapse leaves what was announced."""
        return self.announced_minor == 0

    @is_taken_back.inplace.expression
    @classmethod
    def _is_taken_back(cls) -> ColumnElement[bool]:
        """With the number itself in the statement: both databases use the index of these few only where they see it there."""
        return cls.announced_minor == literal(0, literal_execute=True)

    @property
    def announced(self) -> Money:
        """What was announced first."""
        return from_minor(self.announced_minor, self.currency)

    @property
    def outstanding(self) -> Money:
        """M3: announced + uplifts - reductions - converted - lapsed, never below zero."""
        return from_minor(self.outstanding_minor, self.currency)


# The few that were taken back, so that a list of promises need not look through all pledges for them.
Index("ix_pledges_taken_back", Pledge.id, Pledge.office_id, sqlite_where=Pledge.is_taken_back, postgresql_where=Pledge.is_taken_back)


class PledgeTerms(Keyed, OfficeScoped, Stamped, Base):
    """One version of a pledge's terms: what changed (signed), why, and from when; its instalments are the plan of
    what is outstanding after it. Never edited."""

    __audit_parent__ = "pledge_id"

    __tablename__ = "pledge_terms"
    __table_args__ = (
        scoped_key(),
        scoped_parent("pledge_id", "pledges"),
        scoped_parent("agreement_id", "agreements"),
        scoped_parent("receipt_id", "receipts"),
        scoped_parent("reversal_of_id", "pledge_terms"),
        UniqueConstraint("pledge_id", "version"),
        UniqueConstraint("reversal_of_id"),
        one_of("kind", PLEDGE_TERMS),
        CheckConstraint("(kind = 'reversal') = (reversal_of_id IS NOT NULL)", name="reversal_named"),
    )

    pledge_id: Mapped[uuid.UUID] = mapped_column(index=True)
    version: Mapped[int]
    kind: Mapped[str] = mapped_column(String(12))
    effective_on: Mapped[date]
    change_minor: Mapped[int]
    reason: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    agreement_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    receipt_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    reversal_of_id: Mapped[uuid.UUID | None]

    instalments: Mapped[list[Instalment]] = relationship(
        primaryjoin="foreign(Instalment.pledge_terms_id) == PledgeTerms.id", viewonly=True, order_by="Instalment.position"
    )


class Agreement(Keyed, OfficeScoped, Versioned, Stamped, Base):
    """A signed, firm written obligation of a donor."""

    __tablename__ = "agreements"
    __table_args__ = (
        scoped_key(),
        scoped_parent("pledge_id", "pledges"),
        currency_check(),
        one_of("recovery_basis", RECOVERY_BASES),
        CheckConstraint("ends_on IS NULL OR starts_on IS NULL OR ends_on >= starts_on", name="ends_after_start"),
        CheckConstraint("value_minor > 0", name="value_positive"),
        CheckConstraint("received_minor >= 0", name="received_not_negative"),
        Index("ix_agreements_office_signed", "office_id", "signed_on"),
        Index("ix_agreements_donor_signed", "donor_id", "signed_on"),
    )

    reference: Mapped[str] = mapped_column(String(30), unique=True)
    donor_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("parties.id"))
    pledge_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    title: Mapped[str] = mapped_column(String(NAME_LENGTH))
    donor_reference: Mapped[str] = mapped_column(String(100), default="")
    signed_on: Mapped[date]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    currency: Mapped[str] = mapped_column(String(3))
    earmarking: Mapped[str | None] = mapped_column(String(2))
    recovery_rate: Mapped[Decimal] = mapped_column(DecimalText, default=Decimal("0.08"))
    recovery_basis: Mapped[str] = mapped_column(String(12), default="programmable")
    value_minor: Mapped[int]
    received_minor: Mapped[int] = mapped_column(default=0)
    next_due_on: Mapped[date | None]

    donor: Mapped[Party] = relationship()
    pledge: Mapped[Pledge | None] = relationship(primaryjoin="foreign(Agreement.pledge_id) == Pledge.id", viewonly=True)
    terms: Mapped[list[AgreementTerms]] = relationship(
        primaryjoin="foreign(AgreementTerms.agreement_id) == Agreement.id", viewonly=True, order_by="AgreementTerms.version"
    )
    budget_lines: Mapped[list[AgreementBudgetLine]] = relationship(
        primaryjoin="foreign(AgreementBudgetLine.agreement_id) == Agreement.id", viewonly=True, order_by="AgreementBudgetLine.id"
    )
    receipts: Mapped[list[Receipt]] = relationship(
        primaryjoin="foreign(Receipt.agreement_id) == Agreement.id", viewonly=True, order_by="(Receipt.value_on, Receipt.id)"
    )

    @property
    def value(self) -> Money:
        """Signed value with amendments."""
        return from_minor(self.value_minor, self.currency)

    @property
    def received(self) -> Money:
        """Receipts applied, reversals taken off."""
        return from_minor(self.received_minor, self.currency)

    @property
    def receivable(self) -> Money:
        """M2: agreement - receipts applied, never below zero (a surplus stays visible as unmatched credit)."""
        return from_minor(max(0, self.value_minor - self.received_minor), self.currency)


class AgreementTerms(Keyed, OfficeScoped, Stamped, Base):
    """One version of an agreement's terms: the signature, an amendment, another plan. Never edited.
    The instalments of the newest version add up to the agreement's value."""

    __audit_parent__ = "agreement_id"

    __tablename__ = "agreement_terms"
    __table_args__ = (
        scoped_key(),
        scoped_parent("agreement_id", "agreements"),
        scoped_parent("reversal_of_id", "agreement_terms"),
        UniqueConstraint("agreement_id", "version"),
        UniqueConstraint("reversal_of_id"),
        one_of("kind", AGREEMENT_TERMS),
        CheckConstraint("(kind = 'reversal') = (reversal_of_id IS NOT NULL)", name="reversal_named"),
    )

    agreement_id: Mapped[uuid.UUID] = mapped_column(index=True)
    version: Mapped[int]
    kind: Mapped[str] = mapped_column(String(12))
    effective_on: Mapped[date]
    change_minor: Mapped[int]
    reason: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    reversal_of_id: Mapped[uuid.UUID | None]

    instalments: Mapped[list[Instalment]] = relationship(
        primaryjoin="foreign(Instalment.agreement_terms_id) == AgreementTerms.id", viewonly=True, order_by="Instalment.position"
    )


class AgreementBudgetLine(Keyed, OfficeScoped, Stamped, Base):
    """What part of an agreement is for which programme (and output). No lines: the agreement is not earmarked."""

    __audit_parent__ = "agreement_id"

    __tablename__ = "agreement_budget_lines"
    __table_args__ = (
        scoped_key(),
        scoped_parent("agreement_id", "agreements"),
        scoped_parent("programme_id", "programmes"),
        scoped_parent("output_id", "outputs"),
    )

    agreement_id: Mapped[uuid.UUID] = mapped_column(index=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(index=True)
    output_id: Mapped[uuid.UUID | None]
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))

    programme: Mapped[Programme] = relationship(primaryjoin="foreign(AgreementBudgetLine.programme_id) == Programme.id", viewonly=True)


class Instalment(Keyed, OfficeScoped, Stamped, Base):
    """A part of a plan: due on a day or on a trigger. Belongs to one version of a pledge's or an agreement's terms.
    `is_current` marks the newest version's rows; `matched_minor` is the sum of its matches."""

    __audit_skip__ = True

    __tablename__ = "instalments"
    __table_args__ = (
        scoped_key(),
        scoped_parent("pledge_terms_id", "pledge_terms"),
        scoped_parent("agreement_terms_id", "agreement_terms"),
        scoped_parent("carried_from_id", "instalments"),
        CheckConstraint("(pledge_terms_id IS NULL) <> (agreement_terms_id IS NULL)", name="one_plan"),
        CheckConstraint("due_on IS NOT NULL OR length(due_when) > 0", name="due_said"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("matched_minor >= 0 AND matched_minor <= amount_minor", name="matched_within"),
        currency_check(),
    )

    pledge_terms_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    agreement_terms_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    carried_from_id: Mapped[uuid.UUID | None]
    position: Mapped[int]
    due_on: Mapped[date | None]
    due_when: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    matched_minor: Mapped[int] = mapped_column(default=0)
    is_current: Mapped[bool] = mapped_column(default=True)

    @property
    def amount(self) -> Money:
        """The planned amount."""
        return from_minor(self.amount_minor, self.currency)

    @property
    def open_amount(self) -> Money:
        """What is still to come."""
        return from_minor(self.amount_minor - self.matched_minor, self.currency)


# What is still to come, in the order it falls due: what was paid is not in these, so nobody walks over it.
_STILL_OPEN = and_(Instalment.is_current, Instalment.matched_minor < Instalment.amount_minor)
Index("ix_instalments_open_due", Instalment.due_on, Instalment.id, sqlite_where=_STILL_OPEN, postgresql_where=_STILL_OPEN)
Index(
    "ix_instalments_office_open_due",
    Instalment.office_id,
    Instalment.due_on,
    Instalment.id,
    sqlite_where=_STILL_OPEN,
    postgresql_where=_STILL_OPEN,
)


class Receipt(Keyed, OfficeScoped, Stamped, Base):
    """Money that arrived. `bank_reporting_minor` is the bank's actual amount in the reporting currency, if known."""

    __tablename__ = "receipts"
    __table_args__ = (
        scoped_key(),
        scoped_parent("agreement_id", "agreements"),
        scoped_parent("pledge_id", "pledges"),
        scoped_parent("reversal_of_id", "receipts"),
        UniqueConstraint("reversal_of_id"),
        currency_check(),
        CheckConstraint("(reversal_of_id IS NULL AND amount_minor > 0) OR (reversal_of_id IS NOT NULL AND amount_minor < 0)", name="sign"),
        Index("ix_receipts_office_value", "office_id", "value_on"),
        Index("ix_receipts_value", "value_on", "id"),
        Index("ix_receipts_donor_value", "donor_id", "value_on"),
    )

    reference: Mapped[str] = mapped_column(String(30), unique=True)
    donor_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("parties.id"))
    agreement_id: Mapped[uuid.UUID | None]
    pledge_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    value_on: Mapped[date]
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    bank_reporting_minor: Mapped[int | None]
    bank_reference: Mapped[str] = mapped_column(String(100), default="")
    reason: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    reversal_of_id: Mapped[uuid.UUID | None]

    donor: Mapped[Party] = relationship()
    agreement: Mapped[Agreement | None] = relationship(primaryjoin="foreign(Receipt.agreement_id) == Agreement.id", viewonly=True)
    matches: Mapped[list[ReceiptMatch]] = relationship(
        primaryjoin="foreign(ReceiptMatch.receipt_id) == Receipt.id", viewonly=True, order_by="ReceiptMatch.id"
    )

    taken_back_by: Mapped[Receipt | None] = relationship(
        primaryjoin="foreign(remote(Receipt.reversal_of_id)) == Receipt.id", viewonly=True, uselist=False
    )

    @hybrid_property
    def is_taken_back(self) -> bool:
        """Whether a later one takes it back, so that it counts nowhere."""
        return self.taken_back_by is not None

    @is_taken_back.inplace.expression
    @classmethod
    def _is_taken_back(cls) -> ColumnElement[bool]:
        back = aliased(Receipt)
        return exists().where(back.reversal_of_id == cls.id)

    @property
    def amount(self) -> Money:
        """The amount as it arrived."""
        return from_minor(self.amount_minor, self.currency)


# Money without an agreement is asked for by office, donor or pledge: an index of agreements would go through all that has none, so
# those are not in it.
_ALONE, _SIGNED = Receipt.agreement_id.is_(None), Receipt.agreement_id.is_not(None)
Index("ix_receipts_agreement_id", Receipt.agreement_id, sqlite_where=_SIGNED, postgresql_where=_SIGNED)
Index("ix_receipts_alone_office", Receipt.office_id, Receipt.value_on, sqlite_where=_ALONE, postgresql_where=_ALONE)
Index("ix_receipts_alone_donor", Receipt.donor_id, Receipt.value_on, sqlite_where=_ALONE, postgresql_where=_ALONE)
Index("ix_receipts_alone_pledge", Receipt.pledge_id, sqlite_where=_ALONE, postgresql_where=_ALONE)


class ReceiptMatch(Keyed, OfficeScoped, Stamped, Base):
    """How much of a receipt pays how much of an instalment (n:m)."""

    __tablename__ = "receipt_matches"
    __table_args__ = (
        scoped_key(),
        scoped_parent("receipt_id", "receipts"),
        scoped_parent("instalment_id", "instalments"),
        scoped_parent("reversal_of_id", "receipt_matches"),
        UniqueConstraint("reversal_of_id"),
        CheckConstraint("(reversal_of_id IS NULL AND amount_minor > 0) OR (reversal_of_id IS NOT NULL AND amount_minor < 0)", name="sign"),
    )

    receipt_id: Mapped[uuid.UUID] = mapped_column(index=True)
    instalment_id: Mapped[uuid.UUID] = mapped_column(index=True)
    amount_minor: Mapped[int]
    reversal_of_id: Mapped[uuid.UUID | None]

    instalment: Mapped[Instalment] = relationship(primaryjoin="foreign(ReceiptMatch.instalment_id) == Instalment.id", viewonly=True)


class Allocation(Keyed, OfficeScoped, Stamped, Base):
    """Programmable money given to a programme's output, in the office's reporting currency where the receipts have a
    rate, else in their own. `is_planned`: set aside from signed money that has not arrived (M12)."""

    __tablename__ = "allocations"
    __table_args__ = (
        scoped_key(),
        scoped_parent("agreement_id", "agreements"),
        scoped_parent("receipt_id", "receipts"),
        scoped_parent("programme_id", "programmes"),
        scoped_parent("output_id", "outputs"),
        scoped_parent("reversal_of_id", "allocations"),
        UniqueConstraint("reversal_of_id"),
        CheckConstraint("(agreement_id IS NULL) <> (receipt_id IS NULL)", name="one_source"),
        CheckConstraint("(reversal_of_id IS NULL AND amount_minor > 0) OR (reversal_of_id IS NOT NULL AND amount_minor < 0)", name="sign"),
        currency_check(),
    )

    reference: Mapped[str] = mapped_column(String(30), unique=True)
    agreement_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    receipt_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(index=True)
    output_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    allocated_on: Mapped[date]
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    is_planned: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    reversal_of_id: Mapped[uuid.UUID | None]

    programme: Mapped[Programme] = relationship(primaryjoin="foreign(Allocation.programme_id) == Programme.id", viewonly=True)
    output: Mapped[Output | None] = relationship(primaryjoin="foreign(Allocation.output_id) == Output.id", viewonly=True)

    @property
    def amount(self) -> Money:
        """The allocated amount."""
        return from_minor(self.amount_minor, self.currency)
