"""Linking a reported plan to one of our programmes: an officer's word, which changes no figure."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import select

from crm.db import db, transactional
from crm.errors import Invalid, NotFound
from crm.i18n import _
from crm.models.base import NAME_LENGTH
from crm.models.flows import PlanLink
from crm.models.programmes import Programme
from crm.policy import Actor, Permission, require
from crm.queries import flows


@dataclass(frozen=True)
class NewPlanLink:
    """A plan by its exact name at the source, and the programme it is about."""

    plan_name: str
    programme_id: uuid.UUID
    source: str = "fts"


@transactional
def link_plan(actor: Actor, new: NewPlanLink) -> uuid.UUID:
    """Say that a reported plan is about a programme: the link's id. Linked before: the link there is.

    Raises Denied, or Invalid beside `programme` (unknown here) or `plan` (no flow or requirement names it)."""
    programme = db.session.scalar(select(Programme).where(Programme.id == new.programme_id))
    if programme is None:
        require(actor, Permission.CONTACT_LOG)
        raise Invalid(_("Choose one of your programmes."), field="programme")
    require(actor, Permission.CONTACT_LOG, programme.office_id)
    plan_name = new.plan_name  # exactly as published
    if not plan_name or len(plan_name) > NAME_LENGTH or not flows.has_plan(new.source, plan_name):
        raise Invalid(_("No flow or requirement names this plan."), field="plan")
    held = db.session.scalar(
        select(PlanLink.id).where(
            PlanLink.office_id == programme.office_id,
            PlanLink.source == new.source,
            PlanLink.plan_name == plan_name,
            PlanLink.programme_id == programme.id,
        )
    )
    if held is not None:
        return held
    link = PlanLink(office_id=programme.office_id, source=new.source, plan_name=plan_name, programme_id=programme.id)
    db.session.add(link)
    db.session.flush()
    return link.id


@transactional
def unlink_plan(actor: Actor, link_id: uuid.UUID) -> None:
    """Take the word back. Raises NotFound or Denied; the history keeps both."""
    link = db.session.scalar(select(PlanLink).where(PlanLink.id == link_id))
    if link is None:
        raise NotFound
    require(actor, Permission.CONTACT_LOG, link.office_id)
    db.session.delete(link)
    db.session.flush()
