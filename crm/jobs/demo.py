"""The demonstration: a fictional country office with two years of history, a second office and headquarters, real FTS flows.

Plays crm/jobs/demo_story.py through the same services as the pages, each step on its own day (the clock is set back), so
that references, history and figures are what they would have become in use.
"""

from __future__ import annotations

import json
import os
import secrets
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.errors import NotFound, Refused
from crm.exchange.rates import RateSheet as QuotedRates
from crm.exchange.rates import ecb_history
from crm.i18n import _
from crm.jobs import demo_story as story
from crm.jobs import imports as import_jobs
from crm.models.commitments import Commitment
from crm.models.interactions import FollowUp, Interaction
from crm.models.offices import Office
from crm.models.programmes import Output
from crm.models.rates import RateSheet
from crm.money import Money
from crm.policy import Actor, all_offices, bind_actor, system_actor
from crm.queries.rates import ECB, MOST_DAYS_BACK
from crm.services import (
    agreements,
    allocations,
    asks,
    commitments,
    follow_ups,
    interactions,
    offices,
    parties,
    pledges,
    positions,
    programmes,
    rates,
    receipts,
    users,
)

PEOPLE = (
    ("officer@demo.example", "Dana Khalaf", "JOR", "advocacy-officer"),
    ("grants@demo.example", "Omar Tarazi", "JOR", "grants-officer"),
    ("manager@demo.example", "Miriam Okello", "JOR", "manager"),
    ("head@demo.example", "Peter Lindgren", "JOR", "office-head"),
    ("other@demo.example", "Wanjiru Njoroge", "KEN", "advocacy-officer"),
    ("ken-grants@demo.example", "Baraka Otieno", "KEN", "grants-officer"),
    ("hq@demo.example", "Helen Marchetti", "HQ", "viewer"),
    ("admin@demo.example", "Administrator", "HQ", "administrator"),
)
#: What the demonstration calls its rates after the newest published ones.
MADE_UP_RATES = "demonstration, made up"
FTS_FILES = ("fts-incoming-funding-jor-2020.csv", "fts-requirements-jor-2020.csv")
DATA = Path(__file__).resolve().parent.parent / "data" / "demo"
_WORDS = [
    "amber",
    "anchor",
    "apple",
    "autumn",
    "barley",
    "basket",
    "beacon",
    "birch",
    "blanket",
    "bramble",
    "breeze",
    "bridge",
    "bronze",
    "candle",
    "canyon",
    "carpet",
    "cedar",
    "chalk",
    "cherry",
    "clover",
    "cobalt",
    "copper",
    "coral",
    "cotton",
    "cradle",
    "crystal",
    "dahlia",
    "dawn",
    "desert",
    "dune",
    "ember",
    "falcon",
    "fennel",
    "fern",
    "feather",
    "fiddle",
    "flint",
    "forest",
    "garden",
    "ginger",
    "glacier",
    "granite",
    "harbour",
    "harvest",
    "hazel",
    "heron",
    "honey",
    "indigo",
    "iris",
    "island",
    "ivory",
    "jasmine",
    "juniper",
    "kettle",
    "lagoon",
    "lantern",
    "lavender",
    "lemon",
    "lilac",
    "linen",
    "lotus",
    "maple",
    "marble",
    "meadow",
    "mellow",
    "mint",
    "mirror",
    "mosaic",
    "nectar",
    "needle",
    "nutmeg",
    "oasis",
    "ocean",
    "olive",
    "onyx",
    "opal",
    "orchard",
    "orchid",
    "otter",
    "paddle",
    "pebble",
    "pepper",
    "petal",
    "pillow",
    "plum",
    "poppy",
    "quartz",
    "quiver",
    "raven",
    "ribbon",
    "river",
    "robin",
    "rose",
    "saffron",
    "sage",
    "sandal",
    "satin",
    "shell",
    "silver",
    "sorrel",
    "sparrow",
    "spruce",
    "stone",
    "summit",
    "sunrise",
    "swallow",
    "thistle",
    "thyme",
    "timber",
    "topaz",
    "tulip",
    "valley",
    "velvet",
    "violet",
    "walnut",
    "willow",
]


def _carried_on(today: date) -> list[QuotedRates]:
    """The newest rates of the European Central Bank once more for every week since then and a year to come, from a source that
    says what they are: the demonstration shows its figures on whatever day it is tried."""
    newest = db.session.scalars(select(RateSheet).where(RateSheet.source == ECB).order_by(RateSheet.published_on.desc()).limit(1)).one()
    quotes = {code: Decimal(text) for code, text in json.loads(newest.quotes).items()}
    last = max(today, newest.published_on) + timedelta(days=365)
    weeks = range(MOST_DAYS_BACK, (last - newest.published_on).days, MOST_DAYS_BACK)
    return [QuotedRates(MADE_UP_RATES, newest.base, newest.published_on + timedelta(days=days), quotes) for days in weeks]


class Demo:
    """Loads the demonstration into a database without offices (or beside what is there)."""

    def __init__(self, instance_path: Path, *, say: Callable[[str], None] = lambda _text: None) -> None:
        self.instance_path = instance_path
        self.say = say
        self.ids: dict[str, uuid.UUID] = {}
        self.actors: dict[str, Actor] = {}
        self.passwords: dict[str, str] = {}

    # --- the whole -----------------------------------------------------------------------------------------------

    def load(self, *, beside: bool = False) -> Path:
        """Play everything; the file that holds the people's passwords. Refused on a database that holds anything."""
        self._as_system()
        if all_offices() and not beside:
            raise Refused(_("This database holds records already. Load the demonstration into an empty one, or add --beside."))
        access = self._people()
        self._rates(beside=beside)
        self._country(story.DONORS + story.LEADERS)
        self._programmes()
        self._asks_contacts_and_money()
        self._next_weeks()
        self._kenya()
        self._flows()
        return access

    # --- helpers -------------------------------------------------------------------------------------------------

    def _as_system(self) -> Actor:
        system = system_actor(all_offices())
        bind_actor(system)
        system = system_actor(all_offices())
        bind_actor(system)
        return system

    @contextmanager
    def _on(self, day: date, who: str = "officer@demo.example", hour: int = 10) -> Iterator[Actor]:
        """That day, as that person."""
        actor = self.actors[who]
        bind_actor(actor)
        with clock.frozen(datetime.combine(day, time(hour, 15), tzinfo=UTC)):
            yield actor

    def _office(self, code: str) -> uuid.UUID:
        return self.ids[f"office-{code}"]

    # --- parts ---------------------------------------------------------------------------------------------------

    def _people(self) -> Path:
        for code, name, kind, parent, currency, zone in (
            ("HQ", "Headquarters (demonstration)", "hq", None, "USD", "UTC"),
            ("JOR", "Country Office Jordan (demonstration)", "country", "HQ", "JOD", "Asia/Amman"),
            ("KEN", "Country Office Kenya (demonstration)", "country", "HQ", "KES", "Africa/Nairobi"),
        ):
            system = self._as_system()
            held = db.session.scalar(select(Office.id).where(Office.code == code))
            self.ids[f"office-{code}"] = held or offices.create_office(
                system, offices.NewOffice(code, name, kind, self.ids.get(f"office-{parent}"), currency, zone)
            )
        system = self._as_system()
        lines = []
        for email, name, code, role in PEOPLE:
            password = "-".join(secrets.choice(_WORDS) for _ in range(4))
            users.create_user(system, users.NewUser(email, name, self._office(code), role, password))
            lines.append(f"{email}\t{password}\n")
        for email, _name, _code, _role in PEOPLE:
            self.actors[email] = users.actor_by_email(email)
        path = self.instance_path / "demo-access.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.writelines(lines)
        return path

    def _rates(self, *, beside: bool) -> None:
        self.say(_("Exchange rates of the European Central Bank"))
        system = self._as_system()
        if db.session.scalar(select(RateSheet.id).limit(1)) is None:
            rates.apply_sheets(system, ecb_history())
        if not beside:  # made-up rates would count for the real records too
            rates.apply_sheets(system, _carried_on(clock.today("UTC")))

    def _country(self, organisations: tuple[story.Org, ...]) -> None:
        self.say(_("Parties, posts and people"))
        jor = self._office("JOR")
        for place, org in enumerate(organisations):
            with self._on(date(2024, 9, 2) + timedelta(days=place)) as actor:
                names = [parties.OtherName(org.acronym, "acronym")] if org.acronym else []
                names += [parties.OtherName(org.native, "native")] if org.native else []
                self.ids[org.key] = parties.create_party(
                    actor,
                    jor,
                    parties.NewParty(form=org.form, name=org.name, kinds=org.kinds, names=names, country=org.country, about=org.about),
                )
                for title, holder, address, biography, since in org.posts:
                    self._post(actor, jor, org, (title, holder, address, biography, since))
        with self._on(date(2024, 9, 30)) as actor:
            for key, kind, value in (
                ("norland", "email", "cooperation@norland.example"),
                ("norland", "phone", "+962 6 555 0101"),
                ("aldermark", "email", "amman@aldermark.example"),
                ("health-ministry", "phone", "+962 6 555 0140"),
                ("sunrise", "email", "giving@sunrise.example"),
            ):
                parties.add_channel(actor, self.ids[key], parties.NewChannel(kind, value))

    def _post(self, actor: Actor, office: uuid.UUID, org: story.Org, post: tuple[str, str, str, str, date | None]) -> None:
        title, holder, address, biography, since = post
        position = positions.add_position(actor, office, positions.NewPosition(self.ids[org.key], title))
        kinds = ("national-leader",) if "government" in org.kinds and "donor" not in org.kinds else ()
        person = parties.create_party(
            actor, office, parties.NewParty(form="person", name=holder, kinds=kinds, country=org.country, part_of_id=self.ids[org.key])
        )
        positions.add_tenure(actor, office, positions.NewTenure(position, person, since, None, address, biography))
        self.ids[holder] = person
        self.ids[f"{org.key}/{title}"] = position

    def _programmes(self) -> None:
        self.say(_("Programmes, their needs and indicators"))
        for plan in story.PROGRAMMES:
            start = max(plan.starts - timedelta(days=40), date(2022, 8, 1))
            with self._on(start, "grants@demo.example") as actor:
                programme = programmes.create_programme(
                    actor,
                    programmes.ProgrammeInput(
                        title=plan.title,
                        starts_on=plan.starts,
                        office_id=self._office("JOR"),
                        ends_on=plan.ends,
                        summary=plan.summary,
                        sector=plan.sector,
                        place_text=plan.place,
                        currency="USD",
                        tags=plan.tags,
                    ),
                )
                self.ids[plan.key] = programme
                for title in plan.outputs:
                    programmes.add_output(actor, programme, title)
                for year, amount in plan.needs:
                    programmes.set_requirement(actor, programme, year, Money(Decimal(amount), "USD"), "Programme document, costed plan")
            for title, unit, direction, base, base_on, target, target_on, series in plan.indicators:
                with self._on(start, "grants@demo.example") as actor:
                    indicator = programmes.add_indicator(
                        actor,
                        programme,
                        programmes.IndicatorInput(
                            title=title,
                            unit=unit,
                            direction=direction,
                            baseline_value=Decimal(base),
                            baseline_on=min(base_on, start),
                            target_value=Decimal(target),
                            target_on=target_on,
                            source="Household survey and district registers",
                        ),
                    )
                for measured_on, value in series:
                    with self._on(measured_on + timedelta(days=12), "grants@demo.example") as actor:
                        programmes.record_measurement(actor, indicator, measured_on, Decimal(value), "Half-yearly survey")

    def _asks_contacts_and_money(self) -> None:
        self.say(_("Asks, interactions, promises and money, day by day"))
        steps: list[tuple[date, int, Callable[[], None]]] = [
            *((wanted.made_on, 0, partial(self._ask, wanted)) for wanted in story.ASKS),
            *((met.on, 1, partial(self._met, met)) for met in story.CONTACTS),
        ]
        for money in story.PLEDGES:
            steps.extend(self._money_steps(money))
        steps.extend(self._outcomes())
        for _day, _rank, step in sorted(steps, key=lambda entry: entry[:2]):
            step()

    def _ask(self, wanted: story.Wanted) -> None:
        with self._on(wanted.made_on, hour=8) as actor:
            amount = Money(Decimal(wanted.amount[0]), wanted.amount[1]) if wanted.amount else None
            self.ids[f"ask-{wanted.key}"] = asks.create_ask(
                actor,
                asks.NewAsk(
                    office_id=self._office("JOR"),
                    addressee_id=self.ids[wanted.party],
                    sentence=wanted.sentence,
                    fallback=wanted.fallback,
                    by_when=wanted.by_when,
                    programme_id=self.ids[wanted.programme],
                    amount=amount,
                ),
            )

    def _met(self, met: story.Met) -> None:
        with self._on(met.on, hour=13) as actor:
            people = [interactions.NewParticipant("ours", user_id=actor.user_id)]
            if met.who:
                people.append(interactions.NewParticipant("theirs", name=met.who, party_id=self.ids[met.who]))
            ask_id = self.ids.get(f"ask-{met.ask}") if met.ask else None
            self.ids[f"met-{met.on}-{met.party}"] = interactions.log_interaction(
                actor,
                interactions.NewInteraction(
                    office_id=self._office("JOR"),
                    state="held",
                    kind=met.kind,
                    starts_at=datetime.combine(met.on, time(8, 0), tzinfo=UTC),
                    party_id=self.ids[met.party],
                    purpose=met.purpose,
                    summary=met.summary,
                    office_note=met.private,
                    ask_id=ask_id,
                    participants=people,
                    answers=[asks.NewAnswer(ask_id, met.answer)] if ask_id else [],
                    promises=[interactions.NewPromise(direction, kind, words, due) for direction, kind, words, due in met.promises],
                    follow_ups=[interactions.NextStep(met.follow_up, met.on + timedelta(days=14), actor.user_id)] if met.follow_up else [],
                ),
            )
        if met.follow_up and met.on < date(2026, 9, 1):
            with self._on(met.on + timedelta(days=11)) as actor:
                done = db.session.scalars(select(FollowUp.id).where(FollowUp.text == met.follow_up)).one()
                follow_ups.finish_follow_up(actor, done, note="Done.")

    def _money_steps(self, money: story.Money) -> Iterator[tuple[date, int, Callable[[], None]]]:
        grants = "grants@demo.example"
        key = f"pledge-{money.key}"

        def amount(text: str) -> Money:
            return Money(Decimal(text), money.currency)

        def pledge() -> None:
            with self._on(money.pledged_on, grants, 15) as actor:
                self.ids[key] = pledges.record_pledge(
                    actor,
                    pledges.NewPledge(
                        office_id=self._office("JOR"),
                        donor_id=self.ids[money.donor],
                        amount=amount(money.amount),
                        pledged_on=money.pledged_on,
                        words=money.words,
                        plan=[pledges.PlanLine(amount(part), due) for due, part in money.plan],
                        programme_id=self.ids[money.programme],
                        event_name=money.event,
                        ask_id=self.ids.get("ask-phase-two") if money.key == "norland-2" else None,
                    ),
                )

        def sign(day: date) -> None:
            with self._on(day, grants, 16) as actor:
                self.ids[f"agreement-{money.key}"] = agreements.sign_agreement(
                    actor,
                    agreements.NewAgreement(
                        amount=amount(money.signed),
                        signed_on=day,
                        title=money.title,
                        pledge_id=self.ids[key],
                        donor_reference=f"{money.donor[:3].upper()}/{day.year}/{len(money.title):03d}",
                        starts_on=day,
                        ends_on=money.ends_on,
                        earmarking="H",
                        budget_lines=[agreements.BudgetLine(self.ids[money.programme], amount(money.signed))],
                    ),
                )

        def receive(day: date, text: str) -> None:
            with self._on(day, grants, 11) as actor:
                receipts.record_receipt(
                    actor,
                    receipts.NewReceipt(
                        amount=amount(text),
                        value_on=day,
                        agreement_id=self.ids[f"agreement-{money.key}"],
                        bank_reference=f"TT{day:%y%m%d}-{money.key[:4].upper()}",
                    ),
                )

        def share(day: date, shares: tuple[int, ...]) -> None:
            with self._on(day, grants, 12) as actor:
                outputs = db.session.scalars(
                    select(Output.id).where(Output.programme_id == self.ids[money.programme]).order_by(Output.position)
                )
                programme = self.ids[money.programme]
                allocations.split_by_shares(
                    actor,
                    allocations.MoneySource(agreement_id=self.ids[f"agreement-{money.key}"]),
                    [allocations.Share(programme, Decimal(part), output) for part, output in zip(shares, outputs, strict=False)],
                    day,
                )

        def lapse(day: date, text: str, reason: str) -> None:
            with self._on(day, grants, 13) as actor:
                pledges.change_pledge(actor, self.ids[key], pledges.PledgeChange("lapse", day, reason, amount(text)))

        yield money.pledged_on, 3, pledge
        if money.signed_on:
            signed_on = money.signed_on
            yield signed_on, 4, lambda: sign(signed_on)
        for day, text in money.receipts:
            yield day, 5, partial(receive, day, text)
        for day, shares in money.shares:
            yield day, 6, partial(share, day, shares)
        if money.lapse:
            gone = money.lapse
            yield gone[0], 7, lambda: lapse(*gone)

    def _outcomes(self) -> Iterator[tuple[date, int, Callable[[], None]]]:
        """What became of the promises: kept, in part, broken; some checked by the manager."""
        for words, day, outcome, note in (
            ("Send the cost per child reached", date(2025, 2, 14), "kept", "Sent by e-mail with the district table."),
            ("Two technicians", date(2025, 5, 5), "part", "One of two has arrived."),
            ("Financial report for 2024", date(2025, 3, 28), "kept", "Handed over in person."),
            ("Hand over the cost study", date(2025, 6, 19), "kept", "Handed to the minister's office with the university."),
            ("Introduce us", date(2025, 7, 30), "kept", "Call with the directorate on 24 July."),
            ("A sermon on vaccination", date(2025, 9, 20), "kept", "Sermon of 19 September; recording with Radio Horizon."),
            ("Announce each clinic day", date(2026, 1, 12), "kept", "Radio log and two photographs."),
            ("Move the spring round", date(2026, 2, 27), "kept", "Round held 22 to 26 February."),
            ("A note on safe transport", date(2026, 1, 19), "kept", "Sent."),
            ("Name the outreach line", date(2026, 7, 6), "broken", "The circular of 30 June does not name it."),
            ("The condition of the nutrition grant", date(2026, 3, 19), "kept", "Letter sent."),
        ):
            yield day, 8, partial(self._outcome, words, day, outcome, note)

    def _outcome(self, words: str, day: date, outcome: str, note: str) -> None:
        with self._on(day, hour=17) as actor:
            found = db.session.scalars(select(Commitment).where(Commitment.words.startswith(words))).one()
            commitments.declare_outcome(actor, found.id, outcome=outcome, on=day, note=note, version=found.version)
        if outcome == "kept" and found.direction == "theirs":
            with self._on(day + timedelta(days=6), "manager@demo.example", 9) as actor:
                checked = db.session.scalars(select(Commitment).where(Commitment.id == found.id)).one()
                commitments.verify_commitment(actor, checked.id, evidence=note, version=checked.version)

    def _next_weeks(self) -> None:
        """What lies ahead, counted from today, so that the work list is alive whenever the demonstration is loaded."""
        today = clock.today("Asia/Amman")
        actor = self.actors["officer@demo.example"]
        bind_actor(actor)
        manager = self.actors["manager@demo.example"].user_id

        def plan(
            days: int,
            hour: int,
            party: str,
            purpose: str,
            *,
            kind: str = "meeting",
            who: str = "",
            ask: str = "",
            place: str = "",
            **more: Any,
        ) -> uuid.UUID:
            people = [interactions.NewParticipant("ours", user_id=actor.user_id), interactions.NewParticipant("ours", user_id=manager)]
            if who:
                people.append(interactions.NewParticipant("theirs", name=who, party_id=self.ids[who]))
            new = interactions.NewInteraction(
                office_id=self._office("JOR"),
                state="planned",
                kind=kind,
                starts_at=datetime.combine(today + timedelta(days=days), time(hour), tzinfo=UTC),
                minutes=60,
                party_id=self.ids[party],
                purpose=purpose,
                place_text=place,
                ask_id=self.ids.get(f"ask-{ask}"),
                programme_id=self.ids["immunisation"],
                participants=people,
                language="English",
            )
            with self._on(today - timedelta(days=6)) as planner:
                return interactions.log_interaction(planner, replace(new, **more))

        self.ids["sample-meeting"] = plan(
            1,
            9,
            "norland",
            "Settle the overdue instalment and secure the sixth million",
            who="Ingrid Halvorsen",
            ask="overdue",
            place="Embassy of Norland, second floor",
            fallback="A payment date in writing before the audit office closes for the year.",
            offer="The audited statement of the first agreement, and a visit to the February round.",
            point_1="Coverage among pastoralist families rose from 41 to 74 per cent in four years; the next eleven points are the expensive ones.",
            point_2="The second phase was planned on the third instalment: two of the ten mobile teams wait for it.",
            point_3="The treasury named no line in June; a word from Norland before the hearing would weigh.",
            red_line="We do not trade the old instalment against the sixth million.",
        )
        plan(
            0,
            11,
            "health-ministry",
            "Text of the messages to parents",
            who="Dr Khaled Barmawi",
            ask="messages",
            place="Ministry, immunisation unit",
        )
        plan(
            2,
            8,
            "parliament",
            "Before the committee's hearing",
            who="Hon. Rima Sawalqa",
            ask="bill",
            place="Assembly, room 14",
            point_1="One round costs less than one hospital week.",
        )
        plan(6, 12, "vesterhav", "Confirmation of the five million in writing", who="Sofie Lindqvar", kind="call")
        plan(9, 9, "aldermark", "Two routes as a pilot", who="Marek Dvoran", ask="transport")
        plan(-2, 9, "chief", "Winter market day", who="Mansour Abu Rashd", kind="visit", place="Eastern steppe")
        for days, text, party in (
            (-4, "Ask finance which signature of 2023 is missing", "norland"),
            (0, "Send the one-page note to the committee", "parliament"),
            (3, "Call the programme officer about the audited statement", "norland"),
            (8, "Book the car for the February round", "chief"),
            (12, "Ask the women's cooperative for two speakers", "women-group"),
        ):
            follow_ups.create_follow_up(
                actor,
                follow_ups.NewFollowUp(
                    office_id=self._office("JOR"),
                    text=text,
                    due_on=today + timedelta(days=days),
                    owner_id=actor.user_id,
                    party_id=self.ids[party],
                ),
            )

    def _kenya(self) -> None:
        """A second office with its own."""
        ken = self._office("KEN")
        with self._on(date(2026, 3, 10), "other@demo.example") as actor:
            donor = parties.create_party(
                actor,
                ken,
                parties.NewParty(
                    form="organisation",
                    name="Lakeside Trust (fictional)",
                    kinds=("donor", "private-sector"),
                    about="Small trust; nutrition around the lake.",
                ),
            )
            self.ids["ken-donor"] = donor
        with self._on(date(2026, 3, 12), "ken-grants@demo.example") as actor:
            programme = programmes.create_programme(
                actor,
                programmes.ProgrammeInput(
                    title="Nutrition around the lake",
                    starts_on=date(2026, 1, 1),
                    office_id=ken,
                    ends_on=date(2028, 12, 31),
                    sector="12240",
                    currency="USD",
                    tags=(("sdg-goal", "2"), ("crc", "24")),
                ),
            )
            programmes.add_output(actor, programme, "Treatment of wasting")
            for year, need in ((2026, "700000.00"), (2027, "850000.00")):
                programmes.set_requirement(actor, programme, year, Money(Decimal(need), "USD"), "Costed plan")
            pledges.record_pledge(
                actor,
                pledges.NewPledge(
                    office_id=ken,
                    donor_id=donor,
                    amount=Money(Decimal("250000.00"), "USD"),
                    pledged_on=date(2026, 3, 12),
                    words="A quarter of a million for the first year.",
                    plan=[pledges.PlanLine(Money(Decimal("250000.00"), "USD"), date(2026, 12, 1))],
                    programme_id=programme,
                ),
            )

    def _flows(self) -> None:
        self.say(_("Real funding flows into Jordan 2020, as OCHA FTS published them"))
        for name in FTS_FILES:
            bind_actor(self.actors["grants@demo.example"])
            import_jobs.import_file(self.actors["grants@demo.example"], self._office("JOR"), "fts", name, (DATA / name).read_bytes())


SAMPLE_PERSON = "officer@demo.example"


def sample_meeting() -> uuid.UUID:
    """The key of the planned meeting that the sample pack is for."""
    found = db.session.scalar(
        select(Interaction)
        .where(Interaction.state == "planned", Interaction.red_line != "")
        .order_by(Interaction.starts_at.desc())
        .limit(1)
    )
    if found is None:
        raise NotFound(_("The demonstration's meeting is not here."))
    return found.id
