"""Search: the page of hits, and what the palette suggests while somebody types."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask import Blueprint, current_app, jsonify, render_template, request, url_for

from crm import clock
from crm.formatting import day, money
from crm.forms.parties import FORM_NAMES
from crm.i18n import DEFAULT_LOCALE, LazyText, _, _l, get_locale, ngettext, use_locale
from crm.models.codes import INTERACTION_KINDS
from crm.models.interactions import INTERACTION_KINDS as COME_WITH
from crm.policy import Actor, Permission, can
from crm.queries import codes, interactions, lookups, search
from crm.queries.interactions import KIND_LABELS
from crm.queries.search import Hit, Piece, Query
from crm.queries.search_index import NOUNS
from crm.queries.words import asked, closeness, normalise, whole
from crm.web.gate import actor, permit
from crm.web.lookups import short
from crm.web.nav import entries

bp = Blueprint("search", __name__, url_prefix="/search")
SHOWN = 5
PAGE = 25
RECENT = 4
RECENT_NOUNS = ("parties", "interactions", "asks", "commitments", "pledges", "programmes")
SUGGESTED = 7
SUGGESTED_NOUNS = ("parties", "programmes", "positions", "interactions", "pledges", "agreements", "asks", "commitments")
_TITLE, _SUBJECT = 140, 90
_DETAIL = {
    "parties": ("parties.detail", "party_id"),
    "positions": ("positions.detail", "position_id"),
    "interactions": ("interactions.detail", "interaction_id"),
    "asks": ("asks.detail", "ask_id"),
    "commitments": ("commitments.detail", "commitment_id"),
    "pledges": ("pledges.detail", "pledge_id"),
    "agreements": ("agreements.detail", "agreement_id"),
    "receipts": ("receipts.detail", "receipt_id"),
    "allocations": ("allocations.detail", "allocation_id"),
    "programmes": ("programmes.detail", "programme_id"),
    "documents": ("documents.detail", "document_id"),
}
_ICONS = {"positions": "people", "agreements": "money", "receipts": "money", "allocations": "money"}


# --- one hit as it is shown -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A hit on a page: title and text cut where the words stand, what it is, where and when."""

    url: str
    title: Sequence[Piece]
    text: Sequence[Piece]
    notes: Sequence[str]
    reference: str
    icon: str


def _title(hit: Hit) -> str:
    """What a record is called: its own title, else what it is and with whom."""
    if hit.noun == "interactions":
        return f"{KIND_LABELS[hit.kind]}: {hit.about}" if hit.about else str(KIND_LABELS[hit.kind])
    if hit.is_taken_back and hit.noun == "pledges" and hit.about:
        return hit.about  # no amount: nothing is pledged
    if hit.noun in ("pledges", "receipts", "allocations") and hit.amount is not None:
        amount = money(hit.amount, locale=get_locale())
        return _("%(amount)s, %(party)s", amount=amount, party=hit.about) if hit.about else amount
    return short(" ".join(hit.title.split()), _TITLE)


def _url(hit: Hit) -> str:
    endpoint, name = _DETAIL[hit.noun]
    values: dict[str, Any] = {name: hit.id}
    return url_for(endpoint, **values)


def _notes(hit: Hit, who: Actor, offices: dict[uuid.UUID, str]) -> list[str]:
    amount = money(hit.amount, locale=get_locale()) if hit.noun == "agreements" and hit.amount is not None else ""
    about = hit.about if hit.noun not in ("interactions", "pledges", "receipts") else ""
    form = str(FORM_NAMES[hit.kind]) if hit.noun == "parties" else ""
    at = hit.at.astimezone(clock.zone(who.timezone)).date() if isinstance(hit.at, datetime) else hit.at
    parts = [
        _("Taken back") if hit.is_taken_back else _("Takes another one back") if hit.takes_back else "",
        hit.subject and short(" ".join(hit.subject.split()), _SUBJECT),
        form,
        about,
        amount,
        day(at, get_locale()) if at else "",
        offices.get(hit.office_id, ""),
    ]
    return [part for part in parts if part]


def _line(hit: Hit, who: Actor, words: Sequence[str], offices: dict[uuid.UUID, str]) -> Line:
    other = [text for text in hit.names if any(piece.is_hit for piece in search.pieces(text, words))]
    text = search.excerpt([*other, *hit.texts] if words else hit.texts, words)
    is_said = "".join(piece.text for piece in text).strip(" …") in " ".join(hit.subject.split())
    return Line(
        url=_url(hit),
        title=search.pieces(_title(hit), words),
        text=text,
        notes=_notes(replace(hit, subject="") if text and is_said else hit, who, offices),
        reference=hit.reference,
        icon=_ICONS.get(hit.noun, hit.noun),
    )


def _office_names(who: Actor, hits: Iterable[Hit]) -> dict[uuid.UUID, str]:
    """Whose a record is, said where the reader sees several offices."""
    return lookups.office_names({hit.office_id for hit in hits}) if len(who.readable) > 1 else {}


# --- the page ---------------------------------------------------------------------------------------------------------


@bp.get("")
@permit(Permission.RECORD_SEE)
def index() -> Any:
    """Search everything: ?q= the words, ?kind= one kind of record, ?after= what was recorded before a record of it."""
    who = actor()
    query = Query.of(request.args.get("q", ""))
    kind = request.args.get("kind", "")
    kind = kind if kind in NOUNS else ""
    after = _key(request.args.get("after", "")) if kind else None
    if query.words or query.reference:
        found = search.find(who, query, nouns=(kind,) if kind else (), most=PAGE if kind else SHOWN, after=after, by_name=not kind)
    else:
        found = search.Found(groups=() if query.text else search.recent(who, nouns=RECENT_NOUNS, most=RECENT))
    hits = [*([found.exact] if found.exact else []), *(hit for group in found.groups for hit in group.hits), *found.near]
    offices = _office_names(who, hits)
    groups = [
        {
            "noun": group.noun,
            "label": NOUNS[group.noun].label,
            "lines": [_line(hit, who, query.words, offices) for hit in group.hits],
            "more_url": _more_url(query, kind, group),
        }
        for group in found.groups
    ]
    said = None if kind or after else _said(who, query)
    pages = [] if kind or after or said else _pages(query.words)[0]
    may_add = can(who, Permission.CONTACT_LOG) and said is None and not pages
    called, ways = _unknown(who, query) if may_add and not kind else (query.text, [])
    return render_template(
        "search/index.html",
        query=query,
        kind=kind,
        kind_label=NOUNS[kind].label if kind else "",
        kinds=[("", _("Everything")), *((noun, str(one.label)) for noun, one in NOUNS.items())],
        exact=_line(found.exact, who, query.words, offices) if found.exact else None,
        groups=groups,
        near=[_line(hit, who, (), offices) for hit in found.near],
        said=said or ways,
        pages=pages,
        is_continued=after is not None,
        add_url=url_for("parties.create", name=called) if may_add and query.words else "",
        add_name=called,
        find_value=query.text,
    )


def _more_url(query: Query, kind: str, group: search.Group) -> str:
    """Older hits of a kind; in the view of all kinds, the page of one."""
    if group.after is None:
        return ""
    return url_for("search.index", q=query.text, kind=group.noun, after=group.after if kind else None)


def _key(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text[:40]) if text else None
    except ValueError:
        return None


# --- the palette ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Action:
    """Something a person can say and do: with a party's name behind it, or alone. `phrases`: what is typed, by "|".
    `kind`: of which kind of interactions, a code; `label`: what an administrator calls it, where the texts name it."""

    phrases: LazyText
    named: LazyText
    alone: LazyText
    icon: str
    endpoint: str
    permission: Permission
    state: str | None = None
    kind: str | None = None
    label: str = ""
    keys: str = ""

    def url(self, party: uuid.UUID | None = None, name: str | None = None) -> str:
        """Where it is done, the party (or the name of one that is not on record) and the kind of interaction filled in."""
        return url_for(self.endpoint, party=party, name=name, state=self.state, kind=self.kind)

    def title(self, name: str) -> str:
        """What it does, with a party's name."""
        return str(self.named) % {"name": name, "kind": self.label}

    def spoken(self) -> tuple[tuple[str, ...], ...]:
        """The words that mean it, longest first: in the reader's language and in English."""
        with use_locale(DEFAULT_LOCALE):
            english = str(self.phrases)
        return _spoken(f"{self.phrases}|{english}", self.label)


@lru_cache(maxsize=1024)
def _spoken(phrases: str, label: str) -> tuple[tuple[str, ...], ...]:
    texts = (phrases % {"kind": label.replace("|", " ")} if label else phrases).split("|")
    return tuple(sorted({tuple(asked(text)) for text in texts if text.strip()}, key=lambda words: (-len(words), words)))


_P = Permission
_BRIEF = Action(
    _l("brief me on|brief on|briefing pack for"),
    _l("Brief me on %(name)s"),
    _l("Brief me on …"),
    "documents",
    "documents.brief",
    _P.RECORD_SEE,
)
ACTIONS = (
    Action(
        _l("log meeting with|log a meeting with|log meeting"),
        _l("Log a meeting with %(name)s"),
        _l("Log an interaction"),
        "log",
        "interactions.create",
        _P.CONTACT_LOG,
        keys="n m",
    ),
    Action(
        _l("plan meeting with|plan a meeting with|plan meeting"),
        _l("Plan a meeting with %(name)s"),
        _l("Plan an interaction"),
        "calendar",
        "interactions.create",
        _P.CONTACT_LOG,
        "planned",
    ),
    _BRIEF,
    Action(
        _l("new pledge from|record pledge from|new pledge|pledge from"),
        _l("New pledge from %(name)s"),
        _l("New pledge"),
        "pledges",
        "pledges.create",
        _P.MONEY_WRITE,
    ),
    Action(_l("new ask to|new ask"), _l("New ask to %(name)s"), _l("New ask"), "asks", "asks.create", _P.CONTACT_LOG),
    Action(
        _l("new commitment of|new commitment|new promise of|new promise"),
        _l("New commitment of %(name)s"),
        _l("New commitment"),
        "commitments",
        "commitments.create",
        _P.CONTACT_LOG,
    ),
    Action(
        _l("money received from|new receipt from|new receipt"),
        _l("Money received from %(name)s"),
        _l("Record money received"),
        "money",
        "receipts.create",
        _P.MONEY_WRITE,
    ),
)


def _interaction(kind: str, phrases: LazyText, named: LazyText, alone: LazyText, state: str | None = None) -> Action:
    icon = "calendar" if state else "log"
    return Action(phrases, named, alone, icon, "interactions.create", _P.CONTACT_LOG, state, kind)


#: Interactions of the kinds that come with the product; a meeting is among the actions above.
_BY_KIND = (
    _interaction(
        "call",
        _l("log call with|log a call with|log phone call with|log a phone call with|log call to|log phone call to|log call|log phone call"),
        _l("Log a call with %(name)s"),
        _l("Log a call"),
    ),
    _interaction(
        "visit",
        _l("log visit with|log a visit with|log visit to|log a visit to|log visit"),
        _l("Log a visit with %(name)s"),
        _l("Log a visit"),
    ),
    _interaction(
        "letter",
        _l(
            "log email with|log email to|log email from|log an email with|log an email to|log email|log e-mail with|log e-mail to|log e-mail|log letter with|log letter to|log letter from|log letter"
        ),
        _l("Log a letter or e-mail with %(name)s"),
        _l("Log a letter or e-mail"),
    ),
    _interaction(
        "event",
        _l("log event with|log an event with|log event"),
        _l("Log an event with %(name)s"),
        _l("Log an event"),
    ),
    _interaction(
        "media",
        _l("log media contact with|log media with|log interview with|log media contact|log media|log interview"),
        _l("Log a media contact with %(name)s"),
        _l("Log a media contact"),
    ),
    _interaction(
        "call",
        _l("plan call with|plan a call with|plan phone call with|plan a phone call with|plan call|plan phone call"),
        _l("Plan a call with %(name)s"),
        _l("Plan a call"),
        "planned",
    ),
    _interaction(
        "visit",
        _l("plan visit with|plan a visit with|plan visit to|plan a visit to|plan visit"),
        _l("Plan a visit with %(name)s"),
        _l("Plan a visit"),
        "planned",
    ),
    _interaction(
        "event",
        _l("plan event with|plan an event with|plan event"),
        _l("Plan an event with %(name)s"),
        _l("Plan an event"),
        "planned",
    ),
)
#: An interaction of a kind by the name that the list of kinds gives it.
_CALLED = (
    _interaction(
        "",
        _l("log %(kind)s with|log a %(kind)s with|log an %(kind)s with|log %(kind)s"),
        _l("Log an interaction with %(name)s: %(kind)s"),
        _l("Log an interaction"),
    ),
    _interaction(
        "",
        _l("plan %(kind)s with|plan a %(kind)s with|plan an %(kind)s with|plan %(kind)s"),
        _l("Plan an interaction with %(name)s: %(kind)s"),
        _l("Plan an interaction"),
        "planned",
    ),
)
_NEW_PARTY = (_l("new party|add party|add"), _l("New party"), "people", "parties.create", _P.CONTACT_LOG)
_PAGE_KEYS = {
    "home": "g h", "parties": "g p", "interactions": "g i", "commitments": "g c", "pledges": "g l", "asks": "g a",
    "programmes": "g r", "documents": "g d",
}  # fmt: skip

#: What a page is called besides, by "|".
_OTHER_NAMES = {
    "offices.index": _l("offices|people|offices and people|people and offices"),
    "flows.index": _l("landscape|fts"),
    "imports.index": _l("import"),
    "receipts.index": _l("money received"),
    "jobs.index": _l("jobs"),
}
_PAGES_BESIDE = (
    (_l("Agreements"), "agreements.index", "money"),
    (_l("Receipts"), "receipts.index", "money"),
    (_l("Follow-ups"), "follow_ups.index", "commitments"),
    (_l("Code lists"), "codes.index", "settings"),
    (_l("Account"), "account.index", "settings"),
)


@bp.get("/suggest")
@permit(Permission.RECORD_SEE)
def suggest() -> Any:
    """What the palette offers for ?q=: records by their titles, things to do, pages to go to.

    No text of records but their titles, and of interactions what they are about."""
    who = actor()
    query = Query.of(request.args.get("q", ""))
    if not query.text:
        groups = [_group(_("Recent"), _recent(who)), _group(_("Do"), _alone(who, ())), _group(_("Go to"), _pages(())[1])]
    elif (said := _said(who, query)) is not None:
        groups = [_group(_("Do"), said)]
    else:
        found = search.find(who, query, nouns=SUGGESTED_NOUNS, most=SUGGESTED) if query.words or query.reference else search.Found()
        exact = [found.exact] if found.exact else []
        named = {group.noun: group.hits for group in found.groups}
        is_letter = len(query.words) == 1 and len(query.words[0]) == 1
        if is_letter:  # many records have a word with it: those whose name begins so are meant, where there are any
            begun = {noun: tuple(hit for hit in hits if _starts(hit.title, query)) for noun, hits in named.items()}
            named = begun if any(begun.values()) else named
        hits = _fair(exact, [named.get(noun, ()) for noun in SUGGESTED_NOUNS], found.near)
        offices = _office_names(who, hits)
        first = next((hit for hit in hits if hit.noun == "parties"), None)
        groups = [
            _group(_("Records"), [_record(hit, who, offices) for hit in hits]),
            _group(
                _("Do"),
                [*_foremost(_alone(who, query.words), query), *(_with(who, [first], near=found.near) if first and not is_letter else [])],
            ),
        ]
        called, ways = _unknown(who, query)
        if called != query.text and not first and can(who, Permission.CONTACT_LOG):
            add = {"title": _add_words(called), "url": url_for("parties.create", name=called), "icon": "people"}
            groups.append(_group(_("Do"), [*ways, add]))
        named_pages, others = _pages(query.words)
        groups.insert(0 if named_pages else len(groups), _group(_("Go to"), [*named_pages, *_foremost(others, query)]))  # Enter goes there
        if is_letter:
            groups.sort(key=lambda group: not any(_starts(item["title"], query) for item in group["items"]))
    everything = {"title": _("All results for “%(text)s”", text=query.text), "url": url_for("search.index", q=query.text), "icon": "search"}
    groups.append(_group("", [everything] if query.text else []))
    count = sum(len(group["items"]) for group in groups)
    status = ngettext("%(num)d suggestion", "%(num)d suggestions", count)
    return jsonify({"groups": [group for group in groups if group["items"]], "status": status})


def _starts(title: str, query: Query) -> bool:
    """Whether a title begins with what was typed."""
    return whole(title).startswith(whole(query.text))


def _foremost(items: Sequence[dict[str, str]], query: Query) -> list[dict[str, str]]:
    """What begins with what was typed before what has it further on."""
    return sorted(items, key=lambda item: not _starts(item["title"], query))


def _add_words(name: str) -> str:
    return _("Add a party named “%(name)s”", name=name)


def _group(label: str, items: Sequence[dict[str, str]]) -> dict[str, Any]:
    return {"label": label, "items": list(items)}


def _fair(exact: list[Hit], groups: Sequence[Sequence[Hit]], near: Sequence[Hit]) -> list[Hit]:
    """The exact record; then names, at most four; then the newest of each other kind in turn."""
    chosen = [*exact, *groups[0][:4]]
    for place in range(SUGGESTED):
        chosen += [group[place] for group in groups[1:] if len(group) > place]
    chosen += [*groups[0][4:], *near]
    once: dict[uuid.UUID, Hit] = {}
    for hit in chosen:
        once.setdefault(hit.id, hit)  # a pledge and its promise are one page
    return list(once.values())[:SUGGESTED]


def _record(hit: Hit, who: Actor, offices: dict[uuid.UUID, str]) -> dict[str, str]:
    notes = _notes(hit, who, offices)
    kind = [] if hit.noun in ("parties", "interactions") else [str(NOUNS[hit.noun].label)]
    return {
        "title": _title(hit),
        "note": " · ".join([*kind, *notes]),
        "url": _url(hit),
        "icon": _ICONS.get(hit.noun, hit.noun),
    }


def _recent(who: Actor) -> list[dict[str, str]]:
    groups = search.recent(who, nouns=("parties", "interactions", "pledges"), most=3)
    hits = [hit for group in groups for hit in group.hits]
    offices = _office_names(who, hits)
    return [_record(hit, who, offices) for hit in hits][:SUGGESTED]


def _begins(words: Sequence[str], label: str) -> bool:
    """Whether each word begins a word of a label."""
    return all(any(one.startswith(word) for one in normalise(label)) for word in words)


def _pages(words: Sequence[str]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Pages that have this very name, and others whose name has the words: those of the navigation, with their keys, and once
    something is typed those beside it."""
    pages = [(str(entry.label), entry.url, entry.icon, _PAGE_KEYS.get(entry.icon, "")) for entry in entries(actor())]
    known = {url for _label, url, _icon, _keys in pages}
    beside = ((str(label), url_for(endpoint), icon, "") for label, endpoint, icon in _PAGES_BESIDE if words)
    others = {url_for(endpoint): str(names).split("|") for endpoint, names in _OTHER_NAMES.items()}
    named, fitting = [], []
    for label, url, icon, keys in (*pages, *(page for page in beside if page[1] not in known)):
        page = {"title": label, "url": url, "icon": icon, "keys": keys}
        if words and any(asked(name) == list(words) for name in (label, *others.get(url, ()))):
            named.append(page)
        elif _begins(words, label):
            fitting.append(page)
    return named, fitting


def _alone(who: Actor, words: Sequence[str]) -> list[dict[str, str]]:
    """Things to do without a name, whose words begin as those typed."""

    def fitting(actions: Iterable[Action]) -> list[dict[str, str]]:
        return [
            {"title": str(action.alone), "url": action.url(), "icon": action.icon, "keys": action.keys}
            for action in actions
            if _is_there(action.endpoint) and can(who, action.permission) and _begins(words, f"{action.alone} {action.phrases}")
        ]

    found = fitting(action for action in ACTIONS if action is not _BRIEF)
    if not found:  # what an interaction of any kind is called says less
        found = fitting(action for action in _by_kind(who) if not action.label)
    phrases, title, icon, endpoint, permission = _NEW_PARTY
    if can(who, permission) and _begins(words, f"{title} {phrases}"):
        found.append({"title": str(title), "url": url_for(endpoint), "icon": icon})
    return found


def _by_kind(who: Actor) -> list[Action]:
    """Interactions by kind, as far as the list of kinds offers them: those that an administrator added, by their names; those that
    come with the product, by what they are usually called; and these by the names they were given since."""
    offered = codes.offered(INTERACTION_KINDS, clock.today(who.timezone))
    known = {entry.code for entry in offered}
    own: list[Action] = []
    given: list[Action] = []
    for entry in offered:
        called = [replace(action, kind=entry.code, label=entry.label) for action in _CALLED]
        (given if entry.code in COME_WITH else own).extend(called)
    return [*own, *(action for action in _BY_KIND if action.kind in known), *given]


def _is_there(endpoint: str) -> bool:
    return endpoint in current_app.view_functions


def _spoken_of(who: Actor, query: Query) -> Iterator[tuple[Action, tuple[str, ...], tuple[str, ...]]]:
    """The actions that the typed words begin with, each with those words and the ones of the name behind them."""
    typed = tuple(asked(query.text))
    if len(typed) < 2:  # noqa: PLR2004 - a verb, and whom
        return
    for action in (*ACTIONS, *_by_kind(who)):
        for phrase in action.spoken():
            if len(typed) > len(phrase) and typed[: len(phrase)] == phrase and can(who, action.permission):
                yield action, phrase, typed[len(phrase) :]


def _said(who: Actor, query: Query) -> list[dict[str, str]] | None:
    """The parties that “log meeting with had…” may mean, each as that action. Where none is called so, somebody new stands first, and
    whose name is nearly that is said to be a guess: Enter records nothing with somebody else. None where no action is spoken of."""
    for action, _phrase, name in _spoken_of(who, query):
        words = name[: search.MOST_ASKED]
        asked_for = Query(" ".join(name), words)
        found = search.find(who, asked_for, nouns=("parties",), most=PAGE)
        hits = [hit for group in found.groups for hit in group.hits]
        named = [hit for hit in hits if any(closeness(words, one) == 0 for one in (hit.title, *hit.names))]
        heard = [hit for hit in hits if hit not in named and search.is_by_name(hit, asked_for)]  # their name is in another script
        described = [hit for hit in hits if hit not in named and hit not in heard]
        near = () if named else found.near
        shown = [*named, *heard, *described, *near][:SUGGESTED]
        if shown:
            items = _with(who, shown, (action,), near=near)
            new = [] if named else _unknown(who, query)[1]
            return [*items, *new] if heard else [*new, *items]
    return None


def _unknown(who: Actor, query: Query) -> tuple[str, list[dict[str, str]]]:
    """Of “log meeting with nobody known”: the name alone, as it was typed, and the form of the action that takes a new name."""
    for action, phrase, name in _spoken_of(who, query):
        pieces = query.text.split()
        cut = next((at for at in range(1, len(pieces)) if tuple(asked(" ".join(pieces[:at]))) == phrase), 0)
        called = " ".join(pieces[cut:] if cut else name)
        if action.endpoint != "interactions.create":
            return called, []
        return called, [
            {"title": action.title(called), "note": _("not on record yet"), "url": action.url(name=called), "icon": action.icon}
        ]
    return query.text, []


def _with(who: Actor, parties: Sequence[Hit], actions: Sequence[Action] = ACTIONS[:4], near: Sequence[Hit] = ()) -> list[dict[str, str]]:
    """Actions that name a party; beside those who are `near` stands that their name is a guess."""
    allowed = [action for action in actions if can(who, action.permission) and _is_there(action.endpoint)]
    planned = _next_meetings(parties) if _BRIEF in allowed else {}
    items = []
    for party in sorted(parties, key=lambda party: (party in near, party.id not in planned)):
        guess = [_("nearest name")] if party in near else []
        for action in allowed:
            title, notes = action.title(party.title), list(guess)
            if action is not _BRIEF:
                url = action.url(party.id)
            elif party.id in planned:
                meeting = planned[party.id]
                when = day(meeting.starts_at.astimezone(clock.zone(who.timezone)).date(), get_locale())
                url = url_for("documents.brief", interaction_id=meeting.id)
                notes.append(_("meeting of %(day)s", day=when))
            elif can(who, Permission.CONTACT_LOG):
                url = url_for("interactions.create", party=party.id, state="planned")
                notes.append(_("no meeting is planned yet: plan one, its pack follows"))
            else:
                continue
            items.append({"title": title, "url": url, "icon": action.icon} | ({"note": " · ".join(notes)} if notes else {}))
    return items


def _next_meetings(parties: Sequence[Hit]) -> dict[uuid.UUID, Any]:
    return interactions.next_planned({party.id for party in parties}, clock.now())
