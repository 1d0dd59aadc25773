"""Encryption of small values: AES-256-GCM under keys that are derived from the secret key, one for each purpose."""

from __future__ import annotations

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12


class Unreadable(Exception):
    """A value was encrypted with another key, for another place, or was changed since."""


def derive_key(secret: str, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose ("audit addresses"): HKDF-SHA256 (RFC 5869) of a long random secret."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"groundschool {purpose}".encode()).derive(secret.encode())


def encrypt(plain: bytes, key: bytes, *, bound_to: str) -> bytes:
    """Nonce and ciphertext. `bound_to` names whose value it is, so that a copy in another's row cannot be read."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to.encode())


def decrypt(cipher: bytes, key: bytes, *, bound_to: str) -> bytes:
    """What `encrypt` was given; raises Unreadable."""
    try:
        return AESGCM(key).decrypt(cipher[:NONCE_BYTES], cipher[NONCE_BYTES:], bound_to.encode())
    except (InvalidTag, ValueError) as error:
        raise Unreadable("the value cannot be decrypted with this key") from error


def parse_keys(text: str) -> tuple[tuple[str, bytes], ...]:
    """Keys written as "id:base64,id:base64", newest first. Raises ValueError where an id is doubled or a key has not 32 bytes."""
    keys = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        key_id, _colon, encoded = part.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise ValueError(f"the key “{key_id}” is not base64") from error
        if not 1 <= len(key_id) <= 40 or len(key) != KEY_BYTES:
            raise ValueError(f"the key “{key_id}” needs an id of 1 to 40 characters and {KEY_BYTES} bytes")
        keys.append((key_id, key))
    if len(dict(keys)) != len(keys):
        raise ValueError("two keys have the same id")
    return tuple(keys)
