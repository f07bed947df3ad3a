"""What an office holds already of the money that a spreadsheet lists: programmes, pledges, agreements and receipts, by reference, name, day. A few statements a chunk."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from crm.db import db
from crm.models.commitments import Commitment
from crm.models.parties import Party, PartyKind
from crm.models.pledges import Agreement, Instalment, Pledge, PledgeTerms, Receipt
from crm.models.programmes import Programme, Requirement
from crm.queries.duplicates import Candidate, possible_duplicates_of
from crm.queries.likeness import Nearest
from crm.queries.names import fold
from crm.queries.sheet_imports import usable

_CHUNK = 400
_MOST_NEAR = 3
_MOST_NAMES = 2000
_LIKENESS = 0.75
#: M20: the same amount of the same donor so near to another may be the same.
NEAR = timedelta(days=7)


@dataclass(slots=True, eq=False)
class KnownProgramme:
    """A programme on record (or one that an earlier row would make: without an id) and what it needs in each year, in minor units."""

    id: uuid.UUID | None
    reference: str
    title: str
    currency: str
    version: int = 1
    values: Mapping[str, Any] = field(default_factory=dict)
    needs: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class KnownPledge:
    """A pledge on record (or of an earlier row: without an id) that was not taken back. `promised_minor`: as it stands after changes."""

    id: uuid.UUID | None
    reference: str
    donor_id: uuid.UUID
    donor_reference: str
    title: str
    on: date
    currency: str
    announced_minor: int
    promised_minor: int
    outstanding_minor: int
    programme_id: uuid.UUID | None = None
    plan: frozenset[tuple[date | None, int]] = frozenset()
    row: int = 0


@dataclass(slots=True, eq=False)
class KnownReceipt:
    """A receipt on record (or of an earlier row) that stands. `target_id`: of its agreement or pledge. `row`: of this file, that is it."""

    id: uuid.UUID | None
    reference: str
    donor_id: uuid.UUID
    target_id: uuid.UUID | None
    on: date
    currency: str
    minor: int
    bank_reference: str
    row: int = 0


def programmes_of(office_id: uuid.UUID) -> list[KnownProgramme]:
    """The programmes of an office with what each needs in each year, newest said. Two statements."""
    rows = {row.id: row for row in db.session.scalars(select(Programme).where(Programme.office_id == office_id))}
    needs: dict[uuid.UUID, dict[int, int]] = defaultdict(dict)
    statement = select(Requirement.programme_id, Requirement.year, Requirement.amount_minor).where(Requirement.office_id == office_id)
    for programme_id, year, minor in db.session.execute(statement.order_by(Requirement.version)):
        needs[programme_id][year] = minor
    names = ("summary", "sector", "place_id", "place_text", "starts_on", "ends_on")
    return [
        KnownProgramme(
            row.id, row.reference, row.title, row.currency, row.version, {name: getattr(row, name) for name in names}, needs[row.id]
        )
        for row in rows.values()
    ]


def pledges_like(
    office_id: uuid.UUID, references: Collection[str], donors: Collection[uuid.UUID] = (), days: Collection[date] = ()
) -> list[KnownPledge]:
    """The pledges of an office that have one of the references (ours or the donor's), or were made by one of the donors around the days.
    Those that were taken back are left out."""
    wanted = [[Pledge.reference.in_(part)] for part in _parts({text.upper() for text in references})]
    wanted += [[func.lower(Pledge.donor_reference).in_(part)] for part in _parts({text.lower() for text in references})]
    if days:
        wanted += [[Pledge.donor_id.in_(part), Pledge.pledged_on.between(min(days) - NEAR, max(days) + NEAR)] for part in _parts(donors)]
    rows: dict[uuid.UUID, Any] = {}
    for conditions in wanted:
        statement = (
            select(Pledge, Commitment.words)
            .join(Commitment, Commitment.id == Pledge.id)
            .where(Pledge.office_id == office_id, ~Pledge.is_taken_back, *conditions)
        )
        rows |= {row.Pledge.id: row for row in db.session.execute(statement)}
    plans = _plans(list(rows))
    return [
        KnownPledge(
            row.Pledge.id,
            row.Pledge.reference,
            row.Pledge.donor_id,
            row.Pledge.donor_reference,
            row.words,
            row.Pledge.pledged_on,
            row.Pledge.currency,
            row.Pledge.announced_minor,
            row.Pledge.outstanding_minor + row.Pledge.converted_minor,
            row.Pledge.outstanding_minor,
            row.Pledge.programme_id,
            plans.get(row.Pledge.id, frozenset()),
        )
        for row in rows.values()
    ]


def _plans(pledge_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, frozenset[tuple[date | None, int]]]:
    found: dict[uuid.UUID, set[tuple[date | None, int]]] = defaultdict(set)
    for part in _parts(pledge_ids):
        statement = (
            select(PledgeTerms.pledge_id, Instalment.due_on, Instalment.amount_minor)
            .join(Instalment, Instalment.pledge_terms_id == PledgeTerms.id)
            .where(PledgeTerms.pledge_id.in_(part), Instalment.is_current)
        )
        for pledge_id, due_on, minor in db.session.execute(statement):
            found[pledge_id].add((due_on, minor))
    return {key: frozenset(plan) for key, plan in found.items()}


def agreements_like(office_id: uuid.UUID, texts: Collection[str]) -> dict[str, list[Agreement]]:
    """Which agreements of an office cells mean: by reference, else by the donor's reference, else by title."""
    by_reference: dict[str, Agreement] = {}
    by_theirs: dict[str, dict[uuid.UUID, Agreement]] = defaultdict(dict)
    by_title: dict[str, dict[uuid.UUID, Agreement]] = defaultdict(dict)
    for part in _parts({text.lower() for text in texts}):
        named = or_(
            func.lower(Agreement.reference).in_(part),
            func.lower(Agreement.donor_reference).in_(part),
            func.lower(Agreement.title).in_(part),
        )
        for row in db.session.scalars(select(Agreement).where(Agreement.office_id == office_id, named)):
            by_reference[row.reference.lower()] = row
            by_theirs[row.donor_reference.lower()][row.id] = row
            by_title[row.title.lower()][row.id] = row
    return {
        text: [by_reference[key]] if (key := text.lower()) in by_reference else list((by_theirs[key] or by_title[key]).values())
        for text in texts
    }


def receipts_like(
    office_id: uuid.UUID,
    references: Collection[str],
    bank_references: Collection[str],
    donors: Collection[uuid.UUID],
    days: Collection[date],
) -> list[KnownReceipt]:
    """The receipts of an office that stand and have one of the references (ours or the bank's), or came from one of the donors around
    the days."""
    back = aliased(Receipt)
    gone = select(back.reversal_of_id).where(back.reversal_of_id.is_not(None), back.office_id == office_id)
    wanted = [[Receipt.reference.in_(part)] for part in _parts({text.upper() for text in references})]
    wanted += [[func.lower(Receipt.bank_reference).in_(part)] for part in _parts({text.lower() for text in bank_references})]
    if days:
        wanted += [[Receipt.donor_id.in_(part), Receipt.value_on.between(min(days) - NEAR, max(days) + NEAR)] for part in _parts(donors)]
    rows: dict[uuid.UUID, Receipt] = {}
    for conditions in wanted:
        statement = select(Receipt).where(
            Receipt.office_id == office_id, Receipt.reversal_of_id.is_(None), Receipt.id.not_in(gone), *conditions
        )
        rows |= {row.id: row for row in db.session.scalars(statement.order_by(Receipt.id))}
    return [
        KnownReceipt(
            row.id,
            row.reference,
            row.donor_id,
            row.agreement_id or row.pledge_id,
            row.value_on,
            row.currency,
            row.amount_minor,
            row.bank_reference,
        )
        for row in rows.values()
    ]


def near(text: str, names: Mapping[str, str]) -> list[str]:
    """The names (name -> reference) that a cell may mean in spite of a slip: "Title (JOR-PR-2026-0001)"."""
    folded = {fold(name): f"{name} ({reference})" if name != reference else name for name, reference in names.items() if name}
    return [folded[found] for found in get_close_matches(fold(text), folded, _MOST_NEAR, _LIKENESS)]


def donors_meant(office_id: uuid.UUID, texts: Collection[str]) -> dict[str, list[tuple[str, str]]]:
    """Which parties cells may mean that name no one party: (name, reference), those that are alike first, then donors (by kind, or
    of a pledge or agreement) that share rare words with the cell or differ by a slip. Five statements and one."""
    listed = sorted(texts)
    alike = possible_duplicates_of([Candidate(text, other_names=(text,)) for text in listed], office_id=office_id) if listed else []
    is_donor = or_(
        Party.id.in_(select(PartyKind.party_id).where(PartyKind.kind == "donor")),
        Party.id.in_(select(Pledge.donor_id)),
        Party.id.in_(select(Agreement.donor_id)),
    )
    statement = select(Party.name, Party.reference).where(is_donor, usable(office_id)).order_by(Party.id.desc()).limit(_MOST_NAMES)
    donors = {row.name: row.reference for row in db.session.execute(statement)} if listed else {}
    nearest, folded = Nearest(donors), {fold(name): name for name in donors}
    found = {}
    for text, same in zip(listed, alike, strict=True):
        slips = [folded[name] for name in get_close_matches(fold(text), folded, _MOST_NEAR, _LIKENESS)]
        meant = [(one.name, one.reference) for one in same]
        meant += [(name, donors[name]) for name in (*nearest.of(text), *slips)]
        found[text] = list({reference: (name, reference) for name, reference in meant}.values())[:_MOST_NEAR]
    return found


def agreement_names(office_id: uuid.UUID) -> dict[str, str]:
    """What the newest agreements and pledges of an office are called (their reference, the donor's, a title) -> reference: for `near`."""
    found: dict[str, str] = {}
    signed = select(Agreement.reference, Agreement.donor_reference, Agreement.title).where(Agreement.office_id == office_id)
    promised = select(Pledge.reference, Pledge.donor_reference).where(Pledge.office_id == office_id, ~Pledge.is_taken_back)
    for row in (
        *db.session.execute(signed.order_by(Agreement.id.desc()).limit(_CHUNK)),
        *db.session.execute(promised.order_by(Pledge.id.desc()).limit(_CHUNK)),
    ):
        for name in row:
            found.setdefault(name, row[0])
    return found


def _parts(items: Iterable[Any]) -> Iterator[list[Any]]:
    listed = sorted(items)
    for start in range(0, len(listed), _CHUNK):
        yield listed[start : start + _CHUNK]
