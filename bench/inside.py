"""What is seen from inside the process: what to look at, statements a page sends and which are slow, packs, imports."""

from __future__ import annotations

import base64
import csv
import io
import json
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lxml.html
from flask import Flask
from sqlalchemy import event, func, select

from bench import packs
from bench.dataset import COUNTRY_OFFICER, KEYS, PASSWORD, ROOT
from config import load
from crm.app import create_app
from crm.db import db
from crm.jobs import engine, imports
from crm.models.asks import Ask
from crm.models.imports import ImportBatch
from crm.models.interactions import Interaction
from crm.models.offices import Office
from crm.models.parties import Party
from crm.models.pledges import Agreement, Pledge, Receipt
from crm.models.programmes import Programme
from crm.models.users import User
from crm.policy import bind_actor, unscoped
from crm.services import users

DEMO_FLOWS = ROOT / "crm" / "data" / "demo" / "fts-incoming-funding-jor-2020.csv"


@contextmanager
def application(url: str) -> Iterator[Flask]:
    """The application on a database, in this process. No context is pushed: a page would take it for its own."""
    with tempfile.TemporaryDirectory(prefix="throughline-bench-") as folder:
        app = create_app(load({"APP_ENV": "testing", "DATABASE_URL": url, "INSTANCE_PATH": folder, **KEYS}))
        try:
            yield app
        finally:
            with app.app_context():
                db.session.remove()
                db.engine.dispose()
            engine.forget_client(app)


@dataclass(frozen=True)
class Chosen:
    """The records that the pages are about, all of the typical office but the two `heavy` ones."""

    office: uuid.UUID
    party: uuid.UUID
    party_contacts: int
    interaction: uuid.UUID
    meetings: tuple[uuid.UUID, ...]
    ask: uuid.UUID
    pledge: uuid.UUID
    agreement: uuid.UUID
    receipt: uuid.UUID
    programme: uuid.UUID
    donor_reference: str
    party_reference: str
    heavy_donor: uuid.UUID
    heavy_donor_pledges: int
    party_cursors: dict[str, str] = field(default_factory=dict)


def choose() -> Chosen:
    """Find them, outside every scope."""
    one = db.session.scalar
    with unscoped("the bench looks for what it will open"):
        office = one(select(User.office_id).where(User.email == COUNTRY_OFFICER))
        contacts = db.session.execute(
            select(Interaction.party_id, func.count().label("many"))
            .where(Interaction.office_id == office, Interaction.party_id.in_(select(Party.id).where(Party.office_id == office)))
            .group_by(Interaction.party_id)
            .order_by(func.count().desc())
        ).all()
        party = min(contacts, key=lambda row: abs(row.many - 200))
        heavy = db.session.execute(
            select(Pledge.donor_id, func.count().label("many")).group_by(Pledge.donor_id).order_by(func.count().desc())
        ).first()
        agreement = one(
            select(Agreement.id)
            .join(Receipt, Receipt.agreement_id == Agreement.id)
            .where(Agreement.office_id == office, Agreement.currency == "EUR")
            .group_by(Agreement.id)
            .order_by(func.count().desc(), Agreement.id)
            .limit(1)
        )
        pledge = one(select(Agreement.pledge_id).where(Agreement.id == agreement))
        middle = _middle_name(None)
        found = Chosen(
            office=office,
            party=party.party_id,
            party_contacts=party.many,
            interaction=one(
                select(Interaction.id)
                .where(Interaction.office_id == office, Interaction.state == "held", Interaction.level == "open")
                .order_by(Interaction.id)
                .limit(1)
            ),
            meetings=tuple(key for pledges in (1, 12) if (key := _planned_meeting(office, pledges))),
            ask=one(select(Ask.id).where(Ask.office_id == office, Ask.level == "open").order_by(Ask.id).limit(1)),
            pledge=pledge,
            agreement=agreement,
            receipt=one(select(Receipt.id).where(Receipt.agreement_id == agreement).order_by(Receipt.id).limit(1)),
            programme=one(select(Programme.id).where(Programme.office_id == office).order_by(Programme.id).limit(1)),
            donor_reference=one(select(Party.reference).join(Pledge, Pledge.donor_id == Party.id).where(Pledge.id == pledge)),
            party_reference=one(select(Party.reference).where(Party.id == party.party_id)),
            heavy_donor=heavy.donor_id,
            heavy_donor_pledges=heavy.many,
            party_cursors={"hq": middle, "officer": _middle_name(office)},
        )
    db.session.rollback()
    return found


def _planned_meeting(office: Any, wanted: int) -> uuid.UUID | None:
    """A meeting to come with a donor who has about so many pledges with the office."""
    pledges = select(Pledge.donor_id, func.count().label("many")).where(Pledge.office_id == office).group_by(Pledge.donor_id).subquery()
    return db.session.scalar(
        select(Interaction.id)
        .join(pledges, Interaction.party_id == pledges.c.donor_id)
        .where(Interaction.office_id == office, Interaction.state == "planned")
        .order_by(func.abs(pledges.c.many - wanted), Interaction.starts_at, Interaction.id)
        .limit(1)
    )


def _middle_name(office: Any) -> str:
    """A cursor into the middle of the list of parties, as a page would hand it out."""
    wanted = select(Party.id, Party.folded_name).order_by(Party.folded_name, Party.id)
    if office is not None:
        wanted = wanted.where(Party.office_id == office)
    count = db.session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    row = db.session.execute(wanted.offset(count // 2).limit(1)).one()
    packed = json.dumps(["s", row.folded_name, str(row.id)], ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


# --- statements ----------------------------------------------------------------------------------------------------


@dataclass
class Statement:
    """One statement of a page: how long it takes when sent again alone, with all its rows read."""

    page: str
    who: str
    text: str
    parameters: Any
    milliseconds: float = 0.0
    rows: int = 0
    plan: str = ""


class Pages:
    """A signed-in person's pages in this process, with the statements they send."""

    def __init__(self, app: Flask, email: str) -> None:
        self.client = app.test_client()
        with app.app_context():
            self.engine = db.engine
        page = self.client.get("/sign-in")
        token = lxml.html.document_fromstring(page.get_data()).xpath("//input[@name='csrf_token']/@value")[0]
        answer = self.client.post("/sign-in", data={"email": email, "password": PASSWORD, "csrf_token": token})
        if answer.status_code not in {302, 303}:
            message = f"{email} could not sign in"
            raise RuntimeError(message)
        self.email = email

    def statements(self, name: str, path: str) -> list[Statement]:
        """What one page sends (asked once before, so that nothing is counted that happens only once)."""
        sent: list[Statement] = []

        def note(_connection: Any, _cursor: Any, text: str, parameters: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001
            if text.lstrip()[:6].upper() in {"SELECT", "INSERT", "UPDATE", "DELETE"} or text.startswith("WITH"):
                sent.append(Statement(name, self.email, text, parameters))

        self.client.get(path)
        event.listen(self.engine, "before_cursor_execute", note)
        try:
            self.client.get(path)
        finally:
            event.remove(self.engine, "before_cursor_execute", note)
        return sent


def time_statements(found: list[Statement]) -> None:
    """Send each SELECT again, alone; the plan of those that take more than 5 ms."""
    connection = db.engine.raw_connection()
    is_sqlite = db.engine.dialect.name == "sqlite"
    try:
        cursor = connection.cursor()
        for statement in found:
            if not statement.text.lstrip().upper().startswith(("SELECT", "WITH")):
                continue
            began = time.perf_counter()
            cursor.execute(statement.text, statement.parameters)
            statement.rows = len(cursor.fetchall())
            statement.milliseconds = (time.perf_counter() - began) * 1000
            if statement.milliseconds > 5:
                cursor.execute(
                    ("EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN (ANALYZE, BUFFERS) ") + statement.text, statement.parameters
                )
                statement.plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
        cursor.close()
    finally:
        connection.rollback()
        connection.close()


# --- imports and packs ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Imported:
    """A file of reported flows, brought in."""

    rows: int
    seconds: float
    state: str


def bring_in_flows(rows: int) -> Imported:
    """The shipped FTS file, repeated under other identifiers up to so many rows, with log and scope as for a person."""
    data, count = _many_flows(rows)
    actor = users.actor_by_email(COUNTRY_OFFICER)
    bind_actor(actor)
    office = db.session.scalar(select(Office.id).where(Office.id == actor.home_office_id))
    began = time.perf_counter()
    batch_id = imports.import_file(actor, office, "fts", "bench-flows.csv", data)  # type: ignore[arg-type]
    seconds = time.perf_counter() - began
    batch = db.session.get_one(ImportBatch, batch_id)
    if batch.state == "refused":
        raise RuntimeError(batch.message)
    found = Imported(
        count, seconds, f"{batch.created} created, {batch.updated} updated, {batch.unchanged} unchanged, {batch.rejected} rejected"
    )
    db.session.rollback()
    return found


def _many_flows(rows: int) -> tuple[bytes, int]:
    lines = list(csv.reader(io.StringIO(DEMO_FLOWS.read_text(encoding="utf-8-sig"))))
    header, tags, data = lines[0], lines[1], lines[2:]
    if not any(cell.startswith("#") for cell in tags):
        data, tags = [tags, *data], []
    place = next(index for index, name in enumerate(header) if name.strip().casefold() == "id")
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    if tags:
        writer.writerow(tags)
    count = 0
    for turn in range(-(-rows // len(data))):
        for row in data:
            if count < rows:
                copy = list(row)
                copy[place] = f"{row[place]}{turn:02d}" if turn else row[place]
                writer.writerow(copy)
                count += 1
    return out.getvalue().encode(), count


@dataclass(frozen=True)
class Packed:
    """Briefing packs built: medians in seconds. `building`: reading, figures, charts, HTML; `drawing`: HTML to bytes, in the child."""

    pages: int
    size: int
    whole: float
    slowest: float
    quickest_drawing: float
    building: float
    drawing: float
    weasyprint: float


def build_packs(interaction: uuid.UUID, times: int) -> Packed:
    """The pack of a planned meeting, from the records to the PDF's bytes, and WeasyPrint alone for the same HTML."""
    actor = users.actor_by_email(COUNTRY_OFFICER)
    made = []
    for _number in range(times + 1):
        bind_actor(actor)
        db.session.expunge_all()
        made.append(packs.make(actor, interaction))
        db.session.rollback()
    last, made = made[-1], made[1:]  # the first starts the drawing process
    whole = [one.building + one.drawing for one in made]
    return Packed(
        last.pages,
        last.size,
        statistics.median(whole),
        max(whole),
        min(one.drawing for one in made),
        statistics.median(one.building for one in made),
        statistics.median(one.drawing for one in made),
        packs.weasyprint_alone(last.html, times),
    )


def copy_of(path: Path, folder: Path) -> Path:
    """A copy of a built database to write into."""
    target = folder / "work.sqlite3"
    target.write_bytes(b"")
    with path.open("rb") as source, target.open("wb") as sink:
        while block := source.read(1 << 24):
            sink.write(block)
    return target
