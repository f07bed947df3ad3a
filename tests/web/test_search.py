"""The page of hits and the palette's suggestions: what they show, to whom, at which price."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.models.codes import Code
from crm.policy import Actor, bind_actor, unscoped
from crm.services import parties, users
from crm.services.interactions import NewInteraction, log_interaction
from crm.services.parties import NewParty
from tests.factories import world
from tests.factories.browser import tree
from tests.factories.counting import statements_of
from tests.factories.parties import make, office_id
from tests.factories.planted import plant

QUERIES = (
    "zz",
    "zzown",
    "zzwon",
    "z",
    "party",
    "zzkenyacanary",
    "zzkenyacanry",
    "log meeting with zz",
    "brief me on zzkenya",
    "KEN-PA-2026-9000-op",
    "",
)


def masked(body: bytes) -> bytes:
    """A page without the token that carries the time."""
    return re.sub(rb'(csrf_token" value=")[^"]*', b"", body)


def text_of(response) -> str:
    return " ".join(tree(response).text_content().split())


def made(app, *names: str, who: str = "officer") -> None:
    with app.app_context():
        actor: Actor = users.actor_by_email(world.address(who))
        bind_actor(actor)
        for name in names:
            make(actor, name)
        bind_actor(None)


def titles(browser, text: str) -> list[str]:
    answer = browser.client.get("/search/suggest", query_string={"q": text})
    assert answer.status_code == 200
    return [item["title"] for group in answer.json["groups"] for item in group["items"]]


def test_hits_are_grouped_and_say_what_they_are(app, browser):
    with app.app_context():
        ids = plant("JOR", "zzown")
    page = browser("officer").get("/search?q=zzown")
    headings = [heading.text_content() for heading in tree(page).xpath("//main//h2")]
    assert headings == [
        "Parties", "Posts", "Interactions", "Asks", "Commitments", "Pledges", "Agreements", "Receipts", "Allocations", "Programmes", "Documents",
    ]  # fmt: skip
    links = set(tree(page).xpath("//main//p[@class='hit-title']/a/@href"))
    assert {f"/parties/{ids['parties']}", f"/interactions/{ids['interactions']}", f"/pledges/{ids['pledges']}"} <= links
    assert "zzown" in {mark.text_content() for mark in tree(page).xpath("//main//mark")}
    for link in links:
        browser("officer").get(link, follow_redirects=True)  # a promise of money is its pledge's page


def test_one_kind_has_pages(app, browser):
    made(app, *(f"Water Board {place}" for place in range(30)))
    officer = browser("officer")
    first = officer.get("/search?q=water&kind=parties")
    assert len(tree(first).xpath("//p[@class='hit-title']")) == 25
    older = tree(first).xpath("//a[text()='Older ones']/@href")[0]
    assert len(tree(officer.get(older)).xpath("//p[@class='hit-title']")) == 5
    assert "seq" not in older


def test_nothing_found_has_a_next_step(app, browser):
    made(app, "Ministry of Health")
    assert "Add a party named “Quixotic”" in text_of(browser("officer").get("/search?q=Quixotic"))
    assert "Add a party" not in text_of(browser("viewer").get("/search?q=Quixotic"))
    assert "holds no letter and no number" in text_of(browser("officer").get("/search?q=!!!"))
    assert "Search everything" in text_of(browser("officer").get("/search?q=Ministry&kind=documents"))
    assert "Spelt alike" in text_of(browser("officer").get("/search?q=minstry"))


def test_without_words_there_is_what_was_recorded_last_or_what_the_page_is_for(app, browser):
    assert "Nothing recorded yet" in text_of(browser("officer").get("/search"))
    made(app, "Ministry of Health")
    assert "Ministry of Health" in text_of(browser("officer").get("/search"))
    assert "Ministry of Health" in titles(browser("officer"), "")


@pytest.mark.parametrize(
    "address",
    [
        "?q=" + "word%20" * 10_000, "?q=%22%20OR%20%22", "?q=a%00b", "?q=%ff%fe", "?q=%F0%9F%98%80", "?q=a", "?q=a&kind=nothing", "?q=a&kind=parties&after=x",
        "?q=a&kind=parties&after=01900000-0000-7000-8000-000000000000", "?q=a&after=01900000-0000-7000-8000-000000000000", "?q=a&q=b", "?kind=parties",
        "?q=" + "%27%3B%20DROP", "?q=" + "x" * 8000,
    ],
)  # fmt: skip
def test_any_question_has_an_answer(app, browser, address):
    made(app, "Ministry of Health")
    officer = browser("officer")
    for path in ("/search", "/search/suggest"):
        assert officer.client.get(path + address).status_code in (200, 414), path


def test_a_foreign_record_is_no_place_to_go_on_from(app, browser):
    made(app, *(f"Water Board {place}" for place in range(3)))
    with app.app_context():
        foreign = plant("KEN", "zzkenya")["parties"]
    officer = browser("officer")
    absent = officer.get("/search?q=water&kind=parties&after=01900000-0000-7000-8000-000000000000")
    assert masked(officer.get(f"/search?q=water&kind=parties&after={foreign}").get_data()) == masked(absent.get_data())


@pytest.mark.parametrize("name", ["officer", "regional", "auditor"])
def test_pages_and_suggestions_are_the_same_with_and_without_the_other_office(app, browser, name):
    with app.app_context():
        plant("JOR", "zzown")
    client = browser(name).client
    paths = [f"{path}?q={text}{kind}" for path in ("/search", "/search/suggest") for text in QUERIES for kind in ("", "&kind=parties")]

    def bodies() -> dict[str, bytes]:
        return {path: masked(client.get(path).get_data()) for path in paths}

    before = bodies()
    with app.app_context():
        plant("KEN", "zzkenyacanary")
        plant("KEN", "zzkenyacanary", level="office")
    assert bodies() == before


def test_an_administrator_gets_no_records(app, browser):
    made(app, "Ministry of Health")
    for path in ("/search?q=ministry", "/search/suggest?q=ministry"):
        assert browser("admin").client.get(path).status_code == 403
        assert browser(None).client.get(path).status_code == 302


def test_the_palette_finds_goes_and_does(app, browser):
    with app.app_context():
        ids = plant("JOR", "zzown")
    officer, grants = browser("officer"), browser("grants")
    assert titles(officer, "zzown")[:2] == ["zzown person", "zzown party"]  # newest first
    assert titles(officer, "zzown party")[0] == "zzown party"
    assert "Log a meeting with zzown party" in titles(officer, "zzown part")
    assert titles(officer, "log meeting with zzown par") == [
        "Log a meeting with zzown party",
        "All results for “log meeting with zzown par”",
    ]
    assert "Pledges" in titles(officer, "pled")
    assert "New pledge" not in titles(officer, "new pledge")
    assert "New pledge" in titles(grants, "new pledge")
    assert titles(grants, "new pledge from zzown pa")[0] == "New pledge from zzown party"
    assert "Log an interaction" not in titles(browser("viewer"), "log")
    answer = grants.client.get("/search/suggest?q=zzown party").json
    urls = [item["url"] for group in answer["groups"] for item in group["items"]]
    assert f"/interactions/new?party={ids['parties']}" in urls
    for url in urls:
        grants.get(url)


@pytest.mark.parametrize("name", ["Agreements", "Receipts", "Follow-ups", "Code lists", "Account", "Pledges", "Offices and people"])
def test_a_page_called_by_its_name_comes_first(app, browser, name):
    typed = "offices" if name == "Offices and people" else name.lower()
    made(app, f"{name} Board")
    for reader in (browser("grants"), browser("viewer")):
        first = reader.get(f"/search/suggest?q={typed}").json["groups"][0]["items"][0]
        assert first["title"] == name
        reader.get(first["url"])
        hits = tree(reader.get(f"/search?q={typed}")).xpath("//main//*[@class='hit-title']/a")
        assert hits[0].text_content() == name
        assert hits[0].get("href") == first["url"]
        assert f"{name} Board" in {hit.text_content() for hit in hits}


def test_a_page_that_one_may_not_open_is_no_way_to_go(app, browser):
    made(app, "Imports Board")
    assert titles(browser("officer"), "imports")[0] == "Imports"
    assert titles(browser("viewer"), "imports")[0] == "Imports Board"
    assert "Go to" not in text_of(browser("viewer").get("/search?q=imports"))
    assert "Go to" not in text_of(browser("officer").get("/search?q=imports&kind=parties"))


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("log call with", "call"), ("log a call with", "call"), ("log phone call with", "call"), ("log visit with", "visit"),
        ("Log Email with", "letter"), ("log e-mail with", "letter"), ("log event with", "event"), ("log interview with", "media"),
        ("plan visit with", "visit"),
    ],
)  # fmt: skip
def test_an_interaction_of_any_kind_is_logged_by_name(app, browser, typed, kind):
    with app.app_context():
        ids = plant("JOR", "zzown")
    officer = browser("officer")
    item = officer.get(f"/search/suggest?q={typed} zzown par").json["groups"][0]["items"][0]
    assert item["title"].endswith("with zzown party")
    assert f"party={ids['parties']}" in item["url"]
    form = tree(officer.get(item["url"]))
    assert form.xpath("//select[@name='kind']/option[@selected]/@value") == [kind]
    assert form.xpath("//input[@name='state']/@value") == ["planned" if typed.startswith("plan") else "held"]
    page = tree(officer.get(f"/search?q={typed} zzown par"))
    assert page.xpath("//main//*[@class='hit-title']/a/@href") == [item["url"]]
    assert titles(browser("viewer"), f"{typed} zzown par")[0] != item["title"]


def test_kinds_have_the_names_of_their_list(app, browser):
    """One that was added is offered, by its name; one that was withdrawn is not."""
    with app.app_context():
        plant("JOR", "zzown")
    admin = browser("admin")
    admin.submit("/code-lists/interaction-kinds/new", {"code": "email", "label": "Email"})
    with app.app_context(), unscoped("test"):
        visit = db.session.scalars(select(Code.id).where(Code.list_name == "interaction-kinds", Code.code == "visit")).one()
    admin.submit(f"/code-lists/entries/{visit}/edit", {"is_withdrawn": "y"})
    officer = browser("officer")
    item = officer.get("/search/suggest?q=log email with zzown party").json["groups"][0]["items"][0]
    assert item["title"] == "Log an interaction with zzown party: Email"
    assert tree(officer.get(item["url"])).xpath("//select[@name='kind']/option[@selected]/@value") == ["email"]
    assert not titles(officer, "log visit with zzown party")[0].startswith("Log a visit")
    form = officer.get("/interactions/new?kind=nothing")
    assert tree(form).xpath("//select[@name='kind']/option[@selected]/@value") == ["meeting"]


def test_the_kinds_are_things_to_do_once_one_is_typed(browser):
    officer = browser("officer")
    assert [title for title in titles(officer, "log") if title.startswith("Log")] == ["Log an interaction"]
    assert [title for title in titles(officer, "log call") if title.startswith("Log")] == ["Log a call"]
    assert "Log a call" not in titles(browser("viewer"), "log call")


def test_what_can_be_said_is_done_from_the_page_too(app, browser):
    """Without a script the box leads here."""
    with app.app_context():
        ids = plant("JOR", "zzown")
    page = browser("officer").get("/search?q=log meeting with zzown par")
    links = dict(zip(*(tree(page).xpath(f"//main//*[@class='hit-title']/a/{what}") for what in ("bdi/text()", "@href")), strict=True))
    assert links == {"Log a meeting with zzown party": f"/interactions/new?party={ids['parties']}"}
    assert "Add a party named" not in text_of(page)
    assert "Nothing found" not in text_of(page)
    viewer = text_of(browser("viewer").get("/search?q=log meeting with zzown par"))
    assert "Log a meeting with" not in viewer
    assert "Nothing found" in viewer


def test_what_is_said_of_a_name_that_is_not_on_record_offers_that_name_alone(app, browser):
    made(app, "Ministry of Health")
    officer = browser("officer")
    for said, name in (
        ("brief me on Xyzz", "Xyzz"),
        ("log meeting with Zzz Néwperson-Qq", "Zzz Néwperson-Qq"),
        ("Plan a visit with  Zzz", "Zzz"),
    ):
        page = officer.get(f"/search?q={quote(said)}")
        assert f"Add a party named “{name}”" in text_of(page)
        assert said.split()[0] not in text_of(page).partition("Add a party named")[2][:40]
        assert f"Add a party named “{name}”" in titles(officer, said)
    item = officer.get("/search/suggest?q=log call with Zzz Newperson").json["groups"][0]["items"][0]
    assert item["title"] == "Log a call with Zzz Newperson"
    form = tree(officer.get(item["url"]))
    assert form.xpath("//input[@name='party-text']/@value") == ["Zzz Newperson"]
    assert form.xpath("//select[@name='kind']/option[@selected]/@value") == ["call"]
    assert "Log a call with Zzz" in text_of(officer.get("/search?q=log call with Zzz"))
    assert "Add a party named" not in " ".join(titles(browser("viewer"), "brief me on xyzz"))


def test_a_brief_is_that_of_the_next_meeting_or_of_one_to_be_planned(app, browser):
    with app.app_context():
        ids = plant("JOR", "zzown")
    answer = browser("officer").client.get("/search/suggest?q=brief me on zzown").json
    by_title = {item["title"]: item for group in answer["groups"] for item in group["items"]}
    assert by_title["Brief me on zzown party"]["url"] == f"/interactions/{ids['planned']}/brief"
    assert "state=planned" in by_title["Brief me on zzown person"]["url"]


def test_suggestions_hold_titles_and_no_text_but_what_an_interaction_is_about(app, browser):
    with app.app_context():
        plant("JOR", "zzown")
        plant("JOR", "zzown", level="office")
    officer = browser("officer")
    body = officer.get("/search/suggest?q=zzown").get_data(as_text=True)
    for text in ("zzown summary", "zzown about", "red line"):
        assert text not in body
    notes = [item["note"] for item in officer.get("/search/suggest?q=zzown").json["groups"][0]["items"] if "/interactions/" in item["url"]]
    assert any(note.startswith("zzown p") for note in notes), notes


@pytest.mark.parametrize(
    ("purpose", "summary", "shown"),
    [
        ("A line for school meals", "She asks for costs", "A line for school meals"),
        ("", "She asks for costs  of\na pilot " + "and more " * 40, "She asks for costs of a pilot and more"),
    ],
)
def test_what_an_interaction_was_about_stands_beside_it(app, browser, purpose, summary, shown):
    """Its purpose, else the first words of what was said; once on the page of hits."""
    with app.app_context():
        actor: Actor = users.actor_by_email(world.address("officer"))
        bind_actor(actor)
        party_id = make(actor, "Ministry of Water")
        for level in ("open", "office"):
            kept = {"purpose": purpose, "summary": f"{summary} {level}", "level": level}
            log_interaction(actor, NewInteraction(office_id("JOR"), "held", "call", clock.now() - timedelta(hours=3), party_id, **kept))
        bind_actor(None)
    for reader, count in (("officer", 2), ("regional", 1)):
        for typed in ("ministry of water", ""):
            answer = browser(reader).get(f"/search/suggest?q={typed}").json
            notes = [item["note"] for item in answer["groups"][0]["items"] if "/interactions/" in item["url"]]
            assert [note.startswith(shown) for note in notes] == [True] * count
            assert all(len(note) < 160 for note in notes)
        hits = tree(browser(reader).get("/search?q=ministry of water&kind=interactions")).xpath("//main//li[@class='hit']")
        assert [hit.text_content().count(shown) for hit in hits] == [1] * count


def test_a_search_costs_the_same_statements_whatever_the_data(app, browser):
    with app.app_context():
        plant("JOR", "zzown")
    made(app, "zzown first board", "zzown second board", "zzown third board")  # three hits: no search for slips any more
    officer = browser("officer")
    paths = ("/search?q=zzown", "/search?q=zzown&kind=parties", "/search?q=zzwon", "/search", "/search/suggest?q=zzown", "/search/suggest")

    statements_of(app, officer, paths)
    before = statements_of(app, officer, paths)
    made(app, *(f"zzown board {place}" for place in range(40)))
    with app.app_context():
        plant("JOR", "zzown", level="office")
    after = statements_of(app, officer, paths)
    assert after == before
    assert max(after) <= 24, after


# --- whom “log meeting with haddad” means, and one letter ---------------------------------------------------------------


def test_parties_whose_name_has_the_word_come_before_those_that_are_only_described_with_it(app, browser):
    made(app, "Haddad Brothers", "Rania Haddad")
    with app.app_context():
        actor = users.actor_by_email(world.address("officer"))
        bind_actor(actor)
        for place in range(9):
            parties.create_party(actor, actor.home_office_id, NewParty("organisation", f"Partner {place}", about="Founded by Haddad."))
        make(actor, "Lina Haddar")
        bind_actor(None)
    found = titles(browser("officer"), "log meeting with haddad")
    assert set(found[:2]) == {"Log a meeting with Haddad Brothers", "Log a meeting with Rania Haddad"}
    assert not any("Haddar" in title for title in found), "nobody asked for a slip"
    assert not any("on record" in title for title in found)


def test_where_only_a_name_a_slip_away_is_known_the_one_that_was_typed_stands_first_and_the_other_is_called_a_guess(app, browser):
    """Enter records nothing with somebody whose name is only nearly what was typed."""
    made(app, "Lina Haddar")
    officer = browser("officer")
    answer = officer.client.get("/search/suggest", query_string={"q": "log meeting with haddad"})
    items = [item for group in answer.json["groups"] for item in group["items"]]
    assert [(item["title"], item.get("note", "")) for item in items] == [
        ("Log a meeting with haddad", "not on record yet"),
        ("Log a meeting with Lina Haddar", "nearest name"),
        ("All results for “log meeting with haddad”", ""),
    ]
    assert "name=haddad" in items[0]["url"]
    assert "party=" in items[1]["url"]
    assert "nearest name" in text_of(officer.get("/search?q=log+meeting+with+haddad")), "without a script too"


def test_a_guess_is_called_one_where_nobody_new_can_be_named_and_beside_a_name_alone(app, browser):
    made(app, "Lina Haddar")
    for typed in ("brief me on haddad", "haddad"):
        groups = browser("officer").client.get("/search/suggest", query_string={"q": typed}).json["groups"]
        notes = [
            item.get("note", "")
            for group in groups
            for item in group["items"]
            if "Lina Haddar" in item["title"] and "/parties/" not in item["url"]
        ]
        assert notes, typed
        assert all(note.startswith("nearest name") for note in notes), typed


def test_an_action_finds_its_party_in_another_script(app, browser):
    made(app, "محمد الخطيب", "Sara Khatib")
    found = titles(browser("officer"), "log meeting with khatib")
    assert found[:2] == ["Log a meeting with Sara Khatib", "Log a meeting with محمد الخطيب"]
    assert titles(browser("officer"), "mohammed khatib")[0] == "محمد الخطيب"
    assert "محمد الخطيب" in text_of(browser("officer").get("/search?q=mohammed+khatib"))


def test_one_letter_brings_what_begins_with_it_first(app, browser):
    made(app, "Water Network", "Norway", "Nippon Fund", "Council of Nine")
    grants = browser("grants")
    found = titles(grants, "N")
    assert set(found[:2]) == {"Norway", "Nippon Fund"}
    assert not {"Water Network", "Council of Nine"} & set(found), "all results leads to them"
    assert {"New ask", "New pledge", "New party"} <= set(found)
    assert not any(title.startswith(("Log a meeting with", "Brief me")) for title in found), "a letter names nobody"
    assert found[-1] == "All results for “N”"
    begins = [title.startswith("N") for title in found[:-1]]
    assert begins == sorted(begins, reverse=True)
    assert titles(grants, "c")[0] == "Council of Nine"


def test_one_letter_without_a_record_leads_to_the_pages_and_actions_that_begin_with_it(app, browser):
    made(app, "Water Network")
    found = titles(browser("grants"), "l")
    assert found[0] == "Log an interaction"
    assert titles(browser("grants"), "d")[0] == "Documents"
