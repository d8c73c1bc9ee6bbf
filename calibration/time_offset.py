"""The time between two streams judged: found, or refused with the reason and what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from calibration.motion_modes import MODES_FAST, motion_modes
from calibration.motion_streams import MotionStream
from calibration.time_shift import LEAST_STRETCH_S, Shift, find_shift
from models.geometry import Floats

SEARCH_S = 1.0
"""To either side of what the rig says."""

MOST_SEARCH_S = 10.0
"""More is refused: no camera is so late, and what is searched takes its time. On one core a recording of 20 s
takes 0.2 s by default and 0.3 s at 10 s; one of 2 minutes, the longest that is read, 10 and 25 s (25 pictures
a second). Streams farther apart are stamped by two clocks, one of which is to be set right (own choice)."""

LEAST_S = 8.0
"""Of both streams together: a hand needs that long to move irregularly, and the bound to be told."""

LIMIT_S = 0.010
"""Largest 95 % bound accepted: a jet that sweeps at 10 cm/s moves 1 mm in it."""

LEAST_EXPLAINED = 0.35
"""Share of the changes that the streams must have in common. Streams that see two different hands have 0.11
in common, noise 0.02; one hand gives 0.9 and more (our simulation)."""

RIVAL_TIMES, RIVAL_SIGMAS = 2.0, 3.0
"""What is left over at the second best shift must be so many times as much, and clearly so: to and fro at one
pace looks the same after each period."""

ODD_SIGMAS, ODD_S = 8.0, 0.005
"""A stretch of time that is off the line by so many of its own sigmas, and by so many seconds, disagrees.
Without any fault the worst of 12 stretches was off by 6.5 sigmas at most in 480 simulated recordings (stamps
that jitter by 8 ms); a clock that jumps by 15 ms in the middle gives 12."""

MOST_DRIFT = 1e-3
"""Clocks of cameras differ by up to 1e-4; ten times that is a wrong frame rate in the stamps."""


@dataclass(frozen=True, eq=False)
class TimeFound:
    """What is to be added to a stream's times; all times are of the recording's session clock."""

    stream: str
    offset_s: float
    """At `middle_s`."""
    u95_s: float
    drift: float
    drift_u95: float
    middle_s: float
    shift: Shift
    pictures: tuple[int, int]
    """Of the colour stream and of this one."""
    hz: tuple[float, float]
    repeated: int
    refusal: str | None
    """Why it is not good enough and what to do; None where it is."""

    @property
    def drifts(self) -> bool:
        """Whether the drift can be told from 0."""
        return abs(self.drift) > self.drift_u95


def find_time(
    rgb: MotionStream,
    other: MotionStream,
    *,
    search_s: float = SEARCH_S,
    limit_s: float = LIMIT_S,
    least_s: float = LEAST_S,
    away_s: float = 0.0,
    on_tried: Callable[[], None] = lambda: None,
    stretch_s: float = LEAST_STRETCH_S,
) -> TimeFound | str:
    """Find and judge.

    Args:
        rgb: The stream whose clock is the session's.
        other: Thermal or depth.
        search_s: How far to either side is searched.
        limit_s: Largest bound accepted.
        least_s: Shortest time together that is looked at.
        away_s: To be added to the other's times first: by how much another rig's offset differs.
        on_tried: Called after each of `calibration.time_shift.tries` shifts.
        stretch_s: Least length of the stretches of time that the bound comes from.

    Returns:
        What was found, or why nothing can be said.
    """
    if away_s != 0.0:
        other = replace(other, t_s=other.t_s + away_s)
    together_s = min(rgb.t_s[-1], other.t_s[-1]) - max(rgb.t_s[0], other.t_s[0])
    if together_s < least_s:
        return (
            f"rgb and {other.name} are seen together for {max(together_s, 0.0):.1f} s only; record"
            f" {least_s:g} s or more (20 s are good)"
        )
    first = motion_modes(rgb.t_s, rgb.pictures, count=MODES_FAST)
    second = motion_modes(other.t_s, other.pictures, count=MODES_FAST)
    shift = find_shift(first, second, search_s=search_s, stretch_s=stretch_s, on_tried=on_tried)
    if shift is None:
        return f"rgb and {other.name} overlap too little to be compared; record longer, with fewer gaps"
    quantile = float(stats.t.ppf(0.975, shift.freedom))
    found = TimeFound(
        stream=other.name,
        offset_s=shift.offset_s,
        u95_s=quantile * shift.offset_sigma_s,
        drift=shift.drift,
        drift_u95=quantile * shift.drift_sigma,
        middle_s=shift.middle_s + shift.offset_s,
        shift=shift,
        pictures=(len(rgb.t_s), len(other.t_s)),
        hz=(_rate_hz(rgb.t_s), _rate_hz(other.t_s)),
        repeated=other.repeated,
        refusal=None,
    )
    return replace(found, refusal=_refusal(found, search_s=search_s, limit_s=limit_s))


def off_line_s(shift: Shift) -> Floats:
    """By how much each stretch of time is off offset and drift of all."""
    return shift.window_offset_s - shift.offset_s - shift.drift * (shift.window_t_s - shift.middle_s)


def _refusal(found: TimeFound, *, search_s: float, limit_s: float) -> str | None:
    shift, name = found.shift, found.stream
    if not shift.explained >= LEAST_EXPLAINED:
        return (
            f"rgb and {name} have only {100.0 * max(shift.explained, 0.0):.0f} % of their changes in common"
            f" ({100.0 * LEAST_EXPLAINED:.0f} % are needed): no motion that both see, or an offset of more"
            f" than {search_s:g} s; wave a hand, move the nozzle or shake the rig before both cameras, or"
            " search farther with --search-s"
        )
    if abs(found.offset_s) > search_s - 0.02:
        return (
            f"the best offset of {name} lies at the end of what was searched ({search_s:g} s to either"
            " side); search farther with --search-s"
        )
    if _ambiguous(shift):
        return (
            f"{name} fits as well {1000.0 * abs(shift.rival_s - shift.offset_s):.0f} ms beside the best"
            " offset: the motion repeats itself; move irregularly, with pauses, now quick and now slow"
        )
    off_s = off_line_s(shift)
    odd = (np.abs(off_s) > ODD_SIGMAS * shift.window_sigma_s) & (np.abs(off_s) > ODD_S)
    if odd.any():
        k = int(np.argmax(np.where(odd, np.abs(off_s) / shift.window_sigma_s, 0.0)))
        return (
            f"{name} is {1000.0 * abs(off_s[k]):.0f} ms off at {shift.window_t_s[k]:.1f} s from what the"
            " rest of the recording says: a clock that jumped, or pictures stamped late; close other"
            " programs and record again"
        )
    if found.u95_s > limit_s:
        return (
            f"the offset of {name} is known to {1000.0 * found.u95_s:.1f} ms only (95 %, at most"
            f" {1000.0 * limit_s:g}); move faster and over more of the picture, or record longer"
        )
    if found.drifts and abs(found.drift) - found.drift_u95 > MOST_DRIFT:
        return (
            f"the clock of {name} runs {1e6 * abs(found.drift):.0f} millionths wrong, more than any camera's:"
            " its stamps are not times of exposure; record with stamps as pictures arrive"
        )
    return None


def _ambiguous(shift: Shift) -> bool:
    if not np.isfinite(shift.rival_s):
        return False
    at = int(np.argmin(np.abs(shift.tried_s - shift.rival_s)))
    times = (1.0 - shift.tried_explained[at]) / max(1.0 - shift.explained, 1e-6)
    return bool(times < RIVAL_TIMES or shift.rival_sigmas < RIVAL_SIGMAS)


def _rate_hz(t_s: Floats) -> float:
    return 1.0 / float(np.median(np.diff(t_s)))
