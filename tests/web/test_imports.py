"""The pages of imports."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date

import pytest
from sqlalchemy import select

from crm.db import db
from crm.jobs import imports
from crm.models.audit import AuditEntry, AuditValue
from crm.models.rates import RateSheet
from crm.policy import all_offices, bind_actor, system_actor, unscoped
from tests.factories import fts, world
from tests.factories.browser import errors, tree


def upload(client, data, name="flows.csv", *, status=303, **more):
    target, values = client.fields("/imports/new")
    values |= more
    values["file"] = (io.BytesIO(data), name)
    response = client.client.post(target, data=values, content_type="multipart/form-data")
    assert response.status_code == status, errors(response)
    return response


def text(response):
    return " ".join(tree(response).text_content().split())


def test_a_file_is_checked_shown_brought_in_and_listed(browser):
    client = browser("grants")
    assert "No file was brought in yet" in text(client.get("/imports/"))
    assert "No reported flows yet" in text(client.get("/flows/"))
    place = upload(client, fts.WITH_TAGS.read_bytes()).location
    page = text(client.get(place))
    assert "Bring in 440 rows" in page
    assert "Would be new 440" in page
    assert "No reported flows yet" in text(client.get("/flows/"))
    client.submit(place, {}, action="/apply")
    page = text(client.get(place))
    assert "Brought in: 440 new, 0 changed, 0 unchanged, 0 rejected." in page
    assert "Bring in" not in page
    assert "flows.csv" in text(client.get("/imports/"))
    again = upload(client, fts.PLAIN.read_bytes()).location
    assert "Confirm without changes" in text(client.get(again))


def test_a_second_click_finds_it_done(browser):
    client = browser("grants")
    place = upload(client, fts.file_of(size=3)).location
    target, values = client.fields(place, action="/apply")
    for _click in range(2):
        assert client.client.post(target, data=values).status_code == 303
    assert "Brought in: 3 new" in text(client.get(place))
    assert text(client.get("/imports/")).count("flows.csv") == 1


def test_the_same_upload_sent_twice_makes_one_batch(browser):
    client = browser("grants")
    target, values = client.fields("/imports/new")
    places = set()
    for _click in range(2):
        sent = values | {"file": (io.BytesIO(fts.file_of(size=2)), "twice.csv")}
        places.add(client.client.post(target, data=sent, content_type="multipart/form-data").location)
    assert len(places) == 1
    assert text(client.get("/imports/")).count("twice.csv") == 1


def test_a_checked_file_can_be_discarded(browser):
    client = browser("grants")
    place = upload(client, fts.file_of(size=2)).location
    client.submit(place, {}, action="/discard")
    client.get(place, status=404)
    assert "No file was brought in yet" in text(client.get("/imports/"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "The file is empty."),
        (b"name,telephone\nA,1\n", "No known kind of file"),
        (fts.file_of({}).replace(b"amountUSD", b"sum"), "“amountUSD” is missing"),
        (fts.file_of({})[:-200], "cut off"),
        (b"\x00\x01\x02" * 50, "zero bytes"),
        (b"<!doctype html><script>alert(1)</script>", "HTML"),
    ],
)
def test_a_refused_file_says_why_beside_the_field_and_in_the_list(browser, data, said):
    client = browser("grants")
    response = upload(client, data, "bad<b>.csv", status=422)
    assert any(said in sentence for sentence in errors(response)), errors(response)
    listed = client.get("/imports/")
    assert said in text(listed)
    assert "<b>" not in listed.get_data(as_text=True)
    place = tree(listed).xpath("//th//a/@href[contains(., '/imports/')]")[0]
    assert "nothing was changed" in text(client.get(place))
    assert "No reported flows yet" in text(client.get("/flows/"))


def test_no_file_at_all_is_said_beside_the_field(browser):
    client = browser("grants")
    assert errors(client.submit("/imports/new", {}, status=422)) == ["Choose a file."]
    assert "No file was brought in yet" in text(client.get("/imports/"))


def test_rejected_rows_are_shown_with_reasons_and_come_as_a_file(browser):
    client = browser("grants")
    place = upload(client, fts.file_of({}, {"amountUSD": "lots", "description": "=cmd|' /C calc'!A0"})).location
    page = text(client.get(place))
    for part in ("amountUSD", "lots", "“lots” is not a number.", "Rejected rows 1"):
        assert part in page
    response = client.get(f"{place}/rejects.csv")
    assert response.mimetype == "text/csv"
    assert "attachment" in response.headers["Content-Disposition"]
    assert "\"'=cmd|" in response.get_data(as_text=True)


def test_an_office_of_somebody_else_cannot_be_chosen(app, browser):
    client = browser("grants")
    with app.app_context():
        from crm.policy import all_offices

        kenya = next(str(office.id) for office in all_offices() if office.code == "KEN")
    upload(client, fts.file_of({}), office=kenya, status=422)


def test_who_may_not_bring_files_sees_no_button_and_gets_403(browser):
    officer = browser("officer")
    kinds = tree(officer.get("/imports/new")).xpath("//select[@name='kind']/option/@value")
    assert kinds
    assert "" not in kinds
    browser("viewer").get("/imports/new", status=403)
    place = upload(browser("grants"), fts.file_of({})).location
    assert not [form for form in tree(officer.get(place)).forms if "apply" in (form.action or "")]
    for action in ("apply", "discard"):
        assert officer.client.post(f"{place}/{action}", data={"csrf_token": officer.token()}).status_code == 403
    browser("viewer").get("/imports/", status=403)


def test_another_offices_batch_is_not_there(browser):  # P1
    place = upload(browser("grants"), fts.file_of({})).location
    other = browser("other-grants")
    other.get(place, status=404)
    other.get(f"{place}/rejects.csv", status=404)
    for action in ("apply", "discard"):
        assert other.client.post(f"{place}/{action}", data={"csrf_token": other.token()}).status_code == 404
    assert "flows.csv" not in text(other.get("/imports/"))


def test_a_refused_file_can_be_taken_from_the_list_by_who_may_bring_it(browser):
    client = browser("grants")
    upload(client, b"a,b\n1,2\n", status=422)
    place = tree(client.get("/imports/")).xpath("//th//a/@href[contains(., '/imports/')]")[0]
    other = browser("other-grants")
    assert other.client.post(f"{place}/discard", data={"csrf_token": other.token()}).status_code == 404
    assert "Take it from the list" in text(client.get(place))
    client.submit(place, {}, action="/discard")
    client.get(place, status=404)
    assert "flows.csv" not in text(client.get("/imports/")).replace("flows.csv is discarded", "")


def test_what_was_brought_in_is_not_taken_from_the_list(browser):
    client = browser("grants")
    place = upload(client, fts.file_of({})).location
    client.submit(place, {}, action="/apply")
    assert client.client.post(f"{place}/discard", data={"csrf_token": client.token()}).status_code == 409
    client.get(place)


def test_a_file_over_the_request_limit_gets_a_sentence(app, browser):
    app.config["MAX_CONTENT_LENGTH"] = 100_000
    client = browser("grants")
    target, values = client.fields("/imports/new")
    values["file"] = (io.BytesIO(b"x" * 200_000), "big.csv")
    response = client.client.post(target, data=values, content_type="multipart/form-data")
    assert response.status_code == 413
    assert "at most 30 MB" in text(response)


def test_the_region_chooses_among_its_offices(browser):
    options = tree(browser("regional").get("/imports/new")).xpath("//select[@name='office']/option/text()")
    names = {name for _code, name, *_rest in world.OFFICES}
    assert len(options) == 2
    assert set(options) < names


def test_a_zip_of_one_file_is_read_like_the_file(browser):
    client = browser("grants")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("flows.csv", fts.file_of(size=3))
    place = upload(client, packed.getvalue(), "flows.zip").location
    client.submit(place, {}, action="/apply")
    assert "Brought in: 3 new" in text(client.get(place))


def test_the_form_sent_again_with_another_file_brings_nothing(browser):
    client = browser("grants")
    target, values = client.fields("/imports/new")
    first = values | {"file": (io.BytesIO(fts.file_of(size=2)), "first.csv")}
    assert client.client.post(target, data=first, content_type="multipart/form-data").status_code == 303
    other = values | {"file": (io.BytesIO(fts.file_of(size=3)), "second.csv")}
    assert client.client.post(target, data=other, content_type="multipart/form-data").status_code == 409
    page = text(client.get("/imports/"))
    assert "first.csv" in page
    assert "second.csv" not in page


def test_a_name_that_shows_nothing_is_no_name_and_the_file_is_brought_in(browser):
    client = browser("grants")
    place = upload(client, fts.file_of({"srcOrganization": "\u200b", "destOrganization": "\u2060 \u200b"}, size=1)).location
    client.submit(place, {}, action="/apply")
    assert "Brought in: 1 new" in text(client.get(place))


RATES = "Date,USD,GBP\n2024-01-03,1.0919,9.9\n2024-01-04,1.0953,0.8642\n"


def test_one_office_does_not_correct_the_rates_of_all(app, browser):
    """P1b: a rate that is held counts in every office, so a grants officer of one adds rates and changes none."""
    system = ("rates", RATES.replace("9.9", "0.8620").encode())
    with app.app_context():
        bind_actor(everything())
        imports.import_file(everything(), all_offices()[0].id, system[0], "rates.csv", system[1])
        db.session.remove()
    client = browser("grants")
    place = upload(client, (RATES + "2024-01-05,1.0921,0.8602\n").encode(), name="rates.csv").location
    page = text(client.get(place))
    assert "is held as 0.862 and counts in every office" in page
    client.submit(place, {}, action="/apply")
    assert "1 new" in text(client.get(place))
    with app.app_context():
        held = {row.published_on.isoformat(): json.loads(row.quotes) for row in db.session.scalars(select(RateSheet))}
        assert held["2024-01-03"]["GBP"] == "0.862"
        assert held["2024-01-05"]["GBP"] == "0.8602"
        bind_actor(everything())
        imports.import_file(everything(), all_offices()[0].id, "rates", "right.csv", RATES.replace("9.9", "0.8621").encode())
        row = db.session.scalars(select(RateSheet).where(RateSheet.published_on == date(2024, 1, 3))).one()
        assert json.loads(row.quotes)["GBP"] == "0.8621"
        kept = db.session.scalars(select(AuditValue).join(AuditEntry).where(AuditEntry.record_id == row.id)).all()
        assert any("0.862" in (value.old or "") for value in kept), "a correction leaves the figure before it"


def everything():
    with unscoped("test"):
        return system_actor(all_offices())


def test_iati_is_refused_in_words_that_can_be_followed(browser):
    client = browser("grants")
    data = b'<?xml version="1.0" encoding="UTF-8"?>\n<iati-activities version="2.03"><iati-activity/></iati-activities>'
    said = " ".join(errors(upload(client, data, "activities.xml", status=422)))
    assert "IATI is not read here yet" in said
    assert "exchange rates" in said
    assert "CSV UTF-8" not in said
    other = " ".join(errors(upload(client, b"<html><body>no</body></html>", "page.html", status=422)))
    assert "CSV UTF-8" not in other


@pytest.mark.parametrize("more", [{}, {"kind": "parties"}])
def test_a_picture_named_as_a_workbook_is_called_one_and_is_not_to_be_saved_as_csv(browser, more):
    said = " ".join(errors(upload(browser("grants"), b"\x89PNG\r\n\x1a\n" + bytes(50), "contacts.xlsx", status=422, **more)))
    assert "This is a picture, which holds no rows that can be read. Bring the list itself, as XLSX, ODS, CSV or TSV" in said
    assert "CSV UTF-8" not in said


def test_rates_are_counted_by_day_and_by_rate(browser):
    client = browser("grants")
    data = b"date,currency,rate\n2026-10-01,JOD,0.709\n2026-10-01,KES,129.5\n"
    page = text(client.get(upload(client, data, "rates.csv").location))
    assert "Would be new 1 day 2 rates" in page
    assert "2 currencies" not in page
    assert "2026-10-01: 2 rates" in page
    assert "Bring in the rates of 1 day" in page


def test_the_page_says_where_rates_come_from_and_its_example_can_be_brought(browser):
    client = browser("grants")
    page = client.get("/imports/new")
    assert "eurofxref-hist.zip" in text(page)
    example = tree(page).xpath("//pre")[0].text_content()
    assert "Would be new 2 days 2 rates" in text(client.get(upload(client, example.encode(), "rates.csv").location))


def test_the_form_says_truly_who_reads_what_a_file_says(browser):
    own = "A list of contacts or posts, or a log of contacts, is read here by the office's colleagues and by whoever brings it."
    assert f"{own} Any other file is read by the offices above it too." in text(browser("grants").get("/imports/new"))
    page = text(browser("officer").get("/imports/new"))  # who brings contacts only
    assert own in page
    assert "offices above" not in page
