"""`flask courses …`: bring a course in from files."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from app.courses.models import Course
from app.courses.operations import import_course, publish_course
from app.courses.queries import draft_outline
from app.foundation import tenancy
from app.foundation.actor import SYSTEM
from app.foundation.db import unit_of_work
from app.foundation.refusals import Refusal
from app.tenants.queries import find_tenant_by_slug

group = AppGroup("courses", help="Courses as files (docs/content-format.md).")


@group.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--tenant", "slug", required=True, help="The school's slug.")
@click.option("--publish", is_flag=True, help="Also publish the draft as the next version.")
def import_folder(folder: Path, slug: str, publish: bool) -> None:
    """Make or update the draft of the course in FOLDER; with --publish, publish it too. All of it happens, or nothing."""
    with tenancy.tenant_scope(_school(slug)):
        try:
            with unit_of_work():
                course = import_course(folder, actor=SYSTEM)
                report = [_imported(course)]
                if publish:
                    version = publish_course(course, actor=SYSTEM).version
                    report.append(f"Published as version {version}.")
        except Refusal as refused:
            raise click.ClickException(refused.sentence) from refused
    click.echo("\n".join(report))


def _imported(course: Course) -> str:
    lessons = [lesson for module in draft_outline(course.id) for lesson in module["lessons"]]
    steps = sum(len(lesson["steps"]) for lesson in lessons)
    return f"“{course.title}” ({course.slug}) is imported. Lessons: {len(lessons)}, steps: {steps}."


def _school(slug: str) -> tenancy.TenantRef:
    with tenancy.tenant_scope(None), unit_of_work():
        school = find_tenant_by_slug(slug)
    if school is None:
        raise click.ClickException(f"There is no school at {slug!r}.")
    return school
