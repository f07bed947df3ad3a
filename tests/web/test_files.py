"""Files attached to records: who may, what is kept, what is refused and how it is said, what the disk holds afterwards."""

from __future__ import annotations

import io
import os
import resource
import threading
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image
from sqlalchemy import func, select

from crm.clock import frozen, now
from crm.db import db, transactional
from crm.errors import Denied, Invalid
from crm.jobs import files as jobs
from crm.models.files import File, FileContent
from crm.models.interactions import Interaction
from crm.policy import bind_actor, unscoped
from crm.services import files as services
from crm.services import levels, users
from tests.factories import files as made
from tests.factories import world
from tests.factories.browser import errors, tree
from tests.factories.counting import count_statements
from tests.factories.planted import plant

NOUNS = ("parties", "interactions", "commitments", "pledges", "agreements", "receipts")
MONEY = ("pledges", "agreements", "receipts")


@pytest.fixture
def own(app):
    with app.app_context():
        return plant("JOR", "zzown", amount=1_234_500)


def send(client, path, *uploads, status=303, values=None, **more):
    """Open the form of a record's files and send some: (name, bytes) pairs."""
    if values is None:
        _target, values = client.fields(path, action="/files")
    data = values | more | {"files": [(io.BytesIO(data), name) for name, data in uploads]}
    response = client.client.post(path, data=data, content_type="multipart/form-data")
    assert response.status_code == status, (response.status_code, errors(response))
    return response


def text(response):
    return " ".join(tree(response).text_content().split())


def rows(app, *conditions, model=File):
    with app.app_context(), unscoped("test"):
        return db.session.scalar(select(func.count()).select_from(model).where(*conditions))


def on_disk(app) -> list[Path]:
    return sorted(path for path in (Path(app.instance_path) / "files").rglob("*") if path.is_file())


def newest(app):
    with app.app_context(), unscoped("test"):
        return db.session.scalar(select(File.id).order_by(File.created_at.desc(), File.id.desc()).limit(1))


def test_a_file_is_attached_to_each_kind_of_record_shown_and_downloaded(app, browser, own):
    client, data = browser("grants"), made.pdf()
    for noun in NOUNS:
        page = f"/{noun}/{own[noun]}"
        answer = send(client, f"{page}/files", ("Décret 法令.pdf", data), caption="The decree", evidence="decree")
        assert answer.location == f"{page}#files"
        shown = text(client.get(page))
        assert "1 file is attached." in shown
        assert "Décret 法令.pdf" in shown
        assert "The decree" in shown
        assert "Grants Person" in shown
        got = client.get(f"/files/{newest(app)}")
        assert got.data == data
        assert got.headers["Content-Type"] == "application/pdf"
        assert got.headers["Content-Disposition"] == f"attachment; filename=\"Decret __.pdf\"; filename*=UTF-8''{quote('Décret 法令.pdf')}"
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert got.headers["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
        assert got.headers["Cache-Control"] == "private, no-store"
        assert got.headers["Content-Length"] == str(len(data))
        got.close()
        assert "File attached" in text(client.get(f"{page}/history"))
    assert rows(app, FileContent.size == len(data), model=FileContent) == 1, "one content for six files"
    part = client.client.get(f"/files/{newest(app)}", headers={"Range": "bytes=0-3", "If-None-Match": "*"})
    assert (part.status_code, part.data) == (200, data)
    assert "Décret 法令.pdf" in text(client.get(f"/parties/{own['parties']}")), "in the timeline too"


def test_who_may_attach_download_and_remove(app, browser, own):
    data = made.pdf()
    officer, viewer = browser("officer"), browser("viewer")
    for noun in NOUNS:
        path = f"/{noun}/{own[noun]}/files"
        before = rows(app)
        for name, status in (("viewer", 403), ("auditor", 403), ("admin", 403), ("other-grants", 404), ("hq", 403)):
            client = browser(name)
            sent = {"csrf_token": client.token(), "evidence": "other", "files": (io.BytesIO(data), "x.pdf")}
            answer = client.client.post(path, data=sent, content_type="multipart/form-data")
            # a shared or foreign record: absent is 404, one's own without the right is 403
            assert answer.status_code == status, (noun, name, answer.status_code)
        assert rows(app) == before, noun
        if noun in MONEY:
            assert "Add files" not in text(officer.get(f"/{noun}/{own[noun]}"))
            assert officer.client.post(path, data={"csrf_token": officer.token()}).status_code == 403
        else:
            send(officer, path, ("x.pdf", data))
    file_id = own["files"]
    for name in ("viewer", "auditor", "hq", "regional"):
        browser(name).get(f"/files/{file_id}").close()
        browser(name).get(f"/files/{file_id}/thumbnail").close()
    for name, status in (("admin", 403), ("other", 404), ("other-grants", 404)):
        for path in (f"/files/{file_id}", f"/files/{file_id}/thumbnail"):
            browser(name).get(path, status=status)
    assert viewer.client.post(f"/files/{file_id}/remove", data={"csrf_token": viewer.token()}).status_code == 403
    other = browser("other-grants")
    for action in ("remove", "restore"):
        assert other.client.post(f"/files/{file_id}/{action}", data={"csrf_token": other.token()}).status_code == 404
    with app.app_context(), unscoped("test"):
        money = db.session.scalar(select(File.id).where(File.pledge_id == own["pledges"]))
    assert officer.client.post(f"/files/{money}/remove", data={"csrf_token": officer.token()}).status_code == 403


def test_a_file_follows_the_level_of_its_record(app, browser, own):
    officer, hq = browser("officer"), browser("hq")
    page = f"/interactions/{own['interactions']}"
    send(officer, f"{page}/files", ("secret.pdf", made.pdf(text="level")))
    file_id = newest(app)
    hq.get(f"/files/{file_id}").close()

    @transactional
    def change(level):
        record = db.session.get_one(Interaction, own["interactions"])
        record.level = level
        db.session.flush()
        levels.carry_level(record)

    def narrow(level):
        with app.app_context():
            bind_actor(users.actor_by_email(world.address("officer")))
            change(level)

    narrow("office")
    assert rows(app, File.id == file_id, File.level == "office") == 1
    hq.get(f"/files/{file_id}", status=404)
    officer.get(f"/files/{file_id}").close()
    send(officer, f"{page}/files", ("second.pdf", made.pdf(text="second")))
    hq.get(f"/files/{newest(app)}", status=404)
    narrow("open")
    assert rows(app, File.id == file_id, File.level == "open") == 1
    hq.get(f"/files/{file_id}").close()


def test_what_is_refused_is_said_beside_the_field_and_nothing_is_kept(app, browser, own, monkeypatch):
    client, path = browser("officer"), f"/interactions/{own['interactions']}/files"
    before = on_disk(app)
    answer = send(
        client,
        path,
        ("good.pdf", made.pdf()),
        ("drawing.svg", made.SVG),
        ("tool.exe", b"MZ"),
        status=422,
        caption="zztyped",
        evidence="decree",
    )
    page = tree(answer)
    said = page.xpath("//p[@id='files-error']")[0].text_content()
    assert "drawing.svg" in said
    assert "tool.exe" in said
    assert "good.pdf" not in said
    assert "Nothing was attached. Choose the files again." in said
    assert page.xpath("//input[@name='caption']/@value") == ["zztyped"]
    assert page.xpath("//select[@name='evidence']/option[@selected]/@value") == ["decree"]
    assert on_disk(app) == before
    assert "Choose a file." in text(send(client, path, status=422))
    assert "at most 600 characters" in text(send(client, path, ("a.pdf", made.pdf()), status=422, caption="x" * 601))
    many = [(f"{n}.txt", b"x%d" % n) for n in range(11)]
    assert "at most 10 files at once" in text(send(client, path, *many, status=422))
    with monkeypatch.context() as smaller:
        smaller.setattr("crm.jobs.files.MOST_BYTES", 50_000)
        assert "larger than 25.0 MB" in text(send(client, path, ("big.pdf", made.pdf() + bytes(50_000)), status=422))
    send(client, path, ("a.pdf", made.pdf()), status=422, evidence="x")
    app.config["FILE_QUOTA_BYTES"] = 1000
    answer = send(client, path, ("too.pdf", made.pdf(text="x" * 900)), status=422)
    assert "your office may keep 1.0 kB" in text(answer)
    assert on_disk(app) == before
    assert rows(app, File.caption == "zztyped") == 0


@pytest.mark.parametrize(("noun", "usual"), [("agreements", "agreement"), ("receipts", "payment")])
def test_only_pdf_and_word_files_are_taken_for_what_is_usual(app, browser, own, noun, usual):
    client, path = browser("grants"), f"/{noun}/{own[noun]}/files"
    page = tree(client.get(path))
    assert page.xpath("//select[@name='evidence']/option[@selected]/@value") == [""]
    assert page.xpath("//select[@name='evidence']/@data-usual") == [usual]
    send(client, path, ("signed.pdf", made.pdf()), ("signed.docx", made.office()))
    assert kinds_of(app) == {"signed.pdf": usual, "signed.docx": usual}
    before = on_disk(app)
    for files in (
        [("hands.jpg", made.photo())],
        [("b.pdf", made.pdf(text="b")), ("hands.jpg", made.photo())],
        [("sums.csv", b"a,b\n1,2\n")],
    ):
        answer = tree(send(client, path, *files, status=422, caption="zztyped"))
        assert "Choose what the picture or table shows" in answer.xpath("//p[@id='evidence-error']")[0].text_content()
        assert answer.xpath("//input[@name='caption']/@value") == ["zztyped"]
    assert on_disk(app) == before
    send(client, path, ("hands.jpg", made.photo()), evidence="photo")
    send(client, path, ("scan.jpg", made.photo(size=(70, 70))), evidence=usual)
    assert kinds_of(app) == {"signed.pdf": usual, "signed.docx": usual, "hands.jpg": "photo", "scan.jpg": usual}


def kinds_of(app):
    with app.app_context(), unscoped("test"):
        return dict(db.session.execute(select(File.name, File.evidence).where(File.name.not_like("%zzown%"))).all())


def test_a_picture_of_a_meeting_needs_no_choice(app, browser, own):
    send(browser("officer"), f"/interactions/{own['interactions']}/files", ("meeting.jpg", made.photo()))
    assert kinds_of(app)["meeting.jpg"] == "other"


def test_photos_lose_their_place_and_have_a_likeness(app, browser, own):
    client, path = browser("officer"), f"/interactions/{own['interactions']}/files"
    send(client, path, ("meeting.jpg", made.photo(size=(800, 600))), evidence="photo")
    assert "Place, time and device were taken out of the photo." in text(client.get(f"/interactions/{own['interactions']}"))
    got = client.get(f"/files/{newest(app)}")
    assert dict(Image.open(io.BytesIO(got.data)).getexif()) == {}
    assert b"zzcamera" not in got.data
    small = client.get(f"/files/{newest(app)}/thumbnail")
    assert small.headers["Content-Type"] == "image/jpeg"
    assert Image.open(io.BytesIO(small.data)).size == (360, 270)
    send(client, path, ("words.txt", b"words"))
    client.get(f"/files/{newest(app)}/thumbnail", status=404)


def test_one_content_is_kept_once_in_an_office_and_again_in_another(app, browser, own):
    with app.app_context():
        kenya = plant("KEN", "zzkenya")
    data = made.pdf(text="the same")
    client, path = browser("officer"), f"/interactions/{own['interactions']}/files"
    send(client, path, ("a.pdf", data))
    disk = len(on_disk(app))
    assert "is attached here already, as" in text(send(client, path, ("b.pdf", data), status=422))
    send(client, f"/commitments/{own['commitments']}/files", ("b.pdf", data))
    assert len(on_disk(app)) == disk
    send(browser("other"), f"/interactions/{kenya['interactions']}/files", ("c.pdf", data))
    assert len(on_disk(app)) == disk + 1
    with app.app_context(), unscoped("test"):
        lost = db.session.scalar(select(FileContent.stored_as).join(File, File.content_id == FileContent.id).where(File.name == "a.pdf"))
        jobs.path_of(lost).unlink()
    gone = client.get(f"/files/{newest_named(app, 'a.pdf')}", status=404)
    assert "is missing on the server" in text(gone)
    send(client, f"/parties/{own['parties']}/files", ("d.pdf", data))
    assert client.get(f"/files/{newest_named(app, 'a.pdf')}").data == data, "what was lost is there again"


def newest_named(app, name):
    with app.app_context(), unscoped("test"):
        return db.session.scalar(select(File.id).where(File.name == name))


def test_a_double_click_attaches_once_and_other_contents_are_a_conflict(app, browser, own):
    client, path = browser("officer"), f"/interactions/{own['interactions']}/files"
    _target, values = client.fields(path, action="/files")
    before = rows(app)
    both = ("a.pdf", made.pdf(text="a")), ("b.pdf", made.pdf(text="b"))
    send(client, path, *both, values=values)
    disk = on_disk(app)
    send(client, path, *both, values=values)
    assert rows(app) == before + 2
    answer = send(client, path, ("a.pdf", made.pdf(text="another")), values=values, status=422)
    assert "already sent with other contents" in text(answer)
    assert (rows(app), on_disk(app)) == (before + 2, disk)


def test_a_transaction_that_fails_leaves_no_file(app, browser, own, monkeypatch):
    client, path = browser("officer"), f"/interactions/{own['interactions']}/files"
    before, disk = rows(app), on_disk(app)
    monkeypatch.setattr("crm.services.files.MOST_FILES", 1)  # refused after it stands on disk
    assert "at most 1 files" in text(send(client, path, ("a.pdf", made.pdf(text="a")), status=422))
    assert (rows(app), on_disk(app)) == (before, disk)


def test_a_full_disk_is_said_and_nothing_is_left(app, browser, own):
    """No process may write a file of more than 100 kB: as a full disk, to this process alone."""
    client, path = browser("officer"), f"/interactions/{own['interactions']}/files"
    before, disk = rows(app), on_disk(app)
    _target, values = client.fields(path, action="/files")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    data = made.pdf()[:-6] + b"%" + os.urandom(120_000).hex().encode() + b"\n%%EOF\n"
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        answer = send(client, path, ("a.pdf", data), values=values, caption="zztyped", status=507)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "no room left" in text(answer)
    assert tree(answer).xpath("//input[@name='caption']/@value") == ["zztyped"]
    assert (rows(app), on_disk(app)) == (before, disk)
    send(client, path, ("a.pdf", made.pdf()), caption="zztyped")


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd.pdf", "a%0D%0AX-Evil: 1.pdf", 'q"; filename="x.exe.pdf', "gpj.\u202efdp.pdf", "😀" * 1000 + ".pdf"]
)
def test_hostile_names_stay_names(app, browser, own, name):
    client, path = browser("officer"), f"/interactions/{own['interactions']}/files"
    send(client, path, (name, made.pdf()))
    got = client.get(f"/files/{newest(app)}")
    header = got.headers["Content-Disposition"]
    assert header.startswith('attachment; filename="')
    assert header.isascii()
    assert header.count('"') == 2
    assert "X-Evil" not in got.headers
    assert "/" not in header
    assert "%E2%80%AE" not in header
    got.close()
    client.get(path)


def test_the_only_file_of_a_party_can_be_put_back_from_its_page(app, browser, own):
    """The page asks for files only where there is one: also one that was removed."""
    client, page = browser("officer"), f"/parties/{own['parties']}"
    send(client, f"{page}/files", ("gone.pdf", made.pdf(text="gone")))
    file_id = newest(app)
    target, values = client.fields(f"/files/{file_id}/remove")
    assert client.client.post(target, data=values).status_code == 303
    assert f"/files/{file_id}/restore" in client.get(page).get_data(as_text=True)


def test_removing_says_what_happens_can_be_taken_back_and_ends_after_thirty_days(app, browser, own):
    client, page = browser("officer"), f"/interactions/{own['interactions']}"
    send(client, f"{page}/files", ("gone.pdf", made.pdf(text="gone")))
    file_id = newest(app)
    disk = len(on_disk(app))
    assert "then it is deleted for good" in text(client.get(f"/files/{file_id}/remove"))
    target, values = client.fields(f"/files/{file_id}/remove")
    for _click in range(2):
        assert client.client.post(target, data=values).status_code == 303
    shown = text(client.get(page))
    assert "“\u2068gone.pdf\u2069” is removed." in shown
    assert "by \u2068Officer Person\u2069" in shown
    client.get(f"/files/{file_id}", status=404)
    client.get(f"/files/{file_id}/remove", status=404)
    client.client.post(f"/files/{file_id}/restore", data={"csrf_token": client.token()})
    client.get(f"/files/{file_id}").close()
    client.submit(f"/files/{file_id}/remove", {})
    history = text(client.get(f"{page}/history"))
    assert history.count("File removed") == 2
    assert "File put back" in history
    grants = browser("grants")
    send(grants, f"/receipts/{own['receipts']}/files", ("paid.pdf", made.pdf(text="paid")))
    paid = newest(app)
    assert "never deleted" in text(grants.get(f"/files/{paid}/remove"))
    grants.submit(f"/files/{paid}/remove", {})
    stray = Path(app.instance_path) / "files" / "ab" / "abcdef"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"x")
    os.utime(stray, (1_700_000_000, 1_700_000_000))
    verified = app.test_cli_runner().invoke(args=["verify"])
    assert "stray attached files" in verified.stderr
    with frozen(now() + timedelta(days=31)):
        said = app.test_cli_runner().invoke(args=["files", "clear"])
        assert "2 removed files deleted for good; 1 stray files deleted." in said.output, said.output
    assert rows(app, File.id == file_id) == 0
    assert rows(app, File.id == paid) == 1
    assert not stray.exists()
    assert len(on_disk(app)) == disk, "one went, the receipt's came"
    assert "File deleted for good" in text(client.get(f"{page}/history"))
    later = text(grants.get(f"/receipts/{own['receipts']}"))
    assert "paid.pdf" in later
    assert "Put back" in later
    assert app.test_cli_runner().invoke(args=["verify"]).exit_code == 0


@pytest.mark.parametrize("name", ["viewer", "auditor", "hq"])
def test_the_services_ask_for_the_right_themselves(app, browser, own, name):
    send(browser("officer"), f"/interactions/{own['interactions']}/files", ("a.pdf", made.pdf()))
    stored = services.StoredFile("b.pdf", "application/pdf", 10, "0" * 64, "another")
    with app.app_context():
        actor = users.actor_by_email(world.address(name))
        bind_actor(actor)
        for refused in (
            lambda: services.remove(actor, newest(app)),
            lambda: services.put_back(actor, newest(app)),
            lambda: services.attach(actor, "interaction", own["interactions"], [stored], services.Words(), 1_000_000_000),
        ):
            with pytest.raises(Denied):
                refused()
            bind_actor(actor)


def test_putting_back_and_attaching_the_same_at_once_keeps_it_once(app, browser, own):
    client, path, data = browser("officer"), f"/interactions/{own['interactions']}/files", made.pdf(text="the same")
    send(client, path, ("a.pdf", data))
    removed = newest_named(app, "a.pdf")
    client.submit(f"/files/{removed}/remove", {})
    with app.app_context(), unscoped("test"):
        content = db.session.scalars(select(FileContent).join(File, File.content_id == FileContent.id).where(File.id == removed)).one()
        again = services.StoredFile("b.pdf", content.media_type, content.size, content.sha256, "another")
    is_attached, results = threading.Event(), []

    @transactional
    def attach(actor):
        services.attach(actor, "interaction", own["interactions"], [again], services.Words(), 1_000_000_000)
        is_attached.set()
        time.sleep(1)

    def put_back(actor):
        is_attached.wait(10)
        services.put_back(actor, removed)

    def run(work):
        with app.app_context():
            bind_actor(None)
            actor = users.actor_by_email(world.address("officer"))
            bind_actor(actor)
            try:
                work(actor)
            except Invalid as error:
                results.append(str(error))
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(work,)) for work in (attach, put_back)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert rows(app, File.interaction_id == own["interactions"], File.content_id == content.id, File.removed_at.is_(None)) == 1
    assert ["is attached here already" in one for one in results] == [True]


def test_verify_finds_a_changed_and_a_missing_file(app, browser, own):
    client = browser("officer")
    send(client, f"/interactions/{own['interactions']}/files", ("a.pdf", made.pdf(text="a")))
    assert app.test_cli_runner().invoke(args=["verify"]).exit_code == 0
    with app.app_context(), unscoped("test"):
        path = jobs.path_of(
            db.session.scalars(
                select(FileContent.stored_as).join(File, File.content_id == FileContent.id).where(File.id == newest(app))
            ).one()
        )
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + b"x")
    assert "the file is not the one that was kept" in app.test_cli_runner().invoke(args=["verify"]).stderr
    path.unlink()
    assert "the file is missing" in app.test_cli_runner().invoke(args=["verify"]).stderr


def test_pages_send_as_many_statements_with_many_files_as_with_one(app, browser, own):
    client = browser("grants")
    pages = [f"/{noun}/{own[noun]}" for noun in NOUNS]
    pages += [f"{page}/files" for page in pages]
    counts = {}
    for turn in range(2):
        for page in pages:
            client.get(page)
            with count_statements(app) as sent:
                client.get(page)
            counts.setdefault(page, []).append(sent.count)
        if turn == 0:
            for page in pages[:6]:
                send(client, f"{page}/files", *[(f"{n}.txt", f"{page}{n}".encode()) for n in range(9)], evidence="other")
    assert {page: found for page, found in counts.items() if found[0] != found[1]} == {}


def test_too_much_at_once_gets_a_sentence(app, browser, own, monkeypatch):
    monkeypatch.setattr("crm.web.files.MOST_IN_ALL", 10_000)
    client, path = browser("officer"), f"/interactions/{own['interactions']}/files"
    answer = send(client, path, ("a.pdf", bytes(20_000)), status=413)
    assert "more than 100 MB together" in text(answer)
