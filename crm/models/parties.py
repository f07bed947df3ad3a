"""Parties: people, organisations and groups, their names and kinds; posts apart from their holders; channels."""

from __future__ import annotations

import uuid
from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.db import Base
from crm.models.base import (
    NAME_LENGTH,
    SENTENCE_LENGTH,
    VISIBILITIES,
    Keyed,
    OfficeScoped,
    Shareable,
    Stamped,
    Versioned,
    one_of,
    scoped_key,
    scoped_parent,
)

FORMS = ("person", "organisation", "group")
#: The kinds that come with the product; an administrator keeps the list (crm.models.codes).
KINDS = (
    "donor",
    "national-leader",
    "local-leader-religious",
    "local-leader-traditional",
    "local-leader-community",
    "government",
    "parliament",
    "ngo",
    "community-group",
    "media",
    "private-sector",
    "academic",
    "youth",
    "family-group",
    "un-agency",
    "pooled-fund",
)
#: Our own lists say "Organisation; Donor" in one column: a form read among the kinds begins so.
FORM_IN_KINDS = "form "
#: Where a row of a spreadsheet holds the field and the word that say another form than the rest of it.
FORM_DOUBT = "form_doubt"
NAME_KINDS = ("alias", "native", "former", "acronym")
CHANNEL_KINDS = ("email", "phone", "mobile", "address", "web", "messaging")


class Party(Keyed, Shareable, Versioned, Stamped, Base):
    """A person, organisation or group we deal with."""

    __tablename__ = "parties"
    __table_args__ = (
        scoped_key(),
        one_of("form", FORMS),
        one_of("visibility", VISIBILITIES),
        CheckConstraint("length(name) > 0", name="name_present"),
        Index("ix_parties_folded_name", "folded_name"),
        Index("ix_parties_office_folded_name", "office_id", "folded_name"),
        # Whoever reads one office reads its parties and the shared ones: without this one, SQLite goes through those of all offices.
        Index("ix_parties_visibility", "visibility"),
        Index("ix_parties_country", "country"),  # the list by country counts them first
    )

    reference: Mapped[str] = mapped_column(String(30), unique=True)
    form: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    folded_name: Mapped[str] = mapped_column(String(NAME_LENGTH * 2))
    country: Mapped[str | None] = mapped_column(String(2))
    website: Mapped[str] = mapped_column(String(300), default="")
    about: Mapped[str] = mapped_column(Text, default="")
    part_of_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("parties.id"))

    kinds: Mapped[list[PartyKind]] = relationship(cascade="all, delete-orphan", order_by="PartyKind.kind")
    names: Mapped[list[PartyName]] = relationship(cascade="all, delete-orphan", order_by="PartyName.name")
    part_of: Mapped[Party | None] = relationship(remote_side="Party.id")
    positions: Mapped[list[Position]] = relationship(
        primaryjoin="Position.organisation_id == Party.id", foreign_keys="Position.organisation_id", viewonly=True
    )
    tenures: Mapped[list[Tenure]] = relationship(
        primaryjoin="Tenure.person_id == Party.id", foreign_keys="Tenure.person_id", viewonly=True, order_by="Tenure.starts_on.desc()"
    )


# Few are part of another one: among so many that are of none, SQLite would think an index of little use.
_IS_PART = Party.part_of_id.is_not(None)
Index("ix_parties_part_of_id", Party.part_of_id, sqlite_where=_IS_PART, postgresql_where=_IS_PART)


class PartyKind(Keyed, Shareable, Base):
    """One of the several kinds a party is at once: a code of the list of kinds of parties."""

    __audit_parent__ = "party_id"

    __tablename__ = "party_kinds"
    __table_args__ = (
        scoped_parent("party_id", "parties"),
        UniqueConstraint("party_id", "kind"),
        Index("ix_party_kinds_kind_office", "kind", "office_id"),  # those of a kind that a reader may see: of an office, and the shared
        Index("ix_party_kinds_kind_visibility", "kind", "visibility"),
    )

    party_id: Mapped[uuid.UUID] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(40))


class PartyName(Keyed, Shareable, Base):
    """Another name of a party: alias, acronym, former name, name in its own script."""

    __audit_parent__ = "party_id"

    __tablename__ = "party_names"
    __table_args__ = (scoped_parent("party_id", "parties"), UniqueConstraint("party_id", "name"), one_of("kind", NAME_KINDS))

    party_id: Mapped[uuid.UUID] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(10), default="alias")
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    folded_name: Mapped[str] = mapped_column(String(NAME_LENGTH * 2), index=True)
    language: Mapped[str] = mapped_column(String(10), default="")


class PartyIdentifier(Keyed, Shareable, Base):
    """What another register calls a party (scheme `fts` = its exact name there)."""

    __audit_parent__ = "party_id"

    __tablename__ = "party_identifiers"
    __table_args__ = (scoped_parent("party_id", "parties"), Index("ix_party_identifiers_scheme_value", "scheme", "value"))

    party_id: Mapped[uuid.UUID] = mapped_column(index=True)
    scheme: Mapped[str] = mapped_column(String(20))
    value: Mapped[str] = mapped_column(String(NAME_LENGTH))


class PartyKey(Keyed, Shareable, Base):
    """A number that names which may be alike share (crm.queries.likeness): what finds possible duplicates among many."""

    __audit_skip__ = True
    __follows__ = True

    __tablename__ = "party_keys"
    __table_args__ = (scoped_parent("party_id", "parties"), one_of("visibility", VISIBILITIES), Index("ix_party_keys_key", "key"))

    party_id: Mapped[uuid.UUID] = mapped_column(index=True)
    key: Mapped[int] = mapped_column(BigInteger)


class PartyDistinction(Keyed, OfficeScoped, Stamped, Base):
    """Two parties of which an office knows that they are not one; `one_id` is the smaller key."""

    __audit_parent__ = "one_id"

    __tablename__ = "party_distinctions"
    __table_args__ = (UniqueConstraint("office_id", "one_id", "other_id"),)

    one_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("parties.id"), index=True)
    other_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("parties.id"), index=True)


class Position(Keyed, Shareable, Versioned, Stamped, Base):
    """A post in an organisation, apart from who holds it."""

    __audit_parent__ = "organisation_id"

    __tablename__ = "positions"
    __table_args__ = (scoped_key(), one_of("visibility", VISIBILITIES))

    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("parties.id"), index=True)
    title: Mapped[str] = mapped_column(String(NAME_LENGTH))
    portfolio: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")

    organisation: Mapped[Party] = relationship(overlaps="positions")
    tenures: Mapped[list[Tenure]] = relationship(
        primaryjoin="Tenure.position_id == Position.id",
        foreign_keys="Tenure.position_id",
        viewonly=True,
        order_by="Tenure.starts_on.desc()",
    )


class Tenure(Keyed, Shareable, Versioned, Stamped, Base):
    """Who holds a position, from when to when."""

    __audit_parent__ = "person_id"

    __tablename__ = "tenures"
    __table_args__ = (
        scoped_key(),
        CheckConstraint("ends_on IS NULL OR starts_on IS NULL OR ends_on >= starts_on", name="ends_after_start"),
    )

    position_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("positions.id"), index=True)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("parties.id"), index=True)
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    form_of_address: Mapped[str] = mapped_column(String(200), default="")
    biography: Mapped[str] = mapped_column(Text, default="")

    position: Mapped[Position] = relationship(overlaps="tenures")
    person: Mapped[Party] = relationship(overlaps="tenures")


class Channel(Keyed, OfficeScoped, Versioned, Stamped, Base):
    """A way to reach a party: an office's own knowledge, never shared with the party's public row."""

    __audit_parent__ = "party_id"

    __tablename__ = "channels"
    __table_args__ = (scoped_key(), one_of("kind", CHANNEL_KINDS))

    party_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("parties.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    value: Mapped[str] = mapped_column(String(SENTENCE_LENGTH))
    label: Mapped[str] = mapped_column(String(100), default="")
    is_preferred: Mapped[bool] = mapped_column(default=False)
