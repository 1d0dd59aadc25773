"""The container set-up, the Procfile, the example of settings and the settings themselves say the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml

from app.foundation.models import PROCESS_IS_LATE
from app.foundation.settings import ENV_NAMES, read_settings
from jobs.heartbeat import KINDS
from launcher.embedded import libpq_url, start_postgres
from tests.launcher.processes import ROOT

OURS = {"migrate": "release", "web": "web", "worker": "worker", "cron": "cron"}
SETTINGS = set(ENV_NAMES.values())
COMPOSE_ONLY = {"POSTGRES_PASSWORD", "OWNER_PASSWORD", "WEB_PASSWORD"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])


@pytest.fixture(scope="module")
def procfile() -> dict[str, str]:
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {name: command.strip() for name, _, command in (line.partition(":") for line in lines)}


def test_each_command_is_one_of_the_procfile(services: dict[str, Any], procfile: dict[str, str]) -> None:
    built = {name for name, service in services.items() if "build" in service}
    assert built == set(OURS)
    assert {name: services[name]["command"] for name in OURS} == {name: procfile[line] for name, line in OURS.items()}
    assert set(procfile) == set(OURS.values())


def test_the_image_starts_the_web_server_of_the_procfile(procfile: dict[str, str]) -> None:
    command = re.search(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert command
    assert " ".join(yaml.safe_load(command[1])) == procfile["web"]


def test_each_variable_is_a_setting(services: dict[str, Any]) -> None:
    for name in OURS:
        assert set(services[name]["environment"]) <= SETTINGS, name


def test_each_setting_reaches_the_web_server(services: dict[str, Any]) -> None:
    assert set(services["web"]["environment"]) == SETTINGS - {"OWNER_DATABASE_URL"}


def test_only_the_migration_knows_the_owner(services: dict[str, Any]) -> None:
    knows = {name for name in OURS if "owner" in str(services[name]["environment"]).lower()}
    assert knows == {"migrate"}


def test_each_variable_that_compose_asks_for_is_explained(services: dict[str, Any]) -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert asked <= SETTINGS | COMPOSE_ONLY
    assert set(_example()) == SETTINGS | COMPOSE_ONLY


def test_the_environment_of_each_container_is_accepted(services: dict[str, Any]) -> None:
    """Where .env is as the example, with the secrets filled in."""
    filled = dict.fromkeys(COMPOSE_ONLY | {"SECRET_KEY"}, "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8")
    for name in OURS:
        environment = {key: _interpolate(str(value), filled) for key, value in services[name]["environment"].items()}
        settings = read_settings(environment)
        assert not settings.demo
        assert settings.host == "0.0.0.0"


def test_the_example_shows_the_defaults_that_hold() -> None:
    shown = {name: value for name, value in _example().items() if value and "…" not in value}
    settings = read_settings({"DATABASE_URL": "postgresql://x/y", "DEMO": "1", "SECRET_KEY": "x"})
    held = {env: getattr(settings, field) for field, env in ENV_NAMES.items()} | {"DEMO": "0", "DATA_DIR": "var"}
    assert shown == {name: str(held[name]) for name in shown}
    assert len(shown) > 10


def test_each_service_waits_for_what_it_needs(services: dict[str, Any]) -> None:
    for name in ("web", "worker", "cron"):
        waits = {other: rule["condition"] for other, rule in services[name]["depends_on"].items()}
        assert waits == {
            "postgres": "service_healthy",
            "redis": "service_healthy",
            "migrate": "service_completed_successfully",
        }
    assert all("healthcheck" in services[name] for name in ("postgres", "redis", "web", "worker", "cron"))
    assert "--locale-provider=builtin --locale=C.UTF-8" in services["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]


@pytest.mark.parametrize("kind", KINDS)
def test_worker_and_cron_are_asked_for_their_own_heartbeat(services: dict[str, Any], kind: str) -> None:
    """By a command of the image, with the environment of the container; a process that is silent is soon found so."""
    service = services[kind]
    check = service["healthcheck"]
    assert check["test"] == ["CMD", "python", "-m", "jobs.heartbeat", kind]
    assert service["command"].startswith("python -m jobs.")
    assert "DATABASE_URL" in service["environment"]
    seconds = {name: int(check[name].rstrip("s")) for name in ("interval", "timeout", "start_period")}
    assert seconds["timeout"] < seconds["interval"] <= PROCESS_IS_LATE.total_seconds()
    asked = [sys.executable, *check["test"][2:]]
    done = subprocess.run(asked, cwd=ROOT, env={"PATH": os.defpath}, capture_output=True, text=True, check=False)
    assert (done.returncode, "DATABASE_URL is not set" in done.stderr) == (1, True)


def test_the_roles_script_makes_the_roles_the_wall_needs(data_dir: Path) -> None:
    server = start_postgres(data_dir, fsync=False)
    try:
        connection = psycopg2.connect(libpq_url(server.url()))
        connection.autocommit = True
        connection.cursor().execute("create database groundschool")
        connection.close()
        environment = os.environ | {
            "PATH": f"{server.bin}:{os.environ['PATH']}",
            "PGHOST": str(server.socket_dir),
            "POSTGRES_USER": "postgres",
            "POSTGRES_DB": "groundschool",
            "OWNER_PASSWORD": "it's one",
            "WEB_PASSWORD": "two",
        }
        subprocess.run([ROOT / "launcher" / "compose-roles.sh"], env=environment, check=True, capture_output=True)
        connection = psycopg2.connect(libpq_url(server.url("groundschool_owner", "groundschool")))
        with connection, connection.cursor() as cursor:
            cursor.execute("create table mine (n int)")
            cursor.execute("select rolname, rolsuper, rolbypassrls from pg_roles where rolname like 'groundschool%'")
            assert sorted(cursor.fetchall()) == [
                ("groundschool_owner", False, True),
                ("groundschool_web", False, False),
            ]
        connection.close()
    finally:
        server.stop()


def _example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    found = [re.fullmatch(r"(?:# )?([A-Z][A-Z_]+)=(.*)", line) for line in lines]
    return {match[1]: match[2] for match in found if match}


def _interpolate(value: str, filled: dict[str, str]) -> str:
    return re.sub(r"\$\{([A-Z_]+)(?::([-?])([^}]*))?\}", lambda m: filled.get(m[1], m[3] if m[2] == "-" else ""), value)
