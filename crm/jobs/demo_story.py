"""The demonstration's story as data: fictional offices' programmes, people, donors, money and contacts. No real name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

D = date


@dataclass(frozen=True)
class Org:
    """A fictional organisation: key, name, kinds, country, about, aliases, and its posts with their holders."""

    key: str
    name: str
    kinds: tuple[str, ...]
    country: str | None
    about: str
    form: str = "organisation"
    acronym: str = ""
    native: str = ""
    posts: tuple[tuple[str, str, str, str, D | None], ...] = ()  # title, holder, form of address, biography, since


DONORS = (
    Org(
        "norland",
        "Norland, Ministry of Foreign Affairs",
        ("donor", "government"),
        None,
        "Largest government donor of the immunisation programme. Decides its humanitarian envelope in October; likes multi-year agreements with yearly reviews.",
        acronym="NMFA",
        posts=(
            (
                "Head of Cooperation",
                "Ingrid Halvorsen",
                "Ms Halvorsen",
                "Economist; led Norland's health cooperation in three countries before taking this post. Publishes on vaccine supply chains. Prefers figures to adjectives.",
                D(2024, 8, 15),
            ),
            ("Programme Officer, Health", "Jonas Brekke", "Mr Brekke", "Day-to-day contact for reports and payments.", D(2023, 2, 1)),
        ),
    ),
    Org(
        "aldermark",
        "Aldermark Development Agency",
        ("donor", "government"),
        None,
        "Bilateral agency; finances community health workers and water points. Pays in two instalments a year against a financial report.",
        acronym="ADA",
        posts=(("Country Director", "Marek Dvoran", "Mr Dvoran", "Civil engineer; twelve years with the agency.", D(2025, 1, 6)),),
    ),
    Org(
        "sunrise",
        "Sunrise Family Foundation",
        ("donor", "private-sector"),
        None,
        "Family foundation; funds girls' education and nutrition, usually unearmarked within a theme.",
        posts=(
            ("Director of Giving", "Amara Whitfield", "Ms Whitfield", "Former teacher; visits every programme once a year.", D(2022, 5, 2)),
        ),
    ),
    Org(
        "vesterhav",
        "Kingdom of Vesterhav, Royal Aid Office",
        ("donor", "government"),
        None,
        "New donor since 2025; interested in domestic financing and in transition plans.",
        posts=(
            ("Chargé d'affaires", "Sofie Lindqvar", "Excellency", "Career diplomat; arrived from the finance ministry.", D(2025, 9, 1)),
        ),
    ),
    Org(
        "tamkeen",
        "Tamkeen Telecom",
        ("donor", "private-sector"),
        "JO",
        "Mobile operator; gives air time and messages to parents in kind, small grants in local currency.",
    ),
)

LEADERS = (
    Org(
        "health-ministry",
        "Ministry of Public Health (fictional)",
        ("government",),
        "JO",
        "Line ministry of the immunisation and outreach programmes.",
        acronym="MoPH",
        native="وزارة الصحة العامة",
        posts=(
            (
                "Minister",
                "Dr Salma Al-Nadari",
                "Your Excellency",
                "Paediatrician; reformed hospital financing as a governor. Sponsor of the outreach line in the health budget.",
                D(2025, 3, 10),
            ),
            ("Director of Immunisation", "Dr Khaled Barmawi", "Dr Barmawi", "Runs the cold chain; our daily counterpart.", D(2021, 6, 1)),
        ),
    ),
    Org(
        "finance-ministry",
        "Ministry of Treasury (fictional)",
        ("government",),
        "JO",
        "Prepares the budget bill; closes ministry requests at the end of August.",
        posts=(
            ("Minister", "Faris Al-Qadiri", "Your Excellency", "Banker; asks for cost per child before anything else.", D(2024, 11, 20)),
        ),
    ),
    Org(
        "parliament",
        "Assembly, Committee on Health and Family (fictional)",
        ("parliament",),
        "JO",
        "Scrutinises the health budget in November.",
        posts=(
            (
                "Chair",
                "Hon. Rima Sawalqa",
                "Honourable Chair",
                "Lawyer; brought the child protection bill through two readings.",
                D(2024, 12, 1),
            ),
        ),
    ),
    Org(
        "imam-council",
        "District Imams' Council (fictional)",
        ("local-leader-religious",),
        "JO",
        "Forty imams of the northern district; Friday sermons reach about 60,000 people.",
        form="group",
        posts=(("President", "Sheikh Yusuf Hamdan", "Your Eminence", "Teacher of law; spoke for vaccination in 2024.", D(2019, 1, 1)),),
    ),
    Org(
        "chief",
        "Council of Elders of the Eastern Steppe (fictional)",
        ("local-leader-traditional",),
        "JO",
        "Speaks for the pastoralist families between the two wells.",
        form="group",
        posts=(
            (
                "Paramount elder",
                "Mansour Abu Rashd",
                "Sheikh Mansour",
                "Settles water and grazing; announces clinic days on market day.",
                D(2010, 1, 1),
            ),
        ),
    ),
    Org(
        "women-group",
        "Women's Cooperative of the Two Wells (fictional)",
        ("community-group", "youth"),
        "JO",
        "Keeps the calendar of the mobile cold box.",
        form="group",
    ),
    Org(
        "opd",
        "Union of Persons with Disabilities, North (fictional)",
        ("ngo", "community-group"),
        "JO",
        "Advises on access to clinics and schools.",
    ),
    Org(
        "radio",
        "Radio Horizon (fictional)",
        ("media",),
        "JO",
        "Regional station; a weekly programme for parents.",
        posts=(("Editor", "Lina Haddar", "Ms Haddar", "Started the programme for parents.", D(2022, 1, 1)),),
    ),
    Org(
        "university",
        "School of Public Health, Northern University (fictional)",
        ("academic",),
        "JO",
        "Ran the cost study of the outreach rounds.",
    ),
)


@dataclass(frozen=True)
class Plan:
    """A fictional programme: needs per year, outputs, indicators with their measurements."""

    key: str
    title: str
    summary: str
    sector: str
    starts: D
    ends: D
    place: str
    tags: tuple[tuple[str, str], ...]
    needs: tuple[tuple[int, str], ...]
    outputs: tuple[str, ...]
    indicators: tuple[tuple[str, str, str, str, D, str, D, tuple[tuple[D, str], ...]], ...]


PROGRAMMES = (
    Plan(
        "immunisation",
        "Immunisation outreach in the northern and eastern districts",
        "Mobile rounds with solar cold boxes reach children whom the health posts miss in the dry season, above all pastoralist families, girls out of school and children with disabilities.",
        "12220",
        D(2022, 10, 1),
        D(2027, 12, 31),
        "Northern and eastern districts",
        (("sdg-goal", "3"), ("sdg-target", "3.8"), ("crc", "24"), ("crc", "2")),
        ((2023, "5200000.00"), (2024, "4800000.00"), (2025, "4600000.00"), (2026, "4900000.00"), (2027, "4300000.00")),
        ("Mobile rounds and cold chain", "Community health workers", "Registers, surveys and supervision"),
        (
            (
                "Children under one fully immunised, pastoralist families",
                "%",
                "up",
                "41",
                D(2022, 6, 30),
                "85",
                D(2027, 12, 31),
                (
                    (D(2023, 6, 30), "47"),
                    (D(2023, 12, 31), "52"),
                    (D(2024, 6, 30), "58"),
                    (D(2024, 12, 31), "61"),
                    (D(2025, 6, 30), "67"),
                    (D(2025, 12, 31), "70"),
                    (D(2026, 6, 30), "74"),
                ),
            ),
            (
                "Outreach rounds cancelled for lack of vaccine",
                "rounds a year",
                "down",
                "38",
                D(2022, 12, 31),
                "5",
                D(2027, 12, 31),
                ((D(2023, 12, 31), "24"), (D(2024, 12, 31), "17"), (D(2025, 12, 31), "11")),
            ),
        ),
    ),
    Plan(
        "learning",
        "Back to school for girls and children with disabilities",
        "Second-chance classes, transport and accessible schools in four districts.",
        "11220",
        D(2024, 1, 1),
        D(2027, 6, 30),
        "Four northern districts",
        (("sdg-goal", "4"), ("sdg-target", "4.5"), ("crc", "28"), ("crc", "23")),
        ((2024, "1900000.00"), (2025, "2400000.00"), (2026, "2650000.00"), (2027, "1300000.00")),
        ("Second-chance classes", "Accessible classrooms", "School transport"),
        (
            (
                "Girls aged 12-15 back in class",
                "girls",
                "up",
                "0",
                D(2024, 1, 1),
                "6000",
                D(2027, 6, 30),
                (
                    (D(2024, 9, 30), "820"),
                    (D(2025, 3, 31), "1740"),
                    (D(2025, 9, 30), "2910"),
                    (D(2026, 3, 31), "3560"),
                    (D(2026, 9, 30), "4330"),
                ),
            ),
        ),
    ),
    Plan(
        "nutrition",
        "Community nutrition for young children",
        "Screening, counselling and treatment through the health posts and the women's cooperatives.",
        "12240",
        D(2025, 1, 1),
        D(2028, 12, 31),
        "Whole country",
        (("sdg-goal", "2"), ("sdg-target", "2.2"), ("crc", "24"), ("crc", "27")),
        ((2025, "900000.00"), (2026, "1450000.00"), (2027, "1600000.00"), (2028, "1600000.00")),
        ("Screening and counselling", "Treatment of wasting"),
        (
            (
                "Children screened",
                "children",
                "up",
                "12000",
                D(2024, 12, 31),
                "60000",
                D(2028, 12, 31),
                ((D(2025, 6, 30), "15400"), (D(2025, 12, 31), "21800"), (D(2026, 6, 30), "28600")),
            ),
        ),
    ),
)


@dataclass(frozen=True)
class Money:
    """A fictional pledge and what became of it."""

    key: str
    donor: str
    programme: str
    pledged_on: D
    amount: str
    currency: str
    words: str
    event: str = ""
    plan: tuple[tuple[D, str], ...] = ()
    signed_on: D | None = None
    signed: str = ""
    title: str = ""
    receipts: tuple[tuple[D, str], ...] = ()
    shares: tuple[tuple[D, tuple[int, ...]], ...] = ()
    lapse: tuple[D, str, str] | None = None
    uplift: tuple[D, str, str] | None = None
    ends_on: D | None = None


# The first is the worked case of the design: EUR 10 m pledged, 9 m signed, 7.5 m received, 1.5 m overdue, 1 m lapsed.
PLEDGES = (
    Money(
        "worked",
        "norland",
        "immunisation",
        D(2022, 9, 21),
        "10000000.00",
        "EUR",
        "Norland will give ten million euros so that no child in the two districts waits for a vaccine because of the season.",
        event="Health for Every Child pledging conference",
        plan=(
            (D(2023, 3, 31), "4500000.00"),
            (D(2023, 9, 29), "3000000.00"),
            (D(2024, 2, 29), "1500000.00"),
            (D(2024, 9, 30), "1000000.00"),
        ),
        signed_on=D(2022, 12, 15),
        signed="9000000.00",
        title="Immunisation outreach 2023-2025",
        receipts=((D(2023, 3, 31), "4500000.00"), (D(2023, 9, 29), "3000000.00")),
        shares=((D(2023, 10, 9), (60, 25, 15)),),
        lapse=(D(2024, 10, 15), "1000000.00", "Norland's parliament cut the envelope; letter of 11 October 2024."),
        ends_on=D(2025, 12, 31),
    ),
    Money(
        "norland-2",
        "norland",
        "immunisation",
        D(2025, 10, 14),
        "6000000.00",
        "EUR",
        "A second phase of six million euros over three years, subject to the yearly review.",
        event="Annual consultation 2025",
        plan=(
            (D(2026, 2, 27), "2000000.00"),
            (D(2026, 9, 30), "1000000.00"),
            (D(2027, 2, 26), "2000000.00"),
            (D(2027, 9, 30), "1000000.00"),
        ),
        signed_on=D(2025, 12, 18),
        signed="5000000.00",
        title="Immunisation outreach, second phase",
        receipts=((D(2026, 3, 4), "2000000.00"),),
        shares=((D(2026, 3, 20), (55, 30, 15)),),
        ends_on=D(2028, 3, 31),
    ),
    Money(
        "aldermark-1",
        "aldermark",
        "immunisation",
        D(2024, 2, 8),
        "2400000.00",
        "USD",
        "Two point four million dollars for the community health workers.",
        plan=((D(2024, 4, 30), "800000.00"), (D(2025, 1, 31), "800000.00"), (D(2026, 1, 30), "800000.00")),
        signed_on=D(2024, 3, 28),
        signed="2400000.00",
        title="Community health workers, north",
        receipts=((D(2024, 5, 3), "800000.00"), (D(2025, 2, 11), "800000.00"), (D(2026, 2, 3), "800000.00")),
        shares=((D(2024, 5, 20), (20, 70, 10)), (D(2025, 2, 25), (20, 70, 10)), (D(2026, 2, 16), (15, 75, 10))),
        ends_on=D(2026, 12, 31),
    ),
    Money(
        "sunrise-1",
        "sunrise",
        "learning",
        D(2024, 1, 22),
        "1500000.00",
        "GBP",
        "One and a half million pounds over three years for the girls who lost their place in class.",
        plan=((D(2024, 3, 15), "500000.00"), (D(2025, 3, 14), "500000.00"), (D(2026, 3, 13), "500000.00")),
        signed_on=D(2024, 2, 20),
        signed="1500000.00",
        title="Second chance for girls",
        receipts=((D(2024, 3, 15), "500000.00"), (D(2025, 3, 20), "500000.00"), (D(2026, 4, 2), "350000.00")),
        shares=((D(2024, 4, 2), (70, 10, 20)), (D(2025, 4, 3), (60, 20, 20)), (D(2026, 4, 14), (60, 20, 20))),
        ends_on=D(2026, 12, 31),
    ),
    Money(
        "aldermark-2",
        "aldermark",
        "learning",
        D(2025, 5, 19),
        "1800000.00",
        "USD",
        "Accessible classrooms in all four districts.",
        plan=((D(2025, 9, 1), "600000.00"), (D(2026, 3, 2), "600000.00"), (D(2026, 10, 1), "600000.00")),
        signed_on=D(2025, 7, 3),
        signed="1800000.00",
        title="Schools for all",
        receipts=((D(2025, 9, 4), "600000.00"), (D(2026, 3, 9), "600000.00")),
        shares=((D(2025, 9, 22), (10, 80, 10)), (D(2026, 3, 23), (10, 75, 15))),
        ends_on=D(2027, 6, 30),
    ),
    Money(
        "vesterhav-1",
        "vesterhav",
        "nutrition",
        D(2025, 11, 5),
        "12000000.00",
        "SEK",
        "Twelve million kronor to start community nutrition, if the ministry opens a budget line by the end of 2026.",
        plan=((D(2026, 1, 30), "6000000.00"), (D(2027, 1, 29), "6000000.00")),
        signed_on=D(2025, 12, 11),
        signed="12000000.00",
        title="Community nutrition start",
        receipts=((D(2026, 2, 2), "6000000.00"),),
        shares=((D(2026, 2, 20), (60, 40)),),
        ends_on=D(2027, 12, 31),
    ),
    Money(
        "sunrise-2",
        "sunrise",
        "nutrition",
        D(2026, 6, 9),
        "400000.00",
        "GBP",
        "Four hundred thousand pounds for screening, once the board has met.",
        event="Board visit",
        plan=((D(2026, 12, 15), "200000.00"), (D(2027, 6, 15), "200000.00")),
    ),
    Money(
        "vesterhav-2",
        "vesterhav",
        "learning",
        D(2026, 9, 17),
        "5000000.00",
        "SEK",
        "Five million kronor for school transport was announced from the podium.",
        event="Learning round table",
        plan=((D(2027, 3, 31), "5000000.00"),),
    ),
)

SHORT_PEOPLE = ("officer", "grants", "manager", "head")


@dataclass(frozen=True)
class Met:
    """A contact that took place: day, party, kind, purpose, what was said, answers, promises, follow-ups."""

    on: D
    party: str
    kind: str
    purpose: str
    summary: str
    who: str = ""
    ask: str = ""
    answer: str = ""
    promises: tuple[tuple[str, str, str, D | None], ...] = ()  # direction, kind, words, due
    follow_up: str = ""
    private: str = ""


@dataclass(frozen=True)
class Wanted:
    """An ask: key, addressee, sentence, fallback, by when, programme, amount."""

    key: str
    party: str
    sentence: str
    fallback: str
    by_when: D
    programme: str
    made_on: D
    amount: tuple[str, str] | None = None


ASKS = (
    Wanted(
        "phase-two",
        "norland",
        "Commit EUR 6 million to a second phase of the immunisation outreach before the 2026 budget closes.",
        "EUR 4 million for two years with a review.",
        D(2025, 11, 30),
        "immunisation",
        D(2025, 6, 2),
        ("6000000.00", "EUR"),
    ),
    Wanted(
        "overdue",
        "norland",
        "Pay the overdue third instalment of EUR 1.5 million of the first agreement before the annual consultation.",
        "Confirm a payment date in writing.",
        D(2026, 12, 18),
        "immunisation",
        D(2026, 9, 1),
        ("1500000.00", "EUR"),
    ),
    Wanted(
        "line",
        "finance-ministry",
        "Open a line for outreach rounds in the health budget 2027.",
        "Name it within the existing primary care line.",
        D(2026, 12, 15),
        "immunisation",
        D(2026, 2, 9),
    ),
    Wanted(
        "bill",
        "parliament",
        "Bring the outreach line to the committee's hearing in November.",
        "A written question to the minister.",
        D(2026, 11, 27),
        "immunisation",
        D(2026, 8, 17),
    ),
    Wanted(
        "sermon",
        "imam-council",
        "Name the clinic days in the Friday sermon of each month.",
        "Post the calendar in the forty mosques.",
        D(2026, 10, 31),
        "immunisation",
        D(2026, 4, 13),
    ),
    Wanted(
        "transport",
        "aldermark",
        "Add school transport to the 2026 amendment.",
        "Finance two routes as a pilot.",
        D(2026, 10, 15),
        "learning",
        D(2026, 5, 4),
        ("450000.00", "USD"),
    ),
    Wanted(
        "nutrition-line",
        "health-ministry",
        "Make the district nutrition officers permanent posts.",
        "Extend their contracts to the end of 2027.",
        D(2027, 1, 31),
        "nutrition",
        D(2026, 3, 3),
    ),
    Wanted(
        "messages",
        "tamkeen",
        "Send two free messages a month to every parent in the two districts.",
        "One message before each round.",
        D(2026, 12, 1),
        "immunisation",
        D(2026, 7, 7),
    ),
)

CONTACTS = (
    Met(
        D(2024, 11, 12),
        "norland",
        "meeting",
        "Annual consultation 2024",
        "Went through the 2024 rounds. They regret the lapse of the last million; the new envelope is decided in October 2025.",
        who="Jonas Brekke",
        promises=(("ours", "service", "Send the cost per child reached, by district, every half year.", D(2025, 1, 31)),),
        follow_up="Ask the university for the district figures",
    ),
    Met(
        D(2025, 1, 21),
        "health-ministry",
        "meeting",
        "Cold chain after the winter",
        "Two of five freezers in the east failed. The director wants solar boxes in the next tender.",
        who="Dr Khaled Barmawi",
        promises=(("theirs", "service", "Two technicians will be posted to the eastern stores.", D(2025, 3, 31)),),
    ),
    Met(
        D(2025, 2, 18),
        "aldermark",
        "call",
        "Second instalment",
        "The money left on 11 February; they want the financial report by the end of March.",
        promises=(("ours", "service", "Financial report for 2024.", D(2025, 3, 31)),),
    ),
    Met(
        D(2025, 4, 8),
        "finance-ministry",
        "meeting",
        "Cost of outreach",
        "The minister asked what a round costs and who pays when donors leave. Agreed to receive the cost study.",
        who="Faris Al-Qadiri",
        promises=(("ours", "service", "Hand over the cost study before the summer.", D(2025, 6, 30)),),
        private="He distrusts the health ministry's figures; come with the university.",
    ),
    Met(
        D(2025, 6, 2),
        "norland",
        "meeting",
        "Second phase: first soundings",
        "Ms Halvorsen sees a second phase if coverage among pastoralists passes 65 per cent and the ministry puts money of its own.",
        who="Ingrid Halvorsen",
        ask="phase-two",
        answer="part",
        promises=(("theirs", "access", "Introduce us to the humanitarian directorate.", D(2025, 7, 15)),),
        follow_up="Send the June coverage figures",
    ),
    Met(
        D(2025, 6, 24),
        "imam-council",
        "visit",
        "Sermons and clinic days",
        "The president offers to speak himself; forty imams need the calendar on paper.",
        who="Sheikh Yusuf Hamdan",
        promises=(("theirs", "public-voice", "A sermon on vaccination before the autumn round.", D(2025, 9, 19)),),
    ),
    Met(
        D(2025, 7, 3),
        "aldermark",
        "event",
        "Signature of Schools for all",
        "Signed in the school yard of the first accessible school; press present.",
        who="Marek Dvoran",
    ),
    Met(
        D(2025, 9, 16),
        "chief",
        "visit",
        "Market day in the eastern steppe",
        "The elder announced the October round himself. Families ask for the round to come before the flocks move.",
        who="Mansour Abu Rashd",
        promises=(
            ("theirs", "public-voice", "Announce each clinic day on the market before.", D(2025, 12, 31)),
            ("ours", "service", "Move the spring round to the last week of February.", D(2026, 2, 28)),
        ),
    ),
    Met(
        D(2025, 10, 14),
        "norland",
        "meeting",
        "Annual consultation 2025",
        "Six million euros over three years announced at the end of the consultation; agreement to be drafted for five, the sixth after the review.",
        who="Ingrid Halvorsen",
        ask="phase-two",
        answer="yes",
        follow_up="Draft the agreement with finance",
    ),
    Met(
        D(2025, 11, 5),
        "vesterhav",
        "event",
        "Reception of the Royal Aid Office",
        "Twelve million kronor announced for nutrition.",
        who="Sofie Lindqvar",
    ),
    Met(
        D(2025, 12, 2),
        "sunrise",
        "visit",
        "Yearly visit",
        "Ms Whitfield met nine girls of the evening class and asked about transport at night.",
        who="Amara Whitfield",
        promises=(("ours", "service", "A note on safe transport for the evening classes.", D(2026, 1, 20)),),
    ),
    Met(
        D(2026, 2, 9),
        "finance-ministry",
        "meeting",
        "Outreach in the 2027 budget",
        "The cost study is accepted. A line is possible if the health ministry asks for it by August.",
        who="Faris Al-Qadiri",
        ask="line",
        answer="part",
        promises=(("theirs", "budget-line", "Name the outreach line in the budget circular.", D(2026, 6, 30)),),
    ),
    Met(
        D(2026, 3, 3),
        "health-ministry",
        "meeting",
        "Nutrition officers",
        "The minister wants the posts but needs the treasury. Asked for the Vesterhav condition in writing.",
        who="Dr Salma Al-Nadari",
        ask="nutrition-line",
        answer="none",
        promises=(("ours", "service", "The condition of the nutrition grant, in writing.", D(2026, 3, 20)),),
    ),
    Met(
        D(2026, 3, 24),
        "women-group",
        "visit",
        "The calendar of the cold box",
        "The cooperative keeps the calendar; three rounds were on time. They ask for a shaded place to wait.",
    ),
    Met(
        D(2026, 4, 13),
        "imam-council",
        "meeting",
        "Clinic days in the sermon",
        "Agreed for the months of the rounds.",
        who="Sheikh Yusuf Hamdan",
        ask="sermon",
        answer="part",
        promises=(("theirs", "public-voice", "Clinic days named in the sermon in every month with a round.", D(2026, 10, 31)),),
    ),
    Met(
        D(2026, 5, 4),
        "aldermark",
        "meeting",
        "School transport",
        "Open to a pilot of two routes; no new money before the autumn.",
        who="Marek Dvoran",
        ask="transport",
        answer="part",
    ),
    Met(
        D(2026, 5, 26),
        "radio",
        "media",
        "Programme for parents",
        "A half hour on the calendar of the rounds, with two mothers of the cooperative.",
        who="Lina Haddar",
    ),
    Met(
        D(2026, 6, 9),
        "sunrise",
        "meeting",
        "Nutrition screening",
        "The board likes the screening; four hundred thousand pounds once it has met in October.",
        who="Amara Whitfield",
    ),
    Met(
        D(2026, 6, 30),
        "norland",
        "call",
        "Half-year figures",
        "Coverage at 74 per cent is noted with pleasure. They will look into the old third instalment.",
        who="Jonas Brekke",
        promises=(("theirs", "access", "Tell us by August what holds up the third instalment of the first agreement.", D(2026, 8, 14)),),
    ),
    Met(
        D(2026, 7, 7),
        "tamkeen",
        "meeting",
        "Messages to parents",
        "The operator would send messages if the ministry signs the text.",
        ask="messages",
        answer="part",
        promises=(("theirs", "in-kind", "A draft agreement on free messages.", D(2026, 9, 15)),),
    ),
    Met(
        D(2026, 8, 17),
        "parliament",
        "meeting",
        "The committee's hearing",
        "The chair puts the line on the agenda of 25 November and asks for a one-page note.",
        who="Hon. Rima Sawalqa",
        ask="bill",
        answer="yes",
        promises=(
            ("ours", "service", "One page on the outreach line for the committee.", D(2026, 11, 13)),
            ("theirs", "access", "Ten minutes for a mother of the cooperative at the hearing.", D(2026, 11, 25)),
        ),
    ),
    Met(
        D(2026, 9, 1),
        "norland",
        "letter",
        "The overdue third instalment",
        "Letter sent with the bank's confirmation that nothing arrived.",
        ask="overdue",
        answer="none",
    ),
    Met(
        D(2026, 9, 17),
        "vesterhav",
        "event",
        "Learning round table",
        "Five million kronor for school transport announced from the podium; nothing in writing yet.",
        who="Sofie Lindqvar",
        follow_up="Ask for the letter that confirms the five million",
    ),
    Met(
        D(2026, 10, 20),
        "norland",
        "meeting",
        "Review of the second phase",
        "The review is positive. The sixth million depends on the ministry's own line. On the old instalment: the file lies with their audit office; an answer before Christmas.",
        who="Ingrid Halvorsen",
        ask="overdue",
        answer="part",
        promises=(
            ("theirs", "financial", "An answer of the audit office on the third instalment before Christmas.", D(2026, 12, 18)),
            ("ours", "service", "The audited statement of the first agreement.", D(2026, 11, 20)),
        ),
        follow_up="Send the audited statement to Norland",
        private="Ms Halvorsen hinted that the audit office waits for a signature of ours from 2023; check with finance before writing again.",
    ),
)
