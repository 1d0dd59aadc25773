"""Reading the demo's mailbox: the .eml files that mail is written to instead of being sent."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser
from functools import lru_cache
from pathlib import Path

from app.foundation.formats import sort_key
from app.foundation.pages import Page, paginate_rows

NAME = re.compile(r"[0-9a-f]{32}")
MOST_KEPT = 4096


@dataclass(frozen=True)
class Mail:
    """One mail. `sent_at` is when it was written; `text` is its plain body, empty where only headers were read."""

    name: str
    to: str
    sender: str
    subject: str
    message_id: str
    sent_at: datetime
    text: str = ""


def list_mails(folder: Path, *, search: str = "", cursor: str = "") -> Page[Mail]:
    """A page of the mails, newest first, with `search` in their address or subject; none if nothing was ever sent."""
    files = _files(folder)
    if search:
        wanted = sort_key(search)
        files = [file for file in files if (mail := _headers(folder, *file)) and wanted in _searched(mail)]
    found = paginate_rows(files, lambda file: (-file[0], file[1]), (int, str), cursor=cursor)
    return Page([mail for file in found.rows if (mail := _headers(folder, *file))], found.before, found.after)


def find_mail(folder: Path, name: str) -> Mail | None:
    """One mail by its name, which is 32 hexadecimal digits: no other file can be named."""
    return _read(folder, name, headers_only=False) if NAME.fullmatch(name) else None


def _files(folder: Path) -> list[tuple[int, str]]:
    """When each mail was written, in nanoseconds, and its name."""
    try:
        with os.scandir(folder) as entries:
            return [
                (entry.stat().st_mtime_ns, entry.name[:-4])
                for entry in entries
                if entry.name.endswith(".eml") and NAME.fullmatch(entry.name[:-4]) and entry.is_file()
            ]
    except FileNotFoundError:
        return []


@lru_cache(maxsize=MOST_KEPT)
def _headers(folder: Path, _written: int, name: str) -> Mail | None:
    """What the list shows of a mail. A file that is there is never written again, so what was read once is kept."""
    return _read(folder, name, headers_only=True)


def _searched(mail: Mail) -> str:
    return sort_key(f"{mail.to}\n{mail.subject}")


def _read(folder: Path, name: str, *, headers_only: bool) -> Mail | None:
    path = folder / f"{name}.eml"
    try:
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        message = BytesParser(policy=policy.default).parsebytes(path.read_bytes(), headers_only)
    except FileNotFoundError:
        return None
    body = None if headers_only else message.get_body(("plain",))
    return Mail(
        name=name,
        to=message.get("To", ""),
        sender=message.get("From", ""),
        subject=message.get("Subject", ""),
        message_id=message.get("Message-ID", ""),
        sent_at=written,
        text=body.get_content() if body else "",
    )
