"""F7: an edit never overwrites another's silently; fields that only one of the two touched are no conflict."""

from __future__ import annotations

from datetime import date

import pytest

from crm.db import transactional
from crm.errors import EditConflict
from crm.queries import history
from crm.queries import positions as found
from crm.services import positions
from crm.services.versions import check_version
from tests.factories.parties import make, office_id


@pytest.fixture
def tenure(acting):
    actor = acting("officer")
    post = positions.add_position(actor, office_id("JOR"), positions.NewPosition(make(actor), "Minister"))
    person = make(actor, "Amal Haddad", form="person")
    key = positions.add_tenure(actor, office_id("JOR"), positions.NewTenure(post, person, date(2025, 1, 1)))

    def edit(version: int, **changes: object):
        held = found.tenure(key)
        fields = {name: getattr(held, name) for name in ("starts_on", "ends_on", "form_of_address", "biography")}
        positions.edit_tenure(actor, key, version, **{**fields, **changes})
        return found.tenure(key)

    return edit


def test_the_same_version_saves_and_counts_up(tenure):
    assert tenure(1, biography="one").version == 2


def test_a_field_the_other_did_not_touch_is_no_conflict(tenure):
    tenure(1, biography="theirs")
    row = tenure(1, form_of_address="mine", biography="")
    assert (row.form_of_address, row.biography, row.version) == ("mine", "theirs", 3)


def test_a_field_both_changed_shows_original_theirs_and_yours_in_its_own_type(tenure):
    tenure(1, starts_on=date(2025, 2, 2))
    tenure(2, starts_on=date(2025, 3, 3), biography="x")
    with pytest.raises(EditConflict) as caught:
        tenure(1, starts_on=date(2025, 4, 4), biography="")
    assert caught.value.changes == {"starts_on": (date(2025, 1, 1), date(2025, 3, 3), date(2025, 4, 4))}
    assert caught.value.version == 3
    assert caught.value.merged["biography"] == "x"
    assert caught.value.who == "Officer Person"
    assert tenure(3, starts_on=date(2025, 4, 4)).starts_on == date(2025, 4, 4)


def test_both_the_same_is_no_conflict(tenure):
    tenure(1, biography="alike")
    assert tenure(1, biography="alike").biography == "alike"


def test_a_change_put_back_is_no_conflict(tenure):
    tenure(1, biography="there")
    tenure(2, biography="")
    assert tenure(1, biography="mine").biography == "mine"


@pytest.mark.parametrize("version", [0, -1, 99])
def test_a_form_without_its_version_saves_nothing_that_differs(tenure, version):
    tenure(1, biography="theirs")
    with pytest.raises(EditConflict) as caught:
        tenure(version, biography="mine")
    assert caught.value.changes == {"biography": (None, "theirs", "mine")}


def test_the_original_of_a_field_is_told_by_the_history(tenure):
    tenure(1, starts_on=date(2025, 2, 2))
    row = tenure(2, biography="x")
    assert history.original_of(row, "starts_on", 1) == date(2025, 1, 1)
    assert history.original_of(row, "starts_on", 2) == date(2025, 2, 2)
    assert history.original_of(row, "form_of_address", 1) == ""


def test_what_comes_back_is_what_to_write(tenure):
    @transactional
    def run() -> None:
        row = tenure(1, biography="theirs")
        assert check_version(row, 1, {"biography": "", "form_of_address": "mine"}) == {"biography": "theirs", "form_of_address": "mine"}

    run()


def test_the_history_pages_through_everything_newest_first(tenure):
    row = tenure(1, biography="0")
    for number in range(1, 8):
        row = tenure(number + 1, biography=str(number))
    seen, before = [], None
    while True:
        page = history.history_of(row.person_id, before=before, size=3)
        seen += [entry.seq for entry in page.entries]
        before = page.before
        if before is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == 10  # the person, the tenure, eight changes
