"""The chain strip: ask, commitment, money, programme. Each link leads to its record, or says what is missing and where to mend it."""

from __future__ import annotations

import uuid
from typing import Any

from flask import url_for

from crm.i18n import _
from crm.models.asks import Ask
from crm.models.commitments import Commitment
from crm.policy import Permission, can
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


def commitment_link(record: Commitment | None, mend: str = "") -> Link:
    """What was promised."""
    if record is None:
        return missing(_("Commitment"), _("No commitment yet"), mend)
    return there(_("Commitment"), record.words, url_for("commitments.detail", commitment_id=record.id), record.reference)


def pledge_link(record: Commitment | None, mend: str = "") -> Link:
    """The pledge that a promise of money became."""
    if record is None:
        return missing(_("Money"), _("No money yet"), mend)
    return there(_("Money"), _("Pledge"), link("pledges.detail", pledge_id=record.id), record.reference)


def programme_link(programme_id: uuid.UUID | None, title: str | None, note: str = "", mend: str = "") -> Link:
    """The programme."""
    if programme_id is None or title is None:
        return missing(_("Programme"), _("No programme named yet"), mend)
    return there(_("Programme"), title, link("programmes.detail", programme_id=programme_id), note)
