"""A database of its own for what is tampered with: made anew for each test that asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.audit.committed import Committed, committed


@pytest.fixture
def own(the_app: Flask) -> Iterator[Committed]:
    with committed(the_app, "audit") as here:
        yield here
