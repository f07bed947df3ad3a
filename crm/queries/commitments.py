"""Commitments as they are read: one, lists, what is late or due soon on a day, and the SMART check."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import joinedload

from crm.db import db
from crm.errors import NotFound
from crm.i18n import LazyText, _, _l
from crm.models.asks import Ask
from crm.models.audit import AuditEntry, AuditValue
from crm.models.commitments import DIRECTIONS, Commitment
from crm.models.notes import Note
from crm.models.pledges import Pledge
from crm.models.programmes import Programme
from crm.money import Money, amount_in
from crm.queries.offices import Days, as_days
from crm.queries.paging import Order, Page, Paging, fetch_all, fetch_page

SOON = timedelta(days=14)
STATUSES = ("open", "soon", "late", "kept", "part", "broken", "overtaken", "unverified", "taken-back")
KIND_LABELS: Mapping[str, LazyText] = {
    "financial": _l("Money"),
    "in-kind": _l("Goods or services in kind"),
    "law-policy": _l("Law or policy"),
    "budget-line": _l("Budget line"),
    "service": _l("Service"),
    "public-voice": _l("Public voice"),
    "access": _l("Access"),
}
STATUS_LABELS: Mapping[str, LazyText] = {
    "open": _l("Open"),
    "soon": _l("Due soon"),
    "late": _l("Late"),
    "kept": _l("Kept"),
    "part": _l("Kept in part"),
    "broken": _l("Broken"),
    "overtaken": _l("Overtaken by events"),
    "unverified": _l("Declared, not verified"),
    "taken-back": _l("Taken back"),
}
#: What a promise says: whoever verifies it has checked all of this, so a change takes the check away (domain 0.1).
SAID = frozenset(
    {
        "party_id",
        "position_id",
        "on_behalf_of",
        "direction",
        "kind",
        "words",
        "made_on",
        "due_on",
        "quantity",
        "baseline",
        "indicator_text",
        "funding_source",
        "place_text",
        "witness",
        "evidence",
    }
)
_OUTCOME = frozenset({"outcome", "outcome_on", "outcome_note"})
DIRECTION_LABELS: Mapping[str, LazyText] = {"ours": _l("By us"), "theirs": _l("By them")}
OUTCOME_LABELS: Mapping[str, LazyText] = {
    "kept": _l("Kept"),
    "part": _l("Kept in part"),
    "broken": _l("Broken"),
    "overtaken": _l("Overtaken by events"),
}


@dataclass(frozen=True)
class Standing:
    """How a promise stands on a day: a key, its word, and its tone (late, soon, done, quiet)."""

    key: str
    word: str
    tone: str


@dataclass(frozen=True)
class Filters:
    """What a list of commitments shows. `taken_back`: those whose pledge was taken back are "hidden", or "only" they are listed."""

    direction: str = ""
    status: str = ""
    taken_back: str = ""
    kind: str = ""
    party_id: uuid.UUID | None = None
    programme_id: uuid.UUID | None = None


@dataclass(frozen=True)
class SmartPoint:
    """One question of the SMART check and whether the record answers it."""

    key: str
    label: str
    is_met: bool


@dataclass(frozen=True)
class SmartCheck:
    """The questions a good promise answers (after the Nutrition Accountability Framework); it never blocks saving."""

    points: tuple[SmartPoint, ...]

    @property
    def met(self) -> int:
        """How many are answered."""
        return sum(point.is_met for point in self.points)

    @property
    def missing(self) -> list[SmartPoint]:
        """What is not said yet."""
        return [point for point in self.points if not point.is_met]


def standing(outcome: str | None, due_on: date | None, today: date) -> Standing:
    """The status of a promise, computed from its outcome and due day; "late" and "due soon" are never stored."""
    if outcome is not None:
        tone = {"kept": "done", "broken": "late"}.get(outcome, "quiet")
        return Standing(outcome, str(OUTCOME_LABELS[outcome]), tone)
    if due_on is None:
        return Standing("open", _("Open, no date"), "quiet")
    if due_on < today:
        return Standing("late", _("Late"), "late")
    if due_on <= today + SOON:
        return Standing("soon", _("Due soon"), "soon")
    return Standing("open", _("Open"), "quiet")


def smart_check(record: Commitment) -> SmartCheck:
    """Which of the ten questions of domain.md 0.3 a promise answers."""
    answered = (
        ("who", _("Who commits"), bool(record.party_id)),
        ("behalf", _("On whose behalf"), bool(record.on_behalf_of or record.position_id)),
        ("what", _("What exactly"), bool(record.words)),
        ("where", _("For which programme and place"), _is_placed(record)),
        ("quantity", _("How much or how many"), bool(record.quantity) or amount_said(record) is not None),
        ("baseline", _("From which baseline"), bool(record.baseline)),
        ("indicator", _("By which indicator"), bool(record.indicator_text)),
        ("when", _("By when"), record.due_on is not None),
        ("money", _("With which money"), bool(record.funding_source)),
        ("evidence", _("What evidence will show it"), bool(record.evidence)),
    )
    return SmartCheck(tuple(SmartPoint(*item) for item in answered))


def _is_placed(record: Commitment) -> bool:
    """Whether programme and place are known: the promise's own, else those of its ask, as the chain shows them."""
    ask: Ask | None = record.ask
    programme: Programme | None = record.programme or (ask.programme if ask is not None else None)
    return programme is not None and bool(record.place_text or programme.place_text or programme.place_id)


def amount_said(record: Commitment) -> Money | None:
    """The one amount of money that a promise names, which a pledge's form starts from."""
    return amount_in(f"{record.quantity}\n{record.words}")


def get(commitment_id: uuid.UUID) -> Commitment:
    """One commitment with what its page shows; raises `NotFound` (absent or out of scope alike)."""
    found = db.session.scalar(
        select(Commitment)
        .where(Commitment.id == commitment_id)
        .options(
            joinedload(Commitment.party),
            joinedload(Commitment.position),
            joinedload(Commitment.interaction),
            joinedload(Commitment.ask).joinedload(Ask.programme),
            joinedload(Commitment.programme),
        )
    )
    if found is None:
        raise NotFound(_("There is no such commitment here."))
    return found


def has_pledge(commitment_id: uuid.UUID) -> bool:
    """Whether a pledge shares this commitment's key."""
    return db.session.scalar(select(Pledge.id).where(Pledge.id == commitment_id)) is not None


def why_no_pledge(record: Commitment, pledged_ids: Collection[uuid.UUID] | None = None) -> str:
    """Why a promise cannot become a pledge, as a sentence; "" where it can: theirs, of money, still open, not one already.
    `pledged_ids`: those that are, where the caller knows them (else one statement)."""
    if record.direction != "theirs":
        return _("This is a promise we made. Only money promised to us becomes a pledge.")
    if record.kind != "financial":
        return _("This is not a promise of money. Say so on the promise first, then record the pledge.")
    if has_pledge(record.id) if pledged_ids is None else record.id in pledged_ids:
        return _("This promise is a pledge already.")
    if record.outcome is not None:
        return _("What became of this promise has been said. Open it again before you record the pledge.")
    return ""


def pledge_references(commitment_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The reference of the pledge that each of some promises became: what it is called by from then on."""
    if not commitment_ids:
        return {}
    return dict(db.session.execute(select(Pledge.id, Pledge.reference).where(Pledge.id.in_(commitment_ids))).all())


def standings(records: Collection[Any], today: date | Days) -> dict[uuid.UUID, Standing]:
    """How some promises (records, or rows of a list) stand on a day. One that is a pledge stands as its money does: taken back, settled where
    nothing of it is outstanding, else by its next instalment. One statement."""
    columns = (Pledge.id, Pledge.outstanding_minor, Pledge.next_due_on, Pledge.is_taken_back.label("is_taken_back"))
    rows = db.session.execute(select(*columns).where(Pledge.id.in_([one.id for one in records]))) if records else ()
    pledges = {row.id: row for row in rows}
    found = {}
    for one in records:
        on = as_days(today).of(one.office_id)
        pledge = pledges.get(one.id)
        if pledge is not None and pledge.is_taken_back:
            found[one.id] = Standing("taken-back", _("Taken back"), "quiet")
        elif pledge is None or one.outcome is not None:
            found[one.id] = standing(one.outcome, one.due_on, on)
        elif not pledge.outstanding_minor:
            found[one.id] = Standing("settled", _("Settled as a pledge"), "done")
        else:
            found[one.id] = standing(None, pledge.next_due_on, on)
    return found


def hands_in(record: Commitment) -> frozenset[uuid.UUID]:
    """Whose work a check of this promise would be a check of (four eyes): who recorded it, and for each thing it says and each
    part of its outcome who changed that last, from the history. Not for the evidence, which is what the verifier writes."""
    rows = db.session.execute(
        select(AuditValue.field, AuditEntry.actor_id)
        .join(AuditEntry, AuditValue.entry_seq == AuditEntry.seq)
        .where(
            AuditEntry.about_id == record.id,
            AuditEntry.record_id == record.id,
            AuditEntry.noun == Commitment.__tablename__,
            AuditValue.field.in_(SAID - {"evidence"} | _OUTCOME),
        )
        .order_by(AuditEntry.seq)
    )
    last = {row.field: row.actor_id for row in rows}
    return frozenset(person for person in (record.created_by_id, *last.values()) if person is not None)


def notes_of(commitment_id: uuid.UUID) -> list[Note]:
    """The notes about a commitment that the reader may see, newest first."""
    return list(
        db.session.scalars(select(Note).where(Note.commitment_id == commitment_id).order_by(Note.created_at.desc(), Note.id.desc()))
    )


def of_interaction(interaction_id: uuid.UUID) -> list[Commitment]:
    """What was promised at an interaction, ours first."""
    return list(
        db.session.scalars(
            select(Commitment)
            .where(Commitment.interaction_id == interaction_id)
            .order_by(Commitment.direction, Commitment.due_on, Commitment.id)
        )
    )


def of_ask(ask_id: uuid.UUID) -> list[Commitment]:
    """What was promised in answer to an ask."""
    return list(db.session.scalars(select(Commitment).where(Commitment.ask_id == ask_id).order_by(Commitment.made_on, Commitment.id)))


def matching(filters: Filters, today: date | Days) -> Select[Commitment]:
    """The statement of a list."""
    statement = select(Commitment)
    if filters.direction:
        statement = statement.where(Commitment.direction == filters.direction)
    if filters.kind:
        statement = statement.where(Commitment.kind == filters.kind)
    if filters.party_id:
        statement = statement.where(Commitment.party_id == filters.party_id)
    if filters.programme_id:
        statement = statement.where(Commitment.programme_id == filters.programme_id)
    asked = {filters.taken_back, "only" if filters.status == "taken-back" else "hidden" if filters.status else ""}
    if "only" in asked:  # the few that there are, not one after another
        statement = statement.where(Commitment.id.in_(select(Pledge.id).where(Pledge.is_taken_back)))
    if "hidden" in asked and filters.status not in _STILL_OPEN:  # nothing is outstanding of one that was taken back
        statement = statement.where(~taken_back())
    return _with_status(statement, filters.status, today)


def taken_back() -> ColumnElement[bool]:
    """A promise whose pledge was taken back: nobody made it, so it counts nowhere as one. By the pledge's key, which is its own."""
    return exists().where(Pledge.id == Commitment.id, Pledge.is_taken_back)


_STILL_OPEN = ("open", "soon", "late")


def still_open() -> ColumnElement[bool]:
    """Nobody has said what became of it; a pledge is open only while part of it is neither signed, reduced nor lapsed."""
    return and_(Commitment.outcome.is_(None), ~exists().where(Pledge.id == Commitment.id, Pledge.outstanding_minor == 0))


def _with_status(statement: Select[Commitment], status: str, today: date | Days) -> Select[Commitment]:
    if status == "unverified":
        return statement.where(Commitment.outcome.is_not(None), Commitment.verified_by_id.is_(None))
    if status in OUTCOME_LABELS:
        return statement.where(Commitment.outcome == status)
    if status in _STILL_OPEN:
        statement = statement.where(still_open())
    when = as_days(today)
    is_past = when.past(Commitment.due_on, Commitment.office_id)
    if status == "late":
        statement = statement.where(is_past)
    if status == "soon":
        statement = statement.where(~is_past, Commitment.due_on <= when.here + SOON)
    return statement


_LISTED: tuple[Any, ...] = (
    Commitment.id,
    Commitment.office_id,
    Commitment.reference,
    Commitment.direction,
    Commitment.kind,
    Commitment.words,
    Commitment.party_id,
    Commitment.programme_id,
    Commitment.owner_id,
    Commitment.made_on,
    Commitment.due_on,
    Commitment.due_order,
    Commitment.outcome,
    Commitment.outcome_on,
    Commitment.outcome_note,
    Commitment.quantity,
    Commitment.place_text,
)
SORTS = ("due", "made")


def _listed(filters: Filters, today: date | Days, sort: str) -> tuple[Select[Any], Order]:
    order = Order(Commitment.made_on, Commitment.id, is_descending=True) if sort == "made" else Order(Commitment.due_order, Commitment.id)
    return matching(filters, today).with_only_columns(*_LISTED), order


def listing(filters: Filters, today: date | Days, paging: Paging, *, sort: str = "due") -> Page[Any]:
    """One page of commitments as rows of columns: by due day (earliest first, no date last) or by the day they were made (newest first)."""
    return fetch_page(*_listed(filters, today, sort), paging)


def every(filters: Filters, today: date | Days, *, sort: str = "due") -> Iterator[Sequence[Any]]:
    """All commitments of a list in its order, the same rows as on its pages, a chunk at a time: for files."""
    return fetch_all(*_listed(filters, today, sort))


def open_promises(until: date, limit: int, offices: Collection[uuid.UUID] | None = None) -> dict[str, list[Commitment]]:
    """Open promises due until a day that are not pledges (those have instalments of their own), earliest first: so many by us ("ours")
    and so many by them ("theirs"). One statement, two where all offices are asked."""
    order = (Commitment.due_on, Commitment.id)
    is_due = (Commitment.outcome.is_(None), Commitment.due_on <= until, ~exists().where(Pledge.id == Commitment.id))
    whole = select(Commitment).order_by(*order).options(joinedload(Commitment.party))
    if offices is None:  # an index has each side's in this order
        sides = (whole.where(*is_due, Commitment.direction == direction).limit(limit) for direction in DIRECTIONS)
        return {direction: list(db.session.scalars(side)) for direction, side in zip(DIRECTIONS, sides, strict=True)}
    place = func.row_number().over(partition_by=Commitment.direction, order_by=order).label("place")
    placed = select(Commitment.id, place).where(*is_due, Commitment.office_id.in_(offices)).subquery()
    found: dict[str, list[Commitment]] = {direction: [] for direction in DIRECTIONS}
    for one in db.session.scalars(whole.where(Commitment.id.in_(select(placed.c.id).where(placed.c.place <= limit)))):
        found[one.direction].append(one)
    return found
