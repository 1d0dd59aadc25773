"""Who asks: one client that times page and floor in turn, and wrk (else locust) for many at once."""

from __future__ import annotations

import json
import re
import select
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.run import Effort
    from bench.stage import Target

FEWEST = 5
"""So many pairs are timed even when the time for them is over."""
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Timed:
    """Milliseconds at concurrency 1, and the bytes of one answer, headers included."""

    p50_ms: float
    p95_ms: float
    floor_ms: float
    bytes: int


class Client:
    """One connection that is kept, and one request that is sent again and again."""

    def __init__(self, target: Target) -> None:
        self.socket = socket.create_connection(("127.0.0.1", target.port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fields = "".join(f"{name}: {value}\r\n" for name, value in target.headers.items() if name != "Host")
        self.request = f"GET {target.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n".encode()
        self.path, self.bytes = target.path, 0

    def ask(self) -> float:
        """One request; its seconds, from the first byte sent to the last byte read."""
        began = time.perf_counter()
        self.socket.sendall(self.request)
        received = self.socket.recv(262_144)
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        found = LENGTH.search(head)
        if not head.startswith(b"HTTP/1.1 200") or found is None:
            raise RuntimeError(f"{self.path} answers {head[:40]!r}")
        missing = int(found[1]) - len(body)
        while missing > 0:
            missing -= len(self._more())
        took = time.perf_counter() - began
        self.bytes = len(head) + 4 + int(found[1])
        return took

    def _more(self) -> bytes:
        received = self.socket.recv(262_144)
        if not received:
            raise RuntimeError(f"{self.path} broke off")
        return received

    def close(self) -> None:
        self.socket.close()


def time_in_turn(page: Target, floor: Target, effort: Effort) -> Timed:
    """Ask for the page, then its floor, again and again, so that whatever else the machine does hits both."""
    ours, bare = Client(page), Client(floor)
    try:
        took, floors = alternate(ours.ask, bare.ask, effort)
    finally:
        ours.close()
        bare.close()
    return Timed(
        p50_ms=statistics.median(took) * 1000,
        p95_ms=sorted(took)[int(len(took) * 0.95)] * 1000,
        floor_ms=statistics.median(floors) * 1000,
        bytes=ours.bytes,
    )


def alternate(one: Callable[[], float], other: Callable[[], float], effort: Effort) -> tuple[list[float], list[float]]:
    """Ask both in turn, first until they are warm; the seconds that each took."""
    for _ in range(effort.warm_up):
        one()
        other()
    took: list[float] = []
    others: list[float] = []
    over = time.monotonic() + effort.patience
    while len(took) < effort.pairs and (len(took) < FEWEST or time.monotonic() < over):
        took.append(one())
        others.append(other())
    return took, others


def name() -> str:
    """The driver that asks many times at once."""
    return "wrk" if shutil.which("wrk") else "locust"


Ask = Callable[[str, Mapping[str, str], int, int], float]
"""Asks for an address with headers, so many at once, for so many seconds; returns requests a second."""


@contextmanager
def many() -> Iterator[Ask]:
    """Whoever asks many times at once: wrk, else locust, which lives in a process of its own until this is left."""
    if name() == "wrk":
        yield _wrk
        return
    command = [sys.executable, "-W", "ignore", "-m", "bench.crowd"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as crowd:
        try:
            yield partial(_locust, crowd)
        finally:
            crowd.kill()


def requests_per_second(ask: Ask, url: str, headers: Mapping[str, str], *, at_once: int, effort: Effort) -> float:
    """The median of several rounds, each request on a connection of its own, so that every worker gets its share."""
    return statistics.median(ask(url, headers, at_once, effort.seconds) for _ in range(effort.rounds))


def _wrk(url: str, headers: Mapping[str, str], at_once: int, seconds: int) -> float:
    fields = [part for key, value in headers.items() for part in ("-H", f"{key}: {value}")]
    command = ["wrk", "-t2", f"-c{at_once}", f"-d{seconds}s", *fields, "-H", "Connection: close", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if found is None or "Non-2xx" in said:
        raise RuntimeError(f"wrk could not measure {url}:\n{said}")
    return float(found[1])


def _locust(crowd: subprocess.Popen[str], url: str, headers: Mapping[str, str], at_once: int, seconds: int) -> float:
    assert crowd.stdin
    assert crowd.stdout
    order = {"url": url, "headers": dict(headers), "at_once": at_once, "seconds": seconds}
    crowd.stdin.write(json.dumps(order) + "\n")
    crowd.stdin.flush()
    answered, _, _ = select.select([crowd.stdout], [], [], seconds + 60)
    said = crowd.stdout.readline() if answered else ""
    numbers = json.loads(said) if said else {}
    if not numbers.get("requests") or numbers["failures"]:
        raise RuntimeError(f"locust could not measure {url}: {said or 'it has ended, or never answered'}")
    return float(numbers["requests"] / numbers["seconds"])
