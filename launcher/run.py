"""bin/run: everything Groundschool needs, started in order, tended, and stopped in order."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from launcher import lock, processes, virtualenv
from launcher.database import demo_is_seeded, embedded_addresses, given_addresses, kept_secret, schema_is_current
from launcher.embedded import Postgres, Redis, Server
from launcher.errors import LauncherError
from launcher.supervisor import Program, StopRequested, Supervisor

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ("requirements.txt",)
SERVERS_FLOOR = {"postgres": 0, "redis": 1}
OURS_FLOOR = 2
FIRST_ANSWER = 60.0  # seconds that the web server has to answer for the first time
LONGEST_TASK = 600.0  # seconds for migrating or seeding
DEMO_PASSWORD = "groundschool-demo"
DEMO_ROLES = ("admin", "instructor", "manager", "author", "learner")
DEMO_SCHOOLS = ("skyline", "harbour")
DEMO_EXTRAS = ("owner@skyline.example", "both@skyline.example", "operator@groundschool.example")


def main() -> int:
    """Start, tend, stop. Returns 0 after Ctrl-C or SIGTERM, and 1 with one sentence where it cannot start."""
    try:
        if sys.argv[1:]:
            raise LauncherError("It takes no arguments: give settings before it, PORT=8001 bin/run, see .env.example.")
        plan = Plan.from_environment(os.environ)
        virtualenv.enter(ROOT, plan.data_dir / "venv", REQUIREMENTS, "launcher.run")
        run(plan)
    except LauncherError as error:
        return _refuse(str(error))
    except PermissionError as error:
        return _refuse(
            f"{error.filename} belongs to another user: run as that user, or give another folder, DATA_DIR=…."
        )
    except StopRequested:
        return 0
    except KeyboardInterrupt:
        return 130
    return 0


def _refuse(sentence: str) -> int:
    print(f"bin/run: {sentence}", file=sys.stderr)
    return 1


@dataclass(frozen=True)
class Plan:
    """What one start has to do, as the environment says."""

    environ: Mapping[str, str]
    data_dir: Path
    host: str
    port: int
    demo: bool

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Plan:
        """Read what concerns the launcher, and make the data folder; the application reads and checks the rest."""
        if environ.get("OWNER_DATABASE_URL") and not environ.get("DATABASE_URL"):
            raise LauncherError(
                "OWNER_DATABASE_URL is given without DATABASE_URL: give both, "
                "or DATABASE_URL alone with the owner's address in it."
            )
        return cls(
            environ=environ,
            data_dir=_data_dir(environ),
            host=environ.get("HOST") or "127.0.0.1",
            port=_port(environ),
            demo=_is_demo(environ),
        )

    @property
    def address(self) -> str:
        """Where a browser on this machine finds it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def child_environment(self, database_url: str, redis_url: str) -> dict[str, str]:
        """The environment of web, worker and cron: never with the owner's address in it."""
        environment = dict(self.environ)
        environment.pop("OWNER_DATABASE_URL", None)
        environment.setdefault("WEB_CONCURRENCY", "2")
        environment |= {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "DATA_DIR": str(self.data_dir),
            "DEMO": "1" if self.demo else "0",
            "HOST": self.host,
            "PORT": str(self.port),
            "PROMETHEUS_MULTIPROC_DIR": str(self.data_dir / "metrics"),
            "PYTHONUNBUFFERED": "1",
        }
        if self.demo and not environment.get("SECRET_KEY"):
            environment["SECRET_KEY"] = kept_secret(self.data_dir / "secret_key")
        return environment


def run(plan: Plan) -> None:
    """Run until StopRequested; LauncherError where something does not start. All children are gone afterwards."""
    os.umask(0o077)  # Logs, mail and uploads are nobody else's business.
    held = lock.hold(plan.data_dir, plan.address)
    try:
        _check_port(plan, patience=5.0 if held.was_cut_off else 0.0)
        _check_application_settings(plan)
        _empty(plan.data_dir / "metrics")
        with Supervisor(plan.data_dir / "log") as supervisor:
            environment, owner_url = _start_servers(supervisor, plan)
            flask = _flask(supervisor, environment | {"OWNER_DATABASE_URL": owner_url})
            is_seeded = _prepare_database(flask, plan, owner_url)
            _start_application(supervisor, plan, environment)
            _greet(plan)
            if is_seeded:
                _seed_beside(flask)
            supervisor.run()
    finally:
        held.release()


def _start_servers(supervisor: Supervisor, plan: Plan) -> tuple[dict[str, str], str]:
    """Start the embedded servers no address was given for; return the children's environment and the owner's URL."""
    postgres = None if plan.environ.get("DATABASE_URL") else Postgres(plan.data_dir)
    redis = None if plan.environ.get("REDIS_URL") else Redis(plan.data_dir)
    servers: list[Server] = [server for server in (postgres, redis) if server]
    programs = [supervisor.add(_server_program(server)) for server in servers]
    for server, program in zip(servers, programs, strict=True):
        supervisor.wait(program, server.is_ready, seconds=FIRST_ANSWER)
    addresses = embedded_addresses(postgres) if postgres else given_addresses(plan.environ, plan.data_dir)
    redis_url = redis.url if redis else plan.environ["REDIS_URL"]
    return plan.child_environment(addresses.web, redis_url), addresses.owner


def _server_program(server: Server) -> Program:
    floor = SERVERS_FLOOR[server.name]
    return Program(server.name, server.spawn, floor, server.stop_signal, server.patience, quiet=True)


def _flask(supervisor: Supervisor, environment: dict[str, str]) -> Callable[..., None]:
    """Make what runs one `flask …` command to its end."""

    def flask(name: str, *words: str, quiet: bool = False) -> None:
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
        task = Program(name, _starter(command, environment), OURS_FLOOR, once=True, quiet=quiet)
        supervisor.run_once(task, seconds=LONGEST_TASK)

    return flask


def _prepare_database(flask: Callable[..., None], plan: Plan, owner_url: str) -> bool:
    """Migrate unless the schema is current; in demo mode seed it, else print an empty instance's set-up address.

    A demo that was seeded whole once is served first: returns True, and the weeks that have begun since are its due.
    """
    is_current = schema_is_current(owner_url, ROOT / "migrations")
    if not is_current:
        print("Making the tables" + (", and the demo's schools: half a minute" if plan.demo else ""), flush=True)
        flask("migrate", "db", "upgrade")
    if not plan.demo:
        flask("set-up", "tenant", "set-up-link", "--if-empty")
        return False
    if is_current and demo_is_seeded(owner_url):
        return True
    flask("seed", "demo", "seed")
    return False


def _seed_beside(flask: Callable[..., None]) -> None:
    """Seed while people use what is there: a failure is told, and stops nobody."""
    try:
        flask("seed", "demo", "seed", quiet=True)
    except LauncherError as error:
        print(f"bin/run: {error} The demo goes on without its new weeks.", file=sys.stderr, flush=True)


def _start_application(supervisor: Supervisor, plan: Plan, environment: dict[str, str]) -> None:
    """Start web, worker and cron. The web server comes first, alone: then its first answer comes sooner."""
    python = sys.executable
    gunicorn = [python, "-m", "gunicorn", "-c", "python:app.foundation.gunicorn", "--no-control-socket", "wsgi:app"]
    web = supervisor.add(Program("web", _starter(gunicorn, environment), OURS_FLOOR))
    supervisor.wait(web, lambda: _answers(plan), seconds=FIRST_ANSWER)
    for name, module in (("worker", "jobs.worker"), ("cron", "jobs.schedule")):
        supervisor.add(Program(name, _starter([python, "-m", module], environment), OURS_FLOOR, proven=True))


def _starter(command: Sequence[str], environment: Mapping[str, str]) -> Callable[[int], subprocess.Popen[bytes]]:
    """Make what starts one command in the checkout, its output going to the pipe it is given."""

    def start(output: int) -> subprocess.Popen[bytes]:
        return processes.spawn(command, env=environment, cwd=ROOT, output=output)

    return start


def _answers(plan: Plan) -> bool:
    connection = http.client.HTTPConnection(plan.address.removeprefix("http://"), timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _greet(plan: Plan) -> None:
    lines = ["", f"Groundschool is at {plan.address} (Ctrl-C stops it), its data and logs in {plan.data_dir}"]
    if plan.demo:
        lines += ["", f"Demo accounts, all with the password {DEMO_PASSWORD}:"]
        lines += ["  " + "  ".join(f"{role}@{school}.example" for role in DEMO_ROLES) for school in DEMO_SCHOOLS]
        lines += ["  " + "  ".join(DEMO_EXTRAS)]
    with contextlib.suppress(OSError):
        print("\n".join([*lines, ""]), flush=True)


def _check_application_settings(plan: Plan) -> None:
    """Let the application read its settings here once, so that a bad one is one sentence and not four tracebacks."""
    from app.foundation.settings import BadSetting, read_settings

    try:
        read_settings(plan.child_environment("postgresql://known-later/", "unix:///known-later"))
    except BadSetting as error:
        raise LauncherError(str(error)) from None


def _data_dir(environ: Mapping[str, str]) -> Path:
    """Make the data folder: DATA_DIR, else var/ in the checkout, else the user's own where that cannot be written."""
    if given := environ.get("DATA_DIR"):
        folder = Path(given).expanduser().absolute()
    elif os.access(ROOT / "var" if (ROOT / "var").exists() else ROOT, os.W_OK):
        folder = ROOT / "var"
    else:
        base = environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
        folder = Path(base) / "groundschool"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LauncherError(f"{folder} cannot be made ({error.strerror}): give another folder, DATA_DIR=….") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise LauncherError(
            f"{folder} belongs to another user and cannot be written to: run as that user, or give another, DATA_DIR=…."
        )
    return folder.resolve()


def _is_demo(environ: Mapping[str, str]) -> bool:
    given = environ.get("DEMO", "").strip().lower()
    if given not in {"", "0", "1", "true", "false", "yes", "no"}:
        raise LauncherError(f"DEMO must be 1 or 0, not {given!r}: correct it.")
    return given in {"1", "true", "yes"} if given else not environ.get("DATABASE_URL")


def _port(environ: Mapping[str, str]) -> int:
    given = environ.get("PORT") or "8000"
    if not given.isdecimal() or not 0 < int(given) < 65536:
        raise LauncherError(f"PORT must be a number from 1 to 65535, not {given!r}: correct it.")
    return int(given)


def _check_port(plan: Plan, *, patience: float) -> None:
    """Refuse a port that is taken; wait `patience` seconds for the web server of a start that was cut off to go."""
    deadline = time.monotonic() + patience
    while refusal := _port_refusal(plan):
        if time.monotonic() >= deadline:
            raise LauncherError(refusal)
        time.sleep(0.05)


def _port_refusal(plan: Plan) -> str | None:
    """Listen on the address for an instant, as gunicorn will for good; return why that fails, with the remedy."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(plan.host, plan.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except PermissionError:
        return f"Port {plan.port} is for root only: give one above 1023, PORT=8000 bin/run."
    except socket.gaierror:
        return f"HOST={plan.host} is no address of this machine: give another, or none."
    except OSError as error:
        return (
            f"Port {plan.port} on {plan.host} cannot be had ({(error.strerror or 'taken').lower()}): "
            f"stop what listens there, or give another, PORT={plan.port % 65535 + 1} bin/run."
        )
    return None


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(exist_ok=True)


if __name__ == "__main__":
    sys.exit(main())
