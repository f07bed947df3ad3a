"""P4 in every form: texts of all kinds are typed, saved, and stand in the form again and on the page as they were typed."""

from __future__ import annotations

import pytest

from tests.factories import world
from tests.factories.browser import tree
from tests.factories.naughty import CLEANED, LINES, NAUGHTY
from tests.factories.planted import plant

#: Who edits which record, and its text fields: name -> how long a text may be; 0 for a field of
#: several lines, which takes all texts at once, -1 for one that keeps each line by itself.
FORMS = {
    "/parties/{parties}/edit": ("head", {"name": 300, "about": 0, "aliases": -1}),
    "/positions/{positions}/edit": ("head", {"title": 300, "portfolio": 600}),
    "/positions/tenures/{tenures}/edit": ("head", {"form_of_address": 200, "biography": 0}),
    "/parties/notes/{notes}/edit": ("head", {"body": 0}),
    "/asks/{asks}/edit": ("head", {"sentence": 600, "fallback": 600}),
    "/interactions/{interactions}/edit": ("head", {"summary": 0, "place_text": 200, "language": 60}),
    "/interactions/{planned}/edit": (
        "head",
        {"purpose": 600, "fallback": 600, "offer": 600, "point_1": 600, "point_2": 600, "point_3": 600, "red_line": 600, "place_text": 200},
    ),
    "/follow-ups/{follow_ups}": ("head", {"text": 600}),
    "/commitments/{commitments}/edit": (
        "head",
        {
            "words": 0,
            "on_behalf_of": 300,
            "place_text": 200,
            "quantity": 200,
            "baseline": 600,
            "indicator_text": 600,
            "funding_source": 600,
            "evidence": 600,
            "witness": 300,
        },
    ),
    "/programmes/{programmes}/edit": ("head", {"title": 300, "summary": 0, "place_text": 200}),
    "/programmes/{programmes}/outputs/{outputs}/edit": ("head", {"title": 300}),
    "/programmes/{programmes}/indicators/{indicators}/edit": ("head", {"title": 300, "unit": 60, "source": 600}),
    "/code-lists/entries/{codes}/edit": ("admin", {"label": 200, "description": 600}),
    "/offices/{offices}/edit": ("admin", {"name": 200}),
    "/lists/{saved_lists}/edit": ("auditor", {"name": 80}),
}
#: Which form of a page with several, and what else a form needs, since the planted record has half of it.
ACTION = {"/follow-ups/{follow_ups}": "{follow_ups}"}
MORE = {"/programmes/{programmes}/indicators/{indicators}/edit": {"baseline_value": "", "target_value": ""}}


def packed(longest):
    """The texts, as many behind each other as fit; each first once in some."""
    if longest < 0:
        return ["\n".join(NAUGHTY[:35])]
    if not longest:
        return ["\n".join((*NAUGHTY, *LINES))]
    found = [""]
    for text in (text for text in NAUGHTY if len(text) <= longest):
        if len(found[-1]) + len(text) >= longest:
            found.append("")
        found[-1] = f"{found[-1]} {text}".strip()
    return found


def values_of(page, fields, address):
    form = next((form for form in page.forms if set(fields) <= set(form.fields.keys())), None)
    assert form is not None, address
    controls = {name: form.xpath(".//*[@name=$name]", name=name)[0] for name in fields}
    return {name: (each.value or "").removeprefix("\n" if each.tag == "textarea" else "") for name, each in controls.items()}


def lines_of(values):
    """The lines of each text, in the order of letters: other names are kept without one."""
    return {name: sorted(text.split("\n")) for name, text in values.items()}


def seen(text):
    return "".join(text.split())


@pytest.fixture
def ids(app):
    with app.app_context():
        return plant("JOR", "plain")


RAN = "//*[@onerror or @onfocus or @onload] | //img[@src='x'] | //script[contains(., 'alert(')]"


@pytest.mark.slow
def test_what_is_typed_stands_in_the_form_again_and_on_the_page(ids, browser):
    clients = {who: browser(who) for who in {who for who, _fields in FORMS.values()}}
    for address, (who, fields) in FORMS.items():
        place, client = address.format(**ids), clients[who]
        texts = {name: packed(longest) for name, longest in fields.items()}
        for number in range(min(4, max(map(len, texts.values())))):
            typed = {name: each[number % len(each)] for name, each in texts.items()}
            answer = client.submit(place, {**typed, **MORE.get(address, {})}, action=ACTION.get(address, "").format(**ids) or None)
            page = tree(client.get(place))
            assert lines_of(values_of(page, fields, address)) == lines_of(typed)
            shown = client.client.get(answer.location.partition("#")[0])
            assert shown.status_code == 200
            assert not page.xpath(RAN) + tree(shown).xpath(RAN), address


def test_only_blanks_around_and_controls_are_dropped(ids, browser):
    client, place = browser("head"), f"/parties/{ids['parties']}/edit"
    for typed, kept in CLEANED.items():
        client.submit(place, {"name": typed, "about": typed})
        assert values_of(tree(client.get(place)), ("name", "about"), place) == {"name": kept, "about": kept}


#: What is written once and never edited: where it is typed, what else is, the field, and the page that shows it.
ONCE = [
    ("/interactions/{planned}/cancel", {}, "reason", "/interactions/{planned}"),
    ("/asks/{asks}/close", {}, "reason", "/asks/{asks}"),
    ("/allocations/{allocations}/reverse", {}, "reason", ""),
    ("/programmes/{programmes}/requirements/new", {"year": "2027", "amount": "5"}, "source", "/programmes/{programmes}"),
    ("/programmes/{programmes}/indicators/{indicators}/measurements/new", {"value": "5"}, "source", "/programmes/{programmes}"),
    ("/parties/{parties}/channels/new", {"kind": "phone", "value": "+41 22 555 01 01"}, "label", "/parties/{parties}"),
    ("/parties/{parties}/notes/new", {}, "body", "/parties/{parties}"),
]


def test_what_is_written_once_stands_on_its_page(ids, browser):
    text = "=1+1 </p><img src=x onerror=alert(1)> {{7*7}} %s &lt; \u202eevil عَمَّان 🧪"
    head, grants = browser("head"), browser("grants")
    person = {"email": "new@test.example", "office_id": str(ids["offices"]), "role": "viewer", "password": world.PASSWORD}
    for address, more, field, page in (*ONCE, ("/users/new", person, "name", "/offices/{offices}")):
        client = browser("admin") if "users" in address else grants if "allocations" in address or "requirements" in address else head
        answer = client.submit(address.format(**ids), {**more, field: text})
        shown = tree(client.get(page.format(**ids) or answer.location))
        assert seen(text) in seen(shown.text_content()), address
        assert not shown.xpath(RAN), address
