"""Whose X-Forwarded-For counts: only that of the proxies a host names in TRUSTED_PROXIES."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

Network = IPv4Network | IPv6Network


def parse_networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks separated by commas; raises ValueError for anything else."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def network_of(address: str) -> str:
    """Whom an address is counted as: itself, or in IPv6 its /64, of which anybody has 2^64 addresses."""
    if not _is_address(address):
        return address
    found = ip_address(address)
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


class TrustedProxies:
    """WSGI middleware: REMOTE_ADDR becomes the last forwarded address that is not itself a trusted proxy.

    A header that an untrusted client sent changes nothing: its own address stays. From a trusted proxy, X-Forwarded-Proto
    (http or https) says how the client came.
    """

    def __init__(self, app: Callable[..., Any], trusted: Iterable[Network]) -> None:
        self.app, self.trusted = app, tuple(trusted)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if self._trusts(environ.get("REMOTE_ADDR", "")):
            environ["REMOTE_ADDR"] = self._client(environ)
            scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip()
            if scheme in {"http", "https"}:
                environ["wsgi.url_scheme"] = scheme
        return self.app(environ, start_response)

    def _client(self, environ: dict[str, Any]) -> str:
        found = str(environ["REMOTE_ADDR"])
        for hop in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            address = hop.strip()
            if not _is_address(address):
                break
            found = address
            if not self._trusts(address):
                break
        return found

    def _trusts(self, address: str) -> bool:
        return (
            bool(self.trusted)
            and _is_address(address)
            and any(ip_address(address) in network for network in self.trusted)
        )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
