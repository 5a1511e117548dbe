"""Who is at the other end of a connection, as the kernel says it, and what isolation that is worth.

    A   this user, or root, or somebody on this machine of whom the kernel does not say who (loopback)
    B   another user of this machine, by the credentials of a local socket (SO_PEERCRED)
    C   another host, over TLS

What a trainer says of itself has no part in it.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
from typing import Literal

Grade = Literal["A", "B", "C"]
_CREDENTIALS = struct.Struct("3i")
"""pid, uid and gid, as Linux gives them."""


def peer_user(connection: socket.socket) -> int | None:
    """The user id at the other end of a local socket, None where the system does not say."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None or connection.family != socket.AF_UNIX:
        return None
    try:
        found = connection.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
    except OSError:
        return None
    return int(_CREDENTIALS.unpack(found)[1])


def grade_of(connection: socket.socket) -> Grade:
    """The grade of isolation from whoever is connected. What cannot be told is A."""
    if connection.family == socket.AF_UNIX:
        user = peer_user(connection)
        return "A" if user is None or user in (0, os.geteuid()) else "B"
    try:
        theirs, ours = connection.getpeername()[0], connection.getsockname()[0]
    except OSError:
        return "A"
    # A machine that calls itself by its own address has one address at both ends.
    return "C" if isinstance(connection, ssl.SSLSocket) and theirs != ours else "A"
