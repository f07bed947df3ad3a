"""The gate: every route says `@permit(Permission.X)` or `@public`; one before_request enforces it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, abort, current_app, g, redirect, render_template, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user

from crm.db import READ_ONLY, db
from crm.errors import ProgrammingError
from crm.i18n import negotiate, set_locale
from crm.policy import Actor, Permission, bind_actor, can
from crm.services import users

F = TypeVar("F", bound=Callable[..., Any])
PUBLIC = "public"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
login_manager = LoginManager()


class SignedIn(UserMixin):  # type: ignore[misc]
    """What Flask-Login carries: the actor and the token of this session."""

    def __init__(self, token: str, actor: Actor) -> None:
        self.token = token
        self.actor = actor

    def get_id(self) -> str:
        """The session's secret token: the cookie names a session, never a person."""
        return self.token


@login_manager.user_loader  # type: ignore[untyped-decorator]
def _load(token: str) -> SignedIn | None:
    actor = users.resume(token)
    return SignedIn(token, actor) if actor else None


def nobody_if_unknown() -> None:
    """For error pages: where looking up who is signed in has failed, nobody is, and it is not looked up again."""
    if not hasattr(g, "_login_user"):  # Flask-Login's own place for it
        g._login_user = login_manager.anonymous_user()  # noqa: SLF001


def permit(permission: Permission) -> Callable[[F], F]:
    """Declare what a route needs. Stands directly under the route decorator."""

    def mark(view: F) -> F:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return mark


def public(view: F) -> F:
    """Declare a route that needs no sign-in. The list of them is a test."""
    view.permission = PUBLIC  # type: ignore[attr-defined]
    return view


def declared(app: Flask, endpoint: str) -> Permission | str | None:
    """What an endpoint declared: a permission, PUBLIC, or None (silent)."""
    return getattr(app.view_functions.get(endpoint), "permission", None)


def refuse_silent_routes(app: Flask) -> None:
    """Refuse to start when a route declares nothing."""
    silent = sorted({rule.endpoint for rule in app.url_map.iter_rules() if declared(app, rule.endpoint) is None})
    if silent:
        message = f"routes that declare no permission: {', '.join(silent)}"
        raise ProgrammingError(message)


def actor() -> Actor:
    """The signed-in actor; views behind a permission always have one."""
    found = g.get("actor")
    if found is None:
        abort(403)
    return found  # type: ignore[no-any-return]


def set_up_gate(app: Flask) -> None:
    """Wire the one before_request."""
    login_manager.init_app(app)
    login_manager.session_protection = None

    @app.before_request
    def gate() -> Any:
        g.actor = None
        info = db.session().info
        info[READ_ONLY] = request.method in SAFE_METHODS
        bind_actor(None)
        if request.endpoint == "static":
            return None
        if current_user.is_authenticated:
            g.actor = current_user.actor
            bind_actor(g.actor)
            set_locale(g.actor.language)
        else:
            set_locale(negotiate(tag for tag, _quality in request.accept_languages))
        if request.endpoint is None:
            return None  # 404 and 405 answer for themselves
        needed = declared(current_app, request.endpoint)
        if needed == PUBLIC:
            return None
        if not isinstance(needed, Permission):
            abort(403)
        if g.actor is None:
            return ask_to_sign_in()
        if not can(g.actor, needed):
            abort(403)
        return None


def ask_to_sign_in() -> Any:
    """Send a reader to sign in and back; keep what a writer typed, to be sent again after signing in."""
    if request.method in SAFE_METHODS:
        target = request.full_path if request.query_string else request.path
        return redirect(url_for("account.sign_in", next=target if request.path != "/" else None))
    kept = kept_fields()
    if kept:
        return Response(
            render_template("account/sign_in.html", form=None, next=request.path, kept=kept, kept_path=request.path), status=401
        )
    return redirect(url_for("account.sign_in"))


def kept_fields() -> list[tuple[str, str]]:
    """The typed fields of a POST that met an ended session, when it came from our own page; passwords never."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin" or request.files:
        return []
    return [
        (name, value)
        for name, values in request.form.lists()
        for value in values
        if name != "csrf_token" and "password" not in name and len(value) <= 100_000  # noqa: PLR2004
    ][:500]


def fresh_session() -> None:
    """Forget everything the anonymous cookie carried: a new id at sign-in."""
    session.clear()
    g.pop("csrf_token", None)
