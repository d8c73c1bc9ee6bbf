"""Which screen controls the treatment, and when nobody does any more."""

from __future__ import annotations

import time
from collections.abc import Callable

FREE_AFTER_S = 5.0
"""A screen that has said nothing for so long (it answers each second, and each picture) has gone: closed,
lost or asleep. Longer than a reload takes, short enough to take over in mid-treatment (own choice)."""


class Control:
    """One screen controls; one that has gone keeps its place until another takes it."""

    def __init__(self, *, now_s: Callable[[], float] = time.monotonic) -> None:
        """Nobody controls."""
        self._now_s = now_s
        self._holder: str | None = None
        self._heard_s = 0.0

    def joined(self, screen: str) -> None:
        """A screen is there: the first one controls, one that comes back controls again."""
        if self._holder is None:
            self._holder = screen
        self.heard(screen)

    def heard(self, screen: str) -> None:
        """A screen has said something."""
        if screen == self._holder:
            self._heard_s = self._now_s()

    def take(self, screen: str) -> None:
        """A screen takes control, whoever had it."""
        self._holder, self._heard_s = screen, self._now_s()

    def held_by(self, screen: str) -> bool:
        """Whether this screen controls."""
        return screen == self._holder

    @property
    def free(self) -> bool:
        """Whether the screen that controls has gone, so that a tap takes its place."""
        return self._holder is None or self._now_s() - self._heard_s > FREE_AFTER_S
