"""The two addresses of the database: the owner's, who migrates, and the web role's, who is walled in."""

from __future__ import annotations

import ast
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from launcher.embedded import OWNER_ROLE, WEB_ROLE, Postgres, create_database, create_roles, libpq_url
from launcher.errors import LauncherError

DATABASE = "groundschool"
OLDEST_SERVER = 180000
CONNECT_TIMEOUT = 5  # seconds
LAST_SEED_STEP = "harbour/counts"


@dataclass(frozen=True)
class Addresses:
    """Both in SQLAlchemy's form."""

    web: str = field(repr=False)
    owner: str = field(repr=False)


def embedded_addresses(postgres: Postgres) -> Addresses:
    """Make the roles and the database in the embedded server, where they are missing."""
    create_roles(postgres.url())
    create_database(postgres.url(), DATABASE)
    return Addresses(web=postgres.url(WEB_ROLE, DATABASE), owner=postgres.url(OWNER_ROLE, DATABASE))


def given_addresses(environ: Mapping[str, str], data_dir: Path) -> Addresses:
    """Check the server that the person gave, and make the web role what it must be.

    DATABASE_URL alone is the owner's, and the web role's password is made here and kept in `data_dir`. Raises
    LauncherError with the remedy where the server, the owner or the web role will not do.
    """
    given = environ["DATABASE_URL"]
    owner = environ.get("OWNER_DATABASE_URL", "")
    if not owner:
        with _connected("DATABASE_URL", given) as cursor:
            _check_server(cursor, "DATABASE_URL")
            _check_owner(cursor, "DATABASE_URL")
            web = _make_web_role(cursor, given, data_dir / "web_password")
        return Addresses(web=_for_sqlalchemy(web), owner=_for_sqlalchemy(given))
    with _connected("OWNER_DATABASE_URL", owner) as cursor:
        _check_server(cursor, "OWNER_DATABASE_URL")
        _check_owner(cursor, "OWNER_DATABASE_URL")
        with _connected("DATABASE_URL", given) as web_cursor:
            name = _check_web_role(web_cursor)
        _let_in(cursor, name)
    return Addresses(web=_for_sqlalchemy(given), owner=_for_sqlalchemy(owner))


def schema_is_current(owner_url: str, migrations: Path) -> bool:
    """Whether the database stands at the one head of `migrations`; when in doubt, no. It runs no migration's code."""
    heads = _heads(migrations)
    if len(heads) != 1:
        return False
    with _connected("OWNER_DATABASE_URL", owner_url) as cursor:
        cursor.execute("SELECT to_regclass('public.alembic_version')")
        if cursor.fetchone() == (None,):
            return False
        cursor.execute("SELECT version_num FROM public.alembic_version")
        return {version for (version,) in cursor.fetchall()} == heads


def demo_is_seeded(owner_url: str) -> bool:
    """Whether the demo's seed, whose steps run in order, has come to its end once. The schema must be current."""
    with _connected("OWNER_DATABASE_URL", owner_url) as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM public.seed_step WHERE name = %s)", (LAST_SEED_STEP,))
        return bool(cursor.fetchone()[0])


def _heads(migrations: Path) -> set[str]:
    """The revisions that no other revision follows, as the files' `revision` and `down_revision` say."""
    revisions: set[str] = set()
    followed: set[str] = set()
    for file in (migrations / "versions").glob("*.py"):
        values = _top_level_values(file)
        revisions.add(values["revision"])
        before = values["down_revision"]
        followed.update([before] if isinstance(before, str) else before or [])
    return revisions - followed


def _top_level_values(file: Path) -> dict[str, Any]:
    """The values of `revision` and `down_revision`, which Alembic's template writes as plain literals."""
    values: dict[str, Any] = {}
    for line in ast.parse(file.read_text(encoding="utf-8")).body:
        target = (
            line.target
            if isinstance(line, ast.AnnAssign)
            else line.targets[0]
            if isinstance(line, ast.Assign)
            else None
        )
        if isinstance(target, ast.Name) and target.id in {"revision", "down_revision"}:
            assert isinstance(line, ast.Assign | ast.AnnAssign)
            assert line.value is not None
            values[target.id] = ast.literal_eval(line.value)
    return values


@contextmanager
def _connected(variable: str, url: str) -> Iterator[Any]:
    """A cursor on `url`, committed at the end; LauncherError, which names `variable`, where it does not answer."""
    import psycopg2  # type: ignore[import-untyped]

    if urlsplit(url).scheme.split("+")[0] not in {"postgres", "postgresql"}:
        raise LauncherError(f"{variable} must look like postgresql://user:password@host/database: correct it.")
    try:
        connection = psycopg2.connect(libpq_url(url), connect_timeout=CONNECT_TIMEOUT)
    except psycopg2.ProgrammingError:
        raise LauncherError(
            f"{variable} must look like postgresql://user:password@host/database: correct it (a password's "
            "special characters are written as %XX)."
        ) from None
    except psycopg2.OperationalError as error:
        reason = " ".join(str(error).split())
        raise LauncherError(
            f"{variable} does not answer ({reason}): start that PostgreSQL or correct the address, "
            "or leave DATABASE_URL out to use the embedded one."
        ) from None
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def _check_server(cursor: Any, variable: str) -> None:
    cursor.execute("SELECT current_setting('server_version_num')::int, current_setting('server_version')")
    number, name = cursor.fetchone()
    if number < OLDEST_SERVER:
        raise LauncherError(
            f"{variable} is a PostgreSQL {name}, and Groundschool needs 18 or newer: give the address of one, "
            "or leave DATABASE_URL out to use the embedded one."
        )


def _check_owner(cursor: Any, variable: str) -> None:
    """The owner must pass the row policies, or data migrations would silently change no row, and dumps would fail."""
    cursor.execute(
        "SELECT current_user, rolsuper OR rolbypassrls, has_schema_privilege('public', 'CREATE')"
        " FROM pg_roles WHERE rolname = current_user"
    )
    name, bypasses, creates = cursor.fetchone()
    if not bypasses:
        raise LauncherError(
            f"The role {name!r} of {variable} lacks BYPASSRLS, so its migrations and dumps would see no rows: "
            f'run ALTER ROLE "{name}" BYPASSRLS as a superuser.'
        )
    if not creates:
        raise LauncherError(
            f"The role {name!r} of {variable} may not make tables: as a superuser run "
            f'GRANT CREATE ON SCHEMA public TO "{name}" in that database.'
        )


def _check_web_role(cursor: Any) -> str:
    """Return the web role's name, or refuse one that no policy would hold."""
    cursor.execute("SELECT current_user, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    name, bypasses = cursor.fetchone()
    if bypasses:
        raise LauncherError(
            f"The role {name!r} of DATABASE_URL passes every row policy (superuser or BYPASSRLS), so nothing would "
            "part one school from another: give it a plain role, or leave OWNER_DATABASE_URL out and one is made."
        )
    return str(name)


def _make_web_role(cursor: Any, owner_url: str, password_file: Path) -> str:
    """Make the web role with the password kept in `password_file`, and return its address."""
    from psycopg2 import sql

    password = kept_secret(password_file)
    web_url = _with_user(owner_url, WEB_ROLE, password)
    if _can_connect(web_url):
        return web_url
    verb = "ALTER" if _exists(cursor, WEB_ROLE) else "CREATE"
    statement = (
        f"{verb} ROLE {{}} LOGIN NOBYPASSRLS PASSWORD {{}}" if verb == "CREATE" else "ALTER ROLE {} LOGIN PASSWORD {}"
    )
    _as_role_maker(cursor, sql.SQL(statement).format(sql.Identifier(WEB_ROLE), sql.Literal(password)))
    return web_url


def _let_in(cursor: Any, name: str) -> None:
    """Make a web role of another name a member of the one that migrations grant to."""
    from psycopg2 import sql

    if not _exists(cursor, WEB_ROLE):
        _as_role_maker(cursor, sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(WEB_ROLE)))
    if name == WEB_ROLE:
        return
    cursor.execute("SELECT pg_has_role(%s, %s, 'USAGE')", (name, WEB_ROLE))
    if cursor.fetchone() != (True,):
        _as_role_maker(cursor, sql.SQL("GRANT {} TO {}").format(sql.Identifier(WEB_ROLE), sql.Identifier(name)))


def _as_role_maker(cursor: Any, statement: Any) -> None:
    import psycopg2

    try:
        cursor.execute(statement)
    except psycopg2.errors.InsufficientPrivilege as error:
        reason = str(error).splitlines()[0]
        raise LauncherError(
            f"The owner's role may not make the web role ({reason}): grant it CREATEROLE, or make {WEB_ROLE} "
            "yourself and give both DATABASE_URL (its address) and OWNER_DATABASE_URL."
        ) from None


def _exists(cursor: Any, role: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
    return cursor.fetchone() is not None


def _can_connect(url: str) -> bool:
    import psycopg2

    try:
        psycopg2.connect(libpq_url(url), connect_timeout=CONNECT_TIMEOUT).close()
    except psycopg2.OperationalError:
        return False
    return True


def kept_secret(file: Path) -> str:
    """Return the secret in `file` (mode 0600), made at random where there is none."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if secret := file.read_text().strip():
            return secret
        file.unlink()  # Cut off between making and writing.
        return kept_secret(file)
    secret = secrets.token_urlsafe(48)
    with os.fdopen(descriptor, "w") as target:
        target.write(secret)
    return secret


def _with_user(url: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(user)}:{quote(password, safe='')}@{host}"))


def _for_sqlalchemy(url: str) -> str:
    return "postgresql+psycopg2://" + url.split("://", 1)[1]
