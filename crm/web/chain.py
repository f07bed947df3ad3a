"""The chain strip: ask, commitment, money, programme. Each link leads to its record, or says what is missing and where to mend it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from flask import url_for

from crm.formatting import money
from crm.i18n import _, get_locale
from crm.models.asks import Ask
from crm.models.commitments import Commitment
from crm.money import Money
from crm.policy import Permission, can
from crm.queries import lookups
from crm.queries.figures.chains import PledgeStep
from crm.web.gate import actor
from crm.web.lookups import link, short

Link = dict[str, str]


def here(label: str, text: str) -> Link:
    """The link that this page is."""
    return {"label": label, "state": "here", "title": short(text)}


def there(label: str, text: str, url: str, note: str = "") -> Link:
    """A link that is there."""
    return {"label": label, "state": "done", "title": short(text), "url": url, "note": note}


def missing(label: str, sentence: str, url: str = "") -> Link:
    """A link that is missing, said in words; the address mends it."""
    return {"label": label, "state": "missing", "title": sentence, "url": url}


def to_record(office_id: uuid.UUID | None, permission: Permission, endpoint: str, **values: Any) -> str:
    """The address of a form that mends a missing link, for those who may; else ""."""
    return link(endpoint, **values) if can(actor(), permission, office_id) else ""


def ask_link(ask: Ask | None, mend: str = "") -> Link:
    """The ask."""
    if ask is None:
        return missing(_("Ask"), _("No ask yet"), mend)
    return there(_("Ask"), ask.sentence, url_for("asks.detail", ask_id=ask.id), ask.reference)


def follow(promises: Iterable[Commitment], steps: Mapping[uuid.UUID, PledgeStep]) -> Commitment | None:
    """The one promise of theirs that a chain goes on with: the one whose money has come furthest, else the first; never one that
    was taken back."""
    gone = {key for key, step in steps.items() if step.is_taken_back}
    theirs = [one for one in promises if one.direction == "theirs" and one.id not in gone]
    pledged = [one for one in theirs if one.id in steps]
    return max(pledged, key=lambda one: steps[one.id].rank, default=None) or next(iter(theirs), None)


def commitment_link(record: Commitment | None, mend: str = "", step: PledgeStep | None = None) -> Link:
    """What was promised; one that became a pledge goes by the pledge's reference."""
    if record is None:
        return missing(_("Commitment"), _("No commitment yet"), mend)
    to = link("pledges.detail", pledge_id=step.pledge_id) if step else url_for("commitments.detail", commitment_id=record.id)
    return there(_("Commitment"), record.words, to, step.reference if step else record.reference)


def money_link(step: PledgeStep | None, mend: str = "") -> Link:
    """The furthest that the money of a promise has come: received, signed or pledged, under the pledge's one reference."""
    if step is None:
        return missing(_("Money"), _("No money yet"), mend)
    return there(_("Money"), _how_far(step), link("pledges.detail", pledge_id=step.pledge_id), step.reference)


def _how_far(step: PledgeStep) -> str:
    if step.received or step.signed:
        return come_so_far(step.signed.money, step.received.money if step.received else None)
    if step.outstanding:
        return _("%(amount)s pledged", amount=money(step.announced.money, get_locale(), compact=True))
    return _("Nothing is pledged any more")


def come_so_far(signed: Money, received: Money | None) -> str:
    """What was signed, or what of it was received, in words."""
    signed_words = money(signed, get_locale(), compact=True)
    if received is None or not received:
        return _("%(amount)s signed", amount=signed_words)
    words = money(received, get_locale(), compact=True)
    if received.currency != signed.currency or received >= signed:
        return _("%(amount)s received", amount=words)
    return _("%(received)s of %(signed)s received", received=words, signed=signed_words)


def programme_link(programme_id: uuid.UUID | None, title: str | None, note: str = "", mend: str = "") -> Link:
    """The programme."""
    if programme_id is None or title is None:
        return missing(_("Programme"), _("No programme named yet"), mend)
    return there(_("Programme"), title, link("programmes.detail", programme_id=programme_id), note)


def leads_to(step: PledgeStep | None, *others: uuid.UUID | None, mend: str = "") -> Link:
    """The programme at a chain's end: the pledge's own where there is a pledge, else the first that is named on the way."""
    programme_id = step.programme_id if step else next((key for key in others if key is not None), None)
    found = lookups.programme_named(programme_id)
    return programme_link(programme_id, *found) if found else programme_link(None, None, mend="" if step else mend)
