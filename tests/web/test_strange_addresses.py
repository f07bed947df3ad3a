"""Strangers' addresses: days at the end of the calendar, cursors that overflow, methods that are none."""

from __future__ import annotations

import base64
import json
import uuid

import pytest


def cursor(kind: str, value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps([kind, value, str(uuid.uuid4())]).encode()).decode().rstrip("=")


@pytest.mark.parametrize("path", ["/interactions/", "/documents/", "/imports/", "/pledges/", "/parties/"])
def test_cursors_and_days_that_overflow_are_harmless(browser, path):
    client = browser("grants").client
    after = [
        cursor("t", "0001-01-01T00:00:00+14:00"),
        cursor("t", "9999-12-31T23:59:59-14:00"),
        cursor("i", float("inf")),
        cursor("i", float("nan")),
        cursor("d", "0001-01-01"),
        cursor("s", "\ud800"),
        base64.urlsafe_b64encode(b"[" * 1400).decode().rstrip("="),
    ]
    queries = [f"after={one}" for one in after] + ["from=0001-01-01", "to=9999-12-31", "from=9999-12-31&to=0001-01-01"]
    for query in queries:
        assert client.get(f"{path}?{query}").status_code == 200, query


def test_a_refused_method_names_those_allowed(browser):
    answer = browser("officer").client.delete("/interactions/")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_an_address_without_its_slash_is_mended_on_this_site_alone(browser):
    """Whoever makes up a host gets no link to it."""
    answer = browser("officer").client.get("/parties?q=a", headers={"Host": "evil.example"})
    assert answer.status_code == 308
    assert answer.headers["Location"] == "/parties/?q=a"


def test_a_form_beyond_all_its_fields_is_too_large(browser):
    officer = browser("officer")
    target, values = officer.fields("/commitments/new")
    assert officer.client.post(target, data=values | {"words": "x" * 3_000_000}).status_code == 413
