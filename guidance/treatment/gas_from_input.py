"""Whether gas flows, as a switch or valve says; where it cannot be believed, as the operator says."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from guidance.treatment.gas_by_hand import GasByHand
from vision.gas_input import GasInput

ACTIONS = {True: "switch_on", False: "switch_off", None: "switch_lost"}
"""How what it says is recorded, beside what the operator does."""


class GasFromInput(GasByHand):
    """As `GasByHand`, but what the input says goes before what the operator says.

    While the input is not known (`vision.gas_input`), gas counts as flowing from its last word on, until the
    operator says that it is off, or it is known again. Before Start, when no gas is meant to flow, an input
    that is lost counts as none: nothing flows unless it had said so.
    """

    def __init__(self, source: GasInput, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Listen from now on; whoever listened before is told nothing more."""
        super().__init__(clock=clock)
        self._source, self._changes = source, source.listen()
        self._known: bool | None = None
        self._started = False
        self._asked_to_s, self._owed_s = -math.inf, 0.0
        self._news: list[str] = []
        self._lost_at_s: float | None = None
        self._lost_s, self._losses = 0.0, 0

    @property
    def on(self) -> bool:
        """Whether gas counts as flowing now."""
        with self._lock:
            self._take()
            return bool(self._switched) and self._switched[-1][1]

    @property
    def known(self) -> bool | None:
        """What the input says now; None = nothing that could be believed."""
        with self._lock:
            self._take()
            return self._known

    def news(self) -> tuple[str, ...]:
        """What the input has said since this was asked last, by `ACTIONS`."""
        with self._lock:
            self._take()
            news, self._news = tuple(self._news), []
            return news

    def remark(self) -> str:
        """One sentence for the report: who said whether gas flowed, and how long it was not heard."""
        with self._lock:
            self._take()
            running_s = 0.0 if self._lost_at_s is None else self._clock() - self._lost_at_s
            name, lost_s = self._source.device.name, self._lost_s + running_s
            if not self._losses:
                return f"Whether gas flowed was said by {name}, which was heard throughout."
            return (
                f"Whether gas flowed was said by {name}, which was not heard {self._losses} times,"
                f" {lost_s:.1f} s in all: gas counts as flowing then, but where the operator said off."
            )

    def switch(self, *, on: bool) -> None:
        """The operator has said so now: it counts while the input is not known."""
        with self._lock:
            self._take()
            if self._known is None and not self._started:
                self._loses(self._clock())
            self._started = True
            if self._known is None:
                self._switched.append((self._clock(), on))

    def flow(self, from_s: float, to_s: float) -> tuple[float, bool]:
        """As `GasByHand.flow`, of spans that follow one another.

        What the input kept to itself is told with the next span: where it turns out that nothing was known
        before ``from_s`` already, the seconds are made up for, so that none is lost.
        """
        with self._lock:
            self._take()
            flowed_s, on = super().flow(from_s, to_s)
            flowed_s, self._owed_s, self._asked_to_s = flowed_s + self._owed_s, 0.0, to_s
            past = [entry for entry in self._switched if entry[0] - self._began_s <= to_s]
            self._switched = self._switched[max(0, len(past) - 1) :]
            return flowed_s, on

    def _take(self) -> None:
        self._source.state()  # judged by the clock: it may have fallen silent
        while self._changes:
            change = self._changes.popleft()
            if change.flows is None and self._known is None:
                continue
            if self._known is None and self._lost_at_s is not None:
                self._lost_s, self._lost_at_s = self._lost_s + change.at_s - self._lost_at_s, None
            elif change.flows is None and self._started:
                self._loses(change.at_s)
            self._known = change.flows
            self._news.append(ACTIONS[change.flows])
            was_on = bool(self._switched) and self._switched[-1][1]
            on = change.flows if change.flows is not None else self._started or was_on
            if on == was_on:
                continue
            last_s = self._switched[-1][0] if self._switched else -math.inf
            at_s = max(change.at_s, last_s)
            if on and self._started:
                self._owed_s += max(0.0, self._asked_to_s - max(at_s - self._began_s, 0.0))
            self._switched.append((at_s, on))

    def _loses(self, at_s: float) -> None:
        self._lost_at_s, self._losses = at_s, self._losses + 1
