"""Mails of identity, and the cleaning up after sessions."""

from __future__ import annotations

import logging

from app.foundation import tenancy
from app.foundation.db import unit_of_work
from app.foundation.jobs import row_job
from app.identity.operations import imports, mails, sessions

log = logging.getLogger(__name__)


@row_job
def send_link_mail(link_id: int) -> None:
    mails.send_link_mail(link_id)


@row_job
def send_notice_mail(notice: str, about_user_id: int, number: int) -> None:
    mails.send_notice_mail(notice, about_user_id, number)


@row_job
def forget_import(import_id: int) -> None:
    imports.forget_import(import_id)


@row_job
def send_erasure_request(member_id: int, number: int) -> None:
    mails.send_erasure_request(member_id, number)


@row_job
def send_test_mail(about_user_id: int, number: int) -> None:
    mails.send_test_letter(about_user_id, number)


def forget_ended_sessions() -> None:
    """Each night: sessions that ended a month ago."""
    with tenancy.tenant_scope(None), unit_of_work():
        gone = sessions.forget_ended_sessions()
    log.info("ended sessions forgotten", extra={"count": gone})
