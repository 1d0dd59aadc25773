"""Some of the writers of test_writers.py: a process of its own with eight threads, told by its standard input what to do.

`python -m tests.audit.writers DATABASE` writes READY, and for each line "SLUG DEEDS" does that many deeds in each thread at once,
then writes how many are done.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from flask import Flask
from sqlalchemy import select

from app.factory import create_app
from app.foundation import tenancy
from app.foundation.actor import Actor
from app.foundation.db import session, unit_of_work
from app.foundation.models import OutboxEvent
from app.identity.models import Membership, User
from app.scheduling.operations.resources import add_aircraft
from tests.cast import ANA, HAL, school
from tests.servers import settings_for

THREADS = 8
ADMINS = {"skyline": ANA.email, "harbour": HAL.email}


def main(database: str) -> None:
    app = create_app(settings_for(database, web_threads=THREADS))
    schools = {slug: school(slug) for slug in ADMINS}
    session.remove()
    with ThreadPoolExecutor(THREADS) as threads:
        for slug, reference in schools.items():
            list(threads.map(lambda _n, at=(slug, reference): deeds(app, *at, 1), range(THREADS)))
        answer("READY")
        for line in sys.stdin:
            slug, count = line.split()
            done = list(threads.map(lambda _n, at=slug, n=int(count): deeds(app, at, schools[at], n), range(THREADS)))
            answer(str(sum(done)))


def deeds(app: Flask, slug: str, at: tenancy.TenantRef, count: int) -> int:
    """What a post does besides its page: look the person up, write a record, its event and its entry, commit."""
    tenancy.enter(at)
    for _ in range(count):
        with unit_of_work():
            member = session.scalars(select(Membership).join(User).where(User.email == ADMINS[slug])).one()
            actor = Actor(user_id=member.user_id, membership_id=member.id, roles=frozenset(member.roles))
            aircraft = add_aircraft(uuid4().hex, "", actor=actor)
            session.add(OutboxEvent(tenant_id=at.id, name="AircraftAdded", payload={"resource_id": aircraft.id}))
    return count


def answer(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
