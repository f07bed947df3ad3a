"""Spreadsheets before they are brought in: what the columns mean, cells mended on the page; and the undo of any import."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from crm import clock
from crm.errors import Conflict, Denied, Invalid, Refused
from crm.exchange.sheet_columns import SHEETS
from crm.exchange.sheet_values import MOST_VALUES, said_of_values, value_key
from crm.exchange.sheets import MOST_EDITS, TWO, Setup, SheetFile
from crm.exchange.tabular import MAX_ROWS
from crm.forms.base import clean
from crm.forms.imports import ActForm, DoublesForm, MendForm, RowsForm, SheetForm
from crm.forms.parties import country_choices
from crm.i18n import _, ngettext
from crm.jobs import imports, sheets
from crm.jobs.mending import equal_problems
from crm.models.codes import INTERACTION_KINDS
from crm.models.imports import ImportBatch
from crm.policy import OfficeFacts, Permission, can, offices_by_id, require
from crm.queries import codes
from crm.queries import imports as queries
from crm.queries import sheet_imports as held
from crm.queries.imports import RejectPlace
from crm.queries.sheet_money import donors_meant
from crm.services import import_undo
from crm.services.imports import permission_for
from crm.services.sheet_channels import nearest_address
from crm.services.sheet_imports import calling_country, note_level
from crm.web import mending, sheet_doubles
from crm.web.gate import actor, permit
from crm.web.helpers import status
from crm.web.imports import turn_words, undo_rows, undo_words

bp = Blueprint("sheet_imports", __name__, url_prefix="/imports")

ROWS_SHOWN = 40
OUT_SHOWN = 100
KEPT_SHOWN = 100


def _opened(batch_id: uuid.UUID) -> tuple[ImportBatch, SheetFile, int]:
    """A checked spreadsheet that the person may bring in, as it is read now, and the version of what was said of it."""
    batch = queries.get(batch_id)
    if batch.format not in sheets.KINDS:
        raise Refused(_("Only a list that was kept as a spreadsheet has columns to choose and cells to mend."))
    require(actor(), permission_for(batch.format), batch.office_id)
    read = imports.sheet_to_mend(actor(), batch_id)
    sheet = held.sheet_of(batch_id)
    return batch, read.file, sheet.version if sheet is not None else 0


def _office(batch: ImportBatch) -> OfficeFacts:
    return offices_by_id()[batch.office_id]


def _back(batch_id: uuid.UUID, error: Exception) -> Response:
    flash(str(error), "error")
    return redirect(url_for("imports.detail", batch_id=batch_id), code=303)


@bp.route("/<uuid:batch_id>/columns", methods=["GET", "POST"])
@permit(Permission.IMPORT_CONTACTS)
def columns(batch_id: uuid.UUID) -> Any:
    """What each column means, and what the file leaves open: asked before anything is brought in."""
    try:
        batch, file, version = _opened(batch_id)
    except (Refused, Conflict) as error:
        return _back(batch_id, error)
    setup = file.setup
    example = next((question.example for question in file.questions if question.about == "days"), "")
    form = SheetForm(
        sheets=file.grid.sheets,
        countries=country_choices(),
        example=example,
        slug=batch.format,
        kinds=codes.offered_choices(INTERACTION_KINDS, clock.today()),
        is_money=file.kind.is_money,
        data={
            "sheet": str(file.grid.sheets.index(file.grid.sheet)) if file.grid.sheets else "",
            "header_row": str(file.listing.header_row),
            "day_order": setup.day_order,
            "form_of": "meeting" if batch.format == "interactions" and setup.form not in codes.entries(INTERACTION_KINDS) else setup.form,
            "country": setup.country or calling_country(_office(batch)) or "",
            "note_level": note_level(actor(), batch.office_id, setup.note_level),
            "amount_mark": setup.amount_mark,
            "currency": setup.currency,
            "totals": setup.totals,
            "is_remembered": True,
            "version": str(version),
        },
    )
    chosen, turned = dict(file.columns), list(setup.turned)
    if request.method == "POST":
        chosen = {heading: request.form.get(f"column-{place}", "") for place, heading in enumerate(file.headings) if heading}
        turned = [heading for place, heading in enumerate(file.headings) if f"turn-{place}" in request.form]
        if form.validate():
            said = _said(form, file, chosen, turned)
            if said is not None and _recheck(form, batch_id, said, is_remembered=form.is_remembered.data):
                return _after_columns(batch_id)
    fields = [("", _("Leave it out")), *((name, str(item.label)) for name, item in SHEETS[batch.format].fields.items())]
    listed = [
        {"place": place, "heading": heading, "field": chosen.get(heading, ""), "examples": file.examples(heading)}
        for place, heading in enumerate(file.headings)
        if heading
    ]
    names = [
        {"place": file.headings.index(heading), "words": turn_words(heading, *found), "is_turned": heading in turned}
        for heading, found in file.turnable.items()
    ]
    return (
        render_template(
            "imports/columns.html", names=names, batch=batch, form=form, columns=listed, fields=fields, file=file, missing=file.missing()
        ),
        status(form),
    )


def _after_columns(batch_id: uuid.UUID) -> Response:
    """Where saying what the columns are leads: to what the file would do, unless what was said raises a question."""
    if queries.summary_of(queries.get(batch_id)).is_open:
        flash(_("The file was read this way, and something is left open: see below."), "warning")
        return redirect(url_for("sheet_imports.columns", batch_id=batch_id), code=303)
    return redirect(url_for("imports.detail", batch_id=batch_id), code=303)


def _said(form: SheetForm, file: SheetFile, chosen: dict[str, str], turned: Sequence[str]) -> Setup | None:
    """What the form says; None (and the reason beside the field) where it cannot be."""
    text = (form.header_row.data or "").strip()
    known = SHEETS[file.slug].fields
    sheet = _sheet(form.sheet.data or "", file)
    last = max((row for row, _cells in file.grid.rows), default=1) if sheet == file.grid.sheet else MAX_ROWS
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= last:
        form.take(Invalid(_("Enter the number of a row of the sheet."), field="header_row"))
        return None
    for heading, name in chosen.items():
        if name and name in known and not known[name].is_many and list(chosen.values()).count(name) > 1:
            form.take(
                Invalid(
                    _("Two columns are said to be “%(field)s”; one of them is “%(heading)s”.", field=known[name].label, heading=heading)
                )
            )
            return None
    setup = file.setup
    if file.kind.is_money:
        setup = replace(setup, amount_mark=form.amount_mark.data or "", currency=form.currency.data or "", totals=form.totals.data or "")
    else:
        setup = replace(
            setup,
            form=form.form_of.data if "form_of" in form else setup.form,
            country=(form.country.data or "") if "country" in form else setup.country,
            note_level=form.note_level.data if "note_level" in form else setup.note_level,
        )
    is_row_kept = int(text) == file.listing.header_row
    is_same = sheet == file.grid.sheet and is_row_kept
    return replace(
        setup,
        sheet=sheet,
        header_row=0 if is_row_kept and not is_same else int(text),  # of another sheet it is found anew
        columns=chosen if is_same else None,
        day_order=form.day_order.data or "",
        edits=file.setup.edits if is_same else {},
        left_out=file.setup.left_out if is_same else (),
        twins=file.setup.twins if is_same else {},
        parted=file.setup.parted if is_same else {},
        employers=file.setup.employers if is_same else {},
        employers_apart=file.setup.employers_apart if is_same else {},
        emptied=file.setup.emptied if is_same else (),
        turned=turned if is_same else (),
    )


def _sheet(chosen: str, file: SheetFile) -> str:
    """The name of the sheet chosen by its place: a name itself, with a blank at its end, would not come back as it went out."""
    return {str(place): name for place, name in enumerate(file.grid.sheets)}.get(chosen, file.grid.sheet)


def _recheck(form: SheetForm | MendForm, batch_id: uuid.UUID, setup: Setup, *, is_remembered: bool = False) -> bool:
    try:
        imports.recheck_sheet(actor(), batch_id, form.known_version, setup, is_remembered=is_remembered)
    except Invalid as error:
        form.take(error)
        return False
    except (Refused, Conflict) as error:
        form.take(Invalid(str(error)))
        return False
    return True


@bp.route("/<uuid:batch_id>/rows", methods=["GET", "POST"])
@permit(Permission.IMPORT_CONTACTS)
def rows(batch_id: uuid.UUID) -> Any:
    """Rejected rows: equal problems and unknown words first, each mended at once, then the first rows as a grid whose cells are mended. They are read again;
    what was typed stays, mended or not."""
    try:
        batch, file, version = _opened(batch_id)
    except (Refused, Conflict) as error:
        return _back(batch_id, error)
    form = RowsForm(data={"version": str(version), "is_remembered": True})
    rejects = queries.reject_places(batch.id)
    guesses = mending.Guesses(file)
    offers, said = mending.offers_of(file, equal_problems(file, rejects), guesses), mending.said_of(file)
    mended = mending.mended_at_once(file, offers)
    in_several = mending.rows_in_several(rejects, mended)
    ordered = sorted(rejects, key=lambda one: one.row in in_several)  # those that are mended at once come last
    shown, others = ordered[:ROWS_SHOWN], ordered[ROWS_SHOWN:]
    edits = {row: dict(cells) for row, cells in file.setup.edits.items()}
    out = _left_out(file)
    grid = _grid(file, shown, edits, out, {cell for cell in mended if cell[0] not in in_several})
    for line in grid:
        _guess(line, {heading for row, heading in mended if row == line["row"]}, guesses)
    out |= mending.rows_out(offers)
    meant = _meant(batch, file, grid, offers)
    is_valid = request.method == "POST" and form.validate()
    if is_valid:
        out |= form.rows_out({row for row, _cells in file.listing.rows} | set(file.left_out))
    if is_valid and not form.has_errors:
        values = said_of_values(file.setup.values, mending.answers([*said, *offers]) | _taken(grid, offers, meant))
        setup = replace(file.setup, columns=file.columns, edits=edits, left_out=sorted(out), values=values)
        emptied = [one["heading"] for one in mending.formulas_of(file) if one["is_emptied"]]
        of_days = {one.name: one.now for one in mending.days_of(file)}
        setup = replace(setup, century=of_days.get("century", ""), months=of_days.get("months", ""), emptied=emptied)
        if len(edits) > MOST_EDITS or sum(map(len, values.values())) > MOST_VALUES:
            form.take(Invalid(_("So many rows are mended sooner in the file itself: download the rejected rows.")))
        elif _recheck(form, batch_id, setup, is_remembered=form.is_remembered.data):
            return _after_mending(batch_id)
    listed = [
        {"row": row, "values": [text for text in sheets.cells_of(file, row).values() if text.strip()], "is_out": row in out}
        for row in file.left_out[:OUT_SHOWN]
    ]
    page = render_template(
        "imports/rows.html",
        batch=batch,
        form=form,
        grid=grid,
        left_out=listed,
        all_out=len(file.left_out),
        meant=meant,
        offers=offers,
        words=mending.by_column(offers),
        in_several=in_several,
        has_more=any(one.row not in in_several for one in others),
        anchors={one.rows[0]: one.key for one in reversed(offers) if one.count == 1 and one.rows[0] in in_several},
        said=said,
        days=mending.days_of(file),
        formulas=mending.formulas_of(file),
        may_remember=any(one.is_of_list for one in (*offers, *said)) or bool(mending.days_of(file)),
    )
    return page, status(form)


def _after_mending(batch_id: uuid.UUID) -> Response:
    batch = queries.get(batch_id)
    left, now = batch.rejected, queries.summary_of(batch)
    flash(
        ngettext("Read again: %(num)d row still has a problem.", "Read again: %(num)d rows still have problems.", left)
        if left
        else _("Read again: no row has a problem."),
        "warning" if left else "success",
    )
    has_doubles = not left and (now.twins or sheet_doubles.groups_in(now))
    page = "sheet_imports.rows" if left else "sheet_imports.doubles" if has_doubles else "imports.detail"
    return redirect(url_for(page, batch_id=batch_id), code=303)


def _grid(
    file: SheetFile, rejects: Sequence[RejectPlace], edits: dict[str, dict[str, str]], out: set[int], asked: Collection[tuple[int, str]]
) -> list[dict[str, Any]]:
    """Rejected rows with their cells as they are read, or as they were typed: what was typed goes to `edits`. `asked`: cells (row, heading) of
    which the page asks above, for all rows with the same problem."""
    used = [(place, heading) for place, heading in enumerate(file.headings) if file.columns.get(heading)]
    as_read, grid = dict(file.as_read), []
    for reject in rejects:
        row = as_read.get(reject.row, ())
        cells: list[dict[str, Any]] = []
        for place, heading in used:
            name = f"cell-{reject.row}-{place}"
            stands = mending.in_words(file, heading, row[place]) if place < len(row) else ""
            text = clean(request.form[name]) if name in request.form else stands.strip()
            if text != stands.strip():
                edits.setdefault(str(reject.row), {})[heading] = text
            whys = [reason for column, reason in reject.problems if column == heading and (reject.row, heading) not in asked]
            choices = mending.choices_of(file, heading, stands) if whys else []
            cells.append(
                {
                    "name": name,
                    "heading": heading,
                    "stands": stands,
                    "text": text,
                    "whys": whys,
                    "choices": choices,
                    "field": file.columns[heading],
                }
            )
        placed = {cell["heading"] for cell in cells}
        whole = [(column, reason) for column, reason in reject.problems if column not in placed]
        is_open = not any(cell["whys"] for cell in cells) or any(
            not cell["whys"] and cell["text"] != cell["stands"].strip() for cell in cells
        )
        grid.append({"row": reject.row, "whole": whole, "cells": cells, "is_open": is_open, "is_out": reject.row in out})
    return grid


def _guess(line: dict[str, Any], asked: Collection[str], guesses: mending.Guesses) -> None:
    """Choose in the wrong cells of a row what is surely meant, where the page is not answered yet. `asked`: columns of which it asks above."""
    for cell in line["cells"]:
        is_mended_here = cell["whys"] and not cell["choices"] and cell["heading"] not in asked
        if is_mended_here and cell["field"] == "email" and (address := nearest_address(cell["stands"])):
            cell["text"] = address if cell["name"] not in request.form else cell["text"]
            cell["proposed"] = cell["text"] == address
        guess = guesses.of(cell["heading"], cell["stands"]) if cell["choices"] and cell["heading"] not in asked else ""
        if guess and guess in dict(cell["choices"]):
            cell["choices"] = mending.guessed(cell["choices"], guess)
            cell["text"] = guess if request.method != "POST" else cell["text"]


def _left_out(file: SheetFile) -> set[int]:
    """The rows that are left out: as they were, and of those that the page asked about as it was answered."""
    if request.form.get("none-out"):
        return set()
    asked = {text for text in request.form.getlist("asked") if text.isascii() and text.isdigit()}
    said = {text for text in request.form.getlist("out") if text in asked}
    known = {number for number, _cells in file.listing.rows}
    return {row for row in (*file.left_out, *known) if (str(row) in said if str(row) in asked else row in file.left_out)}


def _meant(
    batch: ImportBatch, file: SheetFile, grid: Sequence[Mapping[str, Any]], offers: Sequence[mending.Offer]
) -> dict[str, list[dict[str, str]]]:
    """Whom a value may mean that names no donor on record: name of the cell, or key of the offer -> what can be taken in its place."""
    if not file.kind.is_money:
        return {}
    wrong = {one.key: one.text for one in offers if file.columns.get(one.heading) == "donor"}
    offered = {(one.heading, value_key(one.text)) for one in offers}
    wrong |= {
        cell["name"]: cell["text"]
        for line in grid
        for cell in line["cells"]
        if cell["whys"]
        and cell["text"]
        and file.columns.get(cell["heading"]) == "donor"
        and (cell["heading"], value_key(cell["text"])) not in offered
    }
    found = donors_meant(batch.office_id, set(wrong.values()))
    return {
        name: [{"name": meant, "reference": reference, "take": f"{name}:{reference}"} for meant, reference in found[text]]
        for name, text in wrong.items()
    }


def _taken(
    grid: Sequence[Mapping[str, Any]], offers: Sequence[mending.Offer], meant: Mapping[str, Sequence[Mapping[str, str]]]
) -> dict[tuple[str, str], str | None]:
    """The party that was chosen for a value, in every row that names the same in this column: (heading, value) -> its reference."""
    name, reference = mending.taken(meant)
    cells = {cell["name"]: (cell["heading"], cell["text"]) for line in grid for cell in line["cells"]}
    cells |= {one.key: (one.heading, one.text) for one in offers}
    return {cells[name]: reference} if name else {}


@bp.route("/<uuid:batch_id>/doubles", methods=["GET", "POST"])
@permit(Permission.IMPORT_CONTACTS)
def doubles(batch_id: uuid.UUID) -> Any:
    """Rows that may be one with an earlier row or with a record: a person says that they are, or that they are two, and they are read again."""
    try:
        batch, file, version = _opened(batch_id)
    except (Refused, Conflict) as error:
        return _back(batch_id, error)
    form, rejected = DoublesForm(data={"version": str(version)}), batch.rejected
    summary = queries.summary_of(batch)
    listed = sheet_doubles.doubles_of(file, summary, batch.office_id)
    cells = dict(file.as_read)
    groups = sheet_doubles.groups_of(summary, batch.office_id, lambda row: mending.said_in(file, cells.get(row, ()), ("name", "country")))
    settled = sheet_doubles.settled_of(file.setup, batch.office_id)
    named, typed = sheet_doubles.all_named(summary, batch.office_id)
    is_valid = request.method == "POST" and form.validate()
    for one in (one for one in named if one.why):
        form.whole_errors.append(_("%(name)s: %(why)s", name=one.name, why=one.why))
    setup = sheet_doubles.said_of_employers(sheet_doubles.said_of_doubles(file.setup, listed), groups, settled, typed)
    if is_valid:
        setup = _with_pairs(form, file, setup, batch.office_id)
    if is_valid and not form.has_errors:
        left = summary.double_rows + len(sheet_doubles.groups_in(summary))
        if left and setup.dump() == file.setup.dump():
            flash(
                ngettext(
                    "%(num)d possible duplicate is left: it is brought in as a new one.",
                    "%(num)d possible duplicates are left: each is brought in as a new one.",
                    left,
                ),
                "warning",
            )
            return redirect(url_for("imports.detail", batch_id=batch_id), code=303)
        if len(setup.twins) + len(setup.employers) + len(setup.employers_apart) > MOST_EDITS:
            form.take(Invalid(_("So many duplicates are put together sooner in the file itself. Discard this one, and bring it mended.")))
        elif _recheck(form, batch_id, replace(setup, columns=file.columns)):
            again = queries.get(batch_id)
            now = queries.summary_of(again)
            if again.rejected > rejected:
                flash(
                    ngettext("Read again: %(num)d row has a problem.", "Read again: %(num)d rows have problems.", again.rejected), "warning"
                )
                return redirect(url_for("sheet_imports.rows", batch_id=batch_id), code=303)
            left = now.double_rows + len(sheet_doubles.groups_in(now))
            flash(
                ngettext("Read again: %(num)d possible duplicate is left.", "Read again: %(num)d possible duplicates are left.", left)
                if left
                else _("Read again: nothing is left to be settled."),
                "success",
            )
            return redirect(url_for("sheet_imports.doubles" if left else "imports.detail", batch_id=batch_id), code=303)
    total = sum(row not in file.setup.twins for row in summary.twins)
    page = render_template(
        "imports/doubles.html",
        batch=batch,
        form=form,
        doubles=listed,
        names=_names(file, listed),
        groups=groups,
        said=settled,
        named=named,
        total=total,
        may_join=batch.format == "parties",
    )
    return page, status(form)


def _with_pairs(form: DoublesForm, file: SheetFile, setup: Setup, office_id: uuid.UUID) -> Setup:
    """What was said of a file, with the rows that are said to be one though nothing asked about them; one of which something else is said is
    refused beside the field."""
    pairs = _pairs(form, file, office_id)
    for row, other in pairs.items():
        if (said := setup.twins.get(row, other)) != other:
            form.take(Invalid(_said_otherwise(row, said), field="also_one"))
    return replace(setup, twins={**setup.twins, **pairs})


def _pairs(form: DoublesForm, file: SheetFile, office_id: uuid.UUID) -> dict[str, str]:
    """The rows that are said to be one with another row or a record, though nothing asked about them: row -> row or reference. Two statements."""
    if file.slug != "parties":
        return {}
    cells = dict(file.as_read)
    pairs = form.pairs(cells)
    references = {other for other in pairs.values() if not other.isdecimal()}
    if missing := references - held.names_of(office_id, references).keys():
        form.take(Invalid(_("There is no %(reference)s that you can name here.", reference=min(missing)[:60]), field="also_one"))
    for row in pairs:
        if reference := "".join(mending.said_in(file, cells[int(row)], ("reference",))):
            why = _("Row %(row)s has the reference %(reference)s. Empty that cell first.", row=row, reference=reference[:60])
            form.take(Invalid(why, field="also_one"))
    return pairs


def _said_otherwise(row: str, said: str) -> str:
    """Why a row cannot be said to be one with another: something else is said of it."""
    if said == TWO:
        return _("Of row %(row)s it is said above that they are two different ones.", row=row)
    other = _("row %(row)s", row=said) if said.isdecimal() else said
    return _("Row %(row)s is said to be one with %(other)s already. Take that back, or name that one.", row=row, other=other)


def _names(file: SheetFile, doubles: Sequence[sheet_doubles.Double]) -> dict[str, str]:
    """Whom the rows of possible duplicates are about, as the page shows it: number of the row -> the cell of its name."""
    cells = dict(file.as_read)
    numbers = {row for double in doubles for row in (double.row, *(int(other) for other in double.others if other.isdecimal()))}
    fields = ("given_name", "family_name") if "given_name" in file.by_field else ("name",)
    found = {str(row): " ".join(mending.said_in(file, cells[row], fields)) for row in numbers if row in cells}
    return {row: name for row, name in found.items() if name}


@bp.route("/<uuid:batch_id>/undo", methods=["GET", "POST"])
@permit(Permission.IMPORT_CONTACTS)
def undo(batch_id: uuid.UUID) -> Any:
    """Undo an import: what that would do first, then one button: a short one at once, a longer one, or the rest of one, in the background.
    A second click finds it done, or going on."""
    batch = queries.get(batch_id)
    if request.method == "POST":
        try:
            if not imports.undo_is_short(batch):
                imports.undo_in_background(actor(), batch_id)
                return redirect(url_for("imports.detail", batch_id=batch_id), code=303)
            imports.undo(actor(), batch_id)
        except Conflict as error:
            if import_undo.undone(batch_id) is None:
                return _back(batch_id, error)
        else:
            flash(_("The import of %(file)s is undone.", file=batch.file_name), "success")
        return redirect(url_for("imports.detail", batch_id=batch_id), code=303)
    if not can(actor(), permission_for(batch.format), batch.office_id):
        return _back(batch_id, Denied(_("Undoing the import of this file needs the grants officer's role. Ask the head of your office.")))
    if sentence := import_undo.why_not(batch):
        return _back(batch_id, Conflict(sentence))
    doing = import_undo.plan(batch)
    kept = [(str(import_undo.NOUNS.get(one.noun, one.noun)), one.title, one.why) for one in doing.kept[:KEPT_SHOWN]]
    is_money = batch.format in sheets.KINDS and sheets.KINDS[batch.format].is_money
    return render_template(
        "imports/undo.html",
        batch=batch,
        doing=doing,
        kept=kept,
        is_money=is_money,
        form=ActForm(),
        rows=undo_rows(doing.by_noun),
        words=undo_words(batch),
    )
