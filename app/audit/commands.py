"""`flask audit …`: verify the chains, export one, change the key of encrypted addresses."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TextIO

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import create_engine

from app.audit.operations import keys_of_app, record_export
from app.audit.operations import rotate_keys as rotate
from app.audit.queries import Head, find_links_between, list_schools, stream_chain, verify_chain
from app.audit.rules import end_of_day, start_of_day
from app.foundation import tenancy
from app.foundation.actor import SYSTEM
from app.foundation.db import session, unit_of_work
from app.foundation.tenancy import TenantRef

DAY = click.DateTime(formats=["%Y-%m-%d"])
group = AppGroup("audit", help="The audit trail: verify its chains, export one, change its keys.")


@group.command("verify")
@click.option("--tenant", help="The slug of one school; all schools if left out.")
@click.option("--head", "kept", help="SEQ:HASH as it was logged or noted down: the chain must run through it.")
def verify(tenant: str | None, kept: str | None) -> None:
    """Walk the chains and name the first broken link of each. Exit code 1 if there is one."""
    if kept and not tenant:
        raise click.UsageError("--head is of one school: name it by --tenant.")
    head = _head(kept)
    verdicts = [_verify(school, head) for school in _schools(tenant)]
    if not all(verdicts):
        raise click.exceptions.Exit(1)


@group.command("export")
@click.option("--tenant", required=True, help="The slug of the school.")
@click.option("--from", "first", type=DAY, help="The first day, in the school's zone: 2026-11-01.")
@click.option("--to", "last", type=DAY, help="The last day, in the school's zone.")
@click.argument("file", type=click.File("w", encoding="utf-8", lazy=True))
def export(tenant: str, first: datetime | None, last: datetime | None, file: TextIO) -> None:
    """Write a school's chain to FILE ("-" for standard output), one JSON object a link, for docs/operations/verify_audit.py."""
    (school,) = _schools(tenant)
    with tenancy.tenant_scope(school), unit_of_work():
        record_export("jsonl", [name for name, day in (("since", first), ("until", last)) if day], actor=SYSTEM)
    with tenancy.tenant_scope(school), unit_of_work():
        _one_snapshot()
        bounds = find_links_between(
            start_of_day(first.date(), school.zone) if first else None,
            end_of_day(last.date(), school.zone) if last else None,
        )
        count = file.write("")  # Also an empty export begins the file anew.
        for link, entry, previous in stream_chain(*bounds):
            line = {
                "seq": link.seq,
                "previous": previous.hex(),
                "hash": link.hash.hex(),
                "entry": entry,
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            count += 1
    click.echo(f"{tenant}: {count} links were written.", err=True)


@group.command("rotate-keys")
@click.option("--batch", default=1000, show_default=True, help="Rows a transaction.")
def rotate_keys(batch: int) -> None:
    """Encrypt every address under the newest key of AUDIT_KEYS. Runs as the owner's role; may be stopped and begun again."""
    settings = current_app.config["SETTINGS"]
    ring = keys_of_app()
    owner = create_engine(settings.owner_database_url or settings.database_url)
    try:
        rotation = rotate(owner, ring, batch=batch)
    finally:
        owner.dispose()
    click.echo(f"{rotation.rotated} addresses are now under the key {ring.newest_id}.")
    for key_id, rows in rotation.unreadable.items():
        click.echo(f"{rows} addresses stay under {key_id}, which is not in AUDIT_KEYS.", err=True)
    if rotation.unreadable:
        raise click.exceptions.Exit(1)


def _verify(school: TenantRef, kept: Head | None) -> bool:
    with tenancy.tenant_scope(school), unit_of_work():
        _one_snapshot()
        verdict = verify_chain(kept)
    until = f", until {verdict.sealed_at:%Y-%m-%d %H:%M:%S} UTC" if verdict.sealed_at else ""
    click.echo(
        f"{school.slug}: {verdict.sealed.seq} links hold{until}. Head {verdict.sealed.seq}:{verdict.sealed.hash.hex()}"
    )
    if (fault := verdict.fault) is None:
        return True
    entry = f", entry {fault.entry_id}" if fault.entry_id else ""
    click.echo(f"{school.slug}: BROKEN at link {fault.seq}{entry}: {fault.kind}: {fault.sentence}.")
    return False


def _one_snapshot() -> None:
    """Entries that are being written meanwhile are either whole or absent."""
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    session.connection().exec_driver_sql("set local statement_timeout = 0")


def _schools(slug: str | None) -> list[TenantRef]:
    with tenancy.tenant_scope(None), unit_of_work():
        schools = [school for school in list_schools() if slug in (None, school.slug)]
    if slug and not schools:
        raise click.ClickException(f"There is no school at “{slug}”.")
    return schools


def _head(text: str | None) -> Head | None:
    if text is None:
        return None
    seq, _colon, spelled = text.partition(":")
    try:
        return Head(int(seq), bytes.fromhex(spelled))
    except ValueError as error:
        raise click.UsageError("--head must read like 1042:9f86d0….") from error
