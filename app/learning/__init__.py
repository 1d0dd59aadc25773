"""Learning: a person takes a course. Catalog, course page, step player, progress, "continue where you left".

Nouns: Enrollment (pinned to a publication), StepProgress, LessonProgress. Events: LearnerEnrolled, LessonCompleted,
CourseCompleted.
"""
