"""Who changed what on a record of money or a programme, put into words for the page of its history."""

from __future__ import annotations

import uuid
from typing import Any

from flask import render_template, request

from crm.i18n import LazyText, _, _l
from crm.models.codes import GOAL_AREAS, SECTORS
from crm.models.programmes import GOAL_AREA
from crm.queries import codes, history
from crm.queries.commitments import KIND_LABELS, OUTCOME_LABELS
from crm.web import history as history_words
from crm.web.money import TERM_NAMES

_NOUNS: dict[str, LazyText] = {
    "pledges": _l("Pledge"),
    "commitments": _l("Commitment"),
    "pledge_terms": _l("Terms of the pledge"),
    "agreements": _l("Agreement"),
    "receipts": _l("Receipt"),
    "agreement_terms": _l("Terms of the agreement"),
    "agreement_budget_lines": _l("Budget line"),
    "programmes": _l("Programme"),
    "programme_tags": _l("Goal or right"),
    "outputs": _l("Output"),
    "requirements": _l("Requirement"),
    "indicators": _l("Indicator"),
}
_FIELDS: dict[str, LazyText] = {
    "title": _l("Title"),
    "summary": _l("What it does"),
    "sector": _l("Sector"),
    "place_text": _l("Where"),
    "starts_on": _l("Starts on"),
    "ends_on": _l("Ends on"),
    "currency": _l("Currency"),
    "next_due_on": _l("Next due"),
    "words": _l("Words"),
    "made_on": _l("Promised on"),
    "quantity": _l("How much or how many"),
    "evidence": _l("Evidence"),
    "witness": _l("Witness"),
    "on_behalf_of": _l("On whose behalf"),
    "outcome_on": _l("Clear on"),
    "outcome_note": _l("What happened"),
    "level": _l("Who can read it"),
    "event_name": _l("Pledging event"),
    "donor_reference": _l("Donor's reference"),
    "due_on": _l("Due"),
    "outcome": _l("Outcome"),
    "unit": _l("Unit"),
    "direction": _l("Better is"),
    "baseline_value": _l("Baseline"),
    "baseline_on": _l("Baseline of"),
    "target_value": _l("Target"),
    "target_on": _l("Target by"),
    "source": _l("Source"),
    "code": _l("Number"),
    "year": _l("Year"),
    "kind": _l("Kind"),
    "reason": _l("Reason"),
    "effective_on": _l("From"),
}


#: What tells one part from another, as its column.
_SAID = ("title", "code", "kind", "reason", "year")
_WORDS: dict[str, dict[str, LazyText]] = {
    "kind": {**KIND_LABELS, **TERM_NAMES},
    "outcome": dict(OUTCOME_LABELS),
    "direction": {"up": _l("more"), "down": _l("less")},
    "level": {"open": _l("Open"), "office": _l("Office only")},
}


def history_page(record_id: uuid.UUID, *, name: str, back: str, address: str) -> str:
    """The page of a record's history, newest first. The caller has fetched the record in the reader's scope."""
    lines, before = history_lines(record_id)
    return render_template("history/index.html", name=name, back=back, lines=lines, before=before, address=address)


def history_lines(record_id: uuid.UUID) -> tuple[list[dict[str, Any]], int | None]:
    """Who changed what on a money record or programme, newest first, and the cursor of older changes. Amounts stand in
    the terms, which are never edited; sums that follow from them are left out here."""
    before = request.args.get("before", "")
    number_ = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None  # noqa: PLR2004 - a 64-bit key
    page = history.history_of(record_id, before=number_)
    lines: list[dict[str, Any]] = []
    names = history_words.file_names(page)
    for entry in page.entries:
        common = {"when": entry.at, "who": entry.actor_name}
        if entry.noun == history_words.FILES:
            lines.append({**common, **history_words.file_line(entry, names)})
            continue
        noun = str(_NOUNS.get(entry.noun, entry.noun))
        if entry.action != "changed":
            sentence = _("%(noun)s recorded", noun=noun) if entry.action == "created" else _("%(noun)s taken away", noun=noun)
            is_area = any(GOAL_AREA in (value.new, value.old) for value in entry.values if value.field == "scheme")
            said = [
                codes.label(GOAL_AREAS, value.new or value.old)
                if is_area and value.field == "code"
                else _word(value.field, value.new or value.old)
                for value in entry.values
                if value.field in _SAID
            ]
            lines.append({**common, "what": sentence, "new": said[0] if said else ""})
            continue
        lines += [
            {**common, "what": str(_FIELDS[value.field]), "old": _word(value.field, value.old), "new": _word(value.field, value.new)}
            for value in entry.values
            if value.field in _FIELDS
        ]
    return lines, page.before


def _word(field: str, text: str | None) -> str:
    """A stored text as people read it: a label for a word, a name for a sector, a day in words, any other as it is."""
    if not text:
        return ""
    if field == "sector":
        return codes.label(SECTORS, text)
    if field in _WORDS:
        return str(_WORDS[field].get(text, text))
    return history_words.moment_or_day(field, text)
