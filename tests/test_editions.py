"""What all share is read once by a process while it stays as it is: every change is seen at once, by whoever made it and by all others."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import create_engine, select, update
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from crm import editions
from crm.db import db, savepoint, transactional, writing
from crm.models.codes import PARTY_KINDS, Code
from crm.models.editions import CODES, NAMES, OFFICES, RATES, Edition
from crm.models.offices import Office
from crm.policy import offices_by_id, unscoped
from crm.queries import codes
from crm.queries.rates import RateBook
from crm.services.rates import apply_sheets
from tests.factories import money as made
from tests.factories.counting import count_statements

DAY = date(2024, 5, 2)


@dataclass(frozen=True)
class Sheet:
    """What a source quotes for a day."""

    quotes: dict[str, Decimal]
    source: str = "ECB"
    base: str = "EUR"
    on: date = DAY
    numbers: dict[str, int] = field(default_factory=dict)


@transactional
def rename(label: str) -> None:
    """Another name for the first kind of party."""
    db.session.scalars(select(Code).where(Code.list_name == PARTY_KINDS, Code.code == "donor")).one().label = label


def called() -> str:
    """What a request of its own finds the kind to be called."""
    db.session.remove()
    with unscoped("test"):
        found = codes.label(PARTY_KINDS, "donor")
    db.session.rollback()
    return found


def rate_of(currency: str = "SEK") -> Decimal | None:
    """The rate that a request of its own finds."""
    db.session.remove()
    with unscoped("test"):
        found = RateBook("EUR", [(currency, DAY)]).find(currency, DAY)
    db.session.rollback()
    return None if found is None else found.legs[0].value


def numbers() -> dict[str, object]:
    db.session.rollback()
    with unscoped("test"):
        found = dict(db.session.execute(select(Edition.name, Edition.number)).all())
    db.session.rollback()
    return found


def test_rates_that_are_kept_are_of_one_pair(acting):
    """A process keeps what it found; offices report in several currencies, from the same sheets."""
    made.ecb(acting("grants"), since=DAY - timedelta(days=9))
    needed = [("GBP", DAY)]
    to = {code: RateBook(code, needed).find("GBP", DAY) for code in ("EUR", "USD", "SEK")}
    assert {code: rate.to for code, rate in to.items()} == {"EUR": "EUR", "USD": "USD", "SEK": "SEK"}
    assert len({rate.value for rate in to.values()}) == 3
    assert {code: RateBook(code, needed).find("GBP", DAY) for code in to} == to


def test_no_more_rates_are_kept_than_a_process_has_room_for(acting, monkeypatch):
    monkeypatch.setattr("crm.queries.rates._MOST_KNOWN", 3)
    made.ecb(acting("grants"), since=DAY - timedelta(days=9))
    book = RateBook("USD", [("GBP", DAY)])
    for currency in ("GBP", "SEK", "JPY", "NOK", "CHF", "GBP"):
        assert book.find(currency, DAY).base == currency
        assert len(book._known) <= 3


def test_every_kind_has_a_number(context):
    assert sorted(numbers()) == sorted(NAMES)


def test_a_list_is_read_once_and_again_after_a_change(app, context, acting):
    acting("admin")
    before = called()
    with count_statements(app) as sent:
        assert called() == before
    assert not any("FROM codes" in " ".join(text.split()) for text in sent.texts)
    rename("Giver")
    assert called() == "Giver"
    rename(before)
    assert called() == before


def test_a_change_that_was_rolled_back_is_seen_by_nobody(context, acting):
    acting("admin")
    before, known = called(), numbers()

    @transactional
    def fail() -> None:
        rename("Giver")
        db.session.flush()
        assert codes.label(PARTY_KINDS, "donor") in {"Giver", before}
        message = "on purpose"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError):
        fail()
    assert numbers() == known
    assert called() == before


def test_inside_a_transaction_that_changes_them_they_are_read_anew(context, acting):
    acting("admin")
    before = called()

    @transactional
    def change() -> list[str]:
        found = []
        office = db.session.scalars(select(Office).order_by(Office.code)).first()
        office.timezone = "Asia/Tokyo"
        db.session.flush()
        found.append(offices_by_id()[office.id].timezone)
        with suppress(RuntimeError), savepoint():
            office.timezone = "Asia/Amman"
            db.session.flush()
            found.append(offices_by_id()[office.id].timezone)
            raise RuntimeError
        found.append(offices_by_id()[office.id].timezone)
        office.timezone = "Europe/Paris"
        db.session.flush()
        found.append(offices_by_id()[office.id].timezone)
        return found

    assert change() == ["Asia/Tokyo", "Asia/Amman", "Asia/Tokyo", "Europe/Paris"]
    assert next(iter(offices_by_id().values())).timezone == "Europe/Paris"
    assert called() == before, "one kind's change leaves the others"


def test_only_what_was_changed_gets_a_new_number(context, acting):
    acting("admin")
    before = numbers()
    rename("Giver")
    after = numbers()
    assert {name for name in NAMES if before[name] != after[name]} == {CODES}
    apply_sheets(acting("grants"), [Sheet({"SEK": Decimal("11.5")})])
    last = numbers()
    assert {name for name in NAMES if after[name] != last[name]} == {RATES}
    apply_sheets(acting("grants"), [Sheet({"SEK": Decimal("11.5")})])
    assert numbers() == last, "the same file twice changes nothing"


def test_rates_are_read_again_after_new_ones(context, acting):
    actor = acting("grants")
    assert rate_of() is None
    apply_sheets(actor, [Sheet({"SEK": Decimal("11.5")})])
    assert rate_of() == Decimal("11.5")
    apply_sheets(acting("grants"), [Sheet({"NOK": Decimal("11.9")})])
    assert (rate_of(), rate_of("NOK")) == (Decimal("11.5"), Decimal("11.9"))


def test_a_statement_for_many_records_counts_as_a_change(context, acting):
    acting("admin")
    called()
    known = numbers()

    @transactional
    def all_at_once() -> None:
        db.session.execute(update(Code).where(Code.list_name == PARTY_KINDS, Code.code == "donor").values(label="Giver"))

    all_at_once()
    assert numbers()[CODES] != known[CODES]
    assert called() == "Giver"


def test_what_another_process_changed_is_seen_at_the_next_request(context, acting, settings_environ):
    """It writes by a connection of its own, and what this process keeps cannot know of it but by the number."""
    acting("admin")
    before = called()
    engine = create_engine(settings_environ["DATABASE_URL"], poolclass=NullPool)
    with writing(), Session(engine, info={"tl_free": True}) as other, unscoped("another process"):
        other.execute(update(Code).where(Code.list_name == PARTY_KINDS, Code.code == "donor").values(label="Giver"))
        assert called() == before, "it has not saved"
        other.commit()
    engine.dispose()
    assert called() == "Giver"


def test_a_session_of_several_transactions_sees_each_change(context, acting, settings_environ):
    """As a worker's does: what another process changed in between, and nothing that it took back itself."""
    acting("admin")
    before = codes.label(PARTY_KINDS, "donor")
    db.session.rollback()
    engine = create_engine(settings_environ["DATABASE_URL"], poolclass=NullPool)
    with writing(), Session(engine, info={"tl_free": True}) as other, unscoped("another process"):
        other.execute(update(Code).where(Code.list_name == PARTY_KINDS, Code.code == "donor").values(label="Giver"))
        other.commit()
    engine.dispose()
    assert codes.label(PARTY_KINDS, "donor") == "Giver" != before

    @transactional
    def fail() -> None:
        rename("Never saved")
        db.session.flush()
        codes.forget()
        assert codes.label(PARTY_KINDS, "donor") == "Never saved"
        message = "on purpose"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError):
        fail()
    assert codes.label(PARTY_KINDS, "donor") == "Giver"


def test_what_changed_while_it_was_read_is_not_kept(context, acting, settings_environ):
    acting("admin")
    name, known = called(), numbers()
    editions.renew()
    engine = create_engine(settings_environ["DATABASE_URL"], poolclass=NullPool)
    read = []

    def slow() -> str:
        """Reads, and before it is done somebody else changes what it read."""
        read.append(codes._read(PARTY_KINDS, "en")["donor"].label)
        if len(read) == 1:
            db.session.rollback()  # SQLite has one writer, and readers keep what they saw: their next transaction sees it
            with writing(), Session(engine, info={"tl_free": True}) as other:
                other.execute(update(Code).where(Code.list_name == PARTY_KINDS, Code.code == "donor").values(label="Giver"))
                other.commit()
        return read[-1]

    with unscoped("test"):
        db.session.rollback()
        assert editions.shared(CODES, "slow", slow) == name
        db.session.rollback()
        assert editions.shared(CODES, "slow", slow) == "Giver"
        assert editions.shared(CODES, "slow", slow) == "Giver"
    engine.dispose()
    assert len(read) == 2
    assert known[OFFICES] != numbers()[OFFICES], "renew() gives all kinds new numbers"


def test_few_numbers_are_kept(context, acting):
    acting("admin")
    for turn in range(5):
        rename(f"Giver {turn}")
        assert called() == f"Giver {turn}"
    assert len(editions._kept[CODES]) <= 2


def test_without_a_number_nothing_is_kept(context, acting):
    acting("admin")

    @transactional
    def forget() -> None:
        for row in db.session.scalars(select(Edition)):
            db.session.delete(row)

    forget()
    before = called()
    rename("Giver")
    assert (before, called()) == ("Donor", "Giver")
