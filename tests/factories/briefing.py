"""The scene of a briefing pack: the worked case, two years of contacts, promises both ways, a programme, and real FTS flows."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.jobs import imports
from crm.models.parties import Party
from crm.money import Money
from crm.policy import Actor
from crm.services import agreements, allocations, asks, commitments, interactions, notes, parties, positions, programmes
from tests.factories import money as made

FLOWS = Path(__file__).parents[1] / "data" / "real" / "fts-incoming-funding-jor-2020-hxl.csv"
DAY = date(2024, 3, 29)
MEETING_AT = datetime(2024, 4, 9, 8, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Scene:
    """The keys of what a test looks for."""

    actor: Actor
    office_id: uuid.UUID
    donor: uuid.UUID
    person: uuid.UUID
    programme: uuid.UUID
    pledge: uuid.UUID
    agreement: uuid.UUID
    ask: uuid.UUID
    meeting: uuid.UUID


def play(actor: Actor, *, with_flows: bool = True) -> Scene:
    """Play the scene as the grants officer; the data are as of DAY."""
    with clock.frozen(datetime(2024, 3, 29, 9, 0, tzinfo=UTC)):
        return _play(actor, with_flows)


def _play(actor: Actor, with_flows: bool) -> Scene:
    office = made.office()
    made.ecb(actor)
    donor = None
    if with_flows:
        imports.import_file(actor, office, "fts", FLOWS.name, FLOWS.read_bytes())
        donor = db.session.scalar(select(Party.id).where(Party.name == "Germany, Government of"))
    if donor is None:
        donor = made.donor(actor, "Germany, Government of")
    person = parties.create_party(
        actor,
        office,
        parties.NewParty("person", "Dr Hanna Lindt", kinds=("donor", "national-leader"), names=(parties.OtherName("حنا ليندت", "native"),)),
    )
    post = positions.add_position(
        actor, office, positions.NewPosition(donor, "Head of development cooperation", "Health, water, education")
    )
    biography = "Economist. Before her posting she led the ministry's division for global health and sat on the board of two vaccine funds."
    positions.add_tenure(
        actor, office, positions.NewTenure(post, person, date(2022, 8, 1), None, "Dr Lindt; in writing: Madam Counsellor", biography)
    )
    programme = made.programme(
        actor,
        "Clinics that stay open in the dry season",
        summary="Mobile cold boxes and outreach teams keep vaccination and maternal care running in three districts when roads and wells fail.",
        place_text="Northern districts",
        ends_on=date(2026, 12, 31),
        sector="12220",
        tags=(("sdg-target", "3.8"), ("crc", "24")),
    )
    for year, need in ((2023, 8_000_000), (2024, 6_500_000), (2025, 5_000_000)):
        programmes.set_requirement(actor, programme, year, made.usd(need), "Costed plan, second edition")
    outputs = [
        programmes.add_output(actor, programme, title)
        for title in ("Vaccines reach every post", "Cold chain without grid", "Health workers paid on time")
    ]
    indicator = programmes.add_indicator(
        actor,
        programme,
        programmes.IndicatorInput(
            "Children with three doses by age one",
            "percent",
            "up",
            None,
            Decimal(61),
            date(2022, 6, 30),
            Decimal(85),
            date(2025, 12, 31),
            "Coverage survey",
        ),
    )
    for day, value in ((date(2023, 6, 30), 66), (date(2023, 12, 31), 71)):
        programmes.record_measurement(actor, indicator, day, Decimal(value), "Coverage survey")
    pledge = made.pledge(
        actor,
        donor,
        plan=made.WORKED_PLAN,
        programme_id=programme,
        event_name="Brussels conference",
        words="Ten million euros over two years for clinics.",
    )
    agreement = made.agreement(actor, pledge_id=pledge, budget_lines=(agreements.BudgetLine(programme, made.eur(9_000_000)),))
    for amount, day in ((4_500_000, date(2023, 3, 31)), (3_000_000, date(2023, 9, 29))):
        made.receipt(actor, made.eur(amount), day, agreement_id=agreement)
    shares = [allocations.Share(programme, Decimal(share), output) for share, output in zip((60, 25, 15), outputs, strict=True)]
    allocations.split_by_shares(actor, allocations.MoneySource(agreement_id=agreement), shares, date(2023, 10, 2))
    ask = asks.create_ask(
        actor,
        asks.NewAsk(
            office,
            donor,
            "Release the third instalment of EUR 1.5 million before the dry season and commit EUR 4 million for 2025.",
            date(2024, 5, 31),
            programme,
            fallback="Release the third instalment now; decide on 2025 after the mid-year review.",
            amount=made.eur(4_000_000),
        ),
    )
    _contacts(actor, office, donor, person, ask)
    _promises(actor, office, donor, programme)
    notes.write_note(actor, office, donor, "They prefer figures first and a written note the day before.", "open")
    notes.write_note(actor, office, donor, "The counsellor doubts that the ministry will sign before the summer break.", "office")
    meeting = interactions.log_interaction(
        actor,
        interactions.NewInteraction(
            office,
            "planned",
            "meeting",
            MEETING_AT,
            donor,
            minutes=60,
            place_text="Embassy, second floor, Amman",
            language="English",
            purpose="Mid-term review of the clinics grant and the request for 2025.",
            ask_id=ask,
            programme_id=programme,
            fallback="Release the third instalment now; decide on 2025 after the mid-year review.",
            offer="A joint visit to two outreach posts in June, and the full data of the coverage survey.",
            point_1="Coverage rose from 61 to 71 percent in eighteen months, and it rose where outreach teams were paid on time.",
            point_2="The third instalment has been due since January; without it teams stop in June, when roads close.",
            point_3="One dollar for outreach now saves the cost of a measles response later; the ministry's own estimate is in the annex of the plan.",
            red_line="No earmarking to a single district.",
            participants=(
                interactions.NewParticipant("theirs", party_id=person),
                interactions.NewParticipant("ours", name="Peter Lindgren", post="Head of office"),
                interactions.NewParticipant("ours", name="Dana Khalaf", post="Advocacy officer"),
            ),
        ),
    )
    return Scene(actor, office, donor, person, programme, pledge, agreement, ask, meeting)


def _contacts(actor: Actor, office: uuid.UUID, donor: uuid.UUID, person: uuid.UUID, ask: uuid.UUID) -> None:
    told = (
        (
            date(2022, 9, 21),
            "event",
            "Pledging conference in Brussels",
            "Pledge of ten million euros announced; the ministry wants quarterly coverage data.",
        ),
        (
            date(2022, 12, 15),
            "meeting",
            "Signature of the grant",
            "Agreement signed for nine million; the last million follows once the audit is in.",
        ),
        (
            date(2023, 5, 9),
            "visit",
            "Visit to two outreach posts",
            "They saw the cold boxes at work and asked for a cost per child reached.",
        ),
        (
            date(2023, 9, 12),
            "call",
            "Second instalment",
            "Payment is on its way; they ask for the narrative report by the end of the month.",
        ),
        (
            date(2023, 12, 5),
            "meeting",
            "Year-end review",
            "Satisfied with coverage. Worried that the third instalment meets a budget freeze.",
        ),
        (date(2024, 2, 14), "call", "Third instalment", "Freeze confirmed until March; a letter from the health ministry would help."),
    )
    for day, kind, purpose, summary in told:
        answers = (asks.NewAnswer(ask, "part", "Not before the budget law"),) if day == date(2024, 2, 14) else ()
        interactions.log_interaction(
            actor,
            interactions.NewInteraction(
                office,
                "held",
                kind,
                datetime(day.year, day.month, day.day, 9, 0, tzinfo=UTC),
                donor,
                purpose=purpose,
                summary=summary,
                answers=answers,
                participants=(interactions.NewParticipant("theirs", party_id=person),),
            ),
        )


def _promises(actor: Actor, office: uuid.UUID, donor: uuid.UUID, programme: uuid.UUID) -> None:
    told = (
        ("ours", "service", "Send the narrative report on the second instalment.", date(2023, 9, 12), date(2023, 10, 31)),
        ("ours", "service", "Share the cost per child reached, with its method.", date(2023, 5, 9), DAY + timedelta(days=9)),
        ("theirs", "access", "Introduce us to the parliamentary budget committee.", date(2023, 12, 5), date(2024, 2, 29)),
        ("theirs", "public-voice", "Speak for the programme at the donor round table.", date(2024, 2, 14), date(2024, 6, 15)),
    )
    for direction, kind, words, on, due in told:
        commitments.record_commitment(
            actor, commitments.NewCommitment(office, donor, kind, words, on, direction, due, programme_id=programme)
        )


def euros(amount: int) -> Money:
    return Money(Decimal(amount), "EUR")
