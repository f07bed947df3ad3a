"""Two people at once never convert, allocate or receive more than there is (both databases)."""

from __future__ import annotations

import threading
from datetime import date

import pytest

from crm.db import db
from crm.errors import Conflict, Invalid
from crm.models.pledges import Agreement, Pledge
from crm.policy import bind_actor
from crm.queries.figures import programmable, stored
from crm.services import allocations, pledges, references, users
from tests.factories import money as made
from tests.factories import world


def at_once(app, *jobs):
    """Run jobs in threads that start together; what each raised, or None."""
    barrier, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(place, job):
        with app.app_context():
            bind_actor(None)
            actor = users.actor_by_email(world.address("grants"))
            bind_actor(actor)
            barrier.wait(10)
            try:
                job(actor)
            except Exception as error:  # noqa: BLE001 - whatever it was is looked at
                results[place] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(place, job)) for place, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


@pytest.fixture
def funded(acting):
    actor = acting("grants")
    donor = made.donor(actor)
    pledge_id = made.pledge(actor, donor)
    agreement_id = made.agreement(actor, made.usd(108), donor_id=donor, office_id=made.office())
    made.receipt(actor, made.usd(108), date(2023, 6, 1), agreement_id=agreement_id)
    return pledge_id, agreement_id, made.programme(actor)


def test_two_signatures_of_one_pledge_never_overshoot(app, funded):
    pledge_id = funded[0]
    results = at_once(app, *[lambda actor: made.agreement(actor, made.eur(6_000_000), pledge_id=pledge_id)] * 2)
    refused = [error for error in results if error]
    assert len(refused) == 1, results
    assert isinstance(refused[0], Invalid | Conflict)
    db.session.rollback()
    db.session.expire_all()
    assert db.session.get_one(Pledge, pledge_id).outstanding == made.eur(4_000_000)
    assert list(stored.wrong_pledges()) == []


def test_a_signature_and_a_lapse_at_once_never_overshoot(app, funded):
    pledge_id = funded[0]
    lapse = pledges.PledgeChange("lapse", date(2023, 6, 1), "gone", made.eur(6_000_000))
    results = at_once(
        app,
        lambda actor: made.agreement(actor, made.eur(6_000_000), pledge_id=pledge_id),
        lambda actor: pledges.change_pledge(actor, pledge_id, lapse),
    )
    assert sum(error is not None for error in results) == 1, results
    db.session.rollback()
    assert list(stored.wrong_pledges()) == []


def test_two_allocations_at_once_never_exceed_what_came(app, funded):
    _pledge, agreement_id, programme = funded
    new = allocations.NewAllocation(allocations.MoneySource(agreement_id), programme, made.usd(60), date(2023, 7, 1))
    results = at_once(app, *[lambda actor: allocations.allocate(actor, new)] * 2)
    assert sum(error is not None for error in results) == 1, results
    db.session.rollback()
    assert programmable.of_agreement(agreement_id).allocated == made.usd(60)


def test_two_receipts_at_once_are_both_kept_and_matched(app, funded):
    agreement_id = funded[1]
    results = at_once(app, *[lambda actor: made.receipt(actor, made.usd(5), date(2023, 7, 1), agreement_id=agreement_id)] * 2)
    assert results == [None, None]
    db.session.rollback()
    db.session.expire_all()
    assert db.session.get_one(Agreement, agreement_id).received == made.usd(118)
    assert list(stored.wrong_agreements()) == []


def test_the_first_records_of_a_kind_may_come_at_the_same_moment(app, funded):
    """Nobody's record is refused on the first day of a year because a colleague begins the counter too."""
    results = at_once(app, *[lambda actor: references.next_reference(made.office(), "ask")] * 6)
    assert results == [None] * 6
