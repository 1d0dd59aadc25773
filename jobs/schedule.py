"""The clock's hand: what is enqueued when. Every tick is idempotent, so two of these processes do no harm."""

from __future__ import annotations

from redis import Redis
from rq.cron import CronScheduler
from sqlalchemy import Engine

from app.foundation.logs import set_up_logs
from app.foundation.settings import read_settings
from jobs import analytics, audit, housekeeping, partitions, relay
from jobs.heartbeat import beat, make_engine, own_name

QUEUE = "default"


class Clock(CronScheduler):
    """RQ's cron, whose heartbeat is also a row: RQ forgets it when Redis is flushed."""

    heartbeats: Engine | None = None

    def heartbeat(self) -> None:
        super().heartbeat()
        if self.heartbeats:
            beat(self.heartbeats, own_name("cron"))


def scheduler(redis_url: str) -> Clock:
    """The schedule on a Redis server."""
    cron = Clock(connection=Redis.from_url(redis_url), logging_level="WARNING")
    cron.register(relay.sweep, QUEUE, interval=20, result_ttl=0, ttl=60)
    cron.register(housekeeping.schedule_pruning, QUEUE, cron="17 3 * * *", result_ttl=0)
    cron.register(partitions.make_months_ahead, QUEUE, cron="7 2 * * *", result_ttl=0)
    cron.register(analytics.count_active_schools, QUEUE, interval=3600, result_ttl=0, ttl=3600)
    cron.register(audit.log_heads, QUEUE, cron="37 3 * * *", result_ttl=0)
    return cron


def main() -> None:
    settings = read_settings()
    set_up_logs(settings.log_level)
    cron = scheduler(settings.redis_url)
    cron.heartbeats = make_engine(settings.database_url)
    cron.start()


if __name__ == "__main__":
    main()
