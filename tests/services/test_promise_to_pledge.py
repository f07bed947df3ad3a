"""A promise of money heard at a meeting becomes a pledge on the same key, once; words of an office-level contact stay there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from crm import clock
from crm.db import db
from crm.errors import Denied, EditConflict, Invalid
from crm.models.audit import AuditEntry, AuditValue
from crm.models.commitments import Commitment
from crm.models.pledges import Pledge
from crm.queries import briefing as briefing_queries
from crm.queries import commitments as queries
from crm.queries import history, pledges
from crm.queries.commitments import Filters
from crm.queries.figures.money import pledge_figures
from crm.queries.paging import Paging
from crm.services import commitments, interactions
from crm.services.commitments import NewCommitment
from crm.services.interactions import NewInteraction
from crm.services.pledges import NewPledge, record_pledge
from tests.factories import money as made
from tests.factories.parties import standing

TODAY_IN = "Asia/Amman"
TODAY = clock.today(TODAY_IN)
SECRET = "The minister whispered ten million heronfeather"


@pytest.fixture
def grants(acting):
    return acting("grants")


@pytest.fixture
def donor(grants):
    return made.donor(grants)


def contact(actor, donor, level="open", **values):
    at = datetime.now(UTC) - timedelta(hours=3)
    new = NewInteraction(made.office(), "held", "meeting", at, donor, summary="Said", level=level, **values)
    return interactions.log_interaction(actor, new)


def promise(actor, donor, **values):
    values = {"kind": "financial", "words": "EUR 10 million by June.", "made_on": TODAY, **values}
    return commitments.record_commitment(actor, NewCommitment(made.office(), donor, **values))


def new_pledge(donor, commitment_id, **values):
    values = {"pledged_on": TODAY, "words": "EUR 10 million by June.", **values}
    return NewPledge(made.office(), donor, made.eur(10_000_000), commitment_id=commitment_id, **values)


def refused(field, do):
    with pytest.raises(Invalid) as caught:
        do()
    assert field in caught.value.errors, caught.value.errors
    db.session.rollback()
    return str(caught.value)


def test_a_promise_of_money_becomes_a_pledge_on_the_same_key(grants, donor):
    """Domain 0.1: a pledge's key IS its commitment's key; the promise keeps its reference, and nothing is there twice."""
    said_at = contact(grants, donor)
    heard = promise(grants, donor, interaction_id=said_at, due_on=TODAY + timedelta(days=90), evidence="The note verbale")
    reference = queries.get(heard).reference
    key = record_pledge(grants, new_pledge(donor, heard, interaction_id=said_at))
    assert key == heard
    found = pledges.pledge_detail(key).pledge
    assert found.commitment.reference == reference != found.reference
    assert (found.commitment.evidence, found.commitment.interaction_id) == ("The note verbale", said_at)
    assert found.commitment.quantity == "EUR 10,000,000.00"
    assert db.session.scalar(select(func.count()).select_from(Commitment)) == 1
    assert pledge_figures(key).announced.own == (made.eur(10_000_000),)


def test_nothing_counts_twice_after_it(grants, donor):
    """Home lists, the party's page and the pack's promises name it once."""
    heard = promise(grants, donor, due_on=TODAY + timedelta(days=5))
    assert [row.id for row in queries.open_promises(TODAY + timedelta(days=30), 10)["theirs"]] == [heard]
    record_pledge(grants, new_pledge(donor, heard, plan=(made.line(made.eur(10_000_000), TODAY + timedelta(days=5)),)))
    assert queries.open_promises(TODAY + timedelta(days=30), 10)["theirs"] == []
    assert [row.record_id for row in pledges.due_instalments(TODAY)] == [heard]
    assert standing(donor, clock.now()).theirs_count == 1
    assert queries.listing(Filters(party_id=donor), TODAY, Paging.of(None, None, None)).total == 1
    meeting = contact(grants, donor)
    listed = briefing_queries.promises(briefing_queries.meeting(meeting, TODAY), TODAY)
    assert [row.id for row in listed] == [heard]


@pytest.mark.parametrize(
    ("values", "field", "says"),
    [
        ({"direction": "ours"}, "commitment_id", "a promise we made"),
        ({"kind": "service"}, "commitment_id", "not a promise of money"),
    ],
)
def test_what_is_no_promise_of_money_to_us_is_refused_in_words(grants, donor, values, field, says):
    heard = promise(grants, donor, **values)
    assert says in refused(field, lambda: record_pledge(grants, new_pledge(donor, heard)))
    assert db.session.scalar(select(func.count()).select_from(Pledge)) == 0


def test_a_pledge_twice_another_party_and_a_settled_promise_are_refused(grants, donor):
    heard = promise(grants, donor)
    other = made.donor(grants, "Ministry of Southland")
    assert "another party" in refused("donor_id", lambda: record_pledge(grants, new_pledge(other, heard)))
    record_pledge(grants, new_pledge(donor, heard))
    assert "a pledge already" in refused("commitment_id", lambda: record_pledge(grants, new_pledge(donor, heard)))
    settled = promise(grants, donor)
    commitments.declare_outcome(grants, settled, outcome="broken", on=TODAY, note="", version=1)
    assert "Open it again" in refused("commitment_id", lambda: record_pledge(grants, new_pledge(donor, settled)))


def test_a_promise_out_of_reach_is_as_absent(grants, donor, acting):
    """Another office's; and one for the office alone, for who may write its money from above."""
    heard = promise(grants, donor)
    other = acting("other-grants")
    new = NewPledge(made.office("KEN"), donor, made.eur(5), TODAY, commitment_id=heard)
    assert "on record in this office" in refused("commitment_id", lambda: record_pledge(other, new))
    officer = acting("officer")
    with pytest.raises(Denied):
        record_pledge(officer, new_pledge(donor, heard))
    grants = acting("grants")
    kept = promise(grants, donor, level="office", words=SECRET)
    regional = acting("regional")
    assert "on record in this office" in refused("commitment_id", lambda: record_pledge(regional, new_pledge(donor, kept)))


def test_what_others_wrote_meanwhile_is_kept_or_asked_about(grants, donor):
    heard = promise(grants, donor)
    commitments.edit_commitment(
        grants, heard, NewCommitment(made.office(), donor, "financial", "EUR 10 million by July.", TODAY, evidence="A letter"), 1
    )
    with pytest.raises(EditConflict) as clash:
        record_pledge(grants, new_pledge(donor, heard, words="EUR 10 million by May.", opened=1))
    assert clash.value.changes["words"] == ("EUR 10 million by June.", "EUR 10 million by July.", "EUR 10 million by May.")
    db.session.rollback()
    key = record_pledge(grants, new_pledge(donor, heard, opened=1))
    assert queries.get(key).words == "EUR 10 million by July."
    assert queries.get(key).evidence == "A letter"


def test_other_words_take_the_check_of_a_second_person_away(grants, donor, acting):
    heard = promise(grants, donor)
    commitments.verify_commitment(acting("manager"), heard, evidence="The letter", version=1)
    grants = acting("grants")
    record_pledge(grants, new_pledge(donor, heard, words="EUR 10 million, in two parts."))
    assert queries.get(heard).verified_by_id is None


def test_a_due_day_taken_from_the_plan_takes_the_check_away(grants, donor, acting):
    """The verifier saw a promise without a day and without an amount; the pledge gives it both."""
    heard = promise(grants, donor)
    manager = acting("manager")
    commitments.verify_commitment(manager, heard, evidence="The note verbale", version=1)
    assert record_pledge(acting("grants"), new_pledge(donor, heard, plan=[made.line(made.eur(10_000_000), TODAY + timedelta(days=9))]))
    record = queries.get(heard)
    assert (record.due_on, record.verified_by_id, record.verified_at) == (TODAY + timedelta(days=9), None, None)


def test_what_a_pledge_hangs_on_is_not_changed_on_the_promise(grants, donor):
    key = record_pledge(grants, new_pledge(donor, promise(grants, donor)))
    for values in ({"kind": "service"}, {"made_on": TODAY - timedelta(days=1)}, {"programme_id": made.programme(grants)}):
        new = {"kind": "financial", "words": "EUR 10 million by June.", "made_on": TODAY, **values}
        version = queries.get(key).version
        refused(
            next(iter(values)),
            lambda n=new, v=version: commitments.edit_commitment(grants, key, NewCommitment(made.office(), donor, **n), v),
        )


@pytest.mark.parametrize("is_heard_first", [True, False])
def test_the_words_of_an_office_contact_stay_in_the_office(grants, donor, acting, is_heard_first):
    """Decision 0008: the amount is open to all whose scope covers the office; words and contact are not."""
    said_at = contact(grants, donor, level="office")
    heard = promise(grants, donor, interaction_id=said_at, words=SECRET) if is_heard_first else None
    key = record_pledge(grants, new_pledge(donor, heard, interaction_id=said_at, words=SECRET))
    assert queries.get(key).words == SECRET
    for who in ("hq", "regional"):
        reader = acting(who)
        found = pledges.pledge_detail(key)
        assert found.pledge.announced == made.eur(10_000_000)
        assert found.pledge.commitment is None
        assert pledge_figures(key).announced.own == (made.eur(10_000_000),)
        assert db.session.scalar(select(func.count()).select_from(Commitment)) == 0
        assert queries.listing(Filters(), TODAY, Paging.of(None, None, None)).total == 0
        assert standing(donor, clock.now()).theirs_count == 0
        entries = history.history_of(key).entries
        assert {entry.noun for entry in entries} == {"pledges", "pledge_terms"}
        words = db.session.scalars(select(AuditValue.new)).all()
        assert not any(SECRET in (text or "") for text in words)
        assert db.session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.noun == "commitments")) == 0
        assert reader.user_id is not None


def test_the_chain_of_a_party_follows_its_money(grants, donor):
    """A promise that is not about money, made later, does not hide the pledge; the pledge's own agreement comes with it."""
    key = record_pledge(grants, new_pledge(donor, None, pledged_on=TODAY - timedelta(days=9)))
    signed = made.agreement(grants, made.eur(1), pledge_id=key, signed_on=TODAY - timedelta(days=8))
    made.agreement(grants, made.eur(2), donor_id=donor, office_id=made.office(), signed_on=TODAY)
    promise(grants, donor, kind="public-voice", words="We shall say so in public.")
    found = standing(donor, clock.now())
    assert (found.commitment.id, found.pledge.id, found.agreement.id) == (key, key, signed)


def test_a_promise_of_money_comes_before_another_one_without_any_pledge(grants, donor):
    money = promise(grants, donor, made_on=TODAY - timedelta(days=9))
    promise(grants, donor, kind="public-voice", words="We shall say so in public.")
    assert standing(donor, clock.now()).commitment.id == money


def test_a_promise_that_is_a_pledge_stands_as_its_money_does(grants, donor):
    """Late is computed from what is outstanding; what was signed in full is not late, whatever day was said."""
    past, coming = TODAY - timedelta(days=30), TODAY + timedelta(days=60)
    key = record_pledge(grants, new_pledge(donor, None, pledged_on=past, plan=(made.line(made.eur(10_000_000), coming),), due_on=past))
    plain = promise(grants, donor, due_on=past, made_on=past)
    rows = [queries.get(key), queries.get(plain)]
    assert [one.key for one in queries.standings(rows, TODAY).values()] == ["open", "late"]
    made.agreement(grants, made.eur(10_000_000), pledge_id=key, signed_on=TODAY)
    assert queries.standings(rows, TODAY)[key].key == "settled"
    assert queries.standings([], TODAY) == {}


def test_the_promises_due_of_some_offices_are_those_of_all_offices(grants, donor):
    """Asked for in one way where they are an office's, in another where they are anybody's: the same ones, each side's first."""
    for days in (9, 3, 3, 400, 5):
        promise(grants, donor, due_on=TODAY + timedelta(days=days))
        promise(grants, donor, direction="ours", due_on=TODAY + timedelta(days=days + 1))
    promise(grants, donor)
    until = TODAY + timedelta(days=30)
    for limit in (1, 3, 50):
        of_office = queries.open_promises(until, limit, [grants.home_office_id])
        assert of_office == queries.open_promises(until, limit)
        assert [len(of_office[side]) for side in ("ours", "theirs")] == [min(limit, 4)] * 2
        for side, rows in of_office.items():
            assert [row.due_on for row in rows] == sorted(row.due_on for row in rows)
            assert {row.direction for row in rows} == {side}
    assert queries.open_promises(until, 50, []) == {"ours": [], "theirs": []}
