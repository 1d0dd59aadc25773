"""Mailing notifications."""

from __future__ import annotations

from app.foundation.jobs import row_job
from app.notifications import operations


@row_job
def mail_notification(notification_id: int) -> None:
    operations.mail_notification(notification_id)
