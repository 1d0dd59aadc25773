"""Settings: read once, typed, and each mistake answered with one sentence that names the variable and the remedy."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from app.foundation.settings import BadSetting, Settings, normal_database_url, read_settings

URL = "postgresql://web@db/groundschool"
SECRET = "kX3-9vQm2Lr8TzW5nB7yC4dF6gH1jK0p"
FINE = {"DATABASE_URL": URL, "SECRET_KEY": SECRET}


def test_a_full_environment() -> None:
    settings = read_settings(
        {
            **FINE,
            "DEMO": "yes",
            "PORT": "8123",
            "DATA_DIR": "/data",
            "BASE_URL": "https://school.example/",
            "WEB_THREADS": "4",
            "OWNER_DATABASE_URL": "postgres://owner@db/groundschool",
            "LOG_LEVEL": " DEBUG ",
        }
    )
    assert settings.database_url == "postgresql+psycopg2://web@db/groundschool"
    assert settings.owner_database_url == "postgresql+psycopg2://owner@db/groundschool"
    assert (settings.demo, settings.port, settings.data_dir, settings.web_threads) == (True, 8123, Path("/data"), 4)
    assert settings.address == "https://school.example"
    assert settings.log_level == "DEBUG"


def test_the_least_environment() -> None:
    settings = read_settings(FINE)
    assert (settings.demo, settings.host, settings.address) == (False, "127.0.0.1", "http://127.0.0.1:8000")


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "DATABASE_URL is not set: start with bin/run"),
        ({**FINE, "DATABASE_URL": "mysql://db/x"}, "DATABASE_URL must begin with postgresql://"),
        ({**FINE, "DATABASE_URL": "nonsense"}, "DATABASE_URL must begin with postgresql://"),
        ({**FINE, "PORT": "eighty"}, "PORT must be a whole number above zero, not 'eighty'"),
        ({**FINE, "PORT": "0"}, "PORT must be a whole number above zero"),
        ({**FINE, "WEB_THREADS": "-1"}, "WEB_THREADS must be a whole number"),
        ({**FINE, "DEMO": "maybe"}, "DEMO must be 1 or 0, not 'maybe'"),
        ({"DATABASE_URL": URL}, "SECRET_KEY must be at least 32 random characters"),
        ({**FINE, "SECRET_KEY": "change-me"}, "SECRET_KEY must be at least 32"),
        ({**FINE, "SECRET_KEY": "x" * 64}, "SECRET_KEY must be at least 32"),
        ({**FINE, "SECRET_KEY": SECRET[:31]}, "SECRET_KEY must be at least 32"),
        ({"DATABASE_URL": URL, "DEMO": "1"}, "SECRET_KEY is not set: bin/run makes one for the demo"),
    ],
)
def test_a_mistake_is_said_in_a_sentence(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadSetting) as refused:
        read_settings(environment)
    assert str(refused.value).startswith(sentence)
    assert str(refused.value).endswith(".")


def test_a_demo_may_have_a_short_secret() -> None:
    assert read_settings({**FINE, "DEMO": "1", "SECRET_KEY": "short"}).demo


def test_settings_are_frozen_and_keep_their_secrets() -> None:
    settings = read_settings({**FINE, "METRICS_TOKEN": "hidden-token", "SMTP_URL": "smtp://u:hidden-word@h"})
    with pytest.raises(FrozenInstanceError):
        settings.port = 1  # type: ignore[misc]
    for secret in (SECRET, "hidden-token", "hidden-word", URL):
        assert secret not in repr(settings)


def test_a_driver_already_named_is_kept_as_ours() -> None:
    assert (
        normal_database_url("postgresql+psycopg2://x")
        == normal_database_url("postgres://x")
        == "postgresql+psycopg2://x"
    )


def test_without_a_base_url_host_and_port_are_the_address() -> None:
    assert replace(read_settings(FINE), host="0.0.0.0", port=81).address == "http://0.0.0.0:81"
    assert isinstance(read_settings(FINE), Settings)
