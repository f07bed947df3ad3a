"""Code lists that people keep: their entries, dated, and the entries' names in other languages. What never changes stays in crm/data."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.db import Base
from crm.models.base import SENTENCE_LENGTH, Keyed, Stamped, Versioned, one_of
from crm.models.editions import CODES

GOAL_AREAS, SECTORS, INTERACTION_KINDS, PARTY_KINDS = "goal-areas", "sectors", "interaction-kinds", "party-kinds"
LABEL_LENGTH = 200
CODE_LENGTH = 40


@dataclass(frozen=True)
class ListShape:
    """What a list's codes look like, whether people know them by their codes, which of them the system itself relies on, and what
    no name may hold, since files put several into one cell."""

    pattern: re.Pattern[str]
    shows_codes: bool = False
    relied_on: frozenset[str] = frozenset()
    marks: str = ""


_WORD = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")

LISTS: Mapping[str, ListShape] = MappingProxyType(
    {
        GOAL_AREAS: ListShape(re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{0,9}")),
        SECTORS: ListShape(re.compile(r"[0-9]{5}"), shows_codes=True),
        INTERACTION_KINDS: ListShape(_WORD, relied_on=frozenset({"meeting"})),  # what the form of a new one begins with
        PARTY_KINDS: ListShape(  # what FTS files say of an organisation
            _WORD, relied_on=frozenset({"donor", "government", "ngo", "pooled-fund", "private-sector", "un-agency"}), marks=";|,،"
        ),
    }
)


class Code(Keyed, Versioned, Stamped, Base):
    """An entry of a list. Unscoped: the lists are the same for all offices. Records hold its code, which never changes.

    It is offered from `valid_from` until the end of `valid_to`, unless it is withdrawn; a record that holds it keeps it."""

    __edition__ = CODES

    __tablename__ = "codes"
    __table_args__ = (
        UniqueConstraint("list_name", "code"),
        one_of("list_name", tuple(LISTS)),
        CheckConstraint("length(code) > 0 AND length(label) > 0", name="present"),
        CheckConstraint("valid_from IS NULL OR valid_to IS NULL OR valid_to >= valid_from", name="ends_after_start"),
    )

    list_name: Mapped[str] = mapped_column(String(20))
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    label: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    description: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    position: Mapped[int]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    is_withdrawn: Mapped[bool] = mapped_column(default=False)

    labels: Mapped[list[CodeLabel]] = relationship(cascade="all, delete-orphan", order_by="CodeLabel.language")


class CodeLabel(Keyed, Base):
    """What an entry is called in a language other than English. Any language has room, shipped or not."""

    __audit_parent__ = "code_id"
    __edition__ = CODES

    __tablename__ = "code_labels"
    __table_args__ = (UniqueConstraint("code_id", "language"), CheckConstraint("length(label) > 0", name="label_present"))

    code_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("codes.id"))
    language: Mapped[str] = mapped_column(String(10))
    label: Mapped[str] = mapped_column(String(LABEL_LENGTH))
