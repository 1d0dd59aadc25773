"""A small course at Skyline, and Leo in front of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from tests.cast import LEO
from tests.client import LintingClient
from tests.learning.lessons import make_course


@pytest.fixture
def course_id(app: Flask, tmp_path: Path) -> int:
    return make_course(tmp_path)


@pytest.fixture
def leo(app: Flask) -> LintingClient:
    return LintingClient(app).sign_in(LEO)
