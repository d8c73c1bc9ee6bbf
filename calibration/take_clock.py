"""How far a recording has come: its stretches one after the other, by the pictures' own clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from calibration.recorded_plan import Stretch
from models.capture import Capture


class TakeClock:
    """Fed with captures in order of time."""

    def __init__(
        self,
        plan: Sequence[Stretch],
        *,
        settled: Callable[[float], bool] = lambda _: False,
        ready: Callable[[float], bool] = lambda _: False,
    ) -> None:
        """Nothing has come yet.

        Args:
            plan: The stretches.
            settled: Whether what came since a time has told enough, for a stretch that may be over earlier.
            ready: The same of a stretch that is not recorded: whether what was asked for in it is done.
        """
        self._plan, self._settled, self._ready = tuple(plan), settled, ready
        self._number, self._begun_s, self._t_s = 0, 0.0, 0.0
        self._started = self._closing = False
        self._valve: list[tuple[float, float]] = []
        self._gas_from_s: float | None = None
        self.looks_begun_anew = 0
        """Looks at a reference that the shutter cut short."""

    @property
    def is_over(self) -> bool:
        """Whether all stretches are done."""
        return self._number >= len(self._plan)

    @property
    def now(self) -> Stretch | None:
        """What is under way; None = all is done."""
        return None if self.is_over else self._plan[self._number]

    @property
    def left_s(self) -> float:
        """Of what is under way."""
        stretch = self.now
        return 0.0 if stretch is None else max(0.0, stretch.lasts_s - (self._t_s - self._begun_s))

    @property
    def all_left_s(self) -> float:
        """Of the whole, at most, as long as no look is begun anew."""
        return self.left_s + sum(one.lasts_s for one in self._plan[self._number + 1 :])

    @property
    def share(self) -> float:
        """Of the whole that is done, 0..1."""
        return 1.0 - self.all_left_s / sum(one.lasts_s for one in self._plan)

    @property
    def valve_s(self) -> tuple[tuple[float, float], ...]:
        """Intervals in which gas flowed, as the captures tell."""
        open_ = () if self._gas_from_s is None else ((self._gas_from_s, self._t_s),)
        return (*self._valve, *open_)

    def look(self, capture: Capture) -> bool:
        """See the next capture.

        Returns:
            Whether it belongs into the recording.
        """
        before_s, self._t_s = self._t_s, capture.t_s
        if not self._started:
            self._started, self._begun_s, before_s = True, capture.t_s, capture.t_s
        self._gas(capture, before_s)
        closed = any(one.shutter for one in capture.thermal)
        while (stretch := self.now) is not None and capture.t_s - self._begun_s >= stretch.lasts_s:
            self._next(self._begun_s + stretch.lasts_s)
        if stretch is not None and self._told_enough(stretch):
            self._next(capture.t_s)
        stretch = self.now
        if stretch is None:
            return closed
        kept = stretch.kept or closed
        if closed:
            self._closing = True
        elif self._closing and capture.thermal:
            self._closing = False
            self._shutter_was_closed(stretch, capture.t_s)
            kept = self.now is not None and self.now.kept
        return kept

    def _told_enough(self, stretch: Stretch) -> bool:
        least_s = stretch.least_s
        return (
            least_s is not None
            and self._t_s - self._begun_s >= least_s
            and not self._closing
            and (self._settled if stretch.kept else self._ready)(self._begun_s)
        )

    def _shutter_was_closed(self, stretch: Stretch, t_s: float) -> None:
        """The first picture after it."""
        if stretch.ends_by_shutter:
            self._next(t_s)
        elif stretch.shutter_parts and t_s - self._begun_s >= (stretch.least_s or stretch.lasts_s):
            self._next(t_s)
            if self.now is not None and self.now.ends_by_shutter:
                self._next(t_s)
        elif stretch.shutter_parts:
            self._begun_s = t_s
            self.looks_begun_anew += 1

    def _next(self, from_s: float) -> None:
        self._number, self._begun_s = self._number + 1, from_s

    def _gas(self, capture: Capture, before_s: float) -> None:
        if self._gas_from_s is None and capture.gas_s > 0.0:
            self._gas_from_s = capture.t_s - capture.gas_s if capture.gas_now else before_s
        if self._gas_from_s is not None and not capture.gas_now:
            self._valve.append((self._gas_from_s, before_s + capture.gas_s))
            self._gas_from_s = None
