"""Courses: what a school teaches, as drafts that authors edit and publications that never change.

Nouns: Course → Module → Lesson → Step → Variant (drafts); Publication and PublishedLesson (frozen). Events: CoursePublished.
Each module, lesson and step has a stable `key`, unique in its course, to which progress refers across publications.
"""
