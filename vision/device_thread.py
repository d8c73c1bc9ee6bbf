"""A thread of its own for one device: opened, read, and opened again when it was gone.

What comes and what goes wrong is judged by whoever owns the thread; a driver that hangs hangs only here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

Word = TypeVar("Word", covariant=True)
Read = TypeVar("Read")

REOPEN_S = 0.4
"""Between two tries to open a device that is gone."""


class Driver(Protocol[Word]):
    """What a thread needs of a driver."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    def open(self) -> None:
        """Open the device."""
        ...

    def read(self) -> Word:
        """Wait for what comes next."""
        ...

    def close(self) -> None:
        """Let go of the device; may be called twice."""
        ...


class DeviceThread(Generic[Read]):
    """Opens and reads one device until it is stopped."""

    def __init__(
        self,
        device: Driver[Read],
        *,
        kind: str,
        came: Callable[[Read], None],
        gone: Callable[[Exception], None],
        troubles: tuple[type[Exception], ...],
        stop_s: float,
        clock: Callable[[], float],
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            device: The driver.
            kind: What it is, for the thread's name.
            came: Told on the thread what was read.
            gone: Told on the thread which of the ``troubles`` came, before the device is closed.
            troubles: What the driver raises where the device is not there or of no use.
            stop_s: So long `stop` waits for a thread that hangs in a driver; it ends with the program.
            clock: Seconds.
        """
        self._device, self._kind = device, kind
        self._came, self._gone, self._troubles = came, gone, troubles
        self._stop_s, self._clock = stop_s, clock
        self._open = False
        self._try_s = -float("inf")
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to read."""
        self._thread = threading.Thread(
            target=self._work, name=f"{self._kind} {self._device.name}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End reading and let go of the device."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(self._stop_s)
            if self._thread.is_alive():
                return  # it hangs in the driver, which must not be closed under it
        self._device.close()
        self._open = False

    def turn(self) -> bool:
        """One turn of the thread: open the device where it is not, else read.

        Returns:
            Whether there was something to do; False = nothing to do until `REOPEN_S` is over.
        """
        try:
            if not self._open:
                if self._clock() - self._try_s < REOPEN_S:
                    return False
                self._try_s = self._clock()
                self._device.open()
                self._open = True
            read = self._device.read()
        except self._troubles as trouble:
            self._gone(trouble)
            self._open = False
            self._try_s = self._clock()
            self._device.close()
            return True
        self._came(read)
        return True

    def _work(self) -> None:
        while not self._stop.is_set():
            if not self.turn():
                self._stop.wait(REOPEN_S / 4.0)
