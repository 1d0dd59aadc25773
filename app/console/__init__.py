"""The operator's console: the schools of the platform, how much each is used, and opening and suspending them.

A roof: it composes what identity, tenants and audit know. An operator sees numbers of a school, its admins and what operators
did there; what its people wrote they see only by acting as a person, which that person is told.
"""
