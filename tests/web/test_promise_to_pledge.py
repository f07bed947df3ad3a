"""The way from what was heard at a meeting to a pledge through the pages, and what headquarters reads of an office's own words."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from crm import clock
from crm.db import db
from crm.models.commitments import Commitment
from crm.models.pledges import Pledge
from crm.queries import commitments as queries
from crm.services import commitments, interactions
from crm.services.checking import Opened
from crm.services.commitments import NewCommitment
from crm.services.interactions import NewInteraction
from tests.factories import money as made
from tests.factories.browser import errors, tree
from tests.web.test_interactions import count, in_world, make_meeting, make_party
from tests.web.test_pledges import confirm, text_of
from tests.web.test_promises import make_promise

TODAY_IN = "Asia/Amman"
TODAY = clock.today(TODAY_IN)
SECRET = "EUR 10 million, whispered as heronfeather"


def heard(app, *, level="open", words="EUR 10 million by June."):
    party = make_party(app, "Ministry of Northland")

    def work(actor, office):
        at = clock.now() - timedelta(hours=3)
        said_at = interactions.log_interaction(
            actor, NewInteraction(office, "held", "meeting", at, party, summary="Heron talk", purpose="Heron purpose", level=level)
        )
        new = NewCommitment(office, party, "financial", words, TODAY, due_on=date(2027, 6, 30), interaction_id=said_at)
        return said_at, commitments.record_commitment(actor, new)

    return in_world(app, "grants", work)


def form_of(browser, path):
    page = tree(browser.get(path))
    return next(dict(form.form_values()) for form in page.forms if form.method == "POST" and "sign-out" not in (form.action or ""))


def test_from_the_meeting_to_the_pledge_by_its_link(app, browser):
    """Domain 0.1: the link carries the promise, the form knows what it said, and saving makes the pledge on its key."""
    said_at, promise = heard(app)
    grants = browser("grants")
    for page in (f"/interactions/{said_at}", f"/commitments/{promise}"):
        links = [href for href in tree(grants.get(page)).xpath("//a/@href") if href.startswith("/pledges/new")]
        assert links, page
        assert all(f"commitment={promise}" in href for href in links), links
    values = form_of(grants, links[0])
    assert values["amount"] == "10000000.00"
    assert (values["donor-text"], values["words"].strip(), values["currency"]) == (
        "Ministry of Northland",
        "EUR 10 million by June.",
        "EUR",
    )
    assert values["pledged_on"] == TODAY.isoformat()
    assert (values["plan-0-due_on"], values["interaction_id"]) == ("2027-06-30", str(said_at))
    _seen, answer = confirm(grants, links[0], {})
    assert answer.location.endswith(f"/pledges/{promise}")
    assert count(app, Commitment) == count(app, Pledge) == 1
    assert grants.get(f"/commitments/{promise}", status=302).location.endswith(f"/pledges/{promise}")
    assert grants.get(links[0], status=302).location.endswith(f"/pledges/{promise}")
    page = tree(grants.get(f"/interactions/{said_at}"))
    assert not [href for href in page.xpath("//a/@href") if href.startswith("/pledges/new")]


def test_what_cannot_become_a_pledge_says_why_and_offers_no_form(app, browser):
    promise = make_promise(app, "grants")
    page = browser("grants").get(f"/pledges/new?commitment={promise}")
    assert "not a promise of money" in text_of(page)
    assert not tree(page).xpath("//input[@name='amount']")
    browser("other-grants").get(f"/pledges/new?commitment={promise}", status=404)
    browser("officer").get(f"/pledges/new?commitment={promise}", status=403)
    browser("grants").get("/pledges/new?commitment=0190b1de-0000-7000-8000-000000000000", status=404)


def test_a_promise_changed_meanwhile_is_settled_on_a_page(app, browser):
    """409: yours, theirs and the original; the choice travels through the check page."""
    _said_at, promise = heard(app)
    grants = browser("grants")
    path = f"/pledges/new?commitment={promise}"
    values = form_of(grants, path)

    def change(actor, office):
        record = queries.get(promise)
        new = NewCommitment(office, record.party_id, "financial", "EUR 10 million by July.", TODAY, interaction_id=record.interaction_id)
        commitments.edit_commitment(actor, promise, new, Opened(1))

    in_world(app, "grants", change)
    answer = grants.client.post(path, data={**values, "words": "EUR 10 million by May.", "go": "check"})
    assert answer.status_code == 409, errors(answer)
    text = text_of(answer)
    for part in ("EUR 10 million by June.", "EUR 10 million by July.", "EUR 10 million by May."):
        assert part in text, part
    sent = next(dict(form.form_values()) for form in tree(answer).forms if form.method == "POST" and "sign-out" not in (form.action or ""))
    checked = grants.client.post(path, data={**sent, "choose-words": "theirs"})
    assert checked.status_code == 200, errors(checked)
    kept = next(dict(form.form_values()) for form in tree(checked).forms if form.method == "POST" and "sign-out" not in (form.action or ""))
    saved = grants.client.post(path, data={**kept, "go": "save"})
    assert saved.status_code == 303, errors(saved)
    assert "EUR 10 million by July." in text_of(grants.get(saved.location))


def test_headquarters_reads_the_amount_and_not_the_words(app, browser):
    """Decision 0008, on every page that could say it: pledge, history, lists, searches, the party's page, the contact."""
    said_at, promise = heard(app, level="office", words=SECRET)
    _seen, answer = confirm(browser("grants"), f"/pledges/new?commitment={promise}", {})
    assert "heronfeather" in text_of(browser("grants").get(answer.location))
    hq = browser("hq")
    page = text_of(hq.get(f"/pledges/{promise}"))
    assert "EUR 10,000,000.00" in page
    assert "The words are kept at the office." in page
    party = tree(hq.get(f"/pledges/{promise}")).xpath("//a[starts-with(@href, '/parties/')]/@href")
    paths = [
        f"/pledges/{promise}",
        f"/pledges/{promise}/history",
        "/pledges/",
        "/pledges/?q=heron",
        "/commitments/",
        "/interactions/",
        "/",
        *party,
    ]
    for path in paths:
        text = hq.get(path).get_data(as_text=True)
        assert "heronfeather" not in text, path
        assert "Heron " not in text, path
        assert str(said_at) not in text, path
    for path in (f"/interactions/{said_at}", f"/commitments/{promise}/edit"):
        assert hq.client.get(path).status_code in (403, 404)
    assert hq.get(f"/commitments/{promise}", status=302).location.endswith(f"/pledges/{promise}")
    for path in ("/parties/", "/commitments/", "/interactions/", "/pledges/"):
        assert "heronfeather" not in hq.get(f"{path}?q=Heron").get_data(as_text=True), path
    assert "heronfeather" not in hq.client.get("/parties.csv").get_data(as_text=True)


@pytest.mark.parametrize(
    ("name", "begins"),
    [("وزارة المالية", "\u200e\u2068وزارة المالية\u2069 pledged"), ("Kingdom of Northland", "Kingdom of Northland pledged")],
)
def test_the_sentence_that_a_pledge_begins_with_reads_in_its_own_direction(app, browser, name, begins):
    """An element that takes its direction from the first letter would take the name's: "pledged EUR 5" stood on the wrong side of it."""
    donor = make_party(app, name)
    key = in_world(app, "grants", lambda actor, _office: made.pledge(actor, donor, made.eur(5)))
    said = in_world(app, "grants", lambda _a, _o: db.session.get_one(Commitment, key).words)
    assert said == f"{begins} EUR 5.00."
    grants = browser("grants")
    assert said in grants.get("/commitments/").get_data(as_text=True)
    for words in (name, "pledged"):
        found = grants.client.get("/search", query_string={"q": words, "kind": "commitments"}).get_data(as_text=True)
        assert f"/commitments/{key}" in found or f"/pledges/{key}" in found, words


def test_the_name_of_a_cancelled_meeting_moves_nothing_around_it(app, browser):
    meeting = make_meeting(app, make_party(app, "وزارة المالية"), state="planned", summary="", starts_at=clock.now() + timedelta(days=2))
    page = browser("officer").get(f"/interactions/{meeting}/cancel").get_data(as_text=True)
    assert "\u2068وزارة المالية\u2069, " in page
