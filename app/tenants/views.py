"""Pages about a school: the work that was parked after too many failures."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.foundation import jobs, tenancy
from app.foundation.permissions import requires
from app.foundation.replies import page, reply
from app.tenants.operations import replay_stuck_work
from app.tenants.policies import Can

bp = Blueprint("tenants", __name__, url_prefix="/<tenant>")


@bp.get("/stuck-work")
@requires(Can.SEE_STUCK_WORK)
def stuck_work_index() -> Any:
    return page("tenants/stuck_work.html", jobs=jobs.list_dead_jobs(tenancy.required().id))


@bp.post("/stuck-work/<int:job_id>/replay")
@requires(Can.REPLAY_STUCK_WORK)
def stuck_work_replay(job_id: int) -> Any:
    job = jobs.find_dead_job(tenancy.required().id, job_id) or abort(404)
    replay_stuck_work(job, actor=current_user)
    return reply(url_for("tenants.stuck_work_index"), said=_("It will be tried again now."))


@bp.get("/stuck-work/<int:job_id>/replay")
@requires(Can.SEE_STUCK_WORK)
def stuck_work_replay_show(job_id: int) -> Any:
    """A deed is posted; whoever opens its address is led to the list."""
    job = jobs.find_dead_job(tenancy.required().id, job_id) or abort(404)
    return redirect(url_for("tenants.stuck_work_index", _anchor=f"job-{job.id}"), 303)
