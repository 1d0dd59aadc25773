"""Every write on courses: importing a draft from files, publishing it, choosing whom it is for."""

from __future__ import annotations

from app.courses.operations.audience import AudienceChanged, choose_audience
from app.courses.operations.importing import ImportRefused, import_course
from app.courses.operations.publishing import CourseIsEmpty, NothingChanged, publish_course

__all__ = [
    "AudienceChanged", "CourseIsEmpty", "ImportRefused", "NothingChanged", "choose_audience", "import_course",
    "publish_course",
]  # fmt: skip
