"""Signing in and out, one's own password, sessions and preferences; alive and ready."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask_login import current_user, login_user, logout_user
from sqlalchemy import select

from crm.db import db
from crm.errors import Denied, Invalid
from crm.forms.account import PasswordForm, PreferencesForm, SignInForm
from crm.i18n import _
from crm.models.offices import Office
from crm.policy import Permission, unscoped
from crm.services import users
from crm.web.gate import SignedIn, actor, fresh_session, permit, public
from crm.web.helpers import safe_target, status

bp = Blueprint("account", __name__)


@bp.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> Any:
    """GET the form; POST e-mail and password. The same answer for an unknown person and a wrong password."""
    if request.method == "GET" and current_user.is_authenticated:
        return redirect(safe_target(request.args.get("next"), url_for("home.index")))
    form = SignInForm()
    if request.method == "GET":
        form.next.data = request.args.get("next", "")
    elif form.validate():
        try:
            token = users.sign_in(
                form.email.data or "",
                request.form.get("password", ""),
                address=request.remote_addr or "",
                browser=request.user_agent.string,
            )
        except users.TooManyTries as error:
            form.take(Invalid(str(error)))
            return render_template("account/sign_in.html", form=form), 429, {"Retry-After": str(error.wait)}
        except Denied as error:
            form.take(Invalid(str(error)))
        else:
            who = users.resume(token)
            if who is not None:
                fresh_session()
                login_user(SignedIn(token, who))
                kept_path = safe_target(request.form.get("kept-path"), "")
                if kept_path:
                    kept = [
                        (name.removeprefix("kept:"), value)
                        for name, values in request.form.lists()
                        if name.startswith("kept:")
                        for value in values
                    ]
                    return render_template(
                        "account/send_again.html", kept=kept, kept_path=kept_path, sentence=_("You are signed in again.")
                    )
                return redirect(safe_target(form.next.data, url_for("home.index")), code=303)
    return render_template("account/sign_in.html", form=form), status(form)


@bp.post("/sign-out")
@public
def sign_out() -> Any:
    """End this session."""
    if current_user.is_authenticated:
        users.sign_out(current_user.actor, current_user.get_id())
    logout_user()
    fresh_session()
    flash(_("You are signed out."), "success")
    return redirect(url_for("account.sign_in"), code=303), 303, {"Clear-Site-Data": '"storage"'}


@bp.get("/account/")
@permit(Permission.ACCOUNT_OWN)
def index() -> Any:
    """One's own account."""
    who = actor()
    form = PreferencesForm(theme=who.theme, has_shortcuts=who.has_shortcuts)
    return render_template("account/index.html", form=form, password_form=PasswordForm())


@bp.post("/account/preferences")
@permit(Permission.ACCOUNT_OWN)
def preferences() -> Any:
    """Save how the pages look."""
    form = PreferencesForm()
    if form.validate():
        users.set_preferences(actor(), theme=form.theme.data, has_shortcuts=form.has_shortcuts.data)
        flash(_("Your preferences are saved."), "success")
        return redirect(url_for("account.index"), code=303)
    return render_template("account/index.html", form=form, password_form=PasswordForm()), 422


@bp.post("/account/password")
@permit(Permission.ACCOUNT_OWN)
def password() -> Any:
    """Change the password; every other session ends, this one goes on."""
    form = PasswordForm()
    who = actor()
    refused, headers = 422, {}
    if form.validate():
        try:
            token = users.change_password(
                who,
                request.form.get("current", ""),
                request.form.get("new", ""),
                address=request.remote_addr or "",
                browser=request.user_agent.string,
            )
        except users.TooManyTries as error:
            form.take(Invalid(str(error), field="current"))
            refused, headers = 429, {"Retry-After": str(error.wait)}
        except Invalid as error:
            form.take(error)
        else:
            fresh_session()
            login_user(SignedIn(token, who))
            flash(_("Your password is changed. All other sessions were ended."), "success")
            return redirect(url_for("account.index"), code=303)
    preferences_form = PreferencesForm(formdata=None, theme=who.theme, has_shortcuts=who.has_shortcuts)
    return render_template("account/index.html", form=preferences_form, password_form=form), refused, headers


@bp.post("/account/sign-out-everywhere")
@permit(Permission.ACCOUNT_OWN)
def sign_out_everywhere() -> Any:
    """End every session of this person, this one too: a lost phone."""
    users.sign_out_everywhere(actor())
    logout_user()
    fresh_session()
    flash(_("You are signed out on every device."), "success")
    return redirect(url_for("account.sign_in"), code=303), 303, {"Clear-Site-Data": '"storage"'}


@bp.get("/healthz")
@public
def alive() -> Any:
    """The process answers."""
    return jsonify(status="alive")


@bp.get("/readyz")
@public
def ready() -> Any:
    """The database is reachable and migrated."""
    try:
        with unscoped("readiness"):
            db.session.execute(select(Office.id).limit(1))
    except Exception:
        current_app.logger.exception("not ready")
        return jsonify(status="not ready"), 503
    return jsonify(status="ready")
