"""The address of a client: forwarded by a trusted proxy, never by the client itself."""

from __future__ import annotations

from typing import Any

import pytest

from app.foundation.proxies import TrustedProxies, parse_networks


def seen(remote: str, forwarded: str, trusted: str) -> str:
    environ: dict[str, Any] = {"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": forwarded}
    TrustedProxies(lambda env, _start: env, parse_networks(trusted))(environ, lambda *_: None)
    return str(environ["REMOTE_ADDR"])


@pytest.mark.parametrize(
    ("remote", "forwarded", "trusted", "client"),
    [
        ("203.0.113.9", "198.51.100.1", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "10.0.0.0/8", "203.0.113.9"),
        ("10.0.0.5", "198.51.100.1", "10.0.0.0/8", "198.51.100.1"),
        ("10.0.0.5", "1.2.3.4, 198.51.100.1, 10.0.0.7", "10.0.0.0/8", "198.51.100.1"),
        ("10.0.0.5", "", "10.0.0.0/8", "10.0.0.5"),
        ("10.0.0.5", "nonsense", "10.0.0.0/8", "10.0.0.5"),
        ("::1", "2001:db8::7", "::1", "2001:db8::7"),
    ],
)
def test_only_a_trusted_proxy_speaks_for_others(remote: str, forwarded: str, trusted: str, client: str) -> None:
    assert seen(remote, forwarded, trusted) == client
