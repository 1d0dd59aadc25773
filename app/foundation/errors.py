"""Errors: every refusal and failure answers with the right status, a clear sentence and the correlation id."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, g, make_response, render_template, request
from flask import session as cookie
from flask.globals import request_ctx
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, InternalServerError

from app.foundation import formats
from app.foundation.actor import STRANGER
from app.foundation.db import mark_rollback, session
from app.foundation.limits import TooMany
from app.foundation.logs import correlation_id
from app.foundation.refusals import Refusal
from app.foundation.replies import wants_partial

log = logging.getLogger(__name__)
GONE_SQLSTATES = {"57P01", "57P02", "57P03", "53300"}
"""PostgreSQL is shutting down, crashed, starting up, or has no connection left."""


def titles() -> dict[int, tuple[str, str]]:
    """Title and sentence of each error page, for the request in hand."""
    size = formats.size(request.max_content_length or 0)
    return {
        400: (_("We could not read that"), _("Something in the address or the form is not valid. Go back and try again.")),
        403: (_("That is not yours to do"), _("Your role at this school does not include this. Ask an admin if it should.")),
        404: (_("There is nothing here"), _("The page does not exist, or you may not see it.")),
        405: (_("That does not work here"), _("This address does not answer that kind of request. Start from the page before.")),
        409: (_("That is not possible now"), _("Something changed in the meantime. Load the page again.")),
        413: (_("That is too large"), _("Send something smaller than %(size)s.", size=size)),
        422: (_("Something needs mending"), _("Check the fields and send the form again.")),
        429: (_("Too many tries"), _("Wait a moment, then try again.")),
        500: (_("Something broke on our side"), _("It has been logged. Try again; if it stays, tell us the code below.")),
        503: (
            _("Groundschool is resting"),
            _("We cannot reach our records just now. Nothing you saved is lost. Try again in a minute."),
        ),
    }  # fmt: skip


def answer_errors(app: Flask) -> None:
    """Register the handlers. Each marks the transaction for rollback; the status alone does not."""

    @app.errorhandler(CSRFError)
    def csrf_failed(_error: CSRFError) -> Response:
        return respond(400, _("This form is from an earlier visit. Load the page again and resend it."))

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> Response:
        response = respond(refusal.status, refusal.sentence, back=refusal.back)
        if isinstance(refusal, TooMany):
            response.headers["Retry-After"] = str(refusal.retry_after)
        return response

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        response = respond(error.code or 500)
        for name in ("Allow", "Retry-After"):
            if name in (headers := dict(error.get_headers())):
                response.headers[name] = headers[name]
        return response

    @app.errorhandler(DBAPIError)
    @app.errorhandler(PoolTimeout)
    def database_error(error: Exception) -> Response:
        return respond(503) if database_is_gone(error) else unexpected(error)

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        log_unexpected(error)
        return respond(500)

    @app.errorhandler(InternalServerError)
    def failed_late(error: InternalServerError) -> Response:
        """What fails after the view, as COMMIT may, comes wrapped."""
        cause = error.original_exception
        return respond(503 if isinstance(cause, Exception) and database_is_gone(cause) else 500)

    # It is Flask that logs what fails after the view, with the path.
    app.log_exception = lambda exc_info: log_unexpected(exc_info[1])  # type: ignore[method-assign]


def log_unexpected(error: BaseException | None) -> None:
    """A line with the trace and the endpoint; never the path, which may be a mailed link that still works."""
    log.error("unexpected error", exc_info=error, extra={"endpoint": request.endpoint, "method": request.method})


def database_is_gone(error: Exception) -> bool:
    """Whether the database cannot be reached, as opposed to having refused a statement."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, OperationalError | InterfaceError):
        return isinstance(error, DBAPIError) and error.connection_invalidated
    code = getattr(error.orig, "pgcode", None)
    return code is None or code in GONE_SQLSTATES


def respond(status: int, sentence: str = "", *, back: str = "") -> Response:
    """The error page of a status, or for a partial request a fragment that lands in #flash."""
    mark_rollback()
    _leave_session()
    if status >= 500:
        _unsay()
    title, standard = titles().get(status, titles()[500])
    context: dict[str, Any] = {"status": status, "title": title, "sentence": sentence or standard, "back": back}
    if wants_partial():
        response = make_response(render_template("errors/flash.html", **context), status)
        response.headers["HX-Retarget"] = "#flash"
        response.headers["HX-Reswap"] = "innerHTML"
        return response
    return make_response(render_template("errors/error.html", **context, code=correlation_id()), status)


def _unsay() -> None:
    """A view says what it has done before the COMMIT that may fail: then it is not done, and is not to be read now or later."""
    cookie.pop("_flashes", None)
    request_ctx.flashes = None


def _leave_session() -> None:
    """Error pages ask the database nothing: they must show when it is gone or its transaction is broken."""
    if session.registry.has():
        try:
            session.rollback()
        except DBAPIError:
            session.remove()
    if "_login_user" not in g:
        g._login_user = STRANGER
