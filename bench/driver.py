"""Who asks: one client that times page and floor in turn, and wrk (else locust) for many at once."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.run import Effort
    from bench.stage import Target

WARM_UP = 30
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
LOCUSTFILE = Path(__file__).with_name("locustfile.py")


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


def time_in_turn(page: Target, floor: Target, *, pairs: int) -> Timed:
    """Ask for the page, then its floor, `pairs` times over, so that whatever else the machine does hits both."""
    ours, bare = Client(page), Client(floor)
    try:
        took, floors = alternate(ours.ask, bare.ask, pairs=pairs)
    finally:
        ours.close()
        bare.close()
    return Timed(
        p50_ms=statistics.median(took) * 1000,
        p95_ms=sorted(took)[int(len(took) * 0.95)] * 1000,
        floor_ms=statistics.median(floors) * 1000,
        bytes=ours.bytes,
    )


def alternate(
    one: Callable[[], float], other: Callable[[], float], *, pairs: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Ask both in turn, first until they are warm; the seconds that each took, `pairs` of them."""
    for _ in range(WARM_UP):
        one()
        other()
    took, others = zip(*((one(), other()) for _ in range(pairs)), strict=True)
    return took, others


def name() -> str:
    """The driver that asks many times at once."""
    return "wrk" if shutil.which("wrk") else "locust"


def requests_per_second(url: str, headers: Mapping[str, str], *, at_once: int, effort: Effort) -> float:
    """The median of several rounds, each request on a connection of its own, so that every worker gets its share."""
    ask = _wrk if name() == "wrk" else _locust
    return statistics.median(ask(url, headers, at_once, effort.seconds) for _ in range(effort.rounds))


def _wrk(url: str, headers: Mapping[str, str], at_once: int, seconds: int) -> float:
    fields = [part for key, value in headers.items() for part in ("-H", f"{key}: {value}")]
    command = ["wrk", "-t2", f"-c{at_once}", f"-d{seconds}s", *fields, "-H", "Connection: close", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if found is None or "Non-2xx" in said:
        raise RuntimeError(f"wrk could not measure {url}:\n{said}")
    return float(found[1])


def _locust(url: str, headers: Mapping[str, str], at_once: int, seconds: int) -> float:
    base, _, path = url.removeprefix("http://").partition("/")
    environment = {**os.environ, "BENCH_PATH": f"/{path}", "BENCH_HEADERS": json.dumps(dict(headers))}
    command = [
        sys.executable,
        "-m",
        "locust",
        "-f",
        str(LOCUSTFILE),
        "--headless",
        "--json",
        "--host",
        f"http://{base}",
    ]
    command += ["-u", str(at_once), "-r", str(at_once), "-t", f"{seconds}s"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=seconds + 60)
    if done.returncode:
        raise RuntimeError(f"locust could not measure {url}:\n{done.stderr[-2000:]}")
    (entry,) = json.loads(done.stdout)
    return float(entry["num_requests"] / (entry["last_request_timestamp"] - entry["start_time"]))
