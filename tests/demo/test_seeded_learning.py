"""What the demo's learners have done so far."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from app.courses.models import Course
from app.demo import operations
from app.foundation.db import session
from app.learning.models import Enrollment
from tests.cast import LEO, at_school, member


def test_the_learner_of_the_readme_has_the_first_course_still_to_take(app: Flask) -> None:
    with app.app_context():
        operations.seed()
        with at_school("skyline"):
            mine = select(Enrollment).where(Enrollment.membership_id == member(LEO).id)
            begun = session.scalars(mine).all()
            first = session.scalars(select(Course).order_by(Course.id)).first()
            assert first
            assert first.id not in {one.course_id for one in begun}
            assert begun
            assert not any(one.completed_at for one in begun)
