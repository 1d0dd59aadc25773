"""Reading the demo's mailbox: the .eml files that mail is written to instead of being sent."""

from __future__ import annotations

import heapq
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser
from pathlib import Path

MOST_MAILS = 100
NAME = re.compile(r"[0-9a-f]{32}")


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


def list_mails(folder: Path, *, limit: int = MOST_MAILS) -> list[Mail]:
    """The newest mails, newest first; none if nothing was ever sent."""
    newest = heapq.nlargest(limit, _files(folder))
    return [mail for _written, name in newest if (mail := _read(folder, name, headers_only=True))]


def find_mail(folder: Path, name: str) -> Mail | None:
    """One mail by its name, which is 32 hexadecimal digits: no other file can be named."""
    return _read(folder, name, headers_only=False) if NAME.fullmatch(name) else None


def _files(folder: Path) -> list[tuple[float, str]]:
    try:
        with os.scandir(folder) as entries:
            return [
                (entry.stat().st_mtime, entry.name[:-4])
                for entry in entries
                if entry.name.endswith(".eml") and NAME.fullmatch(entry.name[:-4]) and entry.is_file()
            ]
    except FileNotFoundError:
        return []


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
