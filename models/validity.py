"""What of a rig was found when, and what each part rests on: a part whose ground has changed no longer holds.

As with make: each step leaves a mark of what it found, and notes the marks of what it rested on. A step done
again has another mark; whatever rested on the older one has lapsed, and so has what rests on that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

NONE = "none"
"""Mark of a step that had not been done."""

HOLDS_DAYS = 30
"""As the alarm ``calibration_old`` has it."""

RESTS_ON: Mapping[str, tuple[str, ...]] = {
    "rgb": (),
    "thermal": ("rgb",),
    "depth": ("rgb",),
    "spread": (),
    "radiometry": ("spread",),
    "time": (),
    "collar": ("rgb",),
    "tip": ("rgb", "collar"),
    "axis": ("rgb", "collar"),
    "jet": ("rgb", "thermal", "depth", "spread", "radiometry", "collar", "tip", "axis"),
}
"""What each step rests on, in the order in which they are done.

Time rests on patterns of change alone, a point's spread on the thermal picture alone. The axis is a direction
in the collar's frame, which the tip moves but does not turn."""

COVERED = {("radiometry", "spread"), ("jet", "spread"), ("jet", "radiometry")}
"""Who rested on what while it was still missing, and has what that leaves open in its bound: it goes on
holding when that is found for the first time. Without a spread the halo is bounded, without a radiometry the
camera's claim is in the bound."""

TITLES: Mapping[str, str] = {
    "rgb": "lens of the colour camera",
    "thermal": "thermal camera and its place",
    "depth": "depth camera and its place",
    "spread": "spread of a point in the thermal camera",
    "radiometry": "temperatures of the thermal camera",
    "time": "time between the cameras",
    "collar": "places of the collar's tags",
    "tip": "orifice of the nozzle",
    "axis": "axis of the jet",
    "jet": "jet of the device",
}


ANOTHER: Mapping[str, str] = {
    "rgb": "another lens of the colour camera",
    "thermal": "another place of the thermal camera",
    "depth": "another place of the depth camera",
    "spread": "another spread of a point",
    "radiometry": "other temperatures of the thermal camera",
    "collar": "other places of the collar's tags",
    "tip": "another tip",
    "axis": "another axis",
}
"""What a part was found with, where that was found again since."""


@dataclass(frozen=True)
class Found:
    """What a step left."""

    step: str
    """Of `RESTS_ON`."""
    measured: datetime
    mark: str
    """Of what it found."""
    rested_on: tuple[tuple[str, str], ...]
    """Step and its mark then; `NONE` = it had not been done."""
    lens: tuple[float, ...] = ()
    """Colour camera that it was found with, in the order of `models.rig.INTRINSICS`; empty = not noted."""


@dataclass(frozen=True)
class Lapsed:
    """A step that no longer holds."""

    step: str
    because: tuple[str, ...]
    """Steps that are not what it rested on; empty = it is too old."""
    why: str
    """Such as ``found with another lens of the colour camera``."""

    @property
    def words(self) -> str:
        """With what it is about."""
        return f"{TITLES[self.step]}: {self.why}"


@dataclass(frozen=True)
class Validity:
    """Of all steps that a rig tells of; none for a rig of other makers."""

    found: tuple[Found, ...] = ()

    def of(self, step: str) -> Found | None:
        """What a step left; None where it was not done."""
        return next((one for one in self.found if one.step == step), None)

    def mark(self, step: str) -> str:
        """Of a step, `NONE` where it was not done."""
        one = self.of(step)
        return NONE if one is None else one.mark

    def lapsed(self, *, now: datetime | None = None) -> tuple[Lapsed, ...]:
        """What no longer holds, in the order in which it is to be done again.

        Args:
            now: Time of day, for what is too old; None = nothing is.
        """
        gone: dict[str, Lapsed] = {}
        for step, grounds in RESTS_ON.items():
            one = self.of(step)
            if one is None:
                continue
            before = dict(one.rested_on)
            other = tuple(
                ground
                for ground in grounds
                if ground in before
                and before[ground] != self.mark(ground)
                and not (before[ground] == NONE and (step, ground) in COVERED)
            )
            shaken = tuple(g for g in grounds if g in gone and gone[g].because and g not in other)
            if other or shaken:
                gone[step] = Lapsed(step, (*other, *shaken), _why(other, shaken))
            elif now is not None and age_days(one.measured, now) > HOLDS_DAYS:
                gone[step] = Lapsed(step, (), f"found {age_days(one.measured, now):.0f} days ago")
        return tuple(gone.values())

    def oldest(self) -> datetime | None:
        """When the part was found that was found first; None where the rig tells of none."""
        return min((_aware(one.measured) for one in self.found), default=None)


def age_days(measured: datetime, now: datetime) -> float:
    """From a measurement to a time of day; one without an offset is taken as UTC."""
    return (_aware(now) - _aware(measured)).total_seconds() / 86400.0


def remedy(lapsed: tuple[Lapsed, ...]) -> str:
    """What to do, in order; empty where nothing has lapsed."""
    return f"do calibrate {', then '.join(one.step for one in lapsed)} again" if lapsed else ""


def lapsed_words(lapsed: tuple[Lapsed, ...]) -> str:
    """All in one sentence without its full stop; empty where nothing has lapsed."""
    whys: dict[str, list[str]] = {}
    for one in lapsed:
        whys.setdefault(one.why, []).append(TITLES[one.step])
    told = "; ".join(f"{', '.join(titles)}: {why}" for why, titles in whys.items())
    return f"{told}; {remedy(lapsed)}" if lapsed else ""


def _why(other: tuple[str, ...], shaken: tuple[str, ...]) -> str:
    """What a part rests on besides need not be told where it was found with something else itself."""
    if other:
        return f"found with {' and '.join(ANOTHER[ground] for ground in other)}"
    return f"rests on {', '.join(shaken)}, which no longer {'holds' if len(shaken) == 1 else 'hold'}"


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
