"""Signing in and out, and choosing a school."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, make_response, redirect, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from flask_login import LoginManager, current_user

from app.foundation import csrf, tenancy
from app.foundation.actor import STRANGER, Actor
from app.foundation.permissions import SAFE_METHODS, SignInNeeded, public, signed_in
from app.foundation.refusals import BadRequest
from app.foundation.replies import page, reply, wants_partial
from app.identity.forms import SignInForm, blank_sign_in_form
from app.identity.operations import SignedIn, sign_in, sign_out
from app.identity.queries import find_actor, list_schools_of_user
from app.identity.rules import new_token

bp = Blueprint("identity", __name__)


class SessionsOfOurs(LoginManager):
    """Flask-Login without its remember-me cookie: looking for that would mark every answer, static files too, as one's own.

    There is one way to be known, the session's token, so that is asked at once.
    """

    def _load_user(self) -> None:
        self._update_request_context_with_user(load_actor())

    def _update_remember_cookie(self, response: Response) -> Response:
        return response


login = SessionsOfOurs()
login.anonymous_user = lambda: STRANGER
login.session_protection = None

TOKEN = "token"  # noqa: S105 — the name of the cookie's entry, not a secret
NEVER_CARRIED = {"csrf_token", "password", "once"}


@bp.get("/login")
@public("the sign-in page")
def session_new() -> Any:
    if current_user.is_authenticated and not request.args.get("next"):
        return redirect(url_for("identity.schools_index"), 303)
    return page(
        "identity/sign_in.html",
        form=None,
        ended=False,
        blank_form=blank_sign_in_form,
        next_page=own_path(request.args.get("next")),
        school=request.args.get("tenant", "")[:40],
    )


@bp.post("/login")
@public("signing in")
def session_create() -> Any:
    form = SignInForm()
    if not form.validate():
        return sign_in_page(form, status=422)
    opened = sign_in(
        form.email.data or "",
        form.password.data or "",
        cost=settings().bcrypt_cost,
        user_agent=request.user_agent.string,
    )
    if opened is None:
        form.refusal = _("This e-mail and password do not belong together. Check both and try again.")
        return sign_in_page(form, status=422)
    remember(opened.token)
    if form.resume.data:
        return resume_page(form)
    return redirect(own_path(form.next.data) or home_of(opened, form.tenant.data), 303)


@bp.post("/logout")
@signed_in
def session_destroy() -> Any:
    sign_out(current_user)
    remember(None)
    return reply(url_for("identity.session_new"), said=_("You are signed out."))


@bp.get("/")
@public("the front door: to the schools of whoever is signed in, else to the sign-in page")
def front_door() -> Any:
    target = "identity.schools_index" if current_user.is_authenticated else "identity.session_new"
    return redirect(url_for(target), 303)


@bp.get("/schools")
@signed_in
def schools_index() -> Any:
    tenancy.enter(None, user_id=current_user.user_id)
    schools = list_schools_of_user(current_user.user_id)
    if len(schools) == 1 and "stay" not in request.args:
        return redirect(f"/{schools[0][0].slug}/", 303)
    return page("identity/schools.html", schools=schools)


# -- finding the person of a request -------------------------------------------------------------------------------


def load_actor() -> Actor | None:
    """Flask-Login asks once a request: whose token is this, and what are they here?"""
    token = cookie.get(TOKEN)
    actor = find_actor(token) if token else STRANGER
    return actor if actor.is_authenticated else None


@bp.app_errorhandler(SignInNeeded)
def ask_to_sign_in(_error: SignInNeeded) -> Any:
    """Nobody is signed in. A page leads to sign-in and back; a post keeps what was typed and asks where it stands."""
    if request.method in SAFE_METHODS:
        address = url_for("identity.session_new", next=request.full_path.rstrip("?"))
        if not wants_partial():
            return redirect(address, 303)
        return make_response("", 401, {"HX-Redirect": address})
    tenant = tenancy.current()
    form = SignInForm(
        formdata=None, tenant=tenant.slug if tenant else "", resume=json.dumps(_posted()) if _is_ours() else ""
    )
    response = sign_in_page(form, status=401, ended=True)
    if wants_partial():
        response.headers["HX-Retarget"] = "#main"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def sign_in_page(form: SignInForm, *, status: int = 200, ended: bool = False) -> Any:
    """The sign-in form. It works for a post that was cut off as well as for a visitor."""
    form.status = status
    return page("identity/sign_in.html", partial="identity/_sign_in.html", form=form, status=status, ended=ended)


def resume_page(form: SignInForm) -> Any:
    """After signing in again: what was typed when the session had ended, one press away from being sent."""
    try:
        kept = json.loads(form.resume.data or "")
        path, fields = own_path(str(kept["path"])), [(str(name), str(value)) for name, value in kept["fields"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadRequest(_("What you had typed could not be read back.")) from error
    if not path:
        raise BadRequest(_("What you had typed could not be read back."))
    return page(
        "identity/resume.html",
        path=path,
        fields=[f for f in fields if f[0] not in NEVER_CARRIED],
        token=csrf.token(),
        once=new_token(),
    )


def own_path(path: str | None) -> str:
    """The path if it leads to a page of ours, else nothing: no address of another site is ever followed."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or any(ord(c) < 33 for c in path):
        return ""
    parts = urlsplit(path)
    return "" if parts.scheme or parts.netloc or "\\" in path else path


def home_of(opened: SignedIn, asked_for: str | None) -> str:
    """Where signing in leads: the school asked for, the only one, or the choice between several."""
    slugs = [school.slug for school in opened.schools]
    if asked_for in slugs:
        return f"/{asked_for}/"
    return f"/{slugs[0]}/" if len(slugs) == 1 else url_for("identity.schools_index")


def remember(token: str | None) -> None:
    """Begin the browser's cookie anew, with a token or without; only the choice of light or dark outlives it."""
    theme = cookie.get("theme")
    cookie.clear()
    csrf.renew()
    if theme:
        cookie["theme"] = theme
    if token:
        cookie[TOKEN] = token


def settings() -> Any:
    return current_app.config["SETTINGS"]


def _posted() -> dict[str, Any]:
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in NEVER_CARRIED]
    return {"path": request.full_path.rstrip("?"), "fields": fields}


def _is_ours() -> bool:
    """Whether the post came from a page of ours: nobody else's fields are put before a person."""
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site")
    return site == "same-origin" or (site is None and origin is not None and origin.partition("://")[2] == request.host)
