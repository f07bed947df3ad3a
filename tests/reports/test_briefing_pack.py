"""The briefing pack as a PDF: the worked case to the cent, a mark on every figure, nothing of other circles, same bytes."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import time
import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import lxml.html
import pikepdf
import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.errors import Denied, Invalid, NotFound
from crm.jobs import documents as jobs
from crm.models.commitments import Commitment
from crm.models.documents import Document
from crm.models.flows import Flow
from crm.policy import bind_actor
from crm.queries import documents as queries
from crm.queries.figures.landscape import party_flows_summary
from crm.queries.figures.money import party_money
from crm.queries.figures.programmes import programme_money
from crm.services import asks, commitments, interactions, notes, programmes
from crm.services.interactions import NewInteraction
from crm.web.landscape import original_rows
from reports import briefing_pack, registry, snapshots
from tests.factories import briefing, planted
from tests.factories import money as made
from tests.factories.counting import count_statements
from tests.factories.naughty import NAUGHTY, PAYLOAD

DIGIT = re.compile(r"\d")


@pytest.fixture
def place(tmp_path: Path) -> jobs.Place:
    return jobs.Place(tmp_path / "documents", is_demo=True)


@pytest.fixture
def scene(acting):
    return briefing.play(acting("grants"), with_flows=False)


@pytest.fixture
def reported(acting):
    """The scene beside the real FTS flows."""
    return briefing.play(acting("grants"))


def make(scene, place, **kwargs) -> Document:
    kwargs.setdefault("as_of", briefing.DAY)
    return queries.get(jobs.make_document(scene.actor, "briefing-pack", {"interaction": scene.meeting}, place, **kwargs))


def text_of(data: bytes, *, first: int = 1, last: int = 0) -> str:
    pages = ["-f", str(first), *(["-l", str(last)] if last else [])]
    done = subprocess.run(["pdftotext", "-layout", *pages, "-", "-"], input=data, capture_output=True, check=True)
    return " ".join(done.stdout.decode().split())


# --- content ------------------------------------------------------------------------------------------------------


def test_the_worked_case_stands_in_the_pdf_to_the_cent(scene, place):
    """M3, M4, M6, M12: pledge 9,906,000.00; signed 9,558,900.00; paid 8,071,950.00; receivable 1,621,650.00; split 60/25/15."""
    document = make(scene, place)
    text = text_of(jobs.read_file(document, place))
    for amount in (
        "9,906,000.00",
        "990,600.00",
        "9,558,900.00",
        "4,893,750.00",
        "3,178,200.00",
        "8,071,950.00",
        "1,621,650.00",
        "EUR 1,500,000.00",
        "7,474,027.78",
        "4,484,416.67",
        "1,868,506.94",
        "1,121,104.17",
        "0.9906",
        "1.0621",
        "1.0811",
        "28 Mar 2024",
    ):
        assert amount in text, amount
    section = text[text.index("2. Open promises") :]  # the timeline before it has its own order
    assert section.index("Send the narrative report") < section.index("Introduce us to the parliamentary")  # ours first
    assert "150 days late" in text
    assert "Demonstration data" in text
    assert document.reference in text
    assert "data as of 29 Mar 2024" in text
    assert document.pages < 16


def test_the_figures_are_those_of_the_figures_functions(scene):
    pack = briefing_pack.build(scene.actor, scene.meeting, briefing.DAY)
    money = party_money(scene.donor, briefing.DAY, currency="USD")
    printed = {fact.label: fact.figure.value for fact in pack.money.facts}
    for label, figure in (
        ("Pledged, outstanding", money.pledged),
        ("Secured (signed)", money.secured),
        ("of which paid", money.paid),
        ("Receivable", money.receivable),
        ("of that late", money.late.total),
    ):
        assert printed[label] == f"USD {figure.reporting.amount:,.2f}", label
    programme = programme_money(scene.programme, briefing.DAY)
    assert pack.programme is not None
    assert {fact.label: fact.figure.value for fact in pack.programme.facts}["Gap"] == f"USD {programme.gap.amount:,.2f}"


def test_every_figure_has_a_mark_and_every_mark_its_records(reported, place):
    document = make(reported, place)
    kept = queries.snapshot(document.id)
    page = lxml.html.document_fromstring(kept.html)
    marks = {link.get("href").removeprefix("#ref-") for link in page.xpath("//sup[@class='ref']/a")}
    lines = {one.get("id").removeprefix("ref-") for one in page.xpath("//*[starts-with(@id, 'ref-')]")}
    assert marks == lines
    for shown in page.xpath("//span[@class='figure-value']"):
        if DIGIT.search(shown.text_content()):
            following = shown.getnext()
            assert following is not None, shown.text_content()
            assert following.get("class") == "ref", shown.text_content()
    for cell in page.xpath("//td[contains(@class, 'num')]"):
        if DIGIT.search(cell.text_content()):
            in_caption = cell.xpath("ancestor::table[1]/caption//sup[@class='ref']")
            assert cell.xpath(".//sup[@class='ref']") or in_caption, cell.text_content()
    for figure in page.xpath("//figure"):
        assert figure.xpath(".//figcaption//sup[@class='ref']/a"), figure.get("id")
    content = json.loads(kept.content)["document"]
    assert all(line["sources"] for line in content["references"])
    assert [line["mark"] for line in content["references"]] == list(range(1, len(content["references"]) + 1))


def test_the_same_figure_has_the_same_mark(scene):
    pack = briefing_pack.build(scene.actor, scene.meeting, briefing.DAY)
    steer = {fact.label: fact.figure.mark for fact in pack.steer.facts}
    page = {fact.label: fact.figure.mark for fact in pack.money.facts}
    assert steer["Secured (signed)"] == page["Secured (signed)"]
    assert steer["Gap of the programme"] == {fact.label: fact.figure.mark for fact in pack.programme.facts}["Gap"]


def test_what_fts_reports_stays_out_of_our_money(reported):
    pack = briefing_pack.build(reported.actor, reported.meeting, briefing.DAY)
    ours = {mark for fact in pack.money.facts for mark in [fact.figure.mark]}
    for line in pack.references:
        nouns = {source.noun for source in line.sources}
        assert "flow" not in nouns or nouns == {"flow"}
        if line.mark in ours:
            assert "flow" not in nouns
    assert {fact.label for fact in pack.landscape.facts} == {"Committed", "Paid", "Pledged", "FTS total"}


def test_the_attached_file_names_every_record(reported, place):
    document = make(reported, place)
    with pikepdf.open(io.BytesIO(jobs.read_file(document, place))) as pdf:
        assert list(pdf.attachments) == ["records.csv"]
        rows = pdf.attachments["records.csv"].get_file().read_bytes().decode("utf-8-sig").splitlines()
    assert rows[0] == "mark,figure,value,kind,reference,record"
    assert any("FTS 2" in row for row in rows)


def test_a_rate_that_is_missing_is_named_and_nothing_is_guessed(acting, place):
    """M5: without a rate the amount stands in its own currency, and the annex names what totals leave out."""
    actor = acting("grants")
    scene = briefing.play(actor, with_flows=False)
    made.pledge(actor, scene.donor, made.Money(made.Decimal(250_000), "JOD"), pledged_on=date(2024, 2, 1))
    pack = briefing_pack.build(actor, scene.meeting, briefing.DAY)
    assert any("JOD 250,000.000" in sentence for sentence in pack.left_out)
    text = text_of(jobs.read_file(make(scene, place), place))
    assert "JOD 250,000.000" in text


def test_money_without_a_rate_stands_in_its_own_currency_and_never_as_nothing(acting):
    """Domain 0.3: the steer and the money page say the amount, the annex a dash; no page says 0.00 for what is not known."""
    actor = acting("grants")
    office, donor = made.office(), made.donor(actor)
    made.agreement(actor, made.eur(1_500_000), donor_id=donor, office_id=office, signed_on=date(2024, 3, 1))
    meeting = interactions.log_interaction(actor, NewInteraction(office, "planned", "call", briefing.MEETING_AT.replace(year=2030), donor))
    pack = briefing_pack.build(actor, meeting, briefing.DAY)
    secured = next(fact for fact in pack.money.facts if fact.label == "Secured (signed)")
    assert (secured.figure.text, secured.unit, secured.note) == ("EUR 1.5\N{NO-BREAK SPACE}m", "", "no rate to USD")
    receivable = next(fact for fact in pack.steer.facts if fact.label == "Receivable")
    assert receivable.figure.text == "EUR 1.5\N{NO-BREAK SPACE}m"
    lines = {line.what: line.value for line in pack.references}
    assert lines["Receivable, signed and not yet paid"] == "\N{EN DASH}"
    assert not any(value == "USD 0.00" for value in lines.values())
    signed = next(bar for bar in pack.money.funnel.chart.rows if bar[0] == "Signed")
    assert "0" not in signed[1]


def test_a_year_in_which_paid_is_more_than_secured_says_that_rates_made_it(scene):
    """M4: what was signed counts at the rate of signature, what came at the rate of receipt."""
    with clock.frozen(briefing.MEETING_AT):
        pack = briefing_pack.build(scene.actor, scene.meeting, briefing.DAY)
    assert "2023: paid is more than secured by USD 106,200.00" in pack.programme.year_table.source


def test_an_almost_empty_meeting_makes_a_short_pack_with_one_line_a_section(acting, place):
    actor = acting("officer")
    party = made.donor(acting("grants"), "Quiet Foundation")
    actor = acting("officer")
    meeting = interactions.log_interaction(
        actor, NewInteraction(made.office(), "planned", "call", briefing.MEETING_AT.replace(year=2030), party)
    )
    key = jobs.make_document(actor, "briefing-pack", {"interaction": meeting}, place)
    document = queries.get(key)
    text = text_of(jobs.read_file(document, place))
    for sentence in (
        "No interaction is on record",
        "Nothing has been pledged",
        "The meeting names no programme",
        "No ask has been written",
        "no ask yet",
    ):
        assert sentence in text
    assert document.pages <= 4
    for label in ("Red line", "We offer", "If not, then", "Points to make", "has been written", "every amount has a rate"):
        assert label not in text.replace("No ask has been written", ""), label


def test_an_outcome_after_the_day_of_the_data_is_not_known_to_the_pack_yet(scene):
    """What was kept later is open on the day: listed as open, late where it was, asked about, and in no share of those settled."""
    report = next(
        row for row in db.session.scalars(select(Commitment)) if row.words == "Send the narrative report on the second instalment."
    )
    with clock.frozen(datetime(2024, 4, 20, 9, 0, tzinfo=UTC)):
        commitments.declare_outcome(
            scene.actor, report.id, outcome="kept", on=date(2024, 4, 15), note="Sent by letter.", version=report.version
        )
    before = briefing_pack.build(scene.actor, scene.meeting, briefing.DAY)
    assert [one.words for one in before.promises.ours if "narrative" in one.words and one.status_kind == "late"]
    assert before.promises.record == ()
    assert any("narrative" in question.what for question in before.questions)
    assert any("narrative" in row[1] for row in before.who.timeline.chart.rows)
    db.session.rollback()
    after = briefing_pack.build(scene.actor, scene.meeting, date(2024, 4, 15))
    assert not [one.words for one in after.promises.ours if "narrative" in one.words]
    assert [(fact.label, fact.figure.text) for fact in after.promises.record] == [("Our promises kept", "1 of 1")]
    assert not any("narrative" in question.what for question in after.questions)


# --- what a new user stumbled over ---------------------------------------------------------------------------------


def met(scene, **kwargs):
    """A meeting with the donor that has nothing but what is said."""
    with clock.frozen(briefing.DAY):
        new = NewInteraction(made.office(), "planned", "meeting", briefing.MEETING_AT, scene.donor, **kwargs)
        return replace(scene, meeting=interactions.log_interaction(scene.actor, new))


def test_somebody_typed_for_the_meeting_is_named_among_those_we_meet(scene, place):
    typed = interactions.NewParticipant("theirs", name="Dr Anna Weber", post="Head of cooperation")
    meeting = met(scene, participants=(typed,))
    pack = briefing_pack.build(scene.actor, meeting.meeting, briefing.DAY)
    assert [(one.name, one.post, one.is_named) for one in pack.who.people] == [("Dr Anna Weber", "Head of cooperation", True)]
    assert {source.noun for line in pack.references if line.mark == pack.who.people[0].mark for source in line.sources} == {"interaction"}
    text = text_of(jobs.read_file(make(meeting, place), place))
    assert "Dr Anna Weber, Head of cooperation" in text[text.index("1. Who they are") :]
    assert "No post holder" not in text
    nobody = text_of(jobs.read_file(make(met(scene), place), place))
    assert "No post holder is on record" in nobody


def test_somebody_with_a_post_on_record_is_not_named_twice(scene):
    typed = interactions.NewParticipant("theirs", name="dr hanna  Lindt")
    meeting = met(scene, participants=(interactions.NewParticipant("theirs", party_id=scene.person), typed))
    pack = briefing_pack.build(scene.actor, meeting.meeting, briefing.DAY)
    assert [(one.name, one.is_named) for one in pack.who.people] == [("Dr Hanna Lindt", False)]


def words_of(data: bytes) -> list[list[tuple[float, str]]]:
    """The words of each page with how far down they end, in points, without what stands around the page."""
    done = subprocess.run(["pdftotext", "-bbox", "-", "-"], input=data, capture_output=True, check=True)
    pages = lxml.html.document_fromstring(done.stdout).xpath("//page")
    return [
        [(float(word.get("ymax")), word.text or "") for word in page.xpath("./word") if 60 < float(word.get("ymax")) < 786]
        for page in pages
    ]


@pytest.mark.parametrize(
    ("by_when", "line", "written"),
    [
        (date(2024, 4, 8), "was due 8 Apr 2024", ""),
        (date(2024, 4, 9), "by 9 Apr 2024", "9 Apr 2024"),
        (date(2024, 5, 31), "by 31 May 2024", "31 May 2024"),
    ],
)
def test_a_day_before_the_meeting_is_said_to_have_passed_and_is_left_to_be_written(scene, by_when, line, written):
    """The meeting is on 9 April: nobody can be asked for an earlier day there."""
    asks.move_ask(scene.actor, scene.ask, by_when)
    with clock.frozen(briefing.DAY):
        new = commitments.NewCommitment(
            scene.office_id, scene.donor, "service", "Send the map.", date(2024, 1, 5), "ours", date(2024, 3, 1)
        )
        commitments.record_commitment(scene.actor, new)
    pack = briefing_pack.build(scene.actor, scene.meeting, briefing.DAY)
    assert line in pack.steer.ask_line
    days = {question.what.split("?")[0]: question.by_when for question in pack.questions}
    assert days["Who decides on our ask, on what evidence, and when do we hear"] == written
    assert days["When do we keep this, and who answers for it"] == "", "late already"


def test_the_follow_up_sheet_is_the_last_leaf_with_all_its_lines(reported, place):
    for number in range(5):
        words = f"Promise {number}: " + "a long sentence about what we said we would do " * 9
        with clock.frozen(briefing.DAY):
            commitments.record_commitment(
                reported.actor,
                commitments.NewCommitment(
                    reported.office_id, reported.donor, "service", words, date(2024, 1, 5), "ours", date(2024, 2, 1 + number)
                ),
            )
    for scene in (reported, met(reported)):
        pages = [" ".join(word for _y, word in page) for page in words_of(jobs.read_file(make(scene, place), place))]
        assert [number for number, page in enumerate(pages) if "Follow-up sheet" in page] == [len(pages) - 1]
        assert pages[-1].startswith("7. Follow-up sheet")
        assert "Promises heard, in their words" in pages[-1]
        assert not [page for page in pages[:-1] if "What was said" in page]


def test_no_page_but_the_last_is_less_than_a_third_full_and_no_heading_is_without_its_first_figure(reported, place):
    data = jobs.read_file(make(reported, place), place)
    pages = words_of(data)
    top, bottom = 57.0, 785.0
    for number, page in enumerate(pages[1:-1], 2):
        assert max(y for y, _word in page) > top + (bottom - top) / 3, number
    texts = [" ".join(word for _y, word in page) for page in pages]
    for heading, first in (
        ("3. Money between us", "From what was announced"),
        ("4. Their place", "of what is reported"),
        ("5. The programme", "USD a year; the line"),
    ):
        assert [text for text in texts if heading in text and first in text], heading


def test_every_mark_keeps_to_the_word_before_it(scene, place):
    html = queries.snapshot(make(scene, place).id).html
    assert html.count('<sup class="ref">') > 50
    assert html.count('\u2060<sup class="ref">') + html.count('&#8288;<sup class="ref">') == html.count('<sup class="ref">')
    assert "\u2060" not in text_of(jobs.read_file(make(scene, place), place))


def test_page_one_says_what_a_donor_without_money_of_ours_committed_and_paid_as_reported(reported, place):
    stranger = replace(
        reported, donor=db.session.scalar(select(Flow.donor_id).where(Flow.status == "paid", Flow.donor_id != reported.donor))
    )
    found = party_flows_summary(stranger.donor).given.landscape
    scene = met(stranger, programme_id=reported.programme)
    pack = briefing_pack.build(scene.actor, scene.meeting, briefing.DAY)
    expected = {label: stage.financial.usd for label, stage in (("Committed", found.committed), ("Paid", found.paid)) if stage.financial}
    assert expected
    assert {fact.label: fact.figure.value for fact in pack.steer.reported} == {
        label: f"USD {amount.amount:,.0f}" for label, amount in expected.items()
    }
    marks = {fact.label: fact.figure.mark for fact in pack.landscape.facts}
    assert {fact.label: fact.figure.mark for fact in pack.steer.reported} == {label: marks[label] for label in expected}
    assert not {fact.figure.mark for fact in pack.steer.reported} & {fact.figure.mark for fact in pack.steer.facts}
    assert "Reported to FTS, 20" in text_of(jobs.read_file(make(scene, place), place), last=1)


def test_what_fts_reports_is_printed_whole_with_its_total_and_the_pages_counts(reported):
    found = party_flows_summary(reported.donor).given.landscape
    pack = briefing_pack.build(reported.actor, reported.meeting, briefing.DAY)
    total = next(fact for fact in pack.landscape.facts if fact.label == "FTS total")
    assert total.figure.value == f"USD {found.fts_total.amount:,.0f}"
    tables = (pack.landscape.by_plan, pack.landscape.recipients, pack.landscape.by_currency, pack.landscape.apart)
    shown = [cell.figure for table in tables if table for row in table.rows for cell in row.cells if cell.figure]
    assert len(shown) > 10
    assert not [figure for figure in shown if figure.text.endswith(".00") or figure.value.endswith(".00")]
    rows = [[cell.figure.text if cell.figure else cell.text for cell in row.cells] for row in pack.landscape.by_currency.rows]
    assert [[row[0], f"{row[1]} {row[2]}", row[3]] for row in rows] == original_rows(found)
    assert any(re.fullmatch(r"\d+ of \d+ flows", row[3]) for row in rows)


def test_years_that_are_over_ended_short_and_only_years_to_come_miss_money(scene):
    money = programme_money(scene.programme, briefing.DAY)
    assert [year.year for year in money.short_ahead] == [2024, 2025]
    assert [year.year for year in money.ended_short] == [2023]
    later = programme_money(scene.programme, date(2025, 6, 30))
    assert [year.year for year in later.ended_short] == [2023, 2024]
    over = later.ended_short[0].gap + later.ended_short[1].gap
    assert later.gap_in(later.ended_short) == over
    with clock.frozen(datetime(2025, 6, 30, 9, 0, tzinfo=UTC)):
        pack = briefing_pack.build(scene.actor, scene.meeting, date(2025, 6, 30))
    title = pack.programme.years.chart.title
    assert title.startswith("Money is missing in 2025; 2023 and 2024 ended short by USD "), title
    named = next(line for line in pack.references if line.what == "Gaps of the years that are over: 2023 and 2024")
    assert named.value == f"USD {over.amount:,.2f}"
    assert named.mark in pack.programme.years.marks
    gap = next(fact for fact in pack.steer.facts if fact.label == "Gap of the programme")
    assert gap.note.endswith("2023\N{EN DASH}2025 together")


def test_gaps_of_years_that_do_not_add_up_to_the_gap_over_all_say_why(scene):
    words = "add up to more than the gap over all years"
    assert not programme_money(scene.programme, briefing.DAY).surplus_offsets
    assert words not in briefing_pack.build(scene.actor, scene.meeting, briefing.DAY).programme.year_table.source
    db.session.rollback()
    with clock.frozen(datetime(2024, 3, 29, 10, 0, tzinfo=UTC)):
        programmes.set_requirement(scene.actor, scene.programme, 2023, made.usd(7_000_000), "Costed plan, third edition")
    money = programme_money(scene.programme, briefing.DAY)
    assert money.surplus_offsets
    assert money.gap < money.gap_in(money.years)
    assert words in briefing_pack.build(scene.actor, scene.meeting, briefing.DAY).programme.year_table.source


def test_marks_without_end_and_turned_names_stay_in_their_place_and_in_the_snapshot(scene, place):
    body = "Za" + "\u0301" * 9000 + "lgo"
    notes.write_note(scene.actor, scene.office_id, scene.donor, body, "open")
    typed = interactions.NewParticipant("theirs", name="Anna \u202egnip", post="Head of cooperation")
    document = make(met(scene, participants=(typed,)), place)
    kept = queries.snapshot(document.id)
    assert "\u0301" * 5 not in kept.html
    assert "\u0301" * 1000 in kept.content
    assert "\u202egnip\u202c\u2069" in kept.html
    text = text_of(jobs.read_file(document, place))
    assert ", Head of cooperation" in text


def squeezed(text: str) -> str:
    """A text without blanks, its ligatures and wide letters as plain ones: what a PDF gives back of it."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def test_hostile_texts_stand_in_the_pdf_as_they_were_typed(scene, place):
    """P4; those written from the right, and those with marks that are not drawn, have their own tests."""
    texts = [text for text in NAUGHTY if not any(unicodedata.bidirectional(c) in ("R", "AL", "RLO", "LRI", "BN", "NSM") for c in text)]
    assert len(texts) > 30
    notes.write_note(scene.actor, scene.office_id, scene.donor, "\n".join(texts), "open")
    document = make(met(scene, participants=(interactions.NewParticipant("theirs", name=PAYLOAD, post=PAYLOAD),)), place)
    text = squeezed(text_of(jobs.read_file(document, place)))
    assert [each for each in (*texts, PAYLOAD) if squeezed(each) not in text] == []
    assert "<img src=zqz" not in queries.snapshot(document.id).html


# --- one page, whatever is typed -----------------------------------------------------------------------------------


def test_the_steer_is_exactly_one_page_with_every_field_full(scene, place):
    for word in (
        "Long sentence with many words ",
        "W",
        "一段很长的话",
        "كلمة طويلة ",
        "लम्बा वाक्य ",
        "กองทุนประชากรแห่งสหประชาชาติ",
        "ረጅም ዓረፍተ ነገር ",
        "មូលនិធិសហប្រជាជាតិ",
    ):
        full = (word * 600)[:600].strip()
        people = tuple(interactions.NewParticipant("ours", name=f"Person {n} {(word * 60)[:60]}", post=(word * 60)[:60]) for n in range(9))
        new = NewInteraction(
            briefing.made.office(),
            "planned",
            "meeting",
            briefing.MEETING_AT,
            scene.donor,
            place_text=full[:200],
            language=full[:60],
            purpose=full,
            ask_id=scene.ask,
            programme_id=scene.programme,
            fallback=full,
            offer=full,
            point_1=full,
            point_2=full,
            point_3=full,
            red_line=full,
            participants=people,
        )
        with clock.frozen(briefing.DAY):
            meeting = interactions.log_interaction(scene.actor, new)
        data = jobs.read_file(make(replace(scene, meeting=meeting), place), place)
        second = text_of(data, first=2, last=2)
        assert re.search(r"1\. Who they are|The first page in full", second[:160]), second[:300]
        assert "Red line" in text_of(data, first=1, last=1)


# --- who may see what ----------------------------------------------------------------------------------------------


CANARY = "CANARY-7c1f of the office alone"


def test_a_note_of_the_office_makes_the_document_one_of_the_office(scene, place):
    document = make(scene, place)
    assert document.level == "office"
    assert "doubts that the ministry" in text_of(jobs.read_file(document, place))


def test_an_office_note_is_not_in_a_pack_made_from_outside_the_office(acting, scene, place):
    notes.write_note(scene.actor, scene.office_id, scene.donor, CANARY, "office")
    outsider = acting("regional")
    key = jobs.make_document(outsider, "briefing-pack", {"interaction": scene.meeting}, place, as_of=briefing.DAY)
    document = queries.get(key)
    kept = queries.snapshot(key)
    assert document.level == "open"
    assert CANARY not in kept.content + kept.html + text_of(jobs.read_file(document, place))
    assert CANARY.encode() not in jobs.read_file(document, place)


def test_nothing_of_another_office_is_in_the_pack(scene, place):
    planted.plant("KEN", "KENYACANARY")
    bind_actor(scene.actor)
    document = make(scene, place)
    kept = queries.snapshot(document.id)
    assert "KENYACANARY" not in kept.content + kept.html
    assert "76,543.21" not in kept.html


def test_a_wider_scope_of_the_maker_is_not_in_the_pack(acting, scene, place):
    """P1: whoever opens the pack of an office reads that office's records, whoever made it."""
    kenyan, regional = acting("other"), acting("regional")
    bind_actor(kenyan)
    notes.write_note(kenyan, made.office("KEN"), scene.donor, "KENYACANARY", "open")
    bind_actor(regional)
    notes.write_note(regional, made.office("MER"), scene.donor, "REGIONCANARY", "office")
    key = jobs.make_document(regional, "briefing-pack", {"interaction": scene.meeting}, place, as_of=briefing.DAY)
    bind_actor(scene.actor)
    kept = queries.snapshot(key)
    text = text_of(jobs.read_file(queries.get(key), place))
    for canary in ("KENYACANARY", "REGIONCANARY"):
        assert canary not in kept.content + kept.html + text


@pytest.mark.parametrize("body", ["x" * 19_999, "a line\n" * 2_800], ids=["one word", "many lines"])
def test_a_very_long_note_does_not_stop_the_pack(scene, place, body):
    notes.write_note(scene.actor, scene.office_id, scene.donor, body, "open")
    assert make(scene, place).pages < 20


def test_who_may_only_read_may_not_make(acting, scene, place):
    with pytest.raises(Denied):
        make(replace(scene, actor=acting("viewer")), place)
    assert not list(place.folder.glob("*")) if place.folder.exists() else True


def test_another_office_finds_no_meeting(acting, scene, place):
    with pytest.raises(NotFound):
        make(replace(scene, actor=acting("other")), place)


def test_a_public_level_is_refused_with_a_sentence(scene, place):
    with pytest.raises(Invalid, match="internal"):
        make(scene, place, level="public")


def test_hostile_text_is_only_text(scene, place):
    hostile = '<link rel=attachment href="file:///etc/passwd"><img src="http://192.0.2.1/x.png"><script>alert(1)</script>{{ 7*7 }}=1+1'
    notes.write_note(scene.actor, scene.office_id, scene.donor, hostile, "open")
    document = make(scene, place)
    kept = queries.snapshot(document.id)
    drawn = snapshots.draw(snapshots.thaw(kept.content, kept.html))
    assert drawn.refused == ()
    assert "file:///etc/passwd" in text_of(drawn.bytes)
    assert "{{ 7*7 }}" in text_of(drawn.bytes)
    with pikepdf.open(io.BytesIO(drawn.bytes)) as pdf:
        assert list(pdf.attachments) == ["records.csv"]


# --- the file ------------------------------------------------------------------------------------------------------


def test_the_file_is_tagged_titled_and_bookmarked(scene, place):
    document = make(scene, place)
    with pikepdf.open(io.BytesIO(jobs.read_file(document, place))) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "en"
        assert "Germany" in str(pdf.docinfo["/Title"])
        with pdf.open_outline() as outline:
            titles = " ".join(str(item.title) + " ".join(str(child.title) for child in item.children) for item in outline.root)
        assert "Money between us" in titles
        assert len(pdf.pages) == document.pages
    assert f"page 1 of {document.pages}" in text_of(jobs.read_file(document, place))


def test_a_changed_or_lost_file_is_drawn_again_from_the_snapshot_to_the_byte(scene, place):
    document = make(scene, place)
    path = place.folder / document.stored_as
    issued = path.read_bytes()
    path.write_bytes(issued + b" ")
    assert jobs.read_file(document, place) == issued
    path.unlink()
    assert jobs.read_file(document, place) == issued


def test_a_changed_or_lost_file_is_refused_with_a_sentence_where_it_cannot_be_drawn_as_it_was(scene, place, monkeypatch):
    """Other libraries or fonts draw other bytes: then nothing is handed out as the issued document."""
    document = make(scene, place)
    path = place.folder / document.stored_as
    draw = snapshots.draw
    monkeypatch.setattr(snapshots, "draw", lambda frozen: replace(draw(frozen), bytes=b"%PDF-other"))
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(NotFound, match="not the one"):
        jobs.read_file(document, place)
    path.unlink()
    with pytest.raises(NotFound, match="missing"):
        jobs.read_file(document, place)


def test_a_failure_after_the_file_was_written_leaves_no_orphan(scene, place, monkeypatch):
    def fail(*_args: object, **_kwargs: object) -> None:
        message = "no"
        raise Invalid(message)

    monkeypatch.setattr(jobs.documents, "keep_document", fail)
    with pytest.raises(Invalid):
        make(scene, place)
    assert list(place.folder.iterdir()) == []


def test_two_clicks_make_one_document(scene, place):
    first = make(scene, place, token="t1", digest="d")
    again = make(scene, place, token="t1", digest="d")
    assert first.id == again.id
    assert len(list(place.folder.iterdir())) == 1


def test_no_transaction_is_open_while_the_pages_are_drawn(scene, place, monkeypatch):
    seen = []
    draw = snapshots.draw
    monkeypatch.setattr(snapshots, "draw", lambda frozen: seen.append(db.session().in_transaction()) or draw(frozen))
    make(scene, place)
    assert seen == [False]


def test_building_sends_a_constant_number_of_statements(context, scene):
    bind_actor(scene.actor)
    briefing_pack.build(scene.actor, scene.meeting, briefing.DAY)
    db.session.rollback()
    with count_statements(context) as before:
        briefing_pack.build(scene.actor, scene.meeting, briefing.DAY)
    for number in range(3):
        briefing.made.pledge(scene.actor, scene.donor, briefing.euros(1000 + number), pledged_on=date(2024, 1, 5))
    briefing._contacts(scene.actor, scene.office_id, scene.donor, scene.person, scene.ask)
    db.session.rollback()
    with count_statements(context) as after:
        briefing_pack.build(scene.actor, scene.meeting, briefing.DAY)
    assert after.count <= before.count + 1, f"{before.count} -> {after.count}"
    assert before.count < 70


def test_the_time_it_takes_is_printed(scene, place, capsys):
    make(scene, place)
    started = time.perf_counter()
    document = make(scene, place)
    with capsys.disabled():
        print(f"\nbriefing pack: {document.pages} pages in {time.perf_counter() - started:.2f} s (goal 1.5 s)")  # noqa: T201 - a goal on a noisy machine is shown, not tested


def test_the_registry_lists_the_pack():
    report = registry.get("briefing-pack")
    assert [one.name for one in report.parameters if one.is_needed] == ["interaction"]
    with pytest.raises(NotFound, match="briefing-pack"):
        registry.get("nothing")


def test_independent_checkers_of_tagged_pdf_find_nothing(reported, place):
    """PDF/UA-1 and what no validator tests: headers that name nothing, shredded tables, empty alternative texts."""
    document = make(reported, place)
    file = place.folder / document.stored_as
    # TBL-010 takes a table of one row with a header of that row for a heading cut in pieces.
    for module, arguments in (("pdfua", ["check"]), ("outloud", ["--fail-on", "warning", "--skip", "TBL-010"])):
        command = [str(Path(sys.executable).with_name(module)), *arguments, str(file)]
        result = subprocess.run(command, check=False, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
