"""One mechanism for every list: filters, search, sort and the keyset cursor live in the URL.

A view reads `list_query(…)` from the URL; a query room turns it into a `Page` of rows with `paginate(…)`. Keyset pages stay
fast and stable however long the list is: page n costs what page 1 costs, and a new row shifts nothing. `paginate_rows(…)` does
the same for rows that are no table's: the files of a folder, the lines of a document.
"""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode, urlsplit

from flask import request
from flask_babel import gettext as _
from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from app.foundation.db import session
from app.foundation.refusals import BadRequest

T = TypeVar("T")
SIZE = 25
LONGEST_SEARCH = 100
Choices = Mapping[str, str]
"""Values of a filter with the words shown for them, in order."""


@dataclass(frozen=True)
class ListQuery:
    """What the URL asks of a list. `chosen` holds a value for each filter in use, `sort` is one of `sorts`."""

    search: str = ""
    sort: str = ""
    cursor: str = ""
    chosen: dict[str, str] = field(default_factory=dict)
    filters: dict[str, Choices] = field(default_factory=dict)
    sorts: Choices = field(default_factory=dict)

    @property
    def is_narrowed(self) -> bool:
        """Whether an empty list may be the filters' doing."""
        return bool(self.search or self.chosen)

    def get(self, name: str) -> str | None:
        return self.chosen.get(name)


@dataclass
class Page(Generic[T]):
    """Some rows of a list, and the cursors of the pages before and after."""

    rows: list[T]
    before: str | None = None
    after: str | None = None

    @property
    def next_url(self) -> str | None:
        return _with_cursor(self.after)

    @property
    def prev_url(self) -> str | None:
        return _with_cursor(self.before)


def list_query(*, sorts: Choices, **filters: Choices) -> ListQuery:
    """Read search, filters, sort and cursor from the URL. The first sort is the default. Unknown values are a BadRequest."""
    args = {name: value.replace("\x00", "") for name, value in request.args.items()}
    chosen = {name: args[name] for name in filters if args.get(name)}
    for name, value in chosen.items():
        if value not in filters[name]:
            raise BadRequest(_("There is no “%(value)s” to filter by. Choose one from the list.", value=value[:40]))
    sort = args.get("sort") or next(iter(sorts))
    if sort not in sorts:
        raise BadRequest(_("This list cannot be sorted by “%(value)s”.", value=sort[:40]))
    search = " ".join(args.get("search", "").split())
    if len(search) > LONGEST_SEARCH:
        raise BadRequest(_("Search for %(count)s characters at most.", count=LONGEST_SEARCH))
    return ListQuery(search, sort, args.get("cursor", ""), chosen, dict(filters), sorts)


def paginate(
    statement: Select[Any],
    by: Sequence[InstrumentedAttribute[Any]],
    *,
    cursor: str = "",
    descending: bool = False,
    size: int = SIZE,
    scalars: bool = True,
) -> Page[Any]:
    """One page of a statement ordered by the columns `by` (the last one unique), in one SELECT, or two where nothing is left
    beyond the cursor: then the first page is returned.

    The columns must be attributes of the row. `scalars` takes the first entity of each row; else whole rows are returned
    and must carry the columns by name.
    """
    backward, values = _decode(cursor, [column.type.python_type for column in by]) if cursor else (False, [])
    whole = statement
    if values:
        forward = backward == descending
        key = tuple_(*by)
        statement = statement.where(key > tuple_(*values) if forward else key < tuple_(*values))
    ascending = backward == descending
    statement = statement.order_by(*(column.asc() if ascending else column.desc() for column in by)).limit(size + 1)
    result = session.execute(statement)
    rows: list[Any] = list(result.scalars() if scalars else result)
    if values and not rows:  # What stood beyond the link is gone: the list begins anew, and does not look empty.
        return paginate(whole, by, descending=descending, size=size, scalars=scalars)
    more = len(rows) > size
    rows = rows[:size]
    if backward:
        rows.reverse()
    has_before, has_after = (more, bool(values)) if backward else (bool(values), more)
    return Page(
        rows,
        before=_encode("p", _key(rows[0], by)) if rows and has_before else None,
        after=_encode("n", _key(rows[-1], by)) if rows and has_after else None,
    )


def paginate_rows(
    rows: Iterable[T], key: Callable[[T], tuple[Any, ...]], kinds: Sequence[type], *, cursor: str = "", size: int = SIZE
) -> Page[T]:
    """One page of rows at hand, in the order of their `key`, which is unique and made of values of these `kinds`."""
    backward, values = _decode(cursor, kinds) if cursor else (False, [])
    ordered, mark = sorted(rows, key=key), tuple(values)
    if backward:
        end = bisect_left(ordered, mark, key=key)
        begin = max(0, end - size)
    else:
        begin = bisect_right(ordered, mark, key=key) if mark else 0
        end = begin + size
    shown = ordered[begin:end]
    if mark and not shown:
        return paginate_rows(ordered, key, kinds, size=size)
    return Page(
        shown,
        before=_encode("p", key(shown[0])) if shown and begin else None,
        after=_encode("n", key(shown[-1])) if shown and end < len(ordered) else None,
    )


def _key(row: Any, by: Sequence[InstrumentedAttribute[Any]]) -> tuple[Any, ...]:
    return tuple(getattr(row, column.key) for column in by)


def _encode(direction: str, values: Sequence[Any]) -> str:
    text = json.dumps([direction, *(v.isoformat() if isinstance(v, date) else v for v in values)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str, kinds: Sequence[type]) -> tuple[bool, list[Any]]:
    try:
        direction, *values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if direction not in {"n", "p"} or len(values) != len(kinds):
            raise ValueError(cursor)
        return direction == "p", [_typed(kind, value) for kind, value in zip(kinds, values, strict=True)]
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error) as error:
        raise BadRequest(_("This page link is broken. Start again from the first page.")) from error


def _typed(kind: Any, value: Any) -> Any:
    if kind is datetime:
        return datetime.fromisoformat(value).astimezone(UTC)
    if kind is date:
        return date.fromisoformat(value)
    if not isinstance(value, kind) or isinstance(value, bool) or (kind is int and abs(value) >= 2**63):
        raise ValueError(value)
    if kind is str and b"\x00" in value.encode():  # Encoding refuses half of a surrogate pair, with a ValueError.
        raise ValueError(value)
    return value


def as_left(location: str) -> str:
    """The list at `location`, narrowed and sorted as on the page where the form stood that was sent just now."""
    left = urlsplit(request.referrer or "")
    is_there = left.netloc == request.host and left.path == location
    return f"{location}?{left.query}" if is_there and left.query else location


def _with_cursor(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    return f"{request.path}?{urlencode({**request.args.to_dict(), 'cursor': cursor})}"
