"""Pages of background work: a long file on its page, and what failed, for the administrator."""

from __future__ import annotations

import io
import json
import threading
import zipfile

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db, transactional
from crm.jobs import engine
from crm.models.imports import ImportBatch
from crm.models.jobs import Job, Worker
from crm.policy import bind_actor, unscoped
from crm.queries import imports as held
from tests.factories import fts
from tests.factories.browser import tree
from tests.factories.planted import plant
from tests.web.test_imports import text, upload

GONE = "The background worker is not running"


def bring(client, size, name="flows.zip"):
    """Upload a long file, packed: the page that shows what it would do."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("flows.csv", fts.long_file(size))
    return upload(client, packed.getvalue(), name).location


def run_the_job(app) -> None:
    with app.app_context():
        with unscoped("test"):
            job_id = db.session.scalars(select(Job.id).order_by(Job.created_at.desc())).first()
        engine.perform(job_id, threading.Event())
        db.session.remove()


@pytest.fixture
def worker(app):
    """A worker gave a sign of life a moment ago."""

    @transactional
    def say() -> None:
        db.session.add(Worker(name="worker-1", host="elsewhere", pid=1, beat_at=clock.now()))

    with app.app_context():
        bind_actor(None)
        say()
        db.session.remove()


def follow(client, place):
    return json.loads(client.client.get(f"{place}/progress.json").get_data(as_text=True))


def test_a_long_file_is_brought_in_in_the_background(app, browser, worker):
    client = browser("grants")
    place = bring(client, 1200)
    client.submit(place, {}, action="/apply")
    page = client.get(place)
    assert "Waiting for the background worker" in text(page)
    assert "You can leave this page" in text(page)
    assert GONE not in text(page)
    assert tree(page).xpath(f"//main//a[@href='{place}']/text()") == ["Refresh"]
    assert tree(page).xpath("//progress/@value") == ["0"]
    assert not [form for form in tree(page).forms if (form.action or "").endswith(("/apply", "/discard"))]
    assert follow(client, place)["is_over"] is False
    run_the_job(app)
    assert follow(client, place) == {"is_over": True}
    page = client.get(place)
    assert "See the flows" in text(page)
    assert "New 1,200" in text(page)
    assert not tree(page).xpath("//progress")


def test_a_page_says_when_no_worker_is_there_instead_of_waiting_for_ever(browser):
    client = browser("grants")
    place = bring(client, 600)
    assert GONE not in text(client.get("/imports/"))
    client.submit(place, {}, action="/apply")
    assert GONE in text(client.get(place))
    assert GONE in follow(client, place)["note"]
    assert GONE in text(client.get("/imports/"))
    assert client.client.get("/readyz").status_code == 200


def test_stopping_twice_or_too_late_is_said(app, browser, worker):
    client = browser("grants")
    place = bring(client, 600)
    client.submit(place, {}, action="/apply")
    target, values = client.fields(place, action="/cancel")
    for said in ("Stopped before anything was brought in.", "The work had ended before."):
        assert client.client.post(target, data=values).status_code == 303
        assert said in text(client.get(place))
    assert "Bring in 600 rows" in text(client.get(place))


def test_a_second_click_on_a_long_file_asks_once(app, browser, worker):
    client = browser("grants")
    place = bring(client, 600)
    target, values = client.fields(place, action="/apply")
    for _click in range(2):
        assert client.client.post(target, data=values).status_code == 303
    with app.app_context(), unscoped("test"):
        assert len(db.session.scalars(select(Job)).all()) == 1


def test_what_stopped_in_between_says_so_and_goes_on(app, browser, worker):
    client = browser("grants")
    place = bring(client, 1200)
    client.submit(place, {}, action="/apply")
    with app.app_context():
        bind_actor(None)
        from crm.jobs import imports
        from crm.services import imports as service
        from crm.services import jobs, users
        from tests.factories import world

        with unscoped("test"):
            job_id, batch_id = db.session.scalar(select(Job.id)), db.session.scalar(select(ImportBatch.id))
        run = jobs.begin(engine._bound_system(), job_id, lambda _run: None)
        actor = users.actor_by_email(world.address("grants"))
        bind_actor(actor)
        contents = imports._kept(held.get(batch_id))
        service.start(actor, run, contents)
        service.take_part(actor, run, contents)
        db.session.remove()
    assert follow(client, place)["text"] == "500 of about 1,200 rows"
    assert tree(client.get(place)).xpath("//progress/@value") == ["41"]
    client.submit(place, {}, action="/cancel")
    page = text(client.get(place))
    assert "Stopped, brought in in part" in page
    assert "500 of about 1,200 rows were compared, and what they brought stays: 500 new, 0 changed." in page
    assert "Stopped, brought in in part" in text(client.get("/imports/"))
    client.submit(place, {}, action="/apply")
    run_the_job(app)
    assert "New 1,200" in text(client.get(place))


def test_who_may_not_bring_files_sees_progress_and_no_button(browser, worker):
    place = bring(browser("grants"), 600)
    client = browser("grants")
    client.submit(place, {}, action="/apply")
    officer = browser("officer")
    page = officer.get(place)
    assert "Waiting for the background worker" in text(page)
    assert not [form for form in tree(page).forms if "cancel" in (form.action or "")]
    assert officer.client.post(f"{place}/cancel", data={"csrf_token": officer.token()}).status_code == 403
    other = browser("other-grants")
    other.get(f"{place}/progress.json", status=404)
    assert other.client.post(f"{place}/cancel", data={"csrf_token": other.token()}).status_code == 404


# --- the administrator ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["viewer", "officer", "grants", "manager", "head", "auditor", "hq", "regional"])
def test_failed_work_is_the_administrators(app, browser, name):
    with app.app_context():
        ids = plant("JOR", "zzown")
    client = browser(name)
    client.get("/jobs/", status=403)
    assert "Background work" not in text(client.get("/"))
    for action in ("retry", "dismiss"):
        assert client.client.post(f"/jobs/{ids['jobs']}/{action}", data={"csrf_token": client.token()}).status_code == 403


def test_the_administrator_sees_why_and_no_word_of_the_record(app, browser):
    client = browser("grants")
    place = bring(client, 600, "secretname.zip")
    client.submit(place, {}, action="/apply")
    with app.app_context():
        from crm.jobs import imports

        for path in imports.folder().iterdir():
            path.unlink()
    run_the_job(app)
    page = text(client.get(place))
    assert "The file is no longer kept here. Bring it again." in page
    assert "Nothing of the file was brought in." in page
    admin = browser("admin")
    assert "Background work" in text(admin.get("/"))
    page = admin.get("/jobs/")
    for said in (
        "Failed 1",
        "Bringing a file in",
        "Country office Jordan (test)",
        "The work was refused. Who asked for it sees why.",
        GONE,
    ):
        assert said in text(page)
    assert "secretname" not in page.get_data(as_text=True)
    admin.get(place, status=403)
    target, values = admin.fields("/jobs/", action="/retry")
    for said in ("It is tried again", "not among the failed any more"):
        assert admin.client.post(target, data=values).status_code == 303
        assert said in text(admin.get("/jobs/"))
    assert "Waiting for the background worker" in text(client.get(place)), "its page says that it is on its way again"
    run_the_job(app)
    admin.submit("/jobs/", {}, action="/dismiss")
    assert "Nothing failed." in text(admin.get("/jobs/"))
    assert "Bring in the rest" in tree(client.get(place)).text_content()


def test_a_worker_that_is_there_is_not_said_to_run_anything(browser, worker):
    page = tree(browser("admin").get("/jobs/"))
    running, worker_1 = (" ".join(line.text_content().split()) for line in page.xpath("//dl/div")[1:3])
    assert running == "Running0"
    assert worker_1.startswith("worker-1There; last heard of ")
    assert "Running" not in worker_1


def test_an_administrator_of_one_office_sees_its_jobs_only(app, browser):  # P1
    from crm.policy import all_offices, system_actor
    from crm.services import users
    from tests.factories import world

    with app.app_context():
        foreign = plant("KEN", "zzkenya")
        plant("JOR", "zzjordan")
        with unscoped("test"):
            system = system_actor(all_offices())
        bind_actor(system)
        jordan = next(office.id for office in all_offices() if office.code == "JOR")
        users.create_user(system, users.NewUser(world.address("admin-jor"), "Admin Jordan", jordan, "administrator", world.PASSWORD))
        db.session.remove()
    client = browser("admin-jor")
    page = text(client.get("/jobs/"))
    assert "zzjordan why" in page
    assert "Kenya" not in page
    for action in ("retry", "dismiss"):
        assert client.client.post(f"/jobs/{foreign['jobs']}/{action}", data={"csrf_token": client.token()}).status_code == 404


def test_each_entry_of_the_navigation_has_an_icon_of_its_own(browser):
    links = tree(browser("admin").get("/account/")).xpath("(//nav)[1]//a[.//*[local-name()='use']]")
    icons = {link.get("href"): link.xpath(".//*[local-name()='use']/@href")[0] for link in links}
    assert {"/code-lists/", "/jobs/"} <= icons.keys()
    assert len(set(icons.values())) == len(icons), icons
