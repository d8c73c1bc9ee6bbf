"""The live console's server: a local page, one WebSocket a page, newest picture wins.

What sounds and which alarms stand reaches every page at once, in a word of its own; then where the treatment
stands, at least each `BEAT_S`. Pictures go their own way, made on another thread, and a page gets one only
when it has drawn the one before: neither a picture nor a slow screen ever holds up a word.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from importlib import resources

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from guidance.beeper import HUNG_S
from guidance.console_desk import Desk
from guidance.console_guard import REPORT_POLICY, Allowance, Guard
from guidance.console_session import Command, Move, NotNowError
from guidance.console_told import state, word
from guidance.console_view import PictureData, corners, picture_data
from guidance.console_wire import About, BadMessageError, Drawn, pack, read_message, text_of
from guidance.live import Stepped
from guidance.tone_files import tone_name, wav
from guidance.tones import SOUNDS, burst
from models.chart import ZoneChart

BEAT_S = 0.2
"""A page that hears nothing for 0.5 s sounds its own alarm: two beats may be late."""
PAGES_MOST = 8
KEPT_LATENCIES = 20_000

_PAGE_ID = re.compile(r"[0-9a-f]{32}")
_KINDS = {"html": "text/html; charset=utf-8", "css": "text/css", "js": "text/javascript"}
_PAGE_FILES = ("index.html", "console.css", "console.js", "drawing.js", "sound.js", "pages.js")


@dataclass(eq=False)
class Frame:
    """One step as all pages share it; drawn data are made once, when the first page wants them."""

    stepped: Stepped
    data: asyncio.Task[PictureData] | None = None


@dataclass(eq=False)
class Page:
    """One connected page."""

    ident: str
    socket: WebSocket
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    """There is something to be told."""
    free: asyncio.Event = field(default_factory=asyncio.Event)
    """There may be a picture to be sent."""
    allowance: Allowance = field(default_factory=Allowance)
    sent: int = 0
    sent_s: float = 0.0
    """When that was sent, on the clock of `time.monotonic`."""
    drawn: int = 0
    arrived_s: float = 0.0
    """When the capture of the picture sent last arrived."""
    chart: ZoneChart | None = None
    refused: str = ""
    """What could not be followed, told once."""


class Console:
    """Everything that pages are connected to."""

    def __init__(self, desk: Desk, *, hello: Mapping[str, object], note: Callable[[str], None]) -> None:
        """Serve a treatment.

        Args:
            desk: The treatment.
            hello: What a page is told first, and again where it is another one.
            note: Told of refused attempts and of who takes control.
        """
        self.desk, self.hello, self._note = desk, hello, note
        self.pages: list[Page] = []
        self.controller: str | None = None
        self.frame: Frame | None = None
        self._word = ""
        """Of the last step, as every page gets it."""
        self.latencies_s: deque[float] = deque(maxlen=KEPT_LATENCIES)
        """From a capture's arrival to a page's word that it is drawn."""
        self._files = _page_files()

    def application(
        self,
        *,
        hosts: tuple[str, ...],
        lifespan: Callable[[], AbstractAsyncContextManager[None]] | None = None,
    ) -> Guard:
        """The application to be served, with its guard.

        Args:
            hosts: ``name:port`` under which it may be called.
            lifespan: Makes what is entered while it is served: an asynchronous context manager.
        """

        @contextlib.asynccontextmanager
        async def life(_: Starlette) -> AsyncGenerator[None]:
            async with contextlib.AsyncExitStack() as stack:
                if lifespan is not None:
                    await stack.enter_async_context(lifespan())
                yield

        routes = [
            Route("/", self._file, name="index.html"),
            Route("/report", self._report),
            *(Route(f"/{name}", self._file, name=name) for name in self._files if name != "index.html"),
            WebSocketRoute("/live", self._page),
        ]
        return Guard(Starlette(routes=routes, lifespan=life), hosts=hosts, note=self._note)

    def stepped(self, stepped: Stepped) -> None:
        """One step was done (on the event loop's thread)."""
        self.desk.stepped(stepped)
        self.frame = Frame(stepped)
        self._word = text_of(word(self.desk))
        self.wake()

    @property
    def is_shown(self) -> bool:
        """Whether a page is there that draws what it is sent."""
        now_s = time.monotonic()
        return any(page.drawn == page.sent or now_s - page.sent_s < HUNG_S for page in self.pages)

    def begin_anew(self) -> None:
        """Another run begins, whose steps are counted from 1 again."""
        self.frame = None
        for page in self.pages:
            page.sent = page.drawn = 0
            page.chart = None
        self.wake()

    def wake(self) -> None:
        """Something changed that pages are told."""
        for page in self.pages:
            page.wake.set()
            page.free.set()

    async def _file(self, request: Request) -> Response:
        name = request.url.path[1:] or "index.html"
        body, kind = self._files[name]
        return Response(body, media_type=kind)

    async def _report(self, _: Request) -> Response:
        if self.desk.report is None:
            return PlainTextResponse("There is no report yet.", 404)
        body = await asyncio.to_thread((self.desk.report / "report.html").read_bytes)
        return Response(body, media_type=_KINDS["html"], headers={"content-security-policy": REPORT_POLICY})

    async def _page(self, socket: WebSocket) -> None:
        ident = socket.query_params.get("page", "")
        if not _PAGE_ID.fullmatch(ident) or len(self.pages) >= PAGES_MOST:
            self._note("Refused: a page without a proper name, or one too many.")
            await socket.close(1008)
            return
        await socket.accept()
        page = Page(ident, socket)
        self.pages.append(page)
        if self.controller is None:
            self.controller = ident
        telling = asyncio.create_task(self._tell(page))
        try:
            while True:
                self._heard(page, await socket.receive_text())
        except (WebSocketDisconnect, BadMessageError, KeyError) as trouble:
            if isinstance(trouble, BadMessageError):
                self._note(f"Refused: {trouble}")
                with contextlib.suppress(RuntimeError):
                    await socket.close(1008)
        finally:
            telling.cancel()
            self.pages.remove(page)

    def _heard(self, page: Page, text: str) -> None:
        if not page.allowance.take():
            raise BadMessageError("A page sends too much.")
        message = read_message(text)
        if isinstance(message, Drawn):
            if message.number == page.sent and page.drawn < page.sent:
                page.drawn = message.number
                self.latencies_s.append(time.monotonic() - page.arrived_s)
                page.free.set()
            return
        try:
            self._follow(page, message)
        except NotNowError as reason:
            page.refused = str(reason)
        self.wake()

    def _follow(self, page: Page, message: About | Command) -> None:
        if isinstance(message, About) and message.name == "take_control":
            self._note(f"Control goes to the page {page.ident[:6]}.")
            self.controller = page.ident
            return
        stopping = isinstance(message, Move) and message.name in ("stop", "pain")
        if page.ident != self.controller and not stopping:
            raise NotNowError("Another screen has control. STOP works here all the same.")
        if isinstance(message, About):
            self.desk.about(message)
        else:
            self.desk.do(message)

    async def _tell(self, page: Page) -> None:
        """Speak to one page while it is there; where that fails it is let go, and comes back by itself."""
        ways = [asyncio.create_task(self._speak(page)), asyncio.create_task(self._show(page))]
        try:
            await asyncio.gather(*ways)
        except WebSocketDisconnect:
            return  # the page has gone
        except Exception as trouble:
            if page in self.pages:
                self._note(f"A page could not be told ({type(trouble).__name__}: {trouble}).")
            with contextlib.suppress(RuntimeError):
                await page.socket.close(1011)
        finally:
            for way in ways:
                way.cancel()

    async def _speak(self, page: Page) -> None:
        """Tell one page what changes."""
        told: Mapping[str, object] | None = None
        said = ""
        while True:
            page.wake.clear()
            if told is not self.hello:
                told = self.hello
                await page.socket.send_text(text_of({"kind": "hello", **told}))
            if said is not self._word:
                said = self._word
                await page.socket.send_text(said)
                await asyncio.sleep(0.0)  # every page hears of it before any hears more
            await page.socket.send_text(text_of(self._state(page)))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(page.wake.wait(), BEAT_S)

    async def _show(self, page: Page) -> None:
        """Give one page the newest picture whenever it has drawn the last."""
        while True:
            page.free.clear()
            frame = self.frame
            if frame is not None and page.drawn == page.sent and frame.stepped.number > page.sent:
                await self._send_picture(page, frame)
            await page.free.wait()

    def _state(self, page: Page) -> dict[str, object]:
        refused, page.refused = page.refused, ""
        return {
            **state(self.desk),
            "controls": page.ident == self.controller,
            "refused": refused,
        }

    async def _send_picture(self, page: Page, frame: Frame) -> None:
        if frame.data is None:
            step = frame.stepped
            assert self.desk.setup is not None  # there are no steps without one
            made = asyncio.to_thread(picture_data, step.capture, step.guidance, self.desk.setup)
            frame.data = asyncio.create_task(made)
        try:
            data = await asyncio.shield(frame.data)
        except Exception as trouble:  # guidance goes on, and what it says is told all the same
            self.desk.picture_trouble = f"The picture cannot be shown ({type(trouble).__name__}: {trouble})."
            page.sent = page.drawn = frame.stepped.number
            return
        self.desk.picture_trouble = None
        parts = dict(data.arrays)
        if data.chart is not None and data.chart is not page.chart:
            parts["corner"] = corners(data.chart)
        page.chart = data.chart if data.chart is not None else page.chart
        if data.jpeg:
            parts["jpeg"] = data.jpeg
        page.sent, page.arrived_s = frame.stepped.number, frame.stepped.arrived_s
        page.sent_s = time.monotonic()
        await page.socket.send_bytes(pack({**data.head, "number": page.sent}, parts))


def _page_files() -> dict[str, tuple[bytes, str]]:
    """All that can be asked for, read once: no name that comes over the network is ever looked up on disk."""
    folder = resources.files("guidance").joinpath("console_page")
    files = {
        name: (folder.joinpath(name).read_bytes(), _KINDS[name.rsplit(".", 1)[1]]) for name in _PAGE_FILES
    }
    return files | {f"{tone_name(sound)}.wav": (wav(burst(sound)), "audio/wav") for sound in SOUNDS}
