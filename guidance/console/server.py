"""The web server under a console."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import uvicorn

from guidance.console.access import OPEN, Access
from guidance.console.address import LOOPBACK, Address
from guidance.console.callers import CONNECTIONS_MOST, page_line, protocol
from guidance.console.certificate import tell_of_handshakes
from guidance.console.ending import Ended
from guidance.console.guard import Guard
from guidance.console.pairing import Pairing
from guidance.treatment.wire import MESSAGE_MOST
from models.problems import InputError


class Served(Protocol):
    """What a server serves: a console of a treatment, or of a calibration."""

    def application(self, *, hosts: tuple[str, ...], scheme: str, pairing: Pairing | None) -> Guard:
        """To be served under these names."""
        ...

    def note(self, refused: str) -> None:
        """Told of refused attempts."""
        ...

    def ended(self) -> Ended:
        """How it ended, once it is not served any more."""
        ...


def serve(
    served: Served,
    listening: socket.socket,
    *,
    access: Access = OPEN,
    on_ready: Callable[[str], None],
) -> Ended:
    """Serve until the process is told to end (Ctrl-C, SIGTERM), then finish what is recorded.

    Args:
        served: The treatment.
        listening: See `listen`.
        access: Where that is, and who may look.
        on_ready: Told the address once pages can connect.
    """
    port = int(listening.getsockname()[1])
    server = _Server(server_config(served, port=port, access=access))
    server.on_ready = lambda: on_ready(access.address.url(port=port, scheme=access.scheme))
    with suppress(KeyboardInterrupt):  # raised again by uvicorn once all is closed
        server.run(sockets=[listening])
    return served.ended()


def server_config(served: Served, *, port: int, access: Access = OPEN) -> uvicorn.Config:
    """How uvicorn serves it: no log of its own, no compression of pictures, small messages only."""
    tls = access.tls
    if tls is not None:
        tell_of_handshakes(tls, served.note)
    _hear_of_bad_requests(served.note)
    hosts = access.address.hosts(port=port, scheme=access.scheme)
    return uvicorn.Config(
        served.application(hosts=hosts, scheme=access.scheme, pairing=access.pairing),
        ws=page_line(served.note),
        ws_max_size=MESSAGE_MOST,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        http=protocol(served.note),
        limit_concurrency=CONNECTIONS_MOST,
        timeout_graceful_shutdown=1,
        lifespan="on",
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
    )


class _Told(logging.Handler):
    """uvicorn tells of what is no request at all in its log only."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._note = note

    def emit(self, record: logging.LogRecord) -> None:
        if "Invalid HTTP request" in record.getMessage():
            self._note("Refused: what is no proper request (too large, or no http).")
        elif logging.lastResort is not None:
            logging.lastResort.handle(record)


def _hear_of_bad_requests(note: Callable[[str], None]) -> None:
    log = logging.getLogger("uvicorn.error")
    for earlier in [handler for handler in log.handlers if isinstance(handler, _Told)]:
        log.removeHandler(earlier)
    log.addHandler(_Told(note))


class _Server(uvicorn.Server):
    on_ready: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self.on_ready()


def listen(port: int, address: Address = LOOPBACK) -> socket.socket:
    """Listen on a port of one address of this machine.

    Raises:
        InputError: If it is taken, or the address is another machine's.
    """
    try:
        family = socket.AF_INET6 if address.six else socket.AF_INET
        listening = socket.create_server((address.number, port), family=family)
        # Each connection takes this over (asyncio sees to it only where a socket names its protocol): without
        # it every picture waits some 40 ms for a word of the page that the page holds back.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as trouble:
        if trouble.errno == errno.EADDRNOTAVAIL:
            raise InputError(
                f"{address.name} is no address of this machine ({address.number}), so no page can be served"
                " there; give one that it has, such as `ip address` or `ipconfig` lists (--host ADDRESS)."
            ) from trouble
        if port == 0:
            raise InputError(
                f"No port of {address.name} can be used ({trouble.strerror}); give another address"
                " (--host ADDRESS)."
            ) from trouble
        raise InputError(
            f"Port {port} of {'this machine' if address.loopback else address.name} cannot be used"
            f" ({trouble.strerror}); choose another with --port"
            f"{'' if address.loopback else ', or another address of this machine with --host'}."
        ) from trouble
