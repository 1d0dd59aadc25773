"""The audit trail: who did what to which record, when, from where and under which request. Append-only.

Nouns: AuditEntry. Every deed writes one by `audit(…)` from `app.audit.operations`.
"""
