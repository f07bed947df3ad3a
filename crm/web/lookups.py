"""What views of asks, interactions and promises share: reading a party lookup, choices of selects, lists with filters, words."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from flask import render_template, request, url_for
from werkzeug.routing import BuildError
from wtforms import Field, SelectField, SelectMultipleField

from crm import clock
from crm.data import countries_by_iso2
from crm.errors import NotFound
from crm.formatting import due_day, moment, money
from crm.forms.base import BaseForm, choices
from crm.forms.lookups import NEW, NEW_FORMS, PartyField, uuid_of
from crm.i18n import LazyText, _, _l, get_locale, ngettext
from crm.models.commitments import Commitment
from crm.models.interactions import Interaction
from crm.models.parties import Party
from crm.money import Money
from crm.policy import Actor, OfficeFacts, Permission, can, offices_where, require
from crm.queries import commitments, lookups, search
from crm.queries.duplicates import Alike, Candidate, possible_duplicates_of
from crm.queries.lookups import Match
from crm.queries.offices import Days, days
from crm.queries.paging import LAST_NUMBERED_PAGE, Page, Paging
from crm.services import submissions
from crm.services.checking import Opened
from crm.services.parties import HeldPost, NewParty
from crm.web.conflicts import ConflictItem, shown
from crm.web.duplicates import Question
from crm.web.gate import actor
from crm.web.helpers import args_with, safe_target

_Row = TypeVar("_Row")

FORM_LABELS: dict[str, LazyText] = {"person": _l("Person"), "organisation": _l("Organisation"), "group": _l("Group")}
ADD_LABELS: dict[str, LazyText] = {
    "person": _l("Add as a new person"),
    "organisation": _l("Add as a new organisation"),
    "group": _l("Add as a new group"),
}
ADD_NAMED: dict[str, LazyText] = {
    "person": _l("Add “%(name)s” as a new person"),
    "organisation": _l("Add “%(name)s” as a new organisation"),
    "group": _l("Add “%(name)s” as a new group"),
}
_SUGGESTED = 6
SOON_DAYS = 14
FIRST_YEAR, LAST_YEAR = 1990, 2100
_LONG = 90


# --- whom a text means ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """What a lookup came to: a party of ours, or one to be added with the record."""

    party_id: uuid.UUID | None = None
    new: NewParty | None = None


def settle(field: PartyField, office_id: uuid.UUID, *, meant: lookups.Resolution | None = None) -> Found | None:
    """Read a lookup: the party, or a new one; None with a question (and choices) or a refusal beside the field where it is in doubt.
    `meant`: what the text means, where that was looked up before."""
    text = field.text
    if not text:
        if field.is_needed:
            field.refuse(_("Enter who it is: a name or a reference."))
        return None if field.is_needed else Found()
    if field.form.text.errors:
        return None
    known = lookups.party_match(uuid_of(field.choice), office_id)
    if known is not None:
        return _settled(field, known)
    if field.can_add and field.chosen_form():
        return _added(field, office_id)
    resolution = meant or lookups.resolve_party(text, office_id)
    if resolution.one is not None:
        return _settled(field, resolution.one)
    alike = _alike(field, office_id) if field.can_add else []
    named, near = _suggested(text, office_id)
    several = _once([*map(_match_choice, resolution.several), *alike, *map(_match_choice, named)])
    is_sure = bool(several)
    several = several or [_match_choice(match) for match in near]
    if not field.can_add and not several:
        field.refuse(_("Nobody is called “%(name)s”. Enter another name, or a reference.", name=text[:100]))
        return None
    options = [*several, *_adding(field)]
    if len(several) == 1:
        if is_sure:  # a name that is only nearly what was typed is asked about, and not ticked
            field.form.choice.data = several[0][0]
        field.offer(options, _("Did you mean “%(name)s”? Nothing is saved yet.", name=several[0][1]))
    elif several:
        field.offer(options, _("More than one party may be meant. Choose below; nothing is saved yet."))
    else:
        field.offer(options, _("“%(name)s” is not on record yet. Say who it is, and save again.", name=text[:100]))
    return None


def _suggested(text: str, office_id: uuid.UUID) -> tuple[list[Match], list[Match]]:
    """Those on record whose name has what was typed, in whatever script, as they are suggested while it is typed; and those whose name
    is nearly that."""
    query = search.Query.of(text)
    if not query.words:
        return [], []
    found = search.find(actor(), query, nouns=("parties",), most=_SUGGESTED)
    named = [hit.id for group in found.groups for hit in group.hits if search.is_by_name(hit, query)]
    near = [hit.id for hit in found.near]
    matches = lookups.party_matches({*named, *near}, office_id)
    return [matches[key] for key in named if key in matches], [matches[key] for key in near if key in matches]


def _match_choice(match: Match) -> tuple[str, str, str]:
    return str(match.id), match.name, _note(match)


def _once(lines: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Choices, each party once: as it came first."""
    first: dict[str, tuple[str, str, str]] = {}
    for line in lines:
        first.setdefault(line[0], line)
    return list(first.values())


def _adding(field: PartyField) -> list[tuple[str, str, str]]:
    return [(f"{NEW}{form}", str(ADD_LABELS[form]), "") for form in NEW_FORMS] if field.can_add else []


def _alike(field: PartyField, office_id: uuid.UUID) -> list[tuple[str, str, str]]:
    """Parties that may be the same as who was typed, as choices; they count as shown from now on."""
    question = Question(field.form.seen)
    question.is_answered(Candidate(field.text), office_id)
    return [_alike_choice(other) for other in question.alike]


def _alike_choice(other: Alike) -> tuple[str, str, str]:
    return str(other.id), other.name, f"{other.why}, {other.reference}"


def _added(field: PartyField, office_id: uuid.UUID) -> Found | None:
    """Somebody new, recorded with the record; None where somebody on record may be the same and was not shown yet, or the post
    cannot be read."""
    form, question = field.chosen_form(), Question(field.form.seen)
    is_sent_again = submissions.find(actor(), request.form.get("submission", "")[:64]) is not None
    if not is_sent_again and not question.is_answered(Candidate(field.text, form), office_id):
        field.offer(
            [*map(_alike_choice, question.shown), *_adding(field)],
            _("“%(name)s” may be on record already. Choose, or save again if not.", name=field.text[:100]),
        )
        return None
    title, organisation = str(field.form.post.data or ""), str(field.form.organisation.data or "")
    if form != "person" or not (title or organisation):
        return Found(new=NewParty(form, field.text, distinct_from=question.distinct_from))
    if not title or not organisation:
        missing = field.form.organisation if title else field.form.post
        missing.errors = [*missing.errors, _("Enter both, the post and its organisation, or neither.")]
        return None
    at = lookups.resolve_party(organisation, office_id)
    if at.one is None and at.several:
        names = "; ".join(f"{match.name} ({match.reference})" for match in at.several)
        sentence = _("Which one? Type its whole name, or a reference: %(names)s.", names=names)
        field.form.organisation.errors = [*field.form.organisation.errors, sentence]
        return None
    post = HeldPost(title, at.one.id if at.one else None, "" if at.one else organisation)
    return Found(new=NewParty(form, field.text, post=post, distinct_from=question.distinct_from))


def whom(who: Actor, text: str, office_id: uuid.UUID | None, *, can_add: bool) -> dict[str, Any]:
    """What is suggested while the name of a party is typed: those on record first, then how to add somebody new, before whom those
    stand who may be the same. A fixed number of statements."""
    query = search.Query.of(text)
    office_id = office_id if office_id in who.readable else who.home_office_id
    found = search.find(who, query, nouns=("parties",), most=_SUGGESTED) if query.words or query.reference else search.Found()
    hits = [*([found.exact] if found.exact else []), *(hit for group in found.groups for hit in group.hits), *found.near]
    alike = possible_duplicates_of([Candidate(query.text)], office_id=office_id)[0] if can_add and query.words else ()
    why = {other.id: str(other.why) for other in alike}
    matches = lookups.party_matches({*why, *(hit.id for hit in hits)}, office_id)
    order = dict.fromkeys((*(hit.id for hit in hits), *why))
    shown = [matches[key] for key in order if key in matches][: _SUGGESTED + len(why)]
    items: list[dict[str, Any]] = [
        {
            "title": match.name,
            "value": str(match.id),
            "note": ", ".join(part for part in (why.get(match.id, ""), _note(match)) if part),
            "is_alike": match.id in why,
        }
        for match in shown
    ]
    if can_add and query.words and can(who, Permission.CONTACT_LOG):
        items += [{"title": str(label) % {"name": query.text}, "value": f"{NEW}{form}", "note": ""} for form, label in ADD_NAMED.items()]
    return {"items": items, "status": ngettext("%(num)d suggestion", "%(num)d suggestions", len(items))}


def _settled(field: PartyField, match: Match) -> Found:
    field.settle(match.id, match.name)
    return Found(party_id=match.id)


def _note(match: Match) -> str:
    country = countries_by_iso2().get(match.country or "")
    parts = [str(FORM_LABELS[match.form]), country.name if country else "", match.reference]
    return ", ".join(part for part in parts if part)


def prefill(field: PartyField, party_id: uuid.UUID | None, office_id: uuid.UUID) -> None:
    """Fill a lookup with a known party, where a record of the office may name it."""
    match = lookups.party_match(party_id, office_id)
    if match is not None:
        field.settle(match.id, match.name)


# --- choices -------------------------------------------------------------------------------------------------------


def choose_office(form: BaseForm, who: Actor, fixed: uuid.UUID | None = None) -> OfficeFacts:
    """The office a record is for: the fixed one, the one chosen in the form (`office`), else one's own."""
    allowed = offices_where(who, Permission.CONTACT_LOG)
    if not allowed:
        require(who, Permission.CONTACT_LOG, who.home_office_id)
    field: Any = getattr(form, "office", None)
    asked = uuid_of(field.data if field is not None and field.data else request.args.get("office"))
    office_id = fixed or (asked if asked in allowed else allowed[0])
    if field is not None:
        names = lookups.office_names(allowed) if len(allowed) > 1 and fixed is None else {}
        field.choices = choices((str(key), names[key]) for key in allowed if key in names)
        field.data = str(office_id)
    return lookups.office(office_id)


def offer_programmes(field: SelectField, office_id: uuid.UUID) -> None:
    """The programmes of an office, or none."""
    field.choices = choices([("", _("None")), *((str(key), title) for key, title in lookups.programme_choices(office_id))])


def offer_colleagues(fields: Iterable[SelectField | SelectMultipleField], office_id: uuid.UUID, *also: uuid.UUID | None) -> None:
    """The people of an office; a single choice starts with oneself."""
    people = [(str(key), name) for key, name in lookups.colleague_choices(office_id, also=(actor().user_id, *also))]
    for field in fields:
        field.choices = choices(people)
        if not isinstance(field, SelectMultipleField) and not field.data:
            field.data = actor().id


def offer_posts(field: SelectField, party: PartyField) -> None:
    """The posts that a party holds or has, once it is known; no choices otherwise."""
    posts = lookups.post_choices(party.chosen) if party.chosen else []
    offer(field, [("", _("None")), *((str(key), title) for key, title in posts)] if posts else [])


def offer(field: Any, labels: Iterable[tuple[str, object]]) -> None:
    """Put choices into a select or radio field."""
    field.choices = choices(labels)


def due_from(within: str | None, due_on: date | None, today: date) -> date | None:
    """The day of a follow-up: the one typed, else so many days from today."""
    if due_on is not None:
        return due_on
    text = within or ""
    return today + timedelta(days=int(text)) if text.isascii() and text.isdigit() and len(text) < 4 else None  # noqa: PLR2004


def moment_of(day: date | None, at: time | None, office: OfficeFacts) -> datetime | None:
    """A moment from a day and a time of day in an office's zone; without a time, noon."""
    return None if day is None else datetime.combine(day, at or time(12), tzinfo=clock.zone(office.timezone))


def local(at: datetime, office: OfficeFacts) -> datetime:
    """A moment in an office's zone."""
    return at.astimezone(clock.zone(office.timezone))


# --- lists ---------------------------------------------------------------------------------------------------------


def day_arg(name: str, args: Mapping[str, str] | None = None) -> date | None:
    """A day in the address of a list; anything odd is none, and so is a day at the end of the calendar (no zone can shift it)."""
    try:
        found = date.fromisoformat((request.args if args is None else args).get(name, "")[:10])
    except ValueError:
        return None
    return found if date.min.year < found.year < date.max.year else None


def year_span(args: Mapping[str, str]) -> tuple[str, date | None, date | None]:
    """A year in the address of a list, with its first and last day; anything odd is none."""
    text = args.get("year", "")
    is_year = text.isascii() and text.isdigit() and len(text) == 4 and FIRST_YEAR <= int(text) <= LAST_YEAR  # noqa: PLR2004
    return (text, date(int(text), 1, 1), date(int(text), 12, 31)) if is_year else ("", None, None)


def choice_arg(name: str, allowed: Iterable[str], args: Mapping[str, str] | None = None) -> str:
    """A word in the address of a list; anything odd is none."""
    text = (request.args if args is None else args).get(name, "")
    return text if text in allowed else ""


def options(labels: Iterable[tuple[str, object]]) -> list[tuple[str, str]]:
    """The options of a filter, "All" first."""
    return [("", _("All")), *((key, str(label)) for key, label in labels)]


def chip(label: str, *names: str) -> dict[str, str]:
    """A filter that is on, with the address that takes it off."""
    return {
        "label": label,
        "remove_url": url_for(str(request.endpoint), **args_with(**dict.fromkeys(names), page=None, after=None)),
    }


def pages(page: Page[Any], asked: Paging) -> dict[str, Any]:
    """What the pager shows."""
    endpoint = str(request.endpoint)
    first = 0 if asked.after else (page.number - 1) * page.size
    previous_url = next_url = ""
    if page.has_previous and not asked.after:
        previous_url = url_for(endpoint, **args_with(page=page.number - 1))
    if page.has_next and not asked.after and page.number < LAST_NUMBERED_PAGE:
        next_url = url_for(endpoint, **args_with(page=page.number + 1))
    elif page.has_next:
        next_url = url_for(endpoint, **args_with(page=None, after=page.after))
    return {
        "first": first + 1,
        "last": first + len(page.rows),
        "total": page.total,
        "is_more": not page.is_exact,
        "previous_url": previous_url,
        "next_url": next_url,
    }


def sort_header(key: str, label: str, sort: str, first: str, second: str = "", **more: Any) -> dict[str, Any]:
    """A column head that sorts: `first` on the first click, `second` on the next."""
    target = second if sort == first and second else first
    falls = sort.startswith("-") or sort in ("new", "made")
    sorted_as = ("descending" if falls else "ascending") if sort in (first, second or first) else ""
    return {
        "key": key,
        "label": label,
        "sort_url": url_for(str(request.endpoint), **args_with(sort=target, page=None, after=None)),
        "sorted": sorted_as,
        **more,
    }


# --- words and links -----------------------------------------------------------------------------------------------


def today_here() -> date:
    """The day it is in one's own office."""
    return clock.today(actor().timezone)


def days_here() -> Days:
    """The day it is in one's own office, and in others where it is another one: late is told by the record's office."""
    return days(actor().timezone)


def due_words(due_on: date | None, today: date) -> tuple[str, str]:
    """How far a due day is, in words, and its tone."""
    if due_on is None:
        return _("no date"), "quiet"
    tone = "late" if due_on < today else "soon" if (due_on - today).days <= SOON_DAYS else "quiet"
    return due_day(due_on, today, get_locale()), tone


def short(text: str, longest: int = _LONG) -> str:
    """The beginning of a text."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[:longest].rstrip()}…"


def pack_link(record: Interaction, *, has_pack: bool) -> tuple[str, str]:
    """The label and the address of a meeting's pack: opened where one was made, made where it is planned; ("", "") where neither."""
    to = url_for("documents.brief", interaction_id=record.id)
    if has_pack:
        return _("Open pack"), to
    may_make = record.state == "planned" and can(actor(), Permission.DOCUMENT_BUILD, record.office_id)
    return (_("Make the pack"), to) if may_make else ("", "")


def link(endpoint: str, **values: Any) -> str:
    """The address of a page, "" where this version has none."""
    try:
        return url_for(endpoint, **values)
    except BuildError:
        return ""


def money_words(amount: Money) -> str:
    """An amount in the reader's language."""
    return money(amount, get_locale())


def may_log(office_id: uuid.UUID) -> bool:
    """Whether one may record contacts in an office."""
    return can(actor(), Permission.CONTACT_LOG, office_id)


def back_to(fallback: str) -> str:
    """Where a small form returns to: a path of this site it carried, else the fallback."""
    return safe_target(request.form.get("back") or request.args.get("back"), fallback)


def name_of(party: Party | None) -> str:
    """A party's name; a sentence where it lies outside the reader's scope."""
    return party.name if party is not None else _("A party you cannot see")


def when_words(at: datetime, timezone: str) -> str:
    """A moment in an office's time; the zone is named where the reader works in another."""
    return moment(at, timezone, get_locale(), names_zone=timezone != actor().timezone)


def answer_tone(answer: str) -> str:
    """The tone of an answer to an ask."""
    return {"yes": "done", "part": "soon", "no": "late"}.get(answer, "quiet")


def promise_line(record: Commitment, standing: commitments.Standing, who: str) -> dict[str, Any]:
    """A promise as a line of a record's page; `who`: what stands last, such as its reference or kind."""
    return {
        "text": short(record.words, 200),
        "url": url_for("commitments.detail", commitment_id=record.id),
        "status": standing.word,
        "tone": standing.tone,
        "due": record.due_on or "",
        "who": who,
    }


def still_there(form: BaseForm, field: Field, key: str | None, get: Callable[[uuid.UUID], _Row]) -> _Row | None:
    """The record that a form hangs on: `key` from its hidden field or the address. One that is absent or out of scope is a
    404 for a link; where a form was typed meanwhile, the words stay, and what is sent again goes without it."""
    found = uuid_of(field.data or key)
    if found is None:
        return None
    try:
        return get(found)
    except NotFound:
        if request.method != "POST":
            raise
        field.data = ""
        form.whole_errors.append(
            _("What this belonged to can no longer be opened. What you typed is kept: save again to record it by itself.")
        )
        return None


# --- two people at once --------------------------------------------------------------------------------------------


def opened(form: BaseForm) -> Opened:
    """What an edit form was opened with, and what was chosen on a conflict page."""
    settled = request.form.get("settled", "")
    chosen = {name.removeprefix("choose-"): value for name, value in request.form.items() if name.startswith("choose-")}
    number = int(settled) if settled.isascii() and settled.isdigit() and len(settled) < 10 else 0  # noqa: PLR2004
    return Opened(form.known_version, number, chosen)


def conflict_page(form: BaseForm, labels: Mapping[str, object], show: Callable[[str, object], str], back: str) -> Any:
    """The 409 page: yours, theirs and the original of each field that both changed; all that was typed travels along."""
    clash = form.conflict
    if clash is None:
        raise NotFound
    items = []
    for name, (before, theirs, yours) in clash.changes.items():
        label = labels.get(name, form[name].label.text if name in form else name)
        items.append(ConflictItem(name, str(label), show(name, before), show(name, theirs), show(name, yours)))
    return render_template(
        "interactions/conflict.html", form=form, items=items, settled=clash.version, who=clash.who or _("Somebody else"), back=back
    ), 409


def value_words(form: BaseForm, zone: str = "UTC") -> Callable[[str, object], str]:
    """Words for values on a conflict page: names instead of ids, labels instead of keys, people one a line."""

    def show(name: str, value: object) -> str:
        if value is None or value == "":
            return ""
        if name == "participants" and isinstance(value, tuple):
            return "\n".join(", ".join(part for part in person[1:] if part) for person in value)
        if isinstance(value, datetime):
            return when_words(value, zone)
        if name in ("party_id", "addressee_id") and isinstance(value, uuid.UUID):
            match = lookups.party_match(value)
            return match.name if match else ""
        labels: dict[str, str] = (
            {str(key): str(label) for key, label, *_rest in form[name].iter_choices()}
            if name in form and hasattr(form[name], "iter_choices")
            else {}
        )
        return labels.get(str(value), "" if isinstance(value, uuid.UUID) else shown(value))

    return show
