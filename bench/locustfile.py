"""What locust does where there is no wrk: one address, asked for again and again on fresh connections."""

from __future__ import annotations

import json
import os

from locust import FastHttpUser, task  # type: ignore[import-not-found]

PATH = os.environ["BENCH_PATH"]
HEADERS = {**json.loads(os.environ["BENCH_HEADERS"]), "Connection": "close"}


class Visitor(FastHttpUser):
    """Asks, reads, asks again, without a pause."""

    @task
    def visit(self) -> None:
        self.client.get(PATH, headers=HEADERS)
