"""Saved lists as they are read: one's own and those shared in one's own offices; the scope keeps everything else away."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import func, select

from crm.db import db
from crm.errors import NotFound
from crm.i18n import _
from crm.models.saved_lists import SavedList

#: How many of a kind of list a person may keep, and how many stand above the list.
MOST = 50


def of(noun: str) -> Sequence[SavedList]:
    """The saved lists of a kind that the reader may open, by name. One statement."""
    statement = select(SavedList).where(SavedList.noun == noun).order_by(func.lower(SavedList.name), SavedList.id)
    return db.session.scalars(statement.limit(MOST * 2)).all()


def get(saved_id: uuid.UUID) -> SavedList:
    """A saved list; raises `NotFound` (absent, out of scope or another's own alike)."""
    found = db.session.scalar(select(SavedList).where(SavedList.id == saved_id))
    if found is None:
        raise NotFound(_("There is no such list here."))
    return found
