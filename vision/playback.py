"""Merging recorded streams into captures, in the order in which they would have come live."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from models.capture import Capture, DepthPicture, ThermalPicture
from models.geometry import Bools, Bytes, Counts, Floats

SILENCE_S = 0.2
"""Without a colour picture for so long the source ticks by itself; the alarm on it comes at 0.3 s."""
TICK_S = 0.1
"""Between ticks, as long as anything arrived within the last `PATIENCE_S`."""
PATIENCE_S = 1.0
SLOW_TICK_S = 1.0
"""Between ticks after that: every alarm on silence is due within 1 s, so faster ticks tell nothing new."""
_EPSILON_S = 1e-6
"""Below the resolution of any time stamp."""


@dataclass(eq=False)
class Arrivals:
    """A stream of pictures waiting to be delivered."""

    pictures: Iterator[Counts | None]
    arrives_s: Floats
    t_s: Floats
    """Times of exposure on the session clock."""
    flag: Bools
    _next: int = field(default=0, init=False)

    @property
    def next_s(self) -> float:
        """Arrival of the next picture, infinite when there is none."""
        return float(self.arrives_s[self._next]) if self._next < len(self.arrives_s) else math.inf

    def take(self, t_s: float) -> Iterator[tuple[float, Counts, bool]]:
        """Exposure, picture and flag of all that arrived by ``t_s``, without corrupt and repeated ones."""
        while self.next_s <= t_s:
            row = self._next
            self._next += 1
            picture = next(self.pictures, None)
            if picture is not None and (row == 0 or self.t_s[row] > self.t_s[row - 1]):
                yield float(self.t_s[row]), picture, bool(self.flag[row])


def play(
    *,
    colour_s: Floats,
    colour: Iterator[Bytes | None],
    thermal: Arrivals | None,
    depth: Arrivals | None,
    valve_s: tuple[tuple[float, float], ...] | None,
) -> Iterator[Capture]:
    """Merge the streams.

    A capture comes at each colour picture. After `SILENCE_S` without one, captures come at each
    arrival of another picture and, where nothing arrives, each `TICK_S`, later each `SLOW_TICK_S`.
    None of them depends on what comes after it.

    Args:
        colour_s: Times of the colour pictures, strictly increasing, shape (n,).
        colour: The n pictures, None for a corrupt one.
        thermal: Thermal stream.
        depth: Depth stream.
        valve_s: Intervals of gas flow, None = throughout.

    Yields:
        Captures with strictly increasing times.
    """
    streams = [stream for stream in (thermal, depth) if stream is not None]
    arrivals_s = [float(stream.arrives_s[-1]) for stream in streams if len(stream.arrives_s)]
    end_s = max([float(colour_s[-1]) if len(colour_s) else -math.inf, *arrivals_s])

    def capture(t_s: float, index: int | None, bgr: Bytes | None) -> Capture:
        return Capture(
            t_s=t_s,
            index=index,
            bgr=bgr,
            thermal=tuple(ThermalPicture(*item) for item in thermal.take(t_s)) if thermal else (),
            depth=tuple(DepthPicture(t, picture) for t, picture, _ in depth.take(t_s)) if depth else (),
            gas_s=0.0 if previous_s is None else flow_s(valve_s, previous_s, t_s),
            gas_now=valve_s is None or any(start <= t_s < end for start, end in valve_s),
        )

    previous_s: float | None = None
    first_s = min((stream.next_s for stream in streams), default=math.inf)
    # The clock starts at 0 with the colour picture; where that comes late, the wait is played too.
    heard_s = colour_heard_s = max(0.0, first_s) if len(colour_s) else -math.inf
    rows = [*enumerate(colour_s.tolist()), (None, math.inf)]
    for index, row_s in rows:
        while True:
            arrives_s = min((stream.next_s for stream in streams), default=math.inf)
            last_s = heard_s if previous_s is None else previous_s
            timer_s = last_s + (TICK_S if last_s - heard_s < PATIENCE_S - _EPSILON_S else SLOW_TICK_S)
            if last_s == -math.inf:
                timer_s = math.inf
            tick_s = max(colour_heard_s + SILENCE_S, min(timer_s, arrives_s), last_s + _EPSILON_S)
            if tick_s > min(row_s, end_s + 2.0 * _EPSILON_S) - _EPSILON_S:
                break
            if arrives_s <= tick_s:
                heard_s = arrives_s
            yield capture(tick_s, None, None)
            previous_s = tick_s
        if index is not None:
            yield capture(row_s, index, next(colour, None))
            previous_s = heard_s = colour_heard_s = row_s


def flow_s(valve_s: tuple[tuple[float, float], ...] | None, from_s: float, to_s: float) -> float:
    """Seconds of (from_s, to_s] during which gas flowed; without a valve, all of them."""
    if valve_s is None:
        return to_s - from_s
    return sum(max(0.0, min(end, to_s) - max(start, from_s)) for start, end in valve_s)
