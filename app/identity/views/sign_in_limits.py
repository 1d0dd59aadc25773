"""How often signing in may fail: for an account from an address, for an address, and for a browser that is known."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from flask import Response, after_this_request, current_app, request
from itsdangerous import BadSignature, URLSafeSerializer

from app.foundation import limits
from app.foundation.crypto import derive_key
from app.foundation.proxies import network_of
from app.identity.rules import new_token

COOKIE = "groundschool_device"
COOKIE_DAYS = 400
MOST_ACCOUNTS = 8
"""A browser is known to the last few accounts that signed in with it."""


@dataclass(frozen=True)
class Tries:
    """What a sign-in that fails uses up. Each count is a limit and whose it is."""

    own: tuple[str, ...]
    shared: tuple[str, ...] | None

    def check(self) -> None:
        """Refuse (429) before any password is hashed."""
        limits.check(*self.own)
        if self.shared:
            limits.check(*self.shared)

    def failed(self) -> None:
        limits.count(*self.own)
        if self.shared:
            limits.count(*self.shared)

    def succeeded(self) -> None:
        limits.forget(*self.own)


def tries_for(email: str) -> Tries:
    """The counts for signing in to an account from this browser.

    A browser that signed in to the account before has a count of its own: no stranger, also behind the same address, can
    use up the tries of the person.
    """
    settings, account, known = current_app.config["SETTINGS"], _account(email), _read()
    if account in known["accounts"]:
        return Tries((settings.sign_in_limit, "sign-in-known", account, str(known["device"])), None)
    address = network_of(request.remote_addr or "")
    return Tries(
        (settings.sign_in_limit, "sign-in", account, address),
        (settings.sign_in_address_limit, "sign-in-address", address),
    )


def know_device(email: str) -> None:
    """Have this browser keep, signed, that it signed in to the account."""
    known, account = _read(), _account(email)
    accounts = [account, *(other for other in known["accounts"] if other != account)][:MOST_ACCOUNTS]
    value = _serializer().dumps({"device": known["device"] or new_token(), "accounts": accounts})

    @after_this_request
    def keep(response: Response) -> Response:
        response.set_cookie(
            COOKIE, value, max_age=COOKIE_DAYS * 86_400, httponly=True, samesite="Lax",
            secure=current_app.config["SESSION_COOKIE_SECURE"], path="/login",
        )  # fmt: skip
        return response


def _read() -> dict[str, Any]:
    try:
        known = _serializer().loads(request.cookies.get(COOKIE, ""))
        return {"device": known["device"], "accounts": list(known["accounts"])}
    except (BadSignature, KeyError, TypeError):
        return {"device": "", "accounts": []}


def _account(email: str) -> str:
    """A name for the account that tells whoever reads the cookie nothing."""
    key = derive_key(str(current_app.secret_key), "known devices")
    return hmac.new(key, email.strip().lower().encode(), hashlib.sha256).hexdigest()


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="known-device")
