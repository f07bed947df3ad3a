"""Forms as no browser sends them: texts as files, in every form that a page offers. Never an unexplained 5xx."""

from __future__ import annotations

import io

import pytest

from crm.errors import Conflict
from crm.services import users
from tests.factories import world
from tests.factories.browser import tree

FORMS = [
    "/parties/new?form=person",
    "/interactions/new",
    "/asks/new",
    "/commitments/new",
    "/follow-ups/new",
    "/programmes/new",
    "/pledges/new",
    "/agreements/new",
    "/account/",
]


def as_files(values):
    """Every text but the token as a file part."""
    return {name: value if name == "csrf_token" else (io.BytesIO(str(value).encode()), "x") for name, value in values.items()}


@pytest.mark.parametrize("address", FORMS)
def test_a_text_sent_as_a_file_is_no_text(browser, address):
    client = browser("grants")
    target, values = client.fields(address)
    answer = client.client.post(target, data=as_files(values), content_type="multipart/form-data")
    assert answer.status_code in {303, 400, 422}, target
    for name in ("name", "sentence", "words", "title", "submission"):
        if name in values:
            one = values | as_files({name: values[name] or "x"})
            assert client.client.post(target, data=one, content_type="multipart/form-data").status_code in {303, 400, 422}, name


@pytest.mark.parametrize("field", ["email", "password", "next", "submission"])
def test_nobody_breaks_the_sign_in_with_a_file(browser, field):
    anonymous = browser(None)
    target, values = anonymous.fields("/sign-in")
    values |= {"email": world.address("officer"), "password": world.PASSWORD}
    answer = anonymous.client.post(target, data=values | as_files({field: "x"}), content_type="multipart/form-data")
    assert answer.status_code in {303, 422}


def test_a_page_does_not_fail_where_the_use_of_its_session_cannot_be_noted(browser, monkeypatch):
    """Somebody else is saving a lot: the reader reads."""
    client = browser("officer")

    def busy(_sign_in_id):
        raise Conflict

    monkeypatch.setattr(users, "TOUCH_EVERY", users.timedelta(seconds=-1))
    monkeypatch.setattr(users, "_touch", busy)
    assert client.client.get("/parties/").status_code == 200


def test_the_error_page_is_drawn_where_nobody_can_be_looked_up(browser, monkeypatch):
    client = browser("officer")

    def fails(_token):
        raise Conflict("Somebody is saving a lot at this moment.")

    monkeypatch.setattr(users, "resume", fails)
    answer = client.client.get("/parties/")
    assert answer.status_code == 409
    assert "Somebody is saving a lot" in " ".join(tree(answer).text_content().split())
