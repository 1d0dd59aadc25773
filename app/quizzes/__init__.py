"""Quizzes: a step kind that asks, grades and explains.

Nouns: Quiz (a step's content), Question, Attempt, Answer. Events: AttemptSubmitted. Keys and explanations stay on the
server until the attempt is submitted; grading is pure computation in rules.py.
"""
