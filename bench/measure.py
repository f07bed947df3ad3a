"""The rows of the table in experience.md, measured: p50 and p95 at one connection, requests a second at eight."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import lxml.html
from flask import Flask
from werkzeug.routing import BuildError

from bench.dataset import COUNTRY_OFFICER, HQ_MANAGER, HQ_VIEWER
from bench.inside import Chosen
from bench.server import Answer, Client, Server, form_of, load, merge

CONNECTIONS = 8
LISTS, RECORDS, SEARCH, PALETTE, SAVES, WIDE = "lists", "records", "search", "palette", "saves", "wide"
GOALS: dict[str, tuple[int, int]] = {  # milliseconds at p95: country officer, HQ
    LISTS: (40, 150),
    RECORDS: (40, 60),
    SEARCH: (60, 150),
    PALETTE: (30, 100),
    SAVES: (40, 60),
    WIDE: (80, 500),
}


@dataclass(frozen=True)
class Page:
    """One page of the table: which endpoint, with what."""

    group: str
    name: str
    endpoint: str
    values: dict[str, Any] = field(default_factory=dict)
    has_goal: bool = True


@dataclass(frozen=True)
class Effort:
    """How often things are done."""

    gets: int
    load_each: int
    load_seconds: float
    saves: int
    packs: int
    flows: int
    sheet: int
    page_seconds: float


FULL = Effort(gets=60, load_each=25, load_seconds=2.5, saves=20, packs=7, flows=2000, sheet=100_000, page_seconds=4.0)
QUICK = Effort(gets=4, load_each=1, load_seconds=0.5, saves=1, packs=1, flows=100, sheet=100, page_seconds=0.5)


@dataclass
class Row:
    """What was measured of a page for one person; milliseconds and bytes."""

    page: Page
    who: str
    status: int
    p50: float = 0.0
    p95: float = 0.0
    processor: float = 0.0
    a_second: float = 0.0
    bad: int = 0
    size: int = 0
    zipped: int = 0
    statements: int = 0
    note: str = ""

    @property
    def goal(self) -> int:
        """The p95 that experience.md sets, in milliseconds."""
        return GOALS[self.page.group][0 if self.who == COUNTRY_OFFICER else 1]


def pages(chosen: Chosen) -> list[Page]:
    """Every page of the table. Those whose endpoint is not there yet are said to be missing."""
    after = {"hq": chosen.party_cursors["hq"], "officer": chosen.party_cursors["officer"]}
    year = str(datetime.now(UTC).year - 1)
    return [
        Page(LISTS, "home", "home.index"),
        Page(LISTS, "parties", "parties.index"),
        Page(LISTS, "parties, 100 a page", "parties.index", {"per_page": "100"}),
        Page(LISTS, "parties, of a kind", "parties.index", {"kind": "government"}),
        Page(LISTS, "parties, name has “nguyen”", "parties.index", {"q": "nguyen"}),
        Page(LISTS, "parties, Arabic name", "parties.index", {"q": "الخطيب"}),
        Page(LISTS, "parties, page 50", "parties.index", {"page": "50"}),
        Page(LISTS, "parties, cursor", "parties.index", {"after": after}),
        Page(LISTS, "interactions", "interactions.index"),
        Page(LISTS, "interactions, planned", "interactions.index", {"state": "planned"}),
        Page(LISTS, "interactions, page 50", "interactions.index", {"page": "50"}),
        Page(LISTS, "pledges", "pledges.index"),
        Page(LISTS, "pledges, late", "pledges.index", {"status": "late"}),
        Page(LISTS, "pledges, of a year", "pledges.index", {"year": year}),
        Page(LISTS, "agreements", "agreements.index"),
        Page(LISTS, "receipts", "receipts.index"),
        Page(LISTS, "programmes", "programmes.index"),
        Page(LISTS, "asks", "asks.index"),
        Page(LISTS, "commitments", "commitments.index"),
        Page(LISTS, "follow-ups", "follow_ups.index"),
        Page(LISTS, "reported flows", "flows.index"),
        Page(LISTS, "documents", "documents.index"),
        Page(LISTS, f"party, {chosen.party_contacts} interactions", "parties.detail", {"party_id": chosen.party}),
        Page(
            LISTS,
            f"donor with most pledges ({chosen.heavy_donor_pledges})",
            "parties.detail",
            {"party_id": chosen.heavy_donor},
            has_goal=False,
        ),
        Page(LISTS, "history of that party", "parties.party_history", {"party_id": chosen.party}, has_goal=False),
        Page(RECORDS, "interaction", "interactions.detail", {"interaction_id": chosen.interaction}),
        Page(RECORDS, "ask", "asks.detail", {"ask_id": chosen.ask}),
        Page(RECORDS, "pledge", "pledges.detail", {"pledge_id": chosen.pledge}),
        Page(RECORDS, "agreement", "agreements.detail", {"agreement_id": chosen.agreement}),
        Page(RECORDS, "receipt", "receipts.detail", {"receipt_id": chosen.receipt}),
        Page(RECORDS, "programme", "programmes.detail", {"programme_id": chosen.programme}),
        Page(RECORDS, "objective", "objectives.detail"),
        Page(RECORDS, "form: log an interaction", "interactions.create"),
        Page(RECORDS, "form: pledge", "pledges.create"),
        Page(SEARCH, "search, a name", "search.index", {"q": "nguyen"}),
        Page(SEARCH, "search, a name with a slip", "search.index", {"q": "nguyne"}),
        Page(SEARCH, "search, an Arabic name", "search.index", {"q": "الخطيب"}),
        Page(SEARCH, "search, a frequent word", "search.index", {"q": "minister"}),
        Page(SEARCH, "search, four frequent words", "search.index", {"q": "minister figures three districts"}),
        Page(SEARCH, "search, one letter", "search.index", {"q": "m"}),
        Page(SEARCH, "search, nothing found", "search.index", {"q": "xylophonist quartz"}),
        Page(PALETTE, "palette, three letters", "search.suggest", {"q": "ngu"}),
        Page(PALETTE, "palette, one letter", "search.suggest", {"q": "m"}),
        Page(PALETTE, "palette, a name with a slip", "search.suggest", {"q": "nguyne"}),
        Page(PALETTE, "palette, an action", "search.suggest", {"q": "log meeting with nguyen"}),
        Page(WIDE, "office money overview", "money.index"),
        Page(WIDE, "coverage grid", "coverage.index"),
    ]


def address(app: Flask, page: Page, who: str) -> str | None:
    """The path of a page, None where it is not there yet."""
    key = "officer" if who == COUNTRY_OFFICER else "hq"
    values = {name: value[key] if isinstance(value, dict) else value for name, value in page.values.items()}
    with app.test_request_context():
        try:
            return str(app.url_for(page.endpoint, **values))
        except BuildError:
            return None


def percentile(values: list[float], share: float) -> float:
    """The value that so large a share stays under."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def read(server: Server, client: Client, page: Page, path: str, who: str, effort: Effort) -> Row:
    """One page: warm, then at one connection, then at eight."""
    answer = client.get(path)
    row = Row(page, who, answer.status, size=len(answer.body), zipped=answer.zipped)
    if answer.status != 200:
        row.note = f"answers {answer.status}"
        return row
    seconds: list[float] = []
    is_brief = effort is QUICK and client.get(path).seconds > 0.3  # a slow page is known to be slow after two more
    client.get(path)
    stop, used = time.monotonic() + effort.page_seconds, server.processor()
    for _number in range(effort.gets):
        seconds.append(client.get(path).seconds)
        if time.monotonic() > stop and len(seconds) >= (2 if is_brief else 4):
            break
    row.processor = (server.processor() - used) * 1000 / len(seconds)
    row.p50, row.p95 = statistics.median(seconds) * 1000, percentile(seconds, 0.95) * 1000
    if is_brief:
        return row
    clients = [client.copy() for _number in range(CONNECTIONS)]
    row.a_second, row.bad = load(clients, path, effort.load_each, effort.load_seconds)
    for one in clients:
        one.close()
    return row


# --- saves ---------------------------------------------------------------------------------------------------------


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def saves(chosen: Chosen) -> list[tuple[Page, Callable[[int], dict[str, str]]]]:
    """What is saved, and what is typed into its form."""
    return [
        (
            Page(SAVES, "log an interaction", "interactions.create"),
            lambda number: {
                "party-text": chosen.party_reference,
                "day": _today(),
                "time": "00:05",
                "kind": "meeting",
                "state": "held",
                "summary": f"They confirmed contribution number {number}.",
                "office": str(chosen.office),
                "promises-0-words": "We will send the letter",
                "follow_ups-0-text": "Call the private secretary",
            },
        ),
        (
            Page(SAVES, "record a pledge", "pledges.create"),
            lambda number: {
                "office_id": str(chosen.office),
                "donor-text": chosen.donor_reference,
                "donor": chosen.donor_reference,
                "amount": f"{100_000 + number}",
                "currency": "EUR",
                "pledged_on": _today(),
                "words": f"We will support you, number {number}",
            },
        ),
        (
            Page(SAVES, "record a receipt", "agreements.receive", {"agreement_id": chosen.agreement}),
            lambda number: {"amount": f"{100 + number}", "currency": "EUR", "value_on": _today(), "bank_reference": f"B-{number}"},
        ),
    ]


def save(server: Server, client: Client, page: Page, path: str, who: str, typed: Callable[[int], dict[str, str]], times: int) -> Row:
    """Open the form, send it, send the check page where there is one; the time of the request that kept the record."""
    seconds: list[float] = []
    checks: list[float] = []
    row = Row(page, who, 0)
    for number in range(times + 1):
        first = client.get(path)
        if first.status != 200:
            row.status, row.note = first.status, f"the form answers {first.status}"
            return row
        target, fields = form_of(first.body, path)
        used = server.processor()
        answer = client.post(target or path, merge(fields, {**typed(number), "go": "check"}))
        if answer.status == 200:
            checks.append(answer.seconds)
            target, fields = form_of(answer.body, path)
            used = server.processor()
            answer = client.post(target or path, merge(fields, {"go": "save"}))
        row.status = answer.status
        if answer.status not in {302, 303}:
            row.note = f"refused ({answer.status}): {_sentences(answer)}"
            return row
        seconds.append(answer.seconds)
        row.processor += (server.processor() - used) * 1000 / (times + 1)
    seconds, checks = seconds[1:], checks[1:]
    row.p50, row.p95 = statistics.median(seconds) * 1000, percentile(seconds, 0.95) * 1000
    if checks:
        row.note = f"check page before it {statistics.median(checks) * 1000:.0f} ms"
    return row


def _sentences(answer: Answer) -> str:
    found = lxml.html.document_fromstring(answer.body).xpath("//*[@role='alert']//li|//*[@role='alert']//p")
    return "; ".join(" ".join(item.text_content().split()) for item in found)[:300]


# --- files and weight ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Export:
    """A list as a file: rows, seconds to the first byte and to the last, memory of the workers around it (MB)."""

    rows: int
    size: int
    first: float
    whole: float
    before: float
    most: float


def export(server: Server, client: Client, path: str) -> Export | None:
    """All of a list as CSV; the memory is looked at while it is sent."""
    before = max(server.memory())
    most = [before]
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.1):
            most.append(max(server.memory(), default=0.0))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        answer = client.get(path)
    finally:
        done.set()
        watcher.join()
    if answer.status != 200:
        return None
    return Export(answer.body.count(b"\n") - 1, len(answer.body), answer.first, answer.seconds, before, max(most))


@dataclass(frozen=True)
class Weight:
    """Bytes as gzip would send them."""

    first_page: int
    html: int
    css: int
    js: int
    other: int
    requests: int


def weight(client: Client, path: str) -> Weight:
    """A first page with everything it asks for."""
    page = client.get(path)
    tree = lxml.html.document_fromstring(page.body)
    addresses = dict.fromkeys(
        [*tree.xpath("//link[@rel='stylesheet' or contains(@rel, 'icon')]/@href"), *tree.xpath("//script/@src"), *tree.xpath("//img/@src")]
    )
    sizes = {"css": 0, "js": 0, "other": 0}
    for one in addresses:
        answer = client.get(one)
        kind = "css" if ".css" in one else "js" if ".js" in one else "other"
        sizes[kind] += answer.zipped
    return Weight(page.zipped + sum(sizes.values()), page.zipped, sizes["css"], sizes["js"], sizes["other"], 1 + len(addresses))


PEOPLE = ((COUNTRY_OFFICER, COUNTRY_OFFICER), (HQ_VIEWER, HQ_MANAGER))
