"""The monthly partitions, made ahead: each night, and when a worker starts, which may be after months."""

from __future__ import annotations

import logging

from sqlalchemy.exc import SQLAlchemyError

from app.foundation import partitions, tenancy
from app.foundation.db import session, unit_of_work

log = logging.getLogger(__name__)


def make_months_ahead() -> None:
    """Make the partitions of this month and the next three, where they are missing."""
    with tenancy.tenant_scope(None), unit_of_work():
        partitions.make_months_ahead(session.connection())


def make_months_at_start() -> None:
    """The same, for a process that must start without its database too: it is made up for each night."""
    try:
        make_months_ahead()
    except SQLAlchemyError as error:
        log.warning("no month could be made ahead", extra={"reason": type(error).__name__})
