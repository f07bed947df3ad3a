"""Signing in, sessions, one's own account, people (P8, P2, F6)."""

from __future__ import annotations

from tests.factories import world
from tests.factories.browser import errors, tree


def test_an_anonymous_reader_is_sent_to_sign_in_and_back(browser):
    anonymous = browser(None)
    response = anonymous.client.get("/account/?x=1")
    assert response.status_code == 302
    assert "next=" in response.location
    done = anonymous.submit(response.location, {"email": world.address("officer"), "password": world.PASSWORD})
    assert done.location == "/account/?x=1"


def test_sign_in_never_leads_to_another_host(browser):
    anonymous = browser(None)
    for target in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        done = anonymous.submit("/sign-in", {"email": world.address("officer"), "password": world.PASSWORD, "next": target})
        assert done.location == "/"
        anonymous.client.post("/sign-out", data={"csrf_token": anonymous.token()})


def test_an_unknown_person_and_a_wrong_password_look_the_same(browser):
    anonymous = browser(None)
    unknown = anonymous.submit("/sign-in", {"email": "nobody@test.example", "password": "x"}, status=422)
    wrong = anonymous.submit("/sign-in", {"email": world.address("officer"), "password": "x"}, status=422)
    assert errors(unknown) == errors(wrong)


def test_the_cookie_changes_at_sign_in_and_an_ended_session_is_over(browser):
    signed_in = browser("officer")
    cookie = signed_in.client.get_cookie("throughline").value
    signed_in.client.post("/account/sign-out-everywhere", data={"csrf_token": signed_in.token()})
    signed_in.client.set_cookie("throughline", cookie)
    assert signed_in.client.get("/account/").status_code == 302


def test_signing_out_everywhere_ends_the_other_device(browser):
    phone, laptop = browser("officer"), browser("officer")
    laptop.client.post("/account/sign-out-everywhere", data={"csrf_token": laptop.token()})
    assert phone.client.get("/account/").status_code == 302


def test_a_post_without_its_token_changes_nothing(browser):
    signed_in = browser("officer")
    assert signed_in.client.post("/account/preferences", data={"theme": "dark"}).status_code == 400
    assert 'data-theme="dark"' not in signed_in.get("/account/").get_data(as_text=True)


def test_typed_text_survives_the_end_of_a_session(browser):
    signed_in = browser("officer")
    action, fields = signed_in.fields("/account/", action="/preferences")
    signed_in.client.delete_cookie("throughline")
    answer = signed_in.client.post(action, data={**fields, "theme": "dark"})
    assert answer.status_code == 401
    form = tree(answer).forms[-1]
    kept = dict(form.form_values())
    assert kept["kept:theme"] == "dark"
    again = signed_in.client.post("/sign-in", data={**kept, "email": world.address("officer"), "password": world.PASSWORD})
    assert again.status_code == 200
    resent = tree(again).forms[-1]
    assert resent.action == "/account/preferences"
    assert signed_in.client.post(resent.action, data=dict(resent.form_values())).status_code == 303
    assert 'data-theme="dark"' in signed_in.get("/account/").get_data(as_text=True)


def test_a_stranger_guessing_does_not_lock_out_who_changes_the_password(browser):
    here, stranger = browser("officer"), browser(None)
    for _ in range(6):
        target, values = stranger.fields("/sign-in")
        stranger.client.post(target, data={**values, "email": world.address("officer"), "password": "guess"})
    here.submit("/account/", {"current": world.PASSWORD, "new": "a much longer sentence"}, action="/password")
    here.get("/account/")


def test_guessing_the_current_password_in_an_open_session_is_slowed_down(browser):
    """P8: who finds a session open does not find out the password by trying."""
    here = browser("officer")
    for _ in range(5):
        here.submit("/account/", {"current": "guess", "new": "a much longer sentence"}, action="/password", status=422)
    slowed = here.submit("/account/", {"current": world.PASSWORD, "new": "a much longer sentence"}, action="/password", status=429)
    assert int(slowed.headers["Retry-After"]) > 0
    assert any("Too many tries" in text for text in errors(slowed))
    browser(None).submit("/sign-in", {"email": world.address("officer"), "password": world.PASSWORD})


def test_changing_the_password_needs_the_old_one_and_ends_other_sessions(browser):
    here, there = browser("officer"), browser("officer")
    refused = here.submit("/account/", {"current": "wrong", "new": "a much longer sentence"}, action="/password", status=422)
    assert any("not your current" in text for text in errors(refused))
    here.submit("/account/", {"current": world.PASSWORD, "new": "password1234"}, action="/password", status=422)
    here.submit("/account/", {"current": world.PASSWORD, "new": "a much longer sentence"}, action="/password")
    assert here.client.get("/account/").status_code == 200
    assert there.client.get("/account/").status_code == 302


def test_a_head_makes_a_colleague_who_can_sign_in(browser):
    head = browser("head")
    values = {"name": "Nour", "email": "nour@test.example", "role": "viewer", "password": "seven green lanterns"}
    head.submit("/users/new", values)
    head.submit("/users/new", values, status=422)
    fresh = browser(None)
    fresh.submit("/sign-in", {"email": "nour@test.example", "password": "seven green lanterns"})
    assert fresh.client.get("/users/new").status_code == 403


def test_a_head_cannot_make_an_administrator_nor_reach_another_office(browser):
    head = browser("head")
    head.submit(
        "/users/new", {"name": "X", "email": "x@test.example", "role": "administrator", "password": "seven green lanterns"}, status=403
    )
    page = head.get("/offices/").get_data(as_text=True)
    assert world.address("other") not in page
    assert world.address("hq") not in page


def test_taking_a_role_away_holds_at_once(browser, app):
    officer, admin = browser("officer"), browser("admin")
    page = tree(admin.get("/offices/"))
    link = page.xpath("//a[contains(., 'Officer Person')]/@href")[0]
    admin.submit(link, {"role": "viewer"})
    assert officer.client.get("/account/").status_code == 302


def test_an_administrator_sees_names_only(browser):
    admin = browser("admin")
    home = admin.get("/").get_data(as_text=True)
    assert "Administrators see no records" in home
    assert "Add a person" in home or "The other colleagues" in home
    assert 'id="find"' not in home
    assert 'id="find"' in browser("officer").get("/").get_data(as_text=True)
    assert admin.client.get("/parties/").status_code in (403, 404)


def test_alive_and_ready_without_sign_in(browser):
    anonymous = browser(None)
    assert anonymous.client.get("/healthz").json == {"status": "alive"}
    assert anonymous.client.get("/readyz").json == {"status": "ready"}
