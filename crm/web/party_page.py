"""What a party's page shows, put into words: facts, chain, promises, next step, timeline. No rule, no database."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from flask import url_for

from crm import clock
from crm.formatting import day, money, relative_day
from crm.i18n import LazyText, _, _l, get_locale, named, ngettext, sentence
from crm.models.base import OFFICE
from crm.models.commitments import Commitment
from crm.models.parties import Party
from crm.policy import Actor, Permission
from crm.queries.figures.adding import Figure
from crm.queries.figures.chains import PledgeStep
from crm.queries.figures.totals import Totals
from crm.queries.interactions import KIND_LABELS
from crm.queries.party_standing import Standing, is_late
from crm.queries.timeline import Event
from crm.web.chain import Link, ask_link, come_so_far, commitment_link, money_link, programme_link, there, to_record
from crm.web.lookups import SOON_DAYS, due_words, link

EXCERPT = 280
OUTCOME_NAMES: dict[str, tuple[LazyText, str]] = {
    "kept": (_l("Kept"), "done"),
    "part": (_l("Kept in part"), "soon"),
    "broken": (_l("Broken"), "late"),
    "overtaken": (_l("Overtaken by events"), "quiet"),
}


def local_day(moment: datetime, actor: Actor) -> date:
    """The day of a moment in the reader's office."""
    return moment.astimezone(clock.zone(actor.timezone)).date()


def excerpt(text: str) -> str:
    """The beginning of a long text."""
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT].rstrip()}…"


# --- how it stands -------------------------------------------------------------------------------------------------


def facts(standing: Standing, figures: Totals | None, actor: Actor, today: date, party_id: uuid.UUID) -> list[dict[str, str]]:
    """The strip of figures: last interaction, open asks, open promises both ways, money."""
    found = [
        _last_interaction(standing, actor, today),
        {
            "label": _("Asks not settled"),
            "value": str(standing.open_ask_count),
            "href": link("asks.index", party=party_id, status="unsettled") if standing.open_ask_count else "",
        },
        _open_promises(standing, today, party_id),
    ]
    if figures is not None and any((figures.secured, figures.paid, figures.pledged)):
        to = link("pledges.index", donor=party_id)
        found.append(_amount(_("Pledged, outstanding"), figures.pledged, to))
        found.append(_amount(_("Secured"), figures.secured, to))
        found.append(_amount(_("Paid"), figures.paid, to))
    return found


def _open_promises(standing: Standing, today: date, party_id: uuid.UUID) -> dict[str, str]:
    """How many promises are open, by whom, and how many of those shown here are late."""
    count = standing.ours_count + standing.theirs_count
    late = sum(is_late(row.due_on, today) for row in (*standing.ours, *standing.theirs))
    fact = {
        "label": _("Open promises"),
        "value": str(count),
        "href": link("commitments.index", party=party_id, status="open") if count else "",
    }
    if count:
        fact["note"] = _("%(ours)s by us, %(theirs)s by them", ours=standing.ours_count, theirs=standing.theirs_count)
    if late:
        fact |= {"alert": ngettext("%(num)d late", "%(num)d late", late), "alert_tone": "late"}
    return fact


def _last_interaction(standing: Standing, actor: Actor, today: date) -> dict[str, str]:
    contact = standing.last_contact
    if contact is None:
        return {"label": _("Last interaction"), "value": _("None yet")}
    on = local_day(contact.starts_at, actor)
    return {
        "label": _("Last interaction"),
        "value": relative_day(on, today, get_locale()),
        "note": _("%(kind)s on %(day)s", kind=KIND_LABELS[contact.kind], day=day(on, get_locale())),
        "href": link("interactions.detail", interaction_id=contact.id),
    }


def _amount(label: str, figure: Figure, to: str) -> dict[str, str]:
    fact = {"label": label, "value": money(figure.money, get_locale(), compact=True), "href": to if figure else ""}
    if figure.is_partial:
        fact["note"] = _("part of it has no rate")
    elif len(figure.own) == 1 and figure.own[0].currency != figure.currency:
        fact["note"] = money(figure.reporting, get_locale(), compact=True)
    return fact


def chain(standing: Standing, party_id: uuid.UUID, step: PledgeStep | None) -> list[Link]:
    """Ask, commitment, money, programme: each one click; what is missing is said, with the form that mends it."""
    programme, promise = standing.programme, standing.commitment
    own = step if step is not None and promise is not None and promise.id == step.pledge_id else None
    return [
        ask_link(standing.ask, to_record(None, Permission.CONTACT_LOG, "asks.create", party=party_id)),
        commitment_link(promise, to_record(None, Permission.CONTACT_LOG, "commitments.create", party=party_id), own),
        _money_link(standing, step, party_id),
        programme_link(programme.id, programme.title, programme.reference) if programme else programme_link(None, None),
    ]


def _money_link(standing: Standing, step: PledgeStep | None, party_id: uuid.UUID) -> Link:
    """The newest pledge's money, else an agreement that came without one."""
    agreement = standing.agreement
    if step is None and agreement is not None:
        to = link("agreements.detail", agreement_id=agreement.id)
        return there(_("Money"), come_so_far(agreement.value, agreement.received), to, agreement.reference)
    return money_link(step, to_record(None, Permission.MONEY_WRITE, "pledges.create", party=party_id))


def promises(rows: Sequence[Commitment], today: date, called: Mapping[uuid.UUID, str]) -> list[dict[str, str]]:
    """Open promises as lines: what, when, how late; `called`: the references of those that became pledges."""
    found = []
    for row in rows:
        words, tone = due_words(row.due_on, today)
        shown = day(row.due_on, get_locale()) if row.due_on else ""
        found.append(
            {
                "text": excerpt(row.words),
                "url": link("commitments.detail", commitment_id=row.id),
                "status": words,
                "tone": tone,
                "due": shown,
                "who": called.get(row.id, row.reference),
            }
        )
    return found


def next_step(party: Party, standing: Standing, actor: Actor, today: date) -> dict[str, str]:
    """The first of: the next follow-up, the next planned contact."""
    step, planned = standing.next_follow_up, standing.next_contact
    if step is not None and (planned is None or step.due_on <= local_day(planned.starts_at, actor)):
        words, tone = due_words(step.due_on, today)
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
        kind = KIND_LABELS[planned.kind]
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


def entries(events: Sequence[Event], party: Party, actor: Actor, called: Mapping[uuid.UUID, str]) -> list[dict[str, Any]]:
    """Events as lines of the timeline; `called`: the references of promises that became pledges."""
    makers = {
        "interaction": _interaction,
        "commitment": _commitment,
        "commitment-ended": _commitment_ended,
        "pledge": _pledge,
        "agreement": _agreement,
        "receipt": _receipt,
        "note": _note,
        "document": _document,
        "file": _file,
        "tenure-began": _tenure_began,
        "tenure-ended": _tenure_ended,
    }
    found = []
    for event in events:
        line = {"when": event.day or local_day(event.at, actor), **makers[event.kind](event.record, party.id)}
        found.append({**line, "who": called[event.record.id]} if event.kind == "commitment-ended" and event.record.id in called else line)
    return found


def _interaction(record: Any, _party_id: uuid.UUID) -> dict[str, Any]:
    kind = KIND_LABELS[record.kind]
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
        "kind": _("Takes a receipt back") if is_reversal else _("Receipt"),
        "icon": "undo" if is_reversal else "money",
        "tone": "quiet" if is_reversal or record.is_taken_back else "paid",
        "status": _("Taken back") if record.is_taken_back else "",
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


def _file(record: Any, _party_id: uuid.UUID) -> dict[str, Any]:
    return {
        "kind": _("File"),
        "icon": "documents",
        "title": record.name,
        "text": record.caption,
        "url": link("files.download", file_id=record.id),
    }


def _tenure_began(record: Any, party_id: uuid.UUID) -> dict[str, Any]:
    return _tenure(record, party_id, began=True)


def _tenure_ended(record: Any, party_id: uuid.UUID) -> dict[str, Any]:
    return _tenure(record, party_id, began=False)


def _tenure(record: Any, party_id: uuid.UUID, *, began: bool) -> dict[str, Any]:
    person = named(record.person.name) if record.person else _("Somebody")
    post = named(record.position.title) if record.position else _("a post")
    to = url_for("positions.detail", position_id=record.position_id)
    if began:
        title = _("%(person)s became %(post)s", person=person, post=post)
    else:
        title = _("%(person)s left the post of %(post)s", person=person, post=post)
    where = record.position.organisation.name if record.position and record.position.organisation_id != party_id else ""
    return {"kind": _("Change of post"), "icon": "change", "title": sentence(title), "url": to, "text": where}
