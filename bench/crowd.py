"""Many at once where there is no wrk: locust, in a process that reads an order a line and answers each with its numbers.

One process for a whole run: locust takes longer to load than a page takes to be measured.
"""

from __future__ import annotations

import json
import sys
import time

import gevent  # type: ignore[import-untyped]
from locust import FastHttpUser, task  # type: ignore[import-not-found]
from locust.env import Environment  # type: ignore[import-not-found]


class Visitor(FastHttpUser):
    """Asks for one address, reads, asks again, without a pause, each time on a fresh connection."""

    headers: dict[str, str] = {}

    @task
    def visit(self) -> None:
        self.client.get(self.host, headers=self.headers)


def send(url: str, headers: dict[str, str], at_once: int, seconds: float) -> dict[str, float]:
    """Requests, failures and the seconds they took, counted once everybody is under way, until all could have been answered."""
    Visitor.host, Visitor.headers = url, {**headers, "Connection": "close"}
    runner = Environment(user_classes=[Visitor], reset_stats=True).create_local_runner()
    runner.start(at_once, spawn_rate=at_once, wait=True)
    began = time.monotonic()
    gevent.sleep(seconds)
    while runner.stats.total.num_requests < at_once and time.monotonic() - began < 20:
        gevent.sleep(seconds)
    numbers = {
        "requests": runner.stats.total.num_requests,
        "failures": runner.stats.total.num_failures,
        "seconds": time.monotonic() - began,
    }
    runner.quit()
    return numbers


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(send(**json.loads(line))), flush=True)
