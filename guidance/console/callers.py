"""How many connections one caller may hold, and how long one may say nothing.

The server closes by itself only what has been answered and stays silent. A caller who opens connections and
says nothing, or a request letter by letter, would otherwise keep everyone else's page from opening.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

CONNECTIONS_MOST = 256
"""Of all callers together."""
CALLER_MOST = 32
"""Of one caller: a browser holds six and a page's own line, so that four screens of one machine have room."""
REQUEST_WITHIN_S = 10.0
"""So long a request may take to come in, from its connection or the request before (own choice)."""


def protocol(
    note: Callable[[str], None], *, caller_most: int = CALLER_MOST, within_s: float = REQUEST_WITHIN_S
) -> type[H11Protocol]:
    """A protocol for uvicorn that hangs up on callers who hold too many connections, or say nothing.

    Args:
        note: Told of each that was refused.
        caller_most: Connections of one address at once, pages among them.
        within_s: Time for one request to come in.
    """

    class Hurried(H11Protocol):
        _until: asyncio.TimerHandle | None = None
        _began = False

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            who = _caller(self)
            if sum(_caller(one) == who for one in self.connections) > caller_most:
                note(f"Refused: more than {caller_most} connections at once from {who}.")
                transport.abort()
                return
            self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._began = True
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._unwatch()

        def _watch(self) -> None:
            """Time runs as long as a request is awaited or comes in; more letters do not stop it."""
            cycle = cast("RequestResponseCycle | None", self.cycle)
            if cycle is not None and not cycle.response_complete:
                self._began = False
                self._unwatch()
            elif self._until is None and not self.transport.is_closing():
                self._until = self.loop.call_later(within_s, self._over)

        def _unwatch(self) -> None:
            if self._until is not None:
                self._until.cancel()
                self._until = None

        def _over(self) -> None:
            self._until = None
            # A page's line has a protocol of its own by now.
            if self.transport.get_protocol() is self and not self.transport.is_closing():
                if self._began:  # a browser opens a line or two that it never uses
                    note(f"Refused: half a request in {within_s:g} s from {_caller(self)}.")
                self.transport.abort()

    return Hurried


def _caller(line: object) -> str:
    """Address of the other end; connections of pages are of another class."""
    client = getattr(line, "client", None)
    return str(client[0]) if client else "an unknown address"
