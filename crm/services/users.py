"""People who sign in: making them, signing in within limits, sessions kept on the server, passwords."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.orm import joinedload, selectinload

from crm import clock, editions
from crm.data.passwords import common_passwords
from crm.db import db, hold, impatient, transactional, writes_on_read
from crm.errors import Conflict, Denied, Invalid, NotFound, ThroughlineError
from crm.i18n import _
from crm.models.offices import Office
from crm.models.users import ROLES, Membership, SignIn, SignInTry, User
from crm.policy import Actor, Permission, actor_for, all_offices, can, offices_by_id, require, unscoped

IDLE = timedelta(hours=2)
LONGEST = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=5)
TRY_WINDOW = timedelta(minutes=15)
TRIES_PER_ACCOUNT = 5
TRIES_PER_ADDRESS = 50
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 200
ADDRESS_LENGTH = 64
_hasher = PasswordHasher()
_NOBODY = _hasher.hash(secrets.token_hex(16))


class TooManyTries(ThroughlineError):
    """Signing in is slowed down. `wait` seconds until the next try counts."""

    def __init__(self, wait: int) -> None:
        self.wait = wait
        super().__init__(_("Too many tries. Wait %(minutes)s minutes and try again.", minutes=max(1, -(-wait // 60))))


@dataclass(frozen=True)
class NewUser:
    """What it takes to make a person who can sign in."""

    email: str
    name: str
    office_id: uuid.UUID
    role: str
    password: str


def fold_email(text: str) -> str:
    """An address as it is compared: NFKC, no blanks around, lower case."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def check_password_rules(password: str, *, email: str = "", field: str = "password") -> None:
    """Refuse a password that is short, over-long, common or the address itself (P8: no composition rules)."""
    folded = unicodedata.normalize("NFKC", password).casefold()
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid(_("A password has at least %(n)s characters.", n=SHORTEST_PASSWORD), field=field)
    if len(password) > LONGEST_PASSWORD:
        raise Invalid(_("A password has at most %(n)s characters.", n=LONGEST_PASSWORD), field=field)
    if len(set(folded)) < 5 or folded in common_passwords() or folded == fold_email(email):  # noqa: PLR2004
        raise Invalid(_("This password is among those that are guessed first. Choose another."), field=field)


@transactional
def create_user(actor: Actor, new: NewUser) -> uuid.UUID:
    """Make a person with one role in one office."""
    require(actor, Permission.USER_MANAGE, new.office_id)
    _check_grant(actor, new.role, new.office_id)
    email = fold_email(new.email)
    if "@" not in email or len(email) > 254 or any(c.isspace() for c in email):  # noqa: PLR2004
        raise Invalid(_("Enter an e-mail address like name@example.org."), field="email")
    if new.role not in ROLES:
        raise Invalid(_("Choose one of the roles: %(roles)s.", roles=", ".join(ROLES)), field="role")
    if not new.name.strip():
        raise Invalid(_("Enter the person's name."), field="name")
    check_password_rules(new.password, email=email)
    with unscoped("an address is unique over all offices"):
        if db.session.scalar(select(User.id).where(User.email == email)) is not None:
            raise Invalid(_("Somebody signs in with this address already."), field="email")
    user = User(email=email, name=new.name.strip(), office_id=new.office_id, password_hash=_hasher.hash(new.password))
    user.memberships.append(Membership(office_id=new.office_id, role=new.role))
    db.session.add(user)
    db.session.flush()
    return user.id


@transactional
def _take_try(email_hash: str, address: str) -> None:
    """Count a try before its password is looked at, so that tries at the same moment are counted too; raises `TooManyTries`.

    Whoever knows the password clears the account's tries by signing in."""
    hold(f"sign-in address {address}", f"sign-in account {email_hash}")
    wait = _wait_for(email_hash, address)
    if wait > 0:
        raise TooManyTries(wait)
    db.session.add(SignInTry(email_hash=email_hash, address=address))


def _wait_for(email_hash: str, address: str) -> int:
    since = clock.now() - TRY_WINDOW
    waits = []
    for condition, allowed in ((SignInTry.email_hash == email_hash, TRIES_PER_ACCOUNT), (SignInTry.address == address, TRIES_PER_ADDRESS)):
        count, last = db.session.execute(select(func.count(), func.max(SignInTry.at)).where(condition, SignInTry.at > since)).one()
        if count >= allowed and last is not None:
            backoff = min(TRY_WINDOW, timedelta(seconds=30 * 2 ** min(count - allowed, 5)))
            waits.append(int((last + backoff - clock.now()).total_seconds()) + 1)
    return max([0, *waits])


def sign_in(email: str, password: str, *, address: str, browser: str) -> str:
    """Check a password and open a session: the secret token for the cookie. Not for use inside a transaction: the try counts,
    and is committed, before the password is looked at.

    Raises TooManyTries, or Denied with the same sentence for an unknown address and a wrong password."""
    folded = fold_email(email)[:254]
    email_hash = _hash(folded)
    with unscoped("sign-in"):
        _take_try(email_hash, address[:ADDRESS_LENGTH])
        user = db.session.scalar(select(User).where(User.email == folded))
        known_hash = user.password_hash if user else _NOBODY
        try:
            is_right: bool = _hasher.verify(known_hash, password[:LONGEST_PASSWORD])
        except (VerificationError, InvalidHashError):
            is_right = False
        if user is None or not is_right or not user.is_active:
            raise Denied(_("The address and the password do not match, or this person may not sign in."))
        return _open_session(user.id, email_hash, address, browser)


@transactional
def _open_session(user_id: uuid.UUID, email_hash: str, address: str, browser: str) -> str:
    token = secrets.token_urlsafe(32)
    db.session.execute(delete(SignInTry).where(SignInTry.email_hash == email_hash))
    db.session.execute(delete(SignIn).where(SignIn.last_used_at < clock.now() - timedelta(days=30)))
    db.session.execute(delete(SignInTry).where(SignInTry.at < clock.now() - timedelta(days=1)))
    db.session.add(SignIn(user_id=user_id, token_hash=_hash(token), address=address[:ADDRESS_LENGTH], browser=browser[:200]))
    return token


#: Asked at each request, so put together once.
_RESUMED = (
    select(SignIn, User, *editions.NUMBERS)
    .join(User, User.id == SignIn.user_id)
    .where(SignIn.token_hash == bindparam("token_hash"))
    .options(joinedload(User.memberships))
)


def resume(token: str) -> Actor | None:
    """The actor of a session token, or None where it ended, expired or never was."""
    with unscoped("sign-in"):
        found = db.session.execute(_RESUMED, {"token_hash": _hash(token)}).unique().all()
        if not found:
            return None
        sign_in_row, user, *numbers = found[0]
        editions.note(numbers)
        now = clock.now()
        if sign_in_row.ended_at or not user.is_active or now - sign_in_row.last_used_at > IDLE or now - sign_in_row.created_at > LONGEST:
            return None
        actor = actor_for(user, offices_by_id().values())
        if abs(now - sign_in_row.last_used_at) > TOUCH_EVERY:
            with suppress(Conflict):  # somebody is saving a lot: the next page notes that this session is used
                _touch(sign_in_row.id)
        return actor


@transactional
@writes_on_read
@impatient
def _touch(sign_in_id: uuid.UUID) -> None:
    db.session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(last_used_at=clock.now()))


@transactional
def sign_out(actor: Actor, token: str) -> None:
    """End the session of this token."""
    db.session.execute(
        update(SignIn)
        .where(SignIn.token_hash == _hash(token), SignIn.user_id == actor.user_id, SignIn.ended_at.is_(None))
        .values(ended_at=clock.now())
    )


@transactional
def sign_out_everywhere(actor: Actor) -> int:
    """End every session of the actor: how many there were."""
    ended = db.session.execute(
        update(SignIn).where(SignIn.user_id == actor.user_id, SignIn.ended_at.is_(None)).values(ended_at=clock.now())
    )
    return int(ended.rowcount)  # type: ignore[attr-defined]


def change_password(actor: Actor, current: str, new: str, *, address: str = "", browser: str = "") -> str:
    """Change one's own password; every session ends and one begins, in one transaction: its secret token for the cookie. Not for
    use inside a transaction: the try counts, and is committed, before the current password is looked at.

    Raises TooManyTries, or Invalid by field (current, new)."""
    tries = _hash(f"current password of {actor.user_id}")
    with unscoped("a person's own password, and the tries to guess it"):
        _take_try(tries, address[:ADDRESS_LENGTH])
        return _change_password(actor, current, new, tries, address, browser)


@transactional
def _change_password(actor: Actor, current: str, new: str, tries: str, address: str, browser: str) -> str:
    user = db.session.get(User, actor.user_id)
    if user is None:
        raise NotFound(_("This account does not exist."))
    try:
        _hasher.verify(user.password_hash, current[:LONGEST_PASSWORD])
    except (VerificationError, InvalidHashError):
        raise Invalid(_("This is not your current password."), field="current") from None
    check_password_rules(new, email=user.email, field="new")
    if new == current:
        raise Invalid(_("The new password is the current one."), field="new")
    user.password_hash = _hasher.hash(new)
    user.password_changed_at = clock.now()
    sign_out_everywhere(actor)
    db.session.execute(delete(SignInTry).where(SignInTry.email_hash == tries))
    return _open_session(user.id, _hash(user.email), address, browser)


@transactional
def change_user(actor: Actor, user_id: uuid.UUID, *, role: str, is_active: bool, password: str) -> uuid.UUID:
    """Change a colleague's role in the home office, whether they may sign in, and (if given) the password.

    Rights change at once: every session of that person ends. Denied where the person holds, in any office, a role that the
    actor could not give: a new password would be the way to it."""
    user = db.session.scalar(select(User).where(User.id == user_id).options(selectinload(User.memberships)))
    if user is None:
        raise NotFound(_("There is no such person."))
    require(actor, Permission.USER_MANAGE, user.office_id)
    if user.id == actor.user_id:
        raise Invalid(_("Nobody changes their own role. Ask another head of office or the administrator."), field="role")
    if role not in ROLES:
        raise Invalid(_("Choose one of the roles."), field="role")
    _check_grant(actor, role, user.office_id)
    with unscoped("nobody changes a person who holds more somewhere else"):
        held = db.session.execute(select(Membership.role, Membership.office_id).where(Membership.user_id == user.id)).all()
    for one in held:
        if not can(actor, Permission.USER_MANAGE, one.office_id):
            raise Denied(_("This person has a role in an office whose people you do not manage. Ask an administrator."))
        _check_grant(actor, one.role, one.office_id)
    at_home = [membership for membership in user.memberships if membership.office_id == user.office_id]
    if [membership.role for membership in at_home] != [role]:
        for membership in at_home:
            user.memberships.remove(membership)
        user.memberships.append(Membership(office_id=user.office_id, role=role))
    user.is_active = is_active
    if password:
        check_password_rules(password, email=user.email)
        user.password_hash = _hasher.hash(password)
        user.password_changed_at = clock.now()
    with unscoped("rights change at once: the sessions of a changed person end"):
        db.session.execute(update(SignIn).where(SignIn.user_id == user.id, SignIn.ended_at.is_(None)).values(ended_at=clock.now()))
    return user.id


def _check_grant(actor: Actor, role: str, office_id: uuid.UUID) -> None:
    """Nobody hands out, or takes over, more than they hold: only an administrator makes administrators."""
    if actor.is_system or role != "administrator":
        return
    if Permission.RECORD_SEE in actor.grants.get(office_id, frozenset()):
        raise Denied(_("Administrators are made and changed by an administrator."))


@transactional
def set_preferences(actor: Actor, *, theme: str, has_shortcuts: bool) -> None:
    """Light, dark or as the device; keyboard shortcuts on or off."""
    user = db.session.get(User, actor.user_id)
    if user is None:
        raise NotFound(_("This account does not exist."))
    if theme not in ("auto", "light", "dark"):
        raise Invalid(_("Choose one of the three."), field="theme")
    user.theme, user.has_shortcuts = theme, has_shortcuts


def actor_by_email(email: str) -> Actor:
    """The actor of `--as EMAIL` on the command line."""
    with unscoped("--as on the command line"):
        user = db.session.scalar(select(User).where(User.email == fold_email(email)).options(selectinload(User.memberships)))
        if user is None or not user.is_active:
            raise NotFound(_("Nobody signs in as %(email)s.", email=email))
        return actor_for(user, all_offices())


def actor_by_id(user_id: uuid.UUID) -> Actor | None:
    """The actor of background work that a person asked for, with the rights of this moment; None where they may not sign in any more."""
    with unscoped("who asked for background work"):
        user = db.session.scalar(select(User).where(User.id == user_id).options(selectinload(User.memberships)))
        return actor_for(user, all_offices()) if user is not None and user.is_active else None


def office_by_code(code: str) -> Office:
    """An office by its code; NotFound names the codes there are."""
    office = db.session.scalar(select(Office).where(Office.code == code.strip().upper()))
    if office is None:
        raise NotFound(_("There is no office %(code)s.", code=code))
    return office
