"""What is due today is not late until that day has ended in the office whose record it is, wherever the reader sits."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from crm import clock
from crm.db import db
from crm.errors import NotFound
from crm.models.offices import Office
from crm.money import Money
from crm.policy import bind_actor
from crm.queries.asks import Filters as AskFilters
from crm.queries.asks import matching as asks_matching
from crm.queries.figures.money import agreement_figures, pledge_figures
from crm.queries.follow_ups import Filters as StepFilters
from crm.queries.follow_ups import matching as steps_matching
from crm.queries.offices import Days, days
from crm.services import asks, commitments, follow_ups, users
from tests.commands.test_verify import break_it
from tests.factories import money as made
from tests.factories import world

DUE = date(2024, 6, 14)
#: The zone of the office, and a moment at which it is still the due day there, and one at which it is over: both UTC.
EDGES = [
    ("Pacific/Kiritimati", datetime(2024, 6, 14, 9, 59, tzinfo=UTC), datetime(2024, 6, 14, 10, 1, tzinfo=UTC)),
    ("Asia/Amman", datetime(2024, 6, 14, 20, 59, tzinfo=UTC), datetime(2024, 6, 14, 21, 1, tzinfo=UTC)),
    ("America/Los_Angeles", datetime(2024, 6, 15, 6, 59, tzinfo=UTC), datetime(2024, 6, 15, 7, 1, tzinfo=UTC)),
]


def bound(name):
    bind_actor(None)
    actor = users.actor_by_email(world.address(name))
    bind_actor(actor)
    return actor


@pytest.fixture
def chain(app):
    """A promise, an ask, a follow-up, a pledge and an agreement of Jordan, each due on the same day."""

    def make(zone):
        with app.app_context(), clock.frozen(datetime(2024, 6, 3, 12, tzinfo=UTC)):
            break_it(Office, made.office(), timezone=zone)
            actor = bound("officer")
            donor = made.donor(actor)
            commitments.record_commitment(
                actor, commitments.NewCommitment(made.office(), donor, "service", "A nurse for Mafraq.", date(2024, 6, 1), due_on=DUE)
            )
            asks.create_ask(actor, asks.NewAsk(made.office(), donor, "Send a nurse.", DUE))
            follow_ups.create_follow_up(actor, follow_ups.NewFollowUp(made.office(), "Call the nurse.", DUE))
            grants = bound("grants")
            plan = [made.line(made.eur(10), DUE)]
            signed = {"signed_on": date(2024, 6, 1), "donor_id": donor, "office_id": made.office(), "plan": plan}
            return (
                made.pledge(grants, donor, made.eur(10), pledged_on=date(2024, 6, 1), plan=plan),
                made.agreement(grants, Money(Decimal(10), "EUR"), **signed),
            )

    return make


@pytest.mark.parametrize("who", ["officer", "hq"])
@pytest.mark.parametrize(("zone", "still", "over"), EDGES)
def test_late_begins_when_the_day_has_ended_in_the_office(browser, chain, who, zone, still, over):
    pledge_id, agreement_id = chain(zone)
    for moment, is_late in ((still, False), (over, True)):
        with clock.frozen(moment):
            person = browser(who)
            home = person.get("/").text
            lines = 3 if who == "hq" else 4  # the promise, the pledge and the agreement; the officer's own follow-up
            assert home.count("1 day late") == (lines if is_late else 0), (moment, home)
            for address in (f"/pledges/{pledge_id}", f"/agreements/{agreement_id}"):
                page = person.get(address).text
                assert ("day late" in page) is is_late, (moment, address)
            for address in ("/commitments/", "/pledges/"):
                assert ("Late</" in person.get(address).text.split("<tbody")[1]) is is_late, (moment, address)
                assert ("JOR-PL" in person.get("/pledges/?status=late").text) is is_late
                assert ("A nurse for Mafraq" in person.get("/commitments/?status=late").text) is is_late
            assert ("Send a nurse" in person.get("/asks/?status=overdue").text) is is_late
            assert ("Send a nurse" in person.get("/asks/?status=open").text) is not is_late
            assert ("Call the nurse" in person.get("/follow-ups/?whose=all&state=late").text) is is_late


@pytest.mark.parametrize(("zone", "still", "over"), EDGES)
def test_the_figures_of_the_offices_day_agree(context, chain, zone, still, over):
    _pledge, agreement_id = chain(zone)
    for moment, is_late in ((still, False), (over, True)):
        with clock.frozen(moment):
            assert bound("officer")
            (row,) = agreement_figures(agreement_id).instalments
            assert (row.is_late, row.days_late) == (is_late, 1 if is_late else 0)


def test_what_was_recorded_today_in_an_office_ahead_is_there_for_a_reader_behind(app, browser):
    """Amman is an hour into the next day when Geneva has its last one before midnight."""
    with clock.frozen(datetime(2024, 6, 14, 21, 30, tzinfo=UTC)):
        today = date(2024, 6, 15)
        with app.app_context():
            break_it(Office, made.office(), timezone="Asia/Amman")
            grants = bound("grants")
            donor = made.donor(grants)
            pledge_id = made.pledge(grants, donor, made.eur(10), pledged_on=today)
            agreement_id = made.agreement(
                grants, made.eur(10), signed_on=today, donor_id=donor, office_id=made.office(), plan=[made.line(made.eur(10), today)]
            )
            hq = bound("hq")
            assert clock.today(hq.timezone) < today
            assert (pledge_figures(pledge_id).as_of, agreement_figures(agreement_id).as_of) == (today, today)
            for figures in (pledge_figures, agreement_figures):
                with pytest.raises(NotFound):
                    figures(uuid.uuid4())
        for address in (f"/pledges/{pledge_id}", f"/agreements/{agreement_id}"):
            assert browser("hq").get(address).status_code == 200, address


def test_days_differ_only_where_they_do(acting):
    """The usual statement stays the plain one; three days at once are told apart."""
    break_it(Office, made.office("KEN"), timezone="Pacific/Kiritimati")
    break_it(Office, made.office("JOR"), timezone="Pacific/Pago_Pago")
    acting("hq")
    with clock.frozen(datetime(2024, 6, 14, 10, 30, tzinfo=UTC)):
        now = days("UTC")
        assert (now.of(made.office("HQ")), now.of(made.office("KEN")), now.of(made.office("JOR"))) == (
            DUE,
            DUE + timedelta(days=1),
            DUE - timedelta(days=1),
        )
        assert set(now.elsewhere) == {made.office("KEN"), made.office("JOR")}
    for statement in (asks_matching(AskFilters(status="overdue"), now), steps_matching(StepFilters(state="late"), now)):
        assert db.session.scalars(statement).all() == []
    assert Days(DUE).of(made.office("KEN")) == DUE
