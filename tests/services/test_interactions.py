"""Logging and planning contacts: everything in one go or nothing (P2), levels, edits that never overwrite silently (F7)."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from crm import clock
from crm.db import db
from crm.errors import Denied, EditConflict, Invalid, NotFound
from crm.models.asks import Ask, AskAnswer
from crm.models.audit import AuditEntry
from crm.models.commitments import Commitment
from crm.models.interactions import FollowUp, Interaction, Participant
from crm.models.notes import Note
from crm.models.offices import Office
from crm.models.parties import Party
from crm.policy import Actor
from crm.queries import asks as ask_queries
from crm.queries import interactions as queries
from crm.services import asks, interactions
from crm.services.interactions import AskMade, NewAnswer, NewInteraction, NewParticipant, NewPromise, NextStep
from crm.services.parties import HeldPost, NewParty, create_party

Acting = Callable[[str], Actor]
TABLES = (Interaction, Participant, AskAnswer, Commitment, FollowUp, Note, Ask, Party, AuditEntry)


def office(code: str = "JOR") -> uuid.UUID:
    return db.session.scalars(select(Office.id).where(Office.code == code)).one()


def party(actor: Actor, name: str = "Ministry of Health", form: str = "organisation", **more: Any) -> uuid.UUID:
    return create_party(actor, office(), NewParty(form=form, name=name, **more))


def held(party_id: uuid.UUID | None, **more: Any) -> NewInteraction:
    values: dict[str, Any] = {
        "office_id": office(),
        "state": "held",
        "kind": "meeting",
        "starts_at": clock.now() - timedelta(hours=2),
        "party_id": party_id,
        "summary": "They will look at the outreach line.",
    }
    return NewInteraction(**{**values, **more})


def planned(party_id: uuid.UUID, **more: Any) -> NewInteraction:
    return held(party_id, **{"state": "planned", "summary": "", "starts_at": clock.now() + timedelta(days=1), "purpose": "Budget", **more})


def counts() -> dict[str, int]:
    return {table.__name__: db.session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES}


def an_ask(actor: Actor, party_id: uuid.UUID, **more: Any) -> uuid.UUID:
    values = {"office_id": office(), "addressee_id": party_id, "sentence": "Fund the outreach line in 2027.", **more}
    return asks.create_ask(actor, asks.NewAsk(**values))


def test_a_whole_meeting_is_logged_in_one_go(acting: Acting) -> None:
    actor = acting("officer")
    ministry = party(actor)
    ask_id = an_ask(actor, ministry)
    soon = clock.today() + timedelta(days=10)
    person = create_party(
        actor, office(), NewParty(form="person", name="Rana Haddad", post=HeldPost(title="Director of Budget", organisation_id=ministry))
    )
    made = interactions.log_interaction(
        actor,
        held(
            ministry,
            participants=[
                NewParticipant("ours", user_id=actor.user_id),
                NewParticipant("theirs", party_id=person),
                NewParticipant("theirs", name="Somebody Else", post="Adviser"),
            ],
            answers=[NewAnswer(ask_id, "part", "half of it")],
            promises=[
                NewPromise(words="We send the costing", direction="ours", kind="service", due_on=soon),
                NewPromise(),
                NewPromise(words="A budget line", kind="budget-line"),
            ],
            follow_ups=[NextStep(), NextStep("Send thanks", soon)],
            office_note="He seemed worried.",
        ),
    )
    record = queries.get(made)
    assert record.reference.startswith("JOR-IN-")
    assert record.written_up_at is not None
    assert [(one.side, one.name, one.post) for one in record.participants] == [
        ("theirs", "Rana Haddad", "Director of Budget, Ministry of Health"),
        ("theirs", "Somebody Else", "Adviser"),
        ("ours", actor.name, ""),
    ]
    assert [(given.answer, given.words) for given in record.answers] == [("part", "half of it")]
    assert [(step.text, step.owner_id) for step in record.follow_ups] == [("Send thanks", actor.user_id)]
    promises = db.session.scalars(select(Commitment).order_by(Commitment.direction)).all()
    assert [(one.direction, one.kind, one.interaction_id) for one in promises] == [
        ("ours", "service", made),
        ("theirs", "budget-line", made),
    ]
    assert [(note.level, note.body) for note in queries.notes_of(made)] == [("office", "He seemed worried.")]
    given = ask_queries.answers_to([ask_id])[ask_id]
    assert ask_queries.standing(ask_queries.get(ask_id), given, clock.today()).key == "answered-part"


def test_somebody_new_is_made_with_the_meeting(acting: Acting) -> None:
    actor = acting("officer")
    made = interactions.log_interaction(actor, held(None, new_party=NewParty(form="person", name="Jane New")))
    record = queries.get(made)
    assert record.party.name == "Jane New"
    assert [one.name for one in record.participants] == ["Jane New"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"promises": [NewPromise(words="x", kind="nonsense")]}, "promises-0-kind"),
        ({"promises": [NewPromise(), NewPromise(words="y" * 20_001)]}, "promises-1-words"),
        ({"follow_ups": [NextStep("No day")]}, "follow_ups-0-due_on"),
        ({"answers": [NewAnswer(uuid.uuid4(), "yes")]}, "answers-0-answer"),
        ({"summary": "  "}, "summary"),
        ({"kind": "seance"}, "kind"),
        ({"level": "secret"}, "level"),
        ({"starts_at": None}, "day"),
        ({"minutes": -1}, "minutes"),
        ({"office_note": "z" * 20_001}, "office_note"),
        ({"programme_id": uuid.uuid4()}, "programme_id"),
        ({"ask_id": uuid.uuid4()}, "ask_id"),
        ({"participants": [NewParticipant("theirs", post="Minister of nothing")]}, "theirs-0-name"),
        ({"participants": [NewParticipant("theirs", name="n" * 301)]}, "theirs-0-name"),
        ({"new_ask": AskMade(sentence="s" * 601)}, "new_ask-sentence"),
        ({"place_text": "p" * 201}, "place_text"),
    ],
)
def test_nothing_is_saved_by_halves(acting: Acting, change: dict[str, Any], field: str) -> None:
    """P2: one refused part undoes the whole, the new party too."""
    actor = acting("officer")
    assert party(actor)
    before = counts()
    whole = held(
        None,
        **{
            "new_party": NewParty(form="person", name="Never Saved"),
            "promises": [NewPromise(words="A promise")],
            "follow_ups": [NextStep("Thanks", clock.today())],
            "office_note": "note",
            **change,
        },
    )
    with pytest.raises(Invalid) as refused:
        interactions.log_interaction(actor, whole)
    assert field in refused.value.errors
    db.session.rollback()
    assert counts() == before


def test_a_meeting_held_cannot_lie_ahead_nor_a_plan_behind(acting: Acting) -> None:
    actor = acting("officer")
    ministry = party(actor)
    with pytest.raises(Invalid) as refused:
        interactions.log_interaction(actor, held(ministry, starts_at=clock.now() + timedelta(days=2)))
    assert "day" in refused.value.errors
    with pytest.raises(Invalid) as refused:
        interactions.log_interaction(actor, planned(ministry, starts_at=clock.now() - timedelta(days=2)))
    assert "day" in refused.value.errors


@pytest.mark.parametrize("who", ["viewer", "auditor", "hq", "admin"])
def test_who_may_only_look_records_nothing(acting: Acting, who: str) -> None:
    ministry = party(acting("officer"))
    jordan = office()
    reader = acting(who)
    with pytest.raises(Denied):
        interactions.log_interaction(reader, held(ministry, office_id=jordan))


def test_another_office_is_denied_and_its_records_are_absent(acting: Acting) -> None:
    """P1c: a foreign record is an absent one."""
    actor = acting("officer")
    made = interactions.log_interaction(actor, held(party(actor)))
    jordan = office()
    stranger = acting("other")
    with pytest.raises(NotFound):
        queries.get(made)
    with pytest.raises(NotFound):
        interactions.cancel_interaction(stranger, made, reason="x", version=1)
    with pytest.raises(Denied):
        interactions.log_interaction(stranger, held(None, office_id=jordan))
    foreign_ask = uuid.uuid4()
    with pytest.raises(Invalid):
        interactions.log_interaction(stranger, held(None, office_id=office("KEN"), new_party=NewParty("person", "A"), ask_id=foreign_ask))


def test_a_party_of_another_office_cannot_be_named(acting: Acting) -> None:
    """The office's own people could not read who it was: only shared parties and the office's are taken."""
    foreign = create_party(acting("other"), office("KEN"), NewParty(form="person", name="Kenyan Person"))
    regional = acting("officer")
    with pytest.raises(Invalid) as refused:
        interactions.log_interaction(regional, held(foreign))
    assert "party_id" in refused.value.errors


def test_what_the_office_keeps_is_not_seen_above(acting: Acting) -> None:
    """Levels: headquarters sees neither the contact nor anything that hangs on it, in no list and no count."""
    actor = acting("officer")
    ministry = party(actor)
    ask_id = an_ask(actor, ministry)
    made = interactions.log_interaction(
        actor,
        held(
            ministry,
            level="office",
            participants=[NewParticipant("theirs", name="Secret Guest")],
            answers=[NewAnswer(ask_id, "yes", "Secret words")],
            promises=[NewPromise(words="Secret promise")],
            follow_ups=[NextStep("Secret step", clock.today())],
            office_note="Secret note",
            new_ask=AskMade(sentence="Secret ask"),
        ),
    )
    assert queries.get(made).level == "office"
    acting("hq")
    with pytest.raises(NotFound):
        queries.get(made)
    seen = counts()
    assert [seen[name] for name in ("Interaction", "Participant", "AskAnswer", "Commitment", "FollowUp", "Note")] == [0] * 6
    assert db.session.scalars(select(Ask.sentence)).all() == ["Fund the outreach line in 2027."]
    assert ask_queries.standing(ask_queries.get(ask_id), ask_queries.answers_to([ask_id])[ask_id], clock.today()).key == "open"


def test_narrowing_a_contact_takes_its_parts_along(acting: Acting) -> None:
    actor = acting("officer")
    ministry = party(actor)
    ask_id = an_ask(actor, ministry)
    whole = held(
        ministry,
        participants=[NewParticipant("theirs", name="Guest")],
        answers=[NewAnswer(ask_id, "yes")],
        promises=[NewPromise(words="Promise")],
        follow_ups=[NextStep("Step", clock.today())],
    )
    made = interactions.log_interaction(actor, whole)
    interactions.edit_interaction(actor, made, dataclasses.replace(whole, level="office", version=queries.get(made).version))
    for table in (Participant, AskAnswer, Commitment, FollowUp):
        assert set(db.session.scalars(select(table.level))) == {"office"}, table


def test_nobody_writes_for_an_office_alone_who_is_not_of_it(acting: Acting) -> None:
    ministry = party(acting("officer"))
    jordan = office()
    regional = acting("regional")
    with pytest.raises(Invalid) as refused:
        interactions.log_interaction(regional, held(ministry, office_id=jordan, level="office"))
    assert "level" in refused.value.errors
    with pytest.raises(Invalid) as refused:
        interactions.log_interaction(regional, held(ministry, office_id=jordan, office_note="x"))
    assert "office_note" in refused.value.errors


def test_a_planned_meeting_is_written_up_once(acting: Acting) -> None:
    actor = acting("officer")
    ministry = party(actor)
    whole = planned(ministry, new_ask=AskMade("Sign the decree.", clock.today() + timedelta(days=30)), point_1="One")
    made = interactions.log_interaction(actor, whole)
    record = queries.get(made)
    assert (record.state, record.ask.sentence if record.ask else "", record.points) == ("planned", "Sign the decree.", ["One"])
    assert record.ask_id is not None
    written = held(
        ministry, planned_id=made, version=record.version, ask_id=record.ask_id, answers=[NewAnswer(record.ask_id, "no", "not now")]
    )
    assert interactions.log_interaction(actor, written) == made
    assert queries.get(made).state == "held"
    assert interactions.log_interaction(actor, written) == made, "the same again changes nothing"
    assert [one.answer for one in queries.get(made).answers] == ["no"]
    with pytest.raises(EditConflict):  # yours, theirs and the original: never over what a colleague wrote
        interactions.log_interaction(actor, dataclasses.replace(written, summary="Something else."))


def test_cancelling_needs_a_reason_and_a_plan(acting: Acting) -> None:
    actor = acting("officer")
    made = interactions.log_interaction(actor, planned(party(actor)))
    with pytest.raises(Invalid):
        interactions.cancel_interaction(actor, made, reason=" ", version=1)
    interactions.cancel_interaction(actor, made, reason="The minister travels.", version=1)
    record = queries.get(made)
    assert (record.state, record.cancelled_reason) == ("cancelled", "The minister travels.")
    with pytest.raises(Invalid):
        interactions.cancel_interaction(actor, made, reason="again", version=record.version)


def test_two_editors_never_overwrite_each_other(acting: Acting) -> None:
    """F7: what both changed is shown, what one changed is kept."""
    actor = acting("officer")
    whole = held(party(actor), place_text="Ministry")
    made = interactions.log_interaction(actor, whole)
    opened = queries.get(made).version
    interactions.edit_interaction(actor, made, dataclasses.replace(whole, summary="Theirs", version=opened))
    interactions.edit_interaction(actor, made, dataclasses.replace(whole, place_text="My place", version=opened))
    record = queries.get(made)
    assert (record.summary, record.place_text) == ("Theirs", "My place")
    with pytest.raises(EditConflict) as clash:
        interactions.edit_interaction(actor, made, dataclasses.replace(whole, summary="Mine", version=opened))
    assert clash.value.changes["summary"] == ("They will look at the outreach line.", "Theirs", "Mine")
    db.session.rollback()
    assert queries.get(made).summary == "Theirs"


def test_participants_changed_by_two_are_shown_to_the_second(acting: Acting) -> None:
    actor = acting("officer")
    whole = held(party(actor), participants=[NewParticipant("theirs", name="First")])
    made = interactions.log_interaction(actor, whole)
    opened = queries.get(made).version
    interactions.edit_interaction(
        actor, made, dataclasses.replace(whole, participants=[NewParticipant("theirs", name="Second")], version=opened)
    )
    with pytest.raises(EditConflict) as clash:
        interactions.edit_interaction(
            actor, made, dataclasses.replace(whole, participants=[NewParticipant("theirs", name="Third")], version=opened)
        )
    assert clash.value.changes["participants"] == ((("theirs", "First", ""),), (("theirs", "Second", ""),), (("theirs", "Third", ""),))


def test_answers_can_be_given_later_and_taken_back(acting: Acting) -> None:
    actor = acting("officer")
    ministry = party(actor)
    ask_id = an_ask(actor, ministry)
    made = interactions.log_interaction(actor, held(ministry))
    interactions.answer_asks(actor, made, [NewAnswer(ask_id, "yes", "gladly")])
    interactions.answer_asks(actor, made, [NewAnswer(ask_id, "no", "after all not")])
    assert [(given.answer, given.words) for given in ask_queries.answers_to([ask_id])[ask_id]] == [("no", "after all not")]
    interactions.answer_asks(actor, made, [NewAnswer(ask_id)])
    assert ask_queries.answers_to([ask_id])[ask_id] == []
