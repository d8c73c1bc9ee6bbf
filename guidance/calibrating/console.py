"""The server of the calibration's page: one WebSocket a page, newest picture wins."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from guidance.calibrating.room import CalibrationRoom
from guidance.console.ending import Ended
from guidance.console.guard import Allowance, Guard
from guidance.console.pairing import Pairing
from guidance.console.written_page import written_page
from guidance.treatment.wire import pack

BEAT_S = 1.0
PAGES_MOST, MESSAGE_MOST, FIELDS_MOST, TAKES_MOST = 4, 400, 8, 100

_KINDS = {"html": "text/html; charset=utf-8", "css": "text/css", "js": "text/javascript"}
_FILES = (
    *("index.html", "calibration.css", "calibration.js", "recorded.css", "recorded.js"),
    *("beside.css", "beside.js"),
)


@dataclass(eq=False)
class _Page:
    socket: WebSocket
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    allowance: Allowance = field(default_factory=Allowance)
    sent: int = -1
    drawn: int = -1


class CalibrationConsole:
    """A room with its pages."""

    def __init__(self, room: CalibrationRoom, *, note: Callable[[str], None]) -> None:
        """Serve a room.

        Args:
            room: What runs.
            note: Told of refused attempts.
        """
        self.room, self._note = room, note
        self._pages: list[_Page] = []
        folder = resources.files("guidance.calibrating").joinpath("page")
        self._files = {
            name: (folder.joinpath(name).read_bytes(), _KINDS[name.rsplit(".", 1)[1]]) for name in _FILES
        }

    def note(self, refused: str) -> None:
        """Tell of a refused attempt."""
        self._note(refused)

    def ended(self) -> Ended:
        """What is found is written step by step: nothing is left over."""
        return Ended("Ended.", whole=True)

    def application(
        self, *, hosts: tuple[str, ...], scheme: str = "http", pairing: Pairing | None = None
    ) -> Guard:
        """To be served on this machine; it pairs no other screens."""
        assert pairing is None
        routes = [
            Route("/", self._file, name="index.html"),
            Route("/certificate", self._certificate),
            *(Route(f"/{name}", self._file, name=name) for name in self._files if name != "index.html"),
            WebSocketRoute("/live", self._page),
        ]
        app = Starlette(routes=routes, lifespan=self._life)
        return Guard(app, hosts=hosts, note=self._note, scheme=scheme)

    @contextlib.asynccontextmanager
    async def _life(self, _: Starlette) -> AsyncGenerator[None]:
        loop = asyncio.get_running_loop()

        def changed() -> None:
            with contextlib.suppress(RuntimeError):  # the server has gone
                loop.call_soon_threadsafe(self._wake)

        self.room.on_change = changed
        self.room.start()
        try:
            yield
        finally:
            await asyncio.to_thread(self.room.stop)

    def _wake(self) -> None:
        for page in self._pages:
            page.wake.set()

    async def _file(self, request: Request) -> Response:
        body, kind = self._files[request.url.path[1:] or "index.html"]
        return Response(body, media_type=kind)

    async def _certificate(self, _: Request) -> Response:
        return await written_page(
            self.room.certificate,
            what="The certificate",
            none_yet="There is no certificate yet.",
            remedy="The next step that is kept writes it anew.",
        )

    async def _page(self, socket: WebSocket) -> None:
        if len(self._pages) >= PAGES_MOST:
            await socket.close(1008)
            return
        await socket.accept()
        page = _Page(socket)
        self._pages.append(page)
        telling = asyncio.create_task(self._tell(page))
        try:
            while True:
                if not self._heard(page, await socket.receive_text()):
                    self._note("Refused: a page said what no page of ours says.")
                    await socket.close(1008)
                    return
        except (WebSocketDisconnect, KeyError):
            pass
        finally:
            telling.cancel()
            self._pages.remove(page)

    def _heard(self, page: _Page, text: str) -> bool:
        """Follow one message; False where it is none of ours."""
        if not page.allowance.take() or len(text) > MESSAGE_MOST:
            return False
        try:
            told = cast("object", json.loads(text))
        except (ValueError, RecursionError):
            return False
        if not isinstance(told, dict):
            return False
        message = cast("dict[str, object]", told)
        what = message.get("do")
        if what == "drawn" and isinstance(message.get("number"), int):
            page.drawn = cast(int, message["number"])
            page.wake.set()
        elif what == "measured":
            lengths = _lengths(message.get("mm"))
            if lengths == ():
                return False
            self.room.measured(lengths, insist=message.get("insist") is True)
        elif what in ("begin", "entered"):
            entries = _entries(message.get("entries"))
            if entries is None:
                return False
            (self.room.begin if what == "begin" else self.room.entered)(entries)
        elif what == "do":
            if not isinstance(step := message.get("step"), str | None):
                return False
            self.room.go(step)
        elif what == "again":
            take = message.get("take")
            if not (take is None or (type(take) is int and 0 <= take < TAKES_MOST)):
                return False
            self.room.again(take)
        elif what == "gas":
            self.room.gas(message.get("flows") is True)
        elif isinstance(what, str) and what in _PLAIN:
            _PLAIN[what](self.room)
        else:
            return False
        return True

    async def _tell(self, page: _Page) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                if page.drawn == page.sent and self.room.number > page.sent:
                    head, parts = self.room.told()
                    page.sent = cast(int, head["number"])
                    await page.socket.send_bytes(pack(head, parts))
                page.wake.clear()
                if page.drawn == page.sent and self.room.number > page.sent:
                    continue
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(page.wake.wait(), BEAT_S)


_PLAIN: Mapping[str, Callable[[CalibrationRoom], None]] = {
    "skip": CalibrationRoom.skip,
    "enough": CalibrationRoom.enough,
    "keep": CalibrationRoom.keep,
    "cancel": CalibrationRoom.cancel,
    "overview": CalibrationRoom.overview,
}
"""What a page says without more."""


def _lengths(told: object) -> tuple[float, ...] | None:
    """Lengths of one ruler or two, in mm; None = not measured, empty where they are none of ours."""
    if told is None:
        return None
    every = cast("list[object]", told) if isinstance(told, list) else [told]
    lengths = tuple(
        float(one)
        for one in every
        if isinstance(one, int | float) and not isinstance(one, bool) and 0.0 < one < 1e6
    )
    return lengths if len(lengths) == len(every) <= 2 else ()


def _entries(told: object) -> dict[str, str] | None:
    """Words by field; None where they are none of ours."""
    if not isinstance(told, dict):
        return None
    fields = cast("dict[object, object]", told)
    words = {key: value for key, value in fields.items() if isinstance(key, str) and isinstance(value, str)}
    return words if len(words) == len(fields) <= FIELDS_MOST else None
