"""Pure computation about identities: password hashes and session tokens."""

from __future__ import annotations

import base64
import hashlib
import secrets

import bcrypt

TOKEN_BYTES = 32


def hash_password(password: str, *, cost: int) -> str:
    """A bcrypt hash (https://www.usenix.org/legacy/events/usenix99/provos.html). `cost` is the base-2 logarithm of the rounds.

    The password is hashed by SHA-256 first, because bcrypt reads 72 bytes at most.
    """
    return bcrypt.hashpw(_shortened(password), bcrypt.gensalt(cost)).decode()


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
