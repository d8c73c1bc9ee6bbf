"""One connected page: what it was sent, and what of that it has drawn."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from starlette.websockets import WebSocket

from guidance.console.beeper import HUNG_S
from guidance.console.guard import Allowance
from guidance.console.shared_picture import SharedPicture
from guidance.treatment.view import PictureData, corners
from guidance.treatment.wire import pack
from models.chart import ZoneChart


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
    """Number of the last picture."""
    sent_s: float = 0.0
    """When that was sent, on the clock of `time.monotonic`."""
    drawn: int = 0
    arrived_s: float = 0.0
    """When the capture of the picture sent last arrived."""
    chart: ZoneChart | None = None
    """Whose corners it has."""
    refused: str = ""
    """What could not be followed, told once."""
    telling: asyncio.Task[None] | None = None

    def call(self) -> None:
        """Something changed that it may be told."""
        self.wake.set()
        self.free.set()

    def begin_anew(self) -> None:
        """Another run begins, whose pictures are counted from 1 again."""
        self.sent = self.drawn = 0
        self.chart = None

    def shows(self, *, now_s: float) -> bool:
        """Whether it draws what it is sent, as far as can be told by now."""
        return self.drawn == self.sent or now_s - self.sent_s < HUNG_S

    def wants(self, picture: SharedPicture) -> bool:
        """Whether it has drawn what it was sent, and this is newer."""
        return self.drawn == self.sent and picture.number > self.sent

    def drew(self, number: int) -> float | None:
        """It says that it has drawn a picture.

        Returns:
            Seconds since the capture arrived; None where it was not sent that, or said so already.
        """
        if number != self.sent or self.drawn == self.sent:
            return None
        self.drawn = number
        self.free.set()
        return time.monotonic() - self.arrived_s

    def go_without(self, picture: SharedPicture) -> None:
        """This picture cannot be shown; the next one may be."""
        self.sent = self.drawn = picture.number

    async def send(self, picture: SharedPicture, data: PictureData) -> None:
        """Send a picture; corners of a chart go with the first that shows it."""
        parts = dict(data.arrays)
        if data.chart is not None and data.chart is not self.chart:
            parts["corner"] = corners(data.chart)
            self.chart = data.chart
        if data.jpeg:
            parts["jpeg"] = data.jpeg
        self.sent, self.arrived_s = picture.number, picture.arrived_s
        self.sent_s = time.monotonic()
        await self.socket.send_bytes(pack({**data.head, "number": self.sent}, parts))
