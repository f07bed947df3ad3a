"""Logs of contacts: who, when, who was there, what was said, the next step; which row is the same contact again; levels; undo."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from crm import clock
from crm.db import db
from crm.errors import Denied
from crm.exchange.sheets import Setup
from crm.jobs import imports, sheets
from crm.models.asks import AskAnswer
from crm.models.audit import AuditEntry
from crm.models.interactions import FollowUp, Interaction, Participant
from crm.models.notes import Note
from crm.models.parties import Party
from crm.models.search import SearchEntry
from crm.queries import imports as held
from crm.services import asks, follow_ups, import_undo, interactions, positions
from crm.services.interactions import NewInteraction
from tests.factories.parties import make
from tests.jobs.test_import_undo import snapshot
from tests.jobs.test_sheets import bring, counts, reasons, sheet


@pytest.fixture
def office(acting):
    """An officer of an office that knows a ministry and its minister."""
    actor = acting("officer")
    ministry, amal = make(actor, "Ministry of Health", country="JO"), make(actor, "Amal Haddad", form="person")
    post = positions.add_position(actor, actor.home_office_id, positions.NewPosition(ministry, "Minister"))
    positions.add_tenure(actor, actor.home_office_id, positions.NewTenure(post, amal))
    return actor


def one():
    return db.session.scalars(select(Interaction)).one()


def people(record):
    rows = db.session.scalars(select(Participant).where(Participant.interaction_id == record.id).order_by(Participant.position))
    return [(row.side, row.name, row.post, row.party_id is not None or row.user_id is not None) for row in rows]


def total(entity):
    return db.session.scalar(select(func.count()).select_from(entity))


LOG = sheet(
    [
        "Fecha",
        "Con quién",
        "Tipo",
        "Asunto",
        "Resumen",
        "Nuestro equipo",
        "Participantes",
        "Lugar",
        "Próximo paso",
        "Fecha límite",
        "Notas",
    ],
    [
        "3 de abril de 2026",
        "Amal Haddad",
        "Llamada telefónica",
        "Budget line",
        "She will raise it.",
        "officer@test.example; Manager Person",
        "Sara Aziz (Adviser); Someone Else",
        "Amman",
        "Send the paper",
        "2026-04-10",
        "She was in a hurry",
    ],
    ["2026-04-04", "Ministry of Health", "", "Vaccines", "", "", "", "", "", "", ""],
)


def test_a_log_in_spanish_comes_in_with_people_next_steps_and_notes(office):
    batch = bring(office, LOG, kind="interactions")
    assert counts(batch) == (2, 0, 0, 0), reasons(batch)
    call = db.session.scalars(select(Interaction).where(Interaction.kind == "call")).one()
    assert (call.state, call.purpose, call.summary, call.place_text, call.level) == (
        "held",
        "Budget line",
        "She will raise it.",
        "Amman",
        "office",
    )
    assert call.starts_at.astimezone(clock.zone("Asia/Amman")).isoformat()[:16] == "2026-04-03T12:00"
    assert call.written_up_at is not None
    assert people(call) == [
        ("theirs", "Amal Haddad", "Minister, Ministry of Health", True),
        ("ours", "Officer Person", "", True),
        ("ours", "Manager Person", "", True),
        ("theirs", "Sara Aziz", "Adviser", False),
        ("theirs", "Someone Else", "", False),
    ]
    step = db.session.scalars(select(FollowUp)).one()
    assert (step.text, step.due_on.isoformat(), step.owner_id, step.level) == ("Send the paper", "2026-04-10", office.user_id, "office")
    note = db.session.scalars(select(Note)).one()
    assert (note.body, note.level, note.interaction_id) == ("She was in a hurry", "office", call.id)
    meeting = db.session.scalars(select(Interaction).where(Interaction.kind == "meeting")).one()
    assert (meeting.summary, meeting.purpose, people(meeting)) == ("Vaccines", "", [])


def test_the_same_file_twice_changes_nothing(office):
    bring(office, LOG, kind="interactions")
    before = total(Interaction), total(Participant), total(FollowUp), total(Note), total(AuditEntry)
    again = bring(office, LOG, kind="interactions")
    assert counts(again) == (0, 0, 2, 0), held.summary_of(again).samples
    after = total(Interaction), total(Participant), total(FollowUp), total(Note)
    assert after == before[:4]


def test_a_row_adds_to_its_contact_and_undo_takes_just_that_back(office):
    bring(office, LOG, kind="interactions")
    call = db.session.scalars(select(Interaction).where(Interaction.kind == "call")).one()
    before = (call.summary, call.place_text, people(call), total(FollowUp), total(Note))
    more = sheet(
        ["Date", "With", "Kind", "Subject", "What was said", "Participants", "Where", "Next step", "Due", "Time", "Note"],
        [
            "2026-04-03",
            "amal haddad",
            "call",
            "BUDGET LINE",
            "She will raise it in May.",
            "sara aziz; Third Person",
            "Zarqa",
            "Ring again",
            "2026-05-01",
            "2:30 pm",
            "x",
        ],
    )
    batch = bring(office, more, kind="interactions")
    assert counts(batch) == (0, 1, 0, 0), reasons(batch)
    changes = [tuple(change) for change in held.summary_of(batch).samples[0]["changes"]]
    assert ("summary", "She will raise it.", "She will raise it in May.") in changes
    assert ("people", "", "Third Person") in changes
    assert ("day", "2026-04-03 12:00", "2026-04-03 14:30") in changes
    assert [row[1] for row in people(call)][-1] == "Third Person"
    assert len(people(call)) == len(before[2]) + 1
    assert total(FollowUp) == before[3] + 1
    assert counts(bring(office, more, kind="interactions")) == (0, 0, 1, 0)
    import_undo.undo(office, batch.id)
    call = db.session.scalars(select(Interaction).where(Interaction.kind == "call")).one()
    assert call.starts_at.astimezone(clock.zone("Asia/Amman")).isoformat()[:16] == "2026-04-03T12:00"
    assert (call.summary, call.place_text, people(call), total(FollowUp), total(Note)) == before


def test_undo_takes_everything_back_and_keeps_what_was_built_on(office):
    before = {entity: total(entity) for entity in (Interaction, Participant, FollowUp, Note, SearchEntry)}
    batch = bring(office, LOG, kind="interactions")
    import_undo.undo(office, batch.id)
    assert {entity: total(entity) for entity in before} == before
    batch = bring(office, LOG, kind="interactions")
    follow_ups.finish_follow_up(office, db.session.scalars(select(FollowUp.id)).one(), note="done")
    plan = import_undo.plan(batch)
    assert sorted(one.noun for one in plan.kept) == ["follow_ups", "interactions"]
    import_undo.undo(office, batch.id)
    assert [record.kind for record in db.session.scalars(select(Interaction))] == ["call"]


def test_every_table_is_as_it_was_after_the_undo_of_new_contacts_and_of_changes(office):
    amal = db.session.scalars(select(Party.id).where(Party.name == "Amal Haddad")).one()
    asks.create_ask(office, asks.NewAsk(office.home_office_id, amal, "Raise the budget line."))
    empty = snapshot()
    first = bring(office, LOG, kind="interactions")
    assert snapshot() != empty
    import_undo.undo(office, first.id)
    assert snapshot() == empty
    bring(office, LOG, kind="interactions")
    before = snapshot()
    heads = [
        "Date",
        "With",
        "Kind",
        "Subject",
        "What was said",
        "Participants",
        "Staff",
        "Next step",
        "Due",
        "Time",
        "Note",
        "Ask",
        "Answer",
    ]
    more = sheet(
        [*heads, "Duration", "Language", "Where"],
        [
            *("2026-04-03", "Amal Haddad", "call", "Budget line", "More", "Third Person", "head@test.example", "Ring again", "2026-05-01"),
            *("14:30", "Hm", "Raise the budget line.", "no", "1 h 30", "Arabic", "Zarqa"),
        ],
        ["2026-04-04", "Ministry of Health", "visit", "Something new", "Words", "", "", "", "", "", "", "", "", "", "", ""],
    )
    batch = bring(office, more, kind="interactions")
    assert counts(batch) == (1, 1, 0, 0), reasons(batch)
    assert len(held.summary_of(batch).samples[0]["changes"]) == 10
    doing = import_undo.plan(batch)
    assert doing.kept == []
    import_undo.undo(office, batch.id)
    assert snapshot() == before


def test_a_reference_says_which_contact_is_meant(office):
    bring(office, LOG, kind="interactions")
    call = db.session.scalars(select(Interaction).where(Interaction.kind == "call")).one()
    data = sheet(
        ["Ref", "Date", "With", "Type", "Subject", "Summary"],
        [call.reference, "2026-04-03", "Amal Haddad", "visit", "Another subject", "She will raise it."],
        [call.reference, "2026-04-03", "Ministry of Health", "visit", "", "x"],
        ["OLD-1", "2026-04-04", "Ministry of Health", "meeting", "", "Vaccines"],
    )
    batch = bring(office, data, kind="interactions")
    assert counts(batch) == (0, 1, 1, 1)
    assert reasons(batch) == [(3, "With", f"{call.reference} was with somebody else.")]
    assert "1 reference is not on record here" in " ".join(held.summary_of(batch).notes)
    assert db.session.execute(select(Interaction.kind, Interaction.purpose).where(Interaction.id == call.id)).one() == (
        "visit",
        "Another subject",
    )


def test_the_same_day_and_party_again_is_named_as_a_possible_duplicate(office):
    bring(office, LOG, kind="interactions")
    data = sheet(["Date", "With", "Type", "Summary"], ["2026-04-03", "Amal Haddad", "call", "Something else entirely"])
    batch = bring(office, data, kind="interactions", dry_run=True)
    ((row, name, like),) = held.summary_of(batch).doubles
    assert (row, name.startswith("2026-04-03, Amal Haddad"), like[:7]) == (2, True, "JOR-IN-")


def test_rows_that_contradict_each_other_are_not_both_taken(office):
    data = sheet(
        ["Date", "With", "Subject", "Place"],
        ["2026-04-03", "Amal Haddad", "Budget", "Amman"],
        ["2026-04-03", "Amal Haddad", "Budget", "Zarqa"],
        ["2026-04-03", "Amal Haddad", "Budget", ""],
    )
    batch = bring(office, data, kind="interactions")
    assert counts(batch) == (1, 0, 1, 1)
    assert reasons(batch)[0][:2] == (3, "Place")


def test_an_answer_to_an_ask_is_kept_with_it_and_another_answer_is_part_of_what_was_said(office):
    amal = db.session.scalars(select(Party.id).where(Party.name == "Amal Haddad")).one()
    ask = asks.create_ask(office, asks.NewAsk(office.home_office_id, amal, "Raise the budget line."))
    reference = db.session.scalars(select(asks.Ask.reference)).one()
    data = sheet(
        ["Date", "With", "Summary", "Ask", "Answer", "Their words"],
        ["2026-04-03", "Amal Haddad", "We talked.", reference.lower(), "In part", "We shall see"],
        ["2026-04-04", "Amal Haddad", "We talked again.", "", "Maybe", ""],
        ["2026-04-05", "Amal Haddad", "And again.", "JOR-AS-1999-0001", "yes", ""],
        ["2026-04-06", "Amal Haddad", "And again.", "Raise the budget line.", "perhaps", ""],
        ["2026-04-07", "Amal Haddad", "And again.", "", "", "Words"],
    )
    batch = bring(office, data, kind="interactions")
    assert counts(batch) == (2, 0, 0, 3)
    assert [where for _row, where, _why in reasons(batch)] == ["Ask", "Answer", "Ask"]
    answer = db.session.scalars(select(AskAnswer)).one()
    assert (answer.ask_id, answer.answer, answer.words, answer.level) == (ask, "part", "We shall see", "office")
    assert "We talked again.\nAnswer: Maybe" in db.session.scalars(select(Interaction.summary)).all()
    assert counts(bring(office, data, kind="interactions")) == (0, 0, 2, 3)
    changed = sheet(["Date", "With", "Summary", "Ask", "Answer"], ["2026-04-03", "Amal Haddad", "We talked.", reference, "yes"])
    batch = bring(office, changed, kind="interactions")
    assert counts(batch) == (0, 1, 0, 0)
    import_undo.undo(office, batch.id)
    assert db.session.scalars(select(AskAnswer.answer)).one() == "part"


GOOD = {"Date": "2026-04-03", "With": "Amal Haddad", "Summary": "Words"}


@pytest.mark.parametrize(
    ("cells", "column", "said"),
    [
        ({"Date": ""}, "Date", "Enter the day."),
        ({"Date": "2099-01-01"}, "Date", "This lies in the future."),
        ({"With": ""}, "With", "Enter whom you met."),
        ({"With": "Amal Hadad"}, "With", "Perhaps it is Amal Haddad (JOR-PA"),
        ({"With": "Ali"}, "With", "can mean several: Ali (JOR-PA"),
        ({"Organisation": "School"}, "Organisation", "has a post on record, but none there"),
        ({"With": "", "Organisation": "Amal Haddad"}, "Organisation", "is not on record"),
        ({"Type": "seance"}, "Type", "none of the words"),
        ({"Summary": ""}, "Summary", "Write one sentence about what was said."),
        ({"Our side": "nobody@test.example"}, "Our side", "is none of your colleagues here"),
        ({"Participants": "Ali"}, "Participants", "can mean several"),
        ({"Time": "soon"}, "Time", "is not a time of day"),
        ({"Duration": "long"}, "Duration", "is not a length"),
        ({"Programme": "Nothing"}, "Programme", "no such programme"),
        ({"Next step": "Ring"}, "Due", "Enter the day by which"),
        ({"Due": "2026-05-01"}, "Next step", "Write what is to be done"),
        ({"Next step": "Ring", "Due": "2026-05-01", "Owner": "Nobody"}, "Owner", "is none of your colleagues here"),
        ({"Where": "x" * 201}, "Where", "at most 200 characters"),
        ({"Status": "planned"}, "Status", "Only contacts that were held"),
        ({"Date": "03/04/2026"}, "Date", "2026-04-03 or 2026-03-04"),
    ],
)
def test_a_row_is_refused_with_its_column_and_reason(office, cells, column, said):
    make(office, "Ali", form="person")
    make(office, "Ali", form="person")
    make(office, "School")
    headings = ["Date", "With", "Organisation", "Type", "Summary", "Our side", "Participants", "Time", "Duration", "Programme"]
    headings += ["Next step", "Due", "Owner", "Where", "Status"]
    rows = [[{**GOOD, **cells}.get(name, "") for name in headings], [{**GOOD, "Summary": "Fine"}.get(name, "") for name in headings]]
    for is_dry in (True, False):
        batch = bring(office, sheet(headings, *rows), kind="interactions", dry_run=is_dry)
        assert counts(batch) == (1, 0, 0, 1), reasons(batch)
        ((_number, where, why),) = reasons(batch)
        assert where == column
        assert said in why


def test_the_level_and_the_usual_kind_are_chosen_for_the_file(office):
    data = sheet(["Date", "With", "Summary", "Next step", "Due"], ["2026-04-03", "Amal Haddad", "Words", "Ring", "2026-05-01"])
    batch = imports.check_file(office, office.home_office_id, "interactions", "l.csv", data)
    said = sheets.setup_of(batch)
    imports.recheck_sheet(
        office, batch, 1, Setup.load(said.dump().replace('"note_level": ""', '"note_level": "open"').replace('"person"', '"letter"'))
    )
    imports.apply_batch(office, batch)
    record = one()
    assert (record.level, record.kind) == ("open", "letter")
    assert set(db.session.scalars(select(Participant.level))) | set(db.session.scalars(select(FollowUp.level))) == {"open"}


def test_what_was_said_for_the_office_is_not_read_above_it(office, acting):
    bring(office, LOG, kind="interactions")
    acting("regional")
    assert total(Interaction) == 0
    assert total(Participant) == 0
    assert total(FollowUp) == 0


def test_commas_part_people_on_record_and_stay_in_other_words(office):
    make(office, "Omar Nasser", form="person")
    data = sheet(
        ["Date", "With", "Summary", "Participants"],
        ["2026-04-03", "Ministry of Health", "One", "Omar Nasser, Amal Haddad"],
        ["2026-04-04", "Ministry of Health", "Two", "Omar Nasser, and two others"],
    )
    batch = bring(office, data, kind="interactions")
    assert counts(batch) == (2, 0, 0, 0)
    first, second = db.session.scalars(select(Interaction).order_by(Interaction.starts_at))
    assert [row[1:] for row in people(first)] == [("Omar Nasser", "", True), ("Amal Haddad", "Minister, Ministry of Health", True)]
    assert [row[1] for row in people(second)] == ["Omar Nasser, and two others"]


def test_today_without_a_time_is_not_in_the_future(office):
    today = clock.today("Asia/Amman")
    batch = bring(office, sheet(["Date", "With", "Summary"], [today.isoformat(), "Amal Haddad", "Words"]), kind="interactions")
    assert counts(batch) == (1, 0, 0, 0), reasons(batch)


def test_a_planned_contact_of_that_day_is_named_and_left(office):
    amal = db.session.scalars(select(Party.id).where(Party.name == "Amal Haddad")).one()
    tomorrow = clock.now() + timedelta(hours=1)
    new = NewInteraction(office.home_office_id, "planned", "meeting", tomorrow, party_id=amal, purpose="Budget")
    interactions.log_interaction(office, new)
    reference = one().reference
    day = tomorrow.astimezone(clock.zone("Asia/Amman")).date().isoformat()
    refused = bring(office, sheet(["Ref", "Date", "With", "Summary"], [reference, day, "Amal Haddad", "Budget"]), kind="interactions")
    assert "was not held yet" in reasons(refused)[0][2] or "future" in reasons(refused)[0][2]
    assert one().state == "planned"


def test_our_own_list_of_interactions_comes_back_unchanged(browser, acting, app):
    with app.app_context():
        actor = acting("officer")
        make(actor, "Amal Haddad", form="person")
        bring(actor, sheet(["Date", "With", "Summary", "Time"], ["2026-04-03", "Amal Haddad", "=Words", "9.15"]), kind="interactions")
    exported = browser("officer").get("/interactions.csv").get_data()
    with app.app_context():
        batch = bring(acting("officer"), exported, kind="interactions")
        assert counts(batch) == (0, 0, 1, 0), (reasons(batch), held.summary_of(batch).samples, exported)
        elsewhere = exported.replace(b"JOR-IN-2026-0001", b"").replace(b"'=Words", b"Other words").replace(b"09:15", b"16:45")
        assert counts(bring(acting("officer"), elsewhere, kind="interactions")) == (1, 0, 0, 0)
        newest = db.session.scalars(select(Interaction).where(Interaction.summary == "Other words")).one()
        assert newest.starts_at.astimezone(clock.zone("Asia/Amman")).isoformat()[:16] == "2026-04-03T16:45"


def test_who_may_not_log_contacts_brings_none(acting):
    for name in ("viewer", "auditor"):
        actor = acting(name)
        with pytest.raises(Denied):
            imports.check_file(actor, actor.home_office_id, "interactions", "l.csv", LOG)


def test_somebody_above_the_office_brings_a_log_that_they_can_read_themselves(acting, office):
    regional = acting("regional")
    data = sheet(
        ["Date", "With", "Summary", "Note"],
        ["2026-04-03", "Ministry of Health", "Words", ""],
        ["2026-04-04", "Ministry of Health", "W", "x"],
    )
    batch = held.get(imports.import_file(regional, office.home_office_id, "interactions", "l.csv", data))
    assert counts(batch) == (1, 0, 0, 1)
    assert reasons(batch) == [(3, "Note", "Only somebody of the office itself can record something for the office alone.")]
    assert one().level == "open"
