"""Writing the audit trail, and changing the key of its encrypted addresses."""

from app.audit.operations.recording import audit, audit_on_platform, keys_of_app, record_export
from app.audit.operations.rotating import rotate_keys

__all__ = ["audit", "audit_on_platform", "keys_of_app", "record_export", "rotate_keys"]
