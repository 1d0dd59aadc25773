"""How often signing in may fail, at the password and at the code: from an address, and in a browser that is known."""

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

COOKIE = "groundschool_known"
COOKIE_DAYS = 400
MOST_ACCOUNTS = 8
"""A browser is known to the last few accounts that signed in with it."""


@dataclass(frozen=True)
class Tries:
    """What a sign-in that fails uses up. Each count is a limit and whose it is."""

    own: tuple[str, ...]
    shared: tuple[str, ...] | None = None

    def spend(self) -> None:
        """Use one up before any password is hashed; refuse (429) if none is left."""
        limits.spend(*self.own)
        try:
            if self.shared:
                limits.spend(*self.shared)
        except limits.TooMany:
            limits.give_back(*self.own)
            raise

    def succeeded(self) -> None:
        """It was no failure: the person's own count begins anew, and what others count on too is given back."""
        limits.forget(*self.own)
        if self.shared:
            limits.give_back(*self.shared)


def tries_for(email: str) -> Tries:
    """The counts for signing in to an account from this browser.

    A browser that signed in to the account before has a count of its own: no stranger, also behind the same address, can
    use up the tries of the person.
    """
    settings, account, address = current_app.config["SETTINGS"], _account(email), client_network()
    if device := _known_device(account):
        return Tries((settings.sign_in_limit, "sign-in-known", account, device))
    return Tries(
        (settings.sign_in_limit, "sign-in", account, address),
        (settings.sign_in_address_limit, "sign-in-address", address),
    )


def code_tries_for(email: str) -> Tries:
    """The counts for the second page of signing in. Whoever stands there knows the password.

    A browser that is known has a count of its own here too. All that are not share one for the account, whatever their
    addresses: of six digits, one who has thousands of addresses would find the right ones.
    """
    settings, account, address = current_app.config["SETTINGS"], _account(email), client_network()
    if device := _known_device(account):
        return Tries((settings.sign_in_limit, "code-known", account, device))
    return Tries(
        (settings.sign_in_limit, "code", account, address),
        (settings.sign_in_address_limit, "code-account", account),
    )


def client_network() -> str:
    """Whom the address that asks is counted as."""
    return network_of(request.remote_addr or "")


def know_device(email: str) -> None:
    """Have this browser keep, signed, that it signed in to the account."""
    known, account = _read(), _account(email)
    accounts = [account, *(other for other in known["accounts"] if other != account)][:MOST_ACCOUNTS]
    value = _serializer().dumps({"device": known["device"] or new_token(), "accounts": accounts})

    @after_this_request
    def keep(response: Response) -> Response:
        response.set_cookie(
            COOKIE, value, max_age=COOKIE_DAYS * 86_400, httponly=True, samesite="Lax",
            secure=current_app.config["SESSION_COOKIE_SECURE"], path="/",
        )  # fmt: skip
        return response


def _known_device(account: str) -> str:
    """This browser's name, if it signed in to the account before; else nothing."""
    known = _read()
    return str(known["device"]) if account in known["accounts"] else ""


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
