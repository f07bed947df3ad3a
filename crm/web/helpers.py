"""What views share: saving a form once, conflicts shown, paging arguments, safe redirects."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import flash, redirect, request
from werkzeug.wrappers import Response

from crm.errors import Conflict, EditConflict, Invalid, NotFound
from crm.forms.base import BaseForm
from crm.queries.paging import Paging
from crm.services import submissions
from crm.web.gate import actor


def paging() -> Paging:
    """The paging arguments of this request."""
    return Paging.of(request.args.get("page"), request.args.get("per_page"), request.args.get("after"))


def body_digest() -> str:
    """SHA-256 of what was typed, without the tokens: the same form sent twice has the same digest."""
    fields = sorted((name, value) for name, values in request.form.lists() for value in values if name not in ("csrf_token", "submission"))
    return hashlib.sha256(repr(fields).encode()).hexdigest()


def save_form(
    form: BaseForm,
    save: Callable[[], uuid.UUID],
    *,
    then: Callable[[uuid.UUID], str],
    message: str,
    check: Callable[[], bool] | None = None,
) -> Response | None:
    """On a POST that validates: run the service `save` once per form token, flash `message` (a sentence, done), and
    redirect to `then(record id)`. None: show the form (422 where it holds errors: `status(form)`).
    An EditConflict is left on `form.conflict` for the page to show yours, theirs and the original."""
    if request.method != "POST":
        return None
    is_valid = form.validate() and not form.whole_errors
    if check is not None:
        is_valid = check() and is_valid
    if not is_valid:
        return None
    who = actor()
    token = (form.submission.data or "")[:64]
    try:
        try:
            record_id, _again = submissions.once(who, token, body_digest(), save)
        except EditConflict:
            raise
        except Conflict:
            earlier = submissions.find(who, token) if token else None
            if earlier is None or earlier.digest != body_digest():
                raise
            record_id = earlier.record_id
    except Invalid as error:
        form.take(error)
        return None
    except EditConflict as error:
        form.conflict = error
        form.take(Invalid(str(error)))
        return None
    except Conflict as error:
        form.take(Invalid(str(error)))
        return None
    if record_id is None:
        raise NotFound
    flash(message, "success")
    return redirect(then(record_id), code=303)


def status(form: BaseForm) -> int:
    """422 where a form was refused, 409 on an edit conflict, else 200."""
    if form.conflict is not None:
        return 409
    return 422 if request.method == "POST" else 200


def safe_target(target: str | None, fallback: str) -> str:
    """A path of this site to go to, or the fallback: never another host."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or any(ord(c) < 33 for c in target):  # noqa: PLR2004
        return fallback
    parts = urlsplit(target)
    return fallback if parts.scheme or parts.netloc else target


def args_with(**changes: Any) -> dict[str, Any]:
    """The current query arguments with changes; None takes one away. For links of lists."""
    kept: dict[str, Any] = {name: values for name, values in request.args.lists() if values}
    kept.update(changes)
    return {name: value for name, value in kept.items() if value is not None}
