"""Listening at an address, or saying in one line why not."""

from __future__ import annotations

import socket

from benchmark.errors import BenchError


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises BenchError where the port is taken, is none, or the address is not one of this computer's.
    """
    if not 0 < port < 65_536:
        raise BenchError(f"--port {port}: from 1 to 65535")
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise BenchError(f"--port {port}: cannot be opened on {host}: {error.strerror or error}") from error


def authority(host: str, port: int) -> str:
    """What stands for them in an address that a browser on this computer can open."""
    name = {"127.0.0.1": "localhost", "0.0.0.0": "localhost", "::": "::1"}.get(host, host)
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
