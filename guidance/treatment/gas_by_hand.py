"""Whether gas flows, as the operator says: where nothing is known of the valve, it counts as flowing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class GasByHand:
    """Flows from Start on, until the operator says that it is off; he may switch it as often as he likes.

    Neither a pause nor STOP ends it: both ask for the valve to be closed, and only the operator knows
    whether it is. Times are of `time.monotonic`; `began` ties them to the session's clock.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Off: nothing has started."""
        self._lock, self._clock = threading.RLock(), clock
        self._switched: list[tuple[float, bool]] = []
        self._began_s = clock()

    @property
    def on(self) -> bool:
        """Whether gas counts as flowing now."""
        with self._lock:
            return bool(self._switched) and self._switched[-1][1]

    def switch(self, *, on: bool) -> None:
        """The operator has said so now."""
        with self._lock:
            self._switched.append((self._clock(), on))

    def began(self, at_s: float) -> None:
        """The session's clock was 0 then."""
        with self._lock:
            self._began_s = at_s

    def flow(self, from_s: float, to_s: float) -> tuple[float, bool]:
        """Seconds of (from, to] of the session clock in which gas flowed, and whether it does at the end."""
        with self._lock:
            flowed_s, on, at_s = 0.0, False, from_s
            for moment_s, switched in self._switched:
                t_s = moment_s - self._began_s
                if t_s > to_s:
                    break
                if on:
                    flowed_s += max(0.0, t_s - at_s)
                at_s, on = max(at_s, t_s), switched
            return flowed_s + (max(0.0, to_s - at_s) if on else 0.0), on
