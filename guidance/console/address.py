"""Where the console listens: one address of this machine, and the names under which a page may call it."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from guidance.live.options import HOST
from models.problems import InputError

_USUAL = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Address:
    """One address of this machine."""

    name: str
    """As the user gave it, in small letters: a name or the number itself."""
    number: str
    """The number it stands for."""

    @property
    def loopback(self) -> bool:
        """Whether only this machine itself can call it."""
        return ipaddress.ip_address(self.number).is_loopback

    @property
    def six(self) -> bool:
        """Whether it is of IP version 6."""
        return ipaddress.ip_address(self.number).version == 6

    def hosts(self, *, port: int, scheme: str) -> tuple[str, ...]:
        """What the header Host of our own page may say: the name given and its number, with the port."""
        names = dict.fromkeys((_written(self.name), _written(self.number)))
        if self.number == HOST:
            names["localhost"] = None
        bare = tuple(names) if _USUAL[scheme] == port else ()  # a browser leaves the usual port out
        return (*(f"{name}:{port}" for name in names), *bare)

    def url(self, *, port: int, scheme: str) -> str:
        """What is typed into the browser."""
        return f"{scheme}://{_written(self.name)}:{port}/"


LOOPBACK = Address(HOST, HOST)
"""Unless told otherwise: nobody but who uses this machine."""


def resolve(host: str) -> Address:
    """What ``--host`` stands for.

    Args:
        host: A number or a name.

    Raises:
        InputError: If it is none, or stands for all addresses at once.
    """
    name = host.strip().strip("[]").lower()
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM) if name and "%" not in name else []
    except (OSError, UnicodeError):
        found = []
    numbers = sorted({str(one[4][0]) for one in found}, key=lambda number: ":" in number)
    if not numbers:
        raise InputError(
            f"{host!r} is no address of this machine; give one, such as 192.168.1.20 (--host ADDRESS)."
        )
    if ipaddress.ip_address(numbers[0]).is_unspecified:
        raise InputError(
            f"{host} stands for every address at once; give the one that the tablet calls (--host ADDRESS)."
        )
    return Address(name, numbers[0])


def _written(name: str) -> str:
    """As it stands in an address."""
    return f"[{name}]" if ":" in name else name
