"""Settings: one frozen object, read from the environment once and validated at start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from limits import parse

from app.foundation.crypto import parse_keys
from app.foundation.proxies import parse_networks

SHORTEST_SECRET = 32
DEFAULT_SECRETS = {"change-me", "changeme", "secret", "dev", "development", "groundschool"}


class BadSetting(Exception):
    """A setting is missing or wrong; its text is one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of the application. `ENV_NAMES` lists the variables; .env.example explains them."""

    database_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    demo: bool = False
    owner_database_url: str = field(default="", repr=False)
    redis_url: str = field(default="redis://127.0.0.1:6379/0", repr=False)
    data_dir: Path = Path("var")
    host: str = "127.0.0.1"
    port: int = 8000
    base_url: str = ""
    web_concurrency: int = 2
    web_threads: int = 8
    metrics_token: str = field(default="", repr=False)
    prometheus_multiproc_dir: Path | None = None
    smtp_url: str = field(default="", repr=False)
    mail_from: str = "Groundschool <no-reply@localhost>"
    support_email: str = ""
    log_level: str = "INFO"
    max_post_bytes: int = 2_000_000
    bcrypt_cost: int = 12
    trusted_proxies: str = ""
    audit_keys: str = field(default="", repr=False)
    sign_in_limit: str = "10 per 15 minutes"
    sign_in_address_limit: str = "100 per 15 minutes"
    registration_limit: str = "20 per hour"
    reset_limit: str = "20 per hour"
    email_change_limit: str = "5 per hour"
    booking_request_limit: str = "30 per hour"
    session_idle_hours: int = 12
    session_days: int = 14
    remembered_days: int = 60

    @property
    def address(self) -> str:
        """The address people reach us at, without a trailing slash; mails and calendar files carry it."""
        return (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")


ENV_NAMES: dict[str, str] = {f.name: f.name.upper() for f in fields(Settings)}


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and validate the settings; raises BadSetting with a sentence that names the variable and the remedy."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        text = environ.get(ENV_NAMES[setting.name], "").strip()
        if text:
            values[setting.name] = _parse(setting.name, str(setting.type), text)
    if "database_url" not in values:
        raise BadSetting("DATABASE_URL is not set: start with bin/run, or give the URL of a PostgreSQL 18 database.")
    values["database_url"] = normal_database_url(values["database_url"])
    if values.get("owner_database_url"):
        values["owner_database_url"] = normal_database_url(values["owner_database_url"])
    _check_secret(values)
    _check_limits(values)
    _check_audit_keys(values)
    return Settings(**values)


def normal_database_url(url: str) -> str:
    """The URL with the driver named, whichever of the usual spellings was given."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in {"postgres", "postgresql"}:
        raise BadSetting("DATABASE_URL must begin with postgresql:// because Groundschool runs on PostgreSQL only.")
    return f"postgresql+psycopg2://{rest}"


def _parse(name: str, kind: str, text: str) -> Any:
    if kind == "bool":
        if text.lower() not in {"0", "1", "true", "false", "yes", "no"}:
            raise BadSetting(f"{ENV_NAMES[name]} must be 1 or 0, not {text!r}.")
        return text.lower() in {"1", "true", "yes"}
    if kind == "int":
        if not text.isdigit() or int(text) < 1:
            raise BadSetting(f"{ENV_NAMES[name]} must be a whole number above zero, not {text!r}.")
        return int(text)
    return Path(text).absolute() if kind.startswith("Path") else text


def _check_secret(values: dict[str, Any]) -> None:
    secret = values.setdefault("secret_key", "")
    if values.get("demo"):
        if not secret:
            raise BadSetting("SECRET_KEY is not set: bin/run makes one for the demo and keeps it in DATA_DIR.")
        return
    if secret.lower() in DEFAULT_SECRETS or len(secret) < SHORTEST_SECRET or len(set(secret)) < 8:
        raise BadSetting(
            f"SECRET_KEY must be at least {SHORTEST_SECRET} random characters outside demo mode: "
            'make one with `python3 -c "import secrets; print(secrets.token_urlsafe(48))"`.'
        )


def _check_limits(values: dict[str, Any]) -> None:
    for name, text in values.items():
        if name.endswith("_limit"):
            try:
                parse(text)
            except ValueError as error:
                raise BadSetting(f"{ENV_NAMES[name]} must read like “10 per 15 minutes”, not {text!r}.") from error
    try:
        parse_networks(values.get("trusted_proxies", ""))
    except ValueError as error:
        raise BadSetting(
            "TRUSTED_PROXIES must list addresses or networks, like 10.0.0.0/8, separated by commas."
        ) from error


def _check_audit_keys(values: dict[str, Any]) -> None:
    try:
        parse_keys(values.get("audit_keys", ""))
    except ValueError as error:
        raise BadSetting(
            f"AUDIT_KEYS must read like “2027:<base64 of 32 bytes>,2026:<…>”, newest first, but {error}: "
            'make a key with `python3 -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())"`.'
        ) from error
