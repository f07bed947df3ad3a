"""Programmes: what the money is for; outputs, requirement per year, indicators, measurements, rights tags."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from crm import clock
from crm.data import crc_articles, sdg_goals, sdg_targets
from crm.db import db, transactional
from crm.errors import Invalid
from crm.i18n import _
from crm.models.base import NAME_LENGTH, SENTENCE_LENGTH, TEXT_LENGTH
from crm.models.codes import GOAL_AREAS, SECTORS
from crm.models.places import Place
from crm.models.programmes import GOAL_AREA, TAG_SCHEMES, Indicator, Measurement, Output, Programme, ProgrammeTag, Requirement
from crm.money import Money
from crm.policy import Actor, Permission, require
from crm.queries import history
from crm.services import fields
from crm.services import money_rules as rules
from crm.services.references import next_reference
from crm.services.versions import check_version, touch

PLACE_LENGTH = 200
UNIT_LENGTH = 60
FIRST_YEAR, LAST_YEAR = 1990, 2100
MAX_VALUE = Decimal(10) ** 18
MOST_DECIMALS = 12
#: Scheme of a tag -> the field that a form and an edit conflict call it by.
TAG_FIELDS: Mapping[str, str] = {"sdg-goal": "goals", "sdg-target": "targets", "crc": "articles", GOAL_AREA: "goal_areas"}


@dataclass(frozen=True)
class ProgrammeInput:
    """What a person says about a programme. `currency`: of its requirement, by default the office's reporting currency.

    `tags`: (scheme, code) of sdg-goal ("3"), sdg-target ("3.8"), crc ("24") or goal-area ("2026-1"). `sector`: a code of the
    list of sectors. What is withdrawn is kept where the programme has it, and not taken anew.
    """

    title: str
    starts_on: date
    office_id: uuid.UUID | None = None
    ends_on: date | None = None
    summary: str = ""
    sector: str | None = None
    place_id: uuid.UUID | None = None
    place_text: str = ""
    currency: str = ""
    tags: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class IndicatorInput:
    """What shows that a programme works. Baseline and target each have a value and a day, or neither."""

    title: str
    unit: str = ""
    direction: str = "up"
    output_id: uuid.UUID | None = None
    baseline_value: Decimal | None = None
    baseline_on: date | None = None
    target_value: Decimal | None = None
    target_on: date | None = None
    source: str = ""


def check_programme(new: ProgrammeInput, office_id: uuid.UUID, held_sector: str | None = None) -> str:
    """Refuse (`Invalid` by field) what cannot be recorded as a programme of an office; the currency it would have. `held_sector`:
    what it has already. Writes nothing."""
    office = rules.office_of(office_id)
    _checked(new, office.timezone, held_sector)
    _checked_tags(new.tags, office.timezone)
    return fields.currency(new.currency or office.reporting_currency, office.reporting_currency)


def check_need(year: int, amount: Money, currency: str, source: str = "") -> int:
    """What a programme needs in a year, in minor units of the programme's currency; `Invalid` by field (year, amount, source)."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Invalid(_("The year must be between %(first)s and %(last)s.", first=FIRST_YEAR, last=LAST_YEAR), field="year")
    rules.text_of(source, "source")
    return rules.minor_of(amount, currency=currency, is_zero_fine=True)


@transactional
def create_programme(actor: Actor, new: ProgrammeInput) -> uuid.UUID:
    """Make a programme. Raises `Invalid` by field (title, starts_on, ends_on, sector, place_id, currency, tags)."""
    if new.office_id is None:
        raise Invalid(_("Choose an office."), field="office_id")
    require(actor, Permission.MONEY_WRITE, new.office_id)
    office = rules.office_of(new.office_id)
    values = _checked(new, office.timezone)
    currency = fields.currency(new.currency or office.reporting_currency, office.reporting_currency)
    tags = _checked_tags(new.tags, office.timezone)
    programme = Programme(office_id=office.id, reference=next_reference(office.id, "programme"), currency=currency, **values)
    db.session.add(programme)
    _add_tags(programme, tags)
    db.session.flush()
    return programme.id


@transactional
def edit_programme(actor: Actor, programme_id: uuid.UUID, values: ProgrammeInput, *, version: int) -> uuid.UUID:
    """Change what is said about a programme and its tags. Its currency changes only while it has no requirement.

    Raises `EditConflict` where somebody changed it since the form was opened; its tags count as a field for each scheme
    (TAG_FIELDS), so that a tag added by one and another added by the other are a choice, never a silent loss.
    """
    programme = _programme(actor, programme_id)
    timezone = rules.office_of(programme.office_id).timezone
    held = [tag.code for tag in _held_tags(programme) if tag.scheme == GOAL_AREA]
    checked = _checked(values, timezone, programme.sector) | _by_field(_checked_tags(values.tags, timezone, *held))
    if values.currency and values.currency != programme.currency:
        has_needs = db.session.scalar(select(Requirement.id).where(Requirement.programme_id == programme.id).limit(1)) is not None
        if has_needs:
            raise Invalid(_("The requirement is recorded in %(currency)s; it stays so.", currency=programme.currency), field="currency")
        checked["currency"] = fields.currency(values.currency)
    kept = check_version(programme, version, checked, parts=_tags_then_and_now(programme, version))
    tags = [(scheme, code) for scheme, name in TAG_FIELDS.items() for code in _codes(kept.pop(name))]
    for name, value in kept.items():
        setattr(programme, name, value)
    _replace_tags(programme, tags)
    db.session.flush()
    return programme.id


@transactional
def set_tags(actor: Actor, programme_id: uuid.UUID, tags: Sequence[tuple[str, str]]) -> None:
    """Give a programme these rights tags, and no others."""
    programme = _programme(actor, programme_id)
    held = [tag.code for tag in _held_tags(programme) if tag.scheme == GOAL_AREA]
    _replace_tags(programme, _checked_tags(tags, rules.office_of(programme.office_id).timezone, *held))
    db.session.flush()


@transactional
def add_output(actor: Actor, programme_id: uuid.UUID, title: str) -> uuid.UUID:
    """Add what a programme delivers, after its other outputs."""
    programme = _programme(actor, programme_id)
    last = db.session.scalar(select(func.max(Output.position)).where(Output.programme_id == programme.id)) or 0
    output = Output(
        office_id=programme.office_id,
        programme_id=programme.id,
        position=last + 1,
        title=rules.text_of(title, "title", longest=NAME_LENGTH, is_needed=True),
    )
    db.session.add(output)
    db.session.flush()
    return output.id


@transactional
def edit_output(actor: Actor, output_id: uuid.UUID, title: str, *, version: int) -> uuid.UUID:
    """Reword an output."""
    require(actor, Permission.MONEY_WRITE)
    output = rules.locked(Output, output_id)
    require(actor, Permission.MONEY_WRITE, output.office_id)
    said = rules.text_of(title, "title", longest=NAME_LENGTH, is_needed=True)
    output.title = str(check_version(output, version, {"title": said})["title"])
    return output.id


@transactional
def set_requirement(actor: Actor, programme_id: uuid.UUID, year: int, amount: Money, source: str = "") -> uuid.UUID:
    """Say what a programme needs in a year: a new version that supersedes the last (0 is allowed: nothing is needed)."""
    programme = _programme(actor, programme_id)
    minor = check_need(year, amount, programme.currency, source)
    last = db.session.scalar(
        select(func.max(Requirement.version)).where(Requirement.programme_id == programme.id, Requirement.year == year)
    )
    requirement = Requirement(
        office_id=programme.office_id,
        programme_id=programme.id,
        year=year,
        version=(last or 0) + 1,
        amount_minor=minor,
        currency=programme.currency,
        source=rules.text_of(source, "source"),
    )
    db.session.add(requirement)
    db.session.flush()
    return requirement.id


@transactional
def add_indicator(actor: Actor, programme_id: uuid.UUID, new: IndicatorInput) -> uuid.UUID:
    """Add an indicator. Raises `Invalid` by field."""
    programme = _programme(actor, programme_id)
    indicator = Indicator(office_id=programme.office_id, programme_id=programme.id, **_checked_indicator(programme.id, new))
    db.session.add(indicator)
    db.session.flush()
    return indicator.id


@transactional
def edit_indicator(actor: Actor, indicator_id: uuid.UUID, values: IndicatorInput, *, version: int) -> uuid.UUID:
    """Change an indicator; its measurements stay."""
    require(actor, Permission.MONEY_WRITE)
    indicator = rules.locked(Indicator, indicator_id)
    require(actor, Permission.MONEY_WRITE, indicator.office_id)
    checked = _checked_indicator(indicator.programme_id, values)
    for name, value in check_version(indicator, version, checked).items():
        setattr(indicator, name, value)
    return indicator.id


@transactional
def record_measurement(actor: Actor, indicator_id: uuid.UUID, measured_on: date, value: Decimal, source: str = "") -> uuid.UUID:
    """Record a measured value of an indicator: one a day, never in the future. Field staff may (CONTACT_LOG)."""
    require(actor, Permission.CONTACT_LOG)
    indicator = rules.locked(Indicator, indicator_id)
    require(actor, Permission.CONTACT_LOG, indicator.office_id)
    on = rules.past_day(measured_on, "measured_on", indicator.office_id)
    taken = select(Measurement.id).where(Measurement.indicator_id == indicator.id, Measurement.measured_on == on)
    if db.session.scalar(taken) is not None:
        raise Invalid(_("A value of this day is recorded already."), field="measured_on")
    measurement = Measurement(
        office_id=indicator.office_id,
        indicator_id=indicator.id,
        measured_on=on,
        value=_number(value, "value"),
        source=rules.text_of(source, "source"),
    )
    db.session.add(measurement)
    db.session.flush()
    return measurement.id


def _programme(actor: Actor, programme_id: uuid.UUID) -> Programme:
    require(actor, Permission.MONEY_WRITE)
    programme = rules.locked(Programme, programme_id)
    require(actor, Permission.MONEY_WRITE, programme.office_id)
    return programme


def _checked(values: ProgrammeInput, timezone: str, held_sector: str | None = None) -> dict[str, Any]:
    for field, on in (("starts_on", values.starts_on), ("ends_on", values.ends_on)):
        if on and not rules.FIRST_DAY <= on <= rules.LAST_DAY:
            raise Invalid(_("This day is out of range."), field=field)
    if values.ends_on and values.ends_on < values.starts_on:
        raise Invalid(_("The end lies before the start."), field="ends_on")
    if values.sector:
        fields.code(SECTORS, values.sector, clock.today(timezone), held_sector, field="sector")
    if values.place_id and db.session.scalar(select(Place.id).where(Place.id == values.place_id)) is None:
        raise Invalid(_("Choose a place that is on record."), field="place_id")
    return {
        "title": rules.text_of(values.title, "title", longest=NAME_LENGTH, is_needed=True),
        "summary": rules.text_of(values.summary, "summary", longest=TEXT_LENGTH, is_long=True),
        "sector": values.sector or None,
        "place_id": values.place_id,
        "place_text": rules.text_of(values.place_text, "place_text", longest=PLACE_LENGTH),
        "starts_on": values.starts_on,
        "ends_on": values.ends_on,
    }


def _lists() -> Mapping[str, Mapping[str, object]]:
    return {"sdg-goal": sdg_goals(), "sdg-target": sdg_targets(), "crc": crc_articles()}


def _checked_tags(tags: Sequence[tuple[str, str]], timezone: str, *held: str) -> list[tuple[str, str]]:
    """The tags without doubles; `held`: the goal areas that the programme has already."""
    lists, chosen = _lists(), list(dict.fromkeys(tags))
    for scheme, code in chosen:
        if scheme == GOAL_AREA:
            fields.code(GOAL_AREAS, code, clock.today(timezone), *held, field="goal_areas")
        elif scheme not in TAG_SCHEMES or code not in lists[scheme]:
            raise Invalid(_("“%(code)s” is not in the list.", code=code[:20]), field="tags")
    return chosen


def _by_field(tags: Iterable[tuple[str, str]]) -> dict[str, object]:
    """Tags as the form has them: the codes of each scheme in order."""
    chosen = list(tags)
    return {name: tuple(sorted(code for its, code in chosen if its == scheme)) for scheme, name in TAG_FIELDS.items()}


def _codes(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _tags_then_and_now(programme: Programme, version: int) -> dict[str, tuple[object, object]]:
    now = {(tag.scheme, tag.code) for tag in _held_tags(programme)}
    then = history.parts_at(programme, "programme_tags", version, now, ("scheme", "code"))
    original, theirs = _by_field((scheme, code) for scheme, code in then), _by_field(now)
    return {name: (original[name], theirs[name]) for name in TAG_FIELDS.values()}


def _held_tags(programme: Programme) -> list[ProgrammeTag]:
    return list(db.session.scalars(select(ProgrammeTag).where(ProgrammeTag.programme_id == programme.id)))


def _add_tags(programme: Programme, tags: Sequence[tuple[str, str]]) -> None:
    for scheme, code in tags:
        db.session.add(ProgrammeTag(office_id=programme.office_id, programme_id=programme.id, scheme=scheme, code=code))


def _replace_tags(programme: Programme, tags: Sequence[tuple[str, str]]) -> None:
    """Give it these tags and no others. Nothing is flushed: the record and its tags change at one moment of the history."""
    held = {(tag.scheme, tag.code): tag for tag in _held_tags(programme)}
    gone = [tag for key, tag in held.items() if key not in tags]
    new = [key for key in tags if key not in held]
    for tag in gone:
        db.session.delete(tag)
    _add_tags(programme, new)
    if new or gone:
        touch(programme)
        db.session.flush()
        db.session.expire(programme, ["tags"])


def _number(value: Decimal, field: str) -> Decimal:
    if not value.is_finite() or abs(value) >= MAX_VALUE:
        raise Invalid(_("This is not a number that can be kept."), field=field)
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > MOST_DECIMALS:
        raise Invalid(_("At most %(n)s decimals fit.", n=MOST_DECIMALS), field=field)
    return value


def _checked_indicator(programme_id: uuid.UUID, values: IndicatorInput) -> dict[str, Any]:
    if values.direction not in {"up", "down"}:
        raise Invalid(_("Say whether more or less is better."), field="direction")
    rules.output_of(programme_id, values.output_id)
    for name, value, on in (
        ("baseline", values.baseline_value, values.baseline_on),
        ("target", values.target_value, values.target_on),
    ):
        if (value is None) != (on is None):
            raise Invalid(_("Give the value and its day, or neither."), field=f"{name}_value" if value is None else f"{name}_on")
        if value is not None:
            _number(value, f"{name}_value")
        if on is not None and not rules.FIRST_DAY <= on <= rules.LAST_DAY:
            raise Invalid(_("This day is out of range."), field=f"{name}_on")
    if values.baseline_on and values.baseline_on > clock.today():
        raise Invalid(_("This day lies in the future."), field="baseline_on")
    if values.baseline_on and values.target_on and values.target_on < values.baseline_on:
        raise Invalid(_("The target lies before the baseline."), field="target_on")
    return {
        "title": rules.text_of(values.title, "title", longest=NAME_LENGTH, is_needed=True),
        "unit": rules.text_of(values.unit, "unit", longest=UNIT_LENGTH),
        "direction": values.direction,
        "output_id": values.output_id,
        "baseline_value": values.baseline_value,
        "baseline_on": values.baseline_on,
        "target_value": values.target_value,
        "target_on": values.target_on,
        "source": rules.text_of(values.source, "source", longest=SENTENCE_LENGTH),
    }
