"""Pages of asks, commitments and follow-ups: saved, refused with the text kept, settled, verified."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from flask import Flask

from crm import clock
from crm.models.asks import Ask
from crm.models.commitments import Commitment
from crm.models.interactions import FollowUp
from crm.services import asks, commitments, follow_ups
from tests.factories.browser import Browser, errors, tree
from tests.web.test_interactions import HOSTILE, Browsers, count, in_world, make_meeting, make_party, path_of

TODAY_IN = "Asia/Amman"
TODAY = clock.today(TODAY_IN)


def make_promise(app: Flask, who: str = "officer", **more: Any) -> uuid.UUID:
    party = make_party(app, f"Party {uuid.uuid4().hex[:6]}")
    made: uuid.UUID = in_world(
        app,
        who,
        lambda a, o: commitments.record_commitment(
            a,
            commitments.NewCommitment(
                **{"office_id": o, "party_id": party, "kind": "service", "words": "Clinic days", "made_on": TODAY, **more}
            ),
        ),
    )
    return made


def refuse(officer: Browser, path: str, good: dict[str, str], bads: list[dict[str, str]]) -> None:
    target, values = officer.fields(path)
    for bad in bads:
        answer = officer.client.post(target, data=values | good | bad)
        assert answer.status_code == 422, (path, bad, errors(answer))
        page = tree(answer)
        links = page.xpath("//*[@role='alert']//li/a/@href")
        assert page.xpath("//*[@role='alert']//li"), bad
        for link in links:
            assert page.xpath(f"//*[@id='{link[1:]}']"), (bad, link)
        for name, value in (good | bad).items():
            controls = page.xpath(f"//*[@name='{name}']")
            if controls and controls[0].tag in ("input", "textarea") and controls[0].get("type") not in ("radio", "hidden"):
                shown = controls[0].get("value") if controls[0].tag == "input" else controls[0].text
                assert (shown or "").strip() == value, (bad, name)


def test_an_ask_through_its_page(app: Flask, browser: Browsers) -> None:
    make_party(app, "Ministry of Finance")
    officer = browser("officer")
    made = officer.submit(
        "/asks/new",
        {"addressee-text": "Ministry of Finance", "sentence": HOSTILE, "by_when": "2030-01-31", "amount": "1,000,000", "currency": "USD"},
    )
    text = officer.get(path_of(made)).get_data(as_text=True)
    assert "<script>alert" not in text
    assert "USD 1,000,000.00" in text
    path = path_of(made)
    officer.submit(f"{path}/edit", {"sentence": "Plain words."})
    assert "Plain words." in officer.get("/asks/?status=open").get_data(as_text=True)
    officer.submit(f"{path}/close", {"reason": "Done for good."})
    assert "Done for good." in officer.get(path).get_data(as_text=True)
    assert "Plain words." not in officer.get("/asks/?status=open").get_data(as_text=True)
    officer.submit(path, {}, action="/reopen")
    assert "Plain words." in officer.get("/asks/?status=open").get_data(as_text=True)


def test_a_wrong_ask_keeps_its_text(app: Flask, browser: Browsers) -> None:
    make_party(app, "Ministry of Finance")
    good = {"addressee-text": "Ministry of Finance", "sentence": "A careful sentence", "fallback": "A fallback"}
    bads = [
        {"addressee-text": ""},
        {"addressee-text": "Unknown Name"},
        {"sentence": ""},
        {"sentence": "s" * 601},
        {"by_when": "soon"},
        {"amount": "a lot"},
        {"amount": "-5"},
        {"amount": "5", "currency": "???"},
        {"fallback": "f" * 601},
        {"level": "x"},
        {"programme_id": str(uuid.UUID(int=3))},
    ]
    refuse(browser("officer"), "/asks/new", good, bads)
    assert count(app, Ask) == 0


def test_a_new_addressee_is_made_with_the_ask(app: Flask, browser: Browsers) -> None:
    officer = browser("officer")
    made = officer.submit(
        "/asks/new",
        {
            "addressee-text": "Chief of Azraq",
            "addressee-choice": "new:person",
            "addressee-choice_for": "Chief of Azraq",
            "sentence": "Announce the clinic days.",
        },
    )
    assert "Chief of Azraq" in officer.get(path_of(made)).get_data(as_text=True)


def test_a_promise_through_its_page_to_its_end(app: Flask, browser: Browsers) -> None:
    party = make_party(app, "Ministry of Finance")
    officer = browser("officer")
    made = officer.submit(
        f"/commitments/new?party={party}", {"words": HOSTILE, "kind": "budget-line", "due_on": TODAY.isoformat(), "quantity": "half"}
    )
    path = path_of(made)
    page = officer.get(path).get_data(as_text=True)
    assert "<script>alert" not in page
    assert "4 of 10 points" in page
    officer.submit(path, {"outcome": "kept", "outcome_on": ""}, action="/outcome", status=422)
    officer.submit(path, {"outcome": "kept", "outcome_on": TODAY.isoformat(), "outcome_note": "In the gazette"}, action="/outcome")
    page = officer.get(path).get_data(as_text=True)
    assert "In the gazette" in page
    assert "Not verified by a second person" in page
    manager = browser("manager")
    manager.submit(path, {"evidence": ""}, action="/verify", status=422)
    manager.submit(path, {"evidence": "Gazette no. 7"}, action="/verify")
    assert "Verified by Manager Person" in officer.get(path).get_data(as_text=True)
    officer.submit(path, {"body": "Only for us", "level": "office"}, action="/notes")
    assert "Only for us" in officer.get(path).get_data(as_text=True)
    hq = browser("hq").get(path).get_data(as_text=True)
    assert "Only for us" not in hq
    assert "In the gazette" in hq


def test_a_manager_does_not_verify_their_own_work(app: Flask, browser: Browsers) -> None:
    key = make_promise(app, who="manager")
    manager = browser("manager")
    assert "Another person must verify this" in manager.get(f"/commitments/{key}").get_data(as_text=True)
    answer = manager.client.post(f"/commitments/{key}/verify", data={"csrf_token": manager.token(), "version": "1", "evidence": "x"})
    assert answer.status_code == 403
    officer = browser("officer")
    assert officer.client.post(f"/commitments/{key}/verify", data={"csrf_token": officer.token(), "evidence": "x"}).status_code == 403


def test_a_wrong_promise_keeps_its_text(app: Flask, browser: Browsers) -> None:
    make_party(app, "Ministry of Finance")
    good = {"party-text": "Ministry of Finance", "words": "A careful promise", "witness": "Dr. Sami"}
    bads = [
        {"party-text": ""},
        {"party-text": "Nobody Known"},
        {"words": ""},
        {"words": "w" * 20_001},
        {"kind": "bribe"},
        {"made_on": ""},
        {"made_on": "2099-01-01"},
        {"due_on": "whenever"},
        {"due_on": "1950-01-01"},
        {"quantity": "q" * 201},
        {"witness": "w" * 301},
        {"owner_id": str(uuid.UUID(int=3))},
        {"direction": "sideways"},
        {"level": "x"},
    ]
    refuse(browser("officer"), "/commitments/new", good, bads)
    assert count(app, Commitment) == 0


def test_a_follow_up_is_set_moved_and_done_in_one_tap(app: Flask, browser: Browsers) -> None:
    key = make_meeting(app, make_party(app, "Ministry of Finance"))
    officer = browser("officer")
    back = officer.submit(f"/follow-ups/new?interaction={key}", {"text": "Send the costing", "within": "3"})
    assert path_of(back) == f"/interactions/{key}"
    home = tree(officer.get("/"))
    action = home.xpath("//form[contains(@action, '/done')]/@action")[0]
    officer.submit(action.removesuffix("/done"), {"due_on": (TODAY + timedelta(days=1)).isoformat()}, action=action.removesuffix("/done"))
    assert "Send the costing" in officer.get("/follow-ups/").get_data(as_text=True)
    done = officer.submit("/", {}, action="/done")
    assert path_of(done) == "/"
    assert "Send the costing" not in tree(officer.get("/follow-ups/")).xpath("string(//main//table)")
    assert "Send the costing" in officer.get("/follow-ups/?state=done").get_data(as_text=True)
    officer.submit("/follow-ups/?state=done", {}, action="/reopen")
    assert "Send the costing" in officer.get("/follow-ups/").get_data(as_text=True)


def test_a_wrong_follow_up_keeps_its_text(app: Flask, browser: Browsers) -> None:
    bads = [
        {"text": ""},
        {"text": "t" * 601},
        {"within": "", "due_on": ""},
        {"within": "x" * 9},
        {"due_on": "someday"},
        {"owner_id": str(uuid.UUID(int=3))},
        {"party-text": "Nobody"},
    ]
    refuse(browser("officer"), "/follow-ups/new", {"text": "A step to take"}, bads)
    assert count(app, FollowUp) == 0


def test_others_find_nothing_and_viewers_change_nothing(app: Flask, browser: Browsers) -> None:
    """P1c: foreign is absent; a viewer reads."""
    key = make_promise(app)
    step = in_world(app, "officer", lambda a, o: follow_ups.create_follow_up(a, follow_ups.NewFollowUp(o, "Step", TODAY)))
    party = make_party(app, "Ministry of Finance")
    ask = in_world(app, "officer", lambda a, o: asks.create_ask(a, asks.NewAsk(o, party, "An ask.")))
    other, viewer = browser("other"), browser("viewer")
    for path in (
        f"/commitments/{key}",
        f"/commitments/{key}/edit",
        f"/asks/{ask}",
        f"/asks/{ask}/edit",
        f"/asks/{ask}/close",
        f"/follow-ups/{step}",
    ):
        other.get(path, status=404)
    for path in (
        f"/commitments/{key}/edit",
        f"/asks/{ask}/edit",
        f"/follow-ups/{step}",
        "/asks/new",
        "/commitments/new",
        "/follow-ups/new",
    ):
        viewer.get(path, status=403)
    viewer.get(f"/commitments/{key}")
    viewer.get(f"/asks/{ask}")
    for path in (f"/follow-ups/{step}/done", f"/asks/{ask}/reopen", f"/commitments/{key}/outcome", f"/commitments/{key}/notes"):
        assert viewer.client.post(path, data={"csrf_token": viewer.token()}).status_code == 403
        assert other.client.post(path, data={"csrf_token": other.token()}).status_code == 404


def test_odd_addresses_of_lists_are_harmless(app: Flask, browser: Browsers) -> None:
    officer = browser("officer")
    for path in ("/asks/", "/commitments/", "/follow-ups/"):
        for odd in (
            "status=%00",
            "party=x",
            "programme=1",
            "sort=--",
            "after=AAAA",
            "page=0",
            "per_page=1e9",
            "whose=x",
            "state=x",
            "direction=x",
            "kind=x",
        ):
            officer.get(f"{path}?{odd}")


def test_an_edit_conflict_of_a_promise_is_settled(app: Flask, browser: Browsers) -> None:
    """F7."""
    key = make_promise(app)
    mine, theirs = browser("officer"), browser("grants")
    target, values = mine.fields(f"/commitments/{key}/edit")
    theirs.submit(f"/commitments/{key}/edit", {"due_on": "2031-05-05", "words": "Their words"})
    answer = mine.client.post(target, data=values | {"due_on": "2032-06-06", "witness": "My witness"})
    assert answer.status_code == 409
    form = next(form for form in tree(answer).forms if "settled" in form.fields)
    saved = mine.client.post(target, data=dict(form.form_values()) | {"choose-due_on": "theirs"})
    assert saved.status_code == 303, errors(saved)
    text = mine.get(f"/commitments/{key}").get_data(as_text=True)
    for expected in ("5 May 2031", "My witness", "Their words"):
        assert expected in text


def test_the_filter_of_asks_shows_what_its_label_says(app: Flask, browser: Browsers) -> None:
    """A status shows the asks whose page says that word; "not settled" those that still want a full answer."""
    party = make_party(app, "Ministry of Finance")

    def ask(sentence: str, by_when: Any, answer: str = "") -> uuid.UUID:
        made: uuid.UUID = in_world(app, "officer", lambda a, o: asks.create_ask(a, asks.NewAsk(o, party, sentence, by_when)))
        if answer:
            make_meeting(app, party, answers=[asks.NewAnswer(made, answer, "")])
        return made

    tomorrow, yesterday = TODAY + timedelta(days=1), TODAY - timedelta(days=1)
    ask("The open one", tomorrow)
    ask("The timeless one", None)
    ask("The overdue one", yesterday)
    ask("The half one", tomorrow, "part")
    ask("The granted one", yesterday, "yes")
    ask("The raised one", tomorrow, "none")
    closed = ask("The closed one", tomorrow)
    in_world(app, "officer", lambda a, _o: asks.close_ask(a, closed, reason="Overtaken.", version=1))
    expected = {
        "open": {"open", "timeless", "raised"},
        "overdue": {"overdue"},
        "answered": {"half", "granted"},
        "closed": {"closed"},
        "unsettled": {"open", "timeless", "raised", "overdue", "half"},
    }
    names = {"open", "timeless", "overdue", "half", "granted", "raised", "closed"}
    officer = browser("officer")
    for status, wanted in expected.items():
        page = officer.get(f"/asks/?status={status}").get_data(as_text=True)
        assert {name for name in names if f"The {name} one" in page} == wanted, status


def test_who_changed_what_on_asks_and_follow_ups(app: Flask, browser: Browsers) -> None:
    officer = browser("officer")
    party = make_party(app, "Ministry of Finance")
    ask = in_world(app, "officer", lambda a, o: asks.create_ask(a, asks.NewAsk(o, party, "The first words.")))
    officer.submit(f"/asks/{ask}/edit", {"sentence": "Other words.", "by_when": "2030-01-31"})
    step = in_world(
        app, "officer", lambda a, o: follow_ups.create_follow_up(a, follow_ups.NewFollowUp(o, "Send it", TODAY, a.user_id, party_id=party))
    )
    officer.submit(f"/follow-ups/{step}", {"text": "Send it twice"}, action=f"/follow-ups/{step}")
    pages = {f"/asks/{ask}": ("The first words.", "Other words.", "31 Jan 2030"), f"/follow-ups/{step}": ("Send it", "Send it twice")}
    for path, said in pages.items():
        assert f"{path}/history" in officer.get(path).get_data(as_text=True)
        page = " ".join(tree(officer.get(f"{path}/history")).text_content().split())
        for words in (*said, "Officer Person", "Recorded"):
            assert words in page, (path, words)
        browser("viewer").get(f"{path}/history")
        browser("other").get(f"{path}/history", status=404)
