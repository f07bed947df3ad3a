"""ALL authorisation: permissions, the role table, `can` and `require`, and the row scope on every statement."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import String, and_, event, false, inspect, literal_column, or_, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import ORMExecuteState, Session

from crm import editions
from crm.conditions import Conditions, condition
from crm.db import db
from crm.errors import Denied, ProgrammingError
from crm.i18n import _
from crm.models.audit import AuditEntry, AuditValue
from crm.models.base import OPEN, SHARED, Levelled, OfficeScoped, Shareable
from crm.models.editions import OFFICES
from crm.models.imports import OF_MEMBERS, ImportBatch
from crm.models.jobs import Job
from crm.models.offices import Office
from crm.models.saved_lists import SavedList
from crm.models.submissions import Submission
from crm.models.users import Membership, SignIn, SignInTry, User


class Permission(enum.Enum):
    """What a person may do, as `noun:verb`."""

    ACCOUNT_OWN = "account:own"
    NAME_SEE = "name:see"
    RECORD_SEE = "record:see"
    CONTACT_LOG = "contact:log"
    MONEY_WRITE = "money:write"
    PROMISE_VERIFY = "promise:verify"
    DOCUMENT_BUILD = "document:build"
    DOCUMENT_ISSUE = "document:issue"
    DATA_EXPORT = "data:export"
    IMPORT_CONTACTS = "import:contacts"
    IMPORT_ALL = "import:all"
    USER_MANAGE = "user:manage"
    OFFICE_MANAGE = "office:manage"
    AUDIT_READ = "audit:read"
    JOB_MANAGE = "job:manage"
    CODE_MANAGE = "code:manage"


_P = Permission
_SEE = frozenset({_P.ACCOUNT_OWN, _P.NAME_SEE, _P.RECORD_SEE})
_OFFICER = _SEE | {_P.CONTACT_LOG, _P.DOCUMENT_BUILD, _P.DATA_EXPORT, _P.IMPORT_CONTACTS}
_GRANTS = _OFFICER | {_P.MONEY_WRITE, _P.IMPORT_ALL}
_MANAGER = _GRANTS | {_P.PROMISE_VERIFY, _P.DOCUMENT_ISSUE, _P.AUDIT_READ}

ROLES: Mapping[str, frozenset[Permission]] = {
    "viewer": _SEE | {_P.DATA_EXPORT},
    "advocacy-officer": _OFFICER,
    "grants-officer": _GRANTS,
    "manager": _MANAGER,
    "office-head": _MANAGER | {_P.USER_MANAGE, _P.OFFICE_MANAGE},
    "auditor": _SEE | {_P.DATA_EXPORT, _P.AUDIT_READ},
    "administrator": frozenset(
        {_P.ACCOUNT_OWN, _P.NAME_SEE, _P.USER_MANAGE, _P.OFFICE_MANAGE, _P.AUDIT_READ, _P.JOB_MANAGE, _P.CODE_MANAGE}
    ),
}


@dataclass(frozen=True)
class Actor:
    """Who acts: plain data, no database row. `grants` maps each office in scope to what may be done there."""

    user_id: uuid.UUID | None
    name: str
    email: str
    home_office_id: uuid.UUID | None
    grants: Mapping[uuid.UUID, frozenset[Permission]] = field(default_factory=dict)
    member_of: frozenset[uuid.UUID] = frozenset()
    covers_all: bool = False
    is_system: bool = False
    language: str = "en"
    timezone: str = "UTC"
    theme: str = "auto"
    has_shortcuts: bool = True
    office_name: str = ""
    office_code: str = ""
    reporting_currency: str = "USD"

    @property
    def id(self) -> str:
        """The person's key as text, for what the browser keeps apart per person."""
        return str(self.user_id or "")

    @cached_property
    def visible(self) -> frozenset[uuid.UUID]:
        """The offices whose rows are in scope."""
        return frozenset(self.grants)

    @cached_property
    def readable(self) -> frozenset[uuid.UUID]:
        """The offices whose records (not only names) may be read: an administrator alone has none."""
        return frozenset(office_id for office_id, allowed in self.grants.items() if Permission.RECORD_SEE in allowed)

    @cached_property
    def reads_all(self) -> bool:
        """Whether every record of every office may be read, but for levels."""
        return self.covers_all and self.readable == self.visible


def actor_for(user: User, offices: Iterable[Any]) -> Actor:
    """The actor of a user with memberships loaded, over all offices by code (records, or those of `offices_by_id`)."""
    tree = list(offices)
    children: dict[uuid.UUID | None, list[uuid.UUID]] = {}
    for office in tree:
        children.setdefault(office.parent_id, []).append(office.id)
    grants: dict[uuid.UUID, frozenset[Permission]] = {}
    member_of: set[uuid.UUID] = set()
    for membership in user.memberships:
        allowed = ROLES[membership.role]
        if Permission.RECORD_SEE in allowed:
            member_of.add(membership.office_id)
        waiting = [membership.office_id]
        while waiting:
            office_id = waiting.pop()
            grants[office_id] = grants.get(office_id, frozenset()) | allowed
            waiting.extend(children.get(office_id, []))
    home = next((office for office in tree if office.id == user.office_id), None)
    return Actor(
        user_id=user.id,
        name=user.name,
        email=user.email,
        home_office_id=user.office_id,
        grants=grants,
        member_of=frozenset(member_of),
        covers_all=bool(tree) and len(grants) == len(tree),
        language=user.language,
        timezone=home.timezone if home else "UTC",
        theme=user.theme,
        has_shortcuts=user.has_shortcuts,
        office_name=home.name if home else "",
        office_code=home.code if home else "",
        reporting_currency=home.reporting_currency if home else "USD",
    )


def actor_within(actor: Actor, office_id: uuid.UUID, offices: Iterable[Office]) -> Actor:
    """The same person with the scope of one office and those below it: what is made for the office holds nothing of others (P1)."""
    tree = list(offices)
    inside = {office_id}
    while more := {office.id for office in tree if office.parent_id in inside} - inside:
        inside |= more
    return replace(
        actor,
        grants={key: allowed for key, allowed in actor.grants.items() if key in inside},
        member_of=actor.member_of & inside,
        covers_all=actor.covers_all and inside == {office.id for office in tree},
    )


def system_actor(offices: Iterable[Office], *, only: uuid.UUID | None = None) -> Actor:
    """The actor of a command without `--as`: everything, or one office where given."""
    everything = frozenset(Permission)
    ids = [office.id for office in offices]
    chosen = [office_id for office_id in ids if only in (None, office_id)]
    return Actor(
        user_id=None,
        name="system",
        email="",
        home_office_id=only,
        grants=dict.fromkeys(chosen, everything),
        member_of=frozenset(chosen),
        covers_all=only is None,
        is_system=True,
    )


def can(actor: Actor | None, permission: Permission, office_id: uuid.UUID | None = None) -> bool:
    """Whether `actor` may do this in an office; without an office: in any office of theirs."""
    if actor is None:
        return False
    if actor.is_system and actor.covers_all:
        return True
    if office_id is not None:
        return permission in actor.grants.get(office_id, frozenset())
    return any(permission in allowed for allowed in actor.grants.values())


def require(actor: Actor, permission: Permission, office_id: uuid.UUID | None = None) -> None:
    """Raise `Denied` with a sentence where `can` says no. The first line of every service."""
    if can(actor, permission, office_id):
        return
    raise Denied(
        {
            Permission.CONTACT_LOG: _("Your role may look but not record contacts here. Ask the head of your office."),
            Permission.MONEY_WRITE: _("Recording money needs the grants officer's role. Ask the head of your office."),
            Permission.PROMISE_VERIFY: _("Verifying a promise needs a manager who did not record it."),
            Permission.DOCUMENT_BUILD: _("Your role may read documents but not make them. Ask the head of your office."),
            Permission.IMPORT_ALL: _("Bringing in this file needs the grants officer's role. Ask the head of your office."),
            Permission.USER_MANAGE: _("People and roles are managed by the head of the office or an administrator."),
            Permission.OFFICE_MANAGE: _("Offices are managed by an administrator."),
            Permission.CODE_MANAGE: _("Code lists hold for all offices. They are kept by the administrator of headquarters."),
            Permission.JOB_MANAGE: _("Background work is looked after by an administrator."),
        }.get(permission, _("Your role does not allow this. Ask the head of your office."))
    )


def can_everywhere(actor: Actor | None, permission: Permission) -> bool:
    """Whether `actor` may do this in every office there is: what holds for all offices is changed by nobody else."""
    return actor is not None and actor.covers_all and all(permission in allowed for allowed in actor.grants.values())


def require_everywhere(actor: Actor, permission: Permission) -> None:
    """Raise `Denied` with the permission's sentence where `can_everywhere` says no."""
    if not can_everywhere(actor, permission):
        require(replace(actor, grants={}, covers_all=False), permission)


def offices_where(actor: Actor, permission: Permission) -> list[uuid.UUID]:
    """The offices in which the actor may do this, the home office first."""
    ids = [office_id for office_id, allowed in actor.grants.items() if permission in allowed]
    return sorted(ids, key=lambda office_id: (office_id != actor.home_office_id, office_id))


# --- the row scope -----------------------------------------------------------------------------------------------

_ACTOR = "tl_actor"
_CONDITIONS = "tl_scope_conditions"
_MARK = "tl_scoped"
_unscoped: ContextVar[str] = ContextVar("unscoped", default="")


def bind_actor(actor: Actor | None) -> None:
    """Bind the actor's scope to the current database session. Nobody bound: nothing is visible."""
    session = db.session()
    if session.info.get(_ACTOR) is not actor:
        session.expunge_all()
    session.info[_ACTOR] = actor
    session.info[_CONDITIONS] = _criteria(actor)


def bound_actor() -> Actor | None:
    """The actor bound to the current database session."""
    return db.session().info.get(_ACTOR)


@contextmanager
def unscoped(reason: str) -> Iterator[None]:
    """Work outside every scope: sign-in, readiness, verify, migrations. Few, each with a reason, listed in a test."""
    if not reason:
        message = "unscoped() needs a reason"
        raise ProgrammingError(message)
    token = _unscoped.set(reason)
    try:
        yield
    finally:
        _unscoped.reset(token)


def _criteria(actor: Actor | None) -> Conditions:
    if actor is None:
        return _criteria_of(frozenset(), frozenset(), frozenset(), None, reads_all=False)
    return _criteria_of(actor.visible, actor.readable, actor.member_of, actor.user_id, reads_all=actor.reads_all)


@lru_cache(maxsize=256)
def _criteria_of(
    visible_to: frozenset[uuid.UUID],
    readable_to: frozenset[uuid.UUID],
    member_of: frozenset[uuid.UUID],
    me: uuid.UUID | None,
    *,
    reads_all: bool,
) -> Conditions:
    """The conditions of a scope: nothing but what its name says goes in, so that people of the same scope may share them."""
    visible, readable, members = sorted(visible_to), sorted(readable_to), sorted(member_of)
    level_open, shared = (literal_column(f"'{word}'", String) for word in (OPEN, SHARED))  # constants: nothing to hand over

    own_list = SavedList.user_id == me if me else false()
    mine = [
        condition(SavedList, or_(own_list, and_(SavedList.is_shared, SavedList.office_id.in_(members)))),
        condition(SignIn, SignIn.user_id == me if me else false()),
        condition(Submission, Submission.user_id == me if me else false()),
        condition(SignInTry, false()),
    ]
    own_file = ImportBatch.created_by_id == me if me else false()
    levels = [
        condition(ImportBatch, or_(ImportBatch.format.not_in(OF_MEMBERS), ImportBatch.office_id.in_(members), own_file)),
        condition(Levelled, lambda cls: or_(cls.level == level_open, cls.office_id.in_(members))),
        condition(AuditEntry, or_(AuditEntry.level == level_open, AuditEntry.office_id.in_(members))),
        condition(AuditValue, or_(AuditValue.level == level_open, AuditValue.office_id.in_(members))),
    ]
    if reads_all:
        return Conditions([*mine, *levels])
    own_user = User.id == me if me else false()
    own_membership = Membership.user_id == me if me else false()
    conditions = [
        *mine,
        *levels,
        condition(OfficeScoped, lambda cls: cls.office_id.in_(readable)),
        condition(Shareable, lambda cls: or_(cls.visibility == shared, cls.office_id.in_(visible))),
        condition(Job, Job.office_id.in_(visible)),
        condition(User, or_(User.office_id.in_(visible), own_user)),
        condition(Membership, or_(Membership.office_id.in_(visible), own_membership)),
        condition(AuditEntry, and_(AuditEntry.office_id.is_not(None), AuditEntry.office_id.in_(visible))),
        condition(AuditValue, and_(AuditValue.office_id.is_not(None), AuditValue.office_id.in_(readable))),
    ]
    return Conditions(conditions)


@event.listens_for(Session, "do_orm_execute")
def _apply_scope(state: ORMExecuteState) -> None:
    if not state.is_orm_statement and not (state.is_select or state.is_update or state.is_delete):
        return
    state.update_execution_options(**{_MARK: True})
    if _unscoped.get() or state.is_insert:
        return
    conditions = state.session.info.get(_CONDITIONS)
    if conditions is None:
        conditions = state.session.info[_CONDITIONS] = _criteria(None)
    state.statement = state.statement.options(conditions)


def guard_engine(engine: Engine) -> None:
    """Raise, in production too, on every SELECT that did not pass the scope."""

    @event.listens_for(engine, "before_cursor_execute")
    def _check(_conn: Any, _cursor: Any, statement: str, _params: Any, context: Any, _many: bool) -> None:  # noqa: FBT001
        head = statement.lstrip()[:7].upper()
        if not head.startswith(("SELECT", "WITH")) or _unscoped.get():
            return
        if context is not None and context.execution_options.get(_MARK):
            return
        message = "a SELECT went round the row scope"
        raise ProgrammingError(message)


@event.listens_for(Session, "before_flush")
def _check_offices(session: Session, _context: Any, _instances: Any) -> None:
    if _unscoped.get():
        return
    actor: Actor | None = session.info.get(_ACTOR)
    for record in (*session.new, *session.dirty, *session.deleted):
        if not isinstance(record, OfficeScoped | Shareable):
            continue
        if actor is None or (not actor.covers_all and record.office_id not in actor.grants):
            raise Denied(_("This record belongs to an office outside your scope."))
        if record in session.dirty and _office_changed(record):
            message = "a record cannot move to another office"
            raise ProgrammingError(message)


def _office_changed(record: Any) -> bool:
    history = inspect(record).attrs.office_id.history
    return bool(history.deleted and history.added and history.deleted[0] != history.added[0])


class OfficeFacts(NamedTuple):
    """What pages, figures and services ask of an office."""

    id: uuid.UUID
    parent_id: uuid.UUID | None
    code: str
    name: str
    timezone: str
    currency: str
    reporting_currency: str


def offices_by_id() -> Mapping[uuid.UUID, OfficeFacts]:
    """Every office (unscoped table) by its key, in the order of the codes: read once by a process while none of them changes."""
    return editions.shared(OFFICES, "facts", _read_offices)


def _read_offices() -> Mapping[uuid.UUID, OfficeFacts]:
    columns = [getattr(Office, name) for name in OfficeFacts._fields]
    return MappingProxyType({row[0]: OfficeFacts(*row) for row in db.session.execute(select(*columns).order_by(Office.code))})


def all_offices() -> list[Office]:
    """The office tree (unscoped table), by code."""
    return list(db.session.scalars(select(Office).order_by(Office.code)))
