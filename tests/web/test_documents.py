"""Document pages: making a pack from a meeting, reading it, and who may not."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask

from crm import clock
from crm.db import db
from crm.models.documents import Document
from crm.policy import Actor, bind_actor
from crm.queries.documents import PACK, interaction
from crm.services import documents as document_services
from crm.services import interactions, notes, users
from reports.render import RenderFailed
from tests.factories import money as made
from tests.factories import world
from tests.factories.browser import errors, tree


@contextmanager
def acting_as(app: Flask, name: str) -> Iterator[Actor]:
    """Somebody bound to a session of their own, gone before a browser asks (a pushed context would share its sign-in)."""
    with app.app_context():
        actor = users.actor_by_email(world.address(name))
        bind_actor(actor)
        yield actor
        db.session.remove()


@pytest.fixture
def meeting(app) -> uuid.UUID:
    with acting_as(app, "grants") as actor:
        return _meeting(actor)


def _meeting(actor: Actor) -> uuid.UUID:
    party = made.donor(actor, "Ministry of Northland")
    when = datetime(2030, 4, 9, 8, 30, tzinfo=UTC)
    return interactions.log_interaction(
        actor, interactions.NewInteraction(made.office(), "planned", "meeting", when, party, purpose="Review")
    )


def made_document(browser, meeting: uuid.UUID, name: str = "officer") -> str:
    return browser(name).submit(f"/interactions/{meeting}/brief", {}, action="/brief").location


def test_a_pack_is_made_in_two_actions_and_opened(browser, meeting):
    officer = browser("officer")
    assert "Make the briefing pack" in officer.get(f"/interactions/{meeting}/brief").get_data(as_text=True)
    address = officer.submit(f"/interactions/{meeting}/brief", {}, action="/brief").location
    page = officer.get(address).get_data(as_text=True)
    assert "JOR-DO-" in page
    pdf = officer.get(f"{address}.pdf")
    assert pdf.mimetype == "application/pdf"
    assert pdf.data.startswith(b"%PDF-")
    assert pdf.headers["X-Content-Type-Options"] == "nosniff"
    assert pdf.headers["Cache-Control"] == "no-store"
    assert pdf.headers["Content-Disposition"].startswith('inline; filename="JOR-DO-')
    assert "Open the PDF" in officer.get(f"/interactions/{meeting}/brief").get_data(as_text=True)


def test_a_double_click_makes_one_document(browser, meeting):
    officer = browser("officer")
    target, values = officer.fields(f"/interactions/{meeting}/brief", action="/brief")
    first, second = officer.client.post(target, data=values), officer.client.post(target, data=values)
    assert first.location == second.location


def test_the_list_filters_and_survives_nonsense(browser, meeting):
    made_document(browser, meeting)
    viewer = browser("viewer")
    assert "Ministry of Northland" in viewer.get("/documents/").get_data(as_text=True)
    assert "No document fits" in viewer.get(f"/documents/?party={uuid.uuid4()}").get_data(as_text=True)
    for query in ("slug=x", "party=%00", "page=-1", "after=zzz", "slug=briefing-pack&per_page=100"):
        viewer.get(f"/documents/?{query}")


def test_a_viewer_reads_but_does_not_make(browser, meeting):
    address = made_document(browser, meeting)
    viewer = browser("viewer")
    viewer.get(address)
    viewer.get(f"{address}.pdf")
    page = viewer.get(f"/interactions/{meeting}/brief").get_data(as_text=True)
    assert "Make again" not in page
    assert viewer.client.post(f"/interactions/{meeting}/brief", data={"csrf_token": viewer.token()}).status_code == 403


def test_another_office_finds_nothing(browser, meeting):
    address = made_document(browser, meeting)
    other = browser("other")
    for path in (address, f"{address}.pdf", f"/interactions/{meeting}/brief"):
        other.get(path, status=404)
    assert other.client.post(f"/interactions/{meeting}/brief", data={"csrf_token": other.token()}).status_code == 404


def test_it_is_said_when_the_meeting_was_edited_since(browser, meeting, app):
    address = made_document(browser, meeting)
    with acting_as(app, "officer") as actor:
        interactions.cancel_interaction(actor, meeting, reason="They are ill", version=_version(meeting))
    page = browser("officer").get(address).get_data(as_text=True)
    assert "The meeting was edited since." in page


def test_it_is_said_when_a_record_came_since(browser, meeting, app):
    address = made_document(browser, meeting)
    page = browser("officer").get(address).get_data(as_text=True)
    assert "not in it" not in page
    with acting_as(app, "grants") as actor:
        party = interaction(meeting).party_id
        agreement = made.agreement(actor, made.usd(108), donor_id=party, office_id=made.office())
        made.receipt(actor, made.usd(8), date(2023, 6, 1), agreement_id=agreement)
        made.agreement(actor, made.usd(5), donor_id=made.donor(actor, "Somebody else"), office_id=made.office())
    page = browser("officer").get(address).get_data(as_text=True)
    assert "2 new records are not in it." in page


def _version(meeting: uuid.UUID) -> int:
    return interaction(meeting).version


def test_a_drawing_that_fails_is_a_sentence_and_keeps_nothing(browser, meeting, monkeypatch):
    def fail(*_args: object, **_kwargs: object) -> None:
        raise RenderFailed("timeout", seconds=20)

    monkeypatch.setattr("reports.snapshots.draw", fail)
    officer = browser("officer")
    answer = officer.submit(f"/interactions/{meeting}/brief", {}, action="/brief", status=422)
    assert "took longer than 20 seconds" in answer.get_data(as_text=True)


def test_the_page_names_what_the_paper_shows_as_boxes(browser, meeting, app):
    """C7: said on the document's page and by the command; nothing is said where every character was printed."""
    address = made_document(browser, meeting)
    assert "could not be printed" not in browser("officer").get(address).get_data(as_text=True)
    with acting_as(app, "officer") as actor:
        party_id = interaction(meeting).party_id
        notes.write_note(actor, made.office(), party_id, "They agree 🙂 <b>", "open")
    page = browser("officer").get(made_document(browser, meeting)).get_data(as_text=True)
    assert "Some characters could not be printed" in page
    assert re.search(r"<li>Note of [^<]*, in “1\. Who they are”: \u2068🙂\u2069 \(U\+1F642\)</li>", page)


def test_a_lost_file_is_drawn_again_and_where_that_gives_another_it_is_a_page_not_an_error(browser, meeting, app, monkeypatch):
    address = made_document(browser, meeting)
    issued = browser("officer").get(f"{address}.pdf").data
    for file in (Path(app.instance_path) / "documents").glob("*.pdf"):
        file.unlink()
    assert browser("officer").get(f"{address}.pdf").data == issued

    def fail(*_args: object) -> None:
        raise RenderFailed("timeout", seconds=20)

    monkeypatch.setattr("reports.snapshots.draw", fail)
    assert "is missing" in browser("officer").get(f"{address}.pdf", status=404).get_data(as_text=True)


# --- the command line ----------------------------------------------------------------------------------------------


def test_the_command_lists_and_builds(app, meeting, tmp_path):
    from crm.queries.documents import interaction

    with acting_as(app, "grants"):
        reference = interaction(meeting).reference
    run = app.test_cli_runner().invoke
    listed = run(args=["report", "list", "--json"])
    assert json.loads(listed.output)["reports"][0]["slug"] == "briefing-pack"
    target = tmp_path / "pack.pdf"
    args = ["report", "build", "briefing-pack", "-o", str(target), "--param", f"interaction={reference}", "--as", "officer@test.example"]
    done = run(args=args)
    assert done.exit_code == 0, done.output
    assert target.read_bytes().startswith(b"%PDF-")
    assert "JOR-DO-" in done.output
    assert done.stderr == ""
    with acting_as(app, "officer") as actor:
        notes.write_note(actor, made.office(), interaction(meeting).party_id, "They agree 🙂", "open")
    assert "U+1F642" in run(args=args).stderr


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--param", "interaction=JOR-IN-1999-0001"], "Nothing here is called"),
        ([], "Say which record"),
        (["--param", "donor=x"], "takes interaction"),
        (["--param", "interaction=x", "--level", "public"], "internal"),
        (["--param", "interaction=x", "--as", "nobody@test.example"], "nobody"),
    ],
)
def test_the_command_refuses_with_a_sentence_and_exit_2(app, tmp_path, args, sentence):
    done = app.test_cli_runner().invoke(args=["report", "build", "briefing-pack", "-o", str(tmp_path / "x.pdf"), *args])
    assert done.exit_code == 2, done.output
    assert sentence in done.output
    assert not (tmp_path / "x.pdf").exists()


def test_the_row_holds_what_the_file_is(browser, meeting, app):
    import hashlib
    from pathlib import Path

    from sqlalchemy import select

    made_document(browser, meeting)
    with acting_as(app, "officer"):
        document = db.session.scalars(select(Document)).one()
    data = (Path(app.instance_path) / "documents" / document.stored_as).read_bytes()
    assert (document.size, document.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert document.reference.startswith("JOR-DO-")


def test_a_meeting_keeps_the_link_to_its_pack_when_it_was_held(app, browser, meeting):
    officer = browser("officer")

    def buttons():
        return [
            " ".join(link.text_content().split())
            for link in tree(officer.get(f"/interactions/{meeting}")).xpath("//a[contains(@class, 'button')]")
        ]

    assert "Make the pack" in buttons()
    assert "Open pack" not in buttons()
    keep_a_pack(app, meeting)
    assert "Open pack" in buttons()
    assert "Make the pack" not in buttons()
    held_now(browser, meeting)
    assert "Open pack" in buttons()
    assert "Write up" not in buttons()


def test_a_held_meeting_without_a_pack_offers_none(browser, meeting):
    held_now(browser, meeting)
    page = browser("officer").get(f"/interactions/{meeting}").get_data(as_text=True)
    assert "Make the pack" not in page
    assert "Open pack" not in page


def held_now(browser, meeting):
    officer = browser("officer")
    target, values = officer.fields(f"/interactions/new?planned={meeting}")
    today = clock.today("Asia/Amman").isoformat()
    answer = officer.client.post(target, data={**values, "summary": "It was held.", "day": today, "time": "00:00"})
    assert answer.status_code == 303, errors(answer)


def keep_a_pack(app, meeting):
    """A pack that was drawn earlier: drawing is tested above."""
    with app.app_context():
        actor = users.actor_by_email(world.address("officer"))
        bind_actor(actor)
        office = made.office()
        document_services.keep_document(
            actor,
            document_services.NewDocument(
                office_id=office,
                reference=document_services.reserve_reference(actor, office),
                slug=PACK,
                title="Briefing pack",
                document_level="internal",
                language="en",
                as_of=clock.today("Asia/Amman"),
                pages=12,
                size=100_000,
                sha256="0" * 64,
                stored_as="00.pdf",
                content="{}",
                html="<p></p>",
                assets="{}",
                versions="{}",
                made_at=clock.now(),
                interaction_id=meeting,
            ),
        )
        db.session.remove()
