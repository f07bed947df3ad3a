"""People who sign in, for those who manage them."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, render_template, request, url_for

from crm.errors import Invalid, NotFound
from crm.forms.base import choices
from crm.forms.lookups import uuid_of
from crm.forms.offices import MembershipForm, UserForm
from crm.i18n import LazyText, _, _l
from crm.models.users import ROLES
from crm.policy import Permission, can, offices_by_id, offices_where
from crm.queries.offices import user_or_none
from crm.services import users
from crm.web.gate import actor, permit
from crm.web.helpers import save_form, status

bp = Blueprint("users", __name__, url_prefix="/users")

ROLE_LABELS: dict[str, LazyText] = {
    "viewer": _l("Viewer: reads"),
    "advocacy-officer": _l("Advocacy officer: logs interactions, asks and promises"),
    "grants-officer": _l("Grants officer: also records money"),
    "manager": _l("Manager: also verifies and approves"),
    "office-head": _l("Head of office: also manages people"),
    "auditor": _l("Auditor: reads, and reads the log"),
    "administrator": _l("Administrator: people and offices, no records"),
}


@bp.route("/new", methods=["GET", "POST"])
@permit(Permission.USER_MANAGE)
def create() -> Any:
    """Make a person who can sign in; ?office= fills in."""
    who = actor()
    form = UserForm()
    allowed = offices_where(who, Permission.USER_MANAGE)
    form.office_id.choices = choices(
        (str(office.id), f"{office.code} {office.name}") for office in offices_by_id().values() if office.id in set(allowed)
    )
    form.role.choices = choices((role, ROLE_LABELS[role]) for role in ROLES)
    if request.method == "GET" and (office_id := uuid_of(request.args.get("office"))):
        form.office_id.data = str(office_id)

    def save() -> uuid.UUID:
        try:
            office_id = uuid.UUID(form.office_id.data or "")
        except ValueError:
            raise Invalid(_("Choose an office."), field="office_id") from None
        return users.create_user(
            who,
            users.NewUser(form.email.data or "", form.name.data or "", office_id, form.role.data or "", request.form.get("password", "")),
        )

    done = save_form(form, save, then=lambda _id: url_for("offices.index"), message=_("The person can sign in now."))
    return done or (render_template("users/form.html", form=form, colleague=None), status(form))


@bp.route("/<uuid:user_id>/edit", methods=["GET", "POST"])
@permit(Permission.USER_MANAGE)
def edit(user_id: uuid.UUID) -> Any:
    """Change a colleague's role and standing."""
    who = actor()
    person = user_or_none(user_id)
    if person is None or not can(who, Permission.USER_MANAGE, person.office_id):
        raise NotFound
    at_home = next((membership.role for membership in person.memberships if membership.office_id == person.office_id), "viewer")
    form = MembershipForm(role=at_home, is_active=person.is_active)
    form.role.choices = choices((role, ROLE_LABELS[role]) for role in ROLES)
    done = save_form(
        form,
        lambda: users.change_user(
            who, user_id, role=form.role.data or "", is_active=bool(form.is_active.data), password=request.form.get("password", "")
        ),
        then=lambda _id: url_for("offices.index"),
        message=_("Saved. The person's sessions were ended; the change holds from now on."),
    )
    return done or (render_template("users/form.html", form=form, colleague=person), status(form))
