"""P4 and P5 on every page and file: a hostile text in every text column is read back equal, and is never markup, script or formula."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

import lxml.html
import pytest

from tests.architecture.routes import routes
from tests.factories import naughty
from tests.factories.planted import plant_hostile
from tests.factories.tables import cells_of_csv, cells_of_xlsx

WHOLE = re.compile("(?:" + "|".join(re.escape(text) for text in (naughty.PAYLOAD, naughty.SHORT, naughty.SCHEME)) + r")q(\d\d\d)q")
BEGUN = re.compile(r"(?<=[+=('])" + naughty.SIGN)
ADDRESSES = ("href", "src", "action", "formaction")


def texts_of(page):
    """Every text that a page shows or carries: of its elements, whole, and of each attribute."""
    yield " ".join(page.text_content().split())
    for element in page.iter(lxml.etree.Element):
        for name, value in element.attrib.items():
            if naughty.SIGN in value:
                yield " ".join((unquote_plus(value) if name in ADDRESSES else value).split())


def markup_born(page):
    """Elements and attributes that only a text could have brought in, scripts that hold one, addresses that run."""
    yield from page.xpath("//*[@onerror or @onzqz or @src='zqz'] | //i[@*[starts-with(name(), 'onz')]]")
    yield from page.xpath("//@*[starts-with(name(), 'on')]/.. | //script[not(@src) and contains(., $sign)]", sign=naughty.SIGN)
    for name in ADDRESSES:
        yield from (each for each in page.xpath(f"//*[@{name}]") if each.get(name).strip().lower().startswith(("javascript:", "data:text")))


def read(text):
    """The numbers of the columns that a text holds; fails on one that is not whole, unless it was cut short."""
    whole = {int(number) for number in WHOLE.findall(text)}
    rest = WHOLE.sub("", text)
    for begun in BEGUN.finditer(rest):
        after = rest[begun.start() - 3 : begun.end() + 60]
        cut = after.partition("…")[0]
        assert "…" in after, after
        assert any(cut in known for known in (naughty.PAYLOAD, naughty.SHORT)), after
    return whole


def of_page(response, address):
    page = lxml.html.document_fromstring(response.get_data(as_text=True))
    born = [lxml.html.tostring(each)[:200] for each in markup_born(page)]
    assert not born, (address, born)
    found = set()
    for text in texts_of(page):
        found |= read(text)
    return found


def of_table(rows):
    return set().union(*(read(cell.replace('""', '"')) for row in rows for cell in row))  # so stand they among several in one cell


def of_csv(response, _address):
    return of_table(cells_of_csv(response.get_data()))


def of_xlsx(response, _address):
    return of_table(cells_of_xlsx(response.get_data()))


def of_json(response, _address):
    def texts(value):
        if isinstance(value, dict | list):
            for part in value.values() if isinstance(value, dict) else value:
                yield from texts(part)
        elif isinstance(value, str):
            yield value

    return set().union(*map(read, texts(response.get_json())))


READERS = {"text/html": of_page, "text/csv": of_csv, "application/json": of_json}


def seen_on(response, address):
    assert response.status_code < 500, (address, response.status_code)
    if response.mimetype.endswith("spreadsheetml.sheet"):
        return of_xlsx(response, address)
    return READERS[response.mimetype](response, address) if response.mimetype in READERS else set()


def questions(response):
    """What a page's form of filters asks for, each answered with a hostile text."""
    for form in lxml.html.document_fromstring(response.get_data(as_text=True)).forms:
        if form.method.upper() == "GET":
            names = {name for name in form.fields if name}
            yield {name: naughty.PAYLOAD + naughty.mark(999) for name in names}


def address_of(route, app, ids):
    """The address of a route, with what its page cannot do without."""
    asked = {"/lists/new": "?noun=parties&query=q%3Dzz", "/positions/new": f"?organisation={ids['parties']}"}
    return route.address(app, ids).replace("/code-lists/x", "/code-lists/party-kinds") + asked.get(route.rule.rule, "")


@pytest.mark.slow
def test_a_hostile_text_in_every_column_is_only_text_on_every_page_and_file(app, browser):
    with app.app_context():
        ids, columns = plant_hostile("JOR")
    seen, left = set(), [route for route in routes(app) if route.method == "GET" and route.needs != "public"]
    for name in ("head", "grants", "admin"):
        client, refused = browser(name).client, []
        for route in left:
            address = address_of(route, app, ids)
            response = client.get(address)
            seen |= seen_on(response, address)
            if response.status_code in {403, 404}:
                refused.append(route)
            elif response.mimetype == "text/html" and not route.rule.arguments and "?" not in address:
                for asked in questions(response):
                    seen_on(client.get(address, query_string=asked), (address, asked))
        left = refused
    assert [route.line for route in left] == []
    unseen = sorted(column for number, column in columns.items() if number not in seen)
    assert unseen == []


@pytest.mark.sqlite_only
def test_the_exceptions_name_columns_that_there_are():
    assert naughty.unknown_exceptions() == set()
