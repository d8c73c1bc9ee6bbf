"""Why there is no guidance, although there should be: a step that does not end, a camera that gives nothing.

What is wrong with the gas switch is in `guidance.treatment.gas`.
"""

from __future__ import annotations

from collections.abc import Iterable

from guidance.alarms.judge import SHUTTER_S
from guidance.treatment.course import CHECKLIST, DETAILS, DONE, PREFLIGHT, REPORTING
from vision.cameras import THERMAL, CameraState

STALLED_S = 0.5
"""A step that takes longer than this leaves the operator without guidance: he is told (a technical alarm
within 0.5 s)."""
BROKEN = ("unplugged", "wrong_format", "wrong_clock", "silent", "frozen")
"""States of a camera that leave the operator without guidance; a slow one is told by its pictures' age."""
UNGUIDED = (PREFLIGHT, DETAILS, CHECKLIST, REPORTING, DONE)
"""Phases in which nothing is guided."""


def step_trouble(busy_s: float) -> str | None:
    """What is said of a step that has run for so long; None while it may take its time."""
    return (
        f"No guidance for {busy_s:.1f} s. Close the valve until it is back." if busy_s > STALLED_S else None
    )


def camera_trouble(cameras: Iterable[CameraState], *, phase: str, now_s: float) -> str | None:
    """What is wrong with a camera, once it counts; None where nothing is, or nothing is guided yet.

    Args:
        cameras: How they stand.
        phase: Where the treatment stands.
        now_s: On the clock of `CameraState.since_s`.
    """
    if phase in UNGUIDED:
        return None
    broken = [camera for camera in cameras if _broken(camera, now_s=now_s)]
    if not broken:
        return None
    first, *more = broken
    if not more:
        return f"{first.words} Close the valve until it is back."
    kinds = " and ".join(camera.kind for camera in more)
    return f"{first.words} So it is with {kinds}. Close the valve until all are back."


def _broken(camera: CameraState, *, now_s: float) -> bool:
    """Whether it leaves the operator without guidance."""
    # A thermal core repeats its picture while its shutter is closed: that long it is no fault.
    shutter = camera.kind == THERMAL and camera.state == "frozen" and now_s - camera.since_s < SHUTTER_S
    return camera.state in BROKEN and not shutter
