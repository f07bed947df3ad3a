"""Saved lists: those that stand above a list, keeping the list as it is shown, renaming, sharing and removing it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from crm.errors import NotFound, Refused
from crm.forms.saved_lists import SavedListForm
from crm.i18n import LazyText, _, _l
from crm.models.saved_lists import QUERY_LENGTH, SavedList
from crm.policy import Permission
from crm.queries import saved_lists as queries
from crm.queries.parties import names_of
from crm.queries.programmes import titles_of
from crm.services import saved_lists as services
from crm.web import (
    agreement_list,
    ask_list,
    commitment_list,
    follow_up_list,
    interaction_list,
    party_list,
    pledge_list,
    programme_list,
    receipt_list,
)
from crm.web.gate import actor, permit
from crm.web.helpers import save_form, status
from crm.web.listing import COLUMNS, LIST, Listing, Seen
from crm.web.money_forms import read_uuid

bp = Blueprint("saved_lists", __name__, url_prefix="/lists")
LISTINGS: Mapping[str, Listing] = {
    found.LISTING.noun: found.LISTING
    for found in (
        party_list,
        interaction_list,
        ask_list,
        commitment_list,
        follow_up_list,
        pledge_list,
        agreement_list,
        receipt_list,
        programme_list,
    )
}
_ARGUMENTS: Mapping[str, LazyText] = {
    "q": _l("Words searched for"),
    "form": _l("Form"),
    "kind": _l("Kind"),
    "direction": _l("By whom"),
    "whose": _l("Whose"),
    "under": _l("Under what"),
    "sector": _l("Sector"),
    "country": _l("Country"),
    "state": _l("State"),
    "status": _l("State"),
    "back": _l("Taken back"),
    "party": _l("Party"),
    "donor": _l("Donor"),
    "programme": _l("Programme"),
    "year": _l("Year"),
    "from": _l("From"),
    "to": _l("To"),
    "sort": _l("Order"),
    COLUMNS: _l("Columns"),
}
_MOST_ARGUMENTS = 40


# --- above a list --------------------------------------------------------------------------------------------------


def above(seen: Seen) -> dict[str, Any]:
    """The saved lists of a page: their links, which of them is open and what of it no longer exists, and where to keep another."""
    noun, who = seen.listing.noun, actor()
    rows = queries.of(noun)
    asked = read_uuid(request.args.get(LIST))
    opened = next((row for row in rows if row.id == asked), None)
    return {
        "links": [
            {
                "name": row.name,
                "url": address(row),
                "is_open": row is opened,
                "is_of_colleague": row.user_id != who.user_id,
            }
            for row in rows
        ],
        "edit_url": url_for("saved_lists.edit", saved_id=opened.id) if opened and opened.user_id == who.user_id else "",
        "save_url": url_for("saved_lists.create", noun=noun, query=urlencode(seen.arguments)),
        "lost": _lost(seen.listing, opened) if opened else [],
        "open_name": opened.name if opened else "",
    }


def address(saved: SavedList) -> str:
    """The page of a saved list: its filters, sort and columns in the address, as anybody could have typed them."""
    return url_for(LISTINGS[saved.noun].endpoint, **{**arguments(saved.query), LIST: saved.id})


def arguments(query: str) -> dict[str, Any]:
    """The arguments that the kept address of a list names; only those that lists have. Raises Refused where it is too long: cut, it would
    lose filters and mean more records than were asked for."""
    if len(query) > QUERY_LENGTH or query.count("&") >= _MOST_ARGUMENTS:
        raise Refused(_("What this list is filtered by is too long. Search for fewer words."))
    pairs = parse_qsl(query, max_num_fields=_MOST_ARGUMENTS)
    return {name: value for name, value in pairs if name in _ARGUMENTS}


def _lost(listing: Listing, saved: SavedList) -> list[str]:
    """What a saved list asks for and no longer gets: filters, orders and columns that do not exist, records that cannot be seen."""
    kept = arguments(saved.query)
    seen = Seen.of(listing, MultiDict(kept), actor())
    understood = seen.reading.understood
    lost = [name for name in kept if name != COLUMNS and name not in understood and kept[name] != seen.reading.sort]
    shown = {column.key for column in listing.columns}
    if any(name not in shown for name in kept.get(COLUMNS, "").split(",") if name):
        lost.append(COLUMNS)
    lost += [name for name in ("party", "donor") if (key := read_uuid(understood.get(name))) and not names_of([key])]
    if (key := read_uuid(understood.get("programme"))) and not titles_of([key]):
        lost.append("programme")
    return [str(_ARGUMENTS[name]) for name in lost]


# --- keeping and changing ------------------------------------------------------------------------------------------


@bp.route("/new", methods=["GET", "POST"])
@permit(Permission.RECORD_SEE)
def create() -> Any:
    """Keep a list as its page showed it (?noun=parties&query=kind%3Ddonor) under a name."""
    who, form = actor(), SavedListForm()
    if request.method == "GET":
        form.noun.data, form.query.data = request.args.get("noun", ""), request.args.get("query", "")
    listing = LISTINGS.get(form.noun.data or "")
    if listing is None:
        raise NotFound
    try:
        seen = Seen.of(listing, MultiDict(arguments(form.query.data or "")), who)
    except Refused as error:
        flash(str(error), "error")
        return redirect(url_for(listing.endpoint), code=303)
    shown: dict[str, Any] = dict(seen.arguments)
    query = urlencode(shown)
    answer = save_form(
        form,
        lambda: services.save_list(
            who, services.NewSavedList(listing.noun, form.name.data or "", query, is_shared=bool(form.is_shared.data))
        ),
        then=lambda key: url_for(listing.endpoint, **(shown | {LIST: key})),
        message=_("The list is saved. It stands above the others here."),
    )
    if answer is not None:
        return answer
    back = url_for(listing.endpoint, **shown)
    return render_template("saved_lists/form.html", form=form, saved=None, listing=listing, seen=seen, back=back), status(form)


@bp.route("/<uuid:saved_id>/edit", methods=["GET", "POST"])
@permit(Permission.RECORD_SEE)
def edit(saved_id: uuid.UUID) -> Any:
    """Rename one's own list, or share it with the office."""
    who = actor()
    saved = services.own(who, saved_id)
    listing = LISTINGS.get(saved.noun)
    if listing is None:
        raise NotFound
    form = SavedListForm(data={"name": saved.name, "is_shared": saved.is_shared})
    back = address(saved)
    seen = Seen.of(listing, MultiDict(arguments(saved.query)), who)
    answer = save_form(
        form,
        lambda: services.change_list(who, saved_id, name=form.name.data or "", is_shared=bool(form.is_shared.data)),
        then=lambda _key: back,
        message=_("The list is changed."),
    )
    if answer is not None:
        return answer
    return render_template("saved_lists/form.html", form=form, saved=saved, listing=listing, seen=seen, back=back), status(form)


@bp.post("/<uuid:saved_id>/remove")
@permit(Permission.RECORD_SEE)
def remove(saved_id: uuid.UUID) -> Any:
    """Take one's own list away."""
    saved = services.own(actor(), saved_id)
    noun = saved.noun
    services.remove_list(actor(), saved_id)
    flash(_("The list is removed. The records that it showed stay as they are."), "success")
    return redirect(url_for(LISTINGS[noun].endpoint), code=303)
