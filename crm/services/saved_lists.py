"""Saved lists: keep one, rename it, share it in the office, take it away. Only who made a list changes it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select

from crm.db import db, hold, transactional
from crm.errors import Denied, Invalid
from crm.i18n import _
from crm.models.saved_lists import LIST_NAME_LENGTH, NOUNS, QUERY_LENGTH, SavedList
from crm.policy import Actor, Permission, require
from crm.queries import saved_lists as found
from crm.services import fields


@dataclass(frozen=True)
class NewSavedList:
    """A list to keep. `query`: its filters, sort and columns as in its address."""

    noun: str
    name: str
    query: str
    is_shared: bool = False


def office_of(actor: Actor) -> uuid.UUID:
    """The office a person's lists are kept in and may be shared with: one's own, where one reads its records."""
    if actor.home_office_id in actor.member_of:
        return actor.home_office_id
    if not actor.member_of:
        raise Denied(_("Lists are kept by people who read the records of an office."))
    return min(actor.member_of)


@transactional
def save_list(actor: Actor, new: NewSavedList) -> uuid.UUID:
    """Keep a list under a name. Invalid: name, noun, query."""
    office_id = office_of(actor)
    require(actor, Permission.RECORD_SEE, office_id)
    _hold(actor)
    noun = fields.choice(new.noun, "noun", NOUNS)
    query = fields.line(new.query, "query", QUERY_LENGTH)
    name = _free_name(actor, noun, new.name)
    own = select(func.count(SavedList.id)).where(SavedList.user_id == actor.user_id, SavedList.noun == noun)
    if (db.session.scalar(own) or 0) >= found.MOST:
        raise Invalid(_("You keep %(n)s lists here already. Remove one that you no longer need.", n=found.MOST), field="name")
    saved = SavedList(office_id=office_id, user_id=_person(actor), noun=noun, name=name, query=query, is_shared=new.is_shared)
    db.session.add(saved)
    db.session.flush()
    return saved.id


@transactional
def change_list(actor: Actor, saved_id: uuid.UUID, *, name: str, is_shared: bool) -> uuid.UUID:
    """Rename one's own list, share it with the office or no longer. Invalid: name."""
    _hold(actor)
    saved = own(actor, saved_id)
    saved.name = _free_name(actor, saved.noun, name, other_than=saved_id)
    saved.is_shared = is_shared
    return saved.id


@transactional
def remove_list(actor: Actor, saved_id: uuid.UUID) -> uuid.UUID:
    """Take one's own list away; the records that it showed stay as they are."""
    _hold(actor)
    saved = own(actor, saved_id)
    db.session.delete(saved)
    return saved_id


def own(actor: Actor, saved_id: uuid.UUID) -> SavedList:
    """A list that the actor made; Denied where a colleague shares it, NotFound where it cannot be seen."""
    saved = found.get(saved_id)
    require(actor, Permission.RECORD_SEE, saved.office_id)
    if saved.user_id != actor.user_id:
        raise Denied(_("Only who made a list changes it. Save it under a name of your own."))
    return saved


def _hold(actor: Actor) -> None:
    """One change of a person's lists after the other, each as the one before left them."""
    hold(f"lists of {actor.user_id}")
    db.session.expire_all()


def _person(actor: Actor) -> uuid.UUID:
    if actor.user_id is None:
        raise Denied(_("Lists are kept by people who read the records of an office."))
    return actor.user_id


def _free_name(actor: Actor, noun: str, typed: str, *, other_than: uuid.UUID | None = None) -> str:
    name = fields.line(typed, "name", LIST_NAME_LENGTH, needed=_("Give the list a name."))
    alike = select(SavedList.id).where(SavedList.user_id == actor.user_id, SavedList.noun == noun, SavedList.name == name)
    if db.session.scalar(alike.where(SavedList.id != other_than) if other_than else alike) is not None:
        raise Invalid(_("You keep a list of this name already. Choose another name."), field="name")
    return name
