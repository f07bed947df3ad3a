"""The code lists: which there are, the entries of each, and keeping them."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from crm import clock
from crm.errors import NotFound
from crm.forms.base import clean
from crm.forms.codes import LABEL_FIELDS, CodeForm
from crm.i18n import LOCALES, LazyText, _, _l
from crm.models.codes import GOAL_AREAS, INTERACTION_KINDS, LISTS, PARTY_KINDS, SECTORS, Code
from crm.policy import Permission, can_everywhere, require_everywhere
from crm.queries import codes as queries
from crm.services import codes as services
from crm.web import history
from crm.web.conflicts import conflict_items, settle, shown, take_choices
from crm.web.gate import actor, permit
from crm.web.helpers import args_with, paging, save_form, status

TITLES: dict[str, LazyText] = {
    GOAL_AREAS: _l("Goal areas"),
    SECTORS: _l("Sectors of programmes"),
    INTERACTION_KINDS: _l("Kinds of interactions"),
    PARTY_KINDS: _l("Kinds of parties"),
}
ABOUT: dict[str, LazyText] = {
    GOAL_AREAS: _l("The goal areas of the strategic plan, each offered for programmes in the years of its plan."),
    SECTORS: _l("The OECD-DAC purpose codes that say what a programme is for."),
    INTERACTION_KINDS: _l("What a contact was: a meeting, a call, a visit."),
    PARTY_KINDS: _l("What people, organisations and groups are to us; a party may be several at once."),
}
_YES_NO = {"True": _l("yes"), "False": _l("no")}
_HISTORY = history.Words(
    {
        "label": _l("Name in English"),
        "description": _l("Description"),
        "position": _l("Place in the list"),
        "valid_from": _l("Offered from"),
        "valid_to": _l("Offered until"),
        "is_withdrawn": _l("Withdrawn"),
    },
    {"code_labels": (_l("Name in another language"), "label")},
    values={"is_withdrawn": _YES_NO},
)

bp = Blueprint("codes", __name__, url_prefix="/code-lists")


@bp.get("/")
@permit(Permission.NAME_SEE)
def index() -> Any:
    """The lists there are."""
    counts = queries.counts()
    lists = [{"name": name, "title": TITLES[name], "about": ABOUT[name], "count": counts[name]} for name in LISTS]
    return render_template("codes/index.html", lists=lists, may=_may())


@bp.get("/<name>")
@permit(Permission.NAME_SEE)
def detail(name: str) -> Any:
    """The entries of a list: code, names, when they are offered."""
    _known(name)
    words = " ".join(str(clean(request.args.get("q", "")[:200])).split())
    page = queries.page_of(name, words, paging())
    today = clock.today(actor().timezone)
    return render_template(
        "codes/detail.html",
        name=name,
        title=TITLES[name],
        about=ABOUT[name],
        page=page,
        words=words,
        may=_may(),
        is_offered={row.id: queries.is_offered(row, today) for row in page.rows},
        dates={row.id: services.dates_in_words(row.valid_from, row.valid_to) for row in page.rows},
        languages=LOCALES,
        args_with=args_with,
    )


@bp.route("/<name>/new", methods=["GET", "POST"])
@permit(Permission.CODE_MANAGE)
def create(name: str) -> Any:
    """Add an entry."""
    _known(name)
    who, form = actor(), CodeForm()
    require_everywhere(who, Permission.CODE_MANAGE)
    back = url_for("codes.detail", name=name)
    done = save_form(
        form, lambda: services.add_code(who, name, _input(form)), then=lambda _key: back, message=_("The entry is in the list.")
    )
    if done:
        return done
    return render_template("codes/form.html", form=form, title=_("New entry"), back=back, rule=services.code_rule(name)), status(form)


@bp.route("/entries/<uuid:entry_id>/edit", methods=["GET", "POST"])
@permit(Permission.CODE_MANAGE)
def edit(entry_id: uuid.UUID) -> Any:
    """Change an entry's names, dates and place."""
    who, record = actor(), _entry(entry_id)
    require_everywhere(who, Permission.CODE_MANAGE)
    current = _as_typed(record)
    form = CodeForm(data=current) if request.method == "GET" else CodeForm()
    take_choices(form, current)
    back = url_for("codes.detail", name=record.list_name)
    done = save_form(
        form,
        lambda: services.change_code(who, entry_id, _input(form), version=form.known_version),
        then=lambda _key: back,
        message=_("The entry is saved. Every page shows it so from now on."),
    )
    if done:
        return done
    if form.conflict is not None:
        settle(form, {name: _typed(value) for name, value in form.conflict.merged.items()})
        items = conflict_items(form, _words)
        return render_template("programmes/conflict.html", form=form, items=items, who=form.conflict.who, back=back), 409
    is_relied_on = record.code in LISTS[record.list_name].relied_on
    is_held = not is_relied_on and services.is_in_use(record)
    return (
        render_template(
            "codes/form.html",
            form=form,
            record=record,
            title=record.label,
            back=back,
            kept=services.relied_on_sentence(record.label) if is_relied_on else "",
            held=services.held_sentence(record.label) if is_held else "",
        ),
        status(form),
    )


@bp.post("/entries/<uuid:entry_id>/remove")
@permit(Permission.CODE_MANAGE)
def remove(entry_id: uuid.UUID) -> Any:
    """Take away an entry that no record holds."""
    name = services.remove_code(actor(), entry_id)
    flash(_("The entry is removed."), "success")
    return redirect(url_for("codes.detail", name=name), code=303)


@bp.get("/entries/<uuid:entry_id>/history")
@permit(Permission.AUDIT_READ)
def entry_history(entry_id: uuid.UUID) -> Any:
    """Who changed what on an entry."""
    record = _entry(entry_id)
    found = queries.history_of(entry_id, before=history.cursor())
    return render_template(
        "history/index.html",
        name=record.label,
        back=url_for("codes.detail", name=record.list_name),
        address=url_for("codes.entry_history", entry_id=entry_id),
        lines=history.lines(found, _HISTORY),
        before=found.before,
    )


def _may() -> bool:
    return can_everywhere(actor(), Permission.CODE_MANAGE)


def _known(name: str) -> None:
    if name not in LISTS:
        raise NotFound


def _entry(entry_id: uuid.UUID) -> Code:
    found = queries.find(entry_id)
    if found is None:
        raise NotFound
    return found


def _input(form: CodeForm) -> services.CodeInput:
    return services.CodeInput(
        code=form.code.data or "",
        label=form.label.data or "",
        description=form.description.data or "",
        position=form.place,
        valid_from=form.valid_from.data,
        valid_to=form.valid_to.data,
        is_withdrawn=bool(form.is_withdrawn.data),
        labels=form.labels(),
    )


def _as_typed(record: Code) -> dict[str, Any]:
    """An entry as the form has it."""
    labels = {row.language: row.label for row in record.labels}
    return {
        **{name: getattr(record, name) for name in ("code", "label", "description", "valid_from", "valid_to", "is_withdrawn")},
        **{name: labels.get(language, "") for name, language in LABEL_FIELDS.items()},
        "position": str(record.position),
        "version": str(record.version),
    }


def _typed(value: object) -> object:
    """A merged value as the form's field has it."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _words(_name: str, value: object) -> str:
    """What the conflict page shows."""
    return str(_YES_NO[str(value)]) if isinstance(value, bool) else shown(value)
