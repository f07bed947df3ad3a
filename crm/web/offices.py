"""Offices and the people in them."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, render_template, request, url_for

from crm.errors import Invalid
from crm.forms.base import choices
from crm.forms.money_fields import offer_currencies
from crm.forms.offices import OfficeForm
from crm.i18n import LazyText, _, _l
from crm.policy import Permission, all_offices, offices_where
from crm.queries.offices import office_tree
from crm.services import offices
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

bp = Blueprint("offices", __name__, url_prefix="/offices")


@bp.get("/")
@permit(Permission.NAME_SEE)
def index() -> Any:
    """The tree of offices in scope, with names and roles."""
    return render_template("offices/index.html", nodes=office_tree(actor()), role_names=ROLE_NAMES)


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

    done = save_form(form, save, then=lambda _id: url_for("offices.index"), message=_("The office is made."))
    return done or (render_template("offices/form.html", form=form), status(form))
