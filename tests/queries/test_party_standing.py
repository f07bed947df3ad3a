"""What there is about a party, and how it stands: not asking for what is not there, and reading contacts out of the timeline, change nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from crm import clock
from crm.db import db
from crm.models.asks import Ask
from crm.models.commitments import Commitment
from crm.models.files import File
from crm.models.flows import Flow
from crm.models.interactions import FollowUp, Interaction
from crm.models.notes import Note
from crm.models.parties import Channel, Party
from crm.models.pledges import Agreement, Pledge, Receipt
from crm.queries.figures.landscape import party_flows_summary
from crm.queries.figures.totals import Stages, party_totals
from crm.queries.party_standing import There, _contacts, standing, there
from crm.queries.timeline import Timeline, timeline_of
from crm.services import follow_ups, interactions, parties
from crm.services.interactions import NewInteraction, NewParticipant
from crm.services.parties import NewChannel, NewParty
from tests.factories import briefing
from tests.factories import money as made
from tests.factories.counting import count_statements

NOW = datetime(2024, 3, 29, 9, 0, tzinfo=UTC)
COLUMNS = {
    "interactions": Interaction.party_id,
    "follow_ups": FollowUp.party_id,
    "asks": Ask.addressee_id,
    "commitments": Commitment.party_id,
    "pledges": Pledge.donor_id,
    "agreements": Agreement.donor_id,
    "receipts": Receipt.donor_id,
    "notes": Note.party_id,
    "files": File.party_id,
    "channels": Channel.party_id,
    "members": Party.part_of_id,
    "given": Flow.donor_id,
    "received": Flow.recipient_id,
}
EVERYTHING = There(*(True,) * len(COLUMNS))


@pytest.mark.parametrize("reader", ["grants", "hq", "other-grants"])
def test_what_there_is_of_every_party_is_what_its_reader_may_see(acting, reader):
    actor = acting("grants")
    scene = briefing.play(actor)
    follow_ups.create_follow_up(actor, follow_ups.NewFollowUp(scene.office_id, "Send the figures", NOW.date(), party_id=scene.donor))
    acting(reader)
    seen = set()
    ids = db.session.scalars(select(Party.id).order_by(Party.id)).all()
    for party in {scene.donor, scene.person, *ids[:: max(1, len(ids) // 6)]}:
        known = there(party)
        counted = {
            name: bool(db.session.scalar(select(func.count(column.class_.id)).where(column == party))) for name, column in COLUMNS.items()
        }
        assert vars(known) == counted
        seen |= {name for name, is_there in counted.items() if is_there}
        day = clock.today()
        assert party_totals(party, day, known=Stages(known.pledges, known.agreements, known.receipts)) == party_totals(party, day)
        assert party_flows_summary(party, known=(known.given, known.received)) == party_flows_summary(party)
        assert standing(party, NOW, known, timeline_of(party)) == standing(party, NOW, EVERYTHING, None)
    if reader == "grants":  # nothing is equal because it is empty
        assert seen >= set(COLUMNS) - {"files", "channels", "members"}
        assert standing(scene.donor, NOW, there(scene.donor), timeline_of(scene.donor)).pledge is not None
    if reader == "other-grants":
        assert not seen & {"interactions", "pledges", "agreements", "receipts", "notes", "follow_ups"}


def test_what_the_scene_has_none_of(acting):
    """Channels and parts."""
    actor = acting("grants")
    office = made.office()
    whole = parties.create_party(actor, office, NewParty("organisation", "Ministry of Health"))
    assert not any(vars(there(whole)).values())
    part = parties.create_party(actor, office, NewParty("organisation", "Department of Nutrition", part_of_id=whole))
    parties.add_channel(actor, part, NewChannel("email", "office@health.example"))
    assert {name for name, is_there in vars(there(whole)).items() if is_there} == {"members"}
    assert {name for name, is_there in vars(there(part)).items() if is_there} == {"channels"}


def test_one_statement_each_whoever_asks(acting, app):
    scene = briefing.play(acting("grants"), with_flows=False)
    with count_statements(app) as sent:
        there(scene.donor)
    assert len(sent.texts) == 1
    nobody = parties.create_party(acting("grants"), made.office(), NewParty("person", "Nobody Yet"))
    with count_statements(app) as sent:
        standing(nobody, NOW, there(nobody), timeline_of(nobody))
    assert len(sent.texts) == 2


moments = st.integers(-6, 6)
meetings = st.lists(st.tuples(st.sampled_from(("held", "planned", "cancelled")), moments, st.booleans()), max_size=8)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=meetings, size=st.integers(1, 9), later=moments)
def test_contacts_out_of_the_timeline_are_those_that_the_database_finds(acting, rows, size, later):
    """Held and planned ones before and after now, at the same moment too, of others at which the party only took part, in timelines that
    end before them."""
    actor = acting("grants")
    office = made.office()
    one, other = (parties.create_party(actor, office, NewParty("person", name)) for name in ("Amal Haddad", "Basim Nasser"))
    with clock.frozen(NOW):
        for state, hours, is_guest in rows:
            at = NOW + timedelta(hours=-abs(hours) if state == "held" else hours)
            who = other if is_guest else one
            guests = (NewParticipant("theirs", party_id=one),) if is_guest else ()
            new = NewInteraction(
                office, "planned" if state == "cancelled" else state, "meeting", at, who, summary="Said", participants=guests
            )
            key = interactions.log_interaction(actor, new)
            if state == "cancelled":
                version = db.session.get_one(Interaction, key).version
                interactions.cancel_interaction(actor, key, reason="Ill", version=version)
    now = NOW + timedelta(hours=later)
    assert _contacts(one, now, timeline_of(one, size=size)) == _contacts(one, now, None)


def test_the_next_contact_may_lie_just_behind_the_end_of_the_timeline(acting):
    """Two are planned from now on, and the nearer one is not among the newest events: at this very moment, and a little later."""
    actor = acting("grants")
    office = made.office()
    one = parties.create_party(actor, office, NewParty("person", "Amal Haddad"))
    keys = []
    with clock.frozen(NOW):
        for minutes in (0, 30, 600):
            new = NewInteraction(office, "planned", "meeting", NOW + timedelta(minutes=minutes), one, summary="")
            keys.append(interactions.log_interaction(actor, new))
    for size in (1, 2, 3):
        newest = timeline_of(one, size=size)
        assert len(newest.events) == size
        assert [found.id for found in _contacts(one, NOW, newest) if found] == keys[:1]
        assert [found.id for found in _contacts(one, NOW + timedelta(minutes=1), newest) if found] == keys[1:2]


def test_a_timeline_that_says_all_leaves_nothing_to_ask(acting, app):
    scene = briefing.play(acting("grants"), with_flows=False)
    newest = timeline_of(scene.donor)
    assert newest.earlier is None
    with count_statements(app) as sent:
        held, planned = _contacts(scene.donor, NOW, newest)
    assert sent.texts == []
    assert (held, planned) == _contacts(scene.donor, NOW, None)
    assert held is not None
    assert planned is not None
    with count_statements(app) as sent:
        _contacts(scene.donor, NOW, Timeline([], "more"))
    assert len(sent.texts) == 2
