"""Offset, gain and drift of a thermal camera from references of known temperature: solved and judged.

Each look at a reference is off by ``offset + gain (reading - at) + step + what is wrong with the reference``.
A step is what the closing shutter leaves, new in each look: its size shows in how a reference's looks differ.
What is wrong with a reference all its looks share: no number of them makes the camera better known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from scipy import stats

from calibration.look_slope import LookSlope, pooled
from calibration.reference_reading import ReferenceRead
from calibration.shutter_step import parted, step_u95
from models.geometry import Floats
from models.radiometry import SURE, UNFLAGGED_MIN, Calibrated, StatedRadiometry

LEAST_APART_DEGC = 20.0
"""Between the coldest reference and the warmest. Two references known to 0.3 degC each tell the gain to 0.42
degC over their distance; below 21 degC that is no better than the 2 % of data sheets."""

SAME_DEGC = 2.0
"""References nearer to each other count as one temperature."""

LEAST_LOOKS = 3
"""Of each reference: what the shutter leaves is told from how looks differ, and two differ by chance."""

UNIFORMITY_U95_DEGC = 0.2
"""A reading elsewhere in the picture may be so much farther off. Own estimate: the shutter evens out the
detector but not the lens before it; nothing here measures it."""

MOST_DRIFT_DEGC_PER_MIN = 0.15
"""Bound of the drift: three minutes of it, a usual time between two closings of the shutter, then weigh 0.45
degC, as much as the references."""

FALLING_DEGC_PER_MIN = 0.05
"""A drift that changed by more than this and by more than chance on the way is one of a camera that still
warms up; less is nothing beside `MOST_DRIFT_DEGC_PER_MIN`."""

TREND_DEGC = 0.25
"""So far may looks at one reference go one way, if by more than chance: the steps of the shutter do not."""

CHANCE = 0.01
"""Of finding a trend or a contradiction where there is none."""

SKIN_DEGC = (2.0, 10.0, 20.0, 33.0)
"""Skin temperatures at which the outcome is told: STOP, end of the target, on the way, untreated."""


@dataclass(frozen=True, eq=False)
class RadiometryFound:
    """What the references say."""

    stated: StatedRadiometry
    claim_degc: float
    references: tuple[ReferenceRead, ...]
    step_u95_degc: float
    """What the closing shutter moves the camera by, 95 % bound."""
    step_seen: bool
    """Whether it closed often enough between looks to tell; if not, `shutter_step.granted_u95` is taken."""
    off_u95_degc: tuple[float, ...]
    """Of each reference: bound of how far its mean is off."""
    refusal: str | None

    def skin_u95_degc(self) -> tuple[float, ...]:
        """95 % bounds on large even skin of `SKIN_DEGC`, on the day, three minutes after the shutter."""
        return tuple(float(v) for v in self.fresh.bound_degc(np.array(SKIN_DEGC)))

    @property
    def fresh(self) -> Calibrated:
        """The camera as calibrated, on the day."""
        return Calibrated(self.stated, self.claim_degc, 0.0, UNFLAGGED_MIN)


def find_radiometry(
    references: Sequence[ReferenceRead], *, claim_degc: float, now: datetime
) -> RadiometryFound | str:
    """Solve and judge.

    Args:
        references: As the camera reads them.
        claim_degc: Accuracy that the camera claims, 95 % bound.
        now: Date of the calibration.

    Returns:
        What was found, with a refusal where it is not good enough; or only why nothing was.
    """
    lacking = _lacking(references)
    if lacking is not None:
        return lacking
    each_parted = [parted(one) for one in references]
    counts = np.array([len(each) for each in each_parted])
    mean_read, mean_off = (np.array([each[:, k].mean() for each in each_parted]) for k in (0, 1))
    closing_u95, step_seen = step_u95(references)
    own = np.array([one.own_u95_degc + one.halo_degc for one in references]) / SURE
    room = np.array([one.by_room_degc for one in references]) / SURE
    # As wide as the 95 % bound of so few looks, so that 1.96 times the root is one.
    noise = np.diag((closing_u95 / SURE) ** 2 / counts + own**2) + np.outer(room, room)
    weight: Floats = np.asarray(np.linalg.inv(noise), float)
    at = float(np.sum(weight @ mean_read) / weight.sum())
    design = np.column_stack([np.ones(len(mean_off)), mean_read - at])
    line: Floats = np.asarray(np.linalg.inv(design.T @ weight @ design), float)
    offset, gain = (float(v) for v in line @ design.T @ weight @ mean_off)
    left = mean_off - design @ [offset, gain]
    drift, drift_u95, drift_change = _drift(references)
    covariance = np.zeros((3, 3))
    covariance[:2, :2] = 0.5 * (line + line.T)
    covariance[2, 2] = (drift_u95 / SURE) ** 2
    stated = StatedRadiometry(
        measured=now.replace(microsecond=0),
        offset_degc=offset,
        at_degc=at,
        gain=gain,
        drift_degc_per_min=drift,
        covariance=covariance,
        residual_u95_degc=float(np.hypot(closing_u95, UNIFORMITY_U95_DEGC)),
        references_degc=tuple(sorted(one.shown_degc for one in references)),
    )
    off_u95 = np.hypot(SURE * np.sqrt(np.diag(noise)), closing_u95 / np.sqrt(counts))
    found = RadiometryFound(
        stated=stated,
        claim_degc=claim_degc,
        references=tuple(references),
        step_u95_degc=closing_u95,
        step_seen=step_seen,
        off_u95_degc=tuple(off_u95.tolist()),
        refusal=None,
    )
    refusal = (
        _warming(references, drift, drift_u95, drift_change)  # a cold camera is often outside its claim, too
        or _outside_claim(found, mean_off, SURE * np.sqrt(np.diag(noise)))
        or _contradiction(references, left, weight)
        or _no_better(found)
    )
    return replace(found, refusal=refusal)


def _lacking(references: Sequence[ReferenceRead]) -> str | None:
    for one in references:
        if len(one.looks) < LEAST_LOOKS:
            few = f"{one.told.name} has {len(one.looks)} looks that will do (at least {LEAST_LOOKS})"
            if one.left_out:
                return f"{few}: {one.left_out[0]}."
            return (
                f"{few}; a look ends when the shutter closes, or with a pause of 10 s: let the shutter close"
                " between them."
            )
    told = sorted(one.told.degc for one in references)
    if len(told) < 2 or told[-1] - told[0] < SAME_DEGC:
        return (
            "The references have one temperature only, so no gain can be told; take two, such as an ice"
            " slurry and a block at 30 to 35 degC."
        )
    if told[-1] - told[0] < LEAST_APART_DEGC:
        return (
            f"The references are {told[-1] - told[0]:.1f} degC apart (at least {LEAST_APART_DEGC:g}), which"
            " tells the gain no better than a data sheet; take an ice slurry and a block at 30 to 35 degC."
        )
    return None


def _drift(references: Sequence[ReferenceRead]) -> tuple[float, float, tuple[float, float]]:
    """Drift within looks, its 95 % bound, and by how much it changed on the way with the bound of that.

    A look counts by how well it tells a slope: one of 30 s for 27 of 10 s, one that jumped for less. Where
    looks are too short it is told from one look to the next.
    """
    each = [np.array([(look.t_s, look.slope_degc_per_min) for look in one.looks]) for one in references]
    told = [look for one in references for look in one.looks if np.isfinite(look.slope_degc_per_min)]
    if len(told) < LEAST_LOOKS:
        slope, u95, _ = _trend(references)
        return slope, u95, (0.0, np.inf)
    mean, spread = pooled([LookSlope(look.slope_degc_per_min, look.square_min2) for look in told])
    sure = float(stats.t.ppf(0.975, len(told) - 1))
    u95 = sure * spread / float(np.sqrt(sum(look.square_min2 for look in told)))
    changes: list[float] = []
    for one in each:
        known = one[np.isfinite(one[:, 1])]
        if len(known) >= LEAST_LOOKS:
            third = max(1, len(known) // 3)
            changes.append(abs(float(known[:third, 1].mean())) - abs(float(known[-third:, 1].mean())))
    # The last looks are held against the first: as many differ by chance by this.
    change = max(changes, default=0.0)
    scatter = _scatter_about_lines([one[np.isfinite(one[:, 1])] for one in each])
    return mean, u95, (change, scatter)


def _scatter_about_lines(each: Sequence[Floats]) -> float:
    """95 % bound of the difference of two slopes, by how they scatter about a straight change."""
    squares, freedom = 0.0, 0
    for one in each:
        if len(one) > 2:
            fit = np.polyfit(one[:, 0], one[:, 1], 1)
            squares += float(np.sum((one[:, 1] - np.polyval(fit, one[:, 0])) ** 2))
            freedom += len(one) - 2
    if not freedom:
        return np.inf
    return float(stats.t.ppf(1.0 - CHANCE, freedom) * np.sqrt(2.0 * squares / freedom))


def _trend(references: Sequence[ReferenceRead]) -> tuple[float, float, float]:
    """How looks at one reference go one way, degC a minute; its bound; and the longest time, minutes."""
    minutes = [np.array([look.t_s for look in one.looks]) / 60.0 for one in references]
    away = np.concatenate([t - t.mean() for t in minutes])
    off = np.concatenate([one.off_degc - one.off_degc.mean() for one in references])
    square = float(away @ away)
    if not square > 0.0:
        return 0.0, np.inf, 0.0
    slope = float(away @ off / square)
    freedom = len(off) - len(references) - 1
    spread = float(np.sqrt(np.sum((off - slope * away) ** 2) / freedom / square))
    return (
        slope,
        float(stats.t.ppf(1.0 - CHANCE / 2.0, freedom)) * spread,
        max(float(np.ptp(t)) for t in minutes),
    )


def _outside_claim(found: RadiometryFound, mean_off: Floats, u95: Floats) -> str | None:
    for one, off, bound in zip(found.references, mean_off, u95, strict=True):
        if abs(off) - bound > found.claim_degc:
            return (
                f"A radiometric check outside the camera's claim: {one.told.name} reads {off:+.1f} degC off"
                f" (95 % bound {bound:.1f}), the camera claims {found.claim_degc:g}. Check the reference's"
                " thermometer and emissivity, the camera's settings and range; if they are right, have the"
                " camera serviced."
            )
    return None


def _contradiction(references: Sequence[ReferenceRead], left: Floats, weight: Floats) -> str | None:
    if len(left) < 3:
        return None
    if float(left @ weight @ left) <= float(stats.chi2.ppf(1.0 - CHANCE, len(left) - 2)):
        return None
    worst = references[int(np.argmax(np.abs(left)))]  # it may be the others that are wrong
    return (
        f"The references do not lie on one line: {worst.told.name} is {np.abs(left).max():.2f} degC off by"
        " the others; check the thermometer and emissivity of each."
    )


def _warming(
    references: Sequence[ReferenceRead], drift: float, drift_u95: float, change: tuple[float, float]
) -> str | None:
    remedy = (
        "let the camera warm up for 30 minutes with its lens open, keep the references still, and repeat."
    )
    if change[0] > max(FALLING_DEGC_PER_MIN, change[1]):
        return (
            f"The drift is still falling, by {change[0]:.2f} degC a minute on the way, so the camera has not"
            f" warmed up: {remedy}"
        )
    slope, slope_u95, minutes = _trend(references)
    if abs(slope) > slope_u95 and abs(slope) * minutes > TREND_DEGC:
        return (
            f"Looks at one reference go one way, by {abs(slope) * minutes:.1f} degC in {minutes:.0f} minutes:"
            f" camera or reference has not settled; {remedy}"
        )
    if not abs(drift) + drift_u95 <= MOST_DRIFT_DEGC_PER_MIN:
        told = f"{drift:+.2f} degC a minute (95 % bound {drift_u95:.2f})"
        return (
            f"The drift is {told}, with its bound more than {MOST_DRIFT_DEGC_PER_MIN:g}; look longer at each"
            f" reference, at least 30 s at a time, or {remedy}"
        )
    return None


def _no_better(found: RadiometryFound) -> str | None:
    bound = found.fresh.u95_degc
    if bound < found.claim_degc:
        return None
    return (
        f"Readings would be known to {bound:.1f} degC, no better than the camera's claim of"
        f" {found.claim_degc:g}; take more looks, and references known better."
    )
