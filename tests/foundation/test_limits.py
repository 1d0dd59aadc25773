"""Limits: used up, refused with the time to wait, and counted in memory while Redis is gone."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

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


def test_what_is_given_back_can_be_spent_again_and_no_more(app: Flask) -> None:
    who = key()
    for _ in range(5):
        limits.spend(LIMIT, "test", who)
        limits.give_back(LIMIT, "test", who)
    for _ in range(3):
        limits.spend(LIMIT, "test", who)
    with pytest.raises(TooMany):
        limits.spend(LIMIT, "test", who)


def test_only_the_failures_that_are_named_count(app: Flask) -> None:
    who = key()

    def attempt(error: Exception | None) -> None:
        with limits.failures_only(LIMIT, "test", who, failures=(LookupError,)):
            if error:
                raise error

    for _ in range(4):
        attempt(None)
        with pytest.raises(ValueError, match="typo"):
            attempt(ValueError("typo"))
    for _ in range(3):
        with pytest.raises(LookupError):
            attempt(LookupError())
    with pytest.raises(TooMany):
        attempt(None)


@pytest.mark.parametrize("redis", [True, False], ids=["redis", "memory"])
def test_of_many_at_the_same_instant_no_more_pass_than_are_left(
    app: Flask, monkeypatch: pytest.MonkeyPatch, redis: bool
) -> None:
    if not redis:
        monkeypatch.setattr(limits, "_in_redis", None)
    who, ready = key(), Barrier(16)

    def attempt(_number: int) -> bool:
        ready.wait()
        try:
            limits.spend(LIMIT, "test", who)
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        passed = list(pool.map(attempt, range(16)))
    assert passed.count(True) == 3


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
        limits.give_back(LIMIT, "test", who)
        limits.spend(LIMIT, "test", who)
    finally:
        queue.init_queue(redis_url)
        limits.init_limits(redis_url)
