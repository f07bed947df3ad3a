"""Templates look things up as Jinja does, only sooner."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import pytest
from flask.templating import Environment
from jinja2 import Undefined

from crm.web.templating import PageEnvironment


class Pair(NamedTuple):
    first: int
    items: str


OBJECTS = (
    {},
    {"label": "A", "items": "hidden by the method", "empty": None, 1: 2},
    {"get": "hidden too", "text": ""},
    OrderedDict(label="B"),
    Pair(1, "named"),
    "a text",
    None,
    [{"label": "C"}],
)


@pytest.mark.parametrize("thing", OBJECTS, ids=repr)
@pytest.mark.parametrize("name", ["label", "items", "get", "empty", "text", "first", "nothing", "__class__"])
def test_a_name_is_found_where_jinja_finds_it(app, thing, name):
    ours = app.jinja_env
    assert isinstance(ours, PageEnvironment)
    found, wanted = ours.getattr(thing, name), Environment.getattr(ours, thing, name)
    if isinstance(wanted, Undefined):
        assert isinstance(found, Undefined)
        assert str(found) == ""
        return
    assert found == wanted


def test_a_text_is_a_format_whose_values_are_escaped(app):
    with app.test_request_context():
        page = app.jinja_env.from_string('{{ _("100 %% of %(name)s", name=name) }} {{ _("Pledges") }}')
        assert page.render(name="<b>") == "100 % of &lt;b&gt; Pledges"
