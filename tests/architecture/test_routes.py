"""Every route x every role equals the written table; anonymous reaches only what is public; every POST needs its token."""

from __future__ import annotations

import pytest

from crm.policy import ROLES, Permission
from tests.architecture.routes import TABLE, routes
from tests.factories import world
from tests.factories.planted import plant

PUBLIC = {"/sign-in", "/sign-out", "/healthz", "/readyz"}
ROLE_OF = {name: role for name, _office, role in world.PEOPLE}


@pytest.mark.sqlite_only
def test_every_route_stands_in_the_written_table(app):
    written = TABLE.read_text().splitlines()
    found = [route.line for route in routes(app)]
    assert found == written, "write the route and what it needs into tests/architecture/routes.txt, after thinking about who may"


@pytest.mark.sqlite_only
def test_only_these_addresses_are_public(app):
    assert {route.rule.rule for route in routes(app) if route.needs == "public"} == PUBLIC


@pytest.mark.sqlite_only
def test_anonymous_is_asked_to_sign_in_everywhere_else(app, browser):
    anonymous = browser(None).client
    with app.app_context():
        ids = plant("JOR", "canaryjor")
    for route in routes(app):
        if route.needs == "public":
            continue
        response = anonymous.open(route.address(app, ids), method=route.method)
        assert response.status_code in (302, 401), (route.line, response.status_code)
        assert "canaryjor" not in response.get_data(as_text=True)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("name", ["viewer", "officer", "grants", "manager", "head", "auditor", "admin", "hq"])
def test_each_role_reaches_what_the_role_table_says_and_nothing_else(app, browser, name):
    client = browser(name).client
    with app.app_context():
        ids = plant("JOR", "canaryjor")
    token = browser_token(client)
    for route in routes(app):
        if route.needs == "public":
            continue
        allowed = Permission(route.needs) in ROLES[ROLE_OF[name]]
        data = {"csrf_token": token} if route.method == "POST" else None
        if allowed and route.rule.rule.startswith("/account/"):
            continue
        response = client.open(route.address(app, ids), method=route.method, data=data)
        if allowed:
            assert response.status_code < 500, (route.line, response.get_data(as_text=True)[:500])
            if name not in ("hq", "admin") and route.method == "GET":
                assert response.status_code not in (401, 403), route.line
        else:
            assert response.status_code == 403, (name, route.line, response.status_code)


@pytest.mark.sqlite_only
def test_every_post_needs_its_token(app, browser):
    head, admin = browser("head").client, browser("admin").client
    with app.app_context():
        ids = plant("JOR", "canaryjor")
    for route in routes(app):
        if route.method != "POST" or route.rule.rule == "/sign-in":
            continue
        client = admin if route.needs in ("job:manage", "code:manage") else head
        response = client.post(route.address(app, ids), data={"name": "x"})
        assert response.status_code == 400, (route.line, response.status_code)


def browser_token(client) -> str:
    from tests.factories.browser import Browser

    return Browser(client).token()
