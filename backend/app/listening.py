"""Sockets, bound before anything expensive, so that a busy port is named at once."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Sequence


class CannotListen(Exception):
    """A port cannot be had; the message is one line and says what to do."""


def bind_sockets(host: str, ports: Sequence[int]) -> list[socket.socket]:
    """Bound sockets for every port: on IPv4 and IPv6 where the host is this machine's loopback.

    Port 0 takes any free port. Raises CannotListen, and then holds no port.
    """
    loopback = host in ("127.0.0.1", "localhost")
    with contextlib.ExitStack() as bound:
        sockets: list[socket.socket] = []
        for port in ports:
            first = bind("127.0.0.1" if loopback else host, port)
            bound.callback(first.close)
            sockets.append(first)
            if loopback and has_ipv6_loopback():
                second = bind("::1", first.getsockname()[1])
                bound.callback(second.close)
                sockets.append(second)
        bound.pop_all()
        return sockets


def bind(host: str, port: int) -> socket.socket:
    """One bound socket; raises CannotListen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off for each connection; without, an
    # answer in two parts waits 40 ms for the client's delayed acknowledgement.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            # Elsewhere this option would let two servers share a port.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
    except OSError as failure:
        bound.close()
        raise CannotListen(why_not(host, port, failure)) from failure
    return bound


def why_not(host: str, port: int, failure: OSError) -> str:
    """One line that names the port and the way out."""
    if failure.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use by another program. "
            f"Stop that program, or choose another port: --port {port + 1 if port < 65535 else 8000}"
        )
    if failure.errno == errno.EACCES:
        return (
            f"Port {port} needs more rights than this user has. Choose one from 1024: --port 8000"
        )
    return f"Cannot listen on {host}, port {port}: {failure.strerror}. Try --host 127.0.0.1"


def has_ipv6_loopback() -> bool:
    """Whether ::1 exists here; containers often have no IPv6."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def addresses(sockets: Sequence[socket.socket]) -> list[str]:
    """What to type into a browser, each once."""
    found: dict[str, None] = {}
    for bound in sockets:
        host, port = bound.getsockname()[:2]
        if host in ("127.0.0.1", "::1"):
            host = "localhost"
        found[f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"] = None
    return list(found)
