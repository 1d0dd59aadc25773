"""Rate limits: how often something may be tried. Counted in Redis; in this process's memory while Redis is gone.

`spend(limit, *who)` uses one up, or refuses (429, with Retry-After) if there was none left: one step, so that of many at the same
instant no more pass than are left. What counts failures only is spent beforehand too, and given back when nothing was wrong.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from flask_babel import gettext as _
from flask_babel import ngettext
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from app.foundation import queue
from app.foundation.refusals import Refusal

log = logging.getLogger(__name__)
T = TypeVar("T")

_in_redis: SlidingWindowCounterRateLimiter | None = None
_in_memory = SlidingWindowCounterRateLimiter(MemoryStorage())


class TooMany(Refusal):
    """A limit is used up. `retry_after` is in seconds."""

    status = 429

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        minutes = math.ceil(retry_after / 60)
        wait = ngettext("in %(num)d minute", "in %(num)d minutes", minutes)
        super().__init__(_("That was tried too often. Try again %(wait)s.", wait=wait))


def init_limits(redis_url: str) -> None:
    """Count in this Redis server, through the web's client, which never waits long."""
    global _in_redis
    storage = RedisStorage("redis://", connection_pool=queue.redis().connection_pool, wrap_exceptions=False)
    _in_redis = SlidingWindowCounterRateLimiter(storage)
    _in_memory.storage.reset()


def spend(limit: str, *who: str) -> None:
    """Use one of `limit` ("10 per 15 minutes") up for this key, e.g. ("sign-in", account, address); refuse if none was left."""
    item = parse(limit)
    if not _counted(lambda limiter: limiter.hit(item, *who)):
        raise TooMany(_seconds_left(item, who))


def give_back(limit: str, *who: str) -> None:
    """Give back the one that was spent: it does not count after all."""
    item = parse(limit)
    _counted(lambda limiter: limiter.hit(item, *who, cost=-1))


@contextmanager
def failures_only(limit: str, *who: str, failures: tuple[type[Exception], ...]) -> Iterator[None]:
    """Spend one on what happens inside, and give it back unless that fails so."""
    spend(limit, *who)
    try:
        yield
    except failures:
        raise
    except BaseException:
        give_back(limit, *who)
        raise
    give_back(limit, *who)


def forget(limit: str, *who: str) -> None:
    """Give everything back: the person proved who they are."""
    item = parse(limit)
    _counted(lambda limiter: limiter.clear(item, *who))


def _seconds_left(item: RateLimitItem, who: tuple[str, ...]) -> int:
    stats = _counted(lambda limiter: limiter.get_window_stats(item, *who))
    return max(1, math.ceil(stats.reset_time - time.time()))


def _counted(ask: Callable[[SlidingWindowCounterRateLimiter], T]) -> T:
    if _in_redis is None:
        return ask(_in_memory)
    try:
        return ask(_in_redis)
    except RedisError as error:
        log.warning("limits are counted in memory: Redis is gone", extra={"reason": type(error).__name__})
        return ask(_in_memory)
