"""Somebody met for the first time: named while the name is typed, added with the record in one go, or asked about, never an error."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from crm.db import db
from crm.errors import Denied, Invalid
from crm.models.interactions import FollowUp, Interaction
from crm.models.parties import Party, PartyDistinction, Position, Tenure
from crm.models.pledges import Agreement, Pledge, Receipt
from crm.money import Money
from crm.policy import Permission
from crm.services import commitments
from crm.services.asks import NewAsk, create_ask
from crm.services.parties import NewParty, create_party
from crm.services.pledges import NewPledge, record_pledge
from tests.factories.browser import errors, tree
from tests.factories.counting import statements_of
from tests.web.test_interactions import count, in_world, make_party
from tests.web.test_pledges import confirm, text_of

LOG = "/interactions/new"
NEW = {"party-text": "Rania Haddad", "party-choice": "new:person", "party-choice_for": "Rania Haddad", "summary": "Said"}


def suggested(client, **asked):
    return client.client.get("/parties/suggest", query_string=asked).json["items"]


def send(client, path=LOG, **values):
    target, fields = client.fields(path)
    return client.client.post(target, data=fields | values)


def person(app, name="Rania Haddad"):
    return in_world(app, "officer", lambda _a, _o: db.session.scalar(select(Party).where(Party.name == name)))


# --- while the name is typed -------------------------------------------------------------------------------------------


def test_names_on_record_come_first_and_somebody_new_is_one_of_the_suggestions(app, browser):
    known = make_party(app, "Dr Mohammed Al-Khatib", "person")
    officer = browser("officer")
    items = suggested(officer, q="محمد الخطيب", add="1")
    assert items[0]["value"] == str(known)
    assert "another spelling" in items[0]["note"] or "spelt otherwise" in items[0]["note"]
    assert items[0]["is_alike"]
    assert [item["value"] for item in items[1:]] == ["new:person", "new:organisation", "new:group"]
    assert items[1]["title"] == "Add “محمد الخطيب” as a new person"
    assert [item["value"] for item in suggested(officer, q="khat")] == [str(known)], "a form that adds nobody offers no such thing"


def test_nobody_of_another_office_is_suggested_and_who_may_not_log_adds_nobody(app, browser):
    make_party(app, "Kenyan Haddad", "person", who="other")
    own = make_party(app, "Jordanian Haddad", "person")
    for name in ("officer", "viewer"):
        found = [item["value"] for item in suggested(browser(name), q="haddad", add="1")]
        assert [value for value in found if not value.startswith("new:")] == [str(own)], name
        assert ("new:person" in found) == (name == "officer"), name
    assert browser(None).client.get("/parties/suggest?q=haddad").status_code == 302


def test_a_record_of_an_office_is_not_offered_people_of_another_one_that_its_reader_sees(app, browser):
    """Headquarters sees the people of both; a record of Jordan may name Jordan's."""
    make_party(app, "Kenyan Haddad", "person", who="other")
    own = make_party(app, "Jordanian Haddad", "person")
    office = in_world(app, "officer", lambda _a, office: office)
    assert [item["value"] for item in suggested(browser("hq"), q="haddad", office=str(office))] == [str(own)]


@pytest.mark.parametrize("text", ["", "…", "\x00", "zz" * 4000, "' OR 1=1 --", "<b>"])
def test_odd_texts_are_answered(app, browser, text):
    answer = browser("officer").client.get("/parties/suggest", query_string={"q": text, "office": "x" * 50, "add": "1"})
    assert answer.status_code == 200
    assert isinstance(answer.json["items"], list)
    if text in ("", "…", "\x00"):
        assert answer.json["items"] == [], "there is no name to add"


def test_many_names_make_no_longer_list_and_no_more_statements(app, browser):
    for number in range(3):  # below three, names that are nearly so are looked for
        make_party(app, f"Haddad {number}", "person")
    officer = browser("officer")
    paths = ["/parties/suggest?q=haddad&add=1"]
    statements_of(app, officer, paths)
    few = statements_of(app, officer, paths)
    for number in range(3, 15):
        make_party(app, f"Haddad {number}", "person")
    assert statements_of(app, officer, paths) == few
    assert len(suggested(officer, q="haddad", add="1")) <= 14


# --- the form, sent once -----------------------------------------------------------------------------------------------


def test_a_meeting_with_somebody_new_is_logged_in_one_go_with_their_post(app, browser):
    saved = send(browser("officer"), **NEW, **{"party-post": "Adviser", "party-organisation": "Chamber of Trade"})
    assert saved.status_code == 303, errors(saved)

    def work(_actor, _office):
        held = db.session.execute(
            select(Party.name, Position.title, Tenure.starts_on).join(Tenure, Tenure.person_id == Party.id).join(Position)
        ).all()
        at = db.session.scalar(select(Party.form).where(Party.name == "Chamber of Trade"))
        return [tuple(row) for row in held], at, db.session.scalar(select(Interaction)).party_id

    held, at, met = in_world(app, "officer", work)
    assert held == [("Rania Haddad", "Adviser", None)]
    assert at == "organisation"
    assert met == person(app).id


def test_the_post_is_at_the_organisation_that_is_on_record(app, browser):
    ministry = make_party(app, "Ministry of Health")
    send(browser("officer"), **NEW, **{"party-post": "Adviser", "party-organisation": "ministry of health"})
    found = in_world(app, "officer", lambda _a, _o: db.session.scalars(select(Position.organisation_id)).all())
    assert found == [ministry]


@pytest.mark.parametrize(("post", "organisation"), [("Adviser", ""), ("", "Chamber of Trade")])
def test_half_a_post_is_said_beside_what_is_missing_and_nothing_is_lost(app, browser, post, organisation):
    answer = send(browser("officer"), **NEW, **{"party-post": post, "party-organisation": organisation})
    assert answer.status_code == 422
    assert "Enter both, the post and its organisation, or neither." in errors(answer)
    page = tree(answer)
    assert page.xpath("//input[@name='party-choice']/@value") == ["new:person"]
    assert page.xpath("//input[@name='party-post']/@value")[0] == post
    assert (count(app, Party), count(app, Interaction)) == (0, 0)


def test_an_organisation_that_several_have_is_asked_about(app, browser):
    for name in ("Chamber of Trade, Amman", "Chamber of Trade, Irbid"):
        make_party(app, name)
    answer = send(browser("officer"), **NEW, **{"party-post": "Adviser", "party-organisation": "Chamber of Trade"})
    assert any("Chamber of Trade, Irbid (JOR-PA-" in sentence for sentence in errors(answer))
    assert count(app, Interaction) == 0


def test_an_organisation_has_no_post_whatever_was_typed(app, browser):
    values = {**NEW, "party-choice": "new:organisation", "party-post": "Adviser", "party-organisation": "X"}
    assert send(browser("officer"), **values).status_code == 303
    assert in_world(app, "officer", lambda _a, _o: db.session.scalars(select(Position.id)).all()) == []
    assert person(app).form == "organisation"


@pytest.mark.parametrize(
    ("path", "field", "more"),
    [
        ("/asks/new", "addressee", {"sentence": "Give."}),
        ("/commitments/new", "party", {"words": "We will."}),
        ("/follow-ups/new", "party", {"text": "Call her."}),
    ],
)
def test_asks_promises_and_follow_ups_add_somebody_new_too(app, browser, path, field, more):
    values = {f"{field}-text": "Rania Haddad", f"{field}-choice": "new:person", f"{field}-choice_for": "Rania Haddad"}
    saved = send(browser("officer"), path, **values, **more)
    assert saved.status_code == 303, errors(saved)
    assert person(app) is not None


def test_a_follow_up_is_about_nobody_somebody_on_record_or_somebody_new_who_is_asked_about(app, browser):
    known, officer = make_party(app, "Rania Hadad", "person"), browser("officer")
    path, call = "/follow-ups/new", {"text": "Call her.", "due_on": "2027-01-05"}
    assert send(officer, path, **call).status_code == 303
    question, offered, _ticked = asked_about(officer, "Rania Haddad", path, **call)
    assert question.startswith("Did you mean “Rania Hadad”?")
    assert offered == [str(known), "new:person", "new:organisation", "new:group"]
    answer = send(officer, path, **NEW, **call)
    assert answer.status_code == 422
    page = tree(answer)
    assert page.xpath("//input[@name='text']/@value") == ["Call her."]
    form = next(form for form in page.forms if form.method == "POST" and (form.action or "").endswith(path))
    values = dict(form.form_values()) | {"party-post": "Adviser", "party-organisation": "Chamber of Trade"}
    assert [officer.client.post(path, data=values).status_code for _click in range(2)] == [303, 303]

    def about(_actor, _office):
        rows = db.session.scalars(select(FollowUp).order_by(FollowUp.id)).all()
        return [row.party.name if row.party else "" for row in rows], db.session.scalar(select(Position.title))

    assert in_world(app, "officer", about) == (["", "Rania Haddad"], "Adviser")
    send(officer, path, **{"party-text": "Rania Hadad", **call})
    assert count(app, Party) == 3  # with the Chamber
    viewer = browser("viewer")
    assert viewer.client.post(path, data={"csrf_token": viewer.token(), **NEW, **call}).status_code == 403


# --- money whose donor is not on record yet ------------------------------------------------------------------------------

MONEY = {
    "/pledges/new": {"pledged_on": "2026-01-05", "amount": "1000", "currency": "EUR"},
    "/agreements/new": {"signed_on": "2026-01-05", "amount": "1000", "currency": "EUR", "title": "Help"},
    "/receipts/new": {"value_on": "2026-01-05", "amount": "1000", "currency": "EUR"},
}
DONOR = {"donor-text": "Harbour Fund", "donor-choice": "new:organisation", "donor-choice_for": "Harbour Fund"}


def of_money(app):
    """How many pledges, agreements and receipts there are, whose, and the kinds of the parties on record."""

    def work(_actor, _office):
        donors = [donor for noun in (Pledge, Agreement, Receipt) for donor in db.session.scalars(select(noun.donor_id))]
        return donors, {party.name: [row.kind for row in party.kinds] for party in db.session.scalars(select(Party))}

    return in_world(app, "grants", work)


@pytest.mark.parametrize("path", MONEY)
def test_a_donor_who_is_not_on_record_is_recorded_with_the_money_and_not_before(app, browser, path):
    grants = browser("grants")
    answer = grants.submit(path, {"donor-text": "Harbour Fund", **MONEY[path], "go": "check"}, status=422)
    page = tree(answer)
    assert not page.findtext(".//title").startswith("Error")
    assert "One question first" in page.xpath("//*[@role='alert']")[0].text_content()
    assert page.xpath("//input[@name='donor-choice']/@value") == ["new:person", "new:organisation", "new:group"]
    assert page.xpath("//input[@name='amount']/@value") == ["1000"]
    seen, saved = confirm(grants, path, {**DONOR, **MONEY[path]})
    assert "Harbour Fund" in text_of(seen)
    assert "A new organisation, recorded with this." in text_of(seen)
    donors, parties = of_money(app)
    assert parties == {"Harbour Fund": ["donor"]}
    assert donors == [person(app, "Harbour Fund").id]
    assert "Harbour Fund" in text_of(grants.get(saved.location))


@pytest.mark.parametrize("path", MONEY)
def test_who_may_be_the_same_is_asked_before_a_donor_is_added_and_a_double_click_adds_one(app, browser, path):
    known, grants = make_party(app, "Fund of the Harbour"), browser("grants")
    answer = grants.submit(path, {**DONOR, **MONEY[path], "go": "check"}, status=422)
    page = tree(answer)
    assert page.xpath("//input[@name='donor-choice']/@value") == [str(known), "new:person", "new:organisation", "new:group"]
    assert page.xpath("//input[@name='donor-choice'][@checked]/@value") == ["new:organisation"]
    assert of_money(app) == ([], {"Fund of the Harbour": []})
    form = next(form for form in page.forms if form.method == "POST" and "sign-out" not in (form.action or ""))
    values = dict(form.form_values()) | {"go": "check"}
    seen = tree(grants.client.post(path, data=values))
    assert of_money(app) == ([], {"Fund of the Harbour": []})  # looked at only
    form = next(form for form in seen.forms if form.method == "POST" and "sign-out" not in (form.action or ""))
    values = dict(form.form_values()) | {"go": "save"}
    first, second = (grants.client.post(path, data=values) for _click in range(2))
    assert (first.status_code, second.location) == (303, first.location), errors(first)
    donors, parties = of_money(app)
    assert (len(donors), sorted(parties)) == (1, ["Fund of the Harbour", "Harbour Fund"])
    pairs = in_world(app, "grants", lambda _a, _o: [(one.one_id, one.other_id) for one in db.session.scalars(select(PartyDistinction))])
    assert [set(pair) for pair in pairs] == [{known, person(app, "Harbour Fund").id}]


def test_what_is_wrong_with_the_money_leaves_the_new_donor_as_it_was_typed(app, browser):
    grants = browser("grants")
    new = {"donor-text": "Rania Haddad", "donor-choice": "new:person", "donor-choice_for": "Rania Haddad"}
    post = {"donor-post": "Adviser", "donor-organisation": "Chamber of Trade"}
    answer = grants.submit("/pledges/new", {**new, **post, **MONEY["/pledges/new"], "amount": "much", "go": "check"}, status=422)
    page = tree(answer)
    kept = {name: page.xpath(f"//input[@name='{name}']/@value")[0] for name in {**new, **post}}
    assert kept == {**new, **post}
    half = {**new, "donor-post": "Adviser", "donor-organisation": ""}
    answer = grants.submit("/pledges/new", {**half, **MONEY["/pledges/new"], "go": "check"}, status=422)
    assert "Enter both, the post and its organisation, or neither." in errors(answer)
    assert of_money(app) == ([], {})
    seen, _saved = confirm(grants, "/pledges/new", {**new, **post, **MONEY["/pledges/new"]})
    assert "A new person, recorded with this. Adviser, Chamber of Trade" in text_of(seen)
    assert sorted(of_money(app)[1].items()) == [("Chamber of Trade", []), ("Rania Haddad", ["donor"])]


def test_a_name_that_cannot_be_kept_is_refused_beside_the_donor(app, browser):
    name = "Harbour Fund" * 30
    values = {"donor-text": name, "donor-choice": "new:organisation", "donor-choice_for": name, **MONEY["/pledges/new"], "go": "check"}
    answer = browser("grants").submit("/pledges/new", values, status=422)
    assert any("300" in line for line in errors(answer)), errors(answer)
    assert tree(answer).xpath("//input[@name='donor-text'][@aria-invalid='true']/@value") == [name]
    assert of_money(app) == ([], {})


def test_who_made_a_promise_is_on_record_and_nobody_new_is_offered(app, browser):
    party, grants = make_party(app, "Fund of the Harbour"), browser("grants")

    def promise(actor, office):
        new = commitments.NewCommitment(
            office_id=office, party_id=party, direction="theirs", kind="financial", words="We give.", made_on=date(2026, 1, 4)
        )
        return commitments.record_commitment(actor, new)

    made = in_world(app, "grants", promise)
    page = grants.get(f"/pledges/new?commitment={made}")
    assert not tree(page).xpath("//*[@data-whom-add]")
    assert tree(grants.get("/pledges/new")).xpath("//*[@data-whom-add]")
    values = {**DONOR, **MONEY["/pledges/new"], "go": "check"}
    assert errors(grants.submit(f"/pledges/new?commitment={made}", values, status=422))
    assert of_money(app)[1] == {"Fund of the Harbour": []}


@pytest.mark.parametrize("path", MONEY)
def test_who_may_not_record_money_adds_no_donor(app, browser, path):
    for name in ("officer", "viewer"):
        client = browser(name)
        client.get(path, status=403)
        sent = client.client.post(path, data={"csrf_token": client.token(), **DONOR, **MONEY[path], "go": "save"})
        assert sent.status_code == 403, name
    assert of_money(app) == ([], {})


def test_a_donor_is_added_by_those_who_may_record_contacts(app):
    """No role records money and no contacts; if one ever does, the service says no, and nothing is kept."""

    def work(actor, office):
        grants = {office: frozenset({Permission.MONEY_WRITE, Permission.RECORD_SEE})}
        new = NewPledge(office, None, Money(Decimal(5), "EUR"), date(2026, 1, 5), new_donor=NewParty("organisation", "Harbour Fund"))
        with pytest.raises(Denied):
            record_pledge(replace(actor, grants=grants), new)
        with pytest.raises(Invalid):
            record_pledge(actor, replace(new, new_donor=None))

    in_world(app, "grants", work)
    assert of_money(app) == ([], {})


# --- asked back --------------------------------------------------------------------------------------------------------


def test_an_unknown_name_is_a_question_and_no_error(app, browser):
    answer = send(browser("officer"), **{"party-text": "Rania Haddad", "summary": "Said"})
    page = tree(answer)
    assert answer.status_code == 422, "nothing is saved"
    assert not page.findtext(".//title").startswith("Error")
    assert not page.xpath("//*[@aria-invalid='true'] | //p[@class='field-error']")
    (asked,) = page.xpath("//*[@role='alert']")
    assert "One question first" in asked.text_content()
    target = asked.xpath(".//a/@href")[0].removeprefix("#")
    assert page.get_element_by_id(target).get("value") == "new:person"
    assert "not on record yet" in page.xpath("//fieldset[@data-whom-options]/legend")[0].text_content()


def test_what_is_wrong_besides_is_still_an_error_and_the_question_stands_with_it(app, browser):
    answer = send(browser("officer"), **{"party-text": "Rania Haddad", "summary": ""})
    found = " ".join(errors(answer))
    assert tree(answer).findtext(".//title").startswith("Error")
    assert "not on record yet" in found
    assert "Write one sentence" in found


def test_who_may_be_the_same_is_named_once_before_somebody_is_added(app, browser):
    known = make_party(app, "Rania Hadad", "person")
    officer = browser("officer")
    answer = send(officer, **NEW)
    assert answer.status_code == 422
    page = tree(answer)
    offered = page.xpath("//input[@name='party-choice']/@value")
    assert offered == [str(known), "new:person", "new:organisation", "new:group"]
    assert page.xpath("//input[@name='party-choice'][@checked]/@value") == ["new:person"]
    assert count(app, Interaction) == 0
    form = next(form for form in page.forms if form.method == "POST" and (form.action or "").endswith(LOG))
    values = dict(form.form_values())
    again = officer.client.post(LOG, data=values)
    assert again.status_code == 303, errors(again)
    twice = officer.client.post(LOG, data=values)
    assert (twice.status_code, twice.location) == (303, again.location), "a double click asks nothing anew"
    pairs = in_world(app, "officer", lambda _a, _o: [(one.one_id, one.other_id) for one in db.session.scalars(select(PartyDistinction))])
    assert [set(pair) for pair in pairs] == [{known, person(app).id}]


def test_who_was_shown_while_typing_is_not_asked_about_again(app, browser):
    known = make_party(app, "Rania Hadad", "person")
    assert send(browser("officer"), **NEW, **{"party-seen": f"{known} junk {uuid.uuid4()}"}).status_code == 303
    assert count(app, Party) == 2


def asked_about(client, typed, path=LOG, field="party", **more):
    """The question, the choices and the ticked ones, after a text was sent without a choice."""
    page = tree(send(client, path, **{f"{field}-text": typed, "summary": "Said"}, **more))
    choices = page.xpath(f"//input[@name='{field}-choice']/@value")
    ticked = page.xpath(f"//input[@name='{field}-choice'][@checked]/@value")
    return page.xpath("//fieldset[@data-whom-options]/legend")[0].text_content(), choices, ticked


@pytest.mark.parametrize("more", [{}, {"look-up": "party"}])
def test_a_part_of_a_name_in_another_script_is_found_when_it_is_sent_as_when_it_is_typed(app, browser, more):
    """On a slow phone the suggestions come too late: the form asks about the same parties."""
    known = make_party(app, "محمد الخطيب", "person")
    officer = browser("officer")
    assert suggested(officer, q="khatib", add="1")[0]["value"] == str(known)
    question, offered, ticked = asked_about(officer, "khatib", **more)
    assert question == "Did you mean “محمد الخطيب”? Nothing is saved yet."
    assert offered == [str(known), "new:person", "new:organisation", "new:group"]
    assert ticked == [str(known)]
    assert count(app, Interaction) == 0


def test_a_later_word_of_a_name_is_found_beside_those_that_begin_with_it(app, browser):
    known = {make_party(app, "Haddad Brothers"), make_party(app, "Rania Haddad", "person")}
    question, offered, ticked = asked_about(browser("officer"), "haddad")
    assert question.startswith("More than one party may be meant.")
    assert {uuid.UUID(value) for value in offered if not value.startswith("new:")} == known
    assert ticked == []


def test_a_name_that_is_only_nearly_so_is_asked_about_and_not_ticked(app, browser):
    near = make_party(app, "Lina Haddar", "person")
    question, offered, ticked = asked_about(browser("officer"), "haddad")
    assert question == "Did you mean “Lina Haddar”? Nothing is saved yet."
    assert offered == [str(near), "new:person", "new:organisation", "new:group"]
    assert ticked == []


def test_nobody_of_another_office_and_nobody_of_whom_the_word_is_only_said_is_asked_about(app, browser):
    make_party(app, "Kenyan Haddad", "person", who="other")
    partner = NewParty("organisation", "Partner", about="Founded by Haddad.")
    in_world(app, "officer", lambda actor, office: create_party(actor, office, partner))
    question, offered, _ticked = asked_about(browser("officer"), "haddad")
    assert "is not on record yet" in question
    assert offered == ["new:person", "new:organisation", "new:group"]


def test_an_ask_chosen_before_the_donor_is_shown_as_what_the_pledge_answers(app, browser):
    """Opened from an ask, given by somebody else: the check says so, and a refused form keeps it."""
    addressee = make_party(app, "Fund of the Harbour")

    def ask(actor, office):
        return create_ask(
            actor, NewAsk(office_id=office, addressee_id=addressee, sentence="Pay for the harbour clinic", by_when=date(2026, 12, 31))
        )

    key = in_world(app, "grants", ask)
    client = browser("grants")
    new = {"donor-text": "Zeta Trust", "donor-choice": "new:organisation", "donor-choice_for": "Zeta Trust"}
    sent = {"csrf_token": client.token(), **new, **MONEY["/pledges/new"], "ask_id": str(key)}
    check = tree(client.client.post("/pledges/new", data={**sent, "go": "check"}))
    assert "Pay for the harbour clinic" in check.text_content()
    refused = tree(client.client.post("/pledges/new", data={**sent, "amount": "x", "go": "check"}))
    assert refused.xpath("//select[@name='ask_id']/option[@selected]/@value") == [str(key)]
