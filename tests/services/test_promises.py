"""Commitments, asks and follow-ups: recorded, changed, settled, verified by a second person; levels and offices."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from crm import clock
from crm.db import db
from crm.errors import Denied, EditConflict, Invalid, NotFound
from crm.models.asks import Ask
from crm.models.commitments import Commitment
from crm.models.interactions import FollowUp
from crm.models.offices import Office
from crm.money import Money
from crm.policy import Actor
from crm.queries import asks as ask_queries
from crm.queries import commitments as queries
from crm.queries import follow_ups as follow_up_queries
from crm.queries import history
from crm.queries.paging import Paging
from crm.services import asks, commitments, follow_ups
from crm.services.asks import NewAsk
from crm.services.checking import Opened
from crm.services.commitments import NewCommitment
from crm.services.follow_ups import NewFollowUp
from crm.services.parties import NewParty, create_party

Acting = Callable[[str], Actor]
TODAY_IN = "UTC"
TODAY = clock.today(TODAY_IN)


def office(code: str = "JOR") -> uuid.UUID:
    return db.session.scalars(select(Office.id).where(Office.code == code)).one()


def ministry(actor: Actor) -> uuid.UUID:
    return create_party(actor, office(), NewParty("organisation", "Ministry of Health"))


def promise(party_id: uuid.UUID | None, **more: Any) -> NewCommitment:
    values: dict[str, Any] = {
        "office_id": office(),
        "party_id": party_id,
        "kind": "budget-line",
        "words": "A line of half a million.",
        "made_on": TODAY,
    }
    return NewCommitment(**{**values, **more})


def test_a_promise_with_all_that_makes_it_checkable(acting: Acting) -> None:
    """SMART check (domain.md 0.3): ten questions, none of which blocks."""
    actor = acting("officer")
    party = ministry(actor)
    bare = queries.smart_check(queries.get(commitments.record_commitment(actor, promise(party))))
    assert (bare.met, len(bare.points)) == (2, 10)
    full = promise(
        party,
        due_on=TODAY + timedelta(days=30),
        on_behalf_of="the cabinet",
        quantity="500,000 JOD",
        baseline="none in 2026",
        indicator_text="line enacted",
        funding_source="state budget",
        evidence="gazette",
        witness="Dr. Sami",
        place_text="Mafraq",
    )
    made = queries.get(commitments.record_commitment(actor, full))
    assert [point.key for point in queries.smart_check(made).missing] == ["where"]
    assert made.reference.startswith("JOR-CO-")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"words": " "}, "words"),
        ({"words": "x" * 20_001}, "words"),
        ({"kind": "gift"}, "kind"),
        ({"direction": "both"}, "direction"),
        ({"made_on": None}, "made_on"),
        ({"made_on": TODAY + timedelta(days=3)}, "made_on"),
        ({"due_on": TODAY - timedelta(days=1)}, "due_on"),
        ({"due_on": date(9999, 1, 1)}, "due_on"),
        ({"party_id": uuid.uuid4()}, "party_id"),
        ({"party_id": None}, "party_id"),
        ({"programme_id": uuid.uuid4()}, "programme_id"),
        ({"interaction_id": uuid.uuid4()}, "interaction_id"),
        ({"ask_id": uuid.uuid4()}, "ask_id"),
        ({"position_id": uuid.uuid4()}, "position_id"),
        ({"owner_id": uuid.uuid4()}, "owner_id"),
        ({"level": "top"}, "level"),
        ({"witness": "w" * 301}, "witness"),
        ({"evidence": "e" * 601}, "evidence"),
        ({"quantity": "q" * 201}, "quantity"),
    ],
)
def test_a_wrong_promise_is_refused_by_its_field(acting: Acting, change: dict[str, Any], field: str) -> None:
    actor = acting("officer")
    wrong = dataclasses.replace(promise(ministry(actor)), **change)
    with pytest.raises(Invalid) as refused:
        commitments.record_commitment(actor, wrong)
    assert field in refused.value.errors
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Commitment)) == 0


@pytest.mark.parametrize(
    ("outcome", "due", "expected"),
    [
        (None, None, "open"),
        (None, TODAY - timedelta(days=1), "late"),
        (None, TODAY, "soon"),
        (None, TODAY + timedelta(days=14), "soon"),
        (None, TODAY + timedelta(days=15), "open"),
        ("kept", TODAY - timedelta(days=9), "kept"),
        ("broken", None, "broken"),
    ],
)
def test_late_is_computed(outcome: str | None, due: date | None, expected: str) -> None:
    assert queries.standing(outcome, due, TODAY).key == expected


def test_a_second_person_verifies_never_the_same(acting: Acting) -> None:
    """Four eyes: neither who recorded it nor who declared the outcome."""
    manager = acting("manager")
    own = commitments.record_commitment(manager, promise(ministry(manager)))
    with pytest.raises(Denied):
        commitments.verify_commitment(manager, own, evidence="seen", version=1)
    officer = acting("officer")
    with pytest.raises(Denied):
        commitments.verify_commitment(officer, own, evidence="seen", version=1)
    made = commitments.record_commitment(officer, promise(queries.get(own).party_id))
    manager = acting("manager")
    commitments.declare_outcome(manager, made, outcome="kept", on=TODAY, note="", version=1)
    with pytest.raises(Denied):
        commitments.verify_commitment(manager, made, evidence="seen", version=2)
    head = acting("head")
    with pytest.raises(Invalid):
        commitments.verify_commitment(head, made, evidence=" ", version=2)
    commitments.verify_commitment(head, made, evidence="the gazette of May", version=2)
    record = queries.get(made)
    assert (record.verified_by_id, record.evidence) == (head.user_id, "the gazette of May")
    officer = acting("officer")
    commitments.declare_outcome(officer, made, outcome="broken", on=TODAY, note="taken out again", version=record.version)
    assert queries.get(made).verified_by_id is None, "the check was of what was known before"


@pytest.mark.parametrize(
    "change",
    [{"words": "A line of five millions."}, {"quantity": "500 nurses"}, {"due_on": TODAY}, {"kind": "service"}, {"witness": "Me"}],
)
def test_nobody_verifies_what_they_changed_themselves(acting: Acting, change: dict[str, Any]) -> None:
    """Four eyes: the last hand in each thing that is checked is told from the history."""
    officer = acting("officer")
    party = ministry(officer)
    made = commitments.record_commitment(officer, promise(party))
    head = acting("head")
    commitments.edit_commitment(head, made, promise(party, **change), 1)
    with pytest.raises(Denied):
        commitments.verify_commitment(head, made, evidence="my own", version=2)
    officer = acting("officer")  # another thing is changed: the head's change is still the head's
    commitments.edit_commitment(officer, made, promise(party, **change, place_text="Mafraq"), 2)
    head = acting("head")
    with pytest.raises(Denied):
        commitments.verify_commitment(head, made, evidence="my own", version=3)
    manager = acting("manager")
    commitments.verify_commitment(manager, made, evidence="the gazette", version=3)
    assert queries.get(made).verified_by_id == manager.user_id


def test_what_a_promise_does_not_say_is_no_hand_in_it(acting: Acting) -> None:
    """Whose it is to follow up, and the evidence that the verifier writes anyway, bar nobody."""
    officer = acting("officer")
    party = ministry(officer)
    made = commitments.record_commitment(officer, promise(party))
    head = acting("head")
    commitments.edit_commitment(head, made, promise(party, owner_id=officer.user_id, evidence="gazette"), 1)
    commitments.verify_commitment(head, made, evidence="the gazette of May", version=2)
    assert queries.get(made).verified_by_id == head.user_id


@pytest.mark.parametrize(
    ("change", "stands"),
    [
        ({}, True),
        ({"owner_id": None}, True),
        ({"words": "Less."}, False),
        ({"quantity": "5"}, False),
        ({"due_on": TODAY}, False),
        ({"baseline": "none"}, False),
        ({"place_text": "Mafraq"}, False),
        ({"evidence": "hearsay"}, False),
    ],
)
def test_a_check_falls_with_what_was_checked_and_the_history_says_so(acting: Acting, change: dict[str, Any], stands: bool) -> None:
    officer = acting("officer")
    party = ministry(officer)
    made = commitments.record_commitment(officer, promise(party))
    head = acting("head")
    commitments.verify_commitment(head, made, evidence="the gazette of May", version=1)
    officer = acting("officer")
    changed = promise(party, **{"evidence": "the gazette of May", "owner_id": officer.user_id, **change})
    commitments.edit_commitment(officer, made, changed, 2)
    record = queries.get(made)
    assert (record.verified_by_id is not None, record.verified_at is not None) == (stands, stands)
    told = [value for entry in history.history_of(made).entries for value in entry.values if value.field == "verified_by_id"]
    assert (told[0].new, told[0].old) == ((str(head.user_id), None) if stands else (None, str(head.user_id)))


def test_outcomes_are_dated_and_can_be_taken_back(acting: Acting) -> None:
    actor = acting("officer")
    made = commitments.record_commitment(actor, promise(ministry(actor)))
    for outcome, on in (("kept", None), ("kept", TODAY + timedelta(days=5)), ("kept", TODAY - timedelta(days=5)), ("perhaps", TODAY)):
        with pytest.raises(Invalid):
            commitments.declare_outcome(actor, made, outcome=outcome, on=on, note="", version=1)
    commitments.declare_outcome(actor, made, outcome="part", on=TODAY, note="half", version=1)
    commitments.declare_outcome(actor, made, outcome="", on=None, note="", version=2)
    assert (queries.get(made).outcome, queries.get(made).outcome_on) == (None, None)


def test_a_clash_is_settled_by_the_choices_of_the_page(acting: Acting) -> None:
    """F7: choices count for the version that was shown, not for a later one."""
    actor = acting("officer")
    party = ministry(actor)
    made = commitments.record_commitment(actor, promise(party))
    commitments.edit_commitment(actor, made, promise(party, words="Theirs", quantity="5"), 1)
    mine = promise(party, words="Mine", witness="Me")
    with pytest.raises(EditConflict) as clash:
        commitments.edit_commitment(actor, made, mine, 1)
    shown = clash.value.version
    with pytest.raises(EditConflict):
        commitments.edit_commitment(actor, made, mine, Opened(1, shown - 1, {"words": "yours"}))
    commitments.edit_commitment(actor, made, mine, Opened(1, shown, {"words": "theirs"}))
    record = queries.get(made)
    assert (record.words, record.quantity, record.witness) == ("Theirs", "5", "Me")


def test_lists_filter_and_sort(acting: Acting) -> None:
    actor = acting("officer")
    party = ministry(actor)
    for direction, days in (("ours", 1), ("theirs", 40), ("theirs", None)):
        commitments.record_commitment(
            actor, promise(party, direction=direction, words=f"{direction} {days}", due_on=TODAY + timedelta(days=days) if days else None)
        )

    def words(sort: str = "due", today: date = TODAY, **filters: Any) -> list[str]:
        return [row.words for row in queries.listing(queries.Filters(**filters), today, Paging(), sort=sort).rows]

    assert words() == ["ours 1", "theirs 40", "theirs None"]
    assert words(direction="theirs") == ["theirs 40", "theirs None"]
    assert words(status="soon") == ["ours 1"]
    assert words(status="late", today=TODAY + timedelta(days=2)) == ["ours 1"]
    assert words(kind="access") == []
    first = queries.listing(queries.Filters(), TODAY, Paging(size=1))
    assert first.has_next
    assert [row.words for row in queries.listing(queries.Filters(), TODAY, Paging(size=2, after=first.after)).rows] == [
        "theirs 40",
        "theirs None",
    ]


# --- asks ----------------------------------------------------------------------------------------------------------


def test_an_ask_of_money_by_a_day(acting: Acting) -> None:
    actor = acting("officer")
    made = asks.create_ask(
        actor,
        NewAsk(
            office(),
            ministry(actor),
            "Pledge.",
            TODAY - timedelta(days=1),
            amount=Money(Decimal(10_000_000), "EUR"),
            fallback="Half of it.",
        ),
    )
    ask = ask_queries.get(made)
    assert ask.reference.startswith("JOR-AS-")
    assert ask.amount == Money(Decimal(10_000_000), "EUR")
    assert ask_queries.standing(ask, [], TODAY).key == "overdue"
    assert ask_queries.standing(ask, [], TODAY - timedelta(days=1)).key == "open"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sentence": ""}, "sentence"),
        ({"sentence": "s" * 601}, "sentence"),
        ({"addressee_id": uuid.uuid4()}, "addressee_id"),
        ({"addressee_id": None}, "addressee_id"),
        ({"by_when": date(1800, 1, 1)}, "by_when"),
        ({"programme_id": uuid.uuid4()}, "programme_id"),
        ({"position_id": uuid.uuid4()}, "position_id"),
        ({"amount": Money(Decimal(-1), "EUR")}, "amount"),
        ({"level": ""}, "level"),
        ({"fallback": "f" * 601}, "fallback"),
    ],
)
def test_a_wrong_ask_is_refused_by_its_field(acting: Acting, change: dict[str, Any], field: str) -> None:
    actor = acting("officer")
    with pytest.raises(Invalid) as refused:
        asks.create_ask(actor, dataclasses.replace(NewAsk(office(), ministry(actor), "An ask."), **change))
    assert field in refused.value.errors
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Ask)) == 0


def test_an_ask_is_closed_for_a_reason_and_opened_again(acting: Acting) -> None:
    actor = acting("officer")
    made = asks.create_ask(actor, NewAsk(office(), ministry(actor), "An ask."))
    with pytest.raises(Invalid):
        asks.close_ask(actor, made, reason="", version=1)
    asks.close_ask(actor, made, reason="Overtaken.", version=1)
    assert ask_queries.standing(ask_queries.get(made), [], TODAY).key == "closed"
    assert ask_queries.listing(ask_queries.Filters(status="open"), TODAY, Paging()).total == 0
    asks.reopen_ask(actor, made, version=2)
    assert ask_queries.get(made).closed_on is None


@pytest.mark.parametrize("who", ["viewer", "auditor", "other"])
def test_others_change_nothing(acting: Acting, who: str) -> None:
    actor = acting("officer")
    party = ministry(actor)
    jordan = office()
    ask = asks.create_ask(actor, NewAsk(jordan, party, "An ask."))
    made = commitments.record_commitment(actor, promise(party))
    step = follow_ups.create_follow_up(actor, NewFollowUp(jordan, "Step", TODAY))
    stranger = acting(who)
    refusal = NotFound if who == "other" else Denied
    with pytest.raises(Denied):
        asks.create_ask(stranger, NewAsk(jordan, party, "x"))
    with pytest.raises(Denied):
        commitments.record_commitment(stranger, promise(party, office_id=jordan))
    with pytest.raises(Denied):
        follow_ups.create_follow_up(stranger, NewFollowUp(jordan, "x", TODAY))
    with pytest.raises(refusal):
        asks.close_ask(stranger, ask, reason="x", version=1)
    with pytest.raises(refusal):
        commitments.declare_outcome(stranger, made, outcome="kept", on=TODAY, note="", version=1)
    with pytest.raises(refusal):
        follow_ups.finish_follow_up(stranger, step)


# --- follow-ups ----------------------------------------------------------------------------------------------------


def test_a_follow_up_is_ones_own_until_done(acting: Acting) -> None:
    actor = acting("officer")
    party = ministry(actor)
    made = follow_ups.create_follow_up(actor, NewFollowUp(office(), "Send the costing", TODAY + timedelta(days=3), party_id=party))
    record = follow_up_queries.get(made)
    assert (record.owner_id, record.party_id) == (actor.user_id, party)
    follow_ups.finish_follow_up(actor, made, note="sent by mail")
    follow_ups.finish_follow_up(actor, made)
    record = follow_up_queries.get(made)
    assert (record.done_on, record.done_note) == (clock.today("Asia/Amman"), "sent by mail")
    follow_ups.reopen_follow_up(actor, made)
    follow_ups.edit_follow_up(actor, made, text="Send it again", due_on=TODAY, owner_id=None, version=follow_up_queries.get(made).version)
    assert follow_up_queries.get(made).text == "Send it again"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "t" * 601}, "text"),
        ({"due_on": None}, "due_on"),
        ({"owner_id": uuid.uuid4()}, "owner_id"),
        ({"party_id": uuid.uuid4()}, "party_id"),
        ({"interaction_id": uuid.uuid4()}, "interaction_id"),
        ({"commitment_id": uuid.uuid4()}, "commitment_id"),
        ({"ask_id": uuid.uuid4()}, "ask_id"),
    ],
)
def test_a_wrong_follow_up_is_refused_by_its_field(acting: Acting, change: dict[str, Any], field: str) -> None:
    actor = acting("officer")
    with pytest.raises(Invalid) as refused:
        follow_ups.create_follow_up(actor, dataclasses.replace(NewFollowUp(office(), "x", TODAY), **change))
    assert field in refused.value.errors
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(FollowUp)) == 0


def test_what_hangs_on_an_office_record_stays_in_the_office(acting: Acting) -> None:
    actor = acting("officer")
    party = ministry(actor)
    ask = asks.create_ask(actor, NewAsk(office(), party, "Secret ask.", level="office"))
    made = commitments.record_commitment(actor, promise(party, ask_id=ask))
    follow_ups.create_follow_up(actor, NewFollowUp(office(), "Secret step", TODAY, commitment_id=made))
    commitments.add_note(actor, made, body="Secret note", level="open")
    assert len(queries.notes_of(made)) == 1
    acting("hq")
    for entity in (Ask, Commitment, FollowUp):
        assert db.session.scalar(select(func.count()).select_from(entity)) == 0
    assert queries.notes_of(made) == []
