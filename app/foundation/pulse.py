"""PostgreSQL that hangs instead of ending: a thread in each web process notices its silence and cuts what waits for it.

A frozen machine or a disk that does not answer looks, through an open connection, like a statement that takes long. So one
connection is kept for a question that never takes long. While that has no answer, statements under way fail as if the server
had died, and nobody waits for a new connection. Statements that take long on a server that answers are left alone.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
import time
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import psycopg2  # type: ignore[import-untyped]
from psycopg2.extensions import POLL_OK, POLL_WRITE, parse_dsn  # type: ignore[import-untyped]
from sqlalchemy import Engine, event

log = logging.getLogger(__name__)

EVERY = 0.5  # seconds between two questions
PATIENCE = 1.5  # seconds of silence; with those between two questions it must stay well under three
ANEW = 30.0  # seconds after which an unanswered question is asked again on a new connection


class Pulse(threading.Thread):
    """Asks for as long as the process lives."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(name="pulse", daemon=True)
        self.silent = False
        self._address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connections: WeakSet[Any] = WeakSet()
        self._lock = threading.Lock()
        self._over = threading.Event()
        event.listen(engine, "connect", self._note)
        event.listen(engine, "do_connect", self._refuse_while_silent)

    def run(self) -> None:
        while not self._over.is_set():
            try:
                self._ask_on_one_connection()
            except (psycopg2.Error, OSError):
                # One that cannot be reached is not silent: whoever asks it is told at once.
                self._no_longer_silent("the database is gone")
            except Exception:
                log.exception("the pulse stumbled")
            self._over.wait(EVERY)

    def stop(self) -> None:
        self._over.set()
        self.join()

    def _ask_on_one_connection(self) -> None:
        connection = psycopg2.connect(self._address, **_resolved(self._address), async_=1)
        try:
            while self._hears_from(connection) and not self._over.wait(EVERY):
                connection.cursor().execute("select 1")
        finally:
            connection.close()

    def _hears_from(self, connection: Any) -> bool:
        """Wait for what was asked, in silence too; False once that has lasted too long for this connection."""
        asked = time.monotonic()
        while (state := connection.poll()) != POLL_OK:
            waiting = select.poll()  # select() knows no descriptor past 1,023.
            waiting.register(connection.fileno(), select.POLLOUT if state == POLL_WRITE else select.POLLIN)
            if waiting.poll(500 * EVERY):
                continue
            waited = time.monotonic() - asked
            if waited > PATIENCE:
                self._cut()
            if waited > ANEW or self._over.is_set():
                return False
        self._no_longer_silent("the database answers again")
        return True

    def _no_longer_silent(self, why: str) -> None:
        if self.silent:
            self.silent = False
            log.warning(why)

    def _cut(self) -> None:
        """End every connection on our side; libpq then says what it says of a server that died."""
        if not self.silent:
            self.silent = True
            log.error("the database is silent: what waits for it is cut off")
        with self._lock:
            waiting = list(self._connections)
            self._connections.clear()
        for connection in waiting:
            with suppress(psycopg2.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as end:
                end.shutdown(socket.SHUT_RDWR)

    def _note(self, connection: Any, _record: Any) -> None:
        with self._lock:
            self._connections.add(connection)

    def _refuse_while_silent(self, *_: Any) -> None:
        if self.silent:
            raise psycopg2.OperationalError("the database is silent")


def _resolved(address: str) -> dict[str, str]:
    """The address behind a host's name: libpq would look it up while all other threads of the process stand still."""
    host = str(parse_dsn(address).get("host", ""))
    if not host or host.startswith("/") or "," in host:
        return {}
    return {"hostaddr": str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])}


def watch(engine: Engine) -> Pulse:
    """Watch the server behind the engine of a web process from now on."""
    pulse = Pulse(engine)
    pulse.start()
    return pulse
