"""Pages about a school: where its admins find what they seldom need, who may do what, the work that was parked."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from app.foundation import jobs, nav, permissions, tenancy
from app.foundation.permissions import Role, requires
from app.foundation.replies import page, reply
from app.tenants.operations import replay_stuck_work
from app.tenants.policies import Can

bp = Blueprint("tenants", __name__, url_prefix="/<tenant>")
nav.add(nav.Entry(_l("School"), "tenants.school_show", "building-2", 38, Can.SEE_SCHOOL))
for card in (
    nav.Card(
        _l("Permissions"), _l("Who may do what: what each role includes."), "tenants.permissions_index", "shield-check",
        30, Can.SEE_PERMISSIONS,
    ),
    nav.Card(
        _l("Stuck work"), _l("Mails and other work that failed too often."), "tenants.stuck_work_index",
        "triangle-alert", 60, Can.SEE_STUCK_WORK,
    ),
):  # fmt: skip
    nav.add_card(card)


@bp.get("/school")
@requires(Can.SEE_SCHOOL)
def school_show() -> Any:
    return page("tenants/school.html", cards=nav.cards_for(current_user))


@bp.get("/permissions")
@requires(Can.SEE_PERMISSIONS)
def permissions_index() -> Any:
    return page("tenants/permissions.html", features=_matrix(), roles=_roles())


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


# -- what the pages are made of ------------------------------------------------------------------------------------


def _matrix() -> dict[str, list[tuple[str, frozenset[str]]]]:
    """The permissions by the words of their feature, each in words with the roles that hold it."""
    features: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for name, roles in permissions.permission_matrix().items():
        feature = name.partition(":")[0]
        features.setdefault(_FEATURES.get(feature) or feature.capitalize(), []).append(
            (permissions.words_of(name), roles)
        )
    return {str(feature): sorted(features[feature]) for feature in sorted(features, key=str)}


_FEATURES: dict[str, Any] = {"identity": _l("People"), "tenants": _l("School"), "scheduling": _l("Schedule")}
"""Where the name in the code is not the word for people."""


def _roles() -> list[tuple[str, str]]:
    words = {
        Role.LEARNER: _("Learner"),
        Role.INSTRUCTOR: _("Instructor"),
        Role.AUTHOR: _("Author"),
        Role.MANAGER: _("Manager"),
        Role.ADMIN: _("Admin"),
    }
    return [(role.value, word) for role, word in words.items()]
