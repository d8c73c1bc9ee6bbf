"""When a device took a picture, by our clock, from the stamp of its own clock."""

from __future__ import annotations

from collections import deque

WINDOW_S = 10.0
"""Over so long the least delay is looked for: clocks that differ by 50 in a million drift 0.5 ms apart."""

LATEST_S = 0.5
"""A picture that seems older is of a clock that was set: looked for anew."""


class DeviceClock:
    """Learns how far a device's clock is from ours, as pictures come.

    A picture can only come later than it was taken. The one that came with the least delay tells the distance
    of the clocks best; the least delay itself (exposure, reading out, the cable) stays in it, the same for
    every picture, and is part of what a rig's time offset calibrates. Jitter of the way to us is taken out.
    """

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._least: deque[tuple[float, float]] = deque()  # (arrived, distance), distances growing

    def at_s(self, stamp_s: float, *, arrived_s: float) -> float:
        """The time of a picture on our clock, never after it arrived.

        Args:
            stamp_s: By the device's clock.
            arrived_s: By ours.
        """
        distance_s = arrived_s - stamp_s
        if self._least and arrived_s - (stamp_s + self._least[0][1]) > LATEST_S:
            self._least.clear()
        while self._least and self._least[-1][1] >= distance_s:
            self._least.pop()
        self._least.append((arrived_s, distance_s))
        while arrived_s - self._least[0][0] > WINDOW_S:
            self._least.popleft()
        return stamp_s + self._least[0][1]
