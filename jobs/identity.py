"""Mails of identity, and the forgetting of imports that nobody carried out."""

from __future__ import annotations

from app.foundation.jobs import row_job
from app.identity.operations import imports, mails


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
def send_test_mail(about_user_id: int, number: int) -> None:
    mails.send_test_letter(about_user_id, number)
