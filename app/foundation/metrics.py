"""Prometheus metrics, summed over all web processes. Endpoint names only: no path, no school, no person."""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, g, request
from prometheus_client import REGISTRY as OWN_REGISTRY
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess

REQUESTS = Counter("groundschool_requests", "Requests answered.", ["endpoint", "method", "status"])
SECONDS = Histogram(
    "groundschool_request_seconds",
    "Time from the first byte read to the answer made.",
    ["endpoint"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3),
)


KNOWN_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
"""A word of its own each: anybody may make up more, and every label is kept for ever."""


def count_requests(app: Flask) -> None:
    """Count and time each request by its endpoint."""

    @app.after_request
    def count(response: Response) -> Response:
        endpoint = request.endpoint or "none"
        method = request.method if request.method in KNOWN_METHODS else "other"
        _counter(endpoint, method, response.status_code).inc()
        if began := g.get("began"):
            _clock(endpoint).observe(time.perf_counter() - began)
        return response


_counter = lru_cache(maxsize=2048)(REQUESTS.labels)
_clock = lru_cache(maxsize=512)(SECONDS.labels)


def exposition(shared: Path | None) -> bytes:
    """The metrics in Prometheus' text format: of all processes that count in the folder they share, else of this one."""
    if shared is None:
        return generate_latest(OWN_REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, path=str(shared))
    return generate_latest(registry)
