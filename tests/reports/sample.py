"""A donor briefing pack with fictional figures, made only to exercise every component of documents."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace as Obj

from markupsafe import Markup

from reports import charts, render

CREATED = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def obj(**values):
    return Obj(**{"refs": (), **values})


def context(lang="en"):
    en = lang == "en"
    chain = [
        obj(word="Concern", text="I-7: no vaccines at the health post in the dry season", state="held", refs=(1,)),
        obj(word="Solution", text="Mobile cold box that follows the grazing calendar", state="held", refs=(2,)),
        obj(word="Ask", text="A-5: pay the third instalment; add a dry-season year", state="now"),
        obj(word="Commitment", text="EUR 9 m signed, EUR 7.5 m received", state="held", refs=(8,)),
        obj(word="Programme", text="Outreach, District D: 14 of 22 posts served", state="open"),
        obj(word="Change", text="Own budget line enacted, 60% released", state="open", refs=(6,)),
        obj(word="Answer back", text="Due to the women's group, 15 Jan 2027", state="open"),
    ]
    steer = obj(
        kicker="Briefing pack for a meeting",
        title="Director of Development, Northland Development Fund",
        when="Thursday 26 November 2026, 10:00 to 10:45",
        where="Northland House, room 4.12",
        language="English",
        delegation="A. Okello (lead), M. Haddad (finance), R. Lund (notes)",
        chain=chain,
        ask="Pay the third instalment of EUR 1.5 million by 15 December, and add EUR 2.4 million for the dry season of 2027.",
        by="Ask CA-AS-2026-0005, to the Director; answer needed before the fund's board of 10 December 2026",
        fallback="Release the overdue EUR 1.5 million now and keep the 2027 request on the board's list for March.",
        offer="A joint visit to two mobile posts in January, and the audited statement of the first two instalments four weeks early.",
        points=[
            obj(
                text="Eighteen more children in every hundred are fully immunised than in 2019; the district pays a fifth of outreach itself.",
                refs=(5, 6),
            ),
            obj(
                text="Seven posts stop in February if nothing arrives: the cold boxes are bought, fuel and nurses' allowances are not.",
                refs=(7,),
            ),
            obj(text="The women's group keeps the grazing calendar. It has asked twice what became of its proposal.", refs=(1, 2)),
        ],
        press_line="“We are grateful for Northland's partnership and look forward to the next dry season being the first without a missed round.”",
        red_line="No exclusive visibility at community dialogues, and no names of those who spoke there.",
        facts=[
            obj(label="Requirement 2027", value=Markup("US$&nbsp;12.4m"), note="programme, all outputs", refs=(7,)),
            obj(label="Secured", value=Markup("US$&nbsp;3.9m"), note="31%; nothing paid yet"),
            obj(label="Gap", value=Markup("US$&nbsp;8.5m"), note="pledges of US$ 2.5m not counted"),
            obj(label="Northland owes", value=Markup("EUR&nbsp;1.5m"), note="since 30 September, 54 days", refs=(8,)),
            obj(label="We owe Northland", value="1 report", note="interim, due 15 December"),
        ],
    )
    theirs = [
        obj(
            words="“We will pay the third instalment once the interim statement is in.”",
            by="Director, at the meeting of 12 June 2026; witness M. Haddad",
            evidence="CA-IN-2026-0031",
            due="due 30 September 2026",
            status_kind="late",
            status="54 days late",
            refs=(8,),
        ),
        obj(
            words="Speak for outreach at the regional conference",
            by="Director, in person",
            evidence="programme of the conference",
            due="due 1 September 2026",
            status_kind="done",
            status="Kept",
            refs=(9,),
        ),
        obj(
            words="Send the visibility guidelines in the language of the district",
            by="Desk officer, by e-mail",
            due="due 15 December 2026",
            status_kind="due",
            status="Due in 22 days",
            evidence="",
        ),
    ]
    ours = [
        obj(
            words="Interim report with audited statement",
            by="Office of Country A, agreement clause 7",
            due="due 15 December 2026",
            status_kind="due",
            status="Due in 22 days",
            evidence="draft with finance",
            refs=(8,),
        ),
        obj(
            words="Tell Northland before any reprogramming above 10 per cent",
            by="Office of Country A, agreement clause 9",
            due="standing",
            status_kind="open",
            status="No case so far",
            evidence="",
        ),
    ]
    contacts = [
        obj(day="12 November 2026", kind="Call", text="Desk officer confirms the meeting; asks for one page on the dry season."),
        obj(day="3 October 2026", kind="Letter", text="We point out the open instalment; receipt confirmed the same day.", refs=(8,)),
        obj(day="1 September 2026", kind="Event", text="The Director speaks for outreach at the regional conference.", refs=(9,)),
        obj(
            day="12 June 2026",
            kind="Meeting",
            text="Answer to ask A-4: part. The second instalment is released, the third tied to the interim statement.",
        ),
        obj(
            day="31 March 2026", kind="Visit", text="Desk officer visits the health post at the river crossing and meets the women's group."
        ),
    ]

    def number(text):
        return Markup('<bdi class="number">{}</bdi>').format(text)

    groups = obj(
        columns=[
            obj(label="Group", unit="", num=False),
            obj(label="Marked as marginalised", unit="", num=False),
            obj(label="Dialogues", unit="number", num=True),
            obj(label="People", unit="number", num=True),
            obj(label="Women and girls", unit="% of people", num=True),
            obj(label="Under 18", unit="% of people", num=True),
        ],
        rows=[
            obj(kind="group", cells=["Heard in every dialogue"]),
            obj(kind="", cells=["Women's group of the river crossing", "no", "4", "61", "100", "11"]),
            obj(kind="", cells=["Parents' association", "no", "4", "48", "54", "0"]),
            obj(kind="", cells=["Youth council", "no", "3", "37", "49", "62"]),
            obj(kind="", cells=["Girls out of school", "yes", "3", "22", "100", "100"]),
            obj(kind="group", cells=["Heard once"]),
            obj(kind="", cells=["Persons with disabilities", "yes", "1", "12", "58", "17"]),
            obj(kind="", cells=["Pastoralist minority (in their language)", "yes", "1", "31", "42", "13"]),
            obj(kind="total", cells=["All", "", "4", "211", "68", "28"]),
        ],
    )
    messages = [
        obj(
            lead="Outreach works and the district has begun to pay for it.",
            proof="Full immunisation rose from 48 to 66 per cent; the first own budget line is EUR 0.6 million a year.",
            messenger="Paramount chief",
            refs=(5, 6),
        ),
        obj(
            lead="The dry season is where the programme is won or lost.",
            proof="Of 212 missed rounds since 2023, 171 fell between January and April.",
            messenger="District nurse",
            refs=(10,),
        ),
        obj(
            lead="EUR 2.4 million buys a year without a missed round.",
            proof="Fuel, allowances and cold chain for 22 posts; cost per child EUR 31, against EUR 58 for a campaign.",
            messenger="",
            refs=(10,),
        ),
    ]
    questions = [
        obj(
            question="Why should we pay when the interim statement is not in?",
            answer="The agreement ties the statement to 15 December, not to the instalment; we send it four weeks early if that helps the board.",
            never="that finance is behind.",
            refs=(8,),
        ),
        obj(
            question="What happens when the grant ends?",
            answer="The district line covers a fifth of the cost now. The ladder agreed with the ministry reaches half by 2029; two of its four steps are taken.",
            never="",
            refs=(6,),
        ),
        obj(
            question="Were the pastoralists really heard?",
            answer="Once, in their own language, with thirty-one people. A second dialogue is planned for January; the answer to the first is due on 15 January.",
            never="which families took part.",
            refs=(2,),
        ),
    ]
    instalments = obj(
        columns=[
            obj(label="Instalment", unit="", num=False),
            obj(label="Due", unit="", num=False),
            obj(label="Amount", unit="EUR", num=True),
            obj(label="Received", unit="EUR", num=True),
            obj(label="Received on", unit="", num=False),
            obj(label="Standing", unit="", num=False),
        ],
        rows=[
            obj(
                kind="",
                cells=[
                    "First",
                    "30 September 2025",
                    number("4,500,000"),
                    number("4,500,000"),
                    "29 September 2025",
                    Markup('<span class="status done">Kept</span>'),
                ],
            ),
            obj(
                kind="",
                cells=[
                    "Second",
                    "31 March 2026",
                    number("3,000,000"),
                    number("3,000,000"),
                    "16 June 2026",
                    Markup('<span class="status done">Kept, 77 days late</span>'),
                ],
            ),
            obj(
                kind="",
                cells=[
                    "Third",
                    "30 September 2026",
                    number("1,500,000"),
                    number("0"),
                    "",
                    Markup('<span class="status late">54 days late</span>'),
                ],
            ),
            obj(kind="total", cells=["Agreement", "", number("9,000,000"), number("7,500,000"), "", ""]),
        ],
    )
    references = [
        obj(n=n, text=text, url=url)
        for n, (text, url) in enumerate(
            (
                ("Register of dialogue CA-DI-2026-0001, District D, 2 April 2026; 42 people, method problem tree.", ""),
                ("Register of dialogue CA-DI-2026-0002, District D, 14 May 2026; 31 people, in the pastoralists' language.", ""),
                ("Official biography, Northland Development Fund, read 20 November 2026.", "https://example.org/northland/director"),
                ("Interactions CA-IN-2026-0012 to 0047 and commitments CA-CO-2026-0003 to 0011.", ""),
                ("Coverage survey of the ministry, 2019 to 2025; no survey in 2021.", "https://example.org/ministry/coverage-2025"),
                ("Budget execution report, District D, third quarter 2026.", ""),
                ("Requirement PR-2027, version 3, approved 2 October 2026; funding by agreements and receipts as of 23 November 2026.", ""),
                ("Agreement CA-AG-2025-0003, receipts CA-RC-2025-0019 and CA-RC-2026-0007.", ""),
                ("Programme and minutes of the regional conference, 1 September 2026.", ""),
                ("Outreach log 2023 to 2026, 22 posts; cost study of the university, 2025.", ""),
            ),
            start=1,
        )
    ]
    return {
        "frame": render.Frame(
            title="Briefing pack: Northland Development Fund, 26 November 2026",
            number="CA-DO-2026-0017",
            level="Internal" if en else "داخلي",
            as_of="23 November 2026",
            marks=("Demonstration data", "Draft"),
            office="Country A office",
            snapshot="snapshot 7f3a9c20",
        ),
        "steer": steer,
        "objective": "Objective CA-OB-2025-0003: the district carries its own line for outreach in the dry season. It stands at stage 3, enacted, since 9 July 2026; the stage wanted by the end of 2027 is 5, executed.",
        "biography": "Director of Development since March 2024, responsible for the fund's country programmes and for its seat on the regional health board. Trained as a nurse; led the fund's response to the floods of 2022. Cares about what a district pays itself, about waste, and about being told bad news early. Address as “Director”; the meeting is in English, and the desk officer takes the fund's notes.",
        "theirs": theirs,
        "ours": ours,
        "contacts": contacts,
        "context_facts": [
            obj(label="Children under five", value="41,300", note="District D, projection 2026", refs=(5,)),
            obj(label="Fully immunised", value="66%", note="2025; baseline 48% in 2019", refs=(5,)),
            obj(label="Own budget line", value="60%", note="released by 30 September", refs=(6,)),
            obj(label="Missed rounds", value="171 of 212", note="fell between January and April", refs=(10,)),
        ],
        "groups": groups,
        "messages": messages,
        "questions": questions,
        "money_facts": [
            obj(label="Pledged", value="EUR 10.0m", note="14 March 2025"),
            obj(label="Signed", value="EUR 9.0m", note="EUR 1.0m of the pledge lapsed", refs=(8,)),
            obj(label="Received", value="EUR 7.5m", note="two instalments"),
            obj(label="Late", value="EUR 1.5m", note="since 30 September 2026"),
        ],
        "instalments": instalments,
        "prompts": [
            obj(label="Answer to the ask: yes, part, no, none. In which words?", lines=2),
            obj(label="What else did they raise?", lines=2),
            obj(label="What did we promise, who does it, by when?", lines=2),
        ],
        "references": references,
        "charts": sample_charts(lang),
    }


def sample_charts(lang):
    years = tuple(
        charts.FundingYear(label, *values)
        for label, *values in (
            ("2024", 9_200_000, 0, None, 9_500_000),
            ("2025", 8_100_000, 1_200_000, 400_000, 10_400_000),
            ("2026", 5_200_000, 2_300_000, 1_000_000, 11_800_000),
            ("2027", 0, 3_900_000, 2_500_000, 12_400_000),
        )
    )
    money = "Source: agreements and receipts as of 23 November 2026; pledges stand outside totals."
    return Obj(
        timeline=charts.timeline(
            charts.Timeline(
                "Since signing, one instalment in three is late",
                "Contacts, money and promises, March 2025 to December 2026",
                "Source: interactions, commitments and receipts of the office.",
                (
                    charts.Event(date(2025, 3, 14), "Pledge at the conference", "pledged"),
                    charts.Event(date(2025, 6, 2), "Agreement signed", "done"),
                    charts.Event(date(2025, 9, 29), "First instalment", "paid"),
                    charts.Event(date(2026, 3, 31), "Visit to the health post"),
                    charts.Event(date(2026, 6, 16), "Second instalment", "paid"),
                    charts.Event(date(2026, 9, 30), "Third instalment overdue", "late"),
                    charts.Event(date(2026, 12, 15), "Interim report due", "due"),
                ),
                date(2026, 11, 23),
                kind_words=(
                    ("accent", "Contact"),
                    ("pledged", "Pledge"),
                    ("paid", "Money"),
                    ("done", "Kept"),
                    ("late", "Late"),
                    ("due", "Due soon"),
                ),
            ),
            prefix="f1",
            lang=lang,
        ),
        coverage=charts.line(
            charts.Line(
                "Coverage rose by 18 points and is 14 short of the target",
                "Children aged 12 to 23 months fully immunised, per cent, District D, 2019 to 2025",
                "Source: coverage survey of the ministry; no survey was held in 2021.",
                ("2019", "2020", "2021", "2022", "2023", "2024", "2025"),
                (charts.Series("District D", (48, 51, None, 55, 60, 63, 66)),),
                suffix="%",
                baseline=48,
                target=80,
            ),
            prefix="f2",
            lang=lang,
        ),
        funding=charts.stacked_bars(
            charts.StackedBars(
                "Two thirds of 2027 are still open", "Requirement and funding of the programme, US dollars, 2024 to 2027", money, years
            ),
            prefix="f3",
            lang=lang,
        ),
        funnel=charts.funnel(
            charts.Funnel(
                "Of the pledge, three quarters have arrived",
                "Northland's pledge of 14 March 2025, euros",
                money,
                (
                    charts.Bar("Pledged", 10_000_000, "pledged"),
                    charts.Bar("Signed", 9_000_000, "secured"),
                    charts.Bar("Received", 7_500_000, "paid"),
                    charts.Bar("Allocated", 7_100_000, "done"),
                ),
                label_head="Stage",
            ),
            prefix="f4",
            lang=lang,
        ),
        receipts=charts.receipts_by_month(
            charts.Receipts(
                "Money arrives a quarter after it is due",
                "Due and received by quarter, euros, 2025 to 2026",
                money,
                tuple(
                    charts.Month(label, due, received)
                    for label, due, received in (
                        ("Q3 2025", 4_500_000, 4_500_000),
                        ("Q4 2025", 0, 0),
                        ("Q1 2026", 3_000_000, 0),
                        ("Q2 2026", 0, 3_000_000),
                        ("Q3 2026", 1_500_000, 0),
                        ("Q4 2026", 0, None),
                    )
                ),
                period="Quarter",
            ),
            prefix="f5",
            lang=lang,
        ),
    )


def html(lang="en", **changes):
    """The whole pack as HTML; `changes` replace parts of the context."""
    text = (Path(__file__).parent / "sample.html").read_text(encoding="utf-8")
    return render.environment(lang).from_string(text).render({**context(lang), **changes})
