"""Signing in and out, and choosing a school."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Request, Response, current_app, flash, make_response, redirect, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from flask_login import current_user

from app.foundation import csrf, tenancy
from app.foundation.actor import STRANGER, Actor
from app.foundation.mail import can_send_mail
from app.foundation.permissions import SAFE_METHODS, SignInNeeded, access, own_account, public, signed_in
from app.foundation.replies import page, reply, wants_partial
from app.identity.forms.sessions import Destination, SignInForm, blank_sign_in_form
from app.identity.models import User, UserSession
from app.identity.operations.sessions import (
    SignedIn,
    check_password,
    end_own_sessions,
    end_session,
    open_session,
    sign_out,
)
from app.identity.queries import (
    find_actor,
    find_session,
    find_user,
    list_open_sessions,
    list_schools_of_user,
    list_standings_of_user,
)
from app.identity.rules import SUSPENDED, device_words, new_token
from app.identity.views import bp, login
from app.identity.views.acting import ACTING, notice_end_of_acting
from app.identity.views.cut_off import ENDED_TOKEN, TOKEN, do_again, keep_post, own_path, read_kept
from app.identity.views.second_factor import ask_for_code
from app.identity.views.sign_in_limits import know_device, tries_for


@bp.get("/login")
@public("the sign-in page")
def session_new() -> Any:
    if current_user.is_authenticated:
        return redirect(own_path(request.args.get("next")) or url_for("identity.schools_index"), 303)
    return page(
        "identity/sign_in.html",
        form=None,
        ended=False,
        blank_form=blank_sign_in_form,
        next_page=own_path(request.args.get("next")),
        school=request.args.get("tenant", "")[:40],
        left="left" in request.args,
    )


@bp.post("/login")
@public("signing in")
def session_create() -> Any:
    form = SignInForm()
    if not form.validate():
        return sign_in_page(form, status=422)
    tries = tries_for(form.email.data or "")
    tries.spend()
    user = check_password(form.email.data or "", form.password.data or "", cost=settings().bcrypt_cost)
    if user is None:
        form.refusal = _("This e-mail and password do not belong together. Check both and try again.")
        return sign_in_page(form, status=422)
    tries.succeeded()
    if user.totp_confirmed_at:
        return ask_for_code(user, is_remembered=form.remembered.data, form=form)
    return go_on(let_in(user, is_remembered=form.remembered.data), form)


@bp.post("/logout")
@signed_in
def session_destroy() -> Any:
    sign_out(current_user)
    return leave(_("You are signed out."))


@bp.get("/logout/forget.css")
@public("whoever has signed out has the browser forget the pages that Back would show")
def session_forget() -> Response:
    """An empty style sheet of the page after signing out. Sent with the redirect the header would come too soon: the page on
    which somebody signs out is kept for Back only when the next one is there."""
    response = Response(mimetype="text/css")
    response.headers["Clear-Site-Data"] = '"cache"'
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/account/sessions")
@own_account
def sessions_index() -> Any:
    sessions = list_open_sessions(current_user.user_id, idle=idle_life())
    return page("identity/sessions.html", sessions=sessions, device=device_words)


@bp.post("/account/sessions/<int:session_id>/end")
@own_account
def session_end(session_id: int) -> Any:
    opened = end_session(access(UserSession, session_id), actor=current_user)
    if opened.id == current_user.session_id:
        return leave(_("You are signed out."))
    return reply(url_for("identity.sessions_index"), said=_("It is signed out there."))


@bp.post("/account/sessions/end-others")
@own_account
def sessions_end_others() -> Any:
    end_own_sessions(actor=current_user, but_this=True)
    return reply(url_for("identity.sessions_index"), said=_("You are signed out everywhere else."))


@bp.post("/account/sessions/end-all")
@own_account
def sessions_end_all() -> Any:
    end_own_sessions(actor=current_user, but_this=False)
    return leave(_("You are signed out everywhere."))


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
    standings = list_standings_of_user(current_user.user_id)
    if current_user.is_operator and not schools and not standings and "stay" not in request.args:
        return redirect(url_for("console.school_index"), 303)
    user = find_user(current_user.user_id)
    confirmed = bool(user and user.email_confirmed_at) or not can_send_mail()
    return page("identity/schools.html", schools=schools, standings=standings, confirmed=confirmed)


# -- finding the person of a request -------------------------------------------------------------------------------


@login.request_loader
def load_actor(_request: Request) -> Actor | None:
    """Flask-Login asks once a request: whose token is this, and what are they here?"""
    token = cookie.get(TOKEN)
    actor = find_actor(token, idle=idle_life()) if token else STRANGER
    if actor.is_authenticated and ACTING in cookie:
        notice_end_of_acting(actor)
    return actor if actor.is_authenticated else None


@bp.app_errorhandler(SignInNeeded)
def ask_to_sign_in(_error: SignInNeeded) -> Any:
    """Nobody is signed in. A page leads to sign-in and back; a post keeps what was typed and asks where it stands."""
    _say_why_it_ended()
    if request.method in SAFE_METHODS:
        address = url_for("identity.session_new", next=request.full_path.rstrip("?"))
        if not wants_partial():
            return redirect(address, 303)
        return make_response("", 401, {"HX-Redirect": address})
    tenant = tenancy.current()
    form = SignInForm(formdata=None, tenant=tenant.slug if tenant else "", resume=keep_post())
    response = sign_in_page(form, status=401, ended=True)
    if wants_partial():
        response.headers["HX-Retarget"] = "#main"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def _say_why_it_ended() -> None:
    """Who was signed out by a suspension is told so at once, and reads the reason after signing in."""
    ended = find_session(cookie[TOKEN]) if TOKEN in cookie else None
    if ended and ended.ended_reason == SUSPENDED:
        flash(_("Your access was suspended, and you are signed out. Sign in to read why."), "ok")


def sign_in_page(form: SignInForm, *, status: int = 200, ended: bool = False) -> Any:
    """The sign-in form. It works for a post that was cut off as well as for a visitor."""
    form.status = status
    return page("identity/sign_in.html", partial="identity/_sign_in.html", form=form, status=status, ended=ended)


def go_on(opened: SignedIn, form: Destination) -> Any:
    """After signing in: what was cut off is done or shown, else the page that was asked for."""
    home = home_of(opened, form.tenant.data)
    if not form.resume.data:
        return redirect(own_path(form.next.data) or home, 303)
    kept = read_kept(form.resume.data)
    if kept is None:
        return reply(home, said=_("What was typed before could not be read back."))
    if kept.user_id is None:
        return page("identity/resume.html", path=kept.path, fields=kept.fields, once=new_token())
    if kept.user_id != opened.user.id:
        return reply(home, said=_("What was typed before was somebody else’s. It was not sent."))
    return do_again(kept)


def home_of(opened: SignedIn, asked_for: str | None) -> str:
    """Where signing in leads: the school asked for, the only one, or the choice between several."""
    slugs = [school.slug for school in opened.schools]
    if asked_for in slugs:
        return f"/{asked_for}/"
    return f"/{slugs[0]}/" if len(slugs) == 1 else url_for("identity.schools_index")


def let_in(user: User, *, is_remembered: bool, second_factor_at: datetime | None = None) -> SignedIn:
    """Open a session for this browser, with a new token, a new cookie and a new secret for its forms."""
    held = cookie.get(TOKEN) or cookie.get(ENDED_TOKEN)
    csrf_hash = begin_cookie()
    days = settings().remembered_days if is_remembered else settings().session_days
    opened = open_session(
        user, life=timedelta(days=days), csrf_hash=csrf_hash, user_agent=request.user_agent.string,
        is_remembered=is_remembered, second_factor_at=second_factor_at, instead_of=held,
    )  # fmt: skip
    cookie[TOKEN] = opened.token
    cookie.pop(ENDED_TOKEN, None)
    know_device(user.email)
    cookie.permanent = is_remembered
    return opened


def leave(said: str) -> Any:
    """To the sign-in page with a cookie begun anew; there the browser drops what it kept of the pages of before."""
    begin_cookie()
    return reply(url_for("identity.session_new", left=1), said=said)


def begin_cookie() -> str:
    """Begin the browser's cookie anew; returns the hash of its new CSRF secret.

    The choice of light or dark outlives it, and the ended session's token, which from now on only proves whose a form was.
    """
    kept = {"theme": cookie.get("theme"), ENDED_TOKEN: cookie.get(TOKEN)}
    cookie.clear()
    cookie.update({name: value for name, value in kept.items() if value})
    return csrf.begin()


def idle_life() -> timedelta:
    """How long a session may rest, unless its person asked to be remembered."""
    return timedelta(hours=settings().session_idle_hours)


def settings() -> Any:
    return current_app.config["SETTINGS"]
