"""P1: an office never sees another's data; P1b not even indirectly; P1c foreign = absent; levels hold against HQ."""

from __future__ import annotations

import re
import uuid

import pytest

from crm.clock import frozen, now
from crm.db import Base, db
from crm.policy import unscoped
from tests.architecture.routes import Route, routes
from tests.factories.planted import plant

CANARY = "zzkenyacanary"
AMOUNT = 7_654_321_00
DIGITS = ("7,654,321", "7654321", "7.65", "7.7 m", "7.7\N{NO-BREAK SPACE}m")
LISTS = "?q=zz&per_page=100"
MASK = re.compile(r'(csrf_token" value=")[^"]*|(name="submission"[^>]*value=")[^"]*|(value="[0-9a-f]{32}")|nonce="[^"]*"')


def masked(text: str) -> str:
    return MASK.sub("", text)


def gets(app) -> list[Route]:
    return [route for route in routes(app) if route.method == "GET" and route.needs != "public"]


def scan(client, address: str) -> str:
    response = client.get(address)
    assert response.status_code < 500, (address, response.status_code)
    text = response.get_data(as_text=False)
    everything = text.decode("utf-8", "replace") + str(response.headers)
    for sign in (CANARY, CANARY.upper(), *DIGITS):
        assert sign not in everything, f"{sign} on {address}"
    return everything


@pytest.mark.parametrize("name", ["officer", "head", "auditor", "regional"])
def test_no_canary_of_another_office_on_any_page(app, browser, name):
    client = browser(name).client
    with app.app_context():
        foreign = plant("KEN", CANARY, amount=AMOUNT)
        plant("KEN", CANARY, amount=AMOUNT, level="office")
        plant("JOR", "zzown", amount=1_234_500)
    for route in gets(app):
        for address in {route.address(app, foreign), route.address(app, {})}:
            scan(client, address)
            if not route.rule.arguments:
                scan(client, address + LISTS)
                scan(
                    client,
                    address
                    + f"?party={foreign['parties']}&donor={foreign['parties']}&programme={foreign['programmes']}&interaction={foreign['interactions']}&ask={foreign['asks']}&planned={foreign['planned']}",
                )


def test_the_office_level_is_not_seen_from_headquarters(app, browser):
    client = browser("hq").client
    with app.app_context():
        hidden = plant("JOR", CANARY, amount=1, level="office")
        plant("JOR", "zzopen", amount=1_234_500)
    allowed_from_open_rows = {"parties", "people", "positions", "tenures", "channels", "programmes", "outputs", "indicators"}
    levelled = {noun: key for noun, key in hidden.items() if noun not in allowed_from_open_rows}
    for route in gets(app):
        nouns = route.rule.arguments
        if not nouns:
            continue
        address = route.address(app, levelled)
        response = client.get(address)
        assert CANARY not in response.get_data(as_text=True), route.line


def test_a_foreign_record_looks_exactly_like_an_absent_one(app, browser):
    client = browser("officer").client
    with app.app_context():
        foreign = plant("KEN", CANARY, amount=AMOUNT)
    absent = {noun: uuid.uuid4() for noun in foreign}
    for route in gets(app):
        if not route.rule.arguments:
            continue
        here, nowhere = client.get(route.address(app, foreign)), client.get(route.address(app, absent))
        assert here.status_code == nowhere.status_code, route.line
        first = masked(here.get_data(as_text=True))
        second = masked(nowhere.get_data(as_text=True))
        for noun in foreign:
            first, second = first.replace(str(foreign[noun]), "ID"), second.replace(str(absent[noun]), "ID")
        assert first == second, route.line


def test_every_page_is_the_same_whether_the_other_office_has_rows_or_not(app, browser):
    client = browser("officer").client
    with app.app_context():
        own = plant("JOR", "zzown", amount=1_234_500)
    addresses = [route.address(app, own) for route in gets(app)]
    addresses += [address + "?q=zz" for address in addresses]
    moment = now()

    def page(address: str) -> str:
        with frozen(moment):  # a form proposes the last half hour, and that may strike between the two readings
            return masked(client.get(address).get_data().decode("utf-8", "replace"))

    before = {address: page(address) for address in addresses}
    with app.app_context():
        plant("KEN", CANARY, amount=AMOUNT)
    for address, text in before.items():
        assert page(address) == text, address


def fingerprint() -> dict[str, list[str]]:
    """Every row of every table but sessions and tries, as text."""
    left_out = {"sign_ins", "sign_in_tries"}
    found = {}
    with unscoped("test"):
        for mapper in Base.registry.mappers:
            if mapper.class_.__tablename__ in left_out:
                continue
            rows = db.session.execute(db.select(*mapper.column_attrs)).all()
            found[mapper.class_.__tablename__] = sorted(repr(tuple(row)) for row in rows)
    db.session.rollback()
    return found


@pytest.mark.parametrize("name", ["viewer", "other-grants", "hq", "admin"])
def test_a_refused_post_changes_nothing(app, browser, name):
    """P2: who may not write here gets a refusal, and not one row differs afterwards."""
    client = browser(name)
    with app.app_context():
        ids = plant("JOR", "zzown", amount=1_234_500)
        before = fingerprint()
    token = client.token()
    for route in routes(app):
        if route.method != "POST" or route.rule.rule.startswith(("/account/", "/sign-")) or not route.rule.arguments:
            continue
        if name == "admin" and route.needs in ("user:manage", "job:manage"):
            continue  # what an administrator is for
        response = client.client.post(route.address(app, ids), data={"csrf_token": token, "reason": "x", "name": "x", "confirm": "1"})
        assert response.status_code in (403, 404, 409, 422), (route.line, response.status_code)
    with app.app_context():
        assert fingerprint() == before
