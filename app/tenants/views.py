"""Pages about a school: where its admins find what they seldom need, who may do what, the work that was parked."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from app.audit.queries import list_entries_about
from app.audit.rules import field_words
from app.foundation import jobs, nav, permissions, tenancy
from app.foundation.mail import absolute_url, can_send_mail
from app.foundation.meanwhile import ChangedMeanwhile
from app.foundation.once import once
from app.foundation.pages import as_left, list_query
from app.foundation.permissions import Role, access, newcomers, requires
from app.foundation.replies import page, reply
from app.identity.queries import count_people_by_department, list_office
from app.tenants.forms import DepartmentForm, NewDepartmentForm, PressOnlyForm, SettingsForm, typed
from app.tenants.models import Department
from app.tenants.operations import (
    add_department,
    change_department,
    change_settings,
    facts_of,
    facts_of_department,
    remove_department,
    replay_stuck_work,
)
from app.tenants.policies import Can
from app.tenants.queries import find_department, find_school, list_departments, school_settings
from app.tenants.rules import (
    DAYS,
    Branch,
    brand_digest,
    brand_stylesheet,
    hours_in_words,
    places_in,
    tree_of,
    work_words,
)

bp = Blueprint("tenants", __name__, url_prefix="/<tenant>")
nav.add(nav.Entry(_l("School"), "tenants.school_show", "building-2", 38, Can.SEE_SCHOOL))
for card in (
    nav.Card(
        _l("Settings"), _l("Name, hours, color, who may join, who is told."), "tenants.settings_edit", "settings",
        10, Can.CHANGE_SETTINGS,
    ),
    nav.Card(
        _l("Departments"), _l("The parts of the school, and which lies below which."), "tenants.departments_index",
        "layers", 20, Can.KEEP_DEPARTMENTS,
    ),
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


@bp.get("/settings")
@requires(Can.CHANGE_SETTINGS)
def settings_edit() -> Any:
    settings = school_settings()
    values = typed(facts_of(find_school(), settings))
    return _settings_page(SettingsForm(formdata=None, data={**values, "version": settings.version}))


@bp.post("/settings")
@requires(Can.CHANGE_SETTINGS)
def settings_update() -> Any:
    form, office = SettingsForm(), list_office()
    form.offer(office)
    version = form.version.data or ""
    if form.carry_out(lambda: change_settings(form.facts, version=version, actor=current_user)):
        return reply(f"/{form.slug.data}/settings", said=_("The settings are saved."))
    return _settings_page(form, office)


@bp.get("/departments")
@requires(Can.KEEP_DEPARTMENTS)
def departments_index() -> Any:
    return _departments_page(NewDepartmentForm(formdata=None), _tree())


@bp.post("/departments")
@requires(Can.KEEP_DEPARTMENTS)
@once
def department_create() -> Any:
    form, tree = NewDepartmentForm(), _tree()
    form.offer_places(list(places_in(tree)))
    if made := form.carry_out(lambda: add_department(form.name.data or "", parent=_parent(form), actor=current_user)):
        return reply(url_for("tenants.departments_index"), said=_("%(name)s is added.", name=made.name))
    return _departments_page(form, tree)


@bp.get("/departments/<int:department_id>")
@requires(Can.KEEP_DEPARTMENTS)
def department_edit(department_id: int) -> Any:
    department = access(Department, department_id)
    return _department_page(_form_of(department), department)


@bp.post("/departments/<int:department_id>")
@requires(Can.KEEP_DEPARTMENTS)
def department_update(department_id: int) -> Any:
    department, form = access(Department, department_id), DepartmentForm()
    form.offer_places(list(places_in(_tree())))
    form.leave_untouched(facts_of_department(department))
    deed = lambda: change_department(  # noqa: E731
        department, name=form.name.data or "", parent=_parent(form), read=form.values_read, actor=current_user
    )
    if form.carry_out(deed):
        return reply(url_for("tenants.departments_index"), said=_("%(name)s is saved.", name=department.name))
    if isinstance(form.refused, ChangedMeanwhile):
        form.take_note(form.refused, facts_of_department(department))
    return _department_page(form, department)


@bp.get("/departments/<int:department_id>/removal")
@requires(Can.KEEP_DEPARTMENTS)
def department_removal_show(department_id: int) -> Any:
    """A deed is posted; whoever opens its address is led to the department."""
    return redirect(url_for("tenants.department_edit", department_id=access(Department, department_id).id), 303)


@bp.post("/departments/<int:department_id>/removal")
@requires(Can.KEEP_DEPARTMENTS)
def department_removal_create(department_id: int) -> Any:
    department, press = access(Department, department_id), PressOnlyForm()
    if press.carry_out(lambda: remove_department(department, actor=current_user)):
        return reply(url_for("tenants.departments_index"), said=_("%(name)s is removed.", name=department.name))
    form = _form_of(department)
    form.refusal, form.status = press.refusal, press.status
    return _department_page(form, department)


@bp.get("/brand-<digest>.css")
@newcomers("the color of a school, on its pages for everybody")
def brand_show(digest: str) -> Response:
    color = tenancy.required().brand_color
    if not color or digest != brand_digest(color):
        abort(404)
    response = make_response(brand_stylesheet(color))
    response.headers["Content-Type"] = "text/css; charset=utf-8"
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@bp.app_context_processor
def brand_of_the_school() -> dict[str, str]:
    """Where the layout finds the school's style sheet; read from the process's cache, not from the database."""
    school = tenancy.current()
    if school is None or not school.brand_color:
        return {"brand_css": ""}
    return {"brand_css": url_for("tenants.brand_show", digest=brand_digest(school.brand_color))}


@bp.get("/permissions")
@requires(Can.SEE_PERMISSIONS)
def permissions_index() -> Any:
    return page("tenants/permissions.html", features=_matrix(), roles=_roles())


@bp.get("/stuck-work")
@requires(Can.SEE_STUCK_WORK)
def stuck_work_index() -> Any:
    school = tenancy.required().id
    wanted = list_query(sorts={"newest": ""}, kind=_stuck_kinds(school, request.args.get("kind", "")))
    found = jobs.list_dead_jobs(school, kind=wanted.get("kind"), search=wanted.search, cursor=wanted.cursor)
    return page("tenants/stuck_work.html", found=found, wanted=wanted, words=work_words)


@bp.post("/stuck-work/<int:job_id>/replay")
@requires(Can.REPLAY_STUCK_WORK)
def stuck_work_replay(job_id: int) -> Any:
    job = jobs.find_dead_job(tenancy.required().id, job_id) or abort(404)
    replay_stuck_work(job, actor=current_user)
    return reply(as_left(url_for("tenants.stuck_work_index")), said=_("It will be tried again now."))


@bp.get("/stuck-work/<int:job_id>/replay")
@requires(Can.SEE_STUCK_WORK)
def stuck_work_replay_show(job_id: int) -> Any:
    """A deed is posted; whoever opens its address is led to the list."""
    job = jobs.find_dead_job(tenancy.required().id, job_id) or abort(404)
    return redirect(url_for("tenants.stuck_work_index", _anchor=f"job-{job.id}"), 303)


# -- what the pages are made of ------------------------------------------------------------------------------------


def _stuck_kinds(school: int, asked: str) -> dict[str, str]:
    """What the list can be narrowed to. The kind asked for stays a choice when the last of it was tried again."""
    return {kind: work_words(kind) for kind in [*jobs.dead_kinds(school), asked] if kind and kind.isprintable()}


def _tree() -> tuple[Branch, ...]:
    return tree_of(list_departments(), count_people_by_department())


def _parent(form: NewDepartmentForm | DepartmentForm) -> Department | None:
    return find_department(form.parent_id) if form.parent_id else None


def _form_of(department: Department) -> DepartmentForm:
    form = DepartmentForm(formdata=None, name=department.name, parent=str(department.parent_id or ""))
    form.was_made_with(facts_of_department(department))
    return form


def _departments_page(form: NewDepartmentForm, tree: tuple[Branch, ...]) -> Any:
    form.offer_places(list(places_in(tree)))
    return page("tenants/departments.html", form=form, tree=tree, status=form.status)


def _department_page(form: DepartmentForm, department: Department) -> Any:
    form.offer_places(list(places_in(_tree(), but=department.id)))
    return page("tenants/department.html", form=form, department=department, status=form.status)


def _settings_page(form: SettingsForm, office: dict[int, str] | None = None) -> Any:
    office = list_office() if office is None else office
    form.offer(office)
    return page(
        "tenants/settings.html", form=form, rivals=_rivals(form, office) if form.status == 409 else [],
        days=DAYS, can_send_mail=can_send_mail(), status=form.status,
        join_url=absolute_url("identity.registration_new", tenant=tenancy.required().slug),
    )  # fmt: skip


def _rivals(form: SettingsForm, office: dict[int, str]) -> list[tuple[str, str, str]]:
    """What others changed since the form was read: field, its value now, the value typed. The form then counts as read now."""
    settings = school_settings()
    read, now = form.version.data or "", facts_of(find_school(), settings)
    fields: set[str] = set()
    for entry in list_entries_about("SchoolSettings", settings.id):
        after = entry.after or {}
        if read.isdigit() and after.get("version", 0) > int(read):
            fields |= after.keys() & now.keys()
    form.version.data = str(settings.version)
    mine = form.facts
    return [(field_words(name), _in_words(now[name], office), _in_words(mine[name], office)) for name in sorted(fields)]


def _in_words(value: Any, office: dict[int, str]) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value in (None, "", [], {}):
        return "–"
    if isinstance(value, dict):
        return hours_in_words(value)
    if isinstance(value, list):
        return ", ".join(office.get(item, str(item)) if isinstance(item, int) else str(item) for item in value)
    return str(value)


def _matrix() -> dict[str, list[tuple[str, frozenset[str]]]]:
    """The permissions by the words of their feature, each in words with the roles that hold it."""
    features: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for name, roles in permissions.permission_matrix().items():
        feature = name.partition(":")[0]
        features.setdefault(_FEATURES.get(feature) or feature.capitalize(), []).append(
            (permissions.words_of(name), roles)
        )
    return {str(feature): sorted(features[feature]) for feature in sorted(features, key=str)}


_FEATURES: dict[str, Any] = {
    "audit": _l("Audit trail"),
    "courses": _l("Courses"),
    "identity": _l("People"),
    "learning": _l("Learning"),
    "scheduling": _l("Schedule"),
    "tenants": _l("School"),
}
"""The packages in words for people."""


def _roles() -> list[tuple[str, str]]:
    words = {
        Role.LEARNER: _("Learner"),
        Role.INSTRUCTOR: _("Instructor"),
        Role.AUTHOR: _("Author"),
        Role.MANAGER: _("Manager"),
        Role.ADMIN: _("Admin"),
    }
    return [(role.value, word) for role, word in words.items()]
