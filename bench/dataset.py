"""The large data set: seeded, the same every time, written past the services (rows by the ten thousand), invariants kept.

Scale 1 is 100,000 parties, 1,000,000 interactions and 200,000 pledges over 150 offices. A smaller scale has fewer offices of
the same size, so that a country officer always sees about 700 parties and 7,000 interactions of their own office.
"""

from __future__ import annotations

import bisect
import contextlib
import hashlib
import itertools
import json
import random
import tempfile
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pysqlite3.dbapi2 as sqlite3
from argon2 import PasswordHasher
from flask_migrate import upgrade
from sqlalchemy.engine import make_url

from bench import words
from config import load
from crm.app import create_app
from crm.data import countries_by_iso2
from crm.db import Base, UtcDateTime
from crm.exchange.rates import ecb_history
from crm.models.parties import KINDS
from crm.money import Money, split, to_minor
from crm.queries.names import fold

ROOT = Path(__file__).resolve().parent.parent
KEYS = {"SECRET_KEY": "5b1e0c7d9a3f4628" * 4, "AUDIT_KEY": "e7a94c0b3d5f1826" * 4}
PASSWORD = "bench river lantern 42"  # noqa: S105 - made up, for people who do not exist
PARTIES, INTERACTIONS, PLEDGES, PROGRAMMES, OFFICES = 100_000, 1_000_000, 200_000, 500, 150
SHARED = 0.02
ANCHOR_CONTACTS = 200
YEARS = 6
CURRENCIES = (
    ("USD", 50, 1.0),
    ("EUR", 25, 1.1),
    ("GBP", 8, 1.27),
    ("SEK", 5, 0.096),
    ("NOK", 4, 0.093),
    ("JPY", 5, 0.0067),
    ("CHF", 3, 1.15),
)
FLUSH = 20_000
COUNTRY_OFFICER, HQ_VIEWER, HQ_MANAGER = "officer@bench.example", "hq@bench.example", "manager@bench.example"
Row = tuple[Any, ...]


# --- writing -------------------------------------------------------------------------------------------------------


class Sink(ABC):
    """Where rows go. Columns that are not named get the model's default, or nothing where they may be empty."""

    def __init__(self) -> None:
        self._columns: dict[str, tuple[str, ...]] = {}
        self._rest: dict[str, Row] = {}
        self._waiting: dict[str, list[Row]] = defaultdict(list)
        self.counts: dict[str, int] = defaultdict(int)
        self.now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.000000")

    def table(self, name: str, columns: str) -> None:
        """Say which columns rows of a table come with; refuses a table that has changed its mind."""
        wanted, rest, constants = columns.split(), [], []
        table = Base.metadata.tables[name]
        if unknown := set(wanted) - set(table.columns.keys()):
            message = f"{name} has no {sorted(unknown)}: bench/dataset.py must follow the models"
            raise RuntimeError(message)
        for column in table.columns:
            if column.key in wanted:
                continue
            default: Any = column.default
            if default is not None and default.is_scalar:
                rest.append(column.key)
                constants.append(_plain(default.arg))
            elif isinstance(column.type, UtcDateTime) and not column.nullable:
                rest.append(column.key)
                constants.append(self.now)
            elif not column.nullable:
                message = f"{name}.{column.key} needs a value: bench/dataset.py must follow the models"
                raise RuntimeError(message)
        self._columns[name] = (*wanted, *rest)
        self._rest[name] = tuple(constants)

    def add(self, name: str, *values: Any) -> None:
        """One row, its values in the order the table was announced with."""
        waiting = self._waiting[name]
        waiting.append((*values, *self._rest[name]))
        if len(waiting) >= FLUSH:
            self.flush(name)

    def flush(self, name: str | None = None) -> None:
        """Write what waits."""
        for table in [name] if name else list(self._waiting):
            rows = self._waiting.pop(table, [])
            if rows:
                self.write(table, self._columns[table], rows)
                self.counts[table] += len(rows)

    @abstractmethod
    def write(self, table: str, columns: Sequence[str], rows: list[Row]) -> None:
        """Put some rows into a table."""

    @abstractmethod
    def finish(self) -> None:
        """Make what was written ready to be read: indexes, statistics."""


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value if isinstance(value, int) else str(value)


class SqliteSink(Sink):
    """A migrated SQLite file; indexes are made again after the rows."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._connection = sqlite3.connect(str(path), isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-800000", "temp_store=MEMORY"):
            self._connection.execute(f"PRAGMA {pragma}")
        found = self._connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        self._indexes = found.fetchall()
        self._connection.execute("BEGIN")
        for name, _text in self._indexes:
            self._connection.execute(f'DROP INDEX "{name}"')

    def write(self, table: str, columns: Sequence[str], rows: list[Row]) -> None:
        named, marks = ", ".join(f'"{column}"' for column in columns), ", ".join("?" * len(columns))
        self._connection.executemany(f'INSERT INTO "{table}" ({named}) VALUES ({marks})', rows)  # noqa: S608 - our own names

    def finish(self) -> None:
        """Rebuild the indexes and check every reference."""
        for _name, text in self._indexes:
            self._connection.execute(text)
        self._connection.execute("COMMIT")
        broken = self._connection.execute("PRAGMA foreign_key_check").fetchone()
        if broken:
            message = f"a row refers to nothing: {broken}"
            raise RuntimeError(message)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.close()


class PostgresSink(Sink):
    """A migrated PostgreSQL database; indexes and constraints are made again after the rows, which checks them."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._connection = psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
        self._cursor = self._connection.cursor()
        self._again: list[str] = []
        for kind in ("f", "u"):
            self._cursor.execute(
                "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE contype = %s AND connamespace = 'public'::regnamespace ORDER BY 1, 2",
                (kind,),
            )
            made = []
            for table, name, text in self._cursor.fetchall():
                self._do(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
                made.append(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {text}')
            self._again = made + self._again
        self._cursor.execute(
            "SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE schemaname = 'public'"
            " AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)"
        )
        for name, text in self._cursor.fetchall():
            self._do(f'DROP INDEX "{name}"')
            self._again.insert(0, text)
        self._do("SET maintenance_work_mem = '512MB'")

    def _do(self, statement: str) -> None:
        self._cursor.execute(statement.encode())

    def write(self, table: str, columns: Sequence[str], rows: list[Row]) -> None:
        named = ", ".join(f'"{column}"' for column in columns)
        text = "\n".join("\t".join(["\\N" if value is None else str(value) for value in row]) for row in rows)
        with self._cursor.copy(f'COPY "{table}" ({named}) FROM STDIN'.encode()) as copy:
            copy.write(text + "\n")

    def finish(self) -> None:
        """Constraints, indexes, counters and what the planner must know for the index that is filled next."""
        for statement in self._again:
            self._do(statement)
        for table, column in (("audit_entries", "seq"), ("audit_values", "id"), ("reference_counters", "id")):
            self._do(f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), (SELECT coalesce(max({column}), 1) FROM {table}))")  # noqa: S608
        self._do("ANALYZE")
        self._connection.commit()
        self._connection.close()


# --- the world -----------------------------------------------------------------------------------------------------


@dataclass
class Office:
    """An office with what later rows choose from."""

    id: str
    code: str
    country: str
    place: str
    users: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    organisations: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    donors: list[str] = field(default_factory=list)
    programmes: list[str] = field(default_factory=list)
    outputs: dict[str, list[str]] = field(default_factory=dict)
    asks: list[tuple[str, str]] = field(default_factory=list)
    anchor: str = ""
    is_typical: bool = False


class World:
    """Makes the rows. Everything is drawn from one seed; days are counted back from `today`."""

    def __init__(self, sink: Sink, scale: float, seed: int, today: date) -> None:
        self.sink, self.scale, self.today = sink, scale, today
        self.random = random.Random(seed)
        self._ids = itertools.count()
        self._first_ms = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1000)
        self._references: dict[tuple[str, str, int], int] = defaultdict(int)
        self._seq = itertools.count(1)
        self.shared: list[str] = []
        self.donors: list[str] = []
        self.offices: list[Office] = []
        self.known: dict[str, str] = {}
        self._office_ids: dict[str, str] = {}

    # small helpers

    def new(self) -> str:
        """A key shaped as a version 7 UUID, later ones after earlier ones."""
        number = next(self._ids)
        return f"{self._first_ms + number // 4096:012x}7{number % 4096:03x}8{self.random.getrandbits(60):015x}"

    def reference(self, office: Office, kind: str, year: int) -> str:
        key = (office.code, kind, year)
        self._references[key] += 1
        return f"{office.code}-{kind}-{year}-{self._references[key]:04d}"

    def audit(self, office: Office, noun: str, record: str, at: str, user: str, level: str = "open") -> None:
        """The entry that says who made a record."""
        self.sink.add("audit_entries", next(self._seq), office.id, level, at, user, "Bench Person", noun, record, record, "created", 1)

    def skewed(self, items: Sequence[Any], power: float = 1.6) -> Any:
        """One of them; the first come up more often."""
        return items[int(len(items) * self.random.random() ** power)]

    def day(self, earliest: int, latest: int = 0) -> date:
        """A day between so many days ago."""
        return self.today - timedelta(days=self.random.randint(latest, earliest))

    def build(self) -> None:
        """Every row, parents before children where it is easy; references are checked at the end."""
        self._announce()
        self._rates()
        self._offices()
        self._shared_parties()
        for office in self.offices[1:]:
            self._parties(office)
        self._programmes()
        self._asks()
        self._interactions()
        self._pledges()
        self._counters()
        self.sink.flush()

    def _announce(self) -> None:
        table = self.sink.table
        table("offices", "id code name kind parent_id currency timezone")
        table("users", "id email name office_id password_hash")
        table("memberships", "id user_id office_id role")
        table("rate_sheets", "id source base published_on quotes")
        table("parties", "id office_id visibility reference form name folded_name country created_at")
        table("party_kinds", "id office_id visibility party_id kind")
        table("party_names", "id office_id visibility party_id kind name folded_name")
        table("channels", "id office_id party_id kind value")
        table("positions", "id office_id visibility organisation_id title")
        table("tenures", "id office_id visibility position_id person_id starts_on ends_on")
        table("programmes", "id office_id reference title sector starts_on ends_on currency")
        table("programme_tags", "id office_id programme_id scheme code")
        table("outputs", "id office_id programme_id position title")
        table("requirements", "id office_id programme_id year version amount_minor currency")
        table("indicators", "id office_id programme_id title unit baseline_value baseline_on target_value target_on")
        table("measurements", "id office_id indicator_id measured_on value")
        table(
            "asks",
            "id office_id level reference addressee_id sentence by_when amount_minor currency programme_id closed_on closed_reason created_at",
        )
        table("ask_answers", "id office_id level ask_id interaction_id answer words created_at")
        table(
            "interactions",
            "id office_id level reference kind state starts_at minutes party_id purpose ask_id programme_id summary cancelled_reason"
            " written_up_at created_at created_by_id",
        )
        table("participants", "id office_id level interaction_id position side party_id user_id name post")
        table("follow_ups", "id office_id level text due_on owner_id party_id interaction_id done_on created_at")
        table("notes", "id office_id level party_id interaction_id body created_at created_by_id")
        table(
            "commitments",
            "id office_id level reference direction kind party_id words made_on due_on interaction_id programme_id outcome outcome_on created_at"
            " created_by_id",
        )
        table(
            "pledges",
            "id office_id reference donor_id programme_id pledged_on event_name currency announced_minor outstanding_minor converted_minor"
            " next_due_on version created_at created_by_id",
        )
        table("pledge_terms", "id office_id pledge_id version kind effective_on change_minor reason agreement_id receipt_id reversal_of_id")
        table(
            "instalments",
            "id office_id pledge_terms_id agreement_terms_id position due_on due_when amount_minor currency matched_minor is_current",
        )
        table(
            "agreements",
            "id office_id reference donor_id pledge_id title signed_on starts_on ends_on currency earmarking value_minor received_minor"
            " next_due_on version created_at",
        )
        table("agreement_terms", "id office_id agreement_id version kind effective_on change_minor reason")
        table("agreement_budget_lines", "id office_id agreement_id programme_id output_id amount_minor currency")
        table(
            "receipts",
            "id office_id reference donor_id agreement_id pledge_id value_on amount_minor currency bank_reporting_minor reason reversal_of_id"
            " created_at",
        )
        table("receipt_matches", "id office_id receipt_id instalment_id amount_minor created_at")
        table("allocations", "id office_id reference agreement_id programme_id output_id allocated_on amount_minor currency")
        table("reference_counters", "id office_id kind year last")
        table("audit_entries", "seq office_id level at actor_id actor_name noun record_id about_id action version")

    # unscoped things

    def _rates(self) -> None:
        last = None
        for sheet in ecb_history(since=self.today - timedelta(days=365 * (YEARS + 2))):
            quotes = json.dumps({code: format(value, "f") for code, value in sheet.quotes.items()}, sort_keys=True, separators=(",", ":"))
            self.sink.add("rate_sheets", self.new(), sheet.source, sheet.base, sheet.on.isoformat(), quotes)
            last = (sheet.source, sheet.base, sheet.on, quotes)
        if last is None:
            return
        source, base, on, quotes = last
        while on < self.today:  # the shipped history ends before today: its last rates are carried on
            on += timedelta(days=1)
            if on.weekday() < 5:
                self.sink.add("rate_sheets", self.new(), source, base, on.isoformat(), quotes)

    def _offices(self) -> None:
        count = max(4, round(OFFICES * self.scale))
        regions = max(1, count // 25)
        countries = sorted(countries_by_iso2().values(), key=lambda country: country.iso3)
        hashed = PasswordHasher().hash(PASSWORD)
        hq = self._office("HQ", "Headquarters", "hq", None, "USD", "", "the headquarters", hashed)
        regional = [
            self._office(f"R{n:02d}", f"Regional office {n}", "regional", hq.id, "USD", "", f"region {n}", hashed)
            for n in range(1, regions + 1)
        ]
        chosen = countries[:: max(1, len(countries) // count)][: count - 1 - regions]
        for place, country in enumerate(chosen):
            parent = regional[place % regions]
            self._office(
                country.iso3,
                f"Country office {country.name}",
                "country",
                parent.id,
                country.currency or "USD",
                country.iso2,
                country.name,
                hashed,
            )
        typical = self.offices[1 + regions]
        typical.is_typical = True
        self._user(COUNTRY_OFFICER, "Typical Officer", typical, "grants-officer", hashed)
        self._user(HQ_VIEWER, "Headquarters Viewer", hq, "viewer", hashed)
        self._user(HQ_MANAGER, "Headquarters Manager", hq, "manager", hashed)

    def _office(self, code: str, name: str, kind: str, parent: str | None, currency: str, country: str, place: str, hashed: str) -> Office:
        office = Office(self.new(), code, country, place)
        self.sink.add("offices", office.id, code, name, kind, parent, currency, "UTC")
        self.offices.append(office)
        for role in ("advocacy-officer", "grants-officer", "manager", "viewer"):
            self._user(f"{role}@{code.lower()}.bench.example", self._person_name()[:200], office, role, hashed)
        return office

    def _user(self, email: str, name: str, office: Office, role: str, hashed: str) -> None:
        user = self.new()
        office.users.append(user)
        self.known[user] = name
        self.sink.add("users", user, email, name, office.id, hashed)
        self.sink.add("memberships", self.new(), user, office.id, role)

    # parties

    def _person_name(self) -> str:
        _share, given, family = self.random.choices(words.SCRIPTS, weights=[script[0] for script in words.SCRIPTS])[0]
        first, last = self.random.choice(given), self.random.choice(family)
        if given[0] == "小明":
            return last + first
        middle = self.random.choice(given) if self.random.random() < 0.4 else ""
        return " ".join(part for part in (first, middle, last) if part)

    def _party(self, office: Office, form: str, name: str, kinds: Iterable[str], *, shared: bool = False, country: str = "") -> str:
        party, visibility = self.new(), "shared" if shared else "office"
        made = f"{self.day(365 * YEARS, 30).isoformat()} 08:{self.random.randint(0, 59):02d}:00.000000"
        reference = self.reference(office, "PA", int(made[:4]))
        self.sink.add("parties", party, office.id, visibility, reference, form, name, fold(name), country or None, made)
        for kind in dict.fromkeys(kinds):
            self.sink.add("party_kinds", self.new(), office.id, visibility, party, kind)
        if form != "person" and self.random.random() < 0.4:
            short = "".join(part[0] for part in name.split() if part).upper()[:8]
            if short:
                self.sink.add("party_names", self.new(), office.id, visibility, party, "acronym", short, fold(short) or short)
        self.known[party] = name
        self.audit(office, "parties", party, made, office.users[0])
        return party

    def _organisation_name(self, office: Office, number: int) -> str:
        pattern = self.random.choice(words.ORGANISATIONS)
        return f"{pattern.format(place=office.place, word=self.random.choice(words.WORDS))} {number}"

    def _shared_parties(self) -> None:
        hq = self.offices[0]
        count = min(round(PARTIES * SHARED), max(round(400 * min(1.0, self.scale * 50)), round(PARTIES * self.scale * SHARED), 20))
        for number in range(count):
            is_donor = number % 4 == 0 or (number % 2 == 0 and count < 1000)  # few offices share about as many donors as many do
            name = f"Government of {self.random.choice(words.WORDS)} {number}" if is_donor else self._organisation_name(hq, number)
            kinds = ["donor", "government"] if is_donor else [self.random.choice(("un-agency", "ngo", "pooled-fund", "private-sector"))]
            party = self._party(hq, "organisation", name, kinds, shared=True)
            self.shared.append(party)
            if is_donor:
                self.donors.append(party)

    def _parties(self, office: Office) -> None:
        count = max(12, round((PARTIES * self.scale - len(self.shared)) / (len(self.offices) - 1)))
        if not office.is_typical:
            count = max(12, round(count * self.random.uniform(0.4, 1.6)))
        for number in range(count * 3 // 10):
            kinds = ["donor", "private-sector"] if number % 12 == 0 else [self.random.choice(KINDS[5:])]
            form = "group" if number % 9 == 8 else "organisation"
            party = self._party(office, form, self._organisation_name(office, number), kinds, country=office.country)
            office.organisations.append(party)
            if kinds[0] == "donor":
                office.donors.append(party)
        for _number in range(count - len(office.organisations)):
            kinds = [self.random.choice(KINDS[:5])] + ([self.random.choice(KINDS[5:])] if self.random.random() < 0.2 else [])
            name = self._person_name()
            party = self._party(office, "person", name, kinds, country=office.country)
            office.people.append(party)
            position = self.new()
            organisation = self.skewed(office.organisations)
            self.sink.add("positions", position, office.id, "office", organisation, self.random.choice(words.TITLES))
            since = self.day(365 * 5, 60)
            ended = since + timedelta(days=30) if self.random.random() < 0.1 else None
            self.sink.add(
                "tenures", self.new(), office.id, "office", position, party, since.isoformat(), ended.isoformat() if ended else None
            )
            self.sink.add("channels", self.new(), office.id, party, "email", f"person{len(office.people)}@{office.code.lower()}.example")
        office.anchor = office.people[-1]

    # programmes and asks

    def _programmes(self) -> None:
        countries = self.offices[1:]
        for number in range(max(len(countries), round(PROGRAMMES * self.scale))):
            office = countries[number % len(countries)]
            programme, starts = self.new(), date(self.today.year - 3, 1, 1)
            office.programmes.append(programme)
            title = f"{self.random.choice(words.PROGRAMMES)}, {office.place} {number}"
            self.sink.add(
                "programmes", programme, office.id, self.reference(office, "PR", starts.year), title, "12220", starts.isoformat(),
                date(self.today.year + 2, 12, 31).isoformat(), "USD",
            )  # fmt: skip
            for code in ("3", "4"):
                self.sink.add("programme_tags", self.new(), office.id, programme, "sdg-goal", code)
            office.outputs[programme] = [self.new() for _title in words.OUTPUTS]
            for place, (output, name) in enumerate(zip(office.outputs[programme], words.OUTPUTS, strict=True), 1):
                self.sink.add("outputs", output, office.id, programme, place, name)
            for year in range(self.today.year - 2, self.today.year + 2):
                for version in (1, 2):
                    self.sink.add(
                        "requirements", self.new(), office.id, programme, year, version, self.random.randint(10, 900) * 10**7, "USD"
                    )
            for name in words.OUTPUTS[:3]:
                indicator = self.new()
                self.sink.add(
                    "indicators", indicator, office.id, programme, f"{name}: share of districts", "%", "20", starts.isoformat(), "90",
                    date(self.today.year + 1, 12, 31).isoformat(),
                )  # fmt: skip
                for step in range(6):
                    on = starts + timedelta(days=180 * step)
                    self.sink.add("measurements", self.new(), office.id, indicator, on.isoformat(), str(20 + 8 * step))

    def _asks(self) -> None:
        for office in self.offices[1:]:
            for number in range(max(5, round(INTERACTIONS * self.scale * 0.02 / len(self.offices)))):
                ask, made = self.new(), self.day(365 * 4, 10)
                by_when = made + timedelta(days=self.random.randint(30, 500))
                level = "office" if self.random.random() < 0.1 else "open"
                closed = by_when.isoformat() if by_when < self.today and self.random.random() < 0.7 else None
                is_money = number % 2 == 0
                self.sink.add(
                    "asks", ask, office.id, level, self.reference(office, "AS", made.year), self.skewed(office.people),
                    self.random.choice(words.ASKS), by_when.isoformat(), 50_000_000 if is_money else None, "USD" if is_money else None,
                    self.random.choice(office.programmes) if office.programmes else None, closed, "Answered" if closed else "",
                    f"{made.isoformat()} 09:00:00.000000",
                )  # fmt: skip
                office.asks.append((ask, level))

    # interactions

    def _interactions(self) -> None:
        """All offices mixed, in the order in which they were typed, as years of use would leave them on disk: what is planned was
        typed in the weeks before today, between contacts that were held then."""
        countries = self.offices[1:]
        total = round(INTERACTIONS * self.scale)
        sizes = list(itertools.accumulate(len(office.people) + len(office.organisations) for office in countries))
        span = 365 * YEARS * 86_400
        begin = datetime.combine(self.today, datetime.min.time()) - timedelta(seconds=span)
        ahead = 45 * 86_400
        drawn = []
        for _number in range(total):
            place = bisect.bisect_right(sizes, self.random.random() * sizes[-1])
            seconds = self.random.randint(0, span + ahead)
            typed = seconds if seconds <= span else span - self.random.randint(0, ahead)
            drawn.append((typed, seconds, place))
        drawn.sort()
        of_office: dict[int, int] = defaultdict(int)
        for _typed, _at, place in drawn:
            of_office[place] += 1
        every = {place: max(1, count // ANCHOR_CONTACTS) for place, count in of_office.items()}
        seen: dict[int, int] = defaultdict(int)
        for typed, seconds, place in drawn:
            office = countries[place]
            seen[place] += 1
            is_anchor = seen[place] % every[place] == 0 and seen[place] // every[place] <= ANCHOR_CONTACTS
            self._interaction(
                office,
                begin + timedelta(seconds=seconds),
                typed=begin + timedelta(seconds=typed),
                is_future=seconds > span,
                party=office.anchor if is_anchor else "",
            )

    def _interaction(self, office: Office, at: datetime, *, typed: datetime, is_future: bool, party: str) -> None:
        draw, choose = self.random.random, self.random.choice
        if not party:
            if draw() < 0.15:
                party = self.skewed(self.shared)
            elif draw() < 0.3:
                party = self.skewed(office.organisations)
            else:
                party = office.people[int((len(office.people) - 1) * draw() ** 1.6)]  # never the anchor, which comes last
        interaction, level = self.new(), "office" if draw() < 0.1 else "open"
        state = "planned" if is_future else "cancelled" if draw() < 0.03 else "held"
        moment = f"{at:%Y-%m-%d %H:%M}:00.000000"
        written = moment if state == "held" and draw() < 0.9 else None
        ask = choose(office.asks) if draw() < 0.1 else None
        if ask is not None and ask[1] == "office":
            level = "office"
        user = office.users[int(len(office.users) * draw())]
        summary = " ".join(choose(words.SENTENCES) for _n in range(3)) if written else ""
        self.sink.add(
            "interactions", interaction, office.id, level, self.reference(office, "IN", at.year),
            choose(("meeting", "meeting", "call", "visit", "letter", "event")), state, moment, 45, party, choose(words.PURPOSES),
            ask[0] if ask else None, None, summary, "They asked for another day" if state == "cancelled" else "", written,
            f"{typed.date().isoformat()} 10:00:00.000000", user,
        )  # fmt: skip
        self.sink.add("participants", self.new(), office.id, level, interaction, 1, "theirs", party, None, self.known[party], "Director")
        self.sink.add("participants", self.new(), office.id, level, interaction, 2, "ours", None, user, self.known[user], "")
        self.audit(office, "interactions", interaction, f"{typed:%Y-%m-%d %H:%M}:00.000000", user, level)
        if is_future:
            return
        if ask is not None and state == "held" and draw() < 0.3:
            answer = choose(("yes", "part", "no", "none"))
            self.sink.add("ask_answers", self.new(), office.id, level, ask[0], interaction, answer, "They will see", moment)
        if draw() < 0.1:
            due = at.date() + timedelta(days=14)
            done = due.isoformat() if draw() < 0.85 and due < self.today else None
            text = choose(words.FOLLOW_UPS)
            self.sink.add("follow_ups", self.new(), office.id, level, text, due.isoformat(), user, party, interaction, done, moment)
        if draw() < 0.05:
            due = at.date() + timedelta(days=120)
            is_done = due < self.today and draw() < 0.6
            self.sink.add(
                "commitments", self.new(), office.id, level, self.reference(office, "CO", at.year), choose(("theirs", "theirs", "ours")),
                choose(("in-kind", "law-policy", "service", "access")), party, choose(words.PROMISES), at.date().isoformat(), due.isoformat(),
                interaction, None, choose(("kept", "part", "broken")) if is_done else None, due.isoformat() if is_done else None, moment, user,
            )  # fmt: skip
        if draw() < 0.05:
            self.sink.add("notes", self.new(), office.id, level, None, interaction, choose(words.SENTENCES), moment, user)

    # money

    def _pledges(self) -> None:
        countries = self.offices[1:]
        sizes = list(itertools.accumulate(len(office.people) for office in countries))
        drawn = []
        for _number in range(round(PLEDGES * self.scale)):
            place = bisect.bisect_right(sizes, self.random.random() * sizes[-1])
            drawn.append((self.random.randint(1, 365 * YEARS), place))
        drawn.sort(reverse=True)
        for days_ago, place in drawn:
            Chain(self, countries[place], self.today - timedelta(days=days_ago)).write()

    def _counters(self) -> None:
        ids = {office.code: office.id for office in self.offices}
        for number, ((code, kind, year), last) in enumerate(sorted(self._references.items()), 1):
            self.sink.add("reference_counters", number, ids[code], kind, year, last)


class Chain:
    """A pledge and all that became of it, its sums as the services would have left them (M2, M3, M7, M12)."""

    def __init__(self, world: World, office: Office, on: date) -> None:
        self.world, self.office, self.on, self.today = world, office, on, world.today
        self.random, self.add, self.new = world.random, world.sink.add, world.new
        names = [entry[0] for entry in CURRENCIES]
        self.currency = self.random.choices(names, weights=[entry[1] for entry in CURRENCIES])[0]
        self.rate = next(entry[2] for entry in CURRENCIES if entry[0] == self.currency)
        units = self.random.choice((50, 100, 250, 500, 1000, 2500, 10_000)) * self.random.randint(1, 9) * 1000
        self.amount = to_minor(Money(units, self.currency))
        self.donor = (
            world.skewed(world.donors, 2.0) if self.random.random() < 0.8 or not office.donors else self.random.choice(office.donors)
        )
        self.programme = self.random.choice(office.programmes) if office.programmes and self.random.random() < 0.7 else None
        self.user = self.random.choice(office.users)
        self.pledge = self.new()

    def write(self) -> None:
        later = self.on + timedelta(days=self.random.randint(20, 250))
        later = min(later, self.today)
        draw = self.random.random()
        terms: list[tuple[str, str, date, int, str | None, str | None, str | None]] = []
        first = self.new()
        terms.append((first, "announced", self.on, self.amount, None, None, None))
        outstanding, converted = self.amount, 0
        matched_first = 0
        if draw < 0.33:
            pass
        elif draw < 0.42:
            more = self.amount // 5
            terms.append((self.new(), "uplift", later, more, None, None, None))
            outstanding += more
        elif draw < 0.46:
            terms.append((self.new(), "lapse", later, -self.amount, None, None, None))
            outstanding = 0
        elif draw < 0.49:
            cut = self.new()
            terms.append((cut, "reduction", later, -(self.amount // 4), None, None, None))
            terms.append((self.new(), "reversal", later, self.amount // 4, None, None, cut))
        elif draw < 0.95:
            part = self.amount if self.random.random() < 0.6 else self.amount // 2
            agreement = self._agreement(part, later)
            terms.append((self.new(), "conversion", later, -part, agreement, None, None))
            outstanding, converted = self.amount - part, part
        else:
            receipt = self._receipt(None, self.pledge, later, self.amount)
            terms.append((self.new(), "conversion", later, -self.amount, None, receipt, None))
            outstanding, converted, matched_first = 0, self.amount, self.amount
            self._paying_pledge = receipt
        due = self._plans(terms, matched_first)
        created = f"{self.on.isoformat()} 11:00:00.000000"
        reference = self.world.reference(self.office, "CO", self.on.year)
        self.add(
            "commitments", self.pledge, self.office.id, "open", reference, "theirs", "financial", self.donor, "We will support the programme",
            self.on.isoformat(), due, None, self.programme, None, None, created, self.user,
        )  # fmt: skip
        self.add(
            "pledges", self.pledge, self.office.id, self.world.reference(self.office, "PL", self.on.year), self.donor, self.programme,
            self.on.isoformat(), self.random.choice(words.EVENTS), self.currency, self.amount, outstanding, converted, due, len(terms),
            created, self.user,
        )  # fmt: skip
        self.world.audit(self.office, "pledges", self.pledge, created, self.user)

    def _plans(self, terms: list[tuple[str, str, date, int, str | None, str | None, str | None]], matched_first: int) -> str | None:
        """The versions of a pledge's terms with their plans; the next due day of the last."""
        outstanding, due = 0, None
        for version, (key, kind, on, change, agreement, receipt, reverses) in enumerate(terms, 1):
            outstanding += change
            reason = "" if version == 1 else "As agreed in writing"
            self.add(
                "pledge_terms",
                key,
                self.office.id,
                self.pledge,
                version,
                kind,
                on.isoformat(),
                change,
                reason,
                agreement,
                receipt,
                reverses,
            )
            is_last = version == len(terms)
            days = self._instalments(outstanding, on)
            for place, (minor, day, when) in enumerate(days, 1):
                part, instalment = min(minor, matched_first), self.new()
                matched_first -= part
                self.add(
                    "instalments", instalment, self.office.id, key, None, place, day.isoformat() if day else None, when, minor, self.currency,
                    part, int(is_last),
                )  # fmt: skip
                if part:
                    self.add(
                        "receipt_matches",
                        self.new(),
                        self.office.id,
                        self._paying_pledge,
                        instalment,
                        part,
                        f"{on.isoformat()} 12:00:00.000000",
                    )
            if is_last:
                due = min((day.isoformat() for _minor, day, _when in days if day), default=None)
        return due

    def _instalments(self, minor: int, on: date) -> list[tuple[int, date | None, str]]:
        if not minor:
            return []
        parts = split(minor, [1] * self.random.randint(1, 4))
        step = self.random.randint(60, 240)
        found: list[tuple[int, date | None, str]] = [
            (part, on + timedelta(days=15 + step * place), "") for place, part in enumerate(parts) if part
        ]
        if self.random.random() < 0.1:
            found[-1] = (found[-1][0], None, "after the mid-term report")
        return found

    def _receipt(self, agreement: str | None, pledge: str | None, on: date, minor: int, reverses: str | None = None) -> str:
        receipt = self.new()
        self.add(
            "receipts", receipt, self.office.id, self.world.reference(self.office, "RC", on.year), self.donor, agreement, pledge, on.isoformat(),
            minor, self.currency, None if self.currency == "USD" else self._usd(minor), "Sent twice" if reverses else "", reverses,
            f"{on.isoformat()} 12:00:00.000000",
        )  # fmt: skip
        return receipt

    def _usd(self, minor: int) -> int:
        """What the bank credited, in cents."""
        scale = 1 if self.currency == "JPY" else 100
        found = round(abs(minor) / scale * self.rate * 100)
        return found if minor > 0 else -found

    def _agreement(self, minor: int, on: date) -> str:
        agreement, first, office = self.new(), self.new(), self.office
        versions = [(first, "signed", on, minor)]
        value = minor
        if self.random.random() < 0.08 and on + timedelta(days=20) <= self.today:
            versions.append((self.new(), "amendment", on + timedelta(days=20), minor // 10))
            value += minor // 10
        rows: list[list[Any]] = []
        held = 0
        for version, (key, kind, day, change) in enumerate(versions, 1):
            held += change
            self.add(
                "agreement_terms", key, office.id, agreement, version, kind, day.isoformat(), change, "" if version == 1 else "More need"
            )
            for place, (part, due, when) in enumerate(self._instalments(held, day), 1):
                rows.append([self.new(), key, place, due, when, part, 0, version == len(versions)])
        plan = [row for row in rows if row[7]]
        received, usd, last = self._money_in(agreement, plan, versions[-1][2])
        for key, terms, place, due, when, part, matched, is_current in rows:
            self.add(
                "instalments", key, office.id, None, terms, place, due.isoformat() if due else None, when, part, self.currency, matched,
                int(is_current),
            )  # fmt: skip
        next_due = min((row[3].isoformat() for row in plan if row[3] and row[6] < row[5]), default=None)
        self.add(
            "agreements", agreement, office.id, self.world.reference(office, "AG", on.year), self.donor, self.pledge,
            f"{self.random.choice(words.PROGRAMMES)} {on.year}", on.isoformat(), on.isoformat(), (on + timedelta(days=900)).isoformat(), self.currency,
            self.random.choice((None, "A", "D", "F")), value, received, next_due, len(versions), f"{on.isoformat()} 11:30:00.000000",
        )  # fmt: skip
        if office.programmes and self.random.random() < 0.4:
            self._lines(agreement, value)
        if received and usd and office.programmes and self.random.random() < 0.5:
            self._allocate(agreement, usd, last)
        return agreement

    def _money_in(self, agreement: str, plan: list[list[Any]], since: date) -> tuple[int, int, date]:
        """Receipts for most of what was due; they pay the oldest due first."""
        received = usd = 0
        last = since
        for row in plan:
            due, part = row[3], row[5]
            if due is None or due > self.today or self.random.random() < 0.15:
                continue
            on = min(self.today, max(last, due + timedelta(days=self.random.randint(-5, 25))))
            for amount in split(part, [1, 1]) if self.random.random() < 0.2 else [part]:
                receipt = self._receipt(agreement, None, on, amount)
                received += amount
                usd += amount if self.currency == "USD" else self._usd(amount)
                last = on
                self._match(receipt, amount, plan, on)
            if self.random.random() < 0.01:
                wrong = self._receipt(agreement, None, on, part)
                self._receipt(agreement, None, on, -part, wrong)
        return received, usd, last

    def _match(self, receipt: str, credit: int, plan: list[list[Any]], on: date) -> None:
        for row in sorted(plan, key=lambda entry: (entry[3] or date.max, entry[2])):
            part = min(credit, row[5] - row[6])
            if part > 0:
                self.add("receipt_matches", self.new(), self.office.id, receipt, row[0], part, f"{on.isoformat()} 12:00:00.000000")
                row[6] += part
                credit -= part

    def _lines(self, agreement: str, value: int) -> None:
        chosen = self.random.sample(self.office.programmes, min(2, len(self.office.programmes)))
        for programme, part in zip(chosen, split(value, [1] * len(chosen)), strict=True):
            output = self.random.choice(self.office.outputs[programme])
            self.add("agreement_budget_lines", self.new(), self.office.id, agreement, programme, output, part, self.currency)

    def _allocate(self, agreement: str, usd: int, on: date) -> None:
        total = int(usd / 1.08 * 0.9)
        for part in split(total, [2, 1]) if total > 10 else []:
            programme = self.random.choice(self.office.programmes)
            self.add(
                "allocations", self.new(), self.office.id, self.world.reference(self.office, "AL", on.year), agreement, programme,
                self.random.choice(self.office.outputs[programme]), on.isoformat(), part, "USD",
            )  # fmt: skip


# --- building ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Built:
    """A database that is ready to be measured."""

    url: str
    seconds: float
    counts: dict[str, int]
    day: str


def migrate(url: str) -> None:
    """Bring an empty database to the newest revision."""
    with tempfile.TemporaryDirectory(prefix="throughline-bench-") as folder:
        app = create_app(load({"APP_ENV": "testing", "DATABASE_URL": url, "INSTANCE_PATH": folder, **KEYS}))
        with app.app_context():
            upgrade(directory=str(ROOT / "crm" / "migrations"))
            for engine in app.extensions["sqlalchemy"].engines.values():
                engine.dispose()


def new_database(base: str, name: str) -> str:
    """An empty database of our own on a PostgreSQL server; its address."""
    plain = make_url(base).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0'.encode())
    return make_url(base).set(database=name).render_as_string(hide_password=False)


@contextlib.contextmanager
def words_indexed_after(url: str) -> Iterator[None]:
    """A million rows one after the other into an index of words took PostgreSQL over half an hour: it is made when all are there."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        made = connection.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_search_tokens_tsv'").fetchone()
        if made is None:
            message = "the index of words has another name now"
            raise RuntimeError(message)
        connection.execute("DROP INDEX ix_search_tokens_tsv")
        yield
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute(str(made[0]).encode())


def vacuum(url: str) -> None:
    """What a PostgreSQL server does by itself after a while: statistics, and a map of what all may see."""
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def server_version(url: str) -> str:
    """What a PostgreSQL server calls its version."""
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        return str(connection.execute("SHOW server_version").fetchone()[0]).split()[0]  # type: ignore[index]


def fill(url: str, scale: float, seed: int = 7, today: date | None = None) -> Built:
    """Migrate the empty database at `url` and put the data set in."""
    began, day = time.monotonic(), today or datetime.now(UTC).date()
    migrate(url)
    sink: Sink = SqliteSink(Path(make_url(url).database or "")) if url.startswith("sqlite") else PostgresSink(url)
    World(sink, scale, seed, day).build()
    sink.finish()
    with contextlib.nullcontext() if url.startswith("sqlite") else words_indexed_after(url):
        migrate(url)  # as before every start: search words, keys of possible duplicates; SQLite gets its statistics
    if not url.startswith("sqlite"):
        vacuum(url)
    return Built(url, time.monotonic() - began, dict(sink.counts), day.isoformat())


def fingerprint() -> str:
    """Changes with the tables and with this generator."""
    digest = hashlib.sha256()
    words = ROOT / "crm" / "queries" / "words.py"  # what the index of words is made of
    for path in sorted([words, *(ROOT / "crm" / "migrations" / "versions").glob("*.py"), *Path(__file__).parent.glob("[dw]*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def sqlite_file(folder: Path, scale: float, seed: int) -> tuple[Path, Built]:
    """The built SQLite file, kept in `folder` for the day it was built on (what is late depends on the day)."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{scale:g}-{seed}-{fingerprint()}.sqlite3"
    note = path.with_suffix(".json")
    today = datetime.now(UTC).date()
    if path.exists() and note.exists():
        known = Built(**json.loads(note.read_text()))
        if known.day == today.isoformat():
            return path, known
    for stale in _stale(folder, scale, seed):
        stale.unlink()
    made = path.with_suffix(".part")
    built = fill(f"sqlite:///{made}", scale, seed, today)
    for suffix in ("-wal", "-shm"):
        Path(f"{made}{suffix}").unlink(missing_ok=True)
    made.rename(path)
    built = Built(f"sqlite:///{path}", built.seconds, built.counts, built.day)
    note.write_text(json.dumps(built.__dict__))
    return path, built


def _stale(folder: Path, scale: float, seed: int) -> Iterator[Path]:
    yield from folder.glob(f"{scale:g}-{seed}-*")
