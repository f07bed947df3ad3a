"""Exchange rates brought in: a source's sheets by day, the same file twice changes nothing (M5)."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from crm.db import db, transactional
from crm.errors import Invalid
from crm.i18n import _
from crm.models.rates import RateSheet
from crm.money import known_currency
from crm.policy import Actor, Permission, require
from crm.queries.rates import sheets_of

SOURCE_LENGTH = 40


class Sheet(Protocol):
    """What a reader of rates gives: units of each currency per one `base` on a day (`crm.exchange.rates.RateSheet`)."""

    @property
    def source(self) -> str: ...
    @property
    def base(self) -> str: ...
    @property
    def on(self) -> date: ...
    @property
    def quotes(self) -> Mapping[str, Decimal]: ...


@dataclass(frozen=True)
class Counts:
    """How many days were new, changed, and already held as they are."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


@transactional
def apply_sheets(actor: Actor, sheets: Iterable[Sheet], batch_id: uuid.UUID | None = None) -> Counts:
    """Keep sheets of rates. A day that is held gains quotes and loses none; issued documents keep theirs (M5). A quote that is
    held counts in every office, so it is corrected only by who covers all of them; from others it stays as it is.

    The shipped history: `apply_sheets(actor, crm.exchange.rates.ecb_history())`, about 7,000 days in a few seconds.
    """
    require(actor, Permission.IMPORT_ALL)
    by_source: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        by_source.setdefault(sheet.source, []).append(sheet)
    counts: Counter[str] = Counter()
    for source, given in by_source.items():
        if not source or len(source) > SOURCE_LENGTH:
            raise Invalid(_("Name the source of these rates in at most %(n)s characters.", n=SOURCE_LENGTH), field="source")
        held = sheets_of(source, (sheet.on for sheet in given))
        for sheet in given:
            counts[_apply(sheet, held, batch_id, may_correct=actor.covers_all)] += 1
    db.session.flush()
    return Counts(counts["created"], counts["updated"], counts["unchanged"])


def _apply(sheet: Sheet, held: dict[date, RateSheet], batch_id: uuid.UUID | None, *, may_correct: bool) -> str:
    if not known_currency(sheet.base):
        raise Invalid(_("“%(code)s” is not a currency code.", code=sheet.base[:20]), field="base")
    quotes = {code: format(value, "f") for code, value in sheet.quotes.items()}
    row = held.get(sheet.on)
    if row is None:
        made = RateSheet(source=sheet.source, base=sheet.base, published_on=sheet.on, quotes=_canonical(quotes), batch_id=batch_id)
        db.session.add(made)
        held[sheet.on] = made
        return "created"
    if row.base != sheet.base:
        raise Invalid(_("Rates of %(source)s are held per %(base)s.", source=sheet.source, base=row.base), field="base")
    known: dict[str, str] = json.loads(row.quotes)
    news = {code: text for code, text in quotes.items() if code not in known or (may_correct and Decimal(known[code]) != Decimal(text))}
    merged = {**known, **news}
    if merged == known:
        return "unchanged"
    row.quotes = _canonical(merged)
    row.batch_id = batch_id or row.batch_id
    return "updated"


def _canonical(quotes: Mapping[str, str]) -> str:
    return json.dumps(quotes, sort_keys=True, separators=(",", ":"))
