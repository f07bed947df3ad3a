"""New records are in currencies that are in use; what is on record in a withdrawn one stays, and is carried on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select
from wtforms import Form as WtForm

from crm.data import currencies
from crm.db import db
from crm.errors import Invalid
from crm.forms.money_fields import currency_field, offer_currencies
from crm.jobs import imports
from crm.models.asks import Ask
from crm.models.flows import Flow
from crm.models.offices import Office
from crm.models.pledges import Agreement, Pledge
from crm.models.programmes import Programme
from crm.money import Money
from crm.services import agreements, asks, offices, programmes
from tests.commands.test_verify import break_it
from tests.factories import fts
from tests.factories import money as made

JUNE = date(2023, 6, 1)


def marks(amount: int = 100) -> Money:
    return Money(Decimal(amount), "DEM")


def refused(do):
    with pytest.raises(Invalid) as refusal:
        do()
    db.session.rollback()
    assert "DEM is no longer in use" in " ".join(refusal.value.errors["currency"])


@pytest.fixture
def grants(acting):
    return acting("grants")


@pytest.fixture
def donor(grants):
    return made.donor(grants)


def test_nothing_new_is_recorded_in_a_withdrawn_currency(grants, donor):
    at = {"donor_id": donor, "office_id": made.office()}
    refused(lambda: made.pledge(grants, donor, marks()))
    refused(lambda: made.agreement(grants, marks(), **at))
    refused(lambda: made.receipt(grants, marks(), JUNE, **at))
    refused(lambda: asks.create_ask(grants, asks.NewAsk(made.office(), donor, "Give.", amount=marks())))
    refused(lambda: made.programme(grants, currency="DEM"))
    programme = made.programme(grants)
    change = programmes.ProgrammeInput(title="x", office_id=made.office(), starts_on=JUNE, currency="DEM")
    refused(lambda: programmes.edit_programme(grants, programme, change, version=1))


def test_an_office_is_not_set_up_in_one(acting):
    admin = acting("admin")
    new = offices.NewOffice("ZZZ", "New", "country", made.office("HQ"), "DEM", "UTC")
    refused(lambda: offices.create_office(admin, new))
    marks_there = offices.OfficeInput("Jordan", "DEM", "USD", "Asia/Amman")
    refused(lambda: offices.change_office(admin, made.office(), marks_there, version=1))
    break_it(Office, made.office(), currency="DEM")
    offices.change_office(admin, made.office(), marks_there, version=1)


def test_what_is_on_record_in_one_is_still_changed_signed_and_paid(grants, donor):
    pledge_id = made.pledge(grants, donor)
    break_it(Pledge, pledge_id, currency="DEM")
    db.session.expire_all()
    agreement_id = made.agreement(grants, marks(5), pledge_id=pledge_id)
    assert db.session.get_one(Agreement, agreement_id).currency == "DEM"
    assert made.receipt(grants, marks(2), JUNE, agreement_id=agreement_id)
    assert agreements.amend_agreement(grants, agreement_id, agreements.Amendment(marks(1), JUNE, "more"))
    ask = asks.create_ask(grants, asks.NewAsk(made.office(), donor, "Give.", amount=made.eur(5)))
    break_it(Ask, ask, currency="DEM")
    asks.edit_ask(grants, ask, asks.NewAsk(made.office(), donor, "Give more.", amount=marks(6)), 2)
    programme = made.programme(grants)
    break_it(Programme, programme, currency="DEM")
    change = programmes.ProgrammeInput(title="Other", office_id=made.office(), starts_on=JUNE, currency="DEM")
    programmes.edit_programme(grants, programme, change, version=2)
    assert db.session.get_one(Programme, programme).title == "Other"


def test_what_others_reported_long_ago_is_still_imported(grants):
    """A flow of FTS is what others published, in the currency of its day; it is never our record."""
    data = fts.file_of({"originalAmount": "1000", "originalCurrency": "DEM", "exchangeRate": ""})
    imports.import_file(grants, grants.home_office_id, "fts", "x.csv", data)
    assert db.session.scalars(select(Flow.original_currency)).all() == ["DEM"]


def test_units_that_no_donor_pays_in_are_not_offered_and_still_taken(grants, donor):
    class Form(WtForm):
        currency = currency_field()

    form = Form()
    offer_currencies(form.currency, ("JOD",))
    offered = {choice.value for choice in form.currency.choices}
    assert {"JOD", "USD", "CHF", "XAF", "XOF"} <= offered
    units = {"BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW", "XDR"}
    assert units <= currencies().keys()
    assert not units & offered
    made.pledge(grants, donor, Money(Decimal(100), "XDR"))
    offer_currencies(form.currency, ("XDR",))
    assert "XDR" in {choice.value for choice in form.currency.choices}, "what a record is in stays to be chosen"
