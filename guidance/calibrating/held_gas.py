"""Gas as long as the button on the page is held."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

HOLDS_S = 1.5
"""A page that was held and says nothing more for so long is gone: whether gas flows, nobody knows."""


class HeldGas:
    """Told from any thread; asked by the cameras' one."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """No gas yet."""
        self._clock, self._lock = clock, threading.Lock()
        self._began_s: float | None = None
        self._spans: list[tuple[float, float]] = []
        self._from_s: float | None = None
        self._said_s = 0.0
        self._lost = False

    def began(self, at_s: float) -> None:
        """The session's clock is 0 at this time."""
        with self._lock:
            self._began_s = at_s

    def flows(self, flows: bool) -> None:
        """The button is held (said again and again), or was let go."""
        now_s = self._clock()
        with self._lock:
            self._said_s = now_s
            if flows and self._from_s is None:
                self._from_s = now_s
            elif not flows and self._from_s is not None:
                self._spans = [*self._spans[-20:], (self._from_s, now_s)]
                self._from_s = None

    def lost(self) -> bool:
        """Whether a page fell silent while it held the button, since this was asked last."""
        with self._lock:
            lost, self._lost = self._lost, False
        return lost

    def flow(self, from_s: float, to_s: float) -> tuple[float, bool]:
        """Seconds of (from, to] of the session clock in which gas flowed, and whether it does at the end."""
        with self._lock:
            if self._from_s is not None and self._clock() - self._said_s > HOLDS_S:
                self._spans.append((self._from_s, self._said_s))
                self._from_s, self._lost = None, True
            zero_s = self._began_s or 0.0
            spans = [*self._spans, *(() if self._from_s is None else ((self._from_s, float("inf")),))]
        inside = [min(b - zero_s, to_s) - max(a - zero_s, from_s) for a, b in spans]
        flows = any(a - zero_s <= to_s < b - zero_s for a, b in spans)
        return sum(max(0.0, one) for one in inside), flows
