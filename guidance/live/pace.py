"""Session time beside real time, for what is played back as if live: it runs, and it can be held."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

from models.capture import Capture


class Pace:
    """A clock that several threads look at.

    Session time starts when the first one waits for it, at the time waited for.
    """

    def __init__(
        self,
        *,
        hold_at_s: float | None = None,
        speed: float = 1.0,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing runs yet.

        Args:
            hold_at_s: Session time at which the clock holds by itself, once; None = it never does.
            speed: Session seconds in a real second.
            now_s: Real time.
        """
        self._changed = threading.Condition()
        self._now_s, self._speed = now_s, speed
        self._hold_at_s = hold_at_s
        self._base_s: float | None = None
        self._since_s: float | None = None
        """Real time at which session time was ``_base_s`` and ran on from; None while held."""
        self._closed = False

    @property
    def t_s(self) -> float | None:
        """Session time; None before it starts."""
        with self._changed:
            return self._read()

    @property
    def held(self) -> bool:
        """Whether session time stands still until `go`."""
        with self._changed:
            at_s = self._read()
            return at_s is not None and (self._since_s is None or at_s == self._hold_at_s)

    @property
    def to_be_held(self) -> bool:
        """Whether the clock will still hold by itself, or does so now."""
        with self._changed:
            return self._hold_at_s is not None

    def hold(self) -> None:
        """Session time stands still from now on."""
        with self._changed:
            self._base_s, self._since_s = self._read(), None
            self._changed.notify_all()

    def go(self) -> None:
        """Session time goes on from where it stands."""
        with self._changed:
            self._base_s, self._since_s, self._hold_at_s = self._read(), self._now_s(), None
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody waits any longer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait_until(self, t_s: float) -> bool:
        """Wait for a session time; False where the clock was closed meanwhile."""
        with self._changed:
            if self._base_s is None:
                self._base_s, self._since_s = t_s, self._now_s()
            while not self._closed:
                at_s = self._read()
                assert at_s is not None
                if at_s >= t_s:
                    return True
                standing = self._since_s is None or at_s == self._hold_at_s
                self._changed.wait(None if standing else (t_s - at_s) / self._speed)
            return False

    def _read(self) -> float | None:
        if self._base_s is None or self._since_s is None:
            return self._base_s
        at_s = self._base_s + (self._now_s() - self._since_s) * self._speed
        return at_s if self._hold_at_s is None else min(at_s, max(self._hold_at_s, self._base_s))


def paced(captures: Iterable[Capture], pace: Pace) -> Iterator[Capture]:
    """Captures of a recording, each when its time has come; decoding goes on while one waits."""
    for capture in captures:
        if not pace.wait_until(capture.t_s):
            return
        yield capture
