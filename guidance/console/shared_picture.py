"""One picture with what is drawn on it, as all pages share it: made once, on another thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from guidance.live.loop import Stepped
from guidance.stages.state import Setup
from guidance.treatment.view import PictureData, picture_data, plain_picture
from models.geometry import Bytes


@dataclass(eq=False)
class SharedPicture:
    """Of one step, or of a camera before anything is guided."""

    number: int
    """Rises from picture to picture of one run."""
    arrived_s: float
    """When its capture arrived, on the clock of `time.monotonic`."""
    guided: bool
    """It shows a step."""
    make: Callable[[], PictureData]
    _made: asyncio.Task[PictureData] | None = field(default=None, init=False)

    @staticmethod
    def of_step(stepped: Stepped, setup: Setup) -> SharedPicture:
        """What a step told; made when the first page wants it."""
        make = partial(picture_data, stepped.capture, stepped.guidance, setup)
        return SharedPicture(stepped.number, stepped.arrived_s, guided=True, make=make)

    @staticmethod
    def of_camera(bgr: Bytes | None, *, t_s: float, number: int) -> SharedPicture:
        """What a camera sees before anything is guided; made at once, see `plain_picture`."""
        make = partial(plain_picture, bgr, t_s=t_s)
        picture = SharedPicture(number, time.monotonic(), guided=False, make=make)
        picture._begin()
        return picture

    async def data(self) -> PictureData:
        """What pages are sent; whatever making it raised is raised for each of them."""
        return await asyncio.shield(self._begin())

    def _begin(self) -> asyncio.Task[PictureData]:
        if self._made is None:
            self._made = asyncio.create_task(asyncio.to_thread(self.make))
        return self._made
