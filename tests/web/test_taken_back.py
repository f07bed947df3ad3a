"""A pledge that was taken back was never made: it stands in no chain, timeline, list, pack or count until it is asked for, and where
it is shown it is called so, by hand or by the undo of an import alike."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from crm import clock
from crm.db import db
from crm.models.documents import Document
from crm.models.pledges import Pledge
from crm.queries import briefing, documents, home, money_choices, programmes, search, sheet_money, timeline
from crm.queries.figures.chains import donor_money
from crm.services import allocations, asks, commitments, pledges, receipts
from crm.services.interactions import NewInteraction, log_interaction
from tests.factories import money as made
from tests.factories.browser import tree
from tests.factories.counting import statements_of
from tests.factories.parties import standing
from tests.web.test_interactions import in_world, make_party

TODAY = clock.today("Asia/Amman")


@pytest.fixture
def story(app):
    """A donor who was asked at a meeting and pledged for clinics; then a pledge for water was brought in by mistake and taken back."""
    donor = make_party(app, "Kingdom of Northland")

    def work(actor, office):
        clinics, water = made.programme(actor, "Clinics pledged for"), made.programme(actor, "Water by mistake")
        ask = asks.create_ask(actor, asks.NewAsk(office, donor, "Give ten million euro."))
        at = clock.now() - timedelta(hours=3)
        meeting = log_interaction(actor, NewInteraction(office, "held", "meeting", at, donor, summary="A long talk", ask_id=ask))
        found = {"donor": donor, "ask": ask, "meeting": meeting, "clinics": clinics, "water": water, "office": office}

        def pledge(amount, on, words, **more):
            return pledges.record_pledge(
                actor, pledges.NewPledge(office, donor, made.eur(amount), on, words=words, interaction_id=meeting, ask_id=ask, **more)
            )

        found["real"] = pledge(7_000_000, TODAY - timedelta(days=20), "Seven million for clinics.", programme_id=clinics)
        found["gone"] = pledge(3_000_000, TODAY, "Three million for water.", programme_id=water, donor_reference="ROW-3")
        pledges.take_back_pledge(actor, found["gone"], "Brought in twice")
        found |= {name: db.session.get_one(Pledge, found[key]).reference for name, key in (("stays", "real"), ("back", "gone"))}
        return found

    return in_world(app, "grants", work)


def shown(client, path):
    return " ".join(tree(client.get(path)).text_content().split())


def strip(client, path):
    return " ".join(tree(client.get(path)).xpath("//ol[@class='chain']")[0].text_content().split())


def test_it_stands_in_no_chain(app, browser, story):
    grants = browser("grants")
    paths = [f"/parties/{story['donor']}", f"/asks/{story['ask']}", f"/interactions/{story['meeting']}"]
    for path in paths:
        chain = strip(grants, path)
        assert story["stays"] in chain, (path, chain)
        assert "EUR 7.0 m pledged" in chain, (path, chain)
        assert "Clinics pledged for" in chain, (path, chain)
    in_world(app, "grants", lambda a, _o: pledges.take_back_pledge(a, story["real"], "Brought in twice too"))
    for path in paths:
        chain = strip(grants, path)
        assert "No commitment yet" in chain, (path, chain)
        assert "No money yet" in chain, (path, chain)
        assert "-PL-" not in chain, (path, chain)
    for path in paths[1:]:
        assert shown(grants, path).count("Taken back") == 2, path
        assert "Overtaken" not in shown(grants, path), path


def test_its_own_page_says_so_and_offers_no_signature(browser, story):
    grants = browser("grants")
    assert f"{story['back']} Taken back" in strip(grants, f"/pledges/{story['gone']}")
    for key, offers in (("real", 1), ("gone", 0)):
        page = tree(grants.get(f"/pledges/{story[key]}"))
        assert len(page.xpath("//ol[@class='chain']/li[3]//a")) == offers, key


def test_a_meeting_goes_on_with_its_ask_where_only_a_mistake_was_promised_at_it(app, browser, story):
    """A meeting at which nothing was promised shows what was promised in answer to its ask."""

    def work(actor, office):
        at = clock.now() - timedelta(hours=2)
        other = log_interaction(actor, NewInteraction(office, "held", "call", at, story["donor"], summary="Said", ask_id=story["ask"]))
        key = pledges.record_pledge(
            actor, pledges.NewPledge(office, story["donor"], made.eur(5), TODAY, words="Five.", interaction_id=other)
        )
        pledges.take_back_pledge(actor, key, "Mistake")
        return other

    assert story["stays"] in strip(browser("grants"), f"/interactions/{in_world(app, 'grants', work)}")


def test_the_page_and_the_timeline_of_its_donor_do_not_say_it_was_promised(app, browser, story):
    page = shown(browser("grants"), f"/parties/{story['donor']}")
    for words in (story["back"], "EUR 0.00", "Overtaken", "Three million for water"):
        assert words not in page, words
    assert "Pledged EUR 7,000,000.00" in page

    def events(_actor, _office):
        return [(one.kind, one.record.id) for one in timeline.timeline_of(story["donor"]).events]

    found = in_world(app, "grants", events)
    assert ("pledge", story["real"]) in found
    assert story["gone"] not in {key for _kind, key in found}
    found = in_world(app, "grants", lambda _a, _o: standing(story["donor"], clock.now()))
    assert found.theirs_count == 1


def listed(client, address):
    text = client.get(address.replace("/?", ".csv?")).get_data(as_text=True).lstrip("\ufeff")
    rows = {row["What was promised"]: row["Status"] for row in csv.DictReader(io.StringIO(text))}
    page = tree(client.get(address)).xpath("//table[contains(@class, 'table-rows')]/tbody/tr//a//text()")
    assert [words.strip() for words in page if words.strip()] == list(rows), address
    return rows


def test_the_list_of_commitments_leaves_it_out_until_asked_for(app, browser, story):
    grants, mistake = browser("grants"), "Three million for water."
    both = {"Seven million for clinics.", mistake}
    assert set(listed(grants, "/commitments/?sort=made")) == both - {mistake}
    assert listed(grants, "/commitments/?back=only") == {mistake: "Taken back"}
    assert listed(grants, "/commitments/?status=taken-back") == {mistake: "Taken back"}
    assert listed(grants, "/commitments/?back=shown")[mistake] == "Taken back"
    assert set(listed(grants, "/commitments/?back=shown")) == both
    assert set(listed(grants, "/commitments/?back=strange")) == both - {mistake}
    for status in ("overtaken", "unverified", "late", "kept"):
        for back in ("", "&back=shown", "&back=only"):
            assert not listed(grants, f"/commitments/?status={status}{back}"), (status, back)
    assert set(listed(grants, "/commitments/?status=open&back=shown")) == both - {mistake}
    page = tree(grants.get("/commitments/?back=only"))
    assert "Only those taken back" in " ".join(page.text_content().split())
    assert "back=only" in grants.submit(page.xpath("//a[text()='Save this list']/@href")[0], {"name": "Mistakes"}).location


def test_one_that_was_opened_again_is_still_taken_back(app, browser, story):
    """Its outcome can be said anew; that changes nothing of what it is."""

    def work(actor, _office):
        commitments.declare_outcome(
            actor, story["gone"], outcome="", on=None, note="", version=db.session.get_one(Pledge, story["gone"]).commitment.version
        )

    in_world(app, "grants", work)
    grants = browser("grants")
    assert len(listed(grants, "/commitments/?status=open")) == 1
    assert listed(grants, "/commitments/?back=only") == {"Three million for water.": "Taken back"}
    assert in_world(app, "grants", lambda _a, _o: standing(story["donor"], clock.now())).theirs_count == 1


def test_the_palette_does_not_offer_it_and_search_says_what_it_is(app, browser, story):
    grants = browser("grants")
    offered = grants.client.get("/search/suggest?q=").json["groups"]
    recent = next(group["items"] for group in offered if group["label"] == "Recent")
    assert [item["url"] for item in recent if "/pledges/" in item["url"]] == [f"/pledges/{story['real']}"]
    assert "Three million" not in shown(grants, "/search")
    for text in ("ROW-3", "three million water", story["back"]):
        items = [item for group in grants.client.get(f"/search/suggest?q={text}").json["groups"] for item in group["items"]]
        hit = next(item for item in items if str(story["gone"]) in item["url"])
        assert "Taken back" in hit["note"], text
        assert "0.00" not in hit["title"], text
        page = shown(grants, f"/search?q={text}")
        assert "Taken back" in page, text
        assert "EUR 0.00" not in page, text
    assert "Taken back" not in shown(grants, "/search?q=seven million")
    found = in_world(app, "hq", lambda who, _o: search.recent(who, nouns=("commitments", "pledges"), most=4))
    assert {hit.id for group in found for hit in group.hits} == {story["real"]}


def test_a_pack_neither_follows_it_nor_misses_it(app, story):
    def work(_actor, _office):
        before = clock.now() - timedelta(days=1)
        since = documents.changed_since(Document(party_id=story["donor"], created_at=before), ())
        followed = [chain.pledge.id for chain in donor_money([story["donor"]], TODAY, "EUR").chains if chain.pledge]
        meeting = briefing.meeting(story["meeting"], TODAY)
        return since.added, followed, meeting.programme.id, [one.id for one in briefing.promises(meeting, TODAY)]

    added, followed, programme, promised = in_world(app, "grants", work)
    assert added == 3, "the ask, the meeting and the pledge that stays"
    assert followed == [story["real"]]
    assert programme == story["clinics"]
    assert promised == [story["real"]]


def test_it_leads_nowhere_and_misses_no_rate(app, browser, story):
    def work(actor, office):
        key = made.pledge(actor, story["donor"], made.usd(5), pledged_on=TODAY)
        pledges.take_back_pledge(actor, key, "Mistake")
        found = programmes.programme_detail(story["water"])
        names = sheet_money.agreement_names(office)
        return found.pledge_count, money_choices.asks_for(story["water"]), home._without_rate(office), names

    count, led, without, names = in_world(app, "grants", work)
    assert (count, led) == (0, [])
    assert without == in_world(app, "grants", lambda _a, office: home._without_rate(office))
    assert story["stays"] in names
    assert not {story["back"], "ROW-3"} & set(names)
    assert "EUR 0.00" not in shown(browser("grants"), f"/programmes/{story['water']}")


def test_the_statements_of_pages_do_not_grow_with_what_was_taken_back(app, browser, story):
    grants = browser("grants")
    paths = ("/commitments/", "/search", f"/parties/{story['donor']}", f"/interactions/{story['meeting']}", f"/asks/{story['ask']}")

    statements_of(app, grants, paths)
    few = statements_of(app, grants, paths)

    def more(actor, office):
        for number in range(5):
            new = pledges.NewPledge(
                office, story["donor"], made.eur(9), TODAY, words=f"Row {number}", interaction_id=story["meeting"], ask_id=story["ask"]
            )
            pledges.take_back_pledge(actor, pledges.record_pledge(actor, new), "Mistake")

    in_world(app, "grants", more)
    assert statements_of(app, grants, paths) == few


# --- money that came ---------------------------------------------------------------------------------------------------


@pytest.fixture
def money_back(app, story):
    """Two receipts of the donor, one of them taken back, and an allocation of the other that was taken back too."""

    def work(actor, _office):
        stays = made.receipt(
            actor,
            made.eur(400),
            TODAY - timedelta(days=3),
            donor_id=story["donor"],
            office_id=story["office"],
            bank_reference="SWIFT-STAYS",
        )
        gone = made.receipt(
            actor, made.eur(900), TODAY - timedelta(days=2), donor_id=story["donor"], office_id=story["office"], bank_reference="SWIFT-GONE"
        )
        entry = receipts.reverse_receipt(actor, gone, "Another donor's money")
        given = allocations.allocate(
            actor,
            allocations.NewAllocation(allocations.MoneySource(receipt_id=stays), story["clinics"], made.eur(100), TODAY, reason="Beds"),
        )
        undone = allocations.reverse_allocation(actor, given, "Beds came as a gift")
        return {"stays": stays, "gone": gone, "entry": entry, "given": given, "undone": undone}

    return story | in_world(app, "grants", work)


def entry_of(client, donor, key):
    (found,) = tree(client.get(f"/parties/{donor}")).xpath(f"//ol[@class='entries']/li[.//a[contains(@href, '{key}')]]")
    return " ".join(found.text_content().split())


def test_the_timeline_of_a_donor_says_which_money_was_taken_back(browser, money_back):
    for person in ("grants", "officer", "hq"):
        client = browser(person)
        gone, entry, stays = (entry_of(client, money_back["donor"], money_back[name]) for name in ("gone", "entry", "stays"))
        assert "Received EUR 900.00" in gone, person
        assert "Taken back" in gone, person
        assert "Takes a receipt back" in entry, person
        assert "Another donor's money" in entry, person
        assert "Received EUR 400.00" in stays, person
        assert "aken back" not in stays, person


def test_search_says_which_money_was_taken_back_and_by_what(browser, money_back):
    client = browser("grants")
    for text, says in (
        ("SWIFT-GONE", "Taken back"),
        ("another donor's money", "Takes another one back"),
        ("Beds gift", "Takes another one back"),
    ):
        page = shown(client, f"/search?q={text}")
        assert says in page, text
    assert "Taken back" in shown(client, "/search?kind=allocations&q=beds")
    assert "aken back" not in shown(client, "/search?q=SWIFT-STAYS")


def test_money_taken_back_costs_a_donors_page_no_more_statements(app, browser, story, money_back):
    client = browser("grants")
    paths = (f"/parties/{story['donor']}", "/search?q=SWIFT")
    statements_of(app, client, paths)
    few = statements_of(app, client, paths)

    def more(actor, _office):
        for number in range(4):
            key = made.receipt(
                actor, made.eur(5), TODAY, donor_id=story["donor"], office_id=story["office"], bank_reference=f"SWIFT-{number}"
            )
            receipts.reverse_receipt(actor, key, "Mistake")

    in_world(app, "grants", more)
    assert statements_of(app, client, paths) == few
