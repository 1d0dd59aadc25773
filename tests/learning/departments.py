"""The tree of departments for tests of audiences and assignments: Skyline's four, some of them below "Flight training"."""

from __future__ import annotations

from app.courses.models import Course
from app.courses.operations import choose_audience
from app.foundation.db import session
from app.identity.models import Membership
from app.tenants.models import Department
from app.tenants.operations import add_department, change_department
from app.tenants.queries import list_departments
from tests.cast import ADA, ANA, MIA, Person, actor, at_school, member

CABIN = Person("learner03@skyline.example", "skyline")
"""A learner of "Cabin crew"; Leo is of "Private pilots", Mia of "Instrument"."""
BELOW = ("Private pilots", "Instrument", "Commercial")
TOP = "Flight training"


def grow_tree() -> dict[str, int]:
    """Put three departments below a new one, and commit. Returns the ids by name."""
    with at_school("skyline"):
        top = add_department(TOP, actor=actor(ANA))
        for department in list_departments():
            if department.name in BELOW:
                change_department(department, name=department.name, parent=top, actor=actor(ANA))
        session.commit()
        assert department_of(CABIN) == "Cabin crew"
        assert department_of(MIA) == "Instrument"
        return {department.name: department.id for department in list_departments()}


def department_of(person: Person) -> str:
    found = session.get(Department, member(person).department_id or 0)
    return found.name if found else ""


def move_to(person: Person, department_id: int | None) -> None:
    """A person is in another department from now on."""
    with at_school("skyline"):
        session.get_one(Membership, member(person).id).department_id = department_id
        session.commit()


def narrow(course_id: int, *department_ids: int) -> None:
    """A course is for these departments from now on."""
    with at_school("skyline"):
        choose_audience(session.get_one(Course, course_id), department_ids, actor=actor(ADA))
        session.commit()
