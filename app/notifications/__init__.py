"""Notifications: what a person should know, in the app and by mail. One row a person and cause, however often it is told.

Nouns: Notification. Listens to the events of the floors below.
"""
