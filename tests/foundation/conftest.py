"""What tests of the ground floor share: an application whose database is gone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from app.foundation import db, tenancy
from app.foundation.db import session
from tests.live import free_port


@pytest.fixture
def no_database(app: Flask) -> Iterator[Flask]:
    """PostgreSQL is gone: nobody listens at its port."""
    engine = db.make_engine(f"postgresql+psycopg2://x@127.0.0.1:{free_port()}/x", pool_size=1)
    tenancy.ring_on(engine)
    bound = dict(session.session_factory.kw)
    session.remove()
    session.configure(bind=engine)
    yield app
    session.remove()
    session.configure(**bound)
    engine.dispose()
