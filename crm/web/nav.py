"""The navigation: one list, filtered by what the person may do."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, request, url_for

from crm.i18n import LazyText, _l
from crm.policy import Actor, Permission, can


@dataclass(frozen=True)
class Entry:
    """One entry: where it leads and whether it is the current page."""

    label: LazyText
    url: str
    icon: str
    current: bool = False
    primary: bool = False
    in_bottom: bool = False


_ENTRIES = (
    (_l("Home"), "home.index", "home", Permission.ACCOUNT_OWN, True, True),
    (_l("Parties"), "parties.index", "parties", Permission.RECORD_SEE, False, True),
    (_l("Interactions"), "interactions.index", "interactions", Permission.RECORD_SEE, False, True),
    (_l("Asks"), "asks.index", "asks", Permission.RECORD_SEE, False, True),
    (_l("Commitments"), "commitments.index", "commitments", Permission.RECORD_SEE, False, True),
    (_l("Pledges"), "pledges.index", "pledges", Permission.RECORD_SEE, True, True),
    (_l("Programmes"), "programmes.index", "programmes", Permission.RECORD_SEE, False, True),
    (_l("Documents"), "documents.index", "documents", Permission.RECORD_SEE, False, True),
    (_l("Funding landscape"), "flows.index", "reports", Permission.RECORD_SEE, False, False),
    (_l("Imports"), "imports.index", "imports", Permission.IMPORT_CONTACTS, False, False),
    (_l("Offices and people"), "offices.index", "offices", Permission.NAME_SEE, False, False),
    (_l("Code lists"), "codes.index", "settings", Permission.CODE_MANAGE, False, False),
    (_l("Background work"), "jobs.index", "history", Permission.JOB_MANAGE, False, False),
)


def entries(actor: Actor | None) -> list[Entry]:
    """The entries this person may follow."""
    found = []
    here = (request.endpoint or "").partition(".")[0]
    here = "pledges" if here in {"agreements", "receipts", "allocations"} else here
    for label, endpoint, icon, needed, in_bottom, is_primary in _ENTRIES:
        if endpoint not in current_app.view_functions or not can(actor, needed):
            continue
        found.append(Entry(label, url_for(endpoint), icon, endpoint.partition(".")[0] == here, is_primary, in_bottom))
    return found


def log_url(actor: Actor | None) -> str | None:
    """Where "Log" leads, for those who may record contacts."""
    if "interactions.create" not in current_app.view_functions or not can(actor, Permission.CONTACT_LOG):
        return None
    return url_for("interactions.create")
