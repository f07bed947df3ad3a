"""Parties for tests, made through the services."""

from __future__ import annotations

import uuid
from datetime import datetime

from crm.policy import Actor, all_offices
from crm.queries import party_standing, timeline
from crm.services import parties


def office_id(code: str) -> uuid.UUID:
    return next(office.id for office in all_offices() if office.code == code)


def make(actor: Actor, name: str = "Ministry of Health", form: str = "organisation", code: str = "JOR", **more: object) -> uuid.UUID:
    return parties.create_party(actor, office_id(code), parties.NewParty(form, name, **more))  # type: ignore[arg-type]


def standing(party_id: uuid.UUID, now: datetime) -> party_standing.Standing:
    """How it stands with a party, as its page reads it."""
    return party_standing.standing(party_id, now, party_standing.there(party_id), timeline.timeline_of(party_id))
