"""No page asks the database the same thing once for each row: what it sends is constant in the data."""

from __future__ import annotations

import re
import uuid
from collections import Counter

from sqlalchemy import select

from bench import dataset, inside
from crm.db import Base, db
from crm.policy import unscoped
from tests.architecture.routes import NOUN_OF, routes
from tests.factories.counting import count_statements

SCALE = 0.01
MOST = 4
"""A statement may come so often: home asks for the parties of its four lists, and a form for the offices of its parts."""
TABLES = {noun: noun for noun in NOUN_OF.values()} | {"people": "parties", "imports": "import_batches"}
#: Written in chunks of rows, so their statements grow with them, a few for each thousand.
FILES = (".csv", ".xlsx")
FEWEST_PAGES = 70


def some_records(chosen: inside.Chosen) -> dict[str, uuid.UUID]:
    """A record of each noun of the officer's office; of the main ones, one with much below it."""
    found = {}
    for noun, name in TABLES.items():
        table = Base.metadata.tables.get(name)
        if table is None or "id" not in table.c:
            continue
        wanted = select(table.c.id).order_by(table.c.id).limit(1)
        key = db.session.scalar(wanted.where(table.c.office_id == chosen.office) if "office_id" in table.c else wanted)
        if key is not None:
            found[noun] = key
    named = ("interaction", "ask", "pledge", "agreement", "receipt", "programme")
    return found | {f"{name}s": getattr(chosen, name) for name in named} | {"parties": chosen.party}


def test_every_page_sends_each_statement_a_few_times_however_much_there_is(database_url: str) -> None:
    """Office of 700 parties, 7,000 interactions and 1,400 pledges, as its officer: a statement for each row would come dozens of times."""
    dataset.fill(database_url, SCALE)
    repeated, pages = [], 0
    with inside.application(database_url) as app:
        with app.app_context():
            chosen = inside.choose()
            with unscoped("records to open"):
                ids = some_records(chosen)
            db.session.rollback()
        browser = inside.Pages(app, dataset.COUNTRY_OFFICER)
        for route in routes(app):
            if route.method != "GET" or "public" in route.needs or route.rule.rule.endswith(FILES):
                continue
            nouns = {NOUN_OF.get(name) or route.rule.endpoint.partition(".")[0] for name in route.rule.arguments if name.endswith("_id")}
            if not nouns <= set(ids):
                continue
            address = route.address(app, ids)
            with count_statements(app) as sent:
                answer = browser.client.get(address)
                answer.close()
            if answer.status_code != 200:
                continue
            pages += 1
            alike = Counter(re.sub(r"(\?|%\(\w+\)s(::\w+)?)(, )?", "", one) for one in sent.texts)
            repeated += [f"{address}: {times} times {' '.join(said.split())[:200]}" for said, times in alike.items() if times > MOST]
    assert repeated == []
    assert pages >= FEWEST_PAGES, pages
