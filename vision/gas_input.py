"""Whether gas flows, as a switch or a valve says: read on a thread of its own, newest word wins.

A driver is one small class (`GasDevice`). What its words are worth is judged here and only here, by the clock
of whoever asks, as for cameras: a driver that hangs cannot hide that nothing comes. Gas counts as flowing
unless the input says, without interruption and for a while, that it does not.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from vision.device_thread import DeviceThread

TURN_S = 0.05
"""A driver waits no longer than this in one read: whoever stops the thread does not wait for long."""

SILENT_S = 0.35
"""Without a word for so long an input is silent: an alarm on it is due at 0.5 s, and the slowest that is
asked for (5 a second) gives one each 0.2 s."""

OFF_AFTER_S = 0.1
"""Off is believed once it has been said for so long without interruption, and at least twice: contacts bounce
for milliseconds, a foot shifts its weight for tens of them (own choice). Until then gas counts as flowing."""

CONTRADICTS_S = 0.42
"""So long without the same word twice over `OFF_AFTER_S` an input contradicts itself. A change is sure after
two words, 0.4 s at 5 a second; an alarm is due at 0.5 s."""

STOP_S = 1.0
"""So long a thread is waited for that hangs in a driver; it ends with the program."""

KEPT = 256
"""Changes that wait for whoever listens: they come at most every `OFF_AFTER_S`, and he looks each 0.1 s."""


class GasGoneError(Exception):
    """The input is not there, or no more; the words say what is to be done."""


class GasDevice(Protocol):
    """What a driver is."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    def open(self) -> None:
        """Open the device.

        Raises:
            GasGoneError: If it is not there.
        """
        ...

    def read(self) -> Sequence[bool | None]:
        """Wait for what it says, at most `TURN_S`.

        Returns:
            Oldest first: True = gas flows, False = it does not, None = what came makes no sense. Nothing
            where nothing came.

        Raises:
            GasGoneError: If it is not there any more.
        """
        ...

    def close(self) -> None:
        """Let go of the device; may be called twice."""
        ...


@dataclass(frozen=True)
class GasState:
    """How an input stands, and what it says."""

    name: str
    state: str
    """``starting``, ``ok``, ``unplugged``, ``silent`` or ``contradictory``."""
    since_s: float
    """Since when, on the clock of `time.monotonic`."""
    flows: bool | None
    """Whether gas flows; None = not known."""
    words: str
    """One sentence for the operator where it is not ``ok``."""
    seen_on: bool
    """It has said on since it was opened."""
    seen_off: bool
    """It has said off, for long enough to be believed, after it had said on."""

    @property
    def ok(self) -> bool:
        """Whether its word can be taken."""
        return self.state == "ok"

    @property
    def lost(self) -> bool:
        """Whether something is wrong with it."""
        return self.state not in ("ok", "starting")


@dataclass(frozen=True)
class GasChange:
    """Something else is known of the gas from a time on."""

    at_s: float
    """On the clock of `time.monotonic`. Where nothing is known any more: of the last word before."""
    flows: bool | None


class GasInput:
    """One input and the thread that reads it."""

    def __init__(
        self,
        device: GasDevice,
        *,
        off_after_s: float = OFF_AFTER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            device: The driver.
            off_after_s: See `OFF_AFTER_S`.
            clock: Seconds; only tests give another.
        """
        self.device = device
        self._off_after_s, self._clock = off_after_s, clock
        self._contradicts_s = CONTRADICTS_S + max(0.0, off_after_s - OFF_AFTER_S)
        self._lock = threading.RLock()
        self._thread = DeviceThread(
            device,
            kind="gas",
            came=self._came,
            gone=self._gone,
            troubles=(GasGoneError,),
            stop_s=STOP_S,
            clock=clock,
        )
        self._trouble = ""
        self._listener: deque[GasChange] = deque(maxlen=KEPT)
        self._told: bool | None = None
        self._seen_on = self._seen_off = False
        self._trouble_s = 0.0
        self._begin(clock())

    def __enter__(self) -> Self:
        """Begin to read."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the device."""
        self.stop()

    def start(self) -> None:
        """Begin to read."""
        self._begin(self._clock())
        self._thread.start()

    def stop(self) -> None:
        """End reading and let go of the device."""
        self._thread.stop()

    def state(self) -> GasState:
        """How it stands now."""
        with self._lock:
            state, since_s, words = self._judged(self._clock())
            self._tell(state)
            return GasState(
                self.device.name, state, since_s, self._told, words, self._seen_on, self._seen_off
            )

    def listen(self) -> deque[GasChange]:
        """What changes from now on, what is known now first; only the newest listener is told."""
        with self._lock:
            self.state()
            self._listener = deque([GasChange(self._clock(), self._told)], maxlen=KEPT)
            return self._listener

    def turn(self) -> bool:
        """One turn of the thread: see `DeviceThread.turn`."""
        return self._thread.turn()

    def _begin(self, now_s: float) -> None:
        self._began_s = now_s
        self._heard_s: float | None = None
        self._sure_s: float | None = None
        self._run: tuple[bool | None, float, int] = (None, now_s, 0)  # what is said, since when, how often
        self._flows = True

    def _gone(self, trouble: Exception) -> None:
        with self._lock:
            if not self._trouble:
                self._trouble_s = self._clock()
            self._trouble = str(trouble)
            self._tell("unplugged")

    def _came(self, said: Sequence[bool | None]) -> None:
        if said:
            self._heard(said)

    def _heard(self, said: Sequence[bool | None]) -> None:
        now_s = self._clock()
        with self._lock:
            self._tell(self._judged(now_s)[0])  # it may have been silent until now
            if self._trouble:
                self._trouble = ""
                self._begin(now_s)
            elif self._heard_s is not None and now_s - self._heard_s > SILENT_S:
                self._begin(now_s)  # what it said before tells nothing about the time between
            self._heard_s = now_s
            for flows in said:
                self._weigh(flows, now_s)
            self._tell(self._judged(now_s)[0])

    def _weigh(self, flows: bool | None, now_s: float) -> None:
        before, since_s, times = self._run
        self._run = (flows, since_s, times + 1) if times and flows == before else (flows, now_s, 1)
        _, since_s, times = self._run
        if flows is None or flows:
            self._flows = True
        if flows is None:
            return
        if times > 1 and now_s - since_s >= self._off_after_s:
            self._sure_s, self._flows = now_s, flows
        self._seen_on = self._seen_on or flows
        self._seen_off = self._seen_off or (self._seen_on and not self._flows)

    def _judged(self, now_s: float) -> tuple[str, float, str]:
        name = self.device.name
        if self._trouble:
            return "unplugged", self._trouble_s, self._trouble
        if self._heard_s is None:
            if now_s - self._began_s <= SILENT_S:
                return "starting", self._began_s, f"{name} has said nothing yet."
            return "silent", self._began_s, f"{name} says nothing: check its cable."
        if now_s - self._heard_s > SILENT_S:
            return "silent", self._heard_s, f"{name} says nothing any more: check its cable."
        sure_s = self._began_s if self._sure_s is None else self._sure_s
        if now_s - sure_s > self._contradicts_s:
            return (
                "contradictory",
                sure_s,
                f"{name} contradicts itself or says what makes no sense: check switch and wiring.",
            )
        if self._sure_s is None:
            return "starting", self._began_s, f"{name} is being listened to."
        return "ok", self._sure_s, ""

    def _tell(self, state: str) -> None:
        flows = self._flows if state == "ok" else None
        if flows == self._told:
            return
        self._told = flows
        lately_s = self._heard_s if flows is None and self._heard_s is not None else self._clock()
        self._listener.append(GasChange(lately_s, flows))
