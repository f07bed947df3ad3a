"""The figures of a page, of the pack's PDF and of the file attached to it are the same, cell by cell."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import lxml.html
import pikepdf
import pytest

from crm import clock, formatting
from crm.jobs import documents as jobs
from crm.money import Money
from crm.queries import documents as queries
from tests.factories import briefing
from tests.factories import money as made
from tests.web.test_documents import acting_as

NOW = datetime(2024, 3, 29, 9, 0, tzinfo=UTC)
AMOUNT = re.compile(r"[A-Z]{3} -?[\d,]+\.\d+")


def squashed(text: str) -> str:
    """Without blanks and hyphens: a line of the PDF may end anywhere."""
    return re.sub(r"[\s\u00ad\u2010-]", "", text)


def plain(node) -> str:
    return " ".join(node.text_content().split())


def short(text: str) -> str:
    """An exact amount as a page with little room prints it; its blanks as `plain` gives them."""
    currency, _blank, number = text.partition(" ")
    return " ".join(formatting.money(Money(Decimal(number.replace(",", "")), currency), "en", compact=True).split())


@pytest.fixture(params=["one currency", "several, one without a rate"])
def world(request, app, browser, tmp_path):
    """A donor's money, recorded; the pack of a meeting with it; a grants officer's browser on the same day."""
    with clock.frozen(NOW):
        with acting_as(app, "grants") as actor:
            scene = briefing.play(actor, with_flows=False)
            if request.param != "one currency":
                dollars = made.agreement(
                    actor, made.usd("250000.50"), donor_id=scene.donor, office_id=scene.office_id, signed_on=date(2024, 2, 1)
                )
                made.receipt(actor, made.usd("100000.25"), date(2024, 3, 1), agreement_id=dollars)
                made.pledge(actor, scene.donor, Money(Decimal(250_000), "JOD"), pledged_on=date(2024, 2, 1))
            place = jobs.Place(tmp_path / "documents")
            document = queries.get(jobs.make_document(actor, "briefing-pack", {"interaction": scene.meeting}, place))
            content = json.loads(queries.snapshot(document.id).content)["document"]
            pdf = jobs.read_file(document, place)
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            attached = opened.attachments["records.csv"].get_file().read_bytes().decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(attached)))
        text = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
        yield SimpleNamespace(
            scene=scene,
            content=content,
            rows=rows,
            by_figure={row["figure"]: row["value"] for row in rows},
            by_mark={int(row["mark"]): row["value"] for row in rows},
            notes={line["mark"]: line["note"] for line in content["references"]},
            marks={line["what"]: line["mark"] for line in content["references"]},
            text=squashed(text),
            page=lambda address: lxml.html.document_fromstring(browser("grants").get(address).get_data(as_text=True)),
            is_mixed=request.param != "one currency",
        )


def facts(page) -> dict[str, tuple[str, str]]:
    """The strip of figures of a page: label -> (value, what stands below it)."""
    found = {}
    for box in page.xpath("//dl[contains(@class, 'facts')]/div"):
        notes = " ".join(plain(note) for note in box.xpath("dd[contains(@class, 'note')]"))
        found[plain(box.xpath("dt")[0])] = (plain(box.xpath("dd[1]")[0]), notes)
    return found


def table(page, *heads: str) -> list[list[str]]:
    """The body rows of the first table with these heads."""
    for one in page.xpath("//table"):
        shown = [plain(cell) for cell in one.xpath("./thead//th")]
        if all(any(name.startswith(head) for name in shown) for head in heads):
            return [[plain(cell) for cell in row.xpath("./*")] for row in one.xpath("./tbody/tr")]
    pytest.fail(f"no table with {heads}")


def own_of(world, what: str) -> str:
    """The amount of a figure in its own currency, as the annex notes it; the figure itself where it was not converted."""
    note = world.notes[world.marks[what]].split(";")[0]
    return note if AMOUNT.fullmatch(note) else world.by_figure[what]


def cells(content) -> list[dict]:
    tables = [
        content["money"]["ledger"],
        content["money"]["instalments"],
        content["programme"]["year_table"],
        content["programme"]["outputs"],
    ]
    rows = [row for one in tables if one for row in one["rows"]]
    found = [cell["figure"] for row in rows for cell in row["cells"] if cell["figure"]]
    return found + [fact["figure"] for part in ("steer", "money", "programme") for fact in content[part]["facts"]]


# --- the file and the paper ----------------------------------------------------------------------------------------


def test_every_line_of_the_attached_file_is_the_line_of_the_annex(world):
    lines = {line["mark"]: line for line in world.content["references"]}
    assert {int(row["mark"]) for row in world.rows} == set(lines)
    for mark, line in lines.items():
        mine = [row for row in world.rows if int(row["mark"]) == mark]
        assert [(row["kind"], row["reference"], row["record"]) for row in mine] == [
            (one["noun"], one["reference"], one["id"]) for one in line["sources"]
        ]
        assert {(row["figure"], row["value"]) for row in mine} == {(line["what"], line["value"])}
        if AMOUNT.fullmatch(line["value"]):
            assert squashed(f"{mark} {line['what']}: {line['value']}") in world.text


def test_every_amount_in_a_cell_of_the_pdf_is_the_one_of_its_mark(world):
    found = [figure for figure in cells(world.content) if figure["mark"]]
    assert len(found) > 40
    for figure in found:
        assert squashed(f"{figure['text']}{figure['mark']}") in world.text, figure
        of_mark = world.by_mark[figure["mark"]]
        apart = world.notes[figure["mark"]]
        assert figure["value"] == of_mark or figure["value"] in apart or of_mark == "\N{EN DASH}", (figure, of_mark, apart)
        amount = re.search(r"[\d,]+\.\d+(?!\s[km])", figure["text"])
        assert amount is None or amount[0] in f"{of_mark} {apart}", figure


# --- the pages -----------------------------------------------------------------------------------------------------


def test_the_donors_page_rounds_what_the_pack_says(world):
    shown = facts(world.page(f"/parties/{world.scene.donor}"))
    figures = (("Pledged, outstanding", "Pledged and outstanding"), ("Secured", "Secured by signature"), ("Paid", "Paid, as received"))
    for label, what in figures:
        value, note = shown[label]
        if world.is_mixed:
            assert value == short(world.by_figure[what]), label
            assert note == ("part of it has no rate" if label == "Pledged, outstanding" else ""), label
        else:
            assert (value, note) == (short(own_of(world, what)), short(world.by_figure[what])), label


def test_the_pledges_list_says_what_the_pack_says(world):
    page = world.page("/pledges/")
    rows = {re.search(r"JOR-PL-\d{4}-\d{4}", row[0])[0]: row for row in table(page, "Donor", "Pledged", "Outstanding")}
    assert len(rows) == 1 + world.is_mixed
    for reference, row in rows.items():
        assert row[5] == own_of(world, f"{reference}: announced") or row[5] in world.notes[world.marks[f"{reference}: announced"]]
        assert row[6] == own_of(world, f"{reference}: outstanding") or row[6] in world.notes[world.marks[f"{reference}: outstanding"]]
        assert squashed(row[5]) in world.text
        assert squashed(row[6]) in world.text
    foot = {plain(row.xpath("./*")[0])[:3]: [plain(cell) for cell in row.xpath("./*")][-2:] for row in page.xpath("//tfoot/tr")}
    assert foot["EUR"] == ["EUR 10,000,000.00", "EUR 1,000,000.00"]
    assert ("JOD" in foot) is world.is_mixed


def test_the_pages_of_a_pledge_and_its_agreement_say_what_the_pack_says(world):
    name, signed = "JOR-PL-2024-0001", "JOR-AG-2024-0001"
    expected = (
        (f"/pledges/{world.scene.pledge}", "Pledged", f"{name}: announced"),
        (f"/pledges/{world.scene.pledge}", "Outstanding pledge", f"{name}: outstanding"),
        (f"/pledges/{world.scene.pledge}", "Secured (signed)", f"{signed}: signed"),
        (f"/agreements/{world.scene.agreement}", "Secured (signed)", f"{signed}: signed"),
        (f"/agreements/{world.scene.agreement}", "Paid", f"{signed}: paid"),
        (f"/agreements/{world.scene.agreement}", "Receivable", f"{signed}: receivable"),
        (f"/agreements/{world.scene.agreement}", "Of that late", f"{signed}: late"),
    )
    for address, label, what in expected:
        value, note = facts(world.page(address))[label]
        assert value == own_of(world, what), (label, what)
        assert note.startswith(world.by_figure[what]), (label, what)


def test_instalments_receipts_and_allocations_are_those_of_the_pack(world):
    page = world.page(f"/pledges/{world.scene.pledge}")
    for due, _state, planned, still_open in table(page, "Due", "State", "Planned", "Still open"):
        what = f"JOR-AG-2024-0001: instalment due {due}"
        assert world.by_figure[what] == planned
        assert world.notes[world.marks[what]] == f"open: {still_open}"
    for reference, on, amount, _pays in table(page, "Receipt", "Value date", "Amount"):
        assert own_of(world, f"Receipt {reference}, {on}") == amount
    allocated = [(row[0], row[3]) for row in table(page, "For", "Day", "Allocation", "Amount")]
    assert len(allocated) == 3
    for title, amount in allocated:
        assert [value for what, value in world.by_figure.items() if what.startswith("Allocated to “") and what[14:-1] in title] == [amount]


def test_the_programmes_page_says_what_the_pack_says(world):
    page = world.page(f"/programmes/{world.scene.programme}")
    printed = {fact["label"]: fact["figure"]["value"] for fact in world.content["programme"]["facts"]}
    names = {
        "Need": "Requirement, all years",
        "Secured": "Secured (signed)",
        "of which paid": "Paid",
        "Gap": "Gap, all years",
        "Pledged": "Pledged, outside totals",
    }
    shown = facts(page)
    assert {label: shown[name][0] for label, name in names.items()} == printed
    for label, what in (("Need", "Need of the programme, all years"), ("Secured", "Secured for the programme, all donors")):
        assert world.by_figure[what] == printed[label]
    rows = table(page, "Year", "Requirement, USD", "Secured", "Of that paid", "Gap", "Pledged")
    pack = world.content["programme"]["year_table"]["rows"]
    assert [row[0] for row in rows] == [row["cells"][0]["text"] for row in pack] == ["2023", "2024", "2025"]
    for row, other in zip(rows, pack, strict=True):
        for cell, figure in zip(row[1:], (one["figure"]["value"] for one in other["cells"][1:]), strict=True):
            exact = figure.removeprefix("USD ").replace(",", "")
            assert cell == f"{Decimal(exact):,.0f}" if exact else cell in {"", "0"}, (row[0], cell, figure)
