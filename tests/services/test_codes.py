"""Code lists: who keeps them, what an entry must be, what withdrawing, removing and translating do; programmes hold their entries."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from crm.clock import frozen, now
from crm.db import db, transactional
from crm.errors import Denied, EditConflict, Invalid, NotFound
from crm.i18n import use_locale
from crm.models.codes import GOAL_AREAS, INTERACTION_KINDS, PARTY_KINDS, SECTORS, Code
from crm.models.offices import Office
from crm.models.programmes import Programme
from crm.policy import unscoped
from crm.queries import codes as queries
from crm.queries import history, interactions, parties
from crm.queries.consistency import unknown_codes
from crm.queries.programmes import programme_detail
from crm.services import codes, fields, programmes, users
from crm.services.codes import CodeInput
from crm.services.interactions import NewInteraction, edit_interaction, log_interaction
from crm.services.parties import NewParty, edit_party
from crm.services.programmes import ProgrammeInput
from tests.factories import parties as made_parties
from tests.queries.test_money_reading import statements

STRANGE = (
    "=1+1",
    "<b>&amp;",
    "صحة الأم",
    "儿童保护",
    "e\u0301galite\u0301",
    "a\u202eb",
    "'; DROP TABLE codes; --",
    "👩‍👧 ok",
    "%s %(x)s {y}",
)


def entry(name: str, code: str) -> Code:
    return db.session.scalars(select(Code).where(Code.list_name == name, Code.code == code)).one()


def programme(actor, **values):
    office = db.session.scalars(select(Office.id).where(Office.code == "JOR")).one()
    said = {"title": "Vaccines", "starts_on": date(2026, 1, 1), "office_id": office, **values}
    return programmes.create_programme(actor, ProgrammeInput(**said))


def areas(programme_id) -> set[str]:
    db.session.expire_all()
    return {tag.code for tag in programme_detail(programme_id).programme.tags if tag.scheme == "goal-area"}


def test_the_lists_hold_what_the_constants_held(acting):
    acting("viewer")
    sectors = queries.entries(SECTORS)
    assert sectors["12240"].label == "Basic nutrition"
    assert len(sectors) == 325
    assert next(iter(queries.entries(GOAL_AREAS))) == "2022-1"


@pytest.mark.parametrize("name", ["viewer", "officer", "grants", "manager", "head", "auditor", "hq", "regional"])
def test_nobody_but_the_administrator_of_all_offices_keeps_a_list(acting, name):
    acting("admin")
    key = entry(GOAL_AREAS, "2026-1").id
    who = acting(name)
    for attempt in (
        lambda: codes.add_code(who, GOAL_AREAS, CodeInput("New", "2026-9")),
        lambda: codes.change_code(who, key, CodeInput("Changed"), version=1),
        lambda: codes.remove_code(who, key),
    ):
        with pytest.raises(Denied, match="administrator of headquarters"):
            attempt()


def test_an_administrator_of_one_country_does_not_change_what_holds_for_all(acting):
    admin = acting("admin")
    jordan = db.session.scalars(select(Office.id).where(Office.code == "JOR")).one()
    users.create_user(admin, users.NewUser("local@test.example", "Local", jordan, "administrator", "river stone lantern 42"))
    local = users.actor_by_email("local@test.example")
    with pytest.raises(Denied, match="administrator of headquarters"):
        codes.add_code(local, GOAL_AREAS, CodeInput("New", "2026-9"))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (CodeInput("New", "way too long for a code"), "code"),
        (CodeInput("New", ""), "code"),
        (CodeInput("New", "2026-1"), "code"),
        (CodeInput("New", "20/6"), "code"),
        (CodeInput(" \u200b ", "2026-9"), "label"),
        (CodeInput("n" * 201, "2026-9"), "label"),
        (CodeInput("New", "2026-9", description="d" * 601), "description"),
        (CodeInput("New", "2026-9", position=-1), "position"),
        (CodeInput("New", "2026-9", valid_from=date(2027, 1, 1), valid_to=date(2026, 1, 1)), "valid_to"),
        (CodeInput("New", "2026-9", valid_from=date(1066, 1, 1)), "valid_from"),
        (CodeInput("New", "2026-9", labels={"fr": "f" * 201}), "label_fr"),
        (CodeInput("children  LEARN", "2026-9"), "label"),
        (CodeInput("Children learn", "2026-9", valid_from=date(2029, 12, 31)), "label"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(acting, values, field):
    admin = acting("admin")
    with pytest.raises(Invalid) as refused:
        codes.add_code(admin, GOAL_AREAS, values)
    assert list(refused.value.errors) == [field]


def test_the_same_name_may_come_back_in_other_years(acting):
    admin = acting("admin")
    codes.add_code(admin, GOAL_AREAS, CodeInput("Children learn", "2030-2", valid_from=date(2030, 1, 1)))
    assert queries.entries(GOAL_AREAS)["2030-2"].label == "Children learn"


def test_a_list_that_is_not_there_takes_nothing(acting):
    with pytest.raises(NotFound):
        codes.add_code(acting("admin"), "colours", CodeInput("Blue", "blue"))


def test_a_sector_has_five_digits(acting):
    admin = acting("admin")
    with pytest.raises(Invalid, match="five digits"):
        codes.add_code(admin, SECTORS, CodeInput("Health", "health"))
    codes.add_code(admin, SECTORS, CodeInput("Adolescent health", "12299"))
    grants = acting("grants")
    assert programme(grants, sector="12299")


def test_goal_areas_are_offered_in_the_years_of_their_plan(acting):
    acting("grants")
    assert [row.code[:4] for row in queries.offered(GOAL_AREAS, date(2025, 12, 31))] == ["2022"] * 5
    assert [row.code[:4] for row in queries.offered(GOAL_AREAS, date(2026, 1, 1))] == ["2026"] * 5
    assert queries.offered(GOAL_AREAS, date(2030, 1, 1)) == []
    assert [row.code for row in queries.offered(GOAL_AREAS, date(2030, 1, 1), "2022-3")] == ["2022-3"]


def test_a_programme_takes_no_area_of_a_plan_that_is_over_and_keeps_the_one_it_has(acting):
    grants = acting("grants")
    with frozen(date(2025, 6, 1)):
        key = programme(grants, tags=[("goal-area", "2022-1")])
    with frozen(date(2026, 6, 1)):
        with pytest.raises(Invalid) as refused:
            programme(grants, tags=[("goal-area", "2022-1")])
        assert "goal_areas" in refused.value.errors
        both = ProgrammeInput("Vaccines", date(2026, 1, 1), tags=[("goal-area", "2022-1"), ("goal-area", "2026-1")])
        programmes.edit_programme(grants, key, both, version=1)
        assert areas(key) == {"2022-1", "2026-1"}
        with pytest.raises(Invalid):
            programmes.set_tags(grants, key, [("goal-area", "2022-2")])


def test_a_withdrawn_sector_stays_on_old_programmes_and_is_not_taken_anew(acting):
    grants = acting("grants")
    key = programme(grants, sector="12240")
    admin = acting("admin")
    codes.change_code(admin, entry(SECTORS, "12240").id, CodeInput("Basic nutrition", is_withdrawn=True), version=1)
    grants = acting("grants")
    with pytest.raises(Invalid, match="not offered at present") as refused:
        programme(grants, sector="12240")
    assert "sector" in refused.value.errors
    programmes.edit_programme(grants, key, ProgrammeInput("Better title", date(2026, 1, 1), sector="12240"), version=1)
    assert programme_detail(key).programme.sector == "12240"
    assert queries.label(SECTORS, "12240") == "Basic nutrition"


@pytest.mark.parametrize(
    ("name", "code", "held"), [(SECTORS, "12240", {"sector": "12240"}), (GOAL_AREAS, "2026-1", {"tags": [("goal-area", "2026-1")]})]
)
def test_what_a_record_of_any_office_holds_is_not_removed(acting, name, code, held):
    programme(acting("grants"), **held)
    admin = acting("admin")
    with pytest.raises(Invalid, match="Records hold"):
        codes.remove_code(admin, entry(name, code).id)
    with unscoped("test"):
        assert list(unknown_codes()) == []


def test_what_nobody_holds_is_removed(acting):
    admin = acting("admin")
    key = codes.add_code(admin, GOAL_AREAS, CodeInput("Mistyped", "2026-x", labels={"fr": "Erreur"}))
    assert codes.remove_code(admin, key) == GOAL_AREAS
    assert "2026-x" not in queries.entries(GOAL_AREAS)
    with pytest.raises(NotFound):
        codes.remove_code(admin, key)


def test_a_name_falls_back_to_english(acting):
    admin = acting("admin")
    key = entry(GOAL_AREAS, "2026-2").id
    codes.change_code(admin, key, CodeInput("Children learn", labels={"fr": "Les enfants apprennent", "ar": "يتعلم الأطفال"}), version=1)
    for locale, label in (("fr", "Les enfants apprennent"), ("ar", "يتعلم الأطفال"), ("es", "Children learn"), ("en", "Children learn")):
        with use_locale(locale):
            assert queries.label(GOAL_AREAS, "2026-2") == label
            assert queries.offered(GOAL_AREAS, date(2026, 6, 1))[1].label == label
    with use_locale("fr"):
        assert queries.label(GOAL_AREAS, "2026-1") == "Children survive and are healthy"
        assert queries.label(GOAL_AREAS, "9999-9") == "9999-9"


def test_one_name_of_a_long_list_is_asked_for_alone(acting):
    admin = acting("admin")
    key = entry(GOAL_AREAS, "2026-2").id
    codes.change_code(admin, key, CodeInput("Children learn", labels={"fr": "Les enfants apprennent"}), version=1)

    def names():
        return [queries.one_label(GOAL_AREAS, code) for code in ("2026-2", "2026-1", "9999-9", "", None)]

    with use_locale("fr"):
        wanted = ["Les enfants apprennent", "Children survive and are healthy", "9999-9", "", ""]
        with statements() as seen:
            assert (names(), names()) == (wanted, wanted)
        assert len(seen) == 3
        assert [queries.label(GOAL_AREAS, code) for code in ("2026-2", "2026-1", "9999-9", "", None)] == wanted
        with statements() as seen:
            assert names() == wanted
        assert seen == []
    assert names()[0] == "Children learn"
    codes.change_code(admin, key, CodeInput("Children learn well", labels={}), version=2)
    assert names()[0] == "Children learn well"


@pytest.mark.parametrize("text", STRANGE)
def test_strange_names_come_back_as_they_were_typed(acting, text):
    admin = acting("admin")
    key = codes.add_code(admin, GOAL_AREAS, CodeInput(text, "odd", description=text, labels={"fr": text, "zh": text}))
    db.session.expire_all()
    found = queries.find(key)
    wanted = fields.text(text, "label", 200)
    assert (found.label, found.description) == (wanted, wanted)
    assert {row.label for row in found.labels} == {wanted}


def test_two_who_change_different_fields_both_keep_theirs(acting):
    admin = acting("admin")
    key = entry(GOAL_AREAS, "2026-4").id
    codes.change_code(admin, key, CodeInput("Children are protected", labels={"fr": "Protégés"}), version=1)
    codes.change_code(admin, key, CodeInput("Children are safe", labels={"es": "A salvo"}), version=1)
    found = queries.find(key)
    assert found.label == "Children are safe"
    assert {row.language: row.label for row in found.labels} == {"fr": "Protégés", "es": "A salvo"}


def test_two_who_change_the_same_name_are_asked(acting):
    admin = acting("admin")
    key = entry(GOAL_AREAS, "2026-4").id
    codes.change_code(admin, key, CodeInput("Children are safe", labels={"fr": "Protégés"}), version=1)
    with pytest.raises(EditConflict) as clash:
        codes.change_code(admin, key, CodeInput("Children stay safe", labels={"fr": "En sécurité"}), version=1)
    assert clash.value.changes == {
        "label": ("Children are protected", "Children are safe", "Children stay safe"),
        "label_fr": ("", "Protégés", "En sécurité"),
    }
    with pytest.raises(EditConflict) as late:
        codes.change_code(admin, key, CodeInput("Children are safe", labels={"fr": "À l'abri"}), version=clash.value.version - 1)
    assert late.value.changes["label_fr"][1:] == ("Protégés", "À l'abri")


def test_its_history_is_read_by_those_who_keep_it(acting):
    admin = acting("admin")
    key = entry(GOAL_AREAS, "2026-5").id
    codes.change_code(admin, key, CodeInput("Children are safe", labels={"fr": "En sécurité"}), version=1)
    assert history.history_of(key).entries == [] or all(not row.values for row in history.history_of(key).entries)
    told = {(row.noun, value.field, value.old, value.new) for row in queries.history_of(key).entries for value in row.values}
    assert ("codes", "label", "Children are safe from disasters", "Children are safe") in told
    assert ("code_labels", "label", None, "En sécurité") in told


# --- kinds of interactions and of parties --------------------------------------------------------------------------


def contact(actor, kind: str, **more) -> uuid.UUID:
    party = made_parties.make(actor, f"Ministry for {kind}")
    new = NewInteraction(
        office_id=made_parties.office_id("JOR"),
        state="held",
        kind=kind,
        starts_at=now() - timedelta(days=1),
        party_id=party,
        summary="Heard.",
        **more,
    )
    return log_interaction(actor, new)


def test_a_new_kind_of_interaction_is_logged_and_one_that_is_in_no_list_refused(acting):
    admin = acting("admin")
    key = codes.add_code(admin, INTERACTION_KINDS, CodeInput("Visit to a site", "site-visit", labels={"fr": "Visite de terrain"}))
    officer = acting("officer")
    made = contact(officer, "site-visit")
    assert interactions.KIND_LABELS[interactions.get(made).kind] == "Visit to a site"
    with use_locale("fr"):
        assert interactions.KIND_LABELS["site-visit"] == "Visite de terrain"
    with pytest.raises(Invalid) as refused:
        contact(officer, "seance")
    assert list(refused.value.errors) == ["kind"]
    admin = acting("admin")
    with pytest.raises(Invalid, match="Records hold"):
        codes.remove_code(admin, key)


def test_a_withdrawn_kind_stays_on_the_interaction_that_has_it(acting):
    officer = acting("officer")
    made = contact(officer, "media")
    admin = acting("admin")
    codes.change_code(admin, entry(INTERACTION_KINDS, "media").id, CodeInput("Media", is_withdrawn=True), version=1)
    officer = acting("officer")
    with pytest.raises(Invalid, match="not offered at present"):
        contact(officer, "media")
    record = interactions.get(made)
    again = NewInteraction(
        office_id=record.office_id,
        state="held",
        kind="media",
        starts_at=record.starts_at,
        party_id=record.party_id,
        summary="Heard more.",
        version=record.version,
    )
    edit_interaction(officer, made, again)
    assert (interactions.get(made).summary, interactions.get(made).kind) == ("Heard more.", "media")


@pytest.mark.parametrize(("name", "code"), [(INTERACTION_KINDS, "meeting"), (PARTY_KINDS, "donor"), (PARTY_KINDS, "government")])
def test_what_the_system_relies_on_is_renamed_and_neither_removed_nor_withdrawn(acting, name, code):
    admin = acting("admin")
    record = entry(name, code)
    with pytest.raises(Invalid, match="The system itself relies on"):
        codes.remove_code(admin, record.id)
    for values in (CodeInput("x", is_withdrawn=True), CodeInput("x", valid_to=date(2020, 1, 1))):
        with pytest.raises(Invalid, match="The system itself relies on"):
            codes.change_code(admin, record.id, values, version=1)
    codes.change_code(admin, record.id, CodeInput("Renamed"), version=1)
    assert queries.label(name, code) == "Renamed"


def test_a_party_takes_a_new_kind_and_keeps_a_withdrawn_one(acting):
    admin = acting("admin")
    codes.add_code(admin, PARTY_KINDS, CodeInput("Trade union", "trade-union"))
    officer = acting("officer")
    key = made_parties.make(officer, "Nurses", kinds=("trade-union", "youth"))
    admin = acting("admin")
    codes.change_code(admin, entry(PARTY_KINDS, "youth").id, CodeInput("Youth", is_withdrawn=True), version=1)
    officer = acting("officer")
    with pytest.raises(Invalid, match="not offered at present"):
        made_parties.make(officer, "Pupils", kinds=("youth",))
    held = parties.get(key)
    edit = NewParty("organisation", "Nurses of Jordan", kinds=("trade-union", "youth"))
    edit_party(officer, key, held.version, edit)
    assert {row.kind for row in parties.get(key).kinds} == {"trade-union", "youth"}


@pytest.mark.parametrize("mark", [";", "|", ",", "،"])
def test_the_name_of_a_kind_holds_no_mark_that_parts_cells(acting, mark):
    admin = acting("admin")
    with pytest.raises(Invalid) as refused:
        codes.add_code(admin, PARTY_KINDS, CodeInput(f"Nurses{mark} doctors", "health-staff", labels={"fr": f"A{mark} b"}))
    assert list(refused.value.errors) == ["label", "label_fr"]


@transactional
def _spoil(programme_id) -> None:
    db.session.get_one(Programme, programme_id).sector = "99999"


def test_verify_names_a_programme_whose_sector_is_in_no_list(acting):
    key = programme(acting("grants"), sector="12240")
    _spoil(key)
    with unscoped("test"):
        assert [(bad.table, bad.record_id) for bad in unknown_codes()] == [("programmes", key)]
