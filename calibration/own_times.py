"""Times of a recording's pictures as another rig has them: each was made with the rig of its day."""

from __future__ import annotations

from dataclasses import replace

from models.capture import Capture
from models.rig import Rig
from models.stream_clock import StreamClock


def stated_clock(rig: Rig | None, name: str) -> StreamClock:
    """What the rig of the recording adds to the stamps of a stream, ``rgb_minus_thermal_s`` included."""
    thermal, depth = (rig.thermal, rig.depth) if rig is not None else (None, None)
    part = thermal if name == "thermal" else depth
    clock = part.clock if part is not None and part.clock is not None else StreamClock(0.0, 1.0)
    stated_s = thermal.rgb_minus_thermal_s if name == "thermal" and thermal is not None else 0.0
    return StreamClock(
        clock.offset_s + stated_s, clock.u95_s, clock.drift, clock.drift_u95, clock.reference_s
    )


def retimed(capture: Capture, *, then: Rig | None, now: Rig) -> Capture:
    """The same pictures, thermal and depth ones exposed when another rig says.

    Args:
        capture: Of a recording.
        then: The recording's own rig, with which its times were worked out; None = they are stamps.
        now: The rig that is to be believed.
    """
    if then is now or not (capture.thermal or capture.depth):
        return capture
    thermal = tuple(
        replace(one, t_s=_moved_s(one.t_s, stated_clock(then, "thermal"), stated_clock(now, "thermal")))
        for one in capture.thermal
    )
    depth = tuple(
        replace(one, t_s=_moved_s(one.t_s, stated_clock(then, "depth"), stated_clock(now, "depth")))
        for one in capture.depth
    )
    return replace(capture, thermal=thermal, depth=depth)


def _moved_s(t_s: float, then: StreamClock, now: StreamClock) -> float:
    if (then.offset_s, then.drift) == (now.offset_s, now.drift):
        return t_s
    stamp_s = (t_s + then.drift * then.reference_s) / (1.0 + then.drift) - then.offset_s
    exposed_s = stamp_s + now.offset_s
    return exposed_s + now.drift * (exposed_s - now.reference_s)
