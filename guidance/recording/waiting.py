"""What waits for the disk: bounded, pictures left out first, and whoever hands over a step never held up.

Steps are handed over on one thread and written on another; what is lost between them is counted and named.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, replace

from guidance.recording.writer import Item, Missing, Noted, Taken

PICTURES_WAITING = 45
"""Captures that may wait with their colour picture: 1.5 s at 30 a second, 125 MB at 720p."""

PICTURES_WAIT_S = 1.5
"""The same in time, for a machine that steps less often: what waits is lost when the program dies."""

CAPTURES_WAITING = 300
"""Captures that may wait at all: 10 s at 30 a second."""

_NO_PICTURES = "The disk does not keep up: colour pictures are left out of the recording."
_NO_CAPTURES = "The disk does not keep up: this recording lacks captures."


@dataclass(frozen=True)
class Tally:
    """What was handed over, and what of it is lost."""

    captures: int
    waiting: int
    pictures_left_out: int
    captures_lost: int
    lacks: str
    """One sentence where something is lost; else empty."""


class Waiting:
    """A queue between the thread that steps and the thread that writes."""

    def __init__(self) -> None:
        """Nothing waits."""
        self._queue: deque[Item] = deque()
        self._at_once: deque[Noted] = deque()
        self._changed = threading.Condition()
        self._closing = self._given_up = False
        self._captures = self._pictures_left_out = self._captures_lost = 0
        self._lacks = ""

    def add_step(self, taken: Taken, *, patient: bool) -> None:
        """Take one step; where there is no room for all of it, without its picture, or its times alone.

        Args:
            taken: The step; when it was handed over is noted here.
            patient: Wait for room instead of leaving anything out.
        """
        with self._changed:
            if patient:
                self._changed.wait_for(lambda: len(self._queue) < PICTURES_WAITING)
            self._captures += 1
            waiting = len(self._queue)
            if self._given_up:
                self._captures_lost += 1
                return
            if waiting >= CAPTURES_WAITING or self._closing:
                self._captures_lost += 1
                self._lacks = _NO_CAPTURES
                self._miss(taken)
                return
            late = waiting >= PICTURES_WAITING or (not patient and self._waits_s() > PICTURES_WAIT_S)
            if late and taken.capture.bgr is not None:
                taken = replace(taken, capture=replace(taken.capture, bgr=None))
                self._pictures_left_out += 1
                self._lacks = self._lacks or _NO_PICTURES
            self._queue.append(replace(taken, taken_s=time.monotonic()))
            self._changed.notify_all()

    def _miss(self, taken: Taken) -> None:
        told = taken.guidance
        missing = Missing(told.t_s, told.active, told.ended, taken.actions)
        last = self._queue[-1] if self._queue else None
        if not (isinstance(last, Missing) and last.takes(missing)):
            self._queue.append(missing)

    def _waits_s(self) -> float:
        """How long the oldest capture has waited; 0 where none waits."""
        oldest = next((item for item in self._queue if isinstance(item, Taken)), None)
        return 0.0 if oldest is None else time.monotonic() - oldest.taken_s

    def add(self, item: Item) -> None:
        """Take what belongs after all that waits; there is room for it always."""
        with self._changed:
            if not self._given_up:
                self._queue.append(item)
            self._changed.notify_all()

    def add_at_once(self, noted: Noted) -> None:
        """Take what goes ahead of all that waits."""
        with self._changed:
            if not self._given_up:
                self._at_once.append(noted)
            self._changed.notify_all()

    def close(self) -> None:
        """No step is taken any more; what waits is to be written."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def give_up(self) -> None:
        """Nothing is written any more: captures that wait, and all to come, are lost."""
        with self._changed:
            self._given_up = True
            self._captures_lost += sum(isinstance(item, Taken) for item in self._queue)
            self._queue.clear()
            self._changed.notify_all()

    def lose(self, why: str) -> None:
        """A capture that was handed on could not be written.

        Args:
            why: One sentence.
        """
        with self._changed:
            self._captures_lost += 1
            self._lacks = why

    def next(self, *, until_s: float, full: bool) -> Item | None:
        """What is to be written next; None where nothing is by then.

        Args:
            until_s: Wait no longer, on the clock of `time.monotonic`.
            full: The disk takes nothing now: only what goes ahead of all is handed on, unless it is closed.
        """
        with self._changed:
            if not self._at_once and (full or (not self._queue and not self._closing)):
                self._changed.wait(max(0.0, until_s - time.monotonic()))
            if self._at_once:
                return self._at_once.popleft()
            if full and not self._closing:
                return None
            self._changed.notify_all()
            return self._queue.popleft() if self._queue else None

    @property
    def done(self) -> bool:
        """Whether it is closed and nothing waits any more."""
        with self._changed:
            return self._closing and not self._queue and not self._at_once

    @property
    def tally(self) -> Tally:
        """How it stands."""
        with self._changed:
            return Tally(
                captures=self._captures,
                waiting=sum(isinstance(item, Taken) for item in self._queue),
                pictures_left_out=self._pictures_left_out,
                captures_lost=self._captures_lost,
                lacks=self._lacks,
            )
