"""P4 and P5 in spreadsheets: hostile cells of every kind of list come in as they stand, go out inert, and come back unchanged."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import select

from crm.db import db
from crm.jobs import imports
from crm.models.interactions import FollowUp, Interaction
from crm.models.notes import Note
from crm.models.parties import Channel, Party, Position, Tenure
from crm.models.pledges import Pledge, Receipt
from crm.models.programmes import Programme, Requirement
from crm.queries import imports as held
from crm.queries.names import fold
from crm.web.saved_lists import LISTINGS
from tests.factories import money
from tests.factories.naughty import NAUGHTY
from tests.factories.parties import make
from tests.factories.tables import cells_of_csv, cells_of_xlsx, csv_of, xlsx_of
from tests.jobs.test_sheets import bring, counts, reasons


def told_apart(texts):
    """The texts, those that are one name to the comparison of names told apart by a word behind."""
    seen = set()
    for place, text in enumerate(texts):
        is_known = fold(text) in seen
        seen.add(fold(text))
        yield f"{text} {'abcdefghijklmnopqrstuvwxyz'[place % 26] * 3}" if is_known else text


TEXTS = (*told_apart(NAUGHTY), "\ufeffmark")


def days(place):
    return f"2026-{place // 28 + 1:02}-{place % 28 + 1:02}"


def parties(place, text):
    return {"Name": text, "Type": "organisation", "About": text, "Address": text, "Note": text, "Native name": f"{text} too"}


def positions(place, text):
    who = {"Organisation": "Ministry of Health", "Holder": "Amal Haddad", "Since": days(place)}
    return who | {"Title": text, "Portfolio": text, "Form of address": text, "Biography": text}


def interactions(place, text):
    what = {"Date": days(place), "With": "Amal Haddad", "Summary": text, "Subject": text, "Place": text, "Note": text}
    return what | {"Next step": text, "Due": "2027-01-01", "Language": text[:60]}


def programmes(place, text):
    return {"Title": text, "Summary": text, "Place": text, "Year": "2026", "Amount": "1000", "Currency": "USD", "Source": text}


def pledges(place, text):
    what = {"Donor": "Fund X", "Date": days(place), "Amount": f"{place + 1000}", "Currency": "EUR"}
    return what | {"Grant reference": text, "Purpose": text}


def receipts(place, text):
    return {"Donor": "Fund X", "Date": days(place), "Amount": f"{place + 1000}", "Currency": "USD", "Bank reference": text}


#: Kind of list: who brings it, a row with a text in every field of text, and where each of them is kept.
KINDS = {
    parties: ("officer", (Party.name, Party.about, Channel.value, Note.body)),
    positions: ("officer", (Position.title, Position.portfolio, Tenure.form_of_address, Tenure.biography)),
    interactions: ("officer", (Interaction.summary, Interaction.purpose, Interaction.place_text, Note.body, FollowUp.text)),
    programmes: ("grants", (Programme.title, Programme.summary, Programme.place_text, Requirement.source)),
    pledges: ("grants", (Pledge.donor_reference,)),
    receipts: ("grants", (Receipt.bank_reference,)),
}


@pytest.fixture
def office(acting):
    actor = acting("officer")
    make(actor, "Ministry of Health")
    make(actor, "Amal Haddad", form="person")
    money.donor(acting("grants"), "Fund X")
    return acting


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_hostile_cells_come_in_as_they_stand_and_go_out_and_back_unchanged(app, office, browser, kind):
    who, kept = KINDS[kind]
    slug = kind.__name__
    rows = [kind(place, text) for place, text in enumerate(TEXTS)]
    table = [list(rows[0]), *(list(row.values()) for row in rows)]
    with app.app_context():
        for number, data in enumerate((csv_of(table), xlsx_of(table))):
            batch = bring(office(who), data, kind=slug)
            expected = (0, 0, len(TEXTS), 0) if number else (len(TEXTS), 0, 0, 0)
            assert counts(batch) == expected, (reasons(batch), held.summary_of(batch).samples)
        for column in kept:
            stored = set(db.session.scalars(select(column)))
            assert set(TEXTS) <= stored, (column, set(TEXTS) - stored)
    if kind is positions:  # they have no list of their own
        return
    client = browser(who).client
    everything = ",".join(column.key for column in LISTINGS[slug].columns)
    for ending, cells in (("csv", cells_of_csv), ("xlsx", cells_of_xlsx)):
        data = client.get(f"/{slug}.{ending}?columns={everything}").get_data()
        found = cells(data)
        assert len(found) - 1 >= len(TEXTS)
        with app.app_context():
            batch = bring(office(who), data, kind=slug)
            assert counts(batch) == (0, 0, len(found) - 1, 0), (ending, reasons(batch), held.summary_of(batch).samples)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_rejected_rows_come_back_as_a_file_that_runs_nothing(office, kind):
    """The reason stands in the row; mended and brought back, the texts are the same."""
    who, kept = KINDS[kind]
    actor, slug = office(who), kind.__name__
    rows = [kind(place, text) for place, text in enumerate(TEXTS)]
    spoilt, right = {parties: ("Country", "JO"), positions: ("Since", "2026-01-01")}.get(kind, ("Date", "2026-01-01"))
    if kind is programmes:
        spoilt, right = "Year", "2026"
    header = [*dict.fromkeys([*rows[0], spoilt])]
    batch = bring(actor, csv_of([header, *([({**row, spoilt: "nothing known"})[name] for name in header] for row in rows)]), kind=slug)
    assert counts(batch) == (0, 0, 0, len(TEXTS)), reasons(batch)
    rejects = cells_of_csv(imports.rejects_of(batch))
    mended = [[right if cell == "nothing known" else cell for cell in row] for row in rejects]
    stream = io.StringIO()
    csv.writer(stream).writerows(mended)
    batch = bring(actor, stream.getvalue().encode(), kind=slug)
    assert batch.created == len(TEXTS), reasons(batch)
    for column in kept:
        assert set(TEXTS) <= set(db.session.scalars(select(column)))
