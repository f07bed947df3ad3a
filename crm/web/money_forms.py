"""What the forms of money share: the check before saving, rows of a plan, choices of currencies, programmes and offices."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from flask import render_template, request
from werkzeug.wrappers import Response
from wtforms import HiddenField, SelectField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs

from crm import clock
from crm.errors import Conflict, EditConflict, Invalid, NotFound, ProgrammingError
from crm.formatting import day, money
from crm.forms.base import BaseForm, choices
from crm.forms.money_fields import PlanForm, offer_currencies
from crm.forms.pledges import AgreementForm, RescheduleForm
from crm.i18n import LazyText, _, _l, get_locale
from crm.models.pledges import Agreement, Pledge
from crm.money import Money
from crm.policy import Actor, Permission, offices_where, require
from crm.queries import lookups, money_choices
from crm.queries.due import said_when
from crm.services.checking import Opened
from crm.services.money_rules import PlanLine
from crm.services.rehearsals import rehearse
from crm.web.gate import actor
from crm.web.helpers import save_form, status
from crm.web.lookups import opened

GivenT = TypeVar("GivenT")


# --- the check before saving ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """Where a form with a check stands: an answer to send, a preview to confirm, or the form again with a status."""

    response: Response | None = None
    preview: Any = None
    code: int = 200


def checked_save(
    form: BaseForm,
    save: Callable[[], uuid.UUID],
    look: Callable[[uuid.UUID], Any],
    *,
    then: Callable[[uuid.UUID], str],
    message: str,
    helper: Callable[[str], bool] | None = None,
    check: Callable[[], bool] | None = None,
) -> Step:
    """One form in two steps. The button `go` says which: check (the default) validates, rehearses the service and gives
    what `look` saw; save keeps it, once; change shows the form again. Other words go to `helper` (add a row, fill a plan),
    which answers whether what it read was right; `check` is asked besides the form's own validation."""
    if request.method != "POST":
        return Step()
    go = request.form.get("go", "add" if "add" in request.form else "check")
    if go == "change":
        return Step()
    if go not in {"check", "save"} and helper is not None:
        return Step(code=200 if helper(go) else 422)
    if go == "save":
        done = save_form(form, save, then=then, message=message, check=check)
        return Step(response=done, code=409 if form.conflict else 422)
    is_valid = form.validate() and not form.whole_errors
    if check is not None:
        is_valid = check() and is_valid
    if not is_valid:
        return Step(code=422)
    try:
        return Step(preview=rehearse(actor(), save, look))
    except Invalid as error:
        form.take(error)
        return Step(code=422)
    except Conflict as error:
        form.conflict = error if isinstance(error, EditConflict) else None
        form.take(Invalid(str(error)))
        return Step(code=409)


def plan_helper(form: PlanForm, total: Callable[[], Money | None]) -> Callable[[str], bool]:
    """What the buttons of a plan do without a script: one more row, or equal parts of `total`."""

    def help_with(go: str) -> bool:
        if go == "equal":
            ready(form)
            return form.fill_equal_parts(total())
        if isinstance(form, AgreementForm) and request.form.get("add") == form.lines.name:
            form.add_line()
            return True
        form.add_row()
        return True

    return help_with


def ready(form: BaseForm) -> None:
    """Give every field a list of errors of its own, so that sentences can be put beside it without validating all."""
    for field in form:
        entries = getattr(field, "entries", ())
        parts = [inner for entry in entries for inner in entry.form] or list(getattr(field, "form", ())) or [field]
        for part in parts:
            part.errors = list(part.errors)


def hidden_answers() -> list[tuple[str, str]]:
    """What was typed, to travel along under the check page."""
    return [(name, value) for name, values in request.form.lists() for value in values if name not in {"csrf_token", "go", "add"}]


# --- two people at once --------------------------------------------------------------------------------------------

_CHANGED: dict[str, LazyText] = {
    "outstanding": _l("Outstanding"),
    "value": _l("Signed"),
    "received": _l("Received"),
    "next_due_on": _l("Next due"),
}


def conflict_page(form: BaseForm, back: str) -> Any:
    """The 409 page of a change of money: what it came to before and after the other's change, and all that you typed."""
    clash = form.conflict
    if clash is None:
        raise NotFound
    rows = [
        {"label": str(_CHANGED[name]), "value": _shown(now), "note": _("when you opened it: %(before)s", before=_shown(before))}
        for name, (before, now, _yours) in clash.changes.items()
    ]
    who = clash.who or _("Somebody else")
    page = render_template(
        "pledges/conflict.html", form=form, rows=rows, yours=_typed_lines(form), settled=clash.version, who=who, back=back
    )
    return page, 409


def _shown(value: object) -> str:
    if isinstance(value, Money):
        return money(value, get_locale())
    return day(value, get_locale()) if isinstance(value, date) else _("none")


def _typed_lines(form: BaseForm) -> list[dict[str, str]]:
    """What was typed, field by field, an instalment a line."""
    found = []
    for field in form:
        if isinstance(field, HiddenField):
            continue
        if isinstance(form, PlanForm) and field.name == "plan":
            plan = [_("%(amount)s, %(when)s", amount=money(row.amount, get_locale()), when=_due(row)) for row in form.plan_lines]
            found.append({"label": str(field.label.text), "value": "; ".join(plan)})
        elif field.data and field.name not in {"parts", "every", "first_on"}:
            value = (
                label_of(field) if hasattr(field, "iter_choices") else _shown(field.data) if isinstance(field.data, date) else field.data
            )
            found.append({"label": str(field.label.text), "value": str(value)})
    return [line for line in found if line["value"]]


def _due(row: PlanLine) -> str:
    return day(row.due_on, get_locale()) if row.due_on else said_when(row.due_when)


def reschedule_page(
    record: Pledge | Agreement,
    plan: Sequence[PlanLine],
    total: Money,
    back: str,
    save: Callable[[RescheduleForm, Opened], uuid.UUID],
) -> Any:
    """The form of another plan for a pledge or an agreement; the earlier plan stays readable."""
    who = actor()
    require(who, Permission.MONEY_WRITE, record.office_id)
    form = RescheduleForm()
    form.own_currency = record.currency
    if request.method == "GET":
        form.on.data = clock.today(who.timezone)
        form.version.data = str(record.version)
        form.show_plan(plan)
    facts = {"total": total, "reference": record.reference, "back": back}
    go = request.form.get("go", "")
    if request.method == "POST" and (go == "equal" or "add" in request.form):
        code = 200 if plan_helper(form, lambda: total)(go) else 422
        return render_template("pledges/reschedule.html", form=form, facts=facts), code
    done = save_form(form, lambda: save(form, opened(form)), then=lambda _key: back, message=_("The new plan is recorded."))
    if done is None and form.conflict is not None:
        return conflict_page(form, back)
    return done or (render_template("pledges/reschedule.html", form=form, facts=facts), status(form))


# --- choices -------------------------------------------------------------------------------------------------------


def read_uuid(text: str | None) -> uuid.UUID | None:
    """A key from a form or an address; anything else is none."""
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def chosen(field: SelectField) -> uuid.UUID | None:
    """The key chosen in a select; Invalid beside it for text that is none."""
    found = read_uuid(field.data)
    if field.data and found is None:
        raise Invalid(_("Choose from the list."), field=field.name)
    return found


def writable(who: Actor) -> list[uuid.UUID]:
    """The offices whose money the actor may write, the home office first."""
    return offices_where(who, Permission.MONEY_WRITE)


def offer_offices(field: SelectField, office_ids: Sequence[uuid.UUID]) -> None:
    """The offices to choose from."""
    names = lookups.office_names(office_ids)
    field.choices = choices([(str(key), names[key]) for key in office_ids if key in names])
    if not field.data and office_ids:
        field.data = str(office_ids[0])


def offer_money(field: SelectField, office_id: uuid.UUID | None, default: str = "") -> None:
    """The currencies, the office's own among the first."""
    usual = money_choices.office_currency(office_id) if office_id else ()
    offer_currencies(field, (*([default] if default else []), *(usual[1:] + usual[:1] if usual else ())))
    if not field.data and not field.raw_data:  # a blank one that was sent stays blank, to be refused
        field.data = default or (usual[1] if usual else "USD")


def offer_programmes(field: SelectField, office_ids: Sequence[uuid.UUID]) -> None:
    """The programmes of the offices; with several offices each is named."""
    field.choices = programme_options(office_ids)


def programme_options(office_ids: Sequence[uuid.UUID]) -> list[SelectChoice]:
    """The same as a list, for rows that share it."""
    names = lookups.office_names(office_ids) if len(office_ids) > 1 else {}
    return choices(
        [
            ("", _("Not said")),
            *(
                (str(row.id), f"{row.title} ({names[row.office_id]})" if names else row.title)
                for row in money_choices.programmes_of(office_ids)
            ),
        ]
    )


def label_of(field: Any) -> str:
    """The words of what is chosen, empty where nothing is."""
    return next((str(choice.label) for choice in field.choices or () if choice.value == field.data and field.data), "")


def given(value: GivenT | None) -> GivenT:
    """A value that the form's validation has made sure of."""
    if value is None:
        message = "a form was saved without a value it needs"
        raise ProgrammingError(message)
    return value
