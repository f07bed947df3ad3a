"""Logging contacts through the pages: typed text kept, one record per form, names in doubt, levels, counts of statements."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from crm import clock
from crm.db import db
from crm.models.asks import Ask
from crm.models.commitments import Commitment
from crm.models.interactions import FollowUp, Interaction
from crm.models.offices import Office
from crm.models.parties import Party
from crm.policy import Actor, bind_actor
from crm.services import asks, interactions, users
from crm.services.interactions import AskMade, NewAnswer, NewInteraction, NewParticipant, NewPromise, NextStep
from crm.services.parties import NewParty, create_party
from tests.factories import world
from tests.factories.browser import Browser, errors, tree
from tests.factories.counting import count_statements

Browsers = Callable[[str | None], Browser]
HOSTILE = "<script>alert(1)</script>\u202e{{7*7}}%s' OR 1=1--\x00"


def in_world(app: Flask, name: str, work: Callable[[Actor, uuid.UUID], Any]) -> Any:
    with app.app_context():
        actor = users.actor_by_email(world.address(name))
        bind_actor(actor)
        assert actor.home_office_id is not None
        try:
            return work(actor, actor.home_office_id)
        finally:
            db.session.remove()


def count(app: Flask, table: Any, name: str = "officer") -> int:
    return int(in_world(app, name, lambda _actor, _office: db.session.scalar(select(func.count()).select_from(table))))


def make_party(app: Flask, name: str, form: str = "organisation", who: str = "officer") -> uuid.UUID:
    made: uuid.UUID = in_world(app, who, lambda actor, office: create_party(actor, office, NewParty(form, name)))
    return made


def make_meeting(app: Flask, party_id: uuid.UUID, **more: Any) -> uuid.UUID:
    def work(actor: Actor, office: uuid.UUID) -> uuid.UUID:
        values: dict[str, Any] = {"state": "held", "kind": "meeting", "starts_at": clock.now() - timedelta(hours=3), "summary": "Said"}
        return interactions.log_interaction(actor, NewInteraction(office_id=office, party_id=party_id, **{**values, **more}))

    made: uuid.UUID = in_world(app, "officer", work)
    return made


def path_of(response: Any) -> str:
    return str(response.headers["Location"]).partition("?")[0]


def test_a_meeting_is_logged_with_a_name_and_a_sentence(app: Flask, browser: Browsers) -> None:
    make_party(app, "Ministry of Health")
    officer = browser("officer")
    answer = officer.submit("/interactions/new", {"party-text": "ministry of health", "summary": "They agreed to meet again."})
    page = officer.get(answer.headers["Location"])
    text = page.get_data(as_text=True)
    assert "They agreed to meet again." in text
    assert "Ministry of Health" in text
    assert "Done, and what next" in text
    assert count(app, Interaction) == 1


def test_everything_at_once(app: Flask, browser: Browsers) -> None:
    party = make_party(app, "Government of Norland")
    ask = in_world(app, "officer", lambda a, o: asks.create_ask(a, asks.NewAsk(o, party, "Pledge EUR 10 million.")))
    officer = browser("officer")
    made = officer.submit(
        f"/interactions/new?party={party}",
        {
            "summary": "Long talk",
            "office_note": "Doubts inside",
            "answers-0-answer": "part",
            "answers-0-words": "Seven, maybe",
            "promises-0-words": "We will pledge seven million",
            "promises-0-kind": "financial",
            "promises-0-due_on": "31 Dec 2099",
            "follow_ups-0-text": "Send the costing",
            "follow_ups-0-within": "14",
            "theirs-0-name": "Ana Free",
            "theirs-0-post": "Ambassador",
        },
    )
    text = officer.get(made.headers["Location"]).get_data(as_text=True)
    for expected in (
        "Long talk",
        "Doubts inside",
        "Seven, maybe",
        "We will pledge seven million",
        "Send the costing",
        "Ana Free",
        "Ambassador",
    ):
        assert expected in text
    assert "Money was promised" in text
    assert "Answered: in part" in officer.get(f"/asks/{ask}").get_data(as_text=True)
    regional = browser("hq").get(path_of(made)).get_data(as_text=True)
    assert "Long talk" in regional
    assert "Doubts inside" not in regional


def test_a_double_click_makes_one_meeting(app: Flask, browser: Browsers) -> None:
    """F6: the same form sent twice answers alike and makes one record of each."""
    make_party(app, "Ministry of Health")
    officer = browser("officer")
    target, values = officer.fields("/interactions/new")
    values |= {"party-text": "Ministry of Health", "summary": "Once", "promises-0-words": "A promise", "follow_ups-0-text": "A step"}
    first = officer.client.post(target, data=values)
    second = officer.client.post(target, data=values)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["Location"] == second.headers["Location"]
    assert (count(app, Interaction), count(app, Commitment), count(app, FollowUp)) == (1, 1, 1)


def test_an_unknown_name_is_offered_to_be_added(app: Flask, browser: Browsers) -> None:
    officer = browser("officer")
    target, values = officer.fields("/interactions/new")
    values |= {"party-text": "Jane Never Met", "summary": "Kept sentence"}
    answer = officer.client.post(target, data=values)
    page = tree(answer)
    assert answer.status_code == 422
    assert page.xpath("//input[@name='party-text']/@value") == ["Jane Never Met"]
    assert page.xpath("//textarea[@name='summary']")[0].text.strip() == "Kept sentence"
    assert page.xpath("//input[@name='party-choice']/@value") == ["new:person", "new:organisation", "new:group"]
    assert count(app, Party) == 0
    form = next(form for form in page.forms if form.action and form.action.endswith("/interactions/new") and form.method == "POST")
    again = dict(form.form_values())
    again["party-choice"] = "new:person"
    saved = officer.client.post(target, data=again)
    assert saved.status_code == 303, errors(saved)
    assert "Jane Never Met" in officer.get(saved.headers["Location"]).get_data(as_text=True)


def test_names_in_doubt_come_back_as_choices(app: Flask, browser: Browsers) -> None:
    first = make_party(app, "Rana Haddad", "person")
    second = make_party(app, "Rana Haddad", "person")
    officer = browser("officer")
    target, values = officer.fields("/interactions/new")
    values |= {"party-text": "Rana Haddad", "summary": "x"}
    answer = officer.client.post(target, data=values)
    assert answer.status_code == 422
    offered = tree(answer).xpath("//input[@name='party-choice']/@value")
    assert set(offered[:2]) == {str(first), str(second)}
    values |= {"party-choice": str(second), "party-choice_for": "Rana Haddad"}
    assert officer.client.post(target, data=values).status_code == 303
    # a choice for another text does not count
    values |= {"party-text": "Rana Other", "submission": uuid.uuid4().hex}
    assert officer.client.post(target, data=values).status_code == 422


def test_a_foreign_party_cannot_be_chosen(app: Flask, browser: Browsers) -> None:
    """P3: an id of another office's party in the hidden field is as good as none."""
    foreign = make_party(app, "Kenyan Person", "person", who="other")
    officer = browser("officer")
    target, values = officer.fields("/interactions/new")
    values |= {"party-text": "Kenyan Person", "party-choice": str(foreign), "party-choice_for": "Kenyan Person", "summary": "x"}
    answer = officer.client.post(target, data=values)
    assert answer.status_code == 422
    assert str(foreign) not in tree(answer).xpath("//input[@name='party-choice']/@value")


def test_look_up_shows_the_asks_and_keeps_the_text(app: Flask, browser: Browsers) -> None:
    party = make_party(app, "Ministry of Health")
    in_world(app, "officer", lambda a, o: asks.create_ask(a, asks.NewAsk(o, party, "Sign the decree.")))
    officer = browser("officer")
    target, values = officer.fields("/interactions/new")
    values |= {"party-text": "MINISTRY of health", "summary": "Half a sentence", "look-up": "party", "promises-0-words": "kept words"}
    answer = officer.client.post(target, data=values)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    for expected in ("Sign the decree.", "Half a sentence", "kept words"):
        assert expected in text
    assert count(app, Interaction) == 0


def test_another_row_without_a_script(app: Flask, browser: Browsers) -> None:
    officer = browser("officer")
    target, values = officer.fields("/interactions/new")
    values |= {"promises-0-words": "First promise", "add": "promises"}
    page = tree(officer.client.post(target, data=values))
    assert [(area.text or "").strip() for area in page.xpath("//textarea[contains(@name, 'promises-')]")] == ["First promise", ""]
    assert count(app, Interaction) == 0


BAD: list[dict[str, str]] = [
    {"day": "not a day"},
    {"day": ""},
    {"day": "31.12.2099"},
    {"time": "25:99"},
    {"summary": ""},
    {"summary": "x" * 20_001},
    {"kind": "<b>"},
    {"level": "nobody"},
    {"minutes": "-3"},
    {"minutes": "ages"},
    {"place_text": "y" * 201},
    {"language": "z" * 61},
    {"programme_id": "no-id"} | {"summary": ""},
    {"programme_id": str(uuid.UUID(int=7))},
    {"promises-0-words": "p", "promises-0-due_on": "never"},
    {"promises-0-words": "p" * 20_001},
    {"promises-0-words": "p", "promises-0-kind": "bribe"},
    {"promises-0-words": "p", "promises-0-direction": "sideways"},
    {"follow_ups-0-text": "step", "follow_ups-0-within": "", "follow_ups-0-due_on": ""},
    {"follow_ups-0-text": "s" * 601},
    {"follow_ups-0-text": "step", "follow_ups-0-owner_id": str(uuid.UUID(int=9))},
    {"theirs-0-name": "n" * 301},
    {"theirs-0-post": "Minister without a name"},
    {"ours": str(uuid.UUID(int=9))},
    {"office_note": "o" * 20_001},
    {"purpose": "q" * 601},
    {"party-text": "w" * 301},
    {"party-text": ""},
    {"party-text": HOSTILE},
    {"answers-0-ask_id": str(uuid.UUID(int=5)), "answers-0-answer": "yes"},
    {"answers-0-ask_id": "junk", "answers-0-answer": "yes"},
]


def test_bad_input_is_refused_by_the_field_and_nothing_is_lost(app: Flask, browser: Browsers) -> None:
    """P2: each field empty, over-long, wrong, hostile: 422, a sentence whose link lands on the field, the text kept."""
    make_party(app, "Ministry of Health")
    officer = browser("officer")
    target, values = officer.fields("/interactions/new")
    for bad in BAD:
        refuse(officer, target, values, bad)
    assert count(app, Interaction) == 0
    assert count(app, Commitment) == 0
    assert count(app, Party) == 1


def refuse(officer: Browser, target: str, values: dict[str, Any], bad: dict[str, str]) -> None:
    values = values | {"party-text": "Ministry of Health", "summary": "My careful sentence", "promises-1-words": "A second promise", **bad}
    answer = officer.client.post(target, data=values)
    assert answer.status_code == 422, bad
    page = tree(answer)
    assert page.xpath("//*[@role='alert']//li"), "no summary"
    for link in page.xpath("//*[@role='alert']//li/a/@href"):
        assert page.xpath(f"//*[@id='{link[1:]}']"), (bad, link)
    for name, value in bad.items():
        if (
            name.split("-")[-1] in ("kind", "level", "direction", "programme_id", "owner_id", "ours", "within", "ask_id", "answer")
            or "\x00" in value
        ):
            continue
        controls = page.xpath(f"//*[@name='{name}']")
        shown = controls[0].get("value") if controls[0].tag == "input" else (controls[0].text or "")
        assert (shown or "").strip() == value, bad
    assert page.xpath("//textarea[contains(@name, 'promises-1')]")[0].text.strip() == "A second promise"


def test_hostile_text_is_only_text(app: Flask, browser: Browsers) -> None:
    """P4: markup stays text on the page."""
    make_party(app, "Ministry of Health")
    officer = browser("officer")
    made = officer.submit(
        "/interactions/new",
        {
            "party-text": "Ministry of Health",
            "summary": HOSTILE,
            "promises-0-words": HOSTILE,
            "theirs-0-name": HOSTILE,
            "place_text": HOSTILE,
        },
    )
    text = officer.get(made.headers["Location"]).get_data(as_text=True)
    assert "<script>alert(1)</script>" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in officer.get("/interactions/").get_data(as_text=True)


def test_a_meeting_is_planned_then_written_up_then_shown_on_home(app: Flask, browser: Browsers) -> None:
    make_party(app, "Ministry of Health")
    officer = browser("officer")
    made = officer.submit(
        "/interactions/new?state=planned",
        {
            "party-text": "Ministry of Health",
            "purpose": "Budget line",
            "new_ask-sentence": "Put it in the budget.",
            "point_1": "One",
            "point_2": "نقطة",
            "red_line": "No fees",
        },
    )
    path = path_of(made)
    page = officer.get(path).get_data(as_text=True)
    assert "<bdi>One</bdi>\n<bdi>نقطة</bdi></dd>" in page, "each point in its own direction, on a line of its own"
    for expected in ("Make the pack", f"{path}/brief", "Budget line", "Put it in the budget.", "No fees", "Write up"):
        assert expected in page
    home = officer.get("/").get_data(as_text=True)
    assert "Ministry of Health" in home
    assert "Make the pack" in home
    assert "Open pack" not in home
    key = path.rsplit("/", 1)[1]
    target, values = officer.fields(f"/interactions/new?planned={key}")
    today = clock.today("Asia/Amman")
    values |= {"summary": "They said no", "answers-0-answer": "no", "day": today.isoformat(), "time": "00:00"}
    written = officer.client.post(target, data=values)
    assert written.status_code == 303, errors(written)
    assert path_of(written) == path
    page = officer.get(path).get_data(as_text=True)
    assert "They said no" in page
    assert "No fees" in page, "the plan was lost"
    officer.get(f"/interactions/new?planned={key}", status=302)


def test_cancelling_keeps_the_reason(app: Flask, browser: Browsers) -> None:
    party = make_party(app, "Ministry of Health")
    key = make_meeting(app, party, state="planned", starts_at=clock.now() + timedelta(days=2), summary="")
    officer = browser("officer")
    officer.submit(f"/interactions/{key}/cancel", {"reason": ""}, status=422)
    officer.submit(f"/interactions/{key}/cancel", {"reason": "The minister travels."})
    assert "The minister travels." in officer.get(f"/interactions/{key}").get_data(as_text=True)


def test_an_edit_conflict_is_shown_and_settled(app: Flask, browser: Browsers) -> None:
    """F7: 409 with yours, theirs, original; the choice is saved, other fields of both survive."""
    key = make_meeting(app, make_party(app, "Ministry of Health"), place_text="Here")
    mine, theirs = browser("officer"), browser("grants")
    target, values = mine.fields(f"/interactions/{key}/edit")
    theirs.submit(f"/interactions/{key}/edit", {"summary": "Their words", "place_text": "There"})
    answer = mine.client.post(target, data=values | {"summary": "My words", "language": "Arabic"})
    assert answer.status_code == 409
    page = tree(answer)
    text = page.text_content()
    for expected in ("Their words", "My words", "Said"):
        assert expected in text
    form = next(form for form in page.forms if "settled" in form.fields)
    chosen = dict(form.form_values()) | {"choose-summary": "yours"}
    saved = mine.client.post(target, data=chosen)
    assert saved.status_code == 303, errors(saved)
    shown = mine.get(f"/interactions/{key}").get_data(as_text=True)
    for expected in ("My words", "Arabic", "There"):
        assert expected in shown


def planned_with_ask(app: Flask) -> tuple[str, dict[str, str]]:
    """A meeting of tomorrow about an ask, whose day has come."""
    party = make_party(app, "Ministry of Health")
    ask = in_world(app, "officer", lambda a, o: asks.create_ask(a, asks.NewAsk(o, party, "No fees for under-fives.")))
    key = make_meeting(app, party, state="planned", starts_at=clock.now() + timedelta(minutes=5), summary="", ask_id=ask)
    return str(key), {"answers-0-ask_id": str(ask)}


def test_two_who_write_up_one_meeting_lose_nothing(app: Flask, browser: Browsers) -> None:
    """F7: the second one sees yours / theirs / original; promises are added, an answer that differs is named, none goes away."""
    key, _ask = planned_with_ask(app)
    first, second = browser("officer"), browser("grants")
    target, mine = second.fields(f"/interactions/new?planned={key}")
    first_target, theirs = first.fields(f"/interactions/new?planned={key}")
    theirs |= {"summary": "Their words", "answers-0-answer": "yes", "promises-0-words": "They send a letter"}
    assert first.client.post(first_target, data=theirs).status_code == 303
    again = first.client.post(first_target, data=theirs)
    assert again.status_code == 303, "a second click is answered like the first"
    assert path_of(again) == f"/interactions/{key}"
    mine |= {"summary": "My words", "promises-0-words": "They name a focal point", "place_text": "Amman", "answers-0-answer": "no"}
    answer = second.client.post(target, data=mine)
    assert answer.status_code == 409
    page = tree(answer)
    for expected in ("Their words", "My words"):
        assert expected in page.text_content()
    form = next(form for form in page.forms if "settled" in form.fields)
    chosen = dict(form.form_values()) | {"choose-summary": "theirs"}
    refused = second.client.post(target, data=chosen)
    assert refused.status_code == 422
    assert "“Yes” meanwhile" in refused.get_data(as_text=True)
    assert "They name a focal point" in refused.get_data(as_text=True)
    saved = second.client.post(target, data=chosen | {"answers-0-answer": ""})
    assert saved.status_code == 303, errors(saved)
    shown = second.get(f"/interactions/{key}").get_data(as_text=True)
    for expected in ("Their words", "They send a letter", "They name a focal point", "Amman", "Yes"):
        assert expected in shown
    assert "My words" not in shown


def test_a_meeting_cancelled_meanwhile_is_written_up_by_itself(app: Flask, browser: Browsers) -> None:
    """Nothing typed is lost: the refusal says so, and sent again it is a contact of its own."""
    key, _ask = planned_with_ask(app)
    mine, theirs = browser("officer"), browser("grants")
    target, values = mine.fields(f"/interactions/new?planned={key}")
    theirs.submit(f"/interactions/{key}/cancel", {"reason": "The minister travels."})
    answer = mine.client.post(target, data=values | {"summary": "We met all the same"})
    assert answer.status_code == 422
    assert "cancelled meanwhile" in answer.get_data(as_text=True)
    form = next(form for form in tree(answer).forms if "summary" in form.fields)
    assert form.fields["summary"].strip() == "We met all the same"
    saved = mine.client.post(target, data=dict(form.form_values()))
    assert saved.status_code == 303, errors(saved)
    assert path_of(saved) != f"/interactions/{key}"
    assert "We met all the same" in mine.get(path_of(saved)).get_data(as_text=True)


@pytest.mark.parametrize("closing", ["cancelled", "written up"])
def test_the_plan_typed_into_a_closed_meeting_stays_on_the_page(app: Flask, browser: Browsers, closing: str) -> None:
    key, _ask = planned_with_ask(app)
    mine, theirs = browser("officer"), browser("grants")
    target, values = mine.fields(f"/interactions/{key}/edit")
    if closing == "cancelled":
        theirs.submit(f"/interactions/{key}/cancel", {"reason": "The minister travels."})
    else:
        theirs.submit(f"/interactions/new?planned={key}", {"summary": "Said", "answers-0-answer": ""})
    answer = mine.client.post(target, data=values | {"offer": "A visit to the clinic", "point_2": "Second of all"})
    assert answer.status_code == 422
    assert f"{closing} meanwhile" in answer.get_data(as_text=True)
    form = next(form for form in tree(answer).forms if "offer" in form.fields)
    assert (form.fields["offer"], form.fields["point_2"]) == ("A visit to the clinic", "Second of all")
    mine.get(f"/interactions/{key}/edit", status=302 if closing == "cancelled" else 200)


@pytest.mark.parametrize(
    ("path", "field", "typed"),
    [
        ("/interactions/new", "planned", {"summary": "Long words typed on a bus"}),
        ("/commitments/new", "interaction_id", {"words": "Long words typed on a bus"}),
        ("/commitments/new", "ask_id", {"words": "Long words typed on a bus"}),
        ("/follow-ups/new", "commitment_id", {"text": "Long words typed on a bus"}),
    ],
)
def test_what_a_form_belonged_to_may_vanish_but_not_the_words(
    app: Flask, browser: Browsers, path: str, field: str, typed: dict[str, str]
) -> None:
    make_party(app, "Ministry of Health")
    officer = browser("officer")
    target, values = officer.fields(path)
    gone = values | typed | {"party-text": "Ministry of Health", field: str(uuid.UUID(int=7))}
    answer = officer.client.post(target, data=gone)
    assert answer.status_code == 422
    assert "can no longer be opened" in answer.get_data(as_text=True)
    assert "Long words typed on a bus" in answer.get_data(as_text=True)
    name = next(iter(typed))
    form = next(form for form in tree(answer).forms if name in form.fields)
    saved = officer.client.post(target, data=dict(form.form_values()))
    assert saved.status_code == 303, errors(saved)


def test_who_may_only_look_is_refused(app: Flask, browser: Browsers) -> None:
    key = make_meeting(app, make_party(app, "Ministry of Health"))
    viewer = browser("viewer")
    viewer.get(f"/interactions/{key}")
    for path in ("/interactions/new", f"/interactions/{key}/edit", f"/interactions/{key}/cancel", f"/interactions/{key}/answers"):
        viewer.get(path, status=403)
    assert viewer.client.post("/interactions/new", data={"csrf_token": viewer.token()}).status_code == 403


def test_foreign_and_absent_are_the_same_404(app: Flask, browser: Browsers) -> None:
    """P1c."""
    key = make_meeting(app, make_party(app, "Ministry of Health"))
    other = browser("other")
    for path in ("", "/edit", "/cancel", "/answers"):
        foreign = other.get(f"/interactions/{key}{path}", status=404)
        absent = other.get(f"/interactions/{uuid.UUID(int=1)}{path}", status=404)
        assert foreign.get_data() == absent.get_data() or len(foreign.get_data()) == len(absent.get_data())


def test_what_the_office_keeps_shows_nowhere_above(app: Flask, browser: Browsers) -> None:
    """Levels: lists, counts, home and the pages of the chain tell headquarters nothing."""
    party = make_party(app, "Ministry of Health")
    ask = in_world(app, "officer", lambda a, o: asks.create_ask(a, asks.NewAsk(o, party, "Open ask.")))
    hq = browser("hq")
    pages = (
        "/",
        "/interactions/",
        "/asks/",
        "/commitments/",
        "/follow-ups/?whose=all",
        f"/asks/{ask}",
        "/commitments/?status=open",
        "/interactions/?state=planned",
    )
    before = {path: masked(hq.get(path)) for path in pages}
    key = make_meeting(
        app,
        party,
        level="office",
        summary="CANARY summary",
        answers=[NewAnswer(ask, "yes", "CANARY answer")],
        promises=[NewPromise(words="CANARY promise", due_on=clock.today()), NewPromise("ours", words="CANARY ours", due_on=clock.today())],
        follow_ups=[NextStep("CANARY step", clock.today())],
        participants=[NewParticipant("theirs", name="CANARY guest")],
        office_note="CANARY note",
    )
    make_meeting(
        app,
        party,
        level="office",
        state="planned",
        starts_at=clock.now() + timedelta(hours=4),
        summary="",
        purpose="CANARY plan",
        new_ask=AskMade("CANARY ask"),
    )
    assert "CANARY summary" in browser("viewer").get(f"/interactions/{key}").get_data(as_text=True)
    hq.get(f"/interactions/{key}", status=404)
    for path in pages:
        assert masked(hq.get(path)) == before[path], path


def masked(response: Any) -> str:
    page = tree(response)
    for element in page.xpath("//input[@name='csrf_token']|//input[@name='submission']"):
        element.set("value", "")
    return str(page.text_content())


def test_the_list_filters_sorts_and_pages(app: Flask, browser: Browsers) -> None:
    ministry, radio = make_party(app, "Ministry of Health"), make_party(app, "Radio Azraq")
    make_meeting(app, ministry, summary="Alpha", starts_at=clock.now() - timedelta(days=40))
    make_meeting(app, radio, summary="Beta", kind="media")
    officer = browser("officer")
    everything = officer.get("/interactions/").get_data(as_text=True)
    assert everything.index("Beta") < everything.index("Alpha")
    turned = officer.get("/interactions/?sort=when").get_data(as_text=True)
    assert turned.index("Alpha") < turned.index("Beta")
    for query, shown, hidden in (
        ("kind=media", "Beta", "Alpha"),
        (f"party={ministry}", "Alpha", "Beta"),
        (f"to={date.today() - timedelta(days=20)}", "Alpha", "Beta"),  # noqa: DTZ011 - any day will do
        ("state=held&kind=meeting", "Alpha", "Beta"),
    ):
        text = officer.get(f"/interactions/?{query}").get_data(as_text=True)
        assert shown in text, query
        assert hidden not in text, query
    for odd in ("kind=%00", "party=x", "from=nonsense", "to=9999-12-31", "page=999999", "after=%FF", "sort=drop", "per_page=-1"):
        officer.get(f"/interactions/?{odd}")


def test_pages_send_a_constant_number_of_statements(app: Flask, browser: Browsers) -> None:
    party = make_party(app, "Ministry of Health")
    ask = in_world(app, "officer", lambda a, o: asks.create_ask(a, asks.NewAsk(o, party, "An ask.", clock.today())))

    def fill(number: int) -> uuid.UUID:
        key = uuid.UUID(int=0)
        for index in range(number):
            key = make_meeting(
                app,
                make_party(app, f"Party {uuid.uuid4().hex}"),
                answers=[NewAnswer(ask, "part")],
                promises=[NewPromise(words="They", due_on=clock.today()), NewPromise("ours", words="We", due_on=clock.today())],
                follow_ups=[NextStep("Step", clock.today())],
                participants=[NewParticipant("theirs", name=f"Guest {index}")],
            )
            make_meeting(app, party, state="planned", starts_at=clock.now() + timedelta(hours=2), summary="")
        return key

    key = fill(1)
    officer = browser("officer")
    paths = ("/", "/interactions/", "/asks/", f"/asks/{ask}", "/commitments/", "/follow-ups/", "/interactions/new", f"/interactions/{key}")
    counts = {}
    for path in paths:
        officer.get(path)
        with count_statements(app) as sent:
            officer.get(path)
        counts[path] = sent.count
    fill(5)
    for path in paths:
        with count_statements(app) as sent:
            officer.get(path)
        assert sent.count <= counts[path], f"{path}\n{sent}"


def test_an_empty_office_is_told_what_to_do_first(app: Flask, browser: Browsers) -> None:
    page = browser("head").get("/").get_data(as_text=True)
    assert "First steps for your office" in page
    assert "Log the first interaction" in page
    assert "Bring in the first file" in page
    assert "Bring in the first file" not in browser("officer").get("/").get_data(as_text=True), "only what one may do"
    make_meeting(app, make_party(app, "Ministry of Health"))
    assert "First steps for your office" not in browser("head").get("/").get_data(as_text=True)


def test_an_office_above_begins_though_those_below_have_contacts(app: Flask, browser: Browsers) -> None:
    make_meeting(app, make_party(app, "Ministry of Health"))
    page = browser("regional").get("/").get_data(as_text=True)
    assert "First steps for your office" in page
    assert "held this month so far" in page, "what the offices below did is counted"


def test_a_regional_officer_chooses_the_office(app: Flask, browser: Browsers) -> None:
    make_party(app, "Ministry of Health")
    regional = browser("regional")
    jordan = in_world(app, "officer", lambda _actor, office: office)
    made = regional.submit("/interactions/new", {"party-text": "Ministry of Health", "summary": "From the region", "office": str(jordan)})
    assert "From the region" in browser("officer").get(path_of(made)).get_data(as_text=True)
    with app.app_context():
        assert db.session.scalars(select(Office.id).where(Office.code == "JOR")).one() == jordan


def test_a_single_near_name_is_offered_and_chosen(app: Flask, browser: Browsers) -> None:
    """F: "Did you mean …?" with the match ticked; saving again takes it, adding another stays one choice away."""
    party = make_party(app, "Government of Norland")
    officer = browser("officer")
    path, values = officer.fields("/interactions/new")
    values |= {"party-text": "Government of N", "summary": "Said"}
    answer = officer.client.post(path, data=values)
    assert answer.status_code == 422
    assert "Did you mean “Government of Norland”?" in answer.get_data(as_text=True)
    assert "More than one party" not in answer.get_data(as_text=True)
    form = next(form for form in tree(answer).forms if form.method == "POST" and "sign-out" not in (form.action or ""))
    again = dict(form.form_values())
    assert again["party-choice"] == str(party)
    assert count(app, Interaction) == 0
    assert officer.client.post(path, data=again).status_code == 303
    assert count(app, Interaction) == 1
    assert count(app, Party) == 1


def test_who_changed_what_on_an_interaction(app: Flask, browser: Browsers) -> None:
    """Names instead of ids, words instead of keys; foreign is absent."""
    key = make_meeting(app, make_party(app, "Ministry of Health"))
    make_party(app, "Ministry of Finance")
    officer = browser("officer")
    officer.submit(f"/interactions/{key}/edit", {"party-text": "Ministry of Finance", "kind": "call", "summary": HOSTILE})
    assert "/history" in officer.get(f"/interactions/{key}").get_data(as_text=True)
    page = " ".join(tree(officer.get(f"/interactions/{key}/history")).text_content().split())
    for words in ("Officer Person", "Ministry of Health", "Ministry of Finance", "Meeting", "Call", "What was said", "Recorded"):
        assert words in page, words
    assert "<script>alert" not in officer.get(f"/interactions/{key}/history").get_data(as_text=True)
    browser("other").get(f"/interactions/{key}/history", status=404)
    officer.get(f"/interactions/{key}/history?before=x")
    assert "Recorded" not in officer.get(f"/interactions/{key}/history?before=1").get_data(as_text=True)


def test_a_new_ask_of_a_plan_has_its_amount(app: Flask, browser: Browsers) -> None:
    """As on its own page: amount and currency, the same sentences, nothing typed lost."""
    make_party(app, "Ministry of Health")
    officer = browser("officer")
    path = "/interactions/new?state=planned"
    plan = {"party-text": "Ministry of Health", "new_ask-sentence": "Give for clinics.", "new_ask-currency": "EUR"}
    for amount in ("ten", "1.234", "0"):
        refused = officer.submit(path, {**plan, "new_ask-amount": amount}, status=422)
        page = tree(refused)
        assert page.xpath("//input[@name='new_ask-amount']/@value") == [amount]
        assert page.xpath("//select[@name='new_ask-currency']//option[@selected]/@value") == ["EUR"]
        assert page.xpath("//input[@name='new_ask-amount']/@aria-invalid") == ["true"]
        asked = officer.submit(
            "/asks/new",
            {"addressee-text": "Ministry of Health", "sentence": "x", "amount": amount, "currency": "EUR"},
            status=422,
        )
        assert errors(refused) == errors(asked)
    alone = officer.submit(path, {"party-text": "Ministry of Health", "new_ask-amount": "5,000,000.00"}, status=422)
    assert "Write the ask in one sentence." in errors(alone)
    assert count(app, Ask) == 0
    made = officer.submit(path, {**plan, "new_ask-amount": "10,000,000.00"})
    assert "EUR 10,000,000.00" in officer.get(path_of(made)).get_data(as_text=True)
    ask = in_world(app, "officer", lambda _a, _o: db.session.scalars(select(Ask)).one().amount)
    assert str(ask) == "EUR 10000000.00"


def test_money_stands_first_and_an_amount_in_other_words_is_pointed_at(app: Flask, browser: Browsers) -> None:
    make_party(app, "Ministry of Health")
    officer = browser("officer")
    fresh = tree(officer.get("/interactions/new"))
    assert fresh.xpath("//select[@name='promises-0-kind']/option[@selected]/@value") == ["financial"]
    typed = {
        "party-text": "Ministry of Health",
        "summary": "Talk",
        "promises-0-words": "We give EUR 3 million for salaries.",
        "promises-0-kind": "service",
        "promises-1-words": "We pay.",
        "promises-1-kind": "financial",
        "promises-1-quantity": "EUR 2 million",
    }
    made = officer.submit("/interactions/new", typed)
    page = tree(officer.get(made.headers["Location"]))
    shown = " ".join(page.text_content().split())
    assert "The words name EUR 3,000,000.00: was money promised?" in shown
    kinds = in_world(app, "officer", lambda _a, _o: {row.words: (row.kind, row.quantity) for row in db.session.scalars(select(Commitment))})
    assert kinds == {"We give EUR 3 million for salaries.": ("service", ""), "We pay.": ("financial", "EUR 2 million")}
    to_edit = page.xpath("//a[contains(., 'Say that it is money')]/@href")[0]
    assert "The words name EUR 3,000,000.00" in officer.get(to_edit.removesuffix("/edit")).get_data(as_text=True)


def test_a_meeting_of_the_coming_two_weeks_is_on_home(app: Flask, browser: Browsers) -> None:
    party = make_party(app, "Ministry of Health")
    for days, purpose in ((1, "Nearby"), (9, "Next week"), (40, "Far off")):
        make_meeting(app, party, state="planned", starts_at=clock.now() + timedelta(days=days), summary="", purpose=purpose)
    page = tree(browser("officer").get("/"))
    lists = {" ".join(part.xpath("string(.//h2)").split()): part.text_content() for part in page.xpath("//section[.//h2]")}
    assert "Nearby" in lists["Today and tomorrow 1"]
    assert "Next week" in lists["Coming up 1"]
    assert "in 9 days" in lists["Coming up 1"]
    assert not any("Far off" in text for text in lists.values())


def test_home_says_what_is_usual_only_where_it_is_known(app: Flask, browser: Browsers) -> None:
    party = make_party(app, "Ministry of Health")
    make_meeting(app, party)
    officer = browser("officer")
    assert "held this month so far" in officer.get("/").get_data(as_text=True)
    assert "a month over the" not in officer.get("/").get_data(as_text=True)
    make_meeting(app, party, starts_at=clock.now() - timedelta(days=100))
    text = officer.get("/").get_data(as_text=True)
    assert "a month over the" in text
    assert "; 0 a month" not in text


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("officer", "/interactions/new"),
        ("officer", "/asks/new"),
        ("officer", "/commitments/new"),
        ("grants", "/pledges/new"),
        ("grants", "/receipts/new"),
        ("grants", "/agreements/new"),
    ],
)
def test_what_is_typed_about_one_party_is_kept_for_that_one_alone(app: Flask, browser: Browsers, name: str, path: str) -> None:
    who = browser(name)
    parties = in_world(app, name, lambda actor, office: [create_party(actor, office, NewParty("organisation", one)) for one in "AB"])
    kept = [tree(who.get(f"{path}{query}")).xpath("string(//form/@data-draft)") for query in ("", *(f"?party={key}" for key in parties))]
    assert all(kept)
    assert len(set(kept)) == len(kept), kept
