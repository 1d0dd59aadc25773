"""Each test finds all limits whole and the mailbox empty."""

from __future__ import annotations

import secrets

import pytest
from flask import Flask
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from app.foundation import limits, queue
from tests.identity.mailbox import take


@pytest.fixture(autouse=True)
def _whole_limits(the_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test uses up, the next has whole: each counts in Redis under keys of its own."""
    pool = queue.redis().connection_pool
    storage = RedisStorage("redis://", connection_pool=pool, wrap_exceptions=False, key_prefix=secrets.token_hex(8))
    monkeypatch.setattr(limits, "_in_redis", SlidingWindowCounterRateLimiter(storage))


@pytest.fixture(autouse=True)
def _an_empty_mailbox(the_app: Flask) -> None:
    take(the_app)
