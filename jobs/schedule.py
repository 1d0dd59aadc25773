"""The clock's hand: what is enqueued when. Every tick is idempotent, so two of these processes do no harm."""

from __future__ import annotations

from redis import Redis
from rq.cron import CronScheduler

from app.foundation.logs import set_up_logs
from app.foundation.settings import read_settings
from jobs import analytics, audit, identity, partitions, relay

QUEUE = "default"


def scheduler(redis_url: str) -> CronScheduler:
    """The schedule on a Redis server."""
    cron = CronScheduler(connection=Redis.from_url(redis_url), logging_level="WARNING")
    cron.register(relay.sweep, QUEUE, interval=20, result_ttl=0, ttl=60)
    cron.register(relay.clean_up, QUEUE, cron="17 3 * * *", result_ttl=0)
    cron.register(partitions.make_months_ahead, QUEUE, cron="7 2 * * *", result_ttl=0)
    cron.register(analytics.count_active_schools, QUEUE, interval=3600, result_ttl=0, ttl=3600)
    cron.register(audit.log_heads, QUEUE, cron="37 3 * * *", result_ttl=0)
    cron.register(identity.forget_ended_sessions, QUEUE, cron="47 3 * * *", result_ttl=0)
    return cron


def main() -> None:
    settings = read_settings()
    set_up_logs(settings.log_level)
    scheduler(settings.redis_url).start()


if __name__ == "__main__":
    main()
