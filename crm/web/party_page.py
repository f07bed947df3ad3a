"""What a party's page shows, put into words: facts, chain, promises, next step, timeline. No rule, no database."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from flask import url_for
from werkzeug.routing import BuildError

from crm import clock
from crm.formatting import day, due_day, money, relative_day
from crm.i18n import LazyText, _, _l, get_locale, ngettext
from crm.models.base import OFFICE
from crm.models.commitments import Commitment
from crm.models.parties import Party
from crm.policy import Actor
from crm.queries.figures.money import Figure, MoneyFigures
from crm.queries.parties import Standing, is_late
from crm.queries.timeline import Event

SOON_DAYS = 14
EXCERPT = 280
CONTACT_NAMES: dict[str, LazyText] = {
    "meeting": _l("Meeting"),
    "call": _l("Call"),
    "visit": _l("Visit"),
    "letter": _l("Letter"),
    "event": _l("Event"),
    "media": _l("Media contact"),
}
OUTCOME_NAMES: dict[str, tuple[LazyText, str]] = {
    "kept": (_l("Kept"), "done"),
    "part": (_l("Kept in part"), "soon"),
    "broken": (_l("Broken"), "late"),
    "overtaken": (_l("Overtaken by events"), "quiet"),
}


def link(endpoint: str, **values: Any) -> str:
    """The address of a page, "" where this version has none."""
    try:
        return url_for(endpoint, **values)
    except BuildError:
        return ""


def local_day(moment: datetime, actor: Actor) -> date:
    """The day of a moment in the reader's office."""
    return moment.astimezone(clock.zone(actor.timezone)).date()


def excerpt(text: str) -> str:
    """The beginning of a long text."""
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT].rstrip()}…"


def due(due_on: date | None, today: date) -> tuple[str, str]:
    """A day to keep in words, and its tone."""
    if due_on is None:
        return _("no day given"), "quiet"
    words = due_day(due_on, today, get_locale())
    if is_late(due_on, today):
        return words, "late"
    return words, "soon" if (due_on - today).days <= SOON_DAYS else "quiet"


# --- how it stands -------------------------------------------------------------------------------------------------


def facts(party: Party, standing: Standing, figures: MoneyFigures | None, actor: Actor, today: date) -> list[dict[str, str]]:
    """The strip of figures: last contact, open asks, open promises, money."""
    found = [_last_contact(standing, actor, today)]
    found.append(
        {
            "label": _("Open asks"),
            "value": str(standing.open_ask_count),
            "href": link("asks.index", party=party.id) if standing.open_asks else "",
        }
    )
    for label, rows, count, direction in (
        (_("Promises we owe"), standing.ours, standing.ours_count, "ours"),
        (_("Promises they owe"), standing.theirs, standing.theirs_count, "theirs"),
    ):
        late = sum(is_late(row.due_on, today) for row in rows)
        fact = {
            "label": label,
            "value": str(count),
            "href": link("commitments.index", party=party.id, direction=direction) if count else "",
        }
        if late:
            fact |= {"note": ngettext("%(num)d late", "%(num)d late", late), "tone": "late"}
        found.append(fact)
    if figures is not None and any((figures.secured, figures.paid, figures.pledged)):
        to = link("pledges.index", donor=party.id)
        found.append(_amount(_("Pledged, outstanding"), figures.pledged, to))
        found.append(_amount(_("Secured"), figures.secured, to))
        found.append(_amount(_("Paid"), figures.paid, to))
    return found


def _last_contact(standing: Standing, actor: Actor, today: date) -> dict[str, str]:
    contact = standing.last_contact
    if contact is None:
        return {"label": _("Last contact"), "value": _("None yet")}
    on = local_day(contact.starts_at, actor)
    return {
        "label": _("Last contact"),
        "value": relative_day(on, today, get_locale()),
        "note": _("%(kind)s on %(day)s", kind=CONTACT_NAMES[contact.kind], day=day(on, get_locale())),
        "href": link("interactions.detail", interaction_id=contact.id),
    }


def _amount(label: str, figure: Figure, to: str) -> dict[str, str]:
    fact = {"label": label, "value": money(figure.money, get_locale(), compact=True), "href": to if figure else ""}
    if figure.is_partial:
        fact["note"] = _("part of it has no rate")
    elif len(figure.own) == 1 and figure.own[0].currency != figure.currency:
        fact["note"] = money(figure.reporting, get_locale(), compact=True)
    return fact


def chain(standing: Standing) -> list[dict[str, str]]:
    """Ask, commitment, money, programme: each one click; what is missing is said."""
    ask, commitment, agreement, pledge = standing.ask, standing.commitment, standing.agreement, standing.pledge
    links = [
        _link_of(_("Ask"), ask.sentence if ask else None, "asks.detail", {"ask_id": ask.id if ask else None}, _("No ask yet")),
        _link_of(
            _("Commitment"),
            commitment.words if commitment else None,
            "commitments.detail",
            {"commitment_id": commitment.id if commitment else None},
            _("No commitment yet"),
        ),
    ]
    if agreement is not None:
        signed = _("%(amount)s signed", amount=money(agreement.value, get_locale(), compact=True))
        links.append(_link_of(_("Money"), signed, "agreements.detail", {"agreement_id": agreement.id}, "", agreement.reference))
    else:
        text = _("%(amount)s pledged", amount=money(pledge.announced, get_locale(), compact=True)) if pledge else None
        links.append(_link_of(_("Money"), text, "pledges.detail", {"pledge_id": pledge.id if pledge else None}, _("No money yet")))
    programme = standing.programme
    links.append(
        _link_of(
            _("Programme"),
            programme.title if programme else None,
            "programmes.detail",
            {"programme_id": programme.id if programme else None},
            _("No programme named yet"),
        )
    )
    return links


def _link_of(label: str, text: str | None, endpoint: str, values: dict[str, Any], missing: str, note: str = "") -> dict[str, str]:
    if text is None:
        return {"label": label, "state": "missing", "title": missing}
    short = text if len(text) <= 90 else f"{text[:90].rstrip()}…"  # noqa: PLR2004 - three lines of the strip
    return {"label": label, "state": "done", "title": short, "url": link(endpoint, **values), "note": note}


def promises(rows: Sequence[Commitment], today: date) -> list[dict[str, str]]:
    """Open promises as lines: what, when, how late."""
    found = []
    for row in rows:
        words, tone = due(row.due_on, today)
        shown = day(row.due_on, get_locale()) if row.due_on else ""
        found.append(
            {
                "text": excerpt(row.words),
                "url": link("commitments.detail", commitment_id=row.id),
                "status": words,
                "tone": tone,
                "due": shown,
                "who": row.reference,
            }
        )
    return found


def next_step(party: Party, standing: Standing, actor: Actor, today: date) -> dict[str, str]:
    """The first of: the next follow-up, the next planned contact."""
    step, planned = standing.next_follow_up, standing.next_contact
    if step is not None and (planned is None or step.due_on <= local_day(planned.starts_at, actor)):
        words, tone = due(step.due_on, today)
        to = (
            link("interactions.detail", interaction_id=step.interaction_id)
            if step.interaction_id
            else link("follow_ups.index", party=party.id)
        )
        owner = step.owner.name if step.owner else ""
        when = _("%(when)s, %(person)s", when=words, person=owner) if owner else words
        return {"text": step.text, "due": when, "tone": tone, "url": to, "label": _("Open")}
    if planned is not None:
        on = local_day(planned.starts_at, actor)
        kind = CONTACT_NAMES[planned.kind]
        text = _("%(kind)s on %(day)s", kind=kind, day=day(on, get_locale()))
        return {
            "text": planned.purpose or text,
            "due": _("%(kind)s, %(when)s", kind=kind, when=relative_day(on, today, get_locale())),
            "tone": "soon" if (on - today).days <= SOON_DAYS else "quiet",
            "url": link("interactions.detail", interaction_id=planned.id),
            "label": _("Open"),
        }
    return {}


# --- what happened -------------------------------------------------------------------------------------------------


def entries(events: Sequence[Event], party: Party, actor: Actor) -> list[dict[str, Any]]:
    """Events as lines of the timeline."""
    makers = {
        "interaction": _interaction,
        "commitment": _commitment,
        "commitment-ended": _commitment_ended,
        "pledge": _pledge,
        "agreement": _agreement,
        "receipt": _receipt,
        "note": _note,
        "document": _document,
        "tenure-began": _tenure_began,
        "tenure-ended": _tenure_ended,
    }
    return [{"when": event.day or local_day(event.at, actor), **makers[event.kind](event.record, party.id)} for event in events]


def _interaction(record: Any, _party_id: uuid.UUID) -> dict[str, Any]:
    kind = CONTACT_NAMES[record.kind]
    status, tone = {
        "planned": (_("Planned"), "info"),
        "held": ("", ""),
        "cancelled": (_("Cancelled"), "quiet"),
    }[record.state]
    return {
        "kind": kind,
        "icon": "calendar" if record.state == "planned" else "interactions",
        "title": record.purpose or _("%(kind)s without a stated purpose", kind=kind),
        "text": excerpt(record.summary if record.state == "held" else record.cancelled_reason),
        "url": link("interactions.detail", interaction_id=record.id),
        "who": record.reference,
        "status": status,
        "tone": tone,
    }


def _commitment(record: Any, _party_id: uuid.UUID) -> dict[str, Any]:
    kind = _("We promised") if record.direction == "ours" else _("They promised")
    return {
        "kind": kind,
        "icon": "commitments",
        "title": excerpt(record.words),
        "url": link("commitments.detail", commitment_id=record.id),
        "who": record.reference,
    }


def _commitment_ended(record: Any, _party_id: uuid.UUID) -> dict[str, Any]:
    word, tone = OUTCOME_NAMES[record.outcome]
    kind = _("Our promise ended") if record.direction == "ours" else _("Their promise ended")
    return {
        "kind": kind,
        "icon": "commitments",
        "title": excerpt(record.words),
        "text": record.outcome_note,
        "url": link("commitments.detail", commitment_id=record.id),
        "who": record.reference,
        "status": str(word),
        "tone": tone,
    }


def _pledge(record: Any, _party_id: uuid.UUID) -> dict[str, Any]:
    return {
        "kind": _("Pledge"),
        "icon": "pledges",
        "tone": "pledged",
        "title": _("Pledged %(amount)s", amount=money(record.announced, get_locale())),
        "text": record.event_name,
        "url": link("pledges.detail", pledge_id=record.id),
        "who": record.reference,
    }


def _agreement(record: Any, _party_id: uuid.UUID) -> dict[str, Any]:
    return {
        "kind": _("Agreement"),
        "icon": "documents",
        "tone": "secured",
        "title": _("Signed %(amount)s", amount=money(record.value, get_locale())),
        "text": record.title,
        "url": link("agreements.detail", agreement_id=record.id),
        "who": record.reference,
    }


def _receipt(record: Any, _party_id: uuid.UUID) -> dict[str, Any]:
    is_reversal = record.reversal_of_id is not None
    amount = money(record.amount, get_locale())
    return {
        "kind": _("Receipt reversed") if is_reversal else _("Receipt"),
        "icon": "money",
        "tone": "late" if is_reversal else "paid",
        "title": amount if is_reversal else _("Received %(amount)s", amount=amount),
        "text": record.reason,
        "url": link("receipts.detail", receipt_id=record.id),
        "who": record.reference,
    }


def _note(record: Any, _party_id: uuid.UUID) -> dict[str, Any]:
    return {
        "kind": _("Note for the office only") if record.level == OFFICE else _("Note"),
        "icon": "lock" if record.level == OFFICE else "edit",
        "title": _("Note"),
        "text": excerpt(record.body),
    }


def _document(record: Any, _party_id: uuid.UUID) -> dict[str, Any]:
    return {
        "kind": _("Document"),
        "icon": "documents",
        "title": record.title,
        "url": link("documents.detail", document_id=record.id),
        "who": record.reference,
    }


def _tenure_began(record: Any, party_id: uuid.UUID) -> dict[str, Any]:
    return _tenure(record, party_id, began=True)


def _tenure_ended(record: Any, party_id: uuid.UUID) -> dict[str, Any]:
    return _tenure(record, party_id, began=False)


def _tenure(record: Any, party_id: uuid.UUID, *, began: bool) -> dict[str, Any]:
    person = record.person.name if record.person else _("Somebody")
    post = record.position.title if record.position else _("a post")
    to = url_for("positions.detail", position_id=record.position_id)
    if began:
        title = _("%(person)s became %(post)s", person=person, post=post)
    else:
        title = _("%(person)s left the post of %(post)s", person=person, post=post)
    where = record.position.organisation.name if record.position and record.position.organisation_id != party_id else ""
    return {"kind": _("Change of post"), "icon": "change", "title": title, "url": to, "text": where}
