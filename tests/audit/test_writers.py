"""32 writers at once in one school: the chain holds, and costs them little, because none waits for another's work."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audit.committed import Committed
from tests.audit.writers import THREADS
from tests.measured import measured
from tests.pace import MOST_SHARED, slowdown

ROOT = Path(__file__).parents[2]
PROCESSES = 4
LONG = bool(os.environ.get("GROUNDSCHOOL_LONG"))
ROUNDS = 9 if LONG else 7
"""Pairs, without the chain and with it in turns; how many is said beforehand, whatever they come to."""
DEEDS = 40 if LONG else 6
"""In each round, by each of the 32 writers."""
LINKS = "select count(*) from audit_link l join tenant t on t.id = l.tenant_id where t.slug = 'skyline'"
LEAST = 0.8
"""Of the throughput without the chain, in the median of the pairs: what else the machine does passes from pair to pair."""


@pytest.fixture
def writers(own: Committed) -> Iterator[list[subprocess.Popen[str]]]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.audit.writers", own.name],
            cwd=ROOT, env=dict(os.environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(PROCESSES)
    ]  # fmt: skip
    try:
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "READY\n"
        yield processes
    finally:
        for process in processes:
            process.stdin.close()  # type: ignore[union-attr]
            process.wait(30)
            process.stdout.close()  # type: ignore[union-attr]


def throughput(own: Committed, writers: list[subprocess.Popen[str]], *, chained: bool) -> float:
    """Deeds a second of all writers together: at Skyline with the chain, at Harbour with its trigger switched off."""
    with own.owner.begin() as connection:
        connection.exec_driver_sql(
            f"alter table audit_entry {'enable' if chained else 'disable'} trigger seal_at_commit"
        )
    began = time.perf_counter()
    for process in writers:
        process.stdin.write(f"{'skyline' if chained else 'harbour'} {DEEDS}\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
    done = sum(int(process.stdout.readline()) for process in writers)  # type: ignore[union-attr]
    assert done == PROCESSES * THREADS * DEEDS
    return done / (time.perf_counter() - began)


def test_32_writers_at_once(own: Committed, writers: list[subprocess.Popen[str]]) -> None:
    throughput(own, writers, chained=True)
    before = own.ask(LINKS)
    took: dict[bool, list[float]] = {True: [], False: []}
    for number in range(ROUNDS):
        for chained in (True, False) if number % 2 else (False, True):
            took[chained].append(throughput(own, writers, chained=chained))
    sealed, plain = statistics.median(took[True]), statistics.median(took[False])
    kept = statistics.median(with_it / without for with_it, without in zip(took[True], took[False], strict=True))
    measured(f"32 writers: {plain:.0f} deeds/s without the chain, {sealed:.0f} with it: {kept:.0%} in the median pair")
    assert own.run("audit", "verify", "--tenant", "skyline").exit_code == 0
    assert own.ask(LINKS) == before + ROUNDS * PROCESSES * THREADS * DEEDS
    if kept < LEAST and (shared := slowdown()) > MOST_SHARED:
        pytest.skip(f"{kept:.0%} on a machine shared {shared:.1f} ways: it says nothing of the chain")
    assert kept >= LEAST


def test_verifying_while_32_write(own: Committed, writers: list[subprocess.Popen[str]]) -> None:
    """What is being written meanwhile is whole or absent."""
    found: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            found.append(own.run("audit", "verify", "--tenant", "skyline").exit_code)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        throughput(own, writers, chained=True)
    finally:
        over.set()
        watcher.join()
    assert set(found) == {0}
