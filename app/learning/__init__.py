"""Learning: a person takes a course. Catalog, course page, step player, progress, "continue where you left"; and courses that
managers assign to departments and people.

Nouns: Enrollment (pinned to a publication), StepProgress, LessonProgress, Assignment. Events: LearnerEnrolled, LessonCompleted,
CourseCompleted, CourseAssigned, AssignmentMoved, AssignmentDue, AssignmentRemoved.
"""
