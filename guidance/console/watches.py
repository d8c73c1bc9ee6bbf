"""What runs beside a treatment as its console is served: pictures before guidance, the gas switch."""

from __future__ import annotations

import asyncio
import time

import numpy as np

from guidance.console.pages import Console
from guidance.treatment.camera_room import CameraRoom
from guidance.treatment.course import CHECKLIST, DETAILS, PREFLIGHT
from guidance.treatment.desk import Desk
from guidance.treatment.preflight import open_hello

LOOK_S = 0.2
"""Between two pictures before anything is guided: enough to set up by, and little work."""

RECHECK_S = 1.0
"""Between two looks at the rig's check in preflight."""

HEED_S = 0.05
"""Between two looks at the gas input: what `vision.gas_input` leaves of the 0.5 s."""


async def look(room: CameraRoom, desk: Desk, console: Console) -> None:
    """Show what the colour camera sees as long as nothing is guided, until cancelled."""
    began_s, shown_s = time.monotonic(), -1.0
    while True:
        if desk.live is None and desk.course.phase in (PREFLIGHT, DETAILS, CHECKLIST):
            picture = room.cameras.look()
            if picture is not None:
                new, shown_s = picture.at_s > shown_s, picture.at_s
                bgr = np.asarray(picture.pixels, np.uint8) if new else None
                console.show(bgr, t_s=time.monotonic() - began_s)
        await asyncio.sleep(LOOK_S)


async def recheck(room: CameraRoom, desk: Desk, console: Console) -> None:
    """Tell the pages in preflight of a check of the rig that is made meanwhile, until cancelled."""
    before = room.preflight()
    while True:
        await asyncio.sleep(RECHECK_S)
        if desk.course.phase != PREFLIGHT:
            continue
        now = room.preflight()
        if now != before:
            before = now
            console.hello = open_hello(room.choices, checks=now, source="Live")
            console.wake()


async def heed(desk: Desk, console: Console) -> None:
    """Tell the pages at once what a switch or valve says of the gas, until cancelled."""
    before = None
    while True:
        desk.heed_gas()
        gas = desk.gas_input()
        now = None if gas is None else (gas.state, gas.flows, gas.seen_on, gas.seen_off)
        if now != before:
            console.wake()
        before = now
        await asyncio.sleep(HEED_S)
