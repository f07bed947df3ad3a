"""Offices and the people in them."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, render_template, request, url_for

from crm.errors import Denied, Invalid
from crm.forms.base import choices
from crm.forms.money_fields import offer_currencies
from crm.forms.offices import OFFICE_KIND_NAMES, MoveForm, OfficeForm, OfficeSettingsForm, offer_zones
from crm.i18n import LazyText, _, _l
from crm.models.offices import Office
from crm.policy import Permission, all_offices, can, offices_where, require
from crm.queries import offices as queries
from crm.queries.offices import OfficeDetail, office_tree
from crm.services import offices
from crm.web import history
from crm.web.conflicts import conflict_items, settle, take_choices
from crm.web.gate import actor, permit
from crm.web.helpers import save_form, status

ROLE_NAMES: dict[str, LazyText] = {
    "viewer": _l("Viewer"),
    "advocacy-officer": _l("Advocacy officer"),
    "grants-officer": _l("Grants officer"),
    "manager": _l("Manager"),
    "office-head": _l("Head of office"),
    "auditor": _l("Auditor"),
    "administrator": _l("Administrator"),
}

_HISTORY = history.Words(
    {
        "name": _l("Name"),
        "parent_id": _l("Belongs to"),
        "currency": _l("Local currency"),
        "reporting_currency": _l("Reporting currency"),
        "timezone": _l("Time zone"),
    },
    names={"parent_id": "office"},
)

bp = Blueprint("offices", __name__, url_prefix="/offices")


@bp.get("/")
@permit(Permission.NAME_SEE)
def index() -> Any:
    """The tree of offices in scope, with names and roles."""
    return render_template("offices/index.html", nodes=office_tree(actor()), role_names=ROLE_NAMES, kinds=OFFICE_KIND_NAMES)


@bp.route("/new", methods=["GET", "POST"])
@permit(Permission.OFFICE_MANAGE)
def create() -> Any:
    """Make an office below one that the actor manages."""
    who = actor()
    form = OfficeForm()
    allowed = set(offices_where(who, Permission.OFFICE_MANAGE))
    form.parent_id.choices = choices((str(office.id), f"{office.code} {office.name}") for office in all_offices() if office.id in allowed)
    offer_currencies(form.currency, blank=_("Choose"))
    offer_currencies(form.reporting_currency)
    offer_zones(form.timezone)
    if request.method == "GET":
        form.reporting_currency.data = "USD"

    def save() -> uuid.UUID:
        try:
            parent_id = uuid.UUID(form.parent_id.data or "")
        except ValueError:
            raise Invalid(_("Choose the office it belongs to."), field="parent_id") from None
        return offices.create_office(
            who,
            offices.NewOffice(
                code=(form.code.data or "").upper(),
                name=form.name.data or "",
                kind=form.kind.data,
                parent_id=parent_id,
                currency=form.currency.data or "",
                reporting_currency=form.reporting_currency.data or "",
                timezone=form.timezone.data or "",
            ),
        )

    done = save_form(form, save, then=lambda key: url_for("offices.detail", office_id=key), message=_("The office is made."))
    return done or (render_template("offices/form.html", form=form), status(form))


# --- one -----------------------------------------------------------------------------------------------------------


@bp.get("/<uuid:office_id>")
@permit(Permission.NAME_SEE)
def detail(office_id: uuid.UUID) -> Any:
    """An office: its settings, where it belongs, who has a role in it or above it."""
    who, found = actor(), queries.office_detail(actor(), office_id)
    return render_template(
        "offices/detail.html",
        found=found,
        office=found.office,
        kind=OFFICE_KIND_NAMES[found.office.kind],
        role_names=ROLE_NAMES,
        may=can(who, Permission.OFFICE_MANAGE, office_id),
        may_move=bool(_parents(found)),
        may_read_log=can(who, Permission.AUDIT_READ, office_id),
        in_scope=who.visible,
    )


@bp.route("/<uuid:office_id>/edit", methods=["GET", "POST"])
@permit(Permission.OFFICE_MANAGE)
def edit(office_id: uuid.UUID) -> Any:
    """Change an office's name and settings."""
    who, office = actor(), _managed(office_id).office
    current = {name: getattr(office, name) for name in ("name", "currency", "reporting_currency", "timezone")}
    current["version"] = str(office.version)
    form = OfficeSettingsForm(data=current) if request.method == "GET" else OfficeSettingsForm()
    take_choices(form, current)
    has_money = offices.has_money(office_id)
    offer_currencies(form.currency, (office.currency,))
    offer_currencies(form.reporting_currency, (office.reporting_currency,))
    offer_zones(form.timezone, office.timezone)
    if has_money:
        form.reporting_currency.choices = choices([(office.reporting_currency, office.reporting_currency)])
    back = url_for("offices.detail", office_id=office_id)

    def save() -> uuid.UUID:
        values = offices.OfficeInput(
            form.name.data or "", form.currency.data or "", form.reporting_currency.data or "", form.timezone.data or ""
        )
        return offices.change_office(who, office_id, values, version=form.known_version)

    done = save_form(form, save, then=lambda _key: back, message=_("The office is saved."))
    if done:
        return done
    if form.conflict is not None:
        settle(form, form.conflict.merged)
        return render_template("programmes/conflict.html", form=form, items=conflict_items(form), who=form.conflict.who, back=back), 409
    stays = offices.reporting_sentence(office) if has_money else ""
    return render_template("offices/edit.html", form=form, office=office, stays=stays, back=back), status(form)


@bp.route("/<uuid:office_id>/move", methods=["GET", "POST"])
@permit(Permission.OFFICE_MANAGE)
def move(office_id: uuid.UUID) -> Any:
    """Put an office below another: what it would do first, then the move."""
    who, found = actor(), _managed(office_id)
    form = MoveForm()
    parents = _parents(found)
    to = _chosen(request.form.get("parent_id") if request.method == "POST" else request.args.get("to"))
    back = url_for("offices.detail", office_id=office_id)

    def save() -> uuid.UUID:
        if to is None:
            raise Invalid(_("Choose the office it belongs to."))
        return offices.move_office(who, office_id, to, seen_parent_id=_chosen(form.seen.data))

    done = save_form(form, save, then=lambda _key: back, message=_("The office is moved. What people see follows at once."))
    if done:
        return done
    planned, refused = queries.move_of(office_id, to) if to else None, ""
    if planned is not None:
        try:
            offices.check_move(who, planned)
        except (Invalid, Denied) as error:
            refused = str(error)
        form.parent_id.data, form.seen.data = str(to), str(planned.old_parent_id or "")
    page = render_template(
        "offices/move.html",
        form=form,
        office=found.office,
        belongs_to=found.parent,
        parents=parents,
        move=planned,
        refused=refused,
        gain=queries.people_of(planned.enters) if planned and not refused else [],
        lose=queries.people_of(planned.leaves) if planned and not refused else [],
        role_names=ROLE_NAMES,
        back=back,
    )
    return page, status(form)


@bp.get("/<uuid:office_id>/history")
@permit(Permission.AUDIT_READ)
def office_history(office_id: uuid.UUID) -> Any:
    """Who changed what on an office."""
    office = queries.office_detail(actor(), office_id).office
    require(actor(), Permission.AUDIT_READ, office_id)
    found = queries.history_of(office_id, before=history.cursor())
    return render_template(
        "history/index.html",
        name=office.name,
        back=url_for("offices.detail", office_id=office_id),
        address=url_for("offices.office_history", office_id=office_id),
        lines=history.lines(found, _HISTORY),
        before=found.before,
    )


def _managed(office_id: uuid.UUID) -> OfficeDetail:
    found = queries.office_detail(actor(), office_id)
    require(actor(), Permission.OFFICE_MANAGE, office_id)
    return found


def _parents(found: OfficeDetail) -> list[Office]:
    """Where the actor may put an office: offices of theirs, other than itself and those below it, if they manage the one above it."""
    who = actor()
    if found.parent is None or not can(who, Permission.OFFICE_MANAGE, found.parent.id):
        return []
    inside = {office.id for office in queries.move_of(found.office.id, None).offices}
    return [office for office in all_offices() if office.id not in inside and can(who, Permission.OFFICE_MANAGE, office.id)]


def _chosen(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None
