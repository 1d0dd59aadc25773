"""The second factor: setting it up, turning it off, and the second page of signing in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import segno
from flask import current_app, make_response, redirect, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup

from app.foundation import clock, limits
from app.foundation.crypto import derive_key
from app.foundation.forms import Form
from app.foundation.permissions import SAFE_METHODS, SecondFactorNeeded, own_account, public
from app.foundation.replies import page, reply, wants_partial
from app.identity.forms.second_factor import BeginForm, ConfirmForm, RenewForm, SignInCodeForm, TurnOffForm
from app.identity.models import User
from app.identity.operations.accounts import WrongPassword, record_refusal
from app.identity.operations.second_factor import (
    WrongCode,
    begin_second_factor,
    confirm_second_factor,
    renew_recovery_codes,
    show_secret,
    turn_off_second_factor,
    use_code,
    wrong_code,
)
from app.identity.queries import count_recovery_codes, find_user
from app.identity.rules import totp_address
from app.identity.views import bp
from app.identity.views.cut_off import own_path
from app.identity.views.sign_in_limits import code_tries_for

T = TypeVar("T")
PENDING = "waits_for_code"
PENDING_LIFE = timedelta(minutes=5)


# -- one's own account ---------------------------------------------------------------------------------------------


@bp.get("/account/second-factor")
@own_account
def second_factor_show() -> Any:
    begin = BeginForm(formdata=None, next=own_path(request.args.get("next")))
    return _overview(begin)


@bp.post("/account/second-factor")
@own_account
def second_factor_begin() -> Any:
    form = BeginForm()
    if with_proof(form, lambda: begin_second_factor(password=form.password.data or "", **who())):
        return reply(url_for("identity.second_factor_set_up", next=own_path(form.next.data) or None))
    return _overview(form)


@bp.get("/account/second-factor/set-up")
@own_account
def second_factor_set_up() -> Any:
    return _set_up_page(ConfirmForm(formdata=None, next=own_path(request.args.get("next"))))


@bp.post("/account/second-factor/set-up")
@own_account
def second_factor_confirm() -> Any:
    form = ConfirmForm()
    codes = with_proof(form, lambda: confirm_second_factor(form.totp_code.data or "", **who()))
    if codes:
        return _codes_page(codes, own_path(form.next.data))
    return _set_up_page(form)


@bp.get("/account/second-factor/recovery-codes")
@own_account
def recovery_codes_new() -> Any:
    return page("identity/recovery_codes_new.html", form=RenewForm(formdata=None))


@bp.post("/account/second-factor/recovery-codes")
@own_account
def recovery_codes_create() -> Any:
    form = RenewForm()
    codes = with_proof(form, lambda: renew_recovery_codes(form.totp_code.data or "", **who()))
    return _codes_page(codes, "") if codes else page("identity/recovery_codes_new.html", form=form, status=form.status)


@bp.get("/account/second-factor/end")
@own_account
def second_factor_end_new() -> Any:
    return page("identity/second_factor_end.html", form=TurnOffForm(formdata=None))


@bp.post("/account/second-factor/end")
@own_account
def second_factor_end() -> Any:
    form = TurnOffForm()
    deed: Callable[[], User] = lambda: turn_off_second_factor(  # noqa: E731
        password=form.password.data or "", code=form.totp_code.data or "", **who()
    )
    if with_proof(form, deed):
        return reply(url_for("identity.second_factor_show"), said=_("Your second factor is off."))
    return page("identity/second_factor_end.html", form=form, status=form.status)


@bp.app_errorhandler(SecondFactorNeeded)
def lead_to_second_factor(_error: SecondFactorNeeded) -> Any:
    """The school asks its admins for a second factor: this one sets it up, then comes back."""
    wanted = request.full_path.rstrip("?") if request.method in SAFE_METHODS else None
    address = url_for("identity.second_factor_show", next=wanted)
    if wants_partial():
        return make_response("", 403, {"HX-Redirect": address})
    return redirect(address, 303)


# -- the second page of signing in ---------------------------------------------------------------------------------


def ask_for_code(user: User, *, is_remembered: bool, form: Any) -> Any:
    """The password was right: ask for the code. The cookie says, signed and for five minutes, who has got that far."""
    from app.identity.views.sessions import begin_cookie

    begin_cookie()
    cookie[PENDING] = {"user": user.id, "at": clock.now().timestamp(), "remembered": is_remembered}
    return _code_page(
        SignInCodeForm(formdata=None, tenant=form.tenant.data, next=form.next.data, resume=form.resume.data)
    )


@bp.get("/login/code")
@public("the second page of signing in")
def session_code_new() -> Any:
    if _pending() is None:
        return redirect(url_for("identity.session_new"), 303)
    return _code_page(SignInCodeForm(formdata=None))


@bp.post("/login/code")
@public("the second page of signing in")
def session_code_create() -> Any:
    from app.identity.views.sessions import go_on, let_in

    form, user = SignInCodeForm(), _pending()
    if user is None:
        said = _("That took longer than five minutes. Sign in again.")
        return reply(url_for("identity.session_new", next=own_path(form.next.data) or None), said=said)
    if not form.validate():
        form.status = 422
        return _code_page(form)
    tries = code_tries_for(user.email)
    tries.spend()
    if not use_code(user, form.totp_code.data or "", key=_key()):
        form.refusal, form.status = wrong_code().sentence, 422
        return _code_page(form)
    tries.succeeded()
    is_remembered = bool(cookie[PENDING]["remembered"])
    return go_on(let_in(user, is_remembered=is_remembered, second_factor_at=clock.now()), form)


def _pending() -> User | None:
    """Whose password was right in this browser within the last five minutes."""
    pending = cookie.get(PENDING)
    if not pending or clock.now().timestamp() - pending["at"] > PENDING_LIFE.total_seconds():
        return None
    user = find_user(pending["user"])
    return user if user and user.totp_confirmed_at else None


# -- pages ---------------------------------------------------------------------------------------------------------


def _overview(form: BeginForm) -> Any:
    user = find_user(current_user.user_id)
    assert user
    left = count_recovery_codes(user.id) if user.totp_confirmed_at else 0
    return page("identity/second_factor.html", user=user, form=form, codes_left=left, status=form.status)


def _set_up_page(form: ConfirmForm) -> Any:
    user = find_user(current_user.user_id)
    secret = show_secret(user, key=_key()) if user else None
    if user is None or secret is None:
        return redirect(url_for("identity.second_factor_show"), 303)
    drawn = segno.make(totp_address(secret, email=user.email), error="m", micro=False)
    # The picture is ours from the first byte to the last; black on white in either theme, as cameras want it.
    picture = Markup(drawn.svg_inline(border=3, dark="#000", light="#fff", omitsize=True))  # noqa: S704
    groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return page(
        "identity/second_factor_set_up.html", form=form, picture=picture, groups=groups, status=form.status
    )  # fmt: skip


def _codes_page(codes: list[str], path: str) -> Any:
    answer = page("identity/recovery_codes.html", codes=codes, path=path)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _code_page(form: SignInCodeForm) -> Any:
    return page("identity/sign_in_code.html", form=form, status=form.status)


# -- what the deeds need -------------------------------------------------------------------------------------------


def with_proof(form: Form, deed: Callable[[], T]) -> T | None:
    """Do what a password or code opens. Wrong ones are counted and recorded, so that a borrowed screen does not find them out."""

    def counted() -> T:
        who = ("own-second-factor", str(current_user.user_id))
        with limits.failures_only(_settings().sign_in_limit, *who, failures=(WrongPassword, WrongCode)):
            return deed()

    done = form.carry_out(counted)
    if isinstance(form.refused, WrongPassword):
        record_refusal("password.refused", actor=current_user)
    if isinstance(form.refused, WrongCode):
        record_refusal("second_factor.refused", actor=current_user)
    return done


def who() -> dict[str, Any]:
    return {"key": _key(), "actor": current_user}


def _key() -> bytes:
    return derive_key(str(current_app.secret_key), "second factors")


def _settings() -> Any:
    return current_app.config["SETTINGS"]
