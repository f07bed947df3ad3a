"""The pages of the funding landscape."""

from __future__ import annotations

import pytest

from crm.jobs import imports
from crm.policy import bind_actor
from crm.services import users
from tests.factories import fts, world
from tests.factories.browser import errors, tree
from tests.factories.counting import count_statements
from tests.services.test_flows import PLAN, programme


def text(response):
    return " ".join(tree(response).text_content().split())


def bring(app, data, *, name="grants"):
    with app.app_context():
        actor = users.actor_by_email(world.address(name))
        bind_actor(actor)
        imports.import_file(actor, actor.home_office_id, "fts", "flows.csv", data)
        return programme(actor)


@pytest.fixture
def loaded(app):
    return bring(app, fts.PLAIN.read_bytes())


def test_the_list_is_labelled_and_shows_each_stage_apart(browser, loaded):
    page = text(browser("viewer").get("/flows/"))
    assert "as reported to OCHA FTS; never part of our own money." in page
    for figure in ("193,258,853", "514,236,235", "81,128", "714,246,261", "USD 6,751,173 more in kind"):
        assert figure in page
    assert "1 to 25 of 440" in page
    assert "none given" in page


def test_germany_is_seen_with_what_it_committed_and_paid(browser, loaded):
    page = text(browser("officer").get("/flows/?donor=Germany,+Government+of"))
    for figure in ("22,138,564", "139,594,872", "EUR 89,719,796", "6 of 16 flows", "USD 81,198,525 shared with other places", "34"):
        assert figure in page, figure


def test_filters_pages_and_sorts_work_together(browser, loaded):
    client = browser("officer")
    first = client.get("/flows/?status=paid&per_page=50&sort=-amount")
    follow = tree(first).xpath("//a[@rel='next']/@href")[0]
    assert "status=paid" in follow
    assert text(client.get(follow)) != text(first)
    assert "No flow fits" in text(client.get("/flows/?donor=nobody"))
    for odd in ("?page=x&per_page=9&after=%%%&sort=;drop&status=1&year=%00&donor_id=1&cluster=%27&plan=<script>", "?donor=" + "é" * 400):
        assert "<script>" not in client.get(f"/flows/{odd}").get_data(as_text=True)


def test_a_flow_shows_every_field_and_where_it_came_from(browser, loaded):
    client = browser("grants")
    listed = tree(client.get("/flows/?donor=Canada&sort=date&year=2020&recipient=Jordan+Humanitarian"))
    place = listed.xpath("//tbody//th/a/@href[contains(., '/flows/')]")[-1]
    answer = client.get(place)
    page = text(answer)
    heading = tree(answer).xpath("string(//h1)")
    assert heading.startswith("\u200e\u2068Canada"), "from whom to whom, whatever script the donor's name is in"
    assert "\u2069 → \u2068Jordan" in heading
    for part in (
        "227992",
        "P009530001",
        "USD 725,689.00",
        "CAD 1,000,000",
        "1.378",
        "flows.csv",
        "RSYR20",
        "943",
        "13 May 2020",
        "never part",
    ):
        assert part in page, part


def test_plans_show_ftss_figures_and_are_linked_by_an_officer(app, browser, loaded):
    bring(app, fts.REQUIREMENTS.read_bytes())
    client = browser("officer")
    page = text(client.get("/flows/plans"))
    for part in ("1,475,421,996", "597,249,843", "40%", "Not specified (outside plans)", "its figures, never ours"):
        assert part in page, part
    assert errors(client.submit("/flows/plans", {}, action="/link", status=422)) == ["Choose a plan.", "Choose one of your programmes."]
    client.submit("/flows/plans", {"plan": PLAN, "programme": str(loaded)}, action="/link")
    assert "Plans linked to our programmes" in text(client.get("/flows/plans"))
    client.submit("/flows/plans", {}, action="/unlink")
    assert "Plans linked to our programmes" not in text(client.get("/flows/plans"))


def test_readers_see_no_link_form_and_may_not_link(browser, loaded):
    client = browser("viewer")
    assert not tree(client.get("/flows/plans")).xpath("//select[@name='programme']")
    token = client.token()
    assert client.client.post("/flows/plans/link", data={"csrf_token": token, "plan": PLAN, "programme": str(loaded)}).status_code == 403


def test_another_office_sees_an_empty_landscape(browser, loaded):  # P1
    place = tree(browser("officer").get("/flows/")).xpath("//tbody//th/a/@href[contains(., '/flows/')]")[-1]
    other = browser("other")
    assert "No reported flows yet" in text(other.get("/flows/"))
    other.get(place, status=404)
    assert "No plans yet" in text(other.get("/flows/plans"))


def test_the_administrator_reads_no_flows(browser, loaded):
    browser("admin").get("/flows/", status=403)


def test_statements_do_not_grow_with_the_data(app, browser):
    bring(app, fts.file_of(size=3))
    client = browser("officer")
    client.get("/flows/?year=2020")
    with count_statements(app) as few:
        client.get("/flows/?year=2020&per_page=100")
    bring(app, fts.PLAIN.read_bytes())
    with count_statements(app) as many:
        client.get("/flows/?year=2020&per_page=100")
    assert few.count == many.count <= 20, str(many)


def test_a_partys_page_shows_what_it_gave_to_whom_under_which_plan(browser, loaded):
    client = browser("viewer")
    place = tree(client.get("/parties/?q=Germany,+Government+of")).xpath("//tbody//th//a/@href")[0]
    page = text(client.get(place))
    for part in (
        "Given, as reported to FTS",
        "Never part of our own money.",
        "22,138,564",
        "139,594,872",
        "none reported",
        "none given",
        "16,059,704",
        "World Food Programme",
        "EUR 89,719,796",
    ):
        assert part in page, part
    assert "Received, as reported to FTS" not in page
