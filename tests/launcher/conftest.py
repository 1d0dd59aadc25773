"""A data folder of one's own, with nothing left running in it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder with a short path, so that the sockets lie in it."""
    folder = Path(tempfile.mkdtemp(prefix="gs-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
