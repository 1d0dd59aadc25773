"""Mail: the same key is the same mail, by SMTP or into the demo's folder; nothing is promised that cannot be sent."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask

from app.foundation.mail import MailNotConfigured, absolute_url, can_send_mail, mail_folder, send_mail
from app.foundation.settings import Settings
from tests.cast import at_school


class Postbox(socketserver.ThreadingTCPServer):
    """A small SMTP server that keeps what it is given."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.mails: list[EmailMessage] = []
        self.logins: list[str] = []
        self.refuses = False


class Conversation(socketserver.StreamRequestHandler):
    server: Postbox

    def handle(self) -> None:
        self.say("220 postbox")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "EHLO":
                self.say("250-postbox\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                self.server.logins.append(line.split()[-1])
                self.say("235 welcome")
            elif verb == "RCPT" and self.server.refuses:
                self.say(f"550 nobody here called {line.partition('<')[2].partition('>')[0]}")
            elif verb == "DATA":
                self.say("354 go on")
                self.server.mails.append(self.read_mail())
                self.say("250 kept")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 fine")

    def read_mail(self) -> EmailMessage:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return message_from_bytes(b"".join(lines), policy=policy.default)  # type: ignore[return-value]

    def say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    with Postbox() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def configured(the_app: Flask, tmp_path: Path) -> Iterator[Flask]:
    """The application with settings of this test's own: `configured.config["SETTINGS"] = …`."""
    before: Settings = the_app.config["SETTINGS"]
    the_app.config["SETTINGS"] = replace(
        before, data_dir=tmp_path, demo=False, mail_from="School <no-reply@sky.example>"
    )
    with the_app.app_context():
        yield the_app
    the_app.config["SETTINGS"] = before


def use(app: Flask, **over: object) -> None:
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], **over)


def send(key: str = "k", **over: str) -> None:
    send_mail(**{"to": "leo@skyline.example", "subject": "Wind – 27", "text": "Grüße\n.\nend\n", "key": key, **over})


def test_smtp_delivers_words_and_headers(configured: Flask, postbox: Postbox) -> None:
    use(configured, smtp_url=f"smtp://user:p%40ss@127.0.0.1:{postbox.server_address[1]}")
    send()
    (mail,) = postbox.mails
    assert mail["Subject"] == "Wind – 27"
    assert mail["To"] == "leo@skyline.example"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@sky.example>")
    assert mail.get_content().splitlines() == ["Grüße", ".", "end"]
    assert len(postbox.logins) == 1


def test_the_same_key_is_the_same_mail(configured: Flask, postbox: Postbox) -> None:
    use(configured, smtp_url=f"smtp://127.0.0.1:{postbox.server_address[1]}")
    for key in ("one", "one", "two"):
        send(key)
    ids = [mail["Message-ID"] for mail in postbox.mails]
    assert ids[0] == ids[1] != ids[2]
    assert postbox.logins == []


def test_a_refusal_is_told(configured: Flask, postbox: Postbox) -> None:
    postbox.refuses = True
    use(configured, smtp_url=f"smtp://127.0.0.1:{postbox.server_address[1]}")
    with pytest.raises(OSError, match="550 nobody here") as told:
        send()
    assert "leo@" not in str(told.value)


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_server_that_is_not_there_is_told(configured: Flask, scheme: str) -> None:
    from tests.live import free_port

    use(configured, smtp_url=f"{scheme}://127.0.0.1:{free_port()}")
    with pytest.raises(OSError, match="refused"):
        send()


def test_the_demo_keeps_mail_in_a_folder_once(configured: Flask) -> None:
    use(configured, demo=True)
    send("one")
    send("one", subject="Again")
    send("two")
    files = sorted(mail_folder(configured.config["SETTINGS"]).iterdir())
    assert len(files) == 2
    assert all(len(file.stem) == 32 and file.suffix == ".eml" for file in files)
    mails = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    assert {mail["Subject"] for mail in mails} == {"Wind – 27"}


def test_without_either_nothing_is_promised(configured: Flask) -> None:
    assert not can_send_mail()
    with pytest.raises(MailNotConfigured, match="SMTP_URL"):
        send()
    use(configured, demo=True)
    assert can_send_mail()


@pytest.mark.parametrize("field", ["to", "subject"])
def test_headers_cannot_be_injected(configured: Flask, field: str) -> None:
    use(configured, demo=True)
    with pytest.raises(ValueError, match="linefeed"):
        send(**{field: "x\r\nBcc: everybody@harbour.example"})


def test_addresses_in_mails_are_whole(configured: Flask) -> None:
    use(configured, base_url="https://school.example/")
    assert absolute_url("identity.session_new") == "https://school.example/login"
    with at_school("skyline"):
        assert absolute_url("tenants.stuck_work_index") == "https://school.example/skyline/stuck-work"
