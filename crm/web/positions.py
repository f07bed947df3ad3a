"""Posts and who holds them: a post's page, adding and ending tenures."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, render_template, request, url_for

from crm import clock
from crm.errors import Invalid
from crm.forms.positions import PositionForm, TenureEditForm, TenureEndForm, TenureForm
from crm.i18n import _
from crm.policy import Permission, require
from crm.queries import parties, positions
from crm.services import positions as services
from crm.services.parties import working_office
from crm.web.conflicts import conflict_items, settle, take_choices
from crm.web.gate import actor, permit
from crm.web.helpers import save_form, status

bp = Blueprint("positions", __name__, url_prefix="/positions")


@bp.get("/<uuid:position_id>")
@permit(Permission.RECORD_SEE)
def detail(position_id: uuid.UUID) -> Any:
    """A post: its organisation, who holds it and who held it."""
    position = positions.get(position_id)
    today = clock.today(actor().timezone)
    return render_template("positions/detail.html", position=position, today=today, is_current=positions.is_current)


@bp.route("/new", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def create() -> Any:
    """Add a post to an organisation (?organisation=id)."""
    who = actor()
    organisation = parties.get(_key(request.args.get("organisation")))
    form = PositionForm()
    answer = save_form(
        form,
        lambda: services.add_position(
            who, working_office(who), services.NewPosition(organisation.id, form.title.data or "", form.portfolio.data or "")
        ),
        then=lambda key: url_for("positions.detail", position_id=key),
        message=_("The post is recorded."),
    )
    if answer is not None:
        return answer
    return render_template("positions/form.html", form=form, organisation=organisation, position=None), status(form)


def _key(text: str | None) -> uuid.UUID:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return uuid.UUID(int=0)


@bp.route("/<uuid:position_id>/edit", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def edit(position_id: uuid.UUID) -> Any:
    """Change a post's title or what it covers."""
    who = actor()
    position = positions.get(position_id)
    require(who, Permission.CONTACT_LOG, position.office_id)
    current = {"title": position.title, "portfolio": position.portfolio}
    form = PositionForm() if request.method == "POST" else PositionForm(formdata=None, data=current)
    if request.method == "POST":
        take_choices(form, current)
    else:
        form.version.data = str(position.version)
    to = url_for("positions.detail", position_id=position_id)
    answer = save_form(
        form,
        lambda: services.edit_position(
            who, position_id, form.known_version, title=form.title.data or "", portfolio=form.portfolio.data or ""
        ),
        then=lambda _key: to,
        message=_("Your changes are saved."),
    )
    if answer is not None:
        return answer
    if form.conflict is not None:
        return _conflict(form, to)
    return render_template("positions/form.html", form=form, organisation=position.organisation, position=position), status(form)


@bp.route("/<uuid:position_id>/tenures/new", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def add_tenure(position_id: uuid.UUID) -> Any:
    """Say who holds a post."""
    who = actor()
    position = positions.get(position_id)
    form = TenureForm()

    def save() -> uuid.UUID:
        person_id = parties.resolve(form.person.data or "", "person", forms=("person",))
        try:
            return services.add_tenure(
                who,
                working_office(who),
                services.NewTenure(
                    position_id,
                    person_id,
                    form.starts_on.data,
                    form.ends_on.data,
                    form.form_of_address.data or "",
                    form.biography.data or "",
                ),
            )
        except Invalid as error:
            raise Invalid(errors={{"person_id": "person"}.get(field, field): texts for field, texts in error.errors.items()}) from error

    to = url_for("positions.detail", position_id=position_id)
    answer = save_form(form, save, then=lambda _key: to, message=_("The holder of the post is recorded."))
    if answer is not None:
        return answer
    people = parties.suggestions(forms=("person",))
    return render_template("positions/tenure.html", form=form, position=position, tenure=None, people=people), status(form)


@bp.route("/tenures/<uuid:tenure_id>/edit", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def edit_tenure(tenure_id: uuid.UUID) -> Any:
    """Correct a tenure."""
    who = actor()
    tenure = positions.tenure(tenure_id)
    require(who, Permission.CONTACT_LOG, tenure.office_id)
    names = ("starts_on", "ends_on", "form_of_address", "biography")
    current = {name: getattr(tenure, name) for name in names}
    form = TenureEditForm() if request.method == "POST" else TenureEditForm(formdata=None, data=current)
    if request.method == "POST":
        take_choices(form, current)
    else:
        form.version.data = str(tenure.version)
    to = url_for("positions.detail", position_id=tenure.position_id)
    answer = save_form(
        form,
        lambda: services.edit_tenure(
            who,
            tenure_id,
            form.known_version,
            starts_on=form.starts_on.data,
            ends_on=form.ends_on.data,
            form_of_address=form.form_of_address.data or "",
            biography=form.biography.data or "",
        ),
        then=lambda _key: to,
        message=_("Your changes are saved."),
    )
    if answer is not None:
        return answer
    if form.conflict is not None:
        return _conflict(form, to)
    return render_template("positions/tenure.html", form=form, position=tenure.position, tenure=tenure, people=[]), status(form)


@bp.route("/tenures/<uuid:tenure_id>/end", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def end_tenure(tenure_id: uuid.UUID) -> Any:
    """Somebody leaves a post; everything about the post stays."""
    who = actor()
    tenure = positions.tenure(tenure_id)
    require(who, Permission.CONTACT_LOG, tenure.office_id)
    form = TenureEndForm()
    if request.method == "GET":
        form.version.data = str(tenure.version)
    else:
        take_choices(form, {"ends_on": tenure.ends_on})
    to = url_for("positions.detail", position_id=tenure.position_id)
    answer = save_form(
        form,
        lambda: services.end_tenure(who, tenure_id, form.known_version, form.ends_on.data or clock.today(who.timezone)),
        then=lambda _key: to,
        message=_("The end is recorded. Everything about the post stays."),
    )
    if answer is not None:
        return answer
    if form.conflict is not None:
        return _conflict(form, to)
    return render_template("positions/end.html", form=form, tenure=tenure), status(form)


def _conflict(form: Any, back: str) -> Any:
    conflict = form.conflict
    settle(form, conflict.merged)
    return render_template("parties/conflict.html", form=form, items=conflict_items(form), who=conflict.who, back=back), 409
