"""Limits: used up, refused with the time to wait, and counted in memory while Redis is gone."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask

from app.foundation import limits, queue
from app.foundation.limits import TooMany

LIMIT = "3 per 10 minutes"


def key() -> str:
    return uuid.uuid4().hex


def test_the_fourth_try_is_refused_and_told_when(app: Flask) -> None:
    who = key()
    for _ in range(3):
        limits.spend(LIMIT, "test", who)
    with pytest.raises(TooMany) as refused:
        limits.spend(LIMIT, "test", who)
    assert 1 <= refused.value.retry_after <= 1200
    assert "Try again in" in refused.value.sentence


def test_checking_uses_nothing_up(app: Flask) -> None:
    who = key()
    for _ in range(5):
        limits.check(LIMIT, "test", who)
    limits.count(LIMIT, "test", who)
    limits.check(LIMIT, "test", who)


def test_one_person_does_not_spend_anothers(app: Flask) -> None:
    for _ in range(3):
        limits.spend(LIMIT, "test", "first" + key())
    limits.spend(LIMIT, "test", "second" + key())


def test_with_redis_gone_the_limit_still_holds(app: Flask) -> None:
    redis_url = app.config["SETTINGS"].redis_url
    queue.init_queue("redis://127.0.0.1:1/0")
    limits.init_limits("redis://127.0.0.1:1/0")
    try:
        who = key()
        for _ in range(3):
            limits.spend(LIMIT, "test", who)
        with pytest.raises(TooMany):
            limits.spend(LIMIT, "test", who)
    finally:
        queue.init_queue(redis_url)
        limits.init_limits(redis_url)
