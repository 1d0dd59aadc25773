"""Pure computation about identities: passwords, their hashes, session tokens and links."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

import bcrypt
import pyotp
from flask_babel import gettext as _

TOKEN_BYTES = 32
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 128
SUSPENDED = "suspended"
"""Why sessions ended, of somebody whom no school lets in any more."""


class Purpose(StrEnum):
    """What a one-use link does."""

    CONFIRM_EMAIL = "confirm_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 — a purpose, not a password
    INVITATION = "invitation"
    CHANGE_EMAIL = "change_email"
    SET_UP = "set_up"


LINK_LIVES = {
    Purpose.CONFIRM_EMAIL: timedelta(days=3),
    Purpose.RESET_PASSWORD: timedelta(hours=2),
    Purpose.INVITATION: timedelta(days=14),
    Purpose.CHANGE_EMAIL: timedelta(days=3),
    Purpose.SET_UP: timedelta(days=36_500),
}
"""How long a link works. The one of an empty instance works until it is used."""


def password_problem(password: str, email: str = "") -> str | None:
    """What is wrong with a password that somebody wants to have, as a sentence; None if nothing is."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return _("Use %(least)s to %(most)s characters.", least=SHORTEST_PASSWORD, most=LONGEST_PASSWORD)
    if email and password.strip().lower() in {email.strip().lower(), email.partition("@")[0].strip().lower()}:
        return _("This is your e-mail address. Choose something that nobody can look up.")
    if password.strip().lower() in _common_passwords() or len(set(password)) == 1:
        return _("This is one of the passwords that are tried first. Choose a longer or less usual one.")
    return None


@lru_cache(maxsize=1)
def _common_passwords() -> frozenset[str]:
    """The 30,000 most used ones. Loaded when the first password is chosen: the list is a megabyte."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])


def plain_address(email: str) -> str:
    """An e-mail address as it is kept. Kept as typed, it would tell the next who types it otherwise that it was there before."""
    return email.strip().lower()


def address_problem(email: str) -> str | None:
    """What is wrong with a text as an e-mail address that can be written to, as a sentence; None if nothing is.

    Only ASCII will do: of other letters the database and Python do not agree which are the same in small, and one address would
    be two people's. Addresses below .invalid (RFC 2606) are those of the erased.
    """
    name, at, domain = email.rpartition("@")
    if not (name and at and "." in domain.strip(".")) or any(ord(c) <= 32 or c in ',;<>()"' for c in email):
        return _("This does not read like an e-mail address. It looks like name@school.org.")
    if not email.isascii():
        return _(
            "Write the e-mail address with the letters a to z, without accents; a domain that has others begins with xn--."
        )
    if domain.lower().rstrip(".").endswith(".invalid"):
        return _("No mail arrives below “.invalid”. Give an address that can be written to.")
    return None


def hash_password(password: str, *, cost: int) -> str:
    """A bcrypt hash (https://www.usenix.org/legacy/events/usenix99/provos.html). `cost` is the base-2 logarithm of the rounds.

    The password is hashed by SHA-256 first, because bcrypt reads 72 bytes at most.
    """
    return bcrypt.hashpw(_shortened(password), bcrypt.gensalt(cost)).decode()


def cost_of(hashed: str) -> int:
    """The cost at which a hash was made: 12 of "$2b$12$…"."""
    return int(hashed.split("$")[2])


def password_matches(password: str, hashed: str) -> bool:
    """Whether this is the password of that hash."""
    return bcrypt.checkpw(_shortened(password), hashed.encode())


def new_token() -> str:
    """A secret for one browser: 256 random bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> str:
    """What is stored of a token. It is random, so a plain SHA-256 is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def _shortened(password: str) -> bytes:
    return base64.b64encode(hashlib.sha256(password.encode()).digest())


# -- second factor -------------------------------------------------------------------------------------------------

STEP_SECONDS = 30
RECOVERY_CODES = 10
RECOVERY_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
RECOVERY_LENGTH = 16


def new_totp_secret() -> str:
    """A secret for an authenticator app (RFC 6238): 160 random bits in base 32."""
    return pyotp.random_base32()


def totp_address(secret: str, *, email: str) -> str:
    """What an authenticator app reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name="Groundschool")


def fitting_step(secret: str, code: str, *, at: datetime) -> int | None:
    """The 30-second step whose code this is: the present one or its neighbors, for clocks that differ. None if it fits none."""
    typed, now = "".join(code.split()).encode(), int(at.timestamp()) // STEP_SECONDS
    codes = {step: pyotp.HOTP(secret).at(step).encode() for step in (now + 1, now, now - 1)}
    return next((step for step, fits in codes.items() if hmac.compare_digest(fits, typed)), None)


def new_recovery_codes() -> list[str]:
    """Ten codes of 79 bits, in groups of four: "k3fm-…". A plain hash of one is enough."""
    return ["-".join(_letters(4) for _ in range(RECOVERY_LENGTH // 4)) for _ in range(RECOVERY_CODES)]


def recovery_hash(code: str) -> str:
    """What is stored of a recovery code, however its groups were typed."""
    return token_hash("".join(c for c in code.lower() if c.isalnum()))


def _letters(count: int) -> str:
    return "".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(count))


# -- words ---------------------------------------------------------------------------------------------------------


def standing_words() -> dict[str, str]:
    """How each status of a member reads."""
    return {
        "active": _("Active"),
        "pending": _("Waiting"),
        "invited": _("Invited"),
        "suspended": _("Suspended"),
        "declined": _("Declined"),
        "erased": _("Erased"),
    }


def role_words() -> dict[str, str]:
    """How each role reads."""
    return {
        "learner": _("Learner"),
        "instructor": _("Instructor"),
        "author": _("Author"),
        "manager": _("Manager"),
        "admin": _("Admin"),
    }


BROWSERS = (
    ("Edg/", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"), ("Chrome/", "Chrome"), ("CriOS/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"), ("Linux", "Linux"),
)  # fmt: skip
"""What a user agent contains and what it is called. The first that fits counts: all claim to be several."""


def device_words(user_agent: str) -> str:
    """A device as its owner would name it: "Firefox on Windows"."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or system or _("An unknown device")
