"""Error pages: every refusal as a page with what happened and what to do; never a bare 5xx."""

from __future__ import annotations

import errno
import logging
from typing import Any

from flask import Flask, Response, g, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError, RequestEntityTooLarge

from crm.db import db
from crm.errors import Conflict, Denied, Invalid, NotFound, ThroughlineError
from crm.i18n import _
from crm.web.gate import kept_fields, nobody_if_unknown

log = logging.getLogger("throughline")
#: The largest request that is read to its end only to be refused, in bytes.
MOST_READ_TO_THE_END = 256 * 1024 * 1024


def texts(status: int) -> tuple[str, str, str]:
    """Title, what happened, what to do, for a status."""
    return {
        400: (
            _("This request could not be read"),
            _("Something in the request was malformed."),
            _("Go back, reload the page and try again."),
        ),
        403: (_("Your role does not allow this"), _("Nothing was changed."), _("Ask the head of your office if you need it.")),
        404: (
            _("There is nothing here"),
            _("The address may be mistyped, or the record is not visible to you."),
            _("Find the party it belongs to by name, or start from its list."),
        ),
        405: (_("This page cannot be used that way"), _("Nothing was changed."), _("Start from the page itself.")),
        409: (_("Somebody else was faster"), _("Nothing of yours was saved."), _("Open the record again to see their change.")),
        413: (_("This is too large"), _("Nothing was saved."), _("Send a smaller file: at most 30 MB.")),
        414: (_("This address is too long"), _("Nothing was read."), _("Use fewer filters.")),
        422: (_("This cannot be saved as it is"), _("Nothing was saved."), _("Go back and correct what is named.")),
        429: (_("Too many requests"), _("Nothing was changed."), _("Wait a little and try again.")),
        507: (
            _("The server has no room left"),
            _("What you sent could not be taken in, so nothing was saved."),
            _("Tell your administrator. Go back: what you typed is still in the form."),
        ),
        503: (
            _("Not available at this moment"),
            _("The database did not take the request, so nothing was saved."),
            _("Wait a minute and try again; your text is still in the form if you go back."),
        ),
    }.get(
        status,
        (
            _("Something went wrong on our side"),
            _("The error was written to the log; nothing was saved by halves."),
            _("Try again. If it happens twice, tell the administrator when it was."),
        ),
    )


def page(status: int, *, sentence: str = "", advice: str = "", headers: dict[str, str] | None = None) -> Any:
    """The error page."""
    nobody_if_unknown()
    title, happened, usual = texts(status)
    body = render_template("errors/error.html", status=status, title=title, what_happened=sentence or happened, what_to_do=advice or usual)
    return body, status, headers or {}


def too_large(_error: RequestEntityTooLarge) -> Any:
    """The page for a request over the limit, once all of it has come."""
    read_to_the_end()
    if request.blueprint == "files":
        return page(413, sentence=_("These files come to more than 100 MB together. Nothing was saved."), advice=_("Send fewer at once."))
    return page(413)


def no_room(error: OSError) -> Any:
    """The page for a disk that is full, while what was sent is taken in; any other trouble with it is unexpected."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        raise error
    log.error("no room left on %s %s", request.method, request.path, exc_info=error)
    return page(507)


def read_to_the_end() -> None:
    """Take in, and forget, the rest of a request that is too large: a browser shows our page only once it has sent all of
    it, and a reset connection otherwise. Not without bound: past that the connection is closed."""
    left, stream = MOST_READ_TO_THE_END, request.environ["wsgi.input"]
    if (request.content_length or 0) > left:
        return
    while left > 0 and (piece := stream.read(min(left, 1 << 16))):
        left -= len(piece)


def without_host(response: Response) -> Response:
    """A redirect within the site names no host: the one that a request carries may be made up by anybody."""
    location = response.headers.get("Location", "")
    if location.startswith(request.host_url):
        response.headers["Location"] = "/" + location.removeprefix(request.host_url)
    return response


def set_up_errors(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(RequestEntityTooLarge, too_large)
    app.register_error_handler(OSError, no_room)
    app.after_request(without_host)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Any:
        if error.response is not None:
            return error.response
        status = error.code or 500
        original = getattr(error, "original_exception", None)
        if isinstance(error, InternalServerError) and original is not None:
            log.error("unexpected error on %s %s", request.method, request.path, exc_info=original)
        allowed = getattr(error, "valid_methods", None)
        return page(status, headers={"Allow": ", ".join(sorted(allowed))} if allowed else None)

    @app.errorhandler(CSRFError)
    def _csrf(_error: CSRFError) -> Any:
        kept = kept_fields() if g.get("actor") else []
        sentence = _("This page was open too long, or was opened before you signed in. Nothing was saved yet.")
        if kept:
            body = render_template("account/send_again.html", kept=kept, kept_path=request.path, sentence=sentence)
            return body, 400
        return page(400, sentence=sentence)

    @app.errorhandler(NotFound)
    def _absent(_error: NotFound) -> Any:
        return page(404)

    @app.errorhandler(Denied)
    def _denied(error: Denied) -> Any:
        return page(403, sentence=str(error))

    @app.errorhandler(Conflict)
    def _conflict(error: Conflict) -> Any:
        return page(409, sentence=str(error))

    @app.errorhandler(Invalid)
    def _invalid(error: Invalid) -> Any:
        return page(422, sentence=str(error))

    @app.errorhandler(ThroughlineError)
    def _refused(error: ThroughlineError) -> Any:
        log.error("refused on %s %s", request.method, request.path, exc_info=error)
        return page(500)

    @app.errorhandler(OperationalError)
    def _database(error: OperationalError) -> Any:
        log.error("database error on %s %s", request.method, request.path, exc_info=error)
        db.session.rollback()
        return page(503, headers={"Retry-After": "30"})
