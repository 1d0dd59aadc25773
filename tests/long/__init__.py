"""What takes long: chaos, load and fuzz. At a tenth of their size unless GROUNDSCHOOL_LONG is set (bin/test --long)."""

from __future__ import annotations

import os

IS_LONG = bool(os.environ.get("GROUNDSCHOOL_LONG"))


def rounds(full: int) -> int:
    """So many in the long form, a tenth in the short one."""
    return full if IS_LONG else max(1, full // 10)
