"""The pages of parties: list, file, party, forms, conflicts, history, channels, notes, posts."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from crm.db import db, transactional
from crm.models.audit import AuditEntry
from crm.models.commitments import Commitment
from crm.models.interactions import FollowUp, Interaction
from crm.models.notes import Note
from crm.models.parties import Channel, Party, Tenure
from crm.policy import Actor, bind_actor
from crm.queries import parties as queries
from crm.services import notes, parties, positions, users
from tests.factories import world
from tests.factories.browser import errors, tree
from tests.factories.counting import count_statements
from tests.factories.parties import make, office_id

HOSTILE = [
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "'; DROP TABLE parties; --",
    "{{ 7*7 }}",
    "%(name)s %s",
    "\u202eevil",
    "عَمَّان",
    "a" * 300,
    "🧪",
]


def text(response) -> str:
    return " ".join(tree(response).text_content().split())


def in_context(app, name: str) -> Actor:
    """An actor of the world, bound, inside the application's context that is already pushed."""
    actor = users.actor_by_email(world.address(name))
    bind_actor(actor)
    return actor


def made(app, who: str = "officer", **more) -> uuid.UUID:
    with app.app_context():
        return make(in_context(app, who), **more)


def main_form(page):
    return next(form for form in page.forms if form.method.upper() == "POST" and "sign-out" not in (form.action or ""))


def row_of(app, key: uuid.UUID) -> dict:
    with app.app_context():
        in_context(app, "officer")
        party = queries.get(key)
        return {
            "name": party.name,
            "office": party.office_id,
            "visibility": party.visibility,
            "version": party.version,
            "reference": party.reference,
            "kinds": [k.kind for k in party.kinds],
            "names": [n.name for n in party.names],
        }


# --- making --------------------------------------------------------------------------------------------------------


def test_an_officer_records_an_organisation_with_its_names_and_kinds(app, browser):
    answer = browser("officer").submit(
        "/parties/new?form=organisation",
        {
            "name": "Ministry of Health",
            "kinds": ["government", "donor"],
            "native_names": "وزارة الصحة",
            "aliases": "MoH\nHealth Ministry",
            "country": "JO",
            "website": "moh.example.org",
        },
    )
    page = browser("officer").get(answer.location)
    shown = text(page)
    for part in ("Ministry of Health", "وزارة الصحة", "Health Ministry", "Jordan", "Government", "Donor", "JOR-PA-"):
        assert part in shown
    assert "Shared with all offices" in shown


def test_a_person_is_recorded_together_with_the_post_and_its_organisation(app, browser):
    answer = browser("officer").submit(
        "/parties/new?form=person",
        {
            "name": "Amal Haddad",
            "post_title": "Minister of Health",
            "post_organisation": "Ministry of Health",
            "post_is_new": "y",
            "post_from": "2025-02-01",
            "post_address": "Her Excellency",
        },
    )
    shown = text(browser("officer").get(answer.location))
    assert "Minister of Health, Ministry of Health" in shown
    assert "since 1 Feb 2025" in shown
    assert "\u2068Amal Haddad\u2069 became \u2068Minister of Health\u2069" in shown


def test_names_in_another_script_stand_in_their_own_direction_on_the_timeline(app, browser):
    with app.app_context():
        actor = users.actor_by_email(world.address("officer"))
        bind_actor(actor)
        body = make(actor, "Ministry", form="organisation")
        person = make(actor, "سلمى", form="person")
        post = positions.add_position(actor, office_id("JOR"), positions.NewPosition(body, "مدير"))
        positions.add_tenure(actor, office_id("JOR"), positions.NewTenure(post, person, date(2026, 1, 1), ends_on=date(2026, 2, 1)))
        tenure = positions.add_tenure(actor, office_id("JOR"), positions.NewTenure(post, person, date(2026, 3, 1)))
    client = browser("officer")
    page = tree(client.get(f"/parties/{person}"))
    shown = " ".join(page.text_content().split())
    assert "\u2068سلمى\u2069 became \u2068مدير\u2069" in shown
    assert "\u2068سلمى\u2069 left the post of \u2068مدير\u2069" in shown
    # the first letter decides the direction of a <bdi>: it is the language's mark, not the name's first one
    titles = [line.text_content() for line in page.xpath("//*[@class='entry-title']//bdi") if "سلمى" in line.text_content()]
    assert len(titles) == 3
    assert {title[0] for title in titles} == {"\u200e"}
    heading = tree(client.get(f"/positions/tenures/{tenure}/end")).xpath("string(//h1)")
    assert heading == "\u200e\u2068سلمى\u2069 leaves the post of \u2068مدير\u2069"


def test_a_post_in_an_unknown_organisation_is_refused_beside_its_field_and_nothing_is_saved(app, browser):
    answer = browser("officer").submit(
        "/parties/new?form=person", {"name": "Amal Haddad", "post_title": "Minister", "post_organisation": "Nowhere"}, status=422
    )
    assert any("Nobody of this name" in sentence for sentence in errors(answer))
    assert tree(answer).xpath("//input[@name='post_organisation']/@value") == ["Nowhere"]
    assert "Amal Haddad" not in text(browser("officer").get("/parties/?q=Amal")).replace("Name has: Amal", "")


def test_an_empty_form_is_refused_in_words_and_keeps_what_was_typed(app, browser):
    answer = browser("officer").submit("/parties/new", {"name": " ", "about": "typed text"}, status=422)
    assert errors(answer) == ["Enter a name."]
    assert "typed text" in answer.get_data(as_text=True)
    assert tree(answer).findtext(".//title").startswith("Error:")


@pytest.mark.parametrize(
    ("field", "value"), [("name", "x" * 301), ("website", "javascript:alert(1)"), ("part_of", "Unknown"), ("native_names", "y" * 301)]
)
def test_wrong_input_is_refused_beside_its_field(app, browser, field, value):
    answer = browser("officer").submit("/parties/new?form=organisation", {"name": "X", field: value}, status=422)
    assert tree(answer).xpath(f"//*[@id='{field}-error']")


def test_namesakes_are_shown_once_before_saving(app, browser):
    key = made(app)
    client = browser("officer")
    answer = client.submit("/parties/new?form=organisation", {"name": "MINISTRY of health"}, status=422)
    page = tree(answer)
    assert page.xpath(f"//*[@id='alike']//a[contains(@href, '{key}')]")
    again = client.client.post("/parties/new", data=dict(main_form(page).form_values()))
    assert again.status_code == 303


def test_a_double_click_makes_one_party(app, browser):
    client = browser("officer")
    target, fields = client.fields("/parties/new?form=organisation")
    fields["name"] = "Once Only"
    first = client.client.post(target, data=fields)
    fields_again = client.client.post(target, data=fields)
    assert first.status_code == fields_again.status_code == 303
    with app.app_context():
        in_context(app, "officer")
        assert len(db.session.scalars(select(Party).where(Party.name == "Once Only")).all()) == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_any_text_is_only_text(app, browser, name):
    """P4: read back equal on the list, the page and the file; nothing is markup, nothing is a formula."""
    client = browser("officer")
    answer = client.submit("/parties/new?form=organisation", {"name": name, "about": name, "aliases": f"{name[:290]} too"})
    page = client.get(answer.location)
    assert [" ".join(h.text_content().split()) for h in tree(page).xpath("//h1")] == [name]
    assert "<script>alert" not in page.get_data(as_text=True)
    client.get(answer.location + "/history")
    client.get(answer.location + "/edit")
    assert client.get("/parties/", query_string={"q": name[:200]}).status_code == 200
    file = client.get("/parties.csv").get_data(as_text=True)
    assert "\n=" not in file
    assert ",=" not in file


# --- editing -------------------------------------------------------------------------------------------------------


def test_an_edit_changes_and_its_history_says_who(app, browser):
    key = made(app)
    client = browser("officer")
    client.submit(f"/parties/{key}/edit", {"name": "Ministry of Public Health", "kinds": ["government"], "aliases": "MoPH"})
    row = row_of(app, key)
    assert (row["name"], row["kinds"], row["names"]) == ("Ministry of Public Health", ["government"], ["MoPH"])
    shown = text(client.get(f"/parties/{key}/history"))
    for part in ("Officer Person", "Ministry of Health", "Ministry of Public Health", "Government", "MoPH"):
        assert part in shown


def test_two_editors_of_different_fields_both_keep_theirs(app, browser):
    """F7: what the other did not touch is no conflict."""
    key = made(app)
    first, second = browser("officer"), browser("manager")
    target, mine = first.fields(f"/parties/{key}/edit")
    second.submit(f"/parties/{key}/edit", {"website": "https://theirs.example.org", "kinds": ["donor"]})
    mine["name"] = "My Name"
    assert first.client.post(target, data=mine).status_code == 303
    with app.app_context():
        in_context(app, "officer")
        party = queries.get(key)
        assert (party.name, party.website, [k.kind for k in party.kinds]) == ("My Name", "https://theirs.example.org", ["donor"])


def test_two_editors_of_the_same_field_choose_and_nothing_is_lost(app, browser):
    """F7: yours, theirs and the original; the fields that only they changed stay theirs."""
    key = made(app)
    first, second = browser("officer"), browser("manager")
    target, mine = first.fields(f"/parties/{key}/edit")
    second.submit(f"/parties/{key}/edit", {"name": "Their Name", "country": "JO", "aliases": "Their Alias", "about": "their words"})
    mine |= {"name": "My Name", "country": "KE"}
    answer = first.client.post(target, data=mine)
    assert answer.status_code == 409
    shown = text(answer)
    for part in ("Ministry of Health", "Their Name", "My Name", "Jordan", "Kenya", "Manager Person"):
        assert part in shown
    assert "their words" not in shown
    data: dict[str, list[str]] = {}
    for name, value in main_form(tree(answer)).form_values():
        data.setdefault(name, []).append("theirs" if name == "choose-name" else value)
    assert first.client.post(target, data=data).status_code == 303
    with app.app_context():
        in_context(app, "officer")
        party = queries.get(key)
        assert (party.name, party.country, party.about, [n.name for n in party.names]) == (
            "Their Name",
            "KE",
            "their words",
            ["Their Alias"],
        )


def test_a_shared_party_is_edited_by_its_owner_only_and_a_denied_edit_changes_nothing(app, browser):
    """P2."""
    key = made(app)
    before = row_of(app, key)
    other = browser("other")
    assert other.client.get(f"/parties/{key}").status_code == 200
    assert other.client.get(f"/parties/{key}/edit").status_code == 403
    token = other.token()
    answer = other.client.post(f"/parties/{key}/edit", data={"csrf_token": token, "name": "Taken", "version": "1"})
    assert answer.status_code == 403
    assert row_of(app, key) == before
    for name in ("viewer", "auditor", "hq"):
        client = browser(name)
        assert (
            client.client.post(f"/parties/{key}/edit", data={"csrf_token": client.token(), "name": "Taken", "version": "1"}).status_code
            == 403
        )
    assert row_of(app, key) == before


def test_only_listed_fields_can_be_set(app, browser):
    """P3: neither on making nor on editing."""
    with app.app_context():
        in_context(app, "officer")
        kenya, jordan = office_id("KEN"), office_id("JOR")
    extra = {
        "office_id": str(kenya),
        "reference": "KEN-PA-1",
        "version": "1",
        "id": str(uuid.uuid4()),
        "folded_name": "x",
        "created_by_id": str(uuid.uuid4()),
    }
    client = browser("officer")
    answer = client.submit("/parties/new?form=organisation", {"name": "Mine", **extra, "version": "7"})
    key = uuid.UUID(answer.location.rsplit("/", 1)[1])
    row = row_of(app, key)
    assert row["office"] == jordan
    assert row["reference"].startswith("JOR-PA-")
    assert row["version"] == 1
    client.submit(f"/parties/{key}/edit", {"name": "Mine Too", **extra})
    assert row_of(app, key)["office"] == jordan
    refused = client.submit(f"/parties/{key}/edit", {"visibility": "office"}, status=422)
    assert errors(refused)
    assert row_of(app, key)["visibility"] == "shared"


# --- who sees ------------------------------------------------------------------------------------------------------


def test_another_offices_party_is_absent_everywhere(app, browser):
    """P1, P1c: 404, and neither in the list, the count, the file nor among namesakes."""
    key = made(app, "other", code="KEN", name="Hidden Person", form="person")
    made(app)
    client = browser("officer")
    assert client.client.get(f"/parties/{key}").status_code == 404
    assert client.client.get(f"/parties/{key}/edit").status_code == 404
    assert client.client.get(f"/parties/{key}/history").status_code == 404
    listed = text(client.get("/parties/"))
    assert "Hidden Person" not in listed
    assert "1 to 1 of 1" in listed
    assert "Hidden" not in client.get("/parties.csv").get_data(as_text=True)
    client.submit("/parties/new?form=person", {"name": "Hidden Person"})
    assert browser("other").client.get(f"/parties/{key}").status_code == 200


def test_a_shared_party_is_seen_by_all_but_what_is_about_it_is_not(app, browser):
    key = made(app)
    with app.app_context():
        actor = in_context(app, "officer")
        parties.add_channel(actor, key, parties.NewChannel("email", "secret@moh.example.org"))
        notes.write_note(actor, office_id("JOR"), key, "jordan note", "open")
        notes.write_note(actor, office_id("JOR"), key, "inner note", "office")
    assert "Ministry of Health" in text(browser("other").get("/parties/"))
    foreign = text(browser("other").get(f"/parties/{key}"))
    for hidden in ("secret@", "jordan note", "inner note"):
        assert hidden not in foreign
    above = text(browser("hq").get(f"/parties/{key}"))
    assert "jordan note" in above
    assert "inner note" not in above
    own = text(browser("viewer").get(f"/parties/{key}"))
    assert "inner note" in own


def test_the_file_is_for_those_who_may_export(app, browser):
    made(app)
    with app.app_context():
        make(in_context(app, "officer"), "Only Of This Office", form="person")
    whole = browser("viewer").get("/parties.csv").get_data(as_text=True)
    assert "Ministry of Health" in whole
    assert "Only Of This Office" in whole, "the rows of the reader's own office belong in the file"
    assert "Only Of This Office" not in browser("other").get("/parties.csv").get_data(as_text=True)
    assert browser("admin").client.get("/parties.csv").status_code == 403


# --- the list ------------------------------------------------------------------------------------------------------


def test_the_list_finds_by_folded_name_and_alias_and_filters(app, browser):
    with app.app_context():
        actor = in_context(app, "officer")
        make(actor, "Société Générale d'Aide", country="FR", kinds=("donor",), names=(parties.OtherName("SGA"),))
        make(actor, "وزارة الصحّة", country="JO", kinds=("government",))
        make(actor, "Imam Yusuf", form="person", kinds=("local-leader-religious",))
    client = browser("viewer")
    for query, expected in (
        ("q=societe+generale", "Société"),
        ("q=sga", "Société"),
        ("q=وزاره+الصحه", "وزارة"),
        ("kind=donor", "Société"),
        ("form=person", "Imam"),
        ("country=JO", "وزارة"),
    ):
        shown = text(client.get(f"/parties/?{query}"))
        assert expected in shown, query
        assert "1 to 1 of 1" in shown, query
    assert "Nobody fits" in text(client.get("/parties/?q=%25"))
    assert "Nobody fits" in text(client.get("/parties/?q=nobody"))
    for odd in (
        "q=%00",
        "q=%ed%a0%80",
        "sort=evil",
        "page=-1",
        "page=999999999",
        "after=xx",
        "sort=newest&after=WyJzIiwgIngiLCAiMDFhMjBhNzktYjJhNy03NjQwLThlZGUtOTM2NWQyNWNhYWFhIl0",
        "country=%27",
        "kind=x",
        "per_page=7",
    ):
        assert client.client.get(f"/parties/?{odd}").status_code == 200, odd


def test_an_empty_office_is_told_what_the_list_is_for(app, browser):
    assert "No parties yet" in text(browser("officer").get("/parties/"))


def test_pages_and_cursors_show_each_party_once(app, browser):
    with app.app_context():
        actor = in_context(app, "officer")
        for number in range(60):
            make(actor, f"Party {number:03}")
    client = browser("viewer")
    seen: list[str] = []
    address = "/parties/"
    while address:
        page = tree(client.get(address))
        seen += [a.text_content() for a in page.xpath("//tbody//th//a")]
        found = page.xpath("//a[@rel='next']/@href")
        address = found[0] if found else ""
    assert seen == [f"Party {number:03}" for number in range(60)]
    second = tree(client.get(tree(client.get("/parties/?sort=newest")).xpath("//a[@rel='next']/@href")[0]))
    assert second.xpath("//tbody//th//a")[0].text_content() == "Party 034"
    rows = client.get("/parties.csv?sort=-name").get_data(as_text=True).splitlines()
    assert len(rows) == 61
    assert "Party 059" in rows[1]


# --- the page ------------------------------------------------------------------------------------------------------


@transactional
def fill(actor: Actor, key: uuid.UUID, children: int) -> None:
    office = office_id("JOR")
    for number in range(children):
        moment = datetime(2026, 1, 1, 9, tzinfo=UTC) + timedelta(days=number)
        db.session.add(
            Interaction(
                office_id=office,
                reference=uuid.uuid4().hex[:30],
                kind="meeting",
                state="held",
                starts_at=moment,
                party_id=key,
                purpose=f"Contact {number:03}",
            )
        )
        for direction in ("ours", "theirs"):
            db.session.add(
                Commitment(
                    office_id=office,
                    reference=uuid.uuid4().hex[:30],
                    direction=direction,
                    kind="service",
                    party_id=key,
                    words=f"{direction} {number:03}",
                    made_on=date(2026, 1, 2),
                    due_on=date(2026, 2, 1),
                )
            )
        db.session.add(Note(office_id=office, party_id=key, body=f"Note {number}"))
        db.session.add(Channel(office_id=office, party_id=key, kind="messaging", value=f"@{number}"))
        db.session.add(FollowUp(office_id=office, party_id=key, text=f"Follow {number}", due_on=date(2026, 3, 1)))
    for number in range(min(children, 50)):
        person = make(actor, f"Holder {number}", form="person", part_of_id=key)
        post = positions.add_position(actor, office, positions.NewPosition(key, f"Post {number}"))
        positions.add_tenure(actor, office, positions.NewTenure(post, person, date(2026, 1, 1)))


def test_the_page_sends_no_more_statements_for_50_children_than_for_5(app, browser):
    client = browser("officer")
    counts = []
    for children in (5, 50):
        with app.app_context():
            actor = in_context(app, "officer")
            key = make(actor, f"Organisation of {children}")
            fill(actor, key, children)
        with count_statements(app) as sent:
            client.get(f"/parties/{key}")
        counts.append(sent.count)
    assert counts[1] <= counts[0], sent  # a kind that is not among the newest events is not asked for
    with count_statements(app) as short:
        client.get("/parties/?per_page=25")
    with count_statements(app) as long:
        client.get("/parties/?per_page=100")
    assert short.count == long.count


def test_the_timeline_goes_back_to_the_first_event_without_losing_one(app, browser):
    with app.app_context():
        actor = in_context(app, "officer")
        key = make(actor)
        fill(actor, key, 60)
    client = browser("officer")
    titles: list[str] = []
    address = f"/parties/{key}"
    pages = 0
    while address:
        page = tree(client.get(address))
        titles += [p.text_content() for p in page.xpath("//section[contains(@class,'timeline')]//p[@class='entry-title']")]
        found = page.xpath("//section[contains(@class,'timeline')]//a[contains(@href,'before=')]/@href")
        address = found[0] if found else ""
        pages += 1
    assert pages > 4
    assert [title for title in titles if title.startswith("Contact")] == [f"Contact {number:03}" for number in reversed(range(60))]
    assert sum(title.startswith(("ours", "theirs")) for title in titles) == 120
    assert sum(title == "Note" for title in titles) == 60
    assert sum("became" in title for title in titles) == 50
    assert client.client.get(f"/parties/{key}?before=%00nonsense").status_code == 200


def test_the_page_names_our_promises_first_and_what_is_missing(app, browser):
    with app.app_context():
        actor = in_context(app, "officer")
        key = make(actor)
    shown = text(browser("officer").get(f"/parties/{key}"))
    assert "No ask yet" in shown
    assert "No money yet" in shown
    assert shown.index("What we promised them") < shown.index("What they promised")
    assert "Nothing is planned with this party yet" in shown


def test_an_unknown_party_is_a_plain_404(app, browser):
    client = browser("officer")
    assert client.client.get(f"/parties/{uuid.uuid4()}").status_code == 404
    assert client.client.get("/parties/not-an-id").status_code == 404


# --- posts ---------------------------------------------------------------------------------------------------------


def test_a_minister_leaves_and_everything_about_the_post_stays(app, browser):
    with app.app_context():
        actor = in_context(app, "officer")
        ministry = make(actor)
        person = make(actor, "Amal Haddad", form="person")
        post = positions.add_position(actor, office_id("JOR"), positions.NewPosition(ministry, "Minister of Health"))
        tenure = positions.add_tenure(actor, office_id("JOR"), positions.NewTenure(post, person, date(2025, 1, 1)))
    client = browser("officer")
    refused = client.submit(f"/positions/tenures/{tenure}/end", {"ends_on": "2024-12-31"}, status=422)
    assert any("before the start" in sentence for sentence in errors(refused))
    client.submit(f"/positions/tenures/{tenure}/end", {"ends_on": "2026-03-31"})
    shown = text(client.get(f"/positions/{post}"))
    assert "1 Jan 2025 to 31 Mar 2026" in shown
    assert "\u2068Amal Haddad\u2069 left the post of \u2068Minister of Health\u2069" in text(client.get(f"/parties/{ministry}"))
    client.submit(f"/positions/{post}/tenures/new", {"person": "Amal Haddad", "starts_on": "2026-05-01"})
    client.submit(f"/positions/{post}/edit", {"title": "Minister of Public Health"})
    client.submit(f"/positions/tenures/{tenure}/edit", {"form_of_address": "Her Excellency"})
    assert "Her Excellency" in text(client.get(f"/positions/{post}"))
    client.submit(f"/positions/new?organisation={ministry}", {"title": "State Secretary"})
    assert browser("other").client.get(f"/positions/tenures/{tenure}/edit").status_code in (403, 404)


def test_a_tenure_of_an_office_person_in_a_shared_post_is_not_shared(app, browser):
    with app.app_context():
        actor = in_context(app, "officer")
        ministry = make(actor)
        person = make(actor, "Quiet Person", form="person")
        post = positions.add_position(actor, office_id("JOR"), positions.NewPosition(ministry, "Adviser"))
        positions.add_tenure(actor, office_id("JOR"), positions.NewTenure(post, person))
    foreign = browser("other")
    assert "Quiet Person" not in foreign.get(f"/positions/{post}").get_data(as_text=True)
    assert "Quiet Person" not in foreign.get(f"/parties/{ministry}").get_data(as_text=True)
    browser("officer").submit(f"/parties/{person}/edit", {"visibility": "shared"})
    assert "Quiet Person" in foreign.get(f"/positions/{post}").get_data(as_text=True)
    with app.app_context():
        in_context(app, "officer")
        assert {row.visibility for row in db.session.scalars(select(Tenure))} == {"shared"}


# --- channels and notes --------------------------------------------------------------------------------------------


def test_channels_are_checked_and_written_in_their_usual_form(app, browser):
    key = made(app, country="JO")
    client = browser("officer")
    client.submit(f"/parties/{key}/channels/new", {"kind": "phone", "value": "06 555 0101"})
    assert "+962 6 555 0101" in text(client.get(f"/parties/{key}"))
    for kind, value in (("email", "nobody"), ("phone", "hello"), ("phone", "1"), ("web", "ftp://x"), ("messaging", "x" * 601)):
        answer = client.submit(f"/parties/{key}/channels/new", {"kind": kind, "value": value}, status=422)
        assert tree(answer).xpath("//*[@id='value-error']"), (kind, value)
    client.submit(f"/parties/{key}", {}, action="/remove")
    assert "+962" not in text(client.get(f"/parties/{key}"))


def test_notes_are_edited_withdrawn_and_denied_to_viewers(app, browser):
    key = made(app)
    client = browser("officer")
    form = text(client.get(f"/parties/{key}/notes/new"))
    assert "Only the people of Country office Jordan (test)" in form
    client.submit(f"/parties/{key}/notes/new", {"body": "first words", "level": "office"})
    with app.app_context():
        in_context(app, "officer")
        note = db.session.scalars(select(Note)).one()
        address = f"/parties/notes/{note.id}"
    assert browser("hq").client.get(f"{address}/edit").status_code == 403
    assert browser("other").client.get(f"{address}/edit").status_code == 404
    client.submit(f"{address}/edit", {"body": "second words"})
    assert "second words" in text(client.get(f"/parties/{key}"))
    empty = client.submit(f"{address}/edit", {"body": ""}, status=422)
    assert errors(empty) == ["Write the note."]
    client.submit(f"{address}/edit", {}, action="/withdraw")
    assert "second words" not in text(client.get(f"/parties/{key}"))
    with app.app_context():
        in_context(app, "officer")
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.noun == "notes", AuditEntry.action == "deleted")).one()
        assert entry.level == "office"


def test_the_filter_of_the_list_stays_out_of_the_box_on_top(browser) -> None:
    page = tree(browser("officer").get("/parties/?q=ministry"))
    assert page.xpath("//input[@name='q' and not(@id='find')]/@value") == ["ministry"]
    assert page.xpath("//input[@id='find']/@value") == [""]
