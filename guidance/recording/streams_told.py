"""How well each camera's pictures came, counted as they are recorded."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.capture import Capture
from models.geometry import Counts

COLDEST_CENTIKELVIN, WARMEST_CENTIKELVIN = 22315, 42315
"""-50 to 150 degC: half of what a thermal picture of a calibration shows lies in between. Raw counts of a
core do not: 14 bits end at 163 K."""


@dataclass(frozen=True)
class StreamTold:
    """The pictures of one camera."""

    kind: str
    """``colour``, ``thermal`` or ``depth``."""
    pictures: int
    hz: float | None
    """Pictures a second between the first and the last; None where there are fewer than two."""
    gap_s: float
    """The longest time without a picture, begin and end of the recording counted."""
    no_temperatures: int = 0
    """Thermal pictures whose numbers are no temperatures."""

    @property
    def words(self) -> str:
        """One line for people."""
        if not self.pictures:
            return "no picture"
        rate = f", {self.hz:.1f} a second" if self.hz is not None else ""
        plain = (
            f"; {self.no_temperatures} are no temperatures (raw counts?): no step can use those"
            if self.no_temperatures
            else ""
        )
        return f"{self.pictures} pictures{rate}, longest gap {self.gap_s:.2f} s{plain}"


@dataclass(eq=False)
class StreamTally:
    """Counts the pictures of one camera."""

    kind: str
    pictures: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    gap_s: float = 0.0
    no_temperatures: int = 0

    def add(self, t_s: float) -> None:
        """A picture taken then."""
        if self.pictures:
            self.gap_s = max(self.gap_s, t_s - self.last_s)
        else:
            self.first_s = t_s
        self.pictures, self.last_s = self.pictures + 1, t_s

    def told(self, *, from_s: float, to_s: float) -> StreamTold:
        """So far.

        Args:
            from_s: When the recording began, on the clock of the pictures.
            to_s: How far it has come.
        """
        if not self.pictures:
            return StreamTold(self.kind, 0, None, max(0.0, to_s - from_s))
        over_s = self.last_s - self.first_s
        hz = (self.pictures - 1) / over_s if over_s > 0.0 else None
        gap_s = max(self.gap_s, self.first_s - from_s, to_s - self.last_s)
        return StreamTold(self.kind, self.pictures, hz, gap_s, self.no_temperatures)


@dataclass(eq=False)
class Tallies:
    """Counts the pictures of all cameras."""

    kinds: tuple[str, ...]
    """Of the cameras that are recorded; one that gives nothing is told too."""
    from_s: float | None = None
    to_s: float = 0.0
    each: dict[str, StreamTally] = field(default_factory=dict[str, StreamTally])

    def __post_init__(self) -> None:
        """None has given a picture."""
        self.each = {kind: StreamTally(kind) for kind in self.kinds}

    def add(self, capture: Capture) -> None:
        """Count what a capture brought."""
        if self.from_s is None:
            self.from_s = min(0.0, capture.t_s)
        self.to_s = capture.t_s
        if capture.index is not None:
            self._of("colour").add(capture.t_s)
        for picture in capture.thermal:
            thermal = self._of("thermal")
            thermal.add(picture.t_s)
            thermal.no_temperatures += not picture.shutter and not _temperatures(picture.centikelvin)
        for picture in capture.depth:
            self._of("depth").add(picture.t_s)

    def told(self) -> tuple[StreamTold, ...]:
        """Of each camera."""
        from_s = 0.0 if self.from_s is None else self.from_s
        return tuple(one.told(from_s=from_s, to_s=self.to_s) for one in self.each.values())

    def _of(self, kind: str) -> StreamTally:
        return self.each.setdefault(kind, StreamTally(kind))


def _temperatures(counts: Counts) -> bool:
    """Whether the middle of a picture's numbers can be centikelvin of anything that is calibrated with."""
    read = counts[::4, ::4]
    read = read[read > 0]
    return bool(len(read)) and COLDEST_CENTIKELVIN <= float(np.median(read)) <= WARMEST_CENTIKELVIN
