"""People who sign in, their roles per office, their sessions and the tries that are counted against guessing."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm import clock
from crm.db import Base
from crm.models.base import Keyed, Stamped, Versioned, one_of

ROLES = ("viewer", "advocacy-officer", "grants-officer", "manager", "office-head", "auditor", "administrator")


class User(Keyed, Versioned, Stamped, Base):
    """A person who can sign in. `office_id` is the home office; colleagues in scope see the name, nobody else."""

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"), index=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    password_changed_at: Mapped[datetime] = mapped_column(default=clock.now)
    is_active: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str] = mapped_column(String(10), default="en")
    theme: Mapped[str] = mapped_column(String(10), default="auto")
    has_shortcuts: Mapped[bool] = mapped_column(default=True)

    memberships: Mapped[list[Membership]] = relationship(back_populates="user", cascade="all, delete-orphan")


class Membership(Keyed, Stamped, Base):
    """A role in an office; it covers the offices below."""

    __audit_parent__ = "user_id"

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("user_id", "office_id", "role"), one_of("role", ROLES))

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"), index=True)
    role: Mapped[str] = mapped_column(String(20))

    user: Mapped[User] = relationship(back_populates="memberships")


class SignIn(Keyed, Base):
    """A session kept on the server: the cookie holds a random token, this row its SHA-256."""

    __audit_skip__ = True

    __tablename__ = "sign_ins"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_used_at: Mapped[datetime] = mapped_column(default=clock.now)
    ended_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(String(64), default="")
    browser: Mapped[str] = mapped_column(String(200), default="")


class SignInTry(Keyed, Base):
    """A failed try to sign in, counted per account and per address (P8)."""

    __audit_skip__ = True

    __tablename__ = "sign_in_tries"
    __table_args__ = (Index("ix_sign_in_tries_email_at", "email_hash", "at"), Index("ix_sign_in_tries_address_at", "address", "at"))

    email_hash: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(default=clock.now)
