"""The audit trail: who did what to which record, when, from where and under which request. Append-only.

Nouns: AuditEntry, AuditLink and AuditHead (the chain of a school, sealed at COMMIT), PlatformEntry (what concerns no school). Every
deed writes an entry by `audit(…)` from `app.audit.operations`.
"""
