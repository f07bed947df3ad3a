"""The pages of code lists: who sees, who keeps them, what a form offers, conflicts, and a constant number of statements."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from crm import editions
from crm.db import db
from crm.models.codes import Code
from crm.policy import unscoped
from crm.services import users
from tests.factories import world
from tests.factories.browser import errors, tree
from tests.factories.counting import count_statements

LIST = "/code-lists/goal-areas"
NEW = {
    "code": "2026-6",
    "label": "Children are heard",
    "valid_from": "2026-01-01",
    "valid_to": "2029-12-31",
    "label_fr": "Les enfants sont écoutés",
}


def key(app, name: str, code: str):
    with app.app_context(), unscoped("test"):
        return db.session.scalars(select(Code.id).where(Code.list_name == name, Code.code == code)).one()


def offered(page, name: str) -> list[str]:
    return tree(page).xpath(f"//*[@name='{name}']//option/@value | //input[@name='{name}']/@value")


@pytest.mark.parametrize("name", ["viewer", "officer", "head", "auditor", "hq"])
def test_everybody_looks_up_what_a_code_means_and_finds_no_button(browser, name):
    reader = browser(name)
    for path in ("/code-lists/", LIST, "/code-lists/sectors?page=2"):
        page = tree(reader.get(path))
        assert not page.xpath("//a[contains(@href, '/edit') or contains(@href, '/new')][contains(@href, 'code-lists')]")
    assert "administrator of headquarters" in reader.get("/code-lists/").get_data(as_text=True)
    reader.get("/code-lists/goal-areas/new", status=403)


def test_an_administrator_of_one_country_is_told_who_keeps_them(app, browser, acting):
    admin = acting("admin")
    jordan = next(office for office in admin.grants if office != admin.home_office_id)
    users.create_user(admin, users.NewUser(world.address("local"), "Local", jordan, "administrator", world.PASSWORD))
    refused = browser("local").get(f"/code-lists/entries/{key(app, 'goal-areas', '2026-1')}/edit", status=403)
    assert "kept by the administrator of headquarters" in refused.get_data(as_text=True)


def test_an_entry_is_added_translated_changed_withdrawn_and_offered_meanwhile(app, browser):
    admin, grants = browser("admin"), browser("grants")
    admin.submit(f"{LIST}/new", NEW)
    made = key(app, "goal-areas", "2026-6")
    page = admin.get(LIST).get_data(as_text=True)
    assert "Children are heard" in page
    assert "Les enfants sont écoutés" in page
    assert "1 Jan 2026 to 31 Dec 2029" in page
    assert "2026-6" in offered(grants.get("/programmes/new"), "goal_areas")
    sent = grants.submit(
        "/programmes/new", {"title": "Clubs", "starts_on": "2026-02-01", "goal_areas": ["2026-6", "2026-2"], "sector": "12240"}
    )
    programme = sent.location
    assert "Children are heard" in grants.get(programme).get_data(as_text=True)
    assert "Basic nutrition" in grants.get(programme).get_data(as_text=True)
    entry = admin.get(f"/code-lists/entries/{made}/edit")
    assert "Records hold “Children are heard”, so it cannot be removed." in entry.get_data(as_text=True)
    assert not tree(entry).xpath("//form[contains(@action, '/remove')]")
    assert tree(entry).xpath("//input[@name='is_withdrawn']")
    refused = admin.client.post(f"/code-lists/entries/{made}/remove", data={"csrf_token": admin.token()})
    assert refused.status_code == 422
    assert "Withdraw it" in refused.get_data(as_text=True)
    admin.submit(f"/code-lists/entries/{made}/edit", {"label": "Children have a say", "is_withdrawn": "y"})
    assert "2026-6" not in offered(grants.get("/programmes/new"), "goal_areas")
    assert "2026-6" in offered(grants.get(f"{programme}/edit"), "goal_areas")
    assert "Children have a say" in grants.get(programme).get_data(as_text=True)
    assert "Children have a say" in grants.get(f"{programme}/history").get_data(as_text=True)
    grants.submit(f"{programme}/edit", {"title": "Clubs of the young"})
    told = " ".join(tree(admin.get(f"/code-lists/entries/{made}/history")).text_content().split())
    for words in ("Children are heard", "Children have a say", "Withdrawn", "Admin Person"):
        assert words in told, words


def test_a_code_list_that_is_not_there_is_absent(browser):
    browser("admin").get("/code-lists/colours", status=404)
    browser("admin").get("/code-lists/colours/new", status=404)


def test_words_of_a_stranger_find_nothing_and_break_nothing(browser):
    client = browser("viewer")
    for words in ("%00", "don%00or", "%ED%A0%80", "%25", "_", "%5C"):
        client.get(f"/code-lists/party-kinds?q={words}")
    assert "donor" in client.get("/code-lists/party-kinds?q=don%00or").get_data(as_text=True)


def test_refusals_stand_beside_their_fields_and_keep_what_was_typed(browser):
    admin = browser("admin")
    refused = admin.submit(
        f"{LIST}/new",
        {"code": "no spaces!", "label": "x" * 300, "position": "first", "valid_to": "soon", "label_ar": "ي" * 201},
        status=422,
    )
    for name in ("label", "position", "valid_to", "label_ar"):
        assert tree(refused).xpath(f"//*[@id='{name}-error']"), name
    assert tree(refused).xpath("//input[@name='label']/@value") == ["x" * 300]
    refused = admin.submit(f"{LIST}/new", {"code": "no spaces!", "label": "Something"}, status=422)
    assert "letters, digits, points and hyphens" in " ".join(errors(refused))


def test_what_is_typed_for_one_entry_is_kept_for_that_entry_alone(app, browser):
    """The form is kept in the tab under this name: with one name for all, a new entry's words came back in another's form."""
    admin = browser("admin")
    paths = ["/code-lists/goal-areas/new", "/code-lists/party-kinds/new"]
    paths += [f"/code-lists/entries/{key(app, 'party-kinds', code)}/edit" for code in ("donor", "youth")]
    kept = [tree(admin.get(path)).xpath("string(//form/@data-draft)") for path in paths]
    assert all(kept)
    assert len(set(kept)) == len(paths), kept


def test_two_administrators_choose_what_to_keep(app, browser):
    path = f"/code-lists/entries/{key(app, 'goal-areas', '2026-3')}/edit"
    first, second = browser("admin"), browser("admin")
    target, typed = first.fields(path)
    second.submit(path, {"label": "Children are out of poverty", "label_es": "Sin pobreza"})
    clash = first.client.post(target, data={**typed, "label": "No child is poor", "label_es": "Fuera de la pobreza"})
    assert clash.status_code == 409
    text = clash.get_data(as_text=True)
    for said in ("Children live free from poverty", "Children are out of poverty", "No child is poor", "Fuera de la pobreza"):
        assert said in text
    form = next(form for form in tree(clash).forms if form.method == "POST" and "sign-out" not in (form.action or ""))
    chosen = {**dict(form.form_values()), "choose-label": "theirs", "choose-label_es": "yours"}
    assert first.client.post(target, data=chosen).status_code == 303
    page = first.get(LIST).get_data(as_text=True)
    assert "Children are out of poverty" in page
    assert "Fuera de la pobreza" in page


def test_the_number_of_statements_is_the_same_for_a_short_and_a_long_list(app, browser):
    admin = browser("admin")
    counts = {}
    for path in (LIST, "/code-lists/sectors", "/code-lists/sectors?per_page=100", "/code-lists/sectors?q=zzz"):
        admin.get(path)
        with count_statements(app) as sent:
            admin.get(path)
        counts[path] = sent.count
    assert len({counts[path] for path in list(counts)[:3]}) == 1, counts
    assert max(counts.values()) == counts[LIST]


def test_a_form_reads_each_list_once_and_the_next_one_none(app, browser):
    grants = browser("grants")
    grants.get("/programmes/new")
    with app.app_context():
        editions.renew()
    for expected in (2, 0):
        with count_statements(app) as sent:
            grants.get("/programmes/new")
        assert sum("FROM codes" in " ".join(text.split()) for text in sent.texts) == expected


def test_forms_lists_and_files_name_kinds_as_the_lists_do(app, browser):
    admin, officer = browser("admin"), browser("officer")
    admin.submit("/code-lists/party-kinds/new", {"code": "trade-union", "label": "Trade union"})
    admin.submit(f"/code-lists/entries/{key(app, 'party-kinds', 'donor')}/edit", {"label": "Funding partner"})
    admin.submit("/code-lists/interaction-kinds/new", {"code": "site-visit", "label": "Visit to a site"})
    assert {"trade-union", "donor"} <= set(offered(officer.get("/parties/new?form=organisation"), "kinds"))
    party = officer.submit("/parties/new?form=organisation", {"name": "Nurses", "kinds": ["trade-union", "donor"]}).location
    for path in (party, "/parties/", "/parties/?kind=trade-union", "/parties.csv?kind=trade-union", f"{party}/history"):
        text = officer.get(path).get_data(as_text=True)
        assert "Trade union" in text, path
        assert "Funding partner" in text, path
    assert "trade-union" in tree(officer.get("/parties/")).xpath("//select[@name='kind']/option/@value")
    page = officer.get("/interactions/new")
    assert "site-visit" in tree(page).xpath("//select[@name='kind']/option/@value")
    assert tree(page).xpath("//select[@name='kind']/option[@selected]/@value") == ["meeting"]
    assert "site-visit" in tree(officer.get("/interactions/")).xpath("//select[@name='kind']/option/@value")


def test_what_the_system_relies_on_has_no_button_and_says_why(app, browser):
    page = browser("admin").get(f"/code-lists/entries/{key(app, 'party-kinds', 'donor')}/edit")
    assert "The system itself relies on “Donor”" in page.get_data(as_text=True)
    assert not tree(page).xpath("//form[contains(@action, '/remove')]")
    assert not tree(page).xpath("//input[@name='is_withdrawn']")
