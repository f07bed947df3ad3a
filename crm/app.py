"""create_app(): the only wiring; refuses to start if a route declares no permission."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.dates import format_datetime
from flask import Flask, g, request, url_for
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

import crm.audit
import crm.models  # registers every table
import crm.services.party_keys
import crm.services.search  # noqa: F401 - the listener of the search index
from config import Config, load_or_stop
from crm import formatting
from crm.cli import register_commands
from crm.clock import zone
from crm.db import db, engine_options, set_up_engine
from crm.i18n import LOCALES, direction, get_locale, named, sentence, translations_for
from crm.policy import Permission, can, guard_engine
from crm.queries.due import said_when
from crm.web import BLUEPRINTS
from crm.web.errors import set_up_errors
from crm.web.files import set_up_room
from crm.web.gate import refuse_silent_routes, set_up_gate
from crm.web.nav import entries, log_url
from crm.web.templating import PageEnvironment

ROOT = Path(__file__).resolve().parent.parent
CSP = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"


class Throughline(Flask):
    """The application."""

    jinja_environment = PageEnvironment


def create_app(config: Config | None = None) -> Flask:
    """Make the application from settings (default: the environment's)."""
    settings = config or load_or_stop()
    app = Throughline("crm", template_folder=str(ROOT / "templates"), instance_path=str(settings.instance_path))
    app.config.update(settings.flask())
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings.database_url)
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    app.config["IS_DEMO"] = (settings.instance_path / "demo-access.txt").exists()
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 31_536_000
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=settings.trusted_proxies)  # type: ignore[method-assign]
    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "crm" / "migrations"), render_as_batch=True, compare_type=True)
    with app.app_context():
        set_up_engine(db.engine)
        guard_engine(db.engine)
    _set_up_templates(app)
    _set_up_limits(app)  # before anything reads a form
    set_up_gate(app)  # before the form tokens: a session that ended keeps what was typed
    set_up_room(app)  # after the gate: only who is signed in may send so much
    CSRFProtect(app)
    set_up_errors(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.view_functions["static"].permission = "public"  # type: ignore[union-attr]
    register_commands(app)
    _set_up_headers(app)
    refuse_silent_routes(app)
    return app


def _set_up_limits(app: Flask) -> None:
    """A form without a file may be no longer than all its fields together: the parser bounds only those that come in parts."""

    @app.before_request
    def _bound_form() -> None:
        if request.mimetype == "application/x-www-form-urlencoded":
            request.max_content_length = app.config["MAX_FORM_MEMORY_SIZE"]


def _set_up_templates(app: Flask) -> None:
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: translations_for(get_locale()).gettext(text),
        lambda one, many, count: translations_for(get_locale()).ngettext(one, many, count),
        newstyle=True,
    )
    app.jinja_env.globals["_"] = app.jinja_env.globals["gettext"]  # its own `_` looks for `gettext` each time
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    manifest_path = Path(app.static_folder or "") / "dist" / "manifest.json"
    manifest: dict[str, str] = json.loads(manifest_path.read_text()) if manifest_path.exists() else {}
    permissions = {permission.name: permission for permission in Permission}

    @lru_cache(maxsize=256)
    def asset_under(_root: str, name: str) -> str:
        return url_for("static", filename=f"dist/{manifest.get(name, name)}")

    def asset(name: str) -> str:
        return asset_under(request.script_root, name)

    def may(name: str, office_id: Any = None) -> bool:
        return can(g.get("actor"), permissions[name], office_id)

    app.jinja_env.globals.update(asset=asset, can=may, locale=get_locale, direction=direction, languages=LOCALES, zip=zip)
    for name in (
        "money",
        "number",
        "compact_number",
        "percent",
        "day",
        "long_day",
        "month",
        "moment",
        "due_day",
        "relative_day",
        "file_size",
    ):
        app.jinja_env.filters[name] = _localised(getattr(formatting, name))

    def dateformat(value: Any, pattern: str = "d MMM y") -> str:
        return "" if value is None else formatting.patterned_day(value, pattern, get_locale())

    def datetimeformat(value: Any, pattern: str = "d MMM y, HH:mm") -> str:
        who = g.get("actor")
        return "" if value is None else format_datetime(value, pattern, tzinfo=zone(who.timezone if who else "UTC"), locale=get_locale())

    app.jinja_env.filters.update(dateformat=dateformat, datetimeformat=datetimeformat, said_when=said_when, web_link=formatting.web_link)
    app.jinja_env.filters.update(named=named, sentence=sentence)

    @app.context_processor
    def common() -> dict[str, Any]:
        who = g.get("actor")
        return {
            "actor": who,
            "nav": entries(who),
            "log_url": log_url(who),
            "account_url": url_for("account.index") if who else None,
            "lang": get_locale(),
            "text_direction": direction(),
            "shortcuts": "off" if who and not who.has_shortcuts else "on",
            "office_name": who.office_name if who else "",
            "theme": who.theme if who else "auto",
            "demo": bool(app.config.get("IS_DEMO")),
            "token": secrets.token_hex,
        }


def _localised(function: Callable[..., str]) -> Callable[..., str]:
    """A formatting function as a filter that speaks the reader's language."""

    def apply(value: Any, *args: Any, **kwargs: Any) -> str:
        return "" if value is None else function(value, *args, locale=get_locale(), **kwargs)

    return apply


def _set_up_headers(app: Flask) -> None:
    @app.after_request
    def headers(response: Any) -> Any:
        response.headers.setdefault("Content-Security-Policy", CSP)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        if app.config["SESSION_COOKIE_SECURE"]:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        if request.endpoint == "static":
            response.headers["Cache-Control"] = (
                "public, max-age=31536000, immutable" if "/dist/" in request.path else "public, max-age=3600"
            )
        else:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
