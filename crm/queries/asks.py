"""Asks as they are read: one, lists, the answers given, and the status computed from them on a day."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import joinedload

from crm.db import db
from crm.errors import NotFound
from crm.i18n import LazyText, _, _l
from crm.models.asks import Ask, AskAnswer
from crm.models.interactions import Interaction
from crm.models.parties import Position, Tenure
from crm.queries.offices import Days, as_days
from crm.queries.paging import Order, Page, Paging, fetch_all, fetch_page

STATUSES = ("open", "overdue", "answered", "closed", "unsettled")
STATUS_LABELS: Mapping[str, LazyText] = {
    "open": _l("Open"),
    "overdue": _l("Overdue"),
    "answered": _l("Answered"),
    "closed": _l("Closed"),
    "unsettled": _l("Not settled yet"),
}
ANSWER_LABELS: Mapping[str, LazyText] = {"yes": _l("Yes"), "part": _l("In part"), "no": _l("No"), "none": _l("No answer yet")}


@dataclass(frozen=True)
class Standing:
    """How an ask stands on a day: a key, its word, and its tone."""

    key: str
    word: str
    tone: str


@dataclass(frozen=True)
class Given:
    """An answer with the contact at which it was given."""

    answer: str
    words: str
    at: datetime
    interaction_id: uuid.UUID
    reference: str


@dataclass(frozen=True)
class Filters:
    """What a list of asks shows."""

    status: str = ""
    party_id: uuid.UUID | None = None
    programme_id: uuid.UUID | None = None


def standing(ask: Any, answers: Collection[Given], today: date) -> Standing:
    """The status of an ask (a record, or a row of a list): closed, else the last answer that was one (yes, part, no), else overdue or open. Never stored."""
    if ask.closed_on is not None:
        return Standing("closed", _("Closed"), "quiet")
    told = [given for given in answers if given.answer != "none"]
    if told:
        last = max(told, key=lambda given: given.at)
        words = {"yes": _("Answered: yes"), "part": _("Answered: in part"), "no": _("Answered: no")}
        return Standing(f"answered-{last.answer}", words[last.answer], {"yes": "done", "part": "soon", "no": "late"}[last.answer])
    if ask.by_when is not None and ask.by_when < today:
        return Standing("overdue", _("Overdue"), "late")
    return Standing("open", _("Open"), "quiet")


def get(ask_id: uuid.UUID) -> Ask:
    """One ask with addressee, post and programme; raises `NotFound` (absent or out of scope alike)."""
    found = db.session.scalar(
        select(Ask).where(Ask.id == ask_id).options(joinedload(Ask.addressee), joinedload(Ask.position), joinedload(Ask.programme))
    )
    if found is None:
        raise NotFound(_("There is no such ask here."))
    return found


def answers_to(ask_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Given]]:
    """The answers to some asks, oldest first, as far as the reader may see the contacts. One statement."""
    found: dict[uuid.UUID, list[Given]] = {ask_id: [] for ask_id in ask_ids}
    if not found:
        return found
    rows = db.session.execute(
        select(AskAnswer, Interaction.starts_at, Interaction.reference)
        .join(Interaction, Interaction.id == AskAnswer.interaction_id)
        .where(AskAnswer.ask_id.in_(found))
        .order_by(Interaction.starts_at, AskAnswer.id)
    )
    for answer, at, reference in rows:
        found[answer.ask_id].append(Given(answer.answer, answer.words, at, answer.interaction_id, reference))
    return found


def _is_answered(*answers: str) -> ColumnElement[bool]:
    return exists().where(AskAnswer.ask_id == Ask.id, AskAnswer.answer.in_(answers))


def unsettled() -> ColumnElement[bool]:
    """Whether an ask still wants a full answer: not closed, and neither yes nor no was said (in part may have been)."""
    return and_(Ask.closed_on.is_(None), ~_is_answered("yes", "no"))


def matching(filters: Filters, today: date | Days) -> Select[Ask]:
    """The statement of a list. A status selects the asks whose `standing` says that word on the day; "unsettled" those of `unsettled`."""
    statement = select(Ask)
    if filters.party_id:
        statement = statement.where(Ask.addressee_id == filters.party_id)
    if filters.programme_id:
        statement = statement.where(Ask.programme_id == filters.programme_id)
    is_closed, is_answered = Ask.closed_on.is_not(None), _is_answered("yes", "part", "no")
    is_past = as_days(today).past(Ask.when_order, Ask.office_id)
    conditions: Mapping[str, ColumnElement[bool]] = {
        "closed": is_closed,
        "answered": and_(~is_closed, is_answered),
        "overdue": and_(~is_closed, ~is_answered, is_past),
        "open": and_(~is_closed, ~is_answered, ~is_past),
        "unsettled": unsettled(),
    }
    return statement.where(conditions[filters.status]) if filters.status in conditions else statement


_LISTED: tuple[Any, ...] = (
    Ask.id,
    Ask.office_id,
    Ask.reference,
    Ask.sentence,
    Ask.fallback,
    Ask.addressee_id,
    Ask.programme_id,
    Ask.by_when,
    Ask.when_order,
    Ask.amount_minor,
    Ask.currency,
    Ask.closed_on,
    Ask.closed_reason,
    Ask.created_at,
)
SORTS = ("when", "new")


def _listed(filters: Filters, today: date | Days, sort: str) -> tuple[Select[Any], Order]:
    order = Order(Ask.created_at, Ask.id, is_descending=True) if sort == "new" else Order(Ask.when_order, Ask.id)
    return matching(filters, today).with_only_columns(*_LISTED), order


def listing(filters: Filters, today: date | Days, paging: Paging, *, sort: str = "when") -> Page[Any]:
    """One page of asks as rows of columns: by when they are wanted (earliest first, no date last) or newest first."""
    return fetch_page(*_listed(filters, today, sort), paging)


def every(filters: Filters, today: date | Days, *, sort: str = "when") -> Iterator[Sequence[Any]]:
    """All asks of a list in its order, the same rows as on its pages, a chunk at a time: for files."""
    return fetch_all(*_listed(filters, today, sort))


def open_asks_of(party_id: uuid.UUID, office_id: uuid.UUID, today: date) -> list[Ask]:
    """The asks of an office that still want a full answer and concern a party: addressed to it, to the organisations where a person holds a post, or
    to the people who hold posts in an organisation. At most 12, by when. Three statements."""
    current = (or_(Tenure.starts_on.is_(None), Tenure.starts_on <= today), or_(Tenure.ends_on.is_(None), Tenure.ends_on >= today))
    related = set(
        db.session.scalars(
            select(Position.organisation_id).join(Tenure, Tenure.position_id == Position.id).where(Tenure.person_id == party_id, *current)
        )
    )
    related |= set(
        db.session.scalars(
            select(Tenure.person_id).join(Position, Tenure.position_id == Position.id).where(Position.organisation_id == party_id, *current)
        )
    )
    statement = matching(Filters(status="unsettled"), today).where(Ask.office_id == office_id, Ask.addressee_id.in_({party_id, *related}))
    return list(db.session.scalars(statement.order_by(Ask.when_order, Ask.id).limit(12)))


def some(ask_ids: Collection[uuid.UUID], office_id: uuid.UUID) -> list[Ask]:
    """Some asks of an office, by when."""
    if not ask_ids:
        return []
    return list(db.session.scalars(select(Ask).where(Ask.id.in_(ask_ids), Ask.office_id == office_id).order_by(Ask.when_order, Ask.id)))


def interactions_about(ask_id: uuid.UUID) -> list[Interaction]:
    """The contacts that were planned for an ask, newest first."""
    return list(
        db.session.scalars(
            select(Interaction)
            .where(Interaction.ask_id == ask_id)
            .order_by(Interaction.starts_at.desc())
            .limit(20)
            .options(joinedload(Interaction.party))
        )
    )
