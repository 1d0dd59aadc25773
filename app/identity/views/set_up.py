"""The first school of an empty instance: until it is there, every page says that it is not."""

from __future__ import annotations

from typing import Any

from flask import Flask, url_for
from flask_babel import gettext as _

from app.foundation import limits, tenancy
from app.foundation.db import mark_rollback
from app.foundation.permissions import public
from app.foundation.replies import page, reply
from app.identity.forms.registration import SetUpForm
from app.identity.operations.accounts import set_up
from app.identity.queries import find_link, find_user_by_email, is_without_school
from app.identity.rules import Purpose, password_matches
from app.identity.views import bp
from app.identity.views.registration import link_gone
from app.identity.views.sessions import let_in, settings

OPEN_BEFORE = frozenset(
    {"assets.show", "health.healthz", "health.readyz", "health.show_metrics", "theme_update"}
    | {"identity.set_up_new", "identity.set_up_create"}
)
"""What an empty instance answers."""


class SetUpNeeded(Exception):
    """There is no school yet."""


def ask_for_set_up(app: Flask) -> None:
    """Outside the demo, look once whether there is a school, before any school is looked for in the address."""
    app.extensions["set_up"] = app.config["SETTINGS"].demo

    @app.url_value_preprocessor
    def is_set_up(endpoint: str | None, _values: Any) -> None:
        if app.extensions["set_up"] or endpoint in OPEN_BEFORE:
            return
        tenancy.enter(None)
        if is_without_school():
            raise SetUpNeeded
        app.extensions["set_up"] = True


@bp.app_errorhandler(SetUpNeeded)
def say_not_set_up(_error: SetUpNeeded) -> Any:
    mark_rollback()
    return page("identity/not_set_up.html", status=503)


@bp.get("/setup/<token>")
@public("whoever can read what the first start printed")
def set_up_new(token: str) -> Any:
    if find_link(token, Purpose.SET_UP) is None:
        return link_gone()
    return page("identity/set_up.html", form=SetUpForm(), token=token)


@bp.post("/setup/<token>")
@public("whoever can read what the first start printed")
def set_up_create(token: str) -> Any:
    limits.spend(settings().registration_limit, "set-up")
    if find_link(token, Purpose.SET_UP) is None:
        return link_gone()
    form = SetUpForm()
    made = form.carry_out(
        lambda: set_up(
            token, slug=form.slug.data or "", school=form.school.data or "", zone=form.zone.data or "",
            name=form.name.data or "", email=form.email.data or "", password=form.password.data or "",
            cost=settings().bcrypt_cost,
        )
    )  # fmt: skip
    if made:
        user = find_user_by_email(form.email.data or "")
        if user and password_matches(form.password.data or "", user.password_hash or "") and not user.totp_confirmed_at:
            let_in(user, is_remembered=False)
            return reply(f"/{made.slug}/", said=_("%(school)s is there.", school=made.name))
        said = _("%(school)s is there. Sign in to it.", school=made.name)
        return reply(url_for("identity.session_new", tenant=made.slug), said=said)
    return (
        page("identity/set_up.html", form=form, token=token, status=form.status) if form.status != 200 else link_gone()
    )
