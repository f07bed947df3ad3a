"""Spreadsheets of posts: a row is a post of an organisation and, where it says so, who holds it since when and until when.

A post is known by its organisation and its title, spelt alike; who holds it by the person and the time. Nothing is taken away.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from crm.errors import Invalid
from crm.i18n import _
from crm.models.imports import ImportChange
from crm.models.parties import Party, Position, Tenure
from crm.policy import Actor
from crm.queries import sheet_contacts as held
from crm.queries.names import fold
from crm.queries.sheet_contacts import KnownPost, KnownTenure
from crm.services import positions
from crm.services.import_kinds import ByChunk, Outcome, Reject, Sample
from crm.services.positions import NewPosition, NewTenure
from crm.services.sheet_imports import RowRefused, SheetOptions, SheetRow, acting
from crm.services.sheet_names import PartyNames

_COLUMN_OF = {"starts_on": "since", "ends_on": "until"}
_TENURE_FIELDS = {"since": "starts_on", "until": "ends_on", "form_of_address": "form_of_address", "biography": "biography"}
#: A title with one of these words more is another post, not the same one written shorter.
_ANOTHER_POST = frozenset(
    {"deputy", "vice", "assistant", "acting", "former", "adjoint", "adjointe", "vice-president", "adjunto", "adjunta", "نائب", "مساعد"}
)
_MOST_DOUBLES = 100
_SHOWN = 200

Key = tuple[uuid.UUID, str]


@dataclass(slots=True)
class _Place:
    """A row that was found its place: the post and the tenure it is about, what of them is new, and what it changes."""

    row: SheetRow
    post: KnownPost
    tenure: KnownTenure | None
    is_new: bool
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    like: str = ""


class Positions(ByChunk[SheetRow]):
    """Posts and who holds them."""

    lets_go = (Position, Tenure, Party, ImportChange)

    def __init__(self, options: SheetOptions) -> None:
        self.options = options
        self._posts: dict[Key, KnownPost] = {}
        self._titles: dict[uuid.UUID, list[str]] = defaultdict(list)
        self._loaded: set[uuid.UUID] = set()

    def take(self, office_id: uuid.UUID, records: Sequence[SheetRow], outcome: Outcome, *, is_writing: bool) -> None:
        """Judge some rows, write them where told so, and count them."""
        try:
            self._take(office_id, records, outcome, is_writing=is_writing)
        except Exception:
            self._posts.clear()  # what these rows were to make is rolled back
            self._titles.clear()
            self._loaded.clear()
            raise

    def _take(self, office_id: uuid.UUID, records: Sequence[SheetRow], outcome: Outcome, *, is_writing: bool) -> None:
        actor = acting()
        organisations = PartyNames(office_id, (row.text("organisation") for row in records), forms=("organisation", "group"))
        holders = PartyNames(office_id, (row.text("holder") for row in records), forms=("person",))
        self._load(office_id, organisations.all_ids())
        placed: list[_Place] = []
        for row in records:
            try:
                placed.append(self._place(office_id, row, organisations, holders))
            except RowRefused as error:
                outcome.rejects.append(Reject(row.row_number, self.options.headings.get(error.name, ""), error.sentence, row.raw))
        if is_writing:
            _write(actor, office_id, placed)
        for one in placed:
            _count(one, outcome)

    def _load(self, office_id: uuid.UUID, organisation_ids: Iterable[uuid.UUID]) -> None:
        fresh = set(organisation_ids) - self._loaded
        for post in held.posts_of(office_id, fresh):
            self._keep(post)
        self._loaded |= fresh

    def _keep(self, post: KnownPost) -> None:
        folded = fold(post.title)
        if (post.organisation_id, folded) not in self._posts:
            self._posts[post.organisation_id, folded] = post
            self._titles[post.organisation_id].append(post.title)

    # --- a row -------------------------------------------------------------------------------------------------------

    def _place(self, office_id: uuid.UUID, row: SheetRow, organisations: PartyNames, holders: PartyNames) -> _Place:
        title, portfolio = " ".join(row.text("title").split()), row.text("portfolio")
        since, until = row.day("since"), row.day("until")
        try:
            positions.check_position(title, portfolio)
            positions.check_tenure(since, until, row.text("form_of_address"), row.text("biography"))
        except Invalid as error:
            raise _refused(error) from error
        if not row.text("organisation"):
            raise RowRefused("organisation", _("Enter the organisation that the post belongs to."))
        organisation = organisations.one(row.text("organisation"), "organisation")
        post = self._posts.get((organisation.id, fold(title)))
        if not row.text("holder"):
            for name in _TENURE_FIELDS:
                if row.values.get(name):
                    raise RowRefused(name, _("Write who holds the post, or leave this empty."))
        person_id = None
        if row.text("holder"):
            person_id = holders.one(row.text("holder"), "holder", (one.person_id for one in post.tenures) if post else ()).id
        is_new_post = post is None
        like = ""
        if post is None:
            like = self._alike(organisation.id, title)
            post = KnownPost(None, office_id, 1, organisation.id, title, portfolio, said={"portfolio": (portfolio, row.row_number)})
        changes = _compare(post, {"portfolio": portfolio} if portfolio else {}, office_id)
        tenure = _held_by(post, person_id, since, until) if person_id else None
        is_new_holder = person_id is not None and tenure is None
        said = {column: value for name, column in _TENURE_FIELDS.items() if (value := row.day(name) or row.text(name))}
        if person_id is not None:
            tenure = tenure or KnownTenure(None, office_id, 1, person_id, **said)  # type: ignore[arg-type]
            changes |= _compare(tenure, said, office_id)
            try:
                positions.check_days(said.get("starts_on", tenure.starts_on), said.get("ends_on", tenure.ends_on))  # type: ignore[arg-type]
            except Invalid as error:
                raise _refused(error) from error
            _take_over(row, tenure, said)
        _take_over(row, post, {"portfolio": portfolio} if portfolio else {})
        if is_new_post:
            self._keep(post)
        if tenure is not None and is_new_holder:
            post.tenures.append(tenure)
        shown = [(name, _text(old), _text(new)) for name, (old, new) in changes.items()]
        return _Place(row, post, tenure, is_new_post or is_new_holder, shown, like)

    def _alike(self, organisation_id: uuid.UUID, title: str) -> str:
        """Posts of the organisation whose title is the same but for some words, as text."""
        words = set(fold(title).split())
        near = []
        for other in self._titles.get(organisation_id, ()):
            there = set(fold(other).split())
            if (words <= there or there <= words) and not (words ^ there) & _ANOTHER_POST:
                near.append(other)
        return ", ".join(near[:3])


def _refused(error: Invalid) -> RowRefused:
    name, sentences = next(iter(error.errors.items()))
    return RowRefused(_COLUMN_OF.get(name, name), sentences[0])


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value or "")[:_SHOWN]


def _held_by(post: KnownPost, person_id: uuid.UUID, since: date | None, until: date | None) -> KnownTenure | None:
    """The time in a post that a row speaks of: the same first day, the same last day, the one that goes on, else the last one, if
    the row does not say that it began after that had ended."""
    own = [one for one in post.tenures if one.person_id == person_id]
    own.sort(key=lambda one: (one.starts_on or date.min, one.ends_on is None))
    exact = [one for one in own if (since and one.starts_on == since) or (until and one.ends_on == until)]
    running = [one for one in own if one.ends_on is None or (since is not None and one.ends_on >= since)]
    if since is None and until is None:
        running = [one for one in own if one.ends_on is None] or own
    return exact[0] if exact else running[-1] if running else None


def _compare(known: KnownPost | KnownTenure, said: Mapping[str, object], office_id: uuid.UUID) -> dict[str, tuple[object, object]]:
    """What a row changes of a post or of who holds it: column -> from, to. Two rows that say different things are never both taken."""
    name_of = {column: name for name, column in _TENURE_FIELDS.items()}
    changes: dict[str, tuple[object, object]] = {}
    for column, value in said.items():
        name = name_of.get(column, column)
        before, number = known.said.get(column, (value, 0))
        if before and before != value:
            raise RowRefused(name, _("Row %(row)s says otherwise about the same post. Mend one of the two.", row=number))
        if known.id is not None and value != getattr(known, column):
            if known.office_id != office_id:
                raise RowRefused(name, _("Another office keeps this post. Ask it to change that, or leave this empty."))
            changes[name] = (getattr(known, column), value)
    return changes


def _take_over(row: SheetRow, known: KnownPost | KnownTenure, said: Mapping[str, object]) -> None:
    for column, value in said.items():
        setattr(known, column, value)
        known.said[column] = (value, row.row_number)


# --- writing and counting --------------------------------------------------------------------------------------------


def _write(actor: Actor, office_id: uuid.UUID, placed: Sequence[_Place]) -> None:
    new_posts = [post for post in {id(one.post): one.post for one in placed}.values() if post.id is None]
    made = positions.add_positions(actor, office_id, [NewPosition(one.organisation_id, one.title, one.portfolio) for one in new_posts])
    for post, key in zip(new_posts, made, strict=True):
        post.id = key
    at = {id(one.tenure): (one.post, one.tenure) for one in placed if one.tenure is not None and one.tenure.id is None}
    wanted = [
        NewTenure(post.id, one.person_id, one.starts_on, one.ends_on, one.form_of_address, one.biography)
        for post, one in at.values()
        if post.id is not None
    ]
    fresh = {id(post) for post in new_posts} | set(at)
    for (_post, tenure), key in zip(at.values(), positions.add_tenures(actor, office_id, wanted), strict=True):
        tenure.id = key
    changed = {id(known): known for one in placed if one.changes for known in (one.post, one.tenure) if known is not None}
    for known in changed.values():
        if id(known) not in fresh and known.id is not None and known.office_id == office_id:
            _edit(actor, known)


def _edit(actor: Actor, known: KnownPost | KnownTenure) -> None:
    if known.id is None:
        return
    if isinstance(known, KnownPost):
        positions.edit_position(actor, known.id, known.version, title=known.title, portfolio=known.portfolio)
        known.version = held.version_of(Position, known.id)
        return
    positions.edit_tenure(
        actor,
        known.id,
        known.version,
        starts_on=known.starts_on,
        ends_on=known.ends_on,
        form_of_address=known.form_of_address,
        biography=known.biography,
    )
    known.version = held.version_of(Tenure, known.id)


def _count(one: _Place, outcome: Outcome) -> None:
    row, name = one.row.row_number, ", ".join(one.row.text(part) for part in ("title", "organisation", "holder") if one.row.text(part))
    action = "created" if one.is_new else "updated" if one.changes else "unchanged"
    outcome.note(action, lambda: Sample(row, action, name, tuple(one.changes)))
    if one.like:
        outcome.double_rows += 1
        if len(outcome.doubles) < _MOST_DOUBLES:
            outcome.doubles.append((row, name, one.like))
