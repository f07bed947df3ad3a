"""Forms for offices and people. Choices come from the view."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, HiddenField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs

from crm.data import TimeZone, countries_by_iso2, time_zones
from crm.forms.base import BaseForm, Needed, OneLine, choices
from crm.forms.money_fields import currency_field
from crm.i18n import LazyText, _, _l

OFFICE_KIND_NAMES: dict[str, LazyText] = {"country": _l("Country office"), "regional": _l("Regional office"), "hq": _l("Headquarters")}


_PARTS_OF_THE_WORLD: dict[str, LazyText] = {
    "Africa": _l("Africa"),
    "America": _l("America"),
    "Antarctica": _l("Antarctica"),
    "Arctic": _l("Arctic"),
    "Asia": _l("Asia"),
    "Atlantic": _l("Atlantic"),
    "Australia": _l("Australia"),
    "Europe": _l("Europe"),
    "Indian": _l("Indian Ocean"),
    "Pacific": _l("Pacific"),
}


def zone_field() -> SelectField:
    """A select of time zones; fill its choices by `offer_zones`."""
    return SelectField(_l("Time zone"), [Needed(_l("Choose the time zone."))], validate_choice=False)


def offer_zones(field: SelectField, held: str = "") -> None:
    """Offer the zones by part of the world, each by its place and country; `held`: the one that the office has. A zone that is the
    only one of its country says which country that is."""
    zones, known = time_zones(), countries_by_iso2()

    def choice(zone: TimeZone) -> Any:
        country = known.get(zone.country)
        words = f"{zone.place} ({country.name})" if country else zone.place
        part = zone.name.partition("/")[0]
        only = {"data-only-of": country.iso3} if country and zone.is_only else {}
        return SelectChoice(zone.name, words, optgroup=str(_PARTS_OF_THE_WORLD.get(part, part)), render_kw=only)

    anywhere = _("Anywhere")
    others = [held] if held and held not in zones and held != "UTC" else []
    field.choices = [
        SelectChoice("", _("Choose"), optgroup=anywhere),
        *(SelectChoice(name, name, optgroup=anywhere) for name in (*others, "UTC")),
        *map(choice, zones.values()),
    ]


class OfficeForm(BaseForm):
    """A new office."""

    code = StringField(_l("Code"), [Needed(), OneLine(12)], description=_l("Two to twelve capital letters; stands in every reference."))
    name = StringField(_l("Name"), [Needed(), OneLine(200)])
    kind = SelectField(_l("Kind"), choices=choices(OFFICE_KIND_NAMES.items()))
    parent_id = SelectField(_l("Belongs to"), validate_choice=False)
    currency = currency_field(_l("Local currency"), [Needed()])
    reporting_currency = currency_field(_l("Reporting currency"), [Needed()])
    timezone = zone_field()


class OfficeSettingsForm(BaseForm):
    """What can be changed of an office."""

    name = StringField(_l("Name"), [Needed(), OneLine(200)])
    currency = currency_field(_l("Local currency"), [Needed()])
    reporting_currency = currency_field(_l("Reporting currency"), [Needed()])
    timezone = zone_field()


class MoveForm(BaseForm):
    """Where an office goes, and where it belonged when its move was looked at."""

    parent_id = HiddenField()
    seen = HiddenField()


class UserForm(BaseForm):
    """A new person who can sign in."""

    name = StringField(_l("Name"), [Needed(), OneLine(200)])
    email = StringField(_l("E-mail address"), [Needed(), OneLine(254)])
    office_id = SelectField(_l("Office"), validate_choice=False)
    role = SelectField(_l("Role"), validate_choice=False)
    password = PasswordField(
        _l("First password"), [Needed()], description=_l("At least 12 characters. Hand it over in person; they change it after signing in.")
    )


class MembershipForm(BaseForm):
    """Role and standing of a person."""

    role = SelectField(_l("Role"), validate_choice=False)
    is_active = BooleanField(_l("May sign in"))
    password = PasswordField(_l("New password"), description=_l("Leave empty to keep the present one. Setting one ends all sessions."))
