"""Mail: one interface. SMTP where it is configured; in demo mode .eml files under DATA_DIR/mail, shown at /demo/mailbox."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import current_app

from app.foundation import clock
from app.foundation.settings import Settings

TIMEOUT_SECONDS = 20


class AddressRefused(OSError):
    """The mail server takes nothing for this address. Its text names the server's answer and not the address: it is kept in a
    job's row, which is no school's own."""


class MailNotConfigured(Exception):
    """There is neither an SMTP server nor the demo's mailbox to hand a mail to."""


def send_mail(*, to: str, subject: str, text: str, key: str) -> None:
    """Hand one plain-text mail over.

    `key` makes its Message-ID: the same key twice is the same mail, so a repeated try is no second one.

    Raises MailNotConfigured, or OSError/smtplib.SMTPException when the server cannot be reached or refuses.
    """
    settings: Settings = current_app.config["SETTINGS"]
    message = compose(settings, to=to, subject=subject, text=text, key=key)
    if settings.smtp_url:
        _send_by_smtp(settings.smtp_url, message)
    elif settings.demo:
        _write_to_folder(mail_folder(settings), message, key)
    else:
        raise MailNotConfigured("no mail server is configured: set SMTP_URL")


def can_send_mail() -> bool:
    """Whether a mail can be handed over at all, so that none is promised in vain."""
    settings: Settings = current_app.config["SETTINGS"]
    return bool(settings.smtp_url or settings.demo)


def compose(settings: Settings, *, to: str, subject: str, text: str, key: str) -> EmailMessage:
    """The message as it is sent; header injection is refused by EmailMessage itself (ValueError)."""
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = format_datetime(clock.now())
    domain = parseaddr(settings.mail_from)[1].partition("@")[2] or "localhost"
    message["Message-ID"] = f"<{_digest(key)}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def absolute_url(endpoint: str, **values: Any) -> str:
    """The full address of a page, for mails and calendar files, inside a request and outside of one.

    It is built from the map of addresses alone: a request context made for it would end the session of the job in hand.
    """
    settings: Settings = current_app.config["SETTINGS"]
    address = urlsplit(settings.address)
    current_app.inject_url_defaults(endpoint, values)
    pages = current_app.url_map.bind(address.netloc, address.path or "/", url_scheme=address.scheme)
    return pages.build(endpoint, values, force_external=True)


def mail_folder(settings: Settings) -> Path:
    """Where the demo keeps its mail."""
    return settings.data_dir / "mail"


def _send_by_smtp(url: str, message: EmailMessage) -> None:
    """smtp://user:password@host:587 speaks STARTTLS where the server offers it, smtps:// TLS from the start."""
    parts = urlsplit(url)
    host, tls = parts.hostname or "localhost", ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=tls)
    else:
        server = smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT_SECONDS)
    with server:
        if parts.scheme != "smtps":
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=tls)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        try:
            server.send_message(message)
        except smtplib.SMTPRecipientsRefused as refused:
            answers = [f"{code} {_without(message['To'], words)}" for code, words in refused.recipients.values()]
            raise AddressRefused(f"the mail server refuses the address: {', '.join(answers)}") from None


def _without(address: str, words: bytes) -> str:
    return words.decode(errors="replace").replace(address, "…")


def _write_to_folder(folder: Path, message: EmailMessage, key: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{_digest(key)}.eml"
    if path.exists():
        return
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(message.as_bytes())
    unfinished.rename(path)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]
