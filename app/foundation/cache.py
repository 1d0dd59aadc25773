"""A cache of this process, bounded in bytes, for what never changes once it is written."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from threading import Lock
from typing import Any


class ByteCache:
    """The values used last, as many as fit into `most` bytes. Threads may share it; a value larger than all of it is not kept."""

    def __init__(self, most: int) -> None:
        self.most, self.held = most, 0
        self._lock = Lock()
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def get(self, key: Hashable) -> Any | None:
        """The value of a key, or None."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: Any, *, size: int) -> None:
        """Keep a value of `size` bytes and drop those unused longest until all fit."""
        if size > self.most:
            return
        with self._lock:
            self._drop(key)
            self._values[key] = (value, size)
            self.held += size
            while self.held > self.most:
                self._drop(next(iter(self._values)))

    def __len__(self) -> int:
        return len(self._values)

    def _drop(self, key: Hashable) -> None:
        if key in self._values:
            self.held -= self._values.pop(key)[1]


def size_of(value: Any) -> int:
    """Bytes that parsed JSON takes in memory, its dictionaries, lists and texts counted each time they are met."""
    size = sys.getsizeof(value)
    if isinstance(value, Mapping):
        return size + sum(size_of(key) + size_of(inner) for key, inner in value.items())
    if isinstance(value, list | tuple):
        return size + sum(map(size_of, value))
    return size
