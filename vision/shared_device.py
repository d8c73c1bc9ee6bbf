"""One device that gives pictures of several kinds, as one `Device` a kind: colour and depth of one camera.

The device has one pipeline. Whichever part asks first waits for it and puts the others' pictures into their
place, the newest only; if it fails, it fails for all parts, and the first to open it again does so for all.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Protocol

from vision.cameras import DeviceGoneError, Picture, WrongFormatError

WAIT_S = 0.1
"""Between two looks of a part that another one reads for."""


class Pipeline(Protocol):
    """What a driver of such a device is."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def hz(self) -> float:
        """Sets of pictures a second that it was asked for."""
        ...

    @property
    def kinds(self) -> Sequence[str]:
        """What it gives."""
        ...

    def open(self, kinds: Sequence[str]) -> None:
        """Open the device for these kinds.

        Raises:
            DeviceGoneError: If it is not there.
            WrongFormatError: If it cannot do what is asked.
        """
        ...

    def wait(self) -> Mapping[str, Picture]:
        """Wait for new pictures, at most a second; a kind of which there is no new one is left out.

        Raises:
            DeviceGoneError: If it is not there any more.
            WrongFormatError: If it gives something else.
        """
        ...

    def close(self) -> None:
        """Let go of the device; may be called twice."""
        ...


class Part:
    """One kind of picture of a shared device: a `vision.cameras.Device`."""

    def __init__(self, shared: SharedDevice, kind: str) -> None:
        """Belongs to its device."""
        self._shared, self.kind = shared, kind
        self.name, self.hz = f"{shared.pipeline.name} {kind}", shared.pipeline.hz
        if kind not in shared.wanted:
            shared.wanted.append(kind)

    def open(self) -> None:
        """See `vision.cameras.Device`."""
        self._shared.join(self.kind)

    def read(self) -> Picture:
        """See `vision.cameras.Device`."""
        return self._shared.next(self.kind)

    def close(self) -> None:
        """See `vision.cameras.Device`."""
        self._shared.leave(self.kind)


class SharedDevice:
    """A pipeline and whoever reads from it."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Nothing is opened yet."""
        self.pipeline = pipeline
        self.wanted: list[str] = []
        """Kinds that somebody will read: others are not asked of the device."""
        self._changed = threading.Condition()
        self._members: set[str] = set()
        self._newest: dict[str, Picture] = {}
        self._open = self._reading = False
        self._trouble: dict[str, DeviceGoneError | WrongFormatError] = {}

    def part(self, kind: str) -> Part:
        """One kind of its pictures."""
        return Part(self, kind)

    def join(self, kind: str) -> None:
        """Open the device, or share it where it is open."""
        with self._changed:
            self._trouble.pop(kind, None)
            if not self._open:
                self.pipeline.open(self.wanted)
                self._open = True
                self._newest.clear()
            self._members.add(kind)

    def leave(self, kind: str) -> None:
        """Read no more; the last one closes the device."""
        with self._changed:
            self._members.discard(kind)
            self._newest.pop(kind, None)
            if self._open and not self._members and not self._reading:
                self._shut()

    def next(self, kind: str) -> Picture:
        """The next picture of a kind."""
        while True:
            with self._changed:
                if (trouble := self._trouble.get(kind)) is not None:
                    raise trouble
                if (picture := self._newest.pop(kind, None)) is not None:
                    return picture
                if kind not in self._members:
                    raise DeviceGoneError(f"{self.pipeline.name} is closed.")
                if self._reading:
                    self._changed.wait(WAIT_S)
                    continue
                self._reading = True
            self._read()

    def _read(self) -> None:
        found: Mapping[str, Picture] = {}
        trouble: DeviceGoneError | WrongFormatError | None = None
        try:
            found = self.pipeline.wait()
        except (DeviceGoneError, WrongFormatError) as failed:
            trouble = failed
        finally:
            with self._changed:
                self._reading = False
                self._newest.update({kind: found[kind] for kind in self._members & found.keys()})
                if trouble is not None:
                    self._trouble = dict.fromkeys(self._members, trouble)
                    self._members.clear()
                if self._open and not self._members:
                    self._shut()
                self._changed.notify_all()

    def _shut(self) -> None:
        self._open = False
        self.pipeline.close()
