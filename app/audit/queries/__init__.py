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
from app.audit.queries.names import KIND_OF_FIELD, PERSON, Names, Record, names_of_records, numbers_in, records_in
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
    "KIND_OF_FIELD", "PERSON", "Head", "Line", "Names", "Record", "Verdict", "Vocabulary", "Wanted",
    "emails_of_operators", "find_head", "find_links_between", "list_entries_about", "list_schools",
    "list_trail", "names_of_records", "numbers_in", "operators_in", "people_in", "records_in", "stream_chain",
    "stream_trail", "verify_chain", "vocabulary", "was_done_since",
]  # fmt: skip
