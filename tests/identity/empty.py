"""An instance outside the demo, with no school in it yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from flask import Flask

from app.demo.commands import empty_database
from tests.audit.committed import committed
from tests.conftest import second_app


@contextmanager
def empty_instance(the_app: Flask, **over: object) -> Iterator[Flask]:
    """The application on an emptied database of its own. Not together with the `app` fixture."""
    with committed(the_app, "empty") as own:
        empty_database(own.settings)
        made = second_app(replace(own.settings, demo=False, **over))  # type: ignore[arg-type]
        made.config["SESSION_COOKIE_SECURE"] = False  # the tests' client speaks http
        yield made
