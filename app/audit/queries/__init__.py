"""Every SELECT on the audit trail and its chains."""

from app.audit.queries.chain import (
    Head,
    Verdict,
    find_head,
    find_links_between,
    list_schools,
    stream_chain,
    verify_chain,
)
from app.audit.queries.trail import (
    Line,
    Vocabulary,
    Wanted,
    emails_of_operators,
    list_entries_about,
    list_trail,
    operators_in,
    people_in,
    stream_trail,
    vocabulary,
    was_done_since,
)

__all__ = [
    "Head", "Line", "Verdict", "Vocabulary", "Wanted",
    "emails_of_operators", "find_head", "find_links_between", "list_entries_about", "list_schools",
    "list_trail", "operators_in", "people_in", "stream_chain", "stream_trail", "verify_chain", "vocabulary",
    "was_done_since",
]  # fmt: skip
