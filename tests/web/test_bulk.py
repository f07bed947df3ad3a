"""Several rows changed at once: chosen on a page or all that fit, shown first, done once, named where refused, undone where untouched."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from crm.db import db, transactional
from crm.errors import Conflict, Denied, Invalid
from crm.jobs import engine
from crm.models.asks import Ask
from crm.models.codes import PARTY_KINDS
from crm.models.commitments import Commitment
from crm.models.imports import ImportBatch, ImportChange
from crm.models.interactions import FollowUp
from crm.models.jobs import Job
from crm.models.parties import Party
from crm.models.users import User
from crm.policy import Permission, all_offices, bind_actor, system_actor, unscoped
from crm.queries import bulk as queries
from crm.services import bulk, codes, follow_ups, parties, users
from crm.services import jobs as job_services
from crm.services.codes import CodeInput
from crm.services.parties import NewParty
from tests.factories.browser import tree
from tests.factories.counting import count_statements
from tests.factories.planted import plant
from tests.factories.world import address

DAY, LATER = date(2026, 12, 1), date(2026, 12, 24)


@contextmanager
def person(app, name="officer"):
    """Somebody of the world at work, apart from any browser."""
    with app.app_context():
        actor = users.actor_by_email(address(name))
        bind_actor(actor)
        yield actor


def add(app, count, *, office="JOR", name="officer", **more):
    """Follow-ups of one person: their ids in the order of the list."""
    with app.app_context():
        owner = users.actor_by_email(address(name)).user_id
        with unscoped("test"):
            bind_actor(system_actor(all_offices()))
        return _add(next(one.id for one in all_offices() if one.code == office), owner, count, more)


@transactional
def _add(office_id, owner, count, more):
    usual = {"office_id": office_id, "due_on": DAY, "owner_id": owner}
    made = [FollowUp(**{**usual, "text": f"To do {n:04}", **more}) for n in range(count)]
    db.session.add_all(made)
    db.session.flush()
    return [one.id for one in made]


def add_parties(actor, count):
    new = [NewParty("organisation", f"Body {n:03}", kinds=("ngo",), country="JO" if n % 2 else None) for n in range(count)]
    return [parties.create_party(actor, actor.home_office_id, one) for one in new]


def due_days(app, keys):
    with person(app):
        return [fresh(FollowUp, key).due_on for key in keys]


def owners(app, keys):
    with person(app):
        return [fresh(FollowUp, key).owner_id for key in keys]


def fresh(entity, key):
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(entity, key)


def choose(client, noun, data, *, status=303, where=""):
    """Send the form below a list."""
    target, fields = client.fields(f"/{noun}/{where}", action=f"/bulk/{noun}")
    fields.pop("all", None)
    response = client.client.post(target, data={**fields, **data})
    assert response.status_code == status, response.get_data(as_text=True)[:800]
    return response


def facts(client, address):
    """The numbers of a page: label -> number."""
    page = tree(client.get(address))
    terms = [" ".join(one.text_content().split()) for one in page.xpath("//*[contains(@class,'facts')]//dt")]
    values = [re.search(r"\d+", one.text_content())[0] for one in page.xpath("//*[contains(@class,'facts')]//dd[contains(@class,'value')]")]
    return dict(zip(terms, map(int, values), strict=False))


def named(client, address):
    """The links to what was changed."""
    return tree(client.get(address)).xpath("//section[h2='What was changed']//li/a")


def table_of(client, address, caption):
    page = tree(client.get(address))
    rows = page.xpath(f"//table[caption[contains(., '{caption}')]]/tbody/tr")
    return [[" ".join(cell.text_content().split()) for cell in row] for row in rows]


# --- from the list to undone ------------------------------------------------------------------------------------------


def test_ticked_rows_are_shown_changed_once_and_taken_back(app, browser):
    keys = add(app, 3)
    with person(app, "grants") as grants:
        other = grants.user_id
    client = browser("officer")
    boxes = tree(client.get("/follow-ups/")).xpath("//tbody//input[@type='checkbox'][@form='several']")
    assert {box.get("value") for box in boxes} == {str(key) for key in keys}
    assert "To do 0000" in boxes[0].get("aria-label")
    ticked = [str(keys[0]), str(keys[2])]
    asked = choose(client, "follow-ups", {"action": "owner", "ids": ticked}, status=200)
    form = next(form for form in tree(asked).forms if "step" in form.fields)
    assert str(other) in form.inputs["value"].value_options
    shown = client.client.post(form.action, data={**dict(form.form_values()), "ids": ticked, "value": str(other)}).location
    assert facts(client, shown) == {"Would change": 2, "Are so already": 0, "Would be left as they are": 0}
    assert [row[0] for row in table_of(client, shown, "What would change")] == ["To do 0000", "To do 0002"]
    assert other not in owners(app, keys), "nothing is changed yet"
    target, fields = client.fields(shown, action="apply")
    assert [client.client.post(target, data=fields).status_code for _ in range(2)] == [303, 303], "a double click"
    assert [owner == other for owner in owners(app, keys)] == [True, False, True]
    assert facts(client, shown) == {"Changed": 2, "Were so already": 0, "Left as they are": 0}
    assert [link.text_content() for link in named(client, shown)] == ["To do 0000", "To do 0002"]
    for link in named(client, shown):
        client.get(link.get("href"))
    assert "Give to another person" in client.get("/bulk/").get_data(as_text=True)
    assert facts(client, f"{shown}/undo")["Would be put back"] == 2
    target, fields = client.fields(f"{shown}/undo")
    assert [client.client.post(target, data=fields).status_code for _ in range(2)] == [303, 303]
    assert other not in owners(app, keys)
    assert [link.text_content() for link in named(client, shown)] == ["To do 0000", "To do 0002"], "what it had done"
    assert "This change was undone" in client.get(shown).get_data(as_text=True)
    assert "Undone" in client.get("/bulk/").get_data(as_text=True)


@pytest.mark.parametrize("everything", [False, True])
def test_the_preview_keeps_the_order_of_the_list(app, browser, everything):
    """Made in another order than they stand in; those that stay as they are, too."""
    days = [date(2026, 12, day) for day in (9, 3, 24, 7, 1)]
    for n, day in enumerate(days):
        add(app, 1, due_on=day, text=f"Due {day.day:02} of {n}")
    client = browser("officer")
    boxes = tree(client.get("/follow-ups/")).xpath("//tbody//input[@type='checkbox'][@form='several']")
    ids = [box.get("value") for box in boxes]
    assert ids != sorted(ids)
    data = {"all": "1"} if everything else {"ids": ids}
    asked = choose(client, "follow-ups", {"action": "due", **data}, status=200)
    form = next(form for form in tree(asked).forms if "step" in form.fields)
    more = {} if everything else {"ids": ids}
    shown = client.client.post(form.action, data={**dict(form.form_values()), **more, "value": LATER.isoformat()}).location
    rows = [row[0] for row in table_of(client, shown, "What would change")]
    assert rows == ["Due 01 of 4", "Due 03 of 1", "Due 07 of 3", "Due 09 of 0"], "the 24th is that day already"
    client.submit(shown, {}, action="apply")
    assert facts(client, shown) == {"Changed": 4, "Were so already": 1, "Left as they are": 0}


def test_all_that_fit_the_filters_on_every_page(app, browser):
    keys = add(app, 30)
    client = browser("officer")
    page = tree(client.get("/follow-ups/?state=open"))
    assert "All 30 that fit" in " ".join(page.xpath("//form[@id='several']")[0].text_content().split())
    with person(app) as actor:
        follow_ups.finish_follow_up(actor, keys[7])
    shown = choose(client, "follow-ups", {"action": "reopen", "all": "1"}, where="?state=done").location
    assert facts(client, shown)["Would change"] == 1, "no question to ask: the page at once"
    assert client.submit(shown, {}, action="discard").location == "/follow-ups/?state=done", "back to the list as it was"
    asked = choose(client, "follow-ups", {"action": "due", "all": "1"}, status=200)
    form = next(form for form in tree(asked).forms if "step" in form.fields)
    assert "29 rows are chosen" in asked.get_data(as_text=True)
    refused = client.client.post(form.action, data={**dict(form.form_values()), "value": ""})
    assert refused.status_code == 422
    assert "Enter the day." in refused.get_data(as_text=True)
    shown = client.client.post(form.action, data={**dict(form.form_values()), "value": LATER.isoformat()}).location
    client.submit(shown, {}, action="apply")
    days = due_days(app, keys)
    assert days.count(LATER) == 29
    assert days[7] == DAY, "it is done, so it did not fit"


def test_nothing_chosen_and_strangers_are_sentences(app, browser):
    add(app, 2)
    client = browser("officer")
    back = choose(client, "follow-ups", {"action": "due"}).location
    assert back.startswith("/follow-ups/")
    assert "Choose at least one row first" in client.get(back).get_data(as_text=True)
    for data in ({"action": "drop-table"}, {}):
        choose(client, "follow-ups", {**data, "ids": "x"}, status=404)
    choose(client, "follow-ups", {"action": "due", "ids": ["<b>", "1", "00000000-0000-0000-0000-000000000007"]}, status=200)
    token = client.token()
    for noun in ("users", "pledges", "x", "parties'"):
        assert client.client.post(f"/bulk/{noun}", data={"csrf_token": token, "action": "owner", "all": "1"}).status_code == 404
    viewer = browser("viewer")
    assert viewer.client.get("/bulk/").status_code == 403
    assert not tree(viewer.get("/follow-ups/?whose=all")).xpath("//input[@form='several']|//form[@id='several']")


# --- who may ------------------------------------------------------------------------------------------------------------


def test_a_row_that_may_not_be_changed_is_named_and_stays(app, acting):
    own = add_parties(acting("officer"), 1)[0]
    other = acting("other")
    foreign = parties.create_party(other, other.home_office_id, NewParty("organisation", "Shared body of Kenya"))
    actor = acting("officer")
    batch_id = bulk.record_choice(actor, "parties", "country", "KE", [own, foreign])
    verdicts = {one.record_id: one for one in bulk.judge(actor, bulk.choice_of(bulk.own(actor, batch_id)))}
    assert (verdicts[own].outcome, verdicts[foreign].outcome) == ("changed", "refused")
    assert "another office" in verdicts[foreign].why
    done = bulk.apply(actor, batch_id)
    assert (done.updated, done.rejected) == (1, 1)
    assert fresh(Party, own).country == "KE"
    assert fresh(Party, foreign).country is None


def test_records_out_of_scope_are_as_absent_ones(app, acting):
    hidden = add(app, 1, office="KEN", name="other")
    actor = acting("officer")
    batch_id = bulk.record_choice(actor, "follow-ups", "due", LATER.isoformat(), hidden)
    assert bulk.judge(actor, bulk.choice_of(bulk.own(actor, batch_id))) == []
    assert bulk.apply(actor, batch_id).updated == 0
    acting("other")
    assert fresh(FollowUp, hidden[0]).due_on == DAY


def test_a_change_is_its_makers_own(app, browser):
    keys = add(app, 1)
    with person(app) as actor:
        batch_id = bulk.record_choice(actor, "follow-ups", "due", LATER.isoformat(), keys)
    for name in ("manager", "head", "other"):
        client = browser(name)
        token = client.token()
        assert client.client.get(f"/bulk/{batch_id}").status_code == 404
        for end in ("apply", "undo", "cancel", "discard"):
            assert client.client.post(f"/bulk/{batch_id}/{end}", data={"csrf_token": token}).status_code == 404
    grants = browser("grants")
    for page in (f"/imports/{batch_id}", f"/imports/{batch_id}/undo", f"/imports/{batch_id}/columns"):
        assert grants.client.get(page).status_code == 404, "it is no file"
    assert str(batch_id) not in grants.get("/imports/").get_data(as_text=True)
    assert due_days(app, keys) == [DAY]


def test_nobody_is_given_what_they_may_not_read(app, acting):
    keys = add(app, 1, level="office") + add(app, 1)
    stranger = acting("other").user_id
    viewer = acting("viewer").user_id
    actor = acting("officer")

    def whys(person):
        batch_id = bulk.record_choice(actor, "follow-ups", "owner", str(person), keys)
        return [one.why for one in bulk.judge(actor, bulk.choice_of(bulk.own(actor, batch_id)))]

    assert all("does not record contacts" in why for why in whys(viewer))
    with pytest.raises(Invalid):
        whys(stranger)  # not in scope
    with pytest.raises(Invalid):
        whys("x")


def test_what_the_service_of_one_record_refuses_is_named_too(app, acting):
    """The judging does not know every rule: a row of which the service says no stays whole, the others are changed."""
    good, empty = add(app, 2), add(app, 1, text="")
    actor = acting("officer")
    batch_id = bulk.record_choice(actor, "follow-ups", "due", LATER.isoformat(), [*good, *empty])
    done = bulk.apply(actor, batch_id)
    assert (done.updated, done.unchanged, done.rejected, done.taken) == (2, 0, 1, 3)
    assert queries.refused_of(batch_id) == [(empty[0], "Write what is to be done.")]
    assert [fresh(FollowUp, key).due_on for key in (*good, *empty)] == [LATER, LATER, DAY]
    bulk.undo(actor, batch_id)
    assert {fresh(FollowUp, key).due_on for key in (*good, *empty)} == {DAY}


def test_undo_gives_nothing_back_to_whoever_may_not_have_it_now(app, acting):
    mine, theirs = add(app, 1), add(app, 1, name="manager")
    actor = acting("officer")
    manager, grants = acting("manager").user_id, acting("grants").user_id
    bind_actor(actor)
    batch_id = do(actor, "follow-ups", "owner", str(grants), [*mine, *theirs])
    _end_access(manager)
    plan = bulk.plan_undo(actor, bulk.own(actor, batch_id))
    assert [(one.record_id, one.why) for one in plan.kept] == [(theirs[0], "This person may not sign in any more.")]
    bulk.undo(actor, batch_id)
    assert [fresh(FollowUp, key).owner_id for key in (*mine, *theirs)] == [actor.user_id, grants]


@transactional
def _end_access(user_id):
    with unscoped("test"):
        db.session.get_one(User, user_id).is_active = False


def test_undo_leaves_what_one_may_not_write_any_more(app, acting):
    one = add_parties(acting("officer"), 1)[0]
    keys = add(app, 1)
    actor = acting("officer")
    kinds_added = do(actor, "parties", "add-kind", "donor", [one])
    moved = do(actor, "follow-ups", "due", LATER.isoformat(), keys)
    lost = replace(actor, grants={actor.home_office_id: frozenset({Permission.RECORD_SEE})})
    for batch_id in (kinds_added, moved):
        batch = bulk.own(actor, batch_id)
        assert bulk.touched(bulk.plan_undo(actor, batch)) == 1
        plan = bulk.plan_undo(lost, batch)
        assert (bulk.touched(plan), [entry.why for entry in plan.kept]) == (0, ["you may not write on it any more"])
        with pytest.raises(Denied):
            bulk.undo(lost, batch_id)


# --- what it does -------------------------------------------------------------------------------------------------------


def do(actor, noun, key, value, ids):
    batch_id = bulk.record_choice(actor, noun, key, value, ids)
    bulk.apply(actor, batch_id)
    return batch_id


def kinds(key):
    return {row.kind for row in fresh(Party, key).kinds}


def test_kinds_are_added_and_removed_and_both_taken_back(app, acting):
    actor = acting("officer")
    one, two, three = add_parties(actor, 3)
    added = do(actor, "parties", "add-kind", "donor", [one, two])
    assert (kinds(one), kinds(three)) == ({"ngo", "donor"}, {"ngo"})
    removed = do(actor, "parties", "remove-kind", "ngo", [one, two, three])
    assert (kinds(one), kinds(three)) == ({"donor"}, set())
    for batch_id, changed in ((added, [one, two]), (removed, [one, two, three])):
        batch = bulk.own(actor, batch_id)
        assert bulk.changed_by(batch, bulk.choice_of(batch)) == changed
    parties.change_kinds(actor, three, add=["ngo"])  # somebody says so again since
    plan = bulk.plan_undo(actor, bulk.own(actor, removed))
    assert bulk.touched(plan) == 2
    bulk.undo(actor, removed)
    assert (kinds(one), kinds(two), kinds(three)) == ({"ngo", "donor"}, {"ngo", "donor"}, {"ngo"})
    bulk.undo(actor, added)
    assert kinds(one) == kinds(two) == {"ngo"}
    with pytest.raises(Conflict):
        bulk.undo(actor, added)


def test_undo_leaves_what_was_changed_since_and_names_it(app, acting):
    keys = add(app, 4)
    actor = acting("officer")
    batch_id = do(actor, "follow-ups", "due", LATER.isoformat(), keys)
    record = fresh(FollowUp, keys[1])
    follow_ups.edit_follow_up(actor, keys[1], text="Mine now", due_on=date(2027, 1, 2), owner_id=record.owner_id, version=record.version)
    plan = bulk.plan_undo(actor, bulk.own(actor, batch_id))
    assert (bulk.touched(plan), [(one.title, one.why) for one in plan.kept]) == (3, [("Mine now", "changed since: Due")])
    bulk.undo(actor, batch_id)
    assert [fresh(FollowUp, key).due_on for key in keys] == [DAY, date(2027, 1, 2), DAY, DAY]


def test_done_opened_again_closed_and_given(app, acting):
    with app.app_context():
        ids = plant("JOR", "zzown")
    keys = add(app, 2)
    actor = acting("officer")
    done = do(actor, "follow-ups", "done", "no longer needed", keys)
    assert {(fresh(FollowUp, key).done_on is not None, fresh(FollowUp, key).done_note) for key in keys} == {(True, "no longer needed")}
    verdicts = bulk.judge(actor, bulk.choice_of(bulk.own(actor, bulk.record_choice(actor, "follow-ups", "due", LATER.isoformat(), keys))))
    assert {one.why for one in verdicts} == {"It is done. Open it again first."}
    bulk.undo(actor, done)
    assert fresh(FollowUp, keys[0]).done_on is None
    me = actor.user_id
    given = do(actor, "commitments", "owner", str(me), [ids["commitments"]])
    assert fresh(Commitment, ids["commitments"]).owner_id == me
    bulk.undo(actor, given)
    assert fresh(Commitment, ids["commitments"]).owner_id != me
    do(actor, "asks", "by-when", LATER.isoformat(), [ids["asks"]])
    assert fresh(Ask, ids["asks"]).by_when == LATER
    closed = do(actor, "asks", "close", "Overtaken", [ids["asks"]])
    assert fresh(Ask, ids["asks"]).closed_reason == "Overtaken"
    bulk.undo(actor, closed)
    assert fresh(Ask, ids["asks"]).closed_on is None


@pytest.mark.parametrize(
    ("noun", "key", "value"),
    [
        ("follow-ups", "due", "31.12.2026"),
        ("follow-ups", "due", "1800-01-01"),
        ("parties", "add-kind", "friend"),
        ("parties", "country", "XX"),
        ("asks", "close", "  "),
        ("asks", "close", "x" * 601),
    ],
)
def test_values_are_refused_with_a_sentence(app, acting, noun, key, value):
    ids = add(app, 1)
    with pytest.raises(Invalid) as refused:
        bulk.record_choice(acting("officer"), noun, key, value, ids)
    assert list(refused.value.errors) == ["value"]


def test_what_is_only_looked_at_is_dropped(app, browser):
    keys = add(app, 2)
    with person(app) as actor:
        batch_id = bulk.record_choice(actor, "follow-ups", "due", LATER.isoformat(), keys)
        with pytest.raises(Invalid):
            bulk.record_choice(actor, "follow-ups", "due", LATER.isoformat(), [])
    client = browser("officer")
    client.submit(f"/bulk/{batch_id}", {}, action="discard")
    assert client.client.get(f"/bulk/{batch_id}").status_code == 404
    assert due_days(app, keys) == [DAY, DAY]


@pytest.mark.parametrize("most", [2, 1])
def test_a_choice_that_left_its_list_since_is_said_and_can_be_dropped(app, browser, monkeypatch, most):
    monkeypatch.setattr(bulk, "AT_ONCE", most)  # so that two are changed at once, then in the background
    with person(app, "admin") as admin:
        kind = codes.add_code(admin, PARTY_KINDS, CodeInput("Think tank", "think-tank"))
    with person(app) as officer:
        keys = add_parties(officer, 2)
        batch_id = bulk.record_choice(officer, "parties", "add-kind", "think-tank", keys)
    client, address = browser("officer"), f"/bulk/{batch_id}"
    target, fields = client.fields(address, action="/apply")
    with person(app, "admin") as admin:
        codes.remove_code(admin, kind)
    assert client.client.post(target, data=fields).location.endswith(address)  # from a page that stood open
    page = client.get(address).get_data(as_text=True)
    assert "has been removed from its list since" in page
    assert not tree(client.get(address)).xpath("//form[contains(@action, '/apply')]")
    client.submit(address, {}, action="/discard")
    client.get(address, status=404)


# --- many ---------------------------------------------------------------------------------------------------------------


def job_of(batch_id):
    with unscoped("test"):
        return db.session.scalars(select(Job).where(Job.subject_id == batch_id).order_by(Job.created_at.desc())).first().id


def test_many_are_changed_in_the_background_and_can_be_stopped(app, browser):
    keys = add(app, bulk.AT_ONCE + 20)
    with person(app) as actor:
        batch_id = bulk.record_choice(actor, "follow-ups", "due", LATER.isoformat(), keys)
    client = browser("officer")
    client.submit(f"/bulk/{batch_id}", {}, action="apply")
    assert client.client.get(f"/bulk/{batch_id}/progress.json").json["is_over"] is False
    with app.app_context():
        run = job_services.begin(engine._bound_system(), job_of(batch_id), lambda _run: None)
    with person(app) as actor:
        assert bulk.take_part(actor, run) == (100, len(keys))
    assert f"100 of {len(keys)} records" in client.get(f"/bulk/{batch_id}").get_data(as_text=True)
    client.submit(f"/bulk/{batch_id}", {}, action="cancel")
    with person(app) as actor:
        with pytest.raises(job_services.Superseded):
            bulk.take_part(actor, run)
        batch = fresh(ImportBatch, batch_id)
        assert (batch.state, batch.updated, batch.taken) == ("cancelled", 100, 100)
    client.submit(f"/bulk/{batch_id}", {}, action="apply")
    with app.app_context():
        engine.perform(job_of(batch_id), threading.Event())
    with person(app) as actor:
        batch = fresh(ImportBatch, batch_id)
        assert (batch.state, batch.updated, batch.unchanged) == ("applied", len(keys), 0)
        changes = select(func.count()).select_from(ImportChange).where(ImportChange.batch_id == batch_id, ImportChange.field == "due_on")
        assert db.session.scalar(changes) == len(keys), "each once"
        bulk.undo(actor, batch_id)
    assert set(due_days(app, keys)) == {DAY}


def test_the_preview_takes_as_many_statements_for_many_rows(app, browser):
    client = browser("officer")
    sent = []
    for keys in (add(app, 3), add(app, 150)):
        with person(app) as actor:
            batch_id = bulk.record_choice(actor, "follow-ups", "due", LATER.isoformat(), keys)
        with count_statements(app) as statements:
            client.get(f"/bulk/{batch_id}")
        sent.append(statements.count)
    assert sent[0] == sent[1]


@pytest.mark.parametrize("query", ["q=" + "%F0%9F%98%80" * 200 + "&state=done", "x=1&" * 40 + "state=done"])
def test_filters_that_are_too_long_are_refused_and_never_mean_more_records(app, browser, query):
    client = browser("officer")
    add(app, 2)
    answer = client.client.post("/bulk/follow-ups", data={"csrf_token": client.token(), "action": "reopen", "all": "1", "query": query})
    assert (answer.status_code, answer.location) == (303, "/follow-ups/")
    assert "filtered by is too long" in client.get("/follow-ups/").get_data(as_text=True)
    with person(app):
        assert db.session.scalar(select(func.count(ImportBatch.id))) == 0
