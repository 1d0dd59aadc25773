"""The floor beside each page: a bare Flask view that stamps the school, asks the database as often and sends the same bytes.

Served by the product's gunicorn settings and through the same kind of pool. Nothing else of the product runs here: no
session, no permission, no template. `nothing` is less still: it shows what the driver and gunicorn alone can do.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, Response
from jinja2 import Environment

from app.foundation.db import make_engine
from app.foundation.settings import normal_database_url
from app.foundation.tenancy import STAMP

BY_KEY = "select id, name, roles, status from membership where tenant_id = %(tenant)s and id = %(id)s"
LOOP = "{% for row in rows %}<tr>{% for value in row %}<td>{{ value }}</td>{% endfor %}</tr>{% endfor %}"


@dataclass(frozen=True)
class FloorPlan:
    """What the floor of one page does. `selects` are whole statements; without them `keys` rows are read by their key."""

    tenant: str
    user: str
    member: int
    keys: int
    selects: tuple[str, ...]
    body: bytes
    headers: tuple[tuple[str, str], ...]


def create_floor(plans: list[FloorPlan]) -> Flask:
    """One view: the floor of a page by its number."""
    app = Flask("floor")
    engine = make_engine(
        normal_database_url(os.environ["DATABASE_URL"]), pool_size=int(os.environ.get("WEB_THREADS", "8"))
    )
    loop = Environment(autoescape=True).from_string(LOOP)

    @app.get("/<int:number>")
    def show(number: int) -> Response:
        plan = plans[number]
        if plan.keys or plan.selects:
            with engine.begin() as connection:
                connection.exec_driver_sql(STAMP, {"tenant": plan.tenant, "user": plan.user})
                if plan.selects:
                    plain = connection.execution_options(no_parameters=True)
                    loop.render(rows=[row for select in plan.selects for row in plain.exec_driver_sql(select)])
                for _ in range(plan.keys):
                    connection.exec_driver_sql(BY_KEY, {"tenant": plan.tenant, "id": plan.member}).first()
        return Response(plan.body, headers=list(plan.headers))

    return app


def nothing(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The smallest answer there is."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


if "BENCH_FLOORS" in os.environ:
    app = create_floor(pickle.loads(Path(os.environ["BENCH_FLOORS"]).read_bytes()))
