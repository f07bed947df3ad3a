"""What an interaction's page shows, put into words: state, chain, promises, next steps, proposals. No route."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from flask import url_for

from crm import clock
from crm.i18n import _, ngettext
from crm.models.asks import Ask, AskAnswer
from crm.models.commitments import Commitment
from crm.models.interactions import Interaction
from crm.policy import Permission, can
from crm.queries import asks as ask_queries
from crm.queries.commitments import amount_said, why_no_pledge
from crm.queries.figures.chains import PledgeStep
from crm.queries.interactions import STATE_LABELS
from crm.web import lookups as shared
from crm.web.chain import Link, ask_link, commitment_link, follow, leads_to, money_link, to_record
from crm.web.gate import actor
from crm.web.interaction_form import HELD, PLANNED

_TONES = {"planned": "soon", "held": "done", "cancelled": "quiet"}


def answers_of(record: Interaction) -> list[tuple[Ask, AskAnswer]]:
    """The answers whose ask the reader may see."""
    found: list[tuple[Ask | None, AskAnswer]] = [(given.ask, given) for given in record.answers]
    return [(ask, given) for ask, given in found if ask is not None]


def ask_of(record: Interaction) -> Ask | None:
    """The ask it is about: the one it was planned for, else the first that was answered at it."""
    return record.ask or next((ask for ask, _given in answers_of(record)), None)


def is_overdue(record: Interaction) -> bool:
    return record.state == PLANNED and record.starts_at < clock.now()


def state_word(record: Interaction) -> str:
    return _("Not written up") if is_overdue(record) else str(STATE_LABELS[record.state])


def state_tone(record: Interaction) -> str:
    return "late" if is_overdue(record) else _TONES[record.state]


def step(record: Any, today: date) -> dict[str, Any]:
    words, tone = (_("Done"), "done") if record.done_on else shared.due_words(record.due_on, today)
    return {
        "text": record.text,
        "url": url_for("follow_ups.edit", follow_up_id=record.id) if shared.may_log(record.office_id) else "",
        "status": words,
        "tone": tone,
        "due": record.done_on or record.due_on,
        "who": record.owner.name if record.owner else "",
    }


def chain(record: Interaction, ask: Ask | None, promises: Sequence[Commitment], steps: Mapping[uuid.UUID, PledgeStep]) -> list[Link]:
    """Ask, commitment, money, programme as far as this interaction goes: one chain, that of the promise whose money came furthest.
    `promises`: its own, or where nothing was promised at it those made in answer to its ask."""
    theirs = follow(promises, steps)
    step = steps.get(theirs.id) if theirs else None
    open_money = next((one for one in promises if not why_no_pledge(one, steps)), None)
    to_pledge = to_record(record.office_id, Permission.MONEY_WRITE, "pledges.create", commitment=open_money.id) if open_money else ""
    to_promise = to_record(record.office_id, Permission.CONTACT_LOG, "commitments.create", interaction=record.id)
    named = (theirs.programme_id if theirs else None, record.programme_id, ask.programme_id if ask else None)
    return [
        ask_link(ask, to_record(record.office_id, Permission.CONTACT_LOG, "asks.create", party=record.party_id)),
        commitment_link(theirs, to_promise if record.state == HELD else "", step),
        money_link(step, to_pledge),
        leads_to(step, *named),
    ]


def proposals(record: Interaction, promises: Sequence[Commitment], pledged: Collection[uuid.UUID], today: date) -> list[dict[str, str]]:
    """Done, and what next: each one link."""
    found = []
    for one in promises:
        if not why_no_pledge(one, pledged):
            to = shared.link("pledges.create", commitment=one.id)
            if to and can(actor(), Permission.MONEY_WRITE, record.office_id):
                found.append(
                    {
                        "title": _("Money was promised: record the pledge"),
                        "text": shared.short(one.words),
                        "action_label": _("Record the pledge"),
                        "action_url": to,
                    }
                )
            else:
                found.append(
                    {
                        "title": _("Money was promised"),
                        "text": _("A grants officer of your office records the pledge from the commitment."),
                        "action_label": _("Open it"),
                        "action_url": url_for("commitments.detail", commitment_id=one.id),
                    }
                )
        elif one.direction == "theirs" and one.kind != "financial" and (amount := amount_said(one)) is not None:
            found.append(
                {
                    "title": _("The words name %(amount)s: was money promised?", amount=shared.money_words(amount)),
                    "text": shared.short(one.words),
                    "action_label": _("Say that it is money"),
                    "action_url": url_for("commitments.edit", commitment_id=one.id),
                }
            )
    if record.state == HELD:
        answered = {given.ask_id for given in record.answers}
        open_asks = [ask for ask in ask_queries.open_asks_of(record.party_id, record.office_id, today) if ask.id not in answered]
        if open_asks:
            text = ngettext(
                "%(num)d open ask has no answer from this interaction.",
                "%(num)d open asks have no answer from this interaction.",
                len(open_asks),
            )
            found.append(
                {
                    "title": _("Was an ask answered?"),
                    "text": text,
                    "action_label": _("Record answers"),
                    "action_url": url_for("interactions.answers", interaction_id=record.id),
                }
            )
        if not record.follow_ups:
            found.append(
                {
                    "title": _("Nothing is set to follow"),
                    "text": _("A thank-you note, a document to send, a date to fix?"),
                    "action_label": _("Add a follow-up"),
                    "action_url": url_for("follow_ups.create", interaction=record.id),
                }
            )
        found.append(
            {
                "title": _("Plan the next interaction"),
                "text": _("Then open its briefing pack."),
                "action_label": _("Plan it"),
                "action_url": url_for("interactions.create", state=PLANNED, party=record.party_id),
            }
        )
    return found
