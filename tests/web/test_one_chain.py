"""One chain on every page: the furthest its money has come, under the pledge's reference, to the pledge's own programme."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from crm import clock
from crm.db import db
from crm.models.commitments import Commitment
from crm.models.pledges import Pledge
from crm.services import asks, commitments, pledges
from crm.services.interactions import NewInteraction, log_interaction
from tests.factories import money as made
from tests.factories.browser import errors, tree
from tests.factories.counting import count_statements
from tests.web.test_interactions import count, in_world, make_party

TODAY_IN = "Asia/Amman"
TODAY = clock.today(TODAY_IN)


@pytest.fixture
def story(app):
    """An ask for one programme, a meeting planned for it, and a promise of money heard at it."""
    donor = make_party(app, "Ministry of Northland")

    def work(actor, office):
        asked, other = made.programme(actor, "Clinics asked for"), made.programme(actor, "Water pledged for")
        ask = asks.create_ask(actor, asks.NewAsk(office, donor, "Give ten million euro.", programme_id=asked))
        at = clock.now() - timedelta(hours=3)
        meeting = log_interaction(actor, NewInteraction(office, "held", "meeting", at, donor, summary="A long talk", ask_id=ask))
        promise = commitments.record_commitment(
            actor,
            commitments.NewCommitment(
                office, donor, "financial", "EUR 10 million for children.", TODAY, interaction_id=meeting, ask_id=ask, programme_id=asked
            ),
        )
        return {"ask": ask, "meeting": meeting, "promise": promise, "asked": asked, "other": other, "donor": donor}

    return in_world(app, "grants", work)


def pledge_it(app, story, **more):
    def work(actor, office):
        new = pledges.NewPledge(
            office,
            story["donor"],
            made.eur(10_000_000),
            TODAY,
            commitment_id=story["promise"],
            interaction_id=story["meeting"],
            ask_id=story["ask"],
            **{"programme_id": story["other"], **more},
        )
        key = pledges.record_pledge(actor, new)
        return key, db.session.get_one(Pledge, key).reference, db.session.get_one(Commitment, key).reference

    return in_world(app, "grants", work)


def strip(browser, path):
    return " ".join(tree(browser.get(path)).xpath("//ol[@class='chain']")[0].text_content().split())


def pages(story):
    return f"/asks/{story['ask']}", f"/interactions/{story['meeting']}", f"/parties/{story['donor']}"


def test_every_page_shows_the_furthest_stage_under_one_reference_and_one_programme(app, browser, story):
    key, reference, heard_as = pledge_it(app, story)
    grants = browser("grants")
    assert reference.startswith("JOR-PL-")
    assert heard_as.startswith("JOR-CO-")

    def all_say(words):
        for path in pages(story):
            shown = strip(grants, path)
            assert words in shown, (path, shown)
            assert shown.count(reference) == 2, (path, shown)
            assert heard_as not in shown, path
            assert "Water pledged for" in shown, path
            assert "Clinics asked for" not in shown, path

    all_say("EUR 10.0 m pledged")
    signed = in_world(app, "grants", lambda a, _o: made.agreement(a, made.eur(9_000_000), pledge_id=key, signed_on=TODAY))
    all_say("EUR 9.0 m signed")
    in_world(app, "grants", lambda a, _o: made.receipt(a, made.eur(7_500_000), TODAY, agreement_id=signed))
    all_say("EUR 7.5 m of EUR 9.0 m received")
    for path in pages(story):
        assert heard_as not in tree(grants.get(path)).text_content(), path


def test_the_programme_lists_the_asks_whose_pledges_go_to_it(app, browser, story):
    grants = browser("grants")
    assert "Give ten million euro." not in grants.get(f"/programmes/{story['other']}").get_data(as_text=True)
    pledge_it(app, story)
    page = grants.get(f"/programmes/{story['other']}").get_data(as_text=True)
    assert "Give ten million euro." in page
    assert "its pledge goes here" in page
    asked = grants.get(f"/programmes/{story['asked']}").get_data(as_text=True)
    assert "Give ten million euro." in asked
    assert "its pledge goes here" not in asked


def test_a_narrow_promise_tells_headquarters_nothing_of_where_an_ask_led(app, browser, story):
    """Decision 8: the words of an office are its own; that they answered an ask is among them."""

    def narrow(actor, office):
        new = commitments.NewCommitment(
            office, story["donor"], "financial", "EUR 1 million, in confidence.", TODAY, ask_id=story["ask"], level="office"
        )
        promise = commitments.record_commitment(actor, new)
        return pledges.record_pledge(
            actor,
            pledges.NewPledge(
                office,
                story["donor"],
                made.eur(1_000_000),
                TODAY,
                commitment_id=promise,
                ask_id=story["ask"],
                programme_id=story["other"],
            ),
        )

    in_world(app, "grants", narrow)
    assert "Give ten million euro." in browser("grants").get(f"/programmes/{story['other']}").get_data(as_text=True)
    hq = browser("hq")
    assert "Give ten million euro." not in hq.get(f"/programmes/{story['other']}").get_data(as_text=True)
    assert "Clinics asked for" in strip(hq, f"/asks/{story['ask']}")
    assert "EUR 1.0 m" not in strip(hq, f"/asks/{story['ask']}")


def test_the_pledge_form_says_where_the_chain_will_lead(app, browser, story):
    grants = browser("grants")
    path = f"/pledges/new?commitment={story['promise']}"
    assert "The ask was for" not in grants.get(path).get_data(as_text=True)
    seen = grants.submit(path, {"programme_id": str(story["other"]), "go": "check"}, status=200)
    assert "The ask was for Clinics asked for; the chain will lead to Water pledged for." in tree(seen).text_content()
    seen = grants.submit(path, {"programme_id": "", "go": "check"}, status=200)
    assert "this pledge names no programme" in tree(seen).text_content()
    refused = grants.submit(path, {"programme_id": str(story["other"]), "amount": "ten", "go": "check"}, status=422)
    assert "the chain will lead to Water pledged for" in tree(refused).text_content(), errors(refused)
    assert count(app, Pledge) == 0


def test_a_promise_without_a_programme_is_judged_by_its_ask_and_its_words(app, browser, story):
    """The SMART check and the chain say the same; the pledge's form starts from the ask's programme too."""

    def work(actor, office):
        new = commitments.NewCommitment(office, story["donor"], "financial", "EUR 2 million by June.", TODAY, ask_id=story["ask"])
        return commitments.record_commitment(actor, new)

    promise = in_world(app, "grants", work)
    grants = browser("grants")
    assert "Clinics asked for" in strip(grants, f"/commitments/{promise}")
    page = tree(grants.get(f"/commitments/{promise}"))
    points = {" ".join(item.text_content().split()) for item in page.xpath("//ul[@class='smart']/li")}
    assert "How much or how many" in points
    assert "For which programme and place(missing)" in points, "the programme has no place"
    in_world(app, "grants", lambda a, _o: _place(a, story["asked"]))
    page = tree(grants.get(f"/commitments/{promise}"))
    points = {" ".join(item.text_content().split()) for item in page.xpath("//ul[@class='smart']/li")}
    assert "For which programme and place" in points
    _target, values = grants.fields(f"/pledges/new?commitment={promise}")
    assert values["programme_id"] == str(story["asked"])


def _place(actor, programme):
    from crm.services import programmes

    programmes.edit_programme(
        actor,
        programme,
        programmes.ProgrammeInput(title="Clinics asked for", starts_on=date(2022, 1, 1), place_text="Mafraq", currency="USD"),
        version=1,
    )


def test_the_statements_of_an_asks_page_do_not_grow_with_its_pledges(app, browser, story):
    key, _reference, _heard = pledge_it(app, story)
    in_world(app, "grants", lambda a, _o: made.agreement(a, made.eur(1_000_000), pledge_id=key, signed_on=TODAY))
    grants = browser("grants")

    def sent():
        with count_statements(app) as statements:
            grants.get(f"/asks/{story['ask']}")
        return statements.count

    sent()
    few = sent()

    def more(actor, office):
        for _number in range(4):
            new = commitments.NewCommitment(office, story["donor"], "financial", "EUR 3 million.", TODAY, ask_id=story["ask"])
            promise = commitments.record_commitment(actor, new)
            pledged = pledges.record_pledge(
                actor,
                pledges.NewPledge(office, story["donor"], made.eur(3_000_000), TODAY, commitment_id=promise, ask_id=story["ask"]),
            )
            made.agreement(actor, made.eur(1_000_000), pledge_id=pledged, signed_on=TODAY)

    in_world(app, "grants", more)
    assert sent() == few


def test_signed_and_the_rest_lapsed_is_not_signed_in_full(app, browser, story):
    """M3: what lapsed was never signed; a cut before the signature is another pledge, signed in full."""
    key, reference, _heard = pledge_it(app, story)
    grants = browser("grants")

    def words():
        page = tree(grants.get(f"/pledges/{key}"))
        badge = " ".join(page.xpath("//div[@class='record-head']//span[starts-with(@class, 'badge')]")[0].text_content().split())
        row = tree(grants.get("/pledges/")).xpath("//tbody/tr")[0].text_content()
        assert badge in " ".join(row.split()), row
        return badge

    assert words() == "Outstanding"
    in_world(app, "grants", lambda a, _o: made.agreement(a, made.eur(9_000_000), pledge_id=key, signed_on=TODAY))
    assert words() == "Partly signed"
    in_world(app, "grants", lambda a, _o: pledges.change_pledge(a, key, pledges.PledgeChange("lapse", TODAY, "The year ended.")))
    assert words() == "Signed; the rest lapsed"
    for status, is_there in (("part-lapsed", True), ("converted", False), ("lapsed", False)):
        rows = tree(grants.get(f"/pledges/?status={status}")).xpath("//tbody//*[contains(@class, 'reference')]/text()")
        assert (reference in rows) is is_there, status


def test_a_pledge_cut_and_then_signed_is_signed_in_full(app, browser, story):
    key, _reference, _heard = pledge_it(app, story)

    def work(actor, _office):
        pledges.change_pledge(actor, key, pledges.PledgeChange("reduction", TODAY, "Parliament cut it.", made.eur(1_000_000)))
        made.agreement(actor, made.eur(9_000_000), pledge_id=key, signed_on=TODAY)

    in_world(app, "grants", work)
    assert "Signed in full" in browser("grants").get(f"/pledges/{key}").get_data(as_text=True)


def test_the_highlighted_button_is_the_next_step(app, browser, story):
    key, _reference, _heard = pledge_it(app, story)
    grants = browser("grants")

    def highlighted(path):
        return [
            " ".join(link.text_content().split()) for link in tree(grants.get(path)).xpath("//main//a[contains(@class, 'button-primary')]")
        ]

    assert highlighted(f"/pledges/{key}") == ["Sign the agreement"]
    signed = in_world(app, "grants", lambda a, _o: made.agreement(a, made.eur(9_000_000), pledge_id=key, signed_on=TODAY))
    assert highlighted(f"/pledges/{key}") == ["Record a receipt"]
    in_world(app, "grants", lambda a, _o: made.receipt(a, made.eur(9_000_000), TODAY, agreement_id=signed))
    assert highlighted(f"/pledges/{key}") == ["Sign the rest"]
    assert "Record a receipt" not in highlighted(f"/agreements/{signed}")
    programme = f"/programmes/{story['other']}"
    assert highlighted(programme) == ["Say what it needs"]
    grants.submit(f"{programme}/requirements/new", {"year": str(TODAY.year), "amount": "90,000,000", "currency": "USD", "source": "plan"})
    assert highlighted(programme) == ["Record a pledge"]


def test_the_check_page_says_each_amount_once_and_no_reference_that_is_not_there(browser, story):
    grants = browser("grants")
    seen = grants.submit(f"/pledges/new?commitment={story['promise']}", {"go": "check"}, status=200)
    page = " ".join(tree(seen).xpath("//dl")[0].text_content().split())
    assert page.count("EUR 10,000,000.00") == 1, page
    assert "JOR-PL-" not in page
    assert "no EUR-USD rate" in page
    assert "– A long talk" in page, "an interaction without a purpose is known by what was said at it"
