"""The byte-bounded cache: it never holds more than it may, and drops what was unused longest."""

from __future__ import annotations

import sys

from app.foundation.cache import ByteCache, size_of


def test_what_was_unused_longest_goes_first() -> None:
    cache = ByteCache(100)
    for key in "abc":
        cache.put(key, key.upper(), size=33)
    assert cache.get("a") == "A"
    cache.put("d", "D", size=33)
    assert [cache.get(key) for key in "abcd"] == ["A", None, "C", "D"]
    assert cache.held == 99


def test_a_key_put_again_is_counted_once() -> None:
    cache = ByteCache(100)
    cache.put("a", 1, size=60)
    cache.put("a", 2, size=70)
    assert (cache.get("a"), cache.held, len(cache)) == (2, 70, 1)


def test_what_is_larger_than_the_whole_is_not_kept() -> None:
    cache = ByteCache(100)
    cache.put("a", 1, size=50)
    cache.put("b", 2, size=101)
    assert (cache.get("a"), cache.get("b")) == (1, None)


def test_a_size_counts_what_is_inside() -> None:
    text = "x" * 10_000
    assert size_of({"a": [text, {"b": text}]}) > 2 * sys.getsizeof(text)
