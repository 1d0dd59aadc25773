"""Each test finds all limits whole and the mailbox empty, as those of identity do."""

from __future__ import annotations

from tests.identity.conftest import _an_empty_mailbox, _whole_limits

__all__ = ["_an_empty_mailbox", "_whole_limits"]
