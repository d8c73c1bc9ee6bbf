"""The local web server under a console."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Protocol

import uvicorn

from guidance.console_guard import Guard
from guidance.console_wire import MESSAGE_MOST
from models.problems import InputError


class Served(Protocol):
    """What a server serves: a console of a treatment, or of a calibration."""

    def application(self, *, port: int) -> Guard:
        """To be served on a port of this machine."""
        ...


def serve(served: Served, listening: socket.socket, *, on_ready: Callable[[str], None]) -> None:
    """Serve until the process is told to end."""
    port = int(listening.getsockname()[1])
    server = _Server(server_config(served, port=port))
    server.on_ready = lambda: on_ready(f"http://127.0.0.1:{port}/")
    server.run(sockets=[listening])


def server_config(served: Served, *, port: int) -> uvicorn.Config:
    """How uvicorn serves it: no log of its own, no compression of pictures, small messages only."""
    return uvicorn.Config(
        served.application(port=port),
        ws="websockets-sansio",
        ws_max_size=MESSAGE_MOST,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=64,
        timeout_graceful_shutdown=1,
        lifespan="on",
    )


class _Server(uvicorn.Server):
    on_ready: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self.on_ready()


def listen(port: int) -> socket.socket:
    """Listen on a port of this machine alone.

    Raises:
        InputError: If it is taken.
    """
    try:
        listening = socket.create_server(("127.0.0.1", port))
        # Each connection takes this over (asyncio sees to it only where a socket names its protocol): without
        # it every picture waits some 40 ms for a word of the page that the page holds back.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as trouble:
        raise InputError(
            f"Port {port} of this machine cannot be used ({trouble.strerror}); choose another with --port."
        ) from trouble
