"""How many connections callers may hold, how long one may say nothing, and how often a page's line may ping.

The server closes by itself only what has been answered and stays silent. Callers who open connections and
say nothing, or a request letter by letter, would otherwise keep everyone else's page from opening.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from guidance.console.guard import Allowance

CONNECTIONS_MOST = 256
"""Of all callers together, from which on nobody is answered any more."""
ROOM_FROM = CONNECTIONS_MOST - 32
"""From so many on each new one makes room for itself: who has waited longest for nothing is hung up
on. So many addresses together keep nobody out."""
CALLER_MOST = 32
"""Of one caller: a browser holds six and a page's own line, so that four screens of one machine have room."""
REQUEST_WITHIN_S = 10.0
"""So long a request may take to come in, from its connection or the request before (own choice)."""
CONTROLS_A_SECOND, CONTROLS_AT_ONCE = 5.0, 60.0
"""Pings, answers to ours and pieces of messages on one page's line: a browser answers once each 20 s."""


def protocol(
    note: Callable[[str], None],
    *,
    caller_most: int = CALLER_MOST,
    room_from: int = ROOM_FROM,
    within_s: float = REQUEST_WITHIN_S,
) -> type[H11Protocol]:
    """A protocol for uvicorn that hangs up on callers who hold too many connections, or say nothing.

    Args:
        note: Told of each that was refused.
        caller_most: Connections of one address at once, pages among them.
        room_from: From so many of all callers on each new one makes room for itself.
        within_s: Time for one request to come in.
    """
    waiting: dict[Hurried, None] = {}  # in the order in which they came

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
            waiting[self] = None
            if len(self.connections) > room_from:
                self._make_room()
            self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._began = True
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            waiting.pop(self, None)
            self._unwatch()

        def handle_websocket_upgrade(self, event: h11.Request) -> None:
            waiting.pop(self, None)  # a page's line
            super().handle_websocket_upgrade(event)

        def _make_room(self) -> None:
            oldest = next((one for one in waiting if one is not self and one.is_idle), None)
            if oldest is not None:
                waiting.pop(oldest)
                note(f"Refused: more than {room_from} connections; one of {_caller(oldest)} makes room.")
                oldest.transport.abort()

        @property
        def is_idle(self) -> bool:
            """Whether nothing is being answered."""
            cycle = cast("RequestResponseCycle | None", self.cycle)
            return cycle is None or cycle.response_complete

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


def page_line(
    note: Callable[[str], None],
    *,
    a_second: float = CONTROLS_A_SECOND,
    at_once: float = CONTROLS_AT_ONCE,
) -> type[WebSocketsSansIOProtocol]:
    """A protocol for uvicorn that hangs up on a page's line that pings without end.

    What is no message of its own comes to no page: the server answers it by itself, as often as it is sent.

    Args:
        note: Told of each that was refused.
        a_second: So many are answered.
        at_once: So many at once.
    """

    class Counted(WebSocketsSansIOProtocol):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self._allowance = Allowance(a_second=a_second, at_once=at_once)

        def handle_ping(self) -> None:
            if self._may():
                super().handle_ping()

        def handle_pong(self, event: Frame) -> None:
            if self._may():
                super().handle_pong(event)

        def handle_cont(self, event: Frame) -> None:
            if self._may():
                super().handle_cont(event)

        def _may(self) -> bool:
            if self.transport.is_closing():
                return False
            if self._allowance.take():
                return True
            note(f"Refused: pings or pieces of messages without end from {_caller(self)}.")
            self.transport.abort()
            return False

    return Counted


def _caller(line: object) -> str:
    """Address of the other end; connections of pages are of another class."""
    client = getattr(line, "client", None)
    return str(client[0]) if client else "an unknown address"
