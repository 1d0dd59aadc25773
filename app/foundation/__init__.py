"""The ground every feature stands on: settings, clock, sessions, the tenant wall, permissions, replies, events and jobs.

Nouns: Tenant reference, Actor, Refusal, Page (of rows), OutboxEvent, Job. It knows no feature.
"""
