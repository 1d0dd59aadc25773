"""Structured logs: one JSON object a line, each carrying the correlation id of the request or job it belongs to."""

from __future__ import annotations

import json
import logging
import re
import sys
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime

_correlation: ContextVar[str] = ContextVar("correlation_id", default="")
_SAFE_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_PLAIN = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def correlation_id() -> str:
    """The id that ties the lines, jobs and audit entries of one request together; empty outside of one."""
    return _correlation.get()


def begin_correlation(given: str | None = None) -> str:
    """Take over the id a caller sent if it is harmless, else make one."""
    value = given if given and _SAFE_ID.fullmatch(given) else uuid.uuid4().hex
    _correlation.set(value)
    return value


_to_json = json.JSONEncoder(default=str, ensure_ascii=False).encode


class JsonLines(logging.Formatter):
    """Renders a record and its `extra` fields as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if _correlation.get():
            line["correlation_id"] = _correlation.get()
        line.update((key, record.__dict__[key]) for key in record.__dict__.keys() - _PLAIN)
        if record.exc_info:
            line["exception"] = _without_content(self.formatException(record.exc_info), record.exc_info[1])
        return _to_json(line)


def _without_content(text: str, error: BaseException | None) -> str:
    """A trace without the rows and keys that PostgreSQL quotes in an error's DETAIL: they hold e-mails and names."""
    for one in _with_causes(error):
        told = getattr(getattr(one, "diag", None), "message_detail", None)
        if told:
            text = text.replace(told, "(left out)")
    return text


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that led to it; what SQLAlchemy wraps is its cause."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            waiting += [one.__cause__, one.__context__]
            yield one


def set_up_logs(level: str) -> None:
    """Send everything to standard output as JSON lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    # What no line of ours says, nor of gunicorn's (which names the process), need not be found out for each.
    logging._srcfile = None
    logging.logThreads = logging.logMultiprocessing = False
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("rq", "rq.worker", "rq.cron", "alembic"):
        logging.getLogger(noisy).setLevel("WARNING")
