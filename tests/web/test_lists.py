"""Lists and their files: page, CSV and XLSX hold the same rows and cells; columns chosen; nobody else's rows; strangers' addresses."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from zipfile import ZipFile

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from crm.db import db, transactional
from crm.exchange.sheet_cells import parts
from crm.exchange.tabular import restore
from crm.formatting import day, money
from crm.models.asks import Ask
from crm.models.commitments import Commitment
from crm.models.interactions import FollowUp, Interaction
from crm.models.parties import Party, PartyKind, PartyName
from crm.models.pledges import Agreement, AgreementBudgetLine, Pledge, Receipt
from crm.models.programmes import Programme, Requirement
from crm.models.users import User
from crm.money import Money
from crm.policy import all_offices, bind_actor, system_actor, unscoped
from crm.web.agreement_list import LISTING as AGREEMENTS
from crm.web.ask_list import LISTING as ASKS
from crm.web.commitment_list import LISTING as COMMITMENTS
from crm.web.follow_up_list import LISTING as FOLLOW_UPS
from crm.web.interaction_list import LISTING as INTERACTIONS
from crm.web.party_list import LISTING as PARTIES
from crm.web.pledge_list import LISTING as PLEDGES
from crm.web.programme_list import LISTING as PROGRAMMES
from crm.web.receipt_list import LISTING as RECEIPTS
from tests.factories.browser import tree
from tests.factories.counting import count_statements
from tests.factories.planted import plant
from tests.factories.world import address

LISTINGS = {
    listing.noun: listing
    for listing in (
        PARTIES,
        INTERACTIONS,
        ASKS,
        COMMITMENTS,
        FOLLOW_UPS,
        PLEDGES,
        AGREEMENTS,
        RECEIPTS,
        PROGRAMMES,
    )
}
NOUNS = tuple(LISTINGS)
MOST_RECORDS = 40
#: The column of the page that is none of the list: what can be done with a row.
ACT = "What you can do"
CURRENCY_OF = {
    "Pledged": "Currency",
    "Outstanding": "Currency",
    "Amount": "Currency",
    "Value": "Currency",
    "Received": "Currency",
    "Still to come": "Currency",
    "Not matched": "Currency",
    "Secured": "Currency",
    "Gap": "Currency",
    "Needs in the year": "Currency of the need",
}
#: What the page says where the files hold no amount.
EMPTY = {"Needs in the year": (["not recorded"],), "Gap": (["no rate"],)}
FORMULAS = ("=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "\t=2", "-2+3", '=HYPERLINK("http://x")', "'=already", "مؤسسة", "-5.00")


def csv_of(client, address):
    response = client.get(address)
    assert response.mimetype == "text/csv"
    data = response.get_data()
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def xlsx_of(client, address):
    response = client.get(address)
    assert response.headers["Content-Disposition"].endswith('.xlsx"')
    return CalamineWorkbook.from_filelike(io.BytesIO(response.get_data())).get_sheet_by_index(0).to_python()


def page_of(client, address):
    """The headings and the cells of every page of a list, following its "next"."""
    heads, rows = [], []
    while address:
        page = tree(client.get(address))
        heads = [" ".join(head.xpath("string(.//a/text()|text())").split()) for head in page.xpath("//thead//th[not(.=$act)]", act=ACT)]
        lines = page.xpath("//table[contains(@class, 'table-rows')]/tbody/tr")
        rows += [[texts_of(cell) for cell in line.xpath("./th|./td[not(contains(@class, 'phone-act'))]")] for line in lines]
        found = page.xpath("//a[@rel='next']/@href")
        address = found[0] if found else ""
    return heads, rows


def texts_of(cell):
    return [text for part in cell.itertext() if (text := " ".join(part.split()))]


def every_column(noun):
    return ",".join(column.key for column in LISTINGS[noun].columns)


def filled(app, code="JOR", canary="zzown", *, more=0):
    """An office with some rows of every list: planted ones, and parties and pledges that are awkward."""
    with app.app_context():
        plant(code, canary)
        plant(code, f"{canary}two", level="office")
        with unscoped("test"):
            bind_actor(system_actor(all_offices()))
        _add(code, more)
        bind_actor(None)


@transactional
def _add(code, more, first=0):
    office = next(office for office in all_offices() if office.code == code)
    programme = db.session.scalars(select(Programme).where(Programme.office_id == office.id)).first()
    for number in range(first, first + more):
        name = f"{FORMULAS[number % len(FORMULAS)]} {code} {number:04}"
        party = Party(
            office_id=office.id,
            visibility="office",
            reference=f"{code}-PA-X-{number}",
            form="organisation",
            name=name,
            folded_name=f"{number % 7}",
            country="JO" if number % 2 else None,
        )
        db.session.add(party)
        db.session.flush()
        scoped = {"office_id": office.id, "visibility": "office", "party_id": party.id}
        db.session.add_all(PartyKind(**scoped, kind=kind) for kind in ("donor", "ngo")[: number % 3])
        db.session.add_all(PartyName(**scoped, name=f"{name} {word}", folded_name=name) for word in ("b", "a")[: number % 3])
        if number < MOST_RECORDS:
            _add_records(office, party, programme, number)
        db.session.flush()


def _add_records(office, party, programme, number):
    at = datetime(2026, 1 + number % 12, 1 + number % 28, number % 24, 30, tzinfo=UTC)
    own = {"office_id": office.id, "party_id": party.id, "programme_id": programme.id if number % 2 else None}
    state = ("held", "planned", "cancelled")[number % 3]
    text = f"{FORMULAS[number % len(FORMULAS)]} said {number}"
    db.session.add(
        Interaction(
            **own, reference=f"{office.code}-IN-X-{number}", kind="call", state=state, starts_at=at, purpose=text, place_text="Room 5"
        )
    )
    reference, words = f"{office.code}-PL-X-{number}", f"words {number}"
    promise = Commitment(
        **own, reference=f"{office.code}-CO-X-{number}", direction="theirs", kind="financial", words=words, made_on=at.date()
    )
    db.session.add(promise)
    db.session.flush()
    currency = ("EUR", "JPY", "JOD")[number % 3]
    asked = {"office_id": office.id, "addressee_id": party.id, "programme_id": own["programme_id"], "sentence": text}
    priced = {"amount_minor": 1_234_505, "currency": currency} if number % 2 else {}
    db.session.add(Ask(**asked, **priced, reference=f"{office.code}-AS-X-{number}", by_when=at.date() if number % 3 else None))
    owner = db.session.scalars(select(User).where(User.email == address("officer"))).one()
    about = {"party_id": party.id if number % 2 else None, "commitment_id": promise.id if number % 3 else None}
    db.session.add(FollowUp(**about, office_id=office.id, text=text, due_on=at.date(), owner_id=owner.id))
    amounts = {"announced_minor": 1_234_505 * (number + 1), "outstanding_minor": 77 * (number % 4), "converted_minor": number % 2}
    due = at.date() if number % 4 else None
    made = {"pledged_on": at.date(), "event_name": text, "currency": currency, "next_due_on": due}
    signed = Agreement(
        office_id=office.id,
        reference=f"{office.code}-AG-X-{number}",
        donor_id=party.id,
        title=text.strip(),
        signed_on=at.date(),
        currency=currency,
        value_minor=1_234_505,
        received_minor=1_234_505 if number % 3 else 5,
        next_due_on=due,
    )
    db.session.add(signed)
    db.session.flush()
    line = {"office_id": office.id, "agreement_id": signed.id, "programme_id": programme.id, "currency": currency, "amount_minor": 77}
    under = signed.id if number % 2 else None
    came = {"office_id": office.id, "donor_id": party.id, "agreement_id": under, "value_on": at.date(), "currency": currency}
    db.session.add_all(
        [
            AgreementBudgetLine(**line),
            Receipt(**came, reference=f"{office.code}-RC-X-{number}", amount_minor=33_305, bank_reference=text[:90]),
            *_another_programme(office, number, text),
        ]
    )
    db.session.add(
        Pledge(
            id=promise.id, office_id=office.id, donor_id=party.id, programme_id=own["programme_id"], reference=reference, **made, **amounts
        )
    )


def _another_programme(office, number, text):
    programme = Programme(
        office_id=office.id,
        reference=f"{office.code}-PR-X-{number}",
        title=f"{text} {number}",
        starts_on=date(2026, 1, 1),
        currency="USD",
        sector="12220" if number % 2 else None,
        place_text="Room 5",
    )
    need = {"office_id": office.id, "programme_id": programme.id, "year": 2026, "amount_minor": 12_345, "currency": "USD"}
    return (programme, Requirement(**need)) if number % 3 else (programme,)


def said(cell):
    """What the page says of a cell of the XLSX."""
    if isinstance(cell, datetime):
        return f"{day(cell.date())}, {cell:%H:%M}" if cell.time() != cell.min.time() else day(cell.date())
    if isinstance(cell, date):
        return day(cell)
    return cell


def as_csv(cell):
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}" if cell.time() != cell.min.time() else f"{cell:%Y-%m-%d}"
    return format(Decimal(str(cell)).normalize(), "f") if isinstance(cell, float) else str(cell)


def plain(text):
    """A cell of the CSV without the apostrophe that keeps a spreadsheet from running it, a number without its zeros."""
    text = restore(text)
    return format(Decimal(text).normalize(), "f") if re.fullmatch(r"-?\d+\.\d+", text) else text


@pytest.mark.parametrize("noun", NOUNS)
def test_page_csv_and_xlsx_hold_the_same_rows_and_cells(app, browser, noun):
    filled(app, more=61)
    client = browser("officer")
    compare(client, noun, "", LISTINGS[noun].usual)
    compare(client, noun, f"columns={every_column(noun)}", LISTINGS[noun].columns)


def compare(client, noun, asked, columns):
    head, rows = page_of(client, f"/{noun}/?{asked}")
    in_csv, in_xlsx = csv_of(client, f"/{noun}.csv?{asked}"), xlsx_of(client, f"/{noun}.xlsx?{asked}")
    assert in_csv[0] == [str(text) for text in in_xlsx[0]]
    assert len(rows) == len(in_csv) - 1 == len(in_xlsx) - 1 >= 2
    assert head == [str(column.label) for column in columns]
    assert [[plain(cell) for cell in row] for row in in_csv[1:]] == [[as_csv(cell) for cell in row] for row in in_xlsx[1:]]
    places = {re.sub(r" \(time in .*\)", "", str(name)): place for place, name in enumerate(in_xlsx[0])}
    assert set(head) <= set(places)
    for shown, row in zip(rows, in_xlsx[1:], strict=True):
        for label, texts in zip(head, shown, strict=True):
            cell = row[places[label]]
            if label in CURRENCY_OF:
                currency = row[places[CURRENCY_OF[label]]]
                assert texts in ([money(Money(Decimal(str(cell)), currency))] if cell != "" else [], *EMPTY.get(label, ()))
            elif label == columns[0].label and "Reference" in places and noun in ("pledges", "agreements", "receipts", "programmes"):
                assert texts == [" ".join(cell.split()), row[places["Reference"]]]
            elif label == "Where":
                assert texts == [text for text in (cell, row[places["Sector"]]) if text]
            elif label in {"Other names", "E-mail", "Phone", "Mobile phone"}:
                assert "; ".join(texts) == "; ".join(parts(cell))
            elif label == "What they are to us":
                assert "; ".join(texts) == cell
            else:
                assert " ".join(texts) == " ".join(said(cell).split()), label


def test_no_file_holds_a_row_of_another_office(app, browser):
    filled(app)
    filled(app, "KEN", "zzkenyacanary", more=5)
    client = browser("officer")
    for noun in NOUNS:
        for query in ("", "q=zz", "status=late&state=planned", "donor=zz&programme=zz", "columns=" + "x" * 3000):
            asked = f"?{query}&columns={every_column(noun)}"
            assert "zzkenya" not in client.get(f"/{noun}.csv{asked}").get_data(as_text=True)
            book = ZipFile(io.BytesIO(client.get(f"/{noun}.xlsx{asked}").get_data()))
            assert not any(b"zzkenya" in book.read(name) or b"KEN-" in book.read(name) for name in book.namelist())


def test_a_level_holds_in_the_files(app, browser):
    with app.app_context():
        plant("JOR", "zzhidden", level="office")
    own, above = browser("officer"), browser("hq")
    for ending in ("csv", "xlsx"):
        read = csv_of if ending == "csv" else xlsx_of
        address = f"/interactions.{ending}?columns=who,what,reference"
        assert any("zzhidden" in str(cell) for row in read(own, address) for cell in row)
        assert not any("zzhidden summary" in str(cell) for row in read(above, address) for cell in row)
        assert len(read(above, address)) == 1, "no row of the level, the heading alone"


def test_files_are_for_those_who_may_export(app, browser):
    filled(app)
    for name in ("viewer", "officer", "grants", "auditor", "admin"):
        client = browser(name)
        for noun in NOUNS:
            for ending in ("csv", "xlsx"):
                assert client.client.get(f"/{noun}.{ending}").status_code == (403 if name == "admin" else 200)
            if name != "admin":
                everybodys = "?whose=all" if noun == "follow-ups" else ""  # a reader's own list is empty here, and offers no file
                assert f"/{noun}.xlsx" in client.get(f"/{noun}/{everybodys}").get_data(as_text=True)
    anonymous = browser(None).client
    assert anonymous.get("/pledges.xlsx").status_code == 302


def test_no_cell_is_a_formula(app, browser):
    filled(app, more=len(FORMULAS) * 2)
    client = browser("officer")
    rows = csv_of(client, f"/parties.csv?columns={every_column('parties')}")
    for row in rows:
        assert not [cell for cell in row if re.match(r"[=@\t\r]", cell) or re.match(r"[+-](?!\d)", cell)]
    book = ZipFile(io.BytesIO(client.get("/parties.xlsx?columns=name,names").get_data()))
    sheets = b"".join(book.read(name) for name in book.namelist() if "sheet" in name)
    assert b"<f>" not in sheets
    assert b"hyperlink" not in sheets.lower().replace(b"=hyperlink(", b"")
    names = [row[0] for row in xlsx_of(client, "/parties.xlsx")[1:]]
    assert {name.rsplit(" JOR ", 1)[0] for name in names if " JOR " in name} == set(FORMULAS), "read back as they were typed"


def test_columns_of_a_stranger_are_harmless(app, browser):
    filled(app, more=3)
    client = browser("officer")
    odd = ("", "columns=", "columns=nothing,else", "columns=office_id,id,folded_name,__class__", "columns=%00", "columns=,,,")
    for noun, listing in LISTINGS.items():
        usual = [str(column.label) for column in listing.usual]
        for asked in odd:
            assert page_of(client, f"/{noun}/?{asked}")[0] == usual, asked
            assert csv_of(client, f"/{noun}.csv?{asked}") == csv_of(client, f"/{noun}.csv")
        last = listing.columns[-1]
        asked = f"columns={last.key}&columns={last.key}&columns=<b>"
        assert page_of(client, f"/{noun}/?{asked}")[0] == [str(listing.columns[0].label), str(last.label)]


def test_addresses_of_strangers_give_the_whole_list(app, browser):
    filled(app)
    client = browser("officer")
    for noun in NOUNS:
        whole = csv_of(client, f"/{noun}.csv")
        for query in ("sort=id", "sort=-name'--", "after=zzzz&page=99999999999", "per_page=1000000", "sort=%00&after=%00", "page=-1"):
            assert csv_of(client, f"/{noun}.csv?{query}") == whole, query
            client.get(f"/{noun}/?{query}")


def test_the_files_keep_filters_and_order(app, browser):
    filled(app, more=130)
    client = browser("officer")
    for sort in ("name", "-name", "country", "-country", "newest"):
        keeps(client, sort)


def keeps(client, sort):
    asked = f"sort={sort}&kind=donor&country=JO"
    listed = [row[0][0] for row in page_of(client, f"/parties/?{asked}&per_page=25")[1]]
    assert len(listed) > 25
    assert [restore(row[0]).split() for row in csv_of(client, f"/parties.csv?{asked}")[1:]] == [name.split() for name in listed]
    links = tree(client.get(f"/parties/?{asked}&columns=website")).xpath("//p[@class='list-files']/a/@href")
    assert [row[0] for row in xlsx_of(client, links[1])[1:]] == [row[0] for row in xlsx_of(client, f"/parties.xlsx?{asked}")[1:]]
    assert csv_of(client, links[0])[0] == ["Name", "Website"]


def test_many_alike_names_are_each_written_once(app, browser):
    """The chunks of a file meet within rows that are sorted alike."""
    filled(app, more=2300)
    client = browser("officer")
    for sort in ("name", "-name", "country", "-country", "newest"):
        references = [row[1] for row in csv_of(client, f"/parties.csv?columns=reference&sort={sort}")[1:]]
        assert len(references) == len(set(references)) == 2304


@pytest.mark.parametrize("noun", NOUNS)
def test_statements_do_not_grow_with_the_rows(app, browser, noun):
    def sent(address):
        with count_statements(app) as statements:
            client.get(address).get_data()
        return statements.count

    filled(app, more=3)
    client = browser("officer")
    asked = f"columns={every_column(noun)}"
    addresses = [f"/{noun}/?{asked}", f"/{noun}.csv?{asked}", f"/{noun}.xlsx?{asked}"]
    assert all(sent(one) for one in addresses), "what all share is read once"
    before = [sent(address) for address in addresses]
    with app.app_context():
        with unscoped("test"):
            bind_actor(system_actor(all_offices()))
        _add("JOR", 20, first=3)
        bind_actor(None)
    assert [sent(address) for address in addresses] == before


def test_a_column_that_is_not_shown_is_not_looked_up(app, browser):
    filled(app)
    client = browser("officer")
    with count_statements(app) as statements:
        client.get("/parties.csv?columns=reference").get_data()
    assert not [text for text in statements.texts if "FROM party_kinds" in text or "FROM interactions" in text]


def test_the_form_of_a_party_is_said_once(app, browser):
    filled(app, more=2)
    client = browser("officer")
    forms = {"Organisation", "Person", "Group"}
    for columns, wanted in (("kinds,form", {0}), ("kinds", {1})):
        said = [row["What they are to us"].split("; ") for row in named(client, f"/parties.csv?columns={columns}")]
        assert {len(forms & set(words)) for words in said} == wanted, said
        heads, rows = page_of(client, f"/parties/?columns={columns}")
        place = heads.index("What they are to us")
        assert {len(forms & set(row[place])) for row in rows} == wanted


def named(client, address):
    head, *rows = csv_of(client, address)
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.parametrize("noun", NOUNS)
def test_the_sheet_of_a_workbook_is_called_as_its_list(app, browser, noun):
    response = browser("officer").get(f"/{noun}.xlsx")
    assert CalamineWorkbook.from_filelike(io.BytesIO(response.get_data())).sheet_names == [str(LISTINGS[noun].title)]


def test_columns_are_chosen_on_the_page(app, browser):
    filled(app)
    client = browser("officer")
    page = tree(client.get("/interactions/?state=held&sort=when"))
    form = next(form for form in page.forms if "list-columns" in form.get("class", ""))
    boxes = form.xpath(".//input[@type='checkbox']")
    assert [box.get("value") for box in boxes if box.checked] == [column.key for column in INTERACTIONS.usual]
    assert form.xpath(".//input[@type='checkbox'][@disabled]/@value") == ["who"], "the first column always stays"
    values = dict(form.form_values())
    assert (values["state"], values["sort"]) == ("held", "when")
    address = "/interactions/?state=held&sort=when&columns=who&columns=place"
    again = tree(client.get(address))
    assert [cell.text for cell in again.xpath("//thead//th")] == ["With", "Place"]
    assert again.xpath("//form[@role='search']//input[@name='columns']/@value") == ["who,place"], "a filter keeps them"
    assert again.xpath("//a[text()='The usual columns']/@href") == ["/interactions/?state=held&sort=when"]


@pytest.mark.parametrize("noun", NOUNS)
def test_every_list_says_on_its_folded_filters_how_many_are_set(app, browser, noun):
    """The fold is the same element everywhere and its fields stay in the form that is sent, folded or not."""
    filled(app)
    client = browser("officer")
    place = f"/{noun}/"
    page = tree(client.get(place))
    (fold,) = page.xpath("//form[@role='search']/details[contains(@class, 'filter-fold')]")
    at_first = len(page.xpath("//a[@class='chip']"))
    assert " ".join(fold.find("summary").text_content().split()) == (f"Filters ({at_first})" if at_first else "Filters")
    assert fold.get("open") is None, "a page cannot know how wide it is"
    assert fold.xpath(".//button[@type='submit']")
    for field in fold.xpath(".//select"):
        value = next(option.get("value") for option in field.xpath("./option[@value!='']") if option.get("selected") is None)
        filtered = tree(client.get(place, query_string={field.get("name"): value}))
        (summary,) = filtered.xpath("//details[contains(@class, 'filter-fold')]/summary")
        chips = len(filtered.xpath("//a[@class='chip']"))
        assert chips == at_first + 1, (field.get("name"), value)
        assert " ".join(summary.text_content().split()) == f"Filters ({chips})"
