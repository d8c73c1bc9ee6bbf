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

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from guidance.console.control import Control
from guidance.console.guard import Guard, caller
from guidance.console.one_page import Page
from guidance.console.pairing import Pairing
from guidance.console.routes import file_routes, guarded
from guidance.console.shared_picture import SharedPicture
from guidance.console.told import state, word
from guidance.live.loop import Stepped
from guidance.treatment.commands import CheckRig, Command, Move
from guidance.treatment.desk import Desk
from guidance.treatment.session import NotNowError
from guidance.treatment.wire import (
    MESSAGE_MOST,
    About,
    BadMessageError,
    Drawn,
    Here,
    read_message,
    text_of,
)
from models.geometry import Bytes

BEAT_S = 0.2
"""A page that hears nothing for 0.5 s sounds its own alarm: two beats may be late."""
PAGES_MOST = 8
TOO_LARGE, SAME_NAME = 1009, 4001
"""Codes with which a connection ends: a message was too large (RFC 6455, 7.4.1); two pages of one name."""
KEPT_LATENCIES = 20_000

_PAGE_ID = re.compile(r"[0-9a-f]{32}")


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
        self.control = Control()
        self._picture: SharedPicture | None = None
        """The newest one."""
        self._word = ""
        """Of the last step, as every page gets it."""
        self.latencies_s: deque[float] = deque(maxlen=KEPT_LATENCIES)
        """From a capture's arrival to a page's word that it is drawn."""
        self._closing: set[asyncio.Task[None]] = set()

    def application(
        self,
        *,
        hosts: tuple[str, ...],
        scheme: str = "http",
        pairing: Pairing | None = None,
        lifespan: Callable[[], AbstractAsyncContextManager[None]] | None = None,
    ) -> Guard:
        """The application to be served, with its guard.

        Args:
            hosts: ``name:port`` under which it may be called.
            scheme: ``http``, or ``https`` where TLS is spoken.
            pairing: Lets in screens that were paired, and nobody else; None = whoever calls.
            lifespan: Makes what is entered while it is served: an asynchronous context manager.
        """

        @contextlib.asynccontextmanager
        async def life(_: Starlette) -> AsyncGenerator[None]:
            async with contextlib.AsyncExitStack() as stack:
                if lifespan is not None:
                    await stack.enter_async_context(lifespan())
                yield

        routes = [*file_routes(lambda: self.desk.report), WebSocketRoute("/live", self._page)]
        app = Starlette(routes=routes, lifespan=life)
        return guarded(app, hosts=hosts, scheme=scheme, pairing=pairing, note=self._note)

    def stepped(self, stepped: Stepped) -> None:
        """One step was done (on the event loop's thread)."""
        self.desk.stepped(stepped)
        assert self.desk.setup is not None  # there are no steps without one
        self._picture = SharedPicture.of_step(stepped, self.desk.setup)
        self._word = text_of(word(self.desk))
        self.wake()

    def show(self, bgr: Bytes | None, *, t_s: float) -> None:
        """A picture of a camera before anything is guided; None where no new one came.

        Args:
            bgr: Shape (height, width, 3).
            t_s: On any clock: a page says how old its picture is.
        """
        number = 1 if self._picture is None else self._picture.number + 1
        self._picture = SharedPicture.of_camera(bgr, t_s=t_s, number=number)
        self.wake()

    @property
    def is_shown(self) -> bool:
        """Whether a page is there that draws what it is sent."""
        now_s = time.monotonic()
        return any(page.shows(now_s=now_s) for page in self.pages)

    def begin_anew(self) -> None:
        """Another run begins, whose steps are counted from 1 again."""
        self._picture = None
        for page in self.pages:
            page.begin_anew()
        self.wake()

    def wake(self) -> None:
        """Something changed that pages are told."""
        for page in self.pages:
            page.call()

    async def _page(self, socket: WebSocket) -> None:
        ident = socket.query_params.get("page", "")
        if not _PAGE_ID.fullmatch(ident) or len(self.pages) >= PAGES_MOST:
            self._note(
                f"Refused: a page without a proper name, or one too many, from {caller(socket.scope)}."
            )
            await socket.close(1008)
            return
        await socket.accept()
        page = Page(ident, socket)
        for twin in [other for other in self.pages if other.ident == ident]:
            self._part(twin)
        self.pages.append(page)
        self.control.joined(ident)
        page.telling = telling = asyncio.create_task(self._tell(page))
        try:
            while True:
                self._heard(page, await socket.receive_text())
        except (WebSocketDisconnect, BadMessageError, KeyError) as trouble:
            if not isinstance(trouble, WebSocketDisconnect):
                why = "A page sent what is no text." if isinstance(trouble, KeyError) else str(trouble)
                self._note(f"Refused: {why} From {caller(socket.scope)}.")
                with contextlib.suppress(RuntimeError):
                    await socket.close(1008)
            elif trouble.code == TOO_LARGE:
                self._note(
                    f"Refused: a message of more than {MESSAGE_MOST} bytes from {caller(socket.scope)}."
                )
        finally:
            telling.cancel()
            if page in self.pages:
                self.pages.remove(page)

    def _part(self, twin: Page) -> None:
        """A tab was duplicated and its name with it: the older one takes another name, so that one controls.

        Its line may be dead (a screen that comes back after it was lost), so nobody waits for it.
        """
        self.pages.remove(twin)

        async def close() -> None:
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await twin.socket.close(SAME_NAME)

        if twin.telling is not None:
            twin.telling.cancel()
        closing = asyncio.create_task(close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def _heard(self, page: Page, text: str) -> None:
        if not page.allowance.take():
            raise BadMessageError("A page sends too much.")
        message = read_message(text)
        self.control.heard(page.ident)
        if isinstance(message, Here):
            return
        if isinstance(message, Drawn):
            if (latency_s := page.drew(message.number)) is not None:
                self.latencies_s.append(latency_s)
            return
        try:
            self._follow(page, message)
        except NotNowError as reason:
            page.refused = str(reason)
        self.wake()

    def _follow(self, page: Page, message: About | CheckRig | Command) -> None:
        if isinstance(message, About) and message.name == "take_control":
            self._note(f"Control goes to the page {page.ident[:6]} at {caller(page.socket.scope)}.")
            self.control.take(page.ident)
            return
        stopping = isinstance(message, Move) and message.name in ("stop", "pain")
        if not self.control.held_by(page.ident) and not stopping:
            raise NotNowError("Another screen has control. STOP works here all the same.")
        if isinstance(message, About):
            self.desk.about(message)
        elif isinstance(message, CheckRig):
            self.desk.check_rig(message)
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
            picture = self._picture
            if picture is not None and page.wants(picture):
                await self._send_picture(page, picture)
            await page.free.wait()

    def _state(self, page: Page) -> dict[str, object]:
        refused, page.refused = page.refused, ""
        return {
            **state(self.desk),
            "controls": self.control.held_by(page.ident),
            "control_free": self.control.free,
            "refused": refused,
        }

    async def _send_picture(self, page: Page, picture: SharedPicture) -> None:
        try:
            data = await picture.data()
        except Exception as trouble:  # guidance goes on, and what it says is told all the same
            self.desk.picture_trouble = f"The picture cannot be shown ({type(trouble).__name__}: {trouble})."
            page.go_without(picture)
            return
        if not picture.guided and picture is not self._picture:
            return  # guidance has begun meanwhile, with numbers of its own
        self.desk.picture_trouble = None
        await page.send(picture, data)
